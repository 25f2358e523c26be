/* SPDX-License-Identifier: Apache-2.0
 *
 * api.h - the REST API as requests into responses. It knows no socket, no thread and no clock.
 *
 * A request is answered at once from the reading side of the store, or becomes a call for the loop: a change that must
 * be durable before the answer (accept, cancel, keys), a look at what is live, or a question for an operator. The shell carries the call to the
 * loop and comes back with api_resume(). docs/openapi.yaml describes the shapes; errors are problem+json (RFC 9457)
 * with a stable "code" and, for bodies, a JSON pointer in "pointer".
 * Threads:   one struct api per thread. Ownership: a response's body is malloc'ed and the caller's. */
#ifndef CELLPOST_API_H
#define CELLPOST_API_H

#include "src/choice/survey.h"
#include "src/gateway/live.h"
#include "src/number/number.h"
#include "src/store/store.h"
#include "src/store/store_read.h"

#define API_BODY_BYTES_MAX (8u << 20)
#define API_RECIPIENTS_MAX 10000
#define API_PATH_CHARS_MAX 512
#define API_JSON_DEPTH_MAX 8

enum api_scope { API_SCOPE_SEND = 1, API_SCOPE_READ = 2, API_SCOPE_INBOX = 4, API_SCOPE_ADMIN = 8, API_SCOPE_ALL = 15 };

/* What the route of a number says before a message to it is taken. */
enum api_route_verdict {
    API_ROUTE_AS_CONFIGURED,             /* it may go; to a fixed line if fixed_lines says so */
    API_ROUTE_FIXED_YES, API_ROUTE_FIXED_NO,   /* it may go; the route itself says whether fixed lines are tried */
    API_ROUTE_REFUSED,
};
#define API_ROUTE_NOTE_MAX 160
/* What those in force say of a number (E.164, or a short code); NULL: none are. */
enum api_route_verdict api_route_ask(const struct routing *routing, const char *to, char ret_note[API_ROUTE_NOTE_MAX]);

struct api_config {
    uint16_t parts_max;                  /* default 10 */
    uint16_t national;                   /* national languages allowed by default: bit n */
    bool downgrade;
    bool ref16;
    bool report;                         /* ask for delivery reports unless the message says otherwise */
    int64_t validity_s;                  /* default 86 400 */
    const char *country;                 /* ISO 3166-1 alpha-2, what national forms of numbers are read in; NULL or "": none */
    bool fixed_lines;                    /* messages to fixed lines are taken */
    const char *version;
    /* Asked for each request, on the thread it is on: false and a reason where new messages are refused (disk full,
     * store away). */
    bool (*accepting)(void *context, const char **ret_reason);
    int (*intake_error)(void *context);  /* behind a false: -ENOSPC (code storage_full) or another errno; NULL: -EIO */
    /* The route of a number (E.164), on the thread of the request; ret_note: of a refused one, "" none. NULL: all may go. */
    enum api_route_verdict (*route)(void *context, const char *to, enum number_kind kind, char ret_note[API_ROUTE_NOTE_MAX]);
    /* ISO 4217, what prices are told in now; "": none. Likewise. NULL: none. */
    void (*currency)(void *context, char ret_currency[4]);
    void *context;
};

struct api;
int api_new(const struct api_config *config, struct store_reader *reader /* borrowed */, struct api **ret_api);
void api_free(struct api *api);

struct api_request {
    const char *method, *path;           /* path without query, not yet percent-decoded */
    const char *(*query)(void *context, const char *name);    /* decoded; NULL absent */
    const char *(*query_name)(void *context, size_t index);   /* the names there are, one by one; NULL after the last */
    const char *(*header)(void *context, const char *name);   /* NULL absent */
    void *context;
    const char *body; size_t body_length;
    const char *peer;                    /* "uid:0" for the unix socket: trusted by its file mode; NULL: needs a key */
    int64_t now_ms;
    uint8_t entropy[32];                 /* for a new key's secret: drawn by the shell */
};

struct api_response {
    int status;
    const char *content_type;            /* static; NULL: no body */
    char *body; size_t length;
    char location[96];                   /* "" none */
    char allow[48];                      /* of a 405; "" none */
    int retry_after_s;                   /* 0 none */
    bool unauthorized;                   /* add WWW-Authenticate: Bearer */
    bool replayed;                       /* add Idempotency-Replayed: true */
    bool stream;                         /* an event stream follows: body is its beginning */
    uint64_t stream_after;               /* Last-Event-ID, UINT64_MAX: from now */
    unsigned stream_kinds;               /* bit per enum live_event_kind that this key may see */
};

enum api_step { API_DONE, API_WAIT_CHANGE, API_WAIT_LIVE, API_WAIT_ASK, API_WAIT_ACCOUNT };

