/* SPDX-License-Identifier: Apache-2.0
 *
 * store_testing.h - a database in a folder of its own, and one line per change. */
#ifndef CELLPOST_STORE_TESTING_H
#define CELLPOST_STORE_TESTING_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "src/store/store.h"
#include "src/store/store_read.h"

#define T0 INT64_C(1700000000000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)

struct bench {
    char dir[64], path[96];
    struct store *store;
    struct store_reader *reader;
    int64_t now_ms;
};

static inline void bench_open(struct bench *bench)
{
    char error[512];

    if (store_open(bench->path, NULL, "t3st", &bench->store, error, sizeof error) != 0)
        fail_msg("%s", error);
    assert_int_equal(store_reader_open(bench->path, NULL, &bench->reader), 0);
}

static inline void bench_close(struct bench *bench)
{
    store_reader_close(bench->reader);
    store_close(bench->store);
    bench->reader = NULL;
    bench->store = NULL;
}

static inline void bench_reopen(struct bench *bench)
{
    bench_close(bench);
    bench_open(bench);
}

static inline int bench_setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    assert_non_null(bench);
    strcpy(bench->dir, "/tmp/cellpost-store-XXXXXX");
    assert_non_null(mkdtemp(bench->dir));
    snprintf(bench->path, sizeof bench->path, "%s/cellpost.db", bench->dir);
    bench->now_ms = T0;
    bench_open(bench);
    *state = bench;
    return 0;
}

static inline void bench_unlink(const struct bench *bench)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
    char path[128];

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(path, sizeof path, "%s%s", bench->path, suffixes[i]);
        (void)unlink(path);
    }
}

static inline int bench_teardown(void **state)
{
    struct bench *bench = *state;

    bench_close(bench);
    bench_unlink(bench);
    assert_int_equal(rmdir(bench->dir), 0);
    free(bench);
    return 0;
}

/* Another look at the file, with SQLite alone. */
static inline sqlite3 *bench_look(const struct bench *bench)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    return db;
}

static inline int64_t ask(sqlite3 *db, const char *query)
{
    sqlite3_stmt *stmt = NULL;
    int64_t number;

    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return number;
}

static inline int64_t bench_ask(const struct bench *bench, const char *query)
{
    sqlite3 *db = bench_look(bench);
    int64_t number = ask(db, query);

    sqlite3_close(db);
    return number;
}

/* -- messages to accept -------------------------------------------------------------------------------------- */

/* A message of equal parts of 4 octets each. */
static inline void fill_message(struct accept_message *message, const char *to, uint16_t parts)
{
    uint16_t *cuts = parts > 1 ? calloc(parts, sizeof *cuts) : NULL;

    memset(message, 0, sizeof *message);
    snprintf(message->to, sizeof message->to, "%s", to);
    message->text = calloc(1, 4u * parts + 1);
    assert_non_null(message->text);
    for (uint16_t i = 0; i < parts; i++) {
        char text[8];

        snprintf(text, sizeof text, "p%03u", (unsigned)i);
        memcpy(message->text + 4 * i, text, 4);
        if (cuts != NULL)
            cuts[i] = 4;
    }
    message->text_length = 4u * parts;
    message->coding.parts = parts;
    message->coding.cuts = cuts;
    message->priority = MESSAGE_PRIORITY_DEFAULT;
    message->message_class = -1;
    message->report = true;
}

static inline struct store_change *new_accept(const struct bench *bench, uint32_t count, const char *key)
{
    struct store_change *change = change_new(CHANGE_ACCEPT, bench->now_ms);

    assert_non_null(change);
    strcpy(change->u.accept.actor, "key:test");
    change->u.accept.idempotency_key = key != NULL ? strdup(key) : NULL;
    memset(change->u.accept.request_hash, 7, sizeof change->u.accept.request_hash);
    change->u.accept.messages = calloc(count, sizeof *change->u.accept.messages);
    assert_non_null(change->u.accept.messages);
    change->u.accept.count = count;
    return change;
}

static inline int64_t accept_parts(struct bench *bench, const char *to, uint16_t parts)
{
    struct store_change *change = new_accept(bench, 1, NULL);
    int64_t id;

    fill_message(&change->u.accept.messages[0], to, parts);
    assert_int_equal(store_apply(bench->store, change), 0);
    assert_int_equal(change->result, 0);
    id = change->u.accept.messages[0].id;
    change_free(change);
    return id;
}

static inline int64_t accept_one(struct bench *bench, const char *to)
{
    return accept_parts(bench, to, 1);
}

/* -- steps --------------------------------------------------------------------------------------------------- */

/* Applies one change alone and returns its result; the caller reads the answer and frees it. */
static inline int apply(struct bench *bench, struct store_change *change)
{
    assert_int_equal(store_apply(bench->store, change), 0);
    return change->result;
}

static inline struct store_change *new_intent(const struct bench *bench, int64_t message_id, uint16_t part, uint32_t sim_id)
{
    struct store_change *change = change_new(CHANGE_INTENT, bench->now_ms);

    change->u.intent.message_id = message_id;
    change->u.intent.part = part;
    change->u.intent.sim_id = sim_id;
    change->u.intent.modem_id = sim_id;
    return change;
}

