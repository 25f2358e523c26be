/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_parts.c - leases, runs of the journal, commands and price tables within a body. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/utf8.h"
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

/* -- leases that the account is reminded of ------------------------------------------------------------------------------- */

json_t *wire_papers_encode(const void *base, int *ret_error)
{
    const struct wire_papers *papers = &((const struct wire_request *)base)->papers;
    uint8_t octets[WIRE_PAPERS_MAX * LEASE_OCTETS];

    if (papers->count > WIRE_PAPERS_MAX)
        *ret_error = -EINVAL;
    for (size_t i = 0; *ret_error == 0 && i < papers->count; i++)
        *ret_error = i > 0 && papers->leases[i].lease_id <= papers->leases[i - 1].lease_id ? -EINVAL
                                                                                           : lease_encode(&papers->leases[i], octets + i * LEASE_OCTETS);
    return *ret_error < 0 ? NULL : wire_base64_encode(octets, papers->count * LEASE_OCTETS);
}

int wire_papers_decode(json_t *value, void *base, const struct place *place)
{
    struct wire_papers *papers = &((struct wire_request *)base)->papers;
    uint8_t *octets;
    size_t length;
    int r = wire_base64_decode(value, (size_t)WIRE_PAPERS_MAX * LEASE_OCTETS, &octets, &length, place);

    if (r < 0)
        return r;
    if (length % LEASE_OCTETS != 0)
        r = wire_refuse(place, "must be leases of %d octets each", LEASE_OCTETS);
    for (size_t i = 0; r == 0 && i < length / LEASE_OCTETS; i++) {
        r = lease_decode(octets + i * LEASE_OCTETS, LEASE_OCTETS, &papers->leases[i]);
        if (r < 0)
            r = wire_refuse(place, "the lease of index %zu %s", i, r == -ENOTSUP ? "is of a version that is not known here" : "is none");
        else if (i > 0 && papers->leases[i].lease_id <= papers->leases[i - 1].lease_id)
            r = wire_refuse(place, "the lease of index %zu must have a higher number than the one before it", i);
        papers->count = i + 1;
    }
    free(octets);
    return r;
}

json_t *wire_unclosed_encode(const void *base, int *ret_error)
{
    const struct wire_answer *answer = base;
    json_t *array = json_array();
    uint64_t before = 0;

    *ret_error = array ? 0 : -ENOMEM;
    if (answer->papers.unclosed_count > WIRE_UNCLOSED_MAX)
        *ret_error = -EINVAL;
    for (size_t i = 0; *ret_error == 0 && i < answer->papers.unclosed_count; i++) {
        uint64_t id = answer->papers.unclosed[i];

        if (id <= before || id > INT64_MAX)
            *ret_error = -EINVAL;
        else if (json_array_append_new(array, json_integer((json_int_t)id)) < 0)
            *ret_error = -ENOMEM;
        before = id;
    }
    if (*ret_error == 0)
        return array;
    json_decref(array);
    return NULL;
}

