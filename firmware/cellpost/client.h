/* SPDX-License-Identifier: Apache-2.0
 *
 * client.h - the REST API of the gateway over its unix socket.
 *
 * Ownership: an answer is the caller's until client_answer_done(). One call at a time per client.
 * Errors:    0: an answer came, whatever its status. Otherwise a negative errno which says what has become of the
 *            request: client_error_is_connect() true: it was never asked; else it may have been carried out. */
#ifndef CELLPOST_CLI_CLIENT_H
#define CELLPOST_CLI_CLIENT_H

#include "firmware/cellpost/sse.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_SOCKET_DEFAULT "/run/cellpost/api.sock"
#define CLIENT_TRIES_MAX 3
#define CLIENT_ANSWER_BYTES_MAX (64u << 20)

struct client;

struct client_config {
    const char *socket_path;
    uint32_t answer_timeout_ms;     /* for one whole answer; 0: 60 000 */
    uint32_t retry_wait_ms;         /* between two tries; 0: 1000 */
};
/* -ENAMETOOLONG: no unix socket can have this path. */
int client_new(const struct client_config *config, struct client **ret_client);
void client_free(struct client *client);

struct client_request {
    const char *method;             /* "GET" */
    const char *target;             /* "/v1/messages?limit=10" */
    const char *body;               /* JSON; NULL none */
    const char *idempotency_key;    /* NULL none */
};

struct client_answer {
    long status;
    char *body; size_t length;      /* NUL-terminated */
    json_t *json;                   /* NULL where the body is no JSON */
    long retry_after_s;             /* 0 none */
    bool replayed;                  /* the gateway had carried it out before */
    int tries;
};
void client_answer_done(struct client_answer *answer);

/* A lost answer is asked for again, CLIENT_TRIES_MAX times in all, where this cannot do anything twice: GET, and whatever
 * has an idempotency key, with the same key. -ENOENT, -ECONNREFUSED, -EACCES, ...: no connection. -EPIPE: the answer was
 * lost. -ETIMEDOUT. -EMSGSIZE: too long. -EPROTO: what answers there is no gateway. */
int client_call(struct client *client, const struct client_request *request, struct client_answer *ret_answer);
bool client_error_is_connect(int error);

/* Events as they happen. */
struct client_stream;
/* Waits for the status of the answer. last_id: NULL from now on. With another status than 200 fails with -EBADMSG and
 * fills *ret_refusal (the caller's to done). */
int client_stream_open(const struct client_config *config, const char *target, const char *last_id,
                       struct client_stream **ret_stream, struct client_answer *ret_refusal);
void client_stream_close(struct client_stream *stream);
/* 1: an event, valid until the next call. 0: none in this time. -EPIPE: the stream has ended. wake_fd: return early with 0
 * when it becomes readable, -1 none. */
int client_stream_next(struct client_stream *stream, uint32_t timeout_ms, int wake_fd, struct sse_event *ret_event);

/* Targets are put together here, percent-encoded (RFC 3986). Overflow is remembered: client_call() then fails with -E2BIG. */
struct client_target { char text[2048]; size_t length; bool overflow; bool has_query; };
void client_target_begin(struct client_target *target, const char *path);
void client_target_segment(struct client_target *target, const char *segment);            /* "/" and the segment */
void client_target_query(struct client_target *target, const char *name, const char *value);   /* NULL value: left out */

#endif
