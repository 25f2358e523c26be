/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/when.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400

static const struct { char letter; int64_t s; } units[] = {
    { 'w', 7 * DAY_S }, { 'd', DAY_S }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 },
};
#define UNIT_COUNT (sizeof units / sizeof units[0])

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads all digits at *at; -EINVAL where there is none. Twelve digits hold every number that is in bounds anywhere here. */
static int read_digits(const char **at, int64_t *ret_number)
{
    int64_t number = 0;
    int count = 0;

    for (; is_digit(**at); (*at)++, count++) {
        if (count == 12)
            return -ERANGE;
        number = number * 10 + (**at - '0');
    }
    *ret_number = number;
    return count > 0 ? 0 : -EINVAL;
}

int duration_parse(const char *text, int64_t *ret_s)
{
    const char *at = text;
    int64_t total = 0, number;
    size_t next_unit = 0;

    do {
        int r = read_digits(&at, &number);
        if (r < 0)
            return r;
        if (*at == '\0' && next_unit == 0) {   /* no unit at all: seconds */
            total = number;
            break;
        }
        while (next_unit < UNIT_COUNT && units[next_unit].letter != *at)
            next_unit++;
        if (next_unit == UNIT_COUNT)
            return -EINVAL;
        if (number > DURATION_S_MAX / units[next_unit].s)
            return -ERANGE;
        total += number * units[next_unit++].s;
        at++;
    } while (*at != '\0');
    if (total > DURATION_S_MAX)
        return -ERANGE;
    *ret_s = total;
    return 0;
}

/* Reads exactly `count` digits. */
static int read_field(const char **at, int count, int *ret_number)
{
    int number = 0;

    for (int i = 0; i < count; i++, (*at)++) {
        if (!is_digit(**at))
            return -EINVAL;
        number = number * 10 + (**at - '0');
    }
    *ret_number = number;
    return 0;
}

/* "08:00" or "08:00:00" or "08:00:00.250"; -EINVAL also for what follows it, unless the caller looks for a zone. */
static int read_clock(const char **at, struct tm *clock, int *ret_ms)
{
    *ret_ms = 0;
    clock->tm_sec = 0;
    if (read_field(at, 2, &clock->tm_hour) < 0 || *(*at)++ != ':' || read_field(at, 2, &clock->tm_min) < 0)
        return -EINVAL;
    if (**at == ':') {
        (*at)++;
        if (read_field(at, 2, &clock->tm_sec) < 0)
            return -EINVAL;
        if (**at == '.') {
            int scale = 100;
            (*at)++;
            if (!is_digit(**at))
                return -EINVAL;
            for (; is_digit(**at); (*at)++, scale /= 10)
                *ret_ms += (**at - '0') * scale;
        }
    }
    return clock->tm_hour < 24 && clock->tm_min < 60 && clock->tm_sec < 60 ? 0 : -ERANGE;
}

/* "Z" or "+02:00" or "-0330". */
static int read_zone(const char **at, int *ret_offset_s)
{
    int hours, minutes, sign = **at == '-' ? -1 : 1;

    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        *ret_offset_s = 0;
        return 0;
    }
    if (**at != '+' && **at != '-')
        return -EINVAL;
    (*at)++;
    if (read_field(at, 2, &hours) < 0)
        return -EINVAL;
    if (**at == ':')
        (*at)++;
    if (read_field(at, 2, &minutes) < 0)
        return -EINVAL;
    *ret_offset_s = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60 ? 0 : -ERANGE;
}

/* mktime() and timegm() turn the 30th of February into the 2nd of March, and an hour that summer time skips into its
 * neighbour: a message must not go at a time nobody wrote, so what comes back has to be what went in. */
static int calendar_to_s(const struct tm *calendar, bool utc, int64_t *ret_s)
{
    struct tm filled = *calendar, back;

    filled.tm_isdst = -1;
    time_t s = utc ? timegm(&filled) : mktime(&filled);
    if ((utc ? gmtime_r(&s, &back) : localtime_r(&s, &back)) == NULL)
        return -ERANGE;
    if (back.tm_mday != calendar->tm_mday || back.tm_mon != calendar->tm_mon || back.tm_year != calendar->tm_year ||
        back.tm_hour != calendar->tm_hour || back.tm_min != calendar->tm_min)
        return -ERANGE;
    *ret_s = s;
    return 0;
}

static int parse_date(const char *text, bool utc, int64_t *ret_ms)
{
    struct tm calendar = { .tm_isdst = -1 };
    const char *at = text;
    int r, ms = 0, offset_s = 0;
    int64_t s;

    if (read_field(&at, 4, &calendar.tm_year) < 0 || *at++ != '-' || read_field(&at, 2, &calendar.tm_mon) < 0 || *at++ != '-' ||
        read_field(&at, 2, &calendar.tm_mday) < 0)
        return -EINVAL;
    calendar.tm_year -= 1900;
    calendar.tm_mon -= 1;
    if (*at == 'T' || *at == 't' || *at == ' ') {
        at++;
        r = read_clock(&at, &calendar, &ms);
        if (r < 0)
            return r;
        if (*at != '\0') {
            r = read_zone(&at, &offset_s);
            if (r < 0)
                return r;
            utc = true;
        }
    }
    if (*at != '\0')
        return -EINVAL;
    r = calendar_to_s(&calendar, utc, &s);
    if (r < 0)
        return r;
    *ret_ms = (s - offset_s) * 1000 + ms;
    return 0;
}

