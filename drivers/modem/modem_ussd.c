/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modem/modem_ussd.h"

#include "src/base/hex.h"
#include "src/base/utf8.h"
#include "src/sms/sms_gsm7.h"
#include "src/sms/sms_tables.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define HEX_DIGITS "0123456789ABCDEFabcdef"
#define OCTETS_MAX 512                   /* a network sends at most 160 */
#define SEPTETS_MAX (OCTETS_MAX * 8 / 7)
#define CR 0x0D

/* ------------------------------------------------------------------------------------------------ out */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool begins(const char *text, const char *with)
{
    for (; *with != '\0'; text++, with++) {
        if (lower(*text) != lower(*with))
            return false;
    }
    return true;
}

/* What a family does otherwise than 27.007 has it; NULL: any. Another modem that wants it packed refuses the plain code, and is
 * asked again. */
static const struct { const char *manufacturer, *model; enum modem_ussd_coding coding; bool never_cancel; } families[] = {
    { "huawei", NULL, USSD_PACKED, false },
    { NULL, "un2420", USSD_PLAIN, true },
};

enum modem_ussd_coding modem_ussd_coding_of(const char *manufacturer, const char *model)
{
    for (size_t i = 0; i < COUNT(families); i++) {
        if ((families[i].manufacturer == NULL || begins(manufacturer, families[i].manufacturer)) &&
            (families[i].model == NULL || begins(model, families[i].model)))
            return families[i].coding;
    }
    return USSD_PLAIN;
}

bool modem_ussd_never_cancel(const char *model)
{
    for (size_t i = 0; i < COUNT(families); i++) {
        if (families[i].never_cancel && families[i].model != NULL && begins(model, families[i].model))
            return true;
    }
    return false;
}

bool modem_ussd_is_code(const char *text)
{
    size_t length = strspn(text, "0123456789*#+");

    return length > 0 && length <= MODEM_USSD_CODE_MAX && text[length] == '\0';
}

void modem_ussd_encode(enum modem_ussd_coding coding, const char *code, char ret_sent[MODEM_USSD_SENT_MAX])
{
    uint8_t septets[MODEM_USSD_CODE_MAX + 1], octets[(MODEM_USSD_CODE_MAX + 1) * 7 / 8 + 2] = { 0 };
    size_t count = strlen(code);

    assert(modem_ussd_is_code(code));
    if (coding == USSD_PLAIN) {
        memcpy(ret_sent, code, count + 1);
        return;
    }
    memcpy(septets, code, count);        /* these stand at the same places in the default alphabet as in ASCII */
    if (count % 8 == 7)
        septets[count++] = CR;           /* seven spare bits would read as '@' (TS 23.038 6.1.2.3.1) */
    sms_gsm7_pack(septets, count, 0, octets);
    hex_encode(octets, (count * 7 + 7) / 8, ret_sent);
}

/* ------------------------------------------------------------------------------------------------ in */

enum alphabet { GSM7, OCTETS, UCS2 };

/* TS 23.038 5. prefix: a language comes first, two letters and CR, or two letters packed into two octets. */
static enum alphabet alphabet_of(int dcs, bool *ret_prefix)
{
    static const enum alphabet by_bits[4] = { GSM7, OCTETS, UCS2, GSM7 };
    int group = dcs >> 4;

    *ret_prefix = dcs == 0x10 || dcs == 0x11;
    if (dcs < 0)
        return GSM7;
    if (dcs == 0x11)
        return UCS2;
    if ((group >= 4 && group <= 7) || group == 9)
        return by_bits[dcs >> 2 & 3];
    if (group == 15)
        return (dcs & 4) != 0 ? OCTETS : GSM7;
    return GSM7;
}

struct text { char *at; size_t length; bool after_cr; };

static void put(struct text *text, uint32_t code_point)
{
    char octets[UTF8_BYTES_MAX];
    size_t count;
    bool second = code_point == '\n' && text->after_cr;   /* CR LF is one end of a line, and so is CR */

    text->after_cr = code_point == CR;
    if (code_point == CR)
        code_point = '\n';
    else if (code_point == '\t')
        code_point = ' ';
    if (second || (code_point < 0x20 && code_point != '\n') || (code_point >= 0x7F && code_point < 0xA0))
        return;
    if (code_point >= 0xD800 && code_point < 0xE000)
        code_point = UTF8_REPLACEMENT;   /* half a pair */
    count = utf8_put(code_point, octets);
    if (text->length + count >= MODEM_USSD_TEXT_MAX)
        return;
    memcpy(text->at + text->length, octets, count);
    text->length += count;
}

static void end(struct text *text)
{
    while (text->length > 0 && text->at[text->length - 1] == '\n')
        text->length--;
    text->at[text->length] = '\0';
}

/* What operators write with. What only looks like a packed text does not come out so. */
static bool is_common(uint32_t c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c != 0 && strchr(" \n.,:;-+*#/()!?'\"%&=", (int)c) != NULL);
    return c == 0x20AC || (c >= 0xDF && c < 0x180);
}

static bool is_common_text(const char *text, bool all_of_it)
{
    size_t all = 0, common = 0, length = strlen(text);

    for (size_t i = 0; i < length;) {
        uint32_t c;
        int used = utf8_next(text + i, length - i, &c);

        if (used < 0)
            return false;
        i += (size_t)used;
        all++;
        common += is_common(c);
    }
    return all > 0 && (all_of_it ? common == all : common * 5 >= all * 4);
}

