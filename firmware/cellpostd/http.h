/* SPDX-License-Identifier: Apache-2.0
 *
 * http.h - the REST API on a unix socket and on TCP: libmicrohttpd around src/api.
 *
 * Each listener has a thread of its own that reads requests, answers what the store's reading side can answer, and
 * hands the rest to the loop (submit); the connection sleeps meanwhile. Events go the other way: http_publish().
 * Threads:   submit comes on a server thread; http_call_done() may be called from any; the rest from one, the loop's.
 * Bounds:    256 connections per listener, 64 event streams, 8 MiB per body and 32 MiB for all bodies held at a time. */
#ifndef CELLPOST_HTTP_H
#define CELLPOST_HTTP_H

#include <stddef.h>

#include "src/api/api.h"

struct http_server;
struct http_request;

/* A request that waits for the loop. step: API_WAIT_CHANGE, take call.change (it stays the call's) through its commit;
 * API_WAIT_LIVE, fill call.live; API_WAIT_ASK, answer call.ask; API_WAIT_ACCOUNT, fill
 * call.account. Then http_call_done(), always: a call also outlives its client, and http_stop(). */
struct http_call {
    enum api_step step;
    struct api_call call;
    struct http_call *next;              /* for whoever holds it: a queue */
    struct http_request *request;        /* the server's own, as is what follows; NULL: nobody waits any more */
    struct http_server *server;
};

struct http_config {
    const char *listen;                  /* "127.0.0.1:8480", "[::]:8480"; NULL none */
    const char *socket_path;             /* NULL none */
    unsigned socket_mode;                /* 0: 0660 */
    const char *cert_file, *key_file;    /* PEM; both: TLS on TCP */
    const char *const *hosts;            /* names that a Host header may have on TCP beside localhost and IP addresses */
    size_t host_count;
    const char *db_path;
    struct api_config api;
    void (*submit)(void *context, struct http_call *call);
    void *context;
};

/* Strings of the config are borrowed until http_stop(). A dead process's socket file is replaced, a living one's is not.
 * Negative errno, and in error a sentence that names what was in the way. */
int http_start(const struct http_config *config, struct http_server **ret_server, char *error, size_t error_size);
/* The TCP port in use (listen may have asked for port 0); 0: no TCP. */
unsigned http_port_number(const struct http_server *server);
void http_call_done(struct http_call *call);
/* To every event stream that may see it, and into the ring of the last 4096 for those that come back. */
void http_publish(struct http_server *server, const struct live_event *event);
/* Ends streams, answers waiting requests with 503, lets answers go out for up to a second. Accepts NULL. A call that was
 * submitted meanwhile is still its holder's to give back with http_call_done(), which then only frees it. */
void http_stop(struct http_server *server);

#endif
