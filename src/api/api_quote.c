/* SPDX-License-Identifier: Apache-2.0
 *
 * api_quote.c - POST /v1/quote: what a body of POST /v1/messages would cost. Nothing is written. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_send.h"
#include "src/base/digits.h"

const char *api_when_name(enum survey_when when)
{
    static const char *const names[SURVEY_WHENS] = { [SURVEY_NOW] = "now", [SURVEY_SOON] = "soon", [SURVEY_PATIENT] = "patient",
                                                     [SURVEY_LATER] = "later", [SURVEY_WAITS] = "waits", [SURVEY_REFUSED] = "refused" };

    return names[when];
}

/* Which of the lines belongs to a message of the answer: those without an error, in their order. */
static void render_line(json_t *item, const struct survey *survey, const struct survey_line *line)
{
    const struct survey_tally *tally = line->bearer != SURVEY_NOBODY ? &survey->tallies[line->bearer] : NULL;
    json_t *bundle;

    json_put_text(item, "when", api_when_name(line->when));
    if (!tally)
        return;
    json_put_money(item, "price", line->price_micro, survey->currency);
    json_put_text(item, "bearer", tally->id);
    json_put_text(item, "name", tally->name);
    if (line->bundle == 0)
        return;
    bundle = json_object();
    json_put_text(bundle, "name", tally->bundles[line->bundle - 1]);
    json_put_int(bundle, "parts", line->ask.parts);
    json_object_set_new(item, "bundle", bundle);
}

static void render_totals(json_t *body, const struct survey *survey, uint32_t rejected)
{
    json_t *total = json_object(), *bearers = json_array();
    int64_t price_micro = 0, parts = 0, unpriced = 0;

    for (uint32_t i = 0; i < survey->line_count; i++) {
        parts += survey->lines[i].ask.parts;
        if (survey->lines[i].price_micro < 0)
            unpriced++;
        else
            price_micro += survey->lines[i].price_micro;
    }
    for (uint32_t i = 0; i < survey->tally_count; i++) {
        const struct survey_tally *tally = &survey->tallies[i];
        json_t *item;

        if (tally->messages == 0)
            continue;
        item = json_object();
        json_put_text(item, "bearer", tally->id);
        json_put_text(item, "name", tally->name);
        json_put_int(item, "messages", tally->messages);
        json_put_int(item, "parts", (int64_t)tally->parts);
        json_put_int(item, "bundle_parts", (int64_t)tally->bundle_parts);
        if (survey->priced)
            json_put_money(item, "price", tally->price_micro, survey->currency);
        json_array_append_new(bearers, item);
    }
    json_put_int(total, "messages", survey->line_count);
    json_put_int(total, "parts", parts);
    json_put_int(total, "rejected", rejected);
    json_put_int(total, "unpriced", unpriced);
    if (survey->priced)
        json_put_money(total, "price", price_micro, survey->currency);
    json_object_set_new(body, "total", total);
    json_object_set_new(body, "bearers", bearers);
}

static void quote_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct api_pending *pending = call->state;
    const struct survey *survey = &call->survey;
    json_t *body, *item;
    uint32_t next = 0, rejected = 0;
    size_t i;

    (void)api;
    if (survey->error < 0) {
        api_problem_store(ret_response, survey->error);
        return;
    }
    json_array_foreach (pending->kept, i, item) {
        if (json_object_get(item, "error"))
            rejected++;
        else
            render_line(item, survey, &survey->lines[next++]);
    }
    body = json_object();
    json_object_set(body, "messages", pending->kept);
    render_totals(body, survey, rejected);
    api_answer_json(ret_response, 200, body);
}

static json_t *render_message(const struct accept_message *message)
{
    json_t *item = json_object(), *error;

    json_object_set_new(item, "to", json_string(message->to));
    if (message->reason[0] == '\0') {
        json_put_int(item, "parts", message->coding.parts);
        json_put_encoding(item, message->coding.alphabet, message->coding.locking, message->coding.single);
        return item;
    }
    error = json_object();
    json_put_text(error, "code", message->reason_code);
    json_put_text(error, "detail", message->reason);
    json_object_set_new(item, "error", error);
    return item;
}

