/* SPDX-License-Identifier: Apache-2.0
 *
 * Credits when memory runs out at the first, second, third ... allocation of a step, and when the disk fails at the first, second, third ...
 * write of a life that reserves, captures, moves, releases and closes: the books add up on the disk after every failure, and the
 * same life can be led to its end, at which they are what they would have been. */
#include "credit_testing.h"

#include "faulty_vfs.h"
#include "tests/unit/faulty_memory.h"

/* -- memory -------------------------------------------------------------------------------------------------------- */

static void be_enrolled(struct bench *bench)
{
    if (!credit_now(bench).enrolled)
        with_credits(bench, 100000 * CREDIT);
}

static struct store_change *batch_of(struct bench *bench, uint32_t count, uint16_t parts)
{
    struct store_change *change = new_accept(bench, count, NULL);

    for (uint32_t i = 0; i < count; i++)
        fill_message(&change->u.accept.messages[i], "+40700123456", parts);
    return change;
}

static int64_t accepted(struct bench *bench, uint16_t parts, bool wait)
{
    struct store_change *change = batch_of(bench, 1, parts);
    int64_t id;

    change->u.accept.wait_for_credit = wait;
    assert_int_equal(apply(bench, change), 0);
    id = change->u.accept.messages[0].id;
    change_free(change);
    return id;
}

static struct store_change *make_accept(struct bench *bench)
{
    be_enrolled(bench);
    return batch_of(bench, 5, 2);
}

static struct store_change *make_outcome(struct bench *bench)
{
    be_enrolled(bench);
    return new_outcome(bench, intend(bench, accepted(bench, 1, false), 0, 1), ATTEMPT_SENT, 7);
}

static struct store_change *make_cancel(struct bench *bench)
{
    struct store_change *change;

    be_enrolled(bench);
    change = change_new(CHANGE_CANCEL, bench->now_ms);
    change->u.cancel.message_id = accepted(bench, 2, false);
    return change;
}

static struct store_change *make_open(struct bench *bench)
{
    struct credit_summary summary;
    struct store_change *change;

    be_enrolled(bench);
    summary = credit_now(bench);
    if (summary.old.lease_id != 0) {
        change = new_credit(bench, CREDIT_CLOSE);
        change->u.credit->lease_id = summary.old.lease_id;
        (void)credit_do(bench, change, NULL);
        change = new_credit(bench, CREDIT_CLOSED);
        change->u.credit->lease_id = summary.old.lease_id;
        assert_int_equal(credit_do(bench, change, NULL), LEDGER_DONE);
    }
    return new_lease(bench, summary.box.last_lease_id + 1, 100000 * CREDIT, 1, PRICES);
}

static struct store_change *make_move(struct bench *bench)
{
    be_enrolled(bench);
    (void)accepted(bench, 2, false);
    assert_int_equal(credit_do(bench, make_open(bench), NULL), LEDGER_DONE);
    return new_credit(bench, CREDIT_MOVE);
}

static struct store_change *make_resume(struct bench *bench)
{
    be_enrolled(bench);
    assert_in_range(credit_do(bench, new_credit(bench, CREDIT_FREEZE), NULL), LEDGER_DONE, LEDGER_ALREADY);
    (void)accepted(bench, 2, true);
    assert_int_equal(credit_do(bench, new_credit(bench, CREDIT_UNFREEZE), NULL), LEDGER_DONE);
    return new_credit(bench, CREDIT_RESUME);
}

static struct store_change *make_journal(struct bench *bench)
{
    struct store_change *sent = make_outcome(bench), *change;

    assert_int_equal(apply(bench, sent), 0);
    change_free(sent);
    change = new_credit(bench, CREDIT_JOURNAL);
    change->u.credit->from_seq = 1;
    return change;
}

static struct store_change *make_prices(struct bench *bench)
{
    struct store_change *change;

    be_enrolled(bench);
    change = new_credit(bench, CREDIT_PRICES);
    change->u.credit->version = credit_now(bench).prices[0].version + 1;
    change->u.credit->csv = strdup(PRICES);
    prices_hash(change->u.credit->version, PRICES, change->u.credit->sha256);
    return change;
}

