/* SPDX-License-Identifier: Apache-2.0
 *
 * test_soak.c - each kind of fault once, on real processes. scripts/soak does the same for longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/bench/soak.h"
#include "tests/bench/soak_faults.h"

static void nothing_is_lost_or_sent_twice_whichever_fault_strikes(void **state)
{
    const struct soak_settings settings = { .rounds = (unsigned)soak_fault_count, .seed = 2, .modems = 4, .air_ms = 50,
                                            .episode = (unsigned)soak_fault_count, .send_timeout_ms = 1000, .quiet = 1 };
    struct soak_result result;

    (void)state;
    soak_run(&settings, &result);
    assert_int_equal(result.verdict.lost, 0);
    assert_int_equal(result.verdict.doubled, 0);
    assert_int_equal(result.verdict.altered, 0);
    assert_int_equal(result.verdict.strange, 0);
    /* Each kind struck, in the middle of work. */
    for (size_t kind = 0; kind < soak_fault_count; kind++)
        assert_int_equal(result.tally[kind].rounds, 1);
    assert_true(result.disk_calls_failed > 0);
    assert_true(result.verdict.messages >= 50);
    assert_true(result.retries > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_lost_or_sent_twice_whichever_fault_strikes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
