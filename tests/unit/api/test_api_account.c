/* SPDX-License-Identifier: Apache-2.0
 *
 * The account over the API: how it stands, and what becomes of an enrolment. */
#include "tests/unit/api/rig.h"

#include <errno.h>

#define TOKEN "{\"token\":\"AbC_1-2\"}"

static struct answer enroll(struct rig *rig, const char *body)
{
    return ask(rig, &(struct ask){ .method = "POST", .path = "/v1/account/enroll", .body = body });
}

static void how_it_stands_is_shown_with_what_to_do(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    rig->account = (struct api_account){ .state = "offline", .why = "the account cannot be reached", .detail = "timed out", .advice = "Look.",
                                         .account = "Example", .box_id = "0011", .epoch = 2, .url = "https://account.example",
                                         .heard_ms = 1700000000000, .next_ms = 1700000001000, .clock_off_ms = -5, .has_available = true,
                                         .available_micro = 7 };
    answer = ask_get(rig, "/v1/account", NULL);
    assert_int_equal(answer.response.status, 200);
    assert_string_equal(text_at(&answer, "state"), "offline");
    assert_string_equal(text_at(&answer, "why"), "the account cannot be reached");
    assert_string_equal(text_at(&answer, "advice"), "Look.");
    assert_string_equal(text_at(&answer, "box"), "0011");
    assert_int_equal(json_integer_value(json_object_get(answer.json, "clock_off_ms")), -5);
    assert_int_equal(json_integer_value(json_object_get(answer.json, "available_micro")), 7);
    assert_false(rig->enrolled.enroll);
    answer_done(&answer);
    rig_free(rig);
}

static void a_token_goes_to_the_loop_with_where_the_account_is(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    rig->account = (struct api_account){ .result = API_ACCOUNT_DONE, .state = "connecting" };
    answer = enroll(rig, "{\"token\":\"AbC_1-2\",\"url\":\"https://a.example\",\"pin\":\"aa\",\"ca\":\"PEM\"}");
    assert_int_equal(answer.response.status, 200);
    assert_true(rig->enrolled.enroll);
    assert_string_equal(rig->enrolled.token, "AbC_1-2");
    assert_string_equal(rig->enrolled.url, "https://a.example");
    assert_string_equal(rig->enrolled.pin, "aa");
    assert_string_equal(rig->enrolled_ca, "PEM");
    answer_done(&answer);
    rig_free(rig);
}

static void every_end_of_an_enrolment_has_its_answer(void **state)
{
    static const struct { struct api_account account; int status; const char *code; } rows[] = {
        { { .result = API_ACCOUNT_TRYING, .state = "enrolling", .why = "the account cannot be reached" }, 202, "" },
        { { .result = API_ACCOUNT_REFUSED, .state = "refused", .code = "bad_token", .why = "this token is not known" }, 409, "enrolment_refused" },
        { { .result = API_ACCOUNT_BUSY }, 409, "enrolment_busy" },
        { { .result = API_ACCOUNT_NO_PLACE, .detail = "Nothing says where the account is" }, 409, "no_account_server" },
        { { .result = API_ACCOUNT_BAD_VALUE, .pointer = "/url", .detail = "It has no port" }, 400, "bad_value" },
        { { .result = API_ACCOUNT_NOT_STORED, .store_error = -ENOSPC }, 503, "storage_full" },
        { { .result = API_ACCOUNT_STOPPING }, 503, "stopping" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig *rig = rig_new(NULL);
        struct answer answer;

        rig->account = rows[i].account;
        answer = enroll(rig, TOKEN);
        assert_int_equal(answer.response.status, rows[i].status);
        if (rows[i].code[0] != '\0')
            assert_string_equal(text_at(&answer, "code"), rows[i].code);
        answer_done(&answer);
        rig_free(rig);
    }
}

static void what_is_no_token_is_refused_before_the_account_is_asked(void **state)
{
    static const char *const bodies[] = { "{}", "{\"token\":\"\"}", "{\"token\":\"a b\"}", "{\"token\":7}", "{\"token\":\"a\",\"urll\":\"x\"}",
                                          "{\"token\":\"a\",\"ca\":7}", "{\"token\":\"a\",\"url\":\"a\\u0000b\"}", "[]" };
    struct rig *rig = rig_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct answer answer = enroll(rig, bodies[i]);

        assert_int_equal(answer.response.status, 400);
        assert_false(rig->enrolled.enroll);
        answer_done(&answer);
    }
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_it_stands_is_shown_with_what_to_do),
        cmocka_unit_test(a_token_goes_to_the_loop_with_where_the_account_is),
        cmocka_unit_test(every_end_of_an_enrolment_has_its_answer),
        cmocka_unit_test(what_is_no_token_is_refused_before_the_account_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
