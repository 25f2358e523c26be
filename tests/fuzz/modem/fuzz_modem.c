/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes at any time against a modem's life, from the first byte or from READY on. What must hold: every
 * modem_send() that was taken gets exactly one result, at the latest when time has passed; a late result only after
 * UNKNOWN; NOT_SENT only if no octet of the PDU was taken; nothing below 0x20 is written but CR, Ctrl-Z and ESC; a
 * message is deleted only after modem_stored(); every modem_ussd() that was taken ends once; a deadline that was served is not due any more. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/modem/modem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PDU "0001000A816072433519000004D4F29C0E"
#define TURN 600   /* octets: an eager owner and a healthy modem would never come to an end */

struct fuzz {
    struct modem *modem;
    uint64_t now_ms, next_part, open_part, unknown_part;
    uint32_t handles[8];
    unsigned handle_count;
    bool eager, pdu_started, in_data, ussd_open;
    char line[600];
    size_t line_length;
    uint64_t stored;
    uint64_t deletes;
};

static void send(struct fuzz *fuzz)
{
    uint64_t part = fuzz->next_part;

    if (!modem_can_send(fuzz->modem))
        return;
    assert(fuzz->open_part == 0);
    fuzz->open_part = part;   /* before the call: its result may come from inside */
    fuzz->next_part++;
    fuzz->pdu_started = false;
    if (modem_send(fuzz->modem, part, PDU, 16, fuzz->now_ms) != 0)
        abort();
}

static void ask(struct fuzz *fuzz, size_t replies)
{
    static const char *const reply = "1";

    if (fuzz->ussd_open)
        return;
    fuzz->ussd_open = true;
    if (modem_ussd(fuzz->modem, "*100#", &reply, replies, fuzz->now_ms) < 0)
        fuzz->ussd_open = false;
}

static void on_event(void *context, const struct modem_event *event, uint64_t now_ms)
{
    struct fuzz *fuzz = context;

    assert(now_ms == fuzz->now_ms && event->status->state < MODEM_STATE_COUNT &&
           event->status->reason < MODEM_REASON_COUNT);
    switch (event->kind) {
    case MODEM_EVENT_SENT: case MODEM_EVENT_REFUSED: case MODEM_EVENT_NOT_SENT: case MODEM_EVENT_UNKNOWN:
        assert(fuzz->open_part != 0 && event->part_id == fuzz->open_part);
        assert(event->kind == MODEM_EVENT_REFUSED || (event->kind != MODEM_EVENT_NOT_SENT) == fuzz->pdu_started);
        fuzz->open_part = 0;
        if (event->kind == MODEM_EVENT_UNKNOWN)
            fuzz->unknown_part = event->part_id;
        break;
    case MODEM_EVENT_LATE_SENT:
        assert(event->part_id == fuzz->unknown_part);
        fuzz->unknown_part = 0;
        break;
    case MODEM_EVENT_DELIVER: case MODEM_EVENT_REPORT:
        assert(event->pdu_hex != NULL && event->pdu_length >= 2 && event->handle != 0);
        fuzz->handles[fuzz->handle_count++ % 8] = event->handle;
        if (event->handle % 3 == 0) {
            fuzz->stored++;
            modem_stored(fuzz->modem, event->handle, now_ms);
        }
        break;
    case MODEM_EVENT_COUNT:
        assert(event->mr >= -1 && event->mr <= 255);
        break;
    case MODEM_EVENT_USSD:
        assert(fuzz->ussd_open && event->ussd < MODEM_USSD_END_COUNT && event->text != NULL);
        fuzz->ussd_open = false;
        break;
    case MODEM_EVENT_STATE: case MODEM_EVENT_SIM:
        break;
    }
    if (fuzz->eager)
        send(fuzz);
}

static const char *healthy(const char *command, size_t length)
{
#define ANSWER(command, text) { command, sizeof(command) - 1, text }
    static const struct { const char *command; size_t length; const char *answer;
    } answers[] = {
        ANSWER("AT+CPIN?", "\r\n+CPIN: READY\r\n\r\nOK\r\n"),
        ANSWER("AT+CCID", "\r\n+CCID: 89620133881795896481\r\n\r\nOK\r\n"),
        ANSWER("AT+CIMI", "\r\n510018429150095\r\n\r\nOK\r\n"),
        ANSWER("AT+CREG?", "\r\n+CREG: 1,1\r\n\r\nOK\r\n"),
        ANSWER("AT+CMGL=4", "\r\n+CMGL: "
                            "3,0,,23\r\n07913336105107F3040B913306100726F200005180719120348004D4F29C0E\r\n\r\nOK\r\n"),
        ANSWER("AT+CMGS=16", "\r\n> "),
        ANSWER(PDU, "\r\n+CMGS: 5\r\n\r\nOK\r\n"),
    };

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (answers[i].length == length && memcmp(answers[i].command, command, length) == 0)
            return answers[i].answer;
    }
    return command[0] == 'A' ? "\r\nOK\r\n" : "";
}

