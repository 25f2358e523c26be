/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/credit/ledger.h"

#define CREDIT INT64_C(1000000)
#define T0 INT64_C(1790000000000)
#define DAY INT64_C(86400000)

static const struct ledger_moment moment = { { 1, 2, 3 }, 5000, T0 + 1000 };

static struct lease a_lease(uint64_t lease_id, int64_t grant_micro)
{
    return (struct lease){ .lease_id = lease_id, .epoch = 1, .grant_micro = grant_micro, .price_version = 3, .issued_ms = T0,
                           .spend_until_ms = T0 + DAY, .settle_until_ms = T0 + 30 * DAY };
}

static struct ledger_books opened(int64_t grant_micro)
{
    struct ledger_books books = { .box = { .epoch = 1 } };
    struct lease lease = a_lease(1, grant_micro);
    struct ledger_lease none;
    struct ledger_step step;

    assert_int_equal(ledger_open(&books, &lease, T0, &step, &none), LEDGER_DONE);
    assert_int_equal(none.lease_id, 0);
    return books;
}

static struct ledger_want a_want(int64_t message_id, unsigned parts, int64_t part_micro)
{
    return (struct ledger_want){ message_id, (uint8_t)parts, { PRICE_PRICED, 3, 12, "40", part_micro, part_micro * parts } };
}

static struct ledger_want a_refused_want(int64_t message_id, enum price_verdict verdict)
{
    return (struct ledger_want){ message_id, 1, { .verdict = verdict, .version = 3 } };
}

static void expect_balances(const struct ledger_books *books, int64_t available, int64_t reserved, int64_t captured)
{
    assert_int_equal(books->lease.balance_micro[LEDGER_AVAILABLE], available);
    assert_int_equal(books->lease.balance_micro[LEDGER_RESERVED], reserved);
    assert_int_equal(books->lease.balance_micro[LEDGER_CAPTURED], captured);
    assert_true(ledger_lease_sound(&books->lease));
}

static enum ledger_verdict reserve(struct ledger_books *books, const struct ledger_want *wants, size_t count, struct ledger_answer *ret_answer)
{
    struct ledger_posting posting;

    return ledger_reserve(books, 5, wants, count, T0 + 1, &posting, ret_answer);
}

/* One message of one part of a credit, held. */
static struct ledger_hold held(struct ledger_books *books)
{
    struct ledger_want want = a_want(7, 1, CREDIT);
    struct ledger_answer answer;
    struct ledger_hold hold;

    assert_int_equal(reserve(books, &want, 1, &answer), LEDGER_DONE);
    assert_int_equal(ledger_hold_new(&want, books->lease.lease_id, 1, NULL, &hold), LEDGER_DONE);
    return hold;
}

static void a_batch_is_reserved_whole_or_not_at_all(void **state)
{
    const struct ledger_want wants[] = { a_want(1, 1, CREDIT), a_want(2, 3, CREDIT), a_want(3, 1, CREDIT) };
    struct ledger_books books = opened(4 * CREDIT), before = books;
    struct ledger_posting posting = { .micro = 99 };
    struct ledger_answer answer;

    (void)state;
    assert_int_equal(ledger_reserve(&books, 5, wants, 3, T0, &posting, &answer), LEDGER_TOO_LITTLE);
    assert_memory_equal(&books, &before, sizeof books);
    assert_int_equal(posting.micro, 99);
    assert_int_equal(answer.needed_micro, 5 * CREDIT);
    assert_int_equal(answer.available_micro, 4 * CREDIT);
    assert_int_equal(answer.fit, 2);
    assert_int_equal(ledger_reserve(&books, 5, wants, answer.fit, T0, &posting, &answer), LEDGER_DONE);
    assert_int_equal(posting.micro, 4 * CREDIT);
    assert_int_equal(posting.batch_id, 5);
    assert_int_equal(posting.seq, 2);
    expect_balances(&books, 0, 4 * CREDIT, 0);
}

