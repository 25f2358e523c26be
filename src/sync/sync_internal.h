/* SPDX-License-Identifier: Apache-2.0
 *
 * sync_internal.h - shared by the files of the state machine. */
#ifndef CELLPOST_SYNC_SYNC_INTERNAL_H
#define CELLPOST_SYNC_SYNC_INTERNAL_H

#include "src/sync/sync.h"

/* What the account is reminded of: leases that it has lost with its newest backup, and that they are closed. */
struct sync_papers {
    bool wanted;
    bool known; uint64_t last_lease_id;      /* what the account has */
    uint64_t unclosed[WIRE_UNCLOSED_MAX]; size_t unclosed_count, next;
    bool told;                               /* all entries of those that it knows */
    bool closing; struct credit_paper close; /* that is closed once more */
    uint64_t again_us;                       /* not begun before */
};

/* What is under way. */
enum sync_busy { SYNC_IDLE, SYNC_STEP, SYNC_ASKED, SYNC_KEEPING };

struct sync {
    struct sync_config config;
    enum sync_busy busy;
    struct sync_status status;
    struct credit_summary summary;
    bool loaded;
    unsigned failures;                       /* in a row */
    uint64_t retry_us;                       /* no request before */
    uint64_t look_us;                        /* the books are read again */
    uint64_t contact_us;                     /* the account hears of the box, whether or not there is something to tell */
    uint64_t usage_us;                       /* what was spent is told */
    uint64_t lease_us, lease_floor_us;       /* no lease is asked for before; nor before the other, however often somebody asks */
    enum wire_call call;                     /* that is under way */
    /* What the account said. */
    int64_t account_ms; uint64_t account_us; /* its time, and when that was; account_ms 0: not heard */
    bool has_acked; struct journal_head acked;   /* its head of the journal, which may be behind the box's own idea */
    uint64_t commands;                       /* the highest number */
    uint32_t want_prices;                    /* a version that is needed; 0: none */
    struct { struct command *list; size_t count, next; } commands_due;
    uint64_t closing_lease_id, closing_seq;  /* all that was spent of it is told with this entry */
    int64_t asked_micro; bool capped;        /* with the last request for a lease; it was given less */
    uint64_t close_us;                       /* no closing is begun before */
    uint64_t told_from;                      /* where the usage that was told last begins */
    int64_t needed_micro;                    /* of the batch that needs most of those that waited lately */
    struct sync_papers papers;
    bool enrolling; struct wire_enroll enroll; struct wire_enrolled enrolled;
};

/* sync.c */
void sync_step(struct sync *sync, struct change_credit *step, struct sync_now now);
void sync_ask(struct sync *sync, const struct wire_request *request, struct sync_now now);
/* It is tried again later, and the later the oftener it failed. */
void sync_failed(struct sync *sync, enum sync_state state, const char *why, const char *detail, enum wire_code code, struct sync_now now);
void sync_heard(struct sync *sync, int64_t time_ms, struct sync_now now);   /* an answer of the account, whatever it says */
void sync_well(struct sync *sync);                                          /* and it says yes */
void sync_tell_usage(struct sync *sync, struct sync_now now);
/* What the account has of the journal, as far as is known here. */
const struct journal_head *sync_acked(const struct sync *sync);

/* sync_papers.c. How many of the entries are of leases that the account knows, as far as is known. */
size_t sync_papers_tellable(struct sync *sync, const struct journal_entry *entries, size_t count);
/* The account said that it does not know a lease, or that one is not closed: false, it was reminded just now. */
bool sync_papers_want(struct sync *sync, struct sync_now now);
bool sync_papers_turn(struct sync *sync, struct sync_now now);   /* true: a step or a request of it is under way */
void sync_papers_read(struct sync *sync, const struct change_credit *step, struct sync_now now);
void sync_papers_told(struct sync *sync, const struct wire_answer *answer, struct sync_now now);
bool sync_papers_closed(struct sync *sync, const struct wire_answer *answer);   /* false: it was not one of these */

/* sync_answer.c: the next command that the account gave: true, and its step or request is under way; false: there is none. */
bool sync_next_command(struct sync *sync, struct sync_now now);

#endif
