/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_world.h"

#include "hal/sim/sim_random.h"

static void an_accepted_part_is_answered_with_its_reference_after_the_air_time(void **state)
{
    struct world *w = world_new(&(struct sim_network_config){ .seed = 1, .air_us = SECONDS(3) }, NULL);

    (void)state;
    assert_string_equal(world_ask(w, "AT+CMGS=" PART_LENGTH), "\r\n> ");
    world_forget(w);
    world_write(w, PART_PDU "\x1A");
    world_run(w, SECONDS(3) - 1);
    assert_string_equal(w->output, "");
    world_run(w, 1);
    assert_string_equal(w->output, "\r\n+CMGS: 0\r\n\r\nOK\r\n");
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 1);
    assert_string_equal(world_last(w, SIM_EVENT_ACCEPTED, 0)->text, "hellohello");
    assert_string_equal(world_last(w, SIM_EVENT_ACCEPTED, 0)->address, "+40700001001");
    assert_int_equal(world_last(w, SIM_EVENT_ANSWERED, 0)->t_us - world_last(w, SIM_EVENT_SUBMIT, 0)->t_us, SECONDS(3));
    world_free(w);
}

static void without_air_time_the_answer_comes_in_the_same_call(void **state)
{
    struct world *w = world_new(NULL, NULL);
    static const char text[] = "AT+CMGS=" PART_LENGTH "\r" PART_PDU "\x1A";
    size_t length;

    (void)state;
    sim_modem_feed(w->modem, (const uint8_t *)text, strlen(text), 0);
    (void)sim_modem_output(w->modem, &length);
    assert_int_equal(length, strlen("\r\n> \r\n+CMGS: 0\r\n\r\nOK\r\n"));
    world_free(w);
}

static void input_cut_anywhere_gives_the_same_output(void **state)
{
    static const char text[] = "ATE1\rAT+CMEE=1;+CNMI=2,1,0,1,0\rAT+CPMS?\rAT+NONE\rAT+CMGS=" PART_LENGTH "\r" PART_PDU "\x1A" "AT+CMGL=4\rATI\r";
    char whole[8192];

    (void)state;
    for (size_t cut = 0; cut <= strlen(text); cut++) {
        struct world *w = world_new(NULL, NULL);

        sim_modem_feed(w->modem, (const uint8_t *)text, cut, 0);
        sim_modem_feed(w->modem, (const uint8_t *)text + cut, strlen(text) - cut, 0);
        world_collect(w);
        if (cut == 0)
            memcpy(whole, w->output, w->output_length + 1);
        assert_string_equal(w->output, whole);
        world_free(w);
    }
    assert_non_null(strstr(whole, "+CMGS: 0"));
}

static void what_is_typed_while_a_command_runs_is_answered_after_it(void **state)
{
    struct world *w = world_new(NULL, &(struct sim_modem_config){ .latency_us = MS(10) });

    (void)state;
    world_write(w, "AT+CSCS?\rAT+CMGF?\r");
    world_run(w, MS(10));
    assert_string_equal(w->output, "\r\n+CSCS: \"GSM\"\r\n\r\nOK\r\n");
    world_forget(w);
    world_run(w, MS(10));
    assert_string_equal(w->output, "\r\n+CMGF: 0\r\n\r\nOK\r\n");
    world_free(w);
}

static void errors_are_bare_numbered_or_in_words_as_cmee_says(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    assert_string_equal(world_ask(w, "AT+NONE"), "\r\nERROR\r\n");
    assert_string_equal(world_ask(w, "AT+CMEE=1;+NONE"), "\r\n+CME ERROR: 4\r\n");
    assert_string_equal(world_ask(w, "AT+CMEE=2;+NONE"), "\r\n+CME ERROR: operation not supported\r\n");
    assert_string_equal(world_ask(w, "AT+CMGR=19"), "\r\n+CMS ERROR: Invalid memory index\r\n");
    world_free(w);
}

static void a_line_of_several_commands_stops_at_the_first_error(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    assert_string_equal(world_ask(w, "AT+CMGF=1;+NONE;+CMGF=0"), "\r\nERROR\r\n");
    assert_non_null(strstr(world_ask(w, "AT+CMGF?"), "+CMGF: 1"));
    assert_string_equal(world_ask(w, "ATE0V1Q0&C1+CMGF=0;+CMGF?"), "\r\n+CMGF: 0\r\n\r\nOK\r\n");
    world_free(w);
}

