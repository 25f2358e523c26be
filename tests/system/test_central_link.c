/* SPDX-License-Identifier: Apache-2.0
 *
 * test_central_link.c - a box and two servers of its account on one database, over real TLS and a network that cuts and delays: what was on
 * the air once is paid once, and all books are right in the end. */
#include "tests/system/fixture.h"
#include "tests/system/harness_proxy.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_MICRO 50000
#define SERVERS 2

static const struct harness_options options = { .modems = 2, .bank = { QUICK_BANK, "--air-ms", "20" } };
static struct proxy *proxy;
static struct process servers[SERVERS];
static char program[300], state_dir[256], sections[512];

/* -- the account ---------------------------------------------------------------------------------------------------------- */

/* A verb with its arguments; its JSON, the caller's. Dies unless it ends with `status`. */
static json_t *account(int status, const char *a, const char *b, const char *c, const char *d, const char *e, const char *f)
{
    const char *argv[12];
    char *out = NULL, *err = NULL;
    const char *full[] = { program, a, b, c, d, e, f };
    size_t count = 0;
    json_t *json;
    int r;

    for (size_t i = 0; i < sizeof full / sizeof full[0] && full[i] != NULL; i++)
        argv[count++] = full[i];
    argv[count++] = "--json";
    argv[count++] = "--state";
    argv[count++] = state_dir;
    argv[count] = NULL;
    r = process_run(argv, WAIT_MS, &out, &err);
    if (r != status)
        harness_die("cellpost-central %s %s ended with %d: %s%s", a, b != NULL ? b : "", r, out, err);
    json = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
    free(out);
    free(err);
    return json;
}

static int64_t account_micro(const char *name)
{
    json_t *shown = account(0, "account", "show", "shop", NULL, NULL, NULL);
    int64_t micro = json_number_at(shown, name);

    json_decref(shown);
    return micro;
}

static unsigned server_start(struct harness *harness, unsigned number)
{
    const char *argv[] = { program, "serve", "--state", state_dir, "--tls-name", "127.0.0.1", "--listen", "127.0.0.1:0", "--threads", "2", "--json", NULL };
    char out[256], err[256], name[32];
    struct follow follow = { .fd = -1 };
    json_t *told;
    unsigned port;
    char *line;

    (void)snprintf(name, sizeof name, "server%u.json", number);
    harness_path(harness, name, out, sizeof out);
    (void)snprintf(name, sizeof name, "server%u.log", number);
    harness_path(harness, name, err, sizeof err);
    (void)remove(out);
    follow_open(&follow, out);
    process_start(&servers[number], argv, NULL, out, err);
    line = follow_line(&follow, WAIT_MS);
    told = line != NULL ? json_loads(line, 0, NULL) : NULL;
    port = (unsigned)json_number_at(told, "port");
    if (port == 0)
        harness_die("server %u of the account does not start", number);
    json_decref(told);
    follow_close(&follow);
    return port;
}

static int end(void **state)
{
    int r;

    for (unsigned i = 0; i < SERVERS; i++)
        if (servers[i].pid != 0) {
            process_signal(&servers[i], SIGKILL);
            (void)process_wait(&servers[i], WAIT_MS);
        }
    r = fixture_end(state);
    proxy_free(proxy);
    proxy = NULL;
    return r;
}

/* -- the box -------------------------------------------------------------------------------------------------------------- */

static struct harness *start(void **state, unsigned ports[SERVERS])
{
    static const char csv[] = "prefix,price,price_ucs2\n40,0.05,\n*,0.20,\n";
    struct harness *harness = fixture_open(state, &options);
    char path[256];
    FILE *file;

    harness_program("cellpost-central", program, sizeof program);
    harness_path(harness, "account", state_dir, sizeof state_dir);
    harness_path(harness, "prices.csv", path, sizeof path);
    file = fopen(path, "we");
    HARNESS_CHECK(file != NULL && fputs(csv, file) >= 0 && fclose(file) == 0);
    json_decref(account(0, "account", "create", "shop", NULL, NULL, NULL));
    json_decref(account(0, "account", "fund", "shop", "20", NULL, NULL));
    json_decref(account(0, "price", "import", path, NULL, NULL, NULL));
    for (unsigned i = 0; i < SERVERS; i++)
        ports[i] = server_start(harness, i);
    proxy = proxy_new();
    proxy_set_servers(proxy, ports[0], ports[1]);
    (void)snprintf(sections, sizeof sections, "[central]\ninterval = 10s\nlease = 1\n");
    harness->options.sections = sections;
    harness_write_config(harness);
    harness_start(harness);
    if (!harness_wait_modems(harness, "ready", 2, WAIT_MS))
        harness_die("the modems do not become ready");
    return harness;
}

