/* SPDX-License-Identifier: Apache-2.0
 *
 * Credits on disk: reserved with the batch, captured with the part, released with the end, moved with the lease. */
#include "credit_testing.h"

/* A batch of so many messages of one part to Romania. -> result; ids from *ret_first. */
static int accept_batch(struct bench *bench, uint32_t count, uint16_t parts, bool wait, struct change_accept *ret_accept, int64_t *ret_first)
{
    struct store_change *change = new_accept(bench, count, NULL);
    int r;

    for (uint32_t i = 0; i < count; i++) {
        char to[24];

        snprintf(to, sizeof to, "+407001%05u", (unsigned)i);
        fill_message(&change->u.accept.messages[i], to, parts);
        change->u.accept.messages[i].expire_ms = bench->now_ms + 12 * HOUR_MS;
    }
    change->u.accept.wait_for_credit = wait;
    r = apply(bench, change);
    if (ret_accept != NULL)
        *ret_accept = change->u.accept;
    *ret_first = change->u.accept.messages[0].id;
    change_free(change);
    return r;
}

static int64_t accept_paid(struct bench *bench, uint16_t parts)
{
    int64_t id;

    assert_int_equal(accept_batch(bench, 1, parts, false, NULL, &id), 0);
    return id;
}

static void a_box_without_an_account_writes_nothing_of_credits(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, "+40700000001"), attempt = intend(bench, id, 0, 1);

    assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, 1), MESSAGE_SENT);
    assert_int_equal(bench_ask(bench, "SELECT (SELECT count(*) FROM credit_box) + (SELECT count(*) FROM credit_lease) + (SELECT count(*) FROM"
                                      " credit_posting) + (SELECT sum(credit_state) FROM message) + (SELECT sum(charge_seq) FROM attempt)"), 0);
    assert_false(credit_now(bench).enrolled);
    {
        struct store_change *change = new_credit(bench, CREDIT_FENCE);

        assert_int_equal(apply(bench, change), -ENOENT);
        change_free(change);
    }
}

static void a_part_is_reserved_with_its_batch_and_captured_when_it_is_sent(void **state)
{
    struct bench *bench = *state;
    int64_t id, attempt;

    with_credits(bench, 10 * CREDIT);
    id = accept_paid(bench, 2);
    expect_lease(bench, 1, 8 * CREDIT, 2 * CREDIT, 0);
    attempt = intend(bench, id, 0, 1);
    expect_lease(bench, 1, 8 * CREDIT, 2 * CREDIT, 0);
    (void)finish(bench, attempt, ATTEMPT_SENT, 1);
    expect_lease(bench, 1, 8 * CREDIT, 1 * CREDIT, 1 * CREDIT);
    assert_int_equal(finish(bench, intend(bench, id, 1, 1), ATTEMPT_SENT, 2), MESSAGE_SENT);
    expect_lease(bench, 1, 8 * CREDIT, 0, 2 * CREDIT);
    assert_books_are_right(bench);
    /* The same after a start. */
    bench_reopen(bench);
    assert_int_equal(credit_now(bench).box.head.seq, 2);
    (void)accept_paid(bench, 1);
    assert_books_are_right(bench);
}

static void a_batch_that_does_not_fit_is_refused_whole_and_says_how_many_would(void **state)
{
    struct bench *bench = *state;
    struct change_accept accept;
    int64_t first;

    with_credits(bench, 5 * CREDIT);
    assert_int_equal(accept_batch(bench, 4, 2, false, &accept, &first), -EDQUOT);
    assert_int_equal(accept.credit_verdict, LEDGER_TOO_LITTLE);
    assert_int_equal(accept.credit.needed_micro, 8 * CREDIT);
    assert_int_equal(accept.credit.available_micro, 5 * CREDIT);
    assert_int_equal(accept.credit.fit, 2);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message"), 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM batch"), 0);
    expect_lease(bench, 1, 5 * CREDIT, 0, 0);
    assert_int_equal(accept_batch(bench, 2, 2, false, &accept, &first), 0);
    expect_lease(bench, 1, 1 * CREDIT, 4 * CREDIT, 0);
    assert_books_are_right(bench);
}

