/* SPDX-License-Identifier: Apache-2.0
 *
 * store_thread.h - the one thread that writes the database: takes what waits, commits once, gives it back.
 *
 * The loop never waits for it: it hands lists over and is woken when they are done. Lists come back in their order. */
#ifndef CELLPOST_STORE_THREAD_H
#define CELLPOST_STORE_THREAD_H

#include "src/store/store.h"

struct store_thread;

/* wake is called on the store thread when something is done. The store is the thread's until it is stopped. */
int store_thread_start(struct store *store, void (*wake)(void *context), void *context, struct store_thread **ret_thread);
/* Commits everything that was submitted, then ends. What is done can still be collected; then free it. */
void store_thread_stop(struct store_thread *thread);
void store_thread_free(struct store_thread *thread);

/* -ENOMEM: the list was not taken. */
int store_thread_submit(struct store_thread *thread, struct store_change *list);

struct store_commit { struct store_change *list; int error; uint32_t commit_us; struct store_stats stats; };
bool store_thread_collect(struct store_thread *thread, struct store_commit *ret_commit);

#endif
