/* SPDX-License-Identifier: Apache-2.0
 *
 * A modem's life from the port's opening to READY, and every way it can stop on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/modem/responder.h"

static struct responder *opened(const char *pin)
{
    struct responder *r = responder_new(&(struct modem_config){ .pin = pin });

    open_line(r);
    return r;
}

static void a_modem_goes_through_its_states_to_ready_and_is_known_by_then(void **state)
{
    static const enum modem_state way[] = { MODEM_PROBING, MODEM_IDENTIFYING, MODEM_SIM_WAIT, MODEM_SETTING_UP,
                                            MODEM_REGISTERING, MODEM_READY };
    struct responder *r = opened(NULL);
    const struct modem_status *status = modem_status(r->modem);
    size_t at = 0;

    (void)state;
    run_for(r, 10000);
    for (size_t i = 0; i < r->seen_count; i++) {
        if (r->seen[i].event.kind == MODEM_EVENT_STATE)
            assert_int_equal(r->seen[i].state, way[at++]);
    }
    assert_int_equal(at, 6);
    assert_string_equal(status->identity.manufacturer, "ACME");
    assert_string_equal(status->identity.model, "M1");
    assert_string_equal(status->identity.revision, "1.0");
    assert_string_equal(status->identity.imei, "864643068431925");
    assert_string_equal(status->identity.iccid, "89620133881795896481");
    assert_string_equal(status->identity.imsi, "510018429150095");
    assert_string_equal(status->smsc, "+32415725353");
    assert_string_equal(status->operator_name, "PLAY");
    assert_int_equal(status->signal_dbm, -73);
    assert_int_equal(status->registration, 1);
    assert_false(status->roaming);
    assert_int_equal(status->storage_total, 20);
    assert_int_equal(reason_of(r), MODEM_REASON_NONE);
    assert_int_equal(count_events(r, MODEM_EVENT_SIM), 1);
    assert_string_equal(r->written[0].text, "\x1B");   /* a prompt may be open from before our own restart */
    assert_int_equal(count_written(r, "AT+CNMI=2,1,0,1,0"), 1);
    responder_free(r);
}

static void a_port_that_is_no_modem_is_parked_and_asked_again(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    r->mute = true;
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_PARKED);
    assert_int_equal(reason_of(r), MODEM_REASON_NO_ANSWER);
    feed_text(r, "$GPGGA,,,,,,0,,,,,,,,*66\r\n$GPRMC,,V,,,,,,,,,,N*53\r\n");   /* a GPS says something */
    assert_int_equal(state_of(r), MODEM_PARKED);
    r->written_count = 0;
    run_for(r, 60000);
    assert_in_range(r->written_count, 1, 8);   /* asked cheaply */
    r->mute = false;
    run_for(r, 70000);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

