/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of 3GPP TS 27.005 around sending: settings and what is stored. */
#include "hal/sim/sim_modem_internal.h"

#include "src/base/hex.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- storages ---- */

int sim_storage_find(const struct sim_modem *modem, const char *name)
{
    for (size_t i = 0; i < modem->storage_count; i++)
        if (strcmp(modem->storages[i].name, name) == 0)
            return (int)i;
    return -1;
}

size_t sim_storage_used(const struct sim_storage *storage)
{
    size_t used = 0;

    for (size_t i = 0; i < storage->count; i++)
        used += storage->slots[i].used;
    return used;
}

int sim_storage_put(struct sim_modem *modem, size_t storage, const uint8_t *pdu, size_t length, size_t tpdu_length,
                    enum sim_slot_stat stat, bool report)
{
    struct sim_storage *place = &modem->storages[storage];

    assert(length <= SMS_PDU_BYTES_MAX);
    for (size_t i = 0; i < place->count; i++) {
        struct sim_slot *slot = &place->slots[i];

        if (slot->used)
            continue;
        *slot = (struct sim_slot){ .used = true, .report = report, .stat = (uint8_t)stat, .length = (uint8_t)length,
                                   .tpdu_length = (uint8_t)tpdu_length };
        memcpy(slot->pdu, pdu, length);
        return (int)i + modem->personality->index_base;
    }
    return -ENOSPC;
}

/* NULL: no such index, or nothing there (*ret_exists tells). */
static struct sim_slot *slot_find(struct sim_modem *modem, const struct sim_args *args, bool *ret_exists)
{
    struct sim_storage *storage = &modem->storages[modem->settings.storage[0]];
    int index = sim_arg_int(args, 0, -1) - modem->personality->index_base;

    *ret_exists = index >= 0 && (size_t)index < storage->count;
    return *ret_exists && storage->slots[index].used ? &storage->slots[index] : NULL;
}

struct sim_result sim_sms_ready(const struct sim_modem *modem)
{
    static const int codes[] = { [SIM_CARD_ABSENT] = 310, [SIM_CARD_PIN] = 311, [SIM_CARD_PUK] = 316, [SIM_CARD_BUSY] = 314 };
    enum sim_card_state state = sim_card_state(modem);

    return state == SIM_CARD_READY ? sim_ok() : sim_cms(codes[state]);
}

/* Only SR cannot be written to or received into (TS 27.005 3.1). */
static bool storage_fits(const char *name, size_t memory)
{
    return memory == 0 || strcmp(name, "SR") != 0;
}

static void cpms_say_lists(struct sim_modem *modem)
{
    char text[128] = "";
    size_t at = 0;

    for (size_t memory = 0; memory < 3; memory++) {
        char sign = '(';

        if (memory > 0)
            text[at++] = ',';
        for (size_t i = 0; i < modem->storage_count; i++)
            if (storage_fits(modem->storages[i].name, memory)) {
                at += (size_t)snprintf(text + at, sizeof text - at, "%c\"%s\"", sign, modem->storages[i].name);
                sign = ',';
            }
        text[at++] = ')';
    }
    text[at] = '\0';
    sim_say(modem, "+CPMS: %s", text);
}

