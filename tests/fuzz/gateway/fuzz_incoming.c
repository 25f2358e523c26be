/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes in, from the octets that a modem read to the inbox: any PDUs and crafted parts of long messages, again and
 * again, in any order, under a clock that jumps and a store that fails. What must hold: a modem is told to forget only
 * what was given and committed, and without a failure all that was given; every message in the inbox is UTF-8; after
 * the last clock jump none of the parts waits any more; nothing is ever sent, also where STOP is answered: no modem is ready. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/utf8.h"
#include "src/gateway/gateway.h"
#include "src/sms/sms_pdu.h"
#include "src/store/store_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define GIVEN_MAX 256
#define SLOTS 2
#define RUNS_PER_DATABASE 2000
#define WEEK_MS 604800000

enum fate { FREE, GIVEN, STORED };

struct fuzz {
    struct gateway *gateway;
    struct gateway_now now;
    enum fate given[GIVEN_MAX];          /* by handle - 1 */
    uint32_t given_count;
    bool committing;                     /* a list that the store took is being given back */
    bool failed;                         /* some commit of this run */
    uint32_t inbox;                      /* events */
    char again[2 * SMS_PDU_BYTES_MAX + 256];
    size_t again_length;
};

static struct store *store;
static struct store_reader *reader;
static int64_t inbox_last;

/* -- the store, anew every now and then, so that it does not grow with the runs ---------------------------------------- */

static void open_database(void)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    static char path[512];
    static unsigned runs;
    char error[256];

    if (store && ++runs % RUNS_PER_DATABASE != 0)
        return;
    if (!store) {
        (void)snprintf(path, sizeof path, "%s/cellpost-fuzz-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
        if (!mkdtemp(path))
            abort();
        (void)strcat(path, "/cellpost.db");
    } else {
        store_reader_close(reader);
        store_close(store);
        for (size_t i = 0; i < 3; i++) {
            char file[520];
            (void)snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
            (void)unlink(file);
        }
    }
    inbox_last = 0;
    if (store_open(path, NULL, "fuzz", &store, error, sizeof error) != 0 || store_reader_open(path, NULL, &reader) != 0)
        abort();
}

/* -- what the gateway asks for ------------------------------------------------------------------------------------------ */

static int on_send(void *context, uint32_t slot, int64_t attempt_id, const char *pdu_hex, uint8_t tpdu_length, struct gateway_now now)
{
    (void)context, (void)slot, (void)attempt_id, (void)pdu_hex, (void)tpdu_length, (void)now;
    abort();
}

static void on_stored(void *context, uint32_t slot, uint32_t handle, struct gateway_now now)
{
    struct fuzz *fuzz = context;

    (void)now;
    assert(fuzz->committing && slot < SLOTS && handle >= 1 && handle <= fuzz->given_count);
    assert(fuzz->given[handle - 1] == GIVEN);
    fuzz->given[handle - 1] = STORED;
}

static void on_event(void *context, const struct live_event *event)
{
    struct fuzz *fuzz = context;

    assert(fuzz->committing);
    fuzz->inbox += event->kind == LIVE_INBOX;
}

static void on_answer(void *context, struct store_change *change)
{
    (void)context;
    change_free(change);
}

/* -- steps -------------------------------------------------------------------------------------------------------------- */

static void commit(struct fuzz *fuzz, int error)
{
    struct store_change *list;

    for (int turns = 0; (list = gateway_take_changes(fuzz->gateway)) != NULL; turns++) {
        int r = error != 0 ? error : store_apply(store, list);

        assert(turns < 1000 && (r == 0 || error != 0));
        for (struct store_change *change = list; r != 0 && change != NULL; change = change->next)
            change->result = r;
        fuzz->failed |= r != 0;
        fuzz->committing = r == 0;
        gateway_changes_done(fuzz->gateway, list, r, 500, fuzz->now);
        fuzz->committing = false;
        if (r != 0)
            return;
    }
}

static void give(struct fuzz *fuzz, uint32_t slot, bool report)
{
    if (fuzz->given_count == GIVEN_MAX)
        return;
    fuzz->given[fuzz->given_count++] = GIVEN;
    (report ? gateway_report : gateway_received)(fuzz->gateway, slot, fuzz->again, fuzz->again_length, fuzz->given_count, fuzz->now);
}

static void keep(struct fuzz *fuzz, const uint8_t *octets, size_t length)
{
    static const char digits[] = "0123456789ABCDEF";

    fuzz->again_length = 0;
    for (size_t i = 0; i < length && fuzz->again_length + 2 < sizeof fuzz->again; i++) {
        fuzz->again[fuzz->again_length++] = digits[octets[i] >> 4];
        fuzz->again[fuzz->again_length++] = digits[octets[i] & 15];
    }
    fuzz->again[fuzz->again_length] = '\0';
}

