/* SPDX-License-Identifier: Apache-2.0
 *
 * Replays every dialogue of tests/transcripts against the engine: whole, cut at every octet, octet by octet, with
 * unsolicited lines put in at every line boundary, with echo, with garbage in front (README there, "Replay" 1 to 5). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "drivers/at/at_chat.h"
#include "drivers/at/at_parse.h"
#include "tests/unit/at/transcripts.h"

static struct dialogues all;

/* ---------------------------------------------------------------------------------------- what a replay notes */

#define NOTES_MAX 160
struct note {
    size_t exchange;
    struct at_event event;      /* texts are in the two below */
    char *text, *pdu;
    char command[64];           /* the command it belongs to */
};
struct notes { size_t count; struct note note[NOTES_MAX]; uint32_t foreign; };

static void notes_free(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++) {
        free(notes->note[i].text);
        free(notes->note[i].pdu);
    }
    free(notes);
}

static bool same_note(const struct note *a, const struct note *b)
{
    return a->exchange == b->exchange && a->event.kind == b->event.kind && a->event.result == b->event.result &&
           a->event.error_kind == b->event.error_kind && a->event.code == b->event.code &&
           a->event.data_sent == b->event.data_sent && a->event.urc == b->event.urc &&
           strcmp(a->text, b->text) == 0 && strcmp(a->pdu, b->pdu) == 0;
}

/* ---------------------------------------------------------------------------------------- the replay */

struct variant {
    size_t cut_exchange, cut_at;              /* two pieces there; SIZE_MAX: none */
    bool octet_by_octet;
    size_t inject_exchange, inject_at;        /* SIZE_MAX: none */
    const char *inject;
    bool echo_commands, echo_data;
    const char *garbage;                      /* in front of the first rx */
    size_t garbage_length;
};
static const struct variant PLAIN = { .cut_exchange = SIZE_MAX, .cut_at = SIZE_MAX, .inject_exchange = SIZE_MAX };

struct replay {
    struct at_chat chat;
    const struct variant *variant;
    struct notes *notes;
    size_t exchange, offset;                  /* offset in the rx stream of this exchange, as in the file */
    uint64_t now_ms;
    bool injected;
    bool quiet;                               /* our own synchronising is no part of the dialogue */
    char command[64];
    char data[512];                           /* text mode: what stands for the text, since the engine sends hex only */
    const char *text_data; size_t text_data_length;
};

static void note(struct replay *replay, const struct at_event *event)
{
    struct note *next = &replay->notes->note[replay->notes->count];

    if (replay->quiet)
        return;
    assert_true(replay->notes->count < NOTES_MAX);
    replay->notes->count++;
    next->exchange = replay->exchange;
    next->event = *event;
    next->text = event->text != NULL ? strndup(event->text, event->length) : strdup("");
    next->pdu = event->pdu != NULL ? strndup(event->pdu, event->pdu_length) : strdup("");
    assert_int_equal(strlen(next->text), event->length);
    memcpy(next->command, replay->command, sizeof next->command);
}

static void feed(struct replay *replay, const char *bytes, size_t length)
{
    struct at_event event;
    size_t used = 0;

    do {
        used += at_chat_feed(&replay->chat, (const uint8_t *)bytes + used, length - used, replay->now_ms, &event);
        if (event.kind != AT_NONE)
            note(replay, &event);
    } while (event.kind != AT_NONE);
    assert_int_equal(used, length);
}

static void send_output(struct replay *replay)
{
    size_t length;

    (void)at_chat_output(&replay->chat, &length);
    at_chat_output_consume(&replay->chat, length);
}

static void run_clock_to(struct replay *replay, uint64_t ms)
{
    while (at_chat_deadline(&replay->chat) <= ms) {
        struct at_event event;

        replay->now_ms = at_chat_deadline(&replay->chat);
        at_chat_poll(&replay->chat, replay->now_ms, &event);
        send_output(replay);
        if (event.kind != AT_NONE)
            note(replay, &event);
    }
    replay->now_ms = ms;
}

static void run_clock_until_idle(struct replay *replay)
{
    while (!at_chat_is_idle(&replay->chat))
        run_clock_to(replay, at_chat_deadline(&replay->chat));
}

static bool starts(const char *text, const char *with)
{
    return strncasecmp(text, with, strlen(with)) == 0;
}

