/* SPDX-License-Identifier: Apache-2.0
 *
 * Random operations on a box's books, against an oracle that only remembers what became of each part and adds up all anew
 * after every step. Each operation may be done twice, may be forgotten before its commit (a power cut), may come late, with
 * a wrong clock, or about the wrong lease. After every step the invariants hold; at the end the books can be closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/credit/ledger.h"

#define SEEDS 800
#define STEPS 250
#define LEASES_MAX 64
#define MESSAGES_MAX 512
#define PARTS 3
#define POSTINGS_MAX 4096
#define ENTRIES_MAX 4096
#define T0 INT64_C(1790000000000)

enum fate { UNKNOWN, HELD, SPENT, SPENT_AS_DEBT, FREE };   /* of a part, as the oracle remembers it */

/* What a store would have on its disk. */
struct disk {
    struct ledger_box box;
    struct ledger_lease leases[LEASES_MAX];          /* by id; [0] is none */
    struct ledger_hold holds[MESSAGES_MAX][PARTS];
    struct ledger_posting postings[POSTINGS_MAX]; size_t posting_count;
    struct journal_entry entries[ENTRIES_MAX]; size_t entry_count;
};

static struct disk disk;
static struct {
    int64_t grants[LEASES_MAX];
    enum fate fates[MESSAGES_MAX][PARTS];
    uint64_t leases[MESSAGES_MAX][PARTS];
    int64_t micro[MESSAGES_MAX][PARTS];
    uint32_t voided[MESSAGES_MAX][PARTS], last[MESSAGES_MAX][PARTS];   /* attempts */
    bool refused[MESSAGES_MAX];
    unsigned messages;
    struct journal_head checked;
    struct journal_head acked;
    int64_t clock_ms;
} oracle;
static uint64_t random_state;
static unsigned long done[16], seed_now, step_now;

#define CHECK(what) do { if (!(what)) fail_msg("seed %lu, step %lu: %s", seed_now, step_now, #what); } while (0)

static uint32_t below(uint32_t bound)                /* splitmix64 */
{
    uint64_t z = (random_state += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ z >> 31) >> 32) % bound;
}

static struct ledger_moment now(void)
{
    /* The clock of the box is wrong now and then. */
    return (struct ledger_moment){ { 9 }, (int64_t)step_now * 10, below(5) == 0 ? oracle.clock_ms / 2 : oracle.clock_ms };
}

static struct ledger_books books_of(uint64_t lease_id) { return (struct ledger_books){ disk.box, disk.leases[lease_id] }; }

/* One transaction. False: the power was cut before it was on the disk. */
static bool commit_with(const struct ledger_books *books, const struct ledger_step *step, const struct ledger_lease *other)
{
    if (below(8) == 0)
        return false;
    disk.box = books->box;
    if (books->lease.lease_id > 0)
        disk.leases[books->lease.lease_id] = books->lease;
    if (other && other->lease_id > 0)
        disk.leases[other->lease_id] = *other;
    if (step && step->posted) {
        CHECK(disk.posting_count < POSTINGS_MAX);
        disk.postings[disk.posting_count++] = step->posting;
    }
    if (step && step->journaled) {
        CHECK(disk.entry_count < ENTRIES_MAX);
        disk.entries[disk.entry_count++] = step->entry;
    }
    return true;
}

static bool commit(const struct ledger_books *books, const struct ledger_step *step)
{
    return commit_with(books, step, NULL);
}

static void keep(const struct ledger_posting *postings, size_t count)
{
    CHECK(disk.posting_count + count <= POSTINGS_MAX);
    for (size_t i = 0; i < count; i++)
        disk.postings[disk.posting_count++] = postings[i];
}

/* -- what must hold --------------------------------------------------------------------------------------------- */

