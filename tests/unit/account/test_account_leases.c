/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "tests/unit/account/account_world.h"

#define CREDIT 1000000

static struct world world;
static struct world_box box, other;

static int begin(void **state)
{
    (void)state;
    world_init(&world, 100 * CREDIT);
    world_enrol(&world, &box, "one", 10 * CREDIT);
    world_enrol(&world, &other, "two", 10 * CREDIT);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_done(&world);
    return 0;
}

static void a_lease_is_taken_from_what_is_available(void **state)
{
    struct account_lease_told told;
    struct account_lease row;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, 4 * CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(told.available_micro, 96 * CREDIT);
    assert_int_equal(told.lease.lease_id, 1);
    assert_int_equal(told.lease.grant_micro, 4 * CREDIT);
    assert_int_equal(told.lease.epoch, 1);
    assert_int_equal(told.lease.price_version, 1);
    assert_int_equal(told.lease.price_sha256[0], 1);
    assert_int_equal(told.lease.hw_fingerprint[0], 7);
    assert_int_equal(told.lease.spend_until_ms, WORLD_T0 + WORLD_LEASE_MS);
    assert_int_equal(told.lease.settle_until_ms, WORLD_T0 + WORLD_LEASE_MS + WORLD_SETTLE_MS);
    assert_int_equal(told.lease.signature[0], 1);
    assert_memory_equal(told.lease.box_id, box.caller.box, sizeof told.lease.box_id);
    row = world_lease_row(&world, &box, 1);
    assert_int_equal(row.rest_micro, 4 * CREDIT);
    assert_int_equal(row.state, ACCOUNT_LEASE_OPEN);
    assert_int_equal(world_account(&world).available_micro, 96 * CREDIT);
}

static void no_lease_is_larger_than_the_box_may_have_or_than_what_there_is(void **state)
{
    struct account_lease_told told;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, 50 * CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(told.lease.grant_micro, 10 * CREDIT);
    assert_int_equal(account_payout(&world.db, "office", 87 * CREDIT, "", "", world.now_ms, &world.status), 0);
    assert_int_equal(world_lease(&world, &box, 2, 10 * CREDIT, 1, &told), ACCOUNT_OK);
    assert_int_equal(told.lease.grant_micro, 3 * CREDIT);
    assert_int_equal(told.available_micro, 0);
    assert_int_equal(world_lease(&world, &other, 1, 10 * CREDIT, 0, &told), ACCOUNT_NO_CREDIT);
}

static void the_same_request_has_the_same_answer_for_ever(void **state)
{
    struct account_lease_told told, again;
    int64_t returned_micro;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, 4 * CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(world_close(&world, &box, 1, 4 * CREDIT, &returned_micro), ACCOUNT_OK);
    world.now_ms += 10 * WORLD_LEASE_MS;
    assert_int_equal(world_lease(&world, &box, 1, 4 * CREDIT, 0, &again), ACCOUNT_OK);
    assert_int_equal(again.available_micro, 96 * CREDIT);
    assert_int_equal(again.lease.lease_id, told.lease.lease_id);
    assert_int_equal(again.lease.issued_ms, told.lease.issued_ms);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT);
    assert_int_equal(world_row(&world, &box).last_lease_id, 1);
}

static void a_request_id_with_another_body_is_refused(void **state)
{
    struct account_lease_told told;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, 4 * CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(world_lease(&world, &box, 1, 5 * CREDIT, 0, &told), ACCOUNT_ID_REUSED);
    assert_int_equal(world_lease(&world, &box, 1, 4 * CREDIT, 1, &told), ACCOUNT_ID_REUSED);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_lease(&world, &box, 1, 4 * CREDIT, 0, &told), ACCOUNT_ID_REUSED);
    assert_int_equal(world_lease(&world, &other, 1, 5 * CREDIT, 0, &told), ACCOUNT_OK);   /* ids are of a box */
}

static void a_late_copy_of_a_refused_request_is_refused_though_it_would_be_granted_now(void **state)
{
    struct account_lease_told told;

    (void)state;
    assert_int_equal(account_payout(&world.db, "office", 100 * CREDIT, "", "", world.now_ms, &world.status), 0);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_NO_CREDIT);
    assert_int_equal(account_fund(&world.db, "office", CREDIT, "", "", world.now_ms, &world.status), 0);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_NO_CREDIT);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(told.lease.lease_id, 1);
}

