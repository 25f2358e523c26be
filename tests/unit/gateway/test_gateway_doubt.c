/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of parts of which nobody knows whether they were sent. */
#include "tests/unit/gateway/rig.h"

#include <errno.h>

#define MINUTE_MS 60000
#define DAY_MS 86400000

/* TP-MR 17 to +40700000001, at its recipient; handed to the service centre at 2026-09-21 14:13:20 UTC, the rig's start. */
#define REPORT_MR17 "0006110B910407000000F1629012413102006290124131020000"

/* The same with TP-ST 62: no response from the phone, the service centre has given up; and 43: not obtainable. */
#define REPORT_GIVEN_UP "0006110B910407000000F1629012413102006290124131020062"
#define REPORT_NOT_OBTAINABLE "0006110B910407000000F1629012413102006290124131020043"

static int64_t sent_and_reported(struct rig *rig, bool at_least_once, const char *report)
{
    int64_t id = rig_submit(rig, (struct rig_text){ .text = "alarm", .at_least_once = at_least_once });

    rig_result(rig, 0, GATEWAY_SENT, 17, -1);
    rig_commit(rig);
    gateway_report(rig->gateway, 0, report, strlen(report), 1, rig->now);
    rig_commit(rig);
    return id;
}

static int rig_decide(struct rig *rig, int64_t id, enum decision decision)
{
    struct store_change *change = change_new(CHANGE_DECIDE, rig->now.wall_ms);

    change->u.decide.message_id = id;
    change->u.decide.decision = decision;
    change->waiter = rig;
    gateway_submit(rig->gateway, change, rig->now);
    rig_commit(rig);
    return rig->last_result;
}

/* The modem loses the answer, and is back at once. */
static void lose_answer(struct rig *rig, size_t sent)
{
    uint32_t slot = rig->sent[sent].slot;

    rig_result(rig, sent, GATEWAY_UNKNOWN, -1, -1);
    rig_commit(rig);
    gateway_slot_ready(rig->gateway, slot, true, rig->now);
    rig_commit(rig);
}

static void what_must_not_go_twice_waits_for_a_person_when_its_time_is_over(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "once", .expire_in_ms = 10 * MINUTE_MS });
    lose_answer(rig, 0);
    rig_pass_ms(rig, 19 * MINUTE_MS);
    assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
    rig_pass_ms(rig, 2 * MINUTE_MS);
    assert_int_equal(rig_state(rig, id), MESSAGE_HELD);
    rig_pass_ms(rig, DAY_MS);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

static void a_person_may_release_it_and_then_it_goes_once_more_under_the_same_reference_with_tp_rd(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    id = rig_submit(rig, (struct rig_text){ .text = "ab", .parts = 2, .cuts = { 1, 1 }, .expire_in_ms = 10 * MINUTE_MS });
    lose_answer(rig, 0);
    assert_int_equal(rig->sent_count, 2);   /* the second part went after it: the whole may have arrived */
    rig_result(rig, 1, GATEWAY_SENT, 9, -1);
    rig_commit(rig);
    rig_pass_ms(rig, 21 * MINUTE_MS);
    assert_int_equal(rig_state(rig, id), MESSAGE_HELD);
    assert_int_equal(rig_decide(rig, id, DECISION_RELEASE), 0);
    assert_int_equal(rig->sent_count, 3);
    assert_int_equal(rig->sent[2].slot, rig->sent[0].slot);
    assert_true(rig->sent[2].tpdu.reject_duplicates);
    assert_false(rig->sent[0].tpdu.reject_duplicates);
    assert_int_equal(rig->sent[2].tpdu.mr, rig->sent[0].tpdu.mr);
    assert_int_equal(rig->sent[2].tpdu.udh.concat_seq, 1);
    assert_int_equal(rig->sent[2].tpdu.udh.concat_ref, rig->sent[0].tpdu.udh.concat_ref);
    rig_result(rig, 2, GATEWAY_SENT, 10, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    assert_int_equal(rig_decide(rig, id, DECISION_RELEASE), -EALREADY);
    rig_free(rig);
}

static void a_person_may_drop_it_and_then_it_stays_unknown_for_good(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "drop" });
    lose_answer(rig, 0);
    assert_int_equal(rig_decide(rig, id, DECISION_DROP), 0);
    assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
    rig_pass_ms(rig, 2 * (int64_t)DAY_MS);
    assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
    assert_int_equal(rig_decide(rig, id, DECISION_RELEASE), -EALREADY);
    assert_int_equal(rig_decide(rig, 4711, DECISION_DROP), -ENOENT);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

