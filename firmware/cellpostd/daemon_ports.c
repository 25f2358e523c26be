/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon_ports.c - the ports of all banks: found by their patterns, opened, watched, found again when they come back. */
#include "firmware/cellpostd/daemon_internal.h"

#include "hal/linux/line_open.h"
#include "hal/linux/port_glob.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SCAN_MS 5000          /* where a directory cannot be watched, and for ports that were busy */
#define SCAN_AFTER_EVENT_MS 50 /* udev makes a port in several steps */

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct daemon_port *port = poll->data;
    struct daemon *daemon = port->daemon;

    (void)status;   /* an error of the descriptor shows in the next read */
    if ((events & UV_WRITABLE) != 0)
        box_line_writable(daemon->box, port->slot, daemon_now());
    if (port->poll == poll && ((events & (UV_READABLE | UV_DISCONNECT)) != 0 || status < 0))
        box_line_readable(daemon->box, port->slot, daemon_now());
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

void daemon_port_closed(struct daemon *daemon, uint32_t slot)
{
    struct daemon_port *port = &daemon->ports[slot];

    if (port->poll == NULL)
        return;
    (void)uv_poll_stop(port->poll);
    uv_close((uv_handle_t *)port->poll, free_handle);
    port->poll = NULL;
    if (!daemon->stopping)
        (void)uv_timer_start(&daemon->scan_timer, daemon->scan_timer.timer_cb, SCAN_AFTER_EVENT_MS, SCAN_MS);
}

void daemon_port_want_write(struct daemon *daemon, uint32_t slot, bool want)
{
    struct daemon_port *port = &daemon->ports[slot];

    if (port->poll != NULL)
        (void)uv_poll_start(port->poll, UV_READABLE | UV_DISCONNECT | (want ? UV_WRITABLE : 0), on_readable);
}

static void say_once(struct daemon_port *port, const char *error)
{
    if (strcmp(port->error, error) == 0)
        return;
    (void)snprintf(port->error, sizeof port->error, "%s", error);
    if (error[0] != '\0')
        log_line(LOG_WARNING, "%s", error);
}

static void open_port(struct daemon *daemon, uint32_t slot)
{
    struct daemon_port *port = &daemon->ports[slot];
    struct hal_line line;
    char error[LINE_ERROR_BYTES];
    int fd;

    port->daemon = daemon;
    port->slot = slot;
    if (line_open(box_slot_port(daemon->box, slot), &line, error, sizeof error) < 0) {
        say_once(port, error);
        return;
    }
    fd = line.ops->fd(line.line);
    port->poll = malloc(sizeof *port->poll);
    if (port->poll == NULL || fd < 0 || uv_poll_init(&daemon->loop, port->poll, fd) < 0) {
        free(port->poll);
        port->poll = NULL;
        line.ops->close(line.line);
        say_once(port, "a port was opened but cannot be watched: too many descriptors");
        return;
    }
    port->poll->data = port;
    port->error[0] = '\0';
    (void)uv_poll_start(port->poll, UV_READABLE | UV_DISCONNECT, on_readable);
    box_line_opened(daemon->box, slot, line, daemon_now());
}

static int find_slot(const struct daemon *daemon, const char *path)
{
    for (uint32_t i = 0; i < box_slot_count(daemon->box); i++)
        if (strcmp(box_slot_port(daemon->box, i), path) == 0)
            return (int)i;
    return -ENOENT;
}

/* The same device under two names, say /dev/ttyUSB0 and its by-path link. */
static bool device_is_open(const struct daemon *daemon, const char *path)
{
    struct stat wanted, other;

    if (stat(path, &wanted) < 0)
        return true;   /* just gone again */
    for (uint32_t i = 0; i < box_slot_count(daemon->box); i++)
        if (box_slot_open(daemon->box, i) && strcmp(box_slot_port(daemon->box, i), path) != 0 &&
            stat(box_slot_port(daemon->box, i), &other) == 0 && other.st_rdev == wanted.st_rdev)
            return true;
    return false;
}

