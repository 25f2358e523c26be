/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser_class.c - from a number to what its prefixes say (chooser_atlas.c), and from there to its class. */
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

/* -- life ------------------------------------------------------------------------------------------------------ */

void chooser_destination_free(struct chooser_destination *destination)
{
    free(destination);
}

static void scratch_free(struct chooser *chooser)
{
    chooser_destination_free(chooser->scratch);
    chooser->scratch = NULL;
}

void chooser_classes_done(struct chooser *chooser)
{
    for (uint32_t i = 0; i < chooser->destination_count; i++)
        chooser_destination_free(chooser->destinations[i]);
    scratch_free(chooser);
    chooser_ways_done(chooser);
    free(chooser->destinations);
    free(chooser->destination_slots);
    free(chooser->classes);
    free(chooser->class_slots);
    chooser_atlas_done(chooser);
    chooser->destinations = NULL;
    chooser->destination_slots = chooser->class_slots = NULL;
    chooser->classes = NULL;
    chooser->destination_count = chooser->class_count = 0;
}

/* -- destinations ---------------------------------------------------------------------------------------------- */

static uint32_t destination_size(const struct chooser *chooser)
{
    return (uint32_t)(sizeof(struct chooser_destination) + chooser->plan_count * sizeof(struct chooser_price));
}

static struct chooser_destination *destination_alloc(const struct chooser *chooser)
{
    struct chooser_destination *destination = calloc(1, destination_size(chooser));

    if (destination != NULL)
        destination->plan_count = chooser->plan_count;
    return destination;
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

/* Takes destination over. The index of an equal one that is there, or its own. NO_DESTINATION: no room, it stays the
 * caller's. */
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
        return NO_DESTINATION;
    }
    index = chooser->destination_count++;
    chooser->destinations[index] = destination;
    chooser->destination_slots[slot] = index + 1;
    return index;
had:
    chooser_destination_free(destination);
    return index;
}

/* Where its prices are; own: and where its route is too, so that the prefix says all. */
struct place { uint32_t atlas; bool own; };

static struct place place_of(const struct chooser *chooser, const struct queue_item *item)
{
    const struct routing *routing = chooser->routing;
    struct place place = { .atlas = 0 };   /* the prefix of every number: all that is said about a short code */

    if (routing == NULL || item->short_code || chooser->atlas.set == NULL)   /* NULL: no memory for it; nothing has a price then */
        return place;
    place.atlas = prefix_match_key(chooser->atlas.set, routing->overrides != NULL ? override_find(routing->overrides, item->to_key) : item->to_key);
    place.own = routing->overrides == NULL || place.atlas == prefix_match_key(chooser->atlas.set, item->to_key);
    return place;
}

uint64_t chooser_price_prefix(const struct chooser *chooser, const struct queue_item *item)
{
    return chooser->atlas.set != NULL ? prefix_at(chooser->atlas.set, place_of(chooser, item).atlas) : 0;
}

static uint32_t route_of(const struct chooser *chooser, const struct queue_item *item)
{
    return chooser->routing != NULL ? route_find_key(chooser->routing->routes, item->to_key, item->short_code) : 0;
}

uint32_t chooser_destination_index(struct chooser *chooser, const struct queue_item *item, struct limit_now now)
{
    struct place place = place_of(chooser, item);
    struct chooser_destination *destination;
    uint32_t index;

    if (place.own && chooser->atlas.destinations[place.atlas] != NO_DESTINATION)
        return chooser->atlas.destinations[place.atlas];
    destination = destination_alloc(chooser);
    if (destination == NULL)
        return NO_DESTINATION;
    chooser_atlas_fill(chooser, route_of(chooser, item), place.atlas, destination);
    index = destination_intern(chooser, destination, now);
    if (place.own && chooser->routing != NULL)
        chooser->atlas.destinations[place.atlas] = index;
    if (index == NO_DESTINATION) {       /* it is looked at soon, as it is */
        scratch_free(chooser);
        chooser->scratch = destination;
        chooser->scratch_key = item->to_key;
        chooser->scratch_short = item->short_code;
    }
    return index;
}

