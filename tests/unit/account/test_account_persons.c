/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "src/credit/price.h"
#include "tests/unit/account/account_world.h"

#define CREDIT 1000000

static struct world world;
static struct world_box box, other;
static struct account_lease_told lease;
static struct account_usage_told usage;
static int64_t micro;

static const char long_name[] = "0123456789012345678901234567890123456789012345678901234567890123";   /* 64 and the NUL */
static const char long_note[] = "01234567890123456789012345678901234567890123456789012345678901230123456789012345678901234567890123456789012345678901234567890123";

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

/* -- accounts ------------------------------------------------------------------------------------------------------------------ */

static enum account_status create(const char *name)
{
    assert_int_equal(account_create(&world.db, name, world.now_ms, &world.status), 0);
    return world.status;
}

static enum account_status fund(const char *name, int64_t amount, const char *who, const char *note)
{
    assert_int_equal(account_fund(&world.db, name, amount, who, note, world.now_ms, &world.status), 0);
    return world.status;
}

static enum account_status payout(const char *name, int64_t amount)
{
    assert_int_equal(account_payout(&world.db, name, amount, "ann", "", world.now_ms, &world.status), 0);
    return world.status;
}

static void an_account_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(create("office"), ACCOUNT_NAME_TAKEN);
    assert_int_equal(create("Büro 2"), ACCOUNT_OK);
    assert_int_equal(create(""), ACCOUNT_BAD_NAME);
    assert_int_equal(create(long_name), ACCOUNT_BAD_NAME);
    assert_int_equal(create(long_name + 1), ACCOUNT_OK);
    assert_int_equal(create("a\tb"), ACCOUNT_BAD_NAME);
    assert_int_equal(create("\xC3("), ACCOUNT_BAD_NAME);
}

static void only_amounts_that_can_be_booked_come_in(void **state)
{
    static const int64_t amounts[] = { 0, -1, INT64_MIN, ACCOUNT_MICRO_MAX + 1, INT64_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        assert_int_equal(fund("office", amounts[i], "ann", ""), ACCOUNT_BAD_AMOUNT);
        assert_int_equal(payout("office", amounts[i]), ACCOUNT_BAD_AMOUNT);
    }
    assert_int_equal(fund("nobody", 1, "ann", ""), ACCOUNT_UNKNOWN);
    assert_int_equal(payout("nobody", 1), ACCOUNT_UNKNOWN);
    assert_int_equal(fund("office", 1, "an\nn", ""), ACCOUNT_BAD_NAME);
    assert_int_equal(fund("office", 1, "ann", long_note), ACCOUNT_BAD_NAME);
    assert_int_equal(fund("office", 1, "", long_note + 1), ACCOUNT_OK);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT + 1);
}

static void all_that_ever_came_in_stays_within_what_sums_can_hold(void **state)
{
    int n = 0;

    (void)state;
    while (fund("office", ACCOUNT_MICRO_MAX, "ann", "") == ACCOUNT_OK) {
        n++;
        assert_int_equal(payout("office", ACCOUNT_MICRO_MAX), ACCOUNT_OK);
    }
    assert_int_equal(world.status, ACCOUNT_BAD_AMOUNT);
    assert_int_equal(n, 999);
}

static void no_more_goes_out_than_is_available(void **state)
{
    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, 10 * CREDIT, 0, &lease), ACCOUNT_OK);
    assert_int_equal(payout("office", 90 * CREDIT + 1), ACCOUNT_TOO_LITTLE);
    assert_int_equal(payout("office", 90 * CREDIT), ACCOUNT_OK);
    assert_int_equal(world_account(&world).available_micro, 0);
    assert_int_equal(world_account(&world).paid_out_micro, 90 * CREDIT);
    assert_int_equal(payout("office", 1), ACCOUNT_TOO_LITTLE);
}

/* -- refunds --------------------------------------------------------------------------------------------------------------------- */

static enum account_status refund(const struct world_box *of, uint32_t chain, uint64_t entry)
{
    assert_int_equal(account_refund(&world.db, &world.hands, of->caller.box, chain, entry, "ann", "wrong number", world.now_ms, &world.status, &micro), 0);
    return world.status;
}

static int see_last(void *context, const struct account_command *row)
{
    *(struct account_command *)context = *row;
    return 0;
}

