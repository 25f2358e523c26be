/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h - text that grows: JSON lines for the log and the control socket. Fixed shapes only, so no library. */
#ifndef CELLPOST_MODEMBANK_JSON_H
#define CELLPOST_MODEMBANK_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct json { char *text; size_t length, size; bool failed; };   /* zeroes: empty. failed: no memory, something is missing */

void json_add(struct json *json, const char *format, ...) __attribute__((format(printf, 2, 3)));
void json_add_string(struct json *json, const char *utf8);   /* quoted; lone halves of surrogate pairs become U+FFFD */
void json_done(struct json *json);

#endif
