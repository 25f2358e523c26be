/* SPDX-License-Identifier: Apache-2.0
 *
 * The policy that is measured: prices of src/routing/shadow.h, made anew every quarter of an hour from what is left and from what
 * the weeks before say will come, and the cheapest SIM that can take a message in time by price and shadow prices. */
#include "src/routing/forecast.h"
#include "src/routing/shadow.h"
#include "tests/bench/routing_dispatch.h"
#include "tests/system/harness.h"

#include <stdlib.h>
#include <string.h>

#define PLAN_S 900u
#define CROSSING_S 900u                 /* a message that may wait so long after midnight may also go then */
#define RESOURCES (7 * WEEK_SIMS + WEEK_BUNDLES_MAX * WEEK_PERIODS_MAX)
#define SPARE 0.95                       /* of a SIM's time: parts of messages do not fill it to the end */

enum { WORKING, SATURDAY, SUNDAY };
enum { STAYS, CROSSES, PATIENCES };      /* goes on its day; may also go on the next one */

struct policy {
    const struct week_world *world;
    struct forecast forecasts[WEEK_CLASSES][PATIENCES];
    struct dispatch dispatch;
    struct shadow *shadow;
    bool priced;
    uint32_t planned_s, counted_day;
    int64_t day_price[WEEK_SIMS][7], bundle_price[WEEK_BUNDLES_MAX][WEEK_PERIODS_MAX];
};

static unsigned kind_of(uint32_t day) { return day < 5 ? WORKING : day == 5 ? SATURDAY : SUNDAY; }

static unsigned patience_of(const struct week_message *message)
{
    return message->deadline_s >= (message->at_s / DAY_S + 1) * DAY_S + CROSSING_S ? CROSSES : STAYS;
}

static void count(struct policy *policy, const struct week_message *message)
{
    forecast_count(&policy->forecasts[message->class][patience_of(message)], message->at_s % DAY_S / 3600, message->parts);
}

static void end_day(struct policy *policy, uint32_t day)
{
    for (unsigned class = 0; class < WEEK_CLASSES; class++)
        for (unsigned patience = 0; patience < PATIENCES; patience++)
            forecast_end_day(&policy->forecasts[class][patience], kind_of(day));
}

static void learn(struct policy *policy, const struct week *week)
{
    size_t next = 0;

    for (uint32_t day = 0; day < 7; day++) {
        for (; next < week->count && week->messages[next].at_s < (day + 1) * DAY_S; next++)
            count(policy, &week->messages[next]);
        end_day(policy, day);
    }
}

static void *begin(const struct week_world *world, const struct week *past, unsigned past_count)
{
    struct policy *policy = calloc(1, sizeof *policy);

    HARNESS_CHECK(policy != NULL);
    policy->world = world;
    HARNESS_CHECK(shadow_new(RESOURCES, 7 * PATIENCES * WEEK_CLASSES, 7 * 3 * WEEK_CLASSES * WEEK_SIMS * 2, &policy->shadow) == 0);
    policy->dispatch.stale = true;
    policy->planned_s = UINT32_MAX;
    for (unsigned i = 0; i < past_count; i++)
        learn(policy, &past[i]);
    return policy;
}

static void *begin_priced(const struct week_world *world, const struct week *past, unsigned past_count)
{
    struct policy *policy = begin(world, past, past_count);

    policy->priced = true;
    return policy;
}

static void end(void *self)
{
    struct policy *policy = self;

    shadow_free(policy->shadow);
    free(policy);
}

/* -- the plan ------------------------------------------------------------------------------------------------------- */

/* What a day still brings of it, and of today what waits already. */
static double expected(const struct policy *policy, unsigned class, unsigned patience, uint32_t day, uint32_t now_s)
{
    const struct forecast *forecast = &policy->forecasts[class][patience];
    uint32_t hour_now = now_s % DAY_S / 3600;
    double parts = 0;

    for (unsigned hour = day == now_s / DAY_S ? hour_now : 0; hour < 24; hour++)
        parts += forecast_parts(forecast, kind_of(day), hour);
    if (day != now_s / DAY_S)
        return parts;
    parts -= forecast_parts(forecast, kind_of(day), hour_now) * (now_s % 3600) / 3600;
    parts *= forecast_factor(forecast, kind_of(day), hour_now);
    for (uint32_t bin = 0; bin < DISPATCH_BINS; bin++)
        if ((bin * DISPATCH_BIN_S >= (day + 1) * DAY_S + CROSSING_S) == (patience == CROSSES))
            parts += policy->dispatch.waiting[class][bin];
    return parts;
}

static int64_t day_left(const struct policy *policy, const struct week_state *state, unsigned sim, uint32_t day, uint32_t now_s)
{
    const struct week_sim *of = &policy->world->sims[sim];
    bool today = day == now_s / DAY_S;
    int64_t limit = today ? of->day_limit - state->used_today[sim] : of->day_limit;
    int64_t time = (int64_t)((today ? DAY_S - now_s % DAY_S : DAY_S) * 1000.0 * SPARE / of->part_ms);

    return limit < time ? limit : time;
}

struct numbers { int day[WEEK_SIMS][7], bundle[WEEK_BUNDLES_MAX][WEEK_PERIODS_MAX]; };

