/* SPDX-License-Identifier: Apache-2.0
 *
 * The scripts that make a modem ours, as data: identify it, ready its card, set it up. Ladders are rows. */
#include "drivers/modem/modem_internal.h"

#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define PDU_MODE_TRIES 30      /* AT+CMGF fails on a SIM800 until "SMS Ready", 5 to 20 s after the start */
#define PIN_SETTLE_TRIES 20    /* CPIN may say SIM PIN for some seconds after it was accepted (M6280: 10 s) */
#define PIN_TRIES_FULL 3       /* what a card begins with where the modem does not tell it (TS 31.101 9.5.1) */
#define PIN_BUSY_TRIES 5       /* a card that starts may not tell its counter yet */
#define IMSI_TRIES 5
#define STORAGE_TRIES 5
#define STORAGE_BUSY_TRIES 15  /* the lists of storages while the card starts; "SMS Ready" makes it ask at once */

void modem_setup_forget(struct modem *modem)
{
    memset(modem->rung, 0, sizeof modem->rung);
    modem->status.identity = (struct modem_identity){ .imei = "" };
    modem->status.smsc[0] = '\0';
    modem->sim_announced = modem->sim_check = modem->renew = false;
    modem->cmee_set = modem->echo_is_off = false;
    modem->ready_seen = 0;
    modem->patient = true;
}

/* ------------------------------------------------------------------------------------------------ identify */

static bool is_to_renew(const struct modem *modem) { return modem->renew; }

static enum modem_verdict judge_echo_off(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    modem->echo_mark = at_chat_counts(&modem->chat)->echoes;
    modem->echo_is_off = false;   /* until the commands of the set-up came back without one */
    return done->result == AT_OK ? VERDICT_ACCEPTED : VERDICT_REFUSED;
}

static enum modem_verdict judge_cmee(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    modem->cmee_set = done->result == AT_OK;
    return VERDICT_ACCEPTED;
}

/* Only the first line counts: an M95 answers AT+CGMI with three, a Nokia AT+CGMR with five. */
static void keep_first(char *field, size_t size, const struct at_event *line)
{
    if (field[0] == '\0')
        (void)at_parse_identity(line->text, field, size);
}

static void on_manufacturer(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    (void)now_ms;
    keep_first(modem->status.identity.manufacturer, sizeof modem->status.identity.manufacturer, line);
}

static void on_model(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    (void)now_ms;
    keep_first(modem->status.identity.model, sizeof modem->status.identity.model, line);
}

static void on_revision(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    (void)now_ms;
    keep_first(modem->status.identity.revision, sizeof modem->status.identity.revision, line);
}

static void on_imei(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    (void)now_ms;
    if (modem->status.identity.imei[0] == '\0')
        (void)at_parse_imei(line->text, modem->status.identity.imei, sizeof modem->status.identity.imei);
}

static enum modem_verdict judge_imei(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)done;
    (void)now_ms;
    return modem->status.identity.imei[0] != '\0' ? VERDICT_ACCEPTED : VERDICT_REFUSED;
}

static const struct modem_step identify_steps[] = {
    { .command = "ATE0", .judge = judge_echo_off },
    { .command = "AT+CMEE=1", .judge = judge_cmee },
    { .command = "AT+CGMI", .any_lines = true, .on_line = on_manufacturer },
    { .command = "AT+CGMM", .any_lines = true, .on_line = on_model },
    { .command = "AT+CGMR", .any_lines = true, .on_line = on_revision },
    { .command = "AT+CGSN", .any_lines = true, .on_line = on_imei, .judge = judge_imei, .ladder = LADDER_IMEI },
    { .command = "AT+GSN", .any_lines = true, .on_line = on_imei, .judge = judge_imei, .ladder = LADDER_IMEI },
};
/* What a family does otherwise than 27.005 has it, by how its model begins. */
static const struct { const char *model; bool no_prompt; } quirks[] = {
    { "nRF91", true },
};

void modem_setup_quirks(struct modem *modem)
{
    modem->no_prompt = false;
    for (size_t i = 0; i < COUNT(quirks); i++) {
        if (strncmp(modem->status.identity.model, quirks[i].model, strlen(quirks[i].model)) == 0)
            modem->no_prompt = quirks[i].no_prompt;
    }
}

const struct modem_script modem_script_identify = { identify_steps, COUNT(identify_steps) };

/* ------------------------------------------------------------------------------------------------ card */

