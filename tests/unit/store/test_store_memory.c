/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that runs out at the first, second, third ... allocation of every change, of opening, migrating and reading: in
 * SQLite and in our own code, once and for good. The answer is 0 or -ENOMEM and nothing else, an answer of 0 is true, and
 * the same change can be applied again when there is memory and is then there once. */
#include "store_testing.h"

#include "faulty_vfs.h"
#include "tests/unit/faulty_memory.h"

#define TO "+40700123456"

/* Which allocations fail: first, first + step ... Our own are few and all of them do. Those of SQLite are many, most of them
 * of a new connection, and each try of those opens one: a sample, beginning elsewhere in each sweep. CELLPOST_EVERY=1 for all. */
struct sweep { uint64_t first, step; };

static struct sweep sweep_of(enum memory_of of, bool connects, uint64_t sweep)
{
    uint64_t step = of == MEMORY_OWN || getenv("CELLPOST_EVERY") != NULL ? 1 : connects ? 37 : 5;

    return (struct sweep){ .first = 1 + sweep * 5 % step, .step = step };
}

/* -- changes: how each is made, and what must be so once it was applied ------------------------------------------- */

static struct store_change *make_accept(struct bench *bench, uint32_t count, const char *key)
{
    struct store_change *change = new_accept(bench, count, key);

    for (uint32_t i = 0; i < count; i++)
        fill_message(&change->u.accept.messages[i], TO, i == 0 ? 3 : 1);
    return change;
}

static struct store_change *make_accept_one(struct bench *bench) { return make_accept(bench, 1, NULL); }
static struct store_change *make_accept_many(struct bench *bench) { return make_accept(bench, 12, NULL); }

static struct store_change *make_accept_again(struct bench *bench)
{
    struct store_change *first = make_accept(bench, 2, "again"), *change = make_accept(bench, 2, "again");

    assert_int_equal(apply(bench, first), 0);
    change->handle = (uint64_t)first->u.accept.batch_id;
    change_free(first);
    return change;
}

static void see_accepted(struct bench *bench, const struct store_change *change)
{
    const struct change_accept *accept = &change->u.accept;
    char query[160];

    for (uint32_t i = 0; i < accept->count; i++)
        assert_int_equal(state_of(bench, accept->messages[i].id), MESSAGE_QUEUED);
    snprintf(query, sizeof query, "SELECT count(*) FROM message WHERE batch_id = %lld", (long long)accept->batch_id);
    assert_int_equal(bench_ask(bench, query), accept->count);
    /* Also of those tries that were given up nothing is left: every message is of one of its batches. */
    assert_int_equal(bench_ask(bench, "SELECT (SELECT sum(count) FROM batch) - (SELECT count(*) FROM message)"), 0);
}

static void see_replayed(struct bench *bench, const struct store_change *change)
{
    see_accepted(bench, change);
    assert_true(change->u.accept.replayed);
    assert_int_equal(change->u.accept.batch_id, change->handle);
}

/* To a number of its own each: there are 256 references of 8 bits. */
static struct store_change *make_intent(struct bench *bench)
{
    static unsigned count;
    char to[MESSAGE_TO_MAX];

    snprintf(to, sizeof to, "+40700%06u", count++);
    return new_intent(bench, accept_parts(bench, to, 2), 0, 1);
}

static int64_t attempts_of(struct bench *bench, int64_t message_id)
{
    char query[96];

    snprintf(query, sizeof query, "SELECT count(*) FROM attempt WHERE message_id = %lld", (long long)message_id);
    return bench_ask(bench, query);
}

static void see_intent(struct bench *bench, const struct store_change *change)
{
    const struct change_intent *intent = &change->u.intent;

    assert_string_equal(intent->text, "p000");
    assert_true(intent->concat_ref_bits == 8);
    assert_int_equal(attempts_of(bench, intent->message_id), 1);
    assert_history(bench, intent->message_id, "queued>sending");
}

static int64_t open_attempt(struct bench *bench)
{
    int64_t id = intend(bench, accept_one(bench, TO), 0, 1);

    assert_true(id > 0);
    return id;
}

static struct store_change *make_sent(struct bench *bench) { return new_outcome(bench, open_attempt(bench), ATTEMPT_SENT, 7); }
static struct store_change *make_unknown(struct bench *bench) { return new_outcome(bench, open_attempt(bench), ATTEMPT_UNKNOWN, -1); }

