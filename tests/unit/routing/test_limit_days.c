/* SPDX-License-Identifier: Apache-2.0
 *
 * test_limit_days [DAYS [SEED]]: 500 days unless told; 10000 are the full run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/routing/limit_days.h"

int main(int argc, char **argv)
{
    uint64_t days = argc > 1 ? strtoull(argv[1], NULL, 10) : 500, seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    struct limit_days_result result = limit_days_run(seed, days);

    (void)printf("days %" PRIu64 " sims %" PRIu64 " sends %" PRIu64 " withdrawn %" PRIu64 " refused %" PRIu64 " restarts %" PRIu64
                 " reboots %" PRIu64 " jumps %" PRIu64 " boots_behind %" PRIu64 " exceeded %" PRIu64 " idle %" PRIu64 " waits_judged %" PRIu64
                 " limits_reached %" PRIu64 " text_bytes_max %" PRIu32 "\n",
                 result.days, result.sims, result.sends, result.withdrawn, result.refused, result.restarts, result.reboots, result.jumps,
                 result.boots_behind, result.exceeded, result.idle, result.waits_judged, result.limits_reached, result.text_bytes_max);
    if (result.exceeded + result.idle > 0)
        (void)fprintf(stderr, "the first: %s\n", result.first);
    /* A run in which nothing happened proves nothing. */
    if (result.sends < days || (days >= 100 && (result.waits_judged == 0 || result.jumps == 0 || result.boots_behind == 0 || result.limits_reached == 0)))
        return 1;
    return result.exceeded + result.idle > 0;
}