/* A question for the operator of a SIM, put by its modem between two parts: it takes seconds, at most two minutes. */
#define API_USSD_CODE_MAX 182
#define API_USSD_REPLIES_MAX 8
enum api_ask_result {
    API_ASK_ANSWERED,
    API_ASK_NO_SIM,                      /* in no modem now */
    API_ASK_NOT_READY,                   /* its modem: state and detail say why */
    API_ASK_BUSY,                        /* another question is under way, or a part was on the air all the time */
    API_ASK_REFUSED, API_ASK_TIMEOUT,    /* by the network or the modem */
    API_ASK_LOST,                        /* the modem went away meanwhile */
    API_ASK_NO_CODE,                     /* BALANCE: the table of operators has none for it */
    API_ASK_NOT_READ,                    /* BALANCE: the answer fits no pattern: the last balance stays */
    API_ASK_NOT_STORED,                  /* BALANCE: store_error */
    API_ASK_STOPPING, API_ASK_NO_MEMORY,
    API_ASK_RESULT_COUNT
};
enum api_ask_kind { API_ASK_USSD, API_ASK_BALANCE /* the code is that of the operator */ };
struct api_ask {
    enum api_ask_kind kind;              /* in */
    char sim[128];                       /* in: ICCID, IMSI, a name of the configuration, or a port */
    bool seen;                           /* in: the store knows a card with this ICCID or IMSI */
    uint8_t reply_count;
    char code[API_USSD_CODE_MAX + 1], replies[API_USSD_REPLIES_MAX][API_USSD_CODE_MAX + 1];
    enum api_ask_result result;          /* out, as is what follows */
    char iccid[32], port[128];
    char state[24];                      /* how it ended: "final", "reply" ...; NOT_READY: of the modem */
    char detail[256], text[1024];        /* for a person; what the network said, "" nothing */
    int store_error;
    struct { bool has_balance, has_parts; int64_t micro, at_ms; int32_t rest_parts; char currency[4], valid_until[12]; } balance;
};

/* How it stands with the account; with enroll, after a person's token was tried. */
#define API_ACCOUNT_CA_MAX 65536
enum api_account_result {
    API_ACCOUNT_DONE,                    /* looked at; or enrolled */
    API_ACCOUNT_TRYING,                  /* it could not be reached: it is tried on */
    API_ACCOUNT_REFUSED,                 /* by the account: code, why, detail */
    API_ACCOUNT_BUSY,
    API_ACCOUNT_BAD_VALUE,               /* pointer, detail */
    API_ACCOUNT_NO_PLACE,                /* nothing says where the account is, or whom to believe: detail */
    API_ACCOUNT_NOT_STORED,              /* store_error */
    API_ACCOUNT_STOPPING,
};
struct api_account {
    bool enroll;                         /* in, as is what follows: "" not said */
    char token[129], url[256], pin[128];
    char *ca;                            /* PEM; owned, NULL: not said */
    enum api_account_result result;      /* out, as is what follows */
    const char *pointer;                 /* static */
    int store_error;
    char state[16], why[200], detail[320], code[40], advice[240], account[64], box_id[40];
    int64_t epoch, heard_ms, next_ms, clock_off_ms, available_micro;
    bool has_available;
};
void api_account_free(struct api_account *account);   /* wipes it; accepts NULL */

struct api_call {
    struct store_change *change;         /* API_WAIT_CHANGE: hand to the loop, comes back with its result; freed by api_call_done */
    struct live_view live;               /* API_WAIT_LIVE: filled by the loop */
    struct survey survey;                /* API_WAIT_LIVE: of another kind than SURVEY_NONE, computed by the loop with survey_step() */
    struct api_ask *ask;                 /* API_WAIT_ASK: put by the loop, answered there; freed by api_call_done */
    struct api_account *account;         /* API_WAIT_ACCOUNT: filled by the loop; freed by api_call_done */
    void *state;                         /* the api's own */
};
/* Looks at the head alone (route, key, scope, content type), so that a shell need not take in the body of a request
 * that will be refused. True: go on with api_handle(); false: *ret_response is the refusal. */
bool api_admit(struct api *api, const struct api_request *request, struct api_response *ret_response);
enum api_step api_handle(struct api *api, const struct api_request *request, struct api_call *ret_call, struct api_response *ret_response);
void api_resume(struct api *api, struct api_call *call, struct api_response *ret_response);
void api_call_done(struct api_call *call);   /* always, at the end; also when the client has gone */

/* What only the shell can refuse, in the same words as the rest: a problem+json response. */
enum api_refusal { API_BODY_TOO_LARGE, API_URI_TOO_LONG, API_WRONG_HOST, API_STOPPING, API_BUSY, API_INTERNAL_ERROR };
void api_refuse(enum api_refusal refusal, const char *detail, struct api_response *ret_response);

/* The routes, for the test that holds them against docs/openapi.yaml. */
struct api_exchange;
struct api_route {
    const char *method, *pattern;        /* "{id}" stands for one segment */
    unsigned scope;                      /* enum api_scope; 0: no key needed */
    enum api_step (*handle)(struct api_exchange *exchange);
    const char *const *queries;          /* known query parameters, NULL-terminated; NULL none */
    uint16_t statuses[16];               /* every status it may answer with, 0-terminated */
};
const struct api_route *api_routes(size_t *ret_count);

/* One SSE record of an event ("id: ..\nevent: message\ndata: {json}\n\n") into malloc'ed text; NULL no memory. */
char *api_event_render(const char *tag, uint64_t id, const struct live_event *event, size_t *ret_length);
/* The record that goes first where events between the wanted one and oldest_id are no longer at hand. */
char *api_event_render_lost(uint64_t after, uint64_t oldest_id, size_t *ret_length);

#endif
