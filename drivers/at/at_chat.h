/* SPDX-License-Identifier: Apache-2.0
 *
 * at_chat.h - one AT command at a time over one serial line, without I/O (3GPP TS 27.005, 27.007, ITU-T V.250).
 *
 * Bytes from the modem go in by at_chat_feed(), bytes for it come out by at_chat_output(); what happened are events.
 * Time:      milliseconds on any monotonic clock; only differences matter.
 * Ownership: the caller owns the struct; texts in an event live until the next call that takes the chat.
 * Errors:    0 or a negative errno; a failed call leaves the chat as it was.
 *
 * Echoes are removed by line wherever they are. Lines are capped: a longer one is dropped and counted. A result that
 * comes before its command has left (at_chat_output_consume) belongs to something older and is counted, not believed.
 * After a command that got no answer the chat is stale: its answer may still come and would be taken for that of the
 * next one. at_chat_start() refuses then, and at_chat_sync() puts things right. */
#ifndef CELLPOST_DRIVERS_AT_CHAT_H
#define CELLPOST_DRIVERS_AT_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/at/at_command.h"
#include "drivers/at/at_words.h"

#define AT_LINE_SIZE_MIN 256
#define AT_LINE_SIZE_MAX 4096     /* one line, with the raw LFs a +CUSD may hold, or a header and its PDU */
#define AT_DATA_MAX 400           /* hex digits of one PDU; what follows them is Ctrl-Z */
#define AT_OUTPUT_SIZE (AT_DATA_MAX + 8)

enum at_event_kind {
    AT_NONE,
    AT_PROMPT,     /* the modem waits for data: at_chat_send_data() or at_chat_abort() */
    AT_LINE,       /* a line of the running command's answer */
    AT_URC,        /* an unsolicited line; also a late answer to a command that was given up */
    AT_DONE,       /* the command, or at_chat_sync(), has ended: result */
};

enum at_result {
    AT_OK,
    AT_REFUSED,    /* error_kind and code say why */
    AT_UNKNOWN,    /* silence, or OK without the answer that proves it; data_sent says if it may be done all the same */
};

struct at_event {
    enum at_event_kind kind;
    enum at_result result;
    enum at_error_kind error_kind;
    int code;                        /* -1: none given */
    bool data_sent;                  /* AT_DONE: at least one octet of the data left */
    const char *text; size_t length; /* the line; of a unit with two lines (+CMT, +CDS, +CMGR, +CMGL) the first */
    const char *pdu; size_t pdu_length;   /* its second line, else NULL; "" where the modem left it out */
    enum at_urc urc;                 /* what at_words says about the line */
};

struct at_chat_counts {
    uint32_t echoes, lines_dropped;
    uint32_t stray_finals;           /* results nobody waited for */
    uint32_t foreign_commands;       /* echoes of commands that are not ours: another program uses the port */
    uint32_t given_up;
};

/* For the owner's eyes only; the functions below are the contract. */
struct at_chat {
    char *line;
    uint16_t line_size, line_length;
    uint16_t body;                   /* where the second line of a unit begins; 0: no header is kept */
    uint16_t glued, glued_length;    /* rest of a line that was two lines in one */
    uint16_t crlf;                   /* in a +CUSD with raw line ends: where the last one ended */
    bool dropping, after_prompt, line_ended_cr;

    uint8_t phase;
    bool stale, answered, data_sent, nudged, may_be_in_prompt, any_lines, needs_answer, prompts;
    uint8_t sync_tries, sync_count, settles;
    char name[16];                   /* "+CSQ": what the answer's lines begin with */
    const char *alias;
    bool silent_prompt;
    uint32_t timeout_ms;
    uint64_t deadline_ms;

    uint16_t output_length, output_taken;
    char output[AT_OUTPUT_SIZE];
    struct at_chat_counts counts;
};

int at_chat_init(struct at_chat *chat);      /* -ENOMEM */
void at_chat_done(struct at_chat *chat);     /* fine with one that was never set up but zeroed */
/* A new line to a modem: everything before is forgotten. */
void at_chat_reset(struct at_chat *chat);

/* -EBUSY while a command runs, -ESTALE if at_chat_sync() is due first, -EINVAL for a spoiled command. */
int at_chat_start(struct at_chat *chat, const struct at_command *command, uint64_t now_ms);
/* After AT_PROMPT: digits, then Ctrl-Z. -EINVAL: not only hex digits, or too many; -EPROTO: there is no prompt. */
int at_chat_send_data(struct at_chat *chat, const char *hex, size_t length, uint64_t now_ms);
/* After AT_PROMPT: ESC instead of data; AT_DONE with AT_REFUSED follows. */
int at_chat_abort(struct at_chat *chat, uint64_t now_ms);
/* While the result of data is awaited: a bare AT, to learn whether the modem still lives. If it is answered before
 * the data, the data's answer is lost and AT_DONE says AT_UNKNOWN. -EPROTO: nothing of that kind is awaited. */
int at_chat_nudge(struct at_chat *chat, uint64_t now_ms);
/* Forget the running command, without an event (the modem has restarted, the line is gone). The chat is stale then. */
void at_chat_cancel(struct at_chat *chat);
/* Find the modem and the order of its answers: AT up to `tries` times, then wait until no more results come. AT_DONE
 * with AT_OK or AT_UNKNOWN follows. ESC and CR go first where a prompt may be open (or `escape`), and before repeats.
 * -EBUSY while a command runs. */
int at_chat_sync(struct at_chat *chat, unsigned tries, bool escape, uint64_t now_ms);

bool at_chat_is_idle(const struct at_chat *chat);
bool at_chat_is_stale(const struct at_chat *chat);
bool at_chat_data_sent(const struct at_chat *chat);   /* of the running command: at least one octet of data left */

/* Takes bytes up to and including the next event and says how many it used; with AT_NONE all were used. An event may
 * come from bytes taken before: call until AT_NONE, also with len 0. */
size_t at_chat_feed(struct at_chat *chat, const uint8_t *bytes, size_t len, uint64_t now_ms,
                    struct at_event *ret_event);
/* What the clock alone makes due: AT_DONE, AT_PROMPT where the command has silent_prompt_ms, or AT_NONE. */
void at_chat_poll(struct at_chat *chat, uint64_t now_ms, struct at_event *ret_event);
uint64_t at_chat_deadline(const struct at_chat *chat);   /* when at_chat_poll() has something to do; UINT64_MAX never */

/* Bytes for the modem, in order; say how many the line took, as soon as it took them. */
const uint8_t *at_chat_output(const struct at_chat *chat, size_t *ret_len);
void at_chat_output_consume(struct at_chat *chat, size_t len);

const struct at_chat_counts *at_chat_counts(const struct at_chat *chat);

#endif
