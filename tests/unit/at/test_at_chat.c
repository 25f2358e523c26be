/* SPDX-License-Identifier: Apache-2.0
 *
 * The AT engine's own promises: what may be written, what ends a command, what a hostile or confused modem can do. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/at/at_chat.h"

static struct at_chat chat;
static uint64_t now_ms;
static struct at_event last_done;
static char lines[16][AT_LINE_SIZE_MAX], pdus[16][AT_LINE_SIZE_MAX];
static enum at_event_kind kinds[16];
static size_t line_count, done_count, prompt_count;

static int set_up(void **state)
{
    (void)state;
    now_ms = 1000;
    line_count = done_count = prompt_count = 0;
    return at_chat_init(&chat);
}

static int tear_down(void **state)
{
    (void)state;
    at_chat_done(&chat);
    return 0;
}

static void take(const struct at_event *event)
{
    if (event->kind == AT_DONE) {
        last_done = *event;
        done_count++;
    } else if (event->kind == AT_PROMPT) {
        prompt_count++;
    } else if (event->kind != AT_NONE) {
        assert_true(line_count < 16);
        kinds[line_count] = event->kind;
        snprintf(lines[line_count], AT_LINE_SIZE_MAX, "%s", event->text);
        snprintf(pdus[line_count++], AT_LINE_SIZE_MAX, "%.*s", (int)event->pdu_length,
                 event->pdu != NULL ? event->pdu : "");
    }
}

static void feed_bytes(const char *bytes, size_t length)
{
    struct at_event event;
    size_t used = 0;

    do {
        used += at_chat_feed(&chat, (const uint8_t *)bytes + used, length - used, now_ms, &event);
        take(&event);
    } while (event.kind != AT_NONE);
    assert_int_equal(used, length);
}

static void feed(const char *text) { feed_bytes(text, strlen(text)); }

static void wait_ms(uint64_t ms)
{
    uint64_t end_ms = now_ms + ms;

    while (at_chat_deadline(&chat) <= end_ms) {
        struct at_event event;
        size_t length;

        now_ms = at_chat_deadline(&chat);
        at_chat_poll(&chat, now_ms, &event);
        take(&event);
        (void)at_chat_output(&chat, &length);
        at_chat_output_consume(&chat, length);
    }
    now_ms = end_ms;
}

static void assert_written(const char *expected)
{
    size_t length;
    const uint8_t *output = at_chat_output(&chat, &length);

    assert_int_equal(length, strlen(expected));
    assert_memory_equal(output, expected, length);
    at_chat_output_consume(&chat, length);
}

static void start(const char *text)
{
    struct at_command command;

    at_command_init(&command, text, 5000);
    if (strncmp(text, "AT+CMGS", 7) == 0) {
        command.prompt_timeout_ms = 10000;
        command.timeout_ms = 180000;
        command.needs_answer = true;
    }
    command.any_lines = strncmp(text, "AT+CGM", 6) == 0;
    assert_int_equal(at_chat_start(&chat, &command, now_ms), 0);
    size_t length;
    (void)at_chat_output(&chat, &length);
    at_chat_output_consume(&chat, length);
}

static void nothing_from_outside_can_end_a_line_or_its_quotes(void **state)
{
    size_t refused = 0;

    (void)state;
    for (int c = 1; c < 256; c++) {
        char text[] = { 'a', (char)c, 'b', '\0' };
        struct at_command command;
        bool bad = c < 0x20 || c == 0x7F || c == '"';
        int r;

        at_command_init(&command, "AT+CPIN=", 5000);
        at_command_add_string(&command, text);
        r = at_chat_start(&chat, &command, now_ms);
        assert_int_equal(r, bad ? -EINVAL : 0);
        refused += r != 0;
        if (r == 0) {
            size_t length;
            const uint8_t *output = at_chat_output(&chat, &length);

            for (size_t i = 0; i + 1 < length; i++)
                assert_true(output[i] >= 0x20);
            assert_int_equal(output[length - 1], '\r');
            at_chat_cancel(&chat);
            at_chat_reset(&chat);
        }
    }
    assert_int_equal(refused, 0x1F + 2);
}

static void arguments_are_written_by_their_type(void **state)
{
    struct at_command command;
    char longest[AT_COMMAND_SIZE];

    (void)state;
    at_command_init(&command, "AT+X=", 5000);
    at_command_add_int(&command, 0);
    at_command_add_int(&command, -15);
    at_command_add_int(&command, 2147483647L);
    at_command_add_string(&command, "SM");
    at_command_add_number(&command, "+48*#1");
    assert_string_equal(command.text, "AT+X=0,-15,2147483647,\"SM\",+48*#1");
    assert_false(command.spoiled);
    at_command_add_number(&command, "4+8");
    assert_true(command.spoiled);
    at_command_init(&command, "AT+X=", 5000);
    at_command_add_number(&command, "");
    assert_true(command.spoiled);
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    at_command_init(&command, "AT+X=", 5000);
    at_command_add_string(&command, longest);
    assert_true(command.spoiled);
    assert_int_equal(at_chat_start(&chat, &command, now_ms), -EINVAL);
}

static void one_command_at_a_time(void **state)
{
    struct at_command command;

    (void)state;
    at_command_init(&command, "AT+CSQ", 5000);
    start("AT+CSQ");
    assert_int_equal(at_chat_start(&chat, &command, now_ms), -EBUSY);
    assert_int_equal(at_chat_sync(&chat, 1, false, now_ms), -EBUSY);
    assert_int_equal(at_chat_send_data(&chat, "00", 2, now_ms), -EPROTO);
    assert_int_equal(at_chat_abort(&chat, now_ms), -EPROTO);
    assert_int_equal(at_chat_nudge(&chat, now_ms), -EPROTO);
    feed("\r\n+CSQ: 1,2\r\n\r\nOK\r\n");
    assert_int_equal(last_done.result, AT_OK);
    assert_int_equal(kinds[0], AT_LINE);
    assert_int_equal(at_chat_start(&chat, &command, now_ms), 0);
}

static void every_form_of_prompt_is_one_prompt(void **state)
{
    static const char *const prompts[] = { "\r\n> ",
                                           "\r\n>",
                                           ">",
                                           "> ",
                                           "\r\n>\r\n",
                                           "\r\n> \r\n",
                                           "AT+CMGS=18\r\r\n> ",
                                           "\r\n+CMTI: \"SM\",1\r\n\r\n> ",
                                           "AT+CMGS=18\r\n>" };

    for (size_t i = 0; i < sizeof prompts / sizeof prompts[0]; i++) {
        at_chat_reset(&chat);
        done_count = prompt_count = line_count = 0;
        start("AT+CMGS=18");
        feed(prompts[i]);
        assert_int_equal(prompt_count, 1);
        assert_int_equal(done_count, 0);
        assert_int_equal(at_chat_send_data(&chat, "0011", 4, now_ms), 0);
        assert_written("0011\x1A");
        feed("> 0011\r\n\r\n> \r\n+CMGS: 5\r\n\r\nOK\r\n");   /* a second '>', an echo */
        assert_int_equal(prompt_count, 1);
        assert_int_equal(done_count, 1);
        assert_int_equal(last_done.result, AT_OK);
        assert_string_equal(lines[line_count - 1], "+CMGS: 5");
    }
    (void)state;
}

