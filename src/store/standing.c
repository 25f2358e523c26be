/* SPDX-License-Identifier: Apache-2.0
 *
 * standing.c - a message and its parts between the database and the fold. */
#include "src/store/store_internal.h"

#include <errno.h>
#include <string.h>

#include "src/base/digits.h"

int standing_load(struct store *store, int64_t message_id, struct standing *ret_standing)
{
    struct sql *sql = &store->sql;
    struct standing standing = { .id = message_id };
    sqlite3_stmt *row = sql_query(sql,
        "SELECT state, ended, report, ref16, parts, priority, sim_id, expire_ms, ready_ms, to_number, concat_ref, concat_ref_bits"
        ", policy, patience_s, due_ms, accepted_ms, credit_state, credit_lease, credit_micro, credit_row FROM message WHERE id = ?1", SQL_ARGS(sql_int(message_id)));

    if (!sql_next(sql, row))
        return sql->failed != 0 ? sql->failed : -ENOENT;
    standing.state = (enum message_state)sqlite3_column_int(row, 0);
    standing.ended = sqlite3_column_int(row, 1) != 0;
    standing.report = sqlite3_column_int(row, 2) != 0;
    standing.ref16 = sqlite3_column_int(row, 3) != 0;
    standing.parts = (uint16_t)sqlite3_column_int(row, 4);
    standing.priority = (uint8_t)sqlite3_column_int(row, 5);
    standing.sim_id = (uint32_t)sqlite3_column_int64(row, 6);
    standing.expire_ms = sqlite3_column_int64(row, 7);
    standing.ready_ms = sqlite3_column_int64(row, 8);
    sql_copy_text(row, 9, standing.to, sizeof standing.to);
    standing.concat_ref = (uint16_t)sqlite3_column_int(row, 10);
    standing.concat_ref_bits = (uint8_t)sqlite3_column_int(row, 11);
    standing.policy = (enum message_policy)sqlite3_column_int(row, 12);
    standing.patience_s = (uint32_t)sqlite3_column_int64(row, 13);
    standing.due_ms = sqlite3_column_int64(row, 14);
    standing.accepted_ms = sqlite3_column_int64(row, 15);
    standing.credit_state = (uint8_t)sqlite3_column_int(row, 16);
    standing.credit_lease_id = (uint64_t)sqlite3_column_int64(row, 17);
    standing.credit_micro = sqlite3_column_int64(row, 18);
    standing.credit_row = (uint32_t)sqlite3_column_int64(row, 19);
    sql_end(sql, row);
    if (standing.parts > MESSAGE_PARTS_MAX)
        return -EBADMSG;

    row = sql_query(sql, "SELECT part, state, CASE awaits WHEN 0 THEN report_status ELSE -1 END, sim_id, done_ms, charge_seq FROM attempt WHERE message_id = ?1",
                    SQL_ARGS(sql_int(message_id)));
    while (sql_next(sql, row)) {
        int part = sqlite3_column_int(row, 0);
        enum attempt_state attempt = (enum attempt_state)sqlite3_column_int(row, 1);

        if ((attempt == ATTEMPT_REFUSED || attempt == ATTEMPT_NOT_SENT) && standing.failures < UINT8_MAX)
            standing.failures++;
        if (attempt == ATTEMPT_REFUSED && sqlite3_column_int64(row, 4) >= standing.failed_ms) {
            standing.failed_ms = sqlite3_column_int64(row, 4);
            standing.failed_sim_id = (uint32_t)sqlite3_column_int64(row, 3);
        }
        if (part >= 0 && part < standing.parts && attempt == ATTEMPT_RELEASED)
            standing.part_released[part] |= sqlite3_column_int(row, 2) >= 0 ? RELEASED_GIVEN_UP : RELEASED_IN_DOUBT;
        if (part >= 0 && part < standing.parts && sqlite3_column_int64(row, 5) > 0)
            standing.part_charged[part] = true;
        if (part >= 0 && part < standing.parts)
            standing.part[part] = part_standing_best(
                standing.part[part], part_standing_of(attempt, sqlite3_column_int(row, 2)));
    }
    standing_count(&standing);
    standing.sticky_sim_id = conversation_sim(store, standing.to);
    *ret_standing = standing;
    return sql->failed;
}

