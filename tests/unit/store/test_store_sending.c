/* SPDX-License-Identifier: Apache-2.0
 *
 * A message from acceptance until its parts are handed over, and that applying a change again changes nothing. */
#include "store_testing.h"

#define TO "+40700123456"

/* -- acceptance ---------------------------------------------------------------------------------------------- */

static void an_accepted_batch_is_kept_with_everything_in_order(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_accept(bench, 3, NULL);
    struct accept_message *messages = change->u.accept.messages;
    struct message_row row;

    fill_message(&messages[0], TO, 2);
    messages[0].client_ref = strdup("order 7");
    messages[0].priority = 9;
    messages[0].coding.alphabet = 2;
    messages[0].coding.single = 4;
    fill_message(&messages[1], "12345", 1);
    messages[1].due_ms = bench->now_ms + HOUR_MS;
    messages[1].expire_ms = bench->now_ms + 2 * HOUR_MS;
    fill_message(&messages[2], "nonsense", 1);
    messages[2].coding.parts = 0;
    strcpy(messages[2].reason, "not a phone number");
    strcpy(messages[2].reason_code, "bad_number");
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(messages[1].id, messages[0].id + 1);
    assert_int_equal(messages[2].id, messages[0].id + 2);
    assert_int_equal(messages[0].state, MESSAGE_QUEUED);
    assert_int_equal(messages[1].state, MESSAGE_SCHEDULED);
    assert_int_equal(messages[2].state, MESSAGE_REJECTED);

    assert_int_equal(store_read_message(bench->reader, messages[0].id, &row), 0);
    assert_int_equal(row.batch_id, change->u.accept.batch_id);
    assert_string_equal(row.to, TO);
    assert_string_equal(row.text, "p000p001");
    assert_string_equal(row.client_ref, "order 7");
    assert_string_equal(row.actor, "key:test");
    assert_string_equal(row.reason, "");
    assert_int_equal(row.alphabet, 2);
    assert_int_equal(row.single, 4);
    assert_int_equal(row.priority, 9);
    assert_int_equal(row.parts, 2);
    assert_int_equal(row.message_class, -1);
    assert_true(row.report);
    assert_int_equal(row.accepted_ms, T0);
    assert_int_equal(row.state_ms, T0);
    assert_int_equal(store_read_message(bench->reader, messages[1].id, &row), 0);
    assert_null(row.client_ref);
    assert_int_equal(row.due_ms, T0 + HOUR_MS);
    assert_int_equal(row.expire_ms, T0 + 2 * HOUR_MS);
    assert_int_equal(store_read_message(bench->reader, messages[2].id, &row), 0);
    assert_string_equal(row.reason, "not a phone number");
    assert_history(bench, messages[0].id, "queued");
    assert_history(bench, messages[1].id, "scheduled");
    assert_history(bench, messages[2].id, "rejected");
    assert_int_equal(store_read_message(bench->reader, messages[2].id + 1, &row), -ENOENT);
    assert_counts_are_exact(bench);
    change_free(change);
}

static void a_batch_no_caller_should_have_made_is_refused_whole(void **state)
{
    struct bench *bench = *state;

    for (int wrong = 0; wrong < 6; wrong++) {
        struct store_change *change = new_accept(bench, 2, NULL);
        struct accept_message *message = &change->u.accept.messages[1];

        fill_message(&change->u.accept.messages[0], TO, 1);
        fill_message(message, TO, 2);
        switch (wrong) {
        case 0: message->coding.parts = 0; break;
        case 1: message->coding.parts = 256; break;
        case 2: ((uint16_t *)(uintptr_t)message->coding.cuts)[1] = 5; break;
        case 3: message->priority = 10; break;
        case 4: message->to[0] = '\0'; break;
        default: message->message_class = 4; break;
        }
        assert_int_equal(apply(bench, change), -EINVAL);
        if (wrong == 1)
            message->coding.parts = 2;
        change_free(change);
    }
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message"), 0);
}

