/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/hex.h"
#include "src/credit/journal.h"

#define RUN 6

static const struct journal_head beginning = { 0, { 0 } };

static struct journal_entry an_entry(int64_t message_id)
{
    struct journal_entry entry = { .lease_id = 3, .kind = JOURNAL_CAPTURE, .message_id = message_id, .part = 1, .attempt = 1,
                                   .units_micro = 49000, .price_row = 12, .t_mono_ms = 123456, .t_wall_ms = 1790000000000 };

    memset(entry.boot_id, 0xB7, sizeof entry.boot_id);
    return entry;
}

/* Captures, a release and a void; returns the head behind them. */
static struct journal_head a_run(struct journal_entry entries[RUN])
{
    struct journal_head head = beginning;

    for (int i = 0; i < RUN; i++) {
        entries[i] = an_entry(100 + i);
        if (i == 2)
            entries[i].kind = JOURNAL_RELEASE, entries[i].attempt = 0;
        if (i == 4)
            entries[i].kind = JOURNAL_VOID, entries[i].refers_seq = 1, entries[i].message_id = 100;
        assert_int_equal(journal_append(&head, &entries[i]), 0);
        assert_int_equal(entries[i].seq, i + 1);
    }
    return head;
}

static void entries_are_numbered_and_chained_from_the_first(void **state)
{
    struct journal_entry entries[RUN];
    struct journal_head head = a_run(entries);
    enum journal_fault fault;

    (void)state;
    assert_memory_equal(entries[0].prev_hash, beginning.hash, SHA256_OCTETS);
    for (int i = 1; i < RUN; i++)
        assert_memory_equal(entries[i].prev_hash, entries[i - 1].hash, SHA256_OCTETS);
    assert_int_equal(head.seq, RUN);
    assert_memory_equal(head.hash, entries[RUN - 1].hash, SHA256_OCTETS);
    assert_int_equal(journal_check(&beginning, entries, RUN, &fault), RUN);
    assert_int_equal(fault, JOURNAL_INTACT);
}

static void an_entry_comes_back_from_its_octets_as_it_was(void **state)
{
    struct journal_entry entries[RUN], back;
    uint8_t octets[JOURNAL_OCTETS + 1] = { 0 }, again[JOURNAL_OCTETS];

    (void)state;
    a_run(entries);
    for (int i = 0; i < RUN; i++) {
        assert_int_equal(journal_encode(&entries[i], octets), 0);
        assert_int_equal(journal_decode(octets, JOURNAL_OCTETS, &back), 0);
        assert_int_equal(journal_encode(&back, again), 0);
        assert_memory_equal(octets, again, JOURNAL_OCTETS);
    }
    for (size_t length = 0; length <= sizeof octets; length++)
        if (length != JOURNAL_OCTETS)
            assert_int_equal(journal_decode(octets, length, &back), -EMSGSIZE);
    octets[0] = 2;
    assert_int_equal(journal_decode(octets, JOURNAL_OCTETS, &back), -ENOTSUP);
}

static void the_hash_is_that_of_the_hash_before_and_the_entry(void **state)
{
    /* sha256 of 32 zeros and the 83 octets that are written out here: fixed for ever, since other programs check it. */
    static const char body[] = "01" "01" "0000000000000001" "0000000000000003" "0000000000000064" "01" "00000001" "000000000000BF68"
                               "0000000C" "0000000000000000" "B7B7B7B7B7B7B7B7B7B7B7B7B7B7B7B7" "000000000001E240" "000001A0C4506C00";
    static const char hash[] = "A73D8FD871DBD3AC2EC5E5CD443604B140E0DA0123E2E28327C8BF1839708A12";
    struct journal_entry entries[RUN];
    uint8_t octets[JOURNAL_OCTETS];
    char text[2 * JOURNAL_OCTETS + 1];

    (void)state;
    a_run(entries);
    assert_int_equal(journal_encode(&entries[0], octets), 0);
    hex_encode(octets, JOURNAL_BODY_OCTETS, text);
    assert_string_equal(text, body);
    hex_encode(entries[0].hash, SHA256_OCTETS, text);
    assert_string_equal(text, hash);
}

