/* SPDX-License-Identifier: Apache-2.0
 *
 * volatile_disk - a disk for qemu, over NBD on a unix socket, that loses its write cache when the power is cut.
 *
 *   volatile_disk --file MEDIUM --socket PATH [--seed N] [--cut-after WRITES] [--lie]
 *
 * It serves one connection. When that ends, however it does, the power is cut: unflushed sectors are kept or dropped by chance
 * (volatile_cache.h). With --cut-after the cut comes by itself in the middle of the load, at that write request after SIGUSR1;
 * from then on nothing is answered, until the machine is killed. --lie: flushes are answered and not done.
 * On standard output: "disk ready", then "disk cut {...}" with the figures as JSON; each is one write(), for a fifo.
 *
 * NBD: fixed newstyle handshake, simple replies; of the transmission phase what qemu needs of a disk with a cache: READ, WRITE,
 * FLUSH, DISC (the protocol's own text, doc/proto.md of the NBD project). FUA and TRIM are not offered, so the guest flushes. */
#include "tests/vm/volatile_cache.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NBD_MAGIC UINT64_C(0x4e42444d41474943)
#define NBD_OPTION_MAGIC UINT64_C(0x49484156454F5054)
#define NBD_OPTION_REPLY_MAGIC UINT64_C(0x3e889045565a9)
#define NBD_REQUEST_MAGIC 0x25609513u
#define NBD_REPLY_MAGIC 0x67446698u
enum { NBD_FLAG_FIXED_NEWSTYLE = 1, NBD_FLAG_NO_ZEROES = 2 };
enum { NBD_OPT_EXPORT_NAME = 1, NBD_OPT_ABORT = 2, NBD_OPT_INFO = 6, NBD_OPT_GO = 7 };
enum { NBD_REP_ACK = 1, NBD_REP_INFO = 3 };
#define NBD_REP_ERR_UNSUP 0x80000001u
enum { NBD_FLAG_HAS_FLAGS = 1, NBD_FLAG_SEND_FLUSH = 4 };
enum { NBD_CMD_READ = 0, NBD_CMD_WRITE = 1, NBD_CMD_DISC = 2, NBD_CMD_FLUSH = 3 };
enum { NBD_EIO = 5, NBD_EINVAL = 22, NBD_ENOSPC = 28 };

#define REQUEST_MAX (32u << 20)   /* what clients may ask for without agreeing on more */
#define OPTION_MAX 4096u

struct nbd_request { uint32_t magic; uint16_t flags, type; uint64_t handle, offset; uint32_t length; } __attribute__((packed));
struct nbd_reply { uint32_t magic, error; uint64_t handle; } __attribute__((packed));
struct nbd_option { uint64_t magic; uint32_t option, length; } __attribute__((packed));
struct nbd_option_reply { uint64_t magic; uint32_t option, type, length; } __attribute__((packed));
struct nbd_info { uint16_t type; uint64_t size; uint16_t flags; } __attribute__((packed));

struct disk {
    struct volatile_cache *cache;
    int fd;                       /* of the connection */
    bool lie;
    uint64_t cut_after;           /* 0: when the connection ends */
    uint64_t reads, writes, flushes, armed_writes;
    uint8_t *bytes;               /* REQUEST_MAX */
};

static volatile sig_atomic_t armed;

static void on_signal(int number)
{
    (void)number;
    armed = 1;
}

_Noreturn static void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fprintf(stderr, "volatile_disk: ");
    (void)vfprintf(stderr, format, args);
    (void)fprintf(stderr, "\n");
    va_end(args);
    exit(1);
}

