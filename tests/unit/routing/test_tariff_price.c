/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/date.h"
#include "src/routing/tariff.h"

static struct tariff_table *table_of(const char *text)
{
    static struct table_notes notes;
    const struct table_file file = { "t.csv", text, strlen(text) };
    struct tariff_table *table = NULL;

    if (tariff_parse(&file, 1, &table, &notes) != 0)
        fail_msg("%s", notes.text[0]);
    return table;
}

static int32_t day_of(const char *date)
{
    int32_t day = 0;

    assert_int_equal(date_parse(date, &day), 0);
    return day;
}

static struct tariff_quote quote_of(const struct tariff_table *table, const char *number, unsigned parts, const char *date)
{
    const struct tariff_plan *plan = tariff_find_plan(table, "p");

    assert_non_null(plan);
    return tariff_price(plan, number, parts, day_of(date));
}

#define PRICES                                                        \
    "plan,kind,currency,prefix,price,next_part_price,prefixes,valid_from,valid_until\n" /* line 1 */ \
    "p,,EUR,,0.50,,,,\n"                              /* 2 */         \
    "p,price,EUR,33,0.10,0.04,,,2026-03-31\n"         /* 3 */         \
    "p,price,EUR,33,0.12,0.05,,2026-04-01,\n"         /* 4 */         \
    "p,price,EUR,33899,1.00,,,2026-02-01,2026-02-28\n" /* 5 */        \
    "p,onnet,,,,,3367|33,2026-05-01,2026-05-31\n"     /* 6 */         \
    "p,price,EUR,33677,0.30,,,,\n"                    /* 7 */         \
    "q,price,XOF,221,25,,,2026-02-01,2026-02-28\n"    /* 8 */

static void the_longest_prefix_that_holds_on_the_day_decides(void **state)
{
    static const struct {
        const char *number, *date; unsigned parts; unsigned line; const char *prefix; int64_t first, next, total; bool on_net;
    } rows[] = {
        { "12025550123", "2026-01-01", 1, 2, "", 500000, 500000, 500000, false },
        { "12025550123", "2026-01-01", 3, 2, "", 500000, 500000, 1500000, false },
        { "33612345678", "2026-01-01", 1, 3, "33", 100000, 40000, 100000, false },
        { "33612345678", "2026-01-01", 4, 3, "33", 100000, 40000, 220000, false },
        { "33612345678", "2026-03-31", 1, 3, "33", 100000, 40000, 100000, false },
        { "33612345678", "2026-04-01", 1, 4, "33", 120000, 50000, 120000, false },
        { "33612345678", "9999-12-31", 255, 4, "33", 120000, 50000, 12820000, false },
        { "33899123456", "2026-01-31", 1, 3, "33", 100000, 40000, 100000, false },
        { "33899123456", "2026-02-01", 2, 5, "33899", 1000000, 1000000, 2000000, false },
        { "33899123456", "2026-02-28", 1, 5, "33899", 1000000, 1000000, 1000000, false },
        { "33899123456", "2026-03-01", 1, 3, "33", 100000, 40000, 100000, false },
        { "33612345678", "2026-04-30", 1, 4, "33", 120000, 50000, 120000, false },
        { "33612345678", "2026-05-01", 9, 6, "33", 0, 0, 0, true },
        { "33671234567", "2026-05-31", 1, 6, "3367", 0, 0, 0, true },
        { "33677123456", "2026-05-31", 1, 7, "33677", 300000, 300000, 300000, false },
        { "33671234567", "2026-06-01", 1, 4, "33", 120000, 50000, 120000, false },
    };
    struct tariff_table *table = table_of(PRICES);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tariff_quote quote = quote_of(table, rows[i].number, rows[i].parts, rows[i].date);

        assert_int_equal(quote.verdict, TARIFF_PRICED);
        if (quote.row->line != rows[i].line)
            fail_msg("row %zu: line %u decided", i, (unsigned)quote.row->line);
        assert_string_equal(quote.prefix, rows[i].prefix);
        assert_string_equal(quote.currency, "EUR");
        assert_int_equal(quote.first_part_micro, rows[i].first);
        assert_int_equal(quote.next_part_micro, rows[i].next);
        assert_int_equal(quote.total_micro, rows[i].total);
        assert_int_equal(quote.on_net, rows[i].on_net);
        assert_int_equal(quote.bundle_count, 0);
    }
    tariff_free(table);
}

