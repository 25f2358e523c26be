/* SPDX-License-Identifier: Apache-2.0
 *
 * api_ask.c - questions for the operator of a SIM: USSD codes, and the credit. The loop puts them, the answer takes seconds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"
#include "src/base/money.h"

static void find_card(void *context, const struct sim_row *row)
{
    struct api_ask *ask = context;

    ask->seen = ask->seen || strcmp(row->iccid, ask->sim) == 0 || (row->imsi[0] != '\0' && strcmp(row->imsi, ask->sim) == 0);
}

/* The question on its way, of the SIM that the address names. NULL: answered. */
static struct api_ask *ask_begin(struct api_exchange *exchange)
{
    struct api_ask *ask = calloc(1, sizeof *ask);
    int r;

    if (!ask) {
        api_problem_store(exchange->response, -ENOMEM);
        return NULL;
    }
    exchange->call->ask = ask;   /* freed with the call, whatever follows */
    (void)snprintf(ask->sim, sizeof ask->sim, "%s", exchange->argument);
    r = store_read_sims(exchange->api->reader, find_card, ask);
    if (r < 0) {
        api_problem_store(exchange->response, r);
        return NULL;
    }
    return ask;
}

static json_t *members_of(const struct api_ask *ask, const char *state_name)
{
    json_t *object = json_object();

    json_put_text(object, "sim", ask->iccid);
    json_put_text(object, "port", ask->port);
    json_put_text(object, state_name, ask->state);
    json_put_text(object, "text", ask->text);
    return object;
}

/* True where the network has answered; else it is said why not. */
static bool ask_answered(const struct api_ask *ask, struct api_response *ret_response)
{
    static const enum api_problem_code codes[API_ASK_RESULT_COUNT] = {
        [API_ASK_NO_SIM] = PROBLEM_NO_SUCH_SIM, [API_ASK_NOT_READY] = PROBLEM_MODEM_NOT_READY, [API_ASK_BUSY] = PROBLEM_USSD_BUSY,
        [API_ASK_REFUSED] = PROBLEM_USSD_REFUSED, [API_ASK_TIMEOUT] = PROBLEM_USSD_TIMEOUT, [API_ASK_LOST] = PROBLEM_USSD_INTERRUPTED,
        [API_ASK_NO_CODE] = PROBLEM_NO_BALANCE_CODE, [API_ASK_NOT_READ] = PROBLEM_BALANCE_NOT_READ,
    };

    switch (ask->result) {
    case API_ASK_ANSWERED:
        return true;
    case API_ASK_NO_SIM:
        if (ask->seen)
            api_problem_plain(ret_response, PROBLEM_SIM_NOT_IN_MODEM, "The SIM \"%s\" is in no modem now", ask->sim);
        else
            api_problem_plain(ret_response, PROBLEM_NO_SUCH_SIM,
                              "There is no SIM \"%s\": say its ICCID, IMSI, the name it has in cellpost.ini, or the port of its modem", ask->sim);
        return false;
    case API_ASK_STOPPING:
        api_refuse(API_STOPPING, NULL, ret_response);
        return false;
    case API_ASK_NOT_STORED:
        api_problem_store(ret_response, ask->store_error);
        return false;
    case API_ASK_NO_MEMORY:
        api_problem_store(ret_response, -ENOMEM);
        return false;
    default:
        api_problem(ret_response, codes[ask->result], NULL, NULL,
                    members_of(ask, ask->result == API_ASK_NOT_READY ? "modem_state" : "ussd_state"), "%s%s%s", ask->detail,
                    ask->text[0] ? " It says: " : "", ask->text);
        return false;
    }
}

/* -- codes ----------------------------------------------------------------------------------------------------- */

