/* SPDX-License-Identifier: Apache-2.0
 *
 * Ways to write numbers, and kinds, of several countries. Built twice: with the backend of the programs, and with the rules
 * that a build without libphonenumber has. Both must agree; rules may say that they do not know a kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/number/number.h"

#ifndef WITH_PHONENUMBER
#define WITH_PHONENUMBER 0
#endif

static const struct { const char *text, *country, *number; enum number_kind kind; const char *of; } numbers[] = {
    /* Romania, in every way */
    { "+40722123456", "", "+40722123456", NUMBER_MOBILE, "RO" },
    { "0040722123456", "", "+40722123456", NUMBER_MOBILE, "RO" },
    { "00 40 722 123 456", "RO", "+40722123456", NUMBER_MOBILE, "RO" },
    { "+40 (0)722 123-456", "", "+40722123456", NUMBER_MOBILE, "RO" },
    { "+40 (0) 722.123.456", "DE", "+40722123456", NUMBER_MOBILE, "RO" },
    { "0722 123 456", "RO", "+40722123456", NUMBER_MOBILE, "RO" },
    { "(0722) 12-34-56", "RO", "+40722123456", NUMBER_MOBILE, "RO" },
    { "0722/123.456", "RO", "+40722123456", NUMBER_MOBILE, "RO" },
    { "722123456", "RO", "+40722123456", NUMBER_MOBILE, "RO" },
    { "40722123456", "RO", "+40722123456", NUMBER_MOBILE, "RO" },
    { "\xe2\x80\xaa+40\xc2\xa0" "722\xe2\x80\x93" "123\xe2\x80\x91" "456\xe2\x80\xac", "", "+40722123456", NUMBER_MOBILE, "RO" },
    { "+40700000001", "", "+40700000001", NUMBER_MOBILE, "RO" },
    { "021 310 12 34", "RO", "+40213101234", NUMBER_FIXED, "RO" },
    { "0800 800 800", "RO", "+40800800800", NUMBER_SPECIAL, "RO" },
    { "0906 123 456", "RO", "+40906123456", NUMBER_PREMIUM, "RO" },
    /* Germany */
    { "0151 23456789", "DE", "+4915123456789", NUMBER_MOBILE, "DE" },
    { "+49 (0)171 2345678", "", "+491712345678", NUMBER_MOBILE, "DE" },
    { "030 901820", "DE", "+4930901820", NUMBER_FIXED, "DE" },
    { "0900 1 123456", "DE", "+499001123456", NUMBER_PREMIUM, "DE" },
    /* United Kingdom */
    { "07400 123456", "GB", "+447400123456", NUMBER_MOBILE, "GB" },
    { "+44 (0) 20 7946 0018", "", "+442079460018", NUMBER_FIXED, "GB" },
    { "0909 879 0000", "GB", "+449098790000", NUMBER_PREMIUM, "GB" },
    { "070 1234 5678", "GB", "+447012345678", NUMBER_PREMIUM, "GB" },
    /* United States: a plan that does not tell mobile from fixed */
    { "(202) 456-1111", "US", "+12024561111", NUMBER_MOBILE, "US" },
    { "1-202-456-1111", "US", "+12024561111", NUMBER_MOBILE, "US" },
    { "011 40 722 123 456", "US", "+40722123456", NUMBER_MOBILE, "RO" },
    { "+1 900 234 5678", "", "+19002345678", NUMBER_PREMIUM, "US" },
    { "800-234-5678", "US", "+18002345678", NUMBER_SPECIAL, "US" },
    /* Italy keeps its leading 0 */
    { "06 4567 8901", "IT", "+390645678901", NUMBER_FIXED, "IT" },
    { "+39 312 345 6789", "", "+393123456789", NUMBER_MOBILE, "IT" },
    { "899 123 456", "IT", "+39899123456", NUMBER_PREMIUM, "IT" },
    /* France */
    { "06 12 34 56 78", "FR", "+33612345678", NUMBER_MOBILE, "FR" },
    { "01.23.45.67.89", "FR", "+33123456789", NUMBER_FIXED, "FR" },
    { "0891 12 34 56", "FR", "+33891123456", NUMBER_PREMIUM, "FR" },
    /* Spain, without trunk prefix */
    { "612 34 56 78", "ES", "+34612345678", NUMBER_MOBILE, "ES" },
    { "810 12 34 56", "ES", "+34810123456", NUMBER_FIXED, "ES" },
    { "803 12 34 56", "ES", "+34803123456", NUMBER_PREMIUM, "ES" },
    /* Russia: trunk prefix 8, abroad with 810 */
    { "8 (916) 123-45-67", "RU", "+79161234567", NUMBER_MOBILE, "RU" },
    { "+7 916 123 45 67", "", "+79161234567", NUMBER_MOBILE, "RU" },
    { "8 10 40 722 123 456", "RU", "+40722123456", NUMBER_MOBILE, "RO" },
    { "8 809 123 45 67", "RU", "+78091234567", NUMBER_PREMIUM, "RU" },
    /* Hungary: trunk prefix 06 */
    { "06 20 123 4567", "HU", "+36201234567", NUMBER_MOBILE, "HU" },
    { "+36 1 234 5678", "", "+3612345678", NUMBER_FIXED, "HU" },
    { "06 90 123 456", "HU", "+3690123456", NUMBER_PREMIUM, "HU" },
    /* Poland */
    { "512 345 678", "PL", "+48512345678", NUMBER_MOBILE, "PL" },
    { "12 345 67 89", "PL", "+48123456789", NUMBER_FIXED, "PL" },
    { "701 234 567", "PL", "+48701234567", NUMBER_PREMIUM, "PL" },
    /* Moldova */
    { "0621 12 345", "MD", "+37362112345", NUMBER_MOBILE, "MD" },
    { "022 212 345", "MD", "+37322212345", NUMBER_FIXED, "MD" },
    { "0900 12345", "MD", "+37390012345", NUMBER_PREMIUM, "MD" },
    /* Australia, abroad with 0011 */
    { "0412 345 678", "AU", "+61412345678", NUMBER_MOBILE, "AU" },
    { "0011 40 722 123 456", "AU", "+40722123456", NUMBER_MOBILE, "RO" },
    { "1900 123 456", "AU", "+611900123456", NUMBER_PREMIUM, "AU" },
    /* The Faroes: six digits are a whole number there, a short code elsewhere */
    { "211 234", "FO", "+298211234", NUMBER_MOBILE, "FO" },
    { "211 234", "RO", "211234", NUMBER_SPECIAL, "RO" },
    /* Short codes, with and without a country */
    { "1234", "", "1234", NUMBER_SPECIAL, "" },
    { " 112 ", "RO", "112", NUMBER_SPECIAL, "RO" },
    { "11833", "DE", "11833", NUMBER_SPECIAL, "DE" },
    { "301234", "DE", "301234", NUMBER_SPECIAL, "DE" },
    /* Of no country */
    { "+800 1234 5678", "", "+80012345678", NUMBER_SPECIAL, "" },
    { "+979 123 456 789", "", "+979123456789", NUMBER_PREMIUM, "" },
    /* Of a possible length in a range that no plan has: a new one must work on the day it opens */
    { "+40123456789", "", "+40123456789", NUMBER_UNKNOWN, "RO" },
    { "+49700123456", "", "+49700123456", NUMBER_UNKNOWN, "DE" },
    { "+82 0012347448", "", "+8212347448", NUMBER_UNKNOWN, "KR" },
    { "+229 01 95 12 34 56", "", "+2290195123456", NUMBER_UNKNOWN, "BJ" },
};

