/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_world.h"

static struct world *fault_world(enum sim_fault fault, uint32_t argument)
{
    struct world *w = world_new(&(struct sim_network_config){ .seed = 1, .air_us = SECONDS(3), .report_us = SECONDS(1) },
                                &(struct sim_modem_config){ .boot_us = SECONDS(2) });

    sim_modem_set_card(sim_network_modem(w->network, 1), NULL, 0);
    sim_modem_trigger_fault(w->modem, fault, argument, 0);
    return w;
}

static void a_lost_reply_leaves_the_part_sent_and_the_modem_alive(void **state)
{
    struct world *w = fault_world(SIM_FAULT_LOST_REPLY, 0);

    (void)state;
    assert_string_equal(world_send(w, SECONDS(600)), "");
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 1);
    assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
    assert_non_null(strstr(world_send(w, SECONDS(4)), "+CMGS: 1"));
    world_free(w);
}

static void a_late_answer_comes_before_those_of_the_lines_typed_meanwhile(void **state)
{
    struct world *w = fault_world(SIM_FAULT_LATE, 200000);

    (void)state;
    assert_string_equal(world_send(w, SECONDS(202)), "");
    assert_string_equal(world_ask_for(w, "AT", MS(999)), "");
    world_run(w, MS(1));
    assert_string_equal(w->output, "\r\n+CMGS: 0\r\n\r\nOK\r\n\r\nOK\r\n");
    world_free(w);
}

static void a_hung_modem_answers_nothing_until_its_time_is_over_or_power_goes(void **state)
{
    struct world *w = world_new(NULL, &(struct sim_modem_config){ .boot_us = SECONDS(1) });

    (void)state;
    sim_modem_trigger_fault(w->modem, SIM_FAULT_HANG, 5000, 0);
    assert_string_equal(world_ask_for(w, "AT", SECONDS(5) - 1), "");
    world_run(w, 1);
    assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
    sim_modem_trigger_fault(w->modem, SIM_FAULT_HANG, 0, w->now_us);
    assert_string_equal(world_ask_for(w, "AT", SECONDS(100000)), "");
    sim_modem_reset(w->modem, w->now_us);
    world_run(w, SECONDS(2));
    assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
    world_free(w);
}

static void errors_of_all_three_forms_mean_not_sent(void **state)
{
    static const struct { enum sim_fault fault; uint32_t argument; const char *answer; } rows[] = {
        { SIM_FAULT_CMS, 38, "\r\n+CMS ERROR: 38\r\n" }, { SIM_FAULT_CMS, 0, "\r\n+CMS ERROR: 500\r\n" },
        { SIM_FAULT_CME, 30, "\r\n+CME ERROR: 30\r\n" }, { SIM_FAULT_ERROR, 0, "\r\nERROR\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = fault_world(rows[i].fault, rows[i].argument);

        (void)world_ask(w, "AT+CMEE=1");
        assert_string_equal(world_send(w, SECONDS(4)), rows[i].answer);
        assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 0);
        assert_non_null(strstr(world_send(w, SECONDS(4)), "+CMGS: "));
        world_free(w);
    }
}

static void a_network_timeout_may_or_may_not_have_sent_the_part(void **state)
{
    struct world *w = world_new(NULL, NULL);
    size_t sent;

    (void)state;
    sim_modem_set_fault(w->modem, SIM_FAULT_CMS, 1000000, 332, 0);
    for (int i = 0; i < 200; i++)
        assert_string_equal(world_send(w, 0), "\r\n+CMS ERROR: 332\r\n");
    sent = world_count(w, SIM_EVENT_ACCEPTED, 0);
    assert_in_range(sent, 60, 140);
    world_free(w);
}

static void without_a_prompt_nothing_is_taken_for_a_pdu(void **state)
{
    struct world *w = fault_world(SIM_FAULT_NO_PROMPT, 0);

    (void)state;
    assert_string_equal(world_ask_for(w, "AT+CMGS=" PART_LENGTH, SECONDS(60)), "");
    assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
    assert_int_equal(world_count(w, SIM_EVENT_SUBMIT, 0), 0);
    world_free(w);
}

