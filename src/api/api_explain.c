/* SPDX-License-Identifier: Apache-2.0
 *
 * api_explain.c - GET /v1/routes/explain: by which bearer a message to a number would go, and what speaks for and against
 * each of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_send.h"
#include "src/base/money.h"

#define PARTS_MAX 255                    /* 3GPP TS 23.040 9.2.3.24.1 */

/* -- words -------------------------------------------------------------------------------------------------------- */

static const char *verdict_name(const struct survey_candidate *candidate)
{
    return candidate->verdict == CHOOSER_MAY && !candidate->bearer.idle ? "busy" : chooser_verdict_name(candidate->verdict);
}

static void print_until(struct api_text *text, int64_t until_ms)
{
    char time[API_TIME_CHARS];

    if (until_ms == 0)
        return;
    api_time_format(until_ms, time);
    api_text_print(text, " until %s", time);
}

static const char *limit_words(enum limit_kind kind)
{
    switch (kind) {
    case LIMIT_ROAMING: return "it is abroad";
    case LIMIT_PARKED: return "parked after too many failures";
    case LIMIT_GAP: return "its gap between two parts";
    case LIMIT_HOURS: return "outside its hours";
    default: return NULL;
    }
}

/* What speaks against it, or for it. */
static void print_reason(struct api_text *text, const struct survey_candidate *candidate)
{
    static const char *const words[CHOOSER_VERDICTS] = {
        [CHOOSER_MAY] = "it may take it now", [CHOOSER_NOT_LISTED] = "the route does not list it", [CHOOSER_DENIED] = "the route forbids it",
        [CHOOSER_REFUSED] = "the route refuses the number", [CHOOSER_NO_PRICE] = "its tariff has no price for the number",
        [CHOOSER_TOO_DEAR] = "it costs more than the route allows", [CHOOSER_AWAY] = "it is in no modem that works",
        [CHOOSER_RESTS] = "it rests after refusals", [CHOOSER_LIMIT] = "limit ",
        [CHOOSER_NO_CREDIT] = "its operator said that less than that is left", [CHOOSER_FAILED_BEFORE] = "the last try failed there",
    };

    if (candidate->verdict == CHOOSER_MAY && !candidate->bearer.idle)
        api_text_print(text, "it has other messages in hand");
    else if (candidate->verdict == CHOOSER_NO_PRICE && candidate->bearer.plan[0] == '\0')
        api_text_print(text, "it has no tariff");
    else if (candidate->verdict == CHOOSER_LIMIT && limit_words(candidate->limit))
        api_text_print(text, "%s", limit_words(candidate->limit));
    else
        api_text_print(text, "%s%s", words[candidate->verdict], candidate->verdict == CHOOSER_LIMIT ? limit_name(candidate->limit) : "");
    print_until(text, candidate->until_ms);
}

static void print_name(struct api_text *text, const struct survey_candidate *candidate)
{
    if (candidate->bearer.name[0])
        api_text_print(text, "\"%s\"", candidate->bearer.name);
    else
        api_text_print(text, "%s", candidate->bearer.id);
}

static void print_price(struct api_text *text, const struct survey *survey, const struct survey_candidate *candidate)
{
    char amount[MONEY_CHARS];

    if (candidate->price_micro < 0)
        return;
    money_format(candidate->price_micro, amount);
    api_text_print(text, ", %s %s", amount, survey->currency);
    if (candidate->bundle[0])
        api_text_print(text, " from the bundle \"%s\" (%lu left)", candidate->bundle, (unsigned long)candidate->bundle_left);
}

static uint32_t count_able(const struct survey *survey)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < survey->candidate_count; i++)
        count += survey->candidates[i].when == SURVEY_NOW || survey->candidates[i].when == SURVEY_SOON || survey->candidates[i].when == SURVEY_PATIENT;
    return count;
}

