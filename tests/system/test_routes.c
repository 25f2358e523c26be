/* SPDX-License-Identifier: Apache-2.0
 *
 * test_routes.c - two SIMs of different tariffs on the modem bank: what is explained is what is quoted, what is sent, and
 * what is shown. */
#include "tests/system/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char tariffs[] = "plan,currency,prefix,price,next_part_price\n"
                              "home,EUR,33,0.05,0.04\n"
                              "home,EUR,40,0.30,\n"
                              "abroad,EUR,33,0.12,\n"
                              "abroad,EUR,40,0.02,\n";
static const char routes[] = "prefix,action,note\n"
                             "44,refuse,ask the office first\n";

static char home[24], abroad[24];        /* ICCIDs */

static void write_file(struct harness *harness, const char *name, const char *text, char ret_path[128])
{
    FILE *file;

    harness_path(harness, name, ret_path, 128);
    file = fopen(ret_path, "we");
    HARNESS_CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* The cards have to be known before their sections can be written. */
static int start_gateway(void **state)
{
    struct harness *harness = fixture_start(state, &(struct harness_options){ .modems = 2, .bank = { QUICK_BANK, "--air-ms", "50" } });
    char sections[1024], tariffs_path[128], routes_path[128];
    json_t *answer = harness_get(harness, "/v1/modems"), *modems = json_object_get(answer, "modems");

    (void)snprintf(home, sizeof home, "%s", json_text_at(json_array_get(modems, 0), "sim"));
    (void)snprintf(abroad, sizeof abroad, "%s", json_text_at(json_array_get(modems, 1), "sim"));
    json_decref(answer);
    HARNESS_CHECK(home[0] != '\0' && abroad[0] != '\0' && strcmp(home, abroad) != 0);
    write_file(harness, "tariffs.csv", tariffs, tariffs_path);
    write_file(harness, "routes.csv", routes, routes_path);
    (void)snprintf(sections, sizeof sections, "[routing]\ntariffs = %s\nroutes = %s\n[sim \"%s\"]\nname = house\ntariff = home\nper_day = 100\n[sim \"%s\"]\ntariff = abroad\n",
                   tariffs_path, routes_path, home, abroad);
    harness->options.sections = sections;
    harness_write_config(harness);
    harness->options.sections = NULL;
    process_signal(&harness->daemon, SIGHUP);
    HARNESS_CHECK(harness_wait_log(harness, "tariffs and routes in force", WAIT_MS));
    return 0;
}

static json_t *post(struct harness *harness, const char *path, const char *body, long status)
{
    struct http_answer answer;
    json_t *json;

    http_call(harness->http, "POST", path, body, "Content-Type: application/json", &answer);
    assert_int_equal(answer.status, status);
    json = json_incref(answer.json);
    http_answer_done(&answer);
    return json;
}

static json_t *first(json_t *object, const char *list)
{
    return json_array_get(json_object_get(object, list), 0);
}

static void explain_quote_send_and_show_name_the_same_card_and_price(void **state)
{
    static const struct { const char *number, *iccid, *one, *two; } rows[] = {
        { "33700000001", home, "0.05", "0.09" }, { "40722000001", abroad, "0.02", "0.04" },
    };
    struct harness *harness = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[128], body[128], to[32], id[32];
        json_t *answer, *attempt, *other;

        (void)snprintf(to, sizeof to, "+%s", rows[i].number);
        (void)snprintf(path, sizeof path, "/v1/routes/explain?parts=2&to=%%2B%s", rows[i].number);
        answer = harness_get(harness, path);
        assert_string_equal(json_text_at(json_object_get(answer, "choice"), "bearer"), rows[i].iccid);
        assert_string_equal(json_text_at(json_object_get(first(answer, "bearers"), "price"), "amount"), rows[i].two);
        assert_int_equal(json_array_size(json_object_get(answer, "bearers")), 2);
        json_decref(answer);

        (void)snprintf(body, sizeof body, "{\"to\":\"%s\",\"text\":\"hello\"}", to);
        answer = post(harness, "/v1/quote", body, 200);
        assert_string_equal(json_text_at(first(answer, "messages"), "bearer"), rows[i].iccid);
        assert_string_equal(json_text_at(json_object_get(json_object_get(answer, "total"), "price"), "amount"), rows[i].one);
        json_decref(answer);

        harness_send(harness, to, "hello", id);
        assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
        (void)snprintf(path, sizeof path, "/v1/messages/%s", id);
        answer = harness_get(harness, path);
        attempt = first(first(answer, "parts"), "attempt_log");
        assert_string_equal(json_text_at(attempt, "sim"), rows[i].iccid);
        assert_string_equal(json_text_at(json_object_get(attempt, "price"), "amount"), rows[i].one);
        assert_string_equal(json_text_at(json_object_get(attempt, "price"), "currency"), "EUR");
        other = first(json_object_get(attempt, "choice"), "others");
        assert_string_equal(json_text_at(other, "bearer"), strcmp(rows[i].iccid, home) == 0 ? abroad : home);
        json_decref(answer);
    }
}

