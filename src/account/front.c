/* SPDX-License-Identifier: Apache-2.0 */
#include "src/account/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/account/account_internal.h"
#include "src/sync/wire.h"

/* What a box hears of a verdict of the account. */
static const enum wire_code codes[ACCOUNT_STATUSES] = {
    [ACCOUNT_OK] = WIRE_OK,                     [ACCOUNT_UNKNOWN_BOX] = WIRE_UNKNOWN_BOX,   [ACCOUNT_OLD_EPOCH] = WIRE_OLD_EPOCH,
    [ACCOUNT_FENCED] = WIRE_FENCED,             [ACCOUNT_FROZEN] = WIRE_FROZEN,             [ACCOUNT_ID_REUSED] = WIRE_ID_REUSED,
    [ACCOUNT_HEAD_DIFFERS] = WIRE_HEAD_DIFFERS, [ACCOUNT_UNCLOSED] = WIRE_UNCLOSED,         [ACCOUNT_NO_CREDIT] = WIRE_NO_CREDIT,
    [ACCOUNT_NO_PRICES] = WIRE_NO_PRICES,       [ACCOUNT_FORK] = WIRE_FORK,                 [ACCOUNT_GAP] = WIRE_GAP,
    [ACCOUNT_BAD_ENTRIES] = WIRE_BAD_ENTRIES,   [ACCOUNT_NO_LEASE] = WIRE_NO_LEASE,         [ACCOUNT_BAD_TOKEN] = WIRE_BAD_TOKEN,
    [ACCOUNT_TOKEN_USED] = WIRE_TOKEN_USED,     [ACCOUNT_BAD_CSR] = WIRE_BAD_CSR,
};

struct exchange {
    const struct account_db *db;
    const struct account_hands *hands;
    struct account_caller caller;
    int64_t now_ms;
    struct wire_request request;
    struct wire_answer answer;
};

static void refuse(struct wire_answer *answer, enum wire_code code, const char *detail)
{
    answer->problem.code = code;
    (void)snprintf(answer->problem.detail, sizeof answer->problem.detail, "%s", detail);
}

static void set_status(struct wire_answer *answer, enum account_status status)
{
    if (status != ACCOUNT_OK)
        refuse(answer, codes[status], account_status_words(status));
}

/* -- calls ---------------------------------------------------------------------------------------------------------- */

static int do_enroll(struct exchange *exchange)
{
    const struct wire_enroll *said = &exchange->request.enroll;
    struct account_enrol_ask ask = { .token = said->token, .csr = said->csr, .version = said->version };
    struct wire_enrolled *enrolled = &exchange->answer.enrolled;
    struct account_enrol_told *told = calloc(1, sizeof *told);
    enum account_status status;
    int r = told ? 0 : -ENOMEM;

    memcpy(ask.nonce, said->nonce, sizeof ask.nonce);
    memcpy(ask.hw_fingerprint, said->hw_fingerprint, sizeof ask.hw_fingerprint);
    if (r == 0)
        r = account_enrol(exchange->db, exchange->hands, &ask, exchange->now_ms, &status, told);
    if (r == 0 && status == ACCOUNT_OK) {
        memcpy(enrolled->box_id, told->box, sizeof enrolled->box_id);
        enrolled->epoch = told->epoch;
        memcpy(enrolled->account_key, exchange->hands->public_key, sizeof enrolled->account_key);
        (void)snprintf(enrolled->certificate, sizeof enrolled->certificate, "%s", told->certificate);
        (void)snprintf(enrolled->account, sizeof enrolled->account, "%s", told->account);
    }
    if (r == 0)
        set_status(&exchange->answer, status);
    free(told);
    return r;
}

static int do_lease(struct exchange *exchange)
{
    const struct wire_lease_request *said = &exchange->request.lease;
    struct account_lease_ask ask = { .want_micro = said->want_micro, .head = said->head, .open_lease_id = said->open_lease_id };
    struct account_lease_told told = { .available_micro = 0 };
    enum account_status status;
    int r;

    memcpy(ask.request, said->request_id, sizeof ask.request);
    r = account_lease(exchange->db, exchange->hands, &exchange->caller, &ask, exchange->now_ms, &status, &told);
    if (r < 0)
        return r;
    set_status(&exchange->answer, status);
    if (status == ACCOUNT_OK) {
        exchange->answer.lease.lease = told.lease;
        exchange->answer.lease.available_micro = told.available_micro;
    } else if (status == ACCOUNT_NO_CREDIT) {
        exchange->answer.problem.has_available = true;
        exchange->answer.problem.available_micro = told.available_micro;
    }
    return 0;
}

static int do_usage(struct exchange *exchange)
{
    const struct wire_usage *said = &exchange->request.usage;
    struct account_usage_ask ask = { .from_seq = said->from_seq, .entries = said->entries, .count = said->count, .head = said->head };
    struct account_usage_told told = { .commands = 0 };
    enum account_status status;
    int r;

    memcpy(ask.prev_hash, said->prev_hash, sizeof ask.prev_hash);
    r = account_usage(exchange->db, &exchange->caller, &ask, exchange->now_ms, &status, &told);
    if (r < 0)
        return r;
    set_status(&exchange->answer, status);
    if (status == ACCOUNT_OK) {
        exchange->answer.usage.acked = told.acked;
        exchange->answer.usage.available_micro = told.available_micro;
        exchange->answer.usage.commands = told.commands;
    } else if (status == ACCOUNT_GAP) {
        exchange->answer.problem.has_acked = true;
        exchange->answer.problem.acked = told.acked;
    }
    return 0;
}