static void a_batch_that_waits_goes_on_whole_when_credits_come_the_oldest_first(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;
    struct change_accept accept;
    int64_t first, second;

    with_credits(bench, 5 * CREDIT);
    assert_int_equal(accept_batch(bench, 8, 1, true, &accept, &first), 0);
    assert_int_equal(accept.credit_verdict, LEDGER_TOO_LITTLE);
    assert_int_equal(accept.credit.fit, 5);
    assert_int_equal(state_of(bench, first), MESSAGE_WAIT_CREDIT);
    assert_int_equal(accept_batch(bench, 6, 1, true, &accept, &second), 0);
    assert_int_equal(intend(bench, first, 0, 1), -ECANCELED);
    change = fetch(bench, 255, 0, 10);
    assert_int_equal(change->u.fetch.item_count, 0);
    change_free(change);
    assert_int_equal(credit_now(bench).waiting, 14);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_RESUME), NULL), LEDGER_TOO_LITTLE);
    grant(bench, 2, 10 * CREDIT);
    change = new_credit(bench, CREDIT_RESUME);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->verdict, LEDGER_DONE);
    assert_int_equal(change->u.credit->id_count, 8);
    assert_int_equal(change->u.credit->ids[0], first);
    assert_true(change->u.credit->more);
    change_free(change);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_RESUME), NULL), LEDGER_TOO_LITTLE);
    assert_int_equal(state_of(bench, second), MESSAGE_WAIT_CREDIT);
    assert_int_equal(finish(bench, intend(bench, first, 0, 1), ATTEMPT_SENT, 1), MESSAGE_SENT);
    expect_lease(bench, 2, 2 * CREDIT, 7 * CREDIT, 1 * CREDIT);
    assert_int_equal(cancel(bench, second), 0);
    assert_books_are_right(bench);
    /* What waits expires as anything does, and cost nothing. */
    bench->now_ms += 13 * HOUR_MS;
    change_free(due(bench, 100));
    assert_int_equal(credit_now(bench).waiting, 0);
    expect_lease(bench, 2, 9 * CREDIT, 0, 1 * CREDIT);
    assert_books_are_right(bench);
}

static void numbers_the_account_has_no_price_for_are_refused_and_cost_nothing(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_accept(bench, 3, NULL), *one = new_accept(bench, 1, NULL);

    with_credits(bench, 10 * CREDIT);
    fill_message(&change->u.accept.messages[0], "+40700000001", 1);
    fill_message(&change->u.accept.messages[1], "+4490123456", 1);
    fill_message(&change->u.accept.messages[2], "+3312345678", 1);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.accept.messages[0].state, MESSAGE_QUEUED);
    assert_int_equal(change->u.accept.messages[1].state, MESSAGE_REJECTED);
    assert_string_equal(change->u.accept.messages[2].reason_code, "no_price");
    assert_int_equal(change->u.accept.credit.refused, 2);
    change_free(change);
    expect_lease(bench, 1, 9 * CREDIT, 1 * CREDIT, 0);
    fill_message(&one->u.accept.messages[0], "+3312345678", 1);
    assert_int_equal(apply(bench, one), -EDOM);
    change_free(one);
    assert_books_are_right(bench);
}

static void ucs2_and_short_codes_cost_what_the_table_says(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_accept(bench, 2, NULL);

    enrol(bench, 1);
    prices(bench, 1, "prefix,price,price_ucs2\n40,1,2\n*,5,\n");
    assert_int_equal(credit_do(bench, new_lease(bench, 1, 100 * CREDIT, 1, "prefix,price,price_ucs2\n40,1,2\n*,5,\n"), NULL), LEDGER_DONE);
    fill_message(&change->u.accept.messages[0], "+40700000001", 1);
    change->u.accept.messages[0].coding.alphabet = 2;
    fill_message(&change->u.accept.messages[1], "4012", 1);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.accept.credit.needed_micro, 7 * CREDIT);
    change_free(change);
    assert_books_are_right(bench);
}

static void what_ends_before_it_is_sent_costs_nothing(void **state)
{
    struct bench *bench = *state;
    int64_t cancelled, failed, expired;

    with_credits(bench, 10 * CREDIT);
    cancelled = accept_paid(bench, 1);
    failed = accept_paid(bench, 2);
    expired = accept_paid(bench, 1);
    expect_lease(bench, 1, 6 * CREDIT, 4 * CREDIT, 0);
    assert_int_equal(cancel(bench, cancelled), 0);
    expect_lease(bench, 1, 7 * CREDIT, 3 * CREDIT, 0);
    (void)refuse(bench, intend(bench, failed, 0, 1), OUTCOME_RETRY, 0);
    expect_lease(bench, 1, 7 * CREDIT, 3 * CREDIT, 0);
    (void)refuse(bench, intend(bench, failed, 0, 1), OUTCOME_FAIL, 0);
    expect_lease(bench, 1, 9 * CREDIT, 1 * CREDIT, 0);
    bench->now_ms += 12 * HOUR_MS;
    assert_int_equal(intend(bench, expired, 0, 1), -ETIME);
    expect_lease(bench, 1, 10 * CREDIT, 0, 0);
    assert_books_are_right(bench);
}

/* A part of a message that failed meanwhile was already behind another on the air. */
static void a_part_on_its_way_when_its_message_fails_is_settled_by_its_own_outcome(void **state)
{
    struct bench *bench = *state;

    with_credits(bench, 40 * CREDIT);
    for (int how = 0; how < 4; how++) {
        int64_t id = accept_paid(bench, 3), first = intend(bench, id, 0, 1), second = intend(bench, id, 1, 1);
        struct credit_summary before = credit_now(bench), after;

        (void)refuse(bench, first, OUTCOME_FAIL, 0);
        assert_int_equal(credit_now(bench).open.balance_micro[LEDGER_RESERVED], before.open.balance_micro[LEDGER_RESERVED]);
        if (how == 0)
            (void)finish(bench, second, ATTEMPT_SENT, 1);
        else if (how == 1)
            (void)finish(bench, second, ATTEMPT_UNKNOWN, -1);
        else if (how == 2)
            (void)refuse(bench, second, OUTCOME_FAIL, 0);
        else
            (void)withdraw(bench, second);
        after = credit_now(bench);
        assert_int_equal(after.open.balance_micro[LEDGER_RESERVED], 0);
        assert_int_equal(after.open.balance_micro[LEDGER_CAPTURED] - before.open.balance_micro[LEDGER_CAPTURED], how < 2 ? CREDIT : 0);
        assert_books_are_right(bench);
    }
}

