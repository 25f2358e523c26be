/* SPDX-License-Identifier: Apache-2.0
 *
 * route explain: by which SIM a message to a number would go, and what speaks for and against each. */
#include "firmware/cellpost/bearer_words.h"
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/send_options.h"
#include "firmware/cellpost/when.h"
#include "src/base/utf8.h"

#include <stdio.h>
#include <string.h>

enum { ROUTE_TEXT = 300, ROUTE_AT, ROUTE_PARTS };

static const struct cli_option route_options[] = {
    { "text", ROUTE_TEXT, "TEXT", "for the parts of this text" },
    { "parts", ROUTE_PARTS, "N", "for so many parts; else 1" },
    { "at", ROUTE_AT, "TIME", "by the prices of this day: 2026-03-01, +30d" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax route_syntax = {
    .verb = "route", .arguments = "explain NUMBER", .options = route_options,
    .summary = "Explains by which SIM a message to a number would go, and what speaks for and against each.",
    .notes = "The first line of the table is what is chosen. Prices are those of the day; limits, health and what is in a modem are\n"
             "as they are now. Nothing is sent.",
};

static void print_route(json_t *answer)
{
    json_t *route = json_object_get(answer, "route");
    const char *file = json_text_of(route, "file"), *country = json_text_of(answer, "country"), *note = json_text_of(route, "note");
    char text[512];

    (void)snprintf(text, sizeof text, "%s (%s%s%s)", json_text_of(answer, "to"), json_text_of(answer, "kind"), country[0] != '\0' ? ", " : "", country);
    cli_print_field("to", text);
    cli_print_field("priced as", json_text_of(answer, "priced_as"));
    (void)snprintf(text, sizeof text, "%lld%s%s", (long long)json_number_of(answer, "parts", 1), json_text_of(answer, "encoding")[0] != '\0' ? ", " : "",
                   json_text_of(answer, "encoding"));
    cli_print_field("parts", text);
    if (file[0] != '\0')
        (void)snprintf(text, sizeof text, "%s (%s:%lld)%s%s", json_text_of(route, "prefix"), file, (long long)json_number_of(route, "line", 0),
                       note[0] != '\0' ? ": " : "", note);
    else
        (void)snprintf(text, sizeof text, "%s (no file has one for this number)", json_text_of(route, "prefix"));
    cli_print_field("route", text);
    (void)snprintf(text, sizeof text, "%s%s", json_text_of(route, "action"),
                   strcmp(json_text_of(route, "action"), "refuse") == 0 ? "" : strcmp(json_text_of(route, "order"), "listed") == 0 ? ", as listed" : ", by price");
    cli_print_field("order", text);
    (void)snprintf(text, sizeof text, "%lld s", (long long)json_number_of(answer, "patience_s", 0));
    cli_print_field("patience", text);
}

/* "limit per_day until 2026-03-02 00:00:00". */
static void add_why(const struct cli *cli, struct table *table, json_t *bearer)
{
    const char *verdict = json_text_of(bearer, "verdict"), *limit = json_text_of(bearer, "limit");
    bool good = strcmp(verdict, "may") == 0;
    char until[WHEN_TEXT_MAX] = "";

    if (json_text_of(bearer, "until")[0] != '\0')
        (void)cli_time_of(cli, bearer, "until", until);
    table_addf(table, good ? TABLE_GOOD : strcmp(verdict, "busy") == 0 ? TABLE_PLAIN : TABLE_WARN, "%s%s%s%s%s", verdict, limit[0] != '\0' ? " " : "",
               limit, until[0] != '\0' ? " until " : "", until);
}

static void add_row(struct table *table, json_t *row)
{
    if (row != NULL)
        table_addf(table, TABLE_PLAIN, "%s (%s:%lld)", json_text_of(row, "prefix"), json_text_of(row, "file"), (long long)json_number_of(row, "line", 0));
    else
        table_add(table, NULL, TABLE_PLAIN);
}

static void add_bundle(struct table *table, json_t *bundle)
{
    if (bundle != NULL)
        table_addf(table, TABLE_PLAIN, "%s, %lld left", json_text_of(bundle, "name"), (long long)json_number_of(bundle, "left", 0));
    else
        table_add(table, NULL, TABLE_PLAIN);
}

static void print_bearers(const struct cli *cli, json_t *bearers)
{
    static const struct table_column columns[] = {
        { "SIM", false, false }, { "NAME", false, false }, { "TARIFF", false, false }, { "RANK", true, false }, { "PRICE", true, false },
        { "A PART", true, false }, { "SHADOW", true, false }, { "ROW", false, false }, { "BUNDLE", false, false }, { "USED", false, false }, { "WHY", false, true },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_t *bearer;
    size_t i;

    json_array_foreach(bearers, i, bearer) {
        char text[MONEY_WORDS_MAX], used[LIMIT_WORDS_MAX];

        table_add(table, json_text_of(bearer, "bearer"), TABLE_PLAIN);
        table_add(table, json_text_of(bearer, "name"), TABLE_PLAIN);
        table_add(table, json_text_of(bearer, "tariff"), TABLE_PLAIN);
        if (json_object_get(bearer, "rank") != NULL)
            table_addf(table, TABLE_PLAIN, "%lld", (long long)json_number_of(bearer, "rank", 0));
        else
            table_add(table, NULL, TABLE_PLAIN);
        table_add(table, money_words(json_object_get(bearer, "price"), text), TABLE_PLAIN);
        table_add(table, money_words(json_object_get(bearer, "first_part_price"), text), TABLE_PLAIN);
        table_add(table, money_words(json_object_get(bearer, "shadow_price"), text), TABLE_PLAIN);
        add_row(table, json_object_get(bearer, "row"));
        add_bundle(table, json_object_get(bearer, "bundle"));
        table_add(table, limits_words(json_object_get(bearer, "limits"), used), TABLE_PLAIN);
        add_why(cli, table, bearer);
    }
    if (table_rows(table) > 0)
        putchar('\n');
    cli_print_table(table);
    table_free(table);
}

static int read_options(struct cli *cli, struct client_target *target)
{
    char number[24], rfc3339[WHEN_TEXT_MAX];
    int64_t value;

    for (int letter; (letter = cli_next_option(cli)) >= 0;) {
        int status = CLI_OK;

        switch (letter) {
        case ROUTE_TEXT:
            if (!utf8_is_valid(optarg, strlen(optarg), NULL))
                return cli_usage_error(cli, "--text is not UTF-8");
            client_target_query(target, "text", optarg);
            break;
        case ROUTE_PARTS:
            status = cli_read_number(cli, "--parts", optarg, 1, 255, &value);
            if (status != CLI_OK)
                return status;
            (void)snprintf(number, sizeof number, "%lld", (long long)value);
            client_target_query(target, "parts", number);
            break;
        case ROUTE_AT:
            if (when_parse(optarg, WHEN_NEXT, cli_now_ms(), cli->utc, &value) < 0)
                return cli_usage_error(cli, "--at takes 2026-03-01, \"2026-03-01 08:00\", 2026-03-01T08:00:00+02:00 or +30d, not \"%s\"", optarg);
            when_format_rfc3339(value, rfc3339);
            client_target_query(target, "at", rfc3339);
            break;
        }
    }
    return cli->finished ? cli->status : CLI_OK;
}

int cmd_route(int argc, char **argv)
{
    struct client_target target;
    struct client_answer answer;
    struct cli cli;
    int status;

    cli_begin(&cli, &route_syntax, argc, argv);
    client_target_begin(&target, "/v1/routes/explain");
    status = read_options(&cli, &target);
    if (cli.finished || status != CLI_OK)
        return cli_end(&cli, status);
    if (argc - optind != 2 || strcmp(argv[optind], "explain") != 0)
        return cli_usage_error(&cli, "give \"explain\" and one number");
    if (!utf8_is_valid(argv[optind + 1], strlen(argv[optind + 1]), NULL))
        return cli_usage_error(&cli, "the number is not UTF-8");
    client_target_query(&target, "to", argv[optind + 1]);
    status = cli_get(&cli, &target, &answer);
    if (status != CLI_OK)
        return cli_end(&cli, status);
    if (cli.json) {
        cli_print_json(answer.json);
    } else {
        print_route(answer.json);
        print_bearers(&cli, json_object_get(answer.json, "bearers"));
        putchar('\n');
        cli_print_line(json_text_of(json_object_get(answer.json, "choice"), "reason"));
    }
    client_answer_done(&answer);
    return cli_end(&cli, status);
}
