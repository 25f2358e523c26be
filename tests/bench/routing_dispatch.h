/* SPDX-License-Identifier: Apache-2.0
 *
 * routing_dispatch.h - a message takes the cheapest SIM that can take it within its patience, given what each would cost.
 *
 * What waits is counted by class and by when it is due. Cheap SIMs are filled up to what they can send by then, first with
 * those messages whose next cheapest SIM is dearest by the most; a SIM that is free then takes, of what it was given, what
 * is due first. What no SIM can do in time goes where it is done soonest. A SIM after midnight is another SIM, with a day's
 * limit of its own: what has patience enough waits for it where that is cheaper. */
#ifndef CELLPOST_BENCH_ROUTING_DISPATCH_H
#define CELLPOST_BENCH_ROUTING_DISPATCH_H

#include "tests/bench/routing_week.h"

#define DISPATCH_BIN_S 60u
#define DISPATCH_BINS (WEEK_S / DISPATCH_BIN_S + 1)
#define DISPATCH_BUCKETS 24

struct dispatch {
    uint32_t waiting[WEEK_CLASSES][DISPATCH_BINS];   /* parts by deadline */
    uint32_t waiting_parts[WEEK_CLASSES];
    float given[2 * WEEK_SIMS][WEEK_CLASSES][DISPATCH_BUCKETS];   /* to SIMs today, to SIMs tomorrow */
    bool stale;
    uint64_t planned_ms;
};

/* Of a part of each class on each SIM today, and after midnight; INT64_MAX: not at all. */
typedef int64_t dispatch_costs[WEEK_CLASSES][2 * WEEK_SIMS];

void dispatch_accepted(struct dispatch *dispatch, const struct week_message *message);
bool dispatch_choose(struct dispatch *dispatch, const struct week_state *state, dispatch_costs costs, struct week_choice *ret_choice);

#endif
