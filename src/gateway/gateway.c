/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway.c - life of the gateway, its traffic with the store, and its clock. */
#include "src/gateway/gateway_internal.h"

#include "src/base/digits.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gateway *gateway_new(const struct gateway_config *config)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);

    if (gateway == NULL)
        return NULL;
    gateway->config = *config;
    gateway->chooser = chooser_new(config->boot);
    gateway->planner = planner_new();
    if (gateway->chooser == NULL || gateway->planner == NULL) {
        chooser_free(gateway->chooser);
        planner_free(gateway->planner);
        free(gateway);
        return NULL;
    }
    queue_init(&gateway->queue, config->window);
    gateway->changes_tail = &gateway->changes;
    gateway->retry_tail = &gateway->retry;
    gateway->due_next_ms = 0;   /* the first poll asks the store what is due */
    return gateway;
}

void gateway_free(struct gateway *gateway)
{
    if (gateway == NULL)
        return;
    for (uint32_t i = 0; i < gateway->slot_count; i++) {
        if (gateway->slots[i] != NULL) {
            change_free(gateway->slots[i]->next.cancel);
            change_free_list(gateway->slots[i]->waiting);
        }
        free(gateway->slots[i]);
    }
    change_free_list(gateway->changes);
    change_free_list(gateway->retry);
    queue_done(&gateway->queue);
    chooser_free(gateway->chooser);
    planner_free(gateway->planner);
    free(gateway->bound);
    free(gateway);
}

struct gateway_slot *gateway_slot_get(struct gateway *gateway, uint32_t slot)
{
    return slot < gateway->slot_count ? gateway->slots[slot] : NULL;
}

/* -- changes -------------------------------------------------------------------------------------------------- */

struct store_change *gateway_new_change(struct gateway *gateway, enum change_kind kind, struct gateway_now now)
{
    gateway_look_at_clock(gateway, now);
    return change_new(kind, now.wall_ms);
}

void gateway_add_change(struct gateway *gateway, struct store_change *change)
{
    change->next = NULL;
    *gateway->changes_tail = change;
    gateway->changes_tail = &change->next;
}

struct store_change *gateway_take_changes(struct gateway *gateway)
{
    struct store_change *list = gateway->changes;

    gateway->changes = NULL;
    gateway->changes_tail = &gateway->changes;
    if (list != NULL)
        gateway->in_store++;
    return list;
}

