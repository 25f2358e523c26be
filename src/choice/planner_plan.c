/* SPDX-License-Identifier: Apache-2.0
 *
 * planner_plan.c - one plan: who has what left, what is still to come, and the prices at which the one suffices for the other. */
#include "src/choice/planner_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define NO_GROUP UINT16_MAX
#define NO_RESOURCE (-1)
#define UNLIMITED INT64_MAX
#define WORK_AT_ONCE 100000              /* options looked at in one call: some 40 ns each and use */
#define MONTHS 2                         /* that 31 days may lie in */
#define SPARE 0.95f
#define PERIODS (PLANNER_DAYS_MAX + 1)
#define SLACK 256                        /* prices are right within some of shadow.h's margins, the dearest option / 2048 */

struct resource { int64_t left; double wanted; int number; };   /* number: of the shadow plan; NO_RESOURCE: there is enough */

struct group_bundle {
    const struct tariff_row *row;
    uint8_t period_of[PLANNER_DAYS_MAX]; /* by day; UINT8_MAX: it does not hold */
    uint8_t period_count;
    struct resource periods[PERIODS];
};

struct planner_group {
    uint16_t plan, bearer;               /* one of them, whose ranks are theirs */
    uint16_t count;
    uint64_t ranks;
    int64_t shadow_micro;                /* as they are in force */
    int64_t bundle_shadow_micro[PLAN_BUNDLES_MAX];
    uint8_t month_of[PLANNER_DAYS_MAX];
    struct resource days[PLANNER_DAYS_MAX], months[MONTHS];
    struct group_bundle bundles[PLAN_BUNDLES_MAX]; uint8_t bundle_count;
};

struct line { uint32_t destination; uint8_t rank; double all, parts[PLANNER_DAYS_MAX], crossing[PLANNER_DAYS_MAX]; };   /* crossing: that may also go the day after */

/* While it is made. */
struct draft {
    struct chooser *chooser;
    struct planner_plan *plan;
    const struct zone *zone;
    struct limit_now now;
    struct zone_period today;
    int64_t noon_ms[PLANNER_DAYS_MAX];   /* of each day */
    unsigned days;
    struct line *lines; unsigned line_count;
    uint16_t *line_of;                   /* by destination */
    size_t option_count, resource_count;
};

void planner_plan_done(struct planner_plan *plan)
{
    shadow_free(plan->shadow);
    free(plan->groups);
    plan->shadow = NULL;
    plan->groups = NULL;
    plan->group_count = 0;
}

/* -- what is to come ------------------------------------------------------------------------------------------- */

static struct line *line_for(struct draft *draft, uint32_t destination)
{
    if (draft->line_of[destination] == UINT16_MAX) {
        if (draft->line_count == PLANNER_LINES_MAX)
            return NULL;
        draft->line_of[destination] = (uint16_t)draft->line_count;
        draft->lines[draft->line_count++] = (struct line){ .destination = destination };
    }
    return &draft->lines[draft->line_of[destination]];
}

static double parts_of_day(const struct draft *draft, const struct forecast *forecast, unsigned day)
{
    unsigned kind = planner_day_kind(draft->today.label + (int32_t)day), hour = 0;
    double parts = 0, over = 0;

    if (day == 0) {
        int64_t local_s = draft->now.wall_ms / 1000 + zone_offset_s(draft->zone, draft->now.wall_ms / 1000);

        hour = (unsigned)((local_s % 86400 + 86400) % 86400 / 3600);
        over = (double)((local_s % 3600 + 3600) % 3600) / 3600;
    }
    for (unsigned i = hour; i < FORECAST_HOURS; i++)
        parts += forecast_parts(forecast, kind, i);
    return day > 0 ? parts : (parts - over * forecast_parts(forecast, kind, hour)) * forecast_factor(forecast, kind, hour);
}

