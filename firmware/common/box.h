/* SPDX-License-Identifier: Apache-2.0
 *
 * box.h - the wiring of one box: lines, modems and the gateway, without a loop of its own.
 *
 * Whoever drives it (cellpostd's loop, the simulation) opens lines, says when they can be read or written, carries
 * changes to the store and back, and calls box_poll() at box_deadline_us(). Time comes in as values.
 * Bytes for a modem are written as soon as they exist, in the call that made them. */
#ifndef CELLPOST_BOX_H
#define CELLPOST_BOX_H

#include "drivers/modem/modem.h"
#include "hal/line.h"
#include "src/gateway/gateway.h"

struct box_ops {
    void (*event)(void *context, const struct live_event *event);
    void (*answer)(void *context, struct store_change *change);
    /* The line of this slot has more to write than it took, or no longer. */
    void (*want_write)(void *context, uint32_t slot, bool want);
    /* The line is closed, the slot is free of it: the port may be opened again when it is back. */
    void (*closed)(void *context, uint32_t slot);
};

struct box_config {
    const struct box_ops *ops;
    void *context;
    uint32_t send_timeout_ms, poll_ms, park_retry_ms;   /* of modems; 0: defaults */
    uint32_t window;
    bool prefetch_at_once;
    struct gateway_consent consent;
    int64_t started_ms;
    int64_t boot;                        /* names the run of the machine's monotonic clock; 0: not known */
};

struct box;
struct box *box_new(const struct box_config *config);
void box_free(struct box *box);   /* closes lines */

/* A place for a modem. pin: tried at most once per card; NULL none. -ENOSPC: GATEWAY_SLOTS_MAX are taken. */
int box_slot_add(struct box *box, const char *bank, const char *port, const char *pin, uint32_t *ret_slot);
uint32_t box_slot_count(const struct box *box);
const char *box_slot_port(const struct box *box, uint32_t slot);
bool box_slot_open(const struct box *box, uint32_t slot);

void box_line_opened(struct box *box, uint32_t slot, struct hal_line line, struct gateway_now now);
void box_line_readable(struct box *box, uint32_t slot, struct gateway_now now);
void box_line_writable(struct box *box, uint32_t slot, struct gateway_now now);
void box_line_close(struct box *box, uint32_t slot, struct gateway_now now);

struct gateway *box_gateway(struct box *box);
const struct modem_status *box_modem_status(const struct box *box, uint32_t slot);
void box_poll(struct box *box, struct gateway_now now);
uint64_t box_deadline_us(const struct box *box);

/* Fills the view; its modems array is malloc'ed. -ENOMEM. */
int box_view(const struct box *box, struct live_view *ret_view, struct gateway_now now);

#endif