/* Why the first of them comes before the second. */
static const char *first_is(const struct survey *survey)
{
    const struct survey_candidate *a = &survey->candidates[0], *b = &survey->candidates[1];
    int64_t a_micro = (a->price_micro > 0 ? a->price_micro : 0) + a->shadow_micro, b_micro;

    if (count_able(survey) < 2)
        return "the only one that can take it";
    b_micro = (b->price_micro > 0 ? b->price_micro : 0) + b->shadow_micro;
    if (a->rank != b->rank)
        return a->rank < b->rank ? survey->route.sticky && a->rank == 0 ? "the number's conversation goes by it" : "the route prefers it" : "it is free";
    if (a_micro != b_micro)
        return a_micro < b_micro ? survey->priced ? "the cheapest" : "the first" : "the cheapest that is free";
    return survey->priced ? "one of the cheapest; of those the healthiest that rested longest" : "of equal ones the healthiest that rested longest";
}

static void print_refusal(struct api_text *text, const struct survey *survey)
{
    const struct survey_route *route = &survey->route;

    api_text_print(text, "Refused by its route %s", route->prefix);
    if (route->line != 0)
        api_text_print(text, " (%s:%lu)", route->file, (unsigned long)route->line);
    api_text_print(text, "%s%s", route->note[0] ? ": " : "", route->note);
}

static void print_choice(struct api_text *text, const struct survey *survey)
{
    const struct survey_candidate *first = &survey->candidates[0];

    if (survey->when == SURVEY_REFUSED) {
        print_refusal(text, survey);
    } else if (survey->candidate_count == 0) {
        api_text_print(text, "It waits: there is no SIM");
    } else if (survey->when == SURVEY_WAITS || survey->when == SURVEY_LATER) {
        api_text_print(text, survey->when == SURVEY_LATER ? "It waits: none may take it now, the first is " : "It waits: none can take it. ");
        print_name(text, first);
        api_text_print(text, ": ");
        print_reason(text, first);
    } else {
        api_text_print(text, survey->when == SURVEY_PATIENT ? "It waits for " : "By ");
        print_name(text, first);
        print_price(text, survey, first);
        api_text_print(text, ": %s", first_is(survey));
        if (survey->when == SURVEY_SOON)
            api_text_print(text, "; it takes it when it is free");
        if (survey->when == SURVEY_PATIENT) {
            api_text_print(text, "; ");
            print_reason(text, first);
            api_text_print(text, ", which is within its patience of %lu s", (unsigned long)survey->ask.patience_s);
        }
    }
    api_text_print(text, ".");
}

static void put_words(json_t *object, const char *key, struct api_text *text)
{
    json_put_text(object, key, text->failed ? "" : text->bytes);
    free(text->bytes);
}

/* -- the answer --------------------------------------------------------------------------------------------------- */

static json_t *candidate_render(const struct survey *survey, const struct survey_candidate *candidate)
{
    static const char *const kinds[ROUTE_BEARER_KINDS] = { [ROUTE_SIM] = "sim", [ROUTE_HTTP] = "http", [ROUTE_SMPP] = "smpp", [ROUTE_SIP] = "sip" };
    json_t *item = json_object(), *part;
    struct api_text reason = { 0 };

    json_put_text(item, "kind", kinds[candidate->bearer.kind]);
    json_put_text(item, "bearer", candidate->bearer.id);
    json_put_bearer(item, &candidate->bearer);
    json_put_text(item, "verdict", verdict_name(candidate));
    print_reason(&reason, candidate);
    put_words(item, "reason", &reason);
    if (candidate->verdict == CHOOSER_LIMIT)
        json_put_text(item, "limit", limit_name(candidate->limit));
    json_put_time(item, "until", candidate->until_ms);
    if (candidate->verdict != CHOOSER_NOT_LISTED && candidate->verdict != CHOOSER_DENIED && candidate->verdict != CHOOSER_REFUSED)
        json_put_int(item, "rank", candidate->rank);
    json_put_money(item, "price", candidate->price_micro, survey->currency);
    json_put_money(item, "list_price", candidate->list_micro, survey->currency);
    json_put_money(item, "first_part_price", candidate->first_part_micro, survey->currency);
    json_put_money(item, "next_part_price", candidate->next_part_micro, survey->currency);
    if (candidate->shadow_micro != 0)
        json_put_money(item, "shadow_price", candidate->shadow_micro, survey->currency);
    if (candidate->line != 0) {
        part = json_object();
        json_put_text(part, "prefix", candidate->prefix[0] ? candidate->prefix : "*");
        json_put_text(part, "file", candidate->file);
        json_put_int(part, "line", candidate->line);
        json_put_bool(part, "on_net", candidate->on_net);
        json_object_set_new(item, "row", part);
    }
    if (candidate->bundle[0]) {
        part = json_object();
        json_put_text(part, "name", candidate->bundle);
        json_put_int(part, "left", candidate->bundle_left);
        json_object_set_new(item, "bundle", part);
    }
    json_put_limits(item, &candidate->bearer, survey->currency);
    return item;
}

