/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /v1/messages: what is taken, what is refused and in which words. */
#include "tests/unit/api/rig.h"

#include <errno.h>

static const struct { const char *body; int status; const char *code, *pointer; } wrong_bodies[] = {
    { "", 400, "bad_json", NULL },
    { "{", 400, "bad_json", NULL },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",}", 400, "bad_json", NULL },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"text\":\"b\"}", 400, "bad_json", NULL },
    { "{\"to\":\"+40700000001\",\"text\":\"\xff\"}", 400, "bad_json", NULL },
    { "{\"to\":\"+40700000001\",\"text\":\"\xed\xa0\x80\"}", 400, "bad_json", NULL },
    { "{\"to\":\"+40700000001\",\"text\":\"\\ud800\"}", 400, "bad_json", NULL },
    { "{\"to\":\"+40700000001\",\"text\":\"a\"} x", 400, "bad_json", NULL },
    { "{\"to\":[[[[[[[[[[\"+40700000001\"]]]]]]]]]],\"text\":\"a\"}", 400, "bad_json", NULL },
    { "[]", 400, "wrong_type", "" },
    { "\"hello\"", 400, "bad_json", NULL },   /* jansson wants an array or object at the top */
    { "{}", 400, "missing_field", "/to" },
    { "{\"to\":\"+40700000001\"}", 400, "missing_field", "/text" },
    { "{\"text\":\"a\"}", 400, "missing_field", "/to" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"txet\":\"b\"}", 400, "unknown_field", "/txet" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"a/b~c\":1}", 400, "unknown_field", "/a~1b~0c" },
    { "{\"to\":40700000001,\"text\":\"a\"}", 400, "wrong_type", "/to" },
    { "{\"to\":[\"+40700000001\",40700000002],\"text\":\"a\"}", 400, "wrong_type", "/to/1" },
    { "{\"to\":[],\"text\":\"a\"}", 400, "bad_value", "/to" },
    { "{\"to\":null,\"text\":\"a\"}", 400, "wrong_type", "/to" },
    { "{\"to\":\"+40700000001\",\"text\":5}", 400, "wrong_type", "/text" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"priority\":10}", 400, "bad_value", "/priority" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"priority\":-1}", 400, "bad_value", "/priority" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"priority\":1.5}", 400, "wrong_type", "/priority" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"priority\":\"1\"}", 400, "wrong_type", "/priority" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"schedule_at\":\"tomorrow\"}", 400, "bad_value", "/schedule_at" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"schedule_at\":\"2025-12-31T10:00:00\"}", 400, "bad_value", "/schedule_at" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"schedule_at\":1764547200000}", 400, "bad_value", "/schedule_at" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"schedule_at\":true}", 400, "wrong_type", "/schedule_at" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"validity_s\":0}", 400, "bad_value", "/validity_s" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"validity_s\":38102401}", 400, "bad_value", "/validity_s" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"report\":\"yes\"}", 400, "wrong_type", "/report" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"class\":4}", 400, "bad_value", "/class" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"encoding\":\"utf8\"}", 400, "bad_value", "/encoding" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"policy\":\"twice\"}", 400, "bad_value", "/policy" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"policy\":\"\"}", 400, "bad_value", "/policy" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"policy\":1}", 400, "wrong_type", "/policy" },
    { "{\"messages\":[{\"to\":\"+40700000001\",\"text\":\"a\",\"policy\":null}]}", 400, "wrong_type", "/messages/0/policy" },
    { "{\"messages\":[{\"to\":\"+40700000001\",\"text\":\"a\"}],\"policy\":\"at_least_once\"}", 400, "unknown_field", "/policy" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"client_ref\":\"\"}", 400, "bad_value", "/client_ref" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"client_ref\":\"a\\u0000b\"}", 400, "bad_value", "/client_ref" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\",\"client_ref\":7}", 400, "wrong_type", "/client_ref" },
    { "{\"messages\":{}}", 400, "wrong_type", "/messages" },
    { "{\"messages\":[]}", 400, "bad_value", "/messages" },
    { "{\"messages\":[7]}", 400, "wrong_type", "/messages/0" },
    { "{\"messages\":[{\"to\":\"+40700000001\",\"text\":\"a\"},{\"to\":\"+40700000001\"}]}", 400, "missing_field", "/messages/1/text" },
    { "{\"messages\":[{\"to\":\"+40700000001\",\"text\":\"a\"},{\"to\":[1],\"text\":\"a\"}]}", 400, "wrong_type", "/messages/1/to/0" },
    { "{\"messages\":[{\"to\":\"+40700000001\",\"text\":\"a\"}],\"priority\":3}", 400, "unknown_field", "/priority" },
    { "{\"to\":\"hello\",\"text\":\"a\"}", 422, "bad_number", "/to" },
    { "{\"to\":\"\",\"text\":\"a\"}", 422, "bad_number", "/to" },
    { "{\"to\":\"+40700\\u0000000001\",\"text\":\"a\"}", 422, "bad_number", "/to" },
    { "{\"to\":\"+40700000001;\\r\",\"text\":\"a\"}", 422, "bad_number", "/to" },
    { "{\"to\":[\"x\"],\"text\":\"a\"}", 422, "bad_number", "/to/0" },
    { "{\"to\":\"0722123456\",\"text\":\"a\"}", 422, "bad_number", "/to" },
    { "{\"to\":\"+4070000000\",\"text\":\"a\"}", 422, "bad_number", "/to" },
    { "{\"to\":\"+999700000001\",\"text\":\"a\"}", 422, "bad_number", "/to" },
    { "{\"to\":\"+40906123456\",\"text\":\"a\"}", 422, "premium_number", "/to" },
    { "{\"to\":\"+40213101234\",\"text\":\"a\"}", 422, "fixed_line", "/to" },
    { "{\"to\":[\"x\",\"y\"],\"text\":\"a\"}", 422, "all_rejected", NULL },
    { "{\"to\":\"+40700000001\",\"text\":\"\"}", 422, "empty_text", "/text" },
    { "{\"to\":[\"+40700000001\",\"+40700000002\"],\"text\":\"\"}", 422, "empty_text", "/text" },
    { "{\"to\":\"+40700000001\",\"text\":\"a\\u0000b\"}", 422, "nul_in_text", "/text" },
    { "{\"to\":\"+40700000001\",\"text\":\"x \xc8\x99\",\"encoding\":\"gsm7\"}", 422, "not_in_alphabet", "/text" },
    { "{\"messages\":[{\"to\":\"+40700000001\",\"text\":\"\"}]}", 422, "empty_text", "/messages/0/text" },
};