static void the_same_key_and_request_gives_the_same_ids_and_the_states_of_then(void **state)
{
    struct bench *bench = *state;
    struct store_change *first = new_accept(bench, 2, "k1"), *second = new_accept(bench, 2, "k1");
    struct store_change *other = new_accept(bench, 2, "k1"), *stranger = new_accept(bench, 2, "k1");

    for (uint32_t i = 0; i < 2; i++) {
        fill_message(&first->u.accept.messages[i], TO, 1);
        fill_message(&second->u.accept.messages[i], TO, 1);
        fill_message(&other->u.accept.messages[i], TO, 1);
        fill_message(&stranger->u.accept.messages[i], TO, 1);
    }
    first->u.accept.messages[1].due_ms = second->u.accept.messages[1].due_ms = T0 + HOUR_MS;
    assert_int_equal(apply(bench, first), 0);
    assert_false(first->u.accept.replayed);
    assert_int_equal(cancel(bench, first->u.accept.messages[1].id), 0);

    bench_reopen(bench);
    assert_int_equal(apply(bench, second), 0);
    assert_true(second->u.accept.replayed);
    assert_int_equal(second->u.accept.batch_id, first->u.accept.batch_id);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(second->u.accept.messages[i].id, first->u.accept.messages[i].id);
        assert_int_equal(second->u.accept.messages[i].state, first->u.accept.messages[i].state);
    }
    other->u.accept.request_hash[3] ^= 1;
    assert_int_equal(apply(bench, other), -EEXIST);
    strcpy(stranger->u.accept.actor, "key:stranger");
    assert_int_equal(apply(bench, stranger), 0);
    assert_false(stranger->u.accept.replayed);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message"), 4);
    assert_counts_are_exact(bench);
    change_free(first);
    change_free(second);
    change_free(other);
    change_free(stranger);
}

static void a_change_applied_again_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct store_change *accept = new_accept(bench, 1, NULL), *intent, *outcome, *late;
    int64_t id;

    fill_message(&accept->u.accept.messages[0], TO, 1);
    assert_int_equal(apply(bench, accept), 0);
    id = accept->u.accept.messages[0].id;
    assert_int_equal(apply(bench, accept), 0);
    assert_int_equal(accept->u.accept.messages[0].id, id);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message"), 1);

    intent = new_intent(bench, id, 0, 1);
    assert_int_equal(apply(bench, intent), 0);
    assert_int_equal(apply(bench, intent), 0);
    assert_string_equal(intent->u.intent.text, "p000");
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt"), 1);

    outcome = new_outcome(bench, intent->u.intent.attempt_id, ATTEMPT_SENT, 9);
    assert_int_equal(apply(bench, outcome), 0);
    assert_true(outcome->u.outcome.message_changed);
    assert_int_equal(apply(bench, outcome), 0);
    assert_false(outcome->u.outcome.message_changed);
    assert_int_equal(outcome->u.outcome.message_state, MESSAGE_SENT);

    late = new_report(bench, 1, 9, TO, 0);
    assert_int_equal(apply(bench, late), 0);
    assert_true(late->u.report.message_changed);
    assert_int_equal(apply(bench, late), 0);
    assert_int_equal(late->u.report.message_id, id);
    assert_false(late->u.report.message_changed);
    assert_int_equal(late->u.report.message_state, MESSAGE_DELIVERED);
    assert_history(bench, id, "queued>sending>sent>delivered");
    assert_int_equal(bench_ask(bench, "SELECT n FROM counter WHERE kind = 2 AND id = 1"), 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM report_orphan"), 0);
    change_free(accept);
    change_free(intent);
    change_free(outcome);
    change_free(late);
}

/* -- intent --------------------------------------------------------------------------------------------------- */

static void an_intent_answers_with_its_part_and_binds_the_message_to_the_sim(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 3);
    struct store_change *one = new_intent(bench, id, 0, 4), *two = new_intent(bench, id, 1, 4);

    assert_int_equal(apply(bench, one), 0);
    assert_string_equal(one->u.intent.text, "p000");
    assert_int_equal(one->u.intent.text_length, 4);
    assert_string_equal(one->u.intent.to, TO);
    assert_int_equal(one->u.intent.coding.parts, 3);
    assert_int_equal(one->u.intent.concat_ref_bits, 8);
    assert_int_equal(one->u.intent.message_class, -1);
    assert_true(one->u.intent.report);
    assert_int_equal(apply(bench, two), 0);
    assert_string_equal(two->u.intent.text, "p001");
    assert_int_equal(two->u.intent.concat_ref, one->u.intent.concat_ref);
    assert_int_equal(intend(bench, id, 1, 4), -EEXIST);
    assert_int_equal(intend(bench, id, 2, 5), -EXDEV);
    assert_int_equal(intend(bench, id, 3, 4), -ENOENT);
    assert_int_equal(intend(bench, id + 1, 0, 4), -ENOENT);
    assert_history(bench, id, "queued>sending");
    change_free(one);
    change_free(two);
}

