/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/date.h"
#include "src/routing/use.h"

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static void words_are_read_or_told_what_is_wrong_with_them(void **state)
{
    static const struct { const char *text; const char *wrong; } counts[] = {
        { "1", NULL }, { "1000000", NULL }, { "007", NULL },
        { "0", "is 0, which would never send: leave the key out for no limit" },
        { "1000001", "is above 1000000" }, { "99999999999999999999", "is above 1000000" },
        { "", "is not a whole number" }, { "-1", "is not a whole number" }, { "5 ", "is not a whole number" }, { "5.0", "is not a whole number" },
    };
    static const struct { const char *text; const char *wrong; } hours[] = {
        { "08:00-20:00 mon-fri, 09:00-12:00 sat", NULL }, { "00:00-24:00", NULL }, { " 8:00-20:00", "has hours that are not written as 08:00-20:00" },
        { "22:00-06:00 fri", NULL }, { "08:00-20:00 sat-mon wed", NULL },
        { "", "is empty" }, { "08:00", "has hours that are not written as 08:00-20:00" },
        { "08:00-24:01", "has hours that are not written as 08:00-20:00" }, { "08:60-20:00", "has hours that are not written as 08:00-20:00" },
        { "08:00-20:00mon", "has hours that are not written as 08:00-20:00" }, { "08:00-20:00,", "has hours that are not written as 08:00-20:00" },
        { "08:00-08:00", "has hours that end as they begin: all day is 00:00-24:00" },
        { "24:00-06:00", "has hours that begin at 24:00: write 00:00 of the next day" },
        { "08:00-20:00 Mon", "has a day that is not one of mon tue wed thu fri sat sun, or two of them as mon-fri" },
        { "08:00-20:00 mon-", "has a day that is not one of mon tue wed thu fri sat sun, or two of them as mon-fri" },
        { "08:00-20:00 monday", "has a day that is not one of mon tue wed thu fri sat sun, or two of them as mon-fri" },
        { "22:00-01:00, 22:00-02:00, 22:00-03:00, 22:00-04:00, 22:00-05:00", "has more than 8 ranges of hours (one over midnight is two)" },
    };
    const char *wrong;
    struct limit_rules rules = { 0 };
    uint32_t count;
    int64_t micro;
    uint8_t percent;

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        wrong = NULL;
        assert_int_equal(limit_parse_count(counts[i].text, &count, &wrong), counts[i].wrong ? -EINVAL : 0);
        if (counts[i].wrong)
            assert_string_equal(wrong, counts[i].wrong);
    }
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
        int r;

        wrong = NULL;
        r = limit_parse_hours(hours[i].text, &rules, &wrong);
        if (r != (hours[i].wrong ? -EINVAL : 0))
            fail_msg("\"%s\": %d", hours[i].text, r);
        if (hours[i].wrong)
            assert_string_equal(wrong, hours[i].wrong);
    }
    assert_int_equal(limit_parse_hours("22:00-06:00 fri, 08:00-20:00 sun-mon", &rules, &wrong), 0);
    assert_int_equal(rules.hours_count, 3);
    assert_true(rules.hours[0].from_min == 1320 && rules.hours[0].until_min == 1440 && rules.hours[0].days == 0x10);
    assert_true(rules.hours[1].from_min == 0 && rules.hours[1].until_min == 360 && rules.hours[1].days == 0x20);
    assert_true(rules.hours[2].days == 0x41);
    assert_int_equal(limit_parse_spend("2.50", &micro, &wrong), 0);
    assert_int_equal(micro, 2500000);
    assert_int_equal(limit_parse_spend("0.00", &micro, &wrong), -EINVAL);
    assert_string_equal(wrong, "is 0, which would never send: leave the key out for no limit");
    assert_int_equal(limit_parse_spend("-1", &micro, &wrong), -EINVAL);
    assert_int_equal(limit_parse_percent("50%", &percent, &wrong), 0);
    assert_int_equal(percent, 50);
    assert_int_equal(limit_parse_percent("100", &percent, &wrong), 0);
    assert_int_equal(limit_parse_percent("0%", &percent, &wrong), -EINVAL);
    assert_int_equal(limit_parse_percent("101", &percent, &wrong), -EINVAL);
    assert_int_equal(limit_parse_percent("half", &percent, &wrong), -EINVAL);
    for (unsigned kind = LIMIT_ROAMING; kind < LIMIT_KINDS; kind++)
        assert_true(limit_name((enum limit_kind)kind)[0] != '\0');
}

