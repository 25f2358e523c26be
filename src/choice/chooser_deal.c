/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser_deal.c - who takes how much of what waits, where the cheap bearers cannot take all of it in time.
 *
 * That a cheaper bearer could take a message before its patience ends does not say that it will get to it: others wait for
 * that bearer, too. So what waits is dealt out, by class and by when its patience ends: first to the class that loses most if it
 * does not get its cheapest bearer, for as long as bearers have room until then (their pace, and what limits leave), else to
 * the next cheapest; what nobody can take in time goes to whoever is done first.
 *
 * Bearers that ask the same for everything are one group with the room of all. A deal holds for DEAL_MS, and is made anew
 * sooner where something changed and a bearer would idle; what came since goes by the rule of chooser_pick.c.
 * Bounds: DEAL_LINES_MAX classes with most messages, DEAL_GROUPS_MAX groups, DEAL_WORK comparisons. */
#include "src/choice/chooser_internal.h"

#include <stdlib.h>
#include <string.h>

#define DEAL_MS 5000
#define DEAL_WORK 400000                 /* prices looked at, some 3 ns each */
#define DEAL_TURNS 256.0f                /* some, at most as exact as that is of use */
#define BUCKETS 18
#define COLUMNS (2 * DEAL_GROUPS_MAX)    /* groups today, and the same tomorrow */
#define NONE UINT16_MAX
#define HAND_PARTS 64.0f                 /* dealt at once, so that equals share */
#define PACE_MS 4000                     /* of a part by a bearer that has sent none yet */
#define RANK_MICRO (INT64_C(1) << 52)    /* a route's order goes before any price */
#define QUEUE_MICRO 5.0f                 /* dearer by this for each part that it was dealt, */
#define QUEUE_PARTS 400.0f               /* up to so many: of equals none idles while another has much to do */

/* When patience ends, from now. Bucket i is before bucket_s[i]; 0: it has ended. */
static const uint32_t bucket_s[BUCKETS] = { 0, 15, 30, 60, 120, 240, 450, 900, 1800, 3600, 5400, 7200, 10800, 14400, 28800, 57600, 115200, 345600 };

struct line {
    uint16_t class_id;
    uint32_t count;
    float want[BUCKETS];                 /* parts that are not dealt yet */
    unsigned bucket;                     /* the first that is not done */
    uint16_t best, next; int64_t more;   /* the cheapest groups with room, and how much dearer the second is */
    bool known;
};

struct group {
    uint64_t hash;
    uint16_t bearer;                     /* one of them */
    float room[BUCKETS], room_from[BUCKETS];   /* parts that it can still take until then; the least of it from there on */
    float load_ms, rate;                 /* until it is done with what it was dealt; parts in a millisecond */
    float queue;
    double spend_left_micro;             /* what may be charged */
    float bundle_left[PLAN_BUNDLES_MAX];
};

/* What a group asks a line for a part. */
struct price {
    int64_t cost_micro;                  /* with shadows and its rank; INT64_MAX: it may not */
    int64_t charged_micro;
    uint8_t bundle;                      /* 1 + index, 0 none: where that has parts left, it goes by it; else for: */
    int64_t paid_cost_micro, paid_micro;
};

struct chooser_deal {
    uint32_t number;                     /* of the deal: classes say which one they are part of */
    uint64_t made_ms, epoch; uint32_t queue_count;
    struct line lines[DEAL_LINES_MAX]; uint16_t line_count;
    struct group groups[COLUMNS]; uint16_t group_count;
    uint16_t group_of[CHOOSER_BEARERS_MAX];
    struct price prices[DEAL_LINES_MAX][COLUMNS];
    float given[DEAL_LINES_MAX][COLUMNS], left[DEAL_LINES_MAX];
};

void chooser_deal_done(struct chooser *chooser)
{
    free(chooser->deal);
    chooser->deal = NULL;
}

/* -- what waits ------------------------------------------------------------------------------------------------ */

