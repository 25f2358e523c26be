/* SPDX-License-Identifier: Apache-2.0
 *
 * api_send_batch.c - a body of POST /v1/messages, or of a quote, into the messages it asks for.
 *
 * What is wrong with the shape of the request refuses all of it (400). What is wrong with a number or a text refuses
 * that entry alone; only where nothing is left does the request fail (422). */
#include "src/api/api_send.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_LISTED_MAX 100

char *send_copy_text(const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

static struct accept_message *batch_add(struct send_batch *batch)
{
    if (batch->count == batch->capacity) {
        uint32_t capacity = batch->capacity ? 2 * batch->capacity : 16;
        struct accept_message *grown = realloc(batch->messages, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        batch->messages = grown;
        batch->capacity = capacity;
    }
    batch->messages[batch->count] = (struct accept_message){ 0 };
    return &batch->messages[batch->count++];
}

static void batch_note_error(struct send_batch *batch, const struct send_error *error, const char *pointer)
{
    json_t *item;

    if (batch->error_count++ == 0) {
        batch->first = *error;
        json_incref(batch->first.extra);
        (void)snprintf(batch->first_pointer, sizeof batch->first_pointer, "%s", pointer);
    }
    if (batch->error_count > ERRORS_LISTED_MAX)
        return;
    item = json_object();
    json_put_text(item, "pointer", pointer);
    json_put_text(item, "code", api_problem_code_name(error->code));
    json_put_text(item, "detail", error->detail);
    if (error->extra)
        json_object_update_missing(item, error->extra);
    json_array_append_new(batch->errors, item);
}

/* A text that will not go is kept too, so that its owner finds what was refused; but no more of it than the store holds. */
static size_t kept_length(const char *text, size_t length)
{
    const char *nul = memchr(text, '\0', length);

    if (nul)
        length = (size_t)(nul - text);
    if (length <= MESSAGE_TEXT_BYTES_MAX)
        return length;
    length = MESSAGE_TEXT_BYTES_MAX;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

static int message_fill(struct accept_message *message, const struct send_spec *spec, const struct sms_split *split,
                        const struct api_config *config, int64_t now_ms)
{
    message->priority = spec->priority;
    message->message_class = spec->message_class;
    message->report = spec->report;
    message->ref16 = config->ref16;
    message->policy = spec->policy;
    message->patience_s = spec->patience_s;
    message->due_ms = spec->schedule_ms > now_ms ? spec->schedule_ms : 0;   /* a time that is over: now */
    message->expire_ms = (message->due_ms ? message->due_ms : now_ms) + spec->validity_s * 1000;
    if (spec->client_ref && !(message->client_ref = send_copy_text(spec->client_ref, strlen(spec->client_ref))))
        return -ENOMEM;

    message->coding.parts = 1;
    if (!split->text) {
        size_t length = kept_length(json_string_value(spec->text), json_string_length(spec->text));
        message->coding.alphabet = SMS_UCS2;
        message->text = send_copy_text(json_string_value(spec->text), length);
        message->text_length = (uint32_t)length;
        return message->text ? 0 : -ENOMEM;
    }
    message->text = send_copy_text(split->text, split->text_length);
    message->text_length = split->text_length;
    message->coding.alphabet = (uint8_t)split->alphabet;
    message->coding.locking = split->locking;
    message->coding.single = split->single;
    message->coding.parts = split->count;
    if (split->count > 1) {
        uint16_t *cuts = calloc(split->count, sizeof *cuts);
        if (!cuts)
            return -ENOMEM;
        for (uint16_t i = 0; i < split->count; i++)
            cuts[i] = (uint16_t)split->parts[i].length;
        message->coding.cuts = cuts;
    }
    return message->text ? 0 : -ENOMEM;
}

static int batch_add_recipient(struct send_batch *batch, const struct send_spec *spec, const struct sms_split *split,
                               const struct send_error *text_error, const char *to, const char *pointer)
{
    struct accept_message *message = batch_add(batch);
    struct send_error number_error = { 0 };
    const struct send_error *error = text_error;

    if (!message || message_fill(message, spec, split, &batch->exchange->api->config, batch->exchange->request->now_ms) != 0 ||
        send_number_plan(&batch->exchange->api->config, spec->country, to, message->to, &number_error) != 0)
        return -ENOMEM;
    if (number_error.is_set) {
        batch_note_error(batch, &number_error, pointer);
        error = &number_error;
    }
    if (error->is_set) {
        batch->rejected++;
        (void)snprintf(message->reason, sizeof message->reason, "%s", error->detail);
        (void)snprintf(message->reason_code, sizeof message->reason_code, "%s", api_problem_code_name(error->code));
    }
    return 0;
}

/* One object of the body: its text once, and every recipient of it. False: refused and answered. */
static bool batch_add_spec(struct send_batch *batch, json_t *object, const char *base)
{
    struct api_exchange *exchange = batch->exchange;
    struct send_spec spec;
    struct sms_split split = { 0 };
    struct send_error error = { 0 };
    char pointer[API_POINTER_MAX], at[API_POINTER_MAX + 24];
    size_t count, i;
    int r;

    if (!send_spec_take(exchange, object, base, &spec))
        return false;
    batch->wait_for_credit = batch->wait_for_credit || spec.wait_for_credit;
    count = json_is_array(spec.to) ? json_array_size(spec.to) : 1;
    if (count > API_RECIPIENTS_MAX - batch->count) {
        json_t *extra = json_object();
        json_put_int(extra, "allowed", API_RECIPIENTS_MAX);
        api_problem(exchange->response, PROBLEM_TOO_MANY_RECIPIENTS, "pointer", base, extra,
                    "More than %d recipients: send them in several requests", API_RECIPIENTS_MAX);
        return false;
    }

    r = send_text_plan(&exchange->api->config, &spec, &split, &error);
    if (error.is_set) {
        api_pointer_join(base, "text", pointer);
        batch_note_error(batch, &error, pointer);
    }
    api_pointer_join(base, "to", pointer);
    for (i = 0; r == 0 && i < count; i++) {
        json_t *to = json_is_array(spec.to) ? json_array_get(spec.to, i) : spec.to;
        const char *number = strlen(json_string_value(to)) == json_string_length(to) ? json_string_value(to) : "?";   /* a NUL in it */
        (void)snprintf(at, sizeof at, json_is_array(spec.to) ? "%s/%zu" : "%s", pointer, i);
        r = batch_add_recipient(batch, &spec, &split, &error, number, at);
        (void)snprintf(batch->last_pointer, sizeof batch->last_pointer, "%s", at);
    }
    json_decref(error.extra);
    sms_split_done(&split);
    if (r < 0)
        api_problem_store(exchange->response, r);
    return r == 0;
}

static bool take_messages(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    json_t *item;
    size_t i;

    if (!json_is_array(value))
        return api_refuse_type(exchange, value, pointer, "an array");
    if (json_array_size(value) == 0)
        return send_refuse_value(exchange, pointer, "a list of at least one message");
    json_array_foreach (value, i, item) {
        char base[API_POINTER_MAX];
        (void)snprintf(base, sizeof base, "/messages/%zu", i);
        if (!batch_add_spec(into, item, base))
            return false;
    }
    return true;
}

static bool take_batch_on_too_little(struct api_exchange *exchange, json_t *value, const char *pointer, void *into)
{
    return send_on_too_little_take(exchange, value, pointer, &((struct send_batch *)into)->wait_for_credit);
}

static void batch_refuse_all(struct send_batch *batch)
{
    struct api_response *response = batch->exchange->response;
    json_t *extra;

    if (batch->error_count == 1) {
        api_problem(response, batch->first.code, "pointer", batch->first_pointer, json_incref(batch->first.extra), "%s",
                    batch->first.detail);
        return;
    }
    extra = json_object();
    json_object_set(extra, "errors", batch->errors);
    api_problem(response, PROBLEM_ALL_REJECTED, NULL, NULL, extra, "None of the %lu messages can be sent; the first: %s",
                (unsigned long)batch->count, batch->first.detail);
}

bool send_batch_read(struct send_batch *batch, json_t *body)
{
    static const struct api_field fields[] = { { "messages", true, take_messages }, { "on_too_little", false, take_batch_on_too_little } };

    batch->errors = json_array();
    if (!(json_object_get(body, "messages") ? api_take_fields(batch->exchange, body, "", fields, 2, batch) : batch_add_spec(batch, body, "")))
        return false;
    if (batch->rejected < batch->count)
        return true;
    batch_refuse_all(batch);
    return false;
}

void send_batch_done(struct send_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        free(batch->messages[i].text);
        free(batch->messages[i].client_ref);
        free((void *)batch->messages[i].coding.cuts);
    }
    free(batch->messages);
    json_decref(batch->errors);
    json_decref(batch->first.extra);
    *batch = (struct send_batch){ 0 };
}
