/* SPDX-License-Identifier: Apache-2.0
 *
 * test_doubt.c - parts whose answer is lost (lost_reply: the network has them, and nobody told the gateway), and what their
 * owner decides about them. */
#include "tests/system/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_MS 30000
#define TO "+40711000000"

/* A modem that does not answer is given up on soon, that no test waits a minute for it. */
#define IMPATIENT "send_timeout = 2s\n"

/* `cellpost VERB ID`; its exit status. */
static int cellpost(const struct harness *harness, const char *verb, const char *id)
{
    char program[300], *out, *err;
    const char *argv[] = { program, "--socket", harness->socket, verb, id, NULL };
    int status;

    (void)snprintf(program, sizeof program, "%s/cellpost", harness->bin);
    status = process_run(argv, RUN_MS, &out, &err);
    free(out);
    free(err);
    return status;
}

static void send_and_lose_the_answer(struct harness *harness, const char *to, char ret_id[32])
{
    bank_tell_ok(harness, "fault 0 lost_reply");
    harness_send(harness, to, "Did it go?", ret_id);
    assert_true(harness_wait_state(harness, ret_id, "unknown", WAIT_MS));
    assert_true(harness_wait_modems(harness, "ready", harness->options.modems, WAIT_MS));
}

/* A message sent after it by the same modems went, and nothing else did: what is left alone stays at so many parts. */
static void assert_nothing_more_goes(struct harness *harness, const char *to, unsigned parts)
{
    unsigned others = 5 * harness->options.modems;
    size_t before;

    witness_read(&harness->witness);
    before = harness->witness.count;
    harness_send_many(harness->http, 40722000000u, others, "After it");
    assert_true(harness_wait_parts(harness, before + others, WAIT_MS));
    assert_int_equal(witness_count(&harness->witness, to), parts);
    assert_int_equal(harness->witness.count, before + others);
}

static const struct witness_part *part_towards(struct harness *harness, const char *to, unsigned nth)
{
    for (size_t i = 0; i < harness->witness.count; i++)
        if (strcmp(harness->witness.parts[i].to, to) == 0 && nth-- == 0)
            return &harness->witness.parts[i];
    harness_die("there was no such part towards %s", to);
}

static void what_is_released_goes_exactly_once_more_by_the_same_sim_with_tp_rd(void **state)
{
    /* TC35s send the TP-MR they are given; many modems write their own. */
    const struct harness_options options = { .modems = 2, .modem = IMPATIENT,
                                             .bank = { QUICK_BANK, "--air-ms", "50", "--report", "never", "--personality", "tc35" } };
    struct harness *harness = fixture_open(state, &options);
    const struct witness_part *first, *second;
    struct http_answer answer;
    char id[32], path[64];

    /* One modem first, that the part is certain to go by it; the other could take the resend, and must not. */
    bank_tell_ok(harness, "unplug 1");
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    bank_tell_ok(harness, "fault 0 lost_reply");
    harness_send(harness, TO, "Did it go?", id);
    assert_true(harness_wait_state(harness, id, "unknown", WAIT_MS));
    bank_tell_ok(harness, "plug 1");
    assert_true(harness_wait_modems(harness, "ready", 2, WAIT_MS));
    assert_nothing_more_goes(harness, TO, 1);

    (void)snprintf(path, sizeof path, "/v1/messages/%s/release", id);
    http_call(harness->http, "POST", path, NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(json_text_at(answer.json, "state"), "queued");
    http_answer_done(&answer);
    assert_true(harness_wait_state(harness, id, "sent", WAIT_MS));
    assert_nothing_more_goes(harness, TO, 2);
    first = part_towards(harness, TO, 0);
    second = part_towards(harness, TO, 1);
    assert_false(first->reject_duplicates);
    assert_true(second->reject_duplicates);
    assert_int_equal(second->mr, first->mr);
    assert_int_equal(second->modem, first->modem);
    assert_string_equal(second->text, first->text);

    http_call(harness->http, "POST", path, NULL, NULL, &answer);
    assert_int_equal(answer.status, 409);
    assert_string_equal(json_text_at(answer.json, "code"), "not_in_doubt");
    http_answer_done(&answer);
    assert_int_equal(cellpost(harness, "drop", id), 1);
    assert_true(harness_wait_state(harness, id, "sent", WAIT_MS));
    harness->passed = true;
}

static void what_is_dropped_stays_unknown_also_when_the_gateway_starts_anew(void **state)
{
    const struct harness_options options = { .modems = 1, .modem = IMPATIENT, .bank = { QUICK_BANK, "--air-ms", "50", "--report", "never" } };
    struct harness *harness = fixture_start(state, &options);
    struct http_answer answer;
    char id[32], path[64];

    send_and_lose_the_answer(harness, TO, id);
    (void)snprintf(path, sizeof path, "/v1/messages/%s/drop", id);
    http_call(harness->http, "POST", path, NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(json_text_at(answer.json, "state"), "unknown");
    http_answer_done(&answer);
    assert_int_equal(cellpost(harness, "release", id), 1);
    assert_nothing_more_goes(harness, TO, 1);

    assert_int_equal(harness_stop(harness, 12000), 0);
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    assert_true(harness_wait_state(harness, id, "unknown", WAIT_MS));
    assert_nothing_more_goes(harness, TO, 1);
    harness->passed = true;
}

static void a_release_that_was_answered_survives_a_kill(void **state)
{
    const struct harness_options options = { .modems = 1, .modem = IMPATIENT, .bank = { QUICK_BANK, "--air-ms", "50", "--report", "never" } };
    struct harness *harness = fixture_start(state, &options);
    char id[32];

    send_and_lose_the_answer(harness, TO, id);
    bank_tell_ok(harness, "unplug 0");   /* so that it cannot go before the end */
    assert_true(harness_wait_modems(harness, "lost", 1, WAIT_MS));
    assert_int_equal(cellpost(harness, "release", id), 0);
    harness_kill(harness);
    bank_tell_ok(harness, "plug 0");
    harness_start(harness);
    assert_true(harness_wait_state(harness, id, "sent", WAIT_MS));
    assert_nothing_more_goes(harness, TO, 2);
    assert_true(part_towards(harness, TO, 1)->reject_duplicates);
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_released_goes_exactly_once_more_by_the_same_sim_with_tp_rd, fixture_end),
        cmocka_unit_test_teardown(what_is_dropped_stays_unknown_also_when_the_gateway_starts_anew, fixture_end),
        cmocka_unit_test_teardown(a_release_that_was_answered_survives_a_kill, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
