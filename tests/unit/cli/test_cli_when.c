/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "firmware/cellpost/when.h"

/* Romania: UTC+2, and +3 from the last Sunday of March, 03:00, to that of October, 04:00. Spelled out, so that no zone files
 * are needed. */
#define ZONE "EET-2EEST,M3.5.0/3,M10.5.0/4"

#define S(seconds) ((int64_t)(seconds)*1000)
#define NOW S(1772366400)        /* 2026-03-01T12:00:00Z, 14:00 in Romania */

static void durations_add_up_their_units(void **state)
{
    static const struct { const char *text; int r; int64_t s; } rows[] = {
        { "0", 0, 0 }, { "90", 0, 90 }, { "30s", 0, 30 }, { "15m", 0, 900 }, { "24h", 0, 86400 }, { "7d", 0, 604800 }, { "2w", 0, 1209600 },
        { "1h30m", 0, 5400 }, { "1d12h30m5s", 0, 131405 }, { "100d", 0, 8640000 },
        { "", -EINVAL, 0 }, { "h", -EINVAL, 0 }, { "1x", -EINVAL, 0 }, { "-5m", -EINVAL, 0 }, { "1.5h", -EINVAL, 0 }, { "1h 5m", -EINVAL, 0 },
        { "5m1h", -EINVAL, 0 }, { "5m5m", -EINVAL, 0 }, { "1h30", -EINVAL, 0 }, { "1H", -EINVAL, 0 },
        { "36600d", 0, DURATION_S_MAX }, { "36601d", -ERANGE, 0 }, { "36600d1s", -ERANGE, 0 }, { "9999999999999", -ERANGE, 0 },
        { "99999999999w", -ERANGE, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t s = -1;
        int r = duration_parse(rows[i].text, &s);
        if (r != rows[i].r || s != (r == 0 ? rows[i].s : -1))
            fail_msg("\"%s\": %d, %lld", rows[i].text, r, (long long)s);
    }
}

struct row { const char *text; enum when_sense sense; bool utc; int r; int64_t ms; };

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t ms = -1;
        int r = when_parse(rows[i].text, rows[i].sense, NOW, rows[i].utc, &ms);
        if (r != rows[i].r || ms != (r == 0 ? rows[i].ms : -1))
            fail_msg("\"%s\": %d, %lld", rows[i].text, r, (long long)ms);
    }
}

static void a_full_time_means_the_same_everywhere(void **state)
{
    static const struct row rows[] = {
        { "2026-03-01T12:00:00Z", WHEN_NEXT, false, 0, NOW },
        { "2026-03-01t12:00:00z", WHEN_LAST, true, 0, NOW },
        { "2026-03-01T14:00:00+02:00", WHEN_NEXT, false, 0, NOW },
        { "2026-03-01 08:30:00-0330", WHEN_NEXT, false, 0, NOW },
        { "2026-03-01T12:00Z", WHEN_NEXT, false, 0, NOW },
        { "2026-03-01T12:00:00.25Z", WHEN_NEXT, false, 0, NOW + 250 },
        { "2026-03-01T12:00:00.1239Z", WHEN_NEXT, false, 0, NOW + 123 },
        { "@1772366400", WHEN_NEXT, false, 0, NOW },
        { "now", WHEN_LAST, false, 0, NOW },
    };
    (void)state;
    check(rows, sizeof rows / sizeof rows[0]);
}

static void a_time_without_a_zone_is_local_unless_utc_is_asked_for(void **state)
{
    static const struct row rows[] = {
        { "2026-03-01 14:00", WHEN_NEXT, false, 0, NOW },
        { "2026-03-01 12:00", WHEN_NEXT, true, 0, NOW },
        { "2026-03-01", WHEN_NEXT, false, 0, NOW - S(14 * 3600) },
        { "2026-07-01 15:00", WHEN_NEXT, false, 0, S(1782907200) },   /* summer time: 12:00 UTC */
        { "2026-07-01 12:00", WHEN_NEXT, true, 0, S(1782907200) },
    };
    (void)state;
    check(rows, sizeof rows / sizeof rows[0]);
}

static void a_clock_time_is_the_next_one_ahead_or_the_last_one_back(void **state)
{
    static const struct row rows[] = {
        { "15:00", WHEN_NEXT, false, 0, NOW + S(3600) },
        { "14:00", WHEN_NEXT, false, 0, NOW + S(86400) },       /* it is 14:00 now: tomorrow */
        { "08:00", WHEN_NEXT, false, 0, NOW + S(18 * 3600) },
        { "08:00:30", WHEN_NEXT, false, 0, NOW + S(18 * 3600 + 30) },
        { "08:00", WHEN_LAST, false, 0, NOW - S(6 * 3600) },
        { "15:00", WHEN_LAST, false, 0, NOW - S(23 * 3600) },   /* 28 February: the month changes */
        { "13:00", WHEN_NEXT, true, 0, NOW + S(3600) },
    };
    (void)state;
    check(rows, sizeof rows / sizeof rows[0]);
}