void standing_count(struct standing *standing)
{
    standing->open = standing->left = 0;
    standing->released = standing->doubtful = false;
    standing->part_next = standing->parts;
    for (uint16_t i = 0; i < standing->parts; i++) {
        standing->open += standing->part[i] == PART_OPEN;
        standing->left += standing->part[i] == PART_LEFT;
        if (standing->part[i] == PART_LEFT && standing->part_released[i] != 0) {
            standing->released = true;
            standing->doubtful = standing->doubtful || (standing->part_released[i] & RELEASED_IN_DOUBT) != 0;
        }
        if (standing->part[i] == PART_LEFT && standing->part_next == standing->parts)
            standing->part_next = i;
    }
}

static void standing_write(struct store *store, struct standing *standing, enum message_state state, int64_t now_ms, const char *reason)
{
    struct sql *sql = &store->sql;

    if (state == standing->state) {
        sql_run(sql, "UPDATE message SET ended = ?2, ready_ms = ?3, sim_id = ?4, concat_ref = ?5, concat_ref_bits = ?6 WHERE id = ?1"
                     " AND (ended, ready_ms, sim_id, concat_ref, concat_ref_bits) IS NOT (?2, ?3, ?4, ?5, ?6)",
                SQL_ARGS(sql_int(standing->id), sql_int(standing->ended), sql_int(standing->ready_ms), sql_int(standing->sim_id),
                         sql_int(standing->concat_ref), sql_int(standing->concat_ref_bits)));
        return;
    }
    sql_run(sql, "UPDATE message SET ended = ?2, ready_ms = ?3, sim_id = ?4, concat_ref = ?5, concat_ref_bits = ?6,"
                 " state = ?7, state_ms = ?8, reason = ?9 WHERE id = ?1",
            SQL_ARGS(sql_int(standing->id), sql_int(standing->ended), sql_int(standing->ready_ms), sql_int(standing->sim_id),
                     sql_int(standing->concat_ref), sql_int(standing->concat_ref_bits), sql_int(state), sql_int(now_ms),
                     sql_text(reason)));
    if (state == MESSAGE_UNKNOWN && !standing->ended)
        sql_run(sql, "UPDATE message SET doubt_ms = max(expire_ms, ?2) + ?3 WHERE id = ?1",
                SQL_ARGS(sql_int(standing->id), sql_int(now_ms), sql_int(DOUBT_AFTER_MS)));
    sql_run(sql, "INSERT INTO history(message_id, n, at_ms, state, reason)"
                 " SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3, ?4 FROM history WHERE message_id = ?1",
            SQL_ARGS(sql_int(standing->id), sql_int(now_ms), sql_int(state), sql_text(reason)));
    store->tally[standing->state]--;
    store->tally[state]++;
    standing->state = state;
}

void standing_save(struct store *store, struct standing *standing, enum message_state state, int64_t now_ms, const char *reason)
{
    standing_write(store, standing, state, now_ms, reason);
    if (standing->credit_state != 0)
        credit_settle(store, standing, now_ms);
}

/* The change that completes a message may be about another part than the one that decides. */
static const char *standing_reason(enum message_state state, const char *reason)
{
    if (reason[0] != '\0')
        return reason;
    switch (state) {
    case MESSAGE_UNKNOWN: return "a part of it may or may not have been sent";
    case MESSAGE_UNDELIVERED:
    case MESSAGE_EXPIRED:
    case MESSAGE_REJECTED: return "the report of another part says so";
    default: return "";
    }
}

/* Between two parts a message waits for its SIM as any other does (it may expire, and is found after a crash), but to its
 * owner it is being sent all the time: such a moment is no entry in its history. */
