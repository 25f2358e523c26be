/* SPDX-License-Identifier: Apache-2.0
 *
 * The wall clock is set; and what a person is told when every SIM rests. */
#include "tests/unit/gateway/rig.h"

#include <string.h>

static void a_clock_that_is_set_back_does_not_put_off_a_retry(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    rig->now.wall_ms += 5000000000;   /* a clock that was two months ahead */
    gateway_poll(rig->gateway, rig->now);
    rig_commit(rig);
    id = rig_submit(rig, (struct rig_text){ .text = "again" });
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 41);
    rig_commit(rig);
    rig->now.wall_ms -= 5000000000;
    rig_pass_ms(rig, 1000);
    rig_pass_ms(rig, 601000);
    assert_int_equal(rig->sent_count, 2);
    rig_result(rig, 1, GATEWAY_SENT, 3, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

/* A box without a battery starts in the past; when the network tells the time, nothing that waits may be over at once. */
static void a_clock_that_jumps_forward_ends_nothing_that_waits(void **state)
{
    struct rig *rig = rig_new();
    int64_t id, queued;

    (void)state;
    id = rig_submit(rig, (struct rig_text){ .text = "soon", .expire_in_ms = 600000 });
    rig_pass_ms(rig, 100000);
    rig->now.wall_ms += INT64_C(50000000000);
    rig_modem(rig, 0);                   /* the first thing after the jump is a modem that wants work, not the clock's own poll */
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENDING);
    queued = rig_submit(rig, (struct rig_text){ .text = "next", .expire_in_ms = 600000 });
    rig->now.wall_ms += INT64_C(50000000000);
    rig_result(rig, 0, GATEWAY_SENT, 3, -1);
    rig_commit(rig);
    rig_result(rig, 1, GATEWAY_SENT, 4, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, queued), MESSAGE_SENT);
    rig_free(rig);
}

static void a_message_is_over_when_its_time_has_passed_though_the_clock_went_back(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    id = rig_submit(rig, (struct rig_text){ .text = "code 4711", .expire_in_ms = 600000 });
    rig->now.wall_ms -= INT64_C(50000000000);
    rig_pass_ms(rig, 599000);
    assert_int_equal(rig_state(rig, id), MESSAGE_QUEUED);
    rig_pass_ms(rig, 2000);
    assert_int_equal(rig_state(rig, id), MESSAGE_EXPIRED);
    rig_free(rig);
}

/* The request was read before the clock was set, and is taken after. */
static void a_request_that_met_the_old_clock_has_its_time_by_the_new_one(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig->now.wall_ms -= INT64_C(50000000000);
    gateway_poll(rig->gateway, rig->now);
    rig_commit(rig);
    rig->stale_ms = INT64_C(50000000000);
    rig->now.wall_ms += rig->stale_ms;
    id = rig_submit(rig, (struct rig_text){ .text = "in between", .expire_in_ms = 600000 });
    rig_pass_ms(rig, 599000);
    assert_int_equal(rig_state(rig, id), MESSAGE_QUEUED);
    rig_pass_ms(rig, 2000);
    assert_int_equal(rig_state(rig, id), MESSAGE_EXPIRED);
    rig_free(rig);
}

static void when_every_sim_rests_an_alarm_is_raised_once_and_ends_with_the_first_that_may_go_on(void **state)
{
    struct rig *rig = rig_new();
    struct live_view view = { .modems = NULL };

    (void)state;
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    for (int i = 0; i < 4; i++)
        (void)rig_submit(rig, (struct rig_text){ .text = "full" });
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 42);
    rig_commit(rig);
    assert_int_equal(rig->alarms, 0);
    rig_pass_ms(rig, 10000);
    rig_result(rig, 1, GATEWAY_REFUSED, -1, 42);
    rig_commit(rig);
    assert_int_equal(rig->alarms, 1);
    assert_non_null(strstr(rig->alarm, "congestion"));
    gateway_view(rig->gateway, &view, rig->now);
    assert_string_equal(view.alarm, rig->alarm);
    assert_int_equal(view.sims_resting, 2);
    rig_pass_ms(rig, 49000);
    assert_int_equal(rig->alarms_over, 0);
    rig_pass_ms(rig, 2000);
    assert_int_equal(rig->alarms, 1);
    assert_int_equal(rig->alarms_over, 1);
    gateway_view(rig->gateway, &view, rig->now);
    assert_string_equal(view.alarm, "");
    assert_int_equal(view.sims_resting, 1);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_set_back_does_not_put_off_a_retry),
        cmocka_unit_test(a_clock_that_jumps_forward_ends_nothing_that_waits),
        cmocka_unit_test(a_message_is_over_when_its_time_has_passed_though_the_clock_went_back),
        cmocka_unit_test(a_request_that_met_the_old_clock_has_its_time_by_the_new_one),
        cmocka_unit_test(when_every_sim_rests_an_alarm_is_raised_once_and_ends_with_the_first_that_may_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
