/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/disk.h"

#include "hal/sim/sim_random.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u
#define PAGE 4096u                       /* of the page cache */
#define FILES_MAX 4                      /* database, WAL, and room for a journal */
#define SHM_REGIONS_MAX 64
#define NEVER UINT32_MAX

/* What a sector held when it was last synced. */
struct undo {
    uint32_t sector;
    bool lost;                           /* a sync failed on it: no later one writes it, unless it is written again */
    uint8_t old[SECTOR];
};

struct file {
    char name[64];                       /* "": free */
    uint8_t *octets;
    uint64_t size, room, synced_size;
    uint32_t *undo_of;                   /* by sector: index in undo + 1, 0: as on the platter */
    struct undo *undo;
    uint32_t undo_count, undo_size;
    uint32_t opened;
};

struct disk {
    struct file files[FILES_MAX];
    void *shm[SHM_REGIONS_MAX];
    uint32_t mapped;                     /* connections that have it */
    struct sim_random random;
    struct disk_counts counts;
    uint32_t fail_skip, fail_count, stop_skip;
    bool full, stopped;
    uint32_t clock;                      /* what xCurrentTime says: SQLite asks, we do not care */
    sqlite3_vfs vfs;
    char vfs_name[24];
};

struct handle { sqlite3_file base; struct disk *disk; struct file *file; bool mapped; };

static struct disk *the_disk(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

static struct handle *handle_of(sqlite3_file *file)
{
    return (struct handle *)file;
}

/* -- sectors -------------------------------------------------------------------------------------------------- */

static int file_room(struct file *file, uint64_t size)
{
    uint64_t room = file->room != 0 ? file->room : 65536;
    uint8_t *octets;
    uint32_t *undo_of;

    if (size <= file->room)
        return SQLITE_OK;
    while (room < size)
        room *= 2;
    octets = realloc(file->octets, room);
    if (octets == NULL)
        return SQLITE_NOMEM;
    file->octets = octets;
    undo_of = realloc(file->undo_of, room / SECTOR * sizeof *undo_of);
    if (undo_of == NULL)
        return SQLITE_NOMEM;
    file->undo_of = undo_of;
    memset(octets + file->room, 0, room - file->room);
    memset(undo_of + file->room / SECTOR, 0, (room - file->room) / SECTOR * sizeof *undo_of);
    file->room = room;
    return SQLITE_OK;
}

/* Before a sector changes: keep what is on the platter. */
static int sector_keep(struct file *file, uint32_t sector)
{
    struct undo *undo;

    if (file->undo_of[sector] != 0)
        return SQLITE_OK;
    if (file->undo_count == file->undo_size) {
        uint32_t size = file->undo_size != 0 ? file->undo_size * 2 : 256;

        undo = realloc(file->undo, size * sizeof *undo);
        if (undo == NULL)
            return SQLITE_NOMEM;
        file->undo = undo;
        file->undo_size = size;
    }
    undo = &file->undo[file->undo_count++];
    undo->sector = sector;
    undo->lost = false;
    memcpy(undo->old, file->octets + (uint64_t)sector * SECTOR, SECTOR);
    file->undo_of[sector] = file->undo_count;
    return SQLITE_OK;
}

static int range_keep(struct file *file, uint64_t at, uint64_t size)
{
    for (uint64_t sector = at / SECTOR; size > 0 && sector <= (at + size - 1) / SECTOR; sector++)
        if (sector_keep(file, (uint32_t)sector) != SQLITE_OK)
            return SQLITE_NOMEM;
    /* Pages are written whole: those a failed sync left behind are dirty again. */
    for (uint64_t sector = at / PAGE * (PAGE / SECTOR); size > 0 && sector <= ((at + size - 1) / PAGE + 1) * (PAGE / SECTOR) - 1; sector++)
        if (sector < file->room / SECTOR && file->undo_of[sector] != 0)
            file->undo[file->undo_of[sector] - 1].lost = false;
    return SQLITE_OK;
}

static void file_synced(struct file *file)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < file->undo_count; i++) {
        struct undo *undo = &file->undo[i];

        if (!undo->lost) {
            file->undo_of[undo->sector] = 0;
            continue;
        }
        if (kept != i)
            file->undo[kept] = *undo;
        file->undo_of[undo->sector] = ++kept;
    }
    file->undo_count = kept;
    file->synced_size = file->size;
}

static void file_forget(struct file *file)
{
    free(file->octets);
    free(file->undo_of);
    free(file->undo);
    memset(file, 0, sizeof *file);
}

/* -- steps that can fail -------------------------------------------------------------------------------------- */

