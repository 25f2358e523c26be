/* SPDX-License-Identifier: Apache-2.0
 *
 * number_same.c - whether two ways of writing mean one subscriber. Networks report national forms and say not of which
 * country, so this needs to work without a numbering plan. */
#include <string.h>

#include "src/number/number.h"

#define COUNTRY_CODE_DIGITS_MAX 3     /* E.164: one to three */
#define NATIONAL_DIGITS_MIN 6         /* shorter ones are short codes and equal only themselves */

struct written { const char *digits; size_t length; bool international; };

/* "+40..." and "0040..." are international; false where something else than digits follows. */
static bool number_read(const char *text, struct written *ret_number)
{
    struct written number = { text, 0, false };

    if (text[0] == '+') {
        number.international = true;
        number.digits = text + 1;
    } else if (text[0] == '0' && text[1] == '0') {
        number.international = true;
        number.digits = text + 2;
    }
    number.length = strspn(number.digits, "0123456789");
    if (number.length == 0 || number.digits[number.length] != '\0')
        return false;
    *ret_number = number;
    return true;
}

/* True if national, without its trunk digits, is the tail of whole behind a country code. */
static bool number_is_tail(const struct written *national, size_t trunk, const struct written *whole)
{
    size_t length = national->length - trunk;

    return length >= NATIONAL_DIGITS_MIN && whole->length > length && whole->length - length <= COUNTRY_CODE_DIGITS_MAX &&
           memcmp(national->digits + trunk, whole->digits + whole->length - length, length) == 0;
}

static bool number_is_national_of(const struct written *national, const struct written *whole)
{
    if (national->international)
        return false;
    /* The trunk prefix is 0 nearly everywhere, 8 in Russia and Kazakhstan, and none in many plans. */
    if (number_is_tail(national, 0, whole))
        return true;
    return (national->digits[0] == '0' || national->digits[0] == '8') && number_is_tail(national, 1, whole);
}

bool number_same(const char *a, const char *b)
{
    struct written x, y;

    if (!number_read(a, &x) || !number_read(b, &y))
        return strcmp(a, b) == 0;
    if (x.length == y.length && memcmp(x.digits, y.digits, x.length) == 0)
        return true;
    return number_is_national_of(&x, &y) || number_is_national_of(&y, &x);
}
