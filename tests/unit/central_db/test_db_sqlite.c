/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "firmware/central/db_internal.h"
#include "firmware/central/db_turn.h"
#include "tests/unit/account/storage_conformance.h"
#include "tests/unit/central_db/storage_cases.h"

static char folder[64], path[96];

static struct central_db *open_db(void)
{
    struct central_db *db = NULL;
    char problem[512];

    if (central_db_open(path, &db, problem, sizeof problem) != 0)
        fail_msg("%s", problem);
    return db;
}

static int empty(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/cellpost-test-db-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof path, "%s/central.db", folder);
    return 0;
}

static int clean(void **state)
{
    static const char *const names[] = { "central.db", "central.db-wal", "central.db-shm" };
    char name[128];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        (void)unlink(name);
    }
    return rmdir(folder);
}

static void it_does_what_every_storage_does(void **state)
{
    struct central_db *db = open_db(), *other = open_db();
    struct account_db ops = central_db_ops(db), ops_of_other = central_db_ops(other);

    (void)state;
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

/* -- power cuts ---------------------------------------------------------------------------------------------------------------- */

#define KILLS 25
#define POST 30                              /* entries of one */

/* Tells how many grants and entries are committed, after each commit. */
static void write_until_killed(int64_t account, int tell)
{
    struct central_db *db = open_db();
    struct account_db ops = central_db_ops(db);

    for (unsigned i = 0;; i++) {
        uint8_t done = i % 2;

        if ((done ? case_usage(&ops, &(struct case_usage){ i % CASE_BOXES, POST }, NULL) :
                    case_grant(&ops, &(struct case_grant){ account, i % CASE_BOXES, 1 + i }, NULL)) < 0 ||
            write(tell, &done, 1) != 1)
            _exit(1);
    }
}

/* What was committed is there when the process that wrote it is killed at any moment, and nothing is half there. */
static void a_killed_writer_loses_nothing_it_had_committed(void **state)
{
    struct central_db *kept = open_db();
    struct account_db ops = central_db_ops(kept);
    int64_t account = case_prepare(&ops);
    uint64_t grants_told = 0, usages_told = 0, grants = 0, entries = 0;

    (void)state;
    central_db_close(kept);
    for (unsigned i = 0; i < KILLS; i++) {
        unsigned told = 0, wanted = 1 + i * 7 % 23;
        uint64_t grants_before = grants, entries_before = entries;
        int pipes[2], status;
        uint8_t done;
        pid_t pid;

        assert_int_equal(pipe(pipes), 0);
        pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            write_until_killed(account, pipes[1]);
        }
        (void)close(pipes[1]);
        grants_told = usages_told = 0;
        for (; told < wanted && read(pipes[0], &done, 1) == 1; told++)
            done ? usages_told++ : grants_told++;
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(told == wanted && WIFSIGNALED(status));
        while (read(pipes[0], &done, 1) == 1)
            done ? usages_told++ : grants_told++;
        (void)close(pipes[0]);
        kept = open_db();
        ops = central_db_ops(kept);
        case_check(&ops, account, &grants, &entries);
        assert_in_range(grants - grants_before, grants_told, grants_told + 1);   /* one may be committed and not told yet */
        assert_in_range((entries - entries_before) / POST, usages_told, usages_told + 1);
        assert_int_equal(entries % POST, 0);
        central_db_close(kept);
    }
    assert_true(grants >= KILLS && entries > 0);
}

/* -- the disk ------------------------------------------------------------------------------------------------------------------- */

static void a_disk_that_fails_and_recovers_is_used_again(void **state)
{
    struct central_db *kept = open_db();
    struct account_db ops = central_db_ops(kept);
    int64_t account = case_prepare(&ops);
    uint64_t grants, entries;
    struct rlimit limit, none;
    struct stat size;
    char wal[128];
    int failures = 0;

    (void)state;
    assert_int_equal(case_grant(&ops, &(struct case_grant){ account, 0, 7 }, NULL), 0);
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &size), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &none), 0);
    for (rlim_t room = 0; room < 60000; room += 5000) {   /* a write fails, each time a later one */
        unsigned tries = 0;
        int r;

        limit = (struct rlimit){ (rlim_t)size.st_size + room, none.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        r = case_usage(&ops, &(struct case_usage){ 1, 100 }, &tries);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
        if (r == 0)
            continue;
        failures++;
        assert_true(r != -EAGAIN && r != -EEXIST && r != -ENOENT);
        assert_int_equal(tries, 1);          /* whether it took hold is not known: it is not tried again here */
        assert_int_equal(case_grant(&ops, &(struct case_grant){ account, 0, 7 }, NULL), 0);
        case_check(&ops, account, &grants, &entries);
        assert_int_equal(entries % 100, 0);
    }
    assert_true(failures > 2);
    central_db_close(kept);
}

/* -- versions ------------------------------------------------------------------------------------------------------------------- */

