/* SPDX-License-Identifier: Apache-2.0 */
#include "src/queue/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Behind everything: the frontier of an empty queue that has not asked the store yet is in front of everything. */
#define FRONT_PRIORITY 255
#define LANE_SIZE_MIN 8
#define LANE_SIZE_KEPT 1024             /* a lane that was longer gives its memory back when it is empty */

void queue_init(struct queue *queue, uint32_t window)
{
    memset(queue, 0, sizeof *queue);
    queue->window = window != 0 ? window : QUEUE_WINDOW_DEFAULT;
    queue->more = true;
    queue->frontier_priority = FRONT_PRIORITY;
}

static void class_done(struct queue_class *class)
{
    for (size_t i = 0; class != NULL && i <= MESSAGE_PRIORITY_MAX; i++)
        free(class->lanes[i].items);
    free(class);
}

void queue_done(struct queue *queue)
{
    for (uint32_t i = 0; i < queue->class_count; i++)
        class_done(queue->classes[i]);
    free(queue->classes);
    free(queue->active);
    memset(queue, 0, sizeof *queue);
}

static struct queue_item *lane_at(const struct queue_lane *lane, uint32_t index)
{
    uint32_t at = lane->first + index;

    return &lane->items[at < lane->size ? at : at - lane->size];
}

