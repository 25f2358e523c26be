/* SPDX-License-Identifier: Apache-2.0
 *
 * test_unplug.c - modems that go away while they have a part in their hands. */
#include "tests/system/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 40711000000u

/* The answer to a part is lost (lost_reply) before the cable is pulled: so it is certain that the part was on the air and
 * that nobody told the gateway. */
static void a_part_whose_modem_was_unplugged_is_unknown_and_not_sent_again(void **state)
{
    const struct harness_options options = { .modems = 2, .bank = { QUICK_BANK, "--air-ms", "50", "--report", "never" } };
    struct harness *harness = fixture_open(state, &options);
    char id[32], others[32];

    /* One modem first, that the part is certain to go by it. */
    bank_tell_ok(harness, "unplug 1");
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    bank_tell_ok(harness, "fault 0 lost_reply");
    harness_send(harness, "+40711000000", "Did it go?", id);
    assert_true(harness_wait_on_air(harness, "+40711000000", 1, WAIT_MS));
    bank_tell_ok(harness, "unplug 0");
    assert_true(harness_wait_state(harness, id, "unknown", WAIT_MS));
    assert_true(harness_wait_modems(harness, "lost", 1, WAIT_MS));

    bank_tell_ok(harness, "plug 1");
    harness_send(harness, "+40711000001", "The others go on", others);
    assert_true(harness_wait_state(harness, others, "sent", WAIT_MS));

    bank_tell_ok(harness, "plug 0");
    assert_true(harness_wait_modems(harness, "ready", 2, WAIT_MS));
    harness_send_many(harness->http, FIRST + 2, 10, "Both again");
    assert_true(harness_wait_parts(harness, 12, WAIT_MS));
    assert_int_equal(witness_count(&harness->witness, "+40711000000"), 1);
    assert_true(harness_wait_state(harness, id, "unknown", WAIT_MS));
    for (unsigned modem = 0; modem < 2; modem++) {
        unsigned sent = 0;

        for (size_t i = 2; i < harness->witness.count; i++)
            sent += harness->witness.parts[i].modem == modem;
        assert_true(sent > 0);
    }
    harness->passed = true;
}

static void a_report_that_comes_when_the_modem_is_back_settles_it(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50", "--report-ms", "1000" } };
    struct harness *harness = fixture_start(state, &options);
    char id[32];

    bank_tell_ok(harness, "fault 0 lost_reply");
    harness_send(harness, "+40711000000", "Did it go?", id);
    assert_true(harness_wait_on_air(harness, "+40711000000", 1, WAIT_MS));
    bank_tell_ok(harness, "unplug 0");
    assert_true(harness_wait_state(harness, id, "unknown", WAIT_MS));
    bank_tell_ok(harness, "plug 0");
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
    assert_int_equal(witness_count(&harness->witness, "+40711000000"), 1);
    harness->passed = true;
}

static void a_part_that_never_reached_its_modem_goes_by_another(void **state)
{
    const struct harness_options options = { .modems = 2, .bank = { QUICK_BANK, "--air-ms", "50" } };
    struct harness *harness = fixture_open(state, &options);
    char id[32];

    bank_tell_ok(harness, "unplug 1");
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    bank_tell_ok(harness, "fault 0 no_prompt");   /* so its PDU stays with the gateway */
    harness_send(harness, "+40711000000", "It did not go", id);
    assert_true(harness_wait_state(harness, id, "sending", WAIT_MS));
    bank_tell_ok(harness, "unplug 0");
    bank_tell_ok(harness, "plug 1");
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
    assert_int_equal(witness_count(&harness->witness, "+40711000000"), 1);
    assert_int_equal(harness->witness.parts[0].modem, 1);
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_part_whose_modem_was_unplugged_is_unknown_and_not_sent_again, fixture_end),
        cmocka_unit_test_teardown(a_report_that_comes_when_the_modem_is_back_settles_it, fixture_end),
        cmocka_unit_test_teardown(a_part_that_never_reached_its_modem_goes_by_another, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
