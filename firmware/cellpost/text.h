/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h - text from outside made fit for a terminal: escaped, measured in columns, cut to a width.
 *
 * An SMS may hold an escape sequence that rewrites the screen, a line end that forges a log line, or a mark that turns
 * a number around (facts: threat 7). Nothing from outside is printed without passing here.
 * Widths are those of wcwidth(), so the program must have called setlocale() with a UTF-8 locale. */
#ifndef CELLPOST_CLI_TEXT_H
#define CELLPOST_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum text_lines { TEXT_ONE_LINE, TEXT_KEEP_LINES };

/* Controls, bidirectional marks, line separators and octets that are no UTF-8 become \n, \x1b, \u202e; a backslash is
 * doubled, so that what is read is unambiguous. TEXT_KEEP_LINES leaves "\n" as it is, for a caller who indents each line.
 * malloc'ed and the caller's; NULL: no memory. */
char *text_escape(const char *text, size_t length, enum text_lines lines);

/* The same characters inside JSON, where jansson leaves those above U+001F alone: becomes \u009b. The JSON stays equal:
 * such characters only stand inside its strings. malloc'ed; NULL: no memory. */
char *text_escape_json(const char *json, size_t length);

/* Columns that escaped text takes on a terminal. */
size_t text_width(const char *text);

/* Octets of the longest beginning of text that takes at most `columns`; *ret_columns is what it takes. */
size_t text_fit(const char *text, size_t columns, size_t *ret_columns);

#endif
