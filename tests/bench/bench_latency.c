/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_latency - from a POST to the part at an idle modem: the client looks at its clock before the request, the bank
 * when it has AT+CMGS and the PDU (air time 0: that is when the network takes the part). So the figure includes the
 * request, the commits of message and intent, and the modem's prompt. */
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 10000

struct clocks { int64_t offset_us; uint64_t uncertain_us; };   /* ours minus the bank's */

static bool spare_was_unplugged(struct harness *harness, const void *context)
{
    return harness->witness.last_us > *(const uint64_t *)context;
}

/* The bank's clock: it writes the time of an unplugging, here of a modem that nobody uses, between two looks at ours. */
static struct clocks compare_clocks(struct harness *harness)
{
    struct clocks best = { 0, UINT64_MAX };

    for (int i = 0; i < 20; i++) {
        uint64_t last_us, before_us, after_us;

        witness_read(&harness->witness);
        last_us = harness->witness.last_us;
        before_us = harness_now_us();
        bank_tell_ok(harness, i % 2 == 0 ? "unplug 1" : "plug 1");
        after_us = harness_now_us();
        HARNESS_CHECK(harness_wait(harness, spare_was_unplugged, &last_us, WAIT_MS));
        if (after_us - before_us < best.uncertain_us) {
            best.uncertain_us = after_us - before_us;
            best.offset_us = (int64_t)(before_us + (after_us - before_us) / 2) - (int64_t)harness->witness.last_us;
        }
    }
    best.uncertain_us /= 2;
    return best;
}

static bool message_is_sent(struct harness *harness, const void *context)
{
    const uint64_t *answered = context;

    return harness->witness.answered > *answered;
}

int main(int argc, char **argv)
{
    unsigned count = 500, latency_ms = 2;
    const struct figures_option options[] = {
        { "messages", &count, "one after the other" },
        { "latency-ms", &latency_ms, "what a modem takes to answer a command" },
        { NULL, NULL, NULL },
    };
    char latency[16], ports[128], to[24], id[32];
    struct harness_options rig = { .modems = 2, .bank = { "--air-ms", "0", "--boot-ms", "0", "--register-ms", "0", "--report-ms", "60000",
                                   "--latency-ms", latency } };
    struct harness *harness;
    double *values_us, *request_us;
    struct clocks clocks;
    json_t *figures;

    figures_options(argc, argv, "Measures the time from a POST to the part at an idle modem.", options);
    (void)snprintf(latency, sizeof latency, "%u", latency_ms);
    values_us = calloc(count + 1, sizeof *values_us);
    request_us = calloc(count + 1, sizeof *request_us);
    HARNESS_CHECK(values_us != NULL && request_us != NULL);
    harness = harness_new(&rig);
    (void)snprintf(ports, sizeof ports, "%s/modem0", harness->modems);
    harness->options.ports = ports;
    harness_write_config(harness);
    harness_start(harness);
    HARNESS_CHECK(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    clocks = compare_clocks(harness);
    for (unsigned i = 0; i < count; i++) {
        uint64_t answered = harness->witness.answered, start_us;
        size_t parts = harness->witness.count;

        (void)snprintf(to, sizeof to, "+4071%07u", i);
        start_us = harness_now_us();
        harness_send(harness, to, "How fast?", id);
        request_us[i] = (double)(harness_now_us() - start_us);
        HARNESS_CHECK(harness_wait(harness, message_is_sent, &answered, WAIT_MS));
        HARNESS_CHECK(harness_wait_state(harness, id, "sent", WAIT_MS));   /* and its outcome is on disk: all is idle again */
        HARNESS_CHECK(harness->witness.count == parts + 1 && strcmp(harness->witness.parts[parts].to, to) == 0);
        values_us[i] = (double)((int64_t)harness->witness.parts[parts].t_us + clocks.offset_us - (int64_t)start_us);
    }
    figures = json_pack("{s:i, s:i, s:o, s:o, s:f, s:i}", "messages", (int)count, "modem_latency_ms", (int)latency_ms, "post_to_air_ms",
                        figures_latency(values_us, count), "post_to_202_ms", figures_latency(request_us, count), "clock_uncertain_ms",
                        (double)clocks.uncertain_us / 1000, "goal_p99_ms", 20);
    free(values_us);
    free(request_us);
    HARNESS_CHECK(harness_stop(harness, WAIT_MS) == 0);
    harness->passed = true;
    harness_free(harness);
    figures_print("latency", figures);
    return 0;
}
