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
static struct world_box box;
static struct account_enrol_told told;

static int begin(void **state)
{
    (void)state;
    world_init(&world, 100 * CREDIT);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_done(&world);
    return 0;
}

/* -- enrolment ---------------------------------------------------------------------------------------------------------------- */

static void a_token_makes_a_box(void **state)
{
    const struct account_box *row;

    (void)state;
    world_token(&world, "secret", 5 * CREDIT);
    assert_int_equal(world.status, ACCOUNT_OK);
    assert_int_equal(world_enrol_with(&world, "secret", 1, "csr A", &told), ACCOUNT_OK);
    assert_int_equal(told.epoch, 1);
    assert_string_equal(told.account, "office");
    assert_non_null(strstr(told.certificate, "certificate of A for"));
    row = account_memory_box(world.memory, told.box);
    assert_non_null(row);
    assert_int_equal(row->state, BOX_ACTIVE);
    assert_true(row->epoch == 1 && row->chain == 1 && row->acked.seq == 0 && row->last_lease_id == 0 && row->last_command == 0);
    assert_string_equal(row->label, "store room");
    assert_string_equal(row->version, "1.0");
    assert_int_equal(row->lease_max_micro, 5 * CREDIT);
    assert_int_equal(row->hw_fingerprint[0], 7);
}

static void the_same_request_has_the_same_answer_and_makes_no_second_box(void **state)
{
    struct account_enrol_told again;
    uint64_t digest;

    (void)state;
    world_token(&world, "secret", CREDIT);
    assert_int_equal(world_enrol_with(&world, "secret", 1, "csr A", &told), ACCOUNT_OK);
    digest = account_memory_digest(world.memory);
    world.now_ms += 100000;                  /* the token would not be valid any more */
    assert_int_equal(world_enrol_with(&world, "secret", 1, "csr A", &again), ACCOUNT_OK);
    assert_memory_equal(again.box, told.box, sizeof told.box);
    assert_string_equal(again.certificate, told.certificate);
    assert_int_equal(again.epoch, 1);
    assert_true(account_memory_digest(world.memory) == digest);
}

static void a_used_token_is_good_for_nothing_else(void **state)
{
    (void)state;
    world_token(&world, "secret", CREDIT);
    assert_int_equal(world_enrol_with(&world, "secret", 1, "csr A", &told), ACCOUNT_OK);
    assert_int_equal(world_enrol_with(&world, "secret", 2, "csr A", &told), ACCOUNT_TOKEN_USED);
    assert_int_equal(world_enrol_with(&world, "secret", 1, "csr B", &told), ACCOUNT_TOKEN_USED);
}

static void a_token_that_is_unknown_or_too_old_is_refused(void **state)
{
    (void)state;
    assert_int_equal(world_enrol_with(&world, "secret", 1, "csr A", &told), ACCOUNT_BAD_TOKEN);
    assert_int_equal(world_enrol_with(&world, "", 1, "csr A", &told), ACCOUNT_BAD_TOKEN);
    world_token(&world, "secret", CREDIT);
    assert_int_equal(world_enrol_with(&world, "Secret", 1, "csr A", &told), ACCOUNT_BAD_TOKEN);
    world.now_ms += 1000;
    assert_int_equal(world_enrol_with(&world, "secret", 1, "csr A", &told), ACCOUNT_BAD_TOKEN);
    world.now_ms -= 1;
    assert_int_equal(world_enrol_with(&world, "secret", 1, "csr A", &told), ACCOUNT_OK);
}

static void a_bad_request_for_a_certificate_does_not_use_the_token_up(void **state)
{
    (void)state;
    world_token(&world, "secret", CREDIT);
    assert_int_equal(world_enrol_with(&world, "secret", 1, "what?", &told), ACCOUNT_BAD_CSR);
    assert_int_equal(world_enrol_with(&world, "secret", 1, "csr A", &told), ACCOUNT_OK);
}