static void refused_numbers_cost_nothing_and_wait_for_nothing(void **state)
{
    const struct ledger_want mixed[] = { a_refused_want(1, PRICE_NO_PREFIX), a_want(2, 1, CREDIT), a_refused_want(3, PRICE_REFUSED) };
    struct ledger_books books = opened(CREDIT), none = { .box = { .epoch = 1 } };
    struct ledger_answer answer;

    (void)state;
    assert_int_equal(reserve(&books, mixed, 3, &answer), LEDGER_DONE);
    assert_int_equal(answer.refused, 2);
    assert_int_equal(answer.fit, 1);
    assert_int_equal(answer.needed_micro, CREDIT);
    expect_balances(&books, 0, CREDIT, 0);
    assert_int_equal(reserve(&books, mixed, 1, &answer), LEDGER_DONE);
    assert_int_equal(reserve(&none, mixed, 1, &answer), LEDGER_DONE);
    assert_int_equal(books.lease.postings, 2);
}

static void without_a_lease_the_answer_still_says_what_is_needed(void **state)
{
    struct ledger_books books = { .box = { .epoch = 1 } };
    struct ledger_want want = a_want(1, 2, CREDIT);
    struct ledger_answer answer;

    (void)state;
    assert_int_equal(reserve(&books, &want, 1, &answer), LEDGER_NO_LEASE);
    assert_int_equal(answer.needed_micro, 2 * CREDIT);
    assert_int_equal(answer.available_micro, 0);
    assert_int_equal(answer.fit, 0);
}

static void prices_of_another_version_are_not_charged_to_a_lease(void **state)
{
    struct ledger_books books = opened(9 * CREDIT);
    struct ledger_want want = a_want(1, 1, CREDIT);
    struct ledger_answer answer;

    (void)state;
    want.quote.version = 4;
    assert_int_equal(reserve(&books, &want, 1, &answer), LEDGER_OTHER_PRICES);
    expect_balances(&books, 9 * CREDIT, 0, 0);
}

static void the_dearest_batch_of_all_does_not_overflow(void **state)
{
    static struct ledger_want wants[LEDGER_BATCH_MAX];
    struct ledger_books books = opened(LEASE_GRANT_MICRO_MAX);
    struct ledger_posting posting;
    struct ledger_answer answer;

    (void)state;
    for (size_t i = 0; i < LEDGER_BATCH_MAX; i++)
        wants[i] = a_want((int64_t)i + 1, 255, PRICE_PART_MICRO_MAX);
    assert_int_equal(ledger_reserve(&books, 5, wants, LEDGER_BATCH_MAX, T0, &posting, &answer), LEDGER_TOO_LITTLE);
    assert_int_equal(answer.needed_micro, INT64_MAX);
    assert_int_equal(answer.fit, 3);
}

static void a_part_is_charged_once_whatever_is_said_twice(void **state)
{
    struct ledger_books books = opened(3 * CREDIT), before;
    struct ledger_hold hold = held(&books);
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_DONE);
    assert_int_equal(ledger_capture(&books, &hold, 1, &moment, &step), LEDGER_DONE);
    assert_true(step.posted && step.journaled && !step.alarm);
    assert_int_equal(step.entry.seq, 1);
    assert_int_equal(step.entry.units_micro, CREDIT);
    assert_int_equal(step.entry.price_row, 12);
    expect_balances(&books, 2 * CREDIT, 0, CREDIT);
    before = books;
    assert_int_equal(ledger_capture(&books, &hold, 1, &moment, &step), LEDGER_ALREADY);
    assert_int_equal(ledger_capture(&books, &hold, 2, &moment, &step), LEDGER_ONCE);
    assert_int_equal(ledger_release(&books, &hold, 1, &moment, &step), LEDGER_ONCE);
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_NOT_HELD);
    assert_memory_equal(&books, &before, sizeof books);
}

static void what_is_released_is_free_for_others(void **state)
{
    struct ledger_books books = opened(CREDIT), before;
    struct ledger_hold hold = held(&books);
    struct ledger_step step;

    (void)state;
    expect_balances(&books, 0, CREDIT, 0);
    assert_int_equal(ledger_release(&books, &hold, 0, &moment, &step), LEDGER_DONE);
    assert_int_equal(step.entry.kind, JOURNAL_RELEASE);
    expect_balances(&books, CREDIT, 0, 0);
    before = books;
    assert_int_equal(ledger_release(&books, &hold, 0, &moment, &step), LEDGER_ALREADY);
    assert_memory_equal(&books, &before, sizeof books);
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_NOT_HELD);
}

