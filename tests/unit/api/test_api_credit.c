/* SPDX-License-Identifier: Apache-2.0
 *
 * Credits over the API: what a request that is too large is told, what is left, and each movement of the ledger. */
#include "tests/unit/api/rig.h"

#define CREDIT INT64_C(1000000)
#define PRICES "prefix,price,price_ucs2\n40,1,2\n44,3,\n4490,refused,\n"
#define DAY_MS INT64_C(86400000)

static void apply_free(struct rig *rig, struct store_change *change)
{
    assert_int_equal(store_apply(rig->store, change), 0);
    assert_int_equal(change->result, 0);
    assert_int_equal(change->u.credit->verdict, LEDGER_DONE);
    change_free(change);
}

static struct store_change *step(struct rig *rig, enum credit_step step)
{
    struct store_change *change = change_new(CHANGE_CREDIT, rig->now_ms);

    change->u.credit->step = step;
    return change;
}

static void enrol(struct rig *rig)
{
    struct store_change *change = step(rig, CREDIT_ENROL);

    change->u.credit->identity.epoch = 1;
    (void)snprintf(change->u.credit->identity.account, sizeof change->u.credit->identity.account, "shop");
    apply_free(rig, change);
}

static void grant(struct rig *rig, uint64_t lease_id, int64_t micro)
{
    static const char text[] = PRICES;
    struct table_file file = { "prices", text, sizeof text - 1 };
    struct table_notes *notes = calloc(1, sizeof *notes);
    struct price_table *table = NULL;
    struct store_change *change = step(rig, CREDIT_PRICES);

    assert_int_equal(price_table_parse(1, &file, &table, notes), 0);
    change->u.credit->version = 1;
    change->u.credit->csv = strdup(PRICES);
    memcpy(change->u.credit->sha256, price_table_sha256(table), SHA256_OCTETS);
    if (lease_id == 1)
        apply_free(rig, change);
    else
        change_free(change);
    change = step(rig, CREDIT_OPEN);
    change->u.credit->lease = (struct lease){ .lease_id = lease_id, .epoch = 1, .grant_micro = micro, .price_version = 1, .issued_ms = rig->now_ms,
                                              .spend_until_ms = rig->now_ms + 4 * DAY_MS, .settle_until_ms = rig->now_ms + 40 * DAY_MS };
    memcpy(change->u.credit->lease.price_sha256, price_table_sha256(table), SHA256_OCTETS);
    price_table_free(table);
    free(notes);
    apply_free(rig, change);
}

static struct rig *rig_with_credits(int64_t micro)
{
    struct rig *rig = rig_new(NULL);

    enrol(rig);
    grant(rig, 1, micro);
    return rig;
}

static void expect_state(struct rig *rig, const char *state, bool advice)
{
    struct answer answer = ask_get(rig, "/v1/balance", NULL);

    assert_int_equal(answer.response.status, 200);
    assert_string_equal(text_at(&answer, "state"), state);
    assert_int_equal(json_object_get(answer.json, "advice") != NULL, advice);
    answer_done(&answer);
}

static void without_an_account_it_is_free_and_says_so(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    expect_state(rig, "free", true);
    answer = ask_send(rig, "{\"to\":\"+40722000001\",\"text\":\"x\",\"on_too_little\":\"refuse\"}");
    assert_int_equal(answer.response.status, 202);
    answer_done(&answer);
    answer = ask_get(rig, "/v1/ledger", NULL);
    assert_int_equal(json_array_size(at(&answer, "postings")), 0);
    answer_done(&answer);
    answer = ask_get(rig, "/metrics", NULL);
    assert_null(strstr(answer.response.body, "cellpost_credit"));
    answer_done(&answer);
    rig_free(rig);
}

