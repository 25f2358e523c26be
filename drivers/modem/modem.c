/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of states, the public functions, and what comes from the engine. */
#include "drivers/modem/modem_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define PROBE_TRIES 12             /* 14 s: some boot behind a port that is there already */
#define RETRY_TRIES 2              /* a port that was no modem a minute ago is asked cheaply */
#define RECOVER_PAUSE_MS 2000      /* with the AT itself every 3 s: back at work soon after it answers again */
#define RECOVER_MAX_MS 300000
#define BOOT_GRACE_MS 60000        /* "SMS Ready" within that belongs to the start we know of */

uint64_t modem_earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* ------------------------------------------------------------------------------------------------ actions */

static void stop_talking(struct modem *modem)
{
    modem->script = NULL;
    modem->job = NULL;
    modem->doing = DOING_NOTHING;
    modem->again_ms = modem->retry_ms = MODEM_NEVER;
    modem->scan_running = false;
    if (!at_chat_is_idle(&modem->chat))
        at_chat_cancel(&modem->chat);
}

static void sync_modem(struct modem *modem, unsigned tries, bool escape, uint64_t now_ms)
{
    modem->doing = DOING_SYNC;
    (void)at_chat_sync(&modem->chat, tries, escape, now_ms);
}

/* It may have started anew. Whether it has, the caller says in status.lives. */
static void begin_life(struct modem *modem, uint64_t now_ms)
{
    modem->life_ms = now_ms;
    modem->ready_seen = 0;
    modem->patient = true;
    modem->echo_is_off = false;
    modem->pin_may_repeat = true;
    modem->storage_tries = 0;
}

static void line_open(struct modem *modem, uint64_t now_ms)
{
    at_chat_reset(&modem->chat);
    modem_setup_forget(modem);
    modem_network_forget(modem);
    modem_storage_forget(modem);
    modem->part = modem->late = modem->interleaved = false;
    modem->status.reason = MODEM_REASON_NONE;
    modem->status.lives++;
    begin_life(modem, now_ms);
    sync_modem(modem, PROBE_TRIES, true, now_ms);   /* a prompt may be open from before our own restart */
}

static void line_gone(struct modem *modem, uint64_t now_ms)
{
    modem->status.lives++;
    modem_send_break(modem, now_ms);
    stop_talking(modem);
    at_chat_reset(&modem->chat);
    modem_network_forget(modem);
    modem_storage_forget(modem);
    modem->late = false;
    modem->status.reason = MODEM_REASON_UNPLUGGED;
}

static void probe_anew(struct modem *modem, uint64_t now_ms)
{
    stop_talking(modem);
    modem->status.lives++;
    begin_life(modem, now_ms);
    modem->status.reason = MODEM_REASON_RESET;
    sync_modem(modem, PROBE_TRIES, false, now_ms);
}

static void probe_again(struct modem *modem, uint64_t now_ms)
{
    stop_talking(modem);
    modem_setup_forget(modem);
    modem_storage_forget(modem);
    modem->status.lives++;
    begin_life(modem, now_ms);
    sync_modem(modem, RETRY_TRIES, true, now_ms);
}

static void park_silent(struct modem *modem, uint64_t now_ms)
{
    stop_talking(modem);
    modem->status.reason = MODEM_REASON_NO_ANSWER;
    modem->retry_ms = now_ms + modem->config.park_retry_ms;
}

static void park(struct modem *modem, uint64_t now_ms)
{
    stop_talking(modem);
    modem->retry_ms = now_ms + modem->config.park_retry_ms;
}

static void identify(struct modem *modem, uint64_t now_ms)
{
    modem->status.identity = (struct modem_identity){ .imei = "" };
    modem_dialogue_forget(modem);
    modem->status.reason = MODEM_REASON_NONE;
    modem->sim_announced = false;
    modem->renew = false;
    modem_run(modem, &modem_script_identify, now_ms);
}

