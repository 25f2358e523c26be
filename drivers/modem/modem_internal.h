/* SPDX-License-Identifier: Apache-2.0
 *
 * modem_internal.h - what the files of drivers/modem share. Nobody else includes it.
 *
 * modem.c          the table of states, the public functions, what comes from the engine
 * modem_script.c   runs commands: fixed scripts, and single jobs between parts
 * modem_setup.c    the scripts as data: identify, card, set-up; what their answers mean
 * modem_network.c  registration, signal, operator: polls and unsolicited lines
 * modem_send.c     one part from prompt to result
 * modem_count.c    the card's file of the last used TP-MR, and whether the modem has been at work since
 * modem_dialogue.c  USSD requests between two parts
 * modem_ussd.c     how their texts are written
 * modem_storage.c  received messages: reading, handing over, deleting
 * modem_names.c    names and sentences */
#ifndef CELLPOST_DRIVERS_MODEM_INTERNAL_H
#define CELLPOST_DRIVERS_MODEM_INTERNAL_H

#include "drivers/at/at_chat.h"
#include "drivers/at/at_parse.h"
#include "drivers/modem/modem.h"
#include "drivers/modem/modem_ussd.h"

#define MODEM_AGAIN_MS 2000            /* a step that must be asked again: a card that starts, no "SMS Ready" yet */
#define MODEM_SILENCES_MAX 4           /* commands of one script that get no answer although AT does: then start over */
#define MODEM_READS_MAX 16
#define MODEM_HANDLES_MAX 32
#define MODEM_HANDLE_OPEN_MS 600000    /* never acknowledged: the message comes again at the next sweep after that */
#define MODEM_NEVER UINT64_MAX

enum modem_trigger {
    ON_OPENED, ON_CLOSED,
    ON_ANSWERED, ON_SILENT,            /* synchronising found the modem; or it, or a command, got no answer */
    ON_GIVEN_UP,                       /* recovery took too long */
    ON_SCRIPT_DONE,
    ON_SIM_UNUSABLE, ON_NO_PDU_MODE,   /* status.reason says more */
    ON_REGISTERED, ON_UNREGISTERED,
    ON_SEND, ON_SEND_ENDED, ON_SEND_BROKEN,
    ON_RESET,                          /* the modem started anew by itself */
    ON_SIM_CHANGED,                    /* the card must be looked at again */
    ON_RETRY_PORT, ON_RETRY_SIM,
    MODEM_TRIGGER_COUNT
};

/* How a command of a script or a job ended, for what comes next. */
enum modem_verdict {
    VERDICT_ACCEPTED,
    VERDICT_REFUSED,                   /* in a ladder: try the next rung; else go on all the same */
    VERDICT_AGAIN,                     /* the same command after MODEM_AGAIN_MS */
    VERDICT_RESTART,                   /* the script from its start after MODEM_AGAIN_MS */
    VERDICT_STOP,                      /* the state has changed: the script is over */
};

/* Ladders: steps that stand together; the first accepted one ends it, and is tried first the next time. */
enum modem_ladder { LADDER_NONE, LADDER_IMEI, LADDER_PIN_TRIES, LADDER_ICCID, LADDER_STORAGE, LADDER_CNMI, LADDER_CREG, LADDER_CEREG,
                    LADDER_CGREG, MODEM_LADDER_COUNT };

struct modem_step {
    const char *command;               /* a literal; arguments by add() */
    void (*add)(const struct modem *modem, struct at_command *command);
    bool (*wanted)(const struct modem *modem);
    void (*on_line)(struct modem *modem, const struct at_event *line, uint64_t now_ms);
    /* NULL: OK or not */
    enum modem_verdict (*judge)(struct modem *modem, const struct at_event *done, uint64_t now_ms);
    const char *alias;
    uint32_t timeout_ms;               /* 0: 5 s */
    uint8_t ladder;
    bool any_lines;
};
struct modem_script { const struct modem_step *steps; uint8_t count; };

enum modem_doing { DOING_NOTHING, DOING_SYNC, DOING_STEP, DOING_JOB, DOING_SEND };

enum { POLL_CREG = 1, POLL_CEREG = 2, POLL_CGREG = 4, POLL_REGISTRATION = 7, POLL_CSQ = 8, POLL_COPS = 16,
       POLL_STORAGE = 32, POLL_CMEE = 64, POLL_COUNT = 128 };

enum modem_pin { PIN_NONE, PIN_UNTRIED, PIN_SPENT, PIN_GOOD };

/* HANDLE_STUCK: its delete was refused or not answered. */
enum modem_handle_state { HANDLE_FREE, HANDLE_OPEN, HANDLE_DELETE, HANDLE_STUCK, HANDLE_DIRECT };

/* A message given to the owner: where it lies, so that it is neither given twice nor deleted before its time. */
struct modem_handle {
    uint32_t handle, hash;
    uint64_t opened_ms;
    uint16_t index;
    char storage[3];
    uint8_t state;
};

