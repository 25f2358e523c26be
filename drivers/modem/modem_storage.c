/* SPDX-License-Identifier: Apache-2.0
 *
 * Received messages: found by +CMTI/+CDSI, by listing, or delivered directly; handed over; deleted once stored.
 *
 * Nothing is deleted before modem_stored(). Every action is one command, so that it fits between two parts. */
#include "drivers/modem/modem_internal.h"

#include <errno.h>
#include <string.h>

#include "src/base/hex.h"

#define LIST_TIMEOUT_MS 60000      /* smstools' figure; a full card is read slowly */
#define DELETE_TIMEOUT_MS 25000    /* SIM800: 5 s per message */
#define READ_TIMEOUT_MS 10000

/* ------------------------------------------------------------------------------------------------ handles */

/* FNV-1a: tells whether a place still holds the message that was handed over. */
static uint32_t hash_of(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    return hash;
}

static struct modem_handle *find_place(struct modem *modem, const char *storage, int index)
{
    for (size_t i = 0; i < MODEM_HANDLES_MAX; i++) {
        struct modem_handle *one = &modem->handles[i];

        if (one->state != HANDLE_FREE && one->state != HANDLE_DIRECT && one->index == index &&
            strcmp(one->storage, storage) == 0)
            return one;
    }
    return NULL;
}

static struct modem_handle *find_state(struct modem *modem, enum modem_handle_state state)
{
    for (size_t i = 0; i < MODEM_HANDLES_MAX; i++) {
        if (modem->handles[i].state == state)
            return &modem->handles[i];
    }
    return NULL;
}

static void expire_handles(struct modem *modem, uint64_t now_ms)
{
    for (size_t i = 0; i < MODEM_HANDLES_MAX; i++) {
        struct modem_handle *one = &modem->handles[i];

        if ((one->state == HANDLE_OPEN || one->state == HANDLE_DIRECT) &&
            now_ms - one->opened_ms >= MODEM_HANDLE_OPEN_MS)
            one->state = HANDLE_FREE;
    }
}

static uint32_t next_handle(struct modem *modem)
{
    if (++modem->last_handle == 0)
        modem->last_handle = 1;
    return modem->last_handle;
}

void modem_storage_forget(struct modem *modem)
{
    memset(modem->handles, 0, sizeof modem->handles);
    modem->mem1[0] = modem->mem_main[0] = '\0';
    modem->storages_listed = modem->storages_main = 0;
    modem->needs_cnma = modem->scan_running = false;
    modem->cnma_due = modem->reads_count = 0;
    modem->sweep_main = modem->sweep_other = modem->sweep_by_index = modem->sweep_more = false;
    modem->status.storage_used = modem->status.storage_total = -1;
}

void modem_storage_sweep(struct modem *modem, bool all)
{
    modem->sweep_main = true;
    modem->sweep_other = modem->sweep_other || all;
}

void modem_stored(struct modem *modem, uint32_t handle, uint64_t now_ms)
{
    for (size_t i = 0; i < MODEM_HANDLES_MAX && handle != 0; i++) {
        struct modem_handle *one = &modem->handles[i];

        if (one->handle != handle)
            continue;
        if (one->state == HANDLE_OPEN) {
            one->state = HANDLE_DELETE;
        } else if (one->state == HANDLE_DIRECT) {
            one->state = HANDLE_FREE;
            if (modem->cnma_due < UINT8_MAX)
                modem->cnma_due++;
        }
    }
    modem_advance(modem, now_ms);
}

/* ------------------------------------------------------------------------------------------------ handing over */

/* TP-MTI (TS 23.040 9.2.3.1) behind the SMSC's octets; -1 where the PDU does not get that far. */
static int message_type(const char *pdu, size_t length)
{
    uint8_t smsc_length, first;

    if (length < 2 || hex_decode(pdu, 2, &smsc_length, 1) != 1)
        return -1;
    if (length < (smsc_length + 2u) * 2 || hex_decode(pdu + (smsc_length + 1u) * 2, 2, &first, 1) != 1)
        return -1;
    return first & 3;
}

static void hand_over(struct modem *modem, enum modem_event_kind kind, const struct at_event *unit, uint32_t handle,
                      uint64_t now_ms)
{
    struct modem_event event = {
        .kind = kind, .mr = -1, .code = -1, .pdu_hex = unit->pdu, .pdu_length = unit->pdu_length, .handle = handle,
    };

    if (kind == MODEM_EVENT_DELIVER)
        modem->status.received++;
    modem_emit(modem, &event, now_ms);
}

