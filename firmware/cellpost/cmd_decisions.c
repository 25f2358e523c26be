/* SPDX-License-Identifier: Apache-2.0
 *
 * cancel, release and drop: what their owner decides about messages, one or several. The verb is the last segment of the
 * address that is asked. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/states.h"

static const struct cli_syntax cancel_syntax = {
    .verb = "cancel", .arguments = "ID...", .summary = "Takes back messages that no modem has yet.",
    .notes = "Ends with 1 if any of them could not be cancelled; the others are.",
};

static const struct cli_syntax release_syntax = {
    .verb = "release", .arguments = "ID...",
    .summary = "Sends messages that are unknown or held once more: those of which nobody knows whether they were sent.",
    .notes = "They may arrive twice. Only the parts in doubt go, by the same SIM and marked as a repetition (TP-RD), which many\n"
             "networks do not heed. Ends with 1 if any of them could not be released; the others are.",
};

static const struct cli_syntax drop_syntax = {
    .verb = "drop", .arguments = "ID...",
    .summary = "Leaves messages that are unknown or held: they stay unknown for good, and are not sent again.",
    .notes = "They may have arrived, or not. A dropped message can no longer be released; send its text anew.\n"
             "Ends with 1 if any of them could not be dropped; the others are.",
};

/* One refusal does not stop the others. */
static int decide_on_each(const struct cli_syntax *syntax, int argc, char **argv)
{
    struct cli cli;
    int status = CLI_OK;

    cli_begin(&cli, syntax, argc, argv);
    while (cli_next_option(&cli) >= 0)
        continue;
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (optind == argc)
        return cli_usage_error(&cli, "give the ids of the messages");

    for (int i = optind; i < argc; i++) {
        struct client_target target;
        struct client_answer answer;

        client_target_begin(&target, "/v1/messages");
        client_target_segment(&target, argv[i]);
        client_target_segment(&target, syntax->verb);
        if (target.overflow)
            return cli_end(&cli, cli_usage_error(&cli, "\"%s\" cannot be an id", argv[i]));
        status = cli_call_raw(&cli, &(struct client_request){ .method = "POST", .target = target.text }, &answer);
        if (status != CLI_OK)
            break;   /* nobody there: the next would say the same */
        if (answer.json != NULL && cli.json)
            cli_print_json(answer.json);
        if (answer.status >= 400)
            cli_explain_problem(argv[i], answer.json);
        else if (!cli.json)
            cli_print_field(argv[i], state_words(json_text_of(answer.json, "state")));
        cli.status = answer.status >= 400 ? CLI_REFUSED : cli.status;
        client_answer_done(&answer);
    }
    return cli_end(&cli, status != CLI_OK ? status : cli.status);
}

int cmd_cancel(int argc, char **argv)
{
    return decide_on_each(&cancel_syntax, argc, argv);
}

int cmd_release(int argc, char **argv)
{
    return decide_on_each(&release_syntax, argc, argv);
}

int cmd_drop(int argc, char **argv)
{
    return decide_on_each(&drop_syntax, argc, argv);
}
