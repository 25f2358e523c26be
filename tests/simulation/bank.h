/* SPDX-License-Identifier: Apache-2.0
 *
 * bank.h - the modems of the simulated box: personalities, cards, ports that come and go, lines between them. */
#ifndef CELLPOST_SIMULATION_BANK_H
#define CELLPOST_SIMULATION_BANK_H

#include "hal/line.h"
#include "hal/sim/sim_network.h"
#include "hal/sim/sim_random.h"
#include "src/gateway/gateway.h"

#define BANK_MODEMS_MAX 64
#define BANK_BOOT_US UINT64_C(30000000)           /* a modem that restarts is back by then */
#define BANK_PORTS_MAX (2 * BANK_MODEMS_MAX)   /* names that a modem may come back under */

struct simulation;

struct bank_modem {
    struct simulation *sim;
    uint32_t index, port;                /* port: ttyUSBn */
    struct sim_modem *modem;
    bool plugged, open;                  /* open: the box has the line */
    bool gone;                           /* the line has died and the box has not seen it */
    bool pulled;                         /* the modem itself lost its power in the middle of a part */
    bool wants_write;
    uint32_t slot;                       /* of the box, while open */
    uint64_t plug_us, find_us;           /* when it is plugged in again; when the box finds its port */
    uint64_t readable_us, writable_us;   /* NEVER: nothing there */
    uint32_t wire_us;                    /* how long what it says is under way */
    uint64_t trouble_until_us;           /* an answer may be lost until then */
    int trouble;                         /* enum fault: the last that struck it */
    uint64_t doubt_us;                   /* an answer was lost and nothing else: since when the box waits for it; 0 it does not */
};

struct bank {
    struct sim_random random;
    struct sim_network *network;
    struct sim_card cards[BANK_MODEMS_MAX];
    struct bank_modem modems[BANK_MODEMS_MAX];
    const struct sim_personality *personalities[BANK_MODEMS_MAX];
    enum sim_smss counts[BANK_MODEMS_MAX];
    uint32_t count;
    uint64_t air_us;
    uint32_t modem_of_slot[GATEWAY_SLOTS_MAX];   /* index + 1; 0 none */
};

int bank_init(struct simulation *sim);
void bank_done(struct simulation *sim);
uint64_t bank_deadline(const struct simulation *sim);
void bank_turn(struct simulation *sim);

/* The box starts: it finds its ports one after the other. The box has gone: nobody holds a line. */
void bank_host_up(struct simulation *sim);
void bank_host_down(struct simulation *sim);

void bank_unplug(struct simulation *sim, uint32_t modem, uint64_t for_us, bool renumber);
void bank_power_off(struct simulation *sim, uint32_t modem);           /* with the box */
void bank_trouble(struct simulation *sim, uint32_t modem, int fault, uint64_t for_us);
/* Everything is plugged in and well. */
void bank_heal(struct simulation *sim);

void bank_closed(struct simulation *sim, uint32_t slot);               /* box_ops.closed */
void bank_want_write(struct simulation *sim, uint32_t slot, bool want);
/* The box calls the modem at this port ready. */
void bank_ready(struct simulation *sim, const char *port);
/* NULL: none sits there. */
struct bank_modem *bank_at_slot(struct simulation *sim, uint32_t slot);

#endif
