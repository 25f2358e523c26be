/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/table.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_OCTETS 48

static void __attribute__((format(printf, 5, 0)))
note(struct table_notes *notes, const char *file, uint32_t line, const char *column, const char *format, va_list arguments)
{
    char sentence[384], number[16] = "", name[TABLE_SHOWN_CHARS];

    if (notes->count == TABLE_NOTES_MAX) {
        notes->more++;
        return;
    }
    if (line > 0)
        (void)snprintf(number, sizeof number, "%lu:", (unsigned long)line);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    (void)snprintf(notes->text[notes->count++], TABLE_NOTE_MAX, "%.128s:%s%s%s %s", file, number, column ? table_shown(column, name) : "",
                   column ? ":" : "", sentence);
}

void table_note_at(struct table_notes *notes, const char *file, uint32_t line, const char *column, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(notes, file, line, column, format, arguments);
    va_end(arguments);
}

void table_note(struct table *table, size_t column, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(table->notes, table->file->name, table->row.line, table->columns[column].name, format, arguments);
    va_end(arguments);
}

const char *table_shown(const char *text, char ret_text[TABLE_SHOWN_CHARS])
{
    size_t length = 0;

    for (; text[length] != '\0' && length < SHOWN_OCTETS; length++)
        ret_text[length] = (unsigned char)text[length] < 0x20 || text[length] == 0x7F ? '?' : text[length];
    /* Not through the middle of a character. */
    while (text[length] != '\0' && length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    (void)snprintf(ret_text + length, TABLE_SHOWN_CHARS - length, "%s", text[length] != '\0' ? "..." : "");
    return ret_text;
}

bool table_refuse(struct table *table, size_t column, const char *value, const char *wrong, const char *allowed)
{
    char text[TABLE_SHOWN_CHARS];

    table_note(table, column, "'%s' %s (allowed: %s)", table_shown(value, text), wrong, allowed);
    return false;
}

int table_word(const char *const *words, int count, const char *value)
{
    int i = 0;

    while (i < count && strcmp(words[i], value) != 0)
        i++;
    return i;
}

static const char *column_names(const struct table *table, char ret_text[256])
{
    size_t put = 0;

    ret_text[0] = '\0';
    for (size_t i = 0; i < table->column_count && put < 256; i++)
        put += (size_t)snprintf(ret_text + put, 256 - put, "%s%s", i > 0 ? ", " : "", table->columns[i].name);
    return ret_text;
}

static void read_header(struct table *table)
{
    const char *file = table->file->name;
    uint32_t line = table->row.line;
    char names[256];

    table->width = table->row.count;
    for (unsigned field = 0; field < table->row.count; field++) {
        const char *name = table->row.fields[field];
        size_t column = 0;

        while (column < table->column_count && strcmp(table->columns[column].name, name) != 0)
            column++;
        if (column == table->column_count)
            table_note_at(table->notes, file, line, name, "unknown column (allowed: %s)", column_names(table, names));
        else if (table->field_of[column] >= 0)
            table_note_at(table->notes, file, line, name, "is a column twice");
        else
            table->field_of[column] = (signed char)field;
    }
    for (size_t column = 0; column < table->column_count; column++)
        if (table->columns[column].required && table->field_of[column] < 0)
            table_note_at(table->notes, file, line, table->columns[column].name, "the header does not have this column, which it needs");
}

int table_open(struct table *table, const struct table_file *file, const struct table_column *columns, size_t column_count,
               struct table_notes *notes)
{
    unsigned errors = notes->count + notes->more;
    char names[256];
    int r;

    assert(column_count <= TABLE_COLUMNS_MAX);
    table->file = file;
    table->columns = columns;
    table->column_count = column_count;
    table->notes = notes;
    memset(table->field_of, -1, sizeof table->field_of);
    csv_init(&table->csv, file->text, file->length);
    r = csv_next(&table->csv, &table->row);
    if (r == 0)
        table_note_at(notes, file->name, 0, NULL, "has no header (a line with the names of its columns: %s)", column_names(table, names));
    else if (r < 0)
        table_note_at(notes, file->name, table->row.line, NULL, "the header %s", table->row.wrong);
    else
        read_header(table);
    return notes->count + notes->more > errors ? -EINVAL : 0;
}

bool table_next(struct table *table)
{
    while (table->notes->more < TABLE_ERRORS_MAX) {
        int r = csv_next(&table->csv, &table->row);

        if (r == 0)
            return false;
        if (r > 0 && table->row.count == table->width)
            return true;
        if (r < 0)
            table_note_at(table->notes, table->file->name, table->row.line, NULL, "the row %s", table->row.wrong);
        else
            table_note_at(table->notes, table->file->name, table->row.line, NULL, "the row has %u field%s, the header has %u",
                          table->row.count, table->row.count == 1 ? "" : "s", table->width);
    }
    return false;
}

const char *table_value(const struct table *table, size_t column)
{
    return table->field_of[column] < 0 ? "" : table->row.fields[table->field_of[column]];
}
