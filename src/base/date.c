/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/date.h"

#include <errno.h>
#include <stdio.h>

/* Years begin in March, so that the leap day is the last. */
int64_t date_to_days(int64_t year, unsigned month, unsigned day)
{
    int64_t era, year_of_era, day_of_year;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    year_of_era = year - era * 400;
    day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void date_from_days(int64_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day)
{
    int64_t era, day_of_era, year_of_era, day_of_year, month;

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    *ret_day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (unsigned)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

int date_parse(const char *text, int32_t *ret_days)
{
    int year = 0, year_back;
    unsigned month = 0, day = 0, month_back, day_back;
    int64_t days;

    for (unsigned i = 0; i < 10; i++) {
        int digit = text[i] - '0';

        if (i == 4 || i == 7) {
            if (text[i] != '-')
                return -EINVAL;
            continue;
        }
        if (digit < 0 || digit > 9)
            return -EINVAL;
        if (i < 4)
            year = year * 10 + digit;
        else if (i < 7)
            month = month * 10 + (unsigned)digit;
        else
            day = day * 10 + (unsigned)digit;
    }
    if (text[10] != '\0' || month < 1 || month > 12 || day < 1)
        return -EINVAL;
    /* A day that its month does not have comes back as one of the next. */
    days = date_to_days(year, month, day);
    date_from_days(days, &year_back, &month_back, &day_back);
    if (month_back != month || day_back != day)
        return -EINVAL;
    *ret_days = (int32_t)days;
    return 0;
}

void date_format(int32_t days, char ret_text[DATE_CHARS])
{
    int year;
    unsigned month, day;

    date_from_days(days, &year, &month, &day);
    (void)snprintf(ret_text, DATE_CHARS, "%04u-%02u-%02u", (unsigned)year % 10000, month % 100, day % 100);
}
