/* SPDX-License-Identifier: Apache-2.0
 *
 * bearer_words.h - prices and limits of the API as people read them. */
#ifndef CELLPOST_CLI_BEARER_WORDS_H
#define CELLPOST_CLI_BEARER_WORDS_H

#include <jansson.h>
#include <stddef.h>

#define MONEY_WORDS_MAX 48
#define LIMIT_WORDS_MAX 256

/* An amount of the API with at least two decimals, "0.10" of "0.1"; what is no amount stays as it is, cut to fit. */
const char *amount_words(const char *amount, char ret_text[MONEY_WORDS_MAX]);
/* "0.049 EUR"; "" for NULL. */
const char *money_words(json_t *money, char ret_text[MONEY_WORDS_MAX]);
/* Of one limit: "3/100", without a limit "3"; "" for NULL. */
const char *limit_words(json_t *limit, char ret_text[LIMIT_WORDS_MAX]);
/* Of all that are set: "per_day 3/100, spend_per_month 1.20/5.00 EUR". */
const char *limits_words(json_t *limits, char ret_text[LIMIT_WORDS_MAX]);

#endif
