/* SPDX-License-Identifier: Apache-2.0
 *
 * responder.h - what the tests of drivers/modem talk to: answers commands by a list, in virtual time, and notes what
 * was written and what was reported (header-only). */
#ifndef CELLPOST_TESTS_RESPONDER_H
#define CELLPOST_TESTS_RESPONDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "drivers/modem/modem.h"

#define ANSWERS_MAX 128
#define LINES_MAX 8192
#define EVENTS_MAX 4096
#define PENDING_MAX 64

#define OK_LINE "\r\nOK\r\n"
#define SILENCE NULL

/* An answer to an exact command; of several to the same command each is used once, in order, and the last one stays. */
struct answer { char command[512]; char *text; size_t length; uint64_t after_ms; bool used; };
struct written { char text[512]; uint64_t at_ms; };
struct seen {
    struct modem_event event;
    enum modem_state state;
    enum modem_reason reason;
    char pdu[512];
    uint64_t at_ms;
};
struct pending { uint64_t at_ms; char *text; size_t length; };

struct responder {
    struct modem *modem;
    struct modem_config config;
    uint64_t now_ms, latency_ms;
    const char *otherwise;                   /* answer to what is not on the list; SILENCE: none */
    struct answer answers[ANSWERS_MAX];
    size_t answer_count;
    struct written written[LINES_MAX];
    size_t written_count;
    struct seen seen[EVENTS_MAX];
    size_t seen_count;
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    char line[600];
    size_t line_length;
    bool bare;                               /* of the healthy answers only what it cannot live without */
    bool echo;                               /* puts the echo in front of answers that are not on the list */
    bool use_up;                             /* answers are used once, the last one too */
    bool in_data;                            /* a prompt was given: up to Ctrl-Z or ESC */
    bool mute;                               /* the modem hangs: what is written is lost */
    /* Asked before the list: an answer that depends on what was written before. NULL: not its business. */
    const char *(*ask)(void *context, const char *command);
    void *ask_context;
    /* What the handler does. */
    size_t parts_left;                       /* sends so many parts, each as soon as it may */
    uint64_t next_part;
    bool store_at_once;                      /* answers every DELIVER and REPORT with modem_stored() */
    const char *pdu; uint8_t tpdu_length;
};

#define PART_PDU "0001000A816072433519000004D4F29C0E"
#define PART_LENGTH 16

/* A healthy modem. */
static const struct { const char *command, *answer; bool vital;
} healthy[] = {
    { "AT+CGMI", "\r\nACME\r\n" OK_LINE, false },
    { "AT+CGMM", "\r\nM1\r\n" OK_LINE, false },
    { "AT+CGMR", "\r\nRevision: 1.0\r\n" OK_LINE, false },
    { "AT+CGSN", "\r\n864643068431925\r\n" OK_LINE, false },
    { "AT+CPIN?", "\r\n+CPIN: READY\r\n" OK_LINE, true },
    { "AT+CCID", "\r\n+CCID: 89620133881795896481\r\n" OK_LINE, false },
    { "AT+CIMI", "\r\n510018429150095\r\n" OK_LINE, false },
    { "AT+CSMS?", "\r\n+CSMS: 0,1,1,1\r\n" OK_LINE, false },
    { "AT+CPMS=?", "\r\n+CPMS: (\"SM\"),(\"SM\"),(\"SM\")\r\n" OK_LINE, false },
    { "AT+CPMS=\"SM\",\"SM\",\"SM\"", "\r\n+CPMS: 0,20,0,20,0,20\r\n" OK_LINE, false },
    { "AT+CPMS?", "\r\n+CPMS: \"SM\",0,20,\"SM\",0,20,\"SM\",0,20\r\n" OK_LINE, false },
    { "AT+CSCA?", "\r\n+CSCA: \"+32415725353\",145\r\n" OK_LINE, false },
    { "AT+CREG?", "\r\n+CREG: 1,1\r\n" OK_LINE, true },
    { "AT+CEREG?", "\r\n+CEREG: 1,4\r\n" OK_LINE, false },
    { "AT+CGREG?", "\r\n+CGREG: 1,1\r\n" OK_LINE, false },
    { "AT+CSQ", "\r\n+CSQ: 20,0\r\n" OK_LINE, false },
    { "AT+COPS?", "\r\n+COPS: 0,0,\"PLAY\",2\r\n" OK_LINE, false },
    { "AT+CMEE?", "\r\n+CMEE: 1\r\n" OK_LINE, false },
    { "AT", OK_LINE, true },
    { "AT+CMGF=0", OK_LINE, true },
    { "\x1B", "", true },
    { "", "", true },
};

