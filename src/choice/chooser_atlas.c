/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser_atlas.c - the prefixes of all routes and plans as one set: one match finds what would else be a match in each plan.
 *
 * Numbers behind one prefix of it cost the same everywhere. What a prefix says is what the next shorter one says, but for
 * the plans that have rows of their own there: so only those are looked up. */
#include "src/choice/chooser_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/digits.h"

/* One prefix of one row. */
struct place { uint64_t key; uint16_t plan; };   /* NO_PLAN: of a route */
struct places { struct place *at; size_t count, size; };

static int by_key(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->plan < y->plan ? -1 : x->plan > y->plan;
}

static int places_add(struct places *places, uint64_t key, uint16_t plan)
{
    if (places->count == places->size) {
        size_t size = places->size != 0 ? places->size * 2 : 1024;
        struct place *at = realloc(places->at, size * sizeof *at);

        if (at == NULL)
            return -ENOMEM;
        places->at = at;
        places->size = size;
    }
    places->at[places->count++] = (struct place){ key, plan };
    return 0;
}

/* "33|34", "*". */
static int places_add_text(struct places *places, const char *prefixes, uint16_t plan)
{
    int r;

    do {
        size_t length = strspn(prefixes, "0123456789");

        r = places_add(places, digits_pack(prefixes, length, NULL), plan);
        prefixes += length;
        while (*prefixes != '\0' && (*prefixes < '0' || *prefixes > '9'))
            prefixes++;
    } while (r == 0 && *prefixes != '\0');
    return r;
}

static uint16_t plan_of_row(const struct chooser *chooser, const struct tariff_row *row)
{
    const struct tariff_plan *plan = tariff_plan_at(chooser->routing->tariffs, row->plan);
    uint16_t i = 0;

    while (i < chooser->plan_count && chooser->plans[i].plan != plan)
        i++;
    return i < chooser->plan_count ? i : NO_PLAN;
}

/* Also the next day on which a row begins to hold or ends. */
static int collect(struct chooser *chooser, struct places *places)
{
    const struct routing *routing = chooser->routing;
    const struct prefix_set *routes = route_prefixes(routing->routes, false);
    int r = places_add(places, 0, NO_PLAN);      /* the prefix of every number */
    uint32_t plan_before = UINT32_MAX;
    uint16_t plan = NO_PLAN;

    for (uint32_t i = 0; r == 0 && i < prefix_count(routes); i++)
        r = places_add(places, prefix_at(routes, i), NO_PLAN);
    for (size_t i = 0; r == 0 && routing->tariffs != NULL && i < tariff_row_count(routing->tariffs); i++) {
        const struct tariff_row *row = tariff_row_at(routing->tariffs, i);

        if (row->plan != plan_before)
            plan = plan_of_row(chooser, row);
        plan_before = row->plan;
        if (plan == NO_PLAN)
            continue;                    /* no card has it */
        r = places_add_text(places, row->prefixes, plan);
        if (row->valid_from_day > chooser->day && row->valid_from_day < chooser->day_until)
            chooser->day_until = row->valid_from_day;
        if (row->valid_until_day >= chooser->day && row->valid_until_day != TARIFF_DAY_LAST && row->valid_until_day + 1 < chooser->day_until)
            chooser->day_until = row->valid_until_day + 1;
    }
    return r;
}

int chooser_atlas_build(struct chooser *chooser)
{
    struct chooser_atlas *atlas = &chooser->atlas;
    struct places places = { 0 };
    uint64_t *keys = NULL;
    size_t count = 0;
    int r = collect(chooser, &places);

    if (r < 0)
        goto out;
    qsort(places.at, places.count, sizeof *places.at, by_key);
    r = -ENOMEM;
    keys = malloc(places.count * sizeof *keys);
    atlas->first = malloc((places.count + 1) * sizeof *atlas->first);
    atlas->plans = malloc(places.count * sizeof *atlas->plans);
    atlas->destinations = malloc(places.count * sizeof *atlas->destinations);
    if (keys == NULL || atlas->first == NULL || atlas->plans == NULL || atlas->destinations == NULL)
        goto out;
    atlas->first[0] = 0;
    for (size_t i = 0; i < places.count; i++) {
        if (i == 0 || places.at[i].key != places.at[i - 1].key) {
            keys[count] = places.at[i].key;
            atlas->destinations[count] = NO_DESTINATION;
            atlas->first[count + 1] = atlas->first[count];
            count++;
        }
        if (places.at[i].plan != NO_PLAN &&
            (atlas->first[count] == atlas->first[count - 1] || atlas->plans[atlas->first[count] - 1] != places.at[i].plan))
            atlas->plans[atlas->first[count]++] = places.at[i].plan;
    }
    r = prefix_set_new(keys, count, &atlas->set);
out:
    free(keys);
    free(places.at);
    return r;
}