static void data_is_hex_or_nothing(void **state)
{
    char longest[AT_DATA_MAX + 2];

    (void)state;
    memset(longest, '0', sizeof longest);
    longest[AT_DATA_MAX + 1] = '\0';
    start("AT+CMGS=18");
    feed("> ");
    assert_int_equal(at_chat_send_data(&chat, "00\x1A", 3, now_ms), -EINVAL);
    assert_int_equal(at_chat_send_data(&chat, "0 0", 3, now_ms), -EINVAL);
    assert_int_equal(at_chat_send_data(&chat, "", 0, now_ms), -EINVAL);
    assert_int_equal(at_chat_send_data(&chat, longest, AT_DATA_MAX + 1, now_ms), -EINVAL);
    assert_int_equal(at_chat_send_data(&chat, longest, AT_DATA_MAX, now_ms), 0);
}

static void ok_before_the_prompt_belongs_to_something_older(void **state)
{
    (void)state;
    start("AT+CMGS=18");
    feed("\r\nOK\r\n");
    assert_int_equal(done_count, 0);
    assert_int_equal(at_chat_counts(&chat)->stray_finals, 1);
    feed("\r\n> ");
    assert_int_equal(prompt_count, 1);
}

static void a_result_before_the_command_has_left_is_not_believed(void **state)
{
    struct at_command command;

    (void)state;
    at_command_init(&command, "AT+CMGD=1", 5000);
    assert_int_equal(at_chat_start(&chat, &command, now_ms), 0);
    feed("\r\nOK\r\n");
    assert_int_equal(done_count, 0);
    assert_written("AT+CMGD=1\r");
    feed("\r\nOK\r\n");
    assert_int_equal(done_count, 1);
}

