/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/simulation.h"

#include "src/sms/sms_pdu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FAILOVER_SLACK_US SECONDS(60)    /* one that failed goes rather by another card, which may be busy */
#define ORDER_SLACK_US SECONDS(2)        /* the answer of a commit and the choice may cross */
#define CANCEL_SLACK_US SECONDS(15)      /* what a modem had in its hands when the box died is on the air until then */
#define EXPIRY_SLACK_MS 120000           /* a modem may do its housekeeping between hand-over and AT+CMGS */
#define EXPIRY_EARLY_MS 20000            /* a clock that is off by less was not set */
#define HELD_SLACK_MS 180000             /* a modem may hold back what it was given in time */
#define CLOCK_FAULTS (UINT64_C(1) << FAULT_CLOCK_BACK | UINT64_C(1) << FAULT_CLOCK_FORWARD)

/* -- keys and maps -------------------------------------------------------------------------------------------- */

static uint64_t fnv(uint64_t hash, const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001B3);
    return hash;
}

uint64_t witness_key(const char *number, const char *text, size_t length)
{
    uint64_t hash = fnv(fnv(UINT64_C(0xCBF29CE484222325), number, strlen(number) + 1), text, length);

    return hash != 0 ? hash : 1;
}

static void map_grow(struct witness_map *map)
{
    struct witness_map grown = { .size = map->size != 0 ? map->size * 2 : 4096 };

    grown.keys = calloc(grown.size, sizeof *grown.keys);
    grown.values = calloc(grown.size, sizeof *grown.values);
    if (grown.keys == NULL || grown.values == NULL)
        abort();                         /* a witness without memory is none */
    for (uint32_t i = 0; i < map->size; i++)
        if (map->keys[i] != 0)
            witness_map_put(&grown, map->keys[i], map->values[i]);
    free(map->keys);
    free(map->values);
    *map = grown;
}

void witness_map_put(struct witness_map *map, uint64_t key, uint32_t value)
{
    uint32_t at;

    if (map->count * 2 >= map->size)
        map_grow(map);
    at = (uint32_t)(key ^ key >> 32) & (map->size - 1);
    while (map->keys[at] != 0 && map->keys[at] != key)
        at = (at + 1) & (map->size - 1);
    map->count += map->keys[at] == 0;
    map->keys[at] = key;
    map->values[at] = value;
}

bool witness_map_find(const struct witness_map *map, uint64_t key, uint32_t *ret_value)
{
    uint32_t at;

    if (map->size == 0)
        return false;
    at = (uint32_t)(key ^ key >> 32) & (map->size - 1);
    while (map->keys[at] != 0) {
        if (map->keys[at] == key) {
            *ret_value = map->values[at];
            return true;
        }
        at = (at + 1) & (map->size - 1);
    }
    return false;
}

static void *grown(void *array, uint32_t *size, uint32_t wanted, size_t item)
{
    uint32_t from = *size;

    if (wanted <= *size)
        return array;
    *size = *size != 0 ? *size : 256;
    while (*size < wanted)
        *size *= 2;
    array = realloc(array, *size * item);
    if (array == NULL)
        abort();
    memset((char *)array + from * item, 0, (*size - from) * item);
    return array;
}

/* -- messages ------------------------------------------------------------------------------------------------- */

uint32_t witness_message_new(struct simulation *sim, const struct accept_message *message)
{
    struct witness *witness = &sim->witness;
    uint32_t index = witness->message_count++, offset = 0;
    struct witness_message *mine;

    witness->messages = grown(witness->messages, &witness->message_size, witness->message_count, sizeof *witness->messages);
    witness->parts = grown(witness->parts, &witness->part_size, witness->part_count + message->coding.parts, sizeof *witness->parts);
    mine = &witness->messages[index];
    *mine = (struct witness_message){ .first_part = witness->part_count, .parts = message->coding.parts, .priority = message->priority,
                                      .report = message->report, .may_repeat = message->policy == MESSAGE_AT_LEAST_ONCE,
                                      .due_ms = message->due_ms, .expire_ms = message->expire_ms };
    mine->created_us = mine->asked_us = sim->now_us;
    mine->created_boot_us = mine->boot_us = sim->host.boot_us;
    mine->span_ms = mine->expire_ms - (mine->due_ms != 0 ? mine->due_ms : host_wall_ms(sim));
    memcpy(mine->to, message->to, sizeof mine->to);
    mine->key = witness_key(message->to, message->text, message->text_length);
    witness_map_put(&witness->by_text, mine->key, index);
    for (uint16_t i = 0; i < mine->parts; i++) {
        uint32_t length = mine->parts > 1 ? message->coding.cuts[i] : message->text_length;

        witness->parts[witness->part_count] = (struct witness_part){ .message = index, .number = i };
        witness_map_put(&witness->by_part, witness_key(message->to, message->text + offset, length), witness->part_count++);
        offset += length;
    }
    return index;
}

