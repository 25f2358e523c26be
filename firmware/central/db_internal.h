/* SPDX-License-Identifier: Apache-2.0
 *
 * db_internal.h - shared by the files of firmware/central/db*.c alone. */
#ifndef CELLPOST_CENTRAL_DB_INTERNAL_H
#define CELLPOST_CENTRAL_DB_INTERNAL_H

#include "firmware/central/db.h"
#include "firmware/central/db_rows.h"

#define DB_SCHEMA_VERSION 1                  /* of both storages */

/* Return 0 to go on, anything else to end with it. The values are lent. */
typedef int db_each(void *context, const struct db_value *values, size_t count);

/* What SQLite and PostgreSQL do each in its way. Errors are those of account_db.h. */
struct db_backend {
    const char *kind;
    int (*begin)(struct central_db *db, unsigned attempt);
    int (*commit)(struct central_db *db);
    void (*rollback)(struct central_db *db);
    /* -EEXIST, -ENOENT: it changed no row where it should have. PostgreSQL may find that out later: then something says -EAGAIN,
     * and the next try is exact. */
    int (*write)(struct central_db *db, enum db_statement_id id, const struct db_value *values, size_t count);
    int (*read)(struct central_db *db, enum db_statement_id id, const struct db_value *values, size_t count, db_each *each, void *context);
    void (*close)(struct central_db *db);
};

#define DB_PRICE_ROWS_KEPT 1024              /* a power of two */

struct central_db {
    const struct db_backend *backend;
    /* Price tables do not change once they are there, and every lease and every entry asks for them. */
    bool prices_written;                     /* in this transaction: what is not committed is not to be remembered */
    struct account_price price;              /* version 0: none */
    char *price_csv;
    struct account_price_row price_rows[DB_PRICE_ROWS_KEPT];
    char *lent;                              /* texts of the last row that was read */
    size_t lent_size;
};

int db_sqlite_open(const char *path, struct central_db **ret_db, char *problem, size_t problem_size);
int db_postgres_open(const char *address, struct central_db **ret_db, char *problem, size_t problem_size);
bool db_postgres_is_address(const char *where);
/* The connection is a new one: nothing that was read before is believed. */
void db_forget(struct central_db *db);
/* PostgreSQL: every write waits for its result, as it does by itself after a key was found to be taken. */
void db_postgres_be_exact(struct central_db *db, bool exact);

/* The tables of version 1 in the words of each: numbers of 64 bits, octets, a number that is given out; and what ends a table:
 * any, one that is its own index, those whose rows change with every request.
 * What a posting or an entry refers to is proven by account_check(): to look for each of thousands costs more than to write them. */
