/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway.h - the state machine between the queue, the store and the modems: which part goes when, and what becomes of it.
 *
 * Events in: what modems said, what the store has committed, what clients ask, the time. Actions out: changes for the
 * store (gateway_take_changes), parts for modems, acknowledgements and live events (gateway_ops). The order is the
 * promise: an intent is on disk before its PDU reaches a modem; what came from a modem is on disk before the modem may
 * forget it; an answer is given after its commit.
 *
 * A slot is a place where one modem sits. At most one part of a slot is on the air and one more waits behind it with its
 * intent on disk, so that a modem never waits for the disk; that one is asked for late in the air time, so that a power
 * cut finds few intents in doubt.
 * Ownership: changes taken are the caller's until given back with gateway_changes_done(). */
#ifndef CELLPOST_GATEWAY_H
#define CELLPOST_GATEWAY_H

#include "src/consent/words.h"
#include "src/gateway/live.h"
#include "src/queue/queue.h"

#define GATEWAY_SLOTS_MAX 512

struct gateway_now { uint64_t mono_us; int64_t wall_ms; };

enum gateway_result {
    GATEWAY_SENT, GATEWAY_REFUSED, GATEWAY_NOT_SENT, GATEWAY_UNKNOWN, GATEWAY_LATE_SENT,
    GATEWAY_NEVER_SENT,                  /* the gateway's own: evidence about a part that was UNKNOWN */
};

struct gateway_ops {
    /* Hands a part over; 0, or negative where the modem cannot take it now: no byte of it has left then. */
    int (*send)(void *context, uint32_t slot, int64_t attempt_id, const char *pdu_hex, uint8_t tpdu_length, struct gateway_now now);
    /* The incoming PDU with this handle is durable. */
    void (*stored)(void *context, uint32_t slot, uint32_t handle, struct gateway_now now);
    /* Read the card's count before the next part goes, gateway_card_count() tells it. Where that cannot be, nothing comes. */
    void (*read_count)(void *context, uint32_t slot, struct gateway_now now);
    void (*event)(void *context, const struct live_event *event);
    /* A client's change has its result; it is the waiter's now. */
    void (*answer)(void *context, struct store_change *change);
};

/* What is done about incoming messages that say STOP or START. The strings outlive the gateway. */
struct gateway_consent {
    bool reads_words;                    /* off: they are messages like others */
    struct consent_words words;          /* beside those built in */
    const char *confirmation;            /* what is answered to a STOP; NULL or "": nothing */
    const char *country;                 /* what senders in a national form are read in; NULL or "": they cannot opt out */
};

struct gateway_config {
    const struct gateway_ops *ops;
    void *context;
    uint32_t window;                     /* of the queue in memory; 0: default */
    int64_t boot;                        /* names the run of the monotonic clock; 0: not known */
    struct gateway_consent consent;
    bool prefetch_at_once;               /* ask for the next intent when a part goes on the air, not late in its air time */
};

struct chooser;
struct routing;
struct gateway;
struct gateway *gateway_new(const struct gateway_config *config);
void gateway_free(struct gateway *gateway);

/* A modem sits in this slot with this card: reports and parts are booked on it. */
void gateway_slot_sim(struct gateway *gateway, uint32_t slot, const char *port, const struct change_sim *sim, struct gateway_now now);
/* How its network is: where the card is abroad, and how strong the signal is (0: not known). */
void gateway_slot_air(struct gateway *gateway, uint32_t slot, bool roaming, int signal_dbm);
/* It can take parts, or no longer can. */
void gateway_slot_ready(struct gateway *gateway, uint32_t slot, bool ready, struct gateway_now now);
/* What became of the part handed over with this attempt id. error_kind, code: of GATEWAY_REFUSED (enum error_kind). */
void gateway_part_result(struct gateway *gateway, uint32_t slot, int64_t attempt_id, enum gateway_result result, int mr,
                         uint8_t error_kind, int code, struct gateway_now now);