static void after_silence_the_order_of_answers_must_be_found_again(void **state)
{
    struct at_command command;

    (void)state;
    at_command_init(&command, "AT+CSQ", 5000);
    start("AT+CMGL=4");
    wait_ms(5000);
    assert_int_equal(last_done.result, AT_UNKNOWN);
    assert_true(at_chat_is_stale(&chat));
    assert_int_equal(at_chat_start(&chat, &command, now_ms), -ESTALE);

    /* The old answer and that of the AT come one behind the other, with a pause between them. */
    assert_int_equal(at_chat_sync(&chat, 3, false, now_ms), 0);
    assert_written("AT\r");
    feed("\r\nOK\r\n");
    wait_ms(200);
    assert_int_equal(done_count, 1);
    feed("\r\nOK\r\n");
    wait_ms(299);
    assert_int_equal(done_count, 1);
    wait_ms(1);
    assert_int_equal(done_count, 2);
    assert_int_equal(last_done.result, AT_OK);
    assert_false(at_chat_is_stale(&chat));
    start("AT+CSQ");
    feed("\r\n+CSQ: 7,99\r\n\r\nOK\r\n");
    assert_int_equal(last_done.result, AT_OK);
    assert_string_equal(lines[0], "+CSQ: 7,99");
}

static void synchronising_leaves_a_prompt_first_and_gives_up_after_its_tries(void **state)
{
    (void)state;
    start("AT+CMGS=18");
    wait_ms(10000);
    assert_int_equal(last_done.result, AT_UNKNOWN);
    assert_false(last_done.data_sent);
    assert_int_equal(at_chat_sync(&chat, 2, false, now_ms), 0);
    assert_written("\x1B\r");
    wait_ms(60000);
    assert_int_equal(done_count, 2);
    assert_int_equal(last_done.result, AT_UNKNOWN);
    assert_true(at_chat_is_stale(&chat));
    assert_int_equal(at_chat_deadline(&chat), UINT64_MAX);
}

static void results_without_end_do_not_hold_the_synchronising_for_ever(void **state)
{
    (void)state;
    assert_int_equal(at_chat_sync(&chat, 1, false, now_ms), 0);
    assert_written("AT\r");
    for (int i = 0; i < 400 && done_count == 0; i++) {   /* 100 s */
        feed("\r\nOK\r\n");
        wait_ms(250);
    }
    assert_int_equal(done_count, 1);
    assert_int_equal(last_done.result, AT_OK);
}

/* A modem that was stuck for minutes answers every AT it was asked meanwhile, slowly. */
static void a_long_row_of_old_answers_is_waited_for_and_none_is_taken_for_a_new_one(void **state)
{
    (void)state;
    assert_int_equal(at_chat_sync(&chat, 1, false, now_ms), 0);
    assert_written("AT\r");
    for (int i = 0; i < 180; i++) {
        feed("\r\nOK\r\n");
        wait_ms(250);
        assert_int_equal(done_count, 0);
    }
    wait_ms(50);
    assert_int_equal(done_count, 1);
    assert_int_equal(last_done.result, AT_OK);
    start("AT+CSQ");
    feed("\r\n+CSQ: 7,99\r\n\r\nOK\r\n");
    assert_int_equal(last_done.result, AT_OK);
    assert_string_equal(lines[0], "+CSQ: 7,99");
}

