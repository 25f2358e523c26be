/* SPDX-License-Identifier: Apache-2.0
 *
 * When memory runs out at the first, second, third ... allocation, once or for good: the call says so, or has done all of it. It
 * never says that what came in was wrong, and never leaves out a digit or a letter of it (jansson's reader drops characters). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/faulty_memory.h"
#include "wire_testing.h"

#define STEPS_MAX 3000

/* Long texts and numbers, which the reader has to take memory for while it reads them. */
static struct wire_request long_request(enum wire_call call, struct wire_values *values)
{
    struct wire_request request = some_request(call, values);

    if (call == WIRE_ENROLL) {
        memset(request.enroll.token, 'T', sizeof request.enroll.token - 1);
        memset(request.enroll.csr, 'M', sizeof request.enroll.csr - 1);
    } else if (call == WIRE_LEASES) {
        request.lease.open_lease_id = INT64_MAX;
        request.lease.head.seq = INT64_MAX - 1;
        request.lease.want_micro = LEASE_GRANT_MICRO_MAX;
    }
    return request;
}

static struct wire_answer long_answer(enum wire_call call, struct wire_values *values)
{
    struct wire_answer answer = some_answer(call, values);

    if (call == WIRE_LEASES)
        answer.lease.available_micro = INT64_MAX;
    else if (call == WIRE_CLOSE)
        answer.closed.lease_id = INT64_MAX;
    return answer;
}

static void a_request_that_memory_is_too_short_for_is_not_said_to_be_wrong(void **state)
{
    (void)state;
    for (unsigned call = 0; call < WIRE_CALLS; call++) {
        for (unsigned lack = 0; lack < MEMORY_LACKS; lack++) {
            struct wire_values values;
            struct wire_request request = long_request((enum wire_call)call, &values);
            struct wire_message whole = encoded(&request), message;
            bool fired = true;

            for (uint64_t step = 1; fired; step++) {
                int r;

                assert_true(step < STEPS_MAX);
                memory_fail(MEMORY_OWN, (enum memory_lack)lack, step);
                r = wire_request_encode(&request, &message);
                fired = memory_works();
                assert_true(r == 0 || (fired && r == -ENOMEM));
                if (r == 0) {
                    assert_int_equal(message.length, whole.length);
                    assert_true(!whole.body || strcmp(message.body, whole.body) == 0);
                    free(message.body);
                }
            }
            fired = true;
            for (uint64_t step = 1; fired; step++) {
                struct wire_request decoded;
                struct wire_error error = { 0 };
                int r;

                assert_true(step < STEPS_MAX);
                memory_fail(MEMORY_OWN, (enum memory_lack)lack, step);
                r = wire_request_decode(whole.method, whole.target, whole.body, whole.length, &decoded, &error);
                fired = memory_works();
                if (r != 0 && !(fired && r == -ENOMEM))
                    fail_msg("%s, step %u: %d at %s: %s", wire_call_name((enum wire_call)call), (unsigned)step, r, error.pointer, error.text);
                if (r == 0) {
                    message = encoded(&decoded);
                    assert_true(!whole.body || strcmp(message.body, whole.body) == 0);
                    free(message.body);
                    wire_request_done(&decoded);
                }
            }
            free(whole.body);
        }
    }
}

static void check_answer(const struct wire_answer *answer, enum memory_lack lack)
{
    struct text whole = answered(answer), text;
    bool fired = true;

    for (uint64_t step = 1; fired; step++) {
        int r;

        assert_true(step < STEPS_MAX);
        memory_fail(MEMORY_OWN, lack, step);
        r = wire_answer_encode(answer, &text.status, &text.type, &text.body, &text.length);
        fired = memory_works();
        assert_true(r == 0 || (fired && r == -ENOMEM));
        if (r == 0) {
            assert_string_equal(text.body, whole.body);
            free(text.body);
        }
    }
    fired = true;
    for (uint64_t step = 1; fired; step++) {
        struct wire_answer decoded;
        struct wire_error error = { 0 };
        int r;

        assert_true(step < STEPS_MAX);
        memory_fail(MEMORY_OWN, lack, step);
        r = wire_answer_decode(answer->call, whole.status, whole.body, whole.length, &decoded, &error);
        fired = memory_works();
        if (r != 0 && !(fired && r == -ENOMEM))
            fail_msg("%s, step %u: %d at %s: %s", wire_call_name(answer->call), (unsigned)step, r, error.pointer, error.text);
        if (r == 0) {
            text = answered(&decoded);
            assert_string_equal(text.body, whole.body);
            free(text.body);
            wire_answer_done(&decoded);
        }
    }
    free(whole.body);
}

static void an_answer_that_memory_is_too_short_for_is_not_said_to_be_none(void **state)
{
    (void)state;
    for (unsigned lack = 0; lack < MEMORY_LACKS; lack++) {
        struct wire_answer answer;

        for (unsigned call = 0; call < WIRE_CALLS; call++) {
            struct wire_values values;

            answer = long_answer((enum wire_call)call, &values);
            check_answer(&answer, (enum memory_lack)lack);
        }
        answer = some_problem(WIRE_USAGE, WIRE_GAP);
        check_answer(&answer, (enum memory_lack)lack);
        answer = some_problem(WIRE_LEASES, WIRE_NO_CREDIT);
        check_answer(&answer, (enum memory_lack)lack);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_that_memory_is_too_short_for_is_not_said_to_be_wrong),
        cmocka_unit_test(an_answer_that_memory_is_too_short_for_is_not_said_to_be_none),
    };
    json_set_alloc_funcs(malloc, free);      /* those that fail: a shared library has the ones of the C library */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
