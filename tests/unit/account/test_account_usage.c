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
static struct world_box box, copy;
static struct account_usage_told told;
static struct account_lease_told lease;

static int begin(void **state)
{
    (void)state;
    world_init(&world, 100 * CREDIT);
    world_enrol(&world, &box, "one", 10 * CREDIT);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_done(&world);
    return 0;
}

static struct account_entry entry_row(uint32_t chain, uint64_t seq)
{
    const struct account_entry *row = account_memory_entry(world.memory, box.caller.box, chain, seq);

    assert_non_null(row);
    return *row;
}

static size_t alarms(void) { return account_memory_alarms(world.memory, box.caller.box, NULL, 0); }

static void captures_are_paid_from_the_rest_of_their_lease(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 1, 1, 2, UCS2_MICRO);
    world_release(&box, 1, 2, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(told.acked.seq, 3);
    assert_memory_equal(told.acked.hash, box.head.hash, SHA256_OCTETS);
    assert_int_equal(told.available_micro, 99 * CREDIT);
    assert_int_equal(world_lease_row(&world, &box, 1).captured_micro, GSM7_MICRO + UCS2_MICRO);
    assert_int_equal(world_lease_row(&world, &box, 1).rest_micro, CREDIT - GSM7_MICRO - UCS2_MICRO);
    assert_int_equal(entry_row(1, 1).paid, PAID_FROM_REST);
    assert_int_equal(entry_row(1, 3).posting, 0);   /* a release moves nothing */
    assert_int_equal(alarms(), 0);
}

static void the_same_usage_again_or_late_or_longer_is_booked_once(void **state)
{
    struct world_box before;

    (void)state;
    for (int64_t i = 1; i <= 5; i++)
        world_capture(&box, 1, i, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    before = box;
    for (int64_t i = 6; i <= 9; i++)
        world_capture(&box, 1, i, 1, GSM7_MICRO);
    for (uint64_t from = 6; from >= 1; from--)
        assert_int_equal(world_usage(&world, &box, from, &told), ACCOUNT_OK);
    assert_int_equal(told.acked.seq, 9);
    for (uint64_t from = 1; from <= 6; from++) {
        assert_int_equal(world_usage(&world, &before, from, &told), ACCOUNT_OK);   /* delayed on its way */
        assert_int_equal(told.acked.seq, 9);
        assert_memory_equal(told.acked.hash, box.head.hash, SHA256_OCTETS);
    }
    assert_int_equal(world_usage(&world, &box, 10, &told), ACCOUNT_OK);   /* nothing new */
    assert_int_equal(world_lease_row(&world, &box, 1).captured_micro, 9 * GSM7_MICRO);
    assert_int_equal(world_row(&world, &box).acked.seq, 9);
}

static void a_gap_is_told_with_what_is_acknowledged(void **state)
{
    uint64_t digest;

    (void)state;
    for (int64_t i = 1; i <= 5; i++)
        world_capture(&box, 1, i, 1, GSM7_MICRO);
    digest = account_memory_digest(world.memory);
    assert_int_equal(world_usage(&world, &box, 2, &told), ACCOUNT_GAP);
    assert_int_equal(told.acked.seq, 0);
    assert_true(account_memory_digest(world.memory) == digest);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
}

static void a_long_journal_is_told_in_pieces(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 4500; i++)
        world_release(&box, 1, i, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(told.acked.seq, ACCOUNT_USAGE_MAX);
    assert_int_equal(world_usage(&world, &box, ACCOUNT_USAGE_MAX + 1, &told), ACCOUNT_OK);
    assert_int_equal(told.acked.seq, 4500);
}

/* -- two histories ------------------------------------------------------------------------------------------------------------ */

static int see_last(void *context, const struct account_command *row)
{
    struct account_command *last = context;

    *last = *row;
    return 0;
}

static void fenced_and_told_in_the_epoch_that_ends(uint64_t commands)
{
    struct account_box row = world_row(&world, &box);
    struct account_command last = { .epoch = 0 };
    int64_t returned_micro;

    assert_int_equal(world.status, ACCOUNT_FORK);
    assert_int_equal(row.state, BOX_FENCED);
    assert_int_equal(row.epoch, 2);
    assert_int_equal(row.chain, 1);
    assert_int_equal(world_alarms(&world, &box, ALARM_FORK), 1);
    assert_int_equal(world_lease_row(&world, &box, 1).state, ACCOUNT_LEASE_FENCED);
    assert_int_equal(world_lease_row(&world, &box, 1).rest_micro, 0);
    assert_int_equal(account_commands(&world.db, &box.caller, 0, see_last, &last, &world.status), 0);
    assert_int_equal(world.status, ACCOUNT_OK);
    assert_int_equal(last.command.kind, COMMAND_REVOKE);
    assert_int_equal(last.command.number, commands);
    assert_int_equal(last.epoch, 1);
    assert_int_equal(last.command.signature[LEASE_BOX_ID_OCTETS], 1);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_FENCED);
    assert_int_equal(world_lease(&world, &box, 99, CREDIT, 1, &lease), ACCOUNT_FENCED);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_FENCED);
    assert_int_equal(world_close(&world, &box, 1, 0, &returned_micro), ACCOUNT_FENCED);
    assert_int_equal(world_alarms(&world, &box, ALARM_FORK), 1);
}

