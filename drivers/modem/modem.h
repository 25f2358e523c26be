/* SPDX-License-Identifier: Apache-2.0
 *
 * modem.h - one modem's life over one line, without I/O: probe, identify, SIM, set-up, registration, ready, sending.
 *
 * Bytes, events and time in; bytes to write and events out. Commands are those of 3GPP TS 27.005 and 27.007.
 * Time:      milliseconds on a monotonic clock; only differences matter.
 * Ownership: the struct is the caller's; texts in events live until the handler returns; the PDU handed to
 *            modem_send() is copied.
 * Errors:    0 or a negative errno; a failed call leaves the modem as it was.
 * Handler:   may call modem_send(), modem_stored() and modem_output() from inside an event; of MODEM_EVENT_USSD and of the state
 *            also modem_ussd(); nothing else. */
#ifndef CELLPOST_MODEM_H
#define CELLPOST_MODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/at/at_chat.h"

enum modem_state {
    MODEM_LOST,           /* no line: unplugged, or not opened yet */
    MODEM_PROBING,        /* is a modem there? */
    MODEM_IDENTIFYING,    /* which one: maker, model, revision, IMEI */
    MODEM_SIM_WAIT,       /* card: PIN, readiness, ICCID, IMSI */
    MODEM_SETTING_UP,     /* PDU mode, storage, CNMI ladder */
    MODEM_REGISTERING,    /* waits for a network */
    MODEM_READY,          /* takes a part */
    MODEM_SENDING,        /* a part is in its hands */
    MODEM_RECOVERING,     /* stopped answering or lost its answers' order: resynchronising */
    MODEM_PARKED,         /* a person must act (reason says what); asked again every park_retry_ms */
    MODEM_STATE_COUNT
};
const char *modem_state_name(enum modem_state state);   /* "ready" ... */

/* Why a modem is where it is, for people and the API. Static strings by enum. */
enum modem_reason {
    MODEM_REASON_NONE, MODEM_REASON_NO_ANSWER /* the port is no modem, or hangs */, MODEM_REASON_UNPLUGGED,
    MODEM_REASON_NO_SIM, MODEM_REASON_PIN_NEEDED, MODEM_REASON_PIN_WRONG, MODEM_REASON_PUK_NEEDED,
    MODEM_REASON_PIN_TWO_LEFT, MODEM_REASON_PIN_ONE_LEFT /* both "pin_wrong" too: somebody's PIN was */,
    MODEM_REASON_SIM_LOCKED /* to another operator or device */, MODEM_REASON_SIM_FAILURE, MODEM_REASON_SIM_BUSY,
    MODEM_REASON_NOT_REGISTERED, MODEM_REASON_DENIED, MODEM_REASON_NO_PDU_MODE, MODEM_REASON_RESET, MODEM_REASON_COUNT
};
const char *modem_reason_text(enum modem_reason reason);   /* a sentence that says what to do */
const char *modem_reason_code(enum modem_reason reason);   /* "pin_needed" ... for the API */

#define MODEM_PDU_HEX_MAX 400

struct modem_identity {
    char manufacturer[32], model[32], revision[48];
    char imei[20];                       /* 15 digits, "" unknown */
    char iccid[24];                      /* 18..22 digits */
    char imsi[16];
};

struct modem_status {
    enum modem_state state;
    enum modem_reason reason;
    struct modem_identity identity;
    int registration;                    /* 27.007 <stat> of the best of CREG, CGREG, CEREG; -1 unknown */
    bool roaming;
    char operator_name[32];
    int signal_dbm;                      /* 0 unknown */
    char smsc[24];
    int storage_used, storage_total;     /* -1 unknown */
    uint32_t sent, refused, unknown, received;   /* since start */
    /* Counts how often the modem has started anew, or the card was out of sight, or neither can be ruled out: while it stays the
     * same, they have been at work all the time. */
    uint32_t lives;
};

enum modem_event_kind {
    MODEM_EVENT_STATE,       /* state, reason changed (status has both) */
    MODEM_EVENT_SIM,         /* the card is known: identity has imei, iccid, imsi. Comes again if the card changes */
    MODEM_EVENT_SENT,        /* part_id: the network took it; mr from +CMGS */
    MODEM_EVENT_REFUSED,     /* part_id: error_kind and code say why; it was not sent */
    MODEM_EVENT_NOT_SENT,    /* part_id: its PDU never reached the modem (no prompt, line gone before): safe to send again */
    MODEM_EVENT_UNKNOWN,     /* part_id: bytes of the PDU went out and no answer came: it may have been sent */
    MODEM_EVENT_LATE_SENT,   /* part_id: an answer to a part reported UNKNOWN before came after all; mr */
    MODEM_EVENT_DELIVER,     /* pdu_hex is an SMS-DELIVER; answer with modem_stored(handle) once it is durable */
    MODEM_EVENT_REPORT,      /* pdu_hex is an SMS-STATUS-REPORT; same */
    MODEM_EVENT_COUNT,       /* mr: the last TP-MR by the card's own file, read while no part was under way; -1: it cannot be read */
    MODEM_EVENT_USSD,        /* ussd, text: how the request of modem_ussd() ended; error_kind and code where the modem refused */
};