/* -- checks --------------------------------------------------------------------------------------------------- */

static int64_t start_ms;                     /* of the wall clock, at mono 0 */
static struct use *use;

static struct limit_now at(uint64_t mono_ms)
{
    return (struct limit_now){ mono_ms, start_ms + (int64_t)mono_ms };
}

/* A Wednesday, 10:00 UTC; the clock is known to be right. */
static void begin(const struct limit_rules *rules)
{
    start_ms = (date_to_days(2026, 11, 25) * 86400 + 10 * 3600) * 1000;
    use_free(use);
    use = NULL;
    assert_int_equal(use_load(NULL, 1, rules, at(0), &use), 0);
    use_clock_is_right(use, rules, at(0));
}

static void expect(const struct limit_rules *rules, uint64_t recipient, unsigned parts, int64_t cost_micro, bool roaming, uint64_t mono_ms,
                   enum limit_kind kind, bool never, uint64_t ask_ms)
{
    /* Twice: what is kept of an answer is the same answer. */
    for (unsigned i = 0; i < 2; i++) {
        struct limit_answer answer = limit_check(rules, use, recipient, parts, cost_micro, roaming, at(mono_ms));

        if (answer.kind != kind || answer.never != never || answer.ask_mono_ms != ask_ms)
            fail_msg("\"%s\" never %d ask %llu instead of \"%s\" never %d ask %llu", limit_name(answer.kind), answer.never,
                     (unsigned long long)answer.ask_mono_ms, limit_name(kind), never, (unsigned long long)ask_ms);
    }
}

static void take(const struct limit_rules *rules, uint64_t recipient, int64_t cost_micro, uint64_t mono_ms)
{
    (void)use_take(use, rules, recipient, 1, cost_micro, at(mono_ms), UINT32_MAX);
}

static void without_limits_everything_goes(void **state)
{
    static const struct limit_rules rules = { 0 };

    (void)state;
    begin(&rules);
    for (unsigned i = 0; i < 1000; i++)
        take(&rules, i + 1, 1000000, i);
    expect(&rules, 5000, 255, INT64_C(1000000000), true, 1000, LIMIT_NONE, false, 1000);
}

static void windows_slide_by_real_time_and_need_room_for_all_parts(void **state)
{
    static const struct limit_rules rules = { .per_minute = 3 };

    (void)state;
    begin(&rules);
    take(&rules, 1, 0, 1000);
    take(&rules, 1, 0, 10000);
    expect(&rules, 1, 1, 0, false, 20000, LIMIT_NONE, false, 20000);
    expect(&rules, 1, 2, 0, false, 20000, LIMIT_MINUTE, false, 61000);
    expect(&rules, 1, 3, 0, false, 20000, LIMIT_MINUTE, false, 70000);
    expect(&rules, 1, 4, 0, false, 20000, LIMIT_MINUTE, true, UINT64_MAX);
    expect(&rules, 1, 2, 0, false, 61000, LIMIT_NONE, false, 61000);
}

static void days_and_months_end_at_midnight_of_the_zone(void **state)
{
    struct limit_rules rules = { .per_day = 2, .per_month = 3 };
    struct zone *zone = NULL;

    (void)state;
    assert_int_equal(zone_from_word("+02:00", &zone), 0);
    rules.zone = zone;
    begin(&rules);
    take(&rules, 1, 0, 0);
    take(&rules, 1, 0, 1);
    expect(&rules, 1, 1, 0, false, 10, LIMIT_DAY, false, 12 * HOUR_MS);   /* 22:00 UTC */
    expect(&rules, 1, 1, 0, false, 12 * HOUR_MS - 1, LIMIT_DAY, false, 12 * HOUR_MS);
    expect(&rules, 1, 1, 0, false, 12 * HOUR_MS, LIMIT_NONE, false, 12 * HOUR_MS);
    take(&rules, 1, 0, 12 * HOUR_MS);
    expect(&rules, 1, 1, 0, false, 13 * HOUR_MS, LIMIT_MONTH, false, 5 * DAY_MS + 12 * HOUR_MS);
    expect(&rules, 1, 1, 0, false, 5 * DAY_MS + 12 * HOUR_MS, LIMIT_NONE, false, 5 * DAY_MS + 12 * HOUR_MS);
    use_free(use);
    use = NULL;
    zone_free(zone);
}