static void a_refusal_is_forgotten_after_90_days_and_a_grant_never(void **state)
{
    struct account_lease_told told;
    size_t expired;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 0, &told), ACCOUNT_UNCLOSED);
    world.now_ms += INT64_C(7776000000);
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 0, &told), ACCOUNT_UNCLOSED);
    world.now_ms += 1;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 0, &told), ACCOUNT_OK);   /* the lease has expired since */
    assert_int_equal(told.lease.lease_id, 2);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(told.lease.lease_id, 1);
}

static void amounts_that_cannot_be_are_refused(void **state)
{
    static const int64_t amounts[] = { 0, -1, INT64_MIN, LEASE_GRANT_MICRO_MAX + 1, INT64_MAX };
    struct account_lease_told told;

    (void)state;
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++)
        assert_int_equal(world_lease(&world, &box, 10 + i, amounts[i], 0, &told), ACCOUNT_BAD_AMOUNT);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT);
}

static void without_prices_there_are_no_leases(void **state)
{
    struct world bare;
    struct account_lease_told told;

    (void)state;
    world_init(&bare, 0);
    world_enrol(&bare, &box, "one", CREDIT);
    assert_int_equal(world_lease(&bare, &box, 1, CREDIT, 0, &told), ACCOUNT_NO_PRICES);
    world_prices(&bare, 1);
    assert_int_equal(world_lease(&bare, &box, 2, CREDIT, 0, &told), ACCOUNT_NO_CREDIT);
    world_done(&bare);
}

static void the_account_has_to_have_the_whole_journal_first(void **state)
{
    struct account_lease_told told;
    struct account_usage_told usage;
    struct world_box forged;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 1, &told), ACCOUNT_HEAD_DIFFERS);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    forged = box;
    forged.head.hash[0] ^= 1;
    assert_int_equal(world_lease(&world, &forged, 3, CREDIT, 1, &told), ACCOUNT_HEAD_DIFFERS);
    assert_int_equal(world_lease(&world, &box, 4, CREDIT, 1, &told), ACCOUNT_OK);
}

static void a_successor_is_granted_beside_the_open_lease_and_no_third(void **state)
{
    struct account_lease_told told;
    int64_t returned_micro;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 0, &told), ACCOUNT_UNCLOSED);   /* it does not say which it has */
    assert_int_equal(world_lease(&world, &box, 3, CREDIT, 2, &told), ACCOUNT_NO_LEASE);
    assert_int_equal(world_lease(&world, &box, 4, 2 * CREDIT, 1, &told), ACCOUNT_OK);
    assert_int_equal(told.lease.lease_id, 2);
    assert_int_equal(world_lease(&world, &box, 5, CREDIT, 1, &told), ACCOUNT_UNCLOSED);   /* a copy that does not know of 2 */
    assert_int_equal(world_lease(&world, &box, 6, CREDIT, 2, &told), ACCOUNT_UNCLOSED);   /* 1 is not closed */
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_OK);
    assert_int_equal(returned_micro, CREDIT);
    assert_int_equal(world_lease(&world, &box, 7, CREDIT, 1, &told), ACCOUNT_NO_LEASE);   /* closed */
    assert_int_equal(world_lease(&world, &box, 8, CREDIT, 2, &told), ACCOUNT_OK);
    assert_int_equal(told.lease.lease_id, 3);
}

static void beside_an_expired_lease_one_more_is_granted(void **state)
{
    struct account_lease_told told;
    int64_t returned_micro;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    world.now_ms += WORLD_LEASE_MS;          /* without a sweep */
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 1).state, ACCOUNT_LEASE_EXPIRED);
    assert_int_equal(world_lease_row(&world, &box, 1).suspense_micro, CREDIT);
    world.now_ms += WORLD_LEASE_MS;
    assert_int_equal(world_lease(&world, &box, 3, CREDIT, 0, &told), ACCOUNT_UNCLOSED);   /* both have expired */
    assert_int_equal(world_lease(&world, &box, 4, CREDIT, 2, &told), ACCOUNT_UNCLOSED);
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_OK);
    assert_int_equal(world_lease(&world, &box, 5, CREDIT, 2, &told), ACCOUNT_OK);
}

