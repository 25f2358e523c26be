/* SPDX-License-Identifier: Apache-2.0
 *
 * survey_explain.c - one number: its route, and each bearer with what speaks for and against it. */
#include "src/choice/survey_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_route(const struct chooser *chooser, const struct queue_item *item, struct survey_route *ret_route)
{
    const struct route *route = chooser_route(chooser, item);

    *ret_route = (struct survey_route){ .known = route != NULL, .patience_s = item->patience_s, .max_price_micro = ROUTE_PRICE_UNBOUND };
    if (route == NULL)
        return;
    ret_route->action = route->action;
    ret_route->order = route->order;
    ret_route->implicit = route->implicit;
    ret_route->sticky = item->sticky_sim_id != 0;
    ret_route->patience_s = chooser_patience_s(chooser, item);
    ret_route->max_price_micro = route->max_price_micro;
    (void)snprintf(ret_route->prefix, sizeof ret_route->prefix, "%s", route->prefix);
    (void)snprintf(ret_route->note, sizeof ret_route->note, "%s", route->note);
    if (route->implicit)
        return;
    (void)snprintf(ret_route->file, sizeof ret_route->file, "%s", route_file_name(chooser->routing->routes, route->file));
    ret_route->line = route->line;
}

/* The row that has the price, and what it says of one part. */
static void fill_price(const struct chooser *chooser, const struct queue_item *item, const char *number, int32_t day,
                       struct survey_candidate *candidate, const struct chooser_bearer *bearer)
{
    const struct routing *routing = chooser->routing;
    struct tariff_quote quote;

    candidate->first_part_micro = candidate->next_part_micro = -1;
    if (bearer->plan == NO_PLAN)
        return;
    quote = tariff_price(chooser->plans[bearer->plan].plan, number, item->parts, day);
    if (quote.verdict != TARIFF_PRICED)
        return;
    candidate->line = quote.row->line;
    candidate->on_net = quote.on_net;
    (void)snprintf(candidate->prefix, sizeof candidate->prefix, "%s", quote.prefix);
    (void)snprintf(candidate->file, sizeof candidate->file, "%s", tariff_file_name(routing->tariffs, quote.row->file));
    if (quote.on_net)
        candidate->first_part_micro = candidate->next_part_micro = 0;
    else if (rates_convert(routing->rates, quote.first_part_micro, quote.currency, routing->currency, &candidate->first_part_micro) < 0 ||
             rates_convert(routing->rates, quote.next_part_micro, quote.currency, routing->currency, &candidate->next_part_micro) < 0)
        candidate->first_part_micro = candidate->next_part_micro = -1;
}

static int fill_candidate(struct chooser *chooser, const struct survey_stand *stand, const struct queue_item *item, const char *number,
                          int32_t day, struct limit_now now, struct survey_candidate *candidate)
{
    const struct chooser_judgement *judgement = &stand->judgement;
    int64_t wait_ms = judgement->until_ms > now.mono_ms && judgement->until_ms - now.mono_ms < INT64_MAX / 2 ? (int64_t)(judgement->until_ms - now.mono_ms) : 0;

    candidate->verdict = judgement->verdict;
    candidate->when = stand->when;
    candidate->limit = judgement->verdict == CHOOSER_LIMIT ? judgement->limit : LIMIT_NONE;
    candidate->until_ms = judgement->until_ms != UINT64_MAX && wait_ms > 0 ? now.wall_ms + wait_ms : 0;
    candidate->rank = judgement->rank;
    candidate->price_micro = judgement->price_micro;
    candidate->list_micro = judgement->list_micro;
    candidate->shadow_micro = judgement->shadow_micro;
    if (judgement->bundle != NULL) {
        (void)snprintf(candidate->bundle, sizeof candidate->bundle, "%s", judgement->bundle->bundle.name);
        candidate->bundle_left = judgement->bundle_left;
    }
    fill_price(chooser, item, number, day, candidate, &chooser->bearers[stand->bearer]);
    return survey_bearer_fill(chooser, stand->bearer, now, &candidate->bearer);
}

/* By insertion: there are few, and survey_before() wants to know the chooser. */
static uint32_t order_stands(struct chooser *chooser, const struct queue_item *item, struct limit_now now, struct survey_stand *stands)
{
    uint32_t count = 0;

    for (uint16_t i = 0; i < chooser->bearer_count; i++) {
        struct chooser_judgement judgement;
        struct survey_stand stand;
        uint32_t at = count;

        if (!chooser->bearers[i].open)
            continue;
        judgement = chooser_judge(chooser, i, item, now);
        stand = survey_stand_of(i, &judgement, item->patience_s, now);
        for (; at > 0 && survey_before(chooser, &stand, &stands[at - 1]); at--)
            stands[at] = stands[at - 1];
        stands[at] = stand;
        count++;
    }
    return count;
}

void survey_explain(struct survey *survey, struct chooser *chooser, struct limit_now now)
{
    struct queue_item item = survey_item(chooser, &survey->ask, now);
    struct survey_stand *stands = malloc((chooser->bearer_count + 1) * sizeof *stands);
    int32_t day = survey->ask.at_ms != 0 ? survey_day(survey->ask.at_ms) : chooser->day;
    uint64_t price_key = item.to_key;
    char number[DIGITS_CHARS] = "";
    uint32_t count;

    survey->candidates = calloc(chooser->bearer_count + 1, sizeof *survey->candidates);
    if (stands == NULL || survey->candidates == NULL) {
        survey->error = -ENOMEM;
        goto out;
    }
    if (!item.short_code && chooser->routing != NULL)
        price_key = override_find(chooser->routing->overrides, item.to_key);
    if (!item.short_code)                /* no plan has a prefix of a short code */
        digits_text(price_key, number);
    if (price_key != item.to_key)
        memcpy(survey->priced_as, number, sizeof number);
    fill_route(chooser, &item, &survey->route);
    survey->ask.patience_s = item.patience_s;

    if (day != chooser->day)
        survey->error = survey_day_begin(chooser, &item, day);
    if (survey->error == 0 && chooser_destination(chooser, &item) == NULL)
        survey->error = -ENOMEM;         /* every bearer would seem to be away */
    count = order_stands(chooser, &item, now, stands);
    for (uint32_t i = 0; i < count && survey->error == 0; i++)
        survey->error = fill_candidate(chooser, &stands[i], &item, number, day, now, &survey->candidates[survey->candidate_count++]);
    if (day != chooser->day)
        survey_day_end(chooser);
    survey->when = count > 0 ? stands[0].when : SURVEY_WAITS;
    if (survey->route.known && survey->route.action == ROUTE_REFUSE)
        survey->when = SURVEY_REFUSED;
out:
    free(stands);
}
