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

#include "tests/unit/routing/tariff_text.h"

static struct table_notes notes;

static int parse(const char *text, size_t length, struct tariff_table **ret_table)
{
    const struct table_file file = { "tariffs.csv", text, length };

    return tariff_parse(&file, 1, ret_table, &notes);
}

static struct tariff_table *expect_good(const char *text)
{
    struct tariff_table *table = NULL;

    if (parse(text, strlen(text), &table) != 0)
        fail_msg("%s", notes.text[0]);
    assert_int_equal(notes.count, 0);
    return table;
}

static const char everything[] =
    "\xEF\xBB\xBFnote,plan,kind,valid_until,valid_from,currency,prefix,price,next_part_price,prefixes,name,parts,period,reset_day,time_zone\r\n"
    "# a comment, with \"anything\r\n"
    "\r\n"
    "\"caf\xC3\xA9, \"\"here\"\"\r\nand there\",one,price,2026-12-31,2026-01-01,EUR,33,0.1,0.05,,,,,,\r\n"
    ",one,,,,EUR,,0.000001,,,,,,,\r\n"
    ",one,bundle,,,,,,,33|336,day pack,20,day,,\r\n"
    ",one,bundle,,,EUR,,,,34,week pack,30,week,,+02:00\r\n"
    ",one,bundle,,,,,,,*,month pack,1000000000,month,31,America/Argentina/Buenos_Aires\r\n"
    ",one,onnet,,2027-01-01,,,,,33607|33608,,,,,\r\n"
    ",\"t\xC3\xA9l\xC3\xA9 2\",price,,,CHF,*,1000000000,0,,,,,,";

static void every_column_reaches_its_field(void **state)
{
    struct tariff_table *table = expect_good(everything);
    const struct tariff_row *row;

    (void)state;
    assert_int_equal(tariff_row_count(table), 7);
    assert_int_equal(tariff_plan_count(table), 2);
    row = tariff_row_at(table, 0);
    assert_int_equal(row->kind, TARIFF_PRICE);
    assert_int_equal(row->line, 4);
    assert_string_equal(tariff_file_name(table, row->file), "tariffs.csv");
    assert_string_equal(row->note, "caf\xC3\xA9, \"here\"\r\nand there");
    assert_string_equal(row->prefixes, "33");
    assert_int_equal(row->price_micro, 100000);
    assert_int_equal(row->next_part_price_micro, 50000);
    assert_int_equal(row->valid_from_day, 20454);
    assert_int_equal(row->valid_until_day, 20818);
    row = tariff_row_at(table, 1);
    assert_int_equal(row->line, 6);
    assert_string_equal(row->note, "");
    assert_string_equal(row->prefixes, "*");
    assert_int_equal(row->price_micro, 1);
    assert_int_equal(row->next_part_price_micro, 1);
    assert_int_equal(row->valid_from_day, TARIFF_DAY_FIRST);
    assert_int_equal(row->valid_until_day, TARIFF_DAY_LAST);
    row = tariff_row_at(table, 2);
    assert_int_equal(row->kind, TARIFF_BUNDLE);
    assert_string_equal(row->prefixes, "33|336");
    assert_string_equal(row->bundle.name, "day pack");
    assert_string_equal(row->bundle.time_zone, "UTC");
    assert_int_equal(row->bundle.parts, 20);
    assert_int_equal(row->bundle.period, TARIFF_DAILY);
    assert_int_equal(row->bundle.reset_day, 0);
    row = tariff_row_at(table, 3);
    assert_int_equal(row->bundle.period, TARIFF_WEEKLY);
    assert_int_equal(row->bundle.reset_day, 1);
    assert_string_equal(row->bundle.time_zone, "+02:00");
    row = tariff_row_at(table, 4);
    assert_int_equal(row->bundle.period, TARIFF_MONTHLY);
    assert_int_equal(row->bundle.reset_day, 31);
    assert_int_equal(row->bundle.parts, 1000000000);
    assert_string_equal(row->bundle.time_zone, "America/Argentina/Buenos_Aires");
    row = tariff_row_at(table, 5);
    assert_int_equal(row->kind, TARIFF_ONNET);
    assert_string_equal(row->prefixes, "33607|33608");
    row = tariff_row_at(table, 6);
    assert_true(row->price_micro == TARIFF_PRICE_MICRO_MAX);
    assert_int_equal(row->next_part_price_micro, 0);
    assert_string_equal(tariff_plan_name(tariff_plan_at(table, row->plan)), "t\xC3\xA9l\xC3\xA9 2");
    assert_string_equal(tariff_plan_currency(tariff_plan_at(table, 1)), "CHF");
    assert_true(tariff_bytes(table) > 7 * sizeof *row);
    tariff_free(table);
}

