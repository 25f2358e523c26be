/* SPDX-License-Identifier: Apache-2.0
 *
 * send: a text to one or many. An idempotency key goes with every request, made here where none was given: an answer that
 * was lost is asked for again with the same key, and never sends twice. */
#include "firmware/cellpost/cli.h"
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/recipients.h"
#include "firmware/cellpost/send_options.h"
#include "firmware/cellpost/states.h"
#include "firmware/cellpost/wait.h"
#include "firmware/cellpost/when.h"
#include "src/base/hex.h"
#include "src/base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* No letters: a text that begins with "-" shall fail, not be taken for a handful of options. */
enum {
    SEND_TO = 300, SEND_FILE, SEND_PRIORITY, SEND_AT, SEND_VALIDITY, SEND_NO_REPORT, SEND_FLASH, SEND_ENCODING, SEND_REF, SEND_KEY,
    SEND_AT_LEAST_ONCE, SEND_WAIT, SEND_TIMEOUT, SEND_PATIENCE, SEND_COUNTRY, SEND_WAIT_FOR_CREDIT,
};

static const struct cli_option send_options[] = {
    { "to", SEND_TO, "NUMBER", "a recipient; may be given again" },
    { "file", SEND_FILE, "FILE", "recipients, one a line; \"-\": stdin" },
    { "priority", SEND_PRIORITY, "N", "0 (bulk) to 9 (alarms); else 5" },
    { "at", SEND_AT, "TIME", "send then: 08:00, \"2026-03-01 08:00\", 2026-03-01T08:00:00+02:00, +2h" },
    { "validity", SEND_VALIDITY, "DURATION", "give up after this long: 90s, 15m, 24h, 7d" },
    { "patience", SEND_PATIENCE, "DURATION", "how long it may wait for a cheaper SIM; 0: not at all; else as its key or route says" },
    { "country", SEND_COUNTRY, "XX", "of which country national numbers are: RO, FR ...; else as the gateway is set" },
    { "no-report", SEND_NO_REPORT, NULL, "ask for no delivery report" },
    { "flash", SEND_FLASH, NULL, "show at once on the phone, as class 0" },
    { "encoding", SEND_ENCODING, "NAME", "auto, gsm7 or ucs2; else auto: what costs fewer parts" },
    { "ref", SEND_REF, "TEXT", "your own reference, found again with \"cellpost list --ref\"" },
    { "idempotency-key", SEND_KEY, "KEY", "the same key never sends twice, even from another run" },
    { "at-least-once", SEND_AT_LEAST_ONCE, NULL, "for alarms: rather twice than not at all, where an answer is lost" },
    { "wait-for-credit", SEND_WAIT_FOR_CREDIT, NULL, "with too few credits all of it waits until there are enough; else nothing is taken" },
    { "wait", SEND_WAIT, "[=sent|delivered]", "wait until the network has it, or until it is delivered (the default)" },
    { "timeout", SEND_TIMEOUT, "DURATION", "wait no longer than this (10m); 0: without end" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax send_syntax = {
    .verb = "send",
    .arguments = "NUMBER TEXT\n--to NUMBER... TEXT\n--file FILE TEXT",
    .summary = "Sends a text. TEXT \"-\" is read from stdin, without its last line end; one that begins with \"-\" goes behind \"--\".",
    .options = send_options,
    .notes = "Ends with 0 when every message was accepted (with --wait: came there), 1 when one was refused or came to a bad\n"
             "end, 3 when the gateway cannot be reached, 4 when --timeout is over.",
};

struct send {
    struct recipients recipients;
    char *text;
    json_t *options;                    /* members of the request beside "to" and "text" */
    char key[256];
    enum wait_goal goal;
    int64_t timeout_s;
    bool report;
    bool stdin_taken;
};

static void send_done(struct send *send)
{
    recipients_done(&send->recipients);
    json_decref(send->options);
    free(send->text);
}

/* -- options --------------------------------------------------------------------------------------------------- */

static int read_key(struct cli *cli, struct send *send, const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x21 || text[i] > 0x7E)
            length = 0;
    if (length == 0 || length >= sizeof send->key)
        return cli_usage_error(cli, "--idempotency-key takes 1 to 255 visible ASCII characters");
    memcpy(send->key, text, length + 1);
    return CLI_OK;
}

static int read_option(struct cli *cli, struct send *send, int letter)
{
    int64_t number = 0;
    int status = CLI_OK;

    switch (letter) {
    case SEND_TO:
        return send_add_recipient(cli, &send->recipients, optarg);
    case SEND_FILE:
        return send_read_file(cli, &send->recipients, optarg, &send->stdin_taken);
    case SEND_PRIORITY:
        status = cli_read_number(cli, "--priority", optarg, 0, 9, &number);
        json_object_set_new(send->options, "priority", json_integer(number));
        break;
    case SEND_AT:
        return send_read_at(cli, send->options, optarg);
    case SEND_VALIDITY:
        status = send_read_duration(cli, "--validity", optarg, 1, &number);
        json_object_set_new(send->options, "validity_s", json_integer(number));
        break;
    case SEND_PATIENCE:
        status = send_read_duration(cli, "--patience", optarg, 0, &number);
        json_object_set_new(send->options, "patience_s", json_integer(number));
        break;
    case SEND_COUNTRY:
        return send_read_country(cli, send->options, optarg);
    case SEND_NO_REPORT:
        send->report = false;
        json_object_set_new(send->options, "report", json_false());
        break;
    case SEND_FLASH:
        json_object_set_new(send->options, "class", json_integer(0));
        break;
    case SEND_ENCODING:
        return send_read_encoding(cli, send->options, optarg);
    case SEND_REF:
        if (!utf8_is_valid(optarg, strlen(optarg), NULL))
            return cli_usage_error(cli, "--ref: \"%s\" is not UTF-8", optarg);
        json_object_set_new(send->options, "client_ref", json_string(optarg));
        break;
    case SEND_WAIT_FOR_CREDIT:
        json_object_set_new(send->options, "on_too_little", json_string("wait"));
        return CLI_OK;
    case SEND_AT_LEAST_ONCE:
        json_object_set_new(send->options, "policy", json_string("at_least_once"));
        break;
    case SEND_KEY:
        return read_key(cli, send, optarg);
    case SEND_WAIT:
        if (optarg != NULL && strcmp(optarg, "sent") != 0 && strcmp(optarg, "delivered") != 0)
            return cli_usage_error(cli, "--wait takes sent or delivered, not \"%s\"", optarg);
        send->goal = optarg != NULL && strcmp(optarg, "sent") == 0 ? WAIT_SENT : WAIT_DELIVERED;
        break;
    case SEND_TIMEOUT:
        return send_read_duration(cli, "--timeout", optarg, 0, &send->timeout_s);
    }
    return status;
}

static int read_arguments(struct cli *cli, struct send *send)
{
    int left = cli->argc - optind;

    if (send->recipients.count == 0) {
        if (left == 0)
            return cli_usage_error(cli, "give a number and a text");
        if (left == 1)
            return cli_usage_error(cli, "give a number and a text: one of them is missing");
        int status = send_add_recipient(cli, &send->recipients, cli->argv[optind]);
        if (status != CLI_OK)
            return status;
        optind++;
        left--;
    }
    if (left == 0)
        return cli_usage_error(cli, "give a text, or \"-\" to read it from stdin");
    if (left > 1)
        return cli_usage_error(cli, "\"%s\" is too much: put the text in quotes, and further numbers behind --to",
                               cli->argv[optind + 1]);
    return send_read_text(cli, send->stdin_taken, cli->argv[optind], &send->text);
}

/* -- the request ----------------------------------------------------------------------------------------------- */

static int make_key(struct send *send)
{
    uint8_t random[16];
    char hex[2 * sizeof random + 1];

    if (send->key[0] != '\0')
        return CLI_OK;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        cli_say("cellpost: no random number for the idempotency key: %s.", strerror(errno));
        return CLI_REFUSED;
    }
    hex_encode(random, sizeof random, hex);
    (void)snprintf(send->key, sizeof send->key, "cli-%s", hex);
    return CLI_OK;
}