struct witness_message *witness_message_by_id(struct simulation *sim, int64_t id)
{
    struct witness *witness = &sim->witness;

    if (id <= 0 || id >= witness->by_id_size || witness->by_id[id] == 0)
        return NULL;
    return &witness->messages[witness->by_id[id] - 1];
}

static void know_id(struct simulation *sim, uint32_t index, int64_t id)
{
    struct witness *witness = &sim->witness;

    witness->by_id = grown(witness->by_id, &witness->by_id_size, (uint32_t)id + 1, sizeof *witness->by_id);
    witness->by_id[id] = index + 1;
    witness->messages[index].id = id;
}

void witness_asks_again(struct simulation *sim, uint32_t index, const struct accept_message *again)
{
    struct witness_message *message = &sim->witness.messages[index];

    if (message->promised)
        return;
    message->asked_us = sim->now_us;
    message->boot_us = sim->host.boot_us;
    if (message->expire_ms < again->expire_ms)
        message->expire_ms = again->expire_ms;
}

void witness_promised(struct simulation *sim, uint32_t index, int64_t id)
{
    struct witness_message *message = &sim->witness.messages[index];

    if (message->promised && message->id != id)
        violation(sim, "message %u was promised as %lld, now as %lld: accepted twice", (unsigned)index, (long long)message->id, (long long)id);
    if (!message->promised)
        sim->result->messages++;
    message->promised = true;
    know_id(sim, index, id);
}

void witness_cancelled(struct simulation *sim, uint32_t index)
{
    sim->witness.messages[index].cancelled = true;
    sim->witness.messages[index].cancelled_us = sim->now_us;
}

void witness_releases(struct simulation *sim, uint32_t index)
{
    struct witness_message *message = &sim->witness.messages[index];

    message->may_repeat++;
    if (message->expire_ms < host_wall_ms(sim) + message->span_ms)
        message->expire_ms = host_wall_ms(sim) + message->span_ms;
    message->created_us = message->asked_us = sim->now_us;
    message->created_boot_us = message->boot_us = sim->host.boot_us;
}

/* -- what waits, best first ----------------------------------------------------------------------------------- */

static void heap_put(struct witness_heap *heap, int64_t id)
{
    uint32_t at = heap->count++;

    heap->ids = grown(heap->ids, &heap->size, heap->count, sizeof *heap->ids);
    for (; at > 0 && heap->ids[(at - 1) / 2] > id; at = (at - 1) / 2)
        heap->ids[at] = heap->ids[(at - 1) / 2];
    heap->ids[at] = id;
}

static void heap_drop(struct witness_heap *heap)
{
    int64_t last = heap->ids[--heap->count];
    uint32_t at = 0;

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->ids[child + 1] < heap->ids[child])
            child++;
        if (heap->ids[child] >= last)
            break;
        heap->ids[at] = heap->ids[child];
        at = child;
    }
    heap->ids[at] = last;
}

static void is_ready(struct simulation *sim, const struct queue_item *item)
{
    struct witness_message *message = witness_message_by_id(sim, item->id);

    if (message == NULL || item->sim_id != 0 || message->ready || message->asked)
        return;
    message->ready = true;
    message->ready_us = sim->now_us;
    message->avoid_sim_id = item->avoid_sim_id;
    heap_put(&sim->witness.ready[message->priority], item->id);
}

