/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions for the operators of SIMs: from a call of the API to the modem and back. */
#include "firmware/cellpostd/daemon_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What waits for the answer to a code. */
struct daemon_ask { struct http_call *call; };

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

static void end_call(struct http_call *call, enum api_ask_result result)
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

void daemon_ask(struct daemon *daemon, struct http_call *call)
{
    struct api_ask *ask = call->call.ask;
    const char *replies[API_USSD_REPLIES_MAX];
    struct daemon_ask *waiter;
    uint32_t slot;
    int r;

    if (daemon->stopping) {
        end_call(call, API_ASK_STOPPING);
        return;
    }
    if (!find_slot(daemon, ask->sim, &slot)) {
        end_call(call, API_ASK_NO_SIM);
        return;
    }
    waiter = calloc(1, sizeof *waiter);
    if (waiter == NULL) {
        end_call(call, API_ASK_NO_MEMORY);
        return;
    }
    waiter->call = call;
    (void)snprintf(ask->iccid, sizeof ask->iccid, "%s", box_modem_status(daemon->box, slot)->identity.iccid);
    (void)snprintf(ask->port, sizeof ask->port, "%s", box_slot_port(daemon->box, slot));
    for (size_t i = 0; i < ask->reply_count; i++)
        replies[i] = ask->replies[i];
    r = box_ussd(daemon->box, slot, ask->code, replies, ask->reply_count, waiter, daemon_now());
    if (r == 0)
        return;
    free(waiter);
    if (r == -EALREADY)
        (void)snprintf(ask->detail, sizeof ask->detail, "Another code is under way by this SIM: try again when it is answered");
    else
        tell_not_ready(daemon, slot, ask);
    end_call(call, r == -EALREADY ? API_ASK_BUSY : r == -ENOMEM ? API_ASK_NO_MEMORY : API_ASK_NOT_READY);
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
    end_call(call, results[ussd->end]);
}

void daemon_ask_answered(void *context, uint32_t slot, void *waiter, const struct box_ussd *ussd)
{
    struct daemon_ask *ask = waiter;

    (void)slot;
    if (((struct daemon *)context)->stopping && ussd->end == MODEM_USSD_LOST)
        end_call(ask->call, API_ASK_STOPPING);
    else
        answer_call(ask->call, ussd);
    free(ask);
}
