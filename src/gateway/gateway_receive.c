/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_receive.c - what comes in: messages and delivery reports, on disk before the modem may forget them. */
#include "src/gateway/gateway_internal.h"
#include "src/store/tp_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t time_ms(const struct sms_time *time)
{
    int64_t s = time->present ? sms_time_to_unix_s(time) : INT64_MIN;

    return s == INT64_MIN ? 0 : s * 1000;
}

static char *copy(const void *bytes, size_t length)
{
    char *text = malloc(length + 1);

    if (text != NULL) {
        memcpy(text, bytes, length);
        text[length] = '\0';
    }
    return text;
}

static uint32_t sim_id_of(const struct store_change *change)
{
    return change->kind == CHANGE_RECEIVE ? change->u.receive.sim_id : change->u.report.sim_id;
}

static void set_sim(struct store_change *change, uint32_t sim_id, uint32_t modem_id)
{
    if (change->kind == CHANGE_RECEIVE) {
        change->u.receive.sim_id = sim_id;
        change->u.receive.modem_id = modem_id;
    } else {
        change->u.report.sim_id = sim_id;
    }
}

/* It belongs to a card: while its row number is still on its way, it waits. Over the bound it is dropped, and comes again
 * from the modem's storage. */
static void add_for_card(struct gateway *gateway, struct gateway_slot *slot, struct store_change *change)
{
    struct store_change **tail = &slot->waiting;

    if (slot->known) {
        set_sim(change, slot->sim_id, slot->modem_id);
        gateway_add_change(gateway, change);
        return;
    }
    if (slot->waiting_count >= GATEWAY_WAITING_MAX) {
        change_free(change);
        return;
    }
    set_sim(change, slot->card_turn, 0);
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = change;
    slot->waiting_count++;
}

/* Another card may have come in since: each goes to the one that it came by. */
void gateway_flush_waiting(struct gateway *gateway, struct gateway_slot *slot, uint32_t card_turn, const struct change_sim *rows,
                           struct gateway_now now)
{
    struct store_change **at = &slot->waiting;

    while (*at != NULL) {
        struct store_change *change = *at;

        if (sim_id_of(change) != card_turn) {
            at = &change->next;
            continue;
        }
        *at = change->next;
        slot->waiting_count--;
        set_sim(change, rows->sim_id, rows->modem_id);
        gateway_look_at_clock(gateway, now);
        change->now_ms = now.wall_ms;
        if (change->kind == CHANGE_RECEIVE)
            gateway_consent_waited(&change->u.receive, now.wall_ms);
        gateway_add_change(gateway, change);
    }
}

/* The card that it came by, as long as that one is in the slot; else nameless. */
static const struct change_sim *card_of(const struct gateway_slot *slot, uint32_t sim_id)
{
    static const struct change_sim gone = { .sim_id = 0 };

    return slot->known && slot->sim_id == sim_id ? &slot->card : &gone;
}

static bool fill_user_data(struct change_receive *receive, const struct sms_tpdu *tpdu)
{
    if (tpdu->alphabet == SMS_8BIT) {
        receive->data = (uint8_t *)copy(tpdu->data, tpdu->data_length);
        receive->data_length = tpdu->data_length;
        return receive->data != NULL;
    }
    receive->text = copy(tpdu->text, tpdu->text_length);
    receive->text_length = tpdu->text_length;
    return receive->text != NULL;
}

/* A PDU that cannot be read is kept as it is: nothing that arrived is lost, a person can look at it. */
void gateway_received(struct gateway *gateway, uint32_t index, const char *pdu_hex, size_t length, uint32_t handle,
                      struct gateway_now now)
{
    struct gateway_slot *slot = gateway_slot_get(gateway, index);
    struct store_change *change;
    struct change_receive *receive;
    struct sms_tpdu tpdu;
    const char *error;

