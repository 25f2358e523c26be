/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway/rig.h"

#include <errno.h>

static void a_text_reaches_an_idle_modem_after_its_intent_is_on_disk(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "hello" });
    assert_int_equal(rig->sent_count, 1);   /* rig_send() has checked that another connection saw the intent */
    assert_string_equal(rig->sent[0].tpdu.text, "hello");
    assert_string_equal(rig->sent[0].tpdu.address.text, "+40700000001");
    assert_true(rig->sent[0].tpdu.status_report);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENDING);
    rig_result(rig, 0, GATEWAY_SENT, 17, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void a_text_that_finds_no_modem_waits_for_one(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    id = rig_submit(rig, (struct rig_text){ .text = "patience" });
    assert_int_equal(rig_state(rig, id), MESSAGE_QUEUED);
    rig_modem(rig, 0);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

static void the_next_part_is_durable_while_the_first_is_on_the_air_and_goes_in_the_same_breath(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "one" });
    rig_submit(rig, (struct rig_text){ .text = "two" });
    rig_submit(rig, (struct rig_text){ .text = "three" });
    assert_int_equal(rig->sent_count, 1);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    assert_int_equal(rig->sent_count, 2);   /* no commit in between: it was on disk already */
    assert_string_equal(rig->sent[1].tpdu.text, "two");
    rig_free(rig);
}

static void the_next_intent_is_asked_for_late_in_the_air_time(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig_modem(rig, 0);
    rig_submit(rig, (struct rig_text){ .text = "to learn the air time" });
    rig_pass_ms(rig, 3000);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    rig_submit(rig, (struct rig_text){ .text = "first" });
    int64_t second = rig_submit(rig, (struct rig_text){ .text = "second" });
    rig_pass_ms(rig, 1000);
    assert_int_equal(rig_state(rig, second), MESSAGE_QUEUED);   /* a power cut now would leave no doubt about it */
    assert_true(gateway_deadline_us(rig->gateway) <= rig->now.mono_us + 501000);
    rig_pass_ms(rig, 600);
    assert_int_equal(rig_state(rig, second), MESSAGE_SENDING);
    rig_result(rig, 1, GATEWAY_SENT, 2, -1);
    assert_int_equal(rig->sent_count, 3);
    rig_free(rig);
}

static void idle_modems_share_the_queue_in_turn(void **state)
{
    struct rig *rig = rig_new();
    unsigned per_slot[4] = { 0 };

    (void)state;
    for (uint32_t slot = 0; slot < 4; slot++)
        rig_modem(rig, slot);
    for (int i = 0; i < 16; i++) {
        size_t before = rig->sent_count;

        rig_submit(rig, (struct rig_text){ .text = "turn" });
        assert_int_equal(rig->sent_count, before + 1);
        per_slot[rig->sent[before].slot]++;
        rig_result(rig, before, GATEWAY_SENT, i, -1);
        rig_commit(rig);
    }
    for (int slot = 0; slot < 4; slot++)
        assert_int_equal(per_slot[slot], 4);
    rig_free(rig);
}

