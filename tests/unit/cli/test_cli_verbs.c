/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "tests/unit/cli/canned_server.h"
#include "tests/unit/cli/run_verb.h"

static struct run ask(struct canned_server *server, const char *const *replies, size_t count, int (*verb)(int, char **), const char *const *arguments)
{
    canned_start(server, replies, count);
    setenv("CELLPOST_SOCKET", server->path, 1);
    struct run done = run_verb(verb, arguments);
    canned_stop(server);
    return done;
}

static void a_shown_message_has_its_parts_history_and_no_forged_line(void **state)
{
    static const char *const replies[] = { REPLY("200 OK",
        "{\"id\":\"T-m1\",\"to\":\"+401\",\"text\":\"one\\nstate delivered\\u001b[0m\",\"state\":\"failed\",\"reason\":\"given up\",\"accepted_at\":\"2026-03-01T12:00:00.000Z\","
        "\"parts\":[{\"part\":1,\"state\":\"sent\",\"modem\":\"35\",\"sim\":\"89\",\"mr\":7,\"attempts\":1,\"attempt_log\":[{\"state\":\"sent\",\"report\":{\"status\":48}}]},"
        "{\"part\":2,\"state\":\"failed\",\"modem\":null,\"sim\":null,\"mr\":null,\"attempts\":2,\"attempt_log\":[{\"state\":\"not_sent\"},{\"state\":\"refused\",\"error\":\"cms\",\"error_code\":38}]}],"
        "\"history\":[{\"time\":\"2026-03-01T12:00:00.000Z\",\"state\":\"queued\",\"reason\":\"\"},{\"time\":\"2026-03-01T12:00:09.000Z\",\"state\":\"failed\",\"reason\":\"given up\"}]}") };
    static const char *const arguments[] = { "show", "--utc", "T-m1", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 1, cmd_show, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(server.requests[0], "GET /v1/messages/T-m1 "));
    assert_string_equal(done.out,
                        "id           T-m1\n"
                        "to           +401\n"
                        "state        failed\n"
                        "reason       given up\n"
                        "priority     0\n"
                        "report       not asked for\n"
                        "accepted     2026-03-01 12:00:00Z\n"
                        "text         | one\n"
                        "             | state delivered\\x1b[0m\n"
                        "\n"
                        "PART  STATE   ATTEMPTS  MR  MODEM  SIM  PRICE  LAST ATTEMPT\n"
                        "   1  sent           1   7  35     89       -  sent, report 0x30\n"
                        "   2  failed         2   -  -      -        -  refused, CMS 38\n"
                        "\n"
                        "TIME                  STATE   REASON\n"
                        "2026-03-01 12:00:00Z  queued  -\n"
                        "2026-03-01 12:00:09Z  failed  given up\n");
    canned_free(&server);
}

static void a_list_is_read_page_by_page_up_to_its_limit(void **state)
{
    static const char *const replies[] = {
        REPLY("200 OK", "{\"messages\":[{\"id\":\"T-m9\"},{\"id\":\"T-m8\"}],\"next\":\"T-m8\"}"),
        REPLY("200 OK", "{\"messages\":[{\"id\":\"T-m7\"}],\"next\":\"T-m7\"}"),
    };
    static const char *const arguments[] = { "list", "--json", "--limit", "3", "--to", "+401", "--since", "2026-03-01T00:00:00Z", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 2, cmd_list, arguments);
    json_t *page = json_loads(done.out, 0, NULL), *expected = json_pack("{s:[{s:s},{s:s},{s:s}], s:s}", "messages", "id", "T-m9", "id", "T-m8", "id", "T-m7", "next", "T-m7");

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_true(json_equal(page, expected));
    assert_non_null(strstr(server.requests[0], "GET /v1/messages?limit=3&to=%2B401&since=2026-03-01T00%3A00%3A00.000Z "));
    assert_non_null(strstr(server.requests[1], "GET /v1/messages?limit=1&before=T-m8&to=%2B401&since="));
    json_decref(page);
    json_decref(expected);
    canned_free(&server);
}

static void one_id_that_cannot_be_cancelled_does_not_stop_the_others(void **state)
{
    static const char *const replies[] = {
        REPLY("409 Conflict", "{\"code\":\"already_final\",\"detail\":\"It is over already: sent\"}"),
        REPLY("200 OK", "{\"id\":\"T-m2\",\"state\":\"cancelled\"}"),
    };
    static const char *const arguments[] = { "cancel", "T-m1", "T-m2", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 2, cmd_cancel, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_REFUSED);
    assert_non_null(strstr(server.requests[1], "POST /v1/messages/T-m2/cancel "));
    assert_non_null(strstr(done.err, "T-m1: It is over already: sent"));
    assert_non_null(strstr(done.out, "T-m2"));
    assert_non_null(strstr(done.out, "cancelled"));
    canned_free(&server);
}

