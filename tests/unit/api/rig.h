/* SPDX-License-Identifier: Apache-2.0
 *
 * rig.h - the API on a real store in a folder of its own; the rig is its loop. Every answer is held against
 * docs/openapi.yaml, whatever else a test wants of it: path, method, status, content type, schema. */
#ifndef CELLPOST_TEST_API_RIG_H
#define CELLPOST_TEST_API_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/api/api.h"
#include "tests/unit/api/schema_check.h"
#include "tests/unit/api/yaml_subset.h"

#define NOW_MS INT64_C(1764547200000)   /* 2025-12-01T00:00:00Z */

struct rig {
    char folder[64], database[96];
    struct store *store;
    struct store_reader *reader;
    struct api *api;
    json_t *openapi;
    int64_t now_ms;
    int store_error;                     /* not 0: the next changes fail with it */
    const char *refusing;                /* not NULL: no new messages, and why */
    int intake_error;
    struct live_view view;               /* what the loop would fill in; modems borrowed */
    uint8_t entropy;
    struct chooser *chooser;             /* the loop's: without tariffs and cards, until a test gives it some */
    struct limit_now loop_now;
    enum api_route_verdict route;        /* what intake is told of every number's route */
    const char *route_note;
    const struct routing *routing;       /* not NULL: what intake is told is what these say */
    const char *currency;                /* NULL none */
    struct api_account enrolled, account;    /* the same of questions about the account; the loop answers from "result" on */
    char enrolled_ca[128];
    struct api_ask asked, answered;      /* the last question for an operator; what the loop answers from "result" on */
};

/* One request; what is left out is what most requests have. */
struct ask {
    const char *method, *path, *query, *body;
    size_t body_length;                  /* 0: of the text in body */
    const char *key;                     /* NULL: from the unix socket; "": from TCP without a key */
    const char *idempotency_key, *content_type, *last_event_id;
};

struct answer { struct api_response response; json_t *json; };

static inline bool rig_accepting(void *context, const char **ret_reason)
{
    *ret_reason = ((struct rig *)context)->refusing;
    return *ret_reason == NULL;
}

static inline int rig_intake_error(void *context)
{
    return ((struct rig *)context)->intake_error;
}

static inline enum api_route_verdict rig_route(void *context, const char *to, enum number_kind kind, char ret_note[API_ROUTE_NOTE_MAX])
{
    struct rig *rig = context;

    assert_true(to[0] != '\0' && kind != NUMBER_INVALID);
    if (rig->routing)
        return api_route_ask(rig->routing, to, ret_note);
    (void)snprintf(ret_note, API_ROUTE_NOTE_MAX, "%s", rig->route_note ? rig->route_note : "");
    return rig->route;
}

static inline void rig_currency(void *context, char ret_currency[4])
{
    const char *currency = ((struct rig *)context)->currency;

    (void)snprintf(ret_currency, 4, "%s", currency ? currency : "");
}

static inline struct rig *rig_new(const struct api_config *config)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct api_config all = config ? *config : (struct api_config){ .report = true };
    char error[256] = "";

    (void)snprintf(rig->folder, sizeof rig->folder, "/tmp/cellpost-api-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    (void)snprintf(rig->database, sizeof rig->database, "%s/cellpost.db", rig->folder);
    if (store_open(rig->database, NULL, "ab12", &rig->store, error, sizeof error) != 0)
        fail_msg("%s", error);
    assert_int_equal(store_reader_open(rig->database, NULL, &rig->reader), 0);
    all.version = "1.2.3";
    all.accepting = rig_accepting;
    all.intake_error = rig_intake_error;
    all.route = rig_route;
    all.currency = rig_currency;
    all.context = rig;
    assert_int_equal(api_new(&all, rig->reader, &rig->api), 0);
    rig->openapi = yaml_load_file(TEST_DATA_DIR "/../docs/openapi.yaml");
    rig->now_ms = NOW_MS;
    rig->loop_now = (struct limit_now){ .mono_ms = 1000000, .wall_ms = NOW_MS };
    rig->chooser = chooser_new(1);
    assert_non_null(rig->chooser);
    rig->view.accepting = true;
    rig->answered.result = API_ASK_NO_SIM;
    return rig;
}

static inline void rig_free(struct rig *rig)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    char path[128];

    api_free(rig->api);
    chooser_free(rig->chooser);
    store_reader_close(rig->reader);
    store_close(rig->store);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", rig->database, suffixes[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(rig->folder), 0);
    json_decref(rig->openapi);
    free(rig);
}

/* -- the request as the shell would show it ---------------------------------------------------------------------- */

struct ask_context { const struct ask *ask; char query[512]; const char *names[20], *values[20]; size_t count; char authorization[128]; };

static inline const char *ask_query(void *context, const char *name)
{
    struct ask_context *asked = context;

    for (size_t i = 0; i < asked->count; i++)
        if (strcmp(asked->names[i], name) == 0)
            return asked->values[i];
    return NULL;
}