static void ready_card(struct modem *modem, uint64_t now_ms)
{
    modem_setup_quirks(modem);
    modem->iccid[0] = modem->imsi[0] = '\0';
    modem->iccid_read = modem->imsi_read = false;
    modem->pin_due = modem->pin_tried = modem->sim_check = false;
    modem->card_seen = -1;
    modem_run(modem, &modem_script_sim, now_ms);
}

static void renew(struct modem *modem, uint64_t now_ms)
{
    modem->renew = true;
    modem->patient = true;
    modem->status.reason = MODEM_REASON_NONE;
    ready_card(modem, now_ms);
}

static void card_changed(struct modem *modem, uint64_t now_ms)
{
    stop_talking(modem);
    modem->status.lives++;               /* a card that was away may have been used elsewhere */
    modem->renew = modem->patient = modem->pin_may_repeat = true;
    modem->status.reason = MODEM_REASON_NONE;
    ready_card(modem, now_ms);
}

static void retry_card(struct modem *modem, uint64_t now_ms)
{
    modem->status.lives++;
    modem->retry_ms = MODEM_NEVER;
    modem->renew = true;
    modem->patient = false;
    ready_card(modem, now_ms);
}

static void set_up(struct modem *modem, uint64_t now_ms)
{
    modem->status.reason = MODEM_REASON_NONE;
    modem->mem1[0] = modem->mem_main[0] = '\0';
    modem_run(modem, &modem_script_setup, now_ms);
}

static void look_for_network(struct modem *modem, uint64_t now_ms)
{
    /* A dozen commands came back without an echo: from now on one means that ATE0 was forgotten. */
    modem->echo_is_off = at_chat_counts(&modem->chat)->echoes == modem->echo_mark;
    modem->renew = false;
    modem_network_begin(modem, now_ms);
    modem_storage_sweep(modem, true);
}

static void network_lost(struct modem *modem, uint64_t now_ms)
{
    modem->registering_polls = 0;
    modem->retry_ms = now_ms;
    modem->status.reason = modem->status.registration == 3 ? MODEM_REASON_DENIED : MODEM_REASON_NOT_REGISTERED;
}

static void be_ready(struct modem *modem, uint64_t now_ms)
{
    (void)now_ms;
    modem->retry_ms = MODEM_NEVER;
    modem->status.reason = MODEM_REASON_NONE;
}

static void recover(struct modem *modem, uint64_t now_ms)
{
    if (modem->status.reason != MODEM_REASON_RESET)
        modem->status.reason = MODEM_REASON_NO_ANSWER;
    modem_count_doubt(modem);
    modem_send_break(modem, now_ms);
    stop_talking(modem);
    begin_life(modem, now_ms);   /* whoever was silent may have restarted */
    modem->recover_until_ms = now_ms + RECOVER_MAX_MS;
    sync_modem(modem, 1, false, now_ms);
}

static void recover_from_reset(struct modem *modem, uint64_t now_ms)
{
    modem->status.reason = MODEM_REASON_RESET;
    recover(modem, now_ms);
}

static void recover_later(struct modem *modem, uint64_t now_ms)
{
    modem->restart_check = false;
    modem->status.lives++;               /* a modem that hangs does not do its work meanwhile either */
    modem->doing = DOING_NOTHING;
    modem->retry_ms = now_ms + RECOVER_PAUSE_MS;
    if (now_ms >= modem->recover_until_ms)
        modem_apply(modem, ON_GIVEN_UP, now_ms);
}

static void recover_again(struct modem *modem, uint64_t now_ms)
{
    modem->retry_ms = MODEM_NEVER;
    sync_modem(modem, 1, false, now_ms);
}

/* ------------------------------------------------------------------------------------------------ the table */

struct transition {
    enum modem_state state;
    enum modem_trigger trigger;
    enum modem_state next;
    void (*action)(struct modem *modem, uint64_t now_ms);
    const char *name;
};

#define ROW(state, trigger, next, action) { state, trigger, next, action, #action }
#define ROW_STAY(state, trigger, next) { state, trigger, next, NULL, "-" }

