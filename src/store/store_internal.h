/* SPDX-License-Identifier: Apache-2.0
 *
 * store_internal.h - what the files of the writing side share. Inside src/store. */
#ifndef CELLPOST_STORE_INTERNAL_H
#define CELLPOST_STORE_INTERNAL_H

#include "src/store/count_vfs.h"
#include "src/store/fold.h"
#include "src/store/sql.h"
#include "src/store/store.h"

#define MESSAGE_PARTS_MAX 255
#define DOUBT_AFTER_MS 600000            /* evidence is waited for until the validity is over, and this long */
#define DOUBT_RESEND_MS 60000            /* from an answer that never came to the one resend */
#define DOUBT_RESUBMIT_MS 300000         /* from the report that the service centre gave up to the one resend */
#define DOUBT_SETTLE_MS 180000           /* after a restart: what was on its way then may still be told (45 s x 4 tries) */

#define CREDIT_ROWS_MAX 6                /* rows of leases in memory: the open one, the one before, and what is in use of others */

struct credit_row { struct ledger_lease row; bool dirty; };

/* The ledger as it stands in the open transaction: credit_internal.h. */
struct credit {
    bool on;                             /* the box is enrolled */
    bool box_dirty;
    struct credit_identity identity;
    struct ledger_box box;
    struct credit_request request;
    uint64_t command;
    struct credit_row leases[CREDIT_ROWS_MAX];
    uint32_t lease_count, lease_turn;
    uint32_t move_state; int64_t move_after;   /* where CREDIT_MOVE goes on */
    int64_t resume_batch_id, resume_needed_micro; uint64_t resume_lease_id, resume_waiting;   /* what was too much for CREDIT_RESUME, and when */
};

struct price_table;

struct store {
    struct sql sql;                      /* .db NULL: could not be opened again; the next store_apply() tries */
    char *path;
    struct count_vfs *vfs;
    char tag[8];
    /* Given out before the first try of a transaction and kept by the change, so that a second try writes the same. */
    int64_t next_batch_id, next_message_id, next_attempt_id;
    int64_t commits;                     /* number of the last commit, as in the table counter */
    int64_t tally[16];                   /* messages by state: what the open transaction adds */
    struct store_stats stats;
    struct credit credit;
    struct price_table *prices;          /* the table that was used last; NULL none */
    int64_t clock_ahead_ms, clock_boot;  /* as CHANGE_CLOCK told it */
    bool unchecked;                      /* opened without a look at the whole file */
    bool conversations;                  /* there are any: messages know the SIM of theirs */
    bool unsettled;                      /* the WAL may hold what no sync has written: see store_settle() */
};

/* One step per kind of change, in the open transaction. Returns 0, with change->result set where it ends otherwise but
 * what was written stays; or a negative errno, and what it wrote is rolled back. Storage errors are in sql.failed. */
typedef int store_step(struct store *store, struct store_change *change);
store_step intake_accept;
store_step sending_intent, sending_outcome, sending_withdraw;
store_step report_apply;
store_step receive_apply;
store_step doubt_decide;
store_step clock_apply;
store_step waiting_cancel, waiting_due, waiting_fetch;
store_step registry_sim, registry_use, registry_forecast, registry_key_add, registry_key_remove, registry_balance;
store_step routing_keep;

/* Keeps what a SIM has used. */
void use_write(struct store *store, uint32_t sim_id, const char *use_state);
store_step opt_out_add, opt_out_remove;
store_step credit_apply;

/* Writes a batch that is sound and new; -EPERM as CHANGE_ACCEPT says. */
int intake_batch(struct store *store, struct change_accept *accept, int64_t now_ms);

/* Which run of the machine's clock this is: times that are written now are by it. */
int64_t clock_run(struct store *store);

/* Frees what a step has put out, so that it can be applied again; ids given out stay. */
void change_clear(struct store_change *change);

/* -- how a message stands ------------------------------------------------------------------------------------ */

enum released { RELEASED_IN_DOUBT = 1, RELEASED_GIVEN_UP = 2 };   /* what is known of the first time */

struct standing {
    int64_t id;
    enum message_state state;
    bool ended, report, ref16;
    uint16_t parts;
    uint8_t priority;
    uint32_t sim_id;
    uint32_t failed_sim_id;              /* by which its last try was refused */
    int64_t failed_ms;
    uint32_t patience_s;
    uint32_t sticky_sim_id;
    int64_t expire_ms, ready_ms, due_ms, accepted_ms;
    char to[MESSAGE_TO_MAX];
    uint16_t concat_ref; uint8_t concat_ref_bits;
    enum part_standing part[MESSAGE_PARTS_MAX];
    enum message_policy policy;
    uint8_t part_released[MESSAGE_PARTS_MAX];   /* enum released, ored */
    bool released;                       /* a part left went out before: it goes by the same SIM and reference */
    bool doubtful;                       /* and nobody knows what became of that one */
    uint8_t failures;                    /* attempts that were refused or not sent */
    uint8_t credit_state;                /* enum credit_state: how it stands with its credits */
    bool part_charged[MESSAGE_PARTS_MAX];
    uint64_t credit_lease_id;
    int64_t credit_micro;                /* of a part */
    uint32_t credit_row;
    uint16_t open, left, part_next;      /* parts with an open intent; not handed over; the first of those, or parts */
};

