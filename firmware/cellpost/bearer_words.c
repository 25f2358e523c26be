/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/bearer_words.h"

#include "firmware/cellpost/cli.h"
#include "src/base/money.h"

#include <stdio.h>
#include <string.h>

const char *amount_words(const char *amount, char ret_text[MONEY_WORDS_MAX])
{
    bool negative = amount[0] == '-';
    const char *wrong;
    char text[MONEY_CHARS];
    int64_t micro;

    if (money_parse(amount + negative, INT64_MAX, &micro, &wrong) < 0) {
        (void)snprintf(ret_text, MONEY_WORDS_MAX, "%.*s", MONEY_WORDS_MAX - 1, amount);
        return ret_text;
    }
    money_format_price(negative ? -micro : micro, text);
    (void)snprintf(ret_text, MONEY_WORDS_MAX, "%s", text);
    return ret_text;
}

const char *money_words(json_t *money, char ret_text[MONEY_WORDS_MAX])
{
    const char *currency = json_text_of(money, "currency");
    char amount[MONEY_WORDS_MAX];

    (void)snprintf(ret_text, MONEY_WORDS_MAX, "%.32s%s%.8s", amount_words(json_text_of(money, "amount"), amount), currency[0] != '\0' ? " " : "", currency);
    return ret_text;
}

const char *limit_words(json_t *limit, char ret_text[LIMIT_WORDS_MAX])
{
    json_t *used = json_object_get(limit, "used"), *most = json_object_get(limit, "limit");
    char number[MONEY_WORDS_MAX] = "", amount[MONEY_WORDS_MAX];

    ret_text[0] = '\0';
    if (json_is_object(used))
        (void)snprintf(ret_text, LIMIT_WORDS_MAX, "%s%s%s", most != NULL ? amount_words(json_text_of(used, "amount"), amount) : money_words(used, number), most != NULL ? "/" : "",
                       most != NULL ? money_words(most, number) : "");
    else if (json_is_integer(used) && most != NULL)
        (void)snprintf(ret_text, LIMIT_WORDS_MAX, "%lld/%lld", (long long)json_integer_value(used), (long long)json_integer_value(most));
    else if (json_is_integer(used))
        (void)snprintf(ret_text, LIMIT_WORDS_MAX, "%lld", (long long)json_integer_value(used));
    return ret_text;
}

const char *limits_words(json_t *limits, char ret_text[LIMIT_WORDS_MAX])
{
    size_t length = 0;
    const char *name;
    json_t *limit;

    ret_text[0] = '\0';
    json_object_foreach(limits, name, limit) {
        char words[LIMIT_WORDS_MAX];
        int more;

        if (json_object_get(limit, "limit") == NULL)
            continue;
        more = snprintf(ret_text + length, LIMIT_WORDS_MAX - length, "%s%s %s", length > 0 ? ", " : "", name, limit_words(limit, words));
        if (more < 0 || (size_t)more >= LIMIT_WORDS_MAX - length)
            break;
        length += (size_t)more;
    }
    return ret_text;
}