static void an_overlap_that_differs_fences_the_box(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    copy = box;
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    world_capture(&copy, 1, 3, 1, GSM7_MICRO);
    world_capture(&copy, 1, 4, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    (void)world_usage(&world, &copy, 1, &told);
    fenced_and_told_in_the_epoch_that_ends(1);
    assert_int_equal(world_lease_row(&world, &box, 1).captured_micro, 2 * GSM7_MICRO);   /* nothing of the copy was booked */
}

static void a_beginning_that_differs_fences_the_box(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    copy = box;
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    world_capture(&copy, 1, 3, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    world_capture(&copy, 1, 4, 1, GSM7_MICRO);
    (void)world_usage(&world, &copy, 3, &told);   /* it believes that 2 was acknowledged */
    fenced_and_told_in_the_epoch_that_ends(1);
}

static void an_end_that_differs_fences_the_box_though_no_entry_is_told(void **state)
{
    struct account_usage_ask ask = { .from_seq = 2 };

    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    memcpy(ask.prev_hash, box.entries[0].hash, SHA256_OCTETS);
    ask.head = box.head;
    assert_int_equal(account_usage(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &told), 0);
    assert_int_equal(world.status, ACCOUNT_OK);
    ask.head.hash[31] ^= 0x80;
    assert_int_equal(account_usage(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &told), 0);
    fenced_and_told_in_the_epoch_that_ends(1);
}

static void a_head_that_does_not_fit_the_entries_beside_it_fences_the_box(void **state)
{
    struct account_usage_ask ask = { .from_seq = 1, .entries = box.entries, .count = 2 };

    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    ask.head = box.head;
    ask.head.hash[0] ^= 1;
    assert_int_equal(account_usage(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &told), 0);
    fenced_and_told_in_the_epoch_that_ends(1);
    assert_int_equal(world_lease_row(&world, &box, 1).captured_micro, 0);
}

static void an_old_image_that_wrote_nothing_new_is_answered_with_what_it_does_not_know(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    copy = box;
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_usage(&world, &copy, 2, &told), ACCOUNT_OK);   /* and it sees that itself: its head is behind */
    assert_int_equal(told.acked.seq, 2);
}

static void a_revoke_is_numbered_behind_what_was_told_before(void **state)
{
    (void)state;
    world_prices(&world, 2);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    copy = box;
    copy.head = (struct journal_head){ .seq = 0 };
    world_capture(&copy, 1, 7, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(told.commands, 1);
    (void)world_usage(&world, &copy, 1, &told);
    fenced_and_told_in_the_epoch_that_ends(2);
}

/* -- what is booked all the same ------------------------------------------------------------------------------------------------ */

static void a_price_that_is_not_of_the_table_of_the_lease_is_booked_and_alarmed(void **state)
{
    struct account_census census;

    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO - 1);
    world_capture(&box, 1, 2, 1, DEAR_MICRO);
    world_capture(&box, 1, 3, 1, GSM7_MICRO);
    world_capture(&box, 1, 4, 1, UCS2_MICRO + 5);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_alarms(&world, &box, ALARM_PRICE_DIFFERS), 2);
    assert_int_equal(world_lease_row(&world, &box, 1).captured_micro, 2 * GSM7_MICRO + DEAR_MICRO + UCS2_MICRO + 4);
    assert_int_equal(world_faults(&world, true, &census), 0);
    assert_int_equal(census.prices_differ, 2);
}

static void a_row_that_the_table_does_not_have_is_booked_and_alarmed(void **state)
{
    struct journal_entry entry = { .lease_id = 1, .kind = JOURNAL_CAPTURE, .message_id = 1, .part = 1, .attempt = 1, .units_micro = GSM7_MICRO, .price_row = 9 };

    (void)state;
    assert_int_equal(journal_append(&box.head, &entry), 0);
    box.entries[0] = entry;
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_alarms(&world, &box, ALARM_PRICE_DIFFERS), 1);
}

