/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sim/sim_modem_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEVER UINT64_MAX
#define MS_US UINT64_C(1000)

const char *sim_event_name(enum sim_event_kind kind)
{
    static const char *const names[SIM_EVENT_COUNT] = {
        [SIM_EVENT_LINE] = "line", [SIM_EVENT_SUBMIT] = "submit", [SIM_EVENT_ACCEPTED] = "accepted",
        [SIM_EVENT_ANSWERED] = "answered", [SIM_EVENT_REFUSED] = "refused", [SIM_EVENT_INCOMING] = "incoming",
        [SIM_EVENT_REPORT] = "report", [SIM_EVENT_DELETED] = "deleted", [SIM_EVENT_FAULT] = "fault",
        [SIM_EVENT_UNPLUG] = "unplug", [SIM_EVENT_BOOT] = "boot",
    };

    return (unsigned)kind < SIM_EVENT_COUNT ? names[kind] : "?";
}

void sim_event(struct sim_modem *modem, enum sim_event_kind kind, const char *text, uint64_t now_us)
{
    struct sim_event event = { .kind = kind, .t_us = now_us, .modem = modem->config.index, .from = modem, .text = text,
                               .pdu_hex = "", .address = "", .part = modem->part.number, .mr = -1, .status = -1, .ref = -1,
                               .total = 1, .seq = 1 };

    if (modem->config.on_event == NULL)
        return;
    if (kind == SIM_EVENT_SUBMIT || kind == SIM_EVENT_ANSWERED)
        event.mr = modem->part.mr_said;
    modem->config.on_event(modem->config.on_event_context, &event);
}

void sim_arm(struct sim_modem *modem, enum sim_timer timer, uint64_t due_us)
{
    modem->due_us[timer] = due_us;
}

int64_t sim_unix_s(const struct sim_modem *modem, uint64_t now_us)
{
    return modem->config.unix_s_at_zero + (int64_t)(now_us / 1000000u);
}

/* ---- card and network ---- */

enum sim_card_state sim_card_state(const struct sim_modem *modem)
{
    if (modem->card == NULL || modem->faults[SIM_FAULT_NO_SIM].on || modem->settings.cfun == 0)
        return SIM_CARD_ABSENT;
    if (modem->card->pin_tries == 0 || modem->faults[SIM_FAULT_PUK].on)
        return SIM_CARD_PUK;
    if ((modem->card->pin_enabled || modem->faults[SIM_FAULT_PIN].on) && !modem->pin_verified)
        return SIM_CARD_PIN;
    return modem->sim_ready ? SIM_CARD_READY : SIM_CARD_BUSY;
}

int sim_registration_stat(const struct sim_modem *modem)
{
    enum sim_card_state card = sim_card_state(modem);

    if (modem->settings.cfun != 1 || (card != SIM_CARD_READY && card != SIM_CARD_BUSY))
        return 0;
    if (modem->faults[SIM_FAULT_DENIED].on)
        return 3;
    return modem->registered ? 1 : 2;
}

static void say_registration(struct sim_modem *modem)
{
    static const char *const names[SIM_REG_COUNT] = { "+CREG", "+CGREG", "+CEREG" };
    int stat = sim_registration_stat(modem);

    for (size_t i = 0; i < SIM_REG_COUNT; i++) {
        if (modem->settings.registration[i] == 2 && stat == 1)
            sim_say(modem, "%s: %d,\"00C3\",\"A1B2\",7", names[i], stat);
        else if (modem->settings.registration[i] > 0)
            sim_say(modem, "%s: %d", names[i], stat);
    }
}

void sim_registration_set(struct sim_modem *modem, bool registered, uint64_t now_us)
{
    sim_arm(modem, SIM_TIMER_REGISTER, NEVER);
    if (modem->registered == registered)
        return;
    modem->registered = registered;
    say_registration(modem);
    if (registered)
        sim_air_ready(modem, now_us);
}