static void a_modem_that_boots_behind_its_port_is_found_by_its_boot_line(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    r->mute = true;
    run_for(r, 25000);
    assert_int_equal(state_of(r), MODEM_PARKED);
    r->mute = false;
    feed_text(r, "\r\nRDY\r\n");
    run_for(r, 10000);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

static void a_card_that_is_missing_blocked_or_locked_parks_with_its_reason(void **state)
{
    static const struct { const char *answer; enum modem_reason reason; } cases[] = {
        { "\r\n+CME ERROR: 10\r\n", MODEM_REASON_NO_SIM },
        { "\r\n+CPIN: NOT INSERTED\r\n" OK_LINE, MODEM_REASON_NO_SIM },
        { "\r\n+CPIN: SIM PIN\r\n" OK_LINE, MODEM_REASON_PIN_NEEDED },
        { "\r\n+CPIN: SIM PUK\r\n" OK_LINE, MODEM_REASON_PUK_NEEDED },
        { "\r\n+CME ERROR: SIM PUK required\r\n", MODEM_REASON_PUK_NEEDED },
        { "\r\n+CPIN: PH-SIM PIN\r\n" OK_LINE, MODEM_REASON_SIM_LOCKED },
        { "\r\n+CPIN: PH-NET PIN\r\n" OK_LINE, MODEM_REASON_SIM_LOCKED },
        { "\r\n+CME ERROR: 13\r\n", MODEM_REASON_SIM_FAILURE },
        { "\r\nERROR\r\n", MODEM_REASON_SIM_FAILURE },
        { "\r\n+CME ERROR: 14\r\n", MODEM_REASON_SIM_BUSY },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct responder *r = opened(NULL);

        answer(r, "AT+CPIN?", cases[i].answer);
        run_for(r, 90000);
        assert_int_equal(state_of(r), MODEM_PARKED);
        assert_int_equal(reason_of(r), cases[i].reason);
        assert_true(strlen(modem_reason_text(reason_of(r))) > 20);
        assert_int_equal(count_started(r, "AT+CPIN="), 0);
        /* Put right, it is found at the next look. */
        answer_anew(r, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK_LINE);
        run_for(r, 70000);
        assert_int_equal(state_of(r), MODEM_READY);
        responder_free(r);
    }
}

static void a_card_that_is_busy_or_fails_for_a_moment_at_boot_is_waited_for(void **state)
{
    static const char *const before[] = { "\r\n+CME ERROR: 14\r\n", "\r\n+CME ERROR: SIM failure\r\n", "\r\nERROR\r\n",
                                          ("\r\n+CPIN: NOT READY\r\n" OK_LINE) };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct responder *r = opened(NULL);

        for (int k = 0; k < 3; k++)
            answer(r, "AT+CPIN?", before[i]);
        answer(r, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK_LINE);
        run_for(r, 15000);
        assert_int_equal(state_of(r), MODEM_READY);
        for (size_t k = 0; k < r->seen_count; k++)
            assert_int_not_equal(r->seen[k].state, MODEM_PARKED);
        responder_free(r);
    }
}

