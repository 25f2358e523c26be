/* SPDX-License-Identifier: Apache-2.0
 *
 * kill_rounds.c - clients submit messages all the time and repeat a request, with its Idempotency-Key, until it is
 * acknowledged; the daemon is killed and started again; in the end every acknowledged message is held against what the
 * bank of simulated modems had on the air. Each message has a number of its own, so that its parts are told apart. */
#include "tests/bench/kill_rounds.h"

#include "src/store/message.h"
#include "tests/system/harness.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_NUMBER 40720000000u
#define CLIENTS 3
#define MESSAGES_MAX 40000u
#define MESSAGES_PER_POST 3
#define PARTS_MAX 3
#define BACKLOG_PARTS 60u      /* so much work waits at any time: enough for all modems, little to clear in the end */
#define TRY_AGAIN_MS 20
#define SETTLE_MS 120000

struct sent_message { unsigned parts; bool acknowledged; unsigned on_air[PARTS_MAX]; char text[480]; };

struct rounds {
    struct harness *harness;
    const struct kill_settings *settings;
    pthread_mutex_t mutex;
    pthread_cond_t news;
    bool over;                           /* finish the request at hand, then end */
    unsigned count;                      /* of messages composed */
    uint64_t parts_composed, parts_on_air;
    struct sent_message *messages;
    struct kill_result *result;
};

struct client { struct rounds *rounds; unsigned index; uint64_t random; pthread_t thread; };

/* xorshift64*: the same seed, the same moments. */
static uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* -- clients -------------------------------------------------------------------------------------------------- */

/* Text of about one, two or three parts in which every stretch names the message: 160 septets alone, else 153 a part. */
static void compose(struct sent_message *message, unsigned number, unsigned parts)
{
    static const size_t lengths[PARTS_MAX] = { 60, 250, 420 };
    size_t used = 0;

    message->parts = parts;
    for (unsigned word = 0; used < lengths[parts - 1]; word++)
        used += (size_t)snprintf(message->text + used, sizeof message->text - used, "m%u w%u. ", number, word);
    message->text[used - 1] = '\0';
}

/* Waits for room; false: it is over. The mutex is held. */
static bool wait_for_room(struct rounds *rounds)
{
    while (!rounds->over && rounds->parts_composed >= rounds->parts_on_air + BACKLOG_PARTS)
        (void)pthread_cond_wait(&rounds->news, &rounds->mutex);
    return !rounds->over && rounds->count + MESSAGES_PER_POST <= MESSAGES_MAX;
}

static bool compose_request(struct client *client, unsigned numbers[MESSAGES_PER_POST], unsigned *ret_count, char **ret_body)
{
    struct rounds *rounds = client->rounds;
    json_t *list = json_array(), *request;
    unsigned count = 1 + (unsigned)(random_next(&client->random) % MESSAGES_PER_POST);
    bool room;

    (void)pthread_mutex_lock(&rounds->mutex);
    room = wait_for_room(rounds);
    for (unsigned i = 0; room && i < count; i++) {
        struct sent_message *message = &rounds->messages[rounds->count];
        char to[24];

        numbers[i] = rounds->count++;
        compose(message, numbers[i], 1 + (unsigned)(random_next(&client->random) % PARTS_MAX));
        rounds->parts_composed += message->parts;
        (void)snprintf(to, sizeof to, "+%llu", (unsigned long long)FIRST_NUMBER + numbers[i]);
        (void)json_array_append_new(list, json_pack("{s:s, s:s}", "to", to, "text", message->text));
    }
    (void)pthread_mutex_unlock(&rounds->mutex);
    *ret_count = count;
    request = json_pack("{s:o}", "messages", list);
    *ret_body = room ? json_dumps(request, JSON_COMPACT) : NULL;
    json_decref(request);
    return room;
}