void sim_card_start(struct sim_modem *modem, uint64_t now_us)
{
    modem->sim_ready = false;
    sim_arm(modem, SIM_TIMER_SIM_READY, now_us + modem->config.sim_ready_us);
}

/* Whatever changed (fault, card, CFUN): where may card and registration go from here? */
static void settle(struct sim_modem *modem, uint64_t now_us)
{
    enum sim_card_state card = sim_card_state(modem);

    if (modem->phase == SIM_PHASE_OFF || modem->phase == SIM_PHASE_BOOTING)
        return;
    if (card == SIM_CARD_BUSY && modem->due_us[SIM_TIMER_SIM_READY] == NEVER)
        sim_card_start(modem, now_us);
    if (card != SIM_CARD_READY || modem->settings.cfun != 1 || modem->faults[SIM_FAULT_DENIED].on)
        sim_registration_set(modem, false, now_us);
    else if (!modem->registered && modem->due_us[SIM_TIMER_REGISTER] == NEVER)
        sim_arm(modem, SIM_TIMER_REGISTER, now_us + modem->config.register_us);
    if (!modem->faults[SIM_FAULT_CHATTY].on)
        sim_arm(modem, SIM_TIMER_CHATTER, NEVER);
    else if (modem->due_us[SIM_TIMER_CHATTER] == NEVER)
        sim_arm(modem, SIM_TIMER_CHATTER, now_us + modem->faults[SIM_FAULT_CHATTY].argument * MS_US);
}

/* ---- faults ---- */

bool sim_fault_strikes(struct sim_modem *modem, enum sim_fault fault, uint32_t *ret_argument, uint64_t now_us)
{
    struct sim_fault_state *state = &modem->faults[fault];

    if (state->armed > 0) {
        state->armed--;
        *ret_argument = state->armed_argument;
    } else if (sim_random_hit(&modem->random, state->ppm)) {
        *ret_argument = state->argument;
    } else {
        return false;
    }
    sim_event(modem, SIM_EVENT_FAULT, sim_fault_kind(fault)->name, now_us);
    return true;
}

static void hang(struct sim_modem *modem, uint32_t ms, uint64_t now_us)
{
    modem->hung = true;
    sim_arm(modem, SIM_TIMER_UNHANG, ms == 0 ? NEVER : now_us + ms * MS_US);
}

void sim_modem_set_fault(struct sim_modem *modem, enum sim_fault fault, uint32_t ppm, uint32_t argument, uint64_t now_us)
{
    const struct sim_fault_kind *kind = sim_fault_kind(fault);
    struct sim_fault_state *state = &modem->faults[fault];

    state->argument = argument != 0 ? argument : kind->argument;
    if (kind->when != SIM_WHEN_STATE) {
        state->ppm = ppm;
        return;
    }
    state->on = sim_random_hit(&modem->random, ppm);
    if (state->on) {
        sim_event(modem, SIM_EVENT_FAULT, kind->name, now_us);
        if (fault == SIM_FAULT_PIN)
            modem->pin_verified = false;
    }
    settle(modem, now_us);
}

void sim_modem_trigger_fault(struct sim_modem *modem, enum sim_fault fault, uint32_t argument, uint64_t now_us)
{
    const struct sim_fault_kind *kind = sim_fault_kind(fault);

    if (kind->when == SIM_WHEN_STATE) {
        sim_modem_set_fault(modem, fault, SIM_CERTAIN_PPM, argument, now_us);
    } else if (kind->at_once) {
        sim_event(modem, SIM_EVENT_FAULT, kind->name, now_us);
        hang(modem, argument, now_us);
    } else {
        modem->faults[fault].armed++;
        modem->faults[fault].armed_argument = argument != 0 ? argument : kind->argument;
    }
}

