/* SPDX-License-Identifier: Apache-2.0
 *
 * How USSD codes are written and how answers read, without a modem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "drivers/at/at_parse.h"
#include "drivers/modem/modem_ussd.h"

static const struct { const char *said; int dcs; const char *text; } answers[] = {
    /* characters */
    { "Your balance is 12.34 EUR", 15, "Your balance is 12.34 EUR" },
    { "On DATA Pack u have 3Gb 817Mb", 15, "On DATA Pack u have 3Gb 817Mb" },
    { "\x02" "12 \x04t\x05", 15, "$12 \xC3\xA8t\xC3\xA9" },                    /* the default alphabet, unconverted */
    { "12 \x1B" "e", 15, "12 \xE2\x82\xAC" },
    { "Guthaben betr\xE4gt 5", 15, "Guthaben betr\xC3\xA4gt 5" },              /* ISO 8859-1 */
    { "Guthaben betr\xC3\xA4gt 5 \xE2\x82\xAC", 15, "Guthaben betr\xC3\xA4gt 5 \xE2\x82\xAC" },
    { "1. One\r\n2. Two\r3. Three\r\n", 15, "1. One\n2. Two\n3. Three" },
    { "40712345678", 15, "40712345678" },                                      /* odd, and digits alone */
    { "407123456789", 15, "407123456789" },                                    /* a number, not six packed octets */
    { "15", 15, "15" },
    { "", 15, "" },
    /* packed */
    { "AA180C3602", 15, "*100#" },
    { "aa180c3602", 15, "*100#" },
    { "A0E09A5E2FB3D9E539E858A7A3C3E2B25B07CAB9723150B12A7501", 15, " Aktuelles Guthaben: 9.91 EUR." },
    { "A0E09A5E2FB3D9E539E858A7A3C3E2B25B07CAB9723150B12A7501", 0, " Aktuelles Guthaben: 9.91 EUR." },
    { "A0E09A5E2FB3D9E539E858A7A3C3E2B25B07CAB9723150B12A7501", -1, " Aktuelles Guthaben: 9.91 EUR." },
    { "31D98C56B3DD1A", 15, "1234567" },                                       /* seven spare bits, filled with CR */
    { "31D98C56B3DD00", 15, "1234567" },                                       /* and with zeros */
    /* UCS2 by dcs, and by what it is although the dcs says otherwise */
    { "0059006F00750072", 72, "Your" },
    { "0059006F00750072", 15, "Your" },
    { "0059006F00750072", 0, "Your" },
    { "0414043B044F0020002A0031003000350023", 72, "\xD0\x94\xD0\xBB\xD1\x8F *105#" },
    { "0414043B044F0020002A0031003000350023", 15, "\xD0\x94\xD0\xBB\xD1\x8F *105#" },
    { "D83DDE00", 72, "\xF0\x9F\x98\x80" },
    { "D83D0041", 72, "\xEF\xBF\xBD" "A" },                                    /* half a pair */
    { "004100000042", 72, "A" },
    { "613900410042", 17, "AB" },                                              /* a language before it */
    /* 8 bit */
    { "48616C6C6F", 68, "Hallo" },
    { "59 not hex", 72, "59 not hex" },
    { "596F75722062616C616E6365", 15, "Your balance" },                        /* CSCS "HEX" */
};

static void an_answer_is_read_by_what_its_octets_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char text[MODEM_USSD_TEXT_MAX];

        modem_ussd_decode(answers[i].said, strlen(answers[i].said), answers[i].dcs, text);
        if (strcmp(text, answers[i].text) != 0)
            fail_msg("%s, %d: '%s'", answers[i].said, answers[i].dcs, text);
    }
}

