/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_text.c - text of JSON to an object and back, bounded in length and depth. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/sync/wire_internal.h"

#define DEPTH_MAX 8                          /* a command's body has 4; what a problem has besides is not looked at */

/* -- where in a text ------------------------------------------------------------------------------------------------ */

/* One level of nesting: the member, or the index, that is being read. */
struct level { bool array, in_value; const char *key; size_t key_length, index; };

/* Reads on to the end of a string, whose quote was read. */
static size_t end_of_string(const char *text, size_t length, size_t at)
{
    while (at < length && text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
    return at < length ? at : length;
}

/* The levels that are open at the end of text, which need not be JSON. -E2BIG: it had more than DEPTH_MAX somewhere. */
static int walk(const char *text, size_t length, struct level levels[DEPTH_MAX], size_t *ret_depth)
{
    size_t depth = 0;

    for (size_t at = 0; at < length; at++) {
        struct level *level = depth > 0 ? &levels[depth - 1] : NULL;
        size_t begin;

        switch (text[at]) {
        case '"':
            begin = at + 1;
            at = end_of_string(text, length, begin);
            if (level && !level->array && !level->in_value) {
                level->key = text + begin;
                level->key_length = at - begin;
            }
            break;
        case '{':
        case '[':
            if (depth == DEPTH_MAX)
                return -E2BIG;
            levels[depth++] = (struct level){ .array = text[at] == '[' };
            break;
        case '}':
        case ']':
            depth -= depth > 0;
            break;
        case ':':
            if (level)
                level->in_value = true;
            break;
        case ',':
            if (level) {
                level->in_value = false;
                level->index++;
            }
            break;
        default: break;
        }
    }
    *ret_depth = depth;
    return 0;
}

static struct place place_after(const char *text, size_t length, struct wire_error *error)
{
    struct place place = { .error = error };
    struct level levels[DEPTH_MAX];
    size_t depth = 0;

    (void)walk(text, length, levels, &depth);
    for (size_t i = 0; i < depth; i++)
        place = levels[i].array ? wire_at(&place, levels[i].index)
              : levels[i].key   ? wire_inside_of(&place, levels[i].key, levels[i].key_length) : place;
    return place;
}

/* -- both ways -------------------------------------------------------------------------------------------------------- */

int wire_load(const char *body, size_t length, size_t length_max, json_t **ret_root, struct wire_error *error)
{
    struct place place = { .error = error };
    struct level levels[DEPTH_MAX];
    json_error_t fault = { 0 };
    size_t depth;
    json_t *root;

    if (length > length_max)
        return wire_refuse(&place, "must be at most %zu octets", length_max);
    if (!body || length == 0)
        return wire_refuse(&place, "must be a JSON object, and is empty");
    if (walk(body, length, levels, &depth) < 0)
        return wire_refuse(&place, "must not be nested deeper than %d levels", DEPTH_MAX);
    root = json_loadb(body, length, JSON_REJECT_DUPLICATES, &fault);
    if (root) {
        *ret_root = root;
        return 0;
    }
    if (json_error_code(&fault) == json_error_out_of_memory)
        return -ENOMEM;
    if (json_error_code(&fault) == json_error_duplicate_key) {
        place = place_after(body, fault.position < 0 ? 0 : (size_t)fault.position, error);
        return wire_refuse(&place, "is there twice");
    }
    return wire_refuse(&place, "must be a JSON object, and is not JSON at octet %d", fault.position);
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
