/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_send.c - from the queue to the modems: who takes what, the intent before it, the outcome after it. */
#include "src/gateway/gateway_internal.h"

#include "src/base/hex.h"
#include "src/gateway/error_class.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next intent is asked for half way through the air time, and early enough for a few commits: a modem must not wait
 * for the disk, and a power cut should find few intents of parts that never left. */
#define PREFETCH_AIR_DIVISOR 2
#define PREFETCH_COMMITS 4

/* -- what is ready -------------------------------------------------------------------------------------------- */

static int bound_find(const struct gateway *gateway, int64_t message_id)
{
    for (uint32_t i = 0; i < gateway->bound_count; i++)
        if (gateway->bound[i].id == message_id)
            return (int)i;
    return -1;
}

bool gateway_is_bound(const struct gateway *gateway, int64_t message_id)
{
    return bound_find(gateway, message_id) >= 0;
}

void gateway_bound_remove(struct gateway *gateway, int64_t message_id)
{
    int i = bound_find(gateway, message_id);

    if (i >= 0)
        gateway->bound[i] = gateway->bound[--gateway->bound_count];
}

static void bound_put(struct gateway *gateway, const struct queue_item *item)
{
    int i = bound_find(gateway, item->id);

    if (i >= 0) {
        gateway->bound[i] = *item;
        return;
    }
    if (gateway->bound_count == gateway->bound_size) {
        uint32_t size = gateway->bound_size != 0 ? gateway->bound_size * 2 : 16;
        struct queue_item *bound = realloc(gateway->bound, size * sizeof *bound);

        if (bound == NULL)
            return;   /* it stays in the store, found again after the next start */
        gateway->bound = bound;
        gateway->bound_size = size;
    }
    gateway->bound[gateway->bound_count++] = *item;
}

bool gateway_is_active(const struct gateway *gateway, int64_t message_id)
{
    for (uint32_t i = 0; i < gateway->slot_count; i++) {
        const struct gateway_slot *slot = gateway->slots[i];

        if (slot != NULL && ((slot->air.state != PART_NONE && slot->air.item.id == message_id) ||
                             (slot->next.state != PART_NONE && slot->next.item.id == message_id) || slot->follow.id == message_id))
            return true;
    }
    return false;
}

void gateway_put(struct gateway *gateway, const struct queue_item *item, struct gateway_now now)
{
    struct queue_item classified = *item;

    gateway_classify(gateway, &classified, now);
    if (item->sim_id != 0)
        bound_put(gateway, &classified);
    else
        (void)queue_put(&gateway->queue, &classified);
}

/* -- intent --------------------------------------------------------------------------------------------------- */

static void ask_intent(struct gateway *gateway, struct gateway_slot *slot, uint32_t index, const struct queue_item *item,
                       struct gateway_now now)
{
    struct store_change *change = gateway_new_change(gateway, CHANGE_INTENT, now);

    if (change == NULL || gateway_count_part(gateway, slot, item, &change->u.intent, now) < 0) {
        change_free(change);
        gateway_put(gateway, item, now);
        return;
    }
    change->slot = index;
    change->u.intent.message_id = item->id;
    change->u.intent.part = item->part_next;
    change->u.intent.sim_id = slot->sim_id;
    change->u.intent.modem_id = slot->modem_id;
    slot->next.state = PART_ASKED;
    slot->next.item = *item;
    slot->next.take_back = false;
    slot->next.attempt_id = 0;
    if (item->part_next + 1 < item->parts) {
        slot->follow = *item;
        slot->follow.part_next++;
        slot->follow.sim_id = slot->sim_id;
    }
    gateway_add_change(gateway, change);
}

static void withdraw_attempt(struct gateway *gateway, int64_t attempt_id, struct gateway_now now)
{
    struct store_change *change = gateway_new_change(gateway, CHANGE_WITHDRAW, now);

    assert(attempt_id > 0);
    if (change == NULL)
        return;   /* it stays an intent, and is unknown after the next start: never sent twice */
    change->u.withdraw.attempt_id = attempt_id;
    gateway_add_change(gateway, change);
}

