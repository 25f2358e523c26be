/* SPDX-License-Identifier: Apache-2.0
 *
 * survival.h - what was acknowledged held against what is in the store and what was on the air, without I/O.
 *
 * Messages are numbered from 0; the number makes everything about one: its recipient, text and parts. Tell it what was
 * asked, acknowledged, on the air and stored, in any order, then take the verdict. */
#ifndef CELLPOST_SURVIVAL_H
#define CELLPOST_SURVIVAL_H

#include "src/store/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SURVIVAL_MESSAGES_MAX 200000u
#define SURVIVAL_PARTS_MAX 3u
#define SURVIVAL_TEXT_MAX 480u

/* The recipient, "+40..."; the text, in which every stretch names the message; its parts. */
void survival_recipient(unsigned number, char ret_to[MESSAGE_TO_MAX]);
void survival_text(unsigned number, char ret_text[SURVIVAL_TEXT_MAX]);
unsigned survival_parts(unsigned number);

struct survival_verdict {
    unsigned acknowledged, survived;
    /* Broken promises. */
    unsigned lost;              /* acknowledged and gone, stuck or given up */
    unsigned untrue;            /* acknowledged and called sent without having been wholly on the air */
    unsigned sent_twice;        /* parts on the air more than once */
    unsigned stored_twice;      /* one request accepted as two messages */
    unsigned altered;           /* parts on the air that nobody asked for in this form */
    /* The price of keeping them. */
    unsigned unknown;           /* messages whose state is unknown */
    unsigned unknown_on_air, unknown_not_on_air;   /* parts called unknown, by what was seen on the air */
    unsigned stored_unacknowledged;                /* in the store, and its sender does not know yet */
};

struct survival;
struct survival *survival_new(void);           /* NULL: no memory */
void survival_free(struct survival *survival); /* accepts NULL */

/* False: there is no such message. */
bool survival_acknowledged(struct survival *survival, unsigned number);
bool survival_is_acknowledged(const struct survival *survival, unsigned number);
void survival_on_air(struct survival *survival, const char *to, unsigned seq, unsigned total, const char *text);
void survival_stored(struct survival *survival, const char *to, enum message_state state);
void survival_attempt_unknown(struct survival *survival, const char *to, unsigned part);   /* part from 0 */

struct survival_verdict survival_judge(const struct survival *survival);
bool survival_is_whole(const struct survival_verdict *verdict);   /* no promise is broken */

#endif
