/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes, keys and scopes: who may ask what. */
#include "tests/unit/api/rig.h"

#include <errno.h>

static void new_key(struct rig *rig, const char *body, char ret_key[64])
{
    struct answer answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/keys", .body = body });

    assert_int_equal(answer.response.status, 201);
    (void)snprintf(ret_key, 64, "%s", text_at(&answer, "key"));
    answer_done(&answer);
}

static void an_unknown_address_is_404_and_a_wrong_method_405_with_the_right_ones(void **state)
{
    static const struct { const char *method, *path, *allow; int status; } rows[] = {
        { "GET", "/", "", 404 }, { "GET", "/v1", "", 404 }, { "GET", "/v1/messages/", "", 404 }, { "GET", "/v1/messages/a/b", "", 404 },
        { "GET", "/v1/Messages", "", 404 }, { "GET", "/v1/messages%2F1", "", 404 }, { "GET", "/v1/messages/%00", "", 404 },
        { "GET", "/v1/messages/%4", "", 404 },
        { "PUT", "/v1/messages", "POST, GET, HEAD", 405 }, { "POST", "/v1/messages/1", "GET, HEAD, DELETE", 405 },
        { "GET", "/v1/messages/1/cancel", "POST", 405 }, { "OPTIONS", "/metrics", "GET, HEAD", 405 }, { "DELETE", "/v1/keys", "GET, HEAD, POST", 405 },
    };
    struct rig *rig = rig_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = ask(rig, &(struct ask){ .method = rows[i].method, .path = rows[i].path });
        assert_problem(&answer, rows[i].status, rows[i].status == 404 ? "no_such_path" : "method_not_allowed", NULL);
        assert_string_equal(answer.response.allow, rows[i].allow);
        answer_done(&answer);
    }
    rig_free(rig);
}

static void head_is_answered_like_get(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask(rig, &(struct ask){ .method = "HEAD", .path = "/v1/messages" });

    (void)state;
    assert_int_equal(answer.response.status, 200);
    answer_done(&answer);
    rig_free(rig);
}

static void without_a_key_tcp_gets_nothing_but_health(void **state)
{
    struct rig *rig = rig_new(NULL);
    size_t count;
    const struct api_route *routes = api_routes(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char path[64];
        struct answer answer;
        (void)snprintf(path, sizeof path, "%s", routes[i].pattern);
        for (char *c = path; *c; c++)
            if (*c == '{' || *c == '}')
                *c = 'x';
        answer = ask(rig, &(struct ask){ .method = routes[i].method, .path = path, .key = "" });
        if (strcmp(path, "/healthz") == 0) {
            assert_int_equal(answer.response.status, 200);
        } else {
            assert_problem(&answer, 401, "no_key", NULL);
            assert_true(answer.response.unauthorized);
        }
        answer_done(&answer);
        answer = ask(rig, &(struct ask){ .method = routes[i].method, .path = path, .key = "cp_wrong" });
        if (routes[i].scope)
            assert_problem(&answer, 401, "bad_key", NULL);
        answer_done(&answer);
    }
    rig_free(rig);
}

static void a_key_opens_what_its_scopes_name_and_nothing_else(void **state)
{
    static const struct { const char *scope; unsigned bit; } scopes[] = {
        { "send", API_SCOPE_SEND }, { "read", API_SCOPE_READ }, { "inbox", API_SCOPE_INBOX }, { "admin", API_SCOPE_ADMIN },
    };
    struct rig *rig = rig_new(NULL);
    size_t count;
    const struct api_route *routes = api_routes(&count);

    (void)state;
    for (size_t k = 0; k < 4; k++) {
        char key[64], body[128];
        (void)snprintf(body, sizeof body, "{\"name\":\"only-%s\",\"scopes\":[\"%s\"]}", scopes[k].scope, scopes[k].scope);
        new_key(rig, body, key);
        for (size_t i = 0; i < count; i++) {
            char path[64];
            struct answer answer;
            (void)snprintf(path, sizeof path, "%s", routes[i].pattern);
            for (char *c = path; *c; c++)
                if (*c == '{' || *c == '}')
                    *c = 'x';
            answer = ask(rig, &(struct ask){ .method = routes[i].method, .path = path, .key = key });
            if (routes[i].scope && !(routes[i].scope & scopes[k].bit))
                assert_problem(&answer, 403, "scope_missing", NULL);
            else
                assert_true(answer.response.status != 403 && answer.response.status != 401);
            answer_done(&answer);
        }
    }
    rig_free(rig);
}

