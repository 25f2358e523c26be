/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpostd/routing_share.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "firmware/common/routing_load.h"

struct routing_held { struct routing *routing; atomic_uint count; };

/* The mutex keeps what is in force from being given up between looking at it and counting who holds it. */
struct routing_share { pthread_mutex_t mutex; struct routing_held *held; };

struct routing_held *routing_held_new(struct routing *routing)
{
    struct routing_held *held = malloc(sizeof *held);

    if (held != NULL) {
        held->routing = routing;
        atomic_init(&held->count, 1);
    }
    return held;
}

struct routing_share *routing_share_new(void)
{
    struct routing_share *share = calloc(1, sizeof *share);

    if (share != NULL)
        (void)pthread_mutex_init(&share->mutex, NULL);
    return share;
}

void routing_share_free(struct routing_share *share)
{
    if (share == NULL)
        return;
    routing_share_release(share->held);
    (void)pthread_mutex_destroy(&share->mutex);
    free(share);
}

void routing_share_put(struct routing_share *share, struct routing_held *held)
{
    struct routing_held *before;

    (void)pthread_mutex_lock(&share->mutex);
    before = share->held;
    share->held = held;
    (void)pthread_mutex_unlock(&share->mutex);
    routing_share_release(before);
}

struct routing_held *routing_share_hold(struct routing_share *share)
{
    struct routing_held *held;

    (void)pthread_mutex_lock(&share->mutex);
    held = share->held;
    if (held != NULL)
        (void)atomic_fetch_add(&held->count, 1);
    (void)pthread_mutex_unlock(&share->mutex);
    return held;
}

const struct routing *routing_held(const struct routing_held *held)
{
    return held->routing;
}

void routing_share_release(struct routing_held *held)
{
    if (held == NULL || atomic_fetch_sub(&held->count, 1) != 1)
        return;
    routing_free(held->routing);
    free(held);
}
