/* SPDX-License-Identifier: Apache-2.0
 *
 * credit.h - the box's ledger on disk, and the steps of its life as a change: CHANGE_CREDIT of store.h.
 *
 * Spending needs no step of its own: credits are reserved with CHANGE_ACCEPT, captured with the outcome of a part and released
 * with the end of its message, in the same transaction. What is here is what the account, its sync and the clock do.
 * A box that was never enrolled has no row of any of this, and its messages are free.
 * Each step is safe to apply again: what was done before has the verdict LEDGER_ALREADY and changes nothing. Every step hands
 * back the summary as it stands after it.
 * Money: millionths of a credit. Times: milliseconds since 1970-01-01 UTC.
 * Errors: change->result 0 and a verdict, or -EINVAL (a value out of its bounds), and what is said at the step. */
#ifndef CELLPOST_STORE_CREDIT_H
#define CELLPOST_STORE_CREDIT_H

#include "src/credit/ledger.h"

#define CREDIT_REQUEST_ID_OCTETS 16
#define CREDIT_ACCOUNT_MAX 64
#define CREDIT_TABLES_MAX 8              /* price tables kept: those of leases that are not closed, and the newest */
#define CREDIT_JOURNAL_MAX 4096          /* entries read at a time */
#define CREDIT_PAPERS_MAX 16             /* leases read at a time */
#define CREDIT_MOVE_MAX 256              /* messages moved at a time */

enum credit_step {
    CREDIT_LOAD,          /* reads the summary alone */
    CREDIT_ENROL,         /* identity: who the box is to the account. Another epoch or box ends the fence; leases of before stay fenced */
    CREDIT_KEY,           /* identity.account_key alone, with its command */
    CREDIT_REQUEST,       /* request: on disk before a lease is asked for. .pending false: it is over. -EEXIST: another one is pending */
    CREDIT_OPEN,          /* lease, verified by lease_judge(): ends the request. LEDGER_OTHER_PRICES: its table is not here */
    CREDIT_ACK,           /* head: what the account has. A fork fences the box in the same step; .ack says which. -ENOENT: not enrolled */
    CREDIT_CLOSE,         /* lease_id: begins closing, before the account is told. What to tell is in summary.old, also where it was the open one */
    CREDIT_CLOSED,        /* lease_id: the account said so */
    CREDIT_FENCE,         /* nothing is spent until a person enrols the box again */
    CREDIT_FREEZE, CREDIT_UNFREEZE,
    CREDIT_PRICES,        /* version, sha256, csv: a price table. -EBADMSG: not what its hash says; -EINVAL: .problem says why */
    CREDIT_COMMAND,       /* command alone: nothing else is to be done for it */
    CREDIT_JOURNAL,       /* from_seq, limit: reads entries, and .before, the head before them. -EBADMSG: not what was written; .problem says which */
    CREDIT_PAPERS,        /* lease_id, limit: reads leases from that one on, whatever became of them, as the account signed them */
    CREDIT_EXPIRE,        /* leases whose time is over. The gateway's own */
    CREDIT_MOVE,          /* at most `limit` messages from leases that are not open any more. The gateway's own */
    CREDIT_RESUME,        /* the oldest batch that waits for credits, whole. The gateway's own */
    CREDIT_STEPS
};

struct credit_identity {
    uint8_t box_id[LEASE_BOX_ID_OCTETS];
    uint32_t epoch;
    uint8_t account_key[LEASE_PUBLIC_KEY_OCTETS];
    char account[CREDIT_ACCOUNT_MAX];        /* its name, for people */
    struct journal_head start;               /* where the account's journal of this box stands; zeros: at its beginning */
};

struct credit_request {
    bool pending;
    uint8_t id[CREDIT_REQUEST_ID_OCTETS];
    int64_t want_micro;
    struct journal_head head;                /* as it was asked with: a repetition says the same */
    uint64_t open_lease_id;
};

/* A lease that the box was given at any time. */
struct credit_paper { struct lease lease; enum ledger_lease_state state; int64_t captured_micro, returned_micro; };

struct credit_summary {
    bool enrolled;
    struct credit_identity identity;
    struct ledger_box box;
    struct ledger_lease open, old;           /* lease_id 0: none. What is captured and returned is in their balances */
    int64_t open_grant_micro, open_issued_ms;
    struct credit_request request;
    uint64_t command;                        /* the highest that was applied */
    struct lease_prices prices[CREDIT_TABLES_MAX]; uint32_t price_count;
    uint64_t waiting;                        /* messages that wait for credits */
    int64_t stranded_micro;                  /* reserved in leases that are neither open nor before it: fenced ones */
};

struct change_credit {
    enum credit_step step;
    /* in */
    int64_t account_ms;                      /* not 0: the account's time just now. It moves the mark, back too: it is what leases go by */
    uint64_t command;                        /* not 0: applied with the step; done before: LEDGER_ALREADY, and nothing is done */
    struct credit_identity identity;
    struct credit_request request;
    struct lease lease;
    uint64_t lease_id;
    struct journal_head head;
    uint32_t version; uint8_t sha256[SHA256_OCTETS]; char *csv;
    uint64_t from_seq; uint32_t limit;
    /* out */
    enum ledger_verdict verdict;
    enum journal_ack ack;
    char problem[160];                       /* of CREDIT_PRICES: the first note; of CREDIT_JOURNAL: which entry */
    struct journal_head before; struct journal_entry *entries; uint32_t entry_count;
    struct credit_paper *papers; uint32_t paper_count;
    int64_t *ids; uint32_t id_count;         /* MOVE: messages that wait for credits now; RESUME: that no longer do */
    int64_t *refused; uint32_t refused_count;/* RESUME: rejected, since the prices of today have none for their numbers */
    uint32_t moved;                          /* MOVE: messages that changed their lease */
    bool more;                               /* MOVE, RESUME: there is more to do at once */
    struct credit_summary summary;
};

#endif
