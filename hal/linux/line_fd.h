/* SPDX-License-Identifier: Apache-2.0
 *
 * line_fd.h - what the tty backends of hal/line.h share: reading and writing a non-blocking file descriptor. */
#ifndef CELLPOST_HAL_LINUX_LINE_FD_H
#define CELLPOST_HAL_LINUX_LINE_FD_H

#include "hal/line.h"

/* fd: a tty in raw mode with VMIN 1, O_NONBLOCK: then "nothing yet" (EAGAIN) and "hung up" (0) are told apart. */
ssize_t line_fd_read(int fd, uint8_t *ret_buf, size_t size);
ssize_t line_fd_write(int fd, const uint8_t *buf, size_t length);

/* Raw, 8 bits, CLOCAL, no HUPCL, VMIN 1; the speed stays what it is. */
int line_fd_make_raw(int fd);

#endif