static void a_number_without_a_row_has_no_price_and_the_reason(void **state)
{
    struct tariff_table *table = table_of(PRICES);
    const struct tariff_plan *plan = tariff_find_plan(table, "q");
    struct tariff_quote quote = tariff_price(plan, "22112345678", 1, day_of("2026-02-10"));

    (void)state;
    assert_int_equal(quote.verdict, TARIFF_PRICED);
    assert_int_equal(quote.total_micro, 25000000);
    assert_string_equal(quote.currency, "XOF");
    quote = tariff_price(plan, "22112345678", 1, day_of("2026-03-01"));
    assert_int_equal(quote.verdict, TARIFF_NOT_VALID);
    assert_null(quote.row);
    assert_int_equal(quote.total_micro, 0);
    quote = tariff_price(plan, "33612345678", 1, day_of("2026-02-10"));
    assert_int_equal(quote.verdict, TARIFF_NO_PREFIX);
    assert_null(quote.row);
    assert_null(tariff_find_plan(table, "r"));
    assert_null(tariff_find_plan(table, ""));
    tariff_free(table);
}

static void bundles_are_candidates_longest_prefix_first_and_once_each(void **state)
{
    struct tariff_table *table = table_of("kind,plan,currency,price,name,parts,period,prefixes,valid_until\n"
                                          "price,p,EUR,0.10,,,,,\n"
                                          "bundle,p,,,world,10,day,*,\n"
                                          "bundle,p,,,france,100,month,33|336,\n"
                                          "bundle,p,,,summer,5,week,3361,2026-08-31\n"
                                          "bundle,q,EUR,,alone,5,week,*,\n");
    struct tariff_quote quote = quote_of(table, "33612345678", 2, "2026-08-31");

    (void)state;
    assert_int_equal(quote.verdict, TARIFF_PRICED);
    assert_int_equal(quote.total_micro, 200000);
    assert_int_equal(quote.bundle_count, 3);
    assert_string_equal(quote.bundles[0]->bundle.name, "summer");
    assert_string_equal(quote.bundles[1]->bundle.name, "france");
    assert_string_equal(quote.bundles[2]->bundle.name, "world");
    quote = quote_of(table, "33612345678", 2, "2026-09-01");
    assert_int_equal(quote.bundle_count, 2);
    assert_string_equal(quote.bundles[0]->bundle.name, "france");
    quote = quote_of(table, "4917012345678", 2, "2026-09-01");
    assert_int_equal(quote.bundle_count, 1);
    /* A plan may have no price at all: its bundle covers the number all the same. */
    quote = tariff_price(tariff_find_plan(table, "q"), "33612345678", 1, 0);
    assert_int_equal(quote.verdict, TARIFF_NO_PREFIX);
    assert_int_equal(quote.bundle_count, 1);
    assert_string_equal(quote.currency, "EUR");
    tariff_free(table);
}

/* One for each length a prefix may have: as many as there is room for. */
static void a_number_may_have_sixteen_bundles(void **state)
{
    char text[4096] = "kind,plan,name,parts,period,prefixes\nbundle,p,b0,1,day,*\n";
    struct tariff_table *table;
    struct tariff_quote quote;

    (void)state;
    for (int i = 1; i <= PREFIX_DIGITS_MAX; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "bundle,p,b%d,1,day,%.*s\n", i, i, "123456789012345");
    table = table_of(text);
    quote = quote_of(table, "123456789012345", 1, "2026-01-01");
    assert_int_equal(quote.bundle_count, TARIFF_CANDIDATES_MAX);
    assert_string_equal(quote.bundles[0]->bundle.name, "b15");
    assert_string_equal(quote.bundles[15]->bundle.name, "b0");
    tariff_free(table);
}

static void the_highest_price_of_the_longest_message_is_exact(void **state)
{
    struct tariff_table *table = table_of("plan,currency,price\np,IRR,1000000000\n");
    struct tariff_quote quote = quote_of(table, "98", TARIFF_PARTS_MAX, "2026-01-01");

    (void)state;
    assert_true(quote.total_micro == 255 * TARIFF_PRICE_MICRO_MAX);
    tariff_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_that_holds_on_the_day_decides),
        cmocka_unit_test(a_number_without_a_row_has_no_price_and_the_reason),
        cmocka_unit_test(bundles_are_candidates_longest_prefix_first_and_once_each),
        cmocka_unit_test(a_number_may_have_sixteen_bundles),
        cmocka_unit_test(the_highest_price_of_the_longest_message_is_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
