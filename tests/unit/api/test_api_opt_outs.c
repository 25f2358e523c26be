/* SPDX-License-Identifier: Apache-2.0
 *
 * The opt-out list over the API, and what becomes of a message to somebody who is on it. */
#include "tests/unit/api/rig.h"

#include <errno.h>

#define TO_1 "{\"to\":\"+40722000001\",\"text\":\"News\"}"

static struct answer opt_out(struct rig *rig, const char *method, const char *number)
{
    char path[96];

    (void)snprintf(path, sizeof path, "/v1/opt-outs/%s", number);
    return ask(rig, &(struct ask){ .method = method, .path = path });
}

static void assert_status(struct rig *rig, const char *method, const char *number, int status)
{
    struct answer answer = opt_out(rig, method, number);

    if (answer.response.status != status)
        fail_msg("%s %s: wanted %d, got %d %.300s", method, number, status, answer.response.status,
                 answer.response.body ? answer.response.body : "");
    answer_done(&answer);
}

static void a_number_is_put_on_the_list_once_looked_up_and_taken_off(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = opt_out(rig, "PUT", "+40722000001");

    (void)state;
    assert_int_equal(answer.response.status, 201);
    assert_string_equal(text_at(&answer, "number"), "+40722000001");
    assert_string_equal(text_at(&answer, "source"), "uid:1000");
    assert_string_equal(text_at(&answer, "opted_out_at"), "2025-12-01T00:00:00.000Z");
    answer_done(&answer);
    rig->now_ms += 60000;
    answer = opt_out(rig, "PUT", "%2B40%20722-000%20001");   /* as people write it */
    assert_int_equal(answer.response.status, 200);
    assert_string_equal(text_at(&answer, "opted_out_at"), "2025-12-01T00:00:00.000Z");
    answer_done(&answer);
    answer = opt_out(rig, "GET", "0040722000001");
    assert_int_equal(answer.response.status, 200);
    assert_string_equal(text_at(&answer, "number"), "+40722000001");
    answer_done(&answer);
    answer = ask_get(rig, "/metrics", NULL);
    assert_non_null(strstr(answer.response.body, "\ncellpost_opt_outs 1\n"));
    answer_done(&answer);
    assert_status(rig, "DELETE", "+40722000001", 204);
    answer = opt_out(rig, "DELETE", "+40722000001");
    assert_problem(&answer, 404, "no_such_opt_out", NULL);
    answer_done(&answer);
    assert_status(rig, "GET", "+40722000001", 404);
    answer = ask_get(rig, "/metrics", NULL);
    assert_non_null(strstr(answer.response.body, "\ncellpost_opt_outs 0\n"));
    answer_done(&answer);
    rig_free(rig);
}

static void what_is_no_number_and_what_is_a_short_code_cannot_be_listed(void **state)
{
    struct rig *rig = rig_new(NULL);
    static const char *const wrong[] = { "nobody", "+4", "12345", "0722000001" };   /* no country is set */

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct answer answer = opt_out(rig, "PUT", wrong[i]);

        assert_problem(&answer, 422, "bad_number", NULL);
        answer_done(&answer);
        assert_status(rig, "GET", wrong[i], 404);
        assert_status(rig, "DELETE", wrong[i], 404);
    }
    rig_free(rig);
}

static void the_list_comes_in_pages_in_the_order_of_the_numbers(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    assert_status(rig, "PUT", "+40722000003", 201);
    assert_status(rig, "PUT", "+40722000001", 201);
    assert_status(rig, "PUT", "+40722000002", 201);
    answer = ask_get(rig, "/v1/opt-outs", "limit=2");
    assert_string_equal(text_at(&answer, "opt_outs/0/number"), "+40722000001");
    assert_string_equal(text_at(&answer, "opt_outs/1/number"), "+40722000002");
    assert_string_equal(text_at(&answer, "next"), "+40722000002");
    answer_done(&answer);
    answer = ask_get(rig, "/v1/opt-outs", "limit=2&after= 40722000002");   /* a '+' that was not encoded */
    assert_int_equal(json_array_size(at(&answer, "opt_outs")), 1);
    assert_string_equal(text_at(&answer, "opt_outs/0/number"), "+40722000003");
    assert_true(json_is_null(at(&answer, "next")));
    answer_done(&answer);
    answer = ask_get(rig, "/v1/opt-outs", "after=%");
    assert_problem(&answer, 400, "bad_parameter", NULL);
    answer_done(&answer);
    rig_free(rig);
}

static void changing_the_list_needs_admin_and_reading_it_needs_read(void **state)
{
    static const struct { const char *scopes, *method, *path; int status; } cases[] = {
        { "[\"send\",\"read\",\"inbox\"]", "PUT", "/v1/opt-outs/+40722000001", 403 },
        { "[\"send\",\"read\",\"inbox\"]", "DELETE", "/v1/opt-outs/+40722000001", 403 },
        { "[\"send\",\"read\",\"inbox\"]", "GET", "/v1/opt-outs", 200 },
        { "[\"send\"]", "GET", "/v1/opt-outs", 403 },
        { "[\"send\"]", "GET", "/v1/opt-outs/+40722000001", 403 },
        { "[\"admin\"]", "PUT", "/v1/opt-outs/+40722000001", 201 },
    };
    struct rig *rig = rig_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[96], key[64];
        struct answer answer;

        (void)snprintf(body, sizeof body, "{\"name\":\"k%zu\",\"scopes\":%s}", i, cases[i].scopes);
        answer = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/keys", .body = body });
        (void)snprintf(key, sizeof key, "%s", text_at(&answer, "key"));
        answer_done(&answer);
        answer = ask(rig, &(struct ask){ .method = cases[i].method, .path = cases[i].path, .key = key });
        assert_int_equal(answer.response.status, cases[i].status);
        answer_done(&answer);
    }
    rig_free(rig);
}

