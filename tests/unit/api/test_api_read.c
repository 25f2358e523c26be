/* SPDX-License-Identifier: Apache-2.0
 *
 * What one reads: messages with parts and history, lists and their filters, inbox, cards. */
#include "tests/unit/api/modem_work.h"

#include <errno.h>

static void two_parts(struct rig *rig, char ret_id[ID_TEXT_MAX])
{
    char body[320];

    (void)snprintf(body, sizeof body, "{\"to\":\"+40700000001\",\"text\":\"%0200d\"}", 7);
    rig_send(rig, body, ret_id);
}

/* -- one message ----------------------------------------------------------------------------------------------- */

static void a_message_shows_each_part_with_its_modem_its_reference_and_its_attempts(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;
    char id[ID_TEXT_MAX];

    (void)state;
    two_parts(rig, id);
    answer = show(rig, id);
    assert_int_equal(json_array_size(at(&answer, "parts")), 2);
    assert_string_equal(text_at(&answer, "parts/1/state"), "queued");
    assert_int_equal(number_at(&answer, "parts/1/attempts"), 0);
    assert_true(json_is_null(at(&answer, "parts/1/mr")));
    answer_done(&answer);

    rig->now_ms += 1000;
    rig_outcome(rig, rig_intent(rig, id, 0), ATTEMPT_REFUSED, -1, 38, OUTCOME_RETRY);   /* +CMS ERROR: 38 */
    rig->now_ms += 1000;
    rig_outcome(rig, rig_intent(rig, id, 0), ATTEMPT_SENT, 17, -1, OUTCOME_DONE);
    rig->now_ms += 1000;
    (void)rig_intent(rig, id, 1);
    answer = show(rig, id);
    assert_string_equal(text_at(&answer, "state"), "sending");
    assert_string_equal(text_at(&answer, "parts/0/state"), "sent");
    assert_string_equal(text_at(&answer, "parts/0/modem"), "356938035643809");
    assert_string_equal(text_at(&answer, "parts/0/sim"), "8940011234567890123");
    assert_int_equal(number_at(&answer, "parts/0/mr"), 17);
    assert_int_equal(number_at(&answer, "parts/0/attempts"), 2);
    assert_null(at(&answer, "parts/0/reason"));
    assert_string_equal(text_at(&answer, "parts/0/attempt_log/0/state"), "refused");
    assert_string_equal(text_at(&answer, "parts/0/attempt_log/0/error"), "cms");
    assert_int_equal(number_at(&answer, "parts/0/attempt_log/0/error_code"), 38);
    assert_true(strlen(text_at(&answer, "parts/0/attempt_log/0/reason")) > 0);
    assert_string_equal(text_at(&answer, "parts/1/state"), "sending");
    answer_done(&answer);
    rig_free(rig);
}

static const struct { uint8_t status; const char *part_state, *message_state; } reports[] = {
    { 0x00, "delivered", "delivered" }, { 0x22, "sent", "sent" }, { 0x41, "undelivered", "undelivered" }, { 0x46, "expired", "expired" },
};

static void a_report_shows_in_the_part_and_in_the_history(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++) {
        struct rig *rig = rig_new(NULL);
        char id[ID_TEXT_MAX];
        struct answer answer;
        json_t *last;
        rig_send(rig, "{\"to\":\"+40700000001\",\"text\":\"hello\"}", id);
        rig->now_ms += 1000;
        rig_outcome(rig, rig_intent(rig, id, 0), ATTEMPT_SENT, 9, -1, OUTCOME_DONE);
        rig->now_ms += 1000;
        rig_report(rig, 9, reports[i].status);
        answer = show(rig, id);
        assert_string_equal(text_at(&answer, "parts/0/state"), reports[i].part_state);
        assert_string_equal(text_at(&answer, "state"), reports[i].message_state);
        assert_int_equal(number_at(&answer, "parts/0/attempt_log/0/report/status"), reports[i].status);
        assert_true(strlen(text_at(&answer, "parts/0/reason")) > 0);
        assert_string_equal(text_at(&answer, "history/0/state"), "queued");
        assert_string_equal(text_at(&answer, "history/0/time"), "2025-12-01T00:00:00.000Z");
        last = json_array_get(at(&answer, "history"), json_array_size(at(&answer, "history")) - 1);
        assert_string_equal(json_string_value(json_object_get(last, "state")), reports[i].message_state);
        answer_done(&answer);
        rig_free(rig);
    }
}

