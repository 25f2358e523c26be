/* SPDX-License-Identifier: Apache-2.0
 *
 * desk.h - what a box asked, as octets, to what it is told, as octets: wire.h on the outside, account.h behind it.
 *
 * It knows neither sockets nor clocks; who asks is what the connection proved.
 * A storage that fails is never a final answer: 503 unavailable where it is away or full, else 500 internal, and the box asks
 * again with the same octets. */
#ifndef CELLPOST_CENTRAL_DESK_H
#define CELLPOST_CENTRAL_DESK_H

#include "src/account/account.h"
#include "src/sync/wire.h"

struct desk { struct account_hands hands; const uint8_t *account_key; };   /* SIGNATURE_PUBLIC_KEY_OCTETS */

/* Whose certificate of this account's authority the connection showed. known false: none. */
struct desk_peer { bool known; uint8_t box[LEASE_BOX_ID_OCTETS], key_sha256[SHA256_OCTETS]; };

struct desk_request { const char *method, *target, *body; size_t length; struct desk_peer peer; int64_t now_ms; };

struct desk_answer {
    uint16_t status;
    const char *content_type;
    char *body; size_t length;               /* of malloc() */
    /* For the log: what was asked and said. */
    bool understood; enum wire_call call;
    enum wire_code code;
    int error;                               /* of the storage, where code is one of 500 and above */
    uint8_t box[LEASE_BOX_ID_OCTETS];        /* that was enrolled, or that asked; zeros */
};

/* What may be asked without a certificate. */
bool desk_is_open(const char *target);

/* Asks the account. -ENOMEM: there is no answer. */
int desk_ask(const struct desk *desk, const struct account_db *db, const struct desk_request *request, struct desk_answer *ret_answer);
/* A refusal that needs no account. */
int desk_refuse(enum wire_code code, const char *detail, int64_t now_ms, struct desk_answer *ret_answer);

#endif