static void expect(struct draft *draft, const struct planner *planner, const struct queue *queue)
{
    int64_t crossing_s = draft->today.next_ms / 1000 + PLANNER_CROSSING_S;

    for (uint32_t i = 0; i < planner->kind_count; i++) {
        struct line *line = planner->kinds[i].destination != NO_DESTINATION ? line_for(draft, planner->kinds[i].destination) : NULL;

        for (unsigned day = 0; line != NULL && day < draft->days; day++)
            *(planner->kinds[i].crosses ? &line->crossing[day] : &line->parts[day]) += parts_of_day(draft, &planner->kinds[i].forecast, day);
    }
    for (uint32_t i = 0; i < queue->active_count; i++) {
        uint16_t class = queue->active[i];
        struct line *line = class != CHOOSER_MIXED && class < draft->chooser->class_count ? line_for(draft, draft->chooser->classes[class].destination) : NULL;

        for (uint8_t priority = 0; line != NULL && priority <= MESSAGE_PRIORITY_MAX; priority++) {
            uint32_t stays = queue_due_before(queue, class, priority, crossing_s), count = queue->classes[class]->lanes[priority].count;

            line->parts[0] += stays * (double)draft->chooser->parts_mean;
            line->crossing[0] += (count - stays) * (double)draft->chooser->parts_mean;
        }
    }
}

/* -- who is there ---------------------------------------------------------------------------------------------- */

static uint64_t ranks_of(struct draft *draft, uint16_t bearer)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    for (unsigned i = 0; i < draft->line_count; i++)
        hash = chooser_mix(hash, chooser_rank(draft->chooser, draft->chooser->destinations[draft->lines[i].destination]->route, bearer));
    return hash;
}

static struct planner_group *group_for(struct draft *draft, uint16_t index)
{
    const struct chooser_bearer *bearer = &draft->chooser->bearers[index];
    struct planner_plan *plan = draft->plan;
    struct planner_group *group;
    uint64_t ranks = ranks_of(draft, index);
    unsigned i = 0;

    while (i < plan->group_count && (plan->groups[i].plan != bearer->plan || plan->groups[i].ranks != ranks))
        i++;
    if (i == PLANNER_GROUPS_MAX)
        return NULL;
    plan->group_of[index] = (uint16_t)i;
    group = &plan->groups[i];
    if (i == plan->group_count) {
        const struct chooser_plan *of = &draft->chooser->plans[bearer->plan];

        plan->group_count++;
        memset(group, 0, sizeof *group);
        group->plan = bearer->plan;
        group->bearer = index;
        group->ranks = ranks;
        group->shadow_micro = bearer->shadow_micro;
        memcpy(group->bundle_shadow_micro, bearer->bundle_shadow_micro, sizeof group->bundle_shadow_micro);
        group->bundle_count = of->bundle_count;
        for (uint8_t b = 0; b < of->bundle_count; b++)
            group->bundles[b].row = of->bundles[b];
    }
    group->count++;
    return group;
}

static int64_t sum(int64_t a, int64_t b)
{
    return a == UNLIMITED || b == UNLIMITED ? UNLIMITED : a + b;
}

/* Parts that it can do in that time: parts of messages do not fill it to the end. */
static int64_t through(const struct chooser_bearer *bearer, int64_t ms)
{
    return (int64_t)((float)ms * SPARE / chooser_pace_ms(bearer));
}

/* limit 0: none. */
static int64_t left_of(int64_t limit, int64_t used, int64_t at_most)
{
    int64_t left = limit == 0 ? UNLIMITED : limit > used ? limit - used : 0;

    return left < at_most ? left : at_most;
}

static void add_bearer(struct draft *draft, struct planner_group *group, struct chooser_bearer *bearer)
{
    const struct limit_rules *rules = &bearer->conf->limits;
    struct limit_view day = limit_view(rules, bearer->use, LIMIT_DAY, draft->now), month = limit_view(rules, bearer->use, LIMIT_MONTH, draft->now);

    for (unsigned i = 0; i < draft->days; i++)
        group->days[i].left = sum(group->days[i].left, i == 0 ? left_of(day.limit, day.used, through(bearer, draft->today.next_ms - draft->now.wall_ms))
                                                             : left_of(rules->per_day, 0, through(bearer, DAY_MS)));
    group->months[0].left = sum(group->months[0].left, left_of(month.limit, month.used, UNLIMITED));
    group->months[1].left = sum(group->months[1].left, left_of(rules->per_month, 0, UNLIMITED));
    for (uint8_t b = 0; b < group->bundle_count; b++)
        group->bundles[b].periods[0].left +=
            use_bundle_left(bearer->use, &group->bundles[b].row->bundle, draft->chooser->plans[bearer->plan].zones[b], draft->now);
}

static struct zone_period bundle_period(const struct tariff_row *row, const struct zone *zone, int64_t at_ms)
{
    static const enum zone_period_kind kinds[TARIFF_PERIODS] = { ZONE_DAY, ZONE_WEEK, ZONE_MONTH };