static void line_fill(const struct chooser *chooser, const struct queue *queue, struct line *line, struct limit_now now)
{
    const struct chooser_class *class = &chooser->classes[line->class_id];
    float parts = class->parts != 0 ? (float)class->parts : chooser->parts_mean;
    int64_t now_s = now.wall_ms / 1000;

    memset(line->want, 0, sizeof line->want);
    for (unsigned priority = 0; priority <= MESSAGE_PRIORITY_MAX; priority++) {
        uint32_t before = 0, count = queue->classes[line->class_id]->lanes[priority].count;

        for (unsigned k = 0; k < BUCKETS && before < count; k++) {
            uint32_t until = k + 1 < BUCKETS ? queue_due_before(queue, line->class_id, (uint8_t)priority, now_s + bucket_s[k] + (k == 0)) : count;

            if (until > before)
                line->want[k] += (float)(until - before) * parts;
            before = until > before ? until : before;
        }
    }
}

/* The classes with most messages. Where none has any patience there is nothing to deal. */
static void lines_find(struct chooser *chooser, struct chooser_deal *deal, const struct queue *queue, struct limit_now now)
{
    bool patient = false;

    deal->line_count = 0;
    for (uint32_t i = 0; i < queue->active_count; i++) {
        uint16_t class_id = queue->active[i], at = deal->line_count;

        if (class_id == CHOOSER_MIXED || class_id >= chooser->class_count)
            continue;
        patient = patient || chooser->classes[class_id].patience_s > 0;
        if (at == DEAL_LINES_MAX) {
            at = 0;
            for (uint16_t k = 1; k < DEAL_LINES_MAX; k++)
                at = deal->lines[k].count < deal->lines[at].count ? k : at;
            if (deal->lines[at].count >= queue->classes[class_id]->count)
                continue;
        } else {
            deal->line_count++;
        }
        deal->lines[at] = (struct line){ .class_id = class_id, .count = queue->classes[class_id]->count };
    }
    if (!patient)
        deal->line_count = 0;
    for (uint16_t i = 0; i < deal->line_count; i++) {
        struct chooser_class *class = &chooser->classes[deal->lines[i].class_id];

        class->deal = deal->number;
        class->line = i;
        line_fill(chooser, queue, &deal->lines[i], now);
    }
}

/* -- who is there ---------------------------------------------------------------------------------------------- */

static uint64_t bearer_hash(struct chooser *chooser, const struct chooser_deal *deal, uint16_t index)
{
    const struct chooser_bearer *bearer = &chooser->bearers[index];
    uint8_t bundles = bearer->plan != NO_PLAN ? chooser->plans[bearer->plan].bundle_count : 0;
    uint64_t hash = chooser_mix(chooser_mix(UINT64_C(0xCBF29CE484222325), bearer->plan), (uint64_t)(bearer->shadow_micro + bearer->share_micro));

    hash = chooser_mix(chooser_mix(hash, (uint64_t)bearer->switch_micro), (uint64_t)bearer->tomorrow_micro);
    for (uint8_t i = 0; i < bundles; i++)
        hash = chooser_mix(chooser_mix(chooser_mix(hash, bearer->bundle_left[i] > 0), (uint64_t)bearer->bundle_shadow_micro[i]),
                           (uint64_t)bearer->bundle_tomorrow_micro[i] * 3 + bearer->bundle_tomorrow[i]);
    for (uint16_t i = 0; i < deal->line_count; i++) {
        const struct chooser_class *class = &chooser->classes[deal->lines[i].class_id];

        hash = chooser_mix(hash, chooser_rank(chooser, chooser->destinations[class->destination]->route, index));
        hash = chooser_mix(hash, class->sticky_sim_id != 0 && class->sticky_sim_id == bearer->sim_id);
    }
    return hash;
}

