/* SPDX-License-Identifier: Apache-2.0
 *
 * The policy that is shipped: the gateway's own chooser and planner (src/choice) on the same week. Prices, limits and bundles go in
 * as an operator would write them, in CSV and limits. What is taken is the chooser's word, message by message.
 *
 * A bundle whose period ends midweek has fewer parts in the first period than in the second: that its operator says. Every
 * bundle ends with the week (valid_until), as it does in the bound. Messages that say their patience in whole minutes, tens of
 * minutes or hours (rounded down) share classes, as those of people do. */
#include "src/base/digits.h"
#include "src/choice/planner.h"
#include "tests/bench/routing_week.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MONDAY_MS INT64_C(1767571200000)   /* 2026-01-05 */
#define WEEK_MS ((int64_t)WEEK_S * 1000)
#define MONO_MS 1000000u
#define TARIFF_CHARS 65536
#define POLL_MS 60000u

struct policy {
    const struct week_world *world;
    struct routing routing;
    struct routing_sim sims[WEEK_SIMS];
    struct chooser *chooser;
    struct planner *planner;             /* NULL: nothing is learnt */
    struct queue queue;
    uint16_t bearers[WEEK_SIMS];
    uint32_t periods[WEEK_BUNDLES_MAX];
    uint64_t past_ms, polled_ms;
    bool polled;
};

static const char *const class_prefixes[WEEK_CLASSES] = { "331", "332", "333", "334", "401", "402", "403", "404", "391", "392", "393" };

/* -- what is configured ------------------------------------------------------------------------------------------- */

static void add_bundle(const struct week_world *world, unsigned index, char *text, size_t *length)
{
    const struct week_bundle *bundle = &world->bundles[index];
    const struct week_period *last = &bundle->periods[bundle->period_count - 1];
    bool daily = bundle->period_count == 7;

    *length += (size_t)snprintf(text + *length, TARIFF_CHARS - *length, "bundle,%s,,,,,", world->sims[bundle->sim].name);
    for (unsigned class = 0, any = 0; class < WEEK_CLASSES; class++)
        if (world->sims[bundle->sim].bundle_of[class] == index)
            *length += (size_t)snprintf(text + *length, TARIFF_CHARS - *length, "%s%s", any++ > 0 ? "|" : "", class_prefixes[class]);
    *length += (size_t)snprintf(text + *length, TARIFF_CHARS - *length, ",bundle-%u,%u,%s,", index, (unsigned)(last->parts < TARIFF_BUNDLE_PARTS_MAX ? last->parts : TARIFF_BUNDLE_PARTS_MAX),
                                daily ? "day" : "week");
    if (!daily)
        *length += (size_t)snprintf(text + *length, TARIFF_CHARS - *length, "%u", last->from_s / DAY_S + 1);
    *length += (size_t)snprintf(text + *length, TARIFF_CHARS - *length, ",UTC,,2026-01-11,\n");
}

static void make_tariffs(struct policy *policy)
{
    static struct table_notes notes;
    char *text = malloc(TARIFF_CHARS);
    struct table_file file = { "week.csv", text, 0 };
    size_t length;

    HARNESS_CHECK(text != NULL);
    length = (size_t)snprintf(text, TARIFF_CHARS, "kind,plan,currency,prefix,price,next_part_price,prefixes,name,parts,period,reset_day,time_zone,valid_from,valid_until,note\n");
    for (unsigned s = 0; s < WEEK_SIMS; s++)
        for (unsigned class = 0; class < WEEK_CLASSES; class++)
            length += (size_t)snprintf(text + length, TARIFF_CHARS - length, "price,%s,EUR,%s,0.%06d,,,,,,,,,,\n", policy->world->sims[s].name, class_prefixes[class],
                                       (int)policy->world->sims[s].price_micro[class]);
    for (unsigned b = 0; b < policy->world->bundle_count; b++)
        add_bundle(policy->world, b, text, &length);
    file.length = length;
    if (tariff_parse(&file, 1, &policy->routing.tariffs, &notes) < 0)
        (void)fprintf(stderr, "%s\n", notes.text[0]);
    HARNESS_CHECK(policy->routing.tariffs != NULL);
    free(text);
    HARNESS_CHECK(route_parse(NULL, 0, &policy->routing.routes, &notes) == 0);
}

