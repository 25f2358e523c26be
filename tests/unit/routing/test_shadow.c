/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/routing/shadow.h"

static void solve(struct shadow *shadow)
{
    while (shadow_sweep(shadow))
        assert_true(shadow_sweeps(shadow) <= SHADOW_SWEEPS_MAX);
}

static void assert_about(int64_t value, int64_t expected, int64_t tolerance)
{
    if (value < expected - tolerance || value > expected + tolerance)
        fail_msg("%lld is not about %lld", (long long)value, (long long)expected);
}

/* Two SIMs, 40,000 and 100,000 a part; the cheap one has a bundle for two destinations. Without it, one of them saves 10,000
 * by another SIM and the other nothing. */
struct simple { struct shadow *shadow; int bundle, first[2], second[2]; };

static void make_simple(struct simple *simple, int64_t left, double first, double second)
{
    shadow_clear(simple->shadow);
    simple->bundle = shadow_add_resource(simple->shadow, left, 0);
    assert_int_equal(shadow_add_demand(simple->shadow, first), 0);
    simple->first[0] = shadow_add_option(simple->shadow, 0, &simple->bundle, 1);
    simple->first[1] = shadow_add_option(simple->shadow, 100000, NULL, 0);
    assert_int_equal(shadow_add_demand(simple->shadow, second), 1);
    simple->second[0] = shadow_add_option(simple->shadow, 0, &simple->bundle, 1);
    simple->second[1] = shadow_add_option(simple->shadow, 40000, NULL, 0);
}

static void a_bundle_is_worth_what_the_last_that_gets_it_saves(void **state)
{
    static const struct { int64_t left; double first, second; int64_t price; double share_first, share_second; } rows[] = {
        { 1000, 400, 500, 0, 1, 1 },            /* enough for all */
        { 1000, 400, 900, 40000, 1, 2.0 / 3 },  /* the second saves 40,000 and gets what the first leaves */
        { 1000, 1000, 900, 70000, 1, 0 },       /* anything between what the two save: no more than the first, no less than the second */
        { 1000, 2000, 900, 100000, 0.5, 0 },
        { 0, 400, 500, 100000, 0, 0 },
        { 1000, 0, 0, 0, -1, -1 },
    };
    struct simple simple;

    (void)state;
    assert_int_equal(shadow_new(1, 2, 4, &simple.shadow), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_simple(&simple, rows[i].left, rows[i].first, rows[i].second);
        solve(simple.shadow);
        if (rows[i].left == 0)
            assert_true(shadow_price_micro(simple.shadow, simple.bundle) >= rows[i].price);
        else
            assert_about(shadow_price_micro(simple.shadow, simple.bundle), rows[i].price, rows[i].price == 70000 ? 31000 : 600);
        if (rows[i].share_first >= 0) {
            assert_about((int64_t)(1000 * shadow_share(simple.shadow, simple.first[0])), (int64_t)(1000 * rows[i].share_first), 12);
            assert_about((int64_t)(1000 * shadow_share(simple.shadow, simple.second[0])), (int64_t)(1000 * rows[i].share_second), 12);
        }
        assert_true(shadow_used_parts(simple.shadow, simple.bundle) <= 1.01 * (double)rows[i].left + 0.1);
    }
    shadow_free(simple.shadow);
}

/* A SIM's day and a bundle on it: the bundle is of no use without the day. First 300 parts that the day saves 60,000 and the bundle
 * 20,000 more, then 300 that have the day alone. */
static void resources_that_are_used_together_share_the_saving(void **state)
{
    struct shadow *shadow;
    int uses[2];

    (void)state;
    assert_int_equal(shadow_new(2, 2, 5, &shadow), 0);
    uses[0] = shadow_add_resource(shadow, 400, 0);
    uses[1] = shadow_add_resource(shadow, 200, 0);
    (void)shadow_add_demand(shadow, 300);
    (void)shadow_add_option(shadow, 0, uses, 2);
    (void)shadow_add_option(shadow, 20000, uses, 1);
    (void)shadow_add_option(shadow, 80000, NULL, 0);
    (void)shadow_add_demand(shadow, 300);
    (void)shadow_add_option(shadow, 20000, uses, 1);
    (void)shadow_add_option(shadow, 50000, NULL, 0);
    solve(shadow);
    assert_about(shadow_price_micro(shadow, uses[0]), 30000, 600);   /* what the second saves by the day */
    assert_about(shadow_price_micro(shadow, uses[1]), 20000, 600);   /* what the bundle saves once the day is paid */
    shadow_free(shadow);
}

