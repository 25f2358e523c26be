/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/utf8.h"

#include <errno.h>

/* How a sequence begins and which second octet it may have: the table 3-7 of the Unicode standard. The bounds of the
 * second octet are what keeps overlong forms (E0, F0), surrogates (ED) and numbers above U+10FFFF (F4) out. */
static const struct utf8_lead { uint8_t first, last, length, second_min, second_max; } leads[] = {
    { 0xC2, 0xDF, 2, 0x80, 0xBF },
    { 0xE0, 0xE0, 3, 0xA0, 0xBF },
    { 0xE1, 0xEC, 3, 0x80, 0xBF },
    { 0xED, 0xED, 3, 0x80, 0x9F },
    { 0xEE, 0xEF, 3, 0x80, 0xBF },
    { 0xF0, 0xF0, 4, 0x90, 0xBF },
    { 0xF1, 0xF3, 4, 0x80, 0xBF },
    { 0xF4, 0xF4, 4, 0x80, 0x8F },
};

int utf8_next(const char *text, size_t length, uint32_t *ret_code_point)
{
    const uint8_t *octets = (const uint8_t *)text;
    const struct utf8_lead *lead = NULL;
    uint32_t code_point;

    if (length == 0)
        return -EILSEQ;
    if (octets[0] < 0x80) {
        *ret_code_point = octets[0];
        return 1;
    }
    for (size_t i = 0; i < sizeof leads / sizeof leads[0] && lead == NULL; i++) {
        if (octets[0] >= leads[i].first && octets[0] <= leads[i].last)
            lead = &leads[i];
    }
    if (lead == NULL || length < lead->length || octets[1] < lead->second_min || octets[1] > lead->second_max)
        return -EILSEQ;
    code_point = octets[0] & (0xFFu >> (lead->length + 1));
    for (size_t i = 1; i < lead->length; i++) {
        if ((octets[i] & 0xC0) != 0x80)
            return -EILSEQ;
        code_point = code_point << 6 | (octets[i] & 0x3Fu);
    }
    *ret_code_point = code_point;
    return lead->length;
}

size_t utf8_put(uint32_t code_point, char ret_text[UTF8_BYTES_MAX])
{
    size_t length;

    if (code_point > 0x10FFFF)
        code_point = UTF8_REPLACEMENT;
    if (code_point < 0x80) {
        ret_text[0] = (char)code_point;
        return 1;
    }
    length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        ret_text[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    ret_text[0] = (char)((0xF00u >> length & 0xFF) | code_point);   /* 2: C0, 3: E0, 4: F0 */
    return length;
}

bool utf8_is_valid(const char *text, size_t length, size_t *ret_at)
{
    for (size_t at = 0; at < length;) {
        uint32_t code_point;
        int used = utf8_next(text + at, length - at, &code_point);

        if (used < 0) {
            if (ret_at != NULL)
                *ret_at = at;
            return false;
        }
        at += (size_t)used;
    }
    return true;
}