static void no_intent_is_given_for_a_message_that_is_over(void **state)
{
    struct bench *bench = *state;
    int64_t cancelled = accept_one(bench, TO), sent = accept_one(bench, TO);
    struct store_change *change = new_accept(bench, 2, NULL);
    int64_t scheduled, expired;

    fill_message(&change->u.accept.messages[0], TO, 1);
    change->u.accept.messages[0].expire_ms = T0 + 1000;
    fill_message(&change->u.accept.messages[1], TO, 1);
    change->u.accept.messages[1].due_ms = T0 + HOUR_MS;
    assert_int_equal(apply(bench, change), 0);
    expired = change->u.accept.messages[0].id;
    scheduled = change->u.accept.messages[1].id;
    change_free(change);

    assert_int_equal(cancel(bench, cancelled), 0);
    finish(bench, intend(bench, sent, 0, 1), ATTEMPT_SENT, 1);
    bench->now_ms += 1000;
    assert_int_equal(intend(bench, cancelled, 0, 1), -ECANCELED);
    assert_int_equal(intend(bench, sent, 0, 1), -ECANCELED);
    assert_int_equal(intend(bench, scheduled, 0, 1), -EAGAIN);
    assert_int_equal(intend(bench, expired, 0, 1), -ETIME);
    assert_int_equal(state_of(bench, expired), MESSAGE_EXPIRED);
    assert_int_equal(intend(bench, expired, 0, 1), -ECANCELED);
    assert_history(bench, expired, "queued>expired");
    assert_counts_are_exact(bench);
}

static void references_differ_while_messages_to_one_number_are_in_flight(void **state)
{
    struct bench *bench = *state;
    bool seen[256] = { false };
    struct store_change *change;
    uint16_t first_ref = 0;
    int64_t first = 0;

    for (int i = 0; i < 256; i++) {
        int64_t id = accept_parts(bench, TO, 2);

        change = new_intent(bench, id, 0, 1);
        assert_int_equal(apply(bench, change), 0);
        assert_int_equal(change->u.intent.concat_ref_bits, 8);
        assert_false(seen[change->u.intent.concat_ref]);
        seen[change->u.intent.concat_ref] = true;
        if (i == 0) {
            first = id;
            first_ref = change->u.intent.concat_ref;
            finish(bench, change->u.intent.attempt_id, ATTEMPT_SENT, 1);
            finish(bench, intend(bench, id, 1, 1), ATTEMPT_SENT, 2);
        }
        change_free(change);
    }
    /* All 256 are taken towards this number by this SIM; not towards others, nor by another SIM. */
    change = new_intent(bench, accept_parts(bench, TO, 2), 0, 1);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.intent.concat_ref_bits, 16);
    change_free(change);
    change = new_intent(bench, accept_parts(bench, TO, 2), 0, 2);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.intent.concat_ref_bits, 8);
    change_free(change);
    change = new_intent(bench, accept_parts(bench, "+40700000000", 2), 0, 1);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.intent.concat_ref_bits, 8);
    change_free(change);

    /* A day after the first one was sent its reference is free again. */
    bench->now_ms += 25 * HOUR_MS;
    assert_int_equal(state_of(bench, first), MESSAGE_SENT);
    change = new_intent(bench, accept_parts(bench, TO, 2), 0, 1);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.intent.concat_ref_bits, 8);
    assert_int_equal(change->u.intent.concat_ref, first_ref);
    change_free(change);
}

static void a_message_that_asks_for_it_gets_a_16_bit_reference(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_accept(bench, 1, NULL), *intent;

    fill_message(&change->u.accept.messages[0], TO, 2);
    change->u.accept.messages[0].ref16 = true;
    assert_int_equal(apply(bench, change), 0);
    intent = new_intent(bench, change->u.accept.messages[0].id, 0, 1);
    assert_int_equal(apply(bench, intent), 0);
    assert_int_equal(intent->u.intent.concat_ref_bits, 16);
    change_free(change);
    change_free(intent);
}

