/* SPDX-License-Identifier: Apache-2.0
 *
 * sync_answer.c - what the account's answers mean for the box. */
#include "src/sync/sync_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_FLOOR_US 10000000u             /* between two questions for a lease that was refused */

static const char not_the_account[] = "what answers is not the account: a captive portal, or a proxy's own page";

/* -- refusals that every call may have ------------------------------------------------------------------------------ */

static void fence(struct sync *sync, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_FENCE };

    sync_step(sync, &step, now);
}

static void over(struct sync *sync, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_REQUEST };   /* none is pending */

    sync_step(sync, &step, now);
}

static void refused(struct sync *sync, const struct wire_problem *problem, struct sync_now now)
{
    sync_failed(sync, SYNC_REFUSED, wire_code_words(problem->code), problem->detail, problem->code, now);
}

/* -- enrolment ------------------------------------------------------------------------------------------------------ */

/* A ledger is that of one box, and its journals are numbered by epochs that go up. */
static const char *cannot_become(const struct sync *sync, const struct wire_enrolled *enrolled)
{
    const struct credit_summary *summary = &sync->summary;

    if (!summary->enrolled || (summary->box.last_lease_id == 0 && summary->box.head.seq == 0))
        return NULL;
    if (memcmp(summary->identity.box_id, enrolled->box_id, sizeof enrolled->box_id) != 0)
        return "the token is one for a new box, and the database of this machine is that of an old one. Ask its account for a token of "
               "\"cellpost-central box reincarnate\", or begin with an empty database";
    if (enrolled->epoch < summary->identity.epoch)
        return "the account is an older copy, in which this box was not yet enrolled so often: ask for another token of "
               "\"cellpost-central box reincarnate\"";
    return NULL;
}

static void take_enrolled(struct sync *sync, struct wire_answer *answer, struct sync_now now)
{
    const char *why = NULL;

    if (answer->problem.code != WIRE_OK) {
        sync->enrolling = false;
        refused(sync, &answer->problem, now);
        sync->failures = 0;
        sync->retry_us = 0;                  /* it was the token that was refused, and not what else the box may ask for */
        return;
    }
    why = cannot_become(sync, &answer->enrolled);
    if (why != NULL) {
        sync->enrolling = false;
        sync_failed(sync, SYNC_REFUSED, why, "", WIRE_OK, now);
        sync->failures = 0;
        return;
    }
    sync->enrolled = answer->enrolled;
    sync->busy = SYNC_KEEPING;
    sync->config.ops->identity(sync->config.context, &sync->enrolled);
}

/* -- leases --------------------------------------------------------------------------------------------------------- */

static void pause_leases(struct sync *sync, uint64_t pause_us, struct sync_now now)
{
    sync->lease_us = now.mono_us + pause_us;
    sync->lease_floor_us = now.mono_us + LEASE_FLOOR_US;
}

static void lease_refused(struct sync *sync, const struct wire_problem *problem, struct sync_now now)
{
    switch (problem->code) {
    case WIRE_NO_CREDIT:
        sync->status.has_available = problem->has_available;
        sync->status.available_micro = problem->available_micro;
        pause_leases(sync, SYNC_REFUSED_MS * UINT64_C(1000), now);
        break;
    case WIRE_HEAD_DIFFERS:                  /* an acknowledgement was lost: it comes again with the next usage */
        sync->contact_us = 0;
        pause_leases(sync, 0, now);
        break;
    case WIRE_FROZEN:
        sync->contact_us = 0;                /* its command tells how many there are */
        pause_leases(sync, SYNC_REFUSED_MS * UINT64_C(1000), now);
        break;
    case WIRE_UNKNOWN_LEASE:
    case WIRE_UNCLOSED:                      /* of one that is closed here? */
        pause_leases(sync, sync_papers_want(sync, now) && problem->code == WIRE_UNKNOWN_LEASE ? 0 : SYNC_REFUSED_MS * UINT64_C(1000), now);
        break;
    case WIRE_ID_REUSED:
        pause_leases(sync, SYNC_REFUSED_MS * UINT64_C(1000), now);
        break;
    default:
        pause_leases(sync, SYNC_REFUSED_MS * UINT64_C(1000), now);
        refused(sync, problem, now);
        return;
    }
    sync_well(sync);
    over(sync, now);
}

