/* SPDX-License-Identifier: Apache-2.0
 *
 * queue.h - the front of the queue in memory: the messages that are ready to go, best first.
 *
 * Order: priority (9 first), then id (the order of acceptance). The whole queue is in the store; memory holds a window
 * of it, so that a million queued messages cost no more than a thousand. What lies behind the window is fetched when
 * the window runs low. Plain computation; ownership: the struct owns its arrays, items are values. */
#ifndef CELLPOST_QUEUE_H
#define CELLPOST_QUEUE_H

#include "src/store/store.h"

#define QUEUE_WINDOW_DEFAULT 4096

/* One priority's messages in a ring, sorted by id. */
struct queue_lane { struct queue_item *items; uint32_t size, first, count; };

struct queue {
    struct queue_lane lanes[MESSAGE_PRIORITY_MAX + 1];
    uint32_t window, count;
    bool more;              /* ready messages may lie in the store behind the frontier */
    bool fetching, started_over;   /* started_over: since the fetch that is under way was asked for */
    uint8_t frontier_priority; int64_t frontier_id;   /* everything ready up to and with this is here or handed out */
};

void queue_init(struct queue *queue, uint32_t window /* 0: default */);
void queue_done(struct queue *queue);

enum queue_put { QUEUE_KEPT, QUEUE_LEFT_IN_STORE, QUEUE_HAD_IT };

/* A message became ready, and the store knows. -ENOMEM: it is left in the store, the queue will fetch it. */
enum queue_put queue_put(struct queue *queue, const struct queue_item *item);

/* The best message without taking it; false when the window is empty, or the store is still being asked what goes before. */
bool queue_best(const struct queue *queue, struct queue_item *ret_item);
bool queue_take(struct queue *queue, struct queue_item *ret_item);
/* True if it was there. */
bool queue_remove(struct queue *queue, int64_t id);

/* True when the store should be asked for more; fills where to go on and how many. Until queue_fetched() everything
 * that becomes ready is kept, since the answer may have been made before it. */
bool queue_fetch_wanted(const struct queue *queue);
void queue_fetch_begin(struct queue *queue, uint8_t *ret_after_priority, int64_t *ret_after_id, uint32_t *ret_limit);
/* skip: messages that are in a modem's hands already, asked for each; may be NULL. */
void queue_fetched(struct queue *queue, const struct queue_item *items, uint32_t count, bool more,
                   bool (*skip)(void *context, int64_t id), void *context);
void queue_fetch_failed(struct queue *queue);

/* What is here may not be what the store has: everything is fetched anew, from the front. */
void queue_start_over(struct queue *queue);

#endif
