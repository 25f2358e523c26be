/* SPDX-License-Identifier: Apache-2.0
 *
 * What the queue does with credits: what may not be spent waits, and goes on by itself when it may. */
#include "tests/unit/gateway/rig.h"
#include "tests/unit/store/credit_testing.h"

#define DAY_MS INT64_C(86400000)

static struct bench bench_of(const struct rig *rig)
{
    struct bench bench = { .store = rig->store, .now_ms = rig->now.wall_ms };

    (void)snprintf(bench.path, sizeof bench.path, "%s", rig->path);
    return bench;
}

static struct store_change *new_step(const struct rig *rig, enum credit_step step)
{
    struct bench bench = bench_of(rig);

    return new_credit(&bench, step);
}

static void step(struct rig *rig, struct store_change *change)
{
    gateway_submit(rig->gateway, change, rig->now);
    rig_commit(rig);
}

static void lease(struct rig *rig, uint64_t lease_id, int64_t grant_micro, int64_t for_ms)
{
    struct bench bench = bench_of(rig);
    struct store_change *change = new_lease(&bench, lease_id, grant_micro, 1, PRICES);

    change->u.credit->lease.spend_until_ms = rig->now.wall_ms + for_ms;
    step(rig, change);
}

/* An enrolled box with a modem and a lease of a day. */
static struct rig *rig_with_credits(int64_t grant_micro)
{
    struct rig *rig = rig_new();
    struct store_change *change = new_step(rig, CREDIT_ENROL);

    change->u.credit->identity.epoch = 1;
    memset(change->u.credit->identity.box_id, 0xB0, LEASE_BOX_ID_OCTETS);
    step(rig, change);
    change = new_step(rig, CREDIT_PRICES);
    change->u.credit->version = 1;
    change->u.credit->csv = strdup(PRICES);
    prices_hash(1, PRICES, change->u.credit->sha256);
    step(rig, change);
    if (grant_micro > 0)
        lease(rig, 1, grant_micro, DAY_MS);
    rig_modem(rig, 0);
    return rig;
}

static void books_are_right(const struct rig *rig)
{
    struct bench bench = bench_of(rig);

    assert_books_are_right(&bench);
}

static void expect(struct rig *rig, uint64_t lease_id, int64_t available, int64_t reserved, int64_t captured)
{
    struct bench bench = bench_of(rig);

    expect_lease(&bench, lease_id, available, reserved, captured);
}

static void sent(struct rig *rig, size_t index)
{
    assert_true(index < rig->sent_count);
    rig_result(rig, index, GATEWAY_SENT, (int)index, -1);
    rig_commit(rig);
}

static int64_t wait_for_credits(struct rig *rig, const char *text)
{
    struct store_change *change = rig_new_accept(rig, (struct rig_text){ .text = text, .expire_in_ms = 20 * DAY_MS });

    change->u.accept.wait_for_credit = true;
    gateway_submit(rig->gateway, change, rig->now);
    rig_commit(rig);
    return rig->last_id;
}

static void a_part_that_is_sent_is_paid_for(void **state)
{
    struct rig *rig = rig_with_credits(2 * CREDIT);

    (void)state;
    rig_submit(rig, (struct rig_text){ .text = "one" });
    expect(rig, 1, CREDIT, CREDIT, 0);
    sent(rig, 0);
    expect(rig, 1, CREDIT, 0, CREDIT);
    rig_submit(rig, (struct rig_text){ .text = "two" });
    rig_submit(rig, (struct rig_text){ .text = "three" });
    assert_int_equal(rig->last_result, -EDQUOT);
    sent(rig, 1);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 2);
    expect(rig, 1, 0, 0, 2 * CREDIT);
    books_are_right(rig);
    rig_free(rig);
}

static void what_waits_for_credits_goes_on_by_itself_when_a_lease_comes(void **state)
{
    struct rig *rig = rig_with_credits(CREDIT);
    int64_t first, second;

    (void)state;
    rig_submit(rig, (struct rig_text){ .text = "paid" });
    sent(rig, 0);
    first = wait_for_credits(rig, "waits");
    second = wait_for_credits(rig, "waits too");
    assert_int_equal(rig->last_state, MESSAGE_WAIT_CREDIT);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    lease(rig, 2, CREDIT, DAY_MS);
    rig_pass_ms(rig, 1000);
    assert_int_equal(rig->sent_count, 2);
    assert_int_equal(rig_state(rig, first), MESSAGE_SENDING);
    assert_int_equal(rig_state(rig, second), MESSAGE_WAIT_CREDIT);
    sent(rig, 1);
    books_are_right(rig);
    rig_free(rig);
}