/* Nobody may go before one that is better and has been waiting: higher priority, or the same and accepted earlier. */
static void check_order(struct simulation *sim, const struct witness_message *chosen, uint32_t sim_id)
{
    for (int priority = MESSAGE_PRIORITY_MAX; priority >= chosen->priority; priority--) {
        struct witness_heap *heap = &sim->witness.ready[priority];
        const struct witness_message *best = NULL;

        while (heap->count > 0 && !(best = witness_message_by_id(sim, heap->ids[0]))->ready)
            heap_drop(heap);
        if (heap->count == 0 || (priority == chosen->priority && best->id >= chosen->id) || best->ready_us + ORDER_SLACK_US >= sim->now_us)
            continue;
        if (best->avoid_sim_id == sim_id && best->ready_us + FAILOVER_SLACK_US >= sim->now_us)
            continue;
        if (!verdict_is_ready(sim, best->id)) {   /* what ended it was in a commit that failed and landed all the same */
            heap_drop(heap);
            continue;
        }
        violation(sim, "order: message %lld (priority %d) goes before %lld (priority %d), which has been ready for %u s", (long long)chosen->id,
                  chosen->priority, (long long)best->id, best->priority, (unsigned)((sim->now_us - best->ready_us) / SECONDS(1)));
        return;
    }
}

/* -- whose report it is --------------------------------------------------------------------------------------- */

static int64_t world_s(const struct simulation *sim)
{
    return WORLD_EPOCH_MS / 1000 + (int64_t)(sim->now_us / SECONDS(1));
}

/* Who a report speaks of: the card, TP-MR, recipient and the second the network took it. */
static uint64_t report_key(uint32_t card, int mr, const char *number, int64_t scts_s)
{
    uint64_t hash = witness_key(number, (const char *)&scts_s, sizeof scts_s);

    return (hash ^ ((uint64_t)card << 8 | (uint64_t)mr)) * UINT64_C(0x9E3779B97F4A7C15) | 1;
}

/* Reports are told apart by TP-MR and time: a modem that says another TP-MR, or a wrong clock, and nobody can. */
bool witness_reports_are_clear(const struct simulation *sim)
{
    return sim->result->faults[SIM_FAULT_LYING_MR] == 0 && (sim->faults.enabled & CLOCK_FAULTS) == 0;
}

/* A modem that restarts begins TP-MR anew: two parts to one number within minutes may have the same, and clocks do not agree
 * well enough to tell them apart. */
bool witness_parts_are_alike(const struct witness_part *a, const struct witness_part *b)
{
    uint64_t apart_us = a->air_us > b->air_us ? a->air_us - b->air_us : b->air_us - a->air_us;

    return a->on_air > 0 && b->on_air > 0 && a->card == b->card && a->mr == b->mr && apart_us < MINUTES(7);
}

/* A report belongs to one part, and the network knows which. */
static void check_report(struct simulation *sim, const struct store_change *change)
{
    const struct change_report *report = &change->u.report;
    const struct bank_modem *place = bank_at_slot(sim, change->slot);
    const struct witness_message *booked = witness_message_by_id(sim, report->message_id), *meant;
    uint32_t index;

    if (place != NULL && sim->bank.counts[place->index] == SIM_SMSS_AT_ACK)
        return;                          /* it uses a TP-MR again where the acknowledgement was lost */
    if (place == NULL || booked == NULL || change->result != 0 || !witness_reports_are_clear(sim) ||
        !witness_map_find(&sim->witness.by_report, report_key(place->index, report->mr, report->recipient, report->scts_ms / 1000), &index))
        return;
    meant = &sim->witness.messages[sim->witness.parts[index].message];
    if ((meant != booked || sim->witness.parts[index].number != report->part) &&
        !witness_parts_are_alike(&sim->witness.parts[index], &sim->witness.parts[booked->first_part + report->part]))
        violation(sim, "the report of part %d of message %lld is booked on part %d of message %lld", sim->witness.parts[index].number + 1,
                  (long long)meant->id, report->part + 1, (long long)booked->id);
}

/* -- the border to the store ---------------------------------------------------------------------------------- */

