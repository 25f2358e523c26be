/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/modembank/bank.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static void poll_closed(uv_handle_t *handle)
{
    free(handle);
}

/* Nobody listens (any more): like a serial port, what the modem says then is said to nobody. */
static void client_gone(struct port *port)
{
    size_t length;

    port->listened = false;
    port->clients = 0;
    (void)sim_modem_output(port->modem, &length);
    sim_modem_output_consume(port->modem, length);
    /* The pty outlives its client, and so would exclusive use and what was not read. Nothing else is touched: the next
     * client may be there already, with modes of its own and octets on their way to us. */
    (void)ioctl(port->slave, TIOCNXCL);
    (void)tcflush(port->slave, TCIFLUSH);
}

static void on_port(uv_poll_t *poll, int status, int events)
{
    struct port *port = poll->data;
    uint8_t octets[4096];
    ssize_t n;

    if (status < 0)
        return;
    bank_touch(port->bank, port);   /* its turn writes what the pty had no room for */
    if ((events & UV_READABLE) == 0)
        return;
    n = read(port->master, octets, sizeof octets);
    if (n <= 0)
        return;
    port->listened = true;
    sim_modem_feed(port->modem, octets, (size_t)n, bank_now_us(port->bank));
}

static void poll_for(struct port *port, bool writable)
{
    if (port->writable_wanted == writable)
        return;
    port->writable_wanted = writable;
    (void)uv_poll_start(port->poll, UV_READABLE | (writable ? UV_WRITABLE : 0), on_port);
}

void port_flush(struct port *port)
{
    size_t length;
    const uint8_t *octets = sim_modem_output(port->modem, &length);

    if (length > 0 && (port->master < 0 || !port->listened)) {
        sim_modem_output_consume(port->modem, length);
        return;
    }
    while (length > 0) {
        ssize_t n = write(port->master, octets, length);

        if (n <= 0)
            break;
        sim_modem_output_consume(port->modem, (size_t)n);
        octets = sim_modem_output(port->modem, &length);
    }
    if (port->master >= 0)
        poll_for(port, length > 0);
}

/* Master and slave, raw, non-blocking. */
static int pty_open(struct port *port)
{
    struct termios term;

    port->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (port->master < 0)
        return -errno;
    if (grantpt(port->master) < 0 || unlockpt(port->master) < 0 ||
        ptsname_r(port->master, port->slave_path, sizeof port->slave_path) != 0)
        return -errno;
    port->slave = open(port->slave_path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (port->slave < 0 || tcgetattr(port->slave, &term) < 0)
        return -errno;
    cfmakeraw(&term);
    return tcsetattr(port->slave, TCSANOW, &term) < 0 ? -errno : 0;
}

/* Puts the link in place in one step. Anything there that is no link is not ours to remove. */
static int link_make(const struct port *port)
{
    char temporary[sizeof port->link + 8];
    struct stat st;

    if (lstat(port->link, &st) == 0 && !S_ISLNK(st.st_mode))
        return -EEXIST;
    (void)snprintf(temporary, sizeof temporary, "%s.new", port->link);
    (void)unlink(temporary);
    if (symlink(port->slave_path, temporary) < 0)
        return -errno;
    if (rename(temporary, port->link) < 0) {
        int r = -errno;

        (void)unlink(temporary);
        return r;
    }
    return 0;
}

static void link_remove(const struct port *port)
{
    char to[sizeof port->slave_path];
    ssize_t n = readlink(port->link, to, sizeof to - 1);

    if (n <= 0)
        return;
    to[n] = '\0';
    if (strcmp(to, port->slave_path) == 0)   /* not if another bank has taken the name */
        (void)unlink(port->link);
}

static void pty_close(struct port *port)
{
    if (port->watch >= 0)
        (void)inotify_rm_watch(port->bank->inotify_fd, port->watch);
    if (port->slave >= 0)
        (void)close(port->slave);
    if (port->master >= 0)
        (void)close(port->master);
    port->master = port->slave = port->watch = -1;
}

int port_plug(struct port *port)
{
    int r;

    if (port->master >= 0)
        return 0;
    r = pty_open(port);
    if (r == 0)
        r = link_make(port);
    if (r < 0) {
        (void)fprintf(stderr, "cellpost-modembank: %s: %s\n", port->link, strerror(-r));
        pty_close(port);
        return r;
    }
    port->poll = calloc(1, sizeof *port->poll);
    if (port->poll == NULL || uv_poll_init(port->bank->loop, port->poll, port->master) < 0) {
        free(port->poll);
        port->poll = NULL;
        link_remove(port);
        pty_close(port);
        return -ENOMEM;
    }
    port->poll->data = port;
    port->writable_wanted = false;
    (void)uv_poll_start(port->poll, UV_READABLE, on_port);
    port->watch = inotify_add_watch(port->bank->inotify_fd, port->slave_path, IN_OPEN | IN_CLOSE);
    port->listened = false;
    port->clients = 0;
    sim_modem_power_on(port->modem, bank_now_us(port->bank));
    bank_touch(port->bank, port);
    witness_note(port->bank, "plug", port);
    return 0;
}

void port_unplug(struct port *port)
{
    if (port->master < 0)
        return;
    link_remove(port);
    (void)uv_poll_stop(port->poll);
    uv_close((uv_handle_t *)port->poll, poll_closed);
    port->poll = NULL;
    pty_close(port);
    sim_modem_power_off(port->modem, bank_now_us(port->bank));
    bank_touch(port->bank, port);
    witness_note(port->bank, "unplug", port);
}

static void on_replug(uv_timer_t *timer)
{
    (void)port_plug(timer->data);
}

void port_replug_later(struct port *port)
{
    if (port->bank->options.replug_us == 0)
        return;
    if (port->replug == NULL) {
        port->replug = calloc(1, sizeof *port->replug);
        if (port->replug == NULL)
            return;
        (void)uv_timer_init(port->bank->loop, port->replug);
        port->replug->data = port;
    }
    (void)uv_timer_start(port->replug, on_replug, port->bank->options.replug_us / 1000, 0);
}

static struct port *port_by_watch(struct bank *bank, int watch)
{
    for (uint32_t i = 0; i < bank->options.count; i++)
        if (bank->ports[i].watch == watch)
            return &bank->ports[i];
    return NULL;
}

void port_inotify(struct bank *bank)
{
    _Alignas(struct inotify_event) char events[4096];
    ssize_t n = read(bank->inotify_fd, events, sizeof events);

    for (ssize_t at = 0; at < n;) {
        struct inotify_event event;
        struct port *port;

        memcpy(&event, events + at, sizeof event);
        at += (ssize_t)(sizeof event + event.len);
        port = port_by_watch(bank, event.wd);
        if (port == NULL)
            continue;
        if (event.mask & IN_OPEN) {
            port->clients++;
            port->listened = true;
        } else if (event.mask & IN_CLOSE) {
            port->clients--;
            port->closed = true;
        }
        bank_touch(bank, port);
    }
    /* Only after all of them: one client may have followed another. Equal events next to each other come as one, so the
     * count may be too low; whoever is there all the same is heard again with the first octet it sends. */
    for (uint32_t i = 0; i < bank->dirty_count; i++) {
        struct port *port = &bank->ports[bank->dirty[i]];

        if (port->closed && port->clients <= 0 && port->slave >= 0)
            client_gone(port);
        port->closed = false;
    }
}
