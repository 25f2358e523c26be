/* SPDX-License-Identifier: Apache-2.0
 *
 * api_text.c - text that grows, and text from modems made fit to be shown. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"
#include "src/base/utf8.h"

static bool text_reserve(struct api_text *text, size_t more)
{
    size_t capacity = text->capacity ? text->capacity : 1024;
    char *bytes;

    if (text->failed)
        return false;
    if (text->length + more < text->capacity)
        return true;
    while (text->length + more >= capacity)   /* '>=': a NUL always fits behind */
        capacity *= 2;
    bytes = realloc(text->bytes, capacity);
    if (!bytes) {
        free(text->bytes);
        *text = (struct api_text){ .failed = true };
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void api_text_add(struct api_text *text, const char *piece, size_t length)
{
    if (!text_reserve(text, length))
        return;
    memcpy(text->bytes + text->length, piece, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void api_text_print(struct api_text *text, const char *format, ...)
{
    va_list args, again;
    int length;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    if (length > 0 && text_reserve(text, (size_t)length)) {
        (void)vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

void api_text_clean(const char *text, char *ret_clean, size_t size)
{
    size_t length = strlen(text), used = 0, out = 0;

    while (used < length) {
        uint32_t code_point;
        char piece[UTF8_BYTES_MAX];
        int taken = utf8_next(text + used, length - used, &code_point);
        size_t put = utf8_put(taken > 0 ? code_point : UTF8_REPLACEMENT, piece);

        if (out + put + 1 > size)
            break;
        memcpy(ret_clean + out, piece, put);
        out += put;
        used += taken > 0 ? (size_t)taken : 1;
    }
    ret_clean[out] = '\0';
}