static void withdraw(struct gateway *gateway, struct gateway_slot *slot, struct gateway_now now)
{
    struct gateway_part *part = &slot->next;

    withdraw_attempt(gateway, part->attempt_id, now);
    gateway_uncount_part(gateway, slot, part, USE_NOT_SENT, now);
    if (part->cancel != NULL)
        gateway_add_change(gateway, part->cancel);
    part->cancel = NULL;
    part->state = PART_NONE;
}

void gateway_take_back(struct gateway *gateway, struct gateway_slot *slot, uint32_t index, struct gateway_now now)
{
    (void)index;
    /* The rest of a message whose part is on its way comes back with that part's outcome. */
    if (slot->follow.id != 0 && slot->air.state == PART_NONE && slot->next.state == PART_NONE)
        gateway_put(gateway, &slot->follow, now);
    slot->follow.id = 0;
    if (slot->next.state == PART_DURABLE)
        withdraw(gateway, slot, now);
    else if (slot->next.state == PART_ASKED)
        slot->next.take_back = true;
}

/* A cancel of a message that only waits behind another: its intent is taken back first. True: the cancel is taken over. */
bool gateway_cancel_waits(struct gateway *gateway, struct store_change *cancel, struct gateway_now now)
{
    for (uint32_t i = 0; i < gateway->slot_count; i++) {
        struct gateway_slot *slot = gateway->slots[i];

        if (slot == NULL || slot->next.state == PART_NONE || slot->next.item.id != cancel->u.cancel.message_id ||
            slot->next.item.part_next != 0 || slot->next.cancel != NULL)
            continue;
        slot->next.cancel = cancel;
        gateway_take_back(gateway, slot, i, now);
        return true;
    }
    return false;
}

/* TP-VP from what is left of the message's time: the network should not try longer than the sender wants. */
static uint8_t validity_left(int64_t expire_ms, int64_t wall_ms)
{
    int64_t minutes = (expire_ms - wall_ms + 59999) / 60000;

    return sms_vp_from_minutes(minutes < 5 ? 5 : minutes > INT32_MAX ? INT32_MAX : (uint32_t)minutes);
}

/* TP-MR: most modems put their own; for those that take ours (Siemens TC35) parts must differ, so that reports tell them
 * apart. */
static int encode(struct gateway_part *part, const struct change_intent *intent, int64_t wall_ms)
{
    struct sms_submit submit = {
        .to = intent->to, .mr = intent->pdu_mr, .reject_duplicates = intent->resend, .status_report = intent->report,
        .message_class = intent->message_class,
        .alphabet = (enum sms_alphabet)intent->coding.alphabet, .locking = intent->coding.locking, .single = intent->coding.single,
        .vp_format = SMS_VP_RELATIVE, .vp_raw = validity_left(intent->expire_ms, wall_ms),
        .concat = intent->coding.parts > 1, .concat_ref = intent->concat_ref, .concat_ref_bits = intent->concat_ref_bits,
        .concat_total = (uint8_t)intent->coding.parts, .concat_seq = (uint8_t)(intent->part + 1),
        .text = intent->text, .text_length = intent->text_length,
    };
    uint8_t pdu[SMS_PDU_BYTES_MAX];
    size_t length;
    const char *error;
    int r = sms_submit_encode(&submit, pdu, &length, &part->tpdu_length, &error);

    if (r == 0)
        hex_encode(pdu, length, part->pdu_hex);
    return r;
}

static void part_event(struct gateway *gateway, const struct gateway_slot *slot, const struct gateway_part *part,
                       enum live_part_step step, int mr, int code, const char *reason, struct gateway_now now)
{
    struct live_event event = { .kind = LIVE_PART, .at_ms = now.wall_ms, .message_id = part->item.id, .reason = reason, .step = step,
                                .part = part->item.part_next, .parts = part->item.parts, .mr = mr, .code = code, .status = -1,
                                .port = slot->port, .imei = slot->card.imei, .iccid = slot->card.iccid };

