/* SPDX-License-Identifier: Apache-2.0 */
#include "src/routing/pattern.h"

#include <stdio.h>
#include <string.h>

#include "src/base/date.h"
#include "src/base/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define DIGITS_OF_AMOUNT 12              /* before the decimals; what is longer is a number of something else */

enum kind { PLACE_FIRST, KIND_LETTER = PATTERN_PLACES, KIND_BLANK, KIND_ANY, KIND_END, KIND_BAD };

struct token { unsigned kind; uint32_t letter; };

static const struct { const char *name; unsigned kind; } names[] = {
    { "{balance}", PATTERN_BALANCE }, { "{parts}", PATTERN_PARTS }, { "{date}", PATTERN_DATE }, { "{currency}", PATTERN_CURRENCY },
    { "{*}", KIND_ANY },
};

/* -- characters ------------------------------------------------------------------------------------------------ */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The letters operators write with, in one case: ASCII, Latin-1, Cyrillic, Greek without accents, Latin Extended-A. */
static uint32_t fold(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x410 && c <= 0x42F) || (c >= 0x391 && c <= 0x3A9))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177))
        return c | 1;
    if (((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) && c % 2 == 1)
        return c + 1;
    return c;
}

static bool is_blank(uint32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xA0 || c == 0x202F || c == 0x2009; }

/* The character at `at`, and where the next one is. What is no UTF-8 counts octet by octet. */
static uint32_t character(const char *text, size_t length, size_t at, size_t *ret_next)
{
    uint32_t c = UTF8_REPLACEMENT;
    int used = utf8_next(text + at, length - at, &c);

    *ret_next = at + (used > 0 ? (size_t)used : 1);
    return c;
}

/* The text begins with the word, in either case; the letters of both cases take as many octets. */
static bool same_word(const char *word, const char *text, size_t length)
{
    size_t size = strlen(word), a = 0, b = 0;

    if (size > length)
        return false;
    while (a < size) {
        if (fold(character(word, size, a, &a)) != fold(character(text, size, b, &b)) || a != b)
            return false;
    }
    return true;
}

static bool is_letter(const char *text, size_t length, size_t at)
{
    return at < length && ((unsigned char)text[at] >= 0x80 || ((text[at] | 0x20) >= 'a' && (text[at] | 0x20) <= 'z'));
}

/* -- patterns -------------------------------------------------------------------------------------------------- */

static struct token next_token(const char *pattern, size_t length, size_t *at)
{
    struct token token = { KIND_END, 0 };

    if (*at >= length)
        return token;
    if (pattern[*at] == '{') {
        for (size_t i = 0; i < COUNT(names); i++) {
            if (strncmp(pattern + *at, names[i].name, strlen(names[i].name)) == 0) {
                *at += strlen(names[i].name);
                token.kind = names[i].kind;
                return token;
            }
        }
        token.kind = KIND_BAD;
        return token;
    }
    token.letter = fold(character(pattern, length, *at, at));
    token.kind = is_blank(token.letter) ? KIND_BLANK : KIND_LETTER;
    return token;
}

const char *pattern_check(const char *pattern, size_t *ret_at)
{
    size_t length = strlen(pattern), at = 0, seen[PATTERN_PLACES] = { 0 }, letters = 0;
    bool after_place = false;

    for (size_t i = 1;; i++) {
        size_t from = at;
        struct token token = next_token(pattern, length, &at);

        *ret_at = from + 1;
        if (token.kind == KIND_END)
            break;
        if (token.kind == KIND_BAD)
            return strchr(pattern + from, '}') == NULL ? "has a '{' without its '}'" :
                                                         "has a place in braces that there is not";
        if (token.kind < PATTERN_PLACES) {
            if (seen[token.kind]++ > 0)
                return "has the same place twice";
            if (after_place)
                return "has two places with nothing between them";
        }
        letters += token.kind == KIND_LETTER;
        after_place = token.kind < PATTERN_PLACES;
    }
    *ret_at = 1;
    if (seen[PATTERN_BALANCE] == 0 && seen[PATTERN_PARTS] == 0)
        return "reads neither {balance} nor {parts}";
    if (letters == 0 && seen[PATTERN_CURRENCY] == 0)
        return "has no text that tells its number from others";
    return NULL;
}

bool pattern_has(const char *pattern, enum pattern_place place)
{
    return strstr(pattern, names[place].name) != NULL;
}

/* -- places ---------------------------------------------------------------------------------------------------- */

/* Blanks within a number stand before exactly three digits: "1 234,56". */
static size_t thousands_blank(const char *text, size_t length, size_t at)
{
    size_t next;

    if (at >= length || !is_blank(character(text, length, at, &next)) || text[at] == '\n' || text[at] == '\r' || next + 3 > length ||
        !is_digit(text[next]) || !is_digit(text[next + 1]) || !is_digit(text[next + 2]) || (next + 3 < length && is_digit(text[next + 3])))
        return 0;
    return next - at;
}

