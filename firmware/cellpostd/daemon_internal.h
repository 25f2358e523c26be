/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon_internal.h - what the files of the loop share. */
#ifndef CELLPOST_DAEMON_INTERNAL_H
#define CELLPOST_DAEMON_INTERNAL_H

#include "firmware/cellpostd/http.h"
#include "firmware/cellpostd/routing_share.h"
#include "firmware/cellpostd/store_thread.h"
#include "firmware/common/box.h"
#include "firmware/common/config.h"
#include "firmware/common/log.h"
#include "firmware/common/routing_load.h"
#include "src/routing/operator.h"

#include <stdatomic.h>
#include <uv.h>

struct daemon_port {
    struct daemon *daemon;
    uint32_t slot;
    uv_poll_t *poll;                     /* NULL: closed */
    char error[512];                     /* said last: each failure is logged once */
};

struct daemon_balance_care { char iccid[24]; uint64_t due_ms; };   /* by the monotonic clock */

struct daemon {
    const char *config_path;
    struct config *config;
    uv_loop_t loop;
    uv_async_t store_async, calls_async, check_async;
    uv_prepare_t prepare;
    uv_check_t check;
    bool due;                            /* the timer went off: box_poll() when everything that was there is read */
    uv_timer_t timer, stop_timer, scan_timer, care_timer;
    uv_signal_t signals[3];
    uv_fs_event_t *watches; size_t watch_count;
    struct box *box;
    struct daemon_port ports[GATEWAY_SLOTS_MAX];   /* by slot */
    bool no_ports_said;
    char db_path[CONFIG_PATH_MAX + 16];
    struct store *store;
    struct store_thread *store_thread;
    struct check_thread *check_thread;   /* NULL: the file was checked before the start */
    bool damaged;                        /* found while running */
    struct store_stats store_stats;      /* of the last commit that came back */
    struct http_server *http;
    uv_mutex_t calls_mutex;
    struct http_call *calls, **calls_tail;         /* from server threads, under the mutex */
    _Atomic int intake_error;
    _Atomic(char *) refusing;                      /* why messages are refused: static text, NULL: accepted */
    struct routing *first_routing;       /* until it is in force; owned */
    struct routing_share *routing;       /* what is in force */
    struct reload *reload;               /* what is being read at SIGHUP; NULL: nothing */
    bool reload_kept;                    /* its version is on disk, or cannot be */
    bool reload_again;                   /* another SIGHUP came meanwhile */
    char cards_said[GATEWAY_SLOTS_MAX][CONFIG_ICCID_MAX + 8];   /* that have no tariff; a ring */
    uint32_t cards_said_count;
    struct daemon_balance_care balance_care[GATEWAY_SLOTS_MAX];   /* by slot */
    bool stopping;
    struct operator_table *operators;              /* NULL: none */
    struct daemon_sync *sync;                      /* NULL: not started */
};

struct gateway_now daemon_now(void);
void daemon_log_notes(enum log_level level, const struct config_notes *notes);

/* daemon_ask.c: questions for the operators of SIMs. Takes the call over. */
void daemon_ask(struct daemon *daemon, struct http_call *call);
void daemon_ask_end(struct http_call *call, enum api_ask_result result);
/* A code by the SIM in this slot; with balance the answer goes to daemon_balance_answered(). call NULL: nobody waits. */
int daemon_ask_code(struct daemon *daemon, uint32_t slot, const char *code, const char *const *replies, size_t reply_count, bool balance,
                    struct http_call *call);
void daemon_ask_answered(void *context, uint32_t slot, void *waiter, const struct box_ussd *ussd);   /* of box_ops */

/* daemon_balance.c: what SIMs have left. Reads the table of operators: operators.csv beside the configuration; with an error in it
 * the one in force stays. */
void daemon_operators_load(struct daemon *daemon);
/* Asks the operator of the SIM in this slot, and stores the answer. call: who waits for it; NULL: nobody, the log has what went wrong.
 * Without a call 0, or -EALREADY, -EAGAIN, -ENODEV as box_ussd(), -ENOENT: no code is known, -ENOMEM. */
int daemon_balance_ask(struct daemon *daemon, uint32_t slot, struct http_call *call);
/* The answer came. */
void daemon_balance_answered(struct daemon *daemon, uint32_t slot, struct http_call *call, const char *text);
void daemon_balance_stored(struct daemon *daemon, struct store_change *change);
/* An incoming message that may tell the credit. */
void daemon_balance_message(struct daemon *daemon, const struct live_event *event);

/* daemon_routing.c: tariffs, routes and limits. routing is taken, also on an error, which is logged. */
int daemon_routing_start(struct daemon *daemon, struct routing *routing);
void daemon_routing_reload(struct daemon *daemon);
/* CHANGE_ROUTING is done; what follows from it comes with daemon_routing_settle(), outside of the gateway's calls. */
void daemon_routing_answer(struct daemon *daemon, struct store_change *change);
void daemon_routing_settle(struct daemon *daemon);
/* What those in force say, on a server thread: of a number's route (api_config.route), and what prices are told in. */
enum api_route_verdict daemon_routing_route(void *daemon, const char *to, enum number_kind kind, char ret_note[API_ROUTE_NOTE_MAX]);
void daemon_routing_currency(void *daemon, char ret_currency[4]);
void daemon_routing_card(struct daemon *daemon, const char *iccid);               /* it is in a modem that is ready */
void daemon_routing_done(struct daemon *daemon);

/* daemon_sync.c: in step with the account. */
int daemon_sync_start(struct daemon *daemon);
void daemon_sync_stepped(struct daemon *daemon, struct store_change *change);     /* a CHANGE_CREDIT of its own is done */
/* A batch was refused for want of credits, or waits for them. */
void daemon_sync_needs(struct daemon *daemon, int64_t needed_micro);
void daemon_sync_account(struct daemon *daemon, struct http_call *call);          /* takes the call over */
void daemon_sync_stop(struct daemon *daemon);    /* no step and no request from here on; who waits is told so */
void daemon_sync_done(struct daemon *daemon);    /* after the loop */

/* daemon_care.c: what is looked at each minute. */
void daemon_care_start(struct daemon *daemon);

/* daemon_ports.c: finding, opening and watching the ports of all banks. */
void daemon_ports_start(struct daemon *daemon);
void daemon_ports_scan(struct daemon *daemon);
void daemon_ports_done(struct daemon *daemon);
void daemon_port_want_write(struct daemon *daemon, uint32_t slot, bool want);
void daemon_port_closed(struct daemon *daemon, uint32_t slot);

#endif
