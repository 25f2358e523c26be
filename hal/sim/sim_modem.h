/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_modem.h - a simulated GSM modem on one line, without I/O: 3GPP TS 27.005 and 27.007 as real modems speak them.
 *
 * Bytes of the host and time in; bytes to the host, events and submits to the air out. The same object runs in the
 * deterministic simulation (virtual clock, seed) and behind the ptys of cellpost-modembank.
 * Time:      microseconds on any monotonic clock, never going back.
 * Ownership: the card stays the caller's and must outlive its stay in the modem; texts in events live until the
 *            handler returns.
 * Errors:    0 or a negative errno; a failed call leaves the modem as it was.
 * Handlers:  (on_event, the air) must not call back into the same modem, except where said. */
#ifndef CELLPOST_HAL_SIM_MODEM_H
#define CELLPOST_HAL_SIM_MODEM_H

#include "hal/sim/sim_card.h"
#include "hal/sim/sim_fault.h"
#include "hal/sim/sim_personality.h"
#include "src/sms/sms_pdu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_OUTPUT_BYTES_MAX (256u * 1024u)   /* what nobody reads beyond that is lost, and counted */

struct sim_modem;

enum sim_event_kind {
    SIM_EVENT_LINE,          /* an AT line came; text is it */
    SIM_EVENT_SUBMIT,        /* Ctrl-Z came and the part is on the air */
    SIM_EVENT_ACCEPTED,      /* the network took it (from sim_network): this part was really sent */
    SIM_EVENT_ANSWERED,      /* +CMGS and OK are in the output: mr */
    SIM_EVENT_REFUSED,       /* an error is in the output instead, or nothing will be: text says what */
    SIM_EVENT_INCOMING,      /* a message was handed to the modem */
    SIM_EVENT_REPORT,        /* a report was handed to the modem: mr, status */
    SIM_EVENT_DELETED,       /* the host deleted a stored message: text is storage and index */
    SIM_EVENT_FAULT,         /* text: which fault struck */
    SIM_EVENT_UNPLUG,        /* the fault of that name: whoever owns the line takes it away and calls sim_modem_power_off() */
    SIM_EVENT_BOOT,          /* power came or a reset happened */
    SIM_EVENT_COUNT
};
const char *sim_event_name(enum sim_event_kind kind);   /* "accepted" ... */

struct sim_event {
    enum sim_event_kind kind;
    uint64_t t_us;
    uint32_t modem;                      /* config.index */
    const struct sim_modem *from;
    const char *text;                    /* UTF-8: of the message, or as said above; "" none */
    const char *pdu_hex;                 /* accepted, incoming, report: as a modem shows it; "" none */
    const char *address;                 /* destination or sender; "" none */
    uint32_t part;                       /* running number of the modem's submits, ties SUBMIT .. ANSWERED together */
    int mr, status;                      /* -1 none */
    int ref, total, seq;                 /* concatenation; -1, 1, 1 without */
};

/* A part on its way, as the air sees it. tpdu points to its decoded form. */
struct sim_submit {
    const uint8_t *tpdu_octets;          /* without SMSC part, TP-MR as sent */
    size_t tpdu_length;
    const struct sms_tpdu *tpdu;
    const uint8_t *pdu;                  /* with SMSC part */
    size_t pdu_length;
    uint8_t mr;
    bool linked;                         /* +CMMS kept the link from the part before */
};

struct sim_air_plan { uint64_t air_us; int cms; };   /* cms: 0 or the network's refusal */

/* The air, from the modem's side. All may be NULL: then parts take no time and are accepted. */
struct sim_air {
    void *context;
    void (*plan)(void *context, struct sim_modem *modem, const struct sim_submit *submit, uint64_t now_us,
                 struct sim_air_plan *ret_plan);
    /* May call sim_modem_deliver_sms() and sim_modem_push_report(): an early report does. */
    void (*accept)(void *context, struct sim_modem *modem, const struct sim_submit *submit, uint64_t now_us);
    /* Registered, memory freed, or acknowledged: what was refused before may be tried again. */
    void (*ready)(void *context, struct sim_modem *modem, uint64_t now_us);
    /* A routed message the host did not acknowledge (+CNMA): still undelivered. */
    void (*returned)(void *context, struct sim_modem *modem, const uint8_t *tpdu, size_t length, bool report, uint64_t now_us);
};

