/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.c - requests. */
#include "src/sync/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sync/wire_internal.h"

/* -- bodies ------------------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct wire_request, member)
#define PROTOCOL { "protocol", FIELD_PROTOCOL, 0, 0, 0, NULL, 0, NULL, NULL }
#define EPOCH { "epoch", FIELD_U32, AT(epoch), 1, UINT32_MAX, NULL, 0, NULL, NULL }
#define HEAD(member) { "head", FIELD_OBJECT, AT(member), 0, 0, &wire_head_fields, 0, NULL, NULL }

static const struct field enroll_fields[] = {
    PROTOCOL,
    { "token", FIELD_TOKEN, AT(enroll.token), 1, WIRE_TOKEN_CHARS, NULL, 0, NULL, NULL },
    { "nonce", FIELD_HEX, AT(enroll.nonce), 0, WIRE_NONCE_OCTETS, NULL, 0, NULL, NULL },
    { "csr", FIELD_PEM, AT(enroll.csr), 1, WIRE_CSR_CHARS, NULL, 0, NULL, NULL },
    { "hw_fingerprint", FIELD_HEX, AT(enroll.hw_fingerprint), 0, SHA256_OCTETS, NULL, 0, NULL, NULL },
    { "version", FIELD_LINE, AT(enroll.version), 1, WIRE_VERSION_CHARS, NULL, 0, NULL, NULL },
};
static const struct field lease_fields[] = {
    PROTOCOL, EPOCH,
    { "request_id", FIELD_HEX, AT(lease.request_id), 0, WIRE_REQUEST_ID_OCTETS, NULL, 0, NULL, NULL },
    { "want_micro", FIELD_I64, AT(lease.want_micro), 1, LEASE_GRANT_MICRO_MAX, NULL, 0, NULL, NULL },
    HEAD(lease.head),
    { "open_lease_id", FIELD_U64, AT(lease.open_lease_id), 0, INT64_MAX, NULL, 0, NULL, NULL },
    { "last_lease_id", FIELD_U64, AT(lease.last_lease_id), 0, INT64_MAX, NULL, 0, NULL, NULL },
};
static const struct field usage_fields[] = {   /* entries are chained behind what is before them here */
    PROTOCOL, EPOCH,
    { "from_seq", FIELD_U64, AT(usage.from_seq), 1, INT64_MAX, NULL, 0, NULL, NULL },
    { "prev_hash", FIELD_HEX, AT(usage.prev_hash), 0, SHA256_OCTETS, NULL, 0, NULL, NULL },
    { "entries", FIELD_SPECIAL, 0, 0, 0, NULL, 0, wire_entries_encode, wire_entries_decode },
    HEAD(usage.head),
    { "command", FIELD_U64, AT(usage.command), 0, INT64_MAX, NULL, 0, NULL, NULL },
};
static const struct field close_fields[] = {
    PROTOCOL, EPOCH, HEAD(close.head),
    { "captured_micro", FIELD_I64, AT(close.captured_micro), 0, LEASE_GRANT_MICRO_MAX, NULL, 0, NULL, NULL },
    { "rest_micro", FIELD_I64, AT(close.rest_micro), 0, LEASE_GRANT_MICRO_MAX, NULL, 0, NULL, NULL },
};
static const struct field papers_fields[] = {
    PROTOCOL, EPOCH,
    { "leases", FIELD_SPECIAL, 0, 0, 0, NULL, 0, wire_papers_encode, wire_papers_decode },
};