/* How long each state of a card is borne with, in tries of MODEM_AGAIN_MS. "SIM failure" right before READY is seen
 * at boot (A7670G), "busy" for 10 s after the PIN (M6280). */
static const struct { enum at_sim sim; uint8_t tries; enum modem_reason reason; } card_patience[] = {
    { AT_SIM_PUK, 1, MODEM_REASON_PUK_NEEDED },
    { AT_SIM_LOCKED, 1, MODEM_REASON_SIM_LOCKED },
    { AT_SIM_MISSING, 4, MODEM_REASON_NO_SIM },
    { AT_SIM_BUSY, 30, MODEM_REASON_SIM_BUSY },
    { AT_SIM_FAILURE, 15, MODEM_REASON_SIM_FAILURE },
};

static enum modem_verdict park_card(struct modem *modem, enum modem_reason reason, uint64_t now_ms)
{
    modem->script = NULL;
    modem->status.reason = reason;
    modem_apply(modem, ON_SIM_UNUSABLE, now_ms);
    return VERDICT_STOP;
}

/* The PIN is tried once in our life; a second time only where this card took it before and the modem has started anew
 * since. Whether the card has the tries for it, judge_pin_tries() says. */
static enum modem_verdict judge_pin_request(struct modem *modem, uint64_t now_ms)
{
    switch (modem->pin_state) {
    case PIN_NONE:
        return park_card(modem, MODEM_REASON_PIN_NEEDED, now_ms);
    case PIN_SPENT:
        return park_card(modem, MODEM_REASON_PIN_WRONG, now_ms);
    case PIN_GOOD:
        if (modem->pin_may_repeat)
            break;
        if (modem->total_tries >= PIN_SETTLE_TRIES)
            return park_card(modem, MODEM_REASON_PIN_NEEDED, now_ms);
        return VERDICT_AGAIN;
    case PIN_UNTRIED:
        break;
    }
    modem->pin_due = true;
    modem->pin_tries = (struct at_pin_tries){ -1, -1 };
    return VERDICT_ACCEPTED;
}

static enum modem_verdict judge_card(struct modem *modem, enum at_sim sim, uint64_t now_ms)
{
    if (sim == AT_SIM_READY) {
        if (modem->pin_tried)
            modem->pin_state = PIN_GOOD;
        return VERDICT_ACCEPTED;
    }
    if (sim == AT_SIM_PIN)
        return judge_pin_request(modem, now_ms);
    for (size_t i = 0; i < COUNT(card_patience); i++) {
        if (card_patience[i].sim != sim)
            continue;
        if (!modem->patient || modem->total_tries >= card_patience[i].tries)
            return park_card(modem, card_patience[i].reason, now_ms);
        if (sim == AT_SIM_BUSY)
            modem->status.reason = MODEM_REASON_SIM_BUSY;
    }
    return VERDICT_AGAIN;
}

static void on_cpin(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    enum at_sim sim;

    (void)now_ms;
    if (at_parse_cpin(line->text, &sim) == 0)
        modem->card_seen = (int8_t)sim;
}

static enum modem_verdict judge_cpin(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    enum at_sim sim = AT_SIM_FAILURE;
    int seen = modem->card_seen;

    modem->card_seen = -1;
    if (seen >= 0)
        return judge_card(modem, (enum at_sim)seen, now_ms);
    if (done->result == AT_OK)
        return judge_card(modem, AT_SIM_READY, now_ms);   /* some answer with a bare OK (smstools) */
    if (done->result == AT_REFUSED && done->error_kind != AT_ERROR_PLAIN)
        (void)at_sim_from_error(done->error_kind == AT_ERROR_CMS, done->code, &sim);
    return judge_card(modem, sim, now_ms);
}

static bool is_pin_due(const struct modem *modem) { return modem->pin_due; }

/* A modem that hangs on what it does not know must not be asked until the script is given up: it would never end. */
static bool is_counter_due(const struct modem *modem)
{
    return modem->pin_due && modem->silences < MODEM_SILENCES_MAX - 1;
}

static void on_pin_tries(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    (void)now_ms;
    (void)at_parse_pin_tries(line->text, &modem->pin_tries);
}

static bool is_busy(const struct at_event *done)
{
    enum at_sim sim;

    return done->result == AT_REFUSED && done->error_kind != AT_ERROR_PLAIN &&
           at_sim_from_error(done->error_kind == AT_ERROR_CMS, done->code, &sim) == 0 && sim == AT_SIM_BUSY;
}

