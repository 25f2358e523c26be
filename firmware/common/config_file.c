/* SPDX-License-Identifier: Apache-2.0
 *
 * config_file.c - the one place where the configuration is a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/common/config_parser.h"
#include "firmware/common/file_read.h"

static bool holds_pins(const struct config *config)
{
    for (size_t i = 0; i < config->bank_count; i++)
        if (*config->banks[i].pin)
            return true;
    for (size_t i = 0; i < config->sim_count; i++)
        if (*config->sims[i].pin)
            return true;
    return false;
}

int config_load(const char *path, struct config *ret_config, struct config_errors *errors)
{
    size_t size = CONFIG_BYTES_MAX + 1, length = 0;
    char *buffer = NULL;
    struct stat status;
    int fd, r;

    memset(errors, 0, sizeof *errors);
    /* Not blocking: a FIFO in the file's place must not hang the start. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) < 0) {
        r = -errno;
        goto out;
    }
    r = S_ISDIR(status.st_mode) ? -EISDIR : 0;
    if (r < 0)
        goto out;
    buffer = malloc(size);
    /* One octet more than allowed, so that config_parse() sees what is too large. */
    r = buffer ? file_read_fd(fd, buffer, size, &length) : -ENOMEM;
    if (r < 0)
        goto out;
    r = config_parse(path, buffer, length, ret_config, errors);
    if (r == 0 && (status.st_mode & S_IROTH) != 0 && holds_pins(ret_config))
        config_note(&errors->warnings, path, 0, NULL, NULL,
                    "every user of this machine may read the PINs in it (chmod o-r it)");
out:
    if (r < 0 && errors->errors.count == 0)
        config_note(&errors->errors, path, 0, NULL, NULL, "cannot be read: %s", strerror(-r));
    if (buffer)
        explicit_bzero(buffer, size);
    free(buffer);
    if (fd >= 0)
        (void)close(fd);
    return r;
}
