/* SPDX-License-Identifier: Apache-2.0
 *
 * route explain, quote and sims: tables that line up, and the sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "tests/unit/cli/canned_server.h"
#include "tests/unit/cli/run_verb.h"

static struct run ask(struct canned_server *server, const char *reply, int (*verb)(int, char **), const char *const *arguments)
{
    const char *const replies[] = { reply };

    canned_start(server, replies, 1);
    setenv("CELLPOST_SOCKET", server->path, 1);
    struct run done = run_verb(verb, arguments);
    canned_stop(server);
    return done;
}

#define EXPLAINED REPLY("200 OK", \
    "{\"to\":\"+33700000001\",\"kind\":\"mobile\",\"country\":\"FR\",\"parts\":2,\"encoding\":\"gsm7\",\"currency\":\"EUR\",\"patience_s\":600," \
    "\"route\":{\"prefix\":\"33\",\"file\":\"routes.csv\",\"line\":2,\"implicit\":false,\"action\":\"send\",\"order\":\"price\",\"note\":\"home\",\"patience_s\":600}," \
    "\"bearers\":[{\"bearer\":\"8901\",\"name\":\"one\",\"tariff\":\"cheap\",\"verdict\":\"may\",\"rank\":0,\"price\":{\"amount\":\"0\",\"currency\":\"EUR\"}," \
    "\"first_part_price\":{\"amount\":\"0.05\",\"currency\":\"EUR\"},\"row\":{\"prefix\":\"33\",\"file\":\"tariffs.csv\",\"line\":2}," \
    "\"bundle\":{\"name\":\"home\",\"left\":7},\"limits\":{\"per_day\":{\"used\":3,\"limit\":100},\"per_month\":{\"used\":40}}}," \
    "{\"bearer\":\"8902\",\"tariff\":\"dear\",\"verdict\":\"limit\",\"limit\":\"per_day\",\"until\":\"2026-03-02T00:00:00.000Z\",\"rank\":0," \
    "\"price\":{\"amount\":\"0.1\",\"currency\":\"EUR\"},\"limits\":{\"spend_per_day\":{\"used\":{\"amount\":\"1.2\",\"currency\":\"EUR\"}," \
    "\"limit\":{\"amount\":\"5\",\"currency\":\"EUR\"}}}}," \
    "{\"bearer\":\"8903\",\"verdict\":\"denied\",\"limits\":{}}]," \
    "\"choice\":{\"when\":\"now\",\"bearer\":\"8901\",\"reason\":\"By \\\"one\\\", 0 EUR\\u001b[0m: the cheapest.\"}}")

static void an_explanation_is_a_table_that_lines_up_and_a_sentence(void **state)
{
    static const char *const arguments[] = { "route", "--utc", "explain", "+33700000001", "--text", "a b", "--at", "2026-03-01T10:00:00Z", NULL };
    struct canned_server server;
    struct run done = ask(&server, EXPLAINED, cmd_route, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(server.requests[0], "GET /v1/routes/explain?text=a%20b&at=2026-03-01T10%3A00%3A00.000Z&to=%2B33700000001 "));
    assert_string_equal(done.out,
                        "to           +33700000001 (mobile, FR)\n"
                        "parts        2, gsm7\n"
                        "route        33 (routes.csv:2): home\n"
                        "order        send, by price\n"
                        "patience     600 s\n"
                        "\n"
                        "SIM   NAME  TARIFF  RANK     PRICE    A PART  SHADOW  ROW                 BUNDLE        USED                         WHY\n"
                        "8901  one   cheap      0  0.00 EUR  0.05 EUR       -  33 (tariffs.csv:2)  home, 7 left  per_day 3/100                may\n"
                        "8902  -     dear       0  0.10 EUR         -       -  -                   -             spend_per_day 1.20/5.00 EUR  limit per_day until 2026-03-02 00:00:00Z\n"
                        "8903  -     -          -         -         -       -  -                   -             -                            denied\n"
                        "\n"
                        "By \"one\", 0 EUR\\x1b[0m: the cheapest.\n");
    canned_free(&server);
}

static void what_cannot_be_explained_is_not_asked(void **state)
{
    static const char *const rows[][6] = {
        { "route", NULL }, { "route", "explain", NULL }, { "route", "show", "+401", NULL }, { "route", "explain", "+401", "+402", NULL },
        { "route", "explain", "+401", "--parts", "0", NULL }, { "route", "explain", "+401", "--at", "soon", NULL },
    };

    (void)state;
    setenv("CELLPOST_SOCKET", "/nonexistent/api.sock", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(run_verb(cmd_route, rows[i]).status, CLI_USAGE);
}

#define QUOTED REPLY("200 OK", \
    "{\"messages\":[{\"to\":\"+33600000001\",\"parts\":1,\"encoding\":\"gsm7\",\"when\":\"now\",\"price\":{\"amount\":\"0\",\"currency\":\"EUR\"}," \
    "\"bearer\":\"8901\",\"name\":\"one\",\"bundle\":{\"name\":\"home\",\"parts\":1}},{\"to\":\"+33700000001\",\"parts\":1,\"encoding\":\"gsm7\",\"when\":\"soon\"," \
    "\"price\":{\"amount\":\"0.05\",\"currency\":\"EUR\"},\"bearer\":\"8902\"},{\"to\":\"+40906123456\",\"error\":{\"code\":\"premium_number\",\"detail\":\"is a premium number\"}}]," \
    "\"total\":{\"messages\":2,\"parts\":2,\"rejected\":1,\"unpriced\":0,\"price\":{\"amount\":\"0.05\",\"currency\":\"EUR\"}},\"bearers\":[]}")

static void a_quote_names_each_price_and_the_whole_and_ends_with_1_where_one_is_refused(void **state)
{
    static const char *const arguments[] = { "quote", "+33600000001", "--text", "hello", "+33700000001", "--to", "+40906123456", "--country", "FR", "--patience", "10m", NULL };
    struct canned_server server;
    struct run done = ask(&server, QUOTED, cmd_quote, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_REFUSED);
    assert_non_null(strstr(server.requests[0], "POST /v1/quote "));
    assert_non_null(strstr(server.requests[0], "{\"country\":\"FR\",\"patience_s\":600,\"text\":\"hello\",\"to\":[\"+40906123456\",\"+33600000001\",\"+33700000001\"]}"));
    assert_string_equal(done.out,
                        "TO            PARTS  ENCODING     PRICE  SIM   BUNDLE  WHEN  REFUSED\n"
                        "+33600000001      1  gsm7      0.00 EUR  one   home    now   -\n"
                        "+33700000001      1  gsm7      0.05 EUR  8902  -       soon  -\n"
                        "+40906123456      -  -                -  -     -       -     premium_number\n"
                        "\n"
                        "2 messages, 2 parts, 0.05 EUR; 1 would be refused\n");
    assert_non_null(strstr(done.err, "+40906123456: is a premium number"));
    canned_free(&server);
}

static void a_quote_needs_numbers_and_a_text(void **state)
{
    static const char *const rows[][6] = {
        { "quote", NULL }, { "quote", "+401", NULL }, { "quote", "--text", "a", NULL }, { "quote", "+401", "--text", "\xff", NULL },
        { "quote", "+401", "--text", "a", "--country=ROU", NULL }, { "quote", "+401", "--text", "a", "--patience=x", NULL },
    };

    (void)state;
    setenv("CELLPOST_SOCKET", "/nonexistent/api.sock", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(run_verb(cmd_quote, rows[i]).status, CLI_USAGE);
}

#define SIMS REPLY("200 OK", \
    "{\"sims\":[{\"iccid\":\"8901\",\"imsi\":\"226\",\"modem\":\"35\",\"parts_sent\":77,\"last_seen_at\":\"2026-03-01T12:00:00.000Z\",\"state\":\"ready\",\"name\":\"one\"," \
    "\"tariff\":\"cheap\",\"tags\":[],\"limits\":{\"per_day\":{\"used\":3,\"limit\":100},\"per_month\":{\"used\":40}}," \
    "\"spent\":{\"today\":{\"amount\":\"0.1\",\"currency\":\"EUR\"},\"this_month\":{\"amount\":\"1.5\",\"currency\":\"EUR\"}}," \
    "\"balance\":{\"amount\":\"-0.5\",\"currency\":\"EUR\"},\"bundles\":[{\"name\":\"home\",\"left\":4,\"parts\":5},{\"name\":\"eu\",\"left\":0,\"parts\":9}],\"runs_out_at\":\"2026-03-01T20:00:00.000Z\"}," \
    "{\"iccid\":\"8902\",\"parts_sent\":0,\"state\":\"away\"}," \
    "{\"iccid\":\"8903\",\"parts_sent\":9,\"state\":\"ready\",\"limits\":{\"per_day\":{\"used\":9,\"limit\":9}}," \
    "\"runs_out_at\":\"2026-03-01T11:59:59.000Z\",\"used_up_until\":\"2026-03-02T00:00:00.000Z\"}]}")

static void sims_show_what_is_used_what_is_left_and_when_it_runs_out(void **state)
{
    static const char *const arguments[] = { "sims", "--utc", NULL }, *const seen[] = { "sims", "--utc", "--seen", NULL };
    struct canned_server server;
    struct run done = ask(&server, SIMS, cmd_sims, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_string_equal(done.out,
                        "SIM   NAME  STATE  TARIFF  TODAY  MONTH     SPENT  BALANCE    BUNDLE LEFT       RUNS OUT\n"
                        "8901  one   ready  cheap   3/100     40  1.50 EUR  -0.50 EUR  home 4/5, eu 0/9  2026-03-01 20:00:00Z\n"
                        "8902  -     away   -           -      -         -  -          -                 -\n"
                        "8903  -     ready  -         9/9      -         -  -          -                 used up until 2026-03-02 00:00:00Z\n");
    canned_free(&server);
    done = ask(&server, SIMS, cmd_sims, seen);
    assert_non_null(strstr(done.out, "8901  226   35                     77  -           2026-03-01 12:00:00Z\n"));
    canned_free(&server);
}

static void a_message_shows_its_price_and_in_one_line_why(void **state)
{
    static const char *const arguments[] = { "show", "--utc", "T-m1", NULL };
    struct canned_server server;
    struct run done = ask(&server, REPLY("200 OK",
        "{\"id\":\"T-m1\",\"to\":\"+401\",\"text\":\"x\",\"state\":\"sent\",\"parts\":[{\"part\":1,\"state\":\"sent\",\"modem\":\"35\",\"sim\":\"8901\",\"mr\":7,\"attempts\":1,"
        "\"attempt_log\":[{\"state\":\"sent\",\"price\":{\"amount\":\"0.05\",\"currency\":\"EUR\"},\"choice\":{\"plan\":\"cheap\",\"route\":\"33\",\"tariff_line\":2,"
        "\"list_price\":\"0.1\",\"others\":[{\"bearer\":\"8902\",\"price\":\"0\",\"verdict\":\"limit\",\"limit\":\"per_day\"}]}}]}],\"history\":[]}"), cmd_show, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(done.out, "PART  STATE  ATTEMPTS  MR  MODEM  SIM      PRICE  LAST ATTEMPT\n"
                                     "   1  sent          1   7  35     8901  0.05 EUR  sent\n"));
    assert_non_null(strstr(done.out, "\nwhy          route 33, tariff cheap, 0.10 for the message (line 2); not 8902: limit per_day, 0.00\n"));
    canned_free(&server);
}

static void patience_and_country_go_with_what_is_sent(void **state)
{
    static const char *const arguments[] = { "send", "--patience", "10m", "--country", "RO", "0722000001", "x", NULL };
    struct canned_server server;
    struct run done = ask(&server, REPLY("202 Accepted", "{\"batch\":\"T-b1\",\"messages\":[{\"id\":\"T-m1\",\"to\":\"+40722000001\",\"state\":\"queued\"}]}"), cmd_send, arguments);

    (void)state;
    assert_int_equal(done.status, CLI_OK);
    assert_non_null(strstr(server.requests[0], "{\"country\":\"RO\",\"patience_s\":600,\"text\":\"x\",\"to\":\"0722000001\"}"));
    canned_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_explanation_is_a_table_that_lines_up_and_a_sentence),
        cmocka_unit_test(what_cannot_be_explained_is_not_asked),
        cmocka_unit_test(a_quote_names_each_price_and_the_whole_and_ends_with_1_where_one_is_refused),
        cmocka_unit_test(a_quote_needs_numbers_and_a_text),
        cmocka_unit_test(sims_show_what_is_used_what_is_left_and_when_it_runs_out),
        cmocka_unit_test(a_message_shows_its_price_and_in_one_line_why),
        cmocka_unit_test(patience_and_country_go_with_what_is_sent),
    };
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