static struct store_change *make_refused(struct bench *bench)
{
    struct store_change *change = new_outcome(bench, open_attempt(bench), ATTEMPT_REFUSED, -1);

    change->u.outcome.verdict = OUTCOME_RETRY;
    change->u.outcome.retry_ms = bench->now_ms + HOUR_MS;
    strcpy(change->u.outcome.reason, "congestion");
    return change;
}

/* Its report was here before it. */
static struct store_change *make_overtaken(struct bench *bench)
{
    bench->now_ms += 2 * HOUR_MS;        /* older parts of this TP-MR are not meant */
    int64_t id = open_attempt(bench);

    assert_int_equal(report(bench, 1, 99, TO, 0), 0);
    return new_outcome(bench, id, ATTEMPT_SENT, 99);
}

static void see_outcome(struct bench *bench, const struct store_change *change)
{
    const struct change_outcome *outcome = &change->u.outcome;
    static const char *const histories[] = { [ATTEMPT_SENT] = "queued>sending>sent", [ATTEMPT_UNKNOWN] = "queued>sending>unknown",
                                             [ATTEMPT_REFUSED] = "queued>sending>queued" };

    assert_history(bench, outcome->message_id, outcome->mr == 99 ? "queued>sending>sent>delivered" : histories[outcome->state]);
    assert_int_equal(outcome->message_state, state_of(bench, outcome->message_id));
    assert_int_equal(attempts_of(bench, outcome->message_id), 1);
}

static struct store_change *make_withdraw(struct bench *bench)
{
    struct store_change *change = change_new(CHANGE_WITHDRAW, bench->now_ms);

    change->u.withdraw.attempt_id = open_attempt(bench);
    return change;
}

static void see_withdrawn(struct bench *bench, const struct store_change *change)
{
    assert_int_equal(state_of(bench, change->u.withdraw.message_id), MESSAGE_QUEUED);
    assert_int_equal(change->u.withdraw.requeue.id, change->u.withdraw.message_id);
}

static struct store_change *make_report(struct bench *bench)
{
    bench->now_ms += 2 * HOUR_MS;
    assert_int_equal(finish(bench, open_attempt(bench), ATTEMPT_SENT, 55), MESSAGE_SENT);
    return new_report(bench, 1, 55, TO, 0);
}

static void see_reported(struct bench *bench, const struct store_change *change)
{
    assert_history(bench, change->u.report.message_id, "queued>sending>sent>delivered");
}

static struct store_change *make_orphan(struct bench *bench)
{
    bench->now_ms += 2 * HOUR_MS;
    return new_report(bench, 1, 200, "+40799000000", 0);
}

static void see_orphan(struct bench *bench, const struct store_change *change)
{
    char query[96];

    snprintf(query, sizeof query, "SELECT count(*) FROM report_orphan WHERE scts_ms = %lld", (long long)change->u.report.scts_ms);
    assert_int_equal(change->u.report.message_id, 0);
    assert_int_equal(bench_ask(bench, query), 1);
}

static struct store_change *new_receive(struct bench *bench, uint8_t seq, uint8_t total)
{
    struct store_change *change = change_new(CHANGE_RECEIVE, bench->now_ms);
    struct change_receive *receive = &change->u.receive;
    char pdu[32];

    snprintf(pdu, sizeof pdu, "07%012llX%02X", (unsigned long long)bench->now_ms & 0xFFFFFFFFFFFF, seq);
    receive->sim_id = 1;
    receive->pdu_hex = strdup(pdu);
    receive->text = strdup("half");
    receive->text_length = 4;
    receive->concat = total > 1;
    receive->ref_bits = 8;
    receive->ref = (uint16_t)(bench->now_ms / HOUR_MS & 0xFF);
    receive->total = total;
    receive->seq = seq;
    receive->scts_ms = bench->now_ms;
    strcpy(receive->from, TO);
    return change;
}

static struct store_change *make_receive(struct bench *bench)
{
    bench->now_ms += HOUR_MS;
    return new_receive(bench, 1, 1);
}

static struct store_change *make_receive_last(struct bench *bench)
{
    struct store_change *first;

