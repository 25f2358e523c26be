/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/routing_dispatch.h"

#include <string.h>

#define SHARE_PARTS 64.0f                /* given at once, so that equals share */
#define CHUNK_PARTS 8.0f                 /* of what no SIM can do in time */
#define QUEUE_MICRO 5.0f                 /* for each part a SIM was given already, */
#define QUEUE_PARTS 400.0f               /* up to so many */
#define SIM_DAYS (2 * WEEK_SIMS)
#define PLAN_MS 5000                     /* a plan is at most so old */

/* The first bin of each bucket, counted from the present one. */
static const unsigned bucket_bins[DISPATCH_BUCKETS + 1] = { 0,  1,  2,  3,   4,   5,   7,   9,   12,  16,  21,  28,           37,
                                                            50, 67, 90, 120, 160, 210, 280, 370, 490, 600, 670, 722 };

struct plan {
    float want[WEEK_CLASSES][DISPATCH_BUCKETS];              /* parts not given yet */
    float room[SIM_DAYS][DISPATCH_BUCKETS];                  /* parts that a SIM can still take that are due by then */
    float room_from[SIM_DAYS][DISPATCH_BUCKETS];             /* the least of it from there on */
    float load[SIM_DAYS];                                    /* parts until it is done with what it was given */
    float queue[SIM_DAYS];                                   /* parts it was given */
};

void dispatch_accepted(struct dispatch *dispatch, const struct week_message *message)
{
    dispatch->waiting[message->class][message->deadline_s / DISPATCH_BIN_S] += message->parts;
    dispatch->waiting_parts[message->class] += message->parts;
    dispatch->stale = true;
}

static void least_room(struct plan *plan, unsigned sim, unsigned from)
{
    for (unsigned k = from + 1; k-- > 0;)
        plan->room_from[sim][k] = k + 1 < DISPATCH_BUCKETS && plan->room_from[sim][k + 1] < plan->room[sim][k] ? plan->room_from[sim][k + 1]
                                                                                                          : plan->room[sim][k];
}

/* Room of a SIM by each bucket: its time, and what is left of the day's limit. */
static void find_room(struct plan *plan, const struct week_state *state, unsigned sim)
{
    const struct week_sim *of = &state->world->sims[sim];
    uint64_t midnight_ms = (state->now_ms / 1000 / DAY_S + 1) * DAY_S * 1000, bin = state->now_ms / 1000 / DISPATCH_BIN_S;
    uint64_t free_ms = state->free_ms[sim] > state->now_ms ? state->free_ms[sim] : state->now_ms;
    float left = (float)(of->day_limit - state->used_today[sim]), limit = (float)of->day_limit;

    for (unsigned k = 0; k < DISPATCH_BUCKETS; k++) {
        /* The middle of the bucket: what is due before it is in a nearer one soon. */
        uint64_t due_ms = k == 0 ? state->now_ms : (2 * bin + bucket_bins[k] + bucket_bins[k + 1] - 1) * DISPATCH_BIN_S * 500;
        uint64_t today_ms = due_ms < midnight_ms ? due_ms : midnight_ms;
        /* What begins in time may end later. */
        float time = today_ms < free_ms ? 0 : (float)(today_ms - free_ms) / (float)of->part_ms + (k == 0 ? WEEK_PARTS_MAX : 0);
        float after = due_ms <= midnight_ms ? 0 : (float)(due_ms - midnight_ms) / (float)of->part_ms;

        plan->room[sim][k] = time < left ? time : left;
        plan->room[WEEK_SIMS + sim][k] = after < limit ? after : limit;
    }
    plan->load[sim] = (float)(free_ms - state->now_ms) / (float)of->part_ms;
    plan->load[WEEK_SIMS + sim] = (float)(midnight_ms - state->now_ms) / (float)of->part_ms;
    plan->queue[sim] = plan->queue[WEEK_SIMS + sim] = 0;
    least_room(plan, sim, DISPATCH_BUCKETS - 1);
    least_room(plan, WEEK_SIMS + sim, DISPATCH_BUCKETS - 1);
}

static void give(struct dispatch *dispatch, struct plan *plan, unsigned sim, unsigned class, unsigned bucket, float parts)
{
    dispatch->given[sim][class][bucket] += parts;
    plan->want[class][bucket] -= parts;
    plan->load[sim] += parts;
    plan->queue[sim] += parts;
    for (unsigned k = bucket; k < DISPATCH_BUCKETS; k++)
        plan->room[sim][k] -= parts;
    least_room(plan, sim, DISPATCH_BUCKETS - 1);
}

/* The cheapest SIM with room, and how much dearer the next one is; SIM_DAYS. What a SIM was given already makes it a little
 * dearer: shadow prices make equals of SIMs that should share, and none of them may idle while another has a queue. */
static unsigned cheapest(const struct plan *plan, dispatch_costs costs, unsigned class, unsigned bucket, int64_t *ret_more)
{
    int64_t least = INT64_MAX, next = INT64_MAX;
    unsigned best = SIM_DAYS;

    for (unsigned sim = 0; sim < SIM_DAYS; sim++) {
        int64_t cost = costs[class][sim];

        if (cost >= next || plan->room_from[sim][bucket] < 1)
            continue;
        cost += (int64_t)((plan->queue[sim] < QUEUE_PARTS ? plan->queue[sim] : QUEUE_PARTS) * QUEUE_MICRO);
        if (cost < least) {
            next = least;
            least = cost;
            best = sim;
        } else if (cost < next) {
            next = cost;
        }
    }
    *ret_more = next == INT64_MAX ? INT64_MAX : next - least;
    return best;
}

