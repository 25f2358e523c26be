/* SPDX-License-Identifier: Apache-2.0
 *
 * route_table.c - the memory of a table, the way to what is in it, and which bearers a route may use. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/routing/route_internal.h"

const char *const route_selector_words[ROUTE_SELECTORS] = {
    [ROUTE_SELECT_ALL] = "*",       [ROUTE_SELECT_TAG] = "tag:",   [ROUTE_SELECT_SIM] = "sim:",
    [ROUTE_SELECT_NAME] = "name:",  [ROUTE_SELECT_KIND] = "kind:",
};
const char *const route_bearer_words[ROUTE_BEARER_KINDS] = { "sim", "http", "smpp", "sip" };

/* -- while a table is made ------------------------------------------------------------------------------------ */

struct route_table *route_table_new(const struct table_file *files, size_t count)
{
    struct route_table *table = calloc(1, sizeof *table);
    struct route_list *all;

    if (!table)
        return NULL;
    table->files = calloc(count + 1, sizeof *table->files);
    if (!table->files)
        goto fail;
    table->bytes = sizeof *table + (count + 1) * sizeof *table->files;
    for (; table->file_count < count; table->file_count++) {
        table->files[table->file_count] = texts_keep(&table->texts, files[table->file_count].name);
        if (!table->files[table->file_count])
            goto fail;
    }
    all = route_table_list(table, route_selector_words[ROUTE_SELECT_ALL], 1);
    if (!all)
        goto fail;
    all->selectors[0] = (struct route_selector){ .kind = ROUTE_SELECT_ALL, .value = "" };
    table->all = all;
    table->none = route_table_list(table, "", 0);
    if (!table->none)
        goto fail;
    return table;
fail:
    route_free(table);
    return NULL;
}

void route_free(struct route_table *table)
{
    if (!table)
        return;
    prefix_set_free(table->numbers);
    prefix_set_free(table->short_codes);
    for (uint32_t i = 0; i < table->list_count; i++)
        free(table->lists[i]);
    texts_free(&table->texts);
    free(table->lists);
    free(table->routes);
    free(table->files);
    free(table);
}

struct route *route_table_row(struct route_table *table)
{
    if (table->count == table->size) {
        uint32_t size = table->size > 0 ? table->size * 2 : 64;
        struct route *routes = realloc(table->routes, size * sizeof *routes);

        if (!routes)
            return NULL;
        table->routes = routes;
        table->size = size;
    }
    memset(&table->routes[table->count], 0, sizeof table->routes[0]);
    return &table->routes[table->count++];
}

struct route_list *route_table_list(struct route_table *table, const char *text, unsigned count)
{
    size_t bytes = sizeof(struct route_list) + count * sizeof(struct route_selector);
    struct route_list *list;

    if (table->list_count == table->list_size) {
        uint32_t size = table->list_size > 0 ? table->list_size * 2 : 16;
        struct route_list **lists = realloc(table->lists, size * sizeof *lists);

        if (!lists)
            return NULL;
        table->bytes += (size - table->list_size) * sizeof *lists;
        table->lists = lists;
        table->list_size = size;
    }
    list = calloc(1, bytes);
    if (!list)
        return NULL;
    list->text = texts_keep(&table->texts, text);
    if (!list->text) {
        free(list);
        return NULL;
    }
    list->count = (uint8_t)count;
    table->bytes += bytes;
    table->lists[table->list_count++] = list;
    return list;
}