struct sim_result sim_do_cpms(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_result result = sim_sms_ready(modem);
    char text[128] = "";
    size_t at = 0;

    (void)now_us;
    if (result.answer != SIM_ANSWER_OK)
        return result;
    if (call->op == SIM_OP_TEST) {
        cpms_say_lists(modem);
        return sim_ok();
    }
    if (call->op == SIM_OP_SET) {
        int found[3];

        if (call->args.count > 3 || call->args.count < modem->personality->memories_min)
            return sim_cms(303);
        for (size_t i = 0; i < call->args.count; i++) {
            found[i] = sim_storage_find(modem, call->args.text[i]);
            if (found[i] < 0 || !storage_fits(call->args.text[i], i))
                return sim_cms(302);
        }
        for (size_t i = 0; i < call->args.count; i++)
            modem->settings.storage[i] = (uint8_t)found[i];
    }
    for (size_t i = 0; i < 3; i++) {
        const struct sim_storage *storage = &modem->storages[modem->settings.storage[i]];

        if (i > 0)
            text[at++] = ',';
        if (call->op == SIM_OP_READ)
            at += (size_t)snprintf(text + at, sizeof text - at, "\"%s\",", storage->name);
        at += (size_t)snprintf(text + at, sizeof text - at, "%zu,%zu", sim_storage_used(storage), storage->count);
    }
    sim_say(modem, "+CPMS: %s", text);
    return sim_ok();
}

/* ---- settings ---- */

struct sim_result sim_do_cmgf(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    int n = sim_arg_int(&call->args, 0, 0);

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+CMGF: (0,1)");
    } else if (call->op == SIM_OP_READ) {
        sim_say(modem, "+CMGF: %d", modem->settings.text_mode);
    } else {
        if (n < 0 || n > 1)
            return sim_cms(303);
        modem->settings.text_mode = n == 1;
    }
    return sim_ok();
}

struct sim_result sim_do_csms(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    int n = sim_arg_int(&call->args, 0, 0);

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        sim_say(modem, modem->personality->csms_max > 0 ? "+CSMS: (0,1)" : "+CSMS: (0)");
    } else if (call->op == SIM_OP_READ) {
        sim_say(modem, "+CSMS: %d,1,1,1", modem->settings.csms);
    } else {
        if (n < 0 || n > modem->personality->csms_max)
            return sim_cms(303);
        modem->settings.csms = (uint8_t)n;
        sim_say(modem, "+CSMS: 1,1,1");
    }
    return sim_ok();
}

static size_t mask_list(uint8_t mask, char *ret_text)
{
    size_t at = 0;

    for (unsigned i = 0; i < 8; i++)
        if (mask & 1u << i) {
            ret_text[at] = at == 0 ? '(' : ',';
            ret_text[at + 1] = (char)('0' + i);
            at += 2;
        }
    ret_text[at++] = ')';
    return at;
}

struct sim_result sim_do_cnmi(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    const struct sim_cnmi_masks *cnmi = &modem->personality->cnmi;
    uint8_t masks[5] = { cnmi->mode, cnmi->mt, cnmi->bm, cnmi->ds, cnmi->bfr };
    uint8_t *now = modem->settings.cnmi;
    uint8_t wanted[5];

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        char text[96];
        size_t at = 0;

        if (modem->personality->advertises_ds1)
            masks[3] |= 2;
        for (size_t i = 0; i < 5; i++) {
            if (i > 0)
                text[at++] = ',';
            at += mask_list(masks[i], text + at);
        }
        sim_say(modem, "+CNMI: %.*s", (int)at, text);
        return sim_ok();
    }
    if (call->op == SIM_OP_READ) {
        sim_say(modem, "+CNMI: %d,%d,%d,%d,%d", now[0], now[1], now[2], now[3], now[4]);
        return sim_ok();
    }
    if (call->args.count > 5)
        return sim_cms(303);
    for (size_t i = 0; i < 5; i++) {
        int n = sim_arg_int(&call->args, i, now[i]);

        /* A value left out keeps what is set, even where that is none of the list. */
        if (i < call->args.count && call->args.text[i][0] != '\0' && (n < 0 || n > 7 || (masks[i] & 1u << n) == 0))
            return sim_cms(303);
        wanted[i] = (uint8_t)n;
    }
    if (wanted[3] == 1 && modem->faults[SIM_FAULT_REFUSE_DS1].on)
        return sim_cms(303);
    if (now[0] == 0 && wanted[0] != 0)
        sim_urcs_flush(modem, wanted[4] == 1);
    memcpy(now, wanted, sizeof wanted);
    return sim_ok();
}

