/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml_subset.h - as much YAML as docs/openapi.yaml is written in, into jansson values: block mappings and sequences,
 * flow sequences of scalars, quoted and plain scalars on one line, ">-". Anything else fails the test that reads it. */
#ifndef CELLPOST_TEST_YAML_SUBSET_H
#define CELLPOST_TEST_YAML_SUBSET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct yaml_line { size_t indent, number; char *content; };
struct yaml { char *text; struct yaml_line *lines; size_t count, at; };

static inline void yaml_fail(const struct yaml *yaml, const char *why)
{
    fail_msg("line %zu: %s", yaml->at < yaml->count ? yaml->lines[yaml->at].number : 0, why);
    abort();
}

static inline json_t *yaml_scalar(struct yaml *yaml, const char *text, size_t length)
{
    char *end, copy[512];
    json_t *list;

    if (length >= sizeof copy)
        yaml_fail(yaml, "scalar too long");
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (copy[0] == '"') {
        if (length < 2 || copy[length - 1] != '"' || memchr(copy + 1, '"', length - 2) || strchr(copy, '\\'))
            yaml_fail(yaml, "bad quoted scalar");
        return json_stringn(copy + 1, length - 2);
    }
    if (copy[0] == '[') {
        list = json_array();
        if (copy[length - 1] != ']')
            yaml_fail(yaml, "flow sequence without end");
        for (char *item = strtok_r(copy + 1, ",]", &end); item; item = strtok_r(NULL, ",]", &end)) {
            item += strspn(item, " ");
            json_array_append_new(list, yaml_scalar(yaml, item, strlen(item)));
        }
        return list;
    }
    if (strchr("{&*!|>%@`'", copy[0]) || strstr(copy, ": ") || strstr(copy, " #"))
        yaml_fail(yaml, "not in the subset");
    if (strcmp(copy, "true") == 0 || strcmp(copy, "false") == 0)
        return json_boolean(copy[0] == 't');
    if (strcmp(copy, "null") == 0)
        return json_null();
    if (length > 0 && strspn(copy, "0123456789") == length)
        return json_integer(strtoll(copy, NULL, 10));
    return json_string(copy);
}

/* Length of a key before ": " or a final ':'; 0: no mapping entry. */
static inline size_t yaml_key_length(const char *content)
{
    const char *from = content[0] == '"' ? strchr(content + 1, '"') : content;

    for (; from && *from; from++)
        if (*from == ':' && (from[1] == ' ' || from[1] == '\0'))
            return (size_t)(from - content);
    return 0;
}

static inline json_t *yaml_folded(struct yaml *yaml, size_t indent)
{
    char text[4096] = "";

    while (yaml->at < yaml->count && yaml->lines[yaml->at].indent > indent) {
        const char *content = yaml->lines[yaml->at++].content;
        if (strlen(text) + strlen(content) + 2 > sizeof text)
            yaml_fail(yaml, "folded scalar too long");
        if (text[0])
            strcat(text, " ");
        strcat(text, content);
    }
    return json_string(text);
}

static inline json_t *yaml_block(struct yaml *yaml)
{
    size_t indent = yaml->lines[yaml->at].indent;
    bool sequence = strncmp(yaml->lines[yaml->at].content, "- ", 2) == 0;
    json_t *block = sequence ? json_array() : json_object();

    while (yaml->at < yaml->count && yaml->lines[yaml->at].indent == indent) {
        struct yaml_line *line = &yaml->lines[yaml->at];
        size_t length;
        if (sequence) {
            if (strncmp(line->content, "- ", 2) != 0)
                yaml_fail(yaml, "a sequence goes on as something else");
            line->content += 2;
            line->indent += 2;
            if (yaml_key_length(line->content) > 0) {
                json_array_append_new(block, yaml_block(yaml));
            } else {
                json_array_append_new(block, yaml_scalar(yaml, line->content, strlen(line->content)));
                yaml->at++;
            }
            continue;
        }
        length = yaml_key_length(line->content);
        if (length == 0)
            yaml_fail(yaml, "no key");
        const char *rest = line->content + length + 1 + strspn(line->content + length + 1, " ");
        json_t *key = yaml_scalar(yaml, line->content, length), *value;
        char name[128];
        if (json_is_string(key))
            (void)snprintf(name, sizeof name, "%s", json_string_value(key));
        else
            yaml_fail(yaml, "a key that is no string");
        json_decref(key);
        if (json_object_get(block, name))
            yaml_fail(yaml, "key is there twice");
        yaml->at++;
        if (strcmp(rest, ">-") == 0)
            value = yaml_folded(yaml, indent);
        else if (*rest)
            value = yaml_scalar(yaml, rest, strlen(rest));
        else if (yaml->at < yaml->count && yaml->lines[yaml->at].indent > indent)
            value = yaml_block(yaml);
        else
            value = json_null();
        json_object_set_new(block, name, value);
    }
    if (yaml->at < yaml->count && yaml->lines[yaml->at].indent > indent)
        yaml_fail(yaml, "indented too far");
    return block;
}

static inline json_t *yaml_load_file(const char *path)
{
    struct yaml yaml = { 0 };
    FILE *file = fopen(path, "r");
    size_t size = 1 << 20, length, number = 0;
    json_t *root;

    if (!file) {
        fail_msg("cannot open %s", path);
        return NULL;
    }
    yaml.text = malloc(size);
    length = fread(yaml.text, 1, size - 1, file);
    (void)fclose(file);
    yaml.text[length] = '\0';
    yaml.lines = calloc(length + 1, sizeof *yaml.lines);
    for (char *line = yaml.text, *next; line; line = next) {
        size_t indent = strspn(line, " ");
        number++;
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (line[indent] == '\0' || line[indent] == '#')
            continue;
        yaml.lines[yaml.count++] = (struct yaml_line){ .indent = indent, .number = number, .content = line + indent };
    }
    root = yaml_block(&yaml);
    if (yaml.at != yaml.count)
        yaml_fail(&yaml, "what is this line?");
    free(yaml.lines);
    free(yaml.text);
    return root;
}

#endif
