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
    health->refused.length = 0;
    if (++health->sent < SENT_TO_RECOVER)
        return;
    health->sent = 0;
    for (size_t i = 0; i < SIM_REST_CAUSES; i++)
        if (health->level[i] > 0)
            health->level[i]--;
}

/* True when this refusal makes the streak long enough. The same recipient again says nothing new. */
static bool streak_grows(struct sim_streak *streak, uint32_t recipient)
{
    for (uint8_t i = 0; i < streak->length; i++)
        if (streak->recipients[i] == recipient)
            return false;
    streak->recipients[streak->length++] = recipient;
    return streak->length == SIM_STREAK_MAX;
}

/* False: a class that is not the SIM's business. */
static bool begin_rest(struct sim_health *health, enum error_class class, uint64_t now_us)
{
    const struct rest *rest = rest_of(class);
    uint8_t *level, step;

    if (rest == NULL)
        return false;
    level = &health->level[rest - rests];
    step = *level < rest->steps ? *level : (uint8_t)(rest->steps - 1);
    health->rest_until_us = now_us + rest->rest_s[step] * SECOND_US;
    health->cause = class;
    health->refused.length = health->reported.length = 0;
    health->sent = 0;
    if (*level < rest->steps)
        (*level)++;
    return true;
}

bool sim_health_refused(struct sim_health *health, enum error_class class, uint32_t recipient, uint64_t now_us)
{
    if (class == ERROR_VARIES && streak_grows(&health->refused, recipient))
        class = ERROR_SIM;
    return begin_rest(health, class, now_us) && class == ERROR_SIM;
}

void sim_health_reported(struct sim_health *health, const struct tp_status *status, uint32_t recipient, uint64_t now_us)
{
    if (status->final && status->class == TP_CLASS_NONE)
        health->reported.length = 0;
    else if (status->class == TP_CLASS_VARIES && streak_grows(&health->reported, recipient))
        (void)begin_rest(health, ERROR_SIM, now_us);
}

bool sim_health_rests(const struct sim_health *health, uint64_t now_us)
{
    return health->rest_until_us > now_us;
}
