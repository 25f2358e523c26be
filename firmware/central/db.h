/* SPDX-License-Identifier: Apache-2.0
 *
 * db.h - where cellpost-central keeps its rows: an SQLite file, or a PostgreSQL database that several processes share.
 *
 * Both keep the contract of src/account/account_db.h. One connection belongs to one thread; open as many as there are threads.
 * Durable:   a commit that returned 0 is on the disk (SQLite: WAL with synchronous=FULL; PostgreSQL: synchronous_commit is
 *            switched on where the server has it off).
 * Away:      PostgreSQL that goes away before a commit is -EAGAIN, and the next begin connects anew; where that fails it is
 *            -EIO until it is back. Gone during a commit is -EIO: whether it took hold is not known. A disk under SQLite that
 *            fails is the same; the file is opened anew by the next begin.
 * Memory:    some 100 KiB a connection, and a copy of the newest price table. */
#ifndef CELLPOST_CENTRAL_DB_H
#define CELLPOST_CENTRAL_DB_H

#include "src/account/account_db.h"

struct central_db;

/* where: the path of a file, which is made if it is missing, or postgresql://... as libpq reads it. Brings an older database up
 * to this program's version. On failure problem holds a sentence for a person: -EPROTO a newer version, -EBADMSG damaged or of
 * another program, -EACCES, -EBUSY, -ENOSPC, -EINVAL no such address, -EIO. */
int central_db_open(const char *where, struct central_db **ret_db, char *problem, size_t problem_size);
void central_db_close(struct central_db *db);    /* accepts NULL; an open transaction is rolled back */

/* For src/account; good until the close. */
struct account_db central_db_ops(struct central_db *db);

/* "SQLite" or "PostgreSQL", for a person. */
const char *central_db_kind(const struct central_db *db);

#endif