static void sims_show_what_was_used_of_limits_and_money(void **state)
{
    struct harness *harness = *state;
    json_t *answer, *sim, *day;
    char id[32];
    size_t i;

    harness_send(harness, "+33700000009", "one more", id);
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
    answer = harness_get(harness, "/v1/sims");
    json_array_foreach (json_object_get(answer, "sims"), i, sim) {
        if (strcmp(json_text_at(sim, "iccid"), home) != 0)
            continue;
        day = json_object_get(json_object_get(sim, "limits"), "per_day");
        assert_string_equal(json_text_at(sim, "name"), "house");
        assert_string_equal(json_text_at(sim, "tariff"), "home");
        assert_string_equal(json_text_at(sim, "state"), "ready");
        assert_int_equal(json_number_at(day, "limit"), 100);
        assert_int_equal(json_number_at(day, "used"), json_number_at(sim, "parts_sent"));   /* none before there were tariffs */
        assert_string_not_equal(json_text_at(json_object_get(json_object_get(sim, "spent"), "today"), "amount"), "0");
    }
    json_decref(answer);
}

static void a_route_that_refuses_is_told_at_intake_with_its_note(void **state)
{
    struct harness *harness = *state;
    json_t *answer = post(harness, "/v1/messages", "{\"to\":\"+447700900123\",\"text\":\"a\"}", 422);

    assert_string_equal(json_text_at(answer, "code"), "route_refused");
    assert_non_null(strstr(json_text_at(answer, "detail"), "ask the office first"));
    json_decref(answer);
}

static void a_quote_of_ten_thousand_is_shared_as_the_limits_allow(void **state)
{
    struct harness *harness = *state;
    json_t *body = json_object(), *to = json_array(), *answer, *bearer;
    char number[24], *text;
    size_t i;

    for (unsigned n = 0; n < 10000; n++) {
        (void)snprintf(number, sizeof number, "+336%08u", n);
        json_array_append_new(to, json_string(number));
    }
    json_object_set_new(body, "to", to);
    json_object_set_new(body, "text", json_string("a"));
    text = json_dumps(body, JSON_COMPACT);
    answer = post(harness, "/v1/quote", text, 200);
    assert_int_equal(json_number_at(json_object_get(answer, "total"), "messages"), 10000);
    assert_int_equal(json_array_size(json_object_get(answer, "bearers")), 2);
    json_array_foreach (json_object_get(answer, "bearers"), i, bearer) {
        bool is_home = strcmp(json_text_at(bearer, "bearer"), home) == 0;

        assert_int_equal(json_number_at(bearer, "parts"), is_home ? 98 : 9902);   /* two of a hundred went by it before */
        assert_string_equal(json_text_at(json_object_get(bearer, "price"), "amount"), is_home ? "4.9" : "1188.24");
    }
    json_decref(answer);
    json_decref(body);
    free(text);
}

static void the_command_line_says_the_same(void **state)
{
    struct harness *harness = *state;
    char program[300], *out, *err;
    const char *explain[] = { program, "--socket", harness->socket, "route", "explain", "+33700000001", NULL };
    const char *quote[] = { program, "--socket", harness->socket, "quote", "+40722000001", "--text", "hello", NULL };

    harness_program("cellpost", program, sizeof program);
    assert_int_equal(process_run(explain, WAIT_MS, &out, &err), 0);
    assert_non_null(strstr(out, "By \"house\", 0.05 EUR: the cheapest."));
    assert_non_null(strstr(out, "/tariffs.csv:2)"));
    free(out);
    free(err);
    assert_int_equal(process_run(quote, WAIT_MS, &out, &err), 0);
    assert_non_null(strstr(out, "1 message, 1 part, 0.02 EUR\n"));
    free(out);
    free(err);
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explain_quote_send_and_show_name_the_same_card_and_price),
        cmocka_unit_test(sims_show_what_was_used_of_limits_and_money),
        cmocka_unit_test(a_route_that_refuses_is_told_at_intake_with_its_note),
        cmocka_unit_test(a_quote_of_ten_thousand_is_shared_as_the_limits_allow),
        cmocka_unit_test(the_command_line_says_the_same),
    };

    return cmocka_run_group_tests(tests, start_gateway, fixture_end);
}