static inline const char *ask_query_name(void *context, size_t index)
{
    struct ask_context *asked = context;
    return index < asked->count ? asked->names[index] : NULL;
}

static inline const char *ask_header(void *context, const char *name)
{
    struct ask_context *asked = context;

    if (strcmp(name, "Authorization") == 0)
        return asked->authorization[0] ? asked->authorization : NULL;
    if (strcmp(name, "Idempotency-Key") == 0)
        return asked->ask->idempotency_key;
    if (strcmp(name, "Content-Type") == 0)
        return asked->ask->content_type;
    if (strcmp(name, "Last-Event-ID") == 0)
        return asked->ask->last_event_id;
    return NULL;
}

/* -- the answer against docs/openapi.yaml -------------------------------------------------------------------------- */

static inline bool path_fits(const char *pattern, const char *path)
{
    while (*pattern && *path) {
        if (*pattern == '{') {
            pattern = strchr(pattern, '}') + 1;
            path += strcspn(path, "/");
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == *path;
}

static inline json_t *openapi_operation(struct rig *rig, const char *method, const char *path)
{
    char lower[16] = "";
    const char *pattern;
    json_t *operations;

    for (size_t i = 0; method[i] && i < sizeof lower - 1; i++)
        lower[i] = (char)(method[i] | 0x20);
    json_object_foreach (json_object_get(rig->openapi, "paths"), pattern, operations)
        if (path_fits(pattern, path))
            return json_object_get(operations, strcmp(lower, "head") == 0 ? "get" : lower);
    return NULL;
}

/* What the document says a request body is must be what the server takes: a body that was taken fits, and one whose shape
 * was refused does not. */
static inline void openapi_check_request(struct rig *rig, json_t *operation, const struct ask *ask, const struct answer *answer)
{
    json_t *schema = json_object_get(json_object_get(json_object_get(json_object_get(operation, "requestBody"), "content"), "application/json"), "schema");
    const char *code = json_string_value(json_object_get(answer->json, "code"));
    struct schema_check check = { .document = rig->openapi };
    json_t *body = schema && ask->body ? json_loads(ask->body, JSON_ALLOW_NUL, NULL) : NULL;
    bool fits;

    if (!body)
        return;
    fits = schema_matches(&check, schema, body, "");
    if (answer->response.status < 300 && !fits)
        fail_msg("%s was taken, but %s", ask->body, check.why);
    if (code && fits && (strcmp(code, "unknown_field") == 0 || strcmp(code, "missing_field") == 0 || strcmp(code, "wrong_type") == 0))
        fail_msg("%s was refused as %s, but fits the document", ask->body, code);
    json_decref(body);
}

static inline void openapi_check(struct rig *rig, const struct ask *ask, const struct answer *answer)
{
    const struct api_response *response = &answer->response;
    json_t *operation = openapi_operation(rig, ask->method, ask->path), *said, *content;
    struct schema_check check = { .document = rig->openapi };
    char status[16];

    if (response->content_type && strstr(response->content_type, "problem+json")) {
        json_t *problem = json_object_get(json_object_get(json_object_get(rig->openapi, "components"), "schemas"), "Problem");
        if (!schema_matches(&check, problem, answer->json, ""))
            fail_msg("%s %s: problem: %s", ask->method, ask->path, check.why);
        assert_int_equal(json_integer_value(json_object_get(answer->json, "status")), response->status);
    }
    if (!operation)
        return assert_true(response->status == 404 || response->status == 405);
    (void)snprintf(status, sizeof status, "%d", response->status);
    said = json_object_get(json_object_get(operation, "responses"), status);
    if (!said) {
        fail_msg("%s %s answered %s, which docs/openapi.yaml does not know", ask->method, ask->path, status);
        return;
    }
    content = json_object_get(schema_resolve(&check, said), "content");
    if (!content) {
        assert_null(response->content_type);
    } else {
        char type[64];
        json_t *media;
        (void)snprintf(type, sizeof type, "%.*s", (int)strcspn(response->content_type, ";"), response->content_type);
        media = json_object_get(content, type);
        if (!media)
            fail_msg("%s %s: %s %s is not in docs/openapi.yaml", ask->method, ask->path, status, type);
        if (strstr(type, "json") && !schema_matches(&check, json_object_get(media, "schema"), answer->json, ""))
            fail_msg("%s %s: %s: %s", ask->method, ask->path, check.why, response->body);
    }
    openapi_check_request(rig, operation, ask, answer);
}

/* -- asking -------------------------------------------------------------------------------------------------------- */

static inline void answer_done(struct answer *answer)
{
    json_decref(answer->json);
    free(answer->response.body);
    *answer = (struct answer){ 0 };
}

static inline void rig_apply(struct rig *rig, struct store_change *change)
{
    if (rig->store_error != 0)
        change->result = rig->store_error;
    else
        assert_int_equal(store_apply(rig->store, change), 0);
}

static inline struct answer ask(struct rig *rig, const struct ask *asked)
{
    struct ask_context context = { .ask = asked };
    struct api_request request = { .method = asked->method, .path = asked->path, .query = ask_query, .query_name = ask_query_name,
                                   .header = ask_header, .context = &context, .body = asked->body ? asked->body : "",
                                   .peer = asked->key ? NULL : "uid:1000", .now_ms = rig->now_ms };
    struct answer answer = { 0 };
    struct api_call call;
    enum api_step step;
    char *rest;

    request.body_length = asked->body_length ? asked->body_length : strlen(request.body);
    memset(request.entropy, ++rig->entropy, sizeof request.entropy);
    if (asked->key && asked->key[0])
        (void)snprintf(context.authorization, sizeof context.authorization, "Bearer %s", asked->key);
    (void)snprintf(context.query, sizeof context.query, "%s", asked->query ? asked->query : "");
    for (char *pair = strtok_r(context.query, "&", &rest); pair; pair = strtok_r(NULL, "&", &rest)) {
        char *value = strchr(pair, '=');
        if (value)
            *value++ = '\0';
        context.names[context.count] = pair;
        context.values[context.count++] = value ? value : "";
    }

    step = api_handle(rig->api, &request, &call, &answer.response);
    if (step == API_WAIT_CHANGE) {
        rig_apply(rig, call.change);
    } else if (step == API_WAIT_LIVE) {
        while (survey_step(&call.survey, rig->chooser, rig->loop_now))
            continue;
        call.live = rig->view;
        if (rig->view.modem_count > 0) {
            call.live.modems = calloc(rig->view.modem_count, sizeof *call.live.modems);
            memcpy(call.live.modems, rig->view.modems, rig->view.modem_count * sizeof *call.live.modems);
        }
    }
    if (step == API_WAIT_ASK) {
        size_t from = offsetof(struct api_ask, result);
        rig->asked = *call.ask;
        memcpy((char *)call.ask + from, (char *)&rig->answered + from, sizeof *call.ask - from);
    }
    if (step == API_WAIT_ACCOUNT) {
        size_t from = offsetof(struct api_account, result);
        rig->enrolled = *call.account;
        (void)snprintf(rig->enrolled_ca, sizeof rig->enrolled_ca, "%s", call.account->ca ? call.account->ca : "");
        rig->enrolled.ca = NULL;
        if (rig->account.state[0] == '\0')
            (void)strcpy(rig->account.state, "not_enrolled");
        memcpy((char *)call.account + from, (char *)&rig->account + from, sizeof *call.account - from);
    }
    if (step != API_DONE)
        api_resume(rig->api, &call, &answer.response);
    api_call_done(&call);
    if (answer.response.content_type && strstr(answer.response.content_type, "json")) {
        answer.json = json_loadb(answer.response.body, answer.response.length, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(answer.json);
    }
    openapi_check(rig, asked, &answer);
    return answer;
}

static inline struct answer ask_get(struct rig *rig, const char *path, const char *query)
{
    return ask(rig, &(struct ask){ .method = "GET", .path = path, .query = query });
}

static inline struct answer ask_send(struct rig *rig, const char *body)
{
    return ask(rig, &(struct ask){ .method = "POST", .path = "/v1/messages", .body = body });
}

/* A member by a path as "messages/0/id". */
static inline json_t *at(const struct answer *answer, const char *path)
{
    json_t *value = answer->json;
    char copy[128], *rest;

    (void)snprintf(copy, sizeof copy, "%s", path);
    for (char *name = strtok_r(copy, "/", &rest); name && value; name = strtok_r(NULL, "/", &rest))
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name)) : json_object_get(value, name);
    return value;
}

static inline const char *text_at(const struct answer *answer, const char *path)
{
    json_t *value = at(answer, path);

    if (!json_is_string(value)) {
        fail_msg("no text at %s in %.300s", path, answer->response.body ? answer->response.body : "(nothing)");
        return "";
    }
    return json_string_value(value);
}

static inline long long number_at(const struct answer *answer, const char *path)
{
    json_t *value = at(answer, path);

    if (!json_is_integer(value))
        fail_msg("no number at %s in %.300s", path, answer->response.body ? answer->response.body : "(nothing)");
    return json_integer_value(value);
}

/* Sends one message and keeps its id as text. */
static inline void rig_send(struct rig *rig, const char *body, char ret_id[ID_TEXT_MAX])
{
    struct answer answer = ask_send(rig, body);

    assert_int_equal(answer.response.status, 202);
    (void)snprintf(ret_id, ID_TEXT_MAX, "%s", text_at(&answer, "messages/0/id"));
    answer_done(&answer);
}

static inline void assert_problem(const struct answer *answer, int status, const char *code, const char *pointer)
{
    if (answer->response.status != status || strcmp(text_at(answer, "code"), code) != 0)
        fail_msg("wanted %d %s, got %.300s", status, code, answer->response.body);
    assert_string_equal(answer->response.content_type, "application/problem+json");
    if (pointer)
        assert_string_equal(text_at(answer, "pointer"), pointer);
}

#endif
