/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool events_open(struct events *events, const char *socket_path)
{
    static const char request[] = "GET /v1/events HTTP/1.0\r\n\r\n";   /* 1.0: the answer comes without chunks */
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    events_close(events);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    events->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (events->fd < 0 || connect(events->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        send(events->fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof request - 1)) {
        events_close(events);
        return false;
    }
    return true;
}

void events_close(struct events *events)
{
    if (events->fd >= 0)
        (void)close(events->fd);
    free(events->buffer);
    *events = (struct events){ .fd = -1 };
}

/* Takes one record out of the buffer: up to an empty line. The head of the answer ends with one too and has no data. */
static bool take_record(struct events *events, json_t **ret_data)
{
    char *end = events->length > 0 ? strstr(events->buffer, "\n\n") : NULL, *head, *data, *name;
    size_t skip = 2;

    head = events->length > 0 ? strstr(events->buffer, "\r\n\r\n") : NULL;
    if (head != NULL && (end == NULL || head < end)) {
        end = head;
        skip = 4;
    }
    if (end == NULL)
        return false;
    *end = '\0';
    name = strstr(events->buffer, "event: ");
    data = strstr(events->buffer, "\ndata: ");
    *ret_data = NULL;
    if (name != NULL && data != NULL) {
        size_t length = strcspn(name + 7, "\n");

        (void)snprintf(events->name, sizeof events->name, "%.*s", (int)length, name + 7);
        *ret_data = json_loads(data + 7, 0, NULL);
    }
    events->length -= (size_t)(end - events->buffer) + skip;
    memmove(events->buffer, end + skip, events->length + 1);
    return true;
}

json_t *events_next(struct events *events, int timeout_ms)
{
    uint64_t deadline_us = harness_now_us() + (uint64_t)timeout_ms * 1000;

    while (events->fd >= 0) {
        struct pollfd fd = { .fd = events->fd, .events = POLLIN };
        json_t *data;
        ssize_t n;

        while (take_record(events, &data))
            if (data != NULL)
                return data;
        if (poll(&fd, 1, harness_left_ms(deadline_us)) <= 0)
            return NULL;
        if (events->size - events->length < 16384) {
            size_t size = events->size == 0 ? 65536 : events->size * 2;
            char *grown = realloc(events->buffer, size);

            if (grown == NULL)
                harness_die("out of memory");
            events->buffer = grown;
            events->size = size;
        }
        n = recv(events->fd, events->buffer + events->length, events->size - events->length - 1, 0);
        if (n <= 0) {
            if (n == 0 || errno != EINTR)
                events_close(events);
            continue;
        }
        events->length += (size_t)n;
        events->buffer[events->length] = '\0';
    }
    return NULL;
}
