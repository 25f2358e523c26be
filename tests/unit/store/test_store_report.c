/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivery reports: which part they mean, early, late and twice; and what is kept of each attempt. */
#include "store_testing.h"

#define TO "+40700123456"

static void a_report_goes_to_the_newest_open_part_of_its_sim_reference_and_number(void **state)
{
    struct bench *bench = *state;
    int64_t old = accept_one(bench, TO), newer = accept_one(bench, TO), other = accept_one(bench, "+40700999999");

    finish(bench, intend(bench, old, 0, 1), ATTEMPT_SENT, 42);
    bench->now_ms += HOUR_MS;
    finish(bench, intend(bench, newer, 0, 1), ATTEMPT_SENT, 42);
    finish(bench, intend(bench, other, 0, 1), ATTEMPT_SENT, 42);
    assert_int_equal(report(bench, 2, 42, TO, 0), 0);
    assert_int_equal(report(bench, 1, 41, TO, 0), 0);
    assert_int_equal(report(bench, 1, 42, "0700123456", 0), newer);   /* in national form */
    assert_int_equal(state_of(bench, old), MESSAGE_SENT);
    assert_int_equal(state_of(bench, newer), MESSAGE_DELIVERED);
    assert_int_equal(report(bench, 1, 42, "0700123456", 0), newer);   /* the same one again */
    assert_int_equal(state_of(bench, old), MESSAGE_SENT);
    bench->now_ms += 2000;
    assert_int_equal(report(bench, 1, 42, TO, 0x46), old);
    assert_int_equal(state_of(bench, old), MESSAGE_EXPIRED);
    assert_int_equal(state_of(bench, other), MESSAGE_SENT);
}

/* Found by the simulation: TP-MR came round again before a report that was forty minutes late. */
static void a_late_report_does_not_go_to_a_part_that_was_sent_after_it_was_taken(void **state)
{
    struct bench *bench = *state;
    int64_t first = accept_one(bench, TO), second = accept_one(bench, TO);
    struct store_change *late;

    finish(bench, intend(bench, first, 0, 1), ATTEMPT_SENT, 42);
    late = new_report(bench, 1, 42, TO, 0x46);
    bench->now_ms += 40 * 60000;
    finish(bench, intend(bench, second, 0, 1), ATTEMPT_SENT, 42);
    assert_int_equal(apply(bench, late), 0);
    assert_int_equal(late->u.report.message_id, first);
    assert_int_equal(state_of(bench, first), MESSAGE_EXPIRED);
    assert_int_equal(state_of(bench, second), MESSAGE_SENT);
    assert_int_equal(apply(bench, late), 0);
    assert_int_equal(late->u.report.message_id, first);   /* once more, and still not the second's */
    assert_int_equal(state_of(bench, second), MESSAGE_SENT);
    change_free(late);
}

/* Found by the simulation: the unknown part has no TP-MR, a later one had the same. */
static void a_late_report_goes_to_the_unknown_part_of_its_time_rather_than_to_a_later_one(void **state)
{
    struct bench *bench = *state;
    int64_t unknown = accept_one(bench, TO), later = accept_one(bench, TO);
    struct store_change *late;

    finish(bench, intend(bench, unknown, 0, 1), ATTEMPT_UNKNOWN, -1);
    late = new_report(bench, 1, 42, TO, 0);
    bench->now_ms += 40 * 60000;
    finish(bench, intend(bench, later, 0, 1), ATTEMPT_SENT, 42);
    assert_int_equal(apply(bench, late), 0);
    assert_int_equal(late->u.report.message_id, unknown);
    assert_int_equal(state_of(bench, unknown), MESSAGE_DELIVERED);
    assert_int_equal(state_of(bench, later), MESSAGE_SENT);
    change_free(late);
}

/* Found by the simulation: the later part went out minutes after the service centre's time stamp, which only clocks that differ
 * can explain; the other explanation is the part in doubt. */
static void a_report_that_speaks_for_two_parts_by_its_time_and_by_its_reference_settles_neither(void **state)
{
    struct bench *bench = *state;
    int64_t unknown = accept_one(bench, TO), later = accept_one(bench, TO);
    int64_t taken_ms = bench->now_ms + 60000;
    struct store_change *change = change_new(CHANGE_REPORT, bench->now_ms);

    finish(bench, intend(bench, unknown, 0, 1), ATTEMPT_UNKNOWN, -1);
    bench->now_ms += 240000;
    finish(bench, intend(bench, later, 0, 1), ATTEMPT_SENT, 42);
    change->u.report.sim_id = 1;
    change->u.report.mr = 42;
    strcpy(change->u.report.recipient, TO);
    change->u.report.scts_ms = taken_ms;
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.report.message_id, 0);
    assert_int_equal(state_of(bench, unknown), MESSAGE_UNKNOWN);
    assert_int_equal(state_of(bench, later), MESSAGE_SENT);
    change_free(change);
}

