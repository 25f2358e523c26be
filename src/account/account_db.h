/* SPDX-License-Identifier: Apache-2.0
 *
 * account_db.h - what the account's side keeps, as rows, and the table of functions that a storage has for them.
 *
 * The decisions of src/account know no database: SQLite, PostgreSQL and the simulation implement this one table.
 * Transactions: everything between begin and commit is one serialisable transaction, on whatever else happens at the same
 *            time in this or another process. What is read in it stays true until it is committed.
 * Errors:    0 or a negative errno. -ENOENT: there is no such row. -EAGAIN: the transaction lost against another one and
 *            may be tried again from its begin; any call may say so, commit too. -EEXIST: a key is taken. After -ENOENT and
 *            -EEXIST the transaction goes on as if the call had not been. Others: the transaction is over but for rollback; whether a commit that failed otherwise took hold is not known.
 * Money:     millionths of a credit. Times: milliseconds since 1970-01-01 UTC.
 * Ownership: rows are values. Texts of rows that are written are the caller's; those that are read are lent until the
 *            next call. */
#ifndef CELLPOST_ACCOUNT_DB_H
#define CELLPOST_ACCOUNT_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/credit/command.h"
#include "src/credit/journal.h"
#include "src/credit/lease.h"

#define ACCOUNT_NAME_CHARS 64                /* with the NUL; also labels of boxes */
#define ACCOUNT_NOTE_CHARS 128
#define ACCOUNT_REQUEST_OCTETS 16
#define ACCOUNT_MICRO_MAX INT64_C(1000000000000000)   /* of one funding: a thousand million credits */
#define ACCOUNT_FUNDED_MICRO_MAX INT64_C(1000000000000000000)   /* of all: sums of it stay within 64 bits */

/* Where credits are. Together always 0: a posting takes from one and gives to another. Those marked L are of one lease, the
 * others of an account. */
enum account_book {
    BOOK_OUTSIDE,                            /* where credits come from and go back to: below 0 by what is in the account */
    BOOK_AVAILABLE,
    BOOK_LEASED,                             /* L: the rest of an open lease */
    BOOK_SUSPENSE,                           /* L: the rest of an expired or fenced one */
    BOOK_CAPTURED,                           /* L: spent */
    BOOK_DEBT,                               /* L: used where no credits were left for it, below 0 */
    BOOK_OVERSPENT,                          /* L: the same from the other side */
    ACCOUNT_BOOKS
};

enum account_reason {
    FOR_FUNDING = 1, FOR_PAYOUT, FOR_GRANT, FOR_CAPTURE, FOR_VOID, FOR_CLOSE, FOR_EXPIRY, FOR_FENCE, FOR_WRITE_OFF, FOR_REFUND,
    ACCOUNT_REASONS
};

struct account_row {
    int64_t id;                              /* from 1 */
    char name[ACCOUNT_NAME_CHARS];
    int64_t created_ms;
    int64_t available_micro, funded_micro, paid_out_micro;
    uint64_t postings;                       /* the number of its last one that is of no lease */
};

enum account_box_state { BOX_ACTIVE = 1, BOX_FROZEN, BOX_FENCED, ACCOUNT_BOX_STATES };

struct account_box {
    uint8_t id[LEASE_BOX_ID_OCTETS];
    int64_t account;
    char label[ACCOUNT_NAME_CHARS];
    enum account_box_state state;
    uint32_t epoch;
    uint8_t key_sha256[SHA256_OCTETS];       /* of the public key of its certificate */
    uint8_t hw_fingerprint[SHA256_OCTETS];
    char version[ACCOUNT_NAME_CHARS];        /* of its program, as it said */
    uint64_t last_lease_id;
    uint64_t last_command;                   /* of this epoch */
    uint64_t alarms;                         /* how many there ever were */
    uint32_t chain;                          /* which journal of this box it is: the epoch in which it was enrolled last */
    struct journal_head acked;               /* of that journal */
    int64_t lease_max_micro;                 /* no grant is larger */
    int64_t created_ms, seen_ms;
};

enum account_lease_state {
    ACCOUNT_LEASE_OPEN = 1, ACCOUNT_LEASE_EXPIRED, ACCOUNT_LEASE_FENCED,
    ACCOUNT_LEASE_CLOSED, ACCOUNT_LEASE_WRITTEN_OFF,   /* for good */
    ACCOUNT_LEASE_STATES
};

