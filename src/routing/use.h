/* SPDX-License-Identifier: Apache-2.0
 *
 * use.h - what one SIM has used: of its limits and of the bundles of its plan.
 *
 * What a clock that is set does to it: nothing that makes room. Within one run of the machine all goes by the monotonic
 * clock; the wall clock says only which day it is, and that is believed when it was not set for a day (or the caller knows
 * that it is right). Until then what was used on a day counts until 25 hours have passed, whatever the clock shows
 * (docs/limits.md). So limits hold by the true calendar, as long as a wrong clock is set right within a day while the
 * program runs, and the clock of a machine that starts is right or behind.
 *
 * Ownership: a use owns what it points to; texts it makes are the caller's. now: never goes back by its monotonic clock.
 * Order: limit_check(), use_take(), then use_text() with the intent, for what it says must be on disk before a part goes. */
#ifndef CELLPOST_ROUTING_USE_H
#define CELLPOST_ROUTING_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/routing/limit.h"
#include "src/routing/tariff.h"

#define USE_RECIPIENTS_MAX 65536
#define USE_BUNDLES_MAX 16               /* of one SIM's plan; the one whose period ended first makes room */
#define USE_TEXT_MAX 1024                /* with its NUL */

struct use;

/* What a SIM had used when state was made (NULL: nothing). boot: names the run of the monotonic clock, 0: not known.
 * rules are looked at during the call alone. -EINVAL: it is no such text; -ENOMEM. Either way *ret_use is as it was. */
int use_load(const char *state, int64_t boot, const struct limit_rules *rules, struct limit_now now, struct use **ret_use);
void use_free(struct use *use);          /* accepts NULL */
/* NULL: no memory. Free it. */
char *use_text(struct use *use);
/* The clock was set since the last use_text(), or the machine restarted. Write it soon though there is no intent: a machine that restarts with another
 * clock cannot tell that from time that has passed. */
bool use_wants_saving(const struct use *use);

/* At load, for each recipient that is known. -ENOMEM: it is not there, and everyone counts as new from now on. */
int use_recipient_add(struct use *use, uint64_t recipient_key, int32_t day, int32_t month);

/* The wall clock is known to be right, as when the kernel says that it is synchronized. May be called as often as one likes. */
void use_clock_is_right(struct use *use, const struct limit_rules *rules, struct limit_now now);

/* Rules that change are told by their content: call this after a change of what rules points to, its zone included. */
void use_rules_changed(struct use *use);

/* Whether a message of parts (1 or more) for cost_micro altogether may go. recipient_key 0: to nobody that counts. */
struct limit_answer limit_check(const struct limit_rules *rules, struct use *use, uint64_t recipient_key, unsigned parts,
                                int64_t cost_micro, bool roaming, struct limit_now now);

/* What a take has changed: kept by the caller until the outcome is known. After a restart it is lost, and nothing is given
 * back: what may have been sent stays counted. */
struct use_taken {
    uint64_t recipient_key, before_gap_ms;
    int64_t cost_micro, at_ms;
    uint32_t parts;
    int32_t day, month;                  /* the labels, for the row of the recipient */
    int32_t before_day, before_month;    /* of the recipient; INT32_MIN: not known then */
};

/* At the intent; one part at a time, or several that go at once. random: any 32 random bits. Never fails: what is over a
 * limit is counted all the same. */
struct use_taken use_take(struct use *use, const struct limit_rules *rules, uint64_t recipient_key, unsigned parts,
                          int64_t cost_micro, struct limit_now now, uint32_t random);

enum use_back {
    USE_NOT_SENT,                        /* the intent was withdrawn or its bytes never left: all of it */
    USE_REFUSED                          /* by the network: the money alone; the attempt counts */
};
void use_give_back(struct use *use, const struct use_taken *taken, enum use_back why);

/* How a part ended; with failure_percent of rules the SIM may be parked from now on. */
void use_result(struct use *use, const struct limit_rules *rules, bool failed, struct limit_now now);

/* What is left of a bundle in this period. Told apart by their names. */
uint32_t use_bundle_left(struct use *use, const struct tariff_bundle *bundle, const struct zone *zone, struct limit_now now);
/* Never fails: without room for one more bundle it counts as used up. */
void use_bundle_take(struct use *use, const struct tariff_bundle *bundle, const struct zone *zone, uint32_t parts, struct limit_now now);
void use_bundle_give_back(struct use *use, const struct tariff_bundle *bundle, const struct zone *zone, uint32_t parts, struct limit_now now);
/* The operator said how many are left: from then on it counts down from there. */
void use_bundle_observed(struct use *use, const struct tariff_bundle *bundle, const struct zone *zone, uint32_t rest_parts, struct limit_now now);

/* Of LIMIT_MINUTE to LIMIT_RECIPIENTS_MONTH, LIMIT_SPEND_DAY and LIMIT_SPEND_MONTH; of other kinds all zero. */
struct limit_view limit_view(const struct limit_rules *rules, struct use *use, enum limit_kind kind, struct limit_now now);

#endif
