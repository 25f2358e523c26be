/* SPDX-License-Identifier: Apache-2.0
 *
 * USSD requests of a modem: when they go, how they end, and that no part suffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "responder.h"

#define ASK "AT+CUSD=1,\"*100#\",15"
#define BALANCE "\r\n+CUSD: 0,\"Your balance is 12.34 EUR\",15\r\n"

/* What the event said; its text does not outlive the handler. */
static struct { unsigned count; enum modem_ussd_end end; int code; char text[MODEM_PDU_HEX_MAX]; } heard;

static void hear(void *context, const struct modem_event *event, uint64_t now_ms)
{
    if (event->kind == MODEM_EVENT_USSD) {
        heard.count++;
        heard.end = event->ussd;
        heard.code = event->code;
        snprintf(heard.text, sizeof heard.text, "%s", event->text);
    }
    note_event(context, event, now_ms);
}

static struct responder *ready_modem(void)
{
    struct responder *r = responder_new(NULL);
    struct modem_config config = r->config;

    memset(&heard, 0, sizeof heard);
    modem_free(r->modem);
    config.on_event = hear;
    r->modem = modem_new(&config);
    answer(r, "AT+CRSM=176,28483,0,0,1", "\r\nERROR\r\n");
    open_line(r);
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    return r;
}

static void ask(struct responder *r, const char *code)
{
    assert_int_equal(modem_ussd(r->modem, code, NULL, 0, r->now_ms), 0);
    assert_false(modem_can_send(r->modem));
    take_output(r);
}

static void the_answer_comes_after_ok_or_before_it(void **state)
{
    static const char *const says[] = { OK_LINE BALANCE, BALANCE OK_LINE };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct responder *r = ready_modem();

        answer(r, ASK, says[i]);
        ask(r, "*100#");
        run_for(r, 1000);
        assert_int_equal(heard.count, 1);
        assert_int_equal(heard.end, MODEM_USSD_FINAL);
        assert_string_equal(heard.text, "Your balance is 12.34 EUR");
        assert_true(modem_can_send(r->modem));
        assert_int_equal(count_started(r, "AT+CUSD=2"), 0);
        responder_free(r);
    }
}

static void it_waits_for_the_part_on_the_air_and_the_next_part_waits_for_it(void **state)
{
    struct responder *r = ready_modem();
    size_t asked = 0, parts = 0;

    (void)state;
    answer_octets(r, PART_PDU "\x1A", "\r\n+CMGS: 1\r\n" OK_LINE, strlen("\r\n+CMGS: 1\r\n" OK_LINE), 5000);
    answer_octets(r, ASK, OK_LINE BALANCE, strlen(OK_LINE BALANCE), 3000);
    r->parts_left = 3;
    send_next(r);
    take_output(r);
    run_for(r, 1000);
    r->written_count = 0;
    ask(r, "*100#");
    run_for(r, 3500);
    assert_int_equal(count_started(r, "AT"), 0);   /* nothing between AT+CMGS and its result */
    run_for(r, 60000);
    for (size_t i = 0; i < r->written_count; i++) {
        if (strcmp(r->written[i].text, ASK) == 0)
            asked = i + 1;
        if (strncmp(r->written[i].text, "AT+CMGS", 7) == 0 && ++parts == 1)
            assert_int_equal(asked, 1);            /* the very next after the first one's result */
    }
    assert_int_equal(asked, 1);
    assert_int_equal(parts, 2);
    assert_int_equal(count_events(r, MODEM_EVENT_SENT), 3);
    assert_int_equal(heard.end, MODEM_USSD_FINAL);
    responder_free(r);
}

static void silence_ends_after_a_minute_and_is_cancelled(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, ASK, OK_LINE);
    ask(r, "*100#");
    run_for(r, 59000);
    assert_int_equal(heard.count, 0);
    assert_int_equal(modem_send(r->modem, 1, PART_PDU, PART_LENGTH, r->now_ms), -EBUSY);
    run_for(r, 2000);
    assert_int_equal(heard.end, MODEM_USSD_SILENT);
    assert_int_equal(count_written(r, "AT+CUSD=2"), 1);
    assert_true(modem_can_send(r->modem));
    feed_text(r, BALANCE);                         /* too late: nobody is told */
    assert_int_equal(heard.count, 1);
    responder_free(r);
}

