/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/simulation/credits/world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/hex.h"
#include "src/sms/sms_coding.h"

#define DATABASE "cellpost.db"
#define MONO_START_US SECONDS(20)
#define WANT_MICRO (40 * CREDIT)

struct sync_now box_now(const struct box *box)
{
    int64_t wall_ms = world_ms(box->world) + box->clock_off_ms;

    return (struct sync_now){ box->world->now_us - box->boot_us + MONO_START_US, wall_ms < 1000 ? 1000 : wall_ms };
}

static struct gateway_now now_of(const struct box *box)
{
    struct sync_now now = box_now(box);

    return (struct gateway_now){ now.mono_us, now.wall_ms };
}

/* -- what its modems did, and what is on the disk of it ---------------------------------------------------------------- */

static struct attempt *attempt_of(const struct box *box, int64_t id)
{
    for (uint32_t i = box->attempt_count; i > 0; i--)
        if (box->attempts[i - 1].id == id)
            return &box->attempts[i - 1];
    return NULL;
}

static void note_intent(struct box *box, const struct change_intent *intent, bool crashed)
{
    if (intent->attempt_id == 0 || box->attempt_count == ATTEMPTS_MAX)
        return;
    box->attempts[box->attempt_count++] = (struct attempt){ .id = intent->attempt_id, .message_id = intent->message_id, .part = intent->part,
                                                            .open = true, .crashed = crashed };
}

static void note_changes(struct box *box, const struct store_change *list, bool crashed)
{
    for (const struct store_change *change = list; change != NULL; change = change->next) {
        int64_t id = change->kind == CHANGE_OUTCOME ? change->u.outcome.attempt_id : change->kind == CHANGE_WITHDRAW ? change->u.withdraw.attempt_id : 0;
        struct attempt *attempt = id != 0 ? attempt_of(box, id) : NULL;

        if (change->kind == CHANGE_INTENT && change->result == 0)
            note_intent(box, &change->u.intent, crashed);
        if (attempt != NULL && change->result == 0 && !crashed)
            attempt->open = false;
    }
}

/* -- ops of the gateway --------------------------------------------------------------------------------------------------- */

static int on_send(void *context, uint32_t slot, int64_t attempt_id, const char *pdu_hex, uint8_t tpdu_length, struct gateway_now now)
{
    struct box *box = context;
    struct attempt *attempt = attempt_of(box, attempt_id);

    (void)pdu_hex;
    (void)tpdu_length;
    (void)now;
    if (attempt == NULL || !attempt->open) {
        violation(box->world, "I5: box %u hands over attempt %lld without an intent on its disk", box->number, (long long)attempt_id);
        return -EIO;
    }
    attempt->handed_over = true;
    box->slots[slot].busy = true;
    box->slots[slot].attempt_id = attempt_id;
    box->slots[slot].done_us = box->world->now_us + draw_wait_us(box->world, SECONDS(3));
    box->world->result->parts++;
    return 0;
}

static void on_stored(void *context, uint32_t slot, uint32_t handle, struct gateway_now now)
{
    (void)context;
    (void)slot;
    (void)handle;
    (void)now;
}

static void on_read_count(void *context, uint32_t slot, struct gateway_now now)
{
    (void)context;
    (void)slot;
    (void)now;
}

static void on_event(void *context, const struct live_event *event)
{
    const struct box *box = context;

    if (event->kind == LIVE_ALARM)
        trace(box->world, "box", "%u: alarm %s: %s", box->number, event->raised ? "raised" : "over", event->reason);
}

/* Not from inside of the gateway: what it leads to comes with the next turn. */
static void on_answer(void *context, struct store_change *change)
{
    struct box *box = context;

    if (change->kind == CHANGE_CREDIT) {
        box->step_done = change;
        return;
    }
    if (change->kind == CHANGE_ACCEPT && change->result == -EDQUOT)
        box->needed_micro = change->u.accept.credit.needed_micro;
    if (change->kind == CHANGE_ACCEPT && change->result == 0)
        box->world->result->messages += change->u.accept.count;
    change_free(change);
}

/* -- ops of the sync -------------------------------------------------------------------------------------------------------- */

static void on_step(void *context, const struct change_credit *step)
{
    struct box *box = context;
    struct store_change *change = change_new(CHANGE_CREDIT, box_now(box).wall_ms);

    *change->u.credit = *step;
    change->waiter = box;
    gateway_submit(box->gateway, change, now_of(box));
}

static void on_request(void *context, enum wire_call call, const struct wire_message *message)
{
    network_send(context, call, message);
    free(message->body);
}

static void on_identity(void *context, const struct wire_enrolled *enrolled)
{
    struct box *box = context;

    box->enrolled = *enrolled;
    box->identity_us = box->world->now_us + SECONDS(1);
}

