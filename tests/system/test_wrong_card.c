/* SPDX-License-Identifier: Apache-2.0
 *
 * test_wrong_card.c - cards that are missing or want a PIN, and what the gateway says about them. */
#include "tests/system/fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void a_card_that_wants_its_pin_waits_for_it(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50", "--pin" } };
    struct harness *harness = fixture_open(state, &options);
    char id[32];

    harness_start(harness);
    assert_true(harness_wait_reason(harness, "parked", "pin_needed", WAIT_MS));
    harness_send(harness, "+40711000001", "Behind a PIN", id);
    assert_int_equal(harness_stop(harness, WAIT_MS), 0);

    harness->options.bank_section = "pin = 1234\n";
    harness_write_config(harness);
    harness_start(harness);
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
    harness->passed = true;
}

/* The harness sees how often the card was looked at again: each time it ends parked. */
static void wait_for_parkings(struct harness *harness, unsigned count)
{
    uint64_t deadline_us = harness_now_us() + WAIT_MS * 1000ull;

    while (count > 0) {
        json_t *event = events_next(&harness->events, harness_left_ms(deadline_us));

        if (event == NULL)
            harness_die("the card is not looked at again");
        count -= strcmp(harness->events.name, "modem") == 0 && strcmp(json_text_at(event, "state"), "parked") == 0;
        json_decref(event);
    }
}

/* A person with a terminal, while no gateway runs: the card's counter is full again after the right PIN. */
static void enter_pin_by_hand(const struct harness *harness, const char *pin)
{
    uint64_t deadline_us = harness_now_us() + WAIT_MS * 1000ull;
    char path[128], command[32], said[256] = "";
    int length = snprintf(command, sizeof command, "AT+CPIN=\"%s\"\r", pin);
    struct termios raw;
    size_t used = 0;
    int fd;

    (void)snprintf(path, sizeof path, "%s/modem0", harness->modems);
    fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    HARNESS_CHECK(fd >= 0 && tcgetattr(fd, &raw) == 0);
    cfmakeraw(&raw);
    HARNESS_CHECK(tcsetattr(fd, TCSANOW, &raw) == 0 && write(fd, command, (size_t)length) == length);
    while (strstr(said, "\nOK\r\n") == NULL) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        ssize_t n;

        HARNESS_CHECK(used + 1 < sizeof said && poll(&ready, 1, harness_left_ms(deadline_us)) == 1);
        n = read(fd, said + used, sizeof said - 1 - used);
        HARNESS_CHECK(n > 0);
        used += (size_t)n;
        said[used] = '\0';
    }
    (void)close(fd);
}

/* A card takes three wrong ones and wants its PUK then (3GPP TS 31.101 9.5.1). */
static void after_a_wrong_pin_the_right_one_works_once_a_person_has_entered_it(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--pin" }, .bank_section = "pin = 9999\n",
                                             .modem = "park_retry = 1s\n" };
    struct harness *harness = fixture_open(state, &options);

    harness_start(harness);
    assert_true(harness_wait_reason(harness, "parked", "pin_wrong", WAIT_MS));
    wait_for_parkings(harness, 3);
    assert_true(harness_wait_reason(harness, "parked", "pin_wrong", WAIT_MS));
    assert_int_equal(harness_stop(harness, WAIT_MS), 0);

    /* A try is missing: which PIN is the right one, only a person can know. */
    harness->options.bank_section = "pin = 1234\n";
    harness_write_config(harness);
    harness_start(harness);
    assert_true(harness_wait_reason(harness, "parked", "pin_wrong", WAIT_MS));
    assert_int_equal(harness_stop(harness, WAIT_MS), 0);

    enter_pin_by_hand(harness, "1234");
    for (int i = 0; i < 4; i++) {
        bank_tell_ok(harness, "reset 0");   /* it asks for its PIN again */
        harness_start(harness);
        assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
        assert_int_equal(harness_stop(harness, WAIT_MS), 0);
    }
    harness->passed = true;
}

static void a_wrong_pin_never_blocks_the_card_however_often_the_gateway_starts(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--pin" }, .bank_section = "pin = 9999\n" };
    struct harness *harness = fixture_open(state, &options);

    /* A card takes three wrong ones (3GPP TS 31.101 9.5.1) and wants its PUK then. */
    for (int i = 0; i < 4; i++) {
        harness_start(harness);
        assert_true(harness_wait_reason(harness, "parked", "pin_wrong", WAIT_MS));
        assert_int_equal(harness_stop(harness, WAIT_MS), 0);
    }
    harness->passed = true;
}

static void a_missing_card_says_so_and_one_put_in_later_is_used(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--fault", "no_sim=1" }, .modem = "park_retry = 1s\n" };
    struct harness *harness = fixture_open(state, &options);

    harness_start(harness);
    assert_true(harness_wait_reason(harness, "parked", "no_sim", WAIT_MS));
    bank_tell_ok(harness, "fault 0 clear");
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_card_that_wants_its_pin_waits_for_it, fixture_end),
        cmocka_unit_test_teardown(after_a_wrong_pin_the_right_one_works_once_a_person_has_entered_it, fixture_end),
        cmocka_unit_test_teardown(a_wrong_pin_never_blocks_the_card_however_often_the_gateway_starts, fixture_end),
        cmocka_unit_test_teardown(a_missing_card_says_so_and_one_put_in_later_is_used, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
