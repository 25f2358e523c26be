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

static void a_number_in_its_national_form_is_the_same_subscriber(void **state)
{
    static const struct { const char *a, *b; bool same; } rows[] = {
        { "+40700123456", "+40700123456", true },   { "+40700123456", "0700123456", true },
        { "+40700123456", "40700123456", true },    { "+40700123456", "0040700123456", true },
        { "+79161234567", "89161234567", true },    { "+34612345678", "612345678", true },
        { "+12025550123", "2025550123", true },     { "+40700123456", "+40700123457", false },
        { "+40700123456", "0700123457", false },    { "+40700123456", "123456", false },
        { "+40123456", "123456", true },            { "12345", "12345", true },
        { "12345", "+4012345", false },             { "+40700123456", "+49700123456", false },
        { "+40700123456", "+700123456", false },    { "Bank", "Bank", true },
        { "Bank", "bank", false },                  { "", "", true },
        { "", "+40700123456", false },              { "*100#", "*100#", true },
        { "+", "+", true },                         { "+1234567890123", "890123", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (number_same(rows[i].a, rows[i].b) != rows[i].same || number_same(rows[i].b, rows[i].a) != rows[i].same)
            fail_msg("%s %s", rows[i].a, rows[i].b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_a_name_that_leads_back_to_it),
        cmocka_unit_test(only_states_that_a_late_report_alone_can_change_are_final),
        cmocka_unit_test(an_id_reads_back_as_it_was_written_and_only_so),
        cmocka_unit_test(a_number_in_its_national_form_is_the_same_subscriber),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
