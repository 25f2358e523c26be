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
#define DEAL_AGAIN_MS 1000               /* not sooner after another deal */
#define DEAL_LINES_MAX 128
#define DEAL_GROUPS_MAX 64
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
    uint32_t floor_batch;
    uint32_t deal; uint16_t line;        /* the deal that it is part of, and where */
};

/* What each choice looks at comes first: there may be hundreds of them. */
struct chooser_bearer {
    bool open, present, idle, roaming;
    uint8_t health;                      /* 0 good */
    uint16_t plan;
    uint32_t sim_id;
    enum limit_kind limit;               /* what the limits say of a part that costs nothing and goes to somebody new, */
    uint64_t looked_until_ms;            /* as of the last look; then look again */
    uint64_t able_ms;                    /* not before; UINT64_MAX: not by time alone */
    uint64_t able_long_ms;               /* the same without gaps and minutes, which are soon over */
    uint64_t rests_until_ms;
    int64_t spend_left_micro;            /* INT64_MAX: no cap */
    int64_t shadow_micro;
    int64_t switch_micro;                /* to change to it from another card of its modem; 0: it is in use */
    uint64_t last_take;                  /* the number of its last take: who rested longest has the lowest */
    uint32_t bundle_left[PLAN_BUNDLES_MAX];
    int64_t bundle_shadow_micro[PLAN_BUNDLES_MAX];   /* counts up to the price that the bundle saves */
    int64_t tomorrow_micro;              /* the same, of tomorrow */
    int64_t bundle_tomorrow_micro[PLAN_BUNDLES_MAX];
    uint8_t bundle_tomorrow[PLAN_BUNDLES_MAX];   /* enum chooser_bundle_day */
    uint32_t given;                      /* parts since the prices of now are in force, so that equals share */
    int64_t share_micro;                 /* what that adds to its price */

    enum route_bearer_kind kind;
    char id[32];
    uint32_t turn;
    int signal_dbm;
    const struct routing_sim *conf;
    struct use *use;
    int64_t credit_micro;                /* that its operator said is left, less what was taken since; -1 not known */
    float pace_ms;                       /* of a part, lately; 0 not known */
    uint32_t results, failures;          /* bits of the last 32 results, newest lowest */
};

enum chooser_bundle_day { BUNDLE_GOES_ON, BUNDLE_ANEW, BUNDLE_OVER };   /* its period tomorrow is the same one, or a new one; none */

/* How a route ranks the bearers, as far as it was asked. */
struct chooser_way { uint32_t route; uint8_t ranks[CHOOSER_BEARERS_MAX]; };
#define WAYS 4096                        /* routes by their index modulo this */

/* All prefixes of routes and plans. Plans with rows at the i-th are plans[first[i]] up to before plans[first[i + 1]]. */
struct chooser_atlas {
    struct prefix_set *set;              /* NULL: not made */
    uint32_t *first;
    uint16_t *plans;
    uint32_t *destinations;              /* NO_DESTINATION: not looked at */
};

struct chooser {
    int64_t boot;
    const struct routing *routing;       /* NULL: none */
    struct chooser_plan plans[CHOOSER_PLANS_MAX]; uint16_t plan_count;
    struct chooser_bearer bearers[CHOOSER_BEARERS_MAX]; uint32_t bearer_count;
    uint64_t take_count;
    uint32_t version;                    /* counts chooser_configure() */
    bool switching;                      /* a card had to be changed to, ever: what that costs depends on how much waits */
    uint64_t epoch;                      /* counts what could change a floor */
    uint64_t presence;                   /* counts bearers that come and go */
    uint32_t generation;                 /* of destinations and classes */
    bool priced;                         /* shadow prices of a plan are in force */
    int64_t slack_micro;                 /* for a part: so exact they are */

    float parts_mean;                    /* of messages, lately */
    struct chooser_deal *deal;           /* NULL: none was made */

    struct chooser_atlas atlas;
    struct chooser_way *ways[WAYS];      /* NULL: none asked yet */
    struct chooser_destination **destinations; uint32_t destination_count;
    uint32_t *destination_slots;         /* open addressing by hash; index + 1 */
    struct chooser_class *classes; uint32_t class_count;
    uint32_t *class_slots;
    int32_t day, day_until;              /* prices of day hold before day_until (UTC) */
    bool stale;                          /* classes ran out */
    uint64_t renewed_ms;                 /* when they were made anew last */
    struct chooser_destination *scratch; /* of a message in the mixed class */
    uint64_t scratch_key; bool scratch_short;   /* whose */
};

