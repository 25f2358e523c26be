/* SPDX-License-Identifier: Apache-2.0
 *
 * simulation.c - the clock of the world, its turns, and how a run ends. */
#include "tests/simulation/simulation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS_AT_ONE_TIME_MAX 100000     /* more without the clock moving is no work, it is a loop */
#define SETTLE_LOOK_US SECONDS(60)
#define SETTLE_QUIET_US HOURS(6)         /* without faults something must move within: a SIM rests for up to 4 hours */
#define SETTLE_AHEAD_US HOURS(12 * 24)
#define SETTLE_AFTER_US MINUTES(45)      /* late reports and what waits for its modem's next look at its storage */

/* -- chance --------------------------------------------------------------------------------------------------- */

uint32_t draw_between(struct sim_random *random, uint32_t low, uint32_t high)
{
    return low + sim_random_below(random, high - low + 1);
}

bool draw_percent(struct sim_random *random, uint32_t percent)
{
    return sim_random_below(random, 100) < percent;
}

/* A sum of coin tosses is near enough to an exponential, and the same on every machine. */
uint64_t draw_wait_us(struct sim_random *random, uint64_t mean_us)
{
    uint64_t wait_us = sim_random_below(random, 1000000) * mean_us / 1000000;

    for (int i = 0; i < 7 && sim_random_below(random, 2) == 0; i++)
        wait_us += mean_us;
    return wait_us / 2 * 4 / 3 + 1;
}

/* -- the story ------------------------------------------------------------------------------------------------ */

static void print_time(uint64_t us)
{
    printf("%4u:%02u:%02u.%06u ", (unsigned)(us / HOURS(1)), (unsigned)(us / MINUTES(1) % 60), (unsigned)(us / SECONDS(1) % 60),
           (unsigned)(us % SECONDS(1)));
}

void trace(const struct simulation *sim, const char *who, const char *format, ...)
{
    va_list args;

    if (!sim->options.trace)
        return;
    print_time(sim->now_us);
    printf("%-10s ", who);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)putchar('\n');
}

void violation(struct simulation *sim, const char *format, ...)
{
    char text[VIOLATION_SIZE - 24];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    trace(sim, "VIOLATION", "%s", text);
    if (sim->result->violation_count < VIOLATIONS_MAX)
        (void)snprintf(sim->result->violations[sim->result->violation_count], VIOLATION_SIZE, "%u:%02u:%02u %s",
                       (unsigned)(sim->now_us / HOURS(1)), (unsigned)(sim->now_us / MINUTES(1) % 60), (unsigned)(sim->now_us / SECONDS(1) % 60), text);
    sim->result->violation_count++;
}

/* -- turns ---------------------------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_us(const struct simulation *sim)
{
    uint64_t next = earlier(bank_deadline(sim), host_deadline(sim));

    next = earlier(next, incoming_deadline(sim));
    next = earlier(next, clients_deadline(sim));
    return earlier(next, faults_deadline(sim));
}

/* Everything due until to_us. false: it goes round and round. */
static bool run_until(struct simulation *sim, uint64_t to_us)
{
    uint32_t at_one_time = 0;

    for (;;) {
        uint64_t next = next_us(sim);

        if (next > to_us) {
            sim->now_us = to_us;
            return true;
        }
        if (next > sim->now_us) {
            sim->now_us = next;
            at_one_time = 0;
        } else if (++at_one_time > TURNS_AT_ONE_TIME_MAX) {
            violation(sim, "no end: the box is busy without time going on");
            return false;
        }
        sim->result->turns++;
        bank_turn(sim);
        host_turn(sim);
        if (sim->options.routing)
            routing_world_look(sim);
        incoming_turn(sim);
        clients_turn(sim);
        faults_turn(sim);
        host_submit(sim);
        if (sim->damaged)
            return false;
    }
}

/* A retry asked for by a clock that was days ahead waits as long. */
static bool clock_was_ahead(const struct simulation *sim)
{
    return sim->result->faults[FAULT_CLOCK_FORWARD] > 0;
}

/* Faults and new work have stopped: whatever waits must come to its end. */
static void settle(struct simulation *sim)
{
    uint64_t quiet_since_us;
    int64_t open = -1;

    trace(sim, "world", "faults stop, clients stop");
    sim->settling = true;
    faults_stop(sim);
    quiet_since_us = sim->now_us;
    for (;;) {
        int64_t now_open;

        if (!run_until(sim, sim->now_us + SETTLE_LOOK_US))
            return;
        now_open = host_gateway(sim) != NULL ? verdict_unsettled(sim) : open;
        if (now_open != open || sim->witness.unsettled_us > quiet_since_us)
            quiet_since_us = sim->now_us;
        open = now_open;
        if (open == 0 && clients_idle(sim) && sim->incoming.pending_count == 0)
            break;
        if (sim->now_us - quiet_since_us > (clock_was_ahead(sim) ? SETTLE_AHEAD_US : SETTLE_QUIET_US)) {
            violation(sim, "no end: %lld messages wait, %u incoming parts, clients %s, nothing moves", (long long)open,
                      (unsigned)sim->incoming.pending_count, clients_idle(sim) ? "answered" : "unanswered");
            return;
        }
    }
    (void)run_until(sim, sim->now_us + SETTLE_AFTER_US);
}

int simulation_run(const struct simulation_options *options, struct simulation_result *ret_result)
{
    struct simulation *sim = calloc(1, sizeof *sim);
    int r;

    if (sim == NULL)
        return -ENOMEM;
    memset(ret_result, 0, sizeof *ret_result);
    sim->options = *options;
    sim->result = ret_result;
    sim->now_us = SECONDS(1);
    sim->end_us = sim->now_us + options->length_us;
    witness_init(sim);
    faults_init(sim);
    r = host_init(sim);
    if (r == 0)
        r = bank_init(sim);
    if (r == 0)
        r = routing_world_init(sim);
    if (r == 0) {
        clients_init(sim);
        incoming_init(sim);
        if (!run_until(sim, sim->end_us))
            host_heal(sim);              /* so that the verdict can be read */
        else if (!sim->options.busy)
            settle(sim);
        ret_result->virtual_us = sim->now_us;
        if (!sim->options.busy && !sim->damaged)
            verdict(sim);
    }
    host_done(sim);
    bank_done(sim);
    routing_world_done(sim);
    incoming_done(sim);
    witness_done(sim);
    free(sim);
    return r;
}
