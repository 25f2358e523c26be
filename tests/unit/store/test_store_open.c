/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening: what is set, what is refused, and what a person is told. */
#include "store_testing.h"

#include <fcntl.h>
#include <sys/stat.h>

static int try_open(struct bench *bench, char error[512])
{
    struct store *store = NULL;
    int r = store_open(bench->path, NULL, "n3w1", &store, error, 512);

    if (r < 0)
        assert_null(store);
    store_close(store);
    return r;
}

static void execute(struct bench *bench, const char *text)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void overwrite(struct bench *bench, off_t at, size_t length)
{
    int fd = open(bench->path, O_WRONLY | O_CREAT, 0600);
    char junk[4096];

    assert_true(fd >= 0 && length <= sizeof junk);
    memset(junk, 'Z', sizeof junk);
    assert_int_equal(pwrite(fd, junk, length, at), (ssize_t)length);
    close(fd);
}

static void the_tag_is_drawn_once(void **state)
{
    struct bench *bench = *state;
    char error[512];

    assert_string_equal(store_tag(bench->store), "t3st");
    assert_string_equal(store_reader_tag(bench->reader), "t3st");
    bench_close(bench);
    assert_int_equal(try_open(bench, error), 0);
    bench_open(bench);
    assert_string_equal(store_tag(bench->store), "t3st");
    assert_int_equal(bench_ask(bench, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
}

static void a_commit_survives_power_loss(void **state)
{
    struct bench *bench = *state;
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    /* Persistent: WAL. The rest is per connection and shown by what the writer does: see the faults' test. */
    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "wal");
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static void ids_never_come_again(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, "+40700123456");

    bench_reopen(bench);
    assert_int_equal(accept_one(bench, "+40700123456"), id + 1);
}

static void a_newer_version_is_left_alone_and_named(void **state)
{
    struct bench *bench = *state;
    char error[512], ours[64];

    bench_close(bench);
    execute(bench, "PRAGMA user_version=7; CREATE TABLE of_the_future(x)");
    assert_int_equal(try_open(bench, error), -EPROTO);
    assert_non_null(strstr(error, bench->path));
    assert_non_null(strstr(error, "version is 7"));
    (void)snprintf(ours, sizeof ours, "up to %d", STORE_SCHEMA_VERSION);
    assert_non_null(strstr(error, ours));
    assert_int_equal(store_reader_open(bench->path, NULL, &bench->reader), -EPROTO);
    assert_int_equal(bench_ask(bench, "PRAGMA user_version"), 7);
    (void)snprintf(ours, sizeof ours, "PRAGMA user_version=%d", STORE_SCHEMA_VERSION);
    execute(bench, ours);
    bench_open(bench);
}

static void a_damaged_page_is_found_at_the_start(void **state)
{
    struct bench *bench = *state;
    char error[512];

    for (int i = 0; i < 200; i++)
        accept_one(bench, "+40700123456");
    bench_close(bench);
    overwrite(bench, 5 * 4096, 64);
    assert_int_equal(try_open(bench, error), -EBADMSG);
    assert_non_null(strstr(error, bench->path));
    assert_non_null(strstr(error, "damaged"));
    assert_non_null(strstr(error, "backup"));
    bench_unlink(bench);
    bench_open(bench);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct bench *bench = *state;
    char error[512];

    bench_close(bench);
    overwrite(bench, 0, 4096);
    assert_int_equal(try_open(bench, error), -EBADMSG);
    assert_non_null(strstr(error, bench->path));
    bench_unlink(bench);
    bench_open(bench);
}

static void the_database_of_another_program_is_refused_and_left_alone(void **state)
{
    struct bench *bench = *state;
    char error[512];

    bench_close(bench);
    bench_unlink(bench);
    execute(bench, "CREATE TABLE contacts(name)");
    assert_int_equal(try_open(bench, error), -EBADMSG);
    assert_non_null(strstr(error, "another program"));
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM sqlite_schema"), 1);
    bench_unlink(bench);
    bench_open(bench);
}

static void an_empty_file_becomes_a_database(void **state)
{
    struct bench *bench = *state;
    int fd;

    bench_close(bench);
    bench_unlink(bench);
    fd = open(bench->path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    bench_open(bench);
    accept_one(bench, "+40700123456");
}

/* Runs as an ordinary user: root may write anywhere. */
static void a_place_where_we_may_not_write_is_told_so(void **state)
{
    struct bench *bench = *state;
    bool root = geteuid() == 0;
    char error[512];
    int missing, read_only;

    bench_close(bench);
    bench_unlink(bench);
    assert_int_equal(chmod(bench->dir, 0555), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    missing = try_open(bench, error);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(missing, -EACCES);
    assert_non_null(strstr(error, bench->path));
    assert_non_null(strstr(error, "may write"));

    assert_int_equal(chmod(bench->dir, 0755), 0);
    bench_open(bench);
    bench_close(bench);
    assert_int_equal(chmod(bench->path, 0444), 0);
    assert_int_equal(chmod(bench->dir, 0555), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    read_only = try_open(bench, error);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(read_only, -EACCES);
    assert_int_equal(chmod(bench->path, 0644), 0);
    assert_int_equal(chmod(bench->dir, 0755), 0);
    bench_open(bench);
}

static void a_reader_needs_a_database_that_is_there(void **state)
{
    struct bench *bench = *state;
    struct store_reader *reader = NULL;

    bench_close(bench);
    bench_unlink(bench);
    assert_true(store_reader_open(bench->path, NULL, &reader) < 0);
    assert_null(reader);
    assert_int_equal(access(bench->path, F_OK), -1);
    bench_open(bench);
}

static void a_reader_sees_the_last_commit_and_holds_nothing_up(void **state)
{
    struct bench *bench = *state;
    int64_t id = accept_one(bench, "+40700123456");
    struct message_row row;
    struct stat st;
    char wal[128];

    assert_int_equal(store_read_message(bench->reader, id, &row), 0);
    assert_string_equal(row.to, "+40700123456");
    /* Had the reader kept its look at the past, the WAL could never start anew: it would have grown to many MB. */
    for (int i = 0; i < 30; i++) {
        struct store_change *change = new_accept(bench, 2000, NULL);

        for (uint32_t j = 0; j < 2000; j++)
            fill_message(&change->u.accept.messages[j], "+40700999999", 1);
        assert_int_equal(apply(bench, change), 0);
        change_free(change);
    }
    snprintf(wal, sizeof wal, "%s-wal", bench->path);
    assert_int_equal(stat(wal, &st), 0);
    assert_true(st.st_size < 6 * 1024 * 1024);
    assert_string_equal(row.to, "+40700123456");
    assert_int_equal(store_read_message(bench->reader, id + 60000, &row), 0);
    assert_string_equal(row.to, "+40700999999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(the_tag_is_drawn_once),
        behaviour(a_commit_survives_power_loss),
        behaviour(ids_never_come_again),
        behaviour(a_newer_version_is_left_alone_and_named),
        behaviour(a_damaged_page_is_found_at_the_start),
        behaviour(a_file_that_is_no_database_is_refused),
        behaviour(the_database_of_another_program_is_refused_and_left_alone),
        behaviour(an_empty_file_becomes_a_database),
        behaviour(a_place_where_we_may_not_write_is_told_so),
        behaviour(a_reader_needs_a_database_that_is_there),
        behaviour(a_reader_sees_the_last_commit_and_holds_nothing_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
