/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_routing - what finding the prefix of a number, the price of a message, its route and the network of a ported
 * number costs.
 *
 * Prefixes are made as tariffs have them: the country codes of ITU-T E.164, and behind them up to six digits of an
 * operator. Half of the numbers begin with one of the prefixes, half with a country code alone. One match takes less
 * than reading the clock does, so groups of matches are timed: quantiles are of the groups' means. */
#include "src/base/digits.h"
#include "src/routing/override.h"
#include "src/routing/route.h"
#include "src/routing/tariff.h"
#include "tests/bench/decision.h"
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GROUP 16
#define NUMBERS 65536
#define NUMBER_CHARS 16
#define MOST 800000                  /* with announced prices and bundles still below TARIFF_ROWS_MAX */

static const char *const country_codes[] = {
    "1",   "7",   "20",  "27",  "30",  "31",  "32",  "33",  "34",  "36",  "39",  "40",  "41",  "43",  "44",  "45",  "46",  "47",
    "48",  "49",  "51",  "52",  "54",  "55",  "57",  "60",  "61",  "62",  "63",  "66",  "81",  "82",  "84",  "86",  "90",  "91",
    "92",  "94",  "98",  "212", "213", "216", "221", "225", "233", "234", "237", "243", "251", "254", "255", "256", "261", "351",
    "352", "353", "358", "359", "370", "371", "372", "380", "381", "385", "386", "420", "421", "502", "506", "593", "595", "598",
    "852", "855", "880", "886", "961", "962", "963", "964", "965", "966", "967", "968", "971", "972", "973", "974", "977", "998",
};
#define COUNTRY_CODES (sizeof country_codes / sizeof country_codes[0])

static uint64_t random_state = 0x9E3779B97F4A7C15u;

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

