/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c - one transaction per list of changes, and what happens when the disk does not do as it is told.
 *
 * A COMMIT that fails may have landed or not: SQLite cannot know what a disk kept that reported an error, and the handle
 * is not to be used for another try. Each transaction raises the number of commits
 * in the database. After a failure the file is opened anew, and that number tells. */
#include "src/store/store.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/store/schema.h"
#include "src/store/store_internal.h"

static const struct { store_step *step; bool savepoint; } rules[] = {
    [CHANGE_ACCEPT] = { intake_accept, false },          /* refuses before it writes */
    [CHANGE_INTENT] = { sending_intent, true },
    [CHANGE_OUTCOME] = { sending_outcome, true },
    [CHANGE_WITHDRAW] = { sending_withdraw, true },
    [CHANGE_REPORT] = { report_apply, true },
    [CHANGE_RECEIVE] = { receive_apply, true },
    [CHANGE_CANCEL] = { waiting_cancel, false },         /* refuses before it writes */
    [CHANGE_DECIDE] = { doubt_decide, true },
    [CHANGE_DUE] = { waiting_due, true },
    [CHANGE_FETCH] = { waiting_fetch, false },           /* writes nothing */
    [CHANGE_CLOCK] = { clock_apply, false },             /* refuses nothing */
    [CHANGE_SIM] = { registry_sim, false },              /* refuses nothing */
    [CHANGE_USE] = { registry_use, false },              /* refuses nothing */
    [CHANGE_FORECAST] = { registry_forecast, true },
    [CHANGE_KEY_ADD] = { registry_key_add, false },      /* refuses before it writes */
    [CHANGE_KEY_REMOVE] = { registry_key_remove, false },
    [CHANGE_ROUTING] = { routing_keep, false },          /* refuses before it writes */
    [CHANGE_OPT_OUT_ADD] = { opt_out_add, false },       /* refuses nothing */
    [CHANGE_OPT_OUT_REMOVE] = { opt_out_remove, false }, /* refuses before it writes */
    [CHANGE_BALANCE] = { registry_balance, false },      /* refuses before it writes */
    [CHANGE_CREDIT] = { credit_apply, true },
};

static char *store_copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

/* -- open and close ------------------------------------------------------------------------------------------ */

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Where the database stands. Ids given out before by this process are not given out again. */
static int store_load(struct store *store)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row = sql_query(sql, "SELECT value FROM meta WHERE key = 'tag'", SQL_NO_ARGS);

    if (sql_next(sql, row)) {
        sql_copy_text(row, 0, store->tag, sizeof store->tag);
        sql_end(sql, row);
    }
    store->commits = sql_number(sql, "SELECT n FROM counter WHERE kind = ?1 AND id = 0", 0, SQL_ARGS(sql_int(COUNTER_COMMITS)));
    store->next_batch_id = max_i64(store->next_batch_id, 1 + sql_number(sql, "SELECT max(id) FROM batch", 0, SQL_NO_ARGS));
    store->next_message_id = max_i64(store->next_message_id, 1 + sql_number(sql, "SELECT max(id) FROM message", 0, SQL_NO_ARGS));
    store->next_attempt_id = max_i64(store->next_attempt_id, 1 + sql_number(sql, "SELECT max(id) FROM attempt", 0, SQL_NO_ARGS));
    store->conversations = sql_number(sql, "SELECT EXISTS (SELECT 1 FROM conversation WHERE to_number > '')", 0, SQL_NO_ARGS) != 0;
    credit_load(store);
    return sql->failed;
}