static void evidence_that_comes_after_a_drop_still_tells_the_truth(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "drop" });
    lose_answer(rig, 0);
    assert_int_equal(rig_decide(rig, id, DECISION_DROP), 0);
    rig_result(rig, 0, GATEWAY_LATE_SENT, 9, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void nothing_but_a_doubt_can_be_released(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    id = rig_submit(rig, (struct rig_text){ .text = "waits" });
    assert_int_equal(rig_decide(rig, id, DECISION_RELEASE), -EALREADY);
    assert_int_equal(rig_state(rig, id), MESSAGE_QUEUED);
    rig_free(rig);
}

static void what_must_arrive_goes_once_more_by_the_same_sim_after_a_wait_and_never_a_third_time(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    id = rig_submit(rig, (struct rig_text){ .text = "alarm", .at_least_once = true });
    lose_answer(rig, 0);
    rig_pass_ms(rig, 50000);
    assert_int_equal(rig->sent_count, 1);
    rig_pass_ms(rig, 11000);
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig->sent[1].slot, rig->sent[0].slot);
    assert_int_equal(rig->sent[1].tpdu.mr, rig->sent[0].tpdu.mr);
    assert_true(rig->sent[1].tpdu.reject_duplicates);
    lose_answer(rig, 1);
    rig_pass_ms(rig, DAY_MS + 11 * MINUTE_MS);
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig_state(rig, id), MESSAGE_HELD);
    rig_free(rig);
}

static void a_report_in_the_meantime_spares_the_resend(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "alarm", .at_least_once = true });
    lose_answer(rig, 0);
    rig_pass_ms(rig, 30000);
    gateway_report(rig->gateway, 0, REPORT_MR17, strlen(REPORT_MR17), 1, rig->now);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_DELIVERED);
    rig_pass_ms(rig, 10 * MINUTE_MS);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, id), MESSAGE_DELIVERED);
    rig_free(rig);
}

static void a_network_that_has_it_already_says_so_and_that_settles_it(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "alarm", .at_least_once = true });
    lose_answer(rig, 0);
    rig_pass_ms(rig, 61000);
    rig_result(rig, 1, GATEWAY_REFUSED, -1, 197);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void a_resend_that_is_refused_leaves_the_first_one_unknown(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "alarm", .at_least_once = true });
    lose_answer(rig, 0);
    rig_pass_ms(rig, 61000);
    rig_result(rig, 1, GATEWAY_REFUSED, -1, 1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
    rig_free(rig);
}

static void after_a_crash_what_must_arrive_goes_once_more_when_late_answers_had_their_time(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "alarm", .at_least_once = true });
    rig_restart(rig);
    rig_modem(rig, 0);
    rig_pass_ms(rig, 170000);
    assert_int_equal(rig->sent_count, 0);
    rig_pass_ms(rig, 11000);
    assert_int_equal(rig->sent_count, 1);
    assert_true(rig->sent[0].tpdu.reject_duplicates);
    rig_result(rig, 0, GATEWAY_SENT, 3, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void a_resend_that_is_cancelled_in_time_is_unknown_and_not_cancelled(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "alarm", .at_least_once = true });
    lose_answer(rig, 0);
    assert_int_equal(rig_cancel(rig, id), 0);
    rig_pass_ms(rig, 61000);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
    rig_free(rig);
}

static void what_must_arrive_goes_once_more_when_the_service_centre_gives_up_for_a_cause_that_passes(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    id = sent_and_reported(rig, true, REPORT_GIVEN_UP);
    assert_int_equal(rig_state(rig, id), MESSAGE_QUEUED);
    rig_pass_ms(rig, 4 * MINUTE_MS);
    assert_int_equal(rig->sent_count, 1);
    rig_pass_ms(rig, MINUTE_MS + 1000);
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig->sent[1].slot, rig->sent[0].slot);
    rig_result(rig, 1, GATEWAY_SENT, 17, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void the_same_report_about_the_second_time_is_the_end(void **state)
{
    static const char again[] = "0006120B910407000000F1629012413152006290124131520062";   /* TP-MR 18, five minutes later */
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = sent_and_reported(rig, true, REPORT_GIVEN_UP);
    rig_pass_ms(rig, 5 * MINUTE_MS + 1000);
    rig_result(rig, 1, GATEWAY_SENT, 18, -1);
    rig_commit(rig);
    gateway_report(rig->gateway, 0, again, strlen(again), 2, rig->now);
    rig_commit(rig);
    rig_pass_ms(rig, DAY_MS);
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig_state(rig, id), MESSAGE_UNDELIVERED);
    rig_free(rig);
}

