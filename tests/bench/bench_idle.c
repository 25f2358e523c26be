/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_idle - what the daemon costs while nothing happens: CPU and memory with many idle modems, default configuration. */
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define START_MS 60000

int main(int argc, char **argv)
{
    unsigned modems = 64, seconds = 70;
    const struct figures_option options[] = {
        { "modems", &modems, "that idle" },
        { "seconds", &seconds, "measured; each modem is polled once in 60" },
        { NULL, NULL, NULL },
    };
    struct harness_options rig = { .bank = { "--boot-ms", "0", "--register-ms", "0" } };
    struct timespec span = { 0 };
    struct harness *harness;
    uint64_t cpu_us, start_us, wall_us;
    json_t *memory, *figures, *stats;

    figures_options(argc, argv, "Measures CPU and memory with idle modems.", options);
    rig.modems = modems;
    span.tv_sec = (time_t)seconds;
    harness = harness_new(&rig);
    harness_start(harness);
    if (!harness_wait_modems(harness, "ready", modems, START_MS))
        harness_die("the modems do not become ready");
    bank_tell_ok(harness, "reset-stats");
    cpu_us = figures_cpu_us(harness->daemon.pid);
    start_us = harness_now_us();
    while (nanosleep(&span, &span) < 0 && errno == EINTR)   /* what is measured is the passing of time */
        continue;
    cpu_us = figures_cpu_us(harness->daemon.pid) - cpu_us;
    wall_us = harness_now_us() - start_us;
    memory = figures_memory(harness->daemon.pid);
    stats = bank_tell(harness, "stats");
    figures = json_pack("{s:i, s:f, s:f, s:f, s:f, s:f, s:o, s:i}", "modems", (int)modems, "seconds", (double)wall_us / 1e6, "cpu_ms",
                        (double)cpu_us / 1000, "cpu_share_of_one_core", (double)cpu_us / (double)wall_us,
                        "goal_cpu_share", 0.005, "at_lines_per_modem",
                        (double)json_number_at(json_object_get(stats, "all"), "at_lines") / modems, "memory",
                        memory, "goal_pss_kib", 16 * 1024);
    json_decref(stats);
    harness_kill(harness);
    harness->passed = true;
    harness_free(harness);
    figures_print("idle", figures);
    return 0;
}
