/* SPDX-License-Identifier: Apache-2.0
 *
 * live.h - what is going on right now, as values that may cross a thread: modems, counters, events.
 *
 * What is durable is in the store; this is the rest. A view is filled by the loop and owned by who asked for it. */
#ifndef CELLPOST_LIVE_H
#define CELLPOST_LIVE_H

#include "src/store/message.h"

struct live_modem {
    char port[128];                      /* where it was found */
    char bank[32];
    char state[16];                      /* modem_state_name() */
    char reason_code[24], reason[200];   /* "" none; the text says what to do */
    char manufacturer[32], model[32], revision[48], imei[20], iccid[24], imsi[16], operator_name[32], smsc[24];
    int registration;                    /* 27.007 <stat>; -1 unknown */
    bool roaming;
    int signal_dbm;                      /* 0 unknown */
    int storage_used, storage_total;     /* -1 unknown */
    uint64_t sent, refused, unknown, received;   /* parts since start */
    uint64_t busy_ms, since_ready_ms;    /* with a part in its hands; since it first was ready */
    int64_t message_id; uint16_t part, parts;    /* on the air now; id 0 none. part 0-based */
};

struct live_view {
    struct live_modem *modems; uint32_t modem_count;   /* malloc'ed by the filler */
    bool accepting;                      /* false: intake is refused, problem says why */
    char problem[200];
    char alarm[200];                     /* not "": something that a person should look at now; messages are taken all the same */
    uint32_t sims_resting;               /* cards that wait after refusals of their own */
    bool account_known, account_online; char account_why[160];   /* whether the account can be reached; known: the sync told */
    int64_t started_ms;
    uint64_t queue_ready;                /* ready messages held in memory */
    bool queue_more;                     /* and more in the store */
    uint64_t accepted, parts_sent, parts_refused, parts_unknown, reports, reports_unmatched, received, duplicates_dropped;
    uint64_t store_commits, store_changes, store_failures;
    uint64_t store_bytes_written, store_syncs;   /* since start */
    uint64_t commit_us_p50, commit_us_p99;   /* of the last 1024 commits */
    uint64_t accept_to_air_us_p50, accept_to_air_us_p99;   /* of the last 1024 messages that found an idle modem */
};
void live_view_done(struct live_view *view);   /* frees the arrays; accepts an empty one */

enum live_event_kind { LIVE_MESSAGE, LIVE_PART, LIVE_INBOX, LIVE_MODEM, LIVE_ALARM };

enum live_part_step { LIVE_PART_ON_AIR, LIVE_PART_SENT, LIVE_PART_REFUSED, LIVE_PART_NOT_SENT, LIVE_PART_UNKNOWN, LIVE_PART_REPORTED };
const char *live_part_step_name(enum live_part_step step);

/* Published only after the commit it speaks of. Strings live during the call. */
struct live_event {
    enum live_event_kind kind;
    int64_t at_ms;
    int64_t message_id;                  /* MESSAGE, PART; INBOX: the inbox id */
    enum message_state state;            /* MESSAGE */
    const char *reason;                  /* MESSAGE, PART, MODEM, ALARM; "" none */
    bool raised;                         /* ALARM; false: it is over */
    enum live_part_step step;            /* PART */
    uint16_t part, parts;                /* PART, 0-based */
    int mr, code, status;                /* PART: -1 none; status: TP-ST */
    const char *port, *imei, *iccid;     /* PART, MODEM, INBOX */
    const char *modem_state;             /* MODEM */
    const char *from, *text;             /* INBOX */
};

#endif