static void a_table_written_again_means_the_same(void **state)
{
    struct tariff_table *table = expect_good(everything), *again = NULL;
    struct tariff_text_buffer text;

    (void)state;
    tariff_text_write(table, &text);
    assert_int_equal(parse(text.text, text.length, &again), 0);
    assert_true(tariff_text_same(table, again));
    free(text.text);
    tariff_free(table);
    tariff_free(again);
}

/* Without its last row or a part of it a file may be good; then it is the same file with less. */
static void every_truncation_is_read_or_refused_with_a_reason(void **state)
{
    size_t length = sizeof everything - 1;
    unsigned good = 0;

    (void)state;
    for (size_t cut = 0; cut < length; cut++) {
        /* Of its own length exactly, so that reading beyond it is seen. */
        char *text = malloc(cut + (cut == 0));
        struct tariff_table *table = NULL;
        int r;

        assert_non_null(text);
        memcpy(text, everything, cut);
        r = parse(text, cut, &table);
        if (r == 0) {
            good++;
            assert_non_null(table);
            assert_int_equal(notes.count, 0);
            assert_in_range(tariff_row_count(table), 0, 7);
        } else {
            assert_int_equal(r, -EINVAL);
            assert_null(table);
            assert_in_range(notes.count, 1, TABLE_NOTES_MAX);
            assert_int_equal(strncmp(notes.text[0], "tariffs.csv:", 12), 0);
        }
        tariff_free(table);
        free(text);
    }
    assert_in_range(good, 20, 120);
}

