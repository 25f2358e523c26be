/* SPDX-License-Identifier: Apache-2.0
 *
 * What is used of bundles. They decide prices, not whether a part may go. */
#include "src/routing/use_internal.h"

static uint32_t id_of(const struct tariff_bundle *bundle)   /* FNV-1a of the name */
{
    uint32_t hash = 2166136261u;

    for (const char *c = bundle->name; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return hash;
}

/* Also when the clock was set and nothing else has seen it yet. */
static bool in_doubt(const struct use *use, struct limit_now now)
{
    int64_t moved_ms = now.wall_ms - (int64_t)now.mono_ms - use->ahead_ms;

    return moved_ms > USE_STEP_MS || moved_ms < -USE_STEP_MS || (int64_t)now.mono_ms + use->shift_ms < use->doubt_until_ms;
}

/* A period that ended leaves nothing behind; while the clock is in doubt it has not ended, and what is used since stands
 * beside. */
static void bundle_move(const struct use *use, struct use_bundle *used, int32_t label, struct limit_now now)
{
    if (label == used->label || in_doubt(use, now))
        return;
    used->used = label > used->label ? used->used_since : used->used + used->used_since;
    used->used_since = 0;
    used->label = label;
}

/* NULL: there is none, and none was to be made. */
static struct use_bundle *bundle_find(struct use *use, const struct tariff_bundle *bundle, const struct zone *zone, struct limit_now now,
                                      bool make, int32_t *ret_label)
{
    int32_t label = zone_period(zone, (enum zone_period_kind)bundle->period, bundle->reset_day, now.wall_ms).label;
    uint32_t id = id_of(bundle), at = 0;

    *ret_label = label;
    for (uint32_t i = 0; i < use->bundle_count; i++)
        if (use->bundles[i].id == id) {
            bundle_move(use, &use->bundles[i], label, now);
            return &use->bundles[i];
        }
    if (!make)
        return NULL;
    if (use->bundle_count < USE_BUNDLES_MAX) {
        at = use->bundle_count++;
    } else {
        for (uint32_t i = 1; i < use->bundle_count; i++)
            if (use->bundles[i].label < use->bundles[at].label)
                at = i;
    }
    use->bundles[at] = (struct use_bundle){ .id = id, .label = label };
    return &use->bundles[at];
}

static void bundle_add(struct use_bundle *used, int32_t label, int64_t parts)
{
    if (used->label == label)
        used->used += parts;
    else
        used->used_since += parts;
}

uint32_t use_bundle_left(struct use *use, const struct tariff_bundle *bundle, const struct zone *zone, struct limit_now now)
{
    int32_t label;
    const struct use_bundle *used = bundle_find(use, bundle, zone, now, false, &label);
    int64_t left = bundle->parts;

    if (used)
        left -= used->used + used->used_since;
    return left < 0 ? 0 : left > TARIFF_BUNDLE_PARTS_MAX ? TARIFF_BUNDLE_PARTS_MAX : (uint32_t)left;
}

void use_bundle_take(struct use *use, const struct tariff_bundle *bundle, const struct zone *zone, uint32_t parts, struct limit_now now)
{
    int32_t label;
    struct use_bundle *used = bundle_find(use, bundle, zone, now, true, &label);

    bundle_add(used, label, parts);
}

void use_bundle_give_back(struct use *use, const struct tariff_bundle *bundle, const struct zone *zone, uint32_t parts, struct limit_now now)
{
    int32_t label;
    struct use_bundle *used = bundle_find(use, bundle, zone, now, false, &label);

    /* What was taken before its period ended is gone with it; no observation is above what is there. */
    if (used && used->used + used->used_since >= (int64_t)parts)
        bundle_add(used, label, -(int64_t)parts);
}

void use_bundle_observed(struct use *use, const struct tariff_bundle *bundle, const struct zone *zone, uint32_t rest_parts, struct limit_now now)
{
    int32_t label;
    struct use_bundle *used = bundle_find(use, bundle, zone, now, true, &label);

    used->used = (int64_t)bundle->parts - rest_parts;
    used->used_since = 0;
}
