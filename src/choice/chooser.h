/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser.h - which bearer takes which message next, and why.
 *
 * A bearer is anything that can carry a message: a card in a modem here, others later (enum route_bearer_kind). A class is
 * what messages to one kind of destination share: route, prices by plan, patience, conversation. So what is known of a
 * class is computed once, and a free bearer looks at the heads of classes, not at messages.
 *
 * The order of a choice: what the route prefers (rank), then the price a message would be charged now (0 in a bundle that
 * has room) with the shadow prices of what it would use up, then the bearer's health, then who rested longest. A message
 * whose patience is not over waits for a bearer that comes before and can take it within that time.
 *
 * Time:      now.mono_ms on the machine's own clock, now.wall_ms for days, months and hours.
 * Money:     millionths of the currency of the routing.
 * Ownership: routing is borrowed; strings of answers live until the next call that changes the chooser.
 * Threads:   none of its own. */
#ifndef CELLPOST_CHOICE_CHOOSER_H
#define CELLPOST_CHOICE_CHOOSER_H

#include "src/queue/queue.h"
#include "src/routing/routing.h"
#include "src/routing/use.h"

#define CHOOSER_BEARERS_MAX 1024
#define CHOOSER_CLASSES_MAX 16384
#define CHOOSER_DESTINATIONS_MAX 8192
#define CHOOSER_PLANS_MAX 512            /* different plans of the cards that are there */
#define CHOOSER_NO_BEARER UINT16_MAX
#define CHOOSER_MIXED 0                  /* the class of what finds no room among the others: each message is looked at alone */

struct chooser;

struct chooser *chooser_new(int64_t boot /* of the monotonic clock; 0 not known */);
void chooser_free(struct chooser *chooser);   /* accepts NULL */

/* What is in force from now on; NULL: no tariffs, no limits, one route to all. Every class is void then, as it is when
 * chooser_stale() says so: all waiting items get a new one. -ENOMEM: it is as it was. */
int chooser_configure(struct chooser *chooser, const struct routing *routing, struct limit_now now);
/* A day has begun on which other prices hold, or classes ran out: forget the classes and give each item a new one. */
bool chooser_stale(const struct chooser *chooser, struct limit_now now);
void chooser_renew(struct chooser *chooser, struct limit_now now);

/* -- bearers --------------------------------------------------------------------------------------------------- */

/* A card is there. use_state: as it was kept, NULL none. -ENOSPC, -ENOMEM. */
int chooser_bearer_open(struct chooser *chooser, enum route_bearer_kind kind, const char *id, uint32_t sim_id, const char *use_state,
                        struct limit_now now, uint16_t *ret_bearer);
void chooser_bearer_close(struct chooser *chooser, uint16_t bearer);
void chooser_recipient(struct chooser *chooser, uint16_t bearer, const struct sim_recipient *recipient);   /* it sent to it before */

/* Its operator said what it has left; from then on it counts down. credit_micro: in the currency of the routing, -1 not
 * said or in none that can be compared; parts: of its bundle, where it has one alone, -1 not said. */
void chooser_bearer_balance(struct chooser *chooser, uint16_t bearer, int64_t credit_micro, int64_t parts, struct limit_now now);
/* An amount of another currency; -1: there is no rate. */
int64_t chooser_convert(const struct chooser *chooser, int64_t micro, const char *currency);

/* See use.h: the clock is right; what is to be kept although nothing was taken (malloc'ed; NULL: nothing). */
void chooser_clock_is_right(struct chooser *chooser, struct limit_now now);
char *chooser_wants_saving(struct chooser *chooser, uint16_t bearer);

/* present: its modem works. idle: it could take a part at once. rests_until_ms: 0, or the network refuses it until then. */
void chooser_bearer_state(struct chooser *chooser, uint16_t bearer, bool present, bool idle, uint64_t rests_until_ms);
/* Another card of its modem is the one in use: changing to it costs as much as this, once for all that then goes by it. 0: it
 * is the one. */
void chooser_bearer_switch(struct chooser *chooser, uint16_t bearer, int64_t switch_micro);
void chooser_bearer_air(struct chooser *chooser, uint16_t bearer, bool roaming, int signal_dbm /* 0 unknown */);

/* -- classes --------------------------------------------------------------------------------------------------- */

uint16_t chooser_classify(struct chooser *chooser, const struct queue_item *item, struct limit_now now);

/* -- the choice ------------------------------------------------------------------------------------------------ */

