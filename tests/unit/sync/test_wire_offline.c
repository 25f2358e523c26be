/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets are taken as they are written; and what comes of a captive portal, a proxy or a cut line is no answer of an account. */
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

/* -- targets ------------------------------------------------------------------------------------------------------------------ */

static void targets_are_taken_as_they_are_written_and_not_otherwise(void **state)
{
    static const struct { const char *method, *target, *body; int r; const char *pointer; } rows[] = {
        { "GET", "/v1/commands?after=0&epoch=1", "", 0, NULL },
        { "GET", "/v1/commands?epoch=4294967295&after=9223372036854775807", "", 0, NULL },
        { "GET", "/v1/prices/4294967295", "", 0, NULL },
        { "POST", "/v1/leases/9223372036854775807/close", NULL, 0, NULL },
        { "POST", "/v1/leases/9223372036854775808/close", NULL, -ENOENT, NULL },
        { "POST", "/v1/leases/18446744073709551617/close", NULL, -ENOENT, NULL },
        { "POST", "/v1/leases/0/close", NULL, -ENOENT, NULL },
        { "POST", "/v1/leases/06/close", NULL, -ENOENT, NULL },
        { "POST", "/v1/leases/+6/close", NULL, -ENOENT, NULL },
        { "POST", "/v1/leases//close", NULL, -ENOENT, NULL },
        { "POST", "/v1/leases/close", NULL, -ENOENT, NULL },
        { "POST", "/v1/leases/6/close/", NULL, -ENOENT, NULL },
        { "POST", "/v1/leases/6", NULL, -ENOENT, NULL },
        { "POST", "/v1/leases/", NULL, -ENOENT, NULL },
        { "POST", "/v1/usage?x=1", NULL, -EINVAL, "" },
        { "POST", "/v1/leases/6/close?", NULL, -EINVAL, "" },
        { "GET", "/v1/prices/4294967296", "", -ENOENT, NULL },
        { "GET", "/v1/prices/", "", -ENOENT, NULL },
        { "GET", "/v1/prices/%31", "", -ENOENT, NULL },
        { "GET", "/v2/prices/1", "", -ENOENT, NULL },
        { "GET", "", "", -ENOENT, NULL },
        { "GET", "?", "", -ENOENT, NULL },
        { "GET", "/v1/leases/6/close", "", -EPERM, NULL },
        { "POST", "/v1/prices/3", "", -EPERM, NULL },
        { "get", "/v1/prices/3", "", -EPERM, NULL },
        { "GET", "/v1/prices/3", "{}", -EINVAL, "" },
        { "GET", "/v1/prices/3?after=1", "", -EINVAL, "" },
        { "GET", "/v1/commands", "", -EINVAL, "/after" },
        { "GET", "/v1/commands?", "", -EINVAL, "/after" },
        { "GET", "/v1/commands?after=1", "", -EINVAL, "/epoch" },
        { "GET", "/v1/commands?epoch=1", "", -EINVAL, "/after" },
        { "GET", "/v1/commands?after=1&epoch=0", "", -EINVAL, "/epoch" },
        { "GET", "/v1/commands?after=1&epoch=4294967296", "", -EINVAL, "/epoch" },
        { "GET", "/v1/commands?after=-1&epoch=1", "", -EINVAL, "/after" },
        { "GET", "/v1/commands?after=01&epoch=1", "", -EINVAL, "/after" },
        { "GET", "/v1/commands?after=&epoch=1", "", -EINVAL, "/after" },
        { "GET", "/v1/commands?after=1&after=1&epoch=1", "", -EINVAL, "/after" },
        { "GET", "/v1/commands?after=1&epoch=1&x=2", "", -EINVAL, "/x" },
        { "GET", "/v1/commands?after=1&epoch=1&", "", -EINVAL, "" },
        { "GET", "/v1/commands?after=1&&epoch=1", "", -EINVAL, "/" },
    };
    struct wire_values values;
    struct wire_request close = some_request(WIRE_CLOSE, &values);
    struct wire_message message = encoded(&close);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *body = rows[i].body ? rows[i].body : message.body;
        struct wire_request request;
        struct wire_error error = { .pointer = "none" };
        int r = wire_request_decode(rows[i].method, rows[i].target, body, strlen(body), &request, &error);

        if (r != rows[i].r || strcmp(error.pointer, rows[i].pointer ? rows[i].pointer : "none") != 0)
            fail_msg("%s %s: %d at \"%s\": %s", rows[i].method, rows[i].target, r, error.pointer, error.text);
        if (r == 0)
            wire_request_done(&request);
    }
    free(message.body);
}

static void a_request_that_is_too_long_is_told_so(void **state)
{
    char *body = malloc(WIRE_BODY_MAX + 1);
    struct wire_request request;
    struct wire_error error = { 0 };

    (void)state;
    memset(body, ' ', WIRE_BODY_MAX + 1);
    assert_int_equal(wire_request_decode("POST", "/v1/usage", body, WIRE_BODY_MAX + 1, &request, &error), -EMSGSIZE);
    assert_int_equal(wire_request_decode("POST", "/v1/usage", body, WIRE_BODY_MAX, &request, &error), -EINVAL);
    free(body);
}

