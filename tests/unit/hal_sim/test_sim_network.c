/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_world.h"

#include "hal/sim/sim_pdu.h"
#include "src/base/hex.h"

static void assert_begins(const char *said, const char *expected)
{
    char start[128];

    assert_true(strlen(expected) < sizeof start);
    (void)snprintf(start, sizeof start, "%.*s", (int)strlen(expected), said);
    assert_string_equal(start, expected);
}

static struct world *reporting_world(enum sim_report_mode mode)
{
    struct world *w = world_new(&(struct sim_network_config){ .seed = 1, .air_us = SECONDS(3), .report_us = SECONDS(2), .report_mode = mode }, NULL);

    (void)world_ask(w, "AT+CNMI=2,1,0,1,0");
    sim_modem_power_off(sim_network_modem(w->network, 1), 0);   /* so that no message loop answers in between */
    sim_modem_set_card(sim_network_modem(w->network, 1), NULL, 0);
    return w;
}

static void a_report_tells_reference_recipient_and_status(void **state)
{
    struct world *w = reporting_world(SIM_REPORT_DELIVERED);
    struct sms_tpdu report;
    const char *said, *error;

    (void)state;
    w->cards[0].last_mr = 41;
    said = world_send(w, SECONDS(10));
    assert_begins(said, "\r\n+CMGS: 42\r\n\r\nOK\r\n\r\n+CDS: 25\r\n");
    said = strstr(said, "+CDS: 25\r\n") + 10;
    assert_int_equal(sms_pdu_decode_hex(said, strcspn(said, "\r"), SMS_STATUS_REPORT, &report, &error), 0);
    assert_int_equal(report.mr, 42);
    assert_int_equal(report.status, 0);
    assert_string_equal(report.address.text, "+40700001001");
    assert_int_equal(report.tpdu_length, 25);
    assert_true(sms_time_to_unix_s(&report.discharge) >= sms_time_to_unix_s(&report.scts));
    world_free(w);
}

static void an_early_report_comes_before_the_answer(void **state)
{
    struct world *w = reporting_world(SIM_REPORT_EARLY);
    const char *said = world_send(w, SECONDS(10));

    (void)state;
    assert_non_null(strstr(said, "+CDS: 25"));
    assert_true(strstr(said, "+CDS: 25") < strstr(said, "+CMGS: "));
    world_free(w);
}

static void reports_can_be_doubled_temporary_failed_or_missing(void **state)
{
    static const struct { enum sim_report_mode mode; size_t count; int first, last; } rows[] = {
        { SIM_REPORT_DOUBLED, 2, 0x00, 0x00 }, { SIM_REPORT_TEMPORARY, 2, 0x21, 0x00 },
        { SIM_REPORT_FAILED, 1, 0x46, 0x46 },  { SIM_REPORT_NEVER, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = reporting_world(rows[i].mode);
        int first = -1;

        (void)world_send(w, SECONDS(30));
        assert_int_equal(world_count(w, SIM_EVENT_REPORT, 0), rows[i].count);
        for (size_t k = 0; k < w->event_count && first < 0; k++)
            if (w->events[k].kind == SIM_EVENT_REPORT)
                first = w->events[k].status;
        if (rows[i].count > 0) {
            assert_int_equal(first, rows[i].first);
            assert_int_equal(world_last(w, SIM_EVENT_REPORT, 0)->status, rows[i].last);
        }
        world_free(w);
    }
}

static void no_report_comes_that_was_not_asked_for(void **state)
{
    struct world *w = reporting_world(SIM_REPORT_DELIVERED);

    (void)state;
    (void)world_send_for(w, "0011000B910407001000F10000AA0AE8329BFD4697D9EC37", PART_LENGTH, SECONDS(30));
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 1);
    assert_int_equal(world_count(w, SIM_EVENT_REPORT, 0), 0);
    world_free(w);
}

static void a_stored_report_is_announced_as_the_modem_has_it(void **state)
{
    static const struct { const char *name, *urc; } rows[] = {
        { "generic", "+CDSI: \"SR\",1" }, { "ec25", "+CDSI: \"SM\",0" }, { "sim7600", "+CDSI: \"SR\",8" }, { "tc35", "+CDSI: \"SM\",1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world *w = world_new(NULL, &(struct sim_modem_config){ .personality = sim_personality_find(rows[i].name) });

        sim_modem_set_card(sim_network_modem(w->network, 1), NULL, 0);
        (void)world_ask(w, "AT+CNMI=2,1,0,2,1");
        assert_non_null(strstr(world_send(w, SECONDS(5)), rows[i].urc));
        world_free(w);
    }
}

static void a_full_report_storage_loses_old_reports_and_holds_nothing_up(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    sim_modem_set_card(sim_network_modem(w->network, 1), NULL, 0);
    (void)world_ask(w, "AT+CNMI=2,1,0,2,0");
    for (int i = 0; i < 30; i++)
        (void)world_send(w, SECONDS(1));
    assert_int_equal(world_count(w, SIM_EVENT_REPORT, 0), 30);
    assert_non_null(strstr(world_ask(w, "AT+CPMS=\"SR\""), "+CPMS: 20,20,"));
    assert_int_equal(sim_network_incoming(w->network, 0, "+49151", "through", w->now_us), 0);
    world_run(w, 0);
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 0), 1);
    world_free(w);
}

