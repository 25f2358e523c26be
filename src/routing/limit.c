/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/limit.h"

#include <errno.h>
#include <string.h>

#include "src/base/money.h"

#define DAY_MINUTES 1440
#define EVERY_DAY 0x7F
#define SPEND_MICRO_MAX INT64_C(1000000000000000)

const char *limit_name(enum limit_kind kind)
{
    static const char *const names[LIMIT_KINDS] = {
        [LIMIT_NONE] = "",
        [LIMIT_ROAMING] = "roaming",
        [LIMIT_PARKED] = "park_failures",
        [LIMIT_GAP] = "gap",
        [LIMIT_MINUTE] = "per_minute",
        [LIMIT_HOUR] = "per_hour",
        [LIMIT_DAY] = "per_day",
        [LIMIT_MONTH] = "per_month",
        [LIMIT_RECIPIENTS_DAY] = "recipients_per_day",
        [LIMIT_RECIPIENTS_MONTH] = "recipients_per_month",
        [LIMIT_HOURS] = "hours",
        [LIMIT_SPEND_DAY] = "spend_per_day",
        [LIMIT_SPEND_MONTH] = "spend_per_month",
    };

    return (unsigned)kind < LIMIT_KINDS ? names[kind] : "";
}

static int wrong(const char **ret_wrong, const char *phrase)
{
    *ret_wrong = phrase;
    return -EINVAL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int limit_parse_count(const char *text, uint32_t *ret_count, const char **ret_wrong)
{
    uint32_t count = 0;

    if (!is_digit(*text))
        return wrong(ret_wrong, "is not a whole number");
    for (; is_digit(*text); text++)
        count = count > LIMIT_COUNT_MAX ? count : count * 10 + (uint32_t)(*text - '0');
    if (*text != '\0')
        return wrong(ret_wrong, "is not a whole number");
    if (count == 0)
        return wrong(ret_wrong, "is 0, which would never send: leave the key out for no limit");
    if (count > LIMIT_COUNT_MAX)
        return wrong(ret_wrong, "is above 1000000");
    *ret_count = count;
    return 0;
}

int limit_parse_spend(const char *text, int64_t *ret_micro, const char **ret_wrong)
{
    int64_t micro = 0;

    if (money_parse(text, SPEND_MICRO_MAX, &micro, ret_wrong) < 0)
        return -EINVAL;
    if (micro == 0)
        return wrong(ret_wrong, "is 0, which would never send: leave the key out for no limit");
    *ret_micro = micro;
    return 0;
}

int limit_parse_percent(const char *text, uint8_t *ret_percent, const char **ret_wrong)
{
    unsigned percent = 0, digits = 0;

    for (; is_digit(*text) && digits < 4; text++, digits++)
        percent = percent * 10 + (unsigned)(*text - '0');
    if (*text == '%')
        text++;
    if (digits == 0 || *text != '\0')
        return wrong(ret_wrong, "is not a share such as 50%");
    if (percent < 1 || percent > 100)
        return wrong(ret_wrong, "is not 1 to 100 percent");
    *ret_percent = (uint8_t)percent;
    return 0;
}

/* -- hours ---------------------------------------------------------------------------------------------------- */

static const char *skip_spaces(const char *text)
{
    return text + strspn(text, " \t");
}

/* "08:00"; "24:00" ends a day. */
static bool read_minute(const char **text, unsigned *ret_minute)
{
    const char *at = *text;
    unsigned hour, minute;

    if (!is_digit(at[0]) || !is_digit(at[1]) || at[2] != ':' || !is_digit(at[3]) || !is_digit(at[4]))
        return false;
    hour = (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
    minute = (unsigned)(at[3] - '0') * 10 + (unsigned)(at[4] - '0');
    if (minute > 59 || hour * 60 + minute > DAY_MINUTES)
        return false;
    *ret_minute = hour * 60 + minute;
    *text = at + 5;
    return true;
}

static bool read_day(const char **text, unsigned *ret_day)
{
    static const char names[7][4] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

    for (unsigned i = 0; i < 7; i++)
        if (strncmp(*text, names[i], 3) == 0) {
            *ret_day = i;
            *text += 3;
            return true;
        }
    return false;
}

/* "mon-fri sun"; also "sat-mon". */
static bool read_days(const char **text, uint8_t *days)
{
    unsigned first, last;

    while (**text != '\0' && **text != ',') {
        if (!read_day(text, &first))
            return false;
        last = first;
        if (**text == '-') {
            ++*text;
            if (!read_day(text, &last))
                return false;
        }
        for (unsigned day = first;; day = (day + 1) % 7) {
            *days |= (uint8_t)(1u << day);
            if (day == last)
                break;
        }
        if (**text != '\0' && **text != ',' && **text != ' ' && **text != '\t')
            return false;
        *text = skip_spaces(*text);
    }
    return true;
}

static bool add_hours(struct limit_rules *rules, unsigned from, unsigned until, uint8_t days)
{
    if (from == until)   /* a range until midnight has nothing behind it */
        return true;
    if (rules->hours_count == LIMIT_HOURS_MAX)
        return false;
    rules->hours[rules->hours_count++] = (struct limit_hours){ (uint16_t)from, (uint16_t)until, days };
    return true;
}

int limit_parse_hours(const char *text, struct limit_rules *rules, const char **ret_wrong)
{
    struct limit_rules read = { 0 };

    text = skip_spaces(text);
    if (*text == '\0')
        return wrong(ret_wrong, "is empty");
    for (;;) {
        unsigned from, until;
        uint8_t days = 0;
        bool fits;

        if (!read_minute(&text, &from) || *text != '-')
            return wrong(ret_wrong, "has hours that are not written as 08:00-20:00");
        text++;
        if (!read_minute(&text, &until))
            return wrong(ret_wrong, "has hours that are not written as 08:00-20:00");
        if (from == until)
            return wrong(ret_wrong, "has hours that end as they begin: all day is 00:00-24:00");
        if (from == DAY_MINUTES)
            return wrong(ret_wrong, "has hours that begin at 24:00: write 00:00 of the next day");
        if (*text != '\0' && *text != ',' && *text != ' ' && *text != '\t')
            return wrong(ret_wrong, "has hours that are not written as 08:00-20:00");
        text = skip_spaces(text);
        if (!read_days(&text, &days))
            return wrong(ret_wrong, "has a day that is not one of mon tue wed thu fri sat sun, or two of them as mon-fri");
        if (days == 0)
            days = EVERY_DAY;
        if (from < until)
            fits = add_hours(&read, from, until, days);
        else   /* over midnight: the rest is of the days after */
            fits = add_hours(&read, from, DAY_MINUTES, days) && add_hours(&read, 0, until, (uint8_t)((days << 1 | days >> 6) & EVERY_DAY));
        if (!fits)
            return wrong(ret_wrong, "has more than 8 ranges of hours (one over midnight is two)");
        if (*text == '\0')
            break;
        text = skip_spaces(text + 1);
    }
    memcpy(rules->hours, read.hours, sizeof rules->hours);
    rules->hours_count = read.hours_count;
    return 0;
}
