/* SPDX-License-Identifier: Apache-2.0
 *
 * line.h - a byte line to a modem: a serial port, a pty, the simulated modem. Nothing above it can tell which.
 *
 * Non-blocking throughout. Ownership: open() functions of the backends give a line, close() ends it. */
#ifndef CELLPOST_HAL_LINE_H
#define CELLPOST_HAL_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct hal_line_ops {
    ssize_t (*read)(void *line, uint8_t *ret_buf, size_t size);     /* 0: none yet, -ENODEV: gone */
    ssize_t (*write)(void *line, const uint8_t *buf, size_t len);   /* may take fewer than len; 0: full; -ENODEV: gone */
    int (*fd)(void *line);                                          /* for the loop; -ENOTSUP without one */
    int (*power_cycle)(void *line, uint32_t off_ms);                /* -ENOTSUP without a rail */
    void (*close)(void *line);                                      /* accepts a half-open line and NULL */
};

struct hal_line { const struct hal_line_ops *ops; void *line; };

#endif