/* SQLITE_OK, or what this step ends with; *ret_stops: it is the one in whose middle everything ends. */
static int disk_step(struct disk *disk, int error, bool *ret_stops)
{
    *ret_stops = false;
    if (disk->stopped) {
        disk->counts.failed++;
        return error;
    }
    if (disk->stop_skip != NEVER && disk->stop_skip-- == 0) {
        disk->stop_skip = NEVER;
        *ret_stops = disk->stopped = true;
        disk->counts.failed++;
        return error;
    }
    if (disk->fail_count > 0) {
        if (disk->fail_skip > 0) {
            disk->fail_skip--;
            return SQLITE_OK;
        }
        disk->fail_count--;
        disk->counts.failed++;
        return error;
    }
    return SQLITE_OK;
}

/* -- a file --------------------------------------------------------------------------------------------------- */

static int vfs_close(sqlite3_file *base)
{
    assert(handle_of(base)->file->opened > 0);
    handle_of(base)->file->opened--;
    return SQLITE_OK;
}

static int vfs_read(sqlite3_file *base, void *bytes, int size, sqlite3_int64 at)
{
    const struct file *file = handle_of(base)->file;
    uint64_t there = (uint64_t)at < file->size ? file->size - (uint64_t)at : 0;

    if (handle_of(base)->disk->stopped)
        return SQLITE_IOERR_READ;
    if (there >= (uint64_t)size) {
        memcpy(bytes, file->octets + at, (size_t)size);
        return SQLITE_OK;
    }
    if (there > 0)
        memcpy(bytes, file->octets + at, there);
    memset((uint8_t *)bytes + there, 0, (size_t)size - there);
    return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 at)
{
    struct disk *disk = handle_of(base)->disk;
    struct file *file = handle_of(base)->file;
    uint64_t length = (uint64_t)size, end = (uint64_t)at + length;
    bool stops;
    int r = disk_step(disk, SQLITE_IOERR_WRITE, &stops);

    if (r == SQLITE_OK && disk->full && end > file->size) {
        disk->counts.failed++;
        return SQLITE_FULL;
    }
    if (r != SQLITE_OK && !stops)
        return r;
    if (stops)
        length = sim_random_below(&disk->random, (uint32_t)length + 1);   /* so far it came */
    if (length == 0)
        return r;
    end = (uint64_t)at + length;
    if (file_room(file, end + PAGE) != SQLITE_OK || range_keep(file, (uint64_t)at, length) != SQLITE_OK)
        return SQLITE_IOERR_NOMEM;
    memcpy(file->octets + at, bytes, length);
    if (end > file->size)
        file->size = end;
    disk->counts.writes++;
    disk->counts.octets += length;
    return r;
}

static int vfs_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *file = handle_of(base)->file;
    bool stops;
    int r = disk_step(handle_of(base)->disk, SQLITE_IOERR_TRUNCATE, &stops);

    if (r != SQLITE_OK || (uint64_t)size >= file->size)
        return r;
    if (range_keep(file, (uint64_t)size, file->size - (uint64_t)size) != SQLITE_OK)
        return SQLITE_IOERR_NOMEM;
    memset(file->octets + size, 0, file->size - (uint64_t)size);
    file->size = (uint64_t)size;
    return SQLITE_OK;
}

static int vfs_sync(sqlite3_file *base, int flags)
{
    struct disk *disk = handle_of(base)->disk;
    struct file *file = handle_of(base)->file;
    bool stops;
    int r = disk_step(disk, SQLITE_IOERR_FSYNC, &stops);

    (void)flags;
    if (r != SQLITE_OK) {
        for (uint32_t i = 0; i < file->undo_count && !disk->stopped; i++)
            file->undo[i].lost = true;
        return r;
    }
    disk->counts.syncs++;
    file_synced(file);
    return SQLITE_OK;
}

static int vfs_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    *ret_size = (sqlite3_int64)handle_of(base)->file->size;
    return SQLITE_OK;
}

/* The one lock that matters: whoever has it is the last, copies the WAL into the database and deletes it. */
static int vfs_lock(sqlite3_file *base, int lock)
{
    return lock == SQLITE_LOCK_EXCLUSIVE && handle_of(base)->file->opened > 1 ? SQLITE_BUSY : SQLITE_OK;
}

static int vfs_unlock(sqlite3_file *base, int lock)
{
    (void)base;
    (void)lock;
    return SQLITE_OK;
}

static int vfs_reserved(sqlite3_file *base, int *ret_reserved)
{
    (void)base;
    *ret_reserved = 0;
    return SQLITE_OK;
}

static int vfs_control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

/* As SQLite's own VFS for Unix says of its files. */
static int vfs_sector(sqlite3_file *base)
{
    (void)base;
    return PAGE;
}

