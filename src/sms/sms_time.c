/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_fields.h"

#include <errno.h>

/* Two swapped decimal digits. */
static bool read_two_digits(uint8_t octet, uint8_t *ret_value)
{
    if ((octet & 0x0F) > 9 || octet >> 4 > 9)
        return false;
    *ret_value = (uint8_t)((octet & 0x0F) * 10 + (octet >> 4));
    return true;
}

static uint8_t write_two_digits(unsigned value)
{
    return (uint8_t)(value % 10 << 4 | value / 10 % 10);
}

struct sms_time sms_time_read(const uint8_t octets[SMS_TIME_OCTETS])
{
    struct sms_time time = { .present = true };
    uint8_t year = 0, zone = 0;

    /* Bit 3 of the zone's first digit is its sign (9.2.3.11). */
    if (!read_two_digits(octets[0], &year) || !read_two_digits(octets[1], &time.month) ||
        !read_two_digits(octets[2], &time.day) || !read_two_digits(octets[3], &time.hour) ||
        !read_two_digits(octets[4], &time.minute) || !read_two_digits(octets[5], &time.second) ||
        !read_two_digits(octets[6] & 0xF7, &zone))
        return (struct sms_time){ 0 };
    time.year = (uint16_t)(2000 + year);
    time.tz_quarters = (int8_t)(octets[6] & 0x08 ? -(int)zone : (int)zone);
    return time;
}

static bool is_leap_year(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_date(const struct sms_time *time)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    if (time->month < 1 || time->month > 12 || time->day < 1 || time->hour > 23 || time->minute > 59 || time->second > 59)
        return false;
    return time->day <= days[time->month - 1] + (time->month == 2 && is_leap_year(time->year));
}

int sms_time_write(const struct sms_time *time, uint8_t ret_octets[SMS_TIME_OCTETS])
{
    unsigned zone = (unsigned)(time->tz_quarters < 0 ? -time->tz_quarters : time->tz_quarters);

    if (time->year < 2000 || time->year > 2099 || zone > 79 || !is_date(time))
        return -EINVAL;
    ret_octets[0] = write_two_digits(time->year - 2000u);
    ret_octets[1] = write_two_digits(time->month);
    ret_octets[2] = write_two_digits(time->day);
    ret_octets[3] = write_two_digits(time->hour);
    ret_octets[4] = write_two_digits(time->minute);
    ret_octets[5] = write_two_digits(time->second);
    ret_octets[6] = (uint8_t)(write_two_digits(zone) | (time->tz_quarters < 0 ? 0x08 : 0));
    return 0;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar, counted in years that begin with March. */
static int64_t days_from_date(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

int64_t sms_time_to_unix_s(const struct sms_time *time)
{
    if (!time->present || !is_date(time))
        return INT64_MIN;
    return days_from_date(time->year, time->month, time->day) * 86400 + time->hour * 3600 + time->minute * 60 +
           time->second - (int64_t)time->tz_quarters * 900;
}

struct sms_time sms_time_from_unix_s(int64_t unix_s, int8_t tz_quarters)
{
    struct sms_time time = { .present = true, .year = 2000, .month = 1, .tz_quarters = tz_quarters };
    int64_t local_s, days, second_of_day;

    if (unix_s < -INT64_C(100000000000) || unix_s > INT64_C(100000000000))   /* far outside, and the sum cannot overflow */
        return (struct sms_time){ 0 };
    local_s = unix_s + (int64_t)tz_quarters * 900;
    if (local_s < days_from_date(2000, 1, 1) * 86400 || local_s >= days_from_date(2100, 1, 1) * 86400)
        return (struct sms_time){ 0 };
    days = local_s / 86400;
    second_of_day = local_s % 86400;
    while (days_from_date(time.year + 1u, 1, 1) <= days)
        time.year++;
    while (time.month < 12 && days_from_date(time.year, time.month + 1u, 1) <= days)
        time.month++;
    time.day = (uint8_t)(days - days_from_date(time.year, time.month, 1) + 1);
    time.hour = (uint8_t)(second_of_day / 3600);
    time.minute = (uint8_t)(second_of_day / 60 % 60);
    time.second = (uint8_t)(second_of_day % 60);
    return time;
}

/* 9.2.3.12.1, in the order of the octet: from first on, each step is so many minutes more. */
static const struct vp_range { uint8_t first; uint32_t minutes, step_minutes; } vp_ranges[] = {
    { 0,   5,             5 },
    { 144, 12 * 60 + 30,  30 },
    { 168, 2 * 1440,      1440 },
    { 197, 5 * 7 * 1440,  7 * 1440 },
};

uint32_t sms_vp_to_minutes(uint8_t raw)
{
    size_t i = sizeof vp_ranges / sizeof vp_ranges[0] - 1;

    while (vp_ranges[i].first > raw)
        i--;
    return vp_ranges[i].minutes + (uint32_t)(raw - vp_ranges[i].first) * vp_ranges[i].step_minutes;
}

uint8_t sms_vp_from_minutes(uint32_t minutes)
{
    unsigned low = 0, high = 255;   /* the periods grow with the octet */

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (sms_vp_to_minutes((uint8_t)middle) >= minutes)
            high = middle;
        else
            low = middle + 1;
    }
    return (uint8_t)low;
}