static void a_wrong_body_is_refused_with_a_code_and_a_pointer_and_leaves_nothing_behind(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof wrong_bodies / sizeof wrong_bodies[0]; i++) {
        answer = ask_send(rig, wrong_bodies[i].body);
        if (answer.response.status != wrong_bodies[i].status)
            print_error("row %zu: %s\n", i, wrong_bodies[i].body);
        assert_problem(&answer, wrong_bodies[i].status, wrong_bodies[i].code, wrong_bodies[i].pointer);
        answer_done(&answer);
    }
    answer = ask_get(rig, "/v1/messages", NULL);
    assert_int_equal(json_array_size(at(&answer, "messages")), 0);
    answer_done(&answer);
    rig_free(rig);
}

static void json_errors_name_line_and_column(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_send(rig, "{\"to\": \"+40700000001\",\n \"text\": }");

    (void)state;
    assert_problem(&answer, 400, "bad_json", NULL);
    assert_int_equal(number_at(&answer, "line"), 2);
    assert_true(number_at(&answer, "column") > 0);
    answer_done(&answer);
    rig_free(rig);
}

static void a_message_is_accepted_with_id_parts_encoding_and_state(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_send(rig, "{\"to\":\"+40700000001\",\"text\":\"hello\"}");
    char location[96];

    (void)state;
    assert_int_equal(answer.response.status, 202);
    assert_int_equal(json_array_size(at(&answer, "messages")), 1);
    assert_string_equal(text_at(&answer, "messages/0/to"), "+40700000001");
    assert_int_equal(number_at(&answer, "messages/0/parts"), 1);
    assert_string_equal(text_at(&answer, "messages/0/encoding"), "gsm7");
    assert_string_equal(text_at(&answer, "messages/0/state"), "queued");
    assert_non_null(strstr(text_at(&answer, "batch"), "ab12-b"));
    (void)snprintf(location, sizeof location, "/v1/messages/%s", text_at(&answer, "messages/0/id"));
    assert_string_equal(answer.response.location, location);
    answer_done(&answer);
    rig_free(rig);
}

