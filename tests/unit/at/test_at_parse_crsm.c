/* SPDX-License-Identifier: Apache-2.0
 *
 * The first octet of a file on the card, and what must not be taken for one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/at/at_parse.h"

static void an_octet_is_read_in_every_form_modems_give_it(void **state)
{
    static const struct { const char *line; int octet; } rows[] = {
        { "+CRSM: 144,0,\"00\"", 0 },     { "+CRSM: 144,0,\"FF\"", 255 },  { "+CRSM:144,0,7f", 127 },
        { "+CRSM: 144, 0, \"2AFF\"", 42 }, { "+CRSM: 144,0,a0FF", 160 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int octet = -1;

        assert_int_equal(at_parse_crsm_octet(rows[i].line, &octet), 0);
        assert_int_equal(octet, rows[i].octet);
    }
}

static void other_status_words_and_what_is_no_octet_are_told_apart(void **state)
{
    static const struct { const char *line; int error; } rows[] = {
        { "+CRSM: 106,130,\"\"", -ENOENT }, { "+CRSM: 148,8", -ENOENT },       { "+CRSM: 144,1,\"00\"", -ENOENT },
        { "+CRSM: 144,0,\"\"", -EINVAL },   { "+CRSM: 144,0", -EINVAL },        { "+CRSM: 144,0,\"7\"", -EINVAL },
        { "+CRSM: 144,0,\"7F0\"", -EINVAL }, { "+CRSM: 144,0,\"G0\"", -EINVAL }, { "+CRSM: 144,0,\"7F\",\"00\"", -EINVAL },
        { "+CRSM: ,0,\"7F\"", -EINVAL },    { "+CRSM:", -EINVAL },              { "+CSIM: 144,0,\"7F\"", -EINVAL },
        { "144,0,\"7F\"", -EINVAL },        { "", -EINVAL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int octet = -7;

        assert_int_equal(at_parse_crsm_octet(rows[i].line, &octet), rows[i].error);
        assert_int_equal(octet, -7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_octet_is_read_in_every_form_modems_give_it),
        cmocka_unit_test(other_status_words_and_what_is_no_octet_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
