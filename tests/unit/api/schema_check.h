/* SPDX-License-Identifier: Apache-2.0
 *
 * schema_check.h - a JSON value against a schema of docs/openapi.yaml. A keyword it does not know fails: what is not
 * checked must not look checked. */
#ifndef CELLPOST_TEST_SCHEMA_CHECK_H
#define CELLPOST_TEST_SCHEMA_CHECK_H

#include <jansson.h>
#include <regex.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct schema_check { json_t *document; char why[512]; };

static inline bool schema_matches(struct schema_check *check, json_t *schema, json_t *value, const char *at);

static inline bool __attribute__((format(printf, 2, 3))) schema_no(struct schema_check *check, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(check->why, sizeof check->why, format, args);
    va_end(args);
    return false;
}

static inline json_t *schema_resolve(struct schema_check *check, json_t *node)
{
    const char *reference = json_string_value(json_object_get(node, "$ref"));
    char path[256], *rest;
    json_t *found = check->document;

    if (!reference)
        return node;
    assert_true(strncmp(reference, "#/", 2) == 0);
    (void)snprintf(path, sizeof path, "%s", reference + 2);
    for (char *name = strtok_r(path, "/", &rest); name; name = strtok_r(NULL, "/", &rest))
        found = json_object_get(found, name);
    if (!found)
        fail_msg("%s leads nowhere", reference);
    return found;
}

static inline bool type_matches(const char *type, json_t *value)
{
    static const struct { const char *name; json_type type; } types[] = {
        { "object", JSON_OBJECT }, { "array", JSON_ARRAY }, { "string", JSON_STRING }, { "integer", JSON_INTEGER }, { "null", JSON_NULL },
    };

    if (strcmp(type, "boolean") == 0)
        return json_is_boolean(value);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, type) == 0)
            return json_typeof(value) == types[i].type;
    fail_msg("unknown type %s", type);
    return false;
}

static inline bool keyword_matches(struct schema_check *check, json_t *schema, const char *keyword, json_t *wanted, json_t *value, const char *at)
{
    json_t *item;
    const char *key;
    char below[256];
    size_t i;

    if (strcmp(keyword, "description") == 0 || strcmp(keyword, "default") == 0 || strcmp(keyword, "format") == 0)
        return true;
    if (strcmp(keyword, "type") == 0) {
        if (json_is_string(wanted))
            return type_matches(json_string_value(wanted), value) || schema_no(check, "%s is no %s", at, json_string_value(wanted));
        json_array_foreach (wanted, i, item)
            if (type_matches(json_string_value(item), value))
                return true;
        return schema_no(check, "%s is of none of the types", at);
    }
    if (strcmp(keyword, "enum") == 0) {
        json_array_foreach (wanted, i, item)
            if (json_equal(item, value))
                return true;
        return schema_no(check, "%s is none of the enum", at);
    }
    if (strcmp(keyword, "required") == 0) {
        json_array_foreach (wanted, i, item)
            if (json_is_object(value) && !json_object_get(value, json_string_value(item)))
                return schema_no(check, "%s has no \"%s\"", at, json_string_value(item));
        return true;
    }
    if (strcmp(keyword, "properties") == 0) {
        json_object_foreach (wanted, key, item) {
            json_t *member = json_object_get(value, key);
            (void)snprintf(below, sizeof below, "%s/%s", at, key);
            if (member && !schema_matches(check, item, member, below))
                return false;
        }
        return true;
    }
    if (strcmp(keyword, "additionalProperties") == 0) {
        assert_true(json_is_false(wanted));
        json_object_foreach (value, key, item)
            if (!json_object_get(json_object_get(schema, "properties"), key))
                return schema_no(check, "%s has a \"%s\" that the schema does not know", at, key);
        return true;
    }
    if (strcmp(keyword, "items") == 0) {
        json_array_foreach (value, i, item) {
            (void)snprintf(below, sizeof below, "%s/%zu", at, i);
            if (!schema_matches(check, wanted, item, below))
                return false;
        }
        return true;
    }
    if (strcmp(keyword, "oneOf") == 0) {
        size_t fitting = 0;
        json_array_foreach (wanted, i, item)
            fitting += schema_matches(check, item, value, at);
        if (fitting > 1)
            return schema_no(check, "%s fits %zu of oneOf", at, fitting);
        return fitting == 1;   /* else why says what the last of them lacked */
    }
    if (strcmp(keyword, "pattern") == 0) {
        regex_t regex;
        bool fits;
        if (!json_is_string(value))
            return true;
        assert_int_equal(regcomp(&regex, json_string_value(wanted), REG_EXTENDED | REG_NOSUB), 0);
        fits = regexec(&regex, json_string_value(value), 0, NULL, 0) == 0;
        regfree(&regex);
        return fits || schema_no(check, "%s does not look like %s", at, json_string_value(wanted));
    }
    if (strcmp(keyword, "minimum") == 0)
        return !json_is_integer(value) || json_integer_value(value) >= json_integer_value(wanted) || schema_no(check, "%s is too small", at);
    if (strcmp(keyword, "maximum") == 0)
        return !json_is_integer(value) || json_integer_value(value) <= json_integer_value(wanted) || schema_no(check, "%s is too big", at);
    if (strcmp(keyword, "minItems") == 0)
        return !json_is_array(value) || (json_int_t)json_array_size(value) >= json_integer_value(wanted) || schema_no(check, "%s is too short", at);
    if (strcmp(keyword, "maxItems") == 0)
        return !json_is_array(value) || (json_int_t)json_array_size(value) <= json_integer_value(wanted) || schema_no(check, "%s is too long", at);
    if (strcmp(keyword, "minLength") == 0)
        return !json_is_string(value) || (json_int_t)json_string_length(value) >= json_integer_value(wanted) || schema_no(check, "%s is too short", at);
    if (strcmp(keyword, "maxLength") == 0)
        return !json_is_string(value) || (json_int_t)json_string_length(value) <= json_integer_value(wanted) || schema_no(check, "%s is too long", at);
    fail_msg("unknown keyword %s", keyword);
    return false;
}

static inline bool schema_matches(struct schema_check *check, json_t *schema, json_t *value, const char *at)
{
    const char *keyword;
    json_t *wanted;

    schema = schema_resolve(check, schema);
    json_object_foreach (schema, keyword, wanted)
        if (!keyword_matches(check, schema, keyword, wanted, value, at))
            return false;
    return true;
}

#endif
