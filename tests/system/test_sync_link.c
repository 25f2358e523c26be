/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sync_link.c - a box and its account over a network that is there, is not, or is somebody else's: what is told is "offline",
 * nothing is lost, and what is paid goes out. */
#include "tests/system/fixture.h"
#include "tests/system/harness_account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct harness_options options = { .modems = 1, .bank = { QUICK_BANK, "--air-ms", "20" } };
static struct account *account;
static char sections[1024];

static int end(void **state)
{
    int r = fixture_end(state);

    account_free(account);
    account = NULL;
    return r;
}

static void configure(struct harness *harness, const char *more)
{
    (void)snprintf(sections, sizeof sections, "[central]\ninterval = 10s\nlease = 4\n%s", more);
    harness->options.sections = sections;
    harness_write_config(harness);
}

/* A box that knows where its account is, by its CA unless more says otherwise; more: further lines, NULL none. */
static struct harness *start(void **state, const char *more)
{
    struct harness *harness = fixture_open(state, &options);
    char text[512];

    account = account_new(harness);
    (void)snprintf(text, sizeof text, "url = %s\nca = %s\n", account_url(account), account_ca(account));
    configure(harness, more != NULL ? more : text);
    harness_start(harness);
    if (!harness_wait_modems(harness, "ready", 1, WAIT_MS))
        harness_die("the modem does not become ready");
    return harness;
}

static struct http_answer enroll(struct harness *harness, const char *body)
{
    struct http_answer answer;

    http_call(harness->http, "POST", "/v1/account/enroll", body, "Content-Type: application/json", &answer);
    return answer;
}

static void expect(struct http_answer answer, long status, const char *member, const char *words)
{
    if (answer.status != status || strstr(json_text_at(answer.json, member), words) == NULL)
        harness_die("wanted %ld and %s %s: %ld %s", status, member, words, answer.status, answer.body);
    http_answer_done(&answer);
}

static bool is_in_state(struct harness *harness, const void *context)
{
    json_t *shown = harness_get(harness, "/v1/account");
    bool is = strcmp(json_text_at(shown, "state"), context) == 0;

    json_decref(shown);
    return is;
}

static void wait_state(struct harness *harness, const char *name)
{
    if (!harness_wait(harness, is_in_state, name, 3 * WAIT_MS)) {
        json_t *shown = harness_get(harness, "/v1/account");
        harness_die("the account is not %s: %s", name, json_dumps(shown, 0));
    }
}

static bool has_credits(struct harness *harness, const void *context)
{
    json_t *balance = harness_get(harness, "/v1/balance");
    bool has = json_number_at(balance, "available_micro") >= *(const int64_t *)context;

    json_decref(balance);
    return has;
}

static void wait_credits(struct harness *harness)
{
    static const int64_t some = 1000000;

    if (!harness_wait(harness, has_credits, &some, 2 * WAIT_MS))
        harness_die("no credits come");
}

static bool has_told(struct harness *harness, const void *context)
{
    (void)harness;
    return account_acked(account) >= *(const uint64_t *)context;
}

static void wait_told(struct harness *harness, uint64_t entries)
{
    if (!harness_wait(harness, has_told, &entries, 6 * WAIT_MS))
        harness_die("the account has %llu entries", (unsigned long long)account_acked(account));
}

static void a_box_is_enrolled_gets_credits_and_tells_what_it_spent(void **state)
{
    struct harness *harness = start(state, NULL);
    struct stat st;
    char path[160], id[32];

    expect(enroll(harness, "{\"token\":\"first-token\"}"), 200, "account", "Harness");
    wait_state(harness, "online");
    wait_credits(harness);
    harness_path(harness, "state/central/identity.pem", path, sizeof path);
    HARNESS_CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    harness_path(harness, "state/central/pending", path, sizeof path);
    HARNESS_CHECK(stat(path, &st) < 0);
    harness_send(harness, "+40721000001", "Hello", id);
    HARNESS_CHECK(harness_wait_state(harness, id, "delivered", WAIT_MS));
    wait_told(harness, 1);
    HARNESS_CHECK(account_strangers(account) == 0 && account_enrolled(account) == 1);
    /* It is who it was after a restart. */
    HARNESS_CHECK(harness_stop(harness, 10000) == 0);
    harness_start(harness);
    wait_state(harness, "online");
    HARNESS_CHECK(account_enrolled(account) == 1);
    harness->passed = true;
}

