/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_simulation - what the simulation costs: parts per second with all their commits, without and with faults, and an hour in
 * which nothing happens. */
#include "tests/bench/figures.h"
#include "tests/system/harness.h"

#include <stdio.h>
#include <stdlib.h>

#define RUN_MS_MAX 900000

static json_t *simulate(const char *hours, const char *seeds, const char *option, const char *value)
{
    char path[512], *out = NULL, *err = NULL;
    const char *argv[] = { path, "--seeds", seeds, "--hours", hours, option, value, NULL };
    json_error_t error;
    json_t *figures;

    harness_program("cellpost-simulate", path, sizeof path);
    if (process_run(argv, RUN_MS_MAX, &out, &err) != 0)
        harness_die("%s: %s%s", path, out != NULL ? out : "", err != NULL ? err : "");
    figures = json_loads(out, 0, &error);
    if (figures == NULL)
        harness_die("%s prints no JSON: %s", path, error.text);
    free(out);
    free(err);
    return figures;
}

static double number_of(json_t *figures, const char *key)
{
    return json_number_value(json_object_get(figures, key));
}

int main(int argc, char **argv)
{
    unsigned seeds = 20, idle_hours = 1000;
    char last[32], hours[32];
    const struct figures_option options[] = {
        { "seeds", &seeds, "of one hour each, with faults" },
        { "idle-hours", &idle_hours, "in which nothing happens" },
        { NULL, NULL, NULL },
    };
    json_t *busy, *faulty, *idle;

    figures_options(argc, argv, "Measures the simulation on this machine, on one core.", options);
    (void)snprintf(last, sizeof last, "1-%u", seeds);
    (void)snprintf(hours, sizeof hours, "%u", idle_hours);
    busy = simulate("1", "1-3", "--busy", NULL);
    faulty = simulate("1", last, NULL, NULL);
    idle = simulate(hours, "1-1", "--idle", NULL);
    figures_print("simulation", json_pack("{s:f, s:i, s:f, s:f, s:f, s:f, s:f}", "parts_per_s", number_of(busy, "parts_per_s"), "goal_parts_per_s",
                                          5000, "parts_per_s_with_faults", number_of(faulty, "parts_per_s"), "seeds_per_minute",
                                          60 * number_of(faulty, "runs") / number_of(faulty, "wall_s"), "virtual_hours_per_s_with_faults",
                                          number_of(faulty, "virtual_hours") / number_of(faulty, "wall_s"), "idle_hours",
                                          number_of(idle, "virtual_hours"), "ms_per_idle_hour",
                                          1000 * number_of(idle, "wall_s") / number_of(idle, "virtual_hours")));
    json_decref(busy);
    json_decref(faulty);
    json_decref(idle);
    return 0;
}
