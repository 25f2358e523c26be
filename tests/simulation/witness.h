/* SPDX-License-Identifier: Apache-2.0
 *
 * witness.h - who knows the truth: what clients asked and were promised, what was really on the air, what the box decided
 * at the border to its store. It sees nothing of the box's inside.
 *
 * A part on the air is recognised by recipient and text: no two parts of any messages have both in common. */
#ifndef CELLPOST_SIMULATION_WITNESS_H
#define CELLPOST_SIMULATION_WITNESS_H

#include "hal/sim/sim_modem.h"
#include "src/store/store.h"

struct simulation;

enum report_truth { REPORT_TRUTH_NONE = 0, REPORT_TRUTH_DELIVERED = 1, REPORT_TRUTH_FAILED = 2 };

struct witness_part {
    uint32_t message;
    uint16_t number;                     /* 0-based */
    uint16_t on_air;                     /* how often the network took it */
    uint8_t reports;                     /* enum report_truth, ored: finals that a modem got about it */
    uint8_t mr;
    uint32_t card;
    int ref;                             /* of the last one, as mr and card */
    uint64_t air_us;
};

struct witness_message {
    uint32_t first_part;
    uint16_t parts;
    uint8_t priority;
    bool report;
    bool promised;                       /* an answer said: accepted */
    bool cancelled;                      /* an answer said so */
    bool ready, asked;                   /* waits for a modem, as far as the store's answers tell; its intent is under way */
    bool settled;                        /* sent, or at an end */
    uint8_t may_repeat;                  /* how often its owner, or its policy, allows more than once */
    int64_t id;                          /* 0: not known yet */
    int64_t due_ms, expire_ms;           /* by the box's clock */
    uint64_t created_us, asked_us;       /* when its client wrote it; when it was asked for last before it was promised */
    uint64_t created_boot_us, boot_us;   /* in which run of the machine that was, each */
    int64_t span_ms;                     /* how long it may take; a release gives it as much again */
    uint64_t ready_us, cancelled_us;
    uint32_t avoid_sim_id;               /* by which its last try failed: it may wait for another one */
    uint64_t key;                        /* of recipient and whole text */
    char to[MESSAGE_TO_MAX];
    int state;                           /* what the verdict found; 0: no row */
};

struct witness_attempt { uint32_t message, part, modem; uint64_t intent_us; };

struct witness_heap { int64_t *ids; uint32_t count, size; };

struct witness_map { uint64_t *keys; uint32_t *values; uint32_t count, size; };   /* key 0: free */

struct witness {
    struct witness_message *messages;
    uint32_t message_count, message_size;
    struct witness_part *parts;
    uint32_t part_count, part_size;
    struct witness_map by_part, by_text, by_report, by_reference, by_incoming;
    uint32_t *by_id;                     /* message + 1 */
    uint32_t by_id_size;
    struct witness_attempt *attempts;    /* by attempt id */
    uint32_t attempt_size;
    struct witness_heap ready[MESSAGE_PRIORITY_MAX + 1];
    uint64_t unsettled_us;               /* when something last moved */
    uint32_t open;                       /* messages not settled, about: counted anew at each start of the box */
};

uint64_t witness_key(const char *number, const char *text, size_t length);
/* true: there; *ret_value. */
bool witness_map_find(const struct witness_map *map, uint64_t key, uint32_t *ret_value);
void witness_map_put(struct witness_map *map, uint64_t key, uint32_t value);

void witness_init(struct simulation *sim);
void witness_done(struct simulation *sim);

/* NULL: nobody knows that id yet. */
struct witness_message *witness_message_by_id(struct simulation *sim, int64_t id);

/* A client has written a message with these cuts; returns its index. */
uint32_t witness_message_new(struct simulation *sim, const struct accept_message *message);
/* The same request once more: no answer came. */
void witness_asks_again(struct simulation *sim, uint32_t message, const struct accept_message *again);
void witness_promised(struct simulation *sim, uint32_t message, int64_t id);
void witness_cancelled(struct simulation *sim, uint32_t message);
void witness_releases(struct simulation *sim, uint32_t message);   /* its owner asks for it to be sent again */

void witness_sim_event(struct simulation *sim, const struct sim_event *event);
/* At the border to the store: asked, and answered (after a commit that went well). */
void witness_change_asked(struct simulation *sim, const struct store_change *change);
void witness_change_committed(struct simulation *sim, const struct store_change *change);
void witness_host_down(struct simulation *sim);

/* False: reports of this world may go to other parts, and it is nobody's fault. */
bool witness_reports_are_clear(const struct simulation *sim);

bool witness_parts_are_alike(const struct witness_part *a, const struct witness_part *b);

uint32_t witness_backlog(const struct simulation *sim);

/* verdict.c: the database as it is on the disk, against all this. */
void verdict(struct simulation *sim);
bool verdict_is_ready(struct simulation *sim, int64_t id);   /* its row says that it waits for a modem */
/* Rows that are not settled yet: messages neither sent nor at an end. */
int64_t verdict_unsettled(struct simulation *sim);

#endif