/* -ENOENT: no such message. */
int standing_load(struct store *store, int64_t message_id, struct standing *ret_standing);
/* Counts again after .part was changed. */
void standing_count(struct standing *standing);
/* Writes the row; where the state differs from .state as loaded, also history and counts. */
void standing_save(struct store *store, struct standing *standing, enum message_state state, int64_t now_ms, const char *reason);
/* Folds over the parts and saves. Returns true if the state changed. */
bool standing_settle(struct store *store, struct standing *standing, bool retry, int64_t now_ms, const char *reason);
/* Ends it for a reason of ours. */
void standing_end(struct store *store, struct standing *standing, enum message_state state, int64_t now_ms, const char *reason);
/* As the queue wants it; .id 0 where there is nothing left to hand over. */
struct queue_item standing_item(const struct standing *standing);
/* Fills what the queue wants to know of a number. */
void item_set_number(struct queue_item *item, const char *to);
/* Until when it waits for another SIM than the one that failed then. */
uint32_t item_avoid_until_s(int64_t failed_s);
/* From when on it could go: it was accepted, or its time came. */
uint32_t item_since_s(int64_t accepted_ms, int64_t due_ms);
/* By which SIM a number was written to last; 0: never, or nobody keeps such things. */
uint32_t conversation_sim(struct store *store, const char *to);

/* -- credits --------------------------------------------------------------------------------------------------- */

/* Where the database stands. A box that is not enrolled has nothing. */
void credit_load(struct store *store);
/* Writes what changed in memory. */
void credit_flush(struct store *store);
/* Reserves for the whole batch: 0; -EDQUOT: too little, and the batch does not want to wait; -EDOM: its only message has no price. */
int credit_accept(struct store *store, struct change_accept *accept, int64_t now_ms);
/* Whether this part may go to a modem now: LEDGER_DONE. *ret_until_ms: as long as that stays so, by ledger_now(); 0: no end. */
enum ledger_verdict credit_may_send(struct store *store, const struct standing *standing, uint16_t part, int64_t now_ms, int64_t *ret_until_ms);
/* Captures, releases and takes back what the parts of the message say; called whenever its row is written. */
void credit_settle(struct store *store, struct standing *standing, int64_t now_ms);

/* -- doubt ----------------------------------------------------------------------------------------------------- */

/* Unknown parts of a message whose policy allows it, and that were not sent twice already, may be sent once more after
 * wait_ms, in which evidence may still come. Returns true if there are any; standing is loaded anew. */
bool doubt_resend(struct store *store, struct standing *standing, int64_t now_ms, int64_t wait_ms);
/* The service centre gave this part up for a cause that passes: where the policy allows it, and it was not sent twice already, it is
 * sent once more. Returns true if it is; standing is loaded anew. */
bool doubt_resubmit(struct store *store, struct standing *standing, int64_t attempt_id, uint16_t part, int64_t now_ms);
/* Unknown messages for which nothing came in their time: at most limit become held; their ids. */
uint32_t doubt_hold(struct store *store, int64_t now_ms, uint32_t limit, int64_t *ret_ids);

/* -- reports ------------------------------------------------------------------------------------------------- */

/* Applies reports that came before a part of this message was known to be sent. Returns true if the message changed. */
bool report_take_orphans(struct store *store, uint32_t sim_id, struct standing *standing, int64_t now_ms);

/* -- opt-outs ------------------------------------------------------------------------------------------------ */

bool opt_out_has(struct store *store, const char *to);
/* The same for a message that is to be sent now: what confirms an opt-out may go. */
bool opt_out_refuses(struct store *store, const char *to, int64_t message_id);
/* What an incoming message wants. */
int opt_out_hear(struct store *store, struct change_receive *receive, int64_t now_ms);

/* -- incoming ------------------------------------------------------------------------------------------------ */

#define RECEIVE_WAIT_MS 86400000         /* then the parts there are become a message of their own */

/* The oldest incomplete message that waits since before_ms or longer becomes an inbox row. *ret_inbox_id 0: none. */
int receive_give_up(struct store *store, int64_t before_ms, int64_t now_ms, int64_t *ret_inbox_id);

#endif
