/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/full_queue.h"

#include "src/store/store.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 1000u                      /* messages of one request, and changes of one commit */
#define SIMS 64u
#define DAY_MS INT64_C(86400000)

static const char text[] = "Your parcel arrives tomorrow between 9 and 12 o'clock. Reply STOP to end.";

struct filling { struct store *store; int64_t now_ms; uint32_t seed; };

static void apply(struct filling *filling, struct store_change *list)
{
    int r = store_apply(filling->store, list);

    for (const struct store_change *change = list; r == 0 && change != NULL; change = change->next)
        r = change->result;
    if (r < 0)
        harness_die("the database cannot be filled: %s", strerror(-r));
    filling->now_ms++;
}

static struct store_change *new_change(const struct filling *filling, enum change_kind kind)
{
    struct store_change *change = change_new(kind, filling->now_ms);

    HARNESS_CHECK(change != NULL);
    return change;
}

/* The first of their ids; they follow each other. */
static int64_t accept_batch(struct filling *filling, unsigned count, int64_t due_ms)
{
    struct store_change *change = new_change(filling, CHANGE_ACCEPT);
    struct change_accept *accept = &change->u.accept;
    int64_t first;

    (void)snprintf(accept->actor, sizeof accept->actor, "key:bench");
    accept->messages = calloc(count, sizeof *accept->messages);
    HARNESS_CHECK(accept->messages != NULL);
    accept->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct accept_message *message = &accept->messages[i];

        filling->seed = filling->seed * 1664525u + 1013904223u;
        (void)snprintf(message->to, sizeof message->to, "+4070%07u", (filling->seed >> 8) % 10000000u);
        message->text = strdup(text);
        HARNESS_CHECK(message->text != NULL);
        message->text_length = sizeof text - 1;
        message->coding.parts = 1;
        message->priority = (uint8_t)(MESSAGE_PRIORITY_DEFAULT + (filling->seed >> 30) - 1);
        message->message_class = -1;
        message->report = true;
        message->due_ms = due_ms;
        message->expire_ms = filling->now_ms + 2 * DAY_MS;
    }
    apply(filling, change);
    first = accept->messages[0].id;
    change_free(change);
    return first;
}

/* Hands messages to modems; outcome 0: none comes. */
static void hand_over(struct filling *filling, int64_t first_id, unsigned count, enum attempt_state outcome)
{
    struct store_change *intents = NULL, *outcomes = NULL, **tail = &intents;

    for (unsigned i = 0; i < count; i++) {
        struct store_change *change = new_change(filling, CHANGE_INTENT);

        change->u.intent.message_id = first_id + i;
        change->u.intent.sim_id = change->u.intent.modem_id = 1 + i % SIMS;
        *tail = change;
        tail = &change->next;
    }
    apply(filling, intents);
    tail = &outcomes;
    for (const struct store_change *intent = intents; outcome != 0 && intent != NULL; intent = intent->next) {
        struct store_change *change = new_change(filling, CHANGE_OUTCOME);

        change->u.outcome.attempt_id = intent->u.intent.attempt_id;
        change->u.outcome.state = outcome;
        change->u.outcome.mr = outcome == ATTEMPT_SENT ? (int)(intent->u.intent.attempt_id / SIMS & 0xFF) : -1;
        change->u.outcome.code = -1;
        *tail = change;
        tail = &change->next;
    }
    if (outcomes != NULL)
        apply(filling, outcomes);
    change_free_list(intents);
    change_free_list(outcomes);
}

static void fill(struct filling *filling, unsigned count, bool handed_over, enum attempt_state outcome, int64_t due_ms)
{
    for (unsigned done = 0; done < count; done += BATCH) {
        unsigned now = count - done < BATCH ? count - done : BATCH;
        int64_t first = accept_batch(filling, now, due_ms);

        if (handed_over)
            hand_over(filling, first, now, outcome);
    }
}

void full_queue_write(const char *path, const struct full_queue *wanted)
{
    struct filling filling = { .seed = 1 };
    struct timespec now;
    char error[512];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    filling.now_ms = (int64_t)now.tv_sec * 1000 - 60000;
    if (store_open(path, NULL, "fu11", &filling.store, error, sizeof error) < 0)
        harness_die("%s", error);
    fill(&filling, wanted->sent, true, ATTEMPT_SENT, 0);
    fill(&filling, wanted->unknown, true, ATTEMPT_UNKNOWN, 0);
    fill(&filling, wanted->scheduled, false, (enum attempt_state)0, filling.now_ms + DAY_MS);
    fill(&filling, wanted->queued, false, (enum attempt_state)0, 0);
    fill(&filling, wanted->open, true, (enum attempt_state)0, 0);
    store_close(filling.store);
}
