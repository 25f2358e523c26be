/* SPDX-License-Identifier: Apache-2.0
 *
 * cellpost-simulate - runs seeds of the simulation and prints what came of them as JSON. */
#include "tests/simulation/simulation.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEED_SECONDS_MAX 300             /* of the real clock: a run that takes longer hangs */
#define SHOWN_MAX 40

static const char usage[] =
    "usage: cellpost-simulate [--seeds A-B] [--hours H] [OPTION]...\n"
    "  --seeds A-B        one run for each seed (default 1-20); the same seed is the same run to the last octet\n"
    "  --hours H          virtual hours with faults and new work (default 2); then everything has to settle\n"
    "  --faults LIST      these alone, all of them in each seed: names with commas, or none. Default: each seed draws\n"
    "  --modems N         as many modems (default: drawn by the seed)\n"
    "  --busy             no faults, clients that keep all modems busy: measures parts per second of this machine\n"
    "  --opt-outs         some messages from outside say STOP\n"
    "  --idle             no faults, and nobody sends: what idle hours cost\n"
    "  --seconds N        begin no other seed after so many seconds of the real clock\n"
    "  --until-violation  stop at the first seed with one\n"
    "  --trace            tell the story: time, who, what (before the JSON)\n"
    "  --keep FILE        write the database of the last seed there\n"
    "  --list             the names of faults\n"
    "Ends with 1 where something was violated.\n";

struct totals {
    struct simulation_result sum;
    uint64_t seeds, failed_seeds, shown;
    char violations[SHOWN_MAX][VIOLATION_SIZE + 32];
};

/* -- one seed, in a process of its own, so that an assert of the box is a finding and not the end ----------------- */

static void finding(struct simulation_result *result, const char *text, int number)
{
    if (result->violation_count < VIOLATIONS_MAX)
        (void)snprintf(result->violations[result->violation_count], VIOLATION_SIZE, "%s (%d)", text, number);
    result->violation_count++;
}