float chooser_pace_ms(const struct chooser_bearer *bearer)
{
    const struct limit_rules *rules = &bearer->conf->limits;
    float pace_ms = bearer->pace_ms > 0 ? bearer->pace_ms : PACE_MS;

    if (rules->per_minute != 0 && pace_ms < 60000.0f / (float)rules->per_minute)
        pace_ms = 60000.0f / (float)rules->per_minute;
    if (rules->per_hour != 0 && pace_ms < 3600000.0f / (float)rules->per_hour)
        pace_ms = 3600000.0f / (float)rules->per_hour;
    return pace_ms > 1 ? pace_ms : 1;
}

#define UNLIMITED 1e12f

static float left_of(struct limit_view view)
{
    return view.limit == 0 ? UNLIMITED : view.used < view.limit ? (float)(view.limit - view.used) : 0;
}

static float least(float a, float b)
{
    return a < b ? a : b;
}

/* Parts that a limit of minutes or hours lets through in that time: what is left of it at once, the rest as time goes by. */
static float through(struct limit_view view, float window_ms, float ms)
{
    return view.limit == 0 ? UNLIMITED : left_of(view) + (float)view.limit * ms / window_ms;
}

static void room_add(struct group *today, struct group *tomorrow, const struct chooser_bearer *bearer, uint8_t bundles, struct limit_now now)
{
    const struct limit_rules *rules = &bearer->conf->limits;
    struct limit_view day = limit_view(rules, bearer->use, LIMIT_DAY, now), month = limit_view(rules, bearer->use, LIMIT_MONTH, now);
    struct limit_view minute = limit_view(rules, bearer->use, LIMIT_MINUTE, now), hour = limit_view(rules, bearer->use, LIMIT_HOUR, now);
    float midnight_ms = (float)(zone_period(rules->zone, ZONE_DAY, 0, now.wall_ms).next_ms - now.wall_ms);
    uint64_t free_ms = bearer->able_ms > bearer->rests_until_ms ? bearer->able_ms : bearer->rests_until_ms;
    float wait_ms = free_ms > now.mono_ms ? (float)(free_ms - now.mono_ms) : 0, pace_ms = chooser_pace_ms(bearer);
    float air_ms = (bearer->pace_ms > 0 ? bearer->pace_ms : PACE_MS) + (float)rules->gap_ms;
    float left = least(left_of(day), left_of(month)), limit = least(rules->per_day != 0 ? (float)rules->per_day : UNLIMITED, left_of(month));

    if (!bearer->idle && wait_ms < pace_ms / 2)
        wait_ms = pace_ms / 2;           /* it is in the middle of a part */
    for (unsigned k = 0; k < BUCKETS; k++) {
        /* The middle of the bucket: what is due before that is in a nearer one soon. */
        float due_ms = k == 0 ? 0 : (float)(bucket_s[k - 1] + bucket_s[k]) * 500.0f, today_ms = least(due_ms, midnight_ms);
        /* What begins in time may end later. */
        float begins = today_ms < wait_ms ? 0 : least((today_ms - wait_ms) / air_ms + 1, least(through(minute, 60000.0f, today_ms), through(hour, 3600000.0f, today_ms)));

        today->room[k] += least(begins, left);
        tomorrow->room[k] += due_ms > midnight_ms ? least((due_ms - midnight_ms) / pace_ms, limit) : 0;
    }
    for (uint8_t i = 0; i < bundles; i++)
        today->bundle_left[i] += (float)bearer->bundle_left[i];
    today->spend_left_micro += bearer->spend_left_micro == INT64_MAX ? 1e18 : (double)bearer->spend_left_micro;
    tomorrow->spend_left_micro = 1e18;
    today->load_ms += wait_ms;
    today->rate += 1 / pace_ms;
    tomorrow->load_ms = midnight_ms;
    tomorrow->rate += 1 / pace_ms;
}

static void least_room(struct group *group, unsigned from)
{
    for (unsigned k = from + 1; k-- > 0;)
        group->room_from[k] = k + 1 < BUCKETS && group->room_from[k + 1] < group->room[k] ? group->room_from[k + 1] : group->room[k];
}

