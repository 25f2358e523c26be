/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_busy - how busy modems are while work always waits: the share of time with a part on the air, as the bank of
 * simulated modems saw it, and what a modem waits between +CMGS/OK of one part and AT+CMGS of the next. */
#include "tests/bench/credits.h"
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_NUMBER 40710000000u
#define RECIPIENTS_MAX 1000u
#define START_MS 60000

struct settings { unsigned modems, air_ms, jitter_percent, latency_ms, seconds, disk_ms, credits; };

static struct harness *open_rig(const struct settings *settings)
{
    static char air[16], jitter[16], latency[16], preload[300], delay[64];
    struct harness_options options = { .modems = settings->modems, .bank = { "--air-ms", air, "--air-jitter-ms", jitter, "--latency-ms",
                                       latency, "--boot-ms", "0", "--register-ms", "0", "--report-ms", "500" } };
    struct harness *harness;

    (void)snprintf(air, sizeof air, "%u", settings->air_ms);
    (void)snprintf(jitter, sizeof jitter, "%u", settings->air_ms * settings->jitter_percent / 100);
    (void)snprintf(latency, sizeof latency, "%u", settings->latency_ms);
    harness = harness_new(&options);
    if (settings->disk_ms > 0) {
        (void)snprintf(preload, sizeof preload, "LD_PRELOAD=%s/slow_disk.so", harness->bin);
        (void)snprintf(delay, sizeof delay, "CELLPOST_SLOW_DISK_MS=%u", settings->disk_ms);
        harness->options.environment[0] = preload;
        harness->options.environment[1] = delay;
    }
    if (settings->credits != 0)
        credits_prepare(harness);
    harness_start(harness);
    if (!harness_wait_modems(harness, "ready", settings->modems, START_MS))
        harness_die("the modems do not become ready");
    return harness;
}

static bool time_is_over(struct harness *harness, const void *context)
{
    return harness->witness.last_us >= *(const uint64_t *)context;
}

static json_t *run(const struct settings *settings)
{
    struct harness *harness = open_rig(settings);
    /* More than can go: half as much again, and what goes while it is handed in. */
    unsigned parts = (unsigned)((uint64_t)settings->modems * (settings->seconds + 10) * 1500 / settings->air_ms) + 100;
    double *shares = calloc(settings->modems, sizeof *shares);
    uint64_t end_us, cpu_us, start_us, waited = 0;
    json_t *stats, *modem, *all, *figures;
    int64_t captured = 0;
    size_t i;

    HARNESS_CHECK(shares != NULL);
    for (unsigned sent = 0; sent < parts; sent += RECIPIENTS_MAX)
        harness_send_many(harness->http, FIRST_NUMBER + sent, parts - sent < RECIPIENTS_MAX ? parts - sent : RECIPIENTS_MAX,
                          "Work that waits: a bulk message of one part, some 70 characters long.");
    /* Warm: each modem has had several parts since the last request. */
    witness_read(&harness->witness);
    HARNESS_CHECK(harness_wait_parts(harness, harness->witness.count + 3 * settings->modems, START_MS));
    bank_tell_ok(harness, "reset-stats");
    cpu_us = figures_cpu_us(harness->daemon.pid);
    start_us = harness_now_us();
    end_us = harness->witness.last_us + settings->seconds * 1000000ull;
    HARNESS_CHECK(harness_wait(harness, time_is_over, &end_us, (int)settings->seconds * 1000 + START_MS));
    stats = bank_tell(harness, "stats");
    cpu_us = figures_cpu_us(harness->daemon.pid) - cpu_us;
    start_us = harness_now_us() - start_us;
    waited = (uint64_t)harness_database_number(harness, "SELECT count(*) FROM message WHERE state IN (2, 3)");
    HARNESS_CHECK(waited >= settings->modems);   /* else the modems had no work at the end and the figure says nothing */
    json_array_foreach (json_object_get(stats, "modems"), i, modem)
        shares[i] = json_number_value(json_object_get(modem, "busy_share"));
    all = json_object_get(stats, "all");
    figures = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:O, s:O, s:O, s:I, s:f}", "modems", (int)settings->modems, "air_ms",
                        (int)settings->air_ms, "jitter_percent", (int)settings->jitter_percent, "latency_ms", (int)settings->latency_ms,
                        "seconds", (int)settings->seconds, "disk_ms", (int)settings->disk_ms, "busy_share_median",
                        figures_quantile(shares, settings->modems, 0.5), "busy_share_min", figures_quantile(shares, settings->modems, 0),
                        "goal", settings->modems > 8 ? 0.97 : 0.99, "gap_us", json_object_get(all, "gap_us"), "parts_per_s",
                        json_object_get(all, "parts_per_s"), "at_lines_per_part", json_object_get(all, "lines_per_part"), "parts",
                        json_number_at(all, "accepted"), "daemon_cpu_share", (double)cpu_us / (double)start_us);
    HARNESS_CHECK(figures != NULL);
    json_decref(stats);
    free(shares);
    harness_kill(harness);
    if (settings->credits != 0)
        credits_check(harness, &captured);
    HARNESS_CHECK(json_object_set_new(figures, "parts_paid", json_integer(captured)) == 0);
    harness->passed = true;
    harness_free(harness);
    return figures;
}

int main(int argc, char **argv)
{
    static const unsigned modems[] = { 1, 8, 64 }, jitters[] = { 0, 20 };
    unsigned only_modems = 0, only_jitter = 1000;
    struct settings settings = { .air_ms = 200, .latency_ms = 0, .seconds = 20 };
    const struct figures_option options[] = {
        { "modems", &only_modems, "so many modems; 0: 1, 8 and 64" },
        { "air-ms", &settings.air_ms, "time a part is on the air" },
        { "jitter-percent", &only_jitter, "of the air time, more or less; 1000: without and with 20" },
        { "latency-ms", &settings.latency_ms, "what a modem takes to answer a command" },
        { "seconds", &settings.seconds, "measured" },
        { "credits", &settings.credits, "1: the daemon has an account, and each part is paid for" },
        { "disk-ms", &settings.disk_ms, "each sync of the disk takes so much longer" },
        { NULL, NULL, NULL },
    };
    json_t *runs = json_array();

    figures_options(argc, argv, "Measures how busy modems are while work waits.", options);
    for (size_t i = 0; i < sizeof modems / sizeof modems[0]; i++)
        for (size_t j = 0; j < sizeof jitters / sizeof jitters[0]; j++) {
            if ((only_modems != 0 && i > 0) || (only_jitter != 1000 && j > 0))
                continue;
            settings.modems = only_modems != 0 ? only_modems : modems[i];
            settings.jitter_percent = only_jitter != 1000 ? only_jitter : jitters[j];
            (void)json_array_append_new(runs, run(&settings));
        }
    figures_print("busy", json_pack("{s:o}", "runs", runs));
    return 0;
}