struct sim_result sim_do_cmms(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    int n = sim_arg_int(&call->args, 0, 0);

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        sim_say(modem, "+CMMS: (0-2)");
    } else if (call->op == SIM_OP_READ) {
        sim_say(modem, "+CMMS: %d", modem->settings.cmms);
    } else {
        if (n < 0 || n > 2)
            return sim_cms(303);
        modem->settings.cmms = (uint8_t)n;
    }
    return sim_ok();
}

struct sim_result sim_do_csca(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_result result = sim_sms_ready(modem);
    const char *digits;
    char number[128];

    (void)now_us;
    if (call->op == SIM_OP_TEST)
        return sim_ok();
    if (result.answer != SIM_ANSWER_OK)
        return result;
    if (call->op == SIM_OP_READ) {
        (void)sim_text_show(modem->settings.charset, modem->card->smsc, number, sizeof number);
        sim_say(modem, "+CSCA: \"%s\",%d", number, modem->card->smsc[0] == '+' ? 145 : 129);
        return sim_ok();
    }
    if (sim_text_take(modem->settings.charset, call->args.text[0], strlen(call->args.text[0]), number, sizeof number) < 0)
        return sim_cms(304);
    if (sim_arg_int(&call->args, 1, 0) == 145 && number[0] != '+' && number[0] != '\0') {
        memmove(number + 1, number, strlen(number) + 1);
        number[0] = '+';
    }
    digits = number + (number[0] == '+');
    if (strlen(number) >= sizeof modem->card->smsc || strspn(digits, "0123456789") != strlen(digits))
        return sim_cms(304);
    memcpy(modem->card->smsc, number, strlen(number) + 1);
    return sim_ok();
}

struct sim_result sim_do_csmp(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_settings *s = &modem->settings;
    uint8_t *const fields[4] = { &s->csmp_fo, &s->csmp_vp, &s->csmp_pid, &s->csmp_dcs };

    (void)now_us;
    if (call->op == SIM_OP_READ) {
        sim_say(modem, "+CSMP: %d,%d,%d,%d", s->csmp_fo, s->csmp_vp, s->csmp_pid, s->csmp_dcs);
    } else if (call->op == SIM_OP_SET) {
        if (call->args.count > 4)
            return sim_cms(303);
        for (size_t i = 0; i < call->args.count; i++)
            if ((unsigned)sim_arg_int(&call->args, i, *fields[i]) > 255)
                return sim_cms(303);
        for (size_t i = 0; i < call->args.count; i++)
            *fields[i] = (uint8_t)sim_arg_int(&call->args, i, *fields[i]);
    }
    return sim_ok();
}

struct sim_result sim_do_csdh(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    if (call->op == SIM_OP_TEST)
        sim_say(modem, "+CSDH: (0,1)");
    else if (call->op == SIM_OP_READ)
        sim_say(modem, "+CSDH: %d", modem->settings.show_headers);
    else
        modem->settings.show_headers = sim_arg_int(&call->args, 0, 0) == 1;
    return sim_ok();
}

struct sim_result sim_do_cscb(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    (void)now_us;
    if (call->op == SIM_OP_TEST)
        sim_say(modem, "+CSCB: (0,1)");
    else if (call->op == SIM_OP_READ)
        sim_say(modem, "+CSCB: 0,\"\",\"\"");
    return sim_ok();
}

/* ---- reading ---- */

static void time_text(const struct sms_time *time, char ret_text[32])
{
    if (!time->present)
        ret_text[0] = '\0';
    else
        (void)snprintf(ret_text, 32, "%02u/%02u/%02u,%02u:%02u:%02u%c%02u", time->year % 100u, time->month, time->day,
                       time->hour, time->minute, time->second, time->tz_quarters < 0 ? '-' : '+',
                       (unsigned)(time->tz_quarters < 0 ? -time->tz_quarters : time->tz_quarters));
}

