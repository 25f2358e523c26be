/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_health.h - how a SIM fares: streaks of refusals tell a bad SIM from a bad number, and how long it rests.
 *
 * Networks refuse with causes that mean different things (ERROR_VARIES): no credit, a spam filter, a number that does not
 * exist. One such refusal speaks of the recipient; several in a row over different recipients speak of the SIM.
 * A rest grows with each that follows and shrinks only step by step with parts that are sent: a SIM at the edge is tried
 * rarely, not in turns with success. Plain values; time in microseconds on a monotonic clock. */
#ifndef CELLPOST_SIM_HEALTH_H
#define CELLPOST_SIM_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "src/gateway/error_class.h"
#include "src/store/tp_status.h"

#define SIM_REST_CAUSES 3                /* SIM, congestion, modem */
#define SIM_STREAK_MAX 3                 /* refusals over different recipients that make it the SIM's fault */

struct sim_streak { uint32_t recipients[SIM_STREAK_MAX]; uint8_t length; };

struct sim_health {
    struct sim_streak refused;           /* broken by each part that is sent */
    struct sim_streak reported;          /* final reports that may mean the SIM; broken by each that says delivered */
    uint8_t level[SIM_REST_CAUSES];      /* of the next rest, by cause: congestion says nothing about credit */
    uint8_t sent;                        /* in a row, since the level changed */
    uint64_t rest_until_us;              /* 0: does not rest */
    enum error_class cause;              /* of the rest */
};

/* A part was sent. */
void sim_health_sent(struct sim_health *health);
/* A part was refused. recipient: any hash of the number. True where this one is the SIM's fault: the message may go by another
 * SIM at once. */
bool sim_health_refused(struct sim_health *health, enum error_class class, uint32_t recipient, uint64_t now_us);
/* A delivery report came about a part of this SIM. */
void sim_health_reported(struct sim_health *health, const struct tp_status *status, uint32_t recipient, uint64_t now_us);
bool sim_health_rests(const struct sim_health *health, uint64_t now_us);

#endif
