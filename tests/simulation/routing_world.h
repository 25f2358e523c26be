/* SPDX-License-Identifier: Apache-2.0
 *
 * routing_world.h - a world in which messages have prices and cards have limits, and whether they are kept. */
#ifndef CELLPOST_SIMULATION_ROUTING_WORLD_H
#define CELLPOST_SIMULATION_ROUTING_WORLD_H

#include "src/routing/routing.h"
#include "src/store/store.h"

struct simulation;

#define ROUTING_TIMES_MAX 512            /* of the newest parts of a card: more than an hour's */

struct routing_card {
    uint64_t at_us[ROUTING_TIMES_MAX]; uint32_t count;
    uint64_t free_since_us, there_since_us;   /* NEVER: it is not */
};

struct routing_world {
    struct routing routing;
    struct routing_sim *sims;
    struct routing_card *cards;
    uint64_t priced, unpriced;           /* intents that had a price; that had none */
    uint64_t compared;                   /* with the price of at least one card that was free and dearer */
};

int routing_world_init(struct simulation *sim);       /* -ENOMEM */
void routing_world_done(struct simulation *sim);
/* Each turn: which cards have been free, or there at all, for how long. */
void routing_world_look(struct simulation *sim);
/* A message is about to go by a card: no cheaper one could have taken it in time. */
void routing_world_chosen(struct simulation *sim, const struct store_change *intent);
/* A card's part was taken by the network. */
void routing_world_on_air(struct simulation *sim, uint32_t card);

#endif
