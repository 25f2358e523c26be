/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_internal.h - what the files of src/gateway share: the state behind gateway.h. */
#ifndef CELLPOST_GATEWAY_INTERNAL_H
#define CELLPOST_GATEWAY_INTERNAL_H

#include "src/choice/chooser.h"
#include "src/choice/planner.h"
#include "src/gateway/gateway.h"
#include "src/gateway/sim_health.h"
#include "src/gateway/smss.h"
#include "src/sms/sms_pdu.h"

#define GATEWAY_PDU_HEX_MAX (2 * SMS_PDU_BYTES_MAX + 1)
#define GATEWAY_RETRY_CHANGES_MAX 8192   /* outcomes and reports kept in memory while the store is away */
#define GATEWAY_STORE_RETRY_US 1000000u  /* how often a store that failed is tried again */
#define GATEWAY_CLOCK_LOOK_US 60000000u  /* a wall clock that jumped is noticed within this */
#define GATEWAY_CLOCK_STEP_MS 5000       /* a wall clock that is off by more was set */
#define GATEWAY_RETRY_MS_MAX 600000      /* no retry is put off for longer */
#define GATEWAY_SAMPLES 1024
#define GATEWAY_DUE_BATCH 1000
#define GATEWAY_WAITING_MAX 1024         /* incoming PDUs per slot before its card is known */

enum part_state {
    PART_NONE,
    PART_ASKED,        /* its intent is on the way to the disk */
    PART_DURABLE,      /* its intent is on disk, its PDU is ready */
    PART_ON_AIR,       /* the modem has it */
};

struct gateway_part {
    enum part_state state;
    struct queue_item item;              /* as it was taken: item.part_next is this part */
    int64_t attempt_id;
    bool take_back;                      /* while ASKED: withdraw it as soon as it has its attempt id */
    struct store_change *cancel;         /* a cancel that waits for the withdrawal; NULL none */
    int64_t spend_until_ms;              /* its credits may not be spent later; 0: no end */
    bool resend;                         /* it may have been sent before: a refusal as a duplicate says that it was */
    uint32_t recipient;                  /* hash of its number */
    struct chooser_taken taken;          /* of what its SIM may use */
    uint8_t tpdu_length;
    char pdu_hex[GATEWAY_PDU_HEX_MAX];
};

struct gateway_slot {
    bool known;                          /* the row numbers of card and modem are known */
    bool ready;
    uint32_t sim_id, modem_id;
    uint16_t bearer;                     /* CHOOSER_NO_BEARER: its card is not known yet */
    uint32_t bearer_sim_id;
    uint64_t pick_retry_ms;              /* when to look for work again; UINT64_MAX: when something changes */
    char port[128];
    struct change_sim card;              /* as it was announced last, with its modem */
    bool card_asked;                     /* its rows are asked for */
    uint32_t card_turn;                  /* counts the changes of card or modem; in .handle of CHANGE_SIM */
    struct gateway_part air, next;
    struct queue_item follow;            /* the rest of a message in parts; id 0: none */
    uint64_t air_since_us;
    uint64_t air_min_us;                 /* shortest air time seen lately: how late the next intent may be asked for */
    uint64_t prefetch_at_us;
    struct sim_health health;            /* of the card that is in it */
    struct smss smss;                    /* what its count proves, with this modem */
    struct store_change *waiting;        /* came in before the row numbers were known; .sim_id is the card_turn then */
    uint32_t waiting_count;
};

/* The ledger as the last step left it, and what is to be done about it. */
struct gateway_credit {
    struct credit_summary summary;
    enum ledger_verdict stop;            /* why nothing is sent; LEDGER_DONE: it is */
    bool asked;                          /* a step of ours is with the store */
    bool refused;                        /* the store would not let a part go: look why */
    bool set_aside;                      /* messages wait in the store that are not in the queue */
    uint64_t look_us;                    /* not before */
    uint64_t move_at_us, resume_at_us;
    bool online; const char *link_why;   /* as the sync told it; NULL: it never did */
};

struct samples { uint32_t values[GATEWAY_SAMPLES]; uint32_t count, at; };

struct policy;

struct gateway {
    struct gateway_config config;
    struct queue queue;
    struct chooser *chooser;
    const struct routing *routing;       /* NULL: none */
    struct planner *planner;
    enum { FORECASTS_UNKNOWN, FORECASTS_ASKED, FORECASTS_KNOWN } forecasts;   /* what the days before taught */
    uint64_t planner_look_ms, planner_due_ms;   /* mono: when it is asked again; when the loop comes for it */
    struct queue_item *bound;            /* messages in parts that must go on by their SIM */
    uint32_t bound_count, bound_size;
    struct gateway_slot *slots[GATEWAY_SLOTS_MAX];
    uint32_t slot_count;                 /* highest used + 1 */
    uint32_t slot_turn;                  /* where the search for an idle modem starts: they take turns */