static void enroll(struct harness *harness)
{
    json_t *token = account(0, "box", "enroll", "shop", NULL, NULL, NULL);
    struct http_answer answer;
    char body[512];

    (void)snprintf(body, sizeof body, "{\"token\":\"%s\",\"url\":\"https://127.0.0.1:%u\",\"pin\":\"%s\"}", json_text_at(token, "token"), proxy_port(proxy),
                   json_text_at(token, "pin"));
    http_call(harness->http, "POST", "/v1/account/enroll", body, "Content-Type: application/json", &answer);
    if (answer.status != 200 && answer.status != 202)
        harness_die("enrolling: %ld %s", answer.status, answer.body);
    http_answer_done(&answer);
    json_decref(token);
}

static int64_t box_micro(struct harness *harness, const char *name)
{
    json_t *shown = harness_get(harness, "/v1/balance");
    int64_t micro = json_number_at(shown, name);

    json_decref(shown);
    return micro;
}

static bool has_credits(struct harness *harness, const void *context)
{
    (void)context;
    return box_micro(harness, "available_micro") > 0;
}

static bool is_told(struct harness *harness, const void *context)
{
    (void)harness;
    return account_micro("captured_micro") == *(const int64_t *)context;
}

static void send_some(struct harness *harness, unsigned *sent, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char id[32], to[24];

        (void)snprintf(to, sizeof to, "+407210000%02u", (*sent)++);
        harness_send(harness, to, "Paid once", id);
        if (!harness_wait_state(harness, id, "delivered", 6 * WAIT_MS))
            harness_die("%s is not delivered", to);
    }
}

/* Kills: of a server in the middle of the trouble, and of the box. */
static void what_was_sent_once_is_paid_once_whatever_the_network_and_the_servers_do(void **state)
{
    unsigned ports[SERVERS], sent = 0;
    struct harness *harness = start(state, ports);
    int64_t all_micro;
    json_t *books;

    proxy_set_mood(proxy, PROXY_TROUBLES);
    enroll(harness);
    if (!harness_wait(harness, has_credits, NULL, 6 * WAIT_MS))
        harness_die("no credits come through");
    send_some(harness, &sent, 12);
    process_signal(&servers[0], SIGKILL);
    (void)process_wait(&servers[0], WAIT_MS);
    proxy_set_servers(proxy, 0, ports[1]);   /* half of the connections find nobody */
    send_some(harness, &sent, 4);
    harness_kill(harness);
    harness_start(harness);
    ports[0] = server_start(harness, 0);
    proxy_set_servers(proxy, ports[0], ports[1]);
    send_some(harness, &sent, 8);
    proxy_set_mood(proxy, PROXY_IS_AWAY);
    send_some(harness, &sent, 6);
    proxy_set_mood(proxy, PROXY_PASSES);
    all_micro = (int64_t)sent * PART_MICRO;
    if (!harness_wait(harness, is_told, &all_micro, 6 * WAIT_MS))
        harness_die("%u parts were sent, and the account has %lld captured", sent, (long long)account_micro("captured_micro"));
    witness_read(&harness->witness);
    HARNESS_CHECK(harness->witness.count == sent);
    HARNESS_CHECK(account_micro("available_micro") + account_micro("leased_micro") + account_micro("suspense_micro") + all_micro == 20000000);
    books = account(0, "check", NULL, NULL, NULL, NULL, NULL);
    HARNESS_CHECK(json_number_at(books, "faults") == 0 && json_number_at(books, "entries") == sent);
    json_decref(books);
    HARNESS_CHECK(proxy_cuts(proxy) > 0);
    (void)printf("%u parts, %u connections cut\n", sent, proxy_cuts(proxy));
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_was_sent_once_is_paid_once_whatever_the_network_and_the_servers_do, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