/* A part of a long message in UCS-2: reference, total and number of the part as the input says. */
static void keep_part(struct fuzz *fuzz, uint8_t which, const uint8_t *text, size_t length)
{
    static const uint8_t head[] = { 0x00, 0x44, 0x0B, 0x91, 0x33, 0x06, 0x10, 0x07, 0x26, 0xF2, 0x00, 0x08,
                                    0x52, 0x10, 0x71, 0x91, 0x20, 0x34, 0x80 };
    uint8_t pdu[sizeof head + 7 + 64];
    size_t at = sizeof head;

    memcpy(pdu, head, sizeof head);
    pdu[sizeof head - 2] = (uint8_t)(which >> 6 << 4);   /* minutes of the time stamp */
    pdu[at++] = (uint8_t)(6 + length);
    memcpy(pdu + at, (uint8_t[]){ 5, 0, 3, which & 1, (uint8_t)(2 + (which >> 1 & 1)), (uint8_t)(which >> 2 & 3) }, 6);
    at += 6;
    memcpy(pdu + at, text, length);
    keep(fuzz, pdu, at + length);
}

static void pass_ms(struct fuzz *fuzz, int64_t ms)
{
    if (ms > 0)
        fuzz->now.mono_us += (uint64_t)ms * 1000;
    fuzz->now.wall_ms += ms;
    gateway_poll(fuzz->gateway, fuzz->now);
}

static void insert_card(struct fuzz *fuzz, uint32_t slot, uint64_t run)
{
    struct change_sim sim = { .sim_id = 0 };

    (void)snprintf(sim.iccid, sizeof sim.iccid, "8949%014llu%u", (unsigned long long)(run % 1000000000), slot);
    (void)snprintf(sim.imei, sizeof sim.imei, "35000000000000%u", slot);
    gateway_slot_sim(fuzz->gateway, slot, "port", &sim, fuzz->now);
}

static void check_row(void *context, const struct inbox_row *row)
{
    uint32_t *count = context;

    assert(row->text || row->alphabet == SMS_8BIT || *row->problem);   /* data may be no octets */
    assert(!row->text || utf8_is_valid(row->text, strlen(row->text), NULL));
    assert(utf8_is_valid(row->from, strlen(row->from), NULL) && utf8_is_valid(row->problem, strlen(row->problem), NULL));
    inbox_last = row->id > inbox_last ? row->id : inbox_last;
    (*count)++;
}

/* A store that works, and time enough for all that waits for it. */
static void finish(struct fuzz *fuzz)
{
    struct inbox_filter filter = { .after_id = inbox_last, .limit = 1000, .oldest_first = true };
    uint32_t stored = 0, rows = 0;

    for (int i = 0; i < 4; i++) {
        pass_ms(fuzz, 60000);
        commit(fuzz, 0);
    }
    for (int i = 0; i < 4; i++) {
        pass_ms(fuzz, WEEK_MS);
        commit(fuzz, 0);
    }
    for (uint32_t i = 0; i < fuzz->given_count; i++) {
        assert(fuzz->failed || fuzz->given[i] == STORED);
        stored += fuzz->given[i] == STORED;
    }
    assert(store_read_inbox(reader, &filter, check_row, &rows) == 0);
    assert(rows == fuzz->inbox || fuzz->failed);
    assert(rows <= stored || fuzz->failed);
}

/* Nothing is ever sent here, so no card is asked how often it did. */
static void on_read_count(void *context, uint32_t slot, struct gateway_now now)
{
    (void)context;
    (void)slot;
    (void)now;
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct gateway_ops ops = { .send = on_send, .stored = on_stored, .event = on_event, .answer = on_answer,
                                            .read_count = on_read_count };
    static uint64_t run;
    struct fuzz fuzz = { .now = { .mono_us = 1000000, .wall_ms = 1790000000000 } };
    static const char *const words[] = { "A", "AB" };   /* mutations come upon short ones more often */
    struct gateway_config config = {
        .ops = &ops, .context = &fuzz,
        .consent = { .reads_words = true, .words = { words, 1, words + 1, 1 }, .confirmation = "Bye", .country = "RO" },
    };

    open_database();
    run++;
    fuzz.gateway = gateway_new(&config);
    if (!fuzz.gateway)
        return 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        insert_card(&fuzz, slot, run);
    for (size_t at = 0; at + 1 < size;) {
        uint8_t op = data[at++], value = data[at++];
        size_t count;

        switch (op % 8) {
        case 0: case 1:                  /* octets as they are */
            count = value < size - at ? value : size - at;
            keep(&fuzz, data + at, count);
            at += count;
            give(&fuzz, op / 16 % SLOTS, op % 8 == 1);
            break;
        case 2: case 3:                  /* a part; 0 to 15 octets of text */
            count = (size_t)(op / 16) < size - at ? (size_t)(op / 16) : size - at;
            keep_part(&fuzz, value, data + at, count);
            at += count;
            give(&fuzz, op / 8 % SLOTS, false);
            break;
        case 4:                          /* read once more */
            give(&fuzz, value % SLOTS, value & 2);
            break;
        case 5:
            pass_ms(&fuzz, (int64_t)value * value * value * (op & 8 ? -1 : 1));
            break;
        case 6:
            commit(&fuzz, value % 4 == 0 ? -EIO : value % 4 == 1 ? -ENOSPC : 0);
            break;
        default:
            insert_card(&fuzz, value % SLOTS, run);
            break;
        }
    }
    finish(&fuzz);
    gateway_free(fuzz.gateway);
    return 0;
}