static void parts_of_one_message_go_in_order_by_one_sim_under_one_reference(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    id = rig_submit(rig, (struct rig_text){ .text = "aaabbbccc", .parts = 3, .cuts = { 3, 3, 3 } });
    for (size_t i = 0; i < 3; i++) {
        static const char *const texts[] = { "aaa", "bbb", "ccc" };

        assert_int_equal(rig->sent_count, i + 1);
        assert_int_equal(rig->sent[i].slot, rig->sent[0].slot);
        assert_string_equal(rig->sent[i].tpdu.text, texts[i]);
        assert_int_equal(rig->sent[i].tpdu.udh.concat_ref, rig->sent[0].tpdu.udh.concat_ref);
        assert_int_equal(rig->sent[i].tpdu.udh.concat_total, 3);
        assert_int_equal(rig->sent[i].tpdu.udh.concat_seq, i + 1);
        rig_result(rig, i, GATEWAY_SENT, (int)i, -1);
        rig_commit(rig);
    }
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void messages_to_one_recipient_in_flight_have_references_of_their_own(void **state)
{
    struct rig *rig = rig_new();
    bool seen[256] = { false };

    (void)state;
    rig_modem(rig, 0);
    for (size_t i = 0; i < 40; i++) {
        rig_submit(rig, (struct rig_text){ .text = "ab", .parts = 2, .cuts = { 1, 1 } });
        rig_result(rig, 2 * i, GATEWAY_SENT, 1, -1);
        rig_commit(rig);
        assert_false(seen[rig->sent[2 * i].tpdu.udh.concat_ref]);
        seen[rig->sent[2 * i].tpdu.udh.concat_ref] = true;
        rig_result(rig, 2 * i + 1, GATEWAY_SENT, 2, -1);
        rig_commit(rig);
    }
    rig_free(rig);
}

static void a_lost_answer_is_unknown_and_never_sent_again(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "once" });
    rig_result(rig, 0, GATEWAY_UNKNOWN, -1, -1);
    rig_commit(rig);
    rig_pass_ms(rig, 3600000);
    rig_restart(rig);
    rig_modem(rig, 0);
    rig_pass_ms(rig, 3600000);
    assert_int_equal(rig->sent_count, 0);
    assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
    rig_free(rig);
}

static void a_late_answer_settles_the_doubt(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "late" });
    rig_result(rig, 0, GATEWAY_UNKNOWN, -1, -1);
    rig_commit(rig);
    rig_result(rig, 0, GATEWAY_LATE_SENT, 9, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void a_doubt_on_one_modem_does_not_hold_back_the_others(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    for (int i = 0; i < 4; i++)
        rig_submit(rig, (struct rig_text){ .text = "x" });
    assert_int_equal(rig->sent_count, 2);
    uint32_t lost = rig->sent[0].slot;
    rig_result(rig, 0, GATEWAY_UNKNOWN, -1, -1);
    gateway_slot_ready(rig->gateway, lost, false, rig->now);   /* recovering: what waited behind goes to the other one */
    rig_commit(rig);
    for (size_t i = 1; i < rig->sent_count; i++) {
        if (rig->sent[i].slot != lost) {
            rig_result(rig, i, GATEWAY_SENT, (int)i, -1);
            rig_commit(rig);
        }
    }
    /* four texts, one in doubt, and the other modem sent three; the one behind the doubt may have been on its way */
    size_t by_other = 0;
    for (size_t i = 0; i < rig->sent_count; i++)
        by_other += rig->sent[i].slot != lost;
    assert_true(by_other >= 3);
    rig_free(rig);
}

static void after_a_crash_what_was_on_the_way_is_unknown_and_the_rest_is_sent(void **state)
{
    struct rig *rig = rig_new();
    int64_t ids[4];
    unsigned unknown = 0, sent_again = 0;

    (void)state;
    rig_modem(rig, 0);
    for (int i = 0; i < 4; i++)
        ids[i] = rig_submit(rig, (struct rig_text){ .text = "crash" });
    rig_restart(rig);
    rig_modem(rig, 0);
    for (size_t i = 0; i < 4 && i < rig->sent_count; i++) {
        rig_result(rig, i, GATEWAY_SENT, (int)i, -1);
        rig_commit(rig);
    }
    for (int i = 0; i < 4; i++) {
        unknown += rig_state(rig, ids[i]) == MESSAGE_UNKNOWN;
        sent_again += rig_state(rig, ids[i]) == MESSAGE_SENT;
    }
    assert_int_equal(rig_state(rig, ids[0]), MESSAGE_UNKNOWN);
    assert_true(unknown <= 2);   /* the one on the air and the one behind it */
    assert_int_equal(unknown + sent_again, 4);
    rig_free(rig);
}

static void a_message_in_parts_goes_on_after_a_crash_by_its_sim_only(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "abc", .parts = 3, .cuts = { 1, 1, 1 } });
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    rig_result(rig, 1, GATEWAY_SENT, 2, -1);
    /* the outcome of part 2 and the third's hand-over are lost with the power */
    rig_restart(rig);
    rig_modem(rig, 5);
    rig_pass_ms(rig, 10000);
    assert_int_equal(rig->sent_count, 0);   /* another SIM's parts would never join */
    rig_modem(rig, 0);
    rig_pass_ms(rig, 10000);
    for (size_t i = 0; i < rig->sent_count; i++) {
        assert_int_equal(rig->sent[i].slot, 0);
        assert_int_equal(rig->sent[i].tpdu.udh.concat_seq, 3);   /* 1 is known, 2 in doubt */
        rig_result(rig, i, GATEWAY_SENT, 3, -1);
        rig_commit(rig);
    }
    assert_int_equal(rig_state(rig, id), MESSAGE_UNKNOWN);
    rig_free(rig);
}

