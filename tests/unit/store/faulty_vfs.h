/* SPDX-License-Identifier: Apache-2.0
 *
 * faulty_vfs.h - a disk that fails at the n-th step: SQLite's own VFS with a counter in front of every call of a kind: those
 * that write (open, write, sync, truncate, map), or those that look (read, size, locks, delete, access, close). Registered as
 * "faulty". A lock that fails is an error, never busy. What is given back (unlock, close) is given back although it says not. */
#ifndef CELLPOST_FAULTY_VFS_H
#define CELLPOST_FAULTY_VFS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

enum fault_mode {
    FAULT_ONCE,          /* one step fails (or fail_steps), the next works again */
    FAULT_DEAD,          /* from then on nothing works: the card is gone, or the process */
    FAULT_TORN,          /* the same, and the failing write leaves half of itself */
    FAULT_FULL,          /* from then on nothing can be written */
    FAULT_MODES,
};

enum fault_kind { FAULT_WRITING, FAULT_LOOKING, FAULT_KINDS };

struct faults {
    enum fault_kind kind;                /* only calls of this kind are steps */
    uint64_t steps, syncs;               /* so far */
    uint64_t fail_at;                    /* steps from 1; 0 never */
    uint64_t fail_steps;                 /* FAULT_ONCE: how many in a row */
    enum fault_mode mode;
    int write_error;                     /* FAULT_FULL: what writes end with instead of SQLITE_FULL; 0 that */
    uint64_t fired;                      /* how often */
    uint64_t opens;                      /* of databases */
};
static struct faults faults;

struct faulty_file { sqlite3_file base; sqlite3_file *real; };

static sqlite3_vfs *faulty_default;

static sqlite3_file *faulty_real(sqlite3_file *file)
{
    return ((struct faulty_file *)file)->real;
}

/* SQLITE_OK, or what this step ends with. */
static int faulty_step_of(enum fault_kind kind, int error, bool writes)
{
    bool now;

    if (faults.kind != kind)
        return SQLITE_OK;

    faults.steps++;
    now = faults.fail_at != 0 && faults.steps >= faults.fail_at &&
          (faults.mode != FAULT_ONCE || faults.steps < faults.fail_at + faults.fail_steps);
    if (!now || (faults.mode == FAULT_FULL && !writes))
        return SQLITE_OK;
    faults.fired++;
    return faults.mode != FAULT_FULL ? error : faults.write_error != 0 ? faults.write_error : SQLITE_FULL;
}

static int faulty_step(int error, bool writes) { return faulty_step_of(FAULT_WRITING, error, writes); }
static int faulty_look(int error) { return faulty_step_of(FAULT_LOOKING, error, false); }

