/* SPDX-License-Identifier: Apache-2.0 */
#include "store_testing.h"

#include "src/store/fold.h"
#include "src/store/tp_status.h"

/* One letter per part: . left, o open, ? unknown, s sent, D delivered, U undelivered, E expired, R rejected. */
static enum part_standing standing_of_letter(char letter)
{
    static const char letters[] = ".o?sDUER";

    return (enum part_standing)(strchr(letters, letter) - letters);
}

static void the_parts_of_a_message_amount_to_its_state(void **state)
{
    static const struct { const char *parts; enum message_state now; enum message_state then; } rows[] = {
        { ".", MESSAGE_QUEUED, MESSAGE_QUEUED },         { ".", MESSAGE_SENDING, MESSAGE_QUEUED },
        { ".", MESSAGE_SCHEDULED, MESSAGE_SCHEDULED },   { "...", MESSAGE_SENDING, MESSAGE_QUEUED },
        { "o", MESSAGE_QUEUED, MESSAGE_SENDING },        { "s.", MESSAGE_SENDING, MESSAGE_QUEUED },
        { "s.", MESSAGE_QUEUED, MESSAGE_QUEUED },        { "s.o", MESSAGE_SENDING, MESSAGE_SENDING },
        { "?.", MESSAGE_SENDING, MESSAGE_QUEUED },       { "U.", MESSAGE_SENDING, MESSAGE_QUEUED },
        { "so", MESSAGE_SENDING, MESSAGE_SENDING },      { "s", MESSAGE_SENDING, MESSAGE_SENT },
        { "ss", MESSAGE_SENDING, MESSAGE_SENT },         { "sD", MESSAGE_SENT, MESSAGE_SENT },
        { "DD", MESSAGE_SENT, MESSAGE_DELIVERED },       { "D", MESSAGE_UNKNOWN, MESSAGE_DELIVERED },
        { "?", MESSAGE_SENDING, MESSAGE_UNKNOWN },       { "s?", MESSAGE_SENDING, MESSAGE_UNKNOWN },
        { "D?", MESSAGE_SENT, MESSAGE_UNKNOWN },         { "sU", MESSAGE_SENT, MESSAGE_UNDELIVERED },
        { "DE", MESSAGE_SENT, MESSAGE_EXPIRED },         { "RD", MESSAGE_SENT, MESSAGE_REJECTED },
        { "U?", MESSAGE_SENT, MESSAGE_UNDELIVERED },     { "EU", MESSAGE_SENT, MESSAGE_EXPIRED },
        { "UE", MESSAGE_SENT, MESSAGE_UNDELIVERED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum part_standing parts[8];
        uint16_t count = (uint16_t)strlen(rows[i].parts);
        enum message_state then;

        for (uint16_t j = 0; j < count; j++)
            parts[j] = standing_of_letter(rows[i].parts[j]);
        then = message_fold(rows[i].now, parts, count);
        if (then != rows[i].then)
            fail_msg("\"%s\" from %s: %s", rows[i].parts, message_state_name(rows[i].now), message_state_name(then));
    }
}

static void the_best_known_attempt_of_a_part_counts(void **state)
{
    (void)state;
    assert_int_equal(part_standing_of(ATTEMPT_INTENT, -1), PART_OPEN);
    assert_int_equal(part_standing_of(ATTEMPT_WITHDRAWN, -1), PART_LEFT);
    assert_int_equal(part_standing_of(ATTEMPT_REFUSED, -1), PART_LEFT);
    assert_int_equal(part_standing_of(ATTEMPT_NOT_SENT, -1), PART_LEFT);
    assert_int_equal(part_standing_of(ATTEMPT_UNKNOWN, -1), PART_UNKNOWN);
    assert_int_equal(part_standing_of(ATTEMPT_SENT, -1), PART_SENT);
    assert_int_equal(part_standing_of(ATTEMPT_SENT, 0x22), PART_SENT);
    assert_int_equal(part_standing_of(ATTEMPT_SENT, 0x00), PART_DELIVERED);
    assert_int_equal(part_standing_of(ATTEMPT_SENT, 0x46), PART_EXPIRED);
    assert_int_equal(part_standing_of(ATTEMPT_SENT, 0x63), PART_REJECTED);
    assert_int_equal(part_standing_best(PART_LEFT, PART_SENT), PART_SENT);
    assert_int_equal(part_standing_best(PART_OPEN, PART_LEFT), PART_OPEN);
}

/* Found by the simulation: sent twice at its owner's wish, the second copy delivered, the first one expired. */
static void a_part_that_arrived_once_is_delivered_whatever_became_of_its_other_copy(void **state)
{
    (void)state;
    for (int other = PART_LEFT; other <= PART_REJECTED; other++) {
        assert_int_equal(part_standing_best(PART_DELIVERED, (enum part_standing)other), PART_DELIVERED);
        assert_int_equal(part_standing_best((enum part_standing)other, PART_DELIVERED), PART_DELIVERED);
    }
}

static void every_tp_status_has_one_meaning(void **state)
{
    static const struct { uint8_t status; bool final; enum message_state then; } rows[] = {
        { 0x00, true, MESSAGE_DELIVERED },   { 0x01, true, MESSAGE_DELIVERED },   { 0x02, true, MESSAGE_UNDELIVERED },
        { 0x03, true, MESSAGE_DELIVERED },   { 0x1F, true, MESSAGE_DELIVERED },   { 0x20, false, MESSAGE_SENT },
        { 0x3F, false, MESSAGE_SENT },       { 0x40, true, MESSAGE_UNDELIVERED }, { 0x42, true, MESSAGE_REJECTED },
        { 0x45, true, MESSAGE_UNDELIVERED }, { 0x46, true, MESSAGE_EXPIRED },     { 0x47, true, MESSAGE_UNDELIVERED },
        { 0x5F, true, MESSAGE_UNDELIVERED }, { 0x60, true, MESSAGE_UNDELIVERED }, { 0x63, true, MESSAGE_REJECTED },
        { 0x7F, true, MESSAGE_UNDELIVERED }, { 0x80, true, MESSAGE_REJECTED },    { 0xFF, true, MESSAGE_REJECTED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tp_status *row = tp_status_find(rows[i].status);

        if (row->final != rows[i].final || row->state != rows[i].then)
            fail_msg("0x%02X", rows[i].status);
    }
    for (int status = 0; status <= 255; status++) {
        const struct tp_status *row = tp_status_find((uint8_t)status);

        assert_true(row->first <= status && status <= row->last && row->words[0] != '\0');
        assert_int_equal(row->final, message_state_is_final(row->state));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_of_a_message_amount_to_its_state),
        cmocka_unit_test(the_best_known_attempt_of_a_part_counts),
        cmocka_unit_test(a_part_that_arrived_once_is_delivered_whatever_became_of_its_other_copy),
        cmocka_unit_test(every_tp_status_has_one_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
