/* SPDX-License-Identifier: Apache-2.0
 *
 * api_time.c - times as the API writes and reads them: RFC 3339. No clock and no time zone of the machine is in it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/api/api_internal.h"
#include "src/base/date.h"

#define MS_PER_DAY INT64_C(86400000)
#define YEAR_0_MS INT64_C(-62167219200000)      /* 0000-01-01T00:00:00.000Z */
#define YEAR_9999_MS INT64_C(253402300799999)   /* 9999-12-31T23:59:59.999Z */

void api_time_format(int64_t at_ms, char ret_text[API_TIME_CHARS])
{
    int64_t days, rest;
    int year;
    unsigned month, day;
    char text[64];

    if (at_ms < YEAR_0_MS)
        at_ms = YEAR_0_MS;
    if (at_ms > YEAR_9999_MS)
        at_ms = YEAR_9999_MS;
    days = at_ms / MS_PER_DAY;
    rest = at_ms % MS_PER_DAY;
    if (rest < 0) {
        rest += MS_PER_DAY;
        days--;
    }
    date_from_days(days, &year, &month, &day);
    (void)snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", year, month, day, (int)(rest / 3600000),
                   (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
    memcpy(ret_text, text, API_TIME_CHARS - 1);
    ret_text[API_TIME_CHARS - 1] = '\0';
}

/* Exactly count digits; steps over them. */
static bool take_number(const char **text, unsigned count, unsigned max, unsigned *ret_value)
{
    unsigned value = 0;

    for (unsigned i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (unsigned)(c - '0');
    }
    if (value > max)
        return false;
    *text += count;
    *ret_value = value;
    return true;
}

static bool take_one_of(const char **text, const char *set)
{
    if (**text == '\0' || !strchr(set, **text))
        return false;
    (*text)++;
    return true;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

int api_time_parse(const char *text, int64_t *ret_at_ms)
{
    unsigned year, month, day, hour, minute, second, ms = 0, offset_hour = 0, offset_minute = 0;
    int64_t at_ms, offset_ms;
    bool west;

    if (!take_number(&text, 4, 9999, &year) || !take_one_of(&text, "-") || !take_number(&text, 2, 12, &month) ||
        !take_one_of(&text, "-") || !take_number(&text, 2, 31, &day) || !take_one_of(&text, "Tt ") ||
        !take_number(&text, 2, 23, &hour) || !take_one_of(&text, ":") || !take_number(&text, 2, 59, &minute) ||
        !take_one_of(&text, ":") || !take_number(&text, 2, 60, &second))   /* 60: a leap second is a time too */
        return -EINVAL;
    if (month == 0 || day == 0 || day > days_of_month(year, month))
        return -EINVAL;

    if (take_one_of(&text, ".")) {
        unsigned digit, weight = 100;
        if (*text < '0' || *text > '9')
            return -EINVAL;
        while (take_number(&text, 1, 9, &digit)) {
            ms += digit * weight;
            weight /= 10;
        }
    }

    west = *text == '-';
    if (take_one_of(&text, "+- ")) {
        if (!take_number(&text, 2, 23, &offset_hour) || !take_one_of(&text, ":") || !take_number(&text, 2, 59, &offset_minute))
            return -EINVAL;
    } else if (!take_one_of(&text, "Zz")) {
        return -EINVAL;
    }
    if (*text != '\0')
        return -EINVAL;

    offset_ms = ((int64_t)offset_hour * 60 + offset_minute) * 60000;
    at_ms = date_to_days((int64_t)year, month, day) * MS_PER_DAY + ((int64_t)hour * 3600 + minute * 60 + second) * 1000 + ms;
    *ret_at_ms = west ? at_ms + offset_ms : at_ms - offset_ms;
    return 0;
}

bool api_time_from_unix_s(int64_t unix_s, int64_t *ret_at_ms)
{
    if (unix_s <= 0 || unix_s > YEAR_9999_MS / 1000)
        return false;
    *ret_at_ms = unix_s * 1000;
    return true;
}

int api_time_parse_any(const char *text, int64_t *ret_at_ms)
{
    size_t digits = strspn(text, "0123456789");
    int64_t unix_s = 0;

    if (digits == 0 || text[digits] != '\0')
        return api_time_parse(text, ret_at_ms);
    if (digits > 12)
        return -EINVAL;
    for (size_t i = 0; i < digits; i++)
        unix_s = unix_s * 10 + (text[i] - '0');
    return api_time_from_unix_s(unix_s, ret_at_ms) ? 0 : -EINVAL;
}
