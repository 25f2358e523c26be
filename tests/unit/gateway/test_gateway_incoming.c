/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes in, and the card it is booked on: also before the card's row in the store is known, and while cards change. */
#include "tests/unit/gateway/rig.h"

#include "src/gateway/sim_health.h"

#include <errno.h>

/* "How are you?" from +31641600986. */
#define HOW_ARE_YOU "07911326040000F0040B911346610089F60000208062917314480CC8F71D14969741F977FD07"
/* TP-MR 17, to +40700000001, at its recipient (TP-ST 00). */
#define REPORT_MR17 "0006110B910407000000F1621112131415006211121314150000"

static const struct change_sim card_a = { .iccid = "8940000000000000001", .imei = "350000000000001" };
static const struct change_sim card_b = { .iccid = "8940000000000000002", .imei = "350000000000001" };

static void come_in(struct rig *rig, const char *pdu_hex, uint32_t handle)
{
    gateway_received(rig->gateway, 0, pdu_hex, strlen(pdu_hex), handle, rig->now);
}

static void report_in(struct rig *rig, const char *pdu_hex, uint32_t handle)
{
    gateway_report(rig->gateway, 0, pdu_hex, strlen(pdu_hex), handle, rig->now);
}

static void card_in(struct rig *rig, const struct change_sim *card)
{
    gateway_slot_sim(rig->gateway, 0, "port", card, rig->now);
}

/* -- the card it is booked on ----------------------------------------------------------------------------------- */

static void what_waits_for_the_row_of_its_card_goes_to_that_card_though_another_one_is_in_by_then(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *list;
    struct inbox_row row;

    (void)state;
    card_in(rig, &card_a);
    come_in(rig, HOW_ARE_YOU, 5);
    list = gateway_take_changes(rig->gateway);   /* the row of the first card is asked for */
    card_in(rig, &card_b);
    come_in(rig, "0791AABB", 6);
    rig_commit_list(rig, list);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 2);
    assert_int_equal(rig->stored[0], 5);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), 0);
    assert_string_equal(row.text, "How are you?");
    assert_string_equal(row.iccid, card_a.iccid);
    assert_int_equal(store_read_inbox_one(rig->reader, 2, &row), 0);
    assert_string_equal(row.iccid, card_b.iccid);
    rig_free(rig);
}

/* Both cards have a part under this TP-MR to this recipient. */
static void a_report_that_waited_counts_for_the_card_it_came_by(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *list;
    int64_t of_a, of_b;

    (void)state;
    for (int i = 0; i < 2; i++) {
        card_in(rig, i == 0 ? &card_a : &card_b);
        gateway_slot_ready(rig->gateway, 0, true, rig->now);
        *(i == 0 ? &of_a : &of_b) = rig_submit(rig, (struct rig_text){ .text = "same reference" });
        rig_result(rig, (size_t)i, GATEWAY_SENT, 17, -1);
        rig_commit(rig);
        gateway_slot_ready(rig->gateway, 0, false, rig->now);
    }
    card_in(rig, &card_a);
    report_in(rig, REPORT_MR17, 7);
    list = gateway_take_changes(rig->gateway);
    card_in(rig, &card_b);
    rig_commit_list(rig, list);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, of_a), MESSAGE_DELIVERED);
    assert_int_equal(rig_state(rig, of_b), MESSAGE_SENT);
    rig_free(rig);
}

static void a_card_that_comes_back_keeps_what_waited_for_it_both_times(void **state)
{
    static const struct change_sim *const cards[] = { &card_a, &card_b, &card_a };
    static const char *const pdus[] = { "0791AA01", "0791AA02", "0791AA03" };
    struct rig *rig = rig_new();
    struct store_change *lists[3];
    struct inbox_row row;

    (void)state;
    for (int i = 0; i < 3; i++) {
        card_in(rig, cards[i]);
        come_in(rig, pdus[i], (uint32_t)i + 1);
        lists[i] = gateway_take_changes(rig->gateway);
    }
    for (int i = 0; i < 3; i++)
        rig_commit_list(rig, lists[i]);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_read_inbox_one(rig->reader, i + 1, &row), 0);
        assert_string_equal(row.pdu_hex, pdus[i]);
        assert_string_equal(row.iccid, cards[i]->iccid);
    }
    rig_free(rig);
}