static const struct transition transitions[] = {
    ROW(MODEM_LOST, ON_OPENED, MODEM_PROBING, line_open),

    ROW(MODEM_PROBING, ON_ANSWERED, MODEM_IDENTIFYING, identify),
    ROW(MODEM_PROBING, ON_SILENT, MODEM_PARKED, park_silent),
    ROW(MODEM_PROBING, ON_RESET, MODEM_PROBING, probe_anew),
    ROW(MODEM_PROBING, ON_CLOSED, MODEM_LOST, line_gone),

    ROW(MODEM_IDENTIFYING, ON_SCRIPT_DONE, MODEM_SIM_WAIT, ready_card),
    ROW(MODEM_IDENTIFYING, ON_SILENT, MODEM_PARKED, park_silent),
    ROW(MODEM_IDENTIFYING, ON_RESET, MODEM_PROBING, probe_anew),
    ROW(MODEM_IDENTIFYING, ON_CLOSED, MODEM_LOST, line_gone),

    ROW(MODEM_SIM_WAIT, ON_SCRIPT_DONE, MODEM_SETTING_UP, set_up),
    ROW(MODEM_SIM_WAIT, ON_SIM_UNUSABLE, MODEM_PARKED, park),
    ROW(MODEM_SIM_WAIT, ON_SILENT, MODEM_RECOVERING, recover),
    ROW(MODEM_SIM_WAIT, ON_RESET, MODEM_PROBING, probe_anew),
    ROW(MODEM_SIM_WAIT, ON_CLOSED, MODEM_LOST, line_gone),

    ROW(MODEM_SETTING_UP, ON_SCRIPT_DONE, MODEM_REGISTERING, look_for_network),
    ROW(MODEM_SETTING_UP, ON_NO_PDU_MODE, MODEM_PARKED, park),
    ROW(MODEM_SETTING_UP, ON_SIM_CHANGED, MODEM_SIM_WAIT, card_changed),
    ROW(MODEM_SETTING_UP, ON_SILENT, MODEM_RECOVERING, recover),
    ROW(MODEM_SETTING_UP, ON_RESET, MODEM_PROBING, probe_anew),
    ROW(MODEM_SETTING_UP, ON_CLOSED, MODEM_LOST, line_gone),

    ROW(MODEM_REGISTERING, ON_REGISTERED, MODEM_READY, be_ready),
    ROW(MODEM_REGISTERING, ON_SIM_CHANGED, MODEM_SIM_WAIT, card_changed),
    ROW(MODEM_REGISTERING, ON_SILENT, MODEM_RECOVERING, recover),
    ROW(MODEM_REGISTERING, ON_RESET, MODEM_RECOVERING, recover_from_reset),
    ROW(MODEM_REGISTERING, ON_CLOSED, MODEM_LOST, line_gone),

    ROW_STAY(MODEM_READY, ON_SEND, MODEM_SENDING),
    ROW(MODEM_READY, ON_UNREGISTERED, MODEM_REGISTERING, network_lost),
    ROW(MODEM_READY, ON_SIM_CHANGED, MODEM_SIM_WAIT, card_changed),
    ROW(MODEM_READY, ON_SILENT, MODEM_RECOVERING, recover),
    ROW(MODEM_READY, ON_RESET, MODEM_RECOVERING, recover_from_reset),
    ROW(MODEM_READY, ON_CLOSED, MODEM_LOST, line_gone),

    ROW_STAY(MODEM_SENDING, ON_SEND_ENDED, MODEM_READY),
    ROW(MODEM_SENDING, ON_SEND_BROKEN, MODEM_RECOVERING, recover),
    ROW(MODEM_SENDING, ON_SIM_CHANGED, MODEM_SIM_WAIT, card_changed),
    ROW(MODEM_SENDING, ON_SILENT, MODEM_RECOVERING, recover),
    ROW(MODEM_SENDING, ON_RESET, MODEM_RECOVERING, recover_from_reset),
    ROW(MODEM_SENDING, ON_CLOSED, MODEM_LOST, line_gone),

    ROW(MODEM_RECOVERING, ON_ANSWERED, MODEM_SIM_WAIT, renew),
    ROW(MODEM_RECOVERING, ON_SILENT, MODEM_RECOVERING, recover_later),
    ROW(MODEM_RECOVERING, ON_RETRY_PORT, MODEM_RECOVERING, recover_again),
    ROW(MODEM_RECOVERING, ON_GIVEN_UP, MODEM_PARKED, park_silent),
    ROW(MODEM_RECOVERING, ON_RESET, MODEM_RECOVERING, recover_from_reset),
    ROW(MODEM_RECOVERING, ON_CLOSED, MODEM_LOST, line_gone),

    ROW(MODEM_PARKED, ON_RETRY_PORT, MODEM_PROBING, probe_again),
    ROW(MODEM_PARKED, ON_RETRY_SIM, MODEM_SIM_WAIT, retry_card),
    ROW(MODEM_PARKED, ON_SIM_CHANGED, MODEM_SIM_WAIT, card_changed),
    ROW(MODEM_PARKED, ON_RESET, MODEM_PROBING, probe_anew),
    ROW(MODEM_PARKED, ON_CLOSED, MODEM_LOST, line_gone),
};