static void check_lease(uint64_t id)
{
    static struct ledger_posting own[POSTINGS_MAX];
    const struct ledger_lease *lease = &disk.leases[id];
    const int64_t *balance = lease->balance_micro;
    int64_t held = 0, spent = 0, debt = 0;
    size_t count = 0;

    for (size_t i = 0; i < disk.posting_count; i++)
        if (disk.postings[i].lease_id == id)
            own[count++] = disk.postings[i];
    CHECK(ledger_lease_balanced(lease, own, count));                       /* I1 */
    CHECK(ledger_lease_sound(lease));                                      /* I2 */
    for (unsigned m = 0; m < oracle.messages; m++)
        for (unsigned p = 0; p < PARTS; p++)
            if (oracle.leases[m][p] == id) {
                held += oracle.fates[m][p] == HELD ? oracle.micro[m][p] : 0;
                spent += oracle.fates[m][p] == SPENT ? oracle.micro[m][p] : 0;
                debt += oracle.fates[m][p] == SPENT_AS_DEBT ? oracle.micro[m][p] : 0;
            }
    CHECK(balance[LEDGER_RESERVED] == held);
    CHECK(balance[LEDGER_CAPTURED] == spent);
    CHECK(balance[LEDGER_OVERSPENT] == debt);
    CHECK(-balance[LEDGER_GRANT] == oracle.grants[id]);
    CHECK(balance[LEDGER_AVAILABLE] + balance[LEDGER_SUSPENSE] + balance[LEDGER_RETURNED] == oracle.grants[id] - held - spent);
    CHECK(held + spent <= oracle.grants[id]);                              /* I2, by what the oracle knows */
}

static void check_journal(void)
{
    /* I3: of each part, captures and voids take turns, and a void names the capture before it. */
    static uint64_t standing[MESSAGES_MAX][PARTS];
    int64_t journaled = 0, booked = 0;

    memset(standing, 0, sizeof standing);
    while (oracle.checked.seq < disk.entry_count)
        CHECK(journal_check_next(&oracle.checked, &disk.entries[oracle.checked.seq]) == JOURNAL_INTACT);
    CHECK(memcmp(oracle.checked.hash, disk.box.head.hash, SHA256_OCTETS) == 0 && oracle.checked.seq == disk.box.head.seq);
    for (size_t i = 0; i < disk.entry_count; i++) {
        const struct journal_entry *entry = &disk.entries[i];
        uint64_t *captured = &standing[entry->message_id - 1][entry->part - 1];

        CHECK(!oracle.refused[entry->message_id - 1]);                     /* I12 */
        if (entry->kind == JOURNAL_CAPTURE) {
            CHECK(*captured == 0);
            *captured = entry->seq;
            journaled += entry->units_micro;
        } else if (entry->kind == JOURNAL_VOID) {
            CHECK(*captured == entry->refers_seq);
            *captured = 0;
            journaled -= entry->units_micro;
        } else {
            CHECK(*captured == 0);
        }
    }
    for (uint64_t id = 1; id < LEASES_MAX; id++)
        booked += disk.leases[id].balance_micro[LEDGER_CAPTURED] + disk.leases[id].balance_micro[LEDGER_OVERSPENT];
    CHECK(journaled == booked);                                            /* I13: what is captured is what is journaled */
}

/* The same moments ago, for what must not change by itself. */
static void check_leases_of_the_box(void)
{
    unsigned open = 0, old = 0;

    for (uint64_t id = 1; id <= disk.box.last_lease_id; id++) {
        enum ledger_lease_state now_is = disk.leases[id].state;

        check_lease(id);
        open += now_is == LEDGER_OPEN;
        old += now_is == LEDGER_DRAINING || now_is == LEDGER_CLOSING;
        CHECK(now_is != LEDGER_OPEN || id == disk.box.open_lease_id);
        CHECK((now_is != LEDGER_DRAINING && now_is != LEDGER_CLOSING) || id == disk.box.old_lease_id);
        CHECK(now_is != LEDGER_EXPIRED || id == disk.box.open_lease_id || id == disk.box.old_lease_id);   /* I10: of two at most */
    }
    CHECK(open <= 1 && old <= 1);                                          /* one open, one before it */
    CHECK(disk.box.open_lease_id == 0 || disk.box.open_lease_id > disk.box.old_lease_id ||
          disk.leases[disk.box.open_lease_id].state == LEDGER_EXPIRED || disk.leases[disk.box.open_lease_id].state == LEDGER_CLOSED);
    CHECK(!disk.box.fenced || (open == 0 && disk.box.open_lease_id == 0)); /* I8 */
}

static void check_all(void)
{
    check_leases_of_the_box();
    CHECK(disk.box.acked.seq >= oracle.acked.seq);                         /* I7 */
    CHECK(disk.box.acked.seq <= disk.box.head.seq);
    oracle.acked = disk.box.acked;
    for (size_t i = 0; i < disk.posting_count; i++)
        CHECK(disk.postings[i].message_id == 0 || !oracle.refused[disk.postings[i].message_id - 1]);   /* I12 */
    check_journal();
}

/* -- operations ------------------------------------------------------------------------------------------------- */

