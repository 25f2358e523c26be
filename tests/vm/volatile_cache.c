/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vm/volatile_cache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITTEN_BACK_EARLY_OF 4u   /* one in so many overwritten sectors was on the medium already */

struct dirty_sector { uint64_t write; uint8_t bytes[VOLATILE_SECTOR]; };

struct volatile_cache {
    int medium_fd;
    uint64_t random;
    uint64_t sectors;
    struct dirty_sector **dirty;      /* by sector; NULL: as on the medium */
    uint64_t *list; uint64_t count;   /* of the dirty ones, in the order they became so */
    uint64_t writes;                  /* requests since the cache was last empty */
};

struct volatile_cache *volatile_cache_new(int medium_fd, uint64_t seed)
{
    struct volatile_cache *cache = calloc(1, sizeof *cache);
    struct stat status;

    if (cache == NULL || fstat(medium_fd, &status) < 0)
        goto fail;
    cache->medium_fd = medium_fd;
    cache->random = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
    cache->sectors = (uint64_t)status.st_size / VOLATILE_SECTOR;
    cache->dirty = calloc(cache->sectors + 1, sizeof *cache->dirty);
    cache->list = calloc(cache->sectors + 1, sizeof *cache->list);
    if (cache->dirty == NULL || cache->list == NULL)
        goto fail;
    return cache;
fail:
    volatile_cache_free(cache);
    return NULL;
}

static void forget(struct volatile_cache *cache)
{
    for (uint64_t i = 0; i < cache->count; i++) {
        free(cache->dirty[cache->list[i]]);
        cache->dirty[cache->list[i]] = NULL;
    }
    cache->count = cache->writes = 0;
}

void volatile_cache_free(struct volatile_cache *cache)
{
    if (cache == NULL)
        return;
    if (cache->dirty != NULL && cache->list != NULL)
        forget(cache);
    free(cache->dirty);
    free(cache->list);
    free(cache);
}

uint64_t volatile_cache_size(const struct volatile_cache *cache)
{
    return cache->sectors * VOLATILE_SECTOR;
}

uint64_t volatile_cache_dirty(const struct volatile_cache *cache)
{
    return cache->count;
}

uint64_t volatile_cache_random(struct volatile_cache *cache, uint64_t bound)
{
    /* xorshift64*; its high bits are the good ones. */
    cache->random ^= cache->random >> 12;
    cache->random ^= cache->random << 25;
    cache->random ^= cache->random >> 27;
    return (cache->random * UINT64_C(2685821657736338717) >> 32) % bound;
}

static int check(const struct volatile_cache *cache, uint64_t offset, size_t length)
{
    if (offset % VOLATILE_SECTOR != 0 || length % VOLATILE_SECTOR != 0)
        return -EINVAL;
    return offset > volatile_cache_size(cache) || length > volatile_cache_size(cache) - offset ? -ENOSPC : 0;
}

static int medium_read(const struct volatile_cache *cache, uint64_t offset, uint8_t *ret_bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = pread(cache->medium_fd, ret_bytes, length, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        ret_bytes += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return 0;
}

static int medium_write_sector(const struct volatile_cache *cache, uint64_t sector)
{
    ssize_t n;

    do
        n = pwrite(cache->medium_fd, cache->dirty[sector]->bytes, VOLATILE_SECTOR, (off_t)(sector * VOLATILE_SECTOR));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return n == VOLATILE_SECTOR ? 0 : -EIO;
}

int volatile_cache_read(const struct volatile_cache *cache, uint64_t offset, void *ret_bytes, size_t length)
{
    int r = check(cache, offset, length);

    if (r == 0)
        r = medium_read(cache, offset, ret_bytes, length);
    for (size_t at = 0; r == 0 && at < length; at += VOLATILE_SECTOR) {
        const struct dirty_sector *dirty = cache->dirty[(offset + at) / VOLATILE_SECTOR];

        if (dirty != NULL)
            memcpy((uint8_t *)ret_bytes + at, dirty->bytes, VOLATILE_SECTOR);
    }
    return r;
}

static int write_sector(struct volatile_cache *cache, uint64_t sector, const uint8_t *bytes)
{
    if (cache->dirty[sector] != NULL) {
        if (volatile_cache_random(cache, WRITTEN_BACK_EARLY_OF) == 0) {
            int r = medium_write_sector(cache, sector);

            if (r < 0)
                return r;
        }
    } else {
        cache->dirty[sector] = malloc(sizeof *cache->dirty[sector]);
        if (cache->dirty[sector] == NULL)
            return -ENOMEM;
        cache->list[cache->count++] = sector;
    }
    cache->dirty[sector]->write = cache->writes;
    memcpy(cache->dirty[sector]->bytes, bytes, VOLATILE_SECTOR);
    return 0;
}

int volatile_cache_write(struct volatile_cache *cache, uint64_t offset, const void *bytes, size_t length)
{
    int r = check(cache, offset, length);

    for (size_t at = 0; r == 0 && at < length; at += VOLATILE_SECTOR)
        r = write_sector(cache, (offset + at) / VOLATILE_SECTOR, (const uint8_t *)bytes + at);
    cache->writes++;
    return r;
}

int volatile_cache_flush(struct volatile_cache *cache)
{
    for (uint64_t i = 0; i < cache->count; i++) {
        int r = medium_write_sector(cache, cache->list[i]);

        if (r < 0)
            return r;
    }
    forget(cache);
    return 0;
}

int volatile_cache_cut(struct volatile_cache *cache, struct volatile_cut *ret_cut)
{
    enum { KEPT = 1, DROPPED = 2 };
    uint8_t *fates = calloc(cache->writes + 1, 1);   /* of the requests: what happened to their sectors */
    struct volatile_cut cut = { 0 };
    int r = fates == NULL ? -ENOMEM : 0;

    for (uint64_t i = 0; r == 0 && i < cache->count; i++) {
        uint64_t sector = cache->list[i];
        bool keep = volatile_cache_random(cache, 2) == 0;

        if (keep)
            r = medium_write_sector(cache, sector);
        fates[cache->dirty[sector]->write] |= keep ? KEPT : DROPPED;
        cut.sectors_kept += keep;
        cut.sectors_dropped += !keep;
    }
    for (uint64_t i = 0; r == 0 && i < cache->writes; i++)
        cut.writes_torn += fates[i] == (KEPT | DROPPED);
    free(fates);
    if (r < 0)
        return r;
    forget(cache);
    *ret_cut = cut;
    return 0;
}
