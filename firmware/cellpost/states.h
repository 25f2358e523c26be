/* SPDX-License-Identifier: Apache-2.0
 *
 * states.h - the states of messages and modems in words and colours for a person. */
#ifndef CELLPOST_CLI_STATES_H
#define CELLPOST_CLI_STATES_H

#include "firmware/cellpost/table.h"

#include <stdbool.h>

enum table_style state_style(const char *state);   /* of messages, parts and modems; plain for an unknown one */
const char *state_words(const char *state);        /* "sent, report awaited"; the state itself where there is no more to say */

/* Where a message is, as far as a waiting person is concerned. */
bool state_is_sent(const char *state);             /* the network has it */
bool state_is_final(const char *state);            /* nothing more is to come */
bool state_is_bad(const char *state);              /* final, and the text is not known to have arrived */

#endif