static json_t *route_render(const struct survey *survey)
{
    const struct survey_route *route = &survey->route;
    json_t *item = json_object();

    json_put_text(item, "prefix", route->known ? route->prefix : "*");
    json_put_text(item, "file", route->file);
    if (route->line != 0)
        json_put_int(item, "line", route->line);
    json_put_bool(item, "implicit", !route->known || route->implicit);
    json_put_text(item, "action", route->action == ROUTE_REFUSE ? "refuse" : "send");
    json_put_text(item, "order", route->order == ROUTE_AS_LISTED ? "listed" : "price");
    json_put_int(item, "patience_s", route->patience_s);
    if (route->max_price_micro != ROUTE_PRICE_UNBOUND)
        json_put_money(item, "max_price", route->max_price_micro, survey->currency);
    json_put_text(item, "note", route->note);
    return item;
}

static void explain_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct api_pending *pending = call->state;
    const struct survey *survey = &call->survey;
    json_t *body, *list, *choice;
    struct api_text words = { 0 };
    char plus[DIGITS_CHARS + 1];

    (void)api;
    if (survey->error < 0) {
        api_problem_store(ret_response, survey->error);
        return;
    }
    body = json_copy(pending->kept);
    if (survey->priced_as[0]) {
        (void)snprintf(plus, sizeof plus, "+%s", survey->priced_as);
        json_put_text(body, "priced_as", plus);
    }
    json_put_text(body, "currency", survey->priced ? survey->currency : "");
    json_put_int(body, "patience_s", survey->ask.patience_s);
    json_object_set_new(body, "route", route_render(survey));
    list = json_array();
    for (uint32_t i = 0; i < survey->candidate_count; i++)
        json_array_append_new(list, candidate_render(survey, &survey->candidates[i]));
    json_object_set_new(body, "bearers", list);

    choice = json_object();
    if (json_object_get(body, "error")) {
        json_put_text(choice, "when", api_when_name(SURVEY_REFUSED));
        api_text_print(&words, "Not taken: %s.", json_string_value(json_object_get(json_object_get(body, "error"), "detail")));
    } else {
        json_put_text(choice, "when", api_when_name(survey->when));
        if (survey->when != SURVEY_WAITS && survey->when != SURVEY_REFUSED)
            json_put_text(choice, "bearer", survey->candidates[0].bearer.id);
        print_choice(&words, survey);
    }
    put_words(choice, "reason", &words);
    json_object_set_new(body, "choice", choice);
    api_answer_json(ret_response, 200, body);
}

/* -- the question ------------------------------------------------------------------------------------------------- */

static bool refuse(struct api_exchange *exchange, const char *parameter, const char *detail)
{
    api_problem(exchange->response, PROBLEM_BAD_PARAMETER, "parameter", parameter, NULL, "%s", detail);
    return false;
}

