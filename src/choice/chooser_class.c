/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser_class.c - from a number to what its prefixes say, and from there to its class.
 *
 * The prefixes of all routes and plans together are one set, the atlas: one match finds what would else be a match in each
 * plan. Numbers behind one prefix of it cost the same everywhere, so the prefix is looked up once; and prefixes that say the
 * same are one destination. */
#include "src/choice/chooser_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/digits.h"

#define DAY_MS INT64_C(86400000)
#define DESTINATION_SLOTS (2 * CHOOSER_DESTINATIONS_MAX)
#define CLASS_SLOTS (2 * CHOOSER_CLASSES_MAX)

static int32_t day_of(int64_t wall_ms)
{
    return (int32_t)(wall_ms >= 0 ? wall_ms / DAY_MS : -1);
}

/* -- the atlas ------------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

struct keys { uint64_t *at; size_t count, size; };

static int keys_add(struct keys *keys, uint64_t key)
{
    if (keys->count == keys->size) {
        size_t size = keys->size != 0 ? keys->size * 2 : 1024;
        uint64_t *at = realloc(keys->at, size * sizeof *at);

        if (at == NULL)
            return -ENOMEM;
        keys->at = at;
        keys->size = size;
    }
    keys->at[keys->count++] = key;
    return 0;
}

/* "33|34", "*". */
static int keys_add_text(struct keys *keys, const char *prefixes)
{
    int r = 0;

    while (r == 0 && *prefixes != '\0') {
        size_t length = strspn(prefixes, "0123456789");

        r = keys_add(keys, digits_pack(prefixes, length, NULL));
        prefixes += length;
        while (*prefixes != '\0' && (*prefixes < '0' || *prefixes > '9'))
            prefixes++;
    }
    return r;
}

/* Also the next day on which a row begins or ends to hold. */
static int atlas_collect(struct chooser *chooser, struct keys *keys)
{
    const struct routing *routing = chooser->routing;
    const struct prefix_set *routes = route_prefixes(routing->routes, false);
    int r = keys_add(keys, 0);           /* the prefix of every number */

    for (uint32_t i = 0; r == 0 && i < prefix_count(routes); i++)
        r = keys_add(keys, prefix_at(routes, i));
    for (size_t i = 0; r == 0 && routing->tariffs != NULL && i < tariff_row_count(routing->tariffs); i++) {
        const struct tariff_row *row = tariff_row_at(routing->tariffs, i);

        r = keys_add_text(keys, row->prefixes);
        if (row->valid_from_day > chooser->day && row->valid_from_day < chooser->day_until)
            chooser->day_until = row->valid_from_day;
        if (row->valid_until_day >= chooser->day && row->valid_until_day < INT32_MAX - 1 && row->valid_until_day + 1 < chooser->day_until)
            chooser->day_until = row->valid_until_day + 1;
    }
    return r;
}

static int atlas_build(struct chooser *chooser)
{
    struct keys keys = { 0 };
    size_t kept = 0;
    int r = atlas_collect(chooser, &keys);

    if (r < 0)
        goto out;
    qsort(keys.at, keys.count, sizeof *keys.at, by_key);
    for (size_t i = 0; i < keys.count; i++)
        if (i == 0 || keys.at[i] != keys.at[i - 1])
            keys.at[kept++] = keys.at[i];
    r = prefix_set_new(keys.at, kept, &chooser->atlas);
    if (r < 0)
        goto out;
    chooser->atlas_destinations = malloc(kept * sizeof *chooser->atlas_destinations);
    r = chooser->atlas_destinations != NULL ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < kept; i++)
        chooser->atlas_destinations[i] = NO_DESTINATION;
out:
    free(keys.at);
    return r;
}

/* -- life ------------------------------------------------------------------------------------------------------ */

static void scratch_free(struct chooser *chooser)
{
    if (chooser->scratch != NULL)
        free(chooser->scratch->ranks);
    free(chooser->scratch);
    chooser->scratch = NULL;
}

