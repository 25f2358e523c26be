/* SPDX-License-Identifier: Apache-2.0
 *
 * One USSD request: AT+CUSD=1 with the code between two parts, the network's answer as an unsolicited line, replies while it
 * asks for them, AT+CUSD=2 where it is still open at the end (27.007 7.15). */
#include "drivers/modem/modem_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define DCS_GSM7 15                      /* TS 23.038 5: default alphabet, language not told */

bool modem_ussd_is_busy(const struct modem *modem)
{
    return modem->dialogue != NULL || modem->dialogue_cancel;
}

int modem_ussd(struct modem *modem, const char *code, const char *const *replies, size_t reply_count, uint64_t now_ms)
{
    struct modem_dialogue *dialogue;

    if (reply_count > MODEM_USSD_REPLIES_MAX || !modem_ussd_is_code(code))
        return -EINVAL;
    for (size_t i = 0; i < reply_count; i++) {
        if (!modem_ussd_is_code(replies[i]))
            return -EINVAL;
    }
    if (modem->dialogue != NULL)
        return -EALREADY;
    if (modem->status.state != MODEM_READY && modem->status.state != MODEM_SENDING)
        return -EAGAIN;
    dialogue = calloc(1, sizeof *dialogue);
    if (dialogue == NULL)
        return -ENOMEM;
    strcpy(dialogue->say[dialogue->count++], code);
    for (size_t i = 0; i < reply_count; i++)
        strcpy(dialogue->say[dialogue->count++], replies[i]);
    dialogue->deadline_ms = now_ms + MODEM_USSD_MS;
    dialogue->code = -1;
    modem->dialogue = dialogue;
    modem_advance(modem, now_ms);
    return 0;
}

/* ------------------------------------------------------------------------------------------------ commands */

static enum modem_ussd_coding coding_of(const struct modem *modem)
{
    const struct modem_identity *identity = &modem->status.identity;

    return modem->ussd_coding != 0 ? (enum modem_ussd_coding)(modem->ussd_coding - 1) :
                                     modem_ussd_coding_of(identity->manufacturer, identity->model);
}

static void add_code(const struct modem *modem, struct at_command *command)
{
    const struct modem_dialogue *dialogue = modem->dialogue;
    char sent[MODEM_USSD_SENT_MAX];

    modem_ussd_encode(coding_of(modem), dialogue->say[dialogue->at], sent);
    at_command_add_int(command, 1);
    at_command_add_string(command, sent);
    at_command_add_int(command, DCS_GSM7);
    command->timeout_ms = dialogue->left_ms;   /* some answer it with the network's text, then OK */
}

static void finish(struct modem *modem, enum modem_ussd_end end, bool open)
{
    modem->dialogue->phase = DIALOGUE_OVER;
    modem->dialogue->end = end;
    modem->dialogue_cancel = modem->dialogue_cancel || (open && !modem_ussd_never_cancel(modem->status.identity.model));
}

static void conclude(struct modem *modem)
{
    static const enum modem_ussd_end ends[] = { MODEM_USSD_FINAL, MODEM_USSD_REPLY, MODEM_USSD_FINAL, MODEM_USSD_OTHER,
                                                MODEM_USSD_UNSUPPORTED, MODEM_USSD_NETWORK_SLOW };
    struct modem_dialogue *dialogue = modem->dialogue;
    int m = dialogue->m;

    if (m == 1 && dialogue->at + 1 < dialogue->count) {
        dialogue->at++;
        dialogue->answered = false;
        dialogue->phase = DIALOGUE_WAITS;
    } else if (m == 2 && dialogue->text[0] == '\0') {
        finish(modem, MODEM_USSD_ENDED, false);
    } else {
        finish(modem, (size_t)m < COUNT(ends) ? ends[m] : MODEM_USSD_FINAL, m == 1);
    }
}

/* The code may have been written in a way it does not take: bare ERROR, or 27.007 9.2 on operations and parameters. What the
 * network says has other numbers. */
static bool is_about_coding(const struct at_event *done)
{
    static const int codes[] = { 3, 4, 24, 25, 26, 27, 50, 100 };

    if (done->error_kind == AT_ERROR_PLAIN)
        return true;
    for (size_t i = 0; i < COUNT(codes); i++) {
        if (done->error_kind == AT_ERROR_CME && done->code == codes[i])
            return true;
    }
    return false;
}

/* Another way to write it, once each, until one was taken: E1752 refuses plain ones, others the packed. */
static bool try_other_coding(struct modem *modem)
{
    struct modem_dialogue *dialogue = modem->dialogue;
    enum modem_ussd_coding first = modem_ussd_coding_of(modem->status.identity.manufacturer, modem->status.identity.model);

    if (modem->ussd_coding != 0)
        return false;
    modem->ussd_coding = (uint8_t)(1 + (first + 1) % USSD_CODING_COUNT);
    dialogue->phase = DIALOGUE_WAITS;
    return true;
}

