/* SPDX-License-Identifier: Apache-2.0
 *
 * Modems, health, metrics and events. */
#include "tests/unit/api/rig.h"

#include <errno.h>

static struct live_modem ready_modem(void)
{
    return (struct live_modem){ .port = "/dev/ttyUSB0", .bank = "local", .state = "ready", .manufacturer = "huawei", .model = "E173",
                                .imei = "356938035643809", .iccid = "8940011234567890123", .operator_name = "Orange", .registration = 1,
                                .signal_dbm = -71, .storage_used = 2, .storage_total = 20, .sent = 12, .refused = 1, .received = 4,
                                .busy_ms = 90500, .since_ready_ms = 100000 };
}

static void modems_are_shown_with_what_is_known_of_them(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct live_modem modems[2] = { ready_modem(), { .port = "tcp:[::1]:7", .state = "parked", .reason_code = "pin_needed",
                                                     .reason = "The card wants a PIN", .registration = -1, .storage_used = -1, .storage_total = -1 } };
    struct answer answer;

    (void)state;
    modems[0].message_id = 5;
    modems[0].part = 1;
    modems[0].parts = 3;
    rig->view.modems = modems;
    rig->view.modem_count = 2;
    answer = ask_get(rig, "/v1/modems", NULL);
    assert_string_equal(text_at(&answer, "modems/0/port"), "/dev/ttyUSB0");
    assert_string_equal(text_at(&answer, "modems/0/registration"), "home");
    assert_int_equal(number_at(&answer, "modems/0/signal_dbm"), -71);
    assert_int_equal(number_at(&answer, "modems/0/storage/total"), 20);
    assert_string_equal(text_at(&answer, "modems/0/on_air/message"), "ab12-m5");
    assert_int_equal(number_at(&answer, "modems/0/on_air/part"), 2);
    assert_string_equal(text_at(&answer, "modems/1/reason/code"), "pin_needed");
    assert_null(at(&answer, "modems/1/signal_dbm"));
    assert_null(at(&answer, "modems/1/storage"));
    assert_null(at(&answer, "modems/1/on_air"));
    answer_done(&answer);
    rig_free(rig);
}

static void what_a_modem_calls_itself_never_breaks_an_answer(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct live_modem modem = ready_modem();
    struct answer answer;

    (void)state;
    (void)snprintf(modem.manufacturer, sizeof modem.manufacturer, "%s", "bad\xff\xc3 \"name\"\n");
    rig->view.modems = &modem;
    rig->view.modem_count = 1;
    answer = ask_get(rig, "/v1/modems", NULL);
    assert_string_equal(text_at(&answer, "modems/0/manufacturer"), "bad\xef\xbf\xbd\xef\xbf\xbd \"name\"\n");
    answer_done(&answer);
    rig_free(rig);
}

static void health_is_ok_degraded_or_unavailable(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct live_modem modem = ready_modem();
    static const struct { const char *modem; bool accepting; int status; const char *word; } rows[] = {
        { "ready", true, 200, "ok" }, { "sending", true, 200, "ok" }, { "registering", true, 200, "degraded" },
        { "lost", true, 200, "degraded" }, { "ready", false, 503, "unavailable" }, { "lost", false, 503, "unavailable" },
    };

    (void)state;
    rig->view.modems = &modem;
    rig->view.modem_count = 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        (void)snprintf(modem.state, sizeof modem.state, "%s", rows[i].modem);
        rig->view.accepting = rows[i].accepting;
        (void)snprintf(rig->view.problem, sizeof rig->view.problem, "%s", rows[i].accepting ? "" : "the disk is full");
        answer = ask(rig, &(struct ask){ .method = "GET", .path = "/healthz", .key = "" });
        assert_int_equal(answer.response.status, rows[i].status);
        assert_string_equal(text_at(&answer, "status"), rows[i].word);
        assert_string_equal(text_at(&answer, "version"), "1.2.3");
        if (!rows[i].accepting)
            assert_string_equal(text_at(&answer, "problems/0"), "the disk is full");
        answer_done(&answer);
    }
    (void)snprintf(modem.state, sizeof modem.state, "ready");
    (void)snprintf(rig->view.alarm, sizeof rig->view.alarm, "every SIM rests");
    rig->view.accepting = true;
    {
        struct answer answer = ask(rig, &(struct ask){ .method = "GET", .path = "/healthz", .key = "" });

        assert_int_equal(answer.response.status, 200);
        assert_string_equal(text_at(&answer, "status"), "degraded");
        assert_string_equal(text_at(&answer, "problems/0"), "every SIM rests");
        answer_done(&answer);
    }
    rig_free(rig);
}

/* -- metrics --------------------------------------------------------------------------------------------------- */