/* Found by the simulation: the same TP-MR, half an hour before, and never reported. */
static void a_report_goes_to_the_unknown_part_of_its_time_rather_than_to_an_older_one(void **state)
{
    struct bench *bench = *state;
    int64_t older = accept_one(bench, TO), unknown = accept_one(bench, TO);

    finish(bench, intend(bench, older, 0, 1), ATTEMPT_SENT, 42);
    bench->now_ms += 30 * 60000;
    finish(bench, intend(bench, unknown, 0, 1), ATTEMPT_UNKNOWN, -1);
    assert_int_equal(report(bench, 1, 42, TO, 0), unknown);
    assert_int_equal(state_of(bench, unknown), MESSAGE_DELIVERED);
    assert_int_equal(state_of(bench, older), MESSAGE_SENT);
}

/* Found by the simulation: the older part never had a report, and took that of the part on the air. */
static void a_report_that_overtakes_its_answer_does_not_go_to_an_older_part_of_the_same_reference(void **state)
{
    struct bench *bench = *state;
    int64_t older = accept_one(bench, TO), on_air = accept_one(bench, TO), attempt;

    finish(bench, intend(bench, older, 0, 1), ATTEMPT_SENT, 42);
    bench->now_ms += 20 * 60000;
    attempt = intend(bench, on_air, 0, 1);
    bench->now_ms += 3000;
    assert_int_equal(report(bench, 1, 42, TO, 0), 0);
    assert_int_equal(state_of(bench, older), MESSAGE_SENT);
    finish(bench, attempt, ATTEMPT_SENT, 42);
    assert_int_equal(state_of(bench, on_air), MESSAGE_DELIVERED);
    assert_int_equal(state_of(bench, older), MESSAGE_SENT);
}

static void final_reports_end_a_message_and_temporary_ones_do_not(void **state)
{
    static const struct { int status; enum message_state then; } rows[] = {
        { 0x00, MESSAGE_DELIVERED },   { 0x01, MESSAGE_DELIVERED }, { 0x20, MESSAGE_SENT },     { 0x3F, MESSAGE_SENT },
        { 0x40, MESSAGE_UNDELIVERED }, { 0x42, MESSAGE_REJECTED },  { 0x46, MESSAGE_EXPIRED },  { 0x62, MESSAGE_UNDELIVERED },
        { 0x63, MESSAGE_REJECTED },    { 0xFF, MESSAGE_REJECTED },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t id = accept_one(bench, TO);

        finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, (int)i);
        assert_int_equal(report(bench, 1, (int)i, TO, rows[i].status), id);
        if (state_of(bench, id) != rows[i].then)
            fail_msg("0x%02X", (unsigned)rows[i].status);
        if (rows[i].then == MESSAGE_SENT) {
            assert_int_equal(report(bench, 1, (int)i, TO, 0x00), id);
            assert_int_equal(state_of(bench, id), MESSAGE_DELIVERED);
        }
    }
    assert_counts_are_exact(bench);
}

static void a_report_that_comes_before_its_answer_is_applied_when_the_answer_comes(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, TO), attempt = intend(bench, id, 0, 1);
    struct store_change *change;

    assert_int_equal(report(bench, 1, 8, TO, 0), 0);
    change = new_outcome(bench, attempt, ATTEMPT_SENT, 8);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.outcome.message_state, MESSAGE_DELIVERED);
    assert_true(change->u.outcome.message_changed);
    assert_history(bench, id, "queued>sending>sent>delivered");
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM report_orphan"), 0);
    change_free(change);
}

static void an_early_report_waits_ten_minutes_and_no_longer(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, TO), attempt = intend(bench, id, 0, 1);

    assert_int_equal(report(bench, 1, 8, TO, 0), 0);
    bench->now_ms += 10 * MINUTE_MS + 1;
    assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, 8), MESSAGE_SENT);
}

