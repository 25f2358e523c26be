/* SPDX-License-Identifier: Apache-2.0
 *
 * Thousands of random calls of several boxes and of persons, any of which fails at any call of the storage, or takes hold
 * without an answer; who got no answer asks again with the same. After each step the books are in order (account_check(): I1,
 * I3, I7). Honest boxes are never fenced and never alarmed (I9), one request has one answer (I7), and in the end their books
 * close: nothing in suspense that they had a say in, no debt, and what is captured is what they charged (I13). Others are
 * copied, lie, and spend what they do not have: whatever they do, the books stay in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "tests/unit/account/account_world.h"

#define CREDIT 1000000
#define BOXES 3
#define SEEDS 600
#define STEPS 220
#define LEASES_MAX 256
#define ASKS_MAX 64

struct known { int64_t grant_micro, spent_micro, spend_until_ms; uint32_t version; bool closed; };
struct asked { struct account_lease_ask ask; enum account_status status; struct account_lease_told told; };

/* What a box remembers on its disk, beside its journal. */
struct machine {
    struct world_box box;
    char key[32];
    uint64_t open, old;                      /* leases */
    struct known leases[LEASES_MAX];
    uint64_t acked;
    int64_t messages;
    bool asking;
    struct account_lease_ask ask;
    bool refunded[WORLD_ENTRIES_MAX];
    uint64_t voided[WORLD_ENTRIES_MAX];      /* the number of the void; 0: none */
    struct asked answers[ASKS_MAX];
    size_t answer_count;
    uint64_t last_acked;                     /* the account's, of this journal */
};

static struct world world;
static struct machine machines[BOXES], copy;
static uint64_t random_state, seed_now, names;
static unsigned step_now;
static bool honest;
static int64_t booked_micro;                 /* what was charged in journals that are over */
static unsigned long done[16], failures, lost_answers, answers[ACCOUNT_STATUSES];
static struct account_census total;          /* of the honest runs */

#define CHECK(what) do { if (!(what)) fail_msg("seed %llu, step %u: %s", (unsigned long long)seed_now, step_now, #what); } while (0)

static uint32_t below(uint32_t bound)        /* splitmix64 */
{
    uint64_t z = (random_state += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ z >> 31) >> 32) % bound;
}

/* -- what goes wrong ---------------------------------------------------------------------------------------------------------- */

static void arm(void)
{
    static const int errors[] = { -EIO, -EAGAIN, -ENOSPC, -ENOMEM };

    switch (below(4)) {
    case 0: account_memory_fail(world.memory, 1 + below(24), errors[below(4)]); break;
    case 1: account_memory_lose_answer(world.memory, 1); break;
    default: break;
    }
}

/* True if there is an answer. Without one something did fail, and nobody knows what became of the call. */
static bool answered(int r)
{
    bool fired = account_memory_calm(world.memory);

    CHECK(r == 0 || fired);
    failures += fired;
    lost_answers += r != 0;
    if (r == 0)
        answers[world.status]++;
    return r == 0;
}

/* A call that is made until it has an answer, each time with the same bytes. */
#define UNTIL_ANSWERED(call) do { arm(); } while (!answered(call))

/* -- persons ---------------------------------------------------------------------------------------------------------------------- */

/* What the account has of a journal, as its box knows it. */
static int64_t charged(const struct machine *machine, uint64_t up_to)
{
    int64_t micro = 0;

    for (uint64_t i = 0; i < up_to; i++)
        if (machine->box.entries[i].kind == JOURNAL_CAPTURE && !machine->refunded[i] && !(machine->voided[i] && machine->voided[i] <= up_to))
            micro += machine->box.entries[i].units_micro;
    return micro;
}

