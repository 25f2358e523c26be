/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of POST /v1/messages (first octet even) and POST /v1/keys (odd). Whatever comes, the answer is a status of the
 * route and JSON, and what would be stored keeps the bounds that the store relies on. Nothing is committed. */
#include "tests/fuzz/api/fuzz_api.h"

static const struct api_route *post_route(const char *pattern)
{
    size_t count;
    const struct api_route *routes = api_routes(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].method, "POST") == 0 && strcmp(routes[i].pattern, pattern) == 0)
            return &routes[i];
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct api *api;
    const char *path = length > 0 && bytes[0] & 1 ? "/v1/keys" : "/v1/messages";
    struct api_request request = { .method = "POST", .path = path, .peer = "uid:0", .now_ms = FUZZ_NOW_MS,
                                   .body = length > 0 ? (const char *)bytes + 1 : "", .body_length = length > 0 ? length - 1 : 0 };
    struct api_response response;
    struct api_call call;

    if (!api)
        api = fuzz_api_new(NULL);
    if (api_handle(api, &request, &call, &response) == API_WAIT_CHANGE) {
        if (call.change->kind == CHANGE_ACCEPT)
            fuzz_check_accept(&call.change->u.accept);
        api_resume(api, &call, &response);
    }
    api_call_done(&call);
    assert(fuzz_route_answers(post_route(path), response.status));
    assert(response.content_type && strstr(response.content_type, "json"));
    fuzz_check_json(&response);
    free(response.body);
    return 0;
}