static void every_way_of_writing_leads_to_one_number_of_one_kind(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct number number = { "untouched", NUMBER_INVALID, "" };
        struct number_error error = { NUMBER_OK, "" };
        int r = number_parse(numbers[i].text, numbers[i].country, &number, &error);
        bool kind = number.kind == numbers[i].kind || (!WITH_PHONENUMBER && number.kind == NUMBER_UNKNOWN && numbers[i].kind == NUMBER_FIXED);
        if (r == 0 && kind && strcmp(number.text, numbers[i].number) == 0 && strcmp(number.country, numbers[i].of) == 0)
            continue;
        wrong++;
        print_error("\"%s\" in \"%s\": %d %s %s of \"%s\" (%s)\n", numbers[i].text, numbers[i].country, r, number.text,
                    number_kind_name(number.kind), number.country, error.text);
    }
    assert_int_equal(wrong, 0);
}

static const struct { const char *text, *country; enum number_reason reason; const char *words; } errors[] = {
    { "", "RO", NUMBER_TOO_FEW_DIGITS, "at least 3 digits" },
    { "+", "RO", NUMBER_TOO_FEW_DIGITS, "at least 3 digits" },
    { "12", "RO", NUMBER_TOO_FEW_DIGITS, "at least 3 digits" },
    { "00 40", "RO", NUMBER_TOO_FEW_DIGITS, "at least 3 digits" },
    { "123456789012345678901", "RO", NUMBER_TOO_MANY_DIGITS, "that many digits" },
    { "1234567890123456789012345678901234567890", "RO", NUMBER_TOO_MANY_DIGITS, "that many digits" },
    { "++40722123456", "RO", NUMBER_PLUS_INSIDE, "in front" },
    { "40+722123456", "RO", NUMBER_PLUS_INSIDE, "in front" },
    { "722123456+", "RO", NUMBER_PLUS_INSIDE, "in front" },
    { "Orange", "RO", NUMBER_BAD_CHARACTER, "only digits" },
    { "1-800-FLOWERS", "US", NUMBER_BAD_CHARACTER, "only digits" },
    { "*100#", "RO", NUMBER_BAD_CHARACTER, "only digits" },
    { "0722123456;", "RO", NUMBER_BAD_CHARACTER, "only digits" },
    { "0722123456\r", "RO", NUMBER_BAD_CHARACTER, "only digits" },
    { "0722\t123456", "RO", NUMBER_BAD_CHARACTER, "only digits" },
    { "0722123456\"", "RO", NUMBER_BAD_CHARACTER, "only digits" },
    { "0722123456\xe2\x80", "RO", NUMBER_BAD_CHARACTER, "only digits" },
    { "\xd9\xa1\xd9\xa2\xd9\xa3", "RO", NUMBER_BAD_CHARACTER, "only digits" },   /* digits, but not ours */
    { "0722123456", "", NUMBER_NO_COUNTRY, "no country" },
    { "40722123456", "", NUMBER_NO_COUNTRY, "no country" },
    { "0722123456", "ZZ", NUMBER_NO_COUNTRY, "no country" },
    { "0722123456", "Romania", NUMBER_NO_COUNTRY, "no country" },
    { "+0722123456", "RO", NUMBER_NO_SUCH_CODE, "no country has" },
    { "000722123456", "RO", NUMBER_NO_SUCH_CODE, "no country has" },
    { "+0011 212 345 607", "HK", NUMBER_NO_SUCH_CODE, "no country has" },   /* a prefix for calling abroad behind '+' */
    { "+999123456789", "", NUMBER_NO_SUCH_CODE, "no country has" },
    { "+2100000000", "", NUMBER_NO_SUCH_CODE, "no country has" },
    { "+40722", "", NUMBER_TOO_SHORT, "too short for a number of Romania" },
    { "+407221234567", "", NUMBER_TOO_LONG, "too long for a number of Romania" },
    { "07221234567", "RO", NUMBER_TOO_LONG, "too long for a number of Romania" },
    { "+4474", "", NUMBER_TOO_SHORT, "too short for a number of the United Kingdom" },
    { "0491712345678901234", "DE", NUMBER_TOO_LONG, "too long for a number of Germany" },
    { "+40722123456789012", "", NUMBER_TOO_LONG, "too long for a number of Romania" },
    { "+407221234", "", NUMBER_BAD_LENGTH, "Romania" },   /* 6 or 9 digits, not 7 */
};