void sim_modem_clear_faults(struct sim_modem *modem, uint64_t now_us)
{
    memset(modem->faults, 0, sizeof modem->faults);
    modem->hung = false;
    sim_arm(modem, SIM_TIMER_UNHANG, NEVER);
    settle(modem, now_us);
}

/* ---- power ---- */

void sim_settings_default(struct sim_modem *modem)
{
    bool echo = modem->config.echo != 0 ? modem->config.echo > 0 : modem->personality->echo;

    modem->settings = (struct sim_settings){ .echo = echo, .text_mode = modem->personality->text_mode,
                                             .verbose = true, .cfun = 1, .charset = SIM_CHARSET_GSM, .csmp_fo = 17,
                                             .csmp_vp = 167 };
}

static void power_lost(struct sim_modem *modem, uint64_t now_us)
{
    sim_part_drop(modem, now_us);
    sim_mr_stop(modem);
    for (size_t i = 0; i < SIM_TIMER_COUNT; i++)
        modem->due_us[i] = NEVER;
    modem->hung = false;
    modem->phase = SIM_PHASE_OFF;
    modem->input_length = modem->input_at = modem->line_length = modem->text_length = 0;
    modem->urcs_length = 0;   /* what is in the output was said before */
    modem->pin_verified = modem->sim_ready = modem->registered = false;
    modem->ussd_menu = 0;
    modem->mr_counter = 0;
    if (modem->cnma_wait) {
        modem->cnma_wait = false;
        if (modem->config.air.returned != NULL)
            modem->config.air.returned(modem->config.air.context, modem, modem->cnma_tpdu, modem->cnma_length,
                                       modem->cnma_report, now_us);
    }
}

static uint64_t boot_step_us(const struct sim_modem *modem)
{
    uint64_t lines = 0;

    while (lines < SIM_BOOT_LINES_MAX && modem->personality->boot_lines[lines] != NULL)
        lines++;
    return modem->config.boot_us / (lines + 1);
}

void sim_modem_power_off(struct sim_modem *modem, uint64_t now_us)
{
    power_lost(modem, now_us);
    sim_modem_output_consume(modem, modem->output_length);
}

void sim_modem_power_on(struct sim_modem *modem, uint64_t now_us)
{
    if (modem->phase != SIM_PHASE_OFF)
        return;
    sim_settings_default(modem);
    sim_mr_start(modem);
    modem->phase = SIM_PHASE_BOOTING;
    modem->boot_step = 0;
    sim_arm(modem, SIM_TIMER_BOOT, now_us + boot_step_us(modem));
    sim_event(modem, SIM_EVENT_BOOT, "", now_us);
}

void sim_modem_reset(struct sim_modem *modem, uint64_t now_us)
{
    power_lost(modem, now_us);
    sim_modem_power_on(modem, now_us);
}

static void boot_step(struct sim_modem *modem, uint64_t now_us)
{
    static const char *const card_lines[] = { [SIM_CARD_ABSENT] = "+CPIN: NOT INSERTED", [SIM_CARD_PIN] = "+CPIN: SIM PIN",
                                              [SIM_CARD_PUK] = "+CPIN: SIM PUK", [SIM_CARD_BUSY] = "+CPIN: READY",
                                              [SIM_CARD_READY] = "+CPIN: READY" };
    const char *text = modem->boot_step < SIM_BOOT_LINES_MAX ? modem->personality->boot_lines[modem->boot_step] : NULL;

    if (text == NULL) {
        modem->phase = SIM_PHASE_COMMAND;
        settle(modem, now_us);
        return;
    }
    sim_say_text(modem, strcmp(text, "+CPIN: READY") == 0 ? card_lines[sim_card_state(modem)] : text);
    modem->boot_step++;
    sim_arm(modem, SIM_TIMER_BOOT, now_us + boot_step_us(modem));
}

