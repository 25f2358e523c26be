/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_downgrade.h - typographic characters that word processors and phones put in, and what they stand for in plain
 * text. Letters are not in it: an accent left out can change a word. */
#ifndef CELLPOST_SMS_DOWNGRADE_H
#define CELLPOST_SMS_DOWNGRADE_H

#include <stdint.h>

#define SMS_DOWNGRADE_BYTES_MAX 4   /* of a replacement; never more octets than 2 times the original's */

/* ASCII to put in place of code_point ("" to leave it out), or NULL where it stays. */
const char *sms_downgrade_find(uint32_t code_point);

#endif
