/* SPDX-License-Identifier: Apache-2.0
 *
 * api_tariffs.c - the versions of tariffs and routes that were in force. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"

/* files is JSON that we made. */
static json_t *version_render(const struct version_row *row)
{
    json_t *item = json_object(), *files = json_loads(row->files, 0, NULL);

    json_object_set_new(item, "id", json_integer(row->id));
    json_put_time(item, "loaded_at", row->loaded_ms);
    json_put_text(item, "sha256", row->sha256);
    json_object_set_new(item, "files", files ? files : json_array());
    return item;
}

static void version_add(void *context, const struct version_row *row)
{
    json_array_append_new(context, version_render(row));
}

enum api_step api_tariffs_list(struct api_exchange *exchange)
{
    json_t *body = json_object(), *list = json_array();
    int r = store_read_versions(exchange->api->reader, version_add, list);

    json_object_set_new(body, "versions", list);
    if (r < 0) {
        json_decref(body);
        api_problem_store(exchange->response, r);
    } else {
        api_answer_json(exchange->response, 200, body);
    }
    return API_DONE;
}

static void version_keep(void *context, const struct version_row *row)
{
    *(json_t **)context = version_render(row);
}

enum api_step api_tariffs_show(struct api_exchange *exchange)
{
    const char *text = exchange->argument;
    size_t length = strlen(text);
    json_t *item = NULL;
    int r = -ENOENT;

    if (length > 0 && length < 18 && strspn(text, "0123456789") == length)
        r = store_read_version(exchange->api->reader, strtoll(text, NULL, 10), version_keep, &item);
    if (r == 0)
        api_answer_json(exchange->response, 200, item);
    else if (r == -ENOENT)
        api_problem_plain(exchange->response, PROBLEM_NO_SUCH_VERSION, "There is no version \"%s\" of the tariffs", text);
    else
        api_problem_store(exchange->response, r);
    if (r != 0)
        json_decref(item);
    return API_DONE;
}