/* A bare clock time: of today, or of the neighbouring day where today's is not on the wanted side of now. */
static int parse_clock(const char *text, enum when_sense sense, int64_t now_ms, bool utc, int64_t *ret_ms)
{
    struct tm clock = { 0 }, day;
    const char *at = text;
    time_t now_s = (time_t)(now_ms / 1000);
    int ms, r = read_clock(&at, &clock, &ms);
    int64_t s;

    if (r < 0)
        return r;
    if (*at != '\0' || (utc ? gmtime_r(&now_s, &day) : localtime_r(&now_s, &day)) == NULL)
        return -EINVAL;
    for (int step = 0; step <= 1; step++) {
        struct tm noon = { .tm_year = day.tm_year, .tm_mon = day.tm_mon, .tm_hour = 12, .tm_isdst = -1,
                           .tm_mday = day.tm_mday + (sense == WHEN_NEXT ? step : -step) };
        (void)(utc ? timegm(&noon) : mktime(&noon));   /* carries the 32nd into the next month */
        noon.tm_hour = clock.tm_hour;
        noon.tm_min = clock.tm_min;
        noon.tm_sec = clock.tm_sec;
        r = calendar_to_s(&noon, utc, &s);
        if (r < 0)
            return r;
        *ret_ms = s * 1000 + ms;
        if (sense == WHEN_NEXT ? *ret_ms > now_ms : *ret_ms <= now_ms)
            return 0;
    }
    return -ERANGE;
}

int when_parse(const char *text, enum when_sense sense, int64_t now_ms, bool utc, int64_t *ret_ms)
{
    size_t digits = strspn(text, "0123456789");
    int64_t number = 0, ms = 0;
    int r;

    if (strcmp(text, "now") == 0) {
        *ret_ms = now_ms;
        return 0;
    }
    if (text[0] == '@') {
        const char *at = text + 1;
        r = read_digits(&at, &number);
        if (r == 0 && *at != '\0')
            r = -EINVAL;
        ms = number * 1000;
    } else if (digits == 4 && text[4] == '-') {
        r = parse_date(text, utc, &ms);
    } else if (digits == 2 && text[2] == ':') {
        r = parse_clock(text, sense, now_ms, utc, &ms);
    } else {
        bool ago = text[0] == '-' || (text[0] != '+' && sense == WHEN_LAST);
        bool unit = text[0] != '\0' && !is_digit(text[strlen(text) - 1]);
        /* Bare digits could be seconds, a year or a time without its colon: better asked than guessed. */
        r = unit && !(text[0] == '-' && sense == WHEN_NEXT) ? duration_parse(text + (digits == 0), &number) : -EINVAL;
        ms = ago ? now_ms - number * 1000 : now_ms + number * 1000;
    }
    if (r < 0)
        return r;
    *ret_ms = ms;
    return 0;
}

void when_format(int64_t ms, bool utc, char ret_text[WHEN_TEXT_MAX])
{
    time_t s = (time_t)(ms / 1000);
    struct tm calendar;

    if (ms == 0 || (utc ? gmtime_r(&s, &calendar) : localtime_r(&s, &calendar)) == NULL ||
        strftime(ret_text, WHEN_TEXT_MAX, utc ? "%Y-%m-%d %H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", &calendar) == 0)
        (void)snprintf(ret_text, WHEN_TEXT_MAX, "-");
}

void when_format_rfc3339(int64_t ms, char ret_text[WHEN_TEXT_MAX])
{
    time_t s = (time_t)(ms / 1000);
    struct tm calendar = { 0 };
    char seconds[24];

    (void)gmtime_r(&s, &calendar);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &calendar);
    (void)snprintf(ret_text, WHEN_TEXT_MAX, "%s.%03dZ", seconds, (int)(ms % 1000));
}

void duration_format(int64_t ms, char ret_text[WHEN_TEXT_MAX])
{
    /* From which length on, in which two units. */
    static const struct { int64_t from_s, large_s, small_s; char large, small; } forms[] = {
        { DAY_S, DAY_S, 3600, 'd', 'h' }, { 3600, 3600, 60, 'h', 'm' }, { 60, 60, 1, 'm', 's' },
    };
    int64_t s = ms > 0 ? ms / 1000 : 0;

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (s < forms[i].from_s)
            continue;
        (void)snprintf(ret_text, WHEN_TEXT_MAX, "%lld%c %lld%c", (long long)(s / forms[i].large_s), forms[i].large,
                       (long long)(s % forms[i].large_s / forms[i].small_s), forms[i].small);
        return;
    }
    (void)snprintf(ret_text, WHEN_TEXT_MAX, "%llds", (long long)s);
}
