/* SPDX-License-Identifier: Apache-2.0
 *
 * One part in a modem's hands: every way it can end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/modem/responder.h"

static struct responder *ready_modem_with(const struct modem_config *config)
{
    struct responder *r = responder_new(config);

    open_line(r);
    run_for(r, 30000);
    assert_int_equal(state_of(r), MODEM_READY);
    return r;
}

static struct responder *ready_modem(void) { return ready_modem_with(NULL); }
static struct responder *nudging_modem(void) { return ready_modem_with(&(struct modem_config){ .nudge_ms = 60000 }); }

static void send_part(struct responder *r)
{
    r->parts_left = 1;
    send_next(r);
    take_output(r);
    assert_int_equal(state_of(r), MODEM_SENDING);
}

static size_t results(const struct responder *r)
{
    return count_events(r, MODEM_EVENT_SENT) + count_events(r, MODEM_EVENT_REFUSED) +
           count_events(r, MODEM_EVENT_NOT_SENT) + count_events(r, MODEM_EVENT_UNKNOWN);
}

static void a_part_is_sent_and_its_reference_reported(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer_pdu(r, "\r\n+CMGS: 235\r\n\r\nOK\r\n");
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(results(r), 1);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->event.mr, 235);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->event.part_id, 1);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->state, MODEM_READY);
    assert_int_equal(modem_status(r->modem)->sent, 1);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

/* Two lines per part and not one more, and the next command stands in the output when the feed that brought the
 * result returns: the modem never waits for us. */
static void a_burst_takes_two_lines_per_part_and_no_time_between_them(void **state)
{
    struct responder *r = ready_modem();
    size_t before, length;
    const uint8_t *output;

    (void)state;
    run_until(r, modem_deadline(r->modem) - 1);   /* no poll is due for almost a minute */
    before = r->written_count;
    r->parts_left = 100;
    send_next(r);
    for (int i = 0; i < 100; i++) {
        char result[64];

        output = modem_output(r->modem, &length);
        assert_int_equal(length, 11);
        assert_memory_equal(output, "AT+CMGS=16\r", 11);
        modem_output_consume(r->modem, length);
        modem_feed(r->modem, (const uint8_t *)"\r\n> ", 4, r->now_ms);
        output = modem_output(r->modem, &length);
        assert_int_equal(length, strlen(PART_PDU) + 1);
        assert_int_equal(output[length - 1], 0x1A);
        modem_output_consume(r->modem, length);
        snprintf(result, sizeof result, "\r\n+CMGS: %d\r\n\r\nOK\r\n", i);
        modem_feed(r->modem, (const uint8_t *)result, strlen(result), r->now_ms);
    }
    assert_int_equal(count_events(r, MODEM_EVENT_SENT), 100);
    assert_int_equal(r->written_count, before);   /* all of it went through the checks above */
    /* SENDING all the while: no state event between two parts. */
    for (size_t i = 1; i < r->seen_count; i++)
        assert_false(r->seen[i].event.kind == MODEM_EVENT_STATE && r->seen[i].state == MODEM_READY &&
                     r->seen[i - 1].event.kind == MODEM_EVENT_SENT && r->seen[i - 1].event.part_id < 100);
    responder_free(r);
}

static void a_refusal_gives_its_kind_and_code(void **state)
{
    static const struct { const char *text; enum modem_error_kind kind; int code;
    } cases[] = {
        { "\r\n+CMS ERROR: 500\r\n", MODEM_ERROR_CMS, 500 },
        { "\r\n+CMS ERROR:\r\n", MODEM_ERROR_CMS, -1 },
        { "\r\n+CME ERROR: 62\r\n", MODEM_ERROR_CME, 62 },
        { "\r\n+CME ERROR:53\r\n", MODEM_ERROR_CME, 53 },
        { "\r\n> \r\nERROR\r\n", MODEM_ERROR_NONE, -1 },
        { "\r\nCOMMAND NOT SUPPORT\r\n", MODEM_ERROR_NONE, -1 },
        { "\r\n+CMS ERROR: network timeout\r\n", MODEM_ERROR_CMS, 332 },
        { "\r\n+CMS ERROR: \"Unknown error\"\r\n", MODEM_ERROR_CMS, 500 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct responder *r = ready_modem();

        answer_pdu(r, cases[i].text);
        send_part(r);
        run_for(r, 1000);
        assert_int_equal(results(r), 1);
        assert_int_equal(count_events(r, MODEM_EVENT_REFUSED), 1);
        assert_int_equal(last_event(r, MODEM_EVENT_REFUSED)->event.error_kind, cases[i].kind);
        assert_int_equal(last_event(r, MODEM_EVENT_REFUSED)->event.code, cases[i].code);
        assert_int_equal(state_of(r), MODEM_READY);
        responder_free(r);
    }
}

static void an_error_instead_of_the_prompt_is_a_refusal(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, "AT+CMGS=16", "\r\n+CMS ERROR: 302\r\n");
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(last_event(r, MODEM_EVENT_REFUSED)->event.code, 302);
    assert_int_equal(count_written(r, PART_PDU "\x1A"), 0);
    responder_free(r);
}

