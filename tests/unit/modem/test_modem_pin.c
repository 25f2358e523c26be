/* SPDX-License-Identifier: Apache-2.0
 *
 * The PIN and the card's counter of tries (3GPP TS 31.101 9.5.1): whatever is configured and however often the gateway
 * starts, no card is brought near its PUK. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/modem/responder.h"

/* How a modem tells the counter: @ stands for the tries that are left, ! for those a card begins with. */
struct counter { const char *command, *answer; };
static const struct counter counters[] = {
    { "AT+CPINR", "\r\n+CPINR: SIM PIN,@,!\r\n+CPINR: SIM PUK,10,10\r\n+CPINR: SIM PIN2,3,3\r\n" OK_LINE },
    { "AT^CPIN?", "\r\n^CPIN: SIM PIN,@,10,@,10,3\r\n" OK_LINE },
    { "AT+QPINC?", "\r\n+QPINC: \"SC\",@,10\r\n+QPINC: \"P2\",3,10\r\n" OK_LINE },
    { "AT+SPIC", "\r\n+SPIC: @,10,3,10\r\n" OK_LINE },
    { "AT+UPINCNT", "\r\n+UPINCNT: @,3,10,10\r\n" OK_LINE },
    { "AT#PCT", "\r\n#PCT: @\r\n" OK_LINE },
    { "AT^SPIC=\"SC\"", "\r\n^SPIC: @\r\n" OK_LINE },
    { "AT+CPINC?", "\r\n+CPINC: @,3,10,10\r\n" OK_LINE },
    { "AT+ZPINPUK=?", "\r\n+ZPINPUK: @,10\r\n" OK_LINE },
    { "AT+QTRPIN", "\r\n+QTRPIN: @,3,10,10\r\n" OK_LINE },
    { "AT+CSIM=10,\"0020000100\"", "\r\n+CSIM: 4,\"63C@\"\r\n" OK_LINE },
};
#define COUNTERS (sizeof counters / sizeof counters[0])

/* A card in a modem; it outlives the gateway. */
struct card {
    const char *pin;
    int tries, full;
    bool verified;
    const struct counter *counter;         /* NULL: the modem does not tell it */
    const char *refusal;                   /* to the other counters' commands; NULL: no answer */
    const char *before[8];                 /* said once each instead of the counter, first; ends with NULL; "": nothing */
    size_t before_said;
    unsigned attempts;
    char text[160];
};

static const char *try_pin(struct card *card, const char *pin)
{
    bool right = strncmp(pin, card->pin, strlen(card->pin)) == 0;

    card->attempts++;
    if (card->tries == 0)
        return "\r\n+CME ERROR: 12\r\n";
    card->verified = right;
    card->tries = right ? card->full : card->tries - 1;
    return right ? OK_LINE : "\r\n+CME ERROR: 16\r\n";
}

static const char *counter_answer(struct card *card)
{
    char *end = card->text;

    for (const char *p = card->counter->answer; *p != '\0'; p++) {
        if (*p == '@' || *p == '!')
            end += sprintf(end, "%d", *p == '@' ? card->tries : card->full);
        else
            *end++ = *p;
    }
    *end = '\0';
    return card->text;
}

static const char *card_answer(void *context, const char *command)
{
    struct card *card = context;

    if (strcmp(command, "AT+CPIN?") == 0 && !card->verified)
        return card->tries > 0 ? "\r\n+CPIN: SIM PIN\r\n" OK_LINE : "\r\n+CPIN: SIM PUK\r\n" OK_LINE;
    if (strncmp(command, "AT+CPIN=\"", 9) == 0)
        return try_pin(card, command + 9);
    for (size_t i = 0; i < COUNTERS; i++) {
        if (strcmp(command, counters[i].command) != 0)
            continue;
        if (card->counter != &counters[i])
            return card->refusal != NULL ? card->refusal : "";
        if (card->before[card->before_said] != NULL)
            return card->before[card->before_said++];
        return counter_answer(card);
    }
    return NULL;
}

/* The gateway starts: nothing is known of what was before. */
static struct responder *started(struct card *card, const char *pin)
{
    struct responder *r = responder_new(&(struct modem_config){ .pin = pin });

    r->ask = card_answer;
    r->ask_context = card;
    open_line(r);
    return r;
}

