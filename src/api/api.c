/* SPDX-License-Identifier: Apache-2.0
 *
 * api.c - which request goes to which handler, who may ask it, and how an exchange waits and goes on. */
#include "src/api/api.h"

#include <errno.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"

#define PARTS_MAX_DEFAULT 10
#define VALIDITY_S_DEFAULT 86400
#define BEARER "Bearer "

static const char *const messages_queries[] = { "limit", "before", "after", "state", "to", "client_ref", "batch", "since", "until", NULL };
static const char *const inbox_queries[] = { "limit", "before", "after", "from", "since", NULL };
static const char *const explain_queries[] = { "to", "text", "at", "parts", NULL };
static const char *const opt_outs_queries[] = { "limit", "after", NULL };
static const char *const balance_queries[] = { "limit", "after", NULL };
static const char *const ledger_queries[] = { "limit", "before", "after", "format", NULL };
static const char *const events_queries[] = { "after", NULL };

static const struct api_route routes[] = {
    { "POST", "/v1/messages", API_SCOPE_SEND, api_messages_send, NULL, { 202, 400, 401, 402, 403, 413, 415, 421, 422, 500, 503 } },
    { "GET", "/v1/messages", API_SCOPE_READ, api_messages_list, messages_queries, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/v1/messages/{id}", API_SCOPE_READ, api_messages_show, NULL, { 200, 400, 401, 403, 404, 421, 500, 503 } },
    { "DELETE", "/v1/messages/{id}", API_SCOPE_SEND, api_messages_cancel, NULL, { 200, 400, 401, 403, 404, 409, 421, 500, 503 } },
    { "POST", "/v1/messages/{id}/cancel", API_SCOPE_SEND, api_messages_cancel, NULL, { 200, 400, 401, 403, 404, 409, 413, 421, 500, 503 } },
    { "POST", "/v1/messages/{id}/release", API_SCOPE_SEND, api_messages_release, NULL, { 200, 400, 401, 403, 404, 409, 413, 421, 500, 503 } },
    { "POST", "/v1/messages/{id}/drop", API_SCOPE_SEND, api_messages_drop, NULL, { 200, 400, 401, 403, 404, 409, 413, 421, 500, 503 } },
    { "GET", "/v1/inbox", API_SCOPE_INBOX, api_inbox_list, inbox_queries, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/v1/inbox/{id}", API_SCOPE_INBOX, api_inbox_show, NULL, { 200, 400, 401, 403, 404, 421, 500, 503 } },
    { "GET", "/v1/modems", API_SCOPE_READ, api_modems_list, NULL, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/v1/sims", API_SCOPE_READ, api_sims_list, NULL, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/v1/routes/explain", API_SCOPE_READ, api_routes_explain, explain_queries, { 200, 400, 401, 403, 421, 500, 503 } },
    { "POST", "/v1/quote", API_SCOPE_SEND, api_quote_make, NULL, { 200, 400, 401, 403, 413, 415, 421, 422, 500, 503 } },
    { "POST", "/v1/sims/{sim}/ussd", API_SCOPE_ADMIN, api_sims_ussd, NULL, { 200, 400, 401, 403, 404, 409, 413, 415, 421, 422, 500, 502, 503, 504 } },
    { "POST", "/v1/sims/{sim}/balance", API_SCOPE_ADMIN, api_sims_balance, NULL, { 200, 400, 401, 403, 404, 409, 413, 421, 500, 502, 503, 504 } },
    { "GET", "/v1/events", API_SCOPE_READ, api_events_open, events_queries, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/v1/tariffs", API_SCOPE_READ, api_tariffs_list, NULL, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/v1/tariffs/{version}", API_SCOPE_READ, api_tariffs_show, NULL, { 200, 400, 401, 403, 404, 421, 500, 503 } },
    { "GET", "/v1/keys", API_SCOPE_ADMIN, api_keys_list, NULL, { 200, 400, 401, 403, 421, 500, 503 } },
    { "POST", "/v1/keys", API_SCOPE_ADMIN, api_keys_add, NULL, { 201, 400, 401, 403, 409, 413, 415, 421, 500, 503 } },
    { "DELETE", "/v1/keys/{name}", API_SCOPE_ADMIN, api_keys_remove, NULL, { 204, 400, 401, 403, 404, 421, 500, 503 } },
    { "GET", "/v1/opt-outs", API_SCOPE_READ, api_opt_outs_list, opt_outs_queries, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/v1/opt-outs/{number}", API_SCOPE_READ, api_opt_outs_show, NULL, { 200, 400, 401, 403, 404, 421, 500, 503 } },
    { "PUT", "/v1/opt-outs/{number}", API_SCOPE_ADMIN, api_opt_outs_add, NULL, { 200, 201, 400, 401, 403, 413, 421, 422, 500, 503 } },
    { "DELETE", "/v1/opt-outs/{number}", API_SCOPE_ADMIN, api_opt_outs_remove, NULL, { 204, 400, 401, 403, 404, 421, 500, 503 } },
    { "GET", "/v1/balance", API_SCOPE_READ, api_balance_show, balance_queries, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/v1/ledger", API_SCOPE_READ, api_ledger_list, ledger_queries, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/v1/account", API_SCOPE_READ, api_account_show, NULL, { 200, 400, 401, 403, 421, 500, 503 } },
    { "POST", "/v1/account/enroll", API_SCOPE_ADMIN, api_account_enroll, NULL, { 200, 202, 400, 401, 403, 409, 413, 415, 421, 500, 503 } },
    { "GET", "/metrics", API_SCOPE_READ, api_metrics_read, NULL, { 200, 400, 401, 403, 421, 500, 503 } },
    { "GET", "/healthz", 0, api_health_read, NULL, { 200, 400, 421, 500, 503 } },
};
#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

const struct api_route *api_routes(size_t *ret_count)
{
    *ret_count = ROUTE_COUNT;
    return routes;
}

int api_new(const struct api_config *config, struct store_reader *reader, struct api **ret_api)
{
    struct api *api = calloc(1, sizeof *api);

    if (!api)
        return -ENOMEM;
    api->config = *config;
    api->reader = reader;
    if (api->config.parts_max == 0)
        api->config.parts_max = PARTS_MAX_DEFAULT;
    if (api->config.validity_s <= 0 || api->config.validity_s > API_VALIDITY_S_MAX)
        api->config.validity_s = VALIDITY_S_DEFAULT;
    if (!api->config.version)
        api->config.version = "";
    /* A copy: a reader's strings are valid until its next call only. */
    (void)snprintf(api->tag, sizeof api->tag, "%s", store_reader_tag(reader));
    *ret_api = api;
    return 0;
}

void api_free(struct api *api)
{
    free(api);
}

/* -- routing --------------------------------------------------------------------------------------------------- */

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef", *at;

    if (c >= 'A' && c <= 'F')
        c = (char)(c - 'A' + 'a');
    at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* One path segment, percent-decoded (RFC 3986 2.1). False: too long, or no encoding of a text. */
static bool segment_decode(const char *segment, size_t length, char *ret_text, size_t size)
{
    size_t out = 0;

    for (size_t i = 0; i < length; i++) {
        char c = segment[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_value(segment[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(segment[i + 2]) : -1;
            if (high < 0 || low < 0 || high * 16 + low == 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (out + 1 >= size)
            return false;
        ret_text[out++] = c;
    }
    ret_text[out] = '\0';
    return out > 0;
}

/* True where path fits pattern; its {segment} is decoded into ret_argument. */
static bool pattern_matches(const char *pattern, const char *path, char *ret_argument, size_t size)
{
    while (*pattern && *path) {
        if (*pattern == '{') {
            size_t length = strcspn(path, "/");
            if (!segment_decode(path, length, ret_argument, size))
                return false;
            path += length;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == '\0' && *path == '\0';
}

static bool exchange_route(struct api_exchange *exchange)
{
    const struct api_request *request = exchange->request;
    const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;   /* the shell leaves the body out */
    char *allow = exchange->response->allow;
    size_t allow_size = sizeof exchange->response->allow;

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        char argument[sizeof exchange->argument] = "";
        if (!pattern_matches(routes[i].pattern, request->path, argument, sizeof argument))
            continue;
        if (strcmp(routes[i].method, method) == 0) {
            exchange->route = &routes[i];
            memcpy(exchange->argument, argument, sizeof argument);
            exchange->response->allow[0] = '\0';
            return true;
        }
        if (*allow)
            (void)snprintf(allow + strlen(allow), allow_size - strlen(allow), ", ");
        (void)snprintf(allow + strlen(allow), allow_size - strlen(allow), "%s%s", routes[i].method,
                       strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
    }
    if (*allow)
        api_problem_plain(exchange->response, PROBLEM_METHOD_NOT_ALLOWED, "%.16s is not for this address; %s is", request->method,
                          allow);
    else
        api_problem_plain(exchange->response, PROBLEM_NO_SUCH_PATH, "There is nothing at this address");
    return false;
}

/* -- who asks, and may they ------------------------------------------------------------------------------------- */

static const char *scope_name(unsigned scope)
{
    switch (scope) {
    case API_SCOPE_SEND: return "send";
    case API_SCOPE_READ: return "read";
    case API_SCOPE_INBOX: return "inbox";
    default: return "admin";
    }
}

/* A key is 256 random bits and found by its hash, so that nothing of it leaks through the time a comparison takes. */
static bool exchange_authorize(struct api_exchange *exchange)
{
    const char *header, *secret;
    uint8_t hash[32];
    char name[KEY_NAME_MAX];
    int r;

    exchange->patience_s = MESSAGE_PATIENCE_AS_ROUTED;
    if (exchange->request->peer) {
        exchange->scopes = API_SCOPE_ALL;
        (void)snprintf(exchange->actor, sizeof exchange->actor, "%s", exchange->request->peer);
        return true;
    }
    if (exchange->route->scope == 0)
        return true;

    header = api_header(exchange, "Authorization");
    if (!header) {
        api_problem_plain(exchange->response, PROBLEM_NO_KEY, "Send a key: Authorization: Bearer cp_...");
        return false;
    }
    secret = header + strlen(BEARER);
    /* The scheme's name is case-insensitive (RFC 9110 11.1); these are the two ways people write it. */
    if (strncmp(header, BEARER, strlen(BEARER)) != 0 && strncmp(header, "bearer ", strlen(BEARER)) != 0) {
        api_problem_plain(exchange->response, PROBLEM_BAD_KEY, "Keys come as: Authorization: Bearer cp_...");
        return false;
    }
    r = api_hash(&(struct api_piece){ secret, strlen(secret) }, 1, hash);
    if (r == 0)
        r = store_read_key(exchange->api->reader, hash, name, &exchange->scopes, &exchange->patience_s);
    if (r == -ENOENT) {
        api_problem_plain(exchange->response, PROBLEM_BAD_KEY, "This key is not known here");
        return false;
    }
    if (r < 0) {
        api_problem_store(exchange->response, r);
        return false;
    }
    if ((exchange->scopes & exchange->route->scope) == 0) {
        json_t *extra = json_object();
        json_put_text(extra, "scope", scope_name(exchange->route->scope));
        api_problem(exchange->response, PROBLEM_SCOPE_MISSING, NULL, NULL, extra, "The key \"%s\" has not the scope \"%s\"", name,
                    scope_name(exchange->route->scope));
        return false;
    }
    (void)snprintf(exchange->actor, sizeof exchange->actor, "key:%s", name);
    return true;
}

/* A parameter nobody knows is a typo, and a filter with a typo would answer with everything. */
static bool exchange_check_queries(struct api_exchange *exchange)
{
    static const char *const none[] = { NULL };
    const struct api_request *request = exchange->request;
    const char *const *known = exchange->route->queries ? exchange->route->queries : none;
    const char *name;

    for (size_t i = 0; request->query_name && (name = request->query_name(request->context, i)) != NULL; i++) {
        struct api_text list = { 0 };
        char clean[64];
        size_t k = 0;
        while (known[k] && strcmp(known[k], name) != 0)
            k++;
        api_text_clean(name, clean, sizeof clean);
        for (size_t earlier = 0; earlier < i; earlier++) {
            if (strcmp(request->query_name(request->context, earlier), name) != 0)
                continue;
            api_problem(exchange->response, PROBLEM_BAD_PARAMETER, "parameter", clean, NULL, "\"%s\" is there twice", clean);
            return false;
        }
        if (known[k])
            continue;
        for (k = 0; known[k]; k++)
            api_text_print(&list, "%s%s", k == 0 ? "; known are " : ", ", known[k]);
        api_problem(exchange->response, PROBLEM_UNKNOWN_PARAMETER, "parameter", clean, NULL, "There is no parameter \"%s\" here%s",
                    clean, list.bytes ? list.bytes : "");
        free(list.bytes);
        return false;
    }
    return true;
}

static bool media_type_is(const char *type, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++) {
        char c = type[i] >= 'A' && type[i] <= 'Z' ? (char)(type[i] - 'A' + 'a') : type[i];
        if (c != name[i])
            return false;
    }
    return type[length] == '\0' || type[length] == ';' || type[length] == ' ';
}

/* Absent is taken for JSON, and so is what curl -d says when nobody tells it better: the body must be JSON all the same,
 * and a page in a browser cannot add the key that every request over TCP needs. */
static bool content_type_is_json(const char *type)
{
    return !type || media_type_is(type, "application/json") || media_type_is(type, "application/x-www-form-urlencoded");
}

static bool route_takes_body(const struct api_route *route)
{
    for (size_t i = 0; route->statuses[i]; i++)
        if (route->statuses[i] == 415)
            return true;
    return false;
}

static bool exchange_admit(struct api_exchange *exchange)
{
    if (!exchange_route(exchange) || !exchange_authorize(exchange) || !exchange_check_queries(exchange))
        return false;
    if (route_takes_body(exchange->route) && !content_type_is_json(api_header(exchange, "Content-Type"))) {
        api_problem_plain(exchange->response, PROBLEM_WRONG_CONTENT_TYPE, "Bodies are JSON: send Content-Type: application/json");
        return false;
    }
    return true;
}

/* -- an exchange ----------------------------------------------------------------------------------------------- */

bool api_admit(struct api *api, const struct api_request *request, struct api_response *ret_response)
{
    struct api_exchange exchange = { .api = api, .request = request, .response = ret_response };

    *ret_response = (struct api_response){ 0 };
    return exchange_admit(&exchange);
}

enum api_step api_handle(struct api *api, const struct api_request *request, struct api_call *ret_call, struct api_response *ret_response)
{
    struct api_exchange exchange = { .api = api, .request = request, .call = ret_call, .response = ret_response };

    *ret_call = (struct api_call){ 0 };
    *ret_response = (struct api_response){ 0 };
    if (!exchange_admit(&exchange))
        return API_DONE;
    if (request->body_length > API_BODY_BYTES_MAX) {
        api_refuse(API_BODY_TOO_LARGE, NULL, ret_response);
        return API_DONE;
    }
    return exchange.route->handle(&exchange);
}

struct api_pending *api_wait(struct api_exchange *exchange, void (*finish)(struct api *, struct api_call *, struct api_response *))
{
    struct api_pending *pending = calloc(1, sizeof *pending);

    if (!pending) {
        api_problem_store(exchange->response, -ENOMEM);
        return NULL;
    }
    pending->finish = finish;
    exchange->call->state = pending;
    return pending;
}

void api_resume(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    struct api_pending *pending = call->state;

    *ret_response = (struct api_response){ 0 };
    pending->finish(api, call, ret_response);
}

void api_call_done(struct api_call *call)
{
    change_free(call->change);
    live_view_done(&call->live);
    free(call->ask);
    api_account_free(call->account);
    survey_done(&call->survey);
    if (call->state) {
        json_decref(((struct api_pending *)call->state)->kept);
        mbedtls_platform_zeroize(call->state, sizeof(struct api_pending));
        free(call->state);
    }
    *call = (struct api_call){ 0 };
}
