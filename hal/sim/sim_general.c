/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of 3GPP TS 27.007: who the modem is, its card, its network. */
#include "hal/sim/sim_modem_internal.h"

#include "src/base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLMN_NAME "Sim Mobile"
#define PLMN_NUMBER "22601"

struct sim_result sim_do_nothing(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    if (call->op == SIM_OP_READ)
        sim_say(modem, "%s: 0", call->name);
    else if (call->op == SIM_OP_TEST)
        sim_say(modem, "%s: (0,1)", call->name);
    return sim_ok();
}

struct sim_result sim_do_identity(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    const struct sim_personality *p = modem->personality;
    char last = call->name[strlen(call->name) - 1];
    const char *text = last == 'I' ? p->manufacturer : last == 'M' ? p->model : p->revision;

    (void)now_us;
    if (call->op == SIM_OP_TEST)
        return sim_ok();
    if (p->prefixed_identity)
        sim_say(modem, "%s: \"%s\"", call->name, text);
    else
        sim_say(modem, "%s", text);
    return sim_ok();
}

struct sim_result sim_do_imei(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    if (call->op == SIM_OP_SET && sim_arg_int(&call->args, 0, 0) > 1)
        return sim_cme(50);
    if (call->op == SIM_OP_SET && sim_arg_int(&call->args, 0, 0) == 1)
        sim_say(modem, "+CGSN: \"%s\"", modem->imei);
    else if (call->op != SIM_OP_TEST)
        sim_say(modem, "%s", modem->imei);
    return sim_ok();
}

struct sim_result sim_do_gcap(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    if (call->op == SIM_OP_RUN)
        sim_say(modem, "+GCAP: +CGSM");
    return sim_ok();
}

struct sim_result sim_do_cmee(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    int n = sim_arg_int(&call->args, 0, 0);

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+CMEE: (0-2)");
    } else if (call->op == SIM_OP_READ) {
        sim_say(modem, "+CMEE: %d", modem->settings.cmee);
    } else {
        if (n < 0 || n > 2)
            return sim_cme(50);
        modem->settings.cmee = (uint8_t)n;
    }
    return sim_ok();
}

/* ---- card ---- */

/* What a command that needs the card answers when it is not there; OK when it is. */
static struct sim_result card_needed(const struct sim_modem *modem)
{
    static const int codes[] = { [SIM_CARD_ABSENT] = 10, [SIM_CARD_PIN] = 11, [SIM_CARD_PUK] = 12 };
    enum sim_card_state state = sim_card_state(modem);

    return state == SIM_CARD_READY || state == SIM_CARD_BUSY ? sim_ok() : sim_cme(codes[state]);
}

static struct sim_result pin_given(struct sim_modem *modem, const struct sim_args *args, uint64_t now_us)
{
    enum sim_card_state state = sim_card_state(modem);
    enum sim_pin_answer answer;

    if (state == SIM_CARD_ABSENT)
        return sim_cme(10);
    if (state == SIM_CARD_PUK) {
        if (args->count < 2)
            return sim_cme(12);
        answer = sim_card_try_puk(modem->card, args->text[0], args->text[1]);
        if (answer == SIM_PIN_RIGHT)
            modem->faults[SIM_FAULT_PUK].on = false;
    } else if (state == SIM_CARD_PIN) {
        answer = sim_card_try_pin(modem->card, args->text[0]);
    } else {
        return sim_cme(3);   /* none is asked for */
    }
    if (answer == SIM_PIN_BLOCKED)
        return sim_cme(12);
    if (answer == SIM_PIN_WRONG)
        return sim_cme(16);
    modem->pin_verified = true;
    sim_card_start(modem, now_us);
    return sim_ok();
}