static void a_refund_is_a_posting_of_its_own_that_names_the_charge_and_is_told(void **state)
{
    const struct account_posting *charge, *back;
    struct account_command last = { .epoch = 0 };

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    world_capture(&box, 1, 77, 2, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(refund(&box, 0, 1), ACCOUNT_OK);
    assert_int_equal(micro, GSM7_MICRO);
    assert_int_equal(world_account(&world).available_micro, 99 * CREDIT + GSM7_MICRO);
    charge = account_memory_posting(world.memory, 1, box.caller.box, 1, 2);
    back = account_memory_posting(world.memory, 1, box.caller.box, 1, 3);
    assert_true(charge && back);
    assert_true(charge->micro == GSM7_MICRO && charge->reason == FOR_CAPTURE && charge->refers == 0);
    assert_true(back->micro == GSM7_MICRO && back->reason == FOR_REFUND && back->refers == 2 && back->entry == 1 && back->chain == 1);
    assert_string_equal(back->who, "ann");
    assert_string_equal(back->note, "wrong number");
    assert_int_equal(account_commands(&world.db, &box.caller, 0, see_last, &last, &world.status), 0);
    assert_int_equal(last.command.kind, COMMAND_REFUND);
    assert_true(last.command.message_id == 77 && last.command.part == 2 && last.command.refers_seq == 1 && last.command.units_micro == GSM7_MICRO);
    assert_string_equal(last.command.reason, "wrong number");
    assert_int_equal(refund(&box, 0, 1), ACCOUNT_REFUNDED);
    assert_int_equal(refund(&box, 1, 1), ACCOUNT_REFUNDED);
}

static void what_is_no_charge_is_not_refunded(void **state)
{
    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    world_release(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    world_void(&box, 2);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(refund(&box, 0, 1), ACCOUNT_NO_ENTRY);
    assert_int_equal(refund(&box, 0, 2), ACCOUNT_REFUNDED);   /* the box took it back itself */
    assert_int_equal(refund(&box, 0, 3), ACCOUNT_NO_ENTRY);
    assert_int_equal(refund(&box, 0, 4), ACCOUNT_NO_ENTRY);
    assert_int_equal(refund(&box, 0, 0), ACCOUNT_NO_ENTRY);
    assert_int_equal(refund(&box, 0, UINT64_MAX), ACCOUNT_NO_ENTRY);
    assert_int_equal(refund(&box, 2, 2), ACCOUNT_NO_ENTRY);
    assert_int_equal(refund(&other, 0, 2), ACCOUNT_NO_ENTRY);
    box.caller.box[0] ^= 1;
    assert_int_equal(refund(&box, 0, 2), ACCOUNT_UNKNOWN_BOX);
    assert_int_equal(account_refund(&world.db, &world.hands, other.caller.box, 0, 1, "a\nb", "", world.now_ms, &world.status, &micro), 0);
    assert_int_equal(world.status, ACCOUNT_BAD_NAME);
}

static void debt_that_is_refunded_is_no_debt_and_no_credit(void **state)
{
    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    assert_int_equal(world_close(&world, &box, 1, CREDIT, &micro), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(refund(&box, 0, 1), ACCOUNT_OK);
    assert_int_equal(world_lease_row(&world, &box, 1).debt_micro, 0);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT);
}

static void a_refund_of_an_old_journal_is_not_told_to_who_has_another(void **state)
{
    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    world_capture(&box, 1, 2, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    world_enrol_again(&world, &box, "again");
    assert_int_equal(refund(&box, 0, 1), ACCOUNT_NO_ENTRY);
    assert_int_equal(refund(&box, 1, 1), ACCOUNT_OK);
    assert_int_equal(world_row(&world, &box).last_command, 0);
    assert_int_equal(world_account(&world).available_micro, 99 * CREDIT + GSM7_MICRO);
}

/* -- write-offs -------------------------------------------------------------------------------------------------------------------- */

static enum account_status write_off(uint64_t of, int64_t used_micro)
{
    assert_int_equal(account_write_off(&world.db, box.caller.box, of, used_micro, "ann", "lost", world.now_ms, &world.status, &micro), 0);
    return world.status;
}

static void a_person_settles_what_a_box_does_not_after_the_time_it_has_for_it(void **state)
{
    struct account_lease row;
    size_t expired;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    assert_int_equal(write_off(1, 0), ACCOUNT_NOT_SUSPENDED);
    world.now_ms += WORLD_LEASE_MS;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(write_off(1, 0), ACCOUNT_NOT_YET);
    world.now_ms += WORLD_SETTLE_MS - 1;
    assert_int_equal(write_off(1, 0), ACCOUNT_NOT_YET);
    world.now_ms += 1;
    assert_int_equal(write_off(1, -1), ACCOUNT_BAD_AMOUNT);
    assert_int_equal(write_off(1, CREDIT + 1), ACCOUNT_BAD_AMOUNT);
    assert_int_equal(write_off(2, 0), ACCOUNT_NO_LEASE);
    assert_int_equal(write_off(0, 0), ACCOUNT_NO_LEASE);
    assert_int_equal(write_off(UINT64_MAX, 0), ACCOUNT_NO_LEASE);
    assert_int_equal(write_off(1, CREDIT / 4), ACCOUNT_OK);
    assert_int_equal(micro, CREDIT - CREDIT / 4);
    row = world_lease_row(&world, &box, 1);
    assert_true(row.state == ACCOUNT_LEASE_WRITTEN_OFF && row.captured_micro == CREDIT / 4 && row.suspense_micro == 0 && row.closed_ms == world.now_ms);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT - CREDIT / 4);
    assert_int_equal(write_off(1, 0), ACCOUNT_NOT_SUSPENDED);
}

static void all_or_nothing_of_a_fenced_lease_can_have_been_used(void **state)
{
    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 1, &lease), ACCOUNT_OK);
    world_enrol_again(&world, &box, "again");
    world.now_ms += WORLD_LEASE_MS + WORLD_SETTLE_MS;
    assert_int_equal(write_off(1, 0), ACCOUNT_OK);
    assert_int_equal(write_off(2, CREDIT), ACCOUNT_OK);
    assert_int_equal(world_account(&world).available_micro, 99 * CREDIT);
}

