/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser_judge.c - what one bearer would charge for one message, whether it may take it, and who comes first. */
#include "src/choice/chooser_internal.h"

#include <string.h>

/* The conversation's own card goes before all others, whatever it costs. */
static uint8_t rank_for(struct chooser *chooser, const struct chooser_destination *destination, uint32_t sticky_sim_id, uint16_t index)
{
    uint8_t rank = chooser_rank(chooser, destination->route, index);

    if (rank > RANK_MAX || sticky_sim_id == 0)
        return rank;
    return chooser->bearers[index].sim_id == sticky_sim_id ? 0 : rank < RANK_MAX ? rank + 1 : rank;
}

static int64_t price_for(const struct chooser_price *price, unsigned parts)
{
    return price->first_micro + (int64_t)(parts - 1) * price->next_micro;
}

static bool has_room(const struct chooser_bearer *bearer, uint8_t bundle, unsigned parts, bool tomorrow)
{
    if (tomorrow && bearer->bundle_tomorrow[bundle] != BUNDLE_GOES_ON)
        return bearer->bundle_tomorrow[bundle] == BUNDLE_ANEW;
    return bearer->bundle_left[bundle] >= parts;
}

/* The first bundle that covers such numbers and has room for all parts: one message is not split over two. 0: none. */
static uint8_t bundle_for(const struct chooser_bearer *bearer, const struct chooser_price *price, unsigned parts, bool tomorrow)
{
    for (uint8_t i = 0; i < price->bundle_count; i++)
        if (has_room(bearer, price->bundles[i], parts, tomorrow))
            return price->bundles[i] + 1;
    return 0;
}

/* What using it up costs others. A network takes from a bundle while it has parts, wanted or not; the plan that made the
 * prices may do otherwise and pay for a cheap class by this very card. So that it is used as planned, what a bundle is worth beyond
 * the price that it saves counts half (measured: all or nothing of it cost 0.1 to 0.4 % more). */
static int64_t shadow_for(const struct chooser_bearer *bearer, const struct chooser_price *price, uint8_t bundle, unsigned parts, bool tomorrow)
{
    int64_t micro = (tomorrow ? bearer->tomorrow_micro : bearer->shadow_micro + bearer->share_micro) * (int64_t)parts, bundle_micro;

    if (bundle == 0)
        return micro;
    bundle_micro = (tomorrow ? bearer->bundle_tomorrow_micro : bearer->bundle_shadow_micro)[bundle - 1] * (int64_t)parts;
    if (price->row != NULL && bundle_micro > price_for(price, parts))
        bundle_micro = price_for(price, parts) + (bundle_micro - price_for(price, parts)) / 2;
    return micro + bundle_micro;
}

enum offer_kind { OFFER_NOW, OFFER_PAID, OFFER_TOMORROW };

static struct chooser_offer offer_of(struct chooser *chooser, const struct chooser_destination *destination, uint32_t sticky_sim_id, uint16_t index,
                                     unsigned parts, uint32_t batch, enum offer_kind kind)
{
    bool tomorrow = kind == OFFER_TOMORROW;
    const struct chooser_bearer *bearer = &chooser->bearers[index];
    struct chooser_offer offer = { .rank = rank_for(chooser, destination, sticky_sim_id, index) };
    const struct chooser_price *price;

    if (offer.rank > RANK_MAX || destination->refused)
        return offer;
    offer.micro = batch > 1 ? bearer->switch_micro / batch : bearer->switch_micro;
    if (chooser->routing == NULL || chooser->routing->tariffs == NULL) {
        offer.ok = true;
        return offer;
    }
    price = bearer->plan != NO_PLAN ? chooser_price(destination, bearer->plan) : NULL;
    if (price == NULL || (price->row == NULL && price->bundle_count == 0))
        return offer;
    offer.bundle = kind == OFFER_PAID ? 0 : bundle_for(bearer, price, parts, tomorrow);
    if (offer.bundle == 0 && price->row == NULL)
        return offer;                    /* its bundle is used up, and its plan has no price beyond */
    offer.charged_micro = offer.bundle != 0 ? 0 : price_for(price, parts);
    if (!tomorrow && offer.charged_micro > bearer->spend_left_micro)
        return offer;
    if (destination->max_price_micro != ROUTE_PRICE_UNBOUND && offer.charged_micro > destination->max_price_micro * (int64_t)parts)
        return offer;
    offer.micro += offer.charged_micro + shadow_for(bearer, price, offer.bundle, parts, tomorrow);
    offer.ok = true;
    return offer;
}