    gateway->config.ops->event(gateway->config.context, &event);
}

void gateway_add_outcome(struct gateway *gateway, uint32_t index, int64_t attempt_id, enum gateway_result result, const struct policy *policy,
                         int mr, uint8_t error_kind, int code, struct gateway_now now)
{
    struct store_change *change = gateway_new_change(gateway, CHANGE_OUTCOME, now);

    if (change == NULL)
        return;   /* stays an intent on disk: unknown after the next start, never sent twice */
    change->slot = index;
    change->u.outcome.attempt_id = attempt_id;
    change->u.outcome.evidence = result == GATEWAY_NEVER_SENT;
    change->u.outcome.state = policy->attempt;
    change->u.outcome.mr = mr;
    change->u.outcome.error_kind = error_kind;
    change->u.outcome.code = code;
    change->u.outcome.verdict = policy->verdict;
    change->u.outcome.retry_ms = policy->verdict == OUTCOME_RETRY && policy->delay_ms != 0 ? now.wall_ms + policy->delay_ms : 0;
    change->u.outcome.fail_state = policy->fail_state;
    (void)snprintf(change->u.outcome.reason, sizeof change->u.outcome.reason, "%s", policy->reason);
    gateway_add_change(gateway, change);
}

/* FNV-1a: only to tell recipients apart. */
uint32_t gateway_recipient_hash(const char *to)
{
    uint32_t hash = 2166136261u;

    while (*to != '\0')
        hash = (hash ^ (uint8_t)*to++) * 16777619u;
    return hash;
}

/* The intent is on disk, or the store says why the message must not go. */
void gateway_intent_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    struct change_intent *intent = &change->u.intent;
    struct gateway_slot *slot = gateway_slot_get(gateway, change->slot);
    struct gateway_part *part;

    assert(slot != NULL && slot->next.state == PART_ASKED && slot->next.item.id == intent->message_id);
    part = &slot->next;
    if (change->result != 0)
        gateway_uncount_part(gateway, slot, part, USE_NOT_SENT, now);
    if (change->result == -EEXIST && slot->follow.id == intent->message_id && !part->take_back) {
        part->state = PART_NONE;   /* this part went with an earlier try: on to the next one */
        return;
    }
    if (change->result != 0) {
        part->state = PART_NONE;
        slot->follow.id = 0;
        if (change->result == -ETIME)
            gateway_event_message(gateway, intent->message_id, MESSAGE_EXPIRED, "its validity ended before it could be sent", now);
        else if (change->result == -EPERM)
            gateway_event_message(gateway, intent->message_id, intent->message_state, OPT_OUT_REASON, now);
        else if (change->result == -EDQUOT)
            gateway_credit_refused(gateway);
        else if (gateway->store_bad)
            gateway_put(gateway, &part->item, now);
        /* The commit failed, and may have landed all the same: then the intent stands, and must not stay. */
        if (gateway->store_bad && intent->attempt_id != 0)
            withdraw_attempt(gateway, intent->attempt_id, now);
        if (part->cancel != NULL)
            gateway_add_change(gateway, part->cancel);
        part->cancel = NULL;
        return;
    }
    part->attempt_id = intent->attempt_id;
    part->resend = intent->resend;
    part->spend_until_ms = intent->spend_until_ms;
    part->recipient = gateway_recipient_hash(intent->to);
    part->item.expire_ms = intent->expire_ms;   /* the clock may have been set since it was queued */
    assert(part->take_back || slot->ready);   /* what makes it not ready takes back */
    if (part->take_back) {
        slot->follow.id = 0;
        withdraw(gateway, slot, now);
        return;
    }
    if (encode(part, intent, now.wall_ms) < 0) {
        struct policy policy = { .attempt = ATTEMPT_NOT_SENT, .verdict = OUTCOME_FAIL, .fail_state = MESSAGE_FAILED,
                                 .reason = "this number or text cannot be written as an SMS" };

        gateway_add_outcome(gateway, change->slot, part->attempt_id, GATEWAY_NOT_SENT, &policy, -1, 0, -1, now);
        gateway_uncount_part(gateway, slot, part, USE_NOT_SENT, now);
        part->state = PART_NONE;
        slot->follow.id = 0;
        return;
    }
    part->state = PART_DURABLE;
    if (part->item.part_next == 0)
        gateway_event_message(gateway, intent->message_id, MESSAGE_SENDING, "", now);
}