    return zone_period(zone, kinds[row->bundle.period], row->bundle.reset_day, at_ms);
}

static bool holds(const struct tariff_row *row, int32_t day)
{
    return row->valid_from_day <= day && day <= row->valid_until_day;
}

/* What is left for longer than the plan looks ahead is there for it in proportion. */
static int64_t within(int64_t left, int64_t from_ms, int64_t until_ms, int64_t end_ms)
{
    return until_ms <= end_ms || left == UNLIMITED ? left : (int64_t)((double)left * (double)(end_ms - from_ms) / (double)(until_ms - from_ms));
}

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Which period of a bundle, and which month, each day lies in. */
static void find_periods(struct draft *draft, struct planner_group *group)
{
    int64_t end_ms = zone_period(draft->zone, ZONE_DAY, 0, draft->noon_ms[draft->days - 1]).next_ms;
    const struct chooser_plan *plan = &draft->chooser->plans[group->plan];
    struct zone_period month = zone_period(draft->zone, ZONE_MONTH, 1, draft->now.wall_ms), next = zone_period(draft->zone, ZONE_MONTH, 1, month.next_ms);

    for (unsigned day = 0; day < draft->days; day++)
        group->month_of[day] = draft->noon_ms[day] >= month.next_ms;
    group->months[0].left = within(group->months[0].left, draft->now.wall_ms, month.next_ms, end_ms);
    group->months[1].left = within(group->months[1].left, next.begin_ms, next.next_ms, latest(end_ms, next.begin_ms));
    for (uint8_t b = 0; b < group->bundle_count; b++) {
        struct group_bundle *bundle = &group->bundles[b];
        struct zone_period now = bundle_period(bundle->row, plan->zones[b], draft->now.wall_ms), last = now;
        int64_t left = bundle->periods[0].left;

        for (unsigned day = 0; day < draft->days; day++) {
            struct zone_period period = bundle_period(bundle->row, plan->zones[b], day == 0 ? draft->now.wall_ms : draft->noon_ms[day]);
            int64_t until_ms = period.next_ms, valid_ms = ((int64_t)bundle->row->valid_until_day + 1) * DAY_MS;

            if (bundle->row->valid_until_day < INT32_MAX && valid_ms < until_ms)
                until_ms = valid_ms;
            if (period.begin_ms != last.begin_ms && bundle->period_count < PERIODS - 1) {
                last = period;
                bundle->period_count++;
                left = (int64_t)bundle->row->bundle.parts * group->count;
            }
            bundle->periods[bundle->period_count].left = within(left, latest(period.begin_ms, draft->now.wall_ms), until_ms, end_ms);
            bundle->period_of[day] = holds(bundle->row, (int32_t)(draft->noon_ms[day] / DAY_MS)) ? bundle->period_count : UINT8_MAX;
        }
    }
}

/* To the end of the longest period that is under way; at least today and tomorrow. */
static unsigned days_ahead(const struct draft *draft)
{
    int64_t until_ms = draft->today.next_ms;
    unsigned days = 2;

    for (uint32_t i = 0; i < draft->chooser->bearer_count; i++) {
        const struct chooser_bearer *bearer = &draft->chooser->bearers[i];
        const struct chooser_plan *plan = bearer->plan != NO_PLAN ? &draft->chooser->plans[bearer->plan] : NULL;

        if (!bearer->open || !bearer->present || plan == NULL)
            continue;
        if (bearer->conf->limits.per_month != 0)
            until_ms = latest(until_ms, zone_period(draft->zone, ZONE_MONTH, 1, draft->now.wall_ms).next_ms);
        for (uint8_t b = 0; b < plan->bundle_count; b++) {
            int64_t end_ms = bundle_period(plan->bundles[b], plan->zones[b], draft->now.wall_ms).next_ms;

            if (holds(plan->bundles[b], (int32_t)(draft->now.wall_ms / DAY_MS)))
                until_ms = latest(until_ms, end_ms);
        }
    }
    while (days < PLANNER_DAYS_MAX && zone_moment_ms(draft->zone, draft->today.label + (int32_t)days, 0) < until_ms)
        days++;
    return days;
}

