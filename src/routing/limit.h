/* SPDX-License-Identifier: Apache-2.0
 *
 * limit.h - how much a SIM may send: the rules an operator sets, and whether they let a message go now.
 *
 * docs/limits.md says what each means. Minutes, hours and gaps are of real time; days and months are those of the rules'
 * zone. What was used is in use.h. A message goes by one SIM, so there has to be room for all its parts.
 * Money: millionths of the currency that prices are compared in. */
#ifndef CELLPOST_ROUTING_LIMIT_H
#define CELLPOST_ROUTING_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/zone.h"

#define LIMIT_HOURS_MAX 8
#define LIMIT_COUNT_MAX 1000000          /* parts or recipients */
#define LIMIT_PARK_DEFAULT_MS 3600000u
#define LIMIT_RESULTS 20                 /* of the last so many parts, failure_percent is the share */

enum limit_kind {
    LIMIT_NONE, LIMIT_ROAMING, LIMIT_PARKED, LIMIT_GAP, LIMIT_MINUTE, LIMIT_HOUR, LIMIT_DAY, LIMIT_MONTH, LIMIT_RECIPIENTS_DAY,
    LIMIT_RECIPIENTS_MONTH, LIMIT_HOURS, LIMIT_SPEND_DAY, LIMIT_SPEND_MONTH, LIMIT_KINDS
};

/* Minutes of the local day, until excluded; bit 0 of days is Monday. A range over midnight is two. */
struct limit_hours { uint16_t from_min, until_min; uint8_t days; };

/* All zero: no limit at all. */
struct limit_rules {
    uint32_t per_minute, per_hour, per_day, per_month;        /* parts */
    uint32_t recipients_per_day, recipients_per_month;        /* different ones */
    uint32_t gap_ms, jitter_ms;          /* between two parts at least gap_ms, and a random part of jitter_ms more */
    int64_t spend_per_day_micro, spend_per_month_micro;
    struct limit_hours hours[LIMIT_HOURS_MAX]; uint8_t hours_count;
    bool roaming_refused;
    uint8_t failure_percent;             /* from so many of the last LIMIT_RESULTS on the SIM is parked */
    uint32_t park_ms;                    /* 0: LIMIT_PARK_DEFAULT_MS */
    const struct zone *zone;             /* the caller's; NULL: UTC */
};

struct limit_now { uint64_t mono_ms; int64_t wall_ms; };

struct limit_answer {
    enum limit_kind kind;                /* LIMIT_NONE: it may go */
    bool never;                          /* the message does not fit the limit, however long it waits: take another SIM */
    uint64_t ask_mono_ms;                /* when to ask again; now if it may go; UINT64_MAX: time alone changes nothing */
};

struct limit_view {
    int64_t used, limit;                 /* limit 0: none, which is counted all the same */
    int64_t resets_at_ms;                /* wall clock; 0: not at one moment (minute and hour slide) */
    int64_t runs_out_at_ms;              /* wall clock, at the rate so far; 0: not before it resets, or it cannot be told */
};

/* The word of the configuration, "per_day"; "" for LIMIT_NONE. */
const char *limit_name(enum limit_kind kind);

/* -- words of the configuration: -EINVAL, and *ret_wrong says what is wrong as "is not a number" does --------------- */

/* 1 to LIMIT_COUNT_MAX. */
int limit_parse_count(const char *text, uint32_t *ret_count, const char **ret_wrong);
/* "2.50", above zero. */
int limit_parse_spend(const char *text, int64_t *ret_micro, const char **ret_wrong);
/* "50" or "50%": 1 to 100. */
int limit_parse_percent(const char *text, uint8_t *ret_percent, const char **ret_wrong);
/* "08:00-20:00 mon-fri, 09:00-12:00 sat"; without days every day; "22:00-06:00 fri" goes on until Saturday at 6. Fills
 * hours and hours_count of rules. */
int limit_parse_hours(const char *text, struct limit_rules *rules, const char **ret_wrong);

#endif