static void a_passing_error_is_tried_again_after_a_rest(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "again" });
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 41);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_QUEUED);
    rig_pass_ms(rig, 5000);
    assert_int_equal(rig->sent_count, 1);
    rig_pass_ms(rig, 6000);
    assert_int_equal(rig->sent_count, 2);
    rig_result(rig, 1, GATEWAY_SENT, 3, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void tries_end(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "never" });
    for (size_t i = 0; i < 20 && rig->sent_count > i; i++) {
        rig_result(rig, i, GATEWAY_REFUSED, -1, 41);
        rig_commit(rig);
        rig_pass_ms(rig, 700000);
    }
    assert_int_equal(rig_state(rig, id), MESSAGE_FAILED);
    assert_true(rig->sent_count >= 3 && rig->sent_count <= 10);
    rig_free(rig);
}

static void a_number_that_does_not_exist_is_rejected_at_once(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "nobody" });
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_REJECTED);
    rig_pass_ms(rig, 3600000);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

static void a_barred_sim_rests_and_another_takes_its_message_at_once(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    rig_modem(rig, 1);
    id = rig_submit(rig, (struct rig_text){ .text = "barred" });
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 8);
    rig_commit(rig);
    assert_int_equal(rig->sent_count, 2);
    assert_int_not_equal(rig->sent[1].slot, rig->sent[0].slot);
    rig_result(rig, 1, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void refusals_to_many_recipients_are_the_sims_fault_and_another_takes_over(void **state)
{
    static const char *const to[] = { "+40700000011", "+40700000012", "+40700000013" };
    struct rig *rig = rig_new();
    int64_t ids[3];

    (void)state;
    rig_modem(rig, 0);
    for (size_t i = 0; i < 3; i++) {
        ids[i] = rig_submit(rig, (struct rig_text){ .to = to[i], .text = "no credit" });
        assert_int_equal(rig->sent_count, i + 1);
        rig_result(rig, i, GATEWAY_REFUSED, -1, 21);
        rig_commit(rig);
    }
    rig_modem(rig, 1);
    rig_pass_ms(rig, 40000);
    for (size_t i = 3; i < rig->sent_count; i++) {
        assert_int_equal(rig->sent[i].slot, 1);   /* the first SIM rests */
        rig_result(rig, i, GATEWAY_SENT, (int)i, -1);
        rig_commit(rig);
    }
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rig_state(rig, ids[i]), MESSAGE_SENT);
    rig_free(rig);
}

static void a_number_that_is_refused_again_and_again_is_rejected_and_the_sim_goes_on(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "bad number" });
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rig->sent_count, i + 1);
        rig_result(rig, i, GATEWAY_REFUSED, -1, 21);
        rig_commit(rig);
        rig_pass_ms(rig, 130000);
    }
    assert_int_equal(rig_state(rig, id), MESSAGE_REJECTED);
    id = rig_submit(rig, (struct rig_text){ .to = "+40700000099", .text = "good number" });
    assert_int_equal(rig->sent_count, 4);
    rig_free(rig);
}

