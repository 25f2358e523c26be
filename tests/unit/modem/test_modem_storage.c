/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that arrive: found, handed over, and deleted only after they are stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/modem/responder.h"

#define DELIVER_A "07913336105107F3040B913306100726F200005180719120348004D4F29C0E"
#define DELIVER_B "0791192919556956240C911939314746630000511090718303220BC8B4421164A7C7659010"
#define REPORT_A "079119291573366706400C91193931474663511090718384225110907183252200"
#define UNIT(header, pdu) "\r\n" header "\r\n" pdu "\r\n"

static struct responder *ready_modem(void)
{
    struct responder *r = responder_new(NULL);

    open_line(r);
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    return r;
}

static void what_waits_in_storage_at_the_start_is_handed_over_and_deleted_once_stored(void **state)
{
    struct responder *r = responder_new(NULL);
    uint32_t handle;

    (void)state;
    answer(r, "AT+CMGL=4", UNIT("+CMGL: 3,0,,23", DELIVER_A) UNIT("+CMGL: 5,1,,25", REPORT_A) OK_LINE);
    open_line(r);
    run_for(r, 200000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);   /* not twice while its handle is open */
    assert_int_equal(count_events(r, MODEM_EVENT_REPORT), 1);    /* told by its type, not by <stat> */
    assert_string_equal(last_event(r, MODEM_EVENT_DELIVER)->pdu, DELIVER_A);
    assert_string_equal(last_event(r, MODEM_EVENT_REPORT)->pdu, REPORT_A);
    assert_int_equal(count_started(r, "AT+CMGD"), 0);
    handle = last_event(r, MODEM_EVENT_DELIVER)->event.handle;
    modem_stored(r->modem, handle + 1000, r->now_ms);            /* nobody's */
    run_for(r, 1000);
    assert_int_equal(count_started(r, "AT+CMGD"), 0);
    answer_anew(r, "AT+CMGL=4", UNIT("+CMGL: 5,1,,25", REPORT_A) OK_LINE);
    modem_stored(r->modem, handle, r->now_ms);
    modem_stored(r->modem, handle, r->now_ms);
    run_for(r, 1000);
    assert_int_equal(count_written(r, "AT+CMGD=3"), 1);
    assert_int_equal(count_started(r, "AT+CMGD"), 1);
    assert_int_equal(modem_status(r->modem)->received, 1);
    responder_free(r);
}

static void a_message_nobody_acknowledges_stays_and_comes_again(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CMGL=4", UNIT("+CMGL: 3,0,,23", DELIVER_A) OK_LINE);
    open_line(r);
    run_for(r, 590000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);
    run_for(r, 90000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 2);
    modem_closed(r->modem, r->now_ms);
    open_line(r);
    run_for(r, 20000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 3);
    assert_int_equal(count_started(r, "AT+CMGD"), 0);
    responder_free(r);
}

static void another_message_in_the_same_place_is_a_new_one_and_the_old_handle_does_not_delete_it(void **state)
{
    struct responder *r = responder_new(NULL);
    uint32_t old;

    (void)state;
    answer(r, "AT+CMGL=4", UNIT("+CMGL: 3,0,,23", DELIVER_A) OK_LINE);
    open_line(r);
    run_for(r, 20000);
    old = last_event(r, MODEM_EVENT_DELIVER)->event.handle;
    answer_anew(r, "AT+CMGL=4", UNIT("+CMGL: 3,0,,29", DELIVER_B) OK_LINE);
    run_for(r, 61000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 2);
    assert_string_equal(last_event(r, MODEM_EVENT_DELIVER)->pdu, DELIVER_B);
    modem_stored(r->modem, old, r->now_ms);
    run_for(r, 1000);
    assert_int_equal(count_started(r, "AT+CMGD"), 0);
    responder_free(r);
}

static void an_announced_message_is_read_from_the_storage_that_is_named(void **state)
{
    struct responder *r = ready_modem();
    size_t select = 0, read = 0;

    (void)state;
    answer(r, "AT+CPMS=\"ME\",\"SM\",\"SM\"", "\r\n+CPMS: 1,23,0,20,0,20\r\n" OK_LINE);
    answer(r, "AT+CMGR=7", UNIT("+CMGR: 0,,29", DELIVER_B) OK_LINE);
    r->store_at_once = true;
    r->written_count = 0;
    feed_text(r, "\r\n+CMTI: \"ME\",7\r\n");
    run_for(r, 1000);
    for (size_t i = 0; i < r->written_count; i++) {
        if (strcmp(r->written[i].text, "AT+CPMS=\"ME\",\"SM\",\"SM\"") == 0)
            select = i + 1;
        if (strcmp(r->written[i].text, "AT+CMGR=7") == 0)
            read = i + 1;
    }
    assert_true(select > 0 && read > select);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);
    assert_int_equal(count_written(r, "AT+CMGD=7"), 1);
    assert_string_equal(r->written[r->written_count - 1].text, "AT+CMGD=7");
    feed_text(r, "\r\n+CMTI: \"SM\",2\r\n");   /* and back */
    run_for(r, 1000);
    assert_int_equal(count_written(r, "AT+CPMS=\"SM\",\"SM\",\"SM\""), 1);
    assert_int_equal(count_written(r, "AT+CMGR=2"), 1);
    responder_free(r);
}