/* -- what is no answer --------------------------------------------------------------------------------------------------------- */

static void assert_offline(enum wire_call call, uint16_t status, const char *body, size_t length)
{
    struct wire_answer answer;
    struct wire_error error = { 0 };

    if (wire_answer_decode(call, status, body, length, &answer, &error) != -EBADMSG)
        fail_msg("taken for an answer to %s: %u %.*s", wire_call_name(call), status, (int)length, body);
    assert_true(error.text[0] != '\0');
}

static void what_a_captive_portal_or_a_proxy_says_is_no_answer(void **state)
{
    static const char *const bodies[] = {
        "", "<!DOCTYPE html><html><body>Sign in to WLAN</body></html>", "OK", "null", "true", "1", "[]", "{}", "\"protocol\"", "{\"status\":\"ok\"}",
        "{\"error\":{\"code\":511,\"message\":\"Login required\"}}", "{\"time_ms\":1,\"lease_id\":6,\"returned_micro\":0}",
        "{\"protocol\":2,\"time_ms\":1,\"lease_id\":6,\"returned_micro\":0}", "{\"protocol\":\"1\",\"time_ms\":1,\"lease_id\":6,\"returned_micro\":0}",
        "{\"protocol\":1,\"time_ms\":1,\"lease_id\":6,\"returned_micro\":0} <html>", "{\"protocol\":1,\"time_ms\":1,\"lease_id\":6,\"returned_micro\":0}{}",
        "\xEF\xBB\xBF{\"protocol\":1,\"time_ms\":1,\"lease_id\":6,\"returned_micro\":0}",
        "{'protocol':1,'time_ms':1,'lease_id':6,'returned_micro':0}",
        "{\"protocol\":2,\"time_ms\":1,\"code\":\"fenced\",\"status\":403}", "{\"time_ms\":1,\"code\":\"fenced\",\"status\":403}",
        "{\"code\":\"fenced\",\"status\":403,\"title\":\"Forbidden\",\"type\":\"about:blank\"}",
    };
    static const uint16_t never[] = { 0, 100, 101, 201, 202, 204, 206, 226, 300, 301, 302, 303, 304, 307, 308, 399, 511, 600, 999, 65535 };

    (void)state;
    for (unsigned call = 0; call < WIRE_CALLS; call++) {
        struct wire_values values;
        struct wire_answer answer = some_answer((enum wire_call)call, &values), problem = some_problem((enum wire_call)call, WIRE_GAP);
        struct text text = answered(&answer), no = answered(&problem);

        for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
            assert_offline((enum wire_call)call, 200, bodies[i], strlen(bodies[i]));
            assert_offline((enum wire_call)call, 403, bodies[i], strlen(bodies[i]));
            assert_offline((enum wire_call)call, 503, bodies[i], strlen(bodies[i]));
            for (size_t j = 0; j < sizeof never / sizeof never[0]; j++)
                assert_offline((enum wire_call)call, never[j], bodies[i], strlen(bodies[i]));
        }
        for (size_t j = 0; j < sizeof never / sizeof never[0]; j++) {   /* nor with what would be one */
            assert_offline((enum wire_call)call, never[j], text.body, text.length);
            assert_offline((enum wire_call)call, never[j], no.body, no.length);
        }
        assert_offline((enum wire_call)call, 200, NULL, 0);
        assert_offline((enum wire_call)call, 409, text.body, text.length);   /* done, says one; not, says the other */
        assert_offline((enum wire_call)call, 200, no.body, no.length);
        assert_offline((enum wire_call)call, 403, no.body, no.length);
        assert_offline((enum wire_call)call, 500, no.body, no.length);
        for (size_t length = 0; length < text.length; length++)
            assert_offline((enum wire_call)call, 200, text.body, length);
        for (size_t length = 0; length < no.length; length++)
            assert_offline((enum wire_call)call, 409, no.body, length);
        for (unsigned other = 0; other < WIRE_CALLS; other++)
            if (other != call)
                assert_offline((enum wire_call)other, 200, text.body, text.length);
        free(text.body);
        free(no.body);
    }
}

static void a_problem_says_the_status_that_came_with_it_and_never_that_of_a_captive_portal(void **state)
{
    static const struct { uint16_t status, said; bool taken; } rows[] = { { 403, 403, true }, { 503, 503, true }, { 403, 503, false },
                                                                          { 503, 403, false }, { 511, 511, false }, { 510, 510, true } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_answer answer;
        struct wire_error error = { 0 };
        char body[160];
        int r;

        snprintf(body, sizeof body, "{\"protocol\":1,\"time_ms\":1,\"code\":\"new_here\",\"status\":%u}", rows[i].said);
        r = wire_answer_decode(WIRE_LEASES, rows[i].status, body, strlen(body), &answer, &error);
        if (r != (rows[i].taken ? 0 : -EBADMSG))
            fail_msg("%u with %s: %d %s %s", rows[i].status, body, r, error.pointer, error.text);
    }
}