static void take_lease(struct sync *sync, const struct wire_answer *answer, struct sync_now now)
{
    const struct credit_summary *summary = &sync->summary;
    struct change_credit step = { .step = CREDIT_OPEN, .lease = answer->lease.lease };
    struct lease_holder holder = { .epoch = summary->identity.epoch, .last_lease_id = summary->box.last_lease_id, .prices = summary->prices,
                                   .price_count = summary->price_count, .now_ms = answer->time_ms };
    enum lease_verdict verdict;

    if (answer->problem.code != WIRE_OK) {
        lease_refused(sync, &answer->problem, now);
        return;
    }
    memcpy(holder.box_id, summary->identity.box_id, sizeof holder.box_id);
    memcpy(holder.hw_fingerprint, sync->config.hw_fingerprint, sizeof holder.hw_fingerprint);
    if (lease_judge(&step.lease, summary->identity.account_key, &holder, &verdict) < 0) {
        sync_failed(sync, SYNC_OFFLINE, "there is no memory left to check a lease", "", WIRE_OK, now);
        return;
    }
    sync->status.has_available = true;
    sync->status.available_micro = answer->lease.available_micro;
    switch (verdict) {
    case LEASE_GOOD:
    case LEASE_EXPIRED:                      /* it has to be opened to be closed */
        sync_well(sync);
        sync_step(sync, &step, now);
        break;
    case LEASE_UNKNOWN_PRICES:               /* and then the same is asked again, and has the same answer */
        sync_well(sync);
        sync->want_prices = step.lease.price_version;
        break;
    case LEASE_NOT_NEWER:
        sync_well(sync);
        pause_leases(sync, LEASE_FLOOR_US, now);
        over(sync, now);
        break;
    default:
        pause_leases(sync, SYNC_REFUSED_MS * UINT64_C(1000), now);
        sync_failed(sync, SYNC_REFUSED, lease_verdict_words(verdict), "", WIRE_OK, now);
    }
}

/* -- usage ---------------------------------------------------------------------------------------------------------- */

static void acknowledge(struct sync *sync, const struct journal_head *acked, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_ACK, .head = *acked };

    sync->papers.told = false;               /* it may be told from further back */
    sync->has_acked = true;
    sync->acked = *acked;
    sync_step(sync, &step, now);
}

static void take_usage(struct sync *sync, const struct wire_answer *answer, struct sync_now now)
{
    const struct wire_problem *problem = &answer->problem;

    if (problem->code == WIRE_OK) {
        sync->status.has_available = true;
        sync->status.available_micro = answer->usage.available_micro;
        sync->commands = answer->usage.commands;
        sync_well(sync);
        acknowledge(sync, &answer->usage.acked, now);
    } else if (problem->code == WIRE_GAP && problem->acked.seq + 1 != sync->told_from) {
        /* The account has less than it once said, as after a backup: it is told again from there. Or more: then the acknowledgement
         * shows that this journal is not the one it has. */
        sync_failed(sync, SYNC_ONLINE, "", "", WIRE_OK, now);
        acknowledge(sync, &problem->acked, now);
    } else if (problem->code == WIRE_FORK) {
        fence(sync, now);
    } else if (problem->code == WIRE_UNKNOWN_LEASE && sync_papers_want(sync, now)) {
        sync_well(sync);
    } else {
        refused(sync, problem, now);
    }
}

static void take_close(struct sync *sync, const struct wire_answer *answer, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_CLOSED, .lease_id = answer->closed.lease_id };

    if (sync_papers_closed(sync, answer)) {
        sync_well(sync);
    } else if (answer->problem.code == WIRE_OK) {
        sync_well(sync);
        sync_step(sync, &step, now);
    } else if (answer->problem.code == WIRE_HEAD_DIFFERS) {
        sync->contact_us = 0;
        sync_failed(sync, SYNC_ONLINE, "", "", WIRE_OK, now);
    } else if (answer->problem.code == WIRE_UNKNOWN_LEASE && sync_papers_want(sync, now)) {
        sync_well(sync);
    } else {
        refused(sync, &answer->problem, now);
    }
}

/* -- commands --------------------------------------------------------------------------------------------------------- */

static void drop_commands(struct sync *sync)
{
    free(sync->commands_due.list);
    sync->commands_due.list = NULL;
    sync->commands_due.count = sync->commands_due.next = 0;
}

static void take_commands(struct sync *sync, struct wire_answer *answer, struct sync_now now)
{
    if (answer->problem.code != WIRE_OK) {
        refused(sync, &answer->problem, now);
        return;
    }
    drop_commands(sync);
    if (answer->commands.count == 0) {       /* it told of one that is not there: it was set back */
        sync->commands = sync->summary.command;
        return;
    }
    sync->commands_due.list = answer->commands.commands;
    sync->commands_due.count = answer->commands.count;
    answer->commands.commands = NULL;
    answer->commands.count = 0;
    sync_well(sync);
}

static bool has_prices(const struct sync *sync, uint32_t version)
{
    for (uint32_t i = 0; i < sync->summary.price_count; i++)
        if (sync->summary.prices[i].version == version)
            return true;
    return false;
}

