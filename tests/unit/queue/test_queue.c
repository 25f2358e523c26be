/* SPDX-License-Identifier: Apache-2.0 */
#include "src/queue/queue.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct queue_item item(int64_t id, uint8_t priority)
{
    return (struct queue_item){ .id = id, .priority = priority, .parts = 1 };
}

static void emptied_store(struct queue *queue)
{
    uint8_t priority;
    int64_t id;
    uint32_t limit;

    queue_fetch_begin(queue, &priority, &id, &limit);
    queue_fetched(queue, NULL, 0, false, NULL, NULL);
}

static void takes_by_priority_then_by_order_of_acceptance(void **state)
{
    static const struct { int64_t id; uint8_t priority; } in[] = { { 1, 5 }, { 2, 5 }, { 3, 9 }, { 4, 0 }, { 5, 9 }, { 6, 5 } };
    static const int64_t out[] = { 3, 5, 1, 2, 6, 4 };
    struct queue queue;
    struct queue_item got;

    (void)state;
    queue_init(&queue, 0);
    emptied_store(&queue);
    for (size_t i = 0; i < 6; i++) {
        struct queue_item one = item(in[i].id, in[i].priority);

        assert_int_equal(queue_put(&queue, &one), QUEUE_KEPT);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_true(queue_take(&queue, &got));
        assert_int_equal(got.id, out[i]);
    }
    assert_false(queue_take(&queue, &got));
    queue_done(&queue);
}

static void a_message_that_comes_back_takes_its_old_place(void **state)
{
    struct queue queue;
    struct queue_item got;

    (void)state;
    queue_init(&queue, 0);
    emptied_store(&queue);
    for (int64_t id = 1; id <= 5; id++) {
        struct queue_item one = item(id, 5);

        (void)queue_put(&queue, &one);
    }
    (void)queue_take(&queue, &got);
    assert_int_equal(queue_put(&queue, &got), QUEUE_KEPT);
    assert_int_equal(queue_put(&queue, &got), QUEUE_HAD_IT);
    (void)queue_take(&queue, &got);
    assert_int_equal(got.id, 1);
    queue_done(&queue);
}

static void a_new_queue_leaves_everything_in_the_store_until_it_has_asked(void **state)
{
    struct queue queue;
    struct queue_item one = item(7, 5);

    (void)state;
    queue_init(&queue, 0);
    assert_true(queue_fetch_wanted(&queue));
    assert_int_equal(queue_put(&queue, &one), QUEUE_LEFT_IN_STORE);
    queue_done(&queue);
}

static bool skip_odd(void *context, int64_t id)
{
    (void)context;
    return id % 2 == 1;
}

static void what_a_modem_has_in_hand_is_not_taken_in_again(void **state)
{
    struct queue queue;
    struct queue_item items[] = { item(1, 5), item(2, 5), item(3, 5) }, got;
    uint8_t priority;
    int64_t id;
    uint32_t limit;

    (void)state;
    queue_init(&queue, 0);
    queue_fetch_begin(&queue, &priority, &id, &limit);
    queue_fetched(&queue, items, 3, false, skip_odd, NULL);
    assert_true(queue_take(&queue, &got));
    assert_int_equal(got.id, 2);
    assert_false(queue_take(&queue, &got));
    queue_done(&queue);
}

/* -- a store of 3,000 messages behind a window of 64: the order must be that of one big queue ------------------- */

#define STORE_MAX 20000

struct model { struct queue_item ready[STORE_MAX]; size_t count; uint32_t random; int64_t next_id; };

static uint32_t draw(struct model *model, uint32_t below)
{
    model->random = model->random * 1664525u + 1013904223u;
    return (model->random >> 8) % below;
}

static int by_order(const void *a, const void *b)
{
    const struct queue_item *x = a, *y = b;

    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void model_remove(struct model *model, int64_t id)
{
    for (size_t i = 0; i < model->count; i++)
        if (model->ready[i].id == id) {
            model->ready[i] = model->ready[--model->count];
            return;
        }
    fail_msg("message %lld was handed out but is not ready", (long long)id);
}

static void fetch(struct model *model, struct queue *queue, bool arrivals_meanwhile)
{
    static struct queue_item sorted[STORE_MAX], answer[STORE_MAX];
    uint8_t priority;
    int64_t id;
    uint32_t limit, count = 0;
    size_t total = model->count;
    bool more = false;

    queue_fetch_begin(queue, &priority, &id, &limit);
    memcpy(sorted, model->ready, model->count * sizeof *sorted);
    qsort(sorted, total, sizeof *sorted, by_order);
    for (size_t i = 0; i < total; i++) {
        if (sorted[i].priority > priority || (sorted[i].priority == priority && sorted[i].id <= id))
            continue;
        if (count == limit) {
            more = true;
            break;
        }
        answer[count++] = sorted[i];
    }
    if (arrivals_meanwhile)
        for (int i = 0; i < 3; i++) {
            model->ready[model->count] = item(model->next_id++, (uint8_t)draw(model, 10));
            (void)queue_put(queue, &model->ready[model->count++]);
        }
    queue_fetched(queue, answer, count, more, NULL, NULL);
}

static void a_small_window_gives_the_order_of_the_whole_queue(void **state)
{
    static struct model model;

    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct queue queue;
        struct queue_item got, best;

        memset(&model, 0, sizeof model);
        model.random = seed;
        model.next_id = 1;
        queue_init(&queue, 64);
        for (int step = 0; step < 3000; step++) {
            if (draw(&model, 100) < 55) {
                uint32_t burst = 1 + draw(&model, 4);

                while (burst-- != 0 && model.count < STORE_MAX) {
                    model.ready[model.count] = item(model.next_id++, (uint8_t)draw(&model, 10));
                    (void)queue_put(&queue, &model.ready[model.count++]);
                }
            }
            while (queue_fetch_wanted(&queue))
                fetch(&model, &queue, draw(&model, 2) == 0);
            if (queue_take(&queue, &got)) {
                best = model.ready[0];
                for (size_t i = 1; i < model.count; i++)
                    if (by_order(&model.ready[i], &best) < 0)
                        best = model.ready[i];
                assert_int_equal(got.id, best.id);
                if (draw(&model, 10) == 0)
                    (void)queue_put(&queue, &got);   /* comes back */
                else
                    model_remove(&model, got.id);
            } else {
                assert_int_equal(model.count, 0);
            }
            assert_true(queue.count <= 64 + 8);
        }
        for (;;) {
            while (queue_fetch_wanted(&queue))
                fetch(&model, &queue, false);
            if (!queue_take(&queue, &got))
                break;
            model_remove(&model, got.id);
        }
        assert_int_equal(model.count, 0);
        queue_done(&queue);
    }
}

