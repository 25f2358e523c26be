/* SPDX-License-Identifier: Apache-2.0
 *
 * store_read.h - the reading side of the store: own read-only connection per thread, never waits for the writer (WAL).
 *
 * Ownership: a reader's strings are valid until its next call; those given to each() during that call of each() alone.
 *            each() may call other functions of the same reader, but not the one it is called from.
 * Errors: 0 or a negative errno; -ENOENT: no such row. store_reader_open: -EACCES none there or not readable, -EPROTO. */
#ifndef CELLPOST_STORE_READ_H
#define CELLPOST_STORE_READ_H

#include "src/credit/ledger.h"
#include "src/store/message.h"

struct store_reader;

int store_reader_open(const char *path, const char *vfs, struct store_reader **ret_reader);
void store_reader_close(struct store_reader *reader);
const char *store_reader_tag(struct store_reader *reader);

struct message_row {
    int64_t id, batch_id;
    const char *to, *text, *client_ref /* NULL none */, *actor, *reason;
    uint8_t alphabet, locking, single, priority;
    uint16_t parts;
    int8_t message_class;
    bool report;
    enum message_state state;
    enum message_policy policy;
    int64_t accepted_ms, due_ms, expire_ms, state_ms;
};
int store_read_message(struct store_reader *reader, int64_t id, struct message_row *ret_row);

struct attempt_row {
    int64_t id; uint16_t part /* 0-based */; enum attempt_state state;
    const char *imei, *iccid, *model;
    int mr;                              /* -1 none */
    uint8_t error_kind; int code;
    int64_t intent_ms, done_ms;
    int report_status;                   /* TP-ST of the last report, -1 none */
    int64_t report_ms;                   /* when it came, by our clock */
    int64_t price_micro;                 /* of the part, in the gateway's currency; -1: not known */
    const char *choice;                  /* why this SIM, JSON; "": nothing is written down */
};
/* Calls each for every attempt of the message in order of part, then time. */
int store_read_attempts(struct store_reader *reader, int64_t message_id,
                        void (*each)(void *context, const struct attempt_row *row), void *context);

struct history_row { int64_t at_ms; enum message_state state; const char *reason; };
int store_read_history(struct store_reader *reader, int64_t message_id,
                       void (*each)(void *context, const struct history_row *row), void *context);

/* Newest first; before_id pages (0: from the newest). */
struct message_filter {
    int state;                           /* 0 any */
    const char *to, *client_ref;         /* NULL any; exact */
    int64_t batch_id;                    /* 0 any */
    int64_t since_ms, until_ms;          /* accepted: since <= t < until; 0 open */
    int64_t before_id; uint32_t limit;
    bool oldest_first; int64_t after_id; /* for a batch's own order */
};
int store_read_messages(struct store_reader *reader, const struct message_filter *filter,
                        void (*each)(void *context, const struct message_row *row), void *context);

struct inbox_row {
    int64_t id, received_ms, scts_ms; int8_t tz_quarters;
    const char *from, *text /* NULL for data */, *iccid, *imei, *problem /* "" none */;
    const uint8_t *data; size_t data_length;
    uint8_t alphabet; int8_t message_class; uint16_t parts;
    uint8_t port_bits; uint16_t port_dst, port_src;
    const char *pdu_hex;                 /* of the first part */
};
struct inbox_filter { const char *from; int64_t since_ms, before_id, after_id; uint32_t limit; bool oldest_first; };
int store_read_inbox(struct store_reader *reader, const struct inbox_filter *filter,
                     void (*each)(void *context, const struct inbox_row *row), void *context);
int store_read_inbox_one(struct store_reader *reader, int64_t id, struct inbox_row *ret_row);

/* Counts by state, index = enum message_state (0 unused). Exact: the writer keeps them with each commit. */
int store_read_counts(struct store_reader *reader, uint64_t ret_counts[16]);