static void open_one(void)
{
    struct lease lease = { .lease_id = disk.box.last_lease_id + below(2), .epoch = 1, .grant_micro = 1 + below(90), .price_version = 3 + below(3) / 2,
                           .issued_ms = T0, .spend_until_ms = oracle.clock_ms + 1 + below(9000) };
    struct ledger_books books = books_of(disk.box.open_lease_id);
    struct ledger_lease before;
    struct ledger_step step;
    enum ledger_verdict verdict;
    bool may;

    if (lease.lease_id == 0 || lease.lease_id >= LEASES_MAX)
        return;
    verdict = ledger_open(&books, &lease, oracle.clock_ms, &step, &before);
    may = !disk.box.fenced && (disk.box.open_lease_id == 0 || disk.box.old_lease_id == 0) && lease.lease_id > disk.box.last_lease_id &&
          ledger_now(&disk.box, oracle.clock_ms) < lease.spend_until_ms;
    CHECK((verdict == LEDGER_DONE) == may);
    if (verdict == LEDGER_DONE && commit_with(&books, &step, &before)) {
        oracle.grants[lease.lease_id] = lease.grant_micro;
        done[0]++;
        done[10] += before.lease_id > 0;
    }
}

static void reserve_batch(uint64_t id)
{
    struct ledger_books books = books_of(id), before = books;
    struct ledger_want wants[4];
    struct ledger_posting posting;
    struct ledger_answer answer;
    size_t count = 1 + below(4), fit = 0, refused = 0;
    unsigned first = oracle.messages;
    int64_t needed = 0;
    enum ledger_verdict verdict;

    if (first + count > MESSAGES_MAX)
        return;
    for (size_t i = 0; i < count; i++) {
        unsigned parts = 1 + below(PARTS);
        int64_t micro = 1 + below(5);

        wants[i] = (struct ledger_want){ first + (int64_t)i + 1, (uint8_t)parts, { PRICE_PRICED, before.lease.price_version, 1, "4", micro, micro * parts } };
        if (below(6) == 0)
            wants[i].quote = (struct price_quote){ .verdict = below(2) ? PRICE_REFUSED : PRICE_NO_PREFIX, .version = before.lease.price_version };
        refused += wants[i].quote.verdict != PRICE_PRICED;
        needed += wants[i].quote.total_micro;
        fit += wants[i].quote.verdict == PRICE_PRICED && needed <= before.lease.balance_micro[LEDGER_AVAILABLE];
    }
    verdict = ledger_reserve(&books, first + 1, wants, count, oracle.clock_ms, &posting, &answer);
    CHECK(answer.refused == refused && answer.needed_micro == needed);
    CHECK(verdict != LEDGER_TOO_LITTLE || (answer.fit == fit && answer.fit < count - refused));
    /* I6: all or none. */
    if (verdict != LEDGER_DONE) {
        CHECK(memcmp(&books, &before, sizeof books) == 0);
        return;
    }
    CHECK(posting.micro == needed && (refused == count) == (needed == 0));
    if (refused < count)
        CHECK(before.lease.state == LEDGER_OPEN && !disk.box.fenced && !disk.box.frozen && needed <= before.lease.balance_micro[LEDGER_AVAILABLE] &&
              ledger_now(&disk.box, oracle.clock_ms) < before.lease.spend_until_ms);
    if (!commit(&books, NULL))
        return;
    if (needed > 0)
        keep(&posting, 1);
    for (size_t i = 0; i < count; i++) {
        unsigned m = first + (unsigned)i;

        oracle.refused[m] = wants[i].quote.verdict != PRICE_PRICED;
        for (unsigned p = 0; !oracle.refused[m] && p < wants[i].parts; p++) {
            CHECK(ledger_hold_new(&wants[i], id, p + 1, NULL, &disk.holds[m][p]) == LEDGER_DONE);
            oracle.fates[m][p] = HELD;
            oracle.leases[m][p] = id;
            oracle.micro[m][p] = wants[i].quote.part_micro;
        }
    }
    oracle.messages += (unsigned)count;
    done[1]++;
}

/* A released part of one message of one part is wanted again. */
static void reserve_again(unsigned m, uint64_t id)
{
    struct ledger_books books = books_of(id);
    struct ledger_want want = { (int64_t)m + 1, 1, { PRICE_PRICED, books.lease.price_version, 1, "4", oracle.micro[m][0], oracle.micro[m][0] } };
    struct ledger_posting posting;
    struct ledger_answer answer;
    struct ledger_hold hold;
    enum ledger_verdict verdict = ledger_hold_new(&want, id, 1, &disk.holds[m][0], &hold);

    CHECK((verdict == LEDGER_DONE) == (oracle.fates[m][0] == FREE));
    if (verdict != LEDGER_DONE || ledger_reserve(&books, m + 1, &want, 1, oracle.clock_ms, &posting, &answer) != LEDGER_DONE || !commit(&books, NULL))
        return;
    keep(&posting, 1);
    disk.holds[m][0] = hold;
    oracle.fates[m][0] = HELD;
    oracle.leases[m][0] = id;
    done[2]++;
}

