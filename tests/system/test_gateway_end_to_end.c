/* SPDX-License-Identifier: Apache-2.0
 *
 * test_gateway_end_to_end.c - one gateway, two simulated modems, and what people do with them. The bank says what was
 * really on the air. */
#include "tests/system/fixture.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct harness *gateway;   /* of all tests here */
static unsigned tcp_port;

/* A port that nobody has now. */
static unsigned free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    HARNESS_CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                  getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

static bool two_came_in(struct harness *harness, const void *context)
{
    (void)context;
    return harness->witness.incoming >= 2;
}

/* Two messages reach the first modem before there is a gateway. */
static int start_gateway(void **state)
{
    struct harness_options options = { .modems = 2, .bank = { QUICK_BANK, "--air-ms", "100" } };
    struct harness *harness = fixture_open(state, &options);
    char listen[48];

    bank_tell_ok(harness, "incoming 0 +40722000001 Waiting since before you came");
    bank_tell_ok(harness, "incoming 0 +40722000002 Și eu, дуже давно");
    HARNESS_CHECK(harness_wait(harness, two_came_in, NULL, WAIT_MS));
    tcp_port = free_port();
    (void)snprintf(listen, sizeof listen, "listen = 127.0.0.1:%u\n", tcp_port);
    harness->options.api = listen;
    harness_write_config(harness);
    harness->options.api = NULL;
    harness_start(harness);
    HARNESS_CHECK(harness_wait_modems(harness, "ready", 2, WAIT_MS));
    gateway = harness;
    return 0;
}

/* Sends, and sees it delivered with its text and in so many parts, each once. */
static void send_and_check(struct harness *harness, const char *to, const char *sent, unsigned parts)
{
    char id[32], *text;

    harness_send(harness, to, sent, id);
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
    witness_read(&harness->witness);
    assert_int_equal(witness_count(&harness->witness, to), parts);
    text = witness_text(&harness->witness, to);
    assert_string_equal(text, sent);
    free(text);
}

static void a_message_is_on_the_air_once_and_then_delivered(void **state)
{
    send_and_check(*state, "+40711000001", "Hello from Cellpost", 1);
}

static void a_long_cyrillic_text_arrives_whole(void **state)
{
    send_and_check(*state, "+40711000002",
                   "Доброго дня! Це довге повідомлення кирилицею: воно не вміщується в одну частину, тому шлюз ділить його на кілька, "
                   "надсилає їх одним модемом одну за одною, і телефон складає їх знову в один текст. Жодна літера не загубиться.", 4);
}

static void an_emoji_arrives_whole(void **state)
{
    send_and_check(*state, "+40711000003", "Ready for take-off 🚀 at nine, bring 🥐", 1);
}

static void a_long_text_of_the_basic_alphabet_takes_parts_of_153(void **state)
{
    send_and_check(*state, "+40711000004",
                   "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
                   "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789", 2);
}

