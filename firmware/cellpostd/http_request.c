/* SPDX-License-Identifier: Apache-2.0
 *
 * http_request.c - one request from its first line to its answer, on the thread of its listener. */
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "firmware/cellpostd/http_internal.h"

enum http_stage { HTTP_HEAD, HTTP_BODY, HTTP_WAITING };

struct http_request {
    struct http_listener *listener;
    struct MHD_Connection *connection;
    enum http_stage stage;
    struct http_uri uri;
    char peer[24];
    bool is_refused;                     /* the answer is in response; what is left of the body is thrown away */
    struct api_response response;
    char *body;
    size_t length, capacity, discarded;
    struct http_call *call;              /* HTTP_WAITING; NULL there: the server stops */
    struct http_request **link, *next;   /* in server->waiting while suspended */
};

void *http_request_new(void *listener, const char *uri, struct MHD_Connection *connection)
{
    struct http_request *request = calloc(1, sizeof *request);
    struct http_server *server = ((struct http_listener *)listener)->server;

    if (!request)
        return NULL;
    request->listener = listener;
    request->connection = connection;
    http_uri_parse(uri, &request->uri);
    pthread_mutex_lock(&server->mutex);
    server->active++;
    pthread_mutex_unlock(&server->mutex);
    return request;
}

static void call_free(struct http_call *call)
{
    struct http_server *server = call->server;

    api_call_done(&call->call);
    free(call);
    http_server_unref(server);
}

void http_request_completed(void *listener, struct MHD_Connection *connection, void **con_request, enum MHD_RequestTerminationCode code)
{
    struct http_request *request = *con_request;
    struct http_server *server = ((struct http_listener *)listener)->server;

    (void)connection;
    (void)code;
    if (!request)
        return;
    *con_request = NULL;
    if (request->call)
        call_free(request->call);
    atomic_fetch_sub(&server->body_bytes, request->capacity);
    free(request->body);
    free(request->response.body);
    free(request);
    pthread_mutex_lock(&server->mutex);
    if (--server->active == 0)
        pthread_cond_broadcast(&server->idle);
    pthread_mutex_unlock(&server->mutex);
}

/* -- answers --------------------------------------------------------------------------------------------------- */

static void add_headers(struct MHD_Response *answer, const struct api_response *response)
{
    char seconds[16];
    const struct { bool is_there; const char *name, *value; } headers[] = {
        { response->content_type != NULL, MHD_HTTP_HEADER_CONTENT_TYPE, response->content_type },
        { true, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store" },
        { true, "X-Content-Type-Options", "nosniff" },
        { response->location[0] != '\0', MHD_HTTP_HEADER_LOCATION, response->location },
        { response->allow[0] != '\0', MHD_HTTP_HEADER_ALLOW, response->allow },
        { response->retry_after_s > 0, MHD_HTTP_HEADER_RETRY_AFTER, seconds },
        { response->unauthorized, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"cellpost\"" },
        { response->replayed, "Idempotency-Replayed", "true" },
    };

    (void)snprintf(seconds, sizeof seconds, "%d", response->retry_after_s);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (headers[i].is_there)
            (void)MHD_add_response_header(answer, headers[i].name, headers[i].value);
}

/* Sends request->response and leaves it empty. */
static enum MHD_Result request_answer(struct http_request *request)
{
    struct api_response *response = &request->response;
    struct MHD_Response *answer = NULL;
    enum MHD_Result result;

    if (response->stream) {
        answer = http_stream_open(request->listener->server, request->connection, response);
        if (!answer) {
            free(response->body);
            api_refuse(API_BUSY, "Too many event streams are open", response);
        }
    }
    if (!answer) {
        answer = MHD_create_response_from_buffer(response->length, response->body, MHD_RESPMEM_MUST_FREE);
        if (!answer)
            return MHD_NO;
        response->body = NULL;   /* the answer's now */
    }
    add_headers(answer, response);
    result = MHD_queue_response(request->connection, (unsigned)response->status, answer);
    MHD_destroy_response(answer);
    return result;
}

static void request_refuse(struct http_request *request, enum api_refusal refusal)
{
    free(request->response.body);
    api_refuse(refusal, NULL, &request->response);
    request->is_refused = true;
    atomic_fetch_sub(&request->listener->server->body_bytes, request->capacity);
    free(request->body);
    request->body = NULL;
    request->length = request->capacity = 0;
}

/* -- what the API sees ----------------------------------------------------------------------------------------- */

static const char *request_query(void *context, const char *name)
{
    const struct http_request *request = context;

    for (size_t i = 0; i < request->uri.parameter_count; i++)
        if (strcmp(request->uri.parameters[i].name, name) == 0)
            return request->uri.parameters[i].value;
    return NULL;
}

static const char *request_query_name(void *context, size_t index)
{
    const struct http_request *request = context;
    return index < request->uri.parameter_count ? request->uri.parameters[index].name : NULL;
}

static const char *request_header(void *context, const char *name)
{
    const struct http_request *request = context;
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static struct api_request request_view(struct http_request *request, const char *method)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct api_request){ .method = method, .path = request->uri.path, .query = request_query, .query_name = request_query_name,
                                 .header = request_header, .context = request, .body = request->body ? request->body : "",
                                 .body_length = request->length, .peer = request->listener->is_unix ? request->peer : NULL,
                                 .now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 };
}

