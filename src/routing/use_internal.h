/* SPDX-License-Identifier: Apache-2.0
 *
 * use_internal.h - what use*.c and limit_check.c share.
 *
 * Time: "real" milliseconds are the use's own count: they go on with the monotonic clock and, from one run of the machine
 * to the next, by what the wall clock says has passed, never backwards. Ages of all kinds are in them.
 *
 * A day or month has runs: what was used under one label of the wall clock. While the wall clock is believed there is one.
 * When it was set, runs of other labels stay until nothing in them can be of the current period any more. */
#ifndef CELLPOST_ROUTING_USE_INTERNAL_H
#define CELLPOST_ROUTING_USE_INTERNAL_H

#include "src/routing/use.h"

#define USE_STEP_MS 60000                /* a wall clock that moved less against the monotonic one was not set */
#define USE_DOUBT_MS (24 * INT64_C(3600000))          /* that long after it was set, a clock is believed again */
#define USE_DAY_MS (25 * INT64_C(3600000))            /* the longest day: clocks went back an hour */
#define USE_MONTH_MS ((31 * 24 + 1) * INT64_C(3600000))
#define USE_RUNS_MAX 6
#define USE_SLIDE_MAX 18                 /* 15 grains of a window, and those at its ends */
#define USE_HISTORY_DAYS 7
#define USE_NO_LABEL INT32_MIN
#define USE_NEVER_MS (INT64_MIN / 2)      /* the last take of a run that has none */
#define USE_TIME_MS_MAX (INT64_C(1) << 47)   /* of the wall clock: the year 6429 */

struct use_run {
    int32_t label;
    uint32_t parts, unlisted;            /* unlisted: recipients that there was no room for */
    int64_t spend_micro, last_ms;        /* last_ms: the last take, real */
};

struct use_period {
    struct use_run runs[USE_RUNS_MAX];   /* the first is the current one, which may be empty */
    uint32_t count;
    bool everyone;                       /* runs were put together: all recipients that are known count */
    uint32_t recipients;                 /* different ones in all runs, where counted */
    int64_t begin_ms, next_ms;           /* of the current label, wall clock */
    int64_t begin_real_ms;               /* the same, real; where the clock is believed */
    int64_t kept_ms;                     /* how long a run counts while the clock is in doubt */
};

/* Takes of a sliding window, oldest first; those that began less than a grain apart are one. */
struct use_slide_entry { int64_t first_ms, last_ms; uint32_t parts; };
struct use_slide { struct use_slide_entry entries[USE_SLIDE_MAX]; uint32_t count, parts; int64_t window_ms; };

struct use_recipient { uint64_t key; int32_t day, month; uint32_t takes; };   /* takes: under that day, not given back */

struct use_bundle { uint32_t id; int32_t label; int64_t used, used_since; };  /* used_since: since the label changed in doubt */

struct use_history { uint32_t parts; int64_t spend_micro; };

struct use {
    /* What limit_check() looks at when nothing binds, or one thing does for everyone. */
    const struct limit_rules *rules;
    int64_t ahead_ms;                    /* wall minus monotonic, when it was set last */
    uint64_t free_until_ms, blocked_until_ms;    /* monotonic */
    int64_t free_micro, fits_micro;
    uint32_t free_parts, fits_parts;
    bool free_recipients, free_roaming;
    struct limit_answer blocked;

    struct limit_now seen;               /* the last one */
    int64_t boot, shift_ms;              /* real minus monotonic */
    int64_t error_ms;                    /* while in doubt: by how much the clock was seen set, all steps together */
    int64_t doubt_until_ms, gap_until_ms, parked_until_ms, last_take_ms;   /* real */
    uint32_t zone_print, results;        /* results: a bit each, the last one lowest; 1 failed */
    struct use_period day, month;
    struct use_slide minute, hour;
    struct use_history history[USE_HISTORY_DAYS + 1]; int32_t history_day;   /* the first is of history_day */
    struct use_bundle bundles[USE_BUNDLES_MAX]; uint32_t bundle_count;

    struct use_recipient *recipients;    /* open addressing; a key of 0 is free */
    uint32_t recipient_count, recipient_slots;
    bool step_unsaved;                   /* the clock was set since the last text */
    bool trusted;                        /* the periods' begin_real_ms are right */
    bool recipients_counted;             /* .recipients of the periods are right */
    bool recipients_lost;                /* one could not be kept: everyone counts as new */
};

static inline int64_t use_real_ms(const struct use *use)
{
    return (int64_t)use->seen.mono_ms + use->shift_ms;
}

static inline bool use_in_doubt(const struct use *use)
{
    return use_real_ms(use) < use->doubt_until_ms;
}

static inline void use_forget_answers(struct use *use)
{
    use->free_until_ms = use->blocked_until_ms = 0;
}

/* Moves on to now: sees whether the clock was set, and ends what is over. */
void use_move(struct use *use, const struct limit_rules *rules, struct limit_now now);
uint64_t use_period_parts(const struct use_period *period);
int64_t use_period_spend_micro(const struct use_period *period);
bool use_period_has(const struct use_period *period, int32_t label);

void use_slide_end(struct use_slide *slide, int64_t real_ms);
/* When so many parts will have left the window, or more; real_ms if they have. */
int64_t use_slide_room_ms(const struct use_slide *slide, uint32_t parts, int64_t real_ms);

struct use_recipient *use_recipient_find(const struct use *use, uint64_t key);
/* NULL: no memory, or no room. */
struct use_recipient *use_recipient_insert(struct use *use, uint64_t key);
void use_recipient_forget_day(struct use *use, int32_t day);
void use_recipient_forget_month(struct use *use, int32_t month);
void use_recipient_count(struct use *use);   /* unless that is done */

int use_parse(struct use *use, const char *text, struct limit_now *ret_saved, int64_t *ret_boot);

#endif
