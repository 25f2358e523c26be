/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/utf8.h"
#include "src/sms/sms_marks.h"
#include "tests/unit/sms/split_check.h"

#define BIT(language) (1u << (language))
enum { TURKISH = 1, SPANISH = 2, PORTUGUESE = 3, HINDI = 6 };

#define G_BREVE "\xC4\x9F"          /* Turkish, both tables */
#define DOTLESS_I "\xC4\xB1"
#define C_CEDILLA "\xC3\xA7"        /* Turkish, Spanish, Portuguese */
#define O_ACUTE "\xC3\xB3"          /* Spanish, Portuguese */
#define E_GRAVE "\xC3\xA8"          /* default alphabet; not in the Turkish locking table */
#define EURO "\xE2\x82\xAC"
#define CYRILLIC "\xD1\x8F"
#define GRIN "\xF0\x9F\x98\x80"
#define ACUTE "\xCC\x81"            /* combining, category Mn */
#define QUOTE "\xE2\x80\x99"
#define NAMASTE_HINDI "\xE0\xA4\xA8\xE0\xA4\xAE\xE0\xA4\xB8\xE0\xA5\x8D\xE0\xA4\xA4\xE0\xA5\x87"

/* Texts made of repeated pieces. */
struct text { char *octets; size_t length; };

static void text_add(struct text *text, const char *piece, size_t times)
{
    text->octets = realloc(text->octets, text->length + times * strlen(piece) + 1);
    assert_non_null(text->octets);
    for (; times > 0; times--) {
        memcpy(text->octets + text->length, piece, strlen(piece));
        text->length += strlen(piece);
    }
    text->octets[text->length] = '\0';
}

static struct text text_of(const char *piece, size_t times)
{
    struct text text = { 0 };

    text_add(&text, piece, times);
    return text;
}

static struct sms_split plan(struct text *text, struct sms_split_options options)
{
    struct sms_split split;
    const char *error = NULL;

    if (sms_split(text->octets, text->length, &options, &split, NULL, &error) != 0)
        fail_msg("%s", error);
    assert_null(split_check(&split, &options));
    free(text->octets);
    return split;
}

static void expect_plan(struct text text, struct sms_split_options options, enum sms_alphabet alphabet, uint8_t locking,
                        uint8_t single, uint16_t parts)
{
    struct sms_split split = plan(&text, options);

    assert_int_equal(split.alphabet, alphabet);
    assert_int_equal(split.locking, locking);
    assert_int_equal(split.single, single);
    assert_int_equal(split.count, parts);
    sms_split_done(&split);
}

