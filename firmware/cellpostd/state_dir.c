/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpostd/state_dir.h"

#include "firmware/common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int busy(const char *path, int fd)
{
    char pid[16] = "";
    ssize_t n = read(fd, pid, sizeof pid - 1);

    pid[n > 0 ? n : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    log_line(LOG_ERROR, "%s is in use by another cellpostd%s%s: stop that one, or give this one a state_dir of its own", path,
             pid[0] != '\0' ? ", pid " : "", pid);
    (void)close(fd);
    return -EBUSY;
}

int state_dir_lock(const char *path)
{
    char file[512], pid[16];
    int fd, length;

    if (mkdir(path, 0700) < 0 && errno != EEXIST) {
        log_line(LOG_ERROR, "state_dir %s cannot be made: %s", path, strerror(errno));
        return -errno;
    }
    (void)snprintf(file, sizeof file, "%s/lock", path);
    fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        int r = -errno;

        log_line(LOG_ERROR, "%s: %s (cellpostd must be able to write in state_dir)", file, strerror(-r));
        return r;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return busy(path, fd);
    length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || write(fd, pid, (size_t)length) < 0)
        log_line(LOG_WARNING, "%s: %s", file, strerror(errno));   /* the lock holds all the same */
    return fd;
}

void state_dir_unlock(int lock)
{
    (void)close(lock);   /* the file stays: removing it would let two daemons lock two files */
}

#define DAMAGED "%s/damaged"

void state_dir_mark_damaged(const char *path)
{
    static const char text[] = "cellpost.db was found damaged: it is read from end to end before the next start. See the log.\n";
    char file[512];
    int fd;

    (void)snprintf(file, sizeof file, DAMAGED, path);
    fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, sizeof text - 1) < 0 || fsync(fd) < 0)
        log_line(LOG_WARNING, "%s: %s", file, strerror(errno));   /* the next start finds the damage anew, later */
    if (fd >= 0)
        (void)close(fd);
}

bool state_dir_is_marked_damaged(const char *path)
{
    char file[512];

    (void)snprintf(file, sizeof file, DAMAGED, path);
    return access(file, F_OK) == 0;
}

void state_dir_unmark_damaged(const char *path)
{
    char file[512];

    (void)snprintf(file, sizeof file, DAMAGED, path);
    if (unlink(file) < 0)
        log_line(LOG_WARNING, "%s: %s", file, strerror(errno));
}
