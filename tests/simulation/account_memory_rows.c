/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/account_memory_rows.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *rows_memory(void *before, size_t octets)
{
    void *memory = realloc(before, octets > 0 ? octets : 1);

    if (!memory)
        abort();
    return memory;
}

static uint64_t hash_of(const void *octets, size_t length, uint64_t hash)   /* FNV-1a, mixed */
{
    const uint8_t *at = octets;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
    hash ^= hash >> 29;
    return hash * UINT64_C(0xBF58476D1CE4E5B9);
}

static uint32_t bucket_of(const struct rows *rows, const struct rows_key *key)
{
    return (uint32_t)(hash_of(key->octets, key->length, UINT64_C(0xCBF29CE484222325)) >> 32) & (rows->room - 1);
}

/* A row always stands before all older ones of its bucket, so that those are undone without a search. */
static void link_row(struct rows *rows, uint32_t index)
{
    uint32_t bucket = bucket_of(rows, &rows->keys[index]);

    rows->next[index] = rows->heads[bucket];
    rows->heads[bucket] = index;
}

static void unlink_row(struct rows *rows, uint32_t index)
{
    uint32_t *at = &rows->heads[bucket_of(rows, &rows->keys[index])];

    while (*at != index)
        at = &rows->next[*at];
    *at = rows->next[index];
}

static void make_room(struct rows *rows, uint32_t room)
{
    rows->room = room;
    rows->rows = rows_memory(rows->rows, room * rows->row_octets);
    rows->keys = rows_memory(rows->keys, room * sizeof *rows->keys);
    rows->next = rows_memory(rows->next, room * sizeof *rows->next);
    rows->heads = rows_memory(rows->heads, room * sizeof *rows->heads);
    memset(rows->heads, 0xFF, room * sizeof *rows->heads);
    for (uint32_t i = 0; i < rows->count; i++)
        link_row(rows, i);
}

uint32_t rows_find(const struct rows *rows, const struct rows_key *key)
{
    uint32_t index;

    if (rows->room == 0)
        return ROWS_NONE;
    for (index = rows->heads[bucket_of(rows, key)]; index != ROWS_NONE; index = rows->next[index])
        if (rows->keys[index].length == key->length && memcmp(rows->keys[index].octets, key->octets, key->length) == 0)
            break;
    return index;
}

static void note(struct rows_log *log, unsigned table, int kind, uint32_t index, const struct rows *rows)
{
    struct rows_undo *step;

    if (!log)
        return;
    if (log->count == log->room) {
        log->room = log->room ? 2 * log->room : 64;
        log->steps = rows_memory(log->steps, log->room * sizeof *log->steps);
    }
    step = &log->steps[log->count++];
    *step = (struct rows_undo){ .table = table, .index = index };
    step->kind = kind;
    if (kind != UNDO_ADD) {
        step->key = rows->keys[index];
        step->before = rows_memory(NULL, rows->row_octets);
        memcpy(step->before, rows_at(rows, index), rows->row_octets);
    }
}

static void push(struct rows *rows, const struct rows_key *key, const void *row)
{
    if (rows->count == rows->room)
        make_room(rows, rows->room ? 2 * rows->room : 16);
    memcpy(rows_at(rows, rows->count), row, rows->row_octets);
    rows->keys[rows->count] = *key;
    link_row(rows, rows->count++);
}

int rows_add(struct rows *tables, unsigned table, const struct rows_key *key, const void *row, struct rows_log *log)
{
    struct rows *rows = &tables[table];

    if (rows_find(rows, key) != ROWS_NONE)
        return -EEXIST;
    push(rows, key, row);
    note(log, table, UNDO_ADD, rows->count - 1, rows);
    return 0;
}

void rows_set(struct rows *tables, unsigned table, uint32_t index, const void *row, struct rows_log *log)
{
    note(log, table, UNDO_SET, index, &tables[table]);
    memcpy(rows_at(&tables[table], index), row, tables[table].row_octets);
}

void rows_remove(struct rows *tables, unsigned table, uint32_t index, struct rows_log *log)
{
    struct rows *rows = &tables[table];
    uint32_t last = rows->count - 1;

    note(log, table, UNDO_REMOVE, index, rows);
    unlink_row(rows, index);
    if (index != last) {
        unlink_row(rows, last);
        memcpy(rows_at(rows, index), rows_at(rows, last), rows->row_octets);
        rows->keys[index] = rows->keys[last];
        link_row(rows, index);
    }
    rows->count--;
}

void rows_undo(struct rows *tables, struct rows_log *log)
{
    while (log->count > 0) {
        struct rows_undo *step = &log->steps[--log->count];
        struct rows *rows = &tables[step->table];

        if (step->kind == UNDO_ADD) {
            uint32_t last = rows->count - 1;

            assert(step->index == last);
            unlink_row(rows, last);
            rows->count--;
        } else if (step->kind == UNDO_SET) {
            memcpy(rows_at(rows, step->index), step->before, rows->row_octets);
        } else if (step->index == rows->count) {
            push(rows, &step->key, step->before);
        } else {                             /* it comes back to its place, and who took that to the end */
            struct rows_key moved = rows->keys[step->index];
            void *row = rows_memory(NULL, rows->row_octets);

            memcpy(row, rows_at(rows, step->index), rows->row_octets);
            unlink_row(rows, step->index);
            rows->keys[step->index] = step->key;
            memcpy(rows_at(rows, step->index), step->before, rows->row_octets);
            link_row(rows, step->index);
            push(rows, &moved, row);
            free(row);
        }
        free(step->before);
    }
}

void rows_forget(struct rows_log *log)
{
    while (log->count > 0)
        free(log->steps[--log->count].before);
}

static const struct rows *sorted;

static int by_key(const void *a, const void *b)
{
    const struct rows_key *x = &sorted->keys[*(const uint32_t *)a], *y = &sorted->keys[*(const uint32_t *)b];

    return memcmp(x->octets, y->octets, x->length < y->length ? x->length : y->length);
}

uint32_t rows_select(const struct rows *rows, const struct rows_key *prefix, uint32_t **ret_indices)
{
    uint32_t count = 0, room = 0, *indices = NULL;

    for (uint32_t i = 0; i < rows->count; i++) {
        if (memcmp(rows->keys[i].octets, prefix->octets, prefix->length) != 0)
            continue;
        if (count == room) {
            room = room ? 2 * room : 16;
            indices = rows_memory(indices, room * sizeof *indices);
        }
        indices[count++] = i;
    }
    sorted = rows;
    if (count > 0)
        qsort(indices, count, sizeof *indices, by_key);
    *ret_indices = indices;
    return count;
}

void rows_free(struct rows *rows)
{
    free(rows->rows);
    free(rows->keys);
    free(rows->next);
    free(rows->heads);
    *rows = (struct rows){ .row_octets = rows->row_octets };
}

void rows_copy(struct rows *to, const struct rows *from)
{
    rows_free(to);
    to->row_octets = from->row_octets;
    for (uint32_t i = 0; i < from->count; i++)
        push(to, &from->keys[i], rows_at(from, i));
}

uint64_t rows_digest(const struct rows *rows, uint64_t hash)
{
    uint64_t sum = rows->count;

    for (uint32_t i = 0; i < rows->count; i++)
        sum += hash_of(rows_at(rows, i), rows->row_octets, hash_of(rows->keys[i].octets, rows->keys[i].length, hash));
    return hash_of(&sum, sizeof sum, hash);
}
