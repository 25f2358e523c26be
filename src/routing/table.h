/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h - a CSV file with a header, read by the names of its columns; and what is wrong with it, for people.
 *
 * Columns come in any order, a column that is not known is an error. A wrong row is noted and left out, and reading goes
 * on, so that all errors of a file come at once: "tariffs.csv:12:price: '-3' is negative (allowed: ...)" has the line
 * where the row begins and the name of the column. */
#ifndef CELLPOST_ROUTING_TABLE_H
#define CELLPOST_ROUTING_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/csv.h"

#define TABLE_NOTES_MAX 20
#define TABLE_NOTE_MAX 640
#define TABLE_ERRORS_MAX 1000        /* after which the rest is not read */
#define TABLE_COLUMNS_MAX 16
#define TABLE_SHOWN_CHARS 64

/* more: how many did not fit. */
struct table_notes { char text[TABLE_NOTES_MAX][TABLE_NOTE_MAX]; unsigned count, more; };

struct table_file { const char *name, *text; size_t length; };   /* name stands for the file in notes */

struct table_column { const char *name; bool required; };

struct table {
    const struct table_file *file;
    const struct table_column *columns;
    size_t column_count;
    struct table_notes *notes;
    struct csv csv;
    unsigned width;                      /* fields of the header */
    signed char field_of[TABLE_COLUMNS_MAX];   /* of each column; -1 where the file does not have it */
    struct csv_record row;
};

/* Reads the header. All pointers must outlive the table. -EINVAL: notes say why. */
int table_open(struct table *table, const struct table_file *file, const struct table_column *columns, size_t column_count,
               struct table_notes *notes);
/* True while there is another row that has as many fields as the header. */
bool table_next(struct table *table);
/* Of this row; "" where the file does not have the column. Until table_next(). */
const char *table_value(const struct table *table, size_t column);

/* About a column of this row. */
void table_note(struct table *table, size_t column, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* line 0: about the file as a whole; column may be NULL. */
void table_note_at(struct table_notes *notes, const char *file, uint32_t line, const char *column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* "'value' wrong (allowed: ...)" about a column of this row. Returns false. */
bool table_refuse(struct table *table, size_t column, const char *value, const char *wrong, const char *allowed);
/* Which of count words it is; count: none of them. */
int table_word(const char *const *words, int count, const char *value);
/* A piece of a file as it may stand in a note: short, and without what could upset a terminal. */
const char *table_shown(const char *text, char ret_text[TABLE_SHOWN_CHARS]);

#endif
