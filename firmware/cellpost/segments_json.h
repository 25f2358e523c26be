/* SPDX-License-Identifier: Apache-2.0
 *
 * segments_json.h - how a text divides, as JSON: `cellpost segments --json`. Fields are those of
 * tests/vectors/segments.jsonl, and what else the plan knows. */
#ifndef CELLPOST_CLI_SEGMENTS_JSON_H
#define CELLPOST_CLI_SEGMENTS_JSON_H

#include <jansson.h>

#include "src/sms/sms_split.h"

/* The same text with an 8-bit and with a 16-bit reference. A message may have more than 255 parts here, to be shown. */
struct segments { struct sms_split with_ref8, with_ref16; };

/* As sms_split(); options->ref16 and ->parts_max do not matter. On success segments_done() frees both plans. */
int segments_plan(const char *text, size_t length, const struct sms_split_options *options, struct segments *ret_segments,
                  uint32_t *ret_at, const char **ret_error);
void segments_done(struct segments *segments);

/* A new object. ref16 says which plan the alphabet, the texts and the rest are of; "parts" and "segments" are always of
 * the 8-bit reference, "parts_ref16" and "segments_ref16" of the other. */
json_t *segments_json(const struct segments *segments, bool ref16);

#endif
