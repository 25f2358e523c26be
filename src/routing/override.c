/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/override.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/digits.h"

enum column { COLUMN_NUMBER, COLUMN_AS, COLUMN_NOTE, COLUMN_COUNT };
static const struct table_column columns[COLUMN_COUNT] = { { "number", true }, { "as", true }, { "note", false } };

/* Numbers in ascending order; the i-th is priced by the i-th of as. */
struct override_table { size_t count, bytes; uint64_t *as; uint64_t numbers[]; };

/* One row, while a table is made. */
struct entry { uint64_t number, as; uint32_t line; uint16_t file; };

struct reader {
    struct table table;
    struct entry *entries; uint32_t count, size;
};

static bool read_digits(struct reader *reader, enum column column, const char *value, size_t digits_min, const char *allowed, uint64_t *ret_key)
{
    const char *digits = column == COLUMN_NUMBER && *value == '+' ? value + 1 : value;
    size_t length = strlen(digits), used;

    *ret_key = digits_pack(digits, length, &used);
    if (*value == '\0') {
        table_note(&reader->table, column, "is missing (allowed: %s)", allowed);
        return false;
    }
    if (used < length && !(length > DIGITS_MAX && used == DIGITS_MAX && strspn(digits, "0123456789") == length))
        return table_refuse(&reader->table, column, value, "has something else than digits", allowed);
    if (used < length)
        return table_refuse(&reader->table, column, value, "has too many digits", allowed);
    if (length < digits_min)
        return table_refuse(&reader->table, column, value, "has too few digits", allowed);
    if (*digits == '0')
        return table_refuse(&reader->table, column, value, "begins with 0, as no country code does", allowed);
    return true;
}

/* -ENOSPC: a bound is reached, and noted. */
static int read_row(struct reader *reader, uint16_t file)
{
    struct entry entry = { .line = reader->table.row.line, .file = file };
    const char *note = table_value(&reader->table, COLUMN_NOTE);
    bool good = read_digits(reader, COLUMN_NUMBER, table_value(&reader->table, COLUMN_NUMBER), OVERRIDE_DIGITS_MIN,
                            "7 to 15 digits of an international number, with or without '+'", &entry.number);

    good = read_digits(reader, COLUMN_AS, table_value(&reader->table, COLUMN_AS), 1, "1 to 15 digits of an international number without '+'",
                       &entry.as) && good;
    if (strlen(note) >= OVERRIDE_NOTE_MAX)
        good = table_refuse(&reader->table, COLUMN_NOTE, note, "is too long", "up to 255 octets");
    if (!good)
        return 0;
    if (reader->count == OVERRIDE_ROWS_MAX) {
        table_note_at(reader->table.notes, reader->table.file->name, reader->table.row.line, NULL,
                      "is one row too many (allowed: 1000000 in all files)");
        return -ENOSPC;
    }
    if (reader->count == reader->size) {
        uint32_t size = reader->size > 0 ? reader->size * 2 : 64;
        struct entry *entries = realloc(reader->entries, size * sizeof *entries);

        if (!entries)
            return -ENOMEM;
        reader->entries = entries;
        reader->size = size;
    }
    reader->entries[reader->count++] = entry;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Noted at the row that was read later, in the order of numbers. */
static void check_numbers(const struct reader *reader, const struct table_file *files, struct table_notes *notes)
{
    uint32_t first = 0;                  /* of those alike */

    for (uint32_t i = 1; i < reader->count && notes->more < TABLE_ERRORS_MAX; i++) {
        const struct entry *entry = &reader->entries[i], *other = &reader->entries[first];
        char digits[DIGITS_CHARS];

        digits_text(entry->number, digits);
        if (entry->number == other->number)
            table_note_at(notes, files[entry->file].name, entry->line, columns[COLUMN_NUMBER].name,
                          "'%s' is there already by %.128s:%lu (allowed: one row)",
                          digits, files[other->file].name, (unsigned long)other->line);
        else
            first = i;
    }
}

static struct override_table *table_of(const struct entry *entries, size_t count)
{
    size_t bytes = sizeof(struct override_table) + 2 * count * sizeof entries->number;
    struct override_table *table = malloc(bytes);

    if (!table)
        return NULL;
    table->count = count;
    table->bytes = bytes;
    table->as = table->numbers + count;
    for (size_t i = 0; i < count; i++) {
        table->numbers[i] = entries[i].number;
        table->as[i] = entries[i].as;
    }
    return table;
}

int override_parse(const struct table_file *files, size_t count, struct override_table **ret_table, struct table_notes *notes)
{
    struct reader *reader = calloc(1, sizeof *reader);
    struct override_table *table;
    int r = 0;

    notes->count = notes->more = 0;
    if (!reader)
        return -ENOMEM;
    if (count > OVERRIDE_FILES_MAX) {
        table_note_at(notes, files[OVERRIDE_FILES_MAX].name, 0, NULL, "is one file too many (allowed: 1024)");
        r = -EINVAL;
        goto out;
    }
    for (size_t file = 0; file < count && r == 0; file++) {
        if (table_open(&reader->table, &files[file], columns, COLUMN_COUNT, notes) < 0)
            continue;
        while (r == 0 && table_next(&reader->table))
            r = read_row(reader, (uint16_t)file);
    }
    if (r == -ENOMEM)
        goto out;
    if (reader->count > 0)
        qsort(reader->entries, reader->count, sizeof *reader->entries, by_number);
    check_numbers(reader, files, notes);
    r = notes->count > 0 ? -EINVAL : 0;
    if (r < 0)
        goto out;
    table = table_of(reader->entries, reader->count);
    if (table)
        *ret_table = table;
    else
        r = -ENOMEM;
out:
    free(reader->entries);
    free(reader);
    return r;
}

void override_free(struct override_table *table)
{
    free(table);
}

size_t override_count(const struct override_table *table)
{
    return table->count;
}

size_t override_bytes(const struct override_table *table)
{
    return table->bytes;
}

uint64_t override_find(const struct override_table *table, uint64_t to_key)
{
    size_t first = 0, count = table ? table->count : 0;

    while (count > 0) {
        size_t half = count / 2;

        if (table->numbers[first + half] < to_key) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return table && first < table->count && table->numbers[first] == to_key ? table->as[first] : to_key;
}
