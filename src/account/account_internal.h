/* SPDX-License-Identifier: Apache-2.0
 *
 * account_internal.h - shared by the files of src/account alone. */
#ifndef CELLPOST_ACCOUNT_INTERNAL_H
#define CELLPOST_ACCOUNT_INTERNAL_H

#include "src/account/account.h"

/* One try of a transaction: a status of 0 and up, which is committed, or a negative errno, after which it is taken back. */
typedef int account_work(const struct account_db *db, void *context);
int account_transact(const struct account_db *db, account_work *work, void *context);

/* What the public calls return of a result of the above. */
static inline int account_says(int result, enum account_status *ret_status)
{
    if (result < 0)
        return result;
    *ret_status = (enum account_status)result;
    return 0;
}

/* Text of a person: UTF-8 without control characters, shorter than chars. */
bool account_text_fits(const char *text, size_t chars);

/* The row of the caller, if it may ask for anything: 0 or a status, or a negative errno. */
int account_admit(const struct account_db *db, const struct account_caller *caller, struct account_box *ret_box);

/* Moves credits, of a lease or of the account (lease NULL), and writes the posting: the only place where a balance changes.
 * The rows are changed, not written; account is needed where the posting touches a book of it. Gives the posting its number. */
int account_post(const struct account_db *db, struct account_row *account, struct account_lease *lease, struct account_posting *posting);

/* The books of one lease that can be read as one number. */
static inline int64_t *account_lease_book(struct account_lease *lease, enum account_book book)
{
    switch (book) {
    case BOOK_LEASED: return &lease->rest_micro;
    case BOOK_SUSPENSE: return &lease->suspense_micro;
    case BOOK_CAPTURED: return &lease->captured_micro;
    case BOOK_OVERSPENT: return &lease->debt_micro;
    default: return NULL;
    }
}

/* Where credits of a lease that come back go: its rest, its suspense, or, if it is settled, what is available. */
enum account_book account_back_to(const struct account_lease *lease);
/* Takes a capture back, to that book or off the debt: posts and marks it as over. posting: its reason, entry and persons. */
int account_undo(const struct account_db *db, struct account_row *account, struct account_lease *lease, const struct account_entry *captured,
                 enum account_book to, struct account_posting *posting);

/* What is left of it goes to suspense. The row is written. */
int account_suspend(const struct account_db *db, struct account_lease *lease, enum account_lease_state state, int64_t now_ms);
/* The next epoch; all that is unclosed to suspense. The row of the box is changed, not written. */
int account_fence(const struct account_db *db, struct account_box *box, int64_t now_ms);
/* The row of the box is changed, not written. Number, time and signature of the command are set here. */
int account_tell(const struct account_db *db, const struct account_hands *hands, struct account_box *box, struct command *command, int64_t now_ms);
/* Tells the box that it is fenced, in the epoch that ends, and fences it. The row of the box is changed, not written. */
int account_revoke(const struct account_db *db, const struct account_hands *hands, struct account_box *box, const char *reason, int64_t now_ms);
/* A second copy of the box is at work: fences it. ACCOUNT_FORK. */
int account_found_fork(const struct account_db *db, const struct account_hands *hands, struct account_box *box, uint64_t lease, uint64_t entry,
                       int64_t now_ms);
int account_alarm(const struct account_db *db, struct account_box *box, enum account_alarm kind, uint64_t lease, uint64_t entry, int64_t micro,
                  int64_t now_ms);

/* Leases that are open or expired: all of the present epoch, since those of an old one are fenced. More than two there are only
 * while a box reminds the account of what it forgot (account_papers()). */
struct account_unclosed { struct account_lease leases[ACCOUNT_UNCLOSED_MAX]; size_t count; };
int account_unclosed(const struct account_db *db, const uint8_t box[LEASE_BOX_ID_OCTETS], struct account_unclosed *ret_unclosed);

#endif
