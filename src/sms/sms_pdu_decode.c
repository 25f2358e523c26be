/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_pdu.h"

#include "src/base/hex.h"
#include "src/sms/sms_fields.h"
#include "src/sms/sms_gsm7.h"

#include <errno.h>
#include <string.h>

/* TP-MTI, 9.2.3.1: what the lowest two bits of the first octet say depends on the direction. */
enum { MTI_DELIVER = 0, MTI_SUBMIT = 1, MTI_STATUS_REPORT = 2, MTI_RESERVED = 3 };

enum {
    FIRST_REJECT_DUPLICATES = 0x04,   /* submit */
    FIRST_NO_MORE_MESSAGES = 0x04,    /* deliver, status report */
    FIRST_VP_SHIFT = 3,
    FIRST_STATUS_REPORT = 0x20,
    FIRST_UDHI = 0x40,
    FIRST_REPLY_PATH = 0x80,          /* deliver, submit */
};

static int refuse(const char **ret_error, const char *why)
{
    *ret_error = why;
    return -EINVAL;
}

/* TS 23.038 clause 4. Groups 00xx and 01xx (marked for automatic deletion) are alike; what is reserved is taken for the
 * default alphabet, as the clause demands. Text that 23.042 compressed is kept as octets: nobody sends it and we would
 * show noise. */
static void read_dcs(uint8_t dcs, struct sms_tpdu *tpdu)
{
    static const enum sms_alphabet alphabets[4] = { SMS_GSM7, SMS_8BIT, SMS_UCS2, SMS_GSM7 };
    unsigned group = dcs >> 4;

    tpdu->dcs = dcs;
    tpdu->alphabet = SMS_GSM7;
    tpdu->message_class = -1;
    if (group < 0x8) {
        tpdu->alphabet = dcs & 0x20 ? SMS_8BIT : alphabets[dcs >> 2 & 3];
        if (dcs & 0x10)
            tpdu->message_class = (int8_t)(dcs & 3);
    } else if (group >= 0xC && group <= 0xE) {
        tpdu->alphabet = group == 0xE ? SMS_UCS2 : SMS_GSM7;
        tpdu->mwi = true;
        tpdu->mwi_discard = group == 0xC;
        tpdu->mwi_active = dcs & 0x08;
        tpdu->mwi_type = dcs & 3;
    } else if (group == 0xF) {
        tpdu->alphabet = dcs & 0x04 ? SMS_8BIT : SMS_GSM7;
        tpdu->message_class = (int8_t)(dcs & 3);
    }
}

/* The user data after its header of header_octets, UDHL included. */
static void read_content(const uint8_t *octets, size_t udl, size_t header_octets, struct sms_tpdu *tpdu)
{
    uint8_t septets[SMS_SEPTETS_MAX];
    size_t skip;

    switch (tpdu->alphabet) {
    case SMS_GSM7:
        skip = (header_octets * 8 + 6) / 7;   /* fill bits bring the text to a septet boundary, 9.2.3.24 */
        sms_gsm7_unpack(octets + skip * 7 / 8, skip * 7 % 8, udl - skip, septets);
        tpdu->text_length = (uint16_t)sms_gsm7_decode(septets, udl - skip, tpdu->udh.locking, tpdu->udh.single,
                                                      tpdu->text);
        break;
    case SMS_UCS2:
        tpdu->text_length = (uint16_t)sms_text_from_utf16(octets + header_octets, (udl - header_octets) / 2, tpdu->text);
        break;
    case SMS_8BIT:
        tpdu->data_length = (uint8_t)(udl - header_octets);
        memcpy(tpdu->data, octets + header_octets, tpdu->data_length);
        break;
    }
    tpdu->text[tpdu->text_length] = '\0';
}

/* TP-UDL and TP-UD, 9.2.3.16 and 9.2.3.24. */
static int read_user_data(struct sms_reader *reader, bool has_header, struct sms_tpdu *tpdu, const char **ret_error)
{
    const uint8_t *udl = sms_reader_take(reader, 1);
    const uint8_t *octets;
    size_t length, header_octets = 0;

    if (udl == NULL)
        return refuse(ret_error, "the PDU ends before the length of its user data");
    if (*udl > (tpdu->alphabet == SMS_GSM7 ? SMS_SEPTETS_MAX : SMS_USER_DATA_OCTETS_MAX))
        return refuse(ret_error, "the user data is said to be longer than an SMS can hold");
    length = tpdu->alphabet == SMS_GSM7 ? (*udl * 7u + 7) / 8 : *udl;
    octets = sms_reader_take(reader, length);
    if (octets == NULL)
        return refuse(ret_error, "the user data is cut short");

    if (has_header) {
        if (length == 0 || octets[0] + 1u > length)
            return refuse(ret_error, "the user data header is longer than the user data");
        header_octets = octets[0] + 1u;
        if (tpdu->alphabet == SMS_GSM7 && (header_octets * 8 + 6) / 7 > *udl)
            return refuse(ret_error, "the user data header takes more septets than the user data has");
        (void)sms_udh_read(octets + 1, octets[0], &tpdu->udh);   /* elements that do not fit are ignored together */
    }
    tpdu->has_user_data = true;
    read_content(octets, *udl, header_octets, tpdu);
    return 0;
}

