/* SPDX-License-Identifier: Apache-2.0
 *
 * What is not a request of a box, or an answer of its account, is refused, and told where it is wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "wire_values.h"

struct text { uint16_t status; const char *type; char *body; size_t length; };

static struct wire_message encoded(const struct wire_request *request)
{
    struct wire_message message = { 0 };

    assert_int_equal(wire_request_encode(request, &message), 0);
    return message;
}

static struct text answered(const struct wire_answer *answer)
{
    struct text text = { 0 };

    assert_int_equal(wire_answer_encode(answer, &text.status, &text.type, &text.body, &text.length), 0);
    return text;
}

/* -- what is refused ---------------------------------------------------------------------------------------------------- */

/* A body as the library reads it, to be changed in one place; and what the change makes of it. */
struct change { json_t *root; struct wire_values values; struct wire_message message; enum wire_call call; uint16_t status; bool request; };

static void assert_refused_at(struct change *change, const char *body, const char *pointer)
{
    struct wire_error error = { 0 };
    struct wire_request request;
    struct wire_answer answer;
    int r, expected = change->request ? -EINVAL : -EBADMSG;

    memset(&request, 0x5A, sizeof request);
    memset(&answer, 0x5A, sizeof answer);
    r = change->request ? wire_request_decode("POST", change->message.target, body, strlen(body), &request, &error)
                        : wire_answer_decode(change->call, change->status, body, strlen(body), &answer, &error);
    if (r != expected || strcmp(error.pointer, pointer) != 0 || error.text[0] == '\0')
        fail_msg("%d at \"%s\" (%s) instead of \"%s\": %s", r, error.pointer, error.text, pointer, body);
    for (size_t i = 0; i < sizeof request; i++)
        assert_int_equal(((const uint8_t *)&request)[i], 0x5A);
    for (size_t i = 0; i < sizeof answer; i++)
        assert_int_equal(((const uint8_t *)&answer)[i], 0x5A);
}

static void assert_root_refused_at(struct change *change, const char *pointer)
{
    char *body = json_dumps(change->root, JSON_COMPACT);

    assert_non_null(body);
    assert_refused_at(change, body, pointer);
    free(body);
}

static json_t *clone(json_t *value) { return json_deep_copy(value); }

/* Whether a member of a problem may be missing, or be anything. */
static bool is_optional(const struct change *change, const char *pointer)
{
    static const char *const optional[] = { "/title", "/detail", "/account" };

    for (size_t i = 0; change->status > 200 && i < 3; i++)
        if (strcmp(pointer, optional[i]) == 0)
            return true;
    return false;
}

/* The body, with a member twice: the object at `inner` is printed with it doubled. */
static void double_it(struct change *change, json_t *inner, const char *key, const char *pointer)
{
    json_t *value = json_object_get(inner, key), *copy = clone(value);
    char *body, *mark, *doubled;

    assert_int_equal(json_object_set_new(inner, key, json_string("@@mark@@")), 0);
    body = json_dumps(change->root, JSON_COMPACT);
    mark = strstr(body, "\"@@mark@@\"");
    assert_non_null(mark);
    doubled = malloc(strlen(body) + 64);
    assert_non_null(doubled);
    sprintf(doubled, "%.*s1,\"%s\":2%s", (int)(mark - body), body, key, mark + strlen("\"@@mark@@\""));
    assert_refused_at(change, doubled, pointer);
    free(doubled);
    free(body);
    json_object_set_new(inner, key, copy);
}

