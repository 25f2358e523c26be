/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sim/sim_network.h"

#include "hal/sim/sim_pdu.h"
#include "hal/sim/sim_random.h"
#include "src/base/hex.h"
#include "src/sms/sms_split.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER UINT64_MAX
#define HELD_RETRY_US UINT64_C(30000000)   /* modems tell when they are ready; this is for those that do not */
#define REPORT_OCTETS_MAX 32
#define REPORTS_PER_PART_MAX 2
#define NONE UINT32_MAX

/* A message or report under way. Items live in one array and are named by index: first in the heap of those whose time
 * has not come, then, if their modem cannot take them, in that modem's queue. */
struct item {
    uint64_t due_us, order;              /* order: first come first served among equal times */
    uint32_t modem, next;
    bool report;
    uint8_t length, receipt_length;
    uint8_t tpdu[SIM_TPDU_BYTES_MAX];
    uint32_t receipt_modem;              /* a message between own SIMs: whom to report its delivery to */
    uint8_t receipt[REPORT_OCTETS_MAX];
};

struct air_modem {
    struct sim_modem *modem;
    struct sim_random random;
    uint32_t held_first, held_last;
    uint64_t retry_us;
};

struct sim_network {
    struct sim_network_config config;
    struct air_modem *modems;
    uint32_t modem_count;
    struct sim_random random;
    struct item *items;
    uint32_t item_count, free_first;     /* of items; the chain of unused ones */
    uint32_t *heap;
    uint32_t heap_count, held_count;
    uint64_t order, incoming_due_us, incoming_number;
    int outage_cms;
    struct sim_network_counters counters;
};

/* TP-ST and when it comes, in multiples of report_us (TS 23.040 9.2.3.15). */
struct report_step { uint8_t status, times; };
static const struct report_kind { const char *name; uint8_t count; struct report_step steps[REPORTS_PER_PART_MAX]; } report_kinds[] = {
    [SIM_REPORT_DELIVERED] = { "delivered", 1, { { 0x00, 1 } } },
    [SIM_REPORT_NEVER]     = { "never",     0, { { 0x00, 0 } } },
    [SIM_REPORT_EARLY]     = { "early",     1, { { 0x00, 0 } } },
    [SIM_REPORT_DOUBLED]   = { "doubled",   2, { { 0x00, 1 }, { 0x00, 2 } } },
    [SIM_REPORT_FAILED]    = { "failed",    1, { { 0x46, 1 } } },
    [SIM_REPORT_TEMPORARY] = { "temporary", 2, { { 0x21, 1 }, { 0x00, 2 } } },
    [SIM_REPORT_MIXED]     = { "mixed",     0, { { 0x00, 0 } } },
};

int sim_report_mode_find(const char *name, enum sim_report_mode *ret_mode)
{
    for (unsigned i = 0; i < SIM_REPORT_MODE_COUNT; i++)
        if (strcmp(report_kinds[i].name, name) == 0) {
            *ret_mode = (enum sim_report_mode)i;
            return 0;
        }
    return -EINVAL;
}

const char *sim_report_mode_name(enum sim_report_mode mode)
{
    return (unsigned)mode < SIM_REPORT_MODE_COUNT ? report_kinds[mode].name : "?";
}

static int64_t wall_s(const struct sim_network *network, uint64_t now_us)
{
    return network->config.unix_s_at_zero + (int64_t)(now_us / 1000000u);
}

/* ---- items: heap by time ---- */

static bool item_before(const struct sim_network *network, uint32_t a, uint32_t b)
{
    const struct item *x = &network->items[a], *y = &network->items[b];

    return x->due_us != y->due_us ? x->due_us < y->due_us : x->order < y->order;
}