static void a_key_has_256_bits_is_shown_once_and_sends_under_its_name(void **state)
{
    struct rig *rig = rig_new(NULL);
    char key[64], path[64];
    struct answer answer;

    (void)state;
    new_key(rig, "{\"name\":\"shop.1\"}", key);
    assert_int_equal(strlen(key), 3 + 43);
    assert_memory_equal(key, "cp_", 3);
    answer = ask_get(rig, "/v1/keys", NULL);
    assert_null(strstr(answer.response.body, key));
    assert_null(strstr(answer.response.body, key + 3));
    assert_string_equal(text_at(&answer, "keys/0/name"), "shop.1");
    assert_int_equal(json_array_size(at(&answer, "keys/0/scopes")), 3);   /* all but admin */
    answer_done(&answer);

    answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/messages", .key = key, .body = "{\"to\":\"+40700000001\",\"text\":\"a\"}" });
    assert_int_equal(answer.response.status, 202);
    (void)snprintf(path, sizeof path, "/v1/messages/%s", text_at(&answer, "messages/0/id"));
    answer_done(&answer);
    answer = ask(rig, &(struct ask){ .method = "GET", .path = path, .key = key });
    assert_string_equal(text_at(&answer, "actor"), "key:shop.1");
    answer_done(&answer);
    rig_free(rig);
}

static void the_secret_of_a_key_is_nowhere_in_the_database(void **state)
{
    struct rig *rig = rig_new(NULL);
    static const char *const suffixes[] = { "", "-wal" };
    char key[64];

    (void)state;
    new_key(rig, "{\"name\":\"shop\"}", key);
    for (size_t i = 0; i < 2; i++) {
        char path[128], *bytes = malloc(4 << 20);
        FILE *file;
        size_t length;
        (void)snprintf(path, sizeof path, "%s%s", rig->database, suffixes[i]);
        file = fopen(path, "r");
        assert_non_null(file);
        length = fread(bytes, 1, 4 << 20, file);
        (void)fclose(file);
        assert_true(length > 0);
        assert_null(memmem(bytes, length, key + 3, strlen(key) - 3));
        free(bytes);
    }
    rig_free(rig);
}

