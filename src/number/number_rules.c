/* SPDX-License-Identifier: Apache-2.0
 *
 * number_rules.c - the backend of a build without libphonenumber: lengths of the table of countries, and prefixes of some
 * plans. Where no prefix is listed the kind is unknown, which sends: better a fixed line that is tried than a customer
 * who is refused. Premium prefixes are listed with care for the reverse reason. */
#include <stdio.h>
#include <string.h>

#include "src/number/number_internal.h"

/* Prefixes of national (significant) numbers; the longest that fits wins. From the numbering plans at the ITU (E.129). */
static const struct { const char *calling; enum number_kind kind; const char *prefixes; } rules[] = {
    { "1", NUMBER_MOBILE, "" },              /* fixed and mobile share ranges there */
    { "1", NUMBER_PREMIUM, "900" },          { "1", NUMBER_SPECIAL, "800 833 844 855 866 877 888" },
    { "30", NUMBER_MOBILE, "69" },           { "30", NUMBER_FIXED, "2" },
    { "30", NUMBER_PREMIUM, "90" },          { "30", NUMBER_SPECIAL, "800" },
    { "31", NUMBER_MOBILE, "6" },            { "31", NUMBER_FIXED, "1 2 3 4 5 7" },
    { "31", NUMBER_PREMIUM, "90" },          { "31", NUMBER_SPECIAL, "800" },
    { "32", NUMBER_MOBILE, "456 46 47 48 49" },
    { "32", NUMBER_PREMIUM, "90" },          { "32", NUMBER_SPECIAL, "800" },
    { "33", NUMBER_MOBILE, "6 7" },          { "33", NUMBER_FIXED, "1 2 3 4 5" },
    { "33", NUMBER_PREMIUM, "81 82 89" },    { "33", NUMBER_SPECIAL, "800 801 802 803 804 805 9" },
    { "34", NUMBER_MOBILE, "6 71 72 73 74 75 76 77 78 79" },
    { "34", NUMBER_FIXED, "81 82 83 84 85 86 87 88 91 92 93 94 95 96 97 98" },
    { "34", NUMBER_PREMIUM, "803 806 807 901 902 905" },
    { "34", NUMBER_SPECIAL, "800 900" },
    { "36", NUMBER_MOBILE, "20 30 31 50 70" },
    { "36", NUMBER_PREMIUM, "90 91" },       { "36", NUMBER_SPECIAL, "80" },
    { "39", NUMBER_MOBILE, "3" },            { "39", NUMBER_FIXED, "0" },
    { "39", NUMBER_PREMIUM, "84 89 199" },   { "39", NUMBER_SPECIAL, "800" },
    { "40", NUMBER_MOBILE, "6 7" },          { "40", NUMBER_FIXED, "2 3" },
    { "40", NUMBER_PREMIUM, "801 90" },      { "40", NUMBER_SPECIAL, "37 800" },
    { "41", NUMBER_MOBILE, "75 76 77 78 79" },
    { "41", NUMBER_FIXED, "2 3 4 5 61 62 71 81 91" },
    { "41", NUMBER_PREMIUM, "84 90" },       { "41", NUMBER_SPECIAL, "51 58 80" },
    { "43", NUMBER_MOBILE, "650 660 664 676 680 681 688 699" },
    { "43", NUMBER_PREMIUM, "810 820 821 900 901 930 931 939" },
    { "43", NUMBER_SPECIAL, "800" },
    { "44", NUMBER_MOBILE, "71 72 73 74 75 77 78 79" },
    { "44", NUMBER_FIXED, "1 2" },
    { "44", NUMBER_PREMIUM, "70 843 844 845 870 871 872 873 9" },
    { "44", NUMBER_SPECIAL, "800 808 3 56" },
    { "45", NUMBER_PREMIUM, "90" },          { "45", NUMBER_SPECIAL, "80" },
    { "46", NUMBER_MOBILE, "70 72 73 76 79" },
    { "46", NUMBER_PREMIUM, "900 939 944 99" },
    { "46", NUMBER_SPECIAL, "20" },
    { "47", NUMBER_MOBILE, "4 59 9" },          { "47", NUMBER_PREMIUM, "82" },
    { "47", NUMBER_SPECIAL, "80" },          { "47", NUMBER_FIXED, "2 3 5 6 7" },
    { "48", NUMBER_MOBILE, "50 51 53 57 60 66 69 72 73 78 79 88" },
    { "48", NUMBER_FIXED, "12 13 14 15 16 17 18 22 23 24 25 29 32 33 34 41 42 43 44 46 48 52 54 55 56 58 59 61 62 63 65 67 68 71 74 75 76 77 81 82 83 84 85 86 87 89 91 94 95" },
    { "48", NUMBER_PREMIUM, "70" },          { "48", NUMBER_SPECIAL, "800" },
    { "49", NUMBER_MOBILE, "15 16 17" },     { "49", NUMBER_PREMIUM, "180 900" },
    { "49", NUMBER_SPECIAL, "800" },
    { "7", NUMBER_MOBILE, "9" },             { "7", NUMBER_PREMIUM, "803 809" },
    { "7", NUMBER_SPECIAL, "800" },
    { "61", NUMBER_MOBILE, "4" },            { "61", NUMBER_FIXED, "2 3 7 8" },
    { "61", NUMBER_PREMIUM, "190" },         { "61", NUMBER_SPECIAL, "180" },
    { "90", NUMBER_MOBILE, "50 53 54 55" },  { "90", NUMBER_PREMIUM, "900" },
    { "90", NUMBER_SPECIAL, "444 800" },         { "90", NUMBER_FIXED, "2 3 4" },
    { "351", NUMBER_MOBILE, "91 92 93 96" }, { "351", NUMBER_FIXED, "2" },
    { "351", NUMBER_PREMIUM, "601 607 608 646 648 76 808" },  { "351", NUMBER_SPECIAL, "800" },
    { "353", NUMBER_MOBILE, "82 83 85 86 87 88 89" },
    { "359", NUMBER_MOBILE, "87 88 89 98" }, { "359", NUMBER_PREMIUM, "90" },
    { "359", NUMBER_SPECIAL, "800" },
    { "373", NUMBER_MOBILE, "6 7" },         { "373", NUMBER_FIXED, "2" },
    { "373", NUMBER_PREMIUM, "90" },         { "373", NUMBER_SPECIAL, "800" },
    { "380", NUMBER_MOBILE, "39 50 63 66 67 68 73 91 92 93 94 95 96 97 98 99" },
    { "380", NUMBER_PREMIUM, "900" },        { "380", NUMBER_SPECIAL, "800" },
    { "381", NUMBER_MOBILE, "6" },           { "381", NUMBER_PREMIUM, "78 90" },
    { "381", NUMBER_SPECIAL, "800" },
    { "420", NUMBER_MOBILE, "60 72 73 77 790" },
    { "420", NUMBER_FIXED, "2 3 4 5" },
    { "420", NUMBER_PREMIUM, "81 83 84 90" },
    { "420", NUMBER_SPECIAL, "800" },
    { "421", NUMBER_MOBILE, "90 91 94 95" }, { "421", NUMBER_FIXED, "2 3 4 5" },
    { "421", NUMBER_PREMIUM, "85 900 97 98" },   { "421", NUMBER_SPECIAL, "800" },
    { "298", NUMBER_MOBILE, "21 22 23 24 25 26 27 28 29 5 71 72 73 74 75 76 77 78 79" },
    { "376", NUMBER_MOBILE, "3" },
    { "808", NUMBER_PREMIUM, "" },           { "979", NUMBER_PREMIUM, "" },
    { "800", NUMBER_SPECIAL, "" },           { "870", NUMBER_MOBILE, "" },
    { "881", NUMBER_MOBILE, "" },
};

