/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_routing - what finding the prefix of a number costs.
 *
 * Prefixes are made as tariffs have them: the country codes of ITU-T E.164, and behind them up to six digits of an
 * operator. Half of the numbers begin with one of the prefixes, half with a country code alone. One match takes less
 * than reading the clock does, so groups of matches are timed: quantiles are of the groups' means. */
#include "src/routing/prefix.h"
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GROUP 16
#define NUMBERS 65536
#define NUMBER_CHARS 16

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

static json_t *measure_match(unsigned prefixes, unsigned groups)
{
    uint64_t *keys = make_keys(prefixes), start_ns, build_ns;
    char(*numbers)[NUMBER_CHARS] = malloc(NUMBERS * sizeof *numbers);
    double *mean_ns = malloc(groups * sizeof *mean_ns);
    struct prefix_set *set = NULL;
    json_t *figures;
    uint64_t matched = 0;

    HARNESS_CHECK(numbers != NULL && mean_ns != NULL);
    for (unsigned i = 0; i < NUMBERS; i++)
        make_number(keys, prefixes, numbers[i]);
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
    free(keys);
    free(numbers);
    free(mean_ns);
    return figures;
}

int main(int argc, char **argv)
{
    unsigned prefixes = 100000, groups = 200000;
    const struct figures_option options[] = {
        { "prefixes", &prefixes, "in the table" },
        { "groups", &groups, "of 16 matches each that are timed" },
        { NULL, NULL, NULL },
    };

    figures_options(argc, argv, "Measures how long finding a prefix takes.", options);
    if (prefixes < COUNTRY_CODES || prefixes > PREFIX_COUNT_MAX || groups == 0) {
        (void)fprintf(stderr, "--prefixes is %zu to %d, --groups at least 1\n", COUNTRY_CODES, PREFIX_COUNT_MAX);
        return 2;
    }
    figures_print("routing", json_pack("{s:o, s:i}", "match", measure_match(prefixes, groups), "goal_match_ns_p50", 1000));
    return 0;
}
