/* SPDX-License-Identifier: Apache-2.0
 *
 * money.h - amounts as people write them, to and from millionths of their unit; exact, no floating point. */
#ifndef CELLPOST_BASE_MONEY_H
#define CELLPOST_BASE_MONEY_H

#include <stdint.h>

#define MONEY_CHARS 24

/* "12", "0.049": digits, and up to six more behind a point; 0 to max_micro. -EINVAL: *ret_wrong says what is wrong, as
 * "is negative" does, and *ret_micro is as it was. */
int money_parse(const char *text, int64_t max_micro, int64_t *ret_micro, const char **ret_wrong);

/* As short as it can be: "0.049", "12", "-3.5". */
void money_format(int64_t micro, char ret_text[MONEY_CHARS]);

/* As people write prices, with at least two decimals: "0.049", "12.00", "-3.50". */
void money_format_price(int64_t micro, char ret_text[MONEY_CHARS]);

#endif
