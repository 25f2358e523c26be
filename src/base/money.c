/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/money.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DECIMALS 6

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One more digit; false where that is above max. */
static bool push_digit(int64_t *value, int digit, int64_t max)
{
    if (*value > (max - digit) / 10)
        return false;
    *value = *value * 10 + digit;
    return true;
}

int money_parse(const char *text, int64_t max_micro, int64_t *ret_micro, const char **ret_wrong)
{
    int64_t micro = 0;
    bool fits = true;
    int decimals = 0;

    *ret_wrong = "is no number";
    if (*text == '-' && (is_digit(text[1]) || text[1] == '.')) {
        *ret_wrong = "is negative";
        return -EINVAL;
    }
    if (!is_digit(*text))
        return -EINVAL;
    for (; is_digit(*text); text++)
        fits = fits && push_digit(&micro, *text - '0', max_micro);
    if (*text == ',') {
        *ret_wrong = "has a comma (write a point before the decimals, and nothing between thousands)";
        return -EINVAL;
    }
    if (*text == '.') {
        text++;
        if (!is_digit(*text))
            return -EINVAL;
        for (; is_digit(*text); text++)
            if (++decimals <= DECIMALS)
                fits = fits && push_digit(&micro, *text - '0', max_micro);
    }
    if (*text != '\0')
        return -EINVAL;
    if (decimals > DECIMALS) {
        *ret_wrong = "has more than 6 decimals";
        return -EINVAL;
    }
    for (; decimals < DECIMALS; decimals++)
        fits = fits && push_digit(&micro, 0, max_micro);
    if (!fits) {
        *ret_wrong = "is too high";
        return -EINVAL;
    }
    *ret_micro = micro;
    return 0;
}

static void format(int64_t micro, size_t decimals_min, char ret_text[MONEY_CHARS])
{
    uint64_t amount = micro < 0 ? 0 - (uint64_t)micro : (uint64_t)micro;
    size_t length, length_min;

    (void)snprintf(ret_text, MONEY_CHARS, "%s%llu.%06llu", micro < 0 ? "-" : "", (unsigned long long)(amount / 1000000),
                   (unsigned long long)(amount % 1000000));
    length = strlen(ret_text);
    length_min = length - DECIMALS + decimals_min;
    while (length > length_min && ret_text[length - 1] == '0')
        length--;
    ret_text[ret_text[length - 1] == '.' ? length - 1 : length] = '\0';
}

void money_format(int64_t micro, char ret_text[MONEY_CHARS])
{
    format(micro, 0, ret_text);
}

void money_format_price(int64_t micro, char ret_text[MONEY_CHARS])
{
    format(micro, 2, ret_text);
}
