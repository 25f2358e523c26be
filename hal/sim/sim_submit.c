/* SPDX-License-Identifier: Apache-2.0 */
/* A part from the prompt over the air to its answer, and what may go wrong on the way. */
#include "hal/sim/sim_modem_internal.h"

#include "src/base/hex.h"

#include <stdio.h>
#include <string.h>

#define LINK_KEPT_US UINT64_C(5000000)   /* +CMMS: 1 to 5 s, TS 27.005 3.5.6 */
#define TPDU_OCTETS_MAX 164

/* Prompt and text: common to +CMGS and +CMGW. */
static struct sim_result prompt_open(struct sim_modem *modem, struct sim_call *call, bool stores)
{
    const char *first = call->args.text[0];

    modem->text_length = 0;
    modem->text_overflow = false;
    modem->text_stores = stores;
    modem->text_to[0] = '\0';
    if (modem->settings.text_mode) {
        char to[SMS_ADDRESS_CHARS_MAX];

        if (sim_text_take(modem->settings.charset, first, strlen(first), to, sizeof to) < 0 || (to[0] == '\0' && !stores))
            return sim_cms(304);
        /* <toda> 145 says international where the number itself does not. */
        (void)snprintf(modem->text_to, sizeof modem->text_to, "%s%.40s",
                       sim_arg_int(&call->args, 1, 0) == 145 && to[0] != '+' ? "+" : "", to);
    } else {
        int n = sim_arg_int(&call->args, 0, -1);

        if (n < 1 || n > TPDU_OCTETS_MAX)
            return sim_cms(304);
        modem->text_declared = (uint32_t)n;
    }
    modem->phase = SIM_PHASE_TEXT;
    sim_put(modem, modem->personality->prompt, strlen(modem->personality->prompt));
    return sim_pending();
}

struct sim_result sim_do_cmgs(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_result result = sim_sms_ready(modem);
    uint32_t argument;

    if (call->op == SIM_OP_TEST || result.answer != SIM_ANSWER_OK)
        return result;
    if (sim_fault_strikes(modem, SIM_FAULT_NO_PROMPT, &argument, now_us))
        return sim_pending();
    return prompt_open(modem, call, false);
}

struct sim_result sim_do_cmgw(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_result result = sim_sms_ready(modem);
    int stat = sim_arg_int(&call->args, 1, SIM_SLOT_UNSENT);

    (void)now_us;
    if (call->op == SIM_OP_TEST || result.answer != SIM_ANSWER_OK)
        return result;
    if (call->op == SIM_OP_RUN)
        return sim_cms(303);
    /* In text mode the second field is a type of address. */
    if (modem->settings.text_mode)
        stat = SIM_SLOT_UNSENT;
    if (stat < 0 || stat > SIM_SLOT_SENT)
        return sim_cms(304);
    modem->store_stat = (uint8_t)stat;
    return prompt_open(modem, call, true);
}

struct sim_result sim_do_cmss(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_storage *storage = &modem->storages[modem->settings.storage[1]];
    struct sim_result result = sim_sms_ready(modem);
    int index = sim_arg_int(&call->args, 0, -1) - modem->personality->index_base;
    struct sim_slot *slot;

    if (call->op == SIM_OP_TEST || result.answer != SIM_ANSWER_OK)
        return result;
    if (call->args.count > 1)
        return sim_cms(303);   /* to another number than the stored one: not with this modem */
    if (index < 0 || (size_t)index >= storage->count || !storage->slots[index].used || storage->slots[index].stat < SIM_SLOT_UNSENT)
        return sim_cms(321);
    slot = &storage->slots[index];
    slot->stat = SIM_SLOT_SENT;
    return sim_part_start(modem, slot->pdu, slot->length, "+CMSS", now_us);
}

/* The submit that a modem makes of a text-mode message. */
static struct sim_result text_to_pdu(struct sim_modem *modem, uint8_t ret_pdu[SMS_PDU_BYTES_MAX], size_t *ret_length)
{
    const struct sim_settings *s = &modem->settings;
    char utf8[SIM_TEXT_MAX];
    struct sms_submit submit = { .to = modem->text_to, .message_class = -1, .text = utf8 };
    const char *error;
    uint8_t tpdu_length;
    int length = sim_text_take(s->charset, modem->text, modem->text_length, utf8, sizeof utf8);

