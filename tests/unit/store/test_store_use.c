/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept for the choice of a SIM: what each has used, whom it wrote to, prices, conversations, patience. */
#include "store_testing.h"

#include "src/base/digits.h"

#define ICCID "8940012345678901234"

static uint32_t see_card(struct bench *bench, const char *iccid, struct store_change **ret_change)
{
    struct store_change *change = change_new(CHANGE_SIM, bench->now_ms);
    uint32_t sim_id;

    strcpy(change->u.sim.iccid, iccid);
    assert_int_equal(apply(bench, change), 0);
    sim_id = change->u.sim.sim_id;
    if (ret_change != NULL)
        *ret_change = change;
    else
        change_free(change);
    return sim_id;
}

static int64_t intend_counted(struct bench *bench, int64_t message_id, uint32_t sim_id, const char *use_state, uint64_t recipient_key, int32_t day)
{
    struct store_change *change = new_intent(bench, message_id, 0, sim_id);
    int64_t attempt_id;

    change->u.intent.price_micro = 49000;
    change->u.intent.choice = strdup("{\"plan\":\"p\"}");
    change->u.intent.use_state = strdup(use_state);
    change->u.intent.recipient_key = recipient_key;
    change->u.intent.recipient_day = day;
    change->u.intent.recipient_month = day - day % 30;
    change->u.intent.remember = true;
    assert_int_equal(apply(bench, change), 0);
    attempt_id = change->u.intent.attempt_id;
    change_free(change);
    return attempt_id;
}

