/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "firmware/common/routing_load.h"
#include "tests/unit/faulty_memory.h"

#define FAR_AWAY 10000

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* What is lost or freed twice on the way shows under AddressSanitizer. */
static void whichever_allocation_fails_all_is_read_or_nothing(void **state)
{
    static const char *const names[] = { "t.csv", "routes.csv", "numbers.csv", "rates.csv" };
    static struct config_errors errors;
    char folder[] = "/tmp/cellpost-routing-XXXXXX", text[1024], path[128];
    struct config config;

    (void)state;
    assert_non_null(mkdtemp(folder));
    put_file(folder, "t.csv", "kind,plan,currency,prefix,price,prefixes,name,parts,period,time_zone\n"
                              "price,a,EUR,*,0.10,,,,,\nbundle,a,,,,336,b,10,month,Europe/Paris\nprice,b,USD,*,0.10,,,,,\n");
    put_file(folder, "routes.csv", "prefix,bearers\n33,tag:x\n");
    put_file(folder, "numbers.csv", "number,as\n33612345678,336\n");
    put_file(folder, "rates.csv", "from,to,rate\nEUR,USD,1.1\n");
    (void)snprintf(text, sizeof text, "[routing]\ntariffs = %s/t*.csv\nroutes = %s/routes.csv\nnumbers = %s/numbers.csv\nrates = %s/rates.csv\ncurrency = EUR\n"
                                      "[bank \"a\"]\nports = /a\n[sim \"*\"]\ntags = x y\n[sim \"8949020000012345678\"]\ntariff = a\ntime_zone = +02:00\n",
                   folder, folder, folder, folder);
    assert_int_equal(config_parse("x", text, strlen(text), &config, &errors), 0);
    for (int lack = 0; lack < MEMORY_LACKS; lack++) {
        uint64_t n = 1;

        for (; n < FAR_AWAY; n++) {
            struct routing *routing = NULL;
            bool failed;
            int r;

            memory_fail(MEMORY_OWN, (enum memory_lack)lack, n);
            r = routing_load(&config, &routing, &errors);
            failed = memory_works();
            if (r == 0) {                /* also where what failed only gives back what was too much */
                assert_int_equal(tariff_row_count(routing->tariffs), 3);
                assert_int_equal(route_count(routing->routes), 2);
                assert_int_equal(override_count(routing->overrides), 1);
                assert_int_equal(routing->sims[0].tag_count, 2);
                assert_non_null(routing->sims[0].limits.zone);
                assert_non_null(routing_zone(routing, "Europe/Paris"));
                assert_int_equal(routing_record(routing)->count, 4);
                assert_int_equal(errors.errors.count, 0);
                routing_free(routing);
            } else {
                assert_int_equal(r, -ENOMEM);
                assert_null(routing);
                assert_int_equal(errors.errors.count, 1);
                assert_string_equal(errors.errors.text[0], "x: out of memory while tariffs and routes were read");
            }
            if (!failed)
                break;
        }
        assert_in_range(n, 30, FAR_AWAY - 1);
    }
    config_done(&config);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whichever_allocation_fails_all_is_read_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
