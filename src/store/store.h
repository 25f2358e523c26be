/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h - what is durable: the writing side. SQLite in WAL mode, synchronous=FULL (facts: NORMAL may lose commits).
 *
 * Changes are values: the loop fills them, the store thread applies a list of them in one transaction and commits
 * once, and only then is anything they promise made visible. Each kind is one domain step and safe to apply again
 * after a commit whose fate is not known.
 * Threads:   one writer; a struct store is used by one thread at a time. Readers: store_read.h.
 * Ownership: a change owns its strings and arrays (malloc); change_free() releases the lot.
 * Errors:    0 or a negative errno. -ENOSPC disk full, -EIO any other storage failure, -EPROTO database of a newer
 *            version, -EBUSY another process writes, -EBADMSG damaged database or not ours, -EACCES (store_open alone)
 *            may not be opened or written, -ENOMEM.
 *            A change alone: -EINVAL what only a bug in the caller makes, and what is said at its kind. */
#ifndef CELLPOST_STORE_H
#define CELLPOST_STORE_H

#include "src/consent/words.h"
#include "src/store/credit.h"
#include "src/store/message.h"

struct sqlite3;
struct store;

/* Opens, creates or migrates the database. tag: 4 characters of [a-z0-9], used when it is created (the caller draws
 * them). error: a sentence for a person that names the file. vfs: NULL for the default. */
int store_open(const char *path, const char *vfs, const char *tag, struct store **ret_store, char *ret_error, size_t error_size);
void store_close(struct store *store);   /* accepts NULL */
const char *store_tag(const struct store *store);

/* The whole file is read for damage when it is opened, unless it is larger than this (and of this version): 300 MiB on a card would hold
 * up a start for a minute. Then true: store_check() is to be run beside the work. */
#define STORE_CHECK_AT_START_MAX (INT64_C(32) << 20)
bool store_unchecked(const struct store *store);
/* The box is enrolled with an account. */
bool store_has_credits(const struct store *store);

#define STORE_SCHEMA_VERSION 5

/* -- changes ------------------------------------------------------------------------------------------------- */

enum change_kind {
    CHANGE_ACCEPT,        /* a batch of messages comes in */
    CHANGE_INTENT,        /* a part is about to be handed to a modem; answers with what to send */
    CHANGE_OUTCOME,       /* what became of an attempt */
    CHANGE_WITHDRAW,      /* an intent that was not handed over */
    CHANGE_REPORT,        /* a delivery report came */
    CHANGE_RECEIVE,       /* an incoming PDU; completes a message or waits for its other parts */
    CHANGE_CANCEL,        /* a person's cancel */
    CHANGE_DECIDE,        /* a person's word on a message in doubt: send it again, or leave it */
    CHANGE_DUE,           /* scheduled and delayed messages whose time has come; expiry of those whose time is over */
    CHANGE_FETCH,         /* the next ready messages in order, to refill the queue in memory */
    CHANGE_CLOCK,         /* how the wall clock stands against the machine's own: what waits keeps the time it has left */
    CHANGE_SIM,           /* a card was seen in a modem: their row numbers */
    CHANGE_USE,           /* what cards have used, without an intent: a clock was set */
    CHANGE_FORECAST,      /* what the days before taught */
    CHANGE_KEY_ADD,       /* an API key */
    CHANGE_KEY_REMOVE,
    CHANGE_ROUTING,       /* files of tariffs and routes are to be in force: which version they are */
    CHANGE_OPT_OUT_ADD,   /* a number wants nothing more; as a person says it */
    CHANGE_OPT_OUT_REMOVE,
    CHANGE_BALANCE,       /* what an operator said about a card's credit */
    CHANGE_CREDIT,        /* a step of the box's ledger (credit.h) */
};

