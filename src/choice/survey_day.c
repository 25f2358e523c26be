/* SPDX-License-Identifier: Apache-2.0
 *
 * survey_day.c - the prices of another day than the chooser's, for one number: they lie where the chooser looks for what a
 * number of the mixed class costs, until they are taken away. */
#include "src/choice/survey_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int32_t survey_day(int64_t at_ms)
{
    return (int32_t)(at_ms >= 0 ? at_ms / INT64_C(86400000) : -1);
}

static void price_fill(const struct chooser *chooser, const struct chooser_plan *plan, const char *number, int32_t day, struct chooser_price *price)
{
    const struct routing *routing = chooser->routing;
    struct tariff_quote quote = tariff_price(plan->plan, number, 1, day);
    int64_t first_micro = quote.first_part_micro, next_micro = quote.next_part_micro;

    for (size_t i = 0; i < quote.bundle_count; i++)
        for (uint8_t k = 0; k < plan->bundle_count; k++)
            if (plan->bundles[k] == quote.bundles[i] && price->bundle_count < PRICE_BUNDLES_MAX)
                price->bundles[price->bundle_count++] = k;
    if (quote.verdict != TARIFF_PRICED)
        return;
    if (!quote.on_net && (rates_convert(routing->rates, first_micro, quote.currency, routing->currency, &first_micro) < 0 ||
                          rates_convert(routing->rates, next_micro, quote.currency, routing->currency, &next_micro) < 0))
        return;
    price->first_micro = first_micro;
    price->next_micro = next_micro;
    price->row = quote.row;
}

int survey_day_begin(struct chooser *chooser, const struct queue_item *item, int32_t day)
{
    const struct routing *routing = chooser->routing;
    struct chooser_destination *destination;
    char number[DIGITS_CHARS] = "";

    if (routing == NULL)
        return 0;                        /* nothing costs anything, on any day */
    destination = calloc(1, sizeof *destination + chooser->plan_count * sizeof destination->prices[0]);
    if (destination == NULL)
        return -ENOMEM;
    destination->plan_count = chooser->plan_count;
    destination->route = route_find_key(routing->routes, item->to_key, item->short_code);
    destination->refused = route_at(routing->routes, destination->route)->action == ROUTE_REFUSE;
    destination->max_price_micro = route_at(routing->routes, destination->route)->max_price_micro;
    if (!item->short_code)
        digits_text(override_find(routing->overrides, item->to_key), number);
    for (uint16_t i = 0; i < chooser->plan_count; i++)
        price_fill(chooser, &chooser->plans[i], number, day, &destination->prices[i]);
    survey_day_end(chooser);
    chooser->scratch = destination;
    chooser->scratch_key = item->to_key;
    chooser->scratch_short = item->short_code;
    return 0;
}

void survey_day_end(struct chooser *chooser)
{
    chooser_destination_free(chooser->scratch);
    chooser->scratch = NULL;
}
