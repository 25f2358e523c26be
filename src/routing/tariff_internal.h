/* SPDX-License-Identifier: Apache-2.0
 *
 * tariff_internal.h - what the files of the tariffs share; nobody else includes it. */
#ifndef CELLPOST_ROUTING_TARIFF_INTERNAL_H
#define CELLPOST_ROUTING_TARIFF_INTERNAL_H

#include "src/routing/tariff.h"
#include "src/routing/texts.h"

#define PLAN_SLOTS (2 * TARIFF_PLANS_MAX)

/* Rows by prefix: those of the i-th prefix of the set are rows[first[i]] up to before rows[first[i + 1]]. */
struct tariff_index { struct prefix_set *set; uint32_t *first; };

struct tariff_plan {
    const struct tariff_table *table;
    const char *name;
    char currency[4];
    uint32_t currency_row;               /* which said so first */
    struct tariff_index rates, bundles;  /* rates: prices and free numbers, the free ones first */
};

struct tariff_table {
    struct tariff_plan *plans; uint32_t plan_count;
    uint16_t *plan_slots;                /* open addressing by the hash of the name; index + 1, 0 free */
    struct tariff_row *rows; uint32_t row_count, row_size;
    uint32_t *ordered;                   /* rows by plan, index, prefix, kind and day */
    const char **files; size_t file_count;
    struct texts texts;
    size_t bytes;
};

/* One prefix of one row, while a table is made. */
struct tariff_entry {
    uint64_t key;
    int32_t from_day;
    uint32_t row;
    uint16_t plan;
    uint8_t of_bundle, free_first;       /* free_first: 0 a free number, 1 a price */
};

/* tariff_table.c: what grows while a table is made. NULL: no memory. */
struct tariff_table *tariff_table_new(const struct table_file *files, size_t count);
struct tariff_row *tariff_table_row(struct tariff_table *table);   /* a new one at the end, empty */
/* The index of the plan of this name, which is added if it is new. -ENOMEM, -ENOSPC: one plan too many. */
int tariff_table_plan(struct tariff_table *table, const char *name);

/* Orders the entries, notes rows that overlap and, if there are no notes, makes the indexes of all plans. -ENOMEM. */
int tariff_index_build(struct tariff_table *table, struct tariff_entry *entries, uint32_t count, struct table_notes *notes);

#endif
