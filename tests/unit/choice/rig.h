/* SPDX-License-Identifier: Apache-2.0
 *
 * rig.h - a chooser with tariffs, routes and cards from a few lines of text, and a queue. */
#ifndef TESTS_UNIT_CHOICE_RIG_H
#define TESTS_UNIT_CHOICE_RIG_H

#include "src/base/digits.h"
#include "src/choice/chooser.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#define RIG_WALL_MS INT64_C(1795000000000)   /* 2026-11-18 */

struct rig {
    struct routing routing;
    struct routing_sim sims[16];
    struct chooser *chooser;
    struct queue queue;
    struct limit_now now;
    int64_t next_id;
};

static inline void rig_tariffs(struct rig *rig, const char *text)
{
    static struct table_notes notes;
    struct table_file file = { "tariffs.csv", text, strlen(text) };

    if (tariff_parse(&file, 1, &rig->routing.tariffs, &notes) < 0)
        fail_msg("%s", notes.text[0]);
}

static inline void rig_routes(struct rig *rig, const char *text)
{
    static struct table_notes notes;
    struct table_file file = { "routes.csv", text, strlen(text) };

    route_free(rig->routing.routes);
    if (route_parse(&file, text[0] != '\0' ? 1 : 0, &rig->routing.routes, &notes) < 0)
        fail_msg("%s", notes.text[0]);
}

/* What is configured for a card: before rig_start(). */
static inline struct routing_sim *rig_sim(struct rig *rig, const char *iccid, const char *tariff)
{
    struct routing_sim *sim = &rig->sims[rig->routing.sim_count++];

    (void)snprintf(sim->iccid, sizeof sim->iccid, "%s", iccid);
    (void)snprintf(sim->tariff, sizeof sim->tariff, "%s", tariff);
    return sim;
}

static inline void rig_init(struct rig *rig)
{
    *rig = (struct rig){ .now = { .mono_ms = 1000000, .wall_ms = RIG_WALL_MS }, .next_id = 1 };
    memcpy(rig->routing.currency, "EUR", 4);
    rig->routing.sims = rig->sims;
    rig_routes(rig, "");
}

static inline void rig_start(struct rig *rig)
{
    uint8_t priority;
    uint32_t limit;
    int64_t id;

    rig->chooser = chooser_new(1);
    assert_non_null(rig->chooser);
    assert_int_equal(chooser_configure(rig->chooser, &rig->routing, rig->now), 0);
    queue_init(&rig->queue, 0);
    queue_fetch_begin(&rig->queue, &priority, &id, &limit);
    queue_fetched(&rig->queue, NULL, 0, false, NULL, NULL);
}

static inline void rig_done(struct rig *rig)
{
    chooser_free(rig->chooser);
    queue_done(&rig->queue);
    tariff_free(rig->routing.tariffs);
    route_free(rig->routing.routes);
    rates_free(rig->routing.rates);
    override_free(rig->routing.overrides);
}

/* A card in a modem that is idle. Its row number is its place among the bearers, from 1. */
static inline uint16_t rig_bearer(struct rig *rig, const char *iccid)
{
    uint16_t bearer;

    assert_int_equal(chooser_bearer_open(rig->chooser, ROUTE_SIM, iccid, chooser_bearer_count(rig->chooser) + 1, NULL, rig->now, &bearer), 0);
    chooser_bearer_state(rig->chooser, bearer, true, true, 0);
    return bearer;
}

static inline struct queue_item rig_item(struct rig *rig, const char *number, uint32_t patience_s)
{
    struct queue_item item = { .id = rig->next_id++, .priority = 5, .parts = 1, .patience_s = patience_s, .expire_ms = INT64_MAX,
                               .since_s = (uint32_t)(rig->now.wall_ms / 1000) };

    item.to_key = digits_pack(number, strlen(number), NULL);
    return item;
}

static inline struct queue_item rig_put(struct rig *rig, struct queue_item item)
{
    item.class_id = chooser_classify(rig->chooser, &item, rig->now);
    assert_int_equal(queue_put(&rig->queue, &item), QUEUE_KEPT);
    return item;
}

/* The id of what the bearer takes, which is counted and leaves the queue; 0: nothing. */
static inline int64_t rig_take(struct rig *rig, uint16_t bearer)
{
    struct chooser_taken taken;
    char *use_state, *record;
    struct queue_item item;
    uint64_t retry_ms;

    if (!chooser_pick(rig->chooser, bearer, &rig->queue, rig->now, &item, &retry_ms))
        return 0;
    assert_true(queue_take_item(&rig->queue, &item));
    assert_int_equal(chooser_take(rig->chooser, bearer, &item, 0, rig->now, &taken, &use_state, &record), 0);
    free(use_state);
    free(record);
    return item.id;
}

static inline void rig_pass(struct rig *rig, uint64_t ms)
{
    rig->now.mono_ms += ms;
    rig->now.wall_ms += (int64_t)ms;
}

#endif
