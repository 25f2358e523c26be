/* SPDX-License-Identifier: Apache-2.0
 *
 * What a box and its account say to each other comes over as it was, in one encoding. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire_testing.h"

static void assert_same_message(const struct wire_message *a, const struct wire_message *b)
{
    assert_string_equal(a->method, b->method);
    assert_string_equal(a->target, b->target);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->body == NULL, b->body == NULL);
    if (a->body)
        assert_string_equal(a->body, b->body);
}

/* -- there and back --------------------------------------------------------------------------------------------------- */

static void every_request_comes_over_as_it_was_and_has_one_encoding(void **state)
{
    (void)state;
    for (unsigned call = 0; call < WIRE_CALLS; call++) {
        struct wire_values values;
        struct wire_request request = some_request((enum wire_call)call, &values), decoded;
        struct wire_message message = encoded(&request), again;
        struct wire_error error = { 0 };

        assert_int_equal(wire_request_decode(message.method, message.target, message.body, message.length, &decoded, &error), 0);
        if (call == WIRE_USAGE) {
            assert_int_equal(decoded.usage.count, ENTRIES);
            assert_memory_equal(decoded.usage.entries, values.entries, sizeof values.entries);
        }
        again = encoded(&decoded);
        assert_same_message(&message, &again);
        free(again.body);
        free(message.body);
        wire_request_done(&decoded);
        wire_request_done(&decoded);
    }
}

static void every_answer_comes_over_as_it_was_and_has_one_encoding(void **state)
{
    (void)state;
    for (unsigned call = 0; call < WIRE_CALLS; call++) {
        struct wire_values values;
        struct wire_answer answer = some_answer((enum wire_call)call, &values), decoded;
        struct text text = answered(&answer), again;
        struct wire_error error = { 0 };

        assert_int_equal(text.status, 200);
        assert_string_equal(text.type, "application/json");
        if (wire_answer_decode((enum wire_call)call, text.status, text.body, text.length, &decoded, &error) != 0)
            fail_msg("%s: %s %s in %s", wire_call_name((enum wire_call)call), error.pointer, error.text, text.body);
        if (call == WIRE_COMMANDS) {
            assert_int_equal(decoded.commands.count, COMMANDS);
            for (unsigned i = 0; i < COMMANDS; i++) {
                const struct command *a = &decoded.commands.commands[i], *b = &values.commands[i];

                assert_int_equal(a->number, b->number);
                assert_int_equal(a->kind, b->kind);
                assert_string_equal(a->reason, b->reason);
                assert_int_equal(a->message_id, b->message_id);
                assert_int_equal(a->part, b->part);
                assert_int_equal(a->refers_seq, b->refers_seq);
                assert_int_equal(a->units_micro, b->units_micro);
                assert_int_equal(a->price_version, b->price_version);
                assert_memory_equal(a->price_sha256, b->price_sha256, sizeof a->price_sha256);
                assert_memory_equal(a->account_key, b->account_key, sizeof a->account_key);
                assert_memory_equal(a->signature, b->signature, sizeof a->signature);
            }
        } else if (call == WIRE_PRICES) {
            assert_string_equal(decoded.prices.csv, values.csv);
        }
        assert_int_equal(decoded.problem.status, 200);
        again = answered(&decoded);
        assert_string_equal(again.body, text.body);
        free(again.body);
        free(text.body);
        wire_answer_done(&decoded);
        wire_answer_done(&decoded);
    }
}

