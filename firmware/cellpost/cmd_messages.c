/* SPDX-License-Identifier: Apache-2.0
 *
 * show and list: messages on their way out. */
#include "firmware/cellpost/bearer_words.h"
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/page.h"
#include "firmware/cellpost/states.h"
#include "firmware/cellpost/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- show ------------------------------------------------------------------------------------------------------ */

static const struct cli_syntax show_syntax = {
    .verb = "show", .arguments = "ID", .summary = "Shows one message: its text, its parts with their attempts, and its history.",
};

static void print_time(const struct cli *cli, const char *name, json_t *object, const char *key)
{
    char text[WHEN_TEXT_MAX];

    if (json_text_of(object, key)[0] != '\0')
        cli_print_field(name, cli_time_of(cli, object, key, text));
}

static json_t *last_attempt(json_t *attempts)
{
    size_t count = json_array_size(attempts);

    return count > 0 ? json_array_get(attempts, count - 1) : NULL;
}

/* What became of the last attempt: "refused, CMS 38", "sent, report 0x00". */
static void add_attempt(struct table *table, json_t *attempts)
{
    json_t *last = last_attempt(attempts), *report = json_object_get(last, "report");
    int64_t code = json_number_of(last, "error_code", -1);
    const char *kind = json_text_of(last, "error");
    const char *state = state_words(json_text_of(last, "state"));

    if (code >= 0)
        table_addf(table, TABLE_PLAIN, "%s, %s %lld", state,
                   strcmp(kind, "cms") == 0 ? "CMS" : strcmp(kind, "cme") == 0 ? "CME" : "error", (long long)code);
    else if (report != NULL)
        table_addf(table, TABLE_PLAIN, "%s, report 0x%02llX", state, (unsigned long long)json_number_of(report, "status", 0));
    else
        table_add(table, state, TABLE_PLAIN);
}

/* A number that may be unknown. */
static void add_number(struct table *table, json_t *object, const char *key)
{
    int64_t number = json_number_of(object, key, -1);

    if (number < 0)
        table_add(table, NULL, TABLE_PLAIN);
    else
        table_addf(table, TABLE_PLAIN, "%lld", (long long)number);
}

static void add_price(struct table *table, json_t *attempts)
{
    char text[MONEY_WORDS_MAX];

    table_add(table, money_words(json_object_get(last_attempt(attempts), "price"), text), TABLE_PLAIN);
}

/* Why the message went by the SIM it went by, as its first part has it: one line. */
static void print_why(json_t *parts)
{
    json_t *choice = json_object_get(last_attempt(json_object_get(json_array_get(parts, 0), "attempt_log")), "choice"), *other;
    const char *plan = json_text_of(choice, "plan"), *bundle = json_text_of(choice, "bundle"), *list = json_text_of(choice, "list_price");
    char text[512], words[MONEY_WORDS_MAX];
    size_t i, length;

    if (choice == NULL)
        return;
    length = (size_t)snprintf(text, sizeof text, "route %s, tariff %s", json_text_of(choice, "route"), plan[0] != '\0' ? plan : "none");
    if (bundle[0] != '\0' && length < sizeof text)
        length += (size_t)snprintf(text + length, sizeof text - length, ", bundle %s (%lld left)", bundle, (long long)json_number_of(choice, "bundle_left", 0));
    else if (list[0] != '\0' && length < sizeof text)
        length += (size_t)snprintf(text + length, sizeof text - length, ", %s for the message (line %lld)", amount_words(list, words), (long long)json_number_of(choice, "tariff_line", 0));
    json_array_foreach(json_object_get(choice, "others"), i, other) {
        const char *price = json_text_of(other, "price"), *limit = json_text_of(other, "limit");

        if (length < sizeof text)
            length += (size_t)snprintf(text + length, sizeof text - length, "; not %s: %s%s%s%s%s", json_text_of(other, "bearer"), json_text_of(other, "verdict"),
                                       limit[0] != '\0' ? " " : "", limit, price[0] != '\0' ? ", " : "", amount_words(price, words));
    }
    putchar('\n');
    cli_print_field("why", text);
}

