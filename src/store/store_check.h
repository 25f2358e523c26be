/* SPDX-License-Identifier: Apache-2.0
 *
 * store_check.h - reads the whole database for damage, by a read-only connection of its own, beside whoever writes it.
 *
 * While it reads, the write-ahead log cannot begin anew and grows with what is written: whoever calls it has an eye on that. */
#ifndef CELLPOST_STORE_CHECK_H
#define CELLPOST_STORE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* read: asked after each read of so many bytes (and may take its time); false: it gives up. NULL: as fast as it can.
 * 0: sound. -EBADMSG damaged, -EIO it cannot be read: ret_error holds a sentence that names the file. -EAGAIN: given up as asked.
 * -EBUSY, -ENOMEM, -EACCES, -EPROTO: nothing is known. */
int store_check(const char *path, const char *vfs, bool (*read)(void *context, size_t bytes), void *context, char *ret_error,
                size_t error_size);

#endif
