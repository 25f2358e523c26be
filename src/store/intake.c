/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.c - CHANGE_ACCEPT: a batch comes in, one row per message. */
#include <errno.h>
#include <string.h>

#include "src/store/credit_internal.h"

/* What only our own callers can get wrong. A refused message is kept as it came, whatever it looks like. */
static bool intake_is_sound(const struct accept_message *message)
{
    const struct message_coding *coding = &message->coding;
    uint32_t octets = 0;

    if (message->priority > MESSAGE_PRIORITY_MAX || (message->text == NULL && message->text_length > 0) ||
        message->text_length > MESSAGE_TEXT_BYTES_MAX || message->message_class < -1 || message->message_class > 3 ||
        memchr(message->to, '\0', sizeof message->to) == NULL)
        return false;
    if (message->reason[0] != '\0')
        return true;
    if (message->to[0] == '\0' || coding->parts == 0 || coding->parts > MESSAGE_PARTS_MAX)
        return false;
    if (coding->parts == 1)
        return true;
    for (uint16_t i = 0; coding->cuts != NULL && i < coding->parts; i++)
        octets += coding->cuts[i];
    return octets == message->text_length && coding->cuts != NULL;
}

static enum message_state intake_state(const struct accept_message *message, int64_t now_ms)
{
    if (message->reason[0] != '\0')
        return MESSAGE_REJECTED;
    if (message->waits)
        return MESSAGE_WAIT_CREDIT;
    return message->due_ms > now_ms ? MESSAGE_SCHEDULED : MESSAGE_QUEUED;
}

/* The batch as it is on disk already: ids and first states of then. -EEXIST where it was something else. */
static int intake_replay(struct store *store, struct change_accept *accept, int64_t batch_id, int64_t first_id, int64_t count)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row;
    uint32_t i = 0;

    if (count != (int64_t)accept->count)
        return -EEXIST;
    row = sql_query(sql, "SELECT id, first_state, reason, reason_code FROM message WHERE id >= ?1 AND id < ?1 + ?2 ORDER BY id",
                    SQL_ARGS(sql_int(first_id), sql_int(count)));
    while (i < accept->count && sql_next(sql, row)) {
        accept->messages[i].id = sqlite3_column_int64(row, 0);
        accept->messages[i].state = (enum message_state)sqlite3_column_int(row, 1);
        if (accept->messages[i].state == MESSAGE_REJECTED && accept->messages[i].reason[0] == '\0') {
            sql_copy_text(row, 2, accept->messages[i].reason, sizeof accept->messages[i].reason);
            sql_copy_text(row, 3, accept->messages[i].reason_code, sizeof accept->messages[i].reason_code);
            /* All else is refused before it comes here, then as now. */
            accept->messages[i].unpriced = strcmp(accept->messages[i].reason_code, CREDIT_UNPRICED_CODE) == 0;
            accept->messages[i].opted_out = !accept->messages[i].unpriced;
        }
        i++;
    }
    if (i == accept->count)
        sql_end(sql, row);
    accept->batch_id = batch_id;
    return sql->failed == 0 && i < accept->count ? -EBADMSG : sql->failed;
}

/* 1: it was there, and replayed; 0: it is new; else a negative errno. */
static int intake_find(struct store *store, struct change_accept *accept)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row;
    int64_t batch_id, first_id, count;
    bool same;
    int r;

    if (accept->idempotency_key == NULL)
        return 0;
    row = sql_query(sql, "SELECT id, first_id, count, request_hash = ?3 FROM batch WHERE actor = ?1 AND idempotency_key = ?2",
                    SQL_ARGS(sql_text(accept->actor), sql_text(accept->idempotency_key),
                             sql_blob(accept->request_hash, sizeof accept->request_hash)));
    if (!sql_next(sql, row))
        return sql->failed;
    batch_id = sqlite3_column_int64(row, 0);
    first_id = sqlite3_column_int64(row, 1);
    count = sqlite3_column_int64(row, 2);
    same = sqlite3_column_int(row, 3) != 0;
    sql_end(sql, row);
    if (!same)
        return -EEXIST;
    accept->replayed = batch_id != accept->batch_id;   /* false: this very change, applied again */
    r = intake_replay(store, accept, batch_id, first_id, count);
    return r < 0 ? r : 1;
}

