/* SPDX-License-Identifier: Apache-2.0
 *
 * api_send.c - POST /v1/messages: a batch into one change that accepts it, and its commit into the 202. */
#include "src/api/api_send.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDEMPOTENCY_KEY_MAX 255

static bool idempotency_key_is_good(struct api_exchange *exchange, const char *key)
{
    size_t length = key ? strlen(key) : 0;

    if (!key)
        return true;
    for (size_t i = 0; i < length; i++)
        if (key[i] < 0x21 || key[i] > 0x7e)
            length = 0;
    if (length == 0 || length > IDEMPOTENCY_KEY_MAX) {
        api_problem_plain(exchange->response, PROBLEM_BAD_IDEMPOTENCY_KEY, "Idempotency-Key must be 1 to 255 visible ASCII characters");
        return false;
    }
    return true;
}

static void send_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct api_pending *pending = call->state;
    const struct change_accept *accept = &call->change->u.accept;
    json_t *body, *list;

    if (call->change->result == -EEXIST) {
        api_problem_plain(ret_response, PROBLEM_IDEMPOTENCY_MISMATCH, "This Idempotency-Key was used for another request");
        return;
    }
    if (call->change->result == -EPERM) {
        api_problem(ret_response, PROBLEM_OPTED_OUT, "pointer", pending->pointer, NULL, "\"%s\" is on the opt-out list",
                    accept->messages[0].to);
        return;
    }
    if (call->change->result == -EDQUOT) {
        api_problem_credit(ret_response, accept);
        return;
    }
    if (call->change->result == -EDOM) {
        api_problem(ret_response, PROBLEM_NO_PRICE, "pointer", pending->pointer, NULL,
                    "The account has no price for \"%s\", or refuses it: nothing is sent there", accept->messages[0].to);
        return;
    }
    if (call->change->result < 0) {
        api_problem_store(ret_response, call->change->result);
        return;
    }

    body = json_object();
    list = json_array();
    json_put_id(body, "batch", api->tag, 'b', accept->batch_id);
    for (uint32_t i = 0; i < accept->count; i++) {
        const struct accept_message *message = &accept->messages[i];
        json_t *item = json_object();
        json_put_id(item, "id", api->tag, 'm', message->id);
        json_object_set_new(item, "to", json_string(message->to));
        if (message->reason[0] == '\0') {
            json_put_int(item, "parts", message->coding.parts);
            json_put_encoding(item, message->coding.alphabet, message->coding.locking, message->coding.single);
        } else {
            json_t *error = json_object();
            json_put_text(error, "code", message->reason_code);
            json_put_text(error, "detail", message->reason);
            json_object_set_new(item, "error", error);
        }
        json_put_text(item, "state", message_state_name(message->state));
        json_array_append_new(list, item);
    }
    json_object_set_new(body, "messages", list);
    if (accept->credit_verdict != LEDGER_DONE && !accept->replayed) {
        json_t *credit = json_object();
        json_put_int(credit, "needed_micro", accept->credit.needed_micro);
        json_put_int(credit, "available_micro", accept->credit.available_micro);
        json_put_int(credit, "fit", (int64_t)accept->credit.fit);
        json_put_text(credit, "why", ledger_verdict_name(accept->credit_verdict));
        json_object_set_new(body, "waits_for_credit", credit);
    }
    api_answer_json(ret_response, 202, body);
    if (ret_response->status != 202)
        return;
    ret_response->replayed = accept->replayed;
    if (pending->single) {
        char id[ID_TEXT_MAX];
        id_format(api->tag, 'm', accept->messages[0].id, id);
        (void)snprintf(ret_response->location, sizeof ret_response->location, "/v1/messages/%s", id);
    } else {
        char id[ID_TEXT_MAX];
        id_format(api->tag, 'b', accept->batch_id, id);
        (void)snprintf(ret_response->location, sizeof ret_response->location, "/v1/messages?batch=%s", id);
    }
}

/* The batch becomes a change; on success it is empty, its messages are the change's. */
static int batch_to_change(struct send_batch *batch, const char *idempotency_key, struct store_change **ret_change)
{
    const struct api_exchange *exchange = batch->exchange;
    const struct api_request *request = exchange->request;
    const struct api_piece pieces[] = {
        { request->method, strlen(request->method) + 1 },   /* with the NUL: no two requests run together into one */
        { request->path, strlen(request->path) + 1 },
        { request->body, request->body_length },
    };
    struct store_change *change = change_new(CHANGE_ACCEPT, request->now_ms);
    struct change_accept *accept;
    int r = -ENOMEM;

    if (!change)
        return -ENOMEM;
    accept = &change->u.accept;
    (void)snprintf(accept->actor, sizeof accept->actor, "%s", exchange->actor);
    if (idempotency_key && !(accept->idempotency_key = send_copy_text(idempotency_key, strlen(idempotency_key))))
        goto out;
    r = api_hash(pieces, sizeof pieces / sizeof pieces[0], accept->request_hash);
    if (r < 0)
        goto out;
    accept->messages = batch->messages;
    accept->count = batch->count;
    accept->wait_for_credit = batch->wait_for_credit;
    batch->messages = NULL;
    batch->count = 0;
    *ret_change = change;
out:
    if (r < 0)
        change_free(change);
    return r;
}

enum api_step api_messages_send(struct api_exchange *exchange)
{
    const struct api_config *config = &exchange->api->config;
    const char *key = api_header(exchange, "Idempotency-Key"), *why = NULL;
    struct send_batch batch = { .exchange = exchange };
    struct api_pending *pending;
    enum api_step step = API_DONE;
    json_t *body;
    bool single;
    int r;

    if (!idempotency_key_is_good(exchange, key))
        return API_DONE;
    if (config->accepting && !config->accepting(config->context, &why)) {
        int error = config->intake_error ? config->intake_error(config->context) : -EIO;
        api_problem_plain(exchange->response, error == -ENOSPC ? PROBLEM_STORAGE_FULL : PROBLEM_STORAGE_ERROR,
                          "No new messages are taken: %s", why ? why : "nothing can be stored now");
        return API_DONE;
    }
    body = api_body_object(exchange);
    if (!body)
        return API_DONE;
    if (!send_batch_read(&batch, body))
        goto out;

    single = batch.count == 1;
    r = batch_to_change(&batch, key, &exchange->call->change);
    if (r < 0) {
        api_problem_store(exchange->response, r);
        goto out;
    }
    pending = api_wait(exchange, send_finish);
    if (pending) {
        pending->single = single;
        memcpy(pending->pointer, batch.last_pointer, sizeof pending->pointer);
        step = API_WAIT_CHANGE;
    }
out:
    send_batch_done(&batch);
    json_decref(body);
    return step;
}
