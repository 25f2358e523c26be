/* SPDX-License-Identifier: Apache-2.0 */
#include "src/credit/command.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

#include "src/base/utf8.h"
#include "src/credit/journal.h"

#define COMMAND_MAGIC UINT64_C(0x43504344)   /* "CPCD": what is signed as a command is nothing else that the key signs */
#define COMMAND_VERSION 1

static const char *const names[COMMAND_KINDS] = {
    [COMMAND_REVOKE] = "revoke", [COMMAND_FREEZE] = "freeze", [COMMAND_UNFREEZE] = "unfreeze",
    [COMMAND_REFUND] = "refund", [COMMAND_PRICES] = "prices", [COMMAND_KEY] = "key",
};

static bool all_zero(const uint8_t *octets, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum |= octets[i];
    return sum == 0;
}

int command_check(const struct command *command)
{
    const char *end = memchr(command->reason, '\0', sizeof command->reason);
    bool refund = command->kind == COMMAND_REFUND, prices = command->kind == COMMAND_PRICES;

    if (command->number == 0 || command->number > INT64_MAX || command->kind < COMMAND_REVOKE || command->kind >= COMMAND_KINDS ||
        command->time_ms < 0 || !end || !utf8_is_valid(command->reason, (size_t)(end - command->reason), NULL))
        return -EINVAL;
    for (const char *at = command->reason; at < end; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            return -EINVAL;
    if (refund ? command->message_id <= 0 || command->part == 0 || command->refers_seq == 0 || command->refers_seq > INT64_MAX ||
                     command->units_micro <= 0 || command->units_micro > JOURNAL_UNITS_MICRO_MAX
               : command->message_id != 0 || command->part != 0 || command->refers_seq != 0 || command->units_micro != 0)
        return -EINVAL;
    if (prices ? command->price_version == 0 : command->price_version != 0 || !all_zero(command->price_sha256, SHA256_OCTETS))
        return -EINVAL;
    if (command->kind == COMMAND_KEY ? command->account_key[0] != 0x04 : !all_zero(command->account_key, sizeof command->account_key))
        return -EINVAL;
    return 0;
}

static int hash_of(const struct command *command, const uint8_t box_id[LEASE_BOX_ID_OCTETS], uint32_t epoch, uint8_t ret_hash[SHA256_OCTETS])
{
    uint8_t octets[COMMAND_SIGNED_OCTETS] = { 0 }, *at = octets;
    size_t length = strlen(command->reason);

    octets_put(&at, COMMAND_MAGIC, 4);
    octets_put(&at, COMMAND_VERSION, 2);
    octets_put(&at, (uint64_t)command->kind, 1);
    octets_put_bytes(&at, box_id, LEASE_BOX_ID_OCTETS);
    octets_put(&at, epoch, 4);
    octets_put(&at, command->number, 8);
    octets_put(&at, (uint64_t)command->time_ms, 8);
    octets_put(&at, (uint64_t)command->message_id, 8);
    octets_put(&at, command->part, 1);
    octets_put(&at, command->refers_seq, 8);
    octets_put(&at, (uint64_t)command->units_micro, 8);
    octets_put(&at, command->price_version, 4);
    octets_put_bytes(&at, command->price_sha256, SHA256_OCTETS);
    octets_put_bytes(&at, command->account_key, SIGNATURE_PUBLIC_KEY_OCTETS);
    octets_put(&at, length, 1);
    octets_put_bytes(&at, command->reason, length);
    assert(at <= octets + sizeof octets);
    octets_sha256(octets, (size_t)(at - octets), ret_hash);
    return 0;
}

int command_sign(struct command *command, const uint8_t box_id[LEASE_BOX_ID_OCTETS], uint32_t epoch,
                 const uint8_t private_key[SIGNATURE_PRIVATE_KEY_OCTETS], signature_random_fn *random, void *context)
{
    uint8_t hash[SHA256_OCTETS];
    int r = command_check(command);

    if (r == 0)
        r = hash_of(command, box_id, epoch, hash);
    return r < 0 ? r : signature_make(hash, private_key, random, context, command->signature);
}

int command_verify(const struct command *command, const uint8_t box_id[LEASE_BOX_ID_OCTETS], uint32_t epoch,
                   const uint8_t public_key[SIGNATURE_PUBLIC_KEY_OCTETS])
{
    uint8_t hash[SHA256_OCTETS];
    int r = command_check(command);

    if (r == 0)
        r = hash_of(command, box_id, epoch, hash);
    return r < 0 ? r : signature_check(hash, command->signature, public_key);
}

const char *command_kind_name(enum command_kind kind)
{
    assert(kind >= COMMAND_REVOKE && kind < COMMAND_KINDS);
    return names[kind];
}

int command_kind_of(const char *name, enum command_kind *ret_kind)
{
    for (unsigned i = COMMAND_REVOKE; i < COMMAND_KINDS; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_kind = (enum command_kind)i;
            return 0;
        }
    }
    return -ENOENT;
}
