/* SPDX-License-Identifier: Apache-2.0
 *
 * message.h - what a message is, from acceptance to its end, as the store keeps it and everyone else names it.
 *
 * Times are wall clock milliseconds since 1970 UTC; 0: not set. Ids are row numbers, > 0, in order of acceptance. */
#ifndef CELLPOST_MESSAGE_H
#define CELLPOST_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are in databases: never change or reuse one. */
enum message_state {
    MESSAGE_SCHEDULED = 1,    /* waits for its time */
    MESSAGE_QUEUED = 2,       /* waits for a modem */
    MESSAGE_SENDING = 3,      /* a part has its intent on disk */
    MESSAGE_SENT = 4,         /* ENROUTE: the network took every part */
    MESSAGE_DELIVERED = 5,    /* DELIVRD: every part reported */
    MESSAGE_UNDELIVERED = 6,  /* UNDELIV */
    MESSAGE_EXPIRED = 7,      /* EXPIRED: by us before sending, or by the network */
    MESSAGE_REJECTED = 8,     /* REJECTD: refused for good, by us or by the network */
    MESSAGE_FAILED = 9,       /* FAILED: given up after retries, or a part of it failed */
    MESSAGE_UNKNOWN = 10,     /* NOREPORT: a part may or may not have been sent; never sent again blindly */
    MESSAGE_CANCELLED = 11,
    MESSAGE_WAIT_CREDIT = 13, /* waits until its batch can be paid for as a whole; nothing is reserved for it */
    MESSAGE_HELD = 12,        /* still unknown when its time was over: a person releases it (sends again) or drops it */
};
#define MESSAGE_STATE_LAST MESSAGE_WAIT_CREDIT
const char *message_state_name(enum message_state state);      /* "queued" ... */
int message_state_from_name(const char *name);                 /* -EINVAL */
bool message_state_is_final(enum message_state state);         /* nothing but a late report, or its owner, changes it */

/* One attempt: a hand-over of one part to a modem. */
enum attempt_state {
    ATTEMPT_INTENT = 1,       /* on disk before its bytes; what was here after a crash is unknown */
    ATTEMPT_SENT = 2,         /* +CMGS came */
    ATTEMPT_REFUSED = 3,      /* an error came: not sent */
    ATTEMPT_NOT_SENT = 4,     /* its PDU never reached the modem */
    ATTEMPT_UNKNOWN = 5,      /* no answer */
    ATTEMPT_WITHDRAWN = 6,    /* taken back before hand-over */
    ATTEMPT_RELEASED = 7,     /* unknown, and its owner or its policy allowed to send the part once more */
};
const char *attempt_state_name(enum attempt_state state);

#define MESSAGE_TO_MAX 24               /* '+', 20 digits, NUL */
#define MESSAGE_TEXT_BYTES_MAX 40000    /* 255 parts of 153 septets in UTF-8 and room */
#define MESSAGE_REASON_MAX 160
#define MESSAGE_CLIENT_REF_MAX 128
#define MESSAGE_PATIENCE_AS_ROUTED UINT32_MAX   /* how long it waits for a cheaper bearer: as its route or the configuration says */
#define MESSAGE_PRIORITY_MIN 0          /* bulk */
#define MESSAGE_PRIORITY_DEFAULT 5
#define MESSAGE_PRIORITY_MAX 9          /* alarms */

/* What may be done about a part of which nobody knows whether it was sent. In databases: never change a number. */
enum message_policy {
    MESSAGE_AT_MOST_ONCE = 0,           /* wait for evidence, then for a person */
    MESSAGE_AT_LEAST_ONCE = 1,          /* send it once more, by the same SIM, with TP-RD: rather twice than not at all */
};
const char *message_policy_name(enum message_policy policy);   /* "at_most_once" ... */

/* How a message goes, decided at acceptance and kept: the same cuts whatever a later version would choose. */
struct message_coding {
    uint8_t alphabet;                   /* enum sms_alphabet */
    uint8_t locking, single;            /* national languages, 0 none */
    uint16_t parts;
    const uint16_t *cuts;               /* octets of text in each part; NULL where parts is 1 */
};

/* Ids as users see them: TAG-m12, TAG-b3, TAG-i7. The tag (4 characters) is drawn once per database, so that ids of a box
 * that was set up anew do not collide with old ones. */
#define ID_TEXT_MAX 32
void id_format(const char *tag, char kind, int64_t id, char ret_text[ID_TEXT_MAX]);
/* Accepts TAG-m12 with the right tag and kind, or bare digits. -EINVAL: no id; -ENOENT: of another database. */
int id_parse(const char *tag, char kind, const char *text, int64_t *ret_id);

#endif