/* -- hand-over and outcome ------------------------------------------------------------------------------------ */

static void measure_acceptance_to_air(struct gateway *gateway, int64_t message_id, struct gateway_now now)
{
    for (uint32_t i = 0; i < 64; i++)
        if (gateway->accepted_alone[i].id == message_id) {
            samples_add(&gateway->air_samples, now.mono_us - gateway->accepted_alone[i].at_us);
            gateway->accepted_alone[i].id = 0;
        }
}

static bool hand_over(struct gateway *gateway, struct gateway_slot *slot, uint32_t index, struct gateway_now now)
{
    struct gateway_part *part = &slot->next;
    uint64_t air_us = slot->air_min_us / PREFETCH_AIR_DIVISOR, commits_us = PREFETCH_COMMITS * gateway->commit_mean_us;

    gateway_look_at_clock(gateway, now);
    if (!gateway_credit_may_go(gateway, part, now)) {
        gateway_credit_refused(gateway);
        gateway_take_back(gateway, slot, index, now);
        return false;
    }
    if (part->item.expire_ms <= now.wall_ms ||
        gateway->config.ops->send(gateway->config.context, index, part->attempt_id, part->pdu_hex, part->tpdu_length, now) < 0) {
        if (part->item.expire_ms > now.wall_ms)
            slot->ready = false;   /* it will say when it can take a part again */
        gateway_take_back(gateway, slot, index, now);
        return false;
    }
    slot->air = *part;
    slot->air.state = PART_ON_AIR;
    part->state = PART_NONE;
    slot->air_since_us = now.mono_us;
    slot->prefetch_at_us = now.mono_us;
    if (!gateway->config.prefetch_at_once && air_us > commits_us)
        slot->prefetch_at_us += air_us;
    measure_acceptance_to_air(gateway, slot->air.item.id, now);
    part_event(gateway, slot, &slot->air, LIVE_PART_ON_AIR, -1, -1, "", now);
    return true;
}

static void work(struct gateway *gateway, struct gateway_slot *slot, uint32_t index, struct gateway_now now)
{
    struct queue_item item;

    slot->pick_retry_ms = UINT64_MAX;
    if (!slot->ready || !slot->known || slot->bearer == CHOOSER_NO_BEARER || gateway->stopping || gateway->store_damaged ||
        gateway->credit.stop != LEDGER_DONE) {
        gateway_bearer_sync(gateway, slot, now);
        return;
    }
    if (slot->air.state == PART_NONE && slot->next.state == PART_DURABLE && !hand_over(gateway, slot, index, now))
        return;
    gateway_bearer_sync(gateway, slot, now);
    if (slot->next.state != PART_NONE || gateway->store_bad || sim_health_rests(&slot->health, now.mono_us) ||
        (slot->air.state == PART_ON_AIR && (slot->prefetch_at_us > now.mono_us || gateway_has_gap(gateway, slot))))
        return;
    gateway_bearer_sync(gateway, slot, now);
    if (gateway_pick(gateway, slot, &item, now))
        ask_intent(gateway, slot, index, &item, now);
    gateway_bearer_sync(gateway, slot, now);
}

/* Idle modems first and in turn; then those that only think of their next part. */
void gateway_dispatch(struct gateway *gateway, struct gateway_now now)
{
    uint32_t first = gateway->slot_turn;

    for (int busy = 0; busy <= 1; busy++)
        for (uint32_t i = 0; i < gateway->slot_count; i++) {
            uint32_t index = (first + i) % gateway->slot_count;
            struct gateway_slot *slot = gateway->slots[index];

            if (slot == NULL || (slot->air.state == PART_ON_AIR) != (busy == 1))
                continue;
            work(gateway, slot, index, now);
            if (busy == 0 && slot->next.state == PART_ASKED)
                gateway->slot_turn = index + 1;
        }
}