static void without_a_prompt_the_pdu_is_never_written_and_the_part_is_not_sent(void **state)
{
    struct responder *r = ready_modem();
    uint64_t start_ms = r->now_ms;

    (void)state;
    answer(r, "AT+CMGS=16", SILENCE);
    send_part(r);
    run_for(r, 9999);
    assert_int_equal(results(r), 0);
    run_for(r, 1);
    assert_int_equal(results(r), 1);
    assert_int_equal(last_event(r, MODEM_EVENT_NOT_SENT)->at_ms, start_ms + 10000);
    assert_int_equal(state_of(r), MODEM_RECOVERING);
    run_for(r, 8000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_true(count_written(r, "\x1B") >= 1);   /* a prompt may be open after all */
    assert_int_equal(count_written(r, PART_PDU "\x1A"), 0);
    responder_free(r);
}

/* TC35i: an OK, but no +CMGS. */
static void ok_without_a_reference_is_unknown_and_not_sent_again(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer_pdu(r, OK_LINE);
    send_part(r);
    run_for(r, 10000);
    assert_int_equal(results(r), 1);
    assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 1);
    assert_int_equal(count_written(r, PART_PDU "\x1A"), 1);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

static void a_lost_answer_is_noticed_by_a_bare_at_where_that_is_allowed(void **state)
{
    struct responder *r = nudging_modem();
    uint64_t start_ms = r->now_ms;

    (void)state;
    answer_pdu(r, SILENCE);
    send_part(r);
    run_for(r, 60000);
    assert_int_equal(results(r), 0);
    run_for(r, 200);
    assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 1);
    assert_in_range(last_event(r, MODEM_EVENT_UNKNOWN)->at_ms, start_ms + 60000, start_ms + 60100);
    run_for(r, 10000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_int_equal(count_started(r, PART_PDU), 1);
    responder_free(r);
}

static void a_modem_that_is_still_sending_answers_the_bare_at_later_and_the_part_is_sent(void **state)
{
    struct responder *r = nudging_modem();

    (void)state;
    answer_octets(r, PART_PDU "\x1A", "\r\n+CMGS: 7\r\n\r\nOK\r\n", 19, 90000);
    answer_octets(r, "AT", OK_LINE, 6, 30100);   /* the one that was written after 60 s */
    answer(r, "AT", OK_LINE);
    send_part(r);
    run_for(r, 89000);
    assert_int_equal(results(r), 0);
    run_for(r, 20000);
    assert_int_equal(results(r), 1);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->event.mr, 7);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

static void silence_to_the_hard_limit_is_unknown_and_a_late_reference_is_reported(void **state)
{
    struct responder *r = ready_modem();
    uint64_t start_ms = r->now_ms;

    (void)state;
    answer_pdu(r, SILENCE);
    send_part(r);
    run_for(r, 50);
    r->mute = true;
    r->written_count = 0;
    run_for(r, 179000);
    assert_int_equal(results(r), 0);
    assert_int_equal(r->written_count, 0);   /* any octet might abort the send */
    run_for(r, 1500);
    assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 1);
    assert_in_range(last_event(r, MODEM_EVENT_UNKNOWN)->at_ms, start_ms + 180000, start_ms + 180100);
    assert_int_equal(state_of(r), MODEM_RECOVERING);
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_RECOVERING);
    feed_text(r, "\r\n+CMGS: 99\r\n\r\nOK\r\n");
    assert_int_equal(count_events(r, MODEM_EVENT_LATE_SENT), 1);
    assert_int_equal(last_event(r, MODEM_EVENT_LATE_SENT)->event.mr, 99);
    assert_int_equal(last_event(r, MODEM_EVENT_LATE_SENT)->event.part_id, 1);
    r->mute = false;
    run_for(r, 10000);   /* back at work within ten seconds */
    assert_int_equal(state_of(r), MODEM_READY);
    feed_text(r, "\r\n+CMGS: 99\r\n");
    assert_int_equal(count_events(r, MODEM_EVENT_LATE_SENT), 1);
    responder_free(r);
}

