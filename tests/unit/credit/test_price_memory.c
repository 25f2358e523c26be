/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/credit/price_text.h"
#include "tests/unit/faulty_memory.h"

static void a_table_is_read_whole_or_not_at_all_when_memory_runs_out(void **state)
{
    static struct table_notes notes;
    char text[4096], *at = text;
    unsigned failures = 0;

    (void)state;
    at += sprintf(at, "prefix,price\n");
    for (unsigned i = 0; i < 200; i++)
        at += sprintf(at, "1%03u,0.05\n", i);
    for (int lack = 0; lack < MEMORY_LACKS; lack++)
        for (uint64_t n = 1;; n++) {
            struct price_table *table = NULL;
            bool failed;
            int r;

            memory_fail(MEMORY_OWN, (enum memory_lack)lack, n);
            r = price_text_parse(text, 1, &table, &notes);
            failed = memory_works();
            assert_int_equal(r, failed ? -ENOMEM : 0);
            assert_true((table == NULL) == failed);
            price_table_free(table);
            if (!failed)
                break;
            failures++;
        }
    assert_true(failures >= 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_table_is_read_whole_or_not_at_all_when_memory_runs_out) };

    return cmocka_run_group_tests_name("price, memory", tests, NULL, NULL);
}
