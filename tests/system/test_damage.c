/* SPDX-License-Identifier: Apache-2.0
 *
 * test_damage.c - a database too large to be read before the start, one page of which was overwritten. */
#include "tests/system/fixture.h"

#include "tests/bench/full_queue.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096

/* Swaps a page of the file with what is in page: at *at, or where that is 0 in the middle, which is of a large table. */
static void swap_page(const char *path, char page[PAGE], off_t *at)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char there[PAGE];
    struct stat st;

    assert_true(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 33 << 20);
    if (*at == 0)
        *at = st.st_size / 2 / PAGE * PAGE;
    assert_int_equal(pread(fd, there, PAGE, *at), PAGE);
    assert_int_equal(pwrite(fd, page, PAGE, *at), PAGE);
    memcpy(page, there, PAGE);
    assert_int_equal(close(fd), 0);
}

static bool is_unwell(struct harness *harness, const void *context)
{
    struct http_answer answer;
    bool unwell;

    (void)context;
    http_call(harness->http, "GET", "/healthz", NULL, NULL, &answer);
    unwell = answer.status == 503 && strstr(answer.body, "the database is damaged") != NULL;
    http_answer_done(&answer);
    return unwell;
}

static void damage_found_beside_the_work_stops_intake_and_the_next_start_until_it_is_mended(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "200" } };
    const struct full_queue queue = { .queued = 250000 };
    struct harness *harness = fixture_open(state, &options);
    struct http_answer answer;
    char page[PAGE];
    off_t at = 0;

    assert_int_equal(mkdir(harness->state, 0700), 0);
    full_queue_write(harness->database, &queue);
    memset(page, 0xA5, sizeof page);
    swap_page(harness->database, page, &at);

    harness_start(harness);
    assert_true(harness_wait(harness, is_unwell, NULL, 60000));
    assert_true(harness_wait_log(harness, "cellpost.db is damaged", WAIT_MS));
    http_call(harness->http, "POST", "/v1/messages", "{\"to\": \"+40711000000\", \"text\": \"new\"}", NULL, &answer);
    assert_int_equal(answer.status, 503);
    http_answer_done(&answer);
    assert_int_equal(harness_stop(harness, 15000), 0);

    harness_spawn(harness);              /* it remembers, and looks first */
    assert_int_equal(process_wait(&harness->daemon, 60000), 1);
    assert_true(harness_wait_log(harness, "cellpost.db is damaged", WAIT_MS));

    swap_page(harness->database, page, &at);
    harness_start(harness);
    assert_true(harness_wait_log(harness, "it is sound", 60000));
    assert_int_equal(harness_stop(harness, 15000), 0);
    harness->passed = true;
}

/* All but the first two pages. */
static void overwrite(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char page[PAGE];
    struct stat st;

    memset(page, 0xA5, sizeof page);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    for (off_t at = 2 * PAGE; at < st.st_size; at += PAGE)
        assert_int_equal(pwrite(fd, page, PAGE, at), PAGE);
    assert_int_equal(close(fd), 0);
}

/* After a failure of the disk the file is opened anew, and is no longer what it was. */
static void damage_that_a_commit_meets_is_said_as_such_and_ends_the_work(void **state)
{
    const struct harness_options options = { .modems = 0 };
    struct harness *harness = fixture_open(state, &options);
    struct http_answer answer;
    char id[32];

    faults_attach(harness);
    harness_start(harness);
    harness_send(harness, "+40711000000", "before", id);
    assert_int_equal(harness_stop(harness, 15000), 0);
    harness_start(harness);
    overwrite(harness->database);
    faults_begin(harness, "disk_error_sync");
    http_call(harness->http, "POST", "/v1/messages", "{\"to\": \"+40711000001\", \"text\": \"new\"}", NULL, &answer);
    assert_int_equal(answer.status, 503);
    http_answer_done(&answer);
    faults_end(harness);
    assert_true(harness_wait(harness, is_unwell, NULL, 60000));
    assert_true(harness_wait_log(harness, "cellpost.db is damaged", WAIT_MS));
    assert_int_equal(harness_stop(harness, 15000), 0);
    harness_spawn(harness);
    assert_int_equal(process_wait(&harness->daemon, 60000), 1);
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(damage_found_beside_the_work_stops_intake_and_the_next_start_until_it_is_mended, fixture_end),
        cmocka_unit_test_teardown(damage_that_a_commit_meets_is_said_as_such_and_ends_the_work, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
