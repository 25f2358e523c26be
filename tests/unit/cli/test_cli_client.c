/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "firmware/cellpost/client.h"
#include "tests/unit/cli/canned_server.h"

#define HEAD "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nConnection: close\r\n"
#define ACCEPTED HEAD "Idempotency-Replayed: true\r\nContent-Length: 13\r\n\r\n{\"batch\":\"b\"}"

static const struct client_request post = { .method = "POST", .target = "/v1/messages", .body = "{\"to\":\"+1\"}", .idempotency_key = "key-1" };

static int call(const char *path, const struct client_request *request, struct client_answer *ret_answer)
{
    const struct client_config config = { .socket_path = path, .answer_timeout_ms = 20000, .retry_wait_ms = 1 };
    struct client *client;
    int r = client_new(&config, &client);

    if (r < 0)
        return r;
    r = client_call(client, request, ret_answer);
    client_free(client);
    return r;
}

static void an_answer_comes_with_its_status_headers_and_json(void **state)
{
    static const char *const replies[] = { "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{\"code\":\"busy\"}" };
    struct canned_server server;
    struct client_answer answer;

    (void)state;
    canned_start(&server, replies, 1);
    assert_int_equal(call(server.path, &post, &answer), 0);
    canned_stop(&server);
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.retry_after_s, 30);
    assert_false(answer.replayed);
    assert_string_equal(json_string_value(json_object_get(answer.json, "code")), "busy");
    client_answer_done(&answer);
    assert_non_null(strstr(server.requests[0], "POST /v1/messages HTTP/1.1\r\n"));
    assert_non_null(strcasestr(server.requests[0], "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(server.requests[0], "\r\n\r\n{\"to\":\"+1\"}"));
    canned_free(&server);
}

static void a_lost_answer_is_asked_for_again_with_the_same_key_and_octets(void **state)
{
    /* Lost whole, then lost in the middle, then there. */
    static const char *const replies[] = { NULL, HEAD "Content-Length: 13\r\n\r\n{\"bat", ACCEPTED };
    struct canned_server server;
    struct client_answer answer;

    (void)state;
    canned_start(&server, replies, 3);
    assert_int_equal(call(server.path, &post, &answer), 0);
    canned_stop(&server);
    assert_int_equal(answer.status, 202);
    assert_int_equal(answer.tries, 3);
    assert_true(answer.replayed);
    assert_string_equal(answer.body, "{\"batch\":\"b\"}");
    client_answer_done(&answer);
    assert_int_equal(server.request_count, 3);
    assert_non_null(strstr(server.requests[0], "\r\nIdempotency-Key: key-1\r\n"));
    assert_string_equal(server.requests[0], server.requests[1]);
    assert_string_equal(server.requests[0], server.requests[2]);
    canned_free(&server);
}

static void after_three_lost_answers_the_caller_decides(void **state)
{
    static const char *const replies[] = { NULL, NULL, NULL, ACCEPTED };
    struct canned_server server;
    struct client_answer answer;

    (void)state;
    canned_start(&server, replies, 4);
    int r = call(server.path, &post, &answer);
    canned_stop(&server);
    assert_int_equal(r, -EPIPE);
    assert_false(client_error_is_connect(r));
    assert_int_equal(server.request_count, CLIENT_TRIES_MAX);
    canned_free(&server);
}

static void what_has_no_key_and_changes_something_is_never_asked_twice(void **state)
{
    static const char *const replies[] = { NULL, ACCEPTED };
    const struct client_request remove = { .method = "DELETE", .target = "/v1/keys/a" };
    struct canned_server server;
    struct client_answer answer;

    (void)state;
    canned_start(&server, replies, 2);
    assert_int_equal(call(server.path, &remove, &answer), -EPIPE);
    canned_stop(&server);
    assert_int_equal(server.request_count, 1);
    canned_free(&server);
}

static void a_gateway_that_went_away_after_a_lost_answer_leaves_a_doubt(void **state)
{
    static const char *const replies[] = { NULL };
    struct canned_server server;
    struct client_answer answer;

    (void)state;
    canned_start(&server, replies, 1);
    int r = call(server.path, &post, &answer);   /* the second try finds nobody; "no socket" alone would say that nothing was asked */
    canned_stop(&server);
    assert_int_equal(r, -EPIPE);
    assert_false(client_error_is_connect(r));
    assert_int_equal(server.request_count, 1);
    canned_free(&server);
}