#define PRICE_HEADER "plan,currency,prefix,price,next_part_price,valid_from,valid_until,note\n"
#define LIST_HEADER "kind,plan,prefixes,name,parts,period,reset_day,time_zone\n"
#define ALLOWED_PRICE " (allowed: 0 to 1000000000, with at most 6 decimals behind a point)"
#define ALLOWED_PREFIX " (allowed: 1 to 15 digits of an international number without '+', or * for every number)"
#define ALLOWED_CURRENCY " (allowed: three capital letters of ISO 4217, as EUR)"
#define ALLOWED_NAME " (allowed: 1 to 63 octets, no blanks around them, no line breaks or tabs)"
#define ALLOWED_ZONE " (allowed: UTC, an offset as +02:00, or a name as Europe/Paris)"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X48 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Each has this one error and no other. */
static const struct { const char *text, *error; } errors[] = {
    { "", "tariffs.csv: has no header (a line with the names of its columns: plan, kind, currency, prefix, price, next_part_price, prefixes, "
          "name, parts, period, reset_day, time_zone, valid_from, valid_until, note)" },
    { "# nothing\n\n", "tariffs.csv: has no header (a line with the names of its columns: plan, kind, currency, prefix, price, "
                       "next_part_price, prefixes, name, parts, period, reset_day, time_zone, valid_from, valid_until, note)" },
    { "plan,\"price\n", "tariffs.csv:1: the header has a quote that is not closed" },
    { "plan,currency,prise\n", "tariffs.csv:1:prise: unknown column (allowed: plan, kind, currency, prefix, price, next_part_price, prefixes, "
                               "name, parts, period, reset_day, time_zone, valid_from, valid_until, note)" },
    { "plan,Price\n", "tariffs.csv:1:Price: unknown column (allowed: plan, kind, currency, prefix, price, next_part_price, prefixes, name, "
                      "parts, period, reset_day, time_zone, valid_from, valid_until, note)" },
    { "plan,price,price\n", "tariffs.csv:1:price: is a column twice" },
    { "currency,price\n", "tariffs.csv:1:plan: the header does not have this column, which it needs" },
    { PRICE_HEADER "a,EUR,33,1,,,\n", "tariffs.csv:2: the row has 7 fields, the header has 8" },
    { PRICE_HEADER "a,EUR,33,1,,,,,\n", "tariffs.csv:2: the row has 9 fields, the header has 8" },
    { PRICE_HEADER "a\n", "tariffs.csv:2: the row has 1 field, the header has 8" },
    { PRICE_HEADER "a,EUR,33,1,,,,\xFF\n", "tariffs.csv:2: the row is not UTF-8" },
    { PRICE_HEADER "a,EUR,33,1,,,,\x1B[31m\n", "tariffs.csv:2: the row has a control character" },
    { PRICE_HEADER "\n# c\na,EUR,33,-3,,,,\n", "tariffs.csv:4:price: '-3' is negative" ALLOWED_PRICE },
    { PRICE_HEADER "a,EUR,33,,,,,\n", "tariffs.csv:2:price: is missing (a row of kind price needs it)" },
    { "plan,currency\na,EUR\n", "tariffs.csv:2:price: is missing (a row of kind price needs it)" },
    { PRICE_HEADER "a,EUR,33,0.0000001,,,,\n", "tariffs.csv:2:price: '0.0000001' has more than 6 decimals" ALLOWED_PRICE },
    { PRICE_HEADER "a,EUR,33,1000000000.000001,,,,\n", "tariffs.csv:2:price: '1000000000.000001' is too high" ALLOWED_PRICE },
    { PRICE_HEADER "a,EUR,33,cheap,,,,\n", "tariffs.csv:2:price: 'cheap' is no number" ALLOWED_PRICE },
    { PRICE_HEADER "a,EUR,33,\"0,1\",,,,\n", "tariffs.csv:2:price: '0,1' has a comma (write a point before the decimals, and nothing between "
                                             "thousands)" ALLOWED_PRICE },
    { PRICE_HEADER "a,EUR,33,1,-1,,,\n", "tariffs.csv:2:next_part_price: '-1' is negative" ALLOWED_PRICE },
    { PRICE_HEADER ",EUR,33,1,,,,\n", "tariffs.csv:2:plan: is missing (a row of kind price needs it)" },
    { PRICE_HEADER "a ,EUR,33,1,,,,\n", "tariffs.csv:2:plan: 'a ' has blanks around it" ALLOWED_NAME },
    { PRICE_HEADER "\"a\nb\",EUR,33,1,,,,\n", "tariffs.csv:2:plan: 'a?b' has a line break or tab" ALLOWED_NAME },
    { PRICE_HEADER X64 ",EUR,33,1,,,,\n", "tariffs.csv:2:plan: '" X48 "...' is too long" ALLOWED_NAME },
    { PRICE_HEADER "a,,33,1,,,,\n", "tariffs.csv:2:currency: is missing (a row of kind price needs it)" },
    { PRICE_HEADER "a,eur,33,1,,,,\n", "tariffs.csv:2:currency: 'eur' is no currency" ALLOWED_CURRENCY },
    { PRICE_HEADER "a,EURO,33,1,,,,\n", "tariffs.csv:2:currency: 'EURO' is no currency" ALLOWED_CURRENCY },
    { PRICE_HEADER "a,EUR,33,1,,,,\na,USD,34,1,,,,\n",
      "tariffs.csv:3:currency: 'USD' is not that of plan 'a' (allowed: EUR, as tariffs.csv:2 has it)" },
    { PRICE_HEADER "a,EUR,+33,1,,,,\n", "tariffs.csv:2:prefix: '+33' is no prefix" ALLOWED_PREFIX },
    { PRICE_HEADER "a,EUR,33*,1,,,,\n", "tariffs.csv:2:prefix: '33*' is no prefix" ALLOWED_PREFIX },
    { PRICE_HEADER "a,EUR,1234567890123456,1,,,,\n", "tariffs.csv:2:prefix: '1234567890123456' is no prefix" ALLOWED_PREFIX },
    { PRICE_HEADER "a,EUR,33,1,,2026-02-29,,\n", "tariffs.csv:2:valid_from: '2026-02-29' is no day (allowed: YYYY-MM-DD)" },
    { PRICE_HEADER "a,EUR,33,1,,,31.12.2026,\n", "tariffs.csv:2:valid_until: '31.12.2026' is no day (allowed: YYYY-MM-DD)" },
    { PRICE_HEADER "a,EUR,33,1,,2026-02-02,2026-02-01,\n",
      "tariffs.csv:2:valid_until: '2026-02-01' is before valid_from (allowed: that day or a later one)" },
    { PRICE_HEADER "a,EUR,33,1,,,," X64 X64 X64 X64 "\n", "tariffs.csv:2:note: '" X48 "...' is too long (allowed: up to 255 octets)" },
    { PRICE_HEADER "a,EUR,33,1,,,,\na,EUR,33,2,,,,\n", "tariffs.csv:3:prefix: '33' of plan 'a' has a price already by tariffs.csv:2, which is "
                                                       "valid at all times (allowed: one row at a time)" },
    { PRICE_HEADER "a,EUR,,1,,,,\na,EUR,*,2,,,,\n", "tariffs.csv:3:prefix: '*' of plan 'a' has a price already by tariffs.csv:2, which is valid "
                                                    "at all times (allowed: one row at a time)" },
    { PRICE_HEADER "a,EUR,33,1,,2026-01-05,,\na,EUR,33,2,,,2026-01-05,\n",
      "tariffs.csv:3:prefix: '33' of plan 'a' has a price already by tariffs.csv:2, which is valid from 2026-01-05 (allowed: one row at a time)" },
    { PRICE_HEADER "a,EUR,33,1,,2026-01-01,2026-12-31,\na,EUR,33,2,,2026-02-01,2026-02-01,\na,EUR,33,2,,2027-01-01,,\n",
      "tariffs.csv:3:prefix: '33' of plan 'a' has a price already by tariffs.csv:2, which is valid from 2026-01-01 until 2026-12-31 "
      "(allowed: one row at a time)" },
    { "kind,plan\nfree,a\n", "tariffs.csv:2:kind: 'free' is no kind of row (allowed: price, bundle or onnet; nothing is a price)" },
    { "kind,plan,currency,price,prefixes\nprice,a,EUR,1,33\n",
      "tariffs.csv:2:prefixes: '33' has no place here (allowed: nothing in a row of kind price)" },
    { "kind,plan,price,prefixes\nonnet,a,0,33\n", "tariffs.csv:2:price: '0' has no place here (allowed: nothing in a row of kind onnet)" },
    { LIST_HEADER "onnet,a,,,,,,\n", "tariffs.csv:2:prefixes: is missing (a row of kind onnet needs it)" },
    { LIST_HEADER "onnet,a,33|,,,,,\n",
      "tariffs.csv:2:prefixes: a prefix between two '|' is empty (allowed: prefixes as 33|336, or * for every number)" },
    { LIST_HEADER "onnet,a,33|x,,,,,\n", "tariffs.csv:2:prefixes: 'x' is no prefix" ALLOWED_PREFIX },
    { LIST_HEADER "onnet,a,33|34|33,,,,,\n", "tariffs.csv:2:prefixes: '33' is listed twice" },
    { LIST_HEADER "onnet,a,33|34,,,,,\nonnet,a,34,,,,,\n", "tariffs.csv:3:prefixes: '34' of plan 'a' is free already by tariffs.csv:2, which is "
                                                          "valid at all times (allowed: one row at a time)" },
    { LIST_HEADER "bundle,a,33,,5,day,,\n", "tariffs.csv:2:name: is missing (a row of kind bundle needs it)" },
    { LIST_HEADER "bundle,a,33,n,,day,,\n", "tariffs.csv:2:parts: is missing (a row of kind bundle needs it)" },
    { LIST_HEADER "bundle,a,33,n,0,day,,\n", "tariffs.csv:2:parts: '0' is out of range (allowed: 1 to 1000000000)" },
    { LIST_HEADER "bundle,a,33,n,1000000001,day,,\n", "tariffs.csv:2:parts: '1000000001' is out of range (allowed: 1 to 1000000000)" },
    { LIST_HEADER "bundle,a,33,n,99999999999999999999,day,,\n",
      "tariffs.csv:2:parts: '99999999999999999999' is out of range (allowed: 1 to 1000000000)" },
    { LIST_HEADER "bundle,a,33,n,1.5,day,,\n", "tariffs.csv:2:parts: '1.5' is no whole number (allowed: 1 to 1000000000)" },
    { LIST_HEADER "bundle,a,33,n,5,year,,\n", "tariffs.csv:2:period: 'year' is no period (allowed: day, week or month)" },
    { LIST_HEADER "bundle,a,33,n,5,day,1,\n", "tariffs.csv:2:reset_day: '1' has no place here (allowed: nothing, where the period is a day)" },
    { LIST_HEADER "bundle,a,33,n,5,week,8,\n", "tariffs.csv:2:reset_day: '8' is no day of a week (allowed: 1 to 7, where 1 is Monday)" },
    { LIST_HEADER "bundle,a,33,n,5,month,32,\n",
      "tariffs.csv:2:reset_day: '32' is out of range (allowed: 1 to 7 for a week, where 1 is Monday; 1 to 31 for a month)" },
    { LIST_HEADER "bundle,a,33,n,5,day,,+2\n", "tariffs.csv:2:time_zone: '+2' is no time zone" ALLOWED_ZONE },
    { LIST_HEADER "bundle,a,33,n,5,day,,+15:00\n", "tariffs.csv:2:time_zone: '+15:00' is no time zone" ALLOWED_ZONE },
    { LIST_HEADER "bundle,a,33,n,5,day,,+01:60\n", "tariffs.csv:2:time_zone: '+01:60' is no time zone" ALLOWED_ZONE },
    { LIST_HEADER "bundle,a,33,n,5,day,,../etc/passwd\n", "tariffs.csv:2:time_zone: '../etc/passwd' is no time zone" ALLOWED_ZONE },
    { LIST_HEADER "bundle,a,33,n,5,day,,Europe/\n", "tariffs.csv:2:time_zone: 'Europe/' is no time zone" ALLOWED_ZONE },
    { LIST_HEADER "bundle,a,33,n,5,day,,\nbundle,a,33,m,5,day,,\n",
      "tariffs.csv:3:prefixes: '33' of plan 'a' is covered by a bundle already by tariffs.csv:2, which is valid at all times (allowed: one row "
      "at a time)" },
    { LIST_HEADER "bundle,a,33,n,5,day,,\nbundle,a,34,n,5,day,,\n",
      "tariffs.csv:3:name: 'n' is a bundle of this plan already by tariffs.csv:2, which is valid at all times (allowed: one row at a time)" },
};