struct account_lease {
    uint8_t box[LEASE_BOX_ID_OCTETS];
    uint64_t id;                             /* of the box, from 1 without gaps */
    int64_t account;
    uint32_t epoch;
    enum account_lease_state state;
    int64_t grant_micro;
    uint32_t price_version;
    int64_t issued_ms, spend_until_ms, settle_until_ms, closed_ms;
    int64_t rest_micro, suspense_micro, captured_micro, debt_micro;   /* debt: more than 0 */
    int64_t returned_micro;                  /* became available again: by closing, a write-off, a refund, a void after those */
    uint64_t postings;
};

struct account_posting {
    int64_t account;
    uint8_t box[LEASE_BOX_ID_OCTETS];        /* zeros: of no lease */
    uint64_t lease;                          /* 0: of no lease */
    uint64_t number;                         /* from 1 without gaps, of the lease or else of the account */
    enum account_book from, to;
    int64_t micro;                           /* more than 0 */
    enum account_reason reason;
    uint32_t chain;                          /* 0: not about an entry of a journal */
    uint64_t entry;
    uint64_t refers;                         /* the posting of the same lease that is undone; 0: none */
    int64_t at_ms;
    const char *who, *note;                  /* a person's; "" where none had a hand in it */
};

enum account_paid { PAID_NOTHING, PAID_FROM_REST, PAID_FROM_SUSPENSE, PAID_DEBT };

struct account_entry {
    uint8_t box[LEASE_BOX_ID_OCTETS];
    uint32_t chain;
    struct journal_entry entry;
    uint64_t posting;                        /* of its lease; 0: it moved nothing */
    enum account_paid paid;                  /* of a capture */
    bool over;                               /* a capture that was voided or refunded: another one may come */
};

struct account_answer {
    uint8_t box[LEASE_BOX_ID_OCTETS], request[ACCOUNT_REQUEST_OCTETS];
    uint8_t body_sha256[SHA256_OCTETS];
    int status;                              /* what was said: enum account_status */
    uint64_t lease;                          /* that was granted; 0: none */
    int64_t available_micro, at_ms;
    uint8_t paper[LEASE_OCTETS];             /* lease_encode() of it; zeros */
};

struct account_command {
    uint8_t box[LEASE_BOX_ID_OCTETS];
    uint32_t epoch;                          /* of which its number is, and for which it is signed */
    struct command command;
};

struct account_price { uint32_t version; uint8_t sha256[SHA256_OCTETS]; const char *csv; size_t csv_length; uint32_t rows; int64_t at_ms; };
struct account_price_row { uint32_t version, row; int64_t gsm7_micro, ucs2_micro; };   /* 0: refused */

struct account_token {
    uint8_t sha256[SHA256_OCTETS];           /* of the token, which is not kept */
    int64_t account;
    bool again;                              /* for the box below, which is there already */
    uint8_t box[LEASE_BOX_ID_OCTETS];        /* that was enrolled, or is to be */
    char label[ACCOUNT_NAME_CHARS];
    int64_t lease_max_micro, created_ms, expires_ms;
    int64_t used_ms;                         /* 0: not yet */
    uint8_t nonce[ACCOUNT_REQUEST_OCTETS];
    uint8_t request_sha256[SHA256_OCTETS];   /* of what it was used with */
    uint32_t epoch;
    const char *certificate;
};

enum account_alarm {
    ALARM_FORK = 1, ALARM_DEBT, ALARM_REST_DIFFERS,
    ALARM_PRICE_DIFFERS,                     /* of an entry: it is booked all the same */
    ALARM_BAD_VOID,                          /* it names no capture of this part: it moved nothing */
    ACCOUNT_ALARMS
};
struct account_alarm_row {
    uint8_t box[LEASE_BOX_ID_OCTETS];
    uint64_t number;                         /* from 1, of the box */
    enum account_alarm kind;
    uint64_t lease, entry;
    int64_t micro, at_ms;
};

