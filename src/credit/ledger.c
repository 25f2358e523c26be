/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger.c - the life of a lease, and the proof of its books. Spending is in ledger_spend.c. */
#include <assert.h>
#include <string.h>

#include "src/credit/ledger_internal.h"

void ledger_post(struct ledger_lease *lease, struct ledger_posting *posting)
{
    assert(posting->micro > 0 && posting->from != posting->to);
    posting->lease_id = lease->lease_id;
    posting->seq = ++lease->postings;
    lease->balance_micro[posting->from] -= posting->micro;
    lease->balance_micro[posting->to] += posting->micro;
}

/* All that is in an account; nothing where it is empty. */
static void move_all(struct ledger_lease *lease, enum ledger_account from, enum ledger_account to, enum ledger_reason reason,
                     struct ledger_step *step)
{
    *step = (struct ledger_step){ .posting = { .from = from, .to = to, .micro = lease->balance_micro[from], .reason = reason } };
    if (lease->balance_micro[from] == 0)
        return;
    ledger_post(lease, &step->posting);
    step->posted = true;
}

int64_t ledger_now(const struct ledger_box *box, int64_t clock_ms)
{
    return clock_ms > box->mark_ms ? clock_ms : box->mark_ms;
}

static bool is_open(const struct ledger_lease *lease)
{
    return lease->lease_id > 0 && (lease->state == LEDGER_OPEN || lease->state == LEDGER_DRAINING);
}

enum ledger_verdict ledger_open(struct ledger_books *books, const struct lease *lease, int64_t clock_ms, struct ledger_step *ret_step,
                                struct ledger_lease *ret_before)
{
    struct ledger_box *box = &books->box;
    struct ledger_lease before = { 0 };
    int64_t now_ms = ledger_now(box, clock_ms);

    assert(lease->grant_micro > 0 && lease->grant_micro <= LEASE_GRANT_MICRO_MAX && lease->lease_id > 0);
    assert(box->open_lease_id == 0 || books->lease.lease_id == box->open_lease_id);
    if (box->fenced)
        return LEDGER_LEASE_FENCED;
    if (lease->epoch != box->epoch)
        return LEDGER_WRONG_EPOCH;
    if (box->open_lease_id == lease->lease_id)
        return LEDGER_ALREADY;
    if (lease->lease_id <= box->last_lease_id)
        return LEDGER_NOT_NEWER;
    if (box->open_lease_id > 0 && box->old_lease_id > 0)
        return LEDGER_LEASE_OPEN;
    if (box->open_lease_id > 0) {
        before = books->lease;
        if (before.state == LEDGER_OPEN)
            before.state = LEDGER_DRAINING;
        box->old_lease_id = before.lease_id;
    }
    /* Nor is a clock believed to be before the account's when it signed this. */
    box->mark_ms = ledger_now(box, now_ms > lease->issued_ms ? now_ms : lease->issued_ms);
    box->last_lease_id = box->open_lease_id = lease->lease_id;
    books->lease = (struct ledger_lease){ .lease_id = lease->lease_id, .state = LEDGER_OPEN, .price_version = lease->price_version,
                                          .spend_until_ms = lease->spend_until_ms, .settle_until_ms = lease->settle_until_ms };
    *ret_step = (struct ledger_step){ .posted = true, .posting = { .from = LEDGER_GRANT, .to = LEDGER_AVAILABLE,
                                                                   .micro = lease->grant_micro, .reason = LEDGER_FOR_OPENING } };
    ledger_post(&books->lease, &ret_step->posting);
    *ret_before = before;
    return LEDGER_DONE;
}

/* Why nothing more can happen to a lease that is not open. */
static enum ledger_verdict not_open(const struct ledger_lease *lease)
{
    static const enum ledger_verdict verdicts[LEDGER_LEASE_STATES] = {
        [LEDGER_DRAINING] = LEDGER_LEASE_DRAINING, [LEDGER_EXPIRED] = LEDGER_LEASE_EXPIRED, [LEDGER_FENCED] = LEDGER_LEASE_FENCED,
        [LEDGER_CLOSING] = LEDGER_LEASE_CLOSED,    [LEDGER_CLOSED] = LEDGER_LEASE_CLOSED,
    };

