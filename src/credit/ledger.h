/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger.h - where each micro-credit of a lease is: double entry, kept as rows.
 *
 * All state is plain values: the box (one row), a row a lease, a row a part that credits were reserved for (struct
 * ledger_hold), and postings and journal entries, which are only ever added. Functions compute on copies of the rows that
 * the caller read; what they changed and handed back goes onto the disk in one transaction, and only then may anything be
 * answered or sent. On any other verdict than LEDGER_DONE nothing was changed.
 * Money:     millionths of a credit (micro). Times: milliseconds since 1970-01-01 UTC.
 * Ownership: all are values; nothing is kept and no memory is taken.
 * Errors:    verdicts by name. Wrong arguments are the caller's mistake and stop the program.
 * Successors: a box asks for its next lease while it still spends the one it has, so that a network that goes away stops
 * nothing. There is at most one open lease and at most one before it that is not closed. Opening the successor makes the one
 * before DRAINING in the same step; what waits is moved over message by message, what is on the air stays until it is known,
 * and when nothing is reserved there any more that lease is closed.
 * Keeps I1 (a posting moves an amount between two accounts, a balance is the sum of its postings), I2 (reserved and captured
 * together never exceed the grant), I3 (a part is captured at most once, unless the capture before was taken back), I6 (a
 * batch is reserved whole or not at all), I8 (what is fenced spends nothing), I12 (what is refused costs nothing), and rules
 * 3, 4 and 5 of leases; rule 1 but for successors. */
#ifndef CELLPOST_CREDIT_LEDGER_H
#define CELLPOST_CREDIT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/credit/journal.h"
#include "src/credit/lease.h"
#include "src/credit/price.h"

#define LEDGER_BATCH_MAX 100000              /* messages */

/* Of one lease. All together are always 0: what a posting takes from one it gives to another. */
enum ledger_account {
    LEDGER_GRANT,                            /* where the lease's credits come from: the grant, below 0 */
    LEDGER_AVAILABLE,
    LEDGER_RESERVED,                         /* for parts that are to be sent or may be on the air */
    LEDGER_CAPTURED,                         /* spent */
    LEDGER_SUSPENSE,                         /* the rest of an expired or fenced lease: not to be spent on anything new */
    LEDGER_RETURNED,                         /* given back by closing */
    LEDGER_DEBT,                             /* what was sent without credits for it, below 0 */
    LEDGER_OVERSPENT,                        /* the same from the other side */
    LEDGER_ACCOUNTS
};

enum ledger_lease_state {
    LEDGER_OPEN = 1,
    LEDGER_DRAINING,                         /* nothing new is reserved; what is reserved may still be sent */
    LEDGER_EXPIRED, LEDGER_FENCED,           /* nothing is handed over; what was on the air still settles, what waits moves */
    LEDGER_CLOSING,                          /* for good, on this box: nothing is spent, whether or not the account heard of it */
    LEDGER_CLOSED,                           /* the account said so */
    LEDGER_LEASE_STATES
};

struct ledger_lease {
    uint64_t lease_id;                       /* 0: there is none */
    enum ledger_lease_state state;
    uint32_t price_version;
    int64_t spend_until_ms, settle_until_ms;
    int64_t balance_micro[LEDGER_ACCOUNTS];
    uint64_t postings;                       /* the number of the last one */
};

struct ledger_box {
    uint32_t epoch;
    uint64_t last_lease_id;                  /* the highest that was ever opened */
    uint64_t open_lease_id;                  /* the newest: open, or expired without a successor; 0: none */
    uint64_t old_lease_id;                   /* the one before it: draining, expired or closing; 0: none */
    int64_t mark_ms;                         /* no clock of this box is believed to be before this */
    struct journal_head head, acked;         /* what was written, and what the account has of it */
    bool fenced;                             /* nothing is spent until a person enrols the box again */
    bool frozen;                             /* nothing is spent until the account says so */
};

/* The box, and the lease that a call is about. */
struct ledger_books { struct ledger_box box; struct ledger_lease lease; };

enum ledger_reason {
    LEDGER_FOR_OPENING = 1, LEDGER_FOR_RESERVE, LEDGER_FOR_CAPTURE, LEDGER_FOR_RELEASE, LEDGER_FOR_VOID, LEDGER_FOR_EXPIRY,
    LEDGER_FOR_FENCE, LEDGER_FOR_CLOSING, LEDGER_FOR_MOVE, LEDGER_FOR_WAIT, LEDGER_REASONS
};