static void the_room_of_a_part_is_that_of_the_standard(void **state)
{
    /* Elements: single or locking, both; 8- and 16-bit reference. */
    static const struct {
        const char *piece;
        uint16_t national;
        uint8_t port_bits;
        uint16_t alone, ref8, ref16;
    } rooms[] = {
        { "a", 0, 0, 160, 153, 152 },
        { CYRILLIC, 0, 0, 70, 67, 66 },
        { G_BREVE, BIT(TURKISH), 0, 155, 149, 148 },        /* locking */
        { "a", 0, 16, 152, 146, 145 },
        { "a", 0, 8, 154, 148, 147 },
        { CYRILLIC, 0, 16, 66, 64, 63 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        for (int ref16 = 0; ref16 <= 1; ref16++) {
            struct sms_split_options options = {
                .national = rooms[i].national, .port_bits = rooms[i].port_bits, .ref16 = ref16,
            };
            uint16_t part = ref16 ? rooms[i].ref16 : rooms[i].ref8;
            size_t lengths[] = { rooms[i].alone, rooms[i].alone + 1u, 2u * part, 2u * part + 1, 3u * part, 3u * part + 1 };
            uint16_t expected[] = { 1, 2, 2, 3, 3, 4 };

            for (size_t j = 0; j < 6; j++) {
                struct text text = text_of(rooms[i].piece, lengths[j]);
                struct sms_split split = plan(&text, options);

                assert_int_equal(split.count, expected[j]);
                sms_split_done(&split);
            }
        }
    }
}

static void both_tables_leave_146_septets_in_each_part(void **state)
{
    struct sms_split_options options = { .national = BIT(HINDI) };
    struct text text = text_of(NAMASTE_HINDI, 48);   /* 288 letters of the locking table */
    struct sms_split split;

    (void)state;
    text_add(&text, "A", 2);                          /* capitals: only in the single table, 2 septets each */
    split = plan(&text, options);
    assert_int_equal(split.locking, HINDI);
    assert_int_equal(split.single, HINDI);
    assert_int_equal(split.units, 292);
    assert_int_equal(split.count, 2);
    assert_int_equal(split.parts[0].units, 146);
    assert_int_equal(split.units_left, 0);
    sms_split_done(&split);
}

static void a_national_table_is_used_only_where_it_is_allowed(void **state)
{
    (void)state;
    expect_plan(text_of(G_BREVE, 100), (struct sms_split_options){ 0 }, SMS_UCS2, 0, 0, 2);
    expect_plan(text_of(G_BREVE, 100), (struct sms_split_options){ .national = BIT(SPANISH) }, SMS_UCS2, 0, 0, 2);
    expect_plan(text_of(G_BREVE, 100), (struct sms_split_options){ .national = BIT(TURKISH) }, SMS_GSM7, TURKISH, 0, 1);
    expect_plan(text_of(G_BREVE, 100), (struct sms_split_options){ .national = 0x3FFE }, SMS_GSM7, TURKISH, 0, 1);
    expect_plan(text_of(G_BREVE, 100), (struct sms_split_options){ .national = BIT(TURKISH), .encoding = SMS_ENCODING_UCS2 },
                SMS_UCS2, 0, 0, 2);
}

static void a_national_table_is_used_only_where_it_saves_a_part(void **state)
{
    (void)state;
    expect_plan(text_of(G_BREVE, 70), (struct sms_split_options){ .national = BIT(TURKISH) }, SMS_UCS2, 0, 0, 1);
    expect_plan(text_of(G_BREVE, 71), (struct sms_split_options){ .national = BIT(TURKISH) }, SMS_GSM7, 0, TURKISH, 1);
    expect_plan(text_of(G_BREVE, 78), (struct sms_split_options){ .national = BIT(TURKISH) }, SMS_GSM7, TURKISH, 0, 1);
    /* The euro sign costs 2 septets in the default alphabet and 1 in the Turkish locking table. */
    expect_plan(text_of(EURO, 80), (struct sms_split_options){ .national = BIT(TURKISH) }, SMS_GSM7, 0, 0, 1);
    expect_plan(text_of(EURO, 81), (struct sms_split_options){ .national = BIT(TURKISH) }, SMS_GSM7, TURKISH, 0, 1);
}

static void the_simplest_header_that_is_cheap_enough_is_taken(void **state)
{
    struct text few = text_of("a", 120), mixed = text_of("a", 60), two_languages = { 0 };

    (void)state;
    /* A few special letters: single shift alone, as no letter of the default alphabet is lost. */
    text_add(&few, E_GRAVE G_BREVE, 3);
    expect_plan(few, (struct sms_split_options){ .national = 0x3FFE }, SMS_GSM7, 0, TURKISH, 1);
    /* Spanish has no locking table, so its letters cost 2 septets; Portuguese has them at 1. */
    expect_plan(text_of(O_ACUTE, 90), (struct sms_split_options){ .national = BIT(SPANISH) }, SMS_UCS2, 0, 0, 2);
    expect_plan(text_of(O_ACUTE, 90), (struct sms_split_options){ .national = BIT(SPANISH) | BIT(PORTUGUESE) }, SMS_GSM7,
                PORTUGUESE, 0, 1);
    text_add(&mixed, O_ACUTE, 40);
    expect_plan(mixed, (struct sms_split_options){ .national = BIT(SPANISH) }, SMS_GSM7, 0, SPANISH, 1);
    /* Turkish letters at 1 septet and a Spanish name need both elements, of two languages. */
    text_add(&two_languages, DOTLESS_I, 120);
    text_add(&two_languages, O_ACUTE, 5);
    expect_plan(two_languages, (struct sms_split_options){ .national = BIT(TURKISH) | BIT(SPANISH) }, SMS_GSM7, TURKISH,
                SPANISH, 1);
}

static void seven_bits_may_be_asked_for(void **state)
{
    struct sms_split_options options = { .encoding = SMS_ENCODING_GSM7 };
    struct sms_split split;
    uint32_t at = 0;
    const char *error = NULL;

    (void)state;
    assert_int_equal(sms_split("ok " G_BREVE, 5, &options, &split, &at, &error), -EINVAL);
    assert_int_equal(at, 3);
    assert_non_null(error);
    assert_null(split.parts);
    options.national = BIT(TURKISH);
    expect_plan(text_of("ok " G_BREVE, 1), options, SMS_GSM7, 0, TURKISH, 1);
    assert_int_equal(sms_split(G_BREVE "ok " CYRILLIC, 7, &options, &split, &at, &error), -EINVAL);
    assert_int_equal(at, 5);
}

static void typographic_characters_are_replaced_only_where_that_saves_a_part(void **state)
{
    struct sms_split_options options = { .downgrade = true };
    struct text text = text_of("a", 69);
    struct sms_split split;

    (void)state;
    text_add(&text, QUOTE, 1);
    split = plan(&text, options);                        /* 70 units of UCS-2: one part as it is */
    assert_int_equal(split.alphabet, SMS_UCS2);
    assert_int_equal(split.change_count, 0);
    sms_split_done(&split);

    text = text_of("a", 69);
    text_add(&text, QUOTE, 2);
    split = plan(&text, options);
    assert_int_equal(split.alphabet, SMS_GSM7);
    assert_int_equal(split.count, 1);
    assert_int_equal(split.change_count, 1);
    assert_int_equal(split.changes[0].from, 0x2019);
    assert_int_equal(split.changes[0].to, '\'');
    assert_int_equal(split.changes[0].count, 2);
    assert_string_equal(split.changes[0].to_text, "'");
    assert_string_equal(split.text + 69, "''");
    sms_split_done(&split);

    text = text_of(QUOTE, 10);
    text_add(&text, CYRILLIC, 80);                       /* UCS-2 anyway: nothing is gained */
    split = plan(&text, options);
    assert_int_equal(split.change_count, 0);
    sms_split_done(&split);
}

static void replacement_makes_a_text_fit_the_seven_bits_asked_for(void **state)
{
    struct sms_split_options options = { .encoding = SMS_ENCODING_GSM7, .downgrade = true };
    struct text text = text_of("\xE2\x80\x9Cwait\xE2\x80\xA6\xE2\x80\x9D", 1);
    struct sms_split split;
    uint32_t at = 0;

    (void)state;
    split = plan(&text, options);
    assert_string_equal(split.text, "\"wait...\"");
    assert_int_equal(split.change_count, 3);
    assert_int_equal(split.changes[0].from, 0x201C);
    assert_int_equal(split.changes[1].from, 0x2026);
    assert_int_equal(split.changes[2].from, 0x201D);
    sms_split_done(&split);
    /* What still does not fit is named where it stands in the original. */
    assert_int_equal(sms_split("\xE2\x80\xA6" CYRILLIC, 5, &options, &split, &at, NULL), -EINVAL);
    assert_int_equal(at, 3);
}

static void an_accent_stays_with_its_letter_where_that_costs_nothing(void **state)
{
    struct text text = text_of(CYRILLIC, 66);
    struct sms_split split;

    (void)state;
    text_add(&text, "e" ACUTE, 1);
    text_add(&text, CYRILLIC, 10);
    split = plan(&text, (struct sms_split_options){ 0 });
    assert_int_equal(split.count, 2);
    assert_int_equal(split.parts[0].units, 66);
    assert_int_equal(split.parts[1].units, 12);
    sms_split_done(&split);
}

static void an_accent_is_cut_off_rather_than_paid_for(void **state)
{
    struct text text = text_of(CYRILLIC, 66);
    struct sms_split split;

    (void)state;
    text_add(&text, "e" ACUTE, 1);
    text_add(&text, CYRILLIC, 66);                       /* 134 units: two full parts */
    split = plan(&text, (struct sms_split_options){ 0 });
    assert_int_equal(split.count, 2);
    assert_int_equal(split.parts[0].units, 67);
    sms_split_done(&split);
}

static void a_heap_of_accents_longer_than_a_part_is_still_cut(void **state)
{
    struct text text = text_of("e" ACUTE, 1);
    struct sms_split split;

    (void)state;
    text_add(&text, ACUTE, 300);
    split = plan(&text, (struct sms_split_options){ 0 });
    assert_int_equal(split.count, 5);
    sms_split_done(&split);
}

/* Numbers that look like chance and are the same every time. */
static uint32_t next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static struct text some_text(uint64_t seed, const char *const *pieces, size_t count, size_t length)
{
    struct text text = { 0 };

    for (size_t i = 0; i < length; i++)
        text_add(&text, pieces[next_number(&seed) % count], 1);
    return text;
}

static void parts_of_any_text_fit_and_make_the_text_again(void **state)
{
    static const char *const pieces[] = {
        "a", "Z", " ", "\n", EURO, "[", E_GRAVE, G_BREVE, DOTLESS_I, C_CEDILLA, O_ACUTE, ACUTE, CYRILLIC, GRIN, QUOTE,
        NAMASTE_HINDI, "\xE0\xA5\xA6",
    };
    static const size_t kinds[] = { 4, 6, 7, 9, 11, 12, 13, 14, 17 };   /* of pieces, from the left */

    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct sms_split_options options = {
            .national = (uint16_t)(seed * 40503u), .downgrade = seed & 1, .ref16 = seed & 2,
            .port_bits = (uint8_t)(seed % 3 * 8), .encoding = SMS_ENCODING_AUTO,
        };
        struct text text = some_text(seed, pieces, kinds[seed % 9], seed * 3);
        struct sms_split split;
        const char *wrong;

        assert_int_equal(sms_split(text.octets, text.length, &options, &split, NULL, NULL), 0);
        wrong = split_check(&split, &options);
        if (wrong != NULL)
            fail_msg("seed %u: %s", (unsigned)seed, wrong);
        assert_int_equal(sms_split_count(text.octets, text.length, &options), split.count);
        sms_split_done(&split);
        free(text.octets);
    }
}

