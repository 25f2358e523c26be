/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/digits.h"

#define LENGTH_MASK UINT64_C(15)

uint64_t digits_pack(const char *digits, size_t length, size_t *ret_used)
{
    uint64_t packed = 0;
    size_t used = 0;

    for (; used < length && used < DIGITS_MAX && digits[used] >= '0' && digits[used] <= '9'; used++)
        packed |= (uint64_t)(digits[used] - '0') << (60 - 4 * used);
    if (ret_used != NULL)
        *ret_used = used;
    return packed | used;
}

void digits_text(uint64_t packed, char ret_digits[DIGITS_CHARS])
{
    size_t length = packed & LENGTH_MASK;

    for (size_t i = 0; i < length; i++)
        ret_digits[i] = (char)('0' + (packed >> (60 - 4 * i) & 15));
    ret_digits[length] = '\0';
}
