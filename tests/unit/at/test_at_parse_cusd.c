/* SPDX-License-Identifier: Apache-2.0
 *
 * +CUSD lines as modems write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "drivers/at/at_parse.h"

static const struct { const char *line; int m, dcs; const char *text; } lines[] = {
    { "+CUSD: 0,\"Your balance is 12.34 EUR\",15", 0, 15, "Your balance is 12.34 EUR" },
    { "+CUSD:1,\"1. One\n2. Two\",0", 1, 0, "1. One\n2. Two" },
    { "+CUSD: 0,\"Your \"Mega Tariff\". Balance 5\",15", 0, 15, "Your \"Mega Tariff\". Balance 5" },
    { "+CUSD: 0,\" Vash balans 968.98 r.\"", 0, -1, " Vash balans 968.98 r." },
    { "+CUSD: 0, 49B41C74ACD3D161", 0, -1, "49B41C74ACD3D161" },
    { "+CUSD: 0,49B41C74ACD3D161,15", 0, 15, "49B41C74ACD3D161" },
    { "+CUSD: 0,Balance 12,15", 0, -1, "Balance 12,15" },
    { "+CUSD: 0,\"lost", 0, -1, "lost" },
    { "+CUSD: 0,\"he said \"no\" and went", 0, -1, "he said \"no\" and went" },
    { "+CUSD: 0,\"a\", 72 ", 0, 72, "a" },
    { "+CUSD: 0,\"a\",", 0, -1, "a" },
    { "+CUSD: 0,\"a\",999", 0, -1, "a\",999" },
    { "+CUSD: 0,\"\",15", 0, 15, "" },
    { "+CUSD: 2", 2, -1, NULL },
    { "+CUSD: 4,,", 4, -1, NULL },
    { "+CUSD: 2,", 2, -1, NULL },
};

static void text_and_coding_are_found_whatever_stands_in_the_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct at_cusd cusd;

        if (at_parse_cusd(lines[i].line, &cusd) != 0 || cusd.m != lines[i].m || cusd.dcs != lines[i].dcs)
            fail_msg("%s: m %d dcs %d", lines[i].line, cusd.m, cusd.dcs);
        if (lines[i].text == NULL ? cusd.text != NULL :
            cusd.text == NULL || cusd.length != strlen(lines[i].text) || memcmp(cusd.text, lines[i].text, cusd.length) != 0)
            fail_msg("%s: '%.*s'", lines[i].line, (int)cusd.length, cusd.text != NULL ? cusd.text : "(none)");
    }
}

static void other_lines_are_refused(void **state)
{
    static const char *const others[] = { "", "+CUSD", "+CUSD:", "+CUSD: (0-2)", "+CUSD: \"a\"", "+CUSD: 1 \"a\"", "+CMTI: \"SM\",1", "CUSD: 0" };
    struct at_cusd cusd = { .m = 77 };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(at_parse_cusd(others[i], &cusd), -EINVAL);
    assert_int_equal(cusd.m, 77);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_coding_are_found_whatever_stands_in_the_text),
        cmocka_unit_test(other_lines_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
