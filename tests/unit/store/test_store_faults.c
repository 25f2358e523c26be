/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk that fails at step 1, 2, 3 ... of a message's whole life, in every way a disk fails. Whatever was acknowledged is
 * there afterwards, whatever was not is there whole or not at all, and the same life can be led to its end. */
#include "store_testing.h"

#include <fcntl.h>

#include "faulty_vfs.h"

#define TO "+40700123456"
#define BATCH 3

enum step { STEP_OPEN, STEP_ACCEPT, STEP_INTENT, STEP_OUTCOME, STEP_REPORT, STEP_RECEIVE, STEPS };

struct life { struct bench bench; bool done[STEPS]; int64_t message_id, attempt_id, inbox_id; bool attempt_over; };

static int life_accept(struct life *life)
{
    struct store_change *change = new_accept(&life->bench, BATCH, "once");
    int r;

    for (uint32_t i = 0; i < BATCH; i++)
        fill_message(&change->u.accept.messages[i], TO, 1);
    r = store_apply(life->bench.store, change);
    assert_int_equal(change->result, r);
    if (r == 0)
        life->message_id = change->u.accept.messages[0].id;
    change_free(change);
    return r;
}

static int life_intent(struct life *life)
{
    struct store_change *change = new_intent(&life->bench, life->message_id, 0, 1);
    int r = store_apply(life->bench.store, change);

    if (r == 0 && change->result == 0)
        life->attempt_id = change->u.intent.attempt_id;
    /* A try that was given up may have landed after all: then the part is not handed over, and the message unknown. */
    if (r == 0 && change->result < 0)
        life->attempt_over = true;
    change_free(change);
    return r;
}

static int life_outcome(struct life *life)
{
    struct store_change *change = new_outcome(&life->bench, life->attempt_id, ATTEMPT_SENT, 7);
    int r = store_apply(life->bench.store, change);

    assert_int_equal(change->result, r);
    change_free(change);
    return r;
}

static int life_report(struct life *life)
{
    struct store_change *change = new_report(&life->bench, 1, 7, TO, 0);
    int r = store_apply(life->bench.store, change);

    if (r == 0)
        assert_int_equal(change->u.report.message_id, life->message_id);
    change_free(change);
    return r;
}

static int life_receive(struct life *life)
{
    struct store_change *change = change_new(CHANGE_RECEIVE, life->bench.now_ms);
    int r;

    change->u.receive.sim_id = 1;
    change->u.receive.pdu_hex = strdup("07AB");
    change->u.receive.text = strdup("hello");
    change->u.receive.text_length = 5;
    strcpy(change->u.receive.from, TO);
    r = store_apply(life->bench.store, change);
    if (r == 0 && !change->u.receive.duplicate)
        life->inbox_id = change->u.receive.inbox_id;
    change_free(change);
    return r;
}

static int life_open(struct life *life)
{
    char error[512];

    return store_open(life->bench.path, "faulty", "t3st", &life->bench.store, error, sizeof error);
}

static int life_step(struct life *life, enum step step)
{
    static int (*const steps[STEPS])(struct life *life) = { life_open,    life_accept, life_intent,
                                                            life_outcome, life_report, life_receive };
    bool skip = (step == STEP_OUTCOME || step == STEP_REPORT) && life->attempt_over;
    int r = skip ? 0 : steps[step](life);

    if (r == 0)
        life->done[step] = true;
    return r;
}

/* What is on the disk, seen by another connection: sound, and holding what was acknowledged. */
static void life_check(struct life *life)
{
    struct bench *bench = &life->bench;
    sqlite3 *db = bench_look(bench);
    sqlite3_stmt *stmt = NULL;
    int64_t messages, attempts;

    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "ok");
    sqlite3_finalize(stmt);
    if (!life->done[STEP_OPEN])
        goto out;

    messages = ask(db, "SELECT count(*) FROM message");
    assert_true(messages == BATCH || (messages == 0 && !life->done[STEP_ACCEPT]));
    assert_int_equal(ask(db, "SELECT coalesce(sum(count), 0) FROM batch"), messages);
    assert_int_equal(ask(db, "SELECT coalesce(sum(n), 0) FROM counter WHERE kind = 1"), messages);
    attempts = ask(db, "SELECT count(*) FROM attempt");
    assert_true(attempts == 1 || (attempts == 0 && !life->done[STEP_INTENT]));
    /* Half an intent would be an attempt of a message that is not being sent, or the reverse. */
    assert_int_equal(ask(db, "SELECT count(*) FROM message WHERE state NOT IN (2)"), attempts);
    assert_int_equal(ask(db, "SELECT count(DISTINCT message_id) FROM history"), attempts);
    if (life->done[STEP_OUTCOME] && !life->attempt_over)
        assert_int_equal(ask(db, "SELECT state * 1000 + mr FROM attempt"), ATTEMPT_SENT * 1000 + 7);
    if (life->done[STEP_REPORT] && !life->attempt_over)
        assert_int_equal(ask(db, "SELECT state FROM message ORDER BY id LIMIT 1"), MESSAGE_DELIVERED);
    if (life->done[STEP_RECEIVE])
        assert_int_equal(ask(db, "SELECT count(*) FROM inbox"), 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM inbox_part WHERE inbox_id IS NULL"), 0);
    assert_int_equal(ask(db, "SELECT count(*) FROM inbox_part"), ask(db, "SELECT count(*) FROM inbox"));
out:
    sqlite3_close(db);
}