/* What stands behind a number that is no money: "500 MB", "12:30", "20%". */
static bool is_of_something_else(const char *text, size_t length, size_t at)
{
    static const char *const units[] = { "MB", "GB", "KB", "Mo", "Go", "SMS", "MMS", "min", "minutes", "mins", "sec", "day", "days", "units",
                                         "Tage", "Minuten", "jours", "\xD0\xA1\xD0\x9C\xD0\xA1" };
    size_t next;

    if (at < length && (text[at] == ':' || text[at] == '/' || text[at] == '%'))
        return true;
    while (at < length && is_blank(character(text, length, at, &next)))
        at = next;
    for (size_t i = 0; i < COUNT(units); i++) {
        size_t size = strlen(units[i]);

        if (same_word(units[i], text + at, length - at) && !is_letter(text, length, at + size))
            return true;
    }
    return false;
}

static size_t amount_length(const char *text, size_t length, size_t at)
{
    size_t from = at, blank, lead = 0;
    int64_t micro;

    if (at < length && (text[at] == '-' || text[at] == '+'))
        at++;
    if (at >= length || !is_digit(text[at]))
        return 0;
    while (at < length) {
        if (is_digit(text[at])) {
            lead++;
            at++;
        } else if ((text[at] == '.' || text[at] == ',' || text[at] == '\'') && at + 1 < length && is_digit(text[at + 1])) {
            lead = 4;
            at++;
        } else if (lead <= 3 && (blank = thousands_blank(text, length, at)) > 0) {
            at += blank;
            lead = 0;
        } else {
            break;
        }
    }
    return pattern_amount(text + from, at - from, false, &micro) && !is_of_something_else(text, length, at) ? at - from : 0;
}

static size_t parts_length(const char *text, size_t length, size_t at)
{
    size_t from = at;

    while (at < length && is_digit(text[at]))
        at++;
    if (at - from > 9 || (at + 1 < length && (text[at] == '.' || text[at] == ',' || text[at] == '/' || text[at] == '-') && is_digit(text[at + 1])))
        return 0;
    return at - from;
}

static size_t date_length(const char *text, size_t length, size_t at)
{
    size_t from = at;
    int32_t day;

    while (at < length && at - from < 10 && (is_digit(text[at]) || text[at] == '.' || text[at] == '/' || text[at] == '-'))
        at++;
    while (at > from && !is_digit(text[at - 1]))
        at--;
    if (at < length && is_digit(text[at]))
        return 0;
    return pattern_day(text + from, at - from, &day) ? at - from : 0;
}

static const struct { const char *word, *code; } currencies[] = {
    { "\xE2\x82\xAC", "EUR" }, { "Euro", "EUR" }, { "\xC2\xA3", "GBP" }, { "z\xC5\x82", "PLN" }, { "K\xC4\x8D", "CZK" },
    { "\xE2\x82\xB9", "INR" }, { "\xE2\x82\xBD", "RUB" }, { "\xE2\x82\xB4", "UAH" }, { "\xE2\x82\xBA", "TRY" },
    { "\xE2\x82\xA6", "NGN" },
};

static size_t currency_length(const char *text, size_t length, size_t at)
{
    char code[4];

    for (size_t i = 0; i < COUNT(currencies); i++) {
        size_t size = strlen(currencies[i].word);

        if (at + size <= length && pattern_currency(text + at, size, code))
            return size;
    }
    return at + 3 <= length && !is_letter(text, length, at + 3) && pattern_currency(text + at, 3, code) ? 3 : 0;
}

static size_t place_length(unsigned place, const char *text, size_t length, size_t at)
{
    /* Not from within another number. */
    if (place != PATTERN_CURRENCY && at > 0 &&
        (is_digit(text[at - 1]) || (at > 1 && is_digit(text[at - 2]) && (text[at - 1] == '.' || text[at - 1] == ',') && is_digit(text[at]))))
        return 0;
    switch (place) {
    case PATTERN_BALANCE: return amount_length(text, length, at);
    case PATTERN_PARTS: return parts_length(text, length, at);
    case PATTERN_DATE: return date_length(text, length, at);
    default: return currency_length(text, length, at);
    }
}

/* -- matching -------------------------------------------------------------------------------------------------- */

/* Every token but {*} fits at a place in one way or in none, so that going back to the last {*} alone is enough. The beginning
 * is one too. */