    bench->now_ms += 8 * HOUR_MS;
    first = new_receive(bench, 1, 2);
    assert_int_equal(apply(bench, first), 0);
    change_free(first);
    return new_receive(bench, 2, 2);
}

static void see_received(struct bench *bench, const struct store_change *change)
{
    struct inbox_row row;

    /* Given a second time it is a duplicate of itself: only so may it have no number. */
    if (change->u.receive.duplicate)
        assert_int_equal(change->u.receive.inbox_id, 0);
    else
        assert_int_equal(store_read_inbox_one(bench->reader, change->u.receive.inbox_id, &row), 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM inbox_part WHERE inbox_id IS NULL"), 0);
    assert_int_equal(bench_ask(bench, "SELECT (SELECT count(*) FROM inbox_part) - (SELECT sum(parts) FROM inbox)"), 0);
}

static struct store_change *make_cancel(struct bench *bench)
{
    struct store_change *change = change_new(CHANGE_CANCEL, bench->now_ms);

    change->u.cancel.message_id = accept_one(bench, TO);
    return change;
}

static void see_cancelled(struct bench *bench, const struct store_change *change)
{
    assert_history(bench, change->u.cancel.message_id, "queued>cancelled");
}

static struct store_change *make_decide(struct bench *bench, enum decision decision)
{
    struct store_change *change = change_new(CHANGE_DECIDE, bench->now_ms);
    int64_t id = accept_one(bench, TO);

    assert_int_equal(finish(bench, intend(bench, id, 0, 1), ATTEMPT_UNKNOWN, -1), MESSAGE_UNKNOWN);
    change->u.decide.message_id = id;
    change->u.decide.decision = decision;
    return change;
}

static struct store_change *make_release(struct bench *bench) { return make_decide(bench, DECISION_RELEASE); }
static struct store_change *make_drop(struct bench *bench) { return make_decide(bench, DECISION_DROP); }

static void see_decided(struct bench *bench, const struct store_change *change)
{
    bool release = change->u.decide.decision == DECISION_RELEASE;

    assert_history(bench, change->u.decide.message_id, release ? "queued>sending>unknown>queued" : "queued>sending>unknown>held>unknown");
    assert_int_equal(change->u.decide.requeue.id, release ? change->u.decide.message_id : 0);
}

/* One of each: expires, has its time, waits for parts that never come, is in doubt for too long. */
static struct store_change *make_due(struct bench *bench)
{
    struct store_change *change = new_accept(bench, 3, NULL), *half;

    bench->now_ms += 48 * HOUR_MS;
    half = new_receive(bench, 1, 2);
    assert_int_equal(apply(bench, half), 0);
    change_free(half);
    for (uint32_t i = 0; i < 3; i++)
        fill_message(&change->u.accept.messages[i], TO, 1);
    change->u.accept.messages[0].expire_ms = bench->now_ms + MINUTE_MS;
    change->u.accept.messages[1].due_ms = bench->now_ms + MINUTE_MS;
    change->now_ms = bench->now_ms;
    assert_int_equal(apply(bench, change), 0);
    assert_int_equal(finish(bench, intend(bench, change->u.accept.messages[2].id, 0, 1), ATTEMPT_UNKNOWN, -1), MESSAGE_UNKNOWN);
    change_free(change);
    bench->now_ms += 30 * HOUR_MS;
    change = change_new(CHANGE_DUE, bench->now_ms);
    change->u.due.limit = 100;
    change->u.due.retry_ms_max = 1;
    return change;
}

static void see_due(struct bench *bench, const struct store_change *change)
{
    const struct change_due *now = &change->u.due;

    if (now->expired_count == 0)         /* a try before landed: nothing is due twice */
        assert_true(now->item_count == 0 && now->held_count == 0 && now->inbox_count == 0);
    else
        assert_true(now->expired_count == 1 && now->item_count == 1 && now->held_count == 1 && now->inbox_count == 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM message WHERE state IN (1, 10) AND doubt_ms + expire_ms > 0"), 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM inbox_part WHERE inbox_id IS NULL"), 0);
}

static struct store_change *make_fetch(struct bench *bench)
{
    struct store_change *change = change_new(CHANGE_FETCH, bench->now_ms);

    (void)accept_one(bench, TO);
    change->u.fetch.after_priority = 255;
    change->u.fetch.limit = 10;
    return change;
}

