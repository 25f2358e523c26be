/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/routing_world.h"

#include "src/choice/chooser.h"
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
    world->routing.patience_s = sim_random_below(&random, 3) * 300;
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

/* -- the cheapest in time -------------------------------------------------------------------------------------- */

#define SETTLED_US SECONDS(2)            /* a card that became free this moment could not be asked yet */
#define DEALT_US SECONDS(6)              /* what waits was dealt out before it came, or before its limits let it */

/* By the table above; -1: it depends on a bundle, which is not counted here. */
static int64_t price_of(const struct routing_world *world, uint32_t card, const char *to, uint16_t parts)
{
    if (strcmp(world->sims[card].tariff, "bundle") == 0)
        return -1;
    if (strcmp(world->sims[card].tariff, "away") == 0)
        return 100000 * (int64_t)parts;
    return strncmp(to, "+4072", 5) == 0 ? 50000 + 40000 * (int64_t)(parts - 1) : 300000 * (int64_t)parts;
}

/* Asked of the library alone, past everything the chooser keeps. */
static bool may_send(struct simulation *sim, uint32_t card, uint16_t parts)
{
    const struct chooser *chooser = gateway_chooser(box_gateway(sim->host.box));
    struct limit_now now = { host_now(sim).mono_us / 1000, host_now(sim).wall_ms };

    for (uint16_t i = 0; i < chooser_bearer_count(chooser); i++) {
        struct chooser_bearer_view view;
        uint64_t left_us;
        const char *cause;

        if (!chooser_bearer_view(chooser, i, &view) || strcmp(view.id, sim->routing.sims[card].iccid) != 0)
            continue;
        for (uint32_t slot = 0; slot < box_slot_count(sim->host.box); slot++)
            if (gateway_slot_bearer(box_gateway(sim->host.box), slot) == i &&
                gateway_rests(box_gateway(sim->host.box), slot, host_now(sim).mono_us, &left_us, &cause))
                return false;
        return limit_check(view.rules, view.use, 1, parts, 0, false, now).kind == LIMIT_NONE;
    }
    return false;
}

void routing_world_look(struct simulation *sim)
{
    struct routing_world *world = &sim->routing;
    bool seen[BANK_MODEMS_MAX] = { false };

    for (uint16_t i = 0; sim->host.box != NULL && i < chooser_bearer_count(gateway_chooser(box_gateway(sim->host.box))); i++) {
        struct chooser_bearer_view view;

        for (uint32_t card = 0; chooser_bearer_view(gateway_chooser(box_gateway(sim->host.box)), i, &view) && card < sim->bank.count; card++)
            if (strcmp(view.id, world->sims[card].iccid) == 0 && view.present) {
                seen[card] = true;
                if (!may_send(sim, card, 1))
                    world->cards[card].there_since_us = NEVER;
                else if (world->cards[card].there_since_us == NEVER)
                    world->cards[card].there_since_us = sim->now_us;
                if (!view.idle)
                    world->cards[card].free_since_us = NEVER;
                else if (world->cards[card].free_since_us == NEVER)
                    world->cards[card].free_since_us = sim->now_us;
            }
    }
    for (uint32_t card = 0; card < sim->bank.count; card++)
        if (!seen[card])
            world->cards[card].there_since_us = world->cards[card].free_since_us = NEVER;
}

/* Until its patience ends the card could do twice as many parts as wait for any: no reason to go by a dearer one. */
static bool has_time(struct simulation *sim, uint32_t card, uint64_t left_us)
{
    const struct limit_rules *rules = &sim->routing.sims[card].limits;
    uint64_t part_us = SECONDS(15), waiting = 0;   /* the slowest modem's */

    if (rules->per_minute != 0 && MINUTES(1) / rules->per_minute > part_us)
        part_us = MINUTES(1) / rules->per_minute;
    if (HOURS(1) / rules->per_hour > part_us)
        part_us = HOURS(1) / rules->per_hour;
    for (uint32_t i = 0; i < sim->witness.message_count; i++)
        if (sim->witness.messages[i].ready || (sim->witness.messages[i].promised && !sim->witness.messages[i].settled && !sim->witness.messages[i].cancelled))
            waiting += sim->witness.messages[i].parts;
    return left_us > part_us * (waiting + 1) * 2;
}

void routing_world_chosen(struct simulation *sim, const struct store_change *change)
{
    const struct change_intent *intent = &change->u.intent;
    const struct witness_message *message = witness_message_by_id(sim, intent->message_id);
    const struct bank_modem *place = bank_at_slot(sim, change->slot);
    struct routing_world *world = &sim->routing;
    uint64_t waited_us;
    int64_t price_micro;
    bool urgent;

    if (message == NULL || place == NULL || intent->part != 0 || !message->ready)   /* one that is bound to its SIM is not ready for all */
        return;
    price_micro = price_of(world, place->index, message->to, message->parts);
    if (price_micro < 0)
        return;
    waited_us = sim->now_us - message->created_us;   /* the first request may have landed without an answer */
    urgent = waited_us >= SECONDS(world->routing.patience_s) + SECONDS(2);
    if (message->due_ms != 0)
        return;                          /* its patience began later */
    if (!urgent && (waited_us + SECONDS(5) >= SECONDS(world->routing.patience_s) || message->created_boot_us != sim->host.boot_us))
        return;                          /* nearly over; or by a clock of another start it may be */
    for (uint32_t card = 0; card < sim->bank.count; card++) {
        int64_t other_micro = price_of(world, card, message->to, message->parts);
        uint64_t since_us = urgent ? world->cards[card].free_since_us : world->cards[card].there_since_us;

        if (card == place->index || other_micro < 0 || since_us == NEVER || since_us + (urgent ? SETTLED_US : DEALT_US) > sim->now_us || !may_send(sim, card, message->parts))
            continue;
        world->compared += other_micro > price_micro;
        if (other_micro < price_micro && message->avoid_sim_id == 0 && (urgent || has_time(sim, card, SECONDS(world->routing.patience_s) - waited_us)))
            violation(sim, "message %lld to %s goes by card %u for %lld, and card %u, which %s, asks %lld", (long long)message->id, message->to,
                      (unsigned)place->index, (long long)price_micro, (unsigned)card, urgent ? "is free" : "is there", (long long)other_micro);
    }
}

/* -- limits ---------------------------------------------------------------------------------------------------- */

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
