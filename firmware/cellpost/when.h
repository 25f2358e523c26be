/* SPDX-License-Identifier: Apache-2.0
 *
 * when.h - times and durations as people write them, and back.
 *
 * Times are wall clock milliseconds since 1970 UTC. Local means the zone of the caller (TZ). No clock is read here.
 * Errors: -EINVAL: cannot be read; -ERANGE: no such day or hour, or out of bounds. */
#ifndef CELLPOST_CLI_WHEN_H
#define CELLPOST_CLI_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define DURATION_S_MAX (100LL * 366 * 86400)

/* "90" (seconds), "30s", "15m", "24h", "7d", "2w", "1h30m": each unit at most once, the largest first. */
int duration_parse(const char *text, int64_t *ret_s);

/* Which one is meant by a time that comes every day, and by a duration: --at looks ahead, --since back. */
enum when_sense { WHEN_NEXT, WHEN_LAST };

/* "2026-03-01T08:00:00.250+02:00" or Z; "2026-03-01 08:00[:00]", "2026-03-01" (midnight), "08:00[:00]": local, or UTC with
 * utc; "@1767225600" (Unix seconds); "+2h" or "2h": that much ahead, with WHEN_LAST "2h" or "-2h": that much ago; "now". */
int when_parse(const char *text, enum when_sense sense, int64_t now_ms, bool utc, int64_t *ret_ms);

#define WHEN_TEXT_MAX 40
/* "2026-03-01 08:00:00", with utc "2026-03-01 08:00:00Z"; "-" for 0. */
void when_format(int64_t ms, bool utc, char ret_text[WHEN_TEXT_MAX]);
/* "2026-03-01T06:00:00.000Z": what the API reads. */
void when_format_rfc3339(int64_t ms, char ret_text[WHEN_TEXT_MAX]);
/* "3d 4h", "12m 5s", "8s". */
void duration_format(int64_t ms, char ret_text[WHEN_TEXT_MAX]);

#endif