/* The parts of the message: said, or those of its text. */
static bool take_parts(struct api_exchange *exchange, json_t *answer, uint16_t *ret_parts)
{
    const char *parts = api_query(exchange, "parts"), *text = api_query(exchange, "text");
    struct send_spec spec = { .encoding = SMS_ENCODING_AUTO };
    struct send_error error = { 0 };
    struct sms_split split = { 0 };
    unsigned number = 0;
    bool good;
    int r;

    if (parts && text)
        return refuse(exchange, "parts", "\"parts\" and \"text\" exclude each other");
    if (parts) {
        for (size_t i = 0; parts[i] >= '0' && parts[i] <= '9' && i < 3; i++)
            number = number * 10 + (unsigned)(parts[i] - '0');
        if (strlen(parts) > 3 || strspn(parts, "0123456789") != strlen(parts) || number < 1 || number > PARTS_MAX)
            return refuse(exchange, "parts", "\"parts\" must be a whole number from 1 to 255");
        *ret_parts = (uint16_t)number;
    }
    if (!text)
        return true;
    spec.text = json_string(text);
    if (!spec.text)
        return refuse(exchange, "text", "\"text\" is not UTF-8");
    r = send_text_plan(&exchange->api->config, &spec, &split, &error);
    good = r == 0 && !error.is_set;
    if (r < 0)
        api_problem_store(exchange->response, r);
    else if (error.is_set)
        (void)refuse(exchange, "text", error.detail);
    if (good) {
        *ret_parts = split.count;
        json_put_encoding(answer, (uint8_t)split.alphabet, split.locking, split.single);
    }
    sms_split_done(&split);
    json_decref(error.extra);
    json_decref(spec.text);
    return good;
}

static bool take_number(struct api_exchange *exchange, json_t *answer, struct number *ret_number)
{
    struct send_error error = { 0 };
    struct number_error why;
    char plus[64], detail[192];
    const char *to = api_query_plus(exchange, "to", plus, sizeof plus);
    json_t *item;
    int r = 0;

    if (!to)
        return refuse(exchange, "to", "\"to\" is missing: the number to explain");
    if (number_parse(to, exchange->api->config.country, ret_number, &why) != 0) {
        (void)snprintf(detail, sizeof detail, "\"to\" is no number: %s", why.text);
        return refuse(exchange, "to", detail);
    }
    json_put_text(answer, "to", ret_number->text);
    json_put_text(answer, "kind", number_kind_name(ret_number->kind));
    json_put_text(answer, "country", ret_number->country);
    send_number_judge(&exchange->api->config, ret_number, &error);
    if (!error.is_set && api_is_opted_out(exchange->api, ret_number->text, &r))
        send_error_set(&error, PROBLEM_OPTED_OUT, NULL, OPT_OUT_REASON);
    if (r < 0) {
        api_problem_store(exchange->response, r);
        return false;
    }
    if (error.is_set) {
        item = json_object();
        json_put_text(item, "code", api_problem_code_name(error.code));
        json_put_text(item, "detail", error.detail);
        json_object_set_new(answer, "error", item);
    }
    return true;
}

enum api_step api_routes_explain(struct api_exchange *exchange)
{
    struct survey *survey = &exchange->call->survey;
    struct api_pending *pending = NULL;
    json_t *answer = json_object();
    struct number number;
    uint16_t parts = 1;
    int64_t at_ms = 0;
    int r;

    if (!take_number(exchange, answer, &number) || !take_parts(exchange, answer, &parts) || !api_query_time(exchange, "at", &at_ms))
        goto out;
    r = api_survey_ask(exchange->api, number.text, parts, &survey->ask);
    survey->ask.patience_s = exchange->patience_s;   /* as a message of who asks would have it */
    if (r < 0) {
        api_problem_store(exchange->response, r);
        goto out;
    }
    survey->kind = SURVEY_EXPLAIN;
    survey->ask.at_ms = at_ms;
    json_put_int(answer, "parts", parts);
    json_put_time(answer, "at", at_ms);
    pending = api_wait(exchange, explain_finish);
    if (pending)
        pending->kept = json_incref(answer);
out:
    json_decref(answer);
    return pending ? API_WAIT_LIVE : API_DONE;
}
