/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/central/desk.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What boxes hear. Statuses that only persons get are our own mistake here. */
static const enum wire_code codes[ACCOUNT_STATUSES] = {
    [ACCOUNT_OK] = WIRE_OK,
    [ACCOUNT_UNKNOWN_BOX] = WIRE_UNKNOWN_BOX,
    [ACCOUNT_OLD_EPOCH] = WIRE_OLD_EPOCH,
    [ACCOUNT_FENCED] = WIRE_FENCED,
    [ACCOUNT_FROZEN] = WIRE_FROZEN,
    [ACCOUNT_ID_REUSED] = WIRE_ID_REUSED,
    [ACCOUNT_HEAD_DIFFERS] = WIRE_HEAD_DIFFERS,
    [ACCOUNT_UNCLOSED] = WIRE_UNCLOSED,
    [ACCOUNT_NO_CREDIT] = WIRE_NO_CREDIT,
    [ACCOUNT_NO_PRICES] = WIRE_NO_PRICES,
    [ACCOUNT_FORK] = WIRE_FORK,
    [ACCOUNT_GAP] = WIRE_GAP,
    [ACCOUNT_BAD_ENTRIES] = WIRE_BAD_ENTRIES,
    [ACCOUNT_NO_LEASE] = WIRE_NO_LEASE,
    [ACCOUNT_UNKNOWN_LEASE] = WIRE_UNKNOWN_LEASE,
    [ACCOUNT_BAD_LEASE] = WIRE_BAD_LEASE,
    [ACCOUNT_BAD_TOKEN] = WIRE_BAD_TOKEN,
    [ACCOUNT_TOKEN_USED] = WIRE_TOKEN_USED,
    [ACCOUNT_BAD_CSR] = WIRE_BAD_CSR,
    [ACCOUNT_BAD_AMOUNT] = WIRE_BAD_REQUEST,
};

_Static_assert(ACCOUNT_UNCLOSED_MAX == WIRE_UNCLOSED_MAX, "what the account tells fits into an answer");

struct visit {
    const struct desk *desk;
    const struct account_db *db;
    const struct wire_request *request;
    struct account_caller caller;
    int64_t now_ms;
    struct wire_answer answer;
};

/* -- calls ----------------------------------------------------------------------------------------------------------------- */

static int visit_enroll(struct visit *visit, enum account_status *ret_status)
{
    const struct wire_enroll *asked = &visit->request->enroll;
    struct account_enrol_ask ask = { .token = asked->token, .csr = asked->csr, .version = asked->version };
    struct wire_enrolled *enrolled = &visit->answer.enrolled;
    struct account_enrol_told told;
    int r;

    memcpy(ask.nonce, asked->nonce, sizeof ask.nonce);
    memcpy(ask.hw_fingerprint, asked->hw_fingerprint, sizeof ask.hw_fingerprint);
    r = account_enrol(visit->db, &visit->desk->hands, &ask, visit->now_ms, ret_status, &told);
    if (r < 0 || *ret_status != ACCOUNT_OK)
        return r;
    memcpy(enrolled->box_id, told.box, sizeof enrolled->box_id);
    enrolled->epoch = told.epoch;
    memcpy(enrolled->account_key, visit->desk->account_key, sizeof enrolled->account_key);
    (void)snprintf(enrolled->certificate, sizeof enrolled->certificate, "%s", told.certificate);
    (void)snprintf(enrolled->account, sizeof enrolled->account, "%s", told.account);
    memcpy(visit->caller.box, told.box, sizeof told.box);
    return 0;
}

static int visit_leases(struct visit *visit, enum account_status *ret_status)
{
    const struct wire_lease_request *asked = &visit->request->lease;
    struct account_lease_ask ask = { .want_micro = asked->want_micro, .head = asked->head, .open_lease_id = asked->open_lease_id,
                                     .last_lease_id = asked->last_lease_id };
    struct account_lease_told told = { .available_micro = 0 };
    int r;

    memcpy(ask.request, asked->request_id, sizeof ask.request);
    r = account_lease(visit->db, &visit->desk->hands, &visit->caller, &ask, visit->now_ms, ret_status, &told);
    if (r < 0)
        return r;
    if (*ret_status == ACCOUNT_OK) {
        visit->answer.lease.lease = told.lease;
        visit->answer.lease.available_micro = told.available_micro;
    } else if (*ret_status == ACCOUNT_NO_CREDIT) {
        visit->answer.problem.has_available = true;
        visit->answer.problem.available_micro = told.available_micro;
    }
    return 0;
}