static void acknowledge(struct rounds *rounds, const unsigned *numbers, unsigned count, const struct http_answer *answer)
{
    json_t *list = json_object_get(answer->json, "messages");

    HARNESS_CHECK(json_array_size(list) == count);
    (void)pthread_mutex_lock(&rounds->mutex);
    rounds->result->requests++;
    rounds->result->replays += answer->replayed;
    for (unsigned i = 0; i < count; i++) {
        HARNESS_CHECK(json_number_at(json_array_get(list, i), "parts") == rounds->messages[numbers[i]].parts);
        rounds->messages[numbers[i]].acknowledged = true;
    }
    (void)pthread_mutex_unlock(&rounds->mutex);
}

/* The daemon is away, or on its way back. */
static void wait_a_little(struct rounds *rounds)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += TRY_AGAIN_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&rounds->mutex);
    rounds->result->retries++;
    (void)pthread_cond_timedwait(&rounds->news, &rounds->mutex, &until);
    (void)pthread_mutex_unlock(&rounds->mutex);
}

static void *run_client(void *context)
{
    struct client *client = context;
    struct rounds *rounds = client->rounds;
    struct http *http = http_new(rounds->harness);
    unsigned numbers[MESSAGES_PER_POST], count;
    char key[64], *body;

    for (unsigned request = 0; compose_request(client, numbers, &count, &body); request++) {
        bool done = false;

        (void)snprintf(key, sizeof key, "Idempotency-Key: client%u-%u", client->index, request);
        while (!done) {
            struct http_answer answer;

            http_call(http, "POST", "/v1/messages", body, key, &answer);
            done = answer.status == 202;
            if (done)
                acknowledge(rounds, numbers, count, &answer);
            else if (answer.status != 0 && answer.status != 503)
                harness_die("POST: status %ld: %s", answer.status, answer.body != NULL ? answer.body : "");
            http_answer_done(&answer);
            if (!done)
                wait_a_little(rounds);
        }
        free(body);
    }
    http_free(http);
    return NULL;
}

/* -- rounds --------------------------------------------------------------------------------------------------- */

static void tell_progress(struct rounds *rounds)
{
    (void)pthread_mutex_lock(&rounds->mutex);
    rounds->parts_on_air = rounds->harness->witness.count;
    (void)pthread_cond_broadcast(&rounds->news);
    (void)pthread_mutex_unlock(&rounds->mutex);
}

static bool note_progress(struct harness *harness, const void *context)
{
    struct rounds *const *rounds = context;

    (void)harness;
    tell_progress(*rounds);
    return false;
}

static bool nothing_waits(struct harness *harness, const void *context)
{
    (void)note_progress(harness, context);
    return harness_database_number(harness, "SELECT count(*) FROM message WHERE state IN (1, 2, 3)") == 0;
}

static bool network_is_quiet(struct harness *harness, const void *context)
{
    json_t *list = bank_tell(harness, "list");
    bool quiet = json_number_at(list, "pending") == 0;

    (void)context;
    json_decref(list);
    return quiet;
}

static void run_rounds(struct rounds *rounds)
{
    struct client clients[CLIENTS];
    uint64_t random = UINT64_C(0x9E3779B97F4A7C15) * (rounds->settings->seed + 1);

    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ .rounds = rounds, .index = i, .random = random_next(&random) | 1 };
        HARNESS_CHECK(pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) == 0);
    }
    for (unsigned i = 0; i < rounds->settings->rounds; i++) {
        harness_spawn(rounds->harness);
        (void)harness_wait(rounds->harness, note_progress, &rounds, (int)(random_next(&random) % rounds->settings->life_ms_max));
        harness_kill(rounds->harness);
    }
    harness_start(rounds->harness);
    (void)pthread_mutex_lock(&rounds->mutex);
    rounds->over = true;
    (void)pthread_cond_broadcast(&rounds->news);
    (void)pthread_mutex_unlock(&rounds->mutex);
    for (unsigned i = 0; i < CLIENTS; i++)
        HARNESS_CHECK(pthread_join(clients[i].thread, NULL) == 0);
    (void)harness_wait(rounds->harness, nothing_waits, &rounds, SETTLE_MS);   /* what waits after that counts as lost */
    (void)harness_wait(rounds->harness, network_is_quiet, NULL, SETTLE_MS);
    if (harness_stop(rounds->harness, SETTLE_MS) != 0)
        harness_die("cellpostd did not stop cleanly");
}

