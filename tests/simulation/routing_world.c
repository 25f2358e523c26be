/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/routing_world.h"

#include "tests/simulation/simulation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A plan that is cheap at home, one that is cheap abroad, and one with a bundle: every number of a world has three prices. */
static const char tariffs[] = "kind,plan,currency,prefix,price,next_part_price,prefixes,name,parts,period\n"
                              "price,home,EUR,*,0.30,,,,,\n"
                              "price,home,EUR,4072,0.05,0.04,,,,\n"
                              "price,away,EUR,*,0.10,,,,,\n"
                              "price,bundle,EUR,*,0.20,,,,,\n"
                              "bundle,bundle,,,,,407,day,60,day\n";

int routing_world_init(struct simulation *sim)
{
    static const char *const plans[] = { "home", "away", "bundle" };
    static struct table_notes notes;
    struct routing_world *world = &sim->routing;
    struct table_file file = { "tariffs.csv", tariffs, sizeof tariffs - 1 };
    struct sim_random random;

    *world = (struct routing_world){ .routing = { .currency = "EUR" } };
    if (!sim->options.routing)
        return 0;
    sim_random_init(&random, sim->options.seed, UINT64_C(0x70C7E5));
    world->sims = calloc(sim->bank.count, sizeof *world->sims);
    world->cards = calloc(sim->bank.count, sizeof *world->cards);
    if (world->sims == NULL || world->cards == NULL || tariff_parse(&file, 1, &world->routing.tariffs, &notes) < 0 ||
        route_parse(NULL, 0, &world->routing.routes, &notes) < 0)
        return -ENOMEM;
    world->routing.patience_s = sim_random_below(&random, 3) * 60;
    world->routing.sims = world->sims;
    world->routing.sim_count = sim->bank.count;
    (void)snprintf(world->routing.sim_default.tariff, sizeof world->routing.sim_default.tariff, "home");   /* its ICCID cannot be read */
    world->routing.sim_default.limits.per_hour = 5;
    for (uint32_t i = 0; i < sim->bank.count; i++) {
        struct routing_sim *card = &world->sims[i];

        (void)snprintf(card->iccid, sizeof card->iccid, "%s", sim->bank.cards[i].iccid);
        (void)snprintf(card->tariff, sizeof card->tariff, "%s", plans[sim_random_below(&random, 3)]);
        card->limits.per_hour = 30 + sim_random_below(&random, 300);
        if (sim_random_below(&random, 3) == 0)
            card->limits.per_minute = 3 + sim_random_below(&random, 10);
        if (sim_random_below(&random, 3) == 0)
            card->limits.gap_ms = 1000 + sim_random_below(&random, 9000);
    }
    return 0;
}

void routing_world_done(struct simulation *sim)
{
    free(sim->routing.sims);
    free(sim->routing.cards);
    tariff_free(sim->routing.routing.tariffs);
    route_free(sim->routing.routing.routes);
}

/* How many of a card's newest parts are not older than that. */
static uint32_t within(const struct routing_card *card, uint64_t since_us)
{
    uint32_t count = 0;

    while (count < card->count && count < ROUTING_TIMES_MAX && card->at_us[(card->count - 1 - count) % ROUTING_TIMES_MAX] >= since_us)
        count++;
    return count;
}

/* From the intent to the network's word a part takes so long at most, within which its place in time is not known. */
#define AIR_SLACK_US SECONDS(45)

void routing_world_on_air(struct simulation *sim, uint32_t index)
{
    static const struct { uint64_t length_us; const char *name; } windows[] = { { MINUTES(1), "minute" }, { HOURS(1), "hour" } };
    struct routing_world *world = &sim->routing;
    struct routing_card *card = &world->cards[index];
    const struct limit_rules *rules = &world->sims[index].limits;

    card->at_us[card->count++ % ROUTING_TIMES_MAX] = sim->now_us;
    for (size_t i = 0; i < 2; i++) {
        uint32_t limit = i == 0 ? rules->per_minute : rules->per_hour;
        uint64_t length_us = windows[i].length_us - AIR_SLACK_US;
        uint32_t count = within(card, sim->now_us > length_us ? sim->now_us - length_us : 0);

        if (sim->result->faults[SIM_FAULT_HELD] > 0)
            continue;                    /* a modem kept a part for itself for a while: when it was handed over is not to be seen here */
        if (limit != 0 && count > limit)
            violation(sim, "card %u sends %u parts within a %s and may send %u", (unsigned)index, (unsigned)count, windows[i].name, (unsigned)limit);
    }
}
