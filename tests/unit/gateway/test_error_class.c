/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/gateway/error_class.h"

static const enum error_kind kinds[] = { ERROR_CMS, ERROR_CME };

static void rows_ascend_and_do_not_overlap(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        const struct error_info *row;
        int last, previous = -1;
        size_t i = 0;
        for (; (row = error_row(kinds[k], i, &last)) != NULL; i++) {
            if (row->code <= previous || last < row->code)
                fail_msg("row %zu of kind %zu begins at %d, ends at %d, after %d", i, k, row->code, last, previous);
            previous = last;
        }
        assert_true(i > 50);
    }
    assert_null(error_row(ERROR_NONE, 0, &(int){ 0 }));
}

static void every_row_is_found_from_its_first_to_its_last_code(void **state)
{
    const struct error_info *row;
    int last;

    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; (row = error_row(kinds[k], i, &last)) != NULL; i++)
            for (int code = row->code; code <= last; code++)
                assert_ptr_equal(error_classify(kinds[k], code), row);
}

static void every_code_has_words_that_fit_a_line(void **state)
{
    static const int odd[] = { INT_MIN, -2, -1, 1000000, INT_MAX };

    (void)state;
    for (int kind = -1; kind <= 4; kind++) {
        for (int i = 0; i < 2000 + 5; i++) {
            const struct error_info *info = error_classify((enum error_kind)kind, i < 2000 ? i : odd[i - 2000]);
            assert_non_null(info);
            assert_true(strlen(info->text) > 4 && strlen(info->text) <= ERROR_TEXT_MAX);
            assert_true(info->text[strlen(info->text) - 1] != '.');
            assert_string_not_equal(error_class_name(info->class), "?");
        }
    }
}

