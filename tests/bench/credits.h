/* SPDX-License-Identifier: Apache-2.0
 *
 * credits.h - a daemon with an account: its database as an enrolled box with a lease has it. */
#ifndef CELLPOST_BENCH_CREDITS_H
#define CELLPOST_BENCH_CREDITS_H

#include "tests/system/harness.h"

/* Before harness_start(): the box has a thousand million credits, and a part costs one. */
void credits_prepare(const struct harness *harness);
/* After harness_stop() or harness_kill(): the books add up, and are of as many parts as the database says. Else the figures say nothing. */
void credits_check(const struct harness *harness, int64_t *ret_captured);

#endif
