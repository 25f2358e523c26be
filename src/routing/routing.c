/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/routing.h"

#include <string.h>

const struct routing_sim *routing_sim(const struct routing *routing, const char *iccid)
{
    for (size_t i = 0; i < routing->sim_count; i++)
        if (strcmp(routing->sims[i].iccid, iccid) == 0)
            return &routing->sims[i];
    return &routing->sim_default;
}

const struct zone *routing_zone(const struct routing *routing, const char *name)
{
    for (size_t i = 0; i < routing->zone_count; i++)
        if (strcmp(routing->zones[i].name, name) == 0)
            return routing->zones[i].zone;
    return NULL;
}
