/* SPDX-License-Identifier: Apache-2.0
 *
 * events: GET /v1/events as lines: the tool to watch what happens. */
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/follow.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKLOG_END_MS 500   /* the stream does not say where the past ends: it comes in one go, then nothing for so long */

enum { EVENTS_AFTER = 300 };

static const struct cli_option events_options[] = {
    { "follow", 'f', NULL, "what happens from now on, until you stop it" },
    { "after", EVENTS_AFTER, "ID", "what came after the event with this number; 0: all that is remembered" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax events_syntax = {
    .verb = "events", .arguments = "", .options = events_options,
    .summary = "Shows the last events that the gateway remembers; with --follow those to come.",
    .notes = "With --json one object a line: {\"id\", \"event\", \"data\"}. --follow waits a minute for a gateway that restarts.",
};

static void print_event(const struct cli *cli, const struct sse_event *event)
{
    json_t *data = json_loadb(event->data, event->data_length, JSON_DECODE_ANY, NULL);

    if (data == NULL) {
        cli_say("cellpost: an event that is no JSON: %s", event->data);
        return;
    }
    if (cli->json) {
        json_t *line = memory_check(json_pack("{s:s, s:s, s:O}", "id", event->id, "event", event->name, "data", data));
        cli_print_json(line);
        json_decref(line);
    } else {
        char *words = event_words(cli, event->name, data), *safe = memory_check(text_escape(words, strlen(words), TEXT_ONE_LINE));
        puts(safe);
        free(safe);
        free(words);
    }
    (void)fflush(stdout);   /* a pipe behind it wants each line when it comes */
    json_decref(data);
}

int cmd_events(int argc, char **argv)
{
    bool endless = false;
    const char *after = NULL;
    struct follow follow;
    struct sse_event event;
    struct cli cli;

    cli_begin(&cli, &events_syntax, argc, argv);
    for (int letter; (letter = cli_next_option(&cli)) >= 0;) {
        if (letter == 'f')
            endless = true;
        else if (optarg[0] == '\0' || strspn(optarg, "0123456789") != strlen(optarg) || strlen(optarg) > 18)
            return cli_usage_error(&cli, "--after takes the number of an event, not \"%s\"", optarg);
        else
            after = optarg;
    }
    if (cli.finished)
        return cli_end(&cli, cli.status);
    if (optind < argc)
        return cli_usage_error(&cli, "\"%s\" is too much", argv[optind]);

    int status = follow_open(&follow, &cli, after != NULL ? after : endless ? NULL : "0");
    while (status == CLI_OK) {
        switch (follow_next(&follow, endless ? 60000 : BACKLOG_END_MS, &event)) {
        case FOLLOW_EVENT:
            /* "All that is remembered" is no loss of what came before. */
            if (after != NULL || endless || strcmp(event.name, "lost") != 0)
                print_event(&cli, &event);
            break;
        case FOLLOW_QUIET:
            if (!endless) {
                follow_close(&follow);
                return cli_end(&cli, CLI_OK);
            }
            break;
        case FOLLOW_BACK:
            cli_say("The connection was lost and is back.");
            break;
        case FOLLOW_AWAY:
            status = CLI_UNREACHABLE;
            break;
        }
    }
    follow_close(&follow);
    return cli_end(&cli, status);
}
