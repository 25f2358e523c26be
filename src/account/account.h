/* SPDX-License-Identifier: Apache-2.0
 *
 * account.h - the account's side of the credits: what boxes ask for and what persons do, decided over a storage.
 *
 * Every call is one serialisable transaction, tried again a few times where it lost against another one; when it returns,
 * what it says is on the disk. So it may be called by any number of threads and processes, each with a connection of its own.
 * Errors:    0, with the answer in *ret_status; or a negative errno of the storage, and then nothing is to be answered but
 *            "unknown": the caller asks again with the same bytes.
 * Money:     millionths of a credit. Times: milliseconds since 1970-01-01 UTC, by the account's clock.
 * Keeps I1 (double entry: a balance is changed by a posting alone), I7 (what was acknowledged never goes back; one request
 * id has one answer), I8 (a request of an old epoch changes nothing), I11 (each entry is compared with the prices of its
 * lease) and the rules of the lease protocol: a close names its lease, expiry goes to suspense, usage is a chained suffix,
 * and an overlap that differs fences the box. */
#ifndef CELLPOST_ACCOUNT_ACCOUNT_H
#define CELLPOST_ACCOUNT_ACCOUNT_H

#include "src/account/account_db.h"

#define ACCOUNT_TRIES 12                     /* of a transaction that loses against others */
#define ACCOUNT_USAGE_MAX 4096               /* entries */
#define ACCOUNT_COMMANDS_MAX 64              /* in one answer */
#define ACCOUNT_CERTIFICATE_CHARS 4096
#define ACCOUNT_VALID_MS_MAX INT64_C(31622400000)   /* of a token: a year */

enum account_status {
    ACCOUNT_OK,
    /* to boxes */
    ACCOUNT_UNKNOWN_BOX, ACCOUNT_OLD_EPOCH, ACCOUNT_FENCED, ACCOUNT_FROZEN,
    ACCOUNT_ID_REUSED, ACCOUNT_HEAD_DIFFERS, ACCOUNT_UNCLOSED, ACCOUNT_NO_CREDIT, ACCOUNT_NO_PRICES,
    ACCOUNT_FORK, ACCOUNT_GAP, ACCOUNT_BAD_ENTRIES, ACCOUNT_NO_LEASE, ACCOUNT_UNKNOWN_LEASE, ACCOUNT_BAD_LEASE,
    ACCOUNT_BAD_TOKEN, ACCOUNT_TOKEN_USED, ACCOUNT_BAD_CSR,
    /* to persons */
    ACCOUNT_UNKNOWN, ACCOUNT_NAME_TAKEN, ACCOUNT_BAD_AMOUNT, ACCOUNT_TOO_LITTLE, ACCOUNT_NO_ENTRY, ACCOUNT_REFUNDED,
    ACCOUNT_NOT_YET, ACCOUNT_NOT_SUSPENDED, ACCOUNT_ALREADY, ACCOUNT_BAD_VERSION, ACCOUNT_BAD_NAME,
    ACCOUNT_STATUSES
};
const char *account_status_name(enum account_status status);    /* "no_credit": a stable code */
const char *account_status_words(enum account_status status);   /* a sentence for a person */

/* What the decisions need from outside. All are called inside a transaction and must not touch the storage. 0 or a negative
 * errno; -EINVAL of certify: it is no good request for a certificate. */
struct account_hands {
    lease_random_fn *random;
    int (*sign_lease)(void *context, struct lease *lease);
    int (*sign_command)(void *context, struct command *command, const uint8_t box[LEASE_BOX_ID_OCTETS], uint32_t epoch);
    int (*certify)(void *context, const char *csr, const uint8_t box[LEASE_BOX_ID_OCTETS], int64_t now_ms,
                   char ret_certificate[ACCOUNT_CERTIFICATE_CHARS], uint8_t ret_key_sha256[SHA256_OCTETS]);
    void *context;
    int64_t lease_ms, settle_ms;             /* how long a lease may be spent; how long it is waited for after that */
};

/* -- boxes ------------------------------------------------------------------------------------------------------------ */

/* Who asks: the box that the certificate names, and the hash of the key that the connection proved. */
struct account_caller { uint8_t box[LEASE_BOX_ID_OCTETS], key_sha256[SHA256_OCTETS]; uint32_t epoch; };