static void two_boxes_never_have_one_id(void **state)
{
    struct account_enrol_told second;

    (void)state;
    world_token(&world, "first", CREDIT);
    world_token(&world, "second", CREDIT);
    assert_int_equal(world_enrol_with(&world, "first", 1, "csr A", &told), ACCOUNT_OK);
    world.randoms--;                         /* what is random comes out the same once more */
    assert_int_equal(world_enrol_with(&world, "second", 1, "csr B", &second), ACCOUNT_OK);
    assert_memory_not_equal(second.box, told.box, sizeof told.box);
}

static void what_a_program_says_of_itself_is_kept_as_text(void **state)
{
    struct account_enrol_ask ask = { .token = "secret", .csr = "csr A", .nonce = { 1 },
                                     .version = "1\n\x1b[31m\xff with more in it than there is room for, which nobody has any need to know of" };

    (void)state;
    world_token(&world, "secret", CREDIT);
    assert_int_equal(account_enrol(&world.db, &world.hands, &ask, world.now_ms, &world.status, &told), 0);
    assert_int_equal(world.status, ACCOUNT_OK);
    assert_int_equal(strncmp(account_memory_box(world.memory, told.box)->version, "1??[31m? with more", 18), 0);
    assert_int_equal(strlen(account_memory_box(world.memory, told.box)->version), ACCOUNT_NAME_CHARS - 1);
}

static void a_token_with_values_that_cannot_be_is_refused(void **state)
{
    struct account_token_ask good = { .account = "office", .label = "x", .lease_max_micro = CREDIT, .valid_ms = 1 }, ask;
    static const int64_t amounts[] = { 0, -1, LEASE_GRANT_MICRO_MAX + 1 }, times[] = { 0, -1, ACCOUNT_VALID_MS_MAX + 1, INT64_MAX };
    static const char *const labels[] = { "", "a\nb", "\xC3", "0123456789012345678901234567890123456789012345678901234567890123" };

    (void)state;
#define REFUSED(want) do { \
        assert_int_equal(account_token_new(&world.db, &ask, world.now_ms, &world.status), 0); \
        assert_int_equal(world.status, want); \
    } while (0)
    for (size_t i = 0; i < 3; i++) {
        ask = good;
        ask.lease_max_micro = amounts[i];
        REFUSED(ACCOUNT_BAD_AMOUNT);
    }
    for (size_t i = 0; i < 4; i++) {
        ask = good;
        ask.valid_ms = times[i];
        REFUSED(ACCOUNT_BAD_AMOUNT);
        ask = good;
        ask.label = labels[i];
        REFUSED(ACCOUNT_BAD_NAME);
    }
    ask = good;
    ask.account = "Office";
    REFUSED(ACCOUNT_UNKNOWN);
    ask = good;
    REFUSED(ACCOUNT_OK);
    REFUSED(ACCOUNT_ALREADY);
}

/* -- what people say of a box -------------------------------------------------------------------------------------------------------- */

static enum account_status change(const char *label, int64_t lease_max_micro)
{
    assert_int_equal(account_box_change(&world.db, box.caller.box, label, lease_max_micro, &world.status), 0);
    return world.status;
}

static void a_box_gets_what_it_may_have_from_its_next_lease_on(void **state)
{
    struct account_lease_told lease;

    (void)state;
    world_enrol(&world, &box, "one", CREDIT);
    assert_int_equal(world_lease(&world, &box, 1, 10 * CREDIT, 0, &lease), ACCOUNT_OK);
    assert_int_equal(lease.lease.grant_micro, CREDIT);
    assert_int_equal(change(NULL, 2 * CREDIT), ACCOUNT_OK);
    assert_string_equal(world_row(&world, &box).label, "store room");
    assert_int_equal(world_lease_row(&world, &box, 1).grant_micro, CREDIT);
    assert_int_equal(world_lease(&world, &box, 2, 10 * CREDIT, 1, &lease), ACCOUNT_OK);
    assert_int_equal(lease.lease.grant_micro, 2 * CREDIT);
    assert_int_equal(change("cellar", 0), ACCOUNT_OK);
    assert_string_equal(world_row(&world, &box).label, "cellar");
    assert_int_equal(world_row(&world, &box).lease_max_micro, 2 * CREDIT);

    assert_int_equal(change("", 0), ACCOUNT_BAD_NAME);
    assert_int_equal(change("a\nb", 0), ACCOUNT_BAD_NAME);
    assert_int_equal(change("attic", -1), ACCOUNT_BAD_AMOUNT);
    assert_int_equal(change("attic", LEASE_GRANT_MICRO_MAX + 1), ACCOUNT_BAD_AMOUNT);
    assert_string_equal(world_row(&world, &box).label, "cellar");
    box.caller.box[0] ^= 1;
    assert_int_equal(change("attic", CREDIT), ACCOUNT_UNKNOWN_BOX);
}