static void two_recipients_get_a_message_each(void **state)
{
    struct harness *harness = *state;
    struct http_answer answer;
    json_t *list;

    http_call(harness->http, "POST", "/v1/messages", "{\"to\":[\"+40711000011\",\"+40711000012\"],\"text\":\"To both of you\"}", NULL,
              &answer);
    assert_int_equal(answer.status, 202);
    list = json_object_get(answer.json, "messages");
    assert_int_equal(json_array_size(list), 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(harness_wait_state(harness, json_text_at(json_array_get(list, i), "id"), "delivered", WAIT_MS));
    http_answer_done(&answer);
    assert_int_equal(witness_count(&harness->witness, "+40711000011"), 1);
    assert_int_equal(witness_count(&harness->witness, "+40711000012"), 1);
}

static void one_wrong_recipient_does_not_stop_the_others(void **state)
{
    struct harness *harness = *state;
    struct http_answer answer;
    json_t *list;

    http_call(harness->http, "POST", "/v1/messages", "{\"to\":[\"+40711000013\",\"nobody\"],\"text\":\"One of you\"}", NULL, &answer);
    assert_int_equal(answer.status, 202);
    list = json_object_get(answer.json, "messages");
    assert_string_equal(json_text_at(json_array_get(list, 1), "state"), "rejected");
    assert_string_equal(json_text_at(json_object_get(json_array_get(list, 1), "error"), "code"), "bad_number");
    assert_true(harness_wait_state(harness, json_text_at(json_array_get(list, 0), "id"), "delivered", WAIT_MS));
    http_answer_done(&answer);
}

static void a_repeated_request_is_sent_once(void **state)
{
    static const char body[] = "{\"to\":\"+40711000021\",\"text\":\"Once is enough\"}";
    struct harness *harness = *state;
    struct http_answer answer;
    char first[32];

    http_call(harness->http, "POST", "/v1/messages", body, "Idempotency-Key: order-4711", &answer);
    assert_int_equal(answer.status, 202);
    assert_false(answer.replayed);
    (void)snprintf(first, sizeof first, "%s", json_text_at(json_array_get(json_object_get(answer.json, "messages"), 0), "id"));
    http_answer_done(&answer);
    http_call(harness->http, "POST", "/v1/messages", body, "Idempotency-Key: order-4711", &answer);
    assert_int_equal(answer.status, 202);
    assert_true(answer.replayed);
    assert_string_equal(json_text_at(json_array_get(json_object_get(answer.json, "messages"), 0), "id"), first);
    http_answer_done(&answer);
    http_call(harness->http, "POST", "/v1/messages", "{\"to\":\"+40711000021\",\"text\":\"Something else\"}",
              "Idempotency-Key: order-4711", &answer);
    assert_int_equal(answer.status, 422);
    assert_string_equal(json_text_at(answer.json, "code"), "idempotency_mismatch");
    http_answer_done(&answer);
    assert_true(harness_wait_state(harness, first, "delivered", WAIT_MS));
    /* What came later on the same modems went, so a second copy would have gone too. */
    send_and_check(harness, "+40711000022", "After it, on one modem", 1);
    send_and_check(harness, "+40711000023", "After it, on the other", 1);
    assert_int_equal(witness_count(&harness->witness, "+40711000021"), 1);
}

static void a_scheduled_message_waits_for_its_time(void **state)
{
    struct harness *harness = *state;
    long long due_s = (long long)time(NULL) + 2;
    struct http_answer answer;
    json_t *message;
    char body[128], id[32];

    (void)snprintf(body, sizeof body, "{\"to\":\"+40711000031\",\"text\":\"In two seconds\",\"schedule_at\":%lld}", due_s);
    http_call(harness->http, "POST", "/v1/messages", body, NULL, &answer);
    assert_int_equal(answer.status, 202);
    message = json_array_get(json_object_get(answer.json, "messages"), 0);
    assert_string_equal(json_text_at(message, "state"), "scheduled");
    (void)snprintf(id, sizeof id, "%s", json_text_at(message, "id"));
    http_answer_done(&answer);
    assert_true(harness_wait_on_air(harness, "+40711000031", 1, WAIT_MS));
    assert_true((long long)time(NULL) >= due_s);
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
}

static void a_cancelled_message_is_never_on_the_air(void **state)
{
    struct harness *harness = *state;
    long long due_s = (long long)time(NULL) + 1;
    struct http_answer answer;
    char body[128], path[64], later[32];

    (void)snprintf(body, sizeof body, "{\"to\":\"+40711000041\",\"text\":\"Not this one\",\"schedule_at\":%lld}", due_s);
    http_call(harness->http, "POST", "/v1/messages", body, NULL, &answer);
    assert_int_equal(answer.status, 202);
    (void)snprintf(path, sizeof path, "/v1/messages/%s", json_text_at(json_array_get(json_object_get(answer.json, "messages"), 0), "id"));
    http_answer_done(&answer);
    http_call(harness->http, "DELETE", path, NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(json_text_at(answer.json, "state"), "cancelled");
    http_answer_done(&answer);
    http_call(harness->http, "DELETE", path, NULL, NULL, &answer);
    assert_int_equal(answer.status, 409);
    assert_string_equal(json_text_at(answer.json, "code"), "already_final");
    http_answer_done(&answer);
    /* One that was due at the same time and was not cancelled has gone: so would this one have. */
    (void)snprintf(body, sizeof body, "{\"to\":\"+40711000042\",\"text\":\"But this one\",\"schedule_at\":%lld}", due_s + 1);
    http_call(harness->http, "POST", "/v1/messages", body, NULL, &answer);
    (void)snprintf(later, sizeof later, "%s", json_text_at(json_array_get(json_object_get(answer.json, "messages"), 0), "id"));
    http_answer_done(&answer);
    assert_true(harness_wait_state(harness, later, "delivered", WAIT_MS));
    assert_int_equal(witness_count(&harness->witness, "+40711000041"), 0);
    (void)snprintf(path, sizeof path, "/v1/messages/%s", later);
    http_call(harness->http, "DELETE", path, NULL, NULL, &answer);
    assert_int_equal(answer.status, 409);
    http_answer_done(&answer);
}

static void what_comes_in_is_in_the_inbox(void **state)
{
    struct harness *harness = *state;
    static const char whole[] = "Добрий день! Це довга відповідь, яка приходить кількома частинами, і кожна з них може прийти окремо, "
                                "але в скриньці вона є одним повідомленням.";

    bank_tell_ok(harness, "incoming 0 +40722000011 Salut! Răspuns de departe 👋");
    bank_tell_ok(harness, "incoming 1 +40722000012 %s", whole);
    assert_true(harness_wait_inbox(harness, "+40722000011", "Salut! Răspuns de departe 👋", WAIT_MS));
    assert_true(harness_wait_inbox(harness, "+40722000012", whole, WAIT_MS));
}

static void what_waited_in_a_modem_when_the_gateway_started_is_in_the_inbox(void **state)
{
    struct harness *harness = *state;

    assert_true(harness_wait_inbox(harness, "+40722000001", "Waiting since before you came", WAIT_MS));
    assert_true(harness_wait_inbox(harness, "+40722000002", "Și eu, дуже давно", WAIT_MS));
}

static void tcp_asks_for_a_key_and_takes_a_good_one(void **state)
{
    static const char body[] = "{\"to\":\"+40711000051\",\"text\":\"With a key\"}";
    struct harness *harness = *state;
    struct http_answer answer;
    struct http *tcp;
    char base[48], authorization[200], id[32];

    (void)snprintf(base, sizeof base, "http://127.0.0.1:%u", tcp_port);
    tcp = http_new_tcp(base);
    http_call(tcp, "GET", "/healthz", NULL, NULL, &answer);
    assert_int_equal(answer.status, 200);
    http_answer_done(&answer);
    http_call(tcp, "POST", "/v1/messages", body, NULL, &answer);
    assert_int_equal(answer.status, 401);
    assert_string_equal(answer.type, "application/problem+json");
    assert_string_equal(json_text_at(answer.json, "code"), "no_key");
    http_answer_done(&answer);
    http_call(tcp, "POST", "/v1/messages", body, "Authorization: Bearer cp_guessed_guessed_guessed_guessed", &answer);
    assert_int_equal(answer.status, 401);
    assert_string_equal(json_text_at(answer.json, "code"), "bad_key");
    http_answer_done(&answer);

    http_call(harness->http, "POST", "/v1/keys", "{\"name\":\"shop\",\"scopes\":[\"send\"]}", NULL, &answer);
    assert_true(answer.status == 201 || answer.status == 200);
    (void)snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", json_text_at(answer.json, "key"));
    http_answer_done(&answer);
    http_call(tcp, "POST", "/v1/messages", body, authorization, &answer);
    assert_int_equal(answer.status, 202);
    (void)snprintf(id, sizeof id, "%s", json_text_at(json_array_get(json_object_get(answer.json, "messages"), 0), "id"));
    http_answer_done(&answer);
    http_call(tcp, "GET", "/v1/inbox", NULL, authorization, &answer);
    assert_int_equal(answer.status, 403);
    assert_string_equal(json_text_at(answer.json, "code"), "scope_missing");
    http_answer_done(&answer);
    http_free(tcp);
    assert_true(harness_wait_state(harness, id, "delivered", WAIT_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_on_the_air_once_and_then_delivered),
        cmocka_unit_test(a_long_cyrillic_text_arrives_whole),
        cmocka_unit_test(an_emoji_arrives_whole),
        cmocka_unit_test(a_long_text_of_the_basic_alphabet_takes_parts_of_153),
        cmocka_unit_test(two_recipients_get_a_message_each),
        cmocka_unit_test(one_wrong_recipient_does_not_stop_the_others),
        cmocka_unit_test(a_repeated_request_is_sent_once),
        cmocka_unit_test(a_scheduled_message_waits_for_its_time),
        cmocka_unit_test(a_cancelled_message_is_never_on_the_air),
        cmocka_unit_test(what_comes_in_is_in_the_inbox),
        cmocka_unit_test(what_waited_in_a_modem_when_the_gateway_started_is_in_the_inbox),
        cmocka_unit_test(tcp_asks_for_a_key_and_takes_a_good_one),
    };
    int failed;

    failed = cmocka_run_group_tests(tests, start_gateway, NULL);
    if (gateway != NULL)
        gateway->passed = failed == 0;
    harness_free(gateway);
    return failed;
}
