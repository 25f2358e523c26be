/* SPDX-License-Identifier: Apache-2.0
 *
 * api_cards.c - the cards seen so far, each with what it has sent and, of those that are there, what they may still send. */
#include <stdio.h>
#include <string.h>

#include "src/api/api_internal.h"

static const char *bearer_state(const struct survey_bearer *bearer)
{
    if (!bearer->present)
        return "away";
    if (bearer->resting)
        return "rests";
    return bearer->idle ? "ready" : "busy";
}

void json_put_bearer(json_t *object, const struct survey_bearer *bearer)
{
    json_t *tags = json_array();

    json_put_text(object, "name", bearer->name);
    json_put_text(object, "tariff", bearer->plan);
    json_put_text(object, "state", bearer_state(bearer));
    json_put_bool(object, "roaming", bearer->roaming);
    if (bearer->signal_dbm != 0)
        json_put_int(object, "signal_dbm", bearer->signal_dbm);
    for (const char *tag = bearer->tags; tag && *tag; tag += strcspn(tag, "\n") + 1)
        json_array_append_new(tags, json_stringn(tag, strcspn(tag, "\n")));
    json_object_set_new(object, "tags", tags);
}

static bool is_money(enum limit_kind kind)
{
    return kind == LIMIT_SPEND_DAY || kind == LIMIT_SPEND_MONTH;
}

static void put_bundles(json_t *object, const struct survey_bearer *bearer)
{
    json_t *list = json_array();

    for (uint8_t i = 0; i < bearer->bundle_count; i++) {
        const struct survey_bundle *bundle = &bearer->bundles[i];
        json_t *item = json_object();

        json_put_text(item, "name", bundle->name);
        json_put_int(item, "left", bundle->left);
        json_put_int(item, "parts", bundle->parts);
        json_put_time(item, "resets_at", bundle->resets_at_ms);
        json_array_append_new(list, item);
    }
    json_object_set_new(object, "bundles", list);
}

/* Nothing goes by it before the last of the limits that are used up begins anew. */
static int64_t used_up_until_ms(const struct survey_bearer *bearer)
{
    int64_t until_ms = 0;

    for (uint8_t i = 0; i < bearer->limit_count; i++) {
        const struct limit_view *view = &bearer->limits[i].view;

        if (view->limit > 0 && view->used >= view->limit && view->resets_at_ms > until_ms)
            until_ms = view->resets_at_ms;
    }
    return until_ms;
}

void json_put_limits(json_t *object, const struct survey_bearer *bearer, const char *currency)
{
    json_t *limits = json_object();

    for (uint8_t i = 0; i < bearer->limit_count; i++) {
        const struct limit_view *view = &bearer->limits[i].view;
        enum limit_kind kind = bearer->limits[i].kind;
        json_t *item = json_object();

        if (is_money(kind)) {
            json_put_money(item, "used", view->used, currency);
            if (view->limit > 0)
                json_put_money(item, "limit", view->limit, currency);
        } else {
            json_put_int(item, "used", view->used);
            if (view->limit > 0)
                json_put_int(item, "limit", view->limit);
        }
        json_put_time(item, "resets_at", view->resets_at_ms);
        json_put_time(item, "runs_out_at", view->runs_out_at_ms);
        json_object_set_new(limits, limit_name(kind), item);
    }
    json_object_set_new(object, "limits", limits);
    put_bundles(object, bearer);
    json_put_time(object, "runs_out_at", bearer->runs_out_at_ms);
    json_put_time(object, "used_up_until", used_up_until_ms(bearer));
}

/* -- all of them ------------------------------------------------------------------------------------------------- */

struct cards_context { json_t *list; const struct survey *survey; };

static void put_spent(json_t *item, const struct survey_bearer *bearer, const char *currency)
{
    json_t *spent = json_object();

    for (uint8_t i = 0; i < bearer->limit_count; i++)
        if (is_money(bearer->limits[i].kind))
            json_put_money(spent, bearer->limits[i].kind == LIMIT_SPEND_DAY ? "today" : "this_month", bearer->limits[i].view.used, currency);
    json_object_set_new(item, "spent", spent);
}

static void card_add(void *context, const struct sim_row *row)
{
    const struct cards_context *cards = context;
    const struct survey_bearer *bearer = NULL;
    json_t *item = json_object();

    for (uint32_t i = 0; i < cards->survey->bearer_count; i++)
        if (strcmp(cards->survey->bearers[i].id, row->iccid) == 0)
            bearer = &cards->survey->bearers[i];
    json_object_set_new(item, "iccid", json_string(""));
    json_put_text(item, "iccid", row->iccid);
    json_put_text(item, "imsi", row->imsi);
    json_put_text(item, "modem", row->imei_last);
    json_put_time(item, "first_seen_at", row->first_seen_ms);
    json_put_time(item, "last_seen_at", row->last_seen_ms);
    json_put_int(item, "parts_sent", (int64_t)row->parts_sent);
    if (row->balance_at_ms != 0)
        json_object_set_new(item, "balance", api_balance_render(row->has_balance, row->balance_micro, row->currency, row->rest_parts,
                                                                row->valid_until, row->balance_at_ms, row->balance_source, row->balance_answer));
    if (bearer) {
        json_put_bearer(item, bearer);
        if (bearer->counted && cards->survey->priced)
            put_spent(item, bearer, cards->survey->currency);
        json_put_limits(item, bearer, cards->survey->currency);
    } else {
        json_put_text(item, "state", "away");
    }
    json_array_append_new(cards->list, item);
}

static void cards_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    struct cards_context cards = { .list = json_array(), .survey = &call->survey };
    json_t *body = json_object();
    int r = call->survey.error;

    json_object_set_new(body, "sims", cards.list);
    if (r == 0)
        r = store_read_sims(api->reader, card_add, &cards);
    if (r < 0) {
        json_decref(body);
        api_problem_store(ret_response, r);
    } else {
        api_answer_json(ret_response, 200, body);
    }
}

enum api_step api_sims_list(struct api_exchange *exchange)
{
    exchange->call->survey.kind = SURVEY_CARDS;
    return api_wait(exchange, cards_finish) ? API_WAIT_LIVE : API_DONE;
}
