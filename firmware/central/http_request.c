/* SPDX-License-Identifier: Apache-2.0
 *
 * http_request.c - one request from its first line to its answer, on a thread of the pool. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "firmware/central/http_internal.h"
#include "firmware/common/log.h"
#include "src/base/hex.h"

#define BODY_FIRST_OCTETS 4096
#define TARGET_CHARS_MAX WIRE_TARGET_CHARS

struct http_request {
    struct central_http *http;
    struct http_peer *peer;
    char target[TARGET_CHARS_MAX + 1];       /* one more than is good: cut is wrong */
    bool started;
    enum wire_code refused;                  /* what is left of the body is thrown away */
    char *body;
    size_t length, capacity, discarded;
};

static struct http_peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static int64_t wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void *http_request_new(void *http, const char *uri, struct MHD_Connection *connection)
{
    struct http_request *request = calloc(1, sizeof *request);

    if (!request)
        return NULL;
    request->http = http;
    request->peer = peer_of(connection);
    (void)snprintf(request->target, sizeof request->target, "%s", uri);
    return request;
}

static void body_drop(struct http_request *request)
{
    atomic_fetch_sub(&request->http->body_octets, request->capacity);
    free(request->body);
    request->body = NULL;
    request->length = request->capacity = 0;
}

static void peer_busy(struct http_request *request, bool busy)
{
    pthread_mutex_lock(&request->http->mutex);
    request->peer->busy = busy;
    request->peer->since_ms = http_monotonic_ms();
    pthread_mutex_unlock(&request->http->mutex);
}

void http_request_completed(void *http, struct MHD_Connection *connection, void **con_request, enum MHD_RequestTerminationCode code)
{
    struct http_request *request = *con_request;

    (void)http;
    (void)connection;
    (void)code;
    if (!request)
        return;
    *con_request = NULL;
    body_drop(request);
    if (request->peer)
        peer_busy(request, false);           /* from now on the next one is waited for */
    free(request);
}

/* -- answers ---------------------------------------------------------------------------------------------------------------- */

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type, char *body, size_t length, bool close)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (!response) {
        free(body);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (close)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* Once when it goes, once when it is back; not once a request. */
static void note_storage(struct central_http *http, const struct desk_answer *answer)
{
    if (answer->error != 0 && answer->error != -ENOMEM && answer->error != -EAGAIN) {
        if (!atomic_exchange(&http->away, true))
            log_line(LOG_ERROR, "the database does not answer as it should: %s. Boxes are told to ask again", strerror(-answer->error));
    } else if (answer->understood && answer->error == 0 && atomic_exchange(&http->away, false)) {
        log_line(LOG_NOTICE, "the database works again");
    }
}

static void note(struct central_http *http, const struct desk_answer *answer)
{
    char box[2 * LEASE_BOX_ID_OCTETS + 1];

    note_storage(http, answer);
    hex_encode(answer->box, sizeof answer->box, box);
    for (char *c = box; *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'F' ? *c + ('a' - 'A') : *c);
    if (answer->understood && answer->call == WIRE_ENROLL && answer->code == WIRE_OK)
        log_line(LOG_NOTICE, "box %s is enrolled", box);
    else if (answer->understood && answer->call == WIRE_ENROLL)
        log_line(LOG_WARNING, "an enrolment is refused: %s", wire_code_name(answer->code));
    else if (answer->code == WIRE_FORK)
        log_line(LOG_ERROR, "box %s is fenced: its journal is not the one that was booked. There are two copies of it: cellpost-central box show %s", box, box);
    else if (answer->code == WIRE_UNKNOWN_LEASE)
        log_line(LOG_WARNING, "box %s has a lease that this database does not know, so it is an older copy. The box is going to show it", box);
    else if (answer->understood && answer->call == WIRE_PAPERS && answer->code == WIRE_NO_CREDIT)
        log_line(LOG_ERROR, "a lease that box %s shows was granted after this copy of the database was made, and its account has not that much: "
                            "cellpost-central account fund, with what was funded since", box);
    else if (answer->understood && answer->call == WIRE_PAPERS && answer->code == WIRE_NO_PRICES)
        log_line(LOG_ERROR, "a lease that box %s shows has prices that this database does not know: cellpost-central price import, with what was imported "
                            "since, in the same order", box);
    else if (answer->code == WIRE_BAD_ENTRIES || answer->code == WIRE_ID_REUSED || answer->code == WIRE_OLD_EPOCH || answer->code == WIRE_BAD_LEASE)
        log_line(LOG_WARNING, "box %s: %s is refused: %s", box, wire_call_name(answer->call), wire_code_name(answer->code));
}

static enum MHD_Result answer(struct MHD_Connection *connection, struct desk_answer *desk, int r, bool close)
{
    if (r < 0)
        return MHD_NO;                       /* a box asks again where there was no answer */
    return respond(connection, desk->status, desk->content_type, desk->body, desk->length, close);
}

static enum MHD_Result answer_refusal(struct http_request *request, struct MHD_Connection *connection, bool close)
{
    const char *detail = request->refused == WIRE_UNKNOWN_BOX ? "A certificate of this account is needed, which a box gets when it is enrolled." : NULL;
    struct desk_answer desk;
    int r = desk_refuse(request->refused, detail, wall_ms(), &desk);

    return answer(connection, &desk, r, close);
}

/* -- storage connections ----------------------------------------------------------------------------------------------------- */

/* There are as many as threads, so this never waits for long. */
static struct central_db *db_take(struct central_http *http)
{
    struct central_db *db;

    pthread_mutex_lock(&http->mutex);
    while (http->free_count == 0)
        (void)pthread_cond_wait(&http->freed, &http->mutex);
    db = http->free_dbs[--http->free_count];
    pthread_mutex_unlock(&http->mutex);
    return db;
}

static void db_give(struct central_http *http, struct central_db *db)
{
    pthread_mutex_lock(&http->mutex);
    http->free_dbs[http->free_count++] = db;
    (void)pthread_cond_signal(&http->freed);
    pthread_mutex_unlock(&http->mutex);
}

/* -- GET /healthz ------------------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer_health(struct http_request *request, struct MHD_Connection *connection)
{
    struct central_db *db = db_take(request->http);
    struct account_db ops = central_db_ops(db);
    struct account_price price;
    int r = ops.ops->begin(ops.db, 0);
    char *text;

    if (r == 0)
        r = ops.ops->price_get(ops.db, 0, &price);
    ops.ops->rollback(ops.db);
    db_give(request->http, db);
    peer_busy(request, false);
    /* One that has others before it works. */
    r = r == 0 || r == -ENOENT || r == -EAGAIN ? 0 : r;
    text = strdup(r == 0 ? "ok\n" : "the database does not answer\n");
    return text ? respond(connection, r == 0 ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", text, strlen(text), false) : MHD_NO;
}

/* -- head, body, run ----------------------------------------------------------------------------------------------------------- */

static bool is_health(const struct http_request *request, const char *method)
{
    return strcmp(request->target, "/healthz") == 0 && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
}

static uint64_t body_announced(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return length ? strtoull(length, NULL, 10) : 0;
}

static size_t body_max(const struct http_request *request)
{
    return request->peer && request->peer->desk.known ? WIRE_BODY_MAX : HTTP_OPEN_BODY_MAX;
}

/* Refuses what can be refused before its body is taken in: nobody fills our memory without a certificate. */
static void take_head(struct http_request *request, struct MHD_Connection *connection, const char *method)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    request->started = true;
    if (!request->peer->looked && info) {
        http_tls_look(info->tls_session, &request->peer->desk);
        request->peer->looked = true;
    }
    if (is_health(request, method))
        return;
    if (!request->peer->desk.known && !desk_is_open(request->target))
        request->refused = WIRE_UNKNOWN_BOX;
    else if (body_announced(connection) > body_max(request))
        request->refused = WIRE_TOO_LARGE;
}

