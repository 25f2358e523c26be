/* SPDX-License-Identifier: Apache-2.0
 *
 * sync.c - what is due: steps of the ledger first, then requests, one at a time. */
#include "src/sync/sync_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USAGE_BATCH 1024u                    /* so many entries are told at once */
#define RENEW_MS INT64_C(86400000)           /* before its time is over a lease gets a successor: a quarter of it, at most so long */
#define FRESH_US 60000000u                   /* for so long the account's time is told with steps: a machine may sleep */

static const char *const state_names[SYNC_STATES] = {
    [SYNC_NOT_ENROLLED] = "not_enrolled", [SYNC_ENROLLING] = "enrolling", [SYNC_CONNECTING] = "connecting",
    [SYNC_ONLINE] = "online",             [SYNC_OFFLINE] = "offline",     [SYNC_REFUSED] = "refused",
};

static const char altered_journal[] = "the journal of this box is not what it wrote: its disk is damaged, or somebody changed it. What is paid goes "
                                      "out; nothing is told and no credits come until a person settles it: \"cellpost-central box reincarnate\"";

const char *sync_state_name(enum sync_state state)
{
    assert(state < SYNC_STATES);
    return state_names[state];
}

struct sync *sync_new(const struct sync_config *config)
{
    struct sync *sync = calloc(1, sizeof *sync);

    if (!sync)
        return NULL;
    sync->config = *config;
    if (sync->config.interval_ms == 0)
        sync->config.interval_ms = SYNC_INTERVAL_MS;
    if (sync->config.usage_ms == 0)
        sync->config.usage_ms = SYNC_USAGE_MS;
    sync->status.why = "";
    return sync;
}

void sync_free(struct sync *sync)
{
    if (!sync)
        return;
    free(sync->commands_due.list);
    free(sync);
}

struct sync_status sync_status_now(const struct sync *sync)
{
    struct sync_status status = sync->status;

    status.next_us = sync_deadline_us(sync);
    return status;
}

/* -- how it stands ------------------------------------------------------------------------------------------------ */

static uint64_t after_ms(struct sync_now now, uint64_t ms)
{
    return now.mono_us + ms * 1000;
}

/* Between a half of it and all of it, so that boxes that lost their account together do not come back together. */
static uint64_t jitter(struct sync *sync, uint64_t ms)
{
    uint8_t octets[4] = { 0 };
    uint32_t drawn;

    if (sync->config.random(sync->config.random_context, octets, sizeof octets) < 0)
        return ms;
    drawn = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
    return ms / 2 + drawn % (ms / 2 + 1);
}

static void set_status(struct sync *sync, enum sync_state state, const char *why, const char *detail, enum wire_code code)
{
    struct sync_status *status = &sync->status;
    bool same = status->state == state && strcmp(status->why, why) == 0 && strcmp(status->detail, detail) == 0;

    status->state = state;
    status->why = why;
    status->code = code;
    if (detail != status->detail)
        (void)snprintf(status->detail, sizeof status->detail, "%s", detail);
    if (!same)
        sync->config.ops->status(sync->config.context);
}

void sync_failed(struct sync *sync, enum sync_state state, const char *why, const char *detail, enum wire_code code, struct sync_now now)
{
    uint64_t ms = SYNC_RETRY_MS_MIN;

    for (unsigned i = 0; i < sync->failures && ms < SYNC_RETRY_MS_MAX; i++)
        ms *= 2;
    if (ms > SYNC_RETRY_MS_MAX)
        ms = SYNC_RETRY_MS_MAX;
    sync->failures++;
    sync->retry_us = after_ms(now, jitter(sync, ms));
    set_status(sync, state, why, detail, code);
}

/* The time it told counts, and it is reachable. */
void sync_heard(struct sync *sync, int64_t time_ms, struct sync_now now)
{
    uint64_t ms = sync->config.interval_ms;

    sync->account_ms = time_ms;
    sync->account_us = now.mono_us;
    sync->status.heard_ms = now.wall_ms;
    sync->status.clock_off_ms = now.wall_ms - time_ms;
    sync->contact_us = after_ms(now, ms - ms / 8 + jitter(sync, ms / 8));
}

