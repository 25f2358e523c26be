/* SPDX-License-Identifier: Apache-2.0
 *
 * soak.h - a real daemon on simulated modems under load, with one fault in each round, and what became of every message.
 *
 * An episode is a fresh folder, bank and daemon, and some rounds; then faults stop, everything must settle, and the verdict is
 * reached. Faults and moments are drawn from the seed; how the processes run is the machine's. A round ends when each modem
 * has had a part on the air again. */
#ifndef CELLPOST_BENCH_SOAK_H
#define CELLPOST_BENCH_SOAK_H

#include "tests/bench/verdict.h"

#define SOAK_FAULTS_MAX 20

struct soak_settings {
    unsigned rounds, seed;
    unsigned modems, air_ms;
    unsigned episode;                    /* rounds of one */
    unsigned send_timeout_ms;            /* of the daemon, at least 1000: an answer is lost after that */
    unsigned quiet;                      /* no progress on stderr */
};

struct soak_tally {                      /* of one kind of fault */
    unsigned rounds;
    uint64_t sends;                      /* parts on the air in its rounds */
    unsigned flagged_unknown, really_sent;
    unsigned recovery_ms_max;
    uint64_t recovery_ms_sum;
};

struct soak_result {
    unsigned rounds, episodes;           /* done */
    unsigned requests, retries, replays, abandoned;
    struct verdict verdict;              /* sums over the episodes */
    struct soak_tally tally[SOAK_FAULTS_MAX];
    uint64_t disk_calls_failed;
    unsigned lost_reply_ms_max;          /* from the part whose reply was lost to the next one of that modem */
    unsigned settle_ms_max;
    double wall_s;
};

/* Stops after the first episode in which something was violated; its folder is kept, stderr says which. */
void soak_run(const struct soak_settings *settings, struct soak_result *ret_result);
json_t *soak_result_json(const struct soak_settings *settings, const struct soak_result *result);

#endif