/* Text format 0.0.4: HELP and TYPE once and first, then samples of that name alone; each line well formed, no series twice. */
static void assert_is_exposition(const char *text)
{
    static char copy[65536];
    char *rest, current[128] = "", declared[64][64];
    const char *series[512];
    size_t series_count = 0, declared_count = 0;

    assert_true(strlen(text) < sizeof copy);
    assert_int_equal(text[strlen(text) - 1], '\n');
    (void)snprintf(copy, sizeof copy, "%s", text);
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
        char *value = strrchr(line, ' '), *end;
        if (strncmp(line, "# HELP ", 7) == 0) {
            (void)snprintf(current, sizeof current, "%.*s", (int)strcspn(line + 7, " "), line + 7);
            for (size_t i = 0; i < declared_count; i++)
                assert_string_not_equal(declared[i], current);
            (void)snprintf(declared[declared_count++], 64, "%s", current);
            continue;
        }
        if (strncmp(line, "# TYPE ", 7) == 0) {
            assert_memory_equal(line + 7, current, strlen(current));
            continue;
        }
        assert_int_equal(strlen(current), name);
        assert_memory_equal(line, current, name);
        assert_true(line[name] == ' ' || line[name] == '{');
        assert_non_null(value);
        (void)strtod(value + 1, &end);
        assert_int_equal(*end, '\0');
        *value = '\0';
        for (size_t i = 0; i < series_count; i++)
            assert_string_not_equal(series[i], line);
        series[series_count++] = line;
    }
    assert_true(series_count > 20);
}

static void metrics_speak_of_messages_parts_commits_and_modems(void **state)
{
    struct rig *rig = rig_new(NULL);
    struct live_modem modems[2] = { ready_modem(), ready_modem() };
    struct answer answer = ask_send(rig, "{\"to\":[\"+40700000001\",\"+40700000002\",\"x\"],\"text\":\"a\"}");
    static const char *const lines[] = {
        "\ncellpost_messages{state=\"queued\"} 2\n", "\ncellpost_messages{state=\"rejected\"} 1\n", "\ncellpost_messages{state=\"sent\"} 0\n",
        "\ncellpost_messages{state=\"held\"} 0\n", "\ncellpost_opt_outs 0\n",
        "\ncellpost_build_info{version=\"1.2.3\"} 1\n", "\ncellpost_accepting 1\n", "\ncellpost_queue_ready 7\n",
        "\ncellpost_store_commits_total 3\n", "\ncellpost_store_commit_seconds{quantile=\"0.99\"} 1.250001\n",
        "\ncellpost_parts_total{result=\"sent\"} 41\n",
        "\ncellpost_modem_parts_total{port=\"/dev/ttyUSB0\",imei=\"356938035643809\",sim=\"8940011234567890123\",result=\"sent\"} 12\n",
        "\ncellpost_modem_state{port=\"a\\\"b\\\\c\\nd\",imei=\"356938035643809\",sim=\"8940011234567890123\",state=\"ready\"} 1\n",
        "\ncellpost_modem_busy_seconds_total{port=\"/dev/ttyUSB0\",imei=\"356938035643809\",sim=\"8940011234567890123\"} 90.500\n",
        "\ncellpost_modem_signal_dbm{port=\"/dev/ttyUSB0\",imei=\"356938035643809\",sim=\"8940011234567890123\"} -71\n",
    };

    (void)state;
    answer_done(&answer);
    (void)snprintf(modems[1].port, sizeof modems[1].port, "a\"b\\c\nd");
    rig->view = (struct live_view){ .modems = modems, .modem_count = 2, .accepting = true, .queue_ready = 7, .parts_sent = 41,
                                    .store_commits = 3, .commit_us_p99 = 1250001 };
    answer = ask_get(rig, "/metrics", NULL);
    assert_int_equal(answer.response.status, 200);
    assert_int_equal(strlen(answer.response.body), answer.response.length);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (!strstr(answer.response.body, lines[i]))
            fail_msg("no line %s in %s", lines[i], answer.response.body);
    assert_is_exposition(answer.response.body);
    answer_done(&answer);
    rig_free(rig);
}

/* -- events ---------------------------------------------------------------------------------------------------- */