static void a_part_whose_fate_nobody_knows_is_unknown(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;
    char id[ID_TEXT_MAX];

    (void)state;
    rig_send(rig, "{\"to\":\"+40700000001\",\"text\":\"hello\"}", id);
    rig_outcome(rig, rig_intent(rig, id, 0), ATTEMPT_UNKNOWN, -1, -1, OUTCOME_DONE);
    answer = show(rig, id);
    assert_string_equal(text_at(&answer, "parts/0/state"), "unknown");
    answer_done(&answer);
    rig_free(rig);
}

static void a_message_nobody_knows_is_404(void **state)
{
    static const char *const paths[] = { "/v1/messages/ab12-m99", "/v1/messages/99", "/v1/messages/zz99-m1", "/v1/messages/hello",
                                         "/v1/messages/%22", "/v1/messages/ab12-i1", "/v1/messages/-1", "/v1/inbox/ab12-i5", "/v1/inbox/x" };
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        answer = ask_get(rig, paths[i], NULL);
        assert_problem(&answer, 404, "no_such_message", NULL);
        answer_done(&answer);
    }
    rig_free(rig);
}

static void an_id_may_be_percent_encoded_or_bare_digits(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;
    char id[ID_TEXT_MAX];

    (void)state;
    rig_send(rig, "{\"to\":\"+40700000001\",\"text\":\"hello\"}", id);
    answer = ask_get(rig, "/v1/messages/ab12%2Dm1", NULL);
    assert_string_equal(text_at(&answer, "id"), id);
    answer_done(&answer);
    answer = ask_get(rig, "/v1/messages/1", NULL);
    assert_string_equal(text_at(&answer, "id"), id);
    answer_done(&answer);
    rig_free(rig);
}

/* -- lists ----------------------------------------------------------------------------------------------------- */

static void pages_go_through_every_message_once_newest_first(void **state)
{
    struct rig *rig = rig_new(NULL);
    char id[ID_TEXT_MAX], query[64] = "limit=3";
    int seen = 0, pages = 0;
    int64_t last = INT64_MAX;

    (void)state;
    for (int i = 0; i < 9; i++)
        rig_send(rig, "{\"to\":\"+40700000001\",\"text\":\"hello\"}", id);
    while (query[0]) {
        struct answer answer = ask_get(rig, "/v1/messages", query);
        size_t i;
        json_t *item;
        json_array_foreach (at(&answer, "messages"), i, item) {
            int64_t number = id_number(json_string_value(json_object_get(item, "id")));
            assert_true(number < last);
            last = number;
            seen++;
        }
        pages++;
        query[0] = '\0';
        if (json_is_string(at(&answer, "next")))
            (void)snprintf(query, sizeof query, "limit=3&before=%s", text_at(&answer, "next"));
        answer_done(&answer);
    }
    assert_int_equal(seen, 9);
    assert_int_equal(pages, 3);   /* the third says that there is no fourth, though it is full */
    rig_free(rig);
}

static void after_goes_on_oldest_first(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;
    char id[ID_TEXT_MAX];

    (void)state;
    for (int i = 0; i < 4; i++)
        rig_send(rig, "{\"to\":\"+40700000001\",\"text\":\"hello\"}", id);
    answer = ask_get(rig, "/v1/messages", "after=ab12-m1&limit=2");
    assert_string_equal(text_at(&answer, "messages/0/id"), "ab12-m2");
    assert_string_equal(text_at(&answer, "next"), "ab12-m3");
    answer_done(&answer);
    rig_free(rig);
}

static const struct { const char *query; size_t count; } filters[] = {
    { "state=queued", 2 }, { "state=scheduled", 1 }, { "state=rejected", 1 }, { "state=delivered", 0 },
    { "to=%2B40700000001", 0 },                                     /* the shell decodes: this is no number */
    { "to=+40700000001", 1 }, { "to= 40700000001", 1 }, { "to=0040700000001", 1 },
    { "client_ref=alpha", 1 }, { "client_ref=beta", 0 },
    { "batch=ab12-b1", 2 }, { "batch=ab12-b2", 1 },
    { "since=2025-12-01T01:00:00Z", 2 }, { "since=1764550800", 2 }, { "until=2025-12-01T01:00:00Z", 2 },
    { "since=2025-12-01T01:00:00Z&until=2025-12-01T01:30:00Z", 1 },
    { "since=2025-12-01T03:00:00 02:00", 2 },                       /* a '+' that nobody encoded */
};

