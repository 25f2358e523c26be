/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tariffs.c - tariffs, routes and limits of a gateway that runs: in force whole or not at all, read anew at SIGHUP. */
#include "tests/system/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "plan,currency,prefix,price\n"

static void put_file(const struct harness *harness, const char *name, const char *text)
{
    char path[200];
    FILE *file;

    harness_path(harness, name, path, sizeof path);
    file = fopen(path, "we");
    HARNESS_CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* sections lives as long as the test. */
static void configure(struct harness *harness, char *sections, size_t size, const char *rest)
{
    (void)snprintf(sections, size, "[routing]\ntariffs = %s/t*.csv\nroutes = %s/routes.csv\n%s", harness->dir, harness->dir, rest);
    harness->options.sections = sections;
    harness_write_config(harness);
}

static void send_and_wait(struct harness *harness, const char *to)
{
    char id[32];

    harness_send(harness, to, "What does it cost", id);
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
}

static int64_t last_attempt(const struct harness *harness, const char *what)
{
    char sql[128];

    (void)snprintf(sql, sizeof sql, "SELECT %s FROM attempt ORDER BY id DESC LIMIT 1", what);
    return harness_database_number(harness, sql);
}

/* The command line, with its arguments up to a NULL. */
static void expect_said(const struct harness *harness, const char *const *arguments, const char *part)
{
    char program[300], *out, *err;
    const char *argv[12] = { program, "--socket", harness->socket };
    size_t count = 3;

    (void)snprintf(program, sizeof program, "%s/cellpost", harness->bin);
    for (; *arguments != NULL; arguments++)
        argv[count++] = *arguments;
    assert_int_equal(process_run(argv, WAIT_MS, &out, &err), 0);
    if (strstr(out, part) == NULL)
        harness_die("%s is not in what cellpost said: %s%s", part, out, err);
    free(out);
    free(err);
}

static void tariffs_are_read_anew_and_a_broken_table_leaves_the_running_one_in_force(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50" } };
    struct harness *harness = fixture_open(state, &options);
    char sections[400];

    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.10\n");
    put_file(harness, "routes.csv", "prefix,bearers\n*,*\n");
    configure(harness, sections, sizeof sections, "tariff = plain\n");
    harness_start(harness);
    assert_true(harness_wait_log(harness, "in force: version 1, 1 plan with 1 row in EUR, 1 route, 0 ported numbers", WAIT_MS));
    assert_true(harness_wait_log(harness, "has no tariff: the default 'plain' is taken for it", WAIT_MS));
    send_and_wait(harness, "+40711000001");
    assert_int_equal(last_attempt(harness, "price_micro"), 100000);
    assert_int_equal(last_attempt(harness, "json_extract(choice, '$.version')"), 1);

    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.20\nplain,EUR,33,-3\n");
    process_signal(&harness->daemon, SIGHUP);
    assert_true(harness_wait_log(harness, "/t.csv:3:price: '-3' is negative (allowed: 0 to", WAIT_MS));
    assert_true(harness_wait_log(harness, "stays in force, and so do the running tariffs", WAIT_MS));
    send_and_wait(harness, "+40711000002");
    assert_int_equal(last_attempt(harness, "price_micro"), 100000);
    assert_int_equal(last_attempt(harness, "json_extract(choice, '$.version')"), 1);

    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.20\n");
    process_signal(&harness->daemon, SIGHUP);
    assert_true(harness_wait_log(harness, "in force: version 2, 1 plan", WAIT_MS));
    send_and_wait(harness, "+40711000003");
    assert_int_equal(last_attempt(harness, "price_micro"), 200000);
    assert_int_equal(last_attempt(harness, "json_extract(choice, '$.version')"), 2);

    expect_said(harness, (const char *const[]){ "tariffs", "list", NULL }, "/t.csv ");
    expect_said(harness, (const char *const[]){ "tariffs", "show", "1", NULL }, "/routes.csv");
    expect_said(harness, (const char *const[]){ "tariffs", "show", "1", "t.csv", NULL }, HEADER "plain,EUR,*,0.10\n");
    expect_said(harness, (const char *const[]){ "tariffs", "show", "2", "t.csv", NULL }, HEADER "plain,EUR,*,0.20\n");

    /* A version that was there before has its number again, also after a restart. */
    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.10\n");
    assert_int_equal(harness_stop(harness, WAIT_MS), 0);
    harness_start(harness);
    assert_true(harness_wait_log(harness, "in force: version 1, 1 plan", WAIT_MS));
    assert_int_equal(harness_database_number(harness, "SELECT count(*) FROM routing_version"), 2);
    assert_int_equal(harness_database_number(harness, "SELECT json_extract(files, '$[0].text') LIKE '%plain,EUR,*,0.20%' FROM routing_version WHERE id = 2"), 1);
    harness->passed = true;
}

static void a_card_without_a_tariff_sends_nothing_until_it_has_one(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50" } };
    struct harness *harness = fixture_open(state, &options);
    char sections[400], id[32];

    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.10\n");
    put_file(harness, "routes.csv", "prefix,bearers\n*,*\n");
    configure(harness, sections, sizeof sections, "");
    harness_start(harness);
    assert_true(harness_wait_log(harness, "has no tariff: nothing can go by it, as its prices are not known", WAIT_MS));
    harness_send(harness, "+40711000004", "Waits for a price", id);
    configure(harness, sections, sizeof sections, "[sim \"*\"]\ntariff = plain\n");
    process_signal(&harness->daemon, SIGHUP);
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
    assert_int_equal(last_attempt(harness, "price_micro"), 100000);
    assert_int_equal(last_attempt(harness, "count(*)"), 1);
    harness->passed = true;
}

/* Two changes at once, and one while the first is being read: the last one counts. */
static void many_signals_end_with_what_is_in_the_files(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50" } };
    struct harness *harness = fixture_open(state, &options);
    char sections[400], text[64];

    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.10\n");
    put_file(harness, "routes.csv", "prefix,bearers\n*,*\n");
    configure(harness, sections, sizeof sections, "tariff = plain\n");
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    for (int i = 1; i <= 30; i++) {
        char path[200], fresh[200];

        (void)snprintf(text, sizeof text, HEADER "plain,EUR,*,1.%02d\n", i);
        put_file(harness, "fresh", text);
        harness_path(harness, "fresh", fresh, sizeof fresh);
        harness_path(harness, "t.csv", path, sizeof path);
        HARNESS_CHECK(rename(fresh, path) == 0);
        process_signal(&harness->daemon, SIGHUP);
    }
    put_file(harness, "t2.csv", HEADER "more,EUR,*,5\n");
    process_signal(&harness->daemon, SIGHUP);
    assert_true(harness_wait_log(harness, "2 plans with 2 rows in EUR", WAIT_MS));
    send_and_wait(harness, "+40711000005");
    assert_int_equal(last_attempt(harness, "price_micro"), 1300000);
    harness->passed = true;
}

/* What was paid must be told by a version that is there, whatever happens next. */
static void tariffs_whose_version_cannot_be_written_down_do_not_come_into_force(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50" } };
    struct harness *harness = fixture_open(state, &options);
    char sections[400];

    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.10\n");
    put_file(harness, "routes.csv", "prefix,bearers\n*,*\n");
    configure(harness, sections, sizeof sections, "tariff = plain\n");
    faults_attach(harness);
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.20\n");
    faults_begin(harness, "disk_full");
    process_signal(&harness->daemon, SIGHUP);
    assert_true(harness_wait_log(harness, "the version of its tariffs and routes cannot be written down: No space left on device", WAIT_MS));
    faults_end(harness);
    assert_true(harness_wait_log(harness, "the store works again", WAIT_MS));
    send_and_wait(harness, "+40711000006");
    assert_int_equal(last_attempt(harness, "price_micro"), 100000);
    process_signal(&harness->daemon, SIGHUP);
    assert_true(harness_wait_log(harness, "in force: version 2, 1 plan", WAIT_MS));
    send_and_wait(harness, "+40711000007");
    assert_int_equal(last_attempt(harness, "price_micro"), 200000);
    harness->passed = true;
}

/* The table takes longer to read than the gateway to stop; messages go on meanwhile. */
static void a_gateway_that_reads_a_large_table_goes_on_and_can_be_stopped(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50" } };
    struct harness *harness = fixture_open(state, &options);
    char sections[400], path[200];
    FILE *file;

    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.10\n");
    put_file(harness, "routes.csv", "prefix,bearers\n*,*\n");
    configure(harness, sections, sizeof sections, "tariff = plain\n");
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));
    harness_path(harness, "t2.csv", path, sizeof path);
    file = fopen(path, "we");
    HARNESS_CHECK(file != NULL && fputs(HEADER, file) >= 0);
    for (unsigned i = 0; i < 400000; i++)
        HARNESS_CHECK(fprintf(file, "large,EUR,4%06u,0.1\n", i) > 0);
    HARNESS_CHECK(fclose(file) == 0);
    process_signal(&harness->daemon, SIGHUP);
    assert_true(harness_wait_log(harness, "2 plans with 400001 rows in EUR", WAIT_MS));
    send_and_wait(harness, "+40711000008");
    process_signal(&harness->daemon, SIGHUP);
    assert_int_equal(harness_stop(harness, WAIT_MS), 0);
    harness->passed = true;
}