/* What stands after the status in text mode: address and time of a message; all of it of a report (TS 27.005 3.1). */
void sim_text_mode_fields(const struct sim_modem *modem, const struct sms_tpdu *tpdu, char *ret_text, size_t size)
{
    char address[200], scts[32], discharge[32];

    (void)sim_text_show(modem->settings.charset, tpdu->address.text, address, sizeof address);
    time_text(&tpdu->scts, scts);
    time_text(&tpdu->discharge, discharge);
    if (tpdu->direction == SMS_STATUS_REPORT)
        (void)snprintf(ret_text, size, "6,%u,\"%s\",%u,\"%s\",\"%s\",%u", tpdu->mr, address, tpdu->address.type, scts,
                       discharge, tpdu->status);
    else if (tpdu->direction == SMS_SUBMIT)
        (void)snprintf(ret_text, size, "\"%s\",", address);
    else if (modem->settings.show_headers)
        (void)snprintf(ret_text, size, "\"%s\",,\"%s\",%u,%u,%u,%u,\"%s\",145,%u", address, scts, tpdu->address.type,
                       tpdu->udh.present ? 0x44u : 0x04u, tpdu->pid, tpdu->dcs, tpdu->smsc, tpdu->text_length);
    else
        (void)snprintf(ret_text, size, "\"%s\",,\"%s\"", address, scts);
}

static const char *const stat_texts[] = { "REC UNREAD", "REC READ", "STO UNSENT", "STO SENT" };

/* head: "+CMGR: " or "+CMGL: 3,". */
static void slot_show(struct sim_modem *modem, const char *head, struct sim_slot *slot)
{
    enum sms_direction direction = slot->report ? SMS_STATUS_REPORT : slot->stat >= SIM_SLOT_UNSENT ? SMS_SUBMIT : SMS_DELIVER;
    struct sms_tpdu tpdu;
    const char *error;
    char line[640], body[SMS_PDU_BYTES_MAX * 8];

    if (!modem->settings.text_mode) {
        (void)snprintf(line, sizeof line, "%s%u,,%u", head, slot->stat, slot->tpdu_length);
        hex_encode(slot->pdu, slot->length, body);
    } else if (sms_pdu_decode(slot->pdu, slot->length, direction, &tpdu, &error) < 0) {
        return;   /* +CMGW took octets on trust; in text mode they cannot be shown */
    } else {
        char fields[512];

        sim_text_mode_fields(modem, &tpdu, fields, sizeof fields);
        (void)snprintf(line, sizeof line, "%s\"%s\",%s", head, stat_texts[slot->stat], fields);
        (void)sim_text_show(modem->settings.charset, tpdu.text, body, sizeof body);
    }
    if (modem->settings.text_mode && slot->report)
        sim_say(modem, "%s", line);   /* a report is one line there */
    else
        sim_say_lines(modem, line, body);
    if (slot->stat == SIM_SLOT_UNREAD)
        slot->stat = SIM_SLOT_READ;
}

struct sim_result sim_do_cmgr(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_result result = sim_sms_ready(modem);
    struct sim_slot *slot;
    bool exists;

    (void)now_us;
    if (call->op == SIM_OP_TEST || result.answer != SIM_ANSWER_OK)
        return result;
    slot = slot_find(modem, &call->args, &exists);
    if (slot != NULL) {
        slot_show(modem, "+CMGR: ", slot);
        return sim_ok();
    }
    /* An empty place: OK alone in the logs of Quectel, Siemens and Huawei, CMS 321 elsewhere. */
    if (exists && (modem->personality->family & (SIM_FAMILY_QUECTEL | SIM_FAMILY_SIEMENS | SIM_FAMILY_HUAWEI)) != 0)
        return sim_ok();
    return sim_cms(321);
}