static void settle_part(unsigned m, unsigned p)
{
    struct ledger_hold hold = disk.holds[m][p], before = hold;
    bool wrong_lease = below(20) == 0 && hold.lease_id != disk.box.last_lease_id;
    struct ledger_books books = books_of(wrong_lease ? disk.box.last_lease_id : hold.lease_id), untouched = books;
    struct ledger_moment moment = now();
    struct ledger_step step = { 0 };
    uint32_t attempt = oracle.last[m][p] + below(2);
    enum ledger_verdict verdict, again;
    unsigned what = below(4);
    bool spent = oracle.fates[m][p] == SPENT || oracle.fates[m][p] == SPENT_AS_DEBT, may;
    bool left = books.lease.state != LEDGER_CLOSING && books.lease.state != LEDGER_CLOSED;

    if (what < 2) {
        attempt += attempt == 0;
        verdict = ledger_capture(&books, &hold, attempt, &moment, &step);
        may = !spent && attempt > oracle.voided[m][p];
    } else if (what == 2) {
        verdict = ledger_release(&books, &hold, attempt, &moment, &step);
        may = oracle.fates[m][p] == HELD && (attempt == 0 || attempt > before.attempt);
    } else {
        attempt += attempt == 0;
        verdict = ledger_void(&books, &hold, attempt, &moment, &step);
        may = spent && attempt == oracle.last[m][p] && left;
    }
    CHECK((verdict == LEDGER_DONE) == (may && !wrong_lease));
    if (verdict != LEDGER_DONE) {
        CHECK(memcmp(&books, &untouched, sizeof books) == 0 && memcmp(&hold, &before, sizeof hold) == 0);
        return;
    }
    CHECK(step.alarm == (what < 2 && hold.debt));
    CHECK(!step.alarm || oracle.fates[m][p] != HELD);                      /* what was reserved is never debt */
    if (!commit(&books, &step))
        return;
    disk.holds[m][p] = hold;
    oracle.last[m][p] = attempt;
    oracle.fates[m][p] = what >= 2 ? FREE : hold.debt ? SPENT_AS_DEBT : SPENT;
    if (what == 3)
        oracle.voided[m][p] = attempt;
    done[3 + what]++;
    done[9] += step.alarm;
    /* A repeat, after an answer that was lost, changes nothing. */
    untouched = books;
    again = what < 2 ? ledger_capture(&books, &hold, attempt, &moment, &step)
            : what == 2 ? ledger_release(&books, &hold, attempt, &moment, &step) : ledger_void(&books, &hold, attempt, &moment, &step);
    CHECK(again == LEDGER_ALREADY);
    CHECK(memcmp(&books, &untouched, sizeof books) == 0);
}