static const struct { const char *text, *encoding; int parts; const char *options; } texts[] = {
    { "plain", "gsm7", 1, "" },
    { "\xe2\x82\xac 5", "gsm7", 1, "" },                          /* the euro sign is in the extension table */
    { "Bun\xc4\x83 ziua", "ucs2", 1, "" },
    { "plain", "ucs2", 1, ",\"encoding\":\"ucs2\"" },
    { "\xf0\x9f\x98\x80", "ucs2", 1, "" },
};

static void the_encoding_follows_the_text_or_the_wish(void **state)
{
    struct rig *rig = rig_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char body[256];
        struct answer answer;
        (void)snprintf(body, sizeof body, "{\"to\":\"+40700000001\",\"text\":\"%s\"%s}", texts[i].text, texts[i].options);
        answer = ask_send(rig, body);
        assert_string_equal(text_at(&answer, "messages/0/encoding"), texts[i].encoding);
        assert_int_equal(number_at(&answer, "messages/0/parts"), texts[i].parts);
        answer_done(&answer);
    }
    rig_free(rig);
}

static char *long_text_body(const char *to, size_t characters)
{
    size_t size = characters + strlen(to) + 64;
    char *body = malloc(size);
    int used = snprintf(body, size, "{\"to\":\"%s\",\"text\":\"", to);

    memset(body + used, 'a', characters);
    (void)snprintf(body + used + characters, size - (size_t)used - characters, "\"}");
    return body;
}