static void filters_narrow_the_list(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;

    (void)state;
    answer = ask_send(rig, "{\"to\":[\"+40700000001\",\"x\"],\"text\":\"one\",\"client_ref\":\"gamma\"}");
    answer_done(&answer);
    rig->now_ms += 3600000;
    answer = ask_send(rig, "{\"to\":\"+40700000002\",\"text\":\"two\",\"client_ref\":\"alpha\"}");
    answer_done(&answer);
    rig->now_ms += 3600000;
    answer = ask_send(rig, "{\"to\":\"+40700000003\",\"text\":\"three\",\"schedule_at\":\"2026-01-01T00:00:00Z\"}");
    answer_done(&answer);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        answer = ask_get(rig, "/v1/messages", filters[i].query);
        if (filters[i].query[3] == '%') {
            assert_problem(&answer, 400, "bad_parameter", NULL);
        } else if (json_array_size(at(&answer, "messages")) != filters[i].count) {
            fail_msg("%s: %s", filters[i].query, answer.response.body);
        }
        answer_done(&answer);
    }
    rig_free(rig);
}

static const struct { const char *path, *query, *code, *parameter; } wrong_queries[] = {
    { "/v1/messages", "sate=queued", "unknown_parameter", "sate" },
    { "/v1/messages", "state=gone", "bad_parameter", "state" },
    { "/v1/messages", "state=queued&state=sent", "bad_parameter", "state" },
    { "/v1/messages", "limit=0", "bad_parameter", "limit" },
    { "/v1/messages", "limit=1001", "bad_parameter", "limit" },
    { "/v1/messages", "limit=99999999999999999999", "bad_parameter", "limit" },
    { "/v1/messages", "limit=", "bad_parameter", "limit" },
    { "/v1/messages", "limit=-1", "bad_parameter", "limit" },
    { "/v1/messages", "before=ab12-i1", "bad_parameter", "before" },
    { "/v1/messages", "before=ab12-m2&after=ab12-m1", "bad_parameter", "after" },
    { "/v1/messages", "to=bob", "bad_parameter", "to" },
    { "/v1/messages", "since=yesterday", "bad_parameter", "since" },
    { "/v1/messages", "batch=7x", "bad_parameter", "batch" },
    { "/v1/inbox", "state=queued", "unknown_parameter", "state" },
    { "/v1/inbox", "since=1", NULL, NULL },
    { "/v1/modems", "x=1", "unknown_parameter", "x" },
    { "/healthz", "verbose=1", "unknown_parameter", "verbose" },
};

static void a_wrong_query_parameter_is_named(void **state)
{
    struct rig *rig = rig_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof wrong_queries / sizeof wrong_queries[0]; i++) {
        struct answer answer = ask_get(rig, wrong_queries[i].path, wrong_queries[i].query);
        if (wrong_queries[i].code) {
            assert_problem(&answer, 400, wrong_queries[i].code, NULL);
            assert_string_equal(text_at(&answer, "parameter"), wrong_queries[i].parameter);
        } else {
            assert_int_equal(answer.response.status, 200);
        }
        answer_done(&answer);
    }
    rig_free(rig);
}

static void an_unknown_parameter_is_answered_with_the_known_ones(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer = ask_get(rig, "/v1/inbox", "frm=1");

    (void)state;
    assert_non_null(strstr(text_at(&answer, "detail"), "limit, before, after, from, since"));
    answer_done(&answer);
    rig_free(rig);
}

/* -- inbox and cards ------------------------------------------------------------------------------------------- */