struct sim_result sim_do_cmgl(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    struct sim_storage *storage = &modem->storages[modem->settings.storage[0]];
    struct sim_result result = sim_sms_ready(modem);
    int wanted = SIM_SLOT_UNREAD;

    (void)now_us;
    if (call->op == SIM_OP_TEST) {
        sim_say(modem, modem->settings.text_mode ? "+CMGL: (\"REC UNREAD\",\"REC READ\",\"STO UNSENT\",\"STO SENT\",\"ALL\")"
                                                 : "+CMGL: (0-4)");
        return sim_ok();
    }
    if (call->op == SIM_OP_READ)
        return sim_cms(303);
    if (result.answer != SIM_ANSWER_OK)
        return result;
    if (call->op == SIM_OP_SET && modem->settings.text_mode) {
        for (wanted = 0; wanted < 4 && strcmp(call->args.text[0], stat_texts[wanted]) != 0; wanted++)
            continue;
        if (wanted == 4 && strcmp(call->args.text[0], "ALL") != 0)
            return sim_cms(305);
    } else if (call->op == SIM_OP_SET) {
        wanted = sim_arg_int(&call->args, 0, 0);
        if (wanted < 0 || wanted > 4)
            return sim_cms(304);
    }
    for (size_t i = 0; i < storage->count; i++) {
        char head[32];

        if (!storage->slots[i].used || (wanted != 4 && storage->slots[i].stat != wanted))
            continue;
        (void)snprintf(head, sizeof head, "+CMGL: %zu,", i + modem->personality->index_base);
        slot_show(modem, head, &storage->slots[i]);
    }
    return sim_ok();
}

static void slot_delete(struct sim_modem *modem, struct sim_storage *storage, size_t i, uint64_t now_us)
{
    char text[32];

    storage->slots[i].used = false;
    (void)snprintf(text, sizeof text, "%s %zu", storage->name, i + modem->personality->index_base);
    sim_event(modem, SIM_EVENT_DELETED, text, now_us);
}

static void cmgd_say_used(struct sim_modem *modem, const struct sim_storage *storage)
{
    char text[SIM_LINE_MAX * 2];
    size_t at = 0;

    for (size_t i = 0; i < storage->count && at + 8 < sizeof text; i++)
        if (storage->slots[i].used)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%zu", at > 0 ? "," : "", i + modem->personality->index_base);
    text[at] = '\0';
    sim_say(modem, "+CMGD: (%s),(0-4)", text);
}

struct sim_result sim_do_cmgd(struct sim_modem *modem, struct sim_call *call, uint64_t now_us)
{
    /* <delflag> 1..4: which <stat> go, TS 27.005 3.5.4. */
    static const uint8_t masks[5] = { 0, 1 << SIM_SLOT_READ, 1 << SIM_SLOT_READ | 1 << SIM_SLOT_SENT,
                                      1 << SIM_SLOT_READ | 1 << SIM_SLOT_SENT | 1 << SIM_SLOT_UNSENT, 0x0F };
    struct sim_storage *storage = &modem->storages[modem->settings.storage[0]];
    struct sim_result result = sim_sms_ready(modem);
    int flag = sim_arg_int(&call->args, 1, 0);
    bool exists;

    if (result.answer != SIM_ANSWER_OK)
        return result;
    if (call->op == SIM_OP_TEST) {
        cmgd_say_used(modem, storage);
        return sim_ok();
    }
    if (flag < 0 || flag > 4)
        return sim_cms(303);
    if (flag == 0) {
        struct sim_slot *slot = slot_find(modem, &call->args, &exists);

        if (!exists)
            return sim_cms(321);
        if (slot != NULL)
            slot_delete(modem, storage, (size_t)(slot - storage->slots), now_us);
    }
    for (size_t i = 0; flag > 0 && i < storage->count; i++)
        if (storage->slots[i].used && (masks[flag] & 1u << storage->slots[i].stat) != 0)
            slot_delete(modem, storage, i, now_us);
    sim_air_ready(modem, now_us);
    return sim_ok();
}
