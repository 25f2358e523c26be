/* SPDX-License-Identifier: Apache-2.0
 *
 * api_opt_outs.c - the numbers that want no more messages: listed, looked up, put on the list and taken off by hand. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/api/api_internal.h"
#include "src/number/number.h"

static json_t *opt_out_render(const struct opt_out_row *row)
{
    json_t *item = json_object();

    json_put_text(item, "number", row->number);
    json_put_time(item, "opted_out_at", row->at_ms);
    json_put_text(item, "source", row->source);
    json_put_text(item, "word", row->word);
    json_put_text(item, "sim", row->iccid);
    json_put_time(item, "confirmed_at", row->confirmed_ms);
    return item;
}

/* -- list ------------------------------------------------------------------------------------------------------ */

struct list { json_t *rows; uint32_t limit; bool more; char last[MESSAGE_TO_MAX]; };

static void list_add(void *context, const struct opt_out_row *row)
{
    struct list *list = context;

    if (json_array_size(list->rows) == list->limit) {
        list->more = true;
        return;
    }
    (void)snprintf(list->last, sizeof list->last, "%s", row->number);
    json_array_append_new(list->rows, opt_out_render(row));
}

enum api_step api_opt_outs_list(struct api_exchange *exchange)
{
    struct list list = { .limit = API_PAGE_DEFAULT };
    char number[MESSAGE_TO_MAX];
    const char *after = NULL;
    json_t *body;
    int r;

    if (!api_query_limit(exchange, &list.limit) || !api_query_number(exchange, "after", number, &after))
        return API_DONE;
    list.rows = json_array();
    r = store_read_opt_outs(exchange->api->reader, after, list.limit + 1, list_add, &list);
    if (r < 0) {
        json_decref(list.rows);
        api_problem_store(exchange->response, r);
        return API_DONE;
    }
    body = json_object();
    json_object_set_new(body, "opt_outs", list.rows);
    json_object_set_new(body, "next", list.more ? json_string(list.last) : json_null());
    api_answer_json(exchange->response, 200, body);
    return API_DONE;
}

/* -- one number ------------------------------------------------------------------------------------------------- */

static void refuse_unlisted(struct api_response *ret_response, const char *number)
{
    api_problem_plain(ret_response, PROBLEM_NO_SUCH_OPT_OUT, "\"%s\" is not on the opt-out list", number);
}

/* As it is kept, E.164 with '+'. False: it can be none of those; *ret_error says why. */
static bool number_take(const struct api_exchange *exchange, char ret_number[MESSAGE_TO_MAX], struct number_error *ret_error)
{
    struct number number;

    if (number_parse(exchange->argument, exchange->api->config.country, &number, ret_error) != 0)
        return false;
    memcpy(ret_number, number.text, sizeof number.text);
    if (number.text[0] == '+')
        return true;
    *ret_error = (struct number_error){ .reason = NUMBER_TOO_FEW_DIGITS, .text = "a short code cannot opt out" };
    return false;
}

static void show_one(void *context, const struct opt_out_row *row)
{
    *(json_t **)context = opt_out_render(row);
}

enum api_step api_opt_outs_show(struct api_exchange *exchange)
{
    char number[MESSAGE_TO_MAX];
    struct number_error error;
    json_t *body = NULL;
    int r = -ENOENT;

    if (number_take(exchange, number, &error))
        r = store_read_opt_out(exchange->api->reader, number, show_one, &body);
    if (r == 0) {
        api_answer_json(exchange->response, 200, body);
        return API_DONE;
    }
    json_decref(body);
    if (r == -ENOENT)
        refuse_unlisted(exchange->response, exchange->argument);
    else
        api_problem_store(exchange->response, r);
    return API_DONE;
}

static enum api_step change_one(struct api_exchange *exchange, enum change_kind kind, const char *number,
                                void (*finish)(struct api *, struct api_call *, struct api_response *))
{
    struct store_change *change = exchange->call->change = change_new(kind, exchange->request->now_ms);

    if (!change) {
        api_problem_store(exchange->response, -ENOMEM);
        return API_DONE;
    }
    (void)snprintf(change->u.opt_out.number, sizeof change->u.opt_out.number, "%s", number);
    (void)snprintf(change->u.opt_out.source, sizeof change->u.opt_out.source, "%s", exchange->actor);
    return api_wait(exchange, finish) ? API_WAIT_CHANGE : API_DONE;
}

static void add_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct change_opt_out *opt_out = &call->change->u.opt_out;
    struct opt_out_row row = { .number = opt_out->number, .source = opt_out->source, .word = opt_out->word, .at_ms = opt_out->at_ms };

    (void)api;
    if (call->change->result < 0)
        api_problem_store(ret_response, call->change->result);
    else
        api_answer_json(ret_response, opt_out->changed ? 201 : 200, opt_out_render(&row));
}

enum api_step api_opt_outs_add(struct api_exchange *exchange)
{
    char number[MESSAGE_TO_MAX];
    struct number_error error;

    if (number_take(exchange, number, &error))
        return change_one(exchange, CHANGE_OPT_OUT_ADD, number, add_finish);
    if (error.reason == NUMBER_NO_MEMORY)
        api_problem_store(exchange->response, -ENOMEM);
    else
        api_problem_plain(exchange->response, PROBLEM_BAD_NUMBER, "\"%s\" cannot be listed: %s", exchange->argument, error.text);
    return API_DONE;
}

static void remove_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    (void)api;
    if (call->change->result == -ENOENT)
        refuse_unlisted(ret_response, call->change->u.opt_out.number);
    else if (call->change->result < 0)
        api_problem_store(ret_response, call->change->result);
    else
        ret_response->status = 204;
}

enum api_step api_opt_outs_remove(struct api_exchange *exchange)
{
    char number[MESSAGE_TO_MAX];
    struct number_error error;

    if (number_take(exchange, number, &error))
        return change_one(exchange, CHANGE_OPT_OUT_REMOVE, number, remove_finish);
    refuse_unlisted(exchange->response, exchange->argument);
    return API_DONE;
}