static void a_step_that_fails_half_way_leaves_nothing_behind(void **state)
{
    struct bench *bench = *state;
    int64_t broken = accept_parts(bench, TO, 3), sound = accept_parts(bench, TO, 3);
    struct store_change *first = new_intent(bench, broken, 0, 1), *second = new_intent(bench, sound, 0, 1);

    bench_close(bench);
    bench_ask(bench, "UPDATE message SET cuts = x'040004' WHERE id = 1 RETURNING id");
    bench_open(bench);
    first->next = second;
    assert_int_equal(store_apply(bench->store, first), 0);
    assert_int_equal(first->result, -EBADMSG);
    assert_int_equal(second->result, 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt"), 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM concat_reference"), 1);
    assert_history(bench, broken, "queued");
    assert_counts_are_exact(bench);
    change_free_list(first);
}

/* -- outcome -------------------------------------------------------------------------------------------------- */

static void a_message_is_sent_when_all_its_parts_are(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 3);

    /* Between its parts it waits like any other, but its history does not speak of it. */
    assert_int_equal(finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, 10), MESSAGE_QUEUED);
    assert_int_equal(finish(bench, intend(bench, id, 1, 1), ATTEMPT_SENT, 11), MESSAGE_QUEUED);
    assert_int_equal(finish(bench, intend(bench, id, 2, 1), ATTEMPT_SENT, 12), MESSAGE_SENT);
    assert_int_equal(report(bench, 1, 11, TO, 0), id);
    assert_int_equal(report(bench, 1, 10, TO, 0), id);
    assert_int_equal(state_of(bench, id), MESSAGE_SENT);
    assert_int_equal(report(bench, 1, 12, TO, 0), id);
    assert_int_equal(state_of(bench, id), MESSAGE_DELIVERED);
    assert_history(bench, id, "queued>sending>sent>delivered");
}

static void a_refused_part_goes_back_to_the_queue_and_any_sim_may_take_it(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, TO);
    struct queue_item item = refuse(bench, intend(bench, id, 0, 1), OUTCOME_RETRY, 0);

    assert_int_equal(item.id, id);
    assert_int_equal(item.sim_id, 0);
    assert_int_equal(item.part_next, 0);
    assert_int_equal(state_of(bench, id), MESSAGE_QUEUED);
    assert_true(intend(bench, id, 0, 2) > 0);
    assert_history(bench, id, "queued>sending>queued>sending");
    assert_counts_are_exact(bench);
}

static void a_part_refused_after_others_were_sent_stays_with_their_sim(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 3);
    struct queue_item item;
    struct store_change *change;

    finish(bench, intend(bench, id, 0, 7), ATTEMPT_SENT, 1);
    item = refuse(bench, intend(bench, id, 1, 7), OUTCOME_RETRY, bench->now_ms + MINUTE_MS);
    assert_int_equal(item.sim_id, 7);
    assert_int_equal(item.part_next, 1);
    assert_int_equal(state_of(bench, id), MESSAGE_QUEUED);
    change = fetch(bench, 255, 0, 10);
    assert_int_equal(change->u.fetch.item_count, 0);      /* waits for its minute */
    change_free(change);
    bench->now_ms += MINUTE_MS;
    change = due(bench, 10);
    assert_int_equal(change->u.due.item_count, 1);
    assert_int_equal(change->u.due.items[0].sim_id, 7);
    assert_int_equal(change->u.due.items[0].part_next, 1);
    change_free(change);
    change = fetch(bench, 255, 0, 10);
    assert_int_equal(change->u.fetch.item_count, 1);
    assert_int_equal(change->u.fetch.items[0].part_next, 1);
    assert_int_equal(change->u.fetch.items[0].sim_id, 7);
    change_free(change);
    assert_int_equal(intend(bench, id, 1, 8), -EXDEV);
    finish(bench, intend(bench, id, 1, 7), ATTEMPT_SENT, 2);
    assert_int_equal(finish(bench, intend(bench, id, 2, 7), ATTEMPT_SENT, 3), MESSAGE_SENT);
}

static void a_delay_asked_for_while_another_part_is_open_is_kept_until_that_one_ends(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 2);
    int64_t first = intend(bench, id, 0, 1), second = intend(bench, id, 1, 1);
    struct store_change *change;

    refuse(bench, first, OUTCOME_RETRY, bench->now_ms + MINUTE_MS);
    assert_int_equal(state_of(bench, id), MESSAGE_SENDING);
    assert_int_equal(withdraw(bench, second).id, 0);      /* comes back through CHANGE_DUE */
    assert_int_equal(state_of(bench, id), MESSAGE_QUEUED);
    bench->now_ms += MINUTE_MS;
    change = due(bench, 10);
    assert_int_equal(change->u.due.item_count, 1);
    assert_int_equal(change->u.due.items[0].id, id);
    assert_int_equal(change->u.due.items[0].sim_id, 0);
    change_free(change);
}

