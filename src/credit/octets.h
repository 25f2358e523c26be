/* SPDX-License-Identifier: Apache-2.0
 *
 * octets.h - numbers as octets, the first octet the highest, for encodings that are signed or hashed; and their SHA-256.
 *
 * One value has one encoding: fields in a fixed order, of fixed length, without padding between them. A cursor moves on by
 * what it wrote or read; the caller has checked before that there is room for all of it. */
#ifndef CELLPOST_CREDIT_OCTETS_H
#define CELLPOST_CREDIT_OCTETS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SHA256_OCTETS 32

static inline void octets_put(uint8_t **at, uint64_t value, unsigned octets)
{
    for (unsigned i = octets; i-- > 0; value >>= 8)
        (*at)[i] = (uint8_t)value;
    *at += octets;
}

static inline void octets_put_bytes(uint8_t **at, const void *bytes, size_t octets)
{
    memcpy(*at, bytes, octets);
    *at += octets;
}

static inline uint64_t octets_get(const uint8_t **at, unsigned octets)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < octets; i++)
        value = value << 8 | *(*at)++;
    return value;
}

/* Two's complement: what octets_put() makes of a negative number. */
static inline int64_t octets_get_signed(const uint8_t **at)
{
    uint64_t value = octets_get(at, 8);

    return value <= INT64_MAX ? (int64_t)value : -(int64_t)(UINT64_MAX - value) - 1;
}

static inline void octets_get_bytes(const uint8_t **at, void *ret_bytes, size_t octets)
{
    memcpy(ret_bytes, *at, octets);
    *at += octets;
}

/* Takes no memory and cannot fail. */
void octets_sha256(const uint8_t *bytes, size_t length, uint8_t ret_hash[SHA256_OCTETS]);

#endif
