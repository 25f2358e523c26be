/* SPDX-License-Identifier: Apache-2.0
 *
 * enroll: gives this box to an account, with a token of whoever runs it. The gateway does it; this says what came of it. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CA_OCTETS_MAX 65536

enum { ENROLL_URL = 300, ENROLL_PIN, ENROLL_CA };

static const struct cli_option enroll_options[] = {
    { "url", ENROLL_URL, "URL", "where the account is, if [central] of the configuration does not say: https://HOST[:PORT]" },
    { "pin", ENROLL_PIN, "HEX", "with --url: the SHA-256 of its public key, as whoever runs it tells" },
    { "ca", ENROLL_CA, "FILE", "with --url: the certificate of its authority (PEM)" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax enroll_syntax = {
    .verb = "enroll",
    .arguments = "TOKEN\n-   (the token is read from standard input)",
    .summary = "Gives this box to an account: from then on messages cost credits of it.",
    .options = enroll_options,
    .notes = "The token comes from whoever runs the account, and is good once. The key of the box is made on it and never leaves it.\n"
             "A box that the account does not trust any more is enrolled again in the same way.",
};

/* A file of text, whole. CLI_OK, or CLI_USAGE after a word. */
static int read_file(const struct cli *cli, const char *path, char **ret_text)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t length;

    if (file == NULL)
        return cli_usage_error(cli, "%s: %s", path, strerror(errno));
    text = memory_zero(CA_OCTETS_MAX + 2, 1);
    length = fread(text, 1, CA_OCTETS_MAX + 1, file);
    (void)fclose(file);
    if (length == 0 || length > CA_OCTETS_MAX || strstr(text, "-----BEGIN CERTIFICATE-----") == NULL) {
        free(text);
        return cli_usage_error(cli, "%s has no certificate in PEM in it", path);
    }
    *ret_text = text;
    return CLI_OK;
}

static void say_result(const struct cli *cli, const struct client_answer *answer)
{
    const char *detail = json_text_of(answer->json, "detail");

    if (cli->json) {
        cli_print_json(answer->json);
    } else if (answer->status == 202) {
        cli_say("Not yet: %s%s%s.", json_text_of(answer->json, "why"), detail[0] != '\0' ? ": " : "", detail);
        cli_say("%s \"cellpost balance\" shows how it goes.", json_text_of(answer->json, "advice"));
    } else {
        cli_print_field("account", json_text_of(answer->json, "account"));
        cli_print_field("box", json_text_of(answer->json, "box"));
        cli_say("This box is enrolled. It asks for credits now: \"cellpost balance\" shows them.");
    }
}

static int ask(struct cli *cli, const char *token, const char *url, const char *pin, const char *ca)
{
    json_t *request = json_pack("{s:s}", "token", token);
    struct client_answer answer;
    char *body;
    int status;

    if (request == NULL)
        return cli_usage_error(cli, "the token is not UTF-8");
    if (url != NULL)
        json_object_set_new(request, "url", json_string(url));
    if (pin != NULL)
        json_object_set_new(request, "pin", json_string(pin));
    if (ca != NULL)
        json_object_set_new(request, "ca", json_string(ca));
    body = memory_check(json_dumps(request, JSON_COMPACT));
    json_decref(request);
    status = cli_call(cli, &(struct client_request){ .method = "POST", .target = "/v1/account/enroll", .body = body }, &answer);
    free(body);
    if (status != CLI_OK)
        return status;
    say_result(cli, &answer);
    status = answer.status == 202 ? CLI_TIMED_OUT : CLI_OK;
    client_answer_done(&answer);
    return status;
}

int cmd_enroll(int argc, char **argv)
{
    const char *url = NULL, *pin = NULL, *token;
    char *ca = NULL, line[256] = "";
    struct cli cli;
    int status = CLI_OK;

    cli_begin(&cli, &enroll_syntax, argc, argv);
    for (int letter; status == CLI_OK && (letter = cli_next_option(&cli)) >= 0;) {
        if (letter == ENROLL_URL)
            url = optarg;
        else if (letter == ENROLL_PIN)
            pin = optarg;
        else if (ca == NULL)
            status = read_file(&cli, optarg, &ca);
    }
    token = optind < argc ? argv[optind] : "";
    if (!cli.finished && status == CLI_OK) {
        if (argc - optind != 1)
            status = cli_usage_error(&cli, "say one token, or - to read it from standard input");
        else if (url == NULL && (pin != NULL || ca != NULL))
            status = cli_usage_error(&cli, "--pin and --ca go with --url; else [central] of the configuration says whom to believe");
        else if (url != NULL && pin == NULL && ca == NULL)
            status = cli_usage_error(&cli, "--url needs --pin or --ca: by them the account is known to be it");
        else if (strcmp(token, "-") == 0 && fgets(line, sizeof line, stdin) == NULL)
            status = cli_usage_error(&cli, "there is no token on standard input");
    }
    if (strcmp(token, "-") == 0) {
        line[strcspn(line, " \t\r\n")] = '\0';
        token = line;
    }
    if (!cli.finished && status == CLI_OK)
        status = ask(&cli, token, url, pin, ca);
    free(ca);
    return cli_end(&cli, cli.finished ? cli.status : status);
}
