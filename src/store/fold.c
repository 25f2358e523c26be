/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/fold.h"

#include "src/store/tp_status.h"

static const struct { enum message_state state; enum part_standing standing; } report_standings[] = {
    { MESSAGE_DELIVERED, PART_DELIVERED },
    { MESSAGE_UNDELIVERED, PART_UNDELIVERED },
    { MESSAGE_EXPIRED, PART_EXPIRED },
    { MESSAGE_REJECTED, PART_REJECTED },
};

static const enum part_standing attempt_standings[] = {
    [ATTEMPT_INTENT] = PART_OPEN,       [ATTEMPT_SENT] = PART_SENT,       [ATTEMPT_REFUSED] = PART_LEFT,
    [ATTEMPT_NOT_SENT] = PART_LEFT,     [ATTEMPT_UNKNOWN] = PART_UNKNOWN, [ATTEMPT_WITHDRAWN] = PART_LEFT,
    [ATTEMPT_RELEASED] = PART_LEFT,
};

static const enum message_state ended_states[] = {
    [PART_UNDELIVERED] = MESSAGE_UNDELIVERED,
    [PART_EXPIRED] = MESSAGE_EXPIRED,
    [PART_REJECTED] = MESSAGE_REJECTED,
};

enum part_standing part_standing_of(enum attempt_state state, int status)
{
    if (state == ATTEMPT_SENT && status >= 0) {
        const struct tp_status *row = tp_status_find((uint8_t)status);

        for (size_t i = 0; row->final && i < sizeof report_standings / sizeof report_standings[0]; i++)
            if (report_standings[i].state == row->state)
                return report_standings[i].standing;
    }
    return attempt_standings[state];
}

enum part_standing part_standing_best(enum part_standing a, enum part_standing b)
{
    /* One copy is enough, whatever became of the other. */
    if (a == PART_DELIVERED || b == PART_DELIVERED)
        return PART_DELIVERED;
    return a > b ? a : b;
}

enum message_state message_fold(enum message_state now, const enum part_standing *parts, uint16_t count)
{
    uint16_t of[PART_REJECTED + 1] = { 0 };
    enum part_standing ended = PART_LEFT;

    for (uint16_t i = 0; i < count; i++) {
        of[parts[i]]++;
        if (ended == PART_LEFT && parts[i] >= PART_UNDELIVERED)
            ended = parts[i];
    }
    if (of[PART_OPEN] > 0)
        return MESSAGE_SENDING;
    if (of[PART_LEFT] > 0 && now == MESSAGE_WAIT_CREDIT)
        return now;
    if (of[PART_LEFT] == count)
        return now == MESSAGE_SCHEDULED ? MESSAGE_SCHEDULED : MESSAGE_QUEUED;
    if (of[PART_LEFT] > 0)
        return MESSAGE_QUEUED;
    /* A part known to be lost says more than one of which nothing is known: the whole cannot arrive any more. */
    if (ended != PART_LEFT)
        return ended_states[ended];
    if (of[PART_UNKNOWN] > 0)
        return now == MESSAGE_HELD ? MESSAGE_HELD : MESSAGE_UNKNOWN;
    return of[PART_DELIVERED] == count ? MESSAGE_DELIVERED : MESSAGE_SENT;
}
