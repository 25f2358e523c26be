/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "src/sms/sms_reassembly.h"

#define GAP_MS 600000

static struct sms_fragment fragment(int64_t id, uint8_t seq, uint8_t total, int64_t received_ms, const char *text)
{
    return (struct sms_fragment){
        .id = id, .received_ms = received_ms, .ref = 7, .ref_bits = 8, .total = total, .seq = seq, .text = text,
        .text_length = strlen(text),
    };
}

static void expect_joined(const struct sms_fragment *fragments, const int *pick, uint8_t total, const char *expected)
{
    char *text = NULL;
    size_t length = 0;

    assert_int_equal(sms_reassembly_join(fragments, pick, total, &text, &length), 0);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
    free(text);
}

static void parts_make_one_text_in_whatever_order_they_come(void **state)
{
    static const uint8_t orders[6][3] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 }, { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 } };
    static const char *const texts[] = { "one ", "two ", "three" };

    (void)state;
    for (size_t order = 0; order < 6; order++) {
        struct sms_fragment fragments[3];
        int pick[SMS_PARTS_TOTAL_MAX];

        for (size_t i = 0; i < 3; i++) {
            uint8_t seq = orders[order][i];

            fragments[i] = fragment((int64_t)i, seq, 3, 1000 * (int64_t)i, texts[seq - 1]);
            assert_int_equal(sms_reassembly_check(fragments, i + 1, i, GAP_MS, pick),
                             i < 2 ? SMS_REASSEMBLY_WAITING : SMS_REASSEMBLY_COMPLETE);
            assert_int_equal(pick[seq - 1], i);
        }
        expect_joined(fragments, pick, 3, "one two three");
    }
}

static void a_part_that_comes_twice_counts_once_and_the_first_is_kept(void **state)
{
    const struct sms_fragment fragments[] = {
        fragment(9, 1, 2, 5000, "again "), fragment(3, 1, 2, 1000, "first "), fragment(2, 2, 2, 6000, "second"),
        fragment(4, 1, 2, 1000, "same time, later "),
    };
    int pick[SMS_PARTS_TOTAL_MAX];

    (void)state;
    assert_int_equal(sms_reassembly_check(fragments, 2, 0, GAP_MS, pick), SMS_REASSEMBLY_WAITING);
    assert_int_equal(pick[0], 1);
    assert_int_equal(pick[1], -1);
    assert_int_equal(sms_reassembly_check(fragments, 4, 2, GAP_MS, pick), SMS_REASSEMBLY_COMPLETE);
    expect_joined(fragments, pick, 2, "first second");
}

static void a_reference_used_again_after_the_gap_is_another_message(void **state)
{
    const struct sms_fragment fragments[] = {
        fragment(1, 1, 2, 0, "old "), fragment(2, 1, 2, GAP_MS + 5000, "new "), fragment(3, 2, 2, GAP_MS + 9000, "message"),
    };
    int pick[SMS_PARTS_TOTAL_MAX];

    (void)state;
    assert_int_equal(sms_reassembly_check(fragments, 2, 1, GAP_MS, pick), SMS_REASSEMBLY_WAITING);
    assert_int_equal(pick[0], 1);
    assert_int_equal(sms_reassembly_check(fragments, 3, 2, GAP_MS, pick), SMS_REASSEMBLY_COMPLETE);
    expect_joined(fragments, pick, 2, "new message");
    /* Looked at from the old one, the new ones are the strangers. */
    assert_int_equal(sms_reassembly_check(fragments, 3, 0, GAP_MS, pick), SMS_REASSEMBLY_WAITING);
    assert_int_equal(pick[0], 0);
    assert_int_equal(pick[1], -1);
    /* Without a limit the oldest is taken. */
    assert_int_equal(sms_reassembly_check(fragments, 3, 2, -1, pick), SMS_REASSEMBLY_COMPLETE);
    assert_int_equal(pick[0], 0);
}

static void the_gap_itself_still_belongs_to_the_message(void **state)
{
    const struct sms_fragment fragments[] = { fragment(1, 1, 2, 0, "a"), fragment(2, 2, 2, GAP_MS, "b") };
    int pick[SMS_PARTS_TOTAL_MAX];

    (void)state;
    assert_int_equal(sms_reassembly_check(fragments, 2, 1, GAP_MS, pick), SMS_REASSEMBLY_COMPLETE);
    assert_int_equal(sms_reassembly_check(fragments, 2, 1, GAP_MS - 1, pick), SMS_REASSEMBLY_WAITING);
}

static void clocks_at_their_ends_do_not_overflow(void **state)
{
    const struct sms_fragment fragments[] = { fragment(1, 1, 2, INT64_MIN, "a"), fragment(2, 2, 2, INT64_MAX, "b") };
    int pick[SMS_PARTS_TOTAL_MAX];

    (void)state;
    assert_int_equal(sms_reassembly_check(fragments, 2, 1, INT64_MAX, pick), SMS_REASSEMBLY_WAITING);
    assert_int_equal(sms_reassembly_check(fragments, 2, 0, INT64_MAX, pick), SMS_REASSEMBLY_WAITING);
}

