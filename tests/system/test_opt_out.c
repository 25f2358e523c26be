/* SPDX-License-Identifier: Apache-2.0
 *
 * test_opt_out.c - somebody sends STOP, and START again; the bank says what was on the air. */
#include "tests/system/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HER "+40711000001"
#define HIM "+40711000002"
#define THANKS "No more from us. START brings us back."
#define RUN_MS 30000

static const struct harness_options options = {
    .modems = 1, .bank = { QUICK_BANK, "--air-ms", "20" },
    .sections = "[optout]\nenabled = yes\nwords = halt\nconfirm = " THANKS "\n",
};

/* `cellpost optout ACTION NUMBER`; its exit status. */
static int optout(const struct harness *harness, const char *action, const char *number)
{
    char program[300], *out, *err;
    const char *argv[] = { program, "--socket", harness->socket, "optout", action, number, NULL };
    int status;

    (void)snprintf(program, sizeof program, "%s/cellpost", harness->bin);
    status = process_run(argv, RUN_MS, &out, &err);
    free(out);
    free(err);
    return status;
}

static void say(struct harness *harness, const char *from, const char *text)
{
    bank_tell_ok(harness, "incoming 0 %s %s", from, text);
    assert_true(harness_wait_inbox(harness, from, text, WAIT_MS));
}

/* Its id, in two seconds' time. */
static void schedule(struct harness *harness, const char *to, char ret_id[32])
{
    char body[160], when[32];
    time_t at = time(NULL) + 2;
    struct tm calendar;
    struct http_answer answer;

    (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &calendar));
    (void)snprintf(body, sizeof body, "{\"to\":\"%s\",\"text\":\"Later\",\"schedule_at\":\"%s\"}", to, when);
    http_call(harness->http, "POST", "/v1/messages", body, NULL, &answer);
    assert_int_equal(answer.status, 202);
    (void)snprintf(ret_id, 32, "%s", json_text_at(json_array_get(json_object_get(answer.json, "messages"), 0), "id"));
    http_answer_done(&answer);
}

static void assert_refused(struct harness *harness, const char *to)
{
    char body[96];
    struct http_answer answer;

    (void)snprintf(body, sizeof body, "{\"to\":\"%s\",\"text\":\"News\"}", to);
    http_call(harness->http, "POST", "/v1/messages", body, NULL, &answer);
    assert_int_equal(answer.status, 422);
    assert_string_equal(json_text_at(answer.json, "code"), "opted_out");
    http_answer_done(&answer);
}

static void who_sends_stop_is_told_so_once_and_gets_nothing_until_they_send_start(void **state)
{
    struct harness *harness = fixture_start(state, &options);
    char hers[32], his[32], id[32], *text;

    schedule(harness, HER, hers);
    schedule(harness, HIM, his);
    say(harness, HER, "Stop.");
    assert_true(harness_wait_on_air(harness, HER, 1, WAIT_MS));
    text = witness_text(&harness->witness, HER);
    assert_string_equal(text, THANKS);
    free(text);
    assert_refused(harness, HER);
    say(harness, HER, "HALT");                               /* again, by a word of the operator: nothing new */
    assert_true(harness_wait_state(harness, hers, "rejected", WAIT_MS));
    assert_true(harness_wait_state(harness, his, "delivered", WAIT_MS));
    witness_read(&harness->witness);
    assert_int_equal(witness_count(&harness->witness, HER), 1);

    /* Also another process on the same list keeps to it. */
    assert_int_equal(harness_stop(harness, WAIT_MS), 0);
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    assert_refused(harness, HER);

    say(harness, HER, "START");
    harness_send(harness, HER, "Welcome back", id);
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
    witness_read(&harness->witness);
    assert_int_equal(witness_count(&harness->witness, HER), 2);
    harness->passed = true;
}

static void the_command_puts_numbers_on_the_list_and_takes_them_off(void **state)
{
    struct harness *harness = fixture_start(state, &options);
    char id[32];

    assert_int_equal(optout(harness, "show", HER), 1);
    assert_int_equal(optout(harness, "add", HER), 0);
    assert_int_equal(optout(harness, "show", HER), 0);
    assert_refused(harness, HER);
    assert_int_equal(optout(harness, "add", "nobody"), 1);
    assert_int_equal(optout(harness, "remove", HER), 0);
    assert_int_equal(optout(harness, "remove", HER), 1);
    harness_send(harness, HER, "Hello", id);
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
    witness_read(&harness->witness);
    assert_int_equal(witness_count(&harness->witness, HER), 1);   /* nothing was sent because of the list */
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(who_sends_stop_is_told_so_once_and_gets_nothing_until_they_send_start, fixture_end),
        cmocka_unit_test_teardown(the_command_puts_numbers_on_the_list_and_takes_them_off, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
