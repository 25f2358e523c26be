/* SPDX-License-Identifier: Apache-2.0
 *
 * waiting.c - messages that wait: for their turn, for their time, for nothing any more. */
#include <errno.h>
#include <stdlib.h>

#include "src/store/store_internal.h"

int waiting_cancel(struct store *store, struct store_change *change)
{
    struct change_cancel *cancel = &change->u.cancel;
    struct standing standing;
    int r = standing_load(store, cancel->message_id, &standing);

    if (r < 0)
        return r;
    cancel->message_state = standing.state;
    if (standing.ended || message_state_is_final(standing.state))
        return -EALREADY;
    if (standing.open > 0 || standing.left == 0)
        return -EBUSY;
    standing_end(store, &standing, MESSAGE_CANCELLED, change->now_ms,
                 standing.left < standing.parts ? "cancelled; some of its parts had been handed over" : "cancelled");
    cancel->message_state = standing.state;
    return store->sql.failed;
}

/* -- the queue in memory is filled from here ------------------------------------------------------------------- */

struct items { struct queue_item *at; uint32_t count, size; };

/* What was refused or not sent so far: tries are bounded over restarts too. */
#define FAILURES "(SELECT count(*) FROM attempt WHERE attempt.message_id = message.id AND attempt.state IN (3, 4))"

/* By which SIM it was refused last, and when: seconds above, row number below 32 bits. */
#define FAILED_SIM "(SELECT max(done_ms / 1000 * 4294967296 + sim_id) FROM attempt WHERE attempt.message_id = message.id AND attempt.state = 3)"
#define ITEM_COLUMNS "id, expire_ms, sim_id, parts, priority, " FAILURES ", to_number, patience_s, accepted_ms, due_ms, " FAILED_SIM

/* Columns: ITEM_COLUMNS. Stops at size; true if there was more. */
static bool items_read(struct store *store, sqlite3_stmt *row, struct items *items)
{
    struct queue_item *item;

    while (sql_next(&store->sql, row)) {
        if (items->count == items->size) {
            sql_end(&store->sql, row);
            return true;
        }
        item = &items->at[items->count++];
        *item = (struct queue_item){
            .id = sqlite3_column_int64(row, 0),
            .expire_ms = sqlite3_column_int64(row, 1),
            .since_s = item_since_s(sqlite3_column_int64(row, 8), sqlite3_column_int64(row, 9)),
            .patience_s = (uint32_t)sqlite3_column_int64(row, 7),
            .sim_id = (uint32_t)sqlite3_column_int64(row, 2),
            .avoid_sim_id = (uint32_t)(sqlite3_column_int64(row, 10) & UINT32_MAX),
            .avoid_until_s = item_avoid_until_s(sqlite3_column_int64(row, 10) >> 32),
            .parts = (uint8_t)sqlite3_column_int(row, 3),
            .priority = (uint8_t)sqlite3_column_int(row, 4),
            .failures = (uint8_t)(sqlite3_column_int(row, 5) < UINT8_MAX ? sqlite3_column_int(row, 5) : UINT8_MAX),
        };
        item_set_number(item, sql_column_text(row, 6));
        item->sticky_sim_id = conversation_sim(store, sql_column_text(row, 6));
    }
    return false;
}

/* Only messages bound to a SIM have parts out already, so only those need a look at their attempts. */
static int items_find_next_parts(struct store *store, struct items *items)
{
    for (uint32_t i = 0; i < items->count; i++) {
        struct standing standing;
        int r;

        if (items->at[i].sim_id == 0)
            continue;
        r = standing_load(store, items->at[i].id, &standing);
        if (r < 0)
            return r;
        items->at[i].part_next = (uint8_t)standing.part_next;
    }
    return store->sql.failed;
}

