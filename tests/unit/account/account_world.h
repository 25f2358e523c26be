/* SPDX-License-Identifier: Apache-2.0
 *
 * account_world.h - an account with a storage in memory, and boxes that tell it what a test wants told. Signatures and
 * certificates are words that a test can read; what signs is tested where it is.
 *
 * Money: millionths of a credit. A part costs 50000 by row 0 of version 1 (UCS-2: 70000), 100000 by row 1 (no UCS-2). */
#ifndef CELLPOST_ACCOUNT_WORLD_H
#define CELLPOST_ACCOUNT_WORLD_H

#include "src/account/account.h"
#include "tests/simulation/account_memory.h"

#define WORLD_T0 INT64_C(1790000000000)
#define WORLD_LEASE_MS INT64_C(1000000)
#define WORLD_SETTLE_MS INT64_C(500000)
#define WORLD_ENTRIES_MAX 5000
#define GSM7_MICRO 50000
#define UCS2_MICRO 70000
#define DEAR_MICRO 100000

struct world {
    struct account_memory *memory;
    struct account_db db;
    struct account_hands hands;
    int64_t now_ms;
    uint64_t randoms;
    int hands_fail;                          /* what the hands answer; 0: they work */
    enum account_status status;              /* of the last call that says one */
};

/* What a box has: its journal from the beginning. */
struct world_box {
    struct account_caller caller;
    struct journal_entry entries[WORLD_ENTRIES_MAX];
    struct journal_head head;
};

/* With the account "office", funded with so much, and prices of version 1 (funded_micro 0: neither). */
void world_init(struct world *world, int64_t funded_micro);
void world_done(struct world *world);        /* checks the books first: no fault */
/* Faults of the books, with a line for each on stderr if told. */
uint64_t world_faults(const struct world *world, bool told, struct account_census *ret_census);

/* A token with this text for a new box; leases of it are no larger than the given amount. */
void world_token(struct world *world, const char *token, int64_t lease_max_micro);
enum account_status world_enrol_with(struct world *world, const char *token, uint8_t nonce, const char *csr, struct account_enrol_told *ret_told);
/* A box that is enrolled with a token and key of its own. */
void world_enrol(struct world *world, struct world_box *box, const char *name, int64_t lease_max_micro);
/* Fences it and enrols it again: a new journal. */
void world_enrol_again(struct world *world, struct world_box *box, const char *name);
struct account_box world_row(const struct world *world, const struct world_box *box);
struct account_row world_account(const struct world *world);
struct account_lease world_lease_row(const struct world *world, const struct world_box *box, uint64_t lease);
size_t world_alarms(const struct world *world, const struct world_box *box, enum account_alarm kind);

/* At the head of the box. request: any number stands for an id. */
enum account_status world_lease(struct world *world, const struct world_box *box, uint64_t request, int64_t want_micro, uint64_t open,
                                struct account_lease_told *ret_told);
enum account_status world_close(struct world *world, const struct world_box *box, uint64_t lease, int64_t rest_micro, int64_t *ret_returned_micro);

/* Appends to the journal of the box. */
void world_capture(struct world_box *box, uint64_t lease, int64_t message, uint8_t part, int64_t micro);
void world_release(struct world_box *box, uint64_t lease, int64_t message, uint8_t part, int64_t micro);
void world_void(struct world_box *box, uint64_t seq);   /* of the capture with this number */
/* Tells the entries from this number on. */
enum account_status world_usage(struct world *world, const struct world_box *box, uint64_t from_seq, struct account_usage_told *ret_told);

void world_prices(struct world *world, uint32_t version);   /* each version costs as much more as it is above 1 */

#endif
