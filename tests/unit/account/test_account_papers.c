/* SPDX-License-Identifier: Apache-2.0
 *
 * Books that were set back to a backup learn from the boxes what they granted since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "src/base/hex.h"
#include "tests/unit/account/account_world.h"

#define CREDIT 1000000

/* RFC 6979 A.2.5 */
static const char private_hex[] = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
static const char public_hex[] = "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
                                 "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
static uint8_t private_key[LEASE_PRIVATE_KEY_OCTETS], public_key[LEASE_PUBLIC_KEY_OCTETS];

static struct world world;
static struct world_box box;
static struct account_memory *backup;
static struct lease papers[8];
static struct account_papers_told told;
static struct account_usage_told usage;
static int64_t returned_micro;

static int nothing_random(void *context, unsigned char *octets, size_t length)
{
    (void)context;
    memset(octets, 0x5A, length);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    assert_int_equal(hex_decode(private_hex, strlen(private_hex), private_key, sizeof private_key), LEASE_PRIVATE_KEY_OCTETS);
    assert_int_equal(hex_decode(public_hex, strlen(public_hex), public_key, sizeof public_key), LEASE_PUBLIC_KEY_OCTETS);
    world_init(&world, 100 * CREDIT);
    world_enrol(&world, &box, "one", 10 * CREDIT);
    backup = account_memory_copy(world.memory);
    return 0;
}

static int end(void **state)
{
    (void)state;
    account_memory_free(backup);
    world_done(&world);
    return 0;
}

/* The hands of the world sign with anything; what is shown is to be verified. */
static void sign(struct lease *lease) { assert_int_equal(lease_sign(lease, private_key, nothing_random, NULL), 0); }

static void grant(uint64_t id, uint64_t open)
{
    struct account_lease_told lease;

    assert_int_equal(world_lease(&world, &box, 100 + id, CREDIT, open, &lease), ACCOUNT_OK);
    assert_int_equal(lease.lease.lease_id, id);
    papers[id - 1] = lease.lease;
    sign(&papers[id - 1]);
}

static void tell_all(void) { assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK); }

static void close_lease(uint64_t id, int64_t rest_micro)
{
    assert_int_equal(world_close(&world, &box, id, rest_micro, &returned_micro), ACCOUNT_OK);
}

static void set_back(void) { account_memory_restore(world.memory, backup); }

static enum account_status show(const struct lease *shown, size_t count)
{
    assert_int_equal(account_papers(&world.db, &world.hands, public_key, &box.caller, shown, count, world.now_ms, &world.status, &told), 0);
    return world.status;
}

static void usage_of_a_lease_that_was_forgotten_is_booked_when_it_was_shown(void **state)
{
    (void)state;
    grant(1, 0);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    tell_all();
    set_back();
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_UNKNOWN_LEASE);
    assert_int_equal(world_close(&world, &box, 1, 0, &returned_micro), ACCOUNT_UNKNOWN_LEASE);
    assert_int_equal(show(NULL, 0), ACCOUNT_OK);
    assert_int_equal(told.last_lease_id, 0);
    assert_int_equal(told.unclosed_count, 0);
    assert_int_equal(show(papers, 1), ACCOUNT_OK);
    assert_int_equal(told.last_lease_id, 1);
    assert_int_equal(told.unclosed_count, 1);
    assert_int_equal(told.unclosed[0], 1);
    assert_int_equal(world_account(&world).available_micro, 99 * CREDIT);
    tell_all();
    assert_int_equal(world_lease_row(&world, &box, 1).captured_micro, GSM7_MICRO);
    close_lease(1, CREDIT - GSM7_MICRO);
    assert_int_equal(returned_micro, CREDIT - GSM7_MICRO);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT - GSM7_MICRO);
}

