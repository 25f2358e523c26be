/* SPDX-License-Identifier: Apache-2.0
 *
 * route_internal.h - what the files of the routes share; nobody else includes it. */
#ifndef CELLPOST_ROUTING_ROUTE_INTERNAL_H
#define CELLPOST_ROUTING_ROUTE_INTERNAL_H

#include "src/routing/route.h"
#include "src/routing/texts.h"

struct route_table {
    struct route *routes; uint32_t count, size;
    uint32_t number_count;               /* those of short codes are behind them */
    struct prefix_set *numbers, *short_codes;
    struct route_list **lists; uint32_t list_count, list_size;
    const struct route_list *all, *none;
    const char **files; size_t file_count;
    struct texts texts;
    size_t bytes;
};

/* The prefix of one row, while a table is made. */
struct route_entry { uint64_t key; uint32_t row; uint8_t short_code; };

extern const char *const route_selector_words[ROUTE_SELECTORS];   /* with their colon; ROUTE_SELECT_ALL: "*" */
extern const char *const route_bearer_words[ROUTE_BEARER_KINDS];

/* What grows while a table is made. NULL: no memory. */
struct route_table *route_table_new(const struct table_file *files, size_t count);
struct route *route_table_row(struct route_table *table);   /* a new one at the end, empty */
/* A new list with room for count selectors and a copy of its text. */
struct route_list *route_table_list(struct route_table *table, const char *text, unsigned count);

/* Orders the entries, one for each row, notes prefixes that are there twice and, if there are no notes, adds the default
 * route that is not there and makes the way from a number to its route. -ENOMEM. */
int route_table_build(struct route_table *table, struct route_entry *entries, uint32_t count, struct table_notes *notes);

#endif