static void entropy_becomes_base64url(void **state)
{
    struct rig *rig = rig_new(NULL);
    char key[64];

    (void)state;
    rig->entropy = 0xFA;   /* 32 times FB: 43 characters, the last of 4 bits */
    new_key(rig, "{\"name\":\"shop\"}", key);
    assert_string_equal(key, "cp_-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
    rig_free(rig);
}

static const struct { const char *body; int status; const char *code, *pointer; } wrong_keys[] = {
    { "{}", 400, "missing_field", "/name" },
    { "{\"name\":1}", 400, "wrong_type", "/name" },
    { "{\"name\":\"\"}", 400, "bad_value", "/name" },
    { "{\"name\":\"a b\"}", 400, "bad_value", "/name" },
    { "{\"name\":\"../x\"}", 400, "bad_value", "/name" },
    { "{\"name\":\"a\\u0000\"}", 400, "bad_value", "/name" },
    { "{\"name\":\"012345678901234567890123456789012345678901234567\"}", 400, "bad_value", "/name" },
    { "{\"name\":\"a\",\"scopes\":\"send\"}", 400, "wrong_type", "/scopes" },
    { "{\"name\":\"a\",\"scopes\":[]}", 400, "bad_value", "/scopes" },
    { "{\"name\":\"a\",\"scopes\":[\"send\",\"root\"]}", 400, "bad_value", "/scopes/1" },
    { "{\"name\":\"a\",\"scopes\":[1]}", 400, "wrong_type", "/scopes/0" },
    { "{\"name\":\"a\",\"scope\":[\"send\"]}", 400, "unknown_field", "/scope" },
    { "{\"name\":\"a\",\"patience_s\":-1}", 400, "bad_value", "/patience_s" },
    { "{\"name\":\"a\",\"patience_s\":38102401}", 400, "bad_value", "/patience_s" },
    { "{\"name\":\"a\",\"patience_s\":\"10m\"}", 400, "wrong_type", "/patience_s" },
    { "{\"name\":\"a\",\"patience_s\":null}", 400, "wrong_type", "/patience_s" },
    { "{\"name\":\"taken\"}", 409, "key_exists", NULL },
};

static void a_wrong_key_request_is_refused(void **state)
{
    struct rig *rig = rig_new(NULL);
    char key[64];

    (void)state;
    new_key(rig, "{\"name\":\"taken\"}", key);
    for (size_t i = 0; i < sizeof wrong_keys / sizeof wrong_keys[0]; i++) {
        struct answer answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/keys", .body = wrong_keys[i].body });
        assert_problem(&answer, wrong_keys[i].status, wrong_keys[i].code, wrong_keys[i].pointer);
        answer_done(&answer);
    }
    rig_free(rig);
}

/* Of a message that this key sends, as the database has it. */
static uint32_t patience_kept(const char *key_body, const char *member)
{
    struct rig *rig = rig_new(NULL);
    struct store_change *list = change_new(CHANGE_FETCH, NOW_MS);
    char key[64] = "", body[128];
    struct answer answer;
    uint32_t patience_s;

    if (key_body)
        new_key(rig, key_body, key);
    (void)snprintf(body, sizeof body, "{\"to\":\"+40722000001\",\"text\":\"a\"%s}", member);
    answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/messages", .key = key_body ? key : NULL, .body = body });
    assert_int_equal(answer.response.status, 202);
    answer_done(&answer);
    list->u.fetch.after_priority = MESSAGE_PRIORITY_MAX;
    list->u.fetch.limit = 10;
    rig_apply(rig, list);
    assert_int_equal(list->u.fetch.item_count, 1);
    patience_s = list->u.fetch.items[0].patience_s;
    change_free(list);
    rig_free(rig);
    return patience_s;
}

static void a_message_that_does_not_say_has_the_patience_of_its_key(void **state)
{
    static const struct { const char *key, *member; uint32_t patience_s; } rows[] = {
        { "{\"name\":\"a\",\"patience_s\":600}", "", 600 },
        { "{\"name\":\"a\",\"patience_s\":600}", ",\"patience_s\":30", 30 },
        { "{\"name\":\"a\",\"patience_s\":600}", ",\"patience_s\":0", 0 },
        { "{\"name\":\"a\",\"patience_s\":0}", "", 0 },                       /* now, whatever its route says */
        { "{\"name\":\"a\",\"patience_s\":0}", ",\"patience_s\":30", 30 },
        { "{\"name\":\"a\",\"patience_s\":38102400}", "", 38102400 },
        { "{\"name\":\"a\"}", "", MESSAGE_PATIENCE_AS_ROUTED },
        { "{\"name\":\"a\"}", ",\"patience_s\":30", 30 },
        { NULL, "", MESSAGE_PATIENCE_AS_ROUTED },                              /* the unix socket has no key */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(patience_kept(rows[i].key, rows[i].member), rows[i].patience_s);
}

static void a_key_is_shown_with_its_patience_where_it_has_one(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/keys", .body = "{\"name\":\"a\",\"patience_s\":600}" });
    char key[64];

    (void)state;
    assert_int_equal(json_integer_value(at(&answer, "patience_s")), 600);
    answer_done(&answer);
    answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/keys", .body = "{\"name\":\"b\"}" });
    assert_int_equal(answer.response.status, 201);
    assert_null(at(&answer, "patience_s"));
    answer_done(&answer);
    new_key(rig, "{\"name\":\"c\",\"patience_s\":0}", key);
    answer = ask_get(rig, "/v1/keys", NULL);
    assert_int_equal(json_integer_value(at(&answer, "keys/0/patience_s")), 600);
    assert_null(at(&answer, "keys/1/patience_s"));
    assert_true(json_is_integer(at(&answer, "keys/2/patience_s")) && json_integer_value(at(&answer, "keys/2/patience_s")) == 0);
    answer_done(&answer);
    rig_free(rig);
}