static int by_prefix(const void *a, const void *b)
{
    const struct route_entry *x = a, *y = b;

    if (x->short_code != y->short_code)
        return x->short_code < y->short_code ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Noted at the row that was read later, in the order of prefixes. */
static void check_prefixes(const struct route_table *table, const struct route_entry *entries, uint32_t count, struct table_notes *notes)
{
    uint32_t first = 0;                  /* of those alike */

    for (uint32_t i = 1; i < count && notes->more < TABLE_ERRORS_MAX; i++) {
        const struct route *route = &table->routes[entries[i].row], *other = &table->routes[entries[first].row];

        if (entries[i].key == entries[first].key && entries[i].short_code == entries[first].short_code)
            table_note_at(notes, table->files[route->file], route->line, "prefix", "'%s' has a route already by %.128s:%lu (allowed: one row)",
                          route->prefix, table->files[other->file], (unsigned long)other->line);
        else
            first = i;
    }
}

int route_table_build(struct route_table *table, struct route_entry *entries, uint32_t count, struct table_notes *notes)
{
    struct route *routes = NULL;
    uint64_t *keys = NULL;
    uint32_t at = 0, added;
    int r = 0;

    if (count > 0)
        qsort(entries, count, sizeof *entries, by_prefix);
    check_prefixes(table, entries, count, notes);
    if (notes->count > 0)
        return 0;
    assert(count == table->count);
    added = count == 0 || entries[0].short_code || entries[0].key != 0;
    routes = malloc((count + (size_t)1) * sizeof *routes);
    keys = malloc((count + (size_t)1) * sizeof *keys);
    if (!routes || !keys) {
        r = -ENOMEM;
        goto out;
    }
    if (added > 0) {
        keys[at] = 0;
        routes[at++] = (struct route){
            .implicit = true, .fixed_lines = ROUTE_AS_CONFIGURED, .sticky = ROUTE_AS_CONFIGURED, .patience_s = ROUTE_PATIENCE_UNSET,
            .max_price_micro = ROUTE_PRICE_UNBOUND, .prefix = "*", .note = "", .bearers = table->all,
        };
    }
    for (uint32_t i = 0; i < count; i++, at++) {
        keys[at] = entries[i].key;
        routes[at] = table->routes[entries[i].row];
        table->number_count += !entries[i].short_code;
    }
    table->number_count += added;
    r = prefix_set_new(keys, table->number_count, &table->numbers);
    if (r == 0)
        r = prefix_set_new(keys + table->number_count, at - table->number_count, &table->short_codes);
    if (r < 0)
        goto out;
    table->bytes += prefix_bytes(table->numbers) + prefix_bytes(table->short_codes) + (count + (size_t)1) * sizeof *routes;
    free(table->routes);
    table->routes = routes;
    table->count = at;
    table->size = count + 1;
    routes = NULL;
out:
    free(routes);
    free(keys);
    return r;
}

/* -- what is in it -------------------------------------------------------------------------------------------- */

size_t route_count(const struct route_table *table)
{
    return table->count;
}

const struct route *route_at(const struct route_table *table, size_t index)
{
    assert(index < table->count);
    return &table->routes[index];
}

const char *route_file_name(const struct route_table *table, uint16_t file)
{
    assert(file < table->file_count);
    return table->files[file];
}

size_t route_bytes(const struct route_table *table)
{
    return table->bytes + table->texts.bytes;
}

uint32_t route_find_key(const struct route_table *table, uint64_t to_key, bool short_code)
{
    uint32_t found;

    if (!short_code)
        return prefix_match_key(table->numbers, to_key);
    found = prefix_match_key(table->short_codes, to_key);
    return found == PREFIX_NONE ? ROUTE_DEFAULT : table->number_count + found;
}

const struct prefix_set *route_prefixes(const struct route_table *table, bool short_code)
{
    return short_code ? table->short_codes : table->numbers;
}

/* -- bearers -------------------------------------------------------------------------------------------------- */

bool route_selects(const struct route_selector *selector, const struct route_bearer *bearer)
{
    switch (selector->kind) {
    case ROUTE_SELECT_ALL:
        return true;
    case ROUTE_SELECT_TAG:
        for (size_t i = 0; i < bearer->tag_count; i++)
            if (strcmp(bearer->tags[i], selector->value) == 0)
                return true;
        return false;
    case ROUTE_SELECT_SIM:
        return bearer->kind == ROUTE_SIM && strcmp(bearer->id, selector->value) == 0;
    case ROUTE_SELECT_NAME:
        return (bearer->name && strcmp(bearer->name, selector->value) == 0) ||
               (bearer->kind != ROUTE_SIM && strcmp(bearer->id, selector->value) == 0);
    case ROUTE_SELECT_KIND:
        return bearer->kind == selector->bearer_kind;
    case ROUTE_SELECTORS:
        break;
    }
    return false;
}

/* The place of the first selector that selects the bearer; list->count: none does. */
static uint8_t place(const struct route_list *list, const struct route_bearer *bearer)
{
    uint8_t i = 0;

    while (i < list->count && !route_selects(&list->selectors[i], bearer))
        i++;
    return i;
}

enum route_verdict route_judge(const struct route *route, const struct route_bearer *bearer, uint8_t *ret_rank)
{
    uint8_t listed = place(route->bearers, bearer);

    if (listed == route->bearers->count)
        return ROUTE_NOT_LISTED;
    if (route->deny && place(route->deny, bearer) < route->deny->count)
        return ROUTE_DENIED;
    if (route->order == ROUTE_AS_LISTED)
        *ret_rank = listed;
    else
        *ret_rank = route->prefer && place(route->prefer, bearer) == route->prefer->count;
    return ROUTE_ALLOWED;
}

void route_check(const struct route_table *table, const struct route_bearer *bearers, size_t count, struct table_notes *notes)
{
    notes->count = notes->more = 0;
    for (uint32_t i = 0; i < table->list_count && notes->more < TABLE_ERRORS_MAX; i++) {
        const struct route_list *list = table->lists[i];

        for (uint8_t k = 0; k < list->count; k++) {
            const struct route_selector *selector = &list->selectors[k];
            char text[TABLE_SHOWN_CHARS];
            size_t bearer = 0;

            /* Cards work without being configured, so that none may be known yet. */
            if (selector->kind == ROUTE_SELECT_ALL || (selector->kind == ROUTE_SELECT_KIND && selector->bearer_kind == ROUTE_SIM))
                continue;
            while (bearer < count && !route_selects(selector, &bearers[bearer]))
                bearer++;
            if (bearer == count)
                table_note_at(notes, table->files[list->file], list->line, list->column, "'%s%s' selects no bearer that is configured",
                              route_selector_words[selector->kind], table_shown(selector->value, text));
        }
    }
}