/* The card a conversation with this number goes by, where its route keeps to it; 0 none. */
int store_read_conversation(struct store_reader *reader, const char *to, uint32_t *ret_sim_id);

struct sim_row {
    uint32_t id; const char *iccid, *imsi, *imei_last; int64_t first_seen_ms, last_seen_ms; uint64_t parts_sent;
    int64_t balance_at_ms;               /* 0: its operator never said anything, and what follows is nothing */
    bool has_balance; int64_t balance_micro; const char *currency /* "" not known */;
    int32_t rest_parts;                  /* -1: not said, as with "" behind */
    const char *valid_until, *balance_source, *balance_answer;
};
int store_read_sims(struct store_reader *reader, void (*each)(void *context, const struct sim_row *row), void *context);

/* Numbers that want no more messages, in their order; after: behind this one, NULL from the first. */
struct opt_out_row {
    const char *number, *source /* "sms", or who said so */, *word /* "" none */, *iccid /* it came in by; "" none */;
    int64_t at_ms, confirmed_ms;         /* 0: no confirmation was sent */
};
int store_read_opt_outs(struct store_reader *reader, const char *after, uint32_t limit,
                        void (*each)(void *context, const struct opt_out_row *row), void *context);
int store_read_opt_out(struct store_reader *reader, const char *number, void (*each)(void *context, const struct opt_out_row *row),
                       void *context);
/* How many there are; kept by the writer. */
int store_read_opt_out_count(struct store_reader *reader, uint64_t *ret_count);

/* The box's ledger. -ENOENT: the box has no account. */
struct credit_lease_row {
    int64_t id, grant_micro, available_micro, captured_micro, issued_ms, spend_until_ms, mark_ms;   /* id 0: none */
    enum ledger_lease_state state;
    uint32_t price_version;
};
struct credit_row {
    char account[64];
    bool fenced, frozen, ever_had_lease;
    struct credit_lease_row open, old;
    int64_t reserved_micro;              /* of all leases */
    int64_t mark_ms;                     /* no clock is believed to be before this */
    uint64_t waiting;                    /* messages that wait for credits */
};
int store_read_credit(struct store_reader *reader, struct credit_row *ret_row);
/* The file of a price table. -ENOENT. */
int store_read_prices(struct store_reader *reader, uint32_t version, void (*each)(void *context, const char *csv), void *context);
/* Movements between accounts of a lease, newest first, or oldest first behind after_id. */
struct posting_row {
    int64_t id, at_ms, lease_id, micro, batch_id /* 0 none, as the next two */, message_id, journal_seq;
    enum ledger_reason reason;
    enum ledger_account from, to;
    uint8_t part;                        /* from 1; 0: about all of it */
    uint32_t attempt;
};
struct posting_filter { int64_t before_id, after_id; uint32_t limit; bool oldest_first; };
int store_read_postings(struct store_reader *reader, const struct posting_filter *filter,
                        void (*each)(void *context, const struct posting_row *row), void *context);

struct key_row { const char *name; uint32_t scopes, patience_s; int64_t created_ms; };   /* MESSAGE_PATIENCE_AS_ROUTED */
int store_read_keys(struct store_reader *reader, void (*each)(void *context, const struct key_row *row), void *context);
/* Tariffs and routes that were in force. files: JSON as in change_routing, without the texts where all are asked for. */
#define STORE_VERSIONS_READ_MAX 100      /* the newest */
struct version_row { int64_t id, loaded_ms; const char *sha256, *files; };
int store_read_versions(struct store_reader *reader, void (*each)(void *context, const struct version_row *row), void *context);
int store_read_version(struct store_reader *reader, int64_t id, void (*each)(void *context, const struct version_row *row), void *context);   /* -ENOENT */

/* -ENOENT: no key with this hash. */
int store_read_key(struct store_reader *reader, const uint8_t hash[32], char ret_name[48], uint32_t *ret_scopes, uint32_t *ret_patience_s);

#endif