static void enrol(struct machine *machine, bool again)
{
    struct account_token_ask token = { .account = "office", .label = "box", .lease_max_micro = CREDIT, .valid_ms = 1000 };
    struct account_enrol_ask ask = { .version = "1", .nonce = { 1 }, .hw_fingerprint = { 2 } };
    struct account_enrol_told told;
    char name[32], csr[40];

    (void)snprintf(name, sizeof name, "token %llu", (unsigned long long)++names);
    (void)snprintf(csr, sizeof csr, "csr %s", name);
    octets_sha256((const uint8_t *)name, strlen(name), token.token_sha256);
    if (again) {
        UNTIL_ANSWERED(account_reincarnate(&world.db, &world.hands, machine->box.caller.box, token.token_sha256, 1000, world.now_ms, &world.status));
        booked_micro += charged(machine, account_memory_box(world.memory, machine->box.caller.box)->acked.seq);
    } else {
        UNTIL_ANSWERED(account_token_new(&world.db, &token, world.now_ms, &world.status));
    }
    CHECK(world.status == ACCOUNT_OK || world.status == ACCOUNT_ALREADY);   /* it took hold the first time */
    ask.token = name;
    ask.csr = csr;
    UNTIL_ANSWERED(account_enrol(&world.db, &world.hands, &ask, world.now_ms, &world.status, &told));
    CHECK(world.status == ACCOUNT_OK);
    if (again)
        CHECK(memcmp(machine->box.caller.box, told.box, sizeof told.box) == 0 && told.epoch > machine->box.caller.epoch);
    memcpy(machine->box.caller.box, told.box, sizeof told.box);
    machine->box.caller.epoch = told.epoch;
    octets_sha256((const uint8_t *)csr, strlen(csr), machine->box.caller.key_sha256);
    machine->box.head = (struct journal_head){ .seq = 0 };
    machine->open = machine->old = machine->acked = machine->last_acked = 0;
    machine->asking = false;
    machine->answer_count = 0;
    memset(machine->refunded, 0, sizeof machine->refunded);
    memset(machine->voided, 0, sizeof machine->voided);
}

static void person(void)
{
    struct machine *machine = &machines[below(BOXES)];
    int64_t micro = 0;
    size_t expired;
    uint64_t entry;

    switch (below(10)) {
    case 0:
        arm();
        (void)answered(account_fund(&world.db, "office", 1 + below(2 * CREDIT), "ann", "", world.now_ms, &world.status));
        break;
    case 1:
        arm();
        (void)answered(account_payout(&world.db, "office", 1 + below(CREDIT), "ann", "", world.now_ms, &world.status));
        break;
    case 2:
        arm();
        (void)answered(account_freeze(&world.db, &world.hands, machine->box.caller.box, below(3) == 0, world.now_ms, &world.status));
        break;
    case 3:
        UNTIL_ANSWERED(account_freeze(&world.db, &world.hands, machine->box.caller.box, false, world.now_ms, &world.status));
        break;
    case 4:
        if (below(honest ? 6 : 2) == 0)
            enrol(machine, true);
        break;
    case 5:
        if (machine->box.head.seq == 0)
            break;
        entry = 1 + below((uint32_t)machine->box.head.seq);
        UNTIL_ANSWERED(account_refund(&world.db, &world.hands, machine->box.caller.box, 0, entry, "ann", "", world.now_ms, &world.status, &micro));
        if (world.status == ACCOUNT_OK || (world.status == ACCOUNT_REFUNDED &&
            (machine->voided[entry - 1] == 0 || machine->voided[entry - 1] > account_memory_box(world.memory, machine->box.caller.box)->acked.seq)))
            machine->refunded[entry - 1] = true;
        break;
    case 6:
    case 7:
        world.now_ms += below(WORLD_LEASE_MS / 3);
        arm();
        (void)answered(account_sweep(&world.db, world.now_ms, 1 + below(4), &expired));
        break;
    case 8:
        if (below(4) == 0) {
            static uint64_t seed_of_versions;
            static uint32_t version;

            version = seed_of_versions == seed_now ? version + 1 : 2;
            seed_of_versions = seed_now;
            world_prices(&world, version);
            CHECK(world.status == ACCOUNT_OK);
        }
        break;
    default:
        if (honest)
            break;
        arm();
        (void)answered(account_write_off(&world.db, machine->box.caller.box, 1 + below(4), below(CREDIT), "ann", "", world.now_ms, &world.status, &micro));
    }
}

/* -- boxes ------------------------------------------------------------------------------------------------------------------------- */

static void spend(struct machine *machine)
{
    struct known *lease = &machine->leases[machine->open];
    int64_t micro = (below(3) == 0 ? UCS2_MICRO : GSM7_MICRO) + (int64_t)lease->version - 1;
    uint64_t of = machine->open;

    if (!honest && below(4) == 0)
        of = 1 + below(12);                  /* any lease, whatever is left in it */
    else if (of == 0 || lease->spent_micro + micro > lease->grant_micro || world.now_ms >= lease->spend_until_ms)
        return;
    if (below(5) == 0) {
        world_release(&machine->box, of, ++machine->messages, 1, micro);
        return;
    }
    if (honest || below(20) > 0)
        machine->messages++;                 /* else the part is charged again */
    if (machine->messages == 0)
        machine->messages = 1;
    world_capture(&machine->box, of, machine->messages, (uint8_t)(1 + below(honest ? 200 : 2)), micro);
    lease->spent_micro += of == machine->open ? micro : 0;
}

