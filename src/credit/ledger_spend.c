/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger_spend.c - reserve, then capture or release. */
#include <assert.h>
#include <string.h>

#include "src/credit/ledger_internal.h"

enum ledger_verdict ledger_may_spend(const struct ledger_books *books, int64_t clock_ms)
{
    const struct ledger_lease *lease = &books->lease;

    if (books->box.fenced)
        return LEDGER_LEASE_FENCED;
    if (books->box.frozen)
        return LEDGER_FROZEN;
    if (lease->lease_id == 0)
        return LEDGER_NO_LEASE;
    if (lease->state == LEDGER_FENCED)
        return LEDGER_LEASE_FENCED;
    if (lease->state == LEDGER_CLOSING || lease->state == LEDGER_CLOSED)
        return LEDGER_LEASE_CLOSED;
    if (lease->state == LEDGER_EXPIRED || ledger_now(&books->box, clock_ms) >= lease->spend_until_ms)
        return LEDGER_LEASE_EXPIRED;
    return lease->state == LEDGER_DRAINING ? LEDGER_LEASE_DRAINING : LEDGER_DONE;
}

/* -- reserve -------------------------------------------------------------------------------------------------------- */

static bool is_priced(const struct ledger_want *want)
{
    return want->quote.verdict == PRICE_PRICED;
}

static void check_want(const struct ledger_want *want)
{
    assert(want->message_id > 0 && want->parts > 0);
    assert(!is_priced(want) || (want->quote.part_micro > 0 && want->quote.part_micro <= PRICE_PART_MICRO_MAX &&
                                want->quote.total_micro == want->quote.part_micro * want->parts));
}

enum ledger_verdict ledger_reserve(struct ledger_books *books, int64_t batch_id, const struct ledger_want *wants, size_t count,
                                   int64_t clock_ms, struct ledger_posting *ret_posting, struct ledger_answer *ret_answer)
{
    enum ledger_verdict verdict = ledger_may_spend(books, clock_ms);
    struct ledger_answer answer = { .available_micro = verdict == LEDGER_DONE ? books->lease.balance_micro[LEDGER_AVAILABLE] : 0 };
    bool other_prices = false;

    assert(count <= LEDGER_BATCH_MAX);
    /* At most 100,000 messages of 255 parts of 10^12: it would not fit into 63 bits, so the sum stops at their end. */
    for (size_t i = 0; i < count; i++) {
        check_want(&wants[i]);
        if (!is_priced(&wants[i])) {
            answer.refused++;
            continue;
        }
        other_prices = other_prices || wants[i].quote.version != books->lease.price_version;
        answer.needed_micro = answer.needed_micro > INT64_MAX - wants[i].quote.total_micro ? INT64_MAX
                                                                                           : answer.needed_micro + wants[i].quote.total_micro;
        if (answer.needed_micro <= answer.available_micro)
            answer.fit++;                    /* prices are above 0: once one does not fit, none behind it does */
    }
    *ret_answer = answer;
    if (answer.refused == count) {
        *ret_posting = (struct ledger_posting){ 0 };
        return LEDGER_DONE;                  /* what costs nothing waits for nothing */
    }
    if (verdict != LEDGER_DONE)
        return verdict;
    if (other_prices)
        return LEDGER_OTHER_PRICES;
    if (answer.needed_micro > answer.available_micro)
        return LEDGER_TOO_LITTLE;
    *ret_posting = (struct ledger_posting){ .from = LEDGER_AVAILABLE, .to = LEDGER_RESERVED, .micro = answer.needed_micro,
                                            .reason = LEDGER_FOR_RESERVE, .batch_id = batch_id };
    ledger_post(&books->lease, ret_posting);
    return LEDGER_DONE;
}

enum ledger_verdict ledger_hold_new(const struct ledger_want *want, uint64_t lease_id, unsigned part, const struct ledger_hold *before,
                                    struct ledger_hold *ret_hold)
{
    struct ledger_hold hold = { .message_id = want->message_id, .part = (uint8_t)part, .state = LEDGER_HELD, .lease_id = lease_id,
                                .micro = want->quote.part_micro, .price_row = want->quote.row };

    check_want(want);
    assert(is_priced(want) && part > 0 && part <= want->parts);
    if (before) {
        assert(before->message_id == want->message_id && before->part == part);
        if (before->state == LEDGER_HELD || before->state == LEDGER_SPENT)
            return LEDGER_ALREADY;
        hold.attempt = before->attempt;
        hold.voided_attempt = before->voided_attempt;
    }
    *ret_hold = hold;
    return LEDGER_DONE;
}

enum ledger_verdict ledger_may_send(const struct ledger_books *books, const struct ledger_hold *hold, int64_t clock_ms)
{
    enum ledger_verdict verdict;

    if (hold->lease_id != books->lease.lease_id)
        return LEDGER_OTHER_LEASE;
    if (hold->state != LEDGER_HELD)
        return LEDGER_NOT_HELD;
    verdict = ledger_may_spend(books, clock_ms);
    return verdict == LEDGER_LEASE_DRAINING ? LEDGER_DONE : verdict;
}

/* -- outcomes ------------------------------------------------------------------------------------------------------- */

