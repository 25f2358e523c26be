/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ussd.c - USSD through daemon, modem and network: the answer, whatever way its modem writes it; silence; and messages that go
 * on all the same. */
#include "tests/system/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES "*123#=Guthaben: 12,34 EUR\\ng\xC3\xBCltig bis 31.12.2026"
#define TEXT "Guthaben: 12,34 EUR\ng\xC3\xBCltig bis 31.12.2026"

static struct http_answer ask(struct harness *harness, const char *sim, const char *body)
{
    struct http_answer answer;
    char path[128];

    (void)snprintf(path, sizeof path, "/v1/sims/%s/ussd", sim);
    http_call(harness->http, "POST", path, body, "Content-Type: application/json", &answer);
    return answer;
}

static void expect(struct http_answer answer, long status, const char *member, const char *value)
{
    if (answer.status != status || strcmp(json_text_at(answer.json, member), value) != 0)
        harness_die("wanted %ld and %s %s: %ld %s", status, member, value, answer.status, answer.body);
    http_answer_done(&answer);
}

/* The ICCID of modem i. */
static void iccid_of(struct harness *harness, size_t i, char ret_iccid[32])
{
    json_t *modems = harness_get(harness, "/v1/modems");
    char port[24];
    json_t *modem;
    size_t k;

    ret_iccid[0] = '\0';
    (void)snprintf(port, sizeof port, "/modem%zu", i);
    json_array_foreach (json_object_get(modems, "modems"), k, modem) {
        const char *at = strstr(json_text_at(modem, "port"), port);
        if (at && at[strlen(port)] == '\0')
            (void)snprintf(ret_iccid, 32, "%s", json_text_at(modem, "sim"));
    }
    HARNESS_CHECK(ret_iccid[0]);
    json_decref(modems);
}

static void the_answer_of_every_kind_of_modem_is_the_same_text(void **state)
{
    static const struct harness_options options = { .modems = 4, .bank = { QUICK_BANK, "--air-ms", "50", "--personality",
                                                                           "generic,huawei-e173,sim800l,tc35", "--ussd", LINES } };
    struct harness *harness = fixture_start(state, &options);

    for (size_t i = 0; i < 4; i++) {
        char iccid[32], port[16];

        iccid_of(harness, i, iccid);
        /* Octets of UTF-8 beyond ASCII are shown as '?' by a modem that writes characters. */
        if (i == 1 || i == 2)
            expect(ask(harness, iccid, "{\"code\":\"*123#\"}"), 200, "text", TEXT);
        else
            expect(ask(harness, iccid, "{\"code\":\"*123#\"}"), 200, "text", "Guthaben: 12,34 EUR\ng?ltig bis 31.12.2026");
        (void)snprintf(port, sizeof port, "modem%zu", i);
        expect(ask(harness, port, "{\"code\":\"*101#\",\"replies\":[\"1\"]}"), 200, "text", "Your balance is 12.34 EUR");
        expect(ask(harness, port, "{\"code\":\"*101#\"}"), 200, "state", "reply");
        expect(ask(harness, port, "{\"code\":\"*99#\"}"), 502, "code", "ussd_refused");
    }
    expect(ask(harness, "8900000000000000000", "{\"code\":\"*100#\"}"), 404, "code", "no_such_sim");
    harness->passed = true;
}

static void messages_go_on_when_the_network_has_answered_and_one_question_is_asked_at_a_time(void **state)
{
    static const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "300" } };
    struct harness *harness = fixture_start(state, &options);
    char iccid[32];

    iccid_of(harness, 0, iccid);
    harness_send_many(harness->http, 40700100000u, 6, "while codes are asked");
    for (unsigned i = 0; i < 3; i++)
        expect(ask(harness, iccid, "{\"code\":\"*100#\"}"), 200, "text", "Your balance is 12.34 EUR");
    HARNESS_CHECK(harness_wait_parts(harness, 6, WAIT_MS));
    for (unsigned i = 0; i < 6; i++) {
        char to[16];
        (void)snprintf(to, sizeof to, "+%u", 407001000u);
        (void)snprintf(to, sizeof to, "+4070010000%u", i);
        assert_int_equal(witness_count(&harness->witness, to), 1);
    }
    assert_int_equal(harness->witness.count, 6);
    harness->passed = true;
}

