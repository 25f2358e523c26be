/* SPDX-License-Identifier: Apache-2.0
 *
 * ca_files.h - the few small files of the state folder: keys and certificates, each there whole or not at all.
 *
 * Files are made with mode 0600, folders with 0700. What is written is on the disk when the call returns.
 * Errors:    0 or a negative errno. */
#ifndef CELLPOST_CENTRAL_CA_FILES_H
#define CELLPOST_CENTRAL_CA_FILES_H

#include <stdbool.h>
#include <stddef.h>

#define CA_FILE_OCTETS_MAX 65536

/* Makes the folder if it is missing, and waits until no other process makes or renews something in it. The lock is released by
 * closing the descriptor. */
int ca_folder_lock(const char *path, int *ret_fd);

/* -ENOENT; -EFBIG; -EPERM: it is a secret, and others than its owner may read it. malloc'ed, with a NUL behind it. */
int ca_file_read(const char *folder, const char *name, bool secret, char **ret_text);
void ca_text_free(char *text);               /* wipes it; accepts NULL */

/* In place of one that may be there. */
int ca_file_write(const char *folder, const char *name, const char *text);

/* A folder with all of these files at once: `name` is there with all of them, or it is not there. -EEXIST: it was there. */
struct ca_file { const char *name, *text; };
int ca_folder_make(const char *parent, const char *name, const struct ca_file *files, size_t count);
bool ca_folder_is_there(const char *parent, const char *name);

#endif
