/* SPDX-License-Identifier: Apache-2.0
 *
 * Books with a bit of everything in them are in order; and each single value that is changed behind the account's back is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "tests/unit/account/account_world.h"

#define CREDIT 1000000

static struct world world;
static struct world_box box;

/* Leases 1: closed, with debt; 2: fenced; 3: expired; 4: open. Journals: 1: entries 1 to 6; 2: entry 1. */
static void live(void)
{
    struct account_lease_told lease;
    struct account_usage_told usage;
    int64_t micro;
    size_t expired;

    world_init(&world, 100 * CREDIT);
    world_enrol(&world, &box, "one", 10 * CREDIT);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    world_void(&box, 2);
    world_release(&box, 1, 3, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 1, &lease), ACCOUNT_OK);
    assert_int_equal(world_close(&world, &box, 1, CREDIT - GSM7_MICRO, &micro), ACCOUNT_OK);
    world_capture(&box, 1, 4, 1, GSM7_MICRO);
    world_capture(&box, 2, 5, 1, DEAR_MICRO);
    assert_int_equal(world_usage(&world, &box, 5, &usage), ACCOUNT_OK);
    assert_int_equal(account_refund(&world.db, &world.hands, box.caller.box, 0, 1, "ann", "", world.now_ms, &world.status, &micro), 0);
    assert_int_equal(world.status, ACCOUNT_OK);
    world_enrol_again(&world, &box, "again");
    assert_int_equal(world_lease(&world, &box, 3, CREDIT, 0, &lease), ACCOUNT_OK);
    world.now_ms += WORLD_LEASE_MS;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(world_lease(&world, &box, 4, CREDIT, 3, &lease), ACCOUNT_OK);
    world_capture(&box, 3, 6, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(account_payout(&world.db, "office", CREDIT, "ann", "", world.now_ms, &world.status), 0);
    assert_int_equal(account_freeze(&world.db, &world.hands, box.caller.box, true, world.now_ms, &world.status), 0);
}

static void books_with_everything_in_them_are_in_order(void **state)
{
    struct account_census census;

    (void)state;
    live();
    assert_int_equal(world_faults(&world, true, &census), 0);
    assert_true(census.accounts == 1 && census.boxes == 1 && census.leases == 4 && census.entries == 7);
    assert_int_equal(census.available_micro + census.leased_micro + census.suspense_micro + census.captured_micro, 99 * CREDIT);
    assert_int_equal(census.leased_micro, CREDIT);
    assert_int_equal(census.suspense_micro, 2 * CREDIT - DEAR_MICRO - GSM7_MICRO);
    assert_int_equal(census.captured_micro, DEAR_MICRO + GSM7_MICRO);
    assert_int_equal(census.debt_micro, GSM7_MICRO);
    assert_int_equal(census.postings, 2 + 7 + 3 + 3 + 1);
    assert_int_equal(census.prices_differ, 0);
    world_done(&world);
}

#define ACCOUNT_ROW account_memory_account(world.memory, 1)
#define BOX_ROW account_memory_box(world.memory, box.caller.box)
#define LEASE_ROW(id) account_memory_lease(world.memory, box.caller.box, id)
#define POSTING_ROW(lease, number) account_memory_posting(world.memory, 1, box.caller.box, lease, number)
#define OWN_POSTING(number) account_memory_posting(world.memory, 1, NULL, 0, number)
#define ENTRY_ROW(chain, seq) account_memory_entry(world.memory, box.caller.box, chain, seq)

static unsigned changes;

