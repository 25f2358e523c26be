/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_pdu.h"

#include "src/base/utf8.h"
#include "src/sms/sms_fields.h"
#include "src/sms/sms_gsm7.h"
#include "src/sms/sms_tables.h"

#include <errno.h>
#include <string.h>

/* TP-DCS by alphabet: without and with a message class (23.038 clause 4). 8-bit data with a class is sent in group F, as
 * WAP push and SIM toolkit senders do; the rest in the general group. */
static const struct { uint8_t plain, with_class; } coding_schemes[] = {
    [SMS_GSM7] = { 0x00, 0x10 },
    [SMS_8BIT] = { 0x04, 0xF4 },
    [SMS_UCS2] = { 0x08, 0x18 },
};

static int refuse(const char **ret_error, int error, const char *why)
{
    *ret_error = why;
    return error;
}

static bool concat_is_sound(const struct sms_submit *submit)
{
    if (!submit->concat)
        return true;
    return (submit->concat_ref_bits == 16 || (submit->concat_ref_bits == 8 && submit->concat_ref <= 0xFF)) &&
           submit->concat_seq >= 1 && submit->concat_seq <= submit->concat_total;
}

static bool ports_are_sound(const struct sms_submit *submit)
{
    return submit->port_bits == 0 || submit->port_bits == 16 ||
           (submit->port_bits == 8 && submit->port_dst <= 0xFF && submit->port_src <= 0xFF);
}

static bool national_is_sound(const struct sms_submit *submit)
{
    if (submit->alphabet != SMS_GSM7)
        return submit->locking == 0 && submit->single == 0;
    return submit->locking < SMS_LANGUAGES && (SMS_LANGUAGES_LOCKING >> submit->locking & 1) != 0 &&
           submit->single < SMS_LANGUAGES;
}

static int check_submit(const struct sms_submit *submit, const char **ret_error)
{
    if (submit->message_class < -1 || submit->message_class > 3)
        return refuse(ret_error, -EINVAL, "the message class is none of 0 to 3");
    if (!concat_is_sound(submit))
        return refuse(ret_error, -EINVAL, "the reference, total or number of the part cannot be written");
    if (!ports_are_sound(submit))
        return refuse(ret_error, -EINVAL, "the ports do not fit their width");
    if (!national_is_sound(submit))
        return refuse(ret_error, -EINVAL, "there is no such national language table");
    if (submit->vp_format == SMS_VP_ENHANCED)
        return refuse(ret_error, -EINVAL, "the enhanced validity period is not written");
    return 0;
}

/* Text as septets behind the header; *ret_udl counts septets, header included. */
static int write_gsm7(const struct sms_submit *submit, size_t header_octets, uint8_t *ret_octets, size_t *ret_length,
                      uint8_t *ret_udl, const char **ret_error)
{
    uint8_t septets[SMS_SEPTETS_MAX];
    size_t skip = (header_octets * 8 + 6) / 7, count = 0;

    for (size_t at = 0; at < submit->text_length;) {
        uint32_t code_point;
        uint8_t codes[2];
        int used = utf8_next(submit->text + at, submit->text_length - at, &code_point);
        size_t units;

        if (used < 0)
            return refuse(ret_error, -EINVAL, "the text is not UTF-8");
        units = sms_gsm7_encode(code_point, submit->locking, submit->single, codes);
        if (units == 0)
            return refuse(ret_error, -EINVAL, "a character of the text is not in the 7-bit alphabet");
        if (skip + count + units > SMS_SEPTETS_MAX)
            return refuse(ret_error, -EMSGSIZE, "the text does not fit one part");
        memcpy(septets + count, codes, units);
        count += units;
        at += (size_t)used;
    }
    sms_gsm7_pack(septets, count, skip * 7 % 8, ret_octets + skip * 7 / 8);
    *ret_udl = (uint8_t)(skip + count);
    *ret_length = (*ret_udl * 7u + 7) / 8;
    return 0;
}