    struct store_change *changes, **changes_tail;    /* to be committed */
    struct store_change *retry, **retry_tail;        /* failed to commit, must not be lost */
    uint32_t retry_count;
    uint32_t in_store;                   /* lists taken and not given back */
    bool store_bad;
    int store_error;
    const char *store_problem;           /* static text */
    uint64_t store_retry_us;

    int64_t due_next_ms;                 /* wall clock of the next due message; INT64_MAX none known */
    bool due_asked;
    bool clock_fell;                     /* tell the store with the next CHANGE_DUE */
    bool clock_started, clock_told;      /* the store was told once; and how it stands now */
    int64_t clock_ahead_ms;              /* wall clock minus monotonic clock, as told */
    bool stopping;
    bool store_damaged;
    const char *alarm_cause;             /* every SIM rests: error_class_name() of the one that came last; NULL: not so */
    uint64_t deadline_us;

    struct gateway_credit credit;
    struct { int64_t id; uint64_t at_us; } accepted_alone[64];   /* to measure acceptance to air */
    uint32_t accepted_alone_at;
    uint64_t commit_mean_us;             /* of late: how early an intent must be asked for */
    struct samples commit_samples, air_samples;
    uint64_t accepted, parts_sent, parts_refused, parts_unknown, reports, reports_unmatched, received, duplicates_dropped;
    uint64_t commits, commit_failures, committed_changes;
};

/* -- gateway.c ------------------------------------------------------------------------------------------------ */
void gateway_add_change(struct gateway *gateway, struct store_change *change);
/* To be called before anything that goes by the wall clock: a clock that was set is told to the store first. */
void gateway_look_at_clock(struct gateway *gateway, struct gateway_now now);
/* Every SIM rests, or no longer: said once. */
void gateway_look_at_rests(struct gateway *gateway, struct gateway_now now);
/* gateway_poll() is due at once. */
void gateway_wake(struct gateway *gateway);
/* NULL only where memory is gone; the caller then leaves things as they are. */
struct store_change *gateway_new_change(struct gateway *gateway, enum change_kind kind, struct gateway_now now);
/* A batch is durable: its messages are told about, and queued. */
void gateway_accepted(struct gateway *gateway, const struct change_accept *accept, struct gateway_now now);
void gateway_due_at(struct gateway *gateway, int64_t at_ms);
void gateway_event_message(struct gateway *gateway, int64_t id, enum message_state state, const char *reason, struct gateway_now now);
struct gateway_slot *gateway_slot_get(struct gateway *gateway, uint32_t slot);   /* NULL: never seen */
void samples_add(struct samples *samples, uint64_t value_us);

/* -- gateway_send.c ------------------------------------------------------------------------------------------- */
/* A message is ready, or ready again. */
void gateway_put(struct gateway *gateway, const struct queue_item *item, struct gateway_now now);
/* Gives work to whoever can take it. */
void gateway_dispatch(struct gateway *gateway, struct gateway_now now);
void gateway_intent_done(struct gateway *gateway, struct store_change *change, struct gateway_now now);
void gateway_outcome_done(struct gateway *gateway, struct store_change *change, struct gateway_now now);
bool gateway_is_active(const struct gateway *gateway, int64_t message_id);
void gateway_add_outcome(struct gateway *gateway, uint32_t slot, int64_t attempt_id, enum gateway_result result, const struct policy *policy,
                         int mr, uint8_t error_kind, int code, struct gateway_now now);
/* Takes back what waits behind the part on the air, if it may be; the reason is for the record. */
void gateway_take_back(struct gateway *gateway, struct gateway_slot *slot, uint32_t index, struct gateway_now now);
bool gateway_cancel_waits(struct gateway *gateway, struct store_change *cancel, struct gateway_now now);
uint32_t gateway_recipient_hash(const char *to);   /* tells recipients apart */
bool gateway_is_bound(const struct gateway *gateway, int64_t message_id);
void gateway_bound_remove(struct gateway *gateway, int64_t message_id);
/* Asks for the rows of cards that could not be asked for when they came in. */
void gateway_cards_ask(struct gateway *gateway, struct gateway_now now);

/* -- gateway_route.c ------------------------------------------------------------------------------------------ */
struct limit_now gateway_limit_now(struct gateway_now now);
/* To be called when anything has changed that makes a slot able to take parts, or unable. */
void gateway_bearer_sync(struct gateway *gateway, struct gateway_slot *slot, struct gateway_now now);
void gateway_bearer_gone(struct gateway *gateway, struct gateway_slot *slot);
void gateway_bearer_known(struct gateway *gateway, struct gateway_slot *slot, const struct change_sim *sim, struct gateway_now now);
void gateway_bearer_result(struct gateway *gateway, struct gateway_slot *slot, enum gateway_result result, uint8_t error_kind, int code,
                           struct gateway_now now);
