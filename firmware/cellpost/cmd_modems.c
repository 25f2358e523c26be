/* SPDX-License-Identifier: Apache-2.0
 *
 * modems: the hardware as the gateway sees it. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/modem_rows.h"

#include <stdio.h>
#include <stdlib.h>

static const struct cli_syntax modems_syntax = {
    .verb = "modems", .arguments = "", .summary = "Lists the modems: where they are, what they do, and what keeps them from it.",
};

/* One GET of a whole list; prints it as JSON, or hands it on. */
static int read_list(struct cli *cli, const struct cli_syntax *syntax, int argc, char **argv, const char *path,
                     struct client_answer *ret_answer)
{
    struct client_target target;

    cli_begin(cli, syntax, argc, argv);
    while (cli_next_option(cli) >= 0)
        continue;
    if (cli->finished)
        return cli->status;
    if (optind < argc)
        return cli_usage_error(cli, "\"%s\" is too much", argv[optind]);
    client_target_begin(&target, path);
    int status = cli_get(cli, &target, ret_answer);
    if (status == CLI_OK && cli->json) {
        cli_print_json(ret_answer->json);
        client_answer_done(ret_answer);
        cli->finished = true;
    }
    return status;
}

int cmd_modems(int argc, char **argv)
{
    struct client_answer answer;
    struct cli cli;
    int status = read_list(&cli, &modems_syntax, argc, argv, "/v1/modems", &answer);

    if (status != CLI_OK || cli.finished)
        return cli_end(&cli, status);
    json_t *modems = json_object_get(answer.json, "modems");
    struct table *table = modem_rows(modems);
    if (json_array_size(modems) == 0)
        cli_say("No modems: none of the ports that [bank] in cellpost.ini names is there.");
    cli_print_table(table);
    table_free(table);
    modem_rows_say_reasons(modems);
    client_answer_done(&answer);
    return cli_end(&cli, CLI_OK);
}