static void heap_put(struct sim_network *network, uint32_t item)
{
    uint32_t at = network->heap_count++;

    while (at > 0 && item_before(network, item, network->heap[(at - 1) / 2])) {
        network->heap[at] = network->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    network->heap[at] = item;
}

static uint32_t heap_take(struct sim_network *network)
{
    uint32_t first = network->heap[0], last = network->heap[--network->heap_count], at = 0;

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= network->heap_count)
            break;
        if (child + 1 < network->heap_count && item_before(network, network->heap[child + 1], network->heap[child]))
            child++;
        if (!item_before(network, network->heap[child], last))
            break;
        network->heap[at] = network->heap[child];
        at = child;
    }
    if (network->heap_count > 0)
        network->heap[at] = last;
    return first;
}

/* NONE: SIM_PENDING_MAX are under way, or no memory. */
static uint32_t item_new(struct sim_network *network)
{
    uint32_t item = network->free_first;

    if (item == NONE) {
        uint32_t count = network->item_count == 0 ? 256 : network->item_count * 2;
        struct item *items;
        uint32_t *heap;

        if (count > SIM_PENDING_MAX)
            return NONE;
        items = realloc(network->items, count * sizeof *items);
        if (items == NULL)
            return NONE;
        network->items = items;
        heap = realloc(network->heap, count * sizeof *heap);
        if (heap == NULL)
            return NONE;
        network->heap = heap;
        for (uint32_t i = network->item_count; i < count; i++)
            items[i].next = i + 1 < count ? i + 1 : NONE;
        item = network->item_count;
        network->item_count = count;
    }
    network->free_first = network->items[item].next;
    network->items[item] = (struct item){ .next = NONE, .receipt_modem = NONE, .order = network->order++ };
    return item;
}

static void item_free(struct sim_network *network, uint32_t item)
{
    network->items[item].next = network->free_first;
    network->free_first = item;
}

/* The new item, in the heap; NULL: dropped and counted. It may be changed until the next call. */
static struct item *item_send(struct sim_network *network, uint32_t modem, bool report, const uint8_t *tpdu, size_t length,
                              uint64_t due_us)
{
    uint32_t number = item_new(network);
    struct item *item;

    if (number == NONE) {
        network->counters.dropped++;
        return NULL;
    }
    item = &network->items[number];
    item->modem = modem;
    item->report = report;
    item->due_us = due_us;
    item->length = (uint8_t)length;
    memcpy(item->tpdu, tpdu, length);
    heap_put(network, number);
    return item;
}

static void hold_last(struct sim_network *network, uint32_t number)
{
    struct air_modem *to = &network->modems[network->items[number].modem];

    network->items[number].next = NONE;
    if (to->held_first == NONE)
        to->held_first = number;
    else
        network->items[to->held_last].next = number;
    to->held_last = number;
    network->held_count++;
}

/* 0 or why the modem cannot take it now. */
static int hand_over(struct sim_network *network, uint32_t number, uint64_t now_us)
{
    struct item *item = &network->items[number];
    struct sim_modem *modem = network->modems[item->modem].modem;
    int r;

    if (item->report)
        r = sim_modem_push_report(modem, item->tpdu, item->length, now_us);
    else
        r = sim_modem_deliver_sms(modem, item->tpdu, item->length, now_us);
    if (r == -EINVAL) {
        network->counters.dropped++;   /* no phone could read it: the network gives it up */
        item_free(network, number);
        return 0;
    }
    if (r < 0)
        return r;
    if (item->report)
        network->counters.reports++;
    else
        network->counters.delivered++;
    if (item->receipt_modem != NONE) {
        uint8_t receipt[REPORT_OCTETS_MAX];
        size_t length = item->receipt_length;
        uint32_t to = item->receipt_modem;

        memcpy(receipt, item->receipt, length);
        sim_pdu_report_discharge(receipt, length, wall_s(network, now_us));
        item_free(network, number);
        (void)item_send(network, to, true, receipt, length, now_us + network->config.report_us);
        return 0;
    }
    item_free(network, number);
    return 0;
}

/* ---- what modems ask of the air ---- */

static void air_plan(void *context, struct sim_modem *modem, const struct sim_submit *submit, uint64_t now_us,
                     struct sim_air_plan *ret_plan)
{
    struct sim_network *network = context;
    const struct sim_network_config *config = &network->config;
    struct air_modem *from = &network->modems[sim_modem_index(modem)];
    uint64_t mean = submit->linked && config->linked_air_us != 0 ? config->linked_air_us : config->air_us;
    uint64_t jitter = config->air_jitter_us < mean ? config->air_jitter_us : mean;