/* One message of a batch. In: everything down to error. Out: id, state. */
struct accept_message {
    char to[MESSAGE_TO_MAX];            /* "+digits" or a short code */
    char *text; uint32_t text_length;   /* UTF-8 as it will be sent */
    struct message_coding coding;       /* cuts owned by this struct */
    uint8_t priority;
    int8_t message_class;               /* -1 none, 0..3 */
    bool report, ref16;
    enum message_policy policy;
    int64_t due_ms;                     /* schedule_at; 0: now */
    int64_t expire_ms;                  /* not handed over after this */
    uint32_t patience_s;                /* how long it may wait for a cheaper bearer; 0: not at all; MESSAGE_PATIENCE_AS_ROUTED */
    char *client_ref;                   /* NULL none */
    char reason[MESSAGE_REASON_MAX];    /* not "": refused at intake, kept as rejected with this reason */
    char reason_code[32];               /* "bad_number" ... */
    bool unpriced;                      /* out: refused with CREDIT_UNPRICED_CODE, the account has no price for its number */
    bool waits;                         /* out: its batch waits for credits */
    int64_t credit_micro; uint32_t credit_row;   /* out: what a part of it costs, and by which row; 0: nothing */
    bool opted_out;                     /* out: refused with OPT_OUT_CODE, its number is on the list */
    int64_t id;
    enum message_state state;
    uint32_t sticky_sim_id;             /* out: its recipient's conversation goes by this SIM; 0 none */
};

struct change_accept {
    char actor[64];                     /* who submits: "key:NAME", "uid:0" */
    char *idempotency_key;              /* NULL none; unique per actor */
    uint8_t request_hash[32];           /* SHA-256 of what was asked */
    struct accept_message *messages; uint32_t count;
    bool wait_for_credit;               /* with too little the batch is accepted, and waits whole; else it is refused whole */
    struct ledger_answer credit;        /* out: what it needs, what there is, and how many messages of it would fit */
    enum ledger_verdict credit_verdict; /* out: why it waits or was refused; LEDGER_DONE: it does not */
    uint64_t credit_lease_id;           /* out: of which lease its credits are reserved; 0: none */
    int64_t batch_id;                   /* out */
    bool replayed;                      /* out: same key and hash as before; ids and states are those of then */
    /* result: -EEXIST where the key was used for another request; -EPERM its only recipient is on the opt-out list, -EDOM the account
     * has no price for it, -EDQUOT there are too few credits: nothing is kept */
};

#define QUEUE_AVOID_S 30                /* how long a message that failed waits for another bearer than that one */

/* A message as the queue in memory knows it: small, as there may be a million. */
struct queue_item {
    int64_t id;
    int64_t expire_ms;
    uint64_t to_key;                    /* its number: digits_pack() */
    uint32_t since_s;                   /* wall clock: from when on it could go, for its patience */
    uint32_t patience_s;
    uint32_t sim_id;                    /* not 0: parts of it went by this SIM, so must the others */
    uint32_t avoid_sim_id;              /* its last try failed there: rather another one, */
    uint32_t avoid_until_s;             /* until then, by the wall clock */
    uint32_t sticky_sim_id;             /* its recipient's conversation goes by this SIM; 0 none */
    uint16_t class_id;                  /* the gateway's, as the next one is: which messages wait for the same bearers */
    uint8_t parts, part_next;           /* 0-based: the first part without intent */
    uint8_t priority;
    uint8_t failures;                   /* attempts of it so far that were refused or not sent, at most 255 */
    bool short_code;                    /* its number is dialled as it is, without a country code */
};

