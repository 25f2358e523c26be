/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "src/base/utf8.h"

static void every_character_is_written_and_read_back(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        char text[UTF8_BYTES_MAX];
        uint32_t read = 0;
        size_t length = utf8_put(code_point, text);

        if (code_point >= 0xD800 && code_point <= 0xDFFF) {
            assert_int_equal(length, 3);
            assert_true(utf8_next(text, length, &read) < 0);
            continue;
        }
        assert_int_equal(utf8_next(text, length, &read), length);
        assert_int_equal(read, code_point);
        for (size_t shorter = 0; shorter < length; shorter++)
            assert_true(utf8_next(text, shorter, &read) < 0);
    }
}

static void what_is_above_the_last_character_becomes_the_replacement(void **state)
{
    char text[UTF8_BYTES_MAX];

    (void)state;
    assert_int_equal(utf8_put(0x110000, text), 3);
    assert_memory_equal(text, "\xEF\xBF\xBD", 3);
}

static void malformed_octets_are_found_where_they_are(void **state)
{
    static const struct { const char *text; size_t at; } malformed[] = {
        { "\x80", 0 },                 { "ab\xFF", 2 },              { "\xC0\x80", 0 },          /* overlong NUL */
        { "\xC1\xBF", 0 },             { "\xE0\x9F\xBF", 0 },        { "\xF0\x8F\xBF\xBF", 0 },
        { "\xED\xA0\x80", 0 },         { "a\xED\xBF\xBF", 1 },       { "\xF4\x90\x80\x80", 0 },
        { "\xF5\x80\x80\x80", 0 },     { "\xC3", 0 },                { "\xE2\x82", 0 },
        { "\xE2\x82" "a", 0 },         { "\xF0\x9F\x98", 0 },        { "\xC3\xA9\xC3", 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        size_t length = strlen(malformed[i].text), at = 99;
        char *copy = malloc(length);

        memcpy(copy, malformed[i].text, length);
        assert_false(utf8_is_valid(copy, length, &at));
        assert_int_equal(at, malformed[i].at);
        assert_false(utf8_is_valid(copy, length, NULL));
        free(copy);
    }
}

static void text_of_all_lengths_is_valid(void **state)
{
    (void)state;
    assert_true(utf8_is_valid("", 0, NULL));
    assert_true(utf8_is_valid("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 10, NULL));
    assert_true(utf8_is_valid("\xF4\x8F\xBF\xBF", 4, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_written_and_read_back),
        cmocka_unit_test(what_is_above_the_last_character_becomes_the_replacement),
        cmocka_unit_test(malformed_octets_are_found_where_they_are),
        cmocka_unit_test(text_of_all_lengths_is_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
