/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/kill_rounds.h"

#include "tests/bench/settle.h"

#include <stdio.h>

#define CLIENTS 3
#define BACKLOG_PARTS 60u      /* enough for all modems, little to clear in the end */
#define SETTLE_MS 120000

static void run_rounds(const struct kill_settings *settings, struct load *load)
{
    struct harness *harness = load->harness;
    uint64_t random = random_seeded(settings->seed);

    load_start(load);
    for (unsigned i = 0; i < settings->rounds; i++) {
        harness_spawn(harness);
        (void)harness_wait(harness, settle_watch, &load, (int)(random_next(&random) % settings->life_ms_max));
        harness_kill(harness);
    }
    harness_start(harness);
    load_end(load);
    (void)harness_wait(harness, settle_nothing_waits, &load, SETTLE_MS);   /* what waits after that counts as lost */
    (void)harness_wait(harness, settle_network_is_quiet, NULL, SETTLE_MS);
    if (harness_stop(harness, SETTLE_MS) != 0)
        harness_die("cellpostd did not stop cleanly");
}

void kill_rounds_run(const struct kill_settings *settings, struct kill_result *ret_result)
{
    const struct load_settings load_settings = { .seed = settings->seed, .clients = CLIENTS, .backlog_parts = BACKLOG_PARTS };
    char air[16];
    struct harness_options options = { .modems = settings->modems, .bank = { "--air-ms", air, "--air-jitter-ms", "10", "--boot-ms", "0",
                                       "--register-ms", "0", "--report-ms", "100" } };
    struct harness *harness;
    struct load load;

    (void)snprintf(air, sizeof air, "%u", settings->air_ms);
    harness = harness_new(&options);
    load_init(&load, harness, &load_settings);
    run_rounds(settings, &load);
    *ret_result = (struct kill_result){ .requests = load.requests, .retries = load.retries, .replays = load.replays };
    verdict_reach(&ret_result->verdict, &load);
    for (unsigned i = 0; i < ret_result->verdict.sentence_count; i++)
        (void)fprintf(stderr, "%s\n", ret_result->verdict.sentences[i]);
    harness->passed = verdict_is_kept(&ret_result->verdict);
    harness_free(harness);
    load_done(&load);
}

json_t *kill_result_json(const struct kill_settings *settings, const struct kill_result *result)
{
    const struct verdict *verdict = &result->verdict;

    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:{s:i, s:i, s:i}, s:o}", "rounds",
                     (int)settings->rounds, "seed", (int)settings->seed, "modems", (int)settings->modems, "air_ms", (int)settings->air_ms,
                     "life_ms_max", (int)settings->life_ms_max, "requests", (int)result->requests, "retries", (int)result->retries,
                     "replays", (int)result->replays, "messages", (int)verdict->messages, "parts", (int)verdict->parts, "parts_on_air",
                     (int)verdict->parts_on_air, "lost", (int)verdict->lost, "doubled", (int)verdict->doubled, "altered",
                     (int)verdict->altered, "strange", (int)verdict->strange, "flagged_unknown", "really_sent", (int)verdict->unknown_sent,
                     "not_sent", (int)verdict->unknown_unsent, "parts_withheld", (int)verdict->withheld, "states", verdict_states(verdict));
}
