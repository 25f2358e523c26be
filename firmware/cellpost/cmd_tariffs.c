/* SPDX-License-Identifier: Apache-2.0
 *
 * tariffs: looks at files of tariffs before they are put in place, without the gateway. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/tariff_check.h"

#include <stdio.h>
#include <string.h>

static const struct cli_syntax tariffs_syntax = {
    .verb = "tariffs",
    .arguments = "check FILE...",
    .summary = "Reads files of tariffs as the gateway would, and says everything that is wrong with them.",
    .notes = "All files are one table, as they are for the gateway: give all of them. The gateway is not asked and need not run.\n"
             "\"cellpostd --check\" looks at rates, routes, time zones and SIMs too, once the files are in place.\n"
             "Ends with 1 if anything is wrong.",
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

int cmd_tariffs(int argc, char **argv)
{
    struct cli cli;

    cli_begin(&cli, &tariffs_syntax, argc, argv);
    while (cli_next_option(&cli) >= 0)
        continue;
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (optind >= argc || strcmp(argv[optind], "check") != 0)
        return cli_end(&cli, cli_usage_error(&cli, "give \"check\" and the files"));
    if (optind + 1 == argc)
        return cli_end(&cli, cli_usage_error(&cli, "give the files to check"));
    if (argc - optind - 1 > TARIFF_CHECK_FILES_MAX)
        return cli_end(&cli, cli_usage_error(&cli, "at most %d files are one table", TARIFF_CHECK_FILES_MAX));
    return cli_end(&cli, check(&cli, argv + optind + 1, argc - optind - 1));
}
