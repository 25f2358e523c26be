/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_routing_cost - what a week of messages costs by the chosen SIMs, against the least it could have cost.
 *
 * A week's traffic, prices, limits and bundles come from a seed; the same week goes by each policy in virtual time, and into a
 * linear program that knows it from its end (routing_bound.c says what it leaves out). Policies may learn from weeks before. */
#include "tests/bench/figures.h"
#include "tests/bench/routing_week.h"
#include "tests/system/harness.h"

#include <stdio.h>

#define SEEDS_MAX 64
#define PAST_MAX 16

static const struct week_policy *const policies[] = { &week_chooser, &week_untaught, &week_preferred, &week_round_robin, &week_random };
#define POLICIES (sizeof policies / sizeof policies[0])

static unsigned messages_a_day = 50000, seeds = 3, first_seed = 1, past_weeks = 4, parts_a_minute = 10;
static unsigned bucket_minutes = 15, slack_s = 60, scenarios = 3, optimum = 1;

static json_t *round_to(double value, double unit) { return json_real((double)(int64_t)(value / unit + 0.5) * unit); }

static json_t *measure_week(const struct week_scenario *scenario, uint64_t seed, double ratios[POLICIES])
{
    json_t *figures = json_object(), *each;
    struct week past[PAST_MAX], week;
    struct week_bound bound = { 0 };
    struct week_world world;

    week_world_make(&world, scenario, seed);
    week_make(&week, scenario, seed);
    for (unsigned i = 0; i < past_weeks; i++)
        week_make(&past[i], scenario, 1000000 + seed * PAST_MAX + i);
    json_object_set_new(figures, "seed", json_integer((json_int_t)seed));
    json_object_set_new(figures, "messages", json_integer((json_int_t)week.count));
    json_object_set_new(figures, "parts", json_integer((json_int_t)week.parts));
    if (optimum != 0 && week_bound(&world, &week, bucket_minutes * 60, slack_s, &bound) != 0)
        (void)fprintf(stderr, "no solver is installed, so there is no optimum to compare with: apt-get install coinor-cbc\n");
    if (bound.solver != NULL)
        json_object_set_new(figures, "optimum", json_pack("{s:o, s:s, s:I, s:I, s:o}", "euros", round_to(bound.euros, 0.01), "solver", bound.solver, "rows",
                            (json_int_t)bound.rows, "columns", (json_int_t)bound.columns, "runtime_ms", round_to(bound.runtime_ms, 1)));
    each = json_object();
    for (size_t i = 0; i < POLICIES; i++) {
        struct week_result result = week_run(&world, &week, past, past_weeks, policies[i]);
        double euros = (double)result.paid_micro / 1e6;

        ratios[i] = bound.solver != NULL && bound.euros > 0 ? euros / bound.euros : 0;
        json_object_set_new(each, policies[i]->name,
            json_pack("{s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "euros", round_to(euros, 0.01), "ratio", round_to(ratios[i], 1e-5),
                      "bound_holds", result.late_max_s <= slack_s && result.unsent == 0, "late",
                      (json_int_t)result.late, "late_max_s", (json_int_t)result.late_max_s, "wait_max_s", (json_int_t)result.wait_max_s, "unsent",
                      (json_int_t)result.unsent, "violations", (json_int_t)result.violations, "runtime_ms", round_to(result.runtime_ms, 1)));
    }
    json_object_set_new(figures, "policies", each);
    for (unsigned i = 0; i < past_weeks; i++)
        week_done(&past[i]);
    week_done(&week);
    return figures;
}

static json_t *measure_scenario(const struct week_scenario *scenario, double goal)
{
    static double ratios[POLICIES][SEEDS_MAX];
    json_t *weeks = json_array(), *medians = json_object();

    for (unsigned i = 0; i < seeds; i++) {
        double of_week[POLICIES];

        (void)fprintf(stderr, "%s: seed %u\n", scenario->name, first_seed + i);
        json_array_append_new(weeks, measure_week(scenario, first_seed + i, of_week));
        for (size_t p = 0; p < POLICIES; p++)
            ratios[p][i] = of_week[p];
    }
    for (size_t p = 0; p < POLICIES; p++)
        json_object_set_new(medians, policies[p]->name, round_to(figures_quantile(ratios[p], seeds, 0.5), 1e-5));
    return json_pack("{s:s, s:f, s:o, s:o}", "scenario", scenario->name, "goal_ratio", goal, "ratio_medians", medians, "weeks", weeks);
}

int main(int argc, char **argv)
{
    const struct figures_option options[] = {
        { "messages", &messages_a_day, "a day" },
        { "seeds", &seeds, "weeks to judge in each scenario" },
        { "first-seed", &first_seed, "of these" },
        { "past-weeks", &past_weeks, "that may be learnt from, up to 16" },
        { "parts-a-minute", &parts_a_minute, "a SIM sends where that is scarce" },
        { "bucket-minutes", &bucket_minutes, "of the optimum: 15, 30, 60, 120, ..." },
        { "slack", &slack_s, "seconds that messages may be late in the optimum" },
        { "scenarios", &scenarios, "1: scarce, 2: ample, 3: both" },
        { "optimum", &optimum, "0: policies alone" },
        { NULL, NULL, NULL },
    };
    struct week_scenario scarce = { "scarce", true, 0, 0 }, ample = { "ample", false, 0, 600 };
    json_t *figures;

    figures_options(argc, argv, "Measures what a week of messages costs by the chosen SIMs, against the least it could have cost.", options);
    if (messages_a_day < 500 || messages_a_day > 400000 || seeds == 0 || seeds > SEEDS_MAX || past_weeks > PAST_MAX || parts_a_minute == 0 ||
        parts_a_minute > 600 || bucket_minutes < 15 || 1440 % bucket_minutes != 0) {
        (void)fprintf(stderr, "--messages is 500 to 400000, --seeds 1 to %d, --past-weeks up to %d, --parts-a-minute 1 to 600, and "
                              "--bucket-minutes 15 or more and a part of a day\n", SEEDS_MAX, PAST_MAX);
        return 2;
    }
    scarce.messages_a_day = ample.messages_a_day = messages_a_day;
    scarce.parts_a_minute = parts_a_minute;
    figures = json_array();
    if ((scenarios & 1) != 0)
        json_array_append_new(figures, measure_scenario(&scarce, 1.02));
    if ((scenarios & 2) != 0)
        json_array_append_new(figures, measure_scenario(&ample, 1.001));
    figures_print("routing_cost", json_pack("{s:o}", "scenarios", figures));
    return 0;
}