static void every_problem_comes_over_with_its_status_and_what_it_tells(void **state)
{
    (void)state;
    for (unsigned code = WIRE_OK + 1; code < WIRE_OTHER; code++) {
        struct wire_answer answer = some_problem(WIRE_USAGE, (enum wire_code)code), decoded;
        struct text text = answered(&answer), again;
        struct wire_error error = { 0 };

        assert_int_equal(text.status, wire_code_status((enum wire_code)code));
        assert_string_equal(text.type, "application/problem+json");
        if (wire_answer_decode(WIRE_USAGE, text.status, text.body, text.length, &decoded, &error) != 0)
            fail_msg("%s %s in %s", error.pointer, error.text, text.body);
        assert_int_equal(decoded.time_ms, answer.time_ms);
        assert_int_equal(decoded.problem.code, code);
        assert_int_equal(decoded.problem.status, text.status);
        assert_string_equal(decoded.problem.code_text, wire_code_name((enum wire_code)code));
        assert_string_equal(decoded.problem.detail, answer.problem.detail);
        assert_int_equal(decoded.problem.has_acked, code == WIRE_GAP);
        assert_memory_equal(&decoded.problem.acked, &answer.problem.acked, sizeof answer.problem.acked);
        assert_int_equal(decoded.problem.has_available, code == WIRE_NO_CREDIT);
        assert_int_equal(decoded.problem.available_micro, answer.problem.available_micro);
        assert_int_equal(wire_problem_is_final(&decoded.problem), code != WIRE_TOO_MANY && text.status < 500);
        again = answered(&decoded);
        assert_string_equal(again.body, text.body);
        free(again.body);
        free(text.body);
        wire_answer_done(&decoded);
    }
}

/* The bytes are a contract: a change of them is a new version of the protocol. */
static void the_text_is_what_the_protocol_says(void **state)
{
    static const struct { enum wire_call call; const char *first, *request, *answer; } rows[] = {
        { WIRE_LEASES, "POST /v1/leases",
          "{\"protocol\":1,\"epoch\":2,\"request_id\":\"1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d\",\"want_micro\":250000000,\"head\":{\"seq\":41,\"hash\":"
          "\"a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9\"},\"open_lease_id\":6,\"last_lease_id\":7}", NULL },
        { WIRE_USAGE, "POST /v1/usage", NULL,
          "{\"protocol\":1,\"time_ms\":1790000000123,\"acked\":{\"seq\":44,\"hash\":"
          "\"acacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacac\"},\"account\":{\"available_micro\":9000000},\"commands\":8}" },
        { WIRE_CLOSE, "POST /v1/leases/6/close",
          "{\"protocol\":1,\"epoch\":2,\"head\":{\"seq\":44,\"hash\":\"acacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacac\"},"
          "\"captured_micro\":70000,\"rest_micro\":249930000}",
          "{\"protocol\":1,\"time_ms\":1790000000123,\"lease_id\":6,\"returned_micro\":249930000}" },
        { WIRE_PAPERS, "POST /v1/leases/papers", NULL,
          "{\"protocol\":1,\"time_ms\":1790000000123,\"last_lease_id\":7,\"unclosed\":[4,7]}" },
        { WIRE_COMMANDS, "GET /v1/commands?after=7&epoch=2", NULL, NULL },
        { WIRE_PRICES, "GET /v1/prices/3", NULL,
          "{\"protocol\":1,\"time_ms\":1790000000123,\"version\":3,\"sha256\":\"9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a\","
          "\"csv\":\"prefix,price,price_ucs2\\r\\n40,0.07,\\r\\n*,refused,\\r\\n\"}" },
    };
    struct wire_answer problem = some_problem(WIRE_USAGE, WIRE_NO_CREDIT);
    struct text text = answered(&problem);

    (void)state;
    assert_string_equal(text.body, "{\"protocol\":1,\"time_ms\":1790000000123,\"code\":\"no_credit\",\"status\":402,\"title\":"
                                   "\"The account has not that much credit left.\",\"detail\":\"epoch 2 is over\",\"account\":{\"available_micro\":12}}");
    free(text.body);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_values values;
        struct wire_request request = some_request(rows[i].call, &values);
        struct wire_message message = encoded(&request);
        struct wire_answer answer = some_answer(rows[i].call, &values);
        char first[128];

        text = answered(&answer);
        snprintf(first, sizeof first, "%s %s", message.method, message.target);
        assert_string_equal(first, rows[i].first);
        if (rows[i].request)
            assert_string_equal(message.body, rows[i].request);
        if (rows[i].answer)
            assert_string_equal(text.body, rows[i].answer);
        free(message.body);
        free(text.body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_comes_over_as_it_was_and_has_one_encoding),
        cmocka_unit_test(every_answer_comes_over_as_it_was_and_has_one_encoding),
        cmocka_unit_test(every_problem_comes_over_with_its_status_and_what_it_tells),
        cmocka_unit_test(the_text_is_what_the_protocol_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
