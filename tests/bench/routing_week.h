/* SPDX-License-Identifier: Apache-2.0
 *
 * routing_week.h - a week of traffic that a seed reproduces, the SIMs that may carry it, and what a policy pays for it.
 *
 * Time:  seconds since Monday 00:00 (week_s). Money: millionths. A class is all numbers of one network: they have the
 *        same prices on every SIM. What a period has left lasts to its end, and every period ends with the week at the
 *        latest: so all that is paid, and all that is saved, is paid and saved in the week. */
#ifndef CELLPOST_BENCH_ROUTING_WEEK_H
#define CELLPOST_BENCH_ROUTING_WEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAY_S 86400u
#define WEEK_S (7 * DAY_S)
#define WEEK_CLASSES 11
#define WEEK_SIMS 12
#define WEEK_BUNDLES_MAX 16
#define WEEK_PERIODS_MAX 7
#define WEEK_PARTS_MAX 4
#define WEEK_NO_BUNDLE UINT32_MAX

struct week_period { uint32_t from_s, until_s, parts; };

struct week_bundle {
    unsigned sim;
    uint32_t classes;                    /* a bit each */
    unsigned period_count;
    struct week_period periods[WEEK_PERIODS_MAX];
};

struct week_sim {
    const char *name;
    uint32_t part_ms;                    /* how long a part takes */
    uint32_t day_limit;                  /* parts a day; UINT32_MAX: none */
    int64_t price_micro[WEEK_CLASSES];   /* of a part outside of bundles; 0: on-net, and no bundle is used for it */
    uint32_t bundle_of[WEEK_CLASSES];    /* a network takes from it while it has parts left, asked or not */
};

struct week_world {
    struct week_sim sims[WEEK_SIMS];
    struct week_bundle bundles[WEEK_BUNDLES_MAX];
    unsigned bundle_count;
};

struct week_message { uint32_t at_s, deadline_s; uint8_t class, parts; };   /* deadline: its patience, or the end of the week */

struct week { struct week_message *messages; size_t count; uint64_t parts; };

struct week_scenario {
    const char *name;
    bool scarce;                         /* day limits, and bundles that run out */
    unsigned messages_a_day, parts_a_minute;
};

extern const char *const week_class_names[WEEK_CLASSES];

void week_world_make(struct week_world *world, const struct week_scenario *scenario, uint64_t seed);
void week_make(struct week *week, const struct week_scenario *scenario, uint64_t seed);
void week_done(struct week *week);
uint32_t week_period_of(const struct week_bundle *bundle, uint32_t now_s);   /* its index; UINT32_MAX between periods */

/* -- what a policy sees, and does ---------------------------------------------------------------------------------- */

struct week_queue { uint32_t *heap; size_t count; };   /* of one class: indices of messages, the earliest deadline first */

struct week_state {
    const struct week_world *world;
    const struct week_message *messages; /* those that were accepted; no policy looks ahead */
    uint64_t now_ms;
    struct week_queue queues[WEEK_CLASSES];
    uint64_t free_ms[WEEK_SIMS];         /* when the part on the air is over */
    uint32_t used_today[WEEK_SIMS];
    uint32_t left[WEEK_BUNDLES_MAX];     /* parts in this period */
    size_t waiting;                      /* messages */
};

const struct week_message *week_head(const struct week_state *state, unsigned class);   /* NULL: none waits */
/* False: its day has not enough parts left. Otherwise what the message costs on it now. */
bool week_quote(const struct week_state *state, unsigned sim, unsigned class, unsigned parts, int64_t *ret_micro);

/* The head of the class goes by the SIM, or the message with this index + 1 (0: the head); or when to ask again. */
struct week_choice { unsigned sim, class; uint32_t message; uint64_t again_ms; };

struct week_policy {
    const char *name;
    /* The weeks before may be learnt from. */
    void *(*begin)(const struct week_world *world, const struct week *past, unsigned past_count);
    void (*accepted)(void *policy, const struct week_state *state, const struct week_message *message);
    /* Asked until it says no, after every acceptance and whenever a SIM becomes free; and at again_ms, if that is earlier. */
    bool (*choose)(void *policy, const struct week_state *state, struct week_choice *ret_choice);
    void (*end)(void *policy);
};

struct week_result {
    uint64_t paid_micro;                 /* with what was not sent, at the dearest price there is for it */
    uint64_t sent, sent_parts, unsent;
    uint64_t late;                       /* began more than a minute after their patience */
    uint64_t late_max_s, wait_max_s;
    uint64_t violations;                 /* of day limits, bundles or throughput */
    double runtime_ms;
};

struct week_result week_run(const struct week_world *world, const struct week *week, const struct week *past, unsigned past_count,
                            const struct week_policy *policy);

extern const struct week_policy week_round_robin, week_random, week_preferred, week_chooser, week_untaught;

/* -- what could have been paid at best --------------------------------------------------------------------------- */

struct week_bound { double euros; uint64_t rows, columns; double runtime_ms; const char *solver; };

/* Lower than what any policy can pay whose messages are at most slack_s late. -ENOENT: no solver is installed. */
int week_bound(const struct week_world *world, const struct week *week, unsigned bucket_s, unsigned slack_s, struct week_bound *ret_bound);

#endif
