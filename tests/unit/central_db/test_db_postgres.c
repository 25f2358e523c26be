/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include <libpq-fe.h>

#include "firmware/central/db_internal.h"
#include "tests/postgres/server.h"
#include "tests/unit/account/storage_conformance.h"
#include "tests/unit/central_db/storage_cases.h"

static struct postgres_server *server;

static struct central_db *open_db(void)
{
    struct central_db *db = NULL;
    char problem[512];

    if (central_db_open(postgres_server_address(server), &db, problem, sizeof problem) != 0)
        fail_msg("%s", problem);
    return db;
}

/* Words of a person, on a connection of their own. */
static void execute(const char *text)
{
    PGconn *connection = PQconnectdb(postgres_server_address(server));
    PGresult *result = PQexec(connection, text);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

static int empty(void **state)
{
    (void)state;
    execute("SET client_min_messages=error; DROP SCHEMA IF EXISTS cellpost_central CASCADE");
    return 0;
}

static void it_does_what_every_storage_does(void **state)
{
    struct central_db *db = open_db(), *other = open_db();
    struct account_db ops = central_db_ops(db), ops_of_other = central_db_ops(other);

    (void)state;
    db_postgres_be_exact(db, true);          /* else what is wrong with a row may be told at the commit */
    storage_conforms(&ops);
    storage_kept_it(&ops_of_other);
    central_db_close(db);
    central_db_close(other);
}

static void many_rows(void **state) { (void)state; many_rows_of_one_transaction_are_as_they_were_written(open_db); }
static void lists(void **state) { (void)state; a_list_of_any_length_may_be_left_at_any_row(open_db); }
static void races(void **state) { (void)state; transactions_that_race_all_count_once(open_db); }
static void rolled_back(void **state) { (void)state; what_is_rolled_back_leaves_nothing(open_db); }
static void usage(void **state) { (void)state; posts_of_usage_are_booked_whole_or_not_at_all(open_db); }
static void prices(void **state) { (void)state; a_price_that_was_rolled_back_is_not_remembered(open_db); }

/* Nothing is waited for at first; who tries again hears it where it happens. */
static void a_key_that_is_taken_is_told_by_the_second_try(void **state)
{
    struct central_db *kept = open_db();
    struct account_db ops = central_db_ops(kept), *db = &ops;
    int64_t account = case_prepare(db);
    struct account_entry row = { .chain = 1, .entry = { .seq = 3, .kind = JOURNAL_CAPTURE, .message_id = 1, .part = 1 } };
    struct account_lease lease = { .id = 99, .account = account, .state = ACCOUNT_LEASE_OPEN };
    uint64_t grants, entries;

    (void)state;
    assert_int_equal(case_usage(db, &(struct case_usage){ 0, 2 }, NULL), 0);
    case_box(0, row.box);
    assert_int_equal(db->ops->begin(db->db, 0), 0);
    assert_int_equal(db->ops->entry_add(db->db, &row), 0);
    assert_int_equal(db->ops->commit(db->db), -EAGAIN);
    db->ops->rollback(db->db);
    assert_int_equal(db->ops->begin(db->db, 1), 0);
    assert_int_equal(db->ops->entry_add(db->db, &row), -EEXIST);
    assert_int_equal(db->ops->commit(db->db), 0);
    memcpy(lease.box, row.box, sizeof lease.box);
    assert_int_equal(db->ops->begin(db->db, 0), 0);
    assert_int_equal(db->ops->lease_set(db->db, &lease), 0);
    assert_int_equal(db->ops->lease_get(db->db, lease.box, 1, &lease), -EAGAIN);
    assert_int_equal(db->ops->commit(db->db), -EAGAIN);   /* it does not forget */
    db->ops->rollback(db->db);
    lease.id = 99;
    assert_int_equal(db->ops->begin(db->db, 1), 0);
    assert_int_equal(db->ops->lease_set(db->db, &lease), -ENOENT);
    assert_int_equal(db->ops->commit(db->db), 0);
    case_check(db, account, &grants, &entries);
    assert_int_equal(entries, 2);
    central_db_close(kept);
}

static void who_reads_what_another_changes_has_to_try_again(void **state)
{
    struct central_db *one = open_db(), *two = open_db();
    struct account_db ops = central_db_ops(one), *db = &ops, ops_of_two = central_db_ops(two);
    int64_t account = case_prepare(db);
    struct account_row row;
    uint64_t grants, entries;

    (void)state;
    assert_int_equal(db->ops->begin(db->db, 0), 0);
    assert_int_equal(db->ops->account_get(db->db, account, &row), 0);
    assert_int_equal(case_grant(&ops_of_two, &(struct case_grant){ account, 1, 5 }, NULL), 0);
    row.available_micro -= 100;              /* of what it was before */
    row.postings++;
    (void)db->ops->account_set(db->db, &row);
    assert_int_equal(db->ops->commit(db->db), -EAGAIN);
    db->ops->rollback(db->db);
    case_check(db, account, &grants, &entries);
    assert_int_equal(grants, 1);
    central_db_close(one);
    central_db_close(two);
}

/* Else one of many that want the same account might never get it. */
static void who_lost_over_an_account_has_it_next(void **state)
{
    struct central_db *one = open_db(), *two = open_db();
    struct account_db ops = central_db_ops(one), *db = &ops, ops_of_two = central_db_ops(two), *other = &ops_of_two;
    int64_t account = case_prepare(db);
    struct account_row row, row_of_two;
    unsigned tries = 0;

    (void)state;
    assert_int_equal(db->ops->begin(db->db, 0), 0);
    assert_int_equal(db->ops->account_get(db->db, account, &row), 0);
    assert_int_equal(case_grant(other, &(struct case_grant){ account, 1, 5 }, &tries), 0);
    assert_int_equal(tries, 1);
    assert_int_equal(db->ops->account_set(db->db, &row), 0);
    assert_int_equal(db->ops->commit(db->db), -EAGAIN);
    db->ops->rollback(db->db);
    assert_int_equal(db->ops->begin(db->db, 1), 0);
    assert_int_equal(other->ops->begin(other->db, 0), 0);
    assert_int_equal(other->ops->account_get(other->db, account, &row_of_two), -EAGAIN);   /* at once */
    other->ops->rollback(other->db);
    assert_int_equal(db->ops->account_get(db->db, account, &row), 0);
    row.created_ms = 77;
    assert_int_equal(db->ops->account_set(db->db, &row), 0);
    assert_int_equal(db->ops->commit(db->db), 0);
    assert_int_equal(other->ops->begin(other->db, 1), 0);
    assert_int_equal(other->ops->account_get(other->db, account, &row_of_two), 0);
    assert_int_equal(row_of_two.created_ms, 77);
    other->ops->rollback(other->db);         /* that ends its turn as well */
    tries = 0;
    assert_int_equal(case_grant(db, &(struct case_grant){ account, 1, 5 }, &tries), 0);
    assert_int_equal(tries, 1);
    central_db_close(one);
    central_db_close(two);
}

static void a_server_that_comes_back_is_used_again(void **state)
{
    struct central_db *kept = open_db(), *none = NULL;
    struct account_db ops = central_db_ops(kept), *db = &ops;
    int64_t account = case_prepare(db);
    char problem[512];
    uint64_t grants, entries;

    (void)state;
    assert_int_equal(case_grant(db, &(struct case_grant){ account, 1, 5 }, NULL), 0);
    for (unsigned round = 0; round < 2; round++) {
        struct account_row row;

        assert_int_equal(db->ops->begin(db->db, 0), 0);
        assert_int_equal(db->ops->account_get(db->db, account, &row), 0);
        postgres_server_stop(server, round == 0);
        assert_int_equal(db->ops->account_get(db->db, account, &row), -EAGAIN);   /* in the middle: nothing took hold */
        db->ops->rollback(db->db);
        assert_int_equal(db->ops->begin(db->db, 1), -EIO);                        /* away */
        db->ops->rollback(db->db);
        assert_int_equal(case_grant(db, &(struct case_grant){ account, 1, 5 }, NULL), -EIO);
        assert_int_equal(central_db_open(postgres_server_address(server), &none, problem, sizeof problem), -EIO);
        assert_non_null(strstr(problem, "PostgreSQL cannot be reached"));
        assert_int_equal(postgres_server_start(server), 0);
        assert_int_equal(case_grant(db, &(struct case_grant){ account, 1, 5 }, NULL), 0);
    }
    postgres_server_stop(server, false);     /* while nothing is under way */
    assert_int_equal(postgres_server_start(server), 0);
    assert_int_equal(case_grant(db, &(struct case_grant){ account, 1, 5 }, NULL), 0);
    case_check(db, account, &grants, &entries);
    assert_int_equal(grants, 4);
    central_db_close(kept);
}

/* The connection ends while the server commits: a trigger that runs then ends it. */
static void a_commit_without_an_answer_is_not_known(void **state)
{
    struct central_db *kept = open_db();
    struct account_db ops = central_db_ops(kept), *db = &ops;
    int64_t account = case_prepare(db);
    unsigned tries = 0;
    uint64_t grants, entries;

    (void)state;
    execute("CREATE FUNCTION cellpost_central.cut() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END';"
            "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON cellpost_central.posting DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            " EXECUTE FUNCTION cellpost_central.cut()");
    assert_int_equal(case_grant(db, &(struct case_grant){ account, 1, 5 }, &tries), -EIO);
    assert_int_equal(tries, 1);              /* a second one might have booked it twice */
    execute("DROP TRIGGER cut ON cellpost_central.posting");
    assert_int_equal(case_grant(db, &(struct case_grant){ account, 1, 5 }, NULL), 0);
    case_check(db, account, &grants, &entries);
    assert_int_equal(grants, 1);
    central_db_close(kept);
}

static void the_database_of_a_newer_version_is_refused(void **state)
{
    struct central_db *db = open_db(), *none = NULL;
    struct account_db ops = central_db_ops(db);
    char problem[512];

    (void)state;
    execute("UPDATE cellpost_central.meta SET number=number+1 WHERE key='version'");
    assert_int_equal(central_db_open(postgres_server_address(server), &none, problem, sizeof problem), -EPROTO);
    assert_non_null(strstr(problem, "newer cellpost-central: its version is 2, this program knows up to 1"));
    /* Who was connected before notices when it has to connect again. */
    execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='cellpost-central'");
    assert_int_equal(case_grant(&ops, &(struct case_grant){ 1, 1, 5 }, NULL), -EPROTO);
    central_db_close(db);
}

static void wrong_addresses_are_told_in_words(void **state)
{
    struct central_db *none = NULL;
    char problem[512];

    (void)state;
    assert_int_equal(central_db_open("postgresql://nobody@/postgres?host=/nowhere", &none, problem, sizeof problem), -EIO);
    assert_non_null(strstr(problem, "See that the server runs"));
    assert_null(strchr(problem, '\n'));
    assert_int_equal(central_db_open("postgresql://secret:word@/x?no_such_option=1", &none, problem, sizeof problem), -EIO);
    assert_null(strstr(problem, "secret:word"));
    assert_null(none);
}

static void a_server_that_does_not_wait_for_the_disk_does_for_this(void **state)
{
    struct central_db *db;
    struct account_db ops;

    (void)state;
    execute("ALTER DATABASE postgres SET synchronous_commit=off");
    db = open_db();
    ops = central_db_ops(db);
    (void)case_prepare(&ops);
    execute("CREATE FUNCTION cellpost_central.look() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN IF current_setting(''synchronous_commit'')<>''on'' THEN RAISE ''not durable''; END IF; RETURN NULL; END';"
            "CREATE TRIGGER look AFTER INSERT ON cellpost_central.entry EXECUTE FUNCTION cellpost_central.look()");
    assert_int_equal(case_usage(&ops, &(struct case_usage){ 0, 1 }, NULL), 0);
    execute("ALTER DATABASE postgres RESET synchronous_commit");
    central_db_close(db);
}

static int teardown(void **state)
{
    (void)state;
    postgres_server_free(server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_does_what_every_storage_does, empty),
        cmocka_unit_test_setup(many_rows, empty),
        cmocka_unit_test_setup(lists, empty),
        cmocka_unit_test_setup(races, empty),
        cmocka_unit_test_setup(rolled_back, empty),
        cmocka_unit_test_setup(prices, empty),
        cmocka_unit_test_setup(usage, empty),
        cmocka_unit_test_setup(a_key_that_is_taken_is_told_by_the_second_try, empty),
        cmocka_unit_test_setup(who_reads_what_another_changes_has_to_try_again, empty),
        cmocka_unit_test_setup(who_lost_over_an_account_has_it_next, empty),
        cmocka_unit_test_setup(a_server_that_comes_back_is_used_again, empty),
        cmocka_unit_test_setup(a_commit_without_an_answer_is_not_known, empty),
        cmocka_unit_test_setup(the_database_of_a_newer_version_is_refused, empty),
        cmocka_unit_test_setup(wrong_addresses_are_told_in_words, empty),
        cmocka_unit_test_setup(a_server_that_does_not_wait_for_the_disk_does_for_this, empty),
    };
    int r = postgres_server_new(false, &server);

    if (r == -ENOENT) {
        (void)printf("skipped: PostgreSQL is not installed here\n");
        return 77;
    }
    if (r < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, teardown);
}
