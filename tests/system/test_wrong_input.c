/* SPDX-License-Identifier: Apache-2.0
 *
 * test_wrong_input.c - what people and disks get wrong, and what the gateway says about it. */
#include "tests/system/fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_PORTS "/nonexistent/cellpost/modem*"

/* -- configuration -------------------------------------------------------------------------------------------- */

/* Runs cellpostd to its end: its status, and all it said. */
static int run_daemon(const struct harness *harness, const char *option, char **ret_said)
{
    char program[300], *out, *err, *said;
    const char *argv[] = { program, "--config", harness->config, option, NULL };
    int status;

    (void)snprintf(program, sizeof program, "%s/cellpostd", harness->bin);
    status = process_run(argv, WAIT_MS, &out, &err);
    said = malloc(strlen(out) + strlen(err) + 1);
    HARNESS_CHECK(said != NULL);
    (void)strcpy(said, out);
    (void)strcat(said, err);
    free(out);
    free(err);
    *ret_said = said;
    return status;
}

static void expect_end(const struct harness *harness, const char *option, int status, const char *saying)
{
    char *said;
    int ended = run_daemon(harness, option, &said);

    if (ended != status || strstr(said, saying) == NULL)
        harness_die("cellpostd ended with %d (expected %d) and said, without \"%s\": %s", ended, status, saying, said);
    free(said);
}

static void a_wrong_configuration_is_named_by_file_line_and_key(void **state)
{
    struct harness_options options = { .ports = NO_PORTS, .gateway = "colour = blue\n" };
    struct harness *harness = fixture_open(state, &options);
    char where[200];

    (void)snprintf(where, sizeof where, "%s:3: [gateway] colour", harness->config);
    expect_end(harness, NULL, 1, where);
    expect_end(harness, "--check", 1, where);
    harness->options.gateway = "max_parts = many\n";
    harness_write_config(harness);
    (void)snprintf(where, sizeof where, "%s:3: [gateway] max_parts", harness->config);
    expect_end(harness, NULL, 1, where);
    harness->options.gateway = NULL;
    harness_write_config(harness);
    expect_end(harness, "--check", 0, "ok");
    assert_int_not_equal(access(harness->state, F_OK), 0);   /* looking only, it has made nothing */
    assert_int_equal(unlink(harness->config), 0);
    expect_end(harness, NULL, 1, harness->config);
    harness->passed = true;
}

/* -- the state folder ----------------------------------------------------------------------------------------- */

static void a_second_gateway_on_the_same_folder_ends_and_names_it(void **state)
{
    const struct harness_options options = { .ports = NO_PORTS };
    struct harness *harness = fixture_start(state, &options);
    char busy[160];

    (void)snprintf(busy, sizeof busy, "%s is in use by another cellpostd, pid %ld", harness->state, (long)harness->daemon.pid);
    expect_end(harness, NULL, 1, busy);
    json_decref(harness_get(harness, "/healthz"));   /* the first one is not disturbed */
    harness->passed = true;
}

static void a_database_of_a_newer_version_is_left_alone(void **state)
{
    const struct harness_options options = { .ports = NO_PORTS };
    struct harness *harness = fixture_start(state, &options);
    sqlite3 *db = NULL;

    assert_int_equal(harness_stop(harness, WAIT_MS), 0);
    assert_int_equal(sqlite3_open(harness->database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    expect_end(harness, NULL, 1, "was written by a newer Cellpost: its version is 99");
    assert_int_equal(harness_database_number(harness, "PRAGMA user_version"), 99);
    harness->passed = true;
}

static void what_is_no_database_is_left_alone(void **state)
{
    static const char text[] = "A shopping list: bread, cheese, modems. It is long enough to be taken for the head of a file.\n";
    const struct harness_options options = { .ports = NO_PORTS };
    struct harness *harness = fixture_open(state, &options);
    char found[sizeof text] = "";
    FILE *file;

    assert_int_equal(mkdir(harness->state, 0700), 0);
    file = fopen(harness->database, "we");
    HARNESS_CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    expect_end(harness, NULL, 1, harness->database);
    file = fopen(harness->database, "re");
    HARNESS_CHECK(file != NULL && fgets(found, sizeof found, file) != NULL && fclose(file) == 0);
    assert_string_equal(found, text);
    harness->passed = true;
}

/* -- a full disk ---------------------------------------------------------------------------------------------- */

static bool gateway_is_well(struct harness *harness, const void *context)
{
    struct http_answer answer;
    long status;

    (void)context;
    http_call(harness->http, "GET", "/healthz", NULL, NULL, &answer);
    status = answer.status;
    http_answer_done(&answer);
    return status == 200;
}

static void a_full_disk_refuses_new_messages_and_loses_nothing(void **state)
{
    static const char body[] = "{\"to\":\"+40711000002\",\"text\":\"When there is room\"}";
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "500", "--air-jitter-ms", "0" } };
    struct harness *harness = fixture_open(state, &options);
    char id[32], later[32];
    struct http_answer answer;

    faults_attach(harness);
    harness_start(harness);
    assert_true(harness_wait_modems(harness, "ready", 1, WAIT_MS));

    /* The network has a part when the disk fills: its outcome cannot be written, and must not be lost. */
    harness_send(harness, "+40711000001", "On the air while the disk fills", id);
    assert_true(harness_wait_state(harness, id, "sending", WAIT_MS));
    faults_begin(harness, "disk_full");
    for (int i = 0; i < 3; i++) {
        http_call(harness->http, "POST", "/v1/messages", body, "Idempotency-Key: full-1", &answer);
        assert_int_equal(answer.status, 503);
        assert_string_equal(answer.type, "application/problem+json");
        assert_string_equal(json_text_at(answer.json, "code"), "storage_full");
        http_answer_done(&answer);
    }
    assert_true(harness_wait_log(harness, "new messages are refused: the disk is full", WAIT_MS));
    assert_true(harness_wait_on_air(harness, "+40711000001", 1, WAIT_MS));
    assert_false(gateway_is_well(harness, NULL));
    json_decref(harness_get(harness, "/v1/messages"));   /* one can look */

    faults_end(harness);
    assert_true(faults_failed(harness) > 0);
    assert_true(harness_wait(harness, gateway_is_well, NULL, WAIT_MS));
    assert_true(harness_wait_log(harness, "the store works again", WAIT_MS));
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
    assert_int_equal(harness_database_number(harness, "SELECT count(*) FROM message"), 1);   /* nothing half done */
    http_call(harness->http, "POST", "/v1/messages", body, "Idempotency-Key: full-1", &answer);
    assert_int_equal(answer.status, 202);
    assert_false(answer.replayed);
    (void)snprintf(later, sizeof later, "%s", json_text_at(json_array_get(json_object_get(answer.json, "messages"), 0), "id"));
    http_answer_done(&answer);
    assert_true(harness_wait_state(harness, later, "delivered", WAIT_MS));
    assert_int_equal(witness_count(&harness->witness, "+40711000001"), 1);
    assert_int_equal(witness_count(&harness->witness, "+40711000002"), 1);
    harness->passed = true;
}

