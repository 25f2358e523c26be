/* SPDX-License-Identifier: Apache-2.0
 *
 * One part: AT+CMGS, prompt, PDU, result. Two lines to the modem and nothing else. */
#include "drivers/modem/modem_internal.h"

#include <errno.h>
#include <string.h>

#define PROMPT_TIMEOUT_MS 10000
#define SILENT_PROMPT_MS 500
#define SUSPECT_MS 15000    /* it may have restarted: a result that is not here by then is asked for */
#define QUIET_MS 2000       /* after a part: the next one may be a disk write away, a poll would be in its way */

bool modem_can_send(const struct modem *modem)
{
    return modem->status.state == MODEM_READY && !modem->part && !modem_ussd_is_busy(modem);
}

int modem_send(struct modem *modem, uint64_t part_id, const char *pdu_hex, uint8_t tpdu_length, uint64_t now_ms)
{
    size_t length = strlen(pdu_hex);

    if (length == 0 || length > MODEM_PDU_HEX_MAX || length % 2 != 0 ||
        strspn(pdu_hex, "0123456789ABCDEFabcdef") != length)
        return -EINVAL;
    if (!modem_can_send(modem))
        return -EBUSY;
    memcpy(modem->pdu_hex, pdu_hex, length + 1);
    modem->pdu_length = (uint16_t)length;
    modem->tpdu_length = tpdu_length;
    modem->part_id = part_id;
    modem->part = true;
    modem->part_started = modem->suspect_echo = false;
    modem->mr = -1;
    modem_apply(modem, ON_SEND, now_ms);
    modem_advance(modem, now_ms);
    return 0;
}

void modem_send_start(struct modem *modem, uint64_t now_ms)
{
    struct at_command command;

    at_command_init(&command, "AT+CMGS=", modem->config.send_timeout_ms);
    at_command_add_int(&command, modem->tpdu_length);
    command.prompt_timeout_ms = PROMPT_TIMEOUT_MS;
    command.needs_answer = true;
    command.silent_prompt_ms = modem->no_prompt ? SILENT_PROMPT_MS : 0;
    if (at_chat_start(&modem->chat, &command, now_ms) < 0)
        return;
    modem->doing = DOING_SEND;
    modem->part_started = true;
    modem->interleaved = false;
    modem->nudge_ms = MODEM_NEVER;
}

void modem_send_prompt(struct modem *modem, uint64_t now_ms)
{
    /* An echo where we had switched it off: the modem has restarted, perhaps into text mode, where the length would be
     * a recipient and the PDU a text. */
    if (modem->echo_is_off && at_chat_counts(&modem->chat)->echoes != modem->echo_mark) {
        modem->suspect_echo = true;
        (void)at_chat_abort(&modem->chat, now_ms);
        return;
    }
    modem->late = false;   /* from here on a +CMGS is this part's */
    if (at_chat_send_data(&modem->chat, modem->pdu_hex, modem->pdu_length, now_ms) == 0 && modem->config.nudge_ms != 0)
        modem->nudge_ms = now_ms + modem->config.nudge_ms;
}

void modem_send_line(struct modem *modem, const struct at_event *line)
{
    (void)at_parse_cmgs(line->text, &modem->mr);
}

uint64_t modem_quiet_until(const struct modem *modem)
{
    return modem->status.state == MODEM_READY ? modem->quiet_until_ms : 0;
}

static void end_part(struct modem *modem, struct modem_event *event, uint64_t now_ms)
{
    modem->part = modem->part_started = false;
    modem->nudge_ms = MODEM_NEVER;
    modem->quiet_until_ms = now_ms + QUIET_MS;
    event->part_id = modem->part_id;
    modem_emit(modem, event, now_ms);
}