/* What of a message is held in a lease that is not open any more goes to the one that is, or waits. */
static void move_message(unsigned m)
{
    uint64_t from_id = 0, to_id = disk.box.open_lease_id;
    struct ledger_books books = books_of(to_id), untouched = books;
    struct ledger_hold holds[PARTS];
    struct ledger_posting postings[2];
    struct ledger_lease from, before;
    unsigned parts[PARTS];
    size_t count = 0;
    int64_t micro = 1 + below(5), held = 0;
    bool waits = below(4) == 0, over = below(4) == 0, may;
    enum ledger_verdict verdict;

    for (unsigned p = 0; p < PARTS; p++)
        if (oracle.fates[m][p] == HELD && (from_id == 0 || oracle.leases[m][p] == from_id)) {
            from_id = oracle.leases[m][p];
            held += oracle.micro[m][p];
            parts[count] = p;
            holds[count++] = disk.holds[m][p];
        }
    if (count == 0)
        return;
    from = before = disk.leases[from_id];
    if (waits) {
        verdict = ledger_wait(&from, holds, count, postings);
        may = before.state == LEDGER_EXPIRED || before.state == LEDGER_FENCED;
    } else {
        struct price_quote quote = { PRICE_PRICED, books.lease.price_version, 2, "4", micro, micro * (int64_t)count };

        verdict = over ? ledger_move_over(&books, &from, holds, count, &quote, postings)
                       : ledger_move(&books, &from, holds, count, &quote, oracle.clock_ms, postings);
        may = over ? from_id != to_id && !disk.box.fenced && before.state == LEDGER_EXPIRED && to_id > 0 &&
                         disk.leases[to_id].state == LEDGER_EXPIRED && quote.total_micro <= disk.leases[to_id].balance_micro[LEDGER_SUSPENSE]
                   : from_id != to_id && to_id > 0 && !disk.box.fenced && !disk.box.frozen && disk.leases[to_id].state == LEDGER_OPEN &&
              ledger_now(&disk.box, oracle.clock_ms) < disk.leases[to_id].spend_until_ms &&
              quote.total_micro <= disk.leases[to_id].balance_micro[LEDGER_AVAILABLE];
    }
    CHECK((verdict == LEDGER_DONE) == may);
    CHECK(memcmp(&books.box, &untouched.box, sizeof books.box) == 0);      /* nothing of it in the journal */
    if (verdict != LEDGER_DONE) {
        CHECK(memcmp(&books, &untouched, sizeof books) == 0 && memcmp(&from, &before, sizeof from) == 0);
        return;
    }
    CHECK(postings[0].micro == held);
    if (!commit_with(&books, NULL, &from))
        return;
    keep(postings, waits ? 1 : 2);
    for (size_t i = 0; i < count; i++) {
        disk.holds[m][parts[i]] = holds[i];
        oracle.fates[m][parts[i]] = waits ? FREE : HELD;
        oracle.leases[m][parts[i]] = waits ? from_id : to_id;
        oracle.micro[m][parts[i]] = waits ? oracle.micro[m][parts[i]] : micro;
    }
    done[waits ? 12 : over ? 15 : 11]++;
}

/* Where two are over the newer one may go first. */
static enum ledger_verdict close_one(struct ledger_books *books, struct ledger_step *step)
{
    struct ledger_books other = books_of(disk.box.old_lease_id);

    if (below(2) == 0 && ledger_swap(&books->box, &books->lease, &other.lease) == LEDGER_DONE) {
        done[14]++;
        CHECK(books->lease.state == LEDGER_EXPIRED && other.lease.state == LEDGER_EXPIRED && books->lease.lease_id > other.lease.lease_id);
    }
    return ledger_close(books, step);
}

static void change_lease(uint64_t id)
{
    struct ledger_books books = books_of(id);
    struct ledger_step step = { 0 };
    unsigned what = below(5);
    enum ledger_verdict verdict;

    if (what == 4 && below(30) > 0) {
        if (ledger_freeze(&books.box, below(4) == 0) == LEDGER_DONE && commit(&books, NULL))
            done[13]++;
        return;
    }
    verdict = what == 0   ? ledger_drain(&books)
              : what == 1 ? ledger_expire(&books, oracle.clock_ms, &step)
              : what == 2 ? close_one(&books, &step)
              : what == 3 ? ledger_closed(&books, id)
                          : ledger_fence(&books, &step);
    if (verdict != LEDGER_DONE)
        return;
    if (what == 4) {                         /* of each that is not closed, in one transaction */
        struct ledger_books other = books_of(id == disk.box.open_lease_id ? disk.box.old_lease_id : disk.box.open_lease_id);
        struct ledger_step other_step = { 0 };

        if (id != disk.box.open_lease_id && id != disk.box.old_lease_id)
            return;
        other.box = books.box;
        if (other.lease.lease_id > 0 && ledger_fence(&other, &other_step) == LEDGER_DONE)
            books.box = other.box;
        if (commit_with(&books, &step, &other.lease)) {
            if (other_step.posted)
                keep(&other_step.posting, 1);
            done[7]++;
        }
        return;
    }
    if (commit(&books, &step))
        done[7]++;
}

static void acknowledge(void)
{
    struct journal_head ack = { below((uint32_t)disk.entry_count + 1), { 0 } }, acked = disk.box.acked;
    static const struct journal_head beginning;
    bool forged = below(10) == 0;
    size_t suffix = 0;
    enum journal_ack verdict;

    if (below(2) == 0)
        ack.seq = disk.entry_count;
    if (ack.seq > 0)
        memcpy(ack.hash, disk.entries[ack.seq - 1].hash, SHA256_OCTETS);
    if (forged)
        ack.hash[below(SHA256_OCTETS)] ^= 1;
    verdict = journal_acknowledge(&acked, &beginning, disk.entries, disk.entry_count, &ack, &suffix);
    CHECK(verdict == (forged ? JOURNAL_ACK_FORK : ack.seq < disk.box.acked.seq ? JOURNAL_ACK_OLD : JOURNAL_ACK_TAKEN));
    if (verdict == JOURNAL_ACK_TAKEN) {
        CHECK(suffix == ack.seq);
        disk.box.acked = acked;
        done[8]++;
    }
}

