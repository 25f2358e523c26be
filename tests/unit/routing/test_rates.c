/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/routing/rates.h"

static struct table_notes notes;

static int parse(const char *text, size_t length, struct rate_table **ret_rates)
{
    const struct table_file file = { "rates.csv", text, length };

    return rates_parse(&file, ret_rates, &notes);
}

static const char good[] = "# of 2026-11-25\n"
                           "rate,to,from\n"
                           "1.0842,USD,EUR\n"
                           "655957/1000,XOF,EUR\n"
                           "0.9,CHF,USD\n"
                           "1.2,USD,CHF\n"
                           "0.000000000000000001,BIG,EUR\n"
                           "1/3,THI,EUR\n";

static void amounts_are_converted_exactly_and_rounded_halves_up(void **state)
{
    static const struct { int64_t micro; const char *from, *to; int r; int64_t result; } rows[] = {
        { 100000, "EUR", "USD", 0, 108420 },      { 108420, "USD", "EUR", 0, 100000 },
        { 1000000, "EUR", "XOF", 0, 655957000 },  { 655957000, "XOF", "EUR", 0, 1000000 },
        { 1, "EUR", "THI", 0, 0 },                { 2, "EUR", "THI", 0, 1 },
        { 1, "THI", "EUR", 0, 3 },                { 5, "USD", "CHF", 0, 5 /* 4.5 */ },
        { 4, "USD", "CHF", 0, 4 /* 3.6 */ },      { 1, "USD", "CHF", 0, 1 },
        { 10, "CHF", "USD", 0, 12 },              { 0, "EUR", "USD", 0, 0 },
        { 7, "EUR", "EUR", 0, 7 },                { 7, "XYZ", "XYZ", 0, 7 },
        { 7, "XOF", "USD", -ENOENT, -1 },         { 7, "EUR", "XYZ", -ENOENT, -1 },
        { INT64_MAX, "EUR", "USD", -ERANGE, -1 }, { INT64_MAX, "EUR", "BIG", 0, 9 },
        { 9, "BIG", "EUR", 0, INT64_C(9000000000000000000) }, { 10, "BIG", "EUR", -ERANGE, -1 },
        { INT64_MAX, "BIG", "EUR", -ERANGE, -1 }, { INT64_MAX, "EUR", "THI", 0, INT64_C(3074457345618258602) },
        { INT64_MAX, "USD", "CHF", 0, INT64_C(8301034833169298226) /* .3 */ },
    };
    struct rate_table *rates = NULL;

    (void)state;
    assert_int_equal(parse(good, sizeof good - 1, &rates), 0);
    assert_int_equal(rates_count(rates), 6);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t result = -1;

        assert_int_equal(rates_convert(rates, rows[i].micro, rows[i].from, rows[i].to, &result), rows[i].r);
        if (result != rows[i].result)
            fail_msg("row %zu: %lld", i, (long long)result);
    }
    rates_free(rates);
}

static void without_rates_only_equal_currencies_are_known(void **state)
{
    int64_t result = -1;

    (void)state;
    assert_int_equal(rates_convert(NULL, 5, "EUR", "EUR", &result), 0);
    assert_int_equal(result, 5);
    assert_int_equal(rates_convert(NULL, 5, "EUR", "USD", &result), -ENOENT);
    assert_int_equal(result, 5);
    rates_free(NULL);
}

#define HEADER "from,to,rate\n"
#define ALLOWED_RATE " (allowed: a number above 0 as 1.0842, or a fraction as 10842/10000, of at most 18 digits)"
#define ALLOWED_CURRENCY " (allowed: three capital letters of ISO 4217, as EUR)"

