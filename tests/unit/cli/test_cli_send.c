/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/recipients.h"
#include "tests/unit/cli/canned_server.h"
#include "tests/unit/cli/run_verb.h"

#define ACCEPTED_ONE REPLY("202 Accepted", "{\"batch\":\"T-b1\",\"messages\":[{\"id\":\"T-m1\",\"to\":\"+401\",\"parts\":1,\"encoding\":\"gsm7\",\"state\":\"queued\"}]}")
#define ACCEPTED_TWO REPLY("202 Accepted", "{\"batch\":\"T-b1\",\"messages\":[" \
    "{\"id\":\"T-m1\",\"to\":\"+401\",\"parts\":1,\"encoding\":\"gsm7\",\"state\":\"queued\"}," \
    "{\"id\":\"T-m2\",\"to\":\"x\",\"state\":\"rejected\",\"error\":{\"code\":\"bad_number\",\"detail\":\"\\\"x\\\" is no number\"}}]}")
#define NO_STREAM REPLY("404 Not Found", "{\"code\":\"no_such_path\",\"detail\":\"nothing here\"}")
#define LIST(state) REPLY("200 OK", "{\"messages\":[{\"id\":\"T-m1\",\"to\":\"+401\",\"state\":\"" state "\",\"reason\":\"why\"}],\"next\":null}")

/* One run against canned replies; the body of the first request in *ret_body, or NULL. */
static struct run send_to(struct canned_server *server, const char *const *replies, size_t count, const char *const *arguments, json_t **ret_body)
{
    canned_start(server, replies, count);
    setenv("CELLPOST_SOCKET", server->path, 1);
    struct run done = run_verb(cmd_send, arguments);
    canned_stop(server);
    const char *body = server->request_count > 0 ? strstr(server->requests[0], "\r\n\r\n") : NULL;
    *ret_body = body != NULL ? json_loads(body + 4, JSON_REJECT_DUPLICATES, NULL) : NULL;
    return done;
}

static void key_of(const char *request, char ret_key[64])
{
    const char *at = strstr(request, "\r\nIdempotency-Key: ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\r\nIdempotency-Key: %63[^\r]", ret_key), 1);
}

static void every_option_reaches_the_request(void **state)
{
    static const char *const replies[] = { ACCEPTED_ONE };
    static const char *const arguments[] = { "send", "--to", "+401", "--to", "+402", "--priority", "9", "--at", "2100-01-02T03:04:05+01:00", "--validity", "2h",
                                             "--no-report", "--flash", "--encoding", "ucs2", "--at-least-once", "--ref", "order 7", "text ă", NULL };
    struct canned_server server;
    json_t *body, *expected = json_pack("{s:[s,s], s:s, s:i, s:s, s:i, s:b, s:i, s:s, s:s, s:s}", "to", "+401", "+402", "text", "text ă", "priority", 9,
                                        "schedule_at", "2100-01-02T02:04:05.000Z", "validity_s", 7200, "report", 0, "class", 0, "encoding", "ucs2",
                                        "policy", "at_least_once", "client_ref", "order 7");
    struct run done = send_to(&server, replies, 1, arguments, &body);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_true(json_equal(body, expected));
    assert_non_null(strstr(done.out, "T-m1"));
    json_decref(body);
    json_decref(expected);
    canned_free(&server);
}

static void each_run_has_its_own_key_unless_one_is_given(void **state)
{
    static const char *const replies[] = { ACCEPTED_ONE };
    static const char *const arguments[] = { "send", "+401", "hi", NULL };
    static const char *const with_key[] = { "send", "--idempotency-key", "order-7", "+401", "hi", NULL };
    char keys[2][64], given[64];
    struct canned_server server;
    json_t *body;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(send_to(&server, replies, 1, arguments, &body).status, CLI_OK);
        key_of(server.requests[0], keys[i]);
        assert_string_equal(json_string_value(json_object_get(body, "to")), "+401");
        assert_null(json_object_get(body, "policy"));   /* at most once is what the gateway does unasked */
        json_decref(body);
        canned_free(&server);
    }
    assert_int_equal(strlen(keys[0]), 36);
    assert_string_not_equal(keys[0], keys[1]);
    assert_int_equal(send_to(&server, replies, 1, with_key, &body).status, CLI_OK);
    key_of(server.requests[0], given);
    assert_string_equal(given, "order-7");
    json_decref(body);
    canned_free(&server);
}

