/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/send_options.h"

#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/when.h"
#include "src/base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX 40000            /* MESSAGE_TEXT_BYTES_MAX of src/store/message.h */
#define REFUSALS_SHOWN_MAX 20

int send_add_recipient(struct cli *cli, struct recipients *recipients, const char *number)
{
    switch (recipients_add(recipients, number)) {
    case 0:
        return CLI_OK;
    case -EILSEQ:
        return cli_usage_error(cli, "the number \"%s\" is not UTF-8", number);
    default:
        return cli_usage_error(cli, "more than %d recipients: send them in several goes", RECIPIENTS_MAX);
    }
}

int send_read_file(struct cli *cli, struct recipients *recipients, const char *path, bool *ret_stdin)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    unsigned line = 0;

    if (file == NULL)
        return cli_usage_error(cli, "%s: %s", path, strerror(errno));
    int r = recipients_read(recipients, file, &line);
    if (!is_stdin)
        (void)fclose(file);
    *ret_stdin |= is_stdin;
    switch (r) {
    case 0:
        return CLI_OK;
    case -EMSGSIZE:
        return cli_usage_error(cli, "%s:%u: the line is too long: one number a line", path, line);
    case -EILSEQ:
        return cli_usage_error(cli, "%s:%u: this is not UTF-8 text", path, line);
    case -E2BIG:
        return cli_usage_error(cli, "%s:%u: more than %d recipients: send them in several goes", path, line, RECIPIENTS_MAX);
    default:
        return cli_usage_error(cli, "%s:%u: %s", path, line, strerror(-r));
    }
}

int send_read_at(struct cli *cli, json_t *options, const char *text)
{
    char rfc3339[WHEN_TEXT_MAX];
    int64_t ms, now_ms = cli_now_ms();
    int r = when_parse(text, WHEN_NEXT, now_ms, cli->utc, &ms);

    if (r == -ERANGE)
        return cli_usage_error(cli, "--at: there is no such time as \"%s\"", text);
    if (r < 0)
        return cli_usage_error(cli, "--at takes 08:00, \"2026-03-01 08:00\", 2026-03-01T08:00:00+02:00, @SECONDS or +2h, not \"%s\"",
                               text);
    if (ms < now_ms - 60000)   /* a minute's grace for a script that takes its time */
        return cli_usage_error(cli, "--at \"%s\" is in the past", text);
    when_format_rfc3339(ms, rfc3339);
    json_object_set_new(options, "schedule_at", json_string(rfc3339));
    return CLI_OK;
}

int send_read_encoding(struct cli *cli, json_t *options, const char *text)
{
    static const char *const names[] = { "auto", "gsm7", "ucs2" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], text) != 0)
            continue;
        json_object_set_new(options, "encoding", json_string(text));
        return CLI_OK;
    }
    return cli_usage_error(cli, "--encoding takes auto, gsm7 or ucs2, not \"%s\"", text);
}

int send_read_country(struct cli *cli, json_t *options, const char *text)
{
    if (strlen(text) != 2 || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != 2)
        return cli_usage_error(cli, "--country takes the two letters of a country as RO, not \"%s\"", text);
    json_object_set_new(options, "country", json_string(text));
    return CLI_OK;
}

int send_read_duration(struct cli *cli, const char *option, const char *text, int64_t min_s, int64_t *ret_s)
{
    int64_t s;

    if (duration_parse(text, &s) < 0 || s < min_s)
        return cli_usage_error(cli, "%s takes a duration as 90s, 15m, 24h or 7d, not \"%s\"", option, text);
    *ret_s = s;
    return CLI_OK;
}

int send_read_text(struct cli *cli, bool stdin_taken, const char *argument, char **ret_text)
{
    char *text;
    size_t length, bad_at;

    if (strcmp(argument, "-") != 0) {
        *ret_text = text = memory_copy_text(argument);
        length = strlen(argument);
    } else if (stdin_taken) {
        return cli_usage_error(cli, "the recipients and the text cannot both come from stdin");
    } else {
        *ret_text = text = memory_zero(TEXT_BYTES_MAX + 2, 1);
        length = fread(text, 1, TEXT_BYTES_MAX + 2, stdin);
        if (ferror(stdin))
            return cli_usage_error(cli, "stdin: %s", strerror(errno));
        if (length > 0 && text[length - 1] == '\n')   /* echo adds it; nobody means it */
            length--;
        if (length > TEXT_BYTES_MAX)
            return cli_usage_error(cli, "the text is longer than %d octets", TEXT_BYTES_MAX);
        if (memchr(text, '\0', length) != NULL)
            return cli_usage_error(cli, "stdin is no text: it has a NUL octet in it");
        text[length] = '\0';
    }
    if (!utf8_is_valid(text, length, &bad_at))
        return cli_usage_error(cli, "the text is not UTF-8 from octet %zu on (0x%02X)", bad_at + 1, (unsigned char)text[bad_at]);
    return CLI_OK;
}

char *send_make_body(const struct recipients *recipients, const char *send_text, json_t *options)
{
    json_t *body = memory_check(json_deep_copy(options));
    bool single = recipients->count == 1;
    json_t *to = memory_check(single ? json_string(recipients->numbers[0]) : json_array());

    for (size_t i = 0; !single && i < recipients->count; i++)
        json_array_append_new(to, memory_check(json_string(recipients->numbers[i])));
    json_object_set_new(body, "to", to);
    json_object_set_new(body, "text", memory_check(json_string(send_text)));
    char *text = memory_check(json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS));   /* the same options: the same octets, for the key */
    json_decref(body);
    return text;
}

/* Says which of the recipients were refused, and how many. */
size_t send_explain_refusals(json_t *messages)
{
    size_t i, refused = 0;
    json_t *message;

    json_array_foreach(messages, i, message) {
        json_t *error = json_object_get(message, "error");
        if (error == NULL)
            continue;
        if (refused++ < REFUSALS_SHOWN_MAX)
            cli_explain_problem(json_text_of(message, "to"), error);
    }
    if (refused > REFUSALS_SHOWN_MAX)
        cli_say("cellpost: and %zu more.", refused - REFUSALS_SHOWN_MAX);
    return refused;
}
