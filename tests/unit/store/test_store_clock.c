/* SPDX-License-Identifier: Apache-2.0
 *
 * The wall clock is set while messages wait. */
#include "store_testing.h"

#define TO "+40700123456"
#define DAYS(n) (INT64_C(86400000) * (n))
#define NOW_MS INT64_C(1788220800000)    /* 2026-09-01 */
#define BOOT 77

static int64_t mono_ms;

static void pass(struct bench *bench, int64_t ms)
{
    mono_ms += ms;
    bench->now_ms += ms;
}

static int64_t tell(struct bench *bench, int64_t boot, bool starts)
{
    struct store_change *change = change_new(CHANGE_CLOCK, bench->now_ms);
    int64_t step_ms;

    change->u.clock.ahead_ms = bench->now_ms - mono_ms;
    change->u.clock.boot = boot;
    change->u.clock.starts = starts;
    assert_int_equal(apply(bench, change), 0);
    step_ms = change->u.clock.step_ms;
    change_free(change);
    return step_ms;
}

static void start(struct bench *bench, int64_t wall_ms)
{
    mono_ms = 20000;
    bench->now_ms = wall_ms;
    assert_int_equal(tell(bench, BOOT, true), 0);
}

static int64_t accept_for(struct bench *bench, int64_t span_ms, int64_t due_ms)
{
    struct store_change *change = new_accept(bench, 1, NULL);
    int64_t id;

    fill_message(&change->u.accept.messages[0], TO, 1);
    change->u.accept.messages[0].due_ms = due_ms;
    change->u.accept.messages[0].expire_ms = (due_ms != 0 ? due_ms : bench->now_ms) + span_ms;
    assert_int_equal(apply(bench, change), 0);
    id = change->u.accept.messages[0].id;
    change_free(change);
    return id;
}

static uint32_t expired_now(struct bench *bench)
{
    struct store_change *change = due(bench, 10);
    uint32_t count = change->u.due.expired_count;

    change_free(change);
    return count;
}

static void what_waits_keeps_the_time_it_has_left_when_the_clock_is_set(void **state)
{
    static const int64_t steps_ms[] = { DAYS(20000), DAYS(-20000), DAYS(1), -61000, 6000 };
    struct bench *bench = *state;

    start(bench, NOW_MS);
    for (size_t i = 0; i < sizeof steps_ms / sizeof steps_ms[0]; i++) {
        int64_t id = accept_for(bench, 600000, 0);

        pass(bench, 200000);
        bench->now_ms += steps_ms[i];
        assert_int_equal(tell(bench, BOOT, false), steps_ms[i]);
        pass(bench, 399999);
        assert_int_equal(expired_now(bench), 0);
        assert_int_equal(state_of(bench, id), MESSAGE_QUEUED);
        pass(bench, 1);
        assert_int_equal(expired_now(bench), 1);
        assert_int_equal(state_of(bench, id), MESSAGE_EXPIRED);
    }
}

static void a_change_that_is_applied_again_moves_nothing_twice(void **state)
{
    struct bench *bench = *state;

    start(bench, NOW_MS);
    (void)accept_for(bench, 600000, 0);
    bench->now_ms += DAYS(3);
    assert_int_equal(tell(bench, BOOT, false), DAYS(3));
    assert_int_equal(tell(bench, BOOT, false), 0);
    pass(bench, 600000);
    assert_int_equal(expired_now(bench), 1);
}

static void a_new_process_goes_on_where_the_clock_of_the_same_boot_was(void **state)
{
    struct bench *bench = *state;

    start(bench, NOW_MS - DAYS(60));     /* the clock was saved two months ago */
    (void)accept_for(bench, 600000, 0);
    bench_reopen(bench);
    bench->now_ms += DAYS(60);
    assert_int_equal(tell(bench, BOOT, true), DAYS(60));
    assert_int_equal(expired_now(bench), 0);
    pass(bench, 600000);
    assert_int_equal(expired_now(bench), 1);
}

static void what_is_older_than_the_boot_stays_as_its_clock_said(void **state)
{
    struct bench *bench = *state;

    start(bench, NOW_MS);
    (void)accept_for(bench, 600000, 0);
    mono_ms = 5000;                      /* off for ten minutes; the clock is not right yet */
    bench->now_ms += 60000;
    assert_int_equal(tell(bench, BOOT + 1, true), 0);
    bench->now_ms += 540000;
    assert_int_equal(tell(bench, BOOT + 1, false), 540000);
    assert_int_equal(expired_now(bench), 1);
}

static void a_time_stamp_from_before_this_program_is_known_to_be_wrong(void **state)
{
    struct bench *bench = *state;

    start(bench, 5000);                  /* 1970 */
    (void)accept_for(bench, 600000, 0);
    mono_ms = 9000;
    assert_int_equal(tell(bench, BOOT + 1, true), 0);
    bench->now_ms += NOW_MS;
    assert_int_equal(tell(bench, BOOT + 1, false), NOW_MS);
    assert_int_equal(expired_now(bench), 0);
    pass(bench, 600000);
    assert_int_equal(expired_now(bench), 1);
}

