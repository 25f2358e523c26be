/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/vm/survival.h"

#include <stdio.h>
#include <string.h>

/* The first message with so many parts. */
static unsigned message_with_parts(unsigned parts)
{
    unsigned number = 0;

    while (survival_parts(number) != parts)
        number++;
    return number;
}

static void put_on_air(struct survival *survival, unsigned number, unsigned part)
{
    char to[MESSAGE_TO_MAX], text[SURVIVAL_TEXT_MAX];

    survival_recipient(number, to);
    survival_text(number, text);
    survival_on_air(survival, to, part + 1, survival_parts(number), text + 20);
}

static void store(struct survival *survival, unsigned number, enum message_state state)
{
    char to[MESSAGE_TO_MAX];

    survival_recipient(number, to);
    survival_stored(survival, to, state);
}

static struct survival_verdict verdict_on(struct survival *survival)
{
    struct survival_verdict verdict = survival_judge(survival);

    survival_free(survival);
    return verdict;
}

static void texts_have_the_parts_they_say(void **state)
{
    (void)state;
    for (unsigned number = 0; number < SURVIVAL_MESSAGES_MAX; number += 97) {
        char text[SURVIVAL_TEXT_MAX];
        size_t length;

        survival_text(number, text);
        length = strlen(text);
        assert_int_equal(survival_parts(number), length <= 160 ? 1 : (length + 152) / 153);
    }
}

static void a_message_that_was_acknowledged_and_sent_survived(void **state)
{
    struct survival *survival = survival_new();
    unsigned number = message_with_parts(2);
    struct survival_verdict verdict;

    (void)state;
    assert_true(survival_acknowledged(survival, number));
    assert_true(survival_is_acknowledged(survival, number));
    assert_false(survival_is_acknowledged(survival, number + 1));
    assert_false(survival_acknowledged(survival, SURVIVAL_MESSAGES_MAX));
    put_on_air(survival, number, 0);
    put_on_air(survival, number, 1);
    store(survival, number, MESSAGE_DELIVERED);
    store(survival, number + 1, MESSAGE_QUEUED);   /* nobody was told yet */
    verdict = verdict_on(survival);
    assert_int_equal(verdict.acknowledged, 1);
    assert_int_equal(verdict.survived, 1);
    assert_int_equal(verdict.stored_unacknowledged, 1);
    assert_true(survival_is_whole(&verdict));
}

static void what_was_acknowledged_and_is_gone_or_stuck_is_lost(void **state)
{
    static const int states[] = { 0, MESSAGE_QUEUED, MESSAGE_SENDING, MESSAGE_FAILED, MESSAGE_EXPIRED, MESSAGE_CANCELLED };

    (void)state;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct survival *survival = survival_new();
        struct survival_verdict verdict;

        assert_true(survival_acknowledged(survival, 5));
        if (states[i] != 0)
            store(survival, 5, (enum message_state)states[i]);
        verdict = verdict_on(survival);
        assert_int_equal(verdict.lost, 1);
        assert_int_equal(verdict.survived, 0);
        assert_false(survival_is_whole(&verdict));
    }
}

static void a_message_called_sent_whose_part_was_never_on_the_air_is_untrue(void **state)
{
    struct survival *survival = survival_new();
    unsigned number = message_with_parts(3);
    struct survival_verdict verdict;

    (void)state;
    assert_true(survival_acknowledged(survival, number));
    put_on_air(survival, number, 0);
    put_on_air(survival, number, 2);
    store(survival, number, MESSAGE_SENT);
    verdict = verdict_on(survival);
    assert_int_equal(verdict.untrue, 1);
    assert_false(survival_is_whole(&verdict));
}

static void a_part_on_the_air_twice_is_seen_whether_acknowledged_or_not(void **state)
{
    struct survival *survival = survival_new();
    unsigned number = message_with_parts(2);
    struct survival_verdict verdict;

    (void)state;
    put_on_air(survival, number, 1);
    put_on_air(survival, number, 1);
    verdict = verdict_on(survival);
    assert_int_equal(verdict.sent_twice, 1);
    assert_false(survival_is_whole(&verdict));
}

static void unknown_is_allowed_where_a_part_is_in_doubt_and_only_there(void **state)
{
    struct survival *survival = survival_new();
    unsigned one = message_with_parts(1), two = message_with_parts(2), three = message_with_parts(3);
    char to[MESSAGE_TO_MAX];
    struct survival_verdict verdict;

    (void)state;
    assert_true(survival_acknowledged(survival, one) && survival_acknowledged(survival, two) && survival_acknowledged(survival, three));
    store(survival, one, MESSAGE_UNKNOWN);
    store(survival, two, MESSAGE_UNKNOWN);
    store(survival, three, MESSAGE_UNKNOWN);
    survival_recipient(one, to);
    survival_attempt_unknown(survival, to, 0);
    put_on_air(survival, one, 0);
    survival_recipient(two, to);
    survival_attempt_unknown(survival, to, 1);
    verdict = verdict_on(survival);
    assert_int_equal(verdict.unknown, 3);
    assert_int_equal(verdict.survived, 2);
    assert_int_equal(verdict.untrue, 1);
    assert_int_equal(verdict.unknown_on_air, 1);
    assert_int_equal(verdict.unknown_not_on_air, 1);
}

static void a_request_stored_twice_and_a_text_nobody_asked_for_are_seen(void **state)
{
    struct survival *survival = survival_new();
    unsigned number = message_with_parts(1);
    char to[MESSAGE_TO_MAX];
    struct survival_verdict verdict;

    (void)state;
    store(survival, number, MESSAGE_SENT);
    store(survival, number, MESSAGE_SENT);
    survival_recipient(number, to);
    survival_on_air(survival, to, 1, 1, "something else");
    survival_on_air(survival, to, 1, 2, "m");
    survival_on_air(survival, "+1234", 1, 1, "m");
    verdict = verdict_on(survival);
    assert_int_equal(verdict.stored_twice, 1);
    assert_int_equal(verdict.altered, 3);
    assert_false(survival_is_whole(&verdict));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_have_the_parts_they_say),
        cmocka_unit_test(a_message_that_was_acknowledged_and_sent_survived),
        cmocka_unit_test(what_was_acknowledged_and_is_gone_or_stuck_is_lost),
        cmocka_unit_test(a_message_called_sent_whose_part_was_never_on_the_air_is_untrue),
        cmocka_unit_test(a_part_on_the_air_twice_is_seen_whether_acknowledged_or_not),
        cmocka_unit_test(unknown_is_allowed_where_a_part_is_in_doubt_and_only_there),
        cmocka_unit_test(a_request_stored_twice_and_a_text_nobody_asked_for_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