static bool standing_only_between_parts(struct store *store, const struct standing *standing, enum message_state after, bool retry)
{
    if (standing->left == standing->parts || standing->ready_ms > 0)
        return false;
    if (standing->state == MESSAGE_SENDING && after == MESSAGE_QUEUED)
        return !retry;
    return standing->state == MESSAGE_QUEUED && after == MESSAGE_SENDING &&
           sql_number(&store->sql, "SELECT state FROM history WHERE message_id = ?1 ORDER BY n DESC LIMIT 1", 0,
                      SQL_ARGS(sql_int(standing->id))) == MESSAGE_SENDING;
}

static void standing_save_quietly(struct store *store, struct standing *standing, enum message_state state)
{
    sql_run(&store->sql, "UPDATE message SET state = ?2 WHERE id = ?1", SQL_ARGS(sql_int(standing->id), sql_int(state)));
    store->tally[standing->state]--;
    store->tally[state]++;
    standing->state = state;
}

bool standing_settle(struct store *store, struct standing *standing, bool retry, int64_t now_ms, const char *reason)
{
    enum message_state before = standing->state;
    enum message_state after = before;

    /* Also a doubt that was given up is settled by evidence that comes after all. */
    if (!standing->ended || (before == MESSAGE_UNKNOWN && standing->left == 0 && standing->open == 0))
        after = message_fold(before, standing->part, standing->parts);
    if (!standing->ended && standing_only_between_parts(store, standing, after, retry)) {
        standing_save_quietly(store, standing, after);
        before = after;
    }
    /* Nothing of it is out: any SIM may take it, and choose a reference of its own. */
    if (standing->left == standing->parts && !standing->ended && !standing->released) {
        standing->sim_id = 0;
        standing->concat_ref = standing->concat_ref_bits = 0;
    }
    standing_save(store, standing, after, now_ms, standing_reason(after, reason));
    return after != before;
}

void standing_end(struct store *store, struct standing *standing, enum message_state state, int64_t now_ms, const char *reason)
{
    /* It waited to be sent once more: no other end would be true than what became of the first time. */
    if (standing->released)
        state = standing->doubtful ? MESSAGE_UNKNOWN : MESSAGE_UNDELIVERED;
    standing->ended = true;
    standing->ready_ms = 0;
    standing_save(store, standing, state, now_ms, reason);
}

void item_set_number(struct queue_item *item, const char *to)
{
    item->short_code = to[0] != '+';
    item->to_key = digits_pack(to + (to[0] == '+'), SIZE_MAX, NULL);
}

uint32_t item_avoid_until_s(int64_t failed_s)
{
    return failed_s <= 0 || failed_s > UINT32_MAX - QUEUE_AVOID_S ? 0 : (uint32_t)failed_s + QUEUE_AVOID_S;
}

uint32_t item_since_s(int64_t accepted_ms, int64_t due_ms)
{
    int64_t since_ms = due_ms > accepted_ms ? due_ms : accepted_ms;

    return since_ms <= 0 ? 0 : since_ms / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(since_ms / 1000);
}

uint32_t conversation_sim(struct store *store, const char *to)
{
    if (!store->conversations)
        return 0;
    return (uint32_t)sql_number(&store->sql, "SELECT sim_id FROM conversation WHERE to_number = ?1", 0, SQL_ARGS(sql_text(to)));
}

struct queue_item standing_item(const struct standing *standing)
{
    struct queue_item item;

    if (standing->ended || standing->left == 0 || message_state_is_final(standing->state))
        return (struct queue_item){ 0 };
    item = (struct queue_item){
        .id = standing->id,
        .expire_ms = standing->expire_ms,
        .since_s = item_since_s(standing->accepted_ms, standing->due_ms),
        .patience_s = standing->patience_s,
        .sim_id = standing->sim_id,
        .avoid_sim_id = standing->failed_sim_id,
        .avoid_until_s = item_avoid_until_s(standing->failed_ms / 1000),
        .sticky_sim_id = standing->sticky_sim_id,
        .parts = (uint8_t)standing->parts,
        .part_next = (uint8_t)standing->part_next,
        .priority = standing->priority,
        .failures = standing->failures,
    };
    item_set_number(&item, standing->to);
    return item;
}