struct sim_result sim_do_cpin(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    static const char *const texts[] = { [SIM_CARD_PIN] = "SIM PIN", [SIM_CARD_PUK] = "SIM PUK", [SIM_CARD_BUSY] = "READY",
                                         [SIM_CARD_READY] = "READY" };
    enum sim_card_state state = sim_card_state(modem);

    if (call->op == SIM_OP_TEST)
        return sim_ok();
    if (call->op == SIM_OP_SET)
        return pin_given(modem, &call->args, now_us);
    if (state == SIM_CARD_ABSENT)
        return sim_cme(10);
    sim_say(modem, "+CPIN: %s", texts[state]);
    return sim_ok();
}

struct sim_result sim_do_cpinr(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    const struct sim_card *card = modem->card;

    (void)now_us;
    if (call->op == SIM_OP_TEST)
        return sim_ok();
    if (card == NULL || sim_card_state(modem) == SIM_CARD_ABSENT)
        return sim_cme(10);
    if (strcmp(call->name, "+SPIC") == 0) {
        sim_say(modem, "+SPIC: %d,%d,%d,%d", card->pin_tries, card->puk_tries, SIM_PIN_TRIES, SIM_PUK_TRIES);
    } else if (strcmp(call->name, "+QPINC") == 0) {
        sim_say(modem, "+QPINC: \"SC\",%d,%d", card->pin_tries, card->puk_tries);
    } else if (strcmp(call->name, "^CPIN") == 0) {
        static const char *const texts[] = { [SIM_CARD_PIN] = "SIM PIN", [SIM_CARD_PUK] = "SIM PUK",
                                             [SIM_CARD_BUSY] = "READY", [SIM_CARD_READY] = "READY" };

        sim_say(modem, "^CPIN: %s,%d,%d,%d,%d,%d", texts[sim_card_state(modem)],
                card->pin_tries > 0 ? card->pin_tries : card->puk_tries, card->puk_tries, card->pin_tries, SIM_PUK_TRIES,
                SIM_PIN_TRIES);
    } else {
        sim_say(modem, "+CPINR: SIM PIN,%d,%d", card->pin_tries, SIM_PIN_TRIES);
        sim_say(modem, "+CPINR: SIM PUK,%d,%d", card->puk_tries, SIM_PUK_TRIES);
    }
    return sim_ok();
}

struct sim_result sim_do_iccid(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    if (call->op == SIM_OP_TEST)
        return sim_ok();
    if (sim_card_state(modem) == SIM_CARD_ABSENT)
        return sim_cme(10);
    /* SIM800 prints the bare digits, everyone else a prefix; +CICCID answers +ICCID (facts 2.2). */
    if (strcmp(call->name, "+CCID") == 0 && modem->personality->family == SIM_FAMILY_SIMCOM)
        sim_say(modem, "%s", modem->card->iccid);
    else
        sim_say(modem, "%s: %s", strcmp(call->name, "+CICCID") == 0 ? "+ICCID" : call->name, modem->card->iccid);
    return sim_ok();
}

struct sim_result sim_do_cimi(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_result result = card_needed(modem);

    (void)now_us;
    if (call->op == SIM_OP_TEST)
        return sim_ok();
    if (result.answer == SIM_ANSWER_OK)
        sim_say(modem, "%s", modem->card->imsi);
    return result;
}

/* Semi-octets, low digit first, filled with F. */
static size_t swapped_digits(const char *digits, uint8_t *ret_octets)
{
    size_t length = strlen(digits);

    for (size_t i = 0; i < length; i += 2)
        ret_octets[i / 2] = (uint8_t)((i + 1 < length ? digits[i + 1] - '0' : 0x0F) << 4 | (digits[i] - '0'));
    return (length + 1) / 2;
}

enum { EF_ICCID = 0x2FE2, EF_IMSI = 0x6F07, EF_SMSS = 0x6F43, EF_SPN = 0x6F46, EF_AD = 0x6FAD };