static void reports_nobody_waits_for_are_kept_up_to_a_bound(void **state)
{
    struct bench *bench = *state;
    struct store_change *list = NULL;

    for (int i = 0; i < 2200; i++) {
        char number[MESSAGE_TO_MAX];
        struct store_change *change;

        snprintf(number, sizeof number, "+4071%07d", i / 2);   /* twice the same is one */
        change = new_report(bench, 1, 8, number, 0);
        change->next = list;
        list = change;
    }
    assert_int_equal(store_apply(bench->store, list), 0);
    change_free_list(list);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM report_orphan"), 1000);
    bench->now_ms += 25 * HOUR_MS;
    assert_int_equal(report(bench, 1, 8, TO, 0), 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM report_orphan"), 1);
}

static void a_report_proves_that_the_only_unknown_part_it_can_mean_was_sent(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, TO);

    finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1);
    bench->now_ms += MINUTE_MS;
    assert_int_equal(report(bench, 2, 8, TO, 0), 0);                  /* another SIM */
    assert_int_equal(report(bench, 1, 8, "+40700999999", 0), 0);      /* another number */
    assert_int_equal(report(bench, 1, 8, TO, 0), id);
    assert_int_equal(state_of(bench, id), MESSAGE_DELIVERED);
    assert_history(bench, id, "queued>sending>unknown>delivered");
    assert_int_equal(bench_ask(bench, "SELECT state * 1000 + mr FROM attempt"), ATTEMPT_SENT * 1000 + 8);
}

static void a_report_that_may_mean_two_unknown_parts_proves_nothing(void **state)
{
    struct bench *bench = *state;
    int64_t one = accept_one(bench, TO), two = accept_one(bench, TO);

    finish(bench, intend(bench, one, 0, 1), ATTEMPT_UNKNOWN, -1);
    finish(bench, intend(bench, two, 0, 1), ATTEMPT_UNKNOWN, -1);
    assert_int_equal(report(bench, 1, 8, TO, 0), 0);
    assert_int_equal(state_of(bench, one), MESSAGE_UNKNOWN);
    assert_int_equal(state_of(bench, two), MESSAGE_UNKNOWN);
}

static void a_report_from_another_time_proves_nothing_for_an_unknown_part(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, TO);
    struct store_change *change;

    finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1);
    change = new_report(bench, 1, 8, TO, 0);
    change->u.report.scts_ms = bench->now_ms - 6 * MINUTE_MS;         /* handed in before our attempt */
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.report.message_id, 0);
    change_free(change);
    bench->now_ms += 3 * HOUR_MS;
    assert_int_equal(report(bench, 1, 9, TO, 0), 0);                  /* handed in long after it */
    assert_int_equal(state_of(bench, id), MESSAGE_UNKNOWN);
}

static void a_report_for_a_part_still_on_its_way_is_not_taken_by_an_unknown_one(void **state)
{
    struct bench *bench = *state;
    int64_t lost = accept_one(bench, TO), next = accept_one(bench, TO), attempt;

    finish(bench, intend(bench, lost, 0, 1), ATTEMPT_UNKNOWN, -1);
    attempt = intend(bench, next, 0, 1);
    assert_int_equal(report(bench, 1, 8, TO, 0), 0);
    assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, 8), MESSAGE_DELIVERED);
    assert_int_equal(state_of(bench, lost), MESSAGE_UNKNOWN);
}

/* Found by scripts/soak: a gateway that had been stopped for long gave a part up, heard its report, and sent it again nevertheless. */
static void a_report_for_an_unknown_part_counts_once_the_next_part_is_taken_back(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 2), first = intend(bench, id, 0, 1), second = intend(bench, id, 1, 1);

    finish(bench, first, ATTEMPT_UNKNOWN, -1);
    assert_int_equal(report(bench, 1, 42, TO, 0), 0);
    (void)withdraw(bench, second);
    assert_int_equal(bench_ask(bench, "SELECT state FROM attempt WHERE part = 0"), ATTEMPT_SENT);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM report_orphan"), 0);
    finish(bench, intend(bench, id, 1, 1), ATTEMPT_SENT, 43);
    assert_int_equal(state_of(bench, id), MESSAGE_SENT);
    assert_counts_are_exact(bench);
}

static void a_report_for_an_unknown_part_waits_until_the_next_part_has_its_answer(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 2);
    int64_t first = intend(bench, id, 0, 1), second = intend(bench, id, 1, 1);

    finish(bench, first, ATTEMPT_UNKNOWN, -1);
    assert_int_equal(report(bench, 1, 7, TO, 0), 0);
    assert_int_equal(finish(bench, second, ATTEMPT_SENT, 8), MESSAGE_SENT);   /* both are sent: 7 was the first one's */
    assert_int_equal(report(bench, 1, 8, TO, 0), id);
    assert_int_equal(state_of(bench, id), MESSAGE_DELIVERED);
}