static void on_status(void *context)
{
    const struct box *box = context;
    struct sync_status status = sync_status_now(box->sync);

    trace(box->world, "box", "%u: %s: %s %s", box->number, sync_state_name(status.state), status.why, status.detail);
}

/* -- start and end -------------------------------------------------------------------------------------------------------------- */

static void start_slots(struct box *box)
{
    for (uint32_t slot = 0; slot < BOX_SLOTS; slot++) {
        struct change_sim sim = { .sim_id = 0 };

        (void)snprintf(sim.iccid, sizeof sim.iccid, "8940000000000%02u%04u", box->number, slot);
        (void)snprintf(sim.imei, sizeof sim.imei, "350000000%02u%04u", box->number, slot);
        gateway_slot_sim(box->gateway, slot, "port", &sim, now_of(box));
        gateway_slot_ready(box->gateway, slot, true, now_of(box));
    }
}

static bool box_start(struct box *box)
{
    static const struct gateway_ops gateway_ops = { on_send, on_stored, on_read_count, on_event, on_answer };
    static const struct sync_ops sync_ops = { .step = on_step, .request = on_request, .identity = on_identity, .status = on_status };
    struct gateway_config config = { .ops = &gateway_ops, .context = box, .window = 64, .boot = (int64_t)box->boot_us + 1 };
    struct sync_config sync = { .ops = &sync_ops, .context = box, .random = world_random, .random_context = box->world, .want_micro = WANT_MICRO };
    uint32_t unknown;
    char error[256];
    int r = store_open(DATABASE, disk_vfs(box->disk), "sim1", &box->store, error, sizeof error);

    if (r == 0)
        r = store_recover(box->store, box_now(box).wall_ms, &unknown);
    if (r < 0) {
        if (!disk_stopped(box->disk))
            violation(box->world, "box %u cannot start: %s", box->number, r == -EBADMSG ? error : "its database");
        return false;
    }
    memcpy(sync.hw_fingerprint, box->hw_fingerprint, sizeof sync.hw_fingerprint);
    box->gateway = gateway_new(&config);
    box->sync = sync_new(&sync);
    box->up = true;
    box->start_us = NEVER;
    box->world->result->starts++;
    if (store_has_credits(box->store))
        gateway_load_credits(box->gateway, now_of(box));
    gateway_poll(box->gateway, now_of(box));
    start_slots(box);
    if (box->card.has_pending)
        (void)sync_enroll(box->sync, &box->card.pending, box_now(box));
    trace(box->world, "box", "%u starts", box->number);
    return true;
}

static void process_gone(struct box *box)
{
    if (box->committing != NULL)
        note_changes(box, box->committing, true);
    for (uint32_t i = 0; i < box->attempt_count; i++)
        box->attempts[i].crashed = box->attempts[i].crashed || box->attempts[i].open;
    change_free_list(box->committing);
    change_free(box->step_done);
    sync_free(box->sync);
    gateway_free(box->gateway);
    store_close(box->store);
    box->committing = box->step_done = NULL;
    box->sync = NULL;
    box->gateway = NULL;
    box->store = NULL;
    box->request.asked = false;
    box->identity_us = NEVER;
    box->commit_done_us = NEVER;
    memset(box->slots, 0, sizeof box->slots);
    box->up = false;
}

void box_crash(struct box *box, bool power)
{
    if (!box->up)
        return;
    trace(box->world, "box", "%u %s", box->number, power ? "loses its power" : "is killed");
    disk_stop(box->disk);                    /* closing writes nothing */
    process_gone(box);
    (power ? disk_power_cut : disk_kill)(box->disk);
    box->boot_us = power ? box->world->now_us : box->boot_us;
    box->start_us = box->world->now_us + SECONDS(draw_between(box->world, 5, 300));
}

/* The disk stopped by itself, in the middle of a commit or of the start. */
static void disk_ended(struct box *box)
{
    if (!box->up) {
        store_close(box->store);
        box->store = NULL;
        (box->power ? disk_power_cut : disk_kill)(box->disk);
        box->start_us = box->world->now_us + SECONDS(10);
        return;
    }
    box_crash(box, box->power);
}

void box_stop(struct box *box)
{
    if (!box->up)
        return;
    process_gone(box);
    disk_kill(box->disk);
    box->start_us = NEVER;
}

int box_new_in(struct world *world, unsigned number)
{
    struct box *box = &world->boxes[number];

    *box = (struct box){ .world = world, .number = number, .exists = true, .honest = true, .start_us = world->now_us, .boot_us = world->now_us,
                         .identity_us = NEVER, .commit_done_us = NEVER };
    box->disk = disk_new(world->options.seed * BOXES_MAX + number);
    box->attempts = calloc(ATTEMPTS_MAX, sizeof *box->attempts);
    box->busy_mean_us = MINUTES(draw_between(world, 1, 30));
    box->client_us = world->now_us + draw_wait_us(world, box->busy_mean_us);
    for (size_t i = 0; i < sizeof box->hw_fingerprint; i++)
        box->hw_fingerprint[i] = (uint8_t)(number + 1);
    return box->disk != NULL && box->attempts != NULL ? 0 : -ENOMEM;
}