static void recipients_that_were_written_to_need_no_more_room(void **state)
{
    static const struct limit_rules rules = { .recipients_per_day = 2 };

    (void)state;
    begin(&rules);
    take(&rules, 11, 0, 0);
    take(&rules, 12, 0, 1);
    take(&rules, 11, 0, 2);
    expect(&rules, 11, 1, 0, false, 10, LIMIT_NONE, false, 10);
    expect(&rules, 13, 1, 0, false, 10, LIMIT_RECIPIENTS_DAY, false, 14 * HOUR_MS);
    expect(&rules, 0, 1, 0, false, 10, LIMIT_NONE, false, 10);
    expect(&rules, 13, 1, 0, false, 14 * HOUR_MS, LIMIT_NONE, false, 14 * HOUR_MS);
}

static void money_that_is_spent_stops_all_but_what_is_free(void **state)
{
    static const struct limit_rules rules = { .spend_per_day_micro = 100000, .spend_per_month_micro = 1000000 };

    (void)state;
    begin(&rules);
    take(&rules, 1, 60000, 0);
    expect(&rules, 1, 1, 40000, false, 1, LIMIT_NONE, false, 1);
    expect(&rules, 1, 1, 40001, false, 1, LIMIT_SPEND_DAY, false, 14 * HOUR_MS);
    expect(&rules, 1, 1, 100001, false, 1, LIMIT_SPEND_DAY, true, UINT64_MAX);
    take(&rules, 1, 60000, 2);
    expect(&rules, 1, 1, 0, false, 3, LIMIT_NONE, false, 3);
}

static void gaps_have_their_random_part_and_what_binds_longest_is_named(void **state)
{
    static const struct limit_rules rules = { .gap_ms = 8000, .jitter_ms = 4000, .per_minute = 2 };

    (void)state;
    begin(&rules);
    (void)use_take(use, &rules, 1, 1, 0, at(0), 0);
    expect(&rules, 1, 1, 0, false, 1, LIMIT_GAP, false, 8000);
    (void)use_take(use, &rules, 1, 1, 0, at(8000), UINT32_MAX);
    expect(&rules, 1, 1, 0, false, 8001, LIMIT_MINUTE, false, 60000);
    expect(&rules, 1, 1, 0, false, 60000, LIMIT_NONE, false, 60000);
}

static void roaming_is_nothing_that_time_ends(void **state)
{
    static const struct limit_rules rules = { .roaming_refused = true };

    (void)state;
    begin(&rules);
    expect(&rules, 1, 1, 0, false, 1, LIMIT_NONE, false, 1);
    expect(&rules, 1, 1, 0, true, 2, LIMIT_ROAMING, false, UINT64_MAX);
    expect(&rules, 1, 1, 0, false, 3, LIMIT_NONE, false, 3);
}

static void hours_are_those_of_the_local_day_and_week(void **state)
{
    struct limit_rules rules = { 0 };
    const char *wrong;

    (void)state;
    assert_int_equal(limit_parse_hours("11:00-20:00 mon-fri, 09:00-12:00 sat", &rules, &wrong), 0);
    begin(&rules);
    expect(&rules, 1, 1, 0, false, 0, LIMIT_HOURS, false, HOUR_MS);
    expect(&rules, 1, 1, 0, false, HOUR_MS, LIMIT_NONE, false, HOUR_MS);
    expect(&rules, 1, 1, 0, false, 10 * HOUR_MS - 1, LIMIT_NONE, false, 10 * HOUR_MS - 1);
    expect(&rules, 1, 1, 0, false, 10 * HOUR_MS, LIMIT_HOURS, false, 25 * HOUR_MS);
    expect(&rules, 1, 1, 0, false, 2 * DAY_MS + 10 * HOUR_MS, LIMIT_HOURS, false, 2 * DAY_MS + 23 * HOUR_MS);   /* Friday 20:00: Saturday 9:00 */
    expect(&rules, 1, 1, 0, false, 3 * DAY_MS + 2 * HOUR_MS, LIMIT_HOURS, false, 5 * DAY_MS + HOUR_MS);         /* Saturday noon: Monday 11:00 */
}