void chooser_classes_done(struct chooser *chooser)
{
    for (uint32_t i = 0; i < chooser->destination_count; i++)
        if (chooser->destinations[i] != NULL) {
            free(chooser->destinations[i]->ranks);
            free(chooser->destinations[i]);
        }
    scratch_free(chooser);
    free(chooser->destinations);
    free(chooser->destination_slots);
    free(chooser->classes);
    free(chooser->class_slots);
    free(chooser->atlas_destinations);
    prefix_set_free(chooser->atlas);
    chooser->destinations = NULL;
    chooser->destination_slots = chooser->class_slots = chooser->atlas_destinations = NULL;
    chooser->classes = NULL;
    chooser->atlas = NULL;
    chooser->destination_count = chooser->class_count = 0;
}

int chooser_classes_init(struct chooser *chooser, struct limit_now now)
{
    int r = 0;

    chooser_classes_done(chooser);
    chooser->day = day_of(now.wall_ms);
    chooser->day_until = INT32_MAX;
    chooser->stale = false;
    chooser->renewed_ms = now.mono_ms;
    chooser->epoch++;
    chooser->destinations = calloc(CHOOSER_DESTINATIONS_MAX, sizeof(struct chooser_destination *));
    chooser->destination_slots = calloc(DESTINATION_SLOTS, sizeof *chooser->destination_slots);
    chooser->classes = calloc(CHOOSER_CLASSES_MAX, sizeof *chooser->classes);
    chooser->class_slots = calloc(CLASS_SLOTS, sizeof *chooser->class_slots);
    if (chooser->destinations == NULL || chooser->destination_slots == NULL || chooser->classes == NULL || chooser->class_slots == NULL)
        r = -ENOMEM;
    if (r == 0 && chooser->routing != NULL)
        r = atlas_build(chooser);
    chooser->class_count = 1;            /* the mixed one */
    return r;
}

bool chooser_stale(const struct chooser *chooser, struct limit_now now)
{
    return chooser->stale || day_of(now.wall_ms) >= chooser->day_until || (chooser->day_until != INT32_MAX && day_of(now.wall_ms) < chooser->day);
}

void chooser_renew(struct chooser *chooser, struct limit_now now)
{
    if (chooser_classes_init(chooser, now) < 0)
        chooser->stale = true;           /* everything is mixed until there is memory */
}

/* -- destinations ---------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)   /* FNV-1a by words, finished as splitmix64 is */
{
    hash = (hash ^ value) * UINT64_C(0x100000001B3);
    return hash ^ hash >> 29;
}

static uint32_t destination_size(const struct chooser *chooser)
{
    return (uint32_t)(sizeof(struct chooser_destination) + chooser->plan_count * sizeof(struct chooser_price));
}

static struct chooser_destination *destination_alloc(const struct chooser *chooser)
{
    struct chooser_destination *destination = calloc(1, destination_size(chooser));

    if (destination == NULL)
        return NULL;
    destination->ranks = malloc(CHOOSER_BEARERS_MAX);
    if (destination->ranks == NULL) {
        free(destination);
        return NULL;
    }
    memset(destination->ranks, RANK_UNKNOWN, CHOOSER_BEARERS_MAX);
    destination->plan_count = chooser->plan_count;
    return destination;
}

static uint8_t bundle_index(const struct chooser_plan *plan, const struct tariff_row *row)
{
    uint8_t i = 0;

    while (i < plan->bundle_count && plan->bundles[i] != row)
        i++;
    return i;
}

