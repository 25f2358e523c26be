/* SPDX-License-Identifier: Apache-2.0
 *
 * courier.h - carries requests to the account over HTTPS, one at a time, on a thread of its own.
 *
 * It judges who answers (tls_verify.h) before the request is sent, on every connection and also behind a proxy, and nothing of
 * what is said: status and body come back as they are, redirects too. An answer that does not come within 30 seconds, or is
 * larger than any answer of that call, is none.
 * Threads: wake comes on the courier's thread; all else is called from one, the loop's. */
#ifndef CELLPOST_COURIER_H
#define CELLPOST_COURIER_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/cellpostd/tls_verify.h"
#include "firmware/common/central.h"
#include "src/sync/wire.h"

#define COURIER_TIMEOUT_MS 30000
#define COURIER_DETAIL_CHARS WIRE_DETAIL_CHARS

/* Where to, whom to believe, and as whom. */
struct courier_peer {
    struct central_place place;
    char identity[CENTRAL_PATH_MAX];         /* a PEM file with the key and the certificate of the box; "": it has none yet */
    int64_t floor_s;                         /* of tls_rules, beside what the identity says */
    unsigned generation;                     /* another one than before: connections are made anew */
};

struct courier_answer {
    enum wire_call call;
    int error;                               /* 0, or negative: there is no answer, and detail says why */
    char detail[COURIER_DETAIL_CHARS];
    uint16_t status;
    char *body; size_t length;               /* the taker's */
};

struct courier;
int courier_start(void (*wake)(void *context), void *context, struct courier **ret_courier);
/* Ends what is under way at once and frees it; accepts NULL. */
void courier_stop(struct courier *courier);
/* The body is taken, in any case. -EBUSY: one is under way. */
int courier_send(struct courier *courier, const struct courier_peer *peer, enum wire_call call, const struct wire_message *message);
/* True: here is what came of it. */
bool courier_collect(struct courier *courier, struct courier_answer *ret_answer);

#endif