static int visit_usage(struct visit *visit, enum account_status *ret_status)
{
    const struct wire_usage *asked = &visit->request->usage;
    struct account_usage_ask ask = { .from_seq = asked->from_seq, .entries = asked->entries, .count = asked->count, .head = asked->head,
                                     .command = asked->command };
    struct account_usage_told told = { .commands = 0 };
    int r;

    memcpy(ask.prev_hash, asked->prev_hash, sizeof ask.prev_hash);
    r = account_usage(visit->db, &visit->desk->hands, &visit->caller, &ask, visit->now_ms, ret_status, &told);
    if (r < 0)
        return r;
    if (*ret_status == ACCOUNT_OK) {
        visit->answer.usage.acked = told.acked;
        visit->answer.usage.available_micro = told.available_micro;
        visit->answer.usage.commands = told.commands;
    } else if (*ret_status == ACCOUNT_GAP) {
        visit->answer.problem.has_acked = true;
        visit->answer.problem.acked = told.acked;
    }
    return 0;
}

static int visit_close(struct visit *visit, enum account_status *ret_status)
{
    const struct wire_close *asked = &visit->request->close;
    struct account_close_ask ask = { asked->lease_id, asked->head, asked->captured_micro, asked->rest_micro };

    visit->answer.closed.lease_id = asked->lease_id;
    return account_close(visit->db, &visit->caller, &ask, visit->now_ms, ret_status, &visit->answer.closed.returned_micro);
}

static int visit_papers(struct visit *visit, enum account_status *ret_status)
{
    const struct wire_papers *asked = &visit->request->papers;
    struct account_papers_told told = { .last_lease_id = 0 };
    struct wire_answer *answer = &visit->answer;
    int r = account_papers(visit->db, &visit->desk->hands, visit->desk->account_key, &visit->caller, asked->leases, asked->count, visit->now_ms,
                           ret_status, &told);

    if (r < 0)
        return r;
    if (*ret_status == ACCOUNT_OK) {
        answer->papers.last_lease_id = told.last_lease_id;
        answer->papers.unclosed_count = told.unclosed_count;
        memcpy(answer->papers.unclosed, told.unclosed, sizeof told.unclosed);
    } else if (*ret_status == ACCOUNT_NO_CREDIT) {
        answer->problem.has_available = true;
        answer->problem.available_micro = told.available_micro;
    }
    return 0;
}

static int add_command(void *context, const struct account_command *row)
{
    struct wire_answer *answer = context;

    if (answer->commands.count == WIRE_COMMANDS_MAX)
        return 1;
    answer->commands.commands[answer->commands.count++] = row->command;
    return 0;
}

static int visit_commands(struct visit *visit, enum account_status *ret_status)
{
    struct wire_answer *answer = &visit->answer;
    int r;

    answer->commands.commands = calloc(WIRE_COMMANDS_MAX, sizeof *answer->commands.commands);
    if (!answer->commands.commands)
        return -ENOMEM;
    r = account_commands(visit->db, &visit->caller, visit->request->commands.after, add_command, answer, ret_status);
    if (r < 0 || *ret_status != ACCOUNT_OK) {
        free(answer->commands.commands);     /* a problem has none */
        answer->commands.commands = NULL;
        answer->commands.count = 0;
    }
    return r;
}

/* The CSV is lent by the storage until its next call. */
static int visit_prices(struct visit *visit, enum account_status *ret_status)
{
    const struct account_db_ops *ops = visit->db->ops;
    struct account_price price;
    char *csv = NULL;
    int r = -EAGAIN;

    for (unsigned attempt = 0; attempt < ACCOUNT_TRIES && r == -EAGAIN; attempt++) {
        r = ops->begin(visit->db->db, attempt);
        if (r == 0)
            r = ops->price_get(visit->db->db, visit->request->prices.version, &price);
        if (r == 0 && !(csv = malloc(price.csv_length + 1)))
            r = -ENOMEM;
        if (r == 0) {
            memcpy(csv, price.csv, price.csv_length);
            csv[price.csv_length] = '\0';
        }
        ops->rollback(visit->db->db);        /* it was read alone */
    }
    *ret_status = r == -ENOENT ? ACCOUNT_NO_PRICES : ACCOUNT_OK;
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    visit->answer.prices.version = price.version;
    memcpy(visit->answer.prices.sha256, price.sha256, sizeof price.sha256);
    visit->answer.prices.csv = csv;
    return 0;
}

/* -- answers ---------------------------------------------------------------------------------------------------------------- */

/* What may be otherwise in a moment is 503; anything else that goes wrong is ours, and not final either. */
static enum wire_code code_of_error(int error)
{
    switch (error) {
    case -EAGAIN: case -EIO: case -EBUSY: case -ENOSPC: case -EDQUOT: case -ENOMEM: case -ETIMEDOUT: case -EROFS: return WIRE_UNAVAILABLE;
    default: return WIRE_INTERNAL;
    }
}

static int encode(const struct wire_answer *answer, struct desk_answer *ret_answer)
{
    ret_answer->code = answer->problem.code;
    return wire_answer_encode(answer, &ret_answer->status, &ret_answer->content_type, &ret_answer->body, &ret_answer->length);
}

