/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of POST /v1/messages (first octet even) and POST /v1/keys (odd). Whatever comes, the answer is a status of the
 * route and JSON, and what would be stored keeps the bounds that the store relies on. Nothing is committed. */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct api *api_open(void)
{
    static struct api *api;
    struct api_config config = { .national = 0x3FFE, .downgrade = true, .report = true };
    struct store_reader *reader = NULL;
    struct store *store = NULL;
    char error[256];

    if (api)
        return api;
    if (store_open("/tmp/cellpost-fuzz-api.db", NULL, "fuzz", &store, error, sizeof error) != 0)
        abort();
    store_close(store);
    if (store_reader_open("/tmp/cellpost-fuzz-api.db", NULL, &reader) != 0 || api_new(&config, reader, &api) != 0)
        abort();
    return api;
}

static bool route_answers(const char *pattern, int status)
{
    size_t count;
    const struct api_route *routes = api_routes(&count);

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; strcmp(routes[i].method, "POST") == 0 && strcmp(routes[i].pattern, pattern) == 0 && routes[i].statuses[k]; k++)
            if (routes[i].statuses[k] == status)
                return true;
    return false;
}

static void check_messages(struct change_accept *accept)
{
    assert(accept->count > 0 && accept->count <= API_RECIPIENTS_MAX);
    for (uint32_t i = 0; i < accept->count; i++) {
        struct accept_message *message = &accept->messages[i];
        uint32_t sum = 0;
        assert(memchr(message->to, '\0', sizeof message->to));
        assert(message->text_length <= MESSAGE_TEXT_BYTES_MAX && strlen(message->text) == message->text_length);
        assert(message->priority <= MESSAGE_PRIORITY_MAX && message->message_class >= -1 && message->message_class <= 3);
        assert(message->policy == MESSAGE_AT_MOST_ONCE || message->policy == MESSAGE_AT_LEAST_ONCE);
        assert(message->expire_ms > (message->due_ms ? message->due_ms : 1));
        assert(!message->client_ref || strlen(message->client_ref) <= MESSAGE_CLIENT_REF_MAX);
        assert((message->reason[0] == '\0') == (message->reason_code[0] == '\0'));
        for (uint16_t k = 0; message->coding.cuts && k < message->coding.parts; k++)
            sum += message->coding.cuts[k];
        if (message->reason[0] == '\0') {
            assert(message->text_length > 0 && message->coding.parts >= 1 && message->coding.parts <= 10);
            assert(message->to[0] == '+' || (message->to[0] >= '0' && message->to[0] <= '9'));
            assert((message->coding.cuts != NULL) == (message->coding.parts > 1));
            assert(!message->coding.cuts || sum == message->text_length);
        }
        message->id = i + 1;
        message->state = message->reason[0] ? MESSAGE_REJECTED : MESSAGE_QUEUED;
    }
    accept->batch_id = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct api *api = api_open();
    const char *path = length > 0 && bytes[0] & 1 ? "/v1/keys" : "/v1/messages";
    struct api_request request = { .method = "POST", .path = path, .peer = "uid:0", .now_ms = 1764547200000,
                                   .body = length > 0 ? (const char *)bytes + 1 : "", .body_length = length > 0 ? length - 1 : 0 };
    struct api_response response;
    struct api_call call;

    if (api_handle(api, &request, &call, &response) == API_WAIT_CHANGE) {
        if (call.change->kind == CHANGE_ACCEPT)
            check_messages(&call.change->u.accept);
        api_resume(api, &call, &response);
    }
    api_call_done(&call);
    assert(route_answers(path, response.status));
    json_t *json = json_loadb(response.body, response.length, JSON_REJECT_DUPLICATES, NULL);
    assert(json);
    json_decref(json);
    free(response.body);
    return 0;
}
