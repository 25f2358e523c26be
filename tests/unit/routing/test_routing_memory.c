/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "src/routing/rates.h"
#include "src/routing/shadow.h"
#include "src/routing/tariff.h"
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
        cmocka_unit_test(whichever_allocation_fails_the_running_table_stays),
        cmocka_unit_test(whichever_allocation_fails_the_running_rates_stay),
        cmocka_unit_test(whichever_allocation_fails_no_plan_is_left_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