static void a_part_that_fails_for_good_ends_its_message_and_not_the_next(void **state)
{
    struct rig *rig = rig_new();
    int64_t id, other;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "ab", .parts = 2, .cuts = { 1, 1 } });
    other = rig_submit(rig, (struct rig_text){ .text = "other" });
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_REJECTED);
    assert_int_equal(rig->sent_count, 2);
    assert_string_equal(rig->sent[1].tpdu.text, "other");
    rig_result(rig, 1, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, other), MESSAGE_SENT);
    rig_free(rig);
}

static void an_alarm_overtakes_what_waits(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    for (int i = 0; i < 5; i++)
        rig_submit(rig, (struct rig_text){ .text = "bulk", .priority = 1 });
    rig_submit(rig, (struct rig_text){ .text = "alarm", .priority = 9 });
    rig_modem(rig, 0);
    assert_string_equal(rig->sent[0].tpdu.text, "alarm");
    rig_free(rig);
}

static void a_scheduled_message_goes_at_its_time(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "later", .due_in_ms = 60000 });
    assert_int_equal(rig->last_state, MESSAGE_SCHEDULED);
    rig_pass_ms(rig, 59000);
    assert_int_equal(rig->sent_count, 0);
    assert_true(gateway_deadline_us(rig->gateway) <= rig->now.mono_us + 1001000);
    rig_pass_ms(rig, 1001);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENDING);
    rig_free(rig);
}

static void a_message_whose_time_is_over_is_not_sent(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    id = rig_submit(rig, (struct rig_text){ .text = "stale", .expire_in_ms = 60000 });
    rig_pass_ms(rig, 60001);
    assert_int_equal(rig_state(rig, id), MESSAGE_EXPIRED);
    rig_modem(rig, 0);
    assert_int_equal(rig->sent_count, 0);
    rig_free(rig);
}

static void cancel_works_until_a_part_is_handed_over(void **state)
{
    struct rig *rig = rig_new();
    int64_t on_air, behind, waiting;

    (void)state;
    rig_modem(rig, 0);
    on_air = rig_submit(rig, (struct rig_text){ .text = "on air" });
    behind = rig_submit(rig, (struct rig_text){ .text = "behind" });
    waiting = rig_submit(rig, (struct rig_text){ .text = "waiting" });
    assert_int_equal(rig_state(rig, behind), MESSAGE_SENDING);   /* its intent is on disk, the modem does not have it */
    assert_int_equal(rig_cancel(rig, on_air), -EBUSY);
    assert_int_equal(rig_cancel(rig, behind), 0);
    assert_int_equal(rig_cancel(rig, waiting), 0);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, on_air), MESSAGE_SENT);
    assert_int_equal(rig_state(rig, behind), MESSAGE_CANCELLED);
    assert_int_equal(rig_state(rig, waiting), MESSAGE_CANCELLED);
    assert_int_equal(rig_cancel(rig, on_air), -EBUSY);
    assert_int_equal(rig_cancel(rig, 123456), -ENOENT);
    rig_free(rig);
}

static void what_a_modem_cannot_take_goes_to_the_next(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig->refuse_send = -EBUSY;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "busy" });
    assert_int_equal(rig_state(rig, id), MESSAGE_QUEUED);
    rig->refuse_send = 0;
    rig_modem(rig, 1);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig->sent[0].slot, 1);
    rig_free(rig);
}

/* TP-MR 17, to +40700000001, at its recipient (TP-ST 00). */
#define REPORT_MR17 "0006110B910407000000F1621112131415006211121314150000"