static void no_bit_of_a_journal_can_be_changed_and_the_entry_is_named(void **state)
{
    struct journal_entry entries[RUN];
    uint8_t octets[JOURNAL_OCTETS];

    (void)state;
    a_run(entries);
    for (size_t i = 0; i < RUN; i++) {
        struct journal_entry good = entries[i];

        assert_int_equal(journal_encode(&good, octets), 0);
        for (size_t bit = 0; bit < 8 * JOURNAL_OCTETS; bit++) {
            enum journal_fault fault = JOURNAL_INTACT;

            octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (journal_decode(octets, JOURNAL_OCTETS, &entries[i]) == 0 &&
                (journal_check(&beginning, entries, RUN, &fault) != i || fault == JOURNAL_INTACT))
                fail_msg("bit %zu of entry %zu was changed, and nobody saw it there", bit, i);
            octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        entries[i] = good;
    }
}

static void an_entry_left_out_doubled_or_moved_is_named(void **state)
{
    struct journal_entry good[RUN], entries[RUN];
    enum journal_fault fault;

    (void)state;
    a_run(good);
    memcpy(entries, good, sizeof good);
    memmove(&entries[2], &entries[3], 3 * sizeof *entries);
    assert_int_equal(journal_check(&beginning, entries, RUN - 1, &fault), 2);
    assert_int_equal(fault, JOURNAL_GAP);
    memcpy(entries, good, sizeof good);
    entries[3] = good[2];
    assert_int_equal(journal_check(&beginning, entries, RUN, &fault), 3);
    assert_int_equal(fault, JOURNAL_GAP);
    memcpy(entries, good, sizeof good);
    entries[1] = good[2], entries[2] = good[1];
    assert_int_equal(journal_check(&beginning, entries, RUN, &fault), 1);
    assert_int_equal(fault, JOURNAL_GAP);
}

static void who_rewrites_an_entry_with_its_hash_is_seen_at_the_next(void **state)
{
    struct journal_entry entries[RUN];
    struct journal_head head = beginning;
    enum journal_fault fault;

    (void)state;
    a_run(entries);
    assert_int_equal(journal_append(&head, &entries[0]), 0);
    entries[1].units_micro = 1;
    assert_int_equal(journal_append(&head, &entries[1]), 0);
    assert_int_equal(journal_check(&beginning, entries, RUN, &fault), 2);
    assert_int_equal(fault, JOURNAL_BROKEN);
}

static void what_no_entry_can_be_is_not_appended(void **state)
{
    struct journal_entry rows[14];
    struct journal_head head;
    uint8_t octets[JOURNAL_OCTETS];
    enum journal_fault fault;

    (void)state;
    for (size_t i = 0; i < 14; i++)
        rows[i] = an_entry(5);
    rows[0].lease_id = 0;
    rows[1].kind = 0;
    rows[2].kind = JOURNAL_KINDS;
    rows[3].message_id = 0;
    rows[4].part = 0;
    rows[5].attempt = 0;
    rows[6].units_micro = 0;
    rows[7].units_micro = -1;
    rows[8].units_micro = JOURNAL_UNITS_MICRO_MAX + 1;
    rows[9].t_mono_ms = -1;
    rows[10].t_wall_ms = -1;
    rows[11].refers_seq = 1;
    rows[12].kind = JOURNAL_VOID, rows[12].refers_seq = 0;
    rows[13].kind = JOURNAL_VOID, rows[13].refers_seq = 1;   /* itself */
    for (size_t i = 0; i < 14; i++) {
        head = beginning;
        assert_int_equal(journal_append(&head, &rows[i]), -EINVAL);
        assert_int_equal(head.seq, 0);
        rows[i].seq = 1;
        assert_int_equal(journal_encode(&rows[i], octets), -EINVAL);
        assert_int_equal(journal_check(&beginning, &rows[i], 1, &fault), 0);
        assert_int_equal(fault, JOURNAL_MALFORMED);
    }
    for (unsigned i = 0; i < JOURNAL_FAULTS; i++)
        assert_true(strlen(journal_fault_words((enum journal_fault)i)) > 10);
}

static struct journal_head head_at(const struct journal_entry *entries, uint64_t seq)
{
    struct journal_head head = beginning;

    if (seq > 0) {
        head.seq = seq;
        memcpy(head.hash, entries[seq - 1].hash, SHA256_OCTETS);
    }
    return head;
}

static void the_suffix_begins_behind_what_is_acknowledged(void **state)
{
    struct journal_entry entries[RUN];

    (void)state;
    a_run(entries);
    for (uint64_t seq = 0; seq <= RUN; seq++) {
        struct journal_head acked = beginning, ack = head_at(entries, seq);
        size_t suffix = 99;

        assert_int_equal(journal_acknowledge(&acked, &beginning, entries, RUN, &ack, &suffix), JOURNAL_ACK_TAKEN);
        assert_int_equal(suffix, seq);
        assert_memory_equal(&acked, &ack, sizeof ack);
        /* The same answer again has the same effect. */
        assert_int_equal(journal_acknowledge(&acked, &beginning, entries, RUN, &ack, &suffix), JOURNAL_ACK_TAKEN);
        assert_int_equal(suffix, seq);
    }
}

static void what_was_acknowledged_never_goes_back(void **state)
{
    struct journal_entry entries[RUN];

    (void)state;
    a_run(entries);
    for (uint64_t first = 0; first <= 4; first++)
        for (uint64_t seq = 0; seq < 4; seq++) {
            /* The box keeps what is behind `first` alone; the account acknowledged four. */
            struct journal_head before = head_at(entries, first), acked = head_at(entries, 4), ack = head_at(entries, seq);
            size_t suffix = 99;

            assert_int_equal(journal_acknowledge(&acked, &before, entries + first, RUN - first, &ack, &suffix), JOURNAL_ACK_OLD);
            assert_int_equal(acked.seq, 4);
            assert_int_equal(suffix, 99);
        }
}

static void an_acknowledgement_of_something_else_is_a_fork(void **state)
{
    struct journal_entry entries[RUN];
    struct journal_head acked = beginning, ack;
    size_t suffix = 99;

    (void)state;
    a_run(entries);
    for (uint64_t seq = 0; seq <= RUN; seq++)
        for (size_t bit = 0; bit < 8 * SHA256_OCTETS; bit++) {
            ack = head_at(entries, seq);
            ack.hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(journal_acknowledge(&acked, &beginning, entries, RUN, &ack, &suffix), JOURNAL_ACK_FORK);
        }
    /* A copy of the box wrote on, or this one lost what it wrote. */
    ack = head_at(entries, RUN);
    assert_int_equal(journal_acknowledge(&acked, &beginning, entries, RUN - 1, &ack, &suffix), JOURNAL_ACK_FORK);
    ack.seq = UINT64_MAX;
    assert_int_equal(journal_acknowledge(&acked, &beginning, entries, RUN, &ack, &suffix), JOURNAL_ACK_FORK);
    assert_int_equal(acked.seq, 0);
    assert_int_equal(suffix, 99);
}

static void two_boxes_from_one_image_are_told_apart_at_their_first_entry(void **state)
{
    struct journal_entry entries[RUN], one, other;
    struct journal_head head = a_run(entries), copy = head, acked = head;
    size_t suffix;

    (void)state;
    one = other = an_entry(200);
    other.t_wall_ms++;
    assert_int_equal(journal_append(&head, &one), 0);
    assert_int_equal(journal_append(&copy, &other), 0);
    /* The account took the copy's usage. The number alone would look like the box's own. */
    assert_int_equal(head.seq, copy.seq);
    assert_int_equal(journal_acknowledge(&acked, &acked, &one, 1, &copy, &suffix), JOURNAL_ACK_FORK);
    assert_int_equal(journal_acknowledge(&acked, &acked, &one, 1, &head, &suffix), JOURNAL_ACK_TAKEN);
    assert_int_equal(suffix, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_numbered_and_chained_from_the_first),
        cmocka_unit_test(an_entry_comes_back_from_its_octets_as_it_was),
        cmocka_unit_test(the_hash_is_that_of_the_hash_before_and_the_entry),
        cmocka_unit_test(no_bit_of_a_journal_can_be_changed_and_the_entry_is_named),
        cmocka_unit_test(an_entry_left_out_doubled_or_moved_is_named),
        cmocka_unit_test(who_rewrites_an_entry_with_its_hash_is_seen_at_the_next),
        cmocka_unit_test(what_no_entry_can_be_is_not_appended),
        cmocka_unit_test(the_suffix_begins_behind_what_is_acknowledged),
        cmocka_unit_test(what_was_acknowledged_never_goes_back),
        cmocka_unit_test(an_acknowledgement_of_something_else_is_a_fork),
        cmocka_unit_test(two_boxes_from_one_image_are_told_apart_at_their_first_entry),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
