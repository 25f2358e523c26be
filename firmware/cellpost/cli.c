/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/cli.h"

#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/text.h"
#include "firmware/cellpost/when.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPTION_SOCKET = 1000, OPTION_UTC };

static const struct cli_option common_options[] = {
    { "json", 'j', NULL, "print the gateway's JSON" },
    { "utc", OPTION_UTC, NULL, "show and read times in UTC instead of local time" },
    { "socket", OPTION_SOCKET, "PATH", "the gateway's socket (else $CELLPOST_SOCKET, else " CLIENT_SOCKET_DEFAULT ")" },
    { "help", 'h', NULL, "show this" },
    { NULL, 0, NULL, NULL },
};

static void add_options(struct cli *cli, const struct cli_option *options, size_t *count, size_t *letters)
{
    for (; options != NULL && options->name != NULL; options++) {
        int argument = options->value == NULL ? no_argument : options->value[0] == '[' ? optional_argument : required_argument;

        assert(*count + 1 < CLI_OPTIONS_MAX);
        cli->longs[(*count)++] = (struct option){ options->name, argument, NULL, options->letter };
        if (options->letter < 256) {
            cli->shorts[(*letters)++] = (char)options->letter;
            if (argument == required_argument)
                cli->shorts[(*letters)++] = ':';
        }
    }
}

void cli_begin(struct cli *cli, const struct cli_syntax *syntax, int argc, char **argv)
{
    const char *socket_path = getenv("CELLPOST_SOCKET");
    size_t count = 0, letters = 0;

    *cli = (struct cli){ .syntax = syntax, .argc = argc, .argv = argv };
    cli->config.socket_path = socket_path != NULL && socket_path[0] != '\0' ? socket_path : CLIENT_SOCKET_DEFAULT;
    /* Ahead of the others: how --at and --since are read depends on it, wherever it stands. */
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        cli->utc |= strcmp(argv[i], "--utc") == 0;
    add_options(cli, syntax->options, &count, &letters);
    add_options(cli, common_options, &count, &letters);
    optind = 0;   /* glibc: starts anew, also after another getopt that was left half way */
    opterr = 0;
}

static void print_options(const struct cli_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        bool attached = options->value != NULL && options->value[0] == '[';
        char *left = memory_printf("%s%c%s --%s%s%s", options->letter < 256 ? "-" : " ", options->letter < 256 ? options->letter : ' ',
                                   options->letter < 256 ? "," : " ", options->name, options->value != NULL && !attached ? " " : "",
                                   options->value != NULL ? options->value : "");
        if (strlen(left) <= 28)
            printf("  %-28s  %s\n", left, options->help);
        else
            printf("  %s\n  %-28s  %s\n", left, "", options->help);
        free(left);
    }
}

static void print_help(const struct cli_syntax *syntax)
{
    const char *label = "usage:";

    for (const char *line = syntax->arguments; line != NULL; label = "      ") {
        const char *end = strchr(line, '\n');
        printf("%s cellpost %s [OPTION]... %.*s\n", label, syntax->verb, end != NULL ? (int)(end - line) : (int)strlen(line), line);
        line = end != NULL ? end + 1 : NULL;
    }
    printf("%s\n\n", syntax->summary);
    print_options(syntax->options);
    print_options(common_options);
    if (syntax->notes != NULL)
        printf("\n%s\n", syntax->notes);
}

int cli_next_option(struct cli *cli)
{
    if (cli->finished)
        return -1;
    for (;;) {
        int letter = getopt_long(cli->argc, cli->argv, cli->shorts, cli->longs, NULL);
        switch (letter) {
        case 'j':
            cli->json = true;
            break;
        case OPTION_UTC:
            cli->utc = true;
            break;
        case OPTION_SOCKET:
            cli->config.socket_path = optarg;
            break;
        case 'h':
            /* A text such as "-hello" asks for no help, and must not end with 0. */
            if (strcmp(cli->argv[optind - 1], "-h") != 0 && strncmp(cli->argv[optind - 1], "--", 2) != 0) {
                cli->finished = true;
                cli->status = cli_usage_error(cli, "what begins with \"-\" and is no option goes behind \"--\"");
                return -1;
            }
            print_help(cli->syntax);
            cli->finished = true;
            cli->status = CLI_OK;
            return -1;
        case '?':
            cli->finished = true;
            cli->status = CLI_USAGE;
            /* optopt: the letter; 0 for a long option that is unknown or ambiguous; else one whose value is missing or too much */
            if (optopt > 0 && optopt < 256 && strchr(cli->shorts, optopt) == NULL)
                (void)cli_usage_error(cli, "there is no option -%c (a text that begins with \"-\" goes behind \"--\")", optopt);
            else if (optopt > 0 && optopt < 256 && cli->argv[optind - 1][1] != '-')
                (void)cli_usage_error(cli, "-%c needs a value", optopt);
            else
                (void)cli_usage_error(cli, optopt == 0 ? "there is no option %s" : "%s: its value is missing, or it takes none",
                                      cli->argv[optind - 1]);
            return -1;
        default:
            return letter;
        }
    }
}

