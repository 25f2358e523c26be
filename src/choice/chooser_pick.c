/* SPDX-License-Identifier: Apache-2.0
 *
 * chooser_pick.c - the next message for a bearer that could take one.
 *
 * It looks at the head of each class that has messages and not at the messages: the best by priority and end of patience among those
 * for which no bearer comes first that can take them within their patience. What the best other bearer asks (the floor) is
 * kept with the class until something changes that could change it. */
#include "src/choice/chooser_internal.h"

#include <string.h>

#define SKIPPED_MAX 16                   /* messages, and classes, that it may not take after all */
#define BEATEN_RETRY_MS 1000             /* the other one takes it long before */
#define LOOK_BEHIND 8                    /* messages of a lane that are looked at where the first is not for it */

/* Whether a bearer could begin by then; now or soon. */
static bool able_by(const struct chooser_bearer *bearer, uint64_t by_ms)
{
    uint64_t rests_ms = bearer->rests_until_ms;

    return bearer->present && bearer->able_long_ms <= by_ms && rests_ms <= by_ms;
}

static uint64_t able_at(const struct chooser_bearer *bearer)
{
    return bearer->able_long_ms > bearer->rests_until_ms ? bearer->able_long_ms : bearer->rests_until_ms;
}

/* The best offer of all that could begin by then. */
static void floor_find(struct chooser *chooser, struct chooser_class *class, uint64_t by_ms, uint32_t batch, struct limit_now now)
{
    const struct chooser_destination *destination = chooser->destinations[class->destination];
    unsigned parts = class->parts != 0 ? class->parts : 1;

    class->floor_rank = UINT8_MAX;
    class->floor_micro = INT64_MAX;
    class->floor_able_ms = UINT64_MAX;
    class->floor_until_ms = now.mono_ms + LIMITS_LOOK_MS;
    for (uint16_t i = 0; i < chooser->bearer_count; i++) {
        struct chooser_bearer *bearer = &chooser->bearers[i];
        struct chooser_offer offer;

        if (!bearer->open || !bearer->present)
            continue;
        chooser_look(chooser, bearer, now);
        if (bearer->looked_until_ms < class->floor_until_ms)
            class->floor_until_ms = bearer->looked_until_ms;
        if (!able_by(bearer, by_ms))
            continue;
        offer = chooser_offer(chooser, destination, class->sticky_sim_id, i, parts, batch);
        if (!offer.ok || offer.rank > class->floor_rank || (offer.rank == class->floor_rank && offer.micro > class->floor_micro))
            continue;
        if (offer.rank < class->floor_rank || offer.micro < class->floor_micro || able_at(bearer) < class->floor_able_ms)
            class->floor_able_ms = able_at(bearer);
        class->floor_rank = offer.rank;
        class->floor_micro = offer.micro;
    }
    class->floor_batch = batch;
    class->epoch = chooser->epoch;       /* behind the looks, which may count */
}

/* Dearer by more than the margin of a plan's prices: within it, waiting would be for nothing. */
static bool is_above_floor(const struct chooser *chooser, const struct chooser_class *class, const struct chooser_offer *offer)
{
    int64_t slack_micro = chooser->slack_micro * (class->parts != 0 ? class->parts : 1);

    return offer->rank > class->floor_rank || (offer->rank == class->floor_rank && offer->micro - slack_micro > class->floor_micro);
}

/* True if a bearer comes before this offer that can take the message before its patience ends. */
static bool is_for_another(struct chooser *chooser, struct chooser_class *class, const struct chooser_offer *offer, uint64_t patient_until_ms,
                           uint32_t batch, struct limit_now now)
{
    if (class->epoch != chooser->epoch || class->floor_until_ms <= now.mono_ms || (chooser->switching && class->floor_batch != batch))
        floor_find(chooser, class, now.mono_ms + (uint64_t)class->patience_s * 1000, batch, now);
    if (!is_above_floor(chooser, class, offer))
        return false;
    if (class->floor_able_ms > patient_until_ms) {   /* that one comes too late: who is there until then? */
        floor_find(chooser, class, patient_until_ms, batch, now);
        class->floor_until_ms = now.mono_ms;         /* for this message alone */
    }
    return is_above_floor(chooser, class, offer) && class->floor_able_ms <= patient_until_ms;
}

/* By the machine's clock: when its patience is over. */
static uint64_t patient_until(const struct queue_item *item, struct limit_now now)
{
    int64_t left_ms = ((int64_t)item->since_s + item->patience_s) * 1000 - now.wall_ms;

    /* A clock that was set does not make it wait for longer than it may at most. */
    if (left_ms > (int64_t)item->patience_s * 1000)
        left_ms = (int64_t)item->patience_s * 1000;
    return left_ms <= 0 ? now.mono_ms : now.mono_ms + (uint64_t)left_ms;
}