/* -- requests ------------------------------------------------------------------------------------------------- */

static void a_wrong_request_is_refused_with_a_problem_that_says_where(void **state)
{
    static const struct { const char *body; long status; const char *code; } rows[] = {
        { "{\"to\":\"+40711000001\",\"text\":\"\xff\xfe\"}", 400, "bad_json" },
        { "{\"to\":\"+40711000001\",\"text\":\"\xed\xa0\xbd\"}", 400, "bad_json" },   /* half of a surrogate pair */
        { "{\"to\":\"+40711000001\",", 400, "bad_json" },
        { "", 400, "bad_json" },
        { "[]", 400, "wrong_type" },
        { "{\"to\":\"+40711000001\",\"to\":\"+40711000002\",\"text\":\"x\"}", 400, "bad_json" },
        { "{\"to\":\"+40711000001\",\"text\":\"x\",\"colour\":\"blue\"}", 400, "unknown_field" },
        { "{\"to\":\"+40711000001\"}", 400, "missing_field" },
        { "{\"to\":40711000001,\"text\":\"x\"}", 400, "wrong_type" },
        { "{\"to\":\"nobody\",\"text\":\"x\"}", 422, "bad_number" },
        { "{\"to\":\"+40711000001\",\"text\":\"\"}", 422, "empty_text" },
    };
    const struct harness_options options = { .ports = NO_PORTS };
    struct harness *harness = fixture_start(state, &options);
    struct http_answer answer;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_call(harness->http, "POST", "/v1/messages", rows[i].body, NULL, &answer);
        if (answer.status != rows[i].status || strcmp(json_text_at(answer.json, "code"), rows[i].code) != 0 ||
            strcmp(answer.type, "application/problem+json") != 0)
            harness_die("row %zu: status %ld, %s", i, answer.status, answer.body != NULL ? answer.body : "");
        http_answer_done(&answer);
    }
    http_call(harness->http, "POST", "/v1/messages", "{\"to\":\"+40711000001\",\"text\":\"x\"}", "Idempotency-Key: two words", &answer);
    assert_int_equal(answer.status, 400);
    assert_string_equal(json_text_at(answer.json, "code"), "bad_idempotency_key");
    http_answer_done(&answer);
    assert_int_equal(harness_database_number(harness, "SELECT count(*) FROM message"), 0);
    harness->passed = true;
}

static void a_body_over_8_mib_is_refused(void **state)
{
    const struct harness_options options = { .ports = NO_PORTS };
    struct harness *harness = fixture_start(state, &options);
    size_t length = (8u << 20) + 1;
    char *body = malloc(length);
    struct http_answer answer;

    HARNESS_CHECK(body != NULL);
    memset(body, ' ', length);
    http_call_bytes(harness->http, "POST", "/v1/messages", body, length, NULL, &answer);
    free(body);
    assert_int_equal(answer.status, 413);
    assert_string_equal(json_text_at(answer.json, "code"), "body_too_large");
    http_answer_done(&answer);
    json_decref(harness_get(harness, "/healthz"));
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_wrong_configuration_is_named_by_file_line_and_key, fixture_end),
        cmocka_unit_test_teardown(a_second_gateway_on_the_same_folder_ends_and_names_it, fixture_end),
        cmocka_unit_test_teardown(a_database_of_a_newer_version_is_left_alone, fixture_end),
        cmocka_unit_test_teardown(what_is_no_database_is_left_alone, fixture_end),
        cmocka_unit_test_teardown(a_full_disk_refuses_new_messages_and_loses_nothing, fixture_end),
        cmocka_unit_test_teardown(a_wrong_request_is_refused_with_a_problem_that_says_where, fixture_end),
        cmocka_unit_test_teardown(a_body_over_8_mib_is_refused, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