static void codes_mean_what_the_specifications_and_the_field_say(void **state)
{
    static const struct { enum error_kind kind; int code; enum error_class class; const char *words; } rows[] = {
        { ERROR_CMS, 1, ERROR_RECIPIENT, "number" }, { ERROR_CMS, 2, ERROR_TRANSIENT, "" },
        { ERROR_CMS, 8, ERROR_SIM, "barred" }, { ERROR_CMS, 10, ERROR_VARIES, "credit" },
        { ERROR_CMS, 21, ERROR_VARIES, "rejected" }, { ERROR_CMS, 27, ERROR_TRANSIENT, "reached" },
        { ERROR_CMS, 38, ERROR_TRANSIENT, "out of order" }, { ERROR_CMS, 42, ERROR_CONGESTION, "congested" },
        { ERROR_CMS, 50, ERROR_SIM, "contract" }, { ERROR_CMS, 81, ERROR_MODEM, "" },
        { ERROR_CMS, 95, ERROR_MESSAGE, "" }, { ERROR_CMS, 98, ERROR_TRANSIENT, "" },
        { ERROR_CMS, 126, ERROR_TRANSIENT, "" }, { ERROR_CMS, 127, ERROR_VARIES, "" },
        { ERROR_CMS, 128, ERROR_MESSAGE, "" }, { ERROR_CMS, 131, ERROR_VARIES, "reserved" },
        { ERROR_CMS, 142, ERROR_VARIES, "reserved" }, { ERROR_CMS, 143, ERROR_MESSAGE, "" },
        { ERROR_CMS, 192, ERROR_CONGESTION, "busy" }, { ERROR_CMS, 193, ERROR_SIM, "" },
        { ERROR_CMS, 195, ERROR_RECIPIENT, "" }, { ERROR_CMS, 197, ERROR_AMBIGUOUS, "already" },
        { ERROR_CMS, 208, ERROR_TRANSIENT, "full" }, { ERROR_CMS, 224, ERROR_VARIES, "" },
        { ERROR_CMS, 254, ERROR_VARIES, "" }, { ERROR_CMS, 255, ERROR_VARIES, "" },
        { ERROR_CMS, 262, ERROR_SIM, "" }, { ERROR_CMS, 264, ERROR_VARIES, "not known" },
        { ERROR_CMS, 300, ERROR_MODEM, "" }, { ERROR_CMS, 304, ERROR_MESSAGE, "PDU" },
        { ERROR_CMS, 310, ERROR_SIM, "no SIM" }, { ERROR_CMS, 311, ERROR_MODEM, "PIN" },
        { ERROR_CMS, 331, ERROR_TRANSIENT, "no network" }, { ERROR_CMS, 332, ERROR_AMBIGUOUS, "may have been sent" },
        { ERROR_CMS, 350, ERROR_VARIES, "not known" }, { ERROR_CMS, 500, ERROR_VARIES, "unknown" },
        { ERROR_CMS, 511, ERROR_VARIES, "not known" }, { ERROR_CMS, 512, ERROR_TRANSIENT, "" },
        { ERROR_CMS, 513, ERROR_AMBIGUOUS, "may have been sent" }, { ERROR_CMS, 514, ERROR_CONGESTION, "" },
        { ERROR_CMS, 515, ERROR_TRANSIENT, "wait" }, { ERROR_CMS, 516, ERROR_VARIES, "maker" },
        { ERROR_CMS, 521, ERROR_AMBIGUOUS, "may have been sent" }, { ERROR_CMS, 604, ERROR_VARIES, "maker" },
        { ERROR_CMS, 0, ERROR_VARIES, "not known" }, { ERROR_CMS, -1, ERROR_VARIES, "no reason" },
        { ERROR_CME, 0, ERROR_MODEM, "" }, { ERROR_CME, 4, ERROR_MESSAGE, "" }, { ERROR_CME, 8, ERROR_VARIES, "not known" },
        { ERROR_CME, 10, ERROR_SIM, "no SIM" }, { ERROR_CME, 14, ERROR_TRANSIENT, "busy" },
        { ERROR_CME, 16, ERROR_SIM, "PIN" }, { ERROR_CME, 31, ERROR_AMBIGUOUS, "may have been sent" },
        { ERROR_CME, 39, ERROR_VARIES, "" }, { ERROR_CME, 40, ERROR_SIM, "locked" }, { ERROR_CME, 48, ERROR_SIM, "locked" },
        { ERROR_CME, 49, ERROR_VARIES, "" }, { ERROR_CME, 50, ERROR_MESSAGE, "" }, { ERROR_CME, 56, ERROR_SIM, "" },
        { ERROR_CME, 62, ERROR_VARIES, "" }, { ERROR_CME, 122, ERROR_CONGESTION, "" }, { ERROR_CME, 515, ERROR_TRANSIENT, "wait" },
        { ERROR_CME, 772, ERROR_MODEM, "" }, { ERROR_CME, 773, ERROR_VARIES, "" }, { ERROR_NONE, 42, ERROR_VARIES, "no reason" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct error_info *info = error_classify(rows[i].kind, rows[i].code);
        if (info->class != rows[i].class || !strstr(info->text, rows[i].words))
            fail_msg("kind %d code %d is %s: %s", rows[i].kind, rows[i].code, error_class_name(info->class), info->text);
    }
}

/* Each of these was seen when the network may already have had the message: sending again could cost twice. */
static void whatever_may_have_been_sent_is_ambiguous_and_nothing_else(void **state)
{
    static const struct { enum error_kind kind; int code; } expected[] = {
        { ERROR_CMS, 197 }, { ERROR_CMS, 332 }, { ERROR_CMS, 513 }, { ERROR_CMS, 521 }, { ERROR_CME, 31 },
    };
    size_t seen = 0;

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        for (int code = 0; code < 1000; code++) {
            if (error_classify(kinds[k], code)->class != ERROR_AMBIGUOUS)
                continue;
            assert_true(seen < sizeof expected / sizeof expected[0]);
            assert_int_equal(kinds[k], expected[seen].kind);
            assert_int_equal(code, expected[seen].code);
            seen++;
        }
    }
    assert_int_equal(seen, sizeof expected / sizeof expected[0]);
}

static void every_class_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < ERROR_CLASSES; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(error_class_name((enum error_class)i), error_class_name((enum error_class)k));
    assert_string_equal(error_class_name((enum error_class)ERROR_CLASSES), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_ascend_and_do_not_overlap),
        cmocka_unit_test(every_row_is_found_from_its_first_to_its_last_code),
        cmocka_unit_test(every_code_has_words_that_fit_a_line),
        cmocka_unit_test(codes_mean_what_the_specifications_and_the_field_say),
        cmocka_unit_test(whatever_may_have_been_sent_is_ambiguous_and_nothing_else),
        cmocka_unit_test(every_class_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
