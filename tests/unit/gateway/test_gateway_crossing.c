/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the store and of modems that cross what people and clocks do meanwhile. */
#include "tests/unit/gateway/rig.h"

#include "src/gateway/gateway_internal.h"

#include <errno.h>

static void submit_change(struct rig *rig, struct store_change *change)
{
    change->waiter = rig;
    gateway_submit(rig->gateway, change, rig->now);
}

static struct store_change *new_cancel(struct rig *rig, int64_t id)
{
    struct store_change *change = change_new(CHANGE_CANCEL, rig->now.wall_ms);

    change->u.cancel.message_id = id;
    return change;
}

/* One on the air, and the intent of the next one on its way to the disk: the list that holds it. */
static struct store_change *intent_under_way(struct rig *rig, int64_t *ret_id)
{
    rig_modem(rig, 0);
    (void)rig_submit(rig, (struct rig_text){ .text = "on the air" });
    gateway_submit(rig->gateway, rig_new_accept(rig, (struct rig_text){ .text = "next" }), rig->now);
    rig_commit_list(rig, gateway_take_changes(rig->gateway));
    *ret_id = rig->last_id;
    return gateway_take_changes(rig->gateway);
}

/* -- cancels ---------------------------------------------------------------------------------------------------- */

static void a_cancel_while_the_intent_is_on_its_way_takes_it_back_first(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *intent;
    int64_t id;

    (void)state;
    intent = intent_under_way(rig, &id);
    rig->answers = 0;
    submit_change(rig, new_cancel(rig, id));
    assert_int_equal(rig->answers, 0);
    rig_commit_list(rig, intent);
    rig_commit(rig);
    assert_int_equal(rig->answers, 1);
    assert_int_equal(rig->last_result, 0);
    assert_int_equal(rig_state(rig, id), MESSAGE_CANCELLED);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

static void of_two_cancels_at_once_each_has_its_answer(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *intent;
    int64_t id;

    (void)state;
    intent = intent_under_way(rig, &id);
    rig->answers = 0;
    submit_change(rig, new_cancel(rig, id));
    submit_change(rig, new_cancel(rig, id));
    rig_commit_list(rig, intent);
    rig_commit(rig);
    assert_int_equal(rig->answers, 2);
    assert_int_equal(rig_state(rig, id), MESSAGE_CANCELLED);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

static void a_cancel_is_answered_though_the_intent_it_waited_for_fails(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *intent;
    int64_t id;

    (void)state;
    intent = intent_under_way(rig, &id);
    rig->answers = 0;
    submit_change(rig, new_cancel(rig, id));
    rig->store_error = -EIO;
    rig_commit_list(rig, intent);
    rig->store_error = 0;
    rig_commit(rig);
    assert_int_equal(rig->answers, 1);
    assert_int_equal(rig->last_result, 0);
    assert_int_equal(rig_state(rig, id), MESSAGE_CANCELLED);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

static void a_message_of_which_a_part_went_cannot_be_cancelled_while_the_next_one_waits(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "aabb", .parts = 2, .cuts = { 2, 2 } });
    rig_pass_ms(rig, 3000);              /* the second part's intent is on disk */
    assert_int_equal(rig_cancel(rig, id), -EBUSY);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    rig_result(rig, 1, GATEWAY_SENT, 2, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

/* -- a store that fails ----------------------------------------------------------------------------------------- */

static void a_sweep_and_a_fetch_that_fail_are_asked_for_again(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    id = rig_submit(rig, (struct rig_text){ .text = "later", .due_in_ms = 60000 });
    rig_modem(rig, 0);
    gateway_free(rig->gateway);          /* a new start on the same store, whose first answers all fail */
    rig->store_error = -EIO;
    rig_start_gateway(rig);
    rig_modem(rig, 0);
    for (int i = 0; i < 3; i++)
        rig_pass_ms(rig, 1001);
    rig->store_error = 0;
    rig_pass_ms(rig, 1001);
    rig_commit(rig);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENDING);
    rig_free(rig);
}

/* Told once more, else what waits would stay where the clock was. */
static void a_clock_that_was_set_while_the_disk_failed_is_told_when_it_is_back(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "again" });
    rig_result(rig, 0, GATEWAY_REFUSED, -1, 41);   /* again in 10 s */
    rig_commit(rig);
    rig->store_error = -EIO;
    rig->now.wall_ms -= 7200000;
    rig_pass_ms(rig, 10);
    rig_pass_ms(rig, 2000);
    rig->store_error = 0;
    for (int i = 0; i < 20; i++)
        rig_pass_ms(rig, 1001);
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENDING);
    rig_free(rig);
}