    if (length < 0)
        return sim_cms(305);
    submit.text_length = (size_t)length;
    submit.alphabet = (s->csmp_dcs & 0x0C) == 0x08 ? SMS_UCS2 : SMS_GSM7;
    submit.pid = s->csmp_pid;
    submit.status_report = (s->csmp_fo & 0x20) != 0;
    if ((s->csmp_fo >> 3 & 3) == 2) {
        submit.vp_format = SMS_VP_RELATIVE;
        submit.vp_raw = s->csmp_vp;
    }
    if (sms_submit_encode(&submit, ret_pdu, ret_length, &tpdu_length, &error) < 0)
        return sim_cms(305);
    return sim_ok();
}

static struct sim_result hex_to_pdu(struct sim_modem *modem, uint8_t ret_pdu[SMS_PDU_BYTES_MAX], size_t *ret_length)
{
    int length = hex_decode(modem->text, modem->text_length, ret_pdu, SMS_PDU_BYTES_MAX);

    if (modem->text_overflow || length < 2 || (size_t)length != 1 + (size_t)ret_pdu[0] + modem->text_declared)
        return sim_cms(304);
    *ret_length = (size_t)length;
    return sim_ok();
}

/* Nothing of it is on the air, now or ever, and no answer will come. */
static bool part_forgotten(struct sim_modem *modem, const uint8_t *pdu, size_t length, uint64_t now_us)
{
    uint32_t argument;

    if (sim_fault_strikes(modem, SIM_FAULT_SWALLOWED, &argument, now_us))
        return true;
    if (modem->held_length != 0 || !sim_fault_strikes(modem, SIM_FAULT_HELD, &argument, now_us))
        return false;
    memcpy(modem->held_pdu, pdu, length);
    modem->held_length = length;
    sim_arm(modem, SIM_TIMER_HELD, now_us + (uint64_t)argument * 1000);
    return true;
}

void sim_text_done(struct sim_modem *modem, uint64_t now_us)
{
    uint8_t pdu[SMS_PDU_BYTES_MAX];
    size_t length = 0;
    struct sim_result result = modem->settings.text_mode ? text_to_pdu(modem, pdu, &length) : hex_to_pdu(modem, pdu, &length);

    modem->phase = SIM_PHASE_COMMAND;
    if (result.answer == SIM_ANSWER_OK && modem->text_stores) {
        int index = sim_storage_put(modem, modem->settings.storage[1], pdu, length, length - 1 - pdu[0],
                                    (enum sim_slot_stat)modem->store_stat, false);

        if (index < 0)
            result = sim_cms(322);
        else
            sim_say(modem, "+CMGW: %d", index);
    } else if (result.answer == SIM_ANSWER_OK) {
        result = part_forgotten(modem, pdu, length, now_us) ? (struct sim_result){ SIM_ANSWER_SILENCE, 0 }
                                                            : sim_part_start(modem, pdu, length, "+CMGS", now_us);
    }
    sim_finish(modem, result);
    sim_air_ready(modem, now_us);
}

/* -- TP-MR and the card's file ------------------------------------------------------------------------------- */

static bool counts_by_itself(const struct sim_modem *modem)
{
    return modem->config.smss == SIM_SMSS_AT_POWER_OFF || modem->config.smss == SIM_SMSS_NEVER;
}

void sim_mr_start(struct sim_modem *modem)
{
    modem->mr_counter = counts_by_itself(modem) && modem->card != NULL ? (uint8_t)(modem->card->last_mr + 1) : 0;
}

void sim_mr_stop(struct sim_modem *modem)
{
    if (modem->config.smss == SIM_SMSS_AT_POWER_OFF && modem->phase != SIM_PHASE_OFF && modem->card != NULL)
        modem->card->last_mr = (uint8_t)(modem->mr_counter - 1);
}

static uint8_t mr_by_personality(struct sim_modem *modem, uint8_t in_pdu)
{
    switch (modem->personality->mr_source) {
    case SIM_MR_CARD:
        return ++modem->card->last_mr;
    case SIM_MR_MODEM:
        return modem->mr_counter++;
    case SIM_MR_PDU:
        break;
    }
    return in_pdu;
}

static uint8_t mr_assign(struct sim_modem *modem, uint8_t in_pdu)
{
    switch (modem->config.smss) {
    case SIM_SMSS_AT_SUBMIT:
    case SIM_SMSS_REFUSED:
        return ++modem->card->last_mr;
    case SIM_SMSS_AT_ACK:
        return (uint8_t)(modem->card->last_mr + 1);
    case SIM_SMSS_AT_POWER_OFF:
    case SIM_SMSS_NEVER:
        return modem->mr_counter++;
    case SIM_SMSS_RESTARTS:
        modem->card->last_mr = modem->mr_counter++;
        return modem->card->last_mr;
    case SIM_SMSS_BY_PERSONALITY:
    case SIM_SMSS_COUNT:
        break;
    }
    return mr_by_personality(modem, in_pdu);
}

