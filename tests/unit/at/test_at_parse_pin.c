/* SPDX-License-Identifier: Apache-2.0
 *
 * The counter of PIN tries out of every form modems have for it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/at/at_parse.h"

static const struct { const char *line; int left, full; } told[] = {
    { "+CPINR: SIM PIN,3,3", 3, 3 },             { "+CPINR: \"SIM PIN\",1,3", 1, 3 },
    { "+CPINR:SIM PIN,2", 2, -1 },               { "+CPINR: SIM PIN, 10, 10", 10, 10 },
    { "^CPIN: SIM PIN,2,10,2,10,3", 2, -1 },     { "^CPIN: SIM PIN,,10,3,10,3", 3, -1 },
    { "+QPINC: \"SC\",3,10", 3, -1 },            { "+QPINC: SC,1,10", 1, -1 },
    { "+QTRPIN: 3,3,10,10", 3, -1 },             { "+SPIC: 3,10,0,10", 3, -1 },
    { "+SPIC: 2,3,10,10", 2, -1 },               { "+SPIC: 3", 3, -1 },
    { "+UPINCNT: 0,3,5,5", 0, -1 },              { "+UPINCNT: 3,3,10,10", 3, -1 },
    { "^SPIC: 2", 2, -1 },                       { "^SPIC: 3,10", 3, -1 },
    { "#PCT: 1", 1, -1 },                        { "+CPINC: 3,3,10,10", 3, -1 },
    { "+ZPINPUK: 3,10", 3, -1 },                 { "+CSIM: 4,\"63C2\"", 2, -1 },
    { "+CSIM: 4,63c3", 3, -1 },                  { "+CSIM: 4,\"6983\"", 0, -1 },
};

static const char *const not_told[] = {
    "+CPINR: SIM PUK,10,10",        "+CPINR: SIM PIN2,3,3",       "+CPINR: SIM PI,3,3",     "+CPINR: SIM PIN",
    "+CPINR: SIM PIN,,3",           "+CPINR: SIM PIN,-1,3",       "+CPINR: SIM PIN,3,99",   "+CPINR: 3",
    "+CPINR:",                      "^CPIN: SIM PUK,10,10,0,10,3", "^CPIN: READY,,10,3,10,3", "^CPIN: SIM PIN,3",
    "+QPINC: \"P2\",3,10",          "+QPINC: 3,10",               "+SPIC: three",           "+SPIC: 999,10",
    "+CPINC: 99999999999999999999", "#PCT: ",                     "+CSIM: 4,\"9000\"",      "+CSIM: 4,\"6E00\"",
    "+CSIM: 4,\"63C\"",             "+CSIM: 6,\"0063C3\"",        "+CSIM: 4",               "+CPIN: SIM PIN",
    "3,3",                          "OK",                         "",                       "SPIC: 3,3,10,10",
};

static void every_form_tells_how_many_tries_are_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        struct at_pin_tries tries = { -7, -7 };

        assert_int_equal(at_parse_pin_tries(told[i].line, &tries), 0);
        assert_int_equal(tries.left, told[i].left);
        assert_int_equal(tries.full, told[i].full);
    }
}

static void other_codes_counters_and_what_is_no_counter_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof not_told / sizeof not_told[0]; i++) {
        struct at_pin_tries tries = { -7, -7 };

        assert_int_equal(at_parse_pin_tries(not_told[i], &tries), -EINVAL);
        assert_int_equal(tries.left, -7);
        assert_int_equal(tries.full, -7);
    }
}

/* In memory of its own length, so that a sanitizer sees a step beyond it. */
static void a_line_cut_anywhere_is_read_to_its_end_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        for (size_t length = 0; length <= strlen(told[i].line); length++) {
            struct at_pin_tries tries = { -1, -1 };
            char *line = strndup(told[i].line, length);

            if (at_parse_pin_tries(line, &tries) == 0)
                assert_in_range(tries.left, 0, 15);
            free(line);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_tells_how_many_tries_are_left),
        cmocka_unit_test(other_codes_counters_and_what_is_no_counter_change_nothing),
        cmocka_unit_test(a_line_cut_anywhere_is_read_to_its_end_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