static void what_a_sim_has_used_is_on_disk_with_the_intent_and_comes_back_with_the_card(void **state)
{
    struct bench *bench = *state;
    int32_t today = (int32_t)(bench->now_ms / 86400000);
    uint32_t sim_id = see_card(bench, ICCID, NULL);
    struct store_change *seen;

    (void)intend_counted(bench, accept_one(bench, "+40700000001"), sim_id, "first", 11, today);
    (void)intend_counted(bench, accept_one(bench, "+40700000002"), sim_id, "second", 12, today);
    (void)intend_counted(bench, accept_one(bench, "+40700000001"), sim_id, "third", 11, today + 1);
    bench_reopen(bench);
    assert_int_equal(see_card(bench, ICCID, &seen), sim_id);
    assert_string_equal(seen->u.sim.use_state, "third");
    assert_int_equal(seen->u.sim.recipient_count, 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(seen->u.sim.recipients[i].day, seen->u.sim.recipients[i].key == 11 ? today + 1 : today);
    change_free(seen);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt WHERE price_micro = 49000 AND choice = '{\"plan\":\"p\"}'"), 3);
}

static void a_sim_that_was_never_used_has_nothing_to_tell(void **state)
{
    struct bench *bench = *state;
    struct store_change *seen;

    (void)see_card(bench, ICCID, &seen);
    assert_null(seen->u.sim.use_state);
    assert_int_equal(seen->u.sim.recipient_count, 0);
    change_free(seen);
}

static void an_intent_that_is_refused_counts_nothing(void **state)
{
    struct bench *bench = *state;
    uint32_t sim_id = see_card(bench, ICCID, NULL);
    int64_t id = accept_one(bench, "+40700000001");
    struct store_change *change;

    assert_int_equal(cancel(bench, id), 0);
    change = new_intent(bench, id, 0, sim_id);
    change->u.intent.use_state = strdup("counted");
    change->u.intent.recipient_key = 1;
    change->u.intent.remember = true;
    assert_int_equal(apply(bench, change), -ECANCELED);
    change_free(change);
    assert_int_equal(bench_ask(bench, "SELECT (SELECT count(*) FROM sim_use) + (SELECT count(*) FROM sim_recipient) + (SELECT count(*) FROM conversation)"), 0);
}

static void what_was_written_to_long_ago_is_forgotten(void **state)
{
    struct bench *bench = *state;
    int32_t today = (int32_t)(bench->now_ms / 86400000);
    uint32_t sim_id = see_card(bench, ICCID, NULL);

    (void)intend_counted(bench, accept_one(bench, "+40700000001"), sim_id, "s", 11, today - 100);
    (void)intend_counted(bench, accept_one(bench, "+40700000002"), sim_id, "s", 12, today);
    (void)see_card(bench, ICCID, NULL);
    assert_int_equal(bench_ask(bench, "SELECT group_concat(recipient) FROM sim_recipient"), 12);
}

static void use_is_kept_without_a_part_where_a_clock_was_set(void **state)
{
    struct bench *bench = *state;
    uint32_t sim_id = see_card(bench, ICCID, NULL);
    struct store_change *change = change_new(CHANGE_USE, bench->now_ms), *seen;

    change->u.use.sim_id = sim_id;
    change->u.use.use_state = strdup("as it is");
    assert_int_equal(apply(bench, change), 0);
    change_free(change);
    (void)see_card(bench, ICCID, &seen);
    assert_string_equal(seen->u.sim.use_state, "as it is");
    change_free(seen);
}

/* The item of the only message that is ready. */
static struct queue_item ready(struct bench *bench)
{
    struct store_change *change = fetch(bench, 255, 0, 10);
    struct queue_item item = change->u.fetch.items[0];

    assert_int_equal(change->u.fetch.item_count, 1);
    change_free(change);
    return item;
}

static void a_queued_message_knows_its_number_its_patience_and_the_sim_of_its_conversation(void **state)
{
    struct bench *bench = *state;
    uint32_t sim_id = see_card(bench, ICCID, NULL);
    struct store_change *accept;
    struct queue_item item;

    (void)intend_counted(bench, accept_one(bench, "+40700000001"), sim_id, "s", 0, 0);
    accept = new_accept(bench, 1, NULL);
    fill_message(&accept->u.accept.messages[0], "+40700000001", 1);
    accept->u.accept.messages[0].patience_s = 90;
    assert_int_equal(apply(bench, accept), 0);
    assert_int_equal(accept->u.accept.messages[0].sticky_sim_id, sim_id);
    change_free(accept);
    bench_reopen(bench);
    item = ready(bench);
    assert_int_equal(item.patience_s, 90);
    assert_int_equal(item.sticky_sim_id, sim_id);
    assert_true(item.to_key == digits_pack("40700000001", 11, NULL));
    assert_false(item.short_code);
    assert_int_equal(item.since_s, bench->now_ms / 1000);
}

static void patience_as_routed_stays_so_on_disk(void **state)
{
    struct bench *bench = *state;
    struct store_change *accept = new_accept(bench, 1, NULL);
    struct queue_item item;

    fill_message(&accept->u.accept.messages[0], "12345", 1);
    accept->u.accept.messages[0].patience_s = MESSAGE_PATIENCE_AS_ROUTED;
    assert_int_equal(apply(bench, accept), 0);
    change_free(accept);
    item = ready(bench);
    assert_int_equal(item.patience_s, MESSAGE_PATIENCE_AS_ROUTED);
    assert_true(item.short_code);
}

static void what_was_refused_by_a_sim_waits_for_another_one_for_a_while(void **state)
{
    struct bench *bench = *state;
    uint32_t sim_id = see_card(bench, ICCID, NULL);
    int64_t id = accept_one(bench, "+40700000001");
    struct queue_item item = refuse(bench, intend(bench, id, 0, sim_id), OUTCOME_RETRY, 0);

    assert_int_equal(item.avoid_sim_id, sim_id);
    assert_int_equal(item.avoid_until_s, bench->now_ms / 1000 + QUEUE_AVOID_S);
    item = ready(bench);
    assert_int_equal(item.avoid_sim_id, sim_id);
    assert_int_equal(item.avoid_until_s, bench->now_ms / 1000 + QUEUE_AVOID_S);
}

static void who_answers_by_another_sim_is_written_to_by_that_one(void **state)
{
    struct bench *bench = *state;
    uint32_t first = see_card(bench, ICCID, NULL), second = see_card(bench, "8940012345678909999", NULL);
    struct store_change *change = change_new(CHANGE_RECEIVE, bench->now_ms);

    (void)intend_counted(bench, accept_one(bench, "+40700000001"), first, "s", 0, 0);
    change->u.receive.sim_id = second;
    change->u.receive.pdu_hex = strdup("00");
    strcpy(change->u.receive.from, "+40700000001");
    change->u.receive.from_type = 0x91;
    change->u.receive.text = strdup("yes");
    change->u.receive.text_length = 3;
    assert_int_equal(apply(bench, change), 0);
    change_free(change);
    assert_int_equal(bench_ask(bench, "SELECT sim_id FROM conversation WHERE to_number = '+40700000001'"), second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(what_a_sim_has_used_is_on_disk_with_the_intent_and_comes_back_with_the_card),
        behaviour(a_sim_that_was_never_used_has_nothing_to_tell),
        behaviour(an_intent_that_is_refused_counts_nothing),
        behaviour(what_was_written_to_long_ago_is_forgotten),
        behaviour(use_is_kept_without_a_part_where_a_clock_was_set),
        behaviour(a_queued_message_knows_its_number_its_patience_and_the_sim_of_its_conversation),
        behaviour(patience_as_routed_stays_so_on_disk),
        behaviour(what_was_refused_by_a_sim_waits_for_another_one_for_a_while),
        behaviour(who_answers_by_another_sim_is_written_to_by_that_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