static void no_number_is_given_out_twice(void **state)
{
    struct account_lease_ask ask = { .want_micro = CREDIT, .last_lease_id = 1 };
    struct account_lease_told lease;

    (void)state;
    grant(1, 0);
    close_lease(1, CREDIT);
    set_back();
    assert_int_equal(account_lease(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &lease), 0);
    assert_int_equal(world.status, ACCOUNT_UNKNOWN_LEASE);
    assert_int_equal(show(papers, 1), ACCOUNT_OK);
    close_lease(1, CREDIT);
    ask.request[0] = 1;
    assert_int_equal(account_lease(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &lease), 0);
    assert_int_equal(world.status, ACCOUNT_OK);
    assert_int_equal(lease.lease.lease_id, 2);
}

static void what_is_shown_again_changes_nothing(void **state)
{
    uint64_t digest;

    (void)state;
    grant(1, 0);
    set_back();
    assert_int_equal(show(papers, 1), ACCOUNT_OK);
    digest = account_memory_digest(world.memory);
    assert_int_equal(show(papers, 1), ACCOUNT_OK);
    assert_int_equal(told.last_lease_id, 1);
    assert_true(account_memory_digest(world.memory) == digest);
}

static void a_lease_behind_one_that_is_missing_waits_for_it(void **state)
{
    (void)state;
    grant(1, 0);
    grant(2, 1);
    set_back();
    assert_int_equal(show(papers + 1, 1), ACCOUNT_OK);
    assert_int_equal(told.last_lease_id, 0);
    assert_int_equal(show(papers, 2), ACCOUNT_OK);
    assert_int_equal(told.last_lease_id, 2);
}

static void refused_for_ever(struct lease paper)
{
    uint64_t digest = account_memory_digest(world.memory);

    assert_int_equal(show(&paper, 1), ACCOUNT_BAD_LEASE);
    assert_true(account_memory_digest(world.memory) == digest);
}

static void what_the_account_did_not_sign_for_this_box_is_refused(void **state)
{
    struct lease changed;

    (void)state;
    grant(1, 0);
    set_back();
    changed = papers[0];
    changed.grant_micro++;
    refused_for_ever(changed);
    changed = papers[0];
    changed.box_id[0] ^= 1;
    sign(&changed);
    refused_for_ever(changed);
    world.now_ms++;                          /* of an enrolment that these books do not have */
    changed = papers[0];
    changed.epoch = 2;
    sign(&changed);
    assert_int_equal(show(&changed, 1), ACCOUNT_BAD_LEASE);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT);
}

static void another_lease_of_the_same_number_is_a_copy_at_work(void **state)
{
    struct lease other;

    (void)state;
    grant(1, 0);
    other = papers[0];
    other.issued_ms++;
    sign(&other);
    assert_int_equal(show(&other, 1), ACCOUNT_FORK);
    assert_int_equal(world_row(&world, &box).state, BOX_FENCED);
    assert_int_equal(world_alarms(&world, &box, ALARM_FORK), 1);
    assert_int_equal(world_lease_row(&world, &box, 1).suspense_micro, CREDIT);
}

static void it_waits_until_what_was_funded_and_imported_is_there_again(void **state)
{
    (void)state;
    assert_int_equal(account_payout(&world.db, "office", 100 * CREDIT, "ann", "", world.now_ms, &world.status), 0);
    account_memory_free(backup);
    backup = account_memory_copy(world.memory);
    world_prices(&world, 2);
    assert_int_equal(account_fund(&world.db, "office", CREDIT, "ann", "", world.now_ms, &world.status), 0);
    grant(1, 0);
    world_capture(&box, 1, 1, 1, GSM7_MICRO + 1);
    set_back();
    assert_int_equal(show(papers, 1), ACCOUNT_NO_PRICES);
    world_prices(&world, 2);
    assert_int_equal(show(papers, 1), ACCOUNT_NO_CREDIT);
    assert_int_equal(told.available_micro, 0);
    assert_int_equal(account_fund(&world.db, "office", CREDIT, "ann", "", world.now_ms, &world.status), 0);
    assert_int_equal(show(papers, 1), ACCOUNT_OK);
    tell_all();
    assert_int_equal(world_alarms(&world, &box, ALARM_PRICE_DIFFERS), 0);
}

