/* SPDX-License-Identifier: Apache-2.0
 *
 * load.h - clients that submit messages all the time and repeat a request, with its Idempotency-Key, until it is acknowledged.
 *
 * Each message has a number of its own and a text that names it in every part, so that the parts on the air are told apart.
 * Clients keep a little work waiting at any time, enough for all modems; the main thread tells them how it goes. */
#ifndef CELLPOST_BENCH_LOAD_H
#define CELLPOST_BENCH_LOAD_H

#include "tests/system/harness.h"

#include <pthread.h>

#define LOAD_PARTS_MAX 3
#define LOAD_CLIENTS_MAX 8

struct load_settings {
    unsigned seed, clients;
    unsigned backlog_parts;              /* so many wait at any time */
    unsigned repeat_one_in;              /* one message in so many has the policy at_least_once; 0: none */
    unsigned abandon_one_in;             /* of the requests that are not acknowledged at once; 0: none is given up */
};

struct load_message {
    unsigned parts, request;
    bool acknowledged, at_least_once;
    unsigned on_air[LOAD_PARTS_MAX];     /* for the verdict */
    unsigned released[LOAD_PARTS_MAX];
    bool seen;
    char text[480];
};

struct load {
    struct harness *harness;
    struct load_settings settings;
    pthread_mutex_t mutex;
    pthread_cond_t news;
    bool over;                           /* finish the request at hand, then end */
    unsigned count;                      /* of messages composed */
    uint64_t parts_composed, parts_on_air;
    struct load_message *messages;
    unsigned requests, retries, replays, abandoned;   /* acknowledged; tries without 202; 202s that were replays; given up */
    struct load_client { struct load *load; unsigned index; uint64_t random; pthread_t thread; } clients[LOAD_CLIENTS_MAX];
};

/* xorshift64*: the same seed, the same moments. The state must not be 0. */
uint64_t random_next(uint64_t *state);
uint64_t random_seeded(unsigned seed);

void load_init(struct load *load, struct harness *harness, const struct load_settings *settings);
void load_done(struct load *load);
void load_start(struct load *load);
/* From the main thread: so many parts have been on the air. */
void load_tell(struct load *load, uint64_t parts_on_air);
/* So many still wait: parts that will never go do not count as backlog for ever. */
void load_tell_waiting(struct load *load, uint64_t parts_waiting);
/* Every request at hand is acknowledged or given up when this returns: the daemon must run. */
void load_end(struct load *load);
/* The message to this number; NULL: none was ever composed. */
struct load_message *load_find(struct load *load, const char *to);
void load_number(const struct load *load, const struct load_message *message, char ret_to[24]);

#endif