static void a_second_capture_needs_that_the_first_was_taken_back(void **state)
{
    struct ledger_books books = opened(2 * CREDIT);
    struct ledger_hold hold = held(&books), again;
    struct ledger_want want = a_want(7, 1, CREDIT);
    struct ledger_answer answer;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_void(&books, &hold, 1, &moment, &step), LEDGER_NOT_CAPTURED);
    assert_int_equal(ledger_capture(&books, &hold, 1, &moment, &step), LEDGER_DONE);
    assert_int_equal(ledger_hold_new(&want, 1, 1, &hold, &again), LEDGER_ALREADY);
    assert_int_equal(ledger_void(&books, &hold, 1, &moment, &step), LEDGER_DONE);
    assert_int_equal(step.entry.refers_seq, 1);
    expect_balances(&books, 2 * CREDIT, 0, 0);
    assert_int_equal(ledger_void(&books, &hold, 1, &moment, &step), LEDGER_ALREADY);
    assert_int_equal(ledger_capture(&books, &hold, 1, &moment, &step), LEDGER_TAKEN_BACK);
    assert_int_equal(reserve(&books, &want, 1, &answer), LEDGER_DONE);
    assert_int_equal(ledger_hold_new(&want, 1, 1, &hold, &again), LEDGER_DONE);
    /* What was said of the attempt before concerns the reservation before. */
    assert_int_equal(ledger_capture(&books, &again, 1, &moment, &step), LEDGER_TAKEN_BACK);
    assert_int_equal(ledger_release(&books, &again, 1, &moment, &step), LEDGER_ALREADY);
    assert_int_equal(ledger_capture(&books, &again, 2, &moment, &step), LEDGER_DONE);
    expect_balances(&books, CREDIT, 0, CREDIT);
}

static void evidence_after_the_release_is_paid_from_what_is_left(void **state)
{
    struct ledger_books books = opened(CREDIT);
    struct ledger_hold hold = held(&books);
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_release(&books, &hold, 1, &moment, &step), LEDGER_DONE);
    assert_int_equal(ledger_capture(&books, &hold, 1, &moment, &step), LEDGER_DONE);
    assert_false(step.alarm);
    expect_balances(&books, 0, 0, CREDIT);
}

static void late_use_is_paid_from_suspense_and_after_closing_it_is_debt(void **state)
{
    struct ledger_books books = opened(CREDIT), expired, closed;
    struct ledger_hold hold = held(&books), late;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_release(&books, &hold, 1, &moment, &step), LEDGER_DONE);
    expired = closed = books;
    late = hold;
    assert_int_equal(ledger_expire(&expired, T0 + DAY, &step), LEDGER_DONE);
    assert_int_equal(ledger_capture(&expired, &late, 1, &moment, &step), LEDGER_DONE);
    assert_int_equal(step.posting.from, LEDGER_SUSPENSE);
    assert_false(step.alarm);
    expect_balances(&expired, 0, 0, CREDIT);
    late = hold;
    assert_int_equal(ledger_close(&closed, &step), LEDGER_DONE);
    assert_int_equal(ledger_capture(&closed, &late, 1, &moment, &step), LEDGER_DONE);
    assert_true(step.alarm && late.debt);
    assert_int_equal(closed.lease.balance_micro[LEDGER_OVERSPENT], CREDIT);
    assert_int_equal(closed.lease.balance_micro[LEDGER_RETURNED], CREDIT);
    expect_balances(&closed, 0, 0, 0);
    assert_int_equal(ledger_void(&closed, &late, 1, &moment, &step), LEDGER_LEASE_CLOSED);
}

static void what_is_closing_spends_nothing_more(void **state)
{
    struct ledger_books books = opened(5 * CREDIT);
    struct ledger_want want = a_want(8, 1, CREDIT);
    struct ledger_hold hold = held(&books);
    struct ledger_answer answer;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_close(&books, &step), LEDGER_IN_FLIGHT);
    assert_int_equal(ledger_drain(&books), LEDGER_DONE);
    assert_int_equal(ledger_drain(&books), LEDGER_ALREADY);
    assert_int_equal(reserve(&books, &want, 1, &answer), LEDGER_LEASE_DRAINING);
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_DONE);
    assert_int_equal(ledger_capture(&books, &hold, 1, &moment, &step), LEDGER_DONE);
    assert_int_equal(ledger_close(&books, &step), LEDGER_DONE);
    assert_int_equal(step.posting.micro, 4 * CREDIT);
    assert_int_equal(step.posting.to, LEDGER_RETURNED);
    assert_int_equal(ledger_close(&books, &step), LEDGER_ALREADY);
    assert_int_equal(reserve(&books, &want, 1, &answer), LEDGER_LEASE_CLOSED);
    hold.state = LEDGER_HELD;   /* even if a row said so */
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_LEASE_CLOSED);
    expect_balances(&books, 0, 0, CREDIT);
    /* A late duplicate about another lease closes nothing. */
    assert_int_equal(ledger_closed(&books, 2), LEDGER_OTHER_LEASE);
    assert_int_equal(ledger_closed(&books, 1), LEDGER_DONE);
    assert_int_equal(ledger_closed(&books, 1), LEDGER_ALREADY);
}

