/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/common/box.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A result normally comes within 15 s (135 s was seen, with an error). After a minute the modem is asked whether it is there:
 * if it answers that, the result was lost, and it need not stand idle until send_timeout_ms. */
#define NUDGE_MS 60000

struct box_slot {
    struct box *box;
    uint32_t index;
    char bank[32], port[128], *pin;
    struct hal_line line;                /* .ops NULL: closed */
    struct modem *modem;
    bool told_ready;                     /* what the gateway was told last */
    bool wants_write;
    uint32_t lives;                      /* of its modem, as the gateway knows */
    bool gone;                           /* the line said so; closed when its events are handled */
    uint64_t air_since_us, busy_us, ready_since_us;
};

struct box {
    struct box_config config;
    struct gateway *gateway;
    struct box_slot *slots[GATEWAY_SLOTS_MAX];
    uint32_t slot_count;
    struct gateway_now turn;             /* the time of the call that is under way */
};

static uint64_t ms(struct gateway_now now)
{
    return now.mono_us / 1000;
}

/* -- bytes ---------------------------------------------------------------------------------------------------- */

static void slot_flush(struct box_slot *slot)
{
    const uint8_t *bytes;
    size_t len;
    bool want = false;

    while (slot->line.ops != NULL && !slot->gone && (bytes = modem_output(slot->modem, &len), len != 0)) {
        ssize_t n = slot->line.ops->write(slot->line.line, bytes, len);

        if (n < 0)
            slot->gone = true;
        if (n <= 0) {
            want = n == 0;
            break;
        }
        modem_output_consume(slot->modem, (size_t)n);
    }
    if (want != slot->wants_write) {
        slot->wants_write = want;
        slot->box->config.ops->want_write(slot->box->config.context, slot->index, want);
    }
}

/* -- events of modems ----------------------------------------------------------------------------------------- */

static void tell_ready(struct box_slot *slot, struct gateway_now now)
{
    enum modem_state state = modem_status(slot->modem)->state;
    /* Once ready it stays so while it does its housekeeping; after a refusal it must say that it can take a part. */
    bool ready = slot->told_ready ? state == MODEM_READY || state == MODEM_SENDING : modem_can_send(slot->modem);

    if (ready == slot->told_ready)
        return;
    slot->told_ready = ready;
    if (ready && slot->ready_since_us == 0)
        slot->ready_since_us = now.mono_us;
    gateway_slot_ready(slot->box->gateway, slot->index, ready, now);
}

static void state_event(struct box_slot *slot, const struct modem_status *status, struct gateway_now now)
{
    struct live_event event = { .kind = LIVE_MODEM, .at_ms = now.wall_ms, .port = slot->port, .imei = status->identity.imei,
                                .iccid = status->identity.iccid, .modem_state = modem_state_name(status->state),
                                .reason = status->reason != MODEM_REASON_NONE ? modem_reason_text(status->reason) : "",
                                .mr = -1, .code = -1, .status = -1 };

    if (status->state != MODEM_SENDING && !(status->state == MODEM_READY && slot->told_ready))
        slot->box->config.ops->event(slot->box->config.context, &event);
}

static void sim_event(struct box_slot *slot, const struct modem_status *status, struct gateway_now now)
{
    struct change_sim sim = { .sim_id = 0 };
    const struct modem_identity *identity = &status->identity;

    /* A card without a readable ICCID is known by its IMSI, and one without that by where it sits. */
    if (identity->iccid[0] != '\0')
        (void)snprintf(sim.iccid, sizeof sim.iccid, "%s", identity->iccid);
    else if (identity->imsi[0] != '\0')
        (void)snprintf(sim.iccid, sizeof sim.iccid, "imsi:%s", identity->imsi);
    else
        (void)snprintf(sim.iccid, sizeof sim.iccid, "imei:%s", identity->imei);
    (void)snprintf(sim.imsi, sizeof sim.imsi, "%s", identity->imsi);
    if (identity->imei[0] != '\0')
        (void)snprintf(sim.imei, sizeof sim.imei, "%s", identity->imei);
    else
        (void)snprintf(sim.imei, sizeof sim.imei, "port:%.15s", slot->port);
    (void)snprintf(sim.manufacturer, sizeof sim.manufacturer, "%s", identity->manufacturer);
    (void)snprintf(sim.model, sizeof sim.model, "%s", identity->model);
    (void)snprintf(sim.revision, sizeof sim.revision, "%s", identity->revision);
    gateway_slot_sim(slot->box->gateway, slot->index, slot->port, &sim, now);
}

