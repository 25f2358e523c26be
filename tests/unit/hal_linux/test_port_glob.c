/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/linux/port_glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/test_port_glob_XXXXXX";

static void path_of(const char *name, char ret_path[128])
{
    (void)snprintf(ret_path, 128, "%s/%s", folder, name);
}

static int folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int folder_remove(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void touch(const char *name)
{
    char path[128];
    int fd;

    path_of(name, path);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void forget(const char *name)
{
    char path[128];

    path_of(name, path);
    assert_int_equal(unlink(path), 0);
}

static void paths_come_once_in_the_order_of_their_numbers(void **state)
{
    static const char *const names[] = { "ttyUSB10", "ttyUSB2", "ttyUSB0", "modem1" };
    static const char *const expected[] = { "modem1", "ttyUSB0", "ttyUSB2", "ttyUSB10" };
    char patterns[512];
    struct port_glob found;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        touch(names[i]);
    (void)snprintf(patterns, sizeof patterns, "%s/none* %s/ttyUSB*  %s/ttyUSB2,%s/modem?", folder, folder, folder, folder);
    assert_int_equal(port_glob_expand(patterns, &found), 0);
    assert_int_equal(found.count, 4);
    for (size_t i = 0; i < 4; i++) {
        char path[128];

        path_of(expected[i], path);
        assert_string_equal(found.paths[i], path);
    }
    port_glob_done(&found);
    for (size_t i = 0; i < 4; i++)
        forget(names[i]);
}

static void nothing_found_is_an_empty_list(void **state)
{
    struct port_glob found = { NULL, 99 };

    (void)state;
    assert_int_equal(port_glob_expand("/no/such/folder/* /no/such/port", &found), 0);
    assert_int_equal(found.count, 0);
    port_glob_done(&found);
    assert_int_equal(port_glob_expand("", &found), 0);
    assert_int_equal(found.count, 0);
    port_glob_done(&found);
    port_glob_done(&found);
    port_glob_done(NULL);
}

static void too_many_ports_and_too_long_patterns_are_refused(void **state)
{
    static char patterns[PORT_GLOB_PATTERN_BYTES_MAX + 1];
    struct port_glob found = { NULL, 0 };
    char name[32], pattern[128];

    (void)state;
    memset(patterns, 'a', PORT_GLOB_PATTERN_BYTES_MAX);
    assert_int_equal(port_glob_expand(patterns, &found), -E2BIG);
    for (int i = 0; i < PORT_GLOB_PATHS_MAX; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        touch(name);
    }
    path_of("p*", pattern);
    assert_int_equal(port_glob_expand(pattern, &found), 0);
    assert_int_equal(found.count, PORT_GLOB_PATHS_MAX);
    port_glob_done(&found);
    touch("pp");
    assert_int_equal(port_glob_expand(pattern, &found), -E2BIG);
    forget("pp");
    for (int i = 0; i < PORT_GLOB_PATHS_MAX; i++) {
        (void)snprintf(name, sizeof name, "p%d", i);
        forget(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_come_once_in_the_order_of_their_numbers),
        cmocka_unit_test(nothing_found_is_an_empty_list),
        cmocka_unit_test(too_many_ports_and_too_long_patterns_are_refused),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
