/* SPDX-License-Identifier: Apache-2.0
 *
 * sim_modem_internal.h - what the files of the simulated modem share. Nobody else includes it.
 *
 *   sim_modem.c     power, line editor, timers, faults      sim_command.c   the tables of commands
 *   sim_output.c    what it says                            sim_text.c      character sets of the AT interface
 *   sim_general.c   commands of 27.007                      sim_sms.c       commands of 27.005, storages
 *   sim_submit.c    a part from Ctrl-Z to its answer        sim_deliver.c   messages and reports that come in
 *   sim_ussd.c      codes and what the network answers */
#ifndef CELLPOST_HAL_SIM_MODEM_INTERNAL_H
#define CELLPOST_HAL_SIM_MODEM_INTERNAL_H

#include "hal/sim/sim_modem.h"
#include "hal/sim/sim_pdu.h"
#include "hal/sim/sim_random.h"

#define SIM_LINE_MAX 1200            /* a USSD text in UCS2 hex is the longest that is sound */
#define SIM_INPUT_MAX 4096           /* typed ahead while a command runs */
#define SIM_TEXT_MAX 1024            /* after the prompt: hex of a PDU, or text in UCS2 hex */
#define SIM_ARGS_MAX 10
#define SIM_BUFFERED_URC_MAX 1024    /* +CNMI mode 0 */

enum sim_phase {
    SIM_PHASE_OFF, SIM_PHASE_BOOTING, SIM_PHASE_COMMAND, SIM_PHASE_EXECUTING /* a line waits for its latency */,
    SIM_PHASE_TEXT /* after the prompt */, SIM_PHASE_AIR /* a part is on the air */,
};

/* Of those due at the same time the first here fires first: accept before the cut or the answer. */
enum sim_timer {
    SIM_TIMER_UNHANG, SIM_TIMER_EXECUTE, SIM_TIMER_ACCEPT, SIM_TIMER_CUT, SIM_TIMER_ANSWER, SIM_TIMER_BOOT,
    SIM_TIMER_SIM_READY, SIM_TIMER_REGISTER, SIM_TIMER_CNMA, SIM_TIMER_USSD, SIM_TIMER_CHATTER, SIM_TIMER_HELD, SIM_TIMER_COUNT
};

enum sim_answer { SIM_ANSWER_PENDING, SIM_ANSWER_OK, SIM_ANSWER_ERROR, SIM_ANSWER_CMS, SIM_ANSWER_CME, SIM_ANSWER_SILENCE };
struct sim_result { enum sim_answer answer; int code; };

enum sim_op { SIM_OP_RUN, SIM_OP_READ, SIM_OP_TEST, SIM_OP_SET };

struct sim_args {
    size_t count;
    const char *text[SIM_ARGS_MAX];      /* without quotes; "" where left out */
    char buffer[SIM_LINE_MAX];
};

struct sim_call { enum sim_op op; const char *name; struct sim_args args; };

enum sim_charset { SIM_CHARSET_GSM, SIM_CHARSET_IRA, SIM_CHARSET_UCS2, SIM_CHARSET_LATIN1, SIM_CHARSET_COUNT };

enum sim_card_state { SIM_CARD_ABSENT, SIM_CARD_PIN, SIM_CARD_PUK, SIM_CARD_BUSY, SIM_CARD_READY };

struct sim_storage { const char *name; struct sim_slot *slots; size_t count; };

enum { SIM_REG_CREG, SIM_REG_CGREG, SIM_REG_CEREG, SIM_REG_COUNT };

/* What AT&F and a reset set back. */
struct sim_settings {
    bool echo, verbose, quiet, text_mode, show_headers;
    uint8_t cmee, csms, cmms, cops_format, cnmi[5], registration[SIM_REG_COUNT];
    enum sim_charset charset;
    uint8_t csmp_fo, csmp_vp, csmp_pid, csmp_dcs;
    uint8_t cfun;
    uint8_t storage[3];                  /* index in storages: mem1, mem2, mem3 */
    bool clip, cusd;
};

struct sim_part {
    uint32_t number;
    uint8_t pdu[SMS_PDU_BYTES_MAX];
    size_t length, tpdu_at;
    struct sms_tpdu tpdu;
    uint8_t mr, mr_said;
    bool accept, linked;
    const char *command;                 /* "+CMGS" or "+CMSS" */
    struct sim_result result;
    enum sim_fault cut;                  /* what SIM_TIMER_CUT does */
};

struct sim_fault_state { uint32_t ppm, argument, armed, armed_argument; bool on; };

