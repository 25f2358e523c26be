/* SPDX-License-Identifier: Apache-2.0
 *
 * volatile_cache.h - the write cache of a disk that forgets it when the power is cut.
 *
 * What is written stays in memory until a flush; a cut then keeps or drops each 512-byte sector by chance, whatever request it
 * came with, as a disk does that writes back in an order of its own. A sector written again before a flush may have gone to the
 * medium in its older form. What was flushed is never dropped. The same seed and the same requests give the same outcome.
 *
 * Memory: at most the size of the disk. Offsets and lengths are in bytes, multiples of a sector, within the disk.
 * Errors: 0 or a negative errno; -EINVAL: not whole sectors; -ENOSPC: beyond the end; what pread() and pwrite() say. */
#ifndef CELLPOST_VOLATILE_CACHE_H
#define CELLPOST_VOLATILE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define VOLATILE_SECTOR 512u

struct volatile_cache;

struct volatile_cut {
    uint64_t sectors_kept, sectors_dropped;   /* of those that were not flushed */
    uint64_t writes_torn;                     /* requests of which some sectors were kept and some not */
};

/* The medium is a file, the caller's; its size is the disk's, cut down to whole sectors. NULL: no memory, or no such file. */
struct volatile_cache *volatile_cache_new(int medium_fd, uint64_t seed);
void volatile_cache_free(struct volatile_cache *cache);      /* forgets what is not flushed; accepts NULL */

uint64_t volatile_cache_size(const struct volatile_cache *cache);
uint64_t volatile_cache_dirty(const struct volatile_cache *cache);   /* sectors that a cut may drop */
int volatile_cache_read(const struct volatile_cache *cache, uint64_t offset, void *ret_bytes, size_t length);
/* After an error some of the sectors may be in the cache. */
int volatile_cache_write(struct volatile_cache *cache, uint64_t offset, const void *bytes, size_t length);
int volatile_cache_flush(struct volatile_cache *cache);
/* The power is cut: the cache is empty afterwards, the medium is what the next start finds. */
int volatile_cache_cut(struct volatile_cache *cache, struct volatile_cut *ret_cut);
/* Of the same chance, for whoever drives the disk: 0 to bound - 1. */
uint64_t volatile_cache_random(struct volatile_cache *cache, uint64_t bound);

#endif
