/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/modembank/tell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_OCTETS_MAX 4096
#define ANSWER_S 10

static int reach(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct timeval limit = { .tv_sec = ANSWER_S };
    int fd;

    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
                    connect(fd, (struct sockaddr *)&address, sizeof address) < 0)) {
        int error = errno;

        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* A line has one line end: a word with one would be a second command. */
static int join(int count, char **words, char line[LINE_OCTETS_MAX])
{
    size_t length = 0;

    for (int i = 0; i < count; i++) {
        size_t size = strlen(words[i]);

        if (length + size + 2 > LINE_OCTETS_MAX || strpbrk(words[i], "\r\n") != NULL)
            return -1;
        memcpy(line + length, words[i], size);
        length += size;
        line[length++] = i + 1 < count ? ' ' : '\n';
    }
    return (int)length;
}

/* Prints the answer up to its line end; 0 where it says ok. */
static int print_answer(int fd)
{
    char start[32] = "";
    size_t seen = 0;

    for (;;) {
        char bytes[4096];
        ssize_t n = read(fd, bytes, sizeof bytes);

        if (n <= 0)
            return 1;
        for (ssize_t i = 0; i < n && seen + 1 < sizeof start; i++)
            start[seen++] = bytes[i];
        (void)fwrite(bytes, 1, (size_t)n, stdout);
        if (bytes[n - 1] == '\n')
            return strstr(start, "\"ok\":false") != NULL;
    }
}

int tell(const char *socket_path, int count, char **words)
{
    char line[LINE_OCTETS_MAX];
    int length = join(count, words, line), fd, status;

    if (length <= 0) {
        (void)fprintf(stderr, "cellpost-modembank: a command is one line of at most %d octets; --tell SOCKET help lists them\n",
                      LINE_OCTETS_MAX);
        return 2;
    }
    fd = reach(socket_path);
    if (fd < 0 || write(fd, line, (size_t)length) != length) {
        (void)fprintf(stderr, "cellpost-modembank: %s: %s (is a bank running with --control %s?)\n", socket_path, strerror(errno), socket_path);
        status = 1;
    } else {
        status = print_answer(fd);
    }
    if (fd >= 0)
        (void)close(fd);
    return status;
}
