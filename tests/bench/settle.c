/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/settle.h"

bool settle_watch(struct harness *harness, const void *context)
{
    struct load *const *load = context;

    load_tell(*load, harness->witness.count);
    return false;
}

bool settle_nothing_waits(struct harness *harness, const void *context)
{
    (void)settle_watch(harness, context);
    return harness_database_number(harness, "SELECT count(*) FROM message WHERE state IN (1, 2, 3)") == 0;
}

bool settle_nothing_waits_but_doubt(struct harness *harness, const void *context)
{
    (void)settle_watch(harness, context);
    return harness_database_number(harness, "SELECT count(*) FROM message WHERE state IN (1, 3) OR (state = 2 AND ready_ms = 0)") == 0;
}

bool settle_network_is_quiet(struct harness *harness, const void *context)
{
    json_t *list = bank_tell(harness, "list");
    bool quiet = json_number_at(list, "pending") == 0;

    (void)context;
    json_decref(list);
    return quiet;
}