static void escape_instead_of_data_ends_the_command_as_not_sent(void **state)
{
    (void)state;
    start("AT+CMGS=18");
    feed("> ");
    assert_int_equal(at_chat_abort(&chat, now_ms), 0);
    assert_written("\x1B");
    feed("\r\nOK\r\n");
    assert_int_equal(last_done.result, AT_REFUSED);
    assert_false(last_done.data_sent);
    assert_false(at_chat_is_stale(&chat));
}

static void a_refusal_in_the_middle_of_the_data_leaves_the_rest_unwritten(void **state)
{
    size_t length;

    (void)state;
    start("AT+CMGS=18");
    feed("> ");
    assert_int_equal(at_chat_send_data(&chat, "00112233", 8, now_ms), 0);
    feed("\r\n+CMS ERROR: 500\r\n");   /* before its first octet left: not its result */
    assert_int_equal(done_count, 0);
    at_chat_output_consume(&chat, 3);
    assert_true(at_chat_data_sent(&chat));
    feed("\r\n+CMS ERROR: 304\r\n");
    assert_int_equal(done_count, 1);
    assert_int_equal(last_done.code, 304);
    assert_true(last_done.data_sent);
    (void)at_chat_output(&chat, &length);
    assert_int_equal(length, 0);
    assert_true(at_chat_is_stale(&chat));
}

static void an_endless_line_is_dropped_and_what_follows_is_read(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++)
        feed_bytes("x", 1);
    feed("\r\n");
    assert_int_equal(line_count, 0);
    assert_int_equal(at_chat_counts(&chat)->lines_dropped, 1);
    feed("\r\nRING\r\n");
    assert_int_equal(line_count, 1);
    assert_string_equal(lines[0], "RING");
}

static void a_line_of_almost_four_kib_is_whole_and_its_memory_given_back(void **state)
{
    static char text[4000];

    (void)state;
    memset(text, 'a', sizeof text);
    feed("+CUSD: 0,\"");
    feed_bytes(text, sizeof text);
    feed("\",15\r\n");
    assert_int_equal(line_count, 1);
    assert_int_equal(strlen(lines[0]), 10 + sizeof text + 4);
    assert_int_equal(chat.line_size, AT_LINE_SIZE_MIN);   /* 64 idle modems must not keep 64 long lines */
    feed("RING\r\n");
    assert_string_equal(lines[1], "RING");
}

static void half_a_line_is_kept_and_garbage_and_zeros_do_no_harm(void **state)
{
    (void)state;
    feed("\r\n+CM");
    now_ms += 100000;
    feed_bytes("\0T\0I: \"SM\",\0" "4\r\n", 15);
    assert_string_equal(lines[0], "+CMTI: \"SM\",4");
    feed("\xFF\xFE\x80garbage\r\n");
    assert_int_equal(line_count, 2);
}

static void texts_of_the_network_may_hold_line_ends(void **state)
{
    (void)state;
    feed("\r\n+CUSD: 1,\"1. One\n2. \"Two\"\n3. OK\",15\r\n");
    assert_int_equal(line_count, 1);
    assert_string_equal(lines[0], "+CUSD: 1,\"1. One\n2. \"Two\"\n3. OK\",15");
    feed("\r\n+CUSD: 1,\"a\r\nb\",72\r\n");
    assert_string_equal(lines[1], "+CUSD: 1,\"a\nb\",72");
    /* In the default alphabet ESC e is the euro; elsewhere an ESC is no part of a line. */
    feed("\r\n+CUSD: 0,\"12,34 \x1B" "e\",15\r\n");
    assert_string_equal(lines[2], "+CUSD: 0,\"12,34 \x1B" "e\",15");
    /* The end was lost: the next line's own words end it. */
    start("AT+CUSD=1");
    feed("\r\n+CUSD: 0,\"lost\r\n\r\nOK\r\n");
    assert_string_equal(lines[3], "+CUSD: 0,\"lost");
    assert_int_equal(done_count, 1);
    assert_int_equal(last_done.result, AT_OK);
}