/* What stands at a place of a storage. <stat> is no help: stored reports come with stat 3 (gammu's samples). */
static void found_message(struct modem *modem, int index, const struct at_event *unit, uint64_t now_ms)
{
    struct modem_handle *place;
    uint32_t hash = hash_of(unit->pdu, unit->pdu_length);
    int type = message_type(unit->pdu, unit->pdu_length);

    if (index < 0 || index > UINT16_MAX || type == 1)
        return;   /* a SUBMIT: somebody's own draft */
    if (unit->pdu_length < 2 || strspn(unit->pdu, "0123456789ABCDEFabcdef") < 2) {
        modem->bad_pdus++;   /* text of a modem in text mode: no PDU to hand over */
        return;
    }
    place = find_place(modem, modem->mem1, index);
    if (place != NULL && place->hash == hash) {
        if (place->state == HANDLE_STUCK)
            place->state = HANDLE_DELETE;   /* it is still there: delete it again, do not give it again */
        return;
    }
    /* Another message lies where one was handed over: the old one is gone, and its handle must not delete this one. */
    if (place == NULL)
        place = find_state(modem, HANDLE_FREE);
    if (place == NULL) {
        modem->sweep_more = true;   /* it stays where it is until there is room */
        return;
    }
    *place = (struct modem_handle){
        .handle = next_handle(modem), .hash = hash, .opened_ms = now_ms, .index = (uint16_t)index, .state = HANDLE_OPEN,
    };
    memcpy(place->storage, modem->mem1, sizeof place->storage);
    /* Reserved types are to be taken for a DELIVER (9.2.3.1), and what is too short to tell goes the same way. */
    hand_over(modem, type == 2 ? MODEM_EVENT_REPORT : MODEM_EVENT_DELIVER, unit, place->handle, now_ms);
}

void modem_storage_direct(struct modem *modem, const struct at_event *urc, uint64_t now_ms)
{
    bool report = strncmp(urc->text, "+CDS:", 5) == 0;
    uint32_t handle;

    if (!report && strncmp(urc->text, "+CMT:", 5) != 0)
        return;   /* cell broadcast */
    if (urc->pdu_length < 2 || strspn(urc->pdu, "0123456789ABCDEFabcdef") < 2) {
        modem->bad_pdus++;
        return;
    }
    handle = next_handle(modem);
    if (modem->needs_cnma) {
        struct modem_handle *place = find_state(modem, HANDLE_FREE);

        /* Without a place it is not acknowledged, and the network sends it again (TS 27.005 3.4.4). */
        if (place != NULL)
            *place = (struct modem_handle){ .handle = handle, .opened_ms = now_ms, .state = HANDLE_DIRECT };
    }
    hand_over(modem, report ? MODEM_EVENT_REPORT : MODEM_EVENT_DELIVER, urc, handle, now_ms);
}

static bool is_storage_name(const char *name)
{
    return name[0] >= 'A' && name[0] <= 'Z' && name[1] >= 'A' && name[1] <= 'Z' && name[2] == '\0';
}

void modem_storage_notified(struct modem *modem, const struct at_event *urc)
{
    struct modem_read read = { .storage = "" };
    int index;

    if (at_parse_cmti(urc->text, read.storage, &index) < 0)
        return;
    if (!is_storage_name(read.storage) || index < 0 || index > UINT16_MAX || modem->reads_count == MODEM_READS_MAX) {
        modem_storage_sweep(modem, true);   /* "+CMTI: ,-1" (SIM7000G): it is somewhere */
        return;
    }
    read.index = (uint16_t)index;
    for (size_t i = 0; i < modem->reads_count; i++) {
        if (modem->reads[i].index == read.index && strcmp(modem->reads[i].storage, read.storage) == 0)
            return;
    }
    modem->reads[modem->reads_count++] = read;
}

/* ------------------------------------------------------------------------------------------------ commands */

/* Only mem1 changes. Some modems refuse fewer memories than they took at set-up (SIM7600), some more. */
static void add_select(const struct modem *modem, struct at_command *command)
{
    at_command_add_string(command, modem->select);
    for (unsigned i = 1; i < modem_setup_memories(modem); i++)
        at_command_add_string(command, modem->mem_main);
}

static void on_select(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    struct at_storages storages;

    (void)now_ms;
    if (strcmp(modem->select, modem->mem_main) == 0 && at_parse_cpms(line->text, &storages) == 0) {
        modem->status.storage_used = storages.memory[0].used;
        modem->status.storage_total = storages.memory[0].total;
    }
}

