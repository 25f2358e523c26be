/* SPDX-License-Identifier: Apache-2.0
 *
 * kill_rounds.h - a daemon that is killed at random moments of its life, also while it starts, and what became of every message. */
#ifndef CELLPOST_BENCH_KILL_ROUNDS_H
#define CELLPOST_BENCH_KILL_ROUNDS_H

#include "tests/bench/verdict.h"

struct kill_settings {
    unsigned rounds, seed;
    unsigned modems, air_ms;
    unsigned life_ms_max;                /* a daemon lives up to so long; it needs some 600 to have its modems ready */
};

struct kill_result { struct verdict verdict; unsigned requests, retries, replays; };

void kill_rounds_run(const struct kill_settings *settings, struct kill_result *ret_result);
json_t *kill_result_json(const struct kill_settings *settings, const struct kill_result *result);

#endif
