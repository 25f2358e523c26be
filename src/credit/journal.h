/* SPDX-License-Identifier: Apache-2.0
 *
 * journal.h - what a box spent, entry by entry, so that the account can book it and neither can change it afterwards.
 *
 * Entries are numbered from 1 without gaps, over all leases of the box. Each has the hash of the one before it, and its own:
 * SHA-256 of (the hash before || what is in the entry). Entries are only ever added. The head is the number and the hash of
 * the last one; before the first it is all zeros.
 * Money:     millionths of a credit. Times: milliseconds; mono since the machine booted, wall since 1970 by its clock.
 * Encoding:  version 1, JOURNAL_OCTETS long, fixed fields with the highest octet first; one entry has one encoding.
 * Ownership: all are values; nothing is kept.
 * Keeps I7 (what the account acknowledged never goes back) and rules 2 and 6 (usage is a suffix; an acknowledgement carries
 * the hash of its entry, since a number alone would hide a copy of the box). */
#ifndef CELLPOST_CREDIT_JOURNAL_H
#define CELLPOST_CREDIT_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "src/credit/octets.h"

#define JOURNAL_BOOT_ID_OCTETS 16
#define JOURNAL_BODY_OCTETS 83
#define JOURNAL_OCTETS (JOURNAL_BODY_OCTETS + 2 * SHA256_OCTETS)
#define JOURNAL_UNITS_MICRO_MAX INT64_C(1000000000000000)

enum journal_kind {
    JOURNAL_CAPTURE = 1,                     /* the part was sent: its price is spent */
    JOURNAL_RELEASE,                         /* it was not: what was reserved for it is free again */
    JOURNAL_VOID,                            /* the capture that refers_seq names is taken back; the part may be captured anew */
    JOURNAL_KINDS
};

struct journal_head { uint64_t seq; uint8_t hash[SHA256_OCTETS]; };

struct journal_entry {
    uint64_t seq, lease_id;
    enum journal_kind kind;
    int64_t message_id;                      /* from 1 */
    uint8_t part;                            /* from 1 */
    uint32_t attempt;                        /* from 1; of a release 0: none was made */
    int64_t units_micro;                     /* 1 to JOURNAL_UNITS_MICRO_MAX */
    uint32_t price_row;                      /* of the table that the lease names */
    uint64_t refers_seq;                     /* of a void: an entry before it; of others 0 */
    uint8_t boot_id[JOURNAL_BOOT_ID_OCTETS];
    int64_t t_mono_ms, t_wall_ms;            /* not negative */
    uint8_t prev_hash[SHA256_OCTETS], hash[SHA256_OCTETS];
};

/* Numbers and chains the entry behind the head, and moves the head onto it. -EINVAL: a value is out of its bounds; the head
 * is as it was. The caller writes the entry and the head in one transaction. */
int journal_append(struct journal_head *head, struct journal_entry *entry);

/* -EINVAL: a value is out of its bounds. Hashes are written as they are. */
int journal_encode(const struct journal_entry *entry, uint8_t ret_octets[JOURNAL_OCTETS]);
/* Of anything from outside: -EMSGSIZE: another length; -ENOTSUP: another version; -EINVAL: a value is out of its bounds.
 * Whether the hashes are right says journal_check(). */
int journal_decode(const uint8_t *octets, size_t length, struct journal_entry *ret_entry);
/* The same without the hashes, JOURNAL_BODY_OCTETS long: who receives a run of entries chains it anew with journal_append().
 * The hashes of a decoded entry are zeros. */
int journal_body_encode(const struct journal_entry *entry, uint8_t ret_octets[JOURNAL_BODY_OCTETS]);
int journal_body_decode(const uint8_t *octets, size_t length, struct journal_entry *ret_entry);

enum journal_fault {
    JOURNAL_INTACT, JOURNAL_MALFORMED,       /* a value is out of its bounds */
    JOURNAL_GAP,                             /* it is not the number that comes next */
    JOURNAL_BROKEN,                          /* it does not follow on what is before it */
    JOURNAL_ALTERED,                         /* its own hash is not that of what it says */
    JOURNAL_FAULTS
};
const char *journal_fault_words(enum journal_fault fault);   /* a sentence for a person */

/* Checks one entry behind the head and moves the head onto it, so that a journal of any length can be read row by row. */
enum journal_fault journal_check_next(struct journal_head *head, const struct journal_entry *entry);
/* A run of entries behind the head before. Returns how many of them are intact; if not all are, the first that is not is
 * the one of that index, and *ret_fault says why. */
size_t journal_check(const struct journal_head *before, const struct journal_entry *entries, size_t count, enum journal_fault *ret_fault);

enum journal_ack {
    JOURNAL_ACK_TAKEN,                       /* what is acknowledged moved on, or is the same as before */
    JOURNAL_ACK_OLD,                         /* a late answer: more was acknowledged before. Nothing changes */
    JOURNAL_ACK_FORK                         /* the account booked what this box did not write: there is a copy of it, or it is one */
};

/* An acknowledgement against what the box has: before, the head before entries[0], and an intact run up to the box's head.
 * acked is what was acknowledged so far, not before `before`; it moves when taken. *ret_suffix is then the index of the
 * first entry that the account does not have yet (count: it has all). On a fork nothing may be spent any more, until a
 * person enrols the box again (rule 7). */
enum journal_ack journal_acknowledge(struct journal_head *acked, const struct journal_head *before, const struct journal_entry *entries,
                                     size_t count, const struct journal_head *ack, size_t *ret_suffix);

#endif