struct ledger_posting {
    uint64_t lease_id, seq;                  /* from 1, of the lease, without gaps */
    enum ledger_account from, to;
    int64_t micro;                           /* more than 0 */
    enum ledger_reason reason;
    int64_t batch_id;                        /* of a reserve: all of the batch at once; else 0 */
    int64_t message_id;                      /* 0: about the batch or the lease as a whole */
    uint8_t part;                            /* 0: all parts of the message that are held */
    uint32_t attempt;
};
const char *ledger_account_name(enum ledger_account account);    /* "available" */
const char *ledger_reason_name(enum ledger_reason reason);       /* "reserve" */
const char *ledger_lease_state_name(enum ledger_lease_state state);   /* "open" */

enum ledger_hold_state { LEDGER_HELD = 1, LEDGER_SPENT, LEDGER_RELEASED, LEDGER_VOIDED, LEDGER_HOLD_STATES };

/* The credits of one part: a row by (message, part). */
struct ledger_hold {
    int64_t message_id;
    uint8_t part;
    enum ledger_hold_state state;
    uint64_t lease_id;
    int64_t micro;
    uint32_t price_row;
    uint32_t attempt;                        /* the one that was captured, or released last */
    uint32_t voided_attempt;                 /* the last whose capture was taken back; 0: none */
    uint64_t capture_seq;                    /* its entry in the journal; 0: none */
    bool debt;                               /* captured without credits */
};

/* What is to be written beside the rows. */
struct ledger_step {
    bool posted, journaled;
    struct ledger_posting posting;
    struct journal_entry entry;
    bool alarm;                              /* something was sent that no credits were left for */
};

struct ledger_moment { uint8_t boot_id[JOURNAL_BOOT_ID_OCTETS]; int64_t mono_ms, wall_ms; };   /* neither is below 0 */

enum ledger_verdict {
    LEDGER_DONE,
    LEDGER_ALREADY,                          /* the same was done before: nothing is to be written, and all is well */
    LEDGER_TOO_LITTLE,                       /* not enough is available: it waits */
    LEDGER_NO_LEASE, LEDGER_LEASE_DRAINING, LEDGER_LEASE_EXPIRED, LEDGER_LEASE_FENCED, LEDGER_LEASE_CLOSED,
    LEDGER_FROZEN,                           /* the account stopped the box for now */
    LEDGER_LEASE_OPEN,                       /* one more is not closed yet */
    LEDGER_IN_FLIGHT,                        /* credits are still reserved */
    LEDGER_NOT_YET,                          /* it may be spent longer */
    LEDGER_NOT_NEWER, LEDGER_WRONG_EPOCH, LEDGER_OTHER_LEASE, LEDGER_OTHER_PRICES,
    LEDGER_ONCE,                             /* the part was captured by another attempt: one charge a part */
    LEDGER_TAKEN_BACK,                       /* the capture of this attempt was taken back */
    LEDGER_NOT_CAPTURED, LEDGER_NOT_HELD,
    LEDGER_VERDICTS
};
const char *ledger_verdict_name(enum ledger_verdict verdict);    /* "too_little" */
const char *ledger_verdict_words(enum ledger_verdict verdict);   /* a sentence for a person */

/* The time to go by: a clock that went back is not believed, so that none prolongs a lease. */
int64_t ledger_now(const struct ledger_box *box, int64_t clock_ms);

/* -- the life of a lease ---------------------------------------------------------------------------------------------
 * books->lease is the row of the lease meant, or, for opening, any: it is replaced on success. */

/* lease: LEASE_GOOD by lease_judge(), or LEASE_EXPIRED: what was granted while the box was away has to be opened to be closed, and
 * nothing is spent of it. books->lease: the row of the box's open lease, if it has one. On success *ret_before is
 * that one, draining now (lease_id 0: there was none), to be written with the rest. ALREADY: it is the open one. LEASE_OPEN: the
 * one before that is not closed yet. Whether the account has all of the journal is for the account to say when it grants: what
 * was sent since then is told later. */
enum ledger_verdict ledger_open(struct ledger_books *books, const struct lease *lease, int64_t clock_ms, struct ledger_step *ret_step,
                                struct ledger_lease *ret_before);
/* Without a successor: nothing new is taken from it. LEASE_OPEN: the one before is not closed yet. */
enum ledger_verdict ledger_drain(struct ledger_books *books);
/* From spend_until on: the rest goes to suspense, never back to what is available (rule 5). */
enum ledger_verdict ledger_expire(struct ledger_books *books, int64_t clock_ms, struct ledger_step *ret_step);
/* The account fenced the box, or journal_acknowledge() found a fork (rule 7). Also without a lease; once for each that is not closed. */
enum ledger_verdict ledger_fence(struct ledger_books *books, struct ledger_step *ret_step);
/* A frozen box spends nothing and keeps all it has. ALREADY: it is so. */
enum ledger_verdict ledger_freeze(struct ledger_box *box, bool frozen);
/* A person enrolled the box again: its leases of before stay fenced, what waits in them may move. The journal goes on at start. */
void ledger_enrol(struct ledger_box *box, uint32_t epoch, const struct journal_head *start);
/* Of two that are both expired the newer one is to be closed first, since the other still waits for what is on the air: they change
 * their places, until the next one is opened. NOT_YET: one is not expired. */
