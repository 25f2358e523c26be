/* SPDX-License-Identifier: Apache-2.0
 *
 * number.c - from what people write to digits, and to the words for what is wrong. What is not digits never gets further:
 * a quote, a semicolon or a line end in a number would be a command to a modem. */
#include "src/number/number.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/number/number_internal.h"

#define E164_DIGITS_MAX 15            /* ITU-T E.164 6.2.1 */

/* -- digits -------------------------------------------------------------------------------------------------------- */

/* What stands between digits in print, and what address books and web pages put there unseen. */
static const char *const separators[] = {
    " ", "-", ".", "(", ")", "/",
    "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89",                     /* no-break, narrow no-break and thin space */
    "\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x92", "\xe2\x80\x93",   /* hyphens, figure dash, en dash */
    "\xe2\x80\x8b", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xac",   /* zero width, marks of direction */
};

static size_t separator_length(const char *text)
{
    for (size_t i = 0; i < sizeof separators / sizeof separators[0]; i++)
        if (strncmp(text, separators[i], strlen(separators[i])) == 0)
            return strlen(separators[i]);
    return 0;
}

/* Where calling abroad does not begin with 00 alone (ITU-T E.164 Annex, list of dialling procedures). */
static const struct { const char *country, *prefix; } prefixes_abroad[] = {
    { "US", "011" }, { "CA", "011" }, { "AU", "0011" }, { "JP", "010" }, { "RU", "810" }, { "KZ", "810" }, { "BY", "810" },
    { "UZ", "810" }, { "TM", "810" }, { "HK", "001" }, { "SG", "001" }, { "KR", "001" }, { "KR", "002" }, { "TH", "001" },
    { "TW", "002" }, { "ID", "001" },
};

static size_t prefix_abroad_length(const char *digits, size_t count, const char *country)
{
    for (size_t i = 0; i < sizeof prefixes_abroad / sizeof prefixes_abroad[0]; i++) {
        size_t length = strlen(prefixes_abroad[i].prefix);
        if (strcmp(country, prefixes_abroad[i].country) == 0 && count > length + NUMBER_SHORT_DIGITS_MAX &&
            memcmp(digits, prefixes_abroad[i].prefix, length) == 0)
            return length;
    }
    return count > 2 && digits[0] == '0' && digits[1] == '0' ? 2 : 0;
}

struct written_number { char digits[NUMBER_DIGITS_MAX + 5]; size_t count; bool international; };   /* "0011" in front */

/* Digits behind a prefix for calling abroad, or all of them. */
static enum number_reason read_digits(const char *text, const char *country, struct written_number *ret_number)
{
    struct written_number number = { "", 0, false };
    size_t length;

    for (const char *c = text; *c; c += length) {
        length = 1;
        if (*c >= '0' && *c <= '9') {
            if (number.count == sizeof number.digits - 1)
                return NUMBER_TOO_MANY_DIGITS;
            number.digits[number.count++] = *c;
        } else if (*c == '+') {
            if (number.count > 0 || number.international)
                return NUMBER_PLUS_INSIDE;
            number.international = true;
        } else {
            length = separator_length(c);
            if (length == 0)
                return NUMBER_BAD_CHARACTER;
        }
    }
    number.digits[number.count] = '\0';
    length = number.international ? 0 : prefix_abroad_length(number.digits, number.count, country);
    if (length > 0) {
        number.international = true;
        number.count -= length;
        memmove(number.digits, number.digits + length, number.count + 1);
    }
    if (number.count < NUMBER_SHORT_DIGITS_MIN)
        return NUMBER_TOO_FEW_DIGITS;
    if (number.count > NUMBER_DIGITS_MAX)
        return NUMBER_TOO_MANY_DIGITS;
    if (number.international && number.digits[0] == '0')   /* ITU-T E.164: no country code begins with 0 */
        return NUMBER_NO_SUCH_CODE;
    *ret_number = number;
    return NUMBER_OK;
}

/* -- words --------------------------------------------------------------------------------------------------------- */

const char *number_kind_name(enum number_kind kind)
{
    static const char *const names[] = {
        [NUMBER_INVALID] = "invalid", [NUMBER_MOBILE] = "mobile",   [NUMBER_FIXED] = "fixed",
        [NUMBER_PREMIUM] = "premium", [NUMBER_SPECIAL] = "special", [NUMBER_UNKNOWN] = "unknown",
    };

    return names[kind];
}