/* -- enrolled again ---------------------------------------------------------------------------------------------------------------- */

static enum account_status reincarnate(const char *token, int64_t valid_ms)
{
    uint8_t sha256[SHA256_OCTETS];

    octets_sha256((const uint8_t *)token, strlen(token), sha256);
    assert_int_equal(account_reincarnate(&world.db, &world.hands, box.caller.box, sha256, valid_ms, world.now_ms, &world.status), 0);
    return world.status;
}

static int see_last(void *context, const struct account_command *row)
{
    *(struct account_command *)context = *row;
    return 0;
}

static void reincarnating_fences_at_once_and_one_machine_becomes_the_box(void **state)
{
    struct account_lease_told lease;
    struct account_command last = { .epoch = 0 };
    struct world_box old;
    struct account_usage_told usage;

    (void)state;
    world_enrol(&world, &box, "one", CREDIT);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    old = box;
    assert_int_equal(reincarnate("again", 1000), ACCOUNT_OK);
    assert_int_equal(world_row(&world, &box).state, BOX_FENCED);
    assert_int_equal(world_row(&world, &box).epoch, 2);
    assert_int_equal(world_lease_row(&world, &box, 1).suspense_micro, CREDIT);
    assert_int_equal(account_commands(&world.db, &old.caller, 0, see_last, &last, &world.status), 0);
    assert_true(last.command.kind == COMMAND_REVOKE && last.epoch == 1 && last.command.number == 1);

    assert_int_equal(world_enrol_with(&world, "again", 1, "csr new", &told), ACCOUNT_OK);
    assert_memory_equal(told.box, box.caller.box, sizeof told.box);
    assert_int_equal(told.epoch, 2);
    assert_int_equal(world_row(&world, &box).state, BOX_ACTIVE);
    assert_int_equal(world_row(&world, &box).chain, 2);
    assert_int_equal(world_usage(&world, &old, 1, &usage), ACCOUNT_OLD_EPOCH);
    old.caller.epoch = 2;                    /* the old machine guesses the epoch, but has the old key */
    assert_int_equal(world_usage(&world, &old, 1, &usage), ACCOUNT_OLD_EPOCH);
    assert_int_equal(world_alarms(&world, &box, ALARM_FORK), 0);
}

static void what_is_acknowledged_goes_back_to_zeros_when_the_token_is_used_and_not_before(void **state)
{
    struct account_lease_told lease;
    struct account_usage_told usage;

    (void)state;
    world_enrol(&world, &box, "one", CREDIT);
    assert_int_equal(world_lease(&world, &box, 1, CREDIT, 0, &lease), ACCOUNT_OK);
    world_capture(&box, 1, 1, 1, GSM7_MICRO);
    assert_int_equal(world_usage(&world, &box, 1, &usage), ACCOUNT_OK);
    assert_int_equal(reincarnate("again", 1000), ACCOUNT_OK);
    assert_int_equal(world_row(&world, &box).acked.seq, 1);
    assert_int_equal(world_faults(&world, true, NULL), 0);
    assert_int_equal(world_enrol_with(&world, "again", 1, "csr new", &told), ACCOUNT_OK);
    assert_int_equal(world_row(&world, &box).acked.seq, 0);
}