static void price_fill(const struct chooser *chooser, const struct chooser_plan *plan, const char *number, struct chooser_price *price)
{
    const struct routing *routing = chooser->routing;
    struct tariff_quote quote = tariff_price(plan->plan, number, 1, chooser->day);

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

/* What the digits say, into an empty one. */
static void destination_fill(const struct chooser *chooser, uint32_t route, uint64_t price_key, bool short_code,
                             struct chooser_destination *destination)
{
    char number[DIGITS_CHARS];
    uint64_t hash = mix(UINT64_C(0xCBF29CE484222325), route);

    destination->route = route;
    destination->max_price_micro = ROUTE_PRICE_UNBOUND;
    if (chooser->routing != NULL) {
        destination->refused = route_at(chooser->routing->routes, route)->action == ROUTE_REFUSE;
        destination->max_price_micro = route_at(chooser->routing->routes, route)->max_price_micro;
    }
    destination->linear = true;
    if (short_code)
        number[0] = '\0';                /* no prefix of the world: what a plan says about every number */
    else
        digits_text(price_key, number);
    for (uint16_t i = 0; i < destination->plan_count; i++) {
        struct chooser_price *price = &destination->prices[i];

        price_fill(chooser, &chooser->plans[i], number, price);
        destination->linear = destination->linear && price->first_micro == price->next_micro;
        hash = mix(hash, (uint64_t)price->first_micro);
        hash = mix(hash, (uint64_t)price->next_micro ^ (uint64_t)(price->row != NULL) << 63);
        hash = mix(hash, price->bundle_count);
        for (uint8_t k = 0; k < price->bundle_count; k++)
            hash = mix(hash, price->bundles[k]);
    }
    destination->hash = hash;
}

static bool same_price(const struct chooser_price *a, const struct chooser_price *b)
{
    return a->first_micro == b->first_micro && a->next_micro == b->next_micro && (a->row != NULL) == (b->row != NULL) &&
           a->bundle_count == b->bundle_count && memcmp(a->bundles, b->bundles, a->bundle_count) == 0;
}

static bool same_destination(const struct chooser_destination *a, const struct chooser_destination *b)
{
    if (a->hash != b->hash || a->route != b->route || a->plan_count != b->plan_count)
        return false;
    for (uint16_t i = 0; i < a->plan_count; i++)
        if (!same_price(&a->prices[i], &b->prices[i]))
            return false;
    return true;
}

#define RENEW_MS 600000                  /* not more often than that: so many may be in use at once */

/* Most are of messages long gone: begin anew. */
static void ran_out(struct chooser *chooser, struct limit_now now)
{
    if (now.mono_ms - chooser->renewed_ms >= RENEW_MS)
        chooser->stale = true;
}

/* Takes destination over. The index of an equal one that is there, or its own. NO_DESTINATION: no room. */
static uint32_t destination_intern(struct chooser *chooser, struct chooser_destination *destination, struct limit_now now)
{
    uint32_t slot = (uint32_t)(destination->hash % DESTINATION_SLOTS);
    uint32_t index = NO_DESTINATION;

    for (; chooser->destination_slots[slot] != 0; slot = (slot + 1) % DESTINATION_SLOTS) {
        index = chooser->destination_slots[slot] - 1;
        if (same_destination(chooser->destinations[index], destination))
            goto had;
    }
    if (chooser->destination_count == CHOOSER_DESTINATIONS_MAX) {
        ran_out(chooser, now);
        index = NO_DESTINATION;
        goto had;
    }
    index = chooser->destination_count++;
    chooser->destinations[index] = destination;
    chooser->destination_slots[slot] = index + 1;
    return index;
had:
    free(destination->ranks);
    free(destination);
    return index;
}

struct place { uint32_t route; uint64_t price_key; uint32_t atlas; bool by_atlas; };

static struct place place_of(const struct chooser *chooser, const struct queue_item *item)
{
    const struct routing *routing = chooser->routing;
    struct place place = { .price_key = item->to_key, .atlas = PREFIX_NONE };

    if (routing == NULL)
        return place;
    if (!item->short_code && routing->overrides != NULL)
        place.price_key = override_find(routing->overrides, item->to_key);
    if (!item->short_code && place.price_key == item->to_key) {
        place.atlas = prefix_match_key(chooser->atlas, item->to_key);
        place.by_atlas = place.atlas != PREFIX_NONE;
    }
    return place;
}

static uint32_t route_of(const struct chooser *chooser, const struct queue_item *item)
{
    return chooser->routing != NULL ? route_find_key(chooser->routing->routes, item->to_key, item->short_code) : 0;
}

static uint32_t destination_index(struct chooser *chooser, const struct queue_item *item, struct limit_now now)
{
    struct place place = place_of(chooser, item);
    struct chooser_destination *destination;
    uint32_t index;

    if (place.by_atlas && chooser->atlas_destinations[place.atlas] != NO_DESTINATION)
        return chooser->atlas_destinations[place.atlas];
    destination = destination_alloc(chooser);
    if (destination == NULL)
        return NO_DESTINATION;
    destination_fill(chooser, route_of(chooser, item), place.price_key, item->short_code, destination);
    index = destination_intern(chooser, destination, now);
    if (place.by_atlas)
        chooser->atlas_destinations[place.atlas] = index;
    return index;
}

uint8_t chooser_rank(struct chooser *chooser, const struct chooser_destination *destination, uint16_t bearer)
{
    uint8_t *rank = &destination->ranks[bearer];

    if (*rank == RANK_UNKNOWN) {
        struct route_bearer route_bearer = chooser_route_bearer(&chooser->bearers[bearer]);
        uint8_t at = 0;

        switch (chooser->routing != NULL ? route_judge(route_at(chooser->routing->routes, destination->route), &route_bearer, &at)
                                         : ROUTE_ALLOWED) {
        case ROUTE_ALLOWED: *rank = at < RANK_MAX ? at : RANK_MAX; break;
        case ROUTE_DENIED: *rank = RANK_DENIED; break;
        case ROUTE_NOT_LISTED: *rank = RANK_NOT_LISTED; break;
        }
    }
    return *rank;
}

/* -- classes --------------------------------------------------------------------------------------------------- */

const struct route *chooser_route(const struct chooser *chooser, const struct queue_item *item)
{
    return chooser->routing != NULL ? route_at(chooser->routing->routes, route_of(chooser, item)) : NULL;
}

uint32_t chooser_patience_s(const struct chooser *chooser, const struct queue_item *item)
{
    const struct route *route = chooser_route(chooser, item);

    if (route != NULL && route->patience_s != ROUTE_PATIENCE_UNSET)
        return (uint32_t)route->patience_s;
    return chooser->routing != NULL ? chooser->routing->patience_s : 0;
}

static uint16_t class_intern(struct chooser *chooser, const struct chooser_class *wanted, struct limit_now now)
{
    uint64_t hash = mix(mix(mix(UINT64_C(0xCBF29CE484222325), wanted->destination), wanted->patience_s),
                        (uint64_t)wanted->sticky_sim_id << 8 | wanted->parts);
    uint32_t slot = (uint32_t)(hash % CLASS_SLOTS);

    for (; chooser->class_slots[slot] != 0; slot = (slot + 1) % CLASS_SLOTS) {
        const struct chooser_class *class = &chooser->classes[chooser->class_slots[slot]];

        if (class->destination == wanted->destination && class->patience_s == wanted->patience_s &&
            class->sticky_sim_id == wanted->sticky_sim_id && class->parts == wanted->parts)
            return (uint16_t)chooser->class_slots[slot];
    }
    if (chooser->class_count == CHOOSER_CLASSES_MAX) {
        ran_out(chooser, now);
        return CHOOSER_MIXED;
    }
    chooser->classes[chooser->class_count] = *wanted;
    chooser->class_slots[slot] = chooser->class_count;
    return (uint16_t)chooser->class_count++;
}

uint16_t chooser_classify(struct chooser *chooser, const struct queue_item *item, struct limit_now now)
{
    struct chooser_class class = { .patience_s = item->patience_s, .sticky_sim_id = item->sticky_sim_id };

    if (chooser->destinations == NULL || (chooser->routing != NULL && chooser->atlas == NULL))
        return CHOOSER_MIXED;            /* no memory for anything better */
    class.destination = destination_index(chooser, item, now);
    if (class.destination == NO_DESTINATION)
        return CHOOSER_MIXED;
    if (!chooser->destinations[class.destination]->linear)
        class.parts = item->parts;
    return class_intern(chooser, &class, now);
}

const struct chooser_destination *chooser_destination(struct chooser *chooser, const struct queue_item *item)
{
    struct place place;

    if (item->class_id != CHOOSER_MIXED && item->class_id < chooser->class_count)
        return chooser->destinations[chooser->classes[item->class_id].destination];
    scratch_free(chooser);               /* cards may have come, with plans of their own */
    chooser->scratch = destination_alloc(chooser);
    if (chooser->scratch == NULL)
        return NULL;
    place = place_of(chooser, item);
    destination_fill(chooser, route_of(chooser, item), place.price_key, item->short_code, chooser->scratch);
    return chooser->scratch;
}
