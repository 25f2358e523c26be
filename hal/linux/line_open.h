/* SPDX-License-Identifier: Apache-2.0
 *
 * line_open.h - opens whatever stands at a path as a line to a modem, and says in words what is wrong if it cannot. */
#ifndef CELLPOST_HAL_LINUX_LINE_OPEN_H
#define CELLPOST_HAL_LINUX_LINE_OPEN_H

#include "hal/line.h"

#define LINE_ERROR_BYTES 512             /* room for any text below */

/* A path that ends up in /dev/pts is a pty; anything else a serial port, or a plain tty where libserialport does not
 * know it. On error (negative errno as of the backend) ret_error is one sentence: the path, what is wrong, what to do;
 * *ret_line is not written. */
int line_open(const char *path, struct hal_line *ret_line, char *ret_error, size_t error_size);

#endif
