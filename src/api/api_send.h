/* SPDX-License-Identifier: Apache-2.0
 *
 * api_send.h - what one object of a POST /v1/messages asks for, and what may be wrong with it. */
#ifndef CELLPOST_API_SEND_H
#define CELLPOST_API_SEND_H

#include "src/api/api_internal.h"
#include "src/number/number.h"
#include "src/sms/sms_split.h"

struct send_spec {
    json_t *to, *text;                   /* borrowed from the body: a string or an array of strings; a string */
    const char *client_ref;              /* borrowed; NULL none */
    char country[3];                     /* what national forms of these numbers are read in; "": as configured */
    int64_t schedule_ms, validity_s;
    uint32_t patience_s;                 /* MESSAGE_PATIENCE_AS_ROUTED */
    uint8_t priority;
    int8_t message_class;
    bool report;
    bool wait_for_credit;                /* of the whole batch */
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
/* How long it may wait for a cheaper bearer. False: no such time, and that is the answer. */
bool send_patience_take(struct api_exchange *exchange, json_t *value, const char *pointer, uint32_t *ret_patience_s);
/* "refuse" or "wait". False: neither, and that is the answer. */
bool send_on_too_little_take(struct api_exchange *exchange, json_t *value, const char *pointer, bool *ret_wait);
bool send_refuse_value(struct api_exchange *exchange, const char *pointer, const char *wanted);   /* false */

/* The number as it is kept and dialled, or why no message goes there and, cleaned, what was written. country: "" for the
 * configured one. 0 or -ENOMEM. */
int send_number_plan(const struct api_config *config, const char *country, const char *to, char ret_number[MESSAGE_TO_MAX],
                     struct send_error *ret_error);
/* Why no message goes to a number that is one. */
void send_number_judge(const struct api_config *config, const struct number *number, struct send_error *ret_error);
/* Takes "RO" and "ro". */
bool send_country_take(const char *text, char ret_country[3]);

/* The text as it will be cut and coded (sms_split_done() is the caller's), or why not. 0 or -ENOMEM. */
int send_text_plan(const struct api_config *config, const struct send_spec *spec, struct sms_split *ret_split,
                   struct send_error *ret_error);

/* All messages of one body. */
struct send_batch {
    struct api_exchange *exchange;
    struct accept_message *messages;     /* those with a reason are refused */
    uint32_t count, capacity, rejected;
    bool wait_for_credit;                /* with too little credit it is taken all the same, and waits */
    json_t *errors;                      /* as the 422 lists them */
    uint32_t error_count;
    struct send_error first;             /* of them; its extra is a reference of its own */
    char first_pointer[API_POINTER_MAX];
    char last_pointer[API_POINTER_MAX + 24];   /* of the last recipient */
};
/* False: refused and answered; also where nothing is left to send. Either way send_batch_done() is the caller's. */
bool send_batch_read(struct send_batch *batch, json_t *body);
void send_batch_done(struct send_batch *batch);
char *send_copy_text(const char *text, size_t length);   /* NULL: no memory */

#endif
