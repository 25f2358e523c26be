/* SPDX-License-Identifier: Apache-2.0
 *
 * What the gateway shows of itself: what is on the air, who rests, whether it is idle and whether it takes messages. */
#include "tests/unit/gateway/rig.h"

#include <errno.h>

static struct live_view view_of(struct rig *rig)
{
    struct live_view view;

    memset(&view, 0, sizeof view);
    gateway_view(rig->gateway, &view, rig->now);
    return view;
}

static void what_is_on_the_air_is_shown_until_its_answer(void **state)
{
    struct rig *rig = rig_new();
    int64_t id, shown = 0;
    uint16_t part = 9, parts = 9;

    (void)state;
    assert_false(gateway_on_air(rig->gateway, 0, &shown, &part, &parts));
    rig_modem(rig, 1);
    assert_false(gateway_on_air(rig->gateway, 0, &shown, &part, &parts));   /* no modem ever sat there */
    assert_false(gateway_on_air(rig->gateway, 1, &shown, &part, &parts));
    id = rig_submit(rig, (struct rig_text){ .text = "aabb", .parts = 2, .cuts = { 2, 2 } });
    for (uint16_t i = 0; i < 2; i++) {
        assert_true(gateway_on_air(rig->gateway, 1, &shown, &part, &parts));
        assert_int_equal(shown, id);
        assert_int_equal(part, i);
        assert_int_equal(parts, 2);
        rig_pass_ms(rig, 3000);
        rig_result(rig, i, GATEWAY_SENT, i, -1);
        rig_commit(rig);
    }
    assert_false(gateway_on_air(rig->gateway, 1, &shown, &part, &parts));
    rig_free(rig);
}

static void a_sim_that_rests_says_how_long_and_why(void **state)
{
    struct rig *rig = rig_new();
    uint64_t left_us = 0, before_us;
    const char *cause = "";

    (void)state;
    assert_false(gateway_rests(rig->gateway, 0, rig->now.mono_us, &left_us, &cause));
    rig_modem(rig, 1);
    assert_false(gateway_rests(rig->gateway, 0, rig->now.mono_us, &left_us, &cause));
    assert_false(gateway_rests(rig->gateway, 1, rig->now.mono_us, &left_us, &cause));
    (void)rig_submit(rig, (struct rig_text){ .text = "a" });
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 42);   /* congestion */
    rig_commit(rig);
    assert_true(gateway_rests(rig->gateway, 1, rig->now.mono_us, &left_us, &cause));
    assert_string_equal(cause, "congestion");
    assert_int_equal(left_us, 60000000);
    assert_int_equal(view_of(rig).sims_resting, 1);
    before_us = left_us;
    rig_pass_ms(rig, 20000);
    assert_true(gateway_rests(rig->gateway, 1, rig->now.mono_us, &left_us, &cause));
    assert_int_equal(left_us, before_us - 20000000);
    rig_pass_ms(rig, 40000);
    assert_false(gateway_rests(rig->gateway, 1, rig->now.mono_us, &left_us, &cause));
    assert_int_equal(view_of(rig).sims_resting, 0);
    rig_free(rig);
}

/* It may be one that rests, too: only of those that can send, all must rest for the alarm. */
static void a_card_whose_row_is_not_known_yet_is_counted_with_nobody(void **state)
{
    static const struct change_sim card = { .iccid = "8940111111111111111", .imei = "350000000000001" };
    struct rig *rig = rig_new();

    (void)state;
    rig_modem(rig, 0);
    (void)rig_submit(rig, (struct rig_text){ .text = "a" });
    gateway_slot_sim(rig->gateway, 1, "port", &card, rig->now);
    gateway_slot_ready(rig->gateway, 1, true, rig->now);
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 42);
    assert_int_equal(view_of(rig).sims_resting, 1);
    assert_true(view_of(rig).alarm[0] != '\0');
    rig_commit(rig);                     /* now it is known, and well */
    assert_int_equal(rig->alarms, 1);
    assert_int_equal(rig->alarms_over, 1);
    assert_string_equal(view_of(rig).alarm, "");
    rig_free(rig);
}