/* Cuts in front of marks in a plan. */
static size_t broken_cuts(const struct sms_split *split)
{
    size_t broken = 0;

    for (size_t i = 1; i < split->count; i++) {
        uint32_t code_point = 0;

        (void)utf8_next(split->text + split->parts[i].offset, split->parts[i].length, &code_point);
        broken += sms_mark_is(code_point);
    }
    return broken;
}

/* By trying all: fewest parts, then fewest broken cuts. Characters of one unit each. */
static void best_by_trying_all(const bool *is_mark, size_t count, size_t room, size_t *ret_parts, size_t *ret_broken)
{
    size_t *parts = calloc(count + 1, sizeof *parts), *broken = calloc(count + 1, sizeof *broken);

    for (size_t from = count; from-- > 0;) {
        parts[from] = SIZE_MAX;
        for (size_t to = from + 1; to <= count && to - from <= room; to++) {
            size_t cut = to < count && is_mark[to], more = parts[to] + 1, breaks = broken[to] + cut;

            if (more < parts[from] || (more == parts[from] && breaks < broken[from])) {
                parts[from] = more;
                broken[from] = breaks;
            }
        }
    }
    *ret_parts = parts[0];
    *ret_broken = broken[0];
    free(parts);
    free(broken);
}

static void no_other_cuts_keep_more_accents_without_another_part(void **state)
{
    size_t texts_with_a_choice = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t numbers = seed;
        size_t count = 71 + next_number(&numbers) % 600, parts, broken;
        struct text text = { 0 };
        bool is_mark[700];
        struct sms_split split;

        for (size_t i = 0; i < count; i++) {   /* runs of marks, often where a part ends */
            is_mark[i] = i > 0 && (next_number(&numbers) % 8 < seed % 8 || (i % 67 < seed % 5 && seed % 3 == 0));
            text_add(&text, is_mark[i] ? ACUTE : CYRILLIC, 1);
        }
        best_by_trying_all(is_mark, count, 67, &parts, &broken);
        split = plan(&text, (struct sms_split_options){ 0 });
        assert_int_equal(split.count, parts);
        assert_int_equal(split.count, (count + 66) / 67);
        assert_int_equal(broken_cuts(&split), broken);
        texts_with_a_choice += broken > 0;
        sms_split_done(&split);
    }
    assert_true(texts_with_a_choice > 20);
}