bool ledger_rest_of(const struct ledger_lease *lease, enum ledger_account *ret_account)
{
    switch (lease->state) {
    case LEDGER_OPEN:
    case LEDGER_DRAINING: *ret_account = LEDGER_AVAILABLE; return true;
    case LEDGER_EXPIRED:
    case LEDGER_FENCED: *ret_account = LEDGER_SUSPENSE; return true;
    default: return false;
    }
}

/* The posting and its entry in the journal. */
static void settle(struct ledger_books *books, const struct ledger_hold *hold, struct ledger_posting posting, enum journal_kind kind,
                   uint64_t refers_seq, const struct ledger_moment *moment, struct ledger_step *ret_step)
{
    int r;

    posting.micro = hold->micro;
    posting.message_id = hold->message_id;
    posting.part = hold->part;
    *ret_step = (struct ledger_step){
        .posted = true, .journaled = true, .posting = posting, .alarm = posting.from == LEDGER_DEBT,
        .entry = { .lease_id = hold->lease_id, .kind = kind, .message_id = hold->message_id, .part = hold->part, .attempt = posting.attempt,
                   .units_micro = hold->micro, .price_row = hold->price_row, .refers_seq = refers_seq, .t_mono_ms = moment->mono_ms,
                   .t_wall_ms = moment->wall_ms },
    };
    memcpy(ret_step->entry.boot_id, moment->boot_id, JOURNAL_BOOT_ID_OCTETS);
    ledger_post(&books->lease, &ret_step->posting);
    r = journal_append(&books->box.head, &ret_step->entry);
    assert(r == 0);                          /* the caller's mistake: it gave a moment or an attempt that there cannot be */
    (void)r;
    books->box.mark_ms = ledger_now(&books->box, moment->wall_ms);
}

enum ledger_verdict ledger_capture(struct ledger_books *books, struct ledger_hold *hold, uint32_t attempt, const struct ledger_moment *moment,
                                   struct ledger_step *ret_step)
{
    struct ledger_posting posting = { .from = LEDGER_RESERVED, .to = LEDGER_CAPTURED, .reason = LEDGER_FOR_CAPTURE, .attempt = attempt };

    assert(attempt > 0);
    if (hold->lease_id != books->lease.lease_id)
        return LEDGER_OTHER_LEASE;
    if (attempt <= hold->voided_attempt)
        return LEDGER_TAKEN_BACK;
    if (hold->state == LEDGER_SPENT)
        return hold->attempt == attempt ? LEDGER_ALREADY : LEDGER_ONCE;
    /* It was thought not to be sent, and was: nobody may say no to that any more, only who pays. */
    if (hold->state != LEDGER_HELD &&
        (!ledger_rest_of(&books->lease, &posting.from) || books->lease.balance_micro[posting.from] < hold->micro)) {
        posting.from = LEDGER_DEBT;
        posting.to = LEDGER_OVERSPENT;
    }
    settle(books, hold, posting, JOURNAL_CAPTURE, 0, moment, ret_step);
    hold->state = LEDGER_SPENT;
    hold->attempt = attempt;
    hold->capture_seq = ret_step->entry.seq;
    hold->debt = ret_step->alarm;
    return LEDGER_DONE;
}

enum ledger_verdict ledger_release(struct ledger_books *books, struct ledger_hold *hold, uint32_t attempt, const struct ledger_moment *moment,
                                   struct ledger_step *ret_step)
{
    struct ledger_posting posting = { .from = LEDGER_RESERVED, .reason = LEDGER_FOR_RELEASE, .attempt = attempt };

    if (hold->lease_id != books->lease.lease_id)
        return LEDGER_OTHER_LEASE;
    if (hold->state == LEDGER_SPENT)
        return LEDGER_ONCE;
    if (hold->state != LEDGER_HELD || (attempt > 0 && attempt <= hold->attempt))
        return LEDGER_ALREADY;               /* of this reservation, or of one before */
    if (!ledger_rest_of(&books->lease, &posting.to))
        return LEDGER_LEASE_CLOSED;          /* rows that contradict each other: nothing is reserved in a closed lease */
    settle(books, hold, posting, JOURNAL_RELEASE, 0, moment, ret_step);
    hold->state = LEDGER_RELEASED;
    if (attempt > 0)
        hold->attempt = attempt;
    return LEDGER_DONE;
}

enum ledger_verdict ledger_void(struct ledger_books *books, struct ledger_hold *hold, uint32_t attempt, const struct ledger_moment *moment,
                                struct ledger_step *ret_step)
{
    struct ledger_posting posting = { .from = LEDGER_CAPTURED, .reason = LEDGER_FOR_VOID, .attempt = attempt };

    assert(attempt > 0);
    if (hold->lease_id != books->lease.lease_id)
        return LEDGER_OTHER_LEASE;
    if (attempt <= hold->voided_attempt)
        return LEDGER_ALREADY;
    if (hold->state != LEDGER_SPENT || hold->attempt != attempt)
        return LEDGER_NOT_CAPTURED;
    if (!ledger_rest_of(&books->lease, &posting.to))
        return LEDGER_LEASE_CLOSED;
    if (hold->debt) {
        posting.from = LEDGER_OVERSPENT;
        posting.to = LEDGER_DEBT;
    }
    settle(books, hold, posting, JOURNAL_VOID, hold->capture_seq, moment, ret_step);
    hold->state = LEDGER_VOIDED;
    hold->voided_attempt = attempt;
    hold->capture_seq = 0;
    hold->debt = false;
    return LEDGER_DONE;
}
