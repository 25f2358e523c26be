/* SPDX-License-Identifier: Apache-2.0
 *
 * api_hash.c - what a request was, and whose key it came with, as SHA-256; and keys as text. */
#include <errno.h>
#include <mbedtls/md.h>
#include <string.h>

#include "src/api/api_internal.h"

/* mbedtls_md_*: the names that mbedtls 2.28 and 3.x share. */
int api_hash(const struct api_piece *pieces, size_t count, uint8_t ret_hash[32])
{
    mbedtls_md_context_t context;
    int r = -ENOMEM;

    mbedtls_md_init(&context);
    if (mbedtls_md_setup(&context, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 0) != 0 || mbedtls_md_starts(&context) != 0)
        goto out;
    for (size_t i = 0; i < count; i++)
        if (mbedtls_md_update(&context, pieces[i].bytes, pieces[i].length) != 0)
            goto out;
    r = mbedtls_md_finish(&context, ret_hash) == 0 ? 0 : -ENOMEM;
out:
    mbedtls_md_free(&context);
    return r;
}

/* base64url without padding, RFC 4648 5: fits into a header and an address as it is. */
void api_secret_format(const uint8_t entropy[32], char ret_secret[API_SECRET_CHARS + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *out = ret_secret + 3;

    memcpy(ret_secret, "cp_", 3);
    for (size_t bit = 0; bit < 256; bit += 6) {
        unsigned value = (unsigned)entropy[bit / 8] << 8;
        if (bit / 8 + 1 < 32)
            value |= entropy[bit / 8 + 1];
        *out++ = digits[(value >> (10 - bit % 8)) & 63];
    }
    *out = '\0';
}