static void an_expired_lease_may_be_named_by_a_box_whose_clock_is_late(void **state)
{
    struct account_lease_told told;
    size_t expired;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    world.now_ms += WORLD_LEASE_MS;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(expired, 1);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 1, &told), ACCOUNT_OK);
}

static void expiry_goes_to_suspense_and_comes_back_by_the_own_close_alone(void **state)
{
    struct account_lease_told told;
    struct account_lease row;
    int64_t returned_micro;
    size_t expired;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    world.now_ms += WORLD_LEASE_MS - 1;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(expired, 0);
    world.now_ms += 1;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(expired, 1);
    row = world_lease_row(&world, &box, 1);
    assert_true(row.rest_micro == 0 && row.suspense_micro == CREDIT && row.state == ACCOUNT_LEASE_EXPIRED);
    assert_int_equal(world_account(&world).available_micro, 99 * CREDIT);
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(expired, 0);
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_OK);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT);
}

static void a_sweep_expires_no_more_than_it_is_told(void **state)
{
    struct account_lease_told told;
    size_t expired;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(world_lease(&world, &other, 1, CREDIT, 0, &told), ACCOUNT_OK);
    world.now_ms += WORLD_LEASE_MS;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 1, &expired), 0);
    assert_int_equal(expired, 1);
    assert_int_equal(account_sweep(&world.db, world.now_ms, 1, &expired), 0);
    assert_int_equal(expired, 1);
}

static void a_close_names_its_lease_and_is_done_once(void **state)
{
    struct account_lease_told told;
    struct account_usage_told usage;
    int64_t returned_micro;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_close(&world, &box, 1, CREDIT - GSM7_MICRO, &returned_micro), ACCOUNT_HEAD_DIFFERS);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(world_close(&world, &box, 1, CREDIT - GSM7_MICRO, &returned_micro), ACCOUNT_OK);
    assert_int_equal(returned_micro, CREDIT - GSM7_MICRO);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 0, &told), ACCOUNT_OK);
    returned_micro = 0;
    assert_int_equal(world_close(&world, &box, 1, CREDIT - GSM7_MICRO, &returned_micro), ACCOUNT_OK);   /* late, again */
    assert_int_equal(returned_micro, CREDIT - GSM7_MICRO);
    assert_int_equal(world_lease_row(&world, &box, 2).rest_micro, CREDIT);
    assert_int_equal(world_close(&world, &box, 3, 0, &returned_micro), ACCOUNT_UNKNOWN_LEASE);
    assert_int_equal(world_close(&world, &box, 0, 0, &returned_micro), ACCOUNT_NO_LEASE);
    assert_int_equal(world_alarms(&world, &box, ALARM_REST_DIFFERS), 0);
}

static void what_is_returned_is_what_the_account_has_whatever_the_box_says(void **state)
{
    static const int64_t rests[] = { 0, -1, 2 * CREDIT, INT64_MAX, INT64_MIN };
    struct account_lease_told told;
    int64_t returned_micro;

    (void)state;
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        assert_int_equal(world_lease(&world, &box, i, CREDIT, 0, &told), ACCOUNT_OK);
        assert_int_equal(world_close(&world, &box, i + 1, rests[i], &returned_micro), ACCOUNT_OK);
        assert_int_equal(returned_micro, CREDIT);
        assert_int_equal(world_alarms(&world, &box, ALARM_REST_DIFFERS), i + 1);
    }
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT);
}

static void what_a_person_gave_back_and_the_box_took_back_too_is_lent_again(void **state)
{
    struct account_lease_told told;
    struct account_usage_told usage;
    int64_t returned_micro, refunded_micro;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(account_refund(&world.db, &world.hands, box.caller.box, 0, 1, "ann", "", world.now_ms, &world.status, &refunded_micro), 0);
    assert_int_equal(world_account(&world).available_micro, 99 * CREDIT + GSM7_MICRO);
    world_void(&box, 1);                     /* the box finds out by itself that it was not sent */
    world_void(&box, 1);                     /* twice is once */
    assert_int_equal(world_usage(&world, &box, 2, &usage), ACCOUNT_OK);
    assert_int_equal(usage.available_micro, 99 * CREDIT);
    assert_int_equal(world_account(&world).available_micro, 99 * CREDIT);
    assert_int_equal(world_lease_row(&world, &box, 1).rest_micro, CREDIT);
    assert_int_equal(world_lease_row(&world, &box, 1).returned_micro, 0);
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_OK);
    assert_int_equal(returned_micro, CREDIT);
    assert_int_equal(account_memory_alarms(world.memory, box.caller.box, NULL, 0), 0);
}