struct chooser_offer chooser_offer(struct chooser *chooser, const struct chooser_destination *destination, uint32_t sticky_sim_id,
                                   uint16_t index, unsigned parts, uint32_t batch)
{
    return offer_of(chooser, destination, sticky_sim_id, index, parts, batch, OFFER_NOW);
}

struct chooser_offer chooser_offer_paid(struct chooser *chooser, const struct chooser_destination *destination, uint32_t sticky_sim_id,
                                        uint16_t index, unsigned parts, uint32_t batch)
{
    return offer_of(chooser, destination, sticky_sim_id, index, parts, batch, OFFER_PAID);
}

struct chooser_offer chooser_offer_tomorrow(struct chooser *chooser, const struct chooser_destination *destination, uint32_t sticky_sim_id,
                                            uint16_t index, unsigned parts, uint32_t batch)
{
    return offer_of(chooser, destination, sticky_sim_id, index, parts, batch, OFFER_TOMORROW);
}

bool chooser_before(const struct chooser *chooser, uint16_t a, const struct chooser_offer *offer_a, uint16_t b, const struct chooser_offer *offer_b)
{
    const struct chooser_bearer *bearer_a = &chooser->bearers[a], *bearer_b = &chooser->bearers[b];

    if (offer_a->rank != offer_b->rank)
        return offer_a->rank < offer_b->rank;
    if (offer_a->micro != offer_b->micro)
        return offer_a->micro < offer_b->micro;
    if (bearer_a->health != bearer_b->health)
        return bearer_a->health < bearer_b->health;
    if (bearer_a->last_take != bearer_b->last_take)
        return bearer_a->last_take < bearer_b->last_take;
    return a < b;
}

/* -- one bearer, one message, all that is known ---------------------------------------------------------------- */

static void judge_price(struct chooser *chooser, const struct chooser_destination *destination, uint16_t index, unsigned parts,
                        struct chooser_judgement *judgement)
{
    const struct chooser_bearer *bearer = &chooser->bearers[index];
    const struct chooser_price *price;
    uint8_t bundle;

    judgement->price_micro = judgement->list_micro = -1;
    if (chooser->routing == NULL || chooser->routing->tariffs == NULL)
        return;
    price = bearer->plan != NO_PLAN ? chooser_price(destination, bearer->plan) : NULL;
    if (price == NULL || (price->row == NULL && price->bundle_count == 0)) {
        judgement->verdict = CHOOSER_NO_PRICE;
        return;
    }
    bundle = bundle_for(bearer, price, parts, false);
    judgement->row = price->row;
    if (price->row != NULL)
        judgement->list_micro = judgement->price_micro = price_for(price, parts);
    if (bundle != 0) {
        judgement->bundle = chooser->plans[bearer->plan].bundles[bundle - 1];
        judgement->bundle_left = bearer->bundle_left[bundle - 1];
        judgement->price_micro = 0;
    }
    if (bearer->credit_micro >= 0 && judgement->price_micro > bearer->credit_micro)
        judgement->verdict = CHOOSER_NO_CREDIT;
    judgement->shadow_micro = shadow_for(bearer, price, bundle, parts, false);
    if (judgement->price_micro < 0)
        judgement->verdict = CHOOSER_NO_PRICE;
    else if (destination->max_price_micro != ROUTE_PRICE_UNBOUND && judgement->price_micro > destination->max_price_micro * (int64_t)parts)
        judgement->verdict = CHOOSER_TOO_DEAR;
}

/* Whether a calendar limit has room for all parts; its minutes and hours may not have, which only takes longer. */
static enum limit_kind no_room(const struct limit_rules *rules, struct use *use, unsigned parts, struct limit_now now, int64_t *ret_resets_ms)
{
    static const enum limit_kind kinds[] = { LIMIT_DAY, LIMIT_MONTH };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct limit_view view = limit_view(rules, use, kinds[i], now);

        *ret_resets_ms = view.resets_at_ms;
        if (view.limit != 0 && view.used + parts > view.limit)
            return kinds[i];
    }
    return LIMIT_NONE;
}

