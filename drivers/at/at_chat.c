/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/at/at_chat.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/at/at_parse.h"

#define CTRL_Z 0x1A
#define ESC 0x1B

#define ABORT_TIMEOUT_MS 2000      /* for the OK that most give to ESC */
#define ESCAPE_DRAIN_MS 200
#define SILENT_PROMPT_ANSWER_MS 10000   /* for our caller to give the data */
#define SYNC_TIMEOUT_MS 1000       /* per AT */
#define SETTLE_MS 300              /* no further result for so long: the order of answers is known again */
#define SETTLES_MAX 250            /* results that keep coming: 75 s, then go on as if settled */

enum phase {
    IDLE,
    COMMAND,     /* waits for the final result */
    PROMPT,      /* waits for '>' */
    PROMPTED,    /* '>' came, waits for our caller's data */
    DATA,        /* waits for the final result of data */
    ABORTING,    /* ESC is out */
    ESCAPING,    /* sync: drains after ESC CR */
    SYNCING,     /* sync: AT is out */
    SETTLING,    /* sync: answered, waits for silence */
};

/* 27.007 7.2: CREG and its kin answer and announce under one name. */
static bool is_unsolicited_form(const char *line)
{
    struct at_registration registration;

    return at_parse_registration(line, &registration) == 0 && registration.unsolicited;
}

int at_chat_init(struct at_chat *chat)
{
    *chat = (struct at_chat){ .deadline_ms = UINT64_MAX };
    chat->line = malloc(AT_LINE_SIZE_MIN);
    if (chat->line == NULL)
        return -ENOMEM;
    chat->line_size = AT_LINE_SIZE_MIN;
    return 0;
}

void at_chat_done(struct at_chat *chat)
{
    free(chat->line);
    chat->line = NULL;
}

void at_chat_reset(struct at_chat *chat)
{
    char *line = chat->line;
    uint16_t line_size = chat->line_size;
    struct at_chat_counts counts = chat->counts;

    *chat = (struct at_chat){ .line = line, .line_size = line_size, .counts = counts, .deadline_ms = UINT64_MAX };
}

bool at_chat_is_idle(const struct at_chat *chat) { return chat->phase == IDLE; }
bool at_chat_is_stale(const struct at_chat *chat) { return chat->stale; }
bool at_chat_data_sent(const struct at_chat *chat) { return chat->data_sent; }
uint64_t at_chat_deadline(const struct at_chat *chat) { return chat->deadline_ms; }
const struct at_chat_counts *at_chat_counts(const struct at_chat *chat) { return &chat->counts; }

/* ------------------------------------------------------------------------------------------------ output */

const uint8_t *at_chat_output(const struct at_chat *chat, size_t *ret_len)
{
    *ret_len = (size_t)(chat->output_length - chat->output_taken);
    return (const uint8_t *)chat->output + chat->output_taken;
}

void at_chat_output_consume(struct at_chat *chat, size_t len)
{
    size_t waiting = (size_t)(chat->output_length - chat->output_taken);

    assert(len <= waiting);
    if (len == 0)
        return;
    chat->output_taken = (uint16_t)(chat->output_taken + len);
    if (chat->phase == DATA)
        chat->data_sent = true;
}

static bool output_left(const struct at_chat *chat)
{
    return chat->output_taken == chat->output_length;
}

static void put_output(struct at_chat *chat, const char *text, size_t length, const char *tail)
{
    size_t tail_length = strlen(tail);

    assert(length + tail_length <= sizeof chat->output);
    memcpy(chat->output, text, length);
    memcpy(chat->output + length, tail, tail_length);
    chat->output_length = (uint16_t)(length + tail_length);
    chat->output_taken = 0;
}

static void drop_output(struct at_chat *chat)
{
    chat->output_taken = chat->output_length;
}

/* ------------------------------------------------------------------------------------------------ commands */