/* A target is before || a number, where there is one || behind. */
static const struct call {
    const char *name, *method, *before, *behind;
    bool numbered;
    uint64_t number_max;
    struct fields fields;                    /* none: no body */
} calls[WIRE_CALLS] = {
    [WIRE_ENROLL] = { "enroll", "POST", "/v1/enroll", "", false, 0, FIELDS(enroll_fields) },
    [WIRE_LEASES] = { "leases", "POST", "/v1/leases", "", false, 0, FIELDS(lease_fields) },
    [WIRE_USAGE] = { "usage", "POST", "/v1/usage", "", false, 0, FIELDS(usage_fields) },
    [WIRE_CLOSE] = { "close", "POST", "/v1/leases/", "/close", true, INT64_MAX, FIELDS(close_fields) },
    [WIRE_PAPERS] = { "papers", "POST", "/v1/leases/papers", "", false, 0, FIELDS(papers_fields) },
    [WIRE_COMMANDS] = { "commands", "GET", "/v1/commands", "", false, 0, { NULL, 0, false } },
    [WIRE_PRICES] = { "prices", "GET", "/v1/prices/", "", true, UINT32_MAX, { NULL, 0, false } },
};

const char *wire_call_name(enum wire_call call)
{
    assert(call < WIRE_CALLS);
    return calls[call].name;
}

/* -- targets -------------------------------------------------------------------------------------------------------- */

