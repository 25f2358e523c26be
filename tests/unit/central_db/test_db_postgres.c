/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include <libpq-fe.h>

#include "firmware/central/db_internal.h"
#include "tests/postgres/server.h"
#include "tests/unit/account/storage_conformance.h"
#include "tests/unit/central_db/rows.h"

static struct postgres_server *server;

static struct central_db *open_db(void)
{
    struct central_db *db = NULL;
    char problem[512];

    if (central_db_open(postgres_server_address(server), &db, problem, sizeof problem) != 0)
        fail_msg("%s", problem);
    return db;
}

static void execute(const char *text)
{
    PGconn *connection = PQconnectdb(postgres_server_address(server));
    PGresult *result = PQexec(connection, text);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

static int empty(void **state)
{
    (void)state;
    execute("SET client_min_messages=error; DROP SCHEMA IF EXISTS cellpost_central CASCADE");
    return 0;
}

static void it_does_what_every_storage_does(void **state)
{
    struct central_db *db = open_db(), *other = open_db();
    struct account_db ops = central_db_ops(db), ops_of_other = central_db_ops(other);

    (void)state;
    db_postgres_be_exact(db, true);          /* else what is wrong with a row may be told at the commit */
    storage_conforms(&ops);
    storage_kept_it(&ops_of_other);
    central_db_close(db);
    central_db_close(other);
}

static int setup(void **state)
{
    int r = postgres_server_new(false, &server);

    (void)state;
    if (r == -ENOENT)
        return 1;
    return r;
}

static int teardown(void **state)
{
    (void)state;
    postgres_server_free(server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_does_what_every_storage_does, empty),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