/* -- judgement ------------------------------------------------------------------------------------------------ */

static struct sent_message *message_of(struct rounds *rounds, const char *to)
{
    unsigned long long number = strtoull(to + (to[0] == '+'), NULL, 10);

    if (number < FIRST_NUMBER || number - FIRST_NUMBER >= rounds->count)
        harness_die("a message to %s was never asked for", to);
    return &rounds->messages[number - FIRST_NUMBER];
}

static void judge_air(struct rounds *rounds)
{
    const struct witness *witness = &rounds->harness->witness;

    witness_read(&rounds->harness->witness);
    rounds->result->parts_on_air = (unsigned)witness->count;
    for (size_t i = 0; i < witness->count; i++) {
        const struct witness_part *part = &witness->parts[i];
        struct sent_message *message = message_of(rounds, part->to);
        unsigned index = part->total > 1 ? (unsigned)part->seq - 1 : 0;

        if (index >= PARTS_MAX || (unsigned)part->total != message->parts || strstr(message->text, part->text) == NULL)
            rounds->result->altered++;
        else if (message->on_air[index]++ == 1)
            rounds->result->doubled++;
    }
}

static bool was_whole_on_air(const struct rounds *rounds, unsigned number)
{
    const struct sent_message *message = &rounds->messages[number];

    for (unsigned i = 0; i < message->parts; i++)
        if (message->on_air[i] == 0)
            return false;
    return true;
}

/* Parts in order make the text. */
static bool text_is_right(struct rounds *rounds, unsigned number)
{
    char to[24], *text;
    bool right;

    for (unsigned i = 0; i < rounds->messages[number].parts; i++)
        if (rounds->messages[number].on_air[i] > 1)
            return true;   /* counted as doubled */
    (void)snprintf(to, sizeof to, "+%llu", (unsigned long long)FIRST_NUMBER + number);
    text = witness_text(&rounds->harness->witness, to);
    right = strcmp(text, rounds->messages[number].text) == 0;
    free(text);
    return right;
}

static bool is_broken(struct rounds *rounds, unsigned number, int state)
{
    switch (state) {
    case MESSAGE_SENT:
    case MESSAGE_DELIVERED:
        return !was_whole_on_air(rounds, number);
    case MESSAGE_UNKNOWN:
        return false;
    default:
        return true;   /* nothing in this rig refuses, expires or cancels */
    }
}

static sqlite3_stmt *query(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        harness_die("%s: %s", sql, sqlite3_errmsg(db));
    return stmt;
}

static void judge_messages(struct rounds *rounds, sqlite3 *db)
{
    sqlite3_stmt *stmt = query(db, "SELECT to_number, state FROM message");
    bool *seen = calloc(rounds->count + 1, sizeof *seen);

    HARNESS_CHECK(seen != NULL);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        unsigned number = (unsigned)(message_of(rounds, (const char *)sqlite3_column_text(stmt, 0)) - rounds->messages);
        int state = sqlite3_column_int(stmt, 1);

        if (seen[number])
            rounds->result->doubled++;   /* accepted twice: the Idempotency-Key did not hold */
        seen[number] = true;
        rounds->result->states[state & 15]++;
        if (rounds->messages[number].acknowledged && is_broken(rounds, number, state))
            rounds->result->lost++;
        else if (was_whole_on_air(rounds, number) && !text_is_right(rounds, number))
            rounds->result->altered++;
    }
    (void)sqlite3_finalize(stmt);
    for (unsigned i = 0; i < rounds->count; i++) {
        rounds->result->lost += rounds->messages[i].acknowledged && !seen[i];
        rounds->result->messages += rounds->messages[i].acknowledged;
        rounds->result->parts += rounds->messages[i].acknowledged ? rounds->messages[i].parts : 0;
    }
    free(seen);
}

