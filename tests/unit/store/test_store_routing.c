/* SPDX-License-Identifier: Apache-2.0
 *
 * The versions of tariffs and routes that were in force are kept. */
#include "store_testing.h"

/* hash: its first octet. The version; 0 with *ret_result where it is refused. */
static int64_t keep(struct bench *bench, uint8_t hash, const char *files)
{
    struct store_change *change = change_new(CHANGE_ROUTING, bench->now_ms);
    int64_t version;

    change->u.routing.sha256[0] = hash;
    change->u.routing.files = strdup(files);
    assert_int_equal(apply(bench, change), 0);
    version = change->u.routing.version;
    change_free(change);
    return version;
}

static void each_version_is_kept_once_with_its_first_time(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(keep(bench, 1, "[{\"name\":\"a\",\"text\":\"x\"}]"), 1);
    bench->now_ms += 1000;
    assert_int_equal(keep(bench, 2, "[{\"name\":\"a\",\"text\":\"y\"}]"), 2);
    assert_int_equal(keep(bench, 1, "[{\"name\":\"a\",\"text\":\"x\"}]"), 1);
    bench_reopen(bench);
    assert_int_equal(keep(bench, 2, "[{\"name\":\"a\",\"text\":\"y\"}]"), 2);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM routing_version"), 2);
    assert_int_equal(bench_ask(bench, "SELECT loaded_ms FROM routing_version WHERE id = 1"), bench->now_ms - 1000);
    assert_int_equal(bench_ask(bench, "SELECT length(sha256) FROM routing_version WHERE id = 2"), 32);
    assert_int_equal(bench_ask(bench, "SELECT files = '[{\"name\":\"a\",\"text\":\"x\"}]' FROM routing_version WHERE id = 1"), 1);
}

static void what_says_nothing_of_its_files_is_refused(void **state)
{
    struct bench *bench = *state;
    struct store_change *change = change_new(CHANGE_ROUTING, bench->now_ms);

    assert_int_equal(apply(bench, change), -EINVAL);
    change_free(change);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM routing_version"), 0);
}

/* A table that changes each night must not fill the disk. */
static void texts_of_the_oldest_versions_make_room_and_their_names_stay(void **state)
{
    struct bench *bench = *state;
    size_t large = (size_t)ROUTING_TEXTS_MAX / 4;
    char *files = malloc(large + 128);

    assert_non_null(files);
    for (int i = 1; i <= 5; i++) {
        size_t used = (size_t)sprintf(files, "[{\"name\":\"small\",\"text\":\"s\"},{\"name\":\"n%d\",\"text\":\"", i);

        memset(files + used, 'x', large);
        (void)strcpy(files + used + large, "\"}]");
        assert_int_equal(keep(bench, (uint8_t)i, files), i);
    }
    free(files);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM routing_version"), 5);
    assert_true(bench_ask(bench, "SELECT sum(length(files)) FROM routing_version") <= ROUTING_TEXTS_MAX);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM routing_version WHERE files LIKE '%\"text\"%'"), 3);
    assert_int_equal(bench_ask(bench, "SELECT files = '[{\"name\":\"small\"},{\"name\":\"n1\"}]' FROM routing_version WHERE id = 1"), 1);
    assert_int_equal(bench_ask(bench, "SELECT files = '[{\"name\":\"small\"},{\"name\":\"n2\"}]' FROM routing_version WHERE id = 2"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(each_version_is_kept_once_with_its_first_time),
        behaviour(what_says_nothing_of_its_files_is_refused),
        behaviour(texts_of_the_oldest_versions_make_room_and_their_names_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
