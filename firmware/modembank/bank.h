/* SPDX-License-Identifier: Apache-2.0
 *
 * bank.h - the loop, the clock and the ports around a simulated network. One per program.
 *
 *   port.c     one pty with its link: bytes between it and its modem
 *   witness.c  what really happened, as JSON lines and for people
 *   control.c  the control socket
 *   stats.c    how busy the modems were
 *
 * A turn comes after every batch of I/O: modems and network do what is due, then the log is written, and only then the
 * answers go out. So whoever sees an answer finds its cause in the log. */
#ifndef CELLPOST_MODEMBANK_BANK_H
#define CELLPOST_MODEMBANK_BANK_H

#include "firmware/modembank/json.h"
#include "firmware/modembank/options.h"
#include "firmware/modembank/stats.h"
#include "hal/sim/sim_network.h"

#include <stdio.h>
#include <uv.h>

struct bank;

struct port {
    struct bank *bank;
    uint32_t index;
    struct sim_modem *modem;
    struct sim_card card;
    char link[512], slave_path[64];
    int master, slave;                   /* -1: unplugged. slave is held open: a client may come and go */
    int watch;                           /* inotify, -1 none */
    int clients;
    bool listened, closed, dirty, unplug_wanted, writable_wanted;
    uint64_t due_us;
    uint64_t lines_before;               /* AT lines up to the last accepted part */
    uv_poll_t *poll;
    uv_timer_t *replug;
};

struct bank {
    struct bank_options options;
    uv_loop_t *loop;
    struct sim_network *network;
    struct port *ports;
    struct stats_modem *stats;
    uint32_t *dirty;                     /* indexes of ports to look after in this turn */
    uint32_t dirty_count;
    uint64_t start_us, armed_us;
    int timer_fd, inotify_fd, log_fd;
    uv_poll_t timer_poll, inotify_poll;
    uv_check_t check;
    uv_signal_t signals[2];
    struct json log;                     /* of this turn */
    FILE *human;                         /* NULL: quiet */
    struct control *control;
    bool failed;
};

int bank_start(struct bank *bank, const struct bank_options *options, uv_loop_t *loop);   /* says why it failed on stderr */
void bank_stop(struct bank *bank);       /* ends the loop */
void bank_done(struct bank *bank);
uint64_t bank_now_us(const struct bank *bank);
void bank_touch(struct bank *bank, struct port *port);   /* something happened to its modem: look at it in this turn */

/* port.c */
int port_plug(struct port *port);        /* new pty, new link; 0 if it is plugged already */
void port_unplug(struct port *port);     /* also its modem's power */
void port_flush(struct port *port);
void port_inotify(struct bank *bank);    /* clients came or went */
void port_replug_later(struct port *port);

/* witness.c */
int witness_open(struct bank *bank);
void witness_event(struct bank *bank, const struct sim_event *event);
void witness_note(struct bank *bank, const char *event, const struct port *port);   /* start, plug, unplug, ready, stop */
void witness_flush(struct bank *bank);
void witness_summary(struct bank *bank);
void witness_close(struct bank *bank);

/* control.c */
int control_open(struct bank *bank);
void control_close(struct bank *bank);

#endif