void box_done(struct box *box)
{
    if (!box->exists)
        return;
    if (box->up)
        process_gone(box);
    disk_free(box->disk);
    free(box->attempts);
}

void box_enrol(struct box *box, const char *token)
{
    struct wire_enroll *ask = &box->card.pending;
    uint8_t key[sizeof box->card.key];
    char hex[2 * sizeof key + 1];

    (void)world_random(box->world, key, sizeof key);
    hex_encode(key, sizeof key, hex);
    *ask = (struct wire_enroll){ .version = "1" };
    (void)snprintf(ask->token, sizeof ask->token, "%s", token);
    (void)snprintf(ask->csr, sizeof ask->csr, "key %s\n", hex);
    (void)world_random(box->world, ask->nonce, sizeof ask->nonce);
    memcpy(ask->hw_fingerprint, box->hw_fingerprint, sizeof ask->hw_fingerprint);
    memcpy(box->card.pending_key, key, sizeof key);
    box->card.has_pending = true;
    if (box->up)
        (void)sync_enroll(box->sync, ask, box_now(box));
}

int box_summary(struct box *box, struct credit_summary *ret_summary)
{
    struct store_change *change = change_new(CHANGE_CREDIT, box_now(box).wall_ms);
    int r;

    change->u.credit->step = CREDIT_LOAD;
    r = store_apply(box->store, change);
    *ret_summary = change->u.credit->summary;
    change_free(change);
    return r;
}

/* -- clients ---------------------------------------------------------------------------------------------------------------------- */

static void fill_message(struct world *world, struct accept_message *message, int64_t now_ms)
{
    static const char *const prefixes[] = { "+40", "+40", "+44", "+49", "+4490" };
    unsigned parts = draw_percent(world, 20) ? 2 : 1;

    (void)snprintf(message->to, sizeof message->to, "%s7%08u", prefixes[draw_between(world, 0, 4)], (unsigned)draw_between(world, 0, 99999999));
    message->text = strdup("text");
    message->text_length = 4;
    message->coding.alphabet = draw_percent(world, 20) ? SMS_UCS2 : SMS_GSM7;
    message->coding.parts = (uint16_t)parts;
    if (parts > 1) {
        uint16_t *cuts = calloc(parts, sizeof *cuts);

        cuts[0] = 2;
        cuts[1] = 4;
        message->coding.cuts = cuts;
    }
    message->priority = MESSAGE_PRIORITY_DEFAULT;
    message->message_class = -1;
    message->policy = MESSAGE_AT_MOST_ONCE;
    message->expire_ms = now_ms + (int64_t)(MINUTES(draw_between(world, 30, 3000)) / 1000);
}

static void submit(struct box *box)
{
    struct world *world = box->world;
    int64_t now_ms = box_now(box).wall_ms;
    struct store_change *change = change_new(CHANGE_ACCEPT, now_ms);
    uint32_t count = draw_percent(world, 10) ? draw_between(world, 10, 40) : draw_between(world, 1, 4);

    change->u.accept.messages = calloc(count, sizeof *change->u.accept.messages);
    change->u.accept.count = count;
    change->u.accept.wait_for_credit = draw_percent(world, 60);
    (void)snprintf(change->u.accept.actor, sizeof change->u.accept.actor, "client");
    for (uint32_t i = 0; i < count; i++)
        fill_message(world, &change->u.accept.messages[i], now_ms);
    change->waiter = box;
    gateway_submit(box->gateway, change, now_of(box));
}

/* -- turns ------------------------------------------------------------------------------------------------------------------------- */

static void part_done(struct box *box, uint32_t slot)
{
    int64_t id = box->slots[slot].attempt_id;
    struct attempt *attempt = attempt_of(box, id);
    uint32_t drawn = draw_between(box->world, 0, 99);
    enum gateway_result result = drawn < 88 ? GATEWAY_SENT : drawn < 94 ? GATEWAY_REFUSED : drawn < 97 ? GATEWAY_NOT_SENT : GATEWAY_UNKNOWN;

    box->slots[slot].busy = false;
    attempt->refused = result == GATEWAY_REFUSED || result == GATEWAY_NOT_SENT;
    attempt->unknown = result == GATEWAY_UNKNOWN;
    gateway_part_result(box->gateway, slot, id, result, result == GATEWAY_SENT ? (int)(id & 255) : -1, result == GATEWAY_REFUSED ? 1 : 0,
                        result == GATEWAY_REFUSED ? 38 : -1, now_of(box));
    if (box->up)
        gateway_slot_ready(box->gateway, slot, true, now_of(box));   /* it may have been stopped over the result */
}

