/* SPDX-License-Identifier: Apache-2.0
 *
 * wire.h - what a box and its account say to each other: plain structs to JSON over HTTPS and back, the same on both ends.
 *
 * Version 1 of the protocol; each body says so. Decoding is strict: unknown or doubled members, wrong types, values out of
 * their bounds and text that is too long are refused, with a JSON pointer (RFC 6901) to what is wrong. Only a problem
 * (RFC 9457) may have members that are not known. One value has one encoding, so that what was sent can be sent again.
 * Hashes, ids, nonces and keys are lower-case hexadecimal digits; leases and journals base64 of their own encodings.
 * Money:     millionths of a credit. Times: milliseconds since 1970 by the account's clock.
 * Ownership: what a decoded struct points to is its own, until wire_request_done() or wire_answer_done(); what is encoded
 *            is a string of malloc(), the caller's. An encoder only reads what the struct points to.
 * Errors:    0 or a negative errno; a failed call leaves what it would have returned as it was. */
#ifndef CELLPOST_SYNC_WIRE_H
#define CELLPOST_SYNC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/credit/command.h"
#include "src/credit/journal.h"
#include "src/credit/lease.h"

#define WIRE_PROTOCOL 1
#define WIRE_BODY_MAX (1u << 20)             /* octets; of a request, and of an answer other than prices */
#define WIRE_PRICES_BODY_MAX (4u << 20)      /* a table of PRICE_ROWS_MAX rows */
#define WIRE_CSV_MAX (3u << 20)
#define WIRE_TARGET_CHARS 96                 /* with the NUL, as those below */
#define WIRE_TOKEN_CHARS 129
#define WIRE_VERSION_CHARS 33
#define WIRE_CSR_CHARS 4097
#define WIRE_CERTIFICATE_CHARS 8193
#define WIRE_NAME_CHARS 65
#define WIRE_CODE_CHARS 33
#define WIRE_DETAIL_CHARS 257
#define WIRE_NONCE_OCTETS 16
#define WIRE_REQUEST_ID_OCTETS 16
#define WIRE_ENTRIES_MAX 4096
#define WIRE_COMMANDS_MAX 64                 /* in one answer; who has more asks again */
#define WIRE_PAPERS_MAX 16                   /* leases in one request; who has more asks again */
#define WIRE_UNCLOSED_MAX 64

enum wire_call { WIRE_ENROLL, WIRE_LEASES, WIRE_USAGE, WIRE_CLOSE, WIRE_PAPERS, WIRE_COMMANDS, WIRE_PRICES, WIRE_CALLS };

/* -- requests ---------------------------------------------------------------------------------------------------------- */

struct wire_enroll {
    char token[WIRE_TOKEN_CHARS];            /* [A-Za-z0-9_-] */
    uint8_t nonce[WIRE_NONCE_OCTETS];
    char csr[WIRE_CSR_CHARS];                /* PEM */
    uint8_t hw_fingerprint[SHA256_OCTETS];
    char version[WIRE_VERSION_CHARS];        /* of the program */
};

struct wire_lease_request {
    uint8_t request_id[WIRE_REQUEST_ID_OCTETS];
    int64_t want_micro;                      /* 1 to LEASE_GRANT_MICRO_MAX */
    struct journal_head head;
    uint64_t open_lease_id;                  /* whose successor is asked for; 0: none is open */
    uint64_t last_lease_id;                  /* the highest that the box ever had; 0: none */
};

struct wire_usage {
    uint64_t from_seq;                       /* of the first entry, also where there is none */
    uint8_t prev_hash[SHA256_OCTETS];
    struct journal_entry *entries;           /* decoded: numbered from from_seq and chained behind prev_hash */
    size_t count;                            /* to WIRE_ENTRIES_MAX; 0 only asks what the account has */
    struct journal_head head;                /* of the box: not before the last entry */
    uint64_t command;                        /* the highest that the box has obeyed in this epoch */
};

struct wire_close { uint64_t lease_id; struct journal_head head; int64_t captured_micro, rest_micro; };

/* Leases as the account signed them, for an account that has lost them with its newest backup: ascending, as all that follow the
 * last that it knows. None: only asks what it knows. */
struct wire_papers { struct lease leases[WIRE_PAPERS_MAX]; size_t count; };

struct wire_request {
    enum wire_call call;
    uint32_t epoch;                          /* from 1; of enrolment and prices: 0, they have none */
    union {
        struct wire_enroll enroll;
        struct wire_lease_request lease;
        struct wire_usage usage;
        struct wire_close close;
        struct wire_papers papers;
        struct { uint64_t after; } commands;
        struct { uint32_t version; } prices;
    };
};

/* -- answers ----------------------------------------------------------------------------------------------------------- */

