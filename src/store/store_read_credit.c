/* SPDX-License-Identifier: Apache-2.0
 *
 * store_read_credit.c - the box's ledger for those who look. */
#include <errno.h>

#include "src/store/reader.h"
#include "src/store/schema.h"

static void read_lease(struct sql *sql, int64_t id, struct credit_lease_row *ret_lease)
{
    sqlite3_stmt *row;

    if (id == 0)
        return;
    row = sql_query(sql, "SELECT id, state, -grant_micro, available_micro, captured_micro, issued_ms, spend_until_ms, price_version, mark_ms"
                         " FROM credit_lease WHERE id = ?1", SQL_ARGS(sql_int(id)));
    if (!sql_next(sql, row))
        return;
    *ret_lease = (struct credit_lease_row){
        .id = sqlite3_column_int64(row, 0),
        .state = (enum ledger_lease_state)sqlite3_column_int(row, 1),
        .grant_micro = sqlite3_column_int64(row, 2),
        .available_micro = sqlite3_column_int64(row, 3),
        .captured_micro = sqlite3_column_int64(row, 4),
        .issued_ms = sqlite3_column_int64(row, 5),
        .spend_until_ms = sqlite3_column_int64(row, 6),
        .price_version = (uint32_t)sqlite3_column_int64(row, 7),
        .mark_ms = sqlite3_column_int64(row, 8),
    };
    sql_end(sql, row);
}

int store_read_credit(struct store_reader *reader, struct credit_row *ret_row)
{
    struct sql *sql = &reader->sql;
    struct credit_row credit = { .fenced = false };
    int64_t open = 0, old = 0;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql, "SELECT account, open_lease_id, old_lease_id, last_lease_id, fenced, frozen, mark_ms FROM credit_box WHERE id = 1", SQL_NO_ARGS);
    if (!sql_next(sql, row))
        return sql->failed != 0 ? sql->failed : -ENOENT;
    sql_copy_text(row, 0, credit.account, sizeof credit.account);
    open = sqlite3_column_int64(row, 1);
    old = sqlite3_column_int64(row, 2);
    credit.ever_had_lease = sqlite3_column_int64(row, 3) != 0;
    credit.fenced = sqlite3_column_int(row, 4) != 0;
    credit.frozen = sqlite3_column_int(row, 5) != 0;
    credit.mark_ms = sqlite3_column_int64(row, 6);
    sql_end(sql, row);
    read_lease(sql, open, &credit.open);
    read_lease(sql, old, &credit.old);
    if (credit.open.mark_ms > credit.mark_ms)
        credit.mark_ms = credit.open.mark_ms;
    if (credit.old.mark_ms > credit.mark_ms)
        credit.mark_ms = credit.old.mark_ms;
    credit.reserved_micro = sql_number(sql, "SELECT sum(reserved_micro) FROM credit_lease INDEXED BY credit_lease_used WHERE state <> 6"
                                            " AND reserved_micro > 0", 0, SQL_NO_ARGS);
    credit.waiting = (uint64_t)sql_number(sql, "SELECT n FROM counter WHERE kind = ?1 AND id = ?2", 0,
                                          SQL_ARGS(sql_int(COUNTER_STATE), sql_int(MESSAGE_WAIT_CREDIT)));
    if (sql->failed == 0)
        *ret_row = credit;
    return sql->failed;
}

int store_read_prices(struct store_reader *reader, uint32_t version, void (*each)(void *context, const char *csv), void *context)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql, "SELECT csv FROM credit_prices WHERE version = ?1", SQL_ARGS(sql_int(version)));
    if (!sql_next(sql, row))
        return sql->failed != 0 ? sql->failed : -ENOENT;
    each(context, sql_column_text(row, 0));
    sql_end(sql, row);
    return sql->failed;
}

#define POSTING_SELECT \
    "SELECT id, at_ms, reason, lease_id, from_account, to_account, micro, coalesce(batch_id, 0), coalesce(message_id, 0), part, attempt," \
    " coalesce(journal_seq, 0) FROM credit_posting WHERE "

int store_read_postings(struct store_reader *reader, const struct posting_filter *filter,
                        void (*each)(void *context, const struct posting_row *row), void *context)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    if (filter->oldest_first)
        row = sql_query(sql, POSTING_SELECT "id > ?1 ORDER BY id LIMIT ?2", SQL_ARGS(sql_int(filter->after_id), sql_int(filter->limit)));
    else
        row = sql_query(sql, POSTING_SELECT "id < ?1 ORDER BY id DESC LIMIT ?2",
                        SQL_ARGS(sql_int(filter->before_id != 0 ? filter->before_id : INT64_MAX), sql_int(filter->limit)));
    while (sql_next(sql, row)) {
        struct posting_row posting = {
            .id = sqlite3_column_int64(row, 0),
            .at_ms = sqlite3_column_int64(row, 1),
            .reason = (enum ledger_reason)sqlite3_column_int(row, 2),
            .lease_id = sqlite3_column_int64(row, 3),
            .from = (enum ledger_account)sqlite3_column_int(row, 4),
            .to = (enum ledger_account)sqlite3_column_int(row, 5),
            .micro = sqlite3_column_int64(row, 6),
            .batch_id = sqlite3_column_int64(row, 7),
            .message_id = sqlite3_column_int64(row, 8),
            .part = (uint8_t)sqlite3_column_int(row, 9),
            .attempt = (uint32_t)sqlite3_column_int64(row, 10),
            .journal_seq = sqlite3_column_int64(row, 11),
        };

        each(context, &posting);
    }
    return sql->failed;
}
