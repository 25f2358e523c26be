/* SPDX-License-Identifier: Apache-2.0
 *
 * api_send_spec.c - one object of a POST /v1/messages: its fields, and its text into parts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/api/api_send.h"
#include "src/base/utf8.h"

/* -- fields ---------------------------------------------------------------------------------------------------- */

bool send_refuse_value(struct api_exchange *exchange, const char *pointer, const char *wanted)
{
    api_problem(exchange->response, PROBLEM_BAD_VALUE, "pointer", pointer, NULL, "This must be %s", wanted);
    return false;
}

static bool take_integer(struct api_exchange *exchange, json_t *value, const char *pointer, int64_t min, int64_t max, int64_t *ret_number)
{
    char wanted[96];

    if (!json_is_integer(value))
        return api_refuse_type(exchange, value, pointer, "an integer");
    (void)snprintf(wanted, sizeof wanted, "an integer from %lld to %lld", (long long)min, (long long)max);
    if (json_integer_value(value) < min || json_integer_value(value) > max)
        return send_refuse_value(exchange, pointer, wanted);
    *ret_number = json_integer_value(value);
    return true;
}

static bool take_to(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct send_spec *spec = into;
    json_t *item;
    size_t i;

    if (json_is_array(value)) {
        if (json_array_size(value) == 0)
            return send_refuse_value(exchange, pointer, "a number or a list of at least one");
        json_array_foreach (value, i, item) {
            char at[API_POINTER_MAX + 24];
            (void)snprintf(at, sizeof at, "%s/%zu", pointer, i);
            if (!json_is_string(item))
                return api_refuse_type(exchange, item, at, "a string (a number as \"+40700000001\")");
        }
    } else if (!json_is_string(value)) {
        return api_refuse_type(exchange, value, pointer, "a string (a number as \"+40700000001\") or an array of such");
    }
    spec->to = value;
    return true;
}

static bool take_text(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct send_spec *spec = into;

    if (!json_is_string(value))
        return api_refuse_type(exchange, value, pointer, "a string");
    spec->text = value;
    return true;
}

static bool take_priority(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct send_spec *spec = into;
    int64_t number = 0;

    if (!take_integer(exchange, value, pointer, MESSAGE_PRIORITY_MIN, MESSAGE_PRIORITY_MAX, &number))
        return false;
    spec->priority = (uint8_t)number;
    return true;
}

static bool take_schedule_at(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct send_spec *spec = into;
    bool good;

    if (json_is_integer(value))
        good = api_time_from_unix_s(json_integer_value(value), &spec->schedule_ms);
    else if (json_is_string(value))
        good = api_time_parse(json_string_value(value), &spec->schedule_ms) == 0;
    else
        return api_refuse_type(exchange, value, pointer, "a string (a time as \"2025-12-31T23:59:00Z\") or Unix seconds");
    return good || send_refuse_value(exchange, pointer, "a time as \"2025-12-31T23:59:00+02:00\" or Unix seconds");
}

static bool take_validity_s(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    return take_integer(exchange, value, pointer, 1, API_VALIDITY_S_MAX, &((struct send_spec *)into)->validity_s);
}

bool send_patience_take(struct api_exchange *exchange, json_t *value, const char *pointer, uint32_t *ret_patience_s)
{
    int64_t number = 0;

    if (!take_integer(exchange, value, pointer, 0, API_VALIDITY_S_MAX, &number))
        return false;
    *ret_patience_s = (uint32_t)number;
    return true;
}

static bool take_patience_s(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    return send_patience_take(exchange, value, pointer, &((struct send_spec *)into)->patience_s);
}

static bool take_country(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    if (!json_is_string(value))
        return api_refuse_type(exchange, value, pointer, "a string");
    return send_country_take(json_string_value(value), ((struct send_spec *)into)->country) ||
           send_refuse_value(exchange, pointer, "the two letters of a country, as \"RO\" (ISO 3166-1)");
}

static bool take_report(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    if (!json_is_boolean(value))
        return api_refuse_type(exchange, value, pointer, "true or false");
    ((struct send_spec *)into)->report = json_is_true(value);
    return true;
}

