/* SPDX-License-Identifier: Apache-2.0
 *
 * test_cli.c - the command `cellpost` against a running gateway: what it prints, and the exit statuses that scripts
 * rely on (0 done, 1 refused, 2 usage, 3 unreachable, 4 timed out). */
#include "tests/system/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 16
#define RUN_MS 30000

static struct harness *gateway;

static int start_gateway(void **state)
{
    const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50" } };

    gateway = fixture_start(state, &options);
    return 0;
}

struct run { int status; char *out, *err; };

/* Runs `cellpost --socket SOCKET ARGUMENT...`; the list ends with NULL. */
static struct run run_on(const char *socket_path, const char *const *arguments)
{
    const char *argv[ARGUMENTS_MAX + 4] = { NULL };
    char program[300];
    size_t count = 3;
    struct run run;

    (void)snprintf(program, sizeof program, "%s/cellpost", gateway->bin);
    argv[0] = program;
    argv[1] = "--socket";
    argv[2] = socket_path;
    for (size_t i = 0; arguments[i] != NULL && i < ARGUMENTS_MAX; i++)
        argv[count++] = arguments[i];
    run.status = process_run(argv, RUN_MS, &run.out, &run.err);
    return run;
}

#define RUN(...) run_on(gateway->socket, (const char *const[]){ __VA_ARGS__, NULL })

static void run_done(struct run *run)
{
    free(run->out);
    free(run->err);
}

static void expect_status(struct run run, int wanted)
{
    if (run.status != wanted)
        harness_die("status %d instead of %d; it printed: %s%s", run.status, wanted, run.out, run.err);
    run_done(&run);
}

/* Its output is one JSON document; the caller's reference. */
static json_t *expect_json(struct run run, int wanted)
{
    json_t *json = json_loads(run.out, 0, NULL);

    if (run.status != wanted || json == NULL)
        harness_die("status %d instead of %d, or no JSON; it printed: %s%s", run.status, wanted, run.out, run.err);
    run_done(&run);
    return json;
}

static size_t size_of(json_t *json, const char *list)
{
    size_t size = json_array_size(json_object_get(json, list));

    json_decref(json);
    return size;
}

static void send_waits_until_it_is_delivered(void **state)
{
    (void)state;
    expect_status(RUN("send", "--wait", "+40711000001", "Hello"), 0);
    witness_read(&gateway->witness);
    assert_int_equal(witness_count(&gateway->witness, "+40711000001"), 1);
}

static void send_prints_ids_that_show_and_list_know(void **state)
{
    struct run run = RUN("send", "--wait=delivered", "--json", "--ref", "order-1", "+40711000002", "Привіт");
    json_t *json;
    char *id;

    (void)state;
    assert_int_equal(run.status, 0);
    id = strstr(run.out, "\"id\"");
    assert_non_null(id);
    run_done(&run);
    json = expect_json(RUN("list", "--json", "--ref", "order-1"), 0);
    id = strdup(json_text_at(json_array_get(json_object_get(json, "messages"), 0), "id"));
    assert_int_equal(size_of(json, "messages"), 1);
    json = expect_json(RUN("show", "--json", id), 0);
    assert_string_equal(json_text_at(json, "state"), "delivered");
    assert_string_equal(json_text_at(json, "text"), "Привіт");
    assert_int_equal(size_of(json, "parts"), 1);
    expect_status(RUN("show", id), 0);
    expect_status(RUN("cancel", id), 1);   /* it is over */
    free(id);
}

static void a_scheduled_message_can_be_cancelled(void **state)
{
    json_t *json;
    char *id;

    (void)state;
    expect_status(RUN("send", "--at", "+2h", "--ref", "later", "+40711000003", "Later"), 0);
    json = expect_json(RUN("list", "--json", "--state", "scheduled"), 0);
    id = strdup(json_text_at(json_array_get(json_object_get(json, "messages"), 0), "id"));
    json_decref(json);
    expect_status(RUN("cancel", id), 0);
    expect_status(RUN("cancel", id), 1);
    free(id);
    json = expect_json(RUN("list", "--json", "--state", "cancelled"), 0);
    assert_int_equal(size_of(json, "messages"), 1);
}

static void what_came_in_is_listed_and_shown(void **state)
{
    json_t *json;
    char *id;

    (void)state;
    bank_tell_ok(gateway, "incoming 0 +40722000001 From outside");
    assert_true(harness_wait_inbox(gateway, "+40722000001", "From outside", WAIT_MS));
    json = expect_json(RUN("inbox", "--json", "--from", "+40722000001"), 0);
    id = strdup(json_text_at(json_array_get(json_object_get(json, "messages"), 0), "id"));
    assert_int_equal(size_of(json, "messages"), 1);
    json = expect_json(RUN("inbox", "--json", id), 0);
    assert_string_equal(json_text_at(json, "text"), "From outside");
    json_decref(json);
    free(id);
}