static void add_digits(char *text, unsigned count)
{
    size_t length = strlen(text);

    for (unsigned i = 0; i < count; i++)
        text[length++] = (char)('0' + random_below(10));
    text[length] = '\0';
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* count different keys, ascending. */
static uint64_t *make_keys(unsigned count)
{
    uint64_t *keys = malloc(count * sizeof *keys);
    size_t made = 0;

    HARNESS_CHECK(keys != NULL);
    while (made < count) {
        size_t kept = 0;

        for (size_t i = made; i < count; i++) {
            char text[NUMBER_CHARS];

            (void)snprintf(text, sizeof text, "%s", country_codes[i < COUNTRY_CODES ? i : random_below(COUNTRY_CODES)]);
            if (i >= COUNTRY_CODES)
                add_digits(text, 1 + random_below(6));
            HARNESS_CHECK(prefix_key(text, strlen(text), &keys[i]) == 0);
        }
        qsort(keys, count, sizeof *keys, by_key);
        for (size_t i = 0; i < count; i++)
            if (i == 0 || keys[i] != keys[i - 1])
                keys[kept++] = keys[i];
        made = kept;
    }
    return keys;
}

static void make_number(const uint64_t *keys, unsigned count, char ret_number[NUMBER_CHARS])
{
    if (random_below(2) == 0)
        prefix_text(keys[random_below(count)], ret_number);
    else
        (void)snprintf(ret_number, NUMBER_CHARS, "%s", country_codes[random_below(COUNTRY_CODES)]);
    add_digits(ret_number, 12 - (unsigned)strlen(ret_number));
}

static json_t *quantiles(double *values_ns, size_t count)
{
    return json_pack("{s:f, s:f}", "p50", figures_quantile(values_ns, count, 0.5), "p99", figures_quantile(values_ns, count, 0.99));
}

static json_t *measure_match(const uint64_t *keys, unsigned prefixes, char (*numbers)[NUMBER_CHARS], unsigned groups)
{
    double *mean_ns = malloc(groups * sizeof *mean_ns);
    struct prefix_set *set = NULL;
    uint64_t matched = 0, start_ns, build_ns;
    json_t *figures;

    HARNESS_CHECK(mean_ns != NULL);
    start_ns = now_ns();
    HARNESS_CHECK(prefix_set_new(keys, prefixes, &set) == 0);
    build_ns = now_ns() - start_ns;
    for (unsigned group = 0; group < groups; group++) {
        unsigned first = random_below(NUMBERS / GROUP) * GROUP;

        start_ns = now_ns();
        for (unsigned i = first; i < first + GROUP; i++)
            matched += prefix_match(set, numbers[i]) != PREFIX_NONE;
        mean_ns[group] = (double)(now_ns() - start_ns) / GROUP;
    }
    HARNESS_CHECK(matched == (uint64_t)groups * GROUP);   /* every number has a country code at least */
    figures = json_pack("{s:I, s:f, s:I, s:o}", "prefixes", (json_int_t)prefixes, "build_ms", (double)build_ns / 1e6, "bytes",
                        (json_int_t)prefix_bytes(set), "match_ns", quantiles(mean_ns, groups));
    prefix_set_free(set);
    free(mean_ns);
    return figures;
}

/* One plan with a price for each prefix, an announced one for every eighth, and a bundle of every country. */
static char *make_csv(const uint64_t *keys, unsigned prefixes, size_t *ret_length)
{
    size_t size = (size_t)prefixes * 2 * 64 + COUNTRY_CODES * 64 + 256, length;
    char *text = malloc(size), digits[PREFIX_CHARS];

    HARNESS_CHECK(text != NULL);
    length = (size_t)snprintf(text, size, "kind,plan,currency,prefix,price,prefixes,name,parts,period,valid_from,valid_until\n");
    for (unsigned i = 0; i < prefixes; i++) {
        unsigned cents = 1 + random_below(99);

        prefix_text(keys[i], digits);
        if (i % 8 != 0) {
            length += (size_t)snprintf(text + length, size - length, "price,p,EUR,%s,0.%02u,,,,,,\n", digits, cents);
            continue;
        }
        length += (size_t)snprintf(text + length, size - length, "price,p,EUR,%s,0.%02u,,,,,,2026-12-31\n", digits, cents);
        length += (size_t)snprintf(text + length, size - length, "price,p,EUR,%s,0.%02u,,,,,2027-01-01,\n", digits, cents + 1);
    }
    for (unsigned i = 0; i < COUNTRY_CODES; i++)
        length += (size_t)snprintf(text + length, size - length, "bundle,p,,,,%s,b%u,100,month,,\n", country_codes[i], i);
    HARNESS_CHECK(length < size);
    *ret_length = length;
    return text;
}

static json_t *measure_price(const uint64_t *keys, unsigned prefixes, char (*numbers)[NUMBER_CHARS], unsigned groups)
{
    static struct table_notes notes;
    struct table_file file = { .name = "bench.csv" };
    double *mean_ns = malloc(groups * sizeof *mean_ns);
    struct tariff_table *table = NULL;
    const struct tariff_plan *plan;
    char *text = make_csv(keys, prefixes, &file.length);
    uint64_t priced = 0, start_ns, parse_ns;
    json_t *figures;

    HARNESS_CHECK(mean_ns != NULL);
    file.text = text;
    start_ns = now_ns();
    if (tariff_parse(&file, 1, &table, &notes) != 0)
        harness_die("%s", notes.count > 0 ? notes.text[0] : "no memory");
    parse_ns = now_ns() - start_ns;
    plan = tariff_find_plan(table, "p");
    for (unsigned group = 0; group < groups; group++) {
        unsigned first = random_below(NUMBERS / GROUP) * GROUP;

        start_ns = now_ns();
        for (unsigned i = first; i < first + GROUP; i++) {
            struct tariff_quote quote = tariff_price(plan, numbers[i], 2, 20782 + (int32_t)(group % 64));

            priced += quote.verdict == TARIFF_PRICED && quote.bundle_count > 0;
        }
        mean_ns[group] = (double)(now_ns() - start_ns) / GROUP;
    }
    HARNESS_CHECK(priced == (uint64_t)groups * GROUP);
    figures = json_pack("{s:I, s:f, s:f, s:I, s:o}", "rows", (json_int_t)tariff_row_count(table), "csv_mib", (double)file.length / 1048576,
                        "parse_ms", (double)parse_ns / 1e6, "bytes", (json_int_t)tariff_bytes(table), "price_ns", quantiles(mean_ns, groups));
    tariff_free(table);
    free(text);
    free(mean_ns);
    return figures;
}

/* A route for each prefix, by one of seven lists of bearers; each is judged for a SIM with one of eight tags. */
static json_t *measure_route(const uint64_t *keys, unsigned prefixes, char (*numbers)[NUMBER_CHARS], unsigned groups)
{
    static struct table_notes notes;
    static const char *const tags[] = { "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7" };
    size_t size = (size_t)prefixes * 48 + 256, length;
    char *text = malloc(size), digits[PREFIX_CHARS];
    struct table_file file = { .name = "bench.csv", .text = text };
    double *find_ns = malloc(groups * sizeof *find_ns), *judge_ns = malloc(groups * sizeof *judge_ns);
    struct route_table *table = NULL;
    uint64_t allowed = 0, start_ns, parse_ns;
    json_t *figures;

    HARNESS_CHECK(text != NULL && find_ns != NULL && judge_ns != NULL);
    length = (size_t)snprintf(text, size, "prefix,bearers,prefer,patience\n");
    for (unsigned i = 0; i < prefixes; i++) {
        prefix_text(keys[i], digits);
        length += (size_t)snprintf(text + length, size - length, "%s,tag:t%u|tag:t7,tag:t%u,%um\n", digits, i % 7, i % 7, i % 60);
    }
    HARNESS_CHECK(length < size);
    file.length = length;
    start_ns = now_ns();
    if (route_parse(&file, 1, &table, &notes) != 0)
        harness_die("%s", notes.count > 0 ? notes.text[0] : "no memory");
    parse_ns = now_ns() - start_ns;
    for (unsigned group = 0; group < groups; group++) {
        unsigned first = random_below(NUMBERS / GROUP) * GROUP;
        uint32_t found[GROUP];

        start_ns = now_ns();
        for (unsigned i = 0; i < GROUP; i++)
            found[i] = route_find_key(table, digits_pack(numbers[first + i], SIZE_MAX, NULL), false);
        find_ns[group] = (double)(now_ns() - start_ns) / GROUP;
        start_ns = now_ns();
        for (unsigned i = 0; i < GROUP; i++) {
            struct route_bearer bearer = { .kind = ROUTE_SIM, .id = "8933010000000000001", .name = "bench", .tags = &tags[i % 8], .tag_count = 1 };
            uint8_t rank;

            allowed += route_judge(route_at(table, found[i]), &bearer, &rank) == ROUTE_ALLOWED;
        }
        judge_ns[group] = (double)(now_ns() - start_ns) / GROUP;
    }
    HARNESS_CHECK(allowed > 0 && allowed < (uint64_t)groups * GROUP);
    figures = json_pack("{s:I, s:f, s:I, s:o, s:o}", "routes", (json_int_t)route_count(table), "parse_ms", (double)parse_ns / 1e6, "bytes",
                        (json_int_t)route_bytes(table), "find_ns", quantiles(find_ns, groups), "judge_ns", quantiles(judge_ns, groups));
    route_free(table);
    free(text);
    free(find_ns);
    free(judge_ns);
    return figures;
}

/* As many ported numbers of one country as the table has room for; one in fifty of those looked up is there. */
static json_t *measure_override(unsigned groups)
{
    static struct table_notes notes;
    size_t size = (size_t)OVERRIDE_ROWS_MAX * 24 + 64;
    char *text = malloc(size);
    struct table_file file = { .name = "bench.csv", .text = text };
    double *mean_ns = malloc(groups * sizeof *mean_ns);
    struct override_table *table = NULL;
    uint64_t ported = 0, start_ns, parse_ns;
    json_t *figures;

    HARNESS_CHECK(text != NULL && mean_ns != NULL);
    file.length = (size_t)snprintf(text, size, "number,as\n");
    for (unsigned i = 0; i < OVERRIDE_ROWS_MAX; i++)
        file.length += (size_t)snprintf(text + file.length, size - file.length, "336%08u,33695\n", i * 100 + random_below(50));
    start_ns = now_ns();
    if (override_parse(&file, 1, &table, &notes) != 0)
        harness_die("%s", notes.count > 0 ? notes.text[0] : "no memory");
    parse_ns = now_ns() - start_ns;
    for (unsigned group = 0; group < groups; group++) {
        uint64_t sought[GROUP];

        for (unsigned i = 0; i < GROUP; i++) {
            char number[24];

            (void)snprintf(number, sizeof number, "336%08u", random_below(OVERRIDE_ROWS_MAX) * 100 + random_below(50));
            sought[i] = digits_pack(number, SIZE_MAX, NULL);
        }
        start_ns = now_ns();
        for (unsigned i = 0; i < GROUP; i++)
            ported += override_find(table, sought[i]) != sought[i];
        mean_ns[group] = (double)(now_ns() - start_ns) / GROUP;
    }
    HARNESS_CHECK(ported > 0);
    figures = json_pack("{s:I, s:f, s:I, s:o}", "numbers", (json_int_t)override_count(table), "parse_ms", (double)parse_ns / 1e6, "bytes",
                        (json_int_t)override_bytes(table), "find_ns", quantiles(mean_ns, groups));
    override_free(table);
    free(text);
    free(mean_ns);
    return figures;
}

int main(int argc, char **argv)
{
    unsigned prefixes = 100000, groups = 200000;
    struct decision_options decision = { .sims = 512, .plans = 32, .classes = 200, .messages = 1000000, .rounds = 200000 };
    const struct figures_option options[] = {
        { "prefixes", &prefixes, "in the table" },
        { "groups", &groups, "of 16 matches each that are timed" },
        { "sims", &decision.sims, "that a choice is made among" },
        { "plans", &decision.plans, "they have" },
        { "classes", &decision.classes, "of destinations in the queue" },
        { "messages", &decision.messages, "in the queue" },
        { "rounds", &decision.rounds, "choices that are timed one by one" },
        { NULL, NULL, NULL },
    };
    static char numbers[NUMBERS][NUMBER_CHARS];
    json_t *match, *price, *route, *override;
    uint64_t *keys;

    figures_options(argc, argv, "Measures how long finding a prefix, a price, a route and a ported number takes.", options);
    if (prefixes < COUNTRY_CODES || prefixes > MOST || groups == 0) {
        (void)fprintf(stderr, "--prefixes is %zu to %d, --groups at least 1\n", COUNTRY_CODES, MOST);
        return 2;
    }
    keys = make_keys(prefixes);
    for (unsigned i = 0; i < NUMBERS; i++)
        make_number(keys, prefixes, numbers[i]);
    match = measure_match(keys, prefixes, numbers, groups);
    price = measure_price(keys, prefixes, numbers, groups);
    route = measure_route(keys, prefixes, numbers, groups);
    override = measure_override(groups);
    decision.keys = keys;
    decision.prefixes = prefixes;
    figures_print("routing", json_pack("{s:o, s:o, s:i, s:i, s:o, s:o, s:o}", "choice", decision_measure(&decision), "match", match, "goal_match_ns_p50", 1000, "goal_decide_ns_p50", 10000, "price", price, "route", route,
                                       "override", override));
    free(keys);
    return 0;
}
