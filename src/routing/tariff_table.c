/* SPDX-License-Identifier: Apache-2.0
 *
 * tariff_table.c - the memory of a table, and the way to what is in it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/routing/tariff_internal.h"

struct tariff_table *tariff_table_new(const struct table_file *files, size_t count)
{
    struct tariff_table *table = calloc(1, sizeof *table);

    if (!table)
        return NULL;
    table->plans = calloc(TARIFF_PLANS_MAX, sizeof *table->plans);
    table->plan_slots = calloc(PLAN_SLOTS, sizeof *table->plan_slots);
    table->files = calloc(count + 1, sizeof *table->files);
    if (!table->plans || !table->plan_slots || !table->files)
        goto fail;
    table->bytes = sizeof *table + TARIFF_PLANS_MAX * sizeof *table->plans + PLAN_SLOTS * sizeof *table->plan_slots +
                   (count + 1) * sizeof *table->files;
    for (; table->file_count < count; table->file_count++) {
        table->files[table->file_count] = texts_keep(&table->texts, files[table->file_count].name);
        if (!table->files[table->file_count])
            goto fail;
    }
    return table;
fail:
    tariff_free(table);
    return NULL;
}

void tariff_free(struct tariff_table *table)
{
    if (!table)
        return;
    for (uint32_t i = 0; table->plans && i < table->plan_count; i++) {
        prefix_set_free(table->plans[i].rates.set);
        prefix_set_free(table->plans[i].bundles.set);
        free(table->plans[i].rates.first);
        free(table->plans[i].bundles.first);
    }
    texts_free(&table->texts);
    free(table->plans);
    free(table->plan_slots);
    free(table->rows);
    free(table->ordered);
    free(table->files);
    free(table);
}

struct tariff_row *tariff_table_row(struct tariff_table *table)
{
    if (table->row_count == table->row_size) {
        uint32_t size = table->row_size > 0 ? table->row_size * 2 : 64;
        struct tariff_row *rows = realloc(table->rows, size * sizeof *rows);

        if (!rows)
            return NULL;
        table->bytes += (size - table->row_size) * sizeof *rows;
        table->rows = rows;
        table->row_size = size;
    }
    memset(&table->rows[table->row_count], 0, sizeof table->rows[0]);
    return &table->rows[table->row_count++];
}

/* Where the plan of this name is, or would be. */
static uint16_t *plan_slot(const struct tariff_table *table, const char *name)
{
    uint32_t hash = 2166136261u;   /* FNV-1a */

    for (const char *at = name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    for (;; hash++) {
        uint16_t *slot = &table->plan_slots[hash % PLAN_SLOTS];

        if (*slot == 0 || strcmp(table->plans[*slot - 1].name, name) == 0)
            return slot;
    }
}

int tariff_table_plan(struct tariff_table *table, const char *name)
{
    uint16_t *slot = plan_slot(table, name);

    if (*slot == 0) {
        struct tariff_plan *plan = &table->plans[table->plan_count];

        if (table->plan_count == TARIFF_PLANS_MAX)
            return -ENOSPC;
        plan->name = texts_keep(&table->texts, name);
        if (!plan->name)
            return -ENOMEM;
        plan->table = table;
        *slot = (uint16_t)++table->plan_count;
    }
    return *slot - 1;
}

size_t tariff_row_count(const struct tariff_table *table)
{
    return table->row_count;
}

const struct tariff_row *tariff_row_at(const struct tariff_table *table, size_t index)
{
    assert(index < table->row_count);
    return &table->rows[index];
}

const char *tariff_file_name(const struct tariff_table *table, uint16_t file)
{
    assert(file < table->file_count);
    return table->files[file];
}

size_t tariff_plan_count(const struct tariff_table *table)
{
    return table->plan_count;
}

const struct tariff_plan *tariff_plan_at(const struct tariff_table *table, size_t index)
{
    assert(index < table->plan_count);
    return &table->plans[index];
}

size_t tariff_bytes(const struct tariff_table *table)
{
    return table->bytes + table->texts.bytes;
}

const struct tariff_plan *tariff_find_plan(const struct tariff_table *table, const char *name)
{
    uint16_t slot = *plan_slot(table, name);

    return slot > 0 ? &table->plans[slot - 1] : NULL;
}

const char *tariff_plan_name(const struct tariff_plan *plan)
{
    return plan->name;
}

const char *tariff_plan_currency(const struct tariff_plan *plan)
{
    return plan->currency;
}
