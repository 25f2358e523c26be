/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h - opening the database: pragmas, version, migrations, first check. Inside src/store. */
#ifndef CELLPOST_STORE_SCHEMA_H
#define CELLPOST_STORE_SCHEMA_H

#include "src/store/sql.h"

enum schema_mode {
    SCHEMA_WRITE,        /* create or migrate; check the whole file where that is quick, or before it is migrated */
    SCHEMA_REOPEN,       /* as it was opened before: pragmas alone */
    SCHEMA_READ,         /* read-only; -ENOENT where there is none */
};

/* tag: for a database to be created, 4 characters. On error sql is closed and ret_error (may be NULL) holds a sentence.
 * -EPROTO newer version, -EBADMSG damaged or not ours, -EACCES may not be read or written, -EBUSY, -ENOSPC, -EIO. */
int schema_open(struct sql *sql, enum schema_mode mode, const char *path, const char *vfs, const char *tag, char *ret_error,
                size_t error_size);

/* Larger than what a start has the time to read. */
bool schema_is_large(struct sql *sql);
#define SCHEMA_DETAIL_SIZE 256
/* Reads the whole file: 0, -EBADMSG with what was found, or why it cannot be read. */
int schema_check(struct sql *sql, char ret_detail[SCHEMA_DETAIL_SIZE]);
/* A sentence for a person; ret_error may be NULL. */
void schema_explain(int error, const char *path, const char *detail, char *ret_error, size_t error_size);

/* Kinds of rows in the table counter. */
enum { COUNTER_COMMITS = 0, COUNTER_STATE = 1, COUNTER_SIM_PARTS = 2, COUNTER_CLOCK = 3, COUNTER_OPT_OUTS = 4 };

/* Messages are found by number and client reference shelf by shelf: id >> 12. See schema.c. */
#define MESSAGE_SHELF_BITS 12

#endif