static void a_text_of_too_many_parts_names_the_needed_and_the_allowed(void **state)
{
    struct rig *rig = rig_new(NULL);
    static const struct { size_t characters; int status, parts; } rows[] = {
        { 160, 202, 1 }, { 161, 202, 2 }, { 1530, 202, 10 }, { 1531, 422, 11 }, { 40001, 422, 262 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *body = long_text_body("+40700000001", rows[i].characters);
        struct answer answer = ask_send(rig, body);
        assert_int_equal(answer.response.status, rows[i].status);
        if (rows[i].status == 202) {
            assert_int_equal(number_at(&answer, "messages/0/parts"), rows[i].parts);
        } else {
            assert_problem(&answer, 422, "too_many_parts", "/text");
            assert_int_equal(number_at(&answer, "needed"), rows[i].parts);
            assert_int_equal(number_at(&answer, "allowed"), 10);
        }
        answer_done(&answer);
        free(body);
    }
    rig_free(rig);
}

static void a_character_outside_the_alphabet_is_named_with_its_place(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_send(rig, "{\"to\":\"+40700000001\",\"text\":\"\xc3\xa9t\xc3\xa9 \xc8\x99i\",\"encoding\":\"gsm7\"}");

    (void)state;
    assert_problem(&answer, 422, "not_in_alphabet", "/text");
    assert_string_equal(text_at(&answer, "character"), "\xc8\x99");
    assert_string_equal(text_at(&answer, "code_point"), "U+0219");
    assert_int_equal(number_at(&answer, "offset"), 4);   /* in characters */
    answer_done(&answer);
    rig_free(rig);
}

static void numbers_are_read_as_people_of_the_country_of_the_box_write_them(void **state)
{
    struct rig *rig = rig_new(&(struct api_config){ .country = "RO" });
    struct answer answer = ask_send(rig, "{\"to\":[\"0722 000-003\",\"0049 171 2345678\",\"+40 (0)722 000 005\",\"1234\",\"0722 00 00\"],\"text\":\"a\"}");

    (void)state;
    assert_int_equal(answer.response.status, 202);
    assert_string_equal(text_at(&answer, "messages/0/to"), "+40722000003");
    assert_string_equal(text_at(&answer, "messages/1/to"), "+491712345678");
    assert_string_equal(text_at(&answer, "messages/2/to"), "+40722000005");
    assert_string_equal(text_at(&answer, "messages/3/to"), "1234");
    assert_string_equal(text_at(&answer, "messages/4/state"), "rejected");
    assert_non_null(strstr(text_at(&answer, "messages/4/error/detail"), "numbers of Romania have"));
    answer_done(&answer);
    /* A filter finds them in the same ways. */
    answer = ask_get(rig, "/v1/messages", "to=0722000003");
    assert_string_equal(text_at(&answer, "messages/0/to"), "+40722000003");
    answer_done(&answer);
    rig_free(rig);
}

static void premium_numbers_and_fixed_lines_are_rejected_before_they_cost(void **state)
{
    static const char body[] = "{\"to\":[\"+40906123456\",\"+40213101234\",\"+40722000001\"],\"text\":\"a\"}";
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_send(rig, body);

    (void)state;
    assert_int_equal(answer.response.status, 202);
    assert_string_equal(text_at(&answer, "messages/0/state"), "rejected");
    assert_string_equal(text_at(&answer, "messages/0/to"), "+40906123456");
    assert_string_equal(text_at(&answer, "messages/0/error/code"), "premium_number");
    assert_string_equal(text_at(&answer, "messages/1/state"), "rejected");
    assert_string_equal(text_at(&answer, "messages/1/error/code"), "fixed_line");
    assert_string_equal(text_at(&answer, "messages/2/state"), "queued");
    answer_done(&answer);
    rig_free(rig);

    rig = rig_new(&(struct api_config){ .fixed_lines = true });
    answer = ask_send(rig, body);
    assert_string_equal(text_at(&answer, "messages/0/error/code"), "premium_number");
    assert_string_equal(text_at(&answer, "messages/1/state"), "queued");
    answer_done(&answer);
    rig_free(rig);
}

static void a_bad_number_rejects_its_own_entry_and_no_other(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_send(rig, "{\"to\":[\"+40700000001\",\"nonsense\",\"(0722) 000-003\",\"+40 722 000-004\",\"1234\"],"
                                            "\"text\":\"hello\"}"), one;
    char path[64];

    (void)state;
    assert_int_equal(answer.response.status, 202);
    assert_string_equal(text_at(&answer, "messages/0/state"), "queued");
    assert_string_equal(text_at(&answer, "messages/1/state"), "rejected");
    assert_string_equal(text_at(&answer, "messages/1/to"), "nonsense");
    assert_string_equal(text_at(&answer, "messages/1/error/code"), "bad_number");
    assert_null(at(&answer, "messages/1/parts"));
    assert_string_equal(text_at(&answer, "messages/2/to"), "(0722) 000-003");
    assert_string_equal(text_at(&answer, "messages/2/error/code"), "bad_number");
    assert_non_null(strstr(text_at(&answer, "messages/2/error/detail"), "set country in [gateway])"));
    assert_string_equal(text_at(&answer, "messages/3/to"), "+40722000004");
    assert_string_equal(text_at(&answer, "messages/3/state"), "queued");
    assert_string_equal(text_at(&answer, "messages/4/to"), "1234");
    assert_string_equal(text_at(&answer, "messages/4/state"), "queued");
    assert_non_null(strstr(answer.response.location, "/v1/messages?batch="));

    (void)snprintf(path, sizeof path, "/v1/messages/%s", text_at(&answer, "messages/1/id"));
    one = ask_get(rig, path, NULL);
    assert_string_equal(text_at(&one, "state"), "rejected");
    assert_non_null(strstr(text_at(&one, "reason"), "nonsense"));
    answer_done(&one);
    answer_done(&answer);
    rig_free(rig);
}

static void different_texts_go_in_one_batch_and_a_bad_text_rejects_its_own_entry(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_send(rig, "{\"messages\":[{\"to\":\"+40700000001\",\"text\":\"one\",\"client_ref\":\"r1\"},"
                                         "{\"to\":[\"+40700000002\",\"+40700000003\"],\"text\":\"\"},"
                                         "{\"to\":\"+40700000004\",\"text\":\"\xc8\x99\",\"priority\":9,\"class\":0}]}");

    (void)state;
    assert_int_equal(answer.response.status, 202);
    assert_int_equal(json_array_size(at(&answer, "messages")), 4);
    assert_string_equal(text_at(&answer, "messages/0/state"), "queued");
    assert_string_equal(text_at(&answer, "messages/1/error/code"), "empty_text");
    assert_string_equal(text_at(&answer, "messages/2/error/code"), "empty_text");
    assert_string_equal(text_at(&answer, "messages/3/encoding"), "ucs2");
    answer_done(&answer);
    rig_free(rig);
}

static void where_every_entry_is_bad_the_422_lists_each(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_send(rig, "{\"messages\":[{\"to\":\"x\",\"text\":\"a\"},{\"to\":\"+40700000001\",\"text\":\"\xc8\x99\",\"encoding\":\"gsm7\"}]}");

    (void)state;
    assert_problem(&answer, 422, "all_rejected", NULL);
    assert_int_equal(json_array_size(at(&answer, "errors")), 2);
    assert_string_equal(text_at(&answer, "errors/0/pointer"), "/messages/0/to");
    assert_string_equal(text_at(&answer, "errors/1/pointer"), "/messages/1/text");
    assert_string_equal(text_at(&answer, "errors/1/character"), "\xc8\x99");
    answer_done(&answer);
    rig_free(rig);
}

static char *many_recipients_body(unsigned count)
{
    size_t size = 64 + count * 16, used;
    char *body = malloc(size);

    used = (size_t)snprintf(body, size, "{\"text\":\"hello\",\"to\":[");
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(body + used, size - used, "%s\"+407%08u\"", i ? "," : "", i);
    (void)snprintf(body + used, size - used, "]}");
    return body;
}

static void ten_thousand_recipients_are_taken_and_one_more_is_not(void **state)
{
    struct rig *rig = rig_new(NULL);
    char *body = many_recipients_body(API_RECIPIENTS_MAX), *more = many_recipients_body(API_RECIPIENTS_MAX + 1);
    struct answer answer = ask_send(rig, more);

    (void)state;
    assert_problem(&answer, 422, "too_many_recipients", "");
    answer_done(&answer);
    answer = ask_send(rig, body);
    assert_int_equal(answer.response.status, 202);
    assert_int_equal(json_array_size(at(&answer, "messages")), API_RECIPIENTS_MAX);
    assert_string_equal(text_at(&answer, "messages/9999/to"), "+40700009999");
    answer_done(&answer);
    free(body);
    free(more);
    rig_free(rig);
}

static void a_repeated_idempotency_key_gets_the_same_answer_and_sends_nothing_again(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct ask asked = { .method = "POST", .path = "/v1/messages", .body = "{\"to\":[\"+40700000001\",\"bad\"],\"text\":\"hello\"}",
                         .idempotency_key = "order-17" };
    struct answer first = ask(rig, &asked), second, list, other;

    (void)state;
    assert_int_equal(first.response.status, 202);
    assert_false(first.response.replayed);
    rig->now_ms += 5000;
    second = ask(rig, &asked);
    assert_int_equal(second.response.status, 202);
    assert_true(second.response.replayed);
    assert_string_equal(first.response.body, second.response.body);
    assert_string_equal(first.response.location, second.response.location);
    list = ask_get(rig, "/v1/messages", NULL);
    assert_int_equal(json_array_size(at(&list, "messages")), 2);

    asked.body = "{\"to\":\"+40700000001\",\"text\":\"other\"}";
    other = ask(rig, &asked);
    assert_problem(&other, 422, "idempotency_mismatch", NULL);
    answer_done(&first);
    answer_done(&second);
    answer_done(&list);
    answer_done(&other);
    rig_free(rig);
}

static void an_idempotency_key_is_visible_ascii_of_bounded_length(void **state)
{
    struct rig *rig = rig_new(NULL);
    char long_key[257], fitting_key[256];
    const struct { const char *key; int status; } rows[] = {
        { "", 400 }, { "a b", 400 }, { "\xc3\xa9", 400 }, { long_key, 400 }, { fitting_key, 202 }, { "\"quoted\"", 202 },
    };

    (void)state;
    memset(long_key, 'k', 256);
    long_key[256] = '\0';
    memset(fitting_key, 'k', 255);
    fitting_key[255] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/messages", .idempotency_key = rows[i].key,
                                                       .body = "{\"to\":\"+40700000001\",\"text\":\"a\"}" });
        assert_int_equal(answer.response.status, rows[i].status);
        if (rows[i].status == 400)
            assert_problem(&answer, 400, "bad_idempotency_key", NULL);
        answer_done(&answer);
    }
    rig_free(rig);
}