static void it_is_idle_when_nothing_is_on_the_air_or_behind_and_all_is_on_disk(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *list;

    (void)state;
    assert_true(gateway_idle(rig->gateway));
    rig_modem(rig, 1);
    assert_true(gateway_idle(rig->gateway));
    gateway_submit(rig->gateway, rig_new_accept(rig, (struct rig_text){ .text = "a" }), rig->now);
    assert_false(gateway_idle(rig->gateway));      /* to be committed */
    list = gateway_take_changes(rig->gateway);
    assert_false(gateway_idle(rig->gateway));      /* on the way to the disk */
    rig_commit_list(rig, list);
    assert_false(gateway_idle(rig->gateway));      /* its intent is asked for */
    rig_commit(rig);
    assert_false(gateway_idle(rig->gateway));      /* on the air */
    rig->store_error = -EIO;
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    assert_false(gateway_idle(rig->gateway));      /* its outcome waits for the disk */
    rig->store_error = 0;
    rig_pass_ms(rig, 1001);
    assert_true(gateway_idle(rig->gateway));
    rig_free(rig);
}

static void intake_says_why_it_is_closed_and_opens_again(void **state)
{
    static const int errors[] = { -ENOSPC, -EIO };
    struct rig *rig = rig_new();
    const char *reason = "";

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(gateway_intake_error(rig->gateway), 0);
        assert_true(gateway_accepting(rig->gateway, &reason));
        assert_null(reason);
        assert_string_equal(view_of(rig).problem, "");
        rig->store_error = errors[i];
        (void)rig_submit(rig, (struct rig_text){ .text = "a" });
        assert_int_equal(rig->last_result, errors[i]);
        assert_int_equal(gateway_intake_error(rig->gateway), errors[i]);
        assert_false(view_of(rig).accepting);
        assert_non_null(strstr(view_of(rig).problem, errors[i] == -ENOSPC ? "disk is full" : "cannot be written"));
        rig->store_error = 0;
        rig_pass_ms(rig, 1001);
    }
    gateway_stop(rig->gateway, rig->now);
    assert_int_equal(gateway_intake_error(rig->gateway), -ESHUTDOWN);
    assert_false(gateway_accepting(rig->gateway, NULL));
    rig_free(rig);
}

static void a_view_can_be_freed_twice_and_none_at_all_too(void **state)
{
    struct live_view view = { .modems = calloc(2, sizeof *view.modems), .modem_count = 2 };

    (void)state;
    live_view_done(&view);
    assert_null(view.modems);
    assert_int_equal(view.modem_count, 0);
    live_view_done(&view);
    live_view_done(NULL);
}

static void every_step_of_a_part_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = LIVE_PART_ON_AIR; i <= LIVE_PART_REPORTED; i++)
        for (int j = LIVE_PART_ON_AIR; j <= LIVE_PART_REPORTED + 1; j++)
            assert_int_equal(strcmp(live_part_step_name((enum live_part_step)i), live_part_step_name((enum live_part_step)j)) == 0, i == j);
    assert_string_equal(live_part_step_name((enum live_part_step)(LIVE_PART_REPORTED + 1)), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_on_the_air_is_shown_until_its_answer),
        cmocka_unit_test(a_sim_that_rests_says_how_long_and_why),
        cmocka_unit_test(a_card_whose_row_is_not_known_yet_is_counted_with_nobody),
        cmocka_unit_test(it_is_idle_when_nothing_is_on_the_air_or_behind_and_all_is_on_disk),
        cmocka_unit_test(intake_says_why_it_is_closed_and_opens_again),
        cmocka_unit_test(a_view_can_be_freed_twice_and_none_at_all_too),
        cmocka_unit_test(every_step_of_a_part_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