static void print_result(json_t *messages)
{
    static const struct table_column columns[] = {
        { "ID", false, false }, { "TO", false, false }, { "PARTS", true, false }, { "ENCODING", false, false },
        { "STATE", false, false }, { "REASON", false, true },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    size_t i;
    json_t *message;

    json_array_foreach(messages, i, message) {
        const char *state = json_text_of(message, "state"), *reason = json_text_of(message, "reason");
        table_add(table, json_text_of(message, "id"), TABLE_PLAIN);
        table_add(table, json_text_of(message, "to"), TABLE_PLAIN);
        table_addf(table, TABLE_PLAIN, "%lld", (long long)json_number_of(message, "parts", 0));
        table_add(table, json_text_of(message, "encoding"), TABLE_PLAIN);
        table_add(table, state, state_style(state));
        table_add(table, reason[0] != '\0' ? reason : json_text_of(json_object_get(message, "error"), "detail"), TABLE_PLAIN);
    }
    cli_print_table(table);
    table_free(table);
}

/* After a lost answer or an error inside the gateway nobody here knows whether it was accepted; the key does. */
static void explain_doubt(const struct send *send)
{
    cli_say("It may or may not have been accepted. Repeat the same command with --idempotency-key %s: "
            "what was accepted is not sent again.", send->key);
}

static int send_run(struct cli *cli, struct send *send)
{
    struct client_answer answer;
    int status = make_key(send);

    if (status != CLI_OK)
        return status;
    char *body = send_make_body(&send->recipients, send->text, send->options);
    const struct client_request request = { .method = "POST", .target = "/v1/messages", .body = body, .idempotency_key = send->key };
    int r = cli->client != NULL ? 0 : client_new(&cli->config, &cli->client);
    if (r == 0)
        r = client_call(cli->client, &request, &answer);
    free(body);
    if (r < 0) {
        status = cli_explain_error(cli, r);
        if (!client_error_is_connect(r))
            explain_doubt(send);
        return status;
    }

    json_t *messages = json_object_get(answer.json, "messages");
    if (answer.status != 202 || !json_is_array(messages)) {
        if (cli->json && answer.json != NULL)
            cli_print_json(answer.json);
        status = cli_explain_answer(cli, &answer);
        if (answer.status >= 500 && answer.retry_after_s == 0)
            explain_doubt(send);
        client_answer_done(&answer);
        return status;
    }
    size_t refused = send_explain_refusals(messages);
    if (answer.replayed)
        cli_say("This was accepted before, with the same idempotency key: nothing was sent again.");
    if (send->goal != WAIT_NOT && refused < json_array_size(messages))
        status = wait_for_batch(cli, answer.json, send->goal, send->report, send->timeout_s * 1000);
    if (cli->json)
        cli_print_json(answer.json);
    else
        print_result(messages);
    client_answer_done(&answer);
    return status == CLI_OK && refused > 0 ? CLI_REFUSED : status;
}

int cmd_send(int argc, char **argv)
{
    struct send send = { .timeout_s = 600, .report = true, .options = memory_check(json_object()) };
    struct cli cli;
    int status = CLI_OK;

    cli_begin(&cli, &send_syntax, argc, argv);
    for (int letter; status == CLI_OK && (letter = cli_next_option(&cli)) >= 0;)
        status = read_option(&cli, &send, letter);
    if (cli.finished)
        status = cli.status;
    if (status == CLI_OK && !cli.finished) {
        status = read_arguments(&cli, &send);
        if (status == CLI_OK)
            status = send_run(&cli, &send);
    }
    send_done(&send);
    return cli_end(&cli, status);
}