static void what_a_message_asks_for_is_kept(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;
    char id[ID_TEXT_MAX], path[64];

    (void)state;
    rig_send(rig, "{\"to\":\"0040 700.000-001\",\"text\":\"later\",\"schedule_at\":\"2025-12-01T03:00:00+02:00\",\"validity_s\":3600,"
                  "\"priority\":7,\"class\":1,\"report\":false,\"client_ref\":\"inv/9\"}", id);
    (void)snprintf(path, sizeof path, "/v1/messages/%s", id);
    answer = ask_get(rig, path, NULL);
    assert_string_equal(text_at(&answer, "to"), "+40700000001");
    assert_string_equal(text_at(&answer, "state"), "scheduled");
    assert_string_equal(text_at(&answer, "schedule_at"), "2025-12-01T01:00:00.000Z");
    assert_string_equal(text_at(&answer, "expires_at"), "2025-12-01T02:00:00.000Z");
    assert_string_equal(text_at(&answer, "accepted_at"), "2025-12-01T00:00:00.000Z");
    assert_int_equal(number_at(&answer, "priority"), 7);
    assert_int_equal(number_at(&answer, "class"), 1);
    assert_true(json_is_false(at(&answer, "report")));
    assert_string_equal(text_at(&answer, "client_ref"), "inv/9");
    assert_string_equal(text_at(&answer, "actor"), "uid:1000");
    answer_done(&answer);
    rig_free(rig);
}

