/* SPDX-License-Identifier: Apache-2.0
 *
 * Coordinate ascent on the dual of a transportation problem with an entropy term (the method of Sinkhorn and Bregman): with
 * margin m, an option of cost c (price and shadow prices) gets of its demand a share that is proportional to exp(-c / m).
 * The dual is then smooth and concave, so that improving one price at a time reaches its maximum; without the term it may stop
 * short of it (two prices that would have to move together). The use of a resource as a function of its own price falls
 * from everything to nothing, and Newton's method in the logarithm finds where it meets what is left. */
#include "src/routing/shadow.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN_FIRST 8               /* the dearest option divided by this */
#define MARGIN_LAST 2048
#define LEVEL_SWEEPS 24              /* at most, with one margin */
#define LAST_SWEEPS 120              /* with the last one */
#define NEAR 0.005                   /* of what a resource has */
#define NEWTON_STEPS 30
#define STEP_MAX 8.0                 /* of a logarithm, in one step of Newton's; */
#define REACH 150.0                  /* in one sweep: SHADOW_USES_MAX of them stay far below the largest double */

struct option { double cost, weight; int uses[SHADOW_USES_MAX]; unsigned char use_count; uint32_t demand; };
struct demand { double parts, weight_sum, outside; uint32_t first, count; };
struct resource { double left, price, used; uint32_t first, count; };

struct shadow {
    struct option *options;
    struct demand *demands;
    struct resource *resources;
    uint32_t *users;                 /* options by resource */
    double *inside, *quantity, *rest;   /* of the demands that one resource serves, while its price is looked for */
    uint32_t *served;
    size_t option_count, demand_count, resource_count, option_max, demand_max, resource_max;
    double dearest, margin;
    unsigned sweeps, level_sweeps;
    bool prepared;
};

int shadow_new(size_t resources, size_t demands, size_t options, struct shadow **ret_shadow)
{
    struct shadow *shadow;

    if (resources > SHADOW_RESOURCES_MAX || demands > SHADOW_DEMANDS_MAX || options > SHADOW_OPTIONS_MAX)
        return -E2BIG;
    shadow = calloc(1, sizeof *shadow);
    if (shadow == NULL)
        return -ENOMEM;
    /* One more of each, so that none is empty. */
    shadow->options = calloc(options + 1, sizeof *shadow->options);
    shadow->demands = calloc(demands + 1, sizeof *shadow->demands);
    shadow->resources = calloc(resources + 1, sizeof *shadow->resources);
    shadow->users = calloc(options * SHADOW_USES_MAX + 1, sizeof *shadow->users);
    shadow->inside = calloc(demands + 1, sizeof *shadow->inside);
    shadow->quantity = calloc(demands + 1, sizeof *shadow->quantity);
    shadow->rest = calloc(demands + 1, sizeof *shadow->rest);
    shadow->served = calloc(demands + 1, sizeof *shadow->served);
    if (shadow->options == NULL || shadow->demands == NULL || shadow->resources == NULL || shadow->users == NULL ||
        shadow->inside == NULL || shadow->quantity == NULL || shadow->rest == NULL || shadow->served == NULL) {
        shadow_free(shadow);
        return -ENOMEM;
    }
    shadow->option_max = options;
    shadow->demand_max = demands;
    shadow->resource_max = resources;
    *ret_shadow = shadow;
    return 0;
}

void shadow_free(struct shadow *shadow)
{
    if (shadow == NULL)
        return;
    free(shadow->options);
    free(shadow->demands);
    free(shadow->resources);
    free(shadow->users);
    free(shadow->inside);
    free(shadow->quantity);
    free(shadow->rest);
    free(shadow->served);
    free(shadow);
}

void shadow_clear(struct shadow *shadow)
{
    shadow->option_count = shadow->demand_count = shadow->resource_count = 0;
    shadow->dearest = 0;
    shadow->sweeps = shadow->level_sweeps = 0;
    shadow->prepared = false;
}

int shadow_add_resource(struct shadow *shadow, int64_t left_parts, int64_t price_micro)
{
    if (shadow->resource_count == shadow->resource_max)
        return -ENOSPC;
    if (left_parts < 0 || left_parts > SHADOW_PARTS_MAX || price_micro < 0 || price_micro > 2 * SHADOW_PRICE_MICRO_MAX)
        return -ERANGE;
    shadow->resources[shadow->resource_count] = (struct resource){ .left = (double)left_parts, .price = (double)price_micro };
    return (int)shadow->resource_count++;
}

