/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_world.h - two simulated modems, their network and a virtual clock for the tests of hal/sim. */
#ifndef CELLPOST_TESTS_SIM_WORLD_H
#define CELLPOST_TESTS_SIM_WORLD_H

#include "hal/sim/sim_network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS(n) ((uint64_t)(n) * 1000u)
#define SECONDS(n) ((uint64_t)(n) * 1000000u)
#define WORLD_EVENTS_MAX 4096

struct world_event { enum sim_event_kind kind; uint64_t t_us; uint32_t modem; int mr, status, ref, total, seq; char address[32], text[512]; };

struct world {
    struct sim_network *network;
    struct sim_modem *modem;             /* modem 0 */
    struct sim_card cards[2];
    uint64_t now_us;
    char output[1 << 18];                /* what modem 0 said since the last look */
    size_t output_length;
    struct world_event events[WORLD_EVENTS_MAX];
    size_t event_count;
};

/* SMS-SUBMIT to modem 1's number, "hellohello", with a report asked for; TPDU of 23 octets. */
#define PART_LENGTH "23"
#define PART_PDU "0031000B910407001000F10000AA0AE8329BFD4697D9EC37"

static inline void world_on_event(void *context, const struct sim_event *event)
{
    struct world *w = context;
    struct world_event *e = &w->events[w->event_count];

    if (w->event_count == WORLD_EVENTS_MAX)
        return;
    w->event_count++;
    *e = (struct world_event){ .kind = event->kind, .t_us = event->t_us, .modem = event->modem, .mr = event->mr,
                               .status = event->status, .ref = event->ref, .total = event->total, .seq = event->seq };
    (void)snprintf(e->address, sizeof e->address, "%s", event->address);
    (void)snprintf(e->text, sizeof e->text, "%s", event->text);
}

static inline struct world *world_new(const struct sim_network_config *network, const struct sim_modem_config *modem)
{
    struct world *w = calloc(1, sizeof *w);
    struct sim_network_config n = network != NULL ? *network : (struct sim_network_config){ .seed = 1 };
    struct sim_modem_config m = modem != NULL ? *modem : (struct sim_modem_config){ .latency_us = 0 };

    assert_non_null(w);
    n.modems_max = 2;
    n.unix_s_at_zero = 1790000000;
    n.on_event = world_on_event;
    n.on_event_context = w;
    if (m.echo == 0)
        m.echo = -1;
    w->network = sim_network_new(&n);
    assert_non_null(w->network);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(sim_card_init(&w->cards[i], i, i == 0 ? "+40700001000" : "+40700001001", false), 0);
        m.card = &w->cards[i];
        assert_non_null(sim_network_add(w->network, &m));
    }
    w->modem = sim_network_modem(w->network, 0);
    return w;
}

static inline void world_free(struct world *w)
{
    sim_network_free(w->network);
    free(w);
}

static inline void world_collect(struct world *w)
{
    size_t length;
    const uint8_t *octets = sim_modem_output(w->modem, &length);

    if (length > sizeof w->output - 1 - w->output_length)
        fail_msg("the modem says too much");
    memcpy(w->output + w->output_length, octets, length);
    w->output_length += length;
    w->output[w->output_length] = '\0';
    sim_modem_output_consume(w->modem, length);
}

/* Lets all that is due until then happen, in order. */
static inline void world_run_until(struct world *w, uint64_t end_us)
{
    for (;;) {
        uint64_t due = sim_network_deadline(w->network);

        for (uint32_t i = 0; i < 2; i++)
            if (sim_modem_deadline(sim_network_modem(w->network, i)) < due)
                due = sim_modem_deadline(sim_network_modem(w->network, i));
        if (due > end_us)
            break;
        if (due > w->now_us)
            w->now_us = due;
        for (uint32_t i = 0; i < 2; i++)
            sim_modem_poll(sim_network_modem(w->network, i), w->now_us);
        sim_network_poll(w->network, w->now_us);
    }
    w->now_us = end_us;
    world_collect(w);
}

static inline void world_run(struct world *w, uint64_t us)
{
    world_run_until(w, w->now_us + us);
}

static inline void world_write(struct world *w, const char *text)
{
    sim_modem_feed(w->modem, (const uint8_t *)text, strlen(text), w->now_us);
    world_run(w, 0);
}

static inline void world_forget(struct world *w)
{
    w->output_length = 0;
    w->output[0] = '\0';
}

/* Types a line and gives all that was said up to us later. */
static inline const char *world_ask_for(struct world *w, const char *line, uint64_t us)
{
    world_forget(w);
    world_write(w, line);
    world_write(w, "\r");
    world_run(w, us);
    return w->output;
}

static inline const char *world_ask(struct world *w, const char *line)
{
    return world_ask_for(w, line, 0);
}

/* One part as a host sends it; what was said from Ctrl-Z until us later is the answer. */
static inline const char *world_send_for(struct world *w, const char *pdu, const char *length, uint64_t us)
{
    char line[64];

    (void)snprintf(line, sizeof line, "AT+CMGS=%s", length);
    (void)world_ask(w, line);
    world_forget(w);
    world_write(w, pdu);
    world_write(w, "\x1A");
    world_run(w, us);
    return w->output;
}

static inline const char *world_send(struct world *w, uint64_t us)
{
    return world_send_for(w, PART_PDU, PART_LENGTH, us);
}

static inline size_t world_count(const struct world *w, enum sim_event_kind kind, uint32_t modem)
{
    size_t count = 0;

    for (size_t i = 0; i < w->event_count; i++)
        count += w->events[i].kind == kind && w->events[i].modem == modem;
    return count;
}

/* The last one; NULL: none. */
static inline const struct world_event *world_last(const struct world *w, enum sim_event_kind kind, uint32_t modem)
{
    for (size_t i = w->event_count; i-- > 0;)
        if (w->events[i].kind == kind && w->events[i].modem == modem)
            return &w->events[i];
    return NULL;
}

#endif