static void every_error_names_row_and_column(void **state)
{
    static const struct { const char *text, *error; } rows[] = {
        { "", "rates.csv: has no header (a line with the names of its columns: from, to, rate)" },
        { "from,to\n", "rates.csv:1:rate: the header does not have this column, which it needs" },
        { "from,to,rate,day\n", "rates.csv:1:day: unknown column (allowed: from, to, rate)" },
        { HEADER "EUR,USD\n", "rates.csv:2: the row has 2 fields, the header has 3" },
        { HEADER "eur,USD,1\n", "rates.csv:2:from: 'eur' is no currency" ALLOWED_CURRENCY },
        { HEADER "EUR,,1\n", "rates.csv:2:to: '' is no currency" ALLOWED_CURRENCY },
        { HEADER "EUR,USD,\n", "rates.csv:2:rate: '' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,0\n", "rates.csv:2:rate: '0' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,0.000\n", "rates.csv:2:rate: '0.000' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,1/0\n", "rates.csv:2:rate: '1/0' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,-1\n", "rates.csv:2:rate: '-1' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,1.\n", "rates.csv:2:rate: '1.' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,.5\n", "rates.csv:2:rate: '.5' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,1/\n", "rates.csv:2:rate: '1/' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,1.5/2\n", "rates.csv:2:rate: '1.5/2' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,1e3\n", "rates.csv:2:rate: '1e3' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,1000000000000000001\n", "rates.csv:2:rate: '1000000000000000001' is no rate" ALLOWED_RATE },
        { HEADER "EUR,USD,0.0000000000000000001\n", "rates.csv:2:rate: '0.0000000000000000001' is no rate" ALLOWED_RATE },
        { HEADER "EUR,EUR,1\n", "rates.csv:2:to: 'EUR' is the same currency (allowed: another one)" },
        { HEADER "EUR,USD,1\nUSD,EUR,1\nEUR,USD,2\n", "rates.csv:4:rate: from EUR to USD there is a rate already on line 2 (allowed: one)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rate_table *rates = NULL;

        assert_int_equal(parse(rows[i].text, strlen(rows[i].text), &rates), -EINVAL);
        assert_null(rates);
        assert_string_equal(notes.text[0], rows[i].error);
        assert_int_equal(notes.count, 1);
    }
}

static void every_truncation_is_read_or_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < sizeof good; cut++) {
        char *text = malloc(cut + 1);
        struct rate_table *rates = NULL;
        int r;

        assert_non_null(text);
        memcpy(text, good, cut);
        text = realloc(text, cut + (cut == 0));
        assert_non_null(text);
        r = parse(text, cut, &rates);
        assert_int_equal(r == 0, notes.count == 0);
        assert_true(r == -EINVAL ? rates == NULL : r == 0 && rates_count(rates) <= 6);
        rates_free(rates);
        free(text);
    }
}

/* Currencies are told apart by all three letters, and as many rates as the bound fit. */
static void as_many_rates_as_the_bound_fit(void **state)
{
    size_t size = (RATES_MAX + 2) * 16, length;
    char *text = malloc(size);
    struct rate_table *rates = NULL;
    int64_t result = 0;

    (void)state;
    assert_non_null(text);
    length = (size_t)snprintf(text, size, HEADER);
    for (unsigned i = 0; i < RATES_MAX; i++)
        length += (size_t)snprintf(text + length, size - length, "EUR,%c%c%c,%u\n", 'F' + i / 256, 'A' + i / 16 % 16, 'A' + i % 16, i + 1);
    assert_int_equal(parse(text, length, &rates), 0);
    assert_int_equal(rates_count(rates), RATES_MAX);
    assert_int_equal(rates_convert(rates, 2, "EUR", "UPP", &result), 0);
    assert_int_equal(result, 2 * RATES_MAX);
    rates_free(rates);
    rates = NULL;
    length += (size_t)snprintf(text + length, size - length, "USD,EUR,1\n");
    assert_int_equal(parse(text, length, &rates), -EINVAL);
    assert_string_equal(notes.text[0], "rates.csv:4098: is one row too many (allowed: 4096)");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_converted_exactly_and_rounded_halves_up),
        cmocka_unit_test(without_rates_only_equal_currencies_are_known),
        cmocka_unit_test(every_error_names_row_and_column),
        cmocka_unit_test(every_truncation_is_read_or_refused_with_a_reason),
        cmocka_unit_test(as_many_rates_as_the_bound_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
