/* SPDX-License-Identifier: Apache-2.0
 *
 * powercut_load.c - clients that behave: they repeat a request, with its Idempotency-Key, until it is acknowledged, also over a
 * power cut; and what they know leaves the machine at once. */
#include "tests/vm/powercut.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 3u
#define BACKLOG_PARTS 40u      /* so much work waits at any time: enough for all modems, little to clear after the cut */
#define TRY_AGAIN_MS 50

struct request { unsigned first, count; };

struct load {
    struct powercut *powercut;
    int log_fd;
    pthread_mutex_t mutex;
    pthread_cond_t news;
    pthread_t threads[CLIENTS];
    bool repeat_only, told;
    struct request *open; size_t open_count;     /* asked before the cut, not acknowledged */
    unsigned next, end;                          /* numbers of this boot */
    uint64_t parts_composed, parts_on_air;
    unsigned replayed;
};

/* -- what is known outside ------------------------------------------------------------------------------------- */

/* One write(): outside when it returns. Dies rather than go on with a gap. */
static void note(const struct load *load, const char *line)
{
    size_t length = strlen(line);

    if (write(load->log_fd, line, length) != (ssize_t)length)
        harness_die("a request cannot be noted: %s", strerror(errno));
}

static void forget_request(struct load *load, unsigned first)
{
    for (size_t i = 0; i < load->open_count; i++)
        if (load->open[i].first == first) {
            load->open[i] = load->open[--load->open_count];
            return;
        }
}

static void recall_requests(struct load *load)
{
    load->open = calloc(SURVIVAL_MESSAGES_MAX, sizeof *load->open);
    HARNESS_CHECK(load->open != NULL);
    for (unsigned boot = 0; boot < load->powercut->boot; boot++) {
        char path[256], line[128];
        struct request request;
        FILE *file;

        powercut_path(load->powercut, "requests-%u.log", boot, path);
        file = fopen(path, "re");
        while (file != NULL && fgets(line, sizeof line, file) != NULL) {
            if (sscanf(line, "asked %u %u", &request.first, &request.count) == 2) {
                forget_request(load, request.first);
                load->open[load->open_count++] = request;
            } else if (sscanf(line, "acknowledged %u", &request.first) == 1) {
                forget_request(load, request.first);
            }
        }
        if (file != NULL)
            (void)fclose(file);
    }
}

/* -- requests -------------------------------------------------------------------------------------------------- */

static char *body_of(const struct request *request)
{
    json_t *list = json_array(), *json;
    char *body;

    for (unsigned i = 0; i < request->count; i++) {
        char to[MESSAGE_TO_MAX], text[SURVIVAL_TEXT_MAX];

        survival_recipient(request->first + i, to);
        survival_text(request->first + i, text);
        (void)json_array_append_new(list, json_pack("{s:s, s:s}", "to", to, "text", text));
    }
    json = json_pack("{s:o}", "messages", list);
    body = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    HARNESS_CHECK(body != NULL);
    return body;
}

/* Waits for room; false: there is nothing more to ask for. */
static bool next_request(struct load *load, struct request *ret_request)
{
    bool some = false;
    char line[64];

    (void)pthread_mutex_lock(&load->mutex);
    if (load->open_count > 0) {
        *ret_request = load->open[--load->open_count];
        some = true;
    } else if (!load->repeat_only) {
        while (load->parts_composed >= load->parts_on_air + BACKLOG_PARTS)
            (void)pthread_cond_wait(&load->news, &load->mutex);
        ret_request->first = load->next;
        ret_request->count = 1 + (unsigned)(powercut_random(load->powercut) % POWERCUT_MESSAGES_PER_REQUEST);
        some = load->next + ret_request->count <= load->end;
        if (some)
            load->next += ret_request->count;
    }
    for (unsigned i = 0; some && i < ret_request->count; i++)
        load->parts_composed += survival_parts(ret_request->first + i);
    if (some) {
        (void)snprintf(line, sizeof line, "asked %u %u\n", ret_request->first, ret_request->count);
        note(load, line);
    }
    (void)pthread_mutex_unlock(&load->mutex);
    return some;
}

static void acknowledge(struct load *load, const struct request *request, const struct http_answer *answer)
{
    char line[64];

    HARNESS_CHECK(json_array_size(json_object_get(answer->json, "messages")) == request->count);
    (void)snprintf(line, sizeof line, "acknowledged %u %u %d\n", request->first, request->count, answer->replayed);
    (void)pthread_mutex_lock(&load->mutex);
    note(load, line);
    load->replayed += answer->replayed;
    if (!load->told)
        powercut_tell("loaded");
    load->told = true;
    (void)pthread_mutex_unlock(&load->mutex);
}

static void wait_a_little(struct load *load)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TRY_AGAIN_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&load->mutex);
    (void)pthread_cond_timedwait(&load->news, &load->mutex, &until);
    (void)pthread_mutex_unlock(&load->mutex);
}

static void *run_client(void *context)
{
    struct load *load = context;
    struct http *http = http_new(load->powercut->harness);
    struct request request;

    while (next_request(load, &request)) {
        char key[64], *body = body_of(&request);
        bool done = false;

        (void)snprintf(key, sizeof key, "Idempotency-Key: request-%u", request.first);
        while (!done) {
            struct http_answer answer;

            http_call(http, "POST", "/v1/messages", body, key, &answer);
            done = answer.status == 202;
            if (done)
                acknowledge(load, &request, &answer);
            else if (answer.status != 0 && answer.status != 503)
                harness_die("POST: status %ld: %s", answer.status, answer.body != NULL ? answer.body : "");
            http_answer_done(&answer);
            if (!done)
                wait_a_little(load);
        }
        free(body);
    }
    http_free(http);
    return NULL;
}

/* -- the load -------------------------------------------------------------------------------------------------- */

struct load *load_start(struct powercut *powercut, bool repeat_only)
{
    struct load *load = calloc(1, sizeof *load);
    char path[256];

    HARNESS_CHECK(load != NULL);
    load->powercut = powercut;
    load->repeat_only = repeat_only;
    load->next = powercut->boot * POWERCUT_MESSAGES_PER_BOOT;
    load->end = load->next + POWERCUT_MESSAGES_PER_BOOT;
    witness_read(&powercut->harness->witness);
    load->parts_composed = load->parts_on_air = powercut->harness->witness.count;
    (void)pthread_mutex_init(&load->mutex, NULL);
    (void)pthread_cond_init(&load->news, NULL);
    recall_requests(load);
    powercut_path(powercut, "requests-%u.log", powercut->boot, path);
    load->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (load->log_fd < 0)
        harness_die("%s: %s", path, strerror(errno));
    for (unsigned i = 0; i < CLIENTS; i++)
        HARNESS_CHECK(pthread_create(&load->threads[i], NULL, run_client, load) == 0);
    return load;
}

unsigned load_join(struct load *load)
{
    unsigned replayed;

    for (unsigned i = 0; i < CLIENTS; i++)
        HARNESS_CHECK(pthread_join(load->threads[i], NULL) == 0);
    replayed = load->replayed;
    (void)close(load->log_fd);
    free(load->open);
    (void)pthread_mutex_destroy(&load->mutex);
    (void)pthread_cond_destroy(&load->news);
    free(load);
    return replayed;
}

bool load_note_progress(struct harness *harness, const void *context)
{
    struct load *const *load = context;

    (void)pthread_mutex_lock(&(*load)->mutex);
    (*load)->parts_on_air = harness->witness.count;
    (void)pthread_cond_broadcast(&(*load)->news);
    (void)pthread_mutex_unlock(&(*load)->mutex);
    return false;
}