/* Its last try failed by this one, and for a while it waits for another one that could take it. */
static bool is_for_any_other(struct chooser *chooser, uint16_t index, const struct queue_item *item, struct limit_now now)
{
    int64_t left_s = (int64_t)item->avoid_until_s - now.wall_ms / 1000;

    if (item->avoid_sim_id == 0 || item->avoid_sim_id != chooser->bearers[index].sim_id || left_s <= 0 || left_s > QUEUE_AVOID_S)
        return false;
    for (uint16_t i = 0; i < chooser->bearer_count; i++)
        if (i != index && chooser->bearers[i].open && chooser->bearers[i].present && chooser_judge(chooser, i, item, now).verdict == CHOOSER_MAY)
            return true;
    return false;
}

struct candidate { struct queue_item item; struct chooser_offer offer; bool found, urgent, dealt; };

/* An idle bearer that should have it rather than this one. A message whose patience is over goes by the cheapest that is
 * free now; one that may wait goes by an idle one rather than by one that is still busy, at the same price. */
static bool is_beaten(struct chooser *chooser, uint16_t index, const struct candidate *candidate, uint32_t batch, struct limit_now now)
{
    const struct queue_item *item = &candidate->item;
    const struct chooser_offer *offer = &candidate->offer;
    const struct chooser_destination *destination = chooser_destination(chooser, item);
    unsigned parts = item->parts - item->part_next;
    bool idle = chooser->bearers[index].idle;

    for (uint16_t i = 0; i < chooser->bearer_count; i++) {
        struct chooser_bearer *other = &chooser->bearers[i];
        struct chooser_offer theirs;
        bool first;

        if (i == index || !other->open || !other->idle || !other->present || other->rests_until_ms > now.mono_ms)
            continue;
        chooser_look(chooser, other, now);
        if (other->able_ms > now.mono_ms && other->limit != LIMIT_RECIPIENTS_DAY && other->limit != LIMIT_RECIPIENTS_MONTH)
            continue;
        theirs = chooser_offer(chooser, destination, item->sticky_sim_id, i, parts, batch);
        if (!theirs.ok)
            continue;
        if (candidate->dealt && chooser_dealt(chooser, &chooser->classes[item->class_id], i, &theirs, parts) != DEALT_HERE)
            continue;                    /* it has others to take, which would lose more */
        first = chooser_before(chooser, i, &theirs, index, offer);
        if (!idle)                       /* the other one can begin now */
            first = first || (theirs.rank == offer->rank && theirs.micro == offer->micro) || candidate->urgent;
        if (first && item->avoid_sim_id != other->sim_id && chooser_judge(chooser, i, item, now).verdict == CHOOSER_MAY)
            return true;
    }
    return false;
}

/* What turned out not to be for it. */
struct skipped { int64_t ids[SKIPPED_MAX]; size_t id_count; uint16_t classes[SKIPPED_MAX]; size_t class_count; };

static bool is_skipped(const struct skipped *skipped, int64_t id)
{
    for (size_t i = 0; i < skipped->id_count; i++)
        if (skipped->ids[i] == id)
            return true;
    return false;
}

static bool is_class_skipped(const struct skipped *skipped, uint16_t class_id)
{
    for (size_t i = 0; i < skipped->class_count; i++)
        if (skipped->classes[i] == class_id)
            return true;
    return false;
}


/* By priority, then by when their patience ends. */
static bool goes_before(const struct queue_item *a, const struct queue_item *b)
{
    uint64_t until_a = (uint64_t)a->since_s + a->patience_s, until_b = (uint64_t)b->since_s + b->patience_s;

    if (a->priority != b->priority)
        return a->priority > b->priority;
    return until_a != until_b ? until_a < until_b : a->id < b->id;
}

/* The best of a class that is for this bearer. */
static void look_at_class(struct chooser *chooser, uint16_t index, const struct queue *queue, uint16_t class_id, const struct skipped *skipped,
                          struct limit_now now, struct candidate *best, uint64_t *retry_ms)
{
    struct chooser_class *class = class_id != CHOOSER_MIXED && class_id < chooser->class_count ? &chooser->classes[class_id] : NULL;
    const struct queue_class *lanes = queue->classes[class_id];