/* Found by the simulation: its second part waited behind the first, and when that was refused nobody knew of the next try. */
static void a_message_in_parts_is_tried_again_though_its_next_part_was_taken_back(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "aabb", .parts = 2, .cuts = { 2, 2 } });
    rig_pass_ms(rig, 20000);     /* the second part's intent is on disk */
    assert_int_equal(rig->sent_count, 1);
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 41);
    rig_commit(rig);
    for (int i = 0; i < 20 && rig->sent_count == 1; i++) {
        uint64_t due_us = gateway_deadline_us(rig->gateway);

        assert_true(due_us > rig->now.mono_us);
        rig_pass_ms(rig, (int64_t)(due_us - rig->now.mono_us + 999) / 1000);
    }
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENDING);
    rig_free(rig);
}

/* Found by the simulation: a modem that takes the TP-MR of the PDU answered 0 to every part. */
static void parts_that_follow_each_other_carry_different_message_references(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig_modem(rig, 0);
    for (int i = 0; i < 3; i++)
        (void)rig_submit(rig, (struct rig_text){ .text = "a" });
    for (size_t i = 0; i < 3; i++) {
        rig_result(rig, i, GATEWAY_SENT, rig->sent[i].tpdu.mr, -1);
        rig_commit(rig);
        rig_pass_ms(rig, 10000);
    }
    assert_int_equal(rig->sent_count, 3);
    assert_int_not_equal(rig->sent[0].tpdu.mr, rig->sent[1].tpdu.mr);
    assert_int_not_equal(rig->sent[1].tpdu.mr, rig->sent[2].tpdu.mr);
    rig_free(rig);
}

static void a_report_before_its_own_answer_still_counts(void **state)
{
    struct rig *rig = rig_new();
    struct sms_tpdu tpdu;
    const char *error;
    int64_t id;

    (void)state;
    assert_int_equal(sms_pdu_decode_hex(REPORT_MR17, strlen(REPORT_MR17), SMS_STATUS_REPORT, &tpdu, &error), 0);
    assert_string_equal(tpdu.address.text, "+40700000001");
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "early report" });
    gateway_report(rig->gateway, 0, REPORT_MR17, strlen(REPORT_MR17), 77, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 1);
    assert_int_equal(rig->stored[0], 77);
    rig_result(rig, 0, GATEWAY_SENT, 17, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_DELIVERED);
    rig_free(rig);
}

/* TP-MR 17 again, taken by the service centre at the rig's start, 2026-09-21 14:13:20 UTC. */
#define REPORT_MR17_NOW "0006110B910407000000F1629012413102006290124131020000"

static void of_two_texts_to_one_number_the_first_is_reported_while_the_second_is_on_the_air(void **state)
{
    struct rig *rig = rig_new();
    int64_t first, second;

    (void)state;
    rig_modem(rig, 0);
    first = rig_submit(rig, (struct rig_text){ .text = "first" });
    second = rig_submit(rig, (struct rig_text){ .text = "second" });
    rig_pass_ms(rig, 3000);
    rig_result(rig, 0, GATEWAY_SENT, 17, -1);
    rig_commit(rig);
    assert_int_equal(rig->sent_count, 2);
    gateway_report(rig->gateway, 0, REPORT_MR17_NOW, strlen(REPORT_MR17_NOW), 1, rig->now);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, first), MESSAGE_DELIVERED);
    assert_int_equal(rig_state(rig, second), MESSAGE_SENDING);
    rig_free(rig);
}

static void a_report_with_another_reference_changes_nothing(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "other mr" });
    rig_result(rig, 0, GATEWAY_SENT, 18, -1);
    rig_commit(rig);
    gateway_report(rig->gateway, 0, REPORT_MR17, strlen(REPORT_MR17), 77, rig->now);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void an_incoming_message_is_on_disk_before_the_modem_may_forget_it(void **state)
{
    static const char pdu[] = "07911326040000F0040B911346610089F60000208062917314480CC8F71D14969741F977FD07";
    struct rig *rig = rig_new();
    struct inbox_row row;

    (void)state;
    rig_modem(rig, 0);
    rig->store_error = -ENOSPC;
    gateway_received(rig->gateway, 0, pdu, strlen(pdu), 5, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 0);
    rig->store_error = 0;
    rig_pass_ms(rig, 1001);
    assert_int_equal(rig->stored_count, 1);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), 0);
    assert_string_equal(row.text, "How are you?");
    assert_string_equal(row.from, "+31641600986");
    /* the modem was slow to delete it and gives it again after a restart */
    gateway_received(rig->gateway, 0, pdu, strlen(pdu), 6, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 2);
    assert_int_equal(store_read_inbox_one(rig->reader, 2, &row), -ENOENT);
    rig_free(rig);
}