static void one_refused_recipient_of_two_ends_with_1_and_says_which(void **state)
{
    static const char *const replies[] = { ACCEPTED_TWO };
    static const char *const arguments[] = { "send", "--to", "+401", "--to", "x", "hi", NULL };
    struct canned_server server;
    json_t *body;
    struct run done = send_to(&server, replies, 1, arguments, &body);

    (void)state;
    assert_int_equal(done.status, CLI_REFUSED);
    assert_non_null(strstr(done.err, "x: \"x\" is no number"));
    assert_non_null(strstr(done.out, "T-m1"));
    json_decref(body);
    canned_free(&server);
}

static void a_refusal_shows_detail_pointer_and_what_to_do(void **state)
{
    static const char *const replies[] = { REPLY("422 Unprocessable Content", "{\"code\":\"too_many_parts\",\"detail\":\"The text takes\\u001b[2J 12 parts\",\"pointer\":\"/text\"}") };
    static const char *const arguments[] = { "send", "+401", "hi", NULL };
    static const char *const as_json[] = { "send", "--json", "+401", "hi", NULL };
    struct canned_server server;
    json_t *body;
    struct run done = send_to(&server, replies, 1, arguments, &body);

    (void)state;
    assert_int_equal(done.status, CLI_REFUSED);
    assert_string_equal(done.out, "");
    assert_non_null(strstr(done.err, "The text takes\\x1b[2J 12 parts (at /text)"));
    assert_non_null(strstr(done.err, "cellpost segments"));
    json_decref(body);
    canned_free(&server);

    done = send_to(&server, replies, 1, as_json, &body);
    assert_int_equal(done.status, CLI_REFUSED);
    assert_non_null(strstr(done.out, "\"too_many_parts\""));
    json_decref(body);
    canned_free(&server);
}

static void waiting_ends_by_how_the_message_ended(void **state)
{
    static const struct { const char *wait, *end; int status; } rows[] = {
        { "--wait", LIST("delivered"), CLI_OK },
        { "--wait=delivered", LIST("undelivered"), CLI_REFUSED },
        { "--wait=sent", LIST("sent"), CLI_OK },
        { "--wait=sent", LIST("failed"), CLI_REFUSED },
        { "--wait=sent", LIST("undelivered"), CLI_OK },
        { "--wait", LIST("unknown"), CLI_REFUSED },
        { "--wait", LIST("held"), CLI_REFUSED },
        { "--wait=sent", LIST("held"), CLI_REFUSED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const replies[] = { ACCEPTED_ONE, NO_STREAM, rows[i].end };
        const char *const arguments[] = { "send", "--json", rows[i].wait, "+401", "hi", NULL };
        struct canned_server server;
        json_t *body;
        struct run done = send_to(&server, replies, 3, arguments, &body);

        assert_int_equal(done.status, rows[i].status);
        assert_int_equal(server.request_count, 3);
        assert_non_null(strstr(server.requests[1], "GET /v1/events "));
        assert_non_null(strstr(server.requests[2], "GET /v1/messages?limit=1000&batch=T-b1 "));
        json_decref(body);
        body = json_loads(done.out, 0, NULL);   /* the answer to POST, with the last state in it */
        const char *last = json_string_value(json_object_get(json_array_get(json_object_get(body, "messages"), 0), "state"));
        assert_non_null(strstr(rows[i].end, last));
        json_decref(body);
        canned_free(&server);
    }
}

static void the_stream_tells_a_waiting_sender_without_asking(void **state)
{
    static const char *const replies[] = {
        ACCEPTED_ONE,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        "id: 1\nevent: part\ndata: {\"message\":\"T-m1\",\"part\":1,\"parts\":1,\"step\":\"sent\",\"port\":\"p\"}\n\n"
        "id: 2\nevent: message\ndata: {\"id\":\"T-m9\",\"state\":\"failed\"}\n\n"
        "id: 3\nevent: message\ndata: {\"id\":\"T-m1\",\"state\":\"delivered\"}\n\n",
        LIST("sending"),
    };
    static const char *const arguments[] = { "send", "--wait", "+401", "hi", NULL };
    struct canned_server server;
    json_t *body;
    struct run done = send_to(&server, replies, 3, arguments, &body);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(done.out, "delivered"));
    json_decref(body);
    canned_free(&server);
}

