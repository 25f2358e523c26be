/* SPDX-License-Identifier: Apache-2.0
 *
 * host.h - the box as a machine: its clock, its disk, and the process on it, which starts, commits, stops and dies.
 *
 * The store is driven as the store thread of cellpostd does it: lists that wait are joined, applied in one transaction,
 * and given back when the disk has done its work, which takes virtual time. */
#ifndef CELLPOST_SIMULATION_HOST_H
#define CELLPOST_SIMULATION_HOST_H

#include "firmware/common/box.h"
#include "hal/sim/sim_random.h"

#define HOST_LISTS_MAX 4096              /* waiting for a commit */

struct simulation;
struct disk;

enum host_state { HOST_DOWN, HOST_UP, HOST_STOPPING };
enum host_end { HOST_KILLED, HOST_POWER_CUT };

struct host {
    struct sim_random random;
    enum host_state state;
    struct disk *disk;
    struct store *store;
    struct box *box;
    uint64_t boot_us;                    /* when the machine's monotonic clock began */
    uint64_t start_us;                   /* HOST_DOWN: when the process starts */
    uint64_t stop_by_us;                 /* HOST_STOPPING */
    bool lines_closed;
    int64_t clock_offset_ms;             /* its wall clock against the world's */
    int64_t clock_saved_ms;              /* what it starts with after a power cut, until the network tells */
    uint64_t clock_mend_us;
    uint32_t window;
    uint64_t look_us;                    /* when memory is looked at next */
    uint64_t commit_us_mean;
    uint32_t slow_times;                 /* the disk is slow for a while: so many times; 1 usually */

    struct store_change *waiting[HOST_LISTS_MAX];
    uint32_t waiting_first, waiting_count;
    struct store_change *group[HOST_LISTS_MAX];   /* being committed */
    uint32_t group_count;
    int group_error;
    uint32_t group_us;
    uint64_t group_done_us;              /* NEVER: none */

    bool ending;                         /* the disk stops in the middle of one of the next commits */
    enum host_end end;
    uint64_t end_by_us;                  /* or then, where none comes */
};

int host_init(struct simulation *sim);
void host_done(struct simulation *sim);
uint64_t host_deadline(const struct simulation *sim);
void host_turn(struct simulation *sim);
void host_submit(struct simulation *sim);    /* what the turn decided goes to the store */

struct gateway_now host_now(const struct simulation *sim);
int64_t host_wall_ms(const struct simulation *sim);
struct gateway *host_gateway(struct simulation *sim);    /* NULL: not running */

/* The process or the machine ends now, or (in_commit) in the middle of the next commit. */
void host_crash(struct simulation *sim, enum host_end end, bool in_commit);
void host_stop(struct simulation *sim);      /* SIGTERM; it is started again later */
void host_heal(struct simulation *sim);

#define WORLD_EPOCH_MS INT64_C(1788220800000)   /* 2026-09-01: the world's wall clock at time 0 */

#endif