/* Every box that was not fenced can settle: nothing is stranded. */
static void close_the_books(void)
{
    for (unsigned m = 0; m < oracle.messages; m++)
        for (unsigned p = 0; p < PARTS; p++)
            if (oracle.fates[m][p] == HELD) {
                struct ledger_books books = books_of(disk.holds[m][p].lease_id);
                struct ledger_moment moment = now();
                struct ledger_step step;

                CHECK(ledger_release(&books, &disk.holds[m][p], oracle.last[m][p] + 1, &moment, &step) == LEDGER_DONE);
                while (!commit(&books, &step))
                    continue;
                oracle.fates[m][p] = FREE;
            }
    for (uint64_t id = 1; id <= disk.box.last_lease_id && !disk.box.fenced; id++) {
        struct ledger_books books = books_of(id);
        struct ledger_step step = { 0 };
        enum ledger_verdict verdict = ledger_close(&books, &step);

        CHECK(verdict == LEDGER_DONE || verdict == LEDGER_ALREADY || verdict == LEDGER_LEASE_CLOSED);
        while (verdict == LEDGER_DONE && !commit(&books, &step))
            continue;
        books = books_of(id);                /* the account's answer, which makes room for the next one to close */
        if (ledger_closed(&books, id) == LEDGER_DONE)
            while (!commit(&books, NULL))
                continue;
        CHECK(disk.leases[id].balance_micro[LEDGER_SUSPENSE] == 0 && disk.leases[id].balance_micro[LEDGER_AVAILABLE] == 0 &&
              disk.leases[id].balance_micro[LEDGER_RESERVED] == 0);        /* I13 */
    }
    check_all();
}

static void the_books_are_right_after_every_step_whatever_happens(void **state)
{
    (void)state;
    for (seed_now = 1; seed_now <= SEEDS; seed_now++) {
        random_state = seed_now;
        memset(&disk, 0, sizeof disk);
        memset(&oracle, 0, sizeof oracle);
        disk.box.epoch = 1;
        oracle.clock_ms = T0;
        for (step_now = 1; step_now <= STEPS; step_now++) {
            unsigned tries = 0;

            uint64_t id = disk.box.last_lease_id > 0 && below(4) > 0 ? disk.box.last_lease_id : below((uint32_t)disk.box.last_lease_id + 1);
            uint64_t spends = below(8) > 0 ? disk.box.open_lease_id : id;
            unsigned m = oracle.messages > 0 ? below(oracle.messages) : 0, p = below(PARTS);

            oracle.clock_ms += below(60);
            switch (below(14)) {
            case 0: open_one(); break;
            case 1:
            case 2: reserve_batch(spends); break;
            case 3: change_lease(below(2) ? id : below(3) ? disk.box.old_lease_id : disk.box.open_lease_id); break;
            case 4:
            case 5: acknowledge(); break;
            case 6:                          /* one of those that this can happen to: few are */
                while (oracle.messages > 0 && tries++ < 50 && (oracle.fates[m][0] != FREE || oracle.leases[m][1] > 0))
                    m = below(oracle.messages);
                if (spends > 0 && oracle.leases[m][0] > 0 && oracle.leases[m][1] == 0)
                    reserve_again(m, spends);
                break;
            case 7:
            case 8:
                while (oracle.messages > 0 && tries++ < 50 && oracle.fates[m][0] != HELD)
                    m = below(oracle.messages);
                if (oracle.messages > 0)
                    move_message(m);
                break;
            default:
                if (oracle.leases[m][p] > 0)
                    settle_part(m, p);
            }
            check_all();
        }
        close_the_books();
    }
    /* Nothing of it was left out by chance: openings, batches, again, captures (two), releases, voids, states, acks, debts,
     * successors, moves, waits, freezes. */
    for (unsigned i = 0; i <= 13; i++)
        if (done[i] < 100)
            fail_msg("operation %u happened %lu times only", i, done[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_books_are_right_after_every_step_whatever_happens) };

    return cmocka_run_group_tests_name("ledger, random", tests, NULL, NULL);
}