static void a_new_table_is_for_leases_that_come_after_it(void **state)
{
    (void)state;
    world_prices(&world, 2);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 1, &lease), ACCOUNT_OK);
    assert_int_equal(lease.lease.price_version, 2);
    world_capture(&box, 2, 2, 1, GSM7_MICRO + 1);
    world_capture(&box, 1, 3, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 2, &told), ACCOUNT_OK);
    assert_int_equal(alarms(), 0);
}

static void use_of_an_expired_lease_is_paid_from_its_suspense(void **state)
{
    size_t expired;

    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world.now_ms += WORLD_LEASE_MS;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(entry_row(1, 1).paid, PAID_FROM_SUSPENSE);
    assert_int_equal(world_lease_row(&world, &box, 1).suspense_micro, CREDIT - GSM7_MICRO);
    assert_int_equal(alarms(), 0);
}

static void use_of_a_closed_lease_is_debt_and_an_alarm(void **state)
{
    int64_t returned_micro;

    (void)state;
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(entry_row(1, 1).paid, PAID_DEBT);
    assert_int_equal(world_lease_row(&world, &box, 1).debt_micro, GSM7_MICRO);
    assert_int_equal(world_alarms(&world, &box, ALARM_DEBT), 1);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT);
}

static void use_beyond_the_grant_is_debt_and_the_rest_stays(void **state)
{
    int64_t returned_micro;

    (void)state;
    for (int64_t i = 1; i <= 9; i++)
        world_capture(&box, 1, i, 1, DEAR_MICRO);
    world_capture(&box, 1, 10, 1, GSM7_MICRO);
    world_capture(&box, 1, 11, 1, DEAR_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 1).debt_micro, DEAR_MICRO);
    assert_int_equal(world_lease_row(&world, &box, 1).rest_micro, GSM7_MICRO);
    assert_int_equal(world_alarms(&world, &box, ALARM_DEBT), 1);
    assert_int_equal(world_close(&world, &box, 1, 0, &returned_micro), ACCOUNT_OK);
    assert_int_equal(returned_micro, GSM7_MICRO);
    assert_int_equal(world_alarms(&world, &box, ALARM_REST_DIFFERS), 0);   /* the debt was told */
}

static void what_was_on_the_air_while_the_box_was_enrolled_again_is_paid_from_its_lease(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    world_enrol_again(&world, &box, "again");
    assert_int_equal(world_row(&world, &box).acked.seq, 0);
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(told.acked.seq, 1);
    assert_int_equal(entry_row(2, 1).paid, PAID_FROM_SUSPENSE);
    assert_int_equal(alarms(), 0);
}

static void another_machine_may_charge_a_message_of_the_same_number(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    world_enrol_again(&world, &box, "again");
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 0, &lease), ACCOUNT_OK);
    world_capture(&box, 2, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 2).captured_micro, GSM7_MICRO);
}

/* -- voids ------------------------------------------------------------------------------------------------------------------------ */

static void a_void_gives_back_and_the_part_may_be_charged_again(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_void(&box, 1);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);   /* in one piece */
    assert_int_equal(world_lease_row(&world, &box, 1).rest_micro, CREDIT - GSM7_MICRO);
    world_void(&box, 3);
    assert_int_equal(world_usage(&world, &box, 4, &told), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 5, &told), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 1).captured_micro, GSM7_MICRO);
    assert_true(entry_row(1, 1).over && entry_row(1, 3).over && !entry_row(1, 5).over);
    assert_int_equal(alarms(), 0);
}

static void a_void_of_an_expired_lease_goes_to_its_suspense_and_of_a_settled_one_is_available(void **state)
{
    int64_t returned_micro;
    size_t expired;

    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    world.now_ms += WORLD_LEASE_MS;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    world_void(&box, 1);
    assert_int_equal(world_usage(&world, &box, 3, &told), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 1).suspense_micro, CREDIT - GSM7_MICRO);
    world.now_ms += WORLD_SETTLE_MS;
    assert_int_equal(account_write_off(&world.db, box.caller.box, 1, 0, "ann", "", world.now_ms, &world.status, &returned_micro), 0);
    assert_int_equal(world.status, ACCOUNT_OK);
    world_void(&box, 2);
    assert_int_equal(world_usage(&world, &box, 4, &told), ACCOUNT_OK);
    assert_int_equal(told.available_micro, 100 * CREDIT);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT);
}

