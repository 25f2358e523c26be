/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue whose memory does not grow: what has no room stays in the store, comes from there in its order, and nothing waits for
 * ever. */
#include "src/queue/queue.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/faulty_memory.h"

#define READY 300
#define WINDOW 256

/* The store: these are ready and in this order. */
static struct queue_item ready[READY + 1];
static uint32_t ready_count;

static struct queue_item item(int64_t id, uint8_t priority)
{
    return (struct queue_item){ .id = id, .priority = priority, .parts = 1 };
}

static int by_order(const void *a, const void *b)
{
    const struct queue_item *x = a, *y = b;

    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static enum queue_put becomes_ready(struct queue *queue, struct queue_item one)
{
    ready[ready_count++] = one;
    return queue_put(queue, &one);
}

static struct queue_item answer[READY];
static uint32_t answer_count;
static bool answer_more;

static void ask(struct queue *queue)
{
    uint8_t priority;
    int64_t id;
    uint32_t limit;

    queue_fetch_begin(queue, &priority, &id, &limit);
    qsort(ready, ready_count, sizeof *ready, by_order);
    answer_count = 0;
    answer_more = false;
    for (uint32_t i = 0; i < ready_count; i++) {
        if (ready[i].priority > priority || (ready[i].priority == priority && ready[i].id <= id))
            continue;
        answer_more = answer_count == limit;
        if (answer_more)
            return;
        answer[answer_count++] = ready[i];
    }
}

static void get_answer(struct queue *queue) { queue_fetched(queue, answer, answer_count, answer_more, NULL, NULL); }

/* Takes all there are; each must be the best of those that are ready. */
static void take_all(struct queue *queue)
{
    struct queue_item got;

    for (;;) {
        while (queue_fetch_wanted(queue)) {
            ask(queue);
            get_answer(queue);
        }
        if (!queue_take(queue, &got))
            break;
        qsort(ready, ready_count, sizeof *ready, by_order);
        assert_int_equal(got.id, ready[0].id);
        ready[0] = ready[--ready_count];
    }
    assert_int_equal(ready_count, 0);
}

static void start(struct queue *queue, uint32_t count, uint8_t priority)
{
    ready_count = 0;
    queue_init(queue, WINDOW);
    ask(queue);
    get_answer(queue);
    for (uint32_t i = 1; i <= count; i++)
        assert_int_equal(becomes_ready(queue, item(i, priority)), QUEUE_KEPT);
}

/* At 64, 128 and 256 a lane must grow. What was here already and is more than a quarter of the window once kept the queue from asking
 * the store, and the frontier from giving it out. */
static void a_message_that_finds_no_room_goes_in_its_order_all_the_same(void **state)
{
    (void)state;
    for (uint32_t here = 64; here <= 128; here *= 2)
        for (uint8_t priority = 4; priority <= 6; priority++) {
            struct queue queue;

            start(&queue, here, 5);
            memory_fail(MEMORY_OWN, MEMORY_FOR_GOOD, 1);
            assert_int_equal(becomes_ready(&queue, item(here + 1, priority)), QUEUE_LEFT_IN_STORE);
            assert_int_equal(becomes_ready(&queue, item(here + 2, priority)), QUEUE_LEFT_IN_STORE);
            assert_true(memory_works());
            (void)becomes_ready(&queue, item(here + 3, 5));
            take_all(&queue);
            queue_done(&queue);
        }
}

/* The answer that is under way was made before it, and would have moved the frontier over it. */
static void one_that_finds_no_room_while_the_store_is_asked_is_asked_for_again(void **state)
{
    struct queue queue;

    (void)state;
    ready_count = 0;
    queue_init(&queue, WINDOW);
    for (uint32_t i = 1; i <= 10; i++)
        ready[ready_count++] = item(i, 5);
    ask(&queue);
    memory_fail(MEMORY_OWN, MEMORY_ONCE, 1);
    assert_int_equal(becomes_ready(&queue, item(11, 9)), QUEUE_LEFT_IN_STORE);
    assert_true(memory_works());
    get_answer(&queue);
    take_all(&queue);
    queue_done(&queue);
}

static void an_answer_that_finds_no_room_is_asked_for_again(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        struct queue queue;

        ready_count = 0;
        queue_init(&queue, WINDOW);
        for (uint32_t i = 1; i <= READY; i++)
            ready[ready_count++] = item(i, (uint8_t)(i % 3));
        ask(&queue);
        memory_fail(MEMORY_OWN, MEMORY_ONCE, n);
        get_answer(&queue);
        assert_true(memory_works());
        take_all(&queue);
        queue_done(&queue);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_that_finds_no_room_goes_in_its_order_all_the_same),
        cmocka_unit_test(one_that_finds_no_room_while_the_store_is_asked_is_asked_for_again),
        cmocka_unit_test(an_answer_that_finds_no_room_is_asked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