static void a_doubtful_part_holds_its_credits_and_is_charged_once_when_the_waiting_ends(void **state)
{
    struct bench *bench = *state;
    int64_t id, attempt;

    with_credits(bench, 10 * CREDIT);
    id = accept_paid(bench, 1);
    attempt = intend(bench, id, 0, 1);
    assert_int_equal(finish(bench, attempt, ATTEMPT_UNKNOWN, -1), MESSAGE_UNKNOWN);
    expect_lease(bench, 1, 9 * CREDIT, 1 * CREDIT, 0);
    bench->now_ms += 13 * HOUR_MS;
    change_free(due(bench, 10));
    assert_int_equal(state_of(bench, id), MESSAGE_HELD);
    expect_lease(bench, 1, 9 * CREDIT, 0, 1 * CREDIT);
    /* A person sends it again: charged once. */
    {
        struct store_change *change = change_new(CHANGE_DECIDE, bench->now_ms);

        change->u.decide.message_id = id;
        change->u.decide.decision = DECISION_RELEASE;
        assert_int_equal(apply(bench, change), 0);
        change_free(change);
    }
    assert_int_equal(finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, 2), MESSAGE_SENT);
    expect_lease(bench, 1, 9 * CREDIT, 0, 1 * CREDIT);
    assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, 1), MESSAGE_SENT);
    expect_lease(bench, 1, 9 * CREDIT, 0, 1 * CREDIT);
    assert_books_are_right(bench);
}

static void a_late_answer_charges_a_doubtful_part_and_evidence_that_it_never_went_does_not(void **state)
{
    struct bench *bench = *state;
    int64_t late, never, attempt;
    struct store_change *change;

    with_credits(bench, 10 * CREDIT);
    late = accept_paid(bench, 1);
    attempt = intend(bench, late, 0, 1);
    (void)finish(bench, attempt, ATTEMPT_UNKNOWN, -1);
    assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, 3), MESSAGE_SENT);
    expect_lease(bench, 1, 9 * CREDIT, 0, 1 * CREDIT);
    /* Charged in doubt, then proven not to have gone: it goes on without a second charge; if it ends before, the charge is taken back. */
    never = accept_paid(bench, 1);
    attempt = intend(bench, never, 0, 1);
    (void)finish(bench, attempt, ATTEMPT_UNKNOWN, -1);
    bench->now_ms += 13 * HOUR_MS;
    change_free(due(bench, 10));
    expect_lease(bench, 1, 8 * CREDIT, 0, 2 * CREDIT);
    change = new_outcome(bench, attempt, ATTEMPT_NOT_SENT, -1);
    change->u.outcome.evidence = true;
    change->u.outcome.verdict = OUTCOME_RETRY;
    assert_int_equal(apply(bench, change), 0);
    change_free(change);
    assert_int_equal(state_of(bench, never), MESSAGE_QUEUED);
    expect_lease(bench, 1, 8 * CREDIT, 0, 2 * CREDIT);
    assert_int_equal(cancel(bench, never), 0);
    expect_lease(bench, 1, 9 * CREDIT, 0, 1 * CREDIT);
    assert_books_are_right(bench);
}

static void a_part_sent_once_more_by_its_policy_is_charged_once(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = new_accept(bench, 1, NULL);
    int64_t id;

    with_credits(bench, 10 * CREDIT);
    fill_message(&change->u.accept.messages[0], "+40700000001", 1);
    change->u.accept.messages[0].policy = MESSAGE_AT_LEAST_ONCE;
    assert_int_equal(apply(bench, change), 0);
    id = change->u.accept.messages[0].id;
    change_free(change);
    (void)finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1);
    bench->now_ms += 2 * MINUTE_MS;
    change_free(due(bench, 10));
    expect_lease(bench, 1, 9 * CREDIT, 1 * CREDIT, 0);
    assert_int_equal(finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, 9), MESSAGE_SENT);
    expect_lease(bench, 1, 9 * CREDIT, 0, 1 * CREDIT);
    assert_books_are_right(bench);
}