    return lease->lease_id == 0 ? LEDGER_NO_LEASE : verdicts[lease->state];
}

/* The newest lease makes room for the next one. False: the one before it is not closed yet. */
static bool becomes_old(struct ledger_books *books)
{
    struct ledger_box *box = &books->box;

    if (box->open_lease_id != books->lease.lease_id)
        return true;
    if (box->old_lease_id > 0)
        return false;
    box->old_lease_id = box->open_lease_id;
    box->open_lease_id = 0;
    return true;
}

enum ledger_verdict ledger_drain(struct ledger_books *books)
{
    if (books->lease.lease_id > 0 && books->lease.state == LEDGER_DRAINING)
        return LEDGER_ALREADY;
    if (!is_open(&books->lease))
        return not_open(&books->lease);
    if (!becomes_old(books))
        return LEDGER_LEASE_OPEN;
    books->lease.state = LEDGER_DRAINING;
    return LEDGER_DONE;
}

static void no_longer_there(struct ledger_books *books)
{
    if (books->box.open_lease_id == books->lease.lease_id)
        books->box.open_lease_id = 0;
    if (books->box.old_lease_id == books->lease.lease_id)
        books->box.old_lease_id = 0;
}

enum ledger_verdict ledger_expire(struct ledger_books *books, int64_t clock_ms, struct ledger_step *ret_step)
{
    struct ledger_lease *lease = &books->lease;

    if (lease->lease_id > 0 && lease->state == LEDGER_EXPIRED)
        return LEDGER_ALREADY;
    if (!is_open(lease))
        return not_open(lease);
    if (ledger_now(&books->box, clock_ms) < lease->spend_until_ms)
        return LEDGER_NOT_YET;
    books->box.mark_ms = ledger_now(&books->box, clock_ms);
    move_all(lease, LEDGER_AVAILABLE, LEDGER_SUSPENSE, LEDGER_FOR_EXPIRY, ret_step);
    lease->state = LEDGER_EXPIRED;
    return LEDGER_DONE;
}

enum ledger_verdict ledger_fence(struct ledger_books *books, struct ledger_step *ret_step)
{
    struct ledger_lease *lease = &books->lease;
    bool spends = is_open(lease) || (lease->lease_id > 0 && lease->state == LEDGER_EXPIRED);

    if (books->box.fenced && !spends)
        return LEDGER_ALREADY;
    *ret_step = (struct ledger_step){ 0 };
    books->box.fenced = true;
    if (spends) {                            /* what is closing stays so: its rest is given back already */
        move_all(lease, LEDGER_AVAILABLE, LEDGER_SUSPENSE, LEDGER_FOR_FENCE, ret_step);
        lease->state = LEDGER_FENCED;
        no_longer_there(books);
    }
    return LEDGER_DONE;
}

enum ledger_verdict ledger_freeze(struct ledger_box *box, bool frozen)
{
    if (box->frozen == frozen)
        return LEDGER_ALREADY;
    box->frozen = frozen;
    return LEDGER_DONE;
}

void ledger_enrol(struct ledger_box *box, uint32_t epoch, const struct journal_head *start)
{
    assert(epoch > 0 && box->open_lease_id == 0 && box->old_lease_id == 0);
    box->epoch = epoch;
    box->fenced = box->frozen = false;
    box->head = box->acked = *start;
}

enum ledger_verdict ledger_swap(struct ledger_box *box, const struct ledger_lease *open, const struct ledger_lease *old)
{
    if (box->fenced)
        return LEDGER_LEASE_FENCED;
    if (open->lease_id == 0 || old->lease_id == 0 || open->lease_id != box->open_lease_id || old->lease_id != box->old_lease_id)
        return LEDGER_OTHER_LEASE;
    if (open->state != LEDGER_EXPIRED || old->state != LEDGER_EXPIRED)
        return LEDGER_NOT_YET;
    box->open_lease_id = old->lease_id;
    box->old_lease_id = open->lease_id;
    return LEDGER_DONE;
}

enum ledger_verdict ledger_close(struct ledger_books *books, struct ledger_step *ret_step)
{
    struct ledger_lease *lease = &books->lease;
    bool expired = lease->lease_id > 0 && lease->state == LEDGER_EXPIRED;