static void release_and_drop_ask_for_each_id_and_say_what_became_of_it(void **state)
{
    static const struct { int (*run)(int, char **); const char *verb, *answer, *state; } rows[] = {
        { cmd_release, "release", REPLY("200 OK", "{\"id\":\"T-m2\",\"state\":\"queued\"}"), "queued" },
        { cmd_drop, "drop", REPLY("200 OK", "{\"id\":\"T-m2\",\"state\":\"unknown\"}"), "unknown" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const replies[] = {
            REPLY("409 Conflict", "{\"code\":\"not_in_doubt\",\"detail\":\"It is sent: nothing to decide\",\"state\":\"sent\"}"), rows[i].answer,
        };
        const char *const arguments[] = { rows[i].verb, "T-m1", "T-m2", NULL };
        char first[64], second[64];
        struct canned_server server;
        struct run done = ask(&server, replies, 2, rows[i].run, arguments);

        assert_int_equal(done.status, CLI_REFUSED);
        snprintf(first, sizeof first, "POST /v1/messages/T-m1/%s ", rows[i].verb);
        snprintf(second, sizeof second, "POST /v1/messages/T-m2/%s ", rows[i].verb);
        assert_non_null(strstr(server.requests[0], first));
        assert_non_null(strstr(server.requests[1], second));
        assert_non_null(strstr(done.err, "T-m1: It is sent: nothing to decide"));
        assert_non_null(strstr(done.err, "cellpost show ID"));
        assert_null(strstr(done.out, "T-m1"));
        assert_non_null(strstr(done.out, "T-m2"));
        assert_non_null(strstr(done.out, rows[i].state));
        canned_free(&server);
    }
}

static void a_release_whose_answer_is_lost_is_not_asked_for_again(void **state)
{
    static const char *const replies[] = { NULL, REPLY("200 OK", "{\"id\":\"T-m1\",\"state\":\"queued\"}") };
    static const char *const arguments[] = { "release", "T-m1", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 2, cmd_release, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_UNREACHABLE);
    assert_int_equal(server.request_count, 1);
    canned_free(&server);
}

#define STEP(state) "{\"time\":\"2026-03-01T12:00:00.000Z\",\"state\":\"" state "\",\"reason\":\"\"}"
#define SHOWN(state, history) REPLY("200 OK", "{\"id\":\"T-m1\",\"to\":\"+401\",\"text\":\"x\",\"state\":\"" state "\"," \
                                    "\"policy\":\"at_most_once\",\"parts\":[],\"history\":[" history "]}")

static void what_is_in_doubt_is_shown_with_what_can_be_done_about_it(void **state)
{
    static const struct { const char *reply, *state; bool advice; } rows[] = {
        { SHOWN("unknown", STEP("sending") "," STEP("unknown")), "unknown: it may or may not have been sent", true },
        { SHOWN("held", STEP("unknown") "," STEP("held")), "held: nobody knows whether it was sent; release sends it again, drop leaves it", true },
        { SHOWN("unknown", STEP("held") "," STEP("unknown")), "unknown: it may or may not have been sent", false },   /* dropped */
        { SHOWN("sent", STEP("sending") "," STEP("sent")), "sent", false },
    };
    static const char *const arguments[] = { "show", "T-m1", NULL }, *const as_json[] = { "show", "--json", "T-m1", NULL };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct canned_server server;
        struct run done = ask(&server, &rows[i].reply, 1, cmd_show, arguments);

        assert_int_equal(done.status, CLI_OK);
        assert_non_null(strstr(done.out, rows[i].state));
        assert_non_null(strstr(done.out, "policy       at_most_once\n"));
        assert_int_equal(strstr(done.err, "\"cellpost release T-m1\"") != NULL, rows[i].advice);
        assert_int_equal(strstr(done.err, "\"cellpost drop T-m1\"") != NULL, rows[i].advice);
        canned_free(&server);
        done = ask(&server, &rows[i].reply, 1, cmd_show, as_json);
        assert_string_equal(done.err, "");
        canned_free(&server);
    }
}