enum ledger_verdict ledger_swap(struct ledger_box *box, const struct ledger_lease *open, const struct ledger_lease *old);
/* Gives the rest back. IN_FLIGHT: drain first. LEASE_OPEN: the one before is not closed yet. The account is told after this is on the disk, never before (rule 4). */
enum ledger_verdict ledger_close(struct ledger_books *books, struct ledger_step *ret_step);
/* The account's answer, which names its lease (rule 3). */
enum ledger_verdict ledger_closed(struct ledger_books *books, uint64_t lease_id);

/* -- spending ---------------------------------------------------------------------------------------------------------- */

struct ledger_want { int64_t message_id; uint8_t parts; struct price_quote quote; };   /* quote: price_quote_of() for so many parts */

struct ledger_answer {
    int64_t needed_micro, available_micro;
    size_t fit;                              /* so many of the priced messages, in their order, could be had: all on DONE */
    size_t refused;                          /* by their quote: they cost nothing and are no part of the above */
};

/* All messages of a batch, or none (I6): one posting for the whole of it (micro 0: nothing of it costs, there is none), and a
 * hold for each part of each priced message, by ledger_hold_new(). *ret_answer is written whatever the verdict. */
enum ledger_verdict ledger_reserve(struct ledger_books *books, int64_t batch_id, const struct ledger_want *wants, size_t count,
                                   int64_t clock_ms, struct ledger_posting *ret_posting, struct ledger_answer *ret_answer);
/* The row of a part (from 1) of a priced message. before: the row that there is already, or NULL. ALREADY: that one still
 * holds or was captured; then the caller must not write what ledger_reserve() handed back. */
enum ledger_verdict ledger_hold_new(const struct ledger_want *want, uint64_t lease_id, unsigned part, const struct ledger_hold *before,
                                    struct ledger_hold *ret_hold);

/* Whether a part may go to a modem now. */
enum ledger_verdict ledger_may_send(const struct ledger_books *books, const struct ledger_hold *hold, int64_t clock_ms);

/* The attempt (from 1) sent the part, or may have. Once for each part: the same attempt again is ALREADY. Evidence may come
 * after the credits were released, and then is paid from what the lease has left, or is debt (step.alarm). */
enum ledger_verdict ledger_capture(struct ledger_books *books, struct ledger_hold *hold, uint32_t attempt, const struct ledger_moment *moment,
                                   struct ledger_step *ret_step);
/* The part is not sent after the attempt (0: there was none), and will not be tried again on this reservation. */
enum ledger_verdict ledger_release(struct ledger_books *books, struct ledger_hold *hold, uint32_t attempt, const struct ledger_moment *moment,
                                   struct ledger_step *ret_step);
/* Takes the capture of that attempt back. LEASE_CLOSED: it is for the account to refund. */
enum ledger_verdict ledger_void(struct ledger_books *books, struct ledger_hold *hold, uint32_t attempt, const struct ledger_moment *moment,
                                struct ledger_step *ret_step);

/* -- what waits changes its lease: postings alone, since the journal tells what was sent --------------------------------- */

/* holds: the held parts of one message in `from`, which is draining, expired or fenced; not one that is on the air. books->lease: the
 * open lease. quote: the price of so many parts by its table. All of them move or none. postings: out of `from`, into the open one. */
enum ledger_verdict ledger_move(struct ledger_books *books, struct ledger_lease *from, struct ledger_hold *holds, size_t count,
                                const struct price_quote *quote, int64_t clock_ms, struct ledger_posting ret_postings[2]);
/* The same between two that are both expired, for what cannot wait elsewhere, since it may have been sent: into books->lease, out of
 * its suspense, so that the other one can be closed and a third be asked for. NOT_YET: one is not expired. */
enum ledger_verdict ledger_move_over(struct ledger_books *books, struct ledger_lease *from, struct ledger_hold *holds, size_t count,
                                     const struct price_quote *quote, struct ledger_posting ret_postings[2]);
/* The same without a lease to go to: its credits are given up, and it waits for others. Not of one that is draining. */
enum ledger_verdict ledger_wait(struct ledger_lease *from, struct ledger_hold *holds, size_t count, struct ledger_posting *ret_posting);

/* -- proof -------------------------------------------------------------------------------------------------------------- */

/* The row agrees with itself: no account but the two is below 0, all are 0 together, reserved and captured do not exceed the
 * grant, and where the state allows no rest there is none. */
bool ledger_lease_sound(const struct ledger_lease *lease);
/* The balances are what the postings of the lease, from the first to the last in their order, sum up to. */
bool ledger_lease_balanced(const struct ledger_lease *lease, const struct ledger_posting *postings, size_t count);

#endif
