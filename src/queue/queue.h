/* SPDX-License-Identifier: Apache-2.0
 *
 * queue.h - the front of the queue in memory: the messages that are ready to go, by class and best first.
 *
 * A class is what the gateway says it is (item.class_id): the messages that the same bearers may take at the same prices,
 * so that one class that must wait does not hold up another. Within a class the order is priority (9 first), then id (the
 * order of acceptance). The whole queue is in the store; memory holds a window of it, the best over all classes, and what
 * lies behind is fetched when there is room. Plain computation; ownership: the struct owns its arrays, items are values. */
#ifndef CELLPOST_QUEUE_H
#define CELLPOST_QUEUE_H

#include "src/store/store.h"

/* 56 octets each. While all of them wait for bearers that may not send now, what lies behind waits too. */
#define QUEUE_WINDOW_DEFAULT 1000000
#define QUEUE_FETCH_MAX 4096             /* rows the store is asked for at a time */
#define QUEUE_CLASSES_MAX UINT16_MAX

/* One priority's messages of a class in a ring, sorted by id. */
struct queue_lane { struct queue_item *items; uint32_t size, first, count; };

struct queue_class {
    struct queue_lane lanes[MESSAGE_PRIORITY_MAX + 1];
    uint32_t count;
    uint32_t active_at;                  /* where it is in the list of those that have messages */
};

struct queue {
    struct queue_class **classes; uint32_t class_count;   /* by class id; NULL: never had any */
    uint16_t *active; uint32_t active_count;              /* those that have messages, in no order */
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

/* The n-th best of a class at a priority without taking it; false where there are no more, or the store is still being asked
 * what goes before. */
bool queue_peek(const struct queue *queue, uint16_t class_id, uint8_t priority, uint32_t n, struct queue_item *ret_item);
/* So many of a class at a priority whose patience ends before that second (since 1970). They are taken to be in that order, as
 * messages of equal patience are. */
uint32_t queue_due_before(const struct queue *queue, uint16_t class_id, uint8_t priority, int64_t at_s);
/* The best message over all classes without taking it. */
bool queue_best(const struct queue *queue, struct queue_item *ret_item);
bool queue_take(struct queue *queue, struct queue_item *ret_item);
/* Takes this one. True if it was there. */
bool queue_take_item(struct queue *queue, const struct queue_item *item);
/* The same by its id alone. */
bool queue_remove(struct queue *queue, int64_t id);

/* Gives every message a class anew. */
void queue_reclassify(struct queue *queue, uint16_t (*classify)(void *context, const struct queue_item *item), void *context);

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

size_t queue_bytes(const struct queue *queue);   /* of memory */

#endif