void samples_add(struct samples *samples, uint64_t value_us)
{
    samples->values[samples->at] = value_us > UINT32_MAX ? UINT32_MAX : (uint32_t)value_us;
    samples->at = (samples->at + 1) % GATEWAY_SAMPLES;
    if (samples->count < GATEWAY_SAMPLES)
        samples->count++;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void samples_quantiles(const struct samples *samples, uint64_t *ret_p50, uint64_t *ret_p99)
{
    uint32_t sorted[GATEWAY_SAMPLES];

    *ret_p50 = *ret_p99 = 0;
    if (samples->count == 0)
        return;
    memcpy(sorted, samples->values, samples->count * sizeof *sorted);
    qsort(sorted, samples->count, sizeof *sorted, compare_u32);
    *ret_p50 = sorted[samples->count / 2];
    *ret_p99 = sorted[(samples->count - 1) * 99 / 100];
}

/* -- events --------------------------------------------------------------------------------------------------- */

void gateway_event_message(struct gateway *gateway, int64_t id, enum message_state state, const char *reason, struct gateway_now now)
{
    struct live_event event = { .kind = LIVE_MESSAGE, .at_ms = now.wall_ms, .message_id = id, .state = state, .reason = reason,
                                .mr = -1, .code = -1, .status = -1 };

    gateway->config.ops->event(gateway->config.context, &event);
}

/* -- what clients ask ----------------------------------------------------------------------------------------- */

/* The clock was set between the request and now: its time counts from now. */
static void accept_by_clock(struct store_change *change, struct gateway_now now)
{
    int64_t step_ms = now.wall_ms - change->now_ms;

    if (step_ms < GATEWAY_CLOCK_STEP_MS && step_ms > -GATEWAY_CLOCK_STEP_MS)
        return;
    change->now_ms = now.wall_ms;
    for (uint32_t i = 0; i < change->u.accept.count; i++)
        if (change->u.accept.messages[i].due_ms == 0 && change->u.accept.messages[i].expire_ms != 0)
            change->u.accept.messages[i].expire_ms += step_ms;
}

void gateway_submit(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    change->handle = now.mono_us;
    if (change->kind == CHANGE_ACCEPT && !gateway_accepting(gateway, NULL)) {
        change->result = gateway_intake_error(gateway);
        gateway->config.ops->answer(gateway->config.context, change);
        return;
    }
    gateway_look_at_clock(gateway, now);
    if (change->kind == CHANGE_ACCEPT)
        accept_by_clock(change, now);
    if (change->kind == CHANGE_CANCEL && gateway_cancel_waits(gateway, change, now))
        return;
    gateway_add_change(gateway, change);
}

bool gateway_accepting(const struct gateway *gateway, const char **ret_reason)
{
    const char *reason = gateway->stopping        ? "the gateway is stopping"
                         : gateway->store_damaged ? "the database is damaged: the log says what was found and what to do; nothing is sent"
                         : gateway->store_bad     ? gateway->store_problem
                                                  : NULL;

    if (ret_reason != NULL)
        *ret_reason = reason;
    return reason == NULL;
}

int gateway_intake_error(const struct gateway *gateway)
{
    return gateway->stopping ? -ESHUTDOWN : gateway->store_damaged ? -EBADMSG : gateway->store_bad ? gateway->store_error : 0;
}

static void accept_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    struct change_accept *accept = &change->u.accept;

    if (change->result != 0 || accept->replayed)
        return;
    gateway_accepted(gateway, accept, now);
    if (accept->count == 1) {
        gateway->accepted_alone[gateway->accepted_alone_at].id = accept->messages[0].id;
        gateway->accepted_alone[gateway->accepted_alone_at].at_us = change->handle;
        gateway->accepted_alone_at = (gateway->accepted_alone_at + 1) % 64;
    }
}

void gateway_accepted(struct gateway *gateway, const struct change_accept *accept, struct gateway_now now)
{
    for (uint32_t i = 0; i < accept->count; i++) {
        const struct accept_message *message = &accept->messages[i];

        gateway->accepted++;
        gateway_event_message(gateway, message->id, message->state, message->reason, now);
        if (message->state == MESSAGE_SCHEDULED) {
            gateway_due_at(gateway, message->due_ms);
        } else if (message->state == MESSAGE_QUEUED) {
            struct queue_item item = { .id = message->id, .expire_ms = message->expire_ms, .parts = (uint8_t)message->coding.parts,
                                       .priority = message->priority, .patience_s = message->patience_s,
                                       .since_s = (uint32_t)(now.wall_ms > 0 ? now.wall_ms / 1000 : 0),
                                       .short_code = message->to[0] != '+', .sticky_sim_id = message->sticky_sim_id };

            item.to_key = digits_pack(message->to + !item.short_code, SIZE_MAX, NULL);
            gateway_put(gateway, &item, now);
            gateway_learn(gateway, &item, now);
        }
        gateway->credit.summary.waiting += message->state == MESSAGE_WAIT_CREDIT;
        if (message->state == MESSAGE_SCHEDULED || message->state == MESSAGE_QUEUED || message->state == MESSAGE_WAIT_CREDIT)
            gateway_due_at(gateway, message->expire_ms);
    }
}

static void cancel_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    if (change->result != 0)
        return;
    (void)queue_remove(&gateway->queue, change->u.cancel.message_id);
    gateway_bound_remove(gateway, change->u.cancel.message_id);
    gateway_event_message(gateway, change->u.cancel.message_id, change->u.cancel.message_state, "cancelled", now);
}

