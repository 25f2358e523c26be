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

#include "wire_testing.h"

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
                if (json_is_object(element))
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

/* -- bounds --------------------------------------------------------------------------------------------------------------- */

/* Sets what a pointer of at most four steps leads to. */
static void set_at(json_t *root, const char *pointer, json_t *value)
{
    char steps[160], *rest = steps, *step;
    json_t *at = root;

    snprintf(steps, sizeof steps, "%s", pointer + 1);
    for (step = strsep(&rest, "/"); rest; step = strsep(&rest, "/"))
        at = json_is_array(at) ? json_array_get(at, strtoul(step, NULL, 10)) : json_object_get(at, step);
    assert_non_null(json_object_get(at, step));
    assert_int_equal(json_object_set_new(at, step, value), 0);
}

static json_t *text_of(char c, size_t length)
{
    char *text = malloc(length + 1);
    json_t *value;

    assert_non_null(text);
    memset(text, c, length);
    text[length] = '\0';
    value = json_string(text);
    free(text);
    return value;
}

static void set_up_change(struct change *change, enum wire_call call, bool request)
{
    *change = (struct change){ .call = call, .request = request, .status = 200 };
    if (request) {
        struct wire_request some = some_request(call, &change->values);

        change->message = encoded(&some);
        change->root = json_loads(change->message.body, 0, NULL);
    } else {
        struct wire_answer some = some_answer(call, &change->values);
        struct text text = answered(&some);

        change->root = json_loads(text.body, 0, NULL);
        free(text.body);
    }
    assert_non_null(change->root);
}

static void tear_down_change(struct change *change)
{
    json_decref(change->root);
    free(change->message.body);
}

static int decoded(const struct change *change, const char *body)
{
    struct wire_error error = { 0 };
    struct wire_request request;
    struct wire_answer answer;
    int r;

    if (change->request) {
        r = wire_request_decode("POST", change->message.target, body, strlen(body), &request, &error);
        if (r == 0)
            wire_request_done(&request);
    } else {
        r = wire_answer_decode(change->call, change->status, body, strlen(body), &answer, &error);
        if (r == 0)
            wire_answer_done(&answer);
    }
    return r;
}

static void assert_root_taken(const struct change *change)
{
    char *body = json_dumps(change->root, 0);

    if (decoded(change, body) != 0)
        fail_msg("refused: %s", body);
    free(body);
}

#define GRANT LEASE_GRANT_MICRO_MAX