static void parts_that_contradict_themselves_or_belong_elsewhere_are_left_out(void **state)
{
    struct sms_fragment fragments[] = {
        fragment(1, 1, 2, 0, "a"), fragment(2, 0, 2, 0, "zero"), fragment(3, 3, 2, 0, "beyond"),
        fragment(4, 2, 3, 0, "other total"), fragment(5, 2, 2, 0, "other reference"), fragment(6, 2, 2, 0, "other width"),
    };
    int pick[SMS_PARTS_TOTAL_MAX];

    (void)state;
    fragments[4].ref = 8;
    fragments[5].ref_bits = 16;
    assert_int_equal(sms_reassembly_check(fragments, 6, 0, GAP_MS, pick), SMS_REASSEMBLY_WAITING);
    for (size_t i = 0; i < SMS_PARTS_TOTAL_MAX; i++)
        assert_int_equal(pick[i], i == 0 ? 0 : -1);
}

static void a_character_cut_between_two_parts_becomes_one_again(void **state)
{
    const struct sms_fragment fragments[] = {
        fragment(1, 1, 2, 0, "yes \xED\xA0\xBD"), fragment(2, 2, 2, 0, "\xED\xB8\x80 no"),   /* D83D, DE00 */
    };
    int pick[SMS_PARTS_TOTAL_MAX];

    (void)state;
    assert_int_equal(sms_reassembly_check(fragments, 2, 1, GAP_MS, pick), SMS_REASSEMBLY_COMPLETE);
    expect_joined(fragments, pick, 2, "yes \xF0\x9F\x98\x80 no");
}

static void halves_without_their_other_half_are_replaced(void **state)
{
    static const struct { const char *broken, *clean; } cases[] = {
        { "\xED\xA0\xBD", "\xEF\xBF\xBD" },
        { "\xED\xB8\x80\xED\xA0\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD" },                             /* wrong order */
        { "a\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80z", "a\xEF\xBF\xBD\xF0\x9F\x98\x80z" },
        { "\xED\xA0\xBD \xED\xB8\x80", "\xEF\xBF\xBD \xEF\xBF\xBD" },
        { "\xED\x9F\xBF\xEE\x80\x80", "\xED\x9F\xBF\xEE\x80\x80" },                             /* the neighbours */
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length = strlen(cases[i].broken);
        char *text = malloc(length + 1);

        memcpy(text, cases[i].broken, length + 1);
        text[sms_text_sanitize(text, length)] = '\0';
        assert_string_equal(text, cases[i].clean);
        free(text);
    }
}

static void a_missing_part_leaves_a_mark_and_joins_no_strangers(void **state)
{
    const struct sms_fragment fragments[] = {
        fragment(1, 1, 3, 0, "a\xED\xA0\xBD"), fragment(2, 3, 3, 0, "\xED\xB8\x80z"),
    };
    int pick[SMS_PARTS_TOTAL_MAX];

    (void)state;
    assert_int_equal(sms_reassembly_check(fragments, 2, 1, GAP_MS, pick), SMS_REASSEMBLY_WAITING);
    expect_joined(fragments, pick, 3, "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
}

static void a_message_may_have_255_parts(void **state)
{
    struct sms_fragment fragments[SMS_PARTS_TOTAL_MAX];
    char texts[SMS_PARTS_TOTAL_MAX][2], expected[SMS_PARTS_TOTAL_MAX + 1] = "";
    int pick[SMS_PARTS_TOTAL_MAX];

    (void)state;
    for (size_t i = 0; i < SMS_PARTS_TOTAL_MAX; i++) {
        texts[i][0] = expected[i] = (char)('a' + i % 26);
        texts[i][1] = '\0';
        fragments[SMS_PARTS_TOTAL_MAX - 1 - i] = fragment((int64_t)i, (uint8_t)(i + 1), 255, 0, texts[i]);
    }
    assert_int_equal(sms_reassembly_check(fragments, 254, 0, GAP_MS, pick), SMS_REASSEMBLY_WAITING);
    assert_int_equal(sms_reassembly_check(fragments, 255, 0, GAP_MS, pick), SMS_REASSEMBLY_COMPLETE);
    expect_joined(fragments, pick, 255, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_make_one_text_in_whatever_order_they_come),
        cmocka_unit_test(a_part_that_comes_twice_counts_once_and_the_first_is_kept),
        cmocka_unit_test(a_reference_used_again_after_the_gap_is_another_message),
        cmocka_unit_test(the_gap_itself_still_belongs_to_the_message),
        cmocka_unit_test(clocks_at_their_ends_do_not_overflow),
        cmocka_unit_test(parts_that_contradict_themselves_or_belong_elsewhere_are_left_out),
        cmocka_unit_test(a_character_cut_between_two_parts_becomes_one_again),
        cmocka_unit_test(halves_without_their_other_half_are_replaced),
        cmocka_unit_test(a_missing_part_leaves_a_mark_and_joins_no_strangers),
        cmocka_unit_test(a_message_may_have_255_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