/* Nothing here remembers what an earlier start of the gateway tried; the card does. A try is spent only while none is
 * missing: a wrong PIN costs one in all, and every start after it finds the counter short. The right one fills it up. */
static enum modem_verdict judge_pin_tries(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    static const enum modem_reason reasons[PIN_TRIES_FULL] = { MODEM_REASON_PUK_NEEDED, MODEM_REASON_PIN_ONE_LEFT,
                                                               MODEM_REASON_PIN_TWO_LEFT };
    int left = modem->pin_tries.left, full = modem->pin_tries.full;

    if (left < 0) {
        if (is_busy(done) && modem->tries < PIN_BUSY_TRIES)
            return VERDICT_AGAIN;
        /* One lost answer must not pass for a modem without the counter. */
        if (done->result == AT_UNKNOWN && modem->silences == 1)
            return VERDICT_AGAIN;
        return VERDICT_REFUSED;
    }
    if (left < PIN_TRIES_FULL)
        return park_card(modem, reasons[left], now_ms);
    if (left < full)
        return park_card(modem, MODEM_REASON_PIN_WRONG, now_ms);
    return VERDICT_ACCEPTED;
}

static void add_pin(const struct modem *modem, struct at_command *command)
{
    at_command_add_string(command, modem->pin);
}

/* Spent before it is known how it went: whatever happens in between, it is not tried blindly again. */
static enum modem_verdict judge_pin(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    modem->pin_due = false;
    modem->pin_tried = true;
    modem->pin_state = PIN_SPENT;
    if (done->result == AT_REFUSED)
        return park_card(modem, MODEM_REASON_PIN_WRONG, now_ms);
    if (done->result == AT_OK)
        modem->pin_state = PIN_GOOD;
    modem->pin_may_repeat = false;
    return VERDICT_RESTART;
}

static void on_iccid(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    (void)now_ms;
    modem->iccid_read = modem->iccid_read || at_parse_iccid(line->text, modem->iccid, sizeof modem->iccid) == 0;
}

static enum modem_verdict judge_iccid(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)done;
    (void)now_ms;
    return modem->iccid_read ? VERDICT_ACCEPTED : VERDICT_REFUSED;
}

static void on_imsi(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    (void)now_ms;
    modem->imsi_read = modem->imsi_read || at_parse_imsi(line->text, modem->imsi, sizeof modem->imsi) == 0;
}

static void announce_card(struct modem *modem, uint64_t now_ms)
{
    struct modem_identity *identity = &modem->status.identity;
    struct modem_event event = { .kind = MODEM_EVENT_SIM };
    bool same = modem->sim_announced && (!modem->iccid_read || strcmp(identity->iccid, modem->iccid) == 0) &&
                (!modem->imsi_read || strcmp(identity->imsi, modem->imsi) == 0);

    if (same)
        return;
    if (modem->sim_announced) {
        /* Another card: the places of its messages are others. */
        modem_storage_forget(modem);
        modem->status.smsc[0] = '\0';
    }
    memcpy(identity->iccid, modem->iccid, sizeof identity->iccid);
    memcpy(identity->imsi, modem->imsi, sizeof identity->imsi);
    modem->sim_announced = true;
    modem_emit(modem, &event, now_ms);
}

static enum modem_verdict judge_imsi(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)done;
    /* Right after a start the card's files may not be readable yet. */
    if (!modem->imsi_read && modem->tries < IMSI_TRIES)
        return VERDICT_AGAIN;
    announce_card(modem, now_ms);
    return VERDICT_ACCEPTED;
}

#define PIN_TRIES_STEP(name)                                                                                          \
    { .command = (name), .wanted = is_counter_due, .on_line = on_pin_tries, .judge = judge_pin_tries,                 \
      .ladder = LADDER_PIN_TRIES }

#define ICCID_STEP(name, other)                                                                                       \
    { .command = (name), .alias = (other), .any_lines = true, .on_line = on_iccid, .judge = judge_iccid,              \
      .ladder = LADDER_ICCID }

