/* SPDX-License-Identifier: Apache-2.0 */
#include "src/credit/journal.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

#define JOURNAL_VERSION 1

static bool in_bounds(const struct journal_entry *entry)
{
    return entry->seq > 0 && entry->seq <= INT64_MAX && entry->lease_id > 0 && entry->lease_id <= INT64_MAX &&
           entry->kind >= JOURNAL_CAPTURE && entry->kind < JOURNAL_KINDS && entry->message_id > 0 && entry->part > 0 &&
           (entry->attempt > 0 || entry->kind == JOURNAL_RELEASE) &&
           entry->units_micro > 0 && entry->units_micro <= JOURNAL_UNITS_MICRO_MAX && entry->t_mono_ms >= 0 && entry->t_wall_ms >= 0 &&
           (entry->kind == JOURNAL_VOID ? entry->refers_seq > 0 && entry->refers_seq < entry->seq : entry->refers_seq == 0);
}

static void put_body(uint8_t **at, const struct journal_entry *entry)
{
    octets_put(at, JOURNAL_VERSION, 1);
    octets_put(at, (uint64_t)entry->kind, 1);
    octets_put(at, entry->seq, 8);
    octets_put(at, entry->lease_id, 8);
    octets_put(at, (uint64_t)entry->message_id, 8);
    octets_put(at, entry->part, 1);
    octets_put(at, entry->attempt, 4);
    octets_put(at, (uint64_t)entry->units_micro, 8);
    octets_put(at, entry->price_row, 4);
    octets_put(at, entry->refers_seq, 8);
    octets_put_bytes(at, entry->boot_id, sizeof entry->boot_id);
    octets_put(at, (uint64_t)entry->t_mono_ms, 8);
    octets_put(at, (uint64_t)entry->t_wall_ms, 8);
}

static void hash_entry(const struct journal_entry *entry, uint8_t ret_hash[SHA256_OCTETS])
{
    uint8_t octets[SHA256_OCTETS + JOURNAL_BODY_OCTETS], *at = octets;

    octets_put_bytes(&at, entry->prev_hash, SHA256_OCTETS);
    put_body(&at, entry);
    assert(at == octets + sizeof octets);
    octets_sha256(octets, sizeof octets, ret_hash);
}

int journal_append(struct journal_head *head, struct journal_entry *entry)
{
    struct journal_entry next = *entry;

    next.seq = head->seq + 1;
    memcpy(next.prev_hash, head->hash, SHA256_OCTETS);
    if (!in_bounds(&next))
        return -EINVAL;
    hash_entry(&next, next.hash);
    head->seq = next.seq;
    memcpy(head->hash, next.hash, SHA256_OCTETS);
    *entry = next;
    return 0;
}

int journal_encode(const struct journal_entry *entry, uint8_t ret_octets[JOURNAL_OCTETS])
{
    uint8_t *at = ret_octets;

    if (!in_bounds(entry))
        return -EINVAL;
    put_body(&at, entry);
    assert(at == ret_octets + JOURNAL_BODY_OCTETS);
    octets_put_bytes(&at, entry->prev_hash, SHA256_OCTETS);
    octets_put_bytes(&at, entry->hash, SHA256_OCTETS);
    return 0;
}

int journal_body_encode(const struct journal_entry *entry, uint8_t ret_octets[JOURNAL_BODY_OCTETS])
{
    uint8_t *at = ret_octets;

    if (!in_bounds(entry))
        return -EINVAL;
    put_body(&at, entry);
    return 0;
}

int journal_body_decode(const uint8_t *octets, size_t length, struct journal_entry *ret_entry)
{
    struct journal_entry entry = { 0 };
    const uint8_t *at = octets;
    uint64_t kind;

    if (length != JOURNAL_BODY_OCTETS)
        return -EMSGSIZE;
    if (octets_get(&at, 1) != JOURNAL_VERSION)
        return -ENOTSUP;
    kind = octets_get(&at, 1);
    entry.seq = octets_get(&at, 8);
    entry.lease_id = octets_get(&at, 8);
    entry.message_id = octets_get_signed(&at);
    entry.part = (uint8_t)octets_get(&at, 1);
    entry.attempt = (uint32_t)octets_get(&at, 4);
    entry.units_micro = octets_get_signed(&at);
    entry.price_row = (uint32_t)octets_get(&at, 4);
    entry.refers_seq = octets_get(&at, 8);
    octets_get_bytes(&at, entry.boot_id, sizeof entry.boot_id);
    entry.t_mono_ms = octets_get_signed(&at);
    entry.t_wall_ms = octets_get_signed(&at);
    if (kind < JOURNAL_CAPTURE || kind >= JOURNAL_KINDS)
        return -EINVAL;
    entry.kind = (enum journal_kind)kind;
    if (!in_bounds(&entry))
        return -EINVAL;
    *ret_entry = entry;
    return 0;
}

