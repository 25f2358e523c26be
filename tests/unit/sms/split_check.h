/* SPDX-License-Identifier: Apache-2.0
 *
 * split_check.h - what must hold for every plan that sms_split() makes, whatever the text: shared by the unit tests and
 * the fuzzer. */
#ifndef CELLPOST_TESTS_SMS_SPLIT_CHECK_H
#define CELLPOST_TESTS_SMS_SPLIT_CHECK_H

#include <string.h>

#include "src/sms/sms_split.h"

/* The submit that carries part i of a plan. */
static inline struct sms_submit split_check_submit(const struct sms_split *split, size_t i,
                                                   const struct sms_split_options *options)
{
    return (struct sms_submit){
        .to = "+40722123456", .message_class = -1, .alphabet = split->alphabet, .concat = split->count > 1,
        .concat_ref = options->ref16 ? 0xBEEF : 0xAB, .concat_ref_bits = options->ref16 ? 16 : 8,
        .concat_total = (uint8_t)split->count, .concat_seq = (uint8_t)(i + 1), .port_bits = options->port_bits,
        .port_dst = 123, .port_src = 45, .locking = split->locking, .single = split->single,
        .text = split->text + split->parts[i].offset, .text_length = split->parts[i].length,
    };
}

/* NULL, or what is wrong: the parts are the text in order, each is what it says, fits an SMS and comes back from it. */
static inline const char *split_check(const struct sms_split *split, const struct sms_split_options *options)
{
    size_t offset = 0, units = 0;

    if (split->count == 0 || split->text[split->text_length] != '\0')
        return "no parts, or no end of the text";
    for (size_t i = 0; i < split->count; i++) {
        struct sms_submit submit = split_check_submit(split, i, options);
        uint8_t pdu[SMS_PDU_BYTES_MAX], tpdu_length;
        struct sms_tpdu tpdu;
        size_t length;

        if (split->parts[i].offset != offset || (split->parts[i].length == 0 && split->text_length != 0))
            return "the parts do not follow each other";
        offset += split->parts[i].length;
        units += split->parts[i].units;
        if (split->count > SMS_PARTS_MAX)
            continue;
        if (sms_submit_encode(&submit, pdu, &length, &tpdu_length, NULL) < 0)
            return "a part cannot be written";
        if (sms_pdu_decode(pdu, length, SMS_SUBMIT, &tpdu, NULL) < 0)
            return "a part cannot be read back";
        if (tpdu.text_length != submit.text_length || memcmp(tpdu.text, submit.text, submit.text_length) != 0)
            return "a part reads differently";
        if (i + 1 == split->count) {   /* UDL says how full the last part is */
            size_t udl_at = 1 + 2 + 2 + 6 + 2, room = split->alphabet == SMS_GSM7 ? 160 : 70;
            size_t taken = split->alphabet == SMS_GSM7 ? pdu[udl_at] : (pdu[udl_at] + 1u) / 2;

            if (split->units_left != room - taken)
                return "the room left is another";
        }
    }
    if (offset != split->text_length || units != split->units)
        return "the parts are not the whole";
    return NULL;
}

#endif
