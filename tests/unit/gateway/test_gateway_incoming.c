/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes in, and the card it is booked on: also before the card's row in the store is known, and while cards change. */
#include "tests/unit/gateway/rig.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_for_the_row_of_its_card_goes_to_that_card_though_another_one_is_in_by_then),
        cmocka_unit_test(a_report_that_waited_counts_for_the_card_it_came_by),
        cmocka_unit_test(a_card_that_comes_back_keeps_what_waited_for_it_both_times),
        cmocka_unit_test(a_disk_that_fails_meanwhile_mixes_nothing_up),
        cmocka_unit_test(an_event_names_a_card_only_while_it_is_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