static void print_parts(json_t *parts)
{
    static const struct table_column columns[] = {
        { "PART", true, false }, { "STATE", false, false }, { "ATTEMPTS", true, false }, { "MR", true, false },
        { "MODEM", false, false }, { "SIM", false, false }, { "PRICE", true, false }, { "LAST ATTEMPT", false, true },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    size_t i;
    json_t *part;

    json_array_foreach(parts, i, part) {
        const char *state = json_text_of(part, "state");
        table_addf(table, TABLE_PLAIN, "%lld", (long long)json_number_of(part, "part", (int64_t)i + 1));
        table_add(table, state, state_style(state));
        table_addf(table, TABLE_PLAIN, "%lld", (long long)json_number_of(part, "attempts", 0));
        add_number(table, part, "mr");
        table_add(table, json_text_of(part, "modem"), TABLE_PLAIN);
        table_add(table, json_text_of(part, "sim"), TABLE_PLAIN);
        add_price(table, json_object_get(part, "attempt_log"));
        add_attempt(table, json_object_get(part, "attempt_log"));
    }
    if (table_rows(table) > 0)
        putchar('\n');
    cli_print_table(table);
    table_free(table);
}

static void print_history(const struct cli *cli, json_t *history)
{
    static const struct table_column columns[] = { { "TIME", false, false }, { "STATE", false, false }, { "REASON", false, true } };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    char time[WHEN_TEXT_MAX];
    size_t i;
    json_t *step;

    json_array_foreach(history, i, step) {
        const char *state = json_text_of(step, "state");
        table_add(table, cli_time_of(cli, step, "time", time), TABLE_PLAIN);
        table_add(table, state, state_style(state));
        table_add(table, json_text_of(step, "reason"), TABLE_PLAIN);
    }
    if (table_rows(table) > 0)
        putchar('\n');
    cli_print_table(table);
    table_free(table);
}

static void print_message(const struct cli *cli, json_t *message)
{
    const char *state = json_text_of(message, "state");

    cli_print_field("id", json_text_of(message, "id"));
    cli_print_field("batch", json_text_of(message, "batch"));
    cli_print_field("to", json_text_of(message, "to"));
    cli_print_field("state", state_words(state));
    cli_print_field("reason", json_text_of(message, "reason"));
    cli_print_field("encoding", json_text_of(message, "encoding"));
    if (json_number_of(message, "class", -1) >= 0)
        printf("%-12s %lld\n", "class", (long long)json_number_of(message, "class", -1));
    printf("%-12s %lld\n", "priority", (long long)json_number_of(message, "priority", 0));
    cli_print_field("report", json_true_of(message, "report") ? "asked for" : "not asked for");
    cli_print_field("policy", json_text_of(message, "policy"));
    cli_print_field("client ref", json_text_of(message, "client_ref"));
    cli_print_field("sent by", json_text_of(message, "actor"));
    print_time(cli, "accepted", message, "accepted_at");
    print_time(cli, "goes at", message, "schedule_at");
    print_time(cli, "expires", message, "expires_at");
    cli_print_block("text", json_text_of(message, "text"));
    print_parts(json_object_get(message, "parts"));
    print_why(json_object_get(message, "parts"));
    print_history(cli, json_object_get(message, "history"));
}

/* What is unknown straight from held was dropped by a person: nothing is left to decide. */
static bool is_dropped(json_t *history)
{
    size_t count = json_array_size(history);

    return count > 1 && strcmp(json_text_of(json_array_get(history, count - 1), "state"), "unknown") == 0 &&
           strcmp(json_text_of(json_array_get(history, count - 2), "state"), "held") == 0;
}

/* What a person can do about a message of which nobody knows whether it was sent. */
static void say_decisions(json_t *message)
{
    const char *id = json_text_of(message, "id"), *state = json_text_of(message, "state");
    bool unknown = strcmp(state, "unknown") == 0;

    if ((!unknown && strcmp(state, "held") != 0) || is_dropped(json_object_get(message, "history")))
        return;
    if (unknown)
        cli_say("A late answer or a delivery report may still tell whether it was sent. You need not wait for it:");
    cli_say("\"cellpost release %s\" sends it once more, and it may arrive twice; \"cellpost drop %s\" leaves it as it is.", id, id);
}

int cmd_show(int argc, char **argv)
{
    struct client_target target;
    struct client_answer answer;
    struct cli cli;

    cli_begin(&cli, &show_syntax, argc, argv);
    while (cli_next_option(&cli) >= 0)
        continue;
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (argc - optind != 1)
        return cli_usage_error(&cli, "give the id of one message");

    client_target_begin(&target, "/v1/messages");
    client_target_segment(&target, argv[optind]);
    int status = cli_get(&cli, &target, &answer);
    if (status == CLI_OK) {
        if (cli.json) {
            cli_print_json(answer.json);
        } else {
            print_message(&cli, answer.json);
            say_decisions(answer.json);
        }
        client_answer_done(&answer);
    }
    return cli_end(&cli, status);
}

/* -- list ------------------------------------------------------------------------------------------------------ */

enum { LIST_BEFORE = 300, LIST_BATCH, LIST_REF, LIST_SINCE, LIST_UNTIL };

static const struct cli_option list_options[] = {
    { "state", 's', "STATE", "only these: scheduled, queued, sending, sent, delivered, undelivered, expired, rejected, failed,\n"
      "                                unknown, held or cancelled" },
    { "to", 't', "NUMBER", "only to this number" },
    { "batch", LIST_BATCH, "ID", "only of this batch" },
    { "ref", LIST_REF, "REF", "only with this client reference" },
    { "since", LIST_SINCE, "TIME", "only accepted since then, or so long ago: 2h, 7d" },
    { "until", LIST_UNTIL, "TIME", "only accepted before then" },
    { "before", LIST_BEFORE, "ID", "only older than this message: the next page" },
    { "limit", 'n', "N", "at most N messages (100)" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax list_syntax = {
    .verb = "list", .arguments = "", .summary = "Lists messages, the newest first.", .options = list_options,
};

static void print_messages(const struct cli *cli, json_t *messages)
{
    static const struct table_column columns[] = {
        { "ID", false, false }, { "ACCEPTED", false, false }, { "TO", false, false }, { "STATE", false, false },
        { "PARTS", true, false }, { "TEXT", false, true },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    char time[WHEN_TEXT_MAX];
    size_t i;
    json_t *message;

    json_array_foreach(messages, i, message) {
        const char *state = json_text_of(message, "state");
        table_add(table, json_text_of(message, "id"), TABLE_PLAIN);
        table_add(table, cli_time_of(cli, message, "accepted_at", time), TABLE_PLAIN);
        table_add(table, json_text_of(message, "to"), TABLE_PLAIN);
        table_add(table, state, state_style(state));
        table_addf(table, TABLE_PLAIN, "%lld", (long long)json_number_of(message, "parts", 1));
        table_add(table, json_text_of(message, "text"), TABLE_PLAIN);
    }
    cli_print_table(table);
    table_free(table);
}

int cmd_list(int argc, char **argv)
{
    char since[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX];
    struct page_query query = { .path = "/v1/messages", .name = "messages", .limit = 100 };
    struct cli cli;
    json_t *page;
    int status;

    cli_begin(&cli, &list_syntax, argc, argv);
    for (int letter; (letter = cli_next_option(&cli)) >= 0;) {
        status = CLI_OK;
        switch (letter) {
        case 's': page_filter(&query, "state", optarg); break;
        case 't': page_filter(&query, "to", optarg); break;
        case LIST_BATCH: page_filter(&query, "batch", optarg); break;
        case LIST_REF: page_filter(&query, "client_ref", optarg); break;
        case LIST_BEFORE: query.before = optarg; break;
        case 'n': status = cli_read_number(&cli, "--limit", optarg, 1, PAGE_ROWS_MAX, &query.limit); break;
        case LIST_SINCE:
            status = cli_read_since(&cli, "--since", optarg, since);
            page_filter(&query, "since", since);
            break;
        case LIST_UNTIL:
            status = cli_read_since(&cli, "--until", optarg, until);
            page_filter(&query, "until", until);
            break;
        }
        if (status != CLI_OK)
            return status;
    }
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (optind < argc)
        return cli_usage_error(&cli, "\"%s\" is too much: filters are options, and \"cellpost show ID\" shows one message",
                               argv[optind]);

    status = page_read(&cli, &query, &page);
    if (status != CLI_OK)
        return cli_end(&cli, status);
    json_t *messages = json_object_get(page, "messages");
    if (cli.json)
        cli_print_json(page);
    else if (json_array_size(messages) == 0)
        cli_say("No messages.");
    else
        print_messages(&cli, messages);
    if (!cli.json && json_text_of(page, "next")[0] != '\0')
        cli_say("There are more: --before %s, or a higher --limit.", json_text_of(page, "next"));
    json_decref(page);
    return cli_end(&cli, status);
}
