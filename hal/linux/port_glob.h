/* SPDX-License-Identifier: Apache-2.0
 *
 * port_glob.h - the ports a bank's patterns mean right now. */
#ifndef CELLPOST_HAL_LINUX_PORT_GLOB_H
#define CELLPOST_HAL_LINUX_PORT_GLOB_H

#include <stddef.h>

#define PORT_GLOB_PATHS_MAX 1024
#define PORT_GLOB_PATTERN_BYTES_MAX 4096

struct port_glob { char **paths; size_t count; };

/* patterns: shell patterns (glob(3)) between blanks or commas. The paths that exist, each once, in the order of their numbers
 * (ttyUSB2 before ttyUSB10). None is no error. -E2BIG: more than PORT_GLOB_PATHS_MAX, or patterns too long; -ENOMEM;
 * -EIO: a folder could not be read. */
int port_glob_expand(const char *patterns, struct port_glob *ret_glob);
void port_glob_done(struct port_glob *glob);   /* accepts an empty one and NULL */

#endif