int waiting_fetch(struct store *store, struct store_change *change)
{
    struct change_fetch *fetch = &change->u.fetch;
    struct items items = { .size = fetch->limit };
    bool more = false;

    if (fetch->limit == 0)
        return -EINVAL;
    items.at = calloc(fetch->limit, sizeof *items.at);
    if (items.at == NULL)
        return -ENOMEM;
    fetch->items = items.at;
    if (fetch->after_priority <= MESSAGE_PRIORITY_MAX)
        more = items_read(store, sql_query(&store->sql,
            "SELECT " ITEM_COLUMNS " FROM message INDEXED BY message_ready"
            " WHERE state = 2 AND ready_ms = 0 AND priority = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            SQL_ARGS(sql_int(fetch->after_priority), sql_int(fetch->after_id), sql_int((int64_t)fetch->limit + 1))), &items);
    if (!more)
        more = items_read(store, sql_query(&store->sql,
            "SELECT " ITEM_COLUMNS " FROM message INDEXED BY message_ready"
            " WHERE state = 2 AND ready_ms = 0 AND priority < ?1 ORDER BY priority DESC, id LIMIT ?2",
            SQL_ARGS(sql_int(fetch->after_priority), sql_int((int64_t)fetch->limit + 1))), &items);
    fetch->item_count = items.count;
    fetch->more = more;
    return items_find_next_parts(store, &items);
}

/* -- what the clock makes due ---------------------------------------------------------------------------------- */

static int due_expire(struct store *store, struct change_due *due, int64_t now_ms)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row = sql_query(sql, "SELECT id FROM message INDEXED BY message_expiry WHERE state IN (1, 2) AND expire_ms > 0"
                                       " AND expire_ms <= ?1 ORDER BY expire_ms LIMIT ?2",
                                  SQL_ARGS(sql_int(now_ms), sql_int(due->limit)));

    /* Read first, write then: the statement must not walk an index that changes under it. */
    while (sql_next(sql, row))
        due->expired[due->expired_count++] = sqlite3_column_int64(row, 0);
    if (store->credit.on && due->expired_count < due->limit) {
        row = sql_query(sql, "SELECT id FROM message INDEXED BY message_wait_expiry WHERE state = 13 AND expire_ms > 0 AND expire_ms <= ?1"
                             " ORDER BY expire_ms LIMIT ?2", SQL_ARGS(sql_int(now_ms), sql_int(due->limit - due->expired_count)));
        while (sql_next(sql, row))
            due->expired[due->expired_count++] = sqlite3_column_int64(row, 0);
    }
    for (uint32_t i = 0; i < due->expired_count; i++) {
        struct standing standing;
        int r = standing_load(store, due->expired[i], &standing);

        if (r < 0)
            return r;
        standing_end(store, &standing, MESSAGE_EXPIRED, now_ms, "not handed over before its time was over");
    }
    return sql->failed;
}

/* Only what waits for its next try is queued with a time of its own. */
static void due_bring_near(struct store *store, const struct change_due *due, int64_t now_ms)
{
    sql_run(&store->sql, "UPDATE message INDEXED BY message_due SET ready_ms = ?1 WHERE state IN (1, 2) AND ready_ms > 0 AND state = 2"
                         " AND ready_ms > ?1", SQL_ARGS(sql_int(now_ms + due->retry_ms_max)));
}

static int due_promote(struct store *store, struct change_due *due, int64_t now_ms)
{
    struct items items = { .at = due->items, .size = due->limit };

    (void)items_read(store, sql_query(&store->sql,
        "SELECT " ITEM_COLUMNS " FROM message INDEXED BY message_due WHERE state IN (1, 2) AND ready_ms > 0"
        " AND ready_ms <= ?1 ORDER BY ready_ms, id LIMIT ?2", SQL_ARGS(sql_int(now_ms), sql_int(due->limit))), &items);
    due->item_count = items.count;
    for (uint32_t i = 0; i < items.count; i++) {
        struct standing standing;
        int r = standing_load(store, items.at[i].id, &standing);

        if (r < 0)
            return r;
        standing.ready_ms = 0;
        standing_save(store, &standing, MESSAGE_QUEUED, now_ms, "");
        items.at[i] = standing_item(&standing);
    }
    return store->sql.failed;
}

static int due_give_up_parts(struct store *store, struct change_due *due, int64_t now_ms)
{
    while (due->inbox_count < due->limit) {
        int64_t id;
        int r = receive_give_up(store, now_ms - RECEIVE_WAIT_MS, now_ms, &id);

        if (r < 0)
            return r;
        if (id == 0)
            break;
        due->inbox[due->inbox_count++] = id;
    }
    return 0;
}

static int64_t due_next(struct store *store)
{
    return sql_number(&store->sql,
        "SELECT min(t) FROM (SELECT min(ready_ms) AS t FROM message INDEXED BY message_due WHERE state IN (1, 2) AND ready_ms > 0"
        " UNION ALL SELECT min(expire_ms) FROM message INDEXED BY message_expiry WHERE state IN (1, 2) AND expire_ms > 0"
        " UNION ALL SELECT min(expire_ms) FROM message INDEXED BY message_wait_expiry WHERE state = 13 AND expire_ms > 0"
        " UNION ALL SELECT min(doubt_ms) FROM message INDEXED BY message_doubt WHERE state = 10 AND doubt_ms > 0"
        " UNION ALL SELECT min(received_ms) + ?1 FROM inbox_part INDEXED BY inbox_part_age WHERE inbox_id IS NULL)",
        INT64_MAX, SQL_ARGS(sql_int(RECEIVE_WAIT_MS)));
}

int waiting_due(struct store *store, struct store_change *change)
{
    struct change_due *due = &change->u.due;
    int r;

    if (due->limit == 0)
        return -EINVAL;
    due->items = calloc(due->limit, sizeof *due->items);
    due->expired = calloc(due->limit, sizeof *due->expired);
    due->inbox = calloc(due->limit, sizeof *due->inbox);
    due->held = calloc(due->limit, sizeof *due->held);
    if (due->items == NULL || due->expired == NULL || due->inbox == NULL || due->held == NULL)
        return -ENOMEM;
    r = due_expire(store, due, change->now_ms);
    if (r == 0 && due->retry_ms_max > 0)
        due_bring_near(store, due, change->now_ms);
    if (r == 0)
        r = due_promote(store, due, change->now_ms);
    if (r == 0)
        due->held_count = doubt_hold(store, change->now_ms, due->limit, due->held);
    if (r == 0)
        r = due_give_up_parts(store, due, change->now_ms);
    due->next_ms = due_next(store);
    return r;
}
