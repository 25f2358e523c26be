/* SPDX-License-Identifier: Apache-2.0
 *
 * credit_internal.h - what the files of the ledger on disk share. Inside src/store.
 *
 * The rows of the box and of the leases that are in use are kept in memory (struct credit), changed there by src/credit/ledger.h,
 * and written once at the end of the transaction that changed them; postings are written at once. A step that is rolled back
 * gets back what was in memory before it. The head of the journal is its last row, so that a capture writes a posting and the
 * row of its lease, and nothing else. */
#ifndef CELLPOST_STORE_CREDIT_INTERNAL_H
#define CELLPOST_STORE_CREDIT_INTERNAL_H

#include "src/store/store_internal.h"

/* Of a message, in its row. In databases: never change a number. */
enum credit_state {
    CREDIT_FREE = 0,                     /* it came in while the box had no account */
    CREDIT_HELD = 1,                     /* what of it was not captured is reserved */
    CREDIT_WAITS = 2,                    /* nothing is reserved for it */
    CREDIT_SETTLED = 3,                  /* it is over: nothing is reserved for it any more */
};

/* -- credit_rows.c ------------------------------------------------------------------------------------------------------ */

/* The row of a lease, kept in memory until the transaction ends. NULL: there is none, or sql.failed. */
struct ledger_lease *credit_lease(struct store *store, uint64_t lease_id);
/* What the ledger is to work on, and back. The lease with id 0 is none. */
struct ledger_books credit_books(struct store *store, uint64_t lease_id);
void credit_keep(struct store *store, const struct ledger_books *books);
void credit_keep_lease(struct store *store, const struct ledger_lease *lease);
/* A new lease, with what its paper says. */
void credit_add_lease(struct store *store, const struct ledger_lease *row, const struct lease *paper);
/* entry: NULL none. */
void credit_post(struct store *store, const struct ledger_posting *posting, const struct journal_entry *entry, int64_t now_ms);
void credit_post_step(struct store *store, const struct ledger_step *step, int64_t now_ms);
/* The entry of a row of JOURNAL_COLUMNS; prev_hash is not in it. */
#define JOURNAL_COLUMNS "journal_seq, lease_id, journal_kind, message_id, part, attempt, micro, price_row, refers_seq, boot, mono_ms, wall_ms, hash"
void credit_read_entry(sqlite3_stmt *row, struct journal_entry *ret_entry);
/* The hash of an entry of this epoch's journal. False: it is not here. */
bool credit_journal_hash(struct store *store, uint64_t seq, uint8_t ret_hash[SHA256_OCTETS]);
struct ledger_moment credit_moment(const struct store *store, int64_t now_ms);
/* The mark becomes the account's time, where they are apart. */
void credit_told_time(struct store *store, int64_t account_ms);
/* Of a version; it stays the store's. NULL: it is not here. Where memory lacks, or it cannot be read: sql.failed. */
const struct price_table *credit_prices(struct store *store, uint32_t version);
/* Messages that wait for credits. */
uint64_t credit_waiting(struct store *store);
void credit_summarize(struct store *store, struct credit_summary *ret_summary);

/* -- credit_spend.c ------------------------------------------------------------------------------------------------------ */

struct price_quote credit_quote(const struct price_table *table, const char *to, uint8_t alphabet, unsigned parts);
/* The parts of a message for which credits are reserved. */
size_t credit_holds(const struct standing *standing, struct ledger_hold ret_holds[MESSAGE_PARTS_MAX]);
#define CREDIT_UNPRICED_CODE "no_price"
#define CREDIT_UNPRICED_REASON "the account has no price for this number, or refuses it"

/* -- credit_move.c ------------------------------------------------------------------------------------------------------- */

int credit_move(struct store *store, struct change_credit *credit, int64_t now_ms);
int credit_resume(struct store *store, struct change_credit *credit, int64_t now_ms);

#endif