static void an_appointment_is_kept_by_the_wall_clock(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;

    start(bench, NOW_MS);
    (void)accept_for(bench, 600000, NOW_MS + DAYS(1));
    bench->now_ms += DAYS(1);
    (void)tell(bench, BOOT, false);
    change = due(bench, 10);
    assert_int_equal(change->u.due.item_count, 1);
    change_free(change);
    pass(bench, 600000);
    assert_int_equal(expired_now(bench), 1);
}

static void a_retry_that_was_put_off_comes_when_it_would_have(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;
    int64_t id;

    start(bench, NOW_MS);
    id = accept_for(bench, DAYS(1), 0);
    (void)refuse(bench, intend(bench, id, 0, 1), OUTCOME_RETRY, bench->now_ms + 60000);
    bench->now_ms -= DAYS(400);
    (void)tell(bench, BOOT, false);
    pass(bench, 60000);
    change = due(bench, 10);
    assert_int_equal(change->u.due.item_count, 1);
    change_free(change);
}

/* Found by the simulation: the end had moved with the clock and the beginning had not, so the span was negative. */
static void what_a_person_releases_gets_the_time_it_had_at_first_however_the_clock_was_set(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = change_new(CHANGE_DECIDE, 0);
    int64_t id;

    start(bench, NOW_MS);
    id = accept_for(bench, 600000, 0);
    finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1);
    bench->now_ms -= DAYS(80);
    (void)tell(bench, BOOT, false);
    pass(bench, DAYS(2));
    change->now_ms = bench->now_ms;
    change->u.decide.message_id = id;
    change->u.decide.decision = DECISION_RELEASE;
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.decide.message_state, MESSAGE_QUEUED);
    assert_int_equal(change->u.decide.requeue.expire_ms, bench->now_ms + 600000);
    change_free(change);
}

/* Found by the simulation: it was accepted before the last boot, but its new time is by this one. */
static void what_was_released_since_the_boot_moves_with_its_clock_and_no_release_makes_its_time_longer(void **state)
{
    struct bench *bench = *state;
    int64_t id;

    start(bench, NOW_MS);
    id = accept_for(bench, 600000, 0);
    mono_ms = 5000;
    (void)tell(bench, BOOT + 1, true);
    for (int i = 0; i < 3; i++) {
        struct store_change *change = change_new(CHANGE_DECIDE, 0);

        finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1);
        pass(bench, 500000);
        change->now_ms = bench->now_ms;
        change->u.decide.message_id = id;
        change->u.decide.decision = DECISION_RELEASE;
        assert_int_equal(apply(bench, change), 0);
        assert_int_equal(change->u.decide.requeue.expire_ms, bench->now_ms + 600000);
        change_free(change);
        bench->now_ms += DAYS(5);
        (void)tell(bench, BOOT + 1, false);
        assert_int_equal(expired_now(bench), 0);
    }
    pass(bench, 600000);
    assert_int_equal(expired_now(bench), 1);
}

static void what_is_in_doubt_is_held_no_sooner(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;
    int64_t id;

    start(bench, NOW_MS);
    id = accept_for(bench, 600000, 0);
    finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1);
    bench->now_ms += DAYS(80);
    (void)tell(bench, BOOT, false);
    change = due(bench, 10);
    assert_int_equal(change->u.due.held_count, 0);
    change_free(change);
    pass(bench, 1200000);
    change = due(bench, 10);
    assert_int_equal(change->u.due.held_count, 1);
    change_free(change);
}

static void parts_of_an_incoming_message_wait_as_long_as_ever(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = change_new(CHANGE_RECEIVE, NOW_MS);

    start(bench, NOW_MS);
    change->u.receive = (struct change_receive){ .sim_id = 1, .modem_id = 1, .pdu_hex = strdup("0701"), .text = strdup("a"), .text_length = 1,
                                                 .concat = true, .ref = 7, .ref_bits = 8, .total = 2, .seq = 1, .message_class = -1 };
    strcpy(change->u.receive.from, TO);
    assert_int_equal(apply(bench, change), 0);
    change_free(change);
    bench->now_ms += DAYS(30);
    (void)tell(bench, BOOT, false);
    change = due(bench, 10);
    assert_int_equal(change->u.due.inbox_count, 0);
    change_free(change);
    pass(bench, DAYS(1));
    change = due(bench, 10);
    assert_int_equal(change->u.due.inbox_count, 1);
    change_free(change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(what_waits_keeps_the_time_it_has_left_when_the_clock_is_set),
        behaviour(a_change_that_is_applied_again_moves_nothing_twice),
        behaviour(a_new_process_goes_on_where_the_clock_of_the_same_boot_was),
        behaviour(what_is_older_than_the_boot_stays_as_its_clock_said),
        behaviour(a_time_stamp_from_before_this_program_is_known_to_be_wrong),
        behaviour(an_appointment_is_kept_by_the_wall_clock),
        behaviour(a_retry_that_was_put_off_comes_when_it_would_have),
        behaviour(what_a_person_releases_gets_the_time_it_had_at_first_however_the_clock_was_set),
        behaviour(what_was_released_since_the_boot_moves_with_its_clock_and_no_release_makes_its_time_longer),
        behaviour(what_is_in_doubt_is_held_no_sooner),
        behaviour(parts_of_an_incoming_message_wait_as_long_as_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
