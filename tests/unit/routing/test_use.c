/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/date.h"
#include "src/routing/use.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define NEW_RECIPIENT UINT64_C(999999)

static const struct limit_rules rules = { .per_day = 5, .recipients_per_day = 3 };
static struct use *use;
static int64_t true_ms, wrong_ms, boot_ms, boot;   /* what the clocks show */

static struct limit_now now(void)
{
    return (struct limit_now){ (uint64_t)(true_ms - boot_ms), true_ms + wrong_ms };
}

/* A Wednesday, 10:00 UTC. */
static int begin(void **state)
{
    (void)state;
    true_ms = (date_to_days(2026, 11, 25) * 24 + 10) * HOUR_MS;
    wrong_ms = 0;
    boot_ms = true_ms - 1000;
    boot = 1;
    use_free(use);
    use = NULL;
    assert_int_equal(use_load(NULL, boot, &rules, now(), &use), 0);
    use_clock_is_right(use, &rules, now());
    return 0;
}

static struct use_taken take(uint64_t recipient)
{
    return use_take(use, &rules, recipient, 1, 1000, now(), 0);
}

static int64_t used(enum limit_kind kind)
{
    return limit_view(&rules, use, kind, now()).used;
}

static bool goes(void)
{
    return limit_check(&rules, use, NEW_RECIPIENT, 1, 0, false, now()).kind == LIMIT_NONE;
}

static void reload(void)
{
    char *text = use_text(use);

    assert_non_null(text);
    assert_true(strlen(text) < USE_TEXT_MAX);
    use_free(use);
    use = NULL;
    assert_int_equal(use_load(text, boot, &rules, now(), &use), 0);
    free(text);
}

static void reboot(int64_t off_ms)
{
    char *text = use_text(use);

    assert_non_null(text);
    true_ms += off_ms;
    boot_ms = true_ms - 1000;
    boot++;
    use_free(use);
    use = NULL;
    assert_int_equal(use_load(text, boot, &rules, now(), &use), 0);
    free(text);
}

static void what_is_used_survives_a_restart(void **state)
{
    struct use_taken taken;
    char *text, *again;

    (void)state;
    (void)take(1);
    taken = take(2);
    text = use_text(use);
    reload();
    again = use_text(use);
    assert_string_equal(text, again);
    free(text);
    free(again);
    assert_int_equal(use_recipient_add(use, 1, taken.day, taken.month), 0);
    assert_int_equal(use_recipient_add(use, 2, taken.day, taken.month), 0);
    assert_int_equal(use_recipient_add(use, 3, taken.day - 40, taken.month - 40), 0);
    assert_int_equal(used(LIMIT_DAY), 2);
    assert_int_equal(used(LIMIT_MINUTE), 2);
    assert_int_equal(used(LIMIT_HOUR), 2);
    assert_int_equal(used(LIMIT_SPEND_MONTH), 2000);
    assert_int_equal(used(LIMIT_RECIPIENTS_DAY), 2);
    true_ms += 30 * 60000;
    assert_int_equal(used(LIMIT_MINUTE), 0);
    reload();
    assert_int_equal(used(LIMIT_HOUR), 2);
    true_ms += 30 * 60000;
    reload();
    assert_int_equal(used(LIMIT_HOUR), 0);
    true_ms += DAY_MS;
    assert_int_equal(used(LIMIT_DAY), 0);
    assert_int_equal(used(LIMIT_MONTH), 2);
}

static void what_was_not_sent_is_given_back_and_what_was_refused_costs_nothing(void **state)
{
    struct use_taken first, second;

    (void)state;
    first = take(1);
    second = take(1);
    use_give_back(use, &first, USE_NOT_SENT);
    assert_int_equal(used(LIMIT_DAY), 1);
    assert_int_equal(used(LIMIT_MINUTE), 1);
    assert_int_equal(used(LIMIT_SPEND_DAY), 1000);
    assert_int_equal(used(LIMIT_RECIPIENTS_DAY), 1);   /* by the second */
    use_give_back(use, &second, USE_REFUSED);
    assert_int_equal(used(LIMIT_DAY), 1);
    assert_int_equal(used(LIMIT_SPEND_DAY), 0);
    assert_int_equal(used(LIMIT_RECIPIENTS_DAY), 1);
    first = take(2);
    use_give_back(use, &first, USE_NOT_SENT);
    assert_int_equal(used(LIMIT_RECIPIENTS_DAY), 1);
    assert_int_equal(used(LIMIT_RECIPIENTS_MONTH), 1);
}

static void what_left_its_window_is_not_given_back_twice(void **state)
{
    struct use_taken old;

    (void)state;
    old = take(1);
    true_ms += 2 * HOUR_MS;
    (void)take(1);
    use_give_back(use, &old, USE_NOT_SENT);
    assert_int_equal(used(LIMIT_HOUR), 1);
    assert_int_equal(used(LIMIT_DAY), 1);
}