static struct limit_now now_at(const struct policy *policy, uint64_t now_ms)
{
    return (struct limit_now){ .mono_ms = MONO_MS + policy->past_ms + now_ms, .wall_ms = MONDAY_MS + (int64_t)now_ms };
}

static void open_sims(struct policy *policy, struct limit_now now)
{
    for (unsigned s = 0; s < WEEK_SIMS; s++) {
        HARNESS_CHECK(chooser_bearer_open(policy->chooser, ROUTE_SIM, policy->sims[s].iccid, s + 1, NULL, now, &policy->bearers[s]) == 0);
        chooser_bearer_state(policy->chooser, policy->bearers[s], true, true, 0);
        chooser_pace(policy->chooser, policy->bearers[s], policy->world->sims[s].part_ms);
    }
    chooser_clock_is_right(policy->chooser, now);
}

/* -- messages ------------------------------------------------------------------------------------------------------ */

static uint32_t patience_of(const struct week_message *message)
{
    uint32_t patience_s = message->deadline_s - message->at_s, step_s = patience_s < 600 ? 60 : patience_s < 7200 ? 600 : 3600;

    return patience_s / step_s * step_s;
}

static struct queue_item item_of(const struct week_message *message, int64_t id, int64_t wall_ms)
{
    char number[16];
    struct queue_item item = { .id = id, .priority = 5, .parts = message->parts, .patience_s = patience_of(message), .expire_ms = INT64_MAX,
                               .since_s = (uint32_t)(wall_ms / 1000) };

    (void)snprintf(number, sizeof number, "%s12345678", class_prefixes[message->class]);
    item.to_key = digits_pack(number, SIZE_MAX, NULL);
    return item;
}

static void learn(struct policy *policy, const struct week *past, unsigned past_count)
{
    for (unsigned w = 0; w < past_count; w++)
        for (size_t i = 0; i < past[w].count; i++) {
            const struct week_message *message = &past[w].messages[i];
            uint64_t at_ms = (uint64_t)w * (uint64_t)WEEK_MS + (uint64_t)message->at_s * 1000;
            struct limit_now now = { .mono_ms = MONO_MS + at_ms, .wall_ms = MONDAY_MS - (int64_t)policy->past_ms + (int64_t)at_ms };
            struct queue_item item = item_of(message, 1, now.wall_ms);

            planner_count(policy->planner, policy->chooser, &item, now);
        }
}

/* -- the policy ----------------------------------------------------------------------------------------------------- */

static void *begin_plain(const struct week_world *world, const struct week *past, unsigned past_count)
{
    struct policy *policy = calloc(1, sizeof *policy);
    uint8_t priority;
    uint32_t limit;
    int64_t id;

    (void)past;
    HARNESS_CHECK(policy != NULL);
    policy->world = world;
    policy->past_ms = (uint64_t)past_count * (uint64_t)WEEK_MS;
    policy->routing.sims = policy->sims;
    policy->routing.sim_count = WEEK_SIMS;
    memcpy(policy->routing.currency, "EUR", 4);
    make_tariffs(policy);
    for (unsigned s = 0; s < WEEK_SIMS; s++) {
        (void)snprintf(policy->sims[s].iccid, sizeof policy->sims[s].iccid, "89000000000000000%02u", s);
        (void)snprintf(policy->sims[s].tariff, sizeof policy->sims[s].tariff, "%s", world->sims[s].name);
        policy->sims[s].limits.per_day = world->sims[s].day_limit == UINT32_MAX ? 0 : world->sims[s].day_limit;
    }
    policy->chooser = chooser_new(1);
    HARNESS_CHECK(policy->chooser != NULL);
    HARNESS_CHECK(chooser_configure(policy->chooser, &policy->routing, now_at(policy, 0)) == 0);
    queue_init(&policy->queue, 0);
    queue_fetch_begin(&policy->queue, &priority, &id, &limit);
    queue_fetched(&policy->queue, NULL, 0, false, NULL, NULL);
    memset(policy->periods, 0xFF, sizeof policy->periods);
    return policy;
}

