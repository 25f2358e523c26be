/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/base/utf8.h"
#include "src/sms/sms_downgrade.h"
#include "src/sms/sms_gsm7.h"
#include "src/sms/sms_marks.h"
#include "src/sms/sms_pdu.h"
#include "src/sms/sms_tables.h"
#include "tests/unit/sms/vectors.h"

static uint32_t only_character(const char *text)
{
    uint32_t code_point = 0;

    assert_int_equal((size_t)utf8_next(text, strlen(text), &code_point), strlen(text));
    return code_point;
}

static void expect_text(const uint8_t *septets, size_t count, uint8_t locking, uint8_t single, const char *text)
{
    char decoded[3 * SMS_SEPTETS_MAX + 1];

    decoded[sms_gsm7_decode(septets, count, locking, single, decoded)] = '\0';
    assert_string_equal(decoded, text);
}

static void every_character_of_every_table_is_read_and_written(void **state)
{
    json_t *rows = vectors_load("lang-tables.jsonl"), *row, *value;
    size_t index, undefined, characters = 0;
    const char *key;

    (void)state;
    json_array_foreach(rows, index, row) {
        uint8_t language = (uint8_t)json_integer_value(json_object_get(row, "language_id"));
        bool single = strcmp(vectors_string(row, "kind"), "single") == 0;

        json_object_foreach(json_object_get(row, "chars"), key, value) {
            uint8_t code = (uint8_t)strtoul(key, NULL, 16), written[2];
            uint8_t septets[2] = { single ? SMS_ESCAPE : code, code };
            size_t count = single ? 2 : 1, units;

            expect_text(septets, count, single ? 0 : language, single ? language : 0, json_string_value(value));
            units = sms_gsm7_encode(only_character(json_string_value(value)), single ? 0 : language,
                                    single ? language : 0, written);
            assert_int_not_equal(units, 0);
            /* A single shift table may repeat what a locking table has, or itself: reading back is what counts. */
            expect_text(written, units, single ? 0 : language, single ? language : 0, json_string_value(value));
            if (!single)
                assert_int_equal(units, 1);
            characters++;
        }
        json_array_foreach(json_object_get(row, "undefined"), undefined, value) {
            uint8_t code = (uint8_t)strtoul(json_string_value(value), NULL, 16);

            expect_text(&code, 1, language, 0, "\xEF\xBF\xBD");
        }
    }
    assert_true(characters > 2400);
    json_decref(rows);
}

static void the_tables_hold_nothing_that_the_vectors_lack(void **state)
{
    json_t *rows = vectors_load("lang-tables.jsonl"), *row;
    size_t index, listed[2] = { 0 }, held[2] = { 0 };

    (void)state;
    json_array_foreach(rows, index, row)
        listed[strcmp(vectors_string(row, "kind"), "single") == 0] += json_object_size(json_object_get(row, "chars"));
    for (size_t language = 0; language < SMS_LANGUAGES; language++) {
        bool has_locking = false;

        for (size_t code = 0; code < 128; code++) {
            has_locking = has_locking || sms_tables_locking[language][code] != 0;
            held[0] += sms_tables_locking[language][code] != 0;
            held[1] += sms_tables_single[language][code] != 0;
        }
        assert_int_equal(has_locking, SMS_LANGUAGES_LOCKING >> language & 1);
    }
    assert_int_equal(held[0], listed[0]);
    assert_int_equal(held[1], listed[1]);
    json_decref(rows);
}

static void the_way_back_is_in_order_and_agrees_with_the_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < sms_tables_place_count; i++) {
        const struct sms_tables_place *place = &sms_tables_places[i];
        const uint16_t *table = place->table & 0x10 ? sms_tables_single[place->table & 0x0F]
                                                    : sms_tables_locking[place->table];

        assert_int_equal(table[place->code], place->code_point);
        assert_true(i == 0 || place[-1].code_point < place->code_point ||
                    (place[-1].code_point == place->code_point && place[-1].table < place->table));
    }
}

