/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_credit.c - what the ledger means for the queue: what may not be spent waits, leases end by the clock, what waits moves to the
 * lease that is open, and what waited for credits goes on when they come.
 *
 * The store decides about every part (CHANGE_INTENT). What is here keeps the queue from asking in vain, and does the ledger's steps
 * that nobody asks for. Without an account there is nothing to do. */
#include "src/gateway/gateway_internal.h"

#define LOOK_US 10000000u                /* how often what could not be done before is tried again */

static bool spends(const struct ledger_lease *lease)
{
    return lease->lease_id != 0 && (lease->state == LEDGER_OPEN || lease->state == LEDGER_DRAINING);
}

/* Why nothing is sent at all. A box that never had a lease has nothing but what came in before it had an account. */
static enum ledger_verdict stop_of(const struct credit_summary *summary)
{
    if (!summary->enrolled)
        return LEDGER_DONE;
    if (summary->box.fenced)
        return LEDGER_LEASE_FENCED;
    if (summary->box.frozen)
        return LEDGER_FROZEN;
    if (spends(&summary->open) || spends(&summary->old) || summary->box.last_lease_id == 0)
        return LEDGER_DONE;
    return summary->open.lease_id != 0 ? LEDGER_LEASE_EXPIRED : LEDGER_NO_LEASE;
}

static void tell_stop(struct gateway *gateway, enum ledger_verdict stop, bool raised, struct gateway_now now)
{
    struct live_event event = { .kind = LIVE_ALARM, .at_ms = now.wall_ms, .reason = ledger_verdict_words(stop), .raised = raised,
                                .mr = -1, .code = -1, .status = -1 };

    gateway->config.ops->event(gateway->config.context, &event);
}

static void set_stop(struct gateway *gateway, enum ledger_verdict stop, struct gateway_now now)
{
    enum ledger_verdict before = gateway->credit.stop;

    if (stop == before)
        return;
    gateway->credit.stop = stop;
    if (before != LEDGER_DONE)
        tell_stop(gateway, before, false, now);
    if (stop != LEDGER_DONE) {
        tell_stop(gateway, stop, true, now);
        for (uint32_t i = 0; i < gateway->slot_count; i++)
            if (gateway->slots[i] != NULL)
                gateway_take_back(gateway, gateway->slots[i], i, now);
    } else {
        gateway->credit.set_aside = true;    /* and so everything is looked at anew */
        gateway->credit.move_at_us = 0;
    }
}

/* -- what a step brought ----------------------------------------------------------------------------------------------- */

static void leave_queue(struct gateway *gateway, const struct change_credit *credit, struct gateway_now now)
{
    for (uint32_t i = 0; i < credit->id_count; i++) {
        (void)queue_remove(&gateway->queue, credit->ids[i]);
        gateway_bound_remove(gateway, credit->ids[i]);
        gateway_event_message(gateway, credit->ids[i], MESSAGE_WAIT_CREDIT, "the time of the credits reserved for it is over", now);
    }
}

static void come_back(struct gateway *gateway, const struct change_credit *credit, struct gateway_now now)
{
    for (uint32_t i = 0; i < credit->id_count; i++)
        gateway_event_message(gateway, credit->ids[i], MESSAGE_QUEUED, "credits came", now);
    for (uint32_t i = 0; i < credit->refused_count; i++)
        gateway_event_message(gateway, credit->refused[i], MESSAGE_REJECTED, "the account has no price for this number, or refuses it", now);
    if (credit->id_count > 0) {
        gateway->credit.set_aside = true;
        gateway_due_at(gateway, 0);          /* some may be scheduled */
    }
}

static bool must_move(const struct credit_summary *summary)
{
    return summary->stranded_micro > 0 || (summary->old.lease_id != 0 && summary->old.state == LEDGER_EXPIRED &&
                                           summary->old.balance_micro[LEDGER_RESERVED] > 0);
}

static void start_over(struct gateway *gateway)
{
    queue_start_over(&gateway->queue);
    gateway->credit.set_aside = false;
    gateway_wake(gateway);
}

void gateway_credit_done(struct gateway *gateway, struct store_change *change, struct gateway_now now)
{
    const struct change_credit *in = change->u.credit;
    struct gateway_credit *credit = &gateway->credit;
    bool ours = in->step == CREDIT_LOAD || in->step == CREDIT_EXPIRE || in->step == CREDIT_MOVE || in->step == CREDIT_RESUME;
    uint64_t open_before = credit->summary.open.lease_id;

    credit->asked = credit->asked && !(ours && change->waiter == NULL);
    if (change->result != 0) {
        credit->look_us = now.mono_us + LOOK_US;
        return;
    }
    if (in->step == CREDIT_MOVE)
        leave_queue(gateway, in, now);
    if (in->step == CREDIT_RESUME)
        come_back(gateway, in, now);
    credit->summary = in->summary;
    if (in->step == CREDIT_MOVE)
        credit->move_at_us = in->more ? 0 : now.mono_us + LOOK_US;
    if (in->step == CREDIT_RESUME)
        credit->resume_at_us = in->more ? 0 : now.mono_us + LOOK_US;
    if (credit->summary.open.lease_id != open_before)
        credit->move_at_us = credit->resume_at_us = 0;
    set_stop(gateway, stop_of(&credit->summary), now);
    /* What is reserved in a lease that is over would be refused again, so it moves first. */
    if (credit->stop == LEDGER_DONE && credit->set_aside && (!must_move(&credit->summary) || (in->step == CREDIT_MOVE && !in->more)))
        start_over(gateway);
    credit->look_us = 0;
    gateway_wake(gateway);
}