void sim_modem_set_card(struct sim_modem *modem, struct sim_card *card, uint64_t now_us)
{
    modem->card = card;
    modem->pin_verified = modem->sim_ready = false;
    for (size_t i = 0; i < modem->storage_count; i++)
        if (strcmp(modem->storages[i].name, "SM") == 0) {
            modem->storages[i].slots = card != NULL ? card->slots : NULL;
            modem->storages[i].count = card != NULL ? card->slot_count : 0;
        }
    sim_arm(modem, SIM_TIMER_SIM_READY, NEVER);
    settle(modem, now_us);
}

/* ---- life ---- */

static void storages_set_up(struct sim_modem *modem)
{
    static const struct { const char *name; bool card, reports; } kinds[] = {
        { "SM", true, false }, { "ME", false, false }, { "MT", false, false }, { "SR", false, true },
    };

    for (const char *at = modem->personality->storages; *at != '\0' && modem->storage_count < 4;) {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            struct sim_storage *storage = &modem->storages[modem->storage_count];

            if (strncmp(at, kinds[i].name, 2) != 0)
                continue;
            storage->name = kinds[i].name;
            if (kinds[i].card) {
                storage->slots = modem->card != NULL ? modem->card->slots : NULL;
                storage->count = modem->card != NULL ? modem->card->slot_count : 0;
            } else {
                storage->slots = kinds[i].reports ? modem->sr_slots : modem->me_slots;
                storage->count = kinds[i].reports ? modem->personality->sr_slots : modem->personality->me_slots;
            }
            modem->storage_count++;
        }
        at += 2;
        if (*at == ',')
            at++;
    }
}

struct sim_modem *sim_modem_new(const struct sim_modem_config *config)
{
    struct sim_modem *modem = calloc(1, sizeof *modem);

    if (modem == NULL)
        return NULL;
    modem->config = *config;
    modem->personality = config->personality != NULL ? config->personality : sim_personality_find("generic");
    modem->card = config->card;
    modem->output_size = 1024;
    modem->output = malloc(modem->output_size);
    modem->me_slots = calloc((size_t)modem->personality->me_slots + 1, sizeof *modem->me_slots);
    modem->sr_slots = calloc((size_t)modem->personality->sr_slots + 1, sizeof *modem->sr_slots);
    if (modem->output == NULL || modem->me_slots == NULL || modem->sr_slots == NULL) {
        sim_modem_free(modem);
        return NULL;
    }
    sim_random_init(&modem->random, config->seed, config->index);
    sim_card_imei(config->index, modem->imei);
    storages_set_up(modem);
    sim_settings_default(modem);
    for (size_t i = 0; i < SIM_TIMER_COUNT; i++)
        modem->due_us[i] = NEVER;
    sim_mr_start(modem);
    modem->phase = SIM_PHASE_COMMAND;
    if (sim_card_state(modem) == SIM_CARD_BUSY)
        modem->sim_ready = modem->registered = true;
    return modem;
}

void sim_modem_free(struct sim_modem *modem)
{
    if (modem == NULL)
        return;
    free(modem->output);
    free(modem->me_slots);
    free(modem->sr_slots);
    free(modem);
}

uint32_t sim_modem_index(const struct sim_modem *modem) { return modem->config.index; }
const char *sim_modem_imei(const struct sim_modem *modem) { return modem->imei; }
struct sim_card *sim_modem_card(const struct sim_modem *modem) { return modem->card; }
const struct sim_modem_counters *sim_modem_counters(const struct sim_modem *modem) { return &modem->counters; }
bool sim_modem_registered(const struct sim_modem *modem) { return modem->registered; }

/* ---- input ---- */

