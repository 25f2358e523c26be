/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/wait.h"

#include "firmware/cellpost/follow.h"
#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/page.h"
#include "firmware/cellpost/recipients.h"
#include "firmware/cellpost/states.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 5000            /* without an event for so long the messages are read: the stream is a hint, the store the truth */
#define LOOK_ALONE_MS 1000      /* where there is no stream */
#define LINES_MESSAGES_MAX 20   /* of more messages only the count is shown */

struct waiting {
    struct cli *cli;
    const char *batch;
    json_t *messages;           /* borrowed from the answer: written over as they go on */
    json_t *by_id;              /* id -> message */
    enum wait_goal goal;
    bool report;
    size_t total, open, bad;    /* refused ones are not among them */
    size_t shown_open;
    bool lines, counter;        /* how the way is shown; neither where stderr is no terminal */
};

static bool is_there(const struct waiting *waiting, const char *state)
{
    return state_is_final(state) || (state_is_sent(state) && (waiting->goal == WAIT_SENT || !waiting->report));
}

/* Who waited for "sent" only has what was wanted, whatever a report says a moment later. */
static bool is_bad(const struct waiting *waiting, const char *state)
{
    return is_there(waiting, state) && state_is_bad(state) && !(waiting->goal == WAIT_SENT && state_is_sent(state));
}

/* One message more, or one less, in this state. */
static void count_state(struct waiting *waiting, const char *state, bool more)
{
    waiting->open += is_there(waiting, state) ? 0 : more ? 1 : (size_t)-1;
    waiting->bad += !is_bad(waiting, state) ? 0 : more ? 1 : (size_t)-1;
}

static void show_counter(struct waiting *waiting)
{
    if (!waiting->counter || waiting->open == waiting->shown_open)
        return;
    waiting->shown_open = waiting->open;
    fprintf(stderr, "\r%zu of %zu there\033[K%s", waiting->total - waiting->open, waiting->total, waiting->open == 0 ? "\n" : "");
}