static void what_is_no_text_is_refused_with_its_place(void **state)
{
    struct sms_split_options options = { 0 };
    struct sms_split split;
    uint32_t at = 0;
    const char *error = NULL;

    (void)state;
    assert_int_equal(sms_split("ab\xC3(", 4, &options, &split, &at, &error), -EILSEQ);
    assert_int_equal(at, 2);
    assert_non_null(error);
    assert_int_equal(sms_split("abc\0d", 5, &options, &split, &at, &error), -EINVAL);
    assert_int_equal(at, 3);
    assert_int_equal(sms_split_count("\xFF", 1, &options), 0);
    assert_null(split.text);
    sms_split_done(&split);
    sms_split_done(NULL);
}

static void a_text_that_takes_too_many_parts_is_refused_with_their_number(void **state)
{
    struct sms_split_options options = { .parts_max = 3 };
    struct text text = text_of("a", 3 * 153);
    struct sms_split split;
    uint32_t at = 0;

    (void)state;
    assert_int_equal(sms_split(text.octets, text.length, &options, &split, &at, NULL), 0);
    sms_split_done(&split);
    text_add(&text, "a", 1);
    assert_int_equal(sms_split(text.octets, text.length, &options, &split, &at, NULL), -E2BIG);
    assert_int_equal(at, 4);
    assert_null(split.parts);
    text_add(&text, "a", 255 * 153 - text.length);
    options.parts_max = 0;
    assert_int_equal(sms_split(text.octets, text.length, &options, &split, &at, NULL), 0);
    assert_int_equal(split.count, 255);
    sms_split_done(&split);
    text_add(&text, "a", 1);
    assert_int_equal(sms_split(text.octets, text.length, &options, &split, &at, NULL), -E2BIG);
    assert_int_equal(at, 256);
    assert_int_equal(sms_split_count(text.octets, text.length, &options), 256);
    free(text.octets);
}

