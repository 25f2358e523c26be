/* SPDX-License-Identifier: Apache-2.0
 *
 * What other gateways do: a SIM is chosen when one is free, by turns, by chance, or in an order that is fixed for each
 * prefix. Limits are kept and nothing waits while a SIM is free; the message with the earliest deadline goes first. */
#include "tests/bench/routing_week.h"
#include "tests/system/harness.h"

#include <stdlib.h>

struct rival { unsigned next; uint64_t draws; unsigned order[WEEK_CLASSES][WEEK_SIMS]; };

static void *begin(const struct week_world *world, const struct week *past, unsigned past_count)
{
    struct rival *rival = calloc(1, sizeof *rival);

    (void)past;
    (void)past_count;
    HARNESS_CHECK(rival != NULL);
    rival->draws = 0x9E3779B97F4A7C15u;
    /* By price, as an operator writes it down who reads the tariffs; a bundle counts as free. */
    for (unsigned class = 0; class < WEEK_CLASSES; class++)
        for (unsigned sim = 0; sim < WEEK_SIMS; sim++) {
            int64_t price = world->sims[sim].bundle_of[class] != WEEK_NO_BUNDLE ? 0 : world->sims[sim].price_micro[class];
            unsigned at = sim;

            for (; at > 0; at--) {
                unsigned other = rival->order[class][at - 1];

                if ((world->sims[other].bundle_of[class] != WEEK_NO_BUNDLE ? 0 : world->sims[other].price_micro[class]) <= price)
                    break;
                rival->order[class][at] = other;
            }
            rival->order[class][at] = sim;
        }
    return rival;
}

static void accepted(void *policy, const struct week_state *state, const struct week_message *message)
{
    (void)policy;
    (void)state;
    (void)message;
}

static bool can_take(const struct week_state *state, unsigned sim, unsigned class)
{
    int64_t micro;

    return state->free_ms[sim] <= state->now_ms && week_quote(state, sim, class, week_head(state, class)->parts, &micro);
}

/* The class whose head is due first and that some SIM can take; WEEK_CLASSES. */
static unsigned first_due(const struct week_state *state)
{
    unsigned first = WEEK_CLASSES;

    for (unsigned class = 0; class < WEEK_CLASSES; class++) {
        const struct week_message *head = week_head(state, class);
        bool any = false;

        for (unsigned sim = 0; sim < WEEK_SIMS && head != NULL && !any; sim++)
            any = can_take(state, sim, class);
        if (any && (first == WEEK_CLASSES || head->deadline_s < week_head(state, first)->deadline_s))
            first = class;
    }
    return first;
}

static bool choose_by_turns(void *policy, const struct week_state *state, struct week_choice *ret_choice)
{
    struct rival *rival = policy;
    unsigned class = first_due(state);

    for (unsigned i = 0; i < WEEK_SIMS && class < WEEK_CLASSES; i++) {
        unsigned sim = (rival->next + i) % WEEK_SIMS;

        if (can_take(state, sim, class)) {
            rival->next = sim + 1;
            *ret_choice = (struct week_choice){ .sim = sim, .class = class };
            return true;
        }
    }
    ret_choice->again_ms = UINT64_MAX;
    return false;
}

static bool choose_by_chance(void *policy, const struct week_state *state, struct week_choice *ret_choice)
{
    struct rival *rival = policy;

    rival->draws ^= rival->draws << 13;
    rival->draws ^= rival->draws >> 7;
    rival->draws ^= rival->draws << 17;
    rival->next = (unsigned)(rival->draws % WEEK_SIMS);
    return choose_by_turns(policy, state, ret_choice);
}

static bool choose_preferred(void *policy, const struct week_state *state, struct week_choice *ret_choice)
{
    struct rival *rival = policy;
    unsigned class = first_due(state);

    for (unsigned i = 0; i < WEEK_SIMS && class < WEEK_CLASSES; i++)
        if (can_take(state, rival->order[class][i], class)) {
            *ret_choice = (struct week_choice){ .sim = rival->order[class][i], .class = class };
            return true;
        }
    ret_choice->again_ms = UINT64_MAX;
    return false;
}

const struct week_policy week_round_robin = { "round_robin", begin, accepted, choose_by_turns, free };
const struct week_policy week_random = { "random", begin, accepted, choose_by_chance, free };
const struct week_policy week_preferred = { "preferred", begin, accepted, choose_preferred, free };