static void integers_go_to_their_bounds_and_no_further(void **state)
{
    static const struct { bool request; enum wire_call call; const char *pointer; int64_t min, max; } rows[] = {
        { true, WIRE_LEASES, "/epoch", 1, UINT32_MAX },        { true, WIRE_LEASES, "/want_micro", 1, GRANT },
        { true, WIRE_LEASES, "/head/seq", 0, INT64_MAX },      { true, WIRE_LEASES, "/open_lease_id", 0, INT64_MAX },
        { true, WIRE_LEASES, "/last_lease_id", 0, INT64_MAX }, { true, WIRE_USAGE, "/command", 0, INT64_MAX },
        { true, WIRE_PAPERS, "/epoch", 1, UINT32_MAX },        { false, WIRE_PAPERS, "/last_lease_id", 0, INT64_MAX },
        { true, WIRE_USAGE, "/epoch", 1, UINT32_MAX },         { true, WIRE_USAGE, "/head/seq", 44, INT64_MAX },
        { true, WIRE_CLOSE, "/epoch", 1, UINT32_MAX },         { true, WIRE_CLOSE, "/captured_micro", 0, GRANT },
        { true, WIRE_CLOSE, "/rest_micro", 0, GRANT },         { true, WIRE_CLOSE, "/head/seq", 0, INT64_MAX },
        { false, WIRE_ENROLL, "/epoch", 1, UINT32_MAX },       { false, WIRE_ENROLL, "/time_ms", 0, INT64_MAX },
        { false, WIRE_LEASES, "/account/available_micro", -INT64_MAX, INT64_MAX },
        { false, WIRE_USAGE, "/acked/seq", 0, INT64_MAX },     { false, WIRE_USAGE, "/commands", 0, INT64_MAX },
        { false, WIRE_CLOSE, "/lease_id", 1, INT64_MAX },      { false, WIRE_CLOSE, "/returned_micro", 0, GRANT },
        { false, WIRE_PRICES, "/version", 1, UINT32_MAX },     { false, WIRE_COMMANDS, "/commands/0/number", 1, 9 },
        { false, WIRE_COMMANDS, "/commands/5/number", 17, INT64_MAX },
        { false, WIRE_COMMANDS, "/commands/0/time_ms", 0, INT64_MAX },
        { false, WIRE_COMMANDS, "/commands/3/body/message_id", 1, INT64_MAX },
        { false, WIRE_COMMANDS, "/commands/3/body/part", 1, 255 },
        { false, WIRE_COMMANDS, "/commands/3/body/refers_seq", 1, INT64_MAX },
        { false, WIRE_COMMANDS, "/commands/3/body/units_micro", 1, JOURNAL_UNITS_MICRO_MAX },
        { false, WIRE_COMMANDS, "/commands/4/body/version", 1, UINT32_MAX },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool ordered = strstr(rows[i].pointer, "/number") != NULL;   /* told of the command that breaks the order */
        const char *pointer = strcmp(rows[i].pointer, "/commands/0/number") == 0 ? "/commands/1" : "/commands/5";
        struct change change;

        set_up_change(&change, rows[i].call, rows[i].request);
        set_at(change.root, rows[i].pointer, json_integer(rows[i].min));
        assert_root_taken(&change);
        set_at(change.root, rows[i].pointer, json_integer(rows[i].max));
        assert_root_taken(&change);
        set_at(change.root, rows[i].pointer, json_integer(rows[i].min - 1));
        assert_root_refused_at(&change, ordered && rows[i].min > 1 ? pointer : rows[i].pointer);
        if (rows[i].max < INT64_MAX) {
            set_at(change.root, rows[i].pointer, json_integer(rows[i].max + 1));
            assert_root_refused_at(&change, ordered ? pointer : rows[i].pointer);
        }
        tear_down_change(&change);
    }
}

static void a_number_that_no_integer_holds_is_refused_where_it_is(void **state)
{
    struct change change;

    (void)state;
    set_up_change(&change, WIRE_CLOSE, false);
    assert_refused_at(&change, "{\"protocol\":1,\"time_ms\":1,\"lease_id\":9223372036854775808,\"returned_micro\":1}", "/lease_id");
    assert_refused_at(&change, "{\"protocol\":1,\"time_ms\":1,\"lease_id\":1,\"returned_micro\":-99999999999999999999}", "/returned_micro");
    assert_refused_at(&change, "{\"protocol\":1,\"time_ms\":1,\"lease_id\":1,\"returned_micro\":1e999}", "/returned_micro");
    assert_refused_at(&change, "{\"protocol\":1,\"time_ms\":1,\"lease_id\":1.0,\"returned_micro\":1}", "/lease_id");
    tear_down_change(&change);
}

