/* SPDX-License-Identifier: Apache-2.0
 *
 * settle.h - conditions for harness_wait() while a load runs. Each tells the load how many parts were on the air. */
#ifndef CELLPOST_BENCH_SETTLE_H
#define CELLPOST_BENCH_SETTLE_H

#include "tests/bench/load.h"

/* context of the first three: struct load *const * */
bool settle_watch(struct harness *harness, const void *context);                 /* never holds */
bool settle_nothing_waits(struct harness *harness, const void *context);
bool settle_nothing_waits_but_doubt(struct harness *harness, const void *context);   /* what waits to be sent once more may */
bool settle_network_is_quiet(struct harness *harness, const void *context);      /* no report is under way */

#endif
