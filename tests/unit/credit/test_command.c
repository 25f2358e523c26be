/* SPDX-License-Identifier: Apache-2.0
 *
 * A command is done by the box and in the enrolment that it was signed for, as it was signed, and by no other. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/hex.h"
#include "src/credit/command.h"
#include "src/credit/journal.h"

/* RFC 6979 A.2.5: a key pair on P-256, and what it signs of the SHA-256 of "sample". */
static const char private_hex[] = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
static const char public_hex[] = "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
                                 "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
static const char sample_hex[] = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                                 "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
static uint8_t private_key[SIGNATURE_PRIVATE_KEY_OCTETS], public_key[SIGNATURE_PUBLIC_KEY_OCTETS];
static const uint8_t box[LEASE_BOX_ID_OCTETS] = { 0xB0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
#define EPOCH 3

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(hex_decode(private_hex, strlen(private_hex), private_key, sizeof private_key), SIGNATURE_PRIVATE_KEY_OCTETS);
    assert_int_equal(hex_decode(public_hex, strlen(public_hex), public_key, sizeof public_key), SIGNATURE_PUBLIC_KEY_OCTETS);
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

static struct command unsigned_command(enum command_kind kind)
{
    struct command command = { .number = 9, .kind = kind, .time_ms = 1790000000000, .reason = "asked for" };

    if (kind == COMMAND_REFUND) {
        command.message_id = 12;
        command.part = 2;
        command.refers_seq = 40;
        command.units_micro = 70000;
    } else if (kind == COMMAND_PRICES) {
        command.price_version = 4;
        memset(command.price_sha256, 0x9A, sizeof command.price_sha256);
    } else if (kind == COMMAND_KEY) {
        memcpy(command.account_key, public_key, sizeof command.account_key);
    }
    return command;
}

static struct command signed_command(enum command_kind kind)
{
    struct command command = unsigned_command(kind);
    unsigned char drawn = 1;

    assert_int_equal(command_sign(&command, box, EPOCH, private_key, counting, &drawn), 0);
    return command;
}

static void a_command_of_each_kind_is_known_by_its_signature_whatever_was_drawn(void **state)
{
    (void)state;
    for (unsigned kind = COMMAND_REVOKE; kind < COMMAND_KINDS; kind++) {
        struct command command = signed_command((enum command_kind)kind), again = unsigned_command((enum command_kind)kind);
        unsigned char drawn = 77;

        assert_int_equal(command_verify(&command, box, EPOCH, public_key), 0);
        assert_int_equal(command_sign(&again, box, EPOCH, private_key, counting, &drawn), 0);
        assert_memory_equal(again.signature, command.signature, sizeof command.signature);
    }
}

static void a_command_for_another_box_or_enrolment_is_refused(void **state)
{
    (void)state;
    for (unsigned kind = COMMAND_REVOKE; kind < COMMAND_KINDS; kind++) {
        struct command command = signed_command((enum command_kind)kind);

        for (size_t bit = 0; bit < 8 * sizeof box; bit++) {
            uint8_t other[sizeof box];

            memcpy(other, box, sizeof box);
            other[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(command_verify(&command, other, EPOCH, public_key), -EBADMSG);
        }
        for (unsigned bit = 0; bit < 32; bit++)
            assert_int_equal(command_verify(&command, box, EPOCH ^ UINT32_C(1) << bit, public_key), -EBADMSG);
    }
}

/* Octets between members mean nothing. */
static bool is_padding(size_t at)
{
    static const struct { size_t begin, end; } members[] = {
#define MEMBER(name) { offsetof(struct command, name), offsetof(struct command, name) + sizeof((struct command *)0)->name }
        MEMBER(number), MEMBER(kind), MEMBER(time_ms), MEMBER(reason), MEMBER(message_id), MEMBER(part), MEMBER(refers_seq),
        MEMBER(units_micro), MEMBER(price_version), MEMBER(price_sha256), MEMBER(account_key), MEMBER(signature),
    };

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (at >= members[i].begin && at < members[i].end)
            return false;
    return true;
}

/* Behind the NUL of the reason nothing is read. */
static bool is_behind_reason(size_t at, const struct command *command)
{
    size_t begin = offsetof(struct command, reason);

    return at > begin + strlen(command->reason) && at < begin + sizeof command->reason;
}

static void no_octet_of_a_command_can_be_changed(void **state)
{
    (void)state;
    for (unsigned kind = COMMAND_REVOKE; kind < COMMAND_KINDS; kind++) {
        struct command command = signed_command((enum command_kind)kind);
        size_t changed = 0;

        for (size_t at = 0; at < sizeof command; at++) {
            static const uint8_t changes[] = { 0x01, 0xFF };

            if (is_padding(at) || is_behind_reason(at, &command))
                continue;
            changed++;
            for (size_t i = 0; i < sizeof changes; i++) {
                struct command other = command;
                int r;

                ((uint8_t *)&other)[at] ^= changes[i];
                r = command_verify(&other, box, EPOCH, public_key);
                if (r != -EBADMSG && r != -EINVAL)
                    fail_msg("kind %u, octet %u: %d", kind, (unsigned)at, r);
            }
        }
        assert_true(changed > 200);
    }
}

static void a_command_with_what_its_kind_has_no_use_for_is_none(void **state)
{
    (void)state;
#define REFUSED(of, change)                                                                             \
    do {                                                                                                \
        struct command command = signed_command(of);                                                    \
        unsigned char drawn = 1;                                                                        \
        change;                                                                                         \
        assert_int_equal(command_check(&command), -EINVAL);                                             \
        assert_int_equal(command_sign(&command, box, EPOCH, private_key, counting, &drawn), -EINVAL);   \
        assert_int_equal(command_verify(&command, box, EPOCH, public_key), -EINVAL);                    \
    } while (0)
    for (unsigned kind = COMMAND_REVOKE; kind < COMMAND_KINDS; kind++) {
        enum command_kind of = (enum command_kind)kind;

        REFUSED(of, command.number = 0);
        REFUSED(of, command.number = (uint64_t)INT64_MAX + 1);
        REFUSED(of, command.kind = (enum command_kind)0);
        REFUSED(of, command.kind = COMMAND_KINDS);
        REFUSED(of, command.time_ms = -1);
        REFUSED(of, memset(command.reason, 'x', sizeof command.reason));
        REFUSED(of, command.reason[0] = '\n');
        REFUSED(of, command.reason[0] = 0x7F);
        REFUSED(of, command.reason[0] = '\xFF');   /* no JSON can say it: it would stand before all that come after it */
        if (of != COMMAND_REFUND) {
            REFUSED(of, command.message_id = 1);
            REFUSED(of, command.part = 1);
            REFUSED(of, command.refers_seq = 1);
            REFUSED(of, command.units_micro = 1);
        }
        if (of != COMMAND_PRICES) {
            REFUSED(of, command.price_version = 1);
            REFUSED(of, command.price_sha256[31] = 1);
        }
        if (of != COMMAND_KEY)
            REFUSED(of, command.account_key[64] = 1);
    }
    REFUSED(COMMAND_REFUND, command.message_id = 0);
    REFUSED(COMMAND_REFUND, command.part = 0);
    REFUSED(COMMAND_REFUND, command.refers_seq = 0);
    REFUSED(COMMAND_REFUND, command.refers_seq = UINT64_MAX);
    REFUSED(COMMAND_REFUND, command.units_micro = 0);
    REFUSED(COMMAND_REFUND, command.units_micro = JOURNAL_UNITS_MICRO_MAX + 1);
    REFUSED(COMMAND_PRICES, command.price_version = 0);
    REFUSED(COMMAND_KEY, command.account_key[0] = 0x03);
}

static void the_longest_reason_is_signed_to_its_last_letter(void **state)
{
    struct command command = unsigned_command(COMMAND_FREEZE);
    unsigned char drawn = 1;

    (void)state;
    memset(command.reason, 'x', COMMAND_REASON_CHARS - 1);
    assert_int_equal(command_sign(&command, box, EPOCH, private_key, counting, &drawn), 0);
    assert_int_equal(command_verify(&command, box, EPOCH, public_key), 0);
    command.reason[COMMAND_REASON_CHARS - 2] = 'y';
    assert_int_equal(command_verify(&command, box, EPOCH, public_key), -EBADMSG);
    command.reason[COMMAND_REASON_CHARS - 2] = '\0';
    assert_int_equal(command_verify(&command, box, EPOCH, public_key), -EBADMSG);
}

static void kinds_have_names_and_other_names_are_none(void **state)
{
    static const char *const others[] = { "", "Freeze", "freez", "freezer", " key" };
    enum command_kind found = COMMAND_KEY;

    (void)state;
    for (unsigned kind = COMMAND_REVOKE; kind < COMMAND_KINDS; kind++) {
        assert_int_equal(command_kind_of(command_kind_name((enum command_kind)kind), &found), 0);
        assert_int_equal(found, kind);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(command_kind_of(others[i], &found), -ENOENT);
    assert_int_equal(found, COMMAND_KEY);
}

/* -- signatures ---------------------------------------------------------------------------------------------------------- */

static void a_signature_is_that_of_rfc_6979(void **state)
{
    uint8_t hash[SHA256_OCTETS], signature[SIGNATURE_OCTETS], expected[SIGNATURE_OCTETS];
    unsigned char drawn = 1;

    (void)state;
    octets_sha256((const uint8_t *)"sample", 6, hash);
    assert_int_equal(hex_decode(sample_hex, strlen(sample_hex), expected, sizeof expected), SIGNATURE_OCTETS);
    assert_int_equal(signature_make(hash, private_key, counting, &drawn, signature), 0);
    assert_memory_equal(signature, expected, sizeof expected);
    assert_int_equal(signature_check(hash, expected, public_key), 0);
}

static void a_signature_of_another_hash_or_with_numbers_out_of_range_is_refused(void **state)
{
    /* The order of the group, SEC 2 2.4.2: r and s are from 1 to below it. */
    static const char order_hex[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    uint8_t hash[SHA256_OCTETS], signature[SIGNATURE_OCTETS], wrong[SIGNATURE_OCTETS];
    unsigned char drawn = 1;

    (void)state;
    octets_sha256((const uint8_t *)"sample", 6, hash);
    assert_int_equal(signature_make(hash, private_key, counting, &drawn, signature), 0);
    for (size_t at = 0; at < sizeof hash; at++) {
        hash[at] ^= 1;
        assert_int_equal(signature_check(hash, signature, public_key), -EBADMSG);
        hash[at] ^= 1;
    }
    for (unsigned half = 0; half < 2; half++) {
        memcpy(wrong, signature, sizeof wrong);
        memset(wrong + 32 * half, 0, 32);
        assert_int_equal(signature_check(hash, wrong, public_key), -EBADMSG);
        assert_int_equal(hex_decode(order_hex, strlen(order_hex), wrong + 32 * half, 32), 32);
        assert_int_equal(signature_check(hash, wrong, public_key), -EBADMSG);
        memset(wrong + 32 * half, 0xFF, 32);
        assert_int_equal(signature_check(hash, wrong, public_key), -EBADMSG);
    }
    memset(wrong, 0, sizeof wrong);
    assert_int_equal(signature_check(hash, wrong, public_key), -EBADMSG);
}

static void keys_that_are_none_and_chance_that_fails_are_told(void **state)
{
    uint8_t hash[SHA256_OCTETS] = { 1 }, signature[SIGNATURE_OCTETS], key[SIGNATURE_PUBLIC_KEY_OCTETS], none[SIGNATURE_PRIVATE_KEY_OCTETS];
    unsigned char drawn = 1;

    (void)state;
    memset(signature, 0x5A, sizeof signature);
    memset(none, 0, sizeof none);
    assert_int_equal(signature_make(hash, none, counting, &drawn, signature), -EINVAL);
    memset(none, 0xFF, sizeof none);
    assert_int_equal(signature_make(hash, none, counting, &drawn, signature), -EINVAL);
    assert_int_equal(signature_make(hash, private_key, nothing_random, NULL, signature), -EIO);
    for (size_t i = 0; i < sizeof signature; i++)
        assert_int_equal(signature[i], 0x5A);
    assert_int_equal(signature_make(hash, private_key, counting, &drawn, signature), 0);
    memcpy(key, public_key, sizeof key);
    key[64] ^= 1;                            /* not on the curve */
    assert_int_equal(signature_check(hash, signature, key), -EINVAL);
    memset(key, 0, sizeof key);
    assert_int_equal(signature_check(hash, signature, key), -EINVAL);
    memcpy(key, public_key, sizeof key);
    key[0] = 0x05;
    assert_int_equal(signature_check(hash, signature, key), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_of_each_kind_is_known_by_its_signature_whatever_was_drawn),
        cmocka_unit_test(a_command_for_another_box_or_enrolment_is_refused),
        cmocka_unit_test(no_octet_of_a_command_can_be_changed),
        cmocka_unit_test(a_command_with_what_its_kind_has_no_use_for_is_none),
        cmocka_unit_test(the_longest_reason_is_signed_to_its_last_letter),
        cmocka_unit_test(kinds_have_names_and_other_names_are_none),
        cmocka_unit_test(a_signature_is_that_of_rfc_6979),
        cmocka_unit_test(a_signature_of_another_hash_or_with_numbers_out_of_range_is_refused),
        cmocka_unit_test(keys_that_are_none_and_chance_that_fails_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
