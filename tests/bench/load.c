/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_NUMBER 40720000000u
#define MESSAGES_MAX 40000u
#define MESSAGES_PER_POST 3
#define TRY_AGAIN_MS 20

uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

uint64_t random_seeded(unsigned seed)
{
    return UINT64_C(0x9E3779B97F4A7C15) * ((uint64_t)seed + 1);
}

/* Text of about one, two or three parts in which every stretch names the message: 160 septets alone, else 153 a part. */
static void compose(struct load_message *message, unsigned number, unsigned parts)
{
    static const size_t lengths[LOAD_PARTS_MAX] = { 60, 250, 420 };
    size_t used = 0;

    message->parts = parts;
    for (unsigned word = 0; used < lengths[parts - 1]; word++)
        used += (size_t)snprintf(message->text + used, sizeof message->text - used, "m%u w%u. ", number, word);
    message->text[used - 1] = '\0';
}

static bool one_in(uint64_t *random, unsigned count)
{
    return count != 0 && random_next(random) % count == 0;
}

/* Waits for room; false: it is over. The mutex is held. */
static bool wait_for_room(struct load *load)
{
    while (!load->over && load->parts_composed >= load->parts_on_air + load->settings.backlog_parts)
        (void)pthread_cond_wait(&load->news, &load->mutex);
    return !load->over && load->count + MESSAGES_PER_POST <= MESSAGES_MAX;
}

static bool compose_request(struct load_client *client, unsigned request, unsigned numbers[MESSAGES_PER_POST], unsigned *ret_count,
                            char **ret_body)
{
    struct load *load = client->load;
    json_t *list = json_array(), *json;
    unsigned count = 1 + (unsigned)(random_next(&client->random) % MESSAGES_PER_POST);
    bool room;

    (void)pthread_mutex_lock(&load->mutex);
    room = wait_for_room(load);
    for (unsigned i = 0; room && i < count; i++) {
        struct load_message *message = &load->messages[load->count];
        char to[24];

        numbers[i] = load->count++;
        compose(message, numbers[i], 1 + (unsigned)(random_next(&client->random) % LOAD_PARTS_MAX));
        message->request = request * LOAD_CLIENTS_MAX + client->index;
        message->at_least_once = one_in(&client->random, load->settings.repeat_one_in);
        load->parts_composed += message->parts;
        load_number(load, message, to);
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "to", to, "text", message->text, "policy",
                                                    message->at_least_once ? "at_least_once" : "at_most_once"));
    }
    (void)pthread_mutex_unlock(&load->mutex);
    *ret_count = count;
    json = json_pack("{s:o}", "messages", list);
    *ret_body = room ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return room;
}

static void acknowledge(struct load *load, const unsigned *numbers, unsigned count, const struct http_answer *answer)
{
    json_t *list = json_object_get(answer->json, "messages");

    HARNESS_CHECK(json_array_size(list) == count);
    (void)pthread_mutex_lock(&load->mutex);
    load->requests++;
    load->replays += answer->replayed;
    for (unsigned i = 0; i < count; i++) {
        HARNESS_CHECK(json_number_at(json_array_get(list, i), "parts") == load->messages[numbers[i]].parts);
        load->messages[numbers[i]].acknowledged = true;
    }
    (void)pthread_mutex_unlock(&load->mutex);
}

/* The daemon is away, or on its way back. */
static void wait_a_little(struct load *load)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TRY_AGAIN_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&load->mutex);
    load->retries++;
    (void)pthread_cond_timedwait(&load->news, &load->mutex, &until);
    (void)pthread_mutex_unlock(&load->mutex);
}

/* Tries until it is acknowledged; a client that gives up has asked, and may never know. */
static void post_until_acknowledged(struct load_client *client, struct http *http, const char *body, const char *key,
                                    const unsigned *numbers, unsigned count)
{
    struct load *load = client->load;
    bool patient = !one_in(&client->random, load->settings.abandon_one_in);

    for (;;) {
        struct http_answer answer;
        long status;

        http_call(http, "POST", "/v1/messages", body, key, &answer);
        status = answer.status;
        if (status == 202)
            acknowledge(load, numbers, count, &answer);
        else if (status != 0 && status != 503)
            harness_die("POST: status %ld: %s", status, answer.body != NULL ? answer.body : "");
        http_answer_done(&answer);
        if (status == 202)
            return;
        wait_a_little(load);
        if (!patient) {
            (void)pthread_mutex_lock(&load->mutex);
            load->abandoned++;
            (void)pthread_mutex_unlock(&load->mutex);
            return;
        }
    }
}

static void *run_client(void *context)
{
    struct load_client *client = context;
    struct http *http = http_new(client->load->harness);
    unsigned numbers[MESSAGES_PER_POST], count;
    char key[64], *body;

    for (unsigned request = 0; compose_request(client, request, numbers, &count, &body); request++) {
        (void)snprintf(key, sizeof key, "Idempotency-Key: client%u-%u", client->index, request);
        post_until_acknowledged(client, http, body, key, numbers, count);
        free(body);
    }
    http_free(http);
    return NULL;
}

void load_init(struct load *load, struct harness *harness, const struct load_settings *settings)
{
    *load = (struct load){ .harness = harness, .settings = *settings, .mutex = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER };
    load->messages = calloc(MESSAGES_MAX, sizeof *load->messages);
    HARNESS_CHECK(load->messages != NULL && settings->clients <= LOAD_CLIENTS_MAX);
}

void load_done(struct load *load)
{
    free(load->messages);
    *load = (struct load){ 0 };
}

void load_start(struct load *load)
{
    uint64_t random = random_seeded(load->settings.seed);

    for (unsigned i = 0; i < load->settings.clients; i++) {
        load->clients[i] = (struct load_client){ .load = load, .index = i, .random = random_next(&random) | 1 };
        HARNESS_CHECK(pthread_create(&load->clients[i].thread, NULL, run_client, &load->clients[i]) == 0);
    }
}

void load_tell(struct load *load, uint64_t parts_on_air)
{
    (void)pthread_mutex_lock(&load->mutex);
    load->parts_on_air = parts_on_air;
    (void)pthread_cond_broadcast(&load->news);
    (void)pthread_mutex_unlock(&load->mutex);
}

void load_tell_waiting(struct load *load, uint64_t parts_waiting)
{
    (void)pthread_mutex_lock(&load->mutex);
    load->parts_composed = load->parts_on_air + parts_waiting;
    (void)pthread_cond_broadcast(&load->news);
    (void)pthread_mutex_unlock(&load->mutex);
}

void load_end(struct load *load)
{
    (void)pthread_mutex_lock(&load->mutex);
    load->over = true;
    (void)pthread_cond_broadcast(&load->news);
    (void)pthread_mutex_unlock(&load->mutex);
    for (unsigned i = 0; i < load->settings.clients; i++)
        HARNESS_CHECK(pthread_join(load->clients[i].thread, NULL) == 0);
}

struct load_message *load_find(struct load *load, const char *to)
{
    unsigned long long number = strtoull(to + (to[0] == '+'), NULL, 10);

    return number >= FIRST_NUMBER && number - FIRST_NUMBER < load->count ? &load->messages[number - FIRST_NUMBER] : NULL;
}

void load_number(const struct load *load, const struct load_message *message, char ret_to[24])
{
    (void)snprintf(ret_to, 24, "+%llu", FIRST_NUMBER + (unsigned long long)(message - load->messages));
}