/* Events happen within a turn of the loop: the turn's time serves. */
static void on_modem_event(void *context, const struct modem_event *event, uint64_t now_ms)
{
    static const enum gateway_result results[] = {
        [MODEM_EVENT_SENT] = GATEWAY_SENT, [MODEM_EVENT_REFUSED] = GATEWAY_REFUSED, [MODEM_EVENT_NOT_SENT] = GATEWAY_NOT_SENT,
        [MODEM_EVENT_UNKNOWN] = GATEWAY_UNKNOWN, [MODEM_EVENT_LATE_SENT] = GATEWAY_LATE_SENT,
    };
    struct box_slot *slot = context;
    struct gateway *gateway = slot->box->gateway;
    struct gateway_now now = slot->box->turn;

    (void)now_ms;
    gateway_slot_air(gateway, slot->index, event->status->roaming, event->status->signal_dbm);
    if (slot->lives != event->status->lives) {
        slot->lives = event->status->lives;
        gateway_slot_restarted(gateway, slot->index);
    }
    switch (event->kind) {
    case MODEM_EVENT_STATE:
        state_event(slot, event->status, now);
        tell_ready(slot, now);
        break;
    case MODEM_EVENT_SIM:
        sim_event(slot, event->status, now);
        break;
    case MODEM_EVENT_SENT:
    case MODEM_EVENT_REFUSED:
    case MODEM_EVENT_NOT_SENT:
    case MODEM_EVENT_UNKNOWN:
    case MODEM_EVENT_LATE_SENT:
        if (event->kind != MODEM_EVENT_LATE_SENT) {
            slot->busy_us += now.mono_us - slot->air_since_us;
            slot->air_since_us = 0;
        }
        if (event->kind == MODEM_EVENT_NOT_SENT || event->kind == MODEM_EVENT_UNKNOWN)
            slot->told_ready = false;   /* the gateway expects to hear when it can take a part again */
        gateway_part_result(gateway, slot->index, (int64_t)event->part_id, results[event->kind],
                            event->kind == MODEM_EVENT_SENT || event->kind == MODEM_EVENT_LATE_SENT ? event->mr : -1,
                            (uint8_t)event->error_kind, event->kind == MODEM_EVENT_REFUSED ? event->code : -1, now);
        break;
    case MODEM_EVENT_COUNT:
        gateway_card_count(gateway, slot->index, event->mr, now);
        break;
    case MODEM_EVENT_DELIVER:
        gateway_received(gateway, slot->index, event->pdu_hex, event->pdu_length, event->handle, now);
        break;
    case MODEM_EVENT_REPORT:
        gateway_report(gateway, slot->index, event->pdu_hex, event->pdu_length, event->handle, now);
        break;
    }
}

/* -- what the gateway wants of modems ------------------------------------------------------------------------- */

static int on_send(void *context, uint32_t index, int64_t attempt_id, const char *pdu_hex, uint8_t tpdu_length, struct gateway_now now)
{
    struct box *box = context;
    struct box_slot *slot = box->slots[index];
    int r;

    if (slot->line.ops == NULL || slot->gone)
        return -ENODEV;
    r = modem_send(slot->modem, (uint64_t)attempt_id, pdu_hex, tpdu_length, ms(now));
    if (r < 0) {
        slot->told_ready = false;
        return r;
    }
    slot->air_since_us = now.mono_us;
    slot_flush(slot);
    return 0;
}

static void on_stored(void *context, uint32_t index, uint32_t handle, struct gateway_now now)
{
    struct box *box = context;
    struct box_slot *slot = box->slots[index];

    modem_stored(slot->modem, handle, ms(now));
    slot_flush(slot);
}

static void on_read_count(void *context, uint32_t index, struct gateway_now now)
{
    struct box *box = context;
    struct box_slot *slot = box->slots[index];

    if (slot->line.ops == NULL || slot->gone)
        return;
    modem_read_count(slot->modem, ms(now));
    slot_flush(slot);
}

static void on_event(void *context, const struct live_event *event)
{
    struct box *box = context;

    box->config.ops->event(box->config.context, event);
}

static void on_answer(void *context, struct store_change *change)
{
    struct box *box = context;

    box->config.ops->answer(box->config.context, change);
}

/* -- life ----------------------------------------------------------------------------------------------------- */

struct box *box_new(const struct box_config *config)
{
    static const struct gateway_ops ops = { .send = on_send, .stored = on_stored, .read_count = on_read_count, .event = on_event, .answer = on_answer };
    struct box *box = calloc(1, sizeof *box);
    struct gateway_config gateway = { .ops = &ops, .context = box, .window = config->window, .prefetch_at_once = config->prefetch_at_once,
                                     .boot = config->boot, .consent = config->consent };

    if (box == NULL)
        return NULL;
    box->config = *config;
    box->gateway = gateway_new(&gateway);
    if (box->gateway == NULL) {
        free(box);
        return NULL;
    }
    return box;
}