static void many_failures_park_the_sim_for_a_while(void **state)
{
    static const struct limit_rules rules = { .failure_percent = 25, .park_ms = 600000 };

    (void)state;
    begin(&rules);
    for (unsigned i = 0; i < 4; i++)
        use_result(use, &rules, true, at(i));
    expect(&rules, 1, 1, 0, false, 10, LIMIT_NONE, false, 10);
    for (unsigned i = 0; i < 20; i++)
        use_result(use, &rules, false, at(20 + i));
    use_result(use, &rules, true, at(50));
    expect(&rules, 1, 1, 0, false, 51, LIMIT_NONE, false, 51);
    for (unsigned i = 0; i < 4; i++)
        use_result(use, &rules, true, at(60));
    expect(&rules, 1, 1, 0, false, 61, LIMIT_PARKED, false, 600060);
    expect(&rules, 1, 1, 0, false, 600060, LIMIT_NONE, false, 600060);
    use_result(use, &rules, true, at(600061));
    expect(&rules, 1, 1, 0, false, 600062, LIMIT_NONE, false, 600062);
}

static void rules_that_change_are_seen(void **state)
{
    struct limit_rules rules = { .per_day = 5 };

    (void)state;
    begin(&rules);
    take(&rules, 1, 0, 0);
    expect(&rules, 1, 1, 0, false, 1, LIMIT_NONE, false, 1);
    rules.per_day = 1;
    use_rules_changed(use);
    expect(&rules, 1, 1, 0, false, 2, LIMIT_DAY, false, 14 * HOUR_MS);
}

static void a_view_says_when_a_limit_runs_out(void **state)
{
    static const struct limit_rules rules = { .per_day = 100, .per_month = 100000, .recipients_per_day = 5 };
    struct limit_view view;

    (void)state;
    begin(&rules);
    for (unsigned i = 0; i < 50; i++)   /* by 10:00, the tenth hour */
        take(&rules, 1 + i % 3, 1000, 0);
    view = limit_view(&rules, use, LIMIT_DAY, at(0));
    assert_true(view.used == 50 && view.limit == 100 && view.resets_at_ms == start_ms + 14 * (int64_t)HOUR_MS);
    assert_int_equal(view.runs_out_at_ms, start_ms + 10 * (int64_t)HOUR_MS);
    view = limit_view(&rules, use, LIMIT_MONTH, at(0));
    assert_true(view.used == 50 && view.runs_out_at_ms == 0);
    view = limit_view(&rules, use, LIMIT_RECIPIENTS_DAY, at(0));
    assert_true(view.used == 3 && view.limit == 5);
    view = limit_view(&rules, use, LIMIT_SPEND_DAY, at(0));
    assert_true(view.used == 50000 && view.limit == 0 && view.runs_out_at_ms == 0);
    assert_int_equal(limit_view(&rules, use, LIMIT_HOUR, at(0)).used, 50);
    /* The next day nothing is used yet: yesterday's rate tells. */
    view = limit_view(&rules, use, LIMIT_DAY, at(15 * HOUR_MS));
    assert_true(view.used == 0 && view.runs_out_at_ms == 0);
    for (unsigned i = 0; i < 60; i++)
        take(&rules, 1, 0, 15 * HOUR_MS);
    view = limit_view(&rules, use, LIMIT_DAY, at(15 * HOUR_MS));
    assert_int_equal(view.runs_out_at_ms, start_ms + 15 * (int64_t)HOUR_MS + 40 * (int64_t)HOUR_MS / 60);
}

static int done(void **state)
{
    (void)state;
    use_free(use);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_read_or_told_what_is_wrong_with_them),
        cmocka_unit_test(without_limits_everything_goes),
        cmocka_unit_test(windows_slide_by_real_time_and_need_room_for_all_parts),
        cmocka_unit_test(days_and_months_end_at_midnight_of_the_zone),
        cmocka_unit_test(recipients_that_were_written_to_need_no_more_room),
        cmocka_unit_test(money_that_is_spent_stops_all_but_what_is_free),
        cmocka_unit_test(gaps_have_their_random_part_and_what_binds_longest_is_named),
        cmocka_unit_test(roaming_is_nothing_that_time_ends),
        cmocka_unit_test(hours_are_those_of_the_local_day_and_week),
        cmocka_unit_test(many_failures_park_the_sim_for_a_while),
        cmocka_unit_test(rules_that_change_are_seen),
        cmocka_unit_test(a_view_says_when_a_limit_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, done);
}
