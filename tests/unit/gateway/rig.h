/* SPDX-License-Identifier: Apache-2.0
 *
 * rig.h - a gateway on a real store, with modems that do what the test says, in time that the test moves. */
#ifndef CELLPOST_TEST_RIG_H
#define CELLPOST_TEST_RIG_H

#include "src/gateway/gateway.h"
#include "src/sms/sms_pdu.h"
#include "src/store/store_read.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct rig_sent { uint32_t slot; int64_t attempt_id; struct sms_tpdu tpdu; bool was_durable; };

struct rig {
    char dir[64], path[96];
    struct store *store;
    struct store_reader *reader;
    struct gateway *gateway;
    struct gateway_now now;
    struct rig_sent sent[512]; size_t sent_count;
    uint32_t stored[16384]; size_t stored_count;
    int last_result; int64_t last_id; enum message_state last_state;
    size_t answers;
    int store_error;                     /* not 0: every commit fails with it */
    int landed_error;                    /* the same, but what it wrote is there */
    uint32_t counts_asked;
    int refuse_send;                     /* not 0: the modem takes nothing */
    char alarm[200]; uint32_t alarms, alarms_over;   /* as told by events */
    uint32_t incoming; char incoming_iccid[32];      /* events about messages and reports that came in; the card that the last one names */
    bool prefetch_at_once;               /* from the next start, as the next two */
    uint32_t window;
    struct gateway_consent consent;
    void (*witness_looks)(bool begins);  /* NULL: nobody wants to know; the witness is no part of what is tested */
    int64_t stale_ms;                    /* requests were read by a clock that was so far behind */
};

static inline void rig_find_intent(void *context, const struct attempt_row *row)
{
    struct rig_sent *sent = context;

    if (row->id == sent->attempt_id && row->state == ATTEMPT_INTENT)
        sent->was_durable = true;
}

static inline void rig_find_in_message(void *context, const struct message_row *row)
{
    int64_t *ids = context;

    ids[++ids[0]] = row->id;
}

/* The witness: when bytes go to a modem, another connection to the database must see their intent. */
static inline int rig_send(void *context, uint32_t slot, int64_t attempt_id, const char *pdu_hex, uint8_t tpdu_length, struct gateway_now now)
{
    struct rig *rig = context;
    struct rig_sent *sent = &rig->sent[rig->sent_count];
    struct message_filter filter = { .limit = 400 };
    int64_t ids[402] = { 0 };
    const char *error;

    (void)now;
    if (rig->refuse_send != 0)
        return rig->refuse_send;
    if (rig->witness_looks != NULL)
        rig->witness_looks(true);
    memset(sent, 0, sizeof *sent);
    sent->slot = slot;
    sent->attempt_id = attempt_id;
    assert_int_equal(sms_pdu_decode_hex(pdu_hex, strlen(pdu_hex), SMS_SUBMIT, &sent->tpdu, &error), 0);
    assert_int_equal(sent->tpdu.tpdu_length, tpdu_length);
    assert_int_equal(store_read_messages(rig->reader, &filter, rig_find_in_message, ids), 0);
    for (int64_t i = 1; i <= ids[0]; i++)
        assert_int_equal(store_read_attempts(rig->reader, ids[i], rig_find_intent, sent), 0);
    assert_true(sent->was_durable);
    rig->sent_count++;
    if (rig->witness_looks != NULL)
        rig->witness_looks(false);
    return 0;
}

static inline void rig_stored(void *context, uint32_t slot, uint32_t handle, struct gateway_now now)
{
    struct rig *rig = context;

    (void)slot;
    (void)now;
    rig->stored[rig->stored_count++] = handle;
}

static inline void rig_read_count(void *context, uint32_t slot, struct gateway_now now)
{
    struct rig *rig = context;

    (void)slot;
    (void)now;
    rig->counts_asked++;
}

static inline void rig_event(void *context, const struct live_event *event)
{
    struct rig *rig = context;

    if (event->kind == LIVE_INBOX || (event->kind == LIVE_PART && event->step == LIVE_PART_REPORTED)) {
        rig->incoming++;
        (void)snprintf(rig->incoming_iccid, sizeof rig->incoming_iccid, "%s", event->iccid);
    }
    if (event->kind != LIVE_ALARM)
        return;
    (void)snprintf(rig->alarm, sizeof rig->alarm, "%s", event->reason);
    *(event->raised ? &rig->alarms : &rig->alarms_over) += 1;
}

static inline void rig_answer(void *context, struct store_change *change)
{
    struct rig *rig = context;

    rig->last_result = change->result;
    rig->answers++;
    if (change->kind == CHANGE_ACCEPT && change->result == 0) {
        rig->last_id = change->u.accept.messages[change->u.accept.count - 1].id;
        rig->last_state = change->u.accept.messages[change->u.accept.count - 1].state;
    } else if (change->kind == CHANGE_CANCEL) {
        rig->last_state = change->u.cancel.message_state;
    }
    change_free(change);
}

/* A list that was taken is committed, or not. */
static inline void rig_commit_list(struct rig *rig, struct store_change *list)
{
    int error = rig->store_error != 0 ? rig->store_error : store_apply(rig->store, list);

    if (error == 0)
        error = rig->landed_error;
    for (struct store_change *change = list; error != 0 && change != NULL; change = change->next)
        change->result = error;
    gateway_changes_done(rig->gateway, list, error, 500, rig->now);
}

/* Until nobody has anything more to commit. */
static inline void rig_commit(struct rig *rig)
{
    struct store_change *list;

    while ((list = gateway_take_changes(rig->gateway)) != NULL)
        rig_commit_list(rig, list);
}