static void decide_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    struct change_decide *decide = &change->u.decide;

    if (change->result != 0)
        return;
    gateway_event_message(gateway, decide->message_id, decide->message_state,
                          decide->decision == DECISION_RELEASE ? "released: it is sent again" : "dropped", now);
    if (decide->requeue.id != 0 && !gateway_is_active(gateway, decide->requeue.id)) {
        gateway_put(gateway, &decide->requeue, now);
        gateway_due_at(gateway, decide->requeue.expire_ms);
    }
}

/* -- due and fetch -------------------------------------------------------------------------------------------- */

void gateway_due_at(struct gateway *gateway, int64_t at_ms)
{
    if (at_ms < gateway->due_next_ms)
        gateway->due_next_ms = at_ms;
}

static void due_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    struct change_due *due = &change->u.due;

    gateway->due_asked = false;
    if (change->result != 0) {
        gateway->due_next_ms = 0;   /* asked again when the store is back */
        gateway->clock_fell = gateway->clock_fell || due->retry_ms_max != 0;
        return;
    }
    for (uint32_t i = 0; i < due->item_count; i++) {
        gateway_event_message(gateway, due->items[i].id, MESSAGE_QUEUED, "its time has come", now);
        gateway_put(gateway, &due->items[i], now);
    }
    for (uint32_t i = 0; i < due->expired_count; i++) {
        (void)queue_remove(&gateway->queue, due->expired[i]);
        gateway_bound_remove(gateway, due->expired[i]);
        gateway_event_message(gateway, due->expired[i], MESSAGE_EXPIRED, "its validity ended before it could be sent", now);
    }
    for (uint32_t i = 0; i < due->held_count; i++)
        gateway_event_message(gateway, due->held[i], MESSAGE_HELD, "nothing tells whether it was sent: release or drop it", now);
    for (uint32_t i = 0; i < due->inbox_count; i++) {
        struct live_event event = { .kind = LIVE_INBOX, .at_ms = now.wall_ms, .message_id = due->inbox[i], .from = "",
                                    .reason = "some of its parts never came", .mr = -1, .code = -1, .status = -1,
                                    .port = "", .imei = "", .iccid = "" };

        gateway->config.ops->event(gateway->config.context, &event);
    }
    gateway_due_at(gateway, due->next_ms);
}

/* Items that are bound to a SIM do not wait in the common queue. */
static bool skip_active(void *context, int64_t id)
{
    return gateway_is_active(context, id) || gateway_is_bound(context, id);
}

static void fetch_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    struct change_fetch *fetch = &change->u.fetch;

    if (change->result != 0) {
        queue_fetch_failed(&gateway->queue);
        return;
    }
    for (uint32_t i = 0; i < fetch->item_count; i++)
        if (fetch->items[i].sim_id != 0 && !gateway_is_active(gateway, fetch->items[i].id))
            gateway_put(gateway, &fetch->items[i], now);
    for (uint32_t i = 0; i < fetch->item_count; i++)
        gateway_classify(gateway, &fetch->items[i], now);
    queue_fetched(&gateway->queue, fetch->items, fetch->item_count, fetch->more, skip_active, gateway);
}

static void ask_store(struct gateway *gateway, struct gateway_now now)
{
    struct store_change *change;

    if (!gateway->due_asked && now.wall_ms >= gateway->due_next_ms &&
        (change = gateway_new_change(gateway, CHANGE_DUE, now)) != NULL) {
        change->u.due.limit = GATEWAY_DUE_BATCH;
        change->u.due.retry_ms_max = gateway->clock_fell ? GATEWAY_RETRY_MS_MAX : 0;
        gateway->clock_fell = false;
        gateway->due_next_ms = INT64_MAX;   /* the answer says; what comes meanwhile lowers it */
        gateway->due_asked = true;
        gateway_add_change(gateway, change);
    }
    if (queue_fetch_wanted(&gateway->queue) && (change = gateway_new_change(gateway, CHANGE_FETCH, now)) != NULL) {
        struct change_fetch *fetch = &change->u.fetch;

        queue_fetch_begin(&gateway->queue, &fetch->after_priority, &fetch->after_id, &fetch->limit);
        gateway_add_change(gateway, change);
    }
}

/* -- commits come back ---------------------------------------------------------------------------------------- */