struct change_intent {
    int64_t message_id; uint16_t part; uint32_t sim_id, modem_id;   /* in */
    int64_t price_micro;                /* in: of this part, in millionths of the gateway's currency; -1: not known */
    char *choice;                       /* in: why this SIM, JSON; NULL: nothing to say */
    char *use_state;                    /* in: what the SIM has used with this part, to be kept (src/routing/use.h); NULL: as it is */
    uint64_t recipient_key;             /* in: counted among those the SIM sent to, with the two days below; 0: not counted */
    int32_t recipient_day, recipient_month;
    bool remember;                      /* in: what comes next for its recipient should go by this SIM too */
    int64_t attempt_id;                 /* out, > 0 */
    char to[MESSAGE_TO_MAX];
    char *text; uint32_t text_length;   /* out: of this part, malloc'ed */
    struct message_coding coding;       /* out, without cuts */
    uint16_t concat_ref; uint8_t concat_ref_bits;   /* out: chosen with the first part, unique per SIM and recipient in flight */
    int8_t message_class; bool report;
    int64_t expire_ms;
    uint8_t pdu_mr;                     /* out: TP-MR for the PDU; many modems write their own */
    bool resend;                        /* out: it may have been sent before: the same TP-MR, with TP-RD (TS 23.040 9.2.3.6) */
    enum message_state message_state;   /* out, of -EPERM: how it ended */
    int64_t spend_until_ms;             /* out: not to be handed over later than this, by ledger_now(); 0: no end */
    enum ledger_verdict credit_verdict; /* out, of -EDQUOT */
    /* result: -EDQUOT its credits may not be spent now, -ECANCELED over meanwhile, -ETIME its time is over, -EPERM its recipient is on the opt-out list and nothing of it is out:
     * this change ended it; -ENOENT no such message or part, -EEXIST
     * this part went before, -EXDEV other parts went by another SIM, -EAGAIN its time has not come */
};

enum outcome_verdict { OUTCOME_DONE, OUTCOME_RETRY, OUTCOME_FAIL };

struct change_outcome {
    int64_t attempt_id;
    enum attempt_state state;           /* SENT, REFUSED, NOT_SENT or UNKNOWN */
    bool evidence;                      /* NOT_SENT of one that is UNKNOWN: proven since */
    int mr;                             /* -1 none */
    uint8_t error_kind; int code;       /* enum modem_error_kind; -1 none */
    enum outcome_verdict verdict;       /* of the message, where the part was not sent */
    int64_t retry_ms;                   /* RETRY: not before this wall time */
    enum message_state fail_state;      /* FAIL: REJECTED, FAILED, EXPIRED */
    char reason[MESSAGE_REASON_MAX];
    int64_t message_id; uint16_t part;  /* out */
    enum message_state message_state;   /* out: after folding over the parts */
    bool message_changed;               /* out */
    int64_t ready_ms;                   /* out: of requeue: not before this wall time; 0 now */
    struct queue_item requeue;          /* out: how it stands where parts are left and none is on its way; else .id 0. With
                                         * ready_ms in the future CHANGE_DUE gives the item again when its time has come */
    /* result: -ENOENT no such attempt, -EALREADY it ended otherwise (only UNKNOWN may still become SENT, or NOT_SENT
     * by evidence where its message is not over) */
};

/* in; out; out: .id 0 where it is over, has another part on its way, or waits for retry_ms (CHANGE_DUE). -ENOENT; -EALREADY: it was handed over. */
struct change_withdraw { int64_t attempt_id; int64_t message_id; struct queue_item requeue; };

struct change_report {
    uint32_t sim_id; uint8_t mr; char recipient[MESSAGE_TO_MAX * 2];
    uint8_t status;                     /* TP-ST */
    int64_t discharge_ms, scts_ms;
    int64_t message_id; uint16_t part, parts;   /* out: id 0 where no open part fits: kept for one that comes (+CMGS on its way).
                                         * A final report that came before: its message, message_changed false */
    enum message_state message_state; bool message_changed;
    char reason[MESSAGE_REASON_MAX];    /* out: of the change, with the class of the failure */
    int64_t ready_ms;                   /* out: it is sent once more, not before this wall time; 0: it is not */
};

