/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/sql.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct sql_value sql_text(const char *text)
{
    return sql_text_n(text, text != NULL ? strlen(text) : 0);
}

int sql_errno(int code)
{
    static const struct { int code; int error; } errors[] = {
        { SQLITE_OK, 0 },           { SQLITE_FULL, -ENOSPC },    { SQLITE_BUSY, -EBUSY },     { SQLITE_LOCKED, -EBUSY },
        { SQLITE_CORRUPT, -EBADMSG }, { SQLITE_NOTADB, -EBADMSG }, { SQLITE_PERM, -EACCES },  { SQLITE_READONLY, -EACCES },
        { SQLITE_CANTOPEN, -EACCES }, { SQLITE_AUTH, -EACCES },  { SQLITE_NOMEM, -ENOMEM },
    };

    if (code == SQLITE_IOERR_NOMEM)      /* of its own file layer: the disk has no part in it */
        return -ENOMEM;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].code == (code & 0xFF))
            return errors[i].error;
    return -EIO;
}

static void sql_fail(struct sql *sql)
{
    if (sql->failed == 0)
        sql->failed = sql_errno(sqlite3_errcode(sql->db));
    if (sql->failed == 0)
        sql->failed = -EIO;
}

static sqlite3_stmt *sql_prepared(struct sql *sql, const char *text)
{
    size_t at = ((uintptr_t)text >> 4) % SQL_SLOTS;
    size_t tries = 0;

    while (sql->slots[at].text != NULL && sql->slots[at].text != text) {
        at = (at + 1) % SQL_SLOTS;
        tries++;
        assert(tries < SQL_SLOTS);
    }
    if (sql->slots[at].text == NULL) {
        if (sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &sql->slots[at].stmt, NULL) != SQLITE_OK) {
            sql_fail(sql);
            return NULL;
        }
        sql->slots[at].text = text;
    }
    return sql->slots[at].stmt;
}

static int sql_bind(sqlite3_stmt *stmt, int index, const struct sql_value *value)
{
    switch (value->kind) {
    case SQL_INT: return sqlite3_bind_int64(stmt, index, value->number);
    case SQL_TEXT: return sqlite3_bind_text64(stmt, index, value->bytes, value->length, SQLITE_STATIC, SQLITE_UTF8);
    case SQL_BLOB: return sqlite3_bind_blob64(stmt, index, value->bytes, value->length, SQLITE_STATIC);
    case SQL_NULL: break;
    }
    return sqlite3_bind_null(stmt, index);
}

sqlite3_stmt *sql_query(struct sql *sql, const char *text, const struct sql_value *values, size_t count)
{
    sqlite3_stmt *stmt = sql->failed == 0 ? sql_prepared(sql, text) : NULL;

    if (stmt == NULL)
        return NULL;
    assert(!sqlite3_stmt_busy(stmt) && (size_t)sqlite3_bind_parameter_count(stmt) == count);
    for (size_t i = 0; i < count; i++)
        if (sql_bind(stmt, (int)i + 1, &values[i]) != SQLITE_OK) {
            sql_fail(sql);
            return NULL;
        }
    return stmt;
}

bool sql_next(struct sql *sql, sqlite3_stmt *stmt)
{
    int r;

    if (stmt == NULL)
        return false;
    r = sql->failed == 0 ? sqlite3_step(stmt) : SQLITE_ABORT;
    if (r == SQLITE_ROW)
        return true;
    if (r != SQLITE_DONE)
        sql_fail(sql);
    (void)sqlite3_reset(stmt);           /* repeats the error of the step, already noted */
    return false;
}

void sql_end(struct sql *sql, sqlite3_stmt *stmt)
{
    if (stmt != NULL && sqlite3_reset(stmt) != SQLITE_OK)
        sql_fail(sql);
}

void sql_run(struct sql *sql, const char *text, const struct sql_value *values, size_t count)
{
    sqlite3_stmt *stmt = sql_query(sql, text, values, count);

    if (sql_next(sql, stmt))
        sql_end(sql, stmt);
}

int64_t sql_number(struct sql *sql, const char *text, int64_t otherwise, const struct sql_value *values, size_t count)
{
    sqlite3_stmt *stmt = sql_query(sql, text, values, count);
    int64_t number = otherwise;

    if (sql_next(sql, stmt)) {
        if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
            number = sqlite3_column_int64(stmt, 0);
        sql_end(sql, stmt);
    }
    return number;
}

void sql_close(struct sql *sql)
{
    for (size_t i = 0; i < SQL_SLOTS; i++) {
        (void)sqlite3_finalize(sql->slots[i].stmt);
        sql->slots[i].stmt = NULL;
        sql->slots[i].text = NULL;
    }
    (void)sqlite3_close(sql->db);
    sql->db = NULL;
}

const char *sql_column_text(sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);

    return text != NULL ? (const char *)text : "";
}

void sql_copy_text(sqlite3_stmt *stmt, int column, char *ret_text, size_t size)
{
    const char *text = sql_column_text(stmt, column);
    size_t length = strlen(text);

    if (length >= size)
        length = size - 1;
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
}
