/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever comes in which order (cards, messages, refusals, time, new tariffs): what is taken was judged fit for it, a day's limit
 * of parts is not exceeded, what no card may take stays in the queue, and nothing is taken twice. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/digits.h"
#include "src/choice/chooser.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define CARDS 6
#define DAY_MS INT64_C(86400000)

static const char *const tariff_texts[] = {
    "kind,plan,currency,prefix,price,next_part_price,prefixes,name,parts,period\n"
    "price,p0,EUR,*,0.30,,,,,\nprice,p0,EUR,336,0.05,0.04,,,,\nprice,p1,EUR,*,0.10,,,,,\nbundle,p1,,,,,33|40,b,20,day\nonnet,p2,,,,,4072,,,\n"
    "price,p2,EUR,40,0.20,,,,,\n",
    "kind,plan,currency,prefix,price,prefixes,name,parts,period,valid_until,valid_from\n"
    "price,p0,EUR,33,0.02,,,,,2026-11-19,\nprice,p0,EUR,33,0.90,,,,,,2026-11-20\nprice,p1,EUR,*,0.10,,,,,,\nbundle,p2,,,,*,c,5,week,,\n",
};
static const char route_text[] = "prefix,bearers,deny,prefer,action,patience,max_price\n*,,,,,60s,\n337,,name:n1,,,,\n338,name:n2,,,,0s,\n339,,,,refuse,,\n407,,,name:n0,,,0.15\n";
static const char *const numbers[] = { "33612345678", "33712345678", "33812345678", "33912345678", "40721234567", "40221234567", "12025550123" };

struct world {
    struct routing routings[2];
    struct routing_sim sims[CARDS];
    struct chooser *chooser;
    struct queue queue;
    struct limit_now now;
    int64_t next_id;
    uint16_t bearers[CARDS];             /* CHOOSER_NO_BEARER: not there */
    char *kept[CARDS];                   /* what its last intent wrote */
    uint32_t today[CARDS];
    bool limited;                        /* there are limits just now */
    int64_t day;
    bool had[4096];                      /* by id */
};

static void set_up(struct world *world)
{
    static struct table_notes notes;
    uint8_t priority;
    uint32_t limit;
    int64_t id;

    memset(world, 0, sizeof *world);
    world->now = (struct limit_now){ 1000000, INT64_C(1795000000000) };
    world->day = world->now.wall_ms / DAY_MS;
    world->next_id = 1;
    for (int i = 0; i < CARDS; i++) {
        world->bearers[i] = CHOOSER_NO_BEARER;
        (void)snprintf(world->sims[i].iccid, sizeof world->sims[i].iccid, "89000000000000000%02d", i);
        (void)snprintf(world->sims[i].name, sizeof world->sims[i].name, "n%d", i);
        (void)snprintf(world->sims[i].tariff, sizeof world->sims[i].tariff, "p%d", i % 3);
        world->sims[i].limits.per_day = i % 2 == 0 ? 7 : 0;
        world->sims[i].limits.recipients_per_day = i == 3 ? 2 : 0;
        world->sims[i].limits.gap_ms = i == 4 ? 5000 : 0;
        world->sims[i].limits.spend_per_day_micro = i == 5 ? 400000 : 0;
    }
    for (int i = 0; i < 2; i++) {
        struct routing *routing = &world->routings[i];
        struct table_file tariffs = { "t.csv", tariff_texts[i], strlen(tariff_texts[i]) }, routes = { "r.csv", route_text, sizeof route_text - 1 };

        *routing = (struct routing){ .currency = "EUR", .sims = world->sims, .sim_count = CARDS };
        if (tariff_parse(&tariffs, 1, &routing->tariffs, &notes) < 0 || route_parse(&routes, 1, &routing->routes, &notes) < 0)
            abort();
    }
    world->chooser = chooser_new(1);
    assert(world->chooser != NULL);
    queue_init(&world->queue, 64);
    queue_fetch_begin(&world->queue, &priority, &id, &limit);
    queue_fetched(&world->queue, NULL, 0, false, NULL, NULL);
}

static void tear_down(struct world *world)
{
    for (int i = 0; i < CARDS; i++)
        free(world->kept[i]);
    chooser_free(world->chooser);
    queue_done(&world->queue);
    for (int i = 0; i < 2; i++) {
        tariff_free(world->routings[i].tariffs);
        route_free(world->routings[i].routes);
    }
}

static uint16_t classify(void *context, const struct queue_item *item)
{
    struct world *world = context;

    return chooser_classify(world->chooser, item, world->now);
}