/* How it keeps the card's EF_SMSS, the last used TP-MR (TS 23.040 9.2.3.6). */
enum sim_smss {
    SIM_SMSS_BY_PERSONALITY, /* as its mr_source has it; one that counts by itself leaves the file alone */
    SIM_SMSS_AT_SUBMIT,      /* counts in the file, written before the part goes on the air */
    SIM_SMSS_AT_ACK,         /* counts in the file, written when the network has acknowledged the part and the modem knows */
    SIM_SMSS_AT_POWER_OFF,   /* counts by itself from there on, written when it is switched off or restarts */
    SIM_SMSS_NEVER,          /* the same, never written */
    SIM_SMSS_REFUSED,        /* as at submit, but AT+CRSM does not give it */
    SIM_SMSS_RESTARTS,       /* counts from 0 after each start, written before the part goes on the air */
    SIM_SMSS_COUNT
};

struct sim_modem_config {
    uint32_t index;                      /* in events; seeds identity */
    uint64_t seed;
    const struct sim_personality *personality;   /* NULL: generic */
    struct sim_card *card;               /* NULL: none in it */
    enum sim_smss smss;
    int8_t echo;                         /* after power on: 0 as the personality has it, 1 on, -1 off */
    struct sim_air air;
    uint64_t latency_us;                 /* of an ordinary command */
    uint64_t boot_us;                    /* from power on to the first answer after a reset */
    uint64_t sim_ready_us;               /* from there, or from the PIN, until SMS works */
    uint64_t register_us;                /* from there until registered */
    uint64_t ussd_us;                    /* until the answer to a USSD request */
    int64_t unix_s_at_zero;              /* wall clock at now_us = 0: time stamps */
    void (*on_event)(void *context, const struct sim_event *event);   /* may be NULL */
    void *on_event_context;
};

struct sim_modem_counters {
    uint64_t at_lines, submits, answered, refused, output_dropped, input_dropped;
};

/* A modem that is on, booted, with its card ready and registered (where no PIN is asked). NULL: no memory. */
struct sim_modem *sim_modem_new(const struct sim_modem_config *config);
void sim_modem_free(struct sim_modem *modem);

void sim_modem_feed(struct sim_modem *modem, const uint8_t *bytes, size_t length, uint64_t now_us);
void sim_modem_poll(struct sim_modem *modem, uint64_t now_us);
uint64_t sim_modem_deadline(const struct sim_modem *modem);   /* UINT64_MAX: never */

/* Bytes for the host, in order. */
const uint8_t *sim_modem_output(const struct sim_modem *modem, size_t *ret_length);
void sim_modem_output_consume(struct sim_modem *modem, size_t length);

/* A message for its card: an SMS-DELIVER TPDU. 0: taken, the network is done with it (or waits for CNMA, see returned).
 * -EAGAIN: off, booting, hung, not registered; -EBUSY: an acknowledgement is awaited; -ENOSPC: storage full (air.ready
 * says when to try again for all three); -EINVAL: too long. */
int sim_modem_deliver_sms(struct sim_modem *modem, const uint8_t *tpdu, size_t length, uint64_t now_us);
/* The same for an SMS-STATUS-REPORT. */
int sim_modem_push_report(struct sim_modem *modem, const uint8_t *tpdu, size_t length, uint64_t now_us);

void sim_modem_reset(struct sim_modem *modem, uint64_t now_us);       /* a power cycle: boot noise, settings gone */
void sim_modem_power_off(struct sim_modem *modem, uint64_t now_us);   /* unplugged: a part on the air may or may not have gone */
void sim_modem_power_on(struct sim_modem *modem, uint64_t now_us);
void sim_modem_set_card(struct sim_modem *modem, struct sim_card *card, uint64_t now_us);

/* What the network answers to a code, before its own *100# and *101#. text: UTF-8, "" never, NULL as if it had not been said.
 * -EINVAL: no code or too long, -ENOSPC: too many. */
#define SIM_USSD_MAX 16
#define SIM_USSD_CODE_MAX 64
#define SIM_USSD_TEXT_MAX 256
int sim_modem_set_ussd(struct sim_modem *modem, const char *code, const char *text);

/* Strikes in ppm of a million cases; a state is drawn once, now. argument 0: that of the table. */
void sim_modem_set_fault(struct sim_modem *modem, enum sim_fault fault, uint32_t ppm, uint32_t argument, uint64_t now_us);
/* Strikes once: at the next part or line, or at once (see the table). States stay until cleared. */
void sim_modem_trigger_fault(struct sim_modem *modem, enum sim_fault fault, uint32_t argument, uint64_t now_us);
void sim_modem_clear_faults(struct sim_modem *modem, uint64_t now_us);

uint32_t sim_modem_index(const struct sim_modem *modem);
const char *sim_modem_imei(const struct sim_modem *modem);
struct sim_card *sim_modem_card(const struct sim_modem *modem);   /* NULL: none */
const struct sim_modem_counters *sim_modem_counters(const struct sim_modem *modem);
bool sim_modem_registered(const struct sim_modem *modem);

#endif
