/* SPDX-License-Identifier: Apache-2.0
 *
 * wire_answer.c - answers, and what is none. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/sync/wire_internal.h"

#define NETWORK_AUTHENTICATION_REQUIRED 511  /* RFC 6585 6: never of the server that was asked, always of a captive portal */

/* -- bodies ------------------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct wire_answer, member)
#define PROTOCOL_AND_TIME { "protocol", FIELD_PROTOCOL, 0, 0, 0, NULL, 0, NULL, NULL }, \
                          { "time_ms", FIELD_I64, AT(time_ms), 0, INT64_MAX, NULL, 0, NULL, NULL }
#define HEAD(name, member, present) { name, FIELD_OBJECT, AT(member), 0, 0, &wire_head_fields, present, NULL, NULL }
#define ACCOUNT(fields, member, present) { "account", FIELD_OBJECT, AT(member), 0, 0, fields, present, NULL, NULL }

static const struct field account_field[] = {   /* below zero: it owes */
    { "available_micro", FIELD_I64, 0, -INT64_MAX, INT64_MAX, NULL, 0, NULL, NULL },
};
static const struct fields account = FIELDS(account_field);

static const struct field enrolled_fields[] = {
    PROTOCOL_AND_TIME,
    { "box_id", FIELD_HEX, AT(enrolled.box_id), 0, LEASE_BOX_ID_OCTETS, NULL, 0, NULL, NULL },
    { "epoch", FIELD_U32, AT(enrolled.epoch), 1, UINT32_MAX, NULL, 0, NULL, NULL },
    { "certificate", FIELD_PEM, AT(enrolled.certificate), 1, WIRE_CERTIFICATE_CHARS, NULL, 0, NULL, NULL },
    { "account_key", FIELD_HEX, AT(enrolled.account_key), 0, LEASE_PUBLIC_KEY_OCTETS, NULL, 0, NULL, NULL },
    { "account", FIELD_LINE, AT(enrolled.account), 1, WIRE_NAME_CHARS, NULL, 0, NULL, NULL },
};
static const struct field lease_fields[] = {
    PROTOCOL_AND_TIME,
    { "lease", FIELD_SPECIAL, 0, 0, 0, NULL, 0, wire_lease_encode, wire_lease_decode },
    ACCOUNT(&account, lease.available_micro, 0),
};
static const struct field usage_fields[] = {
    PROTOCOL_AND_TIME,
    HEAD("acked", usage.acked, 0),
    ACCOUNT(&account, usage.available_micro, 0),
    { "commands", FIELD_U64, AT(usage.commands), 0, INT64_MAX, NULL, 0, NULL, NULL },
};
static const struct field closed_fields[] = {
    PROTOCOL_AND_TIME,
    { "lease_id", FIELD_U64, AT(closed.lease_id), 1, INT64_MAX, NULL, 0, NULL, NULL },
    { "returned_micro", FIELD_I64, AT(closed.returned_micro), 0, LEASE_GRANT_MICRO_MAX, NULL, 0, NULL, NULL },
};
static const struct field papers_fields[] = {
    PROTOCOL_AND_TIME,
    { "last_lease_id", FIELD_U64, AT(papers.last_lease_id), 0, INT64_MAX, NULL, 0, NULL, NULL },
    { "unclosed", FIELD_SPECIAL, 0, 0, 0, NULL, 0, wire_unclosed_encode, wire_unclosed_decode },
};
static const struct field commands_fields[] = {
    PROTOCOL_AND_TIME,
    { "commands", FIELD_SPECIAL, 0, 0, 0, NULL, 0, wire_commands_encode, wire_commands_decode },
};
static const struct field prices_fields[] = {
    PROTOCOL_AND_TIME,
    { "version", FIELD_U32, AT(prices.version), 1, UINT32_MAX, NULL, 0, NULL, NULL },
    { "sha256", FIELD_HEX, AT(prices.sha256), 0, SHA256_OCTETS, NULL, 0, NULL, NULL },
    { "csv", FIELD_SPECIAL, 0, 0, 0, NULL, 0, wire_csv_encode, wire_csv_decode },
};

static const struct fields answers[WIRE_CALLS] = {
    [WIRE_ENROLL] = FIELDS(enrolled_fields), [WIRE_LEASES] = FIELDS(lease_fields),     [WIRE_USAGE] = FIELDS(usage_fields),
    [WIRE_CLOSE] = FIELDS(closed_fields),    [WIRE_PAPERS] = FIELDS(papers_fields),    [WIRE_COMMANDS] = FIELDS(commands_fields),
    [WIRE_PRICES] = FIELDS(prices_fields),
};

/* -- a problem, RFC 9457 ---------------------------------------------------------------------------------------------- */

static json_t *title_encode(const void *base, int *ret_error)
{
    (void)ret_error;
    return json_string_nocheck(wire_code_words(((const struct wire_answer *)base)->problem.code));
}

static int title_decode(json_t *value, void *base, const struct place *place)
{
    (void)value, (void)base, (void)place;    /* the code says it */
    return 0;
}

/* A problem and, beside the answer, whether it has a detail. */
struct problem { struct wire_answer answer; bool has_title, has_detail; };