#define DB_SCHEMA_1(NUMBER, BYTES, SERIAL, PLAIN, KEYED, HOT, HOT_KEYED) \
    "CREATE TABLE account(id " SERIAL ", name TEXT NOT NULL UNIQUE, created_ms " NUMBER " NOT NULL," \
    " available_micro " NUMBER " NOT NULL CHECK(available_micro>=0), funded_micro " NUMBER " NOT NULL, paid_out_micro " NUMBER " NOT NULL," \
    " postings " NUMBER " NOT NULL)" HOT ";" \
    "CREATE TABLE box(id " BYTES " NOT NULL PRIMARY KEY, account " NUMBER " NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED," \
    " label TEXT NOT NULL, state " NUMBER " NOT NULL CHECK(state BETWEEN 1 AND 3), epoch " NUMBER " NOT NULL, key_sha256 " BYTES " NOT NULL," \
    " hw_fingerprint " BYTES " NOT NULL, version TEXT NOT NULL, last_lease_id " NUMBER " NOT NULL, last_command " NUMBER " NOT NULL," \
    " alarms " NUMBER " NOT NULL, chain " NUMBER " NOT NULL, acked_seq " NUMBER " NOT NULL, acked_hash " BYTES " NOT NULL," \
    " lease_max_micro " NUMBER " NOT NULL, created_ms " NUMBER " NOT NULL, seen_ms " NUMBER " NOT NULL)" HOT_KEYED ";" \
    "CREATE INDEX box_account ON box(account, id);" \
    "CREATE TABLE lease(box " BYTES " NOT NULL REFERENCES box DEFERRABLE INITIALLY DEFERRED, id " NUMBER " NOT NULL," \
    " account " NUMBER " NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED, epoch " NUMBER " NOT NULL," \
    " state " NUMBER " NOT NULL CHECK(state BETWEEN 1 AND 5), grant_micro " NUMBER " NOT NULL, price_version " NUMBER " NOT NULL," \
    " issued_ms " NUMBER " NOT NULL, spend_until_ms " NUMBER " NOT NULL, settle_until_ms " NUMBER " NOT NULL, closed_ms " NUMBER " NOT NULL," \
    " rest_micro " NUMBER " NOT NULL CHECK(rest_micro>=0), suspense_micro " NUMBER " NOT NULL CHECK(suspense_micro>=0)," \
    " captured_micro " NUMBER " NOT NULL CHECK(captured_micro>=0), debt_micro " NUMBER " NOT NULL CHECK(debt_micro>=0)," \
    " returned_micro " NUMBER " NOT NULL, postings " NUMBER " NOT NULL, PRIMARY KEY(box, id))" HOT_KEYED ";" \
    "CREATE INDEX lease_unsettled ON lease(box, id) WHERE state<4;" \
    "CREATE INDEX lease_due ON lease(spend_until_ms, box, id) WHERE state=1;" \
    "CREATE TABLE posting(account " NUMBER " NOT NULL, box " BYTES " NOT NULL, lease " NUMBER " NOT NULL, number " NUMBER " NOT NULL," \
    " from_book " NUMBER " NOT NULL, to_book " NUMBER " NOT NULL, micro " NUMBER " NOT NULL CHECK(micro>0), reason " NUMBER " NOT NULL," \
    " chain " NUMBER " NOT NULL, entry " NUMBER " NOT NULL, refers " NUMBER " NOT NULL, at_ms " NUMBER " NOT NULL," \
    " who TEXT NOT NULL, note TEXT NOT NULL, PRIMARY KEY(account, box, lease, number))" KEYED ";" \
    "CREATE TABLE entry(box " BYTES " NOT NULL, chain " NUMBER " NOT NULL, seq " NUMBER " NOT NULL, lease " NUMBER " NOT NULL," \
    " kind " NUMBER " NOT NULL CHECK(kind BETWEEN 1 AND 3), message " NUMBER " NOT NULL, part " NUMBER " NOT NULL, attempt " NUMBER " NOT NULL," \
    " units_micro " NUMBER " NOT NULL, price_row " NUMBER " NOT NULL, refers_seq " NUMBER " NOT NULL, boot_id " BYTES " NOT NULL," \
    " t_mono_ms " NUMBER " NOT NULL, t_wall_ms " NUMBER " NOT NULL, prev_hash " BYTES " NOT NULL, hash " BYTES " NOT NULL," \
    " posting " NUMBER " NOT NULL, paid " NUMBER " NOT NULL CHECK(paid BETWEEN 0 AND 3), is_over " NUMBER " NOT NULL CHECK(is_over BETWEEN 0 AND 1)," \
    " PRIMARY KEY(box, chain, seq))" KEYED ";" \
    "CREATE UNIQUE INDEX entry_charge ON entry(box, chain, message, part) WHERE kind=1 AND is_over=0;" \
    "CREATE TABLE answer(box " BYTES " NOT NULL REFERENCES box DEFERRABLE INITIALLY DEFERRED, request " BYTES " NOT NULL," \
    " body_sha256 " BYTES " NOT NULL, status " NUMBER " NOT NULL, lease " NUMBER " NOT NULL, available_micro " NUMBER " NOT NULL," \
    " at_ms " NUMBER " NOT NULL, paper " BYTES " NOT NULL, PRIMARY KEY(box, request))" KEYED ";" \
    "CREATE INDEX answer_old ON answer(at_ms) WHERE lease=0;" \
    "CREATE TABLE command(box " BYTES " NOT NULL REFERENCES box DEFERRABLE INITIALLY DEFERRED, epoch " NUMBER " NOT NULL," \
    " number " NUMBER " NOT NULL, kind " NUMBER " NOT NULL CHECK(kind BETWEEN 1 AND 6), time_ms " NUMBER " NOT NULL, reason TEXT NOT NULL," \
    " message " NUMBER " NOT NULL, part " NUMBER " NOT NULL, refers_seq " NUMBER " NOT NULL, units_micro " NUMBER " NOT NULL," \
    " price_version " NUMBER " NOT NULL, price_sha256 " BYTES " NOT NULL, account_key " BYTES " NOT NULL, signature " BYTES " NOT NULL," \
    " PRIMARY KEY(box, epoch, number))" KEYED ";" \
    "CREATE TABLE price(version " NUMBER " NOT NULL PRIMARY KEY, sha256 " BYTES " NOT NULL, csv " BYTES " NOT NULL, row_count " NUMBER " NOT NULL," \
    " at_ms " NUMBER " NOT NULL)" PLAIN ";" \
    "CREATE TABLE price_row(version " NUMBER " NOT NULL, price_row " NUMBER " NOT NULL, gsm7_micro " NUMBER " NOT NULL," \
    " ucs2_micro " NUMBER " NOT NULL, PRIMARY KEY(version, price_row))" KEYED ";" \
    "CREATE TABLE token(sha256 " BYTES " NOT NULL PRIMARY KEY, account " NUMBER " NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED," \
    " again " NUMBER " NOT NULL, box " BYTES " NOT NULL, label TEXT NOT NULL, lease_max_micro " NUMBER " NOT NULL, created_ms " NUMBER " NOT NULL," \
    " expires_ms " NUMBER " NOT NULL, used_ms " NUMBER " NOT NULL, nonce " BYTES " NOT NULL, request_sha256 " BYTES " NOT NULL," \
    " epoch " NUMBER " NOT NULL, certificate TEXT NOT NULL)" PLAIN ";" \
    "CREATE TABLE alarm(box " BYTES " NOT NULL REFERENCES box DEFERRABLE INITIALLY DEFERRED, number " NUMBER " NOT NULL, kind " NUMBER " NOT NULL," \
    " lease " NUMBER " NOT NULL, entry " NUMBER " NOT NULL, micro " NUMBER " NOT NULL, at_ms " NUMBER " NOT NULL, PRIMARY KEY(box, number))" KEYED ";"

#endif