static void a_reset_in_the_middle_gives_boot_noise_instead_of_an_answer(void **state)
{
    unsigned sent = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct world *w = world_new(&(struct sim_network_config){ .seed = seed, .air_us = SECONDS(3) },
                                    &(struct sim_modem_config){ .boot_us = SECONDS(2) });

        sim_modem_trigger_fault(w->modem, SIM_FAULT_RESET, 0, 0);
        (void)world_send(w, SECONDS(10));
        assert_null(strstr(w->output, "+CMGS"));
        assert_non_null(strstr(w->output, "RDY"));
        assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
        sent += (unsigned)world_count(w, SIM_EVENT_ACCEPTED, 0);
        world_free(w);
    }
    assert_in_range(sent, 3, 30);   /* an eighth of the air time lies behind the acceptance */
}

static void an_unplugging_tells_the_owner_of_the_line_and_ends_all_talk(void **state)
{
    struct world *w = fault_world(SIM_FAULT_UNPLUG, 0);

    (void)state;
    assert_string_equal(world_send(w, SECONDS(10)), "");
    assert_int_equal(world_count(w, SIM_EVENT_UNPLUG, 0), 1);
    assert_string_equal(world_ask_for(w, "AT", SECONDS(100)), "");
    sim_modem_power_on(w->modem, w->now_us);
    world_run(w, SECONDS(3));
    assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
    world_free(w);
}

static void a_lying_modem_says_another_reference_than_the_report(void **state)
{
    struct world *w = fault_world(SIM_FAULT_LYING_MR, 0);

    (void)state;
    (void)world_ask(w, "AT+CNMI=2,1,0,1,0");
    assert_non_null(strstr(world_send(w, SECONDS(10)), "+CMGS: 1"));
    assert_int_equal(world_last(w, SIM_EVENT_ACCEPTED, 0)->mr, 0);
    assert_int_equal(world_last(w, SIM_EVENT_REPORT, 0)->mr, 0);
    world_free(w);
}

static void cnmi_with_ds_1_can_be_refused_while_ds_2_works(void **state)
{
    struct world *w = fault_world(SIM_FAULT_REFUSE_DS1, 0);

    (void)state;
    assert_string_equal(world_ask(w, "AT+CNMI=2,1,0,1,0"), "\r\n+CMS ERROR: 303\r\n");
    assert_string_equal(world_ask(w, "AT+CNMI?"), "\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n");
    assert_string_equal(world_ask(w, "AT+CNMI=2,1,0,2,0"), "\r\nOK\r\n");
    world_free(w);
}

static void card_and_network_troubles_show_and_pass(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    (void)world_ask(w, "AT+CMEE=1;+CREG=1");
    sim_modem_trigger_fault(w->modem, SIM_FAULT_DENIED, 0, w->now_us);
    assert_non_null(strstr(world_ask(w, "AT+CREG?"), "+CREG: 1,3"));
    sim_modem_clear_faults(w->modem, w->now_us);
    assert_non_null(strstr(world_ask(w, "AT+CREG?"), "+CREG: 1,1"));
    sim_modem_trigger_fault(w->modem, SIM_FAULT_NO_SIM, 0, w->now_us);
    assert_string_equal(world_ask(w, "AT+CPIN?"), "\r\n+CREG: 0\r\n\r\n+CME ERROR: 10\r\n");
    assert_string_equal(world_ask(w, "AT+CMGS=" PART_LENGTH), "\r\n+CMS ERROR: 310\r\n");
    sim_modem_clear_faults(w->modem, w->now_us);
    sim_modem_trigger_fault(w->modem, SIM_FAULT_PIN, 0, w->now_us);
    assert_non_null(strstr(world_ask(w, "AT+CPIN?"), "SIM PIN"));
    assert_non_null(strstr(world_ask(w, "AT+CPIN=1234"), "OK"));
    sim_modem_trigger_fault(w->modem, SIM_FAULT_PUK, 0, w->now_us);
    assert_non_null(strstr(world_ask(w, "AT+CPIN?"), "SIM PUK"));
    sim_modem_clear_faults(w->modem, w->now_us);
    assert_non_null(strstr(world_send(w, 0), "+CMGS: "));
    world_free(w);
}

static void a_chatty_modem_talks_between_but_never_into_the_text(void **state)
{
    struct world *w = fault_world(SIM_FAULT_CHATTY, 100);

    (void)state;
    world_run(w, SECONDS(10));
    assert_true(w->output_length > 50 * strlen("\r\nRING\r\n"));
    (void)world_ask(w, "AT+CMGS=" PART_LENGTH);
    world_forget(w);
    world_run(w, SECONDS(10));
    assert_string_equal(w->output, "");
    world_write(w, PART_PDU "\x1A");
    world_run(w, SECONDS(4));
    assert_non_null(strstr(w->output, "\r\n+CMGS: 0\r\n\r\nOK\r\n"));
    world_free(w);
}

