/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/vm/volatile_cache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECTORS 64u
#define BYTES (SECTORS * VOLATILE_SECTOR)

struct disk { FILE *medium; struct volatile_cache *cache; };

static struct disk disk_new(uint64_t seed)
{
    struct disk disk = { .medium = tmpfile() };

    assert_non_null(disk.medium);
    assert_int_equal(ftruncate(fileno(disk.medium), BYTES), 0);
    disk.cache = volatile_cache_new(fileno(disk.medium), seed);
    assert_non_null(disk.cache);
    assert_int_equal(volatile_cache_size(disk.cache), BYTES);
    return disk;
}

static void disk_free(struct disk *disk)
{
    volatile_cache_free(disk->cache);
    (void)fclose(disk->medium);
}

static void fill(struct disk *disk, unsigned first, unsigned count, uint8_t value)
{
    uint8_t bytes[BYTES];

    memset(bytes, value, sizeof bytes);
    assert_int_equal(volatile_cache_write(disk->cache, first * VOLATILE_SECTOR, bytes, count * VOLATILE_SECTOR), 0);
}

/* The one value of all octets of this sector of the medium: a sector is never torn in itself. */
static int on_medium(const struct disk *disk, unsigned sector)
{
    uint8_t bytes[VOLATILE_SECTOR];

    assert_int_equal(pread(fileno(disk->medium), bytes, sizeof bytes, sector * VOLATILE_SECTOR), sizeof bytes);
    for (size_t i = 1; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], bytes[0]);
    return bytes[0];
}

static void what_was_written_is_read_back_and_not_on_the_medium_yet(void **state)
{
    struct disk disk = disk_new(1);
    uint8_t bytes[4 * VOLATILE_SECTOR];

    (void)state;
    fill(&disk, 3, 2, 7);
    assert_int_equal(volatile_cache_dirty(disk.cache), 2);
    assert_int_equal(volatile_cache_read(disk.cache, 2 * VOLATILE_SECTOR, bytes, sizeof bytes), 0);
    assert_int_equal(bytes[VOLATILE_SECTOR - 1], 0);
    assert_int_equal(bytes[VOLATILE_SECTOR], 7);
    assert_int_equal(bytes[3 * VOLATILE_SECTOR - 1], 7);
    assert_int_equal(bytes[3 * VOLATILE_SECTOR], 0);
    assert_int_equal(on_medium(&disk, 3), 0);
    disk_free(&disk);
}

static void what_was_flushed_survives_every_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct disk disk = disk_new(seed);
        struct volatile_cut cut;

        fill(&disk, 0, SECTORS, 1);
        assert_int_equal(volatile_cache_flush(disk.cache), 0);
        assert_int_equal(volatile_cache_dirty(disk.cache), 0);
        fill(&disk, 0, SECTORS / 2, 2);
        assert_int_equal(volatile_cache_cut(disk.cache, &cut), 0);
        assert_int_equal(cut.sectors_kept + cut.sectors_dropped, SECTORS / 2);
        for (unsigned i = 0; i < SECTORS; i++)
            assert_in_range(on_medium(&disk, i), 1, i < SECTORS / 2 ? 2 : 1);
        disk_free(&disk);
    }
}

static void a_cut_keeps_some_sectors_and_drops_others_within_one_write(void **state)
{
    struct disk disk = disk_new(5);
    struct volatile_cut cut;
    unsigned kept = 0;

    (void)state;
    fill(&disk, 0, SECTORS, 9);
    assert_int_equal(volatile_cache_cut(disk.cache, &cut), 0);
    for (unsigned i = 0; i < SECTORS; i++)
        kept += on_medium(&disk, i) == 9;
    assert_int_equal(kept, cut.sectors_kept);
    assert_int_equal(cut.sectors_kept + cut.sectors_dropped, SECTORS);
    assert_in_range(kept, SECTORS / 4, SECTORS * 3 / 4);
    assert_int_equal(cut.writes_torn, 1);
    assert_int_equal(volatile_cache_dirty(disk.cache), 0);
    disk_free(&disk);
}

static void a_later_write_may_survive_an_earlier_one(void **state)
{
    bool seen = false;

    (void)state;
    for (uint64_t seed = 0; seed < 50 && !seen; seed++) {
        struct disk disk = disk_new(seed);
        struct volatile_cut cut;

        fill(&disk, 0, 1, 1);
        fill(&disk, 1, 1, 2);
        assert_int_equal(volatile_cache_cut(disk.cache, &cut), 0);
        assert_int_equal(cut.writes_torn, 0);
        seen = on_medium(&disk, 0) == 0 && on_medium(&disk, 1) == 2;
        disk_free(&disk);
    }
    assert_true(seen);
}

