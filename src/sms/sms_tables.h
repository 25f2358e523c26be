/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_tables.h - the GSM 7-bit default alphabet and the national language tables of TS 23.038 6.2.1 and annex A, as
 * data. Language 0 is the default alphabet and its extension; 1..13 are the national language identifiers. */
#ifndef CELLPOST_SMS_TABLES_H
#define CELLPOST_SMS_TABLES_H

#include <stddef.h>
#include <stdint.h>

#define SMS_LANGUAGES 14
#define SMS_ESCAPE 0x1B

/* Which languages have a locking table: all but Spanish (2), bit n for language n. A single shift table: all. */
#define SMS_LANGUAGES_LOCKING 0x3FFBu
#define SMS_LANGUAGES_SINGLE 0x3FFFu

/* Code point at each code; 0 where the table has nothing (no table holds U+0000). */
extern const uint16_t sms_tables_locking[SMS_LANGUAGES][128];
extern const uint16_t sms_tables_single[SMS_LANGUAGES][128];

/* The way back, ordered by code point: where each character stands. table is the language, plus 10h for single shift. */
struct sms_tables_place { uint16_t code_point; uint8_t table, code; };
extern const struct sms_tables_place sms_tables_places[];
extern const size_t sms_tables_place_count;

#endif
