/* SPDX-License-Identifier: Apache-2.0 */
#include "src/credit/lease.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

#define LEASE_MAGIC UINT64_C(0x43504C53)     /* "CPLS": what is signed as a lease is nothing else that the key signs */
#define LEASE_VERSION 1

static bool in_bounds(const struct lease *lease)
{
    return lease->lease_id > 0 && lease->lease_id <= INT64_MAX && lease->epoch > 0 && lease->grant_micro > 0 &&
           lease->grant_micro <= LEASE_GRANT_MICRO_MAX && lease->price_version > 0 && lease->issued_ms >= 0 &&
           lease->issued_ms <= lease->spend_until_ms && lease->spend_until_ms <= lease->settle_until_ms;
}

int lease_encode(const struct lease *lease, uint8_t ret_octets[LEASE_OCTETS])
{
    uint8_t *at = ret_octets;

    if (!in_bounds(lease))
        return -EINVAL;
    octets_put(&at, LEASE_MAGIC, 4);
    octets_put(&at, LEASE_VERSION, 2);
    octets_put(&at, lease->lease_id, 8);
    octets_put_bytes(&at, lease->box_id, sizeof lease->box_id);
    octets_put(&at, lease->epoch, 4);
    octets_put(&at, (uint64_t)lease->grant_micro, 8);
    octets_put(&at, lease->price_version, 4);
    octets_put_bytes(&at, lease->price_sha256, sizeof lease->price_sha256);
    octets_put(&at, (uint64_t)lease->issued_ms, 8);
    octets_put(&at, (uint64_t)lease->spend_until_ms, 8);
    octets_put(&at, (uint64_t)lease->settle_until_ms, 8);
    octets_put_bytes(&at, lease->hw_fingerprint, sizeof lease->hw_fingerprint);
    assert(at == ret_octets + LEASE_SIGNED_OCTETS);
    octets_put_bytes(&at, lease->signature, sizeof lease->signature);
    return 0;
}

int lease_decode(const uint8_t *octets, size_t length, struct lease *ret_lease)
{
    struct lease lease;
    const uint8_t *at = octets;

    if (length != LEASE_OCTETS)
        return -EMSGSIZE;
    if (octets_get(&at, 4) != LEASE_MAGIC)
        return -EINVAL;
    if (octets_get(&at, 2) != LEASE_VERSION)
        return -ENOTSUP;
    lease.lease_id = octets_get(&at, 8);
    octets_get_bytes(&at, lease.box_id, sizeof lease.box_id);
    lease.epoch = (uint32_t)octets_get(&at, 4);
    lease.grant_micro = octets_get_signed(&at);
    lease.price_version = (uint32_t)octets_get(&at, 4);
    octets_get_bytes(&at, lease.price_sha256, sizeof lease.price_sha256);
    lease.issued_ms = octets_get_signed(&at);
    lease.spend_until_ms = octets_get_signed(&at);
    lease.settle_until_ms = octets_get_signed(&at);
    octets_get_bytes(&at, lease.hw_fingerprint, sizeof lease.hw_fingerprint);
    octets_get_bytes(&at, lease.signature, sizeof lease.signature);
    if (!in_bounds(&lease))
        return -EINVAL;
    *ret_lease = lease;
    return 0;
}

/* -- signatures ------------------------------------------------------------------------------------------------------ */

static int lease_hash(const struct lease *lease, uint8_t ret_hash[SHA256_OCTETS])
{
    uint8_t octets[LEASE_OCTETS];

    if (lease_encode(lease, octets) < 0)
        return -EINVAL;
    octets_sha256(octets, LEASE_SIGNED_OCTETS, ret_hash);
    return 0;
}

int lease_sign(struct lease *lease, const uint8_t private_key[LEASE_PRIVATE_KEY_OCTETS], lease_random_fn *random, void *context)
{
    uint8_t hash[SHA256_OCTETS];
    int r = lease_hash(lease, hash);

    return r < 0 ? r : signature_make(hash, private_key, random, context, lease->signature);
}

int lease_verify(const struct lease *lease, const uint8_t public_key[LEASE_PUBLIC_KEY_OCTETS])
{
    uint8_t hash[SHA256_OCTETS];
    int r = lease_hash(lease, hash);

    return r < 0 ? r : signature_check(hash, lease->signature, public_key);
}

/* -- judgement ------------------------------------------------------------------------------------------------------ */

static enum lease_verdict judge_prices(const struct lease *lease, const struct lease_holder *holder)
{
    for (size_t i = 0; i < holder->price_count; i++)
        if (holder->prices[i].version == lease->price_version)
            return memcmp(holder->prices[i].sha256, lease->price_sha256, SHA256_OCTETS) == 0 ? LEASE_GOOD : LEASE_OTHER_PRICES;
    return LEASE_UNKNOWN_PRICES;
}

int lease_judge(const struct lease *lease, const uint8_t public_key[LEASE_PUBLIC_KEY_OCTETS], const struct lease_holder *holder,
                enum lease_verdict *ret_verdict)
{
    int r = lease_verify(lease, public_key);

    if (r < 0 && r != -EBADMSG)
        return r;
    if (r == -EBADMSG)
        *ret_verdict = LEASE_BAD_SIGNATURE;
    else if (memcmp(lease->box_id, holder->box_id, LEASE_BOX_ID_OCTETS) != 0)
        *ret_verdict = LEASE_WRONG_BOX;
    else if (lease->epoch != holder->epoch)
        *ret_verdict = LEASE_WRONG_EPOCH;
    else if (memcmp(lease->hw_fingerprint, holder->hw_fingerprint, SHA256_OCTETS) != 0)
        *ret_verdict = LEASE_WRONG_HARDWARE;
    else if (lease->lease_id <= holder->last_lease_id)
        *ret_verdict = LEASE_NOT_NEWER;
    else if (holder->now_ms >= lease->spend_until_ms)
        *ret_verdict = LEASE_EXPIRED;
    else
        *ret_verdict = judge_prices(lease, holder);
    return 0;
}

static const struct { const char *name, *words; } verdicts[LEASE_VERDICTS] = {
    [LEASE_GOOD] = { "good", "The lease is good." },
    [LEASE_BAD_SIGNATURE] = { "bad_signature", "The lease was not signed by the account this box knows, or was changed on its way." },
    [LEASE_WRONG_BOX] = { "wrong_box", "The lease was made for another box." },
    [LEASE_WRONG_EPOCH] = { "wrong_epoch", "The lease belongs to an earlier or later enrolment of this box." },
    [LEASE_WRONG_HARDWARE] = { "wrong_hardware", "The lease was made for other hardware: if the box was moved to another machine, enrol it again." },
    [LEASE_NOT_NEWER] = { "not_newer", "The lease is not newer than the last one this box had." },
    [LEASE_EXPIRED] = { "expired", "The time in which the lease may be spent is over." },
    [LEASE_UNKNOWN_PRICES] = { "unknown_prices", "The box does not have the price table the lease goes by; it has to fetch it first." },
    [LEASE_OTHER_PRICES] = { "other_prices", "The box has another price table under the version the lease names." },
};

const char *lease_verdict_name(enum lease_verdict verdict)
{
    assert(verdict < LEASE_VERDICTS);
    return verdicts[verdict].name;
}

const char *lease_verdict_words(enum lease_verdict verdict)
{
    assert(verdict < LEASE_VERDICTS);
    return verdicts[verdict].words;
}
