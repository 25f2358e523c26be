/* SPDX-License-Identifier: Apache-2.0
 *
 * tariffs: looks at files of tariffs before they are put in place, without the gateway; and at those that were in force. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/tariff_check.h"
#include "firmware/cellpost/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_syntax tariffs_syntax = {
    .verb = "tariffs",
    .arguments = "check FILE...\nlist\nshow VERSION [FILE]",
    .summary = "Says everything that is wrong with files of tariffs before the gateway sees them; shows the versions that were in force.",
    .notes = "check: all files are one table, as they are for the gateway: give all of them. The gateway is not asked and need not run.\n"
             "\"cellpostd --check\" looks at rates, routes, time zones and SIMs too, once the files are in place. Ends with 1 if anything\n"
             "is wrong.\n"
             "show: with the name of a file, or its end, its text as it was.",
};

static int check(struct cli *cli, char **paths, int count)
{
    size_t plans, rows, i;
    json_t *errors = tariff_check(paths, count, &plans, &rows), *error;
    bool ok = json_array_size(errors) == 0;

    if (cli->json) {
        json_t *result = memory_check(json_pack("{s:b,s:I,s:I,s:O}", "ok", ok, "plans", (json_int_t)plans, "rows", (json_int_t)rows, "errors", errors));

        cli_print_json(result);
        json_decref(result);
    } else if (ok) {
        printf("ok: %zu plan%s with %zu row%s\n", plans, plans == 1 ? "" : "s", rows, rows == 1 ? "" : "s");
    } else {
        json_array_foreach(errors, i, error)
            cli_say("%s", json_string_value(error));
    }
    json_decref(errors);
    return ok ? CLI_OK : CLI_REFUSED;
}

static int list(struct cli *cli)
{
    static const struct table_column columns[] = { { "VERSION", true, false }, { "LOADED", false, false }, { "SHA-256", false, false }, { "FILES", false, true } };
    struct client_target target;
    struct client_answer answer;
    char time[WHEN_TEXT_MAX], number[24];
    json_t *version, *file;
    size_t i, j;

    client_target_begin(&target, "/v1/tariffs");
    int status = cli_get(cli, &target, &answer);
    if (status != CLI_OK)
        return status;
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(json_object_get(answer.json, "versions"), i, version) {
        char *names = memory_copy_text("");

        json_array_foreach(json_object_get(version, "files"), j, file) {
            char *more = memory_printf("%s%s%s", names, j > 0 ? " " : "", json_text_of(file, "name"));

            free(names);
            names = more;
        }
        (void)snprintf(number, sizeof number, "%lld", (long long)json_number_of(version, "id", 0));
        table_add(table, number, TABLE_PLAIN);
        table_add(table, cli_time_of(cli, version, "loaded_at", time), TABLE_PLAIN);
        (void)snprintf(number, sizeof number, "%.12s", json_text_of(version, "sha256"));
        table_add(table, number, TABLE_PLAIN);
        table_add(table, names, TABLE_PLAIN);
        free(names);
    }
    if (cli->json)
        cli_print_json(answer.json);
    else if (table_rows(table) == 0)
        cli_say("No tariffs and no routes were in force yet.");
    else
        cli_print_table(table);
    table_free(table);
    client_answer_done(&answer);
    return CLI_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);

    return wanted > 0 && length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static int show_file(json_t *files, const char *name)
{
    json_t *file;
    size_t i;

    json_array_foreach(files, i, file) {
        if (!ends_with(json_text_of(file, "name"), name))
            continue;
        if (json_object_get(file, "text") == NULL) {
            cli_say("The text of %s is not kept: it was too large, or its version is old.", json_text_of(file, "name"));
            return CLI_REFUSED;
        }
        fputs(json_text_of(file, "text"), stdout);   /* a table that was read has no control characters */
        return CLI_OK;
    }
    cli_say("This version has no file %s.", name);
    return CLI_REFUSED;
}

static void show_files(json_t *files)
{
    static const struct table_column columns[] = { { "KIND", false, false }, { "OCTETS", true, false }, { "SHA-256", false, false }, { "NAME", false, true } };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    char text[24];
    json_t *file;
    size_t i;

    json_array_foreach(files, i, file) {
        table_add(table, json_text_of(file, "kind"), TABLE_PLAIN);
        (void)snprintf(text, sizeof text, "%lld", (long long)json_number_of(file, "bytes", 0));
        table_add(table, text, TABLE_PLAIN);
        (void)snprintf(text, sizeof text, "%.12s", json_text_of(file, "sha256"));
        table_add(table, text, TABLE_PLAIN);
        table_add(table, json_text_of(file, "name"), TABLE_PLAIN);
    }
    cli_print_table(table);
    table_free(table);
}

static int show(struct cli *cli, const char *version, const char *name)
{
    struct client_target target;
    struct client_answer answer;

    client_target_begin(&target, "/v1/tariffs");
    client_target_segment(&target, version);
    if (target.overflow)
        return cli_usage_error(cli, "\"%s\" cannot be a version", version);
    int status = cli_get(cli, &target, &answer);
    if (status != CLI_OK)
        return status;
    if (name != NULL)
        status = show_file(json_object_get(answer.json, "files"), name);
    else if (cli->json)
        cli_print_json(answer.json);
    else
        show_files(json_object_get(answer.json, "files"));
    client_answer_done(&answer);
    return status;
}

int cmd_tariffs(int argc, char **argv)
{
    struct cli cli;
    int status, left;

    cli_begin(&cli, &tariffs_syntax, argc, argv);
    while (cli_next_option(&cli) >= 0)
        continue;
    if (cli.finished)
        return cli_end(&cli, cli.status);
    left = argc - optind;
    const char *action = left > 0 ? argv[optind] : "";
    if (strcmp(action, "check") == 0 && left > TARIFF_CHECK_FILES_MAX + 1)
        status = cli_usage_error(&cli, "at most %d files are one table", TARIFF_CHECK_FILES_MAX);
    else if (strcmp(action, "check") == 0 && left > 1)
        status = check(&cli, argv + optind + 1, left - 1);
    else if (strcmp(action, "list") == 0 && left == 1)
        status = list(&cli);
    else if (strcmp(action, "show") == 0 && (left == 2 || left == 3))
        status = show(&cli, argv[optind + 1], left == 3 ? argv[optind + 2] : NULL);
    else
        status = cli_usage_error(&cli, "say \"check FILE...\", \"list\" or \"show VERSION [FILE]\"");
    return cli_end(&cli, status);
}
