/* SPDX-License-Identifier: Apache-2.0
 *
 * api_query.c - query parameters and pages. */
#include <stdio.h>
#include <string.h>

#include "src/api/api_internal.h"
#include "src/number/number.h"

const char *api_query(const struct api_exchange *exchange, const char *name)
{
    const struct api_request *request = exchange->request;
    return request->query ? request->query(request->context, name) : NULL;
}

const char *api_header(const struct api_exchange *exchange, const char *name)
{
    const struct api_request *request = exchange->request;
    return request->header ? request->header(request->context, name) : NULL;
}

static bool refuse_parameter(struct api_exchange *exchange, const char *name, const char *wanted)
{
    api_problem(exchange->response, PROBLEM_BAD_PARAMETER, "parameter", name, NULL, "\"%s\" must be %s", name, wanted);
    return false;
}

bool api_query_limit(struct api_exchange *exchange, uint32_t *ret_limit)
{
    const char *text = api_query(exchange, "limit");
    uint32_t limit = 0;

    if (!text)
        return true;
    for (size_t i = 0; text[i]; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 4)
            return refuse_parameter(exchange, "limit", "a whole number from 1 to 1000");
        limit = limit * 10 + (uint32_t)(text[i] - '0');
    }
    if (limit < 1 || limit > API_PAGE_MAX)
        return refuse_parameter(exchange, "limit", "a whole number from 1 to 1000");
    *ret_limit = limit;
    return true;
}

bool api_query_id(struct api_exchange *exchange, const char *name, char kind, int64_t *ret_id)
{
    const char *text = api_query(exchange, name);

    if (!text)
        return true;
    if (id_parse(exchange->api->tag, kind, text, ret_id) != 0 || *ret_id <= 0)
        return refuse_parameter(exchange, name, "an id of this gateway");
    return true;
}

bool api_query_time(struct api_exchange *exchange, const char *name, int64_t *ret_at_ms)
{
    const char *text = api_query(exchange, name);

    if (!text || api_time_parse_any(text, ret_at_ms) == 0)
        return true;
    return refuse_parameter(exchange, name, "a time as 2025-12-31T23:59:00Z or in Unix seconds");
}

const char *api_query_plus(const struct api_exchange *exchange, const char *name, char *ret_plus, size_t size)
{
    const char *text = api_query(exchange, name);

    if (!text || text[0] != ' ' || strlen(text) >= size)
        return text;
    (void)snprintf(ret_plus, size, "+%s", text + 1);
    return ret_plus;
}

bool api_query_number(struct api_exchange *exchange, const char *name, char ret_number[MESSAGE_TO_MAX], const char **ret_value)
{
    struct number_error error;
    struct number number;
    char plus[64];
    const char *text = api_query_plus(exchange, name, plus, sizeof plus);

    if (!text)
        return true;
    /* Written as people do, or as it stands in a message that was refused or is older than the country. */
    if (number_parse(text, exchange->api->config.country, &number, &error) == 0)
        memcpy(ret_number, number.text, sizeof number.text);
    else if (number_clean(text, ret_number, &error) != 0)
        return refuse_parameter(exchange, name, "a number");
    *ret_value = ret_number;
    return true;
}

/* -- pages ----------------------------------------------------------------------------------------------------- */

bool api_page_open(struct api_exchange *exchange, char kind, struct api_page *ret_page, int64_t *ret_before, int64_t *ret_after)
{
    struct api_page page = { .limit = API_PAGE_DEFAULT, .tag = exchange->api->tag, .kind = kind };

    if (!api_query_limit(exchange, &page.limit) || !api_query_id(exchange, "before", kind, ret_before) ||
        !api_query_id(exchange, "after", kind, ret_after))
        return false;
    if (*ret_before && *ret_after) {
        api_problem(exchange->response, PROBLEM_BAD_PARAMETER, "parameter", "after", NULL,
                    "\"before\" (newest first) and \"after\" (oldest first) exclude each other");
        return false;
    }
    page.rows = json_array();
    *ret_page = page;
    return true;
}

void api_page_add(struct api_page *page, int64_t id, json_t *row)
{
    if (json_array_size(page->rows) == page->limit) {
        page->more = true;
        json_decref(row);
        return;
    }
    page->last_id = id;
    json_array_append_new(page->rows, row);
}

void api_page_answer(struct api_exchange *exchange, struct api_page *page, const char *name, int read_result)
{
    json_t *body;

    if (read_result < 0) {
        json_decref(page->rows);
        api_problem_store(exchange->response, read_result);
        return;
    }
    body = json_object();
    json_object_set_new(body, name, page->rows);
    if (page->more)
        json_put_id(body, "next", page->tag, page->kind, page->last_id);
    else
        json_object_set_new(body, "next", json_null());
    api_answer_json(exchange->response, 200, body);
}
