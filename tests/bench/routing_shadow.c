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
#define SEGMENTS_MAX 64
#define LATER_HOURS 4                    /* of a day after today in one segment */
#define SPARE 0.95                       /* of a SIM's time: parts of messages do not fill it to the end */

enum { WORKING, SATURDAY, SUNDAY };

struct segment { uint32_t from_s, until_s; };

struct policy {
    const struct week_world *world;
    struct forecast forecasts[WEEK_CLASSES];
    struct dispatch dispatch;
    struct shadow *shadow;
    bool priced;
    uint32_t planned_s, counted_day;
    int64_t day_price[WEEK_SIMS][7], bundle_price[WEEK_BUNDLES_MAX][WEEK_PERIODS_MAX], hour_price[WEEK_SIMS][7 * 24];
};

static unsigned kind_of(uint32_t day) { return day < 5 ? WORKING : day == 5 ? SATURDAY : SUNDAY; }

static void learn(struct policy *policy, const struct week *week)
{
    size_t next = 0;

    for (uint32_t day = 0; day < 7; day++) {
        for (; next < week->count && week->messages[next].at_s < (day + 1) * DAY_S; next++)
            forecast_count(&policy->forecasts[week->messages[next].class], week->messages[next].at_s % DAY_S / 3600, week->messages[next].parts);
        for (unsigned class = 0; class < WEEK_CLASSES; class++)
            forecast_end_day(&policy->forecasts[class], kind_of(day));
    }
}

