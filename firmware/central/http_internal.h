/* SPDX-License-Identifier: Apache-2.0
 *
 * http_internal.h - shared by the files of the HTTPS server alone.
 *
 * Lock: http->mutex guards the list of connections and that of free storage connections. */
#ifndef CELLPOST_CENTRAL_HTTP_INTERNAL_H
#define CELLPOST_CENTRAL_HTTP_INTERNAL_H

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "firmware/central/http.h"

#define HTTP_CONNECTIONS_MAX 1024
#define HTTP_CONNECTIONS_OF_ONE_MAX 256      /* many boxes may share an address */
#define HTTP_CONNECTION_MEMORY (32u << 10)
#define HTTP_IDLE_S 60
#define HTTP_REQUEST_MS 60000
#define HTTP_THREAD_STACK (512u << 10)
#define HTTP_BODIES_OCTETS_MAX (64u << 20)   /* of all together */
#define HTTP_OPEN_BODY_MAX (32u << 10)       /* without a certificate: an enrolment */
#define HTTP_DISCARD_OCTETS_MAX (4u << 20)   /* of a body that is refused: read to its end, so that the answer arrives */

/* One TCP connection. */
struct http_peer {
    struct http_peer **link, *next;
    int fd;
    int64_t since_ms;                        /* since when its next request is waited for */
    bool busy;                               /* it is being answered: that takes as long as it takes */
    bool cut;
    bool looked;                             /* at its certificate */
    struct desk_peer desk;
};

struct central_http {
    struct central_http_config config;
    int fd;
    struct MHD_Daemon *daemon;
    pthread_mutex_t mutex;
    struct http_peer *peers;
    struct central_db *free_dbs[CENTRAL_HTTP_THREADS_MAX];
    unsigned free_count;
    pthread_cond_t freed;
    atomic_size_t body_octets;
    atomic_bool away;                        /* the last that was asked of the storage failed */
};

int64_t http_monotonic_ms(void);
/* http_tls.c: whose certificate it is. Of a peer that showed none that is good, known stays false. */
void http_tls_look(gnutls_session_t session, struct desk_peer *ret_peer);

/* http_request.c */
void *http_request_new(void *http, const char *uri, struct MHD_Connection *connection);
enum MHD_Result http_request_step(void *http, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                                  const char *upload_data, size_t *upload_data_size, void **request);
void http_request_completed(void *http, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code);

#endif