/* Evidence that a part was not sent. Not of a lease that is closed, and a refund was told to the box. */
static void take_back(struct machine *machine)
{
    uint64_t seq = machine->box.head.seq == 0 ? 0 : 1 + below((uint32_t)machine->box.head.seq);
    const struct journal_entry *entry = &machine->box.entries[seq > 0 ? seq - 1 : 0];

    if (seq == 0)
        return;
    if (honest && (entry->kind != JOURNAL_CAPTURE || machine->voided[seq - 1] || machine->refunded[seq - 1] || machine->leases[entry->lease_id].closed))
        return;
    if (entry->kind == JOURNAL_RELEASE && below(4) > 0)
        return;
    machine->leases[entry->lease_id].spent_micro -= entry->units_micro;
    world_void(&machine->box, seq);
    machine->voided[seq - 1] = machine->box.head.seq;
}

/* What a person gave back and the box took back too is lent again if it is there; that it is not is another test. */
static void leave_enough(const struct machine *machine)
{
    for (uint64_t i = 0; i < machine->box.head.seq; i++) {
        if (machine->voided[i] > 0 && machine->refunded[i]) {
            UNTIL_ANSWERED(account_fund(&world.db, "office", CREDIT, "ann", "", world.now_ms, &world.status));
            return;
        }
    }
}

static void tell(struct machine *machine)
{
    uint64_t from = machine->acked + 1, most;
    struct account_usage_ask ask = { .head = machine->box.head };
    struct account_usage_told told;

    if (honest)
        leave_enough(machine);
    if (below(4) == 0)
        from = 1 + below((uint32_t)from);    /* more than is asked for, or a late copy */
    if (!honest && below(8) == 0 && machine->box.head.seq > machine->acked)
        from = machine->acked + 2;           /* it leaves one out */
    most = machine->box.head.seq - (from - 1);
    ask.from_seq = from;
    ask.entries = machine->box.entries + (from - 1);
    ask.count = below(4) == 0 && most > 0 ? below((uint32_t)most) : (size_t)most;
    if (from > 1)
        memcpy(ask.prev_hash, machine->box.entries[from - 2].hash, SHA256_OCTETS);
    arm();
    if (!answered(account_usage(&world.db, &world.hands, &machine->box.caller, &ask, world.now_ms, &world.status, &told)))
        return;
    if (honest)
        CHECK(world.status == ACCOUNT_OK);
    if (world.status != ACCOUNT_OK)
        return;
    if (honest) {
        CHECK(told.acked.seq >= machine->acked && told.acked.seq >= from - 1 + ask.count && told.acked.seq <= machine->box.head.seq);
        CHECK(told.acked.seq == 0 || memcmp(told.acked.hash, machine->box.entries[told.acked.seq - 1].hash, SHA256_OCTETS) == 0);
    }
    if (told.acked.seq <= machine->box.head.seq)
        machine->acked = told.acked.seq;
}

static void granted(struct machine *machine, const struct account_lease_told *told)
{
    CHECK(told->lease.lease_id < LEASES_MAX && told->lease.grant_micro > 0);
    if (honest)
        CHECK(machine->old == 0);
    machine->old = machine->open;
    machine->open = told->lease.lease_id;
    machine->leases[machine->open] = (struct known){ told->lease.grant_micro, 0, told->lease.spend_until_ms, told->lease.price_version, false };
}

static bool same_answer(const struct asked *before, enum account_status status, const struct account_lease_told *told)
{
    uint8_t a[LEASE_OCTETS], b[LEASE_OCTETS];

    if (before->status != status || status != ACCOUNT_OK)
        return before->status == status;
    return before->told.available_micro == told->available_micro && lease_encode(&before->told.lease, a) == 0 && lease_encode(&told->lease, b) == 0 &&
           memcmp(a, b, sizeof a) == 0;
}

