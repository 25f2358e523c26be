/* SPDX-License-Identifier: Apache-2.0
 *
 * slow_disk.c - a disk whose every sync takes CELLPOST_SLOW_DISK_MS longer, as an SD card's does. For LD_PRELOAD. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int slow_call(const char *name, int fd)
{
    const char *text = getenv("CELLPOST_SLOW_DISK_MS");
    long ms = text != NULL ? strtol(text, NULL, 10) : 0;
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    void *found = dlsym(RTLD_NEXT, name);
    int (*next)(int);

    memcpy(&next, &found, sizeof next);   /* ISO C has no conversion from an object pointer to a function */
    while (nanosleep(&left, &left) < 0)
        continue;
    return next(fd);
}

int fsync(int fd)
{
    return slow_call("fsync", fd);
}

int fdatasync(int fd)
{
    return slow_call("fdatasync", fd);
}
