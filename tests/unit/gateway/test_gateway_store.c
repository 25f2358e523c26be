/* SPDX-License-Identifier: Apache-2.0
 *
 * The store fails, comes back, or is damaged, while messages are under way. */
#include "tests/unit/gateway/rig.h"

#include <errno.h>

static void a_full_disk_refuses_intake_and_keeps_what_modems_said(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "before" });
    rig->store_error = -ENOSPC;
    rig_submit(rig, (struct rig_text){ .text = "refused" });
    assert_int_equal(rig->last_result, -ENOSPC);
    rig_submit(rig, (struct rig_text){ .text = "refused too" });
    assert_int_equal(rig->last_result, -ENOSPC);
    assert_false(gateway_accepting(rig->gateway, NULL));
    rig_result(rig, 0, GATEWAY_SENT, 5, -1);   /* the modem's answer cannot be written */
    rig_commit(rig);
    for (int i = 0; i < 10; i++)
        rig_pass_ms(rig, 1000);
    assert_int_equal(rig_state(rig, id), MESSAGE_SENDING);
    rig->store_error = 0;
    rig_pass_ms(rig, 1001);
    assert_true(gateway_accepting(rig->gateway, NULL));
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    id = rig_submit(rig, (struct rig_text){ .text = "after" });
    assert_string_equal(rig->sent[rig->sent_count - 1].tpdu.text, "after");
    rig_free(rig);
}

/* Found by the simulation: the store came back with a report, and the outcome before it was never written. */
static void what_failed_to_commit_is_written_with_whatever_shows_that_the_store_is_back(void **state)
{
    struct rig *rig = rig_new();
    int64_t id;

    (void)state;
    rig_modem(rig, 0);
    id = rig_submit(rig, (struct rig_text){ .text = "a" });
    rig_commit(rig);
    rig->store_error = -EIO;
    rig_result(rig, 0, GATEWAY_SENT, 7, -1);
    rig_commit(rig);
    rig->store_error = 0;
    (void)rig_cancel(rig, id);   /* any change that commits, before the next try is due */
    assert_int_equal(rig_state(rig, id), MESSAGE_SENT);
    rig_free(rig);
}

/* Found by the simulation: a slow disk that fails must not make the loop spin until it has said so. */
static void a_failing_commit_under_way_makes_nothing_due(void **state)
{
    struct change_sim sim = { .iccid = "8940000000000000000" };
    struct rig *rig = rig_new();
    struct store_change *list;

    (void)state;
    (void)rig_submit(rig, (struct rig_text){ .text = "a", .due_in_ms = 3000 });
    rig->store_error = -EIO;
    rig_pass_ms(rig, 3000);      /* what is due is asked for, and fails */
    gateway_slot_sim(rig->gateway, 0, "port", &sim, rig->now);
    list = gateway_take_changes(rig->gateway);
    assert_non_null(list);       /* under way */
    gateway_poll(rig->gateway, rig->now);
    assert_true(gateway_deadline_us(rig->gateway) > rig->now.mono_us);
    list->result = -EIO;
    gateway_changes_done(rig->gateway, list, -EIO, 400000, rig->now);
    assert_true(gateway_deadline_us(rig->gateway) > rig->now.mono_us);
    rig_free(rig);
}

/* Found by the simulation: a commit that failed was there all the same when the disk came back. */
static void what_landed_in_spite_of_its_error_is_neither_lost_nor_stuck(void **state)
{
    struct rig *rig = rig_new();
    int64_t accepted, intended;

    (void)state;
    intended = rig_submit(rig, (struct rig_text){ .text = "a" });
    rig->landed_error = -EIO;
    (void)rig_submit(rig, (struct rig_text){ .text = "b" });   /* its client has an error and may never come again */
    assert_int_equal(rig->last_result, -EIO);
    accepted = intended + 1;
    rig->landed_error = 0;
    rig_pass_ms(rig, 2000);
    rig->landed_error = -EIO;
    rig_modem(rig, 0);           /* the card's row, then an intent: both fail, both land */
    rig->landed_error = 0;
    for (int i = 0; i < 5; i++)
        rig_pass_ms(rig, 2000);
    rig->landed_error = -EIO;
    gateway_slot_ready(rig->gateway, 0, true, rig->now);
    rig_commit(rig);
    rig->landed_error = 0;
    for (size_t i = 0; i < 2; i++) {
        for (int j = 0; j < 5; j++)
            rig_pass_ms(rig, 2000);
        assert_int_equal(rig->sent_count, i + 1);
        rig_result(rig, i, GATEWAY_SENT, (int)i, -1);
        rig_commit(rig);
    }
    assert_int_equal(rig_state(rig, intended), MESSAGE_SENT);
    assert_int_equal(rig_state(rig, accepted), MESSAGE_SENT);
    rig_free(rig);
}