static int faulty_close(sqlite3_file *file)
{
    int r = faulty_look(SQLITE_IOERR_CLOSE), done = faulty_real(file)->pMethods->xClose(faulty_real(file));

    return r != SQLITE_OK ? r : done;
}
static int faulty_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    int r = faulty_look(SQLITE_IOERR_READ);

    return r != SQLITE_OK ? r : faulty_real(file)->pMethods->xRead(faulty_real(file), bytes, size, at);
}
static int faulty_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    sqlite3_file *real = faulty_real(file);
    uint64_t fired = faults.fired;
    int r = faulty_step(SQLITE_IOERR_WRITE, true);

    if (r != SQLITE_OK && faults.mode == FAULT_TORN && fired == 0 && size > 1)
        (void)real->pMethods->xWrite(real, bytes, size / 2, at);
    return r != SQLITE_OK ? r : real->pMethods->xWrite(real, bytes, size, at);
}
static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int r = faulty_step(SQLITE_IOERR_TRUNCATE, false);

    return r != SQLITE_OK ? r : faulty_real(file)->pMethods->xTruncate(faulty_real(file), size);
}
static int faulty_sync(sqlite3_file *file, int flags)
{
    (void)file, (void)flags;             /* no power is cut here: what was written stays */
    faults.syncs++;
    return faulty_step(SQLITE_IOERR_FSYNC, false);
}
static int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int r = faulty_look(SQLITE_IOERR_FSTAT);

    return r != SQLITE_OK ? r : faulty_real(file)->pMethods->xFileSize(faulty_real(file), size);
}
static int faulty_lock(sqlite3_file *file, int lock)
{
    int r = faulty_look(SQLITE_IOERR_LOCK);

    return r != SQLITE_OK ? r : faulty_real(file)->pMethods->xLock(faulty_real(file), lock);
}
static int faulty_unlock(sqlite3_file *file, int lock)
{
    int r = faulty_look(SQLITE_IOERR_UNLOCK), done = faulty_real(file)->pMethods->xUnlock(faulty_real(file), lock);

    return r != SQLITE_OK ? r : done;
}
static int faulty_reserved(sqlite3_file *file, int *out)
{
    return faulty_real(file)->pMethods->xCheckReservedLock(faulty_real(file), out);
}
static int faulty_control(sqlite3_file *file, int op, void *arg) { return faulty_real(file)->pMethods->xFileControl(faulty_real(file), op, arg); }
static int faulty_sector(sqlite3_file *file) { return faulty_real(file)->pMethods->xSectorSize(faulty_real(file)); }
static int faulty_characteristics(sqlite3_file *file)
{
    return faulty_real(file)->pMethods->xDeviceCharacteristics(faulty_real(file));
}
static int faulty_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    int r = faulty_step(SQLITE_IOERR_SHMMAP, extend != 0);

    return r != SQLITE_OK ? r : faulty_real(file)->pMethods->xShmMap(faulty_real(file), page, size, extend, out);
}
static int faulty_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    int r = faulty_look(SQLITE_IOERR_SHMLOCK), done;

    if (r != SQLITE_OK && (flags & SQLITE_SHM_UNLOCK) == 0)
        return r;
    done = faulty_real(file)->pMethods->xShmLock(faulty_real(file), offset, n, flags);
    return r != SQLITE_OK ? r : done;
}
static void faulty_shm_barrier(sqlite3_file *file) { faulty_real(file)->pMethods->xShmBarrier(faulty_real(file)); }
static int faulty_shm_unmap(sqlite3_file *file, int drop) { return faulty_real(file)->pMethods->xShmUnmap(faulty_real(file), drop); }

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    static const sqlite3_io_methods methods = {
        2, faulty_close, faulty_read, faulty_write, faulty_truncate, faulty_sync, faulty_size, faulty_lock, faulty_unlock,
        faulty_reserved, faulty_control, faulty_sector, faulty_characteristics, faulty_shm_map, faulty_shm_lock, faulty_shm_barrier,
        faulty_shm_unmap, NULL, NULL,
    };
    struct faulty_file *faulty = (struct faulty_file *)file;
    int r = faulty_step(SQLITE_CANTOPEN, false);

    (void)vfs;
    faults.opens += (flags & SQLITE_OPEN_MAIN_DB) != 0;
    faulty->base.pMethods = NULL;
    faulty->real = (sqlite3_file *)(faulty + 1);
    if (r == SQLITE_OK)
        r = faulty_default->xOpen(faulty_default, name, faulty->real, flags, out_flags);
    if (r == SQLITE_OK)
        faulty->base.pMethods = &methods;
    return r;
}

static int faulty_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    int r = faulty_look(SQLITE_IOERR_DELETE);

    (void)vfs;
    return r != SQLITE_OK ? r : faulty_default->xDelete(faulty_default, name, sync);
}
static int faulty_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    int r = faulty_look(SQLITE_IOERR_ACCESS);

    (void)vfs;
    return r != SQLITE_OK ? r : faulty_default->xAccess(faulty_default, name, flags, out);
}

/* Whoever waits for a lock waits in no time. */
static int faulty_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static void faulty_register(void)
{
    static sqlite3_vfs vfs;

    faulty_default = sqlite3_vfs_find(NULL);
    vfs = *faulty_default;
    vfs.pNext = NULL;
    vfs.zName = "faulty";
    vfs.szOsFile = (int)sizeof(struct faulty_file) + faulty_default->szOsFile;
    vfs.xOpen = faulty_open;
    vfs.xDelete = faulty_delete;
    vfs.xAccess = faulty_access;
    vfs.xSleep = faulty_sleep;
    (void)sqlite3_vfs_register(&vfs, 1);   /* also for who looks on, so that nothing waits for a real disk */
}

static inline void faults_set_kind(enum fault_kind kind, enum fault_mode mode, uint64_t fail_at)
{
    memset(&faults, 0, sizeof faults);
    faults.kind = kind;
    faults.mode = mode;
    faults.fail_at = fail_at;
    faults.fail_steps = 1;
}

static inline void faults_set(enum fault_mode mode, uint64_t fail_at) { faults_set_kind(FAULT_WRITING, mode, fail_at); }

#endif