static void line_execute(struct sim_modem *modem, uint64_t now_us)
{
    static const char noise[] = "\xFF\xFE\x00" "f`f\r\n+CM\x80\x7F\x1B";
    uint32_t octets;
    struct sim_result result;

    modem->phase = SIM_PHASE_COMMAND;
    if (sim_fault_strikes(modem, SIM_FAULT_GARBAGE, &octets, now_us))
        for (uint32_t i = 0; i < octets && i < 256; i++)
            sim_put(modem, &noise[sim_random_below(&modem->random, sizeof noise - 1)], 1);
    if (modem->line_overflow)
        result = sim_error();
    else
        result = sim_line_run(modem, modem->line, now_us);
    modem->line_length = 0;
    modem->line_overflow = false;
    sim_finish(modem, result);
}

/* A complete line: what stands before AT is noise, and a line without AT is none of ours (V.250 5.2.1). */
static void line_done(struct sim_modem *modem, uint64_t now_us)
{
    const char *at = modem->line;

    modem->line[modem->line_length] = '\0';
    if (strcmp(at, "A/") == 0 || strcmp(at, "a/") == 0) {
        memcpy(modem->line, modem->last_line, sizeof modem->line);
    } else {
        while (*at != '\0' && !((at[0] == 'A' || at[0] == 'a') && (at[1] == 'T' || at[1] == 't')))
            at++;
        if (*at == '\0') {
            modem->line_length = 0;
            modem->line_overflow = false;
            return;
        }
        memmove(modem->line, at, strlen(at) + 1);
        memcpy(modem->last_line, modem->line, sizeof modem->line);
    }
    modem->phase = SIM_PHASE_EXECUTING;
    modem->counters.at_lines++;
    sim_event(modem, SIM_EVENT_LINE, modem->line, now_us);
    sim_arm(modem, SIM_TIMER_EXECUTE, now_us + modem->config.latency_us * sim_line_latency_times(modem, modem->line));
}

static void line_octet(struct sim_modem *modem, char c, uint64_t now_us)
{
    if (modem->settings.echo && c != '\0' && c != 0x1A && c != 0x1B)
        sim_put(modem, &c, 1);
    switch (c) {
    case '\r':
        line_done(modem, now_us);
        return;
    case '\b':
        if (modem->line_length > 0)
            modem->line_length--;
        return;
    case '\0': case '\n': case 0x1A: case 0x1B:
        return;
    default:
        if (modem->line_length + 1 < sizeof modem->line)
            modem->line[modem->line_length++] = c;
        else
            modem->line_overflow = true;
    }
}

static void text_octet(struct sim_modem *modem, char c, uint64_t now_us)
{
    if (modem->settings.echo && c != 0x1A && c != 0x1B)
        sim_put(modem, &c, 1);
    if (c == 0x1A) {
        sim_text_done(modem, now_us);
    } else if (c == 0x1B) {
        modem->phase = SIM_PHASE_COMMAND;
        sim_finish(modem, sim_ok());   /* aborted; TS 27.005 3.5.1: OK, and nothing is sent */
        sim_air_ready(modem, now_us);
    } else if (!modem->settings.text_mode && (c == '\r' || c == '\n')) {
        return;
    } else if (modem->text_length + 1 < sizeof modem->text) {
        modem->text[modem->text_length++] = c;
    } else {
        modem->text_overflow = true;
    }
}

/* Takes what is typed as far as the modem listens; the rest waits until the command before has its answer. */
static void input_run(struct sim_modem *modem, uint64_t now_us)
{
    while (modem->input_length > 0) {
        char c = (char)modem->input[modem->input_at];

        if (!modem->hung && modem->phase != SIM_PHASE_COMMAND && modem->phase != SIM_PHASE_TEXT &&
            modem->phase != SIM_PHASE_BOOTING && modem->phase != SIM_PHASE_OFF)
            return;
        modem->input_at = (modem->input_at + 1) % SIM_INPUT_MAX;
        modem->input_length--;
        if (modem->hung || modem->phase == SIM_PHASE_BOOTING || modem->phase == SIM_PHASE_OFF)
            continue;   /* heard by nobody */
        if (modem->phase == SIM_PHASE_TEXT)
            text_octet(modem, c, now_us);
        else
            line_octet(modem, c, now_us);
    }
}