static int do_close(struct exchange *exchange)
{
    const struct wire_close *said = &exchange->request.close;
    struct account_close_ask ask = { .lease_id = said->lease_id, .head = said->head, .captured_micro = said->captured_micro,
                                     .rest_micro = said->rest_micro };
    enum account_status status;
    int64_t returned_micro = 0;
    int r = account_close(exchange->db, &exchange->caller, &ask, exchange->now_ms, &status, &returned_micro);

    if (r < 0)
        return r;
    set_status(&exchange->answer, status);
    exchange->answer.closed.lease_id = said->lease_id;
    exchange->answer.closed.returned_micro = returned_micro;
    return 0;
}

static int collect_command(void *context, const struct account_command *row)
{
    struct wire_answer *answer = context;

    if (answer->commands.count == WIRE_COMMANDS_MAX)
        return 1;
    answer->commands.commands[answer->commands.count++] = row->command;
    return 0;
}

static int do_commands(struct exchange *exchange)
{
    struct wire_answer *answer = &exchange->answer;
    enum account_status status;
    int r;

    answer->commands.commands = calloc(WIRE_COMMANDS_MAX, sizeof *answer->commands.commands);
    if (!answer->commands.commands)
        return -ENOMEM;
    r = account_commands(exchange->db, &exchange->caller, exchange->request.commands.after, collect_command, answer, &status);
    if (r < 0)
        return r;
    set_status(answer, status);
    return 0;
}

static int read_prices(const struct account_db *db, void *context)
{
    struct exchange *exchange = context;
    struct account_price price;
    int r = db->ops->price_get(db->db, exchange->request.prices.version, &price);

    if (r == -ENOENT)
        return ACCOUNT_NO_PRICES;
    if (r < 0)
        return r;
    free(exchange->answer.prices.csv);
    exchange->answer.prices.csv = calloc(1, price.csv_length + 1);
    if (!exchange->answer.prices.csv)
        return -ENOMEM;
    memcpy(exchange->answer.prices.csv, price.csv, price.csv_length);
    exchange->answer.prices.version = price.version;
    memcpy(exchange->answer.prices.sha256, price.sha256, SHA256_OCTETS);
    return ACCOUNT_OK;
}

static int do_prices(struct exchange *exchange)
{
    int r = account_transact(exchange->db, read_prices, exchange);

    if (r >= 0)
        set_status(&exchange->answer, (enum account_status)r);
    return r < 0 ? r : 0;
}

/* -- all -------------------------------------------------------------------------------------------------------------- */

static int encode(struct wire_answer *answer, struct front_reply *ret_reply)
{
    return wire_answer_encode(answer, &ret_reply->status, &ret_reply->content_type, &ret_reply->body, &ret_reply->length);
}

int front_refuse(int error, int64_t now_ms, struct front_reply *ret_reply)
{
    struct wire_answer answer = { .time_ms = now_ms };

    refuse(&answer, error == -EMSGSIZE ? WIRE_TOO_LARGE : error == -EINVAL ? WIRE_BAD_REQUEST : WIRE_UNAVAILABLE, "");
    return encode(&answer, ret_reply);
}

/* What a database that fails did is not known: never a final answer. */
static int finish(struct exchange *exchange, int r, struct front_reply *ret_reply)
{
    struct wire_answer *answer = &exchange->answer;

    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        wire_answer_done(answer);
        *answer = (struct wire_answer){ .call = exchange->request.call, .time_ms = exchange->now_ms };
        refuse(answer, WIRE_UNAVAILABLE, "");
    }
    return encode(answer, ret_reply);
}

int front_answer(const struct account_db *db, const struct account_hands *hands, const struct front_peer *peer, const struct front_request *said,
                 struct front_reply *ret_reply)
{
    static int (*const calls[WIRE_CALLS])(struct exchange *) = {
        [WIRE_ENROLL] = do_enroll, [WIRE_LEASES] = do_lease,       [WIRE_USAGE] = do_usage,
        [WIRE_CLOSE] = do_close,   [WIRE_COMMANDS] = do_commands, [WIRE_PRICES] = do_prices,
    };
    struct exchange *exchange = calloc(1, sizeof *exchange);
    struct wire_error error = { "", "" };
    char detail[WIRE_DETAIL_CHARS];
    int r;

    if (!exchange)
        return -ENOMEM;
    exchange->db = db;
    exchange->hands = hands;
    exchange->now_ms = said->now_ms;
    exchange->answer.time_ms = said->now_ms;
    r = wire_request_decode(said->method, said->target, said->body, said->length, &exchange->request, &error);
    if (r == -ENOMEM)
        goto out;
    exchange->answer.call = exchange->request.call;
    if (r < 0) {
        (void)snprintf(detail, sizeof detail, "%s%s%s", error.pointer, error.text[0] ? ": " : "", error.text);
        refuse(&exchange->answer, r == -ENOENT ? WIRE_NOT_FOUND : r == -EPERM ? WIRE_METHOD_NOT_ALLOWED : r == -EMSGSIZE ? WIRE_TOO_LARGE
                                                                                                                  : WIRE_BAD_REQUEST, detail);
        r = 0;
    } else if (!peer->proved && exchange->request.call != WIRE_ENROLL) {
        refuse(&exchange->answer, WIRE_UNKNOWN_BOX, "This needs the certificate that the box was given when it was enrolled.");
    } else {
        memcpy(exchange->caller.box, peer->box, sizeof exchange->caller.box);
        memcpy(exchange->caller.key_sha256, peer->key_sha256, sizeof exchange->caller.key_sha256);
        exchange->caller.epoch = exchange->request.epoch;
        r = calls[exchange->request.call](exchange);
    }
    r = finish(exchange, r, ret_reply);
out:
    wire_request_done(&exchange->request);
    wire_answer_done(&exchange->answer);
    free(exchange);
    return r;
}
