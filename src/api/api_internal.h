/* SPDX-License-Identifier: Apache-2.0
 *
 * api_internal.h - what the files of the API share: one exchange on its way, problems, small pieces of JSON and text. */
#ifndef CELLPOST_API_INTERNAL_H
#define CELLPOST_API_INTERNAL_H

#include <jansson.h>

#include "src/api/api.h"

#define API_PAGE_DEFAULT 100
#define API_PAGE_MAX 1000
#define API_VALIDITY_S_MAX 38102400      /* 63 weeks, the most TP-VP can say: 3GPP TS 23.040 9.2.3.12.1 */
#define API_POINTER_MAX 128
#define API_KEY_SCOPES_DEFAULT (API_SCOPE_SEND | API_SCOPE_READ | API_SCOPE_INBOX)

struct api {
    struct api_config config;
    struct store_reader *reader;
    char tag[8];
};

/* One request from its routing to its answer. Lives on the stack of api_handle(). */
struct api_exchange {
    struct api *api;
    const struct api_request *request;
    struct api_call *call;
    struct api_response *response;
    const struct api_route *route;
    unsigned scopes;                     /* of whoever asks */
    uint32_t patience_s;                 /* of whose messages that do not say; MESSAGE_PATIENCE_AS_ROUTED */
    char actor[64];                      /* "key:NAME", "uid:0" */
    char argument[128];                  /* what the {segment} of the pattern stands for, decoded */
};

/* What a waiting call needs to know to go on; call->state points to it. */
struct api_pending {
    void (*finish)(struct api *api, struct api_call *call, struct api_response *ret_response);
    bool single;                         /* accept: one recipient was asked for */
    char pointer[API_POINTER_MAX + 24];  /* and where it stands in the body */
    char id[ID_TEXT_MAX];                /* of the message that is decided on */
    char secret[48];                     /* a new key: shown once, wiped with this struct */
    json_t *kept;                        /* what there is of the answer already; NULL none */
};
/* The exchange goes on after its change, or after the loop's look at what is live. NULL: no memory, answered. */
struct api_pending *api_wait(struct api_exchange *exchange, void (*finish)(struct api *, struct api_call *, struct api_response *));

/* -- handlers, by file ----------------------------------------------------------------------------------------- */

enum api_step api_messages_send(struct api_exchange *exchange);
enum api_step api_messages_list(struct api_exchange *exchange);
enum api_step api_messages_show(struct api_exchange *exchange);
enum api_step api_messages_cancel(struct api_exchange *exchange);
enum api_step api_messages_release(struct api_exchange *exchange);
enum api_step api_messages_drop(struct api_exchange *exchange);
enum api_step api_inbox_list(struct api_exchange *exchange);
enum api_step api_inbox_show(struct api_exchange *exchange);
enum api_step api_modems_list(struct api_exchange *exchange);
enum api_step api_sims_list(struct api_exchange *exchange);
enum api_step api_routes_explain(struct api_exchange *exchange);
enum api_step api_quote_make(struct api_exchange *exchange);
enum api_step api_sims_ussd(struct api_exchange *exchange);
enum api_step api_sims_balance(struct api_exchange *exchange);
enum api_step api_events_open(struct api_exchange *exchange);
enum api_step api_tariffs_list(struct api_exchange *exchange);
enum api_step api_tariffs_show(struct api_exchange *exchange);
enum api_step api_keys_list(struct api_exchange *exchange);
enum api_step api_keys_add(struct api_exchange *exchange);
enum api_step api_keys_remove(struct api_exchange *exchange);
enum api_step api_opt_outs_list(struct api_exchange *exchange);
enum api_step api_opt_outs_show(struct api_exchange *exchange);
enum api_step api_opt_outs_add(struct api_exchange *exchange);
enum api_step api_opt_outs_remove(struct api_exchange *exchange);
enum api_step api_balance_show(struct api_exchange *exchange);
enum api_step api_ledger_list(struct api_exchange *exchange);
enum api_step api_account_show(struct api_exchange *exchange);
enum api_step api_account_enroll(struct api_exchange *exchange);
enum api_step api_metrics_read(struct api_exchange *exchange);
enum api_step api_health_read(struct api_exchange *exchange);

/* The message that {id} names; false: none, answered. Whether it is there, the store says. */
bool api_message_id(struct api_exchange *exchange, int64_t *ret_id);

/* -- problems (api_problem.c) ---------------------------------------------------------------------------------- */