/* As a driver runs it: which answers have no name is known per command. */
static struct at_command command_for(const char *text)
{
    static const char *const nameless[] = { "ATI", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "AT+GSN", "AT+GMM",
                                            "AT+CIMI", "AT+CCID", "AT+QCCID", "AT+SIMCOMATI", "AT+CPIN" };
    struct at_command command;

    at_command_init(&command, text, strchr(text, '+') != NULL ? 30000 : 5000);
    for (size_t i = 0; i < sizeof nameless / sizeof nameless[0]; i++)
        command.any_lines = command.any_lines || starts(text, nameless[i]);
    if (starts(text, "AT+CMGS=")) {
        command.prompt_timeout_ms = 10000;
        command.timeout_ms = 180000;
        command.needs_answer = true;
    }
    return command;
}

/* One `tx` of the log. */
static void transmit(struct replay *replay, const struct octets *tx, bool text_mode)
{
    char text[300];
    size_t length = 0;
    struct at_command command;

    if (tx->length > 0 && tx->bytes[0] == 0x1B)
        return;   /* ESC CR with nothing open */
    if (memchr(tx->bytes, 0x1B, tx->length) != NULL) {
        assert_int_equal(at_chat_abort(&replay->chat, replay->now_ms), 0);
        send_output(replay);
        return;
    }
    if (tx->bytes[tx->length - 1] == 0x1A) {
        replay->text_data = tx->bytes;
        replay->text_data_length = tx->length - 1;
        snprintf(replay->data, sizeof replay->data, "%.*s", (int)tx->length - 1,
                 text_mode ? "C0FFEEC0FFEEC0FFEE" : tx->bytes);
        assert_int_equal(at_chat_send_data(&replay->chat, replay->data, strlen(replay->data), replay->now_ms), 0);
        send_output(replay);
        return;
    }
    for (size_t i = 0; i < tx->length; i++) {
        if (tx->bytes[i] != '\r' && tx->bytes[i] != '\n')
            text[length++] = tx->bytes[i];
    }
    text[length] = '\0';
    snprintf(replay->command, sizeof replay->command, "%.60s", text);
    if (at_chat_is_stale(&replay->chat)) {
        bool is_sync = strcmp(text, "AT") == 0;

        replay->quiet = !is_sync;
        assert_int_equal(at_chat_sync(&replay->chat, 1, false, replay->now_ms), 0);
        send_output(replay);
        run_clock_to(replay, replay->now_ms + 200);   /* ESC CR where a prompt might be open */
        if (is_sync)
            return;
        feed(replay, "\r\nOK\r\n", 6);
        run_clock_until_idle(replay);
        replay->quiet = false;
        assert_false(at_chat_is_stale(&replay->chat));
    }
    command = command_for(text);
    assert_int_equal(at_chat_start(&replay->chat, &command, replay->now_ms), 0);
    send_output(replay);
}

/* The next piece of at most `length` octets that does not run over `stop`. */
static size_t piece_before(size_t stop, size_t offset, size_t length)
{
    return stop > offset && stop - offset < length ? stop - offset : length;
}

/* One `rx` of the log, with whatever the variant makes of it. */
static void receive(struct replay *replay, const char *bytes, size_t length)
{
    const struct variant *variant = replay->variant;
    bool cut = replay->exchange == variant->cut_exchange, inject = replay->exchange == variant->inject_exchange;

    for (;;) {
        size_t piece = variant->octet_by_octet && length > 0 ? 1 : length;

        if (inject && !replay->injected && variant->inject_at == replay->offset) {
            feed(replay, "\r\n", 2);
            feed(replay, variant->inject, strlen(variant->inject));
            feed(replay, "\r\n", 2);
            replay->injected = true;
        }
        if (length == 0)
            break;
        if (cut)
            piece = piece_before(variant->cut_at, replay->offset, piece);
        if (inject)
            piece = piece_before(variant->inject_at, replay->offset, piece);
        feed(replay, bytes, piece);
        bytes += piece;
        length -= piece;
        replay->offset += piece;
    }
}

/* A step's octets; in text mode the echo of the text becomes that of what we sent for it. */
static char *received_octets(const struct replay *replay, const struct octets *rx, bool text_mode, size_t *ret_length)
{
    char *bytes = malloc(rx->length + 64), *found = NULL;
    size_t length = replay->text_data_length;

    memcpy(bytes, rx->bytes, rx->length);
    *ret_length = rx->length;
    if (text_mode && length > 0)
        found = memmem(bytes, rx->length, replay->text_data, length);
    if (found != NULL) {
        size_t rest = (size_t)(bytes + rx->length - found) - length, put = strlen(replay->data);

        memmove(found + put, found + length, rest);
        memcpy(found, replay->data, put);
        *ret_length = rx->length - length + put;
    }
    return bytes;
}

