/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/count_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct count_vfs {
    sqlite3_vfs vfs;                     /* pAppData points back here */
    sqlite3_vfs *below;
    char name[32];
    struct count_vfs_stats stats;
    bool (*read)(void *context, size_t bytes);
    void *context;
};

/* The file of the VFS below follows in the same allocation. */
struct count_file { sqlite3_file file; struct count_vfs *owner; bool wal; };

static sqlite3_file *below(sqlite3_file *file)
{
    return (sqlite3_file *)((struct count_file *)file + 1);
}

static struct count_vfs_stats *stats_of(sqlite3_file *file)
{
    return &((struct count_file *)file)->owner->stats;
}

/* -- files ---------------------------------------------------------------------------------------------------- */

static int file_close(sqlite3_file *file) { return below(file)->pMethods->xClose(below(file)); }

static int file_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
    struct count_vfs *owner = ((struct count_file *)file)->owner;
    int r = below(file)->pMethods->xRead(below(file), bytes, count, at);

    if (r == SQLITE_OK && owner->read != NULL && !owner->read(owner->context, (size_t)count))
        r = SQLITE_IOERR_READ;
    return r;
}

static int file_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    stats_of(file)->writes++;
    stats_of(file)->bytes_written += (uint64_t)count;
    if (((struct count_file *)file)->wal)
        stats_of(file)->wal_bytes_written += (uint64_t)count;
    return below(file)->pMethods->xWrite(below(file), bytes, count, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) { return below(file)->pMethods->xTruncate(below(file), size); }

static int file_sync(sqlite3_file *file, int flags)
{
    stats_of(file)->syncs++;
    return below(file)->pMethods->xSync(below(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size) { return below(file)->pMethods->xFileSize(below(file), ret_size); }
static int file_lock(sqlite3_file *file, int level) { return below(file)->pMethods->xLock(below(file), level); }
static int file_unlock(sqlite3_file *file, int level) { return below(file)->pMethods->xUnlock(below(file), level); }

static int file_check_reserved(sqlite3_file *file, int *ret_reserved)
{
    return below(file)->pMethods->xCheckReservedLock(below(file), ret_reserved);
}

static int file_control(sqlite3_file *file, int op, void *argument)
{
    return below(file)->pMethods->xFileControl(below(file), op, argument);
}

static int file_sector_size(sqlite3_file *file) { return below(file)->pMethods->xSectorSize(below(file)); }
static int file_characteristics(sqlite3_file *file) { return below(file)->pMethods->xDeviceCharacteristics(below(file)); }

static int file_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_memory)
{
    return below(file)->pMethods->xShmMap(below(file), region, size, extend, ret_memory);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return below(file)->pMethods->xShmLock(below(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file) { below(file)->pMethods->xShmBarrier(below(file)); }
static int file_shm_unmap(sqlite3_file *file, int remove) { return below(file)->pMethods->xShmUnmap(below(file), remove); }

/* Version 2: shared memory for WAL, no mapped reads (mmap_size is 0). */
static const sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = file_close, .xRead = file_read, .xWrite = file_write, .xTruncate = file_truncate, .xSync = file_sync,
    .xFileSize = file_size, .xLock = file_lock, .xUnlock = file_unlock, .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control, .xSectorSize = file_sector_size, .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map, .xShmLock = file_shm_lock, .xShmBarrier = file_shm_barrier, .xShmUnmap = file_shm_unmap,
};

/* -- the VFS -------------------------------------------------------------------------------------------------- */

static struct count_vfs *self(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct count_vfs *count = self(vfs);
    int r;

    ((struct count_file *)file)->owner = count;
    ((struct count_file *)file)->wal = (flags & SQLITE_OPEN_WAL) != 0;
    r = count->below->xOpen(count->below, name, below(file), flags, ret_flags);
    /* Where the one below set its methods the file must be closed, also after an error. */
    file->pMethods = below(file)->pMethods != NULL ? &methods : NULL;
    return r;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    return self(vfs)->below->xDelete(self(vfs)->below, name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_yes)
{
    return self(vfs)->below->xAccess(self(vfs)->below, name, flags, ret_yes);
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *ret_name)
{
    return self(vfs)->below->xFullPathname(self(vfs)->below, name, size, ret_name);
}

static int vfs_randomness(sqlite3_vfs *vfs, int count, char *ret_bytes)
{
    return self(vfs)->below->xRandomness(self(vfs)->below, count, ret_bytes);
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    return self(vfs)->below->xSleep(self(vfs)->below, microseconds);
}

static int vfs_current_time(sqlite3_vfs *vfs, double *ret_julian_day)
{
    return self(vfs)->below->xCurrentTime(self(vfs)->below, ret_julian_day);
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *ret_text)
{
    return self(vfs)->below->xGetLastError(self(vfs)->below, size, ret_text);
}

int count_vfs_new(const char *base, struct count_vfs **ret_vfs)
{
    struct count_vfs *count = calloc(1, sizeof *count);

    if (count == NULL)
        return -ENOMEM;
    count->below = sqlite3_vfs_find(base);
    if (count->below == NULL) {
        free(count);
        return -ENOENT;
    }
    (void)snprintf(count->name, sizeof count->name, "count-%p", (void *)count);
    count->vfs = (sqlite3_vfs){
        .iVersion = 1, .szOsFile = (int)sizeof(struct count_file) + count->below->szOsFile, .mxPathname = count->below->mxPathname,
        .zName = count->name, .pAppData = count, .xOpen = vfs_open, .xDelete = vfs_delete, .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname, .xRandomness = vfs_randomness, .xSleep = vfs_sleep, .xCurrentTime = vfs_current_time,
        .xGetLastError = vfs_last_error,
    };
    if (sqlite3_vfs_register(&count->vfs, 0) != SQLITE_OK) {
        free(count);
        return -ENOMEM;
    }
    *ret_vfs = count;
    return 0;
}

void count_vfs_free(struct count_vfs *vfs)
{
    if (vfs == NULL)
        return;
    (void)sqlite3_vfs_unregister(&vfs->vfs);
    free(vfs);
}

void count_vfs_watch_reads(struct count_vfs *vfs, bool (*read)(void *context, size_t bytes), void *context)
{
    vfs->read = read;
    vfs->context = context;
}

const char *count_vfs_name(const struct count_vfs *vfs)
{
    return vfs->name;
}

struct count_vfs_stats count_vfs_stats(const struct count_vfs *vfs)
{
    return vfs->stats;
}