void sync_well(struct sync *sync)
{
    sync->failures = 0;
    sync->retry_us = 0;
    set_status(sync, SYNC_ONLINE, "", "", WIRE_OK);
}

/* -- actions ------------------------------------------------------------------------------------------------------ */

void sync_step(struct sync *sync, struct change_credit *step, struct sync_now now)
{
    sync->busy = SYNC_STEP;
    if (sync->account_ms > 0 && now.mono_us - sync->account_us < FRESH_US)
        step->account_ms = sync->account_ms + (int64_t)((now.mono_us - sync->account_us) / 1000);
    sync->config.ops->step(sync->config.context, step);
}

static void simple_step(struct sync *sync, enum credit_step what, struct sync_now now)
{
    struct change_credit step = { .step = what };

    sync_step(sync, &step, now);
}

void sync_ask(struct sync *sync, const struct wire_request *request, struct sync_now now)
{
    struct wire_message message;
    int r = wire_request_encode(request, &message);

    if (r < 0) {
        sync_failed(sync, SYNC_OFFLINE, "there is no memory left to ask the account", "", WIRE_OK, now);
        return;
    }
    sync->busy = SYNC_ASKED;
    sync->call = request->call;
    sync->config.ops->request(sync->config.context, request->call, &message);
}

/* What the account has of the journal, as far as is known. */
const struct journal_head *sync_acked(const struct sync *sync)
{
    return sync->has_acked ? &sync->acked : &sync->summary.box.acked;
}

/* -- usage -------------------------------------------------------------------------------------------------------- */

static void mark_closing(struct sync *sync)
{
    const struct ledger_lease *old = &sync->summary.old;

    if (old->lease_id == 0 || old->state != LEDGER_CLOSING) {
        sync->closing_lease_id = 0;
    } else if (sync->closing_lease_id != old->lease_id) {
        sync->closing_lease_id = old->lease_id;
        sync->closing_seq = sync->summary.box.head.seq;
    }
}

static bool usage_is_due(const struct sync *sync, struct sync_now now)
{
    uint64_t acked = sync_acked(sync)->seq, head = sync->summary.box.head.seq;

    if (now.mono_us >= sync->contact_us)
        return true;
    if (head <= acked)
        return false;
    return head - acked >= USAGE_BATCH || now.mono_us >= sync->usage_us || (sync->closing_lease_id != 0 && acked < sync->closing_seq);
}

static void ask_usage(struct sync *sync, const struct journal_head *before, struct journal_entry *entries, size_t count, struct sync_now now)
{
    struct wire_request request = { .call = WIRE_USAGE, .epoch = sync->summary.identity.epoch };

    request.usage.from_seq = before->seq + 1;
    memcpy(request.usage.prev_hash, before->hash, SHA256_OCTETS);
    request.usage.entries = entries;
    request.usage.count = count;
    request.usage.head = sync->summary.box.head;
    request.usage.command = sync->summary.command;
    sync->told_from = before->seq + 1;
    sync_ask(sync, &request, now);
}

void sync_tell_usage(struct sync *sync, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_JOURNAL, .from_seq = sync_acked(sync)->seq + 1, .limit = CREDIT_JOURNAL_MAX };

    if (sync->summary.box.head.seq < step.from_seq)
        ask_usage(sync, sync_acked(sync), NULL, 0, now);
    else
        sync_step(sync, &step, now);
}

/* -- leases ------------------------------------------------------------------------------------------------------- */

static int64_t account_now(const struct sync *sync, struct sync_now now)
{
    return sync->account_ms + (int64_t)((now.mono_us - sync->account_us) / 1000);
}

static bool clock_is_ahead(const struct sync *sync, struct sync_now now)
{
    return sync->account_ms > 0 && now.wall_ms - account_now(sync, now) > SYNC_CLOCK_OFF_MS;
}