/* A code that is never answered; returns when it is under way, which a second one is told. */
static void ask_in_background(struct harness *harness, const char *iccid, struct process *asking)
{
    uint64_t end_us = harness_now_us() + WAIT_MS * 1000u;
    char program[300];
    bool busy = false;

    harness_program("cellpost", program, sizeof program);
    process_start(asking, (const char *const[]){ program, "--socket", harness->socket, "ussd", iccid, "*7#", NULL }, NULL, NULL, NULL);
    while (!busy && harness_left_ms(end_us) > 0) {
        struct http_answer answer;

        /* A probe that came first would be the one under way, and the command ends: it begins again. */
        if (process_wait(asking, 200) != -1) {
            process_start(asking, (const char *const[]){ program, "--socket", harness->socket, "ussd", iccid, "*7#", NULL }, NULL, NULL, NULL);
            continue;
        }
        answer = ask(harness, iccid, "{\"code\":\"*100#\"}");
        busy = strcmp(json_text_at(answer.json, "code"), "ussd_busy") == 0;
        http_answer_done(&answer);
    }
    HARNESS_CHECK(busy);
}

static void a_sim_that_was_unplugged_is_away_and_the_question_it_had_is_answered(void **state)
{
    static const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50", "--replug-ms", "0", "--ussd", "*7#=" } };
    struct harness *harness = fixture_start(state, &options);
    struct process asking;
    char iccid[32];

    iccid_of(harness, 0, iccid);
    ask_in_background(harness, iccid, &asking);
    bank_tell_ok(harness, "unplug 0");
    assert_int_equal(process_wait(&asking, WAIT_MS), 1);
    HARNESS_CHECK(harness_wait_modems(harness, "lost", 1, WAIT_MS));
    expect(ask(harness, iccid, "{\"code\":\"*100#\"}"), 409, "code", "sim_not_in_modem");
    harness->passed = true;
}

static void a_stop_answers_the_question_that_waits(void **state)
{
    static const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50", "--ussd", "*7#=" } };
    struct harness *harness = fixture_start(state, &options);
    struct process asking;
    char iccid[32];

    iccid_of(harness, 0, iccid);
    ask_in_background(harness, iccid, &asking);
    assert_int_equal(harness_stop(harness, WAIT_MS), 0);
    assert_int_equal(process_wait(&asking, WAIT_MS), 1);
    harness->passed = true;
}

static void the_command_prints_the_answer_alone(void **state)
{
    static const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50" },
                                                    .sections = NULL };
    struct harness *harness = fixture_start(state, &options);
    char program[300], *out, *err;
    json_t *json;

    harness_program("cellpost", program, sizeof program);
    assert_int_equal(process_run((const char *const[]){ program, "--socket", harness->socket, "ussd", "modem0", "*100#", NULL }, WAIT_MS, &out, &err), 0);
    assert_string_equal(out, "Your balance is 12.34 EUR\n");
    free(out);
    free(err);
    assert_int_equal(process_run((const char *const[]){ program, "--socket", harness->socket, "ussd", "--json", "modem0", "*101#", "2", NULL },
                                 WAIT_MS, &out, &err), 0);
    json = json_loads(out, 0, NULL);
    assert_string_equal(json_text_at(json, "text"), "Your number is +40700001000");
    json_decref(json);
    free(out);
    free(err);
    assert_int_equal(process_run((const char *const[]){ program, "--socket", harness->socket, "ussd", "modem0", "hello", NULL }, WAIT_MS, &out, &err), 1);
    assert_non_null(strstr(err, "0-9, *, # and +"));
    free(out);
    free(err);
    assert_int_equal(process_run((const char *const[]){ program, "--socket", harness->socket, "ussd", "modem0", NULL }, WAIT_MS, &out, &err), 2);
    free(out);
    free(err);
    harness->passed = true;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_answer_of_every_kind_of_modem_is_the_same_text, fixture_end),
        cmocka_unit_test_teardown(messages_go_on_when_the_network_has_answered_and_one_question_is_asked_at_a_time, fixture_end),
        cmocka_unit_test_teardown(a_sim_that_was_unplugged_is_away_and_the_question_it_had_is_answered, fixture_end),
        cmocka_unit_test_teardown(a_stop_answers_the_question_that_waits, fixture_end),
        cmocka_unit_test_teardown(the_command_prints_the_answer_alone, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
