/* SPDX-License-Identifier: Apache-2.0
 *
 * ussd and balance: questions for the operator of one SIM, and what it says. */
#include "firmware/cellpost/bearer_words.h"
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

/* -- balance --------------------------------------------------------------------------------------------------- */

static const struct cli_syntax balance_syntax = {
    .verb = "balance",
    .arguments = "\nSIM",
    .summary = "Says what credits this box has left, and how many parts that is. With a SIM: asks its operator for its credit.",
    .notes = "SIM is an ICCID, an IMSI, a name of cellpost.ini, or the port of the modem. The code and how its answer reads are in\n"
             "operators.csv beside cellpost.ini. \"cellpost sims\" shows the last answer.",
};

/* "12.34 EUR, 87 parts, until 2026-12-31" */
void balance_shown(json_t *balance, char *ret_text, size_t size)
{
    const char *amount = json_text_of(balance, "amount"), *until = json_text_of(balance, "valid_until");
    int64_t parts = json_number_of(balance, "rest_parts", -1);
    char words[MONEY_WORDS_MAX];
    size_t used = 0;

    ret_text[0] = '\0';
    if (amount[0] != '\0')
        used += (size_t)snprintf(ret_text, size, "%.32s%s%.3s", amount_words(amount, words), json_text_of(balance, "currency")[0] != '\0' ? " " : "",
                                 json_text_of(balance, "currency"));
    if (parts >= 0 && used < size)
        used += (size_t)snprintf(ret_text + used, size - used, "%s%lld part%s", used > 0 ? ", " : "", (long long)parts, parts == 1 ? "" : "s");
    if (until[0] != '\0' && used < size)
        (void)snprintf(ret_text + used, size - used, ", until %.10s", until);
}

int cmd_balance(int argc, char **argv)
{
    struct client_target target;
    struct client_answer answer;
    char shown[96];
    struct cli cli;

    cli_begin(&cli, &balance_syntax, argc, argv);
    while (cli_next_option(&cli) >= 0)
        continue;
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (argc == optind)
        return cli_end(&cli, credit_balance(&cli));
    if (argc - optind != 1)
        return cli_end(&cli, cli_usage_error(&cli, "say one SIM, or none"));
    client_target_begin(&target, "/v1/sims");
    client_target_segment(&target, argv[optind]);
    client_target_segment(&target, "balance");
    if (target.overflow)
        return cli_end(&cli, cli_usage_error(&cli, "this cannot be a SIM"));
    cli.config.answer_timeout_ms = ANSWER_TIMEOUT_MS;
    int status = cli_call(&cli, &(struct client_request){ .method = "POST", .target = target.text }, &answer);
    if (status != CLI_OK)
        return cli_end(&cli, status);
    balance_shown(json_object_get(answer.json, "balance"), shown, sizeof shown);
    if (cli.json)
        cli_print_json(answer.json);
    else
        print_text(shown);
    client_answer_done(&answer);
    return cli_end(&cli, CLI_OK);
}
