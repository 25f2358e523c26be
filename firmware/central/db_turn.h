/* SPDX-License-Identifier: Apache-2.0
 *
 * db_turn.h - one transaction at a time on one SQLite file, in the order in which the threads of this process came.
 *
 * SQLite has one writer, and lets others sleep and look again: that is slow, and whoever is late may be so for long. */
#ifndef CELLPOST_CENTRAL_DB_TURN_H
#define CELLPOST_CENTRAL_DB_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct db_turn;

/* The one of this path. *ret_first: nobody had it. Until db_turn_opened() no other thread gets one: the file is looked at, made and
 * brought up to date by one at a time. */
int db_turn_get(const char *path, struct db_turn **ret_turn, bool *ret_first);
void db_turn_opened(void);
void db_turn_put(struct db_turn *turn);      /* accepts NULL */

int db_turn_take(struct db_turn *turn, uint32_t timeout_ms);   /* -EAGAIN: the time is over */
void db_turn_pass(struct db_turn *turn);
unsigned db_turn_waiting(struct db_turn *turn);   /* how many wait for it now */

#endif