static void garbage_precedes_an_answer_and_the_answer_is_whole(void **state)
{
    struct world *w = fault_world(SIM_FAULT_GARBAGE, 8);
    const char *said = world_ask(w, "AT");

    (void)state;
    (void)said;
    assert_int_equal(w->output_length, 8 + strlen("\r\nOK\r\n"));
    assert_memory_equal(w->output + 8, "\r\nOK\r\n", 6);
    assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
    world_free(w);
}

static void every_fault_is_found_by_its_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++) {
        enum sim_fault fault;

        assert_int_equal(sim_fault_find(sim_fault_kind((enum sim_fault)i)->name, &fault), 0);
        assert_int_equal(fault, i);
    }
    assert_int_equal(sim_fault_find("no such fault", &(enum sim_fault){ 0 }), -EINVAL);
}

/* A run with all kinds of trouble, as one number. */
static uint64_t troubled_run(uint64_t seed)
{
    static const struct { enum sim_fault fault; uint32_t ppm, argument; } troubles[] = {
        { SIM_FAULT_LOST_REPLY, 50000, 0 }, { SIM_FAULT_LATE, 50000, 7000 }, { SIM_FAULT_HANG, 20000, 20000 },
        { SIM_FAULT_CMS, 100000, 332 },     { SIM_FAULT_RESET, 30000, 0 },   { SIM_FAULT_GARBAGE, 50000, 8 },
    };
    struct world *w = world_new(&(struct sim_network_config){ .seed = seed, .air_us = SECONDS(3), .air_jitter_us = SECONDS(1),
                                                              .report_us = SECONDS(2), .report_mode = SIM_REPORT_MIXED,
                                                              .incoming_every_us = SECONDS(7) },
                                &(struct sim_modem_config){ .latency_us = MS(5), .boot_us = SECONDS(3) });
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
        sim_modem_set_fault(w->modem, troubles[i].fault, troubles[i].ppm, troubles[i].argument, 0);
    for (int i = 0; i < 100; i++) {
        (void)world_send(w, SECONDS(12));
        for (size_t k = 0; k < w->output_length; k++)
            hash = (hash ^ (uint8_t)w->output[k]) * UINT64_C(1099511628211);
    }
    for (size_t i = 0; i < w->event_count; i++)
        hash = (hash ^ w->events[i].t_us ^ w->events[i].kind) * UINT64_C(1099511628211);
    world_free(w);
    return hash;
}

static void the_same_seed_gives_the_same_run_and_another_seed_another(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        assert_true(troubled_run(seed) == troubled_run(seed));
        assert_true(troubled_run(seed) != troubled_run(seed + 1));
    }
}

static void a_swallowed_part_is_never_on_the_air_and_the_card_does_not_count_it(void **state)
{
    struct world *w = fault_world(SIM_FAULT_SWALLOWED, 0);

    (void)state;
    assert_string_equal(world_send(w, SECONDS(600)), "");
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 0);
    assert_string_equal(world_ask(w, "AT+CRSM=176,28483,0,0,1"), "\r\n+CRSM: 144,0,\"FF\"\r\n\r\nOK\r\n");
    assert_non_null(strstr(world_send(w, SECONDS(4)), "+CMGS: 0"));
    world_free(w);
}

static void a_part_that_is_held_back_is_counted_and_accepted_when_it_goes(void **state)
{
    struct world *w = fault_world(SIM_FAULT_HELD, 90000);

    (void)state;
    assert_string_equal(world_send(w, SECONDS(50)), "");
    assert_string_equal(world_ask(w, "AT+CRSM=176,28483,0,0,1"), "\r\n+CRSM: 144,0,\"FF\"\r\n\r\nOK\r\n");
    assert_non_null(strstr(world_send(w, SECONDS(4)), "+CMGS: 0"));
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 1);
    world_run(w, SECONDS(40));
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 2);
    assert_string_equal(world_ask(w, "AT+CRSM=176,28483,0,0,1"), "\r\n+CRSM: 144,0,\"01\"\r\n\r\nOK\r\n");
    sim_modem_trigger_fault(w->modem, SIM_FAULT_HELD, 90000, w->now_us);
    assert_string_equal(world_send(w, SECONDS(1)), "");
    sim_modem_reset(w->modem, w->now_us);   /* what it had in its memory is gone */
    world_run(w, SECONDS(200));
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 2);
    world_free(w);
}

