/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>

#include "firmware/central/db_internal.h"
#include "tests/unit/account/storage_conformance.h"
#include "tests/unit/central_db/rows.h"

static char folder[64], path[96];

static struct central_db *open_db(void)
{
    struct central_db *db = NULL;
    char problem[512];

    if (central_db_open(path, &db, problem, sizeof problem) != 0)
        fail_msg("%s", problem);
    return db;
}

static int empty(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/cellpost-test-db-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(path, sizeof path, "%s/central.db", folder);
    return 0;
}

static int clean(void **state)
{
    static const char *const names[] = { "central.db", "central.db-wal", "central.db-shm" };
    char name[128];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        (void)unlink(name);
    }
    return rmdir(folder);
}

static void it_does_what_every_storage_does(void **state)
{
    struct central_db *db = open_db(), *other = open_db();
    struct account_db ops = central_db_ops(db), ops_of_other = central_db_ops(other);

    (void)state;
    storage_conforms(&ops);
    storage_kept_it(&ops_of_other);
    central_db_close(db);
    central_db_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_does_what_every_storage_does, empty, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
