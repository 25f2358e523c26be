/* SPDX-License-Identifier: Apache-2.0
 *
 * key: bearer keys for the API over TCP. The gateway keeps a hash only: a key is seen once, here. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/send_options.h"
#include "firmware/cellpost/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AS_ROUTED (-1)

enum { KEY_SCOPE = 300, KEY_PATIENCE };

static const struct cli_option key_options[] = {
    { "scope", KEY_SCOPE, "NAME", "add: what it may do; again for more: send, read, inbox, admin (else send, read and inbox)" },
    { "patience", KEY_PATIENCE, "DURATION", "add: how long its messages may wait for a cheaper SIM, if they do not say; 0: not at all; else as routed" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax key_syntax = {
    .verb = "key",
    .arguments = "add NAME\nlist\nremove NAME",
    .summary = "Adds, lists and removes the keys that the API over TCP asks for.",
    .options = key_options,
    .notes = "A new key is printed on stdout, once: the gateway keeps only its hash. PATIENCE is how long its messages may wait for a cheaper\n"
             "SIM where they do not say themselves; - is as their routes, or the configuration, say.",
};

static const char *const scope_names[] = { "send", "read", "inbox", "admin" };

static int add_scopes(struct cli *cli, json_t *scopes, char *names)
{
    for (char *name; (name = strsep(&names, ",")) != NULL;) {
        bool known = false;
        for (size_t i = 0; i < sizeof scope_names / sizeof scope_names[0]; i++)
            known |= strcmp(scope_names[i], name) == 0;
        if (!known)
            return cli_usage_error(cli, "--scope takes send, read, inbox or admin, not \"%s\"", name);
        json_array_append_new(scopes, json_string(name));
    }
    return CLI_OK;
}

static int key_add(struct cli *cli, const char *name, json_t *scopes, int64_t patience_s)
{
    json_t *request = json_pack("{s:s}", "name", name);
    struct client_answer answer;

    if (request == NULL)
        return cli_usage_error(cli, "the name \"%s\" is not UTF-8", name);
    if (json_array_size(scopes) > 0)
        json_object_set(request, "scopes", scopes);
    if (patience_s != AS_ROUTED)
        json_object_set_new(request, "patience_s", json_integer(patience_s));
    char *body = memory_check(json_dumps(request, JSON_COMPACT));
    json_decref(request);
    int status = cli_call(cli, &(struct client_request){ .method = "POST", .target = "/v1/keys", .body = body }, &answer);
    free(body);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        cli_print_json(answer.json);
    else
        puts(json_text_of(answer.json, "key"));
    if (!cli->json && isatty(STDERR_FILENO) == 1)
        cli_say("Keep it: it is not shown again. It goes into requests as \"Authorization: Bearer KEY\".");
    client_answer_done(&answer);
    return CLI_OK;
}

static int key_list(struct cli *cli)
{
    static const struct table_column columns[] = {
        { "NAME", false, false }, { "CREATED", false, false }, { "PATIENCE", true, false }, { "SCOPES", false, true },
    };
    struct client_target target;
    struct client_answer answer;
    char time[WHEN_TEXT_MAX];
    size_t i, j;
    json_t *key, *scope;

    client_target_begin(&target, "/v1/keys");
    int status = cli_get(cli, &target, &answer);
    if (status != CLI_OK)
        return status;
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    json_array_foreach(json_object_get(answer.json, "keys"), i, key) {
        char scopes[64] = "";
        json_array_foreach(json_object_get(key, "scopes"), j, scope)
            (void)snprintf(scopes + strlen(scopes), sizeof scopes - strlen(scopes), "%s%s", j > 0 ? " " : "", json_string_value(scope));
        table_add(table, json_text_of(key, "name"), TABLE_PLAIN);
        table_add(table, cli_time_of(cli, key, "created_at", time), TABLE_PLAIN);
        if (json_object_get(key, "patience_s") != NULL)
            table_addf(table, TABLE_PLAIN, "%lld s", (long long)json_number_of(key, "patience_s", 0));
        else
            table_add(table, NULL, TABLE_PLAIN);
        table_add(table, scopes, TABLE_PLAIN);
    }
    if (cli->json)
        cli_print_json(answer.json);
    else if (table_rows(table) == 0)
        cli_say("No keys: the API over TCP lets nobody in. \"cellpost key add NAME\" makes one.");
    else
        cli_print_table(table);
    table_free(table);
    client_answer_done(&answer);
    return CLI_OK;
}

static int key_remove(struct cli *cli, const char *name)
{
    struct client_target target;
    struct client_answer answer;

    client_target_begin(&target, "/v1/keys");
    client_target_segment(&target, name);
    if (target.overflow)
        return cli_usage_error(cli, "\"%s\" cannot be the name of a key", name);
    int status = cli_call(cli, &(struct client_request){ .method = "DELETE", .target = target.text }, &answer);
    if (status != CLI_OK)
        return status;
    if (cli->json && answer.json != NULL)
        cli_print_json(answer.json);
    client_answer_done(&answer);
    if (!cli->json)
        cli_say("The key \"%s\" lets nobody in any more.", name);
    return CLI_OK;
}

int cmd_key(int argc, char **argv)
{
    json_t *scopes = memory_check(json_array());
    struct cli cli;
    int64_t patience_s = AS_ROUTED;
    int status = CLI_OK;

    cli_begin(&cli, &key_syntax, argc, argv);
    for (int letter; status == CLI_OK && (letter = cli_next_option(&cli)) >= 0;)
        status = letter == KEY_SCOPE ? add_scopes(&cli, scopes, optarg) : send_read_duration(&cli, "--patience", optarg, 0, &patience_s);
    if (cli.finished || status != CLI_OK) {
        json_decref(scopes);
        return cli_end(&cli, cli.finished ? cli.status : status);
    }

    const char *action = optind < argc ? argv[optind] : "", *name = optind + 1 < argc ? argv[optind + 1] : NULL;
    int left = argc - optind;
    if (strcmp(action, "add") == 0 && left == 2)
        status = key_add(&cli, name, scopes, patience_s);
    else if (json_array_size(scopes) > 0)
        status = cli_usage_error(&cli, "--scope goes with \"add NAME\"");
    else if (patience_s != AS_ROUTED)
        status = cli_usage_error(&cli, "--patience goes with \"add NAME\"");
    else if (strcmp(action, "list") == 0 && left == 1)
        status = key_list(&cli);
    else if (strcmp(action, "remove") == 0 && left == 2)
        status = key_remove(&cli, name);
    else
        status = cli_usage_error(&cli, "say \"add NAME\", \"list\" or \"remove NAME\"");
    json_decref(scopes);
    return cli_end(&cli, status);
}