static void every_error_names_file_row_and_column_and_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct tariff_table *table = NULL;

        assert_int_equal(parse(errors[i].text, strlen(errors[i].text), &table), -EINVAL);
        assert_null(table);
        assert_string_equal(notes.text[0], errors[i].error);
        if (notes.count != 1)
            fail_msg("%s\nis not the only error: %s", errors[i].error, notes.text[1]);
    }
}

static void rows_that_only_touch_or_differ_are_no_overlap(void **state)
{
    static const char *const rows[] = {
        PRICE_HEADER "a,EUR,33,1,,,2026-01-31,\na,EUR,33,2,,2026-02-01,,\n",
        PRICE_HEADER "a,EUR,33,1,,,,\na,EUR,330,2,,,,\nb,EUR,33,2,,,,\n",
        "kind,plan,currency,price,prefix,prefixes,name,parts,period\n,a,EUR,1,33,,,,\nonnet,a,,,,33,,,\nbundle,a,,,,33,n,1,day\nbundle,b,,,,33,n,1,day\n",
        "kind,plan,prefixes,name,parts,period,valid_from,valid_until\nbundle,a,33,n,1,day,,2026-01-31\nbundle,a,33,n,2,day,2026-02-01,\n",
        LIST_HEADER "bundle,a,33,n,5,day,,-12:00\nbundle,a,34,m,5,day,,Etc/GMT+5\nbundle,a,35,o,5,day,,+14:00\n",
        "plan\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        tariff_free(expect_good(rows[i]));
}

static void all_errors_come_at_once_up_to_a_bound_and_the_running_table_stays(void **state)
{
    struct tariff_table *running = expect_good(everything), *table = running;
    char text[64 * 1024] = PRICE_HEADER;

    (void)state;
    for (int i = 0; i < 25; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "a,EUR,33,-%d,,,,\n", i);
    assert_int_equal(parse(text, strlen(text), &table), -EINVAL);
    assert_ptr_equal(table, running);
    assert_int_equal(notes.count, TABLE_NOTES_MAX);
    assert_int_equal(notes.more, 5);
    assert_string_equal(notes.text[19], "tariffs.csv:21:price: '-19' is negative" ALLOWED_PRICE);
    assert_int_equal(parse("plan,x\na,\"\n,\n", 14, &table), -EINVAL);
    assert_int_equal(notes.count, 1);
    assert_int_equal(parse(PRICE_HEADER "a,x,y,z,,,,\n", strlen(PRICE_HEADER "a,x,y,z,,,,\n"), &table), -EINVAL);
    assert_int_equal(notes.count, 3);

    /* A file that is wrong through and through is not read to its end. */
    for (int i = 0; i < 3000; i++)
        (void)strcpy(text + sizeof PRICE_HEADER - 1 + 8 * i, "a,,,,,,\n");
    assert_int_equal(parse(text, strlen(text), &table), -EINVAL);
    assert_int_equal(notes.more, TABLE_ERRORS_MAX);
    assert_ptr_equal(table, running);
    tariff_free(running);
}

static void several_files_are_one_table(void **state)
{
    static const char first[] = "plan,currency,price,prefix\na,EUR,1,33\n", second[] = "prefix,price,currency,plan\n34,2,EUR,a\n33,2,EUR,a\n";
    struct table_file files[2] = { { "one.csv", first, sizeof first - 1 }, { "two.csv", second, sizeof second - 1 } };
    struct tariff_table *table = NULL;

    (void)state;
    assert_int_equal(tariff_parse(files, 2, &table, &notes), -EINVAL);
    assert_int_equal(notes.count, 1);
    assert_string_equal(notes.text[0], "two.csv:3:prefix: '33' of plan 'a' has a price already by one.csv:2, which is valid at all times "
                                       "(allowed: one row at a time)");
    files[1].length -= strlen("33,2,EUR,a\n");
    assert_int_equal(tariff_parse(files, 2, &table, &notes), 0);
    assert_int_equal(tariff_plan_count(table), 1);
    assert_int_equal(tariff_price(tariff_find_plan(table, "a"), "346", 1, 0).total_micro, 2000000);
    assert_string_equal(tariff_file_name(table, tariff_row_at(table, 1)->file), "two.csv");
    tariff_free(table);
    table = NULL;
    assert_int_equal(tariff_parse(NULL, 0, &table, &notes), 0);
    assert_null(tariff_find_plan(table, "a"));
    tariff_free(table);
    tariff_free(NULL);
}

static char *read_config(const char *name, size_t *ret_length)
{
    char path[512], *text = malloc(65536);
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/../config/tariffs/%s", TEST_DATA_DIR, name);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(text);
    *ret_length = fread(text, 1, 65536, file);
    (void)fclose(file);
    return text;
}

static void the_examples_that_are_shipped_are_good(void **state)
{
    size_t length;
    char *text = read_config("orange-prepaid.csv", &length);
    struct tariff_table *table = NULL;
    struct tariff_quote quote;

    (void)state;
    assert_int_equal(parse(text, length, &table), 0);
    quote = tariff_price(tariff_find_plan(table, "orange-prepaid"), "33607123456", 2, 20800);
    assert_true(quote.on_net);
    assert_int_equal(quote.bundle_count, 1);
    quote = tariff_price(tariff_find_plan(table, "orange-prepaid"), "33650123456", 2, 20819);
    assert_int_equal(quote.total_micro, 200000);
    tariff_free(table);
    free(text);
    text = read_config("office-abo.csv", &length);
    assert_int_equal(parse(text, length, &table), 0);
    assert_int_equal(tariff_price(tariff_find_plan(table, "office-abo"), "4179", 3, 0).total_micro, 200000);
    tariff_free(table);
    free(text);
}

static void more_plans_than_the_bound_are_refused(void **state)
{
    size_t size = (TARIFF_PLANS_MAX + 2) * 16;
    char *text = malloc(size);
    size_t length;
    struct tariff_table *table = NULL;

    (void)state;
    assert_non_null(text);
    length = (size_t)snprintf(text, size, "plan,currency,price\n");
    for (unsigned i = 0; i < TARIFF_PLANS_MAX; i++)
        length += (size_t)snprintf(text + length, size - length, "%u,EUR,%u\n", i, i);
    assert_int_equal(parse(text, length, &table), 0);
    for (unsigned i = 0; i < TARIFF_PLANS_MAX; i += 511) {
        char name[8];

        (void)snprintf(name, sizeof name, "%u", i);
        assert_int_equal(tariff_price(tariff_find_plan(table, name), "1", 1, 0).total_micro, (int64_t)i * 1000000);
    }
    assert_null(tariff_find_plan(table, "4096"));
    tariff_free(table);
    length += (size_t)snprintf(text + length, size - length, "x,EUR,1\n");
    assert_int_equal(parse(text, length, &table), -EINVAL);
    assert_string_equal(notes.text[0], "tariffs.csv:4098:plan: is one plan too many (allowed: 4096 in all files)");
    free(text);
}

static void a_million_rows_are_read_and_one_more_is_refused(void **state)
{
    size_t size = (size_t)(TARIFF_ROWS_MAX + 2) * 20, length;
    char *text = malloc(size);
    struct tariff_table *table = NULL;

    (void)state;
    assert_non_null(text);
    length = (size_t)snprintf(text, size, "plan,currency,prefix,price\n");
    for (unsigned i = 0; i < TARIFF_ROWS_MAX; i++)
        length += (size_t)snprintf(text + length, size - length, "a,EUR,%06u,1\n", i);
    assert_int_equal(parse(text, length, &table), 0);
    assert_int_equal(tariff_row_count(table), TARIFF_ROWS_MAX);
    assert_int_equal(tariff_price(tariff_find_plan(table, "a"), "9999991", 1, 0).row->line, TARIFF_ROWS_MAX + 1);
    assert_in_range(tariff_bytes(table), 80u << 20, 128u << 20);
    tariff_free(table);
    table = NULL;
    length += (size_t)snprintf(text + length, size - length, "a,EUR,7,1\n");
    assert_int_equal(parse(text, length, &table), -EINVAL);
    assert_null(table);
    assert_string_equal(notes.text[0], "tariffs.csv:1000002: is one row too many (allowed: 1000000 in all files)");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_column_reaches_its_field),
        cmocka_unit_test(a_table_written_again_means_the_same),
        cmocka_unit_test(every_truncation_is_read_or_refused_with_a_reason),
        cmocka_unit_test(every_error_names_file_row_and_column_and_what_is_allowed),
        cmocka_unit_test(rows_that_only_touch_or_differ_are_no_overlap),
        cmocka_unit_test(all_errors_come_at_once_up_to_a_bound_and_the_running_table_stays),
        cmocka_unit_test(several_files_are_one_table),
        cmocka_unit_test(the_examples_that_are_shipped_are_good),
        cmocka_unit_test(more_plans_than_the_bound_are_refused),
        cmocka_unit_test(a_million_rows_are_read_and_one_more_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