static void see_state(struct bench *bench, const struct store_change *change)
{
    if (change->kind == CHANGE_OUTCOME)
        assert_int_equal(state_of(bench, change->u.outcome.message_id), MESSAGE_SENT);
    if (change->kind == CHANGE_CANCEL)
        assert_int_equal(state_of(bench, change->u.cancel.message_id), MESSAGE_CANCELLED);
    if (change->kind == CHANGE_ACCEPT)
        assert_true(change->u.accept.credit_lease_id != 0);
    if (change->kind == CHANGE_CREDIT && change->u.credit->step == CREDIT_JOURNAL)
        assert_true(change->u.credit->entry_count > 0);
    if (change->kind == CHANGE_CREDIT)
        assert_in_range(change->u.credit->verdict, LEDGER_DONE, LEDGER_ALREADY);
}

static const struct { const char *name; struct store_change *(*make)(struct bench *bench); } kinds[] = {
    { "accept", make_accept }, { "outcome", make_outcome }, { "cancel", make_cancel }, { "open", make_open },
    { "move", make_move },     { "resume", make_resume },   { "journal", make_journal }, { "prices", make_prices },
};

static bool try_change(struct bench *bench, size_t kind, bool cold, enum memory_of of, enum memory_lack lack, uint64_t n)
{
    struct store_change *change = kinds[kind].make(bench);
    bool fired;
    int r;

    if (cold)
        bench_reopen(bench);
    memory_fail(of, lack, n);
    r = store_apply(bench->store, change);
    fired = memory_works();
    if (r != 0 && r != -ENOMEM)
        fail_msg("%s, allocation %llu: %s", kinds[kind].name, (unsigned long long)n, strerror(-r));
    assert_true(r == 0 || fired);
    assert_int_equal(change->result, r);
    if (r != 0)
        assert_int_equal(apply(bench, change), 0);
    see_state(bench, change);
    assert_books_are_right(bench);
    change_free(change);
    return fired;
}

static void whichever_allocation_fails_the_books_are_right(void **state)
{
    struct bench *bench = *state;

    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)
        for (int of = 0; of < MEMORY_OWNERS; of++)
            for (int lack = 0; lack < MEMORY_LACKS; lack++)
                for (int cold = 0; cold < 2; cold++) {
                    uint64_t step = of == MEMORY_OWN || getenv("CELLPOST_EVERY") != NULL ? 1 : cold != 0 ? 331 : 97, n = 1 + (kind * 13 + (unsigned)lack) % step;

                    while (try_change(bench, kind, cold != 0, (enum memory_of)of, (enum memory_lack)lack, n))
                        n += step;
                    bench_close(bench);
                    bench_unlink(bench);
                    bench_open(bench);
                }
}

/* -- a disk that fails --------------------------------------------------------------------------------------------- */

#define TO "+40700123456"
enum { LIFE_ACCEPT, LIFE_INTENT, LIFE_OUTCOME, LIFE_SUCCESSOR, LIFE_MOVE, LIFE_CANCEL, LIFE_CLOSE, LIFE_CLOSED, LIFE_STEPS };

static int64_t of_batch(struct bench *bench, const char *what, int number)
{
    char query[160];

    snprintf(query, sizeof query, "SELECT %s FROM message ORDER BY id LIMIT 1 OFFSET %d", what, number);
    return bench_ask(bench, query);
}

static struct store_change *life_change(struct bench *bench, int step)
{
    struct store_change *change;

    switch (step) {
    case LIFE_ACCEPT:
        change = new_accept(bench, 3, "once");
        for (uint32_t i = 0; i < 3; i++)
            fill_message(&change->u.accept.messages[i], TO, 1);
        return change;
    case LIFE_INTENT:
        return new_intent(bench, of_batch(bench, "id", 0), 0, 1);
    case LIFE_OUTCOME:
        return new_outcome(bench, bench_ask(bench, "SELECT max(id) FROM attempt"), ATTEMPT_SENT, 7);
    case LIFE_SUCCESSOR:
        return new_lease(bench, 2, 10 * CREDIT, 1, PRICES);
    case LIFE_MOVE:
        return new_credit(bench, CREDIT_MOVE);
    case LIFE_CANCEL:
        change = change_new(CHANGE_CANCEL, bench->now_ms);
        change->u.cancel.message_id = of_batch(bench, "id", 1);
        return change;
    default:
        change = new_credit(bench, step == LIFE_CLOSE ? CREDIT_CLOSE : CREDIT_CLOSED);
        change->u.credit->lease_id = 1;
        return change;
    }
}

