/* SPDX-License-Identifier: Apache-2.0
 *
 * A week in virtual time: messages are accepted, SIMs become free, and between two such moments nothing happens. */
#include "tests/bench/routing_week.h"
#include "tests/system/harness.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LATE_S 60
#define CALENDAR_STEP_MS 1

static bool earlier(const struct week_state *state, uint32_t a, uint32_t b)
{
    const struct week_message *x = &state->messages[a], *y = &state->messages[b];

    return x->deadline_s != y->deadline_s ? x->deadline_s < y->deadline_s : a < b;
}

static void queue_put(struct week_state *state, unsigned class, uint32_t index)
{
    struct week_queue *queue = &state->queues[class];
    size_t at = queue->count++;

    for (; at > 0 && earlier(state, index, queue->heap[(at - 1) / 2]); at = (at - 1) / 2)
        queue->heap[at] = queue->heap[(at - 1) / 2];
    queue->heap[at] = index;
    state->waiting++;
}

static uint32_t queue_take(struct week_state *state, unsigned class, size_t at)
{
    struct week_queue *queue = &state->queues[class];
    uint32_t taken = queue->heap[at], last = queue->heap[--queue->count];

    state->waiting--;
    if (at == queue->count)
        return taken;
    for (; at > 0 && earlier(state, last, queue->heap[(at - 1) / 2]); at = (at - 1) / 2)
        queue->heap[at] = queue->heap[(at - 1) / 2];
    for (size_t child = 2 * at + 1; child < queue->count; at = child, child = 2 * at + 1) {
        if (child + 1 < queue->count && earlier(state, queue->heap[child + 1], queue->heap[child]))
            child++;
        if (!earlier(state, queue->heap[child], last))
            break;
        queue->heap[at] = queue->heap[child];
    }
    queue->heap[at] = last;
    return taken;
}

static size_t place_of(const struct week_state *state, const struct week_choice *choice)
{
    const struct week_queue *queue = &state->queues[choice->class];
    size_t at = 0;

    while (choice->message != 0 && queue->heap[at] != choice->message - 1) {
        at++;
        HARNESS_CHECK(at < queue->count);
    }
    return at;
}

const struct week_message *week_head(const struct week_state *state, unsigned class)
{
    return state->queues[class].count > 0 ? &state->messages[state->queues[class].heap[0]] : NULL;
}

static unsigned paid_parts(const struct week_state *state, unsigned sim, unsigned class, unsigned parts)
{
    uint32_t bundle = state->world->sims[sim].bundle_of[class], left = bundle == WEEK_NO_BUNDLE ? 0 : state->left[bundle];

    return left >= parts ? 0 : parts - left;
}

bool week_quote(const struct week_state *state, unsigned sim, unsigned class, unsigned parts, int64_t *ret_micro)
{
    const struct week_sim *of = &state->world->sims[sim];

    if (of->day_limit - state->used_today[sim] < parts)
        return false;
    *ret_micro = of->price_micro[class] * paid_parts(state, sim, class, parts);
    return true;
}

static void hand_over(struct week_state *state, const struct week_choice *choice, struct week_result *result)
{
    const struct week_message *message = &state->messages[queue_take(state, choice->class, place_of(state, choice))];
    const struct week_sim *sim = &state->world->sims[choice->sim];
    unsigned paid = paid_parts(state, choice->sim, choice->class, message->parts);
    uint64_t now_s = state->now_ms / 1000, late_s = now_s > message->deadline_s ? now_s - message->deadline_s : 0;

    if (state->free_ms[choice->sim] > state->now_ms || sim->day_limit - state->used_today[choice->sim] < message->parts)
        result->violations++;
    if (sim->bundle_of[choice->class] != WEEK_NO_BUNDLE)
        state->left[sim->bundle_of[choice->class]] -= message->parts - paid;
    state->used_today[choice->sim] += message->parts;
    state->free_ms[choice->sim] = state->now_ms + (uint64_t)sim->part_ms * message->parts;
    result->paid_micro += (uint64_t)sim->price_micro[choice->class] * paid;
    result->sent++;
    result->sent_parts += message->parts;
    result->late += late_s > LATE_S;
    if (late_s > result->late_max_s)
        result->late_max_s = late_s;
    if (now_s - message->at_s > result->wait_max_s)
        result->wait_max_s = now_s - message->at_s;
}