bool pattern_match(const char *pattern, const char *text, size_t length, struct pattern_match *ret_match)
{
    size_t size = strlen(pattern), at = 0, in = 0, star_at = 0, star_in = 0;
    struct pattern_match match = { 0 }, star_match = { 0 };

    for (;;) {
        struct token token = next_token(pattern, size, &at);
        size_t next, taken = 0;
        bool fits = false;

        if (token.kind == KIND_END) {
            *ret_match = match;
            return true;
        }
        if (token.kind == KIND_ANY) {
            star_at = at;
            star_in = in;
            star_match = match;
            continue;
        }
        if (token.kind == KIND_BLANK) {
            while (in < length && is_blank(character(text, length, in, &next)))
                in = next;
            continue;
        }
        if (token.kind == KIND_LETTER) {
            fits = in < length && fold(character(text, length, in, &next)) == token.letter;
            if (fits)
                in = next;
        } else if (token.kind < PATTERN_PLACES) {
            taken = in < length ? place_length(token.kind, text, length, in) : 0;
            fits = taken > 0;
            if (fits) {
                match.places[token.kind] = (struct pattern_find){ true, in, taken };
                in += taken;
            }
        }
        if (fits)
            continue;
        if (star_in >= length)
            return false;
        (void)character(text, length, star_in, &star_in);
        in = star_in;
        at = star_at;
        match = star_match;
    }
}

/* -- values ---------------------------------------------------------------------------------------------------- */

bool pattern_amount(const char *text, size_t length, bool three_decimals, int64_t *ret_micro)
{
    size_t decimal = length, signs = 0, last = length, digits = 0, i = 0;
    bool negative = length > 0 && text[0] == '-', others = false;
    int64_t micro = 0, scale = 1000000;

    for (i = 0; i < length; i++) {
        if (text[i] == '.' || text[i] == ',') {
            others = others || (last < length && text[last] != text[i]);
            signs++;
            last = i;
        }
    }
    if (signs > 0) {
        size_t behind = length - last - 1;
        bool whole_is_zero = last > 0 && text[last - 1] == '0' && (last == 1 || !is_digit(text[last - 2]));

        if (others || (signs == 1 && (behind != 3 || three_decimals || whole_is_zero)))
            decimal = last;
        if (others && memchr(text, text[last], last) != NULL)
            return false;                /* 1,234.567,8 */
    }
    for (i = 0; i < decimal; i++) {
        if (text[i] == '.' || text[i] == ',' || text[i] == '\'') {
            if (i + 3 >= decimal || !is_digit(text[i + 1]) || !is_digit(text[i + 2]) || !is_digit(text[i + 3]) ||
                (i + 4 < decimal && is_digit(text[i + 4])))
                return false;            /* 31.12.2026 */
        }
        if (!is_digit(text[i]))
            continue;
        if (++digits > DIGITS_OF_AMOUNT)
            return false;
        micro = micro * 10 + (text[i] - '0');
    }
    if (digits == 0)
        return false;
    micro *= 1000000;
    for (i = decimal + 1; i < length; i++) {
        scale /= 10;
        if (!is_digit(text[i]) || scale == 0)
            return false;
        micro += (text[i] - '0') * scale;
    }
    *ret_micro = negative ? -micro : micro;
    return true;
}

bool pattern_day(const char *text, size_t length, int32_t *ret_day)
{
    unsigned long part[3] = { 0 };
    size_t digits[3] = { 0 }, count = 0;
    char iso[DATE_CHARS], sign = '\0';
    unsigned long year, month, day;

    for (size_t i = 0; i < length; i++) {
        if (is_digit(text[i])) {
            if (++digits[count] > 4)
                return false;
            part[count] = part[count] * 10 + (unsigned long)(text[i] - '0');
        } else {
            if (count == 2 || (sign != '\0' && sign != text[i]))
                return false;
            sign = text[i];
            count++;
        }
    }
    if (count != 2 || digits[0] == 0 || digits[1] == 0 || digits[1] > 2 || digits[2] == 0)
        return false;
    if (digits[0] == 4 && digits[2] <= 2) {
        year = part[0], month = part[1], day = part[2];
    } else if (digits[0] <= 2 && (digits[2] == 4 || digits[2] == 2)) {
        year = digits[2] == 2 ? 2000 + part[2] : part[2], month = part[1], day = part[0];
    } else {
        return false;
    }
    if (year < 2000 || year > 2099 || month > 12 || day > 31)
        return false;
    (void)snprintf(iso, sizeof iso, "%04lu-%02lu-%02lu", year % 10000, month % 100, day % 100);
    return date_parse(iso, ret_day) == 0;
}

bool pattern_currency(const char *text, size_t length, char ret_code[4])
{
    char code[4] = "";

    for (size_t i = 0; i < COUNT(currencies); i++) {
        if (strlen(currencies[i].word) == length && same_word(currencies[i].word, text, length)) {
            strcpy(ret_code, currencies[i].code);
            return true;
        }
    }
    if (length != 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (text[i] < 'A' || text[i] > 'Z')
            return false;
        code[i] = text[i];
    }
    if (strcmp(code, "SMS") == 0 || strcmp(code, "MMS") == 0 || strcmp(code, "MIN") == 0)
        return false;
    strcpy(ret_code, code);
    return true;
}