struct modem_read { char storage[3]; uint16_t index; };

/* A USSD request on its way, on the heap: few modems have one. */
enum modem_dialogue_phase { DIALOGUE_WAITS, DIALOGUE_ASKING /* the command runs */, DIALOGUE_OPEN /* for the network to answer */, DIALOGUE_OVER };
struct modem_dialogue {
    enum modem_dialogue_phase phase;
    bool started, answered;
    uint64_t deadline_ms;
    uint32_t left_ms;                  /* for the command that is about to start */
    int m;                             /* of the last +CUSD, whose text is below */
    char text[MODEM_USSD_TEXT_MAX];
    enum modem_ussd_end end;
    enum modem_error_kind error_kind;
    int code;
    uint8_t count, at;
    char say[1 + MODEM_USSD_REPLIES_MAX][MODEM_USSD_CODE_MAX + 1];   /* the code, then replies */
};

struct modem {
    struct modem_config config;
    struct modem_status status;
    enum modem_state reported_state;
    enum modem_reason reported_reason;
    struct at_chat chat;
    enum modem_doing doing;
    uint32_t ignored;                  /* triggers with no row in the table */

    /* The script or job that runs. */
    const struct modem_script *script;
    const struct modem_step *job;
    uint8_t step, tries, silences, total_tries;
    uint8_t rung[MODEM_LADDER_COUNT];  /* offset of the accepted step in its ladder, plus 1 */
    uint64_t again_ms;                 /* the script waits until then; MODEM_NEVER: it does not */

    /* Life. */
    uint64_t life_ms;                  /* when it was opened, or was seen to start */
    uint64_t retry_ms;                 /* parked, recovering, registering: when to ask again */
    uint64_t recover_until_ms;
    uint8_t ready_seen;                /* which "SMS Ready" lines came in this life */
    uint8_t registering_polls;
    bool renew;                        /* ATE0 and CMEE are due again */
    bool patient;                      /* a card may need time (boot); not when a parked one is asked again */
    bool sim_announced, sim_check;
    bool cmee_set;
    bool no_prompt;                    /* a family's quirk: it takes the PDU without asking for it */
    bool echo_is_off;
    uint32_t echo_mark;                /* echoes counted when ATE0 was accepted */
    char pin[12];
    enum modem_pin pin_state;
    bool pin_due, pin_tried;
    struct at_pin_tries pin_tries;     /* as the card has them now; left -1: not told */
    int8_t card_seen;                  /* what AT+CPIN? answered; -1: nothing */
    bool pin_may_repeat;               /* accepted before, and the modem or the card started anew since */
    char iccid[24], imsi[16];          /* as read now, before they are compared with status.identity */
    bool iccid_read, imsi_read;

    /* Network. */
    int8_t creg, cgreg, cereg;         /* <stat>, -1 unknown */
    uint8_t polls, polls_urgent, polls_refused, poll_rounds;   /* urgent: also between two parts */
    uint64_t poll_ms, last_poll_ms, quiet_until_ms;

    /* The part in its hands, and the last one that ended unknown. */
    bool part, part_started, suspect_echo;
    uint64_t part_id;
    uint64_t nudge_ms;
    char pdu_hex[MODEM_PDU_HEX_MAX + 1];
    uint16_t pdu_length;
    uint8_t tpdu_length;
    int mr;
    bool late; uint64_t late_part_id, late_until_ms;
    bool count_due, restart_check;     /* after a part that ended unknown: read the file; look whether the modem has restarted */
    bool echo_was_off;
    int8_t cmee_seen;
    int16_t count_seen;
    uint8_t count_silences;
    char count_refused[48];            /* the modem and card that do not give the file */
    bool interleaved;                  /* a job ran since the last part */

    /* USSD. */
    struct modem_dialogue *dialogue;   /* NULL: none */
    bool dialogue_cancel;              /* AT+CUSD=2 is due: the network or the modem may still hold one open */
    uint8_t ussd_coding;               /* the one that was taken, plus 1; 0: none yet */

    /* Received messages. */
    char mem1[3], mem_main[3], select[3];
    uint8_t storages_listed;           /* what mem1 may be: AT_STORAGE_... */
    uint8_t storages_main;             /* what both mem1 and mem3 may be */
    bool needs_cnma;
    uint8_t cnma_due, storage_tries;
    uint8_t reads_count, job_handle;
    struct modem_read reads[MODEM_READS_MAX];
    struct modem_handle handles[MODEM_HANDLES_MAX];
    uint32_t last_handle;
    bool sweep_main, sweep_other, sweeping_other, sweep_by_index, sweep_more;
    bool scan_running;
    int scan_index, scan_last, scan_left;
    uint32_t bad_pdus;
};