int shadow_add_demand(struct shadow *shadow, double parts)
{
    if (shadow->demand_count == shadow->demand_max)
        return -ENOSPC;
    if (!(parts >= 0 && parts <= (double)SHADOW_PARTS_MAX))   /* NaN too */
        return -ERANGE;
    shadow->demands[shadow->demand_count] = (struct demand){ .parts = parts, .first = (uint32_t)shadow->option_count };
    return (int)shadow->demand_count++;
}

int shadow_add_option(struct shadow *shadow, int64_t price_micro, const int *uses, size_t use_count)
{
    struct option *option = &shadow->options[shadow->option_count];

    assert(shadow->demand_count > 0);
    if (shadow->option_count == shadow->option_max)
        return -ENOSPC;
    if (price_micro < 0 || price_micro > SHADOW_PRICE_MICRO_MAX || use_count > SHADOW_USES_MAX)
        return -ERANGE;
    for (size_t i = 0; i < use_count; i++) {
        if (uses[i] < 0 || (size_t)uses[i] >= shadow->resource_count)
            return -ERANGE;
        option->uses[i] = uses[i];
    }
    option->cost = (double)price_micro;
    option->use_count = (unsigned char)use_count;
    option->demand = (uint32_t)shadow->demand_count - 1;
    shadow->demands[option->demand].count++;
    if (option->cost > shadow->dearest)
        shadow->dearest = option->cost;
    return (int)shadow->option_count++;
}

static double outside_price(const struct shadow *shadow) { return 2 * shadow->dearest; }

/* Options by resource, in their own order: so those of one demand stand together. */
static void prepare(struct shadow *shadow)
{
    uint32_t at = 0;

    for (size_t i = 0; i < shadow->resource_count; i++)
        shadow->resources[i].count = 0;
    for (size_t i = 0; i < shadow->option_count; i++)
        for (unsigned u = 0; u < shadow->options[i].use_count; u++)
            shadow->resources[shadow->options[i].uses[u]].count++;
    for (size_t i = 0; i < shadow->resource_count; i++) {
        struct resource *resource = &shadow->resources[i];

        resource->first = at;
        at += resource->count;
        resource->count = 0;
        resource->price = fmin(resource->price, outside_price(shadow));
    }
    for (size_t i = 0; i < shadow->option_count; i++)
        for (unsigned u = 0; u < shadow->options[i].use_count; u++) {
            struct resource *resource = &shadow->resources[shadow->options[i].uses[u]];

            shadow->users[resource->first + resource->count++] = (uint32_t)i;
        }
    shadow->margin = fmax(shadow->dearest, 1) / MARGIN_FIRST;
    shadow->prepared = true;
}

/* All weights from prices, anew in each sweep, so that rounding does not add up. The best option of a demand weighs 1. */
static void weigh(struct shadow *shadow)
{
    for (size_t i = 0; i < shadow->demand_count; i++) {
        struct demand *demand = &shadow->demands[i];
        double least = outside_price(shadow);

        for (uint32_t o = demand->first; o < demand->first + demand->count; o++) {
            struct option *option = &shadow->options[o];

            option->weight = option->cost;
            for (unsigned u = 0; u < option->use_count; u++)
                option->weight += shadow->resources[option->uses[u]].price;
            least = fmin(least, option->weight);
        }
        demand->outside = demand->weight_sum = exp((least - outside_price(shadow)) / shadow->margin);
        for (uint32_t o = demand->first; o < demand->first + demand->count; o++) {
            shadow->options[o].weight = exp((least - shadow->options[o].weight) / shadow->margin);
            demand->weight_sum += shadow->options[o].weight;
        }
    }
}

/* What is used if all options with the resource weighed exp(step) times as much. */
static double use_at(const struct shadow *shadow, size_t served, double step, double *ret_slope)
{
    double factor = exp(step), used = 0, slope = 0;

    for (size_t i = 0; i < served; i++) {
        double in = shadow->inside[i] * factor, share = in / (in + shadow->rest[i] + 1e-300);

        used += shadow->quantity[i] * share;
        slope += shadow->quantity[i] * share * (1 - share);
    }
    *ret_slope = slope;
    return used;
}

