/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions for the operators of SIMs: from a call of the API to the modem and back. */
#include "firmware/cellpostd/daemon_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What waits for the answer to a code. */
struct daemon_ask { struct http_call *call; bool balance; };

static bool is_named(const struct config *config, const char *iccid, const char *name)
{
    const struct config_sim *sim = iccid[0] != '\0' ? config_find_sim(config, iccid) : NULL;

    return sim != NULL && sim->name[0] != '\0' && strcmp(sim->name, name) == 0;
}

/* The slot of the modem with this SIM; by the port also while no card is known in it. */
static bool find_slot(const struct daemon *daemon, const char *sim, uint32_t *ret_slot)
{
    for (uint32_t i = 0; i < box_slot_count(daemon->box); i++) {
        const struct modem_identity *identity = &box_modem_status(daemon->box, i)->identity;
        const char *port = box_slot_port(daemon->box, i), *base = strrchr(port, '/');

        if (!box_slot_open(daemon->box, i))
            continue;
        if (strcmp(port, sim) != 0 && (base == NULL || strcmp(base + 1, sim) != 0) && strcmp(identity->iccid, sim) != 0 &&
            strcmp(identity->imsi, sim) != 0 && !is_named(daemon->config, identity->iccid, sim))
            continue;
        *ret_slot = i;
        return true;
    }
    return false;
}

void daemon_ask_end(struct http_call *call, enum api_ask_result result)
{
    call->call.ask->result = result;
    http_call_done(call);
}

static void tell_not_ready(struct daemon *daemon, uint32_t slot, struct api_ask *ask)
{
    const struct modem_status *status = box_modem_status(daemon->box, slot);

    (void)snprintf(ask->state, sizeof ask->state, "%s", modem_state_name(status->state));
    (void)snprintf(ask->detail, sizeof ask->detail, "The modem is %s. %s", ask->state,
                   status->reason != MODEM_REASON_NONE ? modem_reason_text(status->reason) : "Try again when it is ready.");
}

int daemon_ask_code(struct daemon *daemon, uint32_t slot, const char *code, const char *const *replies, size_t reply_count, bool balance,
                    struct http_call *call)
{
    struct daemon_ask *waiter = calloc(1, sizeof *waiter);
    int r = -ENOMEM;

    if (waiter != NULL) {
        waiter->call = call;
        waiter->balance = balance;
        r = box_ussd(daemon->box, slot, code, replies, reply_count, waiter, daemon_now());
    }
    if (r == 0)
        return 0;
    free(waiter);
    if (call == NULL)
        return r;
    if (r == -EALREADY)
        (void)snprintf(call->call.ask->detail, sizeof call->call.ask->detail, "Another code is under way by this SIM: try again when it is answered");
    else
        tell_not_ready(daemon, slot, call->call.ask);
    daemon_ask_end(call, r == -EALREADY ? API_ASK_BUSY : r == -ENOMEM ? API_ASK_NO_MEMORY : API_ASK_NOT_READY);
    return r;
}

void daemon_ask(struct daemon *daemon, struct http_call *call)
{
    struct api_ask *ask = call->call.ask;
    const char *replies[API_USSD_REPLIES_MAX];
    uint32_t slot;

    if (daemon->stopping) {
        daemon_ask_end(call, API_ASK_STOPPING);
        return;
    }
    if (!find_slot(daemon, ask->sim, &slot)) {
        daemon_ask_end(call, API_ASK_NO_SIM);
        return;
    }
    (void)snprintf(ask->iccid, sizeof ask->iccid, "%s", box_modem_status(daemon->box, slot)->identity.iccid);
    (void)snprintf(ask->port, sizeof ask->port, "%s", box_slot_port(daemon->box, slot));
    for (size_t i = 0; i < ask->reply_count; i++)
        replies[i] = ask->replies[i];
    if (ask->kind == API_ASK_BALANCE)
        (void)daemon_balance_ask(daemon, slot, call);
    else
        (void)daemon_ask_code(daemon, slot, ask->code, replies, ask->reply_count, false, call);
}

static const enum api_ask_result results[MODEM_USSD_END_COUNT] = {
    [MODEM_USSD_FINAL] = API_ASK_ANSWERED,       [MODEM_USSD_REPLY] = API_ASK_ANSWERED,  [MODEM_USSD_ENDED] = API_ASK_REFUSED,
    [MODEM_USSD_OTHER] = API_ASK_REFUSED,        [MODEM_USSD_UNSUPPORTED] = API_ASK_REFUSED,
    [MODEM_USSD_NETWORK_SLOW] = API_ASK_TIMEOUT, [MODEM_USSD_REFUSED] = API_ASK_REFUSED, [MODEM_USSD_SILENT] = API_ASK_TIMEOUT,
    [MODEM_USSD_NO_TURN] = API_ASK_BUSY,         [MODEM_USSD_LOST] = API_ASK_LOST,
};

static void answer_call(struct http_call *call, const struct box_ussd *ussd)
{
    struct api_ask *ask = call->call.ask;

    (void)snprintf(ask->state, sizeof ask->state, "%s", modem_ussd_end_name(ussd->end));
    (void)snprintf(ask->text, sizeof ask->text, "%s", ussd->text);
    if (ussd->end == MODEM_USSD_REFUSED && ussd->code >= 0)
        (void)snprintf(ask->detail, sizeof ask->detail, "%s (+%s ERROR: %d)", modem_ussd_end_text(ussd->end),
                       ussd->error_kind == MODEM_ERROR_CMS ? "CMS" : "CME", ussd->code);
    else
        (void)snprintf(ask->detail, sizeof ask->detail, "%s", modem_ussd_end_text(ussd->end));
    daemon_ask_end(call, results[ussd->end]);
}

void daemon_ask_answered(void *context, uint32_t slot, void *waiter, const struct box_ussd *ussd)
{
    struct daemon *daemon = context;
    struct daemon_ask ask = *(struct daemon_ask *)waiter;

    free(waiter);
    if (ask.call != NULL && daemon->stopping && ussd->end == MODEM_USSD_LOST)
        daemon_ask_end(ask.call, API_ASK_STOPPING);
    else if (ask.balance && results[ussd->end] == API_ASK_ANSWERED)
        daemon_balance_answered(daemon, slot, ask.call, ussd->text);
    else if (ask.call != NULL)
        answer_call(ask.call, ussd);
    else if (!daemon->stopping)
        log_line(LOG_WARNING, "%s: the credit of its SIM was asked for, and not told: %s %s", box_slot_port(daemon->box, slot),
                 modem_ussd_end_text(ussd->end), ussd->text);
}
