/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h - rows and columns that line up on a terminal.
 *
 * Every cell is escaped when it is added, so that no verb can forget it. Columns are as wide as their widest cell; where
 * the terminal is narrower, the flexible column is cut and ends with an ellipsis. Into a file or a pipe nothing is cut.
 * Ownership: texts are copied. Without memory the program ends (cli.h). */
#ifndef CELLPOST_CLI_TABLE_H
#define CELLPOST_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum table_style { TABLE_PLAIN, TABLE_GOOD, TABLE_WARN, TABLE_BAD, TABLE_DIM, TABLE_BOLD };

/* "\033[32m" and so on; "" for plain. Ends with TABLE_STYLE_END. */
const char *table_style_begin(enum table_style style);
#define TABLE_STYLE_END "\033[0m"

#define TABLE_COLUMNS_MAX 16

struct table_column { const char *title; bool right, flexible; };

struct table;
/* The columns must outlive the table. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table);

/* Cells are added row by row, from the left; NULL and "" are shown as "-". */
void table_add(struct table *table, const char *text, enum table_style style);
void table_addf(struct table *table, enum table_style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t table_rows(const struct table *table);

/* width: columns of the terminal, 0: no limit. Returns malloc'ed lines, each ended by "\n". */
char *table_render(const struct table *table, size_t width, bool color, bool header);

#endif
