/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/hex.h"
#include "src/credit/lease.h"

/* RFC 6979 A.2.5: a key pair on P-256. */
static const char private_hex[] = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
static const char public_hex[] = "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
                                 "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
static uint8_t private_key[LEASE_PRIVATE_KEY_OCTETS], public_key[LEASE_PUBLIC_KEY_OCTETS];

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(hex_decode(private_hex, strlen(private_hex), private_key, sizeof private_key), LEASE_PRIVATE_KEY_OCTETS);
    assert_int_equal(hex_decode(public_hex, strlen(public_hex), public_key, sizeof public_key), LEASE_PUBLIC_KEY_OCTETS);
    return 0;
}

/* Not random, and never the same: what it draws must not show in the signature. */
static int counting(void *context, unsigned char *octets, size_t length)
{
    unsigned char *next = context;

    for (size_t i = 0; i < length; i++)
        octets[i] = (*next)++;
    return 0;
}

static int nothing_random(void *context, unsigned char *octets, size_t length)
{
    (void)context, (void)octets, (void)length;
    return -1;
}

static struct lease unsigned_lease(void)
{
    struct lease lease = { .lease_id = 7, .epoch = 2, .grant_micro = 250000000, .price_version = 3, .issued_ms = 1790000000000,
                           .spend_until_ms = 1790600000000, .settle_until_ms = 1793000000000 };

    memset(lease.box_id, 0xB0, sizeof lease.box_id);
    memset(lease.price_sha256, 0x9A, sizeof lease.price_sha256);
    memset(lease.hw_fingerprint, 0x4F, sizeof lease.hw_fingerprint);
    return lease;
}

static struct lease signed_lease(void)
{
    struct lease lease = unsigned_lease();
    unsigned char drawn = 1;

    assert_int_equal(lease_sign(&lease, private_key, counting, &drawn), 0);
    return lease;
}

static const struct lease_prices prices_9a[] = {
    { 2, { 0 } },
    { 3, { 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A,
           0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A, 0x9A } },
};

static struct lease_holder holder_of(const struct lease *lease)
{
    struct lease_holder holder = { .epoch = lease->epoch, .last_lease_id = lease->lease_id - 1, .prices = prices_9a, .price_count = 2,
                                   .now_ms = lease->issued_ms };

    memcpy(holder.box_id, lease->box_id, sizeof holder.box_id);
    memcpy(holder.hw_fingerprint, lease->hw_fingerprint, sizeof holder.hw_fingerprint);
    return holder;
}

static void a_lease_comes_back_from_its_octets_as_it_was(void **state)
{
    struct lease lease = signed_lease(), back;
    uint8_t octets[LEASE_OCTETS], again[LEASE_OCTETS];

    (void)state;
    assert_int_equal(lease_encode(&lease, octets), 0);
    assert_int_equal(lease_decode(octets, sizeof octets, &back), 0);
    assert_int_equal(lease_encode(&back, again), 0);
    assert_memory_equal(octets, again, sizeof octets);
    assert_int_equal(lease_verify(&back, public_key), 0);
    /* Fixed for ever: other programs make and read it. */
    char head[2 * 18 + 1];
    hex_encode(octets, 18, head);
    assert_string_equal(head, "43504C5300010000000000000007B0B0B0B0");
}

static void the_same_lease_gets_the_same_signature_whatever_was_drawn(void **state)
{
    struct lease one = unsigned_lease(), other = unsigned_lease();
    unsigned char drawn = 1, drawn_otherwise = 99;

    (void)state;
    assert_int_equal(lease_sign(&one, private_key, counting, &drawn), 0);
    assert_int_equal(lease_sign(&other, private_key, counting, &drawn_otherwise), 0);
    assert_memory_equal(one.signature, other.signature, sizeof one.signature);
}

