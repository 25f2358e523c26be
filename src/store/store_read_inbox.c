/* SPDX-License-Identifier: Apache-2.0
 *
 * store_read_inbox.c - incoming messages, cards, keys. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/hex.h"
#include "src/store/reader.h"
#include "src/store/schema.h"

#define INBOX_SELECT(source) \
    "SELECT i.id, i.received_ms, i.scts_ms, i.tz_quarters, i.sender, i.text, s.iccid, m.imei, i.problem, i.data, i.alphabet," \
    " i.message_class, i.parts, i.port_bits, i.port_dst, i.port_src, (SELECT p.pdu FROM inbox_part p INDEXED BY inbox_part_whole" \
    " WHERE p.inbox_id IS NOT NULL AND p.inbox_id = i.id ORDER BY p.seq LIMIT 1) FROM inbox i " source \
    " LEFT JOIN sim s ON s.id = i.sim_id LEFT JOIN modem m ON m.id = i.modem_id WHERE "

/* The strings are of the statement, but for pdu_hex, which has room of its own in the reader. */
static int inbox_row_of(struct store_reader *reader, sqlite3_stmt *row, size_t more, struct inbox_row *ret_row)
{
    int pdu_type = sqlite3_column_type(row, 16);
    size_t pdu_length = (size_t)sqlite3_column_bytes(row, 16);
    int r = reader_reserve(reader, 2 * pdu_length + 1 + more);
    const char *pdu = "";

    if (r < 0)
        return r;
    if (pdu_type == SQLITE_BLOB && pdu_length > 0) {
        hex_encode(sqlite3_column_blob(row, 16), pdu_length, reader->kept);
        reader->kept_used = 2 * pdu_length + 1;
        pdu = reader->kept;
    } else if (pdu_type == SQLITE_TEXT) {
        pdu = reader_keep(reader, sqlite3_column_text(row, 16), pdu_length);
    }
    *ret_row = (struct inbox_row){
        .id = sqlite3_column_int64(row, 0),
        .received_ms = sqlite3_column_int64(row, 1),
        .scts_ms = sqlite3_column_int64(row, 2),
        .tz_quarters = (int8_t)sqlite3_column_int(row, 3),
        .from = sql_column_text(row, 4),
        .text = (const char *)sqlite3_column_text(row, 5),
        .iccid = sql_column_text(row, 6),
        .imei = sql_column_text(row, 7),
        .problem = sql_column_text(row, 8),
        .data = sqlite3_column_blob(row, 9),
        .data_length = (size_t)sqlite3_column_bytes(row, 9),
        .alphabet = (uint8_t)sqlite3_column_int(row, 10),
        .message_class = (int8_t)sqlite3_column_int(row, 11),
        .parts = (uint16_t)sqlite3_column_int(row, 12),
        .port_bits = (uint8_t)sqlite3_column_int(row, 13),
        .port_dst = (uint16_t)sqlite3_column_int(row, 14),
        .port_src = (uint16_t)sqlite3_column_int(row, 15),
        .pdu_hex = pdu,
    };
    return 0;
}

int store_read_inbox(struct store_reader *reader, const struct inbox_filter *filter,
                     void (*each)(void *context, const struct inbox_row *row), void *context)
{
#define INBOX_REST "i.id > ?1 AND i.id < ?2 AND (?3 IS NULL OR i.sender = ?3) AND i.received_ms >= ?4 ORDER BY i.id "
    static const char *const paths[2][2] = {
        { INBOX_SELECT("NOT INDEXED") INBOX_REST "DESC LIMIT ?5", INBOX_SELECT("NOT INDEXED") INBOX_REST "LIMIT ?5" },
        { INBOX_SELECT("INDEXED BY inbox_sender") "i.sender = ?3 AND " INBOX_REST "DESC LIMIT ?5",
          INBOX_SELECT("INDEXED BY inbox_sender") "i.sender = ?3 AND " INBOX_REST "LIMIT ?5" },
    };
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;
    int r = 0;

    reader_begin(reader);
    row = sql_query(sql, paths[filter->from != NULL][filter->oldest_first],
                    SQL_ARGS(sql_int(filter->after_id), sql_int(filter->before_id > 0 ? filter->before_id : INT64_MAX),
                             sql_text(filter->from), sql_int(filter->since_ms), sql_int(filter->limit)));
    while (sql_next(sql, row)) {
        struct inbox_row inbox;

        r = inbox_row_of(reader, row, 0, &inbox);
        if (r < 0) {
            sql_end(sql, row);
            return r;
        }
        each(context, &inbox);
    }
    return sql->failed;
}

