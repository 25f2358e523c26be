/* SPDX-License-Identifier: Apache-2.0
 *
 * modem_ussd.h - USSD strings as modems write them (3GPP TS 27.007 7.15, TS 23.038 5 and 6), without a modem: what goes out
 * by the family's coding, and what came in as text for people.
 *
 * Modems disagree about the coding of both, and what they say about it (dcs) is often wrong: the octets decide. */
#ifndef CELLPOST_MODEM_USSD_H
#define CELLPOST_MODEM_USSD_H

#include <stdbool.h>
#include <stddef.h>

#define MODEM_USSD_CODE_MAX 182          /* characters: TS 23.038 6.1.2.3, 160 octets */
#define MODEM_USSD_SENT_MAX 322          /* a code as it is sent, with its NUL */
#define MODEM_USSD_TEXT_MAX 1024         /* octets of UTF-8 with the NUL; what is longer is cut between characters */

enum modem_ussd_coding {
    USSD_PLAIN,                          /* *100# */
    USSD_PACKED,                         /* AA180C3602: septets, packed, in hexadecimal digits (Huawei) */
    USSD_CODING_COUNT
};
/* What a modem of this maker and model is asked in first. */
enum modem_ussd_coding modem_ussd_coding_of(const char *manufacturer, const char *model);
/* AT+CUSD=2 does it harm (HP un2420). */
bool modem_ussd_never_cancel(const char *model);

/* 1 to 182 of the characters 0-9 * # +: nothing else is ever sent. */
bool modem_ussd_is_code(const char *text);
/* code: as above. */
void modem_ussd_encode(enum modem_ussd_coding coding, const char *code, char ret_sent[MODEM_USSD_SENT_MAX]);

/* The text of a +CUSD: hexadecimal digits by the dcs (-1: none) and by what they hold, else characters. Always gives
 * sound UTF-8 without control characters but LF. Somewhere behind the text must be a NUL. */
void modem_ussd_decode(const char *text, size_t length, int dcs, char ret_text[MODEM_USSD_TEXT_MAX]);

#endif
