/* SPDX-License-Identifier: Apache-2.0
 *
 * preload_faults.c - a disk that fails, and a wall clock that is ahead, as the page named by CELLPOST_FAULTS says at this moment.
 * For LD_PRELOAD: the calls on files of the database fail with the errno asked for, as SQLite would see it. */
#include "tests/system/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static struct faults *page;

__attribute__((constructor)) static void map_page(void)
{
    const char *path = getenv("CELLPOST_FAULTS");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (at == MAP_FAILED) {   /* a test of faults without faults would pass */
        (void)fprintf(stderr, "preload_faults: CELLPOST_FAULTS names no page of faults\n");
        _exit(125);
    }
    (void)close(fd);
    page = at;
}

static bool is_of_database(int fd)
{
    char link[64], path[PATH_MAX];
    int saved = errno;
    ssize_t n;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    errno = saved;
    return strstr(path, "cellpost.db") != NULL;
}

/* What this call is to fail with; 0: it is made. */
static int failure(enum fault_call call, int fd)
{
    int error = page != NULL ? atomic_load(&page->error[call]) : 0;

    if (error == 0 || !is_of_database(fd))
        return 0;
    atomic_fetch_add(&page->failed[call], 1);
    return error;
}

/* ISO C has no conversion from an object pointer to a function; POSIX has, through its bytes. */
#define NEXT(name) \
    static __typeof__(name) *next; \
    if (next == NULL) { \
        void *found = dlsym(RTLD_NEXT, #name); \
        memcpy(&next, &found, sizeof next); \
    }

/* The call as it is declared, failing in the way of most: -1 and errno. */
#define FAILING(call, result, name, parameters, ...) \
    result name parameters \
    { \
        NEXT(name) \
        int error = failure(call, fd); \
        if (error != 0) { \
            errno = error; \
            return -1; \
        } \
        return next(__VA_ARGS__); \
    }

FAILING(FAULT_WRITE, ssize_t, write, (int fd, const void *bytes, size_t length), fd, bytes, length)
FAILING(FAULT_PWRITE, ssize_t, pwrite, (int fd, const void *bytes, size_t length, off_t offset), fd, bytes, length, offset)
FAILING(FAULT_PWRITE, ssize_t, pwrite64, (int fd, const void *bytes, size_t length, off64_t offset), fd, bytes, length, offset)
FAILING(FAULT_SYNC, int, fsync, (int fd), fd)
FAILING(FAULT_SYNC, int, fdatasync, (int fd), fd)
FAILING(FAULT_TRUNCATE, int, ftruncate, (int fd, off_t length), fd, length)
FAILING(FAULT_TRUNCATE, int, ftruncate64, (int fd, off64_t length), fd, length)

/* These return the error. */
int posix_fallocate(int fd, off_t offset, off_t length)
{
    NEXT(posix_fallocate)
    int error = failure(FAULT_TRUNCATE, fd);

    return error != 0 ? error : next(fd, offset, length);
}

int posix_fallocate64(int fd, off64_t offset, off64_t length)
{
    NEXT(posix_fallocate64)
    int error = failure(FAULT_TRUNCATE, fd);

    return error != 0 ? error : next(fd, offset, length);
}

/* A box that was off for as long as its clock is ahead has booted anew. */
FILE *fopen(const char *path, const char *mode)
{
    NEXT(fopen)
    if (page != NULL && atomic_load(&page->ahead_ms) != 0 && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) {
        errno = ENOENT;
        return NULL;
    }
    return next(path, mode);
}

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    NEXT(clock_gettime)
    int r = next(clock, ret_now);

    if (r == 0 && clock == CLOCK_REALTIME && page != NULL) {
        int64_t ahead_ms = atomic_load(&page->ahead_ms);

        ret_now->tv_sec += ahead_ms / 1000;
        ret_now->tv_nsec += ahead_ms % 1000 * 1000000;
        if (ret_now->tv_nsec >= 1000000000) {
            ret_now->tv_nsec -= 1000000000;
            ret_now->tv_sec++;
        }
    }
    return r;
}