static void a_crash_on_the_air_keeps_the_reservation_until_it_is_known(void **state)
{
    struct bench *bench = *state;
    uint32_t unknown;
    int64_t id, failed, attempt;

    with_credits(bench, 10 * CREDIT);
    id = accept_paid(bench, 1);
    failed = accept_paid(bench, 2);
    attempt = intend(bench, id, 0, 1);
    {
        int64_t first = intend(bench, failed, 0, 2);

        assert_true(intend(bench, failed, 1, 2) > 0);
        (void)refuse(bench, first, OUTCOME_FAIL, 0);
    }
    bench_reopen(bench);
    assert_int_equal(store_recover(bench->store, bench->now_ms, &unknown), 0);
    assert_int_equal(unknown, 2);
    /* Of the message that had failed, the part on the air is charged: nothing more will be learnt of it. The other costs nothing. */
    expect_lease(bench, 1, 8 * CREDIT, 1 * CREDIT, 1 * CREDIT);
    assert_int_equal(finish(bench, attempt, ATTEMPT_SENT, 4), MESSAGE_SENT);
    expect_lease(bench, 1, 8 * CREDIT, 0, 2 * CREDIT);
    assert_books_are_right(bench);
}

static void an_intent_waits_while_its_credits_may_not_be_spent(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;
    int64_t id;

    with_credits(bench, 10 * CREDIT);
    id = accept_paid(bench, 1);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_FREEZE), NULL), LEDGER_DONE);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_FREEZE), NULL), LEDGER_ALREADY);
    change = new_intent(bench, id, 0, 1);
    assert_int_equal(apply(bench, change), -EDQUOT);
    assert_int_equal(change->u.intent.credit_verdict, LEDGER_FROZEN);
    change_free(change);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_UNFREEZE), NULL), LEDGER_DONE);
    bench->now_ms += 24 * HOUR_MS - MINUTE_MS;
    bench_reopen(bench);
    change = new_credit(bench, CREDIT_EXPIRE);
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_NOT_YET);
    bench->now_ms += MINUTE_MS;
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_EXPIRE), NULL), LEDGER_DONE);
    /* A clock that is set back prolongs nothing, not even after a start. */
    bench->now_ms = T0;
    bench_reopen(bench);
    change = new_intent(bench, id, 0, 1);
    assert_int_equal(apply(bench, change), -EDQUOT);
    assert_int_equal(change->u.intent.credit_verdict, LEDGER_LEASE_EXPIRED);
    change_free(change);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt"), 0);
    assert_books_are_right(bench);
}

static void a_successor_takes_over_what_waits_and_the_lease_before_can_be_closed(void **state)
{
    struct bench *bench = *state;
    struct credit_summary summary;
    struct store_change *change;
    int64_t first, on_air, attempt;

    with_credits(bench, 20 * CREDIT);
    prices(bench, 2, "prefix,price\n40,2\n");
    on_air = accept_paid(bench, 1);
    attempt = intend(bench, on_air, 0, 1);
    assert_int_equal(accept_batch(bench, 6, 1, false, NULL, &first), 0);
    /* Its table must be the one that is signed. */
    change = new_lease(bench, 2, 9 * CREDIT, 2, PRICES);
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_OTHER_PRICES);
    assert_int_equal(credit_do(bench, new_lease(bench, 2, 9 * CREDIT, 2, "prefix,price\n40,2\n"), &summary), LEDGER_DONE);
    assert_int_equal(summary.open.lease_id, 2);
    assert_int_equal(summary.old.state, LEDGER_DRAINING);
    change = new_credit(bench, CREDIT_MOVE);
    change->u.credit->limit = 2;
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->moved, 2);
    assert_true(change->u.credit->more);
    change_free(change);
    change = new_credit(bench, CREDIT_MOVE);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->moved, 2);   /* nine credits are enough for four at the new price */
    assert_false(change->u.credit->more);
    assert_int_equal(change->u.credit->id_count, 0);
    change_free(change);
    expect_lease(bench, 1, 17 * CREDIT, 3 * CREDIT, 0);
    expect_lease(bench, 2, 1 * CREDIT, 8 * CREDIT, 0);
    assert_books_are_right(bench);
    /* What found no room is sent from the lease that drains. */
    assert_int_equal(finish(bench, intend(bench, first + 4, 0, 1), ATTEMPT_SENT, 5), MESSAGE_SENT);
    assert_int_equal(finish(bench, intend(bench, first, 0, 1), ATTEMPT_SENT, 6), MESSAGE_SENT);
    (void)finish(bench, attempt, ATTEMPT_SENT, 7);
    assert_int_equal(cancel(bench, first + 5), 0);
    expect_lease(bench, 1, 18 * CREDIT, 0, 2 * CREDIT);
    expect_lease(bench, 2, 1 * CREDIT, 6 * CREDIT, 2 * CREDIT);
    change = new_credit(bench, CREDIT_CLOSE);
    change->u.credit->lease_id = 1;
    assert_int_equal(credit_do(bench, change, &summary), LEDGER_DONE);
    assert_int_equal(summary.old.balance_micro[LEDGER_RETURNED], 18 * CREDIT);
    change = new_credit(bench, CREDIT_CLOSED);
    change->u.credit->lease_id = 1;
    assert_int_equal(credit_do(bench, change, &summary), LEDGER_DONE);
    assert_int_equal(summary.old.lease_id, 0);
    assert_books_are_right(bench);
}