void sim_modem_feed(struct sim_modem *modem, const uint8_t *bytes, size_t length, uint64_t now_us)
{
    for (size_t i = 0; i < length; i++) {
        if (modem->input_length == SIM_INPUT_MAX)
            sim_modem_poll(modem, now_us);
        if (modem->input_length == SIM_INPUT_MAX) {
            modem->counters.input_dropped += length - i;
            break;
        }
        modem->input[(modem->input_at + modem->input_length) % SIM_INPUT_MAX] = bytes[i];
        modem->input_length++;
    }
    sim_modem_poll(modem, now_us);
}

/* ---- time ---- */

static void chatter(struct sim_modem *modem, uint64_t now_us)
{
    uint32_t lines = 0;

    while (lines < SIM_CHATTER_LINES_MAX && modem->personality->chatter[lines] != NULL)
        lines++;
    /* A modem does not talk into the text after its prompt. */
    if (lines > 0 && modem->phase != SIM_PHASE_TEXT)
        sim_say_text(modem, modem->personality->chatter[sim_random_below(&modem->random, lines)]);
    sim_arm(modem, SIM_TIMER_CHATTER, now_us + (uint64_t)(modem->faults[SIM_FAULT_CHATTY].argument + 1) * MS_US);
}

static void timer_fire(struct sim_modem *modem, enum sim_timer timer, uint64_t now_us)
{
    switch (timer) {
    case SIM_TIMER_UNHANG:
        modem->hung = false;
        sim_air_ready(modem, now_us);
        break;
    case SIM_TIMER_EXECUTE:
        line_execute(modem, now_us);
        break;
    case SIM_TIMER_ACCEPT:
        sim_part_accept(modem, now_us);
        break;
    case SIM_TIMER_CUT:
        sim_part_cut(modem, now_us);
        break;
    case SIM_TIMER_ANSWER:
        sim_part_answer(modem, now_us);
        break;
    case SIM_TIMER_BOOT:
        boot_step(modem, now_us);
        break;
    case SIM_TIMER_SIM_READY:
        modem->sim_ready = true;
        if (modem->personality->ready_line != NULL)
            sim_say_text(modem, modem->personality->ready_line);
        settle(modem, now_us);
        break;
    case SIM_TIMER_REGISTER:
        sim_registration_set(modem, true, now_us);
        break;
    case SIM_TIMER_CNMA:
        sim_cnma_timeout(modem, now_us);
        break;
    case SIM_TIMER_USSD:
        sim_ussd_answer(modem);
        break;
    case SIM_TIMER_CHATTER:
        chatter(modem, now_us);
        break;
    case SIM_TIMER_HELD:
        sim_part_held(modem, now_us);
        break;
    case SIM_TIMER_COUNT:
        break;
    }
    /* +CFUN and +CPIN change what card and network may do next. */
    if (timer == SIM_TIMER_EXECUTE)
        settle(modem, now_us);
}

static enum sim_timer next_timer(const struct sim_modem *modem)
{
    enum sim_timer next = SIM_TIMER_UNHANG;

    for (unsigned i = 1; i < SIM_TIMER_COUNT; i++)
        if (modem->due_us[i] < modem->due_us[next])
            next = (enum sim_timer)i;
    return next;
}

void sim_modem_poll(struct sim_modem *modem, uint64_t now_us)
{
    for (;;) {
        enum sim_timer timer;

        input_run(modem, now_us);
        timer = next_timer(modem);
        if (modem->due_us[timer] > now_us || modem->due_us[timer] == NEVER)
            return;
        modem->due_us[timer] = NEVER;
        timer_fire(modem, timer, now_us);
    }
}

uint64_t sim_modem_deadline(const struct sim_modem *modem)
{
    return modem->due_us[next_timer(modem)];
}