void modem_apply(struct modem *modem, enum modem_trigger trigger, uint64_t now_ms)
{
    for (size_t i = 0; i < COUNT(transitions); i++) {
        const struct transition *row = &transitions[i];

        if (row->state != modem->status.state || row->trigger != trigger)
            continue;
        modem->status.state = row->next;
        if (row->action != NULL)
            row->action(modem, now_ms);
        return;
    }
    modem->ignored++;   /* a modem may say anything at any time */
}

static char *add_padded(char *at, const char *text, size_t width)
{
    size_t length = strlen(text);

    memcpy(at, text, length);
    memset(at + length, ' ', width > length ? width - length : 1);
    return at + (width > length ? width : length + 1);
}

void modem_print_table(void (*line)(void *context, const char *text), void *context)
{
    for (size_t i = 0; i < COUNT(transitions); i++) {
        const struct transition *row = &transitions[i];
        char text[128], *at = text;

        at = add_padded(at, modem_state_name(row->state), 13);
        at = add_padded(at, modem_trigger_name(row->trigger), 14);
        at = add_padded(at, modem_state_name(row->next), 13);
        strcpy(at, row->name);
        line(context, text);
    }
}

/* ------------------------------------------------------------------------------------------------ events out */

void modem_emit(struct modem *modem, struct modem_event *event, uint64_t now_ms)
{
    event->status = &modem->status;
    if (modem->config.on_event != NULL)
        modem->config.on_event(modem->config.context, event, now_ms);
}

/* State changes are told when the dust has settled: a part that follows at once leaves SENDING unbroken. */
static void report_state(struct modem *modem, uint64_t now_ms)
{
    struct modem_event event = { .kind = MODEM_EVENT_STATE, .mr = -1, .code = -1 };

    if (modem->status.state == modem->reported_state && modem->status.reason == modem->reported_reason)
        return;
    modem->reported_state = modem->status.state;
    modem->reported_reason = modem->status.reason;
    modem_emit(modem, &event, now_ms);
}

/* ------------------------------------------------------------------------------------------------ events in */