/* The change that asks for a row is one of those that are kept. */
static void a_disk_that_fails_meanwhile_mixes_nothing_up(void **state)
{
    struct rig *rig = rig_new();
    struct inbox_row row;

    (void)state;
    rig->store_error = -EIO;
    card_in(rig, &card_a);
    come_in(rig, HOW_ARE_YOU, 5);
    rig_commit(rig);
    card_in(rig, &card_b);
    come_in(rig, "0791AABB", 6);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 0);
    rig->store_error = 0;
    rig_pass_ms(rig, 1001);
    assert_int_equal(rig->stored_count, 2);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), 0);
    assert_string_equal(row.iccid, card_a.iccid);
    assert_int_equal(store_read_inbox_one(rig->reader, 2, &row), 0);
    assert_string_equal(row.iccid, card_b.iccid);
    rig_free(rig);
}

static void an_event_names_a_card_only_while_it_is_in(void **state)
{
    struct rig *rig = rig_new();
    struct store_change *list;

    (void)state;
    card_in(rig, &card_a);
    rig_commit(rig);
    come_in(rig, HOW_ARE_YOU, 5);
    rig_commit(rig);
    assert_int_equal(rig->incoming, 1);
    assert_string_equal(rig->incoming_iccid, card_a.iccid);
    come_in(rig, "0791AABB", 6);
    list = gateway_take_changes(rig->gateway);
    card_in(rig, &card_b);
    rig_commit_list(rig, list);
    assert_int_equal(rig->incoming, 2);
    assert_string_equal(rig->incoming_iccid, "");
    rig_free(rig);
}

/* Reports alone can send a SIM to bed (sim_health.h): not the one that came after it. TP-ST 45h: no interworking. */
static void reports_that_speak_against_a_card_do_not_tire_the_one_that_is_in_by_then(void **state)
{
    (void)state;
    for (int changed = 0; changed <= 1; changed++) {
        struct rig *rig = rig_new();
        struct store_change *rows = NULL;
        uint64_t left_us;
        const char *cause;

        card_in(rig, &card_a);
        gateway_slot_ready(rig->gateway, 0, true, rig->now);
        rig_commit(rig);
        for (uint32_t i = 0; i < SIM_STREAK_MAX; i++) {
            char to[24];

            (void)snprintf(to, sizeof to, "+4070000000%u", i);
            (void)rig_submit(rig, (struct rig_text){ .text = "a", .to = to });
            rig_result(rig, i, GATEWAY_SENT, 17, -1);
            rig_commit(rig);
        }
        gateway_slot_ready(rig->gateway, 0, false, rig->now);
        for (uint32_t i = 0; i < SIM_STREAK_MAX; i++) {
            char pdu[64];

            (void)snprintf(pdu, sizeof pdu, "0006110B910407000000F%u6290124131020062901241310200" "45", i);
            report_in(rig, pdu, i + 1);
        }
        if (changed) {
            struct store_change *list = gateway_take_changes(rig->gateway);

            card_in(rig, &card_b);
            rows = gateway_take_changes(rig->gateway);
            rig_commit_list(rig, list);
            rig_commit_list(rig, rows);
        }
        rig_commit(rig);
        assert_int_equal(rig->stored_count, SIM_STREAK_MAX);
        assert_int_equal(rig->incoming, SIM_STREAK_MAX);
        assert_int_equal(gateway_rests(rig->gateway, 0, rig->now.mono_us, &left_us, &cause), !changed);
        rig_free(rig);
    }
}

/* -- bounds and odd ones --------------------------------------------------------------------------------------- */

static void come_in_numbered(struct rig *rig, uint32_t number)
{
    char pdu[16];

    (void)snprintf(pdu, sizeof pdu, "0791AA%04X", number);
    come_in(rig, pdu, number);
}

static void what_waits_for_a_row_has_a_bound_and_the_rest_stays_with_the_modem(void **state)
{
    enum { BOUND = 1024, ALL = BOUND + 3 };
    struct rig *rig = rig_new();

    (void)state;
    card_in(rig, &card_a);
    for (uint32_t i = 1; i <= ALL; i++)
        come_in_numbered(rig, i);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, BOUND);
    assert_int_equal(rig->stored[BOUND - 1], BOUND);
    for (uint32_t i = BOUND + 1; i <= ALL; i++)
        come_in_numbered(rig, i);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, ALL);
    rig_free(rig);
}