static void what_cannot_be_meant_is_refused_before_anything_is_asked(void **state)
{
    static const char *const rows[][8] = {
        { "send", NULL }, { "send", "+401", NULL }, { "send", "+401", "two", "words", NULL }, { "send", "--to", "+401", NULL },
        { "send", "--priority", "10", "+401", "x", NULL }, { "send", "--priority", "", "+401", "x", NULL }, { "send", "--at", "25:00", "+401", "x", NULL },
        { "send", "--at", "2001-01-01", "+401", "x", NULL }, { "send", "--validity", "0", "+401", "x", NULL }, { "send", "--encoding", "utf8", "+401", "x", NULL },
        { "send", "--wait=soon", "+401", "x", NULL }, { "send", "--idempotency-key", "a b", "+401", "x", NULL }, { "send", "--frobnicate", "+401", "x", NULL },
        { "send", "+401", "bad \xFF", NULL }, { "send", "\xFF", "x", NULL }, { "send", "--ref", "\xFF", "+401", "x", NULL },
        { "send", "--file", "/nonexistent/numbers", "x", NULL }, { "send", "--file", "-", "-", NULL }, { "send", "--to", NULL }, { "send", "+401", "-hello", NULL },
        { "send", "+401", "-test", NULL }, { "send", "+401", "-5 degrees", NULL }, { "send", "+401", "-jokes", NULL }, { "send", "+401", "--json?", NULL },
    };
    (void)state;
    setenv("CELLPOST_SOCKET", "/nonexistent/api.sock", 1);   /* asked, it would end with 3 */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *empty = freopen("/dev/null", "r", stdin);
        assert_non_null(empty);
        struct run done = run_verb(cmd_send, rows[i]);
        if (done.status != CLI_USAGE || done.err[0] == '\0')
            fail_msg("row %zu ended with %d: %s", i, done.status, done.err);
    }
}

static void nobody_there_names_the_socket_and_what_to_do(void **state)
{
    static const char *const arguments[] = { "send", "+401", "x", NULL };
    static const char *const elsewhere[] = { "send", "--socket", "/nonexistent/other.sock", "+401", "x", NULL };

    (void)state;
    setenv("CELLPOST_SOCKET", "/nonexistent/api.sock", 1);
    struct run done = run_verb(cmd_send, arguments);
    assert_int_equal(done.status, CLI_UNREACHABLE);
    assert_non_null(strstr(done.err, "/nonexistent/api.sock"));
    assert_non_null(strstr(done.err, "systemctl status cellpostd"));
    done = run_verb(cmd_send, elsewhere);
    assert_int_equal(done.status, CLI_UNREACHABLE);
    assert_non_null(strstr(done.err, "/nonexistent/other.sock"));
}

static void a_file_of_recipients_is_read_as_people_write_it(void **state)
{
    static char text[] = "\xEF\xBB\xBF+401\r\n\r\n# staff\n  +40 2 # Ana\n\t+403";
    FILE *file = fmemopen(text, sizeof text - 1, "r");
    struct recipients recipients = { 0 };
    unsigned line;

    (void)state;
    assert_int_equal(recipients_read(&recipients, file, &line), 0);
    fclose(file);
    assert_int_equal(recipients.count, 3);
    assert_string_equal(recipients.numbers[0], "+401");
    assert_string_equal(recipients.numbers[1], "+40 2");
    assert_string_equal(recipients.numbers[2], "+403");
    recipients_done(&recipients);
}

static void a_file_of_recipients_fails_by_its_line(void **state)
{
    static char bad[] = "+401\n\xFF\n", overlong[600];
    struct recipients recipients = { 0 };
    unsigned line;

    (void)state;
    FILE *file = fmemopen(bad, sizeof bad - 1, "r");
    assert_int_equal(recipients_read(&recipients, file, &line), -EILSEQ);
    assert_int_equal(line, 2);
    fclose(file);
    recipients_done(&recipients);

    memset(overlong, '1', sizeof overlong);
    file = fmemopen(overlong, sizeof overlong, "r");
    assert_int_equal(recipients_read(&recipients, file, &line), -EMSGSIZE);
    assert_int_equal(line, 1);
    fclose(file);
    recipients_done(&recipients);

    while (recipients_add(&recipients, "+401") == 0)
        assert_true(recipients.count <= RECIPIENTS_MAX);
    assert_int_equal(recipients.count, RECIPIENTS_MAX);
    recipients_done(&recipients);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_reaches_the_request),
        cmocka_unit_test(each_run_has_its_own_key_unless_one_is_given),
        cmocka_unit_test(one_refused_recipient_of_two_ends_with_1_and_says_which),
        cmocka_unit_test(a_refusal_shows_detail_pointer_and_what_to_do),
        cmocka_unit_test(waiting_ends_by_how_the_message_ended),
        cmocka_unit_test(the_stream_tells_a_waiting_sender_without_asking),
        cmocka_unit_test(what_cannot_be_meant_is_refused_before_anything_is_asked),
        cmocka_unit_test(nobody_there_names_the_socket_and_what_to_do),
        cmocka_unit_test(a_file_of_recipients_is_read_as_people_write_it),
        cmocka_unit_test(a_file_of_recipients_fails_by_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