/* The store said no to an intent: the message stays there, and comes back when something has changed. */
void gateway_credit_refused(struct gateway *gateway)
{
    gateway->credit.refused = gateway->credit.set_aside = true;
    gateway->credit.look_us = 0;
    gateway_wake(gateway);
}

bool gateway_credit_may_go(const struct gateway *gateway, const struct gateway_part *part, struct gateway_now now)
{
    return gateway->credit.stop == LEDGER_DONE &&
           (part->spend_until_ms == 0 || ledger_now(&gateway->credit.summary.box, now.wall_ms) < part->spend_until_ms);
}

/* -- steps that nobody asks for ---------------------------------------------------------------------------------------- */

static bool ends(const struct gateway *gateway, const struct ledger_lease *lease, struct gateway_now now)
{
    return spends(lease) && ledger_now(&gateway->credit.summary.box, now.wall_ms) >= lease->spend_until_ms;
}

static bool wants_move(const struct gateway *gateway)
{
    const struct credit_summary *summary = &gateway->credit.summary;
    bool held = summary->old.lease_id != 0 && summary->old.balance_micro[LEDGER_RESERVED] > 0;

    /* With two leases that are both over, what is reserved in the older one has to wait, so that it can be closed. */
    if (summary->open.lease_id != 0 && summary->open.state == LEDGER_EXPIRED && !summary->box.fenced && !summary->box.frozen)
        return held && summary->old.state == LEDGER_EXPIRED;
    return gateway->credit.stop == LEDGER_DONE && summary->open.state == LEDGER_OPEN && (summary->stranded_micro > 0 || held);
}

static bool wants_resume(const struct gateway *gateway)
{
    const struct credit_summary *summary = &gateway->credit.summary;

    return gateway->credit.stop == LEDGER_DONE && summary->open.state == LEDGER_OPEN && summary->waiting > 0;
}

static void ask_step(struct gateway *gateway, enum credit_step step, struct gateway_now now)
{
    struct store_change *change = gateway_new_change(gateway, CHANGE_CREDIT, now);

    if (change == NULL) {
        gateway->credit.look_us = now.mono_us + LOOK_US;
        return;
    }
    change->u.credit->step = step;
    change->u.credit->limit = CREDIT_MOVE_MAX;
    gateway->credit.asked = true;
    gateway_add_change(gateway, change);
}

void gateway_credit_look(struct gateway *gateway, struct gateway_now now)
{
    struct gateway_credit *credit = &gateway->credit;
    const struct credit_summary *summary = &credit->summary;

    if (credit->asked || gateway->stopping || now.mono_us < credit->look_us)
        return;
    if (credit->refused) {
        credit->refused = false;
        ask_step(gateway, CREDIT_LOAD, now);
    } else if (!summary->enrolled) {
        return;
    } else if (ends(gateway, &summary->open, now) || ends(gateway, &summary->old, now)) {
        ask_step(gateway, CREDIT_EXPIRE, now);
    } else if (wants_move(gateway) && now.mono_us >= credit->move_at_us) {
        ask_step(gateway, CREDIT_MOVE, now);
    } else if (wants_resume(gateway) && now.mono_us >= credit->resume_at_us) {
        ask_step(gateway, CREDIT_RESUME, now);
    }
}

static void earlier(uint64_t *deadline_us, uint64_t at_us)
{
    if (at_us < *deadline_us)
        *deadline_us = at_us;
}

static void earlier_wall(uint64_t *deadline_us, const struct ledger_lease *lease, struct gateway_now now)
{
    int64_t wait_ms = lease->spend_until_ms - now.wall_ms;

    if (spends(lease) && wait_ms < (int64_t)(GATEWAY_CLOCK_LOOK_US / 1000))
        earlier(deadline_us, wait_ms <= 0 ? now.mono_us : now.mono_us + (uint64_t)wait_ms * 1000);
}

uint64_t gateway_credit_deadline_us(const struct gateway *gateway, struct gateway_now now)
{
    const struct gateway_credit *credit = &gateway->credit;
    const struct credit_summary *summary = &credit->summary;
    uint64_t deadline_us = UINT64_MAX;

    if (credit->asked || gateway->stopping || (!summary->enrolled && !credit->refused))
        return UINT64_MAX;
    if (credit->refused)
        return credit->look_us > now.mono_us ? credit->look_us : now.mono_us;
    earlier_wall(&deadline_us, &summary->open, now);
    earlier_wall(&deadline_us, &summary->old, now);
    if (wants_move(gateway))
        earlier(&deadline_us, credit->move_at_us);
    if (wants_resume(gateway))
        earlier(&deadline_us, credit->resume_at_us);
    return deadline_us > credit->look_us ? deadline_us : credit->look_us;
}

void gateway_load_credits(struct gateway *gateway, struct gateway_now now)
{
    if (!gateway->credit.asked)
        ask_step(gateway, CREDIT_LOAD, now);
}

void gateway_account_link(struct gateway *gateway, bool online, const char *why)
{
    gateway->credit.online = online;
    gateway->credit.link_why = why;
}
