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
 * Keeps I1 (a posting moves an amount between two accounts, a balance is the sum of its postings), I2 (reserved and captured
 * together never exceed the grant), I3 (a part is captured at most once, unless the capture before was taken back), I6 (a
 * batch is reserved whole or not at all), I8 (what is fenced spends nothing), I12 (what is refused costs nothing), and rules
 * 1, 3, 4 and 5 of leases. */
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
    LEDGER_EXPIRED, LEDGER_FENCED,           /* nothing is handed over; what was on the air still settles */
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
    uint64_t open_lease_id;                  /* open, draining or closing: one at a time; 0: none */
    int64_t mark_ms;                         /* no clock of this box is believed to be before this */
    struct journal_head head, acked;         /* what was written, and what the account has of it */
    bool fenced;                             /* nothing is spent until a person enrols the box again */
};

/* The box, and the lease that a call is about. */
struct ledger_books { struct ledger_box box; struct ledger_lease lease; };

enum ledger_reason {
    LEDGER_FOR_OPENING = 1, LEDGER_FOR_RESERVE, LEDGER_FOR_CAPTURE, LEDGER_FOR_RELEASE, LEDGER_FOR_VOID, LEDGER_FOR_EXPIRY,
    LEDGER_FOR_FENCE, LEDGER_FOR_CLOSING, LEDGER_REASONS
};

struct ledger_posting {
    uint64_t lease_id, seq;                  /* from 1, of the lease, without gaps */
    enum ledger_account from, to;
    int64_t micro;                           /* more than 0 */
    enum ledger_reason reason;
    int64_t message_id;                      /* 0: about the lease as a whole */
    uint8_t part;                            /* 0: all parts of the message */
    uint32_t attempt;
};

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
    LEDGER_LEASE_OPEN,                       /* another one is */
    LEDGER_UNSETTLED,                        /* the account does not have the whole journal yet */
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

/* lease: LEASE_GOOD by lease_judge(). ALREADY: it is the open one. Refused while another is open (rule 1) and while the
 * account does not have all of the journal. */
enum ledger_verdict ledger_open(struct ledger_books *books, const struct lease *lease, int64_t clock_ms, struct ledger_step *ret_step);
enum ledger_verdict ledger_drain(struct ledger_books *books);
/* From spend_until on: the rest goes to suspense, never back to what is available (rule 5). */
enum ledger_verdict ledger_expire(struct ledger_books *books, int64_t clock_ms, struct ledger_step *ret_step);
/* The account fenced the box, or journal_acknowledge() found a fork (rule 7). Also without a lease. */
enum ledger_verdict ledger_fence(struct ledger_books *books, struct ledger_step *ret_step);
/* Gives the rest back. IN_FLIGHT: drain first. The account is told after this is on the disk, never before (rule 4). */
enum ledger_verdict ledger_close(struct ledger_books *books, struct ledger_step *ret_step);
/* The account's answer, which names its lease (rule 3). */
enum ledger_verdict ledger_closed(struct ledger_books *books, uint64_t lease_id);

/* -- spending ---------------------------------------------------------------------------------------------------------- */

struct ledger_want { int64_t message_id; uint8_t parts; struct price_quote quote; };   /* quote: price_of() for so many parts */

struct ledger_answer {
    int64_t needed_micro, available_micro;
    size_t fit;                              /* so many of the priced messages, in their order, could be had: all on DONE */
    size_t refused;                          /* by their quote: they cost nothing and are no part of the above */
};

/* All messages of a batch, or none (I6). postings: room for count of them, one for each priced message is handed back; so is
 * one hold for each of its parts, by ledger_hold_new(). *ret_answer is written whatever the verdict. */
enum ledger_verdict ledger_reserve(struct ledger_books *books, const struct ledger_want *wants, size_t count, int64_t clock_ms,
                                   struct ledger_posting *postings, size_t *ret_posted, struct ledger_answer *ret_answer);
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

/* -- proof -------------------------------------------------------------------------------------------------------------- */

/* The row agrees with itself: no account but the two is below 0, all are 0 together, reserved and captured do not exceed the
 * grant, and where the state allows no rest there is none. */
bool ledger_lease_sound(const struct ledger_lease *lease);
/* The balances are what the postings of the lease, from the first to the last in their order, sum up to. */
bool ledger_lease_balanced(const struct ledger_lease *lease, const struct ledger_posting *postings, size_t count);

#endif