static void slot_free(struct box_slot *slot)
{
    if (slot == NULL)
        return;
    if (slot->line.ops != NULL)
        slot->line.ops->close(slot->line.line);
    modem_free(slot->modem);
    free(slot->pin);
    free(slot);
}

void box_free(struct box *box)
{
    if (box == NULL)
        return;
    for (uint32_t i = 0; i < box->slot_count; i++)
        slot_free(box->slots[i]);
    gateway_free(box->gateway);
    free(box);
}

int box_slot_add(struct box *box, const char *bank, const char *port, const char *pin, uint32_t *ret_slot)
{
    struct box_slot *slot;
    struct modem_config config = { .send_timeout_ms = box->config.send_timeout_ms, .poll_ms = box->config.poll_ms,
                                   .park_retry_ms = box->config.park_retry_ms, .nudge_ms = NUDGE_MS, .on_event = on_modem_event };

    if (box->slot_count == GATEWAY_SLOTS_MAX)
        return -ENOSPC;
    if (strlen(port) >= sizeof slot->port)
        return -ENAMETOOLONG;
    slot = calloc(1, sizeof *slot);
    if (slot == NULL)
        return -ENOMEM;
    slot->box = box;
    slot->index = box->slot_count;
    (void)snprintf(slot->bank, sizeof slot->bank, "%s", bank);
    (void)snprintf(slot->port, sizeof slot->port, "%s", port);
    if (pin != NULL) {
        size_t size = strlen(pin) + 1;

        if ((slot->pin = malloc(size)) == NULL)
            goto out;
        memcpy(slot->pin, pin, size);
    }
    config.pin = slot->pin;
    config.context = slot;
    slot->modem = modem_new(&config);
    if (slot->modem == NULL)
        goto out;
    *ret_slot = slot->index;
    box->slots[box->slot_count++] = slot;
    return 0;
out:
    slot_free(slot);
    return -ENOMEM;
}

uint32_t box_slot_count(const struct box *box)
{
    return box->slot_count;
}

const char *box_slot_port(const struct box *box, uint32_t slot)
{
    return box->slots[slot]->port;
}

bool box_slot_open(const struct box *box, uint32_t slot)
{
    return box->slots[slot]->line.ops != NULL;
}

struct gateway *box_gateway(struct box *box)
{
    return box->gateway;
}

const struct modem_status *box_modem_status(const struct box *box, uint32_t slot)
{
    return modem_status(box->slots[slot]->modem);
}

/* -- lines ---------------------------------------------------------------------------------------------------- */

/* What every entry ends with: bytes out, the gateway told, a line that is gone closed. Closing makes events too. */
static void slot_settle(struct box_slot *slot, struct gateway_now now)
{
    slot_flush(slot);
    if (slot->gone) {
        slot->gone = false;
        box_line_close(slot->box, slot->index, now);
        return;
    }
    tell_ready(slot, now);
    slot_flush(slot);
}

void box_line_opened(struct box *box, uint32_t index, struct hal_line line, struct gateway_now now)
{
    struct box_slot *slot = box->slots[index];

    assert(slot->line.ops == NULL);
    box->turn = now;
    slot->line = line;
    slot->gone = false;
    modem_opened(slot->modem, ms(now));
    slot_settle(slot, now);
}

void box_line_close(struct box *box, uint32_t index, struct gateway_now now)
{
    struct box_slot *slot = box->slots[index];
    struct hal_line line = slot->line;

    if (line.ops == NULL)
        return;
    box->turn = now;
    slot->line.ops = NULL;
    slot->wants_write = false;
    modem_closed(slot->modem, ms(now));
    tell_ready(slot, now);
    box->config.ops->closed(box->config.context, index);   /* while the descriptor is still ours: the loop forgets it first */
    line.ops->close(line.line);
}

void box_line_readable(struct box *box, uint32_t index, struct gateway_now now)
{
    struct box_slot *slot = box->slots[index];
    uint8_t buf[2048];

    box->turn = now;
    /* A bounded share of the turn: a modem that floods does not starve the others. */
    for (int i = 0; i < 4 && slot->line.ops != NULL && !slot->gone; i++) {
        ssize_t n = slot->line.ops->read(slot->line.line, buf, sizeof buf);

        if (n < 0)
            slot->gone = true;
        if (n <= 0)
            break;
        modem_feed(slot->modem, buf, (size_t)n, ms(now));
        slot_flush(slot);
        if ((size_t)n < sizeof buf)
            break;
    }
    if (slot->line.ops != NULL)
        slot_settle(slot, now);
}

