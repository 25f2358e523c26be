/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_rate - parts per second through one modem that takes no time at all: what the gateway itself costs, each part
 * with its intent and its outcome on disk. */
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 120000

static bool all_are_answered(struct harness *harness, const void *context)
{
    return harness->witness.answered >= *(const unsigned *)context;
}

int main(int argc, char **argv)
{
    unsigned count = 5000, latency_ms = 0;
    const struct figures_option options[] = {
        { "messages", &count, "of one part" },
        { "latency-ms", &latency_ms, "what a modem takes to answer a command" },
        { NULL, NULL, NULL },
    };
    char latency[16];
    struct harness_options rig = { .modems = 1, .bank = { "--air-ms", "0", "--boot-ms", "0", "--register-ms", "0", "--report-ms", "60000",
                                   "--latency-ms", latency } };
    struct harness *harness;
    uint64_t cpu_us, span_us;
    int64_t sent, intents;
    json_t *figures, *stats;

    figures_options(argc, argv, "Measures parts per second through one modem without air time.", options);
    (void)snprintf(latency, sizeof latency, "%u", latency_ms);
    harness = harness_new(&rig);
    harness_start(harness);
    HARNESS_CHECK(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    cpu_us = figures_cpu_us(harness->daemon.pid);
    for (unsigned done = 0; done < count; done += 1000)
        harness_send_many(harness->http, 40710000000u + done, count - done < 1000 ? count - done : 1000, "As fast as you can");
    HARNESS_CHECK(harness_wait(harness, all_are_answered, &count, WAIT_MS));
    cpu_us = figures_cpu_us(harness->daemon.pid) - cpu_us;
    HARNESS_CHECK(harness_stop(harness, WAIT_MS) == 0);
    HARNESS_CHECK(harness->witness.count == count);
    sent = harness_database_number(harness, "SELECT count(*) FROM attempt WHERE state = 2 AND done_ms > 0 AND mr >= 0");
    intents = harness_database_number(harness, "SELECT count(*) FROM attempt");
    HARNESS_CHECK(sent == (int64_t)count);
    span_us = harness->witness.parts[count - 1].t_us - harness->witness.parts[0].t_us;
    stats = bank_tell(harness, "stats");
    figures = json_pack("{s:i, s:i, s:f, s:i, s:I, s:I, s:f, s:O}", "parts", (int)count, "modem_latency_ms", (int)latency_ms, "parts_per_s",
                        (double)(count - 1) * 1e6 / (double)span_us, "goal_parts_per_s", 500, "outcomes_sent_in_database", (json_int_t)sent,
                        "attempts_in_database", (json_int_t)intents, "daemon_cpu_us_per_message", (double)cpu_us / count, "gap_us",
                        json_object_get(json_object_get(stats, "all"), "gap_us"));
    json_decref(stats);
    harness->passed = true;
    harness_free(harness);
    figures_print("rate", figures);
    return 0;
}