static void a_message_that_is_cancelled_makes_room_for_one_that_waits(void **state)
{
    struct rig *rig = rig_with_credits(2 * CREDIT);
    int64_t behind, waits;

    (void)state;
    rig_submit(rig, (struct rig_text){ .text = "on the air" });
    behind = rig_submit(rig, (struct rig_text){ .text = "behind it", .due_in_ms = 3600000 });
    waits = wait_for_credits(rig, "waits");
    assert_int_equal(rig_cancel(rig, behind), 0);
    rig_pass_ms(rig, 20000);
    assert_int_equal(rig_state(rig, waits), MESSAGE_SENDING);   /* its intent waits behind the part on the air */
    sent(rig, 0);
    sent(rig, 1);
    assert_int_equal(rig_state(rig, waits), MESSAGE_SENT);
    books_are_right(rig);
    rig_free(rig);
}

static void a_frozen_box_takes_back_what_is_not_on_the_air_and_goes_on_when_it_is_released(void **state)
{
    struct rig *rig;
    int64_t second;

    (void)state;
    rig = rig_with_credits(5 * CREDIT);
    rig_submit(rig, (struct rig_text){ .text = "on the air" });
    second = rig_submit(rig, (struct rig_text){ .text = "behind it" });
    rig_pass_ms(rig, 1000);
    step(rig, new_step(rig, CREDIT_FREEZE));
    assert_int_equal(rig->alarms, 1);
    assert_non_null(strstr(rig->alarm, "frozen"));
    sent(rig, 0);                            /* what is on the air is told, and paid for */
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, second), MESSAGE_QUEUED);
    expect(rig, 1, 3 * CREDIT, CREDIT, CREDIT);
    rig_restart(rig);                        /* and the next process knows it */
    gateway_load_credits(rig->gateway, rig->now);
    rig_modem(rig, 0);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 0);
    step(rig, new_step(rig, CREDIT_UNFREEZE));
    rig_pass_ms(rig, 1000);
    assert_int_equal(rig->alarms_over, 1);
    sent(rig, 0);
    expect(rig, 1, 3 * CREDIT, 0, 2 * CREDIT);
    books_are_right(rig);
    rig_free(rig);
}

/* The one who starts it forgot to say that there is an account: the store says no, and the gateway asks why. */
static void a_gateway_that_was_not_told_learns_it_from_the_first_refusal(void **state)
{
    struct rig *rig = rig_with_credits(5 * CREDIT);
    int64_t id;

    (void)state;
    gateway_slot_ready(rig->gateway, 0, false, rig->now);
    id = rig_submit(rig, (struct rig_text){ .text = "waits" });
    step(rig, new_step(rig, CREDIT_FREEZE));
    rig_restart(rig);
    rig_modem(rig, 0);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 0);
    step(rig, new_step(rig, CREDIT_UNFREEZE));
    rig_pass_ms(rig, 1000);
    sent(rig, 0);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

static void nothing_is_handed_over_after_the_last_moment_of_a_lease(void **state)
{
    struct rig *rig = rig_with_credits(0);
    int64_t behind;

    (void)state;
    lease(rig, 1, 9 * CREDIT, 120000);
    rig_submit(rig, (struct rig_text){ .text = "on the air", .expire_in_ms = 20 * DAY_MS });
    behind = rig_submit(rig, (struct rig_text){ .text = "with its intent on disk", .expire_in_ms = 20 * DAY_MS });
    rig_pass_ms(rig, 5000);
    /* The part behind waits with a durable intent when the time ends; the one on the air is answered after that. */
    rig->now.mono_us += 120000 * UINT64_C(1000);
    rig->now.wall_ms += 120000;
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    rig_pass_ms(rig, 1000);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, behind), MESSAGE_QUEUED);
    expect(rig, 1, 7 * CREDIT, CREDIT, CREDIT);
    assert_int_equal(rig->alarms, 1);
    /* A clock that is set back does not bring it back. */
    rig->now.wall_ms -= 3600000;
    rig_pass_ms(rig, 1000);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    rig->now.wall_ms += 3600000;
    lease(rig, 2, 9 * CREDIT, DAY_MS);
    rig_pass_ms(rig, 1000);
    rig_pass_ms(rig, 1000);
    assert_int_equal(rig->sent_count, 2);
    sent(rig, 1);
    expect(rig, 1, 8 * CREDIT, 0, CREDIT);
    expect(rig, 2, 8 * CREDIT, 0, CREDIT);
    assert_int_equal(rig->alarms_over, 1);
    books_are_right(rig);
    rig_free(rig);
}

