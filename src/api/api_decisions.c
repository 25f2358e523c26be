/* SPDX-License-Identifier: Apache-2.0
 *
 * api_decisions.c - what the owner of a message decides about it: cancel, release, drop. Each is a change of the store and
 * answers with the state it led to; they differ in what can stand in the way. */
#include <errno.h>

#include "src/api/api_internal.h"

/* Why a message is not for this decision. The detail follows "It is STATE: ". */
static const struct { enum change_kind kind; int result; enum api_problem_code code; const char *detail; } refusals[] = {
    { CHANGE_CANCEL, -EBUSY, PROBLEM_ALREADY_HANDED_OVER,
      "a part of it is in a modem's hands or has left, and can no longer be taken back" },
    { CHANGE_CANCEL, -EALREADY, PROBLEM_ALREADY_FINAL, "it is over already" },
    { CHANGE_DECIDE, -EALREADY, PROBLEM_NOT_IN_DOUBT,
      "only what is unknown or held, and was not given up before, can be released or dropped" },
};

static void refuse(struct api_response *ret_response, const struct store_change *change, const char *state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        json_t *extra;
        if (refusals[i].kind != change->kind || refusals[i].result != change->result)
            continue;
        extra = json_object();
        json_put_text(extra, "state", state);
        api_problem(ret_response, refusals[i].code, NULL, NULL, extra, "It is %s: %s", state, refusals[i].detail);
        return;
    }
    api_problem_store(ret_response, change->result);
}

static void decision_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct api_pending *pending = call->state;
    const struct store_change *change = call->change;
    const char *state =
        message_state_name(change->kind == CHANGE_CANCEL ? change->u.cancel.message_state : change->u.decide.message_state);
    json_t *body;

    (void)api;
    if (change->result == -ENOENT) {
        api_problem_plain(ret_response, PROBLEM_NO_SUCH_MESSAGE, "There is no message \"%s\"", pending->id);
    } else if (change->result < 0) {
        refuse(ret_response, change, state);
    } else {
        body = json_object();
        json_put_text(body, "id", pending->id);
        json_put_text(body, "state", state);
        api_answer_json(ret_response, 200, body);
    }
}

/* The change of this kind on its way; the caller says in it which message, and what about it. NULL: answered. */
static struct store_change *decision_begin(struct api_exchange *exchange, enum change_kind kind, int64_t id)
{
    struct store_change *change = change_new(kind, exchange->request->now_ms);
    struct api_pending *pending;

    if (!change) {
        api_problem_store(exchange->response, -ENOMEM);
        return NULL;
    }
    exchange->call->change = change;   /* freed with the call, whatever follows */
    pending = api_wait(exchange, decision_finish);
    if (!pending)
        return NULL;
    id_format(exchange->api->tag, 'm', id, pending->id);
    return change;
}

enum api_step api_messages_cancel(struct api_exchange *exchange)
{
    struct store_change *change;
    int64_t id;

    if (!api_message_id(exchange, &id) || !(change = decision_begin(exchange, CHANGE_CANCEL, id)))
        return API_DONE;
    change->u.cancel.message_id = id;
    return API_WAIT_CHANGE;
}

static enum api_step decide(struct api_exchange *exchange, enum decision decision)
{
    struct store_change *change;
    int64_t id;

    if (!api_message_id(exchange, &id) || !(change = decision_begin(exchange, CHANGE_DECIDE, id)))
        return API_DONE;
    change->u.decide.message_id = id;
    change->u.decide.decision = decision;
    return API_WAIT_CHANGE;
}

enum api_step api_messages_release(struct api_exchange *exchange)
{
    return decide(exchange, DECISION_RELEASE);
}

enum api_step api_messages_drop(struct api_exchange *exchange)
{
    return decide(exchange, DECISION_DROP);
}
