/* SPDX-License-Identifier: Apache-2.0
 *
 * api_json.c - bodies in, held against a table of fields; objects out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/api/api_internal.h"
#include "src/base/money.h"
#include "src/base/utf8.h"
#include "src/sms/sms_pdu.h"

/* -- out ------------------------------------------------------------------------------------------------------- */

void api_answer_json(struct api_response *ret_response, int status, json_t *body)
{
    static const char out_of_memory[] =
        "{\"title\":\"Internal Server Error\",\"status\":500,\"code\":\"internal_error\",\"detail\":\"Out of memory\"}";
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    json_decref(body);
    free(ret_response->body);
    ret_response->status = status;
    ret_response->content_type = "application/json";
    if (!text) {
        ret_response->status = 500;
        ret_response->content_type = "application/problem+json";
        text = malloc(sizeof out_of_memory);
        if (text)
            memcpy(text, out_of_memory, sizeof out_of_memory);
    }
    ret_response->body = text;
    ret_response->length = text ? strlen(text) : 0;
}

void json_put_text(json_t *object, const char *key, const char *text)
{
    json_t *value;
    size_t length;
    char *clean;

    if (!text || *text == '\0')
        return;
    value = json_string(text);
    if (!value) {
        length = strlen(text) * 3 + 1;   /* U+FFFD takes three octets */
        clean = malloc(length);
        if (!clean)
            return;
        api_text_clean(text, clean, length);
        value = json_string(clean);
        free(clean);
    }
    json_object_set_new(object, key, value);
}

void json_put_time(json_t *object, const char *key, int64_t at_ms)
{
    char text[API_TIME_CHARS];

    if (at_ms == 0)
        return;
    api_time_format(at_ms, text);
    json_object_set_new(object, key, json_string(text));
}

void json_put_int(json_t *object, const char *key, int64_t value)
{
    json_object_set_new(object, key, json_integer(value));
}

void json_put_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}

void json_put_id(json_t *object, const char *key, const char *tag, char kind, int64_t id)
{
    char text[ID_TEXT_MAX];

    if (id <= 0)
        return;
    id_format(tag, kind, id, text);
    json_object_set_new(object, key, json_string(text));
}

void json_put_money(json_t *object, const char *key, int64_t micro, const char *currency)
{
    char amount[MONEY_CHARS];
    json_t *money;

    if (micro < 0)
        return;
    money_format(micro, amount);
    money = json_object();
    json_put_text(money, "amount", amount);
    json_put_text(money, "currency", currency);
    json_object_set_new(object, key, money);
}

/* 3GPP TS 23.038 6.2.1.2.4: the identifiers of national language tables. */
static const char *language_name(uint8_t language)
{
    static const char *const names[] = { NULL,        "turkish",   "spanish", "portuguese", "bengali", "gujarati", "hindi",
                                         "kannada",   "malayalam", "oriya",   "punjabi",    "tamil",   "telugu",   "urdu" };

    return language < sizeof names / sizeof names[0] ? names[language] : NULL;
}

void json_put_encoding(json_t *object, uint8_t alphabet, uint8_t locking, uint8_t single)
{
    static const char *const names[] = { [SMS_GSM7] = "gsm7", [SMS_8BIT] = "8bit", [SMS_UCS2] = "ucs2" };
    json_t *national;

    json_put_text(object, "encoding", alphabet < sizeof names / sizeof names[0] ? names[alphabet] : NULL);
    if (!locking && !single)
        return;
    national = json_object();
    json_put_text(national, "locking", language_name(locking));
    json_put_text(national, "single", language_name(single));
    json_object_set_new(object, "national", national);
}

/* -- in -------------------------------------------------------------------------------------------------------- */