static void of_two_tokens_for_one_fence_the_first_that_comes_wins(void **state)
{
    (void)state;
    world_enrol(&world, &box, "one", CREDIT);
    assert_int_equal(reincarnate("again", 1000), ACCOUNT_OK);
    assert_int_equal(reincarnate("again too", 1000), ACCOUNT_OK);
    assert_int_equal(world_row(&world, &box).epoch, 2);   /* it was fenced already */
    assert_int_equal(world_enrol_with(&world, "again too", 1, "csr new", &told), ACCOUNT_OK);
    assert_int_equal(world_enrol_with(&world, "again", 1, "csr other", &told), ACCOUNT_BAD_TOKEN);
    assert_int_equal(reincarnate("third", 1000), ACCOUNT_OK);
    assert_int_equal(world_row(&world, &box).epoch, 3);
    assert_int_equal(world_enrol_with(&world, "again", 1, "csr other", &told), ACCOUNT_BAD_TOKEN);   /* of another fence */
    assert_int_equal(world_enrol_with(&world, "third", 1, "csr other", &told), ACCOUNT_OK);
}

static void reincarnating_with_a_token_that_there_is_does_nothing(void **state)
{
    uint64_t digest;

    (void)state;
    world_enrol(&world, &box, "one", CREDIT);
    digest = account_memory_digest(world.memory);
    assert_int_equal(reincarnate("one", 1000), ACCOUNT_ALREADY);
    assert_int_equal(reincarnate("x", 0), ACCOUNT_BAD_AMOUNT);
    assert_int_equal(reincarnate("x", -5), ACCOUNT_BAD_AMOUNT);
    box.caller.box[15] ^= 1;
    assert_int_equal(reincarnate("x", 1000), ACCOUNT_UNKNOWN_BOX);
    assert_true(account_memory_digest(world.memory) == digest);
}

/* -- freezing and commands ----------------------------------------------------------------------------------------------------------- */

static enum account_status freeze(bool how)
{
    assert_int_equal(account_freeze(&world.db, &world.hands, box.caller.box, how, world.now_ms, &world.status), 0);
    return world.status;
}

static void freezing_and_unfreezing_are_told(void **state)
{
    struct account_command last = { .epoch = 0 };

    (void)state;
    world_enrol(&world, &box, "one", CREDIT);
    assert_int_equal(freeze(false), ACCOUNT_ALREADY);
    assert_int_equal(freeze(true), ACCOUNT_OK);
    assert_int_equal(freeze(true), ACCOUNT_ALREADY);
    assert_int_equal(world_row(&world, &box).state, BOX_FROZEN);
    assert_int_equal(account_commands(&world.db, &box.caller, 0, see_last, &last, &world.status), 0);
    assert_true(last.command.kind == COMMAND_FREEZE && last.command.number == 1 && last.command.time_ms == world.now_ms);
    assert_int_equal(freeze(false), ACCOUNT_OK);
    assert_int_equal(account_commands(&world.db, &box.caller, 1, see_last, &last, &world.status), 0);
    assert_true(last.command.kind == COMMAND_UNFREEZE && last.command.number == 2);
    assert_int_equal(reincarnate("again", 1000), ACCOUNT_OK);
    assert_int_equal(freeze(true), ACCOUNT_FENCED);
    box.caller.box[0] ^= 1;
    assert_int_equal(freeze(true), ACCOUNT_UNKNOWN_BOX);
}

struct seen { uint64_t first, last; size_t count, stop; };
static int see(void *context, const struct account_command *row)
{
    struct seen *seen = context;

    if (seen->count == 0)
        seen->first = row->command.number;
    seen->last = row->command.number;
    return ++seen->count == seen->stop;
}

