/* SPDX-License-Identifier: Apache-2.0
 *
 * health: what GET /healthz says, for people and for scripts that watch. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_syntax health_syntax = {
    .verb = "health", .arguments = "", .summary = "Says whether the gateway is well.",
    .notes = "Ends with 0 when it takes messages (\"degraded\": but no modem is ready), 1 when it does not, 3 when it cannot be\n"
             "reached.",
};

/* Whatever the answer holds is shown, a line for each: a later gateway may know more. */
static void print_member(const struct cli *cli, const char *name, json_t *object, json_t *value)
{
    size_t length = strlen(name), i;
    char time[WHEN_TEXT_MAX];
    const char *inner;
    json_t *item;

    if (length > 3 && strcmp(name + length - 3, "_at") == 0) {
        cli_print_field(name, cli_time_of(cli, object, name, time));
    } else if (json_is_string(value)) {
        cli_print_field(name, json_string_value(value));
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item)
            print_member(cli, name, NULL, item);
    } else if (json_is_object(value)) {
        json_object_foreach(value, inner, item) {
            char *whole = memory_printf("%s %s", name, inner);
            print_member(cli, whole, value, item);
            free(whole);
        }
    } else {
        char *text = memory_check(json_dumps(value, JSON_ENCODE_ANY));
        cli_print_field(name, text);
        free(text);
    }
}

int cmd_health(int argc, char **argv)
{
    struct client_answer answer;
    struct cli cli;
    const char *name;
    json_t *value;

    cli_begin(&cli, &health_syntax, argc, argv);
    while (cli_next_option(&cli) >= 0)
        continue;
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (optind < argc)
        return cli_usage_error(&cli, "\"%s\" is too much", argv[optind]);

    int status = cli_call_raw(&cli, &(struct client_request){ .method = "GET", .target = "/healthz" }, &answer);
    if (status != CLI_OK)
        return cli_end(&cli, status);
    if (!json_is_object(answer.json)) {
        status = cli_explain_answer(&cli, &answer);
    } else {
        status = answer.status >= 400 ? CLI_REFUSED : CLI_OK;
        if (cli.json)
            cli_print_json(answer.json);
        else
            json_object_foreach(answer.json, name, value)
                print_member(&cli, name, answer.json, value);
    }
    client_answer_done(&answer);
    return cli_end(&cli, status);
}