/* The best of all plans of a small case, by trying them, against what the shares cost. */
static void shares_cost_no_more_than_the_best_plan(void **state)
{
    static const int64_t price[3][3] = { { 10000, 30000, 90000 }, { 20000, 25000, 90000 }, { 40000, 70000, 95000 } };
    static const double parts[3] = { 60, 50, 70 }, left[3] = { 70, 40, 1000 };
    double least = 1e18, cost = 0;
    struct shadow *shadow;
    int options[3][3];

    (void)state;
    for (int a0 = 0; a0 <= 60; a0 += 10)
        for (int a1 = 0; a0 + a1 <= 60; a1 += 10)
            for (int b0 = 0; b0 <= 50; b0 += 10)
                for (int b1 = 0; b0 + b1 <= 50; b1 += 10)
                    for (int c0 = 0; c0 <= 70; c0 += 10)
                        for (int c1 = 0; c0 + c1 <= 70; c1 += 10) {
                            double sum = a0 * 1e4 + a1 * 3e4 + (60 - a0 - a1) * 9e4 + b0 * 2e4 + b1 * 2.5e4 + (50 - b0 - b1) * 9e4 + c0 * 4e4 +
                                         c1 * 7e4 + (70 - c0 - c1) * 9.5e4;

                            if (a0 + b0 + c0 <= 70 && a1 + b1 + c1 <= 40 && sum < least)
                                least = sum;
                        }
    assert_int_equal(shadow_new(3, 3, 9, &shadow), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(shadow_add_resource(shadow, (int64_t)left[i], 0), i);
    for (int d = 0; d < 3; d++) {
        (void)shadow_add_demand(shadow, parts[d]);
        for (int i = 0; i < 3; i++)
            options[d][i] = shadow_add_option(shadow, price[d][i], &i, 1);
    }
    solve(shadow);
    for (int d = 0; d < 3; d++)
        for (int i = 0; i < 3; i++)
            cost += parts[d] * shadow_share(shadow, options[d][i]) * (double)price[d][i];
    assert_true(cost <= least * 1.005);
    assert_true(cost >= least * 0.99);
    for (int i = 0; i < 3; i++)
        assert_true(shadow_used_parts(shadow, i) <= left[i] * 1.01);
    shadow_free(shadow);
}

static void a_plan_follows_what_is_left(void **state)
{
    static const struct { int64_t left, price; } rows[] = { { 2000, 0 }, { 600, 40000 }, { 200, 100000 }, { 900, 40000 }, { 5000, 0 } };
    struct simple simple;
    int64_t price = 0;

    (void)state;
    assert_int_equal(shadow_new(1, 2, 4, &simple.shadow), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        shadow_clear(simple.shadow);
        simple.bundle = shadow_add_resource(simple.shadow, rows[i].left, price);   /* begins where the last one ended */
        (void)shadow_add_demand(simple.shadow, 400);
        (void)shadow_add_option(simple.shadow, 0, &simple.bundle, 1);
        (void)shadow_add_option(simple.shadow, 100000, NULL, 0);
        (void)shadow_add_demand(simple.shadow, 900);
        (void)shadow_add_option(simple.shadow, 0, &simple.bundle, 1);
        (void)shadow_add_option(simple.shadow, 40000, NULL, 0);
        solve(simple.shadow);
        price = shadow_price_micro(simple.shadow, simple.bundle);
        assert_about(price, rows[i].price, 600);
    }
    shadow_free(simple.shadow);
}

static void what_does_not_suffice_ends_at_twice_the_dearest_price(void **state)
{
    struct shadow *shadow;
    int only;

    (void)state;
    assert_int_equal(shadow_new(1, 1, 1, &shadow), 0);
    only = shadow_add_resource(shadow, 10, SHADOW_PRICE_MICRO_MAX);
    (void)shadow_add_demand(shadow, 1000);
    (void)shadow_add_option(shadow, 50000, &only, 1);
    solve(shadow);
    assert_about(shadow_price_micro(shadow, only), 50000, 1000);   /* and 50,000 for the part itself */
    assert_about((int64_t)shadow_used_parts(shadow, only), 10, 1);
    shadow_free(shadow);
}

static void bounds_are_kept(void **state)
{
    struct shadow *shadow = NULL;
    int bad[] = { -1 }, beyond[] = { 1 }, good[SHADOW_USES_MAX + 1] = { 0 };

    (void)state;
    assert_int_equal(shadow_new(SHADOW_RESOURCES_MAX + 1, 1, 1, &shadow), -E2BIG);
    assert_int_equal(shadow_new(1, SHADOW_DEMANDS_MAX + 1, 1, &shadow), -E2BIG);
    assert_int_equal(shadow_new(1, 1, SHADOW_OPTIONS_MAX + 1, &shadow), -E2BIG);
    assert_null(shadow);
    assert_int_equal(shadow_new(1, 1, 1, &shadow), 0);
    assert_int_equal(shadow_add_resource(shadow, -1, 0), -ERANGE);
    assert_int_equal(shadow_add_resource(shadow, SHADOW_PARTS_MAX + 1, 0), -ERANGE);
    assert_int_equal(shadow_add_resource(shadow, 1, -1), -ERANGE);
    assert_int_equal(shadow_add_resource(shadow, SHADOW_PARTS_MAX, 0), 0);
    assert_int_equal(shadow_add_resource(shadow, 1, 0), -ENOSPC);
    assert_int_equal(shadow_add_demand(shadow, -1), -ERANGE);
    assert_int_equal(shadow_add_demand(shadow, 0.0 / 0.0), -ERANGE);
    assert_int_equal(shadow_add_demand(shadow, (double)SHADOW_PARTS_MAX), 0);
    assert_int_equal(shadow_add_demand(shadow, 1), -ENOSPC);
    assert_int_equal(shadow_add_option(shadow, -1, NULL, 0), -ERANGE);
    assert_int_equal(shadow_add_option(shadow, SHADOW_PRICE_MICRO_MAX + 1, NULL, 0), -ERANGE);
    assert_int_equal(shadow_add_option(shadow, 1, bad, 1), -ERANGE);
    assert_int_equal(shadow_add_option(shadow, 1, beyond, 1), -ERANGE);
    assert_int_equal(shadow_add_option(shadow, 1, good, SHADOW_USES_MAX + 1), -ERANGE);
    assert_int_equal(shadow_add_option(shadow, SHADOW_PRICE_MICRO_MAX, good, 1), 0);
    assert_int_equal(shadow_add_option(shadow, 1, good, 1), -ENOSPC);
    solve(shadow);
    assert_int_equal(shadow_price_micro(shadow, 0), 0);
    shadow_free(shadow);
    shadow_free(NULL);
}

static void an_empty_plan_and_one_of_free_options_are_solved(void **state)
{
    struct shadow *shadow;
    int day;

    (void)state;
    assert_int_equal(shadow_new(1, 1, 2, &shadow), 0);
    solve(shadow);
    shadow_clear(shadow);
    day = shadow_add_resource(shadow, 5, 0);
    (void)shadow_add_demand(shadow, 100);
    (void)shadow_add_option(shadow, 0, &day, 1);
    (void)shadow_add_option(shadow, 0, NULL, 0);
    solve(shadow);
    assert_int_equal(shadow_price_micro(shadow, day), 0);   /* nothing costs anything, so nothing saves anything */
    shadow_free(shadow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_is_worth_what_the_last_that_gets_it_saves),
        cmocka_unit_test(resources_that_are_used_together_share_the_saving),
        cmocka_unit_test(shares_cost_no_more_than_the_best_plan),
        cmocka_unit_test(a_plan_follows_what_is_left),
        cmocka_unit_test(what_does_not_suffice_ends_at_twice_the_dearest_price),
        cmocka_unit_test(bounds_are_kept),
        cmocka_unit_test(an_empty_plan_and_one_of_free_options_are_solved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