static void a_part_that_waits_for_its_next_try_is_not_forgotten_when_a_later_one_is_taken_back(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 3), second, third;
    struct store_change *change;

    finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, 1);
    second = intend(bench, id, 1, 1);
    third = intend(bench, id, 2, 1);
    refuse(bench, second, OUTCOME_RETRY, bench->now_ms + MINUTE_MS);
    assert_int_equal(withdraw(bench, third).id, 0);
    assert_int_equal(state_of(bench, id), MESSAGE_QUEUED);
    bench->now_ms += MINUTE_MS;
    change = due(bench, 10);
    assert_int_equal(change->u.due.item_count, 1);
    assert_int_equal(change->u.due.items[0].part_next, 1);
    assert_int_equal(change->u.due.items[0].sim_id, 1);
    change_free(change);
}

static void a_reference_told_after_the_part_was_sent_is_noted_and_the_part_counted_once(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, TO), attempt = intend(bench, id, 0, 1);

    assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, -1), MESSAGE_SENT);
    assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, 12), MESSAGE_SENT);
    assert_int_equal(bench_ask(bench, "SELECT n FROM counter WHERE kind = 2 AND id = 1"), 1);
    assert_int_equal(report(bench, 1, 12, TO, 0), id);
}

static void a_failure_ends_the_message_and_its_other_parts(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 3);
    struct queue_item item;
    struct message_row row;

    finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, 1);
    item = refuse(bench, intend(bench, id, 1, 1), OUTCOME_FAIL, 0);
    assert_int_equal(item.id, 0);
    assert_int_equal(store_read_message(bench->reader, id, &row), 0);
    assert_int_equal(row.state, MESSAGE_FAILED);
    assert_string_equal(row.reason, "network out of order");
    assert_int_equal(intend(bench, id, 2, 1), -ECANCELED);
    assert_int_equal(report(bench, 1, 1, TO, 0), id);
    assert_int_equal(state_of(bench, id), MESSAGE_FAILED);
    assert_history(bench, id, "queued>sending>failed");
}

static void a_late_answer_makes_an_unknown_part_a_sent_one(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, TO), attempt = intend(bench, id, 0, 1);
    struct store_change *change;

    assert_int_equal(finish(bench, attempt, ATTEMPT_UNKNOWN, -1), MESSAGE_UNKNOWN);
    assert_int_equal(intend(bench, id, 0, 1), -ECANCELED);
    assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, 77), MESSAGE_SENT);
    assert_int_equal(report(bench, 1, 77, TO, 0), id);
    assert_history(bench, id, "queued>sending>unknown>sent>delivered");
    assert_int_equal(bench_ask(bench, "SELECT n FROM counter WHERE kind = 2 AND id = 1"), 1);

    change = new_outcome(bench, attempt, ATTEMPT_UNKNOWN, -1);
    assert_int_equal(apply(bench, change), -EALREADY);
    change_free(change);
    change = new_outcome(bench, attempt + 1, ATTEMPT_SENT, 1);
    assert_int_equal(apply(bench, change), -ENOENT);
    change_free(change);
    change = new_outcome(bench, attempt, ATTEMPT_REFUSED, -1);   /* no verdict */
    assert_int_equal(apply(bench, change), -EINVAL);
    change_free(change);
}

static int prove_not_sent(struct bench *bench, int64_t attempt, bool evidence, struct queue_item *ret_requeue)
{
    struct store_change *change = new_outcome(bench, attempt, ATTEMPT_NOT_SENT, -1);
    int r;

    change->u.outcome.evidence = evidence;
    change->u.outcome.verdict = OUTCOME_RETRY;
    strcpy(change->u.outcome.reason, "the counter shows it");
    r = apply(bench, change);
    *ret_requeue = change->u.outcome.requeue;
    change_free(change);
    return r;
}