static void a_message_goes_at_most_once_unless_its_entry_says_otherwise(void **state)
{
    static const char *const policies[] = { "at_most_once", "at_least_once", "at_most_once", "at_least_once" };
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_send(rig, "{\"messages\":[{\"to\":\"+40700000001\",\"text\":\"a\"},"
                                         "{\"to\":\"+40700000002\",\"text\":\"a\",\"policy\":\"at_least_once\"},"
                                         "{\"to\":\"+40700000003\",\"text\":\"a\",\"policy\":\"at_most_once\"}]}");
    char at_path[32], path[64], id[ID_TEXT_MAX];

    (void)state;
    assert_int_equal(answer.response.status, 202);
    answer_done(&answer);
    rig_send(rig, "{\"to\":\"+40700000004\",\"text\":\"a\",\"policy\":\"at_least_once\"}", id);
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        (void)snprintf(path, sizeof path, "/v1/messages/%zu", i + 1);
        answer = ask_get(rig, path, NULL);
        assert_string_equal(text_at(&answer, "policy"), policies[i]);
        answer_done(&answer);
    }
    answer = ask_get(rig, "/v1/messages", NULL);   /* newest first */
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        (void)snprintf(at_path, sizeof at_path, "messages/%zu/policy", i);
        assert_string_equal(text_at(&answer, at_path), policies[sizeof policies / sizeof policies[0] - 1 - i]);
    }
    answer_done(&answer);
    rig_free(rig);
}

static void a_time_that_is_over_means_now(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_send(rig, "{\"to\":\"+40700000001\",\"text\":\"a\",\"schedule_at\":1700000000}");

    (void)state;
    assert_string_equal(text_at(&answer, "messages/0/state"), "queued");
    answer_done(&answer);
    rig_free(rig);
}

static void a_national_table_is_named_where_it_was_used(void **state)
{
    struct rig *rig = rig_new(&(struct api_config){ .national = 1u << 1 });   /* Turkish */
    char body[512], text[256] = "";
    struct answer answer;

    (void)state;
    for (int i = 0; i < 75; i++)
        strcat(text, "\xc5\x9f");   /* 75 times s with cedilla: 75 units of UCS-2 make two parts */
    (void)snprintf(body, sizeof body, "{\"to\":\"+40700000001\",\"text\":\"%s\"}", text);
    answer = ask_send(rig, body);
    assert_string_equal(text_at(&answer, "messages/0/encoding"), "gsm7");
    assert_int_equal(number_at(&answer, "messages/0/parts"), 1);
    assert_true(json_object_size(at(&answer, "messages/0/national")) > 0);
    answer_done(&answer);
    rig_free(rig);
}