/* The network's acknowledgement has come. */
static void mr_acknowledged(struct sim_modem *modem, uint8_t mr)
{
    if (modem->config.smss == SIM_SMSS_AT_ACK && modem->card != NULL)
        modem->card->last_mr = mr;
}

/* -- one part ------------------------------------------------------------------------------------------------- */

/* +CMS ERROR 332, network timeout: the acknowledgement may have been lost on its way back (TS 24.011 RP-ACK). */
static bool error_may_have_sent(const struct sim_result *result)
{
    return result->answer == SIM_ANSWER_CMS && result->code == 332;
}

/* Draws what happens to this part; answers and timers follow from it. */
static void faults_draw(struct sim_modem *modem, uint64_t air_us, uint64_t *ret_answer_us, uint64_t now_us)
{
    static const struct { enum sim_fault fault; enum sim_answer answer; } errors[] = {
        { SIM_FAULT_CMS, SIM_ANSWER_CMS }, { SIM_FAULT_CME, SIM_ANSWER_CME }, { SIM_FAULT_ERROR, SIM_ANSWER_ERROR },
    };
    struct sim_part *part = &modem->part;
    uint32_t argument;

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (sim_fault_strikes(modem, errors[i].fault, &argument, now_us)) {
            part->result = (struct sim_result){ errors[i].answer, (int)argument };
            part->accept = error_may_have_sent(&part->result) && sim_random_below(&modem->random, 2) == 0;
            return;
        }
    for (unsigned i = SIM_FAULT_RESET; i <= SIM_FAULT_UNPLUG; i++)
        if (sim_fault_strikes(modem, (enum sim_fault)i, &argument, now_us)) {
            part->cut = (enum sim_fault)i;
            sim_arm(modem, SIM_TIMER_CUT, now_us + sim_random_below(&modem->random, (uint32_t)air_us + 1));
            if (air_us == 0)
                part->accept = sim_random_below(&modem->random, 2) == 0;
            return;
        }
    if (sim_fault_strikes(modem, SIM_FAULT_HANG, &argument, now_us)) {
        modem->hung = true;
        sim_arm(modem, SIM_TIMER_UNHANG, argument == 0 ? UINT64_MAX : now_us + (uint64_t)argument * 1000);
        part->accept = sim_random_below(&modem->random, 2) == 0;
        if (!part->accept)
            part->result.answer = SIM_ANSWER_SILENCE;   /* also where it is back before the answer is due */
    } else if (sim_fault_strikes(modem, SIM_FAULT_LOST_REPLY, &argument, now_us)) {
        part->result.answer = SIM_ANSWER_SILENCE;
    } else if (sim_fault_strikes(modem, SIM_FAULT_LATE, &argument, now_us)) {
        *ret_answer_us += (uint64_t)argument * 1000;
    }
}

static void submit_view(const struct sim_part *part, struct sim_submit *ret_submit)
{
    *ret_submit = (struct sim_submit){ .tpdu_octets = part->pdu + part->tpdu_at, .tpdu_length = part->length - part->tpdu_at,
                                       .tpdu = &part->tpdu, .pdu = part->pdu, .pdu_length = part->length, .mr = part->mr,
                                       .linked = part->linked };
}

struct sim_result sim_part_start(struct sim_modem *modem, const uint8_t *pdu, size_t length, const char *command, uint64_t now_us)
{
    struct sim_part *part = &modem->part;
    struct sim_air_plan plan = { 0, 0 };
    struct sim_submit submit;
    uint64_t answer_us;
    const char *error;

    if (sms_pdu_decode(pdu, length, SMS_SUBMIT, &part->tpdu, &error) < 0 || part->tpdu.trailing_octets > 0)
        return sim_cms(304);
    part->number++;
    memcpy(part->pdu, pdu, length);
    part->length = length;
    part->tpdu_at = 1 + (size_t)pdu[0];
    part->command = command;
    part->mr = mr_assign(modem, part->tpdu.mr);
    part->mr_said = (uint8_t)(part->mr + modem->faults[SIM_FAULT_LYING_MR].on);
    part->tpdu.mr = part->pdu[part->tpdu_at + 1] = part->mr;
    part->linked = modem->settings.cmms > 0 && now_us <= modem->link_until_us;
    part->result = sim_ok();
    part->accept = true;
    modem->phase = SIM_PHASE_AIR;
    modem->counters.submits++;
    sim_event(modem, SIM_EVENT_SUBMIT, "", now_us);