static const struct modem_step sim_steps[] = {
    { .command = "AT+CMEE?", .wanted = modem_count_restart_check, .on_line = modem_count_on_cmee, .judge = modem_count_judge_cmee },
    { .command = "ATE0", .wanted = is_to_renew, .judge = judge_echo_off },
    { .command = "AT+CMEE=1", .wanted = is_to_renew, .judge = judge_cmee },
    { .command = "AT+CPIN?", .any_lines = true, .on_line = on_cpin, .judge = judge_cpin, .timeout_ms = 10000 },
    PIN_TRIES_STEP("AT+CPINR"),
    PIN_TRIES_STEP("AT^CPIN?"),
    PIN_TRIES_STEP("AT+QPINC?"),
    PIN_TRIES_STEP("AT+SPIC"),
    PIN_TRIES_STEP("AT+UPINCNT"),
    PIN_TRIES_STEP("AT#PCT"),
    PIN_TRIES_STEP("AT^SPIC=\"SC\""),
    PIN_TRIES_STEP("AT+CPINC?"),
    PIN_TRIES_STEP("AT+ZPINPUK=?"),
    PIN_TRIES_STEP("AT+QTRPIN"),
    /* VERIFY PIN without data: the card tells its counter and does not count it (TS 102 221 11.1.9). */
    PIN_TRIES_STEP("AT+CSIM=10,\"0020000100\""),
    { .command = "AT+CPIN=", .wanted = is_pin_due, .add = add_pin, .judge = judge_pin, .timeout_ms = 20000 },
    ICCID_STEP("AT+CCID", "+ICCID"),
    ICCID_STEP("AT+QCCID", "+CCID"),
    ICCID_STEP("AT+CICCID", "+ICCID"),
    ICCID_STEP("AT+ICCID", "ICCID"),
    ICCID_STEP("AT^ICCID?", NULL),
    ICCID_STEP("AT#CCID", NULL),
    ICCID_STEP("AT+CRSM=176,12258,0,0,10", NULL),
    { .command = "AT+CIMI", .any_lines = true, .on_line = on_imsi, .judge = judge_imsi },
    { .command = MODEM_COUNT_COMMAND, .wanted = modem_count_is_due, .on_line = modem_count_on_line, .judge = modem_count_judge },
};
const struct modem_script modem_script_sim = { sim_steps, COUNT(sim_steps) };

/* ------------------------------------------------------------------------------------------------ set-up */

static enum modem_verdict judge_pdu_mode(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    if (done->result == AT_OK)
        return VERDICT_ACCEPTED;
    if (modem->tries < PDU_MODE_TRIES)
        return VERDICT_AGAIN;
    modem->script = NULL;
    modem->status.reason = MODEM_REASON_NO_PDU_MODE;
    modem_apply(modem, ON_NO_PDU_MODE, now_ms);
    return VERDICT_STOP;
}

static void on_csms(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    int service;

    (void)now_ms;
    if (at_parse_csms(line->text, &service) == 0)
        modem->needs_cnma = service == 1;
}

static void on_storage_lists(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    uint8_t lists[3];

    (void)now_ms;
    if (at_parse_cpms_lists(line->text, lists) == 0) {
        modem->storages_listed = lists[0];
        modem->storages_main = lists[0] & lists[2];
    }
}

/* ME where it can hold what arrives (larger, spares the card), else SM; SM also where no list was given. */
/* A modem whose lists are not known is taken to have SM alone, and what lies in its other storage would stay there. */
static enum modem_verdict judge_storage_lists(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    if (is_busy(done) && modem->tries < STORAGE_BUSY_TRIES)
        return VERDICT_AGAIN;
    return done->result == AT_OK ? VERDICT_ACCEPTED : VERDICT_REFUSED;
}

static bool wants_me(const struct modem *modem) { return (modem->storages_main & AT_STORAGE_ME) != 0; }
static bool wants_mt(const struct modem *modem) { return (modem->storages_main & AT_STORAGE_MT) != 0; }

static void on_storages(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    struct at_storages storages;

    (void)now_ms;
    if (at_parse_cpms(line->text, &storages) == 0) {
        modem->status.storage_used = storages.memory[0].used;
        modem->status.storage_total = storages.memory[0].total;
    }
}

static enum modem_verdict judge_storage(struct modem *modem, const struct at_event *done, const char *name)
{
    if (done->result != AT_OK)
        return VERDICT_REFUSED;
    memcpy(modem->mem1, name, sizeof modem->mem1);
    memcpy(modem->mem_main, name, sizeof modem->mem_main);
    return VERDICT_ACCEPTED;
}

static enum modem_verdict judge_me(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    return judge_storage(modem, done, "ME");
}

static enum modem_verdict judge_sm(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    return judge_storage(modem, done, "SM");
}

static enum modem_verdict judge_mt(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    return judge_storage(modem, done, "MT");
}

