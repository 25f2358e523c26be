/* SPDX-License-Identifier: Apache-2.0
 *
 * fold.h - how the parts of a message stand, and what they amount to. Pure. */
#ifndef CELLPOST_STORE_FOLD_H
#define CELLPOST_STORE_FOLD_H

#include "src/store/message.h"

enum part_standing {
    PART_LEFT,           /* not handed over, or refused and to be tried again */
    PART_OPEN,           /* its intent is on disk */
    PART_UNKNOWN,        /* may have been sent */
    PART_SENT,           /* and no final report */
    PART_DELIVERED,      /* the rest: by its final report */
    PART_UNDELIVERED,
    PART_EXPIRED,
    PART_REJECTED,
};

/* What one attempt says of its part. status: TP-ST of the final report, -1 where there is none. */
enum part_standing part_standing_of(enum attempt_state state, int status);

/* Two attempts of one part: the later and better known standing counts. */
enum part_standing part_standing_best(enum part_standing a, enum part_standing b);

/* The state of a message that we have not ended ourselves (cancelled, failed, expired before sending).
 * now: its state so far. With parts left and none on its way it belongs to the queue. */
enum message_state message_fold(enum message_state now, const enum part_standing *parts, uint16_t count);

#endif