static bool take_class(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    int64_t number = 0;

    if (!take_integer(exchange, value, pointer, 0, 3, &number))   /* 3GPP TS 23.038 4: class 0 is flash */
        return false;
    ((struct send_spec *)into)->message_class = (int8_t)number;
    return true;
}

static bool take_encoding(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    static const char *const names[] = { [SMS_ENCODING_AUTO] = "auto", [SMS_ENCODING_GSM7] = "gsm7", [SMS_ENCODING_UCS2] = "ucs2" };
    struct send_spec *spec = into;

    if (!json_is_string(value))
        return api_refuse_type(exchange, value, pointer, "a string");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], json_string_value(value)) != 0)
            continue;
        spec->encoding = (enum sms_encoding)i;
        return true;
    }
    return send_refuse_value(exchange, pointer, "\"auto\", \"gsm7\" or \"ucs2\"");
}

static bool take_policy(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    static const enum message_policy policies[] = { MESSAGE_AT_MOST_ONCE, MESSAGE_AT_LEAST_ONCE };

    if (!json_is_string(value))
        return api_refuse_type(exchange, value, pointer, "a string");
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (strcmp(message_policy_name(policies[i]), json_string_value(value)) != 0)
            continue;
        ((struct send_spec *)into)->policy = policies[i];
        return true;
    }
    return send_refuse_value(exchange, pointer, "\"at_most_once\" or \"at_least_once\"");
}

bool send_on_too_little_take(struct api_exchange *exchange, json_t *value, const char *pointer, bool *ret_wait)
{
    if (!json_is_string(value))
        return api_refuse_type(exchange, value, pointer, "a string");
    *ret_wait = strcmp(json_string_value(value), "wait") == 0;
    return *ret_wait || strcmp(json_string_value(value), "refuse") == 0 || send_refuse_value(exchange, pointer, "\"refuse\" or \"wait\"");
}

/* A batch is paid for whole, so no part of it has a say of its own. */
static bool take_on_too_little(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    if (strncmp(pointer, "/messages/", 10) == 0)
        return send_refuse_value(exchange, pointer, "beside \"messages\", since it is about all of them");
    return send_on_too_little_take(exchange, value, pointer, &((struct send_spec *)into)->wait_for_credit);
}

static bool take_client_ref(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    struct send_spec *spec = into;
    size_t length = json_string_length(value);
    const char *text = json_string_value(value);

    if (!json_is_string(value))
        return api_refuse_type(exchange, value, pointer, "a string");
    if (length == 0 || length > MESSAGE_CLIENT_REF_MAX)
        return send_refuse_value(exchange, pointer, "a text of 1 to 128 octets");
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return send_refuse_value(exchange, pointer, "a text without control characters");
    spec->client_ref = text;
    return true;
}

static const struct api_field send_fields[] = {
    { "to", true, take_to },
    { "text", true, take_text },
    { "priority", false, take_priority },
    { "schedule_at", false, take_schedule_at },
    { "validity_s", false, take_validity_s },
    { "patience_s", false, take_patience_s },
    { "country", false, take_country },
    { "report", false, take_report },
    { "class", false, take_class },
    { "encoding", false, take_encoding },
    { "policy", false, take_policy },
    { "on_too_little", false, take_on_too_little },
    { "client_ref", false, take_client_ref },
};

bool send_spec_take(struct api_exchange *exchange, json_t *object, const char *base, struct send_spec *ret_spec)
{
    const struct api_config *config = &exchange->api->config;

    *ret_spec = (struct send_spec){ .validity_s = config->validity_s, .priority = MESSAGE_PRIORITY_DEFAULT, .message_class = -1,
                                    .report = config->report, .policy = MESSAGE_AT_MOST_ONCE,
                                    .patience_s = exchange->patience_s, .encoding = SMS_ENCODING_AUTO };
    if (!json_is_object(object))
        return api_refuse_type(exchange, object, base, "an object");
    return api_take_fields(exchange, object, base, send_fields, sizeof send_fields / sizeof send_fields[0], ret_spec);
}

