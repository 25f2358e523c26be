/* SPDX-License-Identifier: Apache-2.0
 *
 * http.c - starts and stops the listeners. */
#include "firmware/cellpostd/http.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "firmware/cellpostd/http_internal.h"

#define PEM_BYTES_MAX (256u << 10)
#define TLS_PRIORITIES "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"
#define OPTIONS_MAX 16

static int read_pem(const char *path, char **ret_text, char *error, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
    char *text = NULL;
    size_t length = 0;
    ssize_t n = 0;

    if (fd >= 0)
        text = calloc(1, PEM_BYTES_MAX + 1);
    if (fd < 0 || !text) {
        r = text || fd < 0 ? -errno : -ENOMEM;
        goto out;
    }
    while (length < PEM_BYTES_MAX && (n = read(fd, text + length, PEM_BYTES_MAX - length)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        length += (size_t)n;
    }
    r = n < 0 ? -errno : length == PEM_BYTES_MAX ? -EFBIG : 0;
out:
    if (fd >= 0)
        close(fd);
    if (r < 0) {
        (void)snprintf(error, size, "cannot read %s: %s", path, strerror(-r));
        free(text);
        return r;
    }
    *ret_text = text;
    return 0;
}

/* Hashes of JSON objects get a seed, so that nobody can send one whose keys all collide. Once per process. */
static void seed_json(void)
{
    size_t seed = 0;

    if (getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed)
        json_object_seed(seed);
}

/* Takes fd over. */
static int listener_start(struct http_server *server, int fd, bool is_unix, char *error, size_t size)
{
    struct http_listener *listener = &server->listeners[server->listener_count];
    struct MHD_OptionItem options[OPTIONS_MAX] = {
        { MHD_OPTION_LISTEN_SOCKET, fd, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_CONNECTION_MEMORY, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, HTTP_TIMEOUT_S, NULL },
        { MHD_OPTION_THREAD_STACK_SIZE, HTTP_THREAD_STACK, NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
    };
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    size_t count = 6;
    int r;

    listener->server = server;
    listener->is_unix = is_unix;
    r = store_reader_open(server->config.db_path, NULL, &listener->reader);
    if (r == 0)
        r = api_new(&server->config.api, listener->reader, &listener->api);
    if (r < 0) {
        (void)snprintf(error, size, "cannot read %s: %s", server->config.db_path, strerror(-r));
        close(fd);
        store_reader_close(listener->reader);
        listener->reader = NULL;
        return r;
    }
    (void)snprintf(server->tag, sizeof server->tag, "%s", store_reader_tag(listener->reader));

    if (!is_unix && server->cert) {
        flags |= MHD_USE_TLS;
        options[count++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, server->cert };
        options[count++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, server->key };
        options[count++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES };
    }
    options[count] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
    listener->daemon = MHD_start_daemon(flags, 0, NULL, NULL, http_request_step, listener, MHD_OPTION_NOTIFY_COMPLETED,
                                        http_request_completed, (void *)listener, MHD_OPTION_URI_LOG_CALLBACK, http_request_new,
                                        (void *)listener, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    if (!listener->daemon) {
        (void)snprintf(error, size, "the HTTP server could not start on %s%s",
                       is_unix ? server->config.socket_path : server->config.listen,
                       flags & MHD_USE_TLS ? " (are cert= and key= a PEM certificate and its key?)" : "");
        close(fd);
        api_free(listener->api);
        store_reader_close(listener->reader);
        *listener = (struct http_listener){ 0 };
        return -EIO;
    }
    server->listener_count++;
    return 0;
}

static int server_listen(struct http_server *server, char *error, size_t size)
{
    const struct http_config *config = &server->config;
    int fd, r = 0;

    if (config->cert_file && config->key_file) {
        r = read_pem(config->cert_file, &server->cert, error, size);
        if (r == 0)
            r = read_pem(config->key_file, &server->key, error, size);
        if (r < 0)
            return r;
    }
    if (config->socket_path) {
        fd = http_socket_unix(config->socket_path, config->socket_mode, error, size);
        r = fd < 0 ? fd : listener_start(server, fd, true, error, size);
        if (fd >= 0 && r < 0)
            (void)unlink(config->socket_path);
    }
    if (r == 0 && config->listen) {
        fd = http_socket_tcp(config->listen, &server->tcp_port, error, size);
        r = fd < 0 ? fd : listener_start(server, fd, false, error, size);
    }
    return r < 0 ? r : 0;
}

int http_start(const struct http_config *config, struct http_server **ret_server, char *error, size_t error_size)
{
    struct http_server *server = calloc(1, sizeof *server);
    pthread_condattr_t clock;
    int r;

    if (!server) {
        (void)snprintf(error, error_size, "out of memory");
        return -ENOMEM;
    }
    seed_json();
    server->config = *config;
    atomic_init(&server->references, 1);
    (void)pthread_mutex_init(&server->mutex, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->idle, &clock);
    (void)pthread_condattr_destroy(&clock);
    r = http_hub_init(server);
    if (r < 0)
        (void)snprintf(error, error_size, "cannot start a thread: %s", strerror(-r));
    else
        r = server_listen(server, error, error_size);
    if (r < 0) {
        http_stop(server);
        return r;
    }
    *ret_server = server;
    return 0;
}

unsigned http_port_number(const struct http_server *server)
{
    return server->tcp_port;
}

void http_server_unref(struct http_server *server)
{
    if (atomic_fetch_sub(&server->references, 1) != 1)
        return;
    (void)pthread_cond_destroy(&server->idle);
    (void)pthread_mutex_destroy(&server->mutex);
    free(server);
}

/* Answers that are on their way get a moment to leave. */
static void wait_until_idle(struct http_server *server)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += HTTP_STOP_WAIT_MS / 1000;
    pthread_mutex_lock(&server->mutex);
    while (server->active > 0)
        if (pthread_cond_timedwait(&server->idle, &server->mutex, &until) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&server->mutex);
}

void http_stop(struct http_server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->listener_count; i++) {
        int fd = MHD_quiesce_daemon(server->listeners[i].daemon);
        if (server->listeners[i].is_unix)
            (void)unlink(server->config.socket_path);
        if (fd >= 0)
            close(fd);
    }
    /* libmicrohttpd must not be stopped with a connection asleep. */
    pthread_mutex_lock(&server->mutex);
    server->stopping = true;
    http_requests_detach(server);
    http_hub_end_streams(server);
    pthread_mutex_unlock(&server->mutex);
    wait_until_idle(server);
    for (size_t i = 0; i < server->listener_count; i++) {
        struct http_listener *listener = &server->listeners[i];
        MHD_stop_daemon(listener->daemon);
        api_free(listener->api);
        store_reader_close(listener->reader);
    }
    http_hub_done(server);
    if (server->key)
        explicit_bzero(server->key, strlen(server->key));
    free(server->key);
    free(server->cert);
    http_server_unref(server);
}