    if (lease->lease_id > 0 && lease->state == LEDGER_CLOSING)
        return LEDGER_ALREADY;
    if (books->box.fenced)
        return LEDGER_LEASE_FENCED;
    if (!expired && !is_open(lease))
        return not_open(lease);
    if (lease->balance_micro[LEDGER_RESERVED] > 0)
        return LEDGER_IN_FLIGHT;
    if (!becomes_old(books))
        return LEDGER_LEASE_OPEN;
    move_all(lease, expired ? LEDGER_SUSPENSE : LEDGER_AVAILABLE, LEDGER_RETURNED, LEDGER_FOR_CLOSING, ret_step);
    lease->state = LEDGER_CLOSING;           /* and stays the one before, until the account answers */
    return LEDGER_DONE;
}

enum ledger_verdict ledger_closed(struct ledger_books *books, uint64_t lease_id)
{
    struct ledger_lease *lease = &books->lease;

    if (lease->lease_id == 0)
        return LEDGER_NO_LEASE;
    if (lease->lease_id != lease_id)
        return LEDGER_OTHER_LEASE;
    if (lease->state == LEDGER_CLOSED)
        return LEDGER_ALREADY;
    if (lease->state != LEDGER_CLOSING)
        return LEDGER_LEASE_OPEN;
    lease->state = LEDGER_CLOSED;
    no_longer_there(books);
    return LEDGER_DONE;
}

/* -- proof ---------------------------------------------------------------------------------------------------------- */

bool ledger_lease_sound(const struct ledger_lease *lease)
{
    const int64_t *balance = lease->balance_micro;
    int64_t sum = 0;
    bool open = lease->state == LEDGER_OPEN || lease->state == LEDGER_DRAINING;
    bool closed = lease->state == LEDGER_CLOSING || lease->state == LEDGER_CLOSED;

    if (lease->lease_id == 0 || lease->state < LEDGER_OPEN || lease->state >= LEDGER_LEASE_STATES)
        return false;
    for (int account = 0; account < LEDGER_ACCOUNTS; account++) {
        bool source = account == LEDGER_GRANT || account == LEDGER_DEBT;

        if (source ? balance[account] > 0 : balance[account] < 0)
            return false;
        sum += balance[account];
    }
    return sum == 0 && balance[LEDGER_DEBT] == -balance[LEDGER_OVERSPENT] &&
           balance[LEDGER_RESERVED] + balance[LEDGER_CAPTURED] <= -balance[LEDGER_GRANT] &&
           (open || balance[LEDGER_AVAILABLE] == 0) && (closed || balance[LEDGER_RETURNED] == 0) &&
           (!open || balance[LEDGER_SUSPENSE] == 0) && (!closed || (balance[LEDGER_SUSPENSE] == 0 && balance[LEDGER_RESERVED] == 0));
}

bool ledger_lease_balanced(const struct ledger_lease *lease, const struct ledger_posting *postings, size_t count)
{
    int64_t sums[LEDGER_ACCOUNTS] = { 0 };

    if (count != lease->postings)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct ledger_posting *posting = &postings[i];

        if (posting->lease_id != lease->lease_id || posting->seq != i + 1 || posting->micro <= 0 || posting->from == posting->to ||
            (unsigned)posting->from >= LEDGER_ACCOUNTS || (unsigned)posting->to >= LEDGER_ACCOUNTS ||
            posting->micro > INT64_MAX / 2 || sums[posting->to] > INT64_MAX / 2 || sums[posting->from] < -(INT64_MAX / 2))
            return false;
        sums[posting->from] -= posting->micro;
        sums[posting->to] += posting->micro;
    }
    return memcmp(sums, lease->balance_micro, sizeof sums) == 0;
}

/* -- words ---------------------------------------------------------------------------------------------------------- */