struct account_enrol_ask {
    const char *token, *csr, *version;
    uint8_t nonce[ACCOUNT_REQUEST_OCTETS], hw_fingerprint[SHA256_OCTETS];
};
struct account_enrol_told {
    uint8_t box[LEASE_BOX_ID_OCTETS];
    uint32_t epoch;
    char certificate[ACCOUNT_CERTIFICATE_CHARS], account[ACCOUNT_NAME_CHARS];
};
/* A token is good once; the same request with it again has the same answer. */
int account_enrol(const struct account_db *db, const struct account_hands *hands, const struct account_enrol_ask *ask, int64_t now_ms,
                  enum account_status *ret_status, struct account_enrol_told *ret_told);

struct account_lease_ask {
    uint8_t request[ACCOUNT_REQUEST_OCTETS];
    int64_t want_micro;
    struct journal_head head;
    uint64_t open_lease_id;                  /* the one whose successor is asked for; 0: none is open */
    uint64_t last_lease_id;                  /* the highest that the box ever had */
};
struct account_lease_told { struct lease lease; int64_t available_micro; };
/* The same request id has the same answer for ever, also a refusal that would not be one any more (FROZEN, HEAD_DIFFERS,
 * UNCLOSED, NO_CREDIT, NO_PRICES, BAD_AMOUNT, NO_LEASE, UNKNOWN_LEASE): who was refused asks with a new id. Else a copy of the request that
 * comes late would be granted, and nobody would hold that lease. With another body an id is ID_REUSED. UNKNOWN_BOX, FENCED
 * and OLD_EPOCH are of the box, not of the request.
 * open_lease_id is the last that was granted, and no other of this epoch is unclosed; or 0, and none is but one that has
 * expired. NO_LEASE: it is closed, or was never granted. UNKNOWN_LEASE: the box has a higher one than was ever granted by these
 * books, which are an older copy then: account_papers() first, or a number would be given out twice. */
int account_lease(const struct account_db *db, const struct account_hands *hands, const struct account_caller *caller,
                  const struct account_lease_ask *ask, int64_t now_ms, enum account_status *ret_status, struct account_lease_told *ret_told);

struct account_usage_ask {
    uint64_t from_seq;                       /* of the first entry; where there is none, of the next */
    uint8_t prev_hash[SHA256_OCTETS];
    const struct journal_entry *entries;     /* up to ACCOUNT_USAGE_MAX; their hashes are computed here */
    size_t count;
    struct journal_head head;
    uint64_t command;                        /* the highest that the box has obeyed: these books may be an older copy, that had fewer */
};
struct account_usage_told { struct journal_head acked; int64_t available_micro; uint64_t commands; };
/* All of the entries behind what is acknowledged, or none. acked is told with GAP too.
 * What an honest box can send is booked as it was told: a price that is not the table's, a void that names no capture and use
 * beyond the credits of its lease raise an alarm. A void of what a person refunded takes those credits from what is available
 * back to its lease, if they are there. BAD_ENTRIES: what cannot be booked: a second capture of a part. UNKNOWN_LEASE: as above. FORK: the box is fenced, and told so in the epoch that ends. */
int account_usage(const struct account_db *db, const struct account_hands *hands, const struct account_caller *caller, const struct account_usage_ask *ask,
                  int64_t now_ms, enum account_status *ret_status, struct account_usage_told *ret_told);

struct account_close_ask { uint64_t lease_id; struct journal_head head; int64_t captured_micro, rest_micro; };
/* What is returned is the rest by the account's own books, which the head proves to be complete. UNKNOWN_LEASE: as above. */
int account_close(const struct account_db *db, const struct account_caller *caller, const struct account_close_ask *ask, int64_t now_ms,
                  enum account_status *ret_status, int64_t *ret_returned_micro);

#define ACCOUNT_UNCLOSED_MAX 64
struct account_papers_told { uint64_t last_lease_id; uint64_t unclosed[ACCOUNT_UNCLOSED_MAX]; size_t unclosed_count; int64_t available_micro; };
/* For an account that was set back to an older copy of its books, and has lost the leases that it granted since: the box shows
 * what it was given, as the account signed it. Those behind the last that is known are granted once more, by their numbers and
 * from what is available. What is not the next one is passed over: the answer says which is the last now, and which of this epoch are not closed.
 * BAD_LEASE: not signed by account_key for this box. FORK: another lease has that number: the box is fenced. NO_CREDIT,
 * NO_PRICES: what was funded or imported since has to be there again first. UNCLOSED: too many. */