int store_read_inbox_one(struct store_reader *reader, int64_t id, struct inbox_row *ret_row)
{
    struct inbox_row inbox;
    const char **texts[] = { &inbox.from, &inbox.text, &inbox.iccid, &inbox.imei, &inbox.problem };
    size_t size = 0;
    sqlite3_stmt *row;
    int r;

    reader_begin(reader);
    row = sql_query(&reader->sql, INBOX_SELECT("NOT INDEXED") "i.id = ?1", SQL_ARGS(sql_int(id)));
    if (!sql_next(&reader->sql, row))
        return reader->sql.failed != 0 ? reader->sql.failed : -ENOENT;
    for (int column = 0; column < 10; column++)
        size += (size_t)sqlite3_column_bytes(row, column) + 1;
    r = inbox_row_of(reader, row, size, &inbox);
    if (r == 0) {
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            *texts[i] = reader_keep(reader, *texts[i], *texts[i] != NULL ? strlen(*texts[i]) : 0);
        inbox.data = reader_keep(reader, inbox.data, inbox.data_length);
        *ret_row = inbox;
    }
    sql_end(&reader->sql, row);
    return r < 0 ? r : reader->sql.failed;
}

int store_read_sims(struct store_reader *reader, void (*each)(void *context, const struct sim_row *row), void *context)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql,
        "SELECT s.id, s.iccid, s.imsi, m.imei, s.first_seen_ms, s.last_seen_ms, c.n, b.at_ms, b.balance_micro, b.currency,"
        " b.rest_parts, b.valid_until, b.source, b.answer FROM sim s LEFT JOIN modem m ON m.id = s.modem_id"
        " LEFT JOIN counter c ON c.kind = ?1 AND c.id = s.id"
        " LEFT JOIN sim_balance b ON b.sim_id = s.id ORDER BY s.id", SQL_ARGS(sql_int(COUNTER_SIM_PARTS)));
    while (sql_next(sql, row)) {
        struct sim_row sim = {
            .id = (uint32_t)sqlite3_column_int64(row, 0),
            .iccid = sql_column_text(row, 1),
            .imsi = sql_column_text(row, 2),
            .imei_last = sql_column_text(row, 3),
            .first_seen_ms = sqlite3_column_int64(row, 4),
            .last_seen_ms = sqlite3_column_int64(row, 5),
            .parts_sent = (uint64_t)sqlite3_column_int64(row, 6),
            .balance_at_ms = sqlite3_column_int64(row, 7),
            .has_balance = sqlite3_column_type(row, 8) != SQLITE_NULL,
            .balance_micro = sqlite3_column_int64(row, 8),
            .currency = sql_column_text(row, 9),
            .rest_parts = sqlite3_column_type(row, 10) != SQLITE_NULL ? sqlite3_column_int(row, 10) : -1,
            .valid_until = sql_column_text(row, 11),
            .balance_source = sql_column_text(row, 12),
            .balance_answer = sql_column_text(row, 13),
        };

        each(context, &sim);
    }
    return sql->failed;
}

int store_read_keys(struct store_reader *reader, void (*each)(void *context, const struct key_row *row), void *context)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql, "SELECT name, scopes, patience_s, created_ms FROM api_key ORDER BY name", SQL_NO_ARGS);
    while (sql_next(sql, row)) {
        struct key_row key = { sql_column_text(row, 0), (uint32_t)sqlite3_column_int64(row, 1), (uint32_t)sqlite3_column_int64(row, 2),
                               sqlite3_column_int64(row, 3) };

        each(context, &key);
    }
    return sql->failed;
}

int store_read_key(struct store_reader *reader, const uint8_t hash[32], char ret_name[48], uint32_t *ret_scopes, uint32_t *ret_patience_s)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql, "SELECT name, scopes, patience_s FROM api_key WHERE hash = ?1", SQL_ARGS(sql_blob(hash, 32)));
    if (!sql_next(sql, row))
        return sql->failed != 0 ? sql->failed : -ENOENT;
    sql_copy_text(row, 0, ret_name, 48);
    *ret_scopes = (uint32_t)sqlite3_column_int64(row, 1);
    *ret_patience_s = (uint32_t)sqlite3_column_int64(row, 2);
    sql_end(sql, row);
    return sql->failed;
}