static void a_box_that_comes_back_after_the_write_off_closes_with_nothing_and_owes_what_it_used(void **state)
{
    size_t expired;

    (void)state;
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    world.now_ms += WORLD_LEASE_MS + WORLD_SETTLE_MS;
    assert_int_equal(account_sweep(&world.db, world.now_ms, 10, &expired), 0);
    assert_int_equal(write_off(1, 0), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(world_alarms(&world, &box, ALARM_DEBT), 1);
    micro = 5;
    assert_int_equal(world_close(&world, &box, 1, CREDIT - GSM7_MICRO, &micro), ACCOUNT_OK);
    assert_int_equal(micro, 0);
    assert_int_equal(world_lease(&world, &box, 2, CREDIT, 1, &lease), ACCOUNT_OK);
}

/* -- prices ------------------------------------------------------------------------------------------------------------------------ */

static void a_price_table_is_told_to_all_boxes_that_are_not_fenced(void **state)
{
    struct account_command last = { .epoch = 0 };
    struct world_box fenced;
    uint8_t sha256[SHA256_OCTETS] = { 1 };

    (void)state;
    world_enrol(&world, &fenced, "three", CREDIT);
    assert_int_equal(account_reincarnate(&world.db, &world.hands, fenced.caller.box, sha256, 1000, world.now_ms, &world.status), 0);
    assert_int_equal(account_freeze(&world.db, &world.hands, other.caller.box, true, world.now_ms, &world.status), 0);
    world_prices(&world, 2);
    assert_int_equal(world.status, ACCOUNT_OK);
    assert_int_equal(world_row(&world, &box).last_command, 1);
    assert_int_equal(world_row(&world, &other).last_command, 2);
    assert_int_equal(world_row(&world, &fenced).last_command, 0);
    assert_int_equal(account_commands(&world.db, &box.caller, 0, see_last, &last, &world.status), 0);
    assert_true(last.command.kind == COMMAND_PRICES && last.command.price_version == 2 && last.command.price_sha256[0] == 2);
}

static void versions_come_one_after_the_other(void **state)
{
    (void)state;
    world_prices(&world, 3);
    assert_int_equal(world.status, ACCOUNT_BAD_VERSION);
    world_prices(&world, 2);
    assert_int_equal(world.status, ACCOUNT_OK);
    world_prices(&world, 1);
    assert_int_equal(world.status, ACCOUNT_ALREADY);
    world_prices(&world, 3);
    assert_int_equal(world.status, ACCOUNT_OK);
}

static void a_table_that_is_wrong_is_refused(void **state)
{
    struct account_price_row rows[2], good[2] = { { 2, 0, 1, 1 }, { 2, 1, 2, 0 } };
    struct account_price_ask ask = { { .version = 2, .csv = "", .rows = 2 }, rows };

    (void)state;
#define REFUSED(what, want) do { \
        memcpy(rows, good, sizeof rows); \
        what; \
        assert_int_equal(account_price_import(&world.db, &world.hands, &ask, world.now_ms, &world.status), 0); \
        assert_int_equal(world.status, want); \
    } while (0)
    REFUSED(rows[1].row = 0, ACCOUNT_BAD_AMOUNT);
    REFUSED(rows[0].version = 1, ACCOUNT_BAD_AMOUNT);
    REFUSED(rows[0].gsm7_micro = -1, ACCOUNT_BAD_AMOUNT);
    REFUSED(rows[1].ucs2_micro = -1, ACCOUNT_BAD_AMOUNT);
    REFUSED(rows[1].ucs2_micro = PRICE_PART_MICRO_MAX + 1, ACCOUNT_BAD_AMOUNT);
    REFUSED(rows[1].gsm7_micro = INT64_MAX, ACCOUNT_BAD_AMOUNT);
    REFUSED(ask.price.rows = 0, ACCOUNT_BAD_AMOUNT);
    REFUSED((ask.price.rows = 2, ask.price.version = 0), ACCOUNT_BAD_VERSION);
    ask.price.version = 1;                   /* another table under a version that there is */
    REFUSED(rows[0].version = rows[1].version = 1, ACCOUNT_BAD_VERSION);
    ask.price.version = 2;
    assert_int_equal(world_row(&world, &box).last_command, 0);
    REFUSED((void)0, ACCOUNT_OK);
}