/* Takes up to `count` octets of what is to be written; answers a whole line as a healthy modem where asked to. */
static void take_output(struct fuzz *fuzz, size_t count, bool answer)
{
    size_t length, line_length;
    const uint8_t *output;

    while (count > 0 && (output = modem_output(fuzz->modem, &length), length > 0)) {
        size_t used = 0;
        uint8_t c = 0x20;

        if (length > count)
            length = count;
        /* The one line of ours that begins with a digit. */
        if (fuzz->line_length == 0 && output[0] == '0')
            fuzz->pdu_started = true;
        while (used < length && c >= 0x20) {
            c = output[used++];
            assert(c >= 0x20 || c == '\r' || c == 0x1A || c == 0x1B);
            if (c >= 0x20) {
                assert(fuzz->line_length + 1 < sizeof fuzz->line);
                fuzz->line[fuzz->line_length++] = (char)c;
            }
        }
        modem_output_consume(fuzz->modem, used);
        count -= used;
        if (c >= 0x20)
            continue;
        line_length = fuzz->line_length;
        fuzz->line[line_length] = '\0';
        fuzz->line_length = 0;
        fuzz->deletes += line_length > 8 && memcmp(fuzz->line, "AT+CMGD=", 8) == 0;
        assert(fuzz->deletes == 0 || fuzz->stored > 0);
        if (answer) {
            const char *text = healthy(fuzz->line, line_length);

            modem_feed(fuzz->modem, (const uint8_t *)text, strlen(text), fuzz->now_ms);
        }
    }
}

static void poll(struct fuzz *fuzz)
{
    modem_poll(fuzz->modem, fuzz->now_ms);
    assert(modem_deadline(fuzz->modem) > fuzz->now_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {
        "\r\nOK\r\n",
        "\r\nERROR\r\n",
        "\r\n> ",
        "\r\n+CMGS: 7\r\n\r\nOK\r\n",
        "\r\n+CMS ERROR: 310\r\n",
        "\r\nRDY\r\n",
        "\r\nSMS Ready\r\n",
        "\r\n+CMTI: \"SM\",3\r\n",
        "\r\n+CMTI: \"ME\",4\r\n",
        "\r\n+CDS: 25\r\n079119291573366706400C91193931474663511090718384225110907183252200\r\n",
        "\r\n+CREG: 2\r\n",
        "\r\n+CREG: 1\r\n",
        "\r\n+CPIN: NOT INSERTED\r\n",
        "\r\n+CMGS: 9\r\n",
        "\r\n+CMGR: 0,,23\r\n07913336105107F3040B913306100726F200005180719120348004D4F29C0E\r\n",
        "\r\n+CUSD: 1,\"4801\",15\r\n",
    };
    struct fuzz fuzz = { .now_ms = 1000, .next_part = 1 };
    struct modem_config config = { .on_event = on_event,
                                   .context = &fuzz,
                                   .pin = "1234",
                                   .send_timeout_ms = size > 0 && data[0] % 4 == 3 ? 30000 : 0 };

    if (size < 2)
        return 0;
    fuzz.modem = modem_new(&config);
    if (fuzz.modem == NULL)
        return 0;
    fuzz.eager = data[0] % 2 == 1;
    modem_opened(fuzz.modem, fuzz.now_ms);
    if (data[0] % 8 >= 4) {
        for (int i = 0; i < 400 && modem_status(fuzz.modem)->state != MODEM_READY &&
                        modem_status(fuzz.modem)->state != MODEM_SENDING;
             i++) {
            take_output(&fuzz, TURN, true);
            fuzz.now_ms += 100;
            poll(&fuzz);
        }
    }
    for (size_t at = 1; at + 1 < size;) {
        uint8_t op = data[at++], value = data[at++];
        size_t count = value % 64 < size - at ? value % 64 : size - at;

        switch (op % 8) {
        case 0:
            modem_feed(fuzz.modem, data + at, count, fuzz.now_ms);
            at += count;
            break;
        case 1: case 2:
            modem_feed(fuzz.modem, (const uint8_t *)words[value % 16], strlen(words[value % 16]), fuzz.now_ms);
            break;
        case 3:
            fuzz.now_ms += (uint64_t)value * value * 2;
            poll(&fuzz);
            break;
        case 4:
            if (value % 8 == 0) {
                modem_closed(fuzz.modem, fuzz.now_ms);
                fuzz.line_length = 0;
            } else if (value % 8 == 1) {
                modem_opened(fuzz.modem, fuzz.now_ms);
                fuzz.line_length = 0;
            } else if (value % 8 == 2) {
                ask(&fuzz, value / 8 % 2);
            } else {
                send(&fuzz);
            }
            break;
        case 5:
            fuzz.stored++;
            modem_stored(fuzz.modem, fuzz.handles[value % 8], fuzz.now_ms);
            break;
        case 6:
            take_output(&fuzz, value % 4 == 0 ? value / 4u : SIZE_MAX, false);
            break;
        default:
            take_output(&fuzz, TURN, true);
            break;
        }
    }
    fuzz.eager = false;
    for (int i = 0; i < 500 && (fuzz.open_part != 0 || fuzz.ussd_open); i++) {
        fuzz.now_ms += 1000;
        poll(&fuzz);
        take_output(&fuzz, SIZE_MAX, false);
    }
    assert(fuzz.open_part == 0 && !fuzz.ussd_open);
    modem_free(fuzz.modem);
    return 0;
}