static inline void say_at(struct responder *r, uint64_t at_ms, const char *text, size_t length)
{
    struct pending *next = &r->pending[r->pending_count++];

    if (r->pending_count > PENDING_MAX)
        abort();
    next->at_ms = at_ms;
    next->length = length;
    next->text = malloc(length + 1);
    memcpy(next->text, text, length);
    next->text[length] = '\0';
}

static inline void answer_octets(struct responder *r, const char *command, const char *text, size_t length,
                                 uint64_t after_ms)
{
    struct answer *next = &r->answers[r->answer_count++];

    if (r->answer_count > ANSWERS_MAX || strlen(command) >= sizeof next->command)
        abort();
    *next = (struct answer){ .length = length, .after_ms = after_ms };
    strcpy(next->command, command);
    if (text != NULL) {
        next->text = malloc(length + 1);
        memcpy(next->text, text, length);
        next->text[length] = '\0';
    }
}

static inline void answer(struct responder *r, const char *command, const char *text)
{
    answer_octets(r, command, text, text != NULL ? strlen(text) : 0, 0);
}

/* Forget what was listed for a command, so that another answer() is the only one. */
static inline void answer_anew(struct responder *r, const char *command, const char *text)
{
    for (size_t i = 0; i < r->answer_count; i++) {
        if (strcmp(r->answers[i].command, command) == 0)
            r->answers[i].command[0] = '\1';
    }
    answer(r, command, text);
}

static inline void respond(struct responder *r, const char *command)
{
    struct answer *chosen = NULL;
    const char *text = r->otherwise;
    size_t length;
    uint64_t after_ms = 0;

    if (r->ask != NULL && !r->mute) {
        const char *asked = r->ask(r->ask_context, command);

        if (asked != NULL) {
            say_at(r, r->now_ms + r->latency_ms, asked, strlen(asked));
            return;
        }
    }
    for (size_t i = 0; i < r->answer_count; i++) {
        if (strcasecmp(r->answers[i].command, command) != 0)
            continue;
        if (!r->answers[i].used) {
            r->answers[i].used = true;
            chosen = &r->answers[i];
            break;
        }
        if (!r->use_up)
            chosen = &r->answers[i];   /* the last one stays */
    }
    if (chosen != NULL) {
        text = chosen->text;
        after_ms = chosen->after_ms;
    } else {
        for (size_t i = 0; i < sizeof healthy / sizeof healthy[0]; i++) {
            if (strcmp(healthy[i].command, command) == 0 && (!r->bare || healthy[i].vital))
                text = healthy[i].answer;
        }
        if (strncmp(command, "AT+CMGS=", 8) == 0)
            text = "\r\n> ";
        if (r->echo && text != NULL && !r->mute && strncmp(command, "AT", 2) == 0) {
            say_at(r, r->now_ms + r->latency_ms, command, strlen(command));
            say_at(r, r->now_ms + r->latency_ms, "\r", 1);
        }
    }
    length = chosen != NULL ? chosen->length : text != NULL ? strlen(text) : 0;
    if (text == NULL || r->mute)
        return;
    if (strncmp(command, "AT+CMGS=", 8) == 0 && memchr(text, '>', length) != NULL)
        r->in_data = true;
    say_at(r, r->now_ms + r->latency_ms + after_ms, text, length);
}

/* Takes what the modem's driver wrote, line by line; Ctrl-Z and ESC end a line as CR does. */
static inline void take_output(struct responder *r)
{
    size_t length;
    const uint8_t *bytes;

    while ((bytes = modem_output(r->modem, &length)), length > 0) {
        char c = (char)*bytes;

        modem_output_consume(r->modem, 1);
        if (c != '\r' && c != 0x1A && c != 0x1B) {
            if ((unsigned char)c < 0x20 || r->line_length + 1 >= sizeof r->line)
                abort();   /* nothing below 0x20 may reach the line but these three */
            r->line[r->line_length++] = c;
            continue;
        }
        if (c == 0x1A || c == 0x1B)
            r->line[r->line_length++] = c;
        r->line[r->line_length] = '\0';
        r->line_length = 0;
        if (r->written_count == LINES_MAX)
            abort();
        snprintf(r->written[r->written_count].text, sizeof r->written[0].text, "%.500s", r->line);
        r->written[r->written_count++].at_ms = r->now_ms;
        if (c == 0x1A || c == 0x1B)
            r->in_data = false;
        respond(r, r->line);
    }
}

static inline void send_next(struct responder *r)
{
    if (r->parts_left == 0 || !modem_can_send(r->modem))
        return;
    r->parts_left--;
    if (modem_send(r->modem, r->next_part++, r->pdu, r->tpdu_length, r->now_ms) < 0)
        abort();
}