static void commit_begin(struct box *box)
{
    struct store_change *list;

    if (box->committing != NULL || (list = gateway_take_changes(box->gateway)) == NULL)
        return;
    box->committing = list;
    box->commit_error = store_apply(box->store, list);
    box->commit_done_us = box->world->now_us + draw_between(box->world, 1, 30) * 1000u;
    if (disk_stopped(box->disk))
        disk_ended(box);
}

static void commit_end(struct box *box)
{
    struct store_change *list = box->committing;

    box->committing = NULL;
    box->commit_done_us = NEVER;
    if (box->commit_error == 0)
        note_changes(box, list, false);
    gateway_changes_done(box->gateway, list, box->commit_error, 1000, now_of(box));
}

static void step_end(struct box *box)
{
    struct store_change *change = box->step_done;

    box->step_done = NULL;
    if (change->u.credit->step == CREDIT_ENROL && change->result == 0)
        box->card.has_pending = false;
    sync_step_done(box->sync, change->u.credit, change->result, box_now(box));
    change_free(change);
}

static void keep_identity(struct box *box)
{
    box->identity_us = NEVER;
    memcpy(box->card.key, box->card.pending_key, sizeof box->card.key);
    memcpy(box->card.box_id, box->enrolled.box_id, sizeof box->card.box_id);
    box->card.enrolled = true;
    sync_identity_kept(box->sync, 0, box_now(box));
}

void box_answer(struct box *box, const struct packet *packet)
{
    box->request.asked = false;
    if (packet == NULL)
        sync_answered(box->sync, -ETIMEDOUT, "no answer in 30 seconds", 0, NULL, 0, box_now(box));
    else
        sync_answered(box->sync, packet->error, packet->error < 0 ? "no route" : "", packet->status, packet->body, packet->length, box_now(box));
}

void box_turn(struct box *box)
{
    uint64_t now_us = box->world->now_us;

    if (!box->exists)
        return;
    if (!box->up) {
        if (now_us < box->start_us)
            return;
        if (!box_start(box)) {
            if (disk_stopped(box->disk))
                disk_ended(box);
            else
                box->start_us = NEVER;
            return;
        }
    }
    if (now_us >= box->commit_done_us)
        commit_end(box);
    if (box->step_done != NULL)
        step_end(box);
    if (now_us >= box->identity_us)
        keep_identity(box);
    for (uint32_t slot = 0; slot < BOX_SLOTS; slot++)
        if (box->slots[slot].busy && now_us >= box->slots[slot].done_us)
            part_done(box, slot);
    if (box->request.asked && now_us >= box->request.timeout_us)
        box_answer(box, NULL);
    if (now_us >= box->client_us) {
        box->client_us = now_us + draw_wait_us(box->world, box->busy_mean_us);
        if (!box->world->settling)
            submit(box);
    }
    if (box->needed_micro > 0) {
        sync_wake(box->sync, box->needed_micro, box_now(box));
        box->needed_micro = 0;
    }
    if (gateway_deadline_us(box->gateway) <= box_now(box).mono_us)
        gateway_poll(box->gateway, now_of(box));
    if (sync_deadline_us(box->sync) <= box_now(box).mono_us)
        sync_poll(box->sync, box_now(box));
    if (box->up)
        commit_begin(box);
}

static void earlier(uint64_t *due_us, uint64_t at_us)
{
    if (at_us < *due_us)
        *due_us = at_us;
}

static uint64_t of_mono(const struct box *box, uint64_t mono_us)
{
    return mono_us == UINT64_MAX ? NEVER : mono_us < MONO_START_US ? box->boot_us : mono_us - MONO_START_US + box->boot_us;
}

uint64_t box_due_us(const struct box *box)
{
    uint64_t due_us = NEVER;

    if (!box->exists)
        return NEVER;
    if (!box->up)
        return box->start_us;
    if (box->step_done != NULL || box->needed_micro > 0)
        return box->world->now_us;
    earlier(&due_us, box->commit_done_us);
    earlier(&due_us, box->identity_us);
    earlier(&due_us, box->client_us);
    if (box->request.asked)
        earlier(&due_us, box->request.timeout_us);
    for (uint32_t slot = 0; slot < BOX_SLOTS; slot++)
        if (box->slots[slot].busy)
            earlier(&due_us, box->slots[slot].done_us);
    if (box->committing == NULL) {
        earlier(&due_us, of_mono(box, gateway_deadline_us(box->gateway)));
        earlier(&due_us, of_mono(box, sync_deadline_us(box->sync)));
    }
    return due_us;
}