/* The card is at 0x29; then a part is accepted, one refused, one accepted, and the modem restarts and sends another. */
static void the_cards_count_is_kept_in_the_ways_real_modems_do(void **state)
{
    static const struct { enum sim_smss smss; const char *accepted, *refused, *accepted_mr, *restarted, *restarted_mr; } rows[] = {
        { SIM_SMSS_AT_SUBMIT, "\"2A\"", "\"2B\"", "+CMGS: 44", "\"2C\"", "+CMGS: 45" },
        { SIM_SMSS_AT_ACK, "\"2A\"", "\"2A\"", "+CMGS: 43", "\"2B\"", "+CMGS: 44" },
        { SIM_SMSS_AT_POWER_OFF, "\"29\"", "\"29\"", "+CMGS: 44", "\"2C\"", "+CMGS: 45" },
        { SIM_SMSS_NEVER, "\"29\"", "\"29\"", "+CMGS: 44", "\"29\"", "+CMGS: 42" },
        { SIM_SMSS_REFUSED, "ERROR", "ERROR", "+CMGS: 44", "ERROR", "+CMGS: 45" },
        { SIM_SMSS_RESTARTS, "\"00\"", "\"01\"", "+CMGS: 2", "\"02\"", "+CMGS: 0" },
    };
    static const char file[] = "AT+CRSM=176,28483,0,0,1";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(&(struct sim_network_config){ .seed = 1, .air_us = SECONDS(3) },
                                    &(struct sim_modem_config){ .boot_us = SECONDS(2), .smss = rows[i].smss });

        sim_modem_set_card(sim_network_modem(w->network, 1), NULL, 0);
        w->cards[0].last_mr = 0x29;
        sim_modem_reset(w->modem, w->now_us);
        w->cards[0].last_mr = 0x29;
        sim_modem_power_off(w->modem, w->now_us);
        w->cards[0].last_mr = 0x29;
        sim_modem_power_on(w->modem, w->now_us);
        world_run(w, SECONDS(30));
        assert_non_null(strstr(world_send(w, SECONDS(4)), "+CMGS"));
        assert_non_null(strstr(world_ask(w, file), rows[i].accepted));
        sim_modem_trigger_fault(w->modem, SIM_FAULT_CMS, 38, w->now_us);
        assert_non_null(strstr(world_send(w, SECONDS(4)), "+CMS ERROR: 38"));
        assert_non_null(strstr(world_ask(w, file), rows[i].refused));
        assert_non_null(strstr(world_send(w, SECONDS(4)), rows[i].accepted_mr));
        sim_modem_reset(w->modem, w->now_us);
        world_run(w, SECONDS(30));
        assert_non_null(strstr(world_ask(w, file), rows[i].restarted));
        assert_non_null(strstr(world_send(w, SECONDS(4)), rows[i].restarted_mr));
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_reply_leaves_the_part_sent_and_the_modem_alive),
        cmocka_unit_test(a_late_answer_comes_before_those_of_the_lines_typed_meanwhile),
        cmocka_unit_test(a_hung_modem_answers_nothing_until_its_time_is_over_or_power_goes),
        cmocka_unit_test(errors_of_all_three_forms_mean_not_sent),
        cmocka_unit_test(a_network_timeout_may_or_may_not_have_sent_the_part),
        cmocka_unit_test(without_a_prompt_nothing_is_taken_for_a_pdu),
        cmocka_unit_test(a_reset_in_the_middle_gives_boot_noise_instead_of_an_answer),
        cmocka_unit_test(an_unplugging_tells_the_owner_of_the_line_and_ends_all_talk),
        cmocka_unit_test(a_lying_modem_says_another_reference_than_the_report),
        cmocka_unit_test(cnmi_with_ds_1_can_be_refused_while_ds_2_works),
        cmocka_unit_test(card_and_network_troubles_show_and_pass),
        cmocka_unit_test(a_chatty_modem_talks_between_but_never_into_the_text),
        cmocka_unit_test(garbage_precedes_an_answer_and_the_answer_is_whole),
        cmocka_unit_test(every_fault_is_found_by_its_name),
        cmocka_unit_test(the_same_seed_gives_the_same_run_and_another_seed_another),
        cmocka_unit_test(a_swallowed_part_is_never_on_the_air_and_the_card_does_not_count_it),
        cmocka_unit_test(a_part_that_is_held_back_is_counted_and_accepted_when_it_goes),
        cmocka_unit_test(the_cards_count_is_kept_in_the_ways_real_modems_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