/* Goes on from where it stopped, on a disk that works again. */
static void life_finish(struct life *life)
{
    for (int step = 0; step < STEPS; step++)
        if (!life->done[step])
            assert_int_equal(life_step(life, (enum step)step), 0);
    life_check(life);
    assert_int_equal(store_read_counts(life->bench.reader, (uint64_t[16]){ 0 }), 0);
    assert_counts_are_exact(&life->bench);
}

static void life_begin(struct life *life)
{
    struct bench *bench = &life->bench;

    memset(life, 0, sizeof *life);
    strcpy(bench->dir, "/tmp/cellpost-store-XXXXXX");
    assert_non_null(mkdtemp(bench->dir));
    snprintf(bench->path, sizeof bench->path, "%s/cellpost.db", bench->dir);
    bench->now_ms = T0;
}

static void life_end(struct life *life)
{
    bench_close(&life->bench);
    bench_unlink(&life->bench);
    assert_int_equal(rmdir(life->bench.dir), 0);
}

/* Every step that writes fails; of those that look, which are many, each fifth. CELLPOST_EVERY=1 for all. */
struct sweep { enum fault_kind kind; enum fault_mode mode; uint64_t stride; };
static const struct sweep sweeps[] = {
    { FAULT_WRITING, FAULT_ONCE, 1 }, { FAULT_WRITING, FAULT_DEAD, 1 }, { FAULT_WRITING, FAULT_TORN, 1 },
    { FAULT_WRITING, FAULT_FULL, 1 }, { FAULT_LOOKING, FAULT_ONCE, 5 }, { FAULT_LOOKING, FAULT_DEAD, 5 },
};
#define SWEEPS (sizeof sweeps / sizeof sweeps[0])

static uint64_t stride_of(const struct sweep *sweep)
{
    return getenv("CELLPOST_EVERY") != NULL ? 1 : sweep->stride;
}

/* Leads a life until a step fails; then the process ends, the disk works again, and a new process goes on. */
static bool life_with_restart(const struct sweep *sweep, uint64_t fail_at)
{
    struct life life;
    bool fired;
    uint32_t unknown;
    int r = 0;

    life_begin(&life);
    faults_set_kind(sweep->kind, sweep->mode, fail_at);
    for (int step = 0; step < STEPS && r == 0; step++) {
        r = life_step(&life, (enum step)step);
        /* One failing step is not the caller's business, but for the open itself. */
        if (sweep->mode == FAULT_ONCE && step != STEP_OPEN && r != 0)
            fail_msg("step %d failed with %d at fault %llu", step, r, (unsigned long long)fail_at);
    }
    store_close(life.bench.store);       /* its checkpoint may fail too */
    life.bench.store = NULL;
    fired = faults.fired > 0;
    faults_set(FAULT_ONCE, 0);

    life_check(&life);
    assert_int_equal(life_open(&life), 0);
    life.done[STEP_OPEN] = true;
    assert_int_equal(store_recover(life.bench.store, life.bench.now_ms, &unknown), 0);
    assert_true(unknown <= 1);
    if (unknown == 1 && !life.done[STEP_INTENT])
        life.attempt_over = true;
    assert_int_equal(store_reader_open(life.bench.path, NULL, &life.bench.reader), 0);
    life_finish(&life);
    life_end(&life);
    return fired;
}

static void whatever_step_fails_nothing_acknowledged_is_lost_and_nothing_is_half_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < SWEEPS; i++) {
        uint64_t n = 1 + i % stride_of(&sweeps[i]);

        while (life_with_restart(&sweeps[i], n))
            n += stride_of(&sweeps[i]);
        assert_true(n > 30);
    }
}