static void a_modem_that_does_not_even_say_ok_is_found_again_and_cancels(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, ASK, SILENCE);
    ask(r, "*100#");
    run_for(r, 120000);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.end, MODEM_USSD_SILENT);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_int_equal(count_written(r, "AT+CUSD=2"), 1);
    assert_true(modem_can_send(r->modem));
    responder_free(r);
}

static void replies_are_given_while_the_network_asks_for_them(void **state)
{
    static const char *const replies[] = { "1", "2" };
    struct responder *r = ready_modem();

    (void)state;
    answer(r, ASK, OK_LINE "\r\n+CUSD: 1,\"1 Balance\n2 Other\",15\r\n");
    answer(r, "AT+CUSD=1,\"1\",15", OK_LINE "\r\n+CUSD: 1,\"1 EUR\n2 Days\",15\r\n");
    answer(r, "AT+CUSD=1,\"2\",15", OK_LINE "\r\n+CUSD: 2,\"30 days\",15\r\n");
    assert_int_equal(modem_ussd(r->modem, "*100#", replies, 2, r->now_ms), 0);
    take_output(r);
    run_for(r, 2000);
    assert_int_equal(heard.end, MODEM_USSD_FINAL);
    assert_string_equal(heard.text, "30 days");
    assert_int_equal(count_started(r, "AT+CUSD=2"), 0);
    assert_int_equal(modem_ussd(r->modem, "*100#", replies, 1, r->now_ms), 0);
    take_output(r);
    run_for(r, 2000);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.end, MODEM_USSD_REPLY);
    assert_string_equal(heard.text, "1 EUR\n2 Days");
    assert_int_equal(count_written(r, "AT+CUSD=2"), 1);
    responder_free(r);
}

static void the_end_says_what_the_network_or_the_modem_meant(void **state)
{
    static const struct { const char *says; enum modem_ussd_end end; int code; const char *text; } rows[] = {
        { OK_LINE "\r\n+CUSD: 2\r\n", MODEM_USSD_ENDED, -1, "" },
        { OK_LINE "\r\n+CUSD: 2,\"bye\",15\r\n", MODEM_USSD_FINAL, -1, "bye" },
        { OK_LINE "\r\n+CUSD: 3\r\n", MODEM_USSD_OTHER, -1, "" },
        { OK_LINE "\r\n+CUSD: 4,\"Unknown code\",15\r\n", MODEM_USSD_UNSUPPORTED, -1, "Unknown code" },
        { OK_LINE "\r\n+CUSD: 5\r\n", MODEM_USSD_NETWORK_SLOW, -1, "" },
        { "\r\n+CME ERROR: 30\r\n", MODEM_USSD_REFUSED, 30, "" },
        /* OK, two answers and ERROR for one command: what was said counts. */
        { OK_LINE "\r\n+CUSD: 2,\"Unexpected Data Value\",15\r\n\r\n+CUSD: 2,\"Unexpected Data Value\",15\r\n\r\nERROR\r\n",
          MODEM_USSD_FINAL, -1, "Unexpected Data Value" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct responder *r = ready_modem();

        answer(r, ASK, rows[i].says);
        ask(r, "*100#");
        run_for(r, 1000);
        assert_int_equal(heard.count, 1);
        assert_int_equal(heard.end, rows[i].end);
        assert_int_equal(heard.code, rows[i].code);
        assert_string_equal(heard.text, rows[i].text);
        assert_true(modem_can_send(r->modem));
        responder_free(r);
    }
}

static void what_refuses_one_way_of_writing_is_asked_in_the_other_and_that_is_remembered(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, ASK, "\r\n+CME ERROR: 50\r\n");
    answer(r, "AT+CUSD=1,\"AA180C3602\",15", OK_LINE "\r\n+CUSD: 0,\"A0E09A5E2FB3D9E539E858A7A3C3E2B25B07CAB9723150B12A7501\",15\r\n");
    for (unsigned i = 1; i <= 2; i++) {
        ask(r, "*100#");
        run_for(r, 1000);
        assert_int_equal(heard.count, i);
        assert_int_equal(heard.end, MODEM_USSD_FINAL);
        assert_string_equal(heard.text, " Aktuelles Guthaben: 9.91 EUR.");
    }
    assert_int_equal(count_written(r, ASK), 1);
    responder_free(r);
}