void witness_change_asked(struct simulation *sim, const struct store_change *change)
{
    struct witness_message *message;

    if (change->kind == CHANGE_CANCEL && (message = witness_message_by_id(sim, change->u.cancel.message_id)) != NULL)
        message->ready = false;          /* it may be granted, and the answer lost */
    if (change->kind != CHANGE_INTENT || (message = witness_message_by_id(sim, change->u.intent.message_id)) == NULL)
        return;
    if (sim->options.routing) {
        (change->u.intent.price_micro >= 0 ? sim->routing.priced++ : sim->routing.unpriced++);
        routing_world_chosen(sim, change);
    } else if (message->ready && change->u.intent.part == 0)   /* with prices the order holds among messages that cost the same alone */
        check_order(sim, message, change->u.intent.sim_id);
    message->ready = false;
    message->asked = true;
}

static void settled(struct simulation *sim, int64_t id, enum message_state state)
{
    struct witness_message *message = witness_message_by_id(sim, id);

    sim->witness.unsettled_us = sim->now_us;
    if (message != NULL && message->settled && state == MESSAGE_QUEUED) {   /* released */
        message->settled = false;
        sim->witness.open++;
    }
    if (message != NULL && state == MESSAGE_UNKNOWN)
        clients_doubt(sim, (uint32_t)(message - sim->witness.messages));
    if (message == NULL || message->settled || (state != MESSAGE_SENT && !message_state_is_final(state)))
        return;
    message->settled = true;
    message->ready = false;
    sim->witness.open -= sim->witness.open > 0;
}

/* The store ends it, for its time is over. While the machine runs its own clock tells how much has passed, whatever the wall clock is
 * set to; a message with an appointment goes by the wall clock. */
static void expired(struct simulation *sim, int64_t id)
{
    const struct witness_message *message = witness_message_by_id(sim, id);

    if (message != NULL && message->due_ms == 0 && message->created_boot_us == sim->host.boot_us &&
        (int64_t)((sim->now_us - message->created_us) / 1000) + EXPIRY_EARLY_MS < message->span_ms)
        violation(sim, "message %lld is expired %lld s after it came, and had %lld s", (long long)id,
                  (long long)((sim->now_us - message->created_us) / SECONDS(1)), (long long)(message->span_ms / 1000));
    settled(sim, id, MESSAGE_EXPIRED);
}

static void accepted(struct simulation *sim, const struct change_accept *accept)
{
    for (uint32_t i = 0; i < accept->count; i++) {
        const struct accept_message *message = &accept->messages[i];
        struct queue_item item = { .id = message->id };
        uint32_t index;

        if (!witness_map_find(&sim->witness.by_text, witness_key(message->to, message->text, message->text_length), &index))
            continue;
        if (sim->witness.messages[index].id != 0 && sim->witness.messages[index].id != message->id)
            violation(sim, "message %u is accepted twice: as %lld and as %lld", (unsigned)index, (long long)sim->witness.messages[index].id,
                      (long long)message->id);
        know_id(sim, index, message->id);
        if (accept->replayed)
            continue;
        sim->witness.open++;
        if (message->state == MESSAGE_QUEUED)
            is_ready(sim, &item);
    }
}

static void intended(struct simulation *sim, const struct store_change *change)
{
    const struct change_intent *intent = &change->u.intent;
    struct witness_message *message = witness_message_by_id(sim, intent->message_id);
    const struct bank_modem *place = bank_at_slot(sim, change->slot);
    struct witness *witness = &sim->witness;

    if (message != NULL)
        message->asked = false;
    if (change->result == -ETIME)
        expired(sim, intent->message_id);
    if (change->result != 0)
        return;
    sim->result->attempts++;
    witness->unsettled_us = sim->now_us;
    witness->attempts = grown(witness->attempts, &witness->attempt_size, (uint32_t)intent->attempt_id + 1, sizeof *witness->attempts);
    witness->attempts[intent->attempt_id] = (struct witness_attempt){
        .message = message != NULL ? (uint32_t)(message - witness->messages) : UINT32_MAX, .part = intent->part,
        .modem = place != NULL ? place->index : UINT32_MAX, .intent_us = sim->now_us
    };
}