void modem_send_break(struct modem *modem, uint64_t now_ms)
{
    struct modem_event event = { .kind = MODEM_EVENT_NOT_SENT, .code = -1, .mr = -1 };

    if (!modem->part)
        return;
    if (modem->part_started && at_chat_data_sent(&modem->chat)) {
        event.kind = MODEM_EVENT_UNKNOWN;
        modem->status.unknown++;
        modem->late = true;
        modem->late_part_id = modem->part_id;
        modem->late_until_ms = now_ms + modem->config.send_timeout_ms;
    }
    end_part(modem, &event, now_ms);
}

/* The card, not the message, is what the modem complains about. */
static bool is_about_card(const struct at_event *done)
{
    enum at_sim sim;

    return done->error_kind != AT_ERROR_PLAIN &&
           at_sim_from_error(done->error_kind == AT_ERROR_CMS, done->code, &sim) == 0 && sim != AT_SIM_READY;
}

static bool is_about_network(const struct at_event *done)
{
    return (done->error_kind == AT_ERROR_CMS && done->code == 331) ||
           (done->error_kind == AT_ERROR_CME && done->code == 30);
}

void modem_send_done(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    struct modem_event event = { .kind = MODEM_EVENT_SENT, .mr = -1, .code = -1 };
    enum modem_trigger trigger = ON_SEND_ENDED;

    modem->doing = DOING_NOTHING;
    if (done->result == AT_UNKNOWN || modem->suspect_echo) {
        modem->status.reason = modem->suspect_echo ? MODEM_REASON_RESET : MODEM_REASON_NO_ANSWER;
        modem_apply(modem, ON_SEND_BROKEN, now_ms);
        return;
    }
    if (done->result == AT_OK) {
        event.mr = modem->mr < 0 ? 0 : modem->mr;
        modem->status.sent++;
        modem_count_moved(modem, false);
    } else {
        event.kind = MODEM_EVENT_REFUSED;
        event.code = done->code;
        event.error_kind = done->error_kind == AT_ERROR_CMS ? MODEM_ERROR_CMS :
                           done->error_kind == AT_ERROR_CME ? MODEM_ERROR_CME : MODEM_ERROR_NONE;
        modem->status.refused++;
        modem_count_moved(modem, true);
        if (is_about_card(done))
            trigger = ON_SIM_CHANGED;
        else if (is_about_network(done))
            modem_network_ask(modem, POLL_CREG);
        else if (done->error_kind == AT_ERROR_PLAIN && modem->cmee_set)
            modem_network_ask(modem, POLL_CMEE);   /* an error without its code: does it still know CMEE=1? */
    }
    if (at_chat_is_stale(&modem->chat))
        trigger = ON_SEND_BROKEN;       /* it was nudged: one more OK is on its way */
    else if (modem->sim_check)
        trigger = ON_SIM_CHANGED;
    /* First the state, then the news: whoever hears of it may send the next part at once. */
    modem->part = modem->part_started = false;
    modem_apply(modem, trigger, now_ms);
    modem_network_judge(modem, now_ms);
    end_part(modem, &event, now_ms);
}

void modem_send_suspect(struct modem *modem, uint64_t now_ms)
{
    if (modem->doing == DOING_SEND && at_chat_data_sent(&modem->chat))
        modem->nudge_ms = modem_earlier(modem->nudge_ms, now_ms + SUSPECT_MS);
}

void modem_send_poll(struct modem *modem, uint64_t now_ms)
{
    if (modem->doing != DOING_SEND || now_ms < modem->nudge_ms)
        return;
    modem->nudge_ms = MODEM_NEVER;
    (void)at_chat_nudge(&modem->chat, now_ms);
}

void modem_send_late(struct modem *modem, const struct at_event *urc, uint64_t now_ms)
{
    struct modem_event event = { .kind = MODEM_EVENT_LATE_SENT, .part_id = modem->late_part_id, .code = -1 };

    if (!modem->late || now_ms > modem->late_until_ms || at_parse_cmgs(urc->text, &event.mr) < 0)
        return;
    modem->late = false;
    modem->status.sent++;
    modem_emit(modem, &event, now_ms);
}
