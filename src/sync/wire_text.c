/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_text.c - text of JSON (RFC 8259) to an object and back, bounded in length and depth.
 *
 * It has a reader of its own since that of the library is not for money: where it gets no memory it drops characters, so that
 * an amount may lose a digit, calls good text malformed, or reads on behind its buffer (jansson 2.14, lex_save(), its issue
 * 362). The library's writer leaves out the names of members then, so what it wrote is read again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/utf8.h"
#include "src/sync/wire_internal.h"

#define DEPTH_MAX 8                          /* the body of a command is at 4; what a problem has besides may be a little deeper */

enum expected { KEY_OR_END, KEY, COLON, VALUE_OR_END, VALUE, COMMA_OR_END };
enum fault { FAULT_TEXT, FAULT_DEPTH, FAULT_DOUBLED, FAULT_NUMBER, FAULT_MEMORY };

/* container: of the root's, or of the one around it. key: as it is in the text, without quotes. */
struct level { json_t *container; bool array; enum expected expected; size_t key, key_length, index; };

struct reading {
    const char *text;
    size_t length, at, depth;
    enum fault fault;                        /* counts when a function below says false */
    char *scratch;                           /* the string that was read last; length + 1 octets */
    size_t scratch_length;
    json_t *root;
    struct level levels[DEPTH_MAX];
};

static int peek(const struct reading *reading) { return reading->at < reading->length ? (unsigned char)reading->text[reading->at] : -1; }

static bool fail(struct reading *reading, enum fault fault)
{
    reading->fault = fault;
    return false;
}

/* -- strings ---------------------------------------------------------------------------------------------------------- */

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
    static const char letters[] = "\"\\/bfnrt", octets[] = "\"\\/\b\f\n\r\t";
    int c = peek(reading);
    const char *letter = c > 0 ? strchr(letters, c) : NULL;
    uint32_t value, low;

    reading->at++;
    if (letter) {
        reading->scratch[reading->scratch_length++] = octets[letter - letters];
        return true;
    }
    if (c != 'u' || !read_hex4(reading, &value) || value == 0 || (value >= 0xDC00 && value <= 0xDFFF))
        return false;
    if (value >= 0xD800 && value <= 0xDBFF) {
        if (reading->length - reading->at < 2 || memcmp(reading->text + reading->at, "\\u", 2) != 0)
            return false;
        reading->at += 2;
        if (!read_hex4(reading, &low) || low < 0xDC00 || low > 0xDFFF)
            return false;
        value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    }
    reading->scratch_length += utf8_put(value, reading->scratch + reading->scratch_length);   /* shorter than the escape */
    return true;
}

/* After the quote, to behind the other one; into scratch. */
static bool read_string(struct reading *reading)
{
    reading->scratch_length = 0;
    for (int c = peek(reading); c != '"'; c = peek(reading)) {
        uint32_t code_point;
        int octets;

        if (c < 0x20)                        /* also the end */
            return fail(reading, FAULT_TEXT);
        if (c == '\\') {
            reading->at++;
            if (!read_escape(reading))
                return fail(reading, FAULT_TEXT);
            continue;
        }
        octets = utf8_next(reading->text + reading->at, reading->length - reading->at, &code_point);
        if (octets < 0)
            return fail(reading, FAULT_TEXT);
        memcpy(reading->scratch + reading->scratch_length, reading->text + reading->at, (size_t)octets);
        reading->scratch_length += (size_t)octets;
        reading->at += (size_t)octets;
    }
    reading->scratch[reading->scratch_length] = '\0';
    reading->at++;
    return true;
}

static bool read_key(struct reading *reading, struct level *level)
{
    if (peek(reading) != '"')
        return fail(reading, FAULT_TEXT);
    level->key_length = 0;
    level->key = ++reading->at;
    if (!read_string(reading))
        return false;
    level->key_length = reading->at - 1 - level->key;
    level->expected = COLON;
    return json_object_get(level->container, reading->scratch) ? fail(reading, FAULT_DOUBLED) : true;
}

/* -- values ------------------------------------------------------------------------------------------------------------ */

/* Puts a value that was just made where it belongs; NULL: there was no memory for it. */
static bool put(struct reading *reading, json_t *value)
{
    struct level *level = reading->depth > 0 ? &reading->levels[reading->depth - 1] : NULL;
    size_t at = reading->at;
    int r;

    if (!value)
        return fail(reading, FAULT_MEMORY);
    if (!level) {
        reading->root = value;
        return true;
    }
    level->expected = COMMA_OR_END;
    if (level->array) {
        r = json_array_append_new(level->container, value);
    } else {
        reading->at = level->key;            /* the key again, as it was read before */
        (void)read_string(reading);
        reading->at = at;
        r = json_object_set_new_nocheck(level->container, reading->scratch, value);
    }
    return r < 0 ? fail(reading, FAULT_MEMORY) : true;
}

