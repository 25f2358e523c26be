/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/linux/line_serial.h"

#include "hal/linux/line_fd.h"

#include <errno.h>
#include <libserialport.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct line_serial { struct sp_port *port; int fd; };

static ssize_t serial_read(void *line, uint8_t *ret_buf, size_t size)
{
    /* Not sp_nonblocking_read(): it gives 0 for "nothing yet" and for "unplugged" alike. */
    return line_fd_read(((struct line_serial *)line)->fd, ret_buf, size);
}

static ssize_t serial_write(void *line, const uint8_t *buf, size_t length)
{
    return line_fd_write(((struct line_serial *)line)->fd, buf, length);
}

static int serial_fd(void *line)
{
    return ((struct line_serial *)line)->fd;
}

static int serial_power_cycle(void *line, uint32_t off_ms)
{
    (void)line;
    (void)off_ms;
    return -ENOTSUP;
}

static void serial_close(void *line)
{
    struct line_serial *serial = line;

    if (serial == NULL)
        return;
    if (serial->fd >= 0) {
        (void)tcflush(serial->fd, TCOFLUSH);   /* else close() may wait 30 s for a modem that takes nothing */
        (void)sp_close(serial->port);
    }
    sp_free_port(serial->port);
    free(serial);
}

static const struct hal_line_ops serial_ops = { serial_read, serial_write, serial_fd, serial_power_cycle, serial_close };

static int error_from(enum sp_return r)
{
    switch (r) {
    case SP_OK:
        return 0;
    case SP_ERR_ARG:
        return -EINVAL;
    case SP_ERR_MEM:
        return -ENOMEM;
    case SP_ERR_SUPP:
        return -ENOTSUP;
    case SP_ERR_FAIL:
        break;
    }
    return sp_last_error_code() > 0 ? -sp_last_error_code() : -EIO;
}

/* Many USB modems have no modem lines and say so with one of these; they work all the same. */
static int line_control(enum sp_return r)
{
    int error = error_from(r);

    return error == -EPIPE || error == -ENOTTY || error == -EINVAL || error == -ENOTSUP ? 0 : error;
}

static int configure(struct sp_port *port)
{
    int r = error_from(sp_set_baudrate(port, 115200));

    if (r == 0)
        r = error_from(sp_set_bits(port, 8));
    if (r == 0)
        r = error_from(sp_set_parity(port, SP_PARITY_NONE));
    if (r == 0)
        r = error_from(sp_set_stopbits(port, 1));
    if (r == 0)
        r = line_control(sp_set_flowcontrol(port, SP_FLOWCONTROL_NONE));
    if (r == 0)
        r = line_control(sp_set_dtr(port, SP_DTR_ON));
    if (r == 0)
        r = line_control(sp_set_rts(port, SP_RTS_ON));
    return r;
}

int line_serial_open(const char *path, struct hal_line *ret_line)
{
    struct line_serial *serial;
    struct stat st;
    int r;

    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISCHR(st.st_mode))
        return -ENOTTY;
    serial = malloc(sizeof *serial);
    if (serial == NULL)
        return -ENOMEM;
    *serial = (struct line_serial){ NULL, -1 };
    if (sp_get_port_by_name(path, &serial->port) != SP_OK) {
        r = -ENOTTY;
        goto fail;
    }
    r = error_from(sp_open(serial->port, SP_MODE_READ_WRITE));
    if (r < 0)
        goto fail;
    if (sp_get_port_handle(serial->port, &serial->fd) != SP_OK) {
        (void)sp_close(serial->port);
        serial->fd = -1;
        r = -EIO;
        goto fail;
    }
    r = configure(serial->port);
    /* libserialport leaves VMIN 0, where an unplugged port reads like a silent one. */
    if (r == 0)
        r = line_fd_make_raw(serial->fd);
    if (r < 0)
        goto fail;
    *ret_line = (struct hal_line){ &serial_ops, serial };
    return 0;
fail:
    serial_close(serial);
    return r;
}
