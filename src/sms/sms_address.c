/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_fields.h"

#include "src/sms/sms_gsm7.h"

#include <errno.h>
#include <string.h>

#define TYPE_INTERNATIONAL 0x91   /* type of number international, numbering plan E.164 */
#define TYPE_UNKNOWN 0x81
#define TYPE_OF_NUMBER(type) ((type) >> 4 & 7)
enum { NUMBER_INTERNATIONAL = 1, NUMBER_ALPHANUMERIC = 5 };

/* Semi-octet values, 9.1.2.3; F is the fill of an odd number of digits. */
static const char digit_chars[] = "0123456789*#abc";

static void read_digits(const uint8_t *octets, size_t digits, bool international, char *ret_text)
{
    size_t length = 0;

    if (international && digits > 0)
        ret_text[length++] = '+';
    for (size_t i = 0; i < digits; i++) {
        unsigned digit = octets[i / 2] >> (i % 2 * 4) & 0x0F;

        if (digit == 0x0F)
            break;
        ret_text[length++] = digit_chars[digit];
    }
    ret_text[length] = '\0';
}

int sms_address_read(struct sms_reader *reader, struct sms_address *ret_address, const char **ret_error)
{
    const uint8_t *head = sms_reader_take(reader, 2);
    const uint8_t *value;
    size_t digits;

    if (head == NULL) {
        *ret_error = "the PDU ends before its address";
        return -EINVAL;
    }
    digits = head[0];
    if (digits > SMS_ADDRESS_DIGITS_MAX) {
        *ret_error = "the address has more than 20 digits";
        return -EINVAL;
    }
    value = sms_reader_take(reader, (digits + 1) / 2);
    if (value == NULL) {
        *ret_error = "the address is cut short";
        return -EINVAL;
    }
    ret_address->type = head[1];
    if (TYPE_OF_NUMBER(head[1]) == NUMBER_ALPHANUMERIC) {
        uint8_t septets[SMS_ADDRESS_DIGITS_MAX * 4 / 7];
        size_t count = digits * 4 / 7;   /* n characters need (7n+3)/4 semi-octets */

        sms_gsm7_unpack(value, 0, count, septets);
        ret_address->text[sms_gsm7_decode(septets, count, 0, 0, ret_address->text)] = '\0';
    } else {
        read_digits(value, digits, TYPE_OF_NUMBER(head[1]) == NUMBER_INTERNATIONAL, ret_address->text);
    }
    return 0;
}

int sms_smsc_read(struct sms_reader *reader, char ret_smsc[SMS_ADDRESS_CHARS_MAX], const char **ret_error)
{
    const uint8_t *length = sms_reader_take(reader, 1);
    const uint8_t *value;

    if (length == NULL) {
        *ret_error = "the PDU is empty";
        return -EINVAL;
    }
    if (*length > SMS_ADDRESS_OCTETS_MAX - 1) {
        *ret_error = "the SMSC address is longer than 11 octets";
        return -EINVAL;
    }
    value = sms_reader_take(reader, *length);
    if (value == NULL) {
        *ret_error = "the SMSC address is cut short";
        return -EINVAL;
    }
    if (*length == 0)
        ret_smsc[0] = '\0';
    else
        read_digits(value + 1, 2 * (*length - 1u), value[0] == TYPE_INTERNATIONAL, ret_smsc);
    return 0;
}

/* Type octet and digits from ret_octets[1] on; returns how many digits, or -EINVAL. */
static int write_number(const char *number, uint8_t ret_octets[SMS_ADDRESS_OCTETS_MAX])
{
    bool international = number[0] == '+';
    const char *digits = number + international;
    size_t count = strspn(digits, "0123456789*#");

    if (count == 0 || count > SMS_ADDRESS_DIGITS_MAX || digits[count] != '\0')
        return -EINVAL;
    memset(ret_octets, 0xFF, SMS_ADDRESS_OCTETS_MAX);
    ret_octets[1] = international ? TYPE_INTERNATIONAL : TYPE_UNKNOWN;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(strchr(digit_chars, digits[i]) - digit_chars);
        uint8_t *octet = &ret_octets[2 + i / 2];

        *octet = (uint8_t)(i % 2 == 0 ? 0xF0 | digit : (*octet & 0x0F) | digit << 4);
    }
    return (int)count;
}

int sms_address_write(const char *number, uint8_t ret_octets[SMS_ADDRESS_OCTETS_MAX], size_t *ret_length)
{
    int digits = write_number(number, ret_octets);

    if (digits < 0)
        return digits;
    ret_octets[0] = (uint8_t)digits;
    *ret_length = 2 + ((size_t)digits + 1) / 2;
    return 0;
}

int sms_smsc_write(const char *number, uint8_t ret_octets[SMS_ADDRESS_OCTETS_MAX], size_t *ret_length)
{
    int digits = write_number(number, ret_octets);

    if (digits < 0)
        return digits;
    *ret_length = 2 + ((size_t)digits + 1) / 2;
    ret_octets[0] = (uint8_t)(*ret_length - 1);
    return 0;
}