static void echo_numeric_results_and_silence_can_be_switched(void **state)
{
    struct world *w = world_new(NULL, &(struct sim_modem_config){ .echo = 1 });

    (void)state;
    assert_string_equal(world_ask(w, "AT"), "AT\r\r\nOK\r\n");
    (void)world_ask(w, "ATE0V0");
    assert_string_equal(world_ask(w, "AT"), "0\r");
    assert_string_equal(world_ask(w, "AT+NONE"), "4\r");
    (void)world_ask(w, "ATV1Q1");
    assert_string_equal(world_ask(w, "AT"), "");
    world_free(w);
}

static void a_pdu_whose_length_is_not_as_announced_is_refused_and_not_sent(void **state)
{
    static const char *const lengths[] = { "22", "24", "1", "164" };
    struct world *w = world_new(NULL, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        assert_string_equal(world_send_for(w, PART_PDU, lengths[i], SECONDS(10)), "\r\n+CMS ERROR: 304\r\n");
    assert_string_equal(world_send_for(w, "0031000B91G4", "5", SECONDS(10)), "\r\n+CMS ERROR: 304\r\n");
    assert_string_equal(world_ask(w, "AT+CMGS=0"), "\r\n+CMS ERROR: 304\r\n");
    assert_string_equal(world_ask(w, "AT+CMGS=165"), "\r\n+CMS ERROR: 304\r\n");
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 0);
    world_free(w);
}

static void escape_at_the_prompt_sends_nothing(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    (void)world_ask(w, "AT+CMGS=" PART_LENGTH);
    world_forget(w);
    world_write(w, "00110\x1B");
    assert_string_equal(w->output, "\r\nOK\r\n");
    assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
    assert_int_equal(world_count(w, SIM_EVENT_SUBMIT, 0), 0);
    world_free(w);
}

static void the_reference_counts_on_the_card_and_wraps_after_256(void **state)
{
    struct world *w = world_new(&(struct sim_network_config){ .report_mode = SIM_REPORT_NEVER }, NULL);

    (void)state;
    for (int i = 0; i < 260; i++) {
        char expected[64];

        (void)snprintf(expected, sizeof expected, "\r\n+CMGS: %d\r\n\r\nOK\r\n", i % 256);
        assert_string_equal(world_send(w, 0), expected);
        assert_int_equal(world_last(w, SIM_EVENT_ACCEPTED, 0)->mr, i % 256);
    }
    assert_string_equal(world_ask(w, "AT+CRSM=176,28483,0,0,2"), "\r\n+CRSM: 144,0,\"03FF\"\r\n\r\nOK\r\n");
    sim_modem_reset(w->modem, w->now_us);
    world_run(w, SECONDS(60));
    assert_non_null(strstr(world_send(w, 0), "+CMGS: 4"));
    world_free(w);
}

static void identities_carry_right_check_digits(void **state)
{
    struct sim_card card;
    char imei[16];

    (void)state;
    assert_int_equal(sim_card_check_digit("7992739871"), '3');   /* the example of every text on Luhn */
    for (uint32_t i = 0; i < 2000; i++) {
        char digits[24];

        assert_int_equal(sim_card_init(&card, i, "+40700001000", false), 0);
        assert_int_equal(strlen(card.iccid), 20);
        assert_memory_equal(card.iccid, "8940", 4);
        (void)snprintf(digits, sizeof digits, "%.19s", card.iccid);
        assert_int_equal(card.iccid[19], sim_card_check_digit(digits));
        assert_int_equal(strlen(card.imsi), 15);
        assert_memory_equal(card.imsi, "22601", 5);
        sim_card_imei(i, imei);
        (void)snprintf(digits, sizeof digits, "%.14s", imei);
        assert_int_equal(imei[14], sim_card_check_digit(digits));
    }
    assert_int_equal(sim_card_init(&card, 1, "0700", false), -EINVAL);
    assert_int_equal(sim_card_init(&card, 1, "+4070000100x", false), -EINVAL);
}

static void the_iccid_reads_the_same_from_the_command_and_from_the_file(void **state)
{
    struct world *w = world_new(NULL, NULL);
    char expected[64];

    (void)state;
    (void)snprintf(expected, sizeof expected, "\r\n+CCID: %s\r\n\r\nOK\r\n", w->cards[0].iccid);
    assert_string_equal(world_ask(w, "AT+CCID"), expected);
    assert_string_equal(world_ask(w, "AT+CRSM=176,12258,0,0,10"), "\r\n+CRSM: 144,0,\"98041000000000000050\"\r\n\r\nOK\r\n");
    assert_string_equal(w->cards[0].iccid, "89400100000000000005");
    assert_string_equal(world_ask(w, "AT+CRSM=176,12345,0,0,1"), "\r\n+CRSM: 106,130,\"\"\r\n\r\nOK\r\n");
    world_free(w);
}

