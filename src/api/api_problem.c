/* SPDX-License-Identifier: Apache-2.0
 *
 * api_problem.c - every way to say no, as problem+json (RFC 9457) with a stable code. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"

#define STORAGE_RETRY_S 30
#define STOPPING_RETRY_S 10
#define BUSY_RETRY_S 1
#define ASK_RETRY_S 10

/* The codes are a contract: clients compare them. */
static const struct { uint16_t status; uint8_t retry_after_s; const char *code; } problems[PROBLEM_COUNT] = {
    [PROBLEM_BAD_JSON] = { 400, 0, "bad_json" },
    [PROBLEM_UNKNOWN_FIELD] = { 400, 0, "unknown_field" },
    [PROBLEM_MISSING_FIELD] = { 400, 0, "missing_field" },
    [PROBLEM_WRONG_TYPE] = { 400, 0, "wrong_type" },
    [PROBLEM_BAD_VALUE] = { 400, 0, "bad_value" },
    [PROBLEM_BAD_PARAMETER] = { 400, 0, "bad_parameter" },
    [PROBLEM_UNKNOWN_PARAMETER] = { 400, 0, "unknown_parameter" },
    [PROBLEM_BAD_IDEMPOTENCY_KEY] = { 400, 0, "bad_idempotency_key" },
    [PROBLEM_NO_KEY] = { 401, 0, "no_key" },
    [PROBLEM_BAD_KEY] = { 401, 0, "bad_key" },
    [PROBLEM_TOO_LITTLE_CREDIT] = { 402, 0, "too_little_credit" },
    [PROBLEM_SCOPE_MISSING] = { 403, 0, "scope_missing" },
    [PROBLEM_NO_SUCH_PATH] = { 404, 0, "no_such_path" },
    [PROBLEM_NO_SUCH_MESSAGE] = { 404, 0, "no_such_message" },
    [PROBLEM_NO_SUCH_KEY] = { 404, 0, "no_such_key" },
    [PROBLEM_NO_SUCH_VERSION] = { 404, 0, "no_such_version" },
    [PROBLEM_NO_SUCH_OPT_OUT] = { 404, 0, "no_such_opt_out" },
    [PROBLEM_NO_SUCH_SIM] = { 404, 0, "no_such_sim" },
    [PROBLEM_METHOD_NOT_ALLOWED] = { 405, 0, "method_not_allowed" },
    [PROBLEM_ALREADY_HANDED_OVER] = { 409, 0, "already_handed_over" },
    [PROBLEM_ALREADY_FINAL] = { 409, 0, "already_final" },
    [PROBLEM_NOT_IN_DOUBT] = { 409, 0, "not_in_doubt" },
    [PROBLEM_KEY_EXISTS] = { 409, 0, "key_exists" },
    [PROBLEM_SIM_NOT_IN_MODEM] = { 409, 0, "sim_not_in_modem" },
    [PROBLEM_MODEM_NOT_READY] = { 409, 0, "modem_not_ready" },
    [PROBLEM_USSD_BUSY] = { 409, ASK_RETRY_S, "ussd_busy" },
    [PROBLEM_NO_BALANCE_CODE] = { 409, 0, "no_balance_code" },
    [PROBLEM_ENROLMENT_REFUSED] = { 409, 0, "enrolment_refused" },
    [PROBLEM_ENROLMENT_BUSY] = { 409, ASK_RETRY_S, "enrolment_busy" },
    [PROBLEM_NO_ACCOUNT_SERVER] = { 409, 0, "no_account_server" },
    [PROBLEM_BODY_TOO_LARGE] = { 413, 0, "body_too_large" },
    [PROBLEM_URI_TOO_LONG] = { 414, 0, "uri_too_long" },
    [PROBLEM_WRONG_CONTENT_TYPE] = { 415, 0, "wrong_content_type" },
    [PROBLEM_WRONG_HOST] = { 421, 0, "wrong_host" },
    [PROBLEM_BAD_NUMBER] = { 422, 0, "bad_number" },
    [PROBLEM_PREMIUM_NUMBER] = { 422, 0, "premium_number" },
    [PROBLEM_FIXED_LINE] = { 422, 0, "fixed_line" },
    [PROBLEM_ROUTE_REFUSED] = { 422, 0, "route_refused" },
    [PROBLEM_OPTED_OUT] = { 422, 0, OPT_OUT_CODE },
    [PROBLEM_NO_PRICE] = { 422, 0, "no_price" },
    [PROBLEM_EMPTY_TEXT] = { 422, 0, "empty_text" },
    [PROBLEM_NUL_IN_TEXT] = { 422, 0, "nul_in_text" },
    [PROBLEM_TEXT_TOO_LONG] = { 422, 0, "text_too_long" },
    [PROBLEM_TOO_MANY_PARTS] = { 422, 0, "too_many_parts" },
    [PROBLEM_NOT_IN_ALPHABET] = { 422, 0, "not_in_alphabet" },
    [PROBLEM_TOO_MANY_RECIPIENTS] = { 422, 0, "too_many_recipients" },
    [PROBLEM_ALL_REJECTED] = { 422, 0, "all_rejected" },
    [PROBLEM_IDEMPOTENCY_MISMATCH] = { 422, 0, "idempotency_mismatch" },
    [PROBLEM_BAD_USSD_CODE] = { 422, 0, "bad_ussd_code" },
    [PROBLEM_INTERNAL_ERROR] = { 500, 0, "internal_error" },
    [PROBLEM_USSD_REFUSED] = { 502, 0, "ussd_refused" },
    [PROBLEM_USSD_INTERRUPTED] = { 502, 0, "ussd_interrupted" },
    [PROBLEM_BALANCE_NOT_READ] = { 502, 0, "balance_not_read" },
    [PROBLEM_STORAGE_FULL] = { 503, STORAGE_RETRY_S, "storage_full" },
    [PROBLEM_STORAGE_ERROR] = { 503, STORAGE_RETRY_S, "storage_error" },
    [PROBLEM_STOPPING] = { 503, STOPPING_RETRY_S, "stopping" },
    [PROBLEM_BUSY] = { 503, BUSY_RETRY_S, "busy" },
    [PROBLEM_USSD_TIMEOUT] = { 504, 0, "ussd_timeout" },
};

