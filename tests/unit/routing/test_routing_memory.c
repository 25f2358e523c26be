/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <stdlib.h>
#include <cmocka.h>

#include "src/routing/override.h"
#include "src/routing/operator.h"
#include "src/routing/rates.h"
#include "src/routing/route.h"
#include "src/routing/shadow.h"
#include "src/routing/tariff.h"
#include "src/routing/use.h"
#include "tests/unit/faulty_memory.h"

#define FAR_AWAY 10000

static struct table_notes notes;

/* Enough rows that every array grows, texts that need a second block, both kinds of index. */
static const char *big_csv(size_t *ret_length)
{
    static char text[128 * 1024];
    size_t put = (size_t)snprintf(text, sizeof text, "kind,plan,currency,prefix,price,prefixes,name,parts,period,time_zone,note\n");

    for (unsigned i = 0; i < 400; i++)
        put += (size_t)snprintf(text + put, sizeof text - put, "price,p%u,EUR,33%03u,1,,,,,,%0200u\n", i % 3, i, i);
    put += (size_t)snprintf(text + put, sizeof text - put, "bundle,p0,,,,33,a,1,day,+01:00,\nbundle,p0,,,,34,b,1,day,,\nonnet,q,,,,336,,,,,\n");
    *ret_length = put;
    return text;
}

static void whichever_allocation_fails_the_running_table_stays(void **state)
{
    struct table_file file = { .name = "t.csv" };

    (void)state;
    file.text = big_csv(&file.length);
    for (int lack = 0; lack < MEMORY_LACKS; lack++) {
        uint64_t n = 1;

        for (; n < FAR_AWAY; n++) {
            struct tariff_table *table = NULL;
            bool failed;
            int r;

            memory_fail(MEMORY_OWN, (enum memory_lack)lack, n);
            r = tariff_parse(&file, 1, &table, &notes);
            failed = memory_works();
            if (!failed) {
                assert_int_equal(r, 0);
                assert_int_equal(tariff_row_count(table), 403);
                tariff_free(table);
                break;
            }
            assert_int_equal(r, -ENOMEM);
            assert_null(table);
            assert_int_equal(notes.count, 0);
        }
        assert_in_range(n, 20, FAR_AWAY - 1);
    }
}

static void whichever_allocation_fails_the_running_rates_stay(void **state)
{
    static const char text[] = "from,to,rate\nEUR,USD,1.1\n";
    const struct table_file file = { "r.csv", text, sizeof text - 1 };

    (void)state;
    for (uint64_t n = 1; n <= 4; n++) {
        struct rate_table *rates = NULL;
        bool failed;
        int r;

        memory_fail(MEMORY_OWN, MEMORY_ONCE, n);
        r = rates_parse(&file, &rates, &notes);
        failed = memory_works();
        /* The third one only gives back what was too much. */
        assert_int_equal(failed, n <= 3);
        assert_int_equal(r, n <= 2 ? -ENOMEM : 0);
        assert_true((r == 0) == (rates != NULL));
        if (rates)
            assert_int_equal(rates_count(rates), 1);
        rates_free(rates);
    }
}

/* Enough rows that every array grows, lists of selectors of their own and texts that need a second block. */
static const char *big_routes_csv(size_t *ret_length)
{
    static char text[128 * 1024];
    size_t put = (size_t)snprintf(text, sizeof text, "prefix,bearers,deny,note\n");

    for (unsigned i = 0; i < 400; i++)
        put += (size_t)snprintf(text + put, sizeof text - put, "%s%03u,tag:%u|*,name:%u,%0200u\n", i % 10 == 0 ? "short:" : "33", i, i % 40, i % 3, i);
    *ret_length = put;
    return text;
}

static void whichever_allocation_fails_the_running_routes_stay(void **state)
{
    struct table_file file = { .name = "r.csv" };

    (void)state;
    file.text = big_routes_csv(&file.length);
    for (int lack = 0; lack < MEMORY_LACKS; lack++) {
        uint64_t n = 1;

        for (; n < FAR_AWAY; n++) {
            struct route_table *table = NULL;
            bool failed;
            int r;

            memory_fail(MEMORY_OWN, (enum memory_lack)lack, n);
            r = route_parse(&file, 1, &table, &notes);
            failed = memory_works();
            if (!failed) {
                assert_int_equal(r, 0);
                assert_int_equal(route_count(table), 401);
                route_free(table);
                break;
            }
            assert_int_equal(r, -ENOMEM);
            assert_null(table);
            assert_int_equal(notes.count, 0);
        }
        /* 43 lists, three arrays that grow, two blocks of texts at least. */
        assert_in_range(n, 60, FAR_AWAY - 1);
    }
}

