/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_kill - kill -9 at random moments under load: nothing lost, nothing twice. Ends with 1 where that does not hold. */
#include "tests/bench/figures.h"
#include "tests/bench/kill_rounds.h"

int main(int argc, char **argv)
{
    struct kill_settings settings = { .rounds = 50, .seed = 1, .modems = 4, .air_ms = 50, .life_ms_max = 1600 };
    const struct figures_option options[] = {
        { "rounds", &settings.rounds, "kills" },
        { "seed", &settings.seed, "of the moments" },
        { "modems", &settings.modems, "at work" },
        { "air-ms", &settings.air_ms, "time a part is on the air" },
        { "life-ms-max", &settings.life_ms_max, "the longest life of a daemon" },
        { NULL, NULL, NULL },
    };
    struct kill_result result;

    figures_options(argc, argv, "Kills the daemon at random moments and holds every message against what was on the air.", options);
    kill_rounds_run(&settings, &result);
    figures_print("kill", kill_result_json(&settings, &result));
    return verdict_is_kept(&result.verdict) ? 0 : 1;
}
