/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/system/harness_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/harness.h"

#define PAIRS_MAX 24u
#define SLOW_MS 300

struct pair {
    int box, server;                         /* -1: free */
    long from_box_left, from_server_left;    /* octets until it is cut */
    bool slow;
};

struct proxy {
    pthread_t thread;
    int fd, stop[2];
    unsigned port;
    atomic_uint servers[2], mood, cuts;
    unsigned turn;
    unsigned random;                         /* one thread's; the same each time */
    struct pair pairs[PAIRS_MAX];
};

static unsigned draw(struct proxy *proxy, unsigned below)
{
    proxy->random = proxy->random * 1103515245u + 12345u;
    return (proxy->random >> 8) % below;
}

static void end(struct pair *pair)
{
    (void)close(pair->box);
    (void)close(pair->server);
    pair->box = pair->server = -1;
}

static int connect_to(unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = port == 0 ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static struct pair *free_pair(struct proxy *proxy)
{
    for (unsigned i = 0; i < PAIRS_MAX; i++)
        if (proxy->pairs[i].box < 0)
            return &proxy->pairs[i];
    return NULL;
}

static void take(struct proxy *proxy)
{
    int box = accept4(proxy->fd, NULL, NULL, SOCK_CLOEXEC), server = -1;
    struct pair *pair = free_pair(proxy);
    unsigned mood = atomic_load(&proxy->mood), kind = draw(proxy, 6);

    if (pair != NULL && mood != PROXY_IS_AWAY)
        server = connect_to(atomic_load(&proxy->servers[proxy->turn++ % 2]));
    if (server < 0) {
        (void)close(box);
        return;
    }
    *pair = (struct pair){ .box = box, .server = server, .from_box_left = -1, .from_server_left = -1 };
    if (mood != PROXY_TROUBLES)
        return;
    if (kind == 0)
        pair->from_box_left = (long)draw(proxy, 3000);
    else if (kind <= 2)
        pair->from_server_left = (long)draw(proxy, 5000);
    else if (kind == 3)
        pair->slow = true;
}

/* False: it has ended, or was cut. */
static bool carry(struct proxy *proxy, int from, int to, long *left)
{
    char octets[4096];
    ssize_t n = recv(from, octets, sizeof octets, 0), sent = 0;

    if (n <= 0)
        return false;
    if (*left >= 0 && n > *left) {           /* what is before the cut arrives */
        (void)send(to, octets, (size_t)*left, MSG_NOSIGNAL);
        atomic_fetch_add(&proxy->cuts, 1);
        return false;
    }
    if (*left >= 0)
        *left -= n;
    while (sent < n) {
        ssize_t more = send(to, octets + sent, (size_t)(n - sent), MSG_NOSIGNAL);

        if (more <= 0)
            return false;
        sent += more;
    }
    return true;
}

static void *run(void *context)
{
    struct proxy *proxy = context;

    for (;;) {
        struct pollfd waiting[2 + 2 * PAIRS_MAX];

        waiting[0] = (struct pollfd){ .fd = proxy->stop[0], .events = POLLIN };
        waiting[1] = (struct pollfd){ .fd = proxy->fd, .events = POLLIN };
        for (unsigned i = 0; i < PAIRS_MAX; i++) {
            waiting[2 + 2 * i] = (struct pollfd){ .fd = proxy->pairs[i].box, .events = POLLIN };
            waiting[3 + 2 * i] = (struct pollfd){ .fd = proxy->pairs[i].server, .events = POLLIN };
        }
        (void)poll(waiting, 2 + 2 * PAIRS_MAX, -1);
        if (waiting[0].revents != 0)
            return NULL;
        for (unsigned i = 0; i < PAIRS_MAX; i++) {
            struct pair *pair = &proxy->pairs[i];
            bool goes_on = true;

            if (pair->slow && waiting[3 + 2 * i].revents != 0)
                (void)poll(waiting, 1, SLOW_MS);   /* late for all: it is one line */
            if (waiting[2 + 2 * i].revents != 0)
                goes_on = carry(proxy, pair->box, pair->server, &pair->from_box_left);
            if (goes_on && waiting[3 + 2 * i].revents != 0)
                goes_on = carry(proxy, pair->server, pair->box, &pair->from_server_left);
            if (!goes_on)
                end(pair);
        }
        if (waiting[1].revents != 0)
            take(proxy);
    }
}

struct proxy *proxy_new(void)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof at;

    HARNESS_CHECK(proxy != NULL);
    proxy->random = 4711;
    for (unsigned i = 0; i < PAIRS_MAX; i++)
        proxy->pairs[i].box = proxy->pairs[i].server = -1;
    proxy->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    HARNESS_CHECK(proxy->fd >= 0 && bind(proxy->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(proxy->fd, 16) == 0);
    HARNESS_CHECK(getsockname(proxy->fd, (struct sockaddr *)&at, &length) == 0 && pipe(proxy->stop) == 0);
    proxy->port = ntohs(at.sin_port);
    HARNESS_CHECK(pthread_create(&proxy->thread, NULL, run, proxy) == 0);
    return proxy;
}

void proxy_free(struct proxy *proxy)
{
    if (proxy == NULL)
        return;
    (void)close(proxy->stop[1]);
    (void)pthread_join(proxy->thread, NULL);
    for (unsigned i = 0; i < PAIRS_MAX; i++)
        if (proxy->pairs[i].box >= 0)
            end(&proxy->pairs[i]);
    (void)close(proxy->stop[0]);
    (void)close(proxy->fd);
    free(proxy);
}

unsigned proxy_port(const struct proxy *proxy)
{
    return proxy->port;
}

void proxy_set_servers(struct proxy *proxy, unsigned first, unsigned second)
{
    atomic_store(&proxy->servers[0], first);
    atomic_store(&proxy->servers[1], second);
}

void proxy_set_mood(struct proxy *proxy, enum proxy_mood mood)
{
    atomic_store(&proxy->mood, mood);
}

unsigned proxy_cuts(const struct proxy *proxy)
{
    return atomic_load(&proxy->cuts);
}