static bool ends_soon(const struct sync *sync, struct sync_now now)
{
    int64_t until = sync->summary.open.spend_until_ms, quarter = (until - sync->summary.open_issued_ms) / 4;

    return until - ledger_now(&sync->summary.box, now.wall_ms) < (quarter < RENEW_MS ? quarter : RENEW_MS);
}

static bool more_is_wanted(const struct sync *sync)
{
    const struct credit_summary *summary = &sync->summary;

    return summary->waiting > 0 || sync->needed_micro > summary->open.balance_micro[LEDGER_AVAILABLE];
}

/* What is reserved moves to the successor, which is to have as much beside it. Where messages wait although there is a lease, it
 * was too small for one of their batches. */
static int64_t want_micro(const struct sync *sync)
{
    const struct credit_summary *summary = &sync->summary;
    int64_t want = sync->config.want_micro, reserved = summary->open.balance_micro[LEDGER_RESERVED];

    if (sync->needed_micro > want)
        want = sync->needed_micro;
    want = reserved < LEASE_GRANT_MICRO_MAX / 2 ? want + 2 * reserved : LEASE_GRANT_MICRO_MAX;
    if (summary->waiting > 0 && summary->open_grant_micro >= want)
        want = summary->open_grant_micro * 2;
    return want < 1 ? 1 : want > LEASE_GRANT_MICRO_MAX ? LEASE_GRANT_MICRO_MAX : want;
}

/* A successor brings what was spent of the lease before it, and more only where more is asked for and the account gave all that
 * was asked the last time. Without this a box whose queue holds half of its credits asks again and again for the same. */
static bool refill_helps(const struct sync *sync)
{
    const struct ledger_lease *open = &sync->summary.open;
    int64_t spent = sync->summary.open_grant_micro - open->balance_micro[LEDGER_AVAILABLE] - open->balance_micro[LEDGER_RESERVED];

    return spent >= sync->summary.open_grant_micro / 4 || (!sync->capped && want_micro(sync) > sync->asked_micro);
}

static bool lease_is_due(const struct sync *sync, struct sync_now now)
{
    const struct credit_summary *summary = &sync->summary;
    const struct ledger_lease *open = &summary->open;

    /* Its time first: a lease that ends before it begins would be one more to close. */
    if (sync->account_ms == 0 || clock_is_ahead(sync, now) || summary->box.frozen || now.mono_us < sync->lease_us)
        return false;
    /* One that is over and still holds what waits is emptied into the next one, not before it. */
    if (summary->old.lease_id != 0 && !(open->lease_id == 0 && summary->old.state == LEDGER_EXPIRED))
        return false;
    if (open->lease_id == 0 || open->state != LEDGER_OPEN || ends_soon(sync, now))
        return true;
    if ((open->balance_micro[LEDGER_AVAILABLE] <= summary->open_grant_micro / 2 && refill_helps(sync)) || more_is_wanted(sync))
        return true;
    return summary->price_count > 0 && summary->prices[0].version > open->price_version;
}

/* One that is not the last is over: the last was closed before it (ledger_swap()). */
static uint64_t named_lease(const struct credit_summary *summary)
{
    return summary->open.lease_id == summary->box.last_lease_id ? summary->open.lease_id : 0;
}

static void begin_request(struct sync *sync, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_REQUEST, .request = { .pending = true, .want_micro = want_micro(sync), .head = *sync_acked(sync),
                                                                       .open_lease_id = named_lease(&sync->summary) } };

    if (sync->config.random(sync->config.random_context, step.request.id, sizeof step.request.id) < 0) {
        sync->lease_us = after_ms(now, SYNC_RETRY_MS_MAX);
        return;
    }
    sync_step(sync, &step, now);
}

static void ask_lease(struct sync *sync, struct sync_now now)
{
    const struct credit_request *asked = &sync->summary.request;
    struct wire_request request = { .call = WIRE_LEASES, .epoch = sync->summary.identity.epoch };

    sync->asked_micro = asked->want_micro;
    memcpy(request.lease.request_id, asked->id, sizeof request.lease.request_id);
    request.lease.want_micro = asked->want_micro;
    request.lease.head = asked->head;
    request.lease.open_lease_id = asked->open_lease_id;
    request.lease.last_lease_id = sync->summary.box.last_lease_id;   /* stays while the request is under way */
    sync_ask(sync, &request, now);
}