static void commands_come_in_pieces_and_in_their_order(void **state)
{
    struct seen all = { 0 }, rest = { 0 }, none = { 0 }, one = { .stop = 1 }, once = { 0 };

    (void)state;
    world_enrol(&world, &box, "one", CREDIT);
    for (int i = 0; i < 70; i++)
        assert_int_equal(freeze(i % 2 == 0), ACCOUNT_OK);
    assert_int_equal(account_commands(&world.db, &box.caller, 0, see, &all, &world.status), 0);
    assert_true(all.first == 1 && all.last == 64 && all.count == ACCOUNT_COMMANDS_MAX);
    assert_int_equal(account_commands(&world.db, &box.caller, 64, see, &rest, &world.status), 0);
    assert_true(rest.first == 65 && rest.last == 70 && rest.count == 6);
    assert_int_equal(account_commands(&world.db, &box.caller, 70, see, &none, &world.status), 0);
    assert_int_equal(none.count, 0);
    assert_int_equal(account_commands(&world.db, &box.caller, 0, see, &one, &world.status), 0);
    assert_int_equal(one.count, 1);
    account_memory_fail(world.memory, 4, -EAGAIN);   /* at the commit: all are told, and once */
    assert_int_equal(account_commands(&world.db, &box.caller, 64, see, &once, &world.status), 0);
    assert_true(account_memory_calm(world.memory));
    assert_int_equal(once.count, 6);
}

static void commands_are_of_the_epoch_that_is_named(void **state)
{
    struct seen old = { 0 }, now = { 0 }, none = { 0 };

    (void)state;
    world_enrol(&world, &box, "one", CREDIT);
    assert_int_equal(freeze(true), ACCOUNT_OK);
    world_enrol_again(&world, &box, "again");
    assert_int_equal(freeze(true), ACCOUNT_OK);
    assert_int_equal(account_commands(&world.db, &box.caller, 0, see, &now, &world.status), 0);
    assert_true(now.count == 1 && now.first == 1);
    box.caller.epoch = 1;
    assert_int_equal(account_commands(&world.db, &box.caller, 0, see, &old, &world.status), 0);
    assert_true(old.count == 2 && old.last == 2);
    for (uint32_t epoch = 0; epoch <= 3; epoch += 3) {
        box.caller.epoch = epoch;
        assert_int_equal(account_commands(&world.db, &box.caller, 0, see, &none, &world.status), 0);
        assert_int_equal(world.status, ACCOUNT_OLD_EPOCH);
    }
    box.caller.box[0] ^= 1;
    assert_int_equal(account_commands(&world.db, &box.caller, 0, see, &none, &world.status), 0);
    assert_int_equal(world.status, ACCOUNT_UNKNOWN_BOX);
    assert_int_equal(none.count, 0);
}

static void every_status_has_a_name_of_its_own_and_a_sentence(void **state)
{
    (void)state;
    for (int i = 0; i < ACCOUNT_STATUSES; i++) {
        assert_non_null(account_status_name((enum account_status)i));
        assert_non_null(account_status_words((enum account_status)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(account_status_name((enum account_status)i), account_status_name((enum account_status)k));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_token_makes_a_box),
        TEST(the_same_request_has_the_same_answer_and_makes_no_second_box),
        TEST(a_used_token_is_good_for_nothing_else),
        TEST(a_token_that_is_unknown_or_too_old_is_refused),
        TEST(a_bad_request_for_a_certificate_does_not_use_the_token_up),
        TEST(two_boxes_never_have_one_id),
        TEST(what_a_program_says_of_itself_is_kept_as_text),
        TEST(a_token_with_values_that_cannot_be_is_refused),
        TEST(a_box_gets_what_it_may_have_from_its_next_lease_on),
        TEST(reincarnating_fences_at_once_and_one_machine_becomes_the_box),
        TEST(what_is_acknowledged_goes_back_to_zeros_when_the_token_is_used_and_not_before),
        TEST(of_two_tokens_for_one_fence_the_first_that_comes_wins),
        TEST(reincarnating_with_a_token_that_there_is_does_nothing),
        TEST(freezing_and_unfreezing_are_told),
        TEST(commands_come_in_pieces_and_in_their_order),
        TEST(commands_are_of_the_epoch_that_is_named),
        TEST(every_status_has_a_name_of_its_own_and_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
