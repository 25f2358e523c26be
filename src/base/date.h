/* SPDX-License-Identifier: Apache-2.0
 *
 * date.h - dates of the Gregorian calendar to and from days since 1970-01-01. */
#ifndef CELLPOST_BASE_DATE_H
#define CELLPOST_BASE_DATE_H

#include <stdint.h>

#define DATE_CHARS 16

int64_t date_to_days(int64_t year, unsigned month, unsigned day);
void date_from_days(int64_t days, int *ret_year, unsigned *ret_month, unsigned *ret_day);

/* "2026-02-28". -EINVAL: no such day, or written otherwise. */
int date_parse(const char *text, int32_t *ret_days);
/* Of the years 0 to 9999. */
void date_format(int32_t days, char ret_text[DATE_CHARS]);

#endif
