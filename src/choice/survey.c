/* SPDX-License-Identifier: Apache-2.0
 *
 * survey.c - the order of a choice as one looks at it from outside, and how each card stands. */
#include "src/choice/survey_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void survey_done(struct survey *survey)
{
    for (uint32_t i = 0; i < survey->candidate_count; i++)
        free(survey->candidates[i].bearer.tags);
    for (uint32_t i = 0; i < survey->bearer_count; i++)
        free(survey->bearers[i].tags);
    free(survey->candidates);
    free(survey->bearers);
    free(survey->lines);
    free(survey->tallies);
    *survey = (struct survey){ .kind = SURVEY_NONE };
}

bool survey_step(struct survey *survey, struct chooser *chooser, struct limit_now now)
{
    const struct routing *routing = chooser->routing;

    survey->priced = routing != NULL && routing->tariffs != NULL;
    if (routing != NULL)
        memcpy(survey->currency, routing->currency, sizeof survey->currency);
    switch (survey->kind) {
    case SURVEY_NONE:
        return false;
    case SURVEY_EXPLAIN:
        survey_explain(survey, chooser, now);
        return false;
    case SURVEY_QUOTE:
        return survey_quote(survey, chooser, now);
    case SURVEY_CARDS:
        survey_cards(survey, chooser, now);
        return false;
    }
    return false;
}

/* -- one message ------------------------------------------------------------------------------------------------ */

struct queue_item survey_item(const struct chooser *chooser, const struct survey_ask *ask, struct limit_now now)
{
    struct queue_item item = { .expire_ms = INT64_MAX, .to_key = ask->to_key, .since_s = (uint32_t)(now.wall_ms / 1000),
                               .patience_s = ask->patience_s, .sticky_sim_id = ask->sticky_sim_id, .class_id = CHOOSER_MIXED,
                               .parts = ask->parts, .priority = MESSAGE_PRIORITY_DEFAULT, .short_code = ask->short_code };
    const struct route *route = chooser_route(chooser, &item);

    if (route == NULL || route->sticky == ROUTE_NO || (route->sticky == ROUTE_AS_CONFIGURED && !chooser->routing->sticky))
        item.sticky_sim_id = 0;
    if (item.patience_s == MESSAGE_PATIENCE_AS_ROUTED)
        item.patience_s = chooser_patience_s(chooser, &item);
    return item;
}

/* Those of a lower group go first, whatever they cost. */
enum { GROUP_ABLE, GROUP_BUSY, GROUP_LATER, GROUP_AWAY, GROUP_UNFIT, GROUP_FORBIDDEN };

struct survey_stand survey_stand_of(uint16_t bearer, const struct chooser_judgement *judgement, uint32_t patience_s, struct limit_now now)
{
    struct survey_stand stand = { .bearer = bearer, .judgement = *judgement, .when = SURVEY_WAITS };
    uint64_t patient_until_ms = now.mono_ms + (uint64_t)patience_s * 1000;

    switch (judgement->verdict) {
    case CHOOSER_MAY:
        stand.when = judgement->idle ? SURVEY_NOW : SURVEY_SOON;
        /* One that may not wait goes by the cheapest that is free. */
        stand.group = judgement->idle || patience_s > 0 ? GROUP_ABLE : GROUP_BUSY;
        break;
    case CHOOSER_RESTS: case CHOOSER_LIMIT:
        if (judgement->until_ms <= patient_until_ms)
            stand.when = SURVEY_PATIENT;
        else if (judgement->until_ms != UINT64_MAX)
            stand.when = SURVEY_LATER;
        stand.group = stand.when == SURVEY_PATIENT ? GROUP_ABLE : stand.when == SURVEY_LATER ? GROUP_LATER : GROUP_AWAY;
        break;
    case CHOOSER_AWAY: case CHOOSER_NO_CREDIT:
        stand.group = GROUP_AWAY;
        break;
    case CHOOSER_NO_PRICE: case CHOOSER_TOO_DEAR: case CHOOSER_FAILED_BEFORE:
        stand.group = GROUP_UNFIT;
        break;
    case CHOOSER_REFUSED:
        stand.when = SURVEY_REFUSED;
        stand.group = GROUP_FORBIDDEN;
        break;
    case CHOOSER_NOT_LISTED: case CHOOSER_DENIED: case CHOOSER_VERDICTS:
        stand.group = GROUP_FORBIDDEN;
        break;
    }
    return stand;
}

bool survey_before(const struct chooser *chooser, const struct survey_stand *a, const struct survey_stand *b)
{
    const struct chooser_judgement *x = &a->judgement, *y = &b->judgement;
    struct chooser_offer offer_a = { .ok = true, .rank = x->rank, .micro = (x->price_micro > 0 ? x->price_micro : 0) + x->shadow_micro };
    struct chooser_offer offer_b = { .ok = true, .rank = y->rank, .micro = (y->price_micro > 0 ? y->price_micro : 0) + y->shadow_micro };

    if (a->group != b->group)
        return a->group < b->group;
    if (a->group == GROUP_LATER && x->until_ms != y->until_ms)
        return x->until_ms < y->until_ms;
    if (a->when != b->when && offer_a.rank == offer_b.rank && offer_a.micro == offer_b.micro)
        return a->when < b->when;
    return chooser_before(chooser, a->bearer, &offer_a, b->bearer, &offer_b);
}

/* -- one card ---------------------------------------------------------------------------------------------------- */

