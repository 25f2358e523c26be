/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FIRST_BYTES 131072u

void follow_open(struct follow *follow, const char *path)
{
    *follow = (struct follow){ .fd = -1, .inotify_fd = -1, .size = FIRST_BYTES };
    follow->buffer = malloc(FIRST_BYTES);
    (void)snprintf(follow->path, sizeof follow->path, "%s", path);
    follow->fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    follow->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (follow->buffer == NULL || follow->fd < 0 || follow->inotify_fd < 0 || inotify_add_watch(follow->inotify_fd, path, IN_MODIFY) < 0)
        harness_die("%s cannot be followed: %s", path, strerror(errno));
}

void follow_close(struct follow *follow)
{
    if (follow->path[0] == '\0')
        return;
    (void)close(follow->fd);
    (void)close(follow->inotify_fd);
    free(follow->buffer);
    *follow = (struct follow){ .fd = -1, .inotify_fd = -1 };
}

void follow_seek(struct follow *follow, off_t at)
{
    if (lseek(follow->fd, at, SEEK_SET) != at)
        harness_die("%s: %s", follow->path, strerror(errno));
    follow->length = follow->taken = 0;
}

static bool read_more(struct follow *follow)
{
    ssize_t n;

    if (follow->size - follow->length < 65536) {
        size_t size = follow->size * 2;
        char *grown = realloc(follow->buffer, size);

        if (grown == NULL)
            harness_die("out of memory");
        follow->buffer = grown;
        follow->size = size;
    }
    n = read(follow->fd, follow->buffer + follow->length, follow->size - follow->length);
    if (n < 0)
        harness_die("%s: %s", follow->path, strerror(errno));
    follow->length += (size_t)n;
    return n > 0;
}

char *follow_line(struct follow *follow, int timeout_ms)
{
    uint64_t deadline_us = harness_now_us() + (uint64_t)timeout_ms * 1000;
    char events[4096];

    for (;;) {
        char *line = follow->buffer + follow->taken, *end;
        struct pollfd fd = { .fd = follow->inotify_fd, .events = POLLIN };

        end = follow->length > follow->taken ? memchr(line, '\n', follow->length - follow->taken) : NULL;
        if (end != NULL) {
            *end = '\0';
            follow->taken = (size_t)(end + 1 - follow->buffer);
            return line;
        }
        if (follow->taken > 0) {
            memmove(follow->buffer, follow->buffer + follow->taken, follow->length - follow->taken);
            follow->length -= follow->taken;
            follow->taken = 0;
        }
        /* Told changes are forgotten first: what is written after this read is told again. */
        while (read(follow->inotify_fd, events, sizeof events) > 0)
            continue;
        if (read_more(follow))
            continue;
        if (harness_left_ms(deadline_us) == 0)
            return NULL;
        (void)poll(&fd, 1, harness_left_ms(deadline_us));
    }
}