    if (slot == NULL || gateway->store_damaged || (change = gateway_new_change(gateway, CHANGE_RECEIVE, now)) == NULL)
        return;   /* it stays with the modem and comes again */
    receive = &change->u.receive;
    change->slot = index;
    change->handle = handle;
    receive->message_class = -1;
    receive->pdu_hex = copy(pdu_hex, length);
    if (receive->pdu_hex == NULL) {
        change_free(change);
        return;
    }
    if (sms_pdu_decode_hex(pdu_hex, length, SMS_DELIVER, &tpdu, &error) < 0) {
        (void)snprintf(receive->problem, sizeof receive->problem, "%s", error);
        add_for_card(gateway, slot, change);
        return;
    }
    (void)snprintf(receive->from, sizeof receive->from, "%s", tpdu.address.text);
    receive->from_type = tpdu.address.type;
    receive->alphabet = (uint8_t)tpdu.alphabet;
    receive->message_class = tpdu.message_class;
    receive->pid = tpdu.pid;
    receive->dcs = tpdu.dcs;
    receive->concat = tpdu.udh.concat;
    receive->ref = tpdu.udh.concat_ref;
    receive->ref_bits = tpdu.udh.concat_ref_bits;
    receive->total = tpdu.udh.concat_total;
    receive->seq = tpdu.udh.concat_seq;
    receive->port_bits = tpdu.udh.port_bits;
    receive->port_dst = tpdu.udh.port_dst;
    receive->port_src = tpdu.udh.port_src;
    receive->scts_ms = time_ms(&tpdu.scts);
    receive->tz_quarters = tpdu.scts.tz_quarters;
    if (!fill_user_data(receive, &tpdu) || !gateway_consent_read(gateway, receive, now.wall_ms)) {
        change_free(change);
        return;
    }
    add_for_card(gateway, slot, change);
}

void gateway_receive_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    const struct change_receive *receive = &change->u.receive;
    const struct gateway_slot *slot = gateway_slot_get(gateway, change->slot);

    if (change->result != 0)
        return;   /* not acknowledged: the modem still has it */
    gateway->config.ops->stored(gateway->config.context, change->slot, (uint32_t)change->handle, now);
    gateway_consent_done(gateway, receive, now);
    if (receive->duplicate) {
        gateway->duplicates_dropped++;
        return;
    }
    gateway->received++;
    if (receive->inbox_id == 0) {
        gateway_due_at(gateway, receive->give_up_ms);   /* nothing else may ever ask, on a box that only receives */
    } else {
        const struct change_sim *card = card_of(slot, receive->sim_id);
        struct live_event event = { .kind = LIVE_INBOX, .at_ms = now.wall_ms, .message_id = receive->inbox_id, .from = receive->from,
                                    .text = receive->concat ? NULL : receive->text, .reason = receive->problem, .parts = receive->total,
                                    .mr = -1, .code = -1, .status = -1, .port = slot->port, .imei = card->imei, .iccid = card->iccid };

        gateway->config.ops->event(gateway->config.context, &event);
    }
}

void gateway_report(struct gateway *gateway, uint32_t index, const char *pdu_hex, size_t length, uint32_t handle,
                    struct gateway_now now)
{
    struct gateway_slot *slot = gateway_slot_get(gateway, index);
    struct store_change *change;
    struct change_report *report;
    struct sms_tpdu tpdu;
    const char *error;

    if (slot == NULL)
        return;
    if (sms_pdu_decode_hex(pdu_hex, length, SMS_STATUS_REPORT, &tpdu, &error) < 0) {
        gateway_received(gateway, index, pdu_hex, length, handle, now);   /* some modems store both kinds in one place */
        return;
    }
    if ((change = gateway_new_change(gateway, CHANGE_REPORT, now)) == NULL)
        return;
    report = &change->u.report;
    change->slot = index;
    change->handle = handle;
    report->mr = tpdu.mr;
    (void)snprintf(report->recipient, sizeof report->recipient, "%s", tpdu.address.text);
    report->status = tpdu.status;
    report->discharge_ms = time_ms(&tpdu.discharge);
    report->scts_ms = time_ms(&tpdu.scts);
    add_for_card(gateway, slot, change);
}

void gateway_report_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    const struct change_report *report = &change->u.report;
    struct gateway_slot *slot = gateway_slot_get(gateway, change->slot);
    const struct change_sim *card;

    if (change->result != 0)
        return;
    gateway->config.ops->stored(gateway->config.context, change->slot, (uint32_t)change->handle, now);
    gateway->reports++;
    if (report->message_id == 0) {
        gateway->reports_unmatched++;
        return;
    }
    card = card_of(slot, report->sim_id);
    if (card == &slot->card)
        sim_health_reported(&slot->health, tp_status_find(report->status), gateway_recipient_hash(report->recipient), now.mono_us);
    {
        struct live_event event = { .kind = LIVE_PART, .at_ms = now.wall_ms, .message_id = report->message_id, .part = report->part,
                                    .parts = report->parts,
                                    .step = LIVE_PART_REPORTED, .mr = report->mr, .code = -1, .status = report->status, .reason = "",
                                    .port = slot->port, .imei = card->imei, .iccid = card->iccid };

        gateway->config.ops->event(gateway->config.context, &event);
    }
    if (report->message_changed)
        gateway_event_message(gateway, report->message_id, report->message_state, report->reason, now);
    if (report->ready_ms != 0)
        gateway_due_at(gateway, report->ready_ms);
}
