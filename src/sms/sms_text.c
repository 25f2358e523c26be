/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_fields.h"

#include "src/base/utf8.h"

#include <string.h>

static bool is_high_half(uint32_t code_point)
{
    return code_point >= 0xD800 && code_point < 0xDC00;
}

static bool is_low_half(uint32_t code_point)
{
    return code_point >= 0xDC00 && code_point < 0xE000;
}

static uint32_t join_halves(uint32_t high, uint32_t low)
{
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

size_t sms_text_from_utf16(const uint8_t *octets, size_t units, char *ret_text)
{
    size_t length = 0;

    for (size_t i = 0; i < units; i++) {
        uint32_t unit = (uint32_t)(octets[2 * i] << 8 | octets[2 * i + 1]);

        if (is_high_half(unit) && i + 1 < units) {
            uint32_t next = (uint32_t)(octets[2 * i + 2] << 8 | octets[2 * i + 3]);

            if (is_low_half(next)) {
                unit = join_halves(unit, next);
                i++;
            }
        }
        length += utf8_put(unit != 0 ? unit : UTF8_REPLACEMENT, ret_text + length);
    }
    return length;
}

/* The half of a pair at the beginning of text in its three WTF-8 octets, or 0. */
static uint32_t half_at(const char *text, size_t length)
{
    const uint8_t *octets = (const uint8_t *)text;

    if (length < 3 || octets[0] != 0xED || (octets[1] & 0xE0) != 0xA0 || (octets[2] & 0xC0) != 0x80)
        return 0;
    return 0xD000u | (octets[1] & 0x3Fu) << 6 | (octets[2] & 0x3Fu);
}

size_t sms_text_sanitize(char *text, size_t length)
{
    size_t from = 0, to = 0;   /* nothing gets longer, so what is written never overtakes what is read */

    while (from < length) {
        uint32_t half = half_at(text + from, length - from), next, code_point;
        int used;

        if (half != 0) {
            next = is_high_half(half) ? half_at(text + from + 3, length - from - 3) : 0;
            from += 3;
            if (is_low_half(next)) {
                to += utf8_put(join_halves(half, next), text + to);
                from += 3;
            } else {
                to += utf8_put(UTF8_REPLACEMENT, text + to);
            }
            continue;
        }
        used = utf8_next(text + from, length - from, &code_point);
        if (used < 0) {   /* neither UTF-8 nor WTF-8: not from our decoder; there is no room for U+FFFD */
            text[to++] = '?';
            from++;
        } else {
            memmove(text + to, text + from, (size_t)used);
            to += (size_t)used;
            from += (size_t)used;
        }
    }
    return to;
}