/* "SMS Ready" and its like come once per start. */
static void card_and_sms_ready(struct modem *modem, const struct at_event *urc, uint64_t now_ms)
{
    static const char *const texts[] = { "Call Ready", "SMS Ready", "SMS DONE",  "PB DONE",
                                         "+QIND: SMS", "+QIND: PB", "+SIM READY" };
    uint8_t bit = 0;
    bool again;

    for (size_t i = 0; i < COUNT(texts); i++) {
        if (strncmp(urc->text, texts[i], strlen(texts[i])) == 0)
            bit = (uint8_t)(1u << i);
    }
    again = (modem->ready_seen & bit) != 0 || now_ms - modem->life_ms > BOOT_GRACE_MS;
    modem->ready_seen |= bit;
    switch (modem->status.state) {
    case MODEM_SIM_WAIT: case MODEM_SETTING_UP:
        if (modem->again_ms != MODEM_NEVER)
            modem->again_ms = now_ms;
        break;
    case MODEM_REGISTERING: case MODEM_READY:
        if (again)
            modem_apply(modem, ON_RESET, now_ms);
        else if (modem->mem1[0] == '\0')
            modem_apply(modem, ON_SIM_CHANGED, now_ms);   /* storages were refused before it */
        break;
    case MODEM_SENDING:
        /* Some say "PB DONE" at other times too, and a part's result may still come: only a modem that answers something
         * else has forgotten the part. */
        if (again)
            modem_send_suspect(modem, now_ms);
        break;
    case MODEM_PARKED:
        modem_apply(modem, ON_RESET, now_ms);
        break;
    default:
        break;
    }
}

static void card_says(struct modem *modem, const struct at_event *urc, uint64_t now_ms)
{
    enum at_sim sim;

    if (at_parse_cpin(urc->text, &sim) < 0)
        return;
    switch (modem->status.state) {
    case MODEM_SIM_WAIT:
        if (modem->again_ms != MODEM_NEVER)
            modem->again_ms = now_ms;
        break;
    case MODEM_PARKED:
        if (sim == AT_SIM_READY && modem->status.reason != MODEM_REASON_NO_ANSWER &&
            modem->status.reason != MODEM_REASON_NO_PDU_MODE)
            modem_apply(modem, ON_SIM_CHANGED, now_ms);
        break;
    case MODEM_REGISTERING: case MODEM_READY:
        if (sim != AT_SIM_READY)
            modem_apply(modem, ON_SIM_CHANGED, now_ms);
        break;
    case MODEM_SENDING:
        modem->sim_check = modem->sim_check || sim != AT_SIM_READY;
        break;
    default:
        break;
    }
}

static void storage_announced(struct modem *modem, const struct at_event *urc, uint64_t now_ms)
{
    (void)now_ms;
    modem_storage_notified(modem, urc);
}

static const struct {
    const char *name;
    void (*take)(struct modem *, const struct at_event *, uint64_t);
} named_urcs[] = {
    { "+CMTI", storage_announced },  { "+CDSI", storage_announced },  { "+CREG", modem_network_urc },
    { "+CGREG", modem_network_urc }, { "+CEREG", modem_network_urc }, { "+CMGS", modem_send_late },
    { "+CPIN", card_says },          { "+CUSD", modem_dialogue_urc },
};

static void on_urc(struct modem *modem, const struct at_event *urc, uint64_t now_ms)
{
    switch (urc->urc) {
    case AT_URC_BOOT:
        modem_apply(modem, ON_RESET, now_ms);
        return;
    case AT_URC_READY:
        card_and_sms_ready(modem, urc, now_ms);
        return;
    case AT_URC_FULL:
        modem_storage_sweep(modem, true);
        return;
    case AT_URC_UNIT:
        if (urc->pdu != NULL)
            modem_storage_direct(modem, urc, now_ms);
        return;
    case AT_URC_NONE: case AT_URC_OTHER:
        break;
    }
    for (size_t i = 0; i < COUNT(named_urcs); i++) {
        if (at_words_named(urc->text, urc->length, named_urcs[i].name)) {
            named_urcs[i].take(modem, urc, now_ms);
            return;
        }
    }
}

static void on_done(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    switch (modem->doing) {
    case DOING_SYNC:
        modem->doing = DOING_NOTHING;
        if (modem->script != NULL && done->result == AT_OK)
            break;   /* the script goes on with its next command */
        modem->script = NULL;
        modem_apply(modem, done->result == AT_OK ? ON_ANSWERED : ON_SILENT, now_ms);
        break;
    case DOING_STEP:
        modem_step_done(modem, done, now_ms);
        break;
    case DOING_JOB:
        modem_job_done(modem, done, now_ms);
        break;
    case DOING_SEND:
        modem_send_done(modem, done, now_ms);
        break;
    case DOING_NOTHING:
        break;
    }
}