static void *begin(const struct week_world *world, const struct week *past, unsigned past_count)
{
    struct policy *policy = begin_plain(world, past, past_count);

    policy->planner = planner_new();
    HARNESS_CHECK(policy->planner != NULL);
    learn(policy, past, past_count);
    return policy;
}

static void end(void *self)
{
    struct policy *policy = self;

    planner_free(policy->planner);
    chooser_free(policy->chooser);
    queue_done(&policy->queue);
    tariff_free(policy->routing.tariffs);
    route_free(policy->routing.routes);
    free(policy);
}

static uint16_t classify_again(void *context, const struct queue_item *item)
{
    struct policy *policy = context;

    return chooser_classify(policy->chooser, item, now_at(policy, policy->polled_ms));
}

/* What the gateway does of itself, once a minute and with each event. */
static void poll_planner(struct policy *policy, const struct week_state *state)
{
    struct limit_now now = now_at(policy, state->now_ms);
    bool first = !policy->polled;

    policy->polled = true;
    if (first)
        open_sims(policy, now);
    policy->polled_ms = state->now_ms;
    if (chooser_stale(policy->chooser, now)) {
        chooser_renew(policy->chooser, now);
        queue_reclassify(&policy->queue, classify_again, policy);
    }
    /* The first period of a bundle that ends midweek is shorter than a week. */
    for (unsigned b = 0; first && b < policy->world->bundle_count; b++)
        if (policy->world->bundles[b].periods[0].parts < TARIFF_BUNDLE_PARTS_MAX)
            chooser_bearer_balance(policy->chooser, policy->bearers[policy->world->bundles[b].sim], -1, policy->world->bundles[b].periods[0].parts, now);
    if (policy->planner != NULL)
        do
            (void)planner_poll(policy->planner, policy->chooser, &policy->queue, now);
        while (planner_is_busy(policy->planner));
}

static void accepted(void *self, const struct week_state *state, const struct week_message *message)
{
    struct policy *policy = self;
    struct limit_now now = now_at(policy, state->now_ms);
    struct queue_item item = item_of(message, message - state->messages + 1, now.wall_ms);

    if (!policy->polled)
        poll_planner(policy, state);
    if (policy->planner != NULL)
        planner_count(policy->planner, policy->chooser, &item, now);
    item.class_id = chooser_classify(policy->chooser, &item, now);
    HARNESS_CHECK(queue_put(&policy->queue, &item) == QUEUE_KEPT);
}

static void take(struct policy *policy, unsigned sim, struct queue_item item, struct limit_now now)
{
    for (item.part_next = 0; item.part_next < item.parts; item.part_next++) {
        struct chooser_taken taken;
        char *use_state, *record;

        HARNESS_CHECK(chooser_take(policy->chooser, policy->bearers[sim], &item, 0, now, &taken, &use_state, &record) == 0);
        free(use_state);
        free(record);
    }
}

static bool choose(void *self, const struct week_state *state, struct week_choice *ret_choice)
{
    struct policy *policy = self;
    struct limit_now now = now_at(policy, state->now_ms);
    uint64_t again_ms = state->now_ms + POLL_MS;

    poll_planner(policy, state);
    for (unsigned s = 0; s < WEEK_SIMS; s++)
        chooser_bearer_state(policy->chooser, policy->bearers[s], true, state->free_ms[s] <= state->now_ms, 0);
    for (unsigned s = 0; s < WEEK_SIMS; s++) {
        struct queue_item item;
        uint64_t retry_ms;

        if (state->free_ms[s] > state->now_ms)
            continue;
        if (chooser_pick(policy->chooser, policy->bearers[s], &policy->queue, now, &item, &retry_ms)) {
            HARNESS_CHECK(queue_take_item(&policy->queue, &item));
            take(policy, s, item, now);
            *ret_choice = (struct week_choice){ .sim = s, .class = state->messages[item.id - 1].class, .message = (uint32_t)item.id };
            return true;
        }
        if (retry_ms != UINT64_MAX && retry_ms - MONO_MS - policy->past_ms < again_ms)
            again_ms = retry_ms - MONO_MS - policy->past_ms;
    }
    ret_choice->again_ms = again_ms;
    return false;
}

const struct week_policy week_chooser = { "chooser", begin, accepted, choose, end };
const struct week_policy week_untaught = { "untaught", begin_plain, accepted, choose, end };