static void lines_glued_together_are_taken_apart(void **state)
{
    (void)state;
    start("AT+CMGL=4");
    feed("\r\n+CMGL: 1,1,,23\r\n0791C3+CMGL: 2,1,,24\r\n0791C4\"\r\r\n+CMGL: 3,0,,0\r\n+CMGL: 4,1,,9\r\n\r\nOK\r\n");
    assert_int_equal(line_count, 4);
    assert_string_equal(pdus[0], "0791C3");
    assert_string_equal(lines[1], "+CMGL: 2,1,,24");
    assert_string_equal(pdus[1], "0791C4");
    assert_string_equal(lines[2], "+CMGL: 3,0,,0");
    assert_string_equal(lines[3], "+CMGL: 4,1,,9");   /* its PDU never came */
    assert_string_equal(pdus[3], "");
    assert_int_equal(last_done.result, AT_OK);
    start("AT+CNUM");
    feed("\r\nERROR+CMTI: \"SM\",1\r\n");
    assert_int_equal(last_done.result, AT_REFUSED);
    assert_string_equal(lines[4], "+CMTI: \"SM\",1");
}

static void an_unsolicited_line_between_a_header_and_its_pdu_is_no_pdu(void **state)
{
    (void)state;
    feed("\r\n+CDS: 25\r\n\r\n+CMTI: \"SM\",1\r\n0791C3\r\n");
    assert_int_equal(line_count, 2);
    assert_string_equal(lines[0], "+CMTI: \"SM\",1");
    assert_string_equal(lines[1], "+CDS: 25");
    assert_string_equal(pdus[1], "0791C3");
}

static void registration_lines_are_told_apart_from_the_answer(void **state)
{
    (void)state;
    start("AT+CREG?");
    feed("\r\n+CREG: 1,\"00C3\",\"A1B2\"\r\n\r\n+CREG: 2\r\n\r\n+CREG: 2,1,\"00C3\",\"A1B2\",7\r\n\r\n+CREG: "
         "000,001\r\n\r\nOK\r\n");
    assert_int_equal(kinds[0], AT_URC);
    assert_int_equal(kinds[1], AT_URC);
    assert_int_equal(kinds[2], AT_LINE);
    assert_int_equal(kinds[3], AT_LINE);
}

static void a_name_that_nobody_knows_is_no_answer_to_a_nameless_question(void **state)
{
    (void)state;
    start("AT+CGMM");
    feed("\r\n+WEIRD: 5\r\n\r\nM95\r\n\r\nSMS Ready\r\n\r\n+CGMM: M95\r\n\r\nOK\r\n");
    assert_int_equal(kinds[0], AT_URC);
    assert_int_equal(kinds[1], AT_LINE);
    assert_int_equal(kinds[2], AT_URC);
    assert_int_equal(kinds[3], AT_LINE);
}

static void commands_of_another_program_on_the_port_are_noticed(void **state)
{
    (void)state;
    start("AT+CSQ");
    feed("AT+CSQ\rATE0+CPMS?\r\r\n+CPMS: \"ME\",0,50\r\nAT+CGMM\r\n\r\n+CSQ: 1,2\r\n\r\nOK\r\n");
    assert_int_equal(at_chat_counts(&chat)->foreign_commands, 2);
    assert_int_equal(at_chat_counts(&chat)->echoes, 1);
    assert_int_equal(last_done.result, AT_OK);
}

