/* SPDX-License-Identifier: Apache-2.0
 *
 * check_thread.h - reads a large database for damage while the gateway works, slowly enough that the card has time for others.
 *
 * Half of the time it rests. It gives way, and begins again later, while the store does not work (its recovery needs the
 * write-ahead log for itself) and where that log has grown long. */
#ifndef CELLPOST_CHECK_THREAD_H
#define CELLPOST_CHECK_THREAD_H

#include <stdbool.h>
#include <stddef.h>

struct check_thread;

/* wake is called on the thread when it knows; path is kept by the caller. */
int check_thread_start(const char *path, void (*wake)(void *context), void *context, struct check_thread **ret_thread);
/* Ends it at once, whatever it has read, and frees it; accepts NULL. */
void check_thread_stop(struct check_thread *thread);

void check_thread_give_way(struct check_thread *thread, bool give_way);
/* -EINPROGRESS, then 0 or what store_check() says of a damaged or unreadable file, with its sentence. */
int check_thread_result(struct check_thread *thread, char *ret_error, size_t error_size);

#endif