static int64_t cost_of(const struct chooser_offer *offer, unsigned parts)
{
    return offer->ok ? offer->micro / (int64_t)parts + offer->rank * RANK_MICRO : INT64_MAX;
}

static void price_fill(struct chooser *chooser, struct chooser_deal *deal, uint16_t index, uint16_t g)
{
    const struct chooser_class *class = &chooser->classes[deal->lines[index].class_id];
    const struct chooser_destination *destination = chooser->destinations[class->destination];
    struct price *today = &deal->prices[index][g], *tomorrow = &deal->prices[index][DEAL_GROUPS_MAX + g];
    uint16_t bearer = deal->groups[g].bearer;
    unsigned parts = class->parts != 0 ? class->parts : 1;
    struct chooser_offer offer = chooser_offer(chooser, destination, class->sticky_sim_id, bearer, parts, deal->lines[index].count), paid = offer;
    struct chooser_offer later = chooser_offer_tomorrow(chooser, destination, class->sticky_sim_id, bearer, parts, deal->lines[index].count);

    if (offer.bundle != 0)
        paid = chooser_offer_paid(chooser, destination, class->sticky_sim_id, bearer, parts, deal->lines[index].count);
    *today = (struct price){ cost_of(&offer, parts), offer.charged_micro / (int64_t)parts, offer.bundle, cost_of(&paid, parts), paid.charged_micro / (int64_t)parts };
    *tomorrow = (struct price){ .cost_micro = cost_of(&later, parts) };
}

static void groups_find(struct chooser *chooser, struct chooser_deal *deal, struct limit_now now)
{
    deal->group_count = 0;
    for (uint16_t i = 0; i < chooser->bearer_count; i++) {
        struct chooser_bearer *bearer = &chooser->bearers[i];
        uint64_t hash;
        uint16_t g = 0;

        deal->group_of[i] = NONE;
        if (!bearer->open || !bearer->present)
            continue;
        chooser_look(chooser, bearer, now);
        if (bearer->able_ms == UINT64_MAX)
            continue;                    /* by no time that is known */
        hash = bearer_hash(chooser, deal, i);
        while (g < deal->group_count && deal->groups[g].hash != hash)
            g++;
        if (g == DEAL_GROUPS_MAX)
            continue;
        if (g == deal->group_count)
            deal->groups[deal->group_count++] = deal->groups[DEAL_GROUPS_MAX + g] = (struct group){ .hash = hash, .bearer = i };
        deal->group_of[i] = g;
        room_add(&deal->groups[g], &deal->groups[DEAL_GROUPS_MAX + g], bearer,
                 bearer->plan != NO_PLAN ? chooser->plans[bearer->plan].bundle_count : 0, now);
    }
    for (uint16_t g = 0; g < deal->group_count; g++) {
        least_room(&deal->groups[g], BUCKETS - 1);
        least_room(&deal->groups[DEAL_GROUPS_MAX + g], BUCKETS - 1);
    }
    for (uint16_t i = 0; i < deal->line_count; i++)
        for (uint16_t g = 0; g < deal->group_count; g++)
            price_fill(chooser, deal, i, g);
}

/* -- dealing --------------------------------------------------------------------------------------------------- */

/* What it asks as far as it was dealt out: the bundle may have no parts left, and the spend cap neither. ret_parts: it asks it for
 * so many. */
static int64_t asks(const struct chooser_deal *deal, uint16_t index, uint16_t g, float *ret_parts)
{
    const struct price *price = &deal->prices[index][g];
    const struct group *group = &deal->groups[g];
    bool bundle = price->bundle != 0 && group->bundle_left[price->bundle - 1] >= 1;
    int64_t charged_micro = price->bundle != 0 && !bundle ? price->paid_micro : price->charged_micro;

    *ret_parts = bundle ? group->bundle_left[price->bundle - 1] : UNLIMITED;
    if (charged_micro > 0) {
        if (group->spend_left_micro < (double)charged_micro)
            return INT64_MAX;
        *ret_parts = least(*ret_parts, (float)(group->spend_left_micro / (double)charged_micro));
    }
    return price->bundle != 0 && !bundle ? price->paid_cost_micro : price->cost_micro;
}

