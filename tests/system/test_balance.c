/* SPDX-License-Identifier: Apache-2.0
 *
 * test_balance.c - what a SIM has left: asked by its operator's code, read from a message, shown; and answers that nobody can read. */
#include "tests/system/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "50", "--ussd",
                                                                       "*133#=Guthaben: 12,34 EUR\\n87 SMS left" } };

static void write_operators(struct harness *harness, const char *rows)
{
    char path[128];
    FILE *file;

    harness_path(harness, "operators.csv", path, sizeof path);
    file = fopen(path, "w");
    HARNESS_CHECK(file != NULL);
    (void)fprintf(file, "mcc,mnc,name,balance_ussd,balance_pattern,balance_sms_from,balance_sms_pattern,bundle_pattern,currency\n%s", rows);
    HARNESS_CHECK(fclose(file) == 0);
}

static struct harness *start(void **state, const char *rows)
{
    struct harness *harness = fixture_open(state, &options);

    write_operators(harness, rows);
    harness_start(harness);
    if (!harness_wait_modems(harness, "ready", 1, WAIT_MS))
        harness_die("the modem does not become ready");
    return harness;
}

static struct http_answer ask(struct harness *harness)
{
    struct http_answer answer;

    http_call(harness->http, "POST", "/v1/sims/modem0/balance", "", NULL, &answer);
    return answer;
}

/* The balance of the one card; the caller's reference. */
static json_t *shown(struct harness *harness)
{
    json_t *sims = harness_get(harness, "/v1/sims");
    json_t *balance = json_incref(json_object_get(json_array_get(json_object_get(sims, "sims"), 0), "balance"));

    json_decref(sims);
    return balance;
}

static void the_credit_is_asked_for_and_kept_and_an_answer_that_nobody_can_read_changes_nothing(void **state)
{
    struct harness *harness = start(state, "*,*,,*133#,Guthaben: {balance} {currency},,,{parts} SMS left,\n");
    struct http_answer answer = ask(harness);
    json_t *balance = json_object_get(answer.json, "balance");

    if (answer.status != 200)
        harness_die("%ld %s", answer.status, answer.body);
    assert_string_equal(json_text_at(balance, "amount"), "12.34");
    assert_string_equal(json_text_at(balance, "currency"), "EUR");
    assert_int_equal(json_number_at(balance, "rest_parts"), 87);
    http_answer_done(&answer);

    bank_tell_ok(harness, "ussd 0 *133#=Service temporarily unavailable");
    answer = ask(harness);
    assert_int_equal(answer.status, 502);
    assert_string_equal(json_text_at(answer.json, "code"), "balance_not_read");
    assert_string_equal(json_text_at(answer.json, "text"), "Service temporarily unavailable");
    http_answer_done(&answer);
    HARNESS_CHECK(harness_wait_log(harness, "fits no pattern of operators.csv: \"Service temporarily unavailable\"", WAIT_MS));
    bank_tell_ok(harness, "ussd 0 *133#=");   /* and silence does neither */
    balance = shown(harness);
    assert_string_equal(json_text_at(balance, "amount"), "12.34");
    json_decref(balance);

    /* It outlives the daemon. */
    assert_int_equal(harness_stop(harness, WAIT_MS), 0);
    harness_start(harness);
    balance = shown(harness);
    assert_string_equal(json_text_at(balance, "amount"), "12.34");
    assert_string_equal(json_text_at(balance, "answer"), "Guthaben: 12,34 EUR\n87 SMS left");
    json_decref(balance);
    harness->passed = true;
}

static bool has_amount(struct harness *harness, const void *context)
{
    json_t *balance = shown(harness);
    bool has = strcmp(json_text_at(balance, "amount"), context) == 0;

    json_decref(balance);
    return has;
}

static void a_message_of_the_operator_tells_the_credit_too_and_nobody_elses_does(void **state)
{
    struct harness *harness = start(state, "*,*,,,,Orange,mai ai {balance} lei,,RON\n");

    bank_tell_ok(harness, "incoming 0 +40700000777 mai ai 99 lei");
    bank_tell_ok(harness, "incoming 0 Orange Reincarca acum!");
    bank_tell_ok(harness, "incoming 0 Orange Mai ai 7,50 lei credit");
    HARNESS_CHECK(harness_wait(harness, has_amount, "7.5", WAIT_MS));
    HARNESS_CHECK(harness_wait_inbox(harness, "Orange", "Mai ai 7,50 lei credit", WAIT_MS));   /* it is in the inbox all the same */
    assert_int_equal(harness_database_number(harness, "SELECT count(*) FROM sim_balance WHERE source = 'sms' AND currency = 'RON'"), 1);
    harness->passed = true;
}

static void without_a_code_it_is_said_where_to_add_one_and_a_wrong_table_is_refused_whole(void **state)
{
    struct harness *harness = start(state, "999,99,Nobody,*1#,,,,,\n");
    struct http_answer answer = ask(harness);
    char program[300], *out, *err;

    assert_int_equal(answer.status, 409);
    assert_string_equal(json_text_at(answer.json, "code"), "no_balance_code");
    HARNESS_CHECK(strstr(json_text_at(answer.json, "detail"), "operators.csv"));
    http_answer_done(&answer);

    write_operators(harness, "*,*,,*133#,Guthaben: {balnce},,,,\n");
    process_signal(&harness->daemon, 1);
    HARNESS_CHECK(harness_wait_log(harness, "operators.csv:2:balance_pattern: 'Guthaben: {balnce}' has a place in braces that there is not", WAIT_MS));
    write_operators(harness, "*,*,,*133#,Guthaben: {balance} {currency},,,,\n");
    process_signal(&harness->daemon, 1);
    HARNESS_CHECK(harness_wait_log(harness, "operators.csv: rows: 1", WAIT_MS));
    harness_program("cellpost", program, sizeof program);
    assert_int_equal(process_run((const char *const[]){ program, "--socket", harness->socket, "balance", "modem0", NULL }, WAIT_MS, &out, &err), 0);
    assert_string_equal(out, "12.34 EUR\n");
    free(out);
    free(err);
    harness->passed = true;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_credit_is_asked_for_and_kept_and_an_answer_that_nobody_can_read_changes_nothing, fixture_end),
        cmocka_unit_test_teardown(a_message_of_the_operator_tells_the_credit_too_and_nobody_elses_does, fixture_end),
        cmocka_unit_test_teardown(without_a_code_it_is_said_where_to_add_one_and_a_wrong_table_is_refused_whole, fixture_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