static int write_utf16(const struct sms_submit *submit, size_t header_octets, uint8_t *ret_octets, size_t *ret_length,
                       uint8_t *ret_udl, const char **ret_error)
{
    size_t length = header_octets;

    for (size_t at = 0; at < submit->text_length;) {
        uint32_t code_point, halves[2];
        int used = utf8_next(submit->text + at, submit->text_length - at, &code_point);
        size_t units = 1;

        if (used < 0)
            return refuse(ret_error, -EINVAL, "the text is not UTF-8");
        halves[0] = code_point;
        if (code_point > 0xFFFF) {
            halves[0] = 0xD800 + ((code_point - 0x10000) >> 10);
            halves[1] = 0xDC00 + ((code_point - 0x10000) & 0x3FF);
            units = 2;
        }
        if (length + 2 * units > SMS_USER_DATA_OCTETS_MAX)
            return refuse(ret_error, -EMSGSIZE, "the text does not fit one part");
        for (size_t i = 0; i < units; i++) {
            ret_octets[length++] = (uint8_t)(halves[i] >> 8);
            ret_octets[length++] = (uint8_t)halves[i];
        }
        at += (size_t)used;
    }
    *ret_udl = (uint8_t)length;
    *ret_length = length;
    return 0;
}

static int write_octets(const struct sms_submit *submit, size_t header_octets, uint8_t *ret_octets, size_t *ret_length,
                        uint8_t *ret_udl, const char **ret_error)
{
    if (submit->data_length > SMS_USER_DATA_OCTETS_MAX - header_octets)
        return refuse(ret_error, -EMSGSIZE, "the data does not fit one part");
    if (submit->data_length > 0)
        memcpy(ret_octets + header_octets, submit->data, submit->data_length);
    *ret_length = header_octets + submit->data_length;
    *ret_udl = (uint8_t)*ret_length;
    return 0;
}

int sms_submit_encode(const struct sms_submit *submit, uint8_t ret_pdu[SMS_PDU_BYTES_MAX], size_t *ret_length,
                      uint8_t *ret_tpdu_length, const char **ret_error)
{
    static int (*const write_content[])(const struct sms_submit *, size_t, uint8_t *, size_t *, uint8_t *,
                                        const char **) = {
        [SMS_GSM7] = write_gsm7, [SMS_8BIT] = write_octets, [SMS_UCS2] = write_utf16,
    };
    static const uint8_t vp_bits[] = { [SMS_VP_NONE] = 0x00, [SMS_VP_RELATIVE] = 0x10, [SMS_VP_ABSOLUTE] = 0x18 };
    uint8_t pdu[SMS_PDU_BYTES_MAX] = { 0 };   /* 12 of the SMSC, at most 22 of the head, 140 of user data */
    uint8_t user_data[SMS_USER_DATA_OCTETS_MAX] = { 0 }, udl = 0;
    size_t length = 1, field_length = 0, header_octets, smsc_octets;
    const char *ignored;
    int r;

    if (ret_error == NULL)
        ret_error = &ignored;
    r = check_submit(submit, ret_error);
    if (r < 0)
        return r;
    if (submit->smsc != NULL && sms_smsc_write(submit->smsc, pdu, &length) < 0)
        return refuse(ret_error, -EINVAL, "the service centre's number cannot be written");
    smsc_octets = length;

    header_octets = sms_udh_write(submit, user_data);
    pdu[length++] = (uint8_t)(0x01 | (submit->reject_duplicates ? 0x04 : 0) | vp_bits[submit->vp_format] |
                              (submit->status_report ? 0x20 : 0) | (header_octets > 0 ? 0x40 : 0) |
                              (submit->reply_path ? 0x80 : 0));
    pdu[length++] = submit->mr;
    if (sms_address_write(submit->to, pdu + length, &field_length) < 0)
        return refuse(ret_error, -EINVAL, "the recipient's number cannot be written");
    length += field_length;
    pdu[length++] = submit->pid;
    pdu[length++] = (uint8_t)(submit->message_class < 0 ? coding_schemes[submit->alphabet].plain
                                                        : coding_schemes[submit->alphabet].with_class |
                                                              submit->message_class);
    if (submit->vp_format == SMS_VP_RELATIVE) {
        pdu[length++] = submit->vp_raw;
    } else if (submit->vp_format == SMS_VP_ABSOLUTE) {
        if (sms_time_write(&submit->vp_time, pdu + length) < 0)
            return refuse(ret_error, -EINVAL, "the end of validity is no time that can be written");
        length += SMS_TIME_OCTETS;
    }

    r = write_content[submit->alphabet](submit, header_octets, user_data, &field_length, &udl, ret_error);
    if (r < 0)
        return r;
    pdu[length++] = udl;
    memcpy(pdu + length, user_data, field_length);
    length += field_length;

    memcpy(ret_pdu, pdu, length);
    *ret_length = length;
    *ret_tpdu_length = (uint8_t)(length - smsc_octets);
    return 0;
}
