/* SPDX-License-Identifier: Apache-2.0
 *
 * line_pty.h - hal/line.h over a tty that is opened as it is: a pty, or a serial port libserialport does not know. */
#ifndef CELLPOST_HAL_LINUX_LINE_PTY_H
#define CELLPOST_HAL_LINUX_LINE_PTY_H

#include "hal/line.h"

/* -ENOTTY: path is no tty; -EBUSY: somebody has it exclusively; -ENOMEM; else the errno of open(2). */
int line_pty_open(const char *path, struct hal_line *ret_line);

#endif
