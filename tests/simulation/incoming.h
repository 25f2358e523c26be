/* SPDX-License-Identifier: Apache-2.0
 *
 * incoming.h - messages from outside to the cards of the bank: in parts, out of order, twice, many at a time. */
#ifndef CELLPOST_SIMULATION_INCOMING_H
#define CELLPOST_SIMULATION_INCOMING_H

#include "hal/sim/sim_modem.h"
#include "hal/sim/sim_pdu.h"
#include "hal/sim/sim_random.h"

#define INCOMING_CONFIRMATION "No more from us"      /* what a STOP is answered with */

struct simulation;

struct incoming_part {
    uint32_t message, card;
    uint8_t length, times;               /* times: how often the network gives it still; 0: done */
    uint16_t taken;                      /* how often a modem took it */
    bool routed;                         /* said at once, by a modem that keeps nothing and waits for no acknowledgement */
    uint64_t due_us;
    uint64_t key;                        /* of sender and text */
    uint8_t tpdu[SIM_TPDU_BYTES_MAX];
};

struct incoming_message {
    uint32_t first_part, parts;
    uint64_t key;                        /* of sender and whole text */
    char from[24];
    uint32_t in_inbox;                   /* counted by the verdict */
};

struct incoming {
    struct sim_random random;
    uint64_t mean_us, next_us;
    struct incoming_message *messages;
    uint32_t message_count, message_size;
    struct incoming_part *parts;
    uint32_t part_count, part_size;
    uint32_t *pending;                   /* indices of parts the network still has */
    uint32_t pending_count, pending_size;
};

void incoming_init(struct simulation *sim);
void incoming_done(struct simulation *sim);
uint64_t incoming_deadline(const struct simulation *sim);
void incoming_turn(struct simulation *sim);
void incoming_send(struct simulation *sim, uint32_t card, uint32_t messages);   /* some more to this card, now */
/* A modem says that it took one. */
void incoming_taken(struct simulation *sim, const struct sim_event *event, uint32_t modem);

#endif