/* The demands a resource serves, with the weight of its own options in each and that of all others. */
static size_t gather(struct shadow *shadow, const struct resource *resource)
{
    size_t served = 0;

    for (uint32_t i = resource->first; i < resource->first + resource->count; i++) {
        const struct option *option = &shadow->options[shadow->users[i]];

        if (served > 0 && shadow->served[served - 1] == option->demand) {
            shadow->inside[served - 1] += option->weight;
            continue;
        }
        shadow->served[served] = option->demand;
        shadow->inside[served] = option->weight;
        shadow->quantity[served++] = shadow->demands[option->demand].parts;
    }
    for (size_t i = 0; i < served; i++)
        shadow->rest[i] = fmax(0, shadow->demands[shadow->served[i]].weight_sum - shadow->inside[i]);
    return served;
}

static bool near(double used, double left) { return fabs(used - left) <= NEAR * left + 1e-6; }

/* By how much the logarithm of the weights has to change: between what makes the price 0 and what makes it the outside price. */
static double find_step(const struct shadow *shadow, const struct resource *resource, size_t served)
{
    double high = fmin(REACH, resource->price / shadow->margin), low = (resource->price - outside_price(shadow)) / shadow->margin;
    double step = 0, slope, ignored, used = use_at(shadow, served, 0, &slope);

    low = fmax(-REACH, fmin(0, low));
    if (near(used, resource->left))
        return 0;
    if (used < resource->left && (high <= 0 || use_at(shadow, served, high, &ignored) <= resource->left))
        return high;
    for (unsigned i = 0; i < NEWTON_STEPS && !near(used, resource->left) && high - low > 1e-9; i++) {
        double by = slope > 0 ? (resource->left - used) / slope : resource->left > used ? STEP_MAX : -STEP_MAX, to;

        if (used > resource->left)
            high = step;
        else
            low = step;
        to = step + fmax(-STEP_MAX, fmin(STEP_MAX, by));
        step = to > low && to < high ? to : (fmax(low, step - 2 * STEP_MAX) + fmin(high, step + 2 * STEP_MAX)) / 2;
        used = use_at(shadow, served, step, &slope);
    }
    return step;
}

/* True: it was off. */
static bool set_price(struct shadow *shadow, struct resource *resource)
{
    size_t served = gather(shadow, resource);
    double step = find_step(shadow, resource, served), factor = exp(step), slope;
    double price = fmin(outside_price(shadow), fmax(0, resource->price - step * shadow->margin));
    bool moved = fabs(price - resource->price) > shadow->margin / 16;

    if (step != 0) {
        resource->price = price;
        for (uint32_t i = resource->first; i < resource->first + resource->count; i++)
            shadow->options[shadow->users[i]].weight *= factor;
        for (size_t i = 0; i < served; i++)
            shadow->demands[shadow->served[i]].weight_sum = shadow->inside[i] * factor + shadow->rest[i];
    }
    resource->used = use_at(shadow, served, step, &slope);
    return moved;
}

bool shadow_sweep(struct shadow *shadow)
{
    bool moved = false, last;

    if (!shadow->prepared)
        prepare(shadow);
    if (shadow->sweeps >= SHADOW_SWEEPS_MAX)
        return false;
    weigh(shadow);
    for (size_t i = 0; i < shadow->resource_count; i++)
        moved |= set_price(shadow, &shadow->resources[i]);
    shadow->sweeps++;
    shadow->level_sweeps++;
    last = shadow->margin <= fmax(shadow->dearest, 1) / MARGIN_LAST;
    if (moved && shadow->level_sweeps < (last ? LAST_SWEEPS : LEVEL_SWEEPS))
        return true;
    if (last)
        return false;
    shadow->margin /= 2;
    shadow->level_sweeps = 0;
    return true;
}

int64_t shadow_price_micro(const struct shadow *shadow, int resource)
{
    assert(resource >= 0 && (size_t)resource < shadow->resource_count);
    return (int64_t)(shadow->resources[resource].price + 0.5);
}

double shadow_used_parts(const struct shadow *shadow, int resource)
{
    assert(resource >= 0 && (size_t)resource < shadow->resource_count);
    return shadow->resources[resource].used;
}

double shadow_share(const struct shadow *shadow, int option)
{
    assert(option >= 0 && (size_t)option < shadow->option_count);
    return shadow->options[option].weight / (shadow->demands[shadow->options[option].demand].weight_sum + 1e-300);
}

unsigned shadow_sweeps(const struct shadow *shadow) { return shadow->sweeps; }
