/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/sse.h"

#include "firmware/cellpost/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sse_done(struct sse_parser *parser)
{
    free(parser->line);
    free(parser->data);
    *parser = (struct sse_parser){ 0 };
}

static bool buffer_append(char **buffer, size_t *length, size_t *room, const char *bytes, size_t count, size_t max)
{
    if (*length + count > max)
        return false;
    if (*length + count + 1 > *room) {
        *room = (*length + count + 1) * 2;
        *buffer = memory_resize(*buffer, *room, 1);
    }
    memcpy(*buffer + *length, bytes, count);
    *length += count;
    (*buffer)[*length] = '\0';
    return true;
}

/* A field that is too long for its place counts as not given, never as a shortened other one. */
static void keep_field(char *field, size_t size, const char *value)
{
    if (strlen(value) < size)
        (void)snprintf(field, size, "%s", value);
}

static void parse_field(struct sse_parser *parser, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    size_t name_length = colon != NULL ? (size_t)(colon - line) : length;
    const char *value = colon != NULL ? colon + 1 : line + length;

    if (*value == ' ')
        value++;
    size_t value_length = length - (size_t)(value - line);

    if (name_length == 4 && memcmp(line, "data", 4) == 0) {
        parser->data_seen = true;
        if (!buffer_append(&parser->data, &parser->data_length, &parser->data_room, value, value_length, SSE_DATA_MAX) ||
            !buffer_append(&parser->data, &parser->data_length, &parser->data_room, "\n", 1, SSE_DATA_MAX))
            parser->overlong = true;
    } else if (name_length == 5 && memcmp(line, "event", 5) == 0) {
        keep_field(parser->name, sizeof parser->name, value);
    } else if (name_length == 2 && memcmp(line, "id", 2) == 0 && memchr(value, '\0', value_length) == NULL) {
        keep_field(parser->id, sizeof parser->id, value);
    }
}

/* An empty line ends an event. Returns true where there is one to hand over. */
static bool end_event(struct sse_parser *parser, struct sse_event *ret_event)
{
    bool ready = parser->data_seen && !parser->overlong;

    parser->dropped += parser->overlong;
    if (ready) {
        parser->data[--parser->data_length] = '\0';   /* the line end after the last data line */
        (void)snprintf(parser->event_name, sizeof parser->event_name, "%s", parser->name[0] != '\0' ? parser->name : "message");
        *ret_event = (struct sse_event){ parser->id, parser->event_name, parser->data, parser->data_length };
    }
    parser->name[0] = '\0';
    parser->data_length = 0;
    parser->data_seen = parser->overlong = false;
    return ready;
}

static bool end_line(struct sse_parser *parser, struct sse_event *ret_event)
{
    const char *line = parser->line != NULL ? parser->line : "";
    size_t length = parser->line_length;

    if (!parser->begun && length >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
        line += 3;
        length -= 3;
    }
    parser->begun = true;
    parser->line_length = 0;
    if (length == 0)
        return end_event(parser, ret_event);
    if (line[0] != ':')
        parse_field(parser, line, length);
    return false;
}

size_t sse_feed(struct sse_parser *parser, const char *bytes, size_t length, struct sse_event *ret_event, bool *ret_ready)
{
    *ret_ready = false;
    for (size_t at = 0; at < length && !*ret_ready;) {
        bool second_half = parser->after_cr && bytes[at] == '\n';   /* CR LF is one line end, also when cut between the two */
        parser->after_cr = false;
        if (second_half) {
            at++;
            continue;
        }
        size_t rest = 0;
        while (at + rest < length && bytes[at + rest] != '\n' && bytes[at + rest] != '\r')
            rest++;
        if (!buffer_append(&parser->line, &parser->line_length, &parser->line_room, bytes + at, rest, SSE_LINE_MAX))
            parser->overlong = true;
        at += rest;
        if (at == length)
            return at;
        parser->after_cr = bytes[at] == '\r';
        at++;
        *ret_ready = end_line(parser, ret_event);
        if (*ret_ready)
            return at;
    }
    return length;
}
