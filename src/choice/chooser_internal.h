/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser_internal.h - what the files of the chooser share; nobody else includes it. */
#ifndef CELLPOST_CHOICE_CHOOSER_INTERNAL_H
#define CELLPOST_CHOICE_CHOOSER_INTERNAL_H

#include "src/choice/chooser.h"

#define NO_PLAN UINT16_MAX
#define NO_DESTINATION UINT32_MAX
#define PLAN_BUNDLES_MAX USE_BUNDLES_MAX
#define PRICE_BUNDLES_MAX 4              /* of those that cover one number, the longest prefixes */
#define RANK_UNKNOWN 255                 /* of a bearer that was not looked at yet */
#define RANK_DENIED 254
#define RANK_NOT_LISTED 253
#define RANK_MAX 250
#define LIMITS_LOOK_MS 60000             /* a bearer's limits are looked at again within this, whatever was said */
#define RECIPIENT_NEW UINT64_MAX         /* stands for somebody who was not written to yet */

/* A plan that cards may have. */
struct chooser_plan {
    const struct tariff_plan *plan;
    const struct tariff_row *bundles[PLAN_BUNDLES_MAX]; uint8_t bundle_count;
    const struct zone *zones[PLAN_BUNDLES_MAX];
};

struct chooser_price {
    int64_t first_micro, next_micro;
    const struct tariff_row *row;        /* NULL: no price for such numbers */
    uint8_t bundles[PRICE_BUNDLES_MAX], bundle_count;   /* indexes in the plan */
};

/* What a number's prefixes say: the same for many numbers. */
struct chooser_destination {
    uint32_t route;
    uint32_t users;                      /* classes */
    uint64_t hash;
    uint16_t plan_count;
    bool linear;                         /* every further part costs as the first, by every plan */
    bool refused;
    int64_t max_price_micro;             /* of a part; ROUTE_PRICE_UNBOUND */
    uint8_t *ranks;                      /* by bearer */
    struct chooser_price prices[];       /* by plan */
};

struct chooser_class {
    uint32_t destination;
    uint32_t patience_s, sticky_sim_id;
    uint8_t parts;                       /* 0: any number; else prices are compared for this many */
    bool used;
    /* The best that could take it within its patience, as of epoch and until floor_until_ms. */
    uint64_t epoch, floor_until_ms, floor_able_ms;
    uint8_t floor_rank; int64_t floor_micro;
};

struct chooser_bearer {
    bool open, present, idle, roaming;
    enum route_bearer_kind kind;
    char id[32];
    uint32_t sim_id, turn;
    int signal_dbm;
    uint64_t rests_until_ms;
    const struct routing_sim *conf;
    uint16_t plan;
    struct use *use;

    /* What the limits say of a part that costs nothing and goes to somebody new, as of the last look. */
    uint64_t looked_until_ms;            /* then look again */
    uint64_t able_ms;                    /* not before; UINT64_MAX: not by time alone */
    uint64_t able_long_ms;               /* the same without gaps and minutes, which are soon over */
    enum limit_kind limit;
    int64_t spend_left_micro;            /* INT64_MAX: no cap */
    uint64_t spend_until_ms;
    uint32_t bundle_left[PLAN_BUNDLES_MAX];
    int64_t shadow_micro, bundle_shadow_micro[PLAN_BUNDLES_MAX];
    uint8_t health;                      /* 0 good */
    uint32_t results, failures;          /* bits of the last 32 results, newest lowest */
    uint64_t last_take_ms;
};

struct chooser {
    int64_t boot;
    const struct routing *routing;       /* NULL: none */
    struct chooser_plan plans[CHOOSER_PLANS_MAX]; uint16_t plan_count;
    struct chooser_bearer bearers[CHOOSER_BEARERS_MAX]; uint32_t bearer_count;
    uint64_t epoch;                      /* counts what could change a floor */

    struct prefix_set *atlas;            /* all prefixes of routes and plans; NULL: not made */
    uint32_t *atlas_destinations;        /* of each; NO_DESTINATION: not looked at */
    struct chooser_destination **destinations; uint32_t destination_count;
    uint32_t *destination_slots;         /* open addressing by hash; index + 1 */
    struct chooser_class *classes; uint32_t class_count;
    uint32_t *class_slots;
    int32_t day, day_until;              /* prices of day hold before day_until (UTC) */
    bool stale;                          /* classes ran out */
    uint64_t renewed_ms;                 /* when they were made anew last */
    struct chooser_destination *scratch; /* of a message in the mixed class */
    uint64_t scratch_key;
};

/* chooser_class.c */
int chooser_classes_init(struct chooser *chooser, struct limit_now now);
void chooser_classes_done(struct chooser *chooser);
/* Of an item whatever its class; the mixed ones are looked at anew. NULL: no memory. */
const struct chooser_destination *chooser_destination(struct chooser *chooser, const struct queue_item *item);
uint8_t chooser_rank(struct chooser *chooser, const struct chooser_destination *destination, uint16_t bearer);
static inline const struct chooser_price *chooser_price(const struct chooser_destination *destination, uint16_t plan)
{
    return plan < destination->plan_count ? &destination->prices[plan] : NULL;
}
/* chooser.c */
void chooser_look(struct chooser *chooser, struct chooser_bearer *bearer, struct limit_now now);
struct route_bearer chooser_route_bearer(const struct chooser_bearer *bearer);
/* chooser_judge.c */
struct chooser_offer { bool ok; uint8_t rank; int64_t micro; uint8_t bundle; };   /* micro: with shadows, for parts; bundle: 1 + index, 0 none */
/* What a bearer asks for parts, limits but for the spend cap aside. */
struct chooser_offer chooser_offer(struct chooser *chooser, const struct chooser_destination *destination, uint32_t sticky_sim_id,
                                   uint16_t bearer, unsigned parts);
/* Whether a goes before b. */
bool chooser_before(const struct chooser *chooser, uint16_t a, const struct chooser_offer *offer_a, uint16_t b, const struct chooser_offer *offer_b);

#endif
