/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/hex.h"

#include <errno.h>

void hex_encode(const uint8_t *bytes, size_t length, char *ret_text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < length; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_text[2 * length] = '\0';
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

int hex_decode(const char *text, size_t length, uint8_t *ret_bytes, size_t size)
{
    if (length % 2 != 0)
        return -EINVAL;
    if (length / 2 > size)
        return -EMSGSIZE;
    for (size_t i = 0; i < length; i += 2) {
        int high = digit_value(text[i]), low = digit_value(text[i + 1]);

        if (high < 0 || low < 0)
            return -EINVAL;
        ret_bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return (int)(length / 2);
}