    for (int priority = MESSAGE_PRIORITY_MAX; priority >= 0; priority--) {
        struct queue_item item;

        if (lanes->lanes[priority].count == 0)
            continue;
        if (best->found && priority < best->item.priority)
            return;
        for (uint32_t n = 0; n < LOOK_BEHIND && queue_peek(queue, class_id, (uint8_t)priority, n, &item); n++) {
            uint64_t patient_until_ms = patient_until(&item, now);
            const struct chooser_destination *destination;
            struct chooser_offer offer;
            bool urgent = patient_until_ms <= now.mono_ms;
            enum chooser_dealt dealt = DEALT_NOT;

            if (best->found && !goes_before(&item, &best->item))
                return;
            if (is_skipped(skipped, item.id))
                continue;                /* too long for what the limits leave, say: a shorter one behind it may go */
            item.class_id = class_id;
            destination = chooser_destination(chooser, &item);
            if (destination == NULL)
                return;
            offer = chooser_offer(chooser, destination, item.sticky_sim_id, index, item.parts - item.part_next, lanes->count);
            if (!offer.ok) {
                if (class != NULL && item.parts == 1)
                    break;               /* nor the others here */
                continue;
            }
            if (is_for_any_other(chooser, index, &item, now))
                continue;
            if (!urgent && class != NULL && item.avoid_sim_id == 0) {   /* one that failed goes by the next that can */
                struct chooser_offer one = class->parts != 0 || item.parts == 1 ? offer
                                           : chooser_offer(chooser, destination, item.sticky_sim_id, index, 1, lanes->count);
                uint64_t again_ms = patient_until_ms;

                dealt = chooser_dealt(chooser, class, index, &one, class->parts != 0 || item.parts == 1 ? (unsigned)(item.parts - item.part_next) : 1);
                if (dealt == DEALT_ELSEWHERE && chooser->bearers[index].idle && now.mono_ms + DEAL_AGAIN_MS < again_ms)
                    again_ms = now.mono_ms + DEAL_AGAIN_MS;
                if (dealt == DEALT_ELSEWHERE || (dealt == DEALT_NOT && is_for_another(chooser, class, &one, patient_until_ms, lanes->count, now))) {
                    if (again_ms < *retry_ms)
                        *retry_ms = again_ms;
                    break;               /* those behind it have more patience left */
                }
            }
            *best = (struct candidate){ .item = item, .offer = offer, .found = true, .urgent = urgent, .dealt = dealt == DEALT_HERE };
            break;
        }
    }
}

static bool pick(struct chooser *chooser, uint16_t index, const struct queue *queue, struct limit_now now, struct queue_item *ret_item,
                 uint64_t *ret_retry_ms)
{
    struct skipped skipped = { .id_count = 0 };

    *ret_retry_ms = UINT64_MAX;
    while (skipped.id_count < SKIPPED_MAX && skipped.class_count < SKIPPED_MAX) {
        struct candidate best = { .found = false };
        struct chooser_judgement judgement;

        for (uint32_t i = 0; i < queue->active_count; i++)
            if (!is_class_skipped(&skipped, queue->active[i]))
                look_at_class(chooser, index, queue, queue->active[i], &skipped, now, &best, ret_retry_ms);
        if (!best.found)
            return false;
        judgement = chooser_judge(chooser, index, &best.item, now);
        if (judgement.verdict != CHOOSER_MAY) {
            if (judgement.verdict == CHOOSER_LIMIT && judgement.until_ms < *ret_retry_ms)
                *ret_retry_ms = judgement.until_ms;
            skipped.ids[skipped.id_count++] = best.item.id;
            continue;
        }
        if (!is_beaten(chooser, index, &best, queue->classes[best.item.class_id]->count, now)) {
            *ret_item = best.item;
            return true;
        }
        if (now.mono_ms + BEATEN_RETRY_MS < *ret_retry_ms)
            *ret_retry_ms = now.mono_ms + BEATEN_RETRY_MS;
        skipped.classes[skipped.class_count++] = best.item.class_id;
    }
    return false;
}

bool chooser_pick(struct chooser *chooser, uint16_t index, const struct queue *queue, struct limit_now now, struct queue_item *ret_item,
                  uint64_t *ret_retry_ms)
{
    struct chooser_bearer *bearer = &chooser->bearers[index];

    *ret_retry_ms = UINT64_MAX;
    if (!bearer->open || queue->active_count == 0)
        return false;
    chooser_look(chooser, bearer, now);
    if (bearer->able_ms > now.mono_ms && bearer->limit != LIMIT_RECIPIENTS_DAY && bearer->limit != LIMIT_RECIPIENTS_MONTH) {
        *ret_retry_ms = bearer->looked_until_ms;
        return false;
    }
    (void)chooser_deal_look(chooser, queue, false, now);
    if (pick(chooser, index, queue, now, ret_item, ret_retry_ms))
        return true;
    return bearer->idle && chooser_deal_look(chooser, queue, true, now) && pick(chooser, index, queue, now, ret_item, ret_retry_ms);
}
