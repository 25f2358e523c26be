/* SPDX-License-Identifier: Apache-2.0
 *
 * inbox: what came in. With --follow the event stream only wakes us; what is shown comes from the store, in order and
 * whole, whatever the stream may have lost. */
#include "firmware/cellpost/commands.h"
#include "firmware/cellpost/follow.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/page.h"
#include "firmware/cellpost/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 30000   /* how often the inbox is looked at without an event */

enum { INBOX_FROM = 300, INBOX_SINCE, INBOX_BEFORE };

static const struct cli_option inbox_options[] = {
    { "from", INBOX_FROM, "NUMBER", "only from this number" },
    { "since", INBOX_SINCE, "TIME", "only received since then, or so long ago: 2h, 7d" },
    { "before", INBOX_BEFORE, "ID", "only older than this message: the next page" },
    { "limit", 'n', "N", "at most N messages (100; with --follow: 10 to begin with)" },
    { "follow", 'f', NULL, "wait for more, and print each as it comes" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_syntax inbox_syntax = {
    .verb = "inbox", .arguments = "[ID]", .options = inbox_options,
    .summary = "Lists the messages that came in, the newest first; or shows one of them.",
    .notes = "With --follow the newest come last, and --json prints one object a line.",
};

/* What a row shows of a message: its text, or its octets where it is data, and what is wrong with it. */
static char *content_of(json_t *message)
{
    const char *text = json_text_of(message, "text"), *data = json_text_of(message, "data_hex");
    const char *problem = json_text_of(message, "problem");

    return memory_printf("%s%s%s%s%s%s", text, data[0] != '\0' ? "data " : "", data, problem[0] != '\0' ? " [" : "", problem,
                         problem[0] != '\0' ? "]" : "");
}

static void print_rows(const struct cli *cli, json_t *messages, bool header)
{
    static const struct table_column columns[] = {
        { "ID", false, false }, { "RECEIVED", false, false }, { "FROM", false, false }, { "TEXT", false, true },
    };
    struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
    char time[WHEN_TEXT_MAX];
    json_t *message;
    size_t i;

    json_array_foreach(messages, i, message) {
        char *content = content_of(message);
        table_add(table, json_text_of(message, "id"), TABLE_PLAIN);
        table_add(table, cli_time_of(cli, message, "received_at", time), TABLE_PLAIN);
        table_add(table, json_text_of(message, "from"), TABLE_PLAIN);
        table_add(table, content, TABLE_PLAIN);
        free(content);
    }
    if (table_rows(table) > 0) {
        /* Nothing is cut while following: whoever waits for a text wants all of it. */
        char *text = table_render(table, header ? cli_width() : 0, cli_color(), header);
        fputs(text, stdout);
        free(text);
    }
    table_free(table);
}

static int list_once(struct cli *cli, struct page_query *query)
{
    json_t *page;
    int status = page_read(cli, query, &page);

    if (status != CLI_OK)
        return status;
    json_t *messages = json_object_get(page, "messages");
    if (cli->json)
        cli_print_json(page);
    else if (json_array_size(messages) == 0)
        cli_say("No messages.");
    else
        print_rows(cli, messages, true);
    if (!cli->json && json_text_of(page, "next")[0] != '\0')
        cli_say("There are more: --before %s, or a higher --limit.", json_text_of(page, "next"));
    json_decref(page);
    return CLI_OK;
}

static json_t *reversed(json_t *array)
{
    json_t *copy = memory_check(json_array());

    for (size_t i = json_array_size(array); i > 0; i--)
        json_array_append(copy, json_array_get(array, i - 1));
    return copy;
}

/* Prints what is newer than *last_id, the oldest first; where nothing was seen yet, the newest few of all. */
static int print_new(struct cli *cli, struct page_query *query, char last_id[64])
{
    json_t *page;

    query->after = last_id[0] != '\0' ? last_id : NULL;
    int status = page_read(cli, query, &page);
    if (status != CLI_OK)
        return status;
    json_t *messages = json_object_get(page, "messages");
    json_t *ordered = query->after == NULL ? reversed(messages) : json_incref(messages), *message;
    size_t i;

    if (!cli->json)
        print_rows(cli, ordered, false);
    json_array_foreach(ordered, i, message) {
        if (cli->json)
            cli_print_json(message);
        (void)snprintf(last_id, 64, "%s", json_text_of(message, "id"));
    }
    (void)fflush(stdout);
    json_decref(ordered);
    json_decref(page);
    query->limit = PAGE_ROWS_MAX;
    return CLI_OK;
}

static bool wakes(const char *event)
{
    return strcmp(event, "inbox") == 0 || strcmp(event, "lost") == 0;
}

static int follow_inbox(struct cli *cli, struct page_query *query)
{
    char last_id[64] = "";
    struct follow follow;
    struct sse_event event;
    /* The stream first: what comes between the two is then seen twice by us, and printed once. */
    int status = follow_open(&follow, cli, NULL);

    if (status == CLI_OK)
        status = print_new(cli, query, last_id);
    while (status == CLI_OK) {
        enum follow_result result = follow_next(&follow, LOOK_MS, &event);
        if (result == FOLLOW_AWAY)
            status = CLI_UNREACHABLE;
        else if (follow.stream != NULL && (result != FOLLOW_EVENT || wakes(event.name)))
            status = print_new(cli, query, last_id);
        if (status == CLI_UNREACHABLE && result != FOLLOW_AWAY)
            status = CLI_OK;   /* it went away just now: the stream will notice, and wait for it */
    }
    follow_close(&follow);
    return status;
}

static int show_one(struct cli *cli, const char *id)
{
    static const struct { const char *key, *name; bool time; } fields[] = {
        { "id", "id", false }, { "from", "from", false }, { "received_at", "received", true }, { "sent_at", "sent", true },
        { "sim", "sim", false }, { "modem", "modem", false }, { "encoding", "encoding", false }, { "problem", "problem", false },
        { "data_hex", "data", false }, { "pdu", "pdu", false },
    };
    struct client_target target;
    struct client_answer answer;

    client_target_begin(&target, "/v1/inbox");
    client_target_segment(&target, id);
    int status = cli_get(cli, &target, &answer);
    if (status != CLI_OK)
        return status;
    if (cli->json) {
        cli_print_json(answer.json);
    } else {
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
            char time[WHEN_TEXT_MAX];
            const char *value = json_text_of(answer.json, fields[i].key);
            if (value[0] != '\0')
                cli_print_field(fields[i].name, fields[i].time ? cli_time_of(cli, answer.json, fields[i].key, time) : value);
        }
        if (json_object_get(answer.json, "text") != NULL)
            cli_print_block("text", json_text_of(answer.json, "text"));
    }
    client_answer_done(&answer);
    return CLI_OK;
}

int cmd_inbox(int argc, char **argv)
{
    struct page_query query = { .path = "/v1/inbox", .name = "messages" };
    char since[WHEN_TEXT_MAX];
    bool follow = false;
    struct cli cli;
    int status = CLI_OK;

    cli_begin(&cli, &inbox_syntax, argc, argv);
    for (int letter; status == CLI_OK && (letter = cli_next_option(&cli)) >= 0;) {
        switch (letter) {
        case INBOX_FROM: page_filter(&query, "from", optarg); break;
        case INBOX_BEFORE: query.before = optarg; break;
        case INBOX_SINCE:
            status = cli_read_since(&cli, "--since", optarg, since);
            page_filter(&query, "since", since);
            break;
        case 'n': status = cli_read_number(&cli, "--limit", optarg, 1, PAGE_ROWS_MAX, &query.limit); break;
        case 'f': follow = true; break;
        }
    }
    if (cli.finished || status != CLI_OK)
        return cli_end(&cli, cli.finished ? cli.status : status);
    if (argc - optind > 1)
        return cli_usage_error(&cli, "\"%s\" is too much", argv[optind + 1]);
    if (follow && query.before != NULL)
        return cli_usage_error(&cli, "--before looks back and --follow ahead: they exclude each other");
    if (query.limit == 0)
        query.limit = follow ? 10 : 100;
    if (optind < argc)
        status = show_one(&cli, argv[optind]);
    else
        status = follow ? follow_inbox(&cli, &query) : list_once(&cli, &query);
    return cli_end(&cli, status);
}
