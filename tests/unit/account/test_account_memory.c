/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "tests/simulation/account_memory.h"
#include "tests/unit/account/storage_conformance.h"

static void the_memory_is_a_storage(void **state)
{
    struct account_memory *memory = account_memory_new();
    struct account_db db = account_memory_db(memory);

    (void)state;
    storage_conforms(&db);
    storage_kept_it(&db);
    account_memory_free(memory);
}

static int add_account(const struct account_db *db, const char *name)
{
    struct account_row row = { .created_ms = 1 };
    int r = db->ops->begin(db->db, 0);

    (void)strcpy(row.name, name);
    if (r == 0)
        r = db->ops->account_add(db->db, &row);
    if (r == 0)
        r = db->ops->commit(db->db);
    if (r < 0)
        db->ops->rollback(db->db);
    return r;
}

static bool has_account(const struct account_db *db, const char *name)
{
    struct account_row row;
    int r;

    assert_int_equal(db->ops->begin(db->db, 0), 0);
    r = db->ops->account_find(db->db, name, &row);
    db->ops->rollback(db->db);
    return r == 0;
}

static void every_call_can_be_made_to_fail_and_nothing_is_left_of_it(void **state)
{
    struct account_memory *memory = account_memory_new();
    struct account_db db = account_memory_db(memory);
    uint64_t n = 1;

    (void)state;
    for (;; n++) {
        int r;

        account_memory_fail(memory, n, -ENOSPC);
        r = add_account(&db, "one");
        if (!account_memory_calm(memory)) {
            assert_int_equal(r, 0);
            break;
        }
        assert_int_equal(r, -ENOSPC);
        assert_false(has_account(&db, "one"));
    }
    assert_true(n >= 4);                     /* begin, add, commit */
    assert_true(has_account(&db, "one"));
    account_memory_free(memory);
}

static void a_commit_can_take_hold_although_its_answer_is_lost(void **state)
{
    struct account_memory *memory = account_memory_new();
    struct account_db db = account_memory_db(memory);

    (void)state;
    account_memory_lose_answer(memory, 2);
    assert_int_equal(add_account(&db, "one"), 0);
    assert_int_equal(add_account(&db, "two"), -EIO);
    assert_true(account_memory_calm(memory));
    assert_true(has_account(&db, "two"));
    account_memory_free(memory);
}

static void a_backup_stays_as_it_was_and_brings_that_back(void **state)
{
    struct account_memory *memory = account_memory_new(), *backup;
    struct account_db db = account_memory_db(memory), old;
    uint64_t digest;

    (void)state;
    assert_int_equal(add_account(&db, "one"), 0);
    backup = account_memory_copy(memory);
    old = account_memory_db(backup);
    digest = account_memory_digest(memory);
    assert_true(account_memory_digest(backup) == digest);
    assert_int_equal(add_account(&db, "two"), 0);
    assert_true(account_memory_digest(memory) != digest);
    assert_false(has_account(&old, "two"));
    account_memory_restore(memory, backup);
    assert_true(has_account(&db, "one"));
    assert_false(has_account(&db, "two"));
    assert_true(account_memory_digest(memory) == digest);
    account_memory_free(backup);
    assert_int_equal(add_account(&db, "two"), 0);
    account_memory_free(memory);
}

static void refusals_forgotten_in_a_transaction_that_is_undone_are_all_back(void **state)
{
    struct account_memory *memory = account_memory_new();
    struct account_db db = account_memory_db(memory);
    struct account_answer row = { .status = 1 };
    uint64_t digest;

    (void)state;
    assert_int_equal(db.ops->begin(db.db, 0), 0);
    for (uint8_t i = 0; i < 9; i++) {
        row.request[0] = i;
        row.at_ms = i % 3;
        row.lease = i % 4 == 3;
        assert_int_equal(db.ops->answer_add(db.db, &row), 0);
    }
    assert_int_equal(db.ops->commit(db.db), 0);
    digest = account_memory_digest(memory);
    for (int64_t before_ms = 0; before_ms < 4; before_ms++) {
        assert_int_equal(db.ops->begin(db.db, 0), 0);
        assert_int_equal(db.ops->answer_prune(db.db, before_ms), 0);
        row.request[0] = 100;
        assert_int_equal(db.ops->answer_add(db.db, &row), 0);
        db.ops->rollback(db.db);
        assert_true(account_memory_digest(memory) == digest);
        for (uint8_t i = 0; i < 9; i++) {
            struct account_answer got;

            row.request[0] = i;
            assert_int_equal(db.ops->begin(db.db, 0), 0);
            assert_int_equal(db.ops->answer_get(db.db, row.box, row.request, &got), 0);
            assert_int_equal(got.at_ms, i % 3);
            db.ops->rollback(db.db);
        }
    }
    account_memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_memory_is_a_storage),
        cmocka_unit_test(every_call_can_be_made_to_fail_and_nothing_is_left_of_it),
        cmocka_unit_test(a_commit_can_take_hold_although_its_answer_is_lost),
        cmocka_unit_test(a_backup_stays_as_it_was_and_brings_that_back),
        cmocka_unit_test(refusals_forgotten_in_a_transaction_that_is_undone_are_all_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
