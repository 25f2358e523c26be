/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_fields.c - tables of fields, encoded and decoded. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/base64.h>

#include "src/base/hex.h"
#include "src/base/utf8.h"
#include "src/sync/wire_internal.h"

int wire_refuse(const struct place *place, const char *format, ...)
{
    va_list arguments;

    (void)snprintf(place->error->pointer, sizeof place->error->pointer, "%s", place->pointer);
    va_start(arguments, format);
    (void)vsnprintf(place->error->text, sizeof place->error->text, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static void put(struct place *place, size_t *at, char c)
{
    if (*at < sizeof place->pointer - 1)
        place->pointer[(*at)++] = c;
}

struct place wire_inside_of(const struct place *place, const char *name, size_t length)
{
    struct place inside = *place;
    size_t at = strlen(inside.pointer);

    put(&inside, &at, '/');
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '~' || name[i] == '/') {   /* RFC 6901 3 */
            put(&inside, &at, '~');
            put(&inside, &at, name[i] == '~' ? '0' : '1');
        } else {
            put(&inside, &at, name[i] >= 0x20 && name[i] < 0x7F ? name[i] : '?');
        }
    }
    inside.pointer[at] = '\0';
    return inside;
}

struct place wire_inside(const struct place *place, const char *name) { return wire_inside_of(place, name, strlen(name)); }

struct place wire_at(const struct place *place, size_t index)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%zu", index);
    return wire_inside(place, text);
}

/* -- octets ------------------------------------------------------------------------------------------------------- */

json_t *wire_hex_encode(const uint8_t *octets, size_t length)
{
    char text[2 * 128 + 1];

    assert(length <= 128);
    hex_encode(octets, length, text);
    for (char *at = text; *at != '\0'; at++)
        if (*at >= 'A')
            *at = (char)(*at + 'a' - 'A');
    return json_stringn_nocheck(text, 2 * length);
}

int wire_hex_decode(json_t *value, uint8_t *ret_octets, size_t length, const struct place *place)
{
    const char *text = json_string_value(value);

    if (!text || json_string_length(value) != 2 * length || strspn(text, "0123456789abcdef") != 2 * length)
        return wire_refuse(place, "must be %zu lower-case hexadecimal digits", 2 * length);
    return hex_decode(text, 2 * length, ret_octets, length) < 0 ? -EINVAL : 0;
}

json_t *wire_base64_encode(const uint8_t *octets, size_t length)
{
    size_t size = (length + 2) / 3 * 4 + 1, written = 0;
    unsigned char *text = malloc(size);
    json_t *value = NULL;

    if (text && mbedtls_base64_encode(text, size, &written, octets, length) == 0)
        value = json_stringn_nocheck((const char *)text, written);
    free(text);
    return value;
}

/* The library passes over line ends and blanks, and does not look at the bits behind the last octet: encoding again shows. */
int wire_base64_decode(json_t *value, size_t octets_max, uint8_t **ret_octets, size_t *ret_length, const struct place *place)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value), octets = 0;
    uint8_t *decoded;
    json_t *again;
    bool same;

    if (!text)
        return wire_refuse(place, "must be a string of base64");
    if (length > (octets_max + 2) / 3 * 4)
        return wire_refuse(place, "must be base64 of at most %zu octets", octets_max);
    decoded = malloc(length / 4 * 3 + 4);
    if (!decoded)
        return -ENOMEM;
    if (mbedtls_base64_decode(decoded, length / 4 * 3 + 4, &octets, (const unsigned char *)text, length) != 0 || octets > octets_max) {
        free(decoded);
        return wire_refuse(place, "must be base64 of at most %zu octets", octets_max);
    }
    again = wire_base64_encode(decoded, octets);
    same = again && json_equal(again, value);
    if (!again || !same) {
        free(decoded);
        json_decref(again);
        return again ? wire_refuse(place, "must be base64 as RFC 4648 4 has it, with padding and nothing else") : -ENOMEM;
    }
    json_decref(again);
    *ret_octets = decoded;
    *ret_length = octets;
    return 0;
}

/* -- values --------------------------------------------------------------------------------------------------------- */

static bool line_is_clean(const char *text, size_t length, bool line_ends)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == 0x7F || (c < 0x20 && !(line_ends && (c == '\n' || c == '\r'))))
            return false;
    }
    return true;
}

static bool text_in_bounds(const struct field *field, const char *text, size_t length)
{
    if ((int64_t)length < field->min || (int64_t)length >= field->max)
        return false;
    if (field->type == FIELD_TOKEN)
        return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == length;
    return line_is_clean(text, length, field->type == FIELD_PEM) && utf8_is_valid(text, length, NULL);
}

static int64_t load_integer(const struct field *field, const char *at)
{
    uint64_t number;

    switch (field->type) {
    case FIELD_U8: return *(const uint8_t *)at;
    case FIELD_U16: return *(const uint16_t *)(const void *)at;
    case FIELD_U32: return *(const uint32_t *)(const void *)at;
    case FIELD_U64:
        number = *(const uint64_t *)(const void *)at;
        return number <= INT64_MAX ? (int64_t)number : -1;   /* below every min */
    default: return *(const int64_t *)(const void *)at;
    }
}

