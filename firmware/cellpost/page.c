/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/page.h"

#include "firmware/cellpost/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SERVER_PAGE_MAX 1000

void page_filter(struct page_query *query, const char *name, const char *value)
{
    size_t i = 0;

    while (i < query->filter_count && strcmp(query->filters[i].name, name) != 0)
        i++;
    assert(i < PAGE_FILTERS_MAX);
    query->filters[i].name = name;
    query->filters[i].value = value;
    if (i == query->filter_count)
        query->filter_count++;
}

int page_read(struct cli *cli, const struct page_query *query, json_t **ret_page)
{
    json_t *page = NULL;
    char next[64] = "";
    int64_t left = query->limit;
    bool forward = query->forward || query->after != NULL;

    do {
        struct client_target target;
        struct client_answer answer;
        char limit[24];

        (void)snprintf(limit, sizeof limit, "%lld", (long long)(left < SERVER_PAGE_MAX ? left : SERVER_PAGE_MAX));
        client_target_begin(&target, query->path);
        client_target_query(&target, "limit", limit);
        client_target_query(&target, "before", !forward && next[0] != '\0' ? next : query->before);
        client_target_query(&target, "after", forward && next[0] != '\0' ? next : query->after);
        for (size_t i = 0; i < query->filter_count; i++)
            client_target_query(&target, query->filters[i].name, query->filters[i].value);

        int status = cli_get(cli, &target, &answer);
        if (status != CLI_OK) {
            json_decref(page);
            return status;
        }
        size_t rows = json_array_size(json_object_get(answer.json, query->name));
        left -= (int64_t)rows;
        (void)snprintf(next, sizeof next, "%s", json_text_of(answer.json, "next"));
        if (page == NULL) {
            page = json_incref(answer.json);
        } else {
            (void)json_array_extend(json_object_get(page, query->name), json_object_get(answer.json, query->name));
            (void)json_object_set(page, "next", json_object_get(answer.json, "next"));
        }
        client_answer_done(&answer);
        if (rows == 0)
            break;
    } while (left > 0 && next[0] != '\0');
    *ret_page = page;
    return CLI_OK;
}