struct sim_modem {
    struct sim_modem_config config;
    const struct sim_personality *personality;
    struct sim_card *card;
    struct sim_random random;
    char imei[16];
    struct sim_settings settings;
    struct sim_modem_counters counters;
    enum sim_phase phase;
    uint64_t due_us[SIM_TIMER_COUNT];
    struct sim_fault_state faults[SIM_FAULT_COUNT];
    bool hung;

    uint8_t input[SIM_INPUT_MAX];
    size_t input_at, input_length;
    char line[SIM_LINE_MAX];
    size_t line_length;
    bool line_overflow;
    char last_line[SIM_LINE_MAX];        /* for A/ */
    uint8_t *output;
    size_t output_at, output_length, output_size;
    size_t boot_step;

    bool pin_verified, sim_ready, registered;
    struct sim_storage storages[4];      /* by personality: SM, ME, SR ... in the order it lists them */
    size_t storage_count, sr_turn;       /* sr_turn: which report of a full SR gives way next */
    struct sim_slot *me_slots, *sr_slots;

    char text[SIM_TEXT_MAX];
    size_t text_length;
    bool text_overflow, text_stores;     /* +CMGW: into a storage, not on the air */
    uint32_t text_declared;              /* n of AT+CMGS=n */
    char text_to[SMS_ADDRESS_CHARS_MAX]; /* text mode */
    uint8_t store_stat;
    struct sim_part part;
    uint8_t held_pdu[SMS_PDU_BYTES_MAX]; /* SIM_FAULT_HELD */
    size_t held_length;
    uint64_t link_until_us;
    uint8_t mr_counter;

    bool air_waits;                      /* the air was told to come again */
    bool cnma_wait, cnma_report;
    uint8_t cnma_tpdu[SIM_TPDU_BYTES_MAX];
    size_t cnma_length;
    char urcs[SIM_BUFFERED_URC_MAX];     /* lines kept back in +CNMI mode 0 */
    size_t urcs_length;

    char ussd_reply[SIM_USSD_TEXT_MAX];
    int ussd_state, ussd_menu;           /* state of the reply due; menu: a session is open */
    struct { char code[SIM_USSD_CODE_MAX], text[SIM_USSD_TEXT_MAX]; } ussd[SIM_USSD_MAX];
    size_t ussd_count;
};

typedef struct sim_result (*sim_handler)(struct sim_modem *modem, struct sim_call *call, uint64_t now_us);

/* sim_output.c */
void sim_put(struct sim_modem *modem, const char *bytes, size_t length);
void sim_say(struct sim_modem *modem, const char *format, ...) __attribute__((format(printf, 2, 3)));   /* one information line or URC */
void sim_say_lines(struct sim_modem *modem, const char *text, const char *second);   /* a line and the one that belongs to it */
void sim_say_text(struct sim_modem *modem, const char *text);         /* as sim_say(), without format */
void sim_finish(struct sim_modem *modem, struct sim_result result);

/* sim_modem.c */
void sim_arm(struct sim_modem *modem, enum sim_timer timer, uint64_t due_us);
void sim_event(struct sim_modem *modem, enum sim_event_kind kind, const char *text, uint64_t now_us);
bool sim_fault_strikes(struct sim_modem *modem, enum sim_fault fault, uint32_t *ret_argument, uint64_t now_us);
void sim_settings_default(struct sim_modem *modem);
enum sim_card_state sim_card_state(const struct sim_modem *modem);
void sim_card_start(struct sim_modem *modem, uint64_t now_us);        /* the card was unlocked: ready and registered later */
void sim_registration_set(struct sim_modem *modem, bool registered, uint64_t now_us);
int sim_registration_stat(const struct sim_modem *modem);
int64_t sim_unix_s(const struct sim_modem *modem, uint64_t now_us);

/* sim_command.c */
struct sim_result sim_line_run(struct sim_modem *modem, const char *line, uint64_t now_us);
uint32_t sim_line_latency_times(const struct sim_modem *modem, const char *line);
int sim_arg_int(const struct sim_args *args, size_t index, int fallback);   /* -1: there and no number */

static inline struct sim_result sim_ok(void) { return (struct sim_result){ SIM_ANSWER_OK, 0 }; }
static inline struct sim_result sim_error(void) { return (struct sim_result){ SIM_ANSWER_ERROR, 0 }; }
static inline struct sim_result sim_pending(void) { return (struct sim_result){ SIM_ANSWER_PENDING, 0 }; }
static inline struct sim_result sim_cms(int code) { return (struct sim_result){ SIM_ANSWER_CMS, code }; }
static inline struct sim_result sim_cme(int code) { return (struct sim_result){ SIM_ANSWER_CME, code }; }

