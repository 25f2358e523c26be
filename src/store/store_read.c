/* SPDX-License-Identifier: Apache-2.0
 *
 * store_read.c - messages, their attempts and history, counts. */
#include "src/store/store_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/store/reader.h"
#include "src/store/schema.h"

int store_reader_open(const char *path, const char *vfs, struct store_reader **ret_reader)
{
    struct store_reader *reader = calloc(1, sizeof *reader);
    sqlite3_stmt *row;
    int r;

    if (reader == NULL)
        return -ENOMEM;
    r = schema_open(&reader->sql, SCHEMA_READ, path, vfs, NULL, NULL, 0);
    if (r < 0)
        goto out;
    row = sql_query(&reader->sql, "SELECT value FROM meta WHERE key = 'tag'", SQL_NO_ARGS);
    if (sql_next(&reader->sql, row)) {
        sql_copy_text(row, 0, reader->tag, sizeof reader->tag);
        sql_end(&reader->sql, row);
    }
    r = reader->sql.failed;
    if (r < 0)
        goto out;
    *ret_reader = reader;
    return 0;
out:
    store_reader_close(reader);
    return r;
}

void store_reader_close(struct store_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->sql.db != NULL)
        sql_close(&reader->sql);
    free(reader->kept);
    free(reader);
}

const char *store_reader_tag(struct store_reader *reader)
{
    return reader->tag;
}

void reader_begin(struct store_reader *reader)
{
    reader->sql.failed = 0;
}

int reader_reserve(struct store_reader *reader, size_t size)
{
    if (size > reader->kept_size) {
        char *kept = realloc(reader->kept, size);

        if (kept == NULL)
            return -ENOMEM;
        reader->kept = kept;
        reader->kept_size = size;
    }
    reader->kept_used = 0;
    return 0;
}

const void *reader_keep(struct store_reader *reader, const void *bytes, size_t length)
{
    char *copy = reader->kept + reader->kept_used;

    if (bytes == NULL)
        return NULL;
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    reader->kept_used += length + 1;
    return copy;
}

/* -- messages ------------------------------------------------------------------------------------------------ */

#define MESSAGE_COLUMNS \
    "m.id, m.batch_id, m.to_number, m.text, m.client_ref, b.actor, m.reason, m.alphabet, m.locking, m.single, m.priority, m.parts," \
    " m.message_class, m.report, m.state, m.accepted_ms, m.due_ms, m.expire_ms, m.state_ms, m.policy"

static struct message_row message_row_of(sqlite3_stmt *row)
{
    return (struct message_row){
        .id = sqlite3_column_int64(row, 0),
        .batch_id = sqlite3_column_int64(row, 1),
        .to = sql_column_text(row, 2),
        .text = sql_column_text(row, 3),
        .client_ref = (const char *)sqlite3_column_text(row, 4),
        .actor = sql_column_text(row, 5),
        .reason = sql_column_text(row, 6),
        .alphabet = (uint8_t)sqlite3_column_int(row, 7),
        .locking = (uint8_t)sqlite3_column_int(row, 8),
        .single = (uint8_t)sqlite3_column_int(row, 9),
        .priority = (uint8_t)sqlite3_column_int(row, 10),
        .parts = (uint16_t)sqlite3_column_int(row, 11),
        .message_class = (int8_t)sqlite3_column_int(row, 12),
        .report = sqlite3_column_int(row, 13) != 0,
        .state = (enum message_state)sqlite3_column_int(row, 14),
        .accepted_ms = sqlite3_column_int64(row, 15),
        .due_ms = sqlite3_column_int64(row, 16),
        .expire_ms = sqlite3_column_int64(row, 17),
        .state_ms = sqlite3_column_int64(row, 18),
        .policy = (enum message_policy)sqlite3_column_int(row, 19),
    };
}

int store_read_message(struct store_reader *reader, int64_t id, struct message_row *ret_row)
{
    struct message_row message;
    const char **texts[] = { &message.to, &message.text, &message.client_ref, &message.actor, &message.reason };
    size_t size = 0;
    sqlite3_stmt *row;
    int r;

    reader_begin(reader);
    row = sql_query(&reader->sql, "SELECT " MESSAGE_COLUMNS " FROM message m LEFT JOIN batch b ON b.id = m.batch_id WHERE m.id = ?1",
                    SQL_ARGS(sql_int(id)));
    if (!sql_next(&reader->sql, row))
        return reader->sql.failed != 0 ? reader->sql.failed : -ENOENT;
    message = message_row_of(row);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        size += *texts[i] != NULL ? strlen(*texts[i]) + 1 : 0;
    r = reader_reserve(reader, size);
    if (r == 0) {
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            *texts[i] = reader_keep(reader, *texts[i], *texts[i] != NULL ? strlen(*texts[i]) : 0);
        *ret_row = message;
    }
    sql_end(&reader->sql, row);
    return r < 0 ? r : reader->sql.failed;
}

/* Each way to the rows leads through the index that is narrowest for the filter, in order of id, and tests the rest row
 * by row. ?1 < id < ?2; ?9 is the shelf where there is one. */