static bool is_empty(const struct ledger_lease *lease)
{
    return (lease->state == LEDGER_DRAINING || lease->state == LEDGER_EXPIRED) && lease->balance_micro[LEDGER_RESERVED] == 0;
}

/* The one before the open one; or, of two that are both over, that in which nothing is on the air any more. 0: none. */
static uint64_t lease_to_close(const struct credit_summary *summary)
{
    const struct ledger_lease *open = &summary->open, *old = &summary->old;

    if (old->lease_id == 0)
        return 0;
    if (is_empty(old))
        return old->lease_id;
    return old->state == LEDGER_EXPIRED && open->lease_id != 0 && open->state == LEDGER_EXPIRED && is_empty(open) ? open->lease_id : 0;
}

static bool begin_closing(struct sync *sync, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_CLOSE, .lease_id = lease_to_close(&sync->summary) };

    if (step.lease_id == 0 || now.mono_us < sync->close_us)
        return false;
    sync->close_us = after_ms(now, SYNC_LOOK_MS);
    sync_step(sync, &step, now);
    return true;
}

static bool close_is_due(const struct sync *sync)
{
    return sync->closing_lease_id != 0 && sync_acked(sync)->seq >= sync->closing_seq;
}

static void tell_close(struct sync *sync, struct sync_now now)
{
    struct wire_request request = { .call = WIRE_CLOSE, .epoch = sync->summary.identity.epoch };

    request.close.lease_id = sync->closing_lease_id;
    request.close.head = *sync_acked(sync);
    request.close.captured_micro = sync->summary.old.balance_micro[LEDGER_CAPTURED];
    request.close.rest_micro = sync->summary.old.balance_micro[LEDGER_RETURNED];
    sync_ask(sync, &request, now);
}

/* -- what is due -------------------------------------------------------------------------------------------------- */

static void ask_prices(struct sync *sync, struct sync_now now)
{
    struct wire_request request = { .call = WIRE_PRICES };

    request.prices.version = sync->want_prices;
    sync_ask(sync, &request, now);
}

static void ask_commands(struct sync *sync, struct sync_now now)
{
    struct wire_request request = { .call = WIRE_COMMANDS, .epoch = sync->summary.identity.epoch };

    request.commands.after = sync->summary.command;
    sync_ask(sync, &request, now);
}

static void ask_enroll(struct sync *sync, struct sync_now now)
{
    struct wire_request request = { .call = WIRE_ENROLL, .enroll = sync->enroll };

    sync_ask(sync, &request, now);
}

static void do_request(struct sync *sync, struct sync_now now)
{
    if (now.mono_us < sync->retry_us)
        return;
    if (sync->want_prices != 0)
        ask_prices(sync, now);
    else if (sync_papers_turn(sync, now))
        return;
    else if (sync->summary.request.pending && now.mono_us >= sync->lease_us)
        ask_lease(sync, now);
    else if (sync->commands_due.list != NULL && sync_next_command(sync, now))
        return;
    else if (usage_is_due(sync, now))
        sync_tell_usage(sync, now);
    else if (sync->commands > sync->summary.command)
        ask_commands(sync, now);
    else if (close_is_due(sync))
        tell_close(sync, now);
    else if (!sync->summary.request.pending && lease_is_due(sync, now))
        begin_request(sync, now);
}

void sync_poll(struct sync *sync, struct sync_now now)
{
    if (sync->busy != SYNC_IDLE)
        return;
    if (sync->enrolling) {
        if (now.mono_us >= sync->retry_us)
            ask_enroll(sync, now);
        return;
    }
    if (!sync->loaded || (sync->summary.enrolled && now.mono_us >= sync->look_us)) {
        simple_step(sync, CREDIT_LOAD, now);
        return;
    }
    if (!sync->summary.enrolled || sync->summary.box.fenced)
        return;
    mark_closing(sync);
    if (!begin_closing(sync, now))
        do_request(sync, now);
}

