/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_parts.c - leases, runs of the journal, commands and price tables within a body. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sync/wire_internal.h"

/* -- a lease ---------------------------------------------------------------------------------------------------------- */

json_t *wire_lease_encode(const void *base, int *ret_error)
{
    const struct wire_answer *answer = base;
    uint8_t octets[LEASE_OCTETS];

    *ret_error = lease_encode(&answer->lease.lease, octets);
    return *ret_error < 0 ? NULL : wire_base64_encode(octets, sizeof octets);
}

int wire_lease_decode(json_t *value, void *base, const struct place *place)
{
    struct wire_answer *answer = base;
    uint8_t *octets;
    size_t length;
    int r = wire_base64_decode(value, LEASE_OCTETS, &octets, &length, place);

    if (r < 0)
        return r;
    r = lease_decode(octets, length, &answer->lease.lease);
    free(octets);
    return r < 0 ? wire_refuse(place, r == -ENOTSUP ? "is a lease of a version that is not known here" : "is no lease") : 0;
}

/* -- entries of the journal --------------------------------------------------------------------------------------------- */

json_t *wire_entries_encode(const void *base, int *ret_error)
{
    const struct wire_usage *usage = &((const struct wire_request *)base)->usage;
    uint8_t *octets = malloc(usage->count * JOURNAL_BODY_OCTETS + 1);
    json_t *value = NULL;

    *ret_error = octets ? 0 : -ENOMEM;
    if (usage->count > WIRE_ENTRIES_MAX || usage->head.seq < usage->from_seq - 1 + usage->count)
        *ret_error = -EINVAL;
    for (size_t i = 0; *ret_error == 0 && i < usage->count; i++) {
        if (usage->entries[i].seq != usage->from_seq + i)
            *ret_error = -EINVAL;
        else
            *ret_error = journal_body_encode(&usage->entries[i], octets + i * JOURNAL_BODY_OCTETS);
    }
    if (*ret_error == 0)
        value = wire_base64_encode(octets, usage->count * JOURNAL_BODY_OCTETS);
    free(octets);
    return value;
}

int wire_entries_decode(json_t *value, void *base, const struct place *place)
{
    struct wire_usage *usage = &((struct wire_request *)base)->usage;
    struct journal_head head = { .seq = usage->from_seq - 1 };   /* both were decoded before */
    uint8_t *octets;
    size_t length;
    int r = wire_base64_decode(value, (size_t)WIRE_ENTRIES_MAX * JOURNAL_BODY_OCTETS, &octets, &length, place);

    if (r < 0)
        return r;
    memcpy(head.hash, usage->prev_hash, SHA256_OCTETS);
    usage->count = length / JOURNAL_BODY_OCTETS;
    if (length % JOURNAL_BODY_OCTETS != 0) {
        r = wire_refuse(place, "must be entries of %d octets each", JOURNAL_BODY_OCTETS);
        goto out;
    }
    usage->entries = calloc(usage->count + 1, sizeof *usage->entries);
    if (!usage->entries) {
        r = -ENOMEM;
        goto out;
    }
    for (size_t i = 0; i < usage->count; i++) {
        struct journal_entry *entry = &usage->entries[i];
        uint64_t seq;

        r = journal_body_decode(octets + i * JOURNAL_BODY_OCTETS, JOURNAL_BODY_OCTETS, entry);
        seq = entry->seq;
        if (r == 0 && seq == head.seq + 1)
            r = journal_append(&head, entry);
        if (r < 0 || seq != entry->seq || seq != usage->from_seq + i) {
            r = wire_refuse(place, "the entry of index %zu %s", i, r == -ENOTSUP ? "is of a version that is not known here"
                                                                   : r < 0       ? "has a value that no entry can have"
                                                                                 : "does not have the number that comes next");
            goto out;
        }
    }
    r = 0;
out:
    free(octets);
    return r;
}

/* -- commands ----------------------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct command, member)
#define SEQ_MAX INT64_MAX
#define REASON { "reason", FIELD_LINE, AT(reason), 0, COMMAND_REASON_CHARS, NULL, 0, NULL, NULL }

static const struct field reason_only[] = { REASON };
static const struct field refund_body[] = {
    { "message_id", FIELD_I64, AT(message_id), 1, INT64_MAX, NULL, 0, NULL, NULL },
    { "part", FIELD_U16, 0, 1, UINT8_MAX, NULL, 0, NULL, NULL },     /* offset: see struct spread */
    { "refers_seq", FIELD_U64, AT(refers_seq), 1, SEQ_MAX, NULL, 0, NULL, NULL },
    { "units_micro", FIELD_I64, AT(units_micro), 1, JOURNAL_UNITS_MICRO_MAX, NULL, 0, NULL, NULL },
    REASON,
};
static const struct field prices_body[] = {
    { "version", FIELD_U32, AT(price_version), 1, UINT32_MAX, NULL, 0, NULL, NULL },
    { "sha256", FIELD_HEX, AT(price_sha256), 0, SHA256_OCTETS, NULL, 0, NULL, NULL },
    REASON,
};
static const struct field key_body[] = {
    { "account_key", FIELD_HEX, AT(account_key), 0, SIGNATURE_PUBLIC_KEY_OCTETS, NULL, 0, NULL, NULL },
    REASON,
};
