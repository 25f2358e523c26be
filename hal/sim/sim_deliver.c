/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in from the network: stored or routed, as +CNMI and the storage say (TS 27.005 3.4.1). */
#include "hal/sim/sim_modem_internal.h"

#include "src/base/hex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CNMA_WAIT_US UINT64_C(15000000)   /* TR2M is 12 to 20 s, TS 24.011 10.3 */

size_t sim_pdu_with_smsc(const struct sim_modem *modem, const uint8_t *tpdu, size_t length, uint8_t ret_pdu[SMS_PDU_BYTES_MAX])
{
    size_t at = sim_pdu_smsc(modem->card->smsc, ret_pdu);

    if (at + length > SMS_PDU_BYTES_MAX)
        return 0;
    memcpy(ret_pdu + at, tpdu, length);
    return at + length;
}

void sim_air_ready(struct sim_modem *modem, uint64_t now_us)
{
    if (!modem->air_waits)
        return;
    modem->air_waits = false;
    if (modem->config.air.ready != NULL)
        modem->config.air.ready(modem->config.air.context, modem, now_us);
}

static int later(struct sim_modem *modem, int reason)
{
    modem->air_waits = true;
    return reason;
}

/* +CNMI mode 0 keeps unasked lines back; the oldest go when there is no room (TS 27.005 3.4.1). */
static void urc(struct sim_modem *modem, const char *line, const char *second)
{
    char text[SIM_BUFFERED_URC_MAX];
    size_t length;

    if (modem->settings.cnmi[0] != 0) {
        if (second != NULL)
            sim_say_lines(modem, line, second);
        else
            sim_say(modem, "%s", line);
        return;
    }
    length = (size_t)snprintf(text, sizeof text, "\r\n%s\r\n%s%s", line, second != NULL ? second : "", second != NULL ? "\r\n" : "");
    if (length >= sizeof text)
        return;
    if (modem->urcs_length + length > sizeof modem->urcs)
        modem->urcs_length = 0;
    memcpy(modem->urcs + modem->urcs_length, text, length);
    modem->urcs_length += length;
}

void sim_urcs_flush(struct sim_modem *modem, bool discard)
{
    if (!discard)
        sim_put(modem, modem->urcs, modem->urcs_length);
    modem->urcs_length = 0;
}

static void say_incoming(struct sim_modem *modem, enum sim_event_kind kind, const struct sms_tpdu *tpdu, const char *hex,
                         uint64_t now_us)
{
    struct sim_event event = { .kind = kind, .t_us = now_us, .modem = modem->config.index, .from = modem, .text = tpdu->text,
                               .pdu_hex = hex, .address = tpdu->address.text, .mr = -1, .status = -1, .ref = -1, .total = 1,
                               .seq = 1 };

    if (modem->config.on_event == NULL)
        return;
    if (kind == SIM_EVENT_REPORT) {
        event.mr = tpdu->mr;
        event.status = tpdu->status;
    }
    if (tpdu->udh.concat) {
        event.ref = tpdu->udh.concat_ref;
        event.total = tpdu->udh.concat_total;
        event.seq = tpdu->udh.concat_seq;
    }
    modem->config.on_event(modem->config.on_event_context, &event);
}

/* Whether the modem can be reached at all; the line being in its text phase only puts it off. */
static int reachable(struct sim_modem *modem)
{
    if (modem->phase == SIM_PHASE_OFF || modem->phase == SIM_PHASE_BOOTING || modem->hung || sim_registration_stat(modem) != 1 ||
        sim_card_state(modem) != SIM_CARD_READY)
        return later(modem, -EAGAIN);
    if (modem->phase == SIM_PHASE_TEXT || modem->cnma_wait)
        return later(modem, -EBUSY);
    return 0;
}

/* +CMT or +CDS, and the wait for +CNMA that service 1 of +CSMS asks for. */
static void route(struct sim_modem *modem, const char *name, const struct sms_tpdu *tpdu, const char *hex,
                  const uint8_t *octets, size_t length, bool report, uint64_t now_us)
{
    char line[640], fields[600], body[SMS_PDU_BYTES_MAX * 8];

    if (!modem->settings.text_mode) {
        (void)snprintf(line, sizeof line, report ? "%s: %zu" : "%s: ,%zu", name, length);
        urc(modem, line, hex);
    } else {
        sim_text_mode_fields(modem, tpdu, fields, sizeof fields);
        (void)snprintf(line, sizeof line, "%s: %s", name, fields);
        (void)sim_text_show(modem->settings.charset, tpdu->text, body, sizeof body);
        urc(modem, line, report ? NULL : body);
    }
    if (modem->settings.csms != 1)
        return;
    modem->cnma_wait = true;
    modem->cnma_report = report;
    modem->cnma_length = length;
    memcpy(modem->cnma_tpdu, octets, length);
    sim_arm(modem, SIM_TIMER_CNMA, now_us + CNMA_WAIT_US);
}