static void a_storage_that_cannot_be_selected_is_neither_read_nor_deleted_from(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, "AT+CPMS=\"SR\",\"SM\",\"SM\"", "\r\n+CMS ERROR: 321\r\n");
    feed_text(r, "\r\n+CDSI: \"SR\",8\r\n");
    run_for(r, 70000);
    assert_int_equal(count_started(r, "AT+CMGR"), 0);
    assert_int_equal(count_started(r, "AT+CMGD"), 0);
    assert_int_equal(count_written(r, "AT+CPMS=\"SR\",\"SM\",\"SM\""), 1);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

/* EC25 says "SM",0 for a report that lies in SR: what is found there is handed over as what it is. */
static void an_announced_report_that_is_a_message_is_handed_over_as_a_message(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    answer(r, "AT+CMGR=0", UNIT("+CMGR: 1,,23", DELIVER_A) OK_LINE);
    answer(r, "AT+CMGR=0", OK_LINE);
    feed_text(r, "\r\n+CDSI: \"SM\",0\r\n");
    run_for(r, 1000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);
    assert_int_equal(count_events(r, MODEM_EVENT_REPORT), 0);
    feed_text(r, "\r\n+CDSI: \"SM\",0\r\n");   /* an empty slot */
    run_for(r, 1000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);
    assert_int_equal(count_started(r, "AT+CMGD"), 0);
    responder_free(r);
}

static void an_announcement_without_a_place_and_too_many_of_them_end_in_a_list(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    r->written_count = 0;
    feed_text(r, "\r\n+CMTI: ,-1\r\n");
    run_for(r, 1000);
    assert_int_equal(count_written(r, "AT+CMGL=4"), 1);
    assert_int_equal(count_started(r, "AT+CMGR"), 0);
    r->written_count = 0;
    for (int i = 0; i < 40; i++) {
        char line[32];

        snprintf(line, sizeof line, "\r\n+CMTI: \"SM\",%d\r\n", i);
        modem_feed(r->modem, (const uint8_t *)line, strlen(line), r->now_ms);
    }
    take_output(r);
    run_for(r, 3000);
    assert_in_range(count_started(r, "AT+CMGR="), 16, 17);
    assert_int_equal(count_written(r, "AT+CMGL=4"), 1);
    r->written_count = 0;
    feed_text(r, "\r\n+CMTI: \"\"\"\",3\r\n\r\n+CMTI: \"A\r\n\r\n^SMMEMFULL: \"SM\"\r\n");
    run_for(r, 1000);
    assert_true(count_written(r, "AT+CMGL=4") >= 1);
    responder_free(r);
}

static void where_the_list_is_refused_the_places_are_read_one_by_one(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CMGL=4", "\r\nERROR\r\n");
    answer(r, "AT+CPMS?", "\r\n+CPMS: \"SM\",2,20,\"SM\",2,20,\"SM\",2,20\r\n" OK_LINE);
    answer(r, "AT+CMGR=4", UNIT("+CMGR: 0,,23", DELIVER_A) OK_LINE);
    answer(r, "AT+CMGR=6", UNIT("+CMGR: 25", REPORT_A) OK_LINE);
    answer(r, "AT+CMGR=0", "\r\n+CMGR: 0,,0\r\n" OK_LINE);
    open_line(r);
    run_for(r, 20000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);
    assert_int_equal(count_events(r, MODEM_EVENT_REPORT), 1);
    assert_int_equal(count_started(r, "AT+CMGR="), 7);   /* 0 to 6: both are found */
    assert_int_equal(count_written(r, "AT+CMGL=4"), 1);
    run_for(r, 61000);
    assert_int_equal(count_written(r, "AT+CMGL=4"), 1);   /* it is not asked for again */
    assert_int_equal(count_started(r, "AT+CMGR="), 14);
    responder_free(r);
}

