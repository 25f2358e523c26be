/* SPDX-License-Identifier: Apache-2.0
 *
 * The side of cli.h that a person sees: results, and errors with what to do about them. */
#include "firmware/cellpost/cli.h"

#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/text.h"
#include "firmware/cellpost/when.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ERRORS_SHOWN_MAX 20

/* Advice that several reasons share. */
#define NAME_THE_SOCKET "Name the gateway's with --socket or CELLPOST_SOCKET; [api] socket in cellpost.ini says where it is."
#define JOIN_THE_GROUP \
    "Members of its group may: \"ls -l\" names the group, \"sudo usermod -aG GROUP USER\" adds you, then log in again."

/* What keeps a caller from the gateway, and what helps. %s: the socket. */
static const struct { int error; const char *what, *next; } unreachable[] = {
    { ENOENT, "there is no socket %s",
      "Is the gateway running? \"systemctl status cellpostd\" tells. Another socket is named with --socket or CELLPOST_SOCKET." },
    { ECONNREFUSED, "nobody listens on %s",
      "The gateway has stopped and left its socket behind: \"systemctl restart cellpostd\"; \"journalctl -u cellpostd\" tells why." },
    { EACCES, "you may not use %s", JOIN_THE_GROUP },
    { EPERM, "you may not use %s", JOIN_THE_GROUP },
    { ENAMETOOLONG, "%s is longer than the path of a socket can be (107 characters)",
      "Choose a shorter one in cellpost.ini, and with --socket or CELLPOST_SOCKET." },
    { ENOTSOCK, "%s is no socket", NAME_THE_SOCKET },
    { ENOTCONN, "%s could not be reached", NAME_THE_SOCKET },
    { EAGAIN, "%s takes no more connections", "The gateway is overloaded or hangs: \"journalctl -u cellpostd\" tells more." },
    { ETIMEDOUT, "the gateway on %s gave no answer in time",
      "It is overloaded or its disk hangs: \"journalctl -u cellpostd\" tells more." },
    { EPIPE, "the connection to %s was lost before the answer came",
      "The gateway may have stopped: \"systemctl status cellpostd\" tells." },
    { EMSGSIZE, "the answer from %s is too long", "Ask for less at a time: --limit." },
    { EPROTO, "what answers on %s is not the gateway", NAME_THE_SOCKET },
    { E2BIG, "the arguments are too long to ask %s", "Give fewer or shorter ones." },
};

int cli_explain_error(const struct cli *cli, int error)
{
    if (cli->quiet)
        return CLI_UNREACHABLE;
    for (size_t i = 0; i < sizeof unreachable / sizeof unreachable[0]; i++) {
        if (error != -unreachable[i].error)
            continue;
        const char *place = strstr(unreachable[i].what, "%s");
        cli_say("cellpost: %.*s%s%s.", (int)(place - unreachable[i].what), unreachable[i].what, cli->config.socket_path, place + 2);
        cli_say("%s", unreachable[i].next);
        return CLI_UNREACHABLE;
    }
    cli_say("cellpost: %s: %s.", cli->config.socket_path, strerror(-error));
    return CLI_UNREACHABLE;
}

/* What a person can do about the stable codes of the API; the detail says what happened. */
static const struct { const char *code, *next; } next_steps[] = {
    { "already_final", "Nothing is left to cancel; \"cellpost show ID\" tells how it ended." },
    { "already_handed_over", "A modem has it: what is on the air cannot be called back." },
    { "busy", "The gateway has more to do than it can take at once." },
    { "empty_text", "Give a text, or \"-\" to read it from stdin." },
    { "idempotency_mismatch", "This key was used for another request: leave --idempotency-key out, or take a new one." },
    { "key_exists", "Choose another name, or remove the old key first: \"cellpost key remove NAME\"." },
    { "no_such_key", "\"cellpost key list\" shows the names." },
    { "no_such_message", "\"cellpost list\" and \"cellpost inbox\" show what there is." },
    { "no_such_version", "\"cellpost tariffs list\" shows what there is." },
    { "no_such_opt_out", "\"cellpost optout list\" shows the numbers." },
    { "no_such_path", "Is the gateway older than this program? \"cellpost health\" tells its version." },
    { "not_in_alphabet", "Leave --encoding out: the message then goes as UCS-2." },
    { "not_in_doubt", "There is nothing to decide; \"cellpost show ID\" tells how it stands." },
    { "route_refused", "\"cellpost route explain NUMBER\" shows the row that says so." },
    { "opted_out", "They get messages again when they send START, or after \"cellpost optout remove NUMBER\"." },
    { "stopping", "The gateway is about to stop: try again when it is back." },
    { "storage_error", "The disk of the gateway needs care: \"cellpost health\" and \"journalctl -u cellpostd\" tell more." },
    { "storage_full", "Make room on the gateway's disk: it takes messages again by itself." },
    { "text_too_long", "Shorten the text; \"cellpost segments TEXT\" shows what each part costs." },
    { "too_many_parts", "Shorten the text; \"cellpost segments TEXT\" shows what each part costs." },
    { "too_many_recipients", "Send in several goes." },
};

