/* SPDX-License-Identifier: Apache-2.0
 *
 * What a line is: final results with their codes and neighbours, unsolicited lines, names and echoes, as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/at/at_words.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define WHOLE 0   /* the result is all of the line */

static void final_results_are_told_from_lines_that_begin_alike(void **state)
{
    static const struct { const char *line; bool final, ok; enum at_error_kind kind; int code; size_t length; } rows[] = {
        { "OK", true, true, AT_ERROR_PLAIN, -1, WHOLE },          { "OK \t ", true, true, AT_ERROR_PLAIN, -1, WHOLE },
        { "OKAY", false, 0, 0, 0, 0 },                            { "", false, 0, 0, 0, 0 },
        { "  ", false, 0, 0, 0, 0 },                              { "OK+CREG: 1", true, true, AT_ERROR_PLAIN, -1, 2 },
        { "ERROR^BOOT:1", true, false, AT_ERROR_PLAIN, -1, 5 },   { "ERRORS", false, 0, 0, 0, 0 },
        { "+CMS ERROR: 500", true, false, AT_ERROR_CMS, 500, WHOLE }, { "+CMS ERROR:53", true, false, AT_ERROR_CMS, 53, WHOLE },
        { "+CMS ERROR: 99999", true, false, AT_ERROR_CMS, 99999, WHOLE }, { "+CMS ERROR: 100000", true, false, AT_ERROR_CMS, -1, WHOLE },
        { "+CMS ERROR: 38x", true, false, AT_ERROR_CMS, 38, WHOLE },  { "+CMS ERROR: 38 ", true, false, AT_ERROR_CMS, 38, WHOLE },
        { "+CMS ERROR: 38/", true, false, AT_ERROR_CMS, 38, WHOLE },  { "+CMS ERROR:", true, false, AT_ERROR_CMS, -1, WHOLE },
        { "+CMS ERROR", true, false, AT_ERROR_CMS, -1, WHOLE },       { "+CMS ERRORS", false, 0, 0, 0, 0 },
        { "+CMS ERROR 21", true, false, AT_ERROR_CMS, 21, WHOLE },
        { "+CMS ERROR: \"SIM busy\"", true, false, AT_ERROR_CMS, 314, WHOLE },
        { "+CME ERROR: SIM busy", true, false, AT_ERROR_CME, 14, WHOLE },
        { "+CME ERROR: Incorrect Password{}", true, false, AT_ERROR_CME, 16, WHOLE },   /* dirt at the end */
        { "+CMS ERROR: incorrect password", true, false, AT_ERROR_CMS, -1, WHOLE },     /* has no code of that family */
        { "+CME ERROR: SIM PIN2 required", true, false, AT_ERROR_CME, 17, WHOLE },
        { "+CME ERROR: ~!", true, false, AT_ERROR_CME, -1, WHOLE },
        { "+CME ERROR: a text that is longer than any text any modem has for an error", true, false, AT_ERROR_CME, -1, WHOLE },
        { "+CMGS ERROR: 38", true, false, AT_ERROR_CMS, 38, WHOLE },  { "COMMAND NOT SUPPORT", true, false, AT_ERROR_PLAIN, -1, WHOLE },
        { "NA", true, false, AT_ERROR_PLAIN, -1, WHOLE },             { "NAME", false, 0, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct at_final got = { .code = -7 };
        size_t length = strlen(rows[i].line);

        if (at_words_final(rows[i].line, length, &got) != rows[i].final)
            fail_msg("\"%s\"", rows[i].line);
        if (!rows[i].final) {
            assert_int_equal(got.code, -7);
            continue;
        }
        assert_int_equal(got.ok, rows[i].ok);
        assert_int_equal(got.kind, rows[i].kind);
        assert_int_equal(got.code, rows[i].code);
        assert_int_equal(got.length, rows[i].length == WHOLE ? length : rows[i].length);
    }
}

static void unsolicited_lines_are_known_by_all_or_by_the_start_of_them(void **state)
{
    static const struct { const char *line; enum at_urc urc; } rows[] = {
        { "RDY", AT_URC_BOOT },    { "RDY ", AT_URC_BOOT },        { "RDYX", AT_URC_NONE },      { "+CMT: ,24", AT_URC_UNIT },
        { "+CMTI: \"SM\",1", AT_URC_OTHER }, { "SMS Ready", AT_URC_READY }, { "^SMMEMFULL: \"SM\"", AT_URC_FULL }, { "+CSQ: 1", AT_URC_NONE },
        { "RING", AT_URC_OTHER },  { "RINGING", AT_URC_NONE },     { "NO CARRIER", AT_URC_OTHER }, { "", AT_URC_NONE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(at_words_urc(rows[i].line, strlen(rows[i].line)), rows[i].urc);
}

static void a_line_has_a_name_where_a_sign_a_capital_and_a_colon_are(void **state)
{
    static const struct { const char *line; size_t length; bool expected; } rows[] = {
        { "+CSQ: 1", 7, true },  { "^RSSI:1", 7, true }, { "*E:", 3, true }, { "#Q:", 3, true }, { "$Q:", 3, true }, { "%Q:", 3, true },
        { "+csq: 1", 7, false }, { "+1: 2", 5, false },  { "+CSQ 1", 6, false }, { "CSQ: 1", 6, false }, { "+", 1, false }, { "", 0, false },
        { "\0A:", 3, false },    { "+Z:", 3, true },     { "+[:", 3, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(at_words_has_name(rows[i].line, rows[i].length), rows[i].expected);
}

static void commands_of_any_program_are_told_from_answers(void **state)
{
    static const struct { const char *line; bool expected; } rows[] = {
        { "AT", true },     { "at+csq", true },  { "AT^RSSI", true }, { "AT#QSS", true }, { "AT$QC", true },   { "AT*E", true },
        { "ATI", true },    { "ATZ", true },     { "ATE0", true },    { "ATH", true },    { "ATE0+CPMS?", true }, { "ATE0;+CPMS?", true },
        { "ATX", false },   { "ATE", false },    { "ATE0X", false },  { "ATV1+C", false }, { "ATE05", false }, { "ATTENTION", false },
        { "A", false },     { "", false },       { "aT", false },     { "BT", false },    { "AB+", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (at_words_is_command(rows[i].line, strlen(rows[i].line)) != rows[i].expected)
            fail_msg("\"%s\"", rows[i].line);
}

static void a_name_ends_where_its_colon_or_the_line_ends(void **state)
{
    static const struct { const char *line, *name; bool expected; } rows[] = {
        { "+CREG: 1", "+CREG", true }, { "+CREG", "+CREG", true }, { "+CREGX: 1", "+CREG", false },
        { "+CRE", "+CREG", false },    { "+CREG: 1", "", false },  { "", "+CREG", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(at_words_named(rows[i].line, strlen(rows[i].line), rows[i].name), rows[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(final_results_are_told_from_lines_that_begin_alike),
        cmocka_unit_test(unsolicited_lines_are_known_by_all_or_by_the_start_of_them),
        cmocka_unit_test(a_line_has_a_name_where_a_sign_a_capital_and_a_colon_are),
        cmocka_unit_test(commands_of_any_program_are_told_from_answers),
        cmocka_unit_test(a_name_ends_where_its_colon_or_the_line_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
