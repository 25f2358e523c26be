/* SPDX-License-Identifier: Apache-2.0
 *
 * Which texts are a STOP or a START, and which only have the word in them. */
#include "src/consent/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const own_stop[] = { "Încetați", "halt" };
static const char *const own_start[] = { "DA", "STOP" };
static const struct consent_words own = { own_stop, 2, own_start, 2 };

static void whole_words_count_and_words_in_a_sentence_do_not(void **state)
{
    static const struct { const char *text; enum consent wanted; const char *word; } cases[] = {
        { "STOP", CONSENT_STOP, "STOP" },
        { "stop", CONSENT_STOP, "STOP" },
        { "  Stop.\r\n", CONSENT_STOP, "STOP" },
        { "StopAll", CONSENT_STOP, "STOPALL" },
        { "unsubscribe", CONSENT_STOP, "UNSUBSCRIBE" },
        { "Cancel", CONSENT_STOP, "CANCEL" },
        { "end", CONSENT_STOP, "END" },
        { "QUIT", CONSENT_STOP, "QUIT" },
        { "optout", CONSENT_STOP, "OPTOUT" },
        { "remove", CONSENT_STOP, "REMOVE" },
        { "arret", CONSENT_STOP, "ARRET" },
        { "td", CONSENT_STOP, "TD" },
        { "STOP!!!", CONSENT_STOP, "STOP" },
        { "\"STOP\"", CONSENT_STOP, "STOP" },
        { "\"Stop.\"", CONSENT_STOP, "STOP" },
        { "\xE2\x80\x9CSTOP\xE2\x80\x9D.", CONSENT_STOP, "STOP" },
        { "\xC2\xA0stop\xC2\xA0", CONSENT_STOP, "STOP" },
        { "stop\xE2\x80\xA6", CONSENT_STOP, "STOP" },
        { "start", CONSENT_START, "START" },
        { "Unstop", CONSENT_START, "UNSTOP" },
        { "yes!", CONSENT_START, "YES" },
        { "", CONSENT_NONE, "" },
        { " . ", CONSENT_NONE, "" },
        { "please stop", CONSENT_NONE, "" },
        { "stop it", CONSENT_NONE, "" },
        { "stop stop", CONSENT_NONE, "" },
        { ".stop", CONSENT_NONE, "" },
        { "nonstop", CONSENT_NONE, "" },
        { "stopped", CONSENT_NONE, "" },
        { "sto", CONSENT_NONE, "" },
        { "halt", CONSENT_NONE, "" },
        { "stopstopstopstopstopstopstopstopstop", CONSENT_NONE, "" },
    };
    char word[CONSENT_WORD_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (consent_read(NULL, cases[i].text, strlen(cases[i].text), word) != cases[i].wanted)
            fail_msg("\"%s\" was not read as wanted", cases[i].text);
        assert_string_equal(word, cases[i].word);
    }
}

static void words_of_the_operator_count_beside_those_built_in_and_a_stop_goes_before_a_start(void **state)
{
    char word[CONSENT_WORD_MAX];

    (void)state;
    assert_int_equal(consent_read(&own, "HALT!", 5, word), CONSENT_STOP);
    assert_string_equal(word, "HALT");
    assert_int_equal(consent_read(&own, "da", 2, word), CONSENT_START);
    assert_int_equal(consent_read(&own, "stop", 4, word), CONSENT_STOP);
    assert_int_equal(consent_read(&own, "start", 5, word), CONSENT_START);
    /* ASCII letters in either case, the others as they are written in the list. */
    assert_int_equal(consent_read(&own, "Înceta\xC8\x9Bi", strlen("Înceta\xC8\x9Bi"), word), CONSENT_STOP);
    assert_int_equal(consent_read(&own, "ÎNCETA\xC8\x9BI", strlen("ÎNCETA\xC8\x9BI"), word), CONSENT_STOP);
    assert_int_equal(consent_read(&own, "înceta\xC8\x9Bi", strlen("înceta\xC8\x9Bi"), word), CONSENT_NONE);
}

static void only_the_octets_that_were_given_are_looked_at_and_a_nul_is_no_end(void **state)
{
    char word[CONSENT_WORD_MAX];

    (void)state;
    assert_int_equal(consent_read(NULL, "stopped", 4, word), CONSENT_STOP);
    assert_int_equal(consent_read(NULL, "stop\0x", 6, word), CONSENT_NONE);
    assert_int_equal(consent_read(NULL, "\xE2\x80", 2, word), CONSENT_NONE);
    assert_int_equal(consent_read(NULL, NULL, 0, word), CONSENT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_words_count_and_words_in_a_sentence_do_not),
        cmocka_unit_test(words_of_the_operator_count_beside_those_built_in_and_a_stop_goes_before_a_start),
        cmocka_unit_test(only_the_octets_that_were_given_are_looked_at_and_a_nul_is_no_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