static void begin_day(struct week_state *state, uint64_t day_s)
{
    memset(state->used_today, 0, sizeof state->used_today);
    for (unsigned i = 0; i < state->world->bundle_count; i++) {
        const struct week_bundle *bundle = &state->world->bundles[i];
        uint32_t period = week_period_of(bundle, (uint32_t)day_s);

        if (period == UINT32_MAX)
            state->left[i] = 0;
        else if (bundle->periods[period].from_s == day_s)
            state->left[i] = bundle->periods[period].parts;
    }
}

/* What was not sent is paid at the dearest price, so that leaving messages does not pay. */
static void count_unsent(const struct week_state *state, struct week_result *result)
{
    for (unsigned class = 0; class < WEEK_CLASSES; class++)
        for (size_t i = 0; i < state->queues[class].count; i++) {
            int64_t dearest = 0;

            for (unsigned sim = 0; sim < WEEK_SIMS; sim++)
                if (state->world->sims[sim].price_micro[class] > dearest)
                    dearest = state->world->sims[sim].price_micro[class];
            result->paid_micro += (uint64_t)dearest * state->messages[state->queues[class].heap[i]].parts;
            result->unsent++;
        }
}

struct week_result week_run(const struct week_world *world, const struct week *week, const struct week *past, unsigned past_count,
                            const struct week_policy *policy)
{
    struct week_state state = { .world = world, .messages = week->messages };
    struct week_result result = { 0 };
    struct timespec from, to;
    uint64_t day = 0;
    size_t next = 0;
    void *self;

    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned class = 0; class < WEEK_CLASSES; class++) {
        state.queues[class].heap = malloc(week->count * sizeof *state.queues[class].heap);
        HARNESS_CHECK(state.queues[class].heap != NULL);
    }
    self = policy->begin(world, past, past_count);
    begin_day(&state, 0);
    while (state.now_ms < (uint64_t)WEEK_S * 1000) {
        struct week_choice choice = { .again_ms = UINT64_MAX };
        uint64_t then_ms;

        for (; next < week->count && (uint64_t)week->messages[next].at_s * 1000 <= state.now_ms; next++) {
            queue_put(&state, week->messages[next].class, (uint32_t)next);
            policy->accepted(self, &state, &week->messages[next]);
        }
        while (state.waiting > 0 && policy->choose(self, &state, &choice)) {
            hand_over(&state, &choice, &result);
            choice = (struct week_choice){ .again_ms = UINT64_MAX };
        }
        then_ms = choice.again_ms > state.now_ms ? choice.again_ms : state.now_ms + CALENDAR_STEP_MS;
        if (next < week->count && (uint64_t)week->messages[next].at_s * 1000 < then_ms)
            then_ms = (uint64_t)week->messages[next].at_s * 1000;
        if (state.waiting > 0)
            for (unsigned sim = 0; sim < WEEK_SIMS; sim++)
                if (state.free_ms[sim] > state.now_ms && state.free_ms[sim] < then_ms)
                    then_ms = state.free_ms[sim];
        if (then_ms >= (day + 1) * DAY_S * 1000) {
            then_ms = ++day * DAY_S * 1000;
            begin_day(&state, day * DAY_S);
        }
        state.now_ms = then_ms;
    }
    policy->end(self);
    count_unsent(&state, &result);
    if (result.sent + result.unsent != week->count)
        result.violations++;
    for (unsigned class = 0; class < WEEK_CLASSES; class++)
        free(state.queues[class].heap);
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    result.runtime_ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
    return result;
}
