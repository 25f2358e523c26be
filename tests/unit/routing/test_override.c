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

#include "src/base/digits.h"
#include "src/routing/override.h"

static struct table_notes notes;

static int parse(const char *text, size_t length, struct override_table **ret_table)
{
    const struct table_file file = { "ported.csv", text, length };

    return override_parse(&file, 1, ret_table, &notes);
}

static uint64_t key(const char *digits)
{
    return digits_pack(digits, strlen(digits), NULL);
}

static void a_ported_number_is_priced_by_the_network_it_is_with_now(void **state)
{
    static const char text[] = "note,as,number\n# to Free\nsince May,336950,+33607123456\n,49151,4917012345678\n,3,1234567\n,123456789012345,999999999999999\n";
    struct override_table *table = NULL;

    (void)state;
    assert_int_equal(parse(text, sizeof text - 1, &table), 0);
    assert_int_equal(override_count(table), 4);
    assert_true(override_bytes(table) >= 4 * 16);
    assert_true(override_find(table, key("33607123456")) == key("336950"));
    assert_true(override_find(table, key("4917012345678")) == key("49151"));
    assert_true(override_find(table, key("1234567")) == key("3"));
    assert_true(override_find(table, key("999999999999999")) == key("123456789012345"));
    /* Whole numbers alone: neither what begins like one nor what one begins with. */
    assert_true(override_find(table, key("3360712345")) == key("3360712345"));
    assert_true(override_find(table, key("336071234560")) == key("336071234560"));
    assert_true(override_find(table, key("33607123457")) == key("33607123457"));
    assert_true(override_find(table, key("")) == key(""));
    override_free(table);
    table = NULL;
    assert_int_equal(override_parse(NULL, 0, &table, &notes), 0);
    assert_int_equal(override_count(table), 0);
    assert_true(override_find(table, key("33607123456")) == key("33607123456"));
    assert_true(override_find(NULL, key("33607123456")) == key("33607123456"));
    override_free(table);
    override_free(NULL);
}

/* Nor is what stands for another one, be it above all numbers of the table. */
static void what_a_number_is_priced_by_is_not_looked_up_again(void **state)
{
    static const char text[] = "number,as\n33607123456,4917012345678\n33607123457,33607123456\n";
    struct override_table *table = NULL;

    (void)state;
    assert_int_equal(parse(text, sizeof text - 1, &table), 0);
    assert_true(override_find(table, key("33607123457")) == key("33607123456"));
    assert_true(override_find(table, key("4917012345678")) == key("4917012345678"));
    override_free(table);
}

#define HEADER "number,as,note\n"
#define ALLOWED_NUMBER " (allowed: 7 to 15 digits of an international number, with or without '+')"
#define ALLOWED_AS " (allowed: 1 to 15 digits of an international number without '+')"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Each has this one error and no other. */
static const struct { const char *text, *error; } errors[] = {
    { "", "ported.csv: has no header (a line with the names of its columns: number, as, note)" },
    { "number,note\n", "ported.csv:1:as: the header does not have this column, which it needs" },
    { "number,as,network\n", "ported.csv:1:network: unknown column (allowed: number, as, note)" },
    { HEADER "33607123456\n", "ported.csv:2: the row has 1 field, the header has 3" },
    { HEADER ",33,\n", "ported.csv:2:number: is missing" ALLOWED_NUMBER },
    { HEADER "33607123456,,\n", "ported.csv:2:as: is missing" ALLOWED_AS },
    { HEADER "33 607123456,33,\n", "ported.csv:2:number: '33 607123456' has something else than digits" ALLOWED_NUMBER },
    { HEADER "++33607123456,33,\n", "ported.csv:2:number: '++33607123456' has something else than digits" ALLOWED_NUMBER },
    { HEADER "+,33,\n", "ported.csv:2:number: '+' has too few digits" ALLOWED_NUMBER },
    { HEADER "336071,33,\n", "ported.csv:2:number: '336071' has too few digits" ALLOWED_NUMBER },
    { HEADER "+1234567890123456,33,\n", "ported.csv:2:number: '+1234567890123456' has too many digits" ALLOWED_NUMBER },
    { HEADER "123456789012345x,33,\n", "ported.csv:2:number: '123456789012345x' has something else than digits" ALLOWED_NUMBER },
    { HEADER "0033607123456,33,\n", "ported.csv:2:number: '0033607123456' begins with 0, as no country code does" ALLOWED_NUMBER },
    { HEADER "33607123456,+33,\n", "ported.csv:2:as: '+33' has something else than digits" ALLOWED_AS },
    { HEADER "33607123456,*,\n", "ported.csv:2:as: '*' has something else than digits" ALLOWED_AS },
    { HEADER "33607123456,0695,\n", "ported.csv:2:as: '0695' begins with 0, as no country code does" ALLOWED_AS },
    { HEADER "33607123456,1234567890123456,\n", "ported.csv:2:as: '1234567890123456' has too many digits" ALLOWED_AS },
    { HEADER "33607123456,33," X64 X64 X64 X64 "\n",
      "ported.csv:2:note: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is too long (allowed: up to 255 octets)" },
    { HEADER "33607123456,33,\n33607123457,33,\n+33607123456,33,\n",
      "ported.csv:4:number: '33607123456' is there already by ported.csv:2 (allowed: one row)" },
};

