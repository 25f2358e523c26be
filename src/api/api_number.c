/* SPDX-License-Identifier: Apache-2.0
 *
 * api_number.c - numbers as people write them, into what a modem can dial. What is not digits never gets further: a
 * quote, a semicolon or a line end in a number would be a command to a modem. */
#include <errno.h>
#include <string.h>

#include "src/api/api_internal.h"

#define DIGITS_MIN 3
#define DIGITS_MAX 20    /* TP-DA holds 20: 3GPP TS 23.040 9.1.2.5 */

int api_number_normalize(const char *text, char ret_number[MESSAGE_TO_MAX], const char **ret_error)
{
    char digits[DIGITS_MAX + 3];          /* "00" in front */
    size_t count = 0, first = 0;
    bool international = false;

    for (const char *c = text; *c; c++) {
        if (*c >= '0' && *c <= '9') {
            if (count == sizeof digits - 1) {
                *ret_error = "a number has at most 20 digits";
                return -EINVAL;
            }
            digits[count++] = *c;
        } else if (*c == '+' && count == 0 && !international) {
            international = true;
        } else if (*c == '+') {
            *ret_error = "'+' may only be in front";
            return -EINVAL;
        } else if (!strchr(" -.()/", *c)) {
            *ret_error = "only digits, a leading '+', blanks and -.()/ between them may be in a number";
            return -EINVAL;
        }
    }
    digits[count] = '\0';

    if (!international && count > 2 && digits[0] == '0' && digits[1] == '0') {
        international = true;
        first = 2;
        count -= 2;
    }
    if (count < DIGITS_MIN || count > DIGITS_MAX) {
        *ret_error = count > DIGITS_MAX ? "a number has at most 20 digits" : "a number has at least 3 digits";
        return -EINVAL;
    }
    if (international && digits[first] == '0') {
        *ret_error = "no country code begins with 0";   /* ITU-T E.164 */
        return -EINVAL;
    }
    ret_number[0] = '+';
    memcpy(ret_number + international, digits + first, count + 1);
    return 0;
}