/* Five in a row, each closed when the next but one is asked for: the box is at the fifth, the books at none. */
static void all_that_were_closed_on_the_box_are_closed_again(void **state)
{
    int64_t spent_micro = 0;

    (void)state;
    for (uint64_t id = 1; id <= 5; id++) {
        if (id > 2)
            close_lease(id - 2, CREDIT - GSM7_MICRO);
        grant(id, id - 1);
        world_capture(&box, id, (int64_t)id, 1, GSM7_MICRO);
        tell_all();
        spent_micro += GSM7_MICRO;
    }
    set_back();
    assert_int_equal(show(papers, 5), ACCOUNT_OK);
    assert_int_equal(told.last_lease_id, 5);
    assert_int_equal(told.unclosed_count, 5);
    assert_int_equal(world_lease_row(&world, &box, 3).suspense_micro, CREDIT);
    assert_int_equal(world_lease_row(&world, &box, 4).rest_micro, CREDIT);
    tell_all();
    for (uint64_t id = 1; id <= 5; id++)
        close_lease(id, CREDIT - GSM7_MICRO);
    assert_int_equal(world_account(&world).available_micro, 100 * CREDIT - spent_micro);
    assert_int_equal(world_alarms(&world, &box, ALARM_REST_DIFFERS), 0);
}

static void a_lease_of_an_enrolment_that_is_over_goes_to_suspense(void **state)
{
    (void)state;
    grant(1, 0);
    set_back();
    world_enrol_again(&world, &box, "again");
    assert_int_equal(show(papers, 1), ACCOUNT_OK);
    assert_int_equal(told.last_lease_id, 1);
    assert_int_equal(told.unclosed_count, 0);
    assert_int_equal(world_lease_row(&world, &box, 1).state, ACCOUNT_LEASE_FENCED);
    assert_int_equal(world_lease_row(&world, &box, 1).suspense_micro, CREDIT);
}

static void a_command_has_a_number_that_the_box_has_not_obeyed_yet(void **state)
{
    struct account_usage_ask ask = { .from_seq = 1, .command = 3 };

    (void)state;
    assert_int_equal(account_usage(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &usage), 0);
    assert_int_equal(usage.commands, 3);
    assert_int_equal(account_freeze(&world.db, &world.hands, box.caller.box, true, world.now_ms, &world.status), 0);
    assert_int_equal(world_row(&world, &box).last_command, 4);
    ask.command = UINT64_MAX;                /* nonsense */
    assert_int_equal(account_usage(&world.db, &world.hands, &box.caller, &ask, world.now_ms, &world.status, &usage), 0);
    assert_int_equal(usage.commands, 4);
}

static void each_storage_error_leaves_the_books_as_they_were(void **state)
{
    uint64_t digest;
    int r = -EIO;

    (void)state;
    grant(1, 0);
    grant(2, 1);
    set_back();
    digest = account_memory_digest(world.memory);
    for (uint64_t n = 1; r < 0 && n < 100; n++) {
        account_memory_fail(world.memory, n, -EIO);
        r = account_papers(&world.db, &world.hands, public_key, &box.caller, papers, 2, world.now_ms, &world.status, &told);
        (void)account_memory_calm(world.memory);
        if (r < 0)
            assert_true(account_memory_digest(world.memory) == digest);
    }
    assert_int_equal(r, 0);
    assert_int_equal(told.last_lease_id, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(usage_of_a_lease_that_was_forgotten_is_booked_when_it_was_shown),
        TEST(no_number_is_given_out_twice),
        TEST(what_is_shown_again_changes_nothing),
        TEST(a_lease_behind_one_that_is_missing_waits_for_it),
        TEST(what_the_account_did_not_sign_for_this_box_is_refused),
        TEST(another_lease_of_the_same_number_is_a_copy_at_work),
        TEST(it_waits_until_what_was_funded_and_imported_is_there_again),
        TEST(all_that_were_closed_on_the_box_are_closed_again),
        TEST(a_lease_of_an_enrolment_that_is_over_goes_to_suspense),
        TEST(a_command_has_a_number_that_the_box_has_not_obeyed_yet),
        TEST(each_storage_error_leaves_the_books_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
