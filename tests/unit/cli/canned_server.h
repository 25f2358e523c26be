/* SPDX-License-Identifier: Apache-2.0
 *
 * canned_server.h - answers on a unix socket from a list, one connection after the other, and keeps what was asked.
 * A reply of NULL hangs up after the request was read: the answer is lost on its way. With the last reply the socket goes:
 * who connects later finds nobody. */
#ifndef CANNED_SERVER_H
#define CANNED_SERVER_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CANNED_MAX 16

struct canned_server {
    char dir[32], path[64];
    int listener;
    pthread_t thread;
    const char *const *replies;         /* ends at reply_count */
    size_t reply_count, request_count;
    char *requests[CANNED_MAX];         /* head and body */
};

/* Reads one request: its head, and as much body as Content-Length says. */
static char *canned_read_request(int fd)
{
    size_t room = 1 << 20, length = 0, wanted = 0;
    char *text = calloc(1, room + 1);

    while (text != NULL && length < room) {
        char *end = strstr(text, "\r\n\r\n");
        if (end != NULL) {
            const char *field = strcasestr(text, "content-length:");
            wanted = (size_t)(end + 4 - text) + (field != NULL && field < end ? strtoul(field + 15, NULL, 10) : 0);
            if (length >= wanted)
                return text;
        }
        ssize_t n = read(fd, text + length, room - length);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    return text;
}

static void *canned_run(void *context)
{
    struct canned_server *server = context;

    for (size_t i = 0; i < server->reply_count; i++) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            break;
        server->requests[server->request_count++] = canned_read_request(fd);
        const char *reply = server->replies[i];
        if (i + 1 == server->reply_count)
            unlink(server->path);
        for (size_t sent = 0, length = reply != NULL ? strlen(reply) : 0; sent < length;) {
            ssize_t n = send(fd, reply + sent, length - sent, MSG_NOSIGNAL);
            if (n <= 0)
                break;
            sent += (size_t)n;
        }
        close(fd);
    }
    return NULL;
}

static void canned_start(struct canned_server *server, const char *const *replies, size_t count)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    memset(server, 0, sizeof *server);
    server->replies = replies;
    server->reply_count = count;
    strcpy(server->dir, "/tmp/test-cli-XXXXXX");
    if (mkdtemp(server->dir) == NULL)
        abort();
    snprintf(server->path, sizeof server->path, "%s/api.sock", server->dir);
    strcpy(address.sun_path, server->path);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(server->listener, 8) < 0)
        abort();
    if (pthread_create(&server->thread, NULL, canned_run, server) != 0)
        abort();
}

/* Wakes a server that still waits for requests that did not come. */
static void canned_stop(struct canned_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    (void)unlink(server->path);
    rmdir(server->dir);
}

static void canned_free(struct canned_server *server)
{
    for (size_t i = 0; i < server->request_count; i++)
        free(server->requests[i]);
}

#endif