/* What begins by itself: the rest comes with the next look at the books. */
uint64_t sync_deadline_us(const struct sync *sync)
{
    if (sync->busy != SYNC_IDLE)
        return UINT64_MAX;
    if (sync->enrolling)
        return sync->retry_us;
    if (!sync->loaded)
        return 0;
    return sync->summary.enrolled ? sync->look_us : UINT64_MAX;
}

/* -- steps that are done -------------------------------------------------------------------------------------------- */

static void opened(struct sync *sync, const struct change_credit *step, struct sync_now now)
{
    bool waited = more_is_wanted(sync);

    if (step->verdict == LEDGER_OTHER_PRICES) {
        sync->want_prices = step->lease.price_version;
        return;
    }
    if (step->verdict != LEDGER_DONE && step->verdict != LEDGER_ALREADY) {
        struct change_credit over = { .step = CREDIT_REQUEST };

        sync->lease_us = after_ms(now, SYNC_REFUSED_MS);
        sync_step(sync, &over, now);
        return;
    }
    sync->needed_micro = 0;
    sync->capped = step->lease.grant_micro < sync->asked_micro;
    /* What waits and still does not fit is not helped by asking again at once; and hardly at all where the account has more, but
     * gives this box no more at a time. */
    sync->lease_us = after_ms(now, !waited ? 0 : sync->capped && sync->status.available_micro > 0 ? SYNC_CAPPED_MS : SYNC_REFUSED_MS);
}

static void read_journal(struct sync *sync, const struct change_credit *step, struct sync_now now)
{
    size_t count = sync_papers_tellable(sync, step->entries, step->entry_count);

    if (count > 0 || step->entry_count == 0 || now.mono_us >= sync->contact_us)   /* none: asks what the account has */
        ask_usage(sync, &step->before, step->entries, count, now);
}

static void acked(struct sync *sync, const struct change_credit *step, struct sync_now now)
{
    const struct ledger_box *box = &step->summary.box;

    if (step->ack == JOURNAL_ACK_FORK)
        return;                              /* it is fenced now, and the next look says so */
    sync->usage_us = sync_acked(sync)->seq + USAGE_BATCH <= box->head.seq ? 0 : after_ms(now, sync->config.usage_ms);
}

static void take_summary(struct sync *sync, const struct credit_summary *summary)
{
    bool fenced = sync->summary.box.fenced;

    if (sync->summary.identity.epoch != summary->identity.epoch) {
        sync->has_acked = false;
        sync->papers = (struct sync_papers){ .wanted = false };
    }
    sync->summary = *summary;
    if (!summary->enrolled)
        set_status(sync, SYNC_NOT_ENROLLED, "", "", WIRE_OK);
    else if (summary->box.fenced && (!fenced || sync->status.state != SYNC_REFUSED))
        set_status(sync, SYNC_REFUSED, wire_code_words(WIRE_FENCED), "", WIRE_FENCED);
    else if (sync->status.state == SYNC_NOT_ENROLLED)
        set_status(sync, SYNC_CONNECTING, "", "", WIRE_OK);
}

/* After it is committed, so once: the next look passes over what was obeyed. */
static void tell_refund(struct sync *sync, const struct change_credit *step)
{
    const struct command *command = sync->commands_due.next < sync->commands_due.count ? &sync->commands_due.list[sync->commands_due.next] : NULL;

    if (command && command->number == step->command && command->kind == COMMAND_REFUND && sync->config.ops->refund)
        sync->config.ops->refund(sync->config.context, command);
}