static int read_time(struct sms_reader *reader, struct sms_time *ret_time)
{
    const uint8_t *octets = sms_reader_take(reader, SMS_TIME_OCTETS);

    if (octets == NULL)
        return -EINVAL;
    *ret_time = sms_time_read(octets);
    return 0;
}

static int read_deliver(struct sms_reader *reader, uint8_t first, struct sms_tpdu *tpdu, const char **ret_error)
{
    const uint8_t *pid_dcs;
    int r;

    /* A mobile takes the reserved type for a deliver (9.2.3.1). */
    if ((first & 3) != MTI_DELIVER && (first & 3) != MTI_RESERVED)
        return refuse(ret_error, "this is no SMS-DELIVER");
    tpdu->more_messages = !(first & FIRST_NO_MORE_MESSAGES);
    tpdu->status_report = first & FIRST_STATUS_REPORT;
    tpdu->reply_path = first & FIRST_REPLY_PATH;
    r = sms_address_read(reader, &tpdu->address, ret_error);
    if (r < 0)
        return r;
    pid_dcs = sms_reader_take(reader, 2);
    if (pid_dcs == NULL)
        return refuse(ret_error, "the PDU ends before its coding scheme");
    tpdu->pid = pid_dcs[0];
    read_dcs(pid_dcs[1], tpdu);
    if (read_time(reader, &tpdu->scts) < 0)
        return refuse(ret_error, "the service centre's time stamp is cut short");
    return read_user_data(reader, first & FIRST_UDHI, tpdu, ret_error);
}

/* 9.2.3.12.3: one octet of flags and format, the period, zeroes; 7 octets in all. */
static void read_enhanced_validity(const uint8_t octets[SMS_TIME_OCTETS], struct sms_tpdu *tpdu)
{
    const uint8_t *value = octets + (octets[0] & 0x80 ? 2 : 1);   /* bit 7: another octet of flags follows */
    struct sms_time period;
    uint8_t padded[SMS_TIME_OCTETS] = { 0 };

    switch (octets[0] & 7) {
    case 1:
        tpdu->vp_raw = value[0];
        tpdu->vp_minutes = sms_vp_to_minutes(value[0]);
        break;
    case 2:
        tpdu->vp_minutes = (value[0] + 59u) / 60;
        break;
    case 3:   /* hours, minutes, seconds in swapped digits, as in a time stamp */
        memcpy(padded + 3, value, 3);
        period = sms_time_read(padded);
        tpdu->vp_minutes = period.hour * 60u + period.minute + (period.second > 0);
        break;
    default:
        break;
    }
}

static int read_validity(struct sms_reader *reader, struct sms_tpdu *tpdu, const char **ret_error)
{
    const uint8_t *octets;

    if (tpdu->vp_format == SMS_VP_NONE)
        return 0;
    octets = sms_reader_take(reader, tpdu->vp_format == SMS_VP_RELATIVE ? 1 : SMS_TIME_OCTETS);
    if (octets == NULL)
        return refuse(ret_error, "the validity period is cut short");
    if (tpdu->vp_format == SMS_VP_RELATIVE) {
        tpdu->vp_raw = octets[0];
        tpdu->vp_minutes = sms_vp_to_minutes(octets[0]);
    } else if (tpdu->vp_format == SMS_VP_ABSOLUTE) {
        tpdu->vp_time = sms_time_read(octets);
    } else {
        read_enhanced_validity(octets, tpdu);
    }
    return 0;
}

static int read_submit(struct sms_reader *reader, uint8_t first, struct sms_tpdu *tpdu, const char **ret_error)
{
    static const enum sms_vp_format vp_formats[4] = { SMS_VP_NONE, SMS_VP_ENHANCED, SMS_VP_RELATIVE, SMS_VP_ABSOLUTE };
    const uint8_t *mr, *pid_dcs;
    int r;

    if ((first & 3) != MTI_SUBMIT)
        return refuse(ret_error, "this is no SMS-SUBMIT");
    tpdu->reject_duplicates = first & FIRST_REJECT_DUPLICATES;
    tpdu->status_report = first & FIRST_STATUS_REPORT;
    tpdu->reply_path = first & FIRST_REPLY_PATH;
    tpdu->vp_format = vp_formats[first >> FIRST_VP_SHIFT & 3];
    mr = sms_reader_take(reader, 1);
    if (mr == NULL)
        return refuse(ret_error, "the PDU ends before its message reference");
    tpdu->mr = *mr;
    r = sms_address_read(reader, &tpdu->address, ret_error);
    if (r < 0)
        return r;
    pid_dcs = sms_reader_take(reader, 2);
    if (pid_dcs == NULL)
        return refuse(ret_error, "the PDU ends before its coding scheme");
    tpdu->pid = pid_dcs[0];
    read_dcs(pid_dcs[1], tpdu);
    r = read_validity(reader, tpdu, ret_error);
    if (r < 0)
        return r;
    return read_user_data(reader, first & FIRST_UDHI, tpdu, ret_error);
}

