/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/zone_rule.h"

#include <errno.h>

#include "src/base/date.h"

#define DAY_S INT64_C(86400)

struct text { const char *at, *end; };

static bool next_is(struct text *text, char c)
{
    if (text->at == text->end || *text->at != c)
        return false;
    text->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Digits of at most three places. */
static bool read_number(struct text *text, int32_t min, int32_t max, int32_t *ret_number)
{
    const char *start = text->at;
    int32_t number = 0;

    while (text->at < text->end && is_digit(*text->at) && text->at - start < 3)
        number = number * 10 + (*text->at++ - '0');
    if (text->at == start || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(struct text *text, int32_t hours_max, int32_t *ret_s)
{
    int32_t hours, minutes = 0, seconds = 0;
    bool negative = next_is(text, '-');

    if (!negative)
        (void)next_is(text, '+');
    if (!read_number(text, 0, hours_max, &hours))
        return false;
    if (next_is(text, ':')) {
        if (!read_number(text, 0, 59, &minutes))
            return false;
        if (next_is(text, ':') && !read_number(text, 0, 59, &seconds))
            return false;
    }
    *ret_s = hours * 3600 + minutes * 60 + seconds;
    if (negative)
        *ret_s = -*ret_s;
    return true;
}

/* Three letters or more, or anything of letters, digits and signs in angle brackets. */
static bool skip_name(struct text *text)
{
    const char *start = text->at;
    bool quoted = next_is(text, '<');

    while (text->at < text->end && (is_letter(*text->at) || (quoted && (is_digit(*text->at) || *text->at == '+' || *text->at == '-'))))
        text->at++;
    if (quoted)
        return text->at - start >= 4 && next_is(text, '>');
    return text->at - start >= 3;
}

static bool read_date(struct text *text, struct zone_rule_date *ret_date)
{
    struct zone_rule_date date = { .kind = ZONE_RULE_DAY, .time_s = 7200 };
    int32_t number, week, weekday;

    if (!next_is(text, ','))
        return false;
    if (next_is(text, 'M')) {
        date.kind = ZONE_RULE_MONTH;
        if (!read_number(text, 1, 12, &number) || !next_is(text, '.') || !read_number(text, 1, 5, &week) || !next_is(text, '.') ||
            !read_number(text, 0, 6, &weekday))
            return false;
        date.month = (uint8_t)number;
        date.week = (uint8_t)week;
        date.weekday = (uint8_t)weekday;
    } else {
        if (next_is(text, 'J'))
            date.kind = ZONE_RULE_JULIAN;
        if (!read_number(text, date.kind == ZONE_RULE_JULIAN, 365, &number))
            return false;
        date.day = (uint16_t)number;
    }
    if (next_is(text, '/') && !read_time(text, 167, &date.time_s))
        return false;
    *ret_date = date;
    return true;
}

int zone_rule_parse(const char *string, size_t length, struct zone_rule *ret_rule)
{
    struct text text = { string, string + length };
    struct zone_rule rule = { 0 };
    int32_t west_s;

    if (!skip_name(&text) || !read_time(&text, 24, &west_s))
        return -EINVAL;
    rule.standard_s = -west_s;
    if (text.at != text.end) {
        rule.summer = true;
        rule.summer_s = rule.standard_s + 3600;
        if (!skip_name(&text))
            return -EINVAL;
        if (text.at < text.end && *text.at != ',') {
            if (!read_time(&text, 24, &west_s))
                return -EINVAL;
            rule.summer_s = -west_s;
        }
        /* Without dates the system would choose them: not ours to guess. */
        if (!read_date(&text, &rule.begins) || !read_date(&text, &rule.ends) || text.at != text.end)
            return -EINVAL;
    }
    *ret_rule = rule;
    return 0;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t date_day(const struct zone_rule_date *date, int64_t year)
{
    int64_t first, next, day;

    if (date->kind == ZONE_RULE_DAY)
        return date_to_days(year, 1, 1) + date->day;
    if (date->kind == ZONE_RULE_JULIAN)
        return date_to_days(year, 1, 1) + date->day - 1 + (is_leap(year) && date->day >= 60);
    first = date_to_days(year, date->month, 1);
    next = date->month == 12 ? date_to_days(year + 1, 1, 1) : date_to_days(year, date->month + 1u, 1);
    /* 1970-01-01 was a Thursday; counted from 28000 years before, so that no remainder is negative. */
    day = first + (date->weekday + 7 - (first + 4 + INT64_C(146097) * 70) % 7) % 7 + 7 * (date->week - 1);
    return day >= next ? day - 7 : day;
}

int32_t zone_rule_at(const struct zone_rule *rule, int64_t utc_s, int64_t *ret_end_s)
{
    int64_t last_s = INT64_MIN, end_s = INT64_MAX;
    int32_t offset_s = rule->standard_s;
    int year;
    unsigned month, day;

    *ret_end_s = INT64_MAX;
    if (!rule->summer)
        return rule->standard_s;
    date_from_days((utc_s + rule->standard_s - (utc_s + rule->standard_s < 0 ? DAY_S - 1 : 0)) / DAY_S, &year, &month, &day);
    /* Of the changes around the last one that was, and the first to come; their hours may lead a week out of their year. Where
     * summer ends as the next one begins, it is summer all the year. */
    for (int64_t y = year - 2; y <= year + 2; y++) {
        int64_t begins_s = date_day(&rule->begins, y) * DAY_S + rule->begins.time_s - rule->standard_s;
        int64_t ends_s = date_day(&rule->ends, y) * DAY_S + rule->ends.time_s - rule->summer_s;

        if (ends_s <= utc_s && ends_s > last_s) {
            last_s = ends_s;
            offset_s = rule->standard_s;
        }
        if (begins_s <= utc_s && begins_s >= last_s) {
            last_s = begins_s;
            offset_s = rule->summer_s;
        }
        if (ends_s > utc_s && ends_s < end_s)
            end_s = ends_s;
        if (begins_s > utc_s && begins_s < end_s)
            end_s = begins_s;
    }
    *ret_end_s = end_s;
    return offset_s;
}