static void drop_reads(struct modem *modem, const char *storage)
{
    uint8_t kept = 0;

    for (size_t i = 0; i < modem->reads_count; i++) {
        if (strcmp(modem->reads[i].storage, storage) != 0)
            modem->reads[kept++] = modem->reads[i];
    }
    modem->reads_count = kept;
}

static enum modem_verdict judge_select(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    if (done->result == AT_OK) {
        memcpy(modem->mem1, modem->select, sizeof modem->mem1);
        return VERDICT_ACCEPTED;
    }
    if (done->result == AT_UNKNOWN)
        return VERDICT_REFUSED;
    /* It cannot be chosen (SIM7600 announces "SR" of size 0): what is asked of it can never be done. */
    drop_reads(modem, modem->select);
    if (strcmp(modem->select, modem->mem_main) == 0)
        modem->sweep_main = false;
    else
        modem->sweep_other = false;
    for (size_t i = 0; i < MODEM_HANDLES_MAX; i++) {
        if (modem->handles[i].state == HANDLE_DELETE && strcmp(modem->handles[i].storage, modem->select) == 0)
            modem->handles[i].state = HANDLE_STUCK;
    }
    return VERDICT_REFUSED;
}

static const struct modem_step select_job = {
    .command = "AT+CPMS=", .add = add_select, .on_line = on_select, .judge = judge_select
};

static enum modem_verdict judge_cnma(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    if (modem->cnma_due > 0)
        modem->cnma_due--;
    /* 340: nothing to acknowledge. Any other refusal: this modem has no CNMA, whatever CSMS says. */
    if (done->result == AT_REFUSED && !(done->error_kind == AT_ERROR_CMS && done->code == 340)) {
        modem->needs_cnma = false;
        modem->cnma_due = 0;
    }
    return VERDICT_ACCEPTED;
}

static const struct modem_step cnma_job = { .command = "AT+CNMA=0", .judge = judge_cnma };

static void add_deleted(const struct modem *modem, struct at_command *command)
{
    at_command_add_int(command, modem->handles[modem->job_handle].index);
}

static bool is_empty_place(const struct at_event *done)
{
    return (done->error_kind == AT_ERROR_CMS && done->code == 321) ||
           (done->error_kind == AT_ERROR_CME && (done->code == 21 || done->code == 22));
}

static enum modem_verdict judge_delete(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    struct modem_handle *place = &modem->handles[modem->job_handle];
    bool gone = done->result == AT_OK || (done->result == AT_REFUSED && is_empty_place(done));

    (void)now_ms;
    /* Not known to be gone: it is deleted again only if a sweep finds the same message there, since another one may
     * have come to its place by then. */
    place->state = gone ? HANDLE_FREE : HANDLE_STUCK;
    return VERDICT_ACCEPTED;
}

static const struct modem_step delete_job = {
    .command = "AT+CMGD=", .add = add_deleted, .judge = judge_delete, .timeout_ms = DELETE_TIMEOUT_MS
};

static void add_read(const struct modem *modem, struct at_command *command)
{
    at_command_add_int(command, modem->reads[0].index);
}

static void on_read(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    if (line->pdu != NULL)
        found_message(modem, modem->reads[0].index, line, now_ms);
}

static enum modem_verdict judge_read(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    modem->reads_count--;
    memmove(&modem->reads[0], &modem->reads[1], modem->reads_count * sizeof modem->reads[0]);
    if (done->result == AT_UNKNOWN)
        modem->sweep_main = true;
    return VERDICT_ACCEPTED;
}

static const struct modem_step read_job = {
    .command = "AT+CMGR=", .add = add_read, .on_line = on_read, .judge = judge_read, .timeout_ms = READ_TIMEOUT_MS
};

static void end_sweep(struct modem *modem)
{
    *(modem->sweeping_other ? &modem->sweep_other : &modem->sweep_main) = false;
    modem->scan_running = false;
}

static void on_list(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    struct at_message_header header;

    if (line->pdu != NULL && at_parse_message_header(line->text, &header) == 0)
        found_message(modem, header.index, line, now_ms);
}

static enum modem_verdict judge_list(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    if (done->result == AT_OK)
        end_sweep(modem);
    else
        modem->sweep_by_index = true;   /* refused, or it hangs (gammu#323: 8 minutes): index by index from now on */
    return VERDICT_ACCEPTED;
}

static const struct modem_step list_job = {
    .command = "AT+CMGL=4", .on_line = on_list, .judge = judge_list, .timeout_ms = LIST_TIMEOUT_MS
};

