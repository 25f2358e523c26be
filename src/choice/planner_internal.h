/* SPDX-License-Identifier: Apache-2.0
 *
 * planner_internal.h - what the files of the planner share; nobody else includes it. */
#ifndef CELLPOST_CHOICE_PLANNER_INTERNAL_H
#define CELLPOST_CHOICE_PLANNER_INTERNAL_H

#include "src/choice/chooser_internal.h"
#include "src/choice/planner.h"
#include "src/routing/shadow.h"

#define PLANNER_GROUPS_MAX 128
#define PLANNER_LINES_MAX 512            /* kinds, and what waits of others */
#define PLANNER_OPTIONS_MAX 65536
#define PLANNER_CROSSING_S 900           /* after midnight at the earliest, so that there is time for it */
#define NO_KIND UINT16_MAX

struct planner_kind {
    uint64_t prefix;                     /* digits_pack(); 0: of every number */
    bool crosses;                        /* those that may wait till after midnight */
    uint32_t destination;                /* of the chooser, by its generation */
    struct forecast forecast;
};

/* Bearers with one plan that routes rank the same: for a plan they are one. */
struct planner_group;

/* What is scarce, perhaps. */
struct planner_resource;

struct planner_plan {
    struct shadow *shadow;               /* NULL: none under way */
    uint32_t generation;
    unsigned sweeps_at_once;
    struct planner_group *groups; unsigned group_count;
    uint16_t group_of[CHOOSER_BEARERS_MAX];
    uint32_t turn_of[CHOOSER_BEARERS_MAX];
    int64_t dearest_micro;
};

struct planner {
    struct planner_kind *kinds; uint32_t kind_count;
    uint16_t *kind_of[2];                /* by whether they may wait till after midnight, by destination */
    uint32_t generation;                 /* of the chooser that kind_of is of */
    bool taught;                         /* a day was learnt */
    bool dirty;

    bool ticked;
    uint64_t mono_ms; int64_t wall_ms;   /* of the last look at the clock */
    bool day_known, spoiled;
    int32_t day;                         /* local; it is under way */
    uint64_t lived_ms;                   /* of it */
    int64_t midnight_s;                  /* its end */

    struct planner_plan plan;
    bool planned;                        /* once, with this generation and these bearers */
    uint64_t planned_ms, presence;
    uint32_t planned_generation;
    int32_t planned_day;
};

/* planner.c */
const struct zone *planner_zone(const struct chooser *chooser);
unsigned planner_day_kind(int32_t day);
/* Makes sure that destinations of kinds are those of the chooser as it is. */
void planner_resolve(struct planner *planner, struct chooser *chooser, struct limit_now now);
/* planner_plan.c. -ENOENT: nothing is scarce, no plan is needed. */
int planner_plan_begin(struct planner *planner, struct chooser *chooser, const struct queue *queue, struct limit_now now);
/* True when it is over, and its prices are in force. */
bool planner_plan_go_on(struct planner *planner, struct chooser *chooser);
void planner_plan_done(struct planner_plan *plan);

#endif