static void an_expired_lease_sends_nothing_and_its_rest_is_not_available_again(void **state)
{
    struct ledger_books books = opened(5 * CREDIT);
    struct ledger_want want = a_want(8, 1, CREDIT);
    struct ledger_hold hold = held(&books);
    struct ledger_answer answer;
    struct ledger_posting posting;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_expire(&books, T0 + DAY - 1, &step), LEDGER_NOT_YET);
    /* Not even before the row says so. */
    assert_int_equal(ledger_reserve(&books, 5, &want, 1, T0 + DAY, &posting, &answer), LEDGER_LEASE_EXPIRED);
    assert_int_equal(ledger_may_send(&books, &hold, T0 + DAY), LEDGER_LEASE_EXPIRED);
    assert_int_equal(ledger_expire(&books, T0 + DAY, &step), LEDGER_DONE);
    assert_int_equal(books.lease.balance_micro[LEDGER_SUSPENSE], 4 * CREDIT);
    /* A clock that is set back does not bring it back. */
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_LEASE_EXPIRED);
    assert_int_equal(reserve(&books, &want, 1, &answer), LEDGER_LEASE_EXPIRED);
    /* What was on the air settles: a release goes to suspense, too. */
    assert_int_equal(ledger_close(&books, &step), LEDGER_IN_FLIGHT);
    assert_int_equal(ledger_release(&books, &hold, 0, &moment, &step), LEDGER_DONE);
    assert_int_equal(books.lease.balance_micro[LEDGER_SUSPENSE], 5 * CREDIT);
    assert_int_equal(ledger_close(&books, &step), LEDGER_DONE);
    assert_int_equal(books.lease.balance_micro[LEDGER_RETURNED], 5 * CREDIT);
    expect_balances(&books, 0, 0, 0);
}

static void a_clock_set_back_prolongs_nothing(void **state)
{
    struct ledger_books books = opened(2 * CREDIT);
    struct ledger_hold hold = held(&books), second = held(&books);
    struct ledger_moment late = moment;
    struct ledger_step step;

    (void)state;
    late.wall_ms = T0 + DAY;
    assert_int_equal(ledger_capture(&books, &hold, 1, &late, &step), LEDGER_DONE);
    assert_int_equal(ledger_now(&books.box, T0), T0 + DAY);
    second.message_id = 8;
    assert_int_equal(ledger_may_send(&books, &second, T0), LEDGER_LEASE_EXPIRED);
    assert_int_equal(ledger_expire(&books, 0, &step), LEDGER_DONE);
}

static void a_lease_that_came_too_late_is_opened_to_be_closed_and_nothing_of_it_is_spent(void **state)
{
    struct ledger_books books = opened(3 * CREDIT);
    struct lease late = a_lease(2, CREDIT);
    struct ledger_want want = a_want(7, 1, CREDIT);
    struct ledger_posting posting;
    struct ledger_answer answer;
    struct ledger_lease before;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_open(&books, &late, T0 + 2 * DAY, &step, &before), LEDGER_DONE);
    assert_int_equal(ledger_reserve(&books, 5, &want, 1, T0 + 2 * DAY, &posting, &answer), LEDGER_LEASE_EXPIRED);
    assert_int_equal(ledger_expire(&books, T0 + 2 * DAY, &step), LEDGER_DONE);
    expect_balances(&books, 0, 0, 0);
    assert_int_equal(books.lease.balance_micro[LEDGER_SUSPENSE], CREDIT);
}