static void gather(struct draft *draft)
{
    for (uint16_t i = 0; i < draft->chooser->bearer_count; i++) {
        struct chooser_bearer *bearer = &draft->chooser->bearers[i];
        struct planner_group *group;

        draft->plan->group_of[i] = NO_GROUP;
        draft->plan->turn_of[i] = bearer->turn;
        if (bearer->open && bearer->present && bearer->plan != NO_PLAN && (group = group_for(draft, i)) != NULL)
            add_bearer(draft, group, bearer);
    }
    for (unsigned i = 0; i < draft->plan->group_count; i++)
        find_periods(draft, &draft->plan->groups[i]);
}

/* -- who may take what ----------------------------------------------------------------------------------------- */

struct way { const struct chooser_price *price; bool may; };

static uint8_t rank_in(struct draft *draft, const struct line *line, const struct planner_group *group)
{
    return chooser_rank(draft->chooser, draft->chooser->destinations[line->destination]->route, group->bearer);
}

/* Whether a group has a price for a line, and comes first for it. */
static struct way way_of(struct draft *draft, const struct line *line, const struct planner_group *group)
{
    const struct chooser_destination *destination = draft->chooser->destinations[line->destination];
    struct way way = { .price = chooser_price(destination, group->plan) };

    way.may = !destination->refused && way.price != NULL && (way.price->row != NULL || way.price->bundle_count > 0);
    return way;
}

static bool is_too_dear(const struct chooser_destination *destination, int64_t micro)
{
    return destination->max_price_micro != ROUTE_PRICE_UNBOUND && micro > destination->max_price_micro;
}

/* The first bundle that covers it on that day; NULL. */
static struct group_bundle *bundle_on(struct planner_group *group, const struct chooser_price *price, unsigned day)
{
    for (uint8_t i = 0; i < price->bundle_count; i++)
        if (group->bundles[price->bundles[i]].period_of[day] != UINT8_MAX)
            return &group->bundles[price->bundles[i]];
    return NULL;
}

/* Calls for each that may take a line, with the rank that comes first. */
typedef void each_way(struct draft *draft, struct line *line, struct planner_group *group, const struct chooser_price *price);

static void for_each_way(struct draft *draft, struct line *line, each_way *call)
{
    line->rank = UINT8_MAX;
    for (unsigned g = 0; g < draft->plan->group_count; g++) {
        uint8_t rank = rank_in(draft, line, &draft->plan->groups[g]);

        if (rank <= RANK_MAX && rank < line->rank && way_of(draft, line, &draft->plan->groups[g]).may)
            line->rank = rank;
    }
    for (unsigned g = 0; g < draft->plan->group_count; g++) {
        struct way way = way_of(draft, line, &draft->plan->groups[g]);

        if (way.may && rank_in(draft, line, &draft->plan->groups[g]) == line->rank)
            call(draft, line, &draft->plan->groups[g], way.price);
    }
}

static void want(struct draft *draft, struct line *line, struct planner_group *group, const struct chooser_price *price)
{
    for (unsigned day = 0; day < draft->days; day++) {
        struct group_bundle *bundle = bundle_on(group, price, day);
        double parts = line->parts[day] + line->crossing[day] + (day > 0 ? line->crossing[day - 1] : 0);

        group->days[day].wanted += parts;
        group->months[group->month_of[day]].wanted += parts;
        if (bundle != NULL)
            bundle->periods[bundle->period_of[day]].wanted += parts;
    }
}

static void count_options(struct draft *draft, struct line *line, struct planner_group *group, const struct chooser_price *price)
{
    (void)line;
    (void)group;
    draft->option_count += draft->days * 3u * (1u + (price->bundle_count > 0));   /* of those that cross midnight on two days */
}

static int by_size(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->all != y->all)
        return x->all > y->all ? -1 : 1;
    return x->destination < y->destination ? -1 : x->destination > y->destination;
}

/* -- the plan -------------------------------------------------------------------------------------------------- */

typedef void each_resource(struct draft *draft, struct resource *resource, int64_t price_micro);

static void for_each_resource(struct draft *draft, each_resource *call)
{
    for (unsigned g = 0; g < draft->plan->group_count; g++) {
        struct planner_group *group = &draft->plan->groups[g];

        for (unsigned day = 0; day < draft->days; day++)
            call(draft, &group->days[day], group->shadow_micro);
        for (unsigned month = 0; month < MONTHS; month++)
            call(draft, &group->months[month], 0);
        for (uint8_t b = 0; b < group->bundle_count; b++)
            for (uint8_t p = 0; p <= group->bundles[b].period_count; p++)
                call(draft, &group->bundles[b].periods[p], group->bundle_shadow_micro[b]);
    }
}