/* chooser_atlas.c */
int chooser_atlas_build(struct chooser *chooser);
void chooser_atlas_done(struct chooser *chooser);
/* Fills what a prefix of it says, and a route, into an empty destination. */
void chooser_atlas_fill(const struct chooser *chooser, uint32_t route, uint32_t at, struct chooser_destination *destination);
/* What a number costs by a plan on a day. */
void chooser_price_fill(const struct chooser *chooser, const struct chooser_plan *plan, const char *number, int32_t day, struct chooser_price *price);
uint64_t chooser_mix(uint64_t hash, uint64_t value);
/* chooser_class.c */
void chooser_destination_free(struct chooser_destination *destination);
int chooser_classes_init(struct chooser *chooser, struct limit_now now);
void chooser_classes_done(struct chooser *chooser);
/* Of an item whatever its class; the mixed ones are looked at anew. NULL: no memory. */
const struct chooser_destination *chooser_destination(struct chooser *chooser, const struct queue_item *item);
/* The same as an index; NO_DESTINATION: no room. */
uint32_t chooser_destination_index(struct chooser *chooser, const struct queue_item *item, struct limit_now now);
/* The prefix that says what a number costs: digits_pack(), 0 that of every number. */
uint64_t chooser_price_prefix(const struct chooser *chooser, const struct queue_item *item);
uint8_t chooser_rank_anew(struct chooser *chooser, uint32_t route, uint16_t bearer);
static inline uint8_t chooser_rank(struct chooser *chooser, uint32_t route, uint16_t bearer)
{
    const struct chooser_way *way = chooser->ways[route % WAYS];

    return way != NULL && way->route == route && way->ranks[bearer] != RANK_UNKNOWN ? way->ranks[bearer] : chooser_rank_anew(chooser, route, bearer);
}
void chooser_ways_done(struct chooser *chooser);
static inline const struct chooser_price *chooser_price(const struct chooser_destination *destination, uint16_t plan)
{
    return plan < destination->plan_count ? &destination->prices[plan] : NULL;
}
/* chooser.c */
void chooser_shadows_clear(struct chooser_bearer *bearer);
void chooser_look_anew(struct chooser *chooser, struct chooser_bearer *bearer, struct limit_now now);
static inline void chooser_look(struct chooser *chooser, struct chooser_bearer *bearer, struct limit_now now)
{
    if (now.mono_ms >= bearer->looked_until_ms)
        chooser_look_anew(chooser, bearer, now);
}
struct route_bearer chooser_route_bearer(const struct chooser_bearer *bearer);
/* chooser_take.c: whether anything about it is limited or priced. */
bool chooser_is_counted(const struct chooser_bearer *bearer);
/* For parts. micro: with shadows; bundle: 1 + index, 0 none. */
struct chooser_offer { bool ok; uint8_t rank, bundle; int64_t micro, charged_micro; };
/* chooser_deal.c */
/* Makes a deal where it is time for one; idles: a bearer found nothing. True: it is another one than before. */
bool chooser_deal_look(struct chooser *chooser, const struct queue *queue, bool idles, struct limit_now now);
void chooser_deal_done(struct chooser *chooser);
enum chooser_dealt { DEALT_NOT, DEALT_HERE, DEALT_ELSEWHERE };   /* NOT: it is part of no deal, or all of it is gone */
/* offer: what the bearer asks now for so many parts; where that is more than when it was dealt, it is not DEALT_HERE. */
enum chooser_dealt chooser_dealt(const struct chooser *chooser, const struct chooser_class *class, uint16_t bearer, const struct chooser_offer *offer,
                                 unsigned parts);
/* Milliseconds of a part, with the gaps that its limits demand. */
float chooser_pace_ms(const struct chooser_bearer *bearer);
void chooser_deal_taken(struct chooser *chooser, const struct chooser_class *class, uint16_t bearer, unsigned parts);
/* chooser_judge.c */
/* What a bearer asks for parts, limits but for the spend cap aside. */
struct chooser_offer chooser_offer(struct chooser *chooser, const struct chooser_destination *destination, uint32_t sticky_sim_id,
                                   uint16_t bearer, unsigned parts, uint32_t batch /* messages that share a change of cards */);
/* The same without bundles; and tomorrow, as far as it is known today. */
struct chooser_offer chooser_offer_paid(struct chooser *chooser, const struct chooser_destination *destination, uint32_t sticky_sim_id,
                                        uint16_t bearer, unsigned parts, uint32_t batch);
struct chooser_offer chooser_offer_tomorrow(struct chooser *chooser, const struct chooser_destination *destination, uint32_t sticky_sim_id,
                                            uint16_t bearer, unsigned parts, uint32_t batch);
/* Whether a goes before b. */
bool chooser_before(const struct chooser *chooser, uint16_t a, const struct chooser_offer *offer_a, uint16_t b, const struct chooser_offer *offer_b);

#endif