static void a_message_to_an_own_number_arrives_there_and_is_reported_then(void **state)
{
    struct world *w = world_new(&(struct sim_network_config){ .air_us = SECONDS(1), .report_us = SECONDS(1) }, NULL);
    struct sim_modem *other = sim_network_modem(w->network, 1);

    (void)state;
    (void)world_ask(w, "AT+CNMI=2,1,0,1,0");
    sim_modem_power_off(other, 0);
    (void)world_send(w, SECONDS(100));
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 1), 0);
    assert_int_equal(world_count(w, SIM_EVENT_REPORT, 0), 0);
    sim_modem_power_on(other, w->now_us);
    world_run(w, SECONDS(60));
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 1), 1);
    assert_string_equal(world_last(w, SIM_EVENT_INCOMING, 1)->text, "hellohello");
    assert_string_equal(world_last(w, SIM_EVENT_INCOMING, 1)->address, "+40700001000");
    assert_int_equal(world_count(w, SIM_EVENT_REPORT, 0), 1);
    world_free(w);
}

static void national_and_double_zero_forms_of_an_own_number_find_it_too(void **state)
{
    static const char *const numbers[] = { "+40700001001", "0040700001001", "40700001001", "0700001001" };

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct world *w = world_new(NULL, NULL);
        struct sms_submit submit = { .to = numbers[i], .message_class = -1, .text = "hi", .text_length = 2 };
        uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu_length;
        char hex[2 * SMS_PDU_BYTES_MAX + 1], length_text[8];
        const char *error;
        size_t length;

        assert_int_equal(sms_submit_encode(&submit, pdu, &length, &tpdu_length, &error), 0);
        hex_encode(pdu, length, hex);
        (void)snprintf(length_text, sizeof length_text, "%u", tpdu_length);
        (void)world_send_for(w, hex, length_text, 0);
        assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 1), 1);
        world_free(w);
    }
}

static void the_user_data_of_every_vector_reach_the_other_phone_untouched(void **state)
{
    static const char path[] = TEST_DATA_DIR "/vectors/pdu.jsonl";
    FILE *file = fopen(path, "re");
    static char line[16384];
    unsigned sent = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *hex = strstr(line, "\"pdu_hex\": \"");
        struct sms_tpdu submit, deliver;
        uint8_t pdu[256], tpdu[SMS_PDU_BYTES_MAX + 16];
        const char *error;
        char copy[600], length_text[8];
        struct world *w;
        int octets;

        if (hex == NULL || strstr(line, "\"direction\": \"submit\"") == NULL || strstr(line, "\"valid\": true") == NULL)
            continue;
        hex += 12;
        if (strcspn(hex, "\"") >= sizeof copy)
            continue;
        (void)snprintf(copy, sizeof copy, "%.*s", (int)strcspn(hex, "\""), hex);
        octets = hex_decode(copy, strlen(copy), pdu, sizeof pdu);
        if (octets < 0 || sms_pdu_decode(pdu, (size_t)octets, SMS_SUBMIT, &submit, &error) < 0 || submit.trailing_octets > 0)
            continue;
        w = world_new(NULL, NULL);
        /* Their recipients are not ours: the message is turned into a deliver by hand. */
        (void)snprintf(length_text, sizeof length_text, "%u", submit.tpdu_length);
        if (strstr(world_send_for(w, copy, length_text, SECONDS(1)), "+CMGS: ") == NULL)
            fail_msg("not accepted: %s -> %s", copy, w->output);
        assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 1);
        if (submit.udh.concat)
            assert_int_equal(world_last(w, SIM_EVENT_ACCEPTED, 0)->ref, submit.udh.concat_ref);
        {
            size_t length, at = sim_pdu_smsc("+40700000000", tpdu);

            assert_int_equal(sim_pdu_deliver_from_submit(pdu + 1 + pdu[0], (size_t)octets - 1 - pdu[0], "Cellpost", 1790000000, tpdu + at, &length), 0);
            assert_int_equal(sms_pdu_decode(tpdu, at + length, SMS_DELIVER, &deliver, &error), 0);
        }
        assert_string_equal(deliver.text, submit.text);
        assert_int_equal(deliver.data_length, submit.data_length);
        assert_memory_equal(deliver.data, submit.data, submit.data_length);
        assert_int_equal(deliver.udh.concat_seq, submit.udh.concat_seq);
        assert_int_equal(deliver.dcs, submit.dcs);
        assert_string_equal(deliver.address.text, "Cellpost");
        assert_int_equal(sms_time_to_unix_s(&deliver.scts), 1790000000);
        world_free(w);
        sent++;
    }
    (void)fclose(file);
    assert_true(sent > 20);
}

