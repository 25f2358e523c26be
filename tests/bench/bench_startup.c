/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_startup - a start on a full queue: from exec to the answer of /healthz and to the first part on the air of a
 * simulated modem, and the memory then and 10,000 sends later. The same with 10,000 messages: the time to the first part should
 * not tell the two apart; memory differs by the queue, 56 octets and some room for each message. Each start is measured with the database in the page cache and, as after a reboot,
 * out of it. */
#include "tests/bench/figures.h"
#include "tests/bench/full_queue.h"
#include "tests/system/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS 120000
#define MODEMS 4

/* What is written stays, what can be read again from the disk goes. */
static void drop_from_cache(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    HARNESS_CHECK(fd >= 0 && fdatasync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
    (void)close(fd);
}

static bool enough_answered(struct harness *harness, const void *context)
{
    return harness->witness.answered >= *(const uint64_t *)context;
}

static double since_ms(uint64_t start_us)
{
    return (double)(harness_now_us() - start_us) / 1000;
}

static void start(struct harness *harness, double *ret_healthz_ms, double *ret_first_part_ms)
{
    uint64_t start_us = harness_now_us(), first;

    first = harness->witness.answered + 1;
    harness_spawn(harness);
    HARNESS_CHECK(harness_wait_answering(harness, WAIT_MS));
    *ret_healthz_ms = since_ms(start_us);
    HARNESS_CHECK(harness_wait(harness, enough_answered, &first, WAIT_MS));
    *ret_first_part_ms = since_ms(start_us);
}

static json_t *measure(const struct full_queue *wanted, unsigned sends)
{
    const struct harness_options rig = { .modems = MODEMS, .bank = { "--air-ms", "0", "--boot-ms", "0", "--register-ms", "0", "--latency-ms",
                                         "1", "--report-ms", "600000" } };
    struct harness *harness = harness_new(&rig);
    double cold_healthz_ms, cold_first_ms, healthz_ms, first_ms;
    json_t *started, *later, *figures;
    uint64_t start_us = harness_now_us(), enough;
    double written_ms;
    struct stat st;

    HARNESS_CHECK(mkdir(harness->state, 0700) == 0);
    full_queue_write(harness->database, wanted);
    written_ms = since_ms(start_us);
    HARNESS_CHECK(stat(harness->database, &st) == 0);

    drop_from_cache(harness->database);
    start(harness, &cold_healthz_ms, &cold_first_ms);
    harness_kill(harness);               /* so the next start has something to make up for */
    start(harness, &healthz_ms, &first_ms);
    started = figures_memory(harness->daemon.pid);
    enough = harness->witness.answered + sends;
    HARNESS_CHECK(harness_wait(harness, enough_answered, &enough, WAIT_MS));
    later = figures_memory(harness->daemon.pid);
    harness_kill(harness);
    figures = json_pack("{s:{s:I, s:I, s:I, s:I, s:I}, s:f, s:f, s:{s:f, s:f}, s:{s:f, s:f}, s:o, s:I, s:o}", "messages", "queued",
                        (json_int_t)wanted->queued, "sent", (json_int_t)wanted->sent, "unknown", (json_int_t)wanted->unknown, "scheduled",
                        (json_int_t)wanted->scheduled, "open", (json_int_t)wanted->open, "database_mib", (double)st.st_size / 1048576,
                        "written_in_ms", written_ms, "start_uncached", "healthz_ms", cold_healthz_ms, "first_part_ms", cold_first_ms,
                        "start", "healthz_ms", healthz_ms, "first_part_ms", first_ms, "memory_started", started, "sends",
                        (json_int_t)sends, "memory_later", later);
    harness->passed = true;
    harness_free(harness);
    return figures;
}

int main(int argc, char **argv)
{
    unsigned messages = 1000000, few = 10000, sends = 10000;
    const struct figures_option options[] = {
        { "messages", &messages, "queued; a tenth as many await reports, and others are unknown or scheduled" },
        { "few", &few, "queued in the run to compare with" },
        { "sends", &sends, "until memory is looked at again" },
        { NULL, NULL, NULL },
    };
    struct full_queue full, small;
    json_t *figures, *small_figures;

    figures_options(argc, argv, "Measures a start on a full queue.", options);
    full = (struct full_queue){ .queued = messages, .sent = messages / 10, .unknown = messages / 100, .scheduled = messages / 20, .open = 64 };
    small = (struct full_queue){ .queued = few + sends, .open = 64 };
    small_figures = measure(&small, sends);
    figures = measure(&full, sends);
    figures_print("startup", json_pack("{s:o, s:o, s:i}", "few", small_figures, "full", figures, "goal_ms", 2000));
    return 0;
}
