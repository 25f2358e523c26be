/* SPDX-License-Identifier: Apache-2.0
 *
 * faults.h - what goes wrong, by name, and when. Each seed draws which kinds it has and how often (swarm testing). */
#ifndef CELLPOST_SIMULATION_FAULTS_H
#define CELLPOST_SIMULATION_FAULTS_H

#include "hal/sim/sim_fault.h"
#include "hal/sim/sim_random.h"

/* The faults of a modem come first and keep their numbers. */
enum fault {
    FAULT_REPLUG = SIM_FAULT_COUNT,      /* pulled and plugged in again */
    FAULT_RENUMBER,                      /* the same, and it comes back under another name */
    FAULT_BOOT,                          /* a modem restarts by itself */
    FAULT_STALL,                         /* a modem stops answering for a while, whatever it does */
    FAULT_OUTAGE,                        /* the network refuses everything for a while */
    FAULT_REPORTS,                       /* early, doubled, failed, temporary, none: a new habit of the network */
    FAULT_FLOOD,                         /* more incoming messages at a time than a card has room for */
    FAULT_KILL, FAULT_POWER, FAULT_RESTART,   /* SIGKILL, the plug, SIGTERM */
    FAULT_CLOCK_BACK, FAULT_CLOCK_FORWARD,
    FAULT_DISK_FULL, FAULT_DISK_ERROR, FAULT_DISK_SLOW,
    FAULT_COUNT
};

#define FAULTS_ALL ((UINT64_C(1) << FAULT_COUNT) - 1)

struct simulation;

struct faults {
    struct sim_random random;
    uint64_t enabled;                    /* drawn: a subset of what the options allow */
    uint64_t mean_us[FAULT_COUNT], next_us[FAULT_COUNT], end_us[FAULT_COUNT];   /* end: of one that lasts */
    uint64_t weather_us;                 /* when modems get other habits */
};

const char *fault_name(int fault);
int fault_find(const char *name);        /* -EINVAL */

void faults_init(struct simulation *sim);
uint64_t faults_deadline(const struct simulation *sim);
void faults_turn(struct simulation *sim);
void faults_count(struct simulation *sim, int fault);
/* From now on nothing goes wrong any more. */
void faults_stop(struct simulation *sim);

#endif