static void what_finds_no_room_when_its_lease_is_over_waits_for_credits(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;
    int64_t first;

    with_credits(bench, 20 * CREDIT);
    assert_int_equal(accept_batch(bench, 6, 1, false, NULL, &first), 0);
    bench->now_ms += 24 * HOUR_MS - 12 * HOUR_MS;   /* their own time ends then too */
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message WHERE state = 2"), 6);
    {
        sqlite3 *db = bench_look(bench);

        assert_int_equal(sqlite3_exec(db, "UPDATE message SET expire_ms = 0", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
    }
    bench->now_ms += 12 * HOUR_MS;
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_EXPIRE), NULL), LEDGER_DONE);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_MOVE), NULL), LEDGER_DONE);
    expect_lease(bench, 1, 14 * CREDIT, 6 * CREDIT, 0);   /* without a lease to go to it stays */
    grant(bench, 2, 4 * CREDIT);
    change = new_credit(bench, CREDIT_MOVE);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->moved, 4);
    assert_int_equal(change->u.credit->id_count, 2);
    assert_int_equal(change->u.credit->ids[0], first + 4);
    change_free(change);
    expect_lease(bench, 1, 20 * CREDIT, 0, 0);
    assert_int_equal(state_of(bench, first + 5), MESSAGE_WAIT_CREDIT);
    assert_books_are_right(bench);
}

/* The journal began anew, and the entry of that number in it is another message's. */
static void a_charge_of_an_enrolment_before_is_not_taken_back_from_another_message(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;
    int64_t never, attempt, other;

    with_credits(bench, 10 * CREDIT);
    never = accept_paid(bench, 1);
    attempt = intend(bench, never, 0, 1);
    (void)finish(bench, attempt, ATTEMPT_UNKNOWN, -1);
    bench->now_ms += 13 * HOUR_MS;
    change_free(due(bench, 10));
    expect_lease(bench, 1, 9 * CREDIT, 0, 1 * CREDIT);
    enrol(bench, 2);
    change = new_lease(bench, 2, 10 * CREDIT, 1, PRICES);
    change->u.credit->lease.epoch = 2;
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_DONE);
    other = accept_paid(bench, 1);
    assert_int_equal(finish(bench, intend(bench, other, 0, 1), ATTEMPT_SENT, 1), MESSAGE_SENT);
    change = new_outcome(bench, attempt, ATTEMPT_NOT_SENT, -1);
    change->u.outcome.evidence = true;
    change->u.outcome.verdict = OUTCOME_RETRY;
    assert_int_equal(apply(bench, change), 0);
    change_free(change);
    assert_int_equal(cancel(bench, never), 0);
    expect_lease(bench, 2, 9 * CREDIT, 0, 1 * CREDIT);
    expect_lease(bench, 1, 9 * CREDIT, 0, 1 * CREDIT);   /* for the account to refund */
    assert_int_equal(credit_now(bench).box.head.seq, 1);
    assert_books_are_right(bench);
}

static void a_fenced_box_sends_nothing_until_it_is_enrolled_again(void **state)
{
    struct bench *bench = *state;
    struct credit_summary summary;
    struct store_change *change;
    int64_t id, sent;

    with_credits(bench, 10 * CREDIT);
    sent = accept_paid(bench, 1);
    id = accept_paid(bench, 1);
    assert_int_equal(finish(bench, intend(bench, sent, 0, 1), ATTEMPT_SENT, 1), MESSAGE_SENT);
    /* The account has another entry under that number. */
    change = new_credit(bench, CREDIT_ACK);
    change->u.credit->head.seq = 1;
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->ack, JOURNAL_ACK_FORK);
    assert_true(change->u.credit->summary.box.fenced);
    change_free(change);
    assert_int_equal(intend(bench, id, 0, 1), -EDQUOT);
    {
        int64_t none;

        assert_int_equal(accept_batch(bench, 1, 1, false, NULL, &none), -EDQUOT);
    }
    enrol(bench, 2);
    change = new_lease(bench, 2, 10 * CREDIT, 1, PRICES);
    change->u.credit->lease.epoch = 2;
    assert_int_equal(credit_do(bench, change, &summary), LEDGER_DONE);
    assert_int_equal(summary.stranded_micro, CREDIT);
    assert_int_equal(summary.box.head.seq, 0);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_MOVE), &summary), LEDGER_DONE);
    assert_int_equal(summary.stranded_micro, 0);
    assert_int_equal(finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, 2), MESSAGE_SENT);
    expect_lease(bench, 2, 9 * CREDIT, 0, 1 * CREDIT);
    assert_int_equal(credit_now(bench).box.head.seq, 1);
    assert_books_are_right(bench);
}