struct attempts { uint32_t count; struct attempt_row of[8]; char iccid[32], imei[32], model[32]; };

static void attempts_add(void *context, const struct attempt_row *row)
{
    struct attempts *attempts = context;

    assert_true(attempts->count < 8);
    snprintf(attempts->iccid, sizeof attempts->iccid, "%s", row->iccid);
    snprintf(attempts->imei, sizeof attempts->imei, "%s", row->imei);
    snprintf(attempts->model, sizeof attempts->model, "%s", row->model);
    attempts->of[attempts->count++] = *row;
}

static void attempts_are_read_in_order_of_part_then_time(void **state)
{
    struct bench *bench = *state;
    struct store_change *sim = change_new(CHANGE_SIM, bench->now_ms);
    int64_t id = accept_parts(bench, TO, 2), first, second, third;
    struct attempts attempts = { 0 };

    strcpy(sim->u.sim.iccid, "8940012345678901234");
    strcpy(sim->u.sim.imei, "356938035643809");
    strcpy(sim->u.sim.model, "EC25");
    assert_int_equal(apply(bench, sim), 0);
    first = intend(bench, id, 0, sim->u.sim.sim_id);
    second = intend(bench, id, 1, sim->u.sim.sim_id);
    refuse(bench, first, OUTCOME_RETRY, 0);
    finish(bench, second, ATTEMPT_SENT, 200);
    third = intend(bench, id, 0, sim->u.sim.sim_id);
    finish(bench, third, ATTEMPT_SENT, 201);
    report(bench, sim->u.sim.sim_id, 200, TO, 0x22);
    assert_int_equal(store_read_attempts(bench->reader, id, attempts_add, &attempts), 0);
    assert_int_equal(attempts.count, 3);
    assert_int_equal(attempts.of[0].id, first);
    assert_int_equal(attempts.of[0].state, ATTEMPT_REFUSED);
    assert_int_equal(attempts.of[0].code, 38);
    assert_int_equal(attempts.of[0].mr, -1);
    assert_int_equal(attempts.of[1].id, third);
    assert_int_equal(attempts.of[1].mr, 201);
    assert_int_equal(attempts.of[1].report_status, -1);
    assert_int_equal(attempts.of[2].id, second);
    assert_int_equal(attempts.of[2].part, 1);
    assert_int_equal(attempts.of[2].report_status, 0x22);
    assert_string_equal(attempts.iccid, "8940012345678901234");
    assert_string_equal(attempts.imei, "356938035643809");
    assert_string_equal(attempts.model, "EC25");
    change_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(a_report_goes_to_the_newest_open_part_of_its_sim_reference_and_number),
        behaviour(a_late_report_does_not_go_to_a_part_that_was_sent_after_it_was_taken),
        behaviour(a_late_report_goes_to_the_unknown_part_of_its_time_rather_than_to_a_later_one),
        behaviour(a_report_that_overtakes_its_answer_does_not_go_to_an_older_part_of_the_same_reference),
        behaviour(a_report_goes_to_the_unknown_part_of_its_time_rather_than_to_an_older_one),
        behaviour(a_report_that_speaks_for_two_parts_by_its_time_and_by_its_reference_settles_neither),
        behaviour(final_reports_end_a_message_and_temporary_ones_do_not),
        behaviour(a_report_that_comes_before_its_answer_is_applied_when_the_answer_comes),
        behaviour(an_early_report_waits_ten_minutes_and_no_longer),
        behaviour(reports_nobody_waits_for_are_kept_up_to_a_bound),
        behaviour(a_report_proves_that_the_only_unknown_part_it_can_mean_was_sent),
        behaviour(a_report_that_may_mean_two_unknown_parts_proves_nothing),
        behaviour(a_report_from_another_time_proves_nothing_for_an_unknown_part),
        behaviour(a_report_for_a_part_still_on_its_way_is_not_taken_by_an_unknown_one),
        behaviour(a_report_for_an_unknown_part_counts_once_the_next_part_is_taken_back),
        behaviour(a_report_for_an_unknown_part_waits_until_the_next_part_has_its_answer),
        behaviour(attempts_are_read_in_order_of_part_then_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