/* How a USSD request ended. With text but for a few: a network may say why it refuses. */
enum modem_ussd_end {
    MODEM_USSD_FINAL,        /* text is the answer */
    MODEM_USSD_REPLY,        /* the same, and the network waits for a reply: there was none left, the dialogue was cancelled */
    MODEM_USSD_ENDED,        /* the network ended the dialogue without a text */
    MODEM_USSD_OTHER,        /* it went to another client: the card's own applications */
    MODEM_USSD_UNSUPPORTED,  /* the network does not know the code, or takes none by this way (LTE without voice) */
    MODEM_USSD_NETWORK_SLOW, /* the network's own time limit */
    MODEM_USSD_REFUSED,      /* by the modem: error_kind and code */
    MODEM_USSD_SILENT,       /* no answer in MODEM_USSD_MS */
    MODEM_USSD_NO_TURN,      /* the modem had a part on the air for all of MODEM_USSD_MS */
    MODEM_USSD_LOST,         /* the modem went away, restarted or lost its network meanwhile */
    MODEM_USSD_END_COUNT
};
const char *modem_ussd_end_name(enum modem_ussd_end end);   /* "final" ... */
const char *modem_ussd_end_text(enum modem_ussd_end end);   /* a sentence for people */

enum modem_error_kind { MODEM_ERROR_NONE /* bare ERROR */, MODEM_ERROR_CMS, MODEM_ERROR_CME };

struct modem_event {
    enum modem_event_kind kind;
    const struct modem_status *status;
    uint64_t part_id;
    int mr;                              /* 0..255 */
    enum modem_error_kind error_kind;
    int code;                            /* -1: none given */
    const char *pdu_hex; size_t pdu_length;   /* hex digits as the modem gave them */
    uint32_t handle;
    enum modem_ussd_end ussd;
    const char *text;                    /* UTF-8, "" none */
};

struct modem_config {
    /* NULL: none. Tried only while the card has all its tries left, or once where the modem does not tell how many. */
    const char *pin;
    uint32_t send_timeout_ms;            /* final result after Ctrl-Z; 0: 180 000 (facts: 45 s x 4 tries) */
    uint32_t poll_ms;                    /* CSQ, registration, stored messages while idle; 0: 60 000 */
    uint32_t park_retry_ms;              /* 0: 60 000 */
    /* After so long without the final result a bare AT asks whether the modem is back already (its answer was lost):
     * shortens UNKNOWN from send_timeout_ms to that. 0: never, since some modems take any octet for an abort and one
     * (EG06-E) needed 135 s for an error that did come. */
    uint32_t nudge_ms;
    void (*on_event)(void *context, const struct modem_event *event, uint64_t now_ms);
    void *context;
};

struct modem;

struct modem *modem_new(const struct modem_config *config);   /* NULL: no memory */
void modem_free(struct modem *modem);

void modem_opened(struct modem *modem, uint64_t now_ms);      /* a line is there: start probing */
void modem_closed(struct modem *modem, uint64_t now_ms);      /* the line is gone: UNKNOWN or NOT_SENT, then LOST */
void modem_feed(struct modem *modem, const uint8_t *bytes, size_t len, uint64_t now_ms);
void modem_poll(struct modem *modem, uint64_t now_ms);        /* whatever the clock alone makes due */
uint64_t modem_deadline(const struct modem *modem);           /* when modem_poll() next has something to do; UINT64_MAX never */

/* Bytes to write to the line, in order; consume what the line took. */
const uint8_t *modem_output(const struct modem *modem, size_t *ret_len);
void modem_output_consume(struct modem *modem, size_t len);

/* Hands over one part. The first byte of its PDU goes out only after the modem's prompt. -EBUSY: one is in its hands
 * already, or not READY, or a USSD request is under way; -EINVAL: pdu_hex is no hex or over MODEM_PDU_HEX_MAX. One result event follows, always. */
int modem_send(struct modem *modem, uint64_t part_id, const char *pdu_hex, uint8_t tpdu_length, uint64_t now_ms);
/* True if modem_send() would take a part now. */
bool modem_can_send(const struct modem *modem);

/* The PDU of an event is durable: delete it from the modem's storage, or acknowledge it (+CNMA). */
void modem_stored(struct modem *modem, uint32_t handle, uint64_t now_ms);

/* Reads the card's file of the last used TP-MR before the next part goes. By itself that happens when a part was refused, when
 * one has ended unknown, and when nothing is left to send. Nothing happens where the file cannot be read, or not now. */
void modem_read_count(struct modem *modem, uint64_t now_ms);

/* Sends a USSD code as soon as no part is on the air, and the replies (at most MODEM_USSD_REPLIES_MAX) one by one while the network
 * asks for them. No part goes meanwhile: at most MODEM_USSD_MS, and what is still open then is cancelled (AT+CUSD=2). One
 * MODEM_EVENT_USSD follows, always. -EINVAL: something else than 0-9 * # + in it, too long or too many; -EALREADY: a
 * request is under way; -EAGAIN: neither READY nor SENDING; -ENOMEM. */
#define MODEM_USSD_REPLIES_MAX 8
#define MODEM_USSD_MS 60000
int modem_ussd(struct modem *modem, const char *code, const char *const *replies, size_t reply_count, uint64_t now_ms);
/* A request is under way, or being cancelled: modem_send() takes nothing. */
bool modem_ussd_is_busy(const struct modem *modem);

const struct modem_status *modem_status(const struct modem *modem);

/* The table of states, one line per transition, for documentation and tests. */
void modem_print_table(void (*line)(void *context, const char *text), void *context);

#endif