static void no_intent_no_hand_over_even_if_the_disk_comes_back_much_later(void **state)
{
    struct rig *rig = rig_new();

    (void)state;
    rig_submit(rig, (struct rig_text){ .text = "waits" });
    rig->store_error = -EIO;
    rig_modem(rig, 0);
    rig_pass_ms(rig, 100000);
    assert_int_equal(rig->sent_count, 0);
    rig->store_error = 0;
    rig_pass_ms(rig, 1001);
    rig_pass_ms(rig, 1);
    assert_int_equal(rig->sent_count, 1);
    rig_free(rig);
}

static void a_stop_takes_back_what_waits_and_lets_the_air_finish(void **state)
{
    struct rig *rig = rig_new();
    int64_t on_air, behind;

    (void)state;
    rig_modem(rig, 0);
    on_air = rig_submit(rig, (struct rig_text){ .text = "on air" });
    behind = rig_submit(rig, (struct rig_text){ .text = "behind" });
    gateway_stop(rig->gateway, rig->now);
    rig_commit(rig);
    assert_false(gateway_idle(rig->gateway));
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    assert_true(gateway_idle(rig->gateway));
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig_state(rig, on_air), MESSAGE_SENT);
    assert_int_equal(rig_state(rig, behind), MESSAGE_QUEUED);
    rig_restart(rig);
    rig_modem(rig, 0);
    assert_string_equal(rig->sent[0].tpdu.text, "behind");
    rig_free(rig);
}

static void a_damaged_store_takes_nothing_new_hands_nothing_over_and_notes_what_is_on_the_air(void **state)
{
    static const char deliver[] = "0006110B910407000000F1621112131415006211121314150000";
    struct rig *rig = rig_new();
    const char *reason = NULL;
    int64_t on_air, behind;

    (void)state;
    rig_modem(rig, 0);
    on_air = rig_submit(rig, (struct rig_text){ .text = "on air" });
    behind = rig_submit(rig, (struct rig_text){ .text = "behind" });
    gateway_store_damaged(rig->gateway, rig->now);
    rig_commit(rig);
    assert_false(gateway_accepting(rig->gateway, &reason));
    assert_non_null(strstr(reason, "damaged"));
    (void)rig_submit(rig, (struct rig_text){ .text = "new" });
    assert_int_equal(rig->last_result, -EBADMSG);
    rig_result(rig, 0, GATEWAY_SENT, 1, -1);
    rig_commit(rig);
    assert_int_equal(rig_state(rig, on_air), MESSAGE_SENT);
    gateway_received(rig->gateway, 0, deliver, sizeof deliver - 1, 7, rig->now);
    rig_modem(rig, 1);
    for (int i = 0; i < 10; i++)
        rig_pass_ms(rig, 60000);
    assert_int_equal(rig->sent_count, 1);
    assert_int_equal(rig->stored_count, 0);
    assert_int_equal(rig_state(rig, behind), MESSAGE_QUEUED);
    assert_false(gateway_accepting(rig->gateway, NULL));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_intake_and_keeps_what_modems_said),
        cmocka_unit_test(what_failed_to_commit_is_written_with_whatever_shows_that_the_store_is_back),
        cmocka_unit_test(a_failing_commit_under_way_makes_nothing_due),
        cmocka_unit_test(what_landed_in_spite_of_its_error_is_neither_lost_nor_stuck),
        cmocka_unit_test(no_intent_no_hand_over_even_if_the_disk_comes_back_much_later),
        cmocka_unit_test(a_stop_takes_back_what_waits_and_lets_the_air_finish),
        cmocka_unit_test(a_damaged_store_takes_nothing_new_hands_nothing_over_and_notes_what_is_on_the_air),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