static void show_line(const struct waiting *waiting, json_t *message, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void show_line(const struct waiting *waiting, json_t *message, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    if (!waiting->lines)
        return;
    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    cli_say("%s: %s", json_text_of(message, "to"), (char *)memory_check(n < 0 ? NULL : text));
    free(text);
}

static void take_state(struct waiting *waiting, json_t *message, const char *state, const char *reason)
{
    if (state[0] == '\0' || strcmp(json_text_of(message, "state"), state) == 0)
        return;
    count_state(waiting, json_text_of(message, "state"), false);
    count_state(waiting, state, true);
    json_object_set_new(message, "state", json_string(state));
    if (reason[0] != '\0')
        json_object_set_new(message, "reason", json_string(reason));
    else
        json_object_del(message, "reason");
    show_line(waiting, message, "%s%s%s%s", state_words(state), reason[0] != '\0' ? " (" : "", reason, reason[0] != '\0' ? ")" : "");
}

static void take_part(const struct waiting *waiting, json_t *message, json_t *data)
{
    char part[64];

    part_words(data, part);
    show_line(waiting, message, "%s %s, %s", part, state_words(json_text_of(data, "step")), json_text_of(data, "port"));
}

static void take_event(struct waiting *waiting, const struct sse_event *event)
{
    bool is_message = strcmp(event->name, "message") == 0;
    json_t *data = json_loadb(event->data, event->data_length, 0, NULL);
    json_t *message = json_object_get(waiting->by_id, json_text_of(data, is_message ? "id" : "message"));

    if (message != NULL && is_message)
        take_state(waiting, message, json_text_of(data, "state"), json_text_of(data, "reason"));
    else if (message != NULL && strcmp(event->name, "part") == 0)
        take_part(waiting, message, data);
    json_decref(data);
}

/* Reads where the messages are. A gateway that is away for a moment changes nothing: false. */
static bool look(struct waiting *waiting)
{
    struct page_query query = { .path = "/v1/messages", .name = "messages", .limit = RECIPIENTS_MAX };
    json_t *page, *row;
    size_t i;

    page_filter(&query, "batch", waiting->batch);
    waiting->cli->quiet = true;
    int status = page_read(waiting->cli, &query, &page);
    waiting->cli->quiet = false;
    if (status != CLI_OK)
        return false;
    json_array_foreach(json_object_get(page, "messages"), i, row) {
        json_t *message = json_object_get(waiting->by_id, json_text_of(row, "id"));
        if (message != NULL)
            take_state(waiting, message, json_text_of(row, "state"), json_text_of(row, "reason"));
    }
    json_decref(page);
    return true;
}

static void waiting_begin(struct waiting *waiting, json_t *answer)
{
    json_t *message;
    size_t i;

    waiting->batch = json_text_of(answer, "batch");
    waiting->messages = json_object_get(answer, "messages");
    waiting->by_id = memory_check(json_object());
    json_array_foreach(waiting->messages, i, message) {
        if (json_object_get(message, "error") != NULL || json_text_of(message, "id")[0] == '\0')
            continue;
        json_object_set(waiting->by_id, json_text_of(message, "id"), message);
        count_state(waiting, json_text_of(message, "state"), true);
    }
    waiting->total = json_object_size(waiting->by_id);
    waiting->shown_open = SIZE_MAX;
    waiting->lines = isatty(STDERR_FILENO) == 1 && waiting->total <= LINES_MESSAGES_MAX;
    waiting->counter = isatty(STDERR_FILENO) == 1 && !waiting->lines;
}

static void say_timeout(const struct waiting *waiting)
{
    json_t *message;
    const char *id;

    if (waiting->counter)
        fputc('\n', stderr);
    cli_say("cellpost: after the time to wait %zu of %zu messages are not there yet. They go on; \"cellpost list --batch %s\" "
            "shows them.", waiting->open, waiting->total, waiting->batch);
    if (waiting->total > LINES_MESSAGES_MAX)
        return;
    json_object_foreach(waiting->by_id, id, message)
        if (!is_there(waiting, json_text_of(message, "state")))
            cli_say("  %s: %s", id, state_words(json_text_of(message, "state")));
}

int wait_for_batch(struct cli *cli, json_t *answer, enum wait_goal goal, bool report, int64_t timeout_ms)
{
    struct waiting waiting = { .cli = cli, .goal = goal, .report = report };
    int64_t begin_ms = cli_monotonic_ms(), seen_ms = begin_ms, looked_ms = begin_ms;
    struct follow follow;
    struct sse_event event;
    int status = CLI_OK;

    waiting_begin(&waiting, answer);
    cli->quiet = true;
    bool alone = follow_open(&follow, cli, NULL) != CLI_OK;
    cli->quiet = false;
    (void)look(&waiting);   /* what happened before the stream was open */
    show_counter(&waiting);
    while (waiting.open > 0) {
        int64_t now_ms = cli_monotonic_ms(), left_ms = timeout_ms > 0 ? begin_ms + timeout_ms - now_ms : INT64_MAX;
        int64_t look_ms = alone || follow.stream == NULL ? LOOK_ALONE_MS : LOOK_MS;
        int64_t wait_ms = looked_ms + look_ms - now_ms;
        enum follow_result result = FOLLOW_QUIET;

        if (left_ms <= 0) {
            say_timeout(&waiting);
            status = CLI_TIMED_OUT;
            break;
        }
        wait_ms = wait_ms > left_ms ? left_ms : wait_ms;
        if (alone)
            (void)poll(NULL, 0, wait_ms > 0 ? (int)wait_ms : 0);
        else
            result = follow_next(&follow, wait_ms > 0 ? (uint32_t)wait_ms : 0, &event);
        if (result == FOLLOW_EVENT)
            take_event(&waiting, &event);
        if (result == FOLLOW_BACK || cli_monotonic_ms() - looked_ms >= look_ms) {
            looked_ms = cli_monotonic_ms();
            if (look(&waiting))
                seen_ms = looked_ms;
        }
        show_counter(&waiting);
        if (waiting.open > 0 && (result == FOLLOW_AWAY || cli_monotonic_ms() - seen_ms > FOLLOW_AWAY_MS_MAX)) {
            if (result != FOLLOW_AWAY)
                (void)cli_explain_error(cli, -ECONNREFUSED);
            status = CLI_UNREACHABLE;
            break;
        }
    }
    if (!alone)
        follow_close(&follow);
    json_decref(waiting.by_id);
    return status == CLI_OK && waiting.bad > 0 ? CLI_REFUSED : status;
}
