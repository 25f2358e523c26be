/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions for the operator of a SIM: what is asked of the loop, and what its answers become. */
#include "tests/unit/api/rig.h"

#include <errno.h>

#define PATH "/v1/sims/8940011234567890123/ussd"

static struct answer ask_code(struct rig *rig, const char *path, const char *body)
{
    return ask(rig, &(struct ask){ .method = "POST", .path = path, .body = body });
}

static void an_answer_is_shown_with_the_sim_that_asked(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    rig->answered = (struct api_ask){ .result = API_ASK_ANSWERED, .iccid = "8940011234567890123", .port = "/dev/ttyUSB0", .state = "final",
                                      .text = "Your balance is\n12.34 EUR" };
    answer = ask_code(rig, PATH, "{\"code\":\"*100#\",\"replies\":[\"1\",\"2\"]}");
    assert_int_equal(answer.response.status, 200);
    assert_string_equal(text_at(&answer, "text"), "Your balance is\n12.34 EUR");
    assert_string_equal(text_at(&answer, "state"), "final");
    assert_string_equal(text_at(&answer, "code"), "*100#");
    assert_string_equal(text_at(&answer, "sim"), "8940011234567890123");
    assert_string_equal(rig->asked.sim, "8940011234567890123");
    assert_string_equal(rig->asked.code, "*100#");
    assert_int_equal(rig->asked.reply_count, 2);
    assert_string_equal(rig->asked.replies[1], "2");
    answer_done(&answer);

    rig->answered.text[0] = '\0';        /* an answer without a word is one all the same */
    answer = ask_code(rig, "/v1/sims/%2Fdev%2FttyUSB0/ussd", "{\"code\":\"*100#\"}");
    assert_string_equal(text_at(&answer, "text"), "");
    assert_string_equal(rig->asked.sim, "/dev/ttyUSB0");
    answer_done(&answer);
    rig_free(rig);
}

static void what_goes_wrong_has_its_own_code(void **state)
{
    static const struct { enum api_ask_result result; int status; const char *code; } rows[] = {
        { API_ASK_NO_SIM, 404, "no_such_sim" },         { API_ASK_NOT_READY, 409, "modem_not_ready" }, { API_ASK_BUSY, 409, "ussd_busy" },
        { API_ASK_REFUSED, 502, "ussd_refused" },       { API_ASK_TIMEOUT, 504, "ussd_timeout" },      { API_ASK_LOST, 502, "ussd_interrupted" },
        { API_ASK_STOPPING, 503, "stopping" },          { API_ASK_NO_MEMORY, 500, "internal_error" },
    };
    struct rig *rig = rig_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;

        rig->answered = (struct api_ask){ .result = rows[i].result, .detail = "why", .text = "Unknown code" };
        (void)snprintf(rig->answered.state, sizeof rig->answered.state, "%s", rows[i].result == API_ASK_NOT_READY ? "parked" : "unsupported");
        answer = ask_code(rig, PATH, "{\"code\":\"*100#\"}");
        assert_problem(&answer, rows[i].status, rows[i].code, NULL);
        if (rows[i].result == API_ASK_REFUSED) {
            assert_string_equal(text_at(&answer, "text"), "Unknown code");
            assert_string_equal(text_at(&answer, "ussd_state"), "unsupported");
        }
        answer_done(&answer);
    }
    rig_free(rig);
}

static void a_card_that_was_seen_and_is_away_is_no_unknown_one(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct store_change *change = change_new(CHANGE_SIM, rig->now_ms);
    struct answer answer;

    (void)state;
    strcpy(change->u.sim.iccid, "8940011234567890123");
    strcpy(change->u.sim.imsi, "226100000000001");
    rig_apply(rig, change);
    change_free(change);
    rig->answered = (struct api_ask){ .result = API_ASK_NO_SIM };
    answer = ask_code(rig, PATH, "{\"code\":\"*100#\"}");
    assert_problem(&answer, 409, "sim_not_in_modem", NULL);
    answer_done(&answer);
    answer = ask_code(rig, "/v1/sims/226100000000001/ussd", "{\"code\":\"*100#\"}");
    assert_problem(&answer, 409, "sim_not_in_modem", NULL);
    answer_done(&answer);
    answer = ask_code(rig, "/v1/sims/8940/ussd", "{\"code\":\"*100#\"}");
    assert_problem(&answer, 404, "no_such_sim", NULL);
    answer_done(&answer);
    rig_free(rig);
}