static inline void note_event(void *context, const struct modem_event *event, uint64_t now_ms)
{
    struct responder *r = context;
    struct seen *next = &r->seen[r->seen_count++];

    if (r->seen_count > EVENTS_MAX || event->status != modem_status(r->modem) || now_ms != r->now_ms)
        abort();
    next->event = *event;
    next->state = event->status->state;
    next->reason = event->status->reason;
    next->at_ms = now_ms;
    if (event->pdu_hex != NULL)
        snprintf(next->pdu, sizeof next->pdu, "%.*s", (int)event->pdu_length, event->pdu_hex);
    if (r->store_at_once && (event->kind == MODEM_EVENT_DELIVER || event->kind == MODEM_EVENT_REPORT))
        modem_stored(r->modem, event->handle, now_ms);
    send_next(r);
}

static inline struct responder *responder_new(const struct modem_config *config)
{
    struct responder *r = calloc(1, sizeof *r);

    r->otherwise = OK_LINE;
    r->latency_ms = 20;
    r->now_ms = 1000;
    r->next_part = 1;
    r->pdu = PART_PDU;
    r->tpdu_length = PART_LENGTH;
    if (config != NULL)
        r->config = *config;
    r->config.on_event = note_event;
    r->config.context = r;
    r->modem = modem_new(&r->config);
    /* Unless a test says otherwise every PDU is taken. */
    return r;
}

static inline void responder_free(struct responder *r)
{
    modem_free(r->modem);
    for (size_t i = 0; i < r->answer_count; i++)
        free(r->answers[i].text);
    for (size_t i = 0; i < r->pending_count; i++)
        free(r->pending[i].text);
    free(r);
}

static inline void feed_text(struct responder *r, const char *text)
{
    modem_feed(r->modem, (const uint8_t *)text, strlen(text), r->now_ms);
    take_output(r);
}

/* Virtual time: answers and deadlines in their order. */
static inline void run_until(struct responder *r, uint64_t end_ms)
{
    size_t turns = 0;

    take_output(r);
    for (;;) {
        uint64_t next_ms = modem_deadline(r->modem);
        size_t first = SIZE_MAX;

        for (size_t i = 0; i < r->pending_count; i++) {
            if (r->pending[i].at_ms <= next_ms && (first == SIZE_MAX || r->pending[i].at_ms < r->pending[first].at_ms))
                first = i;
        }
        if (first != SIZE_MAX)
            next_ms = r->pending[first].at_ms;
        if (next_ms > end_ms || ++turns > 200000)
            break;
        if (next_ms > r->now_ms)
            r->now_ms = next_ms;
        if (first != SIZE_MAX) {
            struct pending one = r->pending[first];

            memmove(&r->pending[first], &r->pending[first + 1], (--r->pending_count - first) * sizeof one);
            modem_feed(r->modem, (const uint8_t *)one.text, one.length, r->now_ms);
            free(one.text);
        } else {
            modem_poll(r->modem, r->now_ms);
            if (modem_deadline(r->modem) <= r->now_ms)
                abort();   /* a deadline that stays due would spin the daemon's loop */
        }
        take_output(r);
    }
    r->now_ms = end_ms;
}

static inline void run_for(struct responder *r, uint64_t ms) { run_until(r, r->now_ms + ms); }

static inline void open_line(struct responder *r)
{
    modem_opened(r->modem, r->now_ms);
    take_output(r);
}

/* In front of a send: PDU and Ctrl-Z as respond() sees them. */
static inline void answer_pdu(struct responder *r, const char *text)
{
    answer(r, PART_PDU "\x1A", text);
}

static inline size_t count_written(const struct responder *r, const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < r->written_count; i++)
        count += strcmp(r->written[i].text, text) == 0;
    return count;
}

static inline size_t count_started(const struct responder *r, const char *start)
{
    size_t count = 0;

    for (size_t i = 0; i < r->written_count; i++)
        count += strncmp(r->written[i].text, start, strlen(start)) == 0;
    return count;
}

static inline size_t count_events(const struct responder *r, enum modem_event_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < r->seen_count; i++)
        count += r->seen[i].event.kind == kind;
    return count;
}

static inline const struct seen *last_event(const struct responder *r, enum modem_event_kind kind)
{
    for (size_t i = r->seen_count; i-- > 0;) {
        if (r->seen[i].event.kind == kind)
            return &r->seen[i];
    }
    return NULL;
}

static inline enum modem_state state_of(const struct responder *r) { return modem_status(r->modem)->state; }
static inline enum modem_reason reason_of(const struct responder *r) { return modem_status(r->modem)->reason; }

#endif