/* Decimal digits without leading zeros, from min to max. */
static bool number_of(const char *text, size_t length, uint64_t min, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (length == 0 || (length > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || number > (max - (uint64_t)(text[i] - '0')) / 10)
            return false;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    *ret_number = number;
    return number >= min;
}

/* Whether a path is that of a call. */
static bool path_is(const struct call *call, const char *path, size_t length, uint64_t *ret_number)
{
    size_t before = strlen(call->before), behind = strlen(call->behind);

    if (length < before + behind || memcmp(path, call->before, before) != 0 || memcmp(path + length - behind, call->behind, behind) != 0)
        return false;
    return call->numbered ? number_of(path + before, length - before - behind, 1, call->number_max, ret_number) : length == before + behind;
}

/* "after=7&epoch=2", in either order. */
static int query_decode(const char *query, struct wire_request *request, const struct place *root)
{
    static const struct { const char *name; size_t length; uint64_t min, max; } known[] = {
        { "after=", 6, 0, INT64_MAX }, { "epoch=", 6, 1, UINT32_MAX },
    };
    uint64_t numbers[2] = { 0 };
    bool seen[2] = { false };

    for (const char *at = query ? query : ""; *at != '\0';) {
        size_t length = strcspn(at, "&"), i = 0;
        struct place inside;

        while (i < 2 && strncmp(at, known[i].name, known[i].length) != 0)
            i++;
        inside = wire_inside_of(root, at, i < 2 ? known[i].length - 1 : strcspn(at, "=&"));
        if (i == 2)
            return wire_refuse(&inside, "is not known in this query");
        if (seen[i])
            return wire_refuse(&inside, "is there twice");
        if (!number_of(at + known[i].length, length - known[i].length, known[i].min, known[i].max, &numbers[i]))
            return wire_refuse(&inside, "must be an integer from %llu to %llu", (unsigned long long)known[i].min, (unsigned long long)known[i].max);
        seen[i] = true;
        at += length;
        if (*at == '&' && *++at == '\0')
            return wire_refuse(root, "has a query that ends in the middle");
    }
    for (size_t i = 0; i < 2; i++) {
        if (!seen[i]) {
            struct place inside = wire_inside_of(root, known[i].name, known[i].length - 1);

            return wire_refuse(&inside, "is missing in the query");
        }
    }
    request->commands.after = numbers[0];
    request->epoch = (uint32_t)numbers[1];
    return 0;
}

/* -- both ways -------------------------------------------------------------------------------------------------------- */

static bool number_in_bounds(uint64_t number, const struct call *call) { return number >= 1 && number <= call->number_max; }

static int target_encode(const struct wire_request *request, char *ret_target)
{
    const struct call *call = &calls[request->call];
    uint64_t number = request->call == WIRE_CLOSE ? request->close.lease_id : request->call == WIRE_PRICES ? request->prices.version : 0;

    if (call->numbered && !number_in_bounds(number, call))
        return -EINVAL;
    if (request->call == WIRE_COMMANDS) {
        if (request->epoch == 0 || request->commands.after > INT64_MAX)
            return -EINVAL;
        (void)snprintf(ret_target, WIRE_TARGET_CHARS, "%s?after=%llu&epoch=%u", call->before, (unsigned long long)request->commands.after,
                       request->epoch);
    } else if (call->numbered) {
        (void)snprintf(ret_target, WIRE_TARGET_CHARS, "%s%llu%s", call->before, (unsigned long long)number, call->behind);
    } else {
        (void)snprintf(ret_target, WIRE_TARGET_CHARS, "%s", call->before);
    }
    return 0;
}

int wire_request_encode(const struct wire_request *request, struct wire_message *ret_message)
{
    struct wire_message message = { 0 };
    const struct call *call;
    int r;

    if ((unsigned)request->call >= WIRE_CALLS)
        return -EINVAL;
    call = &calls[request->call];
    if ((request->call == WIRE_ENROLL || request->call == WIRE_PRICES) && request->epoch != 0)
        return -EINVAL;
    r = target_encode(request, message.target);
    if (r < 0)
        return r;
    message.method = call->method;
    if (call->fields.count > 0) {
        int error = 0;
        json_t *root = fields_encode(&call->fields, request, &error);

        r = wire_dump(root, error, WIRE_BODY_MAX, &message.body, &message.length);
        if (r < 0)
            return r;
    }
    *ret_message = message;
    return 0;
}

static int body_decode(const struct call *call, const char *body, size_t length, struct wire_request *request, struct wire_error *error)
{
    struct place place = { .error = error };
    json_t *root;
    int r;

    if (call->fields.count == 0)
        return length > 0 ? wire_refuse(&place, "must have no body") : 0;
    r = wire_load(body, length, WIRE_BODY_MAX, &root, error);
    if (r < 0)
        return r;
    r = fields_decode(&call->fields, root, request, &place);
    json_decref(root);
    if (r == 0 && request->call == WIRE_USAGE && request->usage.head.seq < request->usage.from_seq - 1 + request->usage.count) {
        place = wire_inside(&place, "head");
        place = wire_inside(&place, "seq");
        return wire_refuse(&place, "must not be before the last entry");
    }
    return r;
}

int wire_request_decode(const char *method, const char *target, const char *body, size_t length, struct wire_request *ret_request,
                        struct wire_error *error)
{
    struct wire_request request = { 0 };
    struct wire_error why = { 0 };
    struct place place = { .error = &why };
    size_t path_length = strcspn(target, "?");
    const char *query = target[path_length] == '?' ? target + path_length + 1 : NULL;
    const struct call *call;
    uint64_t number = 0;
    unsigned i = 0;
    int r;

    while (i < WIRE_CALLS && !path_is(&calls[i], target, path_length, &number))
        i++;
    if (i == WIRE_CALLS)
        return -ENOENT;
    call = &calls[i];
    if (strcmp(method, call->method) != 0)
        return -EPERM;
    if (length > WIRE_BODY_MAX)
        return -EMSGSIZE;
    request.call = (enum wire_call)i;
    if (request.call == WIRE_CLOSE)
        request.close.lease_id = number;
    else if (request.call == WIRE_PRICES)
        request.prices.version = (uint32_t)number;
    if (request.call == WIRE_COMMANDS)
        r = query_decode(query, &request, &place);
    else
        r = query ? wire_refuse(&place, "must have no query") : 0;
    if (r == 0)
        r = body_decode(call, body, length, &request, &why);
    if (r < 0) {
        wire_request_done(&request);
        if (r == -EINVAL)
            *error = why;
        return r;
    }
    *ret_request = request;
    return 0;
}

void wire_request_done(struct wire_request *request)
{
    if (request->call == WIRE_USAGE)
        free(request->usage.entries);
    *request = (struct wire_request){ 0 };
}
