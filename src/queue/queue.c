/* SPDX-License-Identifier: Apache-2.0 */
#include "src/queue/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Behind everything: the frontier of an empty queue that has not asked the store yet is in front of everything. */
#define FRONT_PRIORITY 255

void queue_init(struct queue *queue, uint32_t window)
{
    memset(queue, 0, sizeof *queue);
    queue->window = window != 0 ? window : QUEUE_WINDOW_DEFAULT;
    queue->more = true;
    queue->frontier_priority = FRONT_PRIORITY;
}

void queue_done(struct queue *queue)
{
    for (size_t i = 0; i <= MESSAGE_PRIORITY_MAX; i++)
        free(queue->lanes[i].items);
    memset(queue, 0, sizeof *queue);
}

static struct queue_item *lane_at(const struct queue_lane *lane, uint32_t index)
{
    return &lane->items[(lane->first + index) & (lane->size - 1)];
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
    uint32_t size = lane->size != 0 ? lane->size * 2 : 64;
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
        lane->first = (lane->first - 1) & (lane->size - 1);
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
        lane->first = (lane->first + 1) & (lane->size - 1);
    } else {
        for (uint32_t i = index; i + 1 < lane->count; i++)
            *lane_at(lane, i) = *lane_at(lane, i + 1);
    }
    lane->count--;
}

static bool behind_frontier(const struct queue *queue, uint8_t priority, int64_t id)
{
    if (priority != queue->frontier_priority)
        return priority < queue->frontier_priority;
    return id > queue->frontier_id;
}

static void set_frontier_to_worst(struct queue *queue)
{
    uint8_t i = 0;

    assert(queue->count > 0);
    while (queue->lanes[i].count == 0)
        i++;
    queue->frontier_priority = i;
    queue->frontier_id = lane_at(&queue->lanes[i], queue->lanes[i].count - 1)->id;
}

/* The worst ones go back to where they are durable anyway. Not while a fetch is under way: its answer could then move the
 * frontier over what was dropped. */
static void drop_over_window(struct queue *queue)
{
    if (queue->fetching || queue->count <= queue->window)
        return;
    for (size_t i = 0; queue->count > queue->window; i++) {
        struct queue_lane *lane = &queue->lanes[i];
        uint32_t excess = queue->count - queue->window;
        uint32_t drop = excess < lane->count ? excess : lane->count;

        lane->count -= drop;
        queue->count -= drop;
    }
    queue->more = true;
    set_frontier_to_worst(queue);
}

/* What was kept while a fetch was under way and lies behind its answer: between the two the store has more. */
static void drop_behind_frontier(struct queue *queue)
{
    for (size_t i = 0; queue->more && i <= MESSAGE_PRIORITY_MAX && i <= queue->frontier_priority; i++) {
        struct queue_lane *lane = &queue->lanes[i];
        uint32_t keep = i < queue->frontier_priority ? 0 : lane_find(lane, queue->frontier_id + 1);

        queue->count -= lane->count - keep;
        lane->count = keep;
    }
}

static enum queue_put keep(struct queue *queue, const struct queue_item *item)
{
    struct queue_lane *lane = &queue->lanes[item->priority];
    uint32_t index = lane_find(lane, item->id);

    if (index < lane->count && lane_at(lane, index)->id == item->id)
        return QUEUE_HAD_IT;
    if (!lane_insert(lane, index, item)) {
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
    queue->count++;
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

/* -1: nothing here, or nothing that may go: what came in during a fetch and lies behind the frontier waits for the answer,
 * which may bring what is before it. */
static int best_lane(const struct queue *queue)
{
    for (int i = MESSAGE_PRIORITY_MAX; i >= 0; i--)
        if (queue->lanes[i].count != 0)
            return queue->more && behind_frontier(queue, (uint8_t)i, lane_at(&queue->lanes[i], 0)->id) ? -1 : i;
    return -1;
}

bool queue_best(const struct queue *queue, struct queue_item *ret_item)
{
    int i = best_lane(queue);

    if (i < 0)
        return false;
    *ret_item = *lane_at(&queue->lanes[i], 0);
    return true;
}

bool queue_take(struct queue *queue, struct queue_item *ret_item)
{
    int i = best_lane(queue);

    if (i < 0)
        return false;
    *ret_item = *lane_at(&queue->lanes[i], 0);
    lane_delete(&queue->lanes[i], 0);
    queue->count--;
    return true;
}

bool queue_remove(struct queue *queue, int64_t id)
{
    for (size_t i = 0; i <= MESSAGE_PRIORITY_MAX; i++) {
        struct queue_lane *lane = &queue->lanes[i];
        uint32_t index = lane_find(lane, id);

        if (index < lane->count && lane_at(lane, index)->id == id) {
            lane_delete(lane, index);
            queue->count--;
            return true;
        }
    }
    return false;
}

bool queue_fetch_wanted(const struct queue *queue)
{
    return queue->more && !queue->fetching && queue->count <= queue->window / 4;
}

void queue_fetch_begin(struct queue *queue, uint8_t *ret_after_priority, int64_t *ret_after_id, uint32_t *ret_limit)
{
    assert(queue_fetch_wanted(queue));
    queue->fetching = true;
    *ret_after_priority = queue->frontier_priority;
    *ret_after_id = queue->frontier_id;
    *ret_limit = queue->window / 2;
}

void queue_start_over(struct queue *queue)
{
    for (size_t i = 0; i <= MESSAGE_PRIORITY_MAX; i++)
        queue->lanes[i].count = 0;
    queue->count = 0;
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