    (void)now_us;
    ret_plan->cms = network->outage_cms;
    ret_plan->air_us = mean;
    if (jitter > 0)
        ret_plan->air_us = mean - jitter + sim_random_below(&from->random, (uint32_t)(2 * jitter + 1));
}

/* Whether to, as somebody dials it, is the number: +40..., 0040..., 40..., or 0... in the same country. */
static bool number_is(const char *number, const char *to)
{
    const char *digits = number + 1;   /* E.164 with '+' */
    size_t have = strlen(digits), length;

    if (to[0] == '+')
        return strcmp(to + 1, digits) == 0;
    if (to[0] == '0' && to[1] == '0')
        return strcmp(to + 2, digits) == 0;
    if (to[0] != '0')
        return strcmp(to, digits) == 0;
    length = strlen(to + 1);
    return length >= 9 && length < have && strcmp(digits + have - length, to + 1) == 0;
}

static uint32_t modem_by_number(const struct sim_network *network, const char *to)
{
    for (uint32_t i = 0; i < network->modem_count; i++) {
        const struct sim_card *card = sim_modem_card(network->modems[i].modem);

        if (card != NULL && number_is(card->number, to))
            return i;
    }
    return NONE;
}

static void say_accepted(const struct sim_network *network, struct sim_modem *modem, const struct sim_submit *submit, uint64_t now_us)
{
    const struct sms_tpdu *tpdu = submit->tpdu;
    char hex[2 * SMS_PDU_BYTES_MAX + 1];
    struct sim_event event = { .kind = SIM_EVENT_ACCEPTED, .t_us = now_us, .modem = sim_modem_index(modem), .from = modem,
                               .text = tpdu->text, .pdu_hex = hex, .address = tpdu->address.text, .mr = submit->mr,
                               .status = -1, .ref = -1, .total = 1, .seq = 1,
                               .part = (uint32_t)sim_modem_counters(modem)->submits };

    if (network->config.on_event == NULL)
        return;
    hex_encode(submit->pdu, submit->pdu_length, hex);
    if (tpdu->udh.concat) {
        event.ref = tpdu->udh.concat_ref;
        event.total = tpdu->udh.concat_total;
        event.seq = tpdu->udh.concat_seq;
    }
    network->config.on_event(network->config.on_event_context, &event);
}

static void air_accept(void *context, struct sim_modem *modem, const struct sim_submit *submit, uint64_t now_us)
{
    struct sim_network *network = context;
    uint32_t from = sim_modem_index(modem), to = modem_by_number(network, submit->tpdu->address.text);
    enum sim_report_mode mode = network->config.report_mode;
    const struct report_kind *kind;
    uint8_t tpdu[SIM_TPDU_BYTES_MAX];
    int64_t now_s = wall_s(network, now_us);
    struct item *message = NULL;
    size_t length;

    network->counters.accepted++;
    say_accepted(network, modem, submit, now_us);
    if (mode == SIM_REPORT_MIXED)
        mode = (enum sim_report_mode)sim_random_below(&network->modems[from].random, SIM_REPORT_MIXED);
    kind = &report_kinds[mode];
    if (to != NONE && sim_modem_card(modem) != NULL &&
        sim_pdu_deliver_from_submit(submit->tpdu_octets, submit->tpdu_length, sim_modem_card(modem)->number, now_s, tpdu, &length) == 0)
        message = item_send(network, to, false, tpdu, length, now_us);
    if (!submit->tpdu->status_report)
        return;
    for (uint8_t i = 0; i < kind->count; i++) {
        const struct report_step *step = &kind->steps[i];

        if (sim_pdu_report_from_submit(submit->tpdu_octets, submit->tpdu_length, submit->mr, now_s,
                                       now_s + (int64_t)(step->times * network->config.report_us / 1000000u), step->status, tpdu,
                                       &length) < 0)
            return;
        if (message != NULL && mode == SIM_REPORT_DELIVERED) {
            /* Delivered means delivered: reported when the other phone has it. */
            message->receipt_modem = from;
            message->receipt_length = (uint8_t)length;
            memcpy(message->receipt, tpdu, length);
        } else if (step->times > 0 || sim_modem_push_report(modem, tpdu, length, now_us) < 0) {
            (void)item_send(network, from, true, tpdu, length, now_us + step->times * network->config.report_us);
        } else {
            network->counters.reports++;
        }
    }
}