static bool read_all(int fd, void *bytes, size_t size)
{
    size_t have = 0;

    while (have < size) {
        ssize_t n = read(fd, (char *)bytes + have, size - have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

static int run_child(const struct simulation_options *options, int fd)
{
    static struct simulation_result result;

    (void)alarm(SEED_SECONDS_MAX);
    if (simulation_run(options, &result) < 0)
        return 2;
    (void)fflush(stdout);
    return write(fd, &result, sizeof result) == (ssize_t)sizeof result ? 0 : 2;
}

static void run_seed(const struct simulation_options *options, struct simulation_result *ret_result)
{
    int pipes[2], status = 0;
    pid_t child;

    memset(ret_result, 0, sizeof *ret_result);
    (void)fflush(stdout);
    if (pipe(pipes) < 0 || (child = fork()) < 0) {
        finding(ret_result, "no process for this seed", errno);
        return;
    }
    if (child == 0)
        exit(run_child(options, pipes[1]));   /* not _exit(): a leak checker looks at the end */
    (void)close(pipes[1]);
    if (!read_all(pipes[0], ret_result, sizeof *ret_result))
        memset(ret_result, 0, sizeof *ret_result);
    (void)close(pipes[0]);
    (void)waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        finding(ret_result, WTERMSIG(status) == SIGALRM ? "it hangs: killed by signal" : "it crashed: killed by signal", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        finding(ret_result, "the simulation itself failed with status", WEXITSTATUS(status));
}

/* -- what came of it ------------------------------------------------------------------------------------------ */

static void add(struct totals *totals, uint64_t seed, const struct simulation_result *result)
{
    struct simulation_result *sum = &totals->sum;

    totals->seeds++;
    totals->failed_seeds += result->violation_count > 0;
    sum->virtual_us += result->virtual_us;
    sum->turns += result->turns;
    sum->messages += result->messages;
    sum->parts += result->parts;
    sum->reports += result->reports;
    sum->incoming += result->incoming;
    sum->attempts += result->attempts;
    sum->unknown += result->unknown;
    sum->evidence += result->evidence;
    sum->crash_unknown += result->crash_unknown;
    sum->starts += result->starts;
    sum->commits += result->commits;
    sum->syncs += result->syncs;
    sum->octets_written += result->octets_written;
    sum->violation_count += result->violation_count;
    if (result->slowest_doubt_us > sum->slowest_doubt_us)
        sum->slowest_doubt_us = result->slowest_doubt_us;
    if (result->slowest_back_us > sum->slowest_back_us)
        sum->slowest_back_us = result->slowest_back_us;
    for (int i = 0; i < FAULT_COUNT; i++) {
        sum->faults[i] += result->faults[i];
        sum->unknown_by[i] += result->unknown_by[i];
    }
    for (uint32_t i = 0; i < result->violation_count && i < VIOLATIONS_MAX && totals->shown < SHOWN_MAX; i++)
        (void)snprintf(totals->violations[totals->shown++], sizeof totals->violations[0], "seed %" PRIu64 " at %s", seed, result->violations[i]);
}

static void print_text(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            (void)putchar('\\');
        if ((unsigned char)*text >= ' ')
            (void)putchar(*text);
    }
    (void)putchar('"');
}

static void print_counts(const char *name, const uint64_t counts[FAULT_COUNT])
{
    const char *between = "";

    printf("  \"%s\": {", name);
    for (int i = 0; i < FAULT_COUNT; i++)
        if (counts[i] > 0) {
            printf("%s \"%s\": %" PRIu64, between, fault_name(i), counts[i]);
            between = ",";
        }
    printf(" },\n");
}

static void print_number(const char *name, uint64_t number)
{
    printf("  \"%s\": %" PRIu64 ",\n", name, number);
}

static void print_totals(const struct totals *totals, uint64_t first, uint64_t last, double hours, double wall_s)
{
    const struct simulation_result *sum = &totals->sum;

    printf("{\n  \"seeds\": \"%" PRIu64 "-%" PRIu64 "\",\n", first, last);
    print_number("runs", totals->seeds);
    printf("  \"hours\": %g,\n  \"virtual_hours\": %.1f,\n  \"wall_s\": %.2f,\n", hours, (double)sum->virtual_us / 3.6e9, wall_s);
    print_number("messages", sum->messages);
    print_number("parts", sum->parts);
    printf("  \"parts_per_s\": %.0f,\n", wall_s > 0 ? (double)sum->parts / wall_s : 0.0);
    print_number("reports", sum->reports);
    print_number("incoming", sum->incoming);
    print_number("attempts", sum->attempts);
    print_number("unknown", sum->unknown);
    print_number("not_sent_by_evidence", sum->evidence);
    print_number("unknown_by_crash", sum->crash_unknown);
    printf("  \"slowest_lost_reply_s\": %.1f,\n  \"slowest_back_at_work_s\": %.1f,\n", (double)sum->slowest_doubt_us / 1e6,
           (double)sum->slowest_back_us / 1e6);
    print_number("starts", sum->starts);
    print_number("commits", sum->commits);
    print_number("syncs", sum->syncs);
    print_number("octets_written", sum->octets_written);
    print_number("turns", sum->turns);
    print_counts("faults", sum->faults);
    print_counts("unknown_by", sum->unknown_by);
    print_number("failed_seeds", totals->failed_seeds);
    print_number("violation_count", sum->violation_count);
    printf("  \"violations\": [");
    for (uint64_t i = 0; i < totals->shown; i++) {
        printf("%s\n    ", i > 0 ? "," : "");
        print_text(totals->violations[i]);
    }
    printf("%s]\n}\n", totals->shown > 0 ? "\n  " : "");
}

/* -- options -------------------------------------------------------------------------------------------------- */

static int parse_seeds(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
    char *end;

    *ret_first = *ret_last = strtoull(text, &end, 10);
    if (end == text)
        return -EINVAL;
    if (*end == '-') {
        text = end + 1;
        *ret_last = strtoull(text, &end, 10);
    }
    return *end != '\0' || end == text || *ret_last < *ret_first ? -EINVAL : 0;
}

static int parse_faults(const char *text, uint64_t *ret_faults)
{
    uint64_t faults = 0;

    while (strcmp(text, "none") != 0 && *text != '\0') {
        char name[32];
        size_t length = strcspn(text, ",");
        int fault;

        (void)snprintf(name, sizeof name, "%.*s", (int)length, text);
        fault = fault_find(name);
        if (fault < 0) {
            (void)fprintf(stderr, "cellpost-simulate: there is no fault '%s' (--list)\n", name);
            return -EINVAL;
        }
        faults |= UINT64_C(1) << fault;
        text += length + (text[length] == ',');
    }
    *ret_faults = faults;
    return 0;
}

static void list_faults(void)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        (void)puts(fault_name(i));
}

struct command { struct simulation_options options; uint64_t first, last; double hours, seconds; bool until_violation, list; };

static int parse(int argc, char **argv, struct command *ret_command)
{
    static const struct option longs[] = {
        { "seeds", required_argument, NULL, 's' }, { "hours", required_argument, NULL, 'h' }, { "faults", required_argument, NULL, 'f' },
        { "modems", required_argument, NULL, 'm' }, { "busy", no_argument, NULL, 'b' }, { "opt-outs", no_argument, NULL, 'O' },       { "idle", no_argument, NULL, 'i' },
        { "until-violation", no_argument, NULL, 'u' },
        { "trace", no_argument, NULL, 't' },       { "json", no_argument, NULL, 'j' },        { "list", no_argument, NULL, 'l' },
        { "keep", required_argument, NULL, 'k' },  { "seconds", required_argument, NULL, 'c' },
         { "help", no_argument, NULL, '?' },        { NULL, 0, NULL, 0 },
    };
    struct command command = { .options = { .faults = FAULTS_ALL }, .first = 1, .last = 20, .hours = 2 };
    int option, r = 0;

    while (r == 0 && (option = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (option) {
        case 's': r = parse_seeds(optarg, &command.first, &command.last); break;
        case 'h': r = (command.hours = atof(optarg)) > 0 && command.hours <= 10000 ? 0 : -EINVAL; break;
        case 'f': r = parse_faults(optarg, &command.options.faults); break;
        case 'm': r = (command.options.modems = (uint32_t)atoi(optarg)) >= 1 && command.options.modems <= BANK_MODEMS_MAX ? 0 : -EINVAL; break;
        case 'b': command.options.busy = true; break;
        case 'i': command.options.idle = true; break;
        case 'O': command.options.opt_outs = true; break;
        case 'u': command.until_violation = true; break;
        case 't': command.options.trace = true; break;
        case 'j': break;                 /* it is always JSON */
        case 'c': r = (command.seconds = atof(optarg)) > 0 ? 0 : -EINVAL; break;
        case 'k': command.options.keep_path = optarg; break;
        case 'l': command.list = true; break;
        default: r = -EINVAL; break;
        }
    if (r == 0 && optind < argc)
        r = -EINVAL;
    if (command.options.busy || command.options.idle)
        command.options.faults = 0;
    command.options.length_us = (uint64_t)(command.hours * 3.6e9);
    *ret_command = command;
    return r;
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
    static struct totals totals;
    struct timespec start;
    uint64_t seed;
    struct command command;

    if (parse(argc, argv, &command) < 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (command.list) {
        list_faults();
        return 0;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    for (seed = command.first; seed <= command.last; seed++) {
        static struct simulation_result result;

        command.options.seed = seed;
        run_seed(&command.options, &result);
        add(&totals, seed, &result);
        if ((command.until_violation && result.violation_count > 0) || (command.seconds > 0 && seconds_since(&start) >= command.seconds))
            break;
    }
    print_totals(&totals, command.first, seed < command.last ? seed : command.last, command.hours, seconds_since(&start));
    return totals.sum.violation_count > 0;
}
