/* SPDX-License-Identifier: Apache-2.0
 *
 * soak_faults.h - what can go wrong in a round: a table. */
#ifndef CELLPOST_BENCH_SOAK_FAULTS_H
#define CELLPOST_BENCH_SOAK_FAULTS_H

#include "tests/system/harness.h"

struct soak_moment {                     /* one fault, striking */
    struct harness *harness;
    unsigned modem;                      /* that it strikes, where it strikes one */
    const char *disk;                    /* the fault of the disk, where it is one */
};

struct soak_fault {
    const char *name;
    unsigned weight;                     /* rounds of this kind in one turn through all of them */
    bool loses_answers;                  /* parts on the air may become unknown */
    bool one_reply;                      /* the round lasts until the modem whose reply is lost sends again */
    unsigned hold_ms_min, hold_ms_max;   /* between begin and end; beyond_timeout: and the daemon's send_timeout */
    bool beyond_timeout;
    const char *disk;
    void (*begin)(const struct soak_moment *moment);
    void (*end)(const struct soak_moment *moment);
};

extern const struct soak_fault soak_faults[];
extern const size_t soak_fault_count;

#endif
