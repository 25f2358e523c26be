/* SPDX-License-Identifier: Apache-2.0
 *
 * ussd: a code by one SIM, and what its network says. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* It waits a minute for its turn and another for the network. */
#define ANSWER_TIMEOUT_MS 150000

static const struct cli_syntax ussd_syntax = {
    .verb = "ussd",
    .arguments = "SIM CODE [REPLY]...",
    .summary = "Sends a USSD code by a SIM and prints what the network answers.",
    .notes = "SIM is an ICCID, an IMSI, a name of cellpost.ini, or the port of the modem. Replies are given one by one while the\n"
             "network asks for them. No message goes by this SIM meanwhile, for at most a minute.",
};

/* The network's lines stay lines; nothing else in them reaches the terminal as it is. */
static void print_text(const char *text)
{
    char *safe = memory_check(text_escape(text, strlen(text), TEXT_KEEP_LINES));

    puts(safe);
    free(safe);
}

static char *request_body(const char *code, char *const *replies, int count)
{
    json_t *request = json_pack("{s:s}", "code", code), *list = json_array();
    char *body = NULL;

    for (int i = 0; i < count; i++) {
        json_t *reply = json_string(replies[i]);
        if (reply == NULL || json_array_append_new(list, reply) != 0)
            goto out;
    }
    if (request != NULL && (count == 0 || json_object_set(request, "replies", list) == 0))
        body = memory_check(json_dumps(request, JSON_COMPACT));
out:
    json_decref(list);
    json_decref(request);
    return body;
}

int cmd_ussd(int argc, char **argv)
{
    struct client_target target;
    struct client_answer answer;
    struct cli cli;
    char *body;

    cli_begin(&cli, &ussd_syntax, argc, argv);
    while (cli_next_option(&cli) >= 0)
        continue;
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (argc - optind < 2)
        return cli_end(&cli, cli_usage_error(&cli, "say a SIM and a code, as \"8940... *100#\""));
    client_target_begin(&target, "/v1/sims");
    client_target_segment(&target, argv[optind]);
    client_target_segment(&target, "ussd");
    body = request_body(argv[optind + 1], argv + optind + 2, argc - optind - 2);
    if (target.overflow || body == NULL) {
        free(body);
        return cli_end(&cli, cli_usage_error(&cli, "this cannot be a SIM or a code"));
    }
    cli.config.answer_timeout_ms = ANSWER_TIMEOUT_MS;
    int status = cli_call(&cli, &(struct client_request){ .method = "POST", .target = target.text, .body = body }, &answer);
    free(body);
    if (status != CLI_OK)
        return cli_end(&cli, status);
    if (cli.json)
        cli_print_json(answer.json);
    else
        print_text(json_text_of(answer.json, "text"));
    if (!cli.json && strcmp(json_text_of(answer.json, "state"), "reply") == 0)
        cli_say("The network waits for a reply: say it behind the code. The dialogue was cancelled.");
    client_answer_done(&answer);
    return cli_end(&cli, CLI_OK);
}
