/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger_move.c - what waits changes its lease, or gives up the credits that it had. */
#include <assert.h>

#include "src/credit/ledger_internal.h"

/* What the parts hold together. -1: a row is not what the caller says. */
static int64_t held_micro(const struct ledger_lease *from, const struct ledger_hold *holds, size_t count)
{
    int64_t micro = 0;

    assert(count > 0 && count <= PRICE_PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (holds[i].state != LEDGER_HELD || holds[i].lease_id != from->lease_id || holds[i].message_id != holds[0].message_id)
            return -1;
        micro += holds[i].micro;
    }
    return micro;
}

/* source: where they come from in the lease that takes them. */
static enum ledger_verdict move_from(struct ledger_books *books, struct ledger_lease *from, struct ledger_hold *holds, size_t count,
                                     const struct price_quote *quote, enum ledger_account source, struct ledger_posting ret_postings[2])
{
    int64_t micro = held_micro(from, holds, count);
    enum ledger_account rest;

    if (from->lease_id == books->lease.lease_id)
        return LEDGER_OTHER_LEASE;
    if (micro < 0)
        return LEDGER_NOT_HELD;
    if (from->state == LEDGER_OPEN || !ledger_rest_of(from, &rest))
        return from->state == LEDGER_OPEN ? LEDGER_LEASE_OPEN : LEDGER_LEASE_CLOSED;
    if (quote->verdict != PRICE_PRICED || quote->version != books->lease.price_version)
        return LEDGER_OTHER_PRICES;
    assert(quote->part_micro > 0 && quote->total_micro == quote->part_micro * (int64_t)count);
    if (quote->total_micro > books->lease.balance_micro[source])
        return LEDGER_TOO_LITTLE;
    ret_postings[0] = (struct ledger_posting){ .from = LEDGER_RESERVED, .to = rest, .micro = micro, .reason = LEDGER_FOR_MOVE,
                                               .message_id = holds[0].message_id };
    ret_postings[1] = (struct ledger_posting){ .from = source, .to = LEDGER_RESERVED, .micro = quote->total_micro,
                                               .reason = LEDGER_FOR_MOVE, .message_id = holds[0].message_id };
    ledger_post(from, &ret_postings[0]);
    ledger_post(&books->lease, &ret_postings[1]);
    for (size_t i = 0; i < count; i++) {
        holds[i].lease_id = books->lease.lease_id;
        holds[i].micro = quote->part_micro;
        holds[i].price_row = quote->row;
    }
    return LEDGER_DONE;
}

enum ledger_verdict ledger_move(struct ledger_books *books, struct ledger_lease *from, struct ledger_hold *holds, size_t count,
                                const struct price_quote *quote, int64_t clock_ms, struct ledger_posting ret_postings[2])
{
    enum ledger_verdict verdict = ledger_may_spend(books, clock_ms);

    return verdict == LEDGER_DONE ? move_from(books, from, holds, count, quote, LEDGER_AVAILABLE, ret_postings) : verdict;
}

enum ledger_verdict ledger_move_over(struct ledger_books *books, struct ledger_lease *from, struct ledger_hold *holds, size_t count,
                                     const struct price_quote *quote, struct ledger_posting ret_postings[2])
{
    if (books->box.fenced)
        return LEDGER_LEASE_FENCED;
    if (books->lease.state != LEDGER_EXPIRED || from->state != LEDGER_EXPIRED)
        return LEDGER_NOT_YET;
    return move_from(books, from, holds, count, quote, LEDGER_SUSPENSE, ret_postings);
}

enum ledger_verdict ledger_wait(struct ledger_lease *from, struct ledger_hold *holds, size_t count, struct ledger_posting *ret_posting)
{
    int64_t micro = held_micro(from, holds, count);
    enum ledger_account rest;

    if (micro < 0)
        return LEDGER_NOT_HELD;
    if (from->state == LEDGER_OPEN)
        return LEDGER_LEASE_OPEN;
    if (from->state == LEDGER_DRAINING)
        return LEDGER_LEASE_DRAINING;        /* it may still be sent from there */
    if (!ledger_rest_of(from, &rest))
        return LEDGER_LEASE_CLOSED;
    *ret_posting = (struct ledger_posting){ .from = LEDGER_RESERVED, .to = rest, .micro = micro, .reason = LEDGER_FOR_WAIT,
                                            .message_id = holds[0].message_id };
    ledger_post(from, ret_posting);
    for (size_t i = 0; i < count; i++)
        holds[i].state = LEDGER_RELEASED;
    return LEDGER_DONE;
}
