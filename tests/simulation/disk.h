/* SPDX-License-Identifier: Apache-2.0
 *
 * disk.h - a disk in memory behind SQLite's VFS that knows what was synced and what was not.
 *
 * A write is in the page cache until a sync. disk_kill() ends the process: the page cache stays. disk_power_cut() ends
 * the machine: what was synced stays, and of the 512-octet sectors written since each is there, is not, or is torn.
 * A sync that failed makes nothing durable, and its pages are not written again by the next one (Linux since 4.13).
 * Its locks let everyone in: two connections must not have transactions at the same time.
 * Errors: only disk_new() can fail; what fails towards SQLite is counted. */
#ifndef CELLPOST_SIMULATION_DISK_H
#define CELLPOST_SIMULATION_DISK_H

#include <stdbool.h>
#include <stdint.h>

struct disk;

struct disk_counts { uint64_t writes, syncs, octets, failed; };

struct disk *disk_new(uint64_t seed);   /* NULL: no memory. The newest one's VFS is SQLite's default until disk_free() */
void disk_free(struct disk *disk);
const char *disk_vfs(const struct disk *disk);   /* its name, while the disk is there */
/* A copy of a card, made while neither is in use and the other was shut down in peace. -ENOMEM. */
int disk_copy(struct disk *to, const struct disk *from);

/* Nothing that makes a file longer is written any more. */
void disk_set_full(struct disk *disk, bool full);
/* Of the next writes, syncs and truncations, count fail after skip of them went well. */
void disk_fail(struct disk *disk, uint32_t skip, uint32_t count);
/* The process or the machine stops in the middle of the step after skip of them: from then on every call fails. */
void disk_stop_after(struct disk *disk, uint32_t skip);
void disk_stop(struct disk *disk);      /* now */
bool disk_stopped(const struct disk *disk);
/* Ends what is stopped; every file must be closed by then. It can be opened again after. */
void disk_kill(struct disk *disk);
void disk_power_cut(struct disk *disk);

struct disk_counts disk_counts(const struct disk *disk);

#endif