/* The list of tries and what came in meanwhile go in one: first what was there first. */
static void what_waited_for_the_disk_goes_before_what_came_since(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *list;

    (void)state;
    rig_modem(rig, 0);
    (void)rig_submit(rig, (struct rig_text){ .text = "a" });
    rig->store_error = -EIO;
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    rig->store_error = 0;
    submit_change(rig, new_cancel(rig, rig->last_id));
    rig->now.mono_us += 1001000;
    rig->now.wall_ms += 1001;
    gateway_poll(rig->gateway, rig->now);
    list = gateway_take_changes(rig->gateway);
    assert_int_equal(list->kind, CHANGE_OUTCOME);
    assert_int_equal(list->next->kind, CHANGE_CANCEL);
    rig_commit_list(rig, list);
    rig_commit(rig);
    assert_int_equal(rig->last_result, -EBUSY);   /* it went */
    rig_free(rig);
}

static void keys_are_added_and_removed_by_the_same_way(void **state)
{
    static const enum change_kind kinds[] = { CHANGE_KEY_ADD, CHANGE_KEY_REMOVE, CHANGE_KEY_REMOVE };
    static const int results[] = { 0, 0, -ENOENT };
    struct rig *rig = rig_new();

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct store_change *change = change_new(kinds[i], rig->now.wall_ms);

        (void)snprintf(change->u.key.name, sizeof change->u.key.name, "odoo");
        submit_change(rig, change);
        rig_commit(rig);
        assert_int_equal(rig->answers, i + 1);
        assert_int_equal(rig->last_result, results[i]);
    }
    rig_free(rig);
}

/* -- acceptance ------------------------------------------------------------------------------------------------- */

static void what_is_refused_at_intake_is_kept_with_its_reason_and_never_goes(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *change = rig_new_accept(rig, (struct rig_text){ .text = "a", .to = "+1" });

    (void)state;
    rig_modem(rig, 0);
    (void)snprintf(change->u.accept.messages[0].reason, sizeof change->u.accept.messages[0].reason, "no such number");
    gateway_submit(rig->gateway, change, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->last_state, MESSAGE_REJECTED);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 0);
    assert_int_equal(rig_state(rig, rig->last_id), MESSAGE_REJECTED);
    rig_free(rig);
}

/* An appointment is kept by the wall clock: it and its end do not move. */
static void an_appointment_does_not_move_with_a_clock_that_was_set_before_it_was_accepted(void **state)
{
    (void)state;
    for (int later = -1; later <= 1; later += 2) {
        struct rig *rig = rig_new();
        struct message_row row;
        int64_t id, due_ms, stale_ms = later * 3600000;

        rig->stale_ms = stale_ms;
        due_ms = rig->now.wall_ms - stale_ms + 7200000;
        id = rig_submit(rig, (struct rig_text){ .text = "a", .due_in_ms = 7200000, .expire_in_ms = 9000000 });
        assert_int_equal(rig->last_state, MESSAGE_SCHEDULED);
        assert_int_equal(store_read_message(rig->reader, id, &row), 0);
        assert_int_equal(row.due_ms, due_ms);
        assert_int_equal(row.expire_ms, due_ms + 1800000);
        rig_free(rig);
    }
}