static void whichever_allocation_fails_the_running_overrides_stay(void **state)
{
    static char text[128 * 32];
    struct table_file file = { "o.csv", text, 0 };

    (void)state;
    file.length = (size_t)snprintf(text, sizeof text, "number,as\n");
    for (unsigned i = 0; i < 100; i++)
        file.length += (size_t)snprintf(text + file.length, sizeof text - file.length, "336071234%02u,49\n", i);
    for (uint64_t n = 1; n <= 5; n++) {
        struct override_table *table = NULL;
        bool failed;
        int r;

        /* The reader, its rows twice, the table. */
        memory_fail(MEMORY_OWN, MEMORY_ONCE, n);
        r = override_parse(&file, 1, &table, &notes);
        failed = memory_works();
        assert_int_equal(failed, n <= 4);
        assert_int_equal(r, n <= 4 ? -ENOMEM : 0);
        assert_true((r == 0) == (table != NULL));
        assert_int_equal(notes.count, 0);
        if (table)
            assert_int_equal(override_count(table), 100);
        override_free(table);
    }
}

static void whichever_allocation_fails_no_recipient_goes_uncounted(void **state)
{
    static const struct limit_rules rules = { .recipients_per_day = 200 };
    static const struct limit_now now = { 1000, INT64_C(1790000000000) };

    (void)state;
    for (int lack = 0; lack < MEMORY_LACKS; lack++) {
        uint64_t n = 1;

        for (; n < FAR_AWAY; n++) {
            struct use *use = NULL;
            char *text = NULL;
            bool failed;
            int r;

            memory_fail(MEMORY_OWN, (enum memory_lack)lack, n);
            r = use_load(NULL, 1, &rules, now, &use);
            if (r == 0) {
                for (uint64_t key = 1; key <= 200; key++)
                    (void)use_take(use, &rules, key, 1, 0, now, 0);
                text = use_text(use);
            }
            failed = memory_works();
            assert_true(r == 0 || (r == -ENOMEM && failed && use == NULL));
            assert_true(r != 0 || text != NULL || failed);
            if (r == 0) {
                assert_int_equal(limit_check(&rules, use, 201, 1, 0, false, now).kind, LIMIT_RECIPIENTS_DAY);
                assert_int_equal(limit_view(&rules, use, LIMIT_RECIPIENTS_DAY, now).used, 200);
            }
            free(text);
            use_free(use);
            if (!failed)
                break;
        }
        assert_in_range(n, 5, FAR_AWAY - 1);
    }
}

static void whichever_allocation_fails_the_running_operators_stay(void **state)
{
    static char text[16384];
    size_t put = (size_t)snprintf(text, sizeof text, "mcc,mnc,name,balance_ussd\n");
    struct table_file file = { .name = "o.csv", .text = text };
    uint64_t n = 1;

    (void)state;
    for (unsigned i = 0; i < 200; i++)
        put += (size_t)snprintf(text + put, sizeof text - put, "262,%02u,n%u,*%u#\n", i % 100, i, i);
    file.length = put;
    for (; n < 100; n++) {
        struct operator_table *table = NULL;
        bool failed;
        int r;

        memory_fail(MEMORY_OWN, MEMORY_ONCE, n);
        r = operator_parse(&file, &table, &notes);
        failed = memory_works();
        assert_int_equal(r, failed ? -ENOMEM : 0);
        assert_true((r == 0) == (table != NULL));
        if (table)
            assert_int_equal(operator_row_count(table), 200);
        operator_free(table);
        if (!failed)
            break;
    }
    assert_in_range(n, 5, 99);
}

static void whichever_allocation_fails_no_plan_is_left_behind(void **state)
{
    uint64_t n = 1;

    (void)state;
    for (; n < FAR_AWAY; n++) {
        struct shadow *shadow = NULL;
        bool failed;
        int r;

        memory_fail(MEMORY_OWN, MEMORY_ONCE, n);
        r = shadow_new(3, 3, 3, &shadow);
        failed = memory_works();
        if (!failed) {
            assert_int_equal(r, 0);
            shadow_free(shadow);
            break;
        }
        assert_int_equal(r, -ENOMEM);
        assert_null(shadow);
    }
    assert_in_range(n, 5, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_allocation_fails_no_plan_is_left_behind),
        cmocka_unit_test(whichever_allocation_fails_no_recipient_goes_uncounted),
        cmocka_unit_test(whichever_allocation_fails_the_running_table_stays),
        cmocka_unit_test(whichever_allocation_fails_the_running_rates_stay),
        cmocka_unit_test(whichever_allocation_fails_the_running_routes_stay),
        cmocka_unit_test(whichever_allocation_fails_the_running_overrides_stay),
        cmocka_unit_test(whichever_allocation_fails_the_running_operators_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
