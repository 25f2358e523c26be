/* SPDX-License-Identifier: Apache-2.0
 *
 * api_keys.c - keys: their secret is shown once and kept as its SHA-256. */
#include <errno.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <string.h>

#include "src/api/api_send.h"

static const struct { unsigned scope; const char *name; } scopes[] = {
    { API_SCOPE_SEND, "send" }, { API_SCOPE_READ, "read" }, { API_SCOPE_INBOX, "inbox" }, { API_SCOPE_ADMIN, "admin" },
};
#define SCOPE_COUNT (sizeof scopes / sizeof scopes[0])

static json_t *scopes_render(unsigned held)
{
    json_t *list = json_array();

    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if (held & scopes[i].scope)
            json_array_append_new(list, json_string(scopes[i].name));
    return list;
}

static void put_patience(json_t *object, uint32_t patience_s)
{
    if (patience_s != MESSAGE_PATIENCE_AS_ROUTED)
        json_put_int(object, "patience_s", patience_s);
}

/* -- list ------------------------------------------------------------------------------------------------------ */

static void key_add(void *context, const struct key_row *row)
{
    json_t *item = json_object();

    json_put_text(item, "name", row->name);
    json_object_set_new(item, "scopes", scopes_render(row->scopes));
    put_patience(item, row->patience_s);
    json_put_time(item, "created_at", row->created_ms);
    json_array_append_new(context, item);
}

enum api_step api_keys_list(struct api_exchange *exchange)
{
    json_t *body = json_object(), *list = json_array();
    int r = store_read_keys(exchange->api->reader, key_add, list);

    json_object_set_new(body, "keys", list);
    if (r < 0) {
        json_decref(body);
        api_problem_store(exchange->response, r);
    } else {
        api_answer_json(exchange->response, 200, body);
    }
    return API_DONE;
}

/* -- add ------------------------------------------------------------------------------------------------------- */

struct key_spec { const char *name; unsigned scopes; uint32_t patience_s; };

static bool name_is_good(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length < KEY_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == length;
}

static bool take_name(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    if (!json_is_string(value))
        return api_refuse_type(exchange, value, pointer, "a string");
    if (strlen(json_string_value(value)) != json_string_length(value) || !name_is_good(json_string_value(value))) {
        api_problem(exchange->response, PROBLEM_BAD_VALUE, "pointer", pointer, NULL,
                    "A name is 1 to %d letters, digits and ._-", KEY_NAME_MAX - 1);
        return false;
    }
    ((struct key_spec *)into)->name = json_string_value(value);
    return true;
}

static bool take_scopes(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct key_spec *spec = into;
    json_t *item;
    size_t i;

    if (!json_is_array(value))
        return api_refuse_type(exchange, value, pointer, "an array of strings");
    spec->scopes = 0;
    json_array_foreach (value, i, item) {
        char at[API_POINTER_MAX + 24];
        size_t k = 0;
        (void)snprintf(at, sizeof at, "%s/%zu", pointer, i);
        if (!json_is_string(item))
            return api_refuse_type(exchange, item, at, "a string");
        while (k < SCOPE_COUNT && strcmp(scopes[k].name, json_string_value(item)) != 0)
            k++;
        if (k == SCOPE_COUNT) {
            api_problem(exchange->response, PROBLEM_BAD_VALUE, "pointer", at, NULL, "Scopes are send, read, inbox and admin");
            return false;
        }
        spec->scopes |= scopes[k].scope;
    }
    if (spec->scopes == 0) {
        api_problem(exchange->response, PROBLEM_BAD_VALUE, "pointer", pointer, NULL, "A key without a scope opens nothing");
        return false;
    }
    return true;
}

static bool take_patience_s(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    return send_patience_take(exchange, value, pointer, &((struct key_spec *)into)->patience_s);
}

static void key_add_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct api_pending *pending = call->state;
    const struct change_key *key = &call->change->u.key;
    json_t *body;

    (void)api;
    if (call->change->result == -EEXIST) {
        api_problem_plain(ret_response, PROBLEM_KEY_EXISTS, "There is a key \"%s\" already", key->name);
        return;
    }
    if (call->change->result < 0) {
        api_problem_store(ret_response, call->change->result);
        return;
    }
    body = json_object();
    json_put_text(body, "name", key->name);
    json_put_text(body, "key", pending->secret);
    json_object_set_new(body, "scopes", scopes_render(key->scopes));
    put_patience(body, key->patience_s);
    api_answer_json(ret_response, 201, body);
    (void)snprintf(ret_response->location, sizeof ret_response->location, "/v1/keys/%s", key->name);
}

enum api_step api_keys_add(struct api_exchange *exchange)
{
    static const struct api_field fields[] = {
        { "name", true, take_name }, { "scopes", false, take_scopes }, { "patience_s", false, take_patience_s },
    };
    struct key_spec spec = { .scopes = API_KEY_SCOPES_DEFAULT, .patience_s = MESSAGE_PATIENCE_AS_ROUTED };
    json_t *body = api_body_object(exchange);
    struct api_pending *pending;
    struct store_change *change;
    enum api_step step = API_DONE;

    if (!body || !api_take_fields(exchange, body, "", fields, sizeof fields / sizeof fields[0], &spec))
        goto out;
    change = exchange->call->change = change_new(CHANGE_KEY_ADD, exchange->request->now_ms);
    if (!change) {
        api_problem_store(exchange->response, -ENOMEM);
        goto out;
    }
    pending = api_wait(exchange, key_add_finish);
    if (!pending)
        goto out;
    api_secret_format(exchange->request->entropy, pending->secret);
    (void)snprintf(change->u.key.name, sizeof change->u.key.name, "%s", spec.name);
    change->u.key.scopes = spec.scopes;
    change->u.key.patience_s = spec.patience_s;
    if (api_hash(&(struct api_piece){ pending->secret, strlen(pending->secret) }, 1, change->u.key.hash) == 0)
        step = API_WAIT_CHANGE;
    else
        api_problem_store(exchange->response, -ENOMEM);
out:
    json_decref(body);
    return step;
}

/* -- remove ---------------------------------------------------------------------------------------------------- */

static void key_remove_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    (void)api;
    if (call->change->result == -ENOENT)
        api_problem_plain(ret_response, PROBLEM_NO_SUCH_KEY, "There is no key \"%s\"", call->change->u.key.name);
    else if (call->change->result < 0)
        api_problem_store(ret_response, call->change->result);
    else
        ret_response->status = 204;
}

enum api_step api_keys_remove(struct api_exchange *exchange)
{
    struct store_change *change;

    if (!name_is_good(exchange->argument)) {
        api_problem_plain(exchange->response, PROBLEM_NO_SUCH_KEY, "There is no key \"%s\"", exchange->argument);
        return API_DONE;
    }
    change = exchange->call->change = change_new(CHANGE_KEY_REMOVE, exchange->request->now_ms);
    if (!change) {
        api_problem_store(exchange->response, -ENOMEM);
        return API_DONE;
    }
    (void)snprintf(change->u.key.name, sizeof change->u.key.name, "%s", exchange->argument);
    return api_wait(exchange, key_remove_finish) ? API_WAIT_CHANGE : API_DONE;
}
