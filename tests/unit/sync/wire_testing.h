/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_testing.h - requests and answers as text. Included after cmocka.h. */
#ifndef CELLPOST_TESTS_WIRE_TESTING_H
#define CELLPOST_TESTS_WIRE_TESTING_H

#include "wire_values.h"

struct text { uint16_t status; const char *type; char *body; size_t length; };

static inline struct wire_message encoded(const struct wire_request *request)
{
    struct wire_message message = { 0 };

    assert_int_equal(wire_request_encode(request, &message), 0);
    return message;
}

static inline struct text answered(const struct wire_answer *answer)
{
    struct text text = { 0 };

    assert_int_equal(wire_answer_encode(answer, &text.status, &text.type, &text.body, &text.length), 0);
    return text;
}

#endif
