/* SPDX-License-Identifier: Apache-2.0 */
#include "src/credit/octets.h"

#include <assert.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

/* mbedtls 3 took away the suffix that 2.28 has on the one that says whether it worked. */
#if MBEDTLS_VERSION_MAJOR < 3
#define mbedtls_sha256 mbedtls_sha256_ret
#endif

void octets_sha256(const uint8_t *bytes, size_t length, uint8_t ret_hash[SHA256_OCTETS])
{
    /* In software it fails on wrong arguments alone; 0: not SHA-224. */
    int r = mbedtls_sha256(bytes, length, ret_hash, 0);

    assert(r == 0);
    (void)r;
}