    submit_view(part, &submit);
    if (modem->config.air.plan != NULL)
        modem->config.air.plan(modem->config.air.context, modem, &submit, now_us, &plan);
    answer_us = now_us + plan.air_us;
    if (sim_registration_stat(modem) != 1) {
        part->result = sim_cms(331);
        part->accept = false;
        answer_us = now_us + modem->config.latency_us;
    } else if (plan.cms != 0) {
        part->result = sim_cms(plan.cms);
        part->accept = false;
    } else {
        faults_draw(modem, plan.air_us, &answer_us, now_us);
    }
    /* The network has it a while before the modem knows: the acknowledgement travels too. */
    if (part->accept)
        sim_arm(modem, SIM_TIMER_ACCEPT, now_us + plan.air_us - plan.air_us / 8);
    sim_arm(modem, SIM_TIMER_ANSWER, answer_us);
    return sim_pending();
}

void sim_part_accept(struct sim_modem *modem, uint64_t now_us)
{
    struct sim_submit submit;

    submit_view(&modem->part, &submit);
    if (modem->config.air.accept != NULL)
        modem->config.air.accept(modem->config.air.context, modem, &submit, now_us);
}

void sim_part_held(struct sim_modem *modem, uint64_t now_us)
{
    struct sim_part part = { .number = modem->part.number, .length = modem->held_length, .tpdu_at = 1 + (size_t)modem->held_pdu[0] };
    struct sim_submit submit;
    const char *error;

    modem->held_length = 0;
    if (sim_registration_stat(modem) != 1 || sms_pdu_decode(modem->held_pdu, part.length, SMS_SUBMIT, &part.tpdu, &error) < 0)
        return;
    memcpy(part.pdu, modem->held_pdu, part.length);
    part.mr = mr_assign(modem, part.tpdu.mr);
    part.tpdu.mr = part.pdu[part.tpdu_at + 1] = part.mr;
    submit_view(&part, &submit);
    if (modem->config.air.accept != NULL)
        modem->config.air.accept(modem->config.air.context, modem, &submit, now_us);
    mr_acknowledged(modem, part.mr);
}

void sim_part_answer(struct sim_modem *modem, uint64_t now_us)
{
    static const char *const kinds[] = { [SIM_ANSWER_PENDING] = "", [SIM_ANSWER_OK] = "OK", [SIM_ANSWER_ERROR] = "ERROR",
                                         [SIM_ANSWER_CMS] = "+CMS", [SIM_ANSWER_CME] = "+CME", [SIM_ANSWER_SILENCE] = "no answer" };
    struct sim_part *part = &modem->part;
    char text[32];

    modem->phase = SIM_PHASE_COMMAND;
    if (modem->settings.cmms > 0)
        modem->link_until_us = now_us + LINK_KEPT_US;
    if (modem->hung) {
        sim_event(modem, SIM_EVENT_REFUSED, "no answer", now_us);
    } else if (part->result.answer == SIM_ANSWER_OK) {
        mr_acknowledged(modem, part->mr);
        sim_say(modem, "%s: %d", part->command, part->mr_said);
        sim_finish(modem, part->result);
        modem->counters.answered++;
        sim_event(modem, SIM_EVENT_ANSWERED, "", now_us);
    } else {
        sim_finish(modem, part->result);
        modem->counters.refused++;
        if (part->result.code != 0)
            (void)snprintf(text, sizeof text, "%s %d", kinds[part->result.answer], part->result.code);
        else
            (void)snprintf(text, sizeof text, "%s", kinds[part->result.answer]);
        sim_event(modem, SIM_EVENT_REFUSED, text, now_us);
    }
}

void sim_part_cut(struct sim_modem *modem, uint64_t now_us)
{
    if (modem->part.cut == SIM_FAULT_RESET) {
        sim_modem_reset(modem, now_us);
    } else {
        sim_modem_power_off(modem, now_us);
        sim_event(modem, SIM_EVENT_UNPLUG, "", now_us);
    }
}

void sim_part_drop(struct sim_modem *modem, uint64_t now_us)
{
    modem->held_length = 0;
    if (modem->phase == SIM_PHASE_AIR)
        sim_event(modem, SIM_EVENT_REFUSED, "power lost", now_us);
}