static bool take_code(struct api_exchange *exchange, json_t *value, const char *pointer, char *ret_code)
{
    const char *code = json_string_value(value);
    size_t length;

    if (!code)
        return api_refuse_type(exchange, value, pointer, "a string");
    length = strspn(code, "0123456789*#+");
    if (length == 0 || length > API_USSD_CODE_MAX || length != json_string_length(value)) {
        api_problem(exchange->response, PROBLEM_BAD_USSD_CODE, "pointer", pointer, NULL,
                    "A code is 1 to %d of the characters 0-9, *, # and +", API_USSD_CODE_MAX);
        return false;
    }
    memcpy(ret_code, code, length + 1);
    return true;
}

static bool take_first(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    return take_code(exchange, value, pointer, ((struct api_ask *)into)->code);
}

static bool take_replies(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct api_ask *ask = into;
    json_t *reply;
    size_t i;

    if (!json_is_array(value))
        return api_refuse_type(exchange, value, pointer, "an array");
    if (json_array_size(value) > API_USSD_REPLIES_MAX) {
        api_problem(exchange->response, PROBLEM_BAD_VALUE, "pointer", pointer, NULL, "At most %d replies", API_USSD_REPLIES_MAX);
        return false;
    }
    json_array_foreach(value, i, reply) {
        char key[24], at[API_POINTER_MAX];
        (void)snprintf(key, sizeof key, "%zu", i);
        api_pointer_join(pointer, key, at);
        if (!take_code(exchange, reply, at, ask->replies[i]))
            return false;
        ask->reply_count++;
    }
    return true;
}

static void ussd_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    json_t *body;

    (void)api;
    if (!ask_answered(call->ask, ret_response))
        return;
    body = members_of(call->ask, "state");
    json_object_set_new(body, "text", json_string(""));
    json_put_text(body, "text", call->ask->text);
    json_put_text(body, "code", call->ask->code);
    api_answer_json(ret_response, 200, body);
}

enum api_step api_sims_ussd(struct api_exchange *exchange)
{
    static const struct api_field fields[] = { { "code", true, take_first }, { "replies", false, take_replies } };
    struct api_ask *ask = ask_begin(exchange);
    json_t *body;
    bool good;

    if (!ask || !(body = api_body_object(exchange)))
        return API_DONE;
    good = api_take_fields(exchange, body, "", fields, sizeof fields / sizeof fields[0], ask);
    json_decref(body);
    return good && api_wait(exchange, ussd_finish) ? API_WAIT_ASK : API_DONE;
}

/* -- credit ---------------------------------------------------------------------------------------------------- */

json_t *api_balance_render(bool has_balance, int64_t micro, const char *currency, int32_t parts, const char *valid_until, int64_t at_ms,
                           const char *source, const char *answer)
{
    json_t *object = json_object();
    char amount[MONEY_CHARS];

    if (has_balance) {
        money_format(micro, amount);
        json_put_text(object, "amount", amount);
        json_put_text(object, "currency", currency);
    }
    if (parts >= 0)
        json_put_int(object, "rest_parts", parts);
    json_put_text(object, "valid_until", valid_until);
    json_put_time(object, "at", at_ms);
    json_put_text(object, "source", source);
    json_object_set_new(object, "answer", json_string(""));
    json_put_text(object, "answer", answer);
    return object;
}

static void balance_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct api_ask *ask = call->ask;
    json_t *body;

    (void)api;
    if (!ask_answered(ask, ret_response))
        return;
    body = json_object();
    json_put_text(body, "sim", ask->iccid);
    json_put_text(body, "port", ask->port);
    json_object_set_new(body, "balance", api_balance_render(ask->balance.has_balance, ask->balance.micro, ask->balance.currency,
                                                            ask->balance.has_parts ? ask->balance.rest_parts : -1, ask->balance.valid_until,
                                                            ask->balance.at_ms, "ussd", ask->text));
    api_answer_json(ret_response, 200, body);
}

enum api_step api_sims_balance(struct api_exchange *exchange)
{
    struct api_ask *ask = ask_begin(exchange);

    if (!ask)
        return API_DONE;
    ask->kind = API_ASK_BALANCE;
    return api_wait(exchange, balance_finish) ? API_WAIT_ASK : API_DONE;
}