/* jansson recurses once per level and a server thread's stack is small: depth is bounded before it is parsed. */
static bool nests_too_deep(const char *body, size_t length)
{
    unsigned depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        char c = body[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > API_JSON_DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

json_t *api_body_object(struct api_exchange *exchange)
{
    const struct api_request *request = exchange->request;
    json_error_t error;
    json_t *root, *extra;
    size_t at;

    if (request->body_length == 0) {
        api_problem_plain(exchange->response, PROBLEM_BAD_JSON, "The request has no body");
        return NULL;
    }
    if (!utf8_is_valid(request->body, request->body_length, &at)) {
        extra = json_object();
        json_put_int(extra, "offset", (int64_t)at);
        api_problem(exchange->response, PROBLEM_BAD_JSON, NULL, NULL, extra, "The body is not UTF-8 at octet %zu", at);
        return NULL;
    }
    if (nests_too_deep(request->body, request->body_length)) {
        api_problem_plain(exchange->response, PROBLEM_BAD_JSON, "The body nests deeper than %d levels", API_JSON_DEPTH_MAX);
        return NULL;
    }
    /* A NUL is allowed here, so that the refusal can point to the text it is in. */
    root = json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!root) {
        char said[sizeof error.text];
        api_text_clean(error.text, said, sizeof said);
        extra = json_object();
        json_put_int(extra, "line", error.line);
        json_put_int(extra, "column", error.column);
        api_problem(exchange->response, PROBLEM_BAD_JSON, NULL, NULL, extra, "Not JSON at line %d, column %d: %s", error.line,
                    error.column, said);
        return NULL;
    }
    if (!json_is_object(root)) {
        (void)api_refuse_type(exchange, root, "", "an object");
        json_decref(root);
        return NULL;
    }
    return root;
}

bool api_refuse_type(struct api_exchange *exchange, json_t *value, const char *pointer, const char *wanted)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string", [JSON_INTEGER] = "an integer",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",      [JSON_FALSE] = "false",     [JSON_NULL] = "null",
    };

    api_problem(exchange->response, PROBLEM_WRONG_TYPE, "pointer", pointer, NULL, "This must be %s, not %s", wanted,
                names[json_typeof(value)]);
    return false;
}

/* RFC 6901 3: '~' is "~0" and '/' is "~1". A pointer that would not fit ends early, which still shows where. */
void api_pointer_join(const char *base, const char *key, char ret_pointer[API_POINTER_MAX])
{
    char joined[4 * API_POINTER_MAX];
    size_t used = (size_t)snprintf(joined, API_POINTER_MAX, "%s/", base);

    for (; *key && used < sizeof joined - 3; key++) {
        if (*key == '~' || *key == '/') {
            joined[used++] = '~';
            joined[used++] = *key == '~' ? '0' : '1';
        } else {
            joined[used++] = *key;
        }
    }
    joined[used] = '\0';
    api_text_clean(joined, ret_pointer, API_POINTER_MAX);
}

static void refuse_unknown_field(struct api_exchange *exchange, const char *key, const char *pointer, const struct api_field *fields,
                                 size_t count)
{
    struct api_text known = { 0 };
    char shown[64];

    for (size_t i = 0; i < count; i++)
        api_text_print(&known, "%s%s", i == 0 ? "" : ", ", fields[i].name);
    api_text_clean(key, shown, sizeof shown);
    api_problem(exchange->response, PROBLEM_UNKNOWN_FIELD, "pointer", pointer, NULL, "There is no field \"%s\" here; known are %s",
                shown, known.failed ? "others" : known.bytes);
    free(known.bytes);
}

bool api_take_fields(struct api_exchange *exchange, json_t *object, const char *base, const struct api_field *fields, size_t count,
                     void *into)
{
    char pointer[API_POINTER_MAX];
    const char *key;
    json_t *value;

    json_object_foreach (object, key, value) {
        size_t i = 0;
        while (i < count && strcmp(fields[i].name, key) != 0)
            i++;
        api_pointer_join(base, key, pointer);
        if (i == count) {
            refuse_unknown_field(exchange, key, pointer, fields, count);
            return false;
        }
        if (!fields[i].take(exchange, value, pointer, into))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].required || json_object_get(object, fields[i].name))
            continue;
        api_pointer_join(base, fields[i].name, pointer);
        api_problem(exchange->response, PROBLEM_MISSING_FIELD, "pointer", pointer, NULL, "\"%s\" is missing", fields[i].name);
        return false;
    }
    return true;
}