static void cheapest(struct chooser_deal *deal, uint16_t index)
{
    struct line *line = &deal->lines[index];
    int64_t lowest = INT64_MAX, next = INT64_MAX;

    line->best = line->next = NONE;
    for (uint16_t column = 0; column < 2 * deal->group_count; column++) {
        uint16_t g = column < deal->group_count ? column : DEAL_GROUPS_MAX + column - deal->group_count;
        const struct group *group = &deal->groups[g];
        float parts;
        int64_t cost = asks(deal, index, g, &parts);

        if (cost >= next || group->room_from[line->bucket] < 1)
            continue;
        cost += (int64_t)(least(group->queue, QUEUE_PARTS) * QUEUE_MICRO);
        if (cost < lowest) {
            next = lowest;
            lowest = cost;
            line->next = line->best;
            line->best = g;
        } else if (cost < next) {
            next = cost;
            line->next = g;
        }
    }
    line->more = next == INT64_MAX ? INT64_MAX : next - lowest;
    line->known = true;
}

static void hand(struct chooser_deal *deal, uint16_t index, uint16_t g, float parts)
{
    struct line *line = &deal->lines[index];
    struct group *group = &deal->groups[g];

    const struct price *price = &deal->prices[index][g];
    bool bundle = price->bundle != 0 && group->bundle_left[price->bundle - 1] >= 1;

    if (bundle)
        group->bundle_left[price->bundle - 1] -= parts;
    group->spend_left_micro -= (double)parts * (double)(price->bundle != 0 && !bundle ? price->paid_micro : price->charged_micro);
    deal->given[index][g] += parts;
    deal->left[index] += parts;
    line->want[line->bucket] -= parts;
    group->load_ms += parts / group->rate;
    group->queue += parts;
    for (unsigned k = line->bucket; k < BUCKETS; k++)
        group->room[k] -= parts;
    least_room(group, BUCKETS - 1);
    for (uint16_t i = 0; i < deal->line_count; i++)   /* for the others it only became dearer */
        if (deal->lines[i].best == g || deal->lines[i].next == g)
            deal->lines[i].known = false;
}

/* Nobody can do it in time: whoever is done first, of those that may send it at all and have anything left. */
static uint16_t soonest(const struct chooser_deal *deal, uint16_t index)
{
    uint16_t best = NONE;
    float parts;

    for (uint16_t g = 0; g < deal->group_count; g++)
        if (asks(deal, index, g, &parts) != INT64_MAX && deal->groups[g].room[BUCKETS - 1] >= 1 &&
            (best == NONE || deal->groups[g].load_ms < deal->groups[best].load_ms))
            best = g;
    return best;
}

/* The class that loses most without its cheapest group; NONE: all is dealt. */
static uint16_t next_line(struct chooser_deal *deal)
{
    uint16_t next = NONE;

    for (uint16_t i = 0; i < deal->line_count; i++) {
        struct line *line = &deal->lines[i];

        while (line->bucket < BUCKETS && line->want[line->bucket] < 0.01f) {
            line->bucket++;
            line->known = false;
        }
        if (line->bucket == BUCKETS)
            continue;
        if (!line->known)
            cheapest(deal, i);
        if (next == NONE || line->more > deal->lines[next].more)
            next = i;
    }
    return next;
}

