/* SPDX-License-Identifier: Apache-2.0
 *
 * tariff_index.c - what no single row can tell: rows that overlap; and the way from a number to its rows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/date.h"
#include "src/routing/tariff_internal.h"

static int by_order(const void *a, const void *b)
{
    const struct tariff_entry *x = a, *y = b;

#define BY(member) if (x->member != y->member) return x->member < y->member ? -1 : 1
    BY(plan);
    BY(of_bundle);
    BY(key);
    BY(free_first);
    BY(from_day);
    BY(row);
#undef BY
    return 0;
}

/* -- rows that overlap ---------------------------------------------------------------------------------------- */

static const char *const kind_phrases[TARIFF_KINDS] = { "has a price", "is covered by a bundle", "is free" };

static const char *validity(const struct tariff_row *row, char ret_text[64])
{
    char from[DATE_CHARS], until[DATE_CHARS];

    date_format(row->valid_from_day == TARIFF_DAY_FIRST ? 0 : row->valid_from_day, from);
    date_format(row->valid_until_day == TARIFF_DAY_LAST ? 0 : row->valid_until_day, until);
    (void)snprintf(ret_text, 64, "%s%s%s%s%s", row->valid_from_day != TARIFF_DAY_FIRST ? "from " : "",
                   row->valid_from_day != TARIFF_DAY_FIRST ? from : "",
                   row->valid_from_day != TARIFF_DAY_FIRST && row->valid_until_day != TARIFF_DAY_LAST ? " " : "",
                   row->valid_until_day != TARIFF_DAY_LAST ? "until " : "", row->valid_until_day != TARIFF_DAY_LAST ? until : "");
    if (*ret_text == '\0')
        (void)snprintf(ret_text, 64, "at all times");
    return ret_text;
}

/* Noted at the row that was read later. */
static void note_overlap(const struct tariff_table *table, uint32_t a, uint32_t b, uint64_t key, struct table_notes *notes)
{
    const struct tariff_row *earlier = &table->rows[a < b ? a : b], *later = &table->rows[a < b ? b : a];
    const char *column = later->kind == TARIFF_PRICE ? "prefix" : "prefixes";
    char digits[PREFIX_CHARS], days[64], plan[TABLE_SHOWN_CHARS];

    prefix_text(key, digits);
    if (a == b)
        table_note_at(notes, table->files[later->file], later->line, column, "'%s' is listed twice", *digits ? digits : "*");
    else
        table_note_at(notes, table->files[later->file], later->line, column,
                      "'%s' of plan '%s' %s already by %.128s:%lu, which is valid %s (allowed: one row at a time)", *digits ? digits : "*",
                      table_shown(table->plans[later->plan].name, plan), kind_phrases[later->kind], table->files[earlier->file],
                      (unsigned long)earlier->line, validity(earlier, days));
}

static void check_overlaps(const struct tariff_table *table, const struct tariff_entry *entries, uint32_t count, struct table_notes *notes)
{
    uint32_t longest = 0;                /* the entry that is valid longest, of those alike so far */

    for (uint32_t i = 1; i < count && notes->more < TABLE_ERRORS_MAX; i++) {
        const struct tariff_entry *entry = &entries[i], *other = &entries[longest];
        bool alike = entry->plan == other->plan && entry->of_bundle == other->of_bundle && entry->key == other->key &&
                     entry->free_first == other->free_first;

        if (alike && table->rows[other->row].valid_until_day >= entry->from_day)
            note_overlap(table, other->row, entry->row, entry->key, notes);
        if (!alike || table->rows[entry->row].valid_until_day > table->rows[other->row].valid_until_day)
            longest = i;
    }
}

/* A bundle's parts are counted under its name: sorts pointers to rows by it. */
static int by_name(const void *a, const void *b)
{
    const struct tariff_row *x = *(const struct tariff_row *const *)a, *y = *(const struct tariff_row *const *)b;
    int order = x->plan != y->plan ? (x->plan < y->plan ? -1 : 1) : strcmp(x->bundle.name, y->bundle.name);

    if (order == 0 && x->valid_from_day != y->valid_from_day)
        order = x->valid_from_day < y->valid_from_day ? -1 : 1;
    return order != 0 ? order : (x < y ? -1 : x > y);
}

