/* SPDX-License-Identifier: Apache-2.0
 *
 * sql.h - one SQLite connection with its prepared statements, inside src/store.
 *
 * A statement is written where it is used and prepared once: the cache knows it by the address of its text, so the
 * text must be a literal. Failure is sticky: after the first one every call does nothing, and ->failed says why; the
 * caller looks at it once, before it believes what it has read or written.
 * A statement is in use from sql_query() until sql_next() returned false or sql_end(); never twice at a time. */
#ifndef CELLPOST_STORE_SQL_H
#define CELLPOST_STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#define SQL_SLOTS 256                    /* of the cache; power of two, about twice the statements there are */

struct sql {
    sqlite3 *db;
    int failed;                          /* 0 or the negative errno of the first failure */
    struct { const char *text; sqlite3_stmt *stmt; } slots[SQL_SLOTS];
};

enum sql_kind { SQL_NULL, SQL_INT, SQL_TEXT, SQL_BLOB };
struct sql_value { enum sql_kind kind; int64_t number; const void *bytes; size_t length; };

static inline struct sql_value sql_int(int64_t number) { return (struct sql_value){ SQL_INT, number, NULL, 0 }; }
static inline struct sql_value sql_blob(const void *bytes, size_t length)   /* NULL: SQL NULL */
{
    return (struct sql_value){ bytes != NULL ? SQL_BLOB : SQL_NULL, 0, bytes, length };
}
static inline struct sql_value sql_text_n(const char *text, size_t length)  /* NULL: SQL NULL */
{
    return (struct sql_value){ text != NULL ? SQL_TEXT : SQL_NULL, 0, text, length };
}
struct sql_value sql_text(const char *text);

#define SQL_ARGS(...) (const struct sql_value[]){ __VA_ARGS__ }, \
    sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value)
#define SQL_NO_ARGS NULL, 0

/* The errno of an SQLite result code: -ENOSPC, -EBUSY, -EBADMSG, -EACCES, -ENOMEM, else -EIO. */
int sql_errno(int code);

/* Binds (bytes are not copied: they stay valid while it is in use) and starts. NULL after a failure. */
sqlite3_stmt *sql_query(struct sql *sql, const char *text, const struct sql_value *values, size_t count);
bool sql_next(struct sql *sql, sqlite3_stmt *stmt);     /* a row is there; accepts NULL */
void sql_end(struct sql *sql, sqlite3_stmt *stmt);      /* enough rows; accepts NULL. Also what a column lacked memory for fails here */
void sql_run(struct sql *sql, const char *text, const struct sql_value *values, size_t count);
/* The first column of the first row, or otherwise. */
int64_t sql_number(struct sql *sql, const char *text, int64_t otherwise, const struct sql_value *values, size_t count);

void sql_close(struct sql *sql);                        /* finalizes everything; ->db is NULL then */

/* Column text that is never NULL: "" for SQL NULL, and where memory lacks: the next sql_next() or sql_end() fails then. */
const char *sql_column_text(sqlite3_stmt *stmt, int column);
/* Into an array, cut at its end. */
void sql_copy_text(sqlite3_stmt *stmt, int column, char *ret_text, size_t size);

#endif