static void add_options(struct policy *policy, const struct numbers *numbers, unsigned class, uint32_t day)
{
    for (unsigned s = 0; s < WEEK_SIMS && day < 7; s++) {
        const struct week_sim *sim = &policy->world->sims[s];
        uint32_t b = sim->bundle_of[class], period = b == WEEK_NO_BUNDLE ? UINT32_MAX : week_period_of(&policy->world->bundles[b], day * DAY_S);
        int uses[2] = { numbers->day[s][day] };

        HARNESS_CHECK(shadow_add_option(policy->shadow, sim->price_micro[class], uses, 1) >= 0);
        if (period == UINT32_MAX)
            continue;
        uses[1] = numbers->bundle[b][period];
        HARNESS_CHECK(shadow_add_option(policy->shadow, 0, uses, 2) >= 0);
    }
}

static void make_prices(struct policy *policy, const struct week_state *state, uint32_t now_s)
{
    const struct week_world *world = policy->world;
    struct shadow *shadow = policy->shadow;
    uint32_t today = now_s / DAY_S;
    static struct numbers numbers;

    shadow_clear(shadow);
    for (unsigned s = 0; s < WEEK_SIMS; s++)
        for (uint32_t day = today; day < 7; day++)
            numbers.day[s][day] = shadow_add_resource(shadow, day_left(policy, state, s, day, now_s), policy->day_price[s][day]);
    for (unsigned b = 0; b < world->bundle_count; b++)
        for (unsigned p = 0; p < world->bundles[b].period_count; p++)
            numbers.bundle[b][p] = shadow_add_resource(shadow, p == week_period_of(&world->bundles[b], now_s) ? state->left[b] : world->bundles[b].periods[p].parts,
                                                       policy->bundle_price[b][p]);
    for (uint32_t day = today; day < 7; day++)
        for (unsigned class = 0; class < WEEK_CLASSES; class++)
            for (unsigned patience = 0; patience < PATIENCES; patience++) {
                HARNESS_CHECK(shadow_add_demand(shadow, expected(policy, class, patience, day, now_s)) >= 0);
                add_options(policy, &numbers, class, day);
                if (patience == CROSSES)
                    add_options(policy, &numbers, class, day + 1);
            }
    while (shadow_sweep(shadow))
        ;
    for (unsigned s = 0; s < WEEK_SIMS; s++)
        for (uint32_t day = today; day < 7; day++)
            policy->day_price[s][day] = shadow_price_micro(shadow, numbers.day[s][day]);
    for (unsigned b = 0; b < world->bundle_count; b++)
        for (unsigned p = 0; p < world->bundles[b].period_count; p++)
            policy->bundle_price[b][p] = shadow_price_micro(shadow, numbers.bundle[b][p]);
}

/* -- the choice ----------------------------------------------------------------------------------------------------- */

static void accepted(void *self, const struct week_state *state, const struct week_message *message)
{
    struct policy *policy = self;
    uint32_t day = message->at_s / DAY_S;

    (void)state;
    if (day != policy->counted_day) {
        end_day(policy, policy->counted_day);
        policy->counted_day = day;
    }
    count(policy, message);
    dispatch_accepted(&policy->dispatch, message);
}

/* A part of the class by the SIM now, or tomorrow. The plan may pay for a cheap class and keep the bundle for a dear one, which a
 * network does not let one do: so that such a SIM is used as planned, the class costs no more than its price. */
static int64_t cost_of(const struct policy *policy, const struct week_state *state, unsigned class, unsigned sim, bool tomorrow)
{
    const struct week_sim *of = &policy->world->sims[sim];
    uint32_t now_s = (uint32_t)(state->now_ms / 1000), day = now_s / DAY_S + tomorrow, b = of->bundle_of[class];
    int64_t micro = of->price_micro[class];

    if (day == 7 || (!tomorrow && state->used_today[sim] >= of->day_limit))
        return INT64_MAX;
    if (b != WEEK_NO_BUNDLE) {
        const struct week_bundle *bundle = &policy->world->bundles[b];
        uint32_t period = week_period_of(bundle, tomorrow ? day * DAY_S : now_s);

        if (period != UINT32_MAX && (period == week_period_of(bundle, now_s) ? state->left[b] : bundle->periods[period].parts) > 0)
            micro = policy->bundle_price[b][period] < micro ? policy->bundle_price[b][period] : micro;
    }
    return micro + policy->day_price[sim][day];
}

static bool choose(void *self, const struct week_state *state, struct week_choice *ret_choice)
{
    struct policy *policy = self;
    uint32_t now_s = (uint32_t)(state->now_ms / 1000);
    dispatch_costs costs;

    if (policy->priced && (policy->planned_s == UINT32_MAX || now_s / PLAN_S != policy->planned_s / PLAN_S)) {
        make_prices(policy, state, now_s);
        policy->planned_s = now_s;
        policy->dispatch.stale = true;
    }
    for (unsigned c = 0; c < WEEK_CLASSES; c++)
        for (unsigned s = 0; s < WEEK_SIMS; s++) {
            costs[c][s] = cost_of(policy, state, c, s, false);
            costs[c][WEEK_SIMS + s] = cost_of(policy, state, c, s, true);
        }
    return dispatch_choose(&policy->dispatch, state, costs, ret_choice);
}

const struct week_policy week_cheapest = { "cheapest", begin, accepted, choose, end };
const struct week_policy week_shadow = { "shadow", begin_priced, accepted, choose, end };