static void an_escape_before_a_code_without_an_extension_gives_the_plain_character(void **state)
{
    (void)state;
    expect_text((const uint8_t[]){ 0x1B, 'A' }, 2, 0, 0, "A");
    expect_text((const uint8_t[]){ 0x1B, 0x0D }, 2, 0, 1, "\r");
    expect_text((const uint8_t[]){ 0x1B, 0x07 }, 2, 1, 2, "\xC4\xB1");   /* Turkish locking table: dotless i */
}

static void an_escape_before_nothing_is_a_space(void **state)
{
    (void)state;
    expect_text((const uint8_t[]){ 'a', 0x1B }, 2, 0, 0, "a ");
    expect_text((const uint8_t[]){ 0x1B, 0x1B, 'e' }, 3, 0, 0, " e");
}

static void an_unknown_language_is_read_with_the_default_tables(void **state)
{
    (void)state;
    expect_text((const uint8_t[]){ 0x00, 0x1B, 0x65 }, 3, 200, 77, "@\xE2\x82\xAC");
    expect_text((const uint8_t[]){ 0x09 }, 1, 2, 0, "\xC3\x87");   /* Spanish has no locking table */
}

static void septets_come_back_from_every_bit_offset(void **state)
{
    uint8_t septets[SMS_SEPTETS_MAX], read[SMS_SEPTETS_MAX];

    (void)state;
    for (size_t i = 0; i < SMS_SEPTETS_MAX; i++)
        septets[i] = (uint8_t)(i * 37 % 128);
    for (size_t offset = 0; offset < 8; offset++) {
        for (size_t count = 0; count <= SMS_SEPTETS_MAX; count++) {
            size_t size = (offset + 7 * count + 7) / 8;
            uint8_t *octets = calloc(size > 0 ? size : 1, 1);   /* exactly as long as it may be */

            sms_gsm7_pack(septets, count, offset, octets);
            sms_gsm7_unpack(octets, offset, count, read);
            assert_memory_equal(septets, read, count);
            free(octets);
        }
    }
}

static void marks_are_accents_and_vowel_signs_but_not_emoji_modifiers(void **state)
{
    static const uint32_t marks[] = { 0x0300, 0x036F, 0x0903, 0x093F, 0x20E3, 0xFE0F, 0x1D165, 0xE01EF };
    static const uint32_t others[] = { 0, 'a', 0x02FF, 0x0370, 0x0904, 0x200D, 0x1F3FB, 0x1F3FF, 0xE01F0, 0x10FFFF };

    (void)state;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        assert_true(sms_mark_is(marks[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(sms_mark_is(others[i]));
}

static void replacements_are_plain_seven_bit_text(void **state)
{
    size_t replaced = 0;

    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        const char *plain = sms_downgrade_find(code_point);
        char utf8[UTF8_BYTES_MAX];
        uint8_t septets[2];

        if (plain == NULL)
            continue;
        replaced++;
        assert_int_equal(sms_gsm7_encode(code_point, 0, 0, septets), 0);
        assert_true(strlen(plain) <= SMS_DOWNGRADE_BYTES_MAX && strlen(plain) <= 2 * utf8_put(code_point, utf8));
        for (const char *c = plain; *c != '\0'; c++) {
            assert_int_not_equal(sms_gsm7_encode((uint8_t)*c, 0, 0, septets), 0);
            assert_null(sms_downgrade_find((uint8_t)*c));
        }
    }
    assert_true(replaced > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_of_every_table_is_read_and_written),
        cmocka_unit_test(the_tables_hold_nothing_that_the_vectors_lack),
        cmocka_unit_test(the_way_back_is_in_order_and_agrees_with_the_tables),
        cmocka_unit_test(an_escape_before_a_code_without_an_extension_gives_the_plain_character),
        cmocka_unit_test(an_escape_before_nothing_is_a_space),
        cmocka_unit_test(an_unknown_language_is_read_with_the_default_tables),
        cmocka_unit_test(septets_come_back_from_every_bit_offset),
        cmocka_unit_test(marks_are_accents_and_vowel_signs_but_not_emoji_modifiers),
        cmocka_unit_test(replacements_are_plain_seven_bit_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