static void receive(struct rig *rig, const char *from, const char *text, const char *problem)
{
    struct store_change *change = change_new(CHANGE_RECEIVE, rig->now_ms);
    struct change_receive *receive = &change->u.receive;
    static unsigned serial;

    rig_sim(rig, &receive->sim_id, &receive->modem_id);
    receive->pdu_hex = malloc(32);
    (void)snprintf(receive->pdu_hex, 32, "0791%06X", ++serial);
    (void)snprintf(receive->from, sizeof receive->from, "%s", from);
    if (text) {
        receive->text = malloc(strlen(text) + 1);
        memcpy(receive->text, text, strlen(text) + 1);
        receive->text_length = (uint32_t)strlen(text);
    } else {
        receive->data = malloc(3);
        memcpy(receive->data, "\x01\xAB\xFF", 3);
        receive->data_length = 3;
        receive->alphabet = 1;
        receive->port_bits = 16;
        receive->port_dst = 2948;
        receive->port_src = 9200;
    }
    receive->message_class = -1;
    receive->scts_ms = rig->now_ms - 5000;
    receive->tz_quarters = 8;
    (void)snprintf(receive->problem, sizeof receive->problem, "%s", problem);
    rig_apply(rig, change);
    assert_int_equal(change->result, 0);
    assert_true(change->u.receive.inbox_id > 0);
    change_free(change);
}

static void what_came_in_is_listed_and_shown(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;
    char path[64];

    (void)state;
    receive(rig, "+40711111111", "first", "");
    receive(rig, "Vodafone", "\xc8\x98i", "");
    receive(rig, "+40711111111", NULL, "");
    answer = ask_get(rig, "/v1/inbox", NULL);
    assert_int_equal(json_array_size(at(&answer, "messages")), 3);
    assert_string_equal(text_at(&answer, "messages/0/data_hex"), "01ABFF");
    assert_int_equal(number_at(&answer, "messages/0/port/to"), 2948);
    assert_string_equal(text_at(&answer, "messages/1/text"), "\xc8\x98i");
    assert_string_equal(text_at(&answer, "messages/2/from"), "+40711111111");
    assert_string_equal(text_at(&answer, "messages/2/sent_at"), "2025-11-30T23:59:55.000Z");
    assert_int_equal(number_at(&answer, "messages/2/tz_minutes"), 120);
    assert_string_equal(text_at(&answer, "messages/2/sim"), "8940011234567890123");
    assert_null(at(&answer, "messages/2/pdu"));
    (void)snprintf(path, sizeof path, "/v1/inbox/%s", text_at(&answer, "messages/2/id"));
    answer_done(&answer);
    answer = ask_get(rig, path, NULL);
    assert_string_equal(text_at(&answer, "text"), "first");
    assert_non_null(strstr(text_at(&answer, "pdu"), "0791"));
    answer_done(&answer);

    answer = ask_get(rig, "/v1/inbox", "from=+40711111111");
    assert_int_equal(json_array_size(at(&answer, "messages")), 2);
    answer_done(&answer);
    answer = ask_get(rig, "/v1/inbox", "from= 40711111111&limit=1");
    assert_int_equal(json_array_size(at(&answer, "messages")), 1);
    assert_true(json_is_string(at(&answer, "next")));
    answer_done(&answer);
    rig_free(rig);
}

static void cards_are_listed_with_the_modem_they_were_last_in(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct answer answer;
    uint32_t sim, modem;

    (void)state;
    rig_sim(rig, &sim, &modem);
    answer = ask_get(rig, "/v1/sims", NULL);
    assert_int_equal(json_array_size(at(&answer, "sims")), 1);
    assert_string_equal(text_at(&answer, "sims/0/iccid"), "8940011234567890123");
    assert_string_equal(text_at(&answer, "sims/0/modem"), "356938035643809");
    answer_done(&answer);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_shows_each_part_with_its_modem_its_reference_and_its_attempts),
        cmocka_unit_test(a_report_shows_in_the_part_and_in_the_history),
        cmocka_unit_test(a_part_whose_fate_nobody_knows_is_unknown),
        cmocka_unit_test(a_message_nobody_knows_is_404),
        cmocka_unit_test(an_id_may_be_percent_encoded_or_bare_digits),
        cmocka_unit_test(pages_go_through_every_message_once_newest_first),
        cmocka_unit_test(after_goes_on_oldest_first),
        cmocka_unit_test(filters_narrow_the_list),
        cmocka_unit_test(a_wrong_query_parameter_is_named),
        cmocka_unit_test(an_unknown_parameter_is_answered_with_the_known_ones),
        cmocka_unit_test(what_came_in_is_listed_and_shown),
        cmocka_unit_test(cards_are_listed_with_the_modem_they_were_last_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