/* False: the other end is gone. */
static bool take(const struct disk *disk, void *ret_bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t n = recv(disk->fd, (uint8_t *)ret_bytes + at, length - at, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static bool give(const struct disk *disk, const void *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t n = send(disk->fd, (const uint8_t *)bytes + at, length - at, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* -- handshake ------------------------------------------------------------------------------------------------ */

static bool give_option_reply(const struct disk *disk, uint32_t option, uint32_t type, const void *bytes, uint32_t length)
{
    struct nbd_option_reply reply = { htobe64(NBD_OPTION_REPLY_MAGIC), htobe32(option), htobe32(type), htobe32(length) };

    return give(disk, &reply, sizeof reply) && give(disk, bytes, length);
}

static bool shake_hands(const struct disk *disk)
{
    struct { uint64_t magic, option_magic; uint16_t flags; } __attribute__((packed)) hello = {
        htobe64(NBD_MAGIC), htobe64(NBD_OPTION_MAGIC), htobe16(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES) };
    const uint16_t flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH;
    const uint64_t size = htobe64(volatile_cache_size(disk->cache));
    uint8_t ignored[OPTION_MAX];
    uint32_t client_flags;

    if (!give(disk, &hello, sizeof hello) || !take(disk, &client_flags, sizeof client_flags))
        return false;
    for (;;) {
        struct nbd_option option;
        uint32_t name, length;

        if (!take(disk, &option, sizeof option))
            return false;
        name = be32toh(option.option);
        length = be32toh(option.length);
        if (be64toh(option.magic) != NBD_OPTION_MAGIC || length > sizeof ignored || !take(disk, ignored, length))
            return false;
        if (name == NBD_OPT_EXPORT_NAME) {
            struct { uint64_t size; uint16_t flags; uint8_t zeroes[124]; } __attribute__((packed)) export = { size, htobe16(flags), { 0 } };

            return give(disk, &export, (be32toh(client_flags) & NBD_FLAG_NO_ZEROES) != 0 ? 10 : sizeof export);
        }
        if (name == NBD_OPT_GO || name == NBD_OPT_INFO) {
            struct nbd_info info = { htobe16(0), size, htobe16(flags) };   /* NBD_INFO_EXPORT */

            if (!give_option_reply(disk, name, NBD_REP_INFO, &info, sizeof info) || !give_option_reply(disk, name, NBD_REP_ACK, NULL, 0))
                return false;
            if (name == NBD_OPT_GO)
                return true;
        } else if (!give_option_reply(disk, name, name == NBD_OPT_ABORT ? NBD_REP_ACK : NBD_REP_ERR_UNSUP, NULL, 0) ||
                   name == NBD_OPT_ABORT) {
            return false;
        }
    }
}

/* -- requests ------------------------------------------------------------------------------------------------- */

static void cut(struct disk *disk)
{
    struct volatile_cut result;
    int r = volatile_cache_cut(disk->cache, &result);

    if (r < 0)
        die("the medium: %s", strerror(-r));
    (void)printf("disk cut {\"reads\":%llu,\"writes\":%llu,\"flushes\":%llu,\"kept\":%llu,\"dropped\":%llu,\"torn\":%llu}\n",
                 (unsigned long long)disk->reads, (unsigned long long)disk->writes, (unsigned long long)disk->flushes,
                 (unsigned long long)result.sectors_kept, (unsigned long long)result.sectors_dropped, (unsigned long long)result.writes_torn);
    (void)fflush(stdout);
}

static uint32_t error_of(int r)
{
    switch (r) {
    case 0: return 0;
    case -EINVAL: return NBD_EINVAL;
    case -ENOSPC: return NBD_ENOSPC;
    default: return NBD_EIO;
    }
}

static bool answer(struct disk *disk, const struct nbd_request *request)
{
    struct nbd_reply reply = { .magic = htobe32(NBD_REPLY_MAGIC), .handle = request->handle };
    uint32_t length = be32toh(request->length);
    int r = -EINVAL;

    switch (be16toh(request->type)) {
    case NBD_CMD_READ:
        disk->reads++;
        r = volatile_cache_read(disk->cache, be64toh(request->offset), disk->bytes, length);
        break;
    case NBD_CMD_WRITE:
        disk->writes++;
        disk->armed_writes += armed != 0;
        r = volatile_cache_write(disk->cache, be64toh(request->offset), disk->bytes, length);
        break;
    case NBD_CMD_FLUSH:
        disk->flushes++;
        r = disk->lie ? 0 : volatile_cache_flush(disk->cache);
        break;
    }
    if (disk->cut_after != 0 && disk->armed_writes >= disk->cut_after)
        return false;   /* the answer to this write never leaves */
    reply.error = htobe32(error_of(r));
    return give(disk, &reply, sizeof reply) && (be16toh(request->type) != NBD_CMD_READ || r < 0 || give(disk, disk->bytes, length));
}

static bool next_request(struct disk *disk, struct nbd_request *ret_request)
{
    return take(disk, ret_request, sizeof *ret_request) && be32toh(ret_request->magic) == NBD_REQUEST_MAGIC &&
           be16toh(ret_request->type) != NBD_CMD_DISC && be32toh(ret_request->length) <= REQUEST_MAX &&
           (be16toh(ret_request->type) != NBD_CMD_WRITE || take(disk, disk->bytes, be32toh(ret_request->length)));
}

static void serve(struct disk *disk)
{
    struct nbd_request request;
    uint8_t ignored[4096];

    if (!shake_hands(disk))
        die("no handshake");
    while (next_request(disk, &request) && answer(disk, &request))
        continue;
    cut(disk);
    /* Not closed before the machine is dead: it must not see an error first, which no power cut gives it. */
    while (take(disk, ignored, 1))
        continue;
}

/* -- start ---------------------------------------------------------------------------------------------------- */

static int listen_on(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof address.sun_path)
        die("%s: the name is too long for a socket", path);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    (void)unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0)
        die("%s: %s", path, strerror(errno));
    return fd;
}

static uint64_t number(const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0')
        die("'%s' is no number", text);
    return value;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "file", required_argument, NULL, 'f' }, { "socket", required_argument, NULL, 's' }, { "seed", required_argument, NULL, 'n' },
        { "cut-after", required_argument, NULL, 'c' }, { "lie", no_argument, NULL, 'l' }, { NULL, 0, NULL, 0 },
    };
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    const char *file = NULL, *path = NULL;
    struct disk disk = { .bytes = malloc(REQUEST_MAX) };
    uint64_t seed = 1;
    int option, listen_fd, medium_fd;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (option) {
        case 'f': file = optarg; break;
        case 's': path = optarg; break;
        case 'n': seed = number(optarg); break;
        case 'c': disk.cut_after = number(optarg); break;
        case 'l': disk.lie = true; break;
        default: return 2;
        }
    if (file == NULL || path == NULL || disk.bytes == NULL)
        die("--file and --socket are needed");
    medium_fd = open(file, O_RDWR | O_CLOEXEC);
    if (medium_fd < 0)
        die("%s: %s", file, strerror(errno));
    disk.cache = volatile_cache_new(medium_fd, seed);
    if (disk.cache == NULL)
        die("%s: %s", file, strerror(errno));
    (void)sigaction(SIGUSR1, &action, NULL);
    listen_fd = listen_on(path);
    (void)printf("disk ready\n");
    (void)fflush(stdout);
    do
        disk.fd = accept(listen_fd, NULL, NULL);
    while (disk.fd < 0 && errno == EINTR);
    if (disk.fd < 0)
        die("accept: %s", strerror(errno));
    serve(&disk);
    (void)unlink(path);
    (void)close(disk.fd);
    (void)close(listen_fd);
    volatile_cache_free(disk.cache);
    (void)close(medium_fd);
    free(disk.bytes);
    return 0;
}
