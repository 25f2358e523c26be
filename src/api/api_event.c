/* SPDX-License-Identifier: Apache-2.0
 *
 * api_event.c - what happens, as records of a server-sent event stream (WHATWG HTML 9.2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"

static void render_message(json_t *data, const char *tag, const struct live_event *event)
{
    json_put_id(data, "id", tag, 'm', event->message_id);
    json_put_text(data, "state", message_state_name(event->state));
    json_put_text(data, "reason", event->reason);
}

static void render_part(json_t *data, const char *tag, const struct live_event *event)
{
    static const struct { size_t offset; const char *name; } numbers[] = {
        { offsetof(struct live_event, mr), "mr" },
        { offsetof(struct live_event, code), "error_code" },
        { offsetof(struct live_event, status), "report_status" },
    };

    json_put_id(data, "message", tag, 'm', event->message_id);
    json_put_int(data, "part", event->part + 1);
    json_put_int(data, "parts", event->parts);
    json_put_text(data, "step", live_part_step_name(event->step));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int number;
        memcpy(&number, (const char *)event + numbers[i].offset, sizeof number);
        if (number >= 0)
            json_put_int(data, numbers[i].name, number);
    }
    json_put_text(data, "port", event->port);
    json_put_text(data, "modem", event->imei);
    json_put_text(data, "sim", event->iccid);
    json_put_text(data, "reason", event->reason);
}

static void render_inbox(json_t *data, const char *tag, const struct live_event *event)
{
    json_put_id(data, "id", tag, 'i', event->message_id);
    json_put_text(data, "from", event->from);
    json_put_text(data, "text", event->text);
    json_put_text(data, "modem", event->imei);
    json_put_text(data, "sim", event->iccid);
}

static void render_modem(json_t *data, const char *tag, const struct live_event *event)
{
    (void)tag;
    json_put_text(data, "port", event->port);
    json_put_text(data, "modem", event->imei);
    json_put_text(data, "sim", event->iccid);
    json_put_text(data, "state", event->modem_state);
    json_put_text(data, "reason", event->reason);
}

static void render_alarm(json_t *data, const char *tag, const struct live_event *event)
{
    (void)tag;
    json_put_bool(data, "raised", event->raised);
    json_put_text(data, "reason", event->reason);
}

static const struct { const char *name; void (*render)(json_t *, const char *, const struct live_event *); } kinds[] = {
    [LIVE_MESSAGE] = { "message", render_message },
    [LIVE_PART] = { "part", render_part },
    [LIVE_INBOX] = { "inbox", render_inbox },
    [LIVE_MODEM] = { "modem", render_modem },
    [LIVE_ALARM] = { "alarm", render_alarm },
};

/* JSON without line ends in it is one "data" line. */
static char *record_render(const char *name, uint64_t id, bool has_id, json_t *data, size_t *ret_length)
{
    char *json = data ? json_dumps(data, JSON_COMPACT) : NULL;
    struct api_text text = { 0 };

    json_decref(data);
    if (!json)
        return NULL;
    if (has_id)
        api_text_print(&text, "id: %llu\n", (unsigned long long)id);
    api_text_print(&text, "event: %s\ndata: ", name);
    api_text_add(&text, json, strlen(json));
    api_text_add(&text, "\n\n", 2);
    free(json);
    if (text.failed)
        return NULL;
    *ret_length = text.length;
    return text.bytes;
}

char *api_event_render(const char *tag, uint64_t id, const struct live_event *event, size_t *ret_length)
{
    json_t *data = json_object();

    json_put_time(data, "at", event->at_ms);
    kinds[event->kind].render(data, tag, event);
    return record_render(kinds[event->kind].name, id, true, data, ret_length);
}

char *api_event_render_lost(uint64_t after, uint64_t oldest_id, size_t *ret_length)
{
    json_t *data = json_object();

    json_put_int(data, "after", (int64_t)after);
    json_put_int(data, "oldest", (int64_t)oldest_id);
    return record_render("lost", 0, false, data, ret_length);
}

/* The browser's own word for where it was is the header; ?after= is for a first connection. */
enum api_step api_events_open(struct api_exchange *exchange)
{
    static const char hello[] = ": cellpost events\nretry: 2000\n\n";
    struct api_response *response = exchange->response;
    const char *header = api_header(exchange, "Last-Event-ID");
    const char *wanted = header ? header : api_query(exchange, "after");
    uint64_t after = UINT64_MAX;

    if (wanted && *wanted) {
        size_t length = strlen(wanted);
        after = 0;
        if (length > 18 || strspn(wanted, "0123456789") != length) {
            api_problem(response, PROBLEM_BAD_PARAMETER, "parameter", header ? "Last-Event-ID" : "after", NULL,
                        "This must be the id of an event, a whole number");
            return API_DONE;
        }
        for (size_t i = 0; i < length; i++)
            after = after * 10 + (uint64_t)(wanted[i] - '0');
    }
    response->body = malloc(sizeof hello);
    if (!response->body) {
        api_problem_plain(response, PROBLEM_INTERNAL_ERROR, "Out of memory");
        return API_DONE;
    }
    memcpy(response->body, hello, sizeof hello);
    response->length = sizeof hello - 1;
    response->status = 200;
    response->content_type = "text/event-stream";
    response->stream = true;
    response->stream_after = after;
    response->stream_kinds = 1u << LIVE_MESSAGE | 1u << LIVE_PART | 1u << LIVE_MODEM | 1u << LIVE_ALARM;
    if (exchange->scopes & API_SCOPE_INBOX)   /* what came in is for who may read it */
        response->stream_kinds |= 1u << LIVE_INBOX;
    return API_DONE;
}