static void sim_done(struct gateway *gateway, const struct store_change *change, struct gateway_now now)
{
    struct gateway_slot *slot = gateway_slot_get(gateway, change->slot);

    assert(slot != NULL && change->result == 0);   /* it fails with its whole list alone, and is kept then */
    gateway_flush_waiting(gateway, slot, (uint32_t)change->handle, &change->u.sim, now);
    if (change->handle != slot->card_turn)
        return;   /* another card is in it by now: its own change follows */
    if (slot->sim_id != change->u.sim.sim_id)
        slot->health = (struct sim_health){ .sent = 0 };
    slot->sim_id = change->u.sim.sim_id;
    slot->modem_id = change->u.sim.modem_id;
    slot->known = true;
    gateway_bearer_known(gateway, slot, &change->u.sim, now);
    gateway_bearer_sync(gateway, slot, now);
}

/* What must not be lost when a commit failed: what modems said. Requests get their error instead, and what a modem still
 * has in its storage will be read again. How the clock stands keeps its place before what came in by it. */
static bool keep_for_retry(struct gateway *gateway, const struct store_change *change)
{
    switch (change->kind) {
    case CHANGE_OUTCOME:
    case CHANGE_WITHDRAW:
    case CHANGE_SIM:
    case CHANGE_CLOCK:
        return true;
    case CHANGE_REPORT:
    case CHANGE_RECEIVE:
        return gateway->retry_count < GATEWAY_RETRY_CHANGES_MAX;
    default:
        return false;
    }
}

static void store_failed(struct gateway *gateway, int error, struct gateway_now now)
{
    gateway->store_bad = true;
    gateway->store_error = error;
    gateway->commit_failures++;
    gateway->store_retry_us = now.mono_us + GATEWAY_STORE_RETRY_US;
    gateway->store_problem =
        error == -ENOSPC ? "the disk is full: free space on the file system of state_dir; nothing accepted so far is lost"
                         : "the database cannot be written: look at the disk of state_dir; nothing accepted so far is lost";
}

static void change_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    switch (change->kind) {
    case CHANGE_ACCEPT:
        accept_done(gateway, change, now);
        break;
    case CHANGE_INTENT:
        gateway_intent_done(gateway, change, now);
        break;
    case CHANGE_OUTCOME:
        gateway_outcome_done(gateway, change, now);
        break;
    case CHANGE_WITHDRAW:
        /* Where another part of it is still on its way, that part's outcome brings it back. */
        if (change->result == 0 && change->u.withdraw.requeue.id != 0 && !gateway_is_active(gateway, change->u.withdraw.requeue.id))
            gateway_put(gateway, &change->u.withdraw.requeue, now);
        break;
    case CHANGE_REPORT:
        gateway_report_done(gateway, change, now);
        break;
    case CHANGE_RECEIVE:
        gateway_receive_done(gateway, change, now);
        break;
    case CHANGE_CANCEL:
        cancel_done(gateway, change, now);
        break;
    case CHANGE_DECIDE:
        decide_done(gateway, change, now);
        break;
    case CHANGE_DUE:
        due_done(gateway, change, now);
        break;
    case CHANGE_FETCH:
        fetch_done(gateway, change, now);
        break;
    case CHANGE_CLOCK:
        gateway->clock_started = gateway->clock_started || change->result == 0;
        gateway->clock_told = gateway->clock_told && change->result == 0;
        gateway->due_next_ms = 0;
        break;
    case CHANGE_SIM:
        sim_done(gateway, change, now);
        break;
    case CHANGE_FORECAST:
        gateway_forecasts_done(gateway, change);
        break;
    case CHANGE_USE:                     /* of a later time it is written with the next part */
    case CHANGE_KEY_ADD:
    case CHANGE_KEY_REMOVE:
    case CHANGE_ROUTING:
    case CHANGE_OPT_OUT_REMOVE:
        break;
    case CHANGE_CREDIT:
        gateway_credit_done(gateway, change, now);
        break;
    case CHANGE_BALANCE:
        if (change->result == 0)
            gateway_balance(gateway, &change->u.balance, now);
        break;
    case CHANGE_OPT_OUT_ADD:
        if (change->result == 0)
            gateway_opted_out(gateway, change->u.opt_out.number, now);
        break;
    }
}