static size_t card_file(const struct sim_card *card, int file, uint8_t ret_octets[32])
{
    char digits[24];

    switch (file) {
    case EF_ICCID:
        return swapped_digits(card->iccid, ret_octets);
    case EF_IMSI:   /* TS 31.102 4.2.2: length, then parity nibble 9 and the digits */
        (void)snprintf(digits, sizeof digits, "9%s", card->imsi);
        ret_octets[0] = 8;
        return 1 + swapped_digits(digits, ret_octets + 1);
    case EF_SMSS:
        ret_octets[0] = card->last_mr;
        ret_octets[1] = 0xFF;   /* memory not exceeded */
        return 2;
    case EF_SPN:
        memset(ret_octets, 0xFF, 17);
        ret_octets[0] = 0;
        memcpy(ret_octets + 1, PLMN_NAME, strlen(PLMN_NAME));
        return 17;
    case EF_AD:
        memcpy(ret_octets, "\x00\x00\x00\x02", 4);
        return 4;
    default:
        return 0;
    }
}

struct sim_result sim_do_crsm(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    enum { READ_BINARY = 176, GET_RESPONSE = 192, UPDATE_BINARY = 214 };
    int command = sim_arg_int(&call->args, 0, -1), file = sim_arg_int(&call->args, 1, -1);
    int high = sim_arg_int(&call->args, 2, 0), low = sim_arg_int(&call->args, 3, 0), wanted = sim_arg_int(&call->args, 4, 0);
    uint8_t octets[32];
    char hex[2 * sizeof octets + 1];
    struct sim_result result = card_needed(modem);
    size_t length, offset;

    (void)now_us;
    if (call->op == SIM_OP_TEST)
        return sim_ok();
    /* The ICCID is readable without a PIN (TS 31.102 4.2 security ALWAYS). */
    if (result.answer != SIM_ANSWER_OK && (sim_card_state(modem) == SIM_CARD_ABSENT || file != EF_ICCID))
        return result;
    if (command < 0 || file < 0 || high < 0 || low < 0 || wanted < 0)
        return sim_cme(50);
    if (file == EF_SMSS && modem->config.smss == SIM_SMSS_REFUSED)
        return sim_cme(3);
    length = card_file(modem->card, file, octets);
    offset = (size_t)high * 256 + (size_t)low;
    if (length == 0) {
        sim_say(modem, "+CRSM: 106,130,\"\"");   /* 6A82: file not found */
    } else if (command == READ_BINARY) {
        size_t count = wanted == 0 ? length : (size_t)wanted;

        if (offset > length || count > length - offset) {
            sim_say(modem, "+CRSM: 103,%u,\"\"", (unsigned)length);   /* 67xx: wrong length */
            return sim_ok();
        }
        hex_encode(octets + offset, count, hex);
        sim_say(modem, "+CRSM: 144,0,\"%s\"", hex);
    } else if (command == GET_RESPONSE) {
        /* TS 51.011 9.2.1: file size in octets 3-4, identifier in 5-6, type 04 (EF). */
        sim_say(modem, "+CRSM: 144,0,\"0000%04X%04X040011FF440102000000\"", (unsigned)length, (unsigned)file);
    } else if (command == UPDATE_BINARY && file == EF_SMSS) {
        if (call->args.count < 6 || hex_decode(call->args.text[5], strlen(call->args.text[5]), octets, sizeof octets) < 1)
            return sim_cme(50);
        modem->card->last_mr = octets[0];
        sim_say(modem, "+CRSM: 144,0,\"\"");
    } else {
        sim_say(modem, "+CRSM: 109,0,\"\"");   /* 6D00: instruction not supported */
    }
    return sim_ok();
}

struct sim_result sim_do_cnum(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_result result = card_needed(modem);
    char number[96];

    (void)now_us;
    if (call->op == SIM_OP_TEST)
        return sim_ok();
    if (result.answer != SIM_ANSWER_OK)
        return result;
    (void)sim_text_show(modem->settings.charset, modem->card->number, number, sizeof number);
    sim_say(modem, "+CNUM: \"\",\"%s\",145", number);
    return sim_ok();
}

