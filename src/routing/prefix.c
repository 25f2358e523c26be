/* SPDX-License-Identifier: Apache-2.0
 *
 * prefix.c - keys are packed digits (src/base/digits.h). */
#include "src/routing/prefix.h"

#include "src/base/digits.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_MASK UINT64_C(15)
#define TABLE_DIGITS_MAX 5           /* 100,001 entries of four octets */

struct prefix_set {
    uint32_t count;
    unsigned table_digits;           /* of a number that say where in the keys to look */
    size_t bytes;
    uint64_t *keys;
    uint32_t *shorter;               /* of each key */
    uint32_t *table;                 /* first key whose first digits are these or more; one more entry ends the last */
};

int prefix_key(const char *digits, size_t length, uint64_t *ret_key)
{
    size_t used;
    uint64_t key = digits_pack(digits, length, &used);

    if (used < length)
        return -EINVAL;
    *ret_key = key;
    return 0;
}

void prefix_text(uint64_t key, char ret_digits[PREFIX_CHARS])
{
    digits_text(key, ret_digits);
}

/* For two keys in ascending order. */
static bool begins_with(uint64_t key, uint64_t prefix)
{
    unsigned length = prefix & LENGTH_MASK;

    return length == 0 || (key ^ prefix) >> (64 - 4 * length) == 0;
}

static uint32_t first_digits(uint64_t key, unsigned digits)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < digits; i++)
        value = value * 10 + (uint32_t)(key >> (60 - 4 * i) & 15);
    return value;
}

int prefix_set_new(const uint64_t *keys, size_t count, struct prefix_set **ret_set)
{
    struct prefix_set *set;
    unsigned digits = 0;
    size_t entries = 1, bytes;

    if (count > PREFIX_COUNT_MAX)
        return -E2BIG;
    for (size_t i = 1; i < count; i++)
        if (keys[i - 1] >= keys[i])
            return -EINVAL;
    for (; digits < TABLE_DIGITS_MAX && entries * 10 <= count; digits++)
        entries *= 10;
    bytes = sizeof *set + count * (sizeof *set->keys + sizeof *set->shorter) + (entries + 1) * sizeof *set->table;
    set = malloc(bytes);
    if (!set)
        return -ENOMEM;
    *set = (struct prefix_set){ .count = (uint32_t)count, .table_digits = digits, .bytes = bytes };
    set->keys = (uint64_t *)(set + 1);
    set->shorter = (uint32_t *)(set->keys + count);
    set->table = set->shorter + count;
    if (count > 0)
        memcpy(set->keys, keys, count * sizeof *keys);

    for (uint32_t i = 0; i < set->count; i++) {
        /* The prefixes of a key are all among those of the key before it, and that key itself. */
        uint32_t candidate = i > 0 ? i - 1 : PREFIX_NONE;

        while (candidate != PREFIX_NONE && !begins_with(keys[i], keys[candidate]))
            candidate = set->shorter[candidate];
        set->shorter[i] = candidate;
    }
    for (uint32_t entry = 0, i = 0; entry <= entries; entry++) {
        while (i < set->count && first_digits(keys[i], digits) < entry)
            i++;
        set->table[entry] = i;
    }
    *ret_set = set;
    return 0;
}

void prefix_set_free(struct prefix_set *set)
{
    free(set);
}

uint32_t prefix_match(const struct prefix_set *set, const char *number)
{
    return prefix_match_key(set, digits_pack(number, SIZE_MAX, NULL));
}

uint32_t prefix_match_key(const struct prefix_set *set, uint64_t key)
{
    uint32_t entry = first_digits(key, set->table_digits), first = set->table[entry], count = set->table[entry + 1] - first, found;

    /* How many of these keys are not above that of the number. */
    while (count > 0) {
        uint32_t half = count / 2;

        if (set->keys[first + half] <= key) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    /* Every prefix of the number is the key before that place, or one of its prefixes. */
    found = first > 0 ? first - 1 : PREFIX_NONE;
    while (found != PREFIX_NONE && !begins_with(key, set->keys[found]))
        found = set->shorter[found];
    return found;
}

uint32_t prefix_shorter(const struct prefix_set *set, uint32_t index)
{
    assert(index < set->count);
    return set->shorter[index];
}

uint64_t prefix_at(const struct prefix_set *set, uint32_t index)
{
    assert(index < set->count);
    return set->keys[index];
}

size_t prefix_count(const struct prefix_set *set)
{
    return set->count;
}

size_t prefix_bytes(const struct prefix_set *set)
{
    return set->bytes;
}