/* Of every member, and of those within it: missing, doubled, of each other type; beside it one that is not known. */
static void spoil_each(struct change *change, json_t *object, const char *at)
{
    const char *key;
    json_t *value;
    json_t *keys = clone(object);

    json_object_foreach (keys, key, value) {
        const char *const others[] = { "null", "true", "1.5", "\"\\u0001\"", "\"\xC8\x98\"", "[]", "{}", "-9223372036854775808", "[[1],2]" };
        char pointer[160];
        json_t *original = clone(json_object_get(object, key));

        snprintf(pointer, sizeof pointer, "%.80s/%.40s", at, key);
        double_it(change, object, key, pointer);
        if (!is_optional(change, pointer)) {
            json_object_del(object, key);
            assert_root_refused_at(change, pointer);
        }
        for (size_t i = 0; i < sizeof others / sizeof others[0] && strcmp(key, "title") != 0; i++) {
            json_t *other = json_loads(others[i], JSON_DECODE_ANY, NULL);
            bool text = json_is_string(other) && strlen(json_string_value(other)) == 2;
            bool takes_text = strcmp(key, "version") == 0 || strcmp(key, "csv") == 0 || strcmp(key, "reason") == 0 || strcmp(key, "detail") == 0 ||
                              strcmp(key, "csr") == 0 || strcmp(key, "certificate") == 0 || strcmp(key, "account") == 0;
            bool csv = strcmp(key, "csv") == 0;   /* takes any text */
            bool fits = (json_typeof(other) == json_typeof(original) && json_is_object(other)) ||
                        (json_is_string(other) && json_is_string(original) && takes_text && (text || csv)) ||
                        (json_is_array(other) && json_is_array(original));

            if (fits) {
                json_decref(other);
                continue;
            }
            json_object_set_new(object, key, other);
            assert_root_refused_at(change, pointer);
        }
        json_object_set(object, key, original);
        if (json_is_object(original)) {
            spoil_each(change, json_object_get(object, key), pointer);
        } else if (json_is_array(original)) {
            size_t index;
            json_t *element;

            json_array_foreach (json_object_get(object, key), index, element) {
                char inner[160];

                snprintf(inner, sizeof inner, "%.100s/%zu", pointer, index);
                spoil_each(change, element, inner);
            }
        }
        json_decref(original);
    }
    if (change->status <= 200) {
        char pointer[160];

        snprintf(pointer, sizeof pointer, "%s/a~1b~0?c", at);
        json_object_set_new(object, "a/b~\tc", json_integer(1));
        assert_root_refused_at(change, pointer);
        json_object_del(object, "a/b~\tc");
    }
    json_decref(keys);
}

static void a_member_that_is_missing_doubled_unknown_or_of_another_type_is_refused_where_it_is(void **state)
{
    (void)state;
    for (unsigned call = 0; call < WIRE_CALLS; call++) {
        struct change change = { .call = (enum wire_call)call, .request = true };
        struct wire_request request = some_request(change.call, &change.values);
        struct wire_answer answer;
        struct text text;

        change.message = encoded(&request);
        if (change.message.body) {
            change.root = json_loads(change.message.body, 0, NULL);
            spoil_each(&change, change.root, "");
            json_decref(change.root);
        }
        free(change.message.body);
        answer = some_answer(change.call, &change.values);
        text = answered(&answer);
        change.request = false;
        change.status = text.status;
        change.root = json_loads(text.body, 0, NULL);
        spoil_each(&change, change.root, "");
        json_decref(change.root);
        free(text.body);
    }
    for (unsigned code = WIRE_OK + 1; code < WIRE_OTHER; code++) {
        struct change change = { .call = WIRE_LEASES };
        struct wire_answer answer = some_problem(WIRE_LEASES, (enum wire_code)code);
        struct text text = answered(&answer);

        change.status = text.status;
        change.root = json_loads(text.body, 0, NULL);
        spoil_each(&change, change.root, "");
        json_object_set_new(change.root, "retry", json_pack("{s:[i]}", "after", 5));   /* but what is not known is let pass */
        free(text.body);
        text.body = json_dumps(change.root, 0);
        assert_int_equal(wire_answer_decode(WIRE_LEASES, text.status, text.body, strlen(text.body), &answer, &(struct wire_error){ 0 }), 0);
        assert_int_equal(answer.problem.code, code);
        free(text.body);
        json_decref(change.root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_that_is_missing_doubled_unknown_or_of_another_type_is_refused_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