int store_open(const char *path, const char *vfs, const char *tag, struct store **ret_store, char *ret_error, size_t error_size)
{
    struct store *store = calloc(1, sizeof *store);
    int r;

    if (error_size > 0)
        ret_error[0] = '\0';
    if (store == NULL)
        return -ENOMEM;
    store->path = store_copy_text(path);
    r = store->path != NULL ? count_vfs_new(vfs, &store->vfs) : -ENOMEM;
    if (r < 0)
        goto out;
    r = schema_open(&store->sql, SCHEMA_WRITE, path, count_vfs_name(store->vfs), tag, ret_error, error_size);
    if (r < 0)
        goto out;
    store->unchecked = schema_is_large(&store->sql);
    store->unsettled = true;
    r = store_load(store);
    if (r < 0) {
        (void)snprintf(ret_error, error_size, "%s cannot be read (%s).", path, sqlite3_errmsg(store->sql.db));
        goto out;
    }
    *ret_store = store;
    return 0;
out:
    store_close(store);
    return r;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    if (store->sql.db != NULL)
        sql_close(&store->sql);
    free(store->path);
    count_vfs_free(store->vfs);
    price_table_free(store->prices);
    free(store);
}

bool store_unchecked(const struct store *store)
{
    return store->unchecked;
}

bool store_has_credits(const struct store *store)
{
    return store->credit.on;
}

const char *store_tag(const struct store *store)
{
    return store->tag;
}

struct store_stats store_stats(const struct store *store)
{
    struct store_stats stats = store->stats;
    struct count_vfs_stats disk = count_vfs_stats(store->vfs);

    stats.writes = disk.writes;
    stats.bytes_written = disk.bytes_written;
    stats.wal_bytes_written = disk.wal_bytes_written;
    stats.syncs = disk.syncs;
    return stats;
}

/* -- transactions -------------------------------------------------------------------------------------------- */

/* Writes in the open transaction; failures are in store->sql.failed. */
typedef void store_body(struct store *store, void *context);

static void store_count(struct store *store)
{
    struct sql *sql = &store->sql;

    if (store->credit.on)
        credit_flush(store);
    for (int state = 1; state < 16; state++)
        if (store->tally[state] != 0)
            sql_run(sql, "INSERT INTO counter(kind, id, n) VALUES(?1, ?2, ?3) ON CONFLICT(kind, id) DO UPDATE SET n = n + ?3",
                    SQL_ARGS(sql_int(COUNTER_STATE), sql_int(state), sql_int(store->tally[state])));
    sql_run(sql, "INSERT INTO counter(kind, id, n) VALUES(?1, 0, ?2) ON CONFLICT(kind, id) DO UPDATE SET n = ?2",
            SQL_ARGS(sql_int(COUNTER_COMMITS), sql_int(store->commits + 1)));
}

/* *ret_begun: the handle is to be given up after a failure, and the commit may have landed all the same. */
static int store_try(struct store *store, store_body *body, void *context, bool *ret_begun)
{
    struct sql *sql = &store->sql;

    sql->failed = 0;
    memset(store->tally, 0, sizeof store->tally);
    sql_run(sql, "BEGIN IMMEDIATE", SQL_NO_ARGS);
    *ret_begun = sql->failed != -EBUSY;
    if (sql->failed != 0)
        return sql->failed;
    body(store, context);
    store_count(store);
    sql_run(sql, "COMMIT", SQL_NO_ARGS);
    if (sql->failed == 0)
        return 0;
    if (!sqlite3_get_autocommit(sql->db))
        (void)sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
    return sql->failed;
}

static int store_reopen(struct store *store)
{
    int r;

    if (store->sql.db != NULL)
        sql_close(&store->sql);
    r = schema_open(&store->sql, SCHEMA_REOPEN, store->path, count_vfs_name(store->vfs), store->tag, NULL, 0);
    if (r < 0)
        return r;
    r = store_load(store);
    if (r < 0)
        sql_close(&store->sql);
    return r;
}

/* After a failed sync frames of the WAL may be whole in the page cache and nowhere else: the kernel does not write such a page
 * again, and whatever is appended behind them is lost with them in a power cut, however well it was synced. Copying all of
 * the WAL into the database, syncing that, and beginning the WAL anew makes what is there as durable as any. RESTART: a reader
 * with an old snapshot must not keep the next commit behind those frames. The same at every start: the process before this
 * one may have died of such a disk. */
