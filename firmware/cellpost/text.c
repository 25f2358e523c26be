/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/text.h"

#include "src/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* What changes how other characters are shown, or ends a line, in some terminal. In ascending order. */
static const struct { uint32_t first, last; } unsafe_ranges[] = {
    { 0x0000, 0x001F },   /* C0: line ends, ESC, BEL */
    { 0x007F, 0x009F },   /* DEL and C1: U+009B is CSI */
    { 0x061C, 0x061C },   /* Arabic letter mark */
    { 0x200E, 0x200F },   /* left-to-right and right-to-left marks */
    { 0x2028, 0x202E },   /* line and paragraph separators, embeddings, overrides */
    { 0x2066, 0x2069 },   /* isolates */
    { 0xFFF9, 0xFFFB },   /* interlinear annotation */
};

static bool text_is_unsafe(uint32_t code_point)
{
    for (size_t i = 0; i < sizeof unsafe_ranges / sizeof unsafe_ranges[0]; i++)
        if (code_point >= unsafe_ranges[i].first && code_point <= unsafe_ranges[i].last)
            return true;
    return false;
}

/* The longest escape of one octet is \u202e for three, \x9b for one that is no UTF-8. */
#define ESCAPE_MAX 8

static size_t text_escape_one(uint32_t code_point, char ret_text[ESCAPE_MAX])
{
    const char *short_form = code_point == '\n' ? "\\n" : code_point == '\r' ? "\\r" : code_point == '\t' ? "\\t" : NULL;

    if (short_form != NULL)
        return (size_t)snprintf(ret_text, ESCAPE_MAX, "%s", short_form);
    return (size_t)snprintf(ret_text, ESCAPE_MAX, code_point < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)code_point);
}

char *text_escape(const char *text, size_t length, enum text_lines lines)
{
    char *escaped = malloc(length * 4 + 1);   /* \x1b for one octet is the worst; \u202e is six for three */
    size_t used = 0;

    if (escaped == NULL)
        return NULL;
    for (size_t at = 0; at < length;) {
        uint32_t code_point;
        int octets = utf8_next(text + at, length - at, &code_point);
        char escape[ESCAPE_MAX];
        size_t n = 0;

        if (octets < 0) {
            n = text_escape_one((unsigned char)text[at], escape);
            octets = 1;
        } else if (code_point == '\\') {
            escape[n++] = '\\';
            escape[n++] = '\\';
        } else if (text_is_unsafe(code_point) && !(code_point == '\n' && lines == TEXT_KEEP_LINES)) {
            n = text_escape_one(code_point, escape);
        }
        memcpy(escaped + used, n > 0 ? escape : text + at, n > 0 ? n : (size_t)octets);
        used += n > 0 ? n : (size_t)octets;
        at += (size_t)octets;
    }
    escaped[used] = '\0';
    return escaped;
}

char *text_escape_json(const char *json, size_t length)
{
    char *escaped = malloc(length * 6 + 1);   /* DEL: one octet becomes \u007f */
    size_t used = 0;

    if (escaped == NULL)
        return NULL;
    for (size_t at = 0; at < length;) {
        uint32_t code_point;
        int octets = utf8_next(json + at, length - at, &code_point);

        if (octets < 0) {
            code_point = UTF8_REPLACEMENT;   /* cannot come from jansson, which checks; harmless all the same */
            octets = 1;
            used += (size_t)snprintf(escaped + used, 7, "\\ufffd");
        } else if (code_point >= 0x7F && text_is_unsafe(code_point)) {
            used += (size_t)snprintf(escaped + used, 7, "\\u%04x", (unsigned)code_point);
        } else {
            memcpy(escaped + used, json + at, (size_t)octets);
            used += (size_t)octets;
        }
        at += (size_t)octets;
    }
    escaped[used] = '\0';
    return escaped;
}

/* Characters newer than the C library have no width there: emoji are wide, the rest is taken as one column. */
static size_t code_point_width(uint32_t code_point)
{
    int width = wcwidth((wchar_t)code_point);

    if (width >= 0)
        return (size_t)width;
    return code_point >= 0x1F000 ? 2 : 1;
}

size_t text_fit(const char *text, size_t columns, size_t *ret_columns)
{
    size_t length = strlen(text), at = 0, width = 0;

    while (at < length) {
        uint32_t code_point;
        int octets = utf8_next(text + at, length - at, &code_point);
        size_t own = octets < 0 ? 1 : code_point_width(code_point);

        if (width + own > columns)
            break;
        width += own;
        at += octets < 0 ? 1 : (size_t)octets;
    }
    *ret_columns = width;
    return at;
}

size_t text_width(const char *text)
{
    size_t columns;

    (void)text_fit(text, SIZE_MAX, &columns);
    return columns;
}
