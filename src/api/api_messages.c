/* SPDX-License-Identifier: Apache-2.0
 *
 * api_messages.c - messages as one reads them: one with its parts and history, and lists. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"
#include "src/gateway/error_class.h"
#include "src/store/fold.h"
#include "src/store/tp_status.h"

static json_t *message_render(const struct message_row *row, const char *tag)
{
    json_t *item = json_object();

    json_put_id(item, "id", tag, 'm', row->id);
    json_put_id(item, "batch", tag, 'b', row->batch_id);
    json_object_set_new(item, "to", json_string(row->to));
    json_object_set_new(item, "text", json_string(row->text));
    json_put_text(item, "state", message_state_name(row->state));
    json_put_time(item, "state_at", row->state_ms);
    json_put_text(item, "reason", row->reason);
    json_put_int(item, "parts", row->parts);
    json_put_encoding(item, row->alphabet, row->locking, row->single);
    json_put_int(item, "priority", row->priority);
    if (row->message_class >= 0)
        json_put_int(item, "class", row->message_class);
    json_put_bool(item, "report", row->report);
    json_put_text(item, "policy", message_policy_name(row->policy));
    json_put_text(item, "client_ref", row->client_ref);
    json_put_text(item, "actor", row->actor);
    json_put_time(item, "accepted_at", row->accepted_ms);
    json_put_time(item, "schedule_at", row->due_ms);
    json_put_time(item, "expires_at", row->expire_ms);
    return item;
}

/* -- one message ----------------------------------------------------------------------------------------------- */

/* Attempts come in order of part, then time; standing and released are of the part that the last one was about. */
struct parts_context {
    json_t *parts;
    enum message_state message_state;
    char currency[4];
    int part;                            /* -1 none yet */
    enum part_standing standing;
    bool released;
};

static const enum message_state standing_states[] = {
    [PART_OPEN] = MESSAGE_SENDING,
    [PART_SENT] = MESSAGE_SENT,
    [PART_DELIVERED] = MESSAGE_DELIVERED,
    [PART_UNDELIVERED] = MESSAGE_UNDELIVERED,
    [PART_EXPIRED] = MESSAGE_EXPIRED,
    [PART_REJECTED] = MESSAGE_REJECTED,
};

/* A part of which no attempt stands waits; or shares the fate of its message. released: it may have been sent once. */
static enum message_state part_left_state(enum message_state message_state, bool released)
{
    switch (message_state) {
    case MESSAGE_SCHEDULED:
        return message_state;
    case MESSAGE_EXPIRED: case MESSAGE_REJECTED: case MESSAGE_FAILED: case MESSAGE_CANCELLED: case MESSAGE_UNKNOWN:
        if (released)
            return MESSAGE_UNKNOWN;
        /* The message ended because another part of it was in doubt; of this one it is certain that it never went. */
        return message_state == MESSAGE_UNKNOWN ? MESSAGE_CANCELLED : message_state;
    default:
        return MESSAGE_QUEUED;
    }
}

static const char *part_state_name(const struct parts_context *parts)
{
    switch (parts->standing) {
    case PART_LEFT:
        return message_state_name(part_left_state(parts->message_state, parts->released));
    case PART_UNKNOWN:
        return message_state_name(parts->message_state == MESSAGE_HELD ? MESSAGE_HELD : MESSAGE_UNKNOWN);
    default:
        return message_state_name(standing_states[parts->standing]);
    }
}

/* "" where the state says it all. */
static const char *attempt_reason(const struct attempt_row *row)
{
    if (row->report_status >= 0)
        return tp_status_find((uint8_t)row->report_status)->words;
    if (row->state == ATTEMPT_RELEASED)
        return "it may have been sent; it may be sent once more";
    if (row->state == ATTEMPT_REFUSED)
        return error_classify((enum error_kind)row->error_kind, row->code)->text;
    return "";
}

/* True where the attempt speaks for its part: none before stands better. A late answer to the first of two does. */
static bool attempt_decides(struct parts_context *parts, const struct attempt_row *row)
{
    enum part_standing standing = part_standing_of(row->state, row->report_status);

    if (row->part != parts->part) {
        parts->part = row->part;
        parts->standing = PART_LEFT;
        parts->released = false;
    }
    parts->released = parts->released || row->state == ATTEMPT_RELEASED;
    parts->standing = part_standing_best(parts->standing, standing);
    return parts->standing == standing;
}

static void attempt_render(void *context, const struct attempt_row *row)
{
    struct parts_context *parts = context;
    json_t *part = json_array_get(parts->parts, row->part), *attempt, *report, *choice;

    if (!part)
        return;
    attempt = json_object();
    json_put_text(attempt, "state", attempt_state_name(row->state));
    json_put_text(attempt, "modem", row->imei);
    json_put_text(attempt, "model", row->model);
    json_put_text(attempt, "sim", row->iccid);
    if (row->mr >= 0)
        json_put_int(attempt, "mr", row->mr);
    if (row->state == ATTEMPT_REFUSED) {
        json_put_text(attempt, "error", row->error_kind == ERROR_CMS ? "cms" : row->error_kind == ERROR_CME ? "cme" : "none");
        if (row->code >= 0)
            json_put_int(attempt, "error_code", row->code);
    }
    json_put_text(attempt, "reason", attempt_reason(row));
    json_put_time(attempt, "began_at", row->intent_ms);
    json_put_time(attempt, "ended_at", row->done_ms);
    json_put_money(attempt, "price", row->price_micro, parts->currency);
    choice = row->choice[0] != '\0' ? json_loads(row->choice, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(choice))
        json_object_set(attempt, "choice", choice);
    json_decref(choice);
    if (row->report_status >= 0) {
        report = json_object();
        json_put_int(report, "status", row->report_status);
        json_put_time(report, "at", row->report_ms);
        json_object_set_new(attempt, "report", report);
    }

    json_array_append_new(json_object_get(part, "attempt_log"), attempt);
    json_put_int(part, "attempts", (int64_t)json_array_size(json_object_get(part, "attempt_log")));
    if (!attempt_decides(parts, row))
        return;
    json_put_text(part, "state", part_state_name(parts));
    json_put_text(part, "modem", row->imei);
    json_put_text(part, "sim", row->iccid);
    json_object_del(part, "reason");   /* of an attempt before */
    json_put_text(part, "reason", attempt_reason(row));
    json_object_set_new(part, "mr", row->mr >= 0 ? json_integer(row->mr) : json_null());
}

