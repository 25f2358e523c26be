/* SPDX-License-Identifier: Apache-2.0
 *
 * test_kill.c - a gateway that is killed while it sends. scripts/bench kill does the same for longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/bench/kill_rounds.h"

static void nothing_is_lost_or_sent_twice_when_the_gateway_is_killed(void **state)
{
    const struct kill_settings settings = { .rounds = 5, .seed = 7, .modems = 4, .air_ms = 50, .life_ms_max = 2000 };
    struct kill_result result;

    (void)state;
    kill_rounds_run(&settings, &result);
    assert_int_equal(result.verdict.lost, 0);
    assert_int_equal(result.verdict.doubled, 0);
    assert_int_equal(result.verdict.altered, 0);
    assert_int_equal(result.verdict.strange, 0);
    /* It was in the middle of work: parts went, and requests had to be repeated. */
    assert_true(result.verdict.messages >= 10);
    assert_true(result.verdict.parts_on_air >= result.verdict.messages);
    assert_true(result.retries > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_lost_or_sent_twice_when_the_gateway_is_killed) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