struct change_receive {
    uint32_t sim_id, modem_id;
    char *pdu_hex;                      /* the key against reading it twice: same SIM, same octets */
    char from[56]; uint8_t from_type;
    char *text; uint32_t text_length;   /* UTF-8 (lone halves kept) or NULL */
    uint8_t *data; uint32_t data_length;/* 8-bit */
    uint8_t alphabet; int8_t message_class; uint8_t pid, dcs;
    bool concat; uint16_t ref; uint8_t ref_bits, total, seq;
    uint8_t port_bits; uint16_t port_dst, port_src;
    int64_t scts_ms; int8_t tz_quarters;
    char problem[80];                   /* not "": could not be decoded; kept raw */
    enum consent consent;               /* of a message of one part: what its sender wants; and the sender in E.164, the word */
    char consent_number[MESSAGE_TO_MAX]; char consent_word[CONSENT_WORD_MAX];
    struct change_accept *confirmation; /* goes out where this STOP puts the number on the list: one message; NULL nothing.
                                         * out: its .state is 0 where it was not written */
    int64_t inbox_id;                   /* out: of the message that is whole now; 0: waits for parts, or a duplicate */
    bool duplicate;                     /* out */
    int64_t give_up_ms;                 /* out, of a part that waits: when CHANGE_DUE makes a message of the parts there are */
};

struct change_cancel { int64_t message_id; enum message_state message_state; };   /* out: state after; -EBUSY handed over, -EALREADY final, -ENOENT */

/* RELEASE makes its unknown parts ready once more, DROP ends it as unknown. -ENOENT; -EALREADY: it is not in doubt. */
enum decision { DECISION_RELEASE, DECISION_DROP };
struct change_decide {
    int64_t message_id; enum decision decision;      /* in */
    enum message_state message_state;                /* out */
    struct queue_item requeue;                       /* out: RELEASE */
};

struct change_due {
    uint32_t limit;                     /* at most this many promoted and expired at a time */
    int64_t retry_ms_max;               /* not 0: no try may be further away (the clock was ahead when it was put off) */
    struct queue_item *items; uint32_t item_count;   /* out: now ready */
    int64_t *expired; uint32_t expired_count;        /* out: message ids */
    int64_t *held; uint32_t held_count;              /* out: message ids that now wait for a person */
    int64_t *inbox; uint32_t inbox_count;            /* out: inbox ids of incoming messages whose missing parts were given up */
    int64_t next_ms;                    /* out: when something is due next; INT64_MAX never */
};

struct change_fetch {
    uint8_t after_priority; int64_t after_id;        /* in: strictly behind this in order; (255, 0): from the front */
    uint32_t limit;
    struct queue_item *items; uint32_t item_count;   /* out, in order */
    bool more;                                       /* out: there are more behind */
};

/* To be applied before any change whose now_ms is by the new clock. */
struct change_clock {
    int64_t ahead_ms;                   /* wall clock minus monotonic clock */
    int64_t boot;                       /* of the machine, whose monotonic clock it is; 0: not known */
    bool starts;                        /* the first one of this process */
    int64_t step_ms;                    /* out: by how much the clock was set since the last one */
};

/* What is expected of one kind of destination (src/choice/planner.h). */
struct forecast_row { char *kind, *text; };
struct change_forecast {
    bool load;                           /* in: what is kept is wanted; rows are not written */
    struct forecast_row *rows; uint32_t count;   /* in: all there are, in place of those of before; out, of load: what is kept */
};
#define FORECAST_ROWS_MAX 520            /* more than there ever are */

struct change_use { uint32_t sim_id; char *use_state; };

#define SIM_RECIPIENTS_MAX 65536
struct sim_recipient { uint64_t key; int32_t day, month; };       /* of the last part to it */

struct change_sim {
    char iccid[32], imsi[20], imei[24], manufacturer[32], model[32], revision[48];
    uint32_t sim_id, modem_id;          /* out */
    char known_as[32];                  /* out: its ICCID, also where it could not be read this time */
    char *use_state;                    /* out: as the last intent left it; NULL: never used */
    struct sim_recipient *recipients; uint32_t recipient_count;   /* out: whom it sent to, at most SIM_RECIPIENTS_MAX */
};

