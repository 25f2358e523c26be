/* SPDX-License-Identifier: Apache-2.0
 *
 * api_inbox.c - what came in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"
#include "src/base/hex.h"

static json_t *inbox_render(const struct inbox_row *row, const char *tag, bool whole)
{
    json_t *item = json_object(), *port;

    json_put_id(item, "id", tag, 'i', row->id);
    json_object_set_new(item, "from", json_string(""));
    json_put_text(item, "from", row->from);
    if (row->text) {
        json_object_set_new(item, "text", json_string(""));   /* an empty message is a message */
        json_put_text(item, "text", row->text);
    }
    if (row->data) {
        char *hex = malloc(2 * row->data_length + 1);
        if (hex)
            hex_encode(row->data, row->data_length, hex);
        json_object_set_new(item, "data_hex", hex ? json_string(hex) : NULL);
        free(hex);
    }
    json_put_time(item, "received_at", row->received_ms);
    json_put_time(item, "sent_at", row->scts_ms);
    if (row->scts_ms)
        json_put_int(item, "tz_minutes", row->tz_quarters * 15);   /* TP-SCTS's zone: 3GPP TS 23.040 9.2.3.11 */
    json_put_text(item, "sim", row->iccid);
    json_put_text(item, "modem", row->imei);
    json_put_encoding(item, row->alphabet, 0, 0);
    if (row->message_class >= 0)
        json_put_int(item, "class", row->message_class);
    json_put_int(item, "parts", row->parts);
    if (row->port_bits) {
        port = json_object();
        json_put_int(port, "to", row->port_dst);
        json_put_int(port, "from", row->port_src);
        json_object_set_new(item, "port", port);
    }
    json_put_text(item, "problem", row->problem);
    if (whole)
        json_put_text(item, "pdu", row->pdu_hex);
    return item;
}

static void list_add(void *context, const struct inbox_row *row)
{
    struct api_page *page = context;
    api_page_add(page, row->id, inbox_render(row, page->tag, false));
}

enum api_step api_inbox_list(struct api_exchange *exchange)
{
    struct inbox_filter filter = { .from = api_query(exchange, "from") };
    char from[64];
    struct api_page page;
    int r;

    if (filter.from && filter.from[0] == ' ' && strlen(filter.from) < sizeof from) {   /* an unencoded '+' */
        (void)snprintf(from, sizeof from, "+%s", filter.from + 1);
        filter.from = from;
    }
    if (!api_query_time(exchange, "since", &filter.since_ms) ||
        !api_page_open(exchange, 'i', &page, &filter.before_id, &filter.after_id))
        return API_DONE;
    filter.oldest_first = filter.after_id != 0;
    filter.limit = page.limit + 1;
    r = store_read_inbox(exchange->api->reader, &filter, list_add, &page);
    api_page_answer(exchange, &page, "messages", r);
    return API_DONE;
}

enum api_step api_inbox_show(struct api_exchange *exchange)
{
    struct inbox_row row;
    int64_t id;
    int r = id_parse(exchange->api->tag, 'i', exchange->argument, &id);

    if (r == 0)
        r = store_read_inbox_one(exchange->api->reader, id, &row);
    if (r == 0)
        api_answer_json(exchange->response, 200, inbox_render(&row, exchange->api->tag, true));
    else if (r == -ENOENT || r == -EINVAL)
        api_problem_plain(exchange->response, PROBLEM_NO_SUCH_MESSAGE, "There is no message \"%s\" in the inbox", exchange->argument);
    else
        api_problem_store(exchange->response, r);
    return API_DONE;
}