/* -- texts ----------------------------------------------------------------------------------------------------- */

void send_error_set(struct send_error *error, enum api_problem_code code, json_t *extra, const char *detail)
{
    *error = (struct send_error){ .is_set = true, .code = code, .extra = extra };
    api_text_clean(detail, error->detail, sizeof error->detail);
}

static void set_too_many_parts(struct send_error *error, uint32_t needed, uint16_t allowed)
{
    json_t *extra = json_object();
    char detail[96];

    json_put_int(extra, "needed", needed);
    json_put_int(extra, "allowed", allowed);
    (void)snprintf(detail, sizeof detail, "The text takes %lu parts; %u are allowed", (unsigned long)needed, (unsigned)allowed);
    send_error_set(error, PROBLEM_TOO_MANY_PARTS, extra, detail);
}

static void set_not_in_alphabet(struct send_error *error, const char *text, size_t length, uint32_t at)
{
    json_t *extra = json_object();
    uint32_t code_point = 0, offset = 0;
    char character[UTF8_BYTES_MAX + 1] = "", name[16], detail[128];

    for (size_t used = 0; used < at; offset++) {   /* people count characters, not octets */
        uint32_t skipped;
        int taken = utf8_next(text + used, length - used, &skipped);
        used += taken > 0 ? (size_t)taken : 1;
    }
    if (utf8_next(text + at, length - at, &code_point) > 0)
        character[utf8_put(code_point, character)] = '\0';
    (void)snprintf(name, sizeof name, "U+%04lX", (unsigned long)code_point);
    (void)snprintf(detail, sizeof detail, "\"%s\" (%s) at character %lu is not in the GSM 7-bit alphabet", character, name,
                   (unsigned long)offset + 1);
    json_put_text(extra, "character", character);
    json_put_text(extra, "code_point", name);
    json_put_int(extra, "offset", offset);
    send_error_set(error, PROBLEM_NOT_IN_ALPHABET, extra, detail);
}

int send_text_plan(const struct api_config *config, const struct send_spec *spec, struct sms_split *ret_split,
                   struct send_error *ret_error)
{
    const char *text = json_string_value(spec->text), *sentence = NULL;
    size_t length = json_string_length(spec->text);
    struct sms_split_options options = { .encoding = spec->encoding, .national = config->national, .downgrade = config->downgrade,
                                         .ref16 = config->ref16, .parts_max = config->parts_max };
    uint32_t at = 0;
    int r;

    if (length == 0) {
        send_error_set(ret_error, PROBLEM_EMPTY_TEXT, NULL, "The text is empty");
        return 0;
    }
    if (memchr(text, '\0', length)) {
        send_error_set(ret_error, PROBLEM_NUL_IN_TEXT, NULL, "The text has a NUL character in it");
        return 0;
    }
    if (length > MESSAGE_TEXT_BYTES_MAX) {
        uint32_t needed = sms_split_count(text, length, &options);
        if (needed > config->parts_max)
            set_too_many_parts(ret_error, needed, config->parts_max);
        else
            send_error_set(ret_error, PROBLEM_TEXT_TOO_LONG, NULL, "The text is longer than 40000 octets");
        return 0;
    }
    r = sms_split(text, length, &options, ret_split, &at, &sentence);
    if (r == 0 && ret_split->text_length > MESSAGE_TEXT_BYTES_MAX) {
        sms_split_done(ret_split);
        *ret_split = (struct sms_split){ 0 };
        send_error_set(ret_error, PROBLEM_TEXT_TOO_LONG, NULL, "The text is longer than 40000 octets");
    } else if (r == -E2BIG) {
        set_too_many_parts(ret_error, at, config->parts_max);
    } else if (r == -EINVAL) {
        set_not_in_alphabet(ret_error, text, length, at);
    } else if (r == -EILSEQ) {
        send_error_set(ret_error, PROBLEM_BAD_VALUE, NULL, sentence ? sentence : "The text is not UTF-8");
    } else if (r < 0) {
        return -ENOMEM;
    }
    return 0;
}

