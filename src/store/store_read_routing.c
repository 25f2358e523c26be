/* SPDX-License-Identifier: Apache-2.0
 *
 * store_read_routing.c - which tariffs and routes were in force. */
#include <errno.h>

#include "src/store/reader.h"
#include "src/store/store_read.h"

static void version_row(sqlite3_stmt *row, void (*each)(void *context, const struct version_row *row), void *context)
{
    const struct version_row version = { .id = sqlite3_column_int64(row, 0), .loaded_ms = sqlite3_column_int64(row, 1),
                                         .sha256 = sql_column_text(row, 2), .files = sql_column_text(row, 3) };

    each(context, &version);
}

int store_read_versions(struct store_reader *reader, void (*each)(void *context, const struct version_row *row), void *context)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql,
                    "SELECT id, loaded_ms, lower(hex(sha256)), (SELECT json_group_array(json_remove(value, '$.text')) FROM json_each(files))"
                    " FROM routing_version ORDER BY id DESC LIMIT ?1", SQL_ARGS(sql_int(STORE_VERSIONS_READ_MAX)));
    while (sql_next(sql, row))
        version_row(row, each, context);
    return sql->failed;
}

int store_read_version(struct store_reader *reader, int64_t id, void (*each)(void *context, const struct version_row *row), void *context)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql, "SELECT id, loaded_ms, lower(hex(sha256)), files FROM routing_version WHERE id = ?1", SQL_ARGS(sql_int(id)));
    if (!sql_next(sql, row))
        return sql->failed != 0 ? sql->failed : -ENOENT;
    version_row(row, each, context);
    sql_end(sql, row);
    return sql->failed;
}