static int vfs_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int vfs_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **ret_memory)
{
    struct disk *disk = handle_of(base)->disk;

    *ret_memory = NULL;
    if (disk->stopped || region >= SHM_REGIONS_MAX)
        return SQLITE_IOERR_SHMMAP;
    disk->mapped += !handle_of(base)->mapped;
    handle_of(base)->mapped = true;
    if (disk->shm[region] == NULL && extend) {
        if (disk->full)
            return SQLITE_FULL;
        disk->shm[region] = calloc(1, (size_t)size);
        if (disk->shm[region] == NULL)
            return SQLITE_IOERR_NOMEM;
    }
    *ret_memory = disk->shm[region];
    return SQLITE_OK;
}

static int vfs_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
    (void)base;
    (void)offset;
    (void)count;
    (void)flags;
    return SQLITE_OK;
}

static void vfs_shm_barrier(sqlite3_file *base)
{
    (void)base;
}

static void shm_forget(struct disk *disk)
{
    for (size_t i = 0; i < SHM_REGIONS_MAX; i++) {
        free(disk->shm[i]);
        disk->shm[i] = NULL;
    }
}

/* Whoever comes first builds the index anew, so it may go with the last one. */
static int vfs_shm_unmap(sqlite3_file *base, int drop)
{
    struct disk *disk = handle_of(base)->disk;

    (void)drop;
    if (handle_of(base)->mapped && --disk->mapped == 0)
        shm_forget(disk);
    handle_of(base)->mapped = false;
    return SQLITE_OK;
}

/* -- files ---------------------------------------------------------------------------------------------------- */

static struct file *file_find(struct disk *disk, const char *name)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk->files[i].name[0] != '\0' && strcmp(disk->files[i].name, name) == 0)
            return &disk->files[i];
    return NULL;
}

static struct file *file_create(struct disk *disk, const char *name)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk->files[i].name[0] == '\0' && strlen(name) < sizeof disk->files[i].name) {
            strcpy(disk->files[i].name, name);
            return &disk->files[i];
        }
    return NULL;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
    static const sqlite3_io_methods methods = {
        2, vfs_close, vfs_read, vfs_write, vfs_truncate, vfs_sync, vfs_size, vfs_lock, vfs_unlock, vfs_reserved, vfs_control, vfs_sector,
        vfs_characteristics, vfs_shm_map, vfs_shm_lock, vfs_shm_barrier, vfs_shm_unmap, NULL, NULL,
    };
    struct handle *handle = handle_of(base);
    struct disk *disk = the_disk(vfs);
    struct file *file;

    handle->base.pMethods = NULL;
    if (disk->stopped || name == NULL)
        return SQLITE_CANTOPEN;
    file = file_find(disk, name);
    if (file == NULL && ((flags & SQLITE_OPEN_CREATE) == 0 || (file = file_create(disk, name)) == NULL))
        return SQLITE_CANTOPEN;
    file->opened++;
    handle->disk = disk;
    handle->file = file;
    handle->mapped = false;
    handle->base.pMethods = &methods;
    if (ret_flags != NULL)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    struct disk *disk = the_disk(vfs);
    struct file *file = file_find(disk, name);

    (void)sync_directory;                /* names are durable at once */
    if (disk->stopped)
        return SQLITE_IOERR_DELETE;
    if (file == NULL)
        return SQLITE_IOERR_DELETE_NOENT;
    file_forget(file);
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_is)
{
    const struct file *file = file_find(the_disk(vfs), name);

    (void)flags;
    *ret_is = file != NULL && file->size > 0;
    return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *ret_name)
{
    (void)vfs;
    if (strlen(name) >= (size_t)size)
        return SQLITE_CANTOPEN;
    strcpy(ret_name, name);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int size, char *ret_bytes)
{
    for (int i = 0; i < size; i++)
        ret_bytes[i] = (char)sim_random_below(&the_disk(vfs)->random, 256);
    return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int vfs_time(sqlite3_vfs *vfs, double *ret_day)
{
    *ret_day = 2461042.0 + the_disk(vfs)->clock++ / 86400.0;
    return SQLITE_OK;
}

static int vfs_error(sqlite3_vfs *vfs, int size, char *ret_text)
{
    (void)vfs;
    if (size > 0)
        ret_text[0] = '\0';
    return 0;
}

/* -- the end of the world ------------------------------------------------------------------------------------- */

static void assert_closed(const struct disk *disk)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        assert(disk->files[i].opened == 0);
}

static void revive(struct disk *disk)
{
    shm_forget(disk);
    disk->mapped = 0;
    disk->stopped = false;
    disk->stop_skip = NEVER;
    disk->fail_count = 0;
}

