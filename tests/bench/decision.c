/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/decision.h"

#include "src/base/digits.h"
#include "src/choice/chooser.h"
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WALL_MS INT64_C(1795000000000)

static uint64_t random_state = 0x2545F4914F6CDD1Du;

static unsigned random_below(unsigned limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state % limit);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static json_t *quantiles(double *values_ns, size_t count)
{
    return json_pack("{s:f, s:f}", "p50", figures_quantile(values_ns, count, 0.5), "p99", figures_quantile(values_ns, count, 0.99));
}

/* Prices of one to twenty cents, so that destinations differ; every fourth plan has a bundle. */
static struct tariff_table *make_tariffs(const struct decision_options *options)
{
    static struct table_notes notes;
    size_t size = (size_t)(options->prefixes + 4 * options->plans) * 64 + 256, length;
    struct tariff_table *table = NULL;
    struct table_file file = { .name = "bench.csv" };
    char *text = malloc(size);

    HARNESS_CHECK(text != NULL);
    length = (size_t)snprintf(text, size, "kind,plan,currency,prefix,price,prefixes,name,parts,period\n");
    for (unsigned i = 0; i < options->plans; i++) {
        length += (size_t)snprintf(text + length, size - length, "price,p%u,EUR,*,0.%02u,,,,\n", i, 1 + random_below(20));
        if (i % 4 == 0)
            length += (size_t)snprintf(text + length, size - length, "bundle,p%u,,,,4,b,100000,month\n", i);
    }
    for (unsigned i = 0; i < options->prefixes; i++) {
        char digits[PREFIX_CHARS];

        prefix_text(options->keys[i], digits);
        length += (size_t)snprintf(text + length, size - length, "price,p%u,EUR,%s,0.%02u,,,,\n", random_below(options->plans), digits,
                                   1 + random_below(20));
    }
    HARNESS_CHECK(length < size);
    file.text = text;
    file.length = length;
    if (tariff_parse(&file, 1, &table, &notes) != 0)
        harness_die("%s", notes.count > 0 ? notes.text[0] : "no memory");
    free(text);
    return table;
}

static struct queue_item make_item(const struct decision_options *options, int64_t id)
{
    struct queue_item item = { .id = id, .priority = 5, .parts = 1, .expire_ms = INT64_MAX, .since_s = (uint32_t)(WALL_MS / 1000), .patience_s = 60 };
    char number[24];

    prefix_text(options->keys[random_below(options->prefixes)], number);
    (void)snprintf(number + strlen(number), sizeof number - strlen(number), "%07u", random_below(10000000));
    item.to_key = digits_pack(number, SIZE_MAX, NULL);
    return item;
}

/* Numbers of so many classes. */
static struct queue_item *make_items(const struct decision_options *options, struct chooser *chooser, struct limit_now now)
{
    struct queue_item *kinds = malloc(options->classes * sizeof *kinds), *items = malloc(options->messages * sizeof *items);
    bool *seen = calloc(CHOOSER_CLASSES_MAX, sizeof *seen);
    unsigned count = 0;

    HARNESS_CHECK(kinds != NULL && items != NULL && seen != NULL);
    for (unsigned tries = 0; count < options->classes && tries < 10000000; tries++) {
        struct queue_item item = make_item(options, 1);
        uint16_t class_id = chooser_classify(chooser, &item, now);

        if (class_id != CHOOSER_MIXED && !seen[class_id])
            kinds[count++] = item;
        seen[class_id] = true;
    }
    HARNESS_CHECK(count == options->classes);
    for (unsigned i = 0; i < options->messages; i++) {
        items[i] = kinds[random_below(count)];
        items[i].id = (int64_t)i + 1;
    }
    free(kinds);
    free(seen);
    return items;
}

static json_t *measure_one(const struct decision_options *options, struct chooser *chooser, struct limit_now now)
{
    double *classify_ns = malloc(options->rounds * sizeof *classify_ns), *best_ns = malloc(options->rounds * sizeof *best_ns);
    json_t *figures;

    HARNESS_CHECK(classify_ns != NULL && best_ns != NULL);
    for (unsigned turn = 0; turn < 2; turn++)    /* the first one fills what is kept */
        for (unsigned i = 0; i < options->rounds; i++) {
            struct queue_item item = make_item(options, 1);
            struct chooser_judgement judgement;
            uint64_t start_ns = now_ns(), classified_ns;

            item.class_id = chooser_classify(chooser, &item, now);
            classified_ns = now_ns();
            HARNESS_CHECK(chooser_best(chooser, &item, now, &judgement) != CHOOSER_NO_BEARER);
            classify_ns[i] = (double)(classified_ns - start_ns);
            best_ns[i] = (double)(now_ns() - start_ns);
        }
    figures = json_pack("{s:o, s:o}", "classify_ns", quantiles(classify_ns, options->rounds), "decide_ns", quantiles(best_ns, options->rounds));
    free(classify_ns);
    free(best_ns);
    return figures;
}

