/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_text.c - text of JSON to an object and back, bounded in length and depth.
 *
 * The library's reader drops characters, and calls good text malformed, where it gets no memory (jansson 2.14, lex_save() and
 * lex_scan_string()): an amount could lose a digit, and a good request be refused for good. So the text is read once before
 * by the grammar (RFC 8259), which takes no memory: what is wrong with it is said here, and what the library has to come to is
 * counted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/utf8.h"
#include "src/sync/wire_internal.h"

#define DEPTH_MAX 8                          /* the body of a command is at 4; what a problem has besides may be a little deeper */

/* -- the grammar ---------------------------------------------------------------------------------------------------- */

enum expected { KEY_OR_END, KEY, COLON, VALUE_OR_END, VALUE, COMMA_OR_END };

struct level { bool array; enum expected expected; const char *key; size_t key_length, index; };

/* A reading: where it is, and how many octets the strings and the integers had that were read so far. */
struct reading {
    const char *text;
    size_t length, at, octets, depth;
    bool too_deep;
    struct level levels[DEPTH_MAX];
};

static int peek(const struct reading *reading) { return reading->at < reading->length ? (unsigned char)reading->text[reading->at] : -1; }

static bool read_hex4(struct reading *reading, uint32_t *ret_value)
{
    *ret_value = 0;
    for (unsigned i = 0; i < 4; i++, reading->at++) {
        int c = peek(reading);

        if (c >= '0' && c <= '9')
            *ret_value = *ret_value << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            *ret_value = *ret_value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* After the backslash. No NUL, and no half of a surrogate pair. */
static bool read_escape(struct reading *reading)
{
    uint32_t value, low;
    int c = peek(reading);

    reading->at++;
    if (c < 0 || (c != 'u' && !memchr("\"\\/bfnrt", c, 8)))
        return false;
    if (c != 'u') {
        reading->octets++;
        return true;
    }
    if (!read_hex4(reading, &value) || value == 0 || (value >= 0xDC00 && value <= 0xDFFF))
        return false;
    reading->octets += value < 0x80 ? 1 : value < 0x800 ? 2 : 3;
    if (value < 0xD800 || value > 0xDBFF)
        return true;
    reading->octets++;
    if (reading->length - reading->at < 2 || memcmp(reading->text + reading->at, "\\u", 2) != 0)
        return false;
    reading->at += 2;
    return read_hex4(reading, &low) && low >= 0xDC00 && low <= 0xDFFF;
}

/* After the quote, to behind the other one. */
static bool read_string(struct reading *reading)
{
    for (int c = peek(reading); c != '"'; c = peek(reading)) {
        uint32_t code_point;
        int octets;

        if (c < 0x20)                        /* also the end */
            return false;
        if (c == '\\') {
            reading->at++;
            if (!read_escape(reading))
                return false;
            continue;
        }
        octets = utf8_next(reading->text + reading->at, reading->length - reading->at, &code_point);
        if (octets < 0)
            return false;
        reading->at += (size_t)octets;
        reading->octets += (size_t)octets;
    }
    reading->at++;
    return true;
}

static size_t read_digits(struct reading *reading)
{
    size_t begin = reading->at;

    while (peek(reading) >= '0' && peek(reading) <= '9')
        reading->at++;
    return reading->at - begin;
}

static bool read_number(struct reading *reading)
{
    size_t begin = reading->at, digits;
    bool negative = peek(reading) == '-', zero, real = false;

    reading->at += negative;
    zero = peek(reading) == '0';
    digits = read_digits(reading);
    if (digits == 0 || (zero && digits > 1))
        return false;
    if (peek(reading) == '.') {
        real = true;
        reading->at++;
        if (read_digits(reading) == 0)
            return false;
    }
    if (peek(reading) == 'e' || peek(reading) == 'E') {
        real = true;
        reading->at++;
        reading->at += peek(reading) == '+' || peek(reading) == '-';
        if (read_digits(reading) == 0)
            return false;
    }
    if (!real)                               /* -0 is written 0 */
        reading->octets += zero ? 1 : reading->at - begin;
    return true;
}

static bool read_word(struct reading *reading)
{
    static const char *const words[] = { "true", "false", "null" };

    for (unsigned i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);

        if (reading->length - reading->at >= length && memcmp(reading->text + reading->at, words[i], length) == 0) {
            reading->at += length;
            return true;
        }
    }
    return false;
}

static bool read_value(struct reading *reading)
{
    int c = peek(reading);

    if (c == '{' || c == '[') {
        reading->too_deep = reading->depth == DEPTH_MAX;
        if (reading->too_deep)
            return false;
        reading->levels[reading->depth++] = (struct level){ .array = c == '[', .expected = c == '[' ? VALUE_OR_END : KEY_OR_END };
        reading->at++;
        return true;
    }
    if (c == '"') {
        reading->at++;
        return read_string(reading);
    }
    return c == '-' || (c >= '0' && c <= '9') ? read_number(reading) : read_word(reading);
}

static bool read_key(struct reading *reading, struct level *level)
{
    size_t begin = reading->at + 1;

    if (peek(reading) != '"')
        return false;
    reading->at++;
    if (!read_string(reading))
        return false;
    level->key = reading->text + begin;
    level->key_length = reading->at - 1 - begin;
    level->expected = COLON;
    return true;
}

static bool read_token(struct reading *reading)
{
    struct level *level = &reading->levels[reading->depth - 1];
    int c = peek(reading);

    if (c == (level->array ? ']' : '}') && (level->expected == KEY_OR_END || level->expected == VALUE_OR_END || level->expected == COMMA_OR_END)) {
        reading->depth--;
        reading->at++;
        return true;
    }
    switch (level->expected) {
    case KEY_OR_END:
    case KEY: return read_key(reading, level);
    case COLON:
        level->expected = VALUE;
        reading->at++;
        return c == ':';
    case COMMA_OR_END:
        level->expected = level->array ? VALUE : KEY;
        level->index++;
        reading->at++;
        return c == ',';
    default:
        level->expected = COMMA_OR_END;      /* once the value is over */
        return read_value(reading);
    }
}

static void pass_blanks(struct reading *reading)
{
    while (peek(reading) == ' ' || peek(reading) == '\t' || peek(reading) == '\n' || peek(reading) == '\r')
        reading->at++;
}

/* One object and nothing else; if not, the reading is where it stops to be that. */
static bool read_object(struct reading *reading, const char *text, size_t length)
{
    *reading = (struct reading){ .text = text, .length = length };
    pass_blanks(reading);
    if (peek(reading) != '{' || !read_value(reading))
        return false;
    while (reading->depth > 0) {
        pass_blanks(reading);
        if (!read_token(reading))
            return false;
    }
    pass_blanks(reading);
    return reading->at == length;
}

static struct place place_of(const struct reading *reading, struct wire_error *error)
{
    struct place place = { .error = error };

    for (size_t i = 0; i < reading->depth; i++) {
        const struct level *level = &reading->levels[i];

        if (level->array)
            place = wire_at(&place, level->index);
        else if (level->key)
            place = wire_inside_of(&place, level->key, level->key_length);
    }
    return place;
}

/* -- what the library made of it ---------------------------------------------------------------------------------------- */

/* As reading.octets. It is not deeper than DEPTH_MAX. */
static size_t octets_of(json_t *value)
{
    size_t octets = 0, index;
    const char *key;
    json_t *inner;
    char digits[24];

    switch (json_typeof(value)) {
    case JSON_STRING: return json_string_length(value);
    case JSON_INTEGER: return (size_t)snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_OBJECT:
        json_object_foreach (value, key, inner)
            octets += strlen(key) + octets_of(inner);
        return octets;
    case JSON_ARRAY:
        json_array_foreach (value, index, inner)
            octets += octets_of(inner);
        return octets;
    default: return 0;
    }
}

/* -- both ways ------------------------------------------------------------------------------------------------------------ */

int wire_load(const char *body, size_t length, size_t length_max, json_t **ret_root, struct wire_error *error)
{
    struct place place = { .error = error };
    struct reading reading;
    json_error_t fault = { 0 };
    enum json_error_code code;
    json_t *root;

    if (length > length_max)
        return wire_refuse(&place, "must be at most %zu octets", length_max);
    if (!body || length == 0)
        return wire_refuse(&place, "must be a JSON object, and is empty");
    if (!read_object(&reading, body, length)) {
        place = place_of(&reading, error);
        if (reading.too_deep)
            return wire_refuse(&place, "must not be nested deeper than %d levels", DEPTH_MAX);
        return wire_refuse(&place, "must be a JSON object, and is none at octet %zu", reading.at);
    }
    root = json_loadb(body, length, JSON_REJECT_DUPLICATES, &fault);
    if (root) {
        if (octets_of(root) != reading.octets) {
            json_decref(root);
            return -ENOMEM;
        }
        *ret_root = root;
        return 0;
    }
    code = json_error_code(&fault);
    if (code != json_error_duplicate_key && code != json_error_numeric_overflow)
        return -ENOMEM;
    (void)read_object(&reading, body, fault.position > 0 && (size_t)fault.position < length ? (size_t)fault.position : length);
    place = place_of(&reading, error);
    return wire_refuse(&place, code == json_error_duplicate_key ? "is there twice" : "is a number that is too great");
}

int wire_dump(json_t *root, int error, size_t length_max, char **ret_body, size_t *ret_length)
{
    char *body;
    size_t length;

    if (!root)
        return error < 0 ? error : -ENOMEM;
    body = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (!body)
        return -ENOMEM;
    length = strlen(body);
    if (length > length_max) {
        free(body);
        return -EMSGSIZE;
    }
    *ret_body = body;
    *ret_length = length;
    return 0;
}
