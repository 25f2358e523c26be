/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_split.h - one text into the fewest parts: the choice of alphabet and the cuts (TS 23.038, TS 23.040 9.2.3.24).
 *
 * Units are septets (2 for an extension character) or UTF-16 code units (2 for a surrogate pair). A cut never goes
 * through an extension pair or a surrogate pair; nor between a character and the combining marks (Unicode category M)
 * that follow it, where that costs no part.
 * Ownership: the plan holds offsets into the text it was made from (the one after downgrading, which the plan owns).
 * Errors: 0 or a negative errno; on error *ret_error is a static sentence and the plan is empty. */
#ifndef CELLPOST_SMS_SPLIT_H
#define CELLPOST_SMS_SPLIT_H

#include "src/sms/sms_pdu.h"

enum sms_encoding { SMS_ENCODING_AUTO, SMS_ENCODING_GSM7, SMS_ENCODING_UCS2 };

#define SMS_PARTS_DEFAULT 10
#define SMS_PARTS_MAX 255
#define SMS_SPLIT_BYTES_MAX (16u << 20)  /* longer texts are not even counted */
#define SMS_SPLIT_CHANGES_MAX 32         /* kinds of replacement that are listed; more are made all the same */

struct sms_split_options {
    enum sms_encoding encoding;
    uint16_t national;                   /* bit n set: national language n (1..13) may be used. 0: none */
    bool downgrade;                      /* typographic characters to plain ones, where that helps (the table) */
    bool ref16;                          /* 16-bit concatenation reference */
    uint8_t port_bits;                   /* 0, 8 or 16: the port element takes room in each part */
    uint16_t parts_max;                  /* 0: SMS_PARTS_MAX. More only to show how an over-long text would be cut */
};

struct sms_split_part { uint32_t offset, length; uint16_t units; };   /* octets in text; units */

/* from: a code point; to_text: its replacement, "" where it was left out; to: the first character of that, or 0. */
struct sms_split_change { uint32_t from, to; uint32_t count; char to_text[8]; };

struct sms_split {
    enum sms_alphabet alphabet;
    uint8_t locking, single;             /* national languages chosen, 0 none */
    uint32_t units;                      /* of the whole text */
    uint16_t count;                      /* parts; 1 for the empty text */
    uint16_t units_left;                 /* free in the last part */
    struct sms_split_part *parts;        /* count of them */
    char *text; uint32_t text_length;    /* what will be sent: UTF-8, NUL-terminated, after downgrading */
    uint16_t change_count;
    struct sms_split_change changes[SMS_SPLIT_CHANGES_MAX]; /* what downgrading replaced, by first appearance */
};

/* Chooses by real parts: GSM-7; GSM-7 with an allowed national table if that saves a part; UCS-2.
 * -EILSEQ: text is no valid UTF-8 (offset in *ret_at if not NULL); -EINVAL: GSM7 was asked for and a character is not in
 * it, or the text holds a NUL (offset in *ret_at); -E2BIG: more than parts_max parts (their number in *ret_at; 0 where
 * text is longer than SMS_SPLIT_BYTES_MAX). -ENOMEM. Time grows with the length of the text only. */
int sms_split(const char *text, size_t length, const struct sms_split_options *options, struct sms_split *ret_split,
              uint32_t *ret_at, const char **ret_error);
void sms_split_done(struct sms_split *split);   /* accepts an empty plan and NULL */

/* The whole of a -E2BIG text without the list: how many parts it would take, however many. 0 where sms_split() would
 * fail for another reason. */
uint32_t sms_split_count(const char *text, size_t length, const struct sms_split_options *options);

#endif