static void *begin(const struct week_world *world, const struct week *past, unsigned past_count)
{
    struct policy *policy = calloc(1, sizeof *policy);

    HARNESS_CHECK(policy != NULL);
    policy->world = world;
    HARNESS_CHECK(shadow_new(4096, SEGMENTS_MAX * WEEK_CLASSES, SEGMENTS_MAX * WEEK_CLASSES * WEEK_SIMS * 2, &policy->shadow) == 0);
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

/* The rest of this hour, the other hours of today, and blocks of later days. */
static unsigned make_segments(uint32_t now_s, struct segment *ret_segments)
{
    unsigned count = 0;

    for (uint32_t from_s = now_s; from_s < WEEK_S; count++) {
        uint32_t step_s = from_s / DAY_S == now_s / DAY_S ? 3600 : LATER_HOURS * 3600;
        uint32_t until_s = (from_s / step_s + 1) * step_s;

        HARNESS_CHECK(count < SEGMENTS_MAX);
        ret_segments[count] = (struct segment){ from_s, until_s };
        from_s = until_s;
    }
    return count;
}

static double expected(const struct policy *policy, unsigned class, const struct segment *segment, uint32_t now_s)
{
    const struct forecast *forecast = &policy->forecasts[class];
    uint32_t day = segment->from_s / DAY_S;
    double parts = 0;

    for (uint32_t from_s = segment->from_s; from_s < segment->until_s;) {
        uint32_t until_s = (from_s / 3600 + 1) * 3600;

        parts += forecast_parts(forecast, kind_of(day), from_s % DAY_S / 3600) * (until_s - from_s) / 3600;
        from_s = until_s;
    }
    return day == now_s / DAY_S ? parts * forecast_factor(forecast, kind_of(day), now_s % DAY_S / 3600) : parts;
}

static void make_prices(struct policy *policy, const struct week_state *state, uint32_t now_s)
{
    static int day_limit[WEEK_SIMS][7], bundle[WEEK_BUNDLES_MAX][WEEK_PERIODS_MAX], time[WEEK_SIMS][SEGMENTS_MAX];
    const struct week_world *world = policy->world;
    struct segment segments[SEGMENTS_MAX];
    unsigned count = make_segments(now_s, segments);
    struct shadow *shadow = policy->shadow;
    uint32_t today = now_s / DAY_S;

    shadow_clear(shadow);
    for (unsigned s = 0; s < WEEK_SIMS; s++) {
        for (uint32_t day = today; day < 7; day++)
            day_limit[s][day] = shadow_add_resource(shadow, day == today ? world->sims[s].day_limit - state->used_today[s] : world->sims[s].day_limit,
                                                    policy->day_price[s][day]);
        for (unsigned i = 0; i < count; i++)
            time[s][i] = shadow_add_resource(shadow, (int64_t)((segments[i].until_s - segments[i].from_s) * 1000.0 * SPARE / world->sims[s].part_ms),
                                             policy->hour_price[s][segments[i].from_s / 3600]);
    }
    for (unsigned b = 0; b < world->bundle_count; b++)
        for (unsigned p = 0; p < world->bundles[b].period_count; p++)
            bundle[b][p] = shadow_add_resource(shadow, p == week_period_of(&world->bundles[b], now_s) ? state->left[b] : world->bundles[b].periods[p].parts,
                                               policy->bundle_price[b][p]);
    for (unsigned i = 0; i < count; i++)
        for (unsigned c = 0; c < WEEK_CLASSES; c++) {
            double parts = expected(policy, c, &segments[i], now_s) + (i == 0 ? policy->dispatch.waiting_parts[c] : 0);

            HARNESS_CHECK(shadow_add_demand(shadow, parts) >= 0);
            for (unsigned s = 0; s < WEEK_SIMS; s++) {
                uint32_t b = world->sims[s].bundle_of[c], p = b == WEEK_NO_BUNDLE ? UINT32_MAX : week_period_of(&world->bundles[b], segments[i].from_s);
                int uses[3] = { day_limit[s][segments[i].from_s / DAY_S], time[s][i] };

                HARNESS_CHECK(shadow_add_option(shadow, world->sims[s].price_micro[c], uses, 2) >= 0);
                if (p == UINT32_MAX)
                    continue;
                uses[2] = bundle[b][p];
                HARNESS_CHECK(shadow_add_option(shadow, 0, uses, 3) >= 0);
            }
        }
    while (shadow_sweep(shadow))
        ;
    if (getenv("COST_DEBUG") && now_s % 3600 == 0)
        fprintf(stderr, "%u h: %u sweeps\n", now_s / 3600, shadow_sweeps(shadow));
    for (unsigned s = 0; s < WEEK_SIMS; s++) {
        for (uint32_t day = today; day < 7; day++)
            policy->day_price[s][day] = shadow_price_micro(shadow, day_limit[s][day]);
        for (unsigned i = 0; i < count; i++)
            for (uint32_t hour = segments[i].from_s / 3600; hour < segments[i].until_s / 3600 || hour == segments[i].from_s / 3600; hour++)
                policy->hour_price[s][hour] = shadow_price_micro(shadow, time[s][i]);
    }
    for (unsigned b = 0; b < world->bundle_count; b++)
        for (unsigned p = 0; p < world->bundles[b].period_count; p++)
            policy->bundle_price[b][p] = shadow_price_micro(shadow, bundle[b][p]);
}

/* -- the choice ----------------------------------------------------------------------------------------------------- */

static void accepted(void *self, const struct week_state *state, const struct week_message *message)
{
    struct policy *policy = self;
    uint32_t day = message->at_s / DAY_S;

    (void)state;
    if (day != policy->counted_day) {
        for (unsigned class = 0; class < WEEK_CLASSES; class++)
            forecast_end_day(&policy->forecasts[class], kind_of(policy->counted_day));
        policy->counted_day = day;
    }
    forecast_count(&policy->forecasts[message->class], message->at_s % DAY_S / 3600, message->parts);
    dispatch_accepted(&policy->dispatch, message);
}

static bool choose(void *self, const struct week_state *state, struct week_choice *ret_choice)
{
    struct policy *policy = self;
    uint32_t now_s = (uint32_t)(state->now_ms / 1000), day = now_s / DAY_S;
    dispatch_costs costs;

    if (policy->priced && (policy->planned_s == UINT32_MAX || now_s / PLAN_S != policy->planned_s / PLAN_S)) {
        make_prices(policy, state, now_s);
        policy->planned_s = now_s;
        policy->dispatch.stale = true;
    }
    for (unsigned c = 0; c < WEEK_CLASSES; c++)
        for (unsigned s = 0; s < WEEK_SIMS; s++) {
            uint32_t b = policy->world->sims[s].bundle_of[c];
            int64_t micro = policy->world->sims[s].price_micro[c];

            if (b != WEEK_NO_BUNDLE && state->left[b] > 0)
                micro = policy->bundle_price[b][week_period_of(&policy->world->bundles[b], now_s)];
            costs[c][s] = state->used_today[s] >= policy->world->sims[s].day_limit ? INT64_MAX : micro + policy->day_price[s][day];
        }
    return dispatch_choose(&policy->dispatch, state, (const int64_t (*)[WEEK_SIMS])costs, ret_choice);
}

const struct week_policy week_cheapest = { "cheapest", begin, accepted, choose, end };
const struct week_policy week_shadow = { "shadow", begin_priced, accepted, choose, end };
