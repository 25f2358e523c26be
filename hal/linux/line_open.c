/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/linux/line_open.h"

#include "hal/linux/line_pty.h"
#include "hal/linux/line_serial.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS_LOOKED_AT_MAX 20000   /* enough for any box this runs on; the search only makes an error text better */

/* Does process pid have target open? Counts what it looked at. */
static bool process_has_open(const char *pid, const char *target, unsigned *looked_at)
{
    char dir_path[64], link_path[PATH_MAX], to[PATH_MAX];
    bool found = false;
    struct dirent *entry;
    DIR *dir;

    (void)snprintf(dir_path, sizeof dir_path, "/proc/%.20s/fd", pid);
    dir = opendir(dir_path);
    if (dir == NULL)
        return false;
    while (!found && *looked_at < FDS_LOOKED_AT_MAX && (entry = readdir(dir)) != NULL) {
        ssize_t n;

        (*looked_at)++;
        (void)snprintf(link_path, sizeof link_path, "%s/%s", dir_path, entry->d_name);
        n = readlink(link_path, to, sizeof to - 1);
        if (n <= 0)
            continue;
        to[n] = '\0';
        found = strcmp(to, target) == 0;
    }
    (void)closedir(dir);
    return found;
}

/* "name (pid n)" of the first other process that has target open; "" if none is to be seen (other users' are not). */
static void find_holder(const char *target, char *ret_text, size_t size)
{
    char own[16], path[64], name[64];
    unsigned looked_at = 0;
    struct dirent *entry;
    DIR *proc = opendir("/proc");

    ret_text[0] = '\0';
    (void)snprintf(own, sizeof own, "%ld", (long)getpid());
    while (proc != NULL && looked_at < FDS_LOOKED_AT_MAX && (entry = readdir(proc)) != NULL) {
        FILE *file;

        if (!isdigit((unsigned char)entry->d_name[0]) || strcmp(entry->d_name, own) == 0 ||
            !process_has_open(entry->d_name, target, &looked_at))
            continue;
        (void)snprintf(path, sizeof path, "/proc/%.20s/comm", entry->d_name);
        file = fopen(path, "re");
        if (file == NULL || fgets(name, sizeof name, file) == NULL)
            (void)snprintf(name, sizeof name, "?");
        if (file != NULL)
            (void)fclose(file);
        name[strcspn(name, "\n")] = '\0';
        (void)snprintf(ret_text, size, "%s (pid %.20s)", name, entry->d_name);
        break;
    }
    if (proc != NULL)
        (void)closedir(proc);
}

static void explain_busy(const char *path, const char *target, char *ret_error, size_t size)
{
    char holder[128];

    find_holder(target, holder, sizeof holder);
    if (strncmp(holder, "ModemManager", 12) == 0)
        (void)snprintf(ret_error, size, "%s: in use by %s; stop it (systemctl disable --now ModemManager) or tell it to leave "
                                        "this port alone", path, holder);
    else if (holder[0] != '\0')
        (void)snprintf(ret_error, size, "%s: in use by %s; stop that program or give it another port", path, holder);
    else
        (void)snprintf(ret_error, size, "%s: in use by another program; find it with 'sudo fuser -v %s' and stop it", path, path);
}

static void explain_denied(const char *path, char *ret_error, size_t size)
{
    const struct group *group = NULL;
    struct stat st;

    if (stat(path, &st) == 0)
        group = getgrgid(st.st_gid);
    (void)snprintf(ret_error, size, "%s: permission denied; add the user to the group %s (sudo usermod -a -G %s USER) and start again",
                   path, group != NULL ? group->gr_name : "dialout", group != NULL ? group->gr_name : "dialout");
}

static void explain(int error, const char *path, const char *target, char *ret_error, size_t size)
{
    static const struct { int error; const char *what; } texts[] = {
        { ENOENT, "no such file; is the modem plugged in, and is the path right?" },
        { ENOTTY, "not a terminal or serial port; give the modem's port, like /dev/ttyUSB0" },
        { ENODEV, "the device is gone; plug the modem in again" },
        { ENXIO, "no device behind it; plug the modem in again" },
        { EIO, "the device does not answer; plug the modem in again" },
        { ELOOP, "the symbolic links go round in a circle; remove them" },
        { EMFILE, "too many open files; raise LimitNOFILE" },
        { ENOMEM, "not enough memory" },
    };

    if (error == EBUSY) {
        explain_busy(path, target, ret_error, size);
        return;
    }
    if (error == EACCES || error == EPERM) {
        explain_denied(path, ret_error, size);
        return;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].error == error) {
            (void)snprintf(ret_error, size, "%s: %s", path, texts[i].what);
            return;
        }
    (void)snprintf(ret_error, size, "%s: cannot open: %s", path, strerror(error));
}

int line_open(const char *path, struct hal_line *ret_line, char *ret_error, size_t error_size)
{
    char target[PATH_MAX];
    int r;

    if (realpath(path, target) == NULL) {
        r = -errno;
        explain(-r, path, path, ret_error, error_size);
        return r;
    }
    if (strncmp(target, "/dev/pts/", 9) == 0) {
        r = line_pty_open(target, ret_line);
    } else {
        r = line_serial_open(target, ret_line);
        if (r == -ENOTTY)
            r = line_pty_open(target, ret_line);
    }
    if (r < 0)
        explain(-r, path, target, ret_error, error_size);
    return r;
}