/* Unknown is for answers that were lost, not for answers that were not understood. */
static void check_doubt(struct simulation *sim, const struct change_outcome *outcome)
{
    const struct witness_attempt *attempt;
    struct bank_modem *place;

    sim->result->unknown++;
    if (outcome->attempt_id >= sim->witness.attempt_size)
        return;
    attempt = &sim->witness.attempts[outcome->attempt_id];
    if (attempt->intent_us == 0 || attempt->modem == UINT32_MAX)
        return;                          /* of an earlier life of the box */
    place = &sim->bank.modems[attempt->modem];
    if (place->trouble >= 0)
        sim->result->unknown_by[place->trouble]++;
    place->doubt_us = place->trouble == SIM_FAULT_LOST_REPLY ? sim->now_us : 0;
    if (place->trouble == SIM_FAULT_LOST_REPLY && sim->now_us - attempt->intent_us > sim->result->slowest_doubt_us)
        sim->result->slowest_doubt_us = sim->now_us - attempt->intent_us;
    if (place->trouble_until_us < attempt->intent_us && sim->host.state != HOST_STOPPING)
        violation(sim, "unknown without need: attempt %lld of message %lld on modem %u, nothing was lost", (long long)outcome->attempt_id,
                  (long long)outcome->message_id, (unsigned)attempt->modem);
}

/* "Not sent" by evidence must be true, now and later: a part that is on its way all the same will be on the air twice. */
static void check_evidence(struct simulation *sim, const struct change_outcome *outcome)
{
    const struct witness_message *message = witness_message_by_id(sim, outcome->message_id);

    sim->result->evidence++;
    if (message != NULL && message->may_repeat == 0 && sim->witness.parts[message->first_part + outcome->part].on_air > 0)
        violation(sim, "part %d of message %lld is said not to have been sent, and was on the air", outcome->part + 1,
                  (long long)outcome->message_id);
}

static void ended(struct simulation *sim, const struct store_change *change)
{
    const struct change_outcome *outcome = &change->u.outcome;

    if (change->result != 0)
        return;
    if (outcome->evidence)
        check_evidence(sim, outcome);
    if (outcome->state == ATTEMPT_UNKNOWN)
        check_doubt(sim, outcome);
    settled(sim, outcome->message_id, outcome->message_state);
    if (outcome->requeue.id != 0 && outcome->ready_ms <= host_wall_ms(sim))
        is_ready(sim, &outcome->requeue);
}

void witness_change_committed(struct simulation *sim, const struct store_change *change)
{
    switch (change->kind) {
    case CHANGE_ACCEPT:
        if (change->result == 0)
            accepted(sim, &change->u.accept);
        break;
    case CHANGE_INTENT:
        intended(sim, change);
        break;
    case CHANGE_OUTCOME:
        ended(sim, change);
        break;
    case CHANGE_WITHDRAW:
        if (change->result == 0 && change->u.withdraw.requeue.id != 0)
            is_ready(sim, &change->u.withdraw.requeue);
        break;
    case CHANGE_CANCEL:
        if (change->result == 0)
            settled(sim, change->u.cancel.message_id, MESSAGE_CANCELLED);
        break;
    case CHANGE_DECIDE:
        if (change->result == 0)
            settled(sim, change->u.decide.message_id, change->u.decide.message_state);
        break;
    case CHANGE_DUE:
        for (uint32_t i = 0; change->result == 0 && i < change->u.due.expired_count; i++)
            expired(sim, change->u.due.expired[i]);
        for (uint32_t i = 0; change->result == 0 && i < change->u.due.item_count; i++)
            is_ready(sim, &change->u.due.items[i]);
        break;
    case CHANGE_FETCH:
        for (uint32_t i = 0; change->result == 0 && i < change->u.fetch.item_count; i++)
            is_ready(sim, &change->u.fetch.items[i]);
        break;
    case CHANGE_REPORT:
        check_report(sim, change);
        break;
    case CHANGE_RECEIVE:
        if (change->result == 0 && change->u.receive.confirmation != NULL && change->u.receive.confirmation->messages[0].state != 0)
            accepted(sim, change->u.receive.confirmation);
        break;
    case CHANGE_CLOCK:
    case CHANGE_SIM:
    case CHANGE_USE:
    case CHANGE_FORECAST:
    case CHANGE_KEY_ADD:
    case CHANGE_KEY_REMOVE:
    case CHANGE_ROUTING:
    case CHANGE_OPT_OUT_ADD:
    case CHANGE_OPT_OUT_REMOVE:
    case CHANGE_CREDIT:
    case CHANGE_BALANCE:
        break;
    }
}