/* -- life, once more ------------------------------------------------------------------------------------------- */

#define SHORT_DIGITS 3                   /* the longest country codes of ITU-T E.164 */

/* Countries, which longer prefixes are made of, find room first. */
static void countries_fill(struct chooser *chooser, struct limit_now now)
{
    for (uint32_t i = 0; chooser->atlas.set != NULL && i < prefix_count(chooser->atlas.set); i++) {
        struct queue_item item = { .to_key = prefix_at(chooser->atlas.set, i) };

        if ((item.to_key & DIGITS_MAX) <= SHORT_DIGITS)
            (void)chooser_destination_index(chooser, &item, now);
    }
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
    chooser->generation++;
    chooser->destinations = calloc(CHOOSER_DESTINATIONS_MAX, sizeof(struct chooser_destination *));
    chooser->destination_slots = calloc(DESTINATION_SLOTS, sizeof *chooser->destination_slots);
    chooser->classes = calloc(CHOOSER_CLASSES_MAX, sizeof *chooser->classes);
    chooser->class_slots = calloc(CLASS_SLOTS, sizeof *chooser->class_slots);
    if (chooser->destinations == NULL || chooser->destination_slots == NULL || chooser->classes == NULL || chooser->class_slots == NULL)
        r = -ENOMEM;
    if (r == 0 && chooser->routing != NULL)
        r = chooser_atlas_build(chooser);
    chooser->class_count = 1;            /* the mixed one */
    if (r == 0)
        countries_fill(chooser, now);
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

/* -- ways ------------------------------------------------------------------------------------------------------ */

void chooser_ways_done(struct chooser *chooser)
{
    for (size_t i = 0; i < WAYS; i++) {
        free(chooser->ways[i]);
        chooser->ways[i] = NULL;
    }
}

static struct chooser_way *way_get(struct chooser *chooser, uint32_t route)
{
    struct chooser_way **way = &chooser->ways[route % WAYS];

    if (*way == NULL) {
        *way = malloc(sizeof **way);
        if (*way == NULL)
            return NULL;
        (*way)->route = ~route;
    }
    if ((*way)->route != route) {
        (*way)->route = route;
        memset((*way)->ranks, RANK_UNKNOWN, sizeof (*way)->ranks);
    }
    return *way;
}

uint8_t chooser_rank_anew(struct chooser *chooser, uint32_t route, uint16_t bearer)
{
    struct chooser_way *way = way_get(chooser, route);
    struct route_bearer route_bearer = chooser_route_bearer(&chooser->bearers[bearer]);
    uint8_t at = 0, rank = RANK_DENIED;

    switch (chooser->routing != NULL ? route_judge(route_at(chooser->routing->routes, route), &route_bearer, &at) : ROUTE_ALLOWED) {
    case ROUTE_ALLOWED: rank = at < RANK_MAX ? at : RANK_MAX; break;
    case ROUTE_DENIED: rank = RANK_DENIED; break;
    case ROUTE_NOT_LISTED: rank = RANK_NOT_LISTED; break;
    }
    if (way != NULL)
        way->ranks[bearer] = rank;
    return rank;
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
    uint64_t hash = chooser_mix(chooser_mix(chooser_mix(UINT64_C(0xCBF29CE484222325), wanted->destination), wanted->patience_s),
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

    if (chooser->destinations == NULL || (chooser->routing != NULL && chooser->atlas.set == NULL))
        return CHOOSER_MIXED;            /* no memory for anything better */
    class.destination = chooser_destination_index(chooser, item, now);
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
    if (chooser->scratch != NULL && chooser->scratch_key == item->to_key && chooser->scratch_short == item->short_code)
        return chooser->scratch;
    scratch_free(chooser);
    chooser->scratch = destination_alloc(chooser);
    if (chooser->scratch == NULL)
        return NULL;
    place = place_of(chooser, item);
    chooser_atlas_fill(chooser, route_of(chooser, item), place.atlas, chooser->scratch);
    chooser->scratch_key = item->to_key;
    chooser->scratch_short = item->short_code;
    return chooser->scratch;
}