static void nobody_else_sends_again_after_a_final_report(void **state)
{
    static const struct { bool at_least_once; const char *report; } rows[] = {
        { false, REPORT_GIVEN_UP }, { true, REPORT_NOT_OBTAINABLE }, { true, REPORT_MR17 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *rig = rig_new();
        int64_t id;

        rig_modem(rig, 0);
        id = sent_and_reported(rig, rows[i].at_least_once, rows[i].report);
        assert_int_equal(rig_state(rig, id), i == 2 ? MESSAGE_DELIVERED : MESSAGE_UNDELIVERED);
        rig_pass_ms(rig, DAY_MS);
        assert_int_equal(rig->sent_count, 1);
        rig_free(rig);
    }
}

static void a_cancel_before_that_second_time_leaves_what_is_known_of_the_first(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = sent_and_reported(rig, true, REPORT_GIVEN_UP);
    assert_int_equal(rig_cancel(rig, id), 0);
    rig_pass_ms(rig, 6 * MINUTE_MS);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, id), MESSAGE_UNDELIVERED);
    rig_free(rig);
}

/* Makes the card's count in slot 0 a trusted one that stands at 21; part after part of messages of their own. */
static void learn_count(struct rig *rig)
{
    rig_pass_ms(rig, 181000);
    for (int i = 0; i < 3; i++) {
        (void)rig_submit(rig, (struct rig_text){ .text = "learn" });
        rig_result(rig, rig->sent_count - 1, GATEWAY_SENT, 18 + i, -1);
        rig_commit(rig);
        gateway_card_count(rig->gateway, 0, 18 + i, rig->now);
    }
    (void)rig_submit(rig, (struct rig_text){ .text = "refused" });
    rig_result(rig, rig->sent_count - 1, GATEWAY_REFUSED, -1, 1);
    gateway_card_count(rig->gateway, 0, 21, rig->now);
    rig_commit(rig);
}

static void settle_count(struct rig *rig, int count)
{
    uint32_t asked;

    rig_pass_ms(rig, 179000);
    asked = rig->counts_asked;
    rig_pass_ms(rig, 2000);
    assert_int_equal(rig->counts_asked, asked + 1);
    gateway_card_count(rig->gateway, 0, count, rig->now);
    rig_commit(rig);
}

static void a_count_that_did_not_move_sends_the_part_again_and_says_why(void **state)
{
    struct rig *rig = rig_new();
    struct message_row row;
    size_t lost;
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    learn_count(rig);
    id = rig_submit(rig, (struct rig_text){ .text = "swallowed" });
    lost = rig->sent_count - 1;
    lose_answer(rig, lost);
    gateway_card_count(rig->gateway, 0, 21, rig->now);   /* at recovery: too early for a verdict */
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
    settle_count(rig, 21);
    assert_int_equal(rig->sent_count, lost + 2);
    assert_false(rig->sent[lost + 1].tpdu.reject_duplicates);
    rig_result(rig, lost + 1, GATEWAY_SENT, 22, -1);
    rig_commit(rig);
    assert_int_equal(store_read_message(rig->reader, id, &row), 0);
    assert_int_equal(row.state, MESSAGE_SENT);
    rig_free(rig);
}

static void a_count_that_moved_or_a_restart_leaves_it_unknown(void **state)
{
    (void)state;
    for (int restarted = 0; restarted <= 1; restarted++) {
        struct rig *rig = rig_new();
        size_t sent;
        int64_t id;

        rig_modem(rig, 0);
        learn_count(rig);
        id = rig_submit(rig, (struct rig_text){ .text = "lost" });
        lose_answer(rig, rig->sent_count - 1);
        sent = rig->sent_count;
        if (restarted)
            gateway_slot_restarted(rig->gateway, 0);
        gateway_card_count(rig->gateway, 0, restarted ? 21 : 22, rig->now);
        rig_pass_ms(rig, 181000);
        gateway_card_count(rig->gateway, 0, 21, rig->now);
        rig_commit(rig);
        assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
        assert_int_equal(rig->sent_count, sent);
        rig_free(rig);
    }
}

