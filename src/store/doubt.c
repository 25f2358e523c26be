/* SPDX-License-Identifier: Apache-2.0
 *
 * doubt.c - parts that may or may not have been sent: the one resend where the policy allows it, holding, and a person's word. */
#include "src/store/store_internal.h"

#include <errno.h>
#include <string.h>

/* The unknown attempts of one part, or of all (part < 0), no longer stand in the way of another. */
static void doubt_release(struct store *store, int64_t message_id, int part)
{
    sql_run(&store->sql, "UPDATE attempt SET state = 7 WHERE message_id = ?1 AND state = 5 AND (?2 < 0 OR part = ?2)",
            SQL_ARGS(sql_int(message_id), sql_int(part)));
}

bool doubt_resend(struct store *store, struct standing *standing, int64_t now_ms, int64_t wait_ms)
{
    bool any = false;

    if (standing->policy != MESSAGE_AT_LEAST_ONCE || standing->ended)
        return false;
    for (uint16_t i = 0; i < standing->parts; i++) {
        if (standing->part[i] != PART_UNKNOWN ||
            sql_number(&store->sql, "SELECT count(*) FROM attempt WHERE message_id = ?1 AND part = ?2 AND state = 7", 1,
                       SQL_ARGS(sql_int(standing->id), sql_int(i))) != 0)
            continue;
        doubt_release(store, standing->id, i);
        any = true;
    }
    if (!any || standing_load(store, standing->id, standing) < 0)
        return false;
    standing->ready_ms = now_ms + wait_ms;
    return true;
}

bool doubt_resubmit(struct store *store, struct standing *standing, int64_t attempt_id, uint16_t part, int64_t now_ms)
{
    if (standing->policy != MESSAGE_AT_LEAST_ONCE || standing->ended || standing->part_released[part] != 0 ||
        (standing->expire_ms > 0 && standing->expire_ms <= now_ms + DOUBT_RESUBMIT_MS))
        return false;
    sql_run(&store->sql, "UPDATE attempt SET state = 7 WHERE id = ?1 AND state = 2", SQL_ARGS(sql_int(attempt_id)));
    if (standing_load(store, standing->id, standing) < 0)
        return false;
    standing->ready_ms = now_ms + DOUBT_RESUBMIT_MS;
    return true;
}

uint32_t doubt_hold(struct store *store, int64_t now_ms, uint32_t limit, int64_t *ret_ids)
{
    struct sql *sql = &store->sql;
    uint32_t count = 0;
    sqlite3_stmt *row = sql_query(sql, "SELECT id FROM message INDEXED BY message_doubt WHERE state = 10 AND doubt_ms > 0"
                                       " AND doubt_ms <= ?1 ORDER BY doubt_ms LIMIT ?2", SQL_ARGS(sql_int(now_ms), sql_int(limit)));

    while (sql_next(sql, row))
        ret_ids[count++] = sqlite3_column_int64(row, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct standing standing;

        if (standing_load(store, ret_ids[i], &standing) == 0)
            standing_save(store, &standing, MESSAGE_HELD, now_ms,
                          "nothing tells whether it was sent: release sends it again, drop leaves it");
    }
    return count;
}

static int doubt_drop(struct store *store, struct standing *standing, int64_t now_ms)
{
    sql_run(&store->sql, "UPDATE message SET doubt_ms = 0 WHERE id = ?1", SQL_ARGS(sql_int(standing->id)));
    standing->released = standing->doubtful = false;   /* nothing of it waits: it ends as what it is */
    if (standing->state == MESSAGE_UNKNOWN)   /* the state stays, so its reason must be written by hand */
        standing_save(store, standing, MESSAGE_HELD, now_ms, "looked at by a person");
    standing_end(store, standing, MESSAGE_UNKNOWN, now_ms, "dropped by a person: it may or may not have been sent");
    return store->sql.failed;
}

/* It gets as much time again as it had, from now: a person would not release what may not be sent any more. */
static int doubt_send_again(struct store *store, struct standing *standing, int64_t now_ms)
{
    int r;

    doubt_release(store, standing->id, -1);
    sql_run(&store->sql, "UPDATE message SET doubt_ms = 0, expire_ms = CASE WHEN expire_ms > 0"
                         " THEN max(expire_ms, ?2 + expire_ms - moved_ms - max(accepted_ms, due_ms)) ELSE 0 END,"
                         " moved_ms = moved_ms + max(0, ?2 - moved_ms - max(accepted_ms, due_ms)), clock_run = ?3 WHERE id = ?1",
            SQL_ARGS(sql_int(standing->id), sql_int(now_ms), sql_int(clock_run(store))));
    r = standing_load(store, standing->id, standing);
    if (r < 0)
        return r;
    (void)standing_settle(store, standing, true, now_ms, "released by a person: it is sent again");
    return store->sql.failed;
}

int doubt_decide(struct store *store, struct store_change *change)
{
    struct change_decide *decide = &change->u.decide;
    struct standing standing;
    int r = standing_load(store, decide->message_id, &standing);

    if (r < 0)
        return r;
    decide->message_state = standing.state;
    if (standing.ended || (standing.state != MESSAGE_UNKNOWN && standing.state != MESSAGE_HELD))
        return -EALREADY;
    if (decide->decision == DECISION_DROP)
        r = doubt_drop(store, &standing, change->now_ms);
    else
        r = doubt_send_again(store, &standing, change->now_ms);
    decide->message_state = standing.state;
    if (decide->decision == DECISION_RELEASE)
        decide->requeue = standing_item(&standing);
    return r;
}