void witness_host_down(struct simulation *sim)
{
    for (uint32_t i = 0; i < sim->witness.message_count; i++)
        sim->witness.messages[i].ready = sim->witness.messages[i].asked = false;
    for (size_t i = 0; i <= MESSAGE_PRIORITY_MAX; i++)
        sim->witness.ready[i].count = 0;
}

uint32_t witness_backlog(const struct simulation *sim)
{
    return sim->witness.open;
}

/* -- the air -------------------------------------------------------------------------------------------------- */

static uint32_t card_in(const struct simulation *sim, const struct sim_event *event)
{
    return (uint32_t)(sim_modem_card(event->from) - sim->bank.cards);
}

static void check_concatenation(struct simulation *sim, const struct witness_message *message, const struct witness_part *part,
                                const struct sim_event *event)
{
    if (event->total != (int)message->parts || event->seq != part->number + 1)
        violation(sim, "part %d of %d of message %lld says it is %d of %d", part->number + 1, message->parts, (long long)message->id, event->seq,
                  event->total);
    for (uint16_t i = 0; i < message->parts; i++) {
        const struct witness_part *other = &sim->witness.parts[message->first_part + i];

        if (other != part && other->on_air > 0 && (other->card != part->card || other->ref != part->ref))
            violation(sim, "parts %d and %d of message %lld cannot be put together: cards %u and %u, references %d and %d", i + 1,
                      part->number + 1, (long long)message->id, (unsigned)other->card, (unsigned)part->card, other->ref, part->ref);
    }
}

/* A phone puts parts together by sender and reference (TS 23.040 9.2.3.24.1): two messages to it must not share one while the
 * first may still be waiting for its rest. */
static void check_reference(struct simulation *sim, const struct witness_part *part, const struct sim_event *event)
{
    struct witness *witness = &sim->witness;
    struct sms_tpdu tpdu;
    const char *error;
    uint32_t last;
    uint64_t key;

    if (sms_pdu_decode_hex(event->pdu_hex, strlen(event->pdu_hex), SMS_SUBMIT, &tpdu, &error) < 0)
        return;
    key = fnv(witness_key(event->address, (const char *)&part->card, sizeof part->card), &tpdu.udh.concat_ref, sizeof tpdu.udh.concat_ref);
    key = fnv(key, &tpdu.udh.concat_ref_bits, sizeof tpdu.udh.concat_ref_bits) | 1;
    if (witness_map_find(&witness->by_reference, key, &last) && witness->parts[last].message != part->message &&
        sim->now_us - witness->parts[last].air_us < HOURS(12) && (sim->faults.enabled & CLOCK_FAULTS) == 0)
        violation(sim, "messages %lld and %lld go to %s by card %u under the same reference %d", (long long)witness->messages[part->message].id,
                  (long long)witness->messages[witness->parts[last].message].id, event->address, (unsigned)part->card, event->ref);
    witness_map_put(&witness->by_reference, key, (uint32_t)(part - witness->parts));
}