/* +CLCK: the one facility here is "SC", the lock of the card. */
struct sim_result sim_do_clck(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    int mode = sim_arg_int(&call->args, 1, -1);

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+CLCK: (\"SC\")");
        return sim_ok();
    }
    if (sim_card_state(modem) == SIM_CARD_ABSENT)
        return sim_cme(10);
    if (strcmp(call->args.text[0], "SC") != 0)
        return sim_cme(4);
    if (mode == 2) {
        sim_say(modem, "+CLCK: %d", modem->card->pin_enabled);
        return sim_ok();
    }
    if ((mode != 0 && mode != 1) || call->args.count < 3)
        return sim_cme(50);
    switch (sim_card_try_pin(modem->card, call->args.text[2])) {
    case SIM_PIN_BLOCKED:
        return sim_cme(12);
    case SIM_PIN_WRONG:
        return sim_cme(16);
    case SIM_PIN_RIGHT:
        break;
    }
    modem->card->pin_enabled = mode == 1;
    modem->pin_verified = true;
    return sim_ok();
}

struct sim_result sim_do_cpwd(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    size_t length;

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+CPWD: (\"SC\",8)");
        return sim_ok();
    }
    if (sim_card_state(modem) == SIM_CARD_ABSENT)
        return sim_cme(10);
    if (call->args.count < 3 || strcmp(call->args.text[0], "SC") != 0)
        return sim_cme(50);
    length = strlen(call->args.text[2]);
    if (length < 4 || length > 8 || strspn(call->args.text[2], "0123456789") != length)
        return sim_cme(50);
    switch (sim_card_try_pin(modem->card, call->args.text[1])) {
    case SIM_PIN_BLOCKED:
        return sim_cme(12);
    case SIM_PIN_WRONG:
        return sim_cme(16);
    case SIM_PIN_RIGHT:
        break;
    }
    memcpy(modem->card->pin, call->args.text[2], length + 1);
    return sim_ok();
}

/* ---- network ---- */

struct sim_result sim_do_registration(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    size_t which = call->name[2] == 'R' ? SIM_REG_CREG : call->name[2] == 'G' ? SIM_REG_CGREG : SIM_REG_CEREG;
    int stat = sim_registration_stat(modem), n = sim_arg_int(&call->args, 0, 0);

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "%s: (0-2)", call->name);
    } else if (call->op == SIM_OP_SET) {
        if (n < 0 || n > 2)
            return sim_cme(50);
        modem->settings.registration[which] = (uint8_t)n;
    } else if (modem->settings.registration[which] == 2 && stat == 1) {
        sim_say(modem, "%s: 2,1,\"00C3\",\"A1B2\",7", call->name);
    } else {
        sim_say(modem, "%s: %d,%d", call->name, modem->settings.registration[which], stat);
    }
    return sim_ok();
}

struct sim_result sim_do_cops(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    int mode = sim_arg_int(&call->args, 0, 0), format = sim_arg_int(&call->args, 1, modem->settings.cops_format);
    char name[96];

    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+COPS: (2,\"" PLMN_NAME "\",\"Sim\",\"" PLMN_NUMBER "\",7),(3,\"Other\",\"Oth\",\"22610\",7),,(0-4),(0-2)");
    } else if (call->op == SIM_OP_SET) {
        if (mode < 0 || mode > 4 || format < 0 || format > 2)
            return sim_cme(50);
        modem->settings.cops_format = (uint8_t)format;
        if (mode == 2)
            sim_registration_set(modem, false, now_us);
    } else if (sim_registration_stat(modem) != 1) {
        sim_say(modem, "+COPS: 0");
    } else {
        static const char *const names[] = { PLMN_NAME, "Sim", PLMN_NUMBER };

        if (modem->settings.cops_format == 2)
            (void)snprintf(name, sizeof name, "%s", PLMN_NUMBER);   /* digits, in every character set */
        else
            (void)sim_text_show(modem->settings.charset, names[modem->settings.cops_format], name, sizeof name);
        sim_say(modem, "+COPS: 0,%d,\"%s\",7", modem->settings.cops_format, name);
    }
    return sim_ok();
}