int api_survey_ask(struct api *api, const char *to, uint16_t parts, struct survey_ask *ret_ask)
{
    bool short_code = to[0] != '+';

    *ret_ask = (struct survey_ask){ .to_key = digits_pack(to + !short_code, strlen(to + !short_code), NULL), .short_code = short_code,
                                    .parts = (uint8_t)parts, .patience_s = MESSAGE_PATIENCE_AS_ROUTED };
    return store_read_conversation(api->reader, to, &ret_ask->sticky_sim_id);
}

static void opt_out_seen(void *context, const struct opt_out_row *row)
{
    (void)context;
    (void)row;
}

bool api_is_opted_out(struct api *api, const char *to, int *ret_error)
{
    int r = store_read_opt_out(api->reader, to, opt_out_seen, NULL);

    *ret_error = r == -ENOENT ? 0 : r;
    return r == 0;
}

/* As the intake does, so that the quote is for those who would get it. */
static int honour_opt_outs(struct send_batch *batch)
{
    struct api *api = batch->exchange->api;
    uint64_t count = 0;
    int r = store_read_opt_out_count(api->reader, &count);

    for (uint32_t i = 0; r == 0 && count > 0 && i < batch->count; i++) {
        struct accept_message *message = &batch->messages[i];

        if (message->reason[0] != '\0' || !api_is_opted_out(api, message->to, &r))
            continue;
        (void)snprintf(message->reason, sizeof message->reason, "%s", OPT_OUT_REASON);
        (void)snprintf(message->reason_code, sizeof message->reason_code, "%s", OPT_OUT_CODE);
        batch->rejected++;
    }
    return r;
}

static int batch_to_survey(struct send_batch *batch, struct survey *survey, json_t **ret_messages)
{
    json_t *messages = json_array();
    int r = 0;

    survey->lines = calloc(batch->count, sizeof *survey->lines);
    if (!survey->lines || !messages) {
        json_decref(messages);
        return -ENOMEM;
    }
    survey->kind = SURVEY_QUOTE;
    for (uint32_t i = 0; r == 0 && i < batch->count; i++) {
        const struct accept_message *message = &batch->messages[i];
        struct survey_ask *ask = &survey->lines[survey->line_count].ask;

        json_array_append_new(messages, render_message(message));
        if (message->reason[0] != '\0')
            continue;
        r = api_survey_ask(batch->exchange->api, message->to, message->coding.parts, ask);
        ask->patience_s = message->patience_s;
        ask->at_ms = message->due_ms;
        survey->line_count++;
    }
    *ret_messages = messages;
    return r;
}

enum api_step api_quote_make(struct api_exchange *exchange)
{
    struct send_batch batch = { .exchange = exchange };
    struct api_pending *pending = NULL;
    json_t *body = api_body_object(exchange), *messages = NULL;
    int r;

    if (!body)
        return API_DONE;
    if (send_batch_read(&batch, body)) {
        r = honour_opt_outs(&batch);
        if (r == 0)
            r = batch_to_survey(&batch, &exchange->call->survey, &messages);
        if (r < 0)
            api_problem_store(exchange->response, r);
        else if (batch.count == 1 && batch.rejected == 1)
            api_problem(exchange->response, PROBLEM_OPTED_OUT, "pointer", batch.last_pointer, NULL, "\"%s\" is on the opt-out list", batch.messages[0].to);
        else
            pending = api_wait(exchange, quote_finish);
        if (pending)
            pending->kept = json_incref(messages);
    }
    json_decref(messages);
    send_batch_done(&batch);
    json_decref(body);
    return pending ? API_WAIT_LIVE : API_DONE;
}