static void a_list_that_never_ends_is_given_up_for_reading_one_by_one(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CMGL=4", SILENCE);
    answer(r, "AT+CPMS?", "\r\n+CPMS: \"SM\",1,20,\"SM\",1,20,\"SM\",1,20\r\n" OK_LINE);
    answer(r, "AT+CMGR=0", UNIT("+CMGR: 0,,23", DELIVER_A) OK_LINE);
    open_line(r);
    run_for(r, 100000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);
    assert_int_equal(state_of(r), MODEM_READY);
    run_for(r, 600000);
    assert_int_equal(count_written(r, "AT+CMGL=4"), 1);
    responder_free(r);
}

static void both_storages_are_listed_at_the_start(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CPMS=?", "\r\n+CPMS: (\"ME\",\"SM\"),(\"ME\",\"SM\"),(\"ME\",\"SM\")\r\n" OK_LINE);
    answer(r, "AT+CPMS=\"ME\",\"ME\",\"ME\"", "\r\n+CPMS: 1,23,1,23,1,23\r\n" OK_LINE);
    answer(r, "AT+CMGL=4", UNIT("+CMGL: 0,0,,23", DELIVER_A) OK_LINE);
    answer(r, "AT+CMGL=4", UNIT("+CMGL: 0,0,,29", DELIVER_B) OK_LINE);
    answer(r, "AT+CMGL=4", OK_LINE);
    r->store_at_once = true;
    open_line(r);
    run_for(r, 20000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 2);
    assert_int_equal(count_written(r, "AT+CMGD=0"), 2);   /* the same number in two storages are two messages */
    assert_int_equal(count_written(r, "AT+CPMS=\"SM\",\"ME\",\"ME\""), 1);
    responder_free(r);
}

static void more_messages_than_handles_are_all_handed_over_in_the_end(void **state)
{
    struct responder *r = responder_new(NULL);
    char list[8192] = "";

    (void)state;
    for (int i = 0; i < 50; i++) {
        char unit[128];

        snprintf(unit, sizeof unit,
                 "\r\n+CMGL: %d,1,,23\r\n0791333610510%03d040B913306100726F200005180719120348004D4F29C0E", i, i);
        strcat(list, unit);
    }
    strcat(list, "\r\n" OK_LINE);
    answer(r, "AT+CMGL=4", list);
    open_line(r);
    run_for(r, 20000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 32);
    for (size_t i = 0; i < 32; i++)
        modem_stored(r->modem, last_event(r, MODEM_EVENT_DELIVER)->event.handle - (uint32_t)i, r->now_ms);
    list[0] = '\0';
    for (int i = 32; i < 50; i++) {
        char unit[128];

        snprintf(unit, sizeof unit,
                 "\r\n+CMGL: %d,1,,23\r\n0791333610510%03d040B913306100726F200005180719120348004D4F29C0E", i, i);
        strcat(list, unit);
    }
    strcat(list, "\r\n" OK_LINE);
    answer_anew(r, "AT+CMGL=4", list);
    run_for(r, 5000);   /* without waiting for the next poll */
    assert_int_equal(count_started(r, "AT+CMGD="), 32);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 50);
    responder_free(r);
}

static void a_refused_delete_is_tried_again_and_the_message_not_given_twice(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CMGL=4", UNIT("+CMGL: 3,0,,23", DELIVER_A) OK_LINE);
    answer(r, "AT+CMGD=3", "\r\n+CMS ERROR: 500\r\n");
    r->store_at_once = true;
    open_line(r);
    run_for(r, 300000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);
    assert_in_range(count_written(r, "AT+CMGD=3"), 3, 6);   /* once per sweep */
    responder_free(r);
}

/* The delete may have been done, and another message may lie there by now. */
static void an_unanswered_delete_is_not_repeated_blindly(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CMGL=4", UNIT("+CMGL: 3,0,,23", DELIVER_A) OK_LINE);
    answer(r, "AT+CMGL=4", UNIT("+CMGL: 3,0,,29", DELIVER_B) OK_LINE);
    answer(r, "AT+CMGD=3", SILENCE);
    open_line(r);
    run_for(r, 20000);
    modem_stored(r->modem, last_event(r, MODEM_EVENT_DELIVER)->event.handle, r->now_ms);
    run_for(r, 50000);
    assert_int_equal(state_of(r), MODEM_READY);
    assert_string_equal(last_event(r, MODEM_EVENT_DELIVER)->pdu, DELIVER_B);
    assert_int_equal(count_written(r, "AT+CMGD=3"), 1);
    responder_free(r);
}

