/* SPDX-License-Identifier: Apache-2.0
 *
 * routing.h - everything the operator configured about prices and ways, as one whole that never changes: a new one takes
 * the place of the old one, or nothing does.
 *
 * firmware/common/routing_load.h makes it of files. Ownership: what it points to is its maker's. Any number of threads may
 * look at it. Money: millionths of `currency`. */
#ifndef CELLPOST_ROUTING_ROUTING_H
#define CELLPOST_ROUTING_ROUTING_H

#include "src/base/zone.h"
#include "src/routing/limit.h"
#include "src/routing/override.h"
#include "src/routing/rates.h"
#include "src/routing/route.h"
#include "src/routing/tariff.h"

/* One card as its section of the configuration says, with the defaults filled in. */
struct routing_sim {
    char iccid[24];                      /* "*": cards without a section */
    char name[32];
    char tariff[TARIFF_NAME_MAX];        /* "": none */
    const char *const *tags; size_t tag_count;
    struct limit_rules limits;
};

/* A zone that a bundle counts in. */
struct routing_zone { const char *name; struct zone *zone; };

struct routing {
    struct tariff_table *tariffs;        /* NULL: none, all bearers cost the same */
    struct rate_table *rates;            /* NULL: none */
    struct route_table *routes;          /* never NULL */
    struct override_table *overrides;    /* NULL: none */
    char currency[4];                    /* that prices are compared and told in */
    uint32_t patience_s;
    bool sticky, fixed_lines;
    bool learns;                         /* else prices are those of the tariffs alone: see src/choice/planner.h */
    struct routing_sim *sims; size_t sim_count;
    struct routing_sim sim_default;
    struct routing_zone *zones; size_t zone_count;
    int64_t version;                     /* of the files: row of routing_version; 0 not kept */
};

/* What is configured for this card, or for those without a section. */
const struct routing_sim *routing_sim(const struct routing *routing, const char *iccid);
/* NULL: not among them. */
const struct zone *routing_zone(const struct routing *routing, const char *name);

#endif
