/* SPDX-License-Identifier: Apache-2.0
 *
 * db_postgres.h - shared by db_postgres*.c: a connection, and what is on its way through it. */
#ifndef CELLPOST_CENTRAL_DB_POSTGRES_H
#define CELLPOST_CENTRAL_DB_POSTGRES_H

#include <libpq-fe.h>

#include "firmware/central/db_bulk.h"
#include "firmware/central/db_internal.h"

#define PENDING_MAX 256

/* A statement that was sent and whose result was not read yet. */
struct pending { enum { PENDING_ANY, PENDING_ROWS, PENDING_COUNT, PENDING_COMMIT, PENDING_UNLOCK, PENDING_PASS } kind; uint64_t count; bool stream; };

struct postgres {
    struct central_db base;
    char *address;
    PGconn *connection;                      /* NULL: away */
    bool begun, wrote, committing;
    int failed;                              /* of this transaction: whatever is asked of it answers this */
    bool exact, always_exact;
    int64_t account;                         /* that this transaction read or wrote; 0: none */
    bool changes_account, refused;           /* refused: somebody in the queue holds it */
    bool queued;                             /* it holds the lock of its account */
    bool other_count;                        /* a statement changed more or fewer rows than it should have */
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    struct db_bulk bulks[DB_TABLES];
};

/* Connects, looks at the version, brings the tables up to date, prepares all statements. Errors as central_db_open(). */
int postgres_connect(struct postgres *pg, char *problem, size_t problem_size);
void postgres_disconnect(struct postgres *pg);
int postgres_errno(const char *sqlstate);    /* NULL: the connection is lost */
#define LOCKS_OF_ACCOUNTS "1129345379"       /* "CPsc": other programs may have advisory locks of their own */
void postgres_name(char prefix, unsigned id, char ret_name[8]);   /* of a prepared statement */

#endif
