/* SPDX-License-Identifier: Apache-2.0
 *
 * fixture.h - one harness per test (or per group), ended by the teardown whatever happened in between. */
#ifndef CELLPOST_TESTS_FIXTURE_H
#define CELLPOST_TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/system/harness.h"

#define WAIT_MS 20000   /* for what takes well under a second on a machine that does nothing else */

/* Modems that are there at once and a network that is quick. */
#define QUICK_BANK "--boot-ms", "0", "--register-ms", "0", "--report-ms", "50"

static inline struct harness *fixture_open(void **state, const struct harness_options *options)
{
    struct harness *harness = harness_new(options);

    *state = harness;
    return harness;
}

static inline struct harness *fixture_start(void **state, const struct harness_options *options)
{
    struct harness *harness = fixture_open(state, options);

    harness_start(harness);
    if (options->modems > 0 && !harness_wait_modems(harness, "ready", options->modems, WAIT_MS))
        harness_die("the modems do not become ready");
    return harness;
}

static inline int fixture_end(void **state)
{
    harness_free(*state);
    *state = NULL;
    return 0;
}

#endif