enum api_problem_code {
    PROBLEM_BAD_JSON, PROBLEM_UNKNOWN_FIELD, PROBLEM_MISSING_FIELD, PROBLEM_WRONG_TYPE, PROBLEM_BAD_VALUE,
    PROBLEM_BAD_PARAMETER, PROBLEM_UNKNOWN_PARAMETER, PROBLEM_BAD_IDEMPOTENCY_KEY,
    PROBLEM_NO_KEY, PROBLEM_BAD_KEY, PROBLEM_SCOPE_MISSING,
    PROBLEM_TOO_LITTLE_CREDIT,
    PROBLEM_NO_SUCH_PATH, PROBLEM_NO_SUCH_MESSAGE, PROBLEM_NO_SUCH_KEY, PROBLEM_NO_SUCH_VERSION, PROBLEM_NO_SUCH_OPT_OUT, PROBLEM_NO_SUCH_SIM, PROBLEM_METHOD_NOT_ALLOWED,
    PROBLEM_ALREADY_HANDED_OVER, PROBLEM_ALREADY_FINAL, PROBLEM_NOT_IN_DOUBT, PROBLEM_KEY_EXISTS,
    PROBLEM_SIM_NOT_IN_MODEM, PROBLEM_MODEM_NOT_READY, PROBLEM_USSD_BUSY, PROBLEM_NO_BALANCE_CODE, PROBLEM_ENROLMENT_REFUSED, PROBLEM_ENROLMENT_BUSY, PROBLEM_NO_ACCOUNT_SERVER,
    PROBLEM_BODY_TOO_LARGE, PROBLEM_URI_TOO_LONG, PROBLEM_WRONG_CONTENT_TYPE, PROBLEM_WRONG_HOST,
    PROBLEM_BAD_NUMBER, PROBLEM_PREMIUM_NUMBER, PROBLEM_FIXED_LINE, PROBLEM_ROUTE_REFUSED, PROBLEM_OPTED_OUT, PROBLEM_NO_PRICE, PROBLEM_EMPTY_TEXT, PROBLEM_NUL_IN_TEXT, PROBLEM_TEXT_TOO_LONG, PROBLEM_TOO_MANY_PARTS,
    PROBLEM_NOT_IN_ALPHABET, PROBLEM_TOO_MANY_RECIPIENTS, PROBLEM_ALL_REJECTED, PROBLEM_IDEMPOTENCY_MISMATCH, PROBLEM_BAD_USSD_CODE,
    PROBLEM_INTERNAL_ERROR, PROBLEM_STORAGE_FULL, PROBLEM_STORAGE_ERROR, PROBLEM_STOPPING, PROBLEM_BUSY,
    PROBLEM_USSD_REFUSED, PROBLEM_USSD_INTERRUPTED, PROBLEM_BALANCE_NOT_READ, PROBLEM_USSD_TIMEOUT,
    PROBLEM_COUNT
};
const char *api_problem_code_name(enum api_problem_code code);

/* Answers with a problem. member: "pointer" or "parameter" with its value, or NULL. extra: further members, taken over,
 * or NULL. The detail is for a person and printf-like. */
void api_problem(struct api_response *ret_response, enum api_problem_code code, const char *member, const char *value,
                 json_t *extra, const char *detail, ...) __attribute__((format(printf, 6, 7)));
#define api_problem_plain(response, code, ...) api_problem(response, code, NULL, NULL, NULL, __VA_ARGS__)
/* A batch that its credits do not pay for. */
void api_problem_credit(struct api_response *ret_response, const struct change_accept *accept);
/* What a negative errno of the store means to a client. */
void api_problem_store(struct api_response *ret_response, int error);

/* -- answers and pieces (api_json.c, api_text.c, api_time.c) -------------------------------------- */

/* Takes body over and makes it the answer; NULL (no memory) becomes a 500. */
void api_answer_json(struct api_response *ret_response, int status, json_t *body);

/* Members, left out where there is nothing to say: text NULL or "", time 0. Text that is no UTF-8 (what a modem called
 * itself) has its bad octets replaced: json would refuse it. */