void gateway_classify(struct gateway *gateway, struct queue_item *item, struct gateway_now now);
/* An operator said what a card has left. */
void gateway_balance(struct gateway *gateway, const struct change_balance *balance, struct gateway_now now);
/* What a set clock changed in what cards have used goes to the disk without waiting for a part. */
void gateway_save_use(struct gateway *gateway, struct gateway_now now);
/* Its SIM must rest between parts: none waits behind the one on the air, as it could follow sooner than its intent says. */
bool gateway_has_gap(const struct gateway *gateway, const struct gateway_slot *slot);
/* A message was accepted: what comes is learnt. */
void gateway_learn(struct gateway *gateway, const struct queue_item *item, struct gateway_now now);
/* Makes plans, and keeps what the days taught. */
void gateway_plan(struct gateway *gateway, struct gateway_now now);
void gateway_forecasts_done(struct gateway *gateway, const struct store_change *change);
/* Prices of a new day, or plans of a new card. */
void gateway_look_at_classes(struct gateway *gateway, struct gateway_now now);
/* The best this slot may take: the rest of the message it is sending, so that parts stay together; else the better of what
 * is bound to its SIM and what the chooser has for it. */
bool gateway_pick(struct gateway *gateway, struct gateway_slot *slot, struct queue_item *ret_item, struct gateway_now now);
/* Counts the part against its SIM; the change takes what is to be kept. -ENOMEM. */
int gateway_count_part(struct gateway *gateway, struct gateway_slot *slot, const struct queue_item *item, struct change_intent *intent,
                       struct gateway_now now);
void gateway_uncount_part(struct gateway *gateway, struct gateway_slot *slot, struct gateway_part *part, enum use_back why, struct gateway_now now);
bool gateway_has_another(struct gateway *gateway, const struct gateway_slot *slot, const struct queue_item *item, struct gateway_now now);

/* -- gateway_count.c ------------------------------------------------------------------------------------------ */
/* What became of a part, for the card's count. failures: of its message before. */
void gateway_count_result(struct gateway_slot *slot, int64_t attempt_id, enum gateway_result result, int mr, uint8_t error_kind,
                          int code, uint8_t failures, struct gateway_now now);
/* Asks for the counts that are due. */
void gateway_count_ask(struct gateway *gateway, struct gateway_now now);

/* -- gateway_policy.c ----------------------------------------------------------------------------------------- */
struct policy {
    enum attempt_state attempt;
    enum outcome_verdict verdict;
    uint32_t delay_ms;                   /* RETRY: the message rests */
    enum message_state fail_state;       /* FAIL */
    char reason[MESSAGE_REASON_MAX];
};
/* What an answer of the modem means for the message and for the SIM. failures: of the message before this one.
 * sim_fault: sim_health says that the SIM is to blame. resend: the part went out with TP-RD under the TP-MR of an attempt of which nothing is known. */
struct policy policy_decide(enum gateway_result result, uint8_t error_kind, int code, uint8_t failures, bool resend, bool sim_fault);

/* -- gateway_consent.c ---------------------------------------------------------------------------------------- */
/* Fills what the sender of this message wants, and what is to be answered. False: no memory. */
bool gateway_consent_read(const struct gateway *gateway, struct change_receive *receive, int64_t now_ms);
/* It has waited, and the clock may have been set: its answer has its time from now on. */
void gateway_consent_waited(struct change_receive *receive, int64_t now_ms);
/* What an incoming message wanted is durable, now or by a commit before that seemed to fail. */
void gateway_consent_done(struct gateway *gateway, const struct change_receive *receive, struct gateway_now now);
/* A number is on the opt-out list from now on: what waits for a modem with its intent on disk must not go. */
void gateway_opted_out(struct gateway *gateway, const char *number, struct gateway_now now);

/* -- gateway_credit.c ----------------------------------------------------------------------------------------- */
void gateway_credit_done(struct gateway *gateway, struct store_change *change, struct gateway_now now);
void gateway_credit_refused(struct gateway *gateway);
/* Whether a part with its intent on disk may still be handed over. */
bool gateway_credit_may_go(const struct gateway *gateway, const struct gateway_part *part, struct gateway_now now);
void gateway_credit_look(struct gateway *gateway, struct gateway_now now);
uint64_t gateway_credit_deadline_us(const struct gateway *gateway, struct gateway_now now);

/* -- gateway_receive.c ---------------------------------------------------------------------------------------- */
/* The rows of the card that was in the slot at this turn are known: what came by it before goes to the store. */
void gateway_flush_waiting(struct gateway *gateway, struct gateway_slot *slot, uint32_t card_turn, const struct change_sim *rows,
                           struct gateway_now now);
void gateway_receive_done(struct gateway *gateway, struct store_change *change, struct gateway_now now);
void gateway_report_done(struct gateway *gateway, struct store_change *change, struct gateway_now now);

#endif