/* True where the SIM is to blame, and not the message or its recipient. */
static bool note_health(struct gateway_slot *slot, enum gateway_result result, uint8_t error_kind, int code, struct gateway_now now)
{
    if (result == GATEWAY_SENT)
        sim_health_sent(&slot->health);
    if (result != GATEWAY_REFUSED)
        return false;
    return sim_health_refused(&slot->health, error_classify((enum error_kind)error_kind, code)->class, slot->air.recipient, now.mono_us);
}

void gateway_part_result(struct gateway *gateway, uint32_t index, int64_t attempt_id, enum gateway_result result, int mr,
                         uint8_t error_kind, int code, struct gateway_now now)
{
    static const enum live_part_step steps[] = {
        [ATTEMPT_SENT] = LIVE_PART_SENT, [ATTEMPT_REFUSED] = LIVE_PART_REFUSED, [ATTEMPT_NOT_SENT] = LIVE_PART_NOT_SENT,
        [ATTEMPT_UNKNOWN] = LIVE_PART_UNKNOWN,
    };
    struct gateway_slot *slot = gateway_slot_get(gateway, index);
    bool on_air = slot != NULL && slot->air.state == PART_ON_AIR && slot->air.attempt_id == attempt_id;
    bool sim_fault = on_air && note_health(slot, result, error_kind, code, now);
    struct policy policy = policy_decide(result, error_kind, code, on_air ? slot->air.item.failures : 0, on_air && slot->air.resend, sim_fault);
    uint64_t air_us;

    if (on_air && policy.verdict == OUTCOME_RETRY && policy.delay_ms != 0 && error_classify((enum error_kind)error_kind, code)->class == ERROR_TRANSIENT &&
        slot->air.item.failures == 0 && gateway_has_another(gateway, slot, &slot->air.item, now))
        policy.delay_ms = 0;             /* by another SIM at once */
    if (on_air && (result == GATEWAY_NOT_SENT || policy.attempt == ATTEMPT_REFUSED))
        gateway_uncount_part(gateway, slot, &slot->air, result == GATEWAY_NOT_SENT ? USE_NOT_SENT : USE_REFUSED, now);
    if (on_air)
        gateway_bearer_result(gateway, slot, result, error_kind, code, now);
    gateway_add_outcome(gateway, index, attempt_id, result, &policy, mr, error_kind, code, now);
    if (slot != NULL)
        gateway_count_result(slot, attempt_id, result, mr, error_kind, code, on_air ? slot->air.item.failures : 0, now);
    if (policy.attempt == ATTEMPT_SENT)
        gateway->parts_sent++;
    else if (policy.attempt == ATTEMPT_REFUSED)
        gateway->parts_refused++;
    else if (policy.attempt == ATTEMPT_UNKNOWN)
        gateway->parts_unknown++;
    if (!on_air)
        return;   /* a late answer to a part given up before */
    part_event(gateway, slot, &slot->air, steps[policy.attempt], mr, code, policy.reason, now);
    gateway_look_at_rests(gateway, now);
    slot->air.state = PART_NONE;
    air_us = now.mono_us - slot->air_since_us;
    if (policy.attempt == ATTEMPT_SENT)   /* falls at once, rises slowly */
        slot->air_min_us = air_us < slot->air_min_us || slot->air_min_us == 0 ? air_us : slot->air_min_us + (air_us - slot->air_min_us) / 8;
    if (policy.attempt == ATTEMPT_SENT && slot->bearer != CHOOSER_NO_BEARER)
        chooser_pace(gateway->chooser, slot->bearer, (uint32_t)(air_us / 1000));
    if (result == GATEWAY_UNKNOWN || result == GATEWAY_NOT_SENT) {
        slot->ready = false;   /* it says when it can take a part again; what waits behind need not wait for it */
        gateway_take_back(gateway, slot, index, now);
    } else if (policy.verdict != OUTCOME_DONE) {
        /* The rest of this message waits for what becomes of it. */
        if (slot->follow.id == slot->air.item.id)
            slot->follow.id = 0;
        if (slot->next.state != PART_NONE && (slot->next.item.id == slot->air.item.id || sim_health_rests(&slot->health, now.mono_us)))
            gateway_take_back(gateway, slot, index, now);
    }
    work(gateway, slot, index, now);
    if (slot->next.state == PART_NONE && gateway->queue.count != 0)
        gateway_wake(gateway);           /* what is not for this one may be for another by now */
}

