/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow.h - what a part of something scarce is worth, so that the cheapest choice now is the cheapest over the period.
 *
 * A SIM with a cheap price and 3,000 parts a day, a bundle that ends on Sunday, a minute of a modem's time in a busy hour,
 * a spend cap: whoever takes a part of one takes it from somebody else, and ought to pay for it what that one loses. That is
 * its shadow price. It is 0 while there is enough for all, and otherwise the price at which all that is still expected to
 * come just uses up what is left. A choice is then simple: price of the part + shadow prices of what it uses; the lowest wins.
 *
 * One asks for prices by a plan: resources with what they have left, demands (parts of one class of destinations expected in
 * some hours, or waiting now), and for each demand its options: a price and up to SHADOW_USES_MAX resources of which a part
 * takes one each. Prices are those of the least cost over the plan (the dual of a transportation problem), found by giving each
 * resource in turn the price at which its use meets what it has. So that this converges where two resources depend on
 * each other, demands do not jump from one option to another but move over within a margin, which is narrowed in steps to
 * 1/2048 of the dearest option; prices are right within a few such margins, and equals share. Every demand may also be
 * left at an outside price, twice that of the dearest option: where resources do not suffice, prices end there.
 *
 * How plans were made that docs/benchmarks.md (routing-cost) has the figures of, and what mattered:
 * - what is left of today and each later day, to the end of the longest period, is a demand of its own for each class (forecast.h);
 *   what waits already belongs to today. Anew every quarter of an hour: every five minutes saved no more;
 * - resources are a SIM's day and a bundle's period. A message that may wait till after midnight is another demand, which has
 *   the next day's SIMs among its options too: worth 1 % of the cost. A SIM's time is none: hours as resources made plans
 *   that could not be kept, and what waits shares SIMs out better;
 * - a network takes from a bundle while it has parts, wanted or not. The plan may do otherwise, so that on a SIM with a bundle
 *   what the bundle is worth beyond the class's own price counts half, and the price of the SIM's day on top;
 * - prices make equals of SIMs that should share, and a choice by price alone lets one of them idle until the next plan. With
 *   5 millionths more for each part that a SIM was given already (up to 400 parts) they share: worth 2 % where SIMs are busy.
 *
 * shadow_sweep() does one sweep over all resources, so that a loop need not wait for the rest: 16 to 42 ns for each option and
 * use. 12 SIMs with 22 classes and 7 days: 142 sweeps of 50 us; 64 SIMs with 60 classes and 31 days: 250 sweeps of 8 ms.
 *
 * Money:     millionths. No I/O, no clock; the same calls give the same prices on the same machine.
 * Ownership: the caller's resource, demand and option numbers are what the functions returned, until shadow_clear(). */
#ifndef CELLPOST_ROUTING_SHADOW_H
#define CELLPOST_ROUTING_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHADOW_USES_MAX 4
#define SHADOW_RESOURCES_MAX 65536
#define SHADOW_DEMANDS_MAX 65536
#define SHADOW_OPTIONS_MAX 4000000
#define SHADOW_PRICE_MICRO_MAX INT64_C(1000000000000000)   /* as TARIFF_PRICE_MICRO_MAX */
#define SHADOW_PARTS_MAX INT64_C(1000000000000)
#define SHADOW_SWEEPS_MAX 400            /* after which a plan is done, converged or not */

struct shadow;

/* Takes all memory. -E2BIG: above the bounds; -ENOMEM. */
int shadow_new(size_t resources, size_t demands, size_t options, struct shadow **ret_shadow);
void shadow_free(struct shadow *shadow);   /* accepts NULL */
void shadow_clear(struct shadow *shadow);  /* for the next plan */

/* Each returns its number, or -ENOSPC where shadow_new() was told of fewer, -ERANGE outside of the bounds above.
 * price_micro: where to begin, best the price of the last plan. */
int shadow_add_resource(struct shadow *shadow, int64_t left_parts, int64_t price_micro);
int shadow_add_demand(struct shadow *shadow, double parts);
/* Of the demand that was added last. uses: resources that were added already, each once. */
int shadow_add_option(struct shadow *shadow, int64_t price_micro, const int *uses, size_t use_count);

/* One sweep over all resources; true: there is more to do. */
bool shadow_sweep(struct shadow *shadow);

/* 0 to the outside price. */
int64_t shadow_price_micro(const struct shadow *shadow, int resource);
/* How many parts of it the plan uses; the share of its demand that an option gets, 0 to 1. */
double shadow_used_parts(const struct shadow *shadow, int resource);
double shadow_share(const struct shadow *shadow, int option);
unsigned shadow_sweeps(const struct shadow *shadow);   /* since the first of this plan */

#endif