static void an_import_that_was_cut_off_is_done_again_and_each_box_is_told_once(void **state)
{
    struct account_price_row rows[] = { { 2, 0, 1, 1 } };
    struct account_price_ask ask = { { .version = 2, .csv = "", .rows = 1 }, rows };
    int r;

    (void)state;
    for (uint64_t n = 1;; n++) {
        account_memory_fail(world.memory, n, -EIO);
        r = account_price_import(&world.db, &world.hands, &ask, world.now_ms, &world.status);
        if (!account_memory_calm(world.memory))
            break;
        assert_int_equal(r, -EIO);
    }
    assert_int_equal(r, 0);
    assert_int_equal(world.status, ACCOUNT_ALREADY);
    assert_int_equal(world_row(&world, &box).last_command, 1);
    assert_int_equal(world_row(&world, &other).last_command, 1);
}

static void a_box_with_many_commands_is_still_told_once(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(account_freeze(&world.db, &world.hands, box.caller.box, i % 2 == 0, world.now_ms, &world.status), 0);
    world_prices(&world, 2);
    world_prices(&world, 2);
    assert_int_equal(world.status, ACCOUNT_ALREADY);
    assert_int_equal(world_row(&world, &box).last_command, 101);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(an_account_has_a_name_of_its_own),
        TEST(only_amounts_that_can_be_booked_come_in),
        TEST(all_that_ever_came_in_stays_within_what_sums_can_hold),
        TEST(no_more_goes_out_than_is_available),
        TEST(a_refund_is_a_posting_of_its_own_that_names_the_charge_and_is_told),
        TEST(what_is_no_charge_is_not_refunded),
        TEST(debt_that_is_refunded_is_no_debt_and_no_credit),
        TEST(a_refund_of_an_old_journal_is_not_told_to_who_has_another),
        TEST(a_person_settles_what_a_box_does_not_after_the_time_it_has_for_it),
        TEST(all_or_nothing_of_a_fenced_lease_can_have_been_used),
        TEST(a_box_that_comes_back_after_the_write_off_closes_with_nothing_and_owes_what_it_used),
        TEST(a_price_table_is_told_to_all_boxes_that_are_not_fenced),
        TEST(versions_come_one_after_the_other),
        TEST(a_table_that_is_wrong_is_refused),
        TEST(an_import_that_was_cut_off_is_done_again_and_each_box_is_told_once),
        TEST(a_box_with_many_commands_is_still_told_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