static struct notes *replay_dialogue(const struct dialogue *dialogue, const struct variant *variant)
{
    struct replay replay = { .variant = variant, .notes = calloc(1, sizeof(struct notes)), .now_ms = 1000 };
    bool text_mode = strcmp(dialogue->mode, "text") == 0, first_rx = true, first_of_exchange = false;
    const struct octets *tx = NULL;

    assert_int_equal(at_chat_init(&replay.chat), 0);
    for (size_t i = 0; i < dialogue->step_count; i++) {
        const struct step *step = &dialogue->steps[i];

        if (step->kind == STEP_TX) {
            bool in_prompt = memchr(step->octets.bytes, 0x1A, step->octets.length) != NULL ||
                             memchr(step->octets.bytes, 0x1B, step->octets.length) != NULL;

            /* The log's program went on: what it had waited for did not come, or the order is known again. */
            if (!in_prompt)
                run_clock_until_idle(&replay);
            replay.exchange++;
            replay.offset = 0;
            first_of_exchange = true;
            tx = &step->octets;
            transmit(&replay, tx, text_mode);
        } else if (step->kind == STEP_SILENCE) {
            run_clock_to(&replay, replay.now_ms + step->ms);
        } else {
            size_t length;
            char *bytes = received_octets(&replay, &step->octets, text_mode, &length);
            bool data = tx != NULL && memchr(tx->bytes, 0x1A, tx->length) != NULL;

            run_clock_to(&replay, replay.now_ms + step->ms);
            if (first_rx && variant->garbage != NULL)
                feed(&replay, variant->garbage, variant->garbage_length);
            if (first_of_exchange && tx != NULL && memchr(tx->bytes, 0x1B, tx->length) == NULL) {
                if (!data && variant->echo_commands)
                    feed(&replay, tx->bytes, tx->length);
                if (data && variant->echo_data)
                    feed(&replay, replay.data, strlen(replay.data));
            }
            first_rx = first_of_exchange = false;
            receive(&replay, bytes, length);
            free(bytes);
        }
    }
    /* A sync that was answered ends by the clock; one that the log ends with stays open unless the log says that
     * nothing came. */
    if (at_chat_is_stale(&replay.chat) || dialogue->steps[dialogue->step_count - 1].kind == STEP_SILENCE)
        run_clock_until_idle(&replay);
    replay.notes->foreign = at_chat_counts(&replay.chat)->foreign_commands;
    at_chat_done(&replay.chat);
    return replay.notes;
}

static void assert_same(const struct dialogue *dialogue, const struct notes *expected, const struct notes *seen,
                        size_t from_exchange, const char *how)
{
    size_t a = 0, b = 0;

    for (;; a++, b++) {
        while (a < expected->count && expected->note[a].exchange < from_exchange)
            a++;
        while (b < seen->count && seen->note[b].exchange < from_exchange)
            b++;
        if (a == expected->count && b == seen->count)
            return;
        if (a == expected->count || b == seen->count || !same_note(&expected->note[a], &seen->note[b]))
            fail_msg("%s, %s: event %zu is %d '%s', not %d '%s'", dialogue->id, how, a,
                     b < seen->count ? (int)seen->note[b].event.kind : -1, b < seen->count ? seen->note[b].text : "",
                     a < expected->count ? (int)expected->note[a].event.kind : -1,
                     a < expected->count ? expected->note[a].text : "");
    }
}

/* The rx stream per exchange, as receive() counts it. */
static size_t exchange_stream(const struct dialogue *dialogue, size_t exchange, bool text_mode, char *ret_bytes,
                              size_t size)
{
    size_t at = 0, length = 0;
    struct replay replay = { 0 };

    for (size_t i = 0; i < dialogue->step_count; i++) {
        const struct step *step = &dialogue->steps[i];

        if (step->kind == STEP_TX) {
            at++;
            if (step->octets.bytes[step->octets.length - 1] == 0x1A && text_mode) {
                replay.text_data = step->octets.bytes;
                replay.text_data_length = step->octets.length - 1;
                snprintf(replay.data, sizeof replay.data, "%.*s", (int)step->octets.length - 1, "C0FFEEC0FFEEC0FFEE");
            }
        } else if (step->kind == STEP_RX && at == exchange) {
            size_t got;
            char *bytes = received_octets(&replay, &step->octets, text_mode, &got);

            assert_true(length + got < size);
            memcpy(ret_bytes + length, bytes, got);
            length += got;
            free(bytes);
        }
    }
    ret_bytes[length] = '\0';
    return length;
}

