/* SPDX-License-Identifier: Apache-2.0
 *
 * http.h - the HTTPS server that boxes talk to: TLS 1.2 and 1.3, certificates of boxes asked for and verified.
 *
 * Some threads, each request served on one of them with a storage connection of its own. Everything is bounded: connections
 * in all and of one address, octets of one body and of all together, the time from the first octet of a connection, or from
 * the end of the request before, to the end of a request.
 * GET /healthz is plain text and needs no certificate: 200 "ok", 503 while the storage is away. */
#ifndef CELLPOST_CENTRAL_HTTP_H
#define CELLPOST_CENTRAL_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "firmware/central/ca.h"
#include "firmware/central/db.h"
#include "firmware/central/desk.h"

#define CENTRAL_HTTP_THREADS_MAX 64

struct central_http_config {
    struct desk desk;
    const char *ca;                          /* PEM: of this authority are the certificates of boxes */
    struct central_db *const *dbs;           /* `threads` of them; used by nobody else */
    unsigned threads;
    unsigned request_ms, connections, connections_of_one;   /* 0: what http.c says */
};

struct central_http;
/* Listens on "address:port" (port 0: any), but answers nothing yet. A sentence in error on failure. */
int central_http_new(const struct central_http_config *config, const char *listen_at, struct central_http **ret_http, unsigned *ret_port,
                     char *error, size_t size);
/* Answers, with this certificate. Also in place of one: who is connected is let go, who connects meanwhile waits. The paper may go. */
int central_http_serve(struct central_http *http, const struct central_server_paper *paper, char *error, size_t size);
/* Ends connections that are too slow; returns after how many milliseconds it is to be called again. From one thread. */
int central_http_sweep(struct central_http *http);
/* Takes nothing new and waits for what is being answered. Accepts NULL. */
void central_http_free(struct central_http *http);

#endif
