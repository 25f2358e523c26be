/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/modembank/json.h"

#include "src/sms/sms_pdu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for more octets and a NUL. */
static bool reserve(struct json *json, size_t more)
{
    size_t size = json->size == 0 ? 4096 : json->size;
    char *grown;

    if (json->failed)
        return false;
    while (size < json->length + more + 1)
        size *= 2;
    if (size == json->size)
        return true;
    grown = realloc(json->text, size);
    if (grown == NULL) {
        json->failed = true;
        return false;
    }
    json->text = grown;
    json->size = size;
    return true;
}

void json_add(struct json *json, const char *format, ...)
{
    va_list args;
    int n;

    if (!reserve(json, 512))
        return;
    va_start(args, format);
    n = vsnprintf(json->text + json->length, json->size - json->length, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n >= json->size - json->length) {
        if (!reserve(json, (size_t)n))
            return;
        va_start(args, format);
        n = vsnprintf(json->text + json->length, json->size - json->length, format, args);
        va_end(args);
    }
    if (n > 0)
        json->length += (size_t)n;
}

void json_add_string(struct json *json, const char *utf8)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = strlen(utf8);
    char *copy;

    /* Every octet may become six, and one broken half at worst stays three. */
    if (!reserve(json, 6 * length + 2))
        return;
    copy = malloc(length + 1);
    if (copy == NULL) {
        json->failed = true;
        return;
    }
    memcpy(copy, utf8, length + 1);
    length = sms_text_sanitize(copy, length);
    json->text[json->length++] = '"';
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)copy[i];

        if (c == '"' || c == '\\') {
            json->text[json->length++] = '\\';
            json->text[json->length++] = (char)c;
        } else if (c < 0x20) {
            memcpy(json->text + json->length, "\\u00", 4);
            json->text[json->length + 4] = digits[c >> 4];
            json->text[json->length + 5] = digits[c & 15];
            json->length += 6;
        } else {
            json->text[json->length++] = (char)c;
        }
    }
    json->text[json->length++] = '"';
    json->text[json->length] = '\0';
    free(copy);
}

void json_done(struct json *json)
{
    free(json->text);
    *json = (struct json){ NULL, 0, 0, false };
}