static char *tags_text(const struct routing_sim *conf)
{
    size_t size = 1;
    char *text, *end;

    for (size_t i = 0; i < conf->tag_count; i++)
        size += strlen(conf->tags[i]) + 1;
    text = end = malloc(size);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < conf->tag_count; i++) {
        size_t length = strlen(conf->tags[i]);

        memcpy(end, conf->tags[i], length);
        end[length] = '\n';
        end += length + 1;
    }
    *end = '\0';
    return text;
}

/* Those without a limit are told only where an operator wants to know how many there were. */
static bool is_told(enum limit_kind kind, const struct limit_view *view)
{
    return view->limit > 0 || kind == LIMIT_DAY || kind == LIMIT_MONTH || kind == LIMIT_SPEND_DAY || kind == LIMIT_SPEND_MONTH;
}

static void fill_limits(struct chooser_bearer *bearer, struct limit_now now, struct survey_bearer *ret_bearer)
{
    static const enum limit_kind kinds[] = { LIMIT_MINUTE, LIMIT_HOUR, LIMIT_DAY, LIMIT_MONTH, LIMIT_RECIPIENTS_DAY, LIMIT_RECIPIENTS_MONTH,
                                             LIMIT_SPEND_DAY, LIMIT_SPEND_MONTH };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct limit_view view = limit_view(&bearer->conf->limits, bearer->use, kinds[i], now);

        if (!is_told(kinds[i], &view))
            continue;
        ret_bearer->limits[ret_bearer->limit_count++] = (struct survey_limit){ kinds[i], view };
        if (view.runs_out_at_ms != 0 && (ret_bearer->runs_out_at_ms == 0 || view.runs_out_at_ms < ret_bearer->runs_out_at_ms))
            ret_bearer->runs_out_at_ms = view.runs_out_at_ms;
    }
}

static int64_t bundle_resets_at(const struct tariff_bundle *bundle, const struct zone *zone, int64_t wall_ms)
{
    static const enum zone_period_kind kinds[TARIFF_PERIODS] = { [TARIFF_DAILY] = ZONE_DAY, [TARIFF_WEEKLY] = ZONE_WEEK, [TARIFF_MONTHLY] = ZONE_MONTH };

    return zone_period(zone, kinds[bundle->period], bundle->reset_day, wall_ms).next_ms;
}

static void fill_bundles(const struct chooser_bearer *bearer, const struct chooser_plan *plan, struct limit_now now, struct survey_bearer *ret_bearer)
{
    int32_t day = survey_day(now.wall_ms);

    for (uint8_t i = 0; i < plan->bundle_count; i++) {
        const struct tariff_row *row = plan->bundles[i];
        struct survey_bundle *bundle = &ret_bearer->bundles[ret_bearer->bundle_count];

        if (day < row->valid_from_day || day > row->valid_until_day)
            continue;
        (void)snprintf(bundle->name, sizeof bundle->name, "%s", row->bundle.name);
        bundle->parts = row->bundle.parts;
        bundle->left = use_bundle_left(bearer->use, &row->bundle, plan->zones[i], now);
        bundle->resets_at_ms = bundle_resets_at(&row->bundle, plan->zones[i], now.wall_ms);
        ret_bearer->bundle_count++;
    }
}

/* Nothing is written down of a card without limits and plan. */
static bool is_counted(const struct chooser_bearer *bearer)
{
    const struct limit_rules *rules = &bearer->conf->limits, none = { .zone = rules->zone };

    return bearer->plan != NO_PLAN || memcmp(rules, &none, sizeof none) != 0;
}

int survey_bearer_fill(struct chooser *chooser, uint16_t index, struct limit_now now, struct survey_bearer *ret_bearer)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];

    *ret_bearer = (struct survey_bearer){ .kind = bearer->kind, .present = bearer->present, .idle = bearer->idle,
                                          .resting = bearer->rests_until_ms > now.mono_ms, .roaming = bearer->roaming,
                                          .signal_dbm = bearer->signal_dbm, .counted = is_counted(bearer) };
    (void)snprintf(ret_bearer->id, sizeof ret_bearer->id, "%s", bearer->id);
    (void)snprintf(ret_bearer->name, sizeof ret_bearer->name, "%s", bearer->conf->name);
    (void)snprintf(ret_bearer->plan, sizeof ret_bearer->plan, "%s", bearer->plan != NO_PLAN ? tariff_plan_name(chooser->plans[bearer->plan].plan) : "");
    if (ret_bearer->counted)
        fill_limits(bearer, now, ret_bearer);
    if (bearer->plan != NO_PLAN)
        fill_bundles(bearer, &chooser->plans[bearer->plan], now, ret_bearer);
    if (bearer->conf->tag_count == 0)
        return 0;
    ret_bearer->tags = tags_text(bearer->conf);
    return ret_bearer->tags != NULL ? 0 : -ENOMEM;
}

void survey_cards(struct survey *survey, struct chooser *chooser, struct limit_now now)
{
    survey->bearers = calloc(chooser->bearer_count + 1, sizeof *survey->bearers);
    if (survey->bearers == NULL) {
        survey->error = -ENOMEM;
        return;
    }
    for (uint16_t i = 0; i < chooser->bearer_count && survey->error == 0; i++)
        if (chooser->bearers[i].open)
            survey->error = survey_bearer_fill(chooser, i, now, &survey->bearers[survey->bearer_count++]);
}