static void air_ready(void *context, struct sim_modem *modem, uint64_t now_us)
{
    struct sim_network *network = context;

    network->modems[sim_modem_index(modem)].retry_us = now_us;
}

static void air_returned(void *context, struct sim_modem *modem, const uint8_t *tpdu, size_t length, bool report, uint64_t now_us)
{
    struct sim_network *network = context;

    if (report)
        network->counters.reports--;
    else
        network->counters.delivered--;
    (void)item_send(network, sim_modem_index(modem), report, tpdu, length, now_us + HELD_RETRY_US);
}

/* ---- life ---- */

struct sim_network *sim_network_new(const struct sim_network_config *config)
{
    struct sim_network *network = calloc(1, sizeof *network);

    if (network == NULL)
        return NULL;
    network->config = *config;
    network->free_first = NONE;
    network->incoming_due_us = config->incoming_every_us > 0 ? config->incoming_every_us : NEVER;
    sim_random_init(&network->random, config->seed, UINT32_MAX);
    network->modems = calloc(config->modems_max, sizeof *network->modems);
    if (network->modems == NULL) {
        free(network);
        return NULL;
    }
    return network;
}

void sim_network_free(struct sim_network *network)
{
    if (network == NULL)
        return;
    for (uint32_t i = 0; i < network->modem_count; i++)
        sim_modem_free(network->modems[i].modem);
    free(network->modems);
    free(network->items);
    free(network->heap);
    free(network);
}

struct sim_modem *sim_network_add(struct sim_network *network, const struct sim_modem_config *config)
{
    struct sim_modem_config full = *config;
    struct air_modem *place;

    if (network->modem_count == network->config.modems_max)
        return NULL;
    place = &network->modems[network->modem_count];
    full.index = network->modem_count;
    full.seed = network->config.seed;
    full.unix_s_at_zero = network->config.unix_s_at_zero;
    full.on_event = network->config.on_event;
    full.on_event_context = network->config.on_event_context;
    full.air = (struct sim_air){ .context = network, .plan = air_plan, .accept = air_accept, .ready = air_ready,
                                 .returned = air_returned };
    place->modem = sim_modem_new(&full);
    if (place->modem == NULL)
        return NULL;
    place->held_first = place->held_last = NONE;
    place->retry_us = NEVER;
    /* Streams of the air lie above those the modems use themselves. */
    sim_random_init(&place->random, network->config.seed, UINT64_C(0x100000000) + full.index);
    network->modem_count++;
    return place->modem;
}

struct sim_modem *sim_network_modem(const struct sim_network *network, uint32_t index)
{
    return index < network->modem_count ? network->modems[index].modem : NULL;
}

uint32_t sim_network_modem_count(const struct sim_network *network) { return network->modem_count; }
void sim_network_set_outage(struct sim_network *network, int cms) { network->outage_cms = cms; }
void sim_network_set_report_mode(struct sim_network *network, enum sim_report_mode mode) { network->config.report_mode = mode; }
const struct sim_network_counters *sim_network_counters(const struct sim_network *network) { return &network->counters; }
size_t sim_network_pending(const struct sim_network *network) { return (size_t)network->heap_count + network->held_count; }

/* ---- time ---- */

static void held_retry(struct sim_network *network, struct air_modem *to, uint64_t now_us)
{
    to->retry_us = NEVER;
    while (to->held_first != NONE) {
        uint32_t number = to->held_first, next = network->items[number].next;

        if (hand_over(network, number, now_us) < 0) {
            to->retry_us = now_us + HELD_RETRY_US;
            return;
        }
        to->held_first = next;
        network->held_count--;
    }
}