static void where_nothing_is_left_to_lend_again_the_close_returns_less_without_an_alarm(void **state)
{
    struct account_lease_told told;
    struct account_usage_told usage;
    int64_t returned_micro, refunded_micro;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(account_refund(&world.db, &world.hands, box.caller.box, 0, 1, "ann", "", world.now_ms, &world.status, &refunded_micro), 0);
    assert_int_equal(account_payout(&world.db, "office", 99 * CREDIT + 1, "", "", world.now_ms, &world.status), 0);
    assert_int_equal(world.status, ACCOUNT_OK);
    world_void(&box, 1);
    assert_int_equal(world_usage(&world, &box, 2, &usage), ACCOUNT_OK);
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_OK);
    assert_int_equal(returned_micro, CREDIT - GSM7_MICRO);
    assert_int_equal(account_memory_alarms(world.memory, box.caller.box, NULL, 0), 0);
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_OK);
    assert_int_equal(returned_micro, CREDIT - GSM7_MICRO);   /* as before, without the refund */
}

static void nobody_closes_or_asks_for_another_box(void **state)
{
    struct account_lease_told told;
    struct world_box stranger = box;
    int64_t returned_micro;
    uint64_t digest;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    digest = account_memory_digest(world.memory);
    assert_int_equal(world_close(&world, &other, 1, CREDIT, &returned_micro), ACCOUNT_UNKNOWN_LEASE);
    stranger.caller.box[0] ^= 0x80;
    assert_int_equal(world_lease(&world, &stranger, 2, CREDIT, 0, &told), ACCOUNT_UNKNOWN_BOX);
    assert_int_equal(world_close(&world, &stranger, 1, CREDIT, &returned_micro), ACCOUNT_UNKNOWN_BOX);
    stranger = box;
    stranger.caller.key_sha256[0] ^= 1;      /* a certificate of before */
    assert_int_equal(world_lease(&world, &stranger, 2, CREDIT, 1, &told), ACCOUNT_OLD_EPOCH);
    for (uint32_t epoch = 0; epoch < 3; epoch += 2) {
        stranger = box;
        stranger.caller.epoch = epoch;
        assert_int_equal(world_lease(&world, &stranger, 2, CREDIT, 1, &told), ACCOUNT_OLD_EPOCH);
        assert_int_equal(world_close(&world, &stranger, 1, CREDIT, &returned_micro), ACCOUNT_OLD_EPOCH);
    }
    assert_true(account_memory_digest(world.memory) == digest);
}

static void a_frozen_box_gets_no_lease_and_closes_what_it_has(void **state)
{
    struct account_lease_told told, again;
    int64_t returned_micro;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(account_freeze(&world.db, &world.hands, box.caller.box, true, world.now_ms, &world.status), 0);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 1, &told), ACCOUNT_FROZEN);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &again), ACCOUNT_OK);   /* it was granted before */
    assert_int_equal(again.lease.lease_id, 1);
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_OK);
    assert_int_equal(account_freeze(&world.db, &world.hands, box.caller.box, false, world.now_ms, &world.status), 0);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 1, &told), ACCOUNT_FROZEN);   /* a late copy */
    assert_int_equal(world_lease(&world, &box, 3, CREDIT, 0, &told), ACCOUNT_OK);
}

static void a_lease_of_an_old_epoch_does_not_stand_in_the_way_and_cannot_be_closed(void **state)
{
    struct account_lease_told told;
    int64_t returned_micro;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 1, &told), ACCOUNT_OK);
    world_enrol_again(&world, &box, "again");
    assert_int_equal(world_lease_row(&world, &box, 1).state, ACCOUNT_LEASE_FENCED);
    assert_int_equal(world_lease_row(&world, &box, 2).suspense_micro, CREDIT);
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_NO_LEASE);
    assert_int_equal(world_lease(&world, &box, 3, CREDIT, 2, &told), ACCOUNT_NO_LEASE);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_ID_REUSED);   /* the epoch is another */
    assert_int_equal(world_lease(&world, &box, 4, CREDIT, 0, &told), ACCOUNT_OK);
    assert_int_equal(told.lease.lease_id, 3);
    assert_int_equal(told.lease.epoch, 2);
}

