/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_api.h - the API on a database of its own, and what must hold for what it would store and for what it answers. */
#ifndef CELLPOST_TESTS_FUZZ_API_H
#define CELLPOST_TESTS_FUZZ_API_H

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api.h"

#define FUZZ_NOW_MS INT64_C(1764547200000)   /* 2025-12-01T00:00:00Z */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* A new database in TMPDIR, filled with the given changes, which are freed. scripts/fuzz removes that folder. */
static inline struct api *fuzz_api_new(struct store_change *changes)
{
    struct api_config config = { .national = 0x3FFE, .downgrade = true, .report = true, .version = "fuzz" };
    const char *folder = getenv("TMPDIR");
    struct store_reader *reader = NULL;
    struct store *store = NULL;
    struct api *api = NULL;
    char path[512], error[256];

    (void)snprintf(path, sizeof path, "%s/cellpost-fuzz-XXXXXX", folder ? folder : "/tmp");
    if (!mkdtemp(path))
        abort();
    (void)snprintf(path + strlen(path), sizeof path - strlen(path), "/cellpost.db");
    if (store_open(path, NULL, "fuzz", &store, error, sizeof error) != 0 || (changes && store_apply(store, changes) != 0))
        abort();
    for (const struct store_change *change = changes; change; change = change->next)
        assert(change->result == 0);
    change_free_list(changes);
    store_close(store);
    if (store_reader_open(path, NULL, &reader) != 0 || api_new(&config, reader, &api) != 0)
        abort();
    return api;
}

static inline bool fuzz_route_answers(const struct api_route *route, int status)
{
    for (size_t i = 0; route->statuses[i]; i++)
        if (route->statuses[i] == status)
            return true;
    return false;
}

static inline void fuzz_check_accept(struct change_accept *accept)
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

/* JSON where it says so; a problem says its own status. */
static inline void fuzz_check_json(const struct api_response *response)
{
    json_t *json;

    if (!response->content_type || !strstr(response->content_type, "json"))
        return;
    json = json_loadb(response->body, response->length, JSON_REJECT_DUPLICATES, NULL);
    assert(json);
    if (strcmp(response->content_type, "application/problem+json") == 0) {
        assert(json_integer_value(json_object_get(json, "status")) == response->status);
        assert(json_is_string(json_object_get(json, "code")) && json_is_string(json_object_get(json, "title")));
    } else {
        assert(response->status < 400 || response->status == 503);   /* 503: of /healthz */
    }
    json_decref(json);
}

#endif