static void what_is_left_is_told_in_credits_and_in_parts(void **state)
{
    struct rig *rig = rig_with_credits(10 * CREDIT);
    struct answer answer = ask_send(rig, "{\"to\":[\"+40722000001\",\"+447700900001\"],\"text\":\"x\"}");

    (void)state;
    assert_int_equal(answer.response.status, 202);
    answer_done(&answer);
    answer = ask_get(rig, "/v1/balance", NULL);
    assert_string_equal(text_at(&answer, "state"), "online");
    assert_string_equal(text_at(&answer, "account"), "shop");
    assert_int_equal(json_integer_value(at(&answer, "available_micro")), 6 * CREDIT);
    assert_int_equal(json_integer_value(at(&answer, "reserved_micro")), 4 * CREDIT);
    assert_string_equal(text_at(&answer, "prices/0/prefix"), "40");
    assert_int_equal(json_integer_value(at(&answer, "prices/0/gsm7/parts")), 6);
    assert_int_equal(json_integer_value(at(&answer, "prices/0/ucs2/parts")), 3);
    assert_int_equal(json_integer_value(at(&answer, "prices/1/ucs2/part_micro")), 3 * CREDIT);
    assert_true(json_is_true(at(&answer, "prices/2/gsm7/refused")));
    assert_string_equal(text_at(&answer, "lease/until"), "2025-12-05T00:00:00.000Z");
    answer_done(&answer);
    answer = ask_get(rig, "/v1/balance", "limit=1&after=1");
    assert_int_equal(json_array_size(at(&answer, "prices")), 1);
    assert_string_equal(text_at(&answer, "prices/0/prefix"), "44");
    assert_string_equal(text_at(&answer, "next"), "2");
    answer_done(&answer);
    answer = ask_get(rig, "/v1/balance", "after=x");
    assert_problem(&answer, 400, "bad_parameter", NULL);
    answer_done(&answer);
    answer = ask_get(rig, "/metrics", NULL);
    assert_non_null(strstr(answer.response.body, "\ncellpost_credit_micro{account=\"available\"} 6000000\n"));
    assert_non_null(strstr(answer.response.body, "\ncellpost_credit_micro{account=\"reserved\"} 4000000\n"));
    answer_done(&answer);
    rig_free(rig);
}

static void a_batch_that_is_too_large_is_told_how_much_of_it_would_fit(void **state)
{
    struct rig *rig = rig_with_credits(2 * CREDIT);
    struct answer answer = ask_send(rig, "{\"to\":[\"+40722000001\",\"+40722000002\",\"+40722000003\"],\"text\":\"x\"}");

    (void)state;
    assert_problem(&answer, 402, "too_little_credit", NULL);
    assert_int_equal(json_integer_value(at(&answer, "needed_micro")), 3 * CREDIT);
    assert_int_equal(json_integer_value(at(&answer, "available_micro")), 2 * CREDIT);
    assert_int_equal(json_integer_value(at(&answer, "fit")), 2);
    assert_string_equal(text_at(&answer, "why"), "too_little");
    answer_done(&answer);
    answer = ask_get(rig, "/v1/messages", NULL);
    assert_int_equal(json_array_size(at(&answer, "messages")), 0);
    answer_done(&answer);
    rig_free(rig);
}

static void a_batch_may_say_that_it_waits(void **state)
{
    static const char body[] = "{\"on_too_little\":\"wait\",\"messages\":[{\"to\":\"+40722000001\",\"text\":\"x\"},{\"to\":\"+40722000002\",\"text\":\"y\"}]}";
    struct rig *rig = rig_with_credits(CREDIT);
    struct answer answer = ask_send(rig, body);

    (void)state;
    assert_int_equal(answer.response.status, 202);
    assert_string_equal(text_at(&answer, "messages/0/state"), "wait_credit");
    assert_string_equal(text_at(&answer, "messages/1/state"), "wait_credit");
    assert_int_equal(json_integer_value(at(&answer, "waits_for_credit/fit")), 1);
    answer_done(&answer);
    answer = ask_get(rig, "/v1/messages", "state=wait_credit");
    assert_int_equal(json_array_size(at(&answer, "messages")), 2);
    answer_done(&answer);
    answer = ask_get(rig, "/v1/balance", NULL);
    assert_int_equal(json_integer_value(at(&answer, "waiting")), 2);
    answer_done(&answer);
    answer = ask_send(rig, "{\"to\":\"+40722000001\",\"text\":\"x\",\"on_too_little\":\"wait\"}");   /* it fits: nothing to wait for */
    assert_string_equal(text_at(&answer, "messages/0/state"), "queued");
    answer_done(&answer);
    answer = ask_send(rig, "{\"to\":\"+40722000001\",\"text\":\"x\",\"on_too_little\":\"beg\"}");
    assert_problem(&answer, 400, "bad_value", "/on_too_little");
    answer_done(&answer);
    answer = ask_send(rig, "{\"messages\":[{\"to\":\"+40722000001\",\"text\":\"x\",\"on_too_little\":\"wait\"}]}");
    assert_problem(&answer, 400, "bad_value", "/messages/0/on_too_little");
    answer_done(&answer);
    rig_free(rig);
}