/* Applied again after an error that landed all the same it may find itself done. */
static int life_step(struct bench *bench, int step)
{
    struct faults kept = faults;
    struct store_change *change;
    int r;

    faults_set(FAULT_ONCE, 0);           /* what it is made from is read without faults */
    change = life_change(bench, step);
    faults = kept;
    r = store_apply(bench->store, change);

    if (r == 0 && change->result != 0 && change->result != -EEXIST && change->result != -EALREADY && change->result != -ECANCELED)
        fail_msg("step %d: %d", step, change->result);
    if (r == 0 && change->kind == CHANGE_CREDIT && change->u.credit->verdict != LEDGER_DONE && change->u.credit->verdict != LEDGER_ALREADY)
        fail_msg("step %d: %s", step, ledger_verdict_name(change->u.credit->verdict));
    change_free(change);
    return r;
}

static void open_faulty(struct bench *bench)
{
    char error[512];

    assert_int_equal(store_open(bench->path, "faulty", "t3st", &bench->store, error, sizeof error), 0);
    assert_int_equal(store_reader_open(bench->path, NULL, &bench->reader), 0);
}

static bool one_life(enum fault_mode mode, uint64_t fail_at, bool restarts)
{
    struct bench *bench = NULL;
    bool fired;
    int step = 0, r = 0;

    faults_set(FAULT_ONCE, 0);
    assert_int_equal(bench_setup((void **)&bench), 0);
    with_credits(bench, 10 * CREDIT);
    bench_close(bench);
    open_faulty(bench);
    faults_set(mode, fail_at);
    while (step < LIFE_STEPS && (r = life_step(bench, step)) == 0)
        step++;
    fired = faults.fired > 0;
    if (restarts)
        bench_close(bench);
    faults_set(FAULT_ONCE, 0);
    if (restarts) {
        uint32_t unknown;

        open_faulty(bench);
        assert_int_equal(store_recover(bench->store, bench->now_ms, &unknown), 0);
    }
    assert_books_are_right(bench);
    for (; step < LIFE_STEPS; step++) {
        /* An intent that nobody heard of was not handed over: it is unknown, and then known to be sent, or goes again. */
        if (step == LIFE_INTENT && bench_ask(bench, "SELECT count(*) FROM attempt") > 0)
            continue;
        assert_int_equal(life_step(bench, step), 0);
        assert_books_are_right(bench);
    }
    expect_lease(bench, 1, 0, 0, CREDIT);
    expect_lease(bench, 2, 9 * CREDIT, CREDIT, 0);
    assert_int_equal(bench_ask(bench, "SELECT returned_micro FROM credit_lease WHERE id = 1"), 9 * CREDIT);
    assert_int_equal(bench_teardown((void **)&bench), 0);
    return fired;
}

static void whichever_write_fails_the_books_are_right_and_end_the_same(void **state)
{
    static const enum fault_mode modes[] = { FAULT_ONCE, FAULT_DEAD, FAULT_TORN, FAULT_FULL };

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        for (int restarts = 0; restarts < 2; restarts++) {
            uint64_t n = 1;

            while (one_life(modes[i], n, restarts != 0))
                n++;
            assert_true(n > 20);
        }
}

static int group_setup(void **state)
{
    (void)state;
    if (memory_set_up() < 0)
        return -1;
    faulty_register();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(whichever_allocation_fails_the_books_are_right),
        cmocka_unit_test(whichever_write_fails_the_books_are_right_and_end_the_same),
    };

    return cmocka_run_group_tests_name("store, credits, failures", tests, group_setup, NULL);
}