static void a_successor_makes_the_lease_before_drain_in_the_same_step(void **state)
{
    struct ledger_books books = opened(3 * CREDIT), old;
    struct lease first = a_lease(1, 3 * CREDIT), second = a_lease(2, CREDIT), third = a_lease(3, CREDIT), old_epoch = second;
    struct ledger_hold hold = held(&books);
    struct ledger_lease before;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_open(&books, &first, T0, &step, &before), LEDGER_ALREADY);
    old_epoch.epoch = 2;
    assert_int_equal(ledger_open(&books, &old_epoch, T0, &step, &before), LEDGER_WRONG_EPOCH);
    assert_int_equal(ledger_open(&books, &second, T0, &step, &before), LEDGER_DONE);
    assert_int_equal(before.lease_id, 1);
    assert_int_equal(before.state, LEDGER_DRAINING);
    assert_int_equal(books.box.open_lease_id, 2);
    assert_int_equal(books.box.old_lease_id, 1);
    expect_balances(&books, CREDIT, 0, 0);
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_OTHER_LEASE);
    assert_int_equal(ledger_capture(&books, &hold, 1, &moment, &step), LEDGER_OTHER_LEASE);
    /* What is reserved in the one before is sent from it; a third is not opened meanwhile. */
    old = (struct ledger_books){ books.box, before };
    assert_int_equal(ledger_may_send(&old, &hold, T0), LEDGER_DONE);
    assert_int_equal(ledger_open(&books, &third, T0, &step, &before), LEDGER_LEASE_OPEN);
    assert_int_equal(ledger_open(&books, &first, T0, &step, &before), LEDGER_NOT_NEWER);
    assert_int_equal(ledger_close(&books, &step), LEDGER_LEASE_OPEN);
    assert_int_equal(ledger_drain(&books), LEDGER_LEASE_OPEN);
    assert_int_equal(ledger_close(&old, &step), LEDGER_IN_FLIGHT);
    assert_int_equal(ledger_capture(&old, &hold, 1, &moment, &step), LEDGER_DONE);
    assert_int_equal(ledger_close(&old, &step), LEDGER_DONE);
    assert_int_equal(step.posting.micro, 2 * CREDIT);
    books.box = old.box;
    assert_int_equal(ledger_open(&books, &third, T0, &step, &before), LEDGER_LEASE_OPEN);
    assert_int_equal(ledger_closed(&old, 1), LEDGER_DONE);
    books.box = old.box;
    assert_int_equal(books.box.old_lease_id, 0);
    assert_int_equal(books.box.open_lease_id, 2);
    assert_int_equal(ledger_open(&books, &third, T0, &step, &before), LEDGER_DONE);
}

static void what_waits_moves_to_the_open_lease_at_its_prices_and_the_journal_hears_nothing(void **state)
{
    struct ledger_books books = opened(6 * CREDIT), untouched;
    struct ledger_want want = a_want(7, 2, CREDIT);
    struct price_quote dearer = { PRICE_PRICED, 4, 9, "40", 2 * CREDIT, 4 * CREDIT }, same = { PRICE_PRICED, 3, 9, "40", CREDIT, 2 * CREDIT };
    struct lease next = a_lease(2, 4 * CREDIT);
    struct ledger_posting postings[2];
    struct ledger_lease before;
    struct ledger_answer answer;
    struct ledger_hold holds[2];
    struct ledger_step step;

    (void)state;
    next.price_version = 4;
    assert_int_equal(reserve(&books, &want, 1, &answer), LEDGER_DONE);
    for (unsigned part = 1; part <= 2; part++)
        assert_int_equal(ledger_hold_new(&want, 1, part, NULL, &holds[part - 1]), LEDGER_DONE);
    assert_int_equal(ledger_wait(&books.lease, holds, 2, postings), LEDGER_LEASE_OPEN);
    assert_int_equal(ledger_open(&books, &next, T0, &step, &before), LEDGER_DONE);
    assert_int_equal(ledger_wait(&before, holds, 2, postings), LEDGER_LEASE_DRAINING);
    assert_int_equal(ledger_move(&books, &before, holds, 2, &same, T0, postings), LEDGER_OTHER_PRICES);
    untouched = books;
    untouched.lease.balance_micro[LEDGER_AVAILABLE] -= 1, untouched.lease.balance_micro[LEDGER_GRANT] += 1;
    assert_int_equal(ledger_move(&untouched, &before, holds, 2, &dearer, T0, postings), LEDGER_TOO_LITTLE);
    assert_int_equal(before.balance_micro[LEDGER_RESERVED], 2 * CREDIT);
    assert_int_equal(ledger_move(&books, &before, holds, 2, &dearer, T0, postings), LEDGER_DONE);
    assert_int_equal(postings[0].lease_id, 1);
    assert_int_equal(postings[0].to, LEDGER_AVAILABLE);
    assert_int_equal(postings[1].lease_id, 2);
    assert_int_equal(postings[1].micro, 4 * CREDIT);
    assert_int_equal(before.balance_micro[LEDGER_RESERVED], 0);
    assert_int_equal(books.box.head.seq, 0);
    expect_balances(&books, 0, 4 * CREDIT, 0);
    assert_int_equal(ledger_move(&books, &before, holds, 2, &dearer, T0, postings), LEDGER_NOT_HELD);
    assert_int_equal(ledger_capture(&books, &holds[1], 1, &moment, &step), LEDGER_DONE);
    assert_int_equal(step.entry.units_micro, 2 * CREDIT);
    assert_int_equal(step.entry.price_row, 9);
}

