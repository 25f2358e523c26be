/* SPDX-License-Identifier: Apache-2.0 */
#include "src/gateway/sim_health.h"

#include <stddef.h>
#include <string.h>

#define SENT_TO_RECOVER 5                /* parts in a row that make the next rest a step shorter */
#define SECOND_US 1000000ull

/* Rests by cause, and how far they grow. A class that is not here is not the SIM's business. */
struct rest { enum error_class class; uint8_t steps; uint32_t rest_s[4]; };

static const struct rest rests[SIM_REST_CAUSES] = {
    { ERROR_SIM,        4, { 300, 900, 3600, 14400 } },
    { ERROR_CONGESTION, 4, { 60, 120, 300, 600 } },
    { ERROR_MODEM,      3, { 10, 30, 60, 0 } },
};

static const struct rest *rest_of(enum error_class class)
{
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++)
        if (rests[i].class == class)
            return &rests[i];
    return NULL;
}

void sim_health_sent(struct sim_health *health)
{
    health->streak = 0;
    if (++health->sent < SENT_TO_RECOVER)
        return;
    health->sent = 0;
    for (size_t i = 0; i < SIM_REST_CAUSES; i++)
        if (health->level[i] > 0)
            health->level[i]--;
}

/* True when this refusal makes the streak long enough. The same recipient again says nothing new. */
static bool streak_grows(struct sim_health *health, uint32_t recipient)
{
    for (uint8_t i = 0; i < health->streak; i++)
        if (health->recipients[i] == recipient)
            return false;
    health->recipients[health->streak++] = recipient;
    return health->streak == SIM_STREAK_MAX;
}

bool sim_health_refused(struct sim_health *health, enum error_class class, uint32_t recipient, uint64_t now_us)
{
    const struct rest *rest;
    uint8_t *level, step;

    if (class == ERROR_VARIES && streak_grows(health, recipient))
        class = ERROR_SIM;
    rest = rest_of(class);
    if (rest == NULL)
        return false;
    level = &health->level[rest - rests];
    step = *level < rest->steps ? *level : (uint8_t)(rest->steps - 1);
    health->rest_until_us = now_us + rest->rest_s[step] * SECOND_US;
    health->cause = class;
    health->streak = 0;
    health->sent = 0;
    if (*level < rest->steps)
        (*level)++;
    return class == ERROR_SIM;
}

bool sim_health_rests(const struct sim_health *health, uint64_t now_us)
{
    return health->rest_until_us > now_us;
}