/* -- head, body, run ------------------------------------------------------------------------------------------- */

/* Refuses what can be refused before its body is taken in: nobody fills our memory without a key. */
static void request_take_head(struct http_request *request, const char *method)
{
    const struct http_config *config = &request->listener->server->config;
    const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    const char *length = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct api_request view;

    request->stage = HTTP_BODY;
    if (request->listener->is_unix && (!info || http_socket_peer(info->connect_fd, request->peer, sizeof request->peer) < 0)) {
        request_refuse(request, API_INTERNAL_ERROR);
        return;
    }
    if (request->uri.too_long) {
        request_refuse(request, API_URI_TOO_LONG);
        return;
    }
    if (!request->listener->is_unix && host && !http_host_is_good(host, config->hosts, config->host_count)) {
        request_refuse(request, API_WRONG_HOST);
        return;
    }
    view = request_view(request, method);
    if (!api_admit(request->listener->api, &view, &request->response))
        request->is_refused = true;
    else if (length && strtoull(length, NULL, 10) > API_BODY_BYTES_MAX)
        request_refuse(request, API_BODY_TOO_LARGE);
}

/* An answer before the end of the body closes the connection, and a client that is still sending may never see it: a
 * body is read to its end and thrown away, unless it is huge or its client waits for our word (RFC 9110 10.1.1). */
static bool body_is_worth_reading(const struct http_request *request)
{
    const char *length = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const char *expect = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);

    return !expect && (!length || strtoull(length, NULL, 10) <= HTTP_DISCARD_BYTES_MAX);
}

static bool body_reserve(struct http_request *request, size_t more)
{
    struct http_server *server = request->listener->server;
    size_t capacity = request->capacity ? request->capacity : 4096;
    char *body;

    while (capacity < request->length + more)
        capacity *= 2;
    if (capacity == request->capacity)
        return true;
    if (atomic_fetch_add(&server->body_bytes, capacity - request->capacity) + capacity - request->capacity > HTTP_BODIES_BYTES_MAX ||
        !(body = realloc(request->body, capacity))) {
        atomic_fetch_sub(&server->body_bytes, capacity - request->capacity);
        return false;
    }
    request->body = body;
    request->capacity = capacity;
    return true;
}

static enum MHD_Result request_take_body(struct http_request *request, const char *bytes, size_t length)
{
    if (!request->is_refused && length > API_BODY_BYTES_MAX - request->length)
        request_refuse(request, API_BODY_TOO_LARGE);
    if (!request->is_refused && !body_reserve(request, length))
        request_refuse(request, API_BUSY);
    if (request->is_refused) {
        request->discarded += length;
        return request->discarded > HTTP_DISCARD_BYTES_MAX ? MHD_NO : MHD_YES;
    }
    memcpy(request->body + request->length, bytes, length);
    request->length += length;
    return MHD_YES;
}