static void no_bit_of_a_lease_can_be_changed(void **state)
{
    struct lease lease = signed_lease();
    uint8_t octets[LEASE_OCTETS];

    (void)state;
    assert_int_equal(lease_encode(&lease, octets), 0);
    for (size_t bit = 0; bit < 8 * sizeof octets; bit++) {
        struct lease changed;
        int r;

        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        r = lease_decode(octets, sizeof octets, &changed);
        if (r == 0 && lease_verify(&changed, public_key) != -EBADMSG)
            fail_msg("bit %zu was changed, and nobody saw it", bit);
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_lease_of_any_other_length_or_version_is_none(void **state)
{
    struct lease lease = signed_lease(), untouched = { .lease_id = 99 };
    uint8_t octets[LEASE_OCTETS + 1] = { 0 };

    (void)state;
    assert_int_equal(lease_encode(&lease, octets), 0);
    for (size_t length = 0; length <= sizeof octets; length++)
        if (length != LEASE_OCTETS)
            assert_int_equal(lease_decode(octets, length, &untouched), -EMSGSIZE);
    octets[5] = 2;
    assert_int_equal(lease_decode(octets, LEASE_OCTETS, &untouched), -ENOTSUP);
    octets[5] = 1;
    octets[0] = 'X';
    assert_int_equal(lease_decode(octets, LEASE_OCTETS, &untouched), -EINVAL);
    assert_int_equal(untouched.lease_id, 99);
}

static void values_out_of_their_bounds_are_neither_written_signed_nor_trusted(void **state)
{
    const struct lease good = unsigned_lease();
    uint8_t octets[LEASE_OCTETS];
    unsigned char drawn = 1;
    struct lease rows[10];

    (void)state;
    for (size_t i = 0; i < 10; i++)
        rows[i] = good;
    rows[0].lease_id = 0;
    rows[1].lease_id = UINT64_MAX;
    rows[2].epoch = 0;
    rows[3].grant_micro = 0;
    rows[4].grant_micro = -1;
    rows[5].grant_micro = LEASE_GRANT_MICRO_MAX + 1;
    rows[6].price_version = 0;
    rows[7].issued_ms = -1;
    rows[8].spend_until_ms = good.issued_ms - 1;
    rows[9].settle_until_ms = good.spend_until_ms - 1;
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(lease_encode(&rows[i], octets), -EINVAL);
        assert_int_equal(lease_sign(&rows[i], private_key, counting, &drawn), -EINVAL);
        assert_int_equal(lease_verify(&rows[i], public_key), -EINVAL);
    }
}

static void keys_that_are_none_and_chance_that_fails_are_told_from_wrong_signatures(void **state)
{
    struct lease lease = signed_lease();
    uint8_t zero[LEASE_PRIVATE_KEY_OCTETS] = { 0 }, off_curve[LEASE_PUBLIC_KEY_OCTETS], before[LEASE_SIGNATURE_OCTETS];
    unsigned char drawn = 1;

    (void)state;
    memcpy(before, lease.signature, sizeof before);
    assert_int_equal(lease_sign(&lease, zero, counting, &drawn), -EINVAL);
    assert_int_equal(lease_sign(&lease, private_key, nothing_random, NULL), -EIO);
    assert_memory_equal(lease.signature, before, sizeof before);
    memcpy(off_curve, public_key, sizeof off_curve);
    off_curve[64] ^= 1;
    assert_int_equal(lease_verify(&lease, off_curve), -EINVAL);
    memset(lease.signature, 0, sizeof lease.signature);
    assert_int_equal(lease_verify(&lease, public_key), -EBADMSG);
    memset(lease.signature, 0xFF, sizeof lease.signature);
    assert_int_equal(lease_verify(&lease, public_key), -EBADMSG);
}

static enum lease_verdict judged(const struct lease *lease, const struct lease_holder *holder)
{
    enum lease_verdict verdict = LEASE_VERDICTS;

    assert_int_equal(lease_judge(lease, public_key, holder, &verdict), 0);
    return verdict;
}

static void a_box_opens_only_what_was_made_for_it_now(void **state)
{
    struct lease lease = signed_lease();
    struct lease_holder holder = holder_of(&lease), good = holder;
    struct lease_prices other = prices_9a[1];

    (void)state;
    assert_int_equal(judged(&lease, &holder), LEASE_GOOD);
    holder.box_id[15] ^= 1;
    assert_int_equal(judged(&lease, &holder), LEASE_WRONG_BOX);
    holder = good, holder.epoch = 3;
    assert_int_equal(judged(&lease, &holder), LEASE_WRONG_EPOCH);
    holder = good, holder.epoch = 1;
    assert_int_equal(judged(&lease, &holder), LEASE_WRONG_EPOCH);
    holder = good, holder.hw_fingerprint[0] ^= 0x80;
    assert_int_equal(judged(&lease, &holder), LEASE_WRONG_HARDWARE);
    holder = good, holder.last_lease_id = 7;
    assert_int_equal(judged(&lease, &holder), LEASE_NOT_NEWER);
    holder = good, holder.now_ms = lease.spend_until_ms - 1;
    assert_int_equal(judged(&lease, &holder), LEASE_GOOD);
    holder = good, holder.now_ms = lease.spend_until_ms;
    assert_int_equal(judged(&lease, &holder), LEASE_EXPIRED);
    holder = good, holder.price_count = 1;
    assert_int_equal(judged(&lease, &holder), LEASE_UNKNOWN_PRICES);
    other.sha256[31] ^= 1;
    holder = good, holder.prices = &other, holder.price_count = 1;
    assert_int_equal(judged(&lease, &holder), LEASE_OTHER_PRICES);
    /* Whatever else is wrong with it: a paper without the account's signature says nothing. */
    lease.signature[10] ^= 1;
    holder = good, holder.epoch = 1, holder.now_ms = INT64_MAX;
    assert_int_equal(judged(&lease, &holder), LEASE_BAD_SIGNATURE);
}

static void each_verdict_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LEASE_VERDICTS; i++) {
        const char *words = lease_verdict_words((enum lease_verdict)i);

        assert_true(words[strlen(words) - 1] == '.');
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(lease_verdict_name((enum lease_verdict)i), lease_verdict_name((enum lease_verdict)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_comes_back_from_its_octets_as_it_was),
        cmocka_unit_test(the_same_lease_gets_the_same_signature_whatever_was_drawn),
        cmocka_unit_test(no_bit_of_a_lease_can_be_changed),
        cmocka_unit_test(a_lease_of_any_other_length_or_version_is_none),
        cmocka_unit_test(values_out_of_their_bounds_are_neither_written_signed_nor_trusted),
        cmocka_unit_test(keys_that_are_none_and_chance_that_fails_are_told_from_wrong_signatures),
        cmocka_unit_test(a_box_opens_only_what_was_made_for_it_now),
        cmocka_unit_test(each_verdict_has_a_name_and_a_sentence),
    };
    return cmocka_run_group_tests_name("lease", tests, set_up, NULL);
}
