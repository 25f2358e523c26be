/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/base/date.h"
#include "src/base/money.h"

#define MAX_MICRO INT64_C(1000000000000)

static void amounts_are_exact_millionths(void **state)
{
    static const struct { const char *text; int64_t micro; const char *back; } rows[] = {
        { "0", 0, "0" },           { "0.049", 49000, "0.049" },         { "12", 12000000, "12" },
        { "0.000001", 1, "0.000001" }, { "1.10", 1100000, "1.1" },      { "007", 7000000, "7" },
        { "0.000000", 0, "0" },    { "1000000", MAX_MICRO, "1000000" }, { "999999.999999", MAX_MICRO - 1, "999999.999999" },
        { "0.3", 300000, "0.3" },  { "100", 100000000, "100" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t micro = -1;
        const char *wrong;
        char text[MONEY_CHARS];

        assert_int_equal(money_parse(rows[i].text, MAX_MICRO, &micro, &wrong), 0);
        assert_int_equal(micro, rows[i].micro);
        money_format(micro, text);
        assert_string_equal(text, rows[i].back);
    }
}

static void what_is_no_amount_is_refused_with_its_reason(void **state)
{
    static const struct { const char *text, *wrong; } rows[] = {
        { "", "is no number" },      { "x", "is no number" },      { "1e3", "is no number" },  { "+1", "is no number" },
        { "1.", "is no number" },    { ".5", "is no number" },     { " 1", "is no number" },   { "1 ", "is no number" },
        { "0x1", "is no number" },   { "-", "is no number" },      { "1.2.3", "is no number" }, { "NaN", "is no number" },
        { "-3", "is negative" },     { "-0", "is negative" },      { "-.5", "is negative" },
        { "0.0000001", "has more than 6 decimals" },               { "0.0500000", "has more than 6 decimals" },
        { "1000000.000001", "is too high" }, { "99999999999999999999999", "is too high" },
        { "1,5", "has a comma (write a point before the decimals, and nothing between thousands)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t micro = -1;
        const char *wrong = NULL;

        assert_int_equal(money_parse(rows[i].text, MAX_MICRO, &micro, &wrong), -EINVAL);
        assert_string_equal(wrong, rows[i].wrong);
        assert_int_equal(micro, -1);
    }
}

static void negative_amounts_are_written_too(void **state)
{
    char text[MONEY_CHARS];

    (void)state;
    money_format(-3500000, text);
    assert_string_equal(text, "-3.5");
    money_format(-1, text);
    assert_string_equal(text, "-0.000001");
    money_format(INT64_MIN, text);
    assert_string_equal(text, "-9223372036854.775808");
}

static void prices_have_at_least_two_decimals_and_lose_none(void **state)
{
    static const struct { int64_t micro; const char *text; } rows[] = {
        { 0, "0.00" },               { 100000, "0.10" },     { 49000, "0.049" },            { 50000, "0.05" },
        { 12000000, "12.00" },       { 1100000, "1.10" },    { 1, "0.000001" },             { 100000000, "100.00" },
        { 99999, "0.099999" },       { -500000, "-0.50" },   { -3000000, "-3.00" },         { -1, "-0.000001" },
        { INT64_MAX, "9223372036854.775807" },               { INT64_MIN, "-9223372036854.775808" },
    };
    char text[MONEY_CHARS];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        money_format_price(rows[i].micro, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void dates_are_days_and_back(void **state)
{
    static const struct { const char *text; int32_t days; } rows[] = {
        { "1970-01-01", 0 },      { "1969-12-31", -1 },    { "2000-02-29", 11016 }, { "2026-11-25", 20782 },
        { "9999-12-31", 2932896 }, { "0000-01-01", -719528 }, { "2400-02-29", 157113 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int32_t days = -42;
        char text[DATE_CHARS];

        assert_int_equal(date_parse(rows[i].text, &days), 0);
        assert_int_equal(days, rows[i].days);
        date_format(days, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void days_that_are_not_in_the_calendar_are_refused(void **state)
{
    static const char *const rows[] = { "", "2026", "2026-1-1", "2026-02-29", "2100-02-29", "2026-04-31", "2026-00-10", "2026-13-01",
                                        "2026-01-00", "2026-01-32", "2026/01/01", "26-01-01", "2026-01-01 ", " 2026-01-01",
                                        "2026-01-011", "2026-0a-01", "01.02.2026", "-026-01-01" };
    int32_t days = -42;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(date_parse(rows[i], &days), -EINVAL);
    assert_int_equal(days, -42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_exact_millionths),
        cmocka_unit_test(what_is_no_amount_is_refused_with_its_reason),
        cmocka_unit_test(negative_amounts_are_written_too),
        cmocka_unit_test(prices_have_at_least_two_decimals_and_lose_none),
        cmocka_unit_test(dates_are_days_and_back),
        cmocka_unit_test(days_that_are_not_in_the_calendar_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