static int store_settle(struct store *store)
{
    struct sql *sql = &store->sql;
    sqlite3_stmt *row;
    bool busy = false, whole = false;

    sql->failed = 0;
    row = sql_query(sql, "PRAGMA wal_checkpoint(RESTART)", SQL_NO_ARGS);
    if (sql_next(sql, row)) {
        busy = sqlite3_column_int(row, 0) != 0;
        whole = !busy && sqlite3_column_int(row, 1) == sqlite3_column_int(row, 2);
        sql_end(sql, row);
    }
    store->unsettled = !whole;
    if (whole)
        return 0;
    return sql->failed != 0 ? sql->failed : busy ? -EBUSY : -EIO;
}

/* Before anything new is written. */
static int store_begin_settled(struct store *store)
{
    int r = store->unsettled ? store_settle(store) : 0;

    if (r == 0 || r == -EBUSY)
        return r;
    r = store_reopen(store);
    return r < 0 ? r : store_settle(store);
}

/* Of the errors a file can have when opened anew, a caller can act on these; the rest is the disk's. */
static int store_error(int error)
{
    return error == -ENOSPC || error == -EBUSY || error == -EBADMSG || error == -ENOMEM ? error : -EIO;
}

static int store_transact(struct store *store, store_body *body, void *context)
{
    int r = 0;

    if (store->sql.db == NULL) {
        r = store_reopen(store);
        if (r < 0)
            return store_error(r);
    }
    r = store_begin_settled(store);
    if (r < 0)
        return store_error(r);
    for (int i = 0; i < 2; i++) {
        int64_t number = store->commits + 1;
        bool begun, landed;
        int settled;

        r = store_try(store, body, context, &begun);
        if (r == 0) {
            store->commits = number;
            return 0;
        }
        if (!begun)
            return -EBUSY;
        store->unsettled = true;
        if (store_reopen(store) < 0)
            break;
        landed = store->commits >= number;
        settled = store_settle(store);
        if (landed && settled == 0)
            store->stats.landed++;       /* what was answered stands */
        if (landed || settled < 0)
            return settled < 0 ? store_error(settled) : 0;
    }
    return store_error(r);
}

/* -- changes ------------------------------------------------------------------------------------------------- */

static void store_apply_one(struct store *store, struct store_change *change)
{
    struct sql *sql = &store->sql;
    struct credit credit;
    int64_t tally[16];
    int r;

    assert(change->kind < sizeof rules / sizeof rules[0]);
    memcpy(tally, store->tally, sizeof tally);
    if (store->credit.on || change->kind == CHANGE_CREDIT)
        credit = store->credit;
    change_clear(change);
    if (rules[change->kind].savepoint)
        sql_run(sql, "SAVEPOINT step", SQL_NO_ARGS);
    r = rules[change->kind].step(store, change);
    if (r == -ENOMEM && sql->failed == 0)
        sql->failed = r;                 /* no answer of this change: all of them are tried again when there is memory */
    if (r < 0) {
        change_clear(change);
        change->result = r;
        memcpy(store->tally, tally, sizeof tally);
        if (store->credit.on || change->kind == CHANGE_CREDIT)
            store->credit = credit;
        if (rules[change->kind].savepoint)
            sql_run(sql, "ROLLBACK TO step", SQL_NO_ARGS);
    }
    if (rules[change->kind].savepoint)
        sql_run(sql, "RELEASE step", SQL_NO_ARGS);
}

static void store_apply_list(struct store *store, void *context)
{
    for (struct store_change *change = context; change != NULL && store->sql.failed == 0; change = change->next)
        store_apply_one(store, change);
}

int store_apply(struct store *store, struct store_change *list)
{
    int r = store_transact(store, store_apply_list, list);

    if (r == 0)
        store->stats.commits++;
    else
        store->stats.failures++;
    for (struct store_change *change = list; change != NULL; change = change->next) {
        if (r == 0) {
            store->stats.changes++;
        } else {
            change_clear(change);
            change->result = r;
        }
    }
    return r;
}