void gateway_changes_done(struct gateway *gateway, struct store_change *list, int error, uint32_t commit_us, struct gateway_now now)
{
    assert(gateway->in_store > 0);
    gateway->in_store--;
    samples_add(&gateway->commit_samples, commit_us);
    gateway->commit_mean_us = (7 * gateway->commit_mean_us + commit_us) / 8;
    if (error == 0) {
        if (gateway->store_bad)
            queue_start_over(&gateway->queue);   /* a commit that failed may have landed: what is ready, the store knows */
        gateway->store_bad = false;
        gateway->commits++;
    } else {
        store_failed(gateway, error, now);
    }
    while (list != NULL) {
        struct store_change *change = list;

        list = change->next;
        change->next = NULL;
        gateway->committed_changes++;
        if (error != 0 && keep_for_retry(gateway, change)) {
            change->result = 0;
            *gateway->retry_tail = change;
            gateway->retry_tail = &change->next;
            gateway->retry_count++;
            continue;
        }
        change_done(gateway, change, now);
        if (change->waiter != NULL)
            gateway->config.ops->answer(gateway->config.context, change);
        else
            change_free(change);
    }
    gateway_poll(gateway, now);
}

/* -- the clock ------------------------------------------------------------------------------------------------ */

/* What failed to commit goes first, in its order. */
static void resubmit(struct gateway *gateway)
{
    if (gateway->retry == NULL)
        return;
    *gateway->retry_tail = gateway->changes;
    if (gateway->changes == NULL)
        gateway->changes_tail = gateway->retry_tail;
    gateway->changes = gateway->retry;
    gateway->retry = NULL;
    gateway->retry_tail = &gateway->retry;
    gateway->retry_count = 0;
}

/* An empty list would tell nothing about the store, so the due sweep goes with what is tried again. */
static void retry_store(struct gateway *gateway, struct gateway_now now)
{
    if (gateway->in_store != 0 || now.mono_us < gateway->store_retry_us)
        return;
    gateway->store_retry_us = now.mono_us + GATEWAY_STORE_RETRY_US;
    resubmit(gateway);
    gateway_due_at(gateway, now.wall_ms);
    ask_store(gateway, now);
}

static void set_deadline(struct gateway *gateway, struct gateway_now now)
{
    uint64_t deadline = now.mono_us + GATEWAY_CLOCK_LOOK_US;

    if (gateway->store_bad) {
        /* Nothing but the next try is due: sending waits for it. While one is under way its end will tell. */
        gateway->deadline_us = gateway->in_store != 0 ? deadline : gateway->store_retry_us;
        return;
    }
    if (!gateway->due_asked && gateway->due_next_ms != INT64_MAX) {
        int64_t wait_ms = gateway->due_next_ms - now.wall_ms;
        uint64_t at = wait_ms <= 0 ? now.mono_us : now.mono_us + (uint64_t)wait_ms * 1000;

        if (wait_ms < (int64_t)(GATEWAY_CLOCK_LOOK_US / 1000) && at < deadline)
            deadline = at;
    }
    if (gateway->planner_due_ms < deadline / 1000)   /* UINT64_MAX: no plans */
        deadline = gateway->planner_due_ms * 1000;
    if (gateway_credit_deadline_us(gateway, now) < deadline)
        deadline = gateway_credit_deadline_us(gateway, now);
    for (uint32_t i = 0; i < gateway->slot_count; i++) {
        const struct gateway_slot *slot = gateway->slots[i];

        if (slot == NULL || !slot->ready)
            continue;
        if (slot->air.state == PART_ON_AIR && slot->next.state == PART_NONE && slot->prefetch_at_us > now.mono_us &&
            slot->prefetch_at_us < deadline)
            deadline = slot->prefetch_at_us;
        if (slot->pick_retry_ms < deadline / 1000 && slot->next.state == PART_NONE)
            deadline = slot->pick_retry_ms * 1000;
        if (sim_health_rests(&slot->health, now.mono_us) && slot->health.rest_until_us < deadline)
            deadline = slot->health.rest_until_us;
        if (smss_deadline_us(&slot->smss) < deadline)
            deadline = smss_deadline_us(&slot->smss);
    }
    gateway->deadline_us = deadline;
}