/* Return 0 to go on, anything else to end with it. Inside, the storage is not called. */
typedef int account_each_account(void *context, const struct account_row *row);
typedef int account_each_box(void *context, const struct account_box *row);
typedef int account_each_lease(void *context, const struct account_lease *row);
typedef int account_each_posting(void *context, const struct account_posting *row);
typedef int account_each_entry(void *context, const struct account_entry *row);
typedef int account_each_command(void *context, const struct account_command *row);
typedef int account_each_alarm(void *context, const struct account_alarm_row *row);

/* add: a new row (-EEXIST); set: one that is there. `of NULL` in lists: of all. */
struct account_db_ops {
    int (*begin)(void *db, unsigned attempt);   /* attempt 1 and up: after -EAGAIN; it may wait before it begins */
    int (*commit)(void *db);
    void (*rollback)(void *db);              /* also where there is nothing to take back */

    int (*account_add)(void *db, struct account_row *row);   /* gives it its id */
    int (*account_get)(void *db, int64_t id, struct account_row *ret_row);
    int (*account_find)(void *db, const char *name, struct account_row *ret_row);
    int (*account_set)(void *db, const struct account_row *row);
    int (*account_list)(void *db, account_each_account *each, void *context);

    int (*box_add)(void *db, const struct account_box *row);
    int (*box_get)(void *db, const uint8_t *id, struct account_box *ret_row);
    int (*box_set)(void *db, const struct account_box *row);
    int (*box_list)(void *db, int64_t account, account_each_box *each, void *context);   /* account 0: all */

    int (*lease_add)(void *db, const struct account_lease *row);
    int (*lease_get)(void *db, const uint8_t *box, uint64_t id, struct account_lease *ret_row);
    int (*lease_set)(void *db, const struct account_lease *row);
    /* In the order of their numbers. settled false: only those that are neither closed nor written off. */
    int (*lease_list)(void *db, const uint8_t *box, bool settled, account_each_lease *each, void *context);
    /* Open ones whose spend_until is not after now, of all boxes, up to count. */
    int (*lease_due)(void *db, int64_t now_ms, size_t count, account_each_lease *each, void *context);

    int (*posting_add)(void *db, const struct account_posting *row);
    /* In the order of their numbers; box NULL: those of the account that are of no lease. */
    int (*posting_list)(void *db, int64_t account, const uint8_t *box, uint64_t lease, account_each_posting *each, void *context);

    int (*entry_add)(void *db, const struct account_entry *row);   /* -EEXIST also of a capture whose part has one of the same journal that is not over */
    int (*entry_get)(void *db, const uint8_t *box, uint32_t chain, uint64_t seq, struct account_entry *ret_row);
    int (*entry_hash)(void *db, const uint8_t *box, uint32_t chain, uint64_t seq, uint8_t ret_hash[SHA256_OCTETS]);
    int (*entry_over)(void *db, const uint8_t *box, uint32_t chain, uint64_t seq);   /* the capture is over */
    int (*entry_list)(void *db, const uint8_t *box, account_each_entry *each, void *context);   /* by chain and number */

    int (*answer_get)(void *db, const uint8_t *box, const uint8_t *request, struct account_answer *ret_row);
    int (*answer_add)(void *db, const struct account_answer *row);
    /* Forgets those without a lease from before then. */
    int (*answer_prune)(void *db, int64_t before_ms);

    int (*command_add)(void *db, const struct account_command *row);
    int (*command_list)(void *db, const uint8_t *box, uint32_t epoch, uint64_t after, size_t count, account_each_command *each, void *context);

    int (*price_add)(void *db, const struct account_price *row);
    int (*price_row_add)(void *db, const struct account_price_row *row);
    int (*price_get)(void *db, uint32_t version, struct account_price *ret_row);   /* 0: the newest */
    int (*price_row_get)(void *db, uint32_t version, uint32_t row, struct account_price_row *ret_row);

    int (*token_add)(void *db, const struct account_token *row);
    int (*token_get)(void *db, const uint8_t *sha256, struct account_token *ret_row);
    int (*token_set)(void *db, const struct account_token *row);
    int (*alarm_add)(void *db, const struct account_alarm_row *row);
    int (*alarm_list)(void *db, const uint8_t *box, account_each_alarm *each, void *context);   /* by box and number; NULL: of all */
};

struct account_db { const struct account_db_ops *ops; void *db; };

#endif
