/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpostd/store_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* One commit takes at most this many changes, so that a flood of intake does not hold back the modems' intents for long. */
#define GROUP_CHANGES_MAX 256

struct entry { struct entry *next; struct store_commit commit; };
struct line { struct entry *first, **tail; };

struct store_thread {
    struct store *store;
    void (*wake)(void *context);
    void *context;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct line waiting, done;
    bool stop;
};

static void line_init(struct line *line)
{
    line->first = NULL;
    line->tail = &line->first;
}

static void line_add(struct line *line, struct entry *entry)
{
    entry->next = NULL;
    *line->tail = entry;
    line->tail = &entry->next;
}

static struct entry *line_take(struct line *line)
{
    struct entry *entry = line->first;

    if (entry != NULL && (line->first = entry->next) == NULL)
        line->tail = &line->first;
    return entry;
}

static uint64_t now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Lists are joined for one commit and cut apart again. An entry holds the last change of its list meanwhile. */
static void commit_group(struct store_thread *thread, struct entry *group)
{
    struct store_change *all = NULL, **tail = &all;
    uint64_t start = now_us();
    struct store_stats stats;
    uint32_t took;
    int error;

    for (struct entry *entry = group; entry != NULL; entry = entry->next) {
        *tail = entry->commit.list;
        while (*tail != NULL)
            tail = &(*tail)->next;
    }
    error = store_apply(thread->store, all);
    stats = store_stats(thread->store);
    took = (uint32_t)(now_us() - start);
    for (struct entry *entry = group; entry != NULL; entry = entry->next) {
        struct store_change *last = entry->commit.list;

        while (last->next != NULL && (entry->next == NULL || last->next != entry->next->commit.list))
            last = last->next;
        last->next = NULL;
        entry->commit.error = error;
        entry->commit.commit_us = took;
        entry->commit.stats = stats;
    }
}

static struct entry *take_group(struct store_thread *thread)
{
    struct line group;
    uint32_t changes = 0;

    line_init(&group);
    while (thread->waiting.first != NULL && changes < GROUP_CHANGES_MAX) {
        struct entry *entry = line_take(&thread->waiting);

        for (struct store_change *change = entry->commit.list; change != NULL; change = change->next)
            changes += change->kind == CHANGE_ACCEPT ? 1 + change->u.accept.count / 8 : 1;
        line_add(&group, entry);
    }
    return group.first;
}

static void *run(void *argument)
{
    struct store_thread *thread = argument;

    (void)pthread_mutex_lock(&thread->mutex);
    for (;;) {
        struct entry *group;

        while (thread->waiting.first == NULL && !thread->stop)
            (void)pthread_cond_wait(&thread->cond, &thread->mutex);
        group = take_group(thread);
        if (group == NULL)
            break;   /* stopping, and nothing left */
        (void)pthread_mutex_unlock(&thread->mutex);
        commit_group(thread, group);
        (void)pthread_mutex_lock(&thread->mutex);
        while (group != NULL) {
            struct entry *entry = group;

            group = entry->next;
            line_add(&thread->done, entry);
        }
        thread->wake(thread->context);
    }
    (void)pthread_mutex_unlock(&thread->mutex);
    return NULL;
}

int store_thread_start(struct store *store, void (*wake)(void *context), void *context, struct store_thread **ret_thread)
{
    struct store_thread *thread = calloc(1, sizeof *thread);
    int r;

    if (thread == NULL)
        return -ENOMEM;
    thread->store = store;
    thread->wake = wake;
    thread->context = context;
    line_init(&thread->waiting);
    line_init(&thread->done);
    (void)pthread_mutex_init(&thread->mutex, NULL);
    (void)pthread_cond_init(&thread->cond, NULL);
    r = pthread_create(&thread->thread, NULL, run, thread);
    if (r != 0) {
        free(thread);
        return -r;
    }
    *ret_thread = thread;
    return 0;
}

void store_thread_stop(struct store_thread *thread)
{
    (void)pthread_mutex_lock(&thread->mutex);
    thread->stop = true;
    (void)pthread_cond_signal(&thread->cond);
    (void)pthread_mutex_unlock(&thread->mutex);
    (void)pthread_join(thread->thread, NULL);
}

void store_thread_free(struct store_thread *thread)
{
    struct entry *entry;

    while ((entry = line_take(&thread->done)) != NULL) {
        change_free_list(entry->commit.list);
        free(entry);
    }
    (void)pthread_cond_destroy(&thread->cond);
    (void)pthread_mutex_destroy(&thread->mutex);
    free(thread);
}

int store_thread_submit(struct store_thread *thread, struct store_change *list)
{
    struct entry *entry = calloc(1, sizeof *entry);

    if (entry == NULL)
        return -ENOMEM;
    entry->commit.list = list;
    (void)pthread_mutex_lock(&thread->mutex);
    line_add(&thread->waiting, entry);
    (void)pthread_cond_signal(&thread->cond);
    (void)pthread_mutex_unlock(&thread->mutex);
    return 0;
}

bool store_thread_collect(struct store_thread *thread, struct store_commit *ret_commit)
{
    struct entry *entry;

    (void)pthread_mutex_lock(&thread->mutex);
    entry = line_take(&thread->done);
    (void)pthread_mutex_unlock(&thread->mutex);
    if (entry == NULL)
        return false;
    *ret_commit = entry->commit;
    free(entry);
    return true;
}
