/* SPDX-License-Identifier: Apache-2.0
 *
 * routing_world.h - a world in which messages have prices and cards have limits, and whether they are kept. */
#ifndef CELLPOST_SIMULATION_ROUTING_WORLD_H
#define CELLPOST_SIMULATION_ROUTING_WORLD_H

#include "src/routing/routing.h"

struct simulation;

#define ROUTING_TIMES_MAX 512            /* of the newest parts of a card: more than an hour's */

struct routing_card { uint64_t at_us[ROUTING_TIMES_MAX]; uint32_t count; };

struct routing_world {
    struct routing routing;
    struct routing_sim *sims;
    struct routing_card *cards;
    uint64_t priced, unpriced;           /* intents that had a price; that had none */
};

int routing_world_init(struct simulation *sim);       /* -ENOMEM */
void routing_world_done(struct simulation *sim);
/* A card's part was taken by the network. */
void routing_world_on_air(struct simulation *sim, uint32_t card);

#endif
