/* SPDX-License-Identifier: Apache-2.0
 *
 * http_internal.h - what the files of the HTTP shell share.
 *
 * Lock: server->mutex guards the lists of waiting requests, of streams and the ring. It may be held while calling
 * MHD_suspend_connection() and MHD_resume_connection(), never while calling submit(). */
#ifndef CELLPOST_HTTP_INTERNAL_H
#define CELLPOST_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "firmware/cellpostd/http.h"

#define HTTP_CONNECTIONS_MAX 256
#define HTTP_CONNECTION_MEMORY (32u << 10)
#define HTTP_TIMEOUT_S 60
#define HTTP_THREAD_STACK (256u << 10)
#define HTTP_BODIES_BYTES_MAX (32u << 20)
#define HTTP_DISCARD_BYTES_MAX (64u << 20)   /* of a body that is refused: read to its end, so that the answer arrives */
#define HTTP_STREAMS_MAX 64
#define HTTP_RING_EVENTS 4096
#define HTTP_RING_BYTES_MAX (1u << 20)
#define HTTP_HEARTBEAT_MS 15000
#define HTTP_STOP_WAIT_MS 1000

/* -- addresses (http_uri.c) ------------------------------------------------------------------------------------ */

#define HTTP_URI_CHARS_MAX 2048
#define HTTP_PARAMETERS_MAX 16

struct http_uri {
    bool too_long;                       /* or too many parameters: nothing else is set */
    char text[HTTP_URI_CHARS_MAX];       /* cut into pieces */
    const char *path;                    /* as it came, without the query */
    struct { const char *name, *value; } parameters[HTTP_PARAMETERS_MAX];   /* decoded */
    size_t parameter_count;
};
void http_uri_parse(const char *raw, struct http_uri *ret_uri);
/* True for an IP address, localhost, or one of the names; each with or without a port. Against DNS rebinding. */
bool http_host_is_good(const char *host, const char *const *names, size_t count);

/* -- sockets (http_socket.c) ----------------------------------------------------------------------------------- */

/* Listening, close-on-exec, non-blocking descriptors, or a negative errno and a sentence. */
int http_socket_tcp(const char *listen_at, unsigned *ret_port, char *error, size_t size);
int http_socket_unix(const char *path, unsigned mode, char *error, size_t size);
/* "uid:1000" of who is at the other end of a unix socket. */
int http_socket_peer(int fd, char *ret_peer, size_t size);

/* -- streams (http_stream.c) ----------------------------------------------------------------------------------- */

struct http_stream;
struct http_record;

struct http_hub {
    struct http_stream *streams;
    unsigned stream_count;
    struct http_record *ring[HTTP_RING_EVENTS];
    size_t first, count;                 /* of the ring */
    size_t bytes;
    uint64_t next_id;                    /* ids are consecutive: the oldest is next_id - count */
    bool stopping;
    pthread_t beat_thread;
    bool beat_running;
    pthread_cond_t beat_wake;
};
int http_hub_init(struct http_server *server);
void http_hub_end_streams(struct http_server *server);   /* the mutex is held */
void http_hub_done(struct http_server *server);
/* A response that streams from response->stream_after on; takes response->body over. NULL: too many, or no memory. */
struct MHD_Response *http_stream_open(struct http_server *server, struct MHD_Connection *connection, struct api_response *response);

/* -- the server (http.c) and its requests (http_request.c) ------------------------------------------------------- */

struct http_listener {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    struct store_reader *reader;         /* of its thread */
    struct api *api;
    bool is_unix;
};

struct http_server {
    struct http_config config;
    struct http_listener listeners[2];
    size_t listener_count;
    char tag[8];
    unsigned tcp_port;
    char *cert, *key;
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    bool stopping;
    unsigned active;                     /* requests that are not yet completed */
    struct http_request *waiting;        /* suspended, their calls in the loop's hands */
    struct http_hub hub;
    atomic_size_t body_bytes;            /* held by all bodies */
    atomic_uint references;              /* of the server itself and of each call */
};
void http_server_unref(struct http_server *server);

void *http_request_new(void *listener, const char *uri, struct MHD_Connection *connection);
enum MHD_Result http_request_step(void *listener, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload_data, size_t *upload_data_size, void **request);
void http_request_completed(void *listener, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code);
void http_requests_detach(struct http_server *server);   /* the mutex is held; those that wait get a 503 */

#endif
