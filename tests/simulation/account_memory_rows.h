/* SPDX-License-Identifier: Apache-2.0
 *
 * account_memory_rows.h - the tables of account_memory.c: rows in arrays, found by their keys, and the log that undoes.
 *
 * A key is octets whose order (memcmp) is that of the rows: numbers are written with the highest octet first. */
#ifndef CELLPOST_ACCOUNT_MEMORY_ROWS_H
#define CELLPOST_ACCOUNT_MEMORY_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROWS_KEY_OCTETS 40
#define ROWS_NONE UINT32_MAX

struct rows_key { uint8_t octets[ROWS_KEY_OCTETS]; size_t length; };

struct rows {
    size_t row_octets;
    unsigned char *rows;                     /* count of them */
    struct rows_key *keys;
    uint32_t *next;                          /* of the same bucket, the newer first */
    uint32_t *heads;                         /* of the buckets: as many as there is room for rows, which is a power of 2 */
    uint32_t count, room;
};

struct rows_undo { unsigned table; enum { UNDO_ADD, UNDO_SET, UNDO_REMOVE } kind; uint32_t index; struct rows_key key; void *before; };
struct rows_log { struct rows_undo *steps; size_t count, room; };

/* -EEXIST: the key is taken. log may be NULL. */
int rows_add(struct rows *tables, unsigned table, const struct rows_key *key, const void *row, struct rows_log *log);
uint32_t rows_find(const struct rows *rows, const struct rows_key *key);   /* ROWS_NONE */
static inline void *rows_at(const struct rows *rows, uint32_t index) { return rows->rows + (size_t)index * rows->row_octets; }
void rows_set(struct rows *tables, unsigned table, uint32_t index, const void *row, struct rows_log *log);
/* The last row takes its place. */
void rows_remove(struct rows *tables, unsigned table, uint32_t index, struct rows_log *log);
/* Takes the steps of the log back, the newest first, or forgets them. */
void rows_undo(struct rows *tables, struct rows_log *log);
void rows_forget(struct rows_log *log);

/* The rows whose keys begin so, in the order of their keys: *ret_indices are the caller's. Returns how many. */
uint32_t rows_select(const struct rows *rows, const struct rows_key *prefix, uint32_t **ret_indices);

void rows_copy(struct rows *to, const struct rows *from);   /* `to` was empty or is freed */
void rows_free(struct rows *rows);                          /* row_octets stays */
uint64_t rows_digest(const struct rows *rows, uint64_t hash);   /* whatever the order in which they came */

void *rows_memory(void *before, size_t octets);             /* realloc() that stops the program */

#endif