struct sim_result sim_do_cgatt(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    if (call->op == SIM_OP_TEST)
        sim_say(modem, "+CGATT: (0,1)");
    else if (call->op == SIM_OP_READ)
        sim_say(modem, "+CGATT: %d", sim_registration_stat(modem) == 1);
    return sim_ok();
}

struct sim_result sim_do_csq(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    if (call->op == SIM_OP_TEST)
        sim_say(modem, "+CSQ: (0-31,99),(0-7,99)");
    else if (modem->settings.cfun != 1)
        sim_say(modem, "+CSQ: 99,99");
    else
        sim_say(modem, "+CSQ: %u,99", 12u + modem->config.index % 18u);
    return sim_ok();
}

struct sim_result sim_do_cesq(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    if (call->op == SIM_OP_TEST)
        sim_say(modem, "+CESQ: (0-63,99),(0-7,99),(0-96,255),(0-49,255),(0-34,255),(0-97,255)");
    else
        sim_say(modem, "+CESQ: 99,99,255,255,%u,%u", 14u + modem->config.index % 10u, 40u + modem->config.index % 30u);
    return sim_ok();
}

struct sim_result sim_do_cfun(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    int n = sim_arg_int(&call->args, 0, 1), reset = sim_arg_int(&call->args, 1, 0);

    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+CFUN: (0,1,4),(0,1)");
        return sim_ok();
    }
    if (call->op == SIM_OP_READ) {
        sim_say(modem, "+CFUN: %d", modem->settings.cfun);
        return sim_ok();
    }
    if ((n != 0 && n != 1 && n != 4) || reset < 0 || reset > 1)
        return sim_cme(50);
    if (reset == 1) {
        sim_finish(modem, sim_ok());
        sim_modem_reset(modem, now_us);
        return sim_pending();
    }
    if (n == 0)   /* the card loses its power too */
        modem->pin_verified = modem->sim_ready = false;
    modem->settings.cfun = (uint8_t)n;
    return sim_ok();
}

struct sim_result sim_do_cscs(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    static const char *const names[SIM_CHARSET_COUNT] = { "GSM", "IRA", "UCS2", "8859-1" };

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+CSCS: (\"GSM\",\"IRA\",\"UCS2\",\"8859-1\")");
        return sim_ok();
    }
    if (call->op == SIM_OP_READ) {
        sim_say(modem, "+CSCS: \"%s\"", names[modem->settings.charset]);
        return sim_ok();
    }
    for (unsigned i = 0; i < SIM_CHARSET_COUNT; i++)
        if (strcmp(call->args.text[0], names[i]) == 0) {
            modem->settings.charset = (enum sim_charset)i;
            return sim_ok();
        }
    return sim_cme(50);
}

/* ---- the rest ---- */

struct sim_result sim_do_cpas(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    sim_say(modem, call->op == SIM_OP_TEST ? "+CPAS: (0,3,4)" : "+CPAS: 0");
    return sim_ok();
}

struct sim_result sim_do_cbc(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    sim_say(modem, call->op == SIM_OP_TEST ? "+CBC: (0-2),(1-100),(voltage)" : "+CBC: 0,100,4100");
    return sim_ok();
}

struct sim_result sim_do_cclk(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sms_time time = sms_time_from_unix_s(sim_unix_s(modem, now_us), 0);

    if (call->op == SIM_OP_READ)
        sim_say(modem, "+CCLK: \"%02u/%02u/%02u,%02u:%02u:%02u+00\"", time.year % 100u, time.month, time.day, time.hour,
                time.minute, time.second);
    return sim_ok();
}
