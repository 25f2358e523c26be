/* SPDX-License-Identifier: Apache-2.0 */
#include "store_testing.h"

static void every_state_has_a_name_that_leads_back_to_it(void **state)
{
    (void)state;
    for (int i = MESSAGE_SCHEDULED; i <= MESSAGE_CANCELLED; i++)
        assert_int_equal(message_state_from_name(message_state_name((enum message_state)i)), i);
    assert_int_equal(message_state_from_name("nonsense"), -EINVAL);
    assert_string_equal(message_state_name((enum message_state)0), "invalid");
    assert_string_equal(message_state_name((enum message_state)99), "invalid");
    assert_string_equal(attempt_state_name(ATTEMPT_NOT_SENT), "not_sent");
    assert_string_equal(attempt_state_name((enum attempt_state)0), "invalid");
}

static void only_states_that_a_late_report_alone_can_change_are_final(void **state)
{
    (void)state;
    assert_false(message_state_is_final(MESSAGE_SENT));
    assert_false(message_state_is_final(MESSAGE_SENDING));
    assert_true(message_state_is_final(MESSAGE_UNKNOWN));
    assert_true(message_state_is_final(MESSAGE_CANCELLED));
}

static void an_id_reads_back_as_it_was_written_and_only_so(void **state)
{
    static const struct { const char *text; int result; int64_t id; } rows[] = {
        { "ab1z-m12", 0, 12 },      { "12", 0, 12 },          { "ab1z-m9223372036854775807", 0, INT64_MAX },
        { "zzzz-m12", -ENOENT, 0 }, { "ab1-m12", -ENOENT, 0 }, { "ab1z-b12", -EINVAL, 0 },
        { "ab1z-m", -EINVAL, 0 },   { "ab1z-m0", -EINVAL, 0 }, { "ab1z-m012", -EINVAL, 0 },
        { "", -EINVAL, 0 },         { "-m12", -EINVAL, 0 },    { "ab1z-m12x", -EINVAL, 0 },
        { "m12", -EINVAL, 0 },      { "-12", -EINVAL, 0 },     { "9223372036854775808", -EINVAL, 0 },
        { "ab1z-m 12", -EINVAL, 0 }, { "ab1z-", -EINVAL, 0 },  { "+12", -EINVAL, 0 },
    };
    char text[ID_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t id = -5;

        if (id_parse("ab1z", 'm', rows[i].text, &id) != rows[i].result || (rows[i].result == 0 ? rows[i].id : -5) != id)
            fail_msg("%s", rows[i].text);
    }
    id_format("ab1z", 'm', 12, text);
    assert_string_equal(text, "ab1z-m12");
    id_format("ab1z", 'i', INT64_MAX, text);
    assert_string_equal(text, "ab1z-i9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_a_name_that_leads_back_to_it),
        cmocka_unit_test(only_states_that_a_late_report_alone_can_change_are_final),
        cmocka_unit_test(an_id_reads_back_as_it_was_written_and_only_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
