/* SPDX-License-Identifier: Apache-2.0
 *
 * balance without a SIM, and ledger: the credits of this box. */
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/page.h"
#include "firmware/cellpost/when.h"
#include "src/base/money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *micro_words(json_t *object, const char *key, char ret_text[MONEY_CHARS])
{
    money_format_price(json_number_of(object, key, 0), ret_text);
    return ret_text;
}

/* -- balance --------------------------------------------------------------------------------------------------- */

static enum table_style style_of(const char *state)
{
    static const struct { const char *state; enum table_style style; } styles[] = {
        { "free", TABLE_PLAIN }, { "online", TABLE_GOOD }, { "offline", TABLE_WARN }, { "expiring", TABLE_WARN }, { "no_lease", TABLE_WARN },
    };

    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++)
        if (strcmp(styles[i].state, state) == 0)
            return styles[i].style;
    return TABLE_BAD;
}

static void print_state(const char *state)
{
    enum table_style style = cli_color() ? style_of(state) : TABLE_PLAIN;

    if (style == TABLE_PLAIN)
        cli_print_field("state", state);
    else
        printf("%-13s%s%s%s\n", "state", table_style_begin(style), state, TABLE_STYLE_END);
}

static void print_amounts(const struct cli *cli, json_t *balance)
{
    static const struct { const char *name, *key; } amounts[] = {
        { "available", "available_micro" }, { "reserved", "reserved_micro" }, { "captured", "captured_micro" },
    };
    json_t *lease = json_object_get(balance, "lease");
    char text[MONEY_CHARS], time[WHEN_TEXT_MAX], waiting[24];

    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++)
        cli_print_field(amounts[i].name, micro_words(balance, amounts[i].key, text));
    if (lease != NULL)
        cli_print_field("until", cli_time_of(cli, lease, "until", time));
    if (json_number_of(balance, "waiting", 0) > 0) {
        (void)snprintf(waiting, sizeof waiting, "%" PRId64, json_number_of(balance, "waiting", 0));
        cli_print_field("waiting", waiting);
    }
}

static void add_parts(struct table *table, json_t *encoding)
{
    char text[MONEY_CHARS];

    if (json_true_of(encoding, "refused")) {
        table_add(table, "refused", TABLE_DIM);
        table_add(table, "", TABLE_PLAIN);
        return;
    }
    table_add(table, micro_words(encoding, "part_micro", text), TABLE_PLAIN);
    table_addf(table, TABLE_PLAIN, "%" PRId64, json_number_of(encoding, "parts", 0));
}

static void print_prices(json_t *balance)
{
    static const struct table_column columns[] = {
        { "PREFIX", false, false }, { "PRICE", true, false }, { "PARTS", true, false }, { "UCS-2", true, false }, { "PARTS", true, false },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(balance, "prices"), i, row) {
        table_add(table, json_text_of(row, "prefix"), TABLE_PLAIN);
        add_parts(table, json_object_get(row, "gsm7"));
        add_parts(table, json_object_get(row, "ucs2"));
    }
    if (table_rows(table) > 0) {
        puts("");
        cli_print_table(table);
    }
    table_free(table);
    if (json_text_of(balance, "next")[0] != '\0')
        cli_say("There are more prices: GET /v1/balance?after=%s", json_text_of(balance, "next"));
}

/* How it stands with the account; a gateway that does not say is no reason to hide the credits. */
static void print_link(struct cli *cli)
{
    struct client_answer answer;
    char time[WHEN_TEXT_MAX];

    if (cli_call_raw(cli, &(struct client_request){ .method = "GET", .target = "/v1/account" }, &answer) != CLI_OK)
        return;
    if (answer.status == 200 && strcmp(json_text_of(answer.json, "state"), "not_enrolled") != 0) {
        cli_print_field("link", json_text_of(answer.json, "state"));
        cli_print_field("why", json_text_of(answer.json, "why"));
        cli_print_field("detail", json_text_of(answer.json, "detail"));
        if (json_text_of(answer.json, "heard_at")[0] != '\0')
            cli_print_field("heard", cli_time_of(cli, answer.json, "heard_at", time));
        if (json_text_of(answer.json, "advice")[0] != '\0')
            cli_say("%s", json_text_of(answer.json, "advice"));
    }
    client_answer_done(&answer);
}