/* By the rung of the ladder below that was accepted. */
unsigned modem_setup_memories(const struct modem *modem)
{
    static const uint8_t memories[] = { 1, 3, 3, 3, 2, 2, 1 };
    uint8_t rung = modem->rung[LADDER_STORAGE];

    return rung < sizeof memories ? memories[rung] : 1;
}

static bool has_no_storage(const struct modem *modem) { return modem->mem1[0] == '\0'; }

/* Every rung was refused: before "SMS Ready" that is normal; a modem without storages still sends. */
static enum modem_verdict judge_no_storage(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)done;
    (void)now_ms;
    if (modem->storage_tries >= STORAGE_TRIES)
        return VERDICT_ACCEPTED;
    modem->storage_tries++;
    return VERDICT_RESTART;
}

static void on_csca(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    (void)now_ms;
    if (at_parse_csca(line->text, modem->status.smsc, sizeof modem->status.smsc) == -ENOENT)
        modem->status.smsc[0] = '\0';
}

#define STORAGE_STEP(name, if_wanted, judge_it)                                                                       \
    { .command = (name), .wanted = (if_wanted), .on_line = on_storages, .judge = (judge_it), .ladder = LADDER_STORAGE }

static const struct modem_step setup_steps[] = {
    { .command = "AT+CMGF=0", .judge = judge_pdu_mode },
    { .command = "AT+CSCS=\"GSM\"" },
    /* The modem acknowledges deliveries itself: they survive our own restart in its storage. */
    { .command = "AT+CSMS=0" },
    { .command = "AT+CSMS?", .on_line = on_csms },
    { .command = "AT+CPMS=?", .on_line = on_storage_lists, .judge = judge_storage_lists },
    STORAGE_STEP("AT+CPMS=\"ME\",\"ME\",\"ME\"", wants_me, judge_me),
    STORAGE_STEP("AT+CPMS=\"SM\",\"SM\",\"SM\"", NULL, judge_sm),
    STORAGE_STEP("AT+CPMS=\"MT\",\"MT\",\"MT\"", wants_mt, judge_mt),
    STORAGE_STEP("AT+CPMS=\"SM\",\"SM\"", NULL, judge_sm),
    STORAGE_STEP("AT+CPMS=\"ME\",\"ME\"", wants_me, judge_me),
    STORAGE_STEP("AT+CPMS=\"SM\"", NULL, judge_sm),
    { .command = "AT+CPMS?", .wanted = has_no_storage, .on_line = on_storages, .judge = judge_no_storage },
    /* Messages are stored and announced (mt=1); reports come directly (ds=1) where that is taken, since EC25 announces
     * stored ones under the wrong name. Cinterion takes no bfr but 1. */
    { .command = "AT+CNMI=2,1,0,1,0", .ladder = LADDER_CNMI },
    { .command = "AT+CNMI=2,1,0,2,0", .ladder = LADDER_CNMI },
    { .command = "AT+CNMI=1,1,0,1,0", .ladder = LADDER_CNMI },
    { .command = "AT+CNMI=1,1,0,2,0", .ladder = LADDER_CNMI },
    { .command = "AT+CNMI=2,1,0,1,1", .ladder = LADDER_CNMI },
    { .command = "AT+CNMI=2,1,0,2,1", .ladder = LADDER_CNMI },
    /* nRF91 announces nothing and takes no mode but 3: reports directly, messages as before from where they are kept. */
    { .command = "AT+CNMI=3,0,0,1,1", .ladder = LADDER_CNMI },
    { .command = "AT+CNMI=2,1,0,0,0", .ladder = LADDER_CNMI },
    { .command = "AT+CNMI=1,1,0,0,0", .ladder = LADDER_CNMI },
    { .command = "AT+CNMI=2,1,0,0,1", .ladder = LADDER_CNMI },
    { .command = "AT+CSCA?", .on_line = on_csca },
    { .command = "AT+CREG=1", .ladder = LADDER_CREG },
    { .command = "AT+CREG=2", .ladder = LADDER_CREG },
    { .command = "AT+CEREG=1", .ladder = LADDER_CEREG },
    { .command = "AT+CEREG=2", .ladder = LADDER_CEREG },
    { .command = "AT+CGREG=1", .ladder = LADDER_CGREG },
    { .command = "AT+CGREG=2", .ladder = LADDER_CGREG },
    { .command = "AT+COPS=3,0" },
};
const struct modem_script modem_script_setup = { setup_steps, COUNT(setup_steps) };