#define MESSAGE_SELECT(source) "SELECT " MESSAGE_COLUMNS " FROM message m " source " LEFT JOIN batch b ON b.id = m.batch_id WHERE "
#define MESSAGE_REST \
    "m.id > ?1 AND m.id < ?2 AND (?3 = 0 OR m.state = ?3) AND (?4 IS NULL OR m.to_number = ?4) AND (?5 IS NULL OR m.client_ref = ?5)" \
    " AND m.accepted_ms >= ?6 AND m.accepted_ms < ?7 AND ?9 = ?9 "

enum message_path { PATH_ID, PATH_STATE, PATH_NUMBER, PATH_CLIENT_REF };

#define MESSAGE_PATH(source, where) { MESSAGE_SELECT(source) where MESSAGE_REST "ORDER BY m.id DESC LIMIT ?8", \
                                      MESSAGE_SELECT(source) where MESSAGE_REST "ORDER BY m.id LIMIT ?8" }
static const char *const message_paths[][2] = {
    [PATH_ID] = MESSAGE_PATH("NOT INDEXED", ""),
    [PATH_STATE] = MESSAGE_PATH("INDEXED BY message_state", "m.state NOT IN (4, 5) AND m.state = ?3 AND "),
    [PATH_NUMBER] = MESSAGE_PATH("INDEXED BY message_number", "m.id >> 12 = ?9 AND m.to_number = ?4 AND "),
    [PATH_CLIENT_REF] = MESSAGE_PATH("INDEXED BY message_client_ref",
                                     "m.id >> 12 = ?9 AND m.client_ref IS NOT NULL AND m.client_ref = ?5 AND "),
};

/* Every message the filter can mean has low < id < high. */
struct id_range { int64_t low, high; };

static struct id_range message_range(struct store_reader *reader, const struct message_filter *filter)
{
    struct sql *sql = &reader->sql;
    struct id_range range = { filter->after_id > 0 ? filter->after_id : 0,
                              1 + sql_number(sql, "SELECT max(id) FROM message", 0, SQL_NO_ARGS) };
    int64_t first, end;

    if (filter->before_id > 0 && filter->before_id < range.high)
        range.high = filter->before_id;
    if (filter->batch_id != 0) {
        first = sql_number(sql, "SELECT first_id FROM batch WHERE id = ?1", 0, SQL_ARGS(sql_int(filter->batch_id)));
        end = first + sql_number(sql, "SELECT count FROM batch WHERE id = ?1", 0, SQL_ARGS(sql_int(filter->batch_id)));
        range.low = first - 1 > range.low ? first - 1 : range.low;
        range.high = end < range.high ? end : range.high;
    }
    if (filter->since_ms > 0) {
        first = sql_number(sql, "SELECT min(first_id) FROM batch INDEXED BY batch_time WHERE accepted_ms >= ?1", range.high,
                           SQL_ARGS(sql_int(filter->since_ms)));
        range.low = first - 1 > range.low ? first - 1 : range.low;
    }
    if (filter->until_ms > 0) {
        end = sql_number(sql, "SELECT max(first_id + count) FROM batch INDEXED BY batch_time WHERE accepted_ms < ?1", 0,
                         SQL_ARGS(sql_int(filter->until_ms)));
        range.high = end < range.high ? end : range.high;
    }
    return range;
}

static enum message_path message_path_for(const struct message_filter *filter)
{
    if (filter->batch_id != 0)
        return PATH_ID;
    if (filter->client_ref != NULL)
        return PATH_CLIENT_REF;
    if (filter->to != NULL)
        return PATH_NUMBER;
    if (filter->state != 0 && filter->state != MESSAGE_SENT && filter->state != MESSAGE_DELIVERED)
        return PATH_STATE;
    return PATH_ID;
}

/* Returns how many rows it handed out. */
static uint32_t message_walk(struct store_reader *reader, const struct message_filter *filter, enum message_path path,
                             struct id_range range, int64_t shelf, uint32_t limit,
                             void (*each)(void *context, const struct message_row *row), void *context)
{
    struct sql *sql = &reader->sql;
    uint32_t count = 0;
    sqlite3_stmt *row = sql_query(sql, message_paths[path][filter->oldest_first],
        SQL_ARGS(sql_int(range.low), sql_int(range.high), sql_int(filter->state), sql_text(filter->to), sql_text(filter->client_ref),
                 sql_int(filter->since_ms), sql_int(filter->until_ms > 0 ? filter->until_ms : INT64_MAX), sql_int(limit),
                 sql_int(shelf)));

    while (sql_next(sql, row)) {
        struct message_row message = message_row_of(row);

        each(context, &message);
        count++;
    }
    return count;
}