static size_t exchange_count(const struct dialogue *dialogue)
{
    size_t count = 1;

    for (size_t i = 0; i < dialogue->step_count; i++)
        count += dialogue->steps[i].kind == STEP_TX;
    return count;
}

/* ---------------------------------------------------------------------------------------- the tests */

static void every_dialogue_gives_the_same_events_however_it_is_cut(void **state)
{
    static char stream[16384];
    size_t runs = 0;

    (void)state;
    for (size_t i = 0; i < all.count; i++) {
        const struct dialogue *dialogue = &all.dialogue[i];
        bool text_mode = strcmp(dialogue->mode, "text") == 0;
        struct notes *whole = replay_dialogue(dialogue, &PLAIN), *seen;
        struct variant variant = PLAIN;

        variant.octet_by_octet = true;
        seen = replay_dialogue(dialogue, &variant);
        assert_same(dialogue, whole, seen, 0, "octet by octet");
        notes_free(seen);
        variant.octet_by_octet = false;
        for (size_t exchange = 0; exchange < exchange_count(dialogue); exchange++) {
            size_t length = exchange_stream(dialogue, exchange, text_mode, stream, sizeof stream);

            for (size_t cut = 1; cut < length; cut++, runs++) {
                variant.cut_exchange = exchange;
                variant.cut_at = cut;
                seen = replay_dialogue(dialogue, &variant);
                assert_same(dialogue, whole, seen, 0, "cut in two");
                notes_free(seen);
            }
        }
        notes_free(whole);
    }
    print_message("%zu dialogues octet by octet, %zu runs in two pieces\n", all.count, runs);
    assert_int_equal(all.count, 111);
    assert_true(runs > 12000);
}

/* Before the first octet and behind every CR LF that ends a line, but not between a header and its PDU, nor inside the
 * quotes of a +CUSD. */
static bool is_boundary(const char *stream, size_t at)
{
    static const char *const headers[] = { "+CMT:", "+CDS:", "+CMGR:", "+CMGL:" };
    size_t line = at;
    const char *cusd, *quote;

    if (at == 0)
        return true;
    if (at < 2 || stream[at - 1] != '\n' || stream[at - 2] != '\r')
        return false;
    while (line > 0 && (stream[line - 1] == '\r' || stream[line - 1] == '\n'))
        line--;
    while (line > 0 && stream[line - 1] != '\n' && stream[line - 1] != '\r')
        line--;
    for (size_t i = 0; i < 4; i++) {
        if (strncmp(stream + line, headers[i], strlen(headers[i])) == 0)
            return false;
    }
    cusd = strstr(stream, "+CUSD:");
    quote = cusd != NULL ? strchr(cusd, '"') : NULL;
    if (quote != NULL && stream + at > quote) {
        const char *end = strchr(quote + 1, '"');

        if (end != NULL && stream + at < end)
            return false;
    }
    return true;
}