/* %s: the country where one is known. */
static const char *const reasons[] = {
    [NUMBER_BAD_CHARACTER] = "only digits, a leading '+', blanks and -.()/ may be in a number",
    [NUMBER_PLUS_INSIDE] = "'+' may only be in front",
    [NUMBER_TOO_FEW_DIGITS] = "a number has at least 3 digits",
    [NUMBER_TOO_MANY_DIGITS] = "no number has that many digits",
    [NUMBER_NO_COUNTRY] = "it has no country code, and no country is set",
    [NUMBER_NO_SUCH_CODE] = "no country has a code that begins so",
    [NUMBER_TOO_SHORT] = "too short for a number of %s",
    [NUMBER_TOO_LONG] = "too long for a number of %s",
    [NUMBER_BAD_LENGTH] = "numbers of %s have more digits or fewer",
    [NUMBER_NO_AREA_CODE] = "it has no area code of %s",
    [NUMBER_NO_MEMORY] = "no memory to look at it",
};

static int refuse(enum number_reason reason, const struct number_country *country, struct number_error *ret_error)
{
    const char *name = country ? country->name : "its country", *about = reasons[reason], *mark = strstr(about, "%s");

    ret_error->reason = reason;
    if (mark)
        (void)snprintf(ret_error->text, sizeof ret_error->text, "%.*s%s%s", (int)(mark - about), about, name, mark + 2);
    else
        (void)snprintf(ret_error->text, sizeof ret_error->text, "%s", about);
    return -EINVAL;
}

/* -- numbers ------------------------------------------------------------------------------------------------------- */

int number_clean(const char *text, char ret_text[NUMBER_TEXT_MAX], struct number_error *ret_error)
{
    struct written_number written;
    enum number_reason reason = read_digits(text, "", &written);

    if (reason != NUMBER_OK)
        return refuse(reason, NULL, ret_error);
    (void)snprintf(ret_text, NUMBER_TEXT_MAX, "%s%.20s", written.international ? "+" : "", written.digits);
    return 0;
}

/* Backends drop a trunk prefix wherever one may be; of a number that no plan has, such as +82 0012..., one more than stood
 * there each time it is read. What is kept must stay as it is when it is read again. */
static enum number_reason settle(const struct number_country *country, struct number *number, const struct number_country **ret_about)
{
    for (int i = 0; i < NUMBER_NATIONAL_DIGITS_MAX; i++) {
        struct number again = { "", NUMBER_INVALID, "" };
        enum number_reason reason = number_backend_parse(number->text + 1, true, country, &again, ret_about);
        bool same = reason == NUMBER_OK && strcmp(again.text, number->text) == 0;
        if (reason != NUMBER_OK || same)
            return reason;
        *number = again;
    }
    return NUMBER_BAD_LENGTH;
}

int number_parse(const char *text, const char *country_code, struct number *ret_number, struct number_error *ret_error)
{
    const struct number_country *country = country_code ? number_country_find(country_code) : NULL, *about = NULL;
    struct written_number written;
    struct number number = { "", NUMBER_INVALID, "" };
    enum number_reason reason = read_digits(text, country ? country->code : "", &written);
    bool is_short;

    if (reason != NUMBER_OK)
        return refuse(reason, NULL, ret_error);
    is_short = !written.international && written.count <= NUMBER_SHORT_DIGITS_MAX;
    if (!written.international && !country)
        reason = NUMBER_NO_COUNTRY;
    else
        reason = number_backend_parse(written.digits, written.international, country, &number, &about);
    if (reason == NUMBER_OK && number.kind == NUMBER_UNKNOWN)
        reason = settle(country, &number, &about);
    /* A few digits are a short code, save where all mobile numbers are that short (Andorra, the Faroes). */
    if (is_short && (reason != NUMBER_OK || number.kind != NUMBER_MOBILE)) {
        (void)snprintf(number.text, sizeof number.text, "%.20s", written.digits);
        number.kind = NUMBER_SPECIAL;
        (void)snprintf(number.country, sizeof number.country, "%s", country ? country->code : "");
        reason = NUMBER_OK;
    }
    if (reason == NUMBER_OK && number.text[0] == '+' && strlen(number.text) > E164_DIGITS_MAX + 1) {
        reason = NUMBER_TOO_LONG;
        about = number_country_of_digits(number.text + 1);
    }
    if (reason != NUMBER_OK)
        return refuse(reason, about, ret_error);
    *ret_number = number;
    return 0;
}

void number_warm_up(void)
{
    struct number number;
    struct number_error error;

    (void)number_parse("+40722123456", "", &number, &error);
}
