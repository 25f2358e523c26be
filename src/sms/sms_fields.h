/* SPDX-License-Identifier: Apache-2.0
 *
 * sms_fields.h - the fields that TPDUs are made of: what sms_pdu_decode.c and sms_submit_encode.c share.
 *
 * Everything that reads takes its octets from a struct sms_reader, which never gives more than there are: no length
 * octet of a PDU is trusted anywhere else. Errors: 0 or -EINVAL; *ret_error is a static sentence. */
#ifndef CELLPOST_SMS_FIELDS_H
#define CELLPOST_SMS_FIELDS_H

#include "src/sms/sms_pdu.h"

#define SMS_USER_DATA_OCTETS_MAX 140
#define SMS_ADDRESS_DIGITS_MAX 20        /* 9.1.2.5: 12 octets with length and type */
#define SMS_ADDRESS_OCTETS_MAX 12
#define SMS_TIME_OCTETS 7

struct sms_reader { const uint8_t *octets; size_t length, at; };

/* The next count octets, or NULL (and nothing taken) where fewer are left. */
const uint8_t *sms_reader_take(struct sms_reader *reader, size_t count);

/* 9.1.2.5; and the form of an SMSC address, whose length octet counts octets and not digits (24.011 8.2.5.1). */
int sms_address_read(struct sms_reader *reader, struct sms_address *ret_address, const char **ret_error);
int sms_smsc_read(struct sms_reader *reader, char ret_smsc[SMS_ADDRESS_CHARS_MAX], const char **ret_error);

/* Length octet, type, digits. -EINVAL: no digit, over 20 digits, a character that is not 0-9, '*' or '#' (after a '+'). */
int sms_address_write(const char *number, uint8_t ret_octets[SMS_ADDRESS_OCTETS_MAX], size_t *ret_length);
int sms_smsc_write(const char *number, uint8_t ret_octets[SMS_ADDRESS_OCTETS_MAX], size_t *ret_length);

/* 9.2.3.11. Digits that are none (an erased or invented time stamp) leave .present false. */
struct sms_time sms_time_read(const uint8_t octets[SMS_TIME_OCTETS]);
int sms_time_write(const struct sms_time *time, uint8_t ret_octets[SMS_TIME_OCTETS]);

/* The elements of a user data header of length octets (without UDHL). -EINVAL: they do not fit, so that all of the
 * header is to be ignored (9.2.3.24); *ret_udh then says that a header is there and nothing more. */
int sms_udh_read(const uint8_t *octets, size_t length, struct sms_udh *ret_udh);

/* The header that submit asks for, UDHL first; returns its octets, 0 where it needs none. */
#define SMS_UDH_WRITE_OCTETS_MAX 19      /* UDHL, 16-bit reference, 16-bit ports, both national elements */
size_t sms_udh_write(const struct sms_submit *submit, uint8_t ret_octets[SMS_UDH_WRITE_OCTETS_MAX]);

/* UTF-16 big endian of 2 * units octets to text of at most 3 octets a unit; no NUL added, returns its length. Halves of
 * surrogate pairs stay as they are (sms_pdu.h), a NUL becomes U+FFFD. */
size_t sms_text_from_utf16(const uint8_t *octets, size_t units, char *ret_text);

#endif