static void an_incoming_message_is_stored_announced_read_and_deleted(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    (void)world_ask(w, "AT+CNMI=2,1,0,1,0");
    world_forget(w);
    assert_int_equal(sim_network_incoming(w->network, 0, "+4915112345678", "Hello", w->now_us), 0);
    world_run(w, 0);
    assert_string_equal(w->output, "\r\n+CMTI: \"SM\",1\r\n");
    assert_begins(world_ask(w, "AT+CMGR=1"), "\r\n+CMGR: 0,,25\r\n07910407000000F0040D91945111325476F80000");
    assert_begins(world_ask(w, "AT+CMGR=1"), "\r\n+CMGR: 1,,25\r\n");
    assert_non_null(strstr(world_ask(w, "AT+CPMS?"), "\"SM\",1,20"));
    assert_string_equal(world_ask(w, "AT+CMGD=1"), "\r\nOK\r\n");
    assert_string_equal(world_last(w, SIM_EVENT_DELETED, 0)->text, "SM 1");
    assert_string_equal(world_ask(w, "AT+CMGR=1"), "\r\n+CMS ERROR: 321\r\n");
    assert_int_equal(sim_network_incoming(w->network, 0, "TooLongAName", "x", w->now_us), -EINVAL);
    assert_int_equal(sim_network_incoming(w->network, 2, "+49151", "x", w->now_us), -EINVAL);
    world_free(w);
}

static void a_full_storage_holds_messages_back_in_order_until_there_is_room(void **state)
{
    struct world *w = world_new(NULL, NULL);
    char text[16];

    (void)state;
    (void)world_ask(w, "AT+CNMI=2,1,0,1,0");
    for (int i = 1; i <= 30; i++) {
        (void)snprintf(text, sizeof text, "message %d", i);
        assert_int_equal(sim_network_incoming(w->network, 0, "+49151", text, w->now_us), 0);
    }
    world_run(w, SECONDS(100));
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 0), 20);
    assert_int_equal(sim_network_pending(w->network), 10);
    (void)world_ask(w, "AT+CMGD=5");
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 0), 21);
    assert_string_equal(world_last(w, SIM_EVENT_INCOMING, 0)->text, "message 21");
    (void)world_ask(w, "AT+CMGD=1,4");
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 0), 30);
    assert_string_equal(world_last(w, SIM_EVENT_INCOMING, 0)->text, "message 30");
    assert_int_equal(sim_network_pending(w->network), 0);
    world_free(w);
}

static void a_routed_message_waits_for_its_acknowledgement_with_csms_1_only(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    (void)world_ask(w, "AT+CNMI=2,2,0,1,0");
    assert_int_equal(sim_network_incoming(w->network, 0, "+49151", "one", w->now_us), 0);
    assert_int_equal(sim_network_incoming(w->network, 0, "+49151", "two", w->now_us), 0);
    world_run(w, 0);
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 0), 2);
    assert_string_equal(world_ask(w, "AT+CNMA"), "\r\n+CMS ERROR: 340\r\n");

    assert_string_equal(world_ask(w, "AT+CSMS=1"), "\r\n+CSMS: 1,1,1\r\n\r\nOK\r\n");
    assert_int_equal(sim_network_incoming(w->network, 0, "+49151", "three", w->now_us), 0);
    assert_int_equal(sim_network_incoming(w->network, 0, "+49151", "four", w->now_us), 0);
    world_run(w, SECONDS(1));
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 0), 3);
    assert_non_null(strstr(world_ask(w, "AT+CNMA"), "OK"));
    assert_string_equal(world_last(w, SIM_EVENT_INCOMING, 0)->text, "four");
    /* Nobody acknowledges this one: routing ends, and the message comes again, into the storage. */
    world_run(w, SECONDS(15));
    assert_non_null(strstr(world_ask(w, "AT+CNMI?"), "+CNMI: 2,0,0,0,0"));
    world_run(w, SECONDS(40));
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 0), 5);
    assert_string_equal(world_last(w, SIM_EVENT_INCOMING, 0)->text, "four");
    assert_non_null(strstr(world_ask(w, "AT+CPMS?"), "\"SM\",1,20"));
    world_free(w);
}