static void a_void_of_debt_takes_the_debt_back(void **state)
{
    int64_t returned_micro;

    (void)state;
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &returned_micro), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_void(&box, 1);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 1).debt_micro, 0);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT);
}

static void a_void_that_names_no_capture_of_its_part_moves_nothing_and_is_alarmed(void **state)
{
    (void)state;
    world_release(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    world_void(&box, 1);                     /* of a release */
    box.entries[1].message_id = 3;           /* of the capture of another message: the entry itself was told as it is below */
    world_void(&box, 2);
    box.entries[1].message_id = 2;
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_alarms(&world, &box, ALARM_BAD_VOID), 2);
    assert_int_equal(world_lease_row(&world, &box, 1).captured_micro, GSM7_MICRO);
    assert_false(entry_row(1, 2).over);
}

static void a_second_void_of_a_charge_moves_nothing(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_void(&box, 1);
    world_void(&box, 1);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 1).rest_micro, CREDIT);
    assert_int_equal(entry_row(1, 3).posting, 0);
}

static void a_void_of_another_amount_gives_back_what_was_charged(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    box.entries[0].units_micro = CREDIT;
    world_void(&box, 1);
    box.entries[0].units_micro = GSM7_MICRO;
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 1).rest_micro, CREDIT);
    assert_int_equal(world_alarms(&world, &box, ALARM_PRICE_DIFFERS), 1);
}

/* -- what cannot be booked ---------------------------------------------------------------------------------------------------------- */

static void refused_as_a_whole(enum account_status why)
{
    uint64_t digest = account_memory_digest(world.memory);

    assert_int_equal(world_usage(&world, &box, 1, &told), why);
    assert_true(account_memory_digest(world.memory) == digest);
}

static void a_second_charge_of_a_part_refuses_all_that_came_with_it(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    refused_as_a_whole(ACCOUNT_BAD_ENTRIES);
}

static void a_lease_that_the_box_never_had_refuses_all_that_came_with_it(void **state)
{
    struct world_box other;

    (void)state;
    world_enrol(&world, &other, "two", CREDIT);
    for (uint64_t i = 0; i < 2; i++)
        assert_int_equal(world_lease(&world, &other, i, CREDIT / 4, i, &lease), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 2, 2, 1, GSM7_MICRO);   /* the other box has a lease of this number */
    refused_as_a_whole(ACCOUNT_UNKNOWN_LEASE);
}

static void a_debt_that_no_sum_can_hold_is_refused(void **state)
{
    int64_t i = 0;

    (void)state;
    do {
        i++;
        world_capture(&box, 1, i, 1, JOURNAL_UNITS_MICRO_MAX);
        if (i < 1000 && i % 500 == 0)
            assert_int_equal(world_usage(&world, &box, (uint64_t)i - 499, &told), ACCOUNT_OK);
    } while (i < 1000);
    assert_int_equal(world_usage(&world, &box, 501, &told), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 1).debt_micro, 1000 * JOURNAL_UNITS_MICRO_MAX);
    world_capture(&box, 1, 1001, 1, JOURNAL_UNITS_MICRO_MAX);
    assert_int_equal(world_usage(&world, &box, 1001, &told), ACCOUNT_BAD_ENTRIES);
}

static void what_is_no_run_of_entries_is_refused(void **state)
{
    struct account_usage_ask ask = { .from_seq = 1, .entries = box.entries, .count = 3 };

    (void)state;
    for (int64_t i = 1; i <= 3; i++)
        world_capture(&box, 1, i, 1, GSM7_MICRO);
    ask.head = box.head;
    box.entries[1].seq = 3;                  /* not in their order */
    refused_as_a_whole(ACCOUNT_BAD_ENTRIES);
    box.entries[1].seq = 2;
    box.entries[1].units_micro = -1;         /* below nothing */
    refused_as_a_whole(ACCOUNT_BAD_ENTRIES);
    box.entries[1].units_micro = GSM7_MICRO;
    box.entries[1].kind = JOURNAL_KINDS;
    refused_as_a_whole(ACCOUNT_BAD_ENTRIES);
    box.entries[1].kind = JOURNAL_CAPTURE;
    ask.from_seq = 0;
    assert_int_equal(account_usage(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &told), 0);
    assert_int_equal(world.status, ACCOUNT_BAD_ENTRIES);
    ask.from_seq = UINT64_MAX;
    assert_int_equal(account_usage(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &told), 0);
    assert_int_equal(world.status, ACCOUNT_BAD_ENTRIES);
    ask.from_seq = 1;
    ask.count = ACCOUNT_USAGE_MAX + 1;
    assert_int_equal(account_usage(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &told), 0);
    assert_int_equal(world.status, ACCOUNT_BAD_ENTRIES);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
}