void box_line_writable(struct box *box, uint32_t index, struct gateway_now now)
{
    box->turn = now;
    if (box->slots[index]->line.ops != NULL)
        slot_settle(box->slots[index], now);
}

/* -- the clock ------------------------------------------------------------------------------------------------ */

void box_poll(struct box *box, struct gateway_now now)
{
    box->turn = now;
    for (uint32_t i = 0; i < box->slot_count; i++) {
        struct box_slot *slot = box->slots[i];

        if (slot->line.ops == NULL || (modem_deadline(slot->modem) > ms(now) && !slot->gone))
            continue;
        modem_poll(slot->modem, ms(now));
        slot_settle(slot, now);
    }
    gateway_poll(box->gateway, now);
}

uint64_t box_deadline_us(const struct box *box)
{
    uint64_t deadline_us = gateway_deadline_us(box->gateway);

    for (uint32_t i = 0; i < box->slot_count; i++) {
        const struct box_slot *slot = box->slots[i];
        uint64_t due_ms = slot->line.ops != NULL ? modem_deadline(slot->modem) : UINT64_MAX;

        if (due_ms < UINT64_MAX / 1000 && due_ms * 1000 < deadline_us)
            deadline_us = due_ms * 1000;
        if (slot->gone)
            deadline_us = 0;
    }
    return deadline_us;
}

/* -- views ---------------------------------------------------------------------------------------------------- */

static void view_slot(const struct box *box, const struct box_slot *slot, struct live_modem *ret, struct gateway_now now)
{
    const struct modem_status *status = modem_status(slot->modem);
    uint64_t left_us;
    const char *cause;

    (void)snprintf(ret->port, sizeof ret->port, "%s", slot->port);
    (void)snprintf(ret->bank, sizeof ret->bank, "%s", slot->bank);
    (void)snprintf(ret->state, sizeof ret->state, "%s", modem_state_name(status->state));
    if (status->reason != MODEM_REASON_NONE) {
        (void)snprintf(ret->reason_code, sizeof ret->reason_code, "%s", modem_reason_code(status->reason));
        (void)snprintf(ret->reason, sizeof ret->reason, "%s", modem_reason_text(status->reason));
    }
    (void)snprintf(ret->manufacturer, sizeof ret->manufacturer, "%s", status->identity.manufacturer);
    (void)snprintf(ret->model, sizeof ret->model, "%s", status->identity.model);
    (void)snprintf(ret->revision, sizeof ret->revision, "%s", status->identity.revision);
    (void)snprintf(ret->imei, sizeof ret->imei, "%s", status->identity.imei);
    (void)snprintf(ret->iccid, sizeof ret->iccid, "%s", status->identity.iccid);
    (void)snprintf(ret->imsi, sizeof ret->imsi, "%s", status->identity.imsi);
    (void)snprintf(ret->operator_name, sizeof ret->operator_name, "%s", status->operator_name);
    (void)snprintf(ret->smsc, sizeof ret->smsc, "%s", status->smsc);
    if (gateway_rests(box->gateway, slot->index, now.mono_us, &left_us, &cause) && status->reason == MODEM_REASON_NONE) {
        (void)snprintf(ret->reason_code, sizeof ret->reason_code, "resting");
        (void)snprintf(ret->reason, sizeof ret->reason,
                       "The network refuses what this SIM sends (%s): it rests for %u more seconds. Look at its credit and its operator's limits.",
                       cause, (unsigned)(left_us / 1000000 + 1));
    }
    ret->registration = status->registration;
    ret->roaming = status->roaming;
    ret->signal_dbm = status->signal_dbm;
    ret->storage_used = status->storage_used;
    ret->storage_total = status->storage_total;
    ret->sent = status->sent;
    ret->refused = status->refused;
    ret->unknown = status->unknown;
    ret->received = status->received;
    ret->busy_ms = (slot->busy_us + (slot->air_since_us != 0 ? now.mono_us - slot->air_since_us : 0)) / 1000;
    ret->since_ready_ms = slot->ready_since_us != 0 ? (now.mono_us - slot->ready_since_us) / 1000 : 0;
    (void)gateway_on_air(box->gateway, slot->index, &ret->message_id, &ret->part, &ret->parts);
}

int box_view(const struct box *box, struct live_view *ret_view, struct gateway_now now)
{
    struct live_view view = { .started_ms = box->config.started_ms, .modem_count = box->slot_count };

    view.modems = calloc(box->slot_count + 1, sizeof *view.modems);
    if (view.modems == NULL)
        return -ENOMEM;
    gateway_view(box->gateway, &view, now);
    for (uint32_t i = 0; i < box->slot_count; i++)
        view_slot(box, box->slots[i], &view.modems[i], now);
    *ret_view = view;
    return 0;
}