static void an_unsolicited_line_anywhere_changes_no_result_and_is_reported_once(void **state)
{
    static const char *const lines[] = {
        "+CMTI: \"SM\",3", "+CDSI: \"SM\",4", "+CREG: 1,\"00C3\",\"A1B2\"", "RING", "^RSSI:17",
        "^HCSQ:\"LTE\",50,40,120,20", "+CUSD: 2", "+QIND: \"csq\",20,99",
    };
    static char stream[16384];
    size_t runs = 0;

    (void)state;
    for (size_t i = 0; i < all.count; i++) {
        const struct dialogue *dialogue = &all.dialogue[i];
        struct notes *plain = replay_dialogue(dialogue, &PLAIN);
        bool in_a_line = false;

        for (size_t exchange = 0; exchange < exchange_count(dialogue); exchange++) {
            size_t length =
                exchange_stream(dialogue, exchange, strcmp(dialogue->mode, "text") == 0, stream, sizeof stream);

            for (size_t at = 0; at <= length && length > 0; at++) {
                if (!is_boundary(stream, at) || (at == 0 && in_a_line))
                    continue;
                for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++, runs++) {
                    struct variant variant = PLAIN;
                    struct notes *seen;
                    size_t extra = SIZE_MAX;

                    variant.inject_exchange = exchange;
                    variant.inject_at = at;
                    variant.inject = lines[k];
                    seen = replay_dialogue(dialogue, &variant);
                    for (size_t n = 0; n < seen->count && extra == SIZE_MAX; n++) {
                        const struct note *one = &seen->note[n];

                        if (one->exchange == exchange && one->event.kind == AT_URC && strcmp(one->text, lines[k]) == 0)
                            extra = n;
                    }
                    if (extra == SIZE_MAX)
                        fail_msg("%s: '%s' at %zu of exchange %zu is not reported", dialogue->id, lines[k], at,
                                 exchange);
                    free(seen->note[extra].text);
                    free(seen->note[extra].pdu);
                    memmove(&seen->note[extra], &seen->note[extra + 1], (--seen->count - extra) * sizeof seen->note[0]);
                    assert_same(dialogue, plain, seen, 0, lines[k]);
                    notes_free(seen);
                }
            }
            /* Half a line is still open (garbage without an end): the next exchange does not begin at a boundary. */
            if (length > 0)
                in_a_line = strchr("\r\n> ", stream[length - 1]) == NULL;
        }
        notes_free(plain);
    }
    print_message("%zu dialogues, %zu injections\n", all.count, runs);
    assert_true(runs > 8000);
}

static void an_echo_changes_nothing(void **state)
{
    size_t runs = 0;

    (void)state;
    for (size_t i = 0; i < all.count; i++) {
        const struct dialogue *dialogue = &all.dialogue[i];
        struct notes *plain;

        if (strncmp(dialogue->echo, "off", 3) != 0)
            continue;
        plain = replay_dialogue(dialogue, &PLAIN);
        for (int data = 0; data < 2; data++, runs++) {
            struct variant variant = PLAIN;
            struct notes *seen;

            variant.echo_commands = true;
            variant.echo_data = data == 1;
            seen = replay_dialogue(dialogue, &variant);
            assert_same(dialogue, plain, seen, 0, "with echo");
            notes_free(seen);
        }
        notes_free(plain);
    }
    print_message("%zu runs with echo added\n", runs);
    assert_true(runs >= 2 * 65);
}

static void garbage_in_front_spoils_the_first_exchange_at_most(void **state)
{
    static const struct { const char *bytes; size_t length; } garbage[] = {
        { "\0", 1 }, { "\xFF\xFE", 2 }, { "f``f", 4 }, { "+CM", 3 },
    };
    size_t runs = 0;

    (void)state;
    for (size_t i = 0; i < all.count; i++) {
        const struct dialogue *dialogue = &all.dialogue[i];
        struct notes *plain = replay_dialogue(dialogue, &PLAIN);
        size_t first = dialogue->steps[0].kind == STEP_TX ? 1 : 0;

        /* Where the first ones got no answer at all, the first that has one. */
        for (size_t k = 0, tx = 0; k < dialogue->step_count; k++) {
            tx += dialogue->steps[k].kind == STEP_TX;
            if (dialogue->steps[k].kind == STEP_RX) {
                first = tx;
                break;
            }
        }
        for (size_t k = 0; k < sizeof garbage / sizeof garbage[0]; k++, runs++) {
            struct variant variant = PLAIN;
            struct notes *seen;

            variant.garbage = garbage[k].bytes;
            variant.garbage_length = garbage[k].length;
            seen = replay_dialogue(dialogue, &variant);
            assert_same(dialogue, plain, seen, first + 1, "with garbage in front");
            notes_free(seen);
        }
        notes_free(plain);
    }
    print_message("%zu runs with garbage in front\n", runs);
    assert_int_equal(runs, 4 * all.count);
}

#include "tests/unit/at/expectations.h"

static int load(void **state)
{
    (void)state;
    all = dialogues_load();
    return 0;
}

static int unload(void **state)
{
    (void)state;
    dialogues_free(&all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dialogue_gives_the_same_events_however_it_is_cut),
        cmocka_unit_test(an_unsolicited_line_anywhere_changes_no_result_and_is_reported_once),
        cmocka_unit_test(an_echo_changes_nothing),
        cmocka_unit_test(garbage_in_front_spoils_the_first_exchange_at_most),
        cmocka_unit_test(every_dialogue_says_what_its_log_means),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