static void nobody_tells_usage_for_another_box_or_epoch(void **state)
{
    struct world_box stranger;
    uint64_t digest;

    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    digest = account_memory_digest(world.memory);
    stranger = box;
    stranger.caller.box[3] ^= 1;
    assert_int_equal(world_usage(&world, &stranger, 1, &told), ACCOUNT_UNKNOWN_BOX);
    stranger = box;
    stranger.caller.epoch = 2;
    assert_int_equal(world_usage(&world, &stranger, 1, &told), ACCOUNT_OLD_EPOCH);
    stranger = box;
    stranger.caller.key_sha256[31] ^= 1;
    assert_int_equal(world_usage(&world, &stranger, 1, &told), ACCOUNT_OLD_EPOCH);
    assert_true(account_memory_digest(world.memory) == digest);
}

static void a_frozen_box_tells_its_usage(void **state)
{
    (void)state;
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(account_freeze(&world.db, &world.hands, box.caller.box, true, world.now_ms, &world.status), 0);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    assert_int_equal(told.commands, 1);
}

static void entries_of_many_old_leases_come_in_one_piece(void **state)
{
    int64_t returned_micro;

    (void)state;
    for (uint64_t i = 2; i <= 20; i++) {
        assert_int_equal(world_lease(&world, &box, i, CREDIT, i - 1, &lease), ACCOUNT_OK);
        assert_int_equal(world_close(&world, &box, i - 1, CREDIT, &returned_micro), ACCOUNT_OK);
    }
    for (uint64_t round = 0; round < 2; round++)
        for (uint64_t i = 1; i <= 20; i++)
            world_capture(&box, i, (int64_t)(round * 20 + i), 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &told), ACCOUNT_OK);
    for (uint64_t i = 1; i < 20; i++)
        assert_int_equal(world_lease_row(&world, &box, i).debt_micro, 2 * GSM7_MICRO);
    assert_int_equal(world_lease_row(&world, &box, 20).captured_micro, 2 * GSM7_MICRO);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(captures_are_paid_from_the_rest_of_their_lease),
        TEST(the_same_usage_again_or_late_or_longer_is_booked_once),
        TEST(a_gap_is_told_with_what_is_acknowledged),
        TEST(a_long_journal_is_told_in_pieces),
        TEST(an_overlap_that_differs_fences_the_box),
        TEST(a_beginning_that_differs_fences_the_box),
        TEST(an_end_that_differs_fences_the_box_though_no_entry_is_told),
        TEST(a_head_that_does_not_fit_the_entries_beside_it_fences_the_box),
        TEST(an_old_image_that_wrote_nothing_new_is_answered_with_what_it_does_not_know),
        TEST(a_revoke_is_numbered_behind_what_was_told_before),
        TEST(a_price_that_is_not_of_the_table_of_the_lease_is_booked_and_alarmed),
        TEST(a_row_that_the_table_does_not_have_is_booked_and_alarmed),
        TEST(a_new_table_is_for_leases_that_come_after_it),
        TEST(use_of_an_expired_lease_is_paid_from_its_suspense),
        TEST(use_of_a_closed_lease_is_debt_and_an_alarm),
        TEST(use_beyond_the_grant_is_debt_and_the_rest_stays),
        TEST(what_was_on_the_air_while_the_box_was_enrolled_again_is_paid_from_its_lease),
        TEST(another_machine_may_charge_a_message_of_the_same_number),
        TEST(a_void_gives_back_and_the_part_may_be_charged_again),
        TEST(a_void_of_an_expired_lease_goes_to_its_suspense_and_of_a_settled_one_is_available),
        TEST(a_void_of_debt_takes_the_debt_back),
        TEST(a_void_that_names_no_capture_of_its_part_moves_nothing_and_is_alarmed),
        TEST(a_second_void_of_a_charge_moves_nothing),
        TEST(a_void_of_another_amount_gives_back_what_was_charged),
        TEST(a_second_charge_of_a_part_refuses_all_that_came_with_it),
        TEST(a_lease_that_the_box_never_had_refuses_all_that_came_with_it),
        TEST(a_debt_that_no_sum_can_hold_is_refused),
        TEST(what_is_no_run_of_entries_is_refused),
        TEST(nobody_tells_usage_for_another_box_or_epoch),
        TEST(a_frozen_box_tells_its_usage),
        TEST(entries_of_many_old_leases_come_in_one_piece),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
