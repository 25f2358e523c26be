/* SPDX-License-Identifier: Apache-2.0
 *
 * test_wrong_port.c - ports that are no modem, or not there, and what the gateway says about them. */
#include "tests/system/fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_PORTS "/nonexistent/cellpost/modem*"

static void a_port_that_is_no_modem_says_so(void **state)
{
    struct harness_options options = { .modems = 0 };
    struct harness *harness = fixture_open(state, &options);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char slave[64];

    HARNESS_CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, slave, sizeof slave) == 0);
    harness->options.ports = slave;
    harness_write_config(harness);
    harness_start(harness);
    assert_true(harness_wait_reason(harness, "parked", "no_answer", WAIT_MS));
    (void)close(master);
    harness->passed = true;
}

static void a_regular_file_as_port_says_so_and_the_gateway_runs_on(void **state)
{
    struct harness_options options = { .modems = 0 };
    struct harness *harness = fixture_open(state, &options);
    char path[128];
    int fd;

    harness_path(harness, "ttyUSB0", path, sizeof path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    HARNESS_CHECK(fd >= 0 && close(fd) == 0);
    harness->options.ports = path;
    harness_write_config(harness);
    harness_start(harness);
    assert_true(harness_wait_log(harness, "not a terminal or serial port", WAIT_MS));
    harness->passed = true;
}

static void a_port_without_permission_names_the_group(void **state)
{
    struct harness_options options = { .modems = 0 };
    struct harness *harness;
    int master;
    char slave[64];

    if (geteuid() == 0)
        skip();   /* root may open everything */
    harness = fixture_open(state, &options);
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    HARNESS_CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, slave, sizeof slave) == 0 &&
                  chmod(slave, 0) == 0);
    harness->options.ports = slave;
    harness_write_config(harness);
    harness_start(harness);
    assert_true(harness_wait_log(harness, "permission denied; add the user to the group", WAIT_MS));
    (void)close(master);
    harness->passed = true;
}

static void without_any_modem_messages_wait_and_the_log_says_why(void **state)
{
    const struct harness_options options = { .ports = NO_PORTS };
    struct harness *harness = fixture_start(state, &options);
    json_t *health;
    char id[32];

    assert_true(harness_wait_log(harness, "no modem: nothing matches the ports", WAIT_MS));
    harness_send(harness, "+40711000001", "Whenever there is one", id);
    assert_true(harness_wait_state(harness, id, "queued", WAIT_MS));
    health = harness_get(harness, "/healthz");
    assert_string_equal(json_text_at(health, "status"), "degraded");
    json_decref(health);
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_port_that_is_no_modem_says_so, fixture_end),
        cmocka_unit_test_teardown(a_regular_file_as_port_says_so_and_the_gateway_runs_on, fixture_end),
        cmocka_unit_test_teardown(a_port_without_permission_names_the_group, fixture_end),
        cmocka_unit_test_teardown(without_any_modem_messages_wait_and_the_log_says_why, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