static void keep_name(struct at_chat *chat, const char *text)
{
    size_t length = strcspn(text + 2, "=?");

    if (length >= sizeof chat->name)
        length = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[2 + i];

        chat->name[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    chat->name[length] = '\0';
    /* The answer to +CUSD=1 is OK; the network's text comes when it likes, often before that OK. */
    if (strcmp(chat->name, "+CUSD") == 0)
        chat->name[0] = '\0';
}

int at_chat_start(struct at_chat *chat, const struct at_command *command, uint64_t now_ms)
{
    if (chat->phase != IDLE)
        return -EBUSY;
    if (command->spoiled || command->length < 2)
        return -EINVAL;
    if (chat->stale)
        return -ESTALE;
    keep_name(chat, command->text);
    chat->alias = command->alias;
    chat->any_lines = command->any_lines;
    chat->needs_answer = command->needs_answer;
    chat->prompts = command->prompt_timeout_ms != 0;
    chat->timeout_ms = command->timeout_ms;
    chat->answered = chat->data_sent = chat->nudged = chat->may_be_in_prompt = false;
    chat->phase = chat->prompts ? PROMPT : COMMAND;
    chat->silent_prompt = chat->prompts && command->silent_prompt_ms != 0;
    chat->deadline_ms = now_ms + (chat->silent_prompt ? command->silent_prompt_ms :
                                  chat->prompts ? command->prompt_timeout_ms : command->timeout_ms);
    put_output(chat, command->text, command->length, "\r");
    return 0;
}

int at_chat_send_data(struct at_chat *chat, const char *hex, size_t length, uint64_t now_ms)
{
    if (chat->phase != PROMPTED)
        return -EPROTO;
    if (length == 0 || length > AT_DATA_MAX || strspn(hex, "0123456789ABCDEFabcdef") < length)
        return -EINVAL;
    chat->phase = DATA;
    chat->deadline_ms = now_ms + chat->timeout_ms;
    put_output(chat, hex, length, (const char[]){ CTRL_Z, '\0' });
    return 0;
}

int at_chat_abort(struct at_chat *chat, uint64_t now_ms)
{
    if (chat->phase != PROMPTED)
        return -EPROTO;
    chat->phase = ABORTING;
    chat->deadline_ms = now_ms + ABORT_TIMEOUT_MS;
    put_output(chat, "", 0, (const char[]){ ESC, '\0' });
    return 0;
}

int at_chat_nudge(struct at_chat *chat, uint64_t now_ms)
{
    (void)now_ms;
    if (chat->phase != DATA || !output_left(chat))
        return -EPROTO;
    chat->nudged = true;
    put_output(chat, "AT", 2, "\r");
    return 0;
}

void at_chat_cancel(struct at_chat *chat)
{
    if (chat->phase == PROMPT || chat->phase == PROMPTED || chat->phase == DATA || chat->phase == ABORTING ||
        !output_left(chat))
        chat->may_be_in_prompt = true;
    chat->phase = IDLE;
    chat->stale = true;
    chat->deadline_ms = UINT64_MAX;
    drop_output(chat);
}

static void escape(struct at_chat *chat, uint64_t now_ms)
{
    /* An AT while a prompt is open would become text of a message: leave the prompt first (facts 3.2). */
    put_output(chat, "", 0, (const char[]){ ESC, '\r', '\0' });
    chat->phase = ESCAPING;
    chat->deadline_ms = now_ms + ESCAPE_DRAIN_MS;
}

static void ask_for_sync(struct at_chat *chat, uint64_t now_ms)
{
    /* The second line also cures a modem whose profile says Q1 or V0: no results, or results in digits. */
    put_output(chat, "ATQ0V1", chat->sync_count++ % 2 == 0 ? 2 : 6, "\r");
    chat->phase = SYNCING;
    chat->deadline_ms = now_ms + SYNC_TIMEOUT_MS;
}

int at_chat_sync(struct at_chat *chat, unsigned tries, bool with_escape, uint64_t now_ms)
{
    if (chat->phase != IDLE)
        return -EBUSY;
    chat->sync_tries = (uint8_t)(tries > 99 ? 99 : tries);
    chat->sync_count = chat->settles = 0;
    chat->name[0] = '\0';
    chat->alias = NULL;
    chat->any_lines = chat->needs_answer = chat->prompts = chat->data_sent = chat->nudged = false;
    chat->stale = true;
    if (with_escape || chat->may_be_in_prompt)
        escape(chat, now_ms);
    else
        ask_for_sync(chat, now_ms);
    return 0;
}

/* ------------------------------------------------------------------------------------------------ results */

static void finish(struct at_chat *chat, enum at_result result, const struct at_final *final,
                   struct at_event *ret_event)
{
    *ret_event = (struct at_event){
        .kind = AT_DONE,
        .result = result,
        .error_kind = final != NULL ? final->kind : AT_ERROR_PLAIN,
        .code = final != NULL ? final->code : -1,
        .data_sent = chat->data_sent,
    };
    if (!output_left(chat)) {
        /* The rest of a PDU whose result is known already would be taken for a command. */
        chat->may_be_in_prompt = chat->stale = true;
        drop_output(chat);
    }
    if (result == AT_UNKNOWN || chat->nudged)
        chat->stale = true;
    chat->phase = IDLE;
    chat->deadline_ms = UINT64_MAX;
}

static bool take_final(struct at_chat *chat, const struct at_final *final, uint64_t now_ms, struct at_event *ret_event)
{
    switch ((enum phase)chat->phase) {
    case COMMAND:
    case DATA:
        if (chat->phase == DATA ? !chat->data_sent : !output_left(chat))
            break;
        if (!final->ok)
            finish(chat, AT_REFUSED, final, ret_event);
        else
            finish(chat, chat->needs_answer && !chat->answered ? AT_UNKNOWN : AT_OK, final, ret_event);
        return true;
    case PROMPT:
        /* An OK here is somebody else's: only a prompt or an error can answer. */
        if (final->ok || !output_left(chat))
            break;
        finish(chat, AT_REFUSED, final, ret_event);
        return true;
    case ABORTING:
        if (!output_left(chat))
            break;
        finish(chat, AT_REFUSED, NULL, ret_event);
        return true;
    case SYNCING:
        if (!output_left(chat))
            break;
        chat->phase = SETTLING;
        chat->deadline_ms = now_ms + SETTLE_MS;
        return false;
    case SETTLING:
        if (++chat->settles < SETTLES_MAX)
            chat->deadline_ms = now_ms + SETTLE_MS;
        break;
    case IDLE: case PROMPTED: case ESCAPING:
        break;
    }
    chat->counts.stray_finals++;
    return false;
}

void at_chat_poll(struct at_chat *chat, uint64_t now_ms, struct at_event *ret_event)
{
    *ret_event = (struct at_event){ .kind = AT_NONE, .code = -1 };
    if (now_ms < chat->deadline_ms)
        return;
    switch ((enum phase)chat->phase) {
    case IDLE:
        chat->deadline_ms = UINT64_MAX;
        return;
    case PROMPT: case PROMPTED: case DATA:
        if (chat->phase == PROMPT && chat->silent_prompt && output_left(chat)) {
            chat->phase = PROMPTED;
            chat->deadline_ms = now_ms + SILENT_PROMPT_ANSWER_MS;
            ret_event->kind = AT_PROMPT;
            return;
        }
        chat->may_be_in_prompt = true;
        chat->counts.given_up++;
        finish(chat, AT_UNKNOWN, NULL, ret_event);
        return;
    case COMMAND:
        chat->counts.given_up++;
        finish(chat, AT_UNKNOWN, NULL, ret_event);
        return;
    case ABORTING:   /* no OK to ESC: as good as one, but it may come late */
        chat->may_be_in_prompt = true;
        finish(chat, AT_REFUSED, NULL, ret_event);
        chat->stale = true;
        return;
    case ESCAPING:
        if (!output_left(chat)) {   /* the line is stuck: no use in a longer queue */
            finish(chat, AT_UNKNOWN, NULL, ret_event);
            return;
        }
        ask_for_sync(chat, now_ms);
        return;
    case SYNCING:
        if (chat->sync_tries <= 1 || !output_left(chat)) {
            finish(chat, AT_UNKNOWN, NULL, ret_event);
            return;
        }
        chat->sync_tries--;
        escape(chat, now_ms);
        return;
    case SETTLING:
        chat->may_be_in_prompt = false;
        finish(chat, AT_OK, NULL, ret_event);
        chat->stale = false;
        return;
    }
}

/* ------------------------------------------------------------------------------------------------ lines */

static bool is_answer(const struct at_chat *chat, const char *line, size_t length)
{
    bool running = chat->phase == COMMAND || chat->phase == DATA;

    if (!running || !((chat->phase == DATA) ? chat->data_sent : output_left(chat)))
        return false;
    if (at_words_named(line, length, chat->name) ||
        (chat->alias != NULL && at_words_named(line, length, chat->alias)))
        return !is_unsolicited_form(line);
    /* Lines without a name are an answer only where such are expected; those with one belong to somebody else. */
    return chat->any_lines && !at_words_has_name(line, length) && at_words_urc(line, length) == AT_URC_NONE;
}

/* The line is the echo of what we wrote, perhaps with garbage in front of it, perhaps doubled by CR ("ATE0\rATE0"). */
static bool is_echo(const struct at_chat *chat, const char *line, size_t length)
{
    size_t sent = chat->output_length;

    while (sent > 0 && (unsigned char)chat->output[sent - 1] < 0x20)
        sent--;
    return sent >= 2 && length >= sent && memcmp(line + length - sent, chat->output, sent) == 0;
}

static void give_line(struct at_chat *chat, const char *line, size_t length, struct at_event *ret_event)
{
    bool answer = is_answer(chat, line, length);

    *ret_event = (struct at_event){
        .kind = answer ? AT_LINE : AT_URC,
        .code = -1,
        .text = line,
        .length = length,
        .urc = at_words_urc(line, length),
    };
    if (answer && at_words_named(line, length, chat->name))
        chat->answered = true;
}

/* What stands from `start` to the end of the line's buffer is looked at as a line of its own by the next call. */
static void keep_glued(struct at_chat *chat, size_t start)
{
    chat->glued = (uint16_t)start;
    chat->glued_length = (uint16_t)(chat->line_length - start);
}

static void forget_line(struct at_chat *chat)
{
    chat->line_length = chat->body = chat->crlf = 0;
}

static bool is_unit_header(const char *line, size_t length)
{
    struct at_message_header header;

    if (at_words_urc(line, length) == AT_URC_UNIT)
        return true;
    if (!at_words_named(line, length, "+CMGR") && !at_words_named(line, length, "+CMGL"))
        return false;
    /* "+CMGR: 0,,0" is an empty slot: no PDU follows. */
    return at_parse_message_header(line, &header) < 0 || header.length != 0;
}

static size_t hex_run(const char *text, size_t length)
{
    size_t n = 0;

    while (n < length && ((text[n] >= '0' && text[n] <= '9') || (text[n] >= 'A' && text[n] <= 'F') ||
                          (text[n] >= 'a' && text[n] <= 'f')))
        n++;
    return n;
}

/* The second line of a unit is there, or something that shows that it will not come. */
static bool take_body(struct at_chat *chat, struct at_event *ret_event)
{
    char *body = chat->line + chat->body;
    size_t length = (size_t)(chat->line_length - chat->body), hex = hex_run(body, length);
    struct at_final final;
    bool is_final = at_words_final(body, length, &final);

    if (!is_final && at_words_urc(body, length) != AT_URC_NONE) {
        give_line(chat, body, length, ret_event);
        chat->line_length = chat->body;   /* the header goes on waiting */
        return true;
    }
    give_line(chat, chat->line, strlen(chat->line), ret_event);
    ret_event->pdu = body;
    ret_event->pdu_length = length;
    if (is_final) {
        keep_glued(chat, chat->body);
        ret_event->pdu = "";
        ret_event->pdu_length = 0;
    } else if (hex > 0 && hex < length) {
        /* "...C3+CMGL: 1,1,,147": the next entry is glued to this PDU. Other tails (a quote, a blank) are dirt. */
        if (body[hex] == '+')
            keep_glued(chat, chat->body + hex);
        if (body[hex] == '+' || body[hex] == '"' || body[hex] == ' ')
            ret_event->pdu_length = hex;
    }
    forget_line(chat);
    return true;
}

/* One whole line, from chat->body (0 or behind a kept header) to line_length. True: there is an event. */
static bool take_line(struct at_chat *chat, uint64_t now_ms, struct at_event *ret_event)
{
    char *line = chat->line;
    size_t length = chat->line_length;
    struct at_final final;

    line[length] = '\0';
    if (chat->body != 0)
        return take_body(chat, ret_event);
    /* A second '>' after the PDU is no new prompt; the echo of the PDU may follow it. */
    if (chat->prompts && line[0] == '>') {
        size_t skip = 1 + strspn(line + 1, "> ");

        memmove(line, line + skip, length - skip + 1);
        length -= skip;
        chat->line_length = (uint16_t)length;
    }
    if (length == 0 || is_echo(chat, line, length)) {
        chat->counts.echoes += length != 0;
        forget_line(chat);
        return false;
    }
    if (at_words_is_command(line, length)) {
        chat->counts.foreign_commands += !chat->stale;   /* a late echo is our own */
        forget_line(chat);
        return false;
    }
    if (at_words_final(line, length, &final)) {
        if (final.length < length)
            keep_glued(chat, final.length);
        forget_line(chat);
        return take_final(chat, &final, now_ms, ret_event);
    }
    if (is_unit_header(line, length)) {
        chat->line_length++;   /* its NUL stays between the two lines */
        chat->body = chat->line_length;
        return false;
    }
    give_line(chat, line, length, ret_event);
    forget_line(chat);
    return true;
}

/* A +CUSD whose quotes are open goes on in the next line: texts from the network hold raw line ends. */
static bool cusd_goes_on(struct at_chat *chat, char c)
{
    const char *line = chat->line;
    size_t length = chat->line_length, digits = 0;
    struct at_final final;

    if (chat->body != 0 || length < 6 || memcmp(line, "+CUSD:", 6) != 0 || memchr(line, '"', length) == NULL)
        return false;
    while (digits < length && line[length - 1 - digits] >= '0' && line[length - 1 - digits] <= '9')
        digits++;
    if (digits > 0 && length > digits + 2 && line[length - digits - 1] == ',' && line[length - digits - 2] == '"')
        return false;
    if (c == '\n')
        return true;
    if (line[length - 1] == '"' && memchr(line, '"', length - 1) != NULL)
        return false;
    /* The closing quote was lost, and this is a line of its own already. */
    if (chat->crlf != 0 && length > chat->crlf &&
        (at_words_final(line + chat->crlf, length - chat->crlf, &final) ||
         at_words_urc(line + chat->crlf, length - chat->crlf) != AT_URC_NONE)) {
        keep_glued(chat, chat->crlf);
        chat->line_length = chat->crlf;
        while (chat->line_length > 0 && chat->line[chat->line_length - 1] == '\n')
            chat->line_length--;
        return false;
    }
    return true;
}

static bool make_room(struct at_chat *chat)
{
    uint16_t size = chat->line_size;
    char *grown;

    if ((size_t)chat->line_length + 2 <= size)
        return true;
    if (size >= AT_LINE_SIZE_MAX)
        return false;
    grown = realloc(chat->line, (size_t)size * 2);
    if (grown == NULL)
        return false;
    chat->line = grown;
    chat->line_size = (uint16_t)(size * 2);
    return true;
}

/* Give back what a long line took, once it has been read. */
static void shrink(struct at_chat *chat)
{
    if (chat->line_size > 4 * AT_LINE_SIZE_MIN && chat->line_length == 0 && chat->glued_length == 0) {
        char *small = realloc(chat->line, AT_LINE_SIZE_MIN);

        if (small != NULL) {
            chat->line = small;
            chat->line_size = AT_LINE_SIZE_MIN;
        }
    }
}

/* There an ESC leads to the second table of the default alphabet: ESC e is the euro. */
static bool in_cusd_text(const struct at_chat *chat)
{
    return chat->body == 0 && chat->line_length > 6 && memcmp(chat->line, "+CUSD:", 6) == 0 && memchr(chat->line, '"', chat->line_length) != NULL;
}

static bool take_byte(struct at_chat *chat, char c, uint64_t now_ms, struct at_event *ret_event)
{
    bool line_start = chat->line_length == chat->body;

    if (c == '\0' || c == CTRL_Z || (c == ESC && !in_cusd_text(chat)))
        return false;
    if (c == '\r' || c == '\n') {
        chat->after_prompt = false;
        if (chat->dropping) {
            chat->dropping = false;
            return false;
        }
        if (line_start)
            return false;
        if (cusd_goes_on(chat, c)) {
            /* CR LF becomes LF; where the CR was tells a line end of the modem from one of the text. */
            if (c == '\r') {
                chat->line_ended_cr = true;
            } else if (make_room(chat)) {
                chat->line[chat->line_length++] = '\n';
                chat->crlf = chat->line_ended_cr ? chat->line_length : 0;
                chat->line_ended_cr = false;
            }
            return false;
        }
        chat->line_ended_cr = false;
        return take_line(chat, now_ms, ret_event);
    }
    if (chat->dropping)
        return false;
    if (line_start && c == ' ' && chat->after_prompt)
        return false;
    chat->after_prompt = false;
    if (line_start && chat->body == 0 && c == '>' && chat->phase == PROMPT && output_left(chat)) {
        chat->phase = PROMPTED;
        chat->after_prompt = true;
        *ret_event = (struct at_event){ .kind = AT_PROMPT, .code = -1 };
        return true;
    }
    if (!make_room(chat)) {
        chat->counts.lines_dropped++;
        chat->dropping = true;
        forget_line(chat);
        return false;
    }
    chat->line[chat->line_length++] = c;
    return false;
}

size_t at_chat_feed(struct at_chat *chat, const uint8_t *bytes, size_t len, uint64_t now_ms, struct at_event *ret_event)
{
    *ret_event = (struct at_event){ .kind = AT_NONE, .code = -1 };
    if (chat->glued_length == 0)
        shrink(chat);
    for (size_t used = 0;;) {
        if (chat->glued_length > 0) {
            memmove(chat->line, chat->line + chat->glued, chat->glued_length);
            chat->line_length = chat->glued_length;
            chat->body = chat->crlf = 0;
            chat->glued_length = 0;
            if (take_line(chat, now_ms, ret_event))
                return used;
        } else if (used == len) {
            return used;
        } else if (take_byte(chat, (char)bytes[used++], now_ms, ret_event)) {
            return used;
        }
    }
}
