/* SPDX-License-Identifier: Apache-2.0
 *
 * sync.h - what a box does to stay in step with its account: when it says what, and what an answer means.
 *
 * Events in: what the store says (struct change_credit, done), what came back over HTTPS or that nothing did, the time. Actions
 * out, by sync_ops: a step of the ledger to be committed, a request to be sent. One step and one request are under way at most.
 * A request whose outcome is not known is sent again with the same bytes; nothing else is asked for meanwhile that the account
 * would take for something new. What an answer changes is on the disk before the next request.
 * Answers that do not come from an account (a captive portal, a proxy's page) are no answers: the box is offline then.
 * Money:     millionths of a credit. Times: wall_ms since 1970 by the box's clock; mono_us of the machine's monotonic clock.
 * Ownership: what ops are handed lives during the call, but for csv and the body of a request, which are the taker's.
 * Rules of the lease protocol: ../docs/credits.md. Keeps I7 (an acknowledgement is taken with its hash), I8, I9. */
#ifndef CELLPOST_SYNC_SYNC_H
#define CELLPOST_SYNC_SYNC_H

#include "src/store/credit.h"
#include "src/sync/wire.h"

struct sync_now { uint64_t mono_us; int64_t wall_ms; };

struct sync_ops {
    /* A step for the store, to be copied; its csv is the taker's. sync_step_done() follows, always. */
    void (*step)(void *context, const struct change_credit *step);
    /* To be sent to the account; the body is the taker's (NULL: it has none). sync_answered() follows, always, and not during this call. */
    void (*request)(void *context, enum wire_call call, const struct wire_message *message);
    /* The account has taken the box in: its certificate is to be kept for good. sync_identity_kept() follows, always. */
    void (*identity)(void *context, const struct wire_enrolled *enrolled);
    /* How it stands has changed: sync_status_now(). */
    void (*status)(void *context);
    /* The account gave back what a part cost; for its owner. NULL: not wanted. */
    void (*refund)(void *context, const struct command *command);
};

struct sync_config {
    const struct sync_ops *ops;
    void *context;
    signature_random_fn *random;             /* request ids, and how long to wait */
    void *random_context;
    uint8_t hw_fingerprint[SHA256_OCTETS];
    int64_t want_micro;                      /* of a lease: what the box spends until it surely was online again */
    uint32_t interval_ms;                    /* how often the account hears of the box at least; 0: default */
    uint32_t usage_ms;                       /* how long something spent may be untold while it is online; 0: default */
};

#define SYNC_INTERVAL_MS 300000u
#define SYNC_USAGE_MS 30000u
#define SYNC_RETRY_MS_MIN 2000u              /* after a failure, doubled each time */
#define SYNC_RETRY_MS_MAX 600000u
#define SYNC_REFUSED_MS 300000u              /* until the account is asked again for what it refused */
#define SYNC_CAPPED_MS 3600000u              /* until it is asked for more than it gives one box at a time */
#define SYNC_LOOK_MS 5000u                   /* how often the books are looked at while nothing else happens */
#define SYNC_CLOCK_OFF_MS 600000             /* a clock ahead of the account's by more is wrong: leases would end before they begin */

enum sync_state {
    SYNC_NOT_ENROLLED,                       /* without an account messages are free */
    SYNC_ENROLLING,
    SYNC_CONNECTING,                         /* nothing has been heard since the start */
    SYNC_ONLINE,
    SYNC_OFFLINE,                            /* no answer, or none of an account */
    SYNC_REFUSED,                            /* the account answers, and says no: .why */
    SYNC_STATES
};

struct sync_status {
    enum sync_state state;
    const char *why;                         /* static text for a person; "" where all is well */
    char detail[WIRE_DETAIL_CHARS];          /* what the account or the network said to it; may be empty */
    enum wire_code code;                     /* of a refusal; else WIRE_OK */
    int64_t heard_ms;                        /* when the account was heard last, by the box's clock; 0: not since the start */
    uint64_t next_us;                        /* when it is tried again */
    bool has_available; int64_t available_micro;   /* what the account has beside the leases */
    int64_t clock_off_ms;                    /* the box's clock is so much ahead of the account's (below 0: behind) */
};

struct sync;
/* NULL: no memory. */
struct sync *sync_new(const struct sync_config *config);
void sync_free(struct sync *sync);           /* accepts NULL */

/* Does what is due. After each of the calls below too. */
void sync_poll(struct sync *sync, struct sync_now now);
uint64_t sync_deadline_us(const struct sync *sync);   /* mono_us of the next sync_poll(); UINT64_MAX: never */

/* The step is committed, or failed with step->result... of the change: 0 or a negative errno. */
void sync_step_done(struct sync *sync, const struct change_credit *step, int result, struct sync_now now);
/* What came back. error: 0, or a negative errno, and then detail says why there is no answer. body lives during the call. */
void sync_answered(struct sync *sync, int error, const char *detail, uint16_t status, const char *body, size_t length, struct sync_now now);

/* A person has a token. It is asked again until the account answers or sync_enroll_cancel(). -EBUSY: one is under way; -EINVAL; -ENOMEM. */
int sync_enroll(struct sync *sync, const struct wire_enroll *ask, struct sync_now now);
void sync_enroll_cancel(struct sync *sync, struct sync_now now);
void sync_identity_kept(struct sync *sync, int result, struct sync_now now);

/* Something changed: look now. needed_micro: a batch that waits needs so much (0: not known). */
void sync_wake(struct sync *sync, int64_t needed_micro, struct sync_now now);

struct sync_status sync_status_now(const struct sync *sync);
const char *sync_state_name(enum sync_state state);   /* "online" */

#endif