static bool is_scarce(const struct resource *resource)
{
    return (double)resource->left < resource->wanted;
}

static void count_scarce(struct draft *draft, struct resource *resource, int64_t price_micro)
{
    (void)price_micro;
    draft->resource_count += is_scarce(resource);
}

static void add_scarce(struct draft *draft, struct resource *resource, int64_t price_micro)
{
    int64_t left = resource->left < SHADOW_PARTS_MAX ? resource->left : SHADOW_PARTS_MAX;

    resource->number = is_scarce(resource) ? shadow_add_resource(draft->plan->shadow, left, price_micro) : NO_RESOURCE;
}

static void add_option(struct draft *draft, const struct line *line, int64_t micro, const struct resource *day, const struct resource *month,
                       const struct resource *bundle)
{
    const struct resource *resources[] = { day, month, bundle };
    int uses[SHADOW_USES_MAX];
    size_t count = 0;

    if (is_too_dear(draft->chooser->destinations[line->destination], micro))
        return;
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++)
        if (resources[i] != NULL && resources[i]->number >= 0)
            uses[count++] = resources[i]->number;
    if (shadow_add_option(draft->plan->shadow, micro, uses, count) >= 0) {
        draft->option_count++;
        draft->plan->dearest_micro = latest(draft->plan->dearest_micro, micro);
    }
}

static void add_options(struct draft *draft, struct line *line, unsigned day)
{
    for (unsigned g = 0; g < draft->plan->group_count; g++) {
        struct planner_group *group = &draft->plan->groups[g];
        struct way way = way_of(draft, line, group);
        struct resource *month = &group->months[group->month_of[day]];
        struct group_bundle *bundle;

        if (!way.may || rank_in(draft, line, group) != line->rank)
            continue;
        if (way.price->row != NULL)
            add_option(draft, line, way.price->first_micro, &group->days[day], month, NULL);
        bundle = bundle_on(group, way.price, day);
        if (bundle != NULL)
            add_option(draft, line, 0, &group->days[day], month, &bundle->periods[bundle->period_of[day]]);
    }
}

static void add_demand(struct draft *draft, struct line *line, unsigned day)
{
    if (line->parts[day] > 0) {
        (void)shadow_add_demand(draft->plan->shadow, line->parts[day]);
        add_options(draft, line, day);
    }
    if (line->crossing[day] > 0) {
        (void)shadow_add_demand(draft->plan->shadow, line->crossing[day]);
        add_options(draft, line, day);
        if (day + 1 < draft->days)
            add_options(draft, line, day + 1);
    }
}

/* Lines and days that there is room for. */
static void bound(struct draft *draft)
{
    for (unsigned i = 0; i < draft->line_count; i++)
        for (unsigned day = 0; day < draft->days; day++)
            draft->lines[i].all += draft->lines[i].parts[day] + draft->lines[i].crossing[day];
    qsort(draft->lines, draft->line_count, sizeof *draft->lines, by_size);
    for (unsigned i = 0; i < draft->line_count; i++) {
        size_t before = draft->option_count;

        for_each_way(draft, &draft->lines[i], count_options);
        if (draft->option_count > PLANNER_OPTIONS_MAX || draft->lines[i].all <= 0) {
            draft->option_count = before;
            draft->line_count = i;
        }
    }
}

static int make(struct draft *draft)
{
    struct planner_plan *plan = draft->plan;
    int r;

    bound(draft);
    for (unsigned i = 0; i < draft->line_count; i++)
        for_each_way(draft, &draft->lines[i], want);
    for_each_resource(draft, count_scarce);
    if (draft->resource_count == 0)
        return -ENOENT;
    r = shadow_new(draft->resource_count, (size_t)draft->line_count * draft->days * 2, draft->option_count, &plan->shadow);
    if (r < 0)
        return r;
    for_each_resource(draft, add_scarce);
    draft->option_count = 0;
    plan->dearest_micro = 0;
    for (unsigned i = 0; i < draft->line_count; i++)
        for (unsigned day = 0; day < draft->days; day++)
            add_demand(draft, &draft->lines[i], day);
    plan->sweeps_at_once = 1 + (unsigned)(WORK_AT_ONCE / (draft->option_count + 1));
    return 0;
}

