/* SPDX-License-Identifier: Apache-2.0
 *
 * api_send.h - what one object of a POST /v1/messages asks for, and what may be wrong with it. */
#ifndef CELLPOST_API_SEND_H
#define CELLPOST_API_SEND_H

#include "src/api/api_internal.h"
#include "src/sms/sms_split.h"

struct send_spec {
    json_t *to, *text;                   /* borrowed from the body: a string or an array of strings; a string */
    const char *client_ref;              /* borrowed; NULL none */
    int64_t schedule_ms, validity_s;
    uint8_t priority;
    int8_t message_class;
    bool report;
    enum message_policy policy;
    enum sms_encoding encoding;
};

/* Why a number or a text will not go: of this entry alone, not of the request. */
struct send_error {
    bool is_set;
    enum api_problem_code code;
    char detail[MESSAGE_REASON_MAX];
    json_t *extra;                       /* further members, owned; NULL none */
};
void send_error_set(struct send_error *error, enum api_problem_code code, json_t *extra, const char *detail);

/* The fields of an object whose JSON pointer is base. False: its shape is wrong, and that is the answer. */
bool send_spec_take(struct api_exchange *exchange, json_t *object, const char *base, struct send_spec *ret_spec);
bool send_refuse_value(struct api_exchange *exchange, const char *pointer, const char *wanted);   /* false */

/* The number as it is kept and dialled, or why no message goes there and, cleaned, what was written. 0 or -ENOMEM. */
int send_number_plan(const struct api_config *config, const char *to, char ret_number[MESSAGE_TO_MAX], struct send_error *ret_error);

/* The text as it will be cut and coded (sms_split_done() is the caller's), or why not. 0 or -ENOMEM. */
int send_text_plan(const struct api_config *config, const struct send_spec *spec, struct sms_split *ret_split,
                   struct send_error *ret_error);

#endif