void gateway_outcome_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    struct change_outcome *outcome = &change->u.outcome;

    if (change->result != 0)
        return;
    if (outcome->message_changed)
        gateway_event_message(gateway, outcome->message_id, outcome->message_state, outcome->reason, now);
    /* Also where the next part's intent is still open and about to be taken back: it would not say when. */
    if (outcome->ready_ms > now.wall_ms)
        gateway_due_at(gateway, outcome->ready_ms);
    else if (outcome->requeue.id != 0 && !gateway_is_active(gateway, outcome->requeue.id))
        gateway_put(gateway, &outcome->requeue, now);
    if (outcome->evidence && outcome->requeue.id != 0)   /* while it was unknown nobody looked at its validity */
        gateway_due_at(gateway, outcome->requeue.expire_ms);
}

/* -- slots ---------------------------------------------------------------------------------------------------- */

static void ask_rows(struct gateway *gateway, struct gateway_slot *slot, uint32_t index, struct gateway_now now)
{
    struct store_change *change = gateway_new_change(gateway, CHANGE_SIM, now);

    slot->card_asked = change != NULL;
    if (change == NULL)
        return;
    change->slot = index;
    change->handle = slot->card_turn;
    change->u.sim = slot->card;
    gateway_add_change(gateway, change);
}

void gateway_cards_ask(struct gateway *gateway, struct gateway_now now)
{
    for (uint32_t i = 0; i < gateway->slot_count; i++)
        if (gateway->slots[i] != NULL && !gateway->slots[i]->card_asked)
            ask_rows(gateway, gateway->slots[i], i, now);
}

/* The card is another one from here on, whether or not there is memory to ask for its rows: nothing is booked on the one before. */
void gateway_slot_sim(struct gateway *gateway, uint32_t index, const char *port, const struct change_sim *sim, struct gateway_now now)
{
    struct gateway_slot *slot;

    assert(index < GATEWAY_SLOTS_MAX);
    if (gateway->slots[index] == NULL) {
        if ((gateway->slots[index] = calloc(1, sizeof *gateway->slots[index])) == NULL)
            return;   /* the modem is of no use until it is announced again */
        gateway->slots[index]->bearer = CHOOSER_NO_BEARER;
        gateway->slots[index]->pick_retry_ms = UINT64_MAX;
    }
    if (index >= gateway->slot_count)
        gateway->slot_count = index + 1;
    slot = gateway->slots[index];
    if (strcmp(slot->card.iccid, sim->iccid) != 0 || strcmp(slot->card.imei, sim->imei) != 0) {
        slot->known = false;
        gateway_bearer_gone(gateway, slot);
        slot->card_turn++;
        smss_init(&slot->smss, now.mono_us);
    }
    (void)snprintf(slot->port, sizeof slot->port, "%s", port);
    slot->card = *sim;
    ask_rows(gateway, slot, index, now);
}

void gateway_slot_ready(struct gateway *gateway, uint32_t index, bool ready, struct gateway_now now)
{
    struct gateway_slot *slot = gateway_slot_get(gateway, index);

    if (slot == NULL)
        return;
    slot->ready = ready;
    if (ready) {
        work(gateway, slot, index, now);
        return;
    }
    gateway_take_back(gateway, slot, index, now);
    gateway_bearer_sync(gateway, slot, now);
    gateway_wake(gateway);               /* what waited for it may go by another */
}