static void a_gateway_does_not_start_with_a_broken_table_and_check_says_so_too(void **state)
{
    const struct harness_options options = { .ports = "/nonexistent/cellpost/modem*" };
    struct harness *harness = fixture_open(state, &options);
    char sections[400], program[300], expected[300], *out, *err;
    const char *argv[] = { program, "--config", harness->config, NULL, NULL };

    (void)snprintf(program, sizeof program, "%s/cellpostd", harness->bin);
    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.10\nplain,EUR,33,ten\n");
    put_file(harness, "routes.csv", "prefix,bearers\n*,home\n");
    configure(harness, sections, sizeof sections, "");
    for (int i = 0; i < 2; i++) {
        argv[3] = i == 0 ? NULL : "--check";
        assert_int_equal(process_run(argv, WAIT_MS, &out, &err), 1);
        (void)snprintf(expected, sizeof expected, "%s/t.csv:3:price: 'ten' is no number", harness->dir);
        HARNESS_CHECK(strstr(err, expected) != NULL);
        (void)snprintf(expected, sizeof expected, "%s/routes.csv:2:bearers: 'home' is no selector", harness->dir);
        HARNESS_CHECK(strstr(err, expected) != NULL);
        free(out);
        free(err);
    }
    put_file(harness, "t.csv", HEADER "plain,EUR,*,0.10\n");
    put_file(harness, "routes.csv", "prefix,bearers\n33,*\n");
    assert_int_equal(process_run(argv, WAIT_MS, &out, &err), 0);
    HARNESS_CHECK(strstr(out, "tariffs and routes: 1 plan with 1 row in EUR, 2 routes, 0 ported numbers") != NULL);
    free(out);
    free(err);
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(tariffs_are_read_anew_and_a_broken_table_leaves_the_running_one_in_force, fixture_end),
        cmocka_unit_test_teardown(a_card_without_a_tariff_sends_nothing_until_it_has_one, fixture_end),
        cmocka_unit_test_teardown(many_signals_end_with_what_is_in_the_files, fixture_end),
        cmocka_unit_test_teardown(tariffs_whose_version_cannot_be_written_down_do_not_come_into_force, fixture_end),
        cmocka_unit_test_teardown(a_gateway_that_reads_a_large_table_goes_on_and_can_be_stopped, fixture_end),
        cmocka_unit_test_teardown(a_gateway_does_not_start_with_a_broken_table_and_check_says_so_too, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
