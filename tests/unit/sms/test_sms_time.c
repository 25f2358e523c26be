/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/sms/sms_fields.h"
#include "src/sms/sms_pdu.h"

static void every_relative_validity_has_the_period_of_the_standard(void **state)
{
    (void)state;
    for (unsigned v = 0; v <= 255; v++) {
        unsigned minutes = v <= 143   ? (v + 1) * 5
                           : v <= 167 ? 12 * 60 + (v - 143) * 30
                           : v <= 196 ? (v - 166) * 1440
                                      : (v - 192) * 7 * 1440;

        assert_int_equal(sms_vp_to_minutes((uint8_t)v), minutes);
    }
}

static void a_validity_is_never_shorter_than_asked_for_and_no_longer_than_needed(void **state)
{
    (void)state;
    for (uint32_t minutes = 0; minutes <= 63 * 7 * 1440; minutes++) {
        uint8_t raw = sms_vp_from_minutes(minutes);

        if (sms_vp_to_minutes(raw) < minutes || (raw > 0 && sms_vp_to_minutes((uint8_t)(raw - 1)) >= minutes))
            fail_msg("%u minutes gave %u", minutes, raw);
    }
    assert_int_equal(sms_vp_from_minutes(63 * 7 * 1440 + 1), 255);
    assert_int_equal(sms_vp_from_minutes(UINT32_MAX), 255);
}

static void a_time_stamp_is_the_second_it_names(void **state)
{
    const struct sms_time leap_day = {
        .present = true, .year = 2028, .month = 2, .day = 29, .hour = 12, .minute = 30, .second = 15, .tz_quarters = -20,
    };

    (void)state;
    assert_int_equal(sms_time_to_unix_s(&leap_day), 1835458215);   /* date -u -d '2028-02-29 17:30:15' +%s */
}

static void every_day_of_the_century_comes_back(void **state)
{
    static const int8_t zones[] = { 0, 8, -20, 56, -48, 79, -79 };

    (void)state;
    for (int64_t unix_s = INT64_C(946857599); unix_s < INT64_C(4102300000); unix_s += 86399) {
        int8_t zone = zones[unix_s / 86399 % 7];
        struct sms_time time = sms_time_from_unix_s(unix_s, zone), read;
        uint8_t octets[SMS_TIME_OCTETS];

        assert_true(time.present);
        assert_int_equal(sms_time_to_unix_s(&time), unix_s);
        assert_int_equal(sms_time_write(&time, octets), 0);
        read = sms_time_read(octets);
        assert_int_equal(sms_time_to_unix_s(&read), unix_s);
        assert_int_equal(read.tz_quarters, zone);
    }
}

static void what_two_digits_of_a_year_cannot_say_is_no_time(void **state)
{
    (void)state;
    assert_false(sms_time_from_unix_s(0, 0).present);
    assert_false(sms_time_from_unix_s(INT64_C(946684799), 0).present);
    assert_true(sms_time_from_unix_s(INT64_C(946684800), 0).present);
    assert_true(sms_time_from_unix_s(INT64_C(4102444799), 0).present);
    assert_false(sms_time_from_unix_s(INT64_C(4102444800), 0).present);
    assert_false(sms_time_from_unix_s(INT64_MIN, -79).present);
    assert_false(sms_time_from_unix_s(INT64_MAX, 79).present);
}

static void impossible_dates_have_no_second(void **state)
{
    static const struct sms_time impossible[] = {
        { .present = true, .year = 2026, .month = 0, .day = 1 },
        { .present = true, .year = 2026, .month = 13, .day = 1 },
        { .present = true, .year = 2026, .month = 4, .day = 31 },
        { .present = true, .year = 2027, .month = 2, .day = 29 },
        { .present = true, .year = 2026, .month = 4, .day = 0 },
        { .present = true, .year = 2026, .month = 4, .day = 1, .hour = 24 },
        { .present = true, .year = 2026, .month = 4, .day = 1, .minute = 60 },
        { .present = true, .year = 2026, .month = 4, .day = 1, .second = 60 },
        { .present = false, .year = 2026, .month = 4, .day = 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        uint8_t octets[SMS_TIME_OCTETS];

        assert_true(sms_time_to_unix_s(&impossible[i]) == INT64_MIN);
        if (impossible[i].present)
            assert_true(sms_time_write(&impossible[i], octets) < 0);
    }
}

static void a_time_stamp_with_digits_above_nine_is_absent(void **state)
{
    (void)state;
    for (size_t i = 0; i < SMS_TIME_OCTETS; i++) {
        uint8_t octets[SMS_TIME_OCTETS] = { 0x62, 0x70, 0x41, 0x90, 0x03, 0x51, 0x80 };

        assert_true(sms_time_read(octets).present);
        octets[i] = i == 6 ? 0xA0 : 0x0A;
        assert_false(sms_time_read(octets).present);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_relative_validity_has_the_period_of_the_standard),
        cmocka_unit_test(a_validity_is_never_shorter_than_asked_for_and_no_longer_than_needed),
        cmocka_unit_test(a_time_stamp_is_the_second_it_names),
        cmocka_unit_test(every_day_of_the_century_comes_back),
        cmocka_unit_test(what_two_digits_of_a_year_cannot_say_is_no_time),
        cmocka_unit_test(impossible_dates_have_no_second),
        cmocka_unit_test(a_time_stamp_with_digits_above_nine_is_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