static void what_waits_moves_to_the_successor_in_small_transactions(void **state)
{
    struct rig *rig = rig_with_credits(1000 * CREDIT);
    struct store_change *list;
    int64_t waiting = 390;
    unsigned moves = 0;

    (void)state;
    gateway_slot_ready(rig->gateway, 0, false, rig->now);
    for (int64_t i = 0; i < waiting; i++)
        rig_submit(rig, (struct rig_text){ .text = "waits" });
    expect(rig, 1, 610 * CREDIT, 390 * CREDIT, 0);
    {
        struct bench bench = bench_of(rig);
        struct store_change *change = new_lease(&bench, 2, 700 * CREDIT, 1, PRICES);

        gateway_submit(rig->gateway, change, rig->now);
    }
    while ((list = gateway_take_changes(rig->gateway)) != NULL) {
        for (const struct store_change *change = list; change != NULL; change = change->next)
            moves += change->kind == CHANGE_CREDIT && change->u.credit->step == CREDIT_MOVE;
        rig_commit_list(rig, list);
        books_are_right(rig);
    }
    assert_int_equal(moves, 2);
    expect(rig, 1, 1000 * CREDIT, 0, 0);
    expect(rig, 2, 310 * CREDIT, 390 * CREDIT, 0);
    gateway_slot_ready(rig->gateway, 0, true, rig->now);
    rig_commit(rig);
    for (size_t i = 0; i < 20; i++)
        sent(rig, i);
    expect(rig, 2, 310 * CREDIT, 370 * CREDIT, 20 * CREDIT);
    books_are_right(rig);
    rig_free(rig);
}

static void a_fenced_box_keeps_all_it_has_until_it_is_enrolled_again(void **state)
{
    struct rig *rig = rig_with_credits(9 * CREDIT);
    struct store_change *change;
    int64_t id;

    (void)state;
    rig_submit(rig, (struct rig_text){ .text = "on the air" });
    id = rig_submit(rig, (struct rig_text){ .text = "behind" });
    step(rig, new_step(rig, CREDIT_FENCE));
    sent(rig, 0);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, id), MESSAGE_QUEUED);
    change = new_step(rig, CREDIT_ENROL);
    change->u.credit->identity.epoch = 2;
    memset(change->u.credit->identity.box_id, 0xB0, LEASE_BOX_ID_OCTETS);
    step(rig, change);
    rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    {
        struct bench bench = bench_of(rig);

        change = new_lease(&bench, 2, 5 * CREDIT, 1, PRICES);
        change->u.credit->lease.epoch = 2;
        step(rig, change);
    }
    rig_pass_ms(rig, 1000);
    sent(rig, 1);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    expect(rig, 2, 4 * CREDIT, 0, CREDIT);
    books_are_right(rig);
    rig_free(rig);
}

static void a_store_that_fails_takes_nothing_and_loses_nothing(void **state)
{
    struct rig *rig = rig_with_credits(9 * CREDIT);
    int64_t id;

    (void)state;
    id = rig_submit(rig, (struct rig_text){ .text = "on the air" });
    rig->store_error = -ENOSPC;
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    step(rig, new_step(rig, CREDIT_LOAD));
    rig->store_error = 0;
    rig_pass_ms(rig, 2000);
    rig_pass_ms(rig, 2000);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    expect(rig, 1, 8 * CREDIT, 0, CREDIT);
    rig_submit(rig, (struct rig_text){ .text = "next" });
    sent(rig, 1);
    expect(rig, 1, 7 * CREDIT, 0, 2 * CREDIT);
    books_are_right(rig);
    rig_free(rig);
}

/* Nothing spins: in an hour of waiting the store is asked a bounded number of times. */
static void waiting_costs_few_commits(void **state)
{
    struct rig *rig = rig_with_credits(CREDIT);
    unsigned lists = 0;

    (void)state;
    rig_submit(rig, (struct rig_text){ .text = "paid" });
    (void)wait_for_credits(rig, "waits");
    sent(rig, 0);
    for (int second = 0; second < 3600; second++) {
        struct store_change *list;

        rig->now.mono_us += 1000000;
        rig->now.wall_ms += 1000;
        if (gateway_deadline_us(rig->gateway) > rig->now.mono_us)
            continue;
        gateway_poll(rig->gateway, rig->now);
        while ((list = gateway_take_changes(rig->gateway)) != NULL) {
            lists++;
            rig_commit_list(rig, list);
        }
    }
    assert_in_range(lists, 300, 500);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_that_is_sent_is_paid_for),
        cmocka_unit_test(what_waits_for_credits_goes_on_by_itself_when_a_lease_comes),
        cmocka_unit_test(a_message_that_is_cancelled_makes_room_for_one_that_waits),
        cmocka_unit_test(a_frozen_box_takes_back_what_is_not_on_the_air_and_goes_on_when_it_is_released),
        cmocka_unit_test(a_gateway_that_was_not_told_learns_it_from_the_first_refusal),
        cmocka_unit_test(nothing_is_handed_over_after_the_last_moment_of_a_lease),
        cmocka_unit_test(what_waits_moves_to_the_successor_in_small_transactions),
        cmocka_unit_test(a_fenced_box_keeps_all_it_has_until_it_is_enrolled_again),
        cmocka_unit_test(a_store_that_fails_takes_nothing_and_loses_nothing),
        cmocka_unit_test(waiting_costs_few_commits),
    };

    return cmocka_run_group_tests_name("gateway, credits", tests, NULL, NULL);
}