static void card(struct world *world, int i, uint8_t what)
{
    if (world->bearers[i] == CHOOSER_NO_BEARER) {
        if (chooser_bearer_open(world->chooser, ROUTE_SIM, world->sims[i].iccid, (uint32_t)i + 1, world->kept[i], world->now, &world->bearers[i]) < 0)
            world->bearers[i] = CHOOSER_NO_BEARER;
        else
            chooser_bearer_state(world->chooser, world->bearers[i], true, true, 0);
    } else if (what % 8 == 0) {
        chooser_bearer_close(world->chooser, world->bearers[i]);
        world->bearers[i] = CHOOSER_NO_BEARER;
    } else {
        chooser_bearer_state(world->chooser, world->bearers[i], what & 1, what & 2, what & 4 ? world->now.mono_ms + 10000 : 0);
    }
}

static void message(struct world *world, uint8_t number, uint8_t how)
{
    struct queue_item item = { .id = world->next_id++, .priority = how % 10, .parts = 1 + how % 3, .expire_ms = INT64_MAX, .patience_s = how % 5 * 30,
                               .since_s = (uint32_t)(world->now.wall_ms / 1000), .sticky_sim_id = how % 7 == 0 ? 1 + how % CARDS : 0,
                               .avoid_sim_id = how % 11 == 0 ? 1 + how % CARDS : 0, .avoid_until_s = (uint32_t)(world->now.wall_ms / 1000) + 20 };
    const char *digits = numbers[number % (sizeof numbers / sizeof numbers[0])];

    if (world->next_id > 4000)
        return;
    item.to_key = digits_pack(digits, strlen(digits), NULL) + ((uint64_t)(number / 7) << 20 & 0xF00000u);
    item.short_code = number % 29 == 0;
    item.class_id = chooser_classify(world->chooser, &item, world->now);
    (void)queue_put(&world->queue, &item);
}

static void take(struct world *world, int i, uint8_t what)
{
    struct chooser_taken taken;
    struct queue_item item;
    char *use_state, *record;
    uint64_t retry_ms;

    if (world->bearers[i] == CHOOSER_NO_BEARER || !chooser_pick(world->chooser, world->bearers[i], &world->queue, world->now, &item, &retry_ms))
        return;
    assert(chooser_judge(world->chooser, world->bearers[i], &item, world->now).verdict == CHOOSER_MAY);
    assert(queue_take_item(&world->queue, &item));
    assert(!world->had[item.id]);
    world->had[item.id] = true;
    for (item.part_next = 0; item.part_next < item.parts; item.part_next++) {
        bool back = what % 13 == 0;

        assert(chooser_take(world->chooser, world->bearers[i], &item, what, world->now, &taken, &use_state, &record) == 0);
        free(record);
        if (use_state != NULL) {
            free(world->kept[i]);
            world->kept[i] = use_state;
        }
        world->today[i] += world->limited;
        if (back)
            chooser_give_back(world->chooser, world->bearers[i], &taken, what & 64 ? USE_REFUSED : USE_NOT_SENT, world->now);
        if (back && (what & 64) == 0)
            world->today[i] -= world->limited;           /* nothing of it left */
        chooser_result(world->chooser, world->bearers[i], what % 5 == 0, world->now);
        assert(world->sims[i].limits.per_day == 0 || world->today[i] <= world->sims[i].limits.per_day);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct world world;

    set_up(&world);
    for (size_t at = 0; at + 2 < size; at += 3) {
        uint8_t what = bytes[at + 1], how = bytes[at + 2];

        switch (bytes[at] % 8) {
        case 0: card(&world, what % CARDS, how); break;
        case 1:
        case 2: message(&world, what, how); break;
        case 3:
        case 4: take(&world, what % CARDS, how); break;
        case 5:
            world.now.mono_ms += (uint64_t)what * 1000;
            world.now.wall_ms += (int64_t)what * 1000;
            break;
        case 6:
            if (what % 4 == 0) {
                world.now.mono_ms += (uint64_t)DAY_MS / 4;
                world.now.wall_ms += DAY_MS / 4;
            } else if (world.bearers[what % CARDS] != CHOOSER_NO_BEARER) {
                chooser_bearer_balance(world.chooser, world.bearers[what % CARDS], how % 3 == 0 ? -1 : how * 10000, how % 2 == 0 ? -1 : how, world.now);
            }
            break;
        default:
            if (chooser_configure(world.chooser, what % 3 == 2 ? NULL : &world.routings[what % 3], world.now) == 0)
                queue_reclassify(&world.queue, classify, &world);
            world.limited = what % 3 != 2;
            break;
        }
        if (world.now.wall_ms / DAY_MS != world.day) {
            world.day = world.now.wall_ms / DAY_MS;
            memset(world.today, 0, sizeof world.today);
        }
        if (chooser_stale(world.chooser, world.now)) {
            chooser_renew(world.chooser, world.now);
            queue_reclassify(&world.queue, classify, &world);
        }
    }
    tear_down(&world);
    return 0;
}