static const struct { struct live_event event; const char *text; } events[] = {
    { { .kind = LIVE_MESSAGE, .at_ms = NOW_MS, .message_id = 7, .state = MESSAGE_SENT, .reason = "", .mr = -1, .code = -1, .status = -1 },
      "id: 41\nevent: message\ndata: {\"at\":\"2025-12-01T00:00:00.000Z\",\"id\":\"ab12-m7\",\"state\":\"sent\"}\n\n" },
    { { .kind = LIVE_PART, .at_ms = NOW_MS, .message_id = 7, .step = LIVE_PART_SENT, .part = 1, .parts = 3, .mr = 0, .code = -1, .status = -1,
        .port = "/dev/ttyUSB0", .imei = "1", .iccid = "2", .reason = "" },
      "id: 41\nevent: part\ndata: {\"at\":\"2025-12-01T00:00:00.000Z\",\"message\":\"ab12-m7\",\"part\":2,\"parts\":3,\"step\":\"sent\",\"mr\":0,"
      "\"port\":\"/dev/ttyUSB0\",\"modem\":\"1\",\"sim\":\"2\"}\n\n" },
    { { .kind = LIVE_INBOX, .at_ms = NOW_MS, .message_id = 3, .from = "+40711111111", .text = "two\nlines\n\nid: 9", .mr = -1, .code = -1, .status = -1 },
      "id: 41\nevent: inbox\ndata: {\"at\":\"2025-12-01T00:00:00.000Z\",\"id\":\"ab12-i3\",\"from\":\"+40711111111\",\"text\":\"two\\nlines\\n\\nid: 9\"}\n\n" },
    { { .kind = LIVE_MODEM, .at_ms = NOW_MS, .port = "\xff", .imei = "1", .iccid = "", .modem_state = "parked", .reason = "PIN", .mr = -1, .code = -1, .status = -1 },
      "id: 41\nevent: modem\ndata: {\"at\":\"2025-12-01T00:00:00.000Z\",\"port\":\"\xef\xbf\xbd\",\"modem\":\"1\",\"state\":\"parked\",\"reason\":\"PIN\"}\n\n" },
    { { .kind = LIVE_ALARM, .at_ms = NOW_MS, .raised = true, .reason = "every SIM rests", .mr = -1, .code = -1, .status = -1 },
      "id: 41\nevent: alarm\ndata: {\"at\":\"2025-12-01T00:00:00.000Z\",\"raised\":true,\"reason\":\"every SIM rests\"}\n\n" },
};

static void an_event_is_one_record_whatever_is_in_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        size_t length = 0;
        char *text = api_event_render("ab12", 41, &events[i].event, &length);
        assert_non_null(text);
        assert_string_equal(text, events[i].text);
        assert_int_equal(length, strlen(text));
        free(text);
    }
}

static void a_loss_is_told_without_an_id(void **state)
{
    size_t length;
    char *text = api_event_render_lost(5, 100, &length);

    (void)state;
    assert_string_equal(text, "event: lost\ndata: {\"after\":5,\"oldest\":100}\n\n");
    free(text);
}

static void a_stream_begins_where_its_client_left_off(void **state)
{
    static const struct { const char *header, *query; int status; uint64_t after; } rows[] = {
        { NULL, NULL, 200, UINT64_MAX }, { "17", NULL, 200, 17 }, { NULL, "after=17", 200, 17 }, { "18", "after=17", 200, 18 },
        { NULL, "after=0", 200, 0 }, { "", NULL, 200, UINT64_MAX }, { "x", NULL, 400, 0 }, { NULL, "after=-1", 400, 0 },
        { NULL, "after=9999999999999999999999", 400, 0 },
    };
    struct rig *rig = rig_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = ask(rig, &(struct ask){ .method = "GET", .path = "/v1/events", .query = rows[i].query, .last_event_id = rows[i].header });
        assert_int_equal(answer.response.status, rows[i].status);
        assert_int_equal(answer.response.stream, rows[i].status == 200);
        if (rows[i].status == 200)
            assert_true(answer.response.stream_after == rows[i].after);
        else
            assert_problem(&answer, 400, "bad_parameter", NULL);
        answer_done(&answer);
    }
    rig_free(rig);
}

static void incoming_texts_are_streamed_only_to_who_may_read_the_inbox(void **state)
{
    struct rig *rig = rig_new(NULL);
    static const struct { const char *body; bool inbox; } rows[] = {
        { "{\"name\":\"a\",\"scopes\":[\"read\"]}", false }, { "{\"name\":\"b\",\"scopes\":[\"read\",\"inbox\"]}", true },
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct answer key = ask(rig, &(struct ask){ .method = "POST", .path = "/v1/keys", .body = rows[i].body });
        struct answer answer = ask(rig, &(struct ask){ .method = "GET", .path = "/v1/events", .key = text_at(&key, "key") });
        assert_int_equal((answer.response.stream_kinds >> LIVE_INBOX) & 1, rows[i].inbox);
        assert_int_equal((answer.response.stream_kinds >> LIVE_MESSAGE) & 1, 1);
        answer_done(&answer);
        answer_done(&key);
    }
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modems_are_shown_with_what_is_known_of_them),
        cmocka_unit_test(what_a_modem_calls_itself_never_breaks_an_answer),
        cmocka_unit_test(health_is_ok_degraded_or_unavailable),
        cmocka_unit_test(metrics_speak_of_messages_parts_commits_and_modems),
        cmocka_unit_test(an_event_is_one_record_whatever_is_in_it),
        cmocka_unit_test(a_loss_is_told_without_an_id),
        cmocka_unit_test(a_stream_begins_where_its_client_left_off),
        cmocka_unit_test(incoming_texts_are_streamed_only_to_who_may_read_the_inbox),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