void json_put_text(json_t *object, const char *key, const char *text);
void json_put_time(json_t *object, const char *key, int64_t at_ms);
void json_put_int(json_t *object, const char *key, int64_t value);
void json_put_bool(json_t *object, const char *key, bool value);
void json_put_id(json_t *object, const char *key, const char *tag, char kind, int64_t id);
/* {"amount": "0.049", "currency": "EUR"}; left out where micro is negative. currency: NULL or "" leaves it out. */
void json_put_money(json_t *object, const char *key, int64_t micro, const char *currency);
/* For a survey (api_quote.c): a number in its kept form, with the conversation it is part of. 0, or the store's errno. */
int api_survey_ask(struct api *api, const char *to, uint16_t parts, struct survey_ask *ret_ask);
/* Whether the number wants no messages; false with an errno in ret_error where that could not be read. */
bool api_is_opted_out(struct api *api, const char *to, int *ret_error);
const char *api_when_name(enum survey_when when);   /* "now" ... */
/* A bearer as the chooser sees it (api_cards.c): what it is and how it is, and what it may still send. */
void json_put_bearer(json_t *object, const struct survey_bearer *bearer);
void json_put_limits(json_t *object, const struct survey_bearer *bearer, const char *currency);
void json_put_encoding(json_t *object, uint8_t alphabet, uint8_t locking, uint8_t single);

/* The body as a JSON object; NULL: refused, the problem is the response. */
json_t *api_body_object(struct api_exchange *exchange);

/* What is known of a card's credit, as an object. parts -1, texts "" or NULL: not said. */
json_t *api_balance_render(bool has_balance, int64_t micro, const char *currency, int32_t parts, const char *valid_until, int64_t at_ms,
                           const char *source, const char *answer);

/* One member an object may have. take: false where it refused (and answered). */
struct api_field {
    const char *name;
    bool required;
    bool (*take)(struct api_exchange *exchange, json_t *value, const char *pointer, void *into);
};
/* Walks the members of object; unknown and missing ones are refused with their JSON pointer (RFC 6901). */
bool api_take_fields(struct api_exchange *exchange, json_t *object, const char *base, const struct api_field *fields, size_t count,
                     void *into);
void api_pointer_join(const char *base, const char *key, char ret_pointer[API_POINTER_MAX]);
bool api_refuse_type(struct api_exchange *exchange, json_t *value, const char *pointer, const char *wanted);   /* false */

/* A text that grows; failed: no memory, and then everything after it is nothing. */
struct api_text { char *bytes; size_t length, capacity; bool failed; };
void api_text_add(struct api_text *text, const char *piece, size_t length);
void api_text_print(struct api_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* text without the octets that are no UTF-8 (U+FFFD for each), at most size - 1 octets, cut between characters. */
void api_text_clean(const char *text, char *ret_clean, size_t size);

#define API_TIME_CHARS 25
/* RFC 3339, UTC, milliseconds; the years 0 to 9999, and what is beyond as their ends. */
void api_time_format(int64_t at_ms, char ret_text[API_TIME_CHARS]);
/* RFC 3339 with an offset or Z. -EINVAL. A blank for the sign of the offset is a '+' that went through a query. */
int api_time_parse(const char *text, int64_t *ret_at_ms);
/* The same, or whole Unix seconds as digits. */
int api_time_parse_any(const char *text, int64_t *ret_at_ms);
bool api_time_from_unix_s(int64_t unix_s, int64_t *ret_at_ms);

/* -- query parameters (api_query.c): true, and nothing changed where absent; false: refused and answered -------- */

bool api_query_limit(struct api_exchange *exchange, uint32_t *ret_limit);
bool api_query_id(struct api_exchange *exchange, const char *name, char kind, int64_t *ret_id);
bool api_query_time(struct api_exchange *exchange, const char *name, int64_t *ret_at_ms);
bool api_query_number(struct api_exchange *exchange, const char *name, char ret_number[MESSAGE_TO_MAX], const char **ret_value);
/* A number that came with its '+' not encoded has a blank for it: ret_plus, size octets, has it whole then. */
const char *api_query_plus(const struct api_exchange *exchange, const char *name, char *ret_plus, size_t size);
const char *api_query(const struct api_exchange *exchange, const char *name);
const char *api_header(const struct api_exchange *exchange, const char *name);

/* One page of a listing: rows are gathered one more than asked for, so that "next" is there only where there is more. */
struct api_page { json_t *rows; uint32_t limit; const char *tag; char kind; int64_t last_id; bool more; };
bool api_page_open(struct api_exchange *exchange, char kind, struct api_page *ret_page, int64_t *ret_before, int64_t *ret_after);
void api_page_add(struct api_page *page, int64_t id, json_t *row);
void api_page_answer(struct api_exchange *exchange, struct api_page *page, const char *name, int read_result);

/* SHA-256 of pieces one after the other. */
struct api_piece { const void *bytes; size_t length; };
int api_hash(const struct api_piece *pieces, size_t count, uint8_t ret_hash[32]);
#define API_SECRET_CHARS 46              /* "cp_", 43 of base64url */
void api_secret_format(const uint8_t entropy[32], char ret_secret[API_SECRET_CHARS + 1]);

#endif
