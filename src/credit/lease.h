/* SPDX-License-Identifier: Apache-2.0
 *
 * lease.h - credits that the account has put into a box's hands: a signed paper, and whether this box may spend it.
 *
 * Money:     millionths of a credit (micro). Times: milliseconds since 1970-01-01 UTC, by the account's clock.
 * Encoding:  version 1, LEASE_OCTETS long, fixed fields with the highest octet first; one lease has one encoding. The
 *            signature covers all before it: ECDSA on P-256 with SHA-256, r and s of 32 octets each.
 * Keys:      public: the point of SEC 1 2.3.3 without compression (04, x, y); private: the number, 32 octets.
 * Ownership: all are values; nothing is kept.
 * Errors:    0 or a negative errno; a failed call leaves what it would have returned as it was.
 * Keeps I10 (what a copied box can overspend is bound to the grants of its leases), I11 (prices are pinned by version and
 * hash) and I8 (a lease of an old epoch is refused). */
#ifndef CELLPOST_CREDIT_LEASE_H
#define CELLPOST_CREDIT_LEASE_H

#include <stddef.h>
#include <stdint.h>

#include "src/credit/octets.h"
#include "src/credit/signature.h"

#define LEASE_BOX_ID_OCTETS 16
#define LEASE_SIGNATURE_OCTETS SIGNATURE_OCTETS
#define LEASE_SIGNED_OCTETS 134
#define LEASE_OCTETS (LEASE_SIGNED_OCTETS + LEASE_SIGNATURE_OCTETS)
#define LEASE_PUBLIC_KEY_OCTETS SIGNATURE_PUBLIC_KEY_OCTETS
#define LEASE_PRIVATE_KEY_OCTETS SIGNATURE_PRIVATE_KEY_OCTETS
#define LEASE_GRANT_MICRO_MAX INT64_C(1000000000000000)   /* a thousand million credits */

struct lease {
    uint64_t lease_id;                       /* from 1; those of a box go up */
    uint8_t box_id[LEASE_BOX_ID_OCTETS];
    uint32_t epoch;                          /* from 1; each time a person enrols the box again, one more */
    int64_t grant_micro;                     /* 1 to LEASE_GRANT_MICRO_MAX */
    uint32_t price_version;                  /* from 1 */
    uint8_t price_sha256[SHA256_OCTETS];     /* price_table_sha256() */
    int64_t issued_ms;                       /* 0 <= issued <= spend_until <= settle_until */
    int64_t spend_until_ms;                  /* from this moment on nothing is spent */
    int64_t settle_until_ms;                 /* until then the account waits for the box's own books */
    uint8_t hw_fingerprint[SHA256_OCTETS];   /* of the machine that it was made for */
    uint8_t signature[LEASE_SIGNATURE_OCTETS];
};

/* -EINVAL: a value is out of its bounds. */
int lease_encode(const struct lease *lease, uint8_t ret_octets[LEASE_OCTETS]);
/* Of anything from outside. -EMSGSIZE: another length; -ENOTSUP: another version; -EINVAL: no lease, or a value out of its
 * bounds. It says nothing of the signature. */
int lease_decode(const uint8_t *octets, size_t length, struct lease *ret_lease);

typedef signature_random_fn lease_random_fn;

/* Writes the signature. The nonce comes of the key and the lease (RFC 6979); what is random only hides the work from who
 * measures it. -EINVAL: a value or the key is out of bounds; -ENOMEM; -EIO: no random octets. */
int lease_sign(struct lease *lease, const uint8_t private_key[LEASE_PRIVATE_KEY_OCTETS], lease_random_fn *random, void *context);
/* -EBADMSG: not signed by this key; -EINVAL: no such key, or a value out of bounds; -ENOMEM: not known. */
int lease_verify(const struct lease *lease, const uint8_t public_key[LEASE_PUBLIC_KEY_OCTETS]);

/* What the box knows of itself. */
struct lease_prices { uint32_t version; uint8_t sha256[SHA256_OCTETS]; };
struct lease_holder {
    uint8_t box_id[LEASE_BOX_ID_OCTETS];
    uint32_t epoch;
    uint8_t hw_fingerprint[SHA256_OCTETS];
    uint64_t last_lease_id;                  /* the highest it ever opened; 0: none */
    const struct lease_prices *prices;       /* the tables it has */
    size_t price_count;
    int64_t now_ms;                          /* ledger_now(): never behind what was seen before */
};

enum lease_verdict {
    LEASE_GOOD, LEASE_BAD_SIGNATURE, LEASE_WRONG_BOX, LEASE_WRONG_EPOCH, LEASE_WRONG_HARDWARE, LEASE_NOT_NEWER, LEASE_EXPIRED,
    LEASE_UNKNOWN_PRICES,                    /* the table must be fetched first */
    LEASE_OTHER_PRICES,                      /* the box has another table under this version */
    LEASE_VERDICTS
};

/* Whether this box may open the lease; of several reasons against it the first of the enum is told, so that nothing is said
 * of a paper that the account did not sign. -EINVAL and -ENOMEM as lease_verify(); a wrong signature is a verdict. */
int lease_judge(const struct lease *lease, const uint8_t public_key[LEASE_PUBLIC_KEY_OCTETS], const struct lease_holder *holder,
                enum lease_verdict *ret_verdict);
const char *lease_verdict_name(enum lease_verdict verdict);    /* "wrong_epoch" */
const char *lease_verdict_words(enum lease_verdict verdict);   /* a sentence for a person */

#endif