int planner_plan_begin(struct planner *planner, struct chooser *chooser, const struct queue *queue, struct limit_now now)
{
    struct draft draft = { .chooser = chooser, .plan = &planner->plan, .zone = planner_zone(chooser), .now = now };
    int r = -ENOMEM;

    /* One bearer alone leaves no choice, and without tariffs all cost the same. */
    if (chooser->routing == NULL || chooser->routing->tariffs == NULL || chooser->destinations == NULL || chooser->atlas.set == NULL)
        return -ENOENT;
    planner_plan_done(&planner->plan);
    planner_resolve(planner, chooser, now);
    planner->plan.generation = chooser->generation;
    draft.today = zone_period(draft.zone, ZONE_DAY, 0, now.wall_ms);
    draft.days = days_ahead(&draft);
    for (unsigned day = 0; day < draft.days; day++)
        draft.noon_ms[day] = zone_moment_ms(draft.zone, draft.today.label + (int32_t)day, 720);
    planner->plan.groups = calloc(PLANNER_GROUPS_MAX, sizeof *planner->plan.groups);
    draft.lines = calloc(PLANNER_LINES_MAX, sizeof *draft.lines);
    draft.line_of = malloc(CHOOSER_DESTINATIONS_MAX * sizeof *draft.line_of);
    if (planner->plan.groups == NULL || draft.lines == NULL || draft.line_of == NULL)
        goto out;
    memset(draft.line_of, 0xFF, CHOOSER_DESTINATIONS_MAX * sizeof *draft.line_of);
    expect(&draft, planner, queue);
    gather(&draft);
    r = planner->plan.group_count < 2 ? -ENOENT : make(&draft);
out:
    free(draft.lines);
    free(draft.line_of);
    if (r < 0)
        planner_plan_done(&planner->plan);
    return r;
}

/* -- its prices ------------------------------------------------------------------------------------------------ */

static int64_t price_of(const struct planner_plan *plan, const struct resource *resource)
{
    return resource->number >= 0 ? shadow_price_micro(plan->shadow, resource->number) : 0;
}

static void put_in_force(struct planner_plan *plan, struct chooser *chooser)
{
    bool any = false;

    for (uint32_t i = 0; i < chooser->bearer_count; i++) {
        struct chooser_bearer *bearer = &chooser->bearers[i];
        const struct planner_group *group = plan->group_of[i] != NO_GROUP ? &plan->groups[plan->group_of[i]] : NULL;

        bearer->given = 0;
        bearer->share_micro = 0;
        if (group == NULL || !bearer->open || bearer->turn != plan->turn_of[i]) {
            chooser_shadows_clear(bearer);
            continue;
        }
        bearer->shadow_micro = price_of(plan, &group->days[0]) + price_of(plan, &group->months[0]);
        bearer->tomorrow_micro = price_of(plan, &group->days[1]) + price_of(plan, &group->months[group->month_of[1]]);
        any = any || bearer->shadow_micro > 0 || bearer->tomorrow_micro > 0;
        for (uint8_t b = 0; b < group->bundle_count; b++) {
            const struct group_bundle *bundle = &group->bundles[b];
            uint8_t tomorrow = bundle->period_of[1];

            bearer->bundle_shadow_micro[b] = price_of(plan, &bundle->periods[0]);
            bearer->bundle_tomorrow[b] = tomorrow == 0 ? BUNDLE_GOES_ON : tomorrow == UINT8_MAX ? BUNDLE_OVER : BUNDLE_ANEW;
            bearer->bundle_tomorrow_micro[b] = tomorrow != UINT8_MAX ? price_of(plan, &bundle->periods[tomorrow]) : 0;
            any = any || bearer->bundle_shadow_micro[b] > 0 || bearer->bundle_tomorrow_micro[b] > 0;
        }
    }
    chooser->priced = any;
    chooser->slack_micro = any ? plan->dearest_micro / SLACK : 0;
    chooser->epoch++;
}

bool planner_plan_go_on(struct planner *planner, struct chooser *chooser)
{
    struct planner_plan *plan = &planner->plan;

    if (plan->generation != chooser->generation) {   /* what it is about is gone: the next one is soon */
        planner_plan_done(plan);
        return false;
    }
    for (unsigned i = 0; i < plan->sweeps_at_once; i++)
        if (!shadow_sweep(plan->shadow)) {
            put_in_force(plan, chooser);
            planner_plan_done(plan);
            return true;
        }
    return false;
}
