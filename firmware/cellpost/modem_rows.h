/* SPDX-License-Identifier: Apache-2.0
 *
 * modem_rows.h - the modems of GET /v1/modems as rows: for "modems" and for "top". */
#ifndef CELLPOST_CLI_MODEM_ROWS_H
#define CELLPOST_CLI_MODEM_ROWS_H

#include "firmware/cellpost/table.h"

#include <jansson.h>

/* What they are, for "modems"; what they do, for "top". The table is the caller's. */
struct table *modem_rows(json_t *modems);
struct table *modem_rows_busy(json_t *modems);

/* What keeps modems from their work, to stderr: "/dev/ttyUSB1: no SIM ...". */
void modem_rows_say_reasons(json_t *modems);

#endif
