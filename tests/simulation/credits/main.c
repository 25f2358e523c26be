/* SPDX-License-Identifier: Apache-2.0
 *
 * cellpost-simulate-credits - runs seeds of boxes and their account, and prints what came of them as JSON. */
#include "tests/simulation/credits/world.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEED_SECONDS_MAX 300
#define SHOWN_MAX 20

static const char usage[] =
    "usage: cellpost-simulate-credits [--seeds A-B] [--days D] [OPTION]...\n"
    "  --seeds A-B        one run for each seed (default 1-20)\n"
    "  --days D           virtual days with faults and new work (default 4); then everything has to settle\n"
    "  --story NAME       honest, clone, naive_clone, old_image, stolen, backup (default: drawn by the seed)\n"
    "  --faults LIST      these alone, names with commas, or none (default: each seed draws)\n"
    "  --boxes N, --clones N\n"
    "  --seconds N        begin no other seed after so many seconds of the real clock\n"
    "  --trace            tell what happens\n"
    "Ends with 1 where something was violated.\n";

struct total { struct world_result sum; uint64_t seeds, failed; char shown[SHOWN_MAX][280]; unsigned shown_count; };

static int run_child(const struct world_options *options, int fd)
{
    static struct world_result result;

    (void)alarm(SEED_SECONDS_MAX);
    if (world_run(options, &result) < 0)
        return 2;
    (void)fflush(stdout);
    return write(fd, &result, sizeof result) == (ssize_t)sizeof result ? 0 : 2;
}

static void run_seed(const struct world_options *options, struct world_result *ret_result)
{
    int pipes[2], status = 0;
    size_t have = 0;
    ssize_t n;
    pid_t child;

    memset(ret_result, 0, sizeof *ret_result);
    (void)fflush(stdout);
    if (pipe(pipes) < 0 || (child = fork()) < 0)
        exit(2);
    if (child == 0) {
        (void)close(pipes[0]);
        exit(run_child(options, pipes[1]));
    }
    (void)close(pipes[1]);
    while (have < sizeof *ret_result && (n = read(pipes[0], (char *)ret_result + have, sizeof *ret_result - have)) > 0)
        have += (size_t)n;
    (void)close(pipes[0]);
    (void)waitpid(child, &status, 0);
    if (have == sizeof *ret_result && status == 0)
        return;
    memset(ret_result, 0, sizeof *ret_result);
    (void)snprintf(ret_result->violations[0], sizeof ret_result->violations[0], "it ended by signal %d, status %d",
                   WIFSIGNALED(status) ? WTERMSIG(status) : 0, WIFEXITED(status) ? WEXITSTATUS(status) : 0);
    ret_result->violation_count = 1;
}

static void add(struct total *total, uint64_t seed, const struct world_result *result)
{
    struct world_result *sum = &total->sum;

    total->seeds++;
    total->failed += result->violation_count > 0;
    sum->virtual_us += result->virtual_us;
    sum->turns += result->turns;
    sum->box_us += result->box_us;
    sum->starts += result->starts;
    sum->messages += result->messages;
    sum->parts += result->parts;
    sum->requests += result->requests;
    sum->answers += result->answers;
    sum->leases += result->leases;
    sum->entries += result->entries;
    sum->checks += result->checks;
    sum->captured_micro += result->captured_micro;
    for (int i = 0; i < FAULT_COUNT; i++)
        sum->faults[i] += result->faults[i];
    for (int i = 0; i < STORIES; i++)
        sum->stories[i] += result->stories[i];
    if (result->bound_micro > 0 && (double)result->overspent_micro / (double)result->bound_micro > sum->worst_of_bound) {
        sum->worst_of_bound = (double)result->overspent_micro / (double)result->bound_micro;
        sum->overspent_micro = result->overspent_micro;
        sum->bound_micro = result->bound_micro;
    }
    for (uint32_t i = 0; i < result->violation_count && i < VIOLATIONS_MAX && total->shown_count < SHOWN_MAX; i++)
        (void)snprintf(total->shown[total->shown_count++], sizeof total->shown[0], "seed %" PRIu64 ": %s", seed, result->violations[i]);
}

static void print_counts(const char *name, const char *const *names, const uint64_t *counts, int n)
{
    (void)printf("  \"%s\": {", name);
    for (int i = 0; i < n; i++)
        (void)printf("%s \"%s\": %" PRIu64, i > 0 ? "," : "", names[i], counts[i]);
    (void)printf(" },\n");
}

