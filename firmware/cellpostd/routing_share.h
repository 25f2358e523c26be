/* SPDX-License-Identifier: Apache-2.0
 *
 * routing_share.h - the tariffs and routes in force, for threads other than the loop: whoever holds them may look at them until
 * they are released, also when new ones are in force meanwhile. Any thread; nobody waits for anybody who looks at them. */
#ifndef CELLPOST_ROUTING_SHARE_H
#define CELLPOST_ROUTING_SHARE_H

#include "src/routing/routing.h"

struct routing_share;
struct routing_held;

/* Takes routing (of routing_load()), which is freed when it is in force no more and nobody holds it. NULL: no memory, and it
 * stays the caller's. The caller holds it. */
struct routing_held *routing_held_new(struct routing *routing);

/* NULL: no memory. */
struct routing_share *routing_share_new(void);
void routing_share_free(struct routing_share *share);   /* when nobody looks for what is in force any more; accepts NULL */
/* Is in force from now on, and the caller's hold with it. Those of before are given up. */
void routing_share_put(struct routing_share *share, struct routing_held *held);

/* What is in force now; NULL before the first. Release it soon: a large table is kept in memory for it. */
struct routing_held *routing_share_hold(struct routing_share *share);
const struct routing *routing_held(const struct routing_held *held);
void routing_share_release(struct routing_held *held);   /* accepts NULL */

#endif