int sim_modem_deliver_sms(struct sim_modem *modem, const uint8_t *tpdu, size_t length, uint64_t now_us)
{
    uint8_t pdu[SMS_PDU_BYTES_MAX];
    char hex[2 * SMS_PDU_BYTES_MAX + 1], line[64];
    struct sms_tpdu decoded;
    const char *error;
    uint8_t mt = modem->settings.cnmi[1];
    size_t octets, storage = modem->settings.storage[2];
    bool routed;
    int r = reachable(modem);

    if (r < 0)
        return r;
    if (length > SIM_TPDU_BYTES_MAX)
        return -EINVAL;
    octets = sim_pdu_with_smsc(modem, tpdu, length, pdu);
    if (octets == 0 || sms_pdu_decode(pdu, octets, SMS_DELIVER, &decoded, &error) < 0)
        return -EINVAL;
    hex_encode(pdu, octets, hex);
    /* Class 0 is shown, not stored; class 2 belongs on the card; class 3 alone is routed by mt 3. */
    routed = (mt == 2 && decoded.message_class != 2) || (mt == 3 && decoded.message_class == 3) ||
             (mt > 0 && decoded.message_class == 0);
    if (decoded.message_class == 2 && sim_storage_find(modem, "SM") >= 0)
        storage = (size_t)sim_storage_find(modem, "SM");
    if (routed) {
        say_incoming(modem, SIM_EVENT_INCOMING, &decoded, hex, now_us);
        route(modem, "+CMT", &decoded, hex, tpdu, length, false, now_us);
        return 0;
    }
    r = sim_storage_put(modem, storage, pdu, octets, length, SIM_SLOT_UNREAD, false);
    if (r < 0)
        return later(modem, r);
    say_incoming(modem, SIM_EVENT_INCOMING, &decoded, hex, now_us);
    if (mt > 0) {
        (void)snprintf(line, sizeof line, "+CMTI: \"%s\",%d", modem->storages[storage].name, r);
        urc(modem, line, NULL);
    }
    return 0;
}

int sim_modem_push_report(struct sim_modem *modem, const uint8_t *tpdu, size_t length, uint64_t now_us)
{
    const struct sim_personality *p = modem->personality;
    uint8_t pdu[SMS_PDU_BYTES_MAX];
    char hex[2 * SMS_PDU_BYTES_MAX + 1], line[64];
    struct sms_tpdu decoded;
    const char *error;
    uint8_t ds = modem->settings.cnmi[3];
    size_t octets;
    int storage, index = 0, r = reachable(modem);

    if (r < 0)
        return r;
    if (length > SIM_TPDU_BYTES_MAX)
        return -EINVAL;
    octets = sim_pdu_with_smsc(modem, tpdu, length, pdu);
    if (octets == 0 || sms_pdu_decode(pdu, octets, SMS_STATUS_REPORT, &decoded, &error) < 0)
        return -EINVAL;
    hex_encode(pdu, octets, hex);
    if (ds == 2) {
        storage = sim_storage_find(modem, p->report_storage);
        /* SR of size 0 (SIM7600): announced and gone. */
        if (storage >= 0 && modem->storages[storage].count > 0) {
            struct sim_storage *place = &modem->storages[storage];

            /* A full SR gives up the report at its turn: the network does not hear of that storage. */
            if (strcmp(place->name, "SR") == 0 && sim_storage_used(place) == place->count)
                place->slots[modem->sr_turn++ % place->count].used = false;
            index = sim_storage_put(modem, (size_t)storage, pdu, octets, length, SIM_SLOT_UNREAD, true);
            if (index < 0)
                return later(modem, index);
        }
    }
    say_incoming(modem, SIM_EVENT_REPORT, &decoded, hex, now_us);
    if (ds == 1) {
        route(modem, "+CDS", &decoded, hex, tpdu, length, true, now_us);
    } else if (ds == 2) {
        if (p->cdsi_says != NULL)
            (void)snprintf(line, sizeof line, "+CDSI: %s", p->cdsi_says);
        else
            (void)snprintf(line, sizeof line, "+CDSI: \"%s\",%d", p->report_storage, index);
        urc(modem, line, NULL);
    }
    return 0;   /* ds 0: acknowledged and thrown away */
}

static void cnma_over(struct sim_modem *modem, bool delivered, uint64_t now_us)
{
    modem->cnma_wait = false;
    sim_arm(modem, SIM_TIMER_CNMA, UINT64_MAX);
    if (!delivered) {
        /* TS 27.005 3.4.4: no acknowledgement in time switches routing off. */
        modem->settings.cnmi[1] = modem->settings.cnmi[3] = 0;
        if (modem->config.air.returned != NULL)
            modem->config.air.returned(modem->config.air.context, modem, modem->cnma_tpdu, modem->cnma_length,
                                       modem->cnma_report, now_us);
    }
    sim_air_ready(modem, now_us);
}

void sim_cnma_timeout(struct sim_modem *modem, uint64_t now_us)
{
    cnma_over(modem, false, now_us);
}

struct sim_result sim_do_cnma(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    int n = sim_arg_int(&call->args, 0, 0);

    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+CNMA: (0-2)");
        return sim_ok();
    }
    if (call->args.count > 1 || n < 0 || n > 2)
        return sim_cms(303);   /* an acknowledgement PDU of the host's own is not taken */
    if (!modem->cnma_wait)
        return sim_cms(340);
    cnma_over(modem, n != 2, now_us);
    return sim_ok();
}