static void an_answer_that_is_too_long_or_too_deep_is_none(void **state)
{
    char *body = malloc(WIRE_PRICES_BODY_MAX + 2), deep[64] = "{\"protocol\":1,\"a\":";

    (void)state;
    memset(body, ' ', WIRE_PRICES_BODY_MAX + 1);
    memcpy(body, "{\"protocol\":1,\"time_ms\":1,\"lease_id\":6,\"returned_micro\":0}", 58);
    assert_offline(WIRE_CLOSE, 200, body, WIRE_BODY_MAX + 1);
    assert_offline(WIRE_PRICES, 200, body, WIRE_PRICES_BODY_MAX + 1);
    memset(body, '[', WIRE_BODY_MAX);
    assert_offline(WIRE_CLOSE, 200, body, WIRE_BODY_MAX);
    free(body);
    for (unsigned i = 0; i < 9; i++)
        strcat(deep, "[");
    assert_offline(WIRE_CLOSE, 400, deep, strlen(deep));
}

static void text_that_json_does_not_allow_is_no_answer_where_a_problem_would_let_it_pass(void **state)
{
    static const struct { const char *value; bool taken; } rows[] = {
        { "\"\\ud83d\\ude00 \\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u00e9\\u20ac\"", true }, { "-0", true }, { "-0.5e+10", true }, { "[1,{\"a\":[ ]},{}]", true },
        { "{ \"a\" : null , \"b\" : [ true , false ] }", true }, { "123456789012345678", true }, { "0E0", true },
        { "\"\\ud83d\"", false }, { "\"\\ude00\"", false }, { "\"\\ud83d\\u0041\"", false }, { "\"\\u0000\"", false }, { "\"\\x\"", false },
        { "\"\\u12g4\"", false }, { "\"\t\"", false }, { "\"\xC0\x80\"", false }, { "\"\xED\xA0\x80\"", false }, { "\"\xFF\"", false },
        { "01", false }, { "-", false }, { "1.", false }, { ".5", false }, { "1e", false }, { "+1", false }, { "0x1", false }, { "NaN", false },
        { "tru", false }, { "[1,]", false }, { "[,1]", false }, { "{\"a\":1,}", false }, { "{\"a\"}", false }, { "{a:1}", false }, { "{1:1}", false },
        { "[1}", false }, { "{\"a\":1]", false }, { "1 2", false }, { "", false }, { "{\"a\":1,\"a\":1}", false }, { "{\"a\":1,\"\\u0061\":1}", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_answer answer;
        struct wire_error error = { 0 };
        char body[256];
        int r;

        snprintf(body, sizeof body, " {\"protocol\":1,\"time_ms\":1,\"code\":\"fenced\",\"status\":403,\"more\":%s}\r\n", rows[i].value);
        r = wire_answer_decode(WIRE_LEASES, 403, body, strlen(body), &answer, &error);
        if (r != (rows[i].taken ? 0 : -EBADMSG))
            fail_msg("%s: %d %s %s", rows[i].value, r, error.pointer, error.text);
    }
}

static void a_code_that_is_not_known_is_other_and_final_below_500(void **state)
{
    static const struct { uint16_t status; bool final; } rows[] = { { 400, true }, { 403, true }, { 409, true }, { 422, true }, { 499, true },
                                                                    { 429, false }, { 500, false }, { 502, false }, { 503, false }, { 599, false } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_answer answer;
        struct wire_error error = { 0 };
        char body[160];

        snprintf(body, sizeof body, "{\"protocol\":1,\"time_ms\":1,\"code\":\"dust_in_the_works\",\"status\":%u}", rows[i].status);
        assert_int_equal(wire_answer_decode(WIRE_LEASES, rows[i].status, body, strlen(body), &answer, &error), 0);
        assert_int_equal(answer.problem.code, WIRE_OTHER);
        assert_string_equal(answer.problem.code_text, "dust_in_the_works");
        assert_int_equal(answer.problem.status, rows[i].status);
        assert_int_equal(wire_problem_is_final(&answer.problem), rows[i].final);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_taken_as_they_are_written_and_not_otherwise),
        cmocka_unit_test(a_request_that_is_too_long_is_told_so),
        cmocka_unit_test(what_a_captive_portal_or_a_proxy_says_is_no_answer),
        cmocka_unit_test(a_problem_says_the_status_that_came_with_it_and_never_that_of_a_captive_portal),
        cmocka_unit_test(an_answer_that_is_too_long_or_too_deep_is_none),
        cmocka_unit_test(text_that_json_does_not_allow_is_no_answer_where_a_problem_would_let_it_pass),
        cmocka_unit_test(a_code_that_is_not_known_is_other_and_final_below_500),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
