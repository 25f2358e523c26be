/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_wear - what one message costs the card: commits, syncs and bytes from acceptance to its report. Each of its four steps
 * (accept, intent, outcome, report) is committed alone, and together with the same step of 15 and of 127 others. The store
 * holds messages from before, so that its tables and indexes are of a size as in the field. */
#include "tests/bench/figures.h"

#include "src/store/store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW_MS INT64_C(1790000000000)
#define SIM 1
#define TEXT "Your appointment is tomorrow at 9:30. Please call us if you cannot come."

struct wear { struct store *store; int64_t now_ms; uint64_t number; };

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "bench_wear: %s\n", what);
    exit(1);
}

/* Commits the list, whose changes the caller still holds. */
static void commit(struct wear *wear, struct store_change *const changes[], unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        changes[i]->next = i + 1 < count ? changes[i + 1] : NULL;
    check(store_apply(wear->store, changes[0]) == 0, "a commit failed");
    for (unsigned i = 0; i < count; i++) {
        check(changes[i]->result == 0, "a change was refused");
        changes[i]->next = NULL;
    }
    wear->now_ms += 1000;
}

static struct store_change *step(struct wear *wear, enum change_kind kind)
{
    struct store_change *change = change_new(kind, wear->now_ms);

    check(change != NULL, "no memory");
    return change;
}

static struct store_change *accept_one(struct wear *wear)
{
    struct store_change *change = step(wear, CHANGE_ACCEPT);
    struct accept_message *message = calloc(1, sizeof *message);
    char key[32];

    check(message != NULL, "no memory");
    change->u.accept.messages = message;
    change->u.accept.count = 1;
    (void)snprintf(change->u.accept.actor, sizeof change->u.accept.actor, "key:bench");
    (void)snprintf(key, sizeof key, "%016llx", (unsigned long long)(wear->number * UINT64_C(0x9E3779B97F4A7C15)));
    change->u.accept.idempotency_key = strdup(key);
    (void)snprintf(message->to, sizeof message->to, "+407%08llu", (unsigned long long)(wear->number * 7919 % 100000000));
    message->text = strdup(TEXT);
    message->text_length = sizeof TEXT - 1;
    message->coding.parts = 1;
    message->priority = MESSAGE_PRIORITY_DEFAULT;
    message->message_class = -1;
    message->report = true;
    message->expire_ms = wear->now_ms + 86400000;
    wear->number++;
    return change;
}

/* So many messages through their whole life, each step of all of them in one commit. */
static void live(struct wear *wear, unsigned count)
{
    struct store_change *accepts[128], *changes[128];
    int64_t attempts[128];

    for (unsigned i = 0; i < count; i++)
        accepts[i] = accept_one(wear);
    commit(wear, accepts, count);
    for (unsigned i = 0; i < count; i++) {
        changes[i] = step(wear, CHANGE_INTENT);
        changes[i]->u.intent.message_id = accepts[i]->u.accept.messages[0].id;
        changes[i]->u.intent.sim_id = changes[i]->u.intent.modem_id = SIM + i % 16;
    }
    commit(wear, changes, count);
    for (unsigned i = 0; i < count; i++) {
        attempts[i] = changes[i]->u.intent.attempt_id;
        change_free(changes[i]);
        changes[i] = step(wear, CHANGE_OUTCOME);
        changes[i]->u.outcome.attempt_id = attempts[i];
        changes[i]->u.outcome.state = ATTEMPT_SENT;
        changes[i]->u.outcome.mr = (int)(attempts[i] / 16 % 256);
        changes[i]->u.outcome.code = -1;
    }
    commit(wear, changes, count);
    for (unsigned i = 0; i < count; i++) {
        change_free(changes[i]);
        changes[i] = step(wear, CHANGE_REPORT);
        changes[i]->u.report.sim_id = SIM + i % 16;
        changes[i]->u.report.mr = (uint8_t)(attempts[i] / 16 % 256);
        changes[i]->u.report.scts_ms = changes[i]->u.report.discharge_ms = wear->now_ms / 1000 * 1000;
        (void)snprintf(changes[i]->u.report.recipient, sizeof changes[i]->u.report.recipient, "%s",
                       accepts[i]->u.accept.messages[0].to);
    }
    commit(wear, changes, count);
    for (unsigned i = 0; i < count; i++) {
        check(changes[i]->u.report.message_state == MESSAGE_DELIVERED, "a report met no message");
        change_free(changes[i]);
        change_free(accepts[i]);
    }
}

static json_t *measure(struct wear *wear, unsigned messages, unsigned together)
{
    struct store_stats before = store_stats(wear->store), after;
    double n = messages / together * together;

    for (unsigned i = 0; i < messages / together; i++)
        live(wear, together);
    after = store_stats(wear->store);
    return json_pack("{s:i, s:f, s:f, s:f, s:f, s:f}", "together", (int)together, "commits", (double)(after.commits - before.commits) / n,
                     "syncs", (double)(after.syncs - before.syncs) / n, "wal_bytes",
                     (double)(after.wal_bytes_written - before.wal_bytes_written) / n, "checkpoint_bytes",
                     (double)(after.bytes_written - before.bytes_written - (after.wal_bytes_written - before.wal_bytes_written)) / n,
                     "bytes", (double)(after.bytes_written - before.bytes_written) / n);
}

int main(int argc, char **argv)
{
    static const char *const files[] = { "", "-wal", "-shm" };
    unsigned before = 50000, messages = 4096;
    const struct figures_option options[] = {
        { "before", &before, "messages in the store when the measuring begins" },
        { "messages", &messages, "measured for each way to commit" },
        { NULL, NULL, NULL },
    };
    char dir[] = "/tmp/cellpost-wear-XXXXXX", path[64], file[80], error[512];
    struct wear wear = { .now_ms = NOW_MS };
    json_t *alone, *by_16, *by_128;

    figures_options(argc, argv, "Measures what a message costs the disk.", options);
    check(mkdtemp(dir) != NULL, "no folder");
    (void)snprintf(path, sizeof path, "%s/cellpost.db", dir);
    if (store_open(path, NULL, "wear", &wear.store, error, sizeof error) < 0)
        check(false, error);
    for (unsigned i = 0; i < before / 128; i++)
        live(&wear, 128);
    alone = measure(&wear, messages, 1);
    by_16 = measure(&wear, messages, 16);
    by_128 = measure(&wear, messages, 128);
    store_close(wear.store);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(file, sizeof file, "%s%s", path, files[i]);
        (void)unlink(file);
    }
    (void)rmdir(dir);
    figures_print("wear", json_pack("{s:I, s:[o, o, o], s:i}", "before", (json_int_t)before, "per_message", alone, by_16, by_128,
                                    "goal_bytes", 40000));
    return 0;
}