static void ask_lease(struct machine *machine)
{
    struct account_lease_told told = { .available_micro = 0 };

    if (!machine->asking) {
        if (honest && machine->old > 0)
            return;
        machine->ask = (struct account_lease_ask){ .want_micro = below(20) == 0 ? -1 : 1 + (int64_t)below(CREDIT), .head = machine->box.head,
                                                   .open_lease_id = honest || below(6) > 0 ? machine->open : below(6) };
        memcpy(machine->ask.request, &names, sizeof names);
        names++;
        machine->asking = true;
    }
    arm();
    if (!answered(account_lease(&world.db, &world.hands, &machine->box.caller, &machine->ask, world.now_ms, &world.status, &told)))
        return;
    machine->asking = false;
    if (honest)
        CHECK(world.status != ACCOUNT_UNCLOSED && world.status != ACCOUNT_NO_LEASE && world.status != ACCOUNT_FENCED && world.status != ACCOUNT_ID_REUSED);
    if (world.status == ACCOUNT_OK)
        granted(machine, &told);
    if (machine->answer_count < ASKS_MAX && world.status != ACCOUNT_FENCED && world.status != ACCOUNT_OLD_EPOCH)
        machine->answers[machine->answer_count++] = (struct asked){ machine->ask, world.status, told };
}

/* A copy of a request that was on its way for long. */
static void ask_again(struct machine *machine)
{
    struct account_lease_told told = { .available_micro = 0 };
    struct asked *before;

    if (machine->answer_count == 0)
        return;
    before = &machine->answers[below((uint32_t)machine->answer_count)];
    UNTIL_ANSWERED(account_lease(&world.db, &world.hands, &machine->box.caller, &before->ask, world.now_ms, &world.status, &told));
    if (honest || (world.status != ACCOUNT_FENCED && world.status != ACCOUNT_OLD_EPOCH))
        CHECK(same_answer(before, world.status, &told));
}

static void close_lease(struct machine *machine)
{
    uint64_t of = machine->old > 0 ? machine->old : machine->open;
    struct account_close_ask ask = { .lease_id = of, .head = machine->box.head };
    int64_t returned_micro = -1, again_micro = -1;

    if (!honest && below(4) == 0)
        ask.lease_id = of = below(8);
    if (honest && (of == 0 || machine->asking || machine->acked != machine->box.head.seq))
        return;
    ask.rest_micro = machine->leases[of].grant_micro - machine->leases[of].spent_micro;
    machine->leases[of].closed = true;       /* durable before it is told: nothing is spent or taken back from now on */
    UNTIL_ANSWERED(account_close(&world.db, &machine->box.caller, &ask, world.now_ms, &world.status, &returned_micro));
    if (honest) {
        if (world.status != ACCOUNT_OK || returned_micro != ask.rest_micro)
            fail_msg("seed %llu, step %u: lease %llu closed with %s, returned %lld of %lld", (unsigned long long)seed_now, step_now, (unsigned long long)of,
                     account_status_name(world.status), (long long)returned_micro, (long long)ask.rest_micro);
        UNTIL_ANSWERED(account_close(&world.db, &machine->box.caller, &ask, world.now_ms, &world.status, &again_micro));
        CHECK(world.status == ACCOUNT_OK && again_micro == returned_micro);
    }
    if (of == machine->old)
        machine->old = 0;
    if (of == machine->open)
        machine->open = 0;
}

static void act(struct machine *machine)
{
    unsigned what = below(16);

    done[what]++;
    switch (what) {
    case 0: case 1: case 2: case 3: case 4: case 5: spend(machine); break;
    case 6: take_back(machine); break;
    case 7: case 8: case 9: tell(machine); break;
    case 10: case 11: ask_lease(machine); break;
    case 12: ask_again(machine); break;
    case 13: case 14: close_lease(machine); break;
    default: person();
    }
}

/* A machine that others are a copy of: it goes on from what it was then. */
static void misbehave(void)
{
    struct machine *machine = &machines[below(BOXES)];

    switch (below(12)) {
    case 0:
        copy = *machine;
        break;
    case 1:
        if (memcmp(copy.box.caller.box, machine->box.caller.box, LEASE_BOX_ID_OCTETS) == 0)
            *machine = copy;                 /* an old image of its disk */
        break;
    case 2:
        if (account_memory_box(world.memory, machine->box.caller.box)->state == BOX_FENCED)
            enrol(machine, true);
        break;
    case 3:
        if (copy.box.caller.epoch > 0)
            act(&copy);
        break;
    default:
        act(machine);
    }
}

/* -- what must hold ------------------------------------------------------------------------------------------------------------------ */

