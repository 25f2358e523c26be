/* SPDX-License-Identifier: Apache-2.0
 *
 * stats.h - how busy each modem was, and how long it waited between parts. Microseconds of the bank's clock. */
#ifndef CELLPOST_MODEMBANK_STATS_H
#define CELLPOST_MODEMBANK_STATS_H

#include "firmware/modembank/json.h"
#include "hal/sim/sim_modem.h"

#include <stdint.h>

/* Logarithmic with 32 steps in each octave: a percentile is right to 3 %. */
#define STATS_STEPS 32
#define STATS_BUCKETS (STATS_STEPS * 40)

struct stats_gaps { uint64_t count, sum_us, max_us; uint32_t buckets[STATS_BUCKETS]; };

struct stats_modem {
    uint64_t accepted, answered, refused, at_lines, busy_us, first_busy_us, last_busy_us;
    uint64_t busy_since_us, idle_since_us;   /* UINT64_MAX: not so now */
    struct stats_gaps gaps;
};

void stats_reset(struct stats_modem *stats);
void stats_take(struct stats_modem *stats, const struct sim_event *event);
uint64_t stats_gap_percentile(const struct stats_gaps *gaps, double share);   /* 0 without gaps */

/* {"modems":[...],"all":{...}} without a line end. */
void stats_print(const struct stats_modem *stats, uint32_t count, struct json *json);

#endif