void disk_kill(struct disk *disk)
{
    assert_closed(disk);
    revive(disk);
}

/* Now all of them, now none, now each by chance: a card may do anything in between. */
static void file_cut(struct disk *disk, struct file *file)
{
    uint32_t keep_percent = 25 * sim_random_below(&disk->random, 5);
    uint32_t torn_percent = sim_random_below(&disk->random, 2) * 20;
    uint64_t end = file->synced_size;

    if (file->undo_count == 0 && file->size == file->synced_size)
        return;
    for (uint32_t i = 0; i < file->undo_count; i++) {
        struct undo *undo = &file->undo[i];
        uint8_t *octets = file->octets + (uint64_t)undo->sector * SECTOR;
        uint32_t drawn = sim_random_below(&disk->random, 100);
        uint32_t from = SECTOR;          /* octets of it that are new */

        if (drawn >= keep_percent)
            from = drawn < keep_percent + torn_percent ? sim_random_below(&disk->random, SECTOR) : 0;
        memcpy(octets + from, undo->old + from, SECTOR - from);
        file->undo_of[undo->sector] = 0;
        if (from > 0 && ((uint64_t)undo->sector + 1) * SECTOR > end)
            end = ((uint64_t)undo->sector + 1) * SECTOR;
    }
    file->undo_count = 0;
    /* The length is in the inode: it may be ahead of what is in the file. */
    if (end > file->size && end > file->synced_size)
        end = file->size > file->synced_size ? file->size : file->synced_size;
    if (end < file->room)
        memset(file->octets + end, 0, file->room - end);
    file->size = file->synced_size = end;
}

void disk_power_cut(struct disk *disk)
{
    assert_closed(disk);
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk->files[i].name[0] != '\0')
            file_cut(disk, &disk->files[i]);
    revive(disk);
}

/* ------------------------------------------------------------------------------------------------------------ */

struct disk *disk_new(uint64_t seed)
{
    static unsigned made;
    struct disk *disk = calloc(1, sizeof *disk);

    if (disk == NULL)
        return NULL;
    (void)snprintf(disk->vfs_name, sizeof disk->vfs_name, "simulated-%u", ++made);
    sim_random_init(&disk->random, seed, UINT64_C(0xD15C));
    disk->stop_skip = NEVER;
    disk->vfs = (sqlite3_vfs){
        .iVersion = 1, .szOsFile = (int)sizeof(struct handle), .mxPathname = 64, .zName = disk->vfs_name, .pAppData = disk,
        .xOpen = vfs_open, .xDelete = vfs_delete, .xAccess = vfs_access, .xFullPathname = vfs_full_name,
        .xRandomness = vfs_randomness, .xSleep = vfs_sleep, .xCurrentTime = vfs_time, .xGetLastError = vfs_error,
    };
    if (sqlite3_vfs_register(&disk->vfs, 1) != SQLITE_OK) {
        free(disk);
        return NULL;
    }
    sqlite3_randomness(0, NULL);         /* drawn anew, from our own: the same seed, the same salts */
    return disk;
}

void disk_free(struct disk *disk)
{
    if (disk == NULL)
        return;
    (void)sqlite3_vfs_unregister(&disk->vfs);
    for (size_t i = 0; i < FILES_MAX; i++)
        file_forget(&disk->files[i]);
    shm_forget(disk);
    free(disk);
}

const char *disk_vfs(const struct disk *disk) { return disk->vfs_name; }

int disk_copy(struct disk *to, const struct disk *from)
{
    assert_closed(to);
    assert_closed(from);
    for (size_t i = 0; i < FILES_MAX; i++) {
        const struct file *source = &from->files[i];
        struct file *file = &to->files[i];

        file_forget(file);
        if (source->name[0] == '\0')
            continue;
        strcpy(file->name, source->name);
        if (file_room(file, source->size) != SQLITE_OK)
            return -ENOMEM;
        memcpy(file->octets, source->octets, source->size);
        file->size = file->synced_size = source->size;
    }
    shm_forget(to);
    return 0;
}

void disk_set_full(struct disk *disk, bool full) { disk->full = full; }
void disk_stop(struct disk *disk) { disk->stopped = true; }
bool disk_stopped(const struct disk *disk) { return disk->stopped; }
void disk_stop_after(struct disk *disk, uint32_t skip) { disk->stop_skip = skip; }
struct disk_counts disk_counts(const struct disk *disk) { return disk->counts; }

void disk_fail(struct disk *disk, uint32_t skip, uint32_t count)
{
    disk->fail_skip = skip;
    disk->fail_count = count;
}
