/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_marks.h - which characters belong to the one before them. */
#ifndef CELLPOST_SMS_MARKS_H
#define CELLPOST_SMS_MARKS_H

#include <stdbool.h>
#include <stdint.h>

/* Unicode general category M: accents, vowel signs, viramas, variation selectors. A message cut in front of one shows a
 * broken letter on the handset that gets only one half, and on those that show the parts one by one. */
bool sms_mark_is(uint32_t code_point);

#endif