static void every_form_of_error_ends_the_command_with_its_code(void **state)
{
    static const struct { const char *text; enum at_error_kind kind; int code;
    } forms[] = {
        { "ERROR", AT_ERROR_PLAIN, -1 },
        { "+CMS ERROR: 38", AT_ERROR_CMS, 38 },
        { "+CMS ERROR:", AT_ERROR_CMS, -1 },
        { "+CMS ERROR", AT_ERROR_CMS, -1 },
        { "+CME ERROR:53", AT_ERROR_CME, 53 },
        { "+CME ERROR: \"SIM PUK2 required", AT_ERROR_CME, 18 },
        { "+CME ERROR: incorrect password", AT_ERROR_CME, 16 },
        { "+CME ERROR: SIM BUSY ", AT_ERROR_CME, 14 },
        { "+CMS ERROR: \"invalid memory index\"", AT_ERROR_CMS, 321 },
        { "+CMS ERROR: 99999999999999999999", AT_ERROR_CMS, -1 },
        { "+CME ERROR: whatever this is", AT_ERROR_CME, -1 },
        { "+CMGS ERROR: 304", AT_ERROR_CMS, 304 },
        { "COMMAND NOT SUPPORT", AT_ERROR_PLAIN, -1 },
        { "TOO MANY PARAMETERS", AT_ERROR_PLAIN, -1 },
        { "MODEM ERROR: 4", AT_ERROR_PLAIN, -1 },
        { "NA", AT_ERROR_PLAIN, -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        start("AT+CMGD=1");
        feed("\r\n");
        feed(forms[i].text);
        feed("\r\n");
        assert_int_equal(done_count, i + 1);
        assert_int_equal(last_done.result, AT_REFUSED);
        assert_int_equal(last_done.error_kind, forms[i].kind);
        assert_int_equal(last_done.code, forms[i].code);
    }
    start("AT+CMGD=1");
    feed("\r\nERRORS ARE HUMAN\r\n\r\nOKAY\r\n\r\n+CMS ERRORS\r\n");   /* none of them is a result */
    assert_int_equal(done_count, sizeof forms / sizeof forms[0]);
}

static void a_nudge_ends_a_send_whose_answer_was_lost(void **state)
{
    (void)state;
    start("AT+CMGS=18");
    feed("> ");
    assert_int_equal(at_chat_send_data(&chat, "0011", 4, now_ms), 0);
    assert_int_equal(at_chat_nudge(&chat, now_ms), -EPROTO);   /* the data itself has not left */
    assert_written("0011\x1A");
    assert_int_equal(at_chat_nudge(&chat, now_ms), 0);
    assert_written("AT\r");
    feed("\r\nOK\r\n");
    assert_int_equal(last_done.result, AT_UNKNOWN);
    assert_true(last_done.data_sent);
    assert_true(at_chat_is_stale(&chat));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nothing_from_outside_can_end_a_line_or_its_quotes),
        TEST(arguments_are_written_by_their_type),
        TEST(one_command_at_a_time),
        TEST(every_form_of_prompt_is_one_prompt),
        TEST(data_is_hex_or_nothing),
        TEST(ok_before_the_prompt_belongs_to_something_older),
        TEST(a_result_before_the_command_has_left_is_not_believed),
        TEST(after_silence_the_order_of_answers_must_be_found_again),
        TEST(synchronising_leaves_a_prompt_first_and_gives_up_after_its_tries),
        TEST(results_without_end_do_not_hold_the_synchronising_for_ever),
        TEST(a_long_row_of_old_answers_is_waited_for_and_none_is_taken_for_a_new_one),
        TEST(escape_instead_of_data_ends_the_command_as_not_sent),
        TEST(a_refusal_in_the_middle_of_the_data_leaves_the_rest_unwritten),
        TEST(an_endless_line_is_dropped_and_what_follows_is_read),
        TEST(a_line_of_almost_four_kib_is_whole_and_its_memory_given_back),
        TEST(half_a_line_is_kept_and_garbage_and_zeros_do_no_harm),
        TEST(texts_of_the_network_may_hold_line_ends),
        TEST(lines_glued_together_are_taken_apart),
        TEST(an_unsolicited_line_between_a_header_and_its_pdu_is_no_pdu),
        TEST(registration_lines_are_told_apart_from_the_answer),
        TEST(a_name_that_nobody_knows_is_no_answer_to_a_nameless_question),
        TEST(commands_of_another_program_on_the_port_are_noticed),
        TEST(every_form_of_error_ends_the_command_with_its_code),
        TEST(a_nudge_ends_a_send_whose_answer_was_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