static void another_card_or_another_start_knows_nothing_of_the_count(void **state)
{
    (void)state;
    for (int start = 0; start <= 1; start++) {
        struct rig *rig = rig_new();
        struct change_sim other = { .iccid = "8940111111111111111", .imei = "350000000000000" };
        int64_t id;

        rig_modem(rig, 0);
        learn_count(rig);
        id = rig_submit(rig, (struct rig_text){ .text = "lost" });
        lose_answer(rig, rig->sent_count - 1);
        if (start)
            rig_restart(rig);
        else
            gateway_slot_sim(rig->gateway, 0, "port", &other, rig->now);
        rig_modem(rig, 0);
        rig_pass_ms(rig, 181000);
        gateway_card_count(rig->gateway, 0, 21, rig->now);
        rig_commit(rig);
        assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
        rig_free(rig);
    }
}

static void a_count_that_comes_after_a_persons_word_or_a_report_changes_nothing(void **state)
{
    static const enum { DROPPED, RELEASED, LATE } rows[] = { DROPPED, RELEASED, LATE };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *rig = rig_new();
        size_t lost, sent;
        int64_t id;

        rig_modem(rig, 0);
        learn_count(rig);
        id = rig_submit(rig, (struct rig_text){ .text = "lost" });
        lost = rig->sent_count - 1;
        lose_answer(rig, lost);
        if (rows[i] == LATE) {
            rig_result(rig, lost, GATEWAY_LATE_SENT, 22, -1);
            rig_commit(rig);
        } else {
            assert_int_equal(rig_decide(rig, id, rows[i] == DROPPED ? DECISION_DROP : DECISION_RELEASE), 0);
        }
        sent = rig->sent_count;
        rig_pass_ms(rig, 181000);
        gateway_card_count(rig->gateway, 0, 21, rig->now);
        rig_commit(rig);
        assert_int_equal(rig->sent_count, sent);
        assert_int_equal(rig_state(rig, id), rows[i] == DROPPED ? MESSAGE_UNKNOWN : rows[i] == RELEASED ? MESSAGE_SENDING : MESSAGE_SENT);
        rig_free(rig);
    }
}

static void what_was_not_sent_and_is_out_of_time_expires(void **state)
{
    struct rig *rig = rig_new();
    size_t sent;
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    learn_count(rig);
    id = rig_submit(rig, (struct rig_text){ .text = "code", .expire_in_ms = 2 * MINUTE_MS });
    lose_answer(rig, rig->sent_count - 1);
    sent = rig->sent_count;
    settle_count(rig, 21);
    rig_pass_ms(rig, 1000);
    assert_int_equal(rig_state(rig, id), MESSAGE_EXPIRED);
    assert_int_equal(rig->sent_count, sent);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_not_go_twice_waits_for_a_person_when_its_time_is_over),
        cmocka_unit_test(a_person_may_release_it_and_then_it_goes_once_more_under_the_same_reference_with_tp_rd),
        cmocka_unit_test(a_person_may_drop_it_and_then_it_stays_unknown_for_good),
        cmocka_unit_test(evidence_that_comes_after_a_drop_still_tells_the_truth),
        cmocka_unit_test(nothing_but_a_doubt_can_be_released),
        cmocka_unit_test(what_must_arrive_goes_once_more_by_the_same_sim_after_a_wait_and_never_a_third_time),
        cmocka_unit_test(a_report_in_the_meantime_spares_the_resend),
        cmocka_unit_test(a_network_that_has_it_already_says_so_and_that_settles_it),
        cmocka_unit_test(a_resend_that_is_refused_leaves_the_first_one_unknown),
        cmocka_unit_test(after_a_crash_what_must_arrive_goes_once_more_when_late_answers_had_their_time),
        cmocka_unit_test(a_resend_that_is_cancelled_in_time_is_unknown_and_not_cancelled),
        cmocka_unit_test(what_must_arrive_goes_once_more_when_the_service_centre_gives_up_for_a_cause_that_passes),
        cmocka_unit_test(the_same_report_about_the_second_time_is_the_end),
        cmocka_unit_test(nobody_else_sends_again_after_a_final_report),
        cmocka_unit_test(a_cancel_before_that_second_time_leaves_what_is_known_of_the_first),
        cmocka_unit_test(a_count_that_did_not_move_sends_the_part_again_and_says_why),
        cmocka_unit_test(a_count_that_moved_or_a_restart_leaves_it_unknown),
        cmocka_unit_test(another_card_or_another_start_knows_nothing_of_the_count),
        cmocka_unit_test(a_count_that_comes_after_a_persons_word_or_a_report_changes_nothing),
        cmocka_unit_test(what_was_not_sent_and_is_out_of_time_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
