/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_number - what reading a number costs, in time and memory, with the backend of the programs and with rules alone.
 * Built twice, since a process has one backend; the one of the programs starts the other. */
#include "src/number/number_internal.h"
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct { const char *text, *country; } numbers[] = {
    { "0722 123 456", "RO" },  { "+40722123457", "RO" },       { "0040 722 123 458", "RO" }, { "(021) 310-1234", "RO" },
    { "0906 123 456", "RO" },  { "+49 (0)171 2345678", "RO" }, { "+44 7400 123456", "RO" },  { "+1 202 456 1111", "RO" },
    { "+33612345678", "RO" },  { "+393123456789", "RO" },      { "+34612345678", "RO" },     { "+79161234567", "RO" },
    { "+36201234567", "RO" },  { "+48512345678", "RO" },       { "+37362112345", "RO" },     { "+61412345678", "RO" },
    { "07400 123456", "GB" },  { "(202) 456-1111", "US" },     { "0151 23456789", "DE" },    { "1234", "RO" },
};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double parse_us(const char *text, const char *country)
{
    struct number number;
    struct number_error error;
    uint64_t start_ns = now_ns();

    (void)number_parse(text, country, &number, &error);   /* some are refused, which is work too */
    return (double)(now_ns() - start_ns) / 1000;
}

/* From smaps_rollup, since VmRSS is counted in batches. */
static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    long kib = -1;

    while (file && kib < 0 && fgets(line, sizeof line, file))
        (void)sscanf(line, "Rss: %ld kB", &kib);
    if (file)
        (void)fclose(file);
    HARNESS_CHECK(kib > 0);
    return kib;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static json_t *quantiles(double *us, size_t count)
{
    qsort(us, count, sizeof *us, compare);
    return json_pack("{s:f, s:f, s:f}", "p50", us[count / 2], "p99", us[count * 99 / 100], "max", us[count - 1]);
}

/* A number of every country there is: what a plan costs when it is first used stays in memory. */
static size_t parse_of_every_country(double *us)
{
    size_t count = 0;

    for (char a = 'A'; a <= 'Z'; a++)
        for (char b = 'A'; b <= 'Z'; b++) {
            const struct number_country *country = number_country_find((char[]){ a, b, '\0' });
            char text[NUMBER_TEXT_MAX];
            int length = 0;
            if (!country)
                continue;
            while ((country->lengths >> length & 1) == 0)
                length++;
            (void)snprintf(text, sizeof text, "+%s%.*s", country->calling, length, "76543217654321765");
            us[count++] = parse_us(text, "");
        }
    return count;
}

static json_t *measure(unsigned rounds)
{
    double *us = malloc((size_t)rounds * NUMBERS * sizeof *us), every[26 * 26], warm_up_us;
    long start_kib, warm_kib, known_kib;
    json_t *figures, *first;
    size_t count;
    uint64_t start_ns;

    HARNESS_CHECK(us != NULL);
    for (size_t i = 0; i < (size_t)rounds * NUMBERS; i++)
        us[i] = 1;   /* resident before, so that it does not count */
    start_kib = resident_kib();
    start_ns = now_ns();
    number_warm_up();
    warm_up_us = (double)(now_ns() - start_ns) / 1000;
    warm_kib = resident_kib();
    for (size_t i = 0; i < NUMBERS; i++)
        us[i] = parse_us(numbers[i].text, numbers[i].country);
    first = quantiles(us, NUMBERS);
    known_kib = resident_kib();
    for (unsigned k = 0; k < rounds; k++)
        for (size_t i = 0; i < NUMBERS; i++)
            us[k * NUMBERS + i] = parse_us(numbers[i].text, numbers[i].country);
    count = parse_of_every_country(every);
    figures = json_pack("{s:s, s:i, s:o, s:o, s:f, s:{s:i, s:i, s:i, s:i}}", "backend", number_backend(), "numbers", (int)(rounds * NUMBERS),
                        "us_per_number", quantiles(us, (size_t)rounds * NUMBERS), "us_first_of_a_country", first, "warm_up_us",
                        warm_up_us, "resident_kib", "at_start", (int)start_kib, "after_warm_up", (int)(warm_kib - start_kib),
                        "after_12_countries", (int)(known_kib - start_kib), "after_every_country", (int)(resident_kib() - start_kib));
    HARNESS_CHECK(count > 200 && figures != NULL);
    free(us);
    return figures;
}

#ifndef NUMBER_RULES
/* What the program beside this one prints. */
static json_t *measure_rules(unsigned rounds)
{
    char path[512], command[600];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    FILE *other;
    json_t *printed, *figures;

    HARNESS_CHECK(length > 0);
    path[length] = '\0';
    (void)snprintf(command, sizeof command, "'%s_rules' --rounds %u", path, rounds);
    other = popen(command, "r");
    HARNESS_CHECK(other != NULL);
    printed = json_loadf(other, 0, NULL);
    HARNESS_CHECK(pclose(other) == 0 && printed != NULL);
    figures = json_incref(json_object_get(printed, "rules"));
    json_decref(printed);
    return figures;
}
#endif

int main(int argc, char **argv)
{
    unsigned rounds = 5000;
    const struct figures_option options[] = { { "rounds", &rounds, "of 20 numbers of 12 countries" }, { NULL, NULL, NULL } };
    json_t *figures = json_object();

    figures_options(argc, argv, "Measures what reading a number costs.", options);
#ifdef NUMBER_RULES
    json_object_set_new(figures, "rules", measure(rounds));
#else
    json_object_set_new(figures, "program", measure(rounds));
    json_object_set_new(figures, "rules", measure_rules(rounds));
    json_object_set_new(figures, "budget", json_pack("{s:i, s:i}", "us_per_number", 20, "resident_kib", 8192));
#endif
    figures_print("number", figures);
    return 0;
}