static void evidence_alone_makes_an_unknown_part_one_that_goes_again_with_the_rest_of_its_message(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 2), first = intend(bench, id, 0, 7), second;
    struct queue_item item;

    assert_int_equal(finish(bench, first, ATTEMPT_UNKNOWN, -1), MESSAGE_QUEUED);
    second = intend(bench, id, 1, 7);
    assert_int_equal(finish(bench, second, ATTEMPT_SENT, 5), MESSAGE_UNKNOWN);
    assert_int_equal(prove_not_sent(bench, first, false, &item), -EALREADY);
    assert_int_equal(prove_not_sent(bench, second, true, &item), -EALREADY);
    assert_int_equal(prove_not_sent(bench, first, true, &item), 0);
    assert_int_equal(item.id, id);
    assert_int_equal(item.part_next, 0);
    assert_int_equal(item.sim_id, 7);
    assert_int_equal(item.failures, 1);
    assert_int_equal(prove_not_sent(bench, first, true, &item), 0);   /* applied again */
    assert_int_equal(intend(bench, id, 0, 8), -EXDEV);
    assert_int_equal(finish(bench, intend(bench, id, 0, 7), ATTEMPT_SENT, 6), MESSAGE_SENT);
    assert_counts_are_exact(bench);
}

static void evidence_about_an_intent_or_a_message_that_is_over_changes_nothing(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 2), first = intend(bench, id, 0, 7);
    struct queue_item item;

    assert_int_equal(prove_not_sent(bench, first, true, &item), -EALREADY);
    assert_int_equal(finish(bench, first, ATTEMPT_UNKNOWN, -1), MESSAGE_QUEUED);
    (void)refuse(bench, intend(bench, id, 1, 7), OUTCOME_FAIL, 0);
    assert_int_equal(state_of(bench, id), MESSAGE_FAILED);
    assert_int_equal(prove_not_sent(bench, first, true, &item), -EALREADY);
    assert_int_equal(bench_ask(bench, "SELECT state FROM attempt ORDER BY id LIMIT 1"), ATTEMPT_UNKNOWN);

    /* The other part will never arrive, says its report: so the whole cannot. */
    id = accept_parts(bench, TO, 2);
    first = intend(bench, id, 0, 7);
    assert_int_equal(finish(bench, first, ATTEMPT_UNKNOWN, -1), MESSAGE_QUEUED);
    (void)finish(bench, intend(bench, id, 1, 7), ATTEMPT_SENT, 9);
    assert_int_equal(report(bench, 7, 9, TO, 0x41), id);
    assert_int_equal(state_of(bench, id), MESSAGE_UNDELIVERED);
    assert_int_equal(prove_not_sent(bench, first, true, &item), -EALREADY);
    assert_history(bench, id, "queued>sending>unknown>undelivered");
}

static void a_message_with_an_unknown_part_goes_on_and_is_unknown_in_the_end(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 2);
    struct message_row row;

    assert_int_equal(finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1), MESSAGE_QUEUED);
    assert_int_equal(finish(bench, intend(bench, id, 1, 1), ATTEMPT_SENT, 5), MESSAGE_UNKNOWN);
    assert_int_equal(store_read_message(bench->reader, id, &row), 0);
    assert_string_not_equal(row.reason, "");
}

/* -- withdrawal ------------------------------------------------------------------------------------------------ */

static void a_withdrawn_part_leaves_the_message_as_it_was_before(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_parts(bench, TO, 2);
    int64_t first = intend(bench, id, 0, 3), second = intend(bench, id, 1, 3);
    struct queue_item item = withdraw(bench, second);

    assert_int_equal(item.id, 0);                         /* the first is still on its way */
    assert_int_equal(state_of(bench, id), MESSAGE_SENDING);
    item = withdraw(bench, first);
    assert_int_equal(item.sim_id, 0);
    assert_int_equal(item.part_next, 0);
    assert_int_equal(state_of(bench, id), MESSAGE_QUEUED);
    item = withdraw(bench, first);                        /* again */
    assert_int_equal(item.id, id);
    assert_history(bench, id, "queued>sending>queued");
    assert_counts_are_exact(bench);
}

static void what_was_handed_over_cannot_be_withdrawn(void **state)
{
    struct bench *bench = *state;
    int64_t attempt = intend(bench, accept_one(bench, TO), 0, 3);
    struct store_change *change = change_new(CHANGE_WITHDRAW, bench->now_ms);

    finish(bench, attempt, ATTEMPT_SENT, 1);
    change->u.withdraw.attempt_id = attempt;
    assert_int_equal(apply(bench, change), -EALREADY);
    change_free(change);
}