static void intake_write(struct store *store, const struct change_accept *accept, struct accept_message *message, int64_t run,
                         int64_t now_ms)
{
    struct sql *sql = &store->sql;
    const struct message_coding *coding = &message->coding;
    enum message_state state = intake_state(message, now_ms);
    bool refused = state == MESSAGE_REJECTED;
    uint8_t cuts[MESSAGE_PARTS_MAX * 2];
    bool has_cuts = coding->parts > 1 && coding->parts <= MESSAGE_PARTS_MAX && coding->cuts != NULL;

    for (uint16_t i = 0; has_cuts && i < coding->parts; i++) {
        cuts[2 * i] = (uint8_t)(coding->cuts[i] & 0xFF);
        cuts[2 * i + 1] = (uint8_t)(coding->cuts[i] >> 8);
    }
    sql_run(sql,
        "INSERT INTO message(id, batch_id, to_number, alphabet, locking, single, parts, cuts, priority, message_class, report,"
        " ref16, accepted_ms, first_state, due_ms, expire_ms, state, state_ms, ended, ready_ms, client_ref, reason, reason_code, text, policy, clock_run, patience_s,"
        " credit_state, credit_lease, credit_micro, credit_row)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?14, ?13, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)",
        SQL_ARGS(sql_int(message->id), sql_int(accept->batch_id), sql_text(message->to), sql_int(coding->alphabet),
                 sql_int(coding->locking), sql_int(coding->single), sql_int(coding->parts),
                 sql_blob(has_cuts ? cuts : NULL, 2u * coding->parts), sql_int(message->priority),
                 sql_int(message->message_class), sql_int(message->report), sql_int(message->ref16), sql_int(now_ms), sql_int(state),
                 sql_int(message->due_ms), sql_int(message->expire_ms), sql_int(refused),
                 sql_int(state == MESSAGE_SCHEDULED ? message->due_ms : 0), sql_text(message->client_ref),
                 sql_text(message->reason), sql_text(refused ? message->reason_code : NULL),
                 sql_text_n(message->text != NULL ? message->text : "", message->text_length),
                 sql_int(message->policy), sql_int(run), sql_int(message->patience_s == MESSAGE_PATIENCE_AS_ROUTED ? -1 : (int64_t)message->patience_s),
                 sql_int(message->waits ? 2 : message->credit_micro > 0), sql_int(message->credit_micro > 0 ? (int64_t)accept->credit_lease_id : 0),
                 sql_int(message->credit_micro), sql_int(message->credit_row)));
    message->state = state;
    message->sticky_sim_id = conversation_sim(store, message->to);
    store->tally[state]++;
}

/* Here and not where the request is read: between the two somebody may have sent STOP. */
static int intake_honour_opt_outs(struct store *store, struct change_accept *accept)
{
    if (strcmp(accept->actor, OPT_OUT_ACTOR) == 0)
        return 0;
    for (uint32_t i = 0; i < accept->count && store->sql.failed == 0; i++) {
        struct accept_message *message = &accept->messages[i];

        if (message->reason[0] != '\0' || !opt_out_has(store, message->to))
            continue;
        message->opted_out = true;
        memcpy(message->reason, OPT_OUT_REASON, sizeof OPT_OUT_REASON);
        memcpy(message->reason_code, OPT_OUT_CODE, sizeof OPT_OUT_CODE);
        if (accept->count == 1)
            return -EPERM;
    }
    return store->sql.failed;
}

int intake_batch(struct store *store, struct change_accept *accept, int64_t now_ms)
{
    struct sql *sql = &store->sql;
    int64_t run;
    int r;

    if (accept->batch_id != 0) {
        int64_t count = sql_number(sql, "SELECT count FROM batch WHERE id = ?1", -1, SQL_ARGS(sql_int(accept->batch_id)));

        if (count >= 0)                  /* applied before, without a key */
            return intake_replay(store, accept, accept->batch_id, accept->messages[0].id, count);
    }
    r = intake_honour_opt_outs(store, accept);
    if (r < 0)
        return r;
    if (accept->batch_id == 0) {
        accept->batch_id = store->next_batch_id++;
        for (uint32_t i = 0; i < accept->count; i++)
            accept->messages[i].id = store->next_message_id++;
    }
    if (store->credit.on) {
        r = credit_accept(store, accept, now_ms);
        if (r < 0)
            return r;
    }
    sql_run(sql, "INSERT INTO batch(id, actor, idempotency_key, request_hash, accepted_ms, first_id, count)"
                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            SQL_ARGS(sql_int(accept->batch_id), sql_text(accept->actor), sql_text(accept->idempotency_key),
                     sql_blob(accept->idempotency_key != NULL ? accept->request_hash : NULL, sizeof accept->request_hash),
                     sql_int(now_ms), sql_int(accept->messages[0].id), sql_int(accept->count)));
    run = clock_run(store);
    for (uint32_t i = 0; i < accept->count && sql->failed == 0; i++)
        intake_write(store, accept, &accept->messages[i], run, now_ms);
    return sql->failed;
}

int intake_accept(struct store *store, struct store_change *change)
{
    struct change_accept *accept = &change->u.accept;
    int r;

    if (accept->count == 0)
        return -EINVAL;
    for (uint32_t i = 0; i < accept->count; i++)
        if (!intake_is_sound(&accept->messages[i]))
            return -EINVAL;
    r = intake_find(store, accept);
    if (r != 0)
        return r < 0 ? r : 0;
    return intake_batch(store, accept, change->now_ms);
}
