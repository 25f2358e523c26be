/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/linux/line_pty.h"

#include "hal/linux/line_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct line_pty { int fd; };

static ssize_t pty_read(void *line, uint8_t *ret_buf, size_t size)
{
    return line_fd_read(((struct line_pty *)line)->fd, ret_buf, size);
}

static ssize_t pty_write(void *line, const uint8_t *buf, size_t length)
{
    return line_fd_write(((struct line_pty *)line)->fd, buf, length);
}

static int pty_fd(void *line)
{
    return ((struct line_pty *)line)->fd;
}

static int pty_power_cycle(void *line, uint32_t off_ms)
{
    (void)line;
    (void)off_ms;
    return -ENOTSUP;
}

static void pty_close(void *line)
{
    struct line_pty *pty = line;

    if (pty == NULL)
        return;
    if (pty->fd >= 0) {
        (void)tcflush(pty->fd, TCOFLUSH);   /* else close() may wait 30 s for a modem that takes nothing */
        (void)ioctl(pty->fd, TIOCNXCL);     /* on a pty the mark outlives the closing */
        (void)close(pty->fd);
    }
    free(pty);
}

static const struct hal_line_ops pty_ops = { pty_read, pty_write, pty_fd, pty_power_cycle, pty_close };

int line_pty_open(const char *path, struct hal_line *ret_line)
{
    struct line_pty *pty;
    struct stat st;
    int r;

    /* Looked at before it is opened: opening some devices does something. */
    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISCHR(st.st_mode))
        return -ENOTTY;
    pty = malloc(sizeof *pty);
    if (pty == NULL)
        return -ENOMEM;
    pty->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (pty->fd < 0) {
        r = -errno;
        free(pty);
        return r;
    }
    if (!isatty(pty->fd)) {
        (void)close(pty->fd);
        free(pty);
        return -ENOTTY;
    }
    r = ioctl(pty->fd, TIOCEXCL) < 0 ? -errno : line_fd_make_raw(pty->fd);
    if (r < 0) {
        pty_close(pty);
        return r;
    }
    *ret_line = (struct hal_line){ &pty_ops, pty };
    return 0;
}