static void a_sector_written_twice_may_survive_in_its_older_form(void **state)
{
    unsigned seen[3] = { 0 };

    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct disk disk = disk_new(seed);
        struct volatile_cut cut;

        fill(&disk, 0, 1, 1);
        fill(&disk, 0, 1, 2);
        assert_int_equal(volatile_cache_dirty(disk.cache), 1);
        assert_int_equal(volatile_cache_cut(disk.cache, &cut), 0);
        seen[on_medium(&disk, 0)]++;
        disk_free(&disk);
    }
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
}

static void the_same_seed_drops_the_same_sectors(void **state)
{
    struct disk first = disk_new(42), second = disk_new(42), other = disk_new(43);
    struct disk *disks[] = { &first, &second, &other };
    unsigned differ = 0;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct volatile_cut cut;

        fill(disks[i], 0, SECTORS, 1);
        assert_int_equal(volatile_cache_cut(disks[i]->cache, &cut), 0);
    }
    for (unsigned i = 0; i < SECTORS; i++) {
        assert_int_equal(on_medium(&first, i), on_medium(&second, i));
        differ += on_medium(&first, i) != on_medium(&other, i);
    }
    assert_true(differ > 0);
    for (unsigned i = 0; i < 3; i++)
        disk_free(disks[i]);
}

static void only_whole_sectors_within_the_disk_are_taken(void **state)
{
    struct disk disk = disk_new(1);
    uint8_t bytes[2 * VOLATILE_SECTOR] = { 0 };

    (void)state;
    assert_int_equal(volatile_cache_write(disk.cache, 1, bytes, VOLATILE_SECTOR), -EINVAL);
    assert_int_equal(volatile_cache_write(disk.cache, 0, bytes, 100), -EINVAL);
    assert_int_equal(volatile_cache_write(disk.cache, BYTES - VOLATILE_SECTOR, bytes, sizeof bytes), -ENOSPC);
    assert_int_equal(volatile_cache_read(disk.cache, BYTES + VOLATILE_SECTOR, bytes, VOLATILE_SECTOR), -ENOSPC);
    assert_int_equal(volatile_cache_read(disk.cache, UINT64_MAX - VOLATILE_SECTOR + 1, bytes, VOLATILE_SECTOR), -ENOSPC);
    assert_int_equal(volatile_cache_dirty(disk.cache), 0);
    assert_int_equal(volatile_cache_write(disk.cache, BYTES - VOLATILE_SECTOR, bytes, VOLATILE_SECTOR), 0);
    disk_free(&disk);
}

static void a_medium_that_fails_is_an_error_and_drops_nothing(void **state)
{
    struct disk disk = disk_new(1);
    struct volatile_cache *cache;
    FILE *read_only;
    char path[64];
    uint8_t bytes[VOLATILE_SECTOR] = { 1 }, back[VOLATILE_SECTOR];

    (void)state;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(disk.medium));
    read_only = fopen(path, "re");
    assert_non_null(read_only);
    cache = volatile_cache_new(fileno(read_only), 1);
    assert_non_null(cache);
    assert_int_equal(volatile_cache_write(cache, 0, bytes, sizeof bytes), 0);
    assert_int_equal(volatile_cache_flush(cache), -EBADF);
    assert_int_equal(volatile_cache_dirty(cache), 1);
    assert_int_equal(volatile_cache_read(cache, 0, back, sizeof back), 0);
    assert_int_equal(back[0], 1);
    volatile_cache_free(cache);
    (void)fclose(read_only);
    disk_free(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read_back_and_not_on_the_medium_yet),
        cmocka_unit_test(what_was_flushed_survives_every_cut),
        cmocka_unit_test(a_cut_keeps_some_sectors_and_drops_others_within_one_write),
        cmocka_unit_test(a_later_write_may_survive_an_earlier_one),
        cmocka_unit_test(a_sector_written_twice_may_survive_in_its_older_form),
        cmocka_unit_test(the_same_seed_drops_the_same_sectors),
        cmocka_unit_test(only_whole_sectors_within_the_disk_are_taken),
        cmocka_unit_test(a_medium_that_fails_is_an_error_and_drops_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