static void cnmi_mode_0_keeps_announcements_back_until_it_ends(void **state)
{
    struct world *w = world_new(NULL, NULL);

    (void)state;
    (void)world_ask(w, "AT+CNMI=0,1,0,0,0");
    world_forget(w);
    assert_int_equal(sim_network_incoming(w->network, 0, "+49151", "x", w->now_us), 0);
    world_run(w, 0);
    assert_string_equal(w->output, "");
    assert_string_equal(world_ask(w, "AT+CNMI=2,1,0,0,0"), "\r\n+CMTI: \"SM\",1\r\n\r\nOK\r\n");
    world_free(w);
}

static void a_long_text_from_outside_comes_in_parts_of_one_reference(void **state)
{
    struct world *w = world_new(NULL, NULL);
    char text[401];

    (void)state;
    memset(text, 'x', 400);
    text[400] = '\0';
    assert_int_equal(sim_network_incoming(w->network, 0, "Bank", text, w->now_us), 0);
    world_run(w, 0);
    assert_int_equal(world_count(w, SIM_EVENT_INCOMING, 0), 3);
    assert_int_equal(world_last(w, SIM_EVENT_INCOMING, 0)->seq, 3);
    assert_int_equal(world_last(w, SIM_EVENT_INCOMING, 0)->total, 3);
    assert_string_equal(world_last(w, SIM_EVENT_INCOMING, 0)->address, "Bank");
    for (size_t i = 1; i < w->event_count; i++)
        assert_int_equal(w->events[i].ref, w->events[0].ref);
    world_free(w);
}

static void jitter_stays_within_its_bounds_and_cmms_shortens_the_air(void **state)
{
    struct world *w = world_new(&(struct sim_network_config){ .seed = 3, .air_us = SECONDS(3), .air_jitter_us = SECONDS(1),
                                                              .linked_air_us = SECONDS(2), .report_mode = SIM_REPORT_NEVER }, NULL);
    uint64_t least = UINT64_MAX, most = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        uint64_t start_us = w->now_us, took_us;

        (void)world_send(w, SECONDS(5));
        took_us = world_last(w, SIM_EVENT_ANSWERED, 0)->t_us - start_us;
        least = took_us < least ? took_us : least;
        most = took_us > most ? took_us : most;
    }
    assert_in_range(least, SECONDS(2), SECONDS(2) + MS(100));
    assert_in_range(most, SECONDS(4) - MS(100), SECONDS(4));
    (void)world_ask(w, "AT+CMMS=2");
    (void)world_send(w, SECONDS(4));
    for (int i = 0; i < 50; i++) {
        uint64_t start_us = w->now_us;

        (void)world_send(w, SECONDS(4));
        assert_in_range(world_last(w, SIM_EVENT_ANSWERED, 0)->t_us - start_us, SECONDS(1), SECONDS(3));
    }
    world_free(w);
}

static void an_outage_refuses_all_parts_until_it_ends(void **state)
{
    struct world *w = world_new(&(struct sim_network_config){ .air_us = SECONDS(1) }, NULL);

    (void)state;
    sim_network_set_outage(w->network, 38);
    assert_string_equal(world_send(w, SECONDS(1)), "\r\n+CMS ERROR: 38\r\n");
    sim_network_set_outage(w->network, 0);
    assert_non_null(strstr(world_send(w, SECONDS(1)), "+CMGS: "));
    assert_int_equal(world_count(w, SIM_EVENT_ACCEPTED, 0), 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_tells_reference_recipient_and_status),
        cmocka_unit_test(an_early_report_comes_before_the_answer),
        cmocka_unit_test(reports_can_be_doubled_temporary_failed_or_missing),
        cmocka_unit_test(no_report_comes_that_was_not_asked_for),
        cmocka_unit_test(a_stored_report_is_announced_as_the_modem_has_it),
        cmocka_unit_test(a_full_report_storage_loses_old_reports_and_holds_nothing_up),
        cmocka_unit_test(a_message_to_an_own_number_arrives_there_and_is_reported_then),
        cmocka_unit_test(national_and_double_zero_forms_of_an_own_number_find_it_too),
        cmocka_unit_test(the_user_data_of_every_vector_reach_the_other_phone_untouched),
        cmocka_unit_test(an_incoming_message_is_stored_announced_read_and_deleted),
        cmocka_unit_test(a_full_storage_holds_messages_back_in_order_until_there_is_room),
        cmocka_unit_test(a_routed_message_waits_for_its_acknowledgement_with_csms_1_only),
        cmocka_unit_test(cnmi_mode_0_keeps_announcements_back_until_it_ends),
        cmocka_unit_test(a_long_text_from_outside_comes_in_parts_of_one_reference),
        cmocka_unit_test(jitter_stays_within_its_bounds_and_cmms_shortens_the_air),
        cmocka_unit_test(an_outage_refuses_all_parts_until_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