/* Found by scripts/soak: the rest from polls after a part held up the question for the network, and with it the next part. */
static void a_modem_that_lost_a_reply_and_answers_again_is_back_within_a_second(void **state)
{
    struct responder *r = ready_modem();
    uint64_t end_ms;

    (void)state;
    answer_pdu(r, SILENCE);
    send_part(r);
    while (count_events(r, MODEM_EVENT_UNKNOWN) == 0 && r->now_ms < 400000)
        run_for(r, 10);
    assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 1);
    end_ms = last_event(r, MODEM_EVENT_UNKNOWN)->at_ms;
    while (state_of(r) != MODEM_READY && r->now_ms < end_ms + 20000)
        run_for(r, 10);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_in_range(r->now_ms, end_ms, end_ms + 1000);
    responder_free(r);
}

/* Answers that come one command late must not be taken for those of the next. */
static void a_late_ok_does_not_answer_the_next_command(void **state)
{
    struct responder *r = nudging_modem();

    (void)state;
    answer_pdu(r, SILENCE);
    answer_octets(r, "AT", "\r\n+CMGS: 33\r\n\r\nOK\r\n", 20, 0);   /* what the nudge brings is the lost answer */
    answer_octets(r, "AT", OK_LINE OK_LINE, 12, 0);
    send_part(r);
    run_for(r, 75000);
    assert_int_equal(results(r), 1);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->event.mr, 33);
    assert_int_equal(state_of(r), MODEM_READY);
    answer_pdu(r, "\r\n+CMGS: 34\r\n" OK_LINE);
    r->answers[0].used = true;
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->event.mr, 34);
    responder_free(r);
}

static void unplugging_is_not_sent_before_the_pdu_and_unknown_after_its_first_octet(void **state)
{
    static const struct { int phase; enum modem_event_kind kind; } cases[] = {
        { 0, MODEM_EVENT_NOT_SENT },   /* the command is written, no prompt yet */
        { 1, MODEM_EVENT_NOT_SENT },   /* prompt came, the PDU waits in our buffer */
        { 2, MODEM_EVENT_UNKNOWN },    /* one octet of it left */
        { 3, MODEM_EVENT_UNKNOWN },    /* all but Ctrl-Z */
        { 4, MODEM_EVENT_UNKNOWN },    /* all of it */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct responder *r = ready_modem();
        size_t length;

        answer(r, "AT+CMGS=16", SILENCE);
        send_part(r);
        if (cases[i].phase > 0)
            modem_feed(r->modem, (const uint8_t *)"\r\n> ", 4, r->now_ms);
        (void)modem_output(r->modem, &length);
        if (cases[i].phase == 2)
            modem_output_consume(r->modem, 1);
        if (cases[i].phase == 3)
            modem_output_consume(r->modem, length - 1);
        if (cases[i].phase == 4)
            modem_output_consume(r->modem, length);
        modem_closed(r->modem, r->now_ms);
        assert_int_equal(results(r), 1);
        assert_int_equal(count_events(r, cases[i].kind), 1);
        assert_int_equal(state_of(r), MODEM_LOST);
        assert_int_equal(reason_of(r), MODEM_REASON_UNPLUGGED);
        (void)modem_output(r->modem, &length);
        assert_int_equal(length, 0);
        assert_true(modem_deadline(r->modem) == UINT64_MAX);
        /* Plugged in again it works again. */
        answer_anew(r, "AT+CMGS=16", "\r\n> ");
        answer_pdu(r, "\r\n+CMGS: 1\r\n" OK_LINE);
        open_line(r);
        run_for(r, 30000);
        send_part(r);
        run_for(r, 1000);
        assert_int_equal(count_events(r, MODEM_EVENT_SENT), 1);
        responder_free(r);
    }
}

