/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sim/sim_modem_internal.h"

#include "src/base/hex.h"

#include <errno.h>
#include <string.h>

/* The next code point of sound UTF-8; what is unsound comes as U+FFFD, octet by octet. */
static uint32_t utf8_next(const char **at)
{
    const unsigned char *s = (const unsigned char *)*at;
    static const struct { unsigned char mask, lead; uint8_t octets; } forms[] = {
        { 0x80, 0x00, 1 }, { 0xE0, 0xC0, 2 }, { 0xF0, 0xE0, 3 }, { 0xF8, 0xF0, 4 },
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        uint32_t code;
        uint8_t n;

        if ((s[0] & forms[i].mask) != forms[i].lead)
            continue;
        code = s[0] & (unsigned char)~forms[i].mask;
        for (n = 1; n < forms[i].octets && (s[n] & 0xC0) == 0x80; n++)
            code = code << 6 | (s[n] & 0x3Fu);
        if (n < forms[i].octets)
            break;
        *at += n;
        return code;
    }
    (*at)++;
    return 0xFFFD;
}

static size_t utf8_put(uint32_t code, char *ret_text)
{
    if (code < 0x80) {
        ret_text[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        ret_text[0] = (char)(0xC0 | code >> 6);
        ret_text[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        ret_text[0] = (char)(0xE0 | code >> 12);
        ret_text[1] = (char)(0x80 | (code >> 6 & 0x3F));
        ret_text[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    ret_text[0] = (char)(0xF0 | code >> 18);
    ret_text[1] = (char)(0x80 | (code >> 12 & 0x3F));
    ret_text[2] = (char)(0x80 | (code >> 6 & 0x3F));
    ret_text[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

static size_t show_unit(uint16_t unit, char *ret_text)
{
    uint8_t octets[2] = { (uint8_t)(unit >> 8), (uint8_t)unit };

    hex_encode(octets, 2, ret_text);
    return 4;
}

size_t sim_text_show(enum sim_charset charset, const char *utf8, char *ret_text, size_t size)
{
    size_t out = 0;

    while (*utf8 != '\0' && out + 9 < size) {
        uint32_t code = utf8_next(&utf8);

        if (charset == SIM_CHARSET_UCS2) {
            if (code >= 0x10000) {
                out += show_unit((uint16_t)(0xD800 + (code - 0x10000) / 0x400), ret_text + out);
                code = 0xDC00 + (code - 0x10000) % 0x400;
            }
            out += show_unit((uint16_t)code, ret_text + out);
        } else if (code < 0x80 || (charset == SIM_CHARSET_LATIN1 && code < 0x100)) {
            ret_text[out++] = (char)code;
        } else {
            ret_text[out++] = '?';
        }
    }
    ret_text[out] = '\0';
    return out;
}

static int take_ucs2(const char *text, size_t length, char *ret_utf8, size_t size)
{
    size_t out = 0;
    uint32_t high = 0;

    if (length % 4 != 0)
        return -EINVAL;
    for (size_t i = 0; i < length; i += 4) {
        uint8_t octets[2];
        uint32_t code;

        if (hex_decode(text + i, 4, octets, sizeof octets) < 0 || out + 5 > size)
            return -EINVAL;
        code = (uint32_t)octets[0] << 8 | octets[1];
        if (code >= 0xD800 && code < 0xDC00) {
            high = code;
            continue;
        }
        if (code >= 0xDC00 && code < 0xE000) {
            if (high == 0)
                return -EINVAL;
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00);
        }
        high = 0;
        out += utf8_put(code, ret_utf8 + out);
    }
    if (high != 0)
        return -EINVAL;
    ret_utf8[out] = '\0';
    return (int)out;
}

int sim_text_take(enum sim_charset charset, const char *text, size_t length, char *ret_utf8, size_t size)
{
    /* The first column of the default alphabet (TS 23.038 6.2.1) where it differs from ASCII and people type it. */
    static const struct { unsigned char septet; uint16_t code; } gsm[] = {
        { 0x00, 0x40 }, { 0x01, 0xA3 }, { 0x02, 0x24 }, { 0x03, 0xA5 }, { 0x04, 0xE8 }, { 0x05, 0xE9 }, { 0x06, 0xF9 },
        { 0x07, 0xEC }, { 0x08, 0xF2 }, { 0x09, 0xC7 }, { 0x11, 0x5F }, { 0x5F, 0xA7 }, { 0x24, 0xA4 }, { 0x40, 0xA1 },
    };
    size_t out = 0;

    if (charset == SIM_CHARSET_UCS2)
        return take_ucs2(text, length, ret_utf8, size);
    for (size_t i = 0; i < length; i++) {
        uint32_t code = (unsigned char)text[i];

        if (out + 5 > size)
            return -EINVAL;
        if (charset != SIM_CHARSET_LATIN1 && code >= 0x80)
            return -EINVAL;
        if (charset == SIM_CHARSET_GSM)
            for (size_t k = 0; k < sizeof gsm / sizeof gsm[0]; k++)
                if (gsm[k].septet == code) {
                    code = gsm[k].code;
                    break;
                }
        out += utf8_put(code, ret_utf8 + out);
    }
    ret_utf8[out] = '\0';
    return (int)out;
}
