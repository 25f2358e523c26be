/* SPDX-License-Identifier: Apache-2.0
 *
 * store_read_opt_out.c - the numbers that want no more messages. */
#include <errno.h>

#include "src/store/reader.h"
#include "src/store/schema.h"

#define OPT_OUT_SELECT \
    "SELECT o.number, o.source, o.word, s.iccid, o.at_ms, o.confirmed_ms FROM opt_out o LEFT JOIN sim s ON s.id = o.sim_id WHERE "

static struct opt_out_row row_of(sqlite3_stmt *row)
{
    return (struct opt_out_row){
        .number = sql_column_text(row, 0),
        .source = sql_column_text(row, 1),
        .word = sql_column_text(row, 2),
        .iccid = sql_column_text(row, 3),
        .at_ms = sqlite3_column_int64(row, 4),
        .confirmed_ms = sqlite3_column_int64(row, 5),
    };
}

int store_read_opt_outs(struct store_reader *reader, const char *after, uint32_t limit,
                        void (*each)(void *context, const struct opt_out_row *row), void *context)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql, OPT_OUT_SELECT "o.number > ?1 ORDER BY o.number LIMIT ?2",
                    SQL_ARGS(sql_text(after != NULL ? after : ""), sql_int(limit)));
    while (sql_next(sql, row)) {
        struct opt_out_row opt_out = row_of(row);

        each(context, &opt_out);
    }
    return sql->failed;
}

int store_read_opt_out(struct store_reader *reader, const char *number, void (*each)(void *context, const struct opt_out_row *row),
                       void *context)
{
    struct sql *sql = &reader->sql;
    struct opt_out_row opt_out;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql, OPT_OUT_SELECT "o.number = ?1", SQL_ARGS(sql_text(number)));
    if (!sql_next(sql, row))
        return sql->failed != 0 ? sql->failed : -ENOENT;
    opt_out = row_of(row);
    each(context, &opt_out);
    sql_end(sql, row);
    return sql->failed;
}

int store_read_opt_out_count(struct store_reader *reader, uint64_t *ret_count)
{
    reader_begin(reader);
    *ret_count = (uint64_t)sql_number(&reader->sql, "SELECT n FROM counter WHERE kind = ?1 AND id = 0", 0, SQL_ARGS(sql_int(COUNTER_OPT_OUTS)));
    return reader->sql.failed;
}