/* -- sending ---------------------------------------------------------------------------------------------------- */

static void a_long_validity_is_the_longest_that_a_pdu_can_say(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig_modem(rig, 0);
    (void)rig_submit(rig, (struct rig_text){ .text = "a", .expire_in_ms = INT64_C(60000) * INT32_MAX + 600000 });
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig->sent[0].tpdu.vp_raw, 255);
    rig_free(rig);
}

/* With an air time of 4 s seen once, the next intent is due at half of it, or with the part itself. */
static void the_next_intent_is_asked_for_at_once_where_that_is_wanted(void **state)
{
    (void)state;
    for (int at_once = 0; at_once <= 1; at_once++) {
        struct rig *rig = rig_new();
        struct message_row row;
        int64_t id;

        rig->prefetch_at_once = at_once != 0;
        rig_restart(rig);
        rig_modem(rig, 0);
        for (int i = 0; i < 3; i++)
            id = rig_submit(rig, (struct rig_text){ .text = "a" });
        rig->now.mono_us += 4000000;
        rig->now.wall_ms += 4000;
        rig_result(rig, 0, GATEWAY_SENT, 1, -1);
        rig_commit(rig);                 /* the second is on the air */
        assert_int_equal(store_read_message(rig->reader, id, &row), 0);
        assert_int_equal(row.state, at_once ? MESSAGE_SENDING : MESSAGE_QUEUED);
        rig_pass_ms(rig, 1900);
        assert_int_equal(rig_state(rig, id), at_once ? MESSAGE_SENDING : MESSAGE_QUEUED);
        rig_pass_ms(rig, 100);
        assert_int_equal(rig_state(rig, id), MESSAGE_SENDING);
        rig_free(rig);
    }
}

static void messages_that_were_begun_go_on_each_by_its_own_sim_however_many_there_are(void **state)
{
    enum { MODEMS = 40 };
    struct rig *rig = rig_new();
    int64_t ids[MODEMS];

    (void)state;
    for (uint32_t i = 0; i < MODEMS; i++) {
        rig_modem(rig, i);
        ids[i] = rig_submit(rig, (struct rig_text){ .text = "aabb", .parts = 2, .cuts = { 2, 2 } });
        assert_int_equal(rig->sent_count, i + 1);
        gateway_slot_ready(rig->gateway, i, false, rig->now);
        rig_result(rig, i, GATEWAY_SENT, 1, -1);
        rig_commit(rig);
    }
    for (uint32_t i = 0; i < MODEMS; i++) {
        gateway_slot_ready(rig->gateway, MODEMS - 1 - i, true, rig->now);
        rig_commit(rig);
        assert_int_equal(rig->sent_count, MODEMS + i + 1);
        assert_int_equal(rig->sent[MODEMS + i].slot, MODEMS - 1 - i);
        assert_string_equal(rig->sent[MODEMS + i].tpdu.text, "bb");
        rig_result(rig, MODEMS + i, GATEWAY_SENT, 2, -1);
        rig_commit(rig);
        assert_int_equal(rig_state(rig, ids[MODEMS - 1 - i]), MESSAGE_SENT);
    }
    rig_free(rig);
}

static void an_answer_that_comes_late_or_from_nowhere_is_booked_by_its_attempt(void **state)
{
    struct rig *rig = rig_new();
    int64_t first, second;

    (void)state;
    rig_modem(rig, 0);
    first = rig_submit(rig, (struct rig_text){ .text = "first" });
    rig_result(rig, 0, GATEWAY_UNKNOWN, -1, -1);
    gateway_slot_ready(rig->gateway, 0, true, rig->now);
    rig_commit(rig);
    second = rig_submit(rig, (struct rig_text){ .text = "second" });
    gateway_part_result(rig->gateway, 7, rig->sent[0].attempt_id, GATEWAY_LATE_SENT, 9, 0, -1, rig->now);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, first), MESSAGE_SENT);
    assert_int_equal(rig_state(rig, second), MESSAGE_SENDING);
    gateway_part_result(rig->gateway, 0, rig->sent[0].attempt_id, GATEWAY_LATE_SENT, 9, 0, -1, rig->now);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, second), MESSAGE_SENDING);   /* still on the air */
    rig_result(rig, 1, GATEWAY_SENT, 10, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, second), MESSAGE_SENT);
    rig_free(rig);
}