/* An answer before the end of the body closes the connection, and a client that is still sending may never see it. */
static bool is_worth_reading(struct MHD_Connection *connection)
{
    return !MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT) && body_announced(connection) <= HTTP_DISCARD_OCTETS_MAX;
}

static bool body_reserve(struct http_request *request, size_t more)
{
    size_t capacity = request->capacity ? request->capacity : BODY_FIRST_OCTETS, before;
    char *body;

    while (capacity < request->length + more)
        capacity *= 2;
    if (capacity == request->capacity)
        return true;
    before = atomic_fetch_add(&request->http->body_octets, capacity - request->capacity);
    if (before + capacity - request->capacity > HTTP_BODIES_OCTETS_MAX || !(body = realloc(request->body, capacity))) {
        atomic_fetch_sub(&request->http->body_octets, capacity - request->capacity);
        return false;
    }
    request->body = body;
    request->capacity = capacity;
    return true;
}

static void refuse(struct http_request *request, enum wire_code code)
{
    request->refused = code;
    body_drop(request);
}

static enum MHD_Result take_body(struct http_request *request, const char *octets, size_t length)
{
    if (request->refused == WIRE_OK && length > body_max(request) - request->length)
        refuse(request, WIRE_TOO_LARGE);
    if (request->refused == WIRE_OK && !body_reserve(request, length))
        refuse(request, WIRE_UNAVAILABLE);
    if (request->refused != WIRE_OK) {
        request->discarded += length;
        return request->discarded > HTTP_DISCARD_OCTETS_MAX ? MHD_NO : MHD_YES;
    }
    memcpy(request->body + request->length, octets, length);
    request->length += length;
    return MHD_YES;
}

static enum MHD_Result run(struct http_request *request, struct MHD_Connection *connection, const char *method)
{
    struct central_http *http = request->http;
    struct central_db *db;
    struct account_db ops;
    struct desk_answer desk;
    int r;

    peer_busy(request, true);
    if (is_health(request, method))
        return answer_health(request, connection);
    db = db_take(http);
    ops = central_db_ops(db);
    r = desk_ask(&http->config.desk, &ops, &(struct desk_request){ .method = method, .target = request->target, .body = request->body,
                 .length = request->length, .peer = request->peer->desk, .now_ms = wall_ms() }, &desk);
    db_give(http, db);
    peer_busy(request, false);               /* who reads its answer slowly is not waited for either */
    body_drop(request);
    if (r == 0)
        note(http, &desk);
    return answer(connection, &desk, r, false);
}

enum MHD_Result http_request_step(void *http, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                                  const char *upload_data, size_t *upload_data_size, void **con_request)
{
    struct http_request *request = *con_request;

    (void)http;
    (void)url;
    (void)version;
    if (!request || !request->peer)
        return MHD_NO;                       /* no memory for it */
    if (!request->started) {
        take_head(request, connection, method);
        return request->refused != WIRE_OK && !is_worth_reading(connection) ? answer_refusal(request, connection, true) : MHD_YES;
    }
    if (*upload_data_size > 0) {
        size_t length = *upload_data_size;

        *upload_data_size = 0;
        return take_body(request, upload_data, length);
    }
    return request->refused != WIRE_OK ? answer_refusal(request, connection, false) : run(request, connection, method);
}