/* No SIM can do it in time: the one that is done first, of those that may send it at all. */
static unsigned soonest(const struct plan *plan, const struct week_state *state, dispatch_costs costs, unsigned class)
{
    unsigned best = WEEK_SIMS;

    for (unsigned sim = 0; sim < WEEK_SIMS; sim++)
        if (costs[class][sim] != INT64_MAX && state->world->sims[sim].day_limit - state->used_today[sim] >= WEEK_PARTS_MAX &&
            (best == WEEK_SIMS || plan->load[sim] < plan->load[best]))
            best = sim;
    return best;
}

static void make_plan(struct dispatch *dispatch, const struct week_state *state, dispatch_costs costs)
{
    uint64_t bin = state->now_ms / 1000 / DISPATCH_BIN_S;
    unsigned bucket[WEEK_CLASSES] = { 0 };
    static struct plan plan;

    memset(dispatch->given, 0, sizeof dispatch->given);
    for (unsigned class = 0; class < WEEK_CLASSES; class++) {
        float later = 0;

        memset(plan.want[class], 0, sizeof plan.want[class]);
        for (unsigned k = 1; k < DISPATCH_BUCKETS && dispatch->waiting_parts[class] > 0; k++) {
            uint32_t parts = 0;

            for (uint64_t i = bin + bucket_bins[k]; i < bin + bucket_bins[k + 1] && i < DISPATCH_BINS; i++)
                parts += dispatch->waiting[class][i];
            plan.want[class][k] = (float)parts;
            later += (float)parts;
        }
        plan.want[class][0] = (float)dispatch->waiting_parts[class] - later;
    }
    for (unsigned sim = 0; sim < WEEK_SIMS; sim++)
        find_room(&plan, state, sim);
    for (;;) {
        unsigned class = WEEK_CLASSES, sim = SIM_DAYS;
        int64_t most = -1;
        float parts;

        for (unsigned c = 0; c < WEEK_CLASSES; c++) {
            int64_t more;
            unsigned s;

            while (bucket[c] < DISPATCH_BUCKETS && plan.want[c][bucket[c]] < 0.01f)
                bucket[c]++;
            if (bucket[c] == DISPATCH_BUCKETS)
                continue;
            more = INT64_MAX;
            s = cheapest(&plan, costs, c, bucket[c], &more);
            if (more > most) {
                most = more;
                class = c;
                sim = s;
            }
        }
        if (class == WEEK_CLASSES)
            break;
        if (sim < SIM_DAYS) {
            float room = plan.room_from[sim][bucket[class]];

            parts = plan.want[class][bucket[class]];
            parts = parts < room ? parts : room;
            give(dispatch, &plan, sim, class, bucket[class], parts < SHARE_PARTS ? parts : SHARE_PARTS);
            continue;
        }
        sim = soonest(&plan, state, costs, class);
        parts = plan.want[class][bucket[class]];
        if (sim == WEEK_SIMS)
            plan.want[class][bucket[class]] = 0;
        else
            give(dispatch, &plan, sim, class, bucket[class], parts < CHUNK_PARTS ? parts : CHUNK_PARTS);
    }
    dispatch->stale = false;
    dispatch->planned_ms = state->now_ms;
}

/* Of what a SIM was given, what is due first; WEEK_CLASSES. */
static unsigned first_given(struct dispatch *dispatch, const struct week_state *state, unsigned sim)
{
    const struct week_sim *of = &state->world->sims[sim];

    for (unsigned k = 0; k < DISPATCH_BUCKETS; k++)
        for (unsigned class = 0; class < WEEK_CLASSES; class++) {
            const struct week_message *head = week_head(state, class);

            if (dispatch->given[sim][class][k] > 0 && head != NULL && of->day_limit - state->used_today[sim] >= head->parts) {
                dispatch->given[sim][class][k] -= (float)head->parts;
                return class;
            }
        }
    return WEEK_CLASSES;
}

bool dispatch_choose(struct dispatch *dispatch, const struct week_state *state, dispatch_costs costs, struct week_choice *ret_choice)
{
    bool any = false;

    for (unsigned sim = 0; sim < WEEK_SIMS; sim++)
        any |= state->free_ms[sim] <= state->now_ms;
    for (int again = 0; again < 2 && any; again++) {
        if (dispatch->stale || state->now_ms >= dispatch->planned_ms + PLAN_MS)
            make_plan(dispatch, state, costs);
        for (unsigned sim = 0; sim < WEEK_SIMS; sim++) {
            unsigned class;
            const struct week_message *head;

            if (state->free_ms[sim] > state->now_ms || (class = first_given(dispatch, state, sim)) == WEEK_CLASSES)
                continue;
            head = week_head(state, class);
            dispatch->waiting[class][head->deadline_s / DISPATCH_BIN_S] -= head->parts;
            dispatch->waiting_parts[class] -= head->parts;
            *ret_choice = (struct week_choice){ .sim = sim, .class = class };
            return true;
        }
        /* Once more with a new plan: what was given to this SIM may be gone. */
        if (dispatch->planned_ms == state->now_ms)
            break;
        dispatch->stale = true;
    }
    ret_choice->again_ms = state->now_ms + PLAN_MS;
    return false;
}