static void on_air(struct simulation *sim, const struct sim_event *event)
{
    struct witness *witness = &sim->witness;
    struct witness_message *message;
    struct witness_part *part;
    int64_t slack_ms;
    uint32_t index;

    sim->result->parts++;
    witness->unsettled_us = sim->now_us;
    if (!witness_map_find(&witness->by_part, witness_key(event->address, event->text, strlen(event->text)), &index)) {
        violation(sim, "on the air and of no message: %s to %s", event->text, event->address);
        return;
    }
    part = &witness->parts[index];
    message = &witness->messages[part->message];
    if (++part->on_air > 1 + message->may_repeat)
        violation(sim, "twice on the air: part %d of message %lld, first at %u s by card %u, now by card %u", part->number + 1,
                  (long long)message->id, (unsigned)(part->air_us / SECONDS(1)), (unsigned)part->card, (unsigned)card_in(sim, event));
    part->card = card_in(sim, event);
    if (sim->options.routing)
        routing_world_on_air(sim, part->card);
    part->ref = event->ref;
    part->mr = (uint8_t)event->mr;
    part->air_us = sim->now_us;
    witness_map_put(&witness->by_report, report_key(part->card, event->mr, event->address, world_s(sim)), index);
    if (message->parts > 1) {
        check_concatenation(sim, message, part, event);
        check_reference(sim, part, event);
    }
    if (message->cancelled && message->cancelled_us + CANCEL_SLACK_US < sim->now_us)
        violation(sim, "part %d of message %lld goes on the air after its cancel was granted", part->number + 1, (long long)message->id);
    slack_ms = EXPIRY_SLACK_MS + (sim->result->faults[SIM_FAULT_HELD] > 0 ? HELD_SLACK_MS : 0);
    if (message->due_ms == 0 && message->boot_us == sim->host.boot_us &&
        (int64_t)(sim->now_us - message->asked_us) / 1000 > message->span_ms + slack_ms + (int64_t)(2 * sim->bank.air_us / 1000))
        violation(sim, "part %d of message %lld goes on the air %lld s after it came, and had %lld s", part->number + 1, (long long)message->id,
                  (long long)((sim->now_us - message->created_us) / SECONDS(1)), (long long)(message->span_ms / 1000));
    if ((sim->faults.enabled & CLOCK_FAULTS) != 0)
        return;
    if (host_wall_ms(sim) - (int64_t)(2 * sim->bank.air_us / 1000) > message->expire_ms + slack_ms)
        violation(sim, "part %d of message %lld goes on the air %lld s after its time was over", part->number + 1, (long long)message->id,
                  (long long)(host_wall_ms(sim) - message->expire_ms) / 1000);
    if (host_wall_ms(sim) < message->due_ms)
        violation(sim, "message %lld goes on the air %lld s before its time", (long long)message->id,
                  (long long)(message->due_ms - host_wall_ms(sim)) / 1000);
}

static void reported(struct simulation *sim, const struct sim_event *event)
{
    struct sms_tpdu tpdu;
    const char *error;
    uint32_t index;

    sim->result->reports++;
    if (sms_pdu_decode_hex(event->pdu_hex, strlen(event->pdu_hex), SMS_STATUS_REPORT, &tpdu, &error) < 0 ||
        !witness_map_find(&sim->witness.by_report,
                          report_key(card_in(sim, event), event->mr, event->address, sms_time_to_unix_s(&tpdu.scts)), &index))
        return;
    if (event->status < 0x20)
        sim->witness.parts[index].reports |= REPORT_TRUTH_DELIVERED;
    else if (event->status >= 0x40)
        sim->witness.parts[index].reports |= REPORT_TRUTH_FAILED;
}

void witness_sim_event(struct simulation *sim, const struct sim_event *event)
{
    switch (event->kind) {
    case SIM_EVENT_ACCEPTED:
        on_air(sim, event);
        break;
    case SIM_EVENT_REPORT:
        reported(sim, event);
        break;
    case SIM_EVENT_INCOMING:
        incoming_taken(sim, event, event->modem);
        break;
    default:
        break;
    }
}

/* ------------------------------------------------------------------------------------------------------------ */

void witness_init(struct simulation *sim)
{
    memset(&sim->witness, 0, sizeof sim->witness);
}

static void map_done(struct witness_map *map)
{
    free(map->keys);
    free(map->values);
}

void witness_done(struct simulation *sim)
{
    struct witness *witness = &sim->witness;

    free(witness->messages);
    free(witness->parts);
    free(witness->by_id);
    free(witness->attempts);
    for (size_t i = 0; i <= MESSAGE_PRIORITY_MAX; i++)
        free(witness->ready[i].ids);
    map_done(&witness->by_part);
    map_done(&witness->by_text);
    map_done(&witness->by_report);
    map_done(&witness->by_reference);
    map_done(&witness->by_incoming);
}