static void scan_path(struct daemon *daemon, const struct config_bank *bank, const char *path)
{
    int found = find_slot(daemon, path);
    uint32_t slot = (uint32_t)found;

    if ((found >= 0 && box_slot_open(daemon->box, slot)) || device_is_open(daemon, path))
        return;
    if (found < 0) {
        int r = box_slot_add(daemon->box, bank->name, path, bank->pin[0] != '\0' ? bank->pin : NULL, &slot);

        if (r < 0) {
            log_line(LOG_ERROR, "%s is left out: %s", path, r == -ENOSPC ? "this box has no room for more modems" : strerror(-r));
            return;
        }
    }
    open_port(daemon, slot);
}

static size_t scan_pattern(struct daemon *daemon, const struct config_bank *bank, const char *pattern)
{
    struct port_glob found;
    int r = port_glob_expand(pattern, &found);

    if (r < 0) {
        log_line(LOG_ERROR, "[bank \"%s\"] ports: %s: %s", bank->name, pattern, strerror(-r));
        return 0;
    }
    for (size_t i = 0; i < found.count; i++)
        scan_path(daemon, bank, found.paths[i]);
    r = (int)found.count;
    port_glob_done(&found);
    return (size_t)r;
}

void daemon_ports_scan(struct daemon *daemon)
{
    size_t found = 0;

    for (size_t i = 0; i < daemon->config->bank_count; i++)
        for (size_t j = 0; j < daemon->config->banks[i].ports.count; j++)
            found += scan_pattern(daemon, &daemon->config->banks[i], daemon->config->banks[i].ports.items[j]);
    if (found == 0 && !daemon->no_ports_said)
        log_line(LOG_WARNING, "no modem: nothing matches the ports of %s; messages are accepted and wait. Plug one in, or mend 'ports'",
                 daemon->config_path);
    daemon->no_ports_said = found == 0;
}

static void on_scan(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;

    if (!daemon->stopping)
        daemon_ports_scan(daemon);
}

static void on_directory(uv_fs_event_t *watch, const char *name, int events, int status)
{
    struct daemon *daemon = watch->data;

    (void)name;
    (void)events;
    if (status == 0 && uv_timer_get_due_in(&daemon->scan_timer) > SCAN_AFTER_EVENT_MS)
        (void)uv_timer_start(&daemon->scan_timer, on_scan, SCAN_AFTER_EVENT_MS, SCAN_MS);
}

/* The part of a pattern before its first wildcard, up to the slash: the directory where ports appear. */
static void watch_pattern(struct daemon *daemon, const char *pattern)
{
    size_t length = strcspn(pattern, "*?[");
    char directory[CONFIG_PATH_MAX];

    while (length > 0 && pattern[length - 1] != '/')
        length--;
    if (length == 0 || length >= sizeof directory)
        return;
    memcpy(directory, pattern, length);
    directory[length] = '\0';
    for (size_t i = 0; i < daemon->watch_count; i++) {
        char other[CONFIG_PATH_MAX];
        size_t size = sizeof other;

        if (uv_fs_event_getpath(&daemon->watches[i], other, &size) == 0 && strcmp(other, directory) == 0)
            return;
    }
    (void)uv_fs_event_init(&daemon->loop, &daemon->watches[daemon->watch_count]);
    daemon->watches[daemon->watch_count].data = daemon;
    /* Where it does not exist yet the slow scan finds it. */
    (void)uv_fs_event_start(&daemon->watches[daemon->watch_count], on_directory, directory, 0);
    daemon->watch_count++;
}

void daemon_ports_start(struct daemon *daemon)
{
    size_t patterns = 0;

    (void)uv_timer_init(&daemon->loop, &daemon->scan_timer);
    daemon->scan_timer.data = daemon;
    for (size_t i = 0; i < daemon->config->bank_count; i++)
        patterns += daemon->config->banks[i].ports.count;
    daemon->watches = calloc(patterns + 1, sizeof *daemon->watches);
    for (size_t i = 0; i < daemon->config->bank_count && daemon->watches != NULL; i++)
        for (size_t j = 0; j < daemon->config->banks[i].ports.count; j++)
            watch_pattern(daemon, daemon->config->banks[i].ports.items[j]);
    (void)uv_timer_start(&daemon->scan_timer, on_scan, SCAN_MS, SCAN_MS);
    daemon_ports_scan(daemon);
}

/* The loop forgets the descriptors; box_free() closes the lines. Watches are freed with the loop's handles closed. */
void daemon_ports_done(struct daemon *daemon)
{
    for (uint32_t i = 0; daemon->box != NULL && i < box_slot_count(daemon->box); i++)
        daemon_port_closed(daemon, i);
}