/* What waits does so in wall clock time, so that it survives a restart. When the clock is set, what was accepted since the machine
 * booted moves with it (src/store/clock.c). What is older may be put off by hours or years; the same after a start, since
 * nobody knows how the clock was before it: no try is further away than it would be at most. */
void gateway_look_at_clock(struct gateway *gateway, struct gateway_now now)
{
    int64_t ahead_ms = now.wall_ms - (int64_t)(now.mono_us / 1000);
    struct store_change *change;

    if (gateway->clock_told && ahead_ms <= gateway->clock_ahead_ms + GATEWAY_CLOCK_STEP_MS &&
        ahead_ms >= gateway->clock_ahead_ms - GATEWAY_CLOCK_STEP_MS)
        return;
    change = change_new(CHANGE_CLOCK, now.wall_ms);
    if (change == NULL)
        return;
    if (!gateway->clock_started || ahead_ms < gateway->clock_ahead_ms)
        gateway->clock_fell = true;
    change->u.clock.ahead_ms = ahead_ms;
    change->u.clock.boot = gateway->config.boot;
    change->u.clock.starts = !gateway->clock_started;
    gateway->clock_told = true;
    gateway->clock_ahead_ms = ahead_ms;
    gateway->due_next_ms = 0;
    gateway_add_change(gateway, change);
}

static void alarm_text(const char *cause, char *ret_text, size_t size)
{
    (void)snprintf(ret_text, size, "every SIM that is ready rests, since the network refuses what they send (%s): look at their credit, their "
                   "operator's limits and the coverage", cause);
}

/* Several SIMs refused at once are the cell, the operator or the credit of all: a person should hear of it before the queue grows. */
void gateway_look_at_rests(struct gateway *gateway, struct gateway_now now)
{
    const char *cause = NULL;
    char text[200];

    for (uint32_t i = 0; i < gateway->slot_count; i++) {
        const struct gateway_slot *slot = gateway->slots[i];

        if (slot == NULL || !slot->known || (!slot->ready && slot->air.state == PART_NONE))
            continue;
        if (!sim_health_rests(&slot->health, now.mono_us)) {
            cause = NULL;
            break;
        }
        cause = error_class_name(slot->health.cause);
    }
    if ((cause == NULL) == (gateway->alarm_cause == NULL))
        return;
    alarm_text(cause != NULL ? cause : gateway->alarm_cause, text, sizeof text);
    gateway->alarm_cause = cause;
    {
        struct live_event event = { .kind = LIVE_ALARM, .at_ms = now.wall_ms, .reason = text, .raised = cause != NULL,
                                    .mr = -1, .code = -1, .status = -1 };

        gateway->config.ops->event(gateway->config.context, &event);
    }
}

void gateway_poll(struct gateway *gateway, struct gateway_now now)
{
    gateway_look_at_rests(gateway, now);
    if (gateway->store_bad) {
        retry_store(gateway, now);       /* tells about the clock too */
    } else {
        gateway_look_at_clock(gateway, now);
        gateway_cards_ask(gateway, now);
        gateway_look_at_classes(gateway, now);
        gateway_save_use(gateway, now);
        gateway_plan(gateway, now);
        gateway_credit_look(gateway, now);
        resubmit(gateway);   /* another list may have shown that the store is well again */
        ask_store(gateway, now);
    }
    gateway_dispatch(gateway, now);
    gateway_count_ask(gateway, now);
    set_deadline(gateway, now);
}

void gateway_wake(struct gateway *gateway)
{
    gateway->deadline_us = 0;
}

uint64_t gateway_deadline_us(const struct gateway *gateway)
{
    return gateway->deadline_us;
}

