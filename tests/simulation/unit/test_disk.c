/* SPDX-License-Identifier: Apache-2.0
 *
 * The disk of the simulation, and what it has taught the store. */
#include "tests/simulation/disk.h"

#include "src/store/store.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <cmocka.h>

static struct store *open_store(const struct disk *disk)
{
    struct store *store = NULL;
    char error[256];
    uint32_t unknown;

    if (store_open("test.db", disk_vfs(disk), "test", &store, error, sizeof error) < 0)
        fail_msg("%s", error);
    assert_int_equal(store_recover(store, 1000, &unknown), 0);
    return store;
}

/* One message more; the result of its commit. */
static int accept(struct store *store)
{
    struct store_change *change = change_new(CHANGE_ACCEPT, 1000);
    struct accept_message *message = calloc(1, sizeof *message);
    int r;

    assert_non_null(change);
    assert_non_null(message);
    change->u.accept.messages = message;
    change->u.accept.count = 1;
    strcpy(change->u.accept.actor, "test");
    strcpy(message->to, "+40700000001");
    message->text = calloc(1, 200);
    message->text_length = 199;
    memset(message->text, 'x', 199);
    message->coding.parts = 1;
    message->message_class = -1;
    r = store_apply(store, change);
    change_free(change);
    return r;
}

static int64_t count_messages(const struct disk *disk)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    int64_t count;

    assert_int_equal(sqlite3_open_v2("test.db", &db, SQLITE_OPEN_READWRITE, disk_vfs(disk)), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM message", -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    count = sqlite3_column_int64(row, 0);
    (void)sqlite3_finalize(row);
    (void)sqlite3_close(db);
    return count;
}

static void end(struct disk *disk, struct store *store, bool power_cut)
{
    disk_stop(disk);
    store_close(store);
    if (power_cut)
        disk_power_cut(disk);
    else
        disk_kill(disk);
}

static void a_power_cut_takes_what_was_not_synced_and_nothing_else(void **state)
{
    uint32_t torn = 0;

    (void)state;
    for (uint32_t skip = 0; skip < 60; skip++) {
        struct disk *disk = disk_new(skip);
        struct store *store;
        int64_t promised = 0, there;

        assert_non_null(disk);
        store = open_store(disk);
        promised += accept(store) == 0;
        disk_stop_after(disk, skip);
        for (int i = 0; i < 5; i++)
            promised += accept(store) == 0;
        end(disk, store, true);
        store = open_store(disk);            /* checks the whole file */
        there = count_messages(disk);
        assert_in_range(there, promised, promised + 1);
        torn += promised < 6;
        store_close(store);
        disk_free(disk);
    }
    assert_in_range(torn, 20, 60);
}

static void a_killed_process_loses_nothing_that_it_had_committed(void **state)
{
    struct disk *disk = disk_new(1);
    struct store *store;

    (void)state;
    assert_non_null(disk);
    store = open_store(disk);
    assert_int_equal(accept(store), 0);
    end(disk, store, false);
    store = open_store(disk);
    assert_int_equal(count_messages(disk), 1);
    store_close(store);
    disk_free(disk);
}

/* Found by the simulation (seed 469): the store went on behind frames that a failed sync had left in the page cache. */
static void a_commit_behind_a_failed_sync_is_not_promised_before_it_is_safe(void **state)
{
    (void)state;
    for (uint32_t skip = 0; skip < 48; skip++)
        for (uint32_t count = 1; count < 10; count++)
            for (int restart = 0; restart < 2; restart++) {
                struct disk *disk = disk_new(100 * skip + count);
                struct store *store;
                int64_t promised = 0;

                assert_non_null(disk);
                store = open_store(disk);
                promised += accept(store) == 0;
                disk_fail(disk, skip, count);
                promised += accept(store) == 0;
                if (restart) {           /* the next process finds the same page cache */
                    end(disk, store, false);
                    store = open_store(disk);
                }
                disk_fail(disk, 0, 0);
                for (int i = 0; i < 3; i++)
                    promised += accept(store) == 0;
                end(disk, store, true);
                store = open_store(disk);
                if (count_messages(disk) < promised)
                    fail_msg("skip %u count %u restart %d: %lld of %lld", (unsigned)skip, (unsigned)count, restart, (long long)count_messages(disk),
                             (long long)promised);
                store_close(store);
                disk_free(disk);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_cut_takes_what_was_not_synced_and_nothing_else),
        cmocka_unit_test(a_killed_process_loses_nothing_that_it_had_committed),
        cmocka_unit_test(a_commit_behind_a_failed_sync_is_not_promised_before_it_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
