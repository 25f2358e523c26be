/* SPDX-License-Identifier: Apache-2.0
 *
 * page.h - lists of the API that come in pages: as many as were asked for, joined into one answer. */
#ifndef CELLPOST_CLI_PAGE_H
#define CELLPOST_CLI_PAGE_H

#include "firmware/cellpost/cli.h"

#define PAGE_ROWS_MAX 100000
#define PAGE_FILTERS_MAX 8

struct page_query {
    const char *path, *name;        /* "/v1/messages", and the array's name in the answer */
    const char *before, *after;     /* an id: older ones, newest first; newer ones, oldest first. NULL none */
    bool forward;                   /* its pages go on with "after", also from the first one */
    int64_t limit;                  /* 1..PAGE_ROWS_MAX */
    struct { const char *name, *value; } filters[PAGE_FILTERS_MAX];
    size_t filter_count;
};
/* Strings are borrowed. A filter given twice counts as given last. */
void page_filter(struct page_query *query, const char *name, const char *value);

/* CLI_OK and {"messages": [...], "next": id or null}, the caller's; or the exit status after the reason was printed. */
int page_read(struct cli *cli, const struct page_query *query, json_t **ret_page);

#endif