static void on_at_event(struct modem *modem, const struct at_event *event, uint64_t now_ms)
{
    switch (event->kind) {
    case AT_PROMPT:
        if (modem->doing == DOING_SEND)
            modem_send_prompt(modem, now_ms);
        break;
    case AT_LINE:
        if (modem->doing == DOING_SEND)
            modem_send_line(modem, event);
        else if (modem->doing == DOING_STEP || modem->doing == DOING_JOB)
            modem_line(modem, event, now_ms);
        break;
    case AT_URC:
        on_urc(modem, event, now_ms);
        break;
    case AT_DONE:
        on_done(modem, event, now_ms);
        break;
    case AT_NONE:
        break;
    }
    modem_advance(modem, now_ms);
    modem_dialogue_settle(modem, now_ms);
    report_state(modem, now_ms);
}

/* Starts the next command, if the engine is free: the script, a job between two parts, or the part. */
void modem_advance(struct modem *modem, uint64_t now_ms)
{
    const struct modem_step *job = NULL;

    while (modem->script != NULL && at_chat_is_idle(&modem->chat) && modem->doing == DOING_NOTHING) {
        const struct modem_script *script = modem->script;
        uint8_t step = modem->step;

        modem_script_advance(modem, now_ms);
        if (modem->script == script && modem->step == step)
            break;   /* it waits */
    }
    if (modem->script != NULL || !at_chat_is_idle(&modem->chat) || modem->doing != DOING_NOTHING)
        return;
    if (modem->status.state != MODEM_REGISTERING && modem->status.state != MODEM_READY &&
        modem->status.state != MODEM_SENDING)
        return;
    if (at_chat_is_stale(&modem->chat)) {
        modem_apply(modem, ON_SILENT, now_ms);
        return;
    }
    if (!modem->part || !modem->interleaved) {
        job = modem_dialogue_job(modem, now_ms);
        if (job == NULL && modem->status.state == MODEM_REGISTERING)
            job = modem_network_job(modem, false, now_ms);
        if (job == NULL)
            job = modem_storage_job(modem, now_ms);
        if (job == NULL)
            job = modem_network_job(modem, modem->part, now_ms);
    }
    if (job != NULL) {
        modem->interleaved = true;
        modem_start_job(modem, job, now_ms);
    } else if (modem->part) {
        modem_send_start(modem, now_ms);
    }
}

/* ------------------------------------------------------------------------------------------------ public */

struct modem *modem_new(const struct modem_config *config)
{
    struct modem *modem = calloc(1, sizeof *modem);

    if (modem == NULL)
        return NULL;
    if (at_chat_init(&modem->chat) < 0) {
        free(modem);
        return NULL;
    }
    modem->config = *config;
    if (config->send_timeout_ms == 0)
        modem->config.send_timeout_ms = 180000;
    if (config->poll_ms == 0)
        modem->config.poll_ms = 60000;
    if (config->park_retry_ms == 0)
        modem->config.park_retry_ms = 60000;
    /* 4 to 8 digits (TS 31.101 9.5.1); anything else cannot be right and must not cost a try. */
    if (config->pin != NULL && strlen(config->pin) >= 4 && strlen(config->pin) <= 8 &&
        strspn(config->pin, "0123456789") == strlen(config->pin)) {
        strcpy(modem->pin, config->pin);
        modem->pin_state = PIN_UNTRIED;
    }
    modem->config.pin = NULL;
    modem->again_ms = modem->retry_ms = modem->poll_ms = modem->nudge_ms = MODEM_NEVER;
    modem->status.state = modem->reported_state = MODEM_LOST;
    modem->count_seen = -1;
    modem_setup_forget(modem);
    modem_network_forget(modem);
    modem_storage_forget(modem);
    return modem;
}

