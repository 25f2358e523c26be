/* SPDX-License-Identifier: Apache-2.0
 *
 * line_serial.h - hal/line.h over a serial port, with libserialport: 115200 8N1, no flow control, DTR and RTS on. */
#ifndef CELLPOST_HAL_LINUX_LINE_SERIAL_H
#define CELLPOST_HAL_LINUX_LINE_SERIAL_H

#include "hal/line.h"

/* -ENOTTY: libserialport does not take path for a serial port (a pty, for one); -EBUSY: somebody has it exclusively;
 * -ENOMEM; else the errno of what failed. */
int line_serial_open(const char *path, struct hal_line *ret_line);

#endif