static void three_wrong_pins_block_the_card_until_its_puk(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    w->cards[0].pin_enabled = true;
    sim_modem_reset(w->modem, 0);
    world_run(w, SECONDS(10));
    (void)world_ask(w, "ATE0;+CMEE=1");
    assert_string_equal(world_ask(w, "AT+CPIN?"), "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n");
    assert_string_equal(world_ask(w, "AT+CIMI"), "\r\n+CME ERROR: 11\r\n");
    assert_string_equal(world_ask(w, "AT+CMGS=" PART_LENGTH), "\r\n+CMS ERROR: 311\r\n");
    assert_string_equal(world_ask(w, "AT+CPIN=\"0000\""), "\r\n+CME ERROR: 16\r\n");
    assert_string_equal(world_ask(w, "AT+CPIN=\"0000\""), "\r\n+CME ERROR: 16\r\n");
    assert_non_null(strstr(world_ask(w, "AT+CPINR"), "+CPINR: SIM PIN,1,3"));
    assert_string_equal(world_ask(w, "AT+CPIN=\"0000\""), "\r\n+CME ERROR: 12\r\n");
    assert_string_equal(world_ask(w, "AT+CPIN?"), "\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n");
    assert_string_equal(world_ask(w, "AT+CPIN=\"1234\""), "\r\n+CME ERROR: 12\r\n");
    assert_string_equal(world_ask(w, "AT+CPIN=\"11111111\",\"4321\""), "\r\n+CME ERROR: 16\r\n");
    assert_int_equal(w->cards[0].puk_tries, SIM_PUK_TRIES - 1);
    assert_non_null(strstr(world_ask_for(w, "AT+CPIN=\"12345678\",\"4321\"", SECONDS(5)), "OK"));
    assert_string_equal(world_ask(w, "AT+CPIN?"), "\r\n+CPIN: READY\r\n\r\nOK\r\n");
    assert_string_equal(w->cards[0].pin, "4321");
    assert_non_null(strstr(world_ask(w, "AT+CREG?"), "+CREG: 0,1"));
    world_free(w);
}

static void cfun_takes_the_modem_off_the_network_and_brings_it_back(void **state)
{
    struct world *w = world_new(NULL, &(struct sim_modem_config){ .register_us = SECONDS(2) });

    (void)state;
    assert_string_equal(world_ask(w, "AT+CREG=2"), "\r\nOK\r\n");
    assert_string_equal(world_ask(w, "AT+CFUN=4"), "\r\nOK\r\n\r\n+CREG: 0\r\n");
    assert_string_equal(world_send(w, SECONDS(9)), "\r\n+CMS ERROR: 331\r\n");
    assert_string_equal(world_ask_for(w, "AT+CFUN=1", SECONDS(1)), "\r\nOK\r\n");
    world_forget(w);
    world_run(w, SECONDS(1));
    assert_string_equal(w->output, "\r\n+CREG: 1,\"00C3\",\"A1B2\",7\r\n");
    assert_non_null(strstr(world_send(w, 0), "+CMGS: "));
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 1);
    world_free(w);
}

static void a_reset_makes_noise_and_forgets_the_settings(void **state)
{
    struct world *w = world_new(NULL, &(struct sim_modem_config){ .boot_us = SECONDS(2), .sim_ready_us = SECONDS(1) });

    (void)state;
    (void)world_ask(w, "AT+CNMI=2,1,0,1,0;+CMEE=1");
    assert_string_equal(world_ask(w, "AT+CFUN=1,1"), "\r\nOK\r\n");
    world_forget(w);
    world_write(w, "AT\r");
    world_run(w, SECONDS(3));
    assert_string_equal(w->output, "\r\nRDY\r\n\r\n+CFUN: 1\r\n\r\n+CPIN: READY\r\n\r\nSMS Ready\r\n");
    assert_string_equal(world_ask(w, "AT+CNMI?"), "\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n");
    world_free(w);
}

static void ussd_answers_the_balance_and_keeps_a_session(void **state)
{
    struct world *w = world_new(NULL, &(struct sim_modem_config){ .ussd_us = MS(500) });

    (void)state;
    assert_string_equal(world_ask_for(w, "AT+CUSD=1,\"*100#\",15", MS(499)), "\r\nOK\r\n");
    world_forget(w);
    world_run(w, MS(1));
    assert_string_equal(w->output, "\r\n+CUSD: 0,\"Your balance is 12.34 EUR\",15\r\n");
    assert_non_null(strstr(world_ask_for(w, "AT+CUSD=1,\"*101#\",15", MS(500)), "+CUSD: 1,\"Sim Mobile\n1 Balance"));
    assert_non_null(strstr(world_ask_for(w, "AT+CUSD=1,\"2\",15", MS(500)), "+CUSD: 0,\"Your number is +40700001000\""));
    assert_non_null(strstr(world_ask_for(w, "AT+CUSD=1,\"*999#\",15", MS(500)), "+CUSD: 4,"));
    assert_non_null(strstr(world_ask_for(w, "AT+CSCS=\"UCS2\";+CUSD=1,\"002A0031003000300023\"", MS(500)),
                           "+CUSD: 0,\"0059006F00750072"));
    world_free(w);
}

