/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/central/db_turn.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct waiter { struct waiter *next; pthread_cond_t turn; bool called; };

struct db_turn {
    struct db_turn *next;
    char *path;
    unsigned users;                          /* under opening */
    pthread_mutex_t lock;                    /* of what follows */
    bool taken;
    struct waiter *first;
};

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static struct db_turn *turns;

int db_turn_get(const char *path, struct db_turn **ret_turn, bool *ret_first)
{
    struct db_turn *turn;

    (void)pthread_mutex_lock(&opening);
    for (turn = turns; turn && strcmp(turn->path, path) != 0; turn = turn->next)
        ;
    *ret_first = !turn;
    if (!turn) {
        turn = calloc(1, sizeof *turn);
        if (turn)
            turn->path = strdup(path);
        if (!turn || !turn->path) {
            free(turn);
            (void)pthread_mutex_unlock(&opening);
            return -ENOMEM;
        }
        (void)pthread_mutex_init(&turn->lock, NULL);
        turn->next = turns;
        turns = turn;
    }
    turn->users++;
    *ret_turn = turn;
    return 0;
}

void db_turn_opened(void)
{
    (void)pthread_mutex_unlock(&opening);
}

void db_turn_put(struct db_turn *turn)
{
    if (!turn)
        return;
    (void)pthread_mutex_lock(&opening);
    if (--turn->users == 0) {
        struct db_turn **link = &turns;

        while (*link != turn)
            link = &(*link)->next;
        *link = turn->next;
        (void)pthread_mutex_destroy(&turn->lock);
        free(turn->path);
        free(turn);
    }
    (void)pthread_mutex_unlock(&opening);
}

static void leave(struct db_turn *turn, struct waiter *waiter)
{
    struct waiter **link = &turn->first;

    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
}

int db_turn_take(struct db_turn *turn, uint32_t timeout_ms)
{
    struct waiter self = { .next = NULL };
    struct waiter **link = &turn->first;
    pthread_condattr_t by_monotonic;
    struct timespec until;
    int r = 0;

    (void)pthread_mutex_lock(&turn->lock);
    if (!turn->taken) {
        turn->taken = true;
        (void)pthread_mutex_unlock(&turn->lock);
        return 0;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_condattr_init(&by_monotonic);
    (void)pthread_condattr_setclock(&by_monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&self.turn, &by_monotonic);
    (void)pthread_condattr_destroy(&by_monotonic);
    while (*link)
        link = &(*link)->next;
    *link = &self;
    while (!self.called && r == 0)
        r = pthread_cond_timedwait(&self.turn, &turn->lock, &until);
    if (!self.called)
        leave(turn, &self);
    r = self.called ? 0 : -EAGAIN;
    (void)pthread_mutex_unlock(&turn->lock);
    (void)pthread_cond_destroy(&self.turn);
    return r;
}

void db_turn_pass(struct db_turn *turn)
{
    struct waiter *next;

    (void)pthread_mutex_lock(&turn->lock);
    assert(turn->taken);
    next = turn->first;
    if (next) {                              /* it stays taken, by the next one */
        turn->first = next->next;
        next->called = true;
        (void)pthread_cond_signal(&next->turn);
    } else {
        turn->taken = false;
    }
    (void)pthread_mutex_unlock(&turn->lock);
}

unsigned db_turn_waiting(struct db_turn *turn)
{
    unsigned count = 0;

    (void)pthread_mutex_lock(&turn->lock);
    for (const struct waiter *waiter = turn->first; waiter; waiter = waiter->next)
        count++;
    (void)pthread_mutex_unlock(&turn->lock);
    return count;
}