static void while_storage_is_away_new_messages_are_refused_with_retry_after(void **state)
{
    struct rig *rig = rig_new(NULL);
    const char *body = "{\"to\":\"+40700000001\",\"text\":\"a\"}";
    static const struct { int error; const char *code; } rows[] = { { -ENOSPC, "storage_full" }, { -EIO, "storage_error" } };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct answer answer;
        rig->refusing = "the disk is full";
        rig->intake_error = rows[i].error;
        answer = ask_send(rig, body);
        assert_problem(&answer, 503, rows[i].code, NULL);
        assert_non_null(strstr(text_at(&answer, "detail"), "the disk is full"));
        assert_true(answer.response.retry_after_s > 0);
        answer_done(&answer);

        rig->refusing = NULL;
        rig->store_error = rows[i].error;   /* found out at the commit */
        answer = ask_send(rig, body);
        assert_problem(&answer, 503, rows[i].code, NULL);
        assert_true(answer.response.retry_after_s > 0);
        answer_done(&answer);
        rig->store_error = 0;
    }
    rig_free(rig);
}

static void a_body_that_is_not_json_is_415_and_one_over_8_mib_413(void **state)
{
    struct rig *rig = rig_new(NULL);
    static const struct { const char *type; int status; } rows[] = {
        { NULL, 202 }, { "application/json", 202 }, { "Application/JSON; charset=utf-8", 202 },
        { "text/plain", 415 }, { "application/x-www-form-urlencoded", 202 }, { "multipart/form-data", 415 }, { "application/jsonp", 415 }, { "", 415 },
    };
    char *large = long_text_body("+40700000001", API_BODY_BYTES_MAX);
    struct answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/messages", .content_type = rows[i].type,
                                         .body = "{\"to\":\"+40700000001\",\"text\":\"a\"}" });
        assert_int_equal(answer.response.status, rows[i].status);
        answer_done(&answer);
    }
    answer = ask_send(rig, large);
    assert_problem(&answer, 413, "body_too_large", NULL);
    answer_done(&answer);
    free(large);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_body_is_refused_with_a_code_and_a_pointer_and_leaves_nothing_behind),
        cmocka_unit_test(json_errors_name_line_and_column),
        cmocka_unit_test(a_message_is_accepted_with_id_parts_encoding_and_state),
        cmocka_unit_test(the_encoding_follows_the_text_or_the_wish),
        cmocka_unit_test(a_text_of_too_many_parts_names_the_needed_and_the_allowed),
        cmocka_unit_test(a_character_outside_the_alphabet_is_named_with_its_place),
        cmocka_unit_test(a_bad_number_rejects_its_own_entry_and_no_other),
        cmocka_unit_test(numbers_are_read_as_people_of_the_country_of_the_box_write_them),
        cmocka_unit_test(premium_numbers_and_fixed_lines_are_rejected_before_they_cost),
        cmocka_unit_test(different_texts_go_in_one_batch_and_a_bad_text_rejects_its_own_entry),
        cmocka_unit_test(where_every_entry_is_bad_the_422_lists_each),
        cmocka_unit_test(ten_thousand_recipients_are_taken_and_one_more_is_not),
        cmocka_unit_test(a_repeated_idempotency_key_gets_the_same_answer_and_sends_nothing_again),
        cmocka_unit_test(an_idempotency_key_is_visible_ascii_of_bounded_length),
        cmocka_unit_test(what_a_message_asks_for_is_kept),
        cmocka_unit_test(a_message_goes_at_most_once_unless_its_entry_says_otherwise),
        cmocka_unit_test(a_time_that_is_over_means_now),
        cmocka_unit_test(a_national_table_is_named_where_it_was_used),
        cmocka_unit_test(while_storage_is_away_new_messages_are_refused_with_retry_after),
        cmocka_unit_test(a_body_that_is_not_json_is_415_and_one_over_8_mib_413),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
