/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* One bit for each call. */
#define CALL(call) (1u << (call))

static const struct { const char *name; int error; unsigned calls; } kinds[] = {
    { "disk_full",        ENOSPC, CALL(FAULT_WRITE) | CALL(FAULT_PWRITE) | CALL(FAULT_TRUNCATE) },
    { "disk_error_write", EIO,    CALL(FAULT_WRITE) | CALL(FAULT_PWRITE) },
    { "disk_error_sync",  EIO,    CALL(FAULT_SYNC) },
    { "disk_error_truncate", EIO, CALL(FAULT_TRUNCATE) },
};

void faults_attach(struct harness *harness)
{
    char path[96];
    int fd;
    void *page;
    size_t used = 0;

    harness_path(harness, "faults", path, sizeof path);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *harness->faults) < 0)
        harness_die("%s: %s", path, strerror(errno));
    page = mmap(NULL, sizeof *harness->faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        harness_die("%s: %s", path, strerror(errno));
    (void)close(fd);
    harness->faults = page;
    (void)snprintf(harness->preload, sizeof harness->preload, "LD_PRELOAD=%s/preload_faults.so", harness->bin);
    (void)snprintf(harness->faults_path, sizeof harness->faults_path, "CELLPOST_FAULTS=%s", path);
    while (harness->options.environment[used] != NULL)
        used++;
    HARNESS_CHECK(used + 3 < sizeof harness->options.environment / sizeof harness->options.environment[0]);
    harness->options.environment[used] = harness->preload;
    harness->options.environment[used + 1] = harness->faults_path;
    harness->options.environment[used + 2] = "ASAN_OPTIONS=verify_asan_link_order=0";
}

void faults_detach(struct harness *harness)
{
    if (harness->faults != NULL)
        (void)munmap(harness->faults, sizeof *harness->faults);
    harness->faults = NULL;
}

void faults_begin(struct harness *harness, const char *name)
{
    size_t kind = 0;

    while (kind < sizeof kinds / sizeof kinds[0] && strcmp(kinds[kind].name, name) != 0)
        kind++;
    if (kind == sizeof kinds / sizeof kinds[0])
        harness_die("there is no fault '%s'", name);
    for (unsigned call = 0; call < FAULT_CALLS; call++)
        if ((kinds[kind].calls & CALL(call)) != 0)
            atomic_store(&harness->faults->error[call], kinds[kind].error);
}

void faults_end(struct harness *harness)
{
    for (unsigned call = 0; call < FAULT_CALLS; call++)
        atomic_store(&harness->faults->error[call], 0);
}

uint64_t faults_failed(const struct harness *harness)
{
    uint64_t failed = 0;

    for (unsigned call = 0; call < FAULT_CALLS; call++)
        failed += atomic_load(&harness->faults->failed[call]);
    return failed;
}