/* Changes, looks, and puts back. */
#define FOUND(object, change) do { \
        void *row_ = (object); \
        char before_[sizeof *(object)]; \
        assert_non_null(row_); \
        memcpy(before_, row_, sizeof before_); \
        (object)->change; \
        if (memcmp(before_, row_, sizeof before_) == 0) \
            fail_msg("nothing changed by %s", #object "->" #change); \
        if (world_faults(&world, false, NULL) == 0) \
            fail_msg("not found: %s", #object "->" #change); \
        memcpy(row_, before_, sizeof before_); \
        changes++; \
    } while (0)

static void each_value_that_was_changed_is_found(void **state)
{
    (void)state;
    live();
    FOUND(ACCOUNT_ROW, available_micro += 1);
    FOUND(ACCOUNT_ROW, available_micro = -1);
    FOUND(ACCOUNT_ROW, available_micro = INT64_MIN);
    FOUND(ACCOUNT_ROW, funded_micro += 1);
    FOUND(ACCOUNT_ROW, paid_out_micro -= 1);
    FOUND(ACCOUNT_ROW, postings += 1);

    FOUND(BOX_ROW, acked.seq += 1);
    FOUND(BOX_ROW, acked.seq -= 1);
    FOUND(BOX_ROW, acked.hash[5] ^= 1);
    FOUND(BOX_ROW, last_lease_id += 1);
    FOUND(BOX_ROW, last_lease_id -= 1);
    FOUND(BOX_ROW, state = BOX_FENCED);
    FOUND(BOX_ROW, state = 0);
    FOUND(BOX_ROW, epoch += 1);
    FOUND(BOX_ROW, epoch -= 1);
    FOUND(BOX_ROW, chain -= 1);
    FOUND(BOX_ROW, last_command -= 1);       /* more is what an older copy of the books passes over */

    for (uint64_t id = 1; id <= 4; id++) {
        FOUND(LEASE_ROW(id), grant_micro += 1);
        FOUND(LEASE_ROW(id), rest_micro += 1);
        FOUND(LEASE_ROW(id), suspense_micro += 1);
        FOUND(LEASE_ROW(id), captured_micro += INT64_MAX / 2);
        FOUND(LEASE_ROW(id), captured_micro -= 1);
        FOUND(LEASE_ROW(id), debt_micro += 1);
        FOUND(LEASE_ROW(id), returned_micro += 1);
        FOUND(LEASE_ROW(id), postings += 1);
        FOUND(LEASE_ROW(id), postings -= 1);
        FOUND(LEASE_ROW(id), epoch = 3);
        FOUND(LEASE_ROW(id), epoch = 0);
        FOUND(LEASE_ROW(id), state = 0);
        FOUND(LEASE_ROW(id), id += 10);
        FOUND(LEASE_ROW(id), account += 1);
        FOUND(LEASE_ROW(id), issued_ms = INT64_MAX);
        FOUND(LEASE_ROW(id), settle_until_ms = 0);
    }
    FOUND(LEASE_ROW(2), state = ACCOUNT_LEASE_OPEN);
    FOUND(LEASE_ROW(2), state = ACCOUNT_LEASE_CLOSED);
    FOUND(LEASE_ROW(2), epoch = 2);
    FOUND(LEASE_ROW(3), state = ACCOUNT_LEASE_FENCED);
    FOUND(LEASE_ROW(3), state = ACCOUNT_LEASE_OPEN);
    FOUND(LEASE_ROW(4), state = ACCOUNT_LEASE_WRITTEN_OFF);
    FOUND(LEASE_ROW(4), state = ACCOUNT_LEASE_EXPIRED);

    for (uint64_t id = 1; id <= 4; id++) {
        for (uint64_t number = 1; number <= LEASE_ROW(id)->postings; number++) {
            FOUND(POSTING_ROW(id, number), micro += 1);
            FOUND(POSTING_ROW(id, number), micro = -1);
            FOUND(POSTING_ROW(id, number), micro = INT64_MAX);
            FOUND(POSTING_ROW(id, number), number += 7);
            FOUND(POSTING_ROW(id, number), from = BOOK_OUTSIDE);
            FOUND(POSTING_ROW(id, number), to = ACCOUNT_BOOKS);
            FOUND(POSTING_ROW(id, number), reason = FOR_FUNDING);
        }
    }
    FOUND(POSTING_ROW(1, 2), entry += 1);
    FOUND(POSTING_ROW(1, 2), chain += 1);
    FOUND(POSTING_ROW(1, 4), refers = 2);    /* the void, of another charge */
    FOUND(POSTING_ROW(1, 4), refers = 1);
    FOUND(POSTING_ROW(1, 4), refers = 0);
    FOUND(POSTING_ROW(1, 4), refers = 99);
    FOUND(POSTING_ROW(1, 7), refers = 3);    /* the refund, of what was undone before */
    FOUND(OWN_POSTING(1), micro += 1);
    FOUND(OWN_POSTING(2), reason = FOR_GRANT);
    FOUND(OWN_POSTING(2), number += 1);

    for (uint64_t seq = 1; seq <= 6; seq++) {
        FOUND(ENTRY_ROW(1, seq), entry.units_micro += 1);
        FOUND(ENTRY_ROW(1, seq), entry.hash[0] ^= 1);
        FOUND(ENTRY_ROW(1, seq), entry.prev_hash[31] ^= 1);
        FOUND(ENTRY_ROW(1, seq), entry.message_id += 10);
        FOUND(ENTRY_ROW(1, seq), entry.kind = seq == 4 ? JOURNAL_CAPTURE : JOURNAL_RELEASE);
        FOUND(ENTRY_ROW(1, seq), posting += 1);
        FOUND(ENTRY_ROW(1, seq), chain = 7);
    }
    FOUND(ENTRY_ROW(1, 1), over = false);
    FOUND(ENTRY_ROW(1, 6), over = true);
    FOUND(ENTRY_ROW(1, 1), posting = 0);
    FOUND(ENTRY_ROW(1, 1), paid = PAID_DEBT);
    FOUND(ENTRY_ROW(1, 5), paid = PAID_FROM_REST);
    FOUND(ENTRY_ROW(2, 1), paid = PAID_NOTHING);
    assert_true(changes > 150);
    world_done(&world);
}

static void two_charges_of_one_part_are_found(void **state)
{
    struct account_usage_told usage;
    struct account_lease_told lease;

    (void)state;
    world_init(&world, 100 * CREDIT);
    world_enrol(&world, &box, "one", 10 * CREDIT);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_void(&box, 1);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    FOUND(ENTRY_ROW(1, 1), over = false);
    world_done(&world);
}

static void count(void *context, const char *sentence)
{
    assert_true(sentence[0] != '\0');
    ++*(uint64_t *)context;
}

static void faults_are_told_once_though_the_transaction_was_tried_twice(void **state)
{
    struct account_census census;
    uint64_t told = 0;

    (void)state;
    live();
    LEASE_ROW(1)->rest_micro += 1;
    account_memory_fail(world.memory, 14, -EAGAIN);
    assert_int_equal(account_check(&world.db, count, &told, &census), 0);
    assert_true(account_memory_calm(world.memory));
    assert_int_equal(told, census.faults);
    assert_int_equal(census.leases, 4);
    account_memory_refuse(world.memory, -EIO);
    assert_int_equal(account_check(&world.db, count, &told, &census), -EIO);
    assert_true(account_memory_calm(world.memory));
    LEASE_ROW(1)->rest_micro -= 1;
    world_done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(books_with_everything_in_them_are_in_order),
        cmocka_unit_test(each_value_that_was_changed_is_found),
        cmocka_unit_test(two_charges_of_one_part_are_found),
        cmocka_unit_test(faults_are_told_once_though_the_transaction_was_tried_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