/* The connection sleeps until http_call_done(). False: the server stops, and it does not. */
static bool request_wait(struct http_request *request, struct http_call *call)
{
    struct http_server *server = request->listener->server;
    bool stopping;

    pthread_mutex_lock(&server->mutex);
    stopping = server->stopping;
    if (!stopping) {
        request->stage = HTTP_WAITING;
        request->call = call;
        request->next = server->waiting;
        if (request->next)
            request->next->link = &request->next;
        request->link = &server->waiting;
        server->waiting = request;
        /* Before the call can be done: else it would be resumed first and sleep for ever. */
        MHD_suspend_connection(request->connection);
    }
    pthread_mutex_unlock(&server->mutex);
    return !stopping;
}

static enum MHD_Result request_run(struct http_request *request, const char *method)
{
    struct http_server *server = request->listener->server;
    struct http_call *call = calloc(1, sizeof *call);
    struct api_request view = request_view(request, method);

    if (!call || getrandom(view.entropy, sizeof view.entropy, 0) != (ssize_t)sizeof view.entropy) {
        free(call);
        request_refuse(request, API_INTERNAL_ERROR);
        return request_answer(request);
    }
    call->request = request;
    call->server = server;
    atomic_fetch_add(&server->references, 1);
    call->step = api_handle(request->listener->api, &view, &call->call, &request->response);
    explicit_bzero(view.entropy, sizeof view.entropy);
    /* The call has all it needs of it. */
    atomic_fetch_sub(&server->body_bytes, request->capacity);
    free(request->body);
    request->body = NULL;
    request->length = request->capacity = 0;

    if (call->step == API_DONE) {
        call_free(call);
        return request_answer(request);
    }
    if (!request_wait(request, call)) {
        call_free(call);
        request_refuse(request, API_STOPPING);
        return request_answer(request);
    }
    server->config.submit(server->config.context, call);
    return MHD_YES;
}

enum MHD_Result http_request_step(void *listener, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload_data, size_t *upload_data_size, void **con_request)
{
    struct http_request *request = *con_request;

    (void)connection;
    (void)url;
    (void)version;
    if (!request)
        return MHD_NO;   /* no memory for it */
    switch (request->stage) {
    case HTTP_HEAD:
        request_take_head(request, method);
        return request->is_refused && !body_is_worth_reading(request) ? request_answer(request) : MHD_YES;
    case HTTP_BODY:
        if (*upload_data_size > 0) {
            size_t length = *upload_data_size;
            *upload_data_size = 0;
            return request_take_body(request, upload_data, length);
        }
        return request->is_refused ? request_answer(request) : request_run(request, method);
    case HTTP_WAITING:
        break;
    }
    if (request->call)
        api_resume(((struct http_listener *)listener)->api, &request->call->call, &request->response);
    else
        api_refuse(API_STOPPING, "The gateway is stopping; whether this was done is not known: ask again with the same Idempotency-Key",
                   &request->response);
    return request_answer(request);
}

/* -- from the loop --------------------------------------------------------------------------------------------- */

/* The mutex is held. */
static void request_wake(struct http_request *request)
{
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    request->link = NULL;
    request->next = NULL;
    MHD_resume_connection(request->connection);
}

void http_call_done(struct http_call *call)
{
    struct http_server *server = call->server;
    bool nobody_waits;

    pthread_mutex_lock(&server->mutex);
    nobody_waits = call->request == NULL;
    if (!nobody_waits)
        request_wake(call->request);
    pthread_mutex_unlock(&server->mutex);
    if (nobody_waits)
        call_free(call);
}

void http_requests_detach(struct http_server *server)
{
    while (server->waiting) {
        struct http_request *request = server->waiting;
        request->call->request = NULL;
        request->call = NULL;
        request_wake(request);
    }
}
