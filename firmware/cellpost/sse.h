/* SPDX-License-Identifier: Apache-2.0
 *
 * sse.h - server-sent events (HTML standard, 9.2.6 "interpreting an event stream") out of bytes, in pieces of any size.
 *
 * An event whose data passes SSE_DATA_MAX is dropped whole and counted. No I/O here. */
#ifndef CELLPOST_CLI_SSE_H
#define CELLPOST_CLI_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SSE_LINE_MAX (256u << 10)
#define SSE_DATA_MAX (512u << 10)
#define SSE_ID_MAX 64
#define SSE_NAME_MAX 32

struct sse_event { const char *id, *name, *data; size_t data_length; };   /* strings live until the next feed */

struct sse_parser {
    char *line, *data;                  /* grown on demand */
    size_t line_length, line_room, data_length, data_room;
    char id[SSE_ID_MAX], name[SSE_NAME_MAX], event_name[SSE_NAME_MAX];
    bool after_cr, begun, overlong, data_seen;
    uint64_t dropped;
};

/* A parser is all zero bytes before its first use. */
void sse_done(struct sse_parser *parser);

/* Takes bytes up to and including the next event; returns how many it used. *ret_ready says whether an event came. */
size_t sse_feed(struct sse_parser *parser, const char *bytes, size_t length, struct sse_event *ret_event, bool *ret_ready);

#endif