static void every_error_names_file_row_and_column_and_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct override_table *table = NULL;

        assert_int_equal(parse(errors[i].text, strlen(errors[i].text), &table), -EINVAL);
        assert_null(table);
        assert_string_equal(notes.text[0], errors[i].error);
        if (notes.count != 1)
            fail_msg("%s\nis not the only error: %s", errors[i].error, notes.text[1]);
    }
}

static void several_files_are_one_table_and_the_running_one_stays(void **state)
{
    static const char first[] = HEADER "33607123456,33695,\n", second[] = "as,number\n49,4917012345678\n33,33607123456\n7,x\n";
    struct table_file files[2] = { { "one.csv", first, sizeof first - 1 }, { "two.csv", second, sizeof second - 1 } };
    struct override_table *table = NULL, *running;
    static struct table_file many[OVERRIDE_FILES_MAX + 1];

    (void)state;
    assert_int_equal(override_parse(files, 1, &table, &notes), 0);
    running = table;
    assert_int_equal(override_parse(files, 2, &table, &notes), -EINVAL);
    assert_ptr_equal(table, running);
    assert_int_equal(notes.count, 2);
    assert_string_equal(notes.text[0], "two.csv:4:number: 'x' has something else than digits" ALLOWED_NUMBER);
    assert_string_equal(notes.text[1], "two.csv:3:number: '33607123456' is there already by one.csv:2 (allowed: one row)");
    files[1].length -= strlen("33,33607123456\n7,x\n");
    assert_int_equal(override_parse(files, 2, &table, &notes), 0);
    assert_int_equal(override_count(table), 2);
    override_free(running);
    override_free(table);
    for (unsigned i = 0; i <= OVERRIDE_FILES_MAX; i++)
        many[i] = (struct table_file){ "f.csv", "number,as\n", 10 };
    assert_int_equal(override_parse(many, OVERRIDE_FILES_MAX + 1, &table, &notes), -EINVAL);
    assert_string_equal(notes.text[0], "f.csv: is one file too many (allowed: 1024)");
}

static void a_million_rows_are_read_and_one_more_is_refused(void **state)
{
    size_t size = (size_t)(OVERRIDE_ROWS_MAX + 2) * 24, length;
    char *text = malloc(size), number[32];
    struct override_table *table = NULL;

    (void)state;
    assert_non_null(text);
    length = (size_t)snprintf(text, size, "number,as\n");
    for (unsigned i = 0; i < OVERRIDE_ROWS_MAX; i++)   /* in no order */
        length += (size_t)snprintf(text + length, size - length, "+3361%06u,%u\n", (unsigned)(i * UINT64_C(700001) % OVERRIDE_ROWS_MAX), i % 97 + 1);
    assert_int_equal(parse(text, length, &table), 0);
    assert_int_equal(override_count(table), OVERRIDE_ROWS_MAX);
    for (unsigned i = 0; i < OVERRIDE_ROWS_MAX; i += 997) {
        char as[8];

        (void)snprintf(number, sizeof number, "3361%06u", (unsigned)(i * UINT64_C(700001) % OVERRIDE_ROWS_MAX));
        (void)snprintf(as, sizeof as, "%u", i % 97 + 1);
        assert_true(override_find(table, key(number)) == key(as));
    }
    assert_in_range(override_bytes(table), 16000000, 17000000);
    override_free(table);
    table = NULL;
    length += (size_t)snprintf(text + length, size - length, "4917012345678,1\n");
    assert_int_equal(parse(text, length, &table), -EINVAL);
    assert_null(table);
    assert_int_equal(notes.count, 1);
    assert_string_equal(notes.text[0], "ported.csv:1000002: is one row too many (allowed: 1000000 in all files)");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ported_number_is_priced_by_the_network_it_is_with_now),
        cmocka_unit_test(what_a_number_is_priced_by_is_not_looked_up_again),
        cmocka_unit_test(every_error_names_file_row_and_column_and_what_is_allowed),
        cmocka_unit_test(several_files_are_one_table_and_the_running_one_stays),
        cmocka_unit_test(a_million_rows_are_read_and_one_more_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
