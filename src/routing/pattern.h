/* SPDX-License-Identifier: Apache-2.0
 *
 * pattern.h - the small language that answers of operators are read with. Its time is bounded by pattern times text. */
#ifndef CELLPOST_ROUTING_PATTERN_H
#define CELLPOST_ROUTING_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pattern_place { PATTERN_BALANCE, PATTERN_PARTS, PATTERN_DATE, PATTERN_CURRENCY, PATTERN_PLACES };

/* Octets of the text. */
struct pattern_find { bool found; size_t at, length; };
struct pattern_match { struct pattern_find places[PATTERN_PLACES]; };

/* What is wrong with a pattern: NULL, or a sentence without its subject; ret_at: the character, from 1. */
const char *pattern_check(const char *pattern, size_t *ret_at);
bool pattern_has(const char *pattern, enum pattern_place place);
/* The first place where it fits. The pattern is a good one. */
bool pattern_match(const char *pattern, const char *text, size_t length, struct pattern_match *ret_match);

/* "1.234,56", "1 234.56", "-0,50", "12": three digits behind a single sign are thousands, unless the whole is 0 or the currency
 * has three decimals. False: no amount, or too large. */
bool pattern_amount(const char *text, size_t length, bool three_decimals, int64_t *ret_micro);
bool pattern_day(const char *text, size_t length, int32_t *ret_day);
/* "EUR", a sign or a word for it. False: none. */
bool pattern_currency(const char *text, size_t length, char ret_code[4]);

#endif
