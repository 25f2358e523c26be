/* SPDX-License-Identifier: Apache-2.0
 *
 * prefix.h - the longest of many prefixes that a number begins with.
 *
 * A prefix is up to 15 digits of a number in the form of ITU-T E.164, packed into one integer (prefix_key) whose order is
 * that of the digits: a prefix comes right before everything that begins with it. A set is a sorted array of such keys, a
 * table over their first digits and, for each key, where the next shorter prefix of it is. It never changes once built,
 * so any number of threads may look in it.
 * Ownership: prefix_set_new() copies the keys. Errors: 0 or a negative errno; nothing is left behind by a failed call. */
#ifndef CELLPOST_ROUTING_PREFIX_H
#define CELLPOST_ROUTING_PREFIX_H

#include <stddef.h>
#include <stdint.h>

#define PREFIX_DIGITS_MAX 15         /* ITU-T E.164 6.1 */
#define PREFIX_CHARS (PREFIX_DIGITS_MAX + 1)
#define PREFIX_COUNT_MAX 1000000
#define PREFIX_NONE UINT32_MAX

struct prefix_set;

/* Packs digits; none at all is the prefix of every number. -EINVAL: too many, or something else than digits. */
int prefix_key(const char *digits, size_t length, uint64_t *ret_key);
/* The digits of a key and a NUL. */
void prefix_text(uint64_t key, char ret_digits[PREFIX_CHARS]);

/* Of count keys in ascending order without repetition. -EINVAL: they are not; -E2BIG; -ENOMEM. */
int prefix_set_new(const uint64_t *keys, size_t count, struct prefix_set **ret_set);
void prefix_set_free(struct prefix_set *set);   /* accepts NULL */

/* The index, among the keys the set was built of, of the longest prefix of number; PREFIX_NONE. number is E.164 digits
 * without '+': what follows its fifteenth digit, or the first character that is none, is not looked at. */
uint32_t prefix_match(const struct prefix_set *set, const char *number);
uint32_t prefix_match_key(const struct prefix_set *set, uint64_t number_key);   /* the same of packed digits */
/* The index of the next shorter prefix that is in the set; PREFIX_NONE. */
uint32_t prefix_shorter(const struct prefix_set *set, uint32_t index);

uint64_t prefix_at(const struct prefix_set *set, uint32_t index);
size_t prefix_count(const struct prefix_set *set);
size_t prefix_bytes(const struct prefix_set *set);   /* of memory */

#endif