static void huawei_is_asked_in_packed_digits(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CGMI", "\r\nhuawei\r\n" OK_LINE);
    open_line(r);
    run_for(r, 20000);
    assert_int_equal(modem_ussd(r->modem, "*100#", NULL, 0, r->now_ms), 0);
    take_output(r);
    assert_int_equal(count_written(r, "AT+CUSD=1,\"AA180C3602\",15"), 1);
    responder_free(r);
}

static void it_ends_when_its_modem_goes_away_or_restarts(void **state)
{
    (void)state;
    for (int restart = 0; restart < 2; restart++) {
        struct responder *r = ready_modem();

        answer(r, ASK, OK_LINE);
        ask(r, "*100#");
        run_for(r, 1000);
        if (restart == 0)
            modem_closed(r->modem, r->now_ms);
        else
            feed_text(r, "\r\nRDY\r\n");
        assert_int_equal(heard.count, 1);
        assert_int_equal(heard.end, MODEM_USSD_LOST);
        if (restart == 0)
            open_line(r);
        run_for(r, 30000);
        assert_int_equal(heard.count, 1);
        assert_int_equal(state_of(r), MODEM_READY);
        assert_true(modem_can_send(r->modem));
        responder_free(r);
    }
}

static void it_gives_up_its_turn_when_a_part_is_on_the_air_for_too_long(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, PART_PDU "\x1A", SILENCE);
    r->parts_left = 1;
    send_next(r);
    take_output(r);
    run_for(r, 1000);
    ask(r, "*100#");
    run_for(r, 61000);
    assert_int_equal(heard.end, MODEM_USSD_NO_TURN);
    assert_int_equal(count_started(r, "AT+CUSD"), 0);
    assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 0);
    responder_free(r);
}

static void only_one_at_a_time_and_only_of_a_modem_that_works(void **state)
{
    static const char *const bad[] = { "1", "x" };
    struct responder *r = ready_modem();

    (void)state;
    answer(r, ASK, OK_LINE);
    assert_int_equal(modem_ussd(r->modem, "*100#;+CMGF=1", NULL, 0, r->now_ms), -EINVAL);
    assert_int_equal(modem_ussd(r->modem, "*100#", bad, 2, r->now_ms), -EINVAL);
    ask(r, "*100#");
    assert_int_equal(modem_ussd(r->modem, "*101#", NULL, 0, r->now_ms), -EALREADY);
    modem_closed(r->modem, r->now_ms);
    assert_int_equal(modem_ussd(r->modem, "*100#", NULL, 0, r->now_ms), -EAGAIN);
    responder_free(r);
}

static void what_the_network_says_unasked_is_no_answer(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    feed_text(r, "\r\n+CUSD: 0,\"Win a car\",15\r\n");
    assert_int_equal(heard.count, 0);
    assert_true(modem_can_send(r->modem));
    responder_free(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_comes_after_ok_or_before_it),
        cmocka_unit_test(it_waits_for_the_part_on_the_air_and_the_next_part_waits_for_it),
        cmocka_unit_test(silence_ends_after_a_minute_and_is_cancelled),
        cmocka_unit_test(a_modem_that_does_not_even_say_ok_is_found_again_and_cancels),
        cmocka_unit_test(replies_are_given_while_the_network_asks_for_them),
        cmocka_unit_test(the_end_says_what_the_network_or_the_modem_meant),
        cmocka_unit_test(what_refuses_one_way_of_writing_is_asked_in_the_other_and_that_is_remembered),
        cmocka_unit_test(huawei_is_asked_in_packed_digits),
        cmocka_unit_test(it_ends_when_its_modem_goes_away_or_restarts),
        cmocka_unit_test(it_gives_up_its_turn_when_a_part_is_on_the_air_for_too_long),
        cmocka_unit_test(only_one_at_a_time_and_only_of_a_modem_that_works),
        cmocka_unit_test(what_the_network_says_unasked_is_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
