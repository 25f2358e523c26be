/* SPDX-License-Identifier: Apache-2.0
 *
 * change.c - the life of a change as a value. */
#include <stdlib.h>
#include <string.h>

#include "src/store/store_internal.h"

struct store_change *change_new(enum change_kind kind, int64_t now_ms)
{
    struct store_change *change = calloc(1, sizeof *change);

    if (change != NULL) {
        change->kind = kind;
        change->now_ms = now_ms;
        if (kind == CHANGE_CREDIT && (change->u.credit = calloc(1, sizeof *change->u.credit)) == NULL) {
            free(change);
            return NULL;
        }
        if (kind == CHANGE_INTENT)
            change->u.intent.price_micro = -1;
    }
    return change;
}

/* Who was on the list in the last try may have left it since. */
static void accept_clear(struct change_accept *accept)
{
    for (uint32_t i = 0; accept->messages != NULL && i < accept->count; i++) {
        struct accept_message *message = &accept->messages[i];

        if (message->opted_out || message->unpriced)
            message->reason[0] = message->reason_code[0] = '\0';
        message->opted_out = message->unpriced = message->waits = false;
        message->credit_micro = 0;
        message->credit_row = 0;
    }
    accept->credit_lease_id = 0;
}

static void credit_clear(struct change_credit *credit)
{
    free(credit->entries);
    free(credit->papers);
    free(credit->ids);
    free(credit->refused);
    credit->entries = NULL;
    credit->papers = NULL;
    credit->ids = credit->refused = NULL;
    credit->entry_count = credit->paper_count = credit->id_count = credit->refused_count = credit->moved = 0;
    credit->more = false;
}

static void forecast_done(struct change_forecast *forecast)
{
    for (uint32_t i = 0; i < forecast->count; i++) {
        free(forecast->rows[i].kind);
        free(forecast->rows[i].text);
    }
    free(forecast->rows);
    forecast->rows = NULL;
    forecast->count = 0;
}

void change_clear(struct store_change *change)
{
    change->result = 0;
    switch (change->kind) {
    case CHANGE_ACCEPT:
        if (change->u.accept.replayed)   /* the ids are not its own: a second try must not take them for such */
            change->u.accept.batch_id = 0;
        change->u.accept.replayed = false;
        accept_clear(&change->u.accept);
        break;
    case CHANGE_INTENT:
        free(change->u.intent.text);
        change->u.intent.text = NULL;
        change->u.intent.text_length = 0;
        change->u.intent.spend_until_ms = 0;
        break;
    case CHANGE_OUTCOME:
        change->u.outcome.message_changed = false;
        change->u.outcome.requeue = (struct queue_item){ 0 };
        break;
    case CHANGE_WITHDRAW:
        change->u.withdraw.requeue = (struct queue_item){ 0 };
        break;
    case CHANGE_REPORT:
        change->u.report.message_id = 0;
        change->u.report.message_changed = false;
        change->u.report.reason[0] = '\0';
        change->u.report.ready_ms = 0;
        break;
    case CHANGE_RECEIVE:
        change->u.receive.inbox_id = 0;
        change->u.receive.duplicate = false;
        if (change->u.receive.confirmation != NULL && change->u.receive.confirmation->messages != NULL) {
            accept_clear(change->u.receive.confirmation);
            change->u.receive.confirmation->messages[0].state = 0;
        }
        break;
    case CHANGE_DUE:
        free(change->u.due.items);
        free(change->u.due.expired);
        free(change->u.due.inbox);
        free(change->u.due.held);
        change->u.due = (struct change_due){ .limit = change->u.due.limit, .retry_ms_max = change->u.due.retry_ms_max };
        break;
    case CHANGE_FETCH:
        free(change->u.fetch.items);
        change->u.fetch.items = NULL;
        change->u.fetch.item_count = 0;
        change->u.fetch.more = false;
        break;
    case CHANGE_DECIDE:
        change->u.decide.requeue = (struct queue_item){ 0 };
        break;
    case CHANGE_FORECAST:
        if (change->u.forecast.load)
            forecast_done(&change->u.forecast);
        break;
    case CHANGE_SIM:
        free(change->u.sim.use_state);
        free(change->u.sim.recipients);
        change->u.sim.use_state = NULL;
        change->u.sim.recipients = NULL;
        change->u.sim.recipient_count = 0;
        break;
    case CHANGE_ROUTING:
        change->u.routing.version = 0;
        break;
    case CHANGE_CANCEL:
    case CHANGE_CLOCK:
    case CHANGE_USE:
    case CHANGE_KEY_ADD:
    case CHANGE_KEY_REMOVE:
    case CHANGE_BALANCE:
    case CHANGE_OPT_OUT_REMOVE:
        break;
    case CHANGE_OPT_OUT_ADD:
        change->u.opt_out.changed = false;
        break;
    case CHANGE_CREDIT:
        credit_clear(change->u.credit);
        break;
    }
}

static void accept_done(struct change_accept *accept)
{
    for (uint32_t i = 0; accept->messages != NULL && i < accept->count; i++) {
        free(accept->messages[i].text);
        free((void *)(uintptr_t)accept->messages[i].coding.cuts);   /* const to everyone but its owner */
        free(accept->messages[i].client_ref);
    }
    free(accept->messages);
    free(accept->idempotency_key);
}

static void intent_done(struct change_intent *intent)
{
    free(intent->choice);
    free(intent->use_state);
}

static void receive_done(struct change_receive *receive)
{
    free(receive->pdu_hex);
    free(receive->text);
    free(receive->data);
    if (receive->confirmation != NULL)
        accept_done(receive->confirmation);
    free(receive->confirmation);
}

void change_free(struct store_change *change)
{
    if (change == NULL)
        return;
    change_clear(change);
    if (change->kind == CHANGE_ACCEPT)
        accept_done(&change->u.accept);
    if (change->kind == CHANGE_INTENT)
        intent_done(&change->u.intent);
    if (change->kind == CHANGE_FORECAST)
        forecast_done(&change->u.forecast);
    if (change->kind == CHANGE_USE)
        free(change->u.use.use_state);
    if (change->kind == CHANGE_RECEIVE)
        receive_done(&change->u.receive);
    if (change->kind == CHANGE_BALANCE)
        free(change->u.balance.answer);
    if (change->kind == CHANGE_ROUTING)
        free(change->u.routing.files);
    if (change->kind == CHANGE_CREDIT) {
        free(change->u.credit->csv);
        free(change->u.credit);
    }
    free(change);
}

void change_free_list(struct store_change *list)
{
    while (list != NULL) {
        struct store_change *next = list->next;

        change_free(list);
        list = next;
    }
}