static void a_duration_is_ahead_or_ago(void **state)
{
    static const struct row rows[] = {
        { "+2h", WHEN_NEXT, false, 0, NOW + S(7200) }, { "2h", WHEN_NEXT, false, 0, NOW + S(7200) }, { "-2h", WHEN_NEXT, false, -EINVAL, 0 },
        { "2h", WHEN_LAST, false, 0, NOW - S(7200) },  { "-2h", WHEN_LAST, false, 0, NOW - S(7200) }, { "7d", WHEN_LAST, false, 0, NOW - S(604800) },
    };
    (void)state;
    check(rows, sizeof rows / sizeof rows[0]);
}

static void a_time_that_does_not_exist_is_refused_not_moved(void **state)
{
    static const struct row rows[] = {
        { "2026-02-29 10:00", WHEN_NEXT, false, -ERANGE, 0 },
        { "2028-02-29 10:00", WHEN_NEXT, true, 0, S(1835431200) },
        { "2026-13-01", WHEN_NEXT, false, -ERANGE, 0 },
        { "2026-00-10", WHEN_NEXT, false, -ERANGE, 0 },
        { "2026-03-32T10:00:00Z", WHEN_NEXT, false, -ERANGE, 0 },
        { "24:00", WHEN_NEXT, false, -ERANGE, 0 },
        { "12:60", WHEN_NEXT, false, -ERANGE, 0 },
        { "2026-03-01T12:00:00+25:00", WHEN_NEXT, false, -ERANGE, 0 },
        { "2026-03-29 03:30", WHEN_NEXT, false, -ERANGE, 0 },   /* the hour that summer time skips */
        { "2026-03-29 04:30", WHEN_NEXT, false, 0, S(1774747800) },
    };
    (void)state;
    check(rows, sizeof rows / sizeof rows[0]);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const texts[] = { "", "tomorrow", "8:00", "0800", "08:00x", "2026-3-1", "2026-03-01T", "2026-03-01T12", "2026-03-01T12:00:00+", "2026-03-01x",
                                         "2026", "90", "@", "@12x", "+", "-", "2026-03-01T12:00:00.Z", "2026-03-01T12:00:00Zz", "12:00:0" };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t ms = -1;
        if (when_parse(texts[i], WHEN_NEXT, NOW, false, &ms) >= 0 || ms != -1)
            fail_msg("\"%s\" was taken for %lld", texts[i], (long long)ms);
    }
}

static void times_come_back_as_they_are_read(void **state)
{
    char text[WHEN_TEXT_MAX];
    int64_t ms;

    (void)state;
    when_format(NOW, false, text);
    assert_string_equal(text, "2026-03-01 14:00:00");
    when_format(NOW, true, text);
    assert_string_equal(text, "2026-03-01 12:00:00Z");
    when_format(0, false, text);
    assert_string_equal(text, "-");
    when_format_rfc3339(NOW + 7, text);
    assert_string_equal(text, "2026-03-01T12:00:00.007Z");
    assert_int_equal(when_parse(text, WHEN_NEXT, 0, false, &ms), 0);
    assert_true(ms == NOW + 7);
}

static void durations_are_shown_in_two_units(void **state)
{
    static const struct { int64_t s; const char *text; } rows[] = {
        { -5, "0s" }, { 0, "0s" }, { 59, "59s" }, { 60, "1m 0s" }, { 3599, "59m 59s" }, { 3600, "1h 0m" }, { 86399, "23h 59m" },
        { 86400, "1d 0h" }, { 90000, "1d 1h" }, { 864000, "10d 0h" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[WHEN_TEXT_MAX];
        duration_format(rows[i].s * 1000, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_add_up_their_units),
        cmocka_unit_test(a_full_time_means_the_same_everywhere),
        cmocka_unit_test(a_time_without_a_zone_is_local_unless_utc_is_asked_for),
        cmocka_unit_test(a_clock_time_is_the_next_one_ahead_or_the_last_one_back),
        cmocka_unit_test(a_duration_is_ahead_or_ago),
        cmocka_unit_test(a_time_that_does_not_exist_is_refused_not_moved),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(times_come_back_as_they_are_read),
        cmocka_unit_test(durations_are_shown_in_two_units),
    };
    setenv("TZ", ZONE, 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
