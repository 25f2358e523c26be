/* SPDX-License-Identifier: Apache-2.0
 *
 * storage_cases.h - what both storages of cellpost-central have to do beyond the sentences of storage_conformance.h. */
#ifndef CELLPOST_STORAGE_CASES_H
#define CELLPOST_STORAGE_CASES_H

#include "firmware/central/db.h"

#define CASE_BOXES 4

/* An account, CASE_BOXES boxes with a lease each, the first numbers of their postings. On an empty storage. Returns the account's id. */
int64_t case_prepare(const struct account_db *db);
void case_box(unsigned number, uint8_t ret_id[LEASE_BOX_ID_OCTETS]);

/* One transaction as a server does it: credits move from the account to a lease (grant), with a posting of the account's. */
struct case_grant { int64_t account; unsigned box; int64_t micro; };
int case_grant(const struct account_db *db, const struct case_grant *grant, unsigned *ret_tries);
/* A post of usage: count captures from the box's head on, each with its posting. */
struct case_usage { unsigned box; size_t count; };
int case_usage(const struct account_db *db, const struct case_usage *usage, unsigned *ret_tries);
/* What there is agrees with itself: balances with postings, entries with leases. Fails the test otherwise. */
void case_check(const struct account_db *db, int64_t account, uint64_t *ret_grants, uint64_t *ret_entries);

/* The cases: open gives a connection of its own to the same storage, which was prepared. */
typedef struct central_db *case_open(void);
void many_rows_of_one_transaction_are_as_they_were_written(case_open *open);
void a_list_of_any_length_may_be_left_at_any_row(case_open *open);
void transactions_that_race_all_count_once(case_open *open);
void what_is_rolled_back_leaves_nothing(case_open *open);
void a_price_that_was_rolled_back_is_not_remembered(case_open *open);
void posts_of_usage_are_booked_whole_or_not_at_all(case_open *open);

#endif