static void ussd_is_written_as_each_kind_of_modem_does(void **state)
{
    static const struct { const char *personality, *ask, *says; } rows[] = {
        { "generic", "AT+CUSD=1,\"*1#\",15", "\r\nOK\r\n\r\n+CUSD: 0,\"One\nTwo\",15\r\n" },
        { "huawei-e173", "AT+CUSD=1,\"*1#\",15", "\r\nCOMMAND NOT SUPPORT\r\n" },
        { "huawei-e173", "AT+CUSD=1,\"AAD808\",15", "\r\nOK\r\n\r\n+CUSD: 0,\"4F775941BDBF1B\",15\r\n" },
        { "sim800l", "AT+CUSD=1,\"*1#\",15", "\r\nOK\r\n\r\n+CUSD: 0,\"004F006E0065000A00540077006F\",15\r\n" },
        { "tc35", "AT+CUSD=1,\"*1#\",15", "\r\n+CUSD: 0,\"One\nTwo\"\r\n\r\nOK\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(NULL, &(struct sim_modem_config){ .ussd_us = MS(500), .personality = sim_personality_find(rows[i].personality) });

        assert_int_equal(sim_modem_set_ussd(w->modem, "*1#", "One\nTwo"), 0);
        assert_int_equal(sim_modem_set_ussd(w->modem, "*2#", ""), 0);
        (void)world_ask(w, "ATE0");
        assert_string_equal(world_ask_for(w, rows[i].ask, SECONDS(1)), rows[i].says);
        world_free(w);
    }
}

static void a_ussd_code_that_is_told_to_stay_silent_never_answers(void **state)
{
    struct world *w = world_new(NULL, &(struct sim_modem_config){ .ussd_us = MS(500) });

    (void)state;
    assert_int_equal(sim_modem_set_ussd(w->modem, "*100#", ""), 0);
    assert_string_equal(world_ask_for(w, "AT+CUSD=1,\"*100#\",15", SECONDS(60)), "\r\nOK\r\n");
    assert_int_equal(sim_modem_set_ussd(w->modem, "*100#", NULL), 0);
    assert_non_null(strstr(world_ask_for(w, "AT+CUSD=1,\"*100#\",15", MS(500)), "12.34 EUR"));
    assert_int_equal(sim_modem_set_ussd(w->modem, "abc", "x"), -EINVAL);
    world_free(w);
}

static void text_mode_sends_in_the_character_set_of_cscs(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    (void)world_ask(w, "AT+CMGF=1;+CSMP=49,167,0,0");
    (void)world_ask(w, "AT+CMGS=\"+40700009999\"");
    world_forget(w);
    world_write(w, "Hello\x1A");
    assert_string_equal(w->output, "\r\n+CMGS: 0\r\n\r\nOK\r\n");
    assert_string_equal(world_last(w, SIM_EVENT_ACCEPTED, 0)->text, "Hello");
    (void)world_ask(w, "AT+CSCS=\"UCS2\";+CSMP=17,167,0,8");
    (void)world_ask(w, "AT+CMGS=\"002B00340030003700300030003000300039003900390039\"");
    world_write(w, "021B0061D83DDC4D\x1A");
    assert_string_equal(world_last(w, SIM_EVENT_ACCEPTED, 0)->text, "\xC8\x9B" "a\xF0\x9F\x91\x8D");
    assert_string_equal(world_last(w, SIM_EVENT_ACCEPTED, 0)->address, "+40700009999");
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 2);
    world_free(w);
}

static void every_personality_sends_a_part_and_gets_its_own_prompt(void **state)
{
    const struct sim_personality *p;

    (void)state;
    for (size_t i = 0; (p = sim_personality_at(i)) != NULL; i++) {
        struct world *w = world_new(NULL, &(struct sim_modem_config){ .personality = p });

        assert_string_equal(world_ask(w, "AT+CMGS=" PART_LENGTH), p->prompt);
        world_write(w, PART_PDU "\x1A");
        assert_non_null(strstr(w->output, "+CMGS: 0\r\n\r\nOK\r\n"));
        assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 1);
        sim_modem_reset(w->modem, w->now_us);
        world_run(w, SECONDS(20));
        assert_non_null(strstr(w->output, p->boot_lines[0]));
        assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
        world_free(w);
    }
    assert_null(sim_personality_find("no such modem"));
}