static void a_reset_in_a_send_is_unknown_at_once_and_the_modem_is_set_up_again(void **state)
{
    static const char *const boots[] = { "\r\nRDY\r\n", "\r\n^SYSSTART\r\n", "\r\n*ATREADY: 1\r\n",
                                         "\r\nNORMAL POWER DOWN\r\n" };

    (void)state;
    for (size_t i = 0; i < sizeof boots / sizeof boots[0]; i++) {
        struct responder *r = ready_modem();

        answer_pdu(r, SILENCE);
        send_part(r);
        run_for(r, 3000);
        feed_text(r, boots[i]);
        assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 1);
        assert_int_equal(state_of(r), MODEM_RECOVERING);
        assert_int_equal(reason_of(r), MODEM_REASON_RESET);
        run_for(r, 10000);
        assert_int_equal(state_of(r), MODEM_READY);
        assert_int_equal(count_written(r, "ATE0"), 2);
        assert_int_equal(count_written(r, "AT+CMGF=0"), 2);
        assert_int_equal(results(r), 1);
        assert_int_equal(count_events(r, MODEM_EVENT_SIM), 1);   /* the same card */
        responder_free(r);
    }
}

static void sms_ready_again_with_a_part_in_hand_makes_it_ask_and_a_modem_that_forgot_the_part_is_found_out(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    open_line(r);
    run_for(r, 10000);
    answer_pdu(r, SILENCE);
    send_part(r);
    run_for(r, 1000);
    feed_text(r, "\r\nSMS Ready\r\n");
    assert_int_equal(results(r), 0);
    feed_text(r, "\r\nSMS Ready\r\n");   /* a second one: a second start? */
    assert_int_equal(results(r), 0);
    run_for(r, 20000);                      /* it answers AT, and that is all it answers */
    assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 1);
    responder_free(r);
}

static void a_ready_line_that_means_nothing_does_not_cost_the_part(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    open_line(r);
    run_for(r, 10000);
    answer_pdu(r, SILENCE);
    send_part(r);
    run_for(r, 1000);
    feed_text(r, "\r\nPB DONE\r\n");
    feed_text(r, "\r\nPB DONE\r\n");
    feed_text(r, "\r\n+CMGS: 44\r\n\r\nOK\r\n");
    assert_int_equal(count_events(r, MODEM_EVENT_SENT), 1);
    assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 0);
    run_for(r, 30000);
    assert_int_equal(results(r), 1);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

static void a_reset_before_the_prompt_is_not_sent(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, "AT+CMGS=16", SILENCE);
    send_part(r);
    feed_text(r, "\r\nRDY\r\n");
    assert_int_equal(count_events(r, MODEM_EVENT_NOT_SENT), 1);
    assert_int_equal(results(r), 1);
    responder_free(r);
}

/* In text mode the length would be taken for a number and the PDU for a text. */
static void an_echo_that_was_off_keeps_the_pdu_back(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, "AT+CMGS=16", "AT+CMGS=16\r\r\n> ");
    answer(r, "\x1B", OK_LINE);
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(count_events(r, MODEM_EVENT_NOT_SENT), 1);
    assert_int_equal(count_written(r, PART_PDU "\x1A"), 0);
    answer_anew(r, "AT+CMGS=16", "\r\n> ");
    answer_pdu(r, "\r\n+CMGS: 1\r\n" OK_LINE);
    run_for(r, 10000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_int_equal(count_written(r, "ATE0"), 2);
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(count_events(r, MODEM_EVENT_SENT), 1);
    responder_free(r);
}

static void a_modem_whose_echo_cannot_be_switched_off_still_sends(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "ATE0", "ATE0\rATE0\r\r\nOK\r\n");
    answer(r, "AT+CMGF=0", "AT+CMGF=0\r\r\nOK\r\n");
    answer(r, "AT+CMGS=16", "AT+CMGS=16\r\r\n> ");
    answer_pdu(r, PART_PDU "\r\n\r\n+CMGS: 3\r\n" OK_LINE);
    open_line(r);
    run_for(r, 30000);
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->event.mr, 3);
    responder_free(r);
}

static void a_modem_that_never_asks_gets_its_pdu_after_a_moment_without_an_error(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CGMM", "\r\nnRF9160-SICA\r\n" OK_LINE);
    answer(r, "AT+CMGS=16", "");
    answer(r, "AT+CMGS=16", "\r\n+CMS ERROR: 305\r\n");
    answer_pdu(r, "\r\n+CMGS: 8\r\n" OK_LINE);
    open_line(r);
    run_for(r, 30000);
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->event.mr, 8);
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(last_event(r, MODEM_EVENT_REFUSED)->event.code, 305);
    assert_int_equal(count_written(r, PART_PDU "\x1A"), 1);
    responder_free(r);
}

