/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/linux/line_fd.h"

#include <errno.h>
#include <termios.h>
#include <unistd.h>

/* How a tty says that its device or other end is gone. */
static int gone(int error)
{
    return error == EIO || error == ENXIO || error == ENODEV || error == EBADF || error == EPIPE;
}

ssize_t line_fd_read(int fd, uint8_t *ret_buf, size_t size)
{
    ssize_t n;

    if (size == 0)
        return 0;
    do
        n = read(fd, ret_buf, size);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return n;
    if (n == 0 || gone(errno))
        return -ENODEV;
    return errno == EAGAIN ? 0 : -errno;
}

ssize_t line_fd_write(int fd, const uint8_t *buf, size_t length)
{
    ssize_t n;

    do
        n = write(fd, buf, length);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    if (gone(errno))
        return -ENODEV;
    return errno == EAGAIN ? 0 : -errno;
}

int line_fd_make_raw(int fd)
{
    struct termios term;

    if (tcgetattr(fd, &term) < 0)
        return -errno;
    cfmakeraw(&term);
    /* A carrier that comes and goes is no hang-up, and closing must not drop DTR: some modems reset on it. */
    term.c_cflag |= CLOCAL | CREAD;
    term.c_cflag &= ~(tcflag_t)(HUPCL | CRTSCTS);
    term.c_cc[VMIN] = 1;
    term.c_cc[VTIME] = 0;
    return tcsetattr(fd, TCSANOW, &term) < 0 ? -errno : 0;
}
