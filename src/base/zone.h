/* SPDX-License-Identifier: Apache-2.0
 *
 * zone.h - time zones, and the days, weeks and months of a place.
 *
 * A zone is read from the octets of a TZif file (RFC 8536, versions 1 to 3, with the rule at its end for the times behind
 * its last transition), or from a word: "UTC" or a fixed offset as "+02:00". It never changes once it is read; any number of
 * threads may look at it. Where a zone may be NULL, that is UTC. Days are since 1970-01-01; seconds and milliseconds are of
 * UTC since then; those beyond the years -9999 to 9999 are taken for the last moment within. */
#ifndef CELLPOST_BASE_ZONE_H
#define CELLPOST_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#define ZONE_FILE_MAX 65536              /* the largest of the database has some 4 KiB */

struct zone;

/* -EINVAL: no TZif file, or one that breaks its format; -ENOMEM. Either way *ret_zone is as it was. */
int zone_parse(const uint8_t *bytes, size_t size, struct zone **ret_zone);
/* "UTC", "+02:00", "-03:30". -EINVAL: another word, maybe the name of a file; -ENOMEM. */
int zone_from_word(const char *word, struct zone **ret_zone);
void zone_free(struct zone *zone);       /* accepts NULL */

/* What is added to UTC then, in seconds. */
int32_t zone_offset_s(const struct zone *zone, int64_t utc_s);
/* The same for two zones is the same rules, all but surely. Never 0. */
uint32_t zone_fingerprint(const struct zone *zone);

enum zone_period_kind { ZONE_DAY, ZONE_WEEK, ZONE_MONTH };   /* as enum tariff_period counts them */

/* Begins at the first moment of its first day and ends where the next one begins; a day may have 23 or 25 hours. */
struct zone_period {
    int32_t label;                       /* the local number of its first day */
    int64_t begin_ms, next_ms;
};

/* The period around a moment. reset_day: of a week 1 Monday to 7; of a month 1 to 31, or its last day where it has fewer;
 * of a day it is ignored. */
struct zone_period zone_period(const struct zone *zone, enum zone_period_kind kind, unsigned reset_day, int64_t utc_ms);

/* The first moment at which the clocks of the place show that many minutes of that day or, where those are left out, later. */
int64_t zone_moment_ms(const struct zone *zone, int32_t day, unsigned minute);

#endif
