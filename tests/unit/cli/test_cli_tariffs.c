/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of tariffs are looked at before the gateway sees them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "run_verb.h"

#define GOOD TEST_DATA_DIR "/../config/tariffs/office-abo.csv", TEST_DATA_DIR "/../config/tariffs/orange-prepaid.csv"

static void write_file(char *path, const char *text)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void the_shipped_tariffs_are_good(void **state)
{
    struct run run = run_verb(cmd_tariffs, (const char *[]){ "tariffs", "check", GOOD, NULL });

    (void)state;
    assert_int_equal(run.status, CLI_OK);
    assert_memory_equal(run.out, "ok: 2 plans with ", 17);
    assert_string_equal(run.err, "");
    run = run_verb(cmd_tariffs, (const char *[]){ "tariffs", "--json", "check", GOOD, NULL });
    assert_int_equal(run.status, CLI_OK);
    assert_non_null(strstr(run.out, "\"ok\": true, \"plans\": 2,"));
    assert_non_null(strstr(run.out, "\"errors\": []"));
}

static void all_that_is_wrong_is_said_with_its_line_and_column(void **state)
{
    char one[] = "/tmp/cellpost-tariffs-XXXXXX", two[] = "/tmp/cellpost-tariffs-XXXXXX", expected[512];
    struct run run;

    (void)state;
    write_file(one, "plan,currency,prefix,price\na,EUR,*,0.10\na,EUR,33,-3\n");
    write_file(two, "plan,currency,prefix,price\na,EUR,+33,0.10\n");
    run = run_verb(cmd_tariffs, (const char *[]){ "tariffs", "check", one, two, "/nonexistent/t.csv", NULL });
    assert_int_equal(run.status, CLI_REFUSED);
    assert_string_equal(run.out, "");
    (void)snprintf(expected, sizeof expected, "%s:3:price: '-3' is negative (allowed: 0 to 1000000000, with at most 6 decimals behind a point)\n", one);
    assert_non_null(strstr(run.err, expected));
    (void)snprintf(expected, sizeof expected, "%s:2:prefix: '+33' is no prefix", two);
    assert_non_null(strstr(run.err, expected));
    assert_non_null(strstr(run.err, "/nonexistent/t.csv: cannot be read: No such file or directory\n"));
    run = run_verb(cmd_tariffs, (const char *[]){ "tariffs", "--json", "check", one, NULL });
    assert_int_equal(run.status, CLI_REFUSED);
    assert_non_null(strstr(run.out, "\"ok\": false, \"plans\": 0, \"rows\": 0, \"errors\": [\""));
    unlink(one);
    unlink(two);
}

static void a_folder_and_nothing_at_all_are_refused(void **state)
{
    struct run run = run_verb(cmd_tariffs, (const char *[]){ "tariffs", "check", "/tmp", NULL });

    (void)state;
    assert_int_equal(run.status, CLI_REFUSED);
    assert_string_equal(run.err, "/tmp: cannot be read: Is a directory\n");
    assert_int_equal(run_verb(cmd_tariffs, (const char *[]){ "tariffs", NULL }).status, CLI_USAGE);
    assert_int_equal(run_verb(cmd_tariffs, (const char *[]){ "tariffs", "check", NULL }).status, CLI_USAGE);
    assert_int_equal(run_verb(cmd_tariffs, (const char *[]){ "tariffs", "import", "x", NULL }).status, CLI_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_tariffs_are_good),
        cmocka_unit_test(all_that_is_wrong_is_said_with_its_line_and_column),
        cmocka_unit_test(a_folder_and_nothing_at_all_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
