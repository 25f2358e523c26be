/* SPDX-License-Identifier: Apache-2.0
 *
 * front.h - what came over HTTPS to an account, and what is said to it: the protocol of src/sync/wire.h on this side.
 *
 * Who serves HTTP hands in what it read and who the connection proved to be, and sends what comes back as it is. Any number of
 * threads, each with a storage of its own. Nothing is said before it is on the disk. */
#ifndef CELLPOST_ACCOUNT_FRONT_H
#define CELLPOST_ACCOUNT_FRONT_H

#include "src/account/account.h"

/* Whom the client's certificate names. */
struct front_peer { bool proved; uint8_t box[LEASE_BOX_ID_OCTETS], key_sha256[SHA256_OCTETS]; };

struct front_request { const char *method, *target, *body; size_t length; int64_t now_ms; };   /* target: with the query */

struct front_reply { uint16_t status; const char *content_type; char *body; size_t length; };   /* body: malloc'ed, the caller's */

/* 0, or -ENOMEM: there is nothing to say but the status 503. A storage that fails is a reply (503): the box asks again. */
int front_answer(const struct account_db *db, const struct account_hands *hands, const struct front_peer *peer, const struct front_request *request,
                 struct front_reply *ret_reply);
/* What is said to a request that never was whole: too large, or not read. */
int front_refuse(int error, int64_t now_ms, struct front_reply *ret_reply);   /* -EMSGSIZE, -EINVAL, -EAGAIN */

#endif