static void a_part_that_waits_behind_a_command_that_hangs_is_not_sent(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer_pdu(r, "\r\n+CMGS: 1\r\n" OK_LINE);
    send_part(r);
    run_for(r, 3000);
    answer(r, "AT+CMGR=5", SILENCE);
    feed_text(r, "\r\n+CMTI: \"SM\",5\r\n");
    send_part(r);
    run_for(r, 20000);
    assert_int_equal(count_events(r, MODEM_EVENT_SENT), 1);
    assert_int_equal(count_events(r, MODEM_EVENT_NOT_SENT), 1);
    assert_int_equal(count_started(r, "AT+CMGS="), 1);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

static void a_reference_that_comes_after_the_next_part_belongs_to_nobody(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer_pdu(r, OK_LINE);   /* unknown: OK without a reference */
    answer_pdu(r, "\r\n+CMGS: 2\r\n" OK_LINE);
    send_part(r);
    run_for(r, 10000);
    assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 1);
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->event.part_id, 2);
    feed_text(r, "\r\n+CMGS: 3\r\n");
    assert_int_equal(count_events(r, MODEM_EVENT_LATE_SENT), 0);
    responder_free(r);
}

static void unsolicited_lines_in_a_send_change_nothing(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, "AT+CMGS=16", "\r\n+CREG: 1\r\n\r\nRING\r\n\r\n>");
    answer_pdu(r, "\r\n^RSSI:17\r\n\r\n+CMGS: 12\r\n\r\n+CDS: "
                  "25\r\n079119291573366706400C91193931474663511090718384225110907183252200\r\n\r\nOK\r\n");
    send_part(r);
    run_for(r, 1000);
    assert_int_equal(last_event(r, MODEM_EVENT_SENT)->event.mr, 12);
    assert_int_equal(count_events(r, MODEM_EVENT_REPORT), 1);   /* a report may come before the OK of its own message */
    responder_free(r);
}

static void a_second_part_is_refused_while_one_is_in_its_hands(void **state)
{
    struct responder *r = ready_modem();
    char longest[MODEM_PDU_HEX_MAX + 3];

    (void)state;
    memset(longest, 'A', sizeof longest);
    longest[MODEM_PDU_HEX_MAX + 2] = '\0';
    assert_int_equal(modem_send(r->modem, 9, longest, 160, r->now_ms), -EINVAL);
    longest[MODEM_PDU_HEX_MAX] = '\0';
    assert_int_equal(modem_send(r->modem, 9, "001", 1, r->now_ms), -EINVAL);
    assert_int_equal(modem_send(r->modem, 9, "", 1, r->now_ms), -EINVAL);
    assert_int_equal(modem_send(r->modem, 9, "00\r1", 1, r->now_ms), -EINVAL);
    assert_int_equal(modem_send(r->modem, 9, "0G", 1, r->now_ms), -EINVAL);
    assert_true(modem_can_send(r->modem));
    assert_int_equal(modem_send(r->modem, 9, longest, 160, r->now_ms), 0);
    assert_false(modem_can_send(r->modem));
    assert_int_equal(modem_send(r->modem, 10, PART_PDU, PART_LENGTH, r->now_ms), -EBUSY);
    modem_closed(r->modem, r->now_ms);
    assert_int_equal(modem_send(r->modem, 10, PART_PDU, PART_LENGTH, r->now_ms), -EBUSY);
    responder_free(r);
}

static void a_refusal_that_is_about_the_card_has_the_card_looked_at(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer_pdu(r, "\r\n+CMS ERROR: 310\r\n");
    answer(r, "AT+CPIN?", "\r\n+CME ERROR: 10\r\n");
    send_part(r);
    run_for(r, 30000);
    assert_int_equal(count_events(r, MODEM_EVENT_REFUSED), 1);
    assert_int_equal(state_of(r), MODEM_PARKED);
    assert_int_equal(reason_of(r), MODEM_REASON_NO_SIM);
    responder_free(r);
}

