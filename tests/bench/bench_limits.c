/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_limits - whether limits hold over days of restarts and wrong clocks, and what asking for them costs.
 *
 * The days are those of tests/unit/routing/limit_days.c. Checks are timed for many SIMs in turn, as a decision asks them:
 * free ones, blocked ones, and after a part was taken, when nothing is kept of the last answer. */
#include "src/routing/use.h"
#include "tests/system/harness.h"
#include "tests/unit/routing/limit_days.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SIMS 512
#define ROUNDS 4000
#define START_MS INT64_C(1790000000000)

static const struct limit_rules rules = {
    .per_minute = 1000, .per_hour = 10000, .per_day = 100000, .per_month = 1000000, .recipients_per_day = 10000, .recipients_per_month = 100000,
    .spend_per_day_micro = 1000000000, .hours = { { 0, 1440, 0x7F } }, .hours_count = 1, .roaming_refused = true,
};
static const struct limit_rules used_up = { .per_day = 1, .per_hour = 10 };

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct limit_now at(uint64_t mono_ms)
{
    return (struct limit_now){ mono_ms, START_MS + (int64_t)mono_ms };
}

/* taking: a part before each check, which is not timed alone but subtracted. */
static double check_ns(const struct limit_rules *of, bool taken_before, bool taking, unsigned rounds)
{
    static struct use *uses[SIMS];
    uint64_t begin_ns, taken_ns = 0, went = 0;

    for (unsigned i = 0; i < SIMS; i++) {
        HARNESS_CHECK(use_load(NULL, 1, of, at(1000), &uses[i]) == 0);
        if (taken_before)
            (void)use_take(uses[i], of, 1, 1, 0, at(1000), 0);
        (void)limit_check(of, uses[i], 7, 1, 49000, false, at(1000));
    }
    begin_ns = now_ns();
    for (unsigned round = 0; round < rounds; round++) {
        if (taking) {
            uint64_t before_ns = now_ns();

            for (unsigned i = 0; i < SIMS; i++)
                (void)use_take(uses[i], of, 1 + round % 50, 1, 49000, at(1001 + round * 10000), 0);
            taken_ns += now_ns() - before_ns;
        }
        for (unsigned i = 0; i < SIMS; i++)
            went += limit_check(of, uses[i], 7, 1, 49000, false, at(1001 + (taking ? round * 10000 : round))).kind == LIMIT_NONE;
    }
    begin_ns = now_ns() - begin_ns - taken_ns;
    HARNESS_CHECK(went == (of == &used_up ? 0 : (uint64_t)rounds * SIMS));
    for (unsigned i = 0; i < SIMS; i++)
        use_free(uses[i]);
    return (double)begin_ns / rounds / SIMS;
}

static void usage(FILE *to)
{
    (void)fputs("usage: bench_limits [--days N] [--seed N]\n", to);
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "days", required_argument, NULL, 'd' }, { "seed", required_argument, NULL, 's' },
                                             { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    uint64_t days = 10000, seed = 1;
    struct limit_days_result result;
    double free_ns, blocked_ns, anew_ns;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'd': days = strtoull(optarg, NULL, 10); break;
        case 's': seed = strtoull(optarg, NULL, 10); break;
        case 'h': usage(stdout); return 0;
        default: usage(stderr); return 2;
        }
    }
    result = limit_days_run(seed, days);
    free_ns = check_ns(&rules, false, false, ROUNDS);
    blocked_ns = check_ns(&used_up, true, false, ROUNDS);
    anew_ns = check_ns(&rules, false, true, 100);
    (void)printf("{\"days\": %" PRIu64 ", \"seed\": %" PRIu64 ", \"sims\": %" PRIu64 ", \"sends\": %" PRIu64 ", \"withdrawn\": %" PRIu64
                 ", \"refused\": %" PRIu64 ", \"restarts\": %" PRIu64 ", \"reboots\": %" PRIu64 ", \"jumps\": %" PRIu64 ", \"boots_behind\": %" PRIu64
                 ", \"exceeded\": %" PRIu64 ", \"idle\": %" PRIu64 ", \"waits_judged\": %" PRIu64 ", \"limits_reached\": %" PRIu64
                 ", \"text_bytes_max\": %" PRIu32 ", \"check_free_ns\": %.1f, \"check_blocked_ns\": %.1f, \"check_anew_ns\": %.1f}\n",
                 result.days, seed, result.sims, result.sends, result.withdrawn, result.refused, result.restarts, result.reboots, result.jumps,
                 result.boots_behind, result.exceeded, result.idle, result.waits_judged, result.limits_reached, result.text_bytes_max, free_ns,
                 blocked_ns, anew_ns);
    if (result.exceeded + result.idle > 0)
        (void)fprintf(stderr, "the first: %s\n", result.first);
    return result.exceeded + result.idle > 0;
}