static const struct field problem_field[] = {   /* "type" is about:blank, which need not be there (RFC 9457 3.1.1) */
    PROTOCOL_AND_TIME,
    { "code", FIELD_TOKEN, AT(problem.code_text), 1, WIRE_CODE_CHARS, NULL, 0, NULL, NULL },
    { "status", FIELD_U16, AT(problem.status), 400, 599, NULL, 0, NULL, NULL },
    { "title", FIELD_SPECIAL, 0, 0, 0, NULL, offsetof(struct problem, has_title), title_encode, title_decode },
    { "detail", FIELD_LINE, AT(problem.detail), 0, WIRE_DETAIL_CHARS, NULL, offsetof(struct problem, has_detail), NULL, NULL },
    HEAD("acked", problem.acked, AT(problem.has_acked)),
    ACCOUNT(&account, problem.available_micro, AT(problem.has_available)),
};
static const struct fields problem_fields = { problem_field, sizeof problem_field / sizeof problem_field[0], true };

static json_t *problem_encode(const struct wire_answer *answer, int *ret_error)
{
    enum wire_code code = answer->problem.code;
    struct problem problem = { .answer = { .call = answer->call, .time_ms = answer->time_ms, .problem = answer->problem }, .has_title = true };

    *ret_error = -EINVAL;
    if ((unsigned)code >= WIRE_OTHER || (code == WIRE_GAP && !answer->problem.has_acked))
        return NULL;
    problem.answer.problem.status = wire_code_status(code);
    memset(problem.answer.problem.code_text, 0, sizeof problem.answer.problem.code_text);
    memcpy(problem.answer.problem.code_text, wire_code_name(code), strlen(wire_code_name(code)));
    problem.has_detail = answer->problem.detail[0] != '\0';
    return fields_encode(&problem_fields, &problem, ret_error);
}

static int problem_decode(json_t *root, uint16_t status, struct wire_answer *answer, const struct place *place)
{
    struct problem problem = { .answer = *answer };
    struct wire_problem *found = &problem.answer.problem;
    struct place inside;
    int r = fields_decode(&problem_fields, root, &problem, place);

    if (r < 0)
        return r;
    found->code = wire_code_of(found->code_text);
    if (found->status != status || (found->code != WIRE_OTHER && status != wire_code_status(found->code))) {
        inside = wire_inside(place, "status");
        return wire_refuse(&inside, "must be that of HTTP, and that of the code");
    }
    if (found->code == WIRE_GAP && !found->has_acked) {
        inside = wire_inside(place, "acked");
        return wire_refuse(&inside, "is missing");
    }
    *answer = problem.answer;
    return 0;
}

/* -- both ways -------------------------------------------------------------------------------------------------------- */

size_t wire_answer_max(enum wire_call call)
{
    assert(call < WIRE_CALLS);
    return call == WIRE_PRICES ? WIRE_PRICES_BODY_MAX : WIRE_BODY_MAX;
}

int wire_answer_encode(const struct wire_answer *answer, uint16_t *ret_status, const char **ret_content_type, char **ret_body, size_t *ret_length)
{
    bool ok = answer->problem.code == WIRE_OK;
    json_t *root;
    int error = 0, r;

    if ((unsigned)answer->call >= WIRE_CALLS)
        return -EINVAL;
    root = ok ? fields_encode(&answers[answer->call], answer, &error) : problem_encode(answer, &error);
    r = wire_dump(root, error, wire_answer_max(answer->call), ret_body, ret_length);
    if (r < 0)
        return r;
    *ret_status = wire_code_status(answer->problem.code);
    *ret_content_type = ok ? "application/json" : "application/problem+json";
    return 0;
}

int wire_answer_decode(enum wire_call call, uint16_t status, const char *body, size_t length, struct wire_answer *ret_answer,
                       struct wire_error *error)
{
    struct wire_answer answer = { .call = call };
    struct wire_error why = { 0 };
    struct place place = { .error = &why };
    json_t *root = NULL;
    int r;

    assert(call < WIRE_CALLS);
    if ((status != 200 && (status < 400 || status > 599)) || status == NETWORK_AUTHENTICATION_REQUIRED)
        r = wire_refuse(&place, "HTTP status %u is none of the account", status);
    else
        r = wire_load(body, length, wire_answer_max(call), &root, &why);
    if (r == 0)
        r = status == 200 ? fields_decode(&answers[call], root, &answer, &place) : problem_decode(root, status, &answer, &place);
    json_decref(root);
    if (r < 0) {
        wire_answer_done(&answer);
        if (r == -EINVAL)
            *error = why;
        return r == -EINVAL ? -EBADMSG : r;
    }
    if (status == 200)
        answer.problem.status = 200;
    *ret_answer = answer;
    return 0;
}

void wire_answer_done(struct wire_answer *answer)
{
    if (answer->problem.code == WIRE_OK && answer->call == WIRE_COMMANDS)
        free(answer->commands.commands);
    else if (answer->problem.code == WIRE_OK && answer->call == WIRE_PRICES)
        free(answer->prices.csv);
    *answer = (struct wire_answer){ 0 };
}