void modem_free(struct modem *modem)
{
    if (modem == NULL)
        return;
    at_chat_done(&modem->chat);
    free(modem->dialogue);
    free(modem);
}

void modem_opened(struct modem *modem, uint64_t now_ms)
{
    if (modem->status.state != MODEM_LOST)
        modem_apply(modem, ON_CLOSED, now_ms);
    modem_apply(modem, ON_OPENED, now_ms);
    modem_dialogue_settle(modem, now_ms);
    report_state(modem, now_ms);
}

void modem_closed(struct modem *modem, uint64_t now_ms)
{
    modem_apply(modem, ON_CLOSED, now_ms);
    modem_dialogue_settle(modem, now_ms);
    report_state(modem, now_ms);
}

void modem_feed(struct modem *modem, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
    struct at_event event;
    size_t used = 0;

    if (modem->status.state == MODEM_LOST || len == 0)
        return;
    do {
        used += at_chat_feed(&modem->chat, bytes + used, len - used, now_ms, &event);
        if (event.kind != AT_NONE)
            on_at_event(modem, &event, now_ms);
    } while (event.kind != AT_NONE);
    assert(used == len);
}

static enum modem_trigger retry_trigger(const struct modem *modem)
{
    switch (modem->status.reason) {
    case MODEM_REASON_NO_SIM: case MODEM_REASON_PIN_NEEDED: case MODEM_REASON_PIN_WRONG: case MODEM_REASON_PUK_NEEDED:
    case MODEM_REASON_SIM_LOCKED: case MODEM_REASON_SIM_FAILURE: case MODEM_REASON_SIM_BUSY:
    case MODEM_REASON_PIN_TWO_LEFT: case MODEM_REASON_PIN_ONE_LEFT:
        return ON_RETRY_SIM;
    default:
        return ON_RETRY_PORT;
    }
}

void modem_poll(struct modem *modem, uint64_t now_ms)
{
    struct at_event event;

    if (modem->status.state == MODEM_LOST)
        return;
    do {
        at_chat_poll(&modem->chat, now_ms, &event);
        if (event.kind != AT_NONE)
            on_at_event(modem, &event, now_ms);
    } while (event.kind != AT_NONE);
    modem_send_poll(modem, now_ms);
    modem_dialogue_poll(modem, now_ms);
    if ((modem->status.state == MODEM_PARKED || modem->status.state == MODEM_RECOVERING) && now_ms >= modem->retry_ms)
        modem_apply(modem, retry_trigger(modem), now_ms);
    modem_advance(modem, now_ms);
    modem_dialogue_settle(modem, now_ms);
    report_state(modem, now_ms);
}

uint64_t modem_deadline(const struct modem *modem)
{
    uint64_t deadline = at_chat_deadline(&modem->chat);

    if (modem->status.state == MODEM_LOST)
        return MODEM_NEVER;
    deadline = modem_earlier(deadline, modem_dialogue_deadline(modem));
    if (modem->doing == DOING_SEND)
        return modem_earlier(deadline, modem->nudge_ms);
    if (!at_chat_is_idle(&modem->chat))
        return deadline;
    if (modem->script != NULL)
        return modem_earlier(deadline, modem->again_ms);
    deadline = modem_earlier(deadline, modem->retry_ms);
    if (modem->status.state == MODEM_READY || modem->status.state == MODEM_REGISTERING) {
        uint64_t poll_ms = modem->polls != 0 ? 0 : modem->poll_ms, quiet_ms = modem_quiet_until(modem);

        deadline = modem_earlier(deadline, poll_ms > quiet_ms ? poll_ms : quiet_ms);
    }
    return deadline;
}

const uint8_t *modem_output(const struct modem *modem, size_t *ret_len)
{
    return at_chat_output(&modem->chat, ret_len);
}

void modem_output_consume(struct modem *modem, size_t len)
{
    at_chat_output_consume(&modem->chat, len);
}

const struct modem_status *modem_status(const struct modem *modem)
{
    return &modem->status;
}
