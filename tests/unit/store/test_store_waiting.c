/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that wait, and the lists of all of them. */
#include "store_testing.h"

#define TO "+40700123456"

/* -- waiting ----------------------------------------------------------------------------------------------------- */

static void only_what_is_not_handed_over_can_be_cancelled(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, TO), multi = accept_parts(bench, TO, 2), attempt;

    attempt = intend(bench, id, 0, 1);
    assert_int_equal(cancel(bench, id), -EBUSY);
    withdraw(bench, attempt);
    assert_int_equal(cancel(bench, id), 0);
    assert_int_equal(state_of(bench, id), MESSAGE_CANCELLED);
    assert_int_equal(cancel(bench, id), -EALREADY);
    assert_int_equal(cancel(bench, 9999), -ENOENT);

    attempt = intend(bench, multi, 0, 1);
    assert_int_equal(cancel(bench, multi), -EBUSY);
    finish(bench, attempt, ATTEMPT_SENT, 1);
    assert_int_equal(cancel(bench, multi), 0);            /* its second part stays here */
    assert_int_equal(intend(bench, multi, 1, 1), -ECANCELED);
    report(bench, 1, 1, TO, 0);
    assert_int_equal(state_of(bench, multi), MESSAGE_CANCELLED);

    id = accept_one(bench, TO);
    finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, 2);
    assert_int_equal(cancel(bench, id), -EBUSY);
    assert_counts_are_exact(bench);
}

static void messages_become_due_and_expire_at_their_time_exactly(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_accept(bench, 3, NULL);
    int64_t first;

    for (uint32_t i = 0; i < 3; i++)
        fill_message(&change->u.accept.messages[i], TO, 1);
    change->u.accept.messages[0].due_ms = T0 + 5000;
    change->u.accept.messages[1].expire_ms = T0 + 7000;
    change->u.accept.messages[2].due_ms = T0 + 9000;
    change->u.accept.messages[2].expire_ms = T0 + 8000;
    assert_int_equal(apply(bench, change), 0);
    first = change->u.accept.messages[0].id;
    change_free(change);

    bench->now_ms = T0 + 4999;
    change = due(bench, 10);
    assert_int_equal(change->u.due.item_count + change->u.due.expired_count, 0);
    assert_int_equal(change->u.due.next_ms, T0 + 5000);
    change_free(change);
    bench->now_ms = T0 + 5000;
    change = due(bench, 10);
    assert_int_equal(change->u.due.item_count, 1);
    assert_int_equal(change->u.due.items[0].id, first);
    assert_int_equal(change->u.due.next_ms, T0 + 7000);
    change_free(change);
    assert_history(bench, first, "scheduled>queued");
    bench->now_ms = T0 + 9000;
    change = due(bench, 1);                               /* more than the limit: comes back at once */
    assert_int_equal(change->u.due.expired_count, 1);
    assert_int_equal(change->u.due.expired[0], first + 1);
    assert_true(change->u.due.next_ms <= bench->now_ms);
    change_free(change);
    change = due(bench, 10);
    assert_int_equal(change->u.due.expired_count, 1);
    assert_int_equal(change->u.due.expired[0], first + 2);
    assert_int_equal(change->u.due.item_count, 0);
    assert_int_equal(change->u.due.next_ms, INT64_MAX);
    change_free(change);
    assert_counts_are_exact(bench);
}

/* Found by the simulation: every restart gave a message six more tries. */
static void a_refill_knows_how_often_a_message_has_failed(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, "+40700123456");
    struct store_change *change;

    (void)accept_one(bench, "+40700123457");
    for (int i = 0; i < 3; i++)
        (void)refuse(bench, intend(bench, id, 0, 1), OUTCOME_RETRY, 0);
    change = fetch(bench, 255, 0, 10);
    assert_int_equal(change->u.fetch.item_count, 2);
    assert_int_equal(change->u.fetch.items[0].id, id);
    assert_int_equal(change->u.fetch.items[0].failures, 3);
    assert_int_equal(change->u.fetch.items[1].failures, 0);
    change_free(change);
}