/* Each row: at 10:00 five parts went, and the clock was believed. */
static void a_clock_that_is_set_makes_no_room(void **state)
{
    static const int64_t steps_ms[] = { 15 * HOUR_MS, 3 * DAY_MS, 40 * DAY_MS, -11 * HOUR_MS, -3 * DAY_MS, -40 * DAY_MS, 61000 };

    (void)state;
    for (size_t i = 0; i < sizeof steps_ms / sizeof steps_ms[0]; i++) {
        (void)begin(NULL);
        for (unsigned k = 0; k < 5; k++)
            (void)take(1);
        assert_false(goes());
        wrong_ms = steps_ms[i];
        assert_false(goes());
        assert_true(use_wants_saving(use));
        reload();
        assert_false(use_wants_saving(use));
        for (; true_ms < boot_ms + 13 * HOUR_MS; true_ms += HOUR_MS / 2)
            assert_false(goes());
        wrong_ms = 0;
        assert_false(goes());
        reboot(0);
        assert_false(goes());
        true_ms += 26 * HOUR_MS;
        assert_true(goes());   /* nothing waits for ever */
    }
}

static void a_box_that_starts_behind_sends_no_second_day(void **state)
{
    (void)state;
    true_ms += 13 * HOUR_MS;   /* 23:00 */
    (void)take(1);
    wrong_ms = -4 * HOUR_MS;   /* off until 3:00, and it shows 23:00 */
    reboot(4 * HOUR_MS + 1000);
    for (unsigned i = 0; i < 4; i++)
        (void)take(1);
    assert_false(goes());
    true_ms += 2 * HOUR_MS;    /* it shows a new day, which is none */
    assert_false(goes());
    wrong_ms = 0;
    assert_false(goes());
}

static void a_new_day_of_a_clock_in_doubt_is_none_after_another_start_either(void **state)
{
    (void)state;
    true_ms += 13 * HOUR_MS;
    wrong_ms = -4 * HOUR_MS;
    reboot(4 * HOUR_MS + 1000);   /* 3:00, and it shows 23:00 */
    for (unsigned i = 0; i < 5; i++)
        (void)take(1);
    true_ms += HOUR_MS - 600000;
    reboot(1200000);              /* it shows 0:10 */
    assert_false(goes());
    reboot(1200000);
    assert_false(goes());
}

static void a_box_that_was_off_over_midnight_begins_the_new_day(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 5; k++)
        (void)take(1);
    assert_false(goes());
    reboot(15 * HOUR_MS);
    assert_true(goes());
    assert_true(use_wants_saving(use));
}

static void a_clock_that_is_known_to_be_right_is_believed_at_once(void **state)
{
    (void)state;
    reboot(HOUR_MS);
    for (unsigned k = 0; k < 5; k++)
        (void)take(1);
    true_ms += 14 * HOUR_MS;   /* the next day, not a day after the start */
    assert_false(goes());
    use_clock_is_right(use, &rules, now());
    assert_true(goes());
}

static void recipients_keep_counting_under_another_date(void **state)
{
    (void)state;
    (void)take(1);
    (void)take(2);
    wrong_ms = 2 * DAY_MS;
    (void)take(3);
    assert_int_equal(used(LIMIT_RECIPIENTS_DAY), 3);
    assert_false(goes());
    assert_int_equal(limit_check(&rules, use, 2, 1, 0, false, now()).kind, LIMIT_NONE);
    wrong_ms = 0;
    assert_false(goes());
    assert_int_equal(used(LIMIT_RECIPIENTS_DAY), 3);
}

static void more_recipients_than_there_is_room_for_count_as_new(void **state)
{
    (void)state;
    for (uint64_t key = 1; key <= USE_RECIPIENTS_MAX + 10; key++)
        (void)take(key);
    assert_int_equal(used(LIMIT_RECIPIENTS_MONTH), USE_RECIPIENTS_MAX + 10);
    (void)take(USE_RECIPIENTS_MAX + 1);   /* nobody knows that one */
    (void)take(1);
    assert_int_equal(used(LIMIT_RECIPIENTS_MONTH), USE_RECIPIENTS_MAX + 11);
    reload();
    assert_int_equal(used(LIMIT_RECIPIENTS_MONTH), 11);   /* and those of the rows */
}

static void bundles_count_down_in_their_own_periods(void **state)
{
    static const struct tariff_bundle month = { "calls and texts", "UTC", 100, TARIFF_MONTHLY, 25 }, day = { "day", "UTC", 10, TARIFF_DAILY, 0 };

    (void)state;
    assert_int_equal(use_bundle_left(use, &month, NULL, now()), 100);
    use_bundle_take(use, &month, NULL, 30, now());
    use_bundle_take(use, &day, NULL, 12, now());
    use_bundle_give_back(use, &month, NULL, 1, now());
    reload();
    assert_int_equal(use_bundle_left(use, &month, NULL, now()), 71);
    assert_int_equal(use_bundle_left(use, &day, NULL, now()), 0);
    use_bundle_observed(use, &month, NULL, 120, now());
    use_bundle_take(use, &month, NULL, 3, now());
    assert_int_equal(use_bundle_left(use, &month, NULL, now()), 117);
    true_ms += DAY_MS;
    assert_int_equal(use_bundle_left(use, &day, NULL, now()), 10);
    wrong_ms = 40 * DAY_MS;    /* no new month */
    assert_int_equal(use_bundle_left(use, &month, NULL, now()), 117);
    wrong_ms = 0;
    use_clock_is_right(use, &rules, now());
    assert_int_equal(use_bundle_left(use, &month, NULL, now()), 117);
    true_ms += 29 * DAY_MS;
    assert_int_equal(use_bundle_left(use, &month, NULL, now()), 100);
}