static void nobody_there_is_said_at_once_and_by_its_reason(void **state)
{
    char dir[] = "/tmp/test-cli-XXXXXX", path[64], too_long[200];
    struct client_answer answer;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/api.sock", dir);
    assert_int_equal(call(path, &post, &answer), -ENOENT);

    FILE *file = fopen(path, "w");   /* a file that is no socket */
    assert_non_null(file);
    fclose(file);
    int r = call(path, &post, &answer);
    assert_true(r == -ECONNREFUSED || r == -ENOTSOCK);
    unlink(path);

    struct sockaddr_un address = { .sun_family = AF_UNIX };   /* a socket that nobody listens on */
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(call(path, &post, &answer), -ECONNREFUSED);
    close(fd);
    unlink(path);
    rmdir(dir);

    memset(too_long, 'x', sizeof too_long);
    too_long[0] = '/';
    too_long[sizeof too_long - 1] = '\0';
    assert_int_equal(call(too_long, &post, &answer), -ENAMETOOLONG);
    assert_true(client_error_is_connect(-ENOENT) && client_error_is_connect(-ECONNREFUSED) && client_error_is_connect(-ENAMETOOLONG));
}

static void what_speaks_no_http_is_no_gateway(void **state)
{
    static const char *const replies[] = { "220 mail ESMTP\r\n" };
    struct canned_server server;
    struct client_answer answer;

    (void)state;
    canned_start(&server, replies, 1);
    assert_int_equal(call(server.path, &post, &answer), -EPROTO);
    canned_stop(&server);
    assert_int_equal(server.request_count, 1);
    canned_free(&server);
}

static void a_stream_gives_its_events_and_then_its_end(void **state)
{
    static const char *const replies[] = { "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
                                           ": hello\n\nid: 4\nevent: part\ndata: {}\n\nid: 5\ndata: x\n\n" };
    struct canned_server server;
    struct client_stream *stream;
    struct client_answer refusal = { 0 };
    struct sse_event event;

    (void)state;
    canned_start(&server, replies, 1);
    const struct client_config config = { .socket_path = server.path };
    assert_int_equal(client_stream_open(&config, "/v1/events", "3", &stream, &refusal), 0);
    assert_int_equal(client_stream_next(stream, 20000, -1, &event), 1);
    assert_string_equal(event.id, "4");
    assert_string_equal(event.name, "part");
    assert_int_equal(client_stream_next(stream, 20000, -1, &event), 1);
    assert_string_equal(event.data, "x");
    assert_int_equal(client_stream_next(stream, 20000, -1, &event), -EPIPE);
    client_stream_close(stream);
    canned_stop(&server);
    assert_non_null(strcasestr(server.requests[0], "\r\nLast-Event-ID: 3\r\n"));
    canned_free(&server);
}

static void a_refused_stream_says_why(void **state)
{
    static const char *const replies[] = { "HTTP/1.1 400 Bad Request\r\nContent-Length: 24\r\nConnection: close\r\n\r\n{\"code\":\"bad_parameter\"}" };
    struct canned_server server;
    struct client_stream *stream;
    struct client_answer refusal = { 0 };

    (void)state;
    canned_start(&server, replies, 1);
    const struct client_config config = { .socket_path = server.path };
    assert_int_equal(client_stream_open(&config, "/v1/events", NULL, &stream, &refusal), -EBADMSG);
    canned_stop(&server);
    assert_int_equal(refusal.status, 400);
    assert_string_equal(json_string_value(json_object_get(refusal.json, "code")), "bad_parameter");
    client_answer_done(&refusal);
    canned_free(&server);
}

static void targets_are_encoded_and_cannot_leave_their_collection(void **state)
{
    struct client_target target;

    (void)state;
    client_target_begin(&target, "/v1/messages");
    client_target_segment(&target, "a/b ?#%");
    client_target_query(&target, "to", "+40 7&x=1");
    client_target_query(&target, "state", NULL);
    client_target_query(&target, "ref", "\xC4\x83");
    assert_string_equal(target.text, "/v1/messages/a%2Fb%20%3F%23%25?to=%2B40%207%26x%3D1&ref=%C4%83");
    assert_false(target.overflow);
    for (const char *const *bad = (const char *const[]){ "..", ".", "", NULL }; *bad != NULL; bad++) {
        client_target_begin(&target, "/v1/messages");
        client_target_segment(&target, *bad);
        assert_true(target.overflow);
    }
    client_target_begin(&target, "/v1/messages");
    for (int i = 0; i < 1000; i++)
        client_target_query(&target, "to", "+40");
    assert_true(target.overflow && target.length < sizeof target.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_with_its_status_headers_and_json),
        cmocka_unit_test(a_lost_answer_is_asked_for_again_with_the_same_key_and_octets),
        cmocka_unit_test(after_three_lost_answers_the_caller_decides),
        cmocka_unit_test(what_has_no_key_and_changes_something_is_never_asked_twice),
        cmocka_unit_test(a_gateway_that_went_away_after_a_lost_answer_leaves_a_doubt),
        cmocka_unit_test(nobody_there_is_said_at_once_and_by_its_reason),
        cmocka_unit_test(what_speaks_no_http_is_no_gateway),
        cmocka_unit_test(a_stream_gives_its_events_and_then_its_end),
        cmocka_unit_test(a_refused_stream_says_why),
        cmocka_unit_test(targets_are_encoded_and_cannot_leave_their_collection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