static void a_refill_starts_behind_the_last_one_in_order_of_priority_then_age(void **state)
{
    static const uint8_t priorities[] = { 0, 5, 9, 5, 0, 9 };
    static const int order[] = { 2, 5, 1, 3, 0, 4 };
    struct bench *bench = *state;
    struct store_change *change = new_accept(bench, 6, NULL);
    uint8_t priority = 255;
    int64_t first, id = 0;

    for (uint32_t i = 0; i < 6; i++) {
        fill_message(&change->u.accept.messages[i], TO, 1);
        change->u.accept.messages[i].priority = priorities[i];
    }
    assert_int_equal(apply(bench, change), 0);
    first = change->u.accept.messages[0].id;
    change_free(change);
    for (int i = 0; i < 6; i++) {
        change = fetch(bench, priority, id, 1);
        assert_int_equal(change->u.fetch.item_count, 1);
        assert_int_equal(change->u.fetch.items[0].id, first + order[i]);
        assert_int_equal(change->u.fetch.more, i < 5);
        id = change->u.fetch.items[0].id;
        priority = change->u.fetch.items[0].priority;
        change_free(change);
    }
    change = fetch(bench, priority, id, 1);
    assert_int_equal(change->u.fetch.item_count, 0);
    assert_false(change->u.fetch.more);
    change_free(change);
}

/* -- lists ------------------------------------------------------------------------------------------------------- */

struct ids { uint32_t count; int64_t of[64]; };

static void ids_add(void *context, const struct message_row *row)
{
    struct ids *ids = context;

    assert_true(ids->count < 64);
    ids->of[ids->count++] = row->id;
}