static void an_incoming_pdu_that_cannot_be_read_is_kept_for_a_person(void **state)
{
    struct rig *rig = rig_new();
    struct inbox_row row;

    (void)state;
    rig_modem(rig, 0);
    gateway_received(rig->gateway, 0, "0791AABB", 8, 5, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 1);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), 0);
    assert_string_equal(row.pdu_hex, "0791AABB");
    assert_true(row.problem[0] != '\0');
    rig_free(rig);
}

/* fuzz_incoming: nothing asked the store for what is due after the first time, so the parts stayed out of sight. */
static void parts_of_a_message_that_stays_incomplete_come_to_the_inbox_on_a_box_that_only_receives(void **state)
{
    static const char pdu[] = "00440B913306100726F200085210719120348008050003010201" "0041";
    struct rig *rig = rig_new();
    struct inbox_row row;

    (void)state;
    rig_modem(rig, 0);
    rig_pass_ms(rig, 1000);              /* nothing is due: the store says never */
    gateway_received(rig->gateway, 0, pdu, strlen(pdu), 5, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 1);
    assert_true(gateway_deadline_us(rig->gateway) <= rig->now.mono_us + UINT64_C(86400) * 1000000);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), -ENOENT);
    rig_pass_ms(rig, 86400000);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), 0);
    assert_string_equal(row.problem, "parts 1 of 2");
    rig_free(rig);
}

/* The worst case: one message at a time, nothing to share a commit with. */
static void the_life_of_a_message_costs_four_commits_and_little_wear_on_the_card(void **state)
{
    enum { MESSAGES = 50 };
    struct rig *rig = rig_new();
    struct store_stats before, after;

    (void)state;
    rig_modem(rig, 0);
    before = store_stats(rig->store);
    for (size_t i = 0; i < MESSAGES; i++) {
        rig_submit(rig, (struct rig_text){ .text = "wear" });
        rig_result(rig, i, GATEWAY_SENT, 17, -1);
        rig_commit(rig);
        gateway_report(rig->gateway, 0, REPORT_MR17, strlen(REPORT_MR17), 1, rig->now);
        rig_commit(rig);
    }
    after = store_stats(rig->store);
    assert_true(after.commits - before.commits <= 4 * MESSAGES);
    assert_true(after.syncs - before.syncs <= 5 * MESSAGES);   /* one per commit, and now and then a checkpoint */
    assert_true((after.bytes_written - before.bytes_written) / MESSAGES <= 160 * 1024);
    print_message("per message: %.1f commits, %.1f syncs, %.1f KiB\n", (double)(after.commits - before.commits) / MESSAGES,
                  (double)(after.syncs - before.syncs) / MESSAGES,
                  (double)(after.bytes_written - before.bytes_written) / MESSAGES / 1024);
    rig_free(rig);
}