static void keep_integer(const struct field *field, char *at, int64_t number)
{
    switch (field->type) {
    case FIELD_U8: *(uint8_t *)at = (uint8_t)number; break;
    case FIELD_U16: *(uint16_t *)(void *)at = (uint16_t)number; break;
    case FIELD_U32: *(uint32_t *)(void *)at = (uint32_t)number; break;
    case FIELD_U64: *(uint64_t *)(void *)at = (uint64_t)number; break;
    default: *(int64_t *)(void *)at = number; break;
    }
}

static json_t *encode_value(const struct field *field, const char *base, int *ret_error)
{
    const char *at = base + field->offset, *end;
    int64_t number;
    size_t length;

    switch (field->type) {
    case FIELD_PROTOCOL: return json_integer(WIRE_PROTOCOL);
    case FIELD_HEX: return wire_hex_encode((const uint8_t *)at, (size_t)field->max);
    case FIELD_OBJECT: return fields_encode(field->fields, at, ret_error);
    case FIELD_SPECIAL: return field->encode(base, ret_error);
    case FIELD_LINE:
    case FIELD_PEM:
    case FIELD_TOKEN:
        end = memchr(at, '\0', (size_t)field->max);
        length = end ? (size_t)(end - at) : 0;
        if (!end || !text_in_bounds(field, at, length)) {
            *ret_error = -EINVAL;
            return NULL;
        }
        return json_stringn_nocheck(at, length);
    default:
        number = load_integer(field, at);
        if (number < field->min || number > field->max) {
            *ret_error = -EINVAL;
            return NULL;
        }
        return json_integer(number);
    }
}

json_t *fields_encode(const struct fields *fields, const void *base, int *ret_error)
{
    json_t *object = json_object();

    *ret_error = 0;
    for (size_t i = 0; object && i < fields->count; i++) {
        const struct field *field = &fields->field[i];
        json_t *value;
        int error = 0;

        if (field->present != 0 && !*(const bool *)(const void *)((const char *)base + field->present))
            continue;
        value = encode_value(field, base, &error);
        if (!value || json_object_set_new_nocheck(object, field->name, value) < 0) {
            *ret_error = error < 0 ? error : -ENOMEM;
            json_decref(object);
            return NULL;
        }
    }
    if (!object)
        *ret_error = -ENOMEM;
    return object;
}

static int decode_value(const struct field *field, json_t *value, char *base, const struct place *place)
{
    char *at = base + field->offset;
    const char *text = json_string_value(value);

    switch (field->type) {
    case FIELD_HEX: return wire_hex_decode(value, (uint8_t *)at, (size_t)field->max, place);
    case FIELD_OBJECT: return fields_decode(field->fields, value, at, place);
    case FIELD_SPECIAL: return field->decode(value, base, place);
    case FIELD_PROTOCOL:
        if (!json_is_integer(value) || json_integer_value(value) != WIRE_PROTOCOL)
            return wire_refuse(place, "must be %d: the other side speaks another version of the protocol", WIRE_PROTOCOL);
        return 0;
    case FIELD_LINE:
    case FIELD_PEM:
    case FIELD_TOKEN:
        if (!text || !text_in_bounds(field, text, json_string_length(value)))
            return wire_refuse(place, "must be a string of %lld to %lld octets %s", (long long)field->min, (long long)field->max - 1,
                               field->type == FIELD_TOKEN ? "of A-Z, a-z, 0-9, _ and -" : "without control characters");
        memcpy(at, text, json_string_length(value) + 1);
        return 0;
    default:
        if (!json_is_integer(value) || json_integer_value(value) < field->min || json_integer_value(value) > field->max)
            return wire_refuse(place, "must be an integer from %lld to %lld", (long long)field->min, (long long)field->max);
        keep_integer(field, at, json_integer_value(value));
        return 0;
    }
}

int fields_decode(const struct fields *fields, json_t *object, void *base, const struct place *place)
{
    size_t seen = 0;
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return wire_refuse(place, "must be an object");
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->field[i];
        struct place inside = wire_inside(place, field->name);
        int r;

        value = json_object_get(object, field->name);
        seen += value != NULL;
        if (!value && field->present != 0)
            continue;
        if (!value)
            return wire_refuse(&inside, "is missing");
        r = decode_value(field, value, base, &inside);
        if (r < 0)
            return r;
        if (field->present != 0)
            *(bool *)(void *)((char *)base + field->present) = true;
    }
    if (fields->open || seen == json_object_size(object))
        return 0;
    json_object_foreach (object, key, value) {
        size_t i = 0;

        while (i < fields->count && strcmp(fields->field[i].name, key) != 0)
            i++;
        if (i == fields->count) {
            struct place inside = wire_inside(place, key);

            return wire_refuse(&inside, "is not a member that is known here");
        }
    }
    return wire_refuse(place, "has members that are not known here");
}

static const struct field head[] = {
    { "seq", FIELD_U64, offsetof(struct journal_head, seq), 0, INT64_MAX, NULL, 0, NULL, NULL },
    { "hash", FIELD_HEX, offsetof(struct journal_head, hash), 0, SHA256_OCTETS, NULL, 0, NULL, NULL },
};
const struct fields wire_head_fields = FIELDS(head);
