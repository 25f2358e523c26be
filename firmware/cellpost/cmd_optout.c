/* SPDX-License-Identifier: Apache-2.0
 *
 * optout: the numbers that want no more messages. */
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/page.h"
#include "firmware/cellpost/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_option optout_options[] = {
    { "limit", 'n', "N", "list: at most N numbers (100)" },
    { "after", 300, "NUMBER", "list: only those behind this number: the next page" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax optout_syntax = {
    .verb = "optout",
    .arguments = "list\nshow NUMBER\nadd NUMBER\nremove NUMBER",
    .summary = "Lists the numbers that get no more messages, puts one on the list or takes it off.",
    .options = optout_options,
    .notes = "Who sends STOP is put on the list where [optout] of cellpost.ini says so. \"add\" and \"remove\" send nothing.",
};

/* "sms" and the word that it said, or who put it there. */
static char *source_of(json_t *row)
{
    const char *word = json_text_of(row, "word");

    return memory_printf("%s%s%s", json_text_of(row, "source"), word[0] != '\0' ? " " : "", word);
}

static int optout_list(struct cli *cli, struct page_query *query)
{
    static const struct table_column columns[] = {
        { "NUMBER", false, false }, { "SINCE", false, false }, { "CONFIRMED", false, false }, { "SOURCE", false, true },
    };
    json_t *page, *row;
    char time[WHEN_TEXT_MAX];
    size_t i;
    int status = page_read(cli, query, &page);

    if (status != CLI_OK)
        return status;
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(json_object_get(page, "opt_outs"), i, row) {
        char *source = source_of(row);
        table_add(table, json_text_of(row, "number"), TABLE_PLAIN);
        table_add(table, cli_time_of(cli, row, "opted_out_at", time), TABLE_PLAIN);
        table_add(table, cli_time_of(cli, row, "confirmed_at", time), TABLE_PLAIN);
        table_add(table, source, TABLE_PLAIN);
        free(source);
    }
    if (cli->json)
        cli_print_json(page);
    else if (table_rows(table) == 0)
        cli_say("No number is on the opt-out list%s.", query->after != NULL ? " behind that one" : "");
    else
        cli_print_table(table);
    if (!cli->json && json_text_of(page, "next")[0] != '\0')
        cli_say("There are more: --after %s, or a higher --limit.", json_text_of(page, "next"));
    table_free(table);
    json_decref(page);
    return CLI_OK;
}

static void print_one(const struct cli *cli, json_t *row)
{
    char time[WHEN_TEXT_MAX], *source = source_of(row);

    cli_print_field("number", json_text_of(row, "number"));
    cli_print_field("since", cli_time_of(cli, row, "opted_out_at", time));
    cli_print_field("source", source);
    cli_print_field("sim", json_text_of(row, "sim"));
    if (json_text_of(row, "confirmed_at")[0] != '\0')
        cli_print_field("confirmed", cli_time_of(cli, row, "confirmed_at", time));
    free(source);
}

static int optout_one(struct cli *cli, const char *method, const char *number)
{
    struct client_target target;
    struct client_answer answer;

    client_target_begin(&target, "/v1/opt-outs");
    client_target_segment(&target, number);
    if (target.overflow)
        return cli_usage_error(cli, "\"%s\" is no number", number);
    int status = cli_call(cli, &(struct client_request){ .method = method, .target = target.text }, &answer);
    if (status != CLI_OK)
        return status;
    if (cli->json && answer.json != NULL)
        cli_print_json(answer.json);
    else if (!cli->json && strcmp(method, "GET") == 0)
        print_one(cli, answer.json);
    else if (!cli->json && strcmp(method, "PUT") == 0)
        cli_say("%s %s.", json_text_of(answer.json, "number"),
                answer.status == 201 ? "gets no more messages" : "was on the list already: it stays there as it was");
    else if (!cli->json)
        cli_say("%s gets messages again.", number);
    client_answer_done(&answer);
    return CLI_OK;
}

int cmd_optout(int argc, char **argv)
{
    static const struct { const char *action, *method; } actions[] = { { "show", "GET" }, { "add", "PUT" }, { "remove", "DELETE" } };
    struct page_query query = { .path = "/v1/opt-outs", .name = "opt_outs", .forward = true, .limit = 100 };
    bool paged = false;
    struct cli cli;
    int status = CLI_OK;

    cli_begin(&cli, &optout_syntax, argc, argv);
    for (int letter; status == CLI_OK && (letter = cli_next_option(&cli)) >= 0; paged = true) {
        if (letter == 'n')
            status = cli_read_number(&cli, "--limit", optarg, 1, PAGE_ROWS_MAX, &query.limit);
        else
            query.after = optarg;
    }
    if (cli.finished || status != CLI_OK)
        return cli_end(&cli, cli.finished ? cli.status : status);

    const char *action = optind < argc ? argv[optind] : "";
    int left = argc - optind;
    if (strcmp(action, "list") == 0 && left == 1)
        return cli_end(&cli, optout_list(&cli, &query));
    if (paged)
        return cli_end(&cli, cli_usage_error(&cli, "--limit and --after go with \"list\""));
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(action, actions[i].action) == 0 && left == 2)
            return cli_end(&cli, optout_one(&cli, actions[i].method, argv[optind + 1]));
    return cli_end(&cli, cli_usage_error(&cli, "say \"list\", \"show NUMBER\", \"add NUMBER\" or \"remove NUMBER\""));
}