static void what_finds_no_room_when_its_lease_is_over_waits_for_credits(void **state)
{
    struct ledger_books books = opened(2 * CREDIT);
    struct ledger_hold hold = held(&books);
    struct ledger_posting posting;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_expire(&books, T0 + DAY, &step), LEDGER_DONE);
    assert_int_equal(ledger_wait(&books.lease, &hold, 1, &posting), LEDGER_DONE);
    assert_int_equal(posting.to, LEDGER_SUSPENSE);
    assert_int_equal(hold.state, LEDGER_RELEASED);
    assert_int_equal(ledger_wait(&books.lease, &hold, 1, &posting), LEDGER_NOT_HELD);
    expect_balances(&books, 0, 0, 0);
    assert_int_equal(books.box.head.seq, 0);
    assert_int_equal(ledger_close(&books, &step), LEDGER_DONE);
}

static void a_frozen_box_spends_nothing_until_it_is_released(void **state)
{
    struct ledger_books books = opened(3 * CREDIT);
    struct ledger_want want = a_want(8, 1, CREDIT);
    struct ledger_hold hold = held(&books);
    struct ledger_answer answer;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_freeze(&books.box, true), LEDGER_DONE);
    assert_int_equal(ledger_freeze(&books.box, true), LEDGER_ALREADY);
    assert_int_equal(reserve(&books, &want, 1, &answer), LEDGER_FROZEN);
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_FROZEN);
    expect_balances(&books, 2 * CREDIT, CREDIT, 0);
    assert_int_equal(ledger_freeze(&books.box, false), LEDGER_DONE);
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_DONE);
    /* What was on the air is told all the same. */
    assert_int_equal(ledger_freeze(&books.box, true), LEDGER_DONE);
    assert_int_equal(ledger_capture(&books, &hold, 1, &moment, &step), LEDGER_DONE);
}

static void an_enrolment_ends_a_fence_and_begins_where_the_account_says(void **state)
{
    struct journal_head start = { 4, { 1, 2 } };
    struct ledger_books books = opened(3 * CREDIT);
    struct lease next = a_lease(2, CREDIT);
    struct ledger_lease before;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_fence(&books, &step), LEDGER_DONE);
    ledger_enrol(&books.box, 2, &start);
    assert_int_equal(ledger_open(&books, &next, T0, &step, &before), LEDGER_WRONG_EPOCH);
    next.epoch = 2;
    assert_int_equal(ledger_open(&books, &next, T0, &step, &before), LEDGER_DONE);
    assert_int_equal(before.lease_id, 0);
    assert_int_equal(books.box.acked.seq, 4);
}

static void a_fenced_box_spends_nothing_but_tells_what_it_sent(void **state)
{
    struct ledger_books books = opened(3 * CREDIT);
    struct ledger_want want = a_want(8, 1, CREDIT);
    struct lease next = a_lease(2, CREDIT);
    struct ledger_hold hold = held(&books);
    struct ledger_answer answer;
    struct ledger_lease before;
    struct ledger_step step;

    (void)state;
    assert_int_equal(ledger_fence(&books, &step), LEDGER_DONE);
    assert_int_equal(books.lease.balance_micro[LEDGER_SUSPENSE], 2 * CREDIT);
    assert_int_equal(ledger_fence(&books, &step), LEDGER_ALREADY);
    assert_int_equal(reserve(&books, &want, 1, &answer), LEDGER_LEASE_FENCED);
    assert_int_equal(ledger_may_send(&books, &hold, T0), LEDGER_LEASE_FENCED);
    assert_int_equal(ledger_open(&books, &next, T0, &step, &before), LEDGER_LEASE_FENCED);
    assert_int_equal(ledger_close(&books, &step), LEDGER_LEASE_FENCED);
    assert_int_equal(ledger_capture(&books, &hold, 1, &moment, &step), LEDGER_DONE);
    assert_int_equal(step.entry.seq, 1);
    expect_balances(&books, 0, 0, CREDIT);
}

