/* SPDX-License-Identifier: Apache-2.0
 *
 * http_socket.c - the listening sockets: an address, or a file with rights. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "firmware/cellpostd/http_internal.h"

#define BACKLOG 128

static int fail(char *error, size_t size, const char *what, const char *where, int r)
{
    (void)snprintf(error, size, "%s %s: %s", what, where, strerror(-r));
    return r;
}

/* "host:port" into its halves. */
static int split_address(const char *listen_at, char *ret_host, size_t size, const char **ret_port)
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

int http_socket_tcp(const char *listen_at, unsigned *ret_port, char *error, size_t size)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    char host[128];
    const char *port;
    int fd = -1, on = 1, off = 0, r;

    r = split_address(listen_at, host, sizeof host, &port);
    if (r < 0) {
        (void)snprintf(error, size, "listen=%s: this must be ADDRESS:PORT, as 127.0.0.1:8480 or [::]:8480", listen_at);
        return r;
    }
    if (strcmp(host, "localhost") == 0)
        (void)snprintf(host, sizeof host, "127.0.0.1");
    r = getaddrinfo(host[0] == '\0' || strcmp(host, "*") == 0 ? NULL : host, port, &hints, &found);
    if (r != 0) {
        (void)snprintf(error, size, "listen=%s: %s", listen_at, gai_strerror(r));
        return -EINVAL;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (found->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0) ||
        bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &length) < 0) {
        r = fail(error, size, "cannot listen on", listen_at, -errno);
        goto out;
    }
    *ret_port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port : ((struct sockaddr_in *)&bound)->sin_port);
    r = fd;
    fd = -1;
out:
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    return r;
}

/* 0: nothing is there any more, or never was; -EADDRINUSE: somebody answers; -ENOTSOCK: something else lies there. */
static int clear_stale_socket(const char *path, const struct sockaddr_un *address)
{
    struct stat status;
    int fd, r = 0;

    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -ENOTSOCK;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN || errno == EINPROGRESS)
        r = -EADDRINUSE;
    else if (errno != ECONNREFUSED)
        r = -errno;
    else if (unlink(path) < 0 && errno != ENOENT)
        r = -errno;
    close(fd);
    return r;
}

int http_socket_unix(const char *path, unsigned mode, char *error, size_t size)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    mode_t mask;
    int fd = -1, r;

    if (strlen(path) >= sizeof address.sun_path)
        return fail(error, size, "socket path too long:", path, -ENAMETOOLONG);
    memcpy(address.sun_path, path, strlen(path) + 1);
    r = clear_stale_socket(path, &address);
    if (r == -EADDRINUSE) {
        (void)snprintf(error, size, "another gateway answers on %s", path);
        return r;
    }
    if (r < 0)
        return fail(error, size, "cannot use socket", path, r);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(error, size, "cannot listen on", path, -errno);
    /* Born without rights for anybody else, so that there is no moment in which anyone may connect. */
    mask = umask(0177);
    r = bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
    (void)umask(mask);
    if (r == 0 && (chmod(path, mode ? mode : 0660) < 0 || listen(fd, BACKLOG) < 0)) {
        r = -errno;
        (void)unlink(path);
    }
    if (r < 0) {
        close(fd);
        return fail(error, size, "cannot listen on", path, r);
    }
    return fd;
}

int http_socket_peer(int fd, char *ret_peer, size_t size)
{
    struct ucred credentials;
    socklen_t length = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return -errno;
    (void)snprintf(ret_peer, size, "uid:%lu", (unsigned long)credentials.uid);
    return 0;
}
