/* SPDX-License-Identifier: Apache-2.0
 *
 * Times, numbers and text: the small pieces, at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"

static const struct { const char *text; int64_t ms; } times[] = {
    { "1970-01-01T00:00:00.000Z", 0 },
    { "2025-12-01T00:00:00.000Z", 1764547200000 },
    { "2024-02-29T23:59:59.999Z", 1709251199999 },
    { "2000-03-01T00:00:00.001Z", 951868800001 },
    { "1900-02-28T12:00:00.000Z", -2203934400000 },
    { "9999-12-31T23:59:59.999Z", 253402300799999 },
    { "0000-01-01T00:00:00.000Z", -62167219200000 },
};

static void times_are_written_and_read_alike(void **state)
{
    char text[API_TIME_CHARS];
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        api_time_format(times[i].ms, text);
        assert_string_equal(text, times[i].text);
        assert_int_equal(api_time_parse(times[i].text, &ms), 0);
        assert_true(ms == times[i].ms);
    }
    api_time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    api_time_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
}

static void every_day_of_four_centuries_is_written_and_read_alike(void **state)
{
    (void)state;
    for (int64_t day = -146097 / 2; day < 146097 / 2; day++) {
        char text[API_TIME_CHARS];
        int64_t ms;
        api_time_format(day * 86400000 + 86399999, text);
        assert_int_equal(api_time_parse(text, &ms), 0);
        assert_true(ms == day * 86400000 + 86399999);
    }
}

static const struct { const char *text; int64_t ms; bool good; } readings[] = {
    { "2025-12-01T02:00:00+02:00", 1764547200000, true },
    { "2025-11-30T19:00:00-05:00", 1764547200000, true },
    { "2025-12-01t00:00:00z", 1764547200000, true },
    { "2025-12-01 00:00:00Z", 1764547200000, true },
    { "2025-12-01T02:00:00 02:00", 1764547200000, true },
    { "2025-12-01T00:00:00.5Z", 1764547200500, true },
    { "2025-12-01T00:00:00.123456789Z", 1764547200123, true },
    { "2016-12-31T23:59:60Z", 1483228800000, true },   /* a leap second */
    { "1764547200", 1764547200000, true },
    { "", 0, false }, { "0", 0, false }, { "1764547200000", 0, false }, { "-5", 0, false },
    { "2025-12-01", 0, false }, { "2025-12-01T00:00:00", 0, false }, { "2025-12-01T00:00Z", 0, false },
    { "2025-13-01T00:00:00Z", 0, false }, { "2025-00-01T00:00:00Z", 0, false }, { "2025-12-00T00:00:00Z", 0, false },
    { "2025-02-29T00:00:00Z", 0, false }, { "1900-02-29T00:00:00Z", 0, false }, { "2025-04-31T00:00:00Z", 0, false },
    { "2025-12-01T24:00:00Z", 0, false }, { "2025-12-01T00:60:00Z", 0, false }, { "2025-12-01T00:00:61Z", 0, false },
    { "2025-12-01T00:00:00.Z", 0, false }, { "2025-12-01T00:00:00+0200", 0, false }, { "2025-12-01T00:00:00+24:00", 0, false },
    { "2025-12-01T00:00:00ZZ", 0, false }, { "2025-12-01T00:00:00Z ", 0, false }, { "2025-1-01T00:00:00Z", 0, false },
};

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        int64_t ms = 77;
        int r = api_time_parse_any(readings[i].text, &ms);
        if ((r == 0) != readings[i].good || (r == 0 && ms != readings[i].ms) || (r != 0 && ms != 77))
            fail_msg("\"%s\": %d, %lld", readings[i].text, r, (long long)ms);
    }
}

static void text_is_cleaned_and_cut_between_characters(void **state)
{
    static const struct { const char *text, *clean; size_t size; } rows[] = {
        { "plain", "plain", 16 }, { "plain", "plai", 5 }, { "\xc8\x99\xc8\x99", "\xc8\x99", 4 }, { "\xff", "\xef\xbf\xbd", 16 },
        { "a\xc3", "a\xef\xbf\xbd", 16 }, { "\xff", "", 3 }, { "x", "", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char clean[16];
        api_text_clean(rows[i].text, clean, rows[i].size);
        assert_string_equal(clean, rows[i].clean);
    }
}

static void a_hash_of_pieces_is_the_hash_of_the_whole(void **state)
{
    /* FIPS 180-4's example "abc" */
    static const uint8_t wanted[32] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                        0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad };
    const struct api_piece pieces[] = { { "a", 1 }, { "", 0 }, { "bc", 2 } };
    uint8_t hash[32];

    (void)state;
    assert_int_equal(api_hash(pieces, 3, hash), 0);
    assert_memory_equal(hash, wanted, sizeof wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_and_read_alike),
        cmocka_unit_test(every_day_of_four_centuries_is_written_and_read_alike),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(text_is_cleaned_and_cut_between_characters),
        cmocka_unit_test(a_hash_of_pieces_is_the_hash_of_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