/* RFC 9457 4.2.1: where the type is about:blank (absent), the title is the status in HTTP's own words. */
static const char *status_title(int status)
{
    static const struct { int status; const char *title; } titles[] = {
        { 400, "Bad Request" },           { 401, "Unauthorized" },        { 402, "Payment Required" },  { 403, "Forbidden" },
        { 404, "Not Found" },             { 405, "Method Not Allowed" },  { 409, "Conflict" },
        { 413, "Content Too Large" },     { 414, "URI Too Long" },        { 415, "Unsupported Media Type" },
        { 421, "Misdirected Request" },   { 422, "Unprocessable Content" },
        { 500, "Internal Server Error" }, { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },   { 504, "Gateway Timeout" },
    };

    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

const char *api_problem_code_name(enum api_problem_code code)
{
    return problems[code].code;
}

void api_problem(struct api_response *ret_response, enum api_problem_code code, const char *member, const char *value,
                 json_t *extra, const char *detail, ...)
{
    json_t *body = json_object();
    int status = problems[code].status;
    char text[512], clean[512];
    va_list args;

    va_start(args, detail);
    (void)vsnprintf(text, sizeof text, detail, args);
    va_end(args);
    api_text_clean(text, clean, sizeof clean);

    json_put_text(body, "title", status_title(status));
    json_put_int(body, "status", status);
    json_put_text(body, "code", problems[code].code);
    json_put_text(body, "detail", clean);
    if (member && value)
        json_object_set_new(body, member, json_string(value));   /* "" is a pointer too: to the whole body */
    if (extra)
        json_object_update_missing(body, extra);
    json_decref(extra);

    api_answer_json(ret_response, status, body);
    if (ret_response->status == status) {
        ret_response->content_type = "application/problem+json";
        ret_response->retry_after_s = problems[code].retry_after_s;
        ret_response->unauthorized = status == 401;
    }
}

void api_problem_store(struct api_response *ret_response, int error)
{
    switch (error) {
    case -ENOSPC:
        api_problem_plain(ret_response, PROBLEM_STORAGE_FULL, "The disk is full: nothing can be stored");
        break;
    case -ESHUTDOWN:
        api_refuse(API_STOPPING, NULL, ret_response);
        break;
    case -ENOMEM:
        api_problem_plain(ret_response, PROBLEM_INTERNAL_ERROR, "Out of memory");
        break;
    default:
        api_problem_plain(ret_response, PROBLEM_STORAGE_ERROR, "The database cannot be read or written now");
    }
}

void api_refuse(enum api_refusal refusal, const char *detail, struct api_response *ret_response)
{
    static const struct { enum api_problem_code code; const char *detail; } refusals[] = {
        [API_BODY_TOO_LARGE] = { PROBLEM_BODY_TOO_LARGE, "The body is larger than 8 MiB: send it in several requests" },
        [API_URI_TOO_LONG] = { PROBLEM_URI_TOO_LONG, "The address is too long" },
        [API_WRONG_HOST] = { PROBLEM_WRONG_HOST, "This host name is not served here: list it under hosts= in [api]" },
        [API_STOPPING] = { PROBLEM_STOPPING, "The gateway is stopping" },
        [API_BUSY] = { PROBLEM_BUSY, "Too much at the same time: try again" },
        [API_INTERNAL_ERROR] = { PROBLEM_INTERNAL_ERROR, "The gateway could not do this" },
    };

    *ret_response = (struct api_response){ 0 };
    api_problem_plain(ret_response, refusals[refusal].code, "%s", detail ? detail : refusals[refusal].detail);
}