static void nothing_but_a_code_reaches_the_loop(void **state)
{
    static const struct { const char *body; int status; const char *code, *pointer; } rows[] = {
        { "{}", 400, "missing_field", "/code" },
        { "{\"code\":7}", 400, "wrong_type", "/code" },
        { "{\"code\":\"\"}", 422, "bad_ussd_code", "/code" },
        { "{\"code\":\"*100#\\\"\"}", 422, "bad_ussd_code", "/code" },
        { "{\"code\":\"*100#\\r\"}", 422, "bad_ussd_code", "/code" },
        { "{\"code\":\"ATD112;\"}", 422, "bad_ussd_code", "/code" },
        { "{\"code\":\"*1#\",\"replies\":\"1\"}", 400, "wrong_type", "/replies" },
        { "{\"code\":\"*1#\",\"replies\":[\"1\",\"a\"]}", 422, "bad_ussd_code", "/replies/1" },
        { "{\"code\":\"*1#\",\"replies\":[\"1\",2]}", 400, "wrong_type", "/replies/1" },
        { "{\"code\":\"*1#\",\"replies\":[\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]}", 400, "bad_value", "/replies" },
        { "{\"code\":\"*1#\",\"timeout\":3}", 400, "unknown_field", "/timeout" },
    };
    struct rig *rig = rig_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = ask_code(rig, PATH, rows[i].body);

        assert_problem(&answer, rows[i].status, rows[i].code, rows[i].pointer);
        answer_done(&answer);
    }
    assert_int_equal(rig->asked.code[0], '\0');
    rig_free(rig);
}

static void a_balance_is_shown_as_it_was_read_and_kept(void **state)
{
    static const struct { enum api_ask_result result; int status; const char *code; } rows[] = {
        { API_ASK_NO_CODE, 409, "no_balance_code" }, { API_ASK_NOT_READ, 502, "balance_not_read" }, { API_ASK_TIMEOUT, 504, "ussd_timeout" },
        { API_ASK_NOT_STORED, 503, "storage_full" },
    };
    struct rig *rig = rig_new(NULL);
    struct store_change *change = change_new(CHANGE_SIM, rig->now_ms);
    struct answer answer;

    (void)state;
    rig->answered = (struct api_ask){ .result = API_ASK_ANSWERED, .iccid = "8940011234567890123", .port = "/dev/ttyUSB0", .text = "12,34 EUR, 87 SMS",
                                      .balance = { true, true, 12340000, NOW_MS, 87, "EUR", "2026-12-31" } };
    answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/sims/8940011234567890123/balance" });
    assert_string_equal(text_at(&answer, "balance/amount"), "12.34");
    assert_string_equal(text_at(&answer, "balance/currency"), "EUR");
    assert_int_equal(number_at(&answer, "balance/rest_parts"), 87);
    assert_string_equal(text_at(&answer, "balance/valid_until"), "2026-12-31");
    assert_string_equal(text_at(&answer, "balance/answer"), "12,34 EUR, 87 SMS");
    assert_int_equal(rig->asked.kind, API_ASK_BALANCE);
    answer_done(&answer);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig->answered = (struct api_ask){ .result = rows[i].result, .detail = "why", .state = "final", .store_error = -ENOSPC };
        answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/sims/8940011234567890123/balance" });
        assert_problem(&answer, rows[i].status, rows[i].code, NULL);
        answer_done(&answer);
    }

    strcpy(change->u.sim.iccid, "8940011234567890123");
    rig_apply(rig, change);
    change_free(change);
    answer = ask_get(rig, "/v1/sims", NULL);
    assert_null(at(&answer, "sims/0/balance"));
    answer_done(&answer);
    change = change_new(CHANGE_BALANCE, rig->now_ms);
    strcpy(change->u.balance.iccid, "8940011234567890123");
    strcpy(change->u.balance.source, "sms");
    change->u.balance.has_balance = true;
    change->u.balance.balance_micro = -500000;
    change->u.balance.answer = strdup("-0,50");
    rig_apply(rig, change);
    assert_int_equal(change->result, 0);
    change_free(change);
    answer = ask_get(rig, "/v1/sims", NULL);
    assert_string_equal(text_at(&answer, "sims/0/balance/amount"), "-0.5");
    assert_string_equal(text_at(&answer, "sims/0/balance/source"), "sms");
    assert_null(at(&answer, "sims/0/balance/currency"));
    assert_null(at(&answer, "sims/0/balance/rest_parts"));
    answer_done(&answer);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_shown_with_the_sim_that_asked),
        cmocka_unit_test(what_goes_wrong_has_its_own_code),
        cmocka_unit_test(a_card_that_was_seen_and_is_away_is_no_unknown_one),
        cmocka_unit_test(nothing_but_a_code_reaches_the_loop),
        cmocka_unit_test(a_balance_is_shown_as_it_was_read_and_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