static void the_pin_is_entered_once_and_the_card_waited_for(void **state)
{
    struct responder *r = opened("1234");

    (void)state;
    answer(r, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n" OK_LINE);
    answer(r, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n" OK_LINE);   /* some say so for seconds after it was taken */
    answer(r, "AT+CPIN?", "\r\n+CME ERROR: 14\r\n");
    answer(r, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK_LINE);
    run_for(r, 30000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_int_equal(count_written(r, "AT+CPIN=\"1234\""), 1);
    assert_int_equal(count_started(r, "AT+CPIN="), 1);
    responder_free(r);
}

static void a_refused_pin_is_never_tried_again(void **state)
{
    static const char *const refusals[] = { "\r\n+CME ERROR: 16\r\n", "\r\nERROR\r\n",
                                            "\r\n+CME ERROR: incorrect password\r\n", SILENCE };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct responder *r = opened("1111");

        answer(r, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n" OK_LINE);
        answer(r, "AT+CPIN=\"1111\"", refusals[i]);
        run_for(r, 600000);
        assert_int_equal(state_of(r), MODEM_PARKED);
        assert_int_equal(reason_of(r), MODEM_REASON_PIN_WRONG);
        for (int k = 0; k < 20; k++) {   /* unplugged, reset, plugged in */
            modem_closed(r->modem, r->now_ms);
            open_line(r);
            run_for(r, 20000);
            feed_text(r, "\r\nRDY\r\n");
            run_for(r, 90000);
        }
        assert_int_equal(count_started(r, "AT+CPIN="), 1);
        assert_int_equal(state_of(r), MODEM_PARKED);
        responder_free(r);
    }
}

static void a_pin_that_was_accepted_is_entered_again_after_a_reset(void **state)
{
    struct responder *r = opened("1234");

    (void)state;
    answer(r, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n" OK_LINE);
    answer(r, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK_LINE);
    run_for(r, 30000);
    assert_int_equal(state_of(r), MODEM_READY);
    answer_anew(r, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n" OK_LINE);
    answer(r, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK_LINE);
    feed_text(r, "\r\nRDY\r\n");
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_int_equal(count_started(r, "AT+CPIN="), 2);
    responder_free(r);
}

static void a_pin_that_is_no_pin_is_not_sent(void **state)
{
    static const char *const pins[] = { "", "123", "12345\r", "1234\"", "ABCD", "123456789" };

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct responder *r = opened(pins[i]);

        answer(r, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n" OK_LINE);
        run_for(r, 20000);
        assert_int_equal(reason_of(r), MODEM_REASON_PIN_NEEDED);
        assert_int_equal(count_started(r, "AT+CPIN="), 0);
        responder_free(r);
    }
}

static void the_iccid_is_found_by_whichever_command_the_modem_has(void **state)
{
    static const struct { const char *command, *answer; } ways[] = {
        { "AT+CCID", "\r\n89620133881795896481\r\n" OK_LINE },
        { "AT+QCCID", "\r\n+QCCID: 89620133881795896481\r\n" OK_LINE },
        { "AT+CICCID", "\r\n+ICCID: 89620133881795896481\r\n" OK_LINE },
        { "AT+ICCID", "\r\nICCID: 89620133881795896481\r\n" OK_LINE },
        { "AT^ICCID?", "\r\n^ICCID: 98261033887159984618\r\n" OK_LINE },
        { "AT#CCID", "\r\n#CCID: 89620133881795896481\r\n" OK_LINE },
        { "AT+CRSM=176,12258,0,0,10", "\r\n+CRSM: 144,0,\"98261033887159984618\"\r\n" OK_LINE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct responder *r = opened(NULL);

        answer(r, "AT+CCID", "\r\nERROR\r\n");
        for (size_t k = 1; k < i; k++)
            answer(r, ways[k].command, k % 2 == 0 ? OK_LINE : "\r\n+CME ERROR: 100\r\n");
        answer_anew(r, ways[i].command, ways[i].answer);
        run_for(r, 20000);
        assert_string_equal(modem_status(r->modem)->identity.iccid, "89620133881795896481");
        assert_int_equal(state_of(r), MODEM_READY);
        responder_free(r);
    }
}

static void another_card_is_announced(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    run_for(r, 20000);
    answer_anew(r, "AT+CCID", "\r\n+CCID: 8940000000000000012\r\n" OK_LINE);
    answer(r, "AT+CPIN?", "\r\n+CPIN: NOT INSERTED\r\n" OK_LINE);
    answer(r, "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK_LINE);
    feed_text(r, "\r\n+CPIN: NOT INSERTED\r\n");
    assert_int_equal(state_of(r), MODEM_SIM_WAIT);
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_int_equal(count_events(r, MODEM_EVENT_SIM), 2);
    assert_string_equal(modem_status(r->modem)->identity.iccid, "8940000000000000012");
    responder_free(r);
}

static void the_cnmi_ladder_is_climbed_in_order_and_remembered(void **state)
{
    static const char *const ladder[] = {
        "AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,2,0", "AT+CNMI=1,1,0,1,0", "AT+CNMI=1,1,0,2,0",
        "AT+CNMI=2,1,0,1,1", "AT+CNMI=2,1,0,2,1", "AT+CNMI=3,0,0,1,1", "AT+CNMI=2,1,0,0,0", "AT+CNMI=1,1,0,0,0",
        "AT+CNMI=2,1,0,0,1",
    };
    const size_t count = sizeof ladder / sizeof ladder[0];

    (void)state;
    for (size_t good = 0; good <= count; good++) {
        struct responder *r = opened(NULL);
        size_t at = 0;

        for (size_t i = 0; i < good; i++)
            answer(r, ladder[i], "\r\n+CMS ERROR: 303\r\n");
        run_for(r, 20000);
        assert_int_equal(state_of(r), MODEM_READY);   /* with none of them it polls */
        for (size_t i = 0; i < r->written_count; i++) {
            if (strncmp(r->written[i].text, "AT+CNMI=", 8) == 0)
                assert_string_equal(r->written[i].text, ladder[at++]);
        }
        assert_int_equal(at, good < count ? good + 1 : count);
        r->written_count = 0;
        feed_text(r, "\r\nRDY\r\n");
        run_for(r, 20000);
        assert_int_equal(state_of(r), MODEM_READY);
        if (good < count)
            assert_int_equal(count_started(r, "AT+CNMI="), 1);   /* the one that is known to be taken */
        responder_free(r);
    }
}

static void pdu_mode_is_asked_for_until_the_card_is_ready_and_required(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    for (int i = 0; i < 5; i++)
        answer(r, "AT+CMGF=0", "\r\nERROR\r\n");
    answer(r, "AT+CMGF=0", OK_LINE);
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);

    r = opened(NULL);
    answer(r, "AT+CMGF=0", "\r\nERROR\r\n");
    run_for(r, 70000);
    assert_int_equal(state_of(r), MODEM_PARKED);
    assert_int_equal(reason_of(r), MODEM_REASON_NO_PDU_MODE);
    responder_free(r);
}

/* Found by the simulation: it was then taken to have SM alone, and what lay in ME was never read. */
static void the_lists_of_storages_are_asked_for_until_the_card_is_ready(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CPMS=?", "\r\n+CMS ERROR: 314\r\n");   /* SIM busy */
    answer(r, "AT+CPMS=\"ME\",\"ME\",\"ME\"", "\r\n+CPMS: 1,23,1,23,1,23\r\n" OK_LINE);
    open_line(r);
    run_for(r, 5000);
    assert_int_equal(state_of(r), MODEM_SETTING_UP);
    answer_anew(r, "AT+CPMS=?", "\r\n+CPMS: (\"ME\",\"SM\"),(\"ME\",\"SM\"),(\"ME\",\"SM\")\r\n" OK_LINE);
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_int_equal(count_written(r, "AT+CPMS=\"ME\",\"ME\",\"ME\""), 1);
    responder_free(r);
}

static void a_storage_that_is_refused_before_sms_ready_is_asked_for_after_it(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    answer(r, "AT+CPMS=?", "\r\nERROR\r\n");
    answer(r, "AT+CPMS?", "\r\nERROR\r\n");
    answer(r, "AT+CPMS=\"SM\",\"SM\",\"SM\"", "\r\nERROR\r\n");
    answer(r, "AT+CPMS=\"SM\",\"SM\"", "\r\nERROR\r\n");
    answer(r, "AT+CPMS=\"SM\"", "\r\nERROR\r\n");
    run_for(r, 30000);
    assert_int_equal(state_of(r), MODEM_READY);   /* sending may work all the same */
    answer_anew(r, "AT+CPMS=\"SM\",\"SM\",\"SM\"", "\r\n+CPMS: 2,30,2,30,2,30\r\n" OK_LINE);
    feed_text(r, "\r\nSMS Ready\r\n");
    run_for(r, 10000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_int_equal(modem_status(r->modem)->storage_total, 30);
    responder_free(r);
}

static void only_the_registrations_that_can_send_make_it_ready(void **state)
{
    (void)state;
    for (int stat = 0; stat <= 11; stat++) {
        bool can_send = stat == 1 || stat == 5 || stat == 6 || stat == 7 || stat == 9 || stat == 10;

        for (int domain = 0; domain < 3; domain++) {
            static const char *const names[] = { "CREG", "CEREG", "CGREG" };
            struct responder *r = opened(NULL);

            for (int i = 0; i < 3; i++) {
                char command[16], text[48];

                snprintf(command, sizeof command, "AT+%s?", names[i]);
                snprintf(text, sizeof text, "\r\n+%s: 1,%d\r\n" OK_LINE, names[i], i == domain ? stat : 2);
                answer(r, command, text);
            }
            run_for(r, 30000);
            assert_int_equal(state_of(r), can_send ? MODEM_READY : MODEM_REGISTERING);
            assert_int_equal(modem_status(r->modem)->roaming, stat == 5 || stat == 7 || stat == 10);
            responder_free(r);
        }
    }
}

static void the_network_comes_and_goes_by_unsolicited_lines_and_by_polls(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    answer(r, "AT+CREG?", "\r\n+CREG: 1,2\r\n" OK_LINE);
    answer(r, "AT+CGREG?", "\r\n+CGREG: 1,0\r\n" OK_LINE);
    run_for(r, 30000);
    assert_int_equal(state_of(r), MODEM_REGISTERING);
    assert_int_equal(reason_of(r), MODEM_REASON_NOT_REGISTERED);
    feed_text(r, "\r\n+CREG: 3\r\n");
    assert_int_equal(reason_of(r), MODEM_REASON_DENIED);
    feed_text(r, "\r\n+CREG: 5,\"00C3\",\"A1B2\"\r\n");
    assert_int_equal(state_of(r), MODEM_READY);
    assert_true(modem_status(r->modem)->roaming);
    feed_text(r, "\r\n+CREG: 2\r\n");
    assert_int_equal(state_of(r), MODEM_REGISTERING);
    answer_anew(r, "AT+CREG?", "\r\n+CREG: 1,1\r\n" OK_LINE);
    run_for(r, 6000);   /* without an unsolicited line */
    assert_int_equal(state_of(r), MODEM_READY);
    answer_anew(r, "AT+CREG?", "\r\n+CREG: 1,0\r\n" OK_LINE);
    run_for(r, 70000);
    assert_int_equal(state_of(r), MODEM_REGISTERING);
    responder_free(r);
}

static void a_modem_that_stops_answering_is_back_at_work_within_ten_seconds(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    run_for(r, 20000);
    r->mute = true;
    run_for(r, 100000);   /* a poll finds out */
    assert_int_equal(state_of(r), MODEM_RECOVERING);
    r->mute = false;
    run_for(r, 10000);
    assert_int_equal(state_of(r), MODEM_READY);
    r->mute = true;
    run_for(r, 500000);
    assert_int_equal(state_of(r), MODEM_PARKED);
    assert_int_equal(reason_of(r), MODEM_REASON_NO_ANSWER);
    responder_free(r);
}

static void a_command_that_hangs_once_does_not_stop_the_set_up(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    answer(r, "AT+CCID", SILENCE);   /* one Huawei hangs on it instead of refusing */
    answer(r, "AT+QCCID", "\r\n+QCCID: 89620133881795896481\r\n" OK_LINE);
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_string_equal(modem_status(r->modem)->identity.iccid, "89620133881795896481");
    responder_free(r);
}

static void an_echo_that_comes_back_means_a_reset(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    run_for(r, 20000);
    answer(r, "AT+CREG?", "AT+CREG?\r\r\n+CREG: 0,1\r\n" OK_LINE);
    answer(r, "AT+CREG?", "\r\n+CREG: 1,1\r\n" OK_LINE);
    run_for(r, 70000);
    assert_int_equal(count_written(r, "ATE0"), 2);
    assert_int_equal(count_written(r, "AT+CMGF=0"), 2);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

static void idle_it_asks_little_and_often_enough(void **state)
{
    struct responder *r = opened(NULL);

    (void)state;
    run_for(r, 20000);
    r->written_count = 0;
    run_for(r, 600000);
    assert_in_range(count_written(r, "AT+CSQ"), 9, 10);
    assert_in_range(count_written(r, "AT+CMGL=4"), 9, 10);
    assert_in_range(count_written(r, "AT+CREG?"), 9, 10);
    assert_in_range(r->written_count, 40, 80);
    responder_free(r);
}

static char table[8192];

static void take_table_line(void *context, const char *text)
{
    (void)context;
    strcat(table, text);
    strcat(table, "\n");
}

/* tests/unit/modem/states.txt is what documentation shows; a changed table must show there. */
static void the_table_of_states_is_the_one_that_is_documented(void **state)
{
    static char expected[8192];
    FILE *file = fopen(TEST_DATA_DIR "/unit/modem/states.txt", "r");
    size_t length;

    (void)state;
    assert_non_null(file);
    length = fread(expected, 1, sizeof expected - 1, file);
    expected[length] = '\0';
    fclose(file);
    table[0] = '\0';
    modem_print_table(take_table_line, NULL);
    if (strcmp(table, strchr(expected, '\n') + 1) != 0)   /* behind the line with the licence */
        fail_msg("the table is now:\n%s", table);
    for (int s = 0; s < MODEM_STATE_COUNT; s++) {
        char row[64];

        snprintf(row, sizeof row, "%-13sclosed", modem_state_name((enum modem_state)s));
        assert_true(s == MODEM_LOST || strstr(table, row) != NULL);   /* a port can go at any time */
        snprintf(row, sizeof row, "%-13sreset", modem_state_name((enum modem_state)s));
        assert_true(s == MODEM_LOST || strstr(table, row) != NULL);
    }
}

static bool is_wrong_pin(enum modem_reason reason)
{
    return reason == MODEM_REASON_PIN_WRONG || reason == MODEM_REASON_PIN_TWO_LEFT || reason == MODEM_REASON_PIN_ONE_LEFT;
}

static void every_reason_has_a_code_and_says_what_to_do(void **state)
{
    (void)state;
    for (int i = 1; i < MODEM_REASON_COUNT; i++) {
        assert_true(strlen(modem_reason_code((enum modem_reason)i)) > 3);
        assert_true(strlen(modem_reason_text((enum modem_reason)i)) > 20);
        assert_true(strlen(modem_reason_text((enum modem_reason)i)) < 200);   /* what the API has room for */
        for (int k = 1; k < i; k++) {
            bool same_code = is_wrong_pin((enum modem_reason)i) && is_wrong_pin((enum modem_reason)k);

            assert_string_not_equal(modem_reason_text((enum modem_reason)i), modem_reason_text((enum modem_reason)k));
            assert_int_equal(strcmp(modem_reason_code((enum modem_reason)i), modem_reason_code((enum modem_reason)k)) == 0,
                             same_code);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_modem_goes_through_its_states_to_ready_and_is_known_by_then),
        cmocka_unit_test(a_port_that_is_no_modem_is_parked_and_asked_again),
        cmocka_unit_test(a_modem_that_boots_behind_its_port_is_found_by_its_boot_line),
        cmocka_unit_test(a_card_that_is_missing_blocked_or_locked_parks_with_its_reason),
        cmocka_unit_test(a_card_that_is_busy_or_fails_for_a_moment_at_boot_is_waited_for),
        cmocka_unit_test(the_pin_is_entered_once_and_the_card_waited_for),
        cmocka_unit_test(a_refused_pin_is_never_tried_again),
        cmocka_unit_test(a_pin_that_was_accepted_is_entered_again_after_a_reset),
        cmocka_unit_test(a_pin_that_is_no_pin_is_not_sent),
        cmocka_unit_test(the_iccid_is_found_by_whichever_command_the_modem_has),
        cmocka_unit_test(another_card_is_announced),
        cmocka_unit_test(the_cnmi_ladder_is_climbed_in_order_and_remembered),
        cmocka_unit_test(pdu_mode_is_asked_for_until_the_card_is_ready_and_required),
        cmocka_unit_test(the_lists_of_storages_are_asked_for_until_the_card_is_ready),
        cmocka_unit_test(a_storage_that_is_refused_before_sms_ready_is_asked_for_after_it),
        cmocka_unit_test(only_the_registrations_that_can_send_make_it_ready),
        cmocka_unit_test(the_network_comes_and_goes_by_unsolicited_lines_and_by_polls),
        cmocka_unit_test(a_modem_that_stops_answering_is_back_at_work_within_ten_seconds),
        cmocka_unit_test(a_command_that_hangs_once_does_not_stop_the_set_up),
        cmocka_unit_test(an_echo_that_comes_back_means_a_reset),
        cmocka_unit_test(idle_it_asks_little_and_often_enough),
        cmocka_unit_test(the_table_of_states_is_the_one_that_is_documented),
        cmocka_unit_test(every_reason_has_a_code_and_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
