/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_words.h - the words that the command line and its JSON use for what src/sms has as numbers. */
#ifndef CELLPOST_CLI_SMS_WORDS_H
#define CELLPOST_CLI_SMS_WORDS_H

#include "src/sms/sms_pdu.h"
#include "src/sms/sms_split.h"

/* "gsm7", "8bit", "ucs2". */
const char *sms_words_alphabet(enum sms_alphabet alphabet);

/* ISO 639-1 code of a national language identifier; NULL for 0 and for what is not assigned. */
const char *sms_words_language(uint8_t language);

/* "deliver", "submit", "status-report"; NULL or false for anything else. */
const char *sms_words_direction(enum sms_direction direction);
bool sms_words_parse_direction(const char *word, enum sms_direction *ret_direction);

/* "auto", "gsm7", "ucs2". */
bool sms_words_parse_encoding(const char *word, enum sms_encoding *ret_encoding);

/* "tr,es": the bits for sms_split_options.national. False where a code is unknown or the list is empty. */
bool sms_words_parse_national(const char *list, uint16_t *ret_national);

/* Decimal digits only, at most max. */
bool sms_words_parse_number(const char *word, uint32_t max, uint32_t *ret_number);

#endif