/* -- a stop in the middle --------------------------------------------------------------------------------------- */

static void after_a_stop_what_was_on_its_way_is_unknown_and_the_rest_goes_on(void **state)
{
    struct bench *bench = *state;
    int64_t single = accept_one(bench, TO), open = accept_parts(bench, TO, 3), between = accept_parts(bench, TO, 2);
    int64_t waiting = accept_one(bench, TO);
    struct store_change *change;
    struct message_row row;
    uint32_t unknown;

    intend(bench, single, 0, 1);
    finish(bench, intend(bench, open, 0, 1), ATTEMPT_SENT, 1);
    intend(bench, open, 1, 1);
    finish(bench, intend(bench, between, 0, 2), ATTEMPT_SENT, 2);
    bench_reopen(bench);
    assert_int_equal(store_recover(bench->store, bench->now_ms, &unknown), 0);
    assert_int_equal(unknown, 2);
    assert_int_equal(store_read_message(bench->reader, single, &row), 0);
    assert_int_equal(row.state, MESSAGE_UNKNOWN);
    assert_string_equal(row.reason, "the gateway stopped while this part was on its way");
    assert_int_equal(state_of(bench, open), MESSAGE_QUEUED);
    assert_int_equal(state_of(bench, between), MESSAGE_QUEUED);

    change = fetch(bench, 255, 0, 10);
    assert_int_equal(change->u.fetch.item_count, 3);
    assert_int_equal(change->u.fetch.items[0].id, open);
    assert_int_equal(change->u.fetch.items[0].sim_id, 1);
    assert_int_equal(change->u.fetch.items[0].part_next, 2);
    assert_int_equal(change->u.fetch.items[1].id, between);
    assert_int_equal(change->u.fetch.items[1].part_next, 1);
    assert_int_equal(change->u.fetch.items[2].id, waiting);
    change_free(change);
    assert_int_equal(finish(bench, intend(bench, open, 2, 1), ATTEMPT_SENT, 3), MESSAGE_UNKNOWN);

    assert_int_equal(store_recover(bench->store, bench->now_ms, &unknown), 0);
    assert_int_equal(unknown, 0);
    assert_history(bench, open, "queued>sending>queued>sending>unknown");
    assert_counts_are_exact(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(an_accepted_batch_is_kept_with_everything_in_order),
        behaviour(a_batch_no_caller_should_have_made_is_refused_whole),
        behaviour(the_same_key_and_request_gives_the_same_ids_and_the_states_of_then),
        behaviour(a_change_applied_again_changes_nothing),
        behaviour(an_intent_answers_with_its_part_and_binds_the_message_to_the_sim),
        behaviour(no_intent_is_given_for_a_message_that_is_over),
        behaviour(references_differ_while_messages_to_one_number_are_in_flight),
        behaviour(a_message_that_asks_for_it_gets_a_16_bit_reference),
        behaviour(a_step_that_fails_half_way_leaves_nothing_behind),
        behaviour(a_message_is_sent_when_all_its_parts_are),
        behaviour(a_refused_part_goes_back_to_the_queue_and_any_sim_may_take_it),
        behaviour(a_part_refused_after_others_were_sent_stays_with_their_sim),
        behaviour(a_delay_asked_for_while_another_part_is_open_is_kept_until_that_one_ends),
        behaviour(a_part_that_waits_for_its_next_try_is_not_forgotten_when_a_later_one_is_taken_back),
        behaviour(a_reference_told_after_the_part_was_sent_is_noted_and_the_part_counted_once),
        behaviour(a_failure_ends_the_message_and_its_other_parts),
        behaviour(a_late_answer_makes_an_unknown_part_a_sent_one),
        behaviour(evidence_alone_makes_an_unknown_part_one_that_goes_again_with_the_rest_of_its_message),
        behaviour(evidence_about_an_intent_or_a_message_that_is_over_changes_nothing),
        behaviour(a_message_with_an_unknown_part_goes_on_and_is_unknown_in_the_end),
        behaviour(a_withdrawn_part_leaves_the_message_as_it_was_before),
        behaviour(what_was_handed_over_cannot_be_withdrawn),
        behaviour(after_a_stop_what_was_on_its_way_is_unknown_and_the_rest_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