static void what_is_no_number_is_refused_in_words(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct number number = { "untouched", NUMBER_INVALID, "" };
        struct number_error error = { NUMBER_OK, "" };
        int r = number_parse(errors[i].text, errors[i].country, &number, &error);
        if (r == -EINVAL && error.reason == errors[i].reason && strstr(error.text, errors[i].words) && strcmp(number.text, "untouched") == 0)
            continue;
        wrong++;
        print_error("\"%s\" in \"%s\": %d, reason %d: %s\n", errors[i].text, errors[i].country, r, (int)error.reason, error.text);
    }
    assert_int_equal(wrong, 0);
}

static void a_number_that_was_parsed_stays_as_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct number once, twice;
        struct number_error error;
        assert_int_equal(number_parse(numbers[i].text, numbers[i].country, &once, &error), 0);
        assert_int_equal(number_parse(once.text, "DE", &twice, &error), 0);
        assert_string_equal(once.text, twice.text);
        assert_int_equal(once.kind, twice.kind);
    }
}

static void a_number_of_somebody_else_is_cleaned_and_fits_no_plan(void **state)
{
    static const struct { const char *text, *number; } rows[] = {
        { "+40700000001", "+40700000001" }, { "0040700000001", "+40700000001" }, { "+40 (700) 000-001", "+40700000001" },
        { "0722.000.001", "0722000001" }, { " 112 ", "112" }, { "1234", "1234" }, { "00123", "+123" },
        { "12345678901234567890", "12345678901234567890" }, { "+12345678901234567890", "+12345678901234567890" },
        { "0012345678901234567890", "+12345678901234567890" }, { "\xc2\xa0" "123", "123" },
        { "", NULL }, { "+", NULL }, { "12", NULL }, { "+12", NULL }, { "00", NULL }, { "0012", NULL }, { "+0722", NULL },
        { "000722", NULL }, { "123456789012345678901", NULL }, { "+123456789012345678901", NULL },
        { "00123456789012345678901", NULL }, { "1234567890123456789012345", NULL }, { "Orange", NULL }, { "123\r", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[NUMBER_TEXT_MAX] = "untouched";
        struct number_error error;
        int r = number_clean(rows[i].text, text, &error);
        if ((r == 0) != (rows[i].number != NULL) || strcmp(text, rows[i].number ? rows[i].number : "untouched") != 0)
            fail_msg("\"%s\": %d %s", rows[i].text, r, text);
    }
}

static void a_country_is_known_by_its_code_in_capitals(void **state)
{
    (void)state;
    assert_string_equal(number_country_name("RO"), "Romania");
    assert_string_equal(number_country_name("AC"), "Ascension Island");
    assert_string_equal(number_country_name("ZW"), "Zimbabwe");
    assert_null(number_country_name("ro"));
    assert_null(number_country_name("ZZ"));
    assert_null(number_country_name(""));
    for (char a = 'A'; a <= 'Z'; a++)
        for (char b = 'A'; b <= 'Z'; b++) {
            const char *name = number_country_name((char[]){ a, b, '\0' });
            struct number number;
            struct number_error error;
            /* All of them are found and can be parsed in: what is short there is an error that names them. */
            if (name && number_parse("01234567890123456789", (char[]){ a, b, '\0' }, &number, &error) == 0)
                fail_msg("%s: %s", name, number.text);
        }
}

static void a_build_says_how_it_tells_kinds(void **state)
{
    (void)state;
    assert_true((strcmp(number_backend(), "libphonenumber") == 0) == (WITH_PHONENUMBER != 0));
    assert_true(WITH_PHONENUMBER || strstr(number_backend(), "without libphonenumber"));
    assert_string_equal(number_kind_name(NUMBER_INVALID), "invalid");
    assert_string_equal(number_kind_name(NUMBER_UNKNOWN), "unknown");
}

static void a_number_in_its_national_form_is_the_same_subscriber(void **state)
{
    static const struct { const char *a, *b; bool same; } rows[] = {
        { "+40700123456", "+40700123456", true },   { "+40700123456", "0700123456", true },
        { "+40700123456", "40700123456", true },    { "+40700123456", "0040700123456", true },
        { "+79161234567", "89161234567", true },    { "+34612345678", "612345678", true },
        { "+12025550123", "2025550123", true },     { "+40700123456", "+40700123457", false },
        { "+40700123456", "0700123457", false },    { "+40700123456", "123456", false },
        { "+40123456", "123456", true },            { "12345", "12345", true },
        { "12345", "+4012345", false },             { "+40700123456", "+49700123456", false },
        { "+40700123456", "+700123456", false },    { "Bank", "Bank", true },
        { "Bank", "bank", false },                  { "", "", true },
        { "", "+40700123456", false },              { "*100#", "*100#", true },
        { "+", "+", true },                         { "+1234567890123", "890123", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (number_same(rows[i].a, rows[i].b) != rows[i].same || number_same(rows[i].b, rows[i].a) != rows[i].same)
            fail_msg("%s %s", rows[i].a, rows[i].b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_of_writing_leads_to_one_number_of_one_kind),
        cmocka_unit_test(what_is_no_number_is_refused_in_words),
        cmocka_unit_test(a_number_that_was_parsed_stays_as_it_is),
        cmocka_unit_test(a_number_of_somebody_else_is_cleaned_and_fits_no_plan),
        cmocka_unit_test(a_country_is_known_by_its_code_in_capitals),
        cmocka_unit_test(a_build_says_how_it_tells_kinds),
        cmocka_unit_test(a_number_in_its_national_form_is_the_same_subscriber),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
