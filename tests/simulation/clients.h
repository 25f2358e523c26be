/* SPDX-License-Identifier: Apache-2.0
 *
 * clients.h - who uses the API: requests with idempotency keys, repeated until they are answered; cancels. */
#ifndef CELLPOST_SIMULATION_CLIENTS_H
#define CELLPOST_SIMULATION_CLIENTS_H

#include "hal/sim/sim_random.h"
#include "src/store/store.h"

#define CLIENTS_MAX 16
#define RECIPIENTS_MAX 40

struct simulation;

enum client_word { WORD_NONE, WORD_CANCEL, WORD_RELEASE, WORD_DROP };
enum client_state { CLIENT_THINKS, CLIENT_WANTS, CLIENT_WAITS };

struct client {
    struct simulation *sim;
    uint32_t index, request;             /* request: running number, the key */
    enum client_state state;
    uint64_t due_us;                     /* THINKS, WANTS: then it acts; WAITS: then it gives up the connection */
    uint32_t first, count;               /* messages of the request, in the witness */
    bool keyed;                          /* with an idempotency key: it may repeat */
    bool answered;                       /* before: now it repeats for no reason */
    uint32_t connection;                 /* answers of earlier ones reach nobody */
    struct { enum client_word kind; uint32_t message; uint64_t due_us; } word;   /* on a message; WORD_NONE: nothing to say */
};

struct clients {
    struct sim_random random;
    struct client of[CLIENTS_MAX];
    uint32_t count;
    uint64_t think_us;
    uint32_t batch_max, backlog_max, long_percent, schedule_percent, short_percent, cancel_percent, twice_percent, decide_percent;
    char recipients[RECIPIENTS_MAX][MESSAGE_TO_MAX];
    uint32_t recipient_count;
};

void clients_init(struct simulation *sim);
uint64_t clients_deadline(const struct simulation *sim);
void clients_turn(struct simulation *sim);
/* box_ops.answer */
void clients_answer(struct simulation *sim, struct store_change *change);
/* A message became unknown: its owner may have a word on it. */
void clients_doubt(struct simulation *sim, uint32_t message);
void clients_host_down(struct simulation *sim);
/* Nobody waits for an answer any more. */
bool clients_idle(const struct simulation *sim);

#endif