static void the_journal_is_read_in_slices_and_acknowledged_by_hash(void **state)
{
    struct bench *bench = *state;
    struct journal_head head = { 0 };
    struct store_change *change;

    with_credits(bench, 10 * CREDIT);
    for (int i = 0; i < 5; i++)
        (void)finish(bench, intend(bench, accept_paid(bench, 1), 0, 1), ATTEMPT_SENT, i);
    for (uint64_t from = 1; from <= 5; from += 2) {
        change = new_credit(bench, CREDIT_JOURNAL);
        change->u.credit->from_seq = from;
        change->u.credit->limit = 2;
        assert_int_equal(apply(bench, change), 0);
        assert_int_equal(change->u.credit->entry_count, from < 5 ? 2 : 1);
        assert_memory_equal(&change->u.credit->before, &head, sizeof head);
        for (uint32_t i = 0; i < change->u.credit->entry_count; i++)
            assert_int_equal(journal_check_next(&head, &change->u.credit->entries[i]), JOURNAL_INTACT);
        change_free(change);
    }
    change = new_credit(bench, CREDIT_JOURNAL);
    change->u.credit->from_seq = 7;
    assert_int_equal(apply(bench, change), -ENOENT);
    change_free(change);
    change = new_credit(bench, CREDIT_ACK);
    change->u.credit->head = head;
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->ack, JOURNAL_ACK_TAKEN);
    change_free(change);
    bench_reopen(bench);
    assert_int_equal(credit_now(bench).box.acked.seq, 5);
    change = new_credit(bench, CREDIT_ACK);
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->ack, JOURNAL_ACK_OLD);
    change_free(change);
}

static void an_entry_that_was_changed_on_the_disk_is_named_and_not_told(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;

    with_credits(bench, 10 * CREDIT);
    for (int i = 0; i < 3; i++)
        (void)finish(bench, intend(bench, accept_paid(bench, 1), 0, 1), ATTEMPT_SENT, i);
    {
        sqlite3 *db = bench_look(bench);

        assert_int_equal(sqlite3_exec(db, "UPDATE credit_posting SET micro = 1 WHERE journal_seq = 2", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
    }
    change = new_credit(bench, CREDIT_JOURNAL);
    change->u.credit->from_seq = 1;
    change->u.credit->limit = CREDIT_JOURNAL_MAX;
    assert_int_equal(apply(bench, change), -EBADMSG);
    assert_string_equal(change->u.credit->problem, "entry 2: The entry is not what was written.");
    change_free(change);
    /* What is paid goes out all the same. */
    assert_int_equal(finish(bench, intend(bench, accept_paid(bench, 1), 0, 1), ATTEMPT_SENT, 4), MESSAGE_SENT);
}

static void leases_are_read_as_they_were_signed_whatever_became_of_them(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;

    with_credits(bench, 10 * CREDIT);
    (void)finish(bench, intend(bench, accept_paid(bench, 1), 0, 1), ATTEMPT_SENT, 1);
    grant(bench, 2, 5 * CREDIT);
    for (int i = 0; i < 2; i++) {
        change = new_credit(bench, i == 0 ? CREDIT_CLOSE : CREDIT_CLOSED);
        change->u.credit->lease_id = 1;
        assert_int_equal(credit_do(bench, change, NULL), LEDGER_DONE);
    }
    change = new_credit(bench, CREDIT_PAPERS);
    change->u.credit->lease_id = 1;
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->paper_count, 2);
    assert_int_equal(change->u.credit->papers[0].lease.lease_id, 1);
    assert_int_equal(change->u.credit->papers[0].lease.grant_micro, 10 * CREDIT);
    assert_int_equal(change->u.credit->papers[0].state, LEDGER_CLOSED);
    assert_int_equal(change->u.credit->papers[0].captured_micro, 1 * CREDIT);
    assert_int_equal(change->u.credit->papers[0].returned_micro, 9 * CREDIT);
    assert_int_equal(change->u.credit->papers[1].lease.lease_id, 2);
    assert_int_equal(change->u.credit->papers[1].state, LEDGER_OPEN);
    change_free(change);
    change = new_credit(bench, CREDIT_PAPERS);
    change->u.credit->lease_id = 2;
    change->u.credit->limit = 1;
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->paper_count, 1);
    assert_int_equal(change->u.credit->papers[0].lease.lease_id, 2);
    change_free(change);
    change = new_credit(bench, CREDIT_PAPERS);
    change->u.credit->lease_id = 3;
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(change->u.credit->paper_count, 0);
    change_free(change);
    change = new_credit(bench, CREDIT_PAPERS);
    assert_int_equal(apply(bench, change), -EINVAL);
    change_free(change);
}

static void both_leases_are_over(struct bench *bench, struct credit_summary *ret_summary)
{
    bench->now_ms += 30 * HOUR_MS;
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_EXPIRE), ret_summary), LEDGER_DONE);
    assert_int_equal(ret_summary->open.state, LEDGER_EXPIRED);
    assert_int_equal(ret_summary->old.state, LEDGER_EXPIRED);
}

static void what_may_have_been_sent_makes_room_in_one_of_two_leases_that_are_over(void **state)
{
    struct bench *bench = *state;
    struct credit_summary summary;
    int64_t id;

    with_credits(bench, 10 * CREDIT);
    id = accept_paid(bench, 1);
    assert_int_equal(finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1), MESSAGE_UNKNOWN);
    grant(bench, 2, 5 * CREDIT);
    both_leases_are_over(bench, &summary);
    assert_int_equal(summary.old.balance_micro[LEDGER_RESERVED], 1 * CREDIT);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_MOVE), &summary), LEDGER_DONE);
    assert_int_equal(summary.old.balance_micro[LEDGER_RESERVED], 0);
    expect_lease(bench, 2, 4 * CREDIT, 1 * CREDIT, 0);
    assert_books_are_right(bench);
}

