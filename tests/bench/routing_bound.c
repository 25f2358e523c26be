/* SPDX-License-Identifier: Apache-2.0
 *
 * What a week could have cost at best, by somebody who knew all of it before: a linear program, written in the LP format and solved
 * by cbc (package coinor-cbc) or glpsol (package glpk-utils), whichever is installed.
 *
 * Time is cut into buckets. send(class, SIM, bundle or paid, bucket) are parts; between buckets the parts of a class wait.
 * It asks for less than the week does, and so costs no more than any policy can pay that is not later than the slack:
 * - parts flow: a message may be cut into fractions, sent by several SIMs;
 * - a part may go from the beginning of the bucket in which it was accepted, till the end of the one its deadline and the slack are in;
 * - a class has to send by the end of each bucket what is due by then, whichever of its messages that were;
 * - a SIM has a whole bucket's time, and that of one more message; within it all orders are possible;
 * - bundles may be kept back although the network would take from them. */
#include "tests/bench/routing_week.h"
#include "tests/system/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS_MAX 672                  /* of a quarter of an hour */

extern char **environ;

static struct { double comes[WEEK_CLASSES][BUCKETS_MAX], due[WEEK_CLASSES][BUCKETS_MAX]; } parts;

static void sum_up(const struct week *week, unsigned bucket_s, unsigned slack_s, unsigned buckets)
{
    memset(&parts, 0, sizeof parts);
    for (size_t i = 0; i < week->count; i++) {
        const struct week_message *message = &week->messages[i];
        unsigned due = (message->deadline_s + slack_s) / bucket_s;

        parts.comes[message->class][message->at_s / bucket_s] += message->parts;
        parts.due[message->class][due < buckets ? due : buckets - 1] += message->parts;
    }
}

/* Options of a class on a SIM: 0 paid, 1 by the bundle. */
static bool has_option(const struct week_world *world, unsigned class, unsigned sim, unsigned option)
{
    return option == 0 || world->sims[sim].bundle_of[class] != WEEK_NO_BUNDLE;
}

#define FOR_OPTIONS(class, sim, option)                      \
    for (unsigned class = 0; class < WEEK_CLASSES; class++)  \
        for (unsigned sim = 0; sim < WEEK_SIMS; sim++)       \
            for (unsigned option = 0; option < 2; option++)  \
                if (has_option(world, class, sim, option))

static void write_program(FILE *out, const struct week_world *world, unsigned bucket_s, unsigned buckets, struct week_bound *bound)
{
    (void)fprintf(out, "Minimize\n cost:");
    FOR_OPTIONS(c, s, o) {
        for (unsigned t = 0; t < buckets; t++, bound->columns++)
            if (o == 0 && world->sims[s].price_micro[c] > 0)
                (void)fprintf(out, " + %lld.%06lld x%u_%u_%u_%u\n", (long long)(world->sims[s].price_micro[c] / 1000000),
                              (long long)(world->sims[s].price_micro[c] % 1000000), c, s, o, t);
    }
    (void)fprintf(out, "Subject To\n");
    for (unsigned c = 0; c < WEEK_CLASSES; c++) {
        double came = 0, due = 0;

        /* w: what waits at the end of a bucket; no more than what came and is not due yet. */
        for (unsigned t = 0; t < buckets; t++, bound->rows++, bound->columns++) {
            (void)fprintf(out, " b%u_%u: w%u_%u", c, t, c, t);
            if (t > 0)
                (void)fprintf(out, " - w%u_%u", c, t - 1);
            for (unsigned s = 0; s < WEEK_SIMS; s++)
                for (unsigned o = 0; o < 2; o++)
                    if (has_option(world, c, s, o))
                        (void)fprintf(out, " + x%u_%u_%u_%u\n", c, s, o, t);
            (void)fprintf(out, " = %.0f\n", parts.comes[c][t]);
        }
        for (unsigned t = 0; t < buckets; t++, bound->rows++) {
            came += parts.comes[c][t];
            due += parts.due[c][t];
            (void)fprintf(out, " d%u_%u: w%u_%u <= %.0f\n", c, t, c, t, came - due);
        }
    }
    for (unsigned s = 0; s < WEEK_SIMS; s++)
        for (unsigned t = 0; t < buckets; t++, bound->rows++) {
            (void)fprintf(out, " t%u_%u:", s, t);
            for (unsigned c = 0; c < WEEK_CLASSES; c++)
                for (unsigned o = 0; o < 2; o++)
                    if (has_option(world, c, s, o))
                        (void)fprintf(out, " + x%u_%u_%u_%u\n", c, s, o, t);
            (void)fprintf(out, " <= %.3f\n", bucket_s * 1000.0 / world->sims[s].part_ms + WEEK_PARTS_MAX);
        }
    for (unsigned s = 0; s < WEEK_SIMS; s++)
        for (unsigned day = 0; day < 7 && world->sims[s].day_limit != UINT32_MAX; day++, bound->rows++) {
            (void)fprintf(out, " l%u_%u:", s, day);
            for (unsigned c = 0; c < WEEK_CLASSES; c++)
                for (unsigned o = 0; o < 2; o++)
                    for (unsigned t = day * (DAY_S / bucket_s); t < (day + 1) * (DAY_S / bucket_s) && has_option(world, c, s, o); t++)
                        (void)fprintf(out, " + x%u_%u_%u_%u\n", c, s, o, t);
            (void)fprintf(out, " <= %lu\n", (unsigned long)world->sims[s].day_limit);
        }
    for (unsigned b = 0; b < world->bundle_count; b++)
        for (unsigned p = 0; p < world->bundles[b].period_count; p++, bound->rows++) {
            const struct week_period *period = &world->bundles[b].periods[p];

            (void)fprintf(out, " u%u_%u:", b, p);
            for (unsigned c = 0; c < WEEK_CLASSES; c++)
                for (unsigned t = period->from_s / bucket_s; t < period->until_s / bucket_s; t++)
                    if (world->sims[world->bundles[b].sim].bundle_of[c] == b)
                        (void)fprintf(out, " + x%u_%u_1_%u\n", c, world->bundles[b].sim, t);
            (void)fprintf(out, " <= %lu\n", (unsigned long)period->parts);
        }
    (void)fprintf(out, "End\n");
}