static void execute(const char *text)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void databases_that_are_not_for_this_program_are_refused(void **state)
{
    static const struct { const char *text; int error; const char *says; } rows[] = {
        { "PRAGMA application_id=0x43507363; PRAGMA user_version=2; CREATE TABLE account(id)", -EPROTO,
          "was written by a newer cellpost-central: its version is 2, this program knows up to 1" },
        { "PRAGMA application_id=0x43507374; PRAGMA user_version=1", -EBADMSG, "is the database of another program" },   /* of a gateway */
        { "CREATE TABLE other(id)", -EBADMSG, "is the database of another program" },
        { "PRAGMA application_id=0; PRAGMA user_version=1", -EBADMSG, "is the database of another program" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct central_db *db = NULL;
        struct stat before, after;
        char problem[512];

        execute(rows[i].text);
        assert_int_equal(stat(path, &before), 0);
        assert_int_equal(central_db_open(path, &db, problem, sizeof problem), rows[i].error);
        if (!strstr(problem, rows[i].says))
            fail_msg("%s", problem);
        assert_null(db);
        assert_int_equal(stat(path, &after), 0);
        assert_true(before.st_size == after.st_size && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_damaged_file_and_a_folder_that_is_not_there_are_told_in_words(void **state)
{
    struct central_db *db = open_db();
    struct account_db ops = central_db_ops(db);
    char problem[512];
    FILE *file;

    (void)state;
    (void)case_prepare(&ops);
    assert_int_equal(case_usage(&ops, &(struct case_usage){ 0, 200 }, NULL), 0);
    central_db_close(db);
    file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 3 * 4096, SEEK_SET), 0);
    for (unsigned i = 0; i < 4096; i++)
        assert_true(fputc(0x5A, file) != EOF);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(central_db_open(path, &db, problem, sizeof problem), -EBADMSG);
    assert_non_null(strstr(problem, "is damaged"));
    assert_int_equal(central_db_open("/tmp/cellpost-no-such-folder/central.db", &db, problem, sizeof problem), -EACCES);
    assert_non_null(strstr(problem, "See that its directory exists"));
}

static void only_its_owner_may_read_the_file(void **state)
{
    mode_t before = umask(0);
    struct central_db *db = open_db();
    struct account_db ops = central_db_ops(db);
    struct stat status;
    char wal[128];

    (void)state;
    (void)umask(before);
    (void)case_prepare(&ops);
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(wal, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    central_db_close(db);
}

/* -- turns ---------------------------------------------------------------------------------------------------------------------- */

struct queued { struct db_turn *turn; unsigned number, *order, *count; pthread_t thread; };

static void *queue_up(void *context)
{
    struct queued *queued = context;

    if (db_turn_take(queued->turn, 20000) == 0) {
        queued->order[(*queued->count)++] = queued->number;
        db_turn_pass(queued->turn);
    }
    return NULL;
}

static void turns_go_round_in_the_order_of_arrival(void **state)
{
    struct queued queued[5];
    unsigned order[5] = { 9, 9, 9, 9, 9 }, count = 0;
    struct db_turn *turn, *same;
    bool first;

    (void)state;
    assert_int_equal(db_turn_get("a", &turn, &first), 0);
    db_turn_opened();
    assert_true(first);
    assert_int_equal(db_turn_get("a", &same, &first), 0);
    db_turn_opened();
    assert_true(same == turn && !first);
    assert_int_equal(db_turn_take(turn, 0), 0);
    assert_int_equal(db_turn_take(same, 10), -EAGAIN);
    for (unsigned i = 0; i < 5; i++) {
        queued[i] = (struct queued){ turn, i, order, &count, 0 };
        assert_int_equal(pthread_create(&queued[i].thread, NULL, queue_up, &queued[i]), 0);
        while (db_turn_waiting(turn) <= i)
            (void)sched_yield();
    }
    db_turn_pass(turn);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(pthread_join(queued[i].thread, NULL), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(order[i], i);
    assert_int_equal(db_turn_take(turn, 0), 0);   /* free again */
    db_turn_pass(turn);
    db_turn_put(turn);
    db_turn_put(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_does_what_every_storage_does, empty, clean),
        cmocka_unit_test_setup_teardown(many_rows, empty, clean),
        cmocka_unit_test_setup_teardown(lists, empty, clean),
        cmocka_unit_test_setup_teardown(races, empty, clean),
        cmocka_unit_test_setup_teardown(rolled_back, empty, clean),
        cmocka_unit_test_setup_teardown(prices, empty, clean),
        cmocka_unit_test_setup_teardown(usage, empty, clean),
        cmocka_unit_test_setup_teardown(a_killed_writer_loses_nothing_it_had_committed, empty, clean),
        cmocka_unit_test_setup_teardown(a_disk_that_fails_and_recovers_is_used_again, empty, clean),
        cmocka_unit_test_setup_teardown(databases_that_are_not_for_this_program_are_refused, empty, clean),
        cmocka_unit_test_setup_teardown(a_damaged_file_and_a_folder_that_is_not_there_are_told_in_words, empty, clean),
        cmocka_unit_test_setup_teardown(only_its_owner_may_read_the_file, empty, clean),
        cmocka_unit_test(turns_go_round_in_the_order_of_arrival),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