int journal_decode(const uint8_t *octets, size_t length, struct journal_entry *ret_entry)
{
    const uint8_t *at;
    int r = length == JOURNAL_OCTETS ? journal_body_decode(octets, JOURNAL_BODY_OCTETS, ret_entry) : -EMSGSIZE;

    if (r == 0) {
        at = octets + JOURNAL_BODY_OCTETS;
        octets_get_bytes(&at, ret_entry->prev_hash, SHA256_OCTETS);
        octets_get_bytes(&at, ret_entry->hash, SHA256_OCTETS);
    }
    return r;
}

/* -- checking ------------------------------------------------------------------------------------------------------- */

enum journal_fault journal_check_next(struct journal_head *head, const struct journal_entry *entry)
{
    uint8_t hash[SHA256_OCTETS];

    if (!in_bounds(entry))
        return JOURNAL_MALFORMED;
    if (entry->seq != head->seq + 1)
        return JOURNAL_GAP;
    if (memcmp(entry->prev_hash, head->hash, SHA256_OCTETS) != 0)
        return JOURNAL_BROKEN;
    hash_entry(entry, hash);
    if (memcmp(entry->hash, hash, SHA256_OCTETS) != 0)
        return JOURNAL_ALTERED;
    head->seq = entry->seq;
    memcpy(head->hash, hash, SHA256_OCTETS);
    return JOURNAL_INTACT;
}

size_t journal_check(const struct journal_head *before, const struct journal_entry *entries, size_t count, enum journal_fault *ret_fault)
{
    struct journal_head head = *before;
    size_t i = 0;

    *ret_fault = JOURNAL_INTACT;
    for (; i < count; i++) {
        *ret_fault = journal_check_next(&head, &entries[i]);
        if (*ret_fault != JOURNAL_INTACT)
            break;
    }
    return i;
}

const char *journal_fault_words(enum journal_fault fault)
{
    static const char *const words[JOURNAL_FAULTS] = {
        [JOURNAL_INTACT] = "The journal is as it was written.",
        [JOURNAL_MALFORMED] = "The entry has a value that no entry can have.",
        [JOURNAL_GAP] = "The entry does not have the number that comes next.",
        [JOURNAL_BROKEN] = "The entry does not follow on the one before it.",
        [JOURNAL_ALTERED] = "The entry is not what was written.",
    };

    assert(fault < JOURNAL_FAULTS);
    return words[fault];
}

/* -- what the account has --------------------------------------------------------------------------------------------- */

/* The hash of our entry of that number; NULL: it is not in the run. */
static const uint8_t *hash_at(uint64_t seq, const struct journal_head *before, const struct journal_entry *entries, size_t count)
{
    if (seq == before->seq)
        return before->hash;
    return seq > before->seq && seq - before->seq <= count ? entries[seq - before->seq - 1].hash : NULL;
}

enum journal_ack journal_acknowledge(struct journal_head *acked, const struct journal_head *before, const struct journal_entry *entries,
                                     size_t count, const struct journal_head *ack, size_t *ret_suffix)
{
    const uint8_t *ours = hash_at(ack->seq, before, entries, count);

    assert(before->seq <= acked->seq);
    if (ack->seq < before->seq)
        return JOURNAL_ACK_OLD;
    /* No hash: the account has entries that were never written here, or were lost with an older image of the disk. */
    if (!ours || memcmp(ours, ack->hash, SHA256_OCTETS) != 0)
        return JOURNAL_ACK_FORK;
    if (ack->seq < acked->seq)
        return JOURNAL_ACK_OLD;
    *ret_suffix = (size_t)(ack->seq - before->seq);   /* first: before may be acked itself */
    *acked = *ack;
    return JOURNAL_ACK_TAKEN;
}
