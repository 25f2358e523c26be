/* SPDX-License-Identifier: Apache-2.0
 *
 * decision.h - what one choice costs, and a whole queue of them. */
#ifndef TESTS_BENCH_DECISION_H
#define TESTS_BENCH_DECISION_H

#include <jansson.h>
#include <stdint.h>

struct decision_options {
    unsigned sims, plans, classes, messages, rounds;
    const uint64_t *keys; unsigned prefixes;   /* ascending; each plan has its share of them, and a price for every number */
};
json_t *decision_measure(const struct decision_options *options);

#endif