static void what_is_not_the_account_is_offline_and_what_is_paid_goes_out(void **state)
{
    static const struct { enum account_mood mood; const char *why; } rows[] = {
        { ACCOUNT_PORTAL, "captive portal" }, { ACCOUNT_REDIRECT, "captive portal" }, { ACCOUNT_CUT, "cannot be reached" },
    };
    struct harness *harness = start(state, NULL);
    unsigned sent = 0;

    expect(enroll(harness, "{\"token\":\"first-token\"}"), 200, "account", "Harness");
    wait_state(harness, "online");
    wait_credits(harness);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char id[32], to[24];
        json_t *shown;

        account_set_mood(account, rows[i].mood);
        wait_state(harness, "offline");
        shown = harness_get(harness, "/v1/account");
        if (strstr(json_text_at(shown, "why"), rows[i].why) == NULL)
            harness_die("why is %s", json_text_at(shown, "why"));
        json_decref(shown);
        (void)snprintf(to, sizeof to, "+4072100000%u", ++sent);
        harness_send(harness, to, "Offline", id);
        HARNESS_CHECK(harness_wait_state(harness, id, "delivered", WAIT_MS));
        HARNESS_CHECK(account_acked(account) < sent);
        account_set_mood(account, ACCOUNT_WORKS);
        wait_told(harness, sent);
        wait_state(harness, "online");
    }
    harness->passed = true;
}

static void an_enrolment_whose_answer_is_lost_is_asked_again_with_the_same_octets_also_after_a_kill(void **state)
{
    struct harness *harness = start(state, NULL);

    account_set_mood(account, ACCOUNT_ANSWER_LOST);
    expect(enroll(harness, "{\"token\":\"first-token\"}"), 202, "state", "enrolling");
    HARNESS_CHECK(account_enrolled(account) == 1);
    harness_kill(harness);
    account_set_mood(account, ACCOUNT_WORKS);
    harness_start(harness);
    wait_state(harness, "online");
    HARNESS_CHECK(account_enrolled(account) == 1);
    harness->passed = true;
}

static void a_wrong_token_is_told_and_the_next_one_is_taken(void **state)
{
    struct harness *harness = start(state, NULL);

    account_set_mood(account, ACCOUNT_REFUSES_TOKENS);
    expect(enroll(harness, "{\"token\":\"wrong\"}"), 409, "account_code", "bad_token");
    account_set_mood(account, ACCOUNT_WORKS);
    expect(enroll(harness, "{\"token\":\"right\"}"), 200, "account", "Harness");
    /* And once more, as after fencing: a new key, and who it was is forgotten. */
    expect(enroll(harness, "{\"token\":\"right-2\"}"), 200, "account", "Harness");
    wait_state(harness, "online");
    HARNESS_CHECK(account_enrolled(account) == 2 && account_strangers(account) == 0);
    harness->passed = true;
}

static void whoever_has_a_certificate_of_another_ca_gets_no_request(void **state)
{
    struct harness *harness = fixture_open(state, &options);
    char text[512];

    account = account_new(harness);
    (void)snprintf(text, sizeof text, "url = %s\nca = %s\n", account_url(account), account_other_ca(account));
    configure(harness, text);
    harness_start(harness);
    expect(enroll(harness, "{\"token\":\"secret\"}"), 202, "detail", "another authority");
    HARNESS_CHECK(account_requests(account) == 0);
    harness->passed = true;
}

static void where_the_account_is_may_be_told_with_the_token_and_is_kept(void **state)
{
    struct harness *harness = start(state, "");
    char body[512];

    expect(enroll(harness, "{\"token\":\"first\"}"), 409, "code", "no_account_server");
    (void)snprintf(body, sizeof body, "{\"token\":\"first\",\"url\":\"%s\"}", account_url(account));
    expect(enroll(harness, body), 400, "pointer", "/url");
    (void)snprintf(body, sizeof body, "{\"token\":\"first\",\"url\":\"%s\",\"pin\":\"%s\"}", account_url(account), account_pin(account));
    expect(enroll(harness, body), 200, "account", "Harness");
    wait_state(harness, "online");
    HARNESS_CHECK(harness_stop(harness, 10000) == 0);
    harness_start(harness);
    wait_state(harness, "online");
    harness->passed = true;
}