/* sim_submit.c */
void sim_text_done(struct sim_modem *modem, uint64_t now_us);         /* Ctrl-Z */
struct sim_result sim_part_start(struct sim_modem *modem, const uint8_t *pdu, size_t length, const char *command, uint64_t now_us);
void sim_part_accept(struct sim_modem *modem, uint64_t now_us);
void sim_part_answer(struct sim_modem *modem, uint64_t now_us);
void sim_part_cut(struct sim_modem *modem, uint64_t now_us);
void sim_part_held(struct sim_modem *modem, uint64_t now_us);         /* what was held back goes now */
void sim_mr_start(struct sim_modem *modem);                           /* power comes: where it counts from */
void sim_mr_stop(struct sim_modem *modem);                            /* power goes */
void sim_part_drop(struct sim_modem *modem, uint64_t now_us);         /* power is gone */

/* sim_deliver.c */
void sim_cnma_timeout(struct sim_modem *modem, uint64_t now_us);
void sim_urcs_flush(struct sim_modem *modem, bool discard);
void sim_air_ready(struct sim_modem *modem, uint64_t now_us);
size_t sim_pdu_with_smsc(const struct sim_modem *modem, const uint8_t *tpdu, size_t length, uint8_t ret_pdu[SMS_PDU_BYTES_MAX]);

/* sim_sms.c */
int sim_storage_find(const struct sim_modem *modem, const char *name);   /* -1: it has none of that name */
size_t sim_storage_used(const struct sim_storage *storage);
int sim_storage_put(struct sim_modem *modem, size_t storage, const uint8_t *pdu, size_t length, size_t tpdu_length,
                    enum sim_slot_stat stat, bool report);            /* the index as the modem says it; -ENOSPC */
struct sim_result sim_sms_ready(const struct sim_modem *modem);       /* OK, or why SMS does not work now */
void sim_text_mode_fields(const struct sim_modem *modem, const struct sms_tpdu *tpdu, char *ret_text, size_t size);

/* sim_ussd.c */
void sim_ussd_answer(struct sim_modem *modem);                        /* its time has come */

/* sim_text.c: what the AT interface shows and takes in the character set of +CSCS */
size_t sim_text_show(enum sim_charset charset, const char *utf8, char *ret_text, size_t size);
int sim_text_take(enum sim_charset charset, const char *text, size_t length, char *ret_utf8, size_t size);   /* octets; -EINVAL */

/* Commands, called through the table. */
#define SIM_HANDLER(name) struct sim_result name(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
SIM_HANDLER(sim_do_nothing); SIM_HANDLER(sim_do_identity); SIM_HANDLER(sim_do_imei); SIM_HANDLER(sim_do_cmee);
SIM_HANDLER(sim_do_cpin); SIM_HANDLER(sim_do_cpinr); SIM_HANDLER(sim_do_iccid); SIM_HANDLER(sim_do_cimi);
SIM_HANDLER(sim_do_crsm); SIM_HANDLER(sim_do_registration); SIM_HANDLER(sim_do_cops); SIM_HANDLER(sim_do_csq);
SIM_HANDLER(sim_do_cesq); SIM_HANDLER(sim_do_cfun); SIM_HANDLER(sim_do_cscs); SIM_HANDLER(sim_do_cusd);
SIM_HANDLER(sim_do_cpas); SIM_HANDLER(sim_do_clck); SIM_HANDLER(sim_do_cpwd); SIM_HANDLER(sim_do_cbc);
SIM_HANDLER(sim_do_cclk); SIM_HANDLER(sim_do_cnum); SIM_HANDLER(sim_do_gcap); SIM_HANDLER(sim_do_cgatt);
SIM_HANDLER(sim_do_cmgf); SIM_HANDLER(sim_do_csms); SIM_HANDLER(sim_do_cpms); SIM_HANDLER(sim_do_cnmi);
SIM_HANDLER(sim_do_cmms); SIM_HANDLER(sim_do_csca); SIM_HANDLER(sim_do_csmp); SIM_HANDLER(sim_do_csdh);
SIM_HANDLER(sim_do_cmgs); SIM_HANDLER(sim_do_cmgw); SIM_HANDLER(sim_do_cmss); SIM_HANDLER(sim_do_cmgr);
SIM_HANDLER(sim_do_cmgl); SIM_HANDLER(sim_do_cmgd); SIM_HANDLER(sim_do_cnma); SIM_HANDLER(sim_do_cscb);

#endif
