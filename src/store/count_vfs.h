/* SPDX-License-Identifier: Apache-2.0
 *
 * count_vfs.h - an SQLite VFS that counts what the one below it is asked to write and sync.
 *
 * Cards wear with bytes and age with syncs: both are figures an operator watches, so they are counted where they happen and
 * not computed from what one believes SQLite does. One per store; used by the store's thread alone. */
#ifndef CELLPOST_COUNT_VFS_H
#define CELLPOST_COUNT_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct count_vfs;

struct count_vfs_stats { uint64_t writes, bytes_written, wal_bytes_written, syncs; };   /* wal: of them to the write-ahead log */

/* base: name of the VFS below, NULL for the default. -ENOENT: there is none of this name; -ENOMEM. */
int count_vfs_new(const char *base, struct count_vfs **ret_vfs);
/* Asked after each read; false: that read, and with it the statement, fails. */
void count_vfs_watch_reads(struct count_vfs *vfs, bool (*read)(void *context, size_t bytes), void *context);
/* After the last file that was opened with it is closed; accepts NULL. */
void count_vfs_free(struct count_vfs *vfs);
const char *count_vfs_name(const struct count_vfs *vfs);
struct count_vfs_stats count_vfs_stats(const struct count_vfs *vfs);

#endif
