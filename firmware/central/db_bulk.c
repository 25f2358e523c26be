/* SPDX-License-Identifier: Apache-2.0
 *
 * db_bulk.c - the binary format of arrays is that of array_recv() in PostgreSQL: the number of dimensions, whether there are NULLs,
 * the type of the elements, for each dimension its length and first index, then each element behind its length; all in 32 bits,
 * the highest octet first. */
#include "firmware/central/db_bulk.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_OCTETS 20
enum { TYPE_BYTES = 17, TYPE_NUMBER = 20, TYPE_TEXT = 25 };   /* bytea, int8, text: src/include/catalog/pg_type.dat */

static const struct { const char *array; uint32_t type; } types[] = {
    [FIELD_NUMBER] = { "bigint[]", TYPE_NUMBER }, [FIELD_BYTES] = { "bytea[]", TYPE_BYTES },     [FIELD_CHARS] = { "text[]", TYPE_TEXT },
    [FIELD_TEXT] = { "text[]", TYPE_TEXT },       [FIELD_COUNTED] = { "bytea[]", TYPE_BYTES },
};

static void put(char *at, uint64_t value, unsigned octets)
{
    for (unsigned i = octets; i-- > 0; value >>= 8)
        at[i] = (char)(value & 0xFF);
}

static size_t element_octets(const struct db_value *value)
{
    return 4 + (value->kind == DB_NUMBER ? 8 : value->length);
}

static int reserve(struct db_bulk_column *column, size_t more)
{
    size_t wanted = column->length + more;
    size_t size = column->size > 0 ? column->size : 4096;
    char *octets;

    if (wanted > INT_MAX / 2)
        return -ENOMEM;
    if (wanted <= column->size)
        return 0;
    while (size < wanted)
        size *= 2;
    octets = realloc(column->octets, size);
    if (!octets)
        return -ENOMEM;
    column->octets = octets;
    column->size = size;
    return 0;
}

int db_bulk_add(struct db_bulk *bulk, const struct db_table *table, const struct db_value *values)
{
    if (bulk->rows == 0)
        for (size_t i = 0; i < table->count; i++)
            bulk->columns[i].length = HEADER_OCTETS;
    for (size_t i = 0; i < table->count; i++)
        if (reserve(&bulk->columns[i], element_octets(&values[i])) < 0)
            return -ENOMEM;
    for (size_t i = 0; i < table->count; i++) {
        struct db_bulk_column *column = &bulk->columns[i];
        char *at = column->octets + column->length;

        put(at, element_octets(&values[i]) - 4, 4);
        if (values[i].kind == DB_NUMBER)
            put(at + 4, (uint64_t)values[i].number, 8);
        else if (values[i].length > 0)
            memcpy(at + 4, values[i].bytes, values[i].length);
        column->length += element_octets(&values[i]);
    }
    bulk->rows++;
    return 0;
}

bool db_bulk_is_full(const struct db_bulk *bulk, const struct db_table *table)
{
    for (size_t i = 0; bulk->rows > 0 && i < table->count; i++)
        if (bulk->columns[i].length >= DB_BULK_OCTETS_MAX)
            return true;
    return bulk->rows >= DB_BULK_ROWS_MAX;
}

void db_bulk_arrays(struct db_bulk *bulk, const struct db_table *table, const char *ret_arrays[DB_FIELDS_MAX], int ret_lengths[DB_FIELDS_MAX])
{
    assert(bulk->rows > 0);
    for (size_t i = 0; i < table->count; i++) {
        char *header = bulk->columns[i].octets;

        put(header, 1, 4);
        put(header + 4, 0, 4);
        put(header + 8, types[table->fields[i].kind].type, 4);
        put(header + 12, bulk->rows, 4);
        put(header + 16, 1, 4);
        ret_arrays[i] = header;
        ret_lengths[i] = (int)bulk->columns[i].length;
    }
}

void db_bulk_clear(struct db_bulk *bulk)
{
    bulk->rows = 0;
}

void db_bulk_free(struct db_bulk *bulk)
{
    for (size_t i = 0; i < DB_FIELDS_MAX; i++)
        free(bulk->columns[i].octets);
    memset(bulk, 0, sizeof *bulk);
}

void db_bulk_text(const struct db_table *table, char ret_text[DB_STATEMENT_CHARS])
{
    size_t length = (size_t)snprintf(ret_text, DB_STATEMENT_CHARS, "INSERT INTO %s(", table->name);

    for (size_t i = 0; i < table->count; i++)
        length += (size_t)snprintf(ret_text + length, DB_STATEMENT_CHARS - length, i > 0 ? ",%s" : "%s", table->fields[i].name);
    length += (size_t)snprintf(ret_text + length, DB_STATEMENT_CHARS - length, ") SELECT * FROM unnest(");
    for (size_t i = 0; i < table->count; i++)
        length += (size_t)snprintf(ret_text + length, DB_STATEMENT_CHARS - length, i > 0 ? ",$%zu::%s" : "$%zu::%s", i + 1,
                                   types[table->fields[i].kind].array);
    length += (size_t)snprintf(ret_text + length, DB_STATEMENT_CHARS - length, ")");
    assert(length < DB_STATEMENT_CHARS);
}