static void incoming_chance(struct sim_network *network, uint64_t now_us)
{
    char from[24], text[64];

    if (network->modem_count == 0)
        return;
    (void)snprintf(from, sizeof from, "+4073%07u", sim_random_below(&network->random, 10000000));
    (void)snprintf(text, sizeof text, "Incoming message %llu", (unsigned long long)++network->incoming_number);
    (void)sim_network_incoming(network, sim_random_below(&network->random, network->modem_count), from, text, now_us);
}

void sim_network_poll(struct sim_network *network, uint64_t now_us)
{
    while (network->incoming_due_us <= now_us) {
        incoming_chance(network, now_us);
        network->incoming_due_us += network->config.incoming_every_us;
    }
    for (uint32_t i = 0; network->held_count > 0 && i < network->modem_count; i++)
        if (network->modems[i].retry_us <= now_us)
            held_retry(network, &network->modems[i], now_us);
    while (network->heap_count > 0 && network->items[network->heap[0]].due_us <= now_us) {
        uint32_t number = heap_take(network);
        struct air_modem *to = &network->modems[network->items[number].modem];

        if (to->held_first != NONE) {
            hold_last(network, number);   /* in order, behind those that wait already */
        } else if (hand_over(network, number, now_us) < 0) {
            hold_last(network, number);
            to->retry_us = now_us + HELD_RETRY_US;
        }
    }
}

uint64_t sim_network_deadline(const struct sim_network *network)
{
    uint64_t due = network->incoming_due_us;

    if (network->heap_count > 0 && network->items[network->heap[0]].due_us < due)
        due = network->items[network->heap[0]].due_us;
    for (uint32_t i = 0; network->held_count > 0 && i < network->modem_count; i++)
        if (network->modems[i].held_first != NONE && network->modems[i].retry_us < due)
            due = network->modems[i].retry_us;
    return due;
}

/* One part of a text from outside: made as a submit, since that is what there is an encoder for, then turned round. */
static int incoming_part(struct sim_network *network, uint32_t modem, const char *from, const struct sms_split *split,
                         uint16_t i, uint16_t ref, uint64_t now_us)
{
    struct sms_submit submit = { .to = "+1", .message_class = -1, .alphabet = split->alphabet, .locking = split->locking,
                                 .single = split->single, .text = split->text + split->parts[i].offset,
                                 .text_length = split->parts[i].length };
    uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu[SIM_TPDU_BYTES_MAX], tpdu_length;
    const char *error;
    size_t length;
    int r;

    if (split->count > 1) {
        submit.concat = true;
        submit.concat_ref = ref;
        submit.concat_ref_bits = 8;
        submit.concat_total = (uint8_t)split->count;
        submit.concat_seq = (uint8_t)(i + 1);
    }
    r = sms_submit_encode(&submit, pdu, &length, &tpdu_length, &error);
    if (r < 0)
        return r;
    r = sim_pdu_deliver_from_submit(pdu + 1 + pdu[0], length - 1 - pdu[0], from, wall_s(network, now_us), tpdu, &length);
    if (r < 0)
        return r;
    return item_send(network, modem, false, tpdu, length, now_us) != NULL ? 0 : -ENOSPC;
}

int sim_network_incoming(struct sim_network *network, uint32_t modem, const char *from, const char *text, uint64_t now_us)
{
    struct sms_split_options options = { .encoding = SMS_ENCODING_AUTO };
    uint16_t ref = (uint16_t)sim_random_below(&network->random, 256);
    struct sms_split split;
    const char *error;
    uint32_t at;
    int r;

    if (modem >= network->modem_count)
        return -EINVAL;
    r = sms_split(text, strlen(text), &options, &split, &at, &error);
    if (r < 0)
        return r == -ENOMEM ? r : -EINVAL;
    for (uint16_t i = 0; i < split.count && r == 0; i++)
        r = incoming_part(network, modem, from, &split, i, ref, now_us);
    sms_split_done(&split);
    return r;
}