int cli_end(struct cli *cli, int status)
{
    client_free(cli->client);
    cli->client = NULL;
    if (fflush(stdout) != 0 && errno != EPIPE) {
        fprintf(stderr, "cellpost: the output could not be written: %s\n", strerror(errno));
        return status == CLI_OK ? CLI_REFUSED : status;
    }
    return status;
}

/* Some of what is said comes from outside: a path, a reason of the network, a text. */
void cli_say(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    (void)memory_check(n < 0 ? NULL : text);
    char *escaped = memory_check(text_escape(text, strlen(text), TEXT_ONE_LINE));
    fprintf(stderr, "%s\n", escaped);
    free(escaped);
    free(text);
}

int cli_usage_error(const struct cli *cli, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    cli_say("cellpost %s: %s", cli->syntax->verb, (char *)memory_check(n < 0 ? NULL : text));
    cli_say("\"cellpost %s --help\" shows how it is used.", cli->syntax->verb);
    free(text);
    return CLI_USAGE;
}

int cli_read_number(const struct cli *cli, const char *option, const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max)
        return cli_usage_error(cli, "%s takes a whole number from %lld to %lld, not \"%s\"", option, (long long)min, (long long)max,
                               text);
    *ret_number = number;
    return CLI_OK;
}

int cli_read_since(const struct cli *cli, const char *option, const char *text, char *ret_rfc3339)
{
    int64_t ms;

    if (when_parse(text, WHEN_LAST, cli_now_ms(), cli->utc, &ms) < 0 || ms < 0)
        return cli_usage_error(cli, "%s takes a time (08:00, \"2026-03-01 08:00\", 2026-03-01T08:00:00Z) or how long ago (2h, 7d), "
                                    "not \"%s\"", option, text);
    when_format_rfc3339(ms, ret_rfc3339);
    return CLI_OK;
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t cli_now_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t cli_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

int cli_call_raw(struct cli *cli, const struct client_request *request, struct client_answer *ret_answer)
{
    int r = 0;

    if (cli->client == NULL)
        r = client_new(&cli->config, &cli->client);
    if (r == 0)
        r = client_call(cli->client, request, ret_answer);
    return r < 0 ? cli_explain_error(cli, r) : CLI_OK;
}

int cli_call(struct cli *cli, const struct client_request *request, struct client_answer *ret_answer)
{
    struct client_answer answer;
    int status = cli_call_raw(cli, request, &answer);

    if (status != CLI_OK)
        return status;
    if (answer.status >= 400) {
        if (cli->json && !cli->quiet && answer.json != NULL)
            cli_print_json(answer.json);
        status = cli_explain_answer(cli, &answer);
        client_answer_done(&answer);
        return status;
    }
    *ret_answer = answer;
    return CLI_OK;
}

int cli_get(struct cli *cli, const struct client_target *target, struct client_answer *ret_answer)
{
    if (target->overflow)
        return cli_usage_error(cli, "the arguments are too long or cannot be an id");

    int status = cli_call(cli, &(struct client_request){ .method = "GET", .target = target->text }, ret_answer);
    if (status == CLI_OK && ret_answer->json == NULL) {
        client_answer_done(ret_answer);
        return cli_explain_error(cli, -EPROTO);
    }
    return status;
}

int cli_stream_open(struct cli *cli, const char *target, const char *last_id, struct client_stream **ret_stream)
{
    struct client_answer refusal = { 0 };
    int r = client_stream_open(&cli->config, target, last_id, ret_stream, &refusal);

    if (r == -EBADMSG) {
        int status = cli_explain_answer(cli, &refusal);
        client_answer_done(&refusal);
        return status;
    }
    return r < 0 ? cli_explain_error(cli, r) : CLI_OK;
}
