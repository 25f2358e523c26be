/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole requests as text: "METHOD PATH?QUERY", lines of headers, an empty line, the body. Two headers are the fuzzer's:
 * "Peer:" makes it come from the unix socket, "Result: N" is what the store says to a change. What must hold: the answer
 * is a status that its route declares, in JSON where it says so; api_admit() and api_handle() agree; without the socket
 * or a key with the route's scope nothing is asked of the loop and nothing is shown. */
#include <errno.h>

#include "src/base/utf8.h"
#include "tests/fuzz/api/fuzz_api.h"

#define PAIRS_MAX 32

/* What api_secret_format() makes of 32 octets 00, 55 and FF. */
static const struct { uint8_t octet; unsigned scopes; const char *name, *secret; } keys[] = {
    { 0x00, API_SCOPE_ALL, "all", "cp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
    { 0x55, API_SCOPE_SEND, "send", "cp_VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU" },
    { 0xFF, API_SCOPE_READ | API_SCOPE_INBOX, "read", "cp_" "__________________________________________8" },
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

struct pair { const char *name, *value; };
struct asked { struct pair headers[PAIRS_MAX], queries[PAIRS_MAX]; size_t header_count, query_count; };

static const char *find(const struct pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

static const char *query(void *context, const char *name)
{
    return find(((struct asked *)context)->queries, ((struct asked *)context)->query_count, name);
}

static const char *query_name(void *context, size_t index)
{
    return index < ((struct asked *)context)->query_count ? ((struct asked *)context)->queries[index].name : NULL;
}

static const char *header(void *context, const char *name)
{
    return find(((struct asked *)context)->headers, ((struct asked *)context)->header_count, name);
}

/* -- the world ------------------------------------------------------------------------------------------------------ */

static struct store_change *received(uint32_t sim, const char *pdu_hex, const char *from, const char *text)
{
    struct store_change *change = change_new(CHANGE_RECEIVE, FUZZ_NOW_MS);

    change->u.receive.sim_id = change->u.receive.modem_id = sim;
    change->u.receive.pdu_hex = strdup(pdu_hex);
    (void)snprintf(change->u.receive.from, sizeof change->u.receive.from, "%s", from);
    change->u.receive.text = strdup(text);
    change->u.receive.text_length = (uint32_t)strlen(text);
    change->u.receive.message_class = -1;
    return change;
}

static struct store_change *accepted(void)
{
    static const char *const texts[] = { "Hi", "\xF0\x9F\x98\x80 \"quoted\"\n", "refused" };
    struct store_change *change = change_new(CHANGE_ACCEPT, FUZZ_NOW_MS);
    struct change_accept *accept = &change->u.accept;

    (void)snprintf(accept->actor, sizeof accept->actor, "key:all");
    accept->count = 3;
    accept->messages = calloc(accept->count, sizeof *accept->messages);
    for (uint32_t i = 0; i < accept->count; i++) {
        struct accept_message *message = &accept->messages[i];
        (void)snprintf(message->to, sizeof message->to, "+4072212345%u", i);
        message->text = strdup(texts[i]);
        message->text_length = (uint32_t)strlen(texts[i]);
        message->coding.parts = 1;
        message->message_class = -1;
        message->expire_ms = FUZZ_NOW_MS + 86400000;
        message->client_ref = strdup("ref");
        if (i == 2) {
            (void)snprintf(message->reason, sizeof message->reason, "no number");
            (void)snprintf(message->reason_code, sizeof message->reason_code, "bad_number");
        }
    }
    return change;
}

static struct store_change *sim_seen(void)
{
    struct store_change *change = change_new(CHANGE_SIM, FUZZ_NOW_MS);

    (void)snprintf(change->u.sim.iccid, sizeof change->u.sim.iccid, "8949000000000000001");
    (void)snprintf(change->u.sim.imei, sizeof change->u.sim.imei, "490154203237518");
    return change;
}

/* A key as the API itself makes it, and the secret that this file promises. */
static struct store_change *key_added(struct api *api, size_t i)
{
    struct api_request request = { .method = "POST", .path = "/v1/keys", .peer = "uid:0", .now_ms = FUZZ_NOW_MS };
    struct api_response response;
    struct store_change *change;
    struct api_call call;
    char body[64];

    (void)snprintf(body, sizeof body, "{\"name\":\"%s\"}", keys[i].name);
    request.body = body;
    request.body_length = strlen(body);
    memset(request.entropy, keys[i].octet, sizeof request.entropy);
    if (api_handle(api, &request, &call, &response) != API_WAIT_CHANGE)
        abort();
    api_resume(api, &call, &response);
    assert(strstr(response.body, keys[i].secret));
    free(response.body);
    change = call.change;
    change->u.key.scopes = keys[i].scopes;
    call.change = NULL;
    api_call_done(&call);
    return change;
}

static struct api *world_new(void)
{
    static struct api *maker;            /* stays to the end, as the world does */
    struct store_change *list = sim_seen(), **tail = &list->next;

    maker = fuzz_api_new(NULL);
    for (size_t i = 0; i < KEY_COUNT; i++, tail = &(*tail)->next)
        *tail = key_added(maker, i);
    tail = &(*tail = accepted())->next;
    tail = &(*tail = received(1, "00", "+40722123456", "in <b>&\"\x01"))->next;
    *tail = received(1, "01", "\xE2\x82\xAC" "shop", "");
    return fuzz_api_new(list);
}

/* As the loop does: a look at what is live, and a survey of one card. */
static void look(struct api_call *call)
{
    static struct chooser *chooser;
    struct live_view *view = &call->live;
    struct limit_now now = { .mono_ms = 1000, .wall_ms = FUZZ_NOW_MS };
    uint16_t bearer;

    if (!chooser) {
        chooser = chooser_new(1);
        if (!chooser || chooser_bearer_open(chooser, ROUTE_SIM, "8940011234567890123", 1, NULL, now, &bearer) < 0)
            abort();
        chooser_bearer_state(chooser, bearer, true, true, 0);
    }
    while (survey_step(&call->survey, chooser, now))
        continue;
    view->modems = calloc(2, sizeof *view->modems);
    view->modem_count = view->modems ? 2 : 0;
    for (uint32_t i = 0; i < view->modem_count; i++) {
        struct live_modem *modem = &view->modems[i];
        (void)snprintf(modem->port, sizeof modem->port, i ? "/dev/\"x\\\n" : "/dev/ttyUSB0");
        (void)snprintf(modem->state, sizeof modem->state, "ready");
        (void)snprintf(modem->model, sizeof modem->model, "%s", i ? "\xFF\xFE bad" : "E1752");
        modem->registration = modem->storage_used = modem->storage_total = -1;
        modem->message_id = i;
    }
    view->accepting = true;
}

/* -- one request ---------------------------------------------------------------------------------------------------- */

/* Cuts the text in place. False: not even a first line. */
static bool request_parse(char *text, size_t length, struct asked *ret_asked, struct api_request *ret_request)
{
    char *line = text, *end = memchr(text, '\n', length), *path, *rest;

    if (!end || memchr(text, '\0', (size_t)(end - text)))
        return false;
    *end = '\0';
    path = strchr(line, ' ');
    if (!path)
        return false;
    *path++ = '\0';
    ret_request->method = line;
    ret_request->path = path;
    if ((rest = strchr(path, '?')) != NULL) {
        *rest++ = '\0';
        for (char *next = rest; next && ret_asked->query_count < PAIRS_MAX; rest = next) {
            char *value;
            if ((next = strchr(rest, '&')) != NULL)
                *next++ = '\0';
            if ((value = strchr(rest, '=')) != NULL)
                *value++ = '\0';
            ret_asked->queries[ret_asked->query_count++] = (struct pair){ rest, value ? value : "" };
        }
    }
    for (line = end + 1; (end = memchr(line, '\n', (size_t)(text + length - line))) != NULL && end != line; line = end + 1) {
        char *value;
        *end = '\0';
        if ((value = strstr(line, ": ")) != NULL && ret_asked->header_count < PAIRS_MAX) {
            *value = '\0';
            ret_asked->headers[ret_asked->header_count++] = (struct pair){ line, value + 2 };
        }
    }
    ret_request->body = end ? end + 1 : "";
    ret_request->body_length = end ? (size_t)(text + length - end - 1) : 0;
    return strlen(path) <= API_PATH_CHARS_MAX;
}

/* Ours, so that it is not the routing that judges itself. */
static bool path_fits(const char *pattern, const char *path)
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

static const struct api_route *route_of(const struct api_request *request)
{
    const char *method = strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;
    size_t count;
    const struct api_route *routes = api_routes(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].method, method) == 0 && path_fits(routes[i].pattern, request->path))
            return &routes[i];
    return NULL;
}

static unsigned scopes_of(const struct api_request *request, const struct asked *asked)
{
    const char *authorization = find(asked->headers, asked->header_count, "Authorization");

    if (request->peer)
        return API_SCOPE_ALL;
    for (size_t i = 0; authorization && i < KEY_COUNT; i++)
        if (strncmp(authorization + 1, "earer ", 6) == 0 && strcmp(authorization + 7, keys[i].secret) == 0)
            return keys[i].scopes;
    return 0;
}

static void store_answers(struct store_change *change, const struct asked *asked)
{
    static const int results[] = { 0, -EEXIST, -ENOENT, -EBUSY, -EALREADY, -ENOSPC, -EIO, -ENOMEM, -ESHUTDOWN };
    const char *result = find(asked->headers, asked->header_count, "Result");

    if (change->kind == CHANGE_ACCEPT)
        fuzz_check_accept(&change->u.accept);
    change->result = results[result ? (unsigned char)*result % (sizeof results / sizeof results[0]) : 0];
    if (change->kind == CHANGE_ACCEPT)
        change->u.accept.replayed = result && *result && result[1] == 'r';
    else if (change->kind == CHANGE_CANCEL)
        change->u.cancel.message_state = MESSAGE_CANCELLED;
    else if (change->kind == CHANGE_DECIDE)
        change->u.decide.message_state = MESSAGE_QUEUED;
}

static void check_answer(const struct api_request *request, const struct asked *asked, const struct api_response *response)
{
    const struct api_route *route = route_of(request);
    unsigned scopes = scopes_of(request, asked);

    if (!route || response->status == 404)
        assert(response->status == 404 || response->status == 405);
    else
        assert(fuzz_route_answers(route, response->status));
    assert((response->status == 405) == (response->allow[0] != '\0'));
    assert((response->status == 401) == response->unauthorized);
    if (route && route->scope && (scopes & route->scope) == 0)
        assert(response->status == 401 || response->status == 403 || response->status == 404);
    assert((response->content_type == NULL) == (response->body == NULL));
    for (const char *c = response->location; *c; c++)
        assert(*c > 0x20 && *c < 0x7F);
    for (const char *c = response->allow; *c; c++)
        assert(*c >= 0x20 && *c < 0x7F);
    assert(!response->body || utf8_is_valid(response->body, response->length, NULL));
    fuzz_check_json(response);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct api *api;
    struct asked asked = { .query_count = 0 };
    struct api_request request = { .query = query, .query_name = query_name, .header = header, .context = &asked, .now_ms = FUZZ_NOW_MS };
    struct api_response admitted, response;
    struct api_call call;
    enum api_step step;
    char *text = malloc(length + 1);
    bool admit;

    if (!api)
        api = world_new();
    if (!text)
        return 0;
    if (length > 0)
        memcpy(text, bytes, length);
    text[length] = '\0';
    if (!request_parse(text, length, &asked, &request)) {
        free(text);
        return 0;
    }
    request.peer = find(asked.headers, asked.header_count, "Peer") ? "uid:0" : NULL;

    admit = api_admit(api, &request, &admitted);
    step = api_handle(api, &request, &call, &response);
    if (!admit) {
        assert(step == API_DONE && response.status == admitted.status && response.status >= 400);
        assert(response.length == admitted.length && memcmp(response.body, admitted.body, response.length) == 0);
    }
    if (step != API_DONE) {
        const struct api_route *route = route_of(&request);
        assert(admit && route && (route->scope == 0 || (scopes_of(&request, &asked) & route->scope) != 0));
        assert(step != API_WAIT_CHANGE || (strcmp(route->method, "GET") != 0 && route->scope != 0));
        if (step == API_WAIT_CHANGE)
            store_answers(call.change, &asked);
        else if (step == API_WAIT_LIVE)
            look(&call);
        else
            call.ask->result = (enum api_ask_result)(length % API_ASK_RESULT_COUNT);
        api_resume(api, &call, &response);
    }
    api_call_done(&call);
    check_answer(&request, &asked, &response);
    free(response.body);
    free(admitted.body);
    free(text);
    return 0;
}
