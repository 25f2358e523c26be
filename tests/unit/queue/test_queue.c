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

/* Of the class that its id says. */
static struct queue_item of_class(int64_t id, uint8_t priority, uint16_t classes)
{
    struct queue_item one = item(id, priority);

    one.class_id = (uint16_t)(id * 7 % classes);
    return one;
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

struct model { struct queue_item ready[STORE_MAX]; size_t count; uint32_t random; int64_t next_id; uint16_t classes; };

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
            model->ready[model->count] = of_class(model->next_id++, (uint8_t)draw(model, 10), model->classes);
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
        model.classes = (uint16_t)(1 + seed % 5 * 40);   /* one, or up to 161 */
        queue_init(&queue, 64);
        for (int step = 0; step < 3000; step++) {
            if (draw(&model, 100) < 55) {
                uint32_t burst = 1 + draw(&model, 4);

                while (burst-- != 0 && model.count < STORE_MAX) {
                    model.ready[model.count] = of_class(model.next_id++, (uint8_t)draw(&model, 10), model.classes);
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

/* -- classes ------------------------------------------------------------------------------------------------- */

static void each_class_is_looked_at_by_itself(void **state)
{
    struct queue queue;
    struct queue_item got, other;

    (void)state;
    queue_init(&queue, 0);
    emptied_store(&queue);
    for (int64_t id = 1; id <= 40; id++) {
        struct queue_item one = of_class(id, (uint8_t)(id % 3), 20);

        assert_int_equal(queue_put(&queue, &one), QUEUE_KEPT);
    }
    assert_int_equal(queue.active_count, 20);
    assert_true(queue_peek(&queue, 7, 1, 0, &got));       /* 1 * 7 % 20 */
    assert_int_equal(got.id, 1);
    assert_false(queue_peek(&queue, 7, 1, 1, &other));
    assert_true(queue_peek(&queue, 7, 0, 0, &other));     /* 21 */
    assert_int_equal(other.id, 21);
    assert_false(queue_peek(&queue, 7, 2, 0, &other));
    assert_false(queue_peek(&queue, 19, 9, 0, &other));
    assert_false(queue_peek(&queue, 5000, 0, 0, &other));
    assert_true(queue_take_item(&queue, &got));
    assert_false(queue_take_item(&queue, &got));
    got.class_id = 5000;
    assert_false(queue_take_item(&queue, &got));
    got.class_id = 25;                   /* never had any */
    assert_false(queue_take_item(&queue, &got));
    assert_true(queue_remove(&queue, 21));
    assert_int_equal(queue.active_count, 19);
    assert_int_equal(queue.count, 38);
    queue_done(&queue);
}

/* While the store is asked, what came in meanwhile and lies behind may not be looked at either. */
static void what_waits_for_the_store_is_not_looked_at(void **state)
{
    struct queue queue;
    struct queue_item got, newer = item(2, 5);
    uint8_t priority;
    uint32_t limit;
    int64_t id;

    (void)state;
    queue_init(&queue, 0);
    queue_fetch_begin(&queue, &priority, &id, &limit);
    assert_int_equal(limit, QUEUE_FETCH_MAX);
    assert_int_equal(queue_put(&queue, &newer), QUEUE_KEPT);
    assert_false(queue_peek(&queue, 0, 5, 0, &got));
    queue_fetched(&queue, NULL, 0, false, NULL, NULL);
    assert_true(queue_peek(&queue, 0, 5, 0, &got));
    queue_done(&queue);
}

static uint16_t by_parity(void *context, const struct queue_item *one)
{
    (*(unsigned *)context)++;
    return (uint16_t)(one->id % 2);
}

static void every_message_gets_a_new_class_and_keeps_its_place(void **state)
{
    struct queue queue;
    struct queue_item got;
    unsigned asked = 0;

    (void)state;
    queue_init(&queue, 0);
    emptied_store(&queue);
    for (int64_t id = 1; id <= 300; id++) {
        struct queue_item one = of_class(id, (uint8_t)(id % 10), 50);

        (void)queue_put(&queue, &one);
    }
    queue_reclassify(&queue, by_parity, &asked);
    assert_int_equal(asked, 300);
    assert_int_equal(queue.count, 300);
    assert_int_equal(queue.active_count, 2);
    for (uint8_t priority = 10; priority-- > 0;)
        for (int64_t id = priority == 0 ? 10 : priority; id <= 300; id += 10) {
            assert_true(queue_take(&queue, &got));
            assert_int_equal(got.id, id);
            assert_int_equal(got.class_id, id % 2);
        }
    assert_false(queue_take(&queue, &got));
    queue_done(&queue);
}

static void a_long_queue_gives_its_memory_back_when_it_is_empty(void **state)
{
    struct queue queue;
    struct queue_item got;
    size_t empty, full;

    (void)state;
    queue_init(&queue, 0);
    emptied_store(&queue);
    assert_int_equal(queue_bytes(&queue), 0);
    for (int64_t id = 1; id <= 10; id++) {
        struct queue_item one = of_class(id, 5, 3);

        (void)queue_put(&queue, &one);
    }
    empty = queue_bytes(&queue);
    for (int64_t id = 11; id <= 20000; id++) {
        struct queue_item one = of_class(id, 5, 3);

        assert_int_equal(queue_put(&queue, &one), QUEUE_KEPT);
    }
    full = queue_bytes(&queue);
    assert_in_range(full, 20000 * sizeof got, 20000 * sizeof got * 5 / 4 + 10000);
    for (int64_t id = 1; id <= 20000; id++) {
        assert_true(queue_take(&queue, &got));
        assert_int_equal(got.id, id);
    }
    assert_true(queue_bytes(&queue) < empty);
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
        cmocka_unit_test(each_class_is_looked_at_by_itself),
        cmocka_unit_test(what_waits_for_the_store_is_not_looked_at),
        cmocka_unit_test(every_message_gets_a_new_class_and_keeps_its_place),
        cmocka_unit_test(a_long_queue_gives_its_memory_back_when_it_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
