/* SPDX-License-Identifier: Apache-2.0
 *
 * sims: the cards, and what each of them has sent and may still send. */
#include "firmware/cellpost/bearer_words.h"
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/when.h"

#include <stdio.h>
#include <string.h>

enum { SIMS_SEEN = 300 };

static const struct cli_option sims_options[] = {
    { "seen", SIMS_SEEN, NULL, "instead: IMSI, modem, parts in all, and when each was seen" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax sims_syntax = {
    .verb = "sims", .arguments = "", .options = sims_options,
    .summary = "Lists the SIMs that were ever seen: what they have sent, and what they may still send.",
    .notes = "TODAY and MONTH are parts, with the limit where there is one. RUNS OUT is when the first of its limits will, at the rate\n"
             "so far, or until when it is used up.",
};

static void add_bundles(struct table *table, json_t *bundles)
{
    char text[256] = "";
    size_t i, length = 0;
    json_t *bundle;

    json_array_foreach(bundles, i, bundle) {
        int more = snprintf(text + length, sizeof text - length, "%s%s %lld/%lld", i > 0 ? ", " : "", json_text_of(bundle, "name"),
                            (long long)json_number_of(bundle, "left", 0), (long long)json_number_of(bundle, "parts", 0));
        if (more < 0 || (size_t)more >= sizeof text - length)
            break;
        length += (size_t)more;
    }
    table_add(table, text, TABLE_PLAIN);
}

static void add_runs_out(const struct cli *cli, struct table *table, json_t *sim)
{
    char time[WHEN_TEXT_MAX];

    if (json_object_get(sim, "used_up_until") != NULL)
        table_addf(table, TABLE_WARN, "used up until %s", cli_time_of(cli, sim, "used_up_until", time));
    else
        table_add(table, cli_time_of(cli, sim, "runs_out_at", time), TABLE_WARN);
}

static struct table *rows_of_use(const struct cli *cli, json_t *sims)
{
    static const struct table_column columns[] = {
        { "SIM", false, false }, { "NAME", false, false }, { "STATE", false, false }, { "TARIFF", false, false }, { "TODAY", true, false },
        { "MONTH", true, false }, { "SPENT", true, false }, { "BALANCE", false, false }, { "BUNDLE LEFT", false, true }, { "RUNS OUT", false, false },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_t *sim;
    size_t i;

    json_array_foreach(sims, i, sim) {
        json_t *limits = json_object_get(sim, "limits");
        const char *state = json_text_of(sim, "state");
        char text[LIMIT_WORDS_MAX], money[MONEY_WORDS_MAX], balance[96];

        table_add(table, json_text_of(sim, "iccid"), TABLE_PLAIN);
        table_add(table, json_text_of(sim, "name"), TABLE_PLAIN);
        table_add(table, state, strcmp(state, "rests") == 0 ? TABLE_WARN : strcmp(state, "away") == 0 ? TABLE_DIM : TABLE_PLAIN);
        table_add(table, json_text_of(sim, "tariff"), TABLE_PLAIN);
        table_add(table, limit_words(json_object_get(limits, "per_day"), text), TABLE_PLAIN);
        table_add(table, limit_words(json_object_get(limits, "per_month"), text), TABLE_PLAIN);
        table_add(table, money_words(json_object_get(json_object_get(sim, "spent"), "this_month"), money), TABLE_PLAIN);
        balance_shown(json_object_get(sim, "balance"), balance, sizeof balance);
        table_add(table, balance, TABLE_PLAIN);
        add_bundles(table, json_object_get(sim, "bundles"));
        add_runs_out(cli, table, sim);
    }
    return table;
}

static struct table *rows_as_seen(const struct cli *cli, json_t *sims)
{
    static const struct table_column columns[] = {
        { "SIM", false, false }, { "IMSI", false, false }, { "LAST IN MODEM", false, false },
        { "PARTS SENT", true, false }, { "FIRST SEEN", false, false }, { "LAST SEEN", false, false },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    char time[WHEN_TEXT_MAX];
    json_t *sim;
    size_t i;

    json_array_foreach(sims, i, sim) {
        table_add(table, json_text_of(sim, "iccid"), TABLE_PLAIN);
        table_add(table, json_text_of(sim, "imsi"), TABLE_PLAIN);
        table_add(table, json_text_of(sim, "modem"), TABLE_PLAIN);
        table_addf(table, TABLE_PLAIN, "%lld", (long long)json_number_of(sim, "parts_sent", 0));
        table_add(table, cli_time_of(cli, sim, "first_seen_at", time), TABLE_PLAIN);
        table_add(table, cli_time_of(cli, sim, "last_seen_at", time), TABLE_PLAIN);
    }
    return table;
}

int cmd_sims(int argc, char **argv)
{
    struct client_target target;
    struct client_answer answer;
    struct cli cli;
    bool seen = false;
    int status;

    cli_begin(&cli, &sims_syntax, argc, argv);
    for (int letter; (letter = cli_next_option(&cli)) >= 0;)
        seen |= letter == SIMS_SEEN;
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (optind < argc)
        return cli_usage_error(&cli, "\"%s\" is too much", argv[optind]);
    client_target_begin(&target, "/v1/sims");
    status = cli_get(&cli, &target, &answer);
    if (status != CLI_OK)
        return cli_end(&cli, status);
    json_t *sims = json_object_get(answer.json, "sims");
    if (cli.json) {
        cli_print_json(answer.json);
    } else if (json_array_size(sims) == 0) {
        cli_say("No SIM has been seen yet.");
    } else {
        struct table *table = seen ? rows_as_seen(&cli, sims) : rows_of_use(&cli, sims);
        cli_print_table(table);
        table_free(table);
    }
    client_answer_done(&answer);
    return cli_end(&cli, CLI_OK);
}