static void obey(struct sync *sync, const struct command *command, struct sync_now now)
{
    static const enum credit_step steps[COMMAND_KINDS] = {
        [COMMAND_REVOKE] = CREDIT_FENCE,   [COMMAND_FREEZE] = CREDIT_FREEZE,   [COMMAND_UNFREEZE] = CREDIT_UNFREEZE,
        [COMMAND_REFUND] = CREDIT_COMMAND, [COMMAND_PRICES] = CREDIT_COMMAND,  [COMMAND_KEY] = CREDIT_KEY,
    };
    struct change_credit step = { .step = steps[command->kind], .command = command->number, .identity = sync->summary.identity };

    if (command->kind == COMMAND_KEY)
        memcpy(step.identity.account_key, command->account_key, sizeof step.identity.account_key);
    if (command->kind == COMMAND_UNFREEZE)
        sync->lease_us = 0;
    sync_step(sync, &step, now);
}

bool sync_next_command(struct sync *sync, struct sync_now now)
{
    const struct credit_summary *summary = &sync->summary;
    const struct command *command;

    while (sync->commands_due.next < sync->commands_due.count && sync->commands_due.list[sync->commands_due.next].number <= summary->command)
        sync->commands_due.next++;
    if (sync->commands_due.next == sync->commands_due.count) {
        drop_commands(sync);
        return false;
    }
    command = &sync->commands_due.list[sync->commands_due.next];
    if (command->number != summary->command + 1 ||
        command_verify(command, summary->identity.box_id, summary->identity.epoch, summary->identity.account_key) < 0) {
        drop_commands(sync);
        sync_failed(sync, SYNC_REFUSED, "a command came that the account did not sign for this box", "", WIRE_OK, now);
        return true;
    }
    if (command->kind == COMMAND_PRICES && !has_prices(sync, command->price_version)) {
        sync->want_prices = command->price_version;
        return false;
    }
    obey(sync, command, now);
    return true;
}

/* -- prices ------------------------------------------------------------------------------------------------------------ */

static void take_prices(struct sync *sync, struct wire_answer *answer, struct sync_now now)
{
    struct change_credit step = { .step = CREDIT_PRICES, .version = answer->prices.version, .csv = answer->prices.csv };

    if (answer->problem.code != WIRE_OK) {
        sync->want_prices = 0;               /* asked for again by what needs it */
        pause_leases(sync, SYNC_REFUSED_MS * UINT64_C(1000), now);
        drop_commands(sync);
        refused(sync, &answer->problem, now);
        return;
    }
    memcpy(step.sha256, answer->prices.sha256, sizeof step.sha256);
    answer->prices.csv = NULL;               /* the store's from here on */
    sync_well(sync);
    sync_step(sync, &step, now);
}

/* -- all ---------------------------------------------------------------------------------------------------------------- */

static void take(struct sync *sync, struct wire_answer *answer, struct sync_now now)
{
    const struct wire_problem *problem = &answer->problem;

    sync_heard(sync, answer->time_ms, now);
    if (problem->code != WIRE_OK && !wire_problem_is_final(problem)) {
        sync_failed(sync, SYNC_OFFLINE, wire_code_words(problem->code), problem->detail, problem->code, now);
        return;
    }
    if (sync->call != WIRE_ENROLL && (problem->code == WIRE_FENCED || problem->code == WIRE_OLD_EPOCH)) {
        fence(sync, now);
        return;
    }
    switch (sync->call) {
    case WIRE_ENROLL: take_enrolled(sync, answer, now); break;
    case WIRE_LEASES: take_lease(sync, answer, now); break;
    case WIRE_USAGE: take_usage(sync, answer, now); break;
    case WIRE_CLOSE: take_close(sync, answer, now); break;
    case WIRE_PAPERS:
        if (problem->code == WIRE_FORK)
            fence(sync, now);
        else if (problem->code == WIRE_OK)
            sync_papers_told(sync, answer, now);
        else
            refused(sync, problem, now);
        break;
    case WIRE_COMMANDS: take_commands(sync, answer, now); break;
    default: take_prices(sync, answer, now); break;
    }
}

void sync_answered(struct sync *sync, int error, const char *detail, uint16_t status, const char *body, size_t length, struct sync_now now)
{
    enum sync_state offline = sync->enrolling ? SYNC_ENROLLING : SYNC_OFFLINE;
    struct wire_answer answer = { 0 };
    struct wire_error wrong;
    int r = 0;

    assert(sync->busy == SYNC_ASKED);
    sync->busy = SYNC_IDLE;
    if (error == 0)
        r = wire_answer_decode(sync->call, status, body, length, &answer, &wrong);
    if (error < 0)
        sync_failed(sync, offline, "the account cannot be reached", detail, WIRE_OK, now);
    else if (r == -EBADMSG)
        sync_failed(sync, offline, not_the_account, wrong.text, WIRE_OK, now);
    else if (r < 0)
        sync_failed(sync, offline, "there is no memory left to read the account's answer", "", WIRE_OK, now);
    else
        take(sync, &answer, now);
    wire_answer_done(&answer);
    sync_poll(sync, now);
}
