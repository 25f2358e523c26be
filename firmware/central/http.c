/* SPDX-License-Identifier: Apache-2.0
 *
 * http.c - the socket, the threads, and connections that take too long. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "firmware/central/http_internal.h"

#define BACKLOG 256
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define SWEEP_MS 1000

int64_t http_monotonic_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- listening ------------------------------------------------------------------------------------------------------------- */

static int split(const char *listen_at, char *ret_host, size_t size, const char **ret_port)
{
    const char *colon = strrchr(listen_at, ':'), *host = listen_at;
    size_t length = colon ? (size_t)(colon - listen_at) : 0;

    if (!colon || colon[1] == '\0')
        return -EINVAL;
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (length >= size)
        return -EINVAL;
    memcpy(ret_host, host, length);
    ret_host[length] = '\0';
    *ret_port = colon + 1;
    return 0;
}

static int bind_to(const struct addrinfo *found, unsigned *ret_port)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    int on = 1, off = 0, r, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (found->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0) ||
        bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &length) < 0) {
        r = -errno;
        (void)close(fd);
        return r;
    }
    *ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port : ((struct sockaddr_in *)&bound)->sin_port);
    return fd;
}

static int listen_on(const char *listen_at, unsigned *ret_port, char *error, size_t size)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found;
    char host[128];
    const char *port;
    int r = split(listen_at, host, sizeof host, &port);

    if (r == 0 && (r = getaddrinfo(host[0] == '\0' || strcmp(host, "*") == 0 ? NULL : host, port, &hints, &found)) != 0)
        r = -EINVAL;
    if (r < 0) {
        (void)snprintf(error, size, "'%s' is no address to listen on: it must be ADDRESS:PORT, as 0.0.0.0:8443 or [::]:8443", listen_at);
        return r;
    }
    r = bind_to(found, ret_port);
    freeaddrinfo(found);
    if (r < 0)
        (void)snprintf(error, size, "cannot listen on %s: %s%s", listen_at, strerror(-r),
                       r == -EADDRINUSE ? " (does another program, or another cellpost-central, listen there?)" : "");
    return r;
}

int central_http_new(const struct central_http_config *config, const char *listen_at, struct central_http **ret_http, unsigned *ret_port,
                     char *error, size_t size)
{
    struct central_http *http = calloc(1, sizeof *http);

    if (!http) {
        (void)snprintf(error, size, "out of memory");
        return -ENOMEM;
    }
    http->fd = listen_on(listen_at, ret_port, error, size);
    if (http->fd < 0) {
        int r = http->fd;

        free(http);
        return r;
    }
    http->config = *config;
    if (http->config.request_ms == 0)
        http->config.request_ms = HTTP_REQUEST_MS;
    if (http->config.connections == 0)
        http->config.connections = HTTP_CONNECTIONS_MAX;
    if (http->config.connections_of_one == 0)
        http->config.connections_of_one = HTTP_CONNECTIONS_OF_ONE_MAX;
    for (unsigned i = 0; i < config->threads && i < CENTRAL_HTTP_THREADS_MAX; i++)
        http->free_dbs[http->free_count++] = config->dbs[i];
    (void)pthread_mutex_init(&http->mutex, NULL);
    (void)pthread_cond_init(&http->freed, NULL);
    *ret_http = http;
    return 0;
}

/* -- connections ----------------------------------------------------------------------------------------------------------- */

static void peer_come(struct central_http *http, struct MHD_Connection *connection, void **socket_context)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_peer *peer = calloc(1, sizeof *peer);

    *socket_context = peer;                  /* without memory: it is answered with nothing */
    if (!peer)
        return;
    peer->fd = info ? info->connect_fd : -1;
    peer->since_ms = http_monotonic_ms();
    pthread_mutex_lock(&http->mutex);
    peer->next = http->peers;
    if (peer->next)
        peer->next->link = &peer->next;
    peer->link = &http->peers;
    http->peers = peer;
    pthread_mutex_unlock(&http->mutex);
}

/* Its descriptor is still open: nobody cuts a connection that has its number by now. */
static void peer_go(struct central_http *http, void **socket_context)
{
    struct http_peer *peer = *socket_context;

    *socket_context = NULL;
    if (!peer)
        return;
    pthread_mutex_lock(&http->mutex);
    *peer->link = peer->next;
    if (peer->next)
        peer->next->link = peer->link;
    pthread_mutex_unlock(&http->mutex);
    free(peer);
}

static void connection_noted(void *context, struct MHD_Connection *connection, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        peer_come(context, connection, socket_context);
    else
        peer_go(context, socket_context);
}

int central_http_sweep(struct central_http *http)
{
    int64_t now_ms = http_monotonic_ms();

    pthread_mutex_lock(&http->mutex);
    for (struct http_peer *peer = http->peers; peer; peer = peer->next)
        if (!peer->busy && !peer->cut && now_ms - peer->since_ms >= (int64_t)http->config.request_ms) {
            peer->cut = true;
            (void)shutdown(peer->fd, SHUT_RDWR);   /* its thread closes it */
        }
    pthread_mutex_unlock(&http->mutex);
    return SWEEP_MS;
}

/* -- serving --------------------------------------------------------------------------------------------------------------- */

static void stop(struct central_http *http)
{
    if (!http->daemon)
        return;
    (void)MHD_quiesce_daemon(http->daemon);  /* the socket stays ours */
    MHD_stop_daemon(http->daemon);
    http->daemon = NULL;
}

int central_http_serve(struct central_http *http, const struct central_server_paper *paper, char *error, size_t size)
{
    const struct central_http_config *config = &http->config;
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_LISTEN_SOCKET, http->fd, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)config->connections, NULL },
        { MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)config->connections_of_one, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_CONNECTION_MEMORY, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_S, NULL },
        { MHD_OPTION_THREAD_STACK_SIZE, HTTP_THREAD_STACK, NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
        { MHD_OPTION_HTTPS_MEM_CERT, 0, paper->chain },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, paper->key },
        { MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)config->ca },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
        { config->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, config->threads, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    stop(http);
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_USE_ITC, 0, NULL, NULL, http_request_step, http,
                                    MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, (void *)http,
                                    MHD_OPTION_NOTIFY_CONNECTION, connection_noted, (void *)http,
                                    MHD_OPTION_URI_LOG_CALLBACK, http_request_new, (void *)http, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (!http->daemon) {
        (void)snprintf(error, size, "the HTTPS server could not start (are the certificate and the key in the state folder whole?)");
        return -EIO;
    }
    return 0;
}

void central_http_free(struct central_http *http)
{
    if (!http)
        return;
    stop(http);
    (void)close(http->fd);
    (void)pthread_cond_destroy(&http->freed);
    (void)pthread_mutex_destroy(&http->mutex);
    free(http);
}
