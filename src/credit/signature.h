/* SPDX-License-Identifier: Apache-2.0
 *
 * signature.h - what the account signs: ECDSA on P-256 over a SHA-256, r and s of 32 octets each.
 *
 * Keys: public: the point of SEC 1 2.3.3 without compression (04, x, y); private: the number, 32 octets. */
#ifndef CELLPOST_CREDIT_SIGNATURE_H
#define CELLPOST_CREDIT_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "src/credit/octets.h"

#define SIGNATURE_OCTETS 64
#define SIGNATURE_PUBLIC_KEY_OCTETS 65
#define SIGNATURE_PRIVATE_KEY_OCTETS 32

/* Fills octets with random ones and returns 0. */
typedef int signature_random_fn(void *context, unsigned char *octets, size_t length);

/* The nonce comes of the key and the hash (RFC 6979); what is random only hides the work from who measures it. -EINVAL: no
 * such key; -ENOMEM; -EIO: no random octets. */
int signature_make(const uint8_t hash[SHA256_OCTETS], const uint8_t private_key[SIGNATURE_PRIVATE_KEY_OCTETS], signature_random_fn *random,
                   void *context, uint8_t ret_signature[SIGNATURE_OCTETS]);
/* -EBADMSG: not signed by this key; -EINVAL: no such key; -ENOMEM: not known. */
int signature_check(const uint8_t hash[SHA256_OCTETS], const uint8_t signature[SIGNATURE_OCTETS],
                    const uint8_t public_key[SIGNATURE_PUBLIC_KEY_OCTETS]);

#endif