static void judge_limits(struct chooser *chooser, uint16_t index, const struct queue_item *item, unsigned parts, struct limit_now now,
                         struct chooser_judgement *judgement)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];
    const struct limit_rules *rules = &bearer->conf->limits;
    int64_t cost_micro = judgement->price_micro > 0 ? judgement->price_micro : 0, resets_ms;
    struct limit_answer answer = limit_check(rules, bearer->use, item->to_key, parts, cost_micro, bearer->roaming, now);

    if (answer.never && (answer.kind == LIMIT_MINUTE || answer.kind == LIMIT_HOUR)) {
        enum limit_kind kind = no_room(rules, bearer->use, parts, now, &resets_ms);

        answer = limit_check(rules, bearer->use, item->to_key, 1, cost_micro, bearer->roaming, now);
        if (answer.kind == LIMIT_NONE && kind != LIMIT_NONE)
            answer = (struct limit_answer){ .kind = kind, .never = parts > (kind == LIMIT_DAY ? rules->per_day : rules->per_month),
                                            .ask_mono_ms = now.mono_ms + (uint64_t)(resets_ms > now.wall_ms ? resets_ms - now.wall_ms : LIMITS_LOOK_MS) };
    }
    if (answer.kind == LIMIT_NONE)
        return;
    judgement->verdict = CHOOSER_LIMIT;
    judgement->limit = answer.kind;
    judgement->until_ms = answer.never ? UINT64_MAX : answer.ask_mono_ms;
}

struct chooser_judgement chooser_judge(struct chooser *chooser, uint16_t index, const struct queue_item *item, struct limit_now now)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];
    struct chooser_judgement judgement = { .verdict = CHOOSER_MAY, .until_ms = UINT64_MAX, .price_micro = -1, .list_micro = -1, .idle = bearer->idle };
    const struct chooser_destination *destination = chooser_destination(chooser, item);
    unsigned parts = item->parts > item->part_next ? item->parts - item->part_next : 1;

    if (destination == NULL) {
        judgement.verdict = CHOOSER_AWAY;   /* no memory to look: it waits */
        return judgement;
    }
    chooser_look(chooser, bearer, now);
    judgement.rank = rank_for(chooser, destination, item->sticky_sim_id, index);
    if (destination->refused)
        judgement.verdict = CHOOSER_REFUSED;
    else if (judgement.rank == RANK_DENIED)
        judgement.verdict = CHOOSER_DENIED;
    else if (judgement.rank == RANK_NOT_LISTED)
        judgement.verdict = CHOOSER_NOT_LISTED;
    else
        judge_price(chooser, destination, index, parts, &judgement);
    if (judgement.verdict != CHOOSER_MAY)
        return judgement;
    if (!bearer->present) {
        judgement.verdict = CHOOSER_AWAY;
    } else if (bearer->rests_until_ms > now.mono_ms) {
        judgement.verdict = CHOOSER_RESTS;
        judgement.until_ms = bearer->rests_until_ms;
    } else {
        judge_limits(chooser, index, item, parts, now, &judgement);
    }
    return judgement;
}

/* Whether limits, as of the last look, let it begin now; the message itself may still be too much for them. */
static bool is_able(const struct chooser_bearer *bearer, struct limit_now now)
{
    return bearer->present && bearer->rests_until_ms <= now.mono_ms &&
           (bearer->able_ms <= now.mono_ms || bearer->limit == LIMIT_RECIPIENTS_DAY || bearer->limit == LIMIT_RECIPIENTS_MONTH);
}

#define BEST_TRIES 8

/* The best offer is looked at closely, and if a limit speaks against it the next best one. */
uint16_t chooser_best(struct chooser *chooser, const struct queue_item *item, struct limit_now now, struct chooser_judgement *ret_judgement)
{
    const struct chooser_destination *destination = chooser_destination(chooser, item);
    unsigned parts = item->parts > item->part_next ? item->parts - item->part_next : 1;
    uint16_t tried[BEST_TRIES];

    for (unsigned tries = 0; destination != NULL && tries < BEST_TRIES; tries++) {
        struct chooser_offer best_offer = { 0 };
        uint16_t best = CHOOSER_NO_BEARER;

        for (uint16_t i = 0; i < chooser->bearer_count; i++) {
            struct chooser_bearer *bearer = &chooser->bearers[i];
            struct chooser_offer offer;
            bool again = false;

            if (!bearer->open)
                continue;
            for (unsigned k = 0; k < tries; k++)
                again = again || tried[k] == i;
            chooser_look(chooser, bearer, now);
            if (again || !is_able(bearer, now))
                continue;
            offer = chooser_offer(chooser, destination, item->sticky_sim_id, i, parts, 1);
            if (!offer.ok || (best != CHOOSER_NO_BEARER && !chooser_before(chooser, i, &offer, best, &best_offer)))
                continue;
            best = i;
            best_offer = offer;
        }
        if (best == CHOOSER_NO_BEARER)
            break;
        *ret_judgement = chooser_judge(chooser, best, item, now);
        if (ret_judgement->verdict == CHOOSER_MAY)
            return best;
        tried[tries] = best;
    }
    return CHOOSER_NO_BEARER;
}