static int refuse(enum wire_call call, enum wire_code code, const char *detail, int64_t now_ms, struct desk_answer *ret_answer)
{
    struct wire_answer answer = { .call = call, .time_ms = now_ms, .problem = { .code = code } };

    (void)snprintf(answer.problem.detail, sizeof answer.problem.detail, "%s", detail ? detail : wire_code_words(code));
    return encode(&answer, ret_answer);
}

int desk_refuse(enum wire_code code, const char *detail, int64_t now_ms, struct desk_answer *ret_answer)
{
    struct desk_answer answer = { .understood = false };
    int r = refuse(WIRE_LEASES, code, detail, now_ms, &answer);

    if (r == 0)
        *ret_answer = answer;
    return r;
}

static int run(const struct desk *desk, const struct account_db *db, const struct desk_request *asked, const struct wire_request *request,
               struct desk_answer *ret_answer)
{
    static int (*const calls[WIRE_CALLS])(struct visit *, enum account_status *) = {
        [WIRE_ENROLL] = visit_enroll, [WIRE_LEASES] = visit_leases, [WIRE_USAGE] = visit_usage,
        [WIRE_CLOSE] = visit_close, [WIRE_PAPERS] = visit_papers, [WIRE_COMMANDS] = visit_commands, [WIRE_PRICES] = visit_prices,
    };
    struct visit visit = { .desk = desk, .db = db, .request = request, .now_ms = asked->now_ms,
                           .answer = { .call = request->call, .time_ms = asked->now_ms } };
    enum account_status status = ACCOUNT_OK;
    int r;

    visit.caller.epoch = request->epoch;
    memcpy(visit.caller.box, asked->peer.box, sizeof visit.caller.box);
    memcpy(visit.caller.key_sha256, asked->peer.key_sha256, sizeof visit.caller.key_sha256);
    r = calls[request->call](&visit, &status);
    memcpy(ret_answer->box, visit.caller.box, sizeof ret_answer->box);
    if (r >= 0) {
        visit.answer.problem.code = codes[status];
        if (status != ACCOUNT_OK && codes[status] == WIRE_OK)
            r = -ENOTRECOVERABLE;            /* a status that is not for boxes */
        if (status != ACCOUNT_OK)
            (void)snprintf(visit.answer.problem.detail, sizeof visit.answer.problem.detail, "%s", account_status_words(status));
    }
    if (r >= 0)
        r = encode(&visit.answer, ret_answer);
    wire_answer_done(&visit.answer);
    if (r >= 0)
        return 0;
    ret_answer->error = r;
    return refuse(request->call, code_of_error(r), NULL, asked->now_ms, ret_answer);
}

bool desk_is_open(const char *target)
{
    return strcmp(target, "/v1/enroll") == 0;
}

static int refuse_unread(int error, const struct wire_error *wrong, int64_t now_ms, struct desk_answer *ret_answer)
{
    char detail[WIRE_DETAIL_CHARS];

    switch (error) {
    case -ENOENT: return refuse(WIRE_LEASES, WIRE_NOT_FOUND, NULL, now_ms, ret_answer);
    case -EPERM: return refuse(WIRE_LEASES, WIRE_METHOD_NOT_ALLOWED, NULL, now_ms, ret_answer);
    case -EMSGSIZE: return refuse(WIRE_LEASES, WIRE_TOO_LARGE, NULL, now_ms, ret_answer);
    case -EINVAL:
        (void)snprintf(detail, sizeof detail, "%s%s%s", wrong->pointer, wrong->pointer[0] != '\0' ? ": " : "", wrong->text);
        return refuse(WIRE_LEASES, WIRE_BAD_REQUEST, detail, now_ms, ret_answer);
    default:
        ret_answer->error = error;
        return refuse(WIRE_LEASES, code_of_error(error), NULL, now_ms, ret_answer);
    }
}

int desk_ask(const struct desk *desk, const struct account_db *db, const struct desk_request *asked, struct desk_answer *ret_answer)
{
    struct desk_answer answer = { .understood = false };
    struct wire_error wrong = { .pointer = "" };
    struct wire_request request;
    int r;

    if (!asked->peer.known && !desk_is_open(asked->target)) {
        r = refuse(WIRE_LEASES, WIRE_UNKNOWN_BOX, "A certificate of this account is needed, which a box gets when it is enrolled.", asked->now_ms, &answer);
    } else if ((r = wire_request_decode(asked->method, asked->target, asked->body, asked->length, &request, &wrong)) < 0) {
        r = refuse_unread(r, &wrong, asked->now_ms, &answer);
    } else {
        answer.understood = true;
        answer.call = request.call;
        r = run(desk, db, asked, &request, &answer);
        wire_request_done(&request);
    }
    if (r < 0)
        return r;
    *ret_answer = answer;
    return 0;
}
