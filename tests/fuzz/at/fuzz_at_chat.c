/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes, cut anywhere, at any time, against the AT engine and the parsers behind it. What must hold: a command
 * that was started has exactly one AT_DONE, at the latest when time has passed; nothing below 0x20 is written but CR,
 * Ctrl-Z and ESC; a line is never longer than the cap. */
#include <assert.h>
#include <string.h>

#include "drivers/at/at_chat.h"
#include "drivers/at/at_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz { struct at_chat chat; uint64_t now_ms; unsigned running; bool prompted; };

static void parse_everything(const char *line)
{
    struct at_registration registration;
    struct at_storages storages;
    struct at_message_header header;
    enum at_sim sim;
    uint8_t lists[3];
    char text[24];
    int a, b;

    (void)at_parse_registration(line, &registration);
    (void)at_parse_cpin(line, &sim);
    (void)at_parse_csq(line, &a, &b);
    (void)at_parse_cpms(line, &storages);
    (void)at_parse_cpms_lists(line, lists);
    (void)at_parse_cmti(line, text, &a);
    (void)at_parse_message_header(line, &header);
    (void)at_parse_cmgs(line, &a);
    (void)at_parse_csms(line, &a);
    (void)at_parse_csca(line, text, sizeof text);
    (void)at_parse_cops(line, text, sizeof text, &a);
    (void)at_parse_identity(line, text, sizeof text);
    (void)at_parse_imei(line, text, sizeof text);
    (void)at_parse_imsi(line, text, sizeof text);
    if (at_parse_iccid(line, text, sizeof text) == 0)
        assert(strlen(text) >= 18 && strspn(text, "0123456789") == strlen(text));
}

static void take(struct fuzz *fuzz, const struct at_event *event)
{
    if (event->kind == AT_DONE) {
        assert(fuzz->running == 1);
        fuzz->running = 0;
        fuzz->prompted = false;
    }
    if (event->kind == AT_PROMPT) {
        assert(fuzz->running == 1 && !fuzz->prompted);
        fuzz->prompted = true;
    }
    if (event->kind == AT_LINE || event->kind == AT_URC) {
        assert(event->length > 0 && event->length < AT_LINE_SIZE_MAX && strlen(event->text) == event->length);
        assert(event->kind == AT_URC || fuzz->running == 1);
        if (event->pdu != NULL)
            assert(event->pdu_length <= strlen(event->pdu));
        parse_everything(event->text);
    }
}

static void consume(struct fuzz *fuzz, size_t count)
{
    size_t length;
    const uint8_t *output = at_chat_output(&fuzz->chat, &length);

    for (size_t i = 0; i < length; i++)
        assert(output[i] >= 0x20 || output[i] == '\r' || output[i] == 0x1A || output[i] == 0x1B);
    at_chat_output_consume(&fuzz->chat, count < length ? count : length);
}

static void start(struct fuzz *fuzz, uint8_t which, const uint8_t *argument, size_t length)
{
    static const char *const names[] = { "AT",       "AT+CMGS=", "AT+CREG?", "AT+CMGL=4",
                                         "AT+CMGR=", "AT+CGMI",  "AT+CPMS=", "AT+CUSD=" };
    struct at_command command;
    char text[24];

    at_command_init(&command, names[which % 8], 5000);
    memcpy(text, argument, length < sizeof text - 1 ? length : sizeof text - 1);
    text[length < sizeof text - 1 ? length : sizeof text - 1] = '\0';
    if (which % 8 == 1) {
        at_command_add_int(&command, which);
        command.prompt_timeout_ms = 10000;
        command.needs_answer = true;
    } else if (which % 8 == 4) {
        at_command_add_number(&command, text);
    } else if (which % 8 > 5) {
        at_command_add_string(&command, text);
    }
    command.any_lines = which % 8 == 5;
    if (at_chat_start(&fuzz->chat, &command, fuzz->now_ms) == 0) {
        assert(fuzz->running == 0 && !command.spoiled);
        fuzz->running = 1;
        fuzz->prompted = false;
    }
}

static void poll(struct fuzz *fuzz)
{
    struct at_event event;

    do {
        at_chat_poll(&fuzz->chat, fuzz->now_ms, &event);
        take(fuzz, &event);
    } while (event.kind != AT_NONE);
    assert(at_chat_deadline(&fuzz->chat) > fuzz->now_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = { "\r\nOK\r\n",         "\r\n> ",
                                         "\r\n+CMGS: 7\r\n",   "\r\n+CMGL: 1,1,,23\r\n",
                                         "07913336",           "\r\n+CMS ERROR: 38\r\n",
                                         "\r\n+CUSD: 0,\"a\n", "\r\n+CREG: 1,1\r\n" };
    struct fuzz fuzz = { .now_ms = 1 };
    struct at_event event;

    if (at_chat_init(&fuzz.chat) < 0)
        return 0;
    for (size_t at = 0; at + 1 < size;) {
        uint8_t op = data[at++], value = data[at++];
        size_t left = size - at, count = value % 64 < left ? value % 64 : left;
        const uint8_t *bytes = data + at;

        switch (op % 10) {
        case 0: case 1: case 2:
            at += count;
            break;
        case 3:
            bytes = (const uint8_t *)words[value % 8];
            count = strlen(words[value % 8]);
            break;
        case 4:
            fuzz.now_ms += (uint64_t)value * value;
            poll(&fuzz);
            continue;
        case 5:
            count = value / 8u < left ? value / 8u : left;
            start(&fuzz, value, bytes, count);
            at += count;
            continue;
        case 6:
            consume(&fuzz, value % 4 == 0 ? value / 4u : SIZE_MAX);
            continue;
        case 7:
            if (at_chat_send_data(&fuzz.chat, "0011000B91", 10, fuzz.now_ms) == 0)
                assert(fuzz.prompted);
            continue;
        case 8:
            if (value % 3 == 0)
                (void)at_chat_nudge(&fuzz.chat, fuzz.now_ms);
            else if (value % 3 == 1)
                (void)at_chat_abort(&fuzz.chat, fuzz.now_ms);
            else if (at_chat_sync(&fuzz.chat, value / 64u + 1, value % 2 == 0, fuzz.now_ms) == 0)
                fuzz.running = 1;
            continue;
        default:
            if (value % 8 == 0) {
                at_chat_cancel(&fuzz.chat);
                fuzz.running = 0;
                fuzz.prompted = false;
            }
            continue;
        }
        size_t used = 0;
        do {
            used += at_chat_feed(&fuzz.chat, bytes + used, count - used, fuzz.now_ms, &event);
            take(&fuzz, &event);
        } while (event.kind != AT_NONE);
        assert(used == count);
    }
    for (int i = 0; i < 400 && fuzz.running; i++) {
        fuzz.now_ms += 1000;
        poll(&fuzz);
        consume(&fuzz, SIZE_MAX);
    }
    assert(!fuzz.running);
    at_chat_done(&fuzz.chat);
    return 0;
}