static void an_endless_line_is_answered_with_an_error_and_harms_nothing(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    world_write(w, "AT");
    for (int i = 0; i < 20000; i++)
        world_write(w, "+");
    assert_string_equal(world_ask(w, ""), "\r\nERROR\r\n");
    assert_string_equal(world_ask(w, "AT"), "\r\nOK\r\n");
    world_free(w);
}

static void noise_of_any_kind_never_breaks_the_modem(void **state)
{
    static const char *const pieces[] = { "AT", "+CMGS=", "23", "\r", "\x1A", "\x1B", PART_PDU, ";", "\"", ",", "?", "=", "+CPMS=\"SM\"",
                                          "+CMGR=1", "+CMGL=4", "+CMGW=23", "+CNMI=2,2,0,1,0", "+CSMS=1", "+CNMA", "+CRSM=176,12258,0,0,99",
                                          "+CMGF=1", "+CMGF=0", "+CSCS=\"UCS2\"", "+CFUN=1,1", "+CUSD=1,\"*101#\"", "+CMGD=1,4", "+CSCA=\"+4\",145",
                                          "\n", "+CMSS=1", "E1", "A/", "+CMGS=\"+40700001001\"" };

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct world *w = world_new(&(struct sim_network_config){ .seed = seed, .air_us = MS(50), .report_mode = SIM_REPORT_MIXED,
                                                                  .report_us = MS(80) },
                                    &(struct sim_modem_config){ .latency_us = 500, .boot_us = MS(20) });
        struct sim_random random;
        const char *answer;

        sim_random_init(&random, seed, 7);
        for (int i = 0; i < 600; i++) {
            uint8_t octet = (uint8_t)sim_random_next(&random);

            world_forget(w);
            if (sim_random_below(&random, 8) == 0)
                sim_modem_feed(w->modem, &octet, 1, w->now_us);
            else
                world_write(w, pieces[sim_random_below(&random, sizeof pieces / sizeof pieces[0])]);
            world_run(w, sim_random_below(&random, 4000));
        }
        world_write(w, "\x1B\r");
        world_run(w, SECONDS(60));
        (void)world_ask_for(w, "ATE0V1Q0", SECONDS(5));
        answer = world_ask_for(w, "AT", SECONDS(5));
        if (strcmp(answer, "\r\nOK\r\n") != 0)
            fail_msg("seed %llu: %s", (unsigned long long)seed, answer);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_part_is_answered_with_its_reference_after_the_air_time),
        cmocka_unit_test(without_air_time_the_answer_comes_in_the_same_call),
        cmocka_unit_test(input_cut_anywhere_gives_the_same_output),
        cmocka_unit_test(what_is_typed_while_a_command_runs_is_answered_after_it),
        cmocka_unit_test(errors_are_bare_numbered_or_in_words_as_cmee_says),
        cmocka_unit_test(a_line_of_several_commands_stops_at_the_first_error),
        cmocka_unit_test(echo_numeric_results_and_silence_can_be_switched),
        cmocka_unit_test(a_pdu_whose_length_is_not_as_announced_is_refused_and_not_sent),
        cmocka_unit_test(escape_at_the_prompt_sends_nothing),
        cmocka_unit_test(the_reference_counts_on_the_card_and_wraps_after_256),
        cmocka_unit_test(identities_carry_right_check_digits),
        cmocka_unit_test(the_iccid_reads_the_same_from_the_command_and_from_the_file),
        cmocka_unit_test(three_wrong_pins_block_the_card_until_its_puk),
        cmocka_unit_test(cfun_takes_the_modem_off_the_network_and_brings_it_back),
        cmocka_unit_test(a_reset_makes_noise_and_forgets_the_settings),
        cmocka_unit_test(ussd_answers_the_balance_and_keeps_a_session),
        cmocka_unit_test(ussd_is_written_as_each_kind_of_modem_does),
        cmocka_unit_test(a_ussd_code_that_is_told_to_stay_silent_never_answers),
        cmocka_unit_test(text_mode_sends_in_the_character_set_of_cscs),
        cmocka_unit_test(every_personality_sends_a_part_and_gets_its_own_prompt),
        cmocka_unit_test(an_endless_line_is_answered_with_an_error_and_harms_nothing),
        cmocka_unit_test(noise_of_any_kind_never_breaks_the_modem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
