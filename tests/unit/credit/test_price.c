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

#include "src/base/hex.h"
#include "tests/unit/credit/price_text.h"

static struct table_notes notes;

static struct price_table *prices_of(const char *text, uint32_t version)
{
    struct price_table *table = NULL;

    if (price_text_parse(text, version, &table, &notes) != 0)
        fail_msg("%s", notes.text[0]);
    return table;
}

static const char plain[] = "prefix,price,price_ucs2\n40,0.05,\n4072,0.04,0.06\n4090,refused,\n33,0.07,refused\n";

static void the_longest_prefix_and_the_encoding_decide(void **state)
{
    static const struct { const char *number; enum price_encoding encoding; unsigned parts; enum price_verdict verdict; const char *prefix; int64_t part, total; } rows[] = {
        { "40721234567", PRICE_GSM7, 1, PRICE_PRICED, "4072", 40000, 40000 },
        { "40721234567", PRICE_UCS2, 3, PRICE_PRICED, "4072", 60000, 180000 },
        { "40211234567", PRICE_GSM7, 2, PRICE_PRICED, "40", 50000, 100000 },
        { "40211234567", PRICE_UCS2, 2, PRICE_PRICED, "40", 50000, 100000 },
        { "33612345678", PRICE_GSM7, 255, PRICE_PRICED, "33", 70000, 17850000 },
        { "33612345678", PRICE_UCS2, 1, PRICE_REFUSED, "33", 0, 0 },
        { "40901234567", PRICE_GSM7, 1, PRICE_REFUSED, "4090", 0, 0 },
        { "12025550123", PRICE_GSM7, 1, PRICE_NO_PREFIX, "", 0, 0 },
        { "4", PRICE_GSM7, 1, PRICE_NO_PREFIX, "", 0, 0 },
        { "", PRICE_GSM7, 1, PRICE_NO_PREFIX, "", 0, 0 },
    };
    struct price_table *table = prices_of(plain, 5);

    (void)state;
    assert_int_equal(price_table_version(table), 5);
    assert_int_equal(price_table_rows(table), 4);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct price_quote quote = price_quote_of(table, rows[i].number, rows[i].encoding, rows[i].parts);

        assert_int_equal(quote.verdict, rows[i].verdict);
        assert_string_equal(quote.prefix, rows[i].prefix);
        assert_int_equal(quote.part_micro, rows[i].part);
        assert_int_equal(quote.total_micro, rows[i].total);
        assert_int_equal(quote.version, 5);
    }
    price_table_free(table);
    table = prices_of("prefix,price\n*,1\n40,0.000001\n", 1);
    assert_int_equal(price_quote_of(table, "12025550123", PRICE_UCS2, 1).total_micro, 1000000);
    assert_int_equal(price_quote_of(table, "4072", PRICE_UCS2, 1).total_micro, 1);
    price_table_free(table);
}

static void the_hash_is_of_what_a_table_says_and_not_of_how_it_is_written(void **state)
{
    static const char *const same[] = {
        "prefix,price,price_ucs2\n40,0.050,0.05\n33,0.07,refused\n4090,refused,refused\n4072,0.04,0.06\n",
        "\xEF\xBB\xBF# comment\r\nprice_ucs2,\"price\",prefix\r\n,0.05,\"40\"\r\n\r\n0.060000,0.04,4072\r\n,refused,4090\r\nrefused,0.07,33\r\n",
    };
    static const char *const others[] = {
        "prefix,price,price_ucs2\n40,0.050001,\n4072,0.04,0.06\n4090,refused,\n33,0.07,refused\n",
        "prefix,price,price_ucs2\n40,0.05,\n4072,0.04,\n4090,refused,\n33,0.07,refused\n",
        "prefix,price,price_ucs2\n40,0.05,\n4072,0.04,0.06\n33,0.07,refused\n",
        "prefix,price,price_ucs2\n400,0.05,\n4072,0.04,0.06\n4090,refused,\n33,0.07,refused\n",
        "prefix,price,price_ucs2\n40,0.05,\n4072,0.04,0.06\n4090,1,\n33,0.07,refused\n",
    };
    struct price_table *table = prices_of(plain, 5), *other;

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        other = prices_of(same[i], 5);
        assert_memory_equal(price_table_sha256(table), price_table_sha256(other), SHA256_OCTETS);
        /* What entries of the journal name is the same row as well. */
        assert_int_equal(price_quote_of(table, "4072", PRICE_GSM7, 1).row, price_quote_of(other, "4072", PRICE_GSM7, 1).row);
        price_table_free(other);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        other = prices_of(others[i], 5);
        assert_memory_not_equal(price_table_sha256(table), price_table_sha256(other), SHA256_OCTETS);
        price_table_free(other);
    }
    other = prices_of(plain, 6);
    assert_memory_not_equal(price_table_sha256(table), price_table_sha256(other), SHA256_OCTETS);
    price_table_free(other);
    price_table_free(table);
}