static void where_the_newer_lease_has_nothing_left_it_is_the_one_that_is_emptied(void **state)
{
    struct bench *bench = *state;
    struct credit_summary summary;
    int64_t old_id, new_id;

    with_credits(bench, 3 * CREDIT);
    old_id = accept_paid(bench, 1);
    assert_int_equal(finish(bench, intend(bench, old_id, 0, 1), ATTEMPT_UNKNOWN, -1), MESSAGE_UNKNOWN);
    grant(bench, 2, 1 * CREDIT);
    new_id = accept_paid(bench, 1);
    assert_int_equal(finish(bench, intend(bench, new_id, 0, 1), ATTEMPT_UNKNOWN, -1), MESSAGE_UNKNOWN);
    both_leases_are_over(bench, &summary);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_MOVE), &summary), LEDGER_DONE);
    expect_lease(bench, 1, 1 * CREDIT, 2 * CREDIT, 0);
    expect_lease(bench, 2, 1 * CREDIT, 0, 0);
    assert_books_are_right(bench);
}

static void the_newer_of_two_leases_that_are_over_is_closed_first_where_the_other_still_waits(void **state)
{
    struct bench *bench = *state;
    struct credit_summary summary;
    struct store_change *change;

    with_credits(bench, 10 * CREDIT);
    assert_int_equal(finish(bench, intend(bench, accept_paid(bench, 1), 0, 1), ATTEMPT_UNKNOWN, -1), MESSAGE_UNKNOWN);
    grant(bench, 2, 5 * CREDIT);
    both_leases_are_over(bench, &summary);
    for (int i = 0; i < 2; i++) {
        change = new_credit(bench, i == 0 ? CREDIT_CLOSE : CREDIT_CLOSED);
        change->u.credit->lease_id = 2;
        assert_int_equal(credit_do(bench, change, &summary), LEDGER_DONE);
        assert_int_equal(summary.open.lease_id, 1);
        assert_int_equal(summary.old.lease_id, i == 0 ? 2 : 0);
        bench_reopen(bench);
    }
    grant(bench, 3, 5 * CREDIT);
    summary = credit_now(bench);
    assert_int_equal(summary.open.lease_id, 3);
    assert_int_equal(summary.old.lease_id, 1);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_MOVE), &summary), LEDGER_DONE);
    expect_lease(bench, 3, 4 * CREDIT, 1 * CREDIT, 0);
    assert_books_are_right(bench);
}

static void what_sync_must_remember_is_there_after_a_start(void **state)
{
    struct bench *bench = *state;
    struct credit_summary summary;
    struct store_change *change;

    with_credits(bench, 10 * CREDIT);
    change = new_credit(bench, CREDIT_REQUEST);
    change->u.credit->request = (struct credit_request){ true, { 1, 2, 3 }, 7 * CREDIT, { 0 }, 1 };
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_DONE);
    change = new_credit(bench, CREDIT_REQUEST);
    change->u.credit->request = (struct credit_request){ true, { 9 }, 7 * CREDIT, { 0 }, 1 };
    assert_int_equal(apply(bench, change), -EEXIST);
    change_free(change);
    change = new_credit(bench, CREDIT_COMMAND);
    change->u.credit->command = 4;
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_DONE);
    change = new_credit(bench, CREDIT_FREEZE);
    change->u.credit->command = 3;   /* doubled on its way */
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_ALREADY);
    bench_reopen(bench);
    summary = credit_now(bench);
    assert_true(summary.request.pending && summary.request.id[1] == 2 && summary.request.open_lease_id == 1);
    assert_int_equal(summary.request.want_micro, 7 * CREDIT);
    assert_int_equal(summary.command, 4);
    assert_false(summary.box.frozen);
    assert_string_equal(summary.identity.account, "shop");
    assert_int_equal(summary.price_count, 1);
    grant(bench, 2, CREDIT);
    assert_false(credit_now(bench).request.pending);
    change = new_credit(bench, CREDIT_PRICES);
    change->u.credit->version = 5;
    change->u.credit->csv = strdup("prefix,price\n40,nothing\n");
    assert_int_equal(apply(bench, change), -EINVAL);
    assert_non_null(strstr(change->u.credit->problem, "nothing"));
    change_free(change);
    for (uint32_t version = 2; version < 20; version++)
        prices(bench, version, PRICES);
    summary = credit_now(bench);
    assert_true(summary.price_count <= CREDIT_TABLES_MAX);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM credit_prices WHERE version = 1"), 1);   /* an open lease names it */
}