static void on_count(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    struct at_storages storages;

    (void)now_ms;
    if (at_parse_cpms(line->text, &storages) == 0) {
        modem->scan_left = storages.memory[0].used;
        modem->scan_last = storages.memory[0].total;   /* the first index may be 0 or 1 */
    }
}

static enum modem_verdict judge_count(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    modem->scan_running = done->result == AT_OK && modem->scan_left > 0;
    if (!modem->scan_running)
        end_sweep(modem);
    return VERDICT_ACCEPTED;
}

static const struct modem_step count_job = { .command = "AT+CPMS?", .on_line = on_count, .judge = judge_count };

static void add_scanned(const struct modem *modem, struct at_command *command)
{
    at_command_add_int(command, modem->scan_index);
}

static void on_scanned(struct modem *modem, const struct at_event *line, uint64_t now_ms)
{
    if (line->pdu == NULL || line->pdu_length == 0)
        return;
    modem->scan_left--;
    found_message(modem, modem->scan_index, line, now_ms);
}

static enum modem_verdict judge_scanned(struct modem *modem, const struct at_event *done, uint64_t now_ms)
{
    (void)now_ms;
    modem->scan_index++;
    if (done->result == AT_UNKNOWN || modem->scan_left <= 0 || modem->scan_index > modem->scan_last)
        end_sweep(modem);
    return VERDICT_ACCEPTED;
}

static const struct modem_step scan_job = { .command = "AT+CMGR=",
                                            .add = add_scanned,
                                            .on_line = on_scanned,
                                            .judge = judge_scanned,
                                            .timeout_ms = READ_TIMEOUT_MS };

/* ------------------------------------------------------------------------------------------------ what is next */

/* The job itself where mem1 is right already, else the one that makes it so. */
static const struct modem_step *at_storage(struct modem *modem, const char *storage, const struct modem_step *job)
{
    if (storage[0] == '\0' || strcmp(storage, modem->mem1) == 0)
        return job;
    memcpy(modem->select, storage, sizeof modem->select);
    modem->scan_running = false;
    return &select_job;
}

static const struct modem_step *delete_next(struct modem *modem)
{
    const struct modem_handle *place = NULL;

    for (size_t i = 0; i < MODEM_HANDLES_MAX; i++) {
        const struct modem_handle *one = &modem->handles[i];

        if (one->state == HANDLE_DELETE && (place == NULL || strcmp(one->storage, modem->mem1) == 0))
            place = one;
    }
    if (place == NULL)
        return NULL;
    modem->job_handle = (uint8_t)(place - modem->handles);
    return at_storage(modem, place->storage, &delete_job);
}

/* What the other of SM and ME is called where the modem has both; messages of class 2 go to SM whatever CPMS says. */
static const char *other_storage(const struct modem *modem)
{
    if (strcmp(modem->mem_main, "ME") == 0 && (modem->storages_listed & AT_STORAGE_SM) != 0)
        return "SM";
    if (strcmp(modem->mem_main, "SM") == 0 && (modem->storages_listed & AT_STORAGE_ME) != 0)
        return "ME";
    return "";
}

static const struct modem_step *sweep_next(struct modem *modem, uint64_t now_ms)
{
    const char *storage = modem->sweep_main ? modem->mem_main : other_storage(modem);

    if (!modem->sweep_main && storage[0] == '\0') {
        modem->sweep_other = false;
        return NULL;
    }
    expire_handles(modem, now_ms);
    modem->sweeping_other = !modem->sweep_main;
    if (!modem->sweep_by_index)
        return at_storage(modem, storage, &list_job);
    if (modem->scan_running)
        return at_storage(modem, storage, &scan_job);
    modem->scan_index = 0;
    modem->scan_left = modem->scan_last = 0;
    return at_storage(modem, storage, &count_job);
}

const struct modem_step *modem_storage_job(struct modem *modem, uint64_t now_ms)
{
    const struct modem_step *job;

    if (modem->cnma_due > 0)
        return &cnma_job;
    job = delete_next(modem);
    if (job != NULL)
        return job;
    if (modem->reads_count > 0)
        return at_storage(modem, modem->reads[0].storage, &read_job);
    if (modem->sweep_more && find_state(modem, HANDLE_OPEN) == NULL) {
        modem->sweep_more = false;   /* all that was handed over is deleted: there is room for the rest */
        modem_storage_sweep(modem, true);
    }
    if (modem->sweep_main || modem->sweep_other)
        return sweep_next(modem, now_ms);
    return NULL;
}
