/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger_internal.h - shared by the files of the ledger alone. */
#ifndef CELLPOST_CREDIT_LEDGER_INTERNAL_H
#define CELLPOST_CREDIT_LEDGER_INTERNAL_H

#include "src/credit/ledger.h"

/* Moves an amount: the only place where a balance changes. posting has from, to, micro and what it is for. */
void ledger_post(struct ledger_lease *lease, struct ledger_posting *posting);

/* Whether what is available may be taken now. */
enum ledger_verdict ledger_may_spend(const struct ledger_books *books, int64_t clock_ms);

/* Where what a lease has left is: by its state. CLOSING and CLOSED have nothing left. */
bool ledger_rest_of(const struct ledger_lease *lease, enum ledger_account *ret_account);

#endif
