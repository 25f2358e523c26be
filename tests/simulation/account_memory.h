/* SPDX-License-Identifier: Apache-2.0
 *
 * account_memory.h - a storage of the account in memory (src/account/account_db.h): of unit tests and of the simulation.
 *
 * What is committed is its disk. A transaction is undone from a log; any call can be made to fail, and any commit to be cut
 * off, before it took hold or after. A copy is a backup: restoring it forgets all that was committed since.
 * One transaction runs at a time; several connections (struct account_db) to it are one and the same.
 * Ownership: account_memory_new() is freed with account_memory_free(). No memory left stops the program: it is a test. */
#ifndef CELLPOST_ACCOUNT_MEMORY_H
#define CELLPOST_ACCOUNT_MEMORY_H

#include "src/account/account_db.h"

struct account_memory;

struct account_memory *account_memory_new(void);
void account_memory_free(struct account_memory *memory);   /* accepts NULL */
/* Valid as long as the memory is. */
struct account_db account_memory_db(struct account_memory *memory);

/* -- what goes wrong ---------------------------------------------------------------------------------------------------- */

/* The n-th call from now on (1: the next; begin and commit are calls, rollback is not) does nothing but return error, and up
 * to the rollback all after it do. 0: none does. A commit that fails so did not take hold. */
void account_memory_fail(struct account_memory *memory, uint64_t n, int error);
/* The n-th commit from now on takes hold, but answers -EIO all the same: nobody knows. 0: none does. */
void account_memory_lose_answer(struct account_memory *memory, uint64_t n);
/* From now on no transaction begins: begin answers error. The database is away. */
void account_memory_refuse(struct account_memory *memory, int error);
/* True if what was armed last has happened; disarms all of the above. */
bool account_memory_calm(struct account_memory *memory);
/* Calls so far, of all kinds but rollback. */
uint64_t account_memory_calls(const struct account_memory *memory);

/* -- backup ------------------------------------------------------------------------------------------------------------- */

/* Of what is committed; a running transaction is not in it. */
struct account_memory *account_memory_copy(const struct account_memory *memory);
/* The storage is as the backup was, and the backup as it is. Not inside a transaction. */
void account_memory_restore(struct account_memory *memory, const struct account_memory *backup);

/* -- for those who look at it ------------------------------------------------------------------------------------------- */

/* The alarms of a box in their order; box NULL: how many there are of all. ret_rows may be NULL. Returns how many there are. */
size_t account_memory_alarms(const struct account_memory *memory, const uint8_t *box, struct account_alarm_row *ret_rows, size_t size);
/* A hash of all that is committed: equal if nothing changed. */
uint64_t account_memory_digest(const struct account_memory *memory);

/* For tests of what finds damage: the next account_db calls see what was changed here, of a row that is there. Each returns
 * NULL if it is not. */
struct account_row *account_memory_account(struct account_memory *memory, int64_t id);
struct account_box *account_memory_box(struct account_memory *memory, const uint8_t *box);
struct account_lease *account_memory_lease(struct account_memory *memory, const uint8_t *box, uint64_t lease);
struct account_posting *account_memory_posting(struct account_memory *memory, int64_t account, const uint8_t *box, uint64_t lease, uint64_t number);
struct account_entry *account_memory_entry(struct account_memory *memory, const uint8_t *box, uint32_t chain, uint64_t seq);

#endif