static void ten_thousand_queued_messages_need_a_small_window_only(void **state)
{
    struct rig *rig = rig_new();
    struct live_view view;

    (void)state;
    rig->window = 4096;
    rig_restart(rig);
    for (int i = 0; i < 10; i++) {
        struct store_change *change = change_new(CHANGE_ACCEPT, rig->now.wall_ms);

        change->u.accept.count = 1000;
        change->u.accept.messages = calloc(1000, sizeof *change->u.accept.messages);
        change->waiter = rig;
        for (int j = 0; j < 1000; j++) {
            struct accept_message *message = &change->u.accept.messages[j];

            (void)snprintf(message->to, sizeof message->to, "+407%08d", i * 1000 + j);
            message->text = strdup("bulk");
            message->text_length = 4;
            message->coding.parts = 1;
            message->priority = 5;
            message->message_class = -1;
            message->expire_ms = rig->now.wall_ms + 86400000;
        }
        gateway_submit(rig->gateway, change, rig->now);
        rig_commit(rig);
    }
    memset(&view, 0, sizeof view);
    gateway_view(rig->gateway, &view, rig->now);
    assert_true(view.queue_ready <= 4096);
    assert_true(view.queue_more);
    assert_int_equal(view.accepted, 10000);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_reaches_an_idle_modem_after_its_intent_is_on_disk),
        cmocka_unit_test(a_text_that_finds_no_modem_waits_for_one),
        cmocka_unit_test(the_next_part_is_durable_while_the_first_is_on_the_air_and_goes_in_the_same_breath),
        cmocka_unit_test(the_next_intent_is_asked_for_late_in_the_air_time),
        cmocka_unit_test(idle_modems_share_the_queue_in_turn),
        cmocka_unit_test(parts_of_one_message_go_in_order_by_one_sim_under_one_reference),
        cmocka_unit_test(messages_to_one_recipient_in_flight_have_references_of_their_own),
        cmocka_unit_test(a_lost_answer_is_unknown_and_never_sent_again),
        cmocka_unit_test(a_late_answer_settles_the_doubt),
        cmocka_unit_test(a_doubt_on_one_modem_does_not_hold_back_the_others),
        cmocka_unit_test(after_a_crash_what_was_on_the_way_is_unknown_and_the_rest_is_sent),
        cmocka_unit_test(a_message_in_parts_goes_on_after_a_crash_by_its_sim_only),
        cmocka_unit_test(a_passing_error_is_tried_again_after_a_rest),
        cmocka_unit_test(tries_end),
        cmocka_unit_test(a_number_that_does_not_exist_is_rejected_at_once),
        cmocka_unit_test(a_barred_sim_rests_and_another_takes_its_message_at_once),
        cmocka_unit_test(refusals_to_many_recipients_are_the_sims_fault_and_another_takes_over),
        cmocka_unit_test(a_number_that_is_refused_again_and_again_is_rejected_and_the_sim_goes_on),
        cmocka_unit_test(a_part_that_fails_for_good_ends_its_message_and_not_the_next),
        cmocka_unit_test(an_alarm_overtakes_what_waits),
        cmocka_unit_test(a_scheduled_message_goes_at_its_time),
        cmocka_unit_test(a_message_whose_time_is_over_is_not_sent),
        cmocka_unit_test(cancel_works_until_a_part_is_handed_over),
        cmocka_unit_test(what_a_modem_cannot_take_goes_to_the_next),
        cmocka_unit_test(a_message_in_parts_is_tried_again_though_its_next_part_was_taken_back),
        cmocka_unit_test(parts_that_follow_each_other_carry_different_message_references),
        cmocka_unit_test(a_report_before_its_own_answer_still_counts),
        cmocka_unit_test(of_two_texts_to_one_number_the_first_is_reported_while_the_second_is_on_the_air),
        cmocka_unit_test(a_report_with_another_reference_changes_nothing),
        cmocka_unit_test(an_incoming_message_is_on_disk_before_the_modem_may_forget_it),
        cmocka_unit_test(an_incoming_pdu_that_cannot_be_read_is_kept_for_a_person),
        cmocka_unit_test(parts_of_a_message_that_stays_incomplete_come_to_the_inbox_on_a_box_that_only_receives),
        cmocka_unit_test(the_life_of_a_message_costs_four_commits_and_little_wear_on_the_card),
        cmocka_unit_test(ten_thousand_queued_messages_need_a_small_window_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