/* Its modem has started anew or its card was out of sight, or neither can be ruled out. */
void gateway_slot_restarted(struct gateway *gateway, uint32_t slot);
/* The last TP-MR used by the card's own file, read while no part was under way; -1: it cannot be read. See smss.h. */
void gateway_card_count(struct gateway *gateway, uint32_t slot, int mr, struct gateway_now now);
/* An incoming SMS-DELIVER or SMS-STATUS-REPORT as the modem gave it. */
void gateway_received(struct gateway *gateway, uint32_t slot, const char *pdu_hex, size_t length, uint32_t handle, struct gateway_now now);
void gateway_report(struct gateway *gateway, uint32_t slot, const char *pdu_hex, size_t length, uint32_t handle, struct gateway_now now);

/* Tariffs, routes and limits from now on; borrowed. -ENOMEM: those of before stay. */
int gateway_set_routing(struct gateway *gateway, const struct routing *routing, struct gateway_now now);
/* The wall clock is known to be right, as when the kernel says that it is synchronized. */
void gateway_clock_is_right(struct gateway *gateway, struct gateway_now now);
/* The box has an account (store_has_credits()): to be called once after the start. Later steps come through gateway_submit() as
 * CHANGE_CREDIT, and are answered as any. */
void gateway_load_credits(struct gateway *gateway, struct gateway_now now);
/* Whether the account can be reached; why: static text, of not. For those who look alone. */
void gateway_account_link(struct gateway *gateway, bool online, const char *why);
/* For looking at; what it says holds until the next call to the gateway. */
struct chooser *gateway_chooser(struct gateway *gateway);
uint16_t gateway_slot_bearer(const struct gateway *gateway, uint32_t slot);   /* CHOOSER_NO_BEARER: no card that is known */

/* A client's change (accept, cancel, keys), with its waiter. Answered by ops->answer, after its commit. */
void gateway_submit(struct gateway *gateway, struct store_change *change, struct gateway_now now);

/* Everything to be committed, in order; NULL: nothing. */
struct store_change *gateway_take_changes(struct gateway *gateway);
/* The list is committed, or failed with error (then each change has it as result). In the order of taking.
 * commit_us: how long the commit took. */
void gateway_changes_done(struct gateway *gateway, struct store_change *list, int error, uint32_t commit_us, struct gateway_now now);

void gateway_poll(struct gateway *gateway, struct gateway_now now);
uint64_t gateway_deadline_us(const struct gateway *gateway);   /* mono_us of the next gateway_poll(); UINT64_MAX never */

/* No new parts are handed over; what waits behind is taken back. Done when nothing is on the air and all is committed. */
void gateway_stop(struct gateway *gateway, struct gateway_now now);
bool gateway_idle(const struct gateway *gateway);

/* The database was found damaged: no new messages, no new parts, and what comes in stays with its modem. What is on the air is
 * still written down. For good: a person must look at it. */
void gateway_store_damaged(struct gateway *gateway, struct gateway_now now);

/* The reason is a static text, NULL while messages are accepted. */
bool gateway_accepting(const struct gateway *gateway, const char **ret_reason);
/* The same as an errno: 0, -ESHUTDOWN, -EBADMSG, -ENOSPC, or what the store failed with. */
int gateway_intake_error(const struct gateway *gateway);
/* Counters, queue and what is on the air; live_modem entries are found by index = slot where view has them. */
void gateway_view(const struct gateway *gateway, struct live_view *view, struct gateway_now now);
/* What this slot has on the air: false for nothing. */
bool gateway_on_air(const struct gateway *gateway, uint32_t slot, int64_t *ret_message_id, uint16_t *ret_part, uint16_t *ret_parts);

/* True while the SIM in this slot rests after refusals of its own; how long yet, and why (error_class_name()). */
bool gateway_rests(const struct gateway *gateway, uint32_t slot, uint64_t now_us, uint64_t *ret_left_us, const char **ret_cause);

#endif