/* > 0: the attempt; else the negative errno. */
static inline int64_t intend(struct bench *bench, int64_t message_id, uint16_t part, uint32_t sim_id)
{
    struct store_change *change = new_intent(bench, message_id, part, sim_id);
    int r = apply(bench, change);
    int64_t id = r < 0 ? r : change->u.intent.attempt_id;

    change_free(change);
    return id;
}

static inline struct store_change *new_outcome(const struct bench *bench, int64_t attempt_id, enum attempt_state state, int mr)
{
    struct store_change *change = change_new(CHANGE_OUTCOME, bench->now_ms);

    change->u.outcome.attempt_id = attempt_id;
    change->u.outcome.state = state;
    change->u.outcome.mr = mr;
    change->u.outcome.code = -1;
    return change;
}

/* The state of the message after it. */
static inline enum message_state finish(struct bench *bench, int64_t attempt_id, enum attempt_state state, int mr)
{
    struct store_change *change = new_outcome(bench, attempt_id, state, mr);
    enum message_state message_state;

    assert_int_equal(apply(bench, change), 0);
    message_state = change->u.outcome.message_state;
    change_free(change);
    return message_state;
}

static inline struct queue_item refuse(struct bench *bench, int64_t attempt_id, enum outcome_verdict verdict, int64_t retry_ms)
{
    struct store_change *change = new_outcome(bench, attempt_id, ATTEMPT_REFUSED, -1);
    struct queue_item item;

    change->u.outcome.verdict = verdict;
    change->u.outcome.retry_ms = retry_ms;
    change->u.outcome.fail_state = MESSAGE_FAILED;
    change->u.outcome.code = 38;
    strcpy(change->u.outcome.reason, "network out of order");
    assert_int_equal(apply(bench, change), 0);
    item = change->u.outcome.requeue;
    change_free(change);
    return item;
}

static inline struct queue_item withdraw(struct bench *bench, int64_t attempt_id)
{
    struct store_change *change = change_new(CHANGE_WITHDRAW, bench->now_ms);
    struct queue_item item;

    change->u.withdraw.attempt_id = attempt_id;
    assert_int_equal(apply(bench, change), 0);
    item = change->u.withdraw.requeue;
    change_free(change);
    return item;
}

static inline struct store_change *new_report(const struct bench *bench, uint32_t sim_id, int mr, const char *recipient, int status)
{
    struct store_change *change = change_new(CHANGE_REPORT, bench->now_ms);

    change->u.report.sim_id = sim_id;
    change->u.report.mr = (uint8_t)mr;
    change->u.report.status = (uint8_t)status;
    change->u.report.scts_ms = bench->now_ms / 1000 * 1000;
    change->u.report.discharge_ms = change->u.report.scts_ms;
    snprintf(change->u.report.recipient, sizeof change->u.report.recipient, "%s", recipient);
    return change;
}

/* The message it was matched to; 0 none. */
static inline int64_t report(struct bench *bench, uint32_t sim_id, int mr, const char *recipient, int status)
{
    struct store_change *change = new_report(bench, sim_id, mr, recipient, status);
    int64_t id;

    assert_int_equal(apply(bench, change), 0);
    id = change->u.report.message_id;
    change_free(change);
    return id;
}

static inline int cancel(struct bench *bench, int64_t message_id)
{
    struct store_change *change = change_new(CHANGE_CANCEL, bench->now_ms);
    int r;

    change->u.cancel.message_id = message_id;
    r = apply(bench, change);
    change_free(change);
    return r;
}

static inline struct store_change *due(struct bench *bench, uint32_t limit)
{
    struct store_change *change = change_new(CHANGE_DUE, bench->now_ms);

    change->u.due.limit = limit;
    assert_int_equal(apply(bench, change), 0);
    return change;
}

static inline struct store_change *fetch(struct bench *bench, uint8_t after_priority, int64_t after_id, uint32_t limit)
{
    struct store_change *change = change_new(CHANGE_FETCH, bench->now_ms);

    change->u.fetch.after_priority = after_priority;
    change->u.fetch.after_id = after_id;
    change->u.fetch.limit = limit;
    assert_int_equal(apply(bench, change), 0);
    return change;
}

static inline enum message_state state_of(struct bench *bench, int64_t message_id)
{
    struct message_row row;

    assert_int_equal(store_read_message(bench->reader, message_id, &row), 0);
    return row.state;
}

/* The history as one line: "queued>sending>sent". */
struct line { char text[512]; };

static inline void line_add(void *context, const struct history_row *row)
{
    struct line *line = context;
    size_t used = strlen(line->text);

    snprintf(line->text + used, sizeof line->text - used, "%s%s", used > 0 ? ">" : "", message_state_name(row->state));
}

static inline struct line history_of(struct bench *bench, int64_t message_id)
{
    struct line line = { "" };

    assert_int_equal(store_read_history(bench->reader, message_id, line_add, &line), 0);
    return line;
}

#define assert_history(bench, id, states) assert_string_equal(history_of(bench, id).text, states)

/* Counts kept by the writer are those of the rows, whatever happened. */
static inline void assert_counts_are_exact(struct bench *bench)
{
    uint64_t counts[16];
    char query[96];
    sqlite3 *db = bench_look(bench);

    assert_int_equal(store_read_counts(bench->reader, counts), 0);
    for (int i = 0; i < 16; i++) {
        snprintf(query, sizeof query, "SELECT count(*) FROM message WHERE state = %d", i);
        assert_int_equal(counts[i], ask(db, query));
    }
    sqlite3_close(db);
}

#define behaviour(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)

#endif