static void assert_list(struct bench *bench, struct message_filter filter, uint32_t count, const int64_t *expected)
{
    struct ids ids = { 0 };

    filter.limit = filter.limit != 0 ? filter.limit : 50;
    assert_int_equal(store_read_messages(bench->reader, &filter, ids_add, &ids), 0);
    assert_int_equal(ids.count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(ids.of[i], expected[i]);
}
#define LIST(...) sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), (const int64_t[]){ __VA_ARGS__ }

static void lists_are_filtered_by_every_criterion_and_paged_both_ways(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_accept(bench, 3, NULL);
    int64_t a = accept_one(bench, TO), b, c, batch;

    bench->now_ms += 1000;
    change->now_ms = bench->now_ms;
    for (uint32_t i = 0; i < 3; i++)
        fill_message(&change->u.accept.messages[i], i == 1 ? TO : "12345", 1);
    change->u.accept.messages[2].client_ref = strdup("ref-2");
    assert_int_equal(apply(bench, change), 0);
    b = change->u.accept.messages[0].id;
    batch = change->u.accept.batch_id;
    change_free(change);
    bench->now_ms += 1000;
    c = accept_one(bench, TO);
    finish(bench, intend(bench, a, 0, 1), ATTEMPT_SENT, 1);
    assert_int_equal(cancel(bench, b), 0);

    assert_list(bench, (struct message_filter){ 0 }, LIST(c, b + 2, b + 1, b, a));
    assert_list(bench, (struct message_filter){ .limit = 2 }, LIST(c, b + 2));
    assert_list(bench, (struct message_filter){ .limit = 2, .before_id = b + 2 }, LIST(b + 1, b));
    assert_list(bench, (struct message_filter){ .oldest_first = true, .after_id = b, .limit = 2 }, LIST(b + 1, b + 2));
    assert_list(bench, (struct message_filter){ .batch_id = batch, .oldest_first = true }, LIST(b, b + 1, b + 2));
    assert_list(bench, (struct message_filter){ .batch_id = batch, .state = MESSAGE_QUEUED }, LIST(b + 2, b + 1));
    assert_list(bench, (struct message_filter){ .to = TO }, LIST(c, b + 1, a));
    assert_list(bench, (struct message_filter){ .to = TO, .limit = 1, .before_id = c }, LIST(b + 1));
    assert_list(bench, (struct message_filter){ .to = TO, .oldest_first = true }, LIST(a, b + 1, c));
    assert_list(bench, (struct message_filter){ .to = "1234" }, 0, NULL);
    assert_list(bench, (struct message_filter){ .client_ref = "ref-2" }, LIST(b + 2));
    assert_list(bench, (struct message_filter){ .client_ref = "ref-2", .to = TO }, 0, NULL);
    assert_list(bench, (struct message_filter){ .state = MESSAGE_SENT }, LIST(a));
    assert_list(bench, (struct message_filter){ .state = MESSAGE_CANCELLED }, LIST(b));
    assert_list(bench, (struct message_filter){ .state = MESSAGE_QUEUED, .to = TO }, LIST(c, b + 1));
    assert_list(bench, (struct message_filter){ .state = MESSAGE_FAILED }, 0, NULL);
    assert_list(bench, (struct message_filter){ .since_ms = T0 + 1000 }, LIST(c, b + 2, b + 1, b));
    assert_list(bench, (struct message_filter){ .until_ms = T0 + 1000 }, LIST(a));
    assert_list(bench, (struct message_filter){ .since_ms = T0 + 1000, .until_ms = T0 + 2000, .to = TO }, LIST(b + 1));
    assert_list(bench, (struct message_filter){ .since_ms = T0 + 5000 }, 0, NULL);
    assert_list(bench, (struct message_filter){ .batch_id = 999 }, 0, NULL);
}

static void a_number_is_found_among_messages_of_many_shelves(void **state)
{
    struct bench *bench = *state;
    int64_t first = accept_one(bench, TO), last;
    struct ids ids = { 0 };

    for (int i = 0; i < 9; i++) {
        struct store_change *change = new_accept(bench, 1000, NULL);

        for (uint32_t j = 0; j < 1000; j++)
            fill_message(&change->u.accept.messages[j], "12345", 1);
        assert_int_equal(apply(bench, change), 0);
        change_free(change);
    }
    last = accept_one(bench, TO);
    assert_int_equal(store_read_messages(bench->reader, &(struct message_filter){ .to = TO, .limit = 10 }, ids_add, &ids), 0);
    assert_int_equal(ids.count, 2);
    assert_int_equal(ids.of[0], last);
    assert_int_equal(ids.of[1], first);
}

static void changes_of_one_list_have_results_of_their_own(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, TO);
    struct store_change *bad = new_intent(bench, 777, 0, 1), *good = new_intent(bench, id, 0, 1);
    struct store_change *late = change_new(CHANGE_CANCEL, bench->now_ms);
    uint64_t commits = store_stats(bench->store).commits;

    late->u.cancel.message_id = id;
    bad->next = good;
    good->next = late;
    assert_int_equal(store_apply(bench->store, bad), 0);
    assert_int_equal(bad->result, -ENOENT);
    assert_int_equal(good->result, 0);
    assert_int_equal(late->result, -EBUSY);
    assert_int_equal(store_stats(bench->store).commits, commits + 1);
    assert_counts_are_exact(bench);
    change_free_list(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(only_what_is_not_handed_over_can_be_cancelled),
        behaviour(messages_become_due_and_expire_at_their_time_exactly),
        behaviour(a_refill_knows_how_often_a_message_has_failed),
        behaviour(a_refill_starts_behind_the_last_one_in_order_of_priority_then_age),
        behaviour(lists_are_filtered_by_every_criterion_and_paged_both_ways),
        behaviour(a_number_is_found_among_messages_of_many_shelves),
        behaviour(changes_of_one_list_have_results_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
