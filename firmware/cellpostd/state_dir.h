/* SPDX-License-Identifier: Apache-2.0
 *
 * state_dir.h - one daemon per state directory. */
#ifndef CELLPOST_STATE_DIR_H
#define CELLPOST_STATE_DIR_H

#include <stdbool.h>

/* Makes the directory where it is missing (0700) and locks it. A descriptor, or a negative errno; then it was logged. */
int state_dir_lock(const char *path);
void state_dir_unlock(int lock);

/* Damage that was found beside the work is remembered in a file, so that the next start looks before it sends anything. */
void state_dir_mark_damaged(const char *path);
bool state_dir_is_marked_damaged(const char *path);
void state_dir_unmark_damaged(const char *path);

#endif
