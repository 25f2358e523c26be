/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/text.h"
#include "src/base/utf8.h"

static void assert_escaped(const char *text, size_t length, const char *expected)
{
    char *escaped = text_escape(text, length, TEXT_ONE_LINE);
    assert_string_equal(escaped, expected);
    free(escaped);
}

static void what_a_terminal_obeys_becomes_visible(void **state)
{
    static const struct { const char *text, *expected; } rows[] = {
        { "", "" },
        { "plain +40", "plain +40" },
        { "\033[2Jgone", "\\x1b[2Jgone" },
        { "two\nlines\r\n", "two\\nlines\\r\\n" },
        { "a\tb", "a\\tb" },
        { "\x07\x08\x7f", "\\x07\\x08\\x7f" },
        { "\xC2\x9B" "2J", "\\x9b2J" },                     /* U+009B: CSI in one character */
        { "\xC2\xA0", "\xC2\xA0" },                         /* no-break space, the first behind C1 */
        { "+40\xE2\x80\xAE" "123", "+40\\u202e123" },       /* right-to-left override */
        { "\xE2\x81\xA6\xE2\x81\xA9", "\\u2066\\u2069" },
        { "\xE2\x80\xA8", "\\u2028" },
        { "back\\slash", "back\\\\slash" },
        { "ăîșț €", "ăîșț €" },
        { "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80" },
        { "bad \xFF\xC0\x80 end", "bad \\xff\\xc0\\x80 end" },
        { "cut \xE2\x82", "cut \\xe2\\x82" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_escaped(rows[i].text, strlen(rows[i].text), rows[i].expected);
    assert_escaped("a\0b", 3, "a\\x00b");
}

static void no_octet_below_space_comes_through_whatever_the_text(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            const char text[2] = { (char)first, (char)second };
            char *escaped = text_escape(text, sizeof text, TEXT_ONE_LINE);
            for (const char *at = escaped; *at != '\0'; at++)
                assert_true((unsigned char)*at >= 0x20 && *at != 0x7F);
            assert_true(utf8_is_valid(escaped, strlen(escaped), NULL));
            free(escaped);
        }
}

static void a_block_keeps_its_line_ends_and_nothing_else(void **state)
{
    char *escaped = text_escape("one\ntwo\r\033", 9, TEXT_KEEP_LINES);

    (void)state;
    assert_string_equal(escaped, "one\ntwo\\r\\x1b");
    free(escaped);
}

static void json_for_a_terminal_says_the_same_without_controls(void **state)
{
    static const char json[] = "{\"text\":\"\xC2\x9B\xE2\x80\xAE\x7F ă\\n\"}";
    char *safe = text_escape_json(json, sizeof json - 1);

    (void)state;
    assert_string_equal(safe, "{\"text\":\"\\u009b\\u202e\\u007f ă\\n\"}");
    free(safe);
}

static void width_is_in_columns_not_octets(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("ăîș"), 3);
    assert_int_equal(text_width("e\xCC\x81"), 1);            /* combining acute accent */
    assert_int_equal(text_width("\xE6\xBC\xA2\xE5\xAD\x97"), 4);
    assert_int_equal(text_width(""), 0);
}

static void a_cut_never_splits_a_character(void **state)
{
    static const char text[] = "a\xE6\xBC\xA2" "b";           /* columns 1, 2, 1 */
    static const struct { size_t columns, octets, taken; } rows[] = { { 0, 0, 0 }, { 1, 1, 1 }, { 2, 1, 1 }, { 3, 4, 3 }, { 4, 5, 4 }, { 9, 5, 4 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t taken;
        assert_int_equal(text_fit(text, rows[i].columns, &taken), rows[i].octets);
        assert_int_equal(taken, rows[i].taken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_terminal_obeys_becomes_visible),
        cmocka_unit_test(no_octet_below_space_comes_through_whatever_the_text),
        cmocka_unit_test(a_block_keeps_its_line_ends_and_nothing_else),
        cmocka_unit_test(json_for_a_terminal_says_the_same_without_controls),
        cmocka_unit_test(width_is_in_columns_not_octets),
        cmocka_unit_test(a_cut_never_splits_a_character),
    };
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
