/* SPDX-License-Identifier: Apache-2.0
 *
 * cellpost - the command of who runs the gateway: send, look, follow. Each verb is a row and a cmd_*.c. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"

#include <curl/curl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    bool offline;           /* works without the gateway: takes no --socket and no --utc */
    const char *summary;
} verbs[] = {
    { "send", cmd_send, false, "send a text to one or many numbers" },
    { "show", cmd_show, false, "show one message: its parts, and how it got where it is" },
    { "list", cmd_list, false, "list messages, the newest first" },
    { "cancel", cmd_cancel, false, "take back messages that no modem has yet" },
    { "release", cmd_release, false, "send again what may have been sent" },
    { "drop", cmd_drop, false, "leave what may have been sent" },
    { "inbox", cmd_inbox, false, "list what came in; --follow waits for more" },
    { "modems", cmd_modems, false, "list the modems and what they do" },
    { "sims", cmd_sims, false, "list the SIMs: what they have sent and may still send" },
    { "route", cmd_route, false, "explain by which SIM a message would go, and why" },
    { "quote", cmd_quote, false, "say what a text would cost" },
    { "balance", cmd_balance, false, "say what credits are left; or ask the operator what a SIM has left" },
    { "ledger", cmd_ledger, false, "list the movements of credits" },
    { "enroll", cmd_enroll, false, "give this box to an account that pays for its messages" },
    { "ussd", cmd_ussd, false, "send a USSD code by a SIM and print the answer" },
    { "top", cmd_top, false, "watch modems and queue" },
    { "events", cmd_events, false, "show what happens, line by line" },
    { "key", cmd_key, false, "add, list and remove keys for the TCP API" },
    { "optout", cmd_optout, false, "list the numbers that get no more messages; add, remove" },
    { "health", cmd_health, false, "say whether the gateway is well" },
    { "tariffs", cmd_tariffs, false, "check files of tariffs; show those that were in force" },
    { "segments", cmd_segments, true, "show how a text is cut into parts" },
    { "pdu", cmd_pdu, true, "decode and encode SMS PDUs" },
};
#define VERB_COUNT (sizeof verbs / sizeof verbs[0])

static void print_usage(FILE *out)
{
    fputs("usage: cellpost [--socket PATH] [--json] [--utc] VERB [ARGUMENT]...\n"
          "Sends and watches SMS through the gateway of this machine.\n\n", out);
    for (size_t i = 0; i < VERB_COUNT; i++)
        fprintf(out, "  %-10s  %s\n", verbs[i].name, verbs[i].summary);
    fputs("\n\"cellpost VERB --help\" shows the options of a verb; cellpost(1) has it all.\n", out);
}

/* The verb that a mistyped name stands for, as far as its beginning tells. */
static const char *guess_verb(const char *name)
{
    for (size_t length = strlen(name); length >= 2; length--)
        for (size_t i = 0; i < VERB_COUNT; i++)
            if (strncmp(verbs[i].name, name, length) == 0)
                return verbs[i].name;
    return NULL;
}

/* Widths come from wcwidth(), which needs to know that the bytes are UTF-8: all that the gateway says is. */
static void set_locale(void)
{
    (void)setlocale(LC_ALL, "");
    (void)setlocale(LC_NUMERIC, "C");   /* jansson writes reals with the point that JSON wants */
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
}

/* Options in front of the verb are handed to it, in front of its own. */
static int run_verb(const struct verb *verb, int argc, char **argv, int verb_at)
{
    char **arguments = memory_zero((size_t)argc + 1, sizeof *arguments);
    int count = 0;

    arguments[count++] = argv[verb_at];
    for (int i = 1; i < verb_at; i++) {
        if (verb->offline && strncmp(argv[i], "--socket", 8) == 0)
            i += strcmp(argv[i], "--socket") == 0;
        else if (!verb->offline || strcmp(argv[i], "--utc") != 0)
            arguments[count++] = argv[i];
    }
    for (int i = verb_at + 1; i < argc; i++)
        arguments[count++] = argv[i];
    int status = verb->run(count, arguments);
    free(arguments);
    return status;
}

int main(int argc, char **argv)
{
    int at = 1;

    set_locale();
    (void)signal(SIGPIPE, SIG_DFL);   /* "cellpost list | head" ends when head does */
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            print_usage(stdout);
            return CLI_OK;
        }
        if (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "-V") == 0) {
            puts("cellpost " CELLPOST_VERSION);
            return CLI_OK;
        }
        if (strcmp(argv[at], "--socket") == 0)
            at++;   /* its value */
        else if (strncmp(argv[at], "--socket=", 9) != 0 && strcmp(argv[at], "--json") != 0 && strcmp(argv[at], "-j") != 0 &&
                 strcmp(argv[at], "--utc") != 0) {
            cli_say("cellpost: there is no option %s in front of a verb.", argv[at]);
            print_usage(stderr);
            return CLI_USAGE;
        }
    }
    if (at >= argc) {
        print_usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[at], "help") == 0 && at + 1 == argc) {
        print_usage(stdout);
        return CLI_OK;
    }
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, argv[at]) != 0)
            continue;
        if (!verbs[i].offline && curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK) {
            cli_say("cellpost: libcurl could not be set up.");
            return CLI_UNREACHABLE;
        }
        return run_verb(&verbs[i], argc, argv, at);
    }
    cli_say("cellpost: there is no verb \"%s\".", argv[at]);
    if (guess_verb(argv[at]) != NULL)
        cli_say("Did you mean \"cellpost %s\"?", guess_verb(argv[at]));
    else
        cli_say("\"cellpost --help\" lists them.");
    return CLI_USAGE;
}