static void step_succeeded(struct sync *sync, const struct change_credit *step, struct sync_now now)
{
    switch (step->step) {
    case CREDIT_LOAD:
        if (!sync->loaded)
            sync->contact_us = 0;
        sync->loaded = true;
        break;
    case CREDIT_ENROL:
        sync->enrolling = false;
        sync->loaded = true;
        sync->commands = 0;
        sync->contact_us = sync->lease_us = 0;
        set_status(sync, SYNC_CONNECTING, "", "", WIRE_OK);
        break;
    case CREDIT_JOURNAL: read_journal(sync, step, now); break;
    case CREDIT_OPEN: opened(sync, step, now); break;
    case CREDIT_ACK: acked(sync, step, now); break;
    case CREDIT_PRICES: sync->want_prices = 0; break;
    case CREDIT_PAPERS: sync_papers_read(sync, step, now); break;
    case CREDIT_COMMAND: tell_refund(sync, step); break;
    default: break;
    }
}

void sync_step_done(struct sync *sync, const struct change_credit *step, int result, struct sync_now now)
{
    assert(sync->busy == SYNC_STEP);
    sync->busy = SYNC_IDLE;
    sync->look_us = after_ms(now, SYNC_LOOK_MS);
    if (result == 0) {
        take_summary(sync, &step->summary);
        step_succeeded(sync, step, now);
    } else if (step->step == CREDIT_PRICES && (result == -EBADMSG || result == -EINVAL)) {
        sync_failed(sync, SYNC_REFUSED, "the account's price table is not what it promised, or cannot be read", step->problem, WIRE_OK, now);
    } else if (step->step == CREDIT_JOURNAL && result == -EBADMSG) {
        sync_failed(sync, SYNC_REFUSED, altered_journal, step->problem, WIRE_OK, now);
    } else {
        sync_failed(sync, SYNC_OFFLINE, "the database of this box cannot be written", "", WIRE_OK, now);
    }
    sync_poll(sync, now);
}

/* -- from a person -------------------------------------------------------------------------------------------------- */

int sync_enroll(struct sync *sync, const struct wire_enroll *ask, struct sync_now now)
{
    struct wire_request request = { .call = WIRE_ENROLL, .enroll = *ask };
    struct wire_message message;
    int r;

    if (sync->enrolling)
        return -EBUSY;
    r = wire_request_encode(&request, &message);
    if (r < 0)
        return r;
    free(message.body);
    sync->enroll = *ask;
    sync->enrolling = true;
    sync->failures = 0;
    sync->retry_us = 0;
    set_status(sync, SYNC_ENROLLING, "", "", WIRE_OK);
    sync_poll(sync, now);
    return 0;
}

void sync_enroll_cancel(struct sync *sync, struct sync_now now)
{
    if (!sync->enrolling || sync->busy == SYNC_KEEPING)
        return;
    sync->enrolling = false;
    sync->retry_us = 0;
    set_status(sync, sync->summary.enrolled ? SYNC_CONNECTING : SYNC_NOT_ENROLLED, "", "", WIRE_OK);
    sync_poll(sync, now);
}

void sync_identity_kept(struct sync *sync, int result, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_ENROL };

    assert(sync->busy == SYNC_KEEPING);
    sync->busy = SYNC_IDLE;
    if (result < 0) {
        sync_failed(sync, SYNC_ENROLLING, "what the account gave to this box cannot be kept on its disk", "", WIRE_OK, now);
        return;
    }
    memcpy(step.identity.box_id, sync->enrolled.box_id, sizeof step.identity.box_id);
    step.identity.epoch = sync->enrolled.epoch;
    memcpy(step.identity.account_key, sync->enrolled.account_key, sizeof step.identity.account_key);
    (void)snprintf(step.identity.account, sizeof step.identity.account, "%.*s", CREDIT_ACCOUNT_MAX - 1, sync->enrolled.account);
    sync_step(sync, &step, now);
}

void sync_wake(struct sync *sync, int64_t needed_micro, struct sync_now now)
{
    if (needed_micro > sync->needed_micro)
        sync->needed_micro = needed_micro;
    sync->look_us = 0;
    if (sync->lease_us > sync->lease_floor_us)
        sync->lease_us = sync->lease_floor_us;
    sync_poll(sync, now);
}
