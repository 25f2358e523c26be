/* SPDX-License-Identifier: Apache-2.0
 *
 * Databases of every earlier version, with rows in every table and a message in every state, become ones of this version:
 * with all they held, in one step that a power cut leaves undone or done. */
#include "store_testing.h"

#include "tests/simulation/disk.h"

/* As the store of that version left them when its process was killed; see the first line of each. */
static const struct fixture { const char *name; int version; int64_t messages; uint32_t on_air; } fixtures[] = {
    { "schema_1.sql", 1, 10, 0 },
    { "schema_1_states.sql", 1, 15, 2 },
    { "schema_2_states.sql", 2, 15, 2 },
    { "schema_3_states.sql", 3, 15, 2 },
    { "schema_4_states.sql", 4, 15, 2 },
};
#define FIXTURES (sizeof fixtures / sizeof fixtures[0])

static char *read_fixture(const struct fixture *fixture)
{
    char path[512], *text;
    long size;
    FILE *file;

    snprintf(path, sizeof path, "%s/unit/store/%s", TEST_DATA_DIR, fixture->name);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    rewind(file);
    text = calloc(1, (size_t)size + 1);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    (void)fclose(file);
    return text;
}

static void load(const char *path, const struct fixture *fixture)
{
    char *text = read_fixture(fixture), *why = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", fixture->name, why);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    free(text);
}

static char *ask_text(sqlite3 *db, const char *query)
{
    sqlite3_stmt *stmt = NULL;
    const char *text;
    char *copy;

    if (sqlite3_prepare_v2(db, query, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    text = (const char *)sqlite3_column_text(stmt, 0);
    copy = strdup(text != NULL ? text : "");
    sqlite3_finalize(stmt);
    return copy;
}

/* -- every row of every table, in the columns there were ---------------------------------------------------------- */

#define TABLES_MAX 24

struct rows { char *query[TABLES_MAX], *text[TABLES_MAX]; size_t count; };

static void rows_read(struct rows *rows, const char *path)
{
    static const char tables[] =
        "SELECT 'SELECT group_concat(r, char(10)) FROM (SELECT ' || (SELECT group_concat('quote(\"' || name || '\")', '||'',''||') FROM"
        " pragma_table_info(t.name)) || ' AS r FROM ' || name || ' ORDER BY 1)' FROM sqlite_schema t WHERE type = 'table' ORDER BY name";
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;

    memset(rows, 0, sizeof *rows);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, tables, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        assert_true(rows->count < TABLES_MAX);
        rows->query[rows->count] = strdup((const char *)sqlite3_column_text(stmt, 0));
        rows->text[rows->count] = ask_text(db, rows->query[rows->count]);
        rows->count++;
    }
    sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_true(rows->count >= 13);
}

static void rows_free(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free(rows->query[i]);
        free(rows->text[i]);
    }
}