void chooser_atlas_done(struct chooser *chooser)
{
    prefix_set_free(chooser->atlas.set);
    free(chooser->atlas.first);
    free(chooser->atlas.plans);
    free(chooser->atlas.destinations);
    chooser->atlas = (struct chooser_atlas){ .set = NULL };
}

/* -- what a prefix says ---------------------------------------------------------------------------------------- */

static uint8_t bundle_index(const struct chooser_plan *plan, const struct tariff_row *row)
{
    uint8_t i = 0;

    while (i < plan->bundle_count && plan->bundles[i] != row)
        i++;
    return i;
}

void chooser_price_fill(const struct chooser *chooser, const struct chooser_plan *plan, const char *number, int32_t day, struct chooser_price *price)
{
    const struct routing *routing = chooser->routing;
    struct tariff_quote quote = tariff_price(plan->plan, number, 1, day);

    *price = (struct chooser_price){ .row = NULL };
    for (size_t i = 0; i < quote.bundle_count && price->bundle_count < PRICE_BUNDLES_MAX; i++) {
        uint8_t index = bundle_index(plan, quote.bundles[i]);

        if (index < plan->bundle_count)
            price->bundles[price->bundle_count++] = index;
    }
    if (quote.verdict != TARIFF_PRICED)
        return;
    price->first_micro = quote.first_part_micro;
    price->next_micro = quote.next_part_micro;
    if (!quote.on_net &&
        (rates_convert(routing->rates, quote.first_part_micro, quote.currency, routing->currency, &price->first_micro) < 0 ||
         rates_convert(routing->rates, quote.next_part_micro, quote.currency, routing->currency, &price->next_micro) < 0))
        return;                          /* there is no rate: it cannot be compared */
    price->row = quote.row;
}

uint64_t chooser_mix(uint64_t hash, uint64_t value)   /* FNV-1a by words, with the upper half mixed in */
{
    hash = (hash ^ value) * UINT64_C(0x100000001B3);
    return hash ^ hash >> 29;
}

static void finish(const struct chooser *chooser, uint32_t route, struct chooser_destination *destination)
{
    uint64_t hash = chooser_mix(UINT64_C(0xCBF29CE484222325), route);
    const struct route *way = chooser->routing != NULL ? route_at(chooser->routing->routes, route) : NULL;

    destination->route = route;
    destination->refused = way != NULL && way->action == ROUTE_REFUSE;
    destination->max_price_micro = way != NULL ? way->max_price_micro : ROUTE_PRICE_UNBOUND;
    destination->linear = true;
    for (uint16_t i = 0; i < destination->plan_count; i++) {
        const struct chooser_price *price = &destination->prices[i];
        uint64_t bundles = price->bundle_count;

        for (uint8_t k = 0; k < price->bundle_count; k++)
            bundles = bundles << 8 | price->bundles[k];
        destination->linear = destination->linear && price->first_micro == price->next_micro;
        hash = chooser_mix(hash, (uint64_t)price->first_micro ^ (uint64_t)(price->row != NULL) << 63);
        hash = chooser_mix(hash, (uint64_t)(price->next_micro - price->first_micro) ^ bundles << 20);
    }
    destination->hash = hash;
}

void chooser_atlas_fill(const struct chooser *chooser, uint32_t route, uint32_t at, struct chooser_destination *destination)
{
    const struct chooser_atlas *atlas = &chooser->atlas;
    uint32_t way[PREFIX_DIGITS_MAX + 1];
    size_t length = 0;

    /* Back to a prefix that is known, or to the shortest one. */
    while (atlas->set != NULL && at != PREFIX_NONE && atlas->destinations[at] == NO_DESTINATION) {
        way[length++] = at;
        at = prefix_shorter(atlas->set, at);
    }
    if (atlas->set != NULL && at != PREFIX_NONE)
        memcpy(destination->prices, chooser->destinations[atlas->destinations[at]]->prices, destination->plan_count * sizeof *destination->prices);
    while (length-- > 0) {
        char number[DIGITS_CHARS];

        prefix_text(prefix_at(atlas->set, way[length]), number);
        for (uint32_t i = atlas->first[way[length]]; i < atlas->first[way[length] + 1]; i++)
            chooser_price_fill(chooser, &chooser->plans[atlas->plans[i]], number, chooser->day, &destination->prices[atlas->plans[i]]);
    }
    finish(chooser, route, destination);
}
