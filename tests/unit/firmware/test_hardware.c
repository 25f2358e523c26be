/* SPDX-License-Identifier: Apache-2.0
 *
 * What names a machine: the first file that says something, and never what is the same on many machines. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/cellpostd/hardware.h"

static const char *const folders[] = { "/sys", "/sys/firmware", "/sys/firmware/devicetree", "/sys/firmware/devicetree/base", "/sys/class", "/sys/class/dmi",
                                       "/sys/class/dmi/id", "/proc", "/etc" };
static const char *const files[] = { "/sys/firmware/devicetree/base/serial-number", "/proc/cpuinfo", "/sys/class/dmi/id/product_uuid", "/etc/machine-id" };
static char root[64];

static int set_up(void **state)
{
    char path[256];

    (void)state;
    (void)strcpy(root, "/tmp/test_hardware.XXXXXX");
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", root, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    return 0;
}

static int tear_down(void **state)
{
    char path[256];

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s%s", root, files[i]);
        (void)unlink(path);
    }
    for (size_t i = sizeof folders / sizeof folders[0]; i-- > 0;) {
        (void)snprintf(path, sizeof path, "%s%s", root, folders[i]);
        (void)rmdir(path);
    }
    return rmdir(root);
}

static void put(const char *name, const char *text, size_t length)
{
    char path[256];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s%s", root, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void a_machine_without_a_name_has_zeros(void **state)
{
    uint8_t print[SHA256_OCTETS], zeros[SHA256_OCTETS] = { 0 };

    (void)state;
    assert_null(hardware_fingerprint(root, print));
    assert_memory_equal(print, zeros, sizeof print);
}

static void the_board_comes_before_the_installation(void **state)
{
    uint8_t first[SHA256_OCTETS], second[SHA256_OCTETS];

    (void)state;
    put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 33);
    assert_string_equal(hardware_fingerprint(root, first), "/etc/machine-id");
    put("/proc/cpuinfo", "processor : 0\nSerial\t\t: 00000000a1b2c3d4\nModel : Pi\n", 51);
    assert_string_equal(hardware_fingerprint(root, first), "/proc/cpuinfo");
    put("/sys/firmware/devicetree/base/serial-number", "00000000a1b2c3d4", 17);   /* with its NUL */
    assert_string_equal(hardware_fingerprint(root, second), "/sys/firmware/devicetree/base/serial-number");
    assert_memory_not_equal(first, second, sizeof first);
    assert_string_equal(hardware_fingerprint(root, first), "/sys/firmware/devicetree/base/serial-number");
    assert_memory_equal(first, second, sizeof first);
}

static void what_is_the_same_on_many_machines_names_none(void **state)
{
    static const char *const fillers[] = { "", "\n", "To be filled by O.E.M.\n", "00000000-0000-0000-0000-000000000000\n", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF\n",
                                           "  Default string  \n" };
    uint8_t print[SHA256_OCTETS];

    (void)state;
    put("/etc/machine-id", "0123456789abcdef0123456789abcdef\n", 33);
    put("/proc/cpuinfo", "Serial\nModel : Serial\n", 22);
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
        put("/sys/class/dmi/id/product_uuid", fillers[i], strlen(fillers[i]));
        assert_string_equal(hardware_fingerprint(root, print), "/etc/machine-id");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_machine_without_a_name_has_zeros, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_board_comes_before_the_installation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_the_same_on_many_machines_names_none, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
