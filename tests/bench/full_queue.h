/* SPDX-License-Identifier: Apache-2.0
 *
 * full_queue.h - a database as a busy box leaves it, written through the store's own changes in large commits. */
#ifndef CELLPOST_BENCH_FULL_QUEUE_H
#define CELLPOST_BENCH_FULL_QUEUE_H

#include <stdint.h>

struct full_queue {
    unsigned queued;
    unsigned sent;                       /* await their reports */
    unsigned unknown, scheduled;
    unsigned open;                       /* parts on their way when the process died */
};

/* path: of a database that is not there yet. Ends the program where it cannot be written. */
void full_queue_write(const char *path, const struct full_queue *wanted);

#endif