static void a_text_is_short_and_bounded(void **state)
{
    char name[USE_BUNDLES_MAX + 4][8], *text;

    (void)state;
    for (unsigned i = 0; i < USE_BUNDLES_MAX + 4; i++) {
        struct tariff_bundle bundle = { name[i], "UTC", 1000, TARIFF_MONTHLY, 1 };

        (void)snprintf(name[i], sizeof name[i], "b%u", i);
        use_bundle_take(use, &bundle, NULL, 100 + i, now());
    }
    for (unsigned day = 0; day < 8; day++) {
        for (unsigned i = 0; i < 200; i++) {
            (void)take(i + 1);
            true_ms += 50000;
        }
        true_ms += DAY_MS - 200 * 50000;
    }
    for (unsigned i = 0; i < 100; i++) {
        (void)take(i + 1);
        true_ms += 40000;
    }
    text = use_text(use);
    assert_non_null(text);
    if (strlen(text) >= 750)
        fail_msg("%zu octets: %s", strlen(text), text);
    free(text);
    for (unsigned i = 0; i < 2000; i++) {   /* a clock out of its mind */
        wrong_ms = (int64_t)(i * 7919 % 400) * DAY_MS;
        true_ms += 3000;
        (void)use_take(use, &rules, i + 1, 255, INT64_C(1000000000000000), now(), 0);
        reload();
    }
}

static void a_damaged_text_is_refused_or_counts_something(void **state)
{
    static const char *const bad[] = { "", "1", "2 1 0 0 0 0 0 0 0 0", "1 1 0 0 0 0 0 0 0", "1 1 0 0 0 0 0 0 0 0 ", "1 1 0 0 0 0 0 0 0 0 x",
                                       "1 1 0 0 0 0 0 0 0 0 d1:2:3", "1 1 0 0 0 0 0 0 0 0 d1:2:3:4 d1:2:3:4", "1 1 0 0 0 0 0 0 0 100000",
                                       "1 1 0 0 0 0 0 0 0 0 d1:-2:3:4", "1 1 0 0 0 90000 0 0 0 0", "1 1 -1 0 0 0 0 0 0 0" };
    char *text, changed[USE_TEXT_MAX];
    uint64_t random = 12345;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct use *other = NULL;

        if (use_load(bad[i], 1, &rules, now(), &other) != -EINVAL)
            fail_msg("\"%s\"", bad[i]);
        assert_null(other);
    }
    for (unsigned i = 0; i < 5; i++)
        (void)take(i);
    text = use_text(use);
    assert_non_null(text);
    for (unsigned i = 0; i < 50000; i++) {
        struct use *other = NULL;

        (void)strcpy(changed, text);
        for (unsigned k = 0; k < 3; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            changed[(random >> 33) % strlen(text)] = "0123456789 :-,dmihtbDMx"[(random >> 20) % 23];
        }
        if (use_load(changed, 1, &rules, now(), &other) == 0) {
            (void)use_take(other, &rules, 1, 1, 1, now(), 0);
            (void)limit_check(&rules, other, 1, 1, 1, false, now());
            use_free(other);
        }
    }
    free(text);
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
        cmocka_unit_test_setup(what_is_used_survives_a_restart, begin),
        cmocka_unit_test_setup(what_was_not_sent_is_given_back_and_what_was_refused_costs_nothing, begin),
        cmocka_unit_test_setup(what_left_its_window_is_not_given_back_twice, begin),
        cmocka_unit_test_setup(a_clock_that_is_set_makes_no_room, begin),
        cmocka_unit_test_setup(a_box_that_starts_behind_sends_no_second_day, begin),
        cmocka_unit_test_setup(a_new_day_of_a_clock_in_doubt_is_none_after_another_start_either, begin),
        cmocka_unit_test_setup(a_box_that_was_off_over_midnight_begins_the_new_day, begin),
        cmocka_unit_test_setup(a_clock_that_is_known_to_be_right_is_believed_at_once, begin),
        cmocka_unit_test_setup(recipients_keep_counting_under_another_date, begin),
        cmocka_unit_test_setup(more_recipients_than_there_is_room_for_count_as_new, begin),
        cmocka_unit_test_setup(bundles_count_down_in_their_own_periods, begin),
        cmocka_unit_test_setup(a_text_is_short_and_bounded, begin),
        cmocka_unit_test_setup(a_damaged_text_is_refused_or_counts_something, begin),
    };

    return cmocka_run_group_tests(tests, NULL, done);
}
