/* SPDX-License-Identifier: Apache-2.0
 *
 * server.h - a PostgreSQL server of one's own, for tests and benchmarks.
 *
 * It lives in a new folder below /tmp, belongs to an unprivileged user, and listens on a unix socket in that folder alone. It dies
 * with the thread that started it; the folder goes with postgres_server_free(). */
#ifndef CELLPOST_TESTS_POSTGRES_SERVER_H
#define CELLPOST_TESTS_POSTGRES_SERVER_H

#include <stdbool.h>

struct postgres_server;

/* durable: with fsync, as in the field; without, a test is done sooner. It runs and takes connections when this returns.
 * -ENOENT: PostgreSQL is not installed here; -EIO: it does not start, and what it said is on standard error. */
int postgres_server_new(bool durable, struct postgres_server **ret_server);
void postgres_server_free(struct postgres_server *server);   /* accepts NULL */

const char *postgres_server_address(const struct postgres_server *server);   /* postgresql://... */
int postgres_server_start(struct postgres_server *server);   /* again */
void postgres_server_stop(struct postgres_server *server, bool at_once);     /* at once: as if its machine had failed */

#endif