static enum modem_verdict judge_code(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    struct modem_dialogue *dialogue = modem->dialogue;

    (void)now_ms;
    if (dialogue == NULL || dialogue->phase != DIALOGUE_ASKING)
        return VERDICT_ACCEPTED;
    if (done->result == AT_OK && modem->ussd_coding == 0)
        modem->ussd_coding = (uint8_t)(1 + coding_of(modem));
    if (dialogue->answered) {
        conclude(modem);
    } else if (done->result == AT_OK) {
        dialogue->phase = DIALOGUE_OPEN;
    } else if (done->result == AT_UNKNOWN) {
        finish(modem, MODEM_USSD_SILENT, true);
    } else if (!is_about_coding(done) || !try_other_coding(modem)) {
        if (is_about_coding(done) && dialogue->at == 0)
            modem->ussd_coding = 0;      /* neither: the next one begins anew */
        dialogue->error_kind = done->error_kind == AT_ERROR_CMS ? MODEM_ERROR_CMS :
                               done->error_kind == AT_ERROR_CME ? MODEM_ERROR_CME : MODEM_ERROR_NONE;
        dialogue->code = done->code;
        finish(modem, MODEM_USSD_REFUSED, dialogue->at > 0);
    }
    return VERDICT_ACCEPTED;
}

/* Without a dialogue it is an error on many modems, and harmless. */
static enum modem_verdict judge_cancel(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)done;
    (void)now_ms;
    modem->dialogue_cancel = false;
    return VERDICT_ACCEPTED;
}

static const struct modem_step ask_step = { .command = "AT+CUSD=", .add = add_code, .judge = judge_code };
static const struct modem_step cancel_step = { .command = "AT+CUSD=2", .judge = judge_cancel, .timeout_ms = 10000 };

/* Not while a part is in its hands: between AT+CMGS and its result nothing may come. */
const struct modem_step *modem_dialogue_job(struct modem *modem, uint64_t now_ms)
{
    struct modem_dialogue *dialogue = modem->dialogue;

    if (modem->status.state != MODEM_READY || modem->part)
        return NULL;
    if (modem->dialogue_cancel)
        return &cancel_step;
    if (dialogue == NULL || dialogue->phase != DIALOGUE_WAITS || now_ms >= dialogue->deadline_ms)
        return NULL;
    if (!dialogue->started)
        dialogue->deadline_ms = now_ms + MODEM_USSD_MS;
    dialogue->started = true;
    dialogue->phase = DIALOGUE_ASKING;
    dialogue->left_ms = (uint32_t)(dialogue->deadline_ms - now_ms);
    return &ask_step;
}

/* ------------------------------------------------------------------------------------------------ events */

void modem_dialogue_urc(struct modem *modem, const struct at_event *urc, uint64_t now_ms)
{
    struct modem_dialogue *dialogue = modem->dialogue;
    struct at_cusd cusd;

    (void)now_ms;
    if (dialogue == NULL || (dialogue->phase != DIALOGUE_ASKING && dialogue->phase != DIALOGUE_OPEN) ||
        at_parse_cusd(urc->text, &cusd) < 0)
        return;                          /* the network's own idea, or too late */
    dialogue->answered = true;
    dialogue->m = cusd.m;
    dialogue->text[0] = '\0';
    if (cusd.text != NULL)
        modem_ussd_decode(cusd.text, cusd.length, cusd.dcs, dialogue->text);
    if (dialogue->phase == DIALOGUE_OPEN)
        conclude(modem);
}

void modem_dialogue_poll(struct modem *modem, uint64_t now_ms)
{
    struct modem_dialogue *dialogue = modem->dialogue;

    if (dialogue == NULL || now_ms < dialogue->deadline_ms)
        return;
    if (dialogue->phase == DIALOGUE_OPEN)
        finish(modem, MODEM_USSD_SILENT, true);
    else if (dialogue->phase == DIALOGUE_WAITS)
        finish(modem, dialogue->started ? MODEM_USSD_SILENT : MODEM_USSD_NO_TURN, dialogue->started);
}

uint64_t modem_dialogue_deadline(const struct modem *modem)
{
    const struct modem_dialogue *dialogue = modem->dialogue;

    /* A command that runs has its own. */
    return dialogue != NULL && (dialogue->phase == DIALOGUE_WAITS || dialogue->phase == DIALOGUE_OPEN) ? dialogue->deadline_ms : MODEM_NEVER;
}

void modem_dialogue_settle(struct modem *modem, uint64_t now_ms)
{
    struct modem_dialogue *dialogue = modem->dialogue;
    struct modem_event event = { .kind = MODEM_EVENT_USSD, .mr = -1 };

    if (dialogue == NULL)
        return;
    if (dialogue->phase != DIALOGUE_OVER && modem->status.state != MODEM_READY && modem->status.state != MODEM_SENDING)
        finish(modem, MODEM_USSD_LOST, dialogue->phase == DIALOGUE_OPEN || dialogue->phase == DIALOGUE_ASKING);
    if (dialogue->phase != DIALOGUE_OVER)
        return;
    modem->dialogue = NULL;              /* first: whoever hears of it may ask again at once */
    event.ussd = dialogue->end;
    event.text = dialogue->text;
    event.error_kind = dialogue->error_kind;
    event.code = dialogue->code;
    modem_emit(modem, &event, now_ms);
    free(dialogue);
}

void modem_dialogue_forget(struct modem *modem)
{
    modem->ussd_coding = 0;
    modem->dialogue_cancel = false;
}
