/* SPDX-License-Identifier: Apache-2.0
 *
 * Large files are not read from end to end when they are opened, but beside the work. */
#include "store_testing.h"

#include <fcntl.h>

#include "src/store/store_check.h"

#define PAGE 4096

/* Rows of one page each. */
static void fill(struct bench *bench, unsigned pages)
{
    char text[240];
    sqlite3 *db;

    bench_close(bench);
    db = bench_look(bench);
    snprintf(text, sizeof text,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) INSERT INTO report_orphan"
             " SELECT i, i, 1, 1, printf('%%.*c', 3900, 'x'), 0, 0, 0 FROM n", pages);
    assert_int_equal(sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* Overwrites a page in the middle of the file, which is one of those rows. */
static void damage(const struct bench *bench)
{
    char page[PAGE];
    int fd = open(bench->path, O_RDWR);
    off_t size = lseek(fd, 0, SEEK_END);

    memset(page, 0xA5, sizeof page);
    assert_int_equal(pwrite(fd, page, sizeof page, size / 2 / PAGE * PAGE), sizeof page);
    assert_int_equal(close(fd), 0);
}

static int check(const struct bench *bench, bool (*read)(void *context, size_t bytes), void *context, char ret_error[512])
{
    ret_error[0] = '\0';
    return store_check(bench->path, NULL, read, context, ret_error, 512);
}

static bool add(void *context, size_t bytes)
{
    *(size_t *)context += bytes;
    return true;
}

static bool stop_at_4_mib(void *context, size_t bytes)
{
    return add(context, bytes) && *(size_t *)context < 4u << 20;
}

static void a_large_file_is_opened_unread_and_a_small_one_is_not(void **state)
{
    struct bench *bench = *state;
    const unsigned limit = (unsigned)(STORE_CHECK_AT_START_MAX / PAGE);

    assert_false(store_unchecked(bench->store));
    fill(bench, limit - 200);
    bench_open(bench);
    assert_false(store_unchecked(bench->store));
    bench_close(bench);
    bench_unlink(bench);
    bench_open(bench);
    fill(bench, limit + 1);
    bench_open(bench);
    assert_true(store_unchecked(bench->store));
}

static void a_check_beside_the_work_reads_everything_and_stops_when_asked(void **state)
{
    struct bench *bench = *state;
    size_t bytes = 0, some = 0;
    char error[512];

    fill(bench, 3000);
    bench_open(bench);
    assert_int_equal(check(bench, add, &bytes, error), 0);
    assert_true(bytes > 3000 * PAGE);
    assert_string_equal(error, "");
    assert_int_equal(check(bench, stop_at_4_mib, &some, error), -EAGAIN);
    assert_true(some < bytes / 2);
    assert_int_equal(check(bench, NULL, NULL, error), 0);
    (void)accept_one(bench, "+40700123456");
}

static bool accept_meanwhile(void *context, size_t bytes)
{
    struct bench *bench = context;

    (void)bytes;
    if (bench->now_ms < T0 + 50) {
        bench->now_ms++;
        (void)accept_one(bench, "+40700123456");
    }
    return true;
}

static void messages_are_accepted_while_it_reads(void **state)
{
    struct bench *bench = *state;
    char error[512];

    fill(bench, 500);
    bench_open(bench);
    assert_int_equal(check(bench, accept_meanwhile, bench, error), 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message"), 50);
}

static void a_page_that_was_overwritten_is_found_and_the_answer_names_the_file(void **state)
{
    struct bench *bench = *state;
    const unsigned limit = (unsigned)(STORE_CHECK_AT_START_MAX / PAGE);
    char error[512];

    fill(bench, limit + 1);
    damage(bench);
    bench_open(bench);
    assert_true(store_unchecked(bench->store));
    assert_int_equal(check(bench, NULL, NULL, error), -EBADMSG);
    assert_non_null(strstr(error, bench->path));
    assert_non_null(strstr(error, "is damaged"));
}

/* Steps of the schema go over all rows: not over damaged ones. */
static void a_large_file_of_an_older_version_is_read_before_it_is_migrated(void **state)
{
    struct bench *bench = *state;
    char error[512];
    sqlite3 *db;

    fill(bench, (unsigned)(STORE_CHECK_AT_START_MAX / PAGE) + 1);
    db = bench_look(bench);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    damage(bench);
    assert_int_equal(store_open(bench->path, NULL, "t3st", &bench->store, error, sizeof error), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(a_large_file_is_opened_unread_and_a_small_one_is_not),
        behaviour(a_check_beside_the_work_reads_everything_and_stops_when_asked),
        behaviour(messages_are_accepted_while_it_reads),
        behaviour(a_page_that_was_overwritten_is_found_and_the_answer_names_the_file),
        behaviour(a_large_file_of_an_older_version_is_read_before_it_is_migrated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
