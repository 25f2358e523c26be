/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_soak - faults of every kind at random moments under load, round after round: nothing lost, nothing twice. Ends with 1
 * where that does not hold. scripts/soak runs it. */
#include "tests/bench/figures.h"
#include "tests/bench/soak.h"

int main(int argc, char **argv)
{
    struct soak_settings settings = { .rounds = 1000, .seed = 1, .modems = 4, .air_ms = 50, .episode = 100, .send_timeout_ms = 1000 };
    const struct figures_option options[] = {
        { "rounds", &settings.rounds, "one fault each" },
        { "seed", &settings.seed, "of the faults and their moments" },
        { "modems", &settings.modems, "at work, up to 63" },
        { "air-ms", &settings.air_ms, "time a part is on the air" },
        { "episode", &settings.episode, "rounds until everything must settle, up to 1000" },
        { "send-timeout-ms", &settings.send_timeout_ms, "of the daemon, 1000 or more" },
        { "quiet", &settings.quiet, "1: no progress" },
        { NULL, NULL, NULL },
    };
    struct soak_result result;

    figures_options(argc, argv, "Faults of every kind at random moments; every message is held against what was on the air.", options);
    soak_run(&settings, &result);
    figures_print("soak", soak_result_json(&settings, &result));
    return verdict_is_kept(&result.verdict) ? 0 : 1;
}