#define KEY_NAME_MAX 48
/* patience_s: of messages that do not say; MESSAGE_PATIENCE_AS_ROUTED. -EEXIST, -ENOENT. */
struct change_key { char name[KEY_NAME_MAX]; uint8_t hash[32]; uint32_t scopes, patience_s; };

#define ROUTING_TEXTS_MAX (INT64_C(64) << 20)   /* octets of files of all versions together; older ones keep names and hashes alone */
struct change_routing {
    uint8_t sha256[32];                 /* in: each version is kept once */
    char *files;                        /* in: JSON, an array of objects; the member text of each may go when it is old */
    int64_t version;                    /* out: > 0 */
};

/* Numbers that are on this list get no messages but the one that confirms it: not at intake, and not when their time comes. */
#define OPT_OUT_ACTOR "optout"          /* of confirmations */
#define OPT_OUT_CODE "opted_out"
#define OPT_OUT_REASON "the recipient is on the opt-out list"
struct change_opt_out {
    char number[MESSAGE_TO_MAX];        /* in: E.164 with '+' */
    char source[64];                    /* in, of ADD: who says so, "key:NAME"; out: who said it first */
    int64_t at_ms; char word[CONSENT_WORD_MAX];   /* out, of ADD: since when; the word of an incoming message, "" none */
    bool changed;                       /* out, of ADD: it was not on the list before */
    /* result: -ENOENT of REMOVE */
};

/* What the answer does not say stays as an earlier one had it, with the time of the last answer. -ENOENT: no such card. */
struct change_balance {
    char iccid[32];                     /* as CHANGE_SIM named it */
    char source[8];                     /* "ussd", "sms" */
    bool has_balance, has_parts;
    int64_t balance_micro;
    char currency[4];                   /* "" not known */
    int32_t rest_parts;
    char valid_until[12];               /* "2026-12-31"; "" not said */
    char *answer;                       /* as it came */
};

struct store_change {
    struct store_change *next;
    enum change_kind kind;
    int result;                         /* out: 0 or a negative errno, of this change alone */
    int64_t now_ms;                     /* wall clock of the step */
    uint32_t slot;                      /* the gateway's */
    uint64_t handle;                    /* the gateway's */
    void *waiter;                       /* who waits for it, carried through: API request; NULL none */
    union {
        struct change_accept accept;
        struct change_intent intent;
        struct change_outcome outcome;
        struct change_withdraw withdraw;
        struct change_report report;
        struct change_receive receive;
        struct change_cancel cancel;
        struct change_decide decide;
        struct change_due due;
        struct change_fetch fetch;
        struct change_clock clock;
        struct change_sim sim;
        struct change_use use;
        struct change_forecast forecast;
        struct change_key key;
        struct change_routing routing;
        struct change_opt_out opt_out;
        struct change_balance balance;
        struct change_credit *credit;       /* made and freed with the change */
    } u;
};

struct store_change *change_new(enum change_kind kind, int64_t now_ms);   /* zeroed; NULL no memory */
void change_free(struct store_change *change);                            /* one; accepts NULL */
void change_free_list(struct store_change *list);

/* Applies the list in order in one transaction and commits. Each change has its own result. Returns 0 when the commit
 * is durable, else the storage error, which is then the result of each of them: nothing was written, as far as the
 * database opened anew could tell. A failed commit leaves the store usable for the next try. */
int store_apply(struct store *store, struct store_change *list);

/* After start: attempts that were an intent when the last process ended become unknown, and their messages with them.
 * ret_unknown: how many attempts. */
int store_recover(struct store *store, int64_t now_ms, uint32_t *ret_unknown);

/* landed: commits that were there in spite of their error. */
struct store_stats {
    uint64_t commits, changes, failures, landed;
    uint64_t writes, bytes_written, wal_bytes_written, syncs;   /* as the disk was asked for them */
};
struct store_stats store_stats(const struct store *store);

#endif
