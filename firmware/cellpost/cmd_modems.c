/* SPDX-License-Identifier: Apache-2.0
 *
 * modems and sims: the hardware as the gateway sees it. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/modem_rows.h"
#include "firmware/cellpost/when.h"

#include <stdio.h>
#include <stdlib.h>

static const struct cli_syntax modems_syntax = {
    .verb = "modems", .arguments = "", .summary = "Lists the modems: where they are, what they do, and what keeps them from it.",
};

static const struct cli_syntax sims_syntax = {
    .verb = "sims", .arguments = "", .summary = "Lists the SIMs that were ever seen, by ICCID.",
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

int cmd_sims(int argc, char **argv)
{
    static const struct table_column columns[] = {
        { "ICCID", false, false }, { "IMSI", false, false }, { "LAST IN MODEM", false, false },
        { "BALANCE", false, false }, { "PARTS SENT", true, false }, { "FIRST SEEN", false, false }, { "LAST SEEN", false, false },
    };
    struct client_answer answer;
    struct cli cli;
    int status = read_list(&cli, &sims_syntax, argc, argv, "/v1/sims", &answer);
    char time[WHEN_TEXT_MAX], balance[96];
    json_t *sim;
    size_t i;

    if (status != CLI_OK || cli.finished)
        return cli_end(&cli, status);
    json_t *sims = json_object_get(answer.json, "sims");
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(sims, i, sim) {
        table_add(table, json_text_of(sim, "iccid"), TABLE_PLAIN);
        table_add(table, json_text_of(sim, "imsi"), TABLE_PLAIN);
        table_add(table, json_text_of(sim, "modem"), TABLE_PLAIN);
        balance_shown(json_object_get(sim, "balance"), balance, sizeof balance);
        table_add(table, balance, TABLE_PLAIN);
        table_addf(table, TABLE_PLAIN, "%lld", (long long)json_number_of(sim, "parts_sent", 0));
        table_add(table, cli_time_of(&cli, sim, "first_seen_at", time), TABLE_PLAIN);
        table_add(table, cli_time_of(&cli, sim, "last_seen_at", time), TABLE_PLAIN);
    }
    if (table_rows(table) == 0)
        cli_say("No SIM has been seen yet.");
    cli_print_table(table);
    table_free(table);
    client_answer_done(&answer);
    return cli_end(&cli, CLI_OK);
}