static void every_list_parses_as_json(void **state)
{
    static const struct { const char *verb, *list; } lists[] = {
        { "modems", "modems" }, { "sims", "sims" }, { "list", "messages" }, { "inbox", "messages" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        expect_status(RUN(lists[i].verb), 0);
        assert_true(size_of(expect_json(RUN(lists[i].verb, "--json"), 0), lists[i].list) >= 1);
    }
    json_decref(expect_json(RUN("health", "--json"), 0));
    json_decref(expect_json(RUN("top", "--json"), 0));
}

/* One object a line. */
static void the_events_that_are_remembered_parse_line_by_line(void **state)
{
    struct run run = RUN("events", "--json", "--after", "0");
    unsigned delivered = 0;
    char *rest = run.out;

    (void)state;
    assert_int_equal(run.status, 0);
    for (const char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
        json_t *event = json_loads(line, 0, NULL);

        assert_non_null(event);
        /* "lost" says that ids before the oldest are not remembered, and has none itself. */
        assert_true(strcmp(json_text_at(event, "event"), "lost") == 0 || strtoull(json_text_at(event, "id"), NULL, 10) > 0);
        delivered += strcmp(json_text_at(json_object_get(event, "data"), "state"), "delivered") == 0;
        json_decref(event);
    }
    assert_true(delivered >= 2);
    run_done(&run);
}

static void keys_are_added_listed_and_removed(void **state)
{
    struct run run = RUN("key", "add", "shop", "--scope", "send", "--patience", "10m");
    json_t *json;

    (void)state;
    assert_int_equal(run.status, 0);
    assert_true(strlen(run.out) > 20);
    run_done(&run);
    json = expect_json(RUN("key", "list", "--json"), 0);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(json, "keys"), 0), "patience_s")), 600);
    assert_int_equal(size_of(json, "keys"), 1);
    expect_status(RUN("key", "add", "shop"), 1);   /* the name is taken */
    expect_status(RUN("key", "remove", "shop"), 0);
    expect_status(RUN("key", "remove", "shop"), 1);
}

static void wrong_use_ends_with_2(void **state)
{
    (void)state;
    expect_status(RUN("send"), 2);
    expect_status(RUN("send", "--colour", "blue", "+40711000009", "x"), 2);
    expect_status(RUN("list", "--limit", "many"), 2);
    expect_status(RUN("shwo"), 2);
}

static void what_the_gateway_refuses_ends_with_1(void **state)
{
    struct run run = RUN("send", "12ab", "x");

    (void)state;
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "12ab"));
    run_done(&run);
    expect_status(RUN("show", "999999"), 1);
    expect_status(RUN("send", "+40711000009", ""), 1);
}

static void no_gateway_ends_with_3_and_names_the_socket(void **state)
{
    const char *const arguments[] = { "modems", NULL };
    struct run run = run_on("/nonexistent/cellpost.sock", arguments);

    (void)state;
    assert_int_equal(run.status, 3);
    assert_non_null(strstr(run.err, "/nonexistent/cellpost.sock"));
    run_done(&run);
}

static void waiting_in_vain_ends_with_4(void **state)
{
    (void)state;
    bank_tell_ok(gateway, "unplug 0");
    assert_true(harness_wait_modems(gateway, "lost", 1, WAIT_MS));
    expect_status(RUN("send", "--wait=sent", "--timeout", "1s", "+40711000010", "No modem is there"), 4);
    expect_status(RUN("health"), 0);   /* degraded: messages are taken all the same */
    bank_tell_ok(gateway, "plug 0");
    assert_true(harness_wait_on_air(gateway, "+40711000010", 1, WAIT_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(send_waits_until_it_is_delivered),
        cmocka_unit_test(send_prints_ids_that_show_and_list_know),
        cmocka_unit_test(a_scheduled_message_can_be_cancelled),
        cmocka_unit_test(what_came_in_is_listed_and_shown),
        cmocka_unit_test(every_list_parses_as_json),
        cmocka_unit_test(the_events_that_are_remembered_parse_line_by_line),
        cmocka_unit_test(keys_are_added_listed_and_removed),
        cmocka_unit_test(wrong_use_ends_with_2),
        cmocka_unit_test(what_the_gateway_refuses_ends_with_1),
        cmocka_unit_test(no_gateway_ends_with_3_and_names_the_socket),
        cmocka_unit_test(waiting_in_vain_ends_with_4),
    };
    int failed = cmocka_run_group_tests(tests, start_gateway, NULL);

    if (gateway != NULL)
        gateway->passed = failed == 0;
    harness_free(gateway);
    return failed;
}