/* tests/transcripts: the last +CUSD of each log reads as its device meant it. */
static void answers_of_real_modems_are_read(void **state)
{
    char path[] = TEST_DATA_DIR "/transcripts/dialogues.jsonl", line[65536], text[MODEM_USSD_TEXT_MAX];
    FILE *file = fopen(path, "r");
    unsigned read = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        json_t *dialogue = json_loads(line, 0, NULL), *expect = json_object_get(dialogue, "expect"), *step;
        const char *wanted = json_string_value(json_object_get(expect, "ussd_text"));
        const char *within = json_string_value(json_object_get(expect, "ussd_text_contains"));
        char cusd[4096] = "";
        size_t i;

        json_array_foreach(json_object_get(dialogue, "steps"), i, step) {
            const char *rx = json_string_value(json_object_get(step, "rx")), *at = rx != NULL ? strstr(rx, "+CUSD:") : NULL;
            const char *end = at != NULL ? strstr(at, "\r\n") : NULL;

            if (end != NULL && (size_t)(end - at) < sizeof cusd) {
                memcpy(cusd, at, (size_t)(end - at));
                cusd[end - at] = '\0';
            }
        }
        if (wanted != NULL || within != NULL) {
            struct at_cusd parsed;

            assert_int_equal(at_parse_cusd(cusd, &parsed), 0);
            modem_ussd_decode(parsed.text, parsed.length, parsed.dcs, text);
            if (wanted != NULL ? strcmp(text, wanted) != 0 : strstr(text, within) == NULL)
                fail_msg("%s: '%s'", json_string_value(json_object_get(dialogue, "id")), text);
            read++;
        }
        json_decref(dialogue);
    }
    fclose(file);
    assert_in_range(read, 6, 100);
}

static void a_long_answer_is_cut_between_characters(void **state)
{
    char said[4096], text[MODEM_USSD_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof said; i += 3)
        memcpy(said + i, "\xE2\x82\xAC", 3);
    said[4095] = '\0';
    modem_ussd_decode(said, 4095, 15, text);
    assert_int_equal(strlen(text), (MODEM_USSD_TEXT_MAX - 1) / 3 * 3);
}

static void a_code_is_written_as_its_family_takes_it(void **state)
{
    char sent[MODEM_USSD_SENT_MAX], longest[MODEM_USSD_CODE_MAX + 2], text[MODEM_USSD_TEXT_MAX];

    (void)state;
    modem_ussd_encode(USSD_PLAIN, "*100#", sent);
    assert_string_equal(sent, "*100#");
    modem_ussd_encode(USSD_PACKED, "*100#", sent);
    assert_string_equal(sent, "AA180C3602");
    modem_ussd_encode(USSD_PACKED, "1234567", sent);
    assert_string_equal(sent, "31D98C56B3DD1A");
    for (size_t length = 1; length <= MODEM_USSD_CODE_MAX; length++) {
        memset(longest, '#', length);
        longest[0] = '*';
        longest[length] = '\0';
        assert_true(modem_ussd_is_code(longest));
        modem_ussd_encode(USSD_PACKED, longest, sent);
        assert_in_range(strlen(sent), 2, MODEM_USSD_SENT_MAX - 1);
        if (length >= 16) {
            modem_ussd_decode(sent, strlen(sent), 15, text);
            assert_string_equal(text, longest);
        }
    }
    assert_int_equal(modem_ussd_coding_of("huawei", "E173"), USSD_PACKED);
    assert_int_equal(modem_ussd_coding_of("HUAWEI Technologies", "MS2131"), USSD_PACKED);
    assert_int_equal(modem_ussd_coding_of("Quectel", "EC25"), USSD_PLAIN);
    assert_int_equal(modem_ussd_coding_of("", ""), USSD_PLAIN);
    assert_true(modem_ussd_never_cancel("un2420"));
    assert_false(modem_ussd_never_cancel("E173"));
}

static void nothing_but_digits_stars_and_hashes_is_a_code(void **state)
{
    static const char *const wrong[] = { "", "*100#\"", "*100#;+CMGF=1", "*1 00#", "abc", "*100#\r", "\xEF\xBC\x8A#" };
    char longest[MODEM_USSD_CODE_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(modem_ussd_is_code(wrong[i]));
    memset(longest, '1', sizeof longest);
    longest[MODEM_USSD_CODE_MAX + 1] = '\0';
    assert_false(modem_ussd_is_code(longest));
    assert_true(modem_ussd_is_code("*#100#+1"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_read_by_what_its_octets_are),
        cmocka_unit_test(answers_of_real_modems_are_read),
        cmocka_unit_test(a_long_answer_is_cut_between_characters),
        cmocka_unit_test(a_code_is_written_as_its_family_takes_it),
        cmocka_unit_test(nothing_but_digits_stars_and_hashes_is_a_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