static bool open_level(struct reading *reading, bool array)
{
    json_t *container;

    if (reading->depth == DEPTH_MAX)
        return fail(reading, FAULT_DEPTH);
    container = array ? json_array() : json_object();
    if (!put(reading, container))
        return false;
    reading->levels[reading->depth++] = (struct level){ .container = container, .array = array, .expected = array ? VALUE_OR_END : KEY_OR_END };
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

/* Of '-' and digits that were read. */
static bool integer_of(const char *text, size_t length, int64_t *ret_number)
{
    bool negative = text[0] == '-';
    int64_t number = 0;

    for (size_t i = negative; i < length; i++) {
        int digit = text[i] - '0';

        if (negative ? number < (INT64_MIN + digit) / 10 : number > (INT64_MAX - digit) / 10)
            return false;
        number = number * 10 + (negative ? -digit : digit);
    }
    *ret_number = number;
    return true;
}

static bool read_number(struct reading *reading)
{
    size_t begin = reading->at, digits;
    bool zero, real = false;
    int64_t number = 0;

    reading->at += peek(reading) == '-';
    zero = peek(reading) == '0';
    digits = read_digits(reading);
    if (digits == 0 || (zero && digits > 1))
        return fail(reading, FAULT_TEXT);
    if (!integer_of(reading->text + begin, reading->at - begin, &number))
        return fail(reading, FAULT_NUMBER);
    if (peek(reading) == '.') {
        real = true;
        reading->at++;
        if (read_digits(reading) == 0)
            return fail(reading, FAULT_TEXT);
    }
    if (peek(reading) == 'e' || peek(reading) == 'E') {
        real = true;
        reading->at++;
        reading->at += peek(reading) == '+' || peek(reading) == '-';
        if (read_digits(reading) == 0)
            return fail(reading, FAULT_TEXT);
    }
    return put(reading, real ? json_real(0.5) : json_integer(number));   /* no member is a real: only that it is one counts */
}

static bool read_word(struct reading *reading)
{
    static const struct { const char *word; json_type type; } words[] = { { "true", JSON_TRUE }, { "false", JSON_FALSE }, { "null", JSON_NULL } };

    for (unsigned i = 0; i < 3; i++) {
        size_t length = strlen(words[i].word);

        if (reading->length - reading->at >= length && memcmp(reading->text + reading->at, words[i].word, length) == 0) {
            reading->at += length;
            return put(reading, words[i].type == JSON_NULL ? json_null() : json_boolean(words[i].type == JSON_TRUE));
        }
    }
    return fail(reading, FAULT_TEXT);
}

static bool read_value(struct reading *reading)
{
    int c = peek(reading);

    if (c == '{' || c == '[')
        return open_level(reading, c == '[');
    if (c == '"') {
        reading->at++;
        return read_string(reading) && put(reading, json_stringn_nocheck(reading->scratch, reading->scratch_length));
    }
    return c == '-' || (c >= '0' && c <= '9') ? read_number(reading) : read_word(reading);
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
        if (c != ':')
            return fail(reading, FAULT_TEXT);
        level->expected = VALUE;
        break;
    case COMMA_OR_END:
        if (c != ',')
            return fail(reading, FAULT_TEXT);
        level->expected = level->array ? VALUE : KEY;
        level->index++;
        break;
    default: return read_value(reading);
    }
    reading->at++;
    return true;
}

static void pass_blanks(struct reading *reading)
{
    while (peek(reading) == ' ' || peek(reading) == '\t' || peek(reading) == '\n' || peek(reading) == '\r')
        reading->at++;
}

/* One object and nothing else; if not, the reading is where it stops to be that. */
static bool read_object(struct reading *reading)
{
    pass_blanks(reading);
    if (peek(reading) != '{')
        return fail(reading, FAULT_TEXT);
    if (!read_value(reading))
        return false;
    while (reading->depth > 0) {
        pass_blanks(reading);
        if (!read_token(reading))
            return false;
    }
    pass_blanks(reading);
    return reading->at == reading->length ? true : fail(reading, FAULT_TEXT);
}

/* -- both ways ------------------------------------------------------------------------------------------------------------ */

static struct place place_of(const struct reading *reading, struct wire_error *error)
{
    struct place place = { .error = error };

    for (size_t i = 0; i < reading->depth; i++) {
        const struct level *level = &reading->levels[i];

        if (level->array)
            place = wire_at(&place, level->index);
        else if (level->key != 0)
            place = wire_inside_of(&place, reading->text + level->key, level->key_length);
    }
    return place;
}

int wire_load(const char *body, size_t length, size_t length_max, json_t **ret_root, struct wire_error *error)
{
    static const char *const words[] = { [FAULT_DEPTH] = "is nested too deep", [FAULT_DOUBLED] = "is there twice",
                                         [FAULT_NUMBER] = "is a number that is too great" };
    struct reading reading = { .text = body, .length = length };
    struct place place = { .error = error };
    bool whole;

    if (length > length_max)
        return wire_refuse(&place, "must be at most %zu octets", length_max);
    if (!body || length == 0)
        return wire_refuse(&place, "must be a JSON object, and is empty");
    reading.scratch = malloc(length + 1);
    if (!reading.scratch)
        return -ENOMEM;
    whole = read_object(&reading);
    free(reading.scratch);
    if (whole) {
        *ret_root = reading.root;
        return 0;
    }
    json_decref(reading.root);
    if (reading.fault == FAULT_MEMORY)
        return -ENOMEM;
    place = place_of(&reading, error);
    if (reading.fault == FAULT_TEXT)
        return wire_refuse(&place, "must be JSON, and is none at octet %zu", reading.at);
    return wire_refuse(&place, "%s", words[reading.fault]);
}

int wire_dump(json_t *root, int error, size_t length_max, char **ret_body, size_t *ret_length)
{
    struct wire_error unused;
    json_t *again = NULL;
    char *body;
    size_t length;
    int r = 0;

    if (!root)
        return error < 0 ? error : -ENOMEM;
    body = json_dumps(root, JSON_COMPACT);
    length = body ? strlen(body) : 0;
    if (length > length_max)
        r = -EMSGSIZE;
    else if (!body || wire_load(body, length, length_max, &again, &unused) < 0 || !json_equal(root, again))
        r = -ENOMEM;
    json_decref(again);
    json_decref(root);
    if (r < 0) {
        free(body);
        return r;
    }
    *ret_body = body;
    *ret_length = length;
    return 0;
}