/* Runs a program to its end with its output in a file. False: it is not installed. */
static bool run(char *const *arguments, const char *output)
{
    posix_spawn_file_actions_t actions;
    int status = 0, r;
    pid_t pid;

    HARNESS_CHECK(posix_spawn_file_actions_init(&actions) == 0);
    HARNESS_CHECK(posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0600) == 0);
    HARNESS_CHECK(posix_spawn_file_actions_adddup2(&actions, 1, 2) == 0);
    r = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (r == ENOENT)
        return false;
    HARNESS_CHECK(r == 0 && waitpid(pid, &status, 0) == pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return false;
    HARNESS_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return true;
}

/* The number behind the last place of `text` in the file. */
static double number_after(const char *name, const char *text)
{
    FILE *file = fopen(name, "r");
    char line[512];
    double value = -1;

    HARNESS_CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        const char *at = strstr(line, text);

        if (at != NULL)
            value = strtod(at + strlen(text), NULL);
    }
    (void)fclose(file);
    if (value < 0)
        harness_die("the solver found no optimum: see %s", name);
    return value;
}

int week_bound(const struct week_world *world, const struct week *week, unsigned bucket_s, unsigned slack_s, struct week_bound *ret_bound)
{
    char folder[] = "/tmp/cellpost-optimum-XXXXXX", program[64], output[64], report[64];
    struct week_bound bound = { 0 };
    struct timespec from, to;
    FILE *out;

    HARNESS_CHECK(DAY_S % bucket_s == 0 && WEEK_S / bucket_s <= BUCKETS_MAX);
    HARNESS_CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(program, sizeof program, "%s/week.lp", folder);
    (void)snprintf(output, sizeof output, "%s/output", folder);
    (void)snprintf(report, sizeof report, "%s/report", folder);
    sum_up(week, bucket_s, slack_s, WEEK_S / bucket_s);
    out = fopen(program, "w");
    HARNESS_CHECK(out != NULL);
    write_program(out, world, bucket_s, WEEK_S / bucket_s, &bound);
    HARNESS_CHECK(fclose(out) == 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    {
        char *const cbc[] = { (char[]){ "cbc" }, program, (char[]){ "solve" }, (char[]){ "quit" }, NULL };
        char *const glpsol[] = { (char[]){ "glpsol" }, (char[]){ "--lp" }, program, (char[]){ "--output" }, report, NULL };

        if (run(cbc, output)) {
            bound.solver = "cbc";
            bound.euros = number_after(output, "ptimal objective ");
        } else if (run(glpsol, output)) {
            bound.solver = "glpsol";
            bound.euros = number_after(report, "Objective:  cost = ");
        }
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    bound.runtime_ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
    (void)unlink(program);
    (void)unlink(output);
    (void)unlink(report);
    (void)rmdir(folder);
    if (bound.solver == NULL)
        return -ENOENT;
    *ret_bound = bound;
    return 0;
}