void cli_explain_problem(const char *about, json_t *problem)
{
    const char *code = json_text_of(problem, "code"), *detail = json_text_of(problem, "detail");
    const char *pointer = json_text_of(problem, "pointer");

    if (detail[0] == '\0')
        detail = json_text_of(problem, "title");
    if (detail[0] == '\0')
        detail = code[0] != '\0' ? code : "refused";
    cli_say("cellpost: %s%s%s%s%s%s", about != NULL ? about : "", about != NULL ? ": " : "", detail, pointer[0] != '\0' ? " (at " : "",
            pointer, pointer[0] != '\0' ? ")" : "");
    for (size_t i = 0; i < sizeof next_steps / sizeof next_steps[0]; i++)
        if (strcmp(next_steps[i].code, code) == 0)
            cli_say("%s", next_steps[i].next);
}

int cli_explain_answer(const struct cli *cli, const struct client_answer *answer)
{
    json_t *error;
    size_t i;

    if (cli->quiet)
        return CLI_REFUSED;
    if (!json_is_object(answer->json)) {
        cli_say("cellpost: %s answered with HTTP status %ld and no reason.", cli->config.socket_path, answer->status);
        return CLI_REFUSED;
    }
    cli_explain_problem(NULL, answer->json);
    json_array_foreach(json_object_get(answer->json, "errors"), i, error)
        if (i < ERRORS_SHOWN_MAX)
            cli_say("  %s (at %s)", json_text_of(error, "detail"), json_text_of(error, "pointer"));
    if (answer->retry_after_s > 0)
        cli_say("Try again in %ld s.", answer->retry_after_s);
    return CLI_REFUSED;
}

void cli_print_json(json_t *json)
{
    char *text = memory_check(json_dumps(json, JSON_ENCODE_ANY));
    char *safe = memory_check(text_escape_json(text, strlen(text)));

    puts(safe);
    free(safe);
    free(text);
}

bool cli_color(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    if (no_color != NULL && no_color[0] != '\0')   /* no-color.org: present and not empty */
        return false;
    return isatty(STDOUT_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

size_t cli_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void cli_print_table(const struct table *table)
{
    if (table_rows(table) == 0)
        return;
    char *text = table_render(table, cli_width(), cli_color(), true);
    fputs(text, stdout);
    free(text);
}

void cli_print_field(const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    char *safe = memory_check(text_escape(value, strlen(value), TEXT_ONE_LINE));
    printf("%-12s %s\n", name, safe);
    free(safe);
}

void cli_print_line(const char *text)
{
    char *safe = memory_check(text_escape(text, strlen(text), TEXT_ONE_LINE));

    puts(safe);
    free(safe);
}

void cli_print_block(const char *name, const char *text)
{
    char *safe = memory_check(text_escape(text, strlen(text), TEXT_KEEP_LINES));

    for (char *line = safe, *rest = safe; rest != NULL;) {
        line = strsep(&rest, "\n");
        printf("%-12s | %s\n", line == safe ? name : "", line);
    }
    free(safe);
}

const char *json_text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

int64_t json_number_of(json_t *object, const char *key, int64_t otherwise)
{
    json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool json_true_of(json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

const char *cli_time_of(const struct cli *cli, json_t *object, const char *key, char ret_text[WHEN_TEXT_MAX])
{
    int64_t ms;

    if (when_parse(json_text_of(object, key), WHEN_NEXT, 0, true, &ms) < 0)
        ms = 0;
    when_format(ms, cli->utc, ret_text);
    return ret_text;
}
