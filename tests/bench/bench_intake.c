/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_intake - durable messages per second, without any modem: POSTs of 1,000 recipients from one client and from
 * four; then how long the daemon takes to come up with all of them queued, and the memory it needs. */
#include "tests/bench/credits.h"
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 16
#define WAIT_MS 60000

struct client { struct harness *harness; pthread_t thread; unsigned posts, recipients; uint64_t first; };

static void *run_client(void *context)
{
    struct client *client = context;
    struct http *http = http_new(client->harness);

    for (unsigned i = 0; i < client->posts; i++)
        harness_send_many(http, client->first + (uint64_t)i * client->recipients, client->recipients,
                          "Your parcel arrives tomorrow between 9 and 12 o'clock.");
    http_free(http);
    return NULL;
}

static json_t *measure(struct harness *harness, unsigned clients, unsigned posts, unsigned recipients, uint64_t first)
{
    struct client threads[CLIENTS_MAX];
    uint64_t start_us = harness_now_us(), cpu_us = figures_cpu_us(harness->daemon.pid), took_us;
    unsigned messages = posts * recipients;

    for (unsigned i = 0; i < clients; i++) {
        threads[i] = (struct client){ .harness = harness, .posts = posts / clients + (i < posts % clients),
                                      .recipients = recipients, .first = first };
        first += (uint64_t)threads[i].posts * recipients;
        HARNESS_CHECK(pthread_create(&threads[i].thread, NULL, run_client, &threads[i]) == 0);
    }
    for (unsigned i = 0; i < clients; i++)
        HARNESS_CHECK(pthread_join(threads[i].thread, NULL) == 0);
    took_us = harness_now_us() - start_us;
    cpu_us = figures_cpu_us(harness->daemon.pid) - cpu_us;
    return json_pack("{s:i, s:i, s:f, s:f}", "clients", (int)clients, "messages", (int)messages, "messages_per_s",
                     messages * 1e6 / (double)took_us, "daemon_cpu_us_per_message", (double)cpu_us / messages);
}

int main(int argc, char **argv)
{
    unsigned posts = 50, recipients = 1000, clients = 4, credits = 0;
    const struct figures_option options[] = {
        { "posts", &posts, "in each of the two runs" },
        { "recipients", &recipients, "of each POST" },
        { "clients", &clients, "of the second run, at most 16" },
        { "credits", &credits, "1: the daemon has an account, and each message is paid for" },
        { NULL, NULL, NULL },
    };
    struct harness_options rig = { .ports = "/nonexistent/cellpost/modem*" };
    struct harness *harness;
    json_t *one, *many, *idle, *queued;
    uint64_t start_us;
    int64_t messages, captured;

    figures_options(argc, argv, "Measures how many messages are accepted per second, and a start with all of them queued.", options);
    if (clients == 0 || clients > CLIENTS_MAX || posts < clients)
        harness_die("1 to %d clients, and a POST for each", CLIENTS_MAX);
    harness = harness_new(&rig);
    if (credits != 0)
        credits_prepare(harness);
    harness_start(harness);
    idle = figures_memory(harness->daemon.pid);
    one = measure(harness, 1, posts, recipients, 40710000000u);
    many = measure(harness, clients, posts, recipients, 40720000000u);
    HARNESS_CHECK(harness_stop(harness, WAIT_MS) == 0);
    messages = harness_database_number(harness, "SELECT count(*) FROM message WHERE state = 2");
    HARNESS_CHECK(messages == json_number_at(one, "messages") + json_number_at(many, "messages"));
    if (credits != 0)
        credits_check(harness, &captured);
    start_us = harness_now_us();
    harness_start(harness);
    start_us = harness_now_us() - start_us;
    queued = figures_memory(harness->daemon.pid);
    harness_kill(harness);
    harness->passed = true;
    harness_free(harness);
    figures_print("intake", json_pack("{s:[o,o], s:b, s:i, s:i, s:o, s:{s:I, s:f, s:o}}", "runs", one, many, "credits", credits != 0, "recipients_per_post",
                                      (int)recipients, "goal_messages_per_s", 5000, "memory_empty", idle, "start_with_queue", "messages",
                                      (json_int_t)messages, "milliseconds_to_first_answer", (double)start_us / 1000, "memory", queued));
    return 0;
}
