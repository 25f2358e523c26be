/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpostd/check_thread.h"

#include "src/store/store_check.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define STRETCH_BYTES (UINT32_C(1) << 20)    /* read without a rest */
#define REST_MS_MAX 2000
#define WAL_BYTES_MAX (INT64_C(128) << 20)
#define AGAIN_MS 60000

struct check_thread {
    char path[512], wal_path[520];
    void (*wake)(void *context);
    void *context;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool stop, give_way;                     /* under the mutex, as the result */
    int result;
    char error[512];
    size_t stretch_bytes;                    /* of the thread alone */
    uint64_t stretch_us;
    bool hurry;
};

static uint64_t now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Under the mutex: until it is told something, at most so long. */
static void rest(struct check_thread *thread, uint64_t us)
{
    uint64_t end_us = now_us() + us;
    struct timespec end = { .tv_sec = (time_t)(end_us / 1000000), .tv_nsec = (long)(end_us % 1000000) * 1000 };

    while (!thread->stop && !thread->give_way && pthread_cond_timedwait(&thread->cond, &thread->mutex, &end) != ETIMEDOUT)
        ;
}

static bool wal_is_long(const struct check_thread *thread)
{
    struct stat st;

    return stat(thread->wal_path, &st) == 0 && st.st_size > WAL_BYTES_MAX;
}

/* After each page: rests as long as the stretch took, so that of the card at least half is left to the work. */
static bool on_read(void *context, size_t bytes)
{
    struct check_thread *thread = context;
    uint64_t took_us;
    bool go_on;

    thread->stretch_bytes += bytes;
    if (thread->stretch_bytes < STRETCH_BYTES)
        return true;
    took_us = now_us() - thread->stretch_us;
    (void)pthread_mutex_lock(&thread->mutex);
    if (!thread->hurry)
        rest(thread, took_us < REST_MS_MAX * 1000 ? took_us : REST_MS_MAX * 1000);
    go_on = !thread->stop && !thread->give_way;
    (void)pthread_mutex_unlock(&thread->mutex);
    if (wal_is_long(thread)) {
        thread->hurry = true;                /* next time it is quicker than the log grows */
        go_on = false;
    }
    thread->stretch_bytes = 0;
    thread->stretch_us = now_us();
    return go_on;
}

static void *run(void *argument)
{
    struct check_thread *thread = argument;
    char error[sizeof thread->error];
    int r = -EAGAIN;

    (void)pthread_mutex_lock(&thread->mutex);
    while (!thread->stop) {
        while (thread->give_way && !thread->stop)
            (void)pthread_cond_wait(&thread->cond, &thread->mutex);
        if (thread->stop)
            break;
        (void)pthread_mutex_unlock(&thread->mutex);
        error[0] = '\0';
        thread->stretch_bytes = 0;
        thread->stretch_us = now_us();
        r = store_check(thread->path, NULL, on_read, thread, error, sizeof error);
        (void)pthread_mutex_lock(&thread->mutex);
        if (r == 0 || r == -EBADMSG || r == -EIO) {
            thread->result = r;
            memcpy(thread->error, error, sizeof error);
            thread->wake(thread->context);
            break;
        }
        rest(thread, UINT64_C(1000) * AGAIN_MS);
    }
    (void)pthread_mutex_unlock(&thread->mutex);
    return NULL;
}

int check_thread_start(const char *path, void (*wake)(void *context), void *context, struct check_thread **ret_thread)
{
    struct check_thread *thread = calloc(1, sizeof *thread);
    pthread_condattr_t monotonic;
    int r;

    if (thread == NULL)
        return -ENOMEM;
    (void)snprintf(thread->path, sizeof thread->path, "%s", path);
    (void)snprintf(thread->wal_path, sizeof thread->wal_path, "%s-wal", path);
    thread->wake = wake;
    thread->context = context;
    thread->result = -EINPROGRESS;
    (void)pthread_mutex_init(&thread->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&thread->cond, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    r = pthread_create(&thread->thread, NULL, run, thread);
    if (r != 0) {
        (void)pthread_cond_destroy(&thread->cond);
        (void)pthread_mutex_destroy(&thread->mutex);
        free(thread);
        return -r;
    }
    *ret_thread = thread;
    return 0;
}

void check_thread_stop(struct check_thread *thread)
{
    if (thread == NULL)
        return;
    (void)pthread_mutex_lock(&thread->mutex);
    thread->stop = true;
    (void)pthread_cond_signal(&thread->cond);
    (void)pthread_mutex_unlock(&thread->mutex);
    (void)pthread_join(thread->thread, NULL);
    (void)pthread_cond_destroy(&thread->cond);
    (void)pthread_mutex_destroy(&thread->mutex);
    free(thread);
}

void check_thread_give_way(struct check_thread *thread, bool give_way)
{
    (void)pthread_mutex_lock(&thread->mutex);
    if (thread->give_way != give_way)
        (void)pthread_cond_signal(&thread->cond);
    thread->give_way = give_way;
    (void)pthread_mutex_unlock(&thread->mutex);
}

int check_thread_result(struct check_thread *thread, char *ret_error, size_t error_size)
{
    int r;

    (void)pthread_mutex_lock(&thread->mutex);
    r = thread->result;
    (void)snprintf(ret_error, error_size, "%s", thread->error);
    (void)pthread_mutex_unlock(&thread->mutex);
    return r;
}
