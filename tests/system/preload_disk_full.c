/* SPDX-License-Identifier: Apache-2.0
 *
 * preload_disk_full.c - a disk that is full while the file named by CELLPOST_DISK_FULL exists. For LD_PRELOAD: what would
 * make a file of the database longer or write to it fails with ENOSPC, as SQLite would see it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static bool is_full(int fd)
{
    const char *flag = getenv("CELLPOST_DISK_FULL");
    char link[64], path[PATH_MAX];
    int saved = errno;
    bool full = false;
    ssize_t n;

    if (flag != NULL && access(flag, F_OK) == 0) {
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof path - 1);
        path[n > 0 ? n : 0] = '\0';
        full = strstr(path, "cellpost.db") != NULL;
    }
    errno = saved;
    return full;
}

/* ISO C has no conversion from an object pointer to a function; POSIX has, through its bytes. */
#define NEXT(name) \
    static __typeof__(name) *next; \
    if (next == NULL) { \
        void *found = dlsym(RTLD_NEXT, #name); \
        memcpy(&next, &found, sizeof next); \
    }

static ssize_t no_space(void)
{
    errno = ENOSPC;
    return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    NEXT(pwrite64)
    return is_full(fd) ? no_space() : next(fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    NEXT(pwrite)
    return is_full(fd) ? no_space() : next(fd, bytes, length, offset);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    NEXT(write)
    return is_full(fd) ? no_space() : next(fd, bytes, length);
}

int ftruncate64(int fd, off64_t length)
{
    NEXT(ftruncate64)
    return is_full(fd) ? (int)no_space() : next(fd, length);
}

int ftruncate(int fd, off_t length)
{
    NEXT(ftruncate)
    return is_full(fd) ? (int)no_space() : next(fd, length);
}

int posix_fallocate64(int fd, off64_t offset, off64_t length)
{
    NEXT(posix_fallocate64)
    return is_full(fd) ? ENOSPC : next(fd, offset, length);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    NEXT(posix_fallocate)
    return is_full(fd) ? ENOSPC : next(fd, offset, length);
}
