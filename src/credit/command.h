/* SPDX-License-Identifier: Apache-2.0
 *
 * command.h - what the account tells a box to do: numbered, signed, and done once.
 *
 * Commands are numbered from 1 without gaps in each enrolment (epoch) of a box. What is signed is one encoding of fixed fields (version 1, the highest octet first), so
 * that no two commands look alike to the signature; a field that a kind has no use for is 0 in it.
 * Money:     millionths of a credit. Times: milliseconds since 1970 by the account's clock.
 * Ownership: all are values; nothing is kept. */
#ifndef CELLPOST_CREDIT_COMMAND_H
#define CELLPOST_CREDIT_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "src/credit/lease.h"

#define COMMAND_REASON_CHARS 161             /* with the NUL */
#define COMMAND_SIGNED_OCTETS (4 + 2 + 1 + LEASE_BOX_ID_OCTETS + 4 + 8 + 8 + 8 + 1 + 8 + 8 + 4 + SHA256_OCTETS + SIGNATURE_PUBLIC_KEY_OCTETS + 1 + \
                               COMMAND_REASON_CHARS - 1)

enum command_kind {
    COMMAND_REVOKE = 1,                      /* the box is fenced: nothing is spent until a person enrols it again */
    COMMAND_FREEZE, COMMAND_UNFREEZE,        /* nothing is spent in between */
    COMMAND_REFUND,                          /* the account gave a capture back; on the box it is only told to the owner */
    COMMAND_PRICES,                          /* a new table: it goes for leases that are granted from now on */
    COMMAND_KEY,                             /* from now on the account signs with this key */
    COMMAND_KINDS
};

struct command {
    uint64_t number;                         /* from 1 */
    enum command_kind kind;
    int64_t time_ms;
    char reason[COMMAND_REASON_CHARS];       /* for a person; may be empty */
    int64_t message_id;                      /* of a refund: what was captured */
    uint8_t part;
    uint64_t refers_seq;                     /* of a refund: the entry of the journal */
    int64_t units_micro;                     /* of a refund */
    uint32_t price_version;                  /* of prices */
    uint8_t price_sha256[SHA256_OCTETS];
    uint8_t account_key[SIGNATURE_PUBLIC_KEY_OCTETS];   /* of a key */
    uint8_t signature[SIGNATURE_OCTETS];
};

/* -EINVAL: a value is out of its bounds, or set though the kind has no use for it. */
int command_check(const struct command *command);

/* Writes the signature. Errors as signature_make(), and those of command_check(). */
int command_sign(struct command *command, const uint8_t box_id[LEASE_BOX_ID_OCTETS], uint32_t epoch,
                 const uint8_t private_key[SIGNATURE_PRIVATE_KEY_OCTETS], signature_random_fn *random, void *context);
/* -EBADMSG: not signed by this key for this box and enrolment; others as signature_check(). */
int command_verify(const struct command *command, const uint8_t box_id[LEASE_BOX_ID_OCTETS], uint32_t epoch,
                   const uint8_t public_key[SIGNATURE_PUBLIC_KEY_OCTETS]);

const char *command_kind_name(enum command_kind kind);   /* "freeze" */
int command_kind_of(const char *name, enum command_kind *ret_kind);   /* -ENOENT */

#endif