static void see_fetched(struct bench *bench, const struct store_change *change)
{
    (void)bench;
    assert_true(change->u.fetch.item_count > 0);
}

static struct store_change *make_sim(struct bench *bench)
{
    struct store_change *change = change_new(CHANGE_SIM, bench->now_ms);

    strcpy(change->u.sim.iccid, "8940010000000000001");
    strcpy(change->u.sim.imsi, "226010000000001");
    strcpy(change->u.sim.imei, "356938030000005");
    return change;
}

static void see_sim(struct bench *bench, const struct store_change *change)
{
    assert_true(change->u.sim.sim_id == 1 && change->u.sim.modem_id == 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM sim") + bench_ask(bench, "SELECT count(*) FROM modem"), 2);
}

static struct store_change *make_key_remove(struct bench *bench)
{
    struct store_change *add = change_new(CHANGE_KEY_ADD, bench->now_ms), *change = change_new(CHANGE_KEY_REMOVE, bench->now_ms);

    strcpy(add->u.key.name, "odoo");
    strcpy(change->u.key.name, "odoo");
    assert_int_equal(apply(bench, add), 0);
    change_free(add);
    return change;
}

static void see_no_key(struct bench *bench, const struct store_change *change)
{
    (void)change;
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM api_key"), 0);
}

static struct store_change *make_key_add(struct bench *bench)
{
    struct store_change *remove = make_key_remove(bench), *change = change_new(CHANGE_KEY_ADD, bench->now_ms);

    assert_int_equal(apply(bench, remove), 0);
    change_free(remove);
    strcpy(change->u.key.name, "odoo");
    return change;
}

static void see_key(struct bench *bench, const struct store_change *change)
{
    (void)change;
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM api_key WHERE name = 'odoo'"), 1);
}

static struct store_change *make_routing(struct bench *bench)
{
    struct store_change *change = change_new(CHANGE_ROUTING, bench->now_ms);

    change->u.routing.files = strdup("[{\"name\":\"t.csv\",\"text\":\"x\"}]");
    return change;
}

static void see_routing(struct bench *bench, const struct store_change *change)
{
    assert_int_equal(change->u.routing.version, 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM routing_version"), 1);
}

static const struct {
    const char *name;
    struct store_change *(*make)(struct bench *bench);
    void (*see)(struct bench *bench, const struct store_change *change);
} kinds[] = {
    { "accept one", make_accept_one, see_accepted },
    { "accept many", make_accept_many, see_accepted },
    { "accept again", make_accept_again, see_replayed },
    { "intent", make_intent, see_intent },
    { "sent", make_sent, see_outcome },
    { "unknown", make_unknown, see_outcome },
    { "refused", make_refused, see_outcome },
    { "overtaken by its report", make_overtaken, see_outcome },
    { "withdraw", make_withdraw, see_withdrawn },
    { "report", make_report, see_reported },
    { "orphan", make_orphan, see_orphan },
    { "receive", make_receive, see_received },
    { "receive the last part", make_receive_last, see_received },
    { "cancel", make_cancel, see_cancelled },
    { "release", make_release, see_decided },
    { "drop", make_drop, see_decided },
    { "due", make_due, see_due },
    { "fetch", make_fetch, see_fetched },
    { "sim", make_sim, see_sim },
    { "key remove", make_key_remove, see_no_key },
    { "key add", make_key_add, see_key },
    { "routing", make_routing, see_routing },
};

/* cold: by a connection that has prepared nothing yet. True if an allocation failed. */
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
    if (lack == MEMORY_ONCE && of == MEMORY_SQLITE)
        assert_int_equal(r, 0);          /* there was memory for a second try */
    assert_int_equal(change->result, r);
    if (r != 0)
        assert_int_equal(apply(bench, change), 0);
    kinds[kind].see(bench, change);
    change_free(change);
    return fired;
}

/* A new database for the next: with each message the work of looking at all of them grows. */
static void end_of_a_life(struct bench *bench)
{
    assert_counts_are_exact(bench);
    bench_close(bench);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    bench_unlink(bench);
    bench_open(bench);
}

static void whichever_allocation_fails_a_change_is_there_once_or_says_that_memory_lacks(void **state)
{
    struct bench *bench = *state;

    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        uint64_t most = 0;

        for (int of = 0; of < MEMORY_OWNERS; of++)
            for (int lack = 0; lack < MEMORY_LACKS; lack++)
                for (int cold = 0; cold < 2; cold++) {
                    struct sweep sweep = sweep_of((enum memory_of)of, cold != 0, kind + (size_t)lack);
                    uint64_t n = sweep.first;

                    for (; try_change(bench, kind, cold != 0, (enum memory_of)of, (enum memory_lack)lack, n); n += sweep.step)
                        most = n > most ? n : most;
                    end_of_a_life(bench);
                }
        assert_true(most > 5);
    }
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

static int open_once(struct bench *bench, enum memory_of of, enum memory_lack lack, uint64_t n, bool *ret_fired)
{
    char error[512];
    uint32_t unknown;
    int r;

    memory_fail(of, lack, n);
    r = store_open(bench->path, NULL, "t3st", &bench->store, error, sizeof error);
    if (r == 0)
        r = store_recover(bench->store, bench->now_ms, &unknown);
    *ret_fired = memory_works();
    if (r != 0 && r != -ENOMEM)
        fail_msg("allocation %llu: %s %s", (unsigned long long)n, strerror(-r), error);
    store_close(bench->store);
    bench->store = NULL;
    return r;
}

static void whichever_allocation_fails_a_start_says_so_and_the_next_one_works(void **state)
{
    struct bench *bench = *state;

    for (int of = 0; of < MEMORY_OWNERS; of++)
        for (int lack = 0; lack < MEMORY_LACKS; lack++) {
            struct sweep sweep = sweep_of((enum memory_of)of, true, (uint64_t)lack);
            bool fired = true;
            int tries = 0;

            for (uint64_t n = sweep.first; fired; n += sweep.step) {
                int64_t id;

                if (++tries % 16 == 0)   /* what the check at the start needs grows with the database */
                    end_of_a_life(bench);
                id = accept_one(bench, TO);

                assert_true(intend(bench, id, 0, 1) > 0);
                bench_close(bench);
                (void)open_once(bench, (enum memory_of)of, (enum memory_lack)lack, n, &fired);
                bench_open(bench);
                assert_int_equal(store_recover(bench->store, bench->now_ms, &(uint32_t){ 0 }), 0);
                assert_history(bench, id, "queued>sending>unknown");
            }
        }
    assert_counts_are_exact(bench);
}

static void whichever_allocation_fails_a_new_database_is_made_whole_or_not_at_all(void **state)
{
    struct bench *bench = *state;

    for (int of = 0; of < MEMORY_OWNERS; of++)
        for (int lack = 0; lack < MEMORY_LACKS; lack++) {
            struct sweep sweep = sweep_of((enum memory_of)of, true, (uint64_t)lack);
            bool fired = true;

            for (uint64_t n = sweep.first; fired; n += sweep.step) {
                bench_close(bench);
                bench_unlink(bench);
                (void)open_once(bench, (enum memory_of)of, (enum memory_lack)lack, n, &fired);
                bench_open(bench);
                assert_int_equal(accept_one(bench, TO), 1);
            }
        }
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

struct seen { uint32_t rows; };

static void see_message(void *context, const struct message_row *row) { (void)row, ((struct seen *)context)->rows++; }
static void see_attempt(void *context, const struct attempt_row *row) { (void)row, ((struct seen *)context)->rows++; }
static void see_history(void *context, const struct history_row *row) { (void)row, ((struct seen *)context)->rows++; }
static void see_inbox(void *context, const struct inbox_row *row) { (void)row, ((struct seen *)context)->rows++; }
static void see_card(void *context, const struct sim_row *row) { (void)row, ((struct seen *)context)->rows++; }
static void see_key_row(void *context, const struct key_row *row) { (void)row, ((struct seen *)context)->rows++; }

static int read_one(struct store_reader *reader, struct seen *seen)
{
    struct message_row row;
    int r = store_read_message(reader, 1, &row);

    seen->rows += r == 0 && strcmp(row.to, TO) == 0 && strcmp(row.actor, "key:test") == 0;
    return r;
}
static int read_list(struct store_reader *reader, struct seen *seen)
{
    return store_read_messages(reader, &(struct message_filter){ .limit = 10 }, see_message, seen);
}
static int read_by_number(struct store_reader *reader, struct seen *seen)
{
    return store_read_messages(reader, &(struct message_filter){ .to = TO, .since_ms = T0, .until_ms = T0 + HOUR_MS, .limit = 10 },
                               see_message, seen);
}
static int read_attempts(struct store_reader *reader, struct seen *seen) { return store_read_attempts(reader, 1, see_attempt, seen); }
static int read_history(struct store_reader *reader, struct seen *seen) { return store_read_history(reader, 1, see_history, seen); }
static int read_counts(struct store_reader *reader, struct seen *seen)
{
    uint64_t counts[16];
    int r = store_read_counts(reader, counts);

    seen->rows += r == 0 && counts[MESSAGE_SENDING] == 1;
    return r;
}
static int read_inbox(struct store_reader *reader, struct seen *seen)
{
    return store_read_inbox(reader, &(struct inbox_filter){ .limit = 10 }, see_inbox, seen);
}
static int read_inbox_one(struct store_reader *reader, struct seen *seen)
{
    struct inbox_row row;
    int r = store_read_inbox_one(reader, 1, &row);

    seen->rows += r == 0 && strcmp(row.text, "half") == 0 && strcmp(row.from, TO) == 0;
    return r;
}
static int read_sims(struct store_reader *reader, struct seen *seen) { return store_read_sims(reader, see_card, seen); }
static int read_keys(struct store_reader *reader, struct seen *seen) { return store_read_keys(reader, see_key_row, seen); }
static int read_key(struct store_reader *reader, struct seen *seen)
{
    uint8_t hash[32] = { 0 };
    char name[48];
    uint32_t scopes, patience_s;
    int r = store_read_key(reader, hash, name, &scopes, &patience_s);

    seen->rows += r == 0 && strcmp(name, "odoo") == 0;
    return r;
}

static void whichever_allocation_fails_a_reader_answers_whole_or_says_so(void **state)
{
    static int (*const reads[])(struct store_reader *reader, struct seen *seen) = {
        read_one, read_list, read_by_number, read_attempts, read_history, read_counts, read_inbox, read_inbox_one, read_sims, read_keys,
        read_key,
    };
    static struct store_change *(*const makes[])(struct bench *bench) = { make_receive, make_sim, make_key_add };
    struct bench *bench = *state;

    assert_true(open_attempt(bench) > 0);
    for (size_t i = 0; i < sizeof makes / sizeof makes[0]; i++) {
        struct store_change *change = makes[i](bench);

        assert_int_equal(apply(bench, change), 0);
        change_free(change);
    }
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        struct seen all = { 0 };

        assert_int_equal(reads[i](bench->reader, &all), 0);
        assert_true(all.rows > 0);
        for (int of = 0; of < MEMORY_OWNERS; of++)
            for (int lack = 0; lack < MEMORY_LACKS; lack++) {
                struct sweep sweep = sweep_of((enum memory_of)of, true, i + (size_t)lack);
                bool fired = true;

                for (uint64_t n = sweep.first; fired; n += sweep.step) {
                    struct store_reader *reader = NULL;
                    struct seen seen = { 0 }, again = { 0 };
                    int r;

                    memory_fail((enum memory_of)of, (enum memory_lack)lack, n);
                    r = store_reader_open(bench->path, NULL, &reader);
                    if (r == 0)
                        r = reads[i](reader, &seen);
                    fired = memory_works();
                    if (r != 0 && r != -ENOMEM)
                        fail_msg("reading %zu, allocation %llu: %s", i, (unsigned long long)n, strerror(-r));
                    if (r == 0)
                        assert_int_equal(seen.rows, all.rows);
                    if (reader != NULL) {
                        assert_int_equal(reads[i](reader, &again), 0);
                        assert_int_equal(again.rows, all.rows);
                    }
                    store_reader_close(reader);
                }
            }
    }
}

static int group_setup(void **state)
{
    (void)state;
    if (memory_set_up() < 0)
        return -1;
    faulty_register();                   /* for its syncs, which take no time */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(whichever_allocation_fails_a_change_is_there_once_or_says_that_memory_lacks),
        behaviour(whichever_allocation_fails_a_start_says_so_and_the_next_one_works),
        behaviour(whichever_allocation_fails_a_new_database_is_made_whole_or_not_at_all),
        behaviour(whichever_allocation_fails_a_reader_answers_whole_or_says_so),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