static void books_that_do_not_add_up_are_seen(void **state)
{
    struct ledger_books books = opened(3 * CREDIT);
    struct ledger_posting postings[2] = { { .lease_id = 1, .seq = 1, .from = LEDGER_GRANT, .to = LEDGER_AVAILABLE, .micro = 3 * CREDIT } };
    struct ledger_lease wrong;

    (void)state;
    assert_true(ledger_lease_balanced(&books.lease, postings, 1));
    assert_false(ledger_lease_balanced(&books.lease, postings, 0));
    for (int account = 0; account < LEDGER_ACCOUNTS; account++) {
        wrong = books.lease;
        wrong.balance_micro[account] += 1;
        assert_false(ledger_lease_balanced(&wrong, postings, 1));
        assert_false(ledger_lease_sound(&wrong));
    }
    wrong = books.lease, wrong.balance_micro[LEDGER_AVAILABLE] = -1, wrong.balance_micro[LEDGER_CAPTURED] = 3 * CREDIT + 1;
    assert_false(ledger_lease_sound(&wrong));
    wrong = books.lease, wrong.state = LEDGER_CLOSED;
    assert_false(ledger_lease_sound(&wrong));
    postings[0].seq = 2;
    assert_false(ledger_lease_balanced(&books.lease, postings, 1));
    postings[0].seq = 1, postings[0].micro = -1;
    assert_false(ledger_lease_balanced(&books.lease, postings, 1));
}

static void each_verdict_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LEDGER_VERDICTS; i++) {
        const char *words = ledger_verdict_words((enum ledger_verdict)i);

        assert_true(words[strlen(words) - 1] == '.');
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(ledger_verdict_name((enum ledger_verdict)i), ledger_verdict_name((enum ledger_verdict)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_reserved_whole_or_not_at_all),
        cmocka_unit_test(refused_numbers_cost_nothing_and_wait_for_nothing),
        cmocka_unit_test(without_a_lease_the_answer_still_says_what_is_needed),
        cmocka_unit_test(prices_of_another_version_are_not_charged_to_a_lease),
        cmocka_unit_test(the_dearest_batch_of_all_does_not_overflow),
        cmocka_unit_test(a_part_is_charged_once_whatever_is_said_twice),
        cmocka_unit_test(what_is_released_is_free_for_others),
        cmocka_unit_test(a_second_capture_needs_that_the_first_was_taken_back),
        cmocka_unit_test(evidence_after_the_release_is_paid_from_what_is_left),
        cmocka_unit_test(late_use_is_paid_from_suspense_and_after_closing_it_is_debt),
        cmocka_unit_test(what_is_closing_spends_nothing_more),
        cmocka_unit_test(an_expired_lease_sends_nothing_and_its_rest_is_not_available_again),
        cmocka_unit_test(a_clock_set_back_prolongs_nothing),
        cmocka_unit_test(a_lease_that_came_too_late_is_opened_to_be_closed_and_nothing_of_it_is_spent),
        cmocka_unit_test(a_successor_makes_the_lease_before_drain_in_the_same_step),
        cmocka_unit_test(what_waits_moves_to_the_open_lease_at_its_prices_and_the_journal_hears_nothing),
        cmocka_unit_test(what_finds_no_room_when_its_lease_is_over_waits_for_credits),
        cmocka_unit_test(a_frozen_box_spends_nothing_until_it_is_released),
        cmocka_unit_test(an_enrolment_ends_a_fence_and_begins_where_the_account_says),
        cmocka_unit_test(a_fenced_box_spends_nothing_but_tells_what_it_sent),
        cmocka_unit_test(books_that_do_not_add_up_are_seen),
        cmocka_unit_test(each_verdict_has_a_name_and_a_sentence),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
