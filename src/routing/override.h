/* SPDX-License-Identifier: Apache-2.0
 *
 * override.h - numbers that belong to another network than their prefix says, as ported ones do: what to price them by.
 *
 * Read from CSV files with the columns number, as and note (docs/routes.md). A table never changes once it is read.
 * Ownership: as route.h. */
#ifndef CELLPOST_ROUTING_OVERRIDE_H
#define CELLPOST_ROUTING_OVERRIDE_H

#include <stddef.h>
#include <stdint.h>

#include "src/routing/table.h"

#define OVERRIDE_FILES_MAX 1024
#define OVERRIDE_ROWS_MAX 1000000        /* of all files */
#define OVERRIDE_NOTE_MAX 256
#define OVERRIDE_DIGITS_MIN 7            /* of a number: no country has shorter ones with its code */

struct override_table;

/* Reads all files. On success *ret_table is a new table. -EINVAL: notes say why; -ENOMEM; either way *ret_table is as it
 * was. notes are emptied first. */
int override_parse(const struct table_file *files, size_t count, struct override_table **ret_table, struct table_notes *notes);
void override_free(struct override_table *table);   /* accepts NULL */
size_t override_count(const struct override_table *table);
size_t override_bytes(const struct override_table *table);   /* of memory */

/* The digits to look up prices and bundles by, packed by digits_pack() as to_key is: to_key itself where the table, which
 * may be NULL, does not have the number. Not for short codes. */
uint64_t override_find(const struct override_table *table, uint64_t to_key);

#endif