/* A report read from a storage slot may be padded with the FF of erased memory. Read as TP-PI that would announce
 * everything and extend itself without end. */
static bool is_padding(const struct sms_reader *reader)
{
    for (size_t i = reader->at; i < reader->length; i++) {
        if (reader->octets[i] != 0xFF)
            return false;
    }
    return true;
}

/* TP-PI, 9.2.3.27, and what it announces. */
static int read_optional_part(struct sms_reader *reader, bool has_header, struct sms_tpdu *tpdu, const char **ret_error)
{
    enum { PI_PID = 0x01, PI_DCS = 0x02, PI_UDL = 0x04, PI_EXTENSION = 0x80 };
    const uint8_t *octet;
    uint8_t indicator;

    if (is_padding(reader))   /* also true where nothing is left */
        return 0;
    octet = sms_reader_take(reader, 1);
    indicator = *octet;
    while (*octet & PI_EXTENSION) {
        octet = sms_reader_take(reader, 1);
        if (octet == NULL)
            return refuse(ret_error, "the parameter indicator is cut short");
    }
    if (indicator & PI_PID) {
        octet = sms_reader_take(reader, 1);
        if (octet == NULL)
            return refuse(ret_error, "the PDU ends before the protocol identifier it announces");
        tpdu->pid = *octet;
    }
    if (indicator & PI_DCS) {
        octet = sms_reader_take(reader, 1);
        if (octet == NULL)
            return refuse(ret_error, "the PDU ends before the coding scheme it announces");
        read_dcs(*octet, tpdu);
    }
    return indicator & PI_UDL ? read_user_data(reader, has_header, tpdu, ret_error) : 0;
}

static int read_status_report(struct sms_reader *reader, uint8_t first, struct sms_tpdu *tpdu, const char **ret_error)
{
    const uint8_t *octet;
    int r;

    if ((first & 3) != MTI_STATUS_REPORT)
        return refuse(ret_error, "this is no SMS-STATUS-REPORT");
    tpdu->more_messages = !(first & FIRST_NO_MORE_MESSAGES);
    tpdu->status_report = first & FIRST_STATUS_REPORT;
    tpdu->message_class = -1;
    octet = sms_reader_take(reader, 1);
    if (octet == NULL)
        return refuse(ret_error, "the PDU ends before its message reference");
    tpdu->mr = *octet;
    r = sms_address_read(reader, &tpdu->address, ret_error);
    if (r < 0)
        return r;
    if (read_time(reader, &tpdu->scts) < 0)
        return refuse(ret_error, "the service centre's time stamp is cut short");
    if (read_time(reader, &tpdu->discharge) < 0)
        return refuse(ret_error, "the discharge time is cut short");
    octet = sms_reader_take(reader, 1);
    if (octet == NULL)
        return refuse(ret_error, "the PDU ends before its status");
    tpdu->status = *octet;
    return read_optional_part(reader, first & FIRST_UDHI, tpdu, ret_error);
}

int sms_pdu_decode(const uint8_t *pdu, size_t length, enum sms_direction direction, struct sms_tpdu *ret_tpdu,
                   const char **ret_error)
{
    static int (*const read_tpdu[])(struct sms_reader *, uint8_t, struct sms_tpdu *, const char **) = {
        [SMS_DELIVER] = read_deliver, [SMS_SUBMIT] = read_submit, [SMS_STATUS_REPORT] = read_status_report,
    };
    struct sms_reader reader = { .octets = pdu, .length = length };
    struct sms_tpdu tpdu = { .direction = direction };
    const uint8_t *first;
    const char *ignored;
    int r;

    if (ret_error == NULL)
        ret_error = &ignored;
    if (length > SMS_PDU_BYTES_MAX)
        return refuse(ret_error, "the PDU is longer than any PDU can be");
    r = sms_smsc_read(&reader, tpdu.smsc, ret_error);
    if (r < 0)
        return r;
    tpdu.tpdu_length = (uint8_t)(reader.length - reader.at);
    first = sms_reader_take(&reader, 1);
    if (first == NULL)
        return refuse(ret_error, "nothing follows the SMSC address");
    r = read_tpdu[direction](&reader, *first, &tpdu, ret_error);
    if (r < 0)
        return r;
    tpdu.trailing_octets = (uint8_t)(reader.length - reader.at);
    *ret_tpdu = tpdu;
    return 0;
}

int sms_pdu_decode_hex(const char *hex, size_t length, enum sms_direction direction, struct sms_tpdu *ret_tpdu,
                       const char **ret_error)
{
    uint8_t pdu[SMS_PDU_BYTES_MAX];
    int octets = hex_decode(hex, length, pdu, sizeof pdu);
    const char *ignored;

    if (ret_error == NULL)
        ret_error = &ignored;
    if (octets == -EMSGSIZE)
        return refuse(ret_error, "the PDU is longer than any PDU can be");
    if (octets < 0)
        return refuse(ret_error, "this is not an even number of hexadecimal digits");
    return sms_pdu_decode(pdu, (size_t)octets, direction, ret_tpdu, ret_error);
}
