/* SPDX-License-Identifier: Apache-2.0
 *
 * test_stop.c - SIGTERM, SIGINT and SIGHUP. */
#include "tests/system/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static bool a_part_is_on_air(struct harness *harness, const void *context)
{
    json_t *answer = harness_get(harness, "/v1/modems"), *modem;
    unsigned on_air = 0;
    size_t i;

    json_array_foreach (json_object_get(answer, "modems"), i, modem)
        on_air += json_object_get(modem, "on_air") != NULL;
    json_decref(answer);
    return on_air >= *(const unsigned *)context;
}

static void sigterm_lets_what_is_on_the_air_finish_and_keeps_the_rest(void **state)
{
    const struct harness_options options = { .modems = 2, .bank = { QUICK_BANK, "--air-ms", "800", "--air-jitter-ms", "0" } };
    const unsigned two = 2;
    struct harness *harness = fixture_start(state, &options);
    uint64_t start_us;
    size_t by_then;

    harness_send_many(harness->http, 40711000000u, 6, "Six of us");
    assert_true(harness_wait(harness, a_part_is_on_air, &two, WAIT_MS));
    start_us = harness_now_us();
    assert_int_equal(harness_stop(harness, 10000), 0);
    assert_true(harness_now_us() - start_us < 10000000);
    witness_read(&harness->witness);
    by_then = harness->witness.count;
    assert_int_equal(by_then, 2);
    assert_int_equal(harness_database_number(harness, "SELECT count(*) FROM message WHERE state IN (4, 5)"), 2);
    assert_int_equal(harness_database_number(harness, "SELECT count(*) FROM message WHERE state = 2"), 4);
    assert_int_equal(harness_database_number(harness, "SELECT count(*) FROM message WHERE state = 10"), 0);
    assert_int_equal(harness_database_number(harness, "SELECT count(*) FROM attempt WHERE state = 1"), 0);

    harness_start(harness);
    assert_true(harness_wait_parts(harness, 6, WAIT_MS));
    for (unsigned i = 0; i < 6; i++) {
        char to[24];

        (void)snprintf(to, sizeof to, "+407110000%02u", i);
        assert_int_equal(witness_count(&harness->witness, to), 1);
    }
    assert_int_equal(harness_stop(harness, 10000), 0);
    harness->passed = true;
}

static void a_modem_that_never_answers_does_not_hold_the_end_up_for_more_than_ten_seconds(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50", "--report", "never" } };
    struct harness *harness = fixture_start(state, &options);
    char id[32];

    bank_tell_ok(harness, "fault 0 lost_reply");
    harness_send(harness, "+40711000000", "Did it go?", id);
    assert_true(harness_wait_on_air(harness, "+40711000000", 1, WAIT_MS));
    assert_int_equal(harness_stop(harness, 12000), 0);
    assert_int_equal(harness_database_number(harness, "SELECT state FROM message"), 10);
    harness->passed = true;
}

/* The modem has the PDU. */
static bool the_bank_sends(struct harness *harness, const void *context)
{
    json_t *stats = bank_tell(harness, "stats");
    bool sends = json_number_at(json_array_get(json_object_get(stats, "modems"), 0), "first_busy_us") > 0;

    (void)context;
    json_decref(stats);
    return sends;
}

/* As on a machine that was suspended: the answer came meanwhile and waits in the line. */
static void a_gateway_that_did_not_run_for_long_hears_its_modems_before_it_calls_them_silent(void **state)
{
    const struct harness_options options = { .modems = 1, .modem = "send_timeout = 2s\n",
                                             .bank = { QUICK_BANK, "--air-ms", "1500", "--air-jitter-ms", "0", "--report", "never" } };
    struct harness *harness = fixture_start(state, &options);
    char id[32];

    harness_send(harness, "+40711000000", "Before the sleep", id);
    assert_true(harness_wait(harness, the_bank_sends, NULL, WAIT_MS));
    process_signal(&harness->daemon, SIGSTOP);
    assert_true(harness_wait_on_air(harness, "+40711000000", 1, WAIT_MS));
    (void)harness_wait_on_air(harness, "+40711000000", 2, 1000);   /* in all, longer than send_timeout */
    process_signal(&harness->daemon, SIGCONT);
    assert_true(harness_wait_state(harness, id, "sent", WAIT_MS));
    assert_int_equal(harness_database_number(harness, "SELECT count(*) FROM history WHERE state = 10"), 0);
    harness->passed = true;
}

static void an_idle_gateway_stops_at_once(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK } };
    struct harness *harness = fixture_start(state, &options);

    process_signal(&harness->daemon, SIGINT);
    assert_int_equal(process_wait(&harness->daemon, 3000), 0);
    harness->passed = true;
}

static void sighup_finds_the_ports_of_a_changed_configuration(void **state)
{
    struct harness_options options = { .modems = 2, .bank = { QUICK_BANK, "--air-ms", "50" } };
    struct harness *harness = fixture_open(state, &options);
    char first[128];

    (void)snprintf(first, sizeof first, "%s/modem0", harness->modems);
    harness->options.ports = first;
    harness_write_config(harness);
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    harness->options.ports = NULL;
    harness_write_config(harness);
    process_signal(&harness->daemon, SIGHUP);
    assert_true(harness_wait_modems(harness, "ready", 2, WAIT_MS));

    harness->options.gateway = "colour = blue\n";
    harness_write_config(harness);
    process_signal(&harness->daemon, SIGHUP);
    assert_true(harness_wait_log(harness, "the running configuration stays in force", WAIT_MS));
    assert_true(harness_wait_modems(harness, "ready", 2, WAIT_MS));
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sigterm_lets_what_is_on_the_air_finish_and_keeps_the_rest, fixture_end),
        cmocka_unit_test_teardown(a_modem_that_never_answers_does_not_hold_the_end_up_for_more_than_ten_seconds, fixture_end),
        cmocka_unit_test_teardown(a_gateway_that_did_not_run_for_long_hears_its_modems_before_it_calls_them_silent, fixture_end),
        cmocka_unit_test_teardown(an_idle_gateway_stops_at_once, fixture_end),
        cmocka_unit_test_teardown(sighup_finds_the_ports_of_a_changed_configuration, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