/* First index whose id is not below id. Appending is the common case and looked at first. */
static uint32_t lane_find(const struct queue_lane *lane, int64_t id)
{
    uint32_t low = 0, high = lane->count;

    if (high == 0 || lane_at(lane, high - 1)->id < id)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (lane_at(lane, middle)->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool lane_grow(struct queue_lane *lane)
{
    uint32_t size = lane->size == 0 ? LANE_SIZE_MIN : lane->size < LANE_SIZE_KEPT ? lane->size * 2 : lane->size + lane->size / 4;
    struct queue_item *items = malloc(size * sizeof *items);

    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < lane->count; i++)
        items[i] = *lane_at(lane, i);
    free(lane->items);
    lane->items = items;
    lane->size = size;
    lane->first = 0;
    return true;
}

/* Shifts the shorter side: messages come back near the front and arrive at the back. */
static bool lane_insert(struct queue_lane *lane, uint32_t index, const struct queue_item *item)
{
    if (lane->count == lane->size && !lane_grow(lane))
        return false;
    if (index < lane->count - index) {
        lane->first = lane->first != 0 ? lane->first - 1 : lane->size - 1;
        for (uint32_t i = 0; i < index; i++)
            *lane_at(lane, i) = *lane_at(lane, i + 1);
    } else {
        for (uint32_t i = lane->count; i > index; i--)
            *lane_at(lane, i) = *lane_at(lane, i - 1);
    }
    lane->count++;
    *lane_at(lane, index) = *item;
    return true;
}

static void lane_delete(struct queue_lane *lane, uint32_t index)
{
    if (index < lane->count / 2) {
        for (uint32_t i = index; i > 0; i--)
            *lane_at(lane, i) = *lane_at(lane, i - 1);
        lane->first = lane->first + 1 < lane->size ? lane->first + 1 : 0;
    } else {
        for (uint32_t i = index; i + 1 < lane->count; i++)
            *lane_at(lane, i) = *lane_at(lane, i + 1);
    }
    lane->count--;
}

/* -- classes --------------------------------------------------------------------------------------------------- */

/* NULL: no memory. */
static struct queue_class *class_get(struct queue *queue, uint16_t class_id)
{
    if (class_id >= queue->class_count) {
        uint32_t count = queue->class_count != 0 ? queue->class_count : 8;
        struct queue_class **classes;
        uint16_t *active;

        while (count <= class_id)
            count *= 2;
        classes = realloc(queue->classes, count * sizeof *classes);
        if (classes == NULL)
            return NULL;
        queue->classes = classes;
        active = realloc(queue->active, count * sizeof *active);
        if (active == NULL)
            return NULL;
        queue->active = active;
        memset(classes + queue->class_count, 0, (count - queue->class_count) * sizeof *classes);
        queue->class_count = count;
    }
    if (queue->classes[class_id] == NULL)
        queue->classes[class_id] = calloc(1, sizeof **queue->classes);
    return queue->classes[class_id];
}

static void count_in(struct queue *queue, uint16_t class_id)
{
    struct queue_class *class = queue->classes[class_id];

    if (class->count++ == 0) {
        class->active_at = queue->active_count;
        queue->active[queue->active_count++] = class_id;
    }
    queue->count++;
}

static void count_out(struct queue *queue, uint16_t class_id, uint32_t count)
{
    struct queue_class *class = queue->classes[class_id];

    if (count == 0)
        return;
    class->count -= count;
    queue->count -= count;
    if (class->count == 0) {
        uint16_t last = queue->active[--queue->active_count];

        queue->active[class->active_at] = last;
        queue->classes[last]->active_at = class->active_at;
        for (size_t i = 0; i <= MESSAGE_PRIORITY_MAX; i++)
            if (class->lanes[i].size > LANE_SIZE_KEPT) {
                free(class->lanes[i].items);
                class->lanes[i] = (struct queue_lane){ 0 };
            }
    }
}

/* -- the window ------------------------------------------------------------------------------------------------ */

static bool behind_frontier(const struct queue *queue, uint8_t priority, int64_t id)
{
    if (priority != queue->frontier_priority)
        return priority < queue->frontier_priority;
    return id > queue->frontier_id;
}

/* The class whose last message at the lowest priority goes last of all. */
static uint16_t worst(const struct queue *queue, uint8_t *ret_priority)
{
    uint8_t lowest = FRONT_PRIORITY;
    int64_t id = 0;
    uint16_t found = 0;

    assert(queue->count > 0);
    for (uint32_t i = 0; i < queue->active_count; i++) {
        const struct queue_class *class = queue->classes[queue->active[i]];
        uint8_t priority = 0;
        int64_t last;

        while (class->lanes[priority].count == 0)
            priority++;
        last = lane_at(&class->lanes[priority], class->lanes[priority].count - 1)->id;
        if (priority < lowest || (priority == lowest && last > id)) {
            lowest = priority;
            id = last;
            found = queue->active[i];
        }
    }
    *ret_priority = lowest;
    return found;
}

/* The worst ones go back to where they are durable anyway. Not while a fetch is under way: its answer could then move the
 * frontier over what was dropped. */
static void drop_over_window(struct queue *queue)
{
    uint8_t priority;
    uint16_t class_id;

    if (queue->fetching || queue->count <= queue->window)
        return;
    while (queue->count > queue->window) {
        class_id = worst(queue, &priority);
        queue->classes[class_id]->lanes[priority].count--;
        count_out(queue, class_id, 1);
    }
    queue->more = true;
    class_id = worst(queue, &priority);
    queue->frontier_priority = priority;
    queue->frontier_id = lane_at(&queue->classes[class_id]->lanes[priority], queue->classes[class_id]->lanes[priority].count - 1)->id;
}

/* What was kept while a fetch was under way and lies behind its answer: between the two the store has more. */
static void drop_behind_frontier(struct queue *queue)
{
    for (uint32_t k = queue->active_count; queue->more && k-- > 0;) {
        uint16_t class_id = queue->active[k];   /* one that becomes empty changes places with one that was looked at */
        struct queue_class *class = queue->classes[class_id];
        uint32_t dropped = 0;

        for (size_t i = 0; i <= MESSAGE_PRIORITY_MAX && i <= queue->frontier_priority; i++) {
            struct queue_lane *lane = &class->lanes[i];
            uint32_t keep = i < queue->frontier_priority ? 0 : lane_find(lane, queue->frontier_id + 1);

            dropped += lane->count - keep;
            lane->count = keep;
        }
        count_out(queue, class_id, dropped);
    }
}

static enum queue_put keep(struct queue *queue, const struct queue_item *item)
{
    struct queue_class *class = class_get(queue, item->class_id);
    struct queue_lane *lane = class != NULL ? &class->lanes[item->priority] : NULL;
    uint32_t index = lane != NULL ? lane_find(lane, item->id) : 0;

    if (lane != NULL && index < lane->count && lane_at(lane, index)->id == item->id)
        return QUEUE_HAD_IT;
    if (lane == NULL || !lane_insert(lane, index, item)) {
        /* No memory: the store has it. Everything from here on is behind the frontier now, also what was kept before; an
         * answer that is under way may have been made without this one. */
        if (!queue->more || !behind_frontier(queue, item->priority, item->id)) {
            queue->frontier_priority = item->priority;
            queue->frontier_id = item->id - 1;
        }
        queue->more = true;
        queue->started_over = queue->fetching;
        drop_behind_frontier(queue);
        return QUEUE_LEFT_IN_STORE;
    }
    count_in(queue, item->class_id);
    return QUEUE_KEPT;
}

enum queue_put queue_put(struct queue *queue, const struct queue_item *item)
{
    enum queue_put put;

    assert(item->priority <= MESSAGE_PRIORITY_MAX && item->id > 0);
    if (queue->more && !queue->fetching && behind_frontier(queue, item->priority, item->id))
        return QUEUE_LEFT_IN_STORE;
    put = keep(queue, item);
    drop_over_window(queue);
    return put;
}

/* -- taking ---------------------------------------------------------------------------------------------------- */

/* What came in during a fetch and lies behind the frontier waits for the answer, which may bring what is before it. */
static bool may_go(const struct queue *queue, uint8_t priority, int64_t id)
{
    return !queue->more || !behind_frontier(queue, priority, id);
}

bool queue_peek(const struct queue *queue, uint16_t class_id, uint8_t priority, uint32_t n, struct queue_item *ret_item)
{
    const struct queue_class *class = class_id < queue->class_count ? queue->classes[class_id] : NULL;
    const struct queue_item *item;

    if (class == NULL || n >= class->lanes[priority].count)
        return false;
    item = lane_at(&class->lanes[priority], n);
    if (!may_go(queue, priority, item->id))
        return false;
    *ret_item = *item;
    return true;
}

static bool before(const struct queue_item *a, const struct queue_item *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->id < b->id;
}

uint32_t queue_due_before(const struct queue *queue, uint16_t class_id, uint8_t priority, int64_t at_s)
{
    const struct queue_lane *lane = &queue->classes[class_id]->lanes[priority];
    uint32_t from = 0, until = lane->count;

    while (from < until) {
        uint32_t middle = from + (until - from) / 2;
        const struct queue_item *item = lane_at(lane, middle);

        if ((int64_t)item->since_s + item->patience_s < at_s)
            from = middle + 1;
        else
            until = middle;
    }
    return from;
}

bool queue_best(const struct queue *queue, struct queue_item *ret_item)
{
    bool found = false;

    for (uint32_t i = 0; i < queue->active_count; i++) {
        const struct queue_class *class = queue->classes[queue->active[i]];
        uint8_t priority = MESSAGE_PRIORITY_MAX;
        const struct queue_item *item;

        while (class->lanes[priority].count == 0)
            priority--;
        item = lane_at(&class->lanes[priority], 0);
        if (found && !before(item, ret_item))
            continue;
        if (!may_go(queue, priority, item->id))
            continue;
        *ret_item = *item;
        found = true;
    }
    return found;
}

bool queue_take(struct queue *queue, struct queue_item *ret_item)
{
    return queue_best(queue, ret_item) && queue_take_item(queue, ret_item);
}

static bool take_from(struct queue *queue, uint16_t class_id, uint8_t priority, int64_t id)
{
    struct queue_lane *lane = &queue->classes[class_id]->lanes[priority];
    uint32_t index = lane_find(lane, id);

    if (index >= lane->count || lane_at(lane, index)->id != id)
        return false;
    lane_delete(lane, index);
    count_out(queue, class_id, 1);
    return true;
}

bool queue_take_item(struct queue *queue, const struct queue_item *item)
{
    return item->class_id < queue->class_count && queue->classes[item->class_id] != NULL &&
           take_from(queue, item->class_id, item->priority, item->id);
}

bool queue_remove(struct queue *queue, int64_t id)
{
    for (uint32_t i = 0; i < queue->active_count; i++)
        for (uint8_t priority = 0; priority <= MESSAGE_PRIORITY_MAX; priority++)
            if (take_from(queue, queue->active[i], priority, id))
                return true;
    return false;
}

void queue_reclassify(struct queue *queue, uint16_t (*classify)(void *context, const struct queue_item *item), void *context)
{
    struct queue_class **before_classes = queue->classes;
    uint32_t before_count = queue->class_count;

    free(queue->active);
    queue->classes = NULL;
    queue->active = NULL;
    queue->class_count = queue->active_count = queue->count = 0;
    for (uint32_t i = 0; i < before_count; i++) {
        struct queue_class *class = before_classes[i];

        for (size_t priority = 0; class != NULL && priority <= MESSAGE_PRIORITY_MAX; priority++)
            for (uint32_t n = 0; n < class->lanes[priority].count; n++) {
                struct queue_item item = *lane_at(&class->lanes[priority], n);

                item.class_id = classify(context, &item);
                (void)keep(queue, &item);   /* what finds no room comes from the store again */
            }
        class_done(class);
    }
    free(before_classes);
    drop_behind_frontier(queue);
}

/* -- fetching -------------------------------------------------------------------------------------------------- */

static uint32_t fetch_limit(const struct queue *queue)
{
    uint32_t half = queue->window / 2;

    return half > QUEUE_FETCH_MAX ? QUEUE_FETCH_MAX : half;
}

bool queue_fetch_wanted(const struct queue *queue)
{
    return queue->more && !queue->fetching && queue->count + fetch_limit(queue) <= queue->window;
}

void queue_fetch_begin(struct queue *queue, uint8_t *ret_after_priority, int64_t *ret_after_id, uint32_t *ret_limit)
{
    assert(queue_fetch_wanted(queue));
    queue->fetching = true;
    *ret_after_priority = queue->frontier_priority;
    *ret_after_id = queue->frontier_id;
    *ret_limit = fetch_limit(queue);
}

void queue_start_over(struct queue *queue)
{
    while (queue->active_count > 0) {
        struct queue_class *class = queue->classes[queue->active[queue->active_count - 1]];

        for (size_t i = 0; i <= MESSAGE_PRIORITY_MAX; i++)
            class->lanes[i].count = 0;
        count_out(queue, queue->active[queue->active_count - 1], class->count);
    }
    queue->more = true;
    queue->frontier_priority = FRONT_PRIORITY;
    queue->frontier_id = 0;
    queue->started_over = queue->fetching;
}

void queue_fetched(struct queue *queue, const struct queue_item *items, uint32_t count, bool more,
                   bool (*skip)(void *context, int64_t id), void *context)
{
    assert(queue->fetching);
    if (queue->started_over) {   /* it goes on from where the queue no longer is */
        queue_fetch_failed(queue);
        return;
    }
    queue->more = more;
    if (more && count != 0) {
        queue->frontier_priority = items[count - 1].priority;
        queue->frontier_id = items[count - 1].id;
    }
    queue->fetching = false;
    for (uint32_t i = 0; i < count; i++)
        if (skip == NULL || !skip(context, items[i].id))
            (void)keep(queue, &items[i]);
    drop_behind_frontier(queue);
    drop_over_window(queue);
}

void queue_fetch_failed(struct queue *queue)
{
    queue->fetching = queue->started_over = false;
    drop_behind_frontier(queue);
    drop_over_window(queue);
}

size_t queue_bytes(const struct queue *queue)
{
    size_t bytes = queue->class_count * (sizeof *queue->classes + sizeof *queue->active);

    for (uint32_t i = 0; i < queue->class_count; i++) {
        bytes += queue->classes[i] != NULL ? sizeof **queue->classes : 0;
        for (size_t k = 0; queue->classes[i] != NULL && k <= MESSAGE_PRIORITY_MAX; k++)
            bytes += queue->classes[i]->lanes[k].size * sizeof(struct queue_item);
    }
    return bytes;
}