static void an_error_without_its_code_makes_a_silent_reset_known(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer_pdu(r, "\r\nERROR\r\n");
    answer(r, "AT+CMEE?", "\r\n+CMEE: 0\r\n" OK_LINE);
    answer(r, "AT+CMEE?", "\r\n+CMEE: 1\r\n" OK_LINE);
    send_part(r);
    run_for(r, 10000);
    assert_int_equal(count_events(r, MODEM_EVENT_REFUSED), 1);
    assert_int_equal(count_written(r, "AT+CMEE=1"), 2);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

static void between_two_parts_there_is_at_most_one_other_command(void **state)
{
    struct responder *r = ready_modem();
    size_t run = 0, reads = 0;

    (void)state;
    answer_pdu(r, "\r\n+CMGS: 1\r\n\r\n+CMTI: \"SM\",3\r\n\r\n+CMTI: \"SM\",4\r\n" OK_LINE);
    answer(r, "AT+CMGR=3",
           "\r\n+CMGR: 0,,23\r\n07913336105107F3040B913306100726F200005180719120348004D4F29C0E\r\n" OK_LINE);
    r->store_at_once = true;
    r->written_count = 0;
    r->parts_left = 20;
    send_next(r);
    run_for(r, 5000);
    assert_int_equal(count_events(r, MODEM_EVENT_SENT), 20);
    for (size_t i = 0; i < r->written_count && count_started(r, "AT+CMGS=") > 0; i++) {
        if (strncmp(r->written[i].text, "AT+CMGS=", 8) == 0) {
            run = 0;
        } else if (strncmp(r->written[i].text, "AT", 2) == 0) {
            bool after_last = true;

            for (size_t k = i; k < r->written_count; k++)
                after_last = after_last && strncmp(r->written[k].text, "AT+CMGS=", 8) != 0;
            reads += strncmp(r->written[i].text, "AT+CMGR=", 8) == 0;
            assert_true(after_last || ++run <= 1);
        }
    }
    assert_true(reads >= 5);
    responder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_sent_and_its_reference_reported),
        cmocka_unit_test(a_burst_takes_two_lines_per_part_and_no_time_between_them),
        cmocka_unit_test(a_refusal_gives_its_kind_and_code),
        cmocka_unit_test(an_error_instead_of_the_prompt_is_a_refusal),
        cmocka_unit_test(without_a_prompt_the_pdu_is_never_written_and_the_part_is_not_sent),
        cmocka_unit_test(ok_without_a_reference_is_unknown_and_not_sent_again),
        cmocka_unit_test(a_lost_answer_is_noticed_by_a_bare_at_where_that_is_allowed),
        cmocka_unit_test(a_modem_that_is_still_sending_answers_the_bare_at_later_and_the_part_is_sent),
        cmocka_unit_test(silence_to_the_hard_limit_is_unknown_and_a_late_reference_is_reported),
        cmocka_unit_test(a_modem_that_lost_a_reply_and_answers_again_is_back_within_a_second),
        cmocka_unit_test(a_late_ok_does_not_answer_the_next_command),
        cmocka_unit_test(unplugging_is_not_sent_before_the_pdu_and_unknown_after_its_first_octet),
        cmocka_unit_test(a_reset_in_a_send_is_unknown_at_once_and_the_modem_is_set_up_again),
        cmocka_unit_test(sms_ready_again_with_a_part_in_hand_makes_it_ask_and_a_modem_that_forgot_the_part_is_found_out),
        cmocka_unit_test(a_ready_line_that_means_nothing_does_not_cost_the_part),
        cmocka_unit_test(a_reset_before_the_prompt_is_not_sent),
        cmocka_unit_test(an_echo_that_was_off_keeps_the_pdu_back),
        cmocka_unit_test(a_modem_whose_echo_cannot_be_switched_off_still_sends),
        cmocka_unit_test(a_modem_that_never_asks_gets_its_pdu_after_a_moment_without_an_error),
        cmocka_unit_test(a_part_that_waits_behind_a_command_that_hangs_is_not_sent),
        cmocka_unit_test(a_reference_that_comes_after_the_next_part_belongs_to_nobody),
        cmocka_unit_test(unsolicited_lines_in_a_send_change_nothing),
        cmocka_unit_test(a_second_part_is_refused_while_one_is_in_its_hands),
        cmocka_unit_test(a_refusal_that_is_about_the_card_has_the_card_looked_at),
        cmocka_unit_test(an_error_without_its_code_makes_a_silent_reset_known),
        cmocka_unit_test(between_two_parts_there_is_at_most_one_other_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
