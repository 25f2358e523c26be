/* SPDX-License-Identifier: Apache-2.0
 *
 * credit_books.h - the invariants of a box's books, by SQL over what is on its disk: each counts what must not be. */
#ifndef CELLPOST_CREDIT_BOOKS_H
#define CELLPOST_CREDIT_BOOKS_H

#include <stddef.h>

#define POSTED(account, balance) \
    "(SELECT coalesce(sum(micro), 0) FROM credit_posting WHERE lease_id = l.id AND to_account = " account ")" \
    " - (SELECT coalesce(sum(micro), 0) FROM credit_posting WHERE lease_id = l.id AND from_account = " account ") <> " balance

static const struct { const char *sentence, *query; } credit_books[] = {
    { "I1: balances that are not the sum of their postings", "SELECT count(*) FROM credit_lease l WHERE "
        POSTED("0", "grant_micro") " OR " POSTED("1", "available_micro") " OR " POSTED("2", "reserved_micro") " OR "
        POSTED("3", "captured_micro") " OR " POSTED("4", "suspense_micro") " OR " POSTED("5", "returned_micro") " OR "
        POSTED("6", "debt_micro") " OR " POSTED("7", "overspent_micro") },
    { "I1: postings with gaps", "SELECT count(*) FROM credit_lease l WHERE postings <> (SELECT count(*) FROM credit_posting WHERE"
        " lease_id = l.id) OR postings <> (SELECT max(seq) FROM credit_posting WHERE lease_id = l.id)" },
    { "I2: more than the grant", "SELECT count(*) FROM credit_lease WHERE reserved_micro < 0 OR captured_micro < 0 OR available_micro < 0"
        " OR suspense_micro < 0 OR reserved_micro + captured_micro > -grant_micro" },
    { "I3: a part captured twice", "SELECT count(*) FROM (SELECT sum(CASE journal_kind WHEN 1 THEN 1 WHEN 3 THEN -1 ELSE 0 END) AS n"
        " FROM credit_posting WHERE journal_seq IS NOT NULL GROUP BY message_id, part) WHERE n NOT IN (0, 1)" },
    { "I6: a message was handed over without a reservation", "SELECT count(*) FROM attempt a JOIN message m ON m.id = a.message_id"
        " WHERE m.credit_state = 2 AND a.state = 1" },
    { "I12: what was refused was charged", "SELECT count(*) FROM credit_posting p JOIN message m ON m.id = p.message_id"
        " WHERE m.first_state = 8 AND p.to_account = 3" },
    { "reserved is what the messages hold", "SELECT count(*) FROM credit_lease l WHERE reserved_micro <> (SELECT"
        " coalesce(sum(credit_micro * (parts - (SELECT count(DISTINCT part) FROM attempt WHERE message_id = m.id AND charge_seq > 0))), 0)"
        " FROM message m WHERE m.credit_state = 1 AND m.credit_lease = l.id)" },
    { "what was sent is charged", "SELECT count(*) FROM attempt a JOIN message m ON m.id = a.message_id WHERE a.state = 2 AND"
        " m.credit_state IN (1, 3) AND NOT EXISTS (SELECT 1 FROM attempt b WHERE b.message_id = a.message_id AND b.part = a.part AND b.charge_seq > 0)" },
    { "leases", "SELECT count(*) > 1 FROM credit_lease WHERE state = 1" },
};
#define CREDIT_BOOKS (sizeof credit_books / sizeof credit_books[0])

/* What was captured on this box, over all leases. */
#define CREDIT_SPENT_QUERY "SELECT coalesce(sum(captured_micro + overspent_micro), 0) FROM credit_lease"

#endif