static void read_packed(const uint8_t *octets, size_t count, bool prefix, struct text *ret_text)
{
    uint8_t septets[SEPTETS_MAX];
    size_t left = count * 8 / 7;
    const uint8_t *at = septets;
    char part[3 * SEPTETS_MAX];
    size_t length, used = 0;

    sms_gsm7_unpack(octets, 0, left, septets);
    /* Seven spare bits: filled with CR as it should be, or with zeros. */
    if (left > 0 && left % 8 == 0 && (septets[left - 1] == CR || septets[left - 1] == 0))
        left--;
    if (prefix && left >= 3 && septets[2] == CR) {
        at += 3;
        left -= 3;
    }
    length = sms_gsm7_decode(at, left, 0, 0, part);
    while (used < length) {
        uint32_t c;
        int n = utf8_next(part + used, length - used, &c);

        if (n < 0)
            break;
        put(ret_text, c);
        used += (size_t)n;
    }
}

static void read_ucs2(const uint8_t *octets, size_t count, bool prefix, struct text *ret_text)
{
    for (size_t i = prefix && count >= 2 ? 2 : 0; i + 1 < count; i += 2) {
        uint32_t unit = (uint32_t)octets[i] << 8 | octets[i + 1];

        if (unit == 0)
            break;                       /* what comes behind is what lay in the modem's memory (HE910) */
        if (unit >= 0xD800 && unit < 0xDC00 && i + 3 < count && (octets[i + 2] & 0xFC) == 0xDC) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (((uint32_t)(octets[i + 2] & 3) << 8) | octets[i + 3]);
            i += 2;
        }
        put(ret_text, unit);
    }
}

static void read_octets(const uint8_t *octets, size_t count, struct text *ret_text)
{
    for (size_t i = 0; i < count && octets[i] != 0; i++)
        put(ret_text, octets[i]);
}

/* Only of letters of one script, digits and signs: octets of anything else hardly ever read so. */
static bool looks_like_ucs2(const uint8_t *octets, size_t count)
{
    uint8_t script = 0;
    bool latin = false;

    if (count == 0 || count % 2 != 0)
        return false;
    for (size_t i = 0; i < count; i += 2) {
        uint8_t high = octets[i];

        if (high == 0 && octets[i + 1] == 0)
            break;
        if (high == 0 && (octets[i + 1] >= 0x20 || octets[i + 1] == '\n' || octets[i + 1] == CR) && octets[i + 1] != 0x7F)
            latin = true;
        else if (high != 0 && (high == 0x20 || script == 0 || script == high))
            script = high == 0x20 ? script : high;
        else
            return false;
    }
    return latin;
}

static bool looks_like_ascii(const uint8_t *octets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((octets[i] < 0x20 || octets[i] >= 0x7F) && octets[i] != '\n' && octets[i] != CR)
            return false;
    }
    return count >= 6;
}

/* False: hexadecimal digits by chance, or none. */
static bool read_hex(const char *digits, size_t length, int dcs, struct text *ret_text)
{
    uint8_t octets[OCTETS_MAX];
    bool prefix, letters = strcspn(digits, "ABCDEFabcdef") < length;
    enum alphabet alphabet = alphabet_of(dcs, &prefix);
    int count = length == 0 || length % 2 != 0 || strspn(digits, HEX_DIGITS) < length ? -1 :
                hex_decode(digits, length, octets, sizeof octets);

    if (count < 0)
        return false;
    if (alphabet == UCS2 && count % 2 == 0) {
        read_ucs2(octets, (size_t)count, prefix, ret_text);
    } else if (alphabet == OCTETS) {
        read_octets(octets, (size_t)count, ret_text);
    } else if (looks_like_ucs2(octets, (size_t)count)) {   /* by CSCS and not by dcs: 15 is seen with it */
        read_ucs2(octets, (size_t)count, false, ret_text);
    } else if (looks_like_ascii(octets, (size_t)count)) {  /* SIM800 with CSCS "HEX" */
        read_octets(octets, (size_t)count, ret_text);
    } else {
        read_packed(octets, (size_t)count, prefix, ret_text);
        ret_text->at[ret_text->length] = '\0';
        if (!is_common_text(ret_text->at, !letters) && !(letters && length >= 16))
            return false;
    }
    return ret_text->length > 0;
}

/* UTF-8; or octets of the default alphabet, which is ASCII but for some places, with those of ISO 8859-1 above. */
static void read_characters(const char *text, size_t length, struct text *ret_text)
{
    bool utf8 = utf8_is_valid(text, length, NULL);

    for (size_t i = 0; i < length;) {
        uint32_t c = (unsigned char)text[i];
        int used = 1;

        if (utf8) {
            used = utf8_next(text + i, length - i, &c);
            if (used < 0)
                break;
        }
        if (c == SMS_ESCAPE && i + 1 < length && (unsigned char)text[i + 1] < 128) {
            c = sms_tables_single[0][(unsigned char)text[i + 1]];
            used = 2;
        } else if (c < 0x20 && c != '\n' && c != '\t' && c != CR && c != SMS_ESCAPE) {
            c = sms_tables_locking[0][c];
        }
        put(ret_text, c);
        i += (size_t)used;
    }
}

void modem_ussd_decode(const char *text, size_t length, int dcs, char ret_text[MODEM_USSD_TEXT_MAX])
{
    struct text out = { .at = ret_text };

    if (!read_hex(text, length, dcs, &out)) {
        out.length = 0;
        read_characters(text, length, &out);
    }
    end(&out);
}
