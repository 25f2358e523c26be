/* SPDX-License-Identifier: Apache-2.0
 *
 * powercut_guest - from one start of the machine to its next power cut, see scripts/powercut.
 *
 *   powercut_guest JOB STATE TELL BOOT SEED MODEMS load|last [PRELOAD]
 *
 * Checks what the cut left, starts the gateway and its modems, waits until all is sent that was accepted, judges, then puts the
 * gateway under load until the machine is dead; or, with `last`, repeats what is not acknowledged, judges again and ends. */
#include "tests/vm/powercut.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOAD_MS 300000         /* the cut comes long before */
#define STOP_MS 60000

static int tell_fd = -1;

void powercut_tell(const char *format, ...)
{
    char line[1024] = "guest ";
    va_list args;
    size_t length;

    va_start(args, format);
    (void)vsnprintf(line + 6, sizeof line - 8, format, args);
    va_end(args);
    length = strlen(line);
    line[length++] = '\n';
    if (write(tell_fd, line, length) != (ssize_t)length)
        harness_die("nobody can be told: %s", strerror(errno));
}

void powercut_path(const struct powercut *powercut, const char *name, unsigned boot, char ret_path[256])
{
    const char *at = strstr(name, "%u");
    int n;

    HARNESS_CHECK(at != NULL);
    n = snprintf(ret_path, 256, "%s/%.*s%u%s", powercut->job, (int)(at - name), name, boot, at + 2);
    HARNESS_CHECK(n > 0 && n < 256);
}

uint64_t powercut_random(struct powercut *powercut)
{
    powercut->random ^= powercut->random >> 12;
    powercut->random ^= powercut->random << 25;
    powercut->random ^= powercut->random >> 27;
    return powercut->random * UINT64_C(2685821657736338717) >> 32;
}

static void tell_verdict(const struct powercut *powercut)
{
    struct survival_verdict v = judge_all(powercut);

    powercut_tell("verdict \"acknowledged\": %u, \"survived\": %u, \"lost\": %u, \"untrue\": %u, \"sent_twice\": %u, \"stored_twice\": %u, "
                  "\"altered\": %u, \"flagged_unknown\": {\"messages\": %u, \"parts_on_air\": %u, \"parts_not_on_air\": %u}, "
                  "\"stored_unacknowledged\": %u", v.acknowledged, v.survived, v.lost, v.untrue, v.sent_twice, v.stored_twice, v.altered,
                  v.unknown, v.unknown_on_air, v.unknown_not_on_air, v.stored_unacknowledged);
}

static void start(struct powercut *powercut, unsigned modems, const char *preload)
{
    static char air[256], environment[300];
    struct harness_options options = {
        .modems = modems, .state_dir = powercut->state, .witness = air,
        /* The network has a part after some 35 ms, and its answer takes 300 ms more: most parts that are under way at a cut were
         * taken, the witness knows it, and a gateway that sends such a one again is seen. */
        .bank = { "--air-ms", "40", "--air-jitter-ms", "20", "--fault", "late=0.9:300", "--boot-ms", "0", "--register-ms", "0",
                  "--report-ms", "500" },
    };

    powercut_path(powercut, "air-%u.jsonl", powercut->boot, air);
    if (preload != NULL) {
        (void)snprintf(environment, sizeof environment, "LD_PRELOAD=%s", preload);
        options.environment[0] = environment;
    }
    powercut->harness = harness_new(&options);
    harness_start(powercut->harness);
}

static void settle_and_judge(struct powercut *powercut)
{
    if (!judge_wait_settled(powercut))
        powercut_tell("unsettled");   /* what waits counts as lost */
    tell_verdict(powercut);
}

static void repeat_and_end(struct powercut *powercut)
{
    struct load *load = load_start(powercut, true);

    (void)load_join(load);
    settle_and_judge(powercut);
    if (harness_stop(powercut->harness, STOP_MS) != 0)
        harness_die("cellpostd did not stop cleanly");
    tell_verdict(powercut);
    powercut->harness->passed = true;
    harness_free(powercut->harness);
    powercut_tell("done");
}

int main(int argc, char **argv)
{
    struct powercut powercut = { 0 };
    char integrity[256];
    struct load *load;

    if (argc != 8 && argc != 9)
        return 2;
    powercut.job = argv[1];
    powercut.state = argv[2];
    powercut.boot = (unsigned)strtoul(argv[4], NULL, 10);
    powercut.random = (strtoull(argv[5], NULL, 10) + 1) * UINT64_C(0x9E3779B97F4A7C15) + powercut.boot * 2 + 1;
    tell_fd = open(argv[3], O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (tell_fd < 0 || powercut.boot >= POWERCUT_BOOTS_MAX)
        return 2;
    if (powercut.boot > 0) {
        judge_integrity(&powercut, integrity);
        powercut_tell("integrity %s", integrity);
    }
    start(&powercut, (unsigned)strtoul(argv[6], NULL, 10), argc == 9 ? argv[8] : NULL);
    if (powercut.boot > 0)
        settle_and_judge(&powercut);
    if (strcmp(argv[7], "last") == 0) {
        repeat_and_end(&powercut);
        return 0;
    }
    load = load_start(&powercut, false);
    (void)harness_wait(powercut.harness, load_note_progress, &load, LOAD_MS);
    powercut_tell("failed: the cut did not come");
    return 1;
}