static void the_empty_text_is_one_part(void **state)
{
    struct sms_split_options options = { 0 };
    struct sms_split split;

    (void)state;
    assert_int_equal(sms_split("", 0, &options, &split, NULL, NULL), 0);
    assert_null(split_check(&split, &options));
    assert_int_equal(split.count, 1);
    assert_int_equal(split.parts[0].units, 0);
    assert_int_equal(split.units_left, 160);
    sms_split_done(&split);
    assert_int_equal(sms_split(NULL, 0, &options, &split, NULL, NULL), 0);
    sms_split_done(&split);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_room_of_a_part_is_that_of_the_standard),
        cmocka_unit_test(both_tables_leave_146_septets_in_each_part),
        cmocka_unit_test(a_national_table_is_used_only_where_it_is_allowed),
        cmocka_unit_test(a_national_table_is_used_only_where_it_saves_a_part),
        cmocka_unit_test(the_simplest_header_that_is_cheap_enough_is_taken),
        cmocka_unit_test(seven_bits_may_be_asked_for),
        cmocka_unit_test(typographic_characters_are_replaced_only_where_that_saves_a_part),
        cmocka_unit_test(replacement_makes_a_text_fit_the_seven_bits_asked_for),
        cmocka_unit_test(an_accent_stays_with_its_letter_where_that_costs_nothing),
        cmocka_unit_test(an_accent_is_cut_off_rather_than_paid_for),
        cmocka_unit_test(a_heap_of_accents_longer_than_a_part_is_still_cut),
        cmocka_unit_test(parts_of_any_text_fit_and_make_the_text_again),
        cmocka_unit_test(no_other_cuts_keep_more_accents_without_another_part),
        cmocka_unit_test(what_is_no_text_is_refused_with_its_place),
        cmocka_unit_test(a_text_that_takes_too_many_parts_is_refused_with_their_number),
        cmocka_unit_test(the_empty_text_is_one_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
