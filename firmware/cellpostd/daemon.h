/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon.h - cellpostd's loop: one thread that owns the box, with the store thread and the HTTP server beside it.
 *
 * All waiting is here: descriptors, timers, signals, and what the other threads hand over. No decision is. */
#ifndef CELLPOST_DAEMON_H
#define CELLPOST_DAEMON_H

#include "firmware/common/config.h"
#include "src/routing/routing.h"

/* Runs until SIGTERM or SIGINT. routing is what routing_load() made of config, and is taken. The exit status of the program; what went wrong was logged. */
int daemon_run(const char *config_path, struct config *config, struct routing *routing);

#endif