static void deal_out(struct chooser_deal *deal)
{
    float all = 0, at_once = HAND_PARTS;
    uint16_t index;

    for (uint16_t i = 0; i < deal->line_count; i++)
        for (unsigned k = 0; k < BUCKETS; k++)
            all += deal->lines[i].want[k];
    if (deal->line_count > 0 && deal->group_count > 0) {
        float turns = least((float)DEAL_WORK / ((float)deal->line_count * (float)deal->group_count), DEAL_TURNS);

        at_once = all / turns > at_once ? all / turns : at_once;
    }
    while ((index = next_line(deal)) != NONE) {
        struct line *line = &deal->lines[index];
        float parts = least(line->want[line->bucket], at_once);
        uint16_t g = line->best;
        float at_this_price;

        if (g != NONE)
            parts = least(parts, deal->groups[g].room_from[line->bucket]);
        else
            g = soonest(deal, index);
        if (g == NONE) {
            line->want[line->bucket] = 0;   /* for a day on which somebody may */
            continue;
        }
        (void)asks(deal, index, g, &at_this_price);
        hand(deal, index, g, least(parts, at_this_price > 1 ? at_this_price : 1));
    }
}

static void deal_make(struct chooser *chooser, const struct queue *queue, struct limit_now now)
{
    struct chooser_deal *deal = chooser->deal;

    deal->number++;
    deal->made_ms = now.mono_ms;
    deal->epoch = chooser->epoch;
    deal->queue_count = queue->count;
    lines_find(chooser, deal, queue, now);
    memset(deal->given, 0, deal->line_count * sizeof *deal->given);
    memset(deal->left, 0, sizeof deal->left);
    groups_find(chooser, deal, now);
    deal_out(deal);
}

bool chooser_deal_look(struct chooser *chooser, const struct queue *queue, bool idles, struct limit_now now)
{
    struct chooser_deal *deal = chooser->deal;
    uint64_t age_ms;

    if (chooser->routing == NULL || chooser->routing->tariffs == NULL)
        return false;                    /* all ask the same */
    if (deal == NULL) {
        chooser->deal = deal = calloc(1, sizeof *deal);
        if (deal == NULL)
            return false;                /* by the simpler rule */
        deal_make(chooser, queue, now);
        return true;
    }
    age_ms = now.mono_ms - deal->made_ms;
    if (age_ms < DEAL_AGAIN_MS || (age_ms < DEAL_MS && (!idles || (deal->epoch == chooser->epoch && deal->queue_count == queue->count))))
        return false;
    deal_make(chooser, queue, now);
    return true;
}

/* -- what was dealt -------------------------------------------------------------------------------------------- */

enum chooser_dealt chooser_dealt(const struct chooser *chooser, const struct chooser_class *class, uint16_t bearer, const struct chooser_offer *offer,
                                 unsigned parts)
{
    const struct chooser_deal *deal = chooser->deal;
    const struct price *price;
    uint16_t g;

    if (deal == NULL || class == NULL || class->deal != deal->number || class->line >= deal->line_count || deal->left[class->line] < 0.5f)
        return DEALT_NOT;
    g = deal->group_of[bearer];
    if (g == NONE || deal->given[class->line][g] < 0.5f)
        return DEALT_ELSEWHERE;
    /* Some parts may have been dealt at the lower price, and others at the higher one. */
    price = &deal->prices[class->line][g];
    if (price->bundle != 0 && offer->bundle == 0 && deal->groups[g].bundle_left[price->bundle - 1] >= 1)
        return DEALT_NOT;
    return offer->rank * RANK_MICRO + offer->micro / (int64_t)parts - (int64_t)(QUEUE_PARTS * QUEUE_MICRO) >
                   (price->bundle != 0 ? price->paid_cost_micro : price->cost_micro)
               ? DEALT_NOT : DEALT_HERE;
}

void chooser_deal_taken(struct chooser *chooser, const struct chooser_class *class, uint16_t bearer, unsigned parts)
{
    struct chooser_deal *deal = chooser->deal;
    uint16_t g;

    if (deal == NULL || class->deal != deal->number || class->line >= deal->line_count)
        return;
    g = deal->group_of[bearer];
    deal->left[class->line] -= (float)parts;
    if (g != NONE)
        deal->given[class->line][g] -= (float)parts;
}