static void events_become_lines_and_the_unknown_kind_too(void **state)
{
    static const char *const replies[] = { "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        "id: 8\nevent: part\ndata: {\"at\":\"2026-03-01T12:00:00.250Z\",\"message\":\"T-m1\",\"part\":2,\"parts\":3,\"step\":\"on_air\",\"port\":\"/dev/ttyUSB0\"}\n\n"
        "id: 9\nevent: inbox\ndata: {\"at\":\"2026-03-01T12:00:01.000Z\",\"id\":\"T-i1\",\"from\":\"+402\",\"text\":\"a\\nb\\u001b\"}\n\n"
        "id: 10\nevent: novelty\ndata: {\"x\":1}\n\n" };
    static const char *const arguments[] = { "events", "--utc", "--after", "7", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 1, cmd_events, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strcasestr(server.requests[0], "Last-Event-ID: 7\r\n"));
    assert_string_equal(done.out,
                        "2026-03-01 12:00:00.250Z  part     T-m1 part 2 of 3 on the air, /dev/ttyUSB0\n"
                        "2026-03-01 12:00:01.000Z  inbox    T-i1 from +402: a\\nb\\x1b\n"
                        "-  novelty  {\"x\": 1}\n");
    canned_free(&server);
}

static void health_ends_with_1_where_no_messages_are_taken(void **state)
{
    static const char *const replies[] = { REPLY("503 Service Unavailable", "{\"status\":\"unavailable\",\"problems\":[\"the disk is full\",\"no modem is ready\"],\"modems\":{\"ready\":0}}") };
    static const char *const arguments[] = { "health", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 1, cmd_health, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_REFUSED);
    assert_string_equal(done.out, "status       unavailable\nproblems     the disk is full\nproblems     no modem is ready\nmodems ready 0\n");
    canned_free(&server);
}

static void a_new_key_is_alone_on_stdout(void **state)
{
    static const char *const replies[] = { REPLY("201 Created", "{\"name\":\"web\",\"key\":\"cp_secret\",\"scopes\":[\"send\",\"read\"]}") };
    static const char *const arguments[] = { "key", "add", "web", "--scope", "send,read", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 1, cmd_key, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_string_equal(done.out, "cp_secret\n");
    assert_non_null(strstr(server.requests[0], "{\"name\":\"web\",\"scopes\":[\"send\",\"read\"]}"));
    canned_free(&server);
}

static void a_key_is_made_with_a_patience_of_its_own(void **state)
{
    static const char *const replies[] = { REPLY("201 Created", "{\"name\":\"otp\",\"key\":\"cp_secret\",\"scopes\":[\"send\"],\"patience_s\":600}") };
    static const struct { const char *const arguments[6], *body; } rows[] = {
        { { "key", "add", "otp", "--patience", "10m", NULL }, "{\"name\":\"otp\",\"patience_s\":600}" },
        { { "key", "add", "otp", "--patience", "0", NULL }, "{\"name\":\"otp\",\"patience_s\":0}" },
        { { "key", "add", "otp", NULL }, "{\"name\":\"otp\"}" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct canned_server server;
        struct run done = ask(&server, replies, 1, cmd_key, rows[i].arguments);

        assert_int_equal(done.status, CLI_OK);
        assert_non_null(strstr(server.requests[0], rows[i].body));
        canned_free(&server);
    }
}

static void keys_are_listed_with_their_patience(void **state)
{
    static const char *const replies[] = {
        REPLY("200 OK", "{\"keys\":[{\"name\":\"news\",\"scopes\":[\"send\"],\"patience_s\":7200,\"created_at\":\"2025-12-01T00:00:00.000Z\"},"
                        "{\"name\":\"otp\",\"scopes\":[\"send\",\"read\"],\"patience_s\":0,\"created_at\":\"2025-12-01T00:00:01.000Z\"},"
                        "{\"name\":\"web\",\"scopes\":[\"send\"],\"created_at\":\"2025-12-01T00:00:02.000Z\"}]}"),
    };
    static const char *const arguments[] = { "key", "list", "--utc", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 1, cmd_key, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_string_equal(done.out, "NAME  CREATED               PATIENCE  SCOPES\n"
                                  "news  2025-12-01 00:00:00Z    7200 s  send\n"
                                  "otp   2025-12-01 00:00:01Z       0 s  send read\n"
                                  "web   2025-12-01 00:00:02Z         -  send\n");
    canned_free(&server);
}

static void patience_goes_with_a_new_key_alone_and_is_a_duration(void **state)
{
    static const char *const rows[][6] = {
        { "key", "list", "--patience", "10m", NULL }, { "key", "remove", "a", "--patience", "0", NULL },
        { "key", "add", "a", "--patience", "soon", NULL }, { "key", "add", "a", "--patience=-1", NULL },
    };

    (void)state;
    setenv("CELLPOST_SOCKET", "/nonexistent/api.sock", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(run_verb(cmd_key, rows[i]).status, CLI_USAGE);
}

static void the_opt_out_list_is_a_table_and_goes_on_behind_its_last_number(void **state)
{
    static const char *const replies[] = {
        REPLY("200 OK", "{\"opt_outs\":[{\"number\":\"+40722000001\",\"opted_out_at\":\"2025-12-01T00:00:00.000Z\",\"source\":\"sms\",\"word\":\"STOP\","
                        "\"confirmed_at\":\"2025-12-01T00:00:00.000Z\"}],\"next\":\"+40722000001\"}"),
        REPLY("200 OK", "{\"opt_outs\":[{\"number\":\"+40722000002\",\"opted_out_at\":\"2025-12-01T00:00:01.000Z\",\"source\":\"uid:0\"}],\"next\":null}"),
    };
    static const char *const arguments[] = { "optout", "list", "--utc", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 2, cmd_optout, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(server.requests[1], "GET /v1/opt-outs?limit=99&after=%2B40722000001 "));
    assert_non_null(strstr(done.out, "+40722000001  2025-12-01 00:00:00Z  2025-12-01 00:00:00Z  sms STOP\n"));
    assert_non_null(strstr(done.out, "+40722000002  2025-12-01 00:00:01Z  -                     uid:0\n"));
    canned_free(&server);
}

static void a_number_is_put_on_the_opt_out_list_and_taken_off_it(void **state)
{
    static const char *const replies[] = { REPLY("201 Created", "{\"number\":\"+40722000001\",\"opted_out_at\":\"2025-12-01T00:00:00.000Z\",\"source\":\"uid:0\"}") };
    static const char *const gone[] = { "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n" };
    static const char *const nobody[] = { REPLY("404 Not Found", "{\"title\":\"Not Found\",\"status\":404,\"code\":\"no_such_opt_out\",\"detail\":\"not on the list\"}") };
    static const char *const add[] = { "optout", "add", "+40 722 000 001", "--json", NULL }, *const take[] = { "optout", "remove", "+40722000001", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 1, cmd_optout, add);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(server.requests[0], "PUT /v1/opt-outs/%2B40%20722%20000%20001 "));
    assert_non_null(strstr(done.out, "\"number\": \"+40722000001\""));
    canned_free(&server);
    done = ask(&server, gone, 1, cmd_optout, take);
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(server.requests[0], "DELETE /v1/opt-outs/%2B40722000001 "));
    assert_non_null(strstr(done.err, "+40722000001 gets messages again."));
    canned_free(&server);
    done = ask(&server, nobody, 1, cmd_optout, take);
    assert_int_equal(done.status, CLI_REFUSED);
    canned_free(&server);
}

static void the_credits_of_the_box_are_told_with_what_to_do(void **state)
{
    static const char *const replies[] = { REPLY("200 OK",
        "{\"state\":\"expiring\",\"advice\":\"Bring the box online.\",\"account\":\"shop\",\"available_micro\":6500000,\"reserved_micro\":4000000,"
        "\"captured_micro\":0,\"waiting\":3,\"lease\":{\"id\":7,\"state\":\"open\",\"granted_micro\":10500000,\"until\":\"2025-12-05T00:00:00.000Z\","
        "\"price_version\":1},\"prices\":[{\"prefix\":\"40\",\"gsm7\":{\"part_micro\":1000000,\"parts\":6},\"ucs2\":{\"refused\":true}}],\"next\":null}") };
    static const char *const free_replies[] = { REPLY("200 OK", "{\"state\":\"free\",\"advice\":\"No account.\"}") };
    static const char *const arguments[] = { "balance", "--utc", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 1, cmd_balance, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(server.requests[0], "GET /v1/balance?limit=1000 "));
    assert_non_null(strstr(done.out, "expiring\n"));
    assert_non_null(strstr(done.out, "6.50\n"));
    assert_non_null(strstr(done.out, "2025-12-05 00:00:00Z\n"));
    assert_non_null(strstr(done.out, "40       1.00      6  refused      -\n"));
    assert_non_null(strstr(done.err, "Bring the box online."));
    canned_free(&server);
    done = ask(&server, free_replies, 1, cmd_balance, arguments);
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(done.out, "free\n"));
    assert_null(strstr(done.out, "available"));
    canned_free(&server);
}

static void the_ledger_is_a_table_that_goes_on(void **state)
{
    static const char *const replies[] = { REPLY("200 OK",
        "{\"postings\":[{\"id\":\"T-p9\",\"at\":\"2025-12-01T00:00:00.000Z\",\"reason\":\"capture\",\"lease\":7,\"from\":\"reserved\",\"to\":\"captured\","
        "\"micro\":49000,\"message\":\"T-m4\",\"part\":2,\"journal\":3}],\"next\":\"T-p9\"}") };
    static const char *const arguments[] = { "ledger", "--utc", "-n", "1", NULL }, *const both[] = { "ledger", "--before", "T-p1", "--after", "T-p2", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 1, cmd_ledger, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(server.requests[0], "GET /v1/ledger?limit=1 "));
    assert_non_null(strstr(done.out, "T-p9  2025-12-01 00:00:00Z  capture      7    0.049  reserved  captured  T-m4 part 2\n"));
    assert_non_null(strstr(done.err, "--before T-p9"));
    canned_free(&server);
    done = ask(&server, replies, 1, cmd_ledger, both);
    assert_int_equal(done.status, CLI_USAGE);
    canned_free(&server);
}

static void top_into_a_pipe_is_one_snapshot_without_escapes(void **state)
{
    static const char *const replies[] = {
        REPLY("200 OK", "{\"modems\":[{\"port\":\"/dev/ttyUSB0\",\"state\":\"sending\",\"signal_dbm\":-71,\"sent\":12,\"busy_ms\":995,\"since_ready_ms\":1000,"
                        "\"on_air\":{\"message\":\"T-m1\",\"part\":1,\"parts\":2}}]}"),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
        "cellpost_accepting 1\ncellpost_messages{state=\"queued\"} 42\ncellpost_messages{state=\"held\"} 3\ncellpost_parts_total{result=\"sent\"} 12\n",
    };
    static const char *const arguments[] = { "top", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 2, cmd_top, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(done.out, "42 queued"));
    assert_non_null(strstr(done.out, "3 held\n"));
    assert_non_null(strstr(done.out, "/dev/ttyUSB0  sending  -71 dBm  99.5 %    12        0        0         0  T-m1 part 1 of 2\n"));
    assert_null(strchr(done.out, '\033'));
    canned_free(&server);
}

static void json_on_stdout_holds_nothing_that_a_terminal_obeys(void **state)
{
    static const char *const replies[] = { REPLY("200 OK", "{\"id\":\"T-m1\",\"text\":\"\xC2\x9B\xE2\x80\xAE\\u001b\"}") };
    static const char *const arguments[] = { "show", "--json", "T-m1", NULL };
    struct canned_server server;
    struct run done = ask(&server, replies, 1, cmd_show, arguments);

    (void)state;
    assert_string_equal(done.out, "{\"id\": \"T-m1\", \"text\": \"\\u009b\\u202e\\u001B\"}\n");
    canned_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shown_message_has_its_parts_history_and_no_forged_line),
        cmocka_unit_test(a_list_is_read_page_by_page_up_to_its_limit),
        cmocka_unit_test(one_id_that_cannot_be_cancelled_does_not_stop_the_others),
        cmocka_unit_test(release_and_drop_ask_for_each_id_and_say_what_became_of_it),
        cmocka_unit_test(a_release_whose_answer_is_lost_is_not_asked_for_again),
        cmocka_unit_test(what_is_in_doubt_is_shown_with_what_can_be_done_about_it),
        cmocka_unit_test(events_become_lines_and_the_unknown_kind_too),
        cmocka_unit_test(health_ends_with_1_where_no_messages_are_taken),
        cmocka_unit_test(a_new_key_is_alone_on_stdout),
        cmocka_unit_test(a_key_is_made_with_a_patience_of_its_own),
        cmocka_unit_test(keys_are_listed_with_their_patience),
        cmocka_unit_test(patience_goes_with_a_new_key_alone_and_is_a_duration),
        cmocka_unit_test(the_opt_out_list_is_a_table_and_goes_on_behind_its_last_number),
        cmocka_unit_test(a_number_is_put_on_the_opt_out_list_and_taken_off_it),
        cmocka_unit_test(the_credits_of_the_box_are_told_with_what_to_do),
        cmocka_unit_test(the_ledger_is_a_table_that_goes_on),
        cmocka_unit_test(top_into_a_pipe_is_one_snapshot_without_escapes),
        cmocka_unit_test(json_on_stdout_holds_nothing_that_a_terminal_obeys),
    };
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
