/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_gsm7.h - characters <-> septets <-> octets: TS 23.038 6.1.2.1 (packing) and 6.2.1 (tables).
 *
 * locking, single: national language identifiers, 0 for the default alphabet and its extension. Reading takes any
 * value, since what a header names may be unknown or have no such table: the default is used then, as 6.2.1.2.4 says. */
#ifndef CELLPOST_SMS_GSM7_H
#define CELLPOST_SMS_GSM7_H

#include <stddef.h>
#include <stdint.h>

#define SMS_SEPTETS_MAX 160

/* In which tables a character stands: bit n for language n. */
struct sms_gsm7_tables { uint16_t locking, single; };
struct sms_gsm7_tables sms_gsm7_find(uint32_t code_point);

/* The one or two septets of a character; returns their number, 0 where these tables do not have it. */
size_t sms_gsm7_encode(uint32_t code_point, uint8_t locking, uint8_t single, uint8_t ret_septets[2]);

/* Septets to UTF-8, no NUL added; returns the octets written: at most 3 per septet. What stands for nothing: an escape
 * before another escape or at the end is a space (6.2.1.1 note 1), a code that a national table leaves empty is U+FFFD,
 * so that a loss can be seen and is not taken for a blank that somebody typed. */
size_t sms_gsm7_decode(const uint8_t *septets, size_t count, uint8_t locking, uint8_t single, char *ret_text);

/* count septets in octets from bit_offset (0..7) of the first one on. The other bits of ret_octets stay as they are, so
 * the caller clears them before. */
void sms_gsm7_pack(const uint8_t *septets, size_t count, size_t bit_offset, uint8_t *ret_octets);
void sms_gsm7_unpack(const uint8_t *octets, size_t bit_offset, size_t count, uint8_t *ret_septets);

#endif