static void must_hold(void)
{
    if (world_faults(&world, false, NULL) != 0) {
        (void)world_faults(&world, true, NULL);
        fail_msg("seed %llu, step %u: the books are not in order", (unsigned long long)seed_now, step_now);
    }
    for (size_t i = 0; honest && i < BOXES; i++) {
        const struct account_box *row = account_memory_box(world.memory, machines[i].box.caller.box);

        CHECK(row->state != BOX_FENCED && row->acked.seq >= machines[i].last_acked && row->acked.seq >= machines[i].acked);
        machines[i].last_acked = row->acked.seq;
    }
    if (honest)
        CHECK(account_memory_alarms(world.memory, NULL, NULL, 0) == 0);
}

static int64_t suspense_of_the_past(void)
{
    int64_t micro = 0;

    for (size_t i = 0; i < BOXES; i++) {
        for (uint64_t id = 1; id < LEASES_MAX; id++) {
            const struct account_lease *row = account_memory_lease(world.memory, machines[i].box.caller.box, id);

            if (row && row->state == ACCOUNT_LEASE_FENCED)
                micro += row->suspense_micro;
        }
    }
    return micro;
}

static void settle(void)
{
    struct account_census census;
    int64_t charged_micro = booked_micro;

    for (size_t i = 0; i < BOXES; i++) {
        struct machine *machine = &machines[i];

        while (machine->asking)
            ask_lease(machine);
        while (machine->acked != machine->box.head.seq)
            tell(machine);
        while (machine->old > 0 || machine->open > 0)
            close_lease(machine);
        charged_micro += charged(machine, machine->box.head.seq);
    }
    CHECK(world_faults(&world, true, &census) == 0);
    CHECK(census.leased_micro == 0);
    CHECK(census.suspense_micro == suspense_of_the_past());
    CHECK(census.debt_micro == 0);
    CHECK(census.captured_micro == charged_micro);
    CHECK(census.prices_differ == 0);
    total.leases += census.leases;
    total.entries += census.entries;
    total.postings += census.postings;
}

static void run(uint64_t seed, bool are_honest)
{
    seed_now = random_state = seed;
    step_now = 0;
    honest = are_honest;
    booked_micro = 0;
    names = 1;
    memset(machines, 0, sizeof machines);
    memset(&copy, 0, sizeof copy);
    world_init(&world, 5 * CREDIT);
    for (size_t i = 0; i < BOXES; i++)
        enrol(&machines[i], false);
    for (step_now = 1; step_now <= STEPS; step_now++) {
        if (honest)
            act(&machines[below(BOXES)]);
        else
            misbehave();
        must_hold();
    }
    if (honest)
        settle();
    world_done(&world);
}

static void honest_boxes_are_never_alarmed_and_their_books_close(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(seed, true);
    /* It is no proof if little of all that happened. */
    assert_true(total.leases > 5 * SEEDS && total.entries > 30 * SEEDS && total.postings > 40 * SEEDS);
    assert_true(failures > 20 * SEEDS && lost_answers > 10 * SEEDS);
    for (unsigned i = 0; i < 16; i++)
        assert_true(done[i] > SEEDS);
}

static void whatever_boxes_do_the_books_stay_in_order(void **state)
{
    static const enum account_status reached[] = {
        ACCOUNT_OK, ACCOUNT_OLD_EPOCH, ACCOUNT_FENCED, ACCOUNT_FROZEN, ACCOUNT_HEAD_DIFFERS, ACCOUNT_UNCLOSED, ACCOUNT_NO_CREDIT,
        ACCOUNT_FORK, ACCOUNT_GAP, ACCOUNT_BAD_ENTRIES, ACCOUNT_NO_LEASE, ACCOUNT_BAD_AMOUNT, ACCOUNT_TOO_LITTLE, ACCOUNT_NO_ENTRY,
        ACCOUNT_REFUNDED, ACCOUNT_NOT_YET, ACCOUNT_NOT_SUSPENDED, ACCOUNT_ALREADY,
    };

    (void)state;
    for (uint64_t seed = 1001; seed <= 1000 + SEEDS; seed++)
        run(seed, false);
    for (size_t i = 0; i < sizeof reached / sizeof *reached; i++)
        if (answers[reached[i]] == 0)
            fail_msg("no call was answered with %s", account_status_name(reached[i]));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_boxes_are_never_alarmed_and_their_books_close),
        cmocka_unit_test(whatever_boxes_do_the_books_stay_in_order),
    };

    if (argc == 2) {                         /* one seed, to look at it */
        run(strtoull(argv[1], NULL, 10), strtoull(argv[1], NULL, 10) <= 1000);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