static void direct_messages_and_reports_are_handed_over_without_an_acknowledgement(void **state)
{
    struct responder *r = ready_modem();

    (void)state;
    r->store_at_once = true;
    feed_text(r, "\r\n+CMT: ,23\r\n" DELIVER_A "\r\n\r\n+CDS: 25\r\n" REPORT_A "\r\n\r\n+CDS: ,25\r\n" REPORT_A "\r\n");
    run_for(r, 1000);
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);
    assert_int_equal(count_events(r, MODEM_EVENT_REPORT), 2);
    assert_string_equal(last_event(r, MODEM_EVENT_REPORT)->pdu, REPORT_A);
    assert_int_equal(count_started(r, "AT+CNMA"), 0);
    assert_int_equal(count_started(r, "AT+CMGD"), 0);
    feed_text(r,
              "\r\n+CMT: \"+48123\",,\"20/01/01,00:00:00+04\"\r\nhello\r\n\r\n+CBM: 88\r\n001100\r\n"); /* no PDUs of
                                                                                                           ours */
    assert_int_equal(count_events(r, MODEM_EVENT_DELIVER), 1);
    responder_free(r);
}

static void a_modem_that_stays_in_phase_2_plus_is_acknowledged_after_storing(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CSMS=0", "\r\nERROR\r\n");
    answer(r, "AT+CSMS?", "\r\n+CSMS: 1,1,1,1\r\n" OK_LINE);
    answer(r, "AT+CNMA=0", OK_LINE);
    answer(r, "AT+CNMA=0", "\r\n+CMS ERROR: 340\r\n");
    answer(r, "AT+CNMA=0", "\r\n+CMS ERROR: 303\r\n");
    open_line(r);
    run_for(r, 20000);
    for (int i = 0; i < 4; i++) {
        feed_text(r, "\r\n+CDS: 25\r\n" REPORT_A "\r\n");
        run_for(r, 500);
        assert_int_equal(count_written(r, "AT+CNMA=0"), i < 3 ? i : 3);
        modem_stored(r->modem, last_event(r, MODEM_EVENT_REPORT)->event.handle, r->now_ms);
        run_for(r, 500);
        assert_int_equal(count_written(r, "AT+CNMA=0"), i < 3 ? i + 1 : 3);   /* 303: it has no CNMA after all */
    }
    responder_free(r);
}

static void own_drafts_and_dirt_in_storage_are_left_alone(void **state)
{
    struct responder *r = responder_new(NULL);

    (void)state;
    answer(r, "AT+CMGL=4",
           UNIT("+CMGL: 1,2,,16", "0001000A816072433519000004D4F29C0E") /* a SUBMIT */
           UNIT("+CMGL: 2,1,,7", "Hello you")                           /* text mode */
           UNIT("+CMGL: 17,3,35", "079100F40D1101000F001000B917188675771F500001954747A0E4ACF41F27298CDCE83C6EF371B040"
                                  "2814020") OK_LINE);
    r->store_at_once = true;
    open_line(r);
    run_for(r, 20000);
    assert_int_equal(count_written(r, "AT+CMGD=1"), 0);
    assert_int_equal(count_written(r, "AT+CMGD=2"), 0);
    assert_int_equal(state_of(r), MODEM_READY);
    responder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_in_storage_at_the_start_is_handed_over_and_deleted_once_stored),
        cmocka_unit_test(a_message_nobody_acknowledges_stays_and_comes_again),
        cmocka_unit_test(another_message_in_the_same_place_is_a_new_one_and_the_old_handle_does_not_delete_it),
        cmocka_unit_test(an_announced_message_is_read_from_the_storage_that_is_named),
        cmocka_unit_test(a_storage_that_cannot_be_selected_is_neither_read_nor_deleted_from),
        cmocka_unit_test(an_announced_report_that_is_a_message_is_handed_over_as_a_message),
        cmocka_unit_test(an_announcement_without_a_place_and_too_many_of_them_end_in_a_list),
        cmocka_unit_test(where_the_list_is_refused_the_places_are_read_one_by_one),
        cmocka_unit_test(a_list_that_never_ends_is_given_up_for_reading_one_by_one),
        cmocka_unit_test(both_storages_are_listed_at_the_start),
        cmocka_unit_test(more_messages_than_handles_are_all_handed_over_in_the_end),
        cmocka_unit_test(a_refused_delete_is_tried_again_and_the_message_not_given_twice),
        cmocka_unit_test(an_unanswered_delete_is_not_repeated_blindly),
        cmocka_unit_test(direct_messages_and_reports_are_handed_over_without_an_acknowledgement),
        cmocka_unit_test(a_modem_that_stays_in_phase_2_plus_is_acknowledged_after_storing),
        cmocka_unit_test(own_drafts_and_dirt_in_storage_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