static void a_box_may_be_enrolled_again_more_often_than_leases_are_written_off(void **state)
{
    struct account_lease_told told;
    char name[] = "again A";

    (void)state;
    for (uint64_t i = 0; i < 20; i++, name[6]++) {
        assert_int_equal(world_lease(&world, &box, 2 * i, CREDIT, 0, &told), ACCOUNT_OK);
        assert_int_equal(world_lease(&world, &box, 2 * i + 1, CREDIT, told.lease.lease_id, &told), ACCOUNT_OK);
        world_enrol_again(&world, &box, name);
    }
    assert_int_equal(world_row(&world, &box).epoch, 21);
}

static void when_the_hands_fail_nothing_is_granted(void **state)
{
    struct account_lease_ask ask = { .request = { 1 }, .want_micro = CREDIT };
    struct account_lease_told told;
    uint64_t digest = account_memory_digest(world.memory);

    (void)state;
    world.hands_fail = -EIO;
    assert_int_equal(account_lease(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &told), -EIO);
    assert_true(account_memory_digest(world.memory) == digest);
    world.hands_fail = 0;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &told), ACCOUNT_OK);
}

static void a_transaction_that_loses_is_tried_again_and_given_up_after_a_while(void **state)
{
    struct account_lease_ask ask = { .request = { 1 }, .want_micro = CREDIT };
    struct account_lease_told told;
    uint64_t calls;

    (void)state;
    account_memory_fail(world.memory, 5, -EAGAIN);
    assert_int_equal(account_lease(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &told), 0);
    assert_true(account_memory_calm(world.memory));
    assert_int_equal(world.status, ACCOUNT_OK);
    assert_int_equal(world_account(&world).available_micro, 99 * CREDIT);

    ask.request[0] = 2;
    for (int error = 0; error < 2; error++) {
        calls = account_memory_calls(world.memory);
        account_memory_refuse(world.memory, error ? -EIO : -EAGAIN);
        assert_int_equal(account_lease(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &told), error ? -EIO : -EAGAIN);
        assert_int_equal(account_memory_calls(world.memory) - calls, error ? 1 : ACCOUNT_TRIES);
        assert_true(account_memory_calm(world.memory));
    }
    assert_int_equal(world_account(&world).available_micro, 99 * CREDIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_lease_is_taken_from_what_is_available),
        TEST(no_lease_is_larger_than_the_box_may_have_or_than_what_there_is),
        TEST(the_same_request_has_the_same_answer_for_ever),
        TEST(a_request_id_with_another_body_is_refused),
        TEST(a_late_copy_of_a_refused_request_is_refused_though_it_would_be_granted_now),
        TEST(a_refusal_is_forgotten_after_90_days_and_a_grant_never),
        TEST(amounts_that_cannot_be_are_refused),
        TEST(without_prices_there_are_no_leases),
        TEST(the_account_has_to_have_the_whole_journal_first),
        TEST(a_successor_is_granted_beside_the_open_lease_and_no_third),
        TEST(beside_an_expired_lease_one_more_is_granted),
        TEST(an_expired_lease_may_be_named_by_a_box_whose_clock_is_late),
        TEST(expiry_goes_to_suspense_and_comes_back_by_the_own_close_alone),
        TEST(a_sweep_expires_no_more_than_it_is_told),
        TEST(a_close_names_its_lease_and_is_done_once),
        TEST(what_is_returned_is_what_the_account_has_whatever_the_box_says),
        TEST(what_a_person_gave_back_and_the_box_took_back_too_is_lent_again),
        TEST(where_nothing_is_left_to_lend_again_the_close_returns_less_without_an_alarm),
        TEST(nobody_closes_or_asks_for_another_box),
        TEST(a_frozen_box_gets_no_lease_and_closes_what_it_has),
        TEST(a_lease_of_an_old_epoch_does_not_stand_in_the_way_and_cannot_be_closed),
        TEST(a_box_may_be_enrolled_again_more_often_than_leases_are_written_off),
        TEST(when_the_hands_fail_nothing_is_granted),
        TEST(a_transaction_that_loses_is_tried_again_and_given_up_after_a_while),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