static void a_wrong_pin_costs_one_try_however_often_the_gateway_starts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNTERS; i++) {
        struct card card = { .pin = "1234", .tries = 3, .full = 3, .counter = &counters[i], .refusal = "\r\nERROR\r\n" };

        for (int start = 0; start < 10; start++) {
            struct responder *r = started(&card, "9999");

            run_for(r, 300000);   /* parked, it looks again and again */
            assert_int_equal(state_of(r), MODEM_PARKED);
            assert_string_equal(modem_reason_code(reason_of(r)), "pin_wrong");
            modem_closed(r->modem, r->now_ms);
            open_line(r);
            run_for(r, 60000);
            feed_text(r, "\r\nRDY\r\n");
            run_for(r, 60000);
            assert_int_equal(state_of(r), MODEM_PARKED);
            assert_int_equal(reason_of(r), start == 0 ? MODEM_REASON_PIN_WRONG : MODEM_REASON_PIN_TWO_LEFT);
            responder_free(r);
        }
        assert_int_equal(card.attempts, 1);
        assert_int_equal(card.tries, 2);
    }
}

static void the_right_pin_opens_the_card_at_every_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNTERS; i++) {
        struct card card = { .pin = "1234", .tries = 3, .full = 3, .counter = &counters[i], .refusal = "\r\nERROR\r\n" };

        for (unsigned start = 1; start <= 10; start++) {
            struct responder *r = started(&card, "1234");

            card.verified = false;   /* the power was off */
            run_for(r, 20000);
            assert_int_equal(state_of(r), MODEM_READY);
            assert_int_equal(card.attempts, start);
            responder_free(r);
        }
    }
}

/* Not even the right one: which one it is, only the card knows. */
static void a_card_that_lacks_a_try_is_left_alone_and_says_how_many_are_left(void **state)
{
    static const struct { int tries; enum modem_reason reason; const char *says; } cases[] = {
        { 2, MODEM_REASON_PIN_TWO_LEFT, "only 2 tries are left" }, { 1, MODEM_REASON_PIN_ONE_LEFT, "only 1 try is left" },
    };

    (void)state;
    for (size_t i = 0; i < COUNTERS; i++) {
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            struct card card = { .pin = "1234", .tries = cases[k].tries, .full = 3, .counter = &counters[i],
                                 .refusal = "\r\n+CME ERROR: 100\r\n" };
            struct responder *r = started(&card, "1234");

            run_for(r, 600000);
            assert_int_equal(state_of(r), MODEM_PARKED);
            assert_int_equal(reason_of(r), cases[k].reason);
            assert_non_null(strstr(modem_reason_text(reason_of(r)), cases[k].says));
            assert_non_null(strstr(modem_reason_text(reason_of(r)), "in a phone or by AT+CPIN"));
            assert_int_equal(card.attempts, 0);
            responder_free(r);
        }
    }
}

static void a_counter_at_nought_means_the_puk_even_if_the_modem_still_asks_for_the_pin(void **state)
{
    static const char *const answers[] = { "\r\n+CPINR: SIM PIN,0,3\r\n" OK_LINE, "\r\nERROR\r\n" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct responder *r = responder_new(&(struct modem_config){ .pin = "1234" });

        answer(r, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n" OK_LINE);
        answer(r, "AT+CPINR", answers[i]);
        answer(r, "AT+CSIM=10,\"0020000100\"", "\r\n+CSIM: 4,\"6983\"\r\n" OK_LINE);
        open_line(r);
        run_for(r, 20000);
        assert_int_equal(reason_of(r), MODEM_REASON_PUK_NEEDED);
        assert_int_equal(count_started(r, "AT+CPIN="), 0);
        responder_free(r);
    }
}

static void once_a_person_has_entered_the_pin_the_gateway_does_it_again(void **state)
{
    (void)state;
    for (int in_a_phone = 0; in_a_phone < 2; in_a_phone++) {
        struct card card = { .pin = "1234", .tries = 1, .full = 3, .counter = &counters[0] };
        struct responder *r = started(&card, "1234");

        run_for(r, 30000);
        assert_int_equal(reason_of(r), MODEM_REASON_PIN_ONE_LEFT);
        card.tries = 3;
        card.verified = in_a_phone == 0;   /* else by AT+CPIN, and the modem has been on since */
        run_for(r, 70000);
        assert_int_equal(state_of(r), MODEM_READY);
        assert_int_equal(card.attempts, in_a_phone == 0 ? 0 : 1);
        card.verified = false;
        feed_text(r, "\r\nRDY\r\n");
        run_for(r, 20000);
        assert_int_equal(state_of(r), MODEM_READY);
        assert_int_equal(card.attempts, in_a_phone == 0 ? 1 : 2);
        responder_free(r);
    }
}

static void a_try_that_is_missing_after_the_pin_was_taken_stops_it_too(void **state)
{
    struct card card = { .pin = "1234", .tries = 3, .full = 3, .counter = &counters[3], .refusal = "\r\nERROR\r\n" };
    struct responder *r = started(&card, "1234");

    (void)state;
    run_for(r, 20000);
    assert_int_equal(state_of(r), MODEM_READY);
    card.verified = false;
    card.tries = 2;
    card.pin = "4321";   /* somebody changed it, and tried the old one */
    feed_text(r, "\r\nRDY\r\n");
    run_for(r, 20000);
    assert_int_equal(reason_of(r), MODEM_REASON_PIN_TWO_LEFT);
    assert_int_equal(card.attempts, 1);
    /* What told the counter before is asked first. */
    assert_int_equal(count_written(r, "AT+CPINR"), 1);
    assert_int_equal(count_written(r, "AT+SPIC"), 2);
    responder_free(r);
}

static void a_modem_that_does_not_tell_the_counter_gets_one_try_in_a_life(void **state)
{
    static const char *const refusals[] = { "\r\nERROR\r\n", "\r\n+CME ERROR: 100\r\n", "\r\n+CME ERROR: 4\r\n", OK_LINE,
                                            "\r\nCOMMAND NOT SUPPORT\r\n", "\r\n+CME ERROR: 14\r\n", NULL };

    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct card card = { .pin = "1234", .tries = 3, .full = 3, .refusal = refusals[i] };
        struct responder *r = started(&card, "9999");
        size_t at = 0;

        run_for(r, 600000);
        assert_string_equal(modem_reason_code(reason_of(r)), "pin_wrong");
        modem_closed(r->modem, r->now_ms);
        open_line(r);
        run_for(r, 300000);
        assert_int_equal(state_of(r), MODEM_PARKED);
        assert_int_equal(card.attempts, 1);
        /* Every way was tried before, in its order; a modem that hangs on each is spared the rest. */
        for (size_t k = 0; k < r->written_count && strncmp(r->written[k].text, "AT+CPIN=", 8) != 0; k++) {
            if (at < COUNTERS && strcmp(r->written[k].text, counters[at].command) == 0)
                at++;
        }
        assert_int_equal(at, refusals[i] != NULL ? COUNTERS : 2);
        responder_free(r);
    }
}

