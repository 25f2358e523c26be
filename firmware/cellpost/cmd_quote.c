/* SPDX-License-Identifier: Apache-2.0
 *
 * quote: what a text to one or many would cost, before it is sent. */
#include "firmware/cellpost/bearer_words.h"
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/send_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUOTE_TEXT = 300, QUOTE_TO, QUOTE_FILE, QUOTE_AT, QUOTE_PATIENCE, QUOTE_COUNTRY, QUOTE_ENCODING };

static const struct cli_option quote_options[] = {
    { "text", QUOTE_TEXT, "TEXT", "the text; \"-\": from stdin" },
    { "to", QUOTE_TO, "NUMBER", "a recipient; may be given again" },
    { "file", QUOTE_FILE, "FILE", "recipients, one a line; \"-\": stdin" },
    { "at", QUOTE_AT, "TIME", "as it would be sent then, by the prices of that day" },
    { "patience", QUOTE_PATIENCE, "DURATION", "how long it may wait for a cheaper SIM" },
    { "country", QUOTE_COUNTRY, "XX", "of which country national numbers are: RO, FR ..." },
    { "encoding", QUOTE_ENCODING, "NAME", "auto, gsm7 or ucs2" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax quote_syntax = {
    .verb = "quote", .arguments = "NUMBER... --text TEXT", .options = quote_options,
    .summary = "Says what a text would cost: parts, price and SIM for each recipient, and in all. Nothing is sent.",
    .notes = "What a batch uses up of bundles and of limits of days and months is counted as it would be charged; health, and what is in\n"
             "a modem, are as they are now. Ends with 1 where a recipient would be refused.",
};

struct quote { struct recipients recipients; char *text; const char *text_argument; json_t *options; bool stdin_taken; };

static int read_option(struct cli *cli, struct quote *quote, int letter)
{
    int64_t patience_s = 0;
    int status;

    switch (letter) {
    case QUOTE_TEXT:
        quote->text_argument = optarg;
        return CLI_OK;
    case QUOTE_TO:
        return send_add_recipient(cli, &quote->recipients, optarg);
    case QUOTE_FILE:
        return send_read_file(cli, &quote->recipients, optarg, &quote->stdin_taken);
    case QUOTE_AT:
        return send_read_at(cli, quote->options, optarg);
    case QUOTE_PATIENCE:
        status = send_read_duration(cli, "--patience", optarg, 0, &patience_s);
        json_object_set_new(quote->options, "patience_s", json_integer(patience_s));
        return status;
    case QUOTE_COUNTRY:
        return send_read_country(cli, quote->options, optarg);
    default:
        return send_read_encoding(cli, quote->options, optarg);
    }
}

static int read_arguments(struct cli *cli, struct quote *quote)
{
    int status = CLI_OK;

    for (int i = optind; status == CLI_OK && i < cli->argc; i++)
        status = send_add_recipient(cli, &quote->recipients, cli->argv[i]);
    if (status != CLI_OK)
        return status;
    if (quote->recipients.count == 0)
        return cli_usage_error(cli, "give at least one number");
    if (quote->text_argument == NULL)
        return cli_usage_error(cli, "give the text behind --text");
    return send_read_text(cli, quote->stdin_taken, quote->text_argument, &quote->text);
}

static void print_messages(json_t *messages)
{
    static const struct table_column columns[] = {
        { "TO", false, false }, { "PARTS", true, false }, { "ENCODING", false, false }, { "PRICE", true, false }, { "SIM", false, false },
        { "BUNDLE", false, false }, { "WHEN", false, false }, { "REFUSED", false, true },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_t *message;
    size_t i;

    json_array_foreach(messages, i, message) {
        const char *name = json_text_of(message, "name");
        char price[MONEY_WORDS_MAX];

        table_add(table, json_text_of(message, "to"), TABLE_PLAIN);
        if (json_object_get(message, "parts") != NULL)
            table_addf(table, TABLE_PLAIN, "%lld", (long long)json_number_of(message, "parts", 0));
        else
            table_add(table, NULL, TABLE_PLAIN);
        table_add(table, json_text_of(message, "encoding"), TABLE_PLAIN);
        table_add(table, money_words(json_object_get(message, "price"), price), TABLE_PLAIN);
        table_add(table, name[0] != '\0' ? name : json_text_of(message, "bearer"), TABLE_PLAIN);
        table_add(table, json_text_of(json_object_get(message, "bundle"), "name"), TABLE_PLAIN);
        table_add(table, json_text_of(message, "when"), TABLE_PLAIN);
        table_add(table, json_text_of(json_object_get(message, "error"), "code"), TABLE_WARN);
    }
    cli_print_table(table);
    table_free(table);
}

static void print_total(json_t *total)
{
    char price[MONEY_WORDS_MAX];
    int64_t unpriced = json_number_of(total, "unpriced", 0), messages = json_number_of(total, "messages", 0), parts = json_number_of(total, "parts", 0);

    printf("\n%lld message%s, %lld part%s", (long long)messages, messages == 1 ? "" : "s", (long long)parts, parts == 1 ? "" : "s");
    if (json_object_get(total, "price") != NULL)
        printf(", %s", money_words(json_object_get(total, "price"), price));
    if (unpriced > 0)
        printf("; of %lld no price is known", (long long)unpriced);
    if (json_number_of(total, "rejected", 0) > 0)
        printf("; %lld would be refused", (long long)json_number_of(total, "rejected", 0));
    putchar('\n');
}

static int quote_run(struct cli *cli, const struct quote *quote)
{
    char *body = send_make_body(&quote->recipients, quote->text, quote->options);
    struct client_answer answer;
    size_t refused;
    int status = cli_call(cli, &(struct client_request){ .method = "POST", .target = "/v1/quote", .body = body }, &answer);

    free(body);
    if (status != CLI_OK)
        return status;
    refused = send_explain_refusals(json_object_get(answer.json, "messages"));
    if (cli->json) {
        cli_print_json(answer.json);
    } else {
        print_messages(json_object_get(answer.json, "messages"));
        print_total(json_object_get(answer.json, "total"));
    }
    client_answer_done(&answer);
    return refused > 0 ? CLI_REFUSED : CLI_OK;
}

int cmd_quote(int argc, char **argv)
{
    struct quote quote = { .options = memory_check(json_object()) };
    struct cli cli;
    int status = CLI_OK;

    cli_begin(&cli, &quote_syntax, argc, argv);
    for (int letter; status == CLI_OK && (letter = cli_next_option(&cli)) >= 0;)
        status = read_option(&cli, &quote, letter);
    if (cli.finished)
        status = cli.status;
    if (status == CLI_OK && !cli.finished) {
        status = read_arguments(&cli, &quote);
        if (status == CLI_OK)
            status = quote_run(&cli, &quote);
    }
    recipients_done(&quote.recipients);
    json_decref(quote.options);
    free(quote.text);
    return cli_end(&cli, status);
}