static bool has_length(const struct number_country *country, size_t length)
{
    return length <= NUMBER_NATIONAL_DIGITS_MAX && (country->lengths >> length & 1) != 0;
}

static enum number_reason check_length(const struct number_country *country, size_t length)
{
    if (has_length(country, length))
        return NUMBER_OK;
    for (size_t i = length + 1; i <= NUMBER_NATIONAL_DIGITS_MAX; i++)
        if (has_length(country, i))
            return length > 0 && (country->lengths & ((1u << length) - 1)) != 0 ? NUMBER_BAD_LENGTH : NUMBER_TOO_SHORT;
    return NUMBER_TOO_LONG;
}

/* Past a prefix, if what follows it is as long as a number is there. */
static const char *without(const char *digits, const char *prefix, const struct number_country *country)
{
    size_t length = strlen(prefix);

    return length > 0 && strncmp(digits, prefix, length) == 0 && has_length(country, strlen(digits + length)) ? digits + length : digits;
}

/* No national number begins with 0 where 0 is the trunk prefix: "+40 (0)722 ...". */
static const char *without_trunk(const char *digits, const struct number_country *country, bool international)
{
    const char *past = without(digits, country->trunk, country);

    if (strcmp(country->trunk, "0") == 0 && digits[0] == '0')
        return digits + 1;
    return international && has_length(country, strlen(digits)) ? digits : past;
}

static enum number_kind kind_of(const struct number_country *country, const char *national)
{
    enum number_kind kind = NUMBER_UNKNOWN;
    size_t best = 0;
    bool found = false;

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(rules[i].calling, country->calling) != 0)
            continue;
        for (const char *prefix = rules[i].prefixes;;) {
            size_t length = strcspn(prefix, " ");
            if (strncmp(national, prefix, length) == 0 && (!found || length > best)) {
                found = true;
                best = length;
                kind = rules[i].kind;
            }
            if (prefix[length] == '\0')
                break;
            prefix += length + 1;
        }
    }
    return kind;
}

enum number_reason number_backend_parse(const char *digits, bool international, const struct number_country *country,
                                        struct number *ret_number, const struct number_country **ret_country)
{
    const char *national = digits;
    enum number_reason reason;

    if (international) {
        const struct number_country *named = country;
        country = number_country_of_digits(digits);
        if (!country)
            return NUMBER_NO_SUCH_CODE;
        if (named && strcmp(named->calling, country->calling) == 0)   /* Kazakhstan is as good a guess as Russia */
            country = named;
        national += strlen(country->calling);
    }
    national = without_trunk(national, country, international);
    *ret_country = country;
    reason = check_length(country, strlen(national));
    if (reason != NUMBER_OK && !international)   /* "40722..." as some programs write it */
        national = without(digits, country->calling, country);
    reason = check_length(country, strlen(national));
    if (reason != NUMBER_OK)
        return reason;
    (void)snprintf(ret_number->text, sizeof ret_number->text, "+%s%.17s", country->calling, national);
    (void)snprintf(ret_number->country, sizeof ret_number->country, "%s", country->code);
    ret_number->kind = kind_of(country, national);
    return NUMBER_OK;
}

const char *number_backend(void)
{
    return "length and prefix rules (built without libphonenumber: the kind of many numbers is unknown)";
}