static void print(const struct total *total)
{
    const struct world_result *sum = &total->sum;

    (void)printf("{\n  \"seeds\": %" PRIu64 ",\n  \"box_days\": %.1f,\n  \"starts\": %" PRIu64 ",\n  \"messages\": %" PRIu64 ",\n  \"parts\": %" PRIu64
                 ",\n  \"requests\": %" PRIu64 ",\n  \"answers\": %" PRIu64 ",\n  \"leases\": %" PRIu64 ",\n  \"entries\": %" PRIu64
                 ",\n  \"checks\": %" PRIu64 ",\n",
                 total->seeds, (double)sum->box_us / 86400e6, sum->starts, sum->messages, sum->parts, sum->requests, sum->answers, sum->leases,
                 sum->entries, sum->checks);
    print_counts("stories", story_names, sum->stories, STORIES);
    print_counts("faults", fault_names, sum->faults, FAULT_COUNT);
    (void)printf("  \"overspent_micro\": %" PRId64 ",\n  \"bound_micro\": %" PRId64 ",\n  \"failed_seeds\": %" PRIu64 ",\n  \"violations\": [",
                 sum->overspent_micro, sum->bound_micro, total->failed);
    for (unsigned i = 0; i < total->shown_count; i++) {
        (void)printf("%s\n    \"", i > 0 ? "," : "");
        for (const char *at = total->shown[i]; *at != '\0'; at++)
            (void)putchar(*at == '"' || *at == '\\' || (unsigned char)*at < 0x20 ? '\'' : *at);
        (void)printf("\"");
    }
    (void)printf("%s]\n}\n", total->shown_count > 0 ? "\n  " : "");
}

static int find(const char *const *names, int n, const char *name, size_t length)
{
    for (int i = 0; i < n; i++)
        if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
            return i;
    (void)fprintf(stderr, "cellpost-simulate-credits: %.*s is not known\n", (int)length, name);
    exit(2);
}

static uint64_t read_faults(const char *list)
{
    uint64_t faults = 0;

    if (strcmp(list, "none") == 0)
        return 0;
    for (const char *at = list; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
        faults |= UINT64_C(1) << find(fault_names, FAULT_COUNT, at, strcspn(at, ","));
    return faults;
}

/* Each seed has some of the faults, so that the others show what they do alone. */
static uint64_t drawn_faults(uint64_t seed)
{
    struct sim_random random;

    sim_random_init(&random, seed, 3);
    return sim_random_below(&random, 4) == 0 ? ~UINT64_C(0) : (uint64_t)sim_random_next(&random);
}

int main(int argc, char **argv)
{
    static const struct option names[] = { { "seeds", 1, NULL, 's' },   { "days", 1, NULL, 'd' },    { "story", 1, NULL, 'o' },
                                           { "faults", 1, NULL, 'f' },  { "boxes", 1, NULL, 'b' },   { "clones", 1, NULL, 'c' },
                                           { "seconds", 1, NULL, 'S' }, { "trace", 0, NULL, 't' },   { "help", 0, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    struct world_options options = { .length_us = DAYS(4), .story = -1 };
    static struct total total;
    static struct world_result result;
    uint64_t first = 1, last = 20, faults = 0;
    bool has_faults = false;
    long seconds = 0;
    time_t begun = time(NULL);
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 's':
            if (sscanf(optarg, "%" SCNu64 "-%" SCNu64, &first, &last) == 1)
                last = first;
            break;
        case 'd': options.length_us = (uint64_t)(strtod(optarg, NULL) * 86400e6); break;
        case 'o': options.story = find(story_names, STORIES, optarg, strlen(optarg)); break;
        case 'f': faults = read_faults(optarg); has_faults = true; break;
        case 'b': options.boxes = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'c': options.clones = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'S': seconds = strtol(optarg, NULL, 10); break;
        case 't': options.trace = true; break;
        default: (void)fputs(usage, option == 'h' ? stdout : stderr); return option == 'h' ? 0 : 2;
        }
    }
    if (options.boxes > BOXES_MAX - 1 || options.clones > BOXES_MAX - 1) {
        (void)fputs(usage, stderr);
        return 2;
    }
    for (uint64_t seed = first; seed <= last && (seconds == 0 || time(NULL) - begun < seconds); seed++) {
        options.seed = seed;
        options.faults = has_faults ? faults : drawn_faults(seed);
        run_seed(&options, &result);
        add(&total, seed, &result);
    }
    print(&total);
    return total.failed > 0 ? 1 : 0;
}