/* All SIMs at work: each asks for its next part as soon as it has sent one, until the queue is empty. */
static json_t *measure_queue(const struct decision_options *options, struct chooser *chooser, struct limit_now now)
{
    struct queue_item *items = make_items(options, chooser, now);
    double *pick_ns = malloc(options->messages * sizeof *pick_ns);
    uint64_t start_ns, put_ns, drain_ns, taken_count = 0, bytes;
    uint8_t priority;
    uint32_t limit;
    int64_t id;
    struct queue queue;
    json_t *figures;

    HARNESS_CHECK(pick_ns != NULL);
    queue_init(&queue, options->messages + QUEUE_FETCH_MAX);
    queue_fetch_begin(&queue, &priority, &id, &limit);
    queue_fetched(&queue, NULL, 0, false, NULL, NULL);
    start_ns = now_ns();
    for (unsigned i = 0; i < options->messages; i++) {
        items[i].class_id = chooser_classify(chooser, &items[i], now);
        HARNESS_CHECK(queue_put(&queue, &items[i]) == QUEUE_KEPT);
    }
    put_ns = now_ns() - start_ns;
    bytes = queue_bytes(&queue);
    start_ns = now_ns();
    while (queue.count > 0) {
        uint32_t before = queue.count;

        now.mono_ms += 100;
        now.wall_ms += 100;
        for (uint16_t bearer = 0; bearer < options->sims; bearer++) {
            struct chooser_taken taken;
            struct queue_item item;
            char *use_state, *record;
            uint64_t retry_ms, pick_start_ns = now_ns();

            chooser_bearer_state(chooser, bearer, true, true, 0);
            if (!chooser_pick(chooser, bearer, &queue, now, &item, &retry_ms)) {
                chooser_bearer_state(chooser, bearer, true, false, 0);
                continue;
            }
            (void)queue_take_item(&queue, &item);
            pick_ns[taken_count++] = (double)(now_ns() - pick_start_ns);
            HARNESS_CHECK(chooser_take(chooser, bearer, &item, 0, now, &taken, &use_state, &record) == 0);
            free(use_state);
            free(record);
            chooser_bearer_state(chooser, bearer, true, false, 0);
        }
        if (queue.count == before)
            now.mono_ms += 60000;        /* what is left waits for a cheaper one: its patience ends */
    }
    drain_ns = now_ns() - start_ns;
    figures = json_pack("{s:I, s:I, s:f, s:f, s:I, s:f, s:o}", "messages", (json_int_t)taken_count, "classes", (json_int_t)options->classes, "put_ns",
                        (double)put_ns / options->messages, "dispatched_per_s", (double)taken_count * 1e9 / (double)drain_ns, "queue_bytes",
                        (json_int_t)bytes, "bytes_per_message", (double)bytes / options->messages, "pick_ns", quantiles(pick_ns, taken_count));
    queue_done(&queue);
    free(items);
    free(pick_ns);
    return figures;
}

json_t *decision_measure(const struct decision_options *options)
{
    static struct table_notes notes;
    struct limit_now now = { .mono_ms = 1000000, .wall_ms = WALL_MS };
    struct routing routing = { .currency = "EUR", .tariffs = make_tariffs(options), .sim_count = options->sims };
    struct chooser *chooser = chooser_new(1);
    json_t *one, *queue;

    routing.sims = calloc(options->sims, sizeof *routing.sims);
    HARNESS_CHECK(chooser != NULL && routing.sims != NULL && route_parse(NULL, 0, &routing.routes, &notes) == 0);
    for (unsigned i = 0; i < options->sims; i++) {
        (void)snprintf(routing.sims[i].iccid, sizeof routing.sims[i].iccid, "89330%014u", i);
        (void)snprintf(routing.sims[i].tariff, sizeof routing.sims[i].tariff, "p%u", i % options->plans);
        routing.sims[i].limits.per_day = 1000000;
        routing.sims[i].limits.per_month = 1000000;
    }
    HARNESS_CHECK(chooser_configure(chooser, &routing, now) == 0);
    for (unsigned i = 0; i < options->sims; i++) {
        uint16_t bearer;

        HARNESS_CHECK(chooser_bearer_open(chooser, ROUTE_SIM, routing.sims[i].iccid, i + 1, NULL, now, &bearer) == 0 && bearer == i);
        chooser_bearer_state(chooser, bearer, true, true, 0);
    }
    one = measure_one(options, chooser, now);
    chooser_renew(chooser, now);
    queue = measure_queue(options, chooser, now);
    chooser_free(chooser);
    tariff_free(routing.tariffs);
    route_free(routing.routes);
    free(routing.sims);
    return json_pack("{s:i, s:i, s:i, s:o, s:o}", "sims", (int)options->sims, "plans", (int)options->plans, "prefixes", (int)options->prefixes, "one", one,
                     "queue", queue);
}