/* modem.c */
void modem_apply(struct modem *modem, enum modem_trigger trigger, uint64_t now_ms);
void modem_advance(struct modem *modem, uint64_t now_ms);   /* starts what is due, if the engine is free */
void modem_emit(struct modem *modem, struct modem_event *event, uint64_t now_ms);
const char *modem_trigger_name(enum modem_trigger trigger);
uint64_t modem_earlier(uint64_t a, uint64_t b);

/* modem_script.c */
void modem_run(struct modem *modem, const struct modem_script *script, uint64_t now_ms);
void modem_script_advance(struct modem *modem, uint64_t now_ms);
void modem_step_done(struct modem *modem, const struct at_event *done, uint64_t now_ms);
void modem_start_job(struct modem *modem, const struct modem_step *job, uint64_t now_ms);
void modem_job_done(struct modem *modem, const struct at_event *done, uint64_t now_ms);
void modem_line(struct modem *modem, const struct at_event *line, uint64_t now_ms);

/* modem_setup.c */
extern const struct modem_script modem_script_identify, modem_script_sim, modem_script_setup;
void modem_setup_quirks(struct modem *modem);                /* by what identify learnt */
/* How many memories AT+CPMS= took at set-up: 1 to 3. */
unsigned modem_setup_memories(const struct modem *modem);
void modem_setup_forget(struct modem *modem);               /* a new line: nothing is known */

/* modem_network.c */
const struct modem_step *modem_network_job(struct modem *modem, bool overdue_only, uint64_t now_ms);
void modem_network_forget(struct modem *modem);
void modem_network_ask(struct modem *modem, uint8_t polls);   /* before the next part */
void modem_network_begin(struct modem *modem, uint64_t now_ms);
void modem_network_urc(struct modem *modem, const struct at_event *urc, uint64_t now_ms);
/* Registered or not: pulls the trigger, if the state says otherwise. */
void modem_network_judge(struct modem *modem, uint64_t now_ms);

/* modem_send.c */
void modem_send_start(struct modem *modem, uint64_t now_ms);
void modem_send_prompt(struct modem *modem, uint64_t now_ms);
void modem_send_line(struct modem *modem, const struct at_event *line);
void modem_send_done(struct modem *modem, const struct at_event *done, uint64_t now_ms);
void modem_send_late(struct modem *modem, const struct at_event *urc, uint64_t now_ms);
/* A sign that it may have restarted with the part in its hands. */
void modem_send_suspect(struct modem *modem, uint64_t now_ms);
void modem_send_poll(struct modem *modem, uint64_t now_ms);
/* No polls until then: soon after a part the next one may come. 0 where none can come. */
uint64_t modem_quiet_until(const struct modem *modem);
/* The part ends without an answer: UNKNOWN if any of its PDU left, else NOT_SENT. */
void modem_send_break(struct modem *modem, uint64_t now_ms);

/* modem_count.c */
#define MODEM_COUNT_COMMAND "AT+CRSM=176,28483,0,0,1"   /* READ BINARY of EF_SMSS, octet 1 (TS 31.102 4.2.28) */
/* The card's file may have moved: read it when there is nothing to send, or (urgent) before the next part. */
void modem_count_moved(struct modem *modem, bool urgent);
void modem_count_doubt(struct modem *modem);                /* recovery begins with a part in doubt: now, and not before it */
bool modem_count_is_due(const struct modem *modem);
bool modem_count_restart_check(const struct modem *modem);
void modem_count_on_cmee(struct modem *modem, const struct at_event *line, uint64_t now_ms);
enum modem_verdict modem_count_judge_cmee(struct modem *modem, const struct at_event *done, uint64_t now_ms);
void modem_count_on_line(struct modem *modem, const struct at_event *line, uint64_t now_ms);
enum modem_verdict modem_count_judge(struct modem *modem, const struct at_event *done, uint64_t now_ms);

/* modem_dialogue.c */
const struct modem_step *modem_dialogue_job(struct modem *modem, uint64_t now_ms);
void modem_dialogue_urc(struct modem *modem, const struct at_event *urc, uint64_t now_ms);
void modem_dialogue_poll(struct modem *modem, uint64_t now_ms);
/* Ends one whose modem is not at work any more, and tells of one that is over. */
void modem_dialogue_settle(struct modem *modem, uint64_t now_ms);
uint64_t modem_dialogue_deadline(const struct modem *modem);
void modem_dialogue_forget(struct modem *modem);            /* another modem may be there */

/* modem_storage.c */
const struct modem_step *modem_storage_job(struct modem *modem, uint64_t now_ms);
void modem_storage_forget(struct modem *modem);
void modem_storage_sweep(struct modem *modem, bool all);
void modem_storage_notified(struct modem *modem, const struct at_event *urc);
void modem_storage_direct(struct modem *modem, const struct at_event *urc, uint64_t now_ms);

#endif