/* The file is sound, holds those rows, and is of one of two versions. Which? */
static int64_t assert_rows(const struct rows *rows, const char *path, int64_t old)
{
    sqlite3 *db = NULL;
    int64_t version;
    char *text;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    text = ask_text(db, "PRAGMA integrity_check");
    assert_string_equal(text, "ok");
    free(text);
    assert_int_equal(ask(db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    version = ask(db, "PRAGMA user_version");
    assert_true(version == old || version == STORE_SCHEMA_VERSION);
    for (size_t i = 0; i < rows->count; i++) {
        text = ask_text(db, rows->query[i]);
        assert_string_equal(text, rows->text[i]);
        free(text);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return version;
}

/* -- what they became --------------------------------------------------------------------------------------------- */

struct sight { struct store_reader *reader; int64_t messages, attempts, steps, others; unsigned states; };

static void see_attempt(void *context, const struct attempt_row *row)
{
    struct sight *sight = context;

    assert_true(row->id > 0 && row->imei != NULL && row->iccid != NULL);
    sight->attempts++;
}

static void see_step(void *context, const struct history_row *row)
{
    struct sight *sight = context;

    assert_true(row->at_ms > 0 && row->state > 0 && row->state <= MESSAGE_STATE_LAST);
    sight->steps++;
}

static void see_message(void *context, const struct message_row *row)
{
    struct sight *sight = context;

    assert_true(row->id > 0 && row->to[0] == '+' && row->text[0] != '\0' && row->actor[0] != '\0');
    assert_int_equal(row->policy, MESSAGE_AT_MOST_ONCE);
    sight->messages++;
    sight->states |= 1u << row->state;
    assert_int_equal(store_read_attempts(sight->reader, row->id, see_attempt, sight), 0);
    assert_int_equal(store_read_history(sight->reader, row->id, see_step, sight), 0);
}

static void see_inbox(void *context, const struct inbox_row *row) { ((struct sight *)context)->others += row->id > 0 && row->text != NULL; }
static void see_sim(void *context, const struct sim_row *row) { ((struct sight *)context)->others += row->iccid[0] == '8'; }
static void see_key(void *context, const struct key_row *row)
{
    ((struct sight *)context)->others += strcmp(row->name, "shop") == 0 && row->patience_s == MESSAGE_PATIENCE_AS_ROUTED;
}

static void everything_of_an_earlier_version_is_there_and_reads(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < FIXTURES; i++) {
        const struct fixture *fixture = &fixtures[i];
        struct sight sight = { 0 };
        struct rows rows;
        sqlite3 *db;

        bench_close(bench);
        bench_unlink(bench);
        load(bench->path, fixture);
        rows_read(&rows, bench->path);
        bench_open(bench);
        assert_int_equal(assert_rows(&rows, bench->path, STORE_SCHEMA_VERSION), STORE_SCHEMA_VERSION);
        rows_free(&rows);

        sight.reader = bench->reader;
        assert_int_equal(store_read_messages(bench->reader, &(struct message_filter){ .limit = 100 }, see_message, &sight), 0);
        assert_int_equal(store_read_inbox(bench->reader, &(struct inbox_filter){ .limit = 100 }, see_inbox, &sight), 0);
        assert_int_equal(store_read_sims(bench->reader, see_sim, &sight), 0);
        assert_int_equal(store_read_keys(bench->reader, see_key, &sight), 0);
        db = bench_look(bench);
        assert_int_equal(sight.messages, fixture->messages);
        assert_int_equal(sight.attempts, ask(db, "SELECT count(*) FROM attempt"));
        assert_int_equal(sight.steps, ask(db, "SELECT count(*) FROM history") + fixture->messages);   /* each has its first state too */
        assert_int_equal(sight.others, ask(db, "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM sim) + (SELECT count(*) FROM api_key)"));
        sqlite3_close(db);
        /* Every state but held, which the first version did not know, and waiting for credits, which the fourth did not. */
        if (fixture->on_air != 0)
            assert_int_equal(sight.states | (fixture->version == 1 ? 1u << MESSAGE_HELD : 0) | 1u << MESSAGE_WAIT_CREDIT,
                             (1u << (MESSAGE_STATE_LAST + 1)) - 2);
        assert_counts_are_exact(bench);
        /* The first version waited for evidence without an end. */
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message WHERE state = 10 AND ended = 0 AND doubt_ms <= expire_ms"), 0);
    }
}

static void an_earlier_version_goes_on_where_it_stopped(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < FIXTURES; i++) {
        struct store_change *change;
        uint32_t unknown;
        int64_t id;

        bench_close(bench);
        bench_unlink(bench);
        load(bench->path, &fixtures[i]);
        bench_open(bench);
        bench->now_ms = bench_ask(bench, "SELECT max(state_ms) FROM message") + 1000;
        assert_int_equal(store_recover(bench->store, bench->now_ms, &unknown), 0);
        assert_int_equal(unknown, fixtures[i].on_air);
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt WHERE state = 1"), 0);
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message WHERE state = 3"), 0);
        change = fetch(bench, 255, 0, 100);
        assert_int_equal(change->u.fetch.item_count, bench_ask(bench, "SELECT count(*) FROM message WHERE state = 2 AND ready_ms = 0"));
        if (fixtures[i].on_air != 0)
            assert_int_equal(change->u.fetch.items[0].priority, 9);
        change_free(change);
        id = accept_one(bench, "+40700123456");
        assert_int_equal(id, fixtures[i].messages + 1);
        assert_int_equal(finish(bench, intend(bench, id, 0, 1), ATTEMPT_SENT, 77), MESSAGE_SENT);
        assert_int_equal(report(bench, 1, 77, "+40700123456", 0), id);
        bench->now_ms += 72 * HOUR_MS;   /* everything that waits is over by then, or a person's */
        change_free(due(bench, 100));
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message WHERE state IN (1, 2, 3) AND expire_ms > 0"), 0);
        assert_counts_are_exact(bench);
    }
}

static void a_power_cut_at_any_write_of_the_migration_leaves_the_old_version_or_the_new(void **state)
{
    static const char path[] = "migrate.db";

    (void)state;
    for (size_t i = 0; i < FIXTURES; i++) {
        bool cut = true, seen_old = false, seen_new = false;

        for (uint32_t skip = 0; cut; skip++) {
            struct disk *disk = disk_new(1000 * i + skip);
            struct store *store = NULL;
            char error[512];
            struct rows rows;
            int64_t version;
            int r;

            assert_non_null(disk);
            load(path, &fixtures[i]);
            rows_read(&rows, path);
            disk_stop_after(disk, skip);
            r = store_open(path, disk_vfs(disk), "t3st", &store, error, sizeof error);
            cut = disk_stopped(disk);
            assert_true(r == 0 || cut);
            if (r == 0)
                store_close(store);
            disk_stop(disk);
            disk_power_cut(disk);
            version = assert_rows(&rows, path, fixtures[i].version);
            assert_true(version == STORE_SCHEMA_VERSION || r != 0);
            seen_old = seen_old || version == fixtures[i].version;
            seen_new = seen_new || version == STORE_SCHEMA_VERSION;
            assert_int_equal(store_open(path, disk_vfs(disk), "t3st", &store, error, sizeof error), 0);
            store_close(store);
            assert_int_equal(assert_rows(&rows, path, STORE_SCHEMA_VERSION), STORE_SCHEMA_VERSION);
            rows_free(&rows);
            disk_free(disk);
        }
        assert_true(seen_old && seen_new);
    }
}

static char *read_bytes(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = calloc(1, 1 << 20);

    assert_true(file != NULL && bytes != NULL);
    *ret_size = fread(bytes, 1, 1 << 20, file);
    (void)fclose(file);
    return bytes;
}

/* Byte for byte. */
static void a_newer_version_is_refused_untouched(void **state)
{
    struct bench *bench = *state;
    struct store *store = NULL;
    char error[512], query[64];
    char *before, *after;
    size_t size, size_after;
    sqlite3 *db;

    bench_close(bench);
    bench_unlink(bench);
    load(bench->path, &fixtures[FIXTURES - 1]);
    snprintf(query, sizeof query, "PRAGMA user_version=%d", STORE_SCHEMA_VERSION + 1);
    db = bench_look(bench);
    assert_int_equal(sqlite3_exec(db, query, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    before = read_bytes(bench->path, &size);
    assert_int_equal(store_open(bench->path, NULL, "t3st", &store, error, sizeof error), -EPROTO);
    after = read_bytes(bench->path, &size_after);
    assert_true(size > 4096 && size < 1 << 20);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
    bench_unlink(bench);
    bench_open(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(everything_of_an_earlier_version_is_there_and_reads),
        behaviour(an_earlier_version_goes_on_where_it_stopped),
        cmocka_unit_test(a_power_cut_at_any_write_of_the_migration_leaves_the_old_version_or_the_new),
        behaviour(a_newer_version_is_refused_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