/* The same store goes on, with a reader that holds the database open. */
static void after_a_full_or_failing_disk_the_same_store_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < SWEEPS; i++) {
        const enum fault_mode mode = sweeps[i].mode;
        bool fired = true;

        for (uint64_t n = 1 + i % stride_of(&sweeps[i]); fired; n += stride_of(&sweeps[i])) {
            struct life life;
            int r = 0;

            life_begin(&life);
            faults_set(FAULT_ONCE, 0);
            assert_int_equal(life_step(&life, STEP_OPEN), 0);
            assert_int_equal(store_reader_open(life.bench.path, NULL, &life.bench.reader), 0);
            faults_set_kind(sweeps[i].kind, mode, n);
            for (int step = STEP_ACCEPT; step < STEPS && r == 0; step++) {
                r = life_step(&life, (enum step)step);
                if (r != 0)
                    assert_true(r == -EIO || r == -ENOSPC);
                if (mode == FAULT_FULL && r != 0)
                    assert_int_equal(r, -ENOSPC);
            }
            fired = faults.fired > 0;
            if (mode == FAULT_ONCE)
                assert_int_equal(r, 0);
            faults_set(FAULT_ONCE, 0);
            if (r != 0)
                assert_true(store_stats(life.bench.store).failures == 1);
            life_finish(&life);
            life_end(&life);
        }
    }
}

static void every_commit_is_synced_before_it_is_acknowledged(void **state)
{
    struct life life;

    (void)state;
    life_begin(&life);
    faults_set(FAULT_ONCE, 0);
    assert_int_equal(life_step(&life, STEP_OPEN), 0);
    for (int step = STEP_ACCEPT; step < STEPS; step++) {
        uint64_t syncs = faults.syncs;

        assert_int_equal(life_step(&life, (enum step)step), 0);
        assert_true(faults.syncs > syncs);
    }
    life_end(&life);
}

static struct store_change *new_key(struct bench *bench, enum change_kind kind)
{
    struct store_change *change = change_new(kind, bench->now_ms);

    strcpy(change->u.key.name, "odoo");
    return change;
}

/* The commit reached the disk, only its confirmation was lost, and the disk stayed silent for a while. Done again, there
 * would be no key to remove. */
static void a_commit_that_landed_in_spite_of_its_error_is_not_done_again(void **state)
{
    struct store_change *add, *take;
    struct life life;
    uint64_t steps = 0;
    int given_up = 0;

    (void)state;
    life_begin(&life);
    faults_set(FAULT_ONCE, 0);
    assert_int_equal(life_step(&life, STEP_OPEN), 0);
    add = new_key(&life.bench, CHANGE_KEY_ADD);
    take = new_key(&life.bench, CHANGE_KEY_REMOVE);
    for (uint64_t silence = 0; silence < 12; silence++) {
        uint64_t landed = store_stats(life.bench.store).landed;
        int r;

        assert_int_equal(apply(&life.bench, add), 0);
        faults_set(FAULT_ONCE, silence > 0 ? steps : 0);   /* the last step of a commit is its sync */
        faults.fail_steps = silence;
        r = store_apply(life.bench.store, take);
        if (silence == 0)
            steps = faults.steps;
        assert_int_equal(faults.fired > 0, silence > 0);
        faults_set(FAULT_ONCE, 0);
        assert_int_equal(take->result, r);
        if (r < 0) {                     /* it could not find out */
            given_up++;
            assert_int_equal(store_stats(life.bench.store).landed, landed);
            assert_int_equal(r, -EIO);
            r = apply(&life.bench, take);
            assert_true(r == 0 || r == -ENOENT);
        }
        assert_int_equal(bench_ask(&life.bench, "SELECT count(*) FROM api_key"), 0);
    }
    assert_true(given_up < 12 && store_stats(life.bench.store).landed > 0);
    change_free(add);
    change_free(take);
    life_end(&life);
}

