/* SPDX-License-Identifier: Apache-2.0
 *
 * planner.h - what the days before taught, for the choice of today: shadow prices of what will be short.
 *
 * It counts what is accepted, by kind of destination, hour and kind of day (src/routing/forecast.h). From that, from what waits
 * and from what bearers have left of days, months and bundles it makes a plan each quarter of an hour, and from the plan
 * prices (src/routing/shadow.h), which the chooser adds to those of the tariffs. Where nothing will be short, or nothing was
 * learnt yet, there is no plan and nothing is added.
 *
 * A kind of destination is named by a prefix of it, which says what it costs with whatever tariffs are in force: so what was
 * learnt outlives new tariffs. It is kept as text, a line for each kind and one for the day under way.
 *
 * What a clock that is set does: a day in which it was set, or of which less than 20 hours were lived by the machine's own
 * clock, is not learnt.
 *
 * Bounds:    PLANNER_KINDS_MAX kinds (beyond them nothing is learnt), PLANNER_DAYS_MAX days ahead, groups of like bearers,
 *            options of a plan, and work in one call.
 * Left out:  spend caps, limits of hours and less but as a bound of the day's parts, and stickiness. A message may go today, or
 *            tomorrow where its patience lasts longer than till midnight. Messages are planned for the bearers that their route
 *            prefers alone. */
#ifndef CELLPOST_CHOICE_PLANNER_H
#define CELLPOST_CHOICE_PLANNER_H

#include "src/choice/chooser.h"
#include "src/routing/forecast.h"

#define PLANNER_KINDS_MAX 256
#define PLANNER_DAYS_MAX 31
#define PLANNER_KEY_MAX 24               /* with its NUL */
#define PLANNER_TEXT_MAX (FORECAST_TEXT_MAX + 8)

struct planner;

struct planner *planner_new(void);       /* NULL: no memory */
void planner_free(struct planner *planner);   /* accepts NULL */

/* A message was accepted: once each, with all its parts. */
void planner_count(struct planner *planner, struct chooser *chooser, const struct queue_item *item, struct limit_now now);

/* To be called at least once a minute. True: prices have changed. */
bool planner_poll(struct planner *planner, struct chooser *chooser, const struct queue *queue, struct limit_now now);
/* A plan is under way: call again soon. */
bool planner_is_busy(const struct planner *planner);
/* No shadow prices from now on, as when it is to be switched off. */
void planner_clear_prices(struct chooser *chooser);

/* A day was learnt (or lost) since the last planner_saved(). */
bool planner_wants_saving(const struct planner *planner);
void planner_saved(struct planner *planner);
size_t planner_row_count(const struct planner *planner);
void planner_row(const struct planner *planner, size_t row, char ret_key[PLANNER_KEY_MAX], char ret_text[PLANNER_TEXT_MAX]);
/* -EINVAL: it is no such row, -ENOSPC; either way it is as if there were none. Before anything is counted. */
int planner_load_row(struct planner *planner, const char *key, const char *text);

#endif