static void a_removed_key_opens_nothing(void **state)
{
    struct rig *rig = rig_new(NULL);
    char key[64], admin[64];
    struct answer answer;

    (void)state;
    new_key(rig, "{\"name\":\"shop\"}", key);
    new_key(rig, "{\"name\":\"boss\",\"scopes\":[\"admin\"]}", admin);
    answer = ask(rig, &(struct ask){ .method = "DELETE", .path = "/v1/keys/shop", .key = admin });
    assert_int_equal(answer.response.status, 204);
    assert_null(answer.response.body);
    answer_done(&answer);
    answer = ask(rig, &(struct ask){ .method = "GET", .path = "/v1/messages", .key = key });
    assert_problem(&answer, 401, "bad_key", NULL);
    answer_done(&answer);
    answer = ask(rig, &(struct ask){ .method = "DELETE", .path = "/v1/keys/shop", .key = admin });
    assert_problem(&answer, 404, "no_such_key", NULL);
    answer_done(&answer);
    answer = ask(rig, &(struct ask){ .method = "DELETE", .path = "/v1/keys/%22%3B", .key = admin });
    assert_problem(&answer, 404, "no_such_key", NULL);
    answer_done(&answer);
    rig_free(rig);
}

static void the_head_alone_tells_what_will_be_refused(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct ask asked = { .method = "POST", .path = "/v1/messages" };
    struct ask_context context = { .ask = &asked };
    struct api_request request = { .method = "POST", .path = "/v1/messages", .header = ask_header, .context = &context, .body = "" };
    struct api_response response;

    (void)state;
    assert_false(api_admit(rig->api, &request, &response));
    assert_int_equal(response.status, 401);
    free(response.body);
    request.peer = "uid:0";
    assert_true(api_admit(rig->api, &request, &response));
    assert_null(response.body);
    asked.content_type = "text/xml";
    assert_false(api_admit(rig->api, &request, &response));
    assert_int_equal(response.status, 415);
    free(response.body);
    rig_free(rig);
}

/* Under sanitizers it also tells a leak. */
static void a_call_whose_client_has_gone_is_dropped_without_a_trace(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct ask asked = { .method = "POST" };
    struct ask_context context = { .ask = &asked };
    struct api_request request = { .method = "POST", .path = "/v1/messages", .header = ask_header, .context = &context,
                                   .body = "{\"to\":\"+40700000001\",\"text\":\"a\"}", .peer = "uid:0", .now_ms = NOW_MS };
    struct api_response response;
    struct api_call call;

    (void)state;
    request.body_length = strlen(request.body);
    assert_int_equal(api_handle(rig->api, &request, &call, &response), API_WAIT_CHANGE);
    assert_null(response.body);
    api_call_done(&call);
    assert_null(call.change);
    assert_null(call.state);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_address_is_404_and_a_wrong_method_405_with_the_right_ones),
        cmocka_unit_test(head_is_answered_like_get),
        cmocka_unit_test(without_a_key_tcp_gets_nothing_but_health),
        cmocka_unit_test(a_key_opens_what_its_scopes_name_and_nothing_else),
        cmocka_unit_test(a_key_has_256_bits_is_shown_once_and_sends_under_its_name),
        cmocka_unit_test(the_secret_of_a_key_is_nowhere_in_the_database),
        cmocka_unit_test(entropy_becomes_base64url),
        cmocka_unit_test(a_wrong_key_request_is_refused),
        cmocka_unit_test(a_message_that_does_not_say_has_the_patience_of_its_key),
        cmocka_unit_test(a_key_is_shown_with_its_patience_where_it_has_one),
        cmocka_unit_test(a_removed_key_opens_nothing),
        cmocka_unit_test(the_head_alone_tells_what_will_be_refused),
        cmocka_unit_test(a_call_whose_client_has_gone_is_dropped_without_a_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