int credit_balance(struct cli *cli)
{
    struct client_target target;
    struct client_answer answer;
    int status;

    client_target_begin(&target, "/v1/balance");
    client_target_query(&target, "limit", "1000");
    status = cli_get(cli, &target, &answer);
    if (status != CLI_OK)
        return status;
    if (cli->json) {
        cli_print_json(answer.json);
    } else {
        print_state(json_text_of(answer.json, "state"));
        cli_print_field("account", json_text_of(answer.json, "account"));
        if (strcmp(json_text_of(answer.json, "state"), "free") != 0)
            print_amounts(cli, answer.json);
        print_link(cli);
        print_prices(answer.json);
        if (json_text_of(answer.json, "advice")[0] != '\0')
            cli_say("%s", json_text_of(answer.json, "advice"));
    }
    client_answer_done(&answer);
    return CLI_OK;
}

/* -- ledger ---------------------------------------------------------------------------------------------------- */

static const struct cli_option ledger_options[] = {
    { "limit", 'n', "N", "at most N movements (100)" },
    { "before", 300, "ID", "only those before this one: the next page" },
    { "after", 301, "ID", "only those after this one, the oldest first" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax ledger_syntax = {
    .verb = "ledger", .arguments = "", .options = ledger_options,
    .summary = "Lists the movements of credits on this box, the newest first.",
    .notes = "Each moves an amount from one account of a lease to another. \"reserve\" is a batch that was taken, \"capture\" a part that was\n"
             "sent, \"release\" one that never will be. As a file for a spreadsheet: GET /v1/ledger?format=csv",
};

static void add_about(struct table *table, json_t *row)
{
    const char *message = json_text_of(row, "message"), *batch = json_text_of(row, "batch");
    int64_t part = json_number_of(row, "part", 0);

    if (part > 0)
        table_addf(table, TABLE_PLAIN, "%s part %" PRId64, message, part);
    else
        table_add(table, message[0] != '\0' ? message : batch, TABLE_PLAIN);
}

static int ledger_list(struct cli *cli, struct page_query *query)
{
    static const struct table_column columns[] = {
        { "ID", false, false }, { "AT", false, false }, { "WHAT", false, false }, { "LEASE", true, false }, { "CREDITS", true, false },
        { "FROM", false, false }, { "TO", false, false }, { "ABOUT", false, true },
    };
    char time[WHEN_TEXT_MAX], text[MONEY_CHARS];
    json_t *page, *row;
    size_t i;
    int status = page_read(cli, query, &page);

    if (status != CLI_OK)
        return status;
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(json_object_get(page, "postings"), i, row) {
        table_add(table, json_text_of(row, "id"), TABLE_PLAIN);
        table_add(table, cli_time_of(cli, row, "at", time), TABLE_PLAIN);
        table_add(table, json_text_of(row, "reason"), TABLE_PLAIN);
        table_addf(table, TABLE_PLAIN, "%" PRId64, json_number_of(row, "lease", 0));
        table_add(table, micro_words(row, "micro", text), TABLE_PLAIN);
        table_add(table, json_text_of(row, "from"), TABLE_PLAIN);
        table_add(table, json_text_of(row, "to"), TABLE_PLAIN);
        add_about(table, row);
    }
    if (cli->json)
        cli_print_json(page);
    else if (table_rows(table) == 0)
        cli_say("No credits were moved%s.", query->before != NULL || query->after != NULL ? " there" : " on this box yet");
    else
        cli_print_table(table);
    if (!cli->json && json_text_of(page, "next")[0] != '\0')
        cli_say("There are more: --%s %s, or a higher --limit.", query->after != NULL ? "after" : "before", json_text_of(page, "next"));
    table_free(table);
    json_decref(page);
    return CLI_OK;
}

int cmd_ledger(int argc, char **argv)
{
    struct page_query query = { .path = "/v1/ledger", .name = "postings", .limit = 100 };
    struct cli cli;
    int status = CLI_OK;

    cli_begin(&cli, &ledger_syntax, argc, argv);
    for (int letter; status == CLI_OK && (letter = cli_next_option(&cli)) >= 0;) {
        if (letter == 'n')
            status = cli_read_number(&cli, "--limit", optarg, 1, PAGE_ROWS_MAX, &query.limit);
        else if (letter == 300)
            query.before = optarg;
        else
            query.after = optarg;
    }
    if (cli.finished || status != CLI_OK)
        return cli_end(&cli, cli.finished ? cli.status : status);
    if (optind < argc)
        return cli_end(&cli, cli_usage_error(&cli, "\"%s\" is too much", argv[optind]));
    if (query.before != NULL && query.after != NULL)
        return cli_end(&cli, cli_usage_error(&cli, "--before and --after exclude each other"));
    return cli_end(&cli, ledger_list(&cli, &query));
}
