/* SPDX-License-Identifier: Apache-2.0
 *
 * file_read.h - files that are read whole. */
#ifndef CELLPOST_FIRMWARE_FILE_READ_H
#define CELLPOST_FIRMWARE_FILE_READ_H

#include <stddef.h>

/* Reads up to max octets, as a string with a NUL behind it, malloc'ed. -EFBIG: it is larger; -EISDIR, -EINVAL: no regular
 * file; -EAGAIN: it grew meanwhile; or why it cannot be read. */
int file_read(const char *path, size_t max, char **ret_text, size_t *ret_length);
/* Up to size octets from where fd is. */
int file_read_fd(int fd, char *buffer, size_t size, size_t *ret_length);

#endif
