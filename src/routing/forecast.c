/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/forecast.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PRIOR_DAYS 0.5
#define SURPRISE 1.2                 /* of what an hour was expected to bring: the rest is a campaign, and says nothing about later hours */
#define VERSION "forecast1"

void forecast_init(struct forecast *forecast) { memset(forecast, 0, sizeof *forecast); }

void forecast_count(struct forecast *forecast, unsigned hour, unsigned parts)
{
    assert(hour < FORECAST_HOURS);
    if (parts > FORECAST_HOUR_PARTS_MAX - forecast->today[hour])
        parts = FORECAST_HOUR_PARTS_MAX - forecast->today[hour];
    forecast->today[hour] += parts;
}

void forecast_end_day(struct forecast *forecast, unsigned kind)
{
    assert(kind < FORECAST_KINDS);
    if (forecast->days[kind] < FORECAST_DAYS)
        forecast->days[kind]++;
    for (unsigned hour = 0; hour < FORECAST_HOURS; hour++) {
        int64_t mean = forecast->mean_milli[kind][hour], off = (int64_t)forecast->today[hour] * 1000 - mean;

        forecast->mean_milli[kind][hour] = (uint32_t)(mean + off / forecast->days[kind]);
        forecast->today[hour] = 0;
    }
}

double forecast_parts(const struct forecast *forecast, unsigned kind, unsigned hour)
{
    double sum = 0, seen = 0;

    assert(kind < FORECAST_KINDS && hour < FORECAST_HOURS);
    if (forecast->days[kind] > 0)
        return forecast->mean_milli[kind][hour] / 1000.0;
    for (unsigned i = 0; i < FORECAST_KINDS; i++)
        if (forecast->days[i] > 0) {
            sum += forecast->mean_milli[i][hour] / 1000.0;
            seen++;
        }
    return seen > 0 ? sum / seen : 0;
}

double forecast_factor(const struct forecast *forecast, unsigned kind, unsigned hours)
{
    double day = 0, expected = 0, came = 0, factor;

    assert(hours <= FORECAST_HOURS);
    for (unsigned hour = 0; hour < FORECAST_HOURS; hour++) {
        double parts = forecast_parts(forecast, kind, hour);

        day += parts;
        if (hour < hours) {
            expected += parts;
            came += forecast->today[hour] < SURPRISE * parts ? forecast->today[hour] : SURPRISE * parts;
        }
    }
    if (day <= 0)
        return 1;
    factor = (came + PRIOR_DAYS * day) / (expected + PRIOR_DAYS * day);
    return factor < 0.5 ? 0.5 : factor > 2 ? 2 : factor;
}

size_t forecast_save(const struct forecast *forecast, char ret_text[FORECAST_TEXT_MAX])
{
    size_t length = (size_t)snprintf(ret_text, FORECAST_TEXT_MAX, VERSION);

    for (unsigned kind = 0; kind < FORECAST_KINDS; kind++) {
        length += (size_t)snprintf(ret_text + length, FORECAST_TEXT_MAX - length, " %u", forecast->days[kind]);
        for (unsigned hour = 0; hour < FORECAST_HOURS && forecast->days[kind] > 0; hour++)
            length += (size_t)snprintf(ret_text + length, FORECAST_TEXT_MAX - length, " %lu", (unsigned long)forecast->mean_milli[kind][hour]);
    }
    for (unsigned hour = 0; hour < FORECAST_HOURS; hour++)
        length += (size_t)snprintf(ret_text + length, FORECAST_TEXT_MAX - length, " %lu", (unsigned long)forecast->today[hour]);
    assert(length < FORECAST_TEXT_MAX);
    return length;
}

/* A space and a number of at most `limit`. */
static bool take(const char **text, uint64_t limit, uint32_t *ret_value)
{
    uint64_t value = 0;
    const char *at = *text;

    if (*at++ != ' ' || *at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        if ((value = value * 10 + (uint64_t)(*at - '0')) > limit)
            return false;
    *ret_value = (uint32_t)value;
    *text = at;
    return true;
}

int forecast_load(const char *text, struct forecast *ret_forecast)
{
    struct forecast forecast;
    uint32_t days;

    forecast_init(&forecast);
    if (strncmp(text, VERSION, sizeof VERSION - 1) != 0)
        return -EINVAL;
    text += sizeof VERSION - 1;
    for (unsigned kind = 0; kind < FORECAST_KINDS; kind++) {
        if (!take(&text, FORECAST_DAYS, &days))
            return -EINVAL;
        forecast.days[kind] = (uint8_t)days;
        for (unsigned hour = 0; hour < FORECAST_HOURS && days > 0; hour++)
            if (!take(&text, FORECAST_HOUR_PARTS_MAX * UINT64_C(1000), &forecast.mean_milli[kind][hour]))
                return -EINVAL;
    }
    for (unsigned hour = 0; hour < FORECAST_HOURS; hour++)
        if (!take(&text, FORECAST_HOUR_PARTS_MAX, &forecast.today[hour]))
            return -EINVAL;
    if (*text != '\0')
        return -EINVAL;
    *ret_forecast = forecast;
    return 0;
}