static void texts_go_to_their_bounds_and_no_further(void **state)
{
    static const struct { bool request; enum wire_call call; const char *pointer; size_t min, max; char c, bad; } rows[] = {
        { true, WIRE_ENROLL, "/token", 1, 128, 'Z', '.' },      { true, WIRE_ENROLL, "/csr", 1, 4096, '\n', '\t' },
        { true, WIRE_ENROLL, "/version", 1, 32, ' ', '\n' },    { true, WIRE_ENROLL, "/nonce", 32, 32, 'f', 'F' },
        { true, WIRE_ENROLL, "/hw_fingerprint", 64, 64, '0', 'g' },
        { true, WIRE_LEASES, "/request_id", 32, 32, '9', ':' }, { true, WIRE_LEASES, "/head/hash", 64, 64, 'a', 'A' },
        { true, WIRE_USAGE, "/head/hash", 64, 64, 'a', '`' },   { true, WIRE_USAGE, "/prev_hash", 64, 64, 'a', '/' },
        { false, WIRE_ENROLL, "/certificate", 1, 8192, '\r', 0x7F }, { false, WIRE_ENROLL, "/account", 1, 64, 'x', '\r' },
        { false, WIRE_ENROLL, "/box_id", 32, 32, 'b', 'B' },    { false, WIRE_ENROLL, "/account_key", 130, 130, '4', 'x' },
        { false, WIRE_USAGE, "/acked/hash", 64, 64, '0', 'O' }, { false, WIRE_PRICES, "/sha256", 64, 64, '0', 'O' },
        { false, WIRE_COMMANDS, "/commands/0/body/reason", 0, 160, 'r', 0x1F },
        { false, WIRE_COMMANDS, "/commands/0/signature", 128, 128, 'c', 'C' },
        { false, WIRE_COMMANDS, "/commands/4/body/sha256", 64, 64, 'c', 'C' },
        { false, WIRE_PRICES, "/csv", 1, WIRE_CSV_MAX, 'c', 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct change change;

        set_up_change(&change, rows[i].call, rows[i].request);
        set_at(change.root, rows[i].pointer, text_of(rows[i].c, rows[i].min));
        assert_root_taken(&change);
        set_at(change.root, rows[i].pointer, text_of(rows[i].c, rows[i].max));
        assert_root_taken(&change);
        set_at(change.root, rows[i].pointer, text_of(rows[i].c, rows[i].max + 1));
        assert_root_refused_at(&change, rows[i].pointer);
        if (rows[i].min > 0) {
            set_at(change.root, rows[i].pointer, text_of(rows[i].c, rows[i].min - 1));
            assert_root_refused_at(&change, rows[i].pointer);
        }
        if (rows[i].bad != 0) {
            set_at(change.root, rows[i].pointer, text_of(rows[i].bad, rows[i].min > 0 ? rows[i].min : 1));
            assert_root_refused_at(&change, rows[i].pointer);
        }
        tear_down_change(&change);
    }
}

static void an_encoder_refuses_what_its_decoder_would_refuse(void **state)
{
    struct wire_values values;
    struct wire_message message;
    struct wire_request request;
    struct wire_answer answer;
    const char *type;
    uint16_t status;
    char *body;
    size_t length;

    (void)state;
#define REFUSED_REQUEST(of, change)                                                              \
    do {                                                                                         \
        request = some_request(of, &values);                                                     \
        change;                                                                                  \
        assert_int_equal(wire_request_encode(&request, &message), -EINVAL);                      \
    } while (0)
#define REFUSED_ANSWER(of, change)                                                               \
    do {                                                                                         \
        answer = some_answer(of, &values);                                                       \
        change;                                                                                  \
        assert_int_equal(wire_answer_encode(&answer, &status, &type, &body, &length), -EINVAL);  \
    } while (0)
    REFUSED_REQUEST(WIRE_ENROLL, request.epoch = 1);
    REFUSED_REQUEST(WIRE_ENROLL, request.call = WIRE_CALLS);
    REFUSED_REQUEST(WIRE_ENROLL, request.enroll.token[0] = '\0');
    REFUSED_REQUEST(WIRE_ENROLL, request.enroll.token[2] = '+');
    REFUSED_REQUEST(WIRE_ENROLL, memset(request.enroll.token, 'x', sizeof request.enroll.token));
    REFUSED_REQUEST(WIRE_ENROLL, request.enroll.version[0] = '\xFF');
    REFUSED_REQUEST(WIRE_LEASES, request.epoch = 0);
    REFUSED_REQUEST(WIRE_LEASES, request.lease.want_micro = 0);
    REFUSED_REQUEST(WIRE_LEASES, request.lease.want_micro = GRANT + 1);
    REFUSED_REQUEST(WIRE_LEASES, request.lease.head.seq = UINT64_MAX);
    REFUSED_REQUEST(WIRE_USAGE, request.usage.from_seq = 0);
    REFUSED_REQUEST(WIRE_USAGE, request.usage.from_seq = 43);
    REFUSED_REQUEST(WIRE_USAGE, request.usage.head.seq = 43);
    REFUSED_REQUEST(WIRE_USAGE, request.usage.count = WIRE_ENTRIES_MAX + 1);
    REFUSED_REQUEST(WIRE_USAGE, values.entries[1].part = 0);
    REFUSED_REQUEST(WIRE_CLOSE, request.close.lease_id = 0);
    REFUSED_REQUEST(WIRE_CLOSE, request.close.rest_micro = -1);
    REFUSED_REQUEST(WIRE_COMMANDS, request.epoch = 0);
    REFUSED_REQUEST(WIRE_COMMANDS, request.commands.after = UINT64_MAX);
    REFUSED_REQUEST(WIRE_PRICES, request.prices.version = 0);
    REFUSED_ANSWER(WIRE_ENROLL, answer.time_ms = -1);
    REFUSED_ANSWER(WIRE_ENROLL, answer.enrolled.account[0] = '\0');
    REFUSED_ANSWER(WIRE_LEASES, answer.lease.lease.epoch = 0);
    REFUSED_ANSWER(WIRE_USAGE, answer.usage.commands = UINT64_MAX);
    REFUSED_ANSWER(WIRE_CLOSE, answer.closed.returned_micro = GRANT + 1);
    REFUSED_ANSWER(WIRE_COMMANDS, values.commands[2].number = values.commands[1].number);
    REFUSED_ANSWER(WIRE_COMMANDS, values.commands[0].kind = COMMAND_KINDS);
    REFUSED_ANSWER(WIRE_COMMANDS, values.commands[0].part = 1);
    REFUSED_ANSWER(WIRE_COMMANDS, values.commands[1].reason[0] = '\xFF');
    REFUSED_ANSWER(WIRE_COMMANDS, answer.commands.count = WIRE_COMMANDS_MAX + 1);
    REFUSED_ANSWER(WIRE_PRICES, answer.prices.csv = NULL);
    REFUSED_ANSWER(WIRE_PRICES, values.csv[0] = '\xFF');
    REFUSED_ANSWER(WIRE_USAGE, answer.problem.code = WIRE_GAP);
    REFUSED_ANSWER(WIRE_USAGE, answer.problem.code = WIRE_OTHER);
    REFUSED_ANSWER(WIRE_USAGE, (answer.problem.code = WIRE_FORK, answer.problem.detail[0] = '\n'));

    answer = some_answer(WIRE_PRICES, &values);
    answer.prices.csv = malloc(WIRE_CSV_MAX + 2);
    assert_non_null(answer.prices.csv);
    memset(answer.prices.csv, 'x', WIRE_CSV_MAX + 1);
    answer.prices.csv[WIRE_CSV_MAX + 1] = '\0';
    assert_int_equal(wire_answer_encode(&answer, &status, &type, &body, &length), -EMSGSIZE);
    memset(answer.prices.csv, '"', WIRE_CSV_MAX);
    answer.prices.csv[WIRE_CSV_MAX] = '\0';
    assert_int_equal(wire_answer_encode(&answer, &status, &type, &body, &length), -EMSGSIZE);
    free(answer.prices.csv);
}

/* -- parts ------------------------------------------------------------------------------------------------------------------ */

static void the_most_entries_and_commands_come_over_and_one_more_does_not(void **state)
{
    struct wire_values values;
    struct wire_request request = some_request(WIRE_USAGE, &values), back;
    struct wire_answer answer = some_answer(WIRE_COMMANDS, &values), told;
    struct command commands[WIRE_COMMANDS_MAX + 1];
    struct journal_head head = some_head(0);
    struct wire_error error = { 0 };
    struct wire_message message;
    struct text text;
    struct change change;
    json_t *one;

    (void)state;
    request.usage.entries = calloc(WIRE_ENTRIES_MAX, sizeof *request.usage.entries);
    request.usage.from_seq = 1;
    memcpy(request.usage.prev_hash, head.hash, sizeof head.hash);
    for (size_t i = 0; i < WIRE_ENTRIES_MAX; i++) {
        request.usage.entries[i] = values.entries[0];
        assert_int_equal(journal_append(&head, &request.usage.entries[i]), 0);
    }
    request.usage.count = WIRE_ENTRIES_MAX;
    request.usage.head = head;
    message = encoded(&request);
    assert_int_equal(wire_request_decode(message.method, message.target, message.body, message.length, &back, &error), 0);
    assert_int_equal(back.usage.count, WIRE_ENTRIES_MAX);
    assert_memory_equal(back.usage.entries[WIRE_ENTRIES_MAX - 1].hash, head.hash, sizeof head.hash);
    wire_request_done(&back);
    free(message.body);
    free(request.usage.entries);

    request.usage.entries = NULL;            /* none: it only asks */
    request.usage.count = 0;
    message = encoded(&request);
    assert_int_equal(wire_request_decode(message.method, message.target, message.body, message.length, &back, &error), 0);
    assert_int_equal(back.usage.count, 0);
    wire_request_done(&back);
    free(message.body);

    for (unsigned i = 0; i <= WIRE_COMMANDS_MAX; i++)
        commands[i] = some_command(COMMAND_REFUND, i + 1);
    answer.commands.commands = commands;
    answer.commands.count = WIRE_COMMANDS_MAX;
    text = answered(&answer);
    assert_true(text.length <= wire_answer_max(WIRE_COMMANDS));
    assert_int_equal(wire_answer_decode(WIRE_COMMANDS, 200, text.body, text.length, &told, &error), 0);
    assert_int_equal(told.commands.commands[WIRE_COMMANDS_MAX - 1].number, WIRE_COMMANDS_MAX);
    wire_answer_done(&told);
    set_up_change(&change, WIRE_COMMANDS, false);
    json_decref(change.root);
    change.root = json_loads(text.body, 0, NULL);
    one = json_deep_copy(json_array_get(json_object_get(change.root, "commands"), 0));
    json_object_set_new(one, "number", json_integer(65));
    json_array_append_new(json_object_get(change.root, "commands"), one);
    assert_root_refused_at(&change, "/commands");
    tear_down_change(&change);
    free(text.body);
}

static void entries_and_leases_that_are_none_are_refused(void **state)
{
    static const char *const wrong[] = { "AQE", "AQE=", "AQF=", " AQE=", "AQE=\n", "A-_=", "====", "AAAA" };
    struct change change;
    char *text, all[1024];

    (void)state;
    for (unsigned request = 0; request < 2; request++) {
        set_up_change(&change, request ? WIRE_USAGE : WIRE_LEASES, request != 0);
        snprintf(all, sizeof all, "%s", json_string_value(json_object_get(change.root, request ? "entries" : "lease")));
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            set_at(change.root, request ? "/entries" : "/lease", json_string(wrong[i]));
            assert_root_refused_at(&change, request ? "/entries" : "/lease");
        }
        for (size_t i = 0; i < (request ? 3 : 8); i++) {   /* the version; an entry's kind; the magic of a lease */
            text = strdup(all);
            text[i] = text[i] == 'B' ? 'C' : 'B';
            set_at(change.root, request ? "/entries" : "/lease", json_string(text));
            assert_root_refused_at(&change, request ? "/entries" : "/lease");
            free(text);
        }
        if (request) {
            set_at(change.root, "/entries", json_string(all));
            set_at(change.root, "/from_seq", json_integer(41));
            assert_root_refused_at(&change, "/entries");
            set_at(change.root, "/from_seq", json_integer(INT64_MAX));
            assert_root_refused_at(&change, "/entries");
        }
        tear_down_change(&change);
    }
}