static void wait_refused(struct harness *harness, const char *words)
{
    json_t *shown;

    wait_state(harness, "refused");
    shown = harness_get(harness, "/v1/account");
    if (strstr(json_text_at(shown, "why"), words) == NULL)
        harness_die("wanted %s: %s", words, json_dumps(shown, 0));
    json_decref(shown);
}

static void send_delivered(struct harness *harness, unsigned number)
{
    char id[32], to[24];

    (void)snprintf(to, sizeof to, "+4072100000%u", number);
    harness_send(harness, to, "Paid", id);
    HARNESS_CHECK(harness_wait_state(harness, id, "delivered", WAIT_MS));
}

/* Each is refused with words while half of the credits are left, and these are spent. */
static void a_lease_that_is_not_for_this_box_is_not_spent_and_what_is_paid_goes_out(void **state)
{
    static const struct { enum account_mood mood; const char *why; } rows[] = {
        { ACCOUNT_LENDS_TO_ANOTHER, "another box" }, { ACCOUNT_FORGES, "not signed" }, { ACCOUNT_HAS_NO_PRICES, "no such version" },
    };
    struct harness *harness = start(state, NULL);
    unsigned sent = 0;

    expect(enroll(harness, "{\"token\":\"first-token\"}"), 200, "account", "Harness");
    wait_state(harness, "online");
    wait_credits(harness);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned had = account_leases(account);

        account_set_mood(account, rows[i].mood);
        send_delivered(harness, ++sent);
        send_delivered(harness, ++sent);   /* half is spent now, and the next lease is asked for */
        wait_refused(harness, rows[i].why);
        HARNESS_CHECK(account_leases(account) > had);
        send_delivered(harness, ++sent);
        HARNESS_CHECK(harness_stop(harness, 10000) == 0);   /* so that it asks anew at once */
        account_set_mood(account, ACCOUNT_WORKS);
        harness_start(harness);
        wait_state(harness, "online");
        wait_credits(harness);
    }
    harness->passed = true;
}

static void a_journal_that_was_changed_on_the_disk_is_named_and_what_is_paid_goes_out(void **state)
{
    struct harness *harness = start(state, NULL);

    expect(enroll(harness, "{\"token\":\"first-token\"}"), 200, "account", "Harness");
    wait_state(harness, "online");
    wait_credits(harness);
    account_set_mood(account, ACCOUNT_CUT);
    wait_state(harness, "offline");
    send_delivered(harness, 1);
    HARNESS_CHECK(harness_stop(harness, 10000) == 0);
    harness_database_change(harness, "UPDATE credit_posting SET micro = 1 WHERE journal_seq = 1");
    account_set_mood(account, ACCOUNT_WORKS);
    harness_start(harness);
    wait_refused(harness, "not what it wrote");
    send_delivered(harness, 2);
    HARNESS_CHECK(account_acked(account) == 0);
    harness->passed = true;
}

static void a_silent_account_does_not_hold_up_the_end(void **state)
{
    struct harness *harness = start(state, NULL);
    unsigned before;

    expect(enroll(harness, "{\"token\":\"first\"}"), 200, "account", "Harness");
    wait_state(harness, "online");
    account_set_mood(account, ACCOUNT_SILENT);
    before = account_requests(account);
    while (account_requests(account) == before)
        (void)harness_wait(harness, is_in_state, "never", 1000);
    HARNESS_CHECK(harness_stop(harness, 10000) == 0);
    harness->passed = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_box_is_enrolled_gets_credits_and_tells_what_it_spent, end),
        cmocka_unit_test_teardown(what_is_not_the_account_is_offline_and_what_is_paid_goes_out, end),
        cmocka_unit_test_teardown(an_enrolment_whose_answer_is_lost_is_asked_again_with_the_same_octets_also_after_a_kill, end),
        cmocka_unit_test_teardown(a_wrong_token_is_told_and_the_next_one_is_taken, end),
        cmocka_unit_test_teardown(whoever_has_a_certificate_of_another_ca_gets_no_request, end),
        cmocka_unit_test_teardown(where_the_account_is_may_be_told_with_the_token_and_is_kept, end),
        cmocka_unit_test_teardown(a_lease_that_is_not_for_this_box_is_not_spent_and_what_is_paid_goes_out, end),
        cmocka_unit_test_teardown(a_journal_that_was_changed_on_the_disk_is_named_and_what_is_paid_goes_out, end),
        cmocka_unit_test_teardown(a_silent_account_does_not_hold_up_the_end, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
