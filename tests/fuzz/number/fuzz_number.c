/* SPDX-License-Identifier: Apache-2.0
 *
 * Two letters of a country, then what somebody wrote as a number. What comes out is a number that a modem can dial and that
 * stays as it is when it is read again, or a reason in words. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/number/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static void check_number(const struct number *number, const char *country)
{
    size_t plus = number->text[0] == '+', digits = strspn(number->text + plus, "0123456789");
    struct number again = { "", NUMBER_INVALID, "" };
    struct number_error error;

    assert(number->text[plus + digits] == '\0');
    assert(plus ? digits > 3 && digits <= 15 && number->text[1] != '0'
                : digits >= NUMBER_SHORT_DIGITS_MIN && digits <= NUMBER_SHORT_DIGITS_MAX && number->kind == NUMBER_SPECIAL);
    assert(number->kind > NUMBER_INVALID && number->kind <= NUMBER_UNKNOWN && number_kind_name(number->kind));
    assert(number->country[0] == '\0' || number_country_name(number->country));
    assert(number_parse(number->text, country, &again, &error) == 0);
    assert(strcmp(again.text, number->text) == 0 && again.kind == number->kind);
    assert(number_same(number->text, again.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    char country[3] = "", *text, clean[NUMBER_TEXT_MAX];
    struct number number = { "untouched", NUMBER_INVALID, "" };
    struct number_error error = { NUMBER_OK, "" };
    int r;

    if (size < 2)
        return 0;
    memcpy(country, octets, 2);
    text = malloc(size - 1);   /* to the octet, so that a look behind the end is seen */
    assert(text);
    memcpy(text, octets + 2, size - 2);
    text[size - 2] = '\0';
    r = number_parse(text, country, &number, &error);
    assert(r == 0 || (r == -EINVAL && error.reason != NUMBER_OK && error.text[0] != '\0' && strcmp(number.text, "untouched") == 0));
    if (r == 0)
        check_number(&number, country);
    if (number_clean(text, clean, &error) == 0)
        assert(strspn(clean + (clean[0] == '+'), "0123456789") == strlen(clean) - (clean[0] == '+'));
    free(text);
    return 0;
}