static void judge_attempts(struct rounds *rounds, sqlite3 *db)
{
    sqlite3_stmt *stmt = query(db, "SELECT to_number, part FROM attempt JOIN message ON message.id = message_id WHERE attempt.state = 5");

    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const struct sent_message *message = message_of(rounds, (const char *)sqlite3_column_text(stmt, 0));
        int part = sqlite3_column_int(stmt, 1);

        HARNESS_CHECK(part >= 0 && part < PARTS_MAX);
        if (message->on_air[part] > 0)
            rounds->result->unknown_sent++;
        else
            rounds->result->unknown_unsent++;
    }
    (void)sqlite3_finalize(stmt);
    stmt = query(db, "SELECT sum(parts - (SELECT count(DISTINCT part) FROM attempt WHERE message_id = message.id AND state IN (2, 5)))"
                     " FROM message WHERE state = 10");
    HARNESS_CHECK(sqlite3_step(stmt) == SQLITE_ROW);
    rounds->result->withheld = (unsigned)sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
}

void kill_rounds_run(const struct kill_settings *settings, struct kill_result *ret_result)
{
    char air[16];
    struct harness_options options = { .modems = settings->modems, .bank = { "--air-ms", air, "--air-jitter-ms", "10", "--boot-ms", "0",
                                       "--register-ms", "0", "--report-ms", "100" } };
    struct rounds rounds = { .settings = settings, .result = ret_result, .mutex = PTHREAD_MUTEX_INITIALIZER,
                             .news = PTHREAD_COND_INITIALIZER };
    sqlite3 *db = NULL;

    *ret_result = (struct kill_result){ 0 };
    (void)snprintf(air, sizeof air, "%u", settings->air_ms);
    rounds.messages = calloc(MESSAGES_MAX, sizeof *rounds.messages);
    HARNESS_CHECK(rounds.messages != NULL);
    rounds.harness = harness_new(&options);
    run_rounds(&rounds);
    judge_air(&rounds);
    if (sqlite3_open_v2(rounds.harness->database, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        harness_die("%s: %s", rounds.harness->database, sqlite3_errmsg(db));
    judge_messages(&rounds, db);
    judge_attempts(&rounds, db);
    (void)sqlite3_close(db);
    rounds.harness->passed = ret_result->lost == 0 && ret_result->doubled == 0 && ret_result->altered == 0;
    harness_free(rounds.harness);
    free(rounds.messages);
}

json_t *kill_result_json(const struct kill_settings *settings, const struct kill_result *result)
{
    json_t *states = json_object();

    for (int state = MESSAGE_SCHEDULED; state <= MESSAGE_CANCELLED; state++)
        if (result->states[state] != 0)
            (void)json_object_set_new(states, message_state_name((enum message_state)state), json_integer(result->states[state]));
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:{s:i, s:i, s:i}, s:o}", "rounds",
                     (int)settings->rounds, "seed", (int)settings->seed, "modems", (int)settings->modems, "air_ms", (int)settings->air_ms,
                     "life_ms_max", (int)settings->life_ms_max, "requests", (int)result->requests, "retries", (int)result->retries,
                     "replays", (int)result->replays, "messages", (int)result->messages, "parts", (int)result->parts, "parts_on_air",
                     (int)result->parts_on_air, "lost", (int)result->lost, "doubled", (int)result->doubled, "altered",
                     (int)result->altered, "flagged_unknown", "really_sent", (int)result->unknown_sent, "not_sent",
                     (int)result->unknown_unsent, "parts_withheld", (int)result->withheld, "states", states);
}