static void the_hash_can_be_made_by_another_program(void **state)
{
    /* sha256 of "CPPT", 0001, version, rows; then 40 as a key (4 bits a digit from the top, their number at the end), 50000, 60000. */
    static const char expected[] = "51D204B9DA13C4A4D1C2DE6FEDD0D376717FC36F8F9A9F6491CEDA279E8F3E52";
    struct price_table *table = prices_of("prefix,price,price_ucs2\n40,0.05,0.06\n", 7);
    char text[2 * SHA256_OCTETS + 1];

    (void)state;
    hex_encode(price_table_sha256(table), SHA256_OCTETS, text);
    assert_string_equal(text, expected);
    price_table_free(table);
}

static void what_is_wrong_is_told_with_its_line_and_column(void **state)
{
    static const struct { const char *text, *note; } rows[] = {
        { "prefix,price\n40,0\n", "prices.csv:2:price: '0' is no price" },
        { "prefix,price\n40,\n", "prices.csv:2:price: is missing" },
        { "prefix,price\n,1\n", "prices.csv:2:prefix: is missing" },
        { "prefix,price\n40,-1\n", "prices.csv:2:price: '-1' is negative" },
        { "prefix,price\n40,0.0000001\n", "prices.csv:2:price: '0.0000001'" },
        { "prefix,price\n40,1000000.000001\n", "prices.csv:2:price: '1000000.000001'" },
        { "prefix,price\n+40,1\n", "prices.csv:2:prefix: '+40' is no prefix" },
        { "prefix,price\n1234567890123456,1\n", "prices.csv:2:prefix:" },
        { "prefix,price,price_ucs2\n40,1,free\n", "prices.csv:2:price_ucs2: 'free'" },
        { "prefix,price\n40,1\n33,1\n40,2\n", "prices.csv:4:prefix: is in line 2 already" },
        { "prefix,price,currency\n40,1,EUR\n", "prices.csv:1:" },
        { "prefix\n40\n", "prices.csv:1:" },
        { "prefix,price\n", "prices.csv: has no prices" },
        { "", "prices.csv" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct price_table *table = (struct price_table *)&notes;   /* untouched */

        assert_int_equal(price_text_parse(rows[i].text, 1, &table, &notes), -EINVAL);
        assert_ptr_equal(table, &notes);
        if (strncmp(notes.text[0], rows[i].note, strlen(rows[i].note)) != 0)
            fail_msg("'%s' instead of '%s'", notes.text[0], rows[i].note);
    }
}

static void a_table_has_a_bound(void **state)
{
    char *text = malloc(24 + (PRICE_ROWS_MAX + 1) * 12), *at = text;
    struct price_table *table = NULL;

    (void)state;
    at += sprintf(at, "prefix,price\n");
    for (unsigned i = 0; i < PRICE_ROWS_MAX; i++)
        at += sprintf(at, "1%06u,1\n", i);
    assert_int_equal(price_text_parse(text, 1, &table, &notes), 0);
    assert_int_equal(price_quote_of(table, "1054321", PRICE_GSM7, 1).row, 54321);
    price_table_free(table);
    sprintf(at, "2,1\n");
    assert_int_equal(price_text_parse(text, 1, &table, &notes), -EINVAL);
    assert_non_null(strstr(notes.text[0], "is one row too many (allowed: 100000)"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_prefix_and_the_encoding_decide),
        cmocka_unit_test(the_hash_is_of_what_a_table_says_and_not_of_how_it_is_written),
        cmocka_unit_test(the_hash_can_be_made_by_another_program),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line_and_column),
        cmocka_unit_test(a_table_has_a_bound),
    };
    return cmocka_run_group_tests_name("price", tests, NULL, NULL);
}
