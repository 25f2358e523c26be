/* SPDX-License-Identifier: Apache-2.0
 *
 * simulation.h - a whole box in one process on a virtual clock: the objects of cellpostd (box, gateway, modems, store) on
 * simulated modems, a simulated air and a disk in memory, with clients that retry and faults at any moment.
 *
 * Everything that is chance comes from the seed: one seed, one exact replay. Time is microseconds of the world, which
 * jumps to the next thing that is due, so idle hours cost nothing.
 *
 *   simulation.c  the clock and the turns         host.c      the box and its store: start, commit, stop, crash
 *   bank.c        modems, ports, lines            clients.c   who sends: keys, retries, cancels
 *   incoming.c    messages from outside           faults.c    what goes wrong, and when
 *   witness.c     what was really on the air and what the box decided, checked as it happens
 *   verdict.c     at the end: the database against the witness      trace.c  the story, for people */
#ifndef CELLPOST_SIMULATION_H
#define CELLPOST_SIMULATION_H

#include "tests/simulation/bank.h"
#include "tests/simulation/clients.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/host.h"
#include "tests/simulation/incoming.h"
#include "tests/simulation/witness.h"

#define SECONDS(n) ((uint64_t)(n) * 1000000u)
#define MINUTES(n) SECONDS((uint64_t)(n) * 60u)
#define HOURS(n) MINUTES((uint64_t)(n) * 60u)
#define NEVER UINT64_MAX

struct simulation_options {
    uint64_t seed;
    uint64_t length_us;                  /* with faults and new work; then until everything has settled */
    uint64_t faults;                     /* bit n: enum fault n may happen */
    uint32_t modems;                     /* 0: drawn */
    bool busy;                           /* clients keep every modem busy: for measuring */
    bool opt_outs;                       /* some of the messages from outside say STOP, and the box answers them */
    bool idle;                           /* no faults, and nobody sends anything either way: for measuring */
    bool trace;
    const char *keep_path;               /* the database is written there at the end; NULL: nowhere */
};

#define VIOLATIONS_MAX 8
#define VIOLATION_SIZE 240

struct simulation_result {
    uint64_t virtual_us, turns;
    uint64_t messages, parts, reports, incoming;      /* acknowledged; on the air; handed to modems */
    uint64_t attempts, unknown, crash_unknown;        /* hand-overs; without an answer; open when the host went down */
    uint64_t evidence;                                /* of unknown: shown by the card's count not to have been sent */
    uint64_t unknown_by[FAULT_COUNT];                 /* of unknown: the fault before it */
    uint64_t faults[FAULT_COUNT];
    uint64_t starts, commits, syncs, octets_written;
    uint64_t slowest_doubt_us;                        /* from the intent to the verdict unknown, where the answer was lost */
    uint64_t slowest_back_us;                         /* from there to the modem at work again */
    uint32_t violation_count;
    char violations[VIOLATIONS_MAX][VIOLATION_SIZE];  /* the first ones */
};

struct simulation {
    struct simulation_options options;
    struct simulation_result *result;
    uint64_t now_us, end_us;             /* end_us: when faults and new work stop */
    bool settling;
    bool damaged;                        /* the database: there is nothing more to see */
    struct host host;
    struct bank bank;
    struct clients clients;
    struct incoming incoming;
    struct faults faults;
    struct witness witness;
};

/* 0, or -ENOMEM. What went wrong with the box is in the result. */
int simulation_run(const struct simulation_options *options, struct simulation_result *ret_result);

/* Something that must not be. The first VIOLATIONS_MAX are kept. */
void violation(struct simulation *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One line of the story: time, who, what. Prints only with options.trace. */
void trace(const struct simulation *sim, const char *who, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Chance, as people say it. */
uint32_t draw_between(struct sim_random *random, uint32_t low, uint32_t high);   /* both included */
bool draw_percent(struct sim_random *random, uint32_t percent);
uint64_t draw_wait_us(struct sim_random *random, uint64_t mean_us);              /* memoryless, at most 8 means */

#endif
