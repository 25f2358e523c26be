/* SPDX-License-Identifier: Apache-2.0 */
#include "src/gateway/sim_health.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define MINUTE_US 60000000ull

static void one_refusal_that_may_mean_anything_speaks_of_the_number(void **state)
{
    struct sim_health health = { .sent = 0 };

    (void)state;
    assert_false(sim_health_refused(&health, ERROR_VARIES, 1, 0));
    assert_false(sim_health_rests(&health, 1));
}

static void a_row_of_them_over_different_recipients_speaks_of_the_sim(void **state)
{
    struct sim_health health = { .sent = 0 };

    (void)state;
    assert_false(sim_health_refused(&health, ERROR_VARIES, 1, 0));
    assert_false(sim_health_refused(&health, ERROR_VARIES, 1, 0));
    assert_false(sim_health_refused(&health, ERROR_VARIES, 1, 0));
    assert_false(sim_health_refused(&health, ERROR_VARIES, 2, 0));
    assert_true(sim_health_refused(&health, ERROR_VARIES, 3, 0));
    assert_true(sim_health_rests(&health, 4 * MINUTE_US));
    assert_false(sim_health_rests(&health, 5 * MINUTE_US));
}

static void a_part_that_is_sent_ends_the_row(void **state)
{
    struct sim_health health = { .sent = 0 };

    (void)state;
    for (uint32_t i = 0; i < 20; i += 2) {
        assert_false(sim_health_refused(&health, ERROR_VARIES, i, 0));
        assert_false(sim_health_refused(&health, ERROR_VARIES, i + 1, 0));
        sim_health_sent(&health);
    }
    assert_false(sim_health_rests(&health, 1));
}

static void reports_of_one_kind_over_different_recipients_speak_of_the_sim_too(void **state)
{
    struct sim_health health = { .sent = 0 };

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        sim_health_reported(&health, tp_status_find(0x63), i, 0);
        sim_health_sent(&health);        /* that the network takes parts says nothing about their delivery */
    }
    assert_false(sim_health_rests(&health, 1));
    sim_health_reported(&health, tp_status_find(0x00), 7, 0);
    sim_health_reported(&health, tp_status_find(0x63), 8, 0);
    sim_health_reported(&health, tp_status_find(0x63), 9, 0);
    sim_health_reported(&health, tp_status_find(0x43), 10, 0);   /* of the recipient */
    sim_health_reported(&health, tp_status_find(0x22), 11, 0);   /* not final */
    sim_health_reported(&health, tp_status_find(0x63), 9, 0);
    assert_false(sim_health_rests(&health, 1));
    sim_health_reported(&health, tp_status_find(0x80), 12, 0);
    assert_true(sim_health_rests(&health, 1));
    assert_int_equal(health.cause, ERROR_SIM);
}

static void rests_grow_and_shrink_only_step_by_step(void **state)
{
    struct sim_health health = { .sent = 0 };

    (void)state;
    assert_true(sim_health_refused(&health, ERROR_SIM, 1, 0));
    assert_true(health.rest_until_us == 5 * MINUTE_US);
    sim_health_sent(&health);   /* one part that went through is no recovery */
    assert_true(sim_health_refused(&health, ERROR_SIM, 2, 0));
    assert_true(health.rest_until_us == 15 * MINUTE_US);
    for (int i = 0; i < 12; i++)
        sim_health_sent(&health);
    assert_true(sim_health_refused(&health, ERROR_SIM, 3, 0));
    assert_true(health.rest_until_us == 5 * MINUTE_US);
    for (uint32_t i = 0; i < 300; i++)
        (void)sim_health_refused(&health, ERROR_SIM, i, 0);
    assert_true(health.rest_until_us == 240 * MINUTE_US);
}

static void what_is_wrong_with_a_message_does_not_tire_the_sim(void **state)
{
    struct sim_health health = { .sent = 0 };

    (void)state;
    for (uint32_t i = 0; i < 50; i++) {
        assert_false(sim_health_refused(&health, ERROR_RECIPIENT, i, 0));
        assert_false(sim_health_refused(&health, ERROR_MESSAGE, i, 0));
        assert_false(sim_health_refused(&health, ERROR_TRANSIENT, i, 0));
    }
    assert_false(sim_health_rests(&health, 1));
}

static void congestion_makes_it_wait_but_is_not_its_fault(void **state)
{
    struct sim_health health = { .sent = 0 };

    (void)state;
    assert_false(sim_health_refused(&health, ERROR_CONGESTION, 1, 0));
    assert_true(sim_health_rests(&health, MINUTE_US - 1));
    assert_false(sim_health_rests(&health, MINUTE_US));
}

static void an_outage_of_the_network_does_not_send_the_sim_to_bed_for_hours(void **state)
{
    struct sim_health health = { .sent = 0 };

    (void)state;
    for (uint32_t i = 0; i < 10; i++)
        assert_false(sim_health_refused(&health, ERROR_CONGESTION, i, 0));
    for (uint32_t i = 0; i < SIM_STREAK_MAX; i++)
        (void)sim_health_refused(&health, ERROR_VARIES, i, 0);
    assert_true(health.rest_until_us == 5 * MINUTE_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_refusal_that_may_mean_anything_speaks_of_the_number),
        cmocka_unit_test(a_row_of_them_over_different_recipients_speaks_of_the_sim),
        cmocka_unit_test(a_part_that_is_sent_ends_the_row),
        cmocka_unit_test(reports_of_one_kind_over_different_recipients_speak_of_the_sim_too),
        cmocka_unit_test(rests_grow_and_shrink_only_step_by_step),
        cmocka_unit_test(what_is_wrong_with_a_message_does_not_tire_the_sim),
        cmocka_unit_test(congestion_makes_it_wait_but_is_not_its_fault),
        cmocka_unit_test(an_outage_of_the_network_does_not_send_the_sim_to_bed_for_hours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