/* -- after a start ------------------------------------------------------------------------------------------- */

struct recovery { int64_t now_ms; uint32_t unknown; };

/* One message that was being sent: its open parts are unknown now, the rest of it goes on by the same SIM. */
static void recover_message(struct store *store, int64_t message_id, int64_t now_ms)
{
    struct standing standing;
    bool unknown = false;
    uint32_t sim_id;

    if (standing_load(store, message_id, &standing) < 0)
        return;
    sim_id = standing.sim_id;
    for (uint16_t i = 0; i < standing.parts; i++)
        unknown = unknown || standing.part[i] == PART_UNKNOWN;
    (void)doubt_resend(store, &standing, now_ms, DOUBT_SETTLE_MS);
    (void)standing_settle(store, &standing, true, now_ms,
                          unknown ? "the gateway stopped while this part was on its way" : "the gateway stopped between its parts");
    if (standing.report)
        (void)report_take_orphans(store, sim_id, &standing, now_ms);
}

#define RECOVER_OPEN_MAX 4096            /* two parts in each of 512 slots, and room */

/* Messages that had ended while a part of theirs was on its way: what is reserved for it is settled here, since they are not sent on. */
static void recover_credits(struct store *store, const int64_t *ids, uint32_t count, int64_t now_ms)
{
    for (uint32_t i = 0; i < count && store->sql.failed == 0; i++) {
        struct standing standing;

        if (standing_load(store, ids[i], &standing) == 0 && standing.state != MESSAGE_SENDING)
            credit_settle(store, &standing, now_ms);
    }
}

static uint32_t recover_find_open(struct store *store, int64_t **ret_ids)
{
    uint32_t count = 0;
    sqlite3_stmt *row;

    *ret_ids = store->credit.on ? calloc(RECOVER_OPEN_MAX, sizeof **ret_ids) : NULL;
    if (*ret_ids == NULL) {
        if (store->credit.on)
            store->sql.failed = -ENOMEM;
        return 0;
    }
    row = sql_query(&store->sql, "SELECT message_id FROM attempt INDEXED BY attempt_open WHERE state = 1 LIMIT ?1",
                    SQL_ARGS(sql_int(RECOVER_OPEN_MAX)));
    while (sql_next(&store->sql, row))
        (*ret_ids)[count++] = sqlite3_column_int64(row, 0);
    return count;
}

static void recover_all(struct store *store, void *context)
{
    struct recovery *recovery = context;
    struct sql *sql = &store->sql;
    int64_t id = 0, *open;
    uint32_t open_count = recover_find_open(store, &open);

    sql_run(sql, "UPDATE attempt SET state = 5, done_ms = ?1, awaits = (SELECT CASE report WHEN 0 THEN NULL ELSE 1 END FROM message"
                 " WHERE message.id = message_id) WHERE state = 1", SQL_ARGS(sql_int(recovery->now_ms)));
    recovery->unknown = sql->failed == 0 ? (uint32_t)sqlite3_changes(sql->db) : 0;
    while (sql->failed == 0) {
        id = sql_number(sql, "SELECT min(id) FROM message INDEXED BY message_state WHERE state NOT IN (4, 5) AND state = 3 AND id > ?1",
                        0, SQL_ARGS(sql_int(id)));
        if (id == 0)
            break;
        recover_message(store, id, recovery->now_ms);
    }
    recover_credits(store, open, open_count, recovery->now_ms);
    free(open);
}

int store_recover(struct store *store, int64_t now_ms, uint32_t *ret_unknown)
{
    struct recovery recovery = { .now_ms = now_ms };
    int r = store_transact(store, recover_all, &recovery);

    if (r < 0) {
        store->stats.failures++;
        return r;
    }
    store->stats.commits++;
    *ret_unknown = recovery.unknown;
    return 0;
}
