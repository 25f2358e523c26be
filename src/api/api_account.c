/* SPDX-License-Identifier: Apache-2.0
 *
 * api_account.c - how it stands with the account, and enrolment. The loop fills it; enrolment is answered when the account did,
 * or when it could not be reached. */
#include <errno.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"

void api_account_free(struct api_account *account)
{
    if (!account)
        return;
    free(account->ca);
    mbedtls_platform_zeroize(account, sizeof *account);
    free(account);
}

static struct api_account *account_begin(struct api_exchange *exchange)
{
    struct api_account *account = calloc(1, sizeof *account);

    if (!account)
        api_problem_store(exchange->response, -ENOMEM);
    exchange->call->account = account;   /* freed with the call */
    return account;
}

static json_t *account_render(const struct api_account *account)
{
    json_t *body = json_object();

    json_put_text(body, "state", account->state);
    json_put_text(body, "why", account->why);
    json_put_text(body, "detail", account->detail);
    json_put_text(body, "code", account->code);
    json_put_text(body, "advice", account->advice);
    json_put_text(body, "account", account->account);
    json_put_text(body, "box", account->box_id);
    if (account->epoch != 0)
        json_put_int(body, "epoch", account->epoch);
    json_put_text(body, "url", account->url);
    json_put_time(body, "heard_at", account->heard_ms);
    json_put_time(body, "next_try_at", account->next_ms);
    if (account->heard_ms != 0)
        json_put_int(body, "clock_off_ms", account->clock_off_ms);
    if (account->has_available)
        json_put_int(body, "available_micro", account->available_micro);
    return body;
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

static void show_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    (void)api;
    if (call->account->result == API_ACCOUNT_STOPPING)
        api_refuse(API_STOPPING, NULL, ret_response);
    else
        api_answer_json(ret_response, 200, account_render(call->account));
}

enum api_step api_account_show(struct api_exchange *exchange)
{
    return account_begin(exchange) && api_wait(exchange, show_finish) ? API_WAIT_ACCOUNT : API_DONE;
}

/* -- enrolment ---------------------------------------------------------------------------------------------------- */

static bool take_text(struct api_exchange *exchange, json_t *value, const char *pointer, char *ret_text, size_t size)
{
    const char *text = json_string_value(value);

    if (!text)
        return api_refuse_type(exchange, value, pointer, "a string");
    if (json_string_length(value) >= size || strlen(text) != json_string_length(value)) {
        api_problem(exchange->response, PROBLEM_BAD_VALUE, "pointer", pointer, NULL, "It has more than %zu characters, or a NUL", size - 1);
        return false;
    }
    memcpy(ret_text, text, strlen(text) + 1);
    return true;
}

static bool take_token(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    struct api_account *account = into;

    if (!take_text(exchange, value, pointer, account->token, sizeof account->token))
        return false;
    if (account->token[0] != '\0' && strspn(account->token, allowed) == strlen(account->token))
        return true;
    api_problem(exchange->response, PROBLEM_BAD_VALUE, "pointer", pointer, NULL, "A token has letters, digits, _ and - alone: copy it whole");
    return false;
}

static bool take_url(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct api_account *account = into;

    return take_text(exchange, value, pointer, account->url, sizeof account->url);
}

static bool take_pin(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct api_account *account = into;

    return take_text(exchange, value, pointer, account->pin, sizeof account->pin);
}

static bool take_ca(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct api_account *account = into;
    const char *text = json_string_value(value);

    if (!text)
        return api_refuse_type(exchange, value, pointer, "a string");
    if (json_string_length(value) > API_ACCOUNT_CA_MAX || strlen(text) != json_string_length(value)) {
        api_problem(exchange->response, PROBLEM_BAD_VALUE, "pointer", pointer, NULL, "It is longer than %d octets, or no text", API_ACCOUNT_CA_MAX);
        return false;
    }
    account->ca = malloc(json_string_length(value) + 1);
    if (!account->ca) {
        api_problem_store(exchange->response, -ENOMEM);
        return false;
    }
    memcpy(account->ca, text, json_string_length(value) + 1);
    return true;
}

static void enroll_finish(struct api *api, struct api_call *call, struct api_response *ret_response)
{
    const struct api_account *account = call->account;

    (void)api;
    switch (account->result) {
    case API_ACCOUNT_DONE:
        api_answer_json(ret_response, 200, account_render(account));
        break;
    case API_ACCOUNT_TRYING:
        api_answer_json(ret_response, 202, account_render(account));
        break;
    case API_ACCOUNT_REFUSED:
        api_problem(ret_response, PROBLEM_ENROLMENT_REFUSED, NULL, NULL, json_pack("{s:s}", "account_code", account->code), "%s%s%s", account->why,
                    account->detail[0] ? " It says: " : "", account->detail);
        break;
    case API_ACCOUNT_BUSY:
        api_problem_plain(ret_response, PROBLEM_ENROLMENT_BUSY, "An enrolment is just being asked for: wait for its answer");
        break;
    case API_ACCOUNT_BAD_VALUE:
        api_problem(ret_response, PROBLEM_BAD_VALUE, "pointer", account->pointer, NULL, "%s", account->detail);
        break;
    case API_ACCOUNT_NO_PLACE:
        api_problem_plain(ret_response, PROBLEM_NO_ACCOUNT_SERVER, "%s", account->detail);
        break;
    case API_ACCOUNT_STOPPING:
        api_refuse(API_STOPPING, NULL, ret_response);
        break;
    default:
        api_problem_store(ret_response, account->store_error);
    }
}

enum api_step api_account_enroll(struct api_exchange *exchange)
{
    static const struct api_field fields[] = { { "token", true, take_token }, { "url", false, take_url }, { "pin", false, take_pin }, { "ca", false, take_ca } };
    struct api_account *account = account_begin(exchange);
    json_t *body;
    bool good;

    if (!account || !(body = api_body_object(exchange)))
        return API_DONE;
    account->enroll = true;
    good = api_take_fields(exchange, body, "", fields, sizeof fields / sizeof fields[0], account);
    json_decref(body);
    return good && api_wait(exchange, enroll_finish) ? API_WAIT_ACCOUNT : API_DONE;
}