int wire_unclosed_decode(json_t *value, void *base, const struct place *place)
{
    struct wire_answer *answer = base;
    size_t count = json_array_size(value);   /* 0 of what is no array */
    json_int_t before = 0;

    if (!json_is_array(value) || count > WIRE_UNCLOSED_MAX)
        return wire_refuse(place, "must be an array of at most %d numbers of leases", WIRE_UNCLOSED_MAX);
    for (size_t i = 0; i < count; i++) {
        json_int_t id = json_integer_value(json_array_get(value, i));   /* 0 of what is none */
        struct place inside = wire_at(place, i);

        if (id <= before)
            return wire_refuse(&inside, "must be an integer of at least 1, and higher than the one before it");
        answer->papers.unclosed[i] = (uint64_t)id;
        before = id;
    }
    answer->papers.unclosed_count = count;
    return 0;
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
#define REASON { "reason", FIELD_LINE, AT(reason), 0, COMMAND_REASON_CHARS, NULL, 0, NULL, NULL }

static const struct field reason_only[] = { REASON };
static const struct field refund_body[] = {
    { "message_id", FIELD_I64, AT(message_id), 1, INT64_MAX, NULL, 0, NULL, NULL },
    { "part", FIELD_U8, AT(part), 1, UINT8_MAX, NULL, 0, NULL, NULL },
    { "refers_seq", FIELD_U64, AT(refers_seq), 1, INT64_MAX, NULL, 0, NULL, NULL },
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
static const struct fields bodies[COMMAND_KINDS] = {
    [COMMAND_REVOKE] = FIELDS(reason_only), [COMMAND_FREEZE] = FIELDS(reason_only), [COMMAND_UNFREEZE] = FIELDS(reason_only),
    [COMMAND_REFUND] = FIELDS(refund_body), [COMMAND_PRICES] = FIELDS(prices_body), [COMMAND_KEY] = FIELDS(key_body),
};

static json_t *kind_encode(const void *base, int *ret_error)
{
    (void)ret_error;
    return json_string_nocheck(command_kind_name(((const struct command *)base)->kind));
}

static int kind_decode(json_t *value, void *base, const struct place *place)
{
    const char *name = json_string_value(value);

    if (!name || command_kind_of(name, &((struct command *)base)->kind) < 0)
        return wire_refuse(place, "must be a kind of command that is known here");
    return 0;
}

static json_t *body_encode(const void *base, int *ret_error)
{
    return fields_encode(&bodies[((const struct command *)base)->kind], base, ret_error);
}

static int body_decode(json_t *value, void *base, const struct place *place)
{
    return fields_decode(&bodies[((struct command *)base)->kind], value, base, place);   /* the kind was decoded before */
}

static const struct field command_fields[] = {
    { "number", FIELD_U64, AT(number), 1, INT64_MAX, NULL, 0, NULL, NULL },
    { "kind", FIELD_SPECIAL, 0, 0, 0, NULL, 0, kind_encode, kind_decode },
    { "time_ms", FIELD_I64, AT(time_ms), 0, INT64_MAX, NULL, 0, NULL, NULL },
    { "body", FIELD_SPECIAL, 0, 0, 0, NULL, 0, body_encode, body_decode },
    { "signature", FIELD_HEX, AT(signature), 0, SIGNATURE_OCTETS, NULL, 0, NULL, NULL },
};
static const struct fields command_table = FIELDS(command_fields);

json_t *wire_commands_encode(const void *base, int *ret_error)
{
    const struct wire_answer *answer = base;
    const struct command *commands = answer->commands.commands;
    json_t *array = json_array();
    uint64_t number = 0;

    *ret_error = array ? 0 : -ENOMEM;
    if (answer->commands.count > WIRE_COMMANDS_MAX)
        *ret_error = -EINVAL;
    for (size_t i = 0; *ret_error == 0 && i < answer->commands.count; i++) {
        json_t *command;

        if (command_check(&commands[i]) < 0 || commands[i].number <= number) {
            *ret_error = -EINVAL;
            break;
        }
        number = commands[i].number;
        command = fields_encode(&command_table, &commands[i], ret_error);
        if (command && json_array_append_new(array, command) < 0)
            *ret_error = -ENOMEM;
    }
    if (*ret_error == 0)
        return array;
    json_decref(array);
    return NULL;
}

int wire_commands_decode(json_t *value, void *base, const struct place *place)
{
    struct wire_answer *answer = base;
    size_t count = json_array_size(value);   /* 0 of what is no array */
    uint64_t number = 0;

    if (!json_is_array(value) || count > WIRE_COMMANDS_MAX)
        return wire_refuse(place, "must be an array of at most %d commands", WIRE_COMMANDS_MAX);
    answer->commands.commands = calloc(count + 1, sizeof *answer->commands.commands);
    if (!answer->commands.commands)
        return -ENOMEM;
    answer->commands.count = count;
    for (size_t i = 0; i < count; i++) {
        struct command *command = &answer->commands.commands[i];
        struct place inside = wire_at(place, i);
        int r = fields_decode(&command_table, json_array_get(value, i), command, &inside);

        if (r < 0)
            return r;
        if (command_check(command) < 0)
            return wire_refuse(&inside, "has a value that no command can have");
        if (command->number <= number)
            return wire_refuse(&inside, "must have a higher number than the one before it");
        number = command->number;
    }
    return 0;
}

/* -- a price table ------------------------------------------------------------------------------------------------------ */

json_t *wire_csv_encode(const void *base, int *ret_error)
{
    const char *csv = ((const struct wire_answer *)base)->prices.csv;
    size_t length = csv ? strlen(csv) : 0;

    if (length > WIRE_CSV_MAX)
        *ret_error = -EMSGSIZE;
    else if (length == 0 || !utf8_is_valid(csv, length, NULL))
        *ret_error = -EINVAL;
    return *ret_error < 0 ? NULL : json_stringn_nocheck(csv, length);
}

int wire_csv_decode(json_t *value, void *base, const struct place *place)
{
    struct wire_answer *answer = base;
    size_t length = json_string_length(value);

    if (length == 0 || length > WIRE_CSV_MAX)
        return wire_refuse(place, "must be a string of 1 to %u octets", WIRE_CSV_MAX);
    answer->prices.csv = malloc(length + 1);
    if (!answer->prices.csv)
        return -ENOMEM;
    memcpy(answer->prices.csv, json_string_value(value), length + 1);
    return 0;
}