static void take_all_back(struct gateway *gateway, struct gateway_now now)
{
    for (uint32_t i = 0; i < gateway->slot_count; i++)
        if (gateway->slots[i] != NULL)
            gateway_take_back(gateway, gateway->slots[i], i, now);
}

void gateway_stop(struct gateway *gateway, struct gateway_now now)
{
    gateway->stopping = true;
    take_all_back(gateway, now);
}

void gateway_store_damaged(struct gateway *gateway, struct gateway_now now)
{
    gateway->store_damaged = true;
    take_all_back(gateway, now);
}

bool gateway_idle(const struct gateway *gateway)
{
    for (uint32_t i = 0; i < gateway->slot_count; i++)
        if (gateway->slots[i] != NULL && (gateway->slots[i]->air.state != PART_NONE || gateway->slots[i]->next.state != PART_NONE))
            return false;
    return gateway->changes == NULL && gateway->in_store == 0 && gateway->retry == NULL;
}

/* -- views ---------------------------------------------------------------------------------------------------- */

void gateway_view(const struct gateway *gateway, struct live_view *view, struct gateway_now now)
{
    const char *reason;

    view->accepting = gateway_accepting(gateway, &reason);
    (void)snprintf(view->problem, sizeof view->problem, "%s", reason != NULL ? reason : "");
    view->alarm[0] = '\0';
    if (gateway->credit.stop != LEDGER_DONE)
        (void)snprintf(view->alarm, sizeof view->alarm, "%s", ledger_verdict_words(gateway->credit.stop));
    if (gateway->alarm_cause != NULL)
        alarm_text(gateway->alarm_cause, view->alarm, sizeof view->alarm);
    view->account_known = gateway->credit.link_why != NULL;
    view->account_online = gateway->credit.online;
    (void)snprintf(view->account_why, sizeof view->account_why, "%s", gateway->credit.link_why != NULL ? gateway->credit.link_why : "");
    view->sims_resting = 0;
    for (uint32_t i = 0; i < gateway->slot_count; i++)
        view->sims_resting += gateway->slots[i] != NULL && gateway->slots[i]->known &&
                              sim_health_rests(&gateway->slots[i]->health, now.mono_us);
    view->queue_ready = gateway->queue.count + gateway->bound_count;
    view->queue_more = gateway->queue.more;
    view->accepted = gateway->accepted;
    view->parts_sent = gateway->parts_sent;
    view->parts_refused = gateway->parts_refused;
    view->parts_unknown = gateway->parts_unknown;
    view->reports = gateway->reports;
    view->reports_unmatched = gateway->reports_unmatched;
    view->received = gateway->received;
    view->duplicates_dropped = gateway->duplicates_dropped;
    view->store_commits = gateway->commits;
    view->store_changes = gateway->committed_changes;
    view->store_failures = gateway->commit_failures;
    samples_quantiles(&gateway->commit_samples, &view->commit_us_p50, &view->commit_us_p99);
    samples_quantiles(&gateway->air_samples, &view->accept_to_air_us_p50, &view->accept_to_air_us_p99);
}

bool gateway_on_air(const struct gateway *gateway, uint32_t slot, int64_t *ret_message_id, uint16_t *ret_part, uint16_t *ret_parts)
{
    const struct gateway_part *air;

    if (slot >= gateway->slot_count || gateway->slots[slot] == NULL || gateway->slots[slot]->air.state != PART_ON_AIR)
        return false;
    air = &gateway->slots[slot]->air;
    *ret_message_id = air->item.id;
    *ret_part = air->item.part_next;
    *ret_parts = air->item.parts;
    return true;
}

bool gateway_rests(const struct gateway *gateway, uint32_t slot, uint64_t now_us, uint64_t *ret_left_us, const char **ret_cause)
{
    const struct sim_health *health;

    if (slot >= gateway->slot_count || gateway->slots[slot] == NULL)
        return false;
    health = &gateway->slots[slot]->health;
    if (!sim_health_rests(health, now_us))
        return false;
    *ret_left_us = health->rest_until_us - now_us;
    *ret_cause = error_class_name(health->cause);
    return true;
}