int store_read_messages(struct store_reader *reader, const struct message_filter *filter,
                        void (*each)(void *context, const struct message_row *row), void *context)
{
    enum message_path path = message_path_for(filter);
    struct id_range range;
    uint32_t left = filter->limit;
    int64_t shelf, last;

    reader_begin(reader);
    range = message_range(reader, filter);
    /* No message in that state: nothing to walk through in vain. */
    if (filter->state != 0 && sql_number(&reader->sql, "SELECT n FROM counter WHERE kind = ?1 AND id = ?2", 0,
                                         SQL_ARGS(sql_int(COUNTER_STATE), sql_int(filter->state))) == 0)
        return reader->sql.failed;
    if (reader->sql.failed != 0 || range.high - range.low < 2)
        return reader->sql.failed;
    if (path == PATH_ID || path == PATH_STATE) {
        (void)message_walk(reader, filter, path, range, 0, left, each, context);
        return reader->sql.failed;
    }
    shelf = (filter->oldest_first ? range.low + 1 : range.high - 1) >> MESSAGE_SHELF_BITS;
    last = (filter->oldest_first ? range.high - 1 : range.low + 1) >> MESSAGE_SHELF_BITS;
    for (;;) {
        left -= message_walk(reader, filter, path, range, shelf, left, each, context);
        if (left == 0 || shelf == last || reader->sql.failed != 0)
            return reader->sql.failed;
        shelf += filter->oldest_first ? 1 : -1;
    }
}

/* -- attempts and history ------------------------------------------------------------------------------------ */

int store_read_attempts(struct store_reader *reader, int64_t message_id,
                        void (*each)(void *context, const struct attempt_row *row), void *context)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql,
        "SELECT a.id, a.part, a.state, m.imei, s.iccid, m.model, a.mr, a.error_kind, a.code, a.intent_ms, a.done_ms, a.report_status,"
        " a.report_ms, a.price_micro, a.choice FROM attempt a LEFT JOIN modem m ON m.id = a.modem_id LEFT JOIN sim s ON s.id = a.sim_id"
        " WHERE a.message_id = ?1 ORDER BY a.part, a.id", SQL_ARGS(sql_int(message_id)));
    while (sql_next(sql, row)) {
        struct attempt_row attempt = {
            .id = sqlite3_column_int64(row, 0),
            .part = (uint16_t)sqlite3_column_int(row, 1),
            .state = (enum attempt_state)sqlite3_column_int(row, 2),
            .imei = sql_column_text(row, 3),
            .iccid = sql_column_text(row, 4),
            .model = sql_column_text(row, 5),
            .mr = sqlite3_column_int(row, 6),
            .error_kind = (uint8_t)sqlite3_column_int(row, 7),
            .code = sqlite3_column_int(row, 8),
            .intent_ms = sqlite3_column_int64(row, 9),
            .done_ms = sqlite3_column_int64(row, 10),
            .report_status = sqlite3_column_int(row, 11),
            .report_ms = sqlite3_column_int64(row, 12),
            .price_micro = sqlite3_column_int64(row, 13),
            .choice = sql_column_text(row, 14),
        };

        each(context, &attempt);
    }
    return sql->failed;
}

int store_read_history(struct store_reader *reader, int64_t message_id,
                       void (*each)(void *context, const struct history_row *row), void *context)
{
    struct sql *sql = &reader->sql;
    sqlite3_stmt *row;

    reader_begin(reader);
    /* Its acceptance is in its own row: see schema.c. One refused at intake never changed, so its reason is that one. */
    row = sql_query(sql,
        "SELECT accepted_ms AS at_ms, first_state AS state, CASE first_state WHEN 8 THEN reason ELSE '' END AS reason, 0 AS n"
        " FROM message WHERE id = ?1 UNION ALL SELECT at_ms, state, reason, n FROM history WHERE message_id = ?1 ORDER BY n",
        SQL_ARGS(sql_int(message_id)));
    while (sql_next(sql, row)) {
        struct history_row history = {
            .at_ms = sqlite3_column_int64(row, 0),
            .state = (enum message_state)sqlite3_column_int(row, 1),
            .reason = sql_column_text(row, 2),
        };

        each(context, &history);
    }
    return sql->failed;
}

int store_read_counts(struct store_reader *reader, uint64_t ret_counts[16])
{
    struct sql *sql = &reader->sql;
    uint64_t counts[16] = { 0 };
    sqlite3_stmt *row;

    reader_begin(reader);
    row = sql_query(sql, "SELECT id, n FROM counter WHERE kind = ?1 AND id BETWEEN 1 AND 15", SQL_ARGS(sql_int(COUNTER_STATE)));
    while (sql_next(sql, row))
        counts[sqlite3_column_int(row, 0)] = (uint64_t)sqlite3_column_int64(row, 1);
    if (sql->failed == 0)
        memcpy(ret_counts, counts, sizeof counts);
    return sql->failed;
}

int store_read_conversation(struct store_reader *reader, const char *to, uint32_t *ret_sim_id)
{
    int64_t sim_id;

    reader_begin(reader);
    sim_id = sql_number(&reader->sql, "SELECT sim_id FROM conversation WHERE to_number = ?1", 0, SQL_ARGS(sql_text(to)));
    if (reader->sql.failed == 0)
        *ret_sim_id = (uint32_t)sim_id;
    return reader->sql.failed;
}
