/* SPDX-License-Identifier: Apache-2.0
 *
 * limit_days.h - days of one SIM after another under random limits, with restarts, power cuts and clocks that are set,
 * looked at by a judge who knows the true time and has the C library's calendar. */
#ifndef CELLPOST_TESTS_LIMIT_DAYS_H
#define CELLPOST_TESTS_LIMIT_DAYS_H

#include <stdint.h>

struct limit_days_result {
    uint64_t days, sims, sends, withdrawn, refused, restarts, reboots, jumps, boots_behind;
    uint64_t exceeded;                   /* a limit was, by the true clock */
    uint64_t idle;                       /* a limit held back a part that it had room for, long after any trouble */
    uint64_t waits_judged;               /* how often that was looked at */
    uint64_t limits_reached;             /* days on which the day's limit was used up */
    uint32_t text_bytes_max;
    char first[160];                     /* what the first of exceeded or idle was */
};

struct limit_days_result limit_days_run(uint64_t seed, uint64_t days);

#endif
