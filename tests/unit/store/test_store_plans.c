/* SPDX-License-Identifier: Apache-2.0
 *
 * No statement of the store walks through a table that grows with the messages, or sorts one: what a box with a million
 * messages would notice is seen here with none. The statements are the string literals of the library itself, so a new one
 * is looked at without being listed. There is never an ANALYZE, so these are the plans of every box. */
#include "store_testing.h"

#include <ctype.h>

#define STATEMENTS_MAX 512

/* What may walk or sort, and why that stays small. The text begins like this. */
static const struct { const char *statement, *plan, *reason; } allowed[] = {
    { "SELECT count(*) FROM sqlite_schema", "SCAN sqlite_master", "the tables and indexes themselves" },
    { "SELECT iccid FROM sim WHERE imsi", "SCAN sim", "cards: a row each, and asked when one is seen that hides its ICCID" },
    { "SELECT iccid FROM sim WHERE imsi", "USE TEMP B-TREE FOR ORDER BY", "the few rows of one IMSI" },
    { "SELECT id FROM sim WHERE imsi", "SCAN sim", "cards: a row each, and asked when one that hides its ICCID tells its credit" },
    { "SELECT id FROM sim WHERE imsi", "USE TEMP B-TREE FOR ORDER BY", "the few rows of one IMSI" },
    { "SELECT s.id, s.iccid", "SCAN s", "all cards are asked for" },
    { "SELECT kind, state FROM forecast", "SCAN forecast", "what was learnt: some hundred rows, read once at a start" },
    { "SELECT name, scopes, patience_s, created_ms FROM api_key ORDER BY", "SCAN api_key", "all keys are asked for" },
    { "SELECT id, mr, recipient", "USE TEMP B-TREE FOR ORDER BY", "orphans of one SIM: at most 1000 are kept in all" },
    { "DELETE FROM report_orphan WHERE id <=", "SCAN report_orphan", "at most 1000 are kept" },
    { "UPDATE attempt SET state = 5", "SCAN attempt USING INDEX attempt_open", "the index holds open attempts alone" },
    { "UPDATE inbox_part SET received_ms", "SCAN inbox_part USING INDEX inbox_part_age", "the index holds parts that wait alone" },
    { "SELECT id, at_ms, ref", "SCAN (subquery-1)", "at most 1024 fragments of one message" },
    { "SELECT id, loaded_ms, lower(hex(sha256)), (", "SCAN routing_version", "the newest hundred versions, by their numbers" },
    { "SELECT id, loaded_ms, lower(hex(sha256)), (", "SCAN json_each VIRTUAL TABLE INDEX 1:", "the files of each" },
    { "UPDATE routing_version", "SCAN routing_version", "versions of tariffs: a row each, and asked when there is a new one" },
    { "UPDATE routing_version", "SCAN (subquery-4)", "the same rows" },
    { "UPDATE routing_version", "SCAN (subquery-2)", "the same rows" },
    { "UPDATE routing_version", "SCAN json_each VIRTUAL TABLE INDEX 1:", "the files of one version" },
    { "SELECT id, state, price_version", "SCAN credit_lease USING INDEX credit_lease_used", "the index holds leases in which something is reserved" },
    { "SELECT sum(reserved_micro)", "SCAN credit_lease USING INDEX credit_lease_used", "the same index" },
    { "UPDATE credit_lease SET mark_ms", "SCAN credit_lease", "a row each lease, and only when the clock had been ahead by minutes" },
    { "SELECT version, sha256 FROM credit_prices", "SCAN credit_prices", "a row each price table, of which eight are kept" },
    { "DELETE FROM credit_prices", "SCAN credit_prices", "the same rows" },
    { "SELECT message_id FROM attempt INDEXED BY attempt_open", "SCAN attempt USING INDEX attempt_open", "the index holds open attempts alone" },
    { "SELECT id, at_ms, ref", "USE TEMP B-TREE FOR ORDER BY", "fragments under one key: a sender's parts that wait" },
};

struct statements { const char *at[STATEMENTS_MAX]; size_t count; bool allowance_used[sizeof allowed / sizeof allowed[0]]; };

/* The whole archive: NUL bytes in it end the literals. */
static char *read_library(size_t *ret_size)
{
    FILE *file = fopen(STORE_LIBRARY, "rb");
    char *bytes;
    long size;

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    rewind(file);
    bytes = calloc(1, (size_t)size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), (size_t)size);
    (void)fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

static bool begins_a_statement(const char *text)
{
    static const char *const verbs[] = { "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "REPLACE ", "WITH " };

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strncmp(text, verbs[i], strlen(verbs[i])) == 0)
            return true;
    return false;
}

static void find_statements(const char *bytes, size_t size, struct statements *statements)
{
    for (size_t i = 0; i < size; i++)
        if ((i == 0 || !isprint((unsigned char)bytes[i - 1])) && begins_a_statement(bytes + i)) {
            assert_true(statements->count < STATEMENTS_MAX);
            statements->at[statements->count++] = bytes + i;
        }
}

static bool is_allowed(struct statements *statements, const char *statement, const char *plan)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (strncmp(statement, allowed[i].statement, strlen(allowed[i].statement)) == 0 && strcmp(plan, allowed[i].plan) == 0) {
            statements->allowance_used[i] = true;
            return true;
        }
    return false;
}

/* Indexes of the moment would be built of a whole table; a constant row is none. */
static bool grows(const char *plan)
{
    if (strstr(plan, "CONSTANT ROW") != NULL)
        return false;
    return strstr(plan, "SCAN ") != NULL || strstr(plan, "AUTOMATIC") != NULL || strstr(plan, "USE TEMP B-TREE") != NULL;
}

static unsigned look_at(sqlite3 *db, struct statements *statements, const char *statement)
{
    char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statement);
    sqlite3_stmt *stmt = NULL;
    unsigned bad = 0;

    if (sqlite3_prepare_v2(db, explain, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", statement, sqlite3_errmsg(db));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *plan = (const char *)sqlite3_column_text(stmt, 3);

        if (grows(plan) && !is_allowed(statements, statement, plan)) {
            print_error("%s\n    %s\n", statement, plan);
            bad++;
        }
    }
    sqlite3_finalize(stmt);
    sqlite3_free(explain);
    return bad;
}

static void no_statement_walks_through_all_messages(void **state)
{
    struct bench *bench = *state;
    struct statements *statements = calloc(1, sizeof *statements);
    sqlite3 *db = bench_look(bench);
    unsigned bad = 0;
    size_t size;
    char *bytes = read_library(&size);

    assert_non_null(statements);
    find_statements(bytes, size, statements);
    assert_true(statements->count > 60);   /* else they are not found */
    for (size_t i = 0; i < statements->count; i++)
        bad += look_at(db, statements, statements->at[i]);
    if (bad > 0)
        fail_msg("%u steps of plans walk or sort without a listed reason", bad);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (!statements->allowance_used[i])
            fail_msg("no statement needs this any more: %s: %s", allowed[i].statement, allowed[i].plan);
    sqlite3_close(db);
    free(bytes);
    free(statements);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        behaviour(no_statement_walks_through_all_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
