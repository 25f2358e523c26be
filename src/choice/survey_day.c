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
        chooser_price_fill(chooser, &chooser->plans[i], number, day, &destination->prices[i]);
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
