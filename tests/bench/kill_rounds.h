/* SPDX-License-Identifier: Apache-2.0
 *
 * kill_rounds.h - a daemon that is killed at random moments while it works, and what became of every message. */
#ifndef CELLPOST_BENCH_KILL_ROUNDS_H
#define CELLPOST_BENCH_KILL_ROUNDS_H

#include <jansson.h>
#include <stdint.h>

struct kill_settings {
    unsigned rounds, seed;
    unsigned modems, air_ms;
    unsigned life_ms_max;                /* a daemon lives up to so long; it needs some 600 to have its modems ready */
};

struct kill_result {
    unsigned requests, retries, replays; /* POSTs acknowledged; tries that got no 202; 202s that said they were replayed */
    unsigned messages, parts;            /* acknowledged */
    unsigned parts_on_air;
    /* Broken promises. */
    unsigned lost;                       /* acknowledged, and gone, stuck, given up, or called sent without having been on the air */
    unsigned doubled;                    /* parts that were on the air more than once */
    unsigned altered;                    /* messages on the air with another text than was asked for */
    /* The price of keeping them. */
    unsigned unknown_sent, unknown_unsent;   /* parts whose fate the gateway calls unknown, by what the bank saw */
    unsigned withheld;                   /* parts not sent because another of their message is unknown */
    unsigned states[16];                 /* messages by enum message_state */
};

void kill_rounds_run(const struct kill_settings *settings, struct kill_result *ret_result);
json_t *kill_result_json(const struct kill_settings *settings, const struct kill_result *result);

#endif