enum chooser_verdict {
    CHOOSER_MAY,
    CHOOSER_NOT_LISTED, CHOOSER_DENIED, CHOOSER_REFUSED,   /* the route: leaves it out, forbids it, refuses the number */
    CHOOSER_NO_PRICE, CHOOSER_TOO_DEAR,                    /* its plan has no price for the number; above the route's */
    CHOOSER_AWAY,                                          /* in no modem that works */
    CHOOSER_RESTS, CHOOSER_LIMIT,
    CHOOSER_NO_CREDIT,                                     /* its operator said that it has less left */
    CHOOSER_FAILED_BEFORE,                                 /* the last try of this message failed there */
    CHOOSER_VERDICTS
};
const char *chooser_verdict_name(enum chooser_verdict verdict);   /* "may", "limit" ... */

struct chooser_judgement {
    enum chooser_verdict verdict;
    enum limit_kind limit;               /* of CHOOSER_LIMIT */
    uint64_t until_ms;                   /* mono: when to look again; UINT64_MAX: not by time alone */
    uint8_t rank;
    int64_t price_micro;                 /* of the whole message, as it would be charged; -1: no price is known */
    int64_t list_micro;                  /* the same without bundles */
    int64_t shadow_micro;                /* what using it up costs others */
    const struct tariff_row *row;        /* that has the price; NULL: no tariffs */
    const struct tariff_row *bundle;     /* that covers it; NULL none */
    uint32_t bundle_left;
    bool idle;
};

/* What speaks for and against a bearer for this message, limits included. */
struct chooser_judgement chooser_judge(struct chooser *chooser, uint16_t bearer, const struct queue_item *item, struct limit_now now);

/* The best message of the queue for a bearer that could take one, without taking it. False: none; *ret_retry_ms says when
 * to ask again (UINT64_MAX: when something changes). */
bool chooser_pick(struct chooser *chooser, uint16_t bearer, const struct queue *queue, struct limit_now now,
                  struct queue_item *ret_item, uint64_t *ret_retry_ms);

/* What handing a part over has used: kept by the caller until its outcome is known. */
struct chooser_taken {
    bool taken;
    uint32_t turn;                       /* of the bearer: another card's use is not touched */
    uint32_t version;                    /* of the tariffs: another one's bundles are not touched */
    int64_t price_micro;                 /* of this part; -1 not known */
    uint8_t bundle;                      /* 1 + its index in the plan; 0 none */
    struct use_taken use;
};
/* The part item->part_next is about to be handed over: it is counted. What is to be kept with its intent goes to
 * ret_use_state (malloc'ed), the record of the choice to ret_record (JSON, malloc'ed, NULL where there is nothing to say).
 * -ENOMEM: nothing is counted. */
int chooser_take(struct chooser *chooser, uint16_t bearer, const struct queue_item *item, uint32_t random, struct limit_now now,
                 struct chooser_taken *ret_taken, char **ret_use_state, char **ret_record);
/* It was not handed over after all; or the network refused it, and so charged nothing. */
void chooser_give_back(struct chooser *chooser, uint16_t bearer, struct chooser_taken *taken, enum use_back why, struct limit_now now);
/* How a part ended. */
void chooser_result(struct chooser *chooser, uint16_t bearer, bool failed, struct limit_now now);
/* So long a part was on the air: more than that fits into no patience. */
void chooser_pace(struct chooser *chooser, uint16_t bearer, uint32_t part_ms);

/* -- views ----------------------------------------------------------------------------------------------------- */

struct chooser_bearer_view {
    enum route_bearer_kind kind;
    const char *id, *name, *tariff;
    const char *const *tags; size_t tag_count;
    uint32_t sim_id;
    bool present, idle, roaming;
    int signal_dbm;
    const struct limit_rules *rules;
    struct use *use;
    const struct tariff_plan *plan;      /* NULL none */
    int64_t credit_micro;                /* what its operator said, less what was sent since; -1 not known */
};
uint32_t chooser_bearer_count(const struct chooser *chooser);   /* indexes are below it; some may be closed */
bool chooser_bearer_view(const struct chooser *chooser, uint16_t bearer, struct chooser_bearer_view *ret_view);   /* false: closed */

/* The route of a number. */
const struct route *chooser_route(const struct chooser *chooser, const struct queue_item *item);
/* Which bearer would take it now (or, patience allowing, later); CHOOSER_NO_BEARER: none can. */
uint16_t chooser_best(struct chooser *chooser, const struct queue_item *item, struct limit_now now, struct chooser_judgement *ret_judgement);
/* Its patience as the route or the configuration has it, where the message did not say. */
uint32_t chooser_patience_s(const struct chooser *chooser, const struct queue_item *item);

#endif