/* Found by the simulation: after a start, or when it began anew, a new message went before older and better ones. */
static void what_comes_in_during_a_fetch_waits_for_what_may_be_before_it(void **state)
{
    struct queue queue;
    struct queue_item got, older = item(1, 9), newer = item(2, 5);
    uint8_t priority;
    uint32_t limit;
    int64_t id;

    (void)state;
    queue_init(&queue, 0);
    queue_fetch_begin(&queue, &priority, &id, &limit);
    assert_int_equal(queue_put(&queue, &newer), QUEUE_KEPT);
    assert_false(queue_best(&queue, &got));
    assert_false(queue_take(&queue, &got));
    queue_fetched(&queue, &older, 1, false, NULL, NULL);
    assert_true(queue_take(&queue, &got));
    assert_int_equal(got.id, 1);
    assert_true(queue_take(&queue, &got));
    assert_int_equal(got.id, 2);
    queue_done(&queue);
}

/* After a commit that failed nobody knows what the store has: an answer that was under way goes on from nowhere. */
static void a_queue_that_starts_over_fetches_everything_from_the_front(void **state)
{
    struct queue queue;
    struct queue_item got, items[] = { item(1, 5), item(2, 5), item(3, 5) };
    uint8_t priority;
    uint32_t limit;
    int64_t id;

    (void)state;
    queue_init(&queue, 0);
    queue_fetch_begin(&queue, &priority, &id, &limit);
    queue_fetched(&queue, items + 1, 1, true, NULL, NULL);
    queue_fetch_begin(&queue, &priority, &id, &limit);
    assert_int_equal(id, 2);
    queue_start_over(&queue);
    assert_int_equal(queue_put(&queue, &items[0]), QUEUE_KEPT);
    assert_false(queue_fetch_wanted(&queue));   /* one is under way */
    queue_fetched(&queue, items + 2, 1, false, NULL, NULL);
    assert_false(queue_take(&queue, &got));
    assert_true(queue_fetch_wanted(&queue));
    queue_fetch_begin(&queue, &priority, &id, &limit);
    assert_int_equal(id, 0);
    queue_fetched(&queue, items, 3, false, NULL, NULL);
    for (int i = 1; i <= 3; i++) {
        assert_true(queue_take(&queue, &got));
        assert_int_equal(got.id, i);
    }
    assert_false(queue_take(&queue, &got));
    queue_done(&queue);
}

static void a_removed_message_is_not_handed_out(void **state)
{
    struct queue queue;
    struct queue_item got;

    (void)state;
    queue_init(&queue, 0);
    emptied_store(&queue);
    for (int64_t id = 1; id <= 200; id++) {
        struct queue_item one = item(id, (uint8_t)(id % 10));

        (void)queue_put(&queue, &one);
    }
    assert_true(queue_remove(&queue, 55));
    assert_false(queue_remove(&queue, 55));
    assert_false(queue_remove(&queue, 1000));
    for (int i = 0; i < 199; i++) {
        assert_true(queue_take(&queue, &got));
        assert_int_not_equal(got.id, 55);
    }
    assert_false(queue_take(&queue, &got));
    queue_done(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_by_priority_then_by_order_of_acceptance),
        cmocka_unit_test(a_message_that_comes_back_takes_its_old_place),
        cmocka_unit_test(a_new_queue_leaves_everything_in_the_store_until_it_has_asked),
        cmocka_unit_test(what_a_modem_has_in_hand_is_not_taken_in_again),
        cmocka_unit_test(a_small_window_gives_the_order_of_the_whole_queue),
        cmocka_unit_test(what_comes_in_during_a_fetch_waits_for_what_may_be_before_it),
        cmocka_unit_test(a_queue_that_starts_over_fetches_everything_from_the_front),
        cmocka_unit_test(a_removed_message_is_not_handed_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
