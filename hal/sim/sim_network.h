/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_network.h - the air between simulated modems: takes their submits, knows what was really sent, makes reports,
 * carries messages to those of its own SIMs they are addressed to.
 *
 * Time:      microseconds, the clock of the modems. It polls no modem: their owner does.
 * Ownership: the modems that sim_network_add() makes are the network's; sim_network_free() frees them.
 * Errors:    0 or a negative errno.
 * Bounds:    SIM_PENDING_MAX messages and reports under way; more are dropped and counted. */
#ifndef CELLPOST_HAL_SIM_NETWORK_H
#define CELLPOST_HAL_SIM_NETWORK_H

#include "hal/sim/sim_modem.h"

#define SIM_PENDING_MAX 65536u

enum sim_report_mode {
    SIM_REPORT_DELIVERED,    /* one report, delivered */
    SIM_REPORT_NEVER,
    SIM_REPORT_EARLY,        /* before the answer to +CMGS */
    SIM_REPORT_DOUBLED,
    SIM_REPORT_FAILED,       /* validity period expired */
    SIM_REPORT_TEMPORARY,    /* first "SME busy, still trying", then delivered */
    SIM_REPORT_MIXED,        /* one of the above by chance */
    SIM_REPORT_MODE_COUNT
};
/* -EINVAL: no such name. */
int sim_report_mode_find(const char *name, enum sim_report_mode *ret_mode);
const char *sim_report_mode_name(enum sim_report_mode mode);

struct sim_network_config {
    uint64_t seed;
    uint32_t modems_max;
    uint64_t air_us, air_jitter_us;      /* per part: mean, and how far to either side */
    uint64_t linked_air_us;              /* mean while +CMMS keeps the link; 0: as air_us */
    uint64_t report_us;                  /* after acceptance */
    enum sim_report_mode report_mode;
    uint64_t incoming_every_us;          /* a message from outside to one of the SIMs; 0: never */
    int64_t unix_s_at_zero;              /* time stamps: wall clock at time 0 */
    void (*on_event)(void *context, const struct sim_event *event);   /* ACCEPTED, and all events of the modems */
    void *on_event_context;
};

struct sim_network_counters { uint64_t accepted, reports, delivered, dropped; };

struct sim_network;

struct sim_network *sim_network_new(const struct sim_network_config *config);   /* NULL: no memory */
void sim_network_free(struct sim_network *network);

/* A modem of this network; index, seed, air, clock and on_event of the configuration are filled in. NULL: no memory or
 * modems_max reached. Its index is the number of modems before it. */
struct sim_modem *sim_network_add(struct sim_network *network, const struct sim_modem_config *config);
struct sim_modem *sim_network_modem(const struct sim_network *network, uint32_t index);   /* NULL: none */
uint32_t sim_network_modem_count(const struct sim_network *network);

void sim_network_poll(struct sim_network *network, uint64_t now_us);
uint64_t sim_network_deadline(const struct sim_network *network);

/* A message from outside (from: "+digits", digits or up to 11 letters) in as many parts as it takes. -EINVAL: unsound
 * number or text, or no such modem; -ENOSPC: too much is under way; -ENOMEM. */
int sim_network_incoming(struct sim_network *network, uint32_t modem, const char *from, const char *text, uint64_t now_us);

/* From now on every part is refused with +CMS ERROR: cms; 0: the network is well again. */
void sim_network_set_outage(struct sim_network *network, int cms);
void sim_network_set_report_mode(struct sim_network *network, enum sim_report_mode mode);

const struct sim_network_counters *sim_network_counters(const struct sim_network *network);
size_t sim_network_pending(const struct sim_network *network);   /* messages and reports not handed over yet */

#endif