static void a_command_has_the_body_of_its_kind_and_a_key_that_can_be_one(void **state)
{
    struct change change;

    (void)state;
    set_up_change(&change, WIRE_COMMANDS, false);
    set_at(change.root, "/commands/3/kind", json_string("freeze"));
    assert_root_refused_at(&change, "/commands/3/body/message_id");
    set_at(change.root, "/commands/3/kind", json_string("key"));
    assert_root_refused_at(&change, "/commands/3/body/account_key");
    set_at(change.root, "/commands/3/kind", json_string("refund"));
    assert_root_taken(&change);
    set_at(change.root, "/commands/5/body/account_key", text_of('3', 130));
    assert_root_refused_at(&change, "/commands/5");
    tear_down_change(&change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_that_is_missing_doubled_unknown_or_of_another_type_is_refused_where_it_is),
        cmocka_unit_test(integers_go_to_their_bounds_and_no_further),
        cmocka_unit_test(a_number_that_no_integer_holds_is_refused_where_it_is),
        cmocka_unit_test(texts_go_to_their_bounds_and_no_further),
        cmocka_unit_test(an_encoder_refuses_what_its_decoder_would_refuse),
        cmocka_unit_test(the_most_entries_and_commands_come_over_and_one_more_does_not),
        cmocka_unit_test(entries_and_leases_that_are_none_are_refused),
        cmocka_unit_test(a_command_has_the_body_of_its_kind_and_a_key_that_can_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
