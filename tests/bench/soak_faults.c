/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/soak_faults.h"

#include <signal.h>

#define STOP_MS 20000   /* what is on the air may finish for 10 s */

static void do_nothing(const struct soak_moment *moment) { (void)moment; }
static void stop_daemon(const struct soak_moment *moment) { process_signal(&moment->harness->daemon, SIGSTOP); }
static void continue_daemon(const struct soak_moment *moment) { process_signal(&moment->harness->daemon, SIGCONT); }
static void stop_bank(const struct soak_moment *moment) { process_signal(&moment->harness->bank, SIGSTOP); }
static void continue_bank(const struct soak_moment *moment) { process_signal(&moment->harness->bank, SIGCONT); }
static void kill_daemon(const struct soak_moment *moment) { harness_kill(moment->harness); }
static void start_daemon(const struct soak_moment *moment) { harness_start(moment->harness); }
static void fail_disk(const struct soak_moment *moment) { faults_begin(moment->harness, moment->disk); }
static void mend_disk(const struct soak_moment *moment) { faults_end(moment->harness); }

static void terminate_daemon(const struct soak_moment *moment)
{
    int status = harness_stop(moment->harness, STOP_MS);

    if (status != 0)
        harness_die("cellpostd ended with %d after SIGTERM", status);
}

/* What it knows and could not write is lost with it. */
static void kill_then_mend(const struct soak_moment *moment)
{
    kill_daemon(moment);
    mend_disk(moment);
    start_daemon(moment);
}

static void unplug(const struct soak_moment *moment) { bank_tell_ok(moment->harness, "unplug %u", moment->modem); }
static void plug(const struct soak_moment *moment) { bank_tell_ok(moment->harness, "plug %u", moment->modem); }
static void lose_reply(const struct soak_moment *moment) { bank_tell_ok(moment->harness, "fault %u lost_reply", moment->modem); }

const struct soak_fault soak_faults[] = {
    { "kill",             6, true,  false, 0, 100, false, NULL, kill_daemon, start_daemon },
    { "terminate",        4, false, false, 0, 0, false, NULL, terminate_daemon, start_daemon },
    { "stop_daemon",      6, false, false, 10, 300, false, NULL, stop_daemon, continue_daemon },
    /* The answer waits in the line meanwhile: it is late, not lost. */
    { "stop_daemon_long", 1, false, false, 100, 300, true, NULL, stop_daemon, continue_daemon },
    { "stop_bank",        6, false, false, 10, 300, false, NULL, stop_bank, continue_bank },
    { "stop_bank_long",   1, true,  false, 100, 300, true, NULL, stop_bank, continue_bank },
    { "unplug",           5, true,  false, 0, 200, false, NULL, unplug, plug },
    { "lost_reply",       3, true,  true,  0, 0, false, NULL, lose_reply, do_nothing },
    { "disk_full",        6, false, false, 20, 200, false, "disk_full", fail_disk, mend_disk },
    { "disk_error_write", 4, false, false, 20, 200, false, "disk_error_write", fail_disk, mend_disk },
    { "disk_error_sync",  3, false, false, 20, 200, false, "disk_error_sync", fail_disk, mend_disk },
    { "disk_error_truncate", 2, false, false, 20, 200, false, "disk_error_truncate", fail_disk, mend_disk },
    { "kill_disk_full",   1, true,  false, 20, 200, false, "disk_full", fail_disk, kill_then_mend },
    { "kill_disk_error",  1, true,  false, 20, 200, false, "disk_error_sync", fail_disk, kill_then_mend },
};
const size_t soak_fault_count = sizeof soak_faults / sizeof soak_faults[0];