static void commands_are_numbered_anew_in_each_enrolment(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;

    with_credits(bench, CREDIT);
    change = new_credit(bench, CREDIT_FREEZE);
    change->u.credit->command = 1;
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_DONE);
    enrol(bench, 2);
    assert_int_equal(credit_now(bench).command, 0);
    assert_false(credit_now(bench).box.frozen);
    change = new_credit(bench, CREDIT_FREEZE);
    change->u.credit->command = 1;
    assert_int_equal(credit_do(bench, change, NULL), LEDGER_DONE);
    assert_true(credit_now(bench).box.frozen);
}

static void the_accounts_time_moves_the_mark_both_ways(void **state)
{
    struct bench *bench = *state;
    struct store_change *change;
    int64_t told = bench->now_ms + 20 * 365 * 24 * HOUR_MS;

    with_credits(bench, 10 * CREDIT);
    for (int round = 0; round < 2; round++) {
        change = new_credit(bench, CREDIT_ACK);
        change->u.credit->account_ms = told;
        assert_int_equal(apply(bench, change), 0);
        change_free(change);
        assert_true(credit_now(bench).box.mark_ms == told);
        bench_reopen(bench);
        assert_true(credit_now(bench).box.mark_ms == told);
        told = bench->now_ms;
    }
    /* An answer that was on its way for a while moves nothing back. */
    change = new_credit(bench, CREDIT_ACK);
    change->u.credit->account_ms = bench->now_ms - 60000;
    assert_int_equal(apply(bench, change), 0);
    change_free(change);
    assert_true(credit_now(bench).box.mark_ms == bench->now_ms);
}

static void a_step_that_is_rolled_back_leaves_the_books_as_they_were(void **state)
{
    struct bench *bench = *state;
    struct store_change *list[4];
    int64_t id;

    with_credits(bench, 3 * CREDIT);
    id = accept_paid(bench, 1);
    /* In one transaction: one that is too large between two that are not, and an intent that is refused. */
    for (int i = 0; i < 3; i++) {
        list[i] = new_accept(bench, i == 1 ? 2 : 1, NULL);
        for (uint32_t j = 0; j < list[i]->u.accept.count; j++)
            fill_message(&list[i]->u.accept.messages[j], "+40700000001", 1);
    }
    list[3] = new_intent(bench, id, 9, 1);
    list[0]->next = list[1], list[1]->next = list[2], list[2]->next = list[3];
    assert_int_equal(store_apply(bench->store, list[0]), 0);
    assert_int_equal(list[0]->result, 0);
    assert_int_equal(list[1]->result, -EDQUOT);
    assert_int_equal(list[2]->result, 0);
    assert_int_equal(list[3]->result, -ENOENT);
    change_free_list(list[0]);
    expect_lease(bench, 1, 0, 3 * CREDIT, 0);
    assert_books_are_right(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(a_box_without_an_account_writes_nothing_of_credits),
        behaviour(a_part_is_reserved_with_its_batch_and_captured_when_it_is_sent),
        behaviour(a_batch_that_does_not_fit_is_refused_whole_and_says_how_many_would),
        behaviour(a_batch_that_waits_goes_on_whole_when_credits_come_the_oldest_first),
        behaviour(numbers_the_account_has_no_price_for_are_refused_and_cost_nothing),
        behaviour(ucs2_and_short_codes_cost_what_the_table_says),
        behaviour(what_ends_before_it_is_sent_costs_nothing),
        behaviour(a_part_on_its_way_when_its_message_fails_is_settled_by_its_own_outcome),
        behaviour(a_doubtful_part_holds_its_credits_and_is_charged_once_when_the_waiting_ends),
        behaviour(a_late_answer_charges_a_doubtful_part_and_evidence_that_it_never_went_does_not),
        behaviour(a_part_sent_once_more_by_its_policy_is_charged_once),
        behaviour(a_crash_on_the_air_keeps_the_reservation_until_it_is_known),
        behaviour(an_intent_waits_while_its_credits_may_not_be_spent),
        behaviour(a_successor_takes_over_what_waits_and_the_lease_before_can_be_closed),
        behaviour(what_finds_no_room_when_its_lease_is_over_waits_for_credits),
        behaviour(a_charge_of_an_enrolment_before_is_not_taken_back_from_another_message),
        behaviour(a_fenced_box_sends_nothing_until_it_is_enrolled_again),
        behaviour(the_journal_is_read_in_slices_and_acknowledged_by_hash),
        behaviour(an_entry_that_was_changed_on_the_disk_is_named_and_not_told),
        behaviour(leases_are_read_as_they_were_signed_whatever_became_of_them),
        behaviour(what_may_have_been_sent_makes_room_in_one_of_two_leases_that_are_over),
        behaviour(where_the_newer_lease_has_nothing_left_it_is_the_one_that_is_emptied),
        behaviour(the_newer_of_two_leases_that_are_over_is_closed_first_where_the_other_still_waits),
        behaviour(what_sync_must_remember_is_there_after_a_start),
        behaviour(the_accounts_time_moves_the_mark_both_ways),
        behaviour(commands_are_numbered_anew_in_each_enrolment),
        behaviour(a_step_that_is_rolled_back_leaves_the_books_as_they_were),
    };

    return cmocka_run_group_tests_name("store, credits", tests, NULL, NULL);
}