static const struct { const char *name, *words; } verdicts[LEDGER_VERDICTS] = {
    [LEDGER_DONE] = { "done", "It is done." },
    [LEDGER_ALREADY] = { "already", "It was done before." },
    [LEDGER_TOO_LITTLE] = { "too_little", "There are not enough credits; it waits until there are." },
    [LEDGER_NO_LEASE] = { "no_lease", "This box has no credits to spend yet; it waits until the account grants some." },
    [LEDGER_LEASE_DRAINING] = { "lease_draining", "The lease is about to be closed: nothing new is taken from it." },
    [LEDGER_LEASE_EXPIRED] = { "lease_expired", "The time in which the lease may be spent is over." },
    [LEDGER_LEASE_FENCED] = { "lease_fenced", "The account stopped this box: a person has to enrol it again." },
    [LEDGER_LEASE_CLOSED] = { "lease_closed", "The lease is closed." },
    [LEDGER_FROZEN] = { "frozen", "The account has frozen this box: nothing is sent until it is released there." },
    [LEDGER_LEASE_OPEN] = { "lease_open", "The lease before is not closed yet." },
    [LEDGER_IN_FLIGHT] = { "in_flight", "Credits are still reserved for parts that are to be sent or may be on the air." },
    [LEDGER_NOT_YET] = { "not_yet", "The lease may still be spent." },
    [LEDGER_NOT_NEWER] = { "not_newer", "The lease is not newer than the last one this box had." },
    [LEDGER_WRONG_EPOCH] = { "wrong_epoch", "The lease belongs to another enrolment of this box." },
    [LEDGER_OTHER_LEASE] = { "other_lease", "This is about another lease." },
    [LEDGER_OTHER_PRICES] = { "other_prices", "The prices are not those of the lease." },
    [LEDGER_ONCE] = { "once", "The part was charged before, and is charged once." },
    [LEDGER_TAKEN_BACK] = { "taken_back", "The charge for this attempt was taken back." },
    [LEDGER_NOT_CAPTURED] = { "not_captured", "The part was not charged." },
    [LEDGER_NOT_HELD] = { "not_held", "No credits are reserved for the part." },
};

static const char *const account_names[LEDGER_ACCOUNTS] = {
    [LEDGER_GRANT] = "grant", [LEDGER_AVAILABLE] = "available", [LEDGER_RESERVED] = "reserved", [LEDGER_CAPTURED] = "captured",
    [LEDGER_SUSPENSE] = "suspense", [LEDGER_RETURNED] = "returned", [LEDGER_DEBT] = "debt", [LEDGER_OVERSPENT] = "overspent",
};
static const char *const reason_names[LEDGER_REASONS] = {
    [0] = "none", [LEDGER_FOR_OPENING] = "opening", [LEDGER_FOR_RESERVE] = "reserve", [LEDGER_FOR_CAPTURE] = "capture",
    [LEDGER_FOR_RELEASE] = "release", [LEDGER_FOR_VOID] = "void", [LEDGER_FOR_EXPIRY] = "expiry", [LEDGER_FOR_FENCE] = "fence",
    [LEDGER_FOR_CLOSING] = "closing", [LEDGER_FOR_MOVE] = "move", [LEDGER_FOR_WAIT] = "wait",
};
static const char *const lease_state_names[LEDGER_LEASE_STATES] = {
    [0] = "none", [LEDGER_OPEN] = "open", [LEDGER_DRAINING] = "draining", [LEDGER_EXPIRED] = "expired", [LEDGER_FENCED] = "fenced",
    [LEDGER_CLOSING] = "closing", [LEDGER_CLOSED] = "closed",
};

const char *ledger_account_name(enum ledger_account account)
{
    return (unsigned)account < LEDGER_ACCOUNTS ? account_names[account] : "none";
}

const char *ledger_reason_name(enum ledger_reason reason)
{
    return (unsigned)reason < LEDGER_REASONS ? reason_names[reason] : "none";
}

const char *ledger_lease_state_name(enum ledger_lease_state state)
{
    return (unsigned)state < LEDGER_LEASE_STATES ? lease_state_names[state] : "none";
}

const char *ledger_verdict_name(enum ledger_verdict verdict)
{
    assert(verdict < LEDGER_VERDICTS);
    return verdicts[verdict].name;
}

const char *ledger_verdict_words(enum ledger_verdict verdict)
{
    assert(verdict < LEDGER_VERDICTS);
    return verdicts[verdict].words;
}