static json_t *parts_begin(uint16_t count, enum message_state message_state)
{
    json_t *parts = json_array();

    for (uint16_t i = 0; i < count; i++) {
        json_t *part = json_object();
        json_put_int(part, "part", i + 1);
        json_put_text(part, "state", message_state_name(part_left_state(message_state, false)));
        json_object_set_new(part, "modem", json_null());
        json_object_set_new(part, "sim", json_null());
        json_object_set_new(part, "mr", json_null());
        json_put_int(part, "attempts", 0);
        json_object_set_new(part, "attempt_log", json_array());
        json_array_append_new(parts, part);
    }
    return parts;
}

static void history_render(void *context, const struct history_row *row)
{
    json_t *item = json_object();

    json_put_time(item, "time", row->at_ms);
    json_put_text(item, "state", message_state_name(row->state));
    json_object_set_new(item, "reason", json_string(""));
    json_put_text(item, "reason", row->reason);
    json_array_append_new(context, item);
}

bool api_message_id(struct api_exchange *exchange, int64_t *ret_id)
{
    if (id_parse(exchange->api->tag, 'm', exchange->argument, ret_id) == 0 && *ret_id > 0)
        return true;
    api_problem_plain(exchange->response, PROBLEM_NO_SUCH_MESSAGE, "There is no message \"%s\"", exchange->argument);
    return false;
}

enum api_step api_messages_show(struct api_exchange *exchange)
{
    struct store_reader *reader = exchange->api->reader;
    const struct api_config *config = &exchange->api->config;
    struct parts_context parts = { .part = -1 };
    struct message_row row;
    json_t *item, *history;
    int64_t id;
    int r;

    if (!api_message_id(exchange, &id))
        return API_DONE;
    if (config->currency)
        config->currency(config->context, parts.currency);
    r = store_read_message(reader, id, &row);
    if (r < 0) {
        if (r == -ENOENT)
            api_problem_plain(exchange->response, PROBLEM_NO_SUCH_MESSAGE, "There is no message \"%s\"", exchange->argument);
        else
            api_problem_store(exchange->response, r);
        return API_DONE;
    }
    item = message_render(&row, exchange->api->tag);
    parts.message_state = row.state;
    parts.parts = parts_begin(row.parts, row.state);
    history = json_array();
    json_object_set_new(item, "parts", parts.parts);
    json_object_set_new(item, "history", history);
    r = store_read_attempts(reader, id, attempt_render, &parts);
    if (r == 0)
        r = store_read_history(reader, id, history_render, history);
    if (r < 0) {
        json_decref(item);
        api_problem_store(exchange->response, r);
        return API_DONE;
    }
    api_answer_json(exchange->response, 200, item);
    return API_DONE;
}

/* -- lists ----------------------------------------------------------------------------------------------------- */

static void list_add(void *context, const struct message_row *row)
{
    struct api_page *page = context;
    api_page_add(page, row->id, message_render(row, page->tag));
}

static bool filter_state(struct api_exchange *exchange, int *ret_state)
{
    const char *name = api_query(exchange, "state");
    int state = name ? message_state_from_name(name) : 0;

    if (state < 0) {
        struct api_text known = { 0 };
        for (int i = MESSAGE_SCHEDULED; i <= MESSAGE_STATE_LAST; i++)
            api_text_print(&known, " %s", message_state_name((enum message_state)i));
        api_problem(exchange->response, PROBLEM_BAD_PARAMETER, "parameter", "state", NULL, "\"state\" is one of%s",
                    known.bytes ? known.bytes : "");
        free(known.bytes);
        return false;
    }
    *ret_state = state;
    return true;
}

enum api_step api_messages_list(struct api_exchange *exchange)
{
    struct message_filter filter = { .client_ref = api_query(exchange, "client_ref") };
    char number[MESSAGE_TO_MAX];
    struct api_page page;
    int r;

    if (!filter_state(exchange, &filter.state) || !api_query_number(exchange, "to", number, &filter.to) ||
        !api_query_id(exchange, "batch", 'b', &filter.batch_id) || !api_query_time(exchange, "since", &filter.since_ms) ||
        !api_query_time(exchange, "until", &filter.until_ms) ||
        !api_page_open(exchange, 'm', &page, &filter.before_id, &filter.after_id))
        return API_DONE;
    filter.oldest_first = filter.after_id != 0;
    filter.limit = page.limit + 1;
    r = store_read_messages(exchange->api->reader, &filter, list_add, &page);
    api_page_answer(exchange, &page, "messages", r);
    return API_DONE;
}
