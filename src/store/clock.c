/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.c - the wall clock was set: what waits keeps the time it had left.
 *
 * Times are kept by the wall clock, so that they survive a restart. A box without a battery starts in the past and is set
 * when the network answers; a person or a GPS sets others. What was accepted, or released by a person, since the machine booted
 * moves with the clock: its time is measured by what has really passed. What is older goes by a clock nobody can compare with
 * this one, and stays; only a time stamp from before this program existed is known to be wrong.
 * message.clock_run: the run of the machine's clock in which its times were set. message.moved_ms: how far expire_ms is from
 * where it was at first, so that what a person releases gets as long as it had then. */
#include "src/store/schema.h"
#include "src/store/store_internal.h"

#define CLOCK_FLOOR_MS INT64_C(1767225600000)   /* 2026-01-01 */

enum { CLOCK_AHEAD, CLOCK_BOOT, CLOCK_RUN };   /* rows of COUNTER_CLOCK */

static int64_t clock_read(struct store *store, int id)
{
    return sql_number(&store->sql, "SELECT n FROM counter WHERE kind = ?1 AND id = ?2", 0, SQL_ARGS(sql_int(COUNTER_CLOCK), sql_int(id)));
}

int64_t clock_run(struct store *store)
{
    return clock_read(store, CLOCK_RUN);
}

static void clock_write(struct store *store, int id, int64_t n)
{
    sql_run(&store->sql, "INSERT INTO counter(kind, id, n) VALUES(?1, ?2, ?3) ON CONFLICT(kind, id) DO UPDATE SET n = ?3",
            SQL_ARGS(sql_int(COUNTER_CLOCK), sql_int(id), sql_int(n)));
}

/* A scheduled message goes at the time that was named, so its end stays too. */
static void clock_shift(struct store *store, int64_t step_ms)
{
    struct sql *sql = &store->sql;

    sql_run(sql, "UPDATE message INDEXED BY message_state SET moved_ms = moved_ms + ?1, expire_ms = CASE WHEN expire_ms > 0 THEN expire_ms + ?1 ELSE 0 END,"
                 " doubt_ms = CASE WHEN doubt_ms > 0 THEN doubt_ms + ?1 ELSE 0 END,"
                 " ready_ms = CASE WHEN state = 2 AND ready_ms > 0 THEN max(ready_ms + ?1, 1) ELSE ready_ms END"
                 " WHERE state IN (2, 3, 10, 13) AND state NOT IN (4, 5) AND (clock_run = ?2 OR accepted_ms < ?3)",
            SQL_ARGS(sql_int(step_ms), sql_int(clock_run(store)), sql_int(CLOCK_FLOOR_MS)));
    sql_run(sql, "UPDATE inbox_part SET received_ms = received_ms + ?1 WHERE inbox_id IS NULL", SQL_ARGS(sql_int(step_ms)));
}

/* The step is taken from what is written, so that a second try of the same change shifts nothing twice. */
int clock_apply(struct store *store, struct store_change *change)
{
    struct change_clock *clock = &change->u.clock;

    clock->step_ms = 0;
    store->clock_ahead_ms = clock->ahead_ms;
    store->clock_boot = clock->boot;
    if (clock->starts && (clock->boot == 0 || clock->boot != clock_read(store, CLOCK_BOOT))) {
        clock_write(store, CLOCK_BOOT, clock->boot);
        clock_write(store, CLOCK_RUN, clock_run(store) + 1);
    } else {
        clock->step_ms = clock->ahead_ms - clock_read(store, CLOCK_AHEAD);
    }
    if (clock->step_ms != 0)
        clock_shift(store, clock->step_ms);
    clock_write(store, CLOCK_AHEAD, clock->ahead_ms);
    return store->sql.failed;
}
