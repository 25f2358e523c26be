/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/follow.h"

#include "firmware/cellpost/memory.h"
#include "firmware/cellpost/states.h"
#include "firmware/cellpost/when.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 1000

static int open_stream(struct follow *follow, struct client_stream **ret_stream)
{
    return cli_stream_open(follow->cli, "/v1/events", follow->last_id[0] != '\0' ? follow->last_id : NULL, ret_stream);
}

int follow_open(struct follow *follow, struct cli *cli, const char *last_id)
{
    *follow = (struct follow){ .cli = cli };
    (void)snprintf(follow->last_id, sizeof follow->last_id, "%s", last_id != NULL ? last_id : "");
    return open_stream(follow, &follow->stream);
}

void follow_close(struct follow *follow)
{
    client_stream_close(follow->stream);
    follow->stream = NULL;
}

static enum follow_result come_back(struct follow *follow, uint32_t timeout_ms)
{
    bool given_up = cli_monotonic_ms() - follow->away_since_ms > FOLLOW_AWAY_MS_MAX, quiet = follow->cli->quiet;

    (void)poll(NULL, 0, timeout_ms < RETRY_MS ? (int)timeout_ms : RETRY_MS);
    follow->cli->quiet = quiet || !given_up;   /* the last try says why it fails */
    int status = open_stream(follow, &follow->stream);
    follow->cli->quiet = quiet;
    if (status == CLI_OK)
        return FOLLOW_BACK;
    follow->stream = NULL;
    return given_up ? FOLLOW_AWAY : FOLLOW_QUIET;
}

enum follow_result follow_next(struct follow *follow, uint32_t timeout_ms, struct sse_event *ret_event)
{
    if (follow->stream == NULL)
        return come_back(follow, timeout_ms);

    int r = client_stream_next(follow->stream, timeout_ms, -1, ret_event);
    if (r < 0) {
        follow_close(follow);
        follow->away_since_ms = cli_monotonic_ms();
        return FOLLOW_QUIET;
    }
    if (r == 1)
        (void)snprintf(follow->last_id, sizeof follow->last_id, "%s", ret_event->id);
    return r == 1 ? FOLLOW_EVENT : FOLLOW_QUIET;
}

/* -- words ----------------------------------------------------------------------------------------------------- */

static char *message_words(json_t *data)
{
    return memory_printf("%s %s", json_text_of(data, "id"), json_text_of(data, "state"));
}

void part_words(json_t *data, char ret_text[64])
{
    int64_t parts = json_number_of(data, "parts", 0);
    int n = snprintf(ret_text, 64, "part %lld", (long long)json_number_of(data, "part", 1));

    if (parts > 0)
        (void)snprintf(ret_text + n, 64 - (size_t)n, " of %lld", (long long)parts);
}

static char *step_words(json_t *data)
{
    static const struct { const char *key, *name; } known[] = {
        { "mr", "mr" }, { "error_code", "error" }, { "report_status", "status" },
    };
    char numbers[96] = "", part[64];

    part_words(data, part);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t number = json_number_of(data, known[i].key, -1);
        if (number >= 0)
            (void)snprintf(numbers + strlen(numbers), sizeof numbers - strlen(numbers), ", %s %lld", known[i].name, (long long)number);
    }
    return memory_printf("%s %s %s%s, %s", json_text_of(data, "message"), part, state_words(json_text_of(data, "step")), numbers,
                         json_text_of(data, "port"));
}

static char *inbox_words(json_t *data)
{
    return memory_printf("%s from %s: %s", json_text_of(data, "id"), json_text_of(data, "from"), json_text_of(data, "text"));
}

static char *modem_words(json_t *data)
{
    return memory_printf("%s %s", json_text_of(data, "port"), json_text_of(data, "state"));
}

static char *alarm_words(json_t *data)
{
    return memory_printf("alarm %s", json_is_true(json_object_get(data, "raised")) ? "raised" : "over");
}

static char *lost_words(json_t *data)
{
    return memory_printf("events %lld to %lld are gone: the gateway remembers only the last few thousand",
                         (long long)json_number_of(data, "after", 0) + 1, (long long)json_number_of(data, "oldest", 1) - 1);
}

char *event_words(const struct cli *cli, const char *name, json_t *data)
{
    static const struct { const char *name; char *(*words)(json_t *data); } kinds[] = {
        { "message", message_words }, { "part", step_words }, { "inbox", inbox_words },
        { "modem", modem_words },     { "lost", lost_words },   { "alarm", alarm_words },
    };
    const char *reason = json_text_of(data, "reason"), *at = json_text_of(data, "at"), *point = strchr(at, '.');
    char time[WHEN_TEXT_MAX], ms[8] = "";
    char *words = NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && words == NULL; i++)
        if (strcmp(kinds[i].name, name) == 0)
            words = kinds[i].words(data);
    if (words == NULL)   /* of a later gateway: as it comes */
        words = memory_check(json_dumps(data, JSON_ENCODE_ANY));
    (void)cli_time_of(cli, data, "at", time);
    time[strcspn(time, "Z")] = '\0';
    if (point != NULL)   /* who watches wants to see what comes first within a second */
        (void)snprintf(ms, sizeof ms, "%.4s", point);
    char *line = memory_printf("%s%s%s  %-7s  %s%s%s%s", time, ms, point != NULL && cli->utc ? "Z" : "", name, words,
                               reason[0] != '\0' ? " (" : "", reason, reason[0] != '\0' ? ")" : "");
    free(words);
    return line;
}
