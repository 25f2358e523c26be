/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/csv.h"

/* All that is in it as "line:<field><field>", wrong records as "line!what is wrong", with '/' between records. */
static const char *read_all(const char *text, size_t length)
{
    static char found[8192];
    static struct csv_record record;
    struct csv csv;
    size_t put = 0;
    int r;

    found[0] = '\0';
    csv_init(&csv, text, length);
    while ((r = csv_next(&csv, &record)) != 0) {
        put += (size_t)snprintf(found + put, sizeof found - put, "%s%u%s", put > 0 ? "/" : "", record.line, r == 1 ? ":" : "!");
        if (r == 1)
            for (unsigned i = 0; i < record.count; i++)
                put += (size_t)snprintf(found + put, sizeof found - put, "<%s>", record.fields[i]);
        else
            put += (size_t)snprintf(found + put, sizeof found - put, "%s", record.wrong);
        assert_true(put < sizeof found);
        assert_true(r == 1 || r == -EINVAL);
    }
    return found;
}

static void records_are_read_as_rfc_4180_has_them(void **state)
{
    static const struct { const char *text, *found; } rows[] = {
        { "", "" },
        { "\n\r\n# only,this\n", "" },
        { "a,b\n1,2", "1:<a><b>/2:<1><2>" },
        { "a,b\r\n1,2\r\n", "1:<a><b>/2:<1><2>" },
        { "\xEF\xBB\xBF" "a\n", "1:<a>" },
        { ",\n,,", "1:<><>/2:<><><>" },
        { "# c\n\na\n#\nb\n", "3:<a>/5:<b>" },
        { "a,#b\n\"#c\"\n", "1:<a><#b>/2:<#c>" },
        { "\"a,b\",\"\",\"x\"\"y\"\n", "1:<a,b><><x\"y>" },
        { "\"a\nb\r\n\tc\",d\ne", "1:<a\nb\r\n\tc><d>/4:<e>" },
        { "\"a\n#b\"\nc", "1:<a\n#b>/3:<c>" },
        { " a , b\n", "1:< a >< b>" },
        { "\xC3\xA9,\xF0\x9F\x98\x80\n", "1:<\xC3\xA9><\xF0\x9F\x98\x80>" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(read_all(rows[i].text, strlen(rows[i].text)), rows[i].found);
}

static void a_wrong_record_is_named_and_the_next_line_is_read(void **state)
{
    static const struct { const char *text, *found; } rows[] = {
        { "a\nx\"y\nb", "1:<a>/2!has a quote within a field (put the whole field in quotes, and write two for one)/3:<b>" },
        { "a\n\"x\"y\nb", "1:<a>/2!has something behind the closing quote of a field/3:<b>" },
        { "a\n\"x\nb", "1:<a>/2!has a quote that is not closed/3:<b>" },
        { "\"", "1!has a quote that is not closed" },
        { "a\x01\nb", "1!has a control character/2:<b>" },
        { "a\tb\nb", "1!has a control character/2:<b>" },
        { "a\rb\nb", "1!has a control character/2:<b>" },
        { "\"a\rb\"\nb", "1!has a control character/2:<b>" },
        { "a\r", "1!has a control character" },
        { "\"a\"\r", "1!has a control character" },
        { "\"a\x7F\"\nb", "1!has a control character/2:<b>" },
        { "a,\xFF\nb", "1!is not UTF-8/2:<b>" },
        { "\"\xC3\"\nb", "1!is not UTF-8/2:<b>" },
        { "a\xC3", "1!is not UTF-8" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(read_all(rows[i].text, strlen(rows[i].text)), rows[i].found);
    assert_string_equal(read_all("a\0b\nc", 5), "1!has a control character/2:<c>");
}

static void records_have_bounds(void **state)
{
    static char text[3 * CSV_RECORD_OCTETS_MAX];
    static struct csv_record record;
    struct csv csv;
    const char *too_long = "1!is longer than 4096 octets/2:<b>";

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text + CSV_RECORD_OCTETS_MAX, "\nb", 3);
    csv_init(&csv, text, strlen(text));
    assert_int_equal(csv_next(&csv, &record), 1);
    assert_int_equal(strlen(record.fields[0]), CSV_RECORD_OCTETS_MAX);
    memcpy(text + CSV_RECORD_OCTETS_MAX, "a\nb", 4);
    assert_string_equal(read_all(text, strlen(text)), too_long);
    memcpy(text + CSV_RECORD_OCTETS_MAX, ",\nb", 4);
    assert_string_equal(read_all(text, strlen(text)), too_long);
    memcpy(text + CSV_RECORD_OCTETS_MAX - 1, "\xC3\xA9\nb", 5);
    assert_string_equal(read_all(text, strlen(text)), too_long);
    memcpy(text + CSV_RECORD_OCTETS_MAX - 1, "\xF0\x9F\x98\x80\nb", 7);
    assert_string_equal(read_all(text, strlen(text)), too_long);
    text[0] = '"';
    memcpy(text + CSV_RECORD_OCTETS_MAX - 1, "a", 1);
    memcpy(text + CSV_RECORD_OCTETS_MAX, "\"\nb", 4);
    assert_string_equal(read_all(text, strlen(text)), "1!is longer than 4096 octets, or a quote is not closed/2:<b>");

    memset(text, ',', CSV_FIELDS_MAX - 1);
    memcpy(text + CSV_FIELDS_MAX - 1, "\nb", 3);
    csv_init(&csv, text, strlen(text));
    assert_int_equal(csv_next(&csv, &record), 1);
    assert_int_equal(record.count, CSV_FIELDS_MAX);
    memcpy(text + CSV_FIELDS_MAX - 1, ",\nb", 4);
    assert_string_equal(read_all(text, strlen(text)), "1!has more than 64 fields/2:<b>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_as_rfc_4180_has_them),
        cmocka_unit_test(a_wrong_record_is_named_and_the_next_line_is_read),
        cmocka_unit_test(records_have_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