static int check_bundle_names(const struct tariff_table *table, struct table_notes *notes)
{
    const struct tariff_row **named;
    uint32_t count = 0, longest = 0;

    for (uint32_t i = 0; i < table->row_count; i++)
        count += table->rows[i].kind == TARIFF_BUNDLE;
    if (count < 2)
        return 0;
    named = malloc(count * sizeof *named);
    if (!named)
        return -ENOMEM;
    count = 0;
    for (uint32_t i = 0; i < table->row_count; i++)
        if (table->rows[i].kind == TARIFF_BUNDLE)
            named[count++] = &table->rows[i];
    qsort(named, count, sizeof *named, by_name);
    for (uint32_t i = 1; i < count && notes->more < TABLE_ERRORS_MAX; i++) {
        const struct tariff_row *row = named[i], *other = named[longest];
        bool alike = row->plan == other->plan && strcmp(row->bundle.name, other->bundle.name) == 0;

        if (alike && other->valid_until_day >= row->valid_from_day) {
            const struct tariff_row *earlier = row < other ? row : other, *later = row < other ? other : row;
            char name[TABLE_SHOWN_CHARS], days[64];

            table_note_at(notes, table->files[later->file], later->line, "name",
                          "'%s' is a bundle of this plan already by %.128s:%lu, which is valid %s (allowed: one row at a time)",
                          table_shown(later->bundle.name, name), table->files[earlier->file], (unsigned long)earlier->line,
                          validity(earlier, days));
        }
        if (!alike || row->valid_until_day > other->valid_until_day)
            longest = i;
    }
    free(named);
    return 0;
}

/* -- from a number to its rows -------------------------------------------------------------------------------- */

/* Of the entries from first to before end, which are one plan's and of one kind of index. */
static int build_one(struct tariff_table *table, const struct tariff_entry *entries, uint32_t first, uint32_t end, uint64_t *keys,
                     struct tariff_index *ret_index)
{
    uint32_t count = 0;
    int r;

    for (uint32_t i = first; i < end; i++)
        if (i == first || entries[i].key != entries[i - 1].key)
            keys[count++] = entries[i].key;
    ret_index->first = malloc((count + (size_t)1) * sizeof *ret_index->first);
    if (!ret_index->first)
        return -ENOMEM;
    count = 0;
    for (uint32_t i = first; i < end; i++)
        if (i == first || entries[i].key != entries[i - 1].key)
            ret_index->first[count++] = i;
    ret_index->first[count] = end;
    r = prefix_set_new(keys, count, &ret_index->set);
    if (r == 0)
        table->bytes += prefix_bytes(ret_index->set) + (count + (size_t)1) * sizeof *ret_index->first;
    return r;
}

int tariff_index_build(struct tariff_table *table, struct tariff_entry *entries, uint32_t count, struct table_notes *notes)
{
    uint64_t *keys = NULL;
    uint32_t at = 0;
    int r;

    if (count > 0)
        qsort(entries, count, sizeof *entries, by_order);
    check_overlaps(table, entries, count, notes);
    r = check_bundle_names(table, notes);
    if (r < 0 || notes->count > 0)
        return r;
    keys = malloc((count + (size_t)1) * sizeof *keys);
    table->ordered = malloc((count + (size_t)1) * sizeof *table->ordered);
    if (!keys || !table->ordered) {
        r = -ENOMEM;
        goto out;
    }
    table->bytes += (count + (size_t)1) * sizeof *table->ordered;
    for (uint32_t i = 0; i < count; i++)
        table->ordered[i] = entries[i].row;
    for (uint32_t plan = 0; plan < table->plan_count && r == 0; plan++)
        for (unsigned of_bundle = 0; of_bundle < 2 && r == 0; of_bundle++) {
            uint32_t first = at;

            while (at < count && entries[at].plan == plan && entries[at].of_bundle == of_bundle)
                at++;
            r = build_one(table, entries, first, at, keys, of_bundle ? &table->plans[plan].bundles : &table->plans[plan].rates);
        }
out:
    free(keys);
    return r;
}
