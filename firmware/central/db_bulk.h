/* SPDX-License-Identifier: Apache-2.0
 *
 * db_bulk.h - rows of one table that go to PostgreSQL together: one array for each column, in its binary format. */
#ifndef CELLPOST_CENTRAL_DB_BULK_H
#define CELLPOST_CENTRAL_DB_BULK_H

#include "firmware/central/db_rows.h"

#define DB_BULK_ROWS_MAX 512
#define DB_BULK_OCTETS_MAX (256u << 10)      /* of one column; with it a row more */

struct db_bulk {
    size_t rows;
    struct db_bulk_column { char *octets; size_t length, size; } columns[DB_FIELDS_MAX];
};

/* -ENOMEM: the row is not in it. */
int db_bulk_add(struct db_bulk *bulk, const struct db_table *table, const struct db_value *values);
bool db_bulk_is_full(const struct db_bulk *bulk, const struct db_table *table);
/* The arrays, whole: good until the next call. */
void db_bulk_arrays(struct db_bulk *bulk, const struct db_table *table, const char *ret_arrays[DB_FIELDS_MAX], int ret_lengths[DB_FIELDS_MAX]);
void db_bulk_clear(struct db_bulk *bulk);
void db_bulk_free(struct db_bulk *bulk);

/* The statement that inserts them. Where a key is taken it fails: to look for each one before (ON CONFLICT) would take a third of the
 * time again, for what hardly ever is. */
void db_bulk_text(const struct db_table *table, char ret_text[DB_STATEMENT_CHARS]);

#endif