/* -- policy ----------------------------------------------------------------------------------------------------- */

static void tries_come_to_an_end_however_many_there_were_and_rests_have_a_longest(void **state)
{
    (void)state;
    for (unsigned failures = 0; failures <= UINT8_MAX; failures++) {
        struct policy refused = policy_decide(GATEWAY_REFUSED, ERROR_CMS, 42, (uint8_t)failures, false, false);
        struct policy not_taken = policy_decide(GATEWAY_NOT_SENT, ERROR_NONE, -1, (uint8_t)failures, false, false);

        assert_int_equal(refused.verdict, failures < 5 ? OUTCOME_RETRY : OUTCOME_FAIL);
        assert_int_equal(not_taken.verdict, failures < 5 ? OUTCOME_RETRY : OUTCOME_FAIL);
        assert_true(refused.delay_ms >= 60000 && refused.delay_ms <= 600000);
        assert_true(not_taken.delay_ms <= 120000);
        assert_int_equal(not_taken.delay_ms == 0, failures == 0);
    }
}

static void only_the_network_can_say_of_a_resend_that_it_has_it(void **state)
{
    (void)state;
    assert_int_equal(policy_decide(GATEWAY_REFUSED, ERROR_CMS, 197, 0, true, false).attempt, ATTEMPT_SENT);
    assert_int_equal(policy_decide(GATEWAY_REFUSED, ERROR_CMS, 197, 0, false, false).attempt, ATTEMPT_UNKNOWN);
    assert_int_equal(policy_decide(GATEWAY_REFUSED, ERROR_CMS, 41, 0, true, false).attempt, ATTEMPT_REFUSED);
    assert_int_not_equal(policy_decide(GATEWAY_REFUSED, ERROR_CME, 197, 0, true, false).attempt, ATTEMPT_SENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_while_the_intent_is_on_its_way_takes_it_back_first),
        cmocka_unit_test(of_two_cancels_at_once_each_has_its_answer),
        cmocka_unit_test(a_cancel_is_answered_though_the_intent_it_waited_for_fails),
        cmocka_unit_test(a_message_of_which_a_part_went_cannot_be_cancelled_while_the_next_one_waits),
        cmocka_unit_test(a_sweep_and_a_fetch_that_fail_are_asked_for_again),
        cmocka_unit_test(a_clock_that_was_set_while_the_disk_failed_is_told_when_it_is_back),
        cmocka_unit_test(what_waited_for_the_disk_goes_before_what_came_since),
        cmocka_unit_test(keys_are_added_and_removed_by_the_same_way),
        cmocka_unit_test(what_is_refused_at_intake_is_kept_with_its_reason_and_never_goes),
        cmocka_unit_test(an_appointment_does_not_move_with_a_clock_that_was_set_before_it_was_accepted),
        cmocka_unit_test(a_long_validity_is_the_longest_that_a_pdu_can_say),
        cmocka_unit_test(the_next_intent_is_asked_for_at_once_where_that_is_wanted),
        cmocka_unit_test(messages_that_were_begun_go_on_each_by_its_own_sim_however_many_there_are),
        cmocka_unit_test(an_answer_that_comes_late_or_from_nowhere_is_booked_by_its_attempt),
        cmocka_unit_test(tries_come_to_an_end_however_many_there_were_and_rests_have_a_longest),
        cmocka_unit_test(only_the_network_can_say_of_a_resend_that_it_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
