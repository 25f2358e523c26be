/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_coding.h - which alphabet makes the fewest parts of a text: the default one, UCS-2, or the default one with
 * national language tables, whose header elements cost room in every part. */
#ifndef CELLPOST_SMS_CODING_H
#define CELLPOST_SMS_CODING_H

#include "src/sms/sms_split.h"

struct sms_coding {
    enum sms_alphabet alphabet;          /* SMS_GSM7 or SMS_UCS2 */
    uint8_t locking, single;             /* national languages, 0 none */
    uint16_t room_alone, room_part;      /* units that fit one part, and each of several */
    uint32_t units, parts;               /* of the text; parts as cut without regard to combining marks */
    uint16_t used;                       /* while counting: units in the last part */
};

/* Units of a character: 1 or 2, 0 where the coding does not have it. */
unsigned sms_coding_units(const struct sms_coding *coding, uint32_t code_point);

/* text has to be UTF-8. -EINVAL: no allowed coding has all of its characters; *ret_at is the offset of the first one
 * that leaves none. Time grows with the length of the text only: at most 183 codings are tried in one pass. */
int sms_coding_choose(const char *text, size_t length, const struct sms_split_options *options,
                      struct sms_coding *ret_coding, uint32_t *ret_at);

#endif