int account_papers(const struct account_db *db, const struct account_hands *hands, const uint8_t account_key[LEASE_PUBLIC_KEY_OCTETS],
                   const struct account_caller *caller, const struct lease *papers, size_t count, int64_t now_ms,
                   enum account_status *ret_status, struct account_papers_told *ret_told);

/* Also for a box that is frozen or fenced: it is how it hears of it. */
int account_commands(const struct account_db *db, const struct account_caller *caller, uint64_t after, account_each_command *each,
                     void *context, enum account_status *ret_status);

/* -- time -------------------------------------------------------------------------------------------------------------- */

/* Expires up to count leases that are due and forgets old refusals; *ret_expired: how many. Every minute or so. */
int account_sweep(const struct account_db *db, int64_t now_ms, size_t count, size_t *ret_expired);

/* -- persons ----------------------------------------------------------------------------------------------------------- */

int account_create(const struct account_db *db, const char *name, int64_t now_ms, enum account_status *ret_status);
int account_fund(const struct account_db *db, const char *name, int64_t micro, const char *who, const char *note, int64_t now_ms,
                 enum account_status *ret_status);
/* Takes what is available out of the account. */
int account_payout(const struct account_db *db, const char *name, int64_t micro, const char *who, const char *note, int64_t now_ms,
                   enum account_status *ret_status);
/* Gives back what one part cost: a new posting that names that of the capture. chain 0: the box's present journal,
 * and then the box is told. */
int account_refund(const struct account_db *db, const struct account_hands *hands, const uint8_t box[LEASE_BOX_ID_OCTETS], uint32_t chain,
                   uint64_t entry, const char *who, const char *note, int64_t now_ms, enum account_status *ret_status, int64_t *ret_micro);

struct account_token_ask {
    const char *account, *label;
    int64_t lease_max_micro, valid_ms;
    uint8_t token_sha256[SHA256_OCTETS];
};
int account_token_new(const struct account_db *db, const struct account_token_ask *ask, int64_t now_ms, enum account_status *ret_status);

/* What people call a box, and the most it gets at a time, from its next lease on. label NULL or lease_max_micro 0: as it is. */
int account_box_change(const struct account_db *db, const uint8_t box[LEASE_BOX_ID_OCTETS], const char *label, int64_t lease_max_micro,
                       enum account_status *ret_status);
int account_freeze(const struct account_db *db, const struct account_hands *hands, const uint8_t box[LEASE_BOX_ID_OCTETS], bool freeze,
                   int64_t now_ms, enum account_status *ret_status);
/* Fences the box for good as what it was: the next epoch, rests to suspense; and a token with which one machine may become it again. */
int account_reincarnate(const struct account_db *db, const struct account_hands *hands, const uint8_t box[LEASE_BOX_ID_OCTETS],
                        const uint8_t token_sha256[SHA256_OCTETS], int64_t valid_ms, int64_t now_ms, enum account_status *ret_status);
/* After settle_until, of an expired or fenced lease: used_micro of its suspense was spent, the rest is available again. */
int account_write_off(const struct account_db *db, const uint8_t box[LEASE_BOX_ID_OCTETS], uint64_t lease, int64_t used_micro,
                      const char *who, const char *note, int64_t now_ms, enum account_status *ret_status, int64_t *ret_returned_micro);

/* A price table: rows by their place in ascending order of prefixes. The version must be the next one. When it is there,
 * each box that is not fenced is told in a transaction of its own: an error may leave some untold, and the same import again
 * (ALREADY: it is there) tells those. */
struct account_price_ask { struct account_price price; const struct account_price_row *rows; };
int account_price_import(const struct account_db *db, const struct account_hands *hands, const struct account_price_ask *ask,
                         int64_t now_ms, enum account_status *ret_status);

/* -- proof -------------------------------------------------------------------------------------------------------------- */

/* Called for each thing that is wrong, with a sentence. */
typedef void account_fault_fn(void *context, const char *sentence);
struct account_census {
    uint64_t accounts, boxes, leases, postings, entries, faults;
    uint64_t prices_differ;                  /* captures that are not of the price of their lease: an alarm was raised for each */
    int64_t available_micro, leased_micro, suspense_micro, captured_micro, debt_micro;
};
/* Reads everything in one transaction and compares it: balances with postings (I1), leases with their grants, journals with
 * their hashes (I7), captures with postings and prices (I3, I11), unclosed leases with what may be. */
int account_check(const struct account_db *db, account_fault_fn *fault, void *context, struct account_census *ret_census);

#endif