static void another_process_that_writes_makes_it_busy_and_changes_nothing(void **state)
{
    struct life life;
    struct store_change *change;
    sqlite3 *db = NULL;

    (void)state;
    life_begin(&life);
    faults_set(FAULT_ONCE, 0);
    assert_int_equal(life_step(&life, STEP_OPEN), 0);
    assert_int_equal(sqlite3_open(life.bench.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    change = new_accept(&life.bench, 1, NULL);
    fill_message(&change->u.accept.messages[0], TO, 1);
    assert_int_equal(store_apply(life.bench.store, change), -EBUSY);
    assert_int_equal(change->result, -EBUSY);
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(store_apply(life.bench.store, change), 0);
    assert_int_equal(bench_ask(&life.bench, "SELECT count(*) FROM message"), 1);
    change_free(change);
    life_end(&life);
}

/* Whatever a write ends with: what it was is said, the handle is given up for another, and what the file holds is read anew. */
static void after_every_class_of_error_the_file_is_opened_anew_and_the_same_change_is_there_once(void **state)
{
    static const struct { int code, error; } classes[] = {
        { SQLITE_IOERR_WRITE, -EIO }, { SQLITE_FULL, -ENOSPC },     { SQLITE_CORRUPT, -EBADMSG }, { SQLITE_NOTADB, -EBADMSG },
        { SQLITE_NOMEM, -ENOMEM },    { SQLITE_IOERR_NOMEM, -ENOMEM }, { SQLITE_READONLY, -EIO }, { SQLITE_PERM, -EIO },
    };

    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        struct store_change *change;
        struct life life;

        life_begin(&life);
        faults_set(FAULT_ONCE, 0);
        assert_int_equal(life_step(&life, STEP_OPEN), 0);
        assert_int_equal(store_reader_open(life.bench.path, NULL, &life.bench.reader), 0);
        (void)accept_one(&life.bench, TO);   /* so that there is a log to go on with */
        change = new_accept(&life.bench, 1, NULL);
        fill_message(&change->u.accept.messages[0], TO, 1);
        faults_set(FAULT_FULL, 1);
        faults.write_error = classes[i].code;
        assert_int_equal(store_apply(life.bench.store, change), classes[i].error);
        assert_int_equal(change->result, classes[i].error);
        assert_true(faults.opens >= 1);
        faults_set(FAULT_ONCE, 0);
        assert_int_equal(bench_ask(&life.bench, "SELECT count(*) FROM message"), 1);
        assert_int_equal(apply(&life.bench, change), 0);
        assert_int_equal(bench_ask(&life.bench, "SELECT count(*) FROM message"), 2);
        assert_counts_are_exact(&life.bench);
        change_free(change);
        life_end(&life);
    }
}

static void put_page(const struct bench *bench, int64_t number, const uint8_t page[4096])
{
    int fd = open(bench->path, O_RDWR);

    assert_int_equal(pwrite(fd, page, 4096, (number - 1) * 4096), 4096);
    assert_int_equal(close(fd), 0);
}

/* A page that was overwritten under the running store: what needs it fails as damage and changes nothing, the rest goes on. */
static void a_damaged_page_fails_what_needs_it_and_nothing_else(void **state)
{
    uint8_t good[4096], bad[4096];
    struct store_change *change;
    struct life life;
    int64_t root;
    int fd;

    (void)state;
    life_begin(&life);
    faults_set(FAULT_ONCE, 0);
    assert_int_equal(life_step(&life, STEP_OPEN), 0);
    root = bench_ask(&life.bench, "SELECT rootpage FROM sqlite_schema WHERE name = 'api_key'");
    store_close(life.bench.store);       /* its log is in the file now */
    assert_int_equal(life_step(&life, STEP_OPEN), 0);
    fd = open(life.bench.path, O_RDONLY);
    assert_int_equal(pread(fd, good, sizeof good, (root - 1) * 4096), sizeof good);
    assert_int_equal(close(fd), 0);
    memset(bad, 0xA5, sizeof bad);
    put_page(&life.bench, root, bad);

    change = new_key(&life.bench, CHANGE_KEY_ADD);
    faults_set(FAULT_ONCE, 1);           /* a new handle, which has none of it in its cache */
    assert_int_equal(store_apply(life.bench.store, change), -EBADMSG);
    assert_int_equal(change->result, -EBADMSG);
    (void)accept_one(&life.bench, TO);
    put_page(&life.bench, root, good);
    assert_int_equal(apply(&life.bench, change), 0);
    assert_int_equal(bench_ask(&life.bench, "SELECT (SELECT count(*) FROM api_key) * 10 + (SELECT count(*) FROM message)"), 11);
    change_free(change);
    life_end(&life);
}

static int group_setup(void **state)
{
    (void)state;
    faulty_register();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_step_fails_nothing_acknowledged_is_lost_and_nothing_is_half_there),
        cmocka_unit_test(after_a_full_or_failing_disk_the_same_store_goes_on),
        cmocka_unit_test(every_commit_is_synced_before_it_is_acknowledged),
        cmocka_unit_test(a_commit_that_landed_in_spite_of_its_error_is_not_done_again),
        cmocka_unit_test(after_every_class_of_error_the_file_is_opened_anew_and_the_same_change_is_there_once),
        cmocka_unit_test(a_damaged_page_fails_what_needs_it_and_nothing_else),
        cmocka_unit_test(another_process_that_writes_makes_it_busy_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