static void a_number_without_a_price_is_refused(void **state)
{
    struct rig *rig = rig_with_credits(5 * CREDIT);
    struct answer answer = ask_send(rig, "{\"to\":\"+33612345678\",\"text\":\"x\"}");

    (void)state;
    assert_problem(&answer, 422, "no_price", "/to");
    answer_done(&answer);
    answer = ask_send(rig, "{\"to\":[\"+33612345678\",\"+40722000001\"],\"text\":\"x\"}");
    assert_int_equal(answer.response.status, 202);
    assert_string_equal(text_at(&answer, "messages/0/state"), "rejected");
    assert_string_equal(text_at(&answer, "messages/0/error/code"), "no_price");
    assert_string_equal(text_at(&answer, "messages/1/state"), "queued");
    answer_done(&answer);
    rig_free(rig);
}

static void each_state_has_a_name_and_says_what_to_do(void **state)
{
    struct rig *rig = rig_new(NULL);

    (void)state;
    enrol(rig);
    expect_state(rig, "no_lease", true);
    grant(rig, 1, 10 * CREDIT);
    expect_state(rig, "online", false);
    rig->view.account_known = true;
    (void)snprintf(rig->view.account_why, sizeof rig->view.account_why, "the name could not be found");
    expect_state(rig, "offline", true);
    rig->view.account_online = true;
    expect_state(rig, "online", false);
    rig->now_ms += 3 * DAY_MS;
    expect_state(rig, "expiring", true);
    rig->now_ms += DAY_MS;
    expect_state(rig, "expired", true);
    rig->now_ms -= 4 * DAY_MS;
    apply_free(rig, step(rig, CREDIT_FREEZE));
    expect_state(rig, "frozen", true);
    {
        struct answer answer = ask_send(rig, "{\"to\":\"+40722000001\",\"text\":\"x\"}");

        assert_problem(&answer, 402, "too_little_credit", NULL);
        assert_string_equal(text_at(&answer, "why"), "frozen");
        answer_done(&answer);
    }
    apply_free(rig, step(rig, CREDIT_FENCE));
    expect_state(rig, "fenced", true);
    rig_free(rig);
}

static void the_ledger_comes_in_pages_and_as_csv(void **state)
{
    struct rig *rig = rig_with_credits(10 * CREDIT);
    struct answer answer;

    (void)state;
    for (int i = 0; i < 4; i++) {
        answer = ask_send(rig, "{\"to\":\"+40722000001\",\"text\":\"x\"}");
        answer_done(&answer);
    }
    answer = ask_get(rig, "/v1/ledger", "limit=3");
    assert_string_equal(text_at(&answer, "postings/0/reason"), "reserve");
    assert_string_equal(text_at(&answer, "postings/0/batch"), "ab12-b4");
    assert_string_equal(text_at(&answer, "next"), "ab12-p3");
    answer_done(&answer);
    answer = ask_get(rig, "/v1/ledger", "before=ab12-p3");
    assert_int_equal(json_array_size(at(&answer, "postings")), 2);
    assert_string_equal(text_at(&answer, "postings/1/reason"), "opening");
    assert_string_equal(text_at(&answer, "postings/1/from"), "grant");
    assert_true(json_is_null(at(&answer, "next")));
    answer_done(&answer);
    answer = ask_get(rig, "/v1/ledger", "format=csv&after=0&limit=2");
    assert_problem(&answer, 400, "bad_parameter", NULL);
    answer_done(&answer);
    answer = ask_get(rig, "/v1/ledger", "format=csv&after=ab12-p1&limit=1");
    assert_int_equal(answer.response.status, 200);
    answer.response.body = realloc(answer.response.body, answer.response.length + 1);
    answer.response.body[answer.response.length] = '\0';
    assert_string_equal(answer.response.body, "id,at,reason,lease,from,to,micro,batch,message,part,journal\r\n"
                                              "ab12-p2,2025-12-01T00:00:00.000Z,reserve,1,available,reserved,1000000,ab12-b1,,,\r\n");
    answer_done(&answer);
    answer = ask_get(rig, "/v1/ledger", "format=pdf");
    assert_problem(&answer, 400, "bad_parameter", NULL);
    answer_done(&answer);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_account_it_is_free_and_says_so),
        cmocka_unit_test(what_is_left_is_told_in_credits_and_in_parts),
        cmocka_unit_test(a_batch_that_is_too_large_is_told_how_much_of_it_would_fit),
        cmocka_unit_test(a_batch_may_say_that_it_waits),
        cmocka_unit_test(a_number_without_a_price_is_refused),
        cmocka_unit_test(each_state_has_a_name_and_says_what_to_do),
        cmocka_unit_test(the_ledger_comes_in_pages_and_as_csv),
    };

    return cmocka_run_group_tests_name("api, credits", tests, NULL, NULL);
}