/* Why not. The names are a contract; the status is the one of HTTP. */
enum wire_code {
    WIRE_OK,
    WIRE_BAD_REQUEST,                        /* 400 bad_request: it is none of the above */
    WIRE_NO_CREDIT,                          /* 402 no_credit; tells what is available */
    WIRE_BAD_TOKEN, WIRE_OLD_EPOCH, WIRE_FENCED, WIRE_FROZEN, WIRE_UNKNOWN_BOX,     /* 403 */
    WIRE_NO_LEASE, WIRE_NO_PRICES, WIRE_NOT_FOUND,                                  /* 404 */
    WIRE_METHOD_NOT_ALLOWED,                 /* 405 */
    WIRE_TOKEN_USED, WIRE_HEAD_DIFFERS, WIRE_UNCLOSED, WIRE_UNKNOWN_LEASE, WIRE_FORK,   /* 409 */
    WIRE_GAP,                                /* 409; tells what the account has */
    WIRE_TOO_LARGE,                          /* 413 */
    WIRE_BAD_CSR, WIRE_ID_REUSED, WIRE_BAD_ENTRIES, WIRE_BAD_LEASE,                 /* 422 */
    WIRE_TOO_MANY,                           /* 429: not final, as those of 500 and above */
    WIRE_INTERNAL,                           /* 500 */
    WIRE_UNAVAILABLE,                        /* 503 */
    WIRE_OTHER,                              /* decoded: none that is known; code_text has it */
    WIRE_CODES
};

struct wire_problem {
    enum wire_code code;
    uint16_t status;                         /* encoded: that of the code */
    char code_text[WIRE_CODE_CHARS];         /* decoded only */
    char detail[WIRE_DETAIL_CHARS];          /* for a person; may be empty */
    bool has_acked; struct journal_head acked;                  /* of WIRE_GAP always */
    bool has_available; int64_t available_micro;
};

struct wire_enrolled {
    uint8_t box_id[LEASE_BOX_ID_OCTETS];
    uint32_t epoch;
    char certificate[WIRE_CERTIFICATE_CHARS];                   /* PEM */
    uint8_t account_key[LEASE_PUBLIC_KEY_OCTETS];
    char account[WIRE_NAME_CHARS];
};

struct wire_answer {
    enum wire_call call;                     /* what it answers */
    int64_t time_ms;
    struct wire_problem problem;             /* WIRE_OK: what is below counts */
    union {
        struct wire_enrolled enrolled;
        struct { struct lease lease; int64_t available_micro; } lease;
        struct { struct journal_head acked; int64_t available_micro; uint64_t commands; } usage;   /* the highest number */
        struct { uint64_t lease_id; int64_t returned_micro; } closed;
        struct { uint64_t last_lease_id; uint64_t unclosed[WIRE_UNCLOSED_MAX]; size_t unclosed_count; } papers;   /* of this epoch, ascending */
        struct { struct command *commands; size_t count; } commands;   /* ascending numbers */
        struct { uint32_t version; uint8_t sha256[SHA256_OCTETS]; char *csv; } prices;
    };
};

/* -- both ways --------------------------------------------------------------------------------------------------------- */

struct wire_error { char pointer[80]; char text[160]; };   /* "/head/seq", "must be an integer from 0 to 9" */

/* What HTTP carries. body: NULL where there is none. */
struct wire_message { const char *method; char target[WIRE_TARGET_CHARS]; char *body; size_t length; };

/* -EINVAL: a value is out of its bounds; -EMSGSIZE: it would be too long; -ENOMEM. The body of *ret_message is the caller's. */
int wire_request_encode(const struct wire_request *request, struct wire_message *ret_message);
/* target: with the query. -ENOENT: no such path; -EPERM: not by this method; -EMSGSIZE: over WIRE_BODY_MAX; -EINVAL: error
 * says what is wrong; -ENOMEM. error is written on -EINVAL only. */
int wire_request_decode(const char *method, const char *target, const char *body, size_t length, struct wire_request *ret_request,
                        struct wire_error *error);
void wire_request_done(struct wire_request *request);   /* accepts one that is all zeros, and one that is done */

/* A problem where answer->problem.code is not WIRE_OK. *ret_status and *ret_content_type are what HTTP is to say. Errors as
 * wire_request_encode(). */
int wire_answer_encode(const struct wire_answer *answer, uint16_t *ret_status, const char **ret_content_type, char **ret_body, size_t *ret_length);
/* -EBADMSG: this is not an answer of an account: another status than 200 or 400 to 599, or 511 (a captive portal, RFC 6585
 * 6), or no JSON of this protocol; the error says why. It counts as no connection. -ENOMEM. */
int wire_answer_decode(enum wire_call call, uint16_t status, const char *body, size_t length, struct wire_answer *ret_answer,
                       struct wire_error *error);
void wire_answer_done(struct wire_answer *answer);      /* as wire_request_done() */

/* Whether another try of the same bytes may have another end: of 429 and of 500 and above. */
bool wire_problem_is_final(const struct wire_problem *problem);

const char *wire_call_name(enum wire_call call);        /* "leases" */
size_t wire_answer_max(enum wire_call call);            /* octets of a body */
const char *wire_code_name(enum wire_code code);        /* "no_credit" */
uint16_t wire_code_status(enum wire_code code);
const char *wire_code_words(enum wire_code code);       /* a sentence for a person */

#endif
