/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/linux/line_open.h"
#include "hal/linux/line_pty.h"
#include "hal/linux/line_serial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct pair { int master, slave; char path[64]; };

static void pair_open(struct pair *pair)
{
    assert_int_equal(openpty(&pair->master, &pair->slave, pair->path, NULL, NULL), 0);
    assert_int_equal(fcntl(pair->master, F_SETFD, FD_CLOEXEC), 0);
    assert_int_equal(fcntl(pair->slave, F_SETFD, FD_CLOEXEC), 0);
}

static void pair_close(struct pair *pair)
{
    if (pair->master >= 0)
        assert_int_equal(close(pair->master), 0);
    if (pair->slave >= 0)
        assert_int_equal(close(pair->slave), 0);
}

static void wait_for(int fd, short events)
{
    struct pollfd poller = { .fd = fd, .events = events };

    assert_int_equal(poll(&poller, 1, 5000), 1);
}

static void octets_of_every_value_pass_unchanged_both_ways(void **state)
{
    struct pair pair;
    struct hal_line line;
    uint8_t all[256], got[256];
    size_t have = 0;

    (void)state;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    pair_open(&pair);
    assert_int_equal(line_pty_open(pair.path, &line), 0);
    assert_int_equal(line.ops->write(line.line, all, sizeof all), sizeof all);
    while (have < sizeof got) {
        ssize_t n;

        wait_for(pair.master, POLLIN);
        n = read(pair.master, got + have, sizeof got - have);
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(got, all, sizeof all);
    assert_int_equal(write(pair.master, all, sizeof all), sizeof all);
    memset(got, 0, sizeof got);
    for (have = 0; have < sizeof got;) {
        ssize_t n;

        wait_for(line.ops->fd(line.line), POLLIN);
        n = line.ops->read(line.line, got + have, sizeof got - have);
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(got, all, sizeof all);
    line.ops->close(line.line);
    pair_close(&pair);
}

static void a_silent_line_reads_0_and_a_gone_one_reads_enodev(void **state)
{
    struct pair pair;
    struct hal_line line;
    uint8_t octets[16];

    (void)state;
    pair_open(&pair);
    assert_int_equal(line_pty_open(pair.path, &line), 0);
    assert_int_equal(line.ops->read(line.line, octets, sizeof octets), 0);
    assert_int_equal(line.ops->power_cycle(line.line, 1000), -ENOTSUP);
    assert_int_equal(close(pair.master), 0);
    pair.master = -1;
    wait_for(line.ops->fd(line.line), POLLIN);
    assert_int_equal(line.ops->read(line.line, octets, sizeof octets), -ENODEV);
    assert_int_equal(line.ops->write(line.line, octets, sizeof octets), -ENODEV);
    line.ops->close(line.line);
    pair_close(&pair);
}

static void a_full_line_takes_nothing_more_and_does_not_block(void **state)
{
    static uint8_t octets[65536];
    struct pair pair;
    struct hal_line line;
    ssize_t n;
    size_t written = 0;

    (void)state;
    pair_open(&pair);
    assert_int_equal(line_pty_open(pair.path, &line), 0);
    while ((n = line.ops->write(line.line, octets, sizeof octets)) > 0 && written < (1u << 24))
        written += (size_t)n;
    assert_int_equal(n, 0);
    assert_true(written > 0);
    line.ops->close(line.line);   /* does not wait for the octets to go */
    pair_close(&pair);
}

static void an_open_line_is_raw_local_exclusive_and_let_go_on_close(void **state)
{
    struct pair pair;
    struct hal_line line;
    struct termios term;
    int exclusive = -1;

    (void)state;
    pair_open(&pair);
    assert_int_equal(line_pty_open(pair.path, &line), 0);
    assert_int_equal(tcgetattr(pair.slave, &term), 0);
    assert_int_equal(term.c_lflag & (tcflag_t)(ICANON | ECHO | ISIG), 0);
    assert_int_equal(term.c_iflag & (tcflag_t)(ICRNL | IXON), 0);
    assert_int_equal(term.c_oflag & (tcflag_t)OPOST, 0);
    assert_int_equal(term.c_cflag & (tcflag_t)HUPCL, 0);
    assert_true(term.c_cflag & CLOCAL);
    assert_true(fcntl(line.ops->fd(line.line), F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(line.ops->fd(line.line), F_GETFL) & O_NONBLOCK);
    assert_int_equal(ioctl(pair.slave, TIOCGEXCL, &exclusive), 0);
    assert_int_equal(exclusive, 1);
    line.ops->close(line.line);
    assert_int_equal(ioctl(pair.slave, TIOCGEXCL, &exclusive), 0);
    assert_int_equal(exclusive, 0);
    assert_int_equal(line_pty_open(pair.path, &line), 0);
    line.ops->close(line.line);
    line.ops->close(NULL);
    pair_close(&pair);
}

static void what_is_no_tty_is_refused_unopened(void **state)
{
    struct hal_line line;

    (void)state;
    assert_int_equal(line_pty_open("/dev/null", &line), -ENOTTY);
    assert_int_equal(line_pty_open("/tmp", &line), -ENOTTY);
    assert_int_equal(line_pty_open("/no/such/port", &line), -ENOENT);
    assert_int_equal(line_serial_open("/dev/null", &line), -ENOTTY);
    assert_int_equal(line_serial_open("/tmp", &line), -ENOTTY);
    assert_int_equal(line_serial_open("/no/such/port", &line), -ENOENT);
}

static void a_link_to_a_pty_opens_as_pty_while_libserialport_refuses_it(void **state)
{
    char folder[] = "/tmp/test_line_XXXXXX", path[64], error[LINE_ERROR_BYTES] = "";
    struct pair pair;
    struct hal_line line;

    (void)state;
    pair_open(&pair);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/modem0", folder);
    assert_int_equal(symlink(pair.path, path), 0);
    assert_int_equal(line_serial_open(pair.path, &line), -ENOTTY);
    assert_int_equal(line_open(path, &line, error, sizeof error), 0);
    assert_int_equal(line.ops->write(line.line, (const uint8_t *)"AT\r", 3), 3);
    line.ops->close(line.line);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    pair_close(&pair);
}

static void errors_name_the_path_what_is_wrong_and_what_to_do(void **state)
{
    char error[LINE_ERROR_BYTES];
    struct hal_line line;

    (void)state;
    assert_int_equal(line_open("/no/such/port", &line, error, sizeof error), -ENOENT);
    assert_non_null(strstr(error, "/no/such/port: no such file"));
    assert_non_null(strstr(error, "plugged in"));
    assert_int_equal(line_open("/dev/null", &line, error, sizeof error), -ENOTTY);
    assert_non_null(strstr(error, "/dev/null: not a terminal or serial port"));
    assert_int_equal(line_open("/dev/null", &line, error, 12), -ENOTTY);
    assert_string_equal(error, "/dev/null: ");
}

/* As another user, since root is refused nothing: what a child saw comes back as its exit code. */
static int as_nobody(int (*look)(const char *path), const char *path)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(99);
        _exit(look(path));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int look_denied(const char *path)
{
    char error[LINE_ERROR_BYTES] = "";
    struct hal_line line;

    if (line_open(path, &line, error, sizeof error) != -EACCES)
        return 1;
    return strstr(error, path) != NULL && strstr(error, "permission denied") != NULL && strstr(error, "usermod -a -G") != NULL ? 0 : 2;
}

static int look_busy(const char *path)
{
    char error[LINE_ERROR_BYTES] = "";
    struct hal_line line;

    if (line_open(path, &line, error, sizeof error) != -EBUSY)
        return 1;
    return strstr(error, path) != NULL && strstr(error, "in use by") != NULL ? 0 : 2;
}

static void denied_and_busy_ports_are_explained_to_who_is_not_root(void **state)
{
    struct pair pair;
    struct hal_line line;

    (void)state;
    if (geteuid() != 0)
        skip();   /* only root can become somebody else */
    pair_open(&pair);
    assert_int_equal(chmod(pair.path, 0600), 0);
    assert_int_equal(as_nobody(look_denied, pair.path), 0);
    assert_int_equal(chmod(pair.path, 0666), 0);
    assert_int_equal(line_pty_open(pair.path, &line), 0);
    assert_int_equal(as_nobody(look_busy, pair.path), 0);
    line.ops->close(line.line);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_of_every_value_pass_unchanged_both_ways),
        cmocka_unit_test(a_silent_line_reads_0_and_a_gone_one_reads_enodev),
        cmocka_unit_test(a_full_line_takes_nothing_more_and_does_not_block),
        cmocka_unit_test(an_open_line_is_raw_local_exclusive_and_let_go_on_close),
        cmocka_unit_test(what_is_no_tty_is_refused_unopened),
        cmocka_unit_test(a_link_to_a_pty_opens_as_pty_while_libserialport_refuses_it),
        cmocka_unit_test(errors_name_the_path_what_is_wrong_and_what_to_do),
        cmocka_unit_test(denied_and_busy_ports_are_explained_to_who_is_not_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