static void what_a_disk_that_fails_makes_wait_has_a_bound_and_the_rest_stays_with_the_modem(void **state)
{
    enum { BOUND = 8192, OVER = 3 };
    struct rig *rig = rig_new();
    struct inbox_row row;

    (void)state;
    card_in(rig, &card_a);
    rig_commit(rig);
    rig->store_error = -ENOSPC;
    for (uint32_t i = 1; i <= BOUND + OVER; i++)
        come_in_numbered(rig, i);
    report_in(rig, REPORT_MR17, BOUND + OVER + 1);
    rig_commit(rig);
    rig->store_error = 0;
    rig_pass_ms(rig, 1001);
    assert_int_equal(rig->stored_count, BOUND);
    assert_int_equal(store_read_inbox_one(rig->reader, BOUND + 1, &row), -ENOENT);
    come_in_numbered(rig, BOUND + 1);
    report_in(rig, REPORT_MR17, BOUND + OVER + 1);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, BOUND + 2);
    assert_int_equal(rig->stored[BOUND], BOUND + 1);
    assert_int_equal(rig->stored[BOUND + 1], BOUND + OVER + 1);
    rig_free(rig);
}

static void data_of_eight_bits_comes_in_as_it_is(void **state)
{
    static const uint8_t data[] = { 0x00, 0xFF, 0x41 };
    struct rig *rig = rig_new();
    struct inbox_row row;

    (void)state;
    card_in(rig, &card_a);
    come_in(rig, "00040B913306100726F20004521071912034800300FF41", 5);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 1);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), 0);
    assert_string_equal(row.problem, "");
    assert_null(row.text);
    assert_int_equal(row.data_length, sizeof data);
    assert_memory_equal(row.data, data, sizeof data);
    rig_free(rig);
}

static void what_is_said_to_be_a_report_and_is_none_comes_to_the_inbox(void **state)
{
    struct rig *rig = rig_new();
    struct inbox_row row;

    (void)state;
    card_in(rig, &card_a);
    report_in(rig, HOW_ARE_YOU, 5);      /* some modems keep both kinds in one place */
    report_in(rig, "0791AABB", 6);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 2);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), 0);
    assert_string_equal(row.text, "How are you?");
    assert_int_equal(store_read_inbox_one(rig->reader, 2, &row), 0);
    assert_string_equal(row.pdu_hex, "0791AABB");
    assert_true(row.problem[0] != '\0');
    rig_free(rig);
}

static void a_card_in_another_modem_is_the_same_card(void **state)
{
    static const struct change_sim elsewhere = { .iccid = "8940000000000000001", .imei = "350000000000009" };
    struct rig *rig = rig_new();
    struct inbox_row row;

    (void)state;
    card_in(rig, &card_a);
    rig_commit(rig);
    card_in(rig, &elsewhere);
    come_in(rig, HOW_ARE_YOU, 5);
    rig_commit(rig);
    assert_int_equal(store_read_inbox_one(rig->reader, 1, &row), 0);
    assert_string_equal(row.iccid, card_a.iccid);
    assert_string_equal(row.imei, elsewhere.imei);
    rig_free(rig);
}

static void nobody_knows_the_modem_of_a_slot_that_was_never_announced(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    gateway_received(rig->gateway, 7, HOW_ARE_YOU, strlen(HOW_ARE_YOU), 5, rig->now);
    gateway_report(rig->gateway, 7, REPORT_MR17, strlen(REPORT_MR17), 6, rig->now);
    gateway_card_count(rig->gateway, 7, 21, rig->now);
    gateway_slot_restarted(rig->gateway, 7);
    gateway_slot_ready(rig->gateway, 7, true, rig->now);
    rig_commit(rig);
    assert_int_equal(rig->stored_count, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_for_the_row_of_its_card_goes_to_that_card_though_another_one_is_in_by_then),
        cmocka_unit_test(a_report_that_waited_counts_for_the_card_it_came_by),
        cmocka_unit_test(a_card_that_comes_back_keeps_what_waited_for_it_both_times),
        cmocka_unit_test(a_disk_that_fails_meanwhile_mixes_nothing_up),
        cmocka_unit_test(an_event_names_a_card_only_while_it_is_in),
        cmocka_unit_test(reports_that_speak_against_a_card_do_not_tire_the_one_that_is_in_by_then),
        cmocka_unit_test(what_waits_for_a_row_has_a_bound_and_the_rest_stays_with_the_modem),
        cmocka_unit_test(what_a_disk_that_fails_makes_wait_has_a_bound_and_the_rest_stays_with_the_modem),
        cmocka_unit_test(data_of_eight_bits_comes_in_as_it_is),
        cmocka_unit_test(what_is_said_to_be_a_report_and_is_none_comes_to_the_inbox),
        cmocka_unit_test(a_card_in_another_modem_is_the_same_card),
        cmocka_unit_test(nobody_knows_the_modem_of_a_slot_that_was_never_announced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