static inline void rig_start_gateway(struct rig *rig)
{
    static const struct gateway_ops ops = { rig_send, rig_stored, rig_read_count, rig_event, rig_answer };
    struct gateway_config config = { .ops = &ops, .context = rig, .window = rig->window, .prefetch_at_once = rig->prefetch_at_once,
                                     .consent = rig->consent };

    rig->gateway = gateway_new(&config);
    assert_non_null(rig->gateway);
    gateway_poll(rig->gateway, rig->now);
    rig_commit(rig);
}

static inline void rig_open(struct rig *rig)
{
    char error[256];
    uint32_t unknown;

    assert_int_equal(store_open(rig->path, NULL, "test", &rig->store, error, sizeof error), 0);
    assert_int_equal(store_recover(rig->store, rig->now.wall_ms, &unknown), 0);
    assert_int_equal(store_reader_open(rig->path, NULL, &rig->reader), 0);
    rig_start_gateway(rig);
}

static inline struct rig *rig_new_in(const char *folder)
{
    struct rig *rig = calloc(1, sizeof *rig);

    (void)snprintf(rig->dir, sizeof rig->dir, "%s/cellpost-rig-XXXXXX", folder);
    assert_non_null(mkdtemp(rig->dir));
    (void)snprintf(rig->path, sizeof rig->path, "%s/cellpost.db", rig->dir);
    rig->now = (struct gateway_now){ .mono_us = 1000000, .wall_ms = 1790000000000 };
    rig_open(rig);
    return rig;
}

static inline struct rig *rig_new(void) { return rig_new_in("/tmp"); }

static inline void rig_close(struct rig *rig)
{
    gateway_free(rig->gateway);
    store_reader_close(rig->reader);
    store_close(rig->store);
}

/* What a power cut and a new start leave: the file. */
static inline void rig_restart(struct rig *rig)
{
    rig_close(rig);
    rig->sent_count = 0;
    rig_open(rig);
}

static inline void rig_free(struct rig *rig)
{
    char name[128];

    rig_close(rig);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s%s", rig->path, i == 0 ? "" : i == 1 ? "-wal" : "-shm");
        (void)unlink(name);
    }
    (void)rmdir(rig->dir);
    free(rig);
}

static inline void rig_pass_ms(struct rig *rig, int64_t ms)
{
    rig->now.mono_us += (uint64_t)ms * 1000;
    rig->now.wall_ms += ms;
    gateway_poll(rig->gateway, rig->now);
    rig_commit(rig);
}

static inline void rig_modem(struct rig *rig, uint32_t slot)
{
    struct change_sim sim = { .sim_id = 0 };

    (void)snprintf(sim.iccid, sizeof sim.iccid, "894000000000000%04u", slot);
    (void)snprintf(sim.imei, sizeof sim.imei, "35000000000%04u", slot);
    gateway_slot_sim(rig->gateway, slot, "port", &sim, rig->now);
    gateway_slot_ready(rig->gateway, slot, true, rig->now);
    rig_commit(rig);
}

struct rig_text { const char *to, *text; uint16_t cuts[4]; uint16_t parts; uint8_t priority; bool at_least_once; int64_t due_in_ms, expire_in_ms; };

static inline struct store_change *rig_new_accept(struct rig *rig, struct rig_text text)
{
    int64_t wall_ms = rig->now.wall_ms - rig->stale_ms;
    struct store_change *change = change_new(CHANGE_ACCEPT, wall_ms);
    struct accept_message *message = calloc(1, sizeof *message);

    change->u.accept.messages = message;
    change->u.accept.count = 1;
    change->waiter = rig;
    (void)snprintf(change->u.accept.actor, sizeof change->u.accept.actor, "test");
    (void)snprintf(message->to, sizeof message->to, "%s", text.to != NULL ? text.to : "+40700000001");
    message->text = strdup(text.text);
    message->text_length = (uint32_t)strlen(text.text);
    message->coding.alphabet = SMS_GSM7;
    message->coding.parts = text.parts != 0 ? text.parts : 1;
    if (message->coding.parts > 1) {
        uint16_t *cuts = calloc(message->coding.parts, sizeof *cuts);

        memcpy(cuts, text.cuts, message->coding.parts * sizeof *cuts);
        message->coding.cuts = cuts;
    }
    message->priority = text.priority != 0 ? text.priority : MESSAGE_PRIORITY_DEFAULT;
    message->message_class = -1;
    message->report = true;
    message->policy = text.at_least_once ? MESSAGE_AT_LEAST_ONCE : MESSAGE_AT_MOST_ONCE;
    message->due_ms = text.due_in_ms != 0 ? wall_ms + text.due_in_ms : 0;
    message->expire_ms = wall_ms + (text.expire_in_ms != 0 ? text.expire_in_ms : 86400000);
    return change;
}

static inline int64_t rig_submit(struct rig *rig, struct rig_text text)
{
    gateway_submit(rig->gateway, rig_new_accept(rig, text), rig->now);
    rig_commit(rig);
    return rig->last_id;
}

static inline int rig_cancel(struct rig *rig, int64_t id)
{
    struct store_change *change = change_new(CHANGE_CANCEL, rig->now.wall_ms);

    change->u.cancel.message_id = id;
    change->waiter = rig;
    gateway_submit(rig->gateway, change, rig->now);
    rig_commit(rig);
    return rig->last_result;
}

static inline void rig_result(struct rig *rig, size_t sent, enum gateway_result result, int mr, int cms)
{
    gateway_part_result(rig->gateway, rig->sent[sent].slot, rig->sent[sent].attempt_id, result, mr, cms >= 0 ? 1 : 0, cms, rig->now);
}

static inline enum message_state rig_state(struct rig *rig, int64_t id)
{
    struct message_row row;

    assert_int_equal(store_read_message(rig->reader, id, &row), 0);
    return row.state;
}

#endif
