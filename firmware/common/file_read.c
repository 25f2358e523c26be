/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/common/file_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read_fd(int fd, char *buffer, size_t size, size_t *ret_length)
{
    size_t length = 0;

    while (length < size) {
        ssize_t n = read(fd, buffer + length, size - length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        length += (size_t)n;
    }
    *ret_length = length;
    return 0;
}

int file_read(const char *path, size_t max, char **ret_text, size_t *ret_length)
{
    struct stat status;
    char *text = NULL;
    size_t length = 0, room;
    /* Not blocking: a FIFO in the file's place must not hang the start. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;

    if (fd < 0)
        return -errno;
    r = fstat(fd, &status) < 0 ? -errno : S_ISDIR(status.st_mode) ? -EISDIR : !S_ISREG(status.st_mode) ? -EINVAL : 0;
    if (r == 0 && status.st_size > (off_t)max)
        r = -EFBIG;
    if (r < 0)
        goto out;
    room = (size_t)status.st_size + 1;   /* one octet more than it had, so that one sees it grow */
    text = malloc(room + 1);
    r = text ? file_read_fd(fd, text, room, &length) : -ENOMEM;
    if (r == 0 && length == room)
        r = -EAGAIN;
    if (r < 0)
        goto out;
    text[length] = '\0';
    *ret_text = text;
    *ret_length = length;
    text = NULL;
out:
    free(text);
    (void)close(fd);
    return r;
}
