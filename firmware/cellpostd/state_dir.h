/* SPDX-License-Identifier: Apache-2.0
 *
 * state_dir.h - one daemon per state directory. */
#ifndef CELLPOST_STATE_DIR_H
#define CELLPOST_STATE_DIR_H

/* Makes the directory where it is missing (0700) and locks it. A descriptor, or a negative errno; then it was logged. */
int state_dir_lock(const char *path);
void state_dir_unlock(int lock);

#endif