static void the_right_pin_opens_a_card_whose_modem_tells_nothing_or_hangs_on_the_question(void **state)
{
    static const char *const refusals[] = { "\r\nERROR\r\n", NULL };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct card card = { .pin = "1234", .tries = 3, .full = 3, .refusal = refusals[i] };
        struct responder *r = started(&card, "1234");

        run_for(r, 60000);
        assert_int_equal(state_of(r), MODEM_READY);
        assert_int_equal(card.attempts, 1);
        responder_free(r);
    }
}

static void a_counter_that_comes_late_or_whose_answer_is_lost_once_is_asked_for_again(void **state)
{
    static const char *const before[][8] = {
        { "\r\n+CME ERROR: 14\r\n", "\r\n+CME ERROR: SIM busy\r\n", "\r\n+CMS ERROR: 314\r\n", "\r\n+CME ERROR: 14\r\n" },
        { "" },
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < COUNTERS; k++) {
            struct card card = { .pin = "1234", .tries = 2, .full = 3, .counter = &counters[k], .refusal = "\r\nERROR\r\n" };
            struct responder *r;

            memcpy(card.before, before[i], sizeof card.before);
            r = started(&card, "9999");
            run_for(r, 50000);
            assert_int_equal(reason_of(r), MODEM_REASON_PIN_TWO_LEFT);
            assert_int_equal(card.attempts, 0);
            responder_free(r);
        }
    }
}

static void a_card_with_more_than_three_tries_must_have_them_all(void **state)
{
    static const struct { int tries; unsigned attempts; } cases[] = { { 10, 1 }, { 9, 0 }, { 3, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct card card = { .pin = "1234", .tries = cases[i].tries, .full = 10, .counter = &counters[0] };

        for (int start = 0; start < 10; start++) {
            struct responder *r = started(&card, "9999");

            run_for(r, 100000);
            assert_int_equal(reason_of(r), MODEM_REASON_PIN_WRONG);
            responder_free(r);
        }
        assert_int_equal(card.attempts, cases[i].attempts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_pin_costs_one_try_however_often_the_gateway_starts),
        cmocka_unit_test(the_right_pin_opens_the_card_at_every_start),
        cmocka_unit_test(a_card_that_lacks_a_try_is_left_alone_and_says_how_many_are_left),
        cmocka_unit_test(a_counter_at_nought_means_the_puk_even_if_the_modem_still_asks_for_the_pin),
        cmocka_unit_test(once_a_person_has_entered_the_pin_the_gateway_does_it_again),
        cmocka_unit_test(a_try_that_is_missing_after_the_pin_was_taken_stops_it_too),
        cmocka_unit_test(a_modem_that_does_not_tell_the_counter_gets_one_try_in_a_life),
        cmocka_unit_test(the_right_pin_opens_a_card_whose_modem_tells_nothing_or_hangs_on_the_question),
        cmocka_unit_test(a_counter_that_comes_late_or_whose_answer_is_lost_once_is_asked_for_again),
        cmocka_unit_test(a_card_with_more_than_three_tries_must_have_them_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