static void a_message_to_a_single_number_on_the_list_is_refused_and_nothing_is_kept(void **state)
{
    static const struct { const char *body, *pointer; } cases[] = {
        { TO_1, "/to" },
        { "{\"to\":[\"0040 722 000 001\"],\"text\":\"News\"}", "/to/0" },
        { "{\"messages\":[{\"to\":\"+40722000001\",\"text\":\"News\"}]}", "/messages/0/to" },
    };
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    assert_status(rig, "PUT", "+40722000001", 201);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answer = ask_send(rig, cases[i].body);
        assert_problem(&answer, 422, "opted_out", cases[i].pointer);
        answer_done(&answer);
    }
    answer = ask_get(rig, "/v1/messages", NULL);
    assert_int_equal(json_array_size(at(&answer, "messages")), 0);
    answer_done(&answer);
    assert_status(rig, "DELETE", "+40722000001", 204);
    answer = ask_send(rig, TO_1);
    assert_int_equal(answer.response.status, 202);
    answer_done(&answer);
    rig_free(rig);
}

static void among_others_it_alone_is_rejected_and_kept_and_a_repeated_request_says_the_same(void **state)
{
    struct rig *rig = rig_new(NULL);
    const struct ask both = { .method = "POST", .path = "/v1/messages", .idempotency_key = "news-1",
                              .body = "{\"to\":[\"+40722000001\",\"+40722000002\"],\"text\":\"News\"}" };
    char path[96];
    struct answer answer;

    (void)state;
    assert_status(rig, "PUT", "+40722000001", 201);
    for (int i = 0; i < 2; i++) {
        answer = ask(rig, &both);
        assert_int_equal(answer.response.status, 202);
        assert_int_equal(answer.response.replayed, i);
        assert_string_equal(text_at(&answer, "messages/0/state"), "rejected");
        assert_string_equal(text_at(&answer, "messages/0/error/code"), "opted_out");
        assert_string_equal(text_at(&answer, "messages/1/state"), "queued");
        assert_null(at(&answer, "messages/1/error"));
        (void)snprintf(path, sizeof path, "/v1/messages/%s", text_at(&answer, "messages/0/id"));
        answer_done(&answer);
        if (i == 0)
            assert_status(rig, "DELETE", "+40722000001", 204);   /* what was answered stands */
    }
    answer = ask_get(rig, path, NULL);
    assert_string_equal(text_at(&answer, "state"), "rejected");
    assert_string_equal(text_at(&answer, "reason"), OPT_OUT_REASON);
    answer_done(&answer);
    rig_free(rig);
}

/* Else its client would take what is on its way for refused, and ask somebody else. */
static void a_request_that_was_accepted_before_the_number_opted_out_is_answered_as_then(void **state)
{
    struct rig *rig = rig_new(NULL);
    const struct ask once = { .method = "POST", .path = "/v1/messages", .idempotency_key = "news-2", .body = TO_1 };
    struct answer answer = ask(rig, &once);

    (void)state;
    assert_int_equal(answer.response.status, 202);
    answer_done(&answer);
    assert_status(rig, "PUT", "+40722000001", 201);
    answer = ask(rig, &once);
    assert_int_equal(answer.response.status, 202);
    assert_true(answer.response.replayed);
    assert_string_equal(text_at(&answer, "messages/0/state"), "queued");
    answer_done(&answer);
    rig_free(rig);
}

static void a_store_that_fails_is_told_of_as_elsewhere(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    rig->store_error = -ENOSPC;
    answer = opt_out(rig, "PUT", "+40722000001");
    assert_problem(&answer, 503, "storage_full", NULL);
    answer_done(&answer);
    answer = opt_out(rig, "DELETE", "+40722000001");
    assert_problem(&answer, 503, "storage_full", NULL);
    answer_done(&answer);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_put_on_the_list_once_looked_up_and_taken_off),
        cmocka_unit_test(what_is_no_number_and_what_is_a_short_code_cannot_be_listed),
        cmocka_unit_test(the_list_comes_in_pages_in_the_order_of_the_numbers),
        cmocka_unit_test(changing_the_list_needs_admin_and_reading_it_needs_read),
        cmocka_unit_test(a_message_to_a_single_number_on_the_list_is_refused_and_nothing_is_kept),
        cmocka_unit_test(among_others_it_alone_is_rejected_and_kept_and_a_repeated_request_says_the_same),
        cmocka_unit_test(a_request_that_was_accepted_before_the_number_opted_out_is_answered_as_then),
        cmocka_unit_test(a_store_that_fails_is_told_of_as_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
