/* SPDX-License-Identifier: Apache-2.0
 *
 * When the card's file of the last used TP-MR is read, and what is told of whether the modem has been at work since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "responder.h"

#define READ_COUNT "AT+CRSM=176,28483,0,0,1"

static struct responder *ready_modem(const char *file)
{
    struct responder *r = responder_new(&(struct modem_config){ .nudge_ms = 60000 });

    answer(r, READ_COUNT, file);
    open_line(r);
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_int_equal(count_written(r, READ_COUNT), 0);
    return r;
}

static void send_parts(struct responder *r, size_t count)
{
    r->parts_left = count;
    send_next(r);
    take_output(r);
    assert_int_equal(state_of(r), MODEM_SENDING);
}

static void it_is_read_once_when_a_burst_is_over_and_not_within_it(void **state)
{
    struct responder *r = ready_modem("\r\n+CRSM: 144,0,\"2A\"\r\n" OK_LINE);

    (void)state;
    answer_pdu(r, "\r\n+CMGS: 42\r\n" OK_LINE);
    send_parts(r, 50);
    run_for(r, 2500);
    assert_int_equal(count_events(r, MODEM_EVENT_SENT), 50);
    assert_int_equal(count_written(r, READ_COUNT), 0);
    run_for(r, 5000);
    assert_int_equal(count_written(r, READ_COUNT), 1);
    assert_int_equal(last_event(r, MODEM_EVENT_COUNT)->event.mr, 42);
    responder_free(r);
}

static void it_is_read_after_a_refusal_before_the_next_part_goes(void **state)
{
    struct responder *r = ready_modem("\r\n+CRSM: 144,0,\"07FF\"\r\n" OK_LINE);
    size_t read = 0, second = 0, parts = 0;

    (void)state;
    answer_pdu(r, "\r\n+CMS ERROR: 38\r\n");
    r->written_count = 0;
    send_parts(r, 2);
    run_for(r, 300);
    for (size_t i = 0; i < r->written_count; i++) {
        if (strcmp(r->written[i].text, READ_COUNT) == 0 && read == 0)
            read = i + 1;
        if (strncmp(r->written[i].text, "AT+CMGS=", 8) == 0 && ++parts == 2)
            second = i + 1;
    }
    assert_in_range(read, 1, second - 1);
    assert_int_equal(last_event(r, MODEM_EVENT_COUNT)->event.mr, 7);
    responder_free(r);
}

/* The answer is lost; the nudge finds the modem at work. */
static void lose_answer(struct responder *r)
{
    answer_pdu(r, SILENCE);
    send_parts(r, 1);
    run_for(r, 75000);
    assert_int_equal(count_events(r, MODEM_EVENT_UNKNOWN), 1);
    assert_int_equal(state_of(r), MODEM_READY);
}

static void after_a_lost_answer_it_is_read_before_the_modem_is_ready_and_the_modem_is_the_same_as_before(void **state)
{
    struct responder *r = ready_modem("\r\n+CRSM: 144,0,\"63\"\r\n" OK_LINE);
    uint32_t lives = modem_status(r->modem)->lives;
    const struct seen *seen;

    (void)state;
    lose_answer(r);
    seen = last_event(r, MODEM_EVENT_COUNT);
    assert_int_equal(seen->event.mr, 0x63);
    assert_int_equal(seen->state, MODEM_SIM_WAIT);
    assert_int_equal(count_written(r, READ_COUNT), 1);
    assert_int_equal(modem_status(r->modem)->lives, lives);
    assert_in_range(r->now_ms - last_event(r, MODEM_EVENT_UNKNOWN)->at_ms, 0, 15000);
    responder_free(r);
}

static void what_a_restart_without_a_word_has_switched_off_gives_it_away(void **state)
{
    static const char *const answers[] = { "\r\n+CMEE: 0\r\n\r\nOK\r\n", "\r\n+CMEE: 2\r\n\r\nOK\r\n", "\r\nERROR\r\n", OK_LINE };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct responder *r = ready_modem("\r\n+CRSM: 144,0,\"63\"\r\n" OK_LINE);
        uint32_t lives = modem_status(r->modem)->lives;

        answer(r, "AT+CMEE?", answers[i]);
        lose_answer(r);
        assert_true(modem_status(r->modem)->lives > lives);
        responder_free(r);
    }
}

static void a_modem_that_stays_silent_or_is_unplugged_is_not_the_same_as_before(void **state)
{
    struct responder *r = ready_modem("\r\n+CRSM: 144,0,\"63\"\r\n" OK_LINE);
    uint32_t lives = modem_status(r->modem)->lives;

    (void)state;
    answer_pdu(r, SILENCE);
    send_parts(r, 1);
    run_for(r, 1000);
    r->mute = true;
    run_for(r, 200000);
    assert_true(modem_status(r->modem)->lives > lives);
    r->mute = false;
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    lives = modem_status(r->modem)->lives;
    modem_closed(r->modem, r->now_ms);
    assert_true(modem_status(r->modem)->lives > lives);
    responder_free(r);
}

static void a_modem_that_does_not_give_it_is_not_asked_again(void **state)
{
    static const char *const answers[] = { "\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n", "\r\n+CRSM: 106,130,\"\"\r\n\r\nOK\r\n" };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct responder *r = ready_modem(answers[i]);

        answer_pdu(r, "\r\n+CMGS: 1\r\n" OK_LINE);
        for (int part = 0; part < 3; part++) {
            send_parts(r, 1);
            run_for(r, 10000);
            modem_read_count(r->modem, r->now_ms);
            take_output(r);
            run_for(r, 1000);
        }
        assert_int_equal(count_written(r, READ_COUNT), 1);
        assert_int_equal(count_events(r, MODEM_EVENT_COUNT), 1);
        assert_int_equal(last_event(r, MODEM_EVENT_COUNT)->event.mr, -1);
        responder_free(r);
    }
}

static void whoever_wants_to_know_has_it_read_after_a_look_for_a_restart(void **state)
{
    struct responder *r = ready_modem("\r\n+CRSM: 144,0,\"05\"\r\n" OK_LINE);

    (void)state;
    run_for(r, 5000);
    r->written_count = 0;
    modem_read_count(r->modem, r->now_ms);
    take_output(r);
    run_for(r, 1000);
    assert_string_equal(r->written[0].text, "AT+CMEE?");
    assert_string_equal(r->written[1].text, READ_COUNT);
    assert_int_equal(last_event(r, MODEM_EVENT_COUNT)->event.mr, 5);
    responder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read_once_when_a_burst_is_over_and_not_within_it),
        cmocka_unit_test(it_is_read_after_a_refusal_before_the_next_part_goes),
        cmocka_unit_test(after_a_lost_answer_it_is_read_before_the_modem_is_ready_and_the_modem_is_the_same_as_before),
        cmocka_unit_test(what_a_restart_without_a_word_has_switched_off_gives_it_away),
        cmocka_unit_test(a_modem_that_stays_silent_or_is_unplugged_is_not_the_same_as_before),
        cmocka_unit_test(a_modem_that_does_not_give_it_is_not_asked_again),
        cmocka_unit_test(whoever_wants_to_know_has_it_read_after_a_look_for_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
